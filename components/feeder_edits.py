"""Edits of a feeder: the list in the question bar, each of which can be taken back, and the forms that make one."""

from collections.abc import Sequence
from dataclasses import replace

from dash import html

from components import day_edits, feeder_ids
from components.day_edits import labelled, line, number, select
from components.feeder_asked import Change
from components.format import count
from components.skeleton import Part, button
from engine.distribution.feeder import DataCentre, Feeder, FeederBus
from engine.distribution.question import Edit
from engine.distribution.question_battery import CentreBattery
from engine.errors import QuestionError

BATTERY = CentreBattery()  # the usual one
USUAL_KW = 300.0  # of a new data centre at full work
USUAL_KVAR = 60.0  # of a new static var generator, on each phase


def words_of(edit: Change) -> str:
    """Return an edit as a sentence without its stop."""
    if isinstance(edit, CentreBattery):
        where = edit.centre or "each data centre"
        return f"{where} has a battery of {edit.power_mw:g} MW and {edit.energy_mwh:g} MWh"
    return {
        "move centre": f"{edit.name} moved to bus {edit.bus}",
        "power factor": f"power factor of {edit.name} is {edit.value:g}",
        "add compensator": f"{edit.name or f'SVG {edit.bus}'} at bus {edit.bus}: {edit.value:g} kvar on each "
        f"phase or pair of {', '.join(edit.phases)}",
        "remove compensator": f"{edit.name} removed",
        "add centre": f"{edit.name or f'centre {edit.bus}'} at bus {edit.bus}: {edit.value:g} kW at full work",
        "scale load": f"all loads times {edit.value:g}",
    }[edit.kind]


def sentence_words(centres: int | None, edits: Sequence[Change]) -> str:
    """Return the word of the sentence that opens the list; None while the number of centres is not known."""
    words = "the data centres" if centres is None else count(centres, "data centre")
    return words if not edits else f"{words}, {count(len(edits), 'edit')},"


def listed(edits: Sequence[Change]) -> Part:
    """Return the edits in their order; each can be taken back."""
    none = "Nothing is edited. Select a bus or a data centre to change it."
    return day_edits.listed(feeder_ids, [words_of(edit) for edit in edits], none)


def panel(edits: Sequence[Change]) -> html.Div:
    """Return the panel of the sentence's word: the list, the loads, and a way to take all back."""
    scale = line(
        labelled("All loads times", _number("scale-value", 1.1, least=0.0, most=10.0)),
        button("Scale loads", feeder_ids.edit("scale")),
    )
    return day_edits.panel(feeder_ids, "Edits of the feeder", listed(edits), scale)


def form() -> html.Div:
    """Return the forms below the sheet: what can be done with the bus or the data centre that is selected."""
    return day_edits.forms(
        feeder_ids,
        html.Div(
            [
                html.H3("Change this data centre", className="hr-section-title"),
                line(
                    labelled("Bus", _select("move-bus")),
                    button("Move this data centre", feeder_ids.edit("move")),
                ),
                line(
                    labelled("Power factor", _number("factor-value", 0.95, least=0.5, most=1.0)),
                    button("Change its power factor", feeder_ids.edit("factor")),
                ),
                line(
                    labelled("Battery", _number("battery-power", BATTERY.power_mw, least=1e-4, most=1e3), "MW"),
                    labelled(
                        "Energy of its battery",
                        _number("battery-energy", BATTERY.energy_mwh, least=1e-4, most=1e4),
                        "MWh",
                        hidden=True,
                    ),
                    button("Give it a battery", feeder_ids.edit("battery")),
                ),
            ],
            id=f"{feeder_ids.EDITS}-centre",
            hidden=True,
        ),
        html.Div(
            [
                html.H3("Change this bus", className="hr-section-title"),
                line(
                    labelled("On each phase or pair", _number("add-value", USUAL_KVAR, least=0.001, most=1e6), "kvar"),
                    button("Add an SVG here", feeder_ids.edit("add")),
                ),
                html.Div(
                    line(labelled("SVG", _select("remove-name")), button("Remove it", feeder_ids.edit("remove"))),
                    id=f"{feeder_ids.EDITS}-compensators",
                    hidden=True,
                ),
                line(
                    labelled("At full work", _number("centre-value", USUAL_KW, least=1.0, most=1e6), "kW"),
                    button("Add a data centre here", feeder_ids.edit("centre")),
                ),
                line(
                    labelled("Data centre", _select("here-name")),
                    button("Move it here", feeder_ids.edit("here")),
                ),
            ],
            id=f"{feeder_ids.EDITS}-bus",
            hidden=True,
        ),
    )


# What a form makes


def moved(feeder: Feeder, name: str, bus: str) -> Edit:
    """Return the edit that moves a data centre. Raises QuestionError where it stands there, or its phases do not."""
    centre, place = _centre(feeder, name), bus_of(feeder, bus)
    if centre.bus == bus:
        raise QuestionError(f"{name} stands at bus {bus} already")
    _has_phases(place, centre.phases, name)
    return Edit("move centre", name, bus)


def refactored(feeder: Feeder, name: str, value: float) -> Edit:
    """Return the edit that changes a power factor. Raises QuestionError out of its range, or where it is the same."""
    centre = _centre(feeder, name)
    if not 0.5 <= value <= 1.0:
        raise QuestionError(f"the power factor is {value:g}: 0.5 to 1")
    if centre.power_factor == value:
        raise QuestionError(f"the power factor of {name} is {value:g} already")
    return Edit("power factor", name, value=value)


def added(feeder: Feeder, bus: str, kvar: float) -> Edit:
    """Return the edit that adds a static var generator on the phases of a bus, under a name that is free."""
    if not 1e-3 <= kvar <= 1e6:
        raise QuestionError(f"the SVG gives {kvar:g} kvar: 0.001 to 1,000,000")
    phases = bus_of(feeder, bus).phases
    if feeder.wires == "three" and len(phases) < 2:
        raise QuestionError(f"bus {bus} has one phase; on three wires an SVG stands between two")
    taken = {row.name for row in feeder.compensators}
    name = next(one for one in (f"SVG {bus}", *(f"SVG {bus} ({at})" for at in range(2, 1000))) if one not in taken)
    return Edit("add compensator", name, bus, kvar, phases)


def centred(feeder: Feeder, bus: str, kw: float) -> Edit:
    """Return the edit that adds a data centre on the phases of a bus, under a name that is free.

    Raises QuestionError out of its range, and on three wires for a bus of one phase.
    """
    if not 1.0 <= kw <= 1e6:
        raise QuestionError(f"the data centre draws {kw:g} kW at full work: 1 to 1,000,000")
    phases = bus_of(feeder, bus).phases
    if feeder.wires == "three" and len(phases) < 2:
        raise QuestionError(f"bus {bus} has one phase; on three wires a data centre stands between two")
    taken = {row.name for row in feeder.centres}
    name = next(
        one for one in (f"centre {bus}", *(f"centre {bus} ({at})" for at in range(2, 1000))) if one not in taken
    )
    return Edit("add centre", name, bus, kw, phases)


def removed(feeder: Feeder, name: str) -> Edit:
    """Return the edit that removes a static var generator. Raises QuestionError where there is none of that name."""
    if name not in {row.name for row in feeder.compensators}:
        raise QuestionError(f"there is no static var generator {name!r:.60}")
    return Edit("remove compensator", name)


def powered(feeder: Feeder, name: str, power_mw: float, energy_mwh: float) -> CentreBattery:
    """Return a battery beside a data centre. Raises QuestionError out of its range, or where that one stands there."""
    centre = _centre(feeder, name)
    made = replace(BATTERY, centre=name, power_mw=power_mw, energy_mwh=energy_mwh)
    if problems := made.problems():
        raise QuestionError("; ".join(problems))
    if centre.battery == made.row():
        raise QuestionError(f"{name} has this battery already")
    return made


def scaled(value: float) -> Edit:
    """Return the edit that scales all loads. Raises QuestionError out of its range, or where nothing changes."""
    if not 0.0 <= value <= 10.0 or value == 1.0:
        raise QuestionError(f"the factor of the loads is {value:g}: 0 to 10, and not 1")
    return Edit("scale load", value=value)


def joined(edits: Sequence[Change], new: Change) -> tuple[Change, ...]:
    """Return the edits with a new one: it takes the place of one that it makes void."""
    if isinstance(new, CentreBattery):
        return (*(one for one in edits if not (isinstance(one, CentreBattery) and one.centre == new.centre)), new)
    if new.kind in {"move centre", "power factor"}:
        edits = [one for one in edits if _what(one) != (new.kind, new.name)]
    if new.kind == "remove compensator":
        kept = [one for one in edits if _what(one) != ("add compensator", new.name)]
        if len(kept) < len(edits):  # it was added by an edit: without that there is nothing to remove
            return tuple(kept)
    return (*edits, new)


def _what(edit: Change) -> tuple[str, str]:
    return ("battery", edit.centre) if isinstance(edit, CentreBattery) else (edit.kind, edit.name)


def bus_of(feeder: Feeder, name: str) -> FeederBus:
    """Return a bus. Raises QuestionError naming one that is not there."""
    for bus in feeder.buses:
        if bus.name == name:
            return bus
    raise QuestionError(f"there is no bus {name!r:.60}")


def _centre(feeder: Feeder, name: str) -> DataCentre:
    for row in feeder.centres:
        if row.name == name:
            return row
    raise QuestionError(f"there is no data centre {name!r:.60}")


def _has_phases(bus: FeederBus, phases: str, name: str) -> None:
    missing = [phase for phase in phases if phase not in bus.phases]
    if missing:
        raise QuestionError(
            f"{name} needs the phases {', '.join(phases)}; bus {bus.name} has {', '.join(bus.phases) or 'none'}"
        )


def _number(name: str, value: float, *, least: float, most: float) -> Part:
    return number(feeder_ids.edit(name), value, least=least, most=most)


def _select(name: str) -> Part:
    return select(feeder_ids.edit(name))
