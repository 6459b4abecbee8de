"""The hubs and the network as one: what nobody's own interest stands in the way of. A benchmark, not a market.

``first_best``: the least that overloads can weigh, whatever hubs do, which no prices can do better than; and at that
overload, the least that hubs can cost. ``together``: what quadratic followers would do for the operator and themselves
as one; the multipliers of its flows are what each hub should see, where prices begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import block_diag, csr_array, eye_array, hstack, kron, vstack

from engine.errors import InfeasibleError
from engine.network.model import Integers, Matrix, Vector
from engine.pricing.case import HubCase
from engine.pricing.program import HubProgram, check_all
from engine.program import LinearProgram, Solution, Status, certificate, solve

_SLACK = 1e-7  # of the least overload, given to the second program: two solvers' roundings


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """All hubs' columns, then what lines carry beyond their limits and what the substation does, MW.

    Rows: those of the hubs, then ``overload >= flow - limit`` and ``overload >= -flow - limit``, of imports last.
    """

    case: HubCase
    programs: tuple[HubProgram, ...]
    matrix: csr_array
    row_lower: Vector
    row_upper: Vector
    lower: Vector
    upper: Vector
    first: Integers  # (I + 1,), of each hub's columns, and the end of the last
    weight: Vector  # (N,), $ of a MW of overload; 0 for hubs' columns

    @classmethod
    def of(cls, case: HubCase, programs: tuple[HubProgram, ...]) -> Self:
        """Return the joint polyhedron of a case."""
        network, periods = case.network, case.periods
        ends = np.cumsum([0, *(len(own.cost) for own in programs)])
        own = csr_array(block_diag([each.matrix for each in programs], format="csr"))
        withdrawn = csr_array(block_diag([each.withdrawn for each in programs], format="csr"))  # (I T, columns)
        flow = csr_array(kron(csr_array(network.share), eye_array(periods)) @ withdrawn)  # less, on lines (L T)
        whole = csr_array(kron(np.ones((1, len(programs))), eye_array(periods)) @ withdrawn)
        lines, last = len(network.lines) * periods, periods
        limit = np.repeat(network.limit_mw, periods)
        background = network.background_mw.ravel()
        one, sub = csr_array(eye_array(lines)), csr_array(eye_array(last))
        # overload >= |flow| - limit, by two rows each; the substation's by one for import and one for export
        rows = [
            [flow, one, None], [-flow, one, None], [-whole, None, sub], [whole, None, sub],
        ]  # fmt: skip
        blocks = [_wide(row, (own.shape[1], lines, last)) for row in rows]
        least = [
            background - limit, -background - limit,
            network.substation_mw - network.import_mw, -network.substation_mw - network.export_mw,
        ]  # fmt: skip
        top = csr_array(hstack([own, csr_array((own.shape[0], lines + last))], format="csr"))
        right = np.concatenate([each.right for each in programs])
        bounds = [np.concatenate([getattr(each, name) for each in programs]) for name in ("lower", "upper")]
        more = lines + last
        terms = case.terms
        return cls(
            case, programs, csr_array(vstack([top, *blocks], format="csr")), np.concatenate([right, *least]),
            np.concatenate([right, np.full(2 * more, np.inf)]), np.concatenate([bounds[0], np.zeros(more)]),
            np.concatenate([bounds[1], np.full(more, np.inf)]), ends.astype(np.intp),
            np.concatenate([
                np.zeros(own.shape[1]), np.full(lines, terms.line_per_mwh * case.step_h),
                np.full(last, terms.substation_per_mwh * case.step_h),
            ]),
        )  # fmt: skip

    def own_cost(self) -> Vector:
        """Return what hubs pay for their columns (N,) before the operator's prices, $."""
        return np.concatenate([*(each.cost for each in self.programs), np.zeros(len(self.weight) - self.first[-1])])

    def program(self, cost: Vector, quadratic: Vector | None = None) -> LinearProgram:
        """Return the program of a cost (N,)."""
        return LinearProgram(cost, self.matrix, self.row_lower, self.row_upper, self.lower, self.upper, quadratic)

    def points(self, x: Vector) -> tuple[Vector, ...]:
        """Return each hub's part of a point (N,)."""
        return tuple(x[a:b] for a, b in zip(self.first[:-1], self.first[1:], strict=True))

    def withdrawal(self, x: Vector) -> Matrix:
        """Return the withdrawals (I, T) of a point (N,), MW."""
        return np.array([each.withdrawal(part) for each, part in zip(self.programs, self.points(x), strict=True)])

    def rows_of_limits(self, dual: Vector) -> tuple[Matrix, Vector]:
        """Return what a MW more on each line (L, T), and of import (T,), costs by the duals of all rows."""
        lines, periods = len(self.case.network.lines), self.case.periods
        own = dual[len(dual) - 2 * (lines + 1) * periods :]
        size = lines * periods
        up, down = own[:size].reshape(lines, periods), own[size : 2 * size].reshape(lines, periods)
        more, less = own[2 * size : 2 * size + periods], own[2 * size + periods :]
        return up - down, more - less

    def solved(self, program: LinearProgram, *, interior: bool = False) -> Solution:
        """Return the optimum. Raises InfeasibleError naming what hubs cannot meet, SolverError without an optimum."""
        found = solve(program, interior=interior)
        if interior and found.status is not Status.OPTIMAL:
            found = solve(program)
        if found.status is Status.INFEASIBLE:
            check_all(self.programs)
            raise InfeasibleError("the hubs together have nothing that they may do")
        return found.optimum()


@dataclass(frozen=True, slots=True, eq=False)
class Central:
    """The first best."""

    points: tuple[Vector, ...]  # of the hubs
    withdrawal_mw: Matrix  # (I, T)
    overload_cost: float  # $: no prices, and no orders, have less
    hub_cost: float  # $, of all hubs before the operator's prices
    time_s: float


def first_best(joint: Joint) -> Central:
    """Return the least overload, and the least that hubs cost at it. Raises what :meth:`Joint.solved` does."""
    least = joint.solved(joint.program(joint.weight))
    cost = joint.own_cost()
    most = least.objective + _SLACK * max(1.0, abs(least.objective))
    capped = LinearProgram(
        cost,
        csr_array(vstack([joint.matrix, csr_array(joint.weight[np.newaxis])], format="csr")),
        np.append(joint.row_lower, -np.inf), np.append(joint.row_upper, most), joint.lower, joint.upper,
    )  # fmt: skip
    found = joint.solved(capped)
    return Central(
        joint.points(found.x), joint.withdrawal(found.x), least.objective, float(cost @ found.x),
        least.time_s + found.time_s,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Quadratic followers and the operator as one."""

    points: tuple[Vector, ...]
    withdrawal_mw: Matrix  # (I, T)
    price: Matrix  # (I, T), $/MWh, what each hub's withdrawal costs the network
    objective: float  # $, of hubs with curvature and of overloads
    worst: float  # of the conditions of optimality
    time_s: float


def together(joint: Joint) -> Together:
    """Return the optimum of quadratic followers with the network. Raises what :meth:`Joint.solved` does."""
    curved = np.concatenate([*(each.curved for each in joint.programs), np.zeros(len(joint.weight) - joint.first[-1])])
    program = joint.program(joint.own_cost() + joint.weight, curved)
    found = joint.solved(program, interior=True)
    price = _what_withdrawals_cost(joint, found.row_dual)
    judged = certificate(program, found)
    worst = max(judged.primal_violation, judged.dual_violation, judged.complementarity, judged.relative_gap)
    return Together(joint.points(found.x), joint.withdrawal(found.x), price, found.objective, worst, found.time_s)


def linear_prices(joint: Joint) -> Matrix:
    """Return (I, T), $/MWh, what each linear hub's withdrawal costs the network where all are one."""
    return _what_withdrawals_cost(joint, joint.solved(joint.program(joint.own_cost() + joint.weight)).row_dual)


def _what_withdrawals_cost(joint: Joint, dual: Vector) -> Matrix:
    """Return (I, T), $/MWh: a MW more withdrawn lowers a line's flow by its share and raises the import.

    The duals of rows are $ of a period's step.
    """
    line, substation = joint.rows_of_limits(dual)
    return np.asarray((substation - joint.case.network.share.T @ line) / joint.case.step_h)


def _wide(row: Sequence[csr_array | None], widths: tuple[int, int, int]) -> csr_array:
    """Return a row of blocks, None for zeros of a width."""
    height = next(block.shape[0] for block in row if block is not None)
    blocks = [csr_array((height, width)) if block is None else block for block, width in zip(row, widths, strict=True)]
    return csr_array(hstack(blocks, format="csr"))
