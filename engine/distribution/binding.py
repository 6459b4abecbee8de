"""Which limits the operator's optimum presses on, and what each of them costs: the duals of all limits, named.

A dual is what an hour's least cost falls by per unit that the limit gives way. Limits that were derated or tightened
are told as they were used. A battery that the aggregator runs has no dual here: its limits are in the aggregator's own
problem, so they are told without one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.distribution.case import FeederCase
from engine.distribution.dso import DsoResult, HoursAnswer
from engine.distribution.frames import Matrix, Vector, three_phase_buses
from engine.distribution.hour import Conductors, Controls, DsoOptions, Hour, polygon, unbalance_limits

_NOTHING = 1e-6  # a smaller dual, in its own unit, is rounding
_AT = 1e-6  # a battery this near to its limit, as a share of it, is at it
KINDS = (
    "voltage low", "voltage high", "line", "polygon side", "transformer", "generator", "svg", "battery", "unbalance",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Binding:
    """One limit that binds in one hour."""

    hour: int
    kind: str  # of KINDS
    element: str  # bus, link or device
    phase: str  # phase or pair; empty where there is none
    what: str  # which limit of the element, in words
    value: float  # of what is limited
    limit: float  # as it was used
    unit: str  # of both
    dual: float | None  # not negative; None for a battery that the aggregator runs
    dual_unit: str


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """One hour's part of an answer."""

    hour: int
    each: Hour
    x: Vector
    row_dual: Vector
    reduced: Vector


def binding_limits(case: FeederCase, options: DsoOptions, result: DsoResult) -> tuple[Binding, ...]:
    """Return every limit of ``result``, the answer to ``case`` with ``options``, that has a dual, hour by hour."""
    found: list[Binding] = []
    conductors, controls = Conductors.of(result.frame), Controls.of(result.frame, compensators=options.compensators)
    for answer in result.answers:
        for place in _places(answer):
            found += _voltages(place)
            found += _flows(place, conductors, options)
            found += _circles(place, options)
            found += _unbalance(place, options)
            found += _generators(place)
            found += _compensators(place, controls)
        found += _batteries(case, answer)
    return tuple(sorted(found, key=lambda row: (row.hour, KINDS.index(row.kind), -(row.dual or 0.0))))


def _places(answer: HoursAnswer) -> Iterator[_Place]:
    column, row = 0, 0
    for hour, each in zip(answer.hours, answer.programs, strict=True):
        wide, high = len(each.program.cost), len(each.program.row_lower)
        yield _Place(
            hour, each, answer.solution.x[column : column + wide], answer.solution.row_dual[row : row + high],
            answer.solution.reduced_cost[column : column + wide],
        )  # fmt: skip
        column, row = column + wide, row + high


def _voltages(place: _Place) -> Iterator[Binding]:
    rows, frame = place.each.rows["voltages"], place.each.flow.frame
    dual = place.row_dual[rows]
    for at in np.flatnonzero(np.abs(dual) > _NOTHING).tolist():
        low = dual[at] > 0.0
        bound = (place.each.program.row_lower if low else place.each.program.row_upper)[rows][at]
        limit, node = float(np.sqrt(bound)), frame.roots + at
        value = float(np.sqrt(max(0.0, place.x[node])))
        kind, what = ("voltage low", "least voltage") if low else ("voltage high", "most voltage")
        # The program limits squares: d(limit^2) = 2 limit d(limit).
        told = abs(float(dual[at])) * 2.0 * limit
        yield Binding(place.hour, kind, *frame.nodes[node], what, value, limit, "p.u.", told, "$/h per p.u.")


def _flows(place: _Place, conductors: Conductors, options: DsoOptions) -> Iterator[Binding]:
    dual, watched = -place.row_dual[place.each.rows["flows"]], place.each.watched
    frame = place.each.flow.frame
    transformers = {row.name for row in frame.feeder.transformers}
    sides, apothem = polygon(options)
    flow = _flow_mva(place)
    for at in np.flatnonzero(dual > _NOTHING).tolist():
        side, conductor = at // len(watched), int(watched[at % len(watched)])
        name, phase = conductors.name[conductor], conductors.phase[conductor]
        power = complex((conductors.weights[[conductor]] @ flow)[0])
        active = options.line_limits == "active"
        kind = "transformer" if name in transformers else "line" if active else "polygon side"
        what = (
            ("most active power", "most active power upwards")[side] if active else f"side {side + 1} of {len(sides)}"
        )
        value, unit = (abs(power.real), "MW") if active else (abs(power), "MVA")
        limit, told = float(conductors.rating_mva[conductor]), float(dual[at]) * apothem
        yield Binding(place.hour, kind, name, phase, what, value, limit, unit, told, f"$/h per {unit}")


def _flow_mva(place: _Place) -> np.ndarray:
    state = place.each.flow.state(place.x[place.each.columns["state"]])
    return np.asarray(state.p_mw + 1j * state.q_mvar)


def _circles(place: _Place, options: DsoOptions) -> Iterator[Binding]:
    dual, columns = -place.row_dual[place.each.rows["circles"]], place.each.columns
    rated = [(at, row) for at, row in enumerate(place.each.flow.frame.feeder.generators) if row.s_kva is not None]
    count = options.polygon_sides
    for at in np.flatnonzero(dual > _NOTHING).tolist():
        which, row = rated[at // count]
        value = float(np.hypot(place.x[columns["p"].start + which], place.x[columns["q"].start + which]))
        told = float(dual[at]) * float(np.cos(np.pi / count))
        what = f"apparent power, side {at % count + 1} of {count}"
        limit = float(row.s_kva or 0.0) / 1000.0
        yield Binding(place.hour, "generator", row.name, "", what, value, limit, "MVA", told, "$/h per MVA")


def _unbalance(place: _Place, options: DsoOptions) -> Iterator[Binding]:
    if options.unbalance_limit is None:
        return
    frame, rows = place.each.flow.frame, place.each.rows["unbalance"]
    names, nodes = three_phase_buses(frame)
    below = np.flatnonzero((nodes >= frame.roots).all(axis=1))
    limits = unbalance_limits(frame, options, place.hour)
    dual = -place.row_dual[rows]
    for at in np.flatnonzero(dual > _NOTHING).tolist():
        bus, side, member = at // 6, at % 6 // 3, at % 3
        sign, limit = (1.0, -1.0)[side], float(limits[bus])
        square = np.maximum(place.x[nodes[below[bus]]], 0.0)
        value = float(abs(np.sqrt(square[member]) / np.sqrt(square).mean() - 1.0))
        # The row's right side moves by 2 (1 + sign u) mean(v) per unit of the limit u.
        told = float(dual[at]) * 2.0 * (1.0 + sign * limit) * float(square.mean())
        what = f"{'above' if sign > 0.0 else 'below'} the mean of its bus"
        phase = frame.nodes[int(nodes[below[bus], member])][1]
        yield Binding(
            place.hour, "unbalance", names[below[bus]], phase, what, value, limit, "share", told, "$/h per unit"
        )


def _generators(place: _Place) -> Iterator[Binding]:
    for at, row in enumerate(place.each.flow.frame.feeder.generators):
        for name, word, unit in (("p", "active", "MW"), ("q", "reactive", "Mvar")):
            told = _bound(place, place.each.columns[name].start + at, f"{word} power", unit)
            if told is not None:
                yield Binding(place.hour, "generator", row.name, "", *told)


def _compensators(place: _Place, controls: Controls) -> Iterator[Binding]:
    frame = place.each.flow.frame
    for at, (which, node) in enumerate(
        zip(controls.compensator.tolist(), controls.compensator_node.tolist(), strict=True)
    ):
        told = _bound(place, place.each.columns["svg"].start + at, "reactive power given", "Mvar")
        if told is not None:
            yield Binding(place.hour, "svg", frame.feeder.compensators[which].name, frame.nodes[node][1], *told)


def _bound(place: _Place, column: int, what: str, unit: str) -> tuple[str, float, float, str, float, str] | None:
    """Return what a bound of a column that binds is told by; None where none binds, or the column has no choice."""
    program, dual = place.each.program, float(place.reduced[column])
    if program.lower[column] >= program.upper[column] or not abs(dual) > _NOTHING:
        return None
    limit = float((program.lower if dual > 0.0 else program.upper)[column])
    return (
        f"{'least' if dual > 0.0 else 'most'} {what}", float(place.x[column]), limit, unit, abs(dual),
        f"$/h per {unit}",
    )  # fmt: skip


def _batteries(case: FeederCase, answer: HoursAnswer) -> Iterator[Binding]:
    """Yield the limits of batteries that the operator runs."""
    hours, count = len(answer.hours), len(case.feeder.centres)
    width = 3 * hours * count
    if len(answer.solution.x) < width or not answer.storage.any():
        return
    reduced = answer.solution.reduced_cost[-width:].reshape(3, hours, count)
    upper = answer.program.upper[-width:].reshape(3, hours, count)
    lower = answer.program.lower[-width:].reshape(3, hours, count)
    words, units = ("charge", "discharge", "energy held"), ("MW", "MW", "MWh")
    for kind, at, centre in np.argwhere((np.abs(reduced) > _NOTHING) & (lower < upper)).tolist():
        dual = float(reduced[kind, at, centre])
        limit = (lower if dual > 0.0 else upper)[kind, at, centre]
        yield Binding(
            answer.hours[at], "battery", case.feeder.centres[centre].name, "",
            f"{'least' if dual > 0.0 else 'most'} {words[kind]}", float(answer.storage[kind, at, centre]),
            float(limit), units[kind], abs(dual), f"$/h per {units[kind]}",
        )  # fmt: skip


def battery_limits(case: FeederCase, power_mw: tuple[Matrix, Matrix], held_mwh: Matrix) -> tuple[Binding, ...]:
    """Return where batteries that the aggregator runs are at a limit.

    ``power_mw``: charge and discharge (T, C); ``held_mwh`` (T, C) at the end of each hour.
    """
    found = []
    for at, row in enumerate(case.feeder.centres):
        if row.battery is None:
            continue
        most, full = row.battery.power_kw / 1000.0, row.battery.energy_kwh / 1000.0
        told = (
            (power_mw[0], most, "most charge", "MW", False), (power_mw[1], most, "most discharge", "MW", False),
            (held_mwh, full, "most energy held", "MWh", False), (held_mwh, full, "least energy held", "MWh", True),
        )  # fmt: skip
        for values, limit, what, unit, empty in told:
            here = values[:, at] <= _AT * limit if empty else values[:, at] >= (1.0 - _AT) * limit
            found += [
                Binding(hour, "battery", row.name, "", what, float(values[hour, at]), 0.0 if empty else limit, unit,
                        None, "")
                for hour in np.flatnonzero(here).tolist()
            ]  # fmt: skip
    return tuple(sorted(found, key=lambda row: row.hour))
