"""The Studies tab: the pressed study, found in what is kept or asked for as a job of the same kinds as the page's."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import siting_year
from callbacks.capacity_aside import Standing, begin, standing
from callbacks.followed import follow_job
from callbacks.siting_desk import Desk
from callbacks.siting_seen import looked_at
from callbacks.siting_site import SiteSeat, site_seat
from components import ids, siting_firm, siting_ids
from components import siting_studies as view
from components.siting_clearing import headroom
from components.siting_site import SiteStudy
from components.skeleton import state
from components.static import static
from engine.errors import EngineError, QuestionError
from engine.siting.corridors import substations
from engine.siting.firmness import MOST_LEFT_OUT, firmness, open_sites, over_envelopes, tied_sites
from engine.siting.jobs import gate_arguments
from engine.siting.market_run import MarketRun
from engine.siting.order import order_of
from engine.siting.question import MOST_MW, SitingQuestion
from engine.siting.run import GateRun
from engine.siting.sheet import gate_sheet
from engine.siting.shortlist import Ranked, label_name
from engine.siting.studies import (
    DEARER,
    compared,
    depth_envelopes,
    depth_scores,
    depth_sweep,
    naive_sites,
    size_curve,
    threshold_sweep,
)
from engine.siting.study_jobs import CORRIDORS, corridors_arguments, corridors_from
from engine.siting.year import AGAIN
from engine.store.jobs import Job

THRESHOLDS = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0)
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Told:
    """The panel, and the job it waits for."""

    children: Any
    job: str | None = None


def panel(seat: SiteSeat, drawn: Any, name: Any, *, pressed: bool) -> Told:
    """Return what a study found, or where it stands; a press begins what it lacks. Raises EngineError in words."""
    kind = name.partition(" ")[0] if isinstance(name, str) else ""
    if kind not in view.STUDIES:
        return Told(None)
    study = seat.read(drawn)
    if study is None:
        return Told(view.nothing_yet())
    if kind == "year":
        return Told(*siting_year.panel(seat, study, drawn, name, pressed=pressed))
    found: Mapping[str, Any] = {
        "naive": _naive, "threshold": _threshold, "depth": _depth, "dearer": _dearer, "double": _double,
        "headroom": _headroom, "again": _again, "firm": _firm,
    }  # fmt: skip
    told: Told = found[kind](seat, study, pressed)
    return told


def _naive(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    del seat, pressed
    if study.market is None:
        return Told(view.no_market("naive"))
    mean = study.market.base.mean_lmp
    chosen = naive_sites(mean, study.gate.buses).tolist()
    sheets = [gate_sheet(study.gate, bus, study.envelope, study.size_mw, study.threshold) for bus in chosen]
    return Told(view.naive(study, sheets, {bus: float(mean[bus]) for bus in chosen}))


def _threshold(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    del seat, pressed
    values = sorted({*THRESHOLDS, round(study.threshold, 6)})
    counts = threshold_sweep(study.gate, values)
    own = {envelope: found for (envelope, size), found in counts.items() if size == study.size_mw}
    return Told(view.threshold(study, values, own))


def _depth(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    envelopes = depth_envelopes(models=study.run.question.envelopes)
    question = replace(study.run.question, envelopes=envelopes, sizes_mw=(study.size_mw,))
    run, waiting = _gate(seat, question, "depth", pressed=pressed)
    if run is None:
        return waiting
    counts = depth_sweep(run.gate, study.size_mw)
    scores: dict[str, dict[float, float]] = {}
    if study.market is not None and any(one.qualified for own in counts.values() for one in own.values()):
        market, waiting = _market(seat, question, study.market, "depth", pressed=pressed)
        if market is None and waiting.job is not None:
            return waiting
        order = None if market is None else _order(study, market, run)
        if order is not None:
            scores = depth_scores(order)
    return Told(view.depth(study, counts, scores))


def _dearer(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    if study.market is None:
        return Told(view.no_market("dearer"))
    dear = replace(study.market, question=replace(study.market.question, cost_factor=DEARER))
    market, waiting = _market(seat, study.run.question, dear, "dearer", pressed=pressed)
    if market is None:
        return waiting
    before, after = (_order(study, one, study.run) for one in (study.market, market))
    if before is None or after is None:
        raise QuestionError("no site can be ranked in both: nothing to compare")
    found = compared(before, after, study.envelope, study.size_mw, study.top)
    means = float(study.market.base.metrics[0, 0]), float(market.base.metrics[0, 0])
    return Told(view.dearer(study, found, means))


def _double(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    one, two = study.size_mw, round(2.0 * study.size_mw, _DIGITS)
    if two > MOST_MW:
        raise QuestionError(f"twice {one:g} MW is more than a study asks, {MOST_MW:,.0f} MW")
    run: GateRun | None = study.run
    if two not in study.gate.sizes_mw:
        question = replace(study.run.question, sizes_mw=(one, two))
        run, waiting = _gate(seat, question, "double", pressed=pressed)
        if run is None:
            return waiting
    assert run is not None  # noqa: S101 (the one drawn, or the one just found)
    counts = size_curve(run.gate, study.threshold, (one, two))
    return Told(view.double(study, (one, two), {name: (found[0], found[1]) for name, found in counts.items()}))


def _firm(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    del seat, pressed
    order, label = study.ranked, label_name(study.envelope, study.size_mw)
    if order is None or study.market is None:
        return Told(view.no_market("firm"))
    if len(order.sites) > MOST_LEFT_OUT:
        raise QuestionError(
            f"{len(order.sites):,} alternatives are ranked: firmness is told of {MOST_LEFT_OUT:,} at most"
        )
    found = firmness(order, study.top)
    if label not in found:
        raise QuestionError("no site of this envelope and size is ranked")
    every = over_envelopes(order, [one.name for one in study.gate.envelopes])[study.size_mw]
    noise = None if study.market.floor is None else open_sites(order, study.market.floor, study.top)
    border = siting_firm.Border(tied_sites(order, study.top), noise)
    return Told(view.firm(siting_firm.firm(study, order, found[label], every, border)))


def _headroom(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    found = _asked(seat, study, pressed, CORRIDORS, corridors_arguments)
    if found.content is None:
        return _waiting("headroom", found)
    gate = study.gate
    keys = [study.network.buses.ids[bus] for bus in gate.buses.tolist()]
    largest = {
        own.name: dict(zip(keys, gate.largest_size(own.name, study.threshold)[0].tolist(), strict=True))
        for own in gate.envelopes
    }
    places = substations(study.network, largest)
    return Told(headroom(study, corridors_from(found.content), places, int(found.content["left_out"])))


def _again(seat: SiteSeat, study: SiteStudy, pressed: bool) -> Told:
    found = _asked(seat, study, pressed, AGAIN, gate_arguments)
    if found.content is None:
        return _waiting("again", found)
    return Told(view.again(study, found.content))


def _order(study: SiteStudy, market: MarketRun, run: GateRun) -> Ranked | None:
    """Return the ranking of a market by the weights that are drawn, None where there is nothing to rank."""
    try:
        return order_of(run.gate, market, study.by, study.own)
    except QuestionError:
        return None


def _gate(seat: SiteSeat, question: SitingQuestion, name: str, *, pressed: bool) -> tuple[GateRun | None, Told]:
    run = seat.desk.run_of(seat.user, seat.study, question)
    if run is None and pressed:
        found = seat.desk.start_gate(seat.user, seat.study, question)
        run = seat.desk.run_of(seat.user, seat.study, question)
        return run, _waiting(name, found)
    if run is None:
        return None, _waiting(name, _standing_of(seat.desk.look(seat.user, seat.study, question).job))
    return run, Told(None)


def _market(
    seat: SiteSeat, question: SitingQuestion, like: MarketRun, name: str, *, pressed: bool
) -> tuple[MarketRun | None, Told]:
    sizes = tuple(size for size in like.question.sizes_mw if size in question.sizes_mw)
    asked = replace(like.question, sizes_mw=sizes)  # a study of other sizes prices all of its own
    found = seat.desk.market_of(seat.user, seat.study, question, asked)
    if found is None and pressed:
        begun = seat.desk.start_market(seat.user, seat.study, question, asked)
        found = seat.desk.market_of(seat.user, seat.study, question, asked)
        return found, _waiting(name, begun)
    if found is None:
        stands = seat.desk.look_market(seat.user, seat.study, question, asked)
        return None, _waiting(name, _standing_of(stands.job))
    return found, Told(None)


def _standing_of(job: Job | None) -> Standing:
    return Standing(job=job)


def _asked(
    seat: SiteSeat, study: SiteStudy, pressed: bool, kind: str, arguments: Callable[[str, SitingQuestion], Any]
) -> Standing:
    """Return where the job of a kind stands that asks about the question as it is; a press begins it."""
    network = seat.desk.services.network(seat.user, seat.study).digest
    plain = json.loads(json.dumps(arguments(network, study.run.question)))
    act = begin if pressed else standing
    return act(seat.desk.services, seat.user, seat.study, kind, plain)


def _waiting(name: str, found: Standing) -> Told:
    job = found.job
    if job is None:
        return Told(view.to_press(name))
    if job.active:
        return Told(view.waits(name, job), job.id)
    return Told(view.failed(name, job.error or "", cancelled=job.state == "cancelled"))


def register(app: Dash, desk: Desk) -> None:
    """Wire the studies."""
    siting_year.register(app, desk)
    name = siting_ids.STUDY_PANEL
    follow_job(app, name)

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(siting_ids.STUDY_ASKED, "data"),
        Input(siting_ids.seen("studies"), "data"),
        Input(f"{name}-ended", "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def write(asked: Any, seen: Any, _ended: Any, of: Any) -> Any:
        drawn, _ = looked_at(seen)
        which = asked.get("value") if isinstance(asked, Mapping) else None
        if not isinstance(which, str):
            return (no_update,) * 3
        # What was pressed goes on by itself from its gate to its market.
        pressed = ctx.triggered_id in {siting_ids.STUDY_ASKED, f"{name}-ended"}
        try:
            told = panel(site_seat(desk, of), drawn, which, pressed=pressed)
        except EngineError as error:
            told = Told(state("failed", f"{error}."))
        return static(told.children), told.job, time.time() if told.job else no_update
