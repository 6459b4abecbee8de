"""A program without what is settled: columns whose bounds meet, and rows that no value within bounds can break.

A solver's presolve finds these too, but takes a second or two for a day of a large grid, at every program.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from engine.network.model import Integers, Vector
from engine.program import LinearProgram

_FOREVER = 1e12  # stands for no bound where activities are summed
_SLACK = 1e-7  # a row that can be broken by less is left out


@dataclass(frozen=True, slots=True, eq=False)
class Squeezed:
    """A smaller program with the same answers, and the way back."""

    program: LinearProgram
    columns: Integers  # (v,), those that are left
    rows: Integers  # (m,)
    settled: Vector  # (V,), values of the columns that are not left, 0 elsewhere

    @classmethod
    def of(cls, program: LinearProgram) -> Self:
        """Return the program without settled columns and idle rows."""
        open_ = program.lower != program.upper  # crossed bounds are the solver's to find
        settled = np.where(open_, 0.0, program.lower)
        columns = np.flatnonzero(open_)
        matrix = csr_array(program.matrix)
        already = matrix @ settled
        left = csr_array(matrix[:, columns])
        row_lower, row_upper = program.row_lower - already, program.row_upper - already
        lower, upper = program.lower[columns], program.upper[columns]
        low, high = np.maximum(lower, -_FOREVER), np.minimum(upper, _FOREVER)
        up, down = left.maximum(0.0), left.minimum(0.0)
        may_break = (up @ high + down @ low > row_upper + _SLACK) | (up @ low + down @ high < row_lower - _SLACK)
        rows = np.flatnonzero(may_break)
        smaller = replace(
            program,
            cost=program.cost[columns],
            matrix=csr_array(left[rows]),
            row_lower=row_lower[rows],
            row_upper=row_upper[rows],
            lower=lower,
            upper=upper,
            offset=program.offset + float(program.cost @ settled),
        )
        return cls(smaller, columns, rows, settled)

    def values(self, x: Vector) -> Vector:
        """Return the values (V,) of all columns for those (v,) that are left."""
        found = self.settled.copy()
        found[self.columns] = x
        return found
