"""The sheet of the selected site: written when the selection or the answer changes; outages told, AC flows computed."""

import time
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, Patch, State, ctx, no_update

from callbacks import siting_agreement, siting_report
from callbacks.capacity_aside import begin, standing
from callbacks.followed import follow_job
from callbacks.siting_desk import Desk
from callbacks.siting_report import edited_terms
from callbacks.siting_site import SiteSeat, ac_arguments_of, address_of, packed_drawn, site_seat
from components import ids, siting_ac, siting_ids
from components import siting_sheet as view
from components.siting_sheet_gate import marked_elements, outage_told
from components.skeleton import parse_element, state
from components.static import static
from engine.errors import EngineError, QuestionError
from engine.siting.ac_check import AcReport
from engine.siting.gate.certificates import certificate
from engine.siting.jobs import AC

PAGE = ids.SITING


@dataclass(frozen=True, slots=True)
class Told:
    """A panel, the job it waits for, and whether it shows."""

    children: Any
    job: str | None = None
    hidden: bool = False


def sheet(seat: SiteSeat, drawn: Any, selection: Any) -> tuple[Any, Any]:
    """Return the two parts of the sheet of the selected bus. Raises EngineError in words."""
    study = seat.read(drawn)
    if study is None:
        return view.nothing_yet(), None
    bus = study.bus(parse_element(selection))
    if bus is None:
        return None, None
    return view.sheet(study, bus)


def ways(seat: SiteSeat, drawn: Any, selection: Any, held: Any) -> Any:
    """Return where the sheet of the selected candidate leads; its printable form takes the terms that are held."""
    study = seat.read(drawn)
    bus = None if study is None else study.bus(parse_element(selection))
    if study is None or bus is None:
        return None
    if bus not in study.gate.buses:
        return view.ways(None, candidate=False)
    more = {"bus": study.network.buses.ids[bus]}
    if terms := edited_terms(held):
        more["terms"] = packed_drawn(terms)
    owner = seat.desk.services.studies.get(seat.user, seat.study).role == "owner"
    return view.ways(address_of(seat, view.REPORT_PATH, drawn, more, owner=owner))


def outage(seat: SiteSeat, drawn: Any, selection: Any, pressed: Any) -> tuple[Any, tuple[list[int], list[int]]]:
    """Return why an outage fails at the selected bus, and what the map marks: nothing for none."""
    study = seat.read(drawn)
    bus = None if study is None else study.bus(parse_element(selection))
    asked = _outage_of(pressed)
    if study is None or bus is None or asked is None:
        return None, ([], [])
    contingency, hour = asked
    run = study.run
    if not (0 <= contingency < len(run.contingencies) and 0 <= hour < len(run.prepared.case)):
        raise QuestionError("this outage is not drawn any more")
    own = next(one for one in run.gate.envelopes if one.name == study.envelope)
    load = float(run.gate.level_mw(own, study.size_mw)[hour])
    found = certificate(
        run.prepared.case, run.contingencies, bus, load, hour, contingency, rating=run.question.outage_rating
    )
    marks = marked_elements(study, contingency, found.limits)
    return outage_told(study, bus, (hour, contingency), load, found), marks


def _outage_of(pressed: Any) -> tuple[int, int] | None:
    """Return the contingency and the hour of a press, None for none."""
    if not isinstance(pressed, dict) or not isinstance(pressed.get("value"), str):
        return None
    contingency, colon, hour = pressed["value"].partition(":")
    return (int(contingency), int(hour)) if colon and contingency.isdigit() and hour.isdigit() else None


def ac_panel(seat: SiteSeat, drawn: Any, selection: Any, *, pressed: bool) -> Told:
    """Return the panel of the AC power flows: of the hour in which most outages fail, else of the largest load."""
    study = seat.read(drawn)
    bus = None if study is None else study.bus(parse_element(selection))
    if study is None or bus is None or bus not in study.gate.buses:
        return Told(None, hidden=True)
    arguments, words = ac_arguments_of(seat, study, bus)
    act = begin if pressed else standing
    found = act(seat.desk.services, seat.user, seat.study, AC, arguments)
    if found.content is not None:
        return Told(siting_ac.done(AcReport.from_json(found.content), study.inputs()))
    if found.job is None:
        return Told(siting_ac.to_compute(words))
    if found.job.active:
        return Told(siting_ac.running(found.job), found.job.id)
    return Told(siting_ac.failed(found.job.error or "", cancelled=found.job.state == "cancelled"))


def register(app: Dash, desk: Desk) -> None:
    """Wire the sheet and what hangs on it."""
    _register_sheet(app, desk)
    _register_ac(app, desk)
    siting_agreement.register(app, desk)
    siting_report.register(app, desk)


def _register_sheet(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(siting_ids.SITE, "children"),
        Output(f"{siting_ids.SITE}-rest", "children"),
        Input(ids.selection(PAGE), "data"),
        Input(siting_ids.ANSWERED, "data"),
        State(siting_ids.STUDY, "data"),
    )
    def write(selection: Any, drawn: Any, study: Any) -> Any:
        try:
            first, rest = sheet(site_seat(desk, study), drawn, selection)
            return static(first), static(rest)
        except EngineError as error:
            return state("failed", f"{error}."), None

    @app.callback(
        Output(f"{siting_ids.SITE}-ways", "children"),
        Input(ids.selection(PAGE), "data"),
        Input(siting_ids.ANSWERED, "data"),
        Input(siting_ids.TERMS_HELD, "data"),
        State(siting_ids.STUDY, "data"),
    )
    def lead(selection: Any, drawn: Any, held: Any, study: Any) -> Any:
        try:
            return static(ways(site_seat(desk, study), drawn, selection, held))
        except EngineError:  # told in the sheet itself
            return None

    @app.callback(
        Output(siting_ids.OUTAGE_TOLD, "children"),
        Output(ids.map_layers(PAGE), "data", allow_duplicate=True),
        Input(siting_ids.OUTAGE, "data"),
        Input(ids.selection(PAGE), "data"),
        Input(siting_ids.ANSWERED, "data"),
        State(siting_ids.STUDY, "data"),
        State(siting_ids.OUTAGE_TOLD, "children"),
        prevent_initial_call=True,
    )
    def tell(pressed: Any, selection: Any, drawn: Any, study: Any, shown: Any) -> Any:
        if ctx.triggered_id != siting_ids.OUTAGE:
            pressed = None
            if not shown:
                return no_update, no_update
        layers = Patch()
        try:
            told, (branches, buses) = outage(site_seat(desk, study), drawn, selection, pressed)
        except EngineError as error:
            told, (branches, buses) = state("failed", f"{error}."), ([], [])
        told = None if told is None else static(told)
        if ctx.triggered_id == siting_ids.ANSWERED:
            return told, no_update  # the map is drawn anew, without marks
        layers["bindingBranches"], layers["bindingBuses"] = branches, buses
        return told, layers


def _register_ac(app: Dash, desk: Desk) -> None:
    name = siting_ids.AC
    follow_job(app, name)

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-job", "data"),
        Output(f"{name}-section", "hidden"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(ids.selection(PAGE), "data"),
        Input(siting_ids.ANSWERED, "data"),
        Input(f"{siting_ids.AC_RUN}-pressed", "data"),
        Input(f"{name}-ended", "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def write(selection: Any, drawn: Any, press: Any, _ended: Any, study: Any) -> Any:
        pressed = bool(press) and ctx.triggered_id == f"{siting_ids.AC_RUN}-pressed"
        try:
            told = ac_panel(site_seat(desk, study), drawn, selection, pressed=pressed)
        except EngineError as error:
            told = Told(state("failed", f"{error}."))
        return static(told.children), told.job, told.hidden, time.time() if told.job else no_update
