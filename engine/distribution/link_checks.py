"""What is wrong with lines, switches, transformers and regulators: their ends, phases, impedances and ratios."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.distribution.feeder import PAIRS, PHASES, Feeder, FeederBus, Line, Regulator, Transformer
from engine.distribution.row_checks import Row
from engine.errors import Problem

_ROUNDING = 1e-6  # relative: published matrices are rounded
_WORST_CONDITION = 1e9
_RATED = 0.15  # how far a winding's rated voltage may be from its bus's, relative, before it is said
_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
_TWISTED = {pair[::-1] for pair in PAIRS}


def link_problems(feeder: Feeder, buses: dict[str, FeederBus], row: Row) -> Iterator[Problem]:
    """Yield the problems of one link."""
    held: Any = row.held
    yield from _ends(buses, row)
    if isinstance(held, Regulator):
        wrong = [*_regulated(feeder, row, held), *_control(row, held)]
        yield from wrong
        if wrong:
            return
    phases = held.phases
    if not phases or phases != "".join(phase for phase in PHASES if phase in phases):
        yield row.problem("phases", "phases", f"has phases {phases!r:.40}; they are some of abc, in that order")
        return
    if feeder.wires == "three" and len(phases) == 1:
        yield row.problem("no-earth", "phases", f"has phase {phases} alone; a three-wire feeder has no earth")
    for column in ("from_bus", "to_bus"):
        bus = buses.get(getattr(held, column))
        absent = [phase for phase in phases if bus is not None and phase not in bus.phases]
        if absent and bus is not None:
            text = f"has phase {', '.join(absent)}, which bus {bus.name} does not have: it has {bus.phases}"
            yield row.problem("absent-phase", column, text)
    if isinstance(held, Line):
        yield from _matrices(row, held)
    if isinstance(held, Transformer):
        yield from _transformer(feeder, buses, row, held)


def _ends(buses: dict[str, FeederBus], row: Row) -> Iterator[Problem]:
    """Yield ends that are not there, or the same, or at voltages that only a transformer can join."""
    held: Any = row.held
    for column in ("from_bus", "to_bus"):
        bus = getattr(held, column)
        if bus not in buses:
            yield row.problem("no-bus", column, f"ends at bus {bus!r:.80}, which is not there")
    if held.from_bus == held.to_bus:
        yield row.problem("same-ends", "to_bus", f"joins bus {held.to_bus} to itself")
    elif held.from_bus in buses and held.to_bus in buses and not isinstance(held, Transformer):
        one, other = buses[held.from_bus].kv, buses[held.to_bus].kv
        if abs(one - other) > _ROUNDING * max(one, other):
            text = f"joins bus {held.from_bus} of {one:g} kV to bus {held.to_bus} of {other:g} kV without a transformer"
            yield row.problem("kv-mismatch", "to_bus", text)


def _matrices(row: Row, line: Line) -> Iterator[Problem]:
    """Yield what is wrong with impedances: shape, symmetry, losses below zero, no impedance at all."""
    count = len(line.phases)
    made = {}
    for column in ("r_ohm", "x_ohm", "b_us"):
        rows = getattr(line, column)
        shape = [len(each) for each in rows]
        if shape != [count] * count:
            text = f"has {column} of {len(rows)} rows of {shape}; its {count} phases need {count} rows of {count}"
            yield row.problem("shape", column, text)
            continue
        matrix = np.array(rows, dtype=np.float64)
        if not np.isfinite(matrix).all():
            continue  # said where numbers are looked at
        if np.abs(matrix - matrix.T).max() > _ROUNDING * max(np.abs(matrix).max(), 1e-300):
            worst = np.unravel_index(np.argmax(np.abs(matrix - matrix.T)), matrix.shape)
            one, other = matrix[worst], matrix.T[worst]
            text = f"has {column} that is not symmetric: {one:g} for {_between(line, worst)}, and {other:g} back"
            yield row.problem("not-symmetric", column, text)
            continue
        made[column] = matrix
    yield from _passive(row, made)
    if {"r_ohm", "x_ohm"} <= made.keys():
        values = np.linalg.svd(made["r_ohm"] + 1j * made["x_ohm"], compute_uv=False)
        if values[-1] * _WORST_CONDITION <= values[0]:
            text = (
                f"has an impedance that is singular: its least singular value is {values[-1]:.3g} ohm and its "
                f"largest {values[0]:.3g} ohm; what has no impedance is a switch"
            )
            yield row.problem("singular", "r_ohm", text)


def _passive(row: Row, made: dict[str, Any]) -> Iterator[Problem]:
    for column, unit, what in (("r_ohm", "ohm", "resistance"), ("b_us", "uS", "susceptance")):
        if column not in made:
            continue
        values = np.linalg.eigvalsh(made[column])
        if values[0] < -_ROUNDING * max(abs(values[-1]), 1e-12):
            verb = "gives power" if column == "r_ohm" else "is no capacitance"
            text = f"has a {what} that {verb}: its least eigenvalue is {values[0]:.3g} {unit}; 0 is the least"
            yield row.problem("not-passive", column, text)


def _between(line: Line, place: Any) -> str:
    return f"{line.phases[place[0]]}-{line.phases[place[1]]}"


def _transformer(feeder: Feeder, buses: dict[str, FeederBus], row: Row, held: Transformer) -> Iterator[Problem]:
    sides = (
        ("from_connection", held.from_connection, "from_kv", held.from_kv, held.from_bus),
        ("to_connection", held.to_connection, "to_kv", held.to_kv, held.to_bus),
    )
    for column, connection, kv_column, kv, bus in sides:
        if connection not in ("wye", "delta"):
            yield row.problem("connection", column, f"has a winding in {connection!r:.40}; it must be wye or delta")
        elif connection == "delta" and len(held.phases) < 3:
            text = f"has a winding in delta on phases {held.phases}; a delta needs all three"
            yield row.problem("delta-phases", column, text)
        if bus in buses and kv > 0 and abs(kv / buses[bus].kv - 1.0) > _RATED:
            text = f"is rated {kv:g} kV at bus {bus} of {buses[bus].kv:g} kV"
            yield row.problem("rated-voltage", kv_column, text, "warning")
    if feeder.wires == "three" and "wye" in (held.from_connection, held.to_connection):
        text = "earths a neutral of a three-wire feeder: what follows is between phases only"
        yield row.problem("wye-on-three-wires", "from_connection", text, "warning")


def _regulated(feeder: Feeder, row: Row, held: Regulator) -> Iterator[Problem]:
    """Yield what is wrong with the phases or pairs of a regulator, and with its ratios."""
    places = held.regulated
    if not places or len(set(places)) < len(places):
        yield row.problem("regulated", "regulated", f"regulates {', '.join(places) or 'nothing'}; each phase once")
        return
    if not all(place in PHASES for place in places):
        yield from _pairs(row, places)
    elif tuple(sorted(places)) != tuple(places):
        yield row.problem("regulated", "regulated", f"regulates {', '.join(places)}; they are in the order a, b, c")
    elif feeder.wires == "three" and (len(places) < 3 or len(set(held.ratios)) > 1):
        text = "regulates phases to earth, which a three-wire feeder does not have; two pairs make an open delta"
        yield row.problem("no-earth", "regulated", text)
    if len(held.ratios) != len(places):
        yield row.problem("ratios", "ratios", f"has {len(held.ratios)} ratios for {len(places)} phases or pairs")
    for place, ratio in zip(places, held.ratios, strict=False):
        if not _LEAST_RATIO <= ratio <= _MOST_RATIO:
            text = f"has a ratio of {ratio:g} on {place}; it must be from {_LEAST_RATIO:g} to {_MOST_RATIO:g}"
            yield row.problem("range", "ratios", text)


def _control(row: Row, held: Regulator) -> Iterator[Problem]:
    """Yield what is wrong with the compensator and the phase that moves all."""
    control, places = held.control, held.regulated
    if control is None:
        return
    for column in ("r_v", "x_v"):
        count = len(getattr(control, column))
        if count != len(places):
            text = f"has a compensator with {count} numbers {column} for {len(places)} phases or pairs"
            yield row.problem("control", "control", text)
    if control.monitored and control.monitored not in places:
        text = f"is moved by {control.monitored!r:.20}, which is none of {', '.join(places)}"
        yield row.problem("control", "control", text)


def _pairs(row: Row, places: tuple[str, ...]) -> Iterator[Problem]:
    if not all(place in PAIRS or place in _TWISTED for place in places):
        text = f"regulates {', '.join(places)}; they are phases (a, b, c) or pairs (ab, cb, ...), not both"
        yield row.problem("regulated", "regulated", text)
    elif len(places) != 2 or len(set(places[0]) & set(places[1])) != 1:
        text = f"regulates {', '.join(places)}; an open delta is two pairs with one phase in common"
        yield row.problem("regulated", "regulated", text)
