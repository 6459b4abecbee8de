"""The page /auction/debrief: the story of one auction for those who may read it, or of a ledger from a file."""

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dash import ALL, Dash, Input, Output, Patch, State, ctx, html, no_update
from flask import current_app

from callbacks import auction_jobs
from callbacks import auction_ledger_file as from_file
from callbacks.auction_debrief_runs import Runs
from callbacks.auction_debrief_seen import Debriefs, NotYetError, Reader, changes_of, cut, entries_of, reader_of
from callbacks.auction_desk import EXTENSION, Desk
from callbacks.auction_room import Here
from callbacks.followed import follow_job
from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import of_page, toast
from components import auction_debrief as view
from components import auction_debrief_more as more
from components import auction_debrief_proof as proof
from components import auction_ids, ids
from components.auction_room import text_of
from components.theme import figure_template
from engine.auction.debrief import Debrief
from engine.auction.debrief_jobs import DEBRIEF, debrief_arguments
from engine.auction.ledger import Entry, replay
from engine.auction.signing import PUBLIC_KEY_FILE, public_hex, signing_key
from engine.auction.tables import cells_to_csv
from engine.compute import Artifacts
from engine.errors import EngineError, NotFoundError, QuestionError

_DEBRIEFS = Debriefs()
_LOBBY = ("/auction", "To the auctions")
_RESULTS = (
    ("prices.csv", "every product with its final price and holder"),
    ("allocation.csv", "who won what"),
    ("payments.csv", "who pays what"),
    ("rounds.csv", "every product that a round changed"),
    ("bids.csv", "every bid with its tie number"),
    ("summary.json", "digests and totals"),
    ("tables.zip", "all records as CSV"),
    ("tables.json", "all records as JSON"),
    ("fcc_round_files.zip", "round files in the FCC's layout"),
    ("all_bids.xml", "all bids in the FCC's XML"),
    ("configuration.json", "what was sold and by which rules: with the records it makes the auction again"),
)
_KEY = (PUBLIC_KEY_FILE, "this server's public key: it checks the ledger's signature")
_LEDGER = ("ledger.jsonl", "the ledger, signed once the auction is over; it holds everybody's values")


def page_layout(services: Services, auction: object = "", **_query: object) -> Any:
    """Return the page: the story, where it waits for it, or where a ledger is opened."""
    wanted, title = text_of(auction), "Debrief of an auction"
    if not wanted:
        return view.layout([_hidden_none(), *more.opener()], "Open a ledger")
    try:
        reader, here = reader_of(services.auctions, current_user(), wanted)
    except NotFoundError:
        words = "The address names none, or you are not in its room. Ask its host for a link."
        return _alone("There is no such auction", words, title)
    except NotYetError as error:
        return _not_yet(error, wanted)
    title = f"{here.live.state.configuration.title}: debrief"
    if not here.live.state.rounds:
        return _no_round(here, wanted, title)
    if not _DEBRIEFS.at_once(here.live.state, here.live.last.number):
        return view.layout([view.working(here.live.last.number), _hidden_upload()], title, auction=wanted, asked=wanted)
    return view.layout([*_told(services, reader, here), _hidden_upload()], title, auction=wanted)


def _told(services: Services, reader: Reader, here: Here) -> list[Any]:
    """Return the story of an auction of the room, or why it cannot be told."""
    try:
        found = _DEBRIEFS.of(entries_of(services.auctions, here))
    except EngineError as error:
        return _untold(error)
    return _of_room(reader, here, found)


def _untold(error: EngineError) -> list[Any]:
    return [view.instead("This ledger cannot be told", f"{error}.", [_LOBBY], kind="failed")]


def _of_room(reader: Reader, here: Here, found: Debrief) -> list[Any]:
    state, auction = here.live.state, here.room.id
    changes, words = changes_of(state, reader)
    host, closed = reader.role == "host", state.phase == "closed"
    audited = host or (closed and state.configuration.rules.disclose_values)
    return view.story(
        view.Story(
            cut(found, reader),
            state.configuration,
            auction=auction,
            delivery=_delivery(here),
            files=[*([_LEDGER, _KEY] if audited else []), *(_RESULTS if host or closed else ())],
            fingerprint=_fingerprint() if audited and state.ended_because else "",
            changes=[one.title for one in changes],
            changes_words=words,
            ways=[(f"/auction?auction={auction}", "To the desk")] if host else [_LOBBY],
        )
    )


def _fingerprint() -> str:
    """Return this server's public key in hexadecimal digits, as a signed ledger names it."""
    return public_hex(signing_key(_home()).public_key())


def _delivery(here: Here) -> Any:
    desk: Desk | None = current_app.extensions.get(EXTENSION)
    return None if desk is None else desk.deliverability(here)


def _alone(title: str, words: str, page_title: str, ways: Sequence[tuple[str, str]] = (_LOBBY,)) -> Any:
    return view.layout([view.instead(title, words, ways), _hidden_upload()], page_title)


def _not_yet(error: NotYetError, auction: str) -> Any:
    seat = (f"/auction/seat?auction={auction}", "To my seat")
    if error.phase == "cancelled":
        words = f"It was {error.because}. Nothing was sold and nobody pays; what was bid stays with its host."
        return _alone("This auction was cancelled", words, error.title)
    words = (
        "The debrief opens when the auction has closed, and not before: prices, who won what, and what the result is "
        "worth are told then. Open this address again after the last round."
    )
    return _alone("Not closed yet", words, error.title, [seat, _LOBBY])


def _no_round(here: Here, auction: str, title: str) -> Any:
    ways = [(f"/auction?auction={auction}", "To the desk")]
    if here.live.state.phase == "cancelled":
        return _alone("This auction was cancelled", "No round was closed: there is nothing to tell.", title, ways)
    return _alone("No round is closed yet", "Its story begins with the first closed round.", title, ways)


def _hidden_upload() -> Any:
    """Return the upload where no file is asked for: the callbacks of a story look at it."""
    return html.Div(more.opener(), hidden=True)


def _hidden_none() -> Any:
    return html.Div(hidden=True)


# Large ones


@dataclass(frozen=True, slots=True)
class Waited:
    """The debrief of a large auction once its job has given it; until then what is said, and the job that runs."""

    debrief: Debrief | None = None
    said: Any = None
    job: str | None = None


def by_job(services: Services, last_hash: str, entries: Callable[[], Sequence[Entry]], *, asked: bool) -> Waited:
    """Return the debrief of the ledger with that last entry, or where the job stands that works it out.

    Raises EngineError in words.
    """
    found = _DEBRIEFS.found(last_hash, services.artifacts)
    if found is not None:
        return Waited(found)
    arguments = debrief_arguments(auction_jobs.keep(services, last_hash, entries))
    job = auction_jobs.standing(services, current_user(), DEBRIEF, arguments, asked=asked)
    if job is not None and job.active:
        return Waited(said=view.job_card(job.id), job=job.id)
    if job is not None and job.state == "done":
        return Waited(_DEBRIEFS.found(last_hash, services.artifacts), view.gone())
    return Waited(said=view.stopped((job.error if job is not None else "") or "it was cancelled"))


def large(services: Services, reader: Reader, here: Here, *, asked: bool) -> tuple[list[Any], str | None]:
    """Return the story of a large auction of the room, or its progress with the job that is waited for."""
    try:
        got = by_job(services, here.live.last.hash, lambda: entries_of(services.auctions, here), asked=asked)
    except EngineError as error:
        return _untold(error), None
    return ([got.said] if got.debrief is None else _of_room(reader, here, got.debrief)), got.job


# Files


def file_story(
    services: Services, contents: Any, names: Any, home: Path, *, asked: bool = True
) -> tuple[list[Any], str | None]:
    """Return the story of a ledger from files, or why they are not taken; with the job that is waited for."""
    try:
        found = from_file.opened(contents, names, home)
        state = replay(found.entries)
        if not state.rounds:
            return [more.refused(["the ledger has no closed round: there is nothing to tell"])], None
        if _DEBRIEFS.at_once(state, len(found.entries)):
            told = _DEBRIEFS.of(found.entries)
        else:
            got = by_job(services, found.entries[-1].hash, lambda: found.entries, asked=asked)
            if got.debrief is None:
                return [got.said], got.job
            told = got.debrief
    except EngineError as error:
        return [more.refused(from_file.reasons(error))], None
    changes, words = changes_of(state, Reader("file"))
    return view.story(
        view.Story(
            told,
            state.configuration,
            changes=[one.title for one in changes],
            changes_words=words,
            origin=found.words,
        )
    ), None


class Source:
    """What a callback of the page is about: an auction that the session may read, or the files that it opened."""

    def __init__(self, services: Services, auction: Any, contents: Any, names: Any) -> None:
        self.here: Here | None = None
        if isinstance(auction, str) and auction:
            try:
                self.reader, self.here = reader_of(services.auctions, current_user(), auction)
            except NotYetError:
                raise QuestionError("the debrief opens when the auction has closed") from None
            self.entries: tuple[Entry, ...] = entries_of(services.auctions, self.here)
        else:
            self.reader = Reader("file")
            self.entries = from_file.opened(contents, names, _home()).entries


def _home() -> Path:
    desk: Desk = current_app.extensions[EXTENSION]
    return desk.home


def bundles_csv(source: Source, bidder: Any, artifacts: Artifacts) -> dict[str, Any]:
    """Return all bundles of one bidder as a download. Raises QuestionError where the reader has no such table."""
    known = _DEBRIEFS.found(source.entries[-1].hash, artifacts)
    told = cut(_DEBRIEFS.of(source.entries) if known is None else known, source.reader)
    found = next((one for one in told.tables if one["bidder"] == bidder), None)
    if found is None:
        raise QuestionError("there is no table of this bidder")
    names = {str(lot["id"]): str(lot["name"]) for lot in told.lots}
    header = ("bundle", "value", "penalty", "price", "modified_surplus", "won", "best")
    cells = [
        (
            "; ".join(names[lot] if blocks == 1 else f"{blocks} x {names[lot]}" for lot, blocks in row["bundle"]),
            row["value"],
            row["penalty"],
            row["price"],
            row["modified_surplus"],
            "yes" if row["held"] else "no",
            "yes" if row["best"] else "no",
        )
        for row in proof.rows_of(found)
    ]
    name = f"bundles-{int(bidder) + 1}.csv"
    return {"filename": name, "content": cells_to_csv(header, cells), "type": "text/csv", "base64": False}


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    _register_story(app, services)
    _register_keeping(app, services)
    _register_runs(app, services, Runs(services))


def _register_story(app: Dash, services: Services) -> None:
    for name in (auction_ids.DEBRIEF, auction_ids.DEBRIEF_READ):
        follow_job(app, name)

    @app.callback(
        Output(auction_ids.DEBRIEF, "children"),
        Output(f"{auction_ids.DEBRIEF}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(auction_ids.DEBRIEF_ASKED, "data"),
        Input(f"{auction_ids.DEBRIEF}-ended", "data"),
        prevent_initial_call="initial_duplicate",
    )
    def tell(auction: Any, ended: Any) -> Any:
        if not isinstance(auction, str) or not auction:
            return no_update, no_update, no_update
        try:
            reader, here = reader_of(services.auctions, current_user(), auction)
        except (NotFoundError, NotYetError):
            said = view.instead("There is no such auction", "It is not there, or not yours to read.", [_LOBBY])
            return said, None, no_update
        # A running auction goes on meanwhile: what its ledger is by now is asked anew.
        story, job = large(services, reader, here, asked=not ended or here.live.state.phase != "closed")
        return [*story, _hidden_upload()], job, time.time() if job else no_update

    @app.callback(
        Output({"type": "auction-debrief-figure", "name": ALL}, "figure"),
        Input(ids.THEME, "data"),
    )
    def paint(theme: Any) -> Any:
        if theme not in ("light", "dark"):
            return [no_update] * len(ctx.outputs_list)
        patch = Patch()
        patch["layout"]["template"] = figure_template(theme).to_plotly_json()
        return [patch] * len(ctx.outputs_list)

    @app.callback(
        Output(auction_ids.DEBRIEF_READ, "children"),
        Output(f"{auction_ids.DEBRIEF_READ}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(auction_ids.DEBRIEF_FILE, "contents"),
        Input(f"{auction_ids.DEBRIEF_READ}-ended", "data"),
        State(auction_ids.DEBRIEF_FILE, "filename"),
        prevent_initial_call=True,
    )
    def read(contents: Any, _ended: Any, names: Any) -> Any:
        if not contents:
            return no_update, no_update, no_update
        asked = ctx.triggered_id == auction_ids.DEBRIEF_FILE
        story, job = file_story(services, contents, names, _home(), asked=asked)
        return story, job, time.time() if job else no_update


def _register_keeping(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        of_page(auction_ids.DEBRIEF_OF),
        Input({"type": "auction-debrief-bundles", "bidder": ALL}, "n_clicks"),
        State(auction_ids.DEBRIEF_OF, "data"),
        State(auction_ids.DEBRIEF_FILE, "contents"),
        State(auction_ids.DEBRIEF_FILE, "filename"),
        prevent_initial_call=True,
    )
    def keep_bundles(clicks: list[int | None], auction: Any, contents: Any, names: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update, no_update
        try:
            source = Source(services, auction, contents, names)
            return bundles_csv(source, ctx.triggered_id.get("bidder"), services.artifacts), no_update, no_update
        except EngineError as error:
            return no_update, toast(str(error)), no_update

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(auction_ids.DEBRIEF_KEEP, "n_clicks"),
        State(auction_ids.DEBRIEF_FILE, "contents"),
        State(auction_ids.DEBRIEF_FILE, "filename"),
        prevent_initial_call=True,
    )
    def keep_results(clicks: int | None, contents: Any, names: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            content = from_file.results_zip(from_file.opened(contents, names, _home()))
        except EngineError as error:
            return no_update, toast(str(error))
        packed = base64.b64encode(content).decode()
        return {"filename": "results.zip", "content": packed, "type": "application/zip", "base64": True}, no_update


def _register_runs(app: Dash, services: Services, runs: Runs) -> None:
    name = auction_ids.DEBRIEF_RERUN
    follow_job(app, name)

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(auction_ids.DEBRIEF_RUN, "n_clicks"),
        Input(f"{name}-ended", "data"),
        State(auction_ids.DEBRIEF_CHANGE, "value"),
        State(auction_ids.DEBRIEF_OF, "data"),
        State(auction_ids.DEBRIEF_FILE, "contents"),
        State(auction_ids.DEBRIEF_FILE, "filename"),
        prevent_initial_call=True,
    )
    def play(clicks: int | None, _ended: Any, *given: Any) -> Any:
        chosen, auction, contents, names = given
        if not clicks:
            return no_update, no_update, no_update
        try:
            source = Source(services, auction, contents, names)
            found = runs.answer(source, chosen, current_user(), asked=ctx.triggered_id == auction_ids.DEBRIEF_RUN)
        except EngineError as error:
            return more.failed(str(error)), None, no_update
        return found.children, found.job, time.time() if found.job else no_update
