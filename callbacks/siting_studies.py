"""The Studies tab: the pressed study, found in what is kept or asked for as a job of the same kinds as the page's."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import siting_desk, siting_largest_file, siting_year
from callbacks.capacity_aside import Standing, begin, standing
from callbacks.followed import follow_job
from callbacks.siting_desk import Desk, gate_came_with_it, market_came_with_it
from callbacks.siting_largest import LargestStands
from callbacks.siting_largest import look as look_at_sizes
from callbacks.siting_seen import looked_at
from callbacks.siting_site import SiteSeat, site_seat
from components import ids, siting_firm, siting_ids, siting_largest
from components import siting_studies as view
from components import siting_studies_time as times
from components.siting_clearing import headroom
from components.siting_site import SiteStudy
from components.siting_studies_time import START, Takes
from components.skeleton import state
from components.static import static
from engine.errors import EngineError, QuestionError
from engine.network.model import Network
from engine.siting.corridors import substations
from engine.siting.firmness import MOST_LEFT_OUT, firmness, open_sites, over_envelopes, tied_sites
from engine.siting.jobs import GATE, MARKET, gate_arguments, gate_key, market_key
from engine.siting.largest_job import LARGEST
from engine.siting.market_run import MarketQuestion, MarketRun
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
from engine.siting.year import AGAIN, MINUTES
from engine.store.jobs import Job

THRESHOLDS = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0)
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Told:
    """The panel, and the job it waits for."""

    children: Any
    job: str | None = None


@dataclass(frozen=True, slots=True)
class May:
    """What a look at a study may begin."""

    pressed: bool = False  # whatever it lacks first
    twice: bool = False  # also where that is long: its time was told, and it was pressed again
    after: str = ""  # the kind of the job that has just been done: a market goes on by itself from its gate

    def begin(self, kind: str, takes: Takes) -> bool:
        """Return whether a job of a kind is begun."""
        return (self.pressed or (kind == MARKET and self.after == GATE)) and (self.twice or not takes.long)


def panel(seat: SiteSeat, drawn: Any, name: Any, *, pressed: bool, after: str = "") -> Told:
    """Return what a study found, or where it stands; a press begins what it lacks. Raises EngineError in words.

    ``name`` may end with the word of a second press, which begins what is long. ``after`` is the kind of the study's
    job that has just been done, "" for none: a job that failed or was cancelled begins no other.
    """
    kind, _, more = name.partition(" ") if isinstance(name, str) else ("", "", "")
    if kind not in view.STUDIES:
        return Told(None)
    study = seat.read(drawn)
    if study is None:
        return Told(view.nothing_yet())
    if kind == "year":
        return Told(*siting_year.panel(seat, study, drawn, name, pressed=pressed))
    if kind == "largest":
        return _largest(seat, study, May(pressed, more == START, after), drawn)
    found: Mapping[str, Any] = {
        "naive": _naive, "threshold": _threshold, "depth": _depth, "dearer": _dearer, "double": _double,
        "headroom": _headroom, "again": _again, "firm": _firm,
    }  # fmt: skip
    told: Told = found[kind](seat, study, May(pressed, more == START, after))
    return told


def answer(seat: SiteSeat, drawn: Any, name: str, ended: Any, *, by: str) -> Told:
    """Return the panel of a study after a press, after the end of its job, or after what is drawn: ``by`` says which.

    ``ended`` is the Store of the last end. What cannot be asked is told in the panel.
    """
    over = ended_job(seat, ended) if by == f"{siting_ids.STUDY_PANEL}-ended" else None
    after = over.kind if over is not None and over.state == "done" else ""
    try:
        return panel(seat, drawn, name, pressed=by == siting_ids.STUDY_ASKED, after=after)
    except EngineError as error:
        return Told(state("failed", f"{error}."))


def ended_job(seat: SiteSeat, ended: Any) -> Job | None:
    """Return the user's job that the Store of an end names, None when there is none."""
    if not isinstance(ended, Mapping) or not isinstance(ended.get("id"), str):
        return None
    try:
        return seat.desk.services.jobs.get(seat.user, ended["id"])
    except EngineError:
        return None


def _naive(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    del seat, may
    if study.market is None:
        return Told(view.no_market("naive"))
    mean = study.market.base.mean_lmp
    chosen = naive_sites(mean, study.gate.buses).tolist()
    sheets = [gate_sheet(study.gate, bus, study.envelope, study.size_mw, study.threshold) for bus in chosen]
    return Told(view.naive(study, sheets, {bus: float(mean[bus]) for bus in chosen}))


def _threshold(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    del seat, may
    values = sorted({*THRESHOLDS, round(study.threshold, 6)})
    counts = threshold_sweep(study.gate, values)
    own = {envelope: found for (envelope, size), found in counts.items() if size == study.size_mw}
    return Told(view.threshold(study, values, own))


def _depth(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    question, network = _depth_question(study), _network(seat)
    market = study.market
    first, then = times.gate(network, question), Takes()
    if market is not None:
        then = times.unknown_market(network, study, question, _market_like(market, question))
    run, waiting = _gate(seat, question, "depth", may, times.both(first, then))
    if run is None:
        return waiting
    counts = depth_sweep(run.gate, study.size_mw)
    if not any(one.qualified for own in counts.values() for one in own.values()):
        return Told(view.depth(study, counts, {}))
    if market is None:
        return Told(view.depth(study, counts, {}, view.no_market_yet()))
    asked = _market_like(market, question)
    takes = times.known_market(network, study, run, asked)
    found, begun = _market(seat, question, asked, may, takes)
    if found is None and begun.job is not None and begun.job.active:
        return _waiting("depth", begun)
    if found is None:
        asks = may.pressed and takes.long
        return Told(view.depth(study, counts, {}, view.scores_wait(None if asks else begun.job, takes)))
    order = _order(study, found, run)
    return Told(view.depth(study, counts, {} if order is None else depth_scores(order), market=found))


def _dearer(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    if study.market is None:
        return Told(view.no_market("dearer"))
    takes = times.again_market(_network(seat), study.market)
    market, begun = _market(seat, study.run.question, _dear(study.market, study.run.question), may, takes)
    if market is None:
        return _waiting("dearer", begun, takes, asks=may.pressed)
    before, after = (_order(study, one, study.run) for one in (study.market, market))
    if before is None or after is None:
        raise QuestionError("no site can be ranked in both: nothing to compare")
    found = compared(before, after, study.envelope, study.size_mw, study.top)
    means = float(study.market.base.metrics[0, 0]), float(market.base.metrics[0, 0])
    return Told(view.dearer(study, found, means, market))


def _double(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    one, two = study.size_mw, round(2.0 * study.size_mw, _DIGITS)
    run: GateRun | None = study.run
    if two not in study.gate.sizes_mw:
        question = _double_question(study)
        run, waiting = _gate(seat, question, "double", may, times.gate(_network(seat), question))
        if run is None:
            return waiting
    assert run is not None  # noqa: S101 (the one drawn, or the one just found)
    counts = size_curve(run.gate, study.threshold, (one, two))
    return Told(view.double(study, (one, two), {name: (found[0], found[1]) for name, found in counts.items()}))


def _depth_question(study: SiteStudy) -> SitingQuestion:
    envelopes = depth_envelopes(models=study.run.question.envelopes)
    return replace(study.run.question, envelopes=envelopes, sizes_mw=(study.size_mw,))


def _double_question(study: SiteStudy) -> SitingQuestion:
    one, two = study.size_mw, round(2.0 * study.size_mw, _DIGITS)
    if two > MOST_MW:
        raise QuestionError(f"twice {one:g} MW is more than a study asks, {MOST_MW:,.0f} MW")
    return replace(study.run.question, sizes_mw=(one, two))


def _market_like(market: MarketRun, question: SitingQuestion) -> MarketQuestion:
    """Return the market that is drawn, of a question's sizes: a study of other sizes prices all of its own."""
    sizes = tuple(size for size in market.question.sizes_mw if size in question.sizes_mw)
    return replace(market.question, sizes_mw=sizes)


def _dear(market: MarketRun, question: SitingQuestion) -> MarketQuestion:
    return replace(_market_like(market, question), cost_factor=DEARER)


def _firm(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    del seat, may
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


def _headroom(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    takes = times.dispatches(_network(seat), len(study.run.prepared.case))
    found = _asked(seat, study, may, CORRIDORS, corridors_arguments, takes)
    if found.content is None:
        return _waiting("headroom", found, takes, asks=may.pressed)
    gate = study.gate
    keys = [study.network.buses.ids[bus] for bus in gate.buses.tolist()]
    largest = {
        own.name: dict(zip(keys, gate.largest_size(own.name, study.threshold)[0].tolist(), strict=True))
        for own in gate.envelopes
    }
    places = substations(study.network, largest)
    return Told(headroom(study, corridors_from(found.content), places, int(found.content["left_out"])))


def _again(seat: SiteSeat, study: SiteStudy, may: May) -> Told:
    takes = times.again_gate(_network(seat), study)
    found = _asked(seat, study, may, AGAIN, gate_arguments, takes)
    if found.content is None:
        return _waiting("again", found, takes, asks=may.pressed)
    return Told(view.again(study, found.content))


def _largest(seat: SiteSeat, study: SiteStudy, may: May, drawn: Any) -> Told:
    takes = siting_largest.takes(_network(seat), study.run.question)
    stands = _largest_stands(seat, study, submit=may.begin(LARGEST, takes))
    if stands.found is None:
        return _waiting("largest", Standing(job=stands.job), takes, asks=may.pressed)
    whole = siting_largest_file.address(seat.study, drawn, siting_largest.SITES)
    told = view.largest(siting_largest.shown(study, stands.found, whole))
    return Told(told, None if stands.job is None else stands.job.id)  # its end has the chart drawn


def _largest_stands(seat: SiteSeat, study: SiteStudy, *, submit: bool = False) -> LargestStands:
    question = replace(study.run.question, threshold=study.threshold)
    return look_at_sizes(seat.desk.services, seat.user, seat.study, question, submit=submit)


def _order(study: SiteStudy, market: MarketRun, run: GateRun) -> Ranked | None:
    """Return the ranking of a market by the weights that are drawn, None where there is nothing to rank."""
    try:
        return order_of(run.gate, market, study.by, study.own)
    except QuestionError:
        return None


def _network(seat: SiteSeat) -> Network:
    return seat.desk.services.network(seat.user, seat.study)


def _gate(seat: SiteSeat, question: SitingQuestion, name: str, may: May, takes: Takes) -> tuple[GateRun | None, Told]:
    who = seat.user, seat.study
    run = seat.desk.run_of(*who, question)
    if run is not None:
        return run, Told(None)
    begun = Standing(job=seat.desk.look(*who, question).job)
    if may.begin(GATE, takes) and not _active(begun):
        begun = seat.desk.start_gate(*who, question)
        run = seat.desk.run_of(*who, question)
    return run, _waiting(name, begun, takes, asks=may.pressed)


def _market(
    seat: SiteSeat, question: SitingQuestion, asked: MarketQuestion, may: May, takes: Takes
) -> tuple[MarketRun | None, Standing]:
    who = seat.user, seat.study
    found = seat.desk.market_of(*who, question, asked)
    if found is not None:
        return found, Standing()
    begun = Standing(job=seat.desk.look_market(*who, question, asked).job)
    if may.begin(MARKET, takes) and not _active(begun):
        begun = seat.desk.start_market(*who, question, asked)
        found = seat.desk.market_of(*who, question, asked)
    return found, begun


def _active(found: Standing) -> bool:
    return found.job is not None and found.job.active


def _asked(  # noqa: PLR0913, PLR0917 (whose, which, and whether it begins)
    seat: SiteSeat,
    study: SiteStudy,
    may: May,
    kind: str,
    arguments: Callable[[str, SitingQuestion], Any],
    takes: Takes,
) -> Standing:
    """Return where the job of a kind stands that asks about the question as it is; a press begins it."""
    plain = json.loads(json.dumps(arguments(_network(seat).digest, study.run.question)))
    act = begin if may.begin(kind, takes) else standing
    return act(seat.desk.services, seat.user, seat.study, kind, plain)


def _waiting(name: str, found: Standing, takes: Takes | None = None, *, asks: bool = False) -> Told:
    """Return where a study's job stands; ``asks``: pressed, and not begun as it is long, it is offered."""
    job = found.job
    if job is not None and job.active:
        return Told(view.waits(name, job), job.id)
    if job is None or (asks and takes is not None and takes.long):
        return Told(view.to_press(name, takes))
    return Told(view.failed(name, job.error or "", cancelled=job.state == "cancelled"))


def button_times(seat: SiteSeat, drawn: Any) -> dict[str, str]:
    """Return how long each study takes that is not there yet, by its name; "" for one that answers at once."""
    study = seat.read(drawn)
    if study is None:
        return {}
    found = {}
    for name, takes in {
        "depth": _depth_takes, "dearer": _dearer_takes, "double": _double_takes, "headroom": _headroom_takes,
        "again": _again_takes, "year": _year_takes, "largest": _largest_takes,
    }.items():  # fmt: skip
        try:
            found[name] = takes(seat, study).short()
        except EngineError:  # it cannot be asked: pressed, it says why
            found[name] = ""
    return found


def _depth_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    question, network, then = _depth_question(study), _network(seat), Takes()
    if study.market is not None:
        asked = _market_like(study.market, question)
        if not _market_kept(seat, question, asked):
            then = times.unknown_market(network, study, question, asked)
    return times.both(Takes() if _gate_kept(seat, question) else times.gate(network, question), then)


def _dearer_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    market, question = study.market, study.run.question
    if market is None or _market_kept(seat, question, _dear(market, question)):
        return Takes()
    return times.again_market(_network(seat), market)


def _double_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    question = _double_question(study)
    there = question.sizes_mw[1] in study.gate.sizes_mw or _gate_kept(seat, question)
    return Takes() if there else times.gate(_network(seat), question)


def _headroom_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    there = _asked(seat, study, May(), CORRIDORS, corridors_arguments, Takes()).content is not None
    return Takes() if there else times.dispatches(_network(seat), len(study.run.prepared.case))


def _again_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    there = _asked(seat, study, May(), AGAIN, gate_arguments, Takes()).content is not None
    return Takes() if there else times.again_gate(_network(seat), study)


def _largest_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    there = _largest_stands(seat, study).found is not None
    return Takes() if there else siting_largest.takes(_network(seat), study.run.question)


def _year_takes(seat: SiteSeat, study: SiteStudy) -> Takes:
    del seat
    return Takes() if study.run.question.source == "filed" else Takes(60.0 * MINUTES[0], at_most=True)


def _gate_kept(seat: SiteSeat, question: SitingQuestion) -> bool:
    """Return whether a gate is there; unlike the desk this opens no file of verdicts."""
    network = _network(seat)
    arguments = siting_desk.gate_arguments(network, question)
    return gate_came_with_it(network, question) or _kept(seat, GATE, arguments, gate_key(arguments))


def _market_kept(seat: SiteSeat, question: SitingQuestion, market: MarketQuestion) -> bool:
    network = _network(seat)
    arguments = siting_desk.market_arguments(network, question, market)
    there = market_came_with_it(network, question, market)
    return there or _kept(seat, MARKET, arguments, market_key(arguments))


def _kept(seat: SiteSeat, kind: str, arguments: Mapping[str, Any], key: str) -> bool:
    found = standing(seat.desk.services, seat.user, seat.study, kind, arguments)
    return found.content is not None and seat.desk.services.artifacts.open(key) is not None


def register(app: Dash, desk: Desk) -> None:
    """Wire the studies."""
    siting_year.register(app, desk)
    siting_largest_file.register(app, desk)
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
    def write(asked: Any, seen: Any, ended: Any, of: Any) -> Any:
        drawn, _ = looked_at(seen)
        which = asked.get("value") if isinstance(asked, Mapping) else None
        if not isinstance(which, str):
            return (no_update,) * 3
        # A press beside the chart also opens the tab, which is then told what is drawn: both may come at once.
        press = siting_ids.STUDY_ASKED in ctx.triggered_prop_ids.values()
        first = siting_ids.STUDY_ASKED if press else str(ctx.triggered_id)
        told = answer(site_seat(desk, of), drawn, which, ended, by=first)
        return static(told.children), told.job, time.time() if told.job else no_update

    @app.callback(
        [Output(siting_ids.study_time(key), "children") for key in view.STUDIES],
        Input(siting_ids.seen("studies"), "data"),
        Input(f"{name}-ended", "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def tell(seen: Any, _ended: Any, of: Any) -> Any:
        drawn, _ = looked_at(seen)
        try:
            known = button_times(site_seat(desk, of), drawn)
        except EngineError:  # the panel says why
            known = {}
        return [known.get(key, "") for key in view.STUDIES]
