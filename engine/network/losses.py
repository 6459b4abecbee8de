"""What another program's format cannot carry of a network, found by reading back what was written."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from engine.errors import Problem
from engine.network.tables import COLUMNS, KEYS, LISTS, Column, NetworkTables, TableName

_TOLERANCE = 1e-9  # relative: numbers pass through ohm and other bases, and back
_WORDS = {"interfaces": "interfaces", "contingencies": "contingencies"}


def losses(tables: NetworkTables, again: NetworkTables) -> Iterable[Problem]:
    """Yield a note for each column of ``tables`` that ``again``, the same read back, holds otherwise."""
    renamed = tables.buses["bus"].tolist() != again.buses["bus"].tolist()
    for name, columns in COLUMNS.items():
        own, read = tables.table(name), again.table(name)
        if name in LISTS:
            if len(own) and not own.equals(read):
                yield _note(name, 0, "", f"the {len(own)} {_WORDS[name]} are not carried")
            continue
        if len(own) != len(read):
            yield _note(name, 0, "", f"{name}: {len(own)} become {len(read)}")
            continue
        key = KEYS[name]
        if set(own[key]) == set(read[key]):
            read = read.set_index(key, drop=False).loc[own[key]]
        # What names a bus follows it when the format needs numbers as identifiers.
        follow = {"from_bus", "to_bus", *(["bus"] if name == "units" else [])} if renamed else set()
        for column in (column for column in columns if column.name not in follow):
            rows = _changed(column, own[column.name], read[column.name])
            if len(rows):
                what = f"{name}, {column.label.lower()}: {len(rows)} of {len(own)} cells are not carried"
                yield _note(name, int(rows[0]), column.name, what)


def _note(name: TableName, row: int, column: str, message: str) -> Problem:
    return Problem("not-carried", "note", message, name, row, column)


def _changed(column: Column, own: "pd.Series[float]", read: "pd.Series[float]") -> np.ndarray:
    if column.kind == "number":
        before, after = own.to_numpy(dtype=np.float64), read.to_numpy(dtype=np.float64)
        return np.flatnonzero(~np.isclose(before, after, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True))
    before, after = own.to_numpy(dtype=object), read.to_numpy(dtype=object)
    return np.flatnonzero((before != after) & (before != ""))  # an empty text that gets a number has lost nothing
