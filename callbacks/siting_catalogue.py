"""The Catalogue tab: entries, files, versions; a refresh places a load, commits it and runs gate and market again."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update
from flask import current_app

from callbacks import siting_clearing, siting_studies
from callbacks.capacity_aside import Standing, begin, standing
from callbacks.followed import follow_job
from callbacks.services import Kept
from callbacks.siting_desk import Desk
from callbacks.siting_seen import looked_at
from callbacks.siting_site import SiteSeat, site_seat
from components import ids, siting_cards, siting_ids, siting_versions
from components import siting_catalogue as view
from components import siting_studies_time as times
from components.format import megawatts, sentence
from components.siting_site import SiteStudy
from components.skeleton import parse_element, progress_card, state
from components.static import static
from components.tables import register_grid
from engine.errors import EngineError, PermissionDeniedError, QuestionError
from engine.siting.catalogue import Catalogue
from engine.siting.changes import changes
from engine.siting.corridors import Corridor, headroom_changes
from engine.siting.gate.results import PASSED
from engine.siting.market_run import MarketQuestion
from engine.siting.order import OrderBy, order_of
from engine.siting.question import Committed, SitingQuestion
from engine.siting.run import GateRun, catalogue_of
from engine.siting.study_jobs import CORRIDORS, corridors_arguments, corridors_from, corridors_json
from engine.siting.versions import packed, unpacked, version_key
from engine.store.answers import Answer as StoredAnswer
from engine.store.jobs import Job

PAGE = ids.SITING
KIND = "siting.catalogue"
_KEPT = 3  # compiled: on Texas some 20 MB each
_MOST_HOURS = 100  # dispatched for the corridors of a version; more are a study of their own
_MOST_VERSIONS = 50  # told on the page


@dataclass(frozen=True, slots=True)
class Told:
    """The timeline, the job it waits for, and the refresh that is under way."""

    children: Any
    job: str | None = None
    held: Any = None


class Catalogues:
    """Catalogues compiled from what is drawn. One per process, safe to share between threads."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._kept: Kept[Catalogue] = Kept(_KEPT)

    def of(self, study: SiteStudy) -> Catalogue:
        """Return the catalogue of what is drawn."""
        question = json.dumps(study.run.question.to_json(), sort_keys=True)
        market = "" if study.market is None else json.dumps(study.market.question.to_json(), sort_keys=True)
        scores = () if study.ranked is None else tuple(study.ranked.score.tolist())
        key = (study.gate.case_digest, study.gate.contingencies_digest, question, market, study.by, study.top, scores)
        return self._kept.get(key, lambda: compiled_of(study))


def compiled_of(study: SiteStudy) -> Catalogue:
    """Return the catalogue of what is drawn."""
    return catalogue_of(study.run, study.market, study.ranked, own=study.own, top=study.top)


def dated(seat: SiteSeat, catalogue: Catalogue, now: str) -> Catalogue:
    """Return what is drawn as a file has it: with its number and date where it is kept as a version, else 0 and now."""
    key = version_key(catalogue)
    kept = next((content for content in versions(seat) if content.get("key") == key), None)
    if kept is None:
        return replace(catalogue, made=now)
    return replace(catalogue, version=int(kept["version"]), made=str(kept["made"]))


def file_of(study: SiteStudy, catalogue: Catalogue, name: str, secret: bytes) -> tuple[str, str, str]:
    """Return name, type and content of a file of the catalogue. Raises QuestionError for a name that is none."""
    if name not in view.FILES:
        raise QuestionError("there is no such file")
    file, kind, _ = view.FILES[name]
    if name == "csv":
        content = catalogue.to_csv()
    elif name == "geojson":
        content = catalogue.to_geojson(study.network)
    elif name == "manifest":
        content = json.dumps(dict(catalogue.manifest), indent=1, allow_nan=False)
    else:
        shown = catalogue.redacted(secret) if name == "redacted" else catalogue
        content = json.dumps(shown.to_json(), allow_nan=False)
    return file, kind, content


def archive_secret(study: str) -> bytes:
    """Return the secret of a study's redacted archives: the same for all its versions, so that they can be compared."""
    return f"{current_app.secret_key!r}\nsiting archive\n{study}".encode()


# Versions


def versions(seat: SiteSeat) -> list[Mapping[str, Any]]:
    """Return the kept versions of a study, the newest first."""
    found = [result.content for result in seat.desk.services.results.list(seat.user, seat.study, KIND)]
    return sorted(found, key=lambda content: -int(content["version"]))


def keep(seat: SiteSeat, catalogue: Catalogue, placed: str, now: str) -> None:
    """Keep a catalogue as the study's next version; the same question, ordered the same way, is kept once."""
    key = version_key(catalogue)
    if seat.desk.services.results.get(seat.user, seat.study, KIND, key) is not None:
        return
    number = 1 + max((int(content["version"]) for content in versions(seat)), default=0)
    content = packed(replace(catalogue, version=number, made=now), placed)
    seat.desk.services.results.put(seat.user, seat.study, StoredAnswer(KIND, key, content, {"date": now}))


def next_load(study: SiteStudy, selection: Any) -> Committed | None:
    """Return the load that a refresh would place: at the selected bus if it passes, else at the best one that does."""
    verdict = study.gate.qualified(study.envelope, study.size_mw, study.threshold)
    passing = study.gate.buses[verdict == PASSED].tolist()
    if not passing:
        return None
    bus = study.bus(parse_element(selection))
    if bus is None or bus not in passing:
        rate = study.gate.pass_rate(study.envelope, study.size_mw)[0][verdict == PASSED]
        bus = passing[int(rate.argmax())]
        if study.ranked is not None:
            placed = [
                (int(study.ranked.place[row]), site.placement.bus)
                for row, site in enumerate(study.ranked.sites)
                if site.placement is not None
                and site.placement.bus in passing
                and site.placement.envelope.name == study.envelope
                and site.placement.nameplate_mw == study.size_mw
            ]
            bus = min(placed)[1] if placed else bus
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    return Committed(
        study.network.buses.ids[bus], own, study.size_mw, "placed by a refresh", onsite=study.gate.onsite_mw is not None
    )


def refresh(  # noqa: PLR0913 (what the page holds, then by name how)
    seat: SiteSeat, drawn: Any, selection: Any, held: Any, *, pressed: bool, now: str, ended: Job | None = None
) -> Told:
    """Return the timeline, after one step of a refresh where one is under way. Raises EngineError in words.

    ``ended`` is the job of a step that has just ended: the next step follows one that is done, and no other.
    """
    study = seat.read(drawn)
    if study is None:
        return Told(view.nothing_yet())
    owner = seat.desk.services.studies.get(seat.user, seat.study).role == "owner"
    load = next_load(study, selection)
    if pressed:
        if not owner:
            raise PermissionDeniedError("versions are kept by the study's owner")
        if load is None:
            raise QuestionError("no candidate passes under this envelope and size: there is nothing to place")
        keep(seat, compiled_of(study), "", now)
        _corridors(seat, study.run.question, len(study.run.prepared.case), ask=True)  # beside the gate
        held = {
            "study": seat.study,
            "question": study.run.question.with_committed(load).to_json(),
            "market": None if study.market is None else study.market.question.to_json(),
            "placed": words_of(study, load),
            "by": study.by.to_json(),
            "top": study.top,
        }
    ask = _ask(seat, study, load)
    job = None
    if isinstance(held, Mapping) and held.get("study") == seat.study and owner:
        stopped = ended is not None and ended.state in {"failed", "cancelled"}
        card, job, held = _waits(ended, "", held) if stopped else _step(seat, held, now)
        ask = html.Div([ask, card]) if held is None else card
    listed = versions(seat)[:_MOST_VERSIONS]
    told = siting_versions.timeline(listed, _changes(seat, study, listed), ask, size_mw=study.size_mw, owner=owner)
    return Told(told, job, held)


def words_of(study: SiteStudy, load: Committed) -> str:
    """Return a placed load in words."""
    bus = study.network.buses.ids.index(load.bus)
    return f"{megawatts(load.nameplate_mw)} {load.envelope.name} at {study.words(bus)} committed"


def _ask(seat: SiteSeat, study: SiteStudy, load: Committed | None) -> Any:
    if load is None:
        return state("empty", "No candidate passes under this envelope and size: there is nothing to place.")
    network = seat.desk.services.network(seat.user, seat.study)
    takes = times.again_gate(network, study)
    if study.market is not None:
        takes = times.both(takes, times.again_market(network, study.market))
    return siting_versions.ask_refresh(
        f"{words_of(study, load)}; select another bus that passes to place it there",
        takes,
        priced=study.market is not None,
    )


def _step(seat: SiteSeat, held: Mapping[str, Any], now: str) -> tuple[Any, str | None, Any]:
    """Return what is told of a refresh, the job it waits for, and what is held of it; None when it has ended."""
    question = SitingQuestion.from_json(held["question"])
    desk, who = seat.desk, (seat.user, seat.study)
    run = desk.run_of(*who, question)
    if run is None:
        return _waits(desk.start_gate(*who, question).job, "Gate with the load committed", held)
    market = None
    if held["market"] is not None and passes(run):
        asked = MarketQuestion.from_json(held["market"])
        market = desk.market_of(*who, question, asked)
        if market is None:
            return _waits(desk.start_market(*who, question, asked).job, "Market with the load committed", held)
    own = desk.own_of(*who, question)
    try:
        order = None if market is None else order_of(run.gate, market, OrderBy.from_json(held["by"]), own)
    except QuestionError:  # nothing tells the sites apart, or none is served: the catalogue says so
        order = None
    found = _corridors(seat, question, len(run.prepared.case), ask=True)
    if found.job is not None and found.job.active:
        return _waits(found.job, "Corridors with the load committed", held)
    keep(seat, catalogue_of(run, market, order, own=own, top=int(held["top"])), str(held["placed"]), now)
    return state("done", f"{held['placed']}: kept as a version.", title="Refreshed"), None, None


def _corridors(seat: SiteSeat, question: SitingQuestion, hours: int, *, ask: bool, network: str = "") -> Standing:
    """Return the corridors of a question, or where their job stands; none for more hours than are dispatched aside."""
    if hours > _MOST_HOURS:
        return Standing()
    services, user, study = seat.desk.services, seat.user, seat.study
    digest = network or services.network(user, study).digest
    arguments = json.loads(json.dumps(corridors_arguments(digest, question)))
    found = standing(services, user, study, CORRIDORS, arguments)
    return begin(services, user, study, CORRIDORS, arguments) if ask and found == Standing() else found


def corridors_in(seat: SiteSeat, catalogue: Catalogue) -> list[Corridor] | None:
    """Return the corridors of a version, None where they were not computed."""
    told = catalogue.manifest
    question = SitingQuestion.from_json(told["question"])
    found = _corridors(seat, question, len(told["hours"]), ask=False, network=str(told["network"])).content
    return None if found is None else corridors_from(found)


def version_file(seat: SiteSeat, study: SiteStudy, name: str, secret: bytes) -> tuple[str, str, str]:
    """Return name, type and content of a file of a kept version, ``3:csv``. Raises QuestionError for what is none."""
    number, _, which = name.partition(":")
    content = next((one for one in versions(seat) if str(one["version"]) == number), None)
    if content is None or which not in view.VERSION_FILES:
        raise QuestionError("there is no such version or file")
    found = unpacked(content)
    if (corridors := corridors_in(seat, found)) is not None:
        found = replace(found, manifest={**found.manifest, "corridors": corridors_json(corridors)})
    file, kind, text = file_of(study, found, which, secret)
    first, _, last = file.partition(".")
    return f"{first}-v{number}.{last}", kind, text


def pressed_file(seat: SiteSeat, catalogues: Catalogues, drawn: Any, name: str) -> tuple[str, str, str]:
    """Return name, type and content of the file that a press names: of what is drawn, or of a version, ``3:csv``.

    Raises EngineError in words.
    """
    study = seat.read(drawn)
    if study is None:
        raise QuestionError("there is no file yet: the gate of this question is not computed, or not kept any more")
    secret = archive_secret(seat.study)
    if ":" in name:
        return version_file(seat, study, name, secret)
    found = dated(seat, catalogues.of(study), datetime.now(UTC).isoformat(timespec="seconds"))
    return file_of(study, found, name, secret)


def passes(run: GateRun) -> bool:
    """Return whether some candidate passes under some envelope and size."""
    gate = run.gate
    return any((gate.qualified(own.name, mw) == PASSED).any() for own in gate.envelopes for mw in gate.sizes_mw)


def _waits(job: Any, title: str, held: Any) -> tuple[Any, str | None, Any]:
    if job is None:  # done this moment, or its file is gone: the next look finds it
        return state("computing", f"{title}: press again to look."), None, held
    if job.active:
        return progress_card(title, done=job.done, total=job.total, message=job.message, job=job.id), job.id, held
    cancelled = job.state == "cancelled"
    words = "The refresh was cancelled." if cancelled else job.error or "The job stopped without a word."
    return state("empty" if cancelled else "failed", words, title="Cancelled" if cancelled else None), None, None


def _changes(seat: SiteSeat, study: SiteStudy, listed: list[Mapping[str, Any]]) -> list[Any]:
    """Return what changed in each version since the one before it."""
    words = {key: study.words(place) for place, key in enumerate(study.network.buses.ids)}
    opened = [unpacked(content) for content in listed]
    found: list[Any] = []
    for place, own in enumerate(opened):
        before = opened[place + 1] if place + 1 < len(opened) else None
        if before is None:
            found.append(None)
            continue
        old, new = (corridors_in(seat, one) for one in (before, own))
        rooms = None if old is None or new is None else headroom_changes(old, new)
        table = siting_versions.change_table(
            own.version,
            changes(before, own),
            words,
            because=siting_versions.causes(before, own),
            note=siting_versions.basis(own),
            why=siting_cards.changes(study),
            corridors=siting_versions.corridor_table(own.version, rooms),
        )
        found.append(table)
    return found


def register(app: Dash, desk: Desk) -> None:
    """Wire the tab, and those of the studies and of clearing."""
    catalogues = Catalogues(desk)
    register_grid(app, PAGE, name=view.GRID)
    _register_entries(app, desk, catalogues)
    _register_refresh(app, desk)
    siting_studies.register(app, desk)
    siting_clearing.register(app, desk)


def _register_entries(app: Dash, desk: Desk, catalogues: Catalogues) -> None:
    @app.callback(
        Output(siting_ids.ENTRIES, "children"),
        Output(ids.grid(PAGE, view.GRID), "rowData"),
        Input(siting_ids.seen("catalogue"), "data"),
        Input(siting_ids.STANDING, "value"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def write(seen: Any, standing: Any, of: Any) -> Any:
        drawn, _ = looked_at(seen)
        try:
            study = site_seat(desk, of).read(drawn)
            if study is None:
                return view.nothing_yet(), []
            found = catalogues.of(study)
            return static(view.summary(found, study)), view.rows(found, study, str(standing))
        except EngineError as error:
            return state("failed", f"{error}."), []

    @app.callback(
        Output(siting_ids.KEEP_FILE, "data"),
        Output(siting_ids.KEEP_SAID, "children"),
        Input(siting_ids.KEEP, "data"),
        State(siting_ids.ANSWERED, "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def save(pressed: Any, drawn: Any, of: Any) -> Any:
        if not isinstance(pressed, Mapping):
            return no_update, no_update
        seat = site_seat(desk, of)
        try:
            name, kind, content = pressed_file(seat, catalogues, drawn, str(pressed.get("value")))
        except EngineError as error:
            return no_update, sentence(f"{error}.")
        return {"filename": name, "content": content, "type": kind, "base64": False}, ""


def _register_refresh(app: Dash, desk: Desk) -> None:
    name = siting_ids.REFRESH
    follow_job(app, name)

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-job", "data"),
        Output(f"{name}-held", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(siting_ids.seen("catalogue"), "data"),
        Input(f"{siting_ids.REFRESH_RUN}-pressed", "data"),
        Input(f"{name}-ended", "data"),
        State(f"{name}-held", "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def write(seen: Any, press: Any, ended: Any, held: Any, of: Any) -> Any:
        drawn, selection = looked_at(seen)
        seat, pressed = site_seat(desk, of), bool(press) and ctx.triggered_id == f"{siting_ids.REFRESH_RUN}-pressed"
        over = siting_studies.ended_job(seat, ended) if ctx.triggered_id == f"{name}-ended" else None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            told = refresh(seat, drawn, selection, held, pressed=pressed, now=now, ended=over)
        except EngineError as error:
            told = Told(state("failed", f"{error}."))
        return static(told.children), told.job, told.held, time.time() if told.job else no_update
