"""The Auction tab of the Siting page: sites tried together as a job, published as products, handed to the auction."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_aside import begin, standing
from callbacks.followed import follow_job
from callbacks.siting_desk import Desk, criteria_in, drawn_of, market_arguments, question_of
from callbacks.siting_seen import looked_at
from callbacks.siting_site import SiteSeat, named, site_seat
from components import ids, siting_ids
from components import siting_auction as view
from components import siting_studies_time as times
from components.siting_site import SiteStudy
from components.static import static
from engine.errors import EngineError, PermissionDeniedError, QuestionError
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketQuestion
from engine.siting.product_jobs import PRODUCTS, Chosen, product_arguments
from engine.siting.products import SaleTerms, best_offers
from engine.siting.proved import unproved_offers

_SAME = ("network_digest", "question_digest", "uncertainty_digest")


@dataclass(frozen=True, slots=True)
class Told:
    """What can be sold, or where that stands, and the job it waits for."""

    children: Any
    job: str | None = None
    done: int = 1  # steps of the way to a checked result that are behind


def terms_of(given: Mapping[str, Any]) -> SaleTerms:
    """Return the terms that the form holds. Raises QuestionError for what is no number."""
    try:
        return SaleTerms(int(given["count"]), float(given["reserve_per_mw"])).checked()
    except (KeyError, TypeError, ValueError):
        raise QuestionError("the number of sites and the reserve must be numbers") from None


def arguments_of(seat: SiteSeat, drawn: Mapping[str, Any], terms: SaleTerms) -> dict[str, Any]:
    """Return the job's arguments for what is drawn. Raises QuestionError without a market: reserves are by score."""
    question = question_of(drawn, asked=True)
    if question is None or not drawn.get("market"):
        raise QuestionError("reserves are by score: run the market of this question first")
    shown = drawn_of(drawn)
    network = seat.desk.services.network(seat.user, seat.study)
    market = market_arguments(network, question, MarketQuestion.from_json(drawn["market_question"]))
    asked = question_of(drawn)
    chosen = Chosen(shown.size_mw, shown.by, {} if asked is None else criteria_in(asked))
    found: dict[str, Any] = json.loads(json.dumps(product_arguments(market, terms, chosen)))
    return found


def panel(seat: SiteSeat, drawn: Any, terms: SaleTerms, *, pressed: bool) -> Told:
    """Return what can be sold, or where the job stands; a press begins it. Raises EngineError in words."""
    study = seat.read(drawn)
    if study is None or study.ranked is None:
        return Told(view.message("Screen the candidates and run the market first: reserves are by score."), done=0)
    if loose := unproved(study, terms):
        return Told(view.unproved(study, loose, max(study.top, terms.count)))
    arguments = arguments_of(seat, drawn, terms)
    act = begin if pressed else standing
    found = act(seat.desk.services, seat.user, seat.study, PRODUCTS, arguments)
    if found.content is not None:
        made = found.content["product_set"]
        version = published(seat, made)
        link = f"/auction?make=set:{version}&study={seat.study}"
        owner = seat.desk.services.studies.get(seat.user, seat.study).role == "owner"
        return Told(view.offered(study, made, version, link, owner=owner), done=2 if version is None else 3)
    if found.job is None:
        takes = times.clearing(study, terms.count + 1, "sequence")  # one more: all that stand are looked at once more
        return Told(view.message(f"Press Try them together: it says which sites can be sold side by side. {takes}"))
    if found.job.active:
        return Told(view.running(found.job), found.job.id)
    cancelled = found.job.state == "cancelled"
    words = "The trial was cancelled." if cancelled else found.job.error or "The job stopped without a word."
    return Told(view.message(words, wrong=not cancelled))


def unproved(study: SiteStudy, terms: SaleTerms) -> list[SiteMarket]:
    """Return the sites that must be solved more exactly before this shortlist can be published."""
    if study.ranked is None or study.market is None:
        return []
    offers = best_offers(study.run, study.ranked, terms.count, study.size_mw)
    most = max(study.top, terms.count)
    return unproved_offers(study.ranked, study.market, offers, most, study.run.question.shortlist)


def published(seat: SiteSeat, made: Mapping[str, Any]) -> int | None:
    """Return the newest published version that is this set, whenever it was computed; None when there is none."""
    for record in seat.desk.services.products.list(seat.user, seat.study):
        told = record.product_set
        same = all(told["provenance"][name] == made["provenance"][name] for name in _SAME)
        if same and told["products"] == made["products"] and told["question"] == made["question"]:
            return int(record.version)
    return None


def publish(seat: SiteSeat, drawn: Any, terms: SaleTerms) -> int:
    """Publish the sites that stand together as a version of the study's products; return it. Raises EngineError."""
    if seat.desk.services.studies.get(seat.user, seat.study).role != "owner":
        raise PermissionDeniedError("this study is shared with you to read: duplicate it to auction its sites")
    if not isinstance(drawn, Mapping):
        raise QuestionError("nothing is drawn that could be sold")
    study = seat.read(drawn)
    if study is not None and (loose := unproved(study, terms)):
        raise QuestionError(view.unproved_words(study, len(loose), max(study.top, terms.count)))
    found = standing(seat.desk.services, seat.user, seat.study, PRODUCTS, arguments_of(seat, drawn, terms))
    if found.content is None:
        raise QuestionError("try the sites together before publishing them")
    made = found.content["product_set"]
    kept = published(seat, made)
    return kept or seat.desk.services.products.publish(seat.user, seat.study, made, made["witness"])


def register(app: Dash, desk: Desk) -> None:
    """Wire the form and what it finds."""
    name = siting_ids.AUCTION
    follow_job(app, name)

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-path", "children"),
        Output(f"{name}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(f"{siting_ids.AUCTION_TRY}-pressed", "data"),
        Input(f"{siting_ids.AUCTION_SELL}-pressed", "data"),
        Input(f"{name}-ended", "data"),
        Input(siting_ids.seen("auction"), "data"),
        Input(siting_ids.sale(ALL), "value"),
        State(siting_ids.sale(ALL), "id"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def write(*given: Any) -> Any:
        tried, sold, _ended, seen, values, names, of = given
        drawn, _ = looked_at(seen)
        by, seat = ctx.triggered_id, site_seat(desk, of)
        try:
            terms = terms_of(named(names, values))
            if sold and by == f"{siting_ids.AUCTION_SELL}-pressed":
                publish(seat, drawn, terms)
            told = panel(seat, drawn, terms, pressed=bool(tried) and by == f"{siting_ids.AUCTION_TRY}-pressed")
        except EngineError as error:
            told = Told(view.message(f"{error}.", wrong=True))
        return told.children, static(view.path(told.done)), told.job, time.time() if told.job else no_update
