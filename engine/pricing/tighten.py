"""How far each quantity can go in any answer that is as good as a known one, by two linear programs for each.

The programs are the integer program's without its whole numbers, with "no worse than what is known" as a row more. What
they prove makes the next program tighter: the multipliers of bounds get ends that are proved, not guessed, prices and
quantities smaller ranges, and a yes or no that could go one way only is decided. A solution that already reaches an end
saves the program that would look there.
Source: Gleixner, Berthold, Mueller and Weltge, "Three enhancements for optimization-based bound tightening", J. Global
Optim. 67, 2017.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, vstack

from engine.network.model import Integers, Vector
from engine.pricing.kkt import Conditions, Ranges
from engine.program import LazyProgram, LinearProgram, Status

_ROOM = 1e-6  # relative, given to what a linear program proves and to what is known: its roundings
_NARROW = 1e-6  # of a range's width, relative to 1 + its ends: nothing is left to tighten
_WHOLE = 1e-5  # of a yes or no: nearer is decided


def tightened(  # noqa: PLR0913 (the last three by name)
    asked: Conditions,
    ranges: Ranges,
    floor: float,
    columns: Integers,
    *,
    most: float,
    until: float,
    tick: Callable[[], None] | None = None,
) -> Ranges:
    """Return smaller ranges of ``columns``, in their order until the time ``until`` of the performance counter.

    No answer whose objective is at most ``most`` is lost. Columns of which nothing was proved keep their ranges.
    ``tick`` is called before each.
    """
    program = asked.program(floor, ranges)
    if np.isfinite(most):
        program = replace(
            program,
            matrix=csr_array(vstack([program.matrix, csr_array(program.cost[np.newaxis])], format="csr")),
            row_lower=np.append(program.row_lower, -np.inf),
            row_upper=np.append(program.row_upper, most + _ROOM * (1.0 + abs(most))),
        )
    search = _Ends(program)
    for column in columns.tolist():
        if tick is not None:
            tick()
        for sign in (1.0, -1.0):
            if time.perf_counter() >= until:
                break
            search.look(column, sign)
    lower, upper = search.lower, search.upper
    whole = asked.whole
    lower[whole], upper[whole] = np.ceil(lower[whole] - _WHOLE), np.floor(upper[whole] + _WHOLE)
    return Ranges(lower, upper)


class _Ends:
    """The ends of columns that are proved so far, and how far solutions went."""

    def __init__(self, program: LinearProgram) -> None:
        self.model = LazyProgram(replace(program, cost=np.zeros_like(program.cost)))
        self.lower, self.upper = program.lower.copy(), program.upper.copy()
        self.least, self.most = np.full(len(self.lower), np.inf), np.full(len(self.lower), -np.inf)

    def look(self, column: int, sign: float) -> None:
        """Prove the lower end of a column (``sign`` 1) or its upper one (-1), if solutions do not reach it already."""
        lower, upper = self.lower[column], self.upper[column]
        near = _NARROW * (1.0 + max(abs(end) for end in (lower, upper, 0.0) if np.isfinite(end)))
        reached = self.least[column] <= lower + near if sign > 0.0 else self.most[column] >= upper - near
        if reached or upper - lower <= near:
            return
        cost = np.zeros(len(self.lower))
        cost[column] = sign
        self.model.set_cost(cost)
        found = self.model.solve()
        if found.status is not Status.OPTIMAL:
            return
        self._seen(found.x)
        end = sign * found.objective
        room = _ROOM * (1.0 + abs(end))
        if sign > 0.0:
            self.lower[column] = min(max(lower, end - room), upper)
        else:
            self.upper[column] = max(min(upper, end + room), lower)

    def _seen(self, x: Vector) -> None:
        np.minimum(self.least, x, out=self.least)
        np.maximum(self.most, x, out=self.most)
