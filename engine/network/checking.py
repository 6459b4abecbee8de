"""One table under check: its columns as arrays, and the problems found so far."""

from collections.abc import Callable
from functools import partial
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.errors import Problem, Severity
from engine.network.tables import COLUMNS, KEYS, SINGULAR, NetworkTables, TableName

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LARGEST = 1e12  # of any number: a trillion of any unit here is a slip, and its square can still be added up

# What a number may be besides finite, by column; a column that is not listed must be finite.
_MAY_BE_INF = {
    "withdrawal_limit_mw", "rating_a_mw", "rating_b_mw", "rating_c_mw", "angle_min_deg", "angle_max_deg",
    "q_min_mvar", "q_max_mvar", "ramp_30_min_mw", "limit_mw", "limit_backward_mw",
}  # fmt: skip
_MAY_BE_NAN = {"rating_a_mw", "rating_b_mw", "rating_c_mw", "longitude", "latitude", "x", "y", "limit_backward_mw"}


class CheckedTable:
    """One table as arrays, and what is wrong with it."""

    def __init__(self, tables: NetworkTables, name: TableName) -> None:
        self.name = name
        self.frame = tables.table(name)
        self.ids: list[str] = self.frame[KEYS[name]].tolist()
        self.found: list[Problem] = []
        self.on = self.flags("in_service")
        self._ids()
        self._finite()

    def numbers(self, column: str) -> Vector:
        """Return a column of numbers."""
        return self.frame[column].to_numpy(dtype=np.float64)

    def flags(self, column: str) -> Flags:
        """Return a column of flags."""
        return self.frame[column].to_numpy(dtype=np.bool_)

    def label(self, row: int) -> str:
        """Return how a message names the row: "bus 7", or "bus in row 3" when it has no identifier."""
        return f"{SINGULAR[self.name]} {self.ids[row]}" if self.ids[row] else f"{SINGULAR[self.name]} in row {row + 1}"

    def rows(self, wrong: Flags, code: str, severity: Severity, column: str, text: Callable[[int], str]) -> None:
        """Add one problem for each row where ``wrong``; ``text`` completes "bus 7 ..."."""
        self.found.extend(
            Problem(code, severity, f"{self.label(row)} {text(row)}", self.name, row, column, self.ids[row])
            for row in np.flatnonzero(wrong).tolist()
        )

    def count(self, wrong: Flags, code: str, column: str, text: str) -> None:
        """Add one note for the table, if any row is ``wrong``."""
        number = int(np.count_nonzero(wrong))
        if number:
            message = f"{number} of {len(wrong)} {self.name} {text}"
            self.found.append(Problem(code, "note", message, self.name, None, column))

    def _ids(self) -> None:
        key, word = KEYS[self.name], SINGULAR[self.name]
        ids = self.frame[key]
        self.rows((ids == "").to_numpy(), f"missing-{word}-id", "error", key, lambda _: "has no identifier")
        repeated = (ids.duplicated() & (ids != "")).to_numpy()
        if repeated.any():
            first = {name: row for row, name in reversed(list(enumerate(self.ids)))}
            self.rows(repeated, f"duplicate-{word}", "error", key,
                      lambda row: f"has the identifier of row {first[self.ids[row]] + 1} already")  # fmt: skip

    def _finite(self) -> None:
        for column in COLUMNS[self.name]:
            if column.kind != "number":
                continue
            values = self.numbers(column.name)
            huge = np.isfinite(values) & (np.abs(values) > _LARGEST)
            self.rows(huge, "too-large", "error", column.name, partial(_huge, values, column.label))
            if np.isfinite(values).all():
                continue
            wrong = np.zeros(len(values), dtype=np.bool_)
            if column.name not in _MAY_BE_NAN:
                wrong |= np.isnan(values)
            if column.name not in _MAY_BE_INF:
                wrong |= np.isinf(values)
            severity: Severity = "warning" if column.name in {"longitude", "latitude", "x", "y"} else "error"
            self.rows(wrong, "not-finite", severity, column.name, partial(_not_finite, values, column.label))

    def problem(self, row: int, code: str, severity: Severity, column: str, text: str) -> None:
        """Add one problem; ``text`` completes "bus 7 ..."."""
        message = f"{self.label(row)} {text}"
        self.found.append(Problem(code, severity, message, self.name, row, column, self.ids[row]))

    def refers(self, column: str, known: pd.Index) -> Flags:
        """Report the rows whose ``column`` names no bus; return where it names one."""
        named = self.frame[column]
        exists = named.isin(known).to_numpy()
        cells = named.tolist()
        self.rows(~exists, "dangling-bus", "error", column,
                  lambda row: f"names bus {cells[row]!r}, which is not there" if cells[row] else
                  "names no bus")  # fmt: skip
        return cast("Flags", exists)


def _huge(values: Vector, label: str, row: int) -> str:
    return f"has {values[row]:g} as its {label.lower()}; {_LARGEST:g} is the most that can be computed with"


def _not_finite(values: Vector, label: str, row: int) -> str:
    return f"has {values[row]} as its {label.lower()}"
