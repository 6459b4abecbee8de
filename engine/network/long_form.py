"""Lists of branches in long form, one row per branch, made into the tables' one row per interface or contingency.

``interface,branch,weight[,limit_mw,limit_backward_mw]`` and ``contingency,branch``: the rows of one identifier
need not stand together; a weight that is left out is 1. Other cells of an identifier may stand in any of its
rows, and must agree where they stand in several.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.network.cells import DecimalMark, decimal_mark, number_in_text
from engine.network.tables import KEYS, TableName
from engine.network.terms import write_branches, write_terms

_BRANCH = {"branch", "branchid", "line", "lineid", "element"}
_WEIGHT = {"weight", "factor", "coefficient", "share"}
_ID: Mapping[TableName, set[str]] = {
    "interfaces": {"interface", "interfaceid", "flowgate", "corridor", "id"},
    "contingencies": {"contingency", "contingencyid", "outage", "id"},
}
_CELL: Mapping[TableName, str] = {"interfaces": "terms", "contingencies": "branches"}


@dataclass(frozen=True, slots=True)
class Wide:
    """One row per identifier."""

    headers: list[str]
    rows: list[list[str]]
    first: list[int]  # position, in what was given, of the first row of each
    problems: list[tuple[int, str]] = field(default_factory=list)  # row in what was given, what is wrong


def is_long(table: TableName, headers: Sequence[str]) -> bool:
    """Return whether a header is that of a long form: an identifier and one branch per row."""
    names = {_plain(header) for header in headers}
    return table in _CELL and bool(names & _ID[table] and names & _BRANCH) and _CELL[table] not in names


def widened(
    table: TableName, headers: Sequence[str], rows: Sequence[Sequence[str]], mark: DecimalMark | None = None
) -> Wide:
    """Return rows in long form as one row per identifier, in the order in which these appear first."""
    names = [_plain(header) for header in headers]
    key = next(at for at, name in enumerate(names) if name in _ID[table])
    branch = next(at for at, name in enumerate(names) if name in _BRANCH)
    weight = next((at for at, name in enumerate(names) if name in _WEIGHT), None) if table == "interfaces" else None
    other = [at for at in range(len(names)) if at not in (key, branch, weight)]
    if mark is None:
        mark = decimal_mark(row[at] for row in rows for at in range(len(row)) if at not in (key, branch))
    wide = Wide([KEYS[table], _CELL[table], *(headers[at] for at in other)], [], [])
    place: dict[str, int] = {}
    lists: list[dict[str, float]] = []
    for number, given in enumerate(rows):
        row = [_unguarded(cell.strip()) for cell in given] + [""] * (len(names) - len(given))
        if not row[key] or not row[branch]:
            wide.problems.append((number, f"the {KEYS[table] if not row[key] else 'branch'} is empty"))
            continue
        at = place.setdefault(row[key], len(place))
        if at == len(lists):
            lists.append({})
            wide.rows.append([row[key], "", *(row[column] for column in other)])
            wide.first.append(number)
        if row[branch] in lists[at]:
            wide.problems.append((number, f"branch {row[branch]!r:.60} is in {row[key]!r:.60} already"))
        try:
            lists[at][row[branch]] = 1.0 if weight is None or not row[weight] else number_in_text(row[weight], mark)
        except ValueError as error:
            wide.problems.append((number, f"{headers[weight or 0]}: {error}"))
        _agree(wide, at, number, [row[column] for column in other])
    for line, terms in zip(wide.rows, lists, strict=True):
        line[1] = write_terms(terms.items()) if table == "interfaces" else write_branches(terms)
    return wide


def _agree(wide: Wide, at: int, number: int, cells: Sequence[str]) -> None:
    """Fill the empty cells of a row; report those that say something else than before."""
    for column, cell in enumerate(cells, start=2):
        before = wide.rows[at][column]
        if not before:
            wide.rows[at][column] = cell
        elif cell and cell != before:
            text = f"{wide.headers[column]} of {wide.rows[at][0]!r:.60} is {cell!r:.30} here and {before!r:.30} before"
            wide.problems.append((number, text))


def _plain(header: str) -> str:
    return re.sub(r"[\W_]+", "", header).lower()


def _unguarded(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@", "'"} else text
