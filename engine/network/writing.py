"""Write typed cells into a network's tables without breaking what holds them together."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import Problem
from engine.network.events import EditError
from engine.network.tables import COLUMNS, KEYS, LISTS, NetworkTables, TableName, Value, table_of
from engine.network.terms import branches_renamed, read_branches, read_terms, terms_renamed

REFERENCES: Mapping[TableName, tuple[str, ...]] = {
    "buses": (),
    "branches": ("from_bus", "to_bus"),
    "units": ("bus",),
    "interfaces": (),
    "contingencies": (),
}


@dataclass(frozen=True, slots=True)
class BranchList:
    """The column of a table that lists branches, and how its cells are read and follow renamed branches."""

    column: str
    read: Callable[[str], tuple[str, ...]]
    renamed: Callable[[str, Mapping[str, str | None]], str]


BRANCH_LISTS: Mapping[TableName, BranchList] = {
    "interfaces": BranchList("terms", lambda cell: tuple(branch for branch, _ in read_terms(cell)), terms_renamed),
    "contingencies": BranchList("branches", read_branches, branches_renamed),
}


@dataclass(frozen=True, slots=True)
class Write:
    """One typed value for one cell; a row at or past the end of the table is a new row."""

    row: int
    column: str  # "" opens a new row without giving it a value
    value: Value
    place: str  # how a message names the cell, such as "bus 7, Load" or "row 3, Load"


def next_bus_id(tables: NetworkTables) -> str:
    """Return the identifier of the next bus: the highest whole number so far plus one."""
    return _after(tables.buses["bus"].tolist())


def write(tables: NetworkTables, name: TableName, writes: Sequence[Write]) -> NetworkTables:
    """Return the tables with all of ``writes`` done. Raises EditError with every reason, nothing being done."""
    if not writes:
        raise EditError("there is nothing to write")
    draft = _Draft(tables, name, writes)
    draft.fill_new_rows()
    problems = [
        *draft.key_problems(),
        *draft.reference_problems(),
        *draft.list_problems(),
        *draft.slack_problems(),
    ]
    if problems:
        raise EditError(problems)
    return draft.result()


class _Draft:
    """One table while it is being written: its touched columns as lists."""

    def __init__(self, tables: NetworkTables, name: TableName, writes: Sequence[Write]) -> None:
        self.tables, self.name, self.writes = tables, name, writes
        self.table = tables.table(name)
        self.before = len(self.table)
        self.after = max(self.before, max(w.row for w in writes) + 1)
        grown = self.after > self.before
        touched = {c.name for c in COLUMNS[name]} if grown else {w.column for w in writes} - {""}
        self.columns: dict[str, list[Any]] = {
            c.name: self.table[c.name].tolist() + [c.default] * (self.after - self.before)
            for c in COLUMNS[name]
            if c.name in touched or c.name in (KEYS[name], *REFERENCES[name], "slack", *_list_columns(name))
        }
        self.touched = touched
        self.places: dict[tuple[int, str], str] = {}
        for w in writes:
            self.places[w.row, w.column] = w.place
            if w.column:
                self.columns[w.column][w.row] = w.value

    def fill_new_rows(self) -> None:
        """Give each new row the circuit and the identifier it lacks, and the first bus of all the slack."""
        used = set(self.columns[KEYS[self.name]])
        for row in range(self.before, self.after):
            if self.name == "branches" and (row, "circuit") not in self.places:
                self.columns["circuit"][row] = self._next_circuit(row)
            if not self.columns[KEYS[self.name]][row]:
                self.columns[KEYS[self.name]][row] = self._new_key(row, used)
            used.add(self.columns[KEYS[self.name]][row])
        if self.name == "buses" and not self.before and self.after and not any(self.columns["slack"]):
            self.columns["slack"][0] = True

    def key_problems(self) -> Iterable[Problem]:
        """Yield a problem for each written identifier that is not the only one of its kind."""
        key = KEYS[self.name]
        keys = self.columns[key]
        count = Counter(keys)
        for row in self._written(key):
            if count[keys[row]] > 1:
                yield self._problem("duplicate-id", row, key, f"{key} {keys[row]!r} is there already")

    def reference_problems(self) -> Iterable[Problem]:
        """Yield a problem for each written end that is no bus, and each branch from a bus to itself."""
        buses = set(self.tables.buses["bus"])
        for column in REFERENCES[self.name]:
            for row in self._written(column):
                value = self.columns[column][row]
                if not value:
                    yield self._problem("missing-bus", row, column, f"{column} is needed")
                elif value not in buses:
                    yield self._problem("dangling-bus", row, column, f"there is no bus {value!r}")
        if self.name == "branches":
            starts, ends = self.columns["from_bus"], self.columns["to_bus"]
            for row in sorted({*self._written("from_bus"), *self._written("to_bus")}):
                if starts[row] and starts[row] == ends[row]:
                    yield self._problem("self-loop", row, "to_bus", f"both ends are bus {ends[row]!r}")

    def list_problems(self) -> Iterable[Problem]:
        """Yield a problem for each written list of branches that cannot be read or names one that is not there."""
        for column in _list_columns(self.name):
            branches = set(self.tables.branches["branch"])
            for row in self._written(column):
                try:
                    named = BRANCH_LISTS[self.name].read(self.columns[column][row])
                except ValueError as error:
                    yield self._problem("branch-list", row, column, str(error))
                    continue
                for branch in named:
                    if branch not in branches:
                        yield self._problem("dangling-branch", row, column, f"there is no branch {branch!r}")

    def slack_problems(self) -> Iterable[Problem]:
        """Let a newly set slack replace the old one; yield a problem when that leaves none or several."""
        if self.name != "buses":
            return
        slack = self.columns["slack"]
        old = np.flatnonzero(self.table["slack"].to_numpy(dtype=bool)).tolist()
        given = [row for row, column in self.places if column == "slack"]
        chosen = [row for row in given if slack[row] and row not in old]
        if len(chosen) > 1:
            for row in chosen:
                yield self._problem("several-slacks", row, "slack", "only one bus can be the slack")
        elif chosen:
            for row in old:
                slack[row] = False
            self.touched.add("slack")
        elif old and not any(slack):
            yield self._problem("no-slack", old[0], "slack", "one bus is the slack: set another one instead")

    def result(self) -> NetworkTables:
        """Return the written tables; what refers to a bus or a branch follows it to another identifier."""
        if self.after > self.before:
            table = table_of(self.name, pd.DataFrame(self.columns, dtype=object))
        else:
            dtypes = self.table.dtypes
            new = {c: pd.Series(self.columns[c], dtype=dtypes[c], index=self.table.index) for c in self.touched}
            table = self.table.assign(**new)
        tables = self.tables.with_table(self.name, table)
        key = KEYS[self.name]
        if self.name in ("buses", "branches") and key in self.touched:
            old = self.table[key].tolist()
            renamed = {a: b for a, b in zip(old, self.columns[key], strict=False) if a != b}
            if renamed:
                tables = _follow(tables, renamed) if self.name == "buses" else follow_branches(tables, renamed)
        return tables

    def _written(self, column: str) -> list[int]:
        """Return the rows whose ``column`` was written, and the new rows, which must all have one."""
        given = {row for row, name in self.places if name == column}
        return sorted(given | set(range(self.before, self.after)))

    def _problem(self, code: str, row: int, column: str, text: str) -> Problem:
        new = next((place for (r, _), place in self.places.items() if r == row), f"row {row + 1}")
        place = self.places.get((row, column), new)
        element = str(self.columns[KEYS[self.name]][row])
        return Problem(code, "error", f"{place}: {text}", self.name, row, column, element)

    def _next_circuit(self, row: int) -> str:
        ends = {self.columns["from_bus"][row], self.columns["to_bus"][row]}
        pairs = zip(self.columns["from_bus"][:row], self.columns["to_bus"][:row], strict=True)
        used = {self.columns["circuit"][r] for r, pair in enumerate(pairs) if set(pair) == ends}
        return next(str(n) for n in range(1, len(used) + 2) if str(n) not in used)

    def _new_key(self, row: int, used: set[str]) -> str:
        if self.name == "buses":
            return _after(used)
        if self.name == "branches":
            start, end, circuit = (self.columns[c][row] for c in ("from_bus", "to_bus", "circuit"))
            wanted = f"{start}-{end}" if circuit == "1" else f"{start}-{end}/{circuit}"
            return wanted if wanted not in used else _first_free(wanted + "/", used)
        if self.name == "units":
            return _first_free(f"{self.columns['bus'][row]}-", used)
        return _first_free(f"{KEYS[self.name]}-", used)


def follow_branches(tables: NetworkTables, renamed: Mapping[str, str | None]) -> NetworkTables:
    """Return the tables with each list of branches following ``renamed``: None takes a branch off the lists."""
    for name in LISTS if renamed else ():
        table, listed = tables.table(name), BRANCH_LISTS[name]
        if len(table):
            cells = [listed.renamed(cell, renamed) for cell in table[listed.column].tolist()]
            tables = tables.with_table(name, table.assign(**{listed.column: pd.Series(cells, table.index, object)}))
    return tables


def _list_columns(name: TableName) -> tuple[str, ...]:
    return (BRANCH_LISTS[name].column,) if name in BRANCH_LISTS else ()


def _follow(tables: NetworkTables, renamed: dict[str, str]) -> NetworkTables:
    branches, units = tables.branches, tables.units
    return replace(
        tables,
        branches=branches.assign(
            **{
                end: branches[end].map(lambda bus: renamed.get(bus, bus)).astype(object)
                for end in ("from_bus", "to_bus")
            }
        ),
        units=units.assign(bus=units["bus"].map(lambda bus: renamed.get(bus, bus)).astype(object)),
    )


def _after(ids: Iterable[str]) -> str:
    # 15 digits: past that a number is a label, and adding one to it would only surprise.
    numbers = [int(i) for i in ids if i.isascii() and i.isdigit() and len(i) <= 15]
    return str(max(numbers, default=0) + 1)


def _first_free(stem: str, used: set[str]) -> str:
    number = 1
    while f"{stem}{number}" in used:
        number += 1
    return f"{stem}{number}"
