"""What is wrong with the tables that refer to branches: interfaces and contingencies."""

from collections.abc import Callable

import numpy as np

from engine.errors import Problem
from engine.network.checking import CheckedTable, Flags
from engine.network.tables import NetworkTables
from engine.network.terms import read_branches, read_terms


def interface_problems(tables: NetworkTables) -> list[Problem]:
    """Return the problems of the interfaces: ids, terms, the branches they name, limits."""
    if not len(tables.interfaces):
        return []  # of most networks; every edit is checked
    table = CheckedTable(tables, "interfaces")
    forward, backward = table.numbers("limit_mw"), table.numbers("limit_backward_mw")
    for column, values, word in (("limit_mw", forward, "limit"), ("limit_backward_mw", backward, "limit backward")):
        wrong = np.flatnonzero(values <= 0).tolist()
        for row in wrong:
            text = f"has a {word} of {values[row]:g} MW; it must be above 0, or empty"
            table.problem(row, "interface-limit", "error", column, text)
    free = np.isposinf(forward) & (np.isnan(backward) | np.isposinf(backward)) & table.on
    table.rows(free, "interface-unlimited", "warning", "limit_mw", lambda _: "has no limit: its flow is only shown")
    listed = _lists(tables, table, "terms", lambda cell: tuple(branch for branch, _ in read_terms(cell)))
    off = _out_of_service(tables)
    for row, branches in listed.items():
        out = [branch for branch in branches if branch in off]
        if out and table.on[row]:
            text = f"counts {', '.join(out)[:200]}, out of service, which carries nothing"
            table.problem(row, "interface-branch-off", "warning", "terms", text)
    return table.found


def contingency_problems(tables: NetworkTables) -> list[Problem]:
    """Return the problems of the contingencies: ids, the branches they name, doubles, outages of nothing."""
    if not len(tables.contingencies):
        return []
    table = CheckedTable(tables, "contingencies")
    listed = _lists(tables, table, "branches", read_branches)
    off = _out_of_service(tables)
    first: dict[frozenset[str], int] = {}
    for row, branches in listed.items():
        if not table.on[row]:
            continue
        left = [branch for branch in branches if branch not in off]
        if not left:
            text = f"loses {', '.join(branches)[:200]}, out of service already: it is left out"
            table.problem(row, "contingency-void", "warning", "branches", text)
            continue
        if len(left) < len(branches):
            text = f"loses {', '.join(b for b in branches if b in off)[:200]}, out of service already"
            table.problem(row, "contingency-branch-off", "note", "branches", text)
        same = first.setdefault(frozenset(left), row)
        if same != row:
            text = f"loses the same branches as {table.label(same)}"
            table.problem(row, "contingency-twice", "warning", "branches", text)
    return table.found


def _lists(
    tables: NetworkTables, table: CheckedTable, column: str, read: Callable[[str], tuple[str, ...]]
) -> dict[int, tuple[str, ...]]:
    """Return the branches of each row whose cell can be read and names only branches that exist; report the rest."""
    known = set(tables.branches["branch"])
    listed = {}
    for row, cell in enumerate(table.frame[column].tolist()):
        try:
            branches = read(cell)
        except ValueError as error:
            table.problem(row, "branch-list", "error", column, f"has {column} that cannot be used: {str(error)[:200]}")
            continue
        missing = [branch for branch in branches if branch not in known]
        for branch in missing:
            table.problem(row, "dangling-branch", "error", column, f"names branch {branch!r:.80}, which is not there")
        if not missing:
            listed[row] = branches
    return listed


def _out_of_service(tables: NetworkTables) -> set[str]:
    """Return the branches that carry nothing: out of service themselves, or at such a bus."""
    branches, buses = tables.branches, tables.buses
    dark = set(buses.loc[~buses["in_service"].astype(bool), "bus"])
    off: Flags = (
        ~branches["in_service"].astype(bool) | branches["from_bus"].isin(dark) | branches["to_bus"].isin(dark)
    ).to_numpy()
    return set(branches.loc[off, "branch"])
