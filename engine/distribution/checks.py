"""Every problem of a feeder at once, each with its element, its value and the limit it breaks.

Errors are what no computation can take; warnings change what a result means. Rows that name a bus which is not there
are reported once, and left out of what depends on it.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from engine.distribution.feeder import PAIRS, PHASES, Device, Feeder, FeederBus, Load, table_of, walk
from engine.distribution.link_checks import link_problems
from engine.distribution.row_checks import Row, checked_rows
from engine.errors import NetworkDataError, Problem

MOST_ROWS = 5_000  # of one table
_WORDS = {"buses": "bus", "switches": "switch", "centres": "data centre"}


def check(feeder: Feeder) -> list[Problem]:
    """Return every problem of ``feeder``: errors first, then warnings; each kind in table order."""
    found = list(_feeder(feeder))
    for name in TABLES:
        found += checked_rows(name, _word(name), getattr(feeder, name))
    buses = {bus.name: bus for bus in feeder.buses}
    found += _phases_of_buses(feeder)
    for row in _rows(feeder, ("lines", "switches", "transformers", "regulators")):
        found += link_problems(feeder, buses, row)
    for row in _rows(feeder, ("loads", "capacitors", "generators", "compensators", "centres")):
        found += _device(feeder, buses, row)
    found += _names_of_links(feeder)
    if feeder.source_bus in buses:
        found += _tree(feeder, buses)
    return sorted(found, key=lambda problem: problem.severity != "error")


@lru_cache(maxsize=64)  # every hour of a day asks it of the same feeder
def checked(feeder: Feeder) -> Feeder:
    """Return ``feeder``. Raises NetworkDataError with every error in it at once."""
    errors = [problem for problem in check(feeder) if problem.severity == "error"]
    if errors:
        raise NetworkDataError(errors)
    return feeder


TABLES = (
    "buses", "lines", "switches", "transformers", "regulators", "loads", "capacitors", "generators", "compensators",
    "centres",
)  # fmt: skip


def _word(table: str) -> str:
    return _WORDS.get(table, table.removesuffix("s"))


def _rows(feeder: Feeder, tables: tuple[str, ...]) -> Iterator[Row]:
    for name in tables:
        for at, held in enumerate(getattr(feeder, name)):
            yield Row(name, _word(name), at, held)


def _feeder(feeder: Feeder) -> Iterator[Problem]:
    def problem(code: str, text: str, column: str) -> Problem:
        return Problem(code, "error", text, "", None, column)

    if feeder.wires not in ("four", "three"):
        yield problem("wires", f"the feeder has {feeder.wires!r:.40} wires; it must be four or three", "wires")
    for column, value, low, high in (
        ("base_kva", feeder.base_kva, 1e-3, 1e9),
        ("source_pu", feeder.source_pu, 0.5, 1.5),
        ("v_min_pu", feeder.v_min_pu, 0.0, 2.0),
        ("v_max_pu", feeder.v_max_pu, 0.0, 2.0),
    ):
        if not (math.isfinite(value) and low <= value <= high):
            yield problem("range", f"{column} is {value:g}; it must be from {low:g} to {high:g}", column)
    if feeder.v_min_pu >= feeder.v_max_pu:
        text = f"the lowest voltage, {feeder.v_min_pu:g} p.u., is not below the highest, {feeder.v_max_pu:g} p.u."
        yield problem("voltage-limits", text, "v_min_pu")
    if not feeder.buses:
        yield problem("empty", "the feeder has no buses", "buses")
    elif feeder.source_bus not in {bus.name for bus in feeder.buses}:
        yield problem("source", f"the source is at bus {feeder.source_bus!r:.80}, which is not there", "source_bus")
    for name in TABLES:
        count = len(getattr(feeder, name))
        if count > MOST_ROWS:
            yield problem("too-many", f"the feeder has {count:,} {name}; {MOST_ROWS:,} is the most", name)


def _phases_of_buses(feeder: Feeder) -> Iterator[Problem]:
    least = 1 if feeder.wires == "four" else 2
    for row in _rows(feeder, ("buses",)):
        phases = row.held.phases
        if not _are_phases(phases):
            yield row.problem("phases", "phases", f"has phases {phases!r:.40}; they are some of abc, in that order")
        elif len(phases) < least:
            yield row.problem("phases", "phases", f"has phase {phases} alone; a bus of three wires has two or three")


def _are_phases(phases: str) -> bool:
    return bool(phases) and phases == "".join(phase for phase in PHASES if phase in phases)


def _device(feeder: Feeder, buses: dict[str, FeederBus], row: Row) -> Iterator[Problem]:
    """Yield what is wrong with where a device is connected, and with numbers that depend on each other."""
    held: Device = row.held
    bus = buses.get(held.bus)
    if bus is None:
        yield row.problem("no-bus", "bus", f"is at bus {held.bus!r:.80}, which is not there")
    one_place = hasattr(held, "phase")
    phases: str = held.phase if one_place else held.phases  # type: ignore[union-attr]
    column = "phase" if one_place else "phases"
    if one_place and phases not in (*PHASES, *PAIRS):
        yield row.problem("phases", column, f"is on {phases!r:.40}; it must be one of {', '.join((*PHASES, *PAIRS))}")
    elif not one_place and not _are_phases(phases):
        yield row.problem("phases", column, f"is on {phases!r:.40}; phases are some of abc, in that order")
    else:
        if feeder.wires == "three" and len(phases) == 1:
            text = f"is between phase {phases} and the earth, which a three-wire feeder does not have"
            yield row.problem("no-earth", column, text)
        absent = [phase for phase in phases if bus is not None and phase not in bus.phases]
        if absent and bus is not None:
            text = f"is on phase {', '.join(absent)}, which bus {bus.name} does not have: it has {bus.phases}"
            yield row.problem("absent-phase", column, text)
    if isinstance(held, Load):
        if held.model not in ("power", "current", "impedance"):
            yield row.problem("model", "model", f"keeps its {held.model!r:.40}; it must be power, current or impedance")
        if held.kw < 0:
            text = f"draws {held.kw:g} kW: it gives power; a generator says so better"
            yield row.problem("negative-load", "kw", text, "warning")
    yield from _pairs_of_numbers(row)


def _pairs_of_numbers(row: Row) -> Iterator[Problem]:
    held: Any = row.held
    if row.table == "generators":
        for low, high, unit in (("p_min_kw", "p_max_kw", "kW"), ("q_min_kvar", "q_max_kvar", "kvar")):
            if getattr(held, low) > getattr(held, high):
                text = f"has a least of {getattr(held, low):g} {unit} above its most, {getattr(held, high):g} {unit}"
                yield row.problem("limits", low, text)
        if held.s_kva is not None and held.s_kva < held.p_min_kw:
            text = f"must give {held.p_min_kw:g} kW, more than its {held.s_kva:g} kVA"
            yield row.problem("limits", "s_kva", text)


def _names_of_links(feeder: Feeder) -> Iterator[Problem]:
    """Yield links of different tables with one name: messages and results call a link by it alone."""
    first: dict[str, str] = {}
    for row in _rows(feeder, ("lines", "switches", "transformers", "regulators")):
        table = first.setdefault(row.held.name, row.table)
        if table != row.table:
            yield row.problem("duplicate-name", "name", f"has the name of a row of {table}")


def _tree(feeder: Feeder, buses: dict[str, FeederBus]) -> Iterator[Problem]:
    """Yield loops, islands and phases of buses that nothing feeds."""
    tree, problems = walk(feeder)
    yield from problems
    places = {bus.name: at for at, bus in enumerate(feeder.buses)}
    for name, link in zip(tree.buses, tree.links, strict=True):
        if link is None:
            continue
        dead = [phase for phase in buses[name].phases if phase in PHASES and phase not in link.phases]
        if dead:
            text = f"has phase {', '.join(dead)}, which {_word(table_of(link))} {link.name}, that feeds it, does not"
            yield Row("buses", "bus", places[name], buses[name]).problem("unfed-phase", "phases", text)
