"""The Siting page's callbacks as plain functions: from what the page sends to what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from callbacks import asked as questions
from callbacks.security import current_user
from callbacks.siting_desk import (
    Desk,
    GateStands,
    MarketStands,
    criteria_in,
    drawn_of,
    gate_came_with_it,
    market_came_with_it,
    question_of,
)
from components import siting_controls, siting_market, siting_market_plan, siting_states, siting_words
from components.siting_answer import Answer
from components.siting_hours import has_dates
from engine.errors import EngineError, NetworkDataError, QuestionError
from engine.network.model import Network
from engine.siting.gate.question import THRESHOLD
from engine.siting.hourly_file import Stamps
from engine.siting.market_run import MarketQuestion
from engine.siting.question import SitingQuestion

FRAME_CLASS = "hr-siting-frame"
STALE_CLASS = "hr-siting-frame hr-siting-stale"
_MOST_TOP = 500  # sites of a shortlist
KEEP = questions.KEEP  # "leave this part of the page as it is"


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Who asks, of which study: every read goes through the services with this user's access."""

    desk: Desk
    user: str
    study: str

    def network(self) -> Network:
        """Return the study's network."""
        return self.desk.services.network(self.user, self.study)

    def answer(self, drawn: Any) -> Answer | None:
        """Return the answer that is drawn, None when there is none (any more)."""
        return self.desk.answer(self.user, self.study, drawn)


def seat_of(desk: Desk, study: Any) -> Seat:
    """Return the seat of whoever asks: the session says who it is, the page only which study."""
    return Seat(desk, current_user(), study if isinstance(study, str) else "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the question: what the controls hold, what is found already."""

    words: Mapping[str, Any]
    market: Mapping[str, Any]
    start: Mapping[str, Any]  # the question that the page began with, and what of the link could not be read
    found: Mapping[str, Any] | None = None  # the Store of what is found
    pressed: bool = False  # Screen was pressed
    market_pressed: bool = False
    opening: bool = False  # the page was just opened
    ended: bool = False  # a job that the page waited for has ended


@dataclass(slots=True)
class Shown:
    """What the page shows after a question; KEEP leaves a part as it is."""

    found: Any = KEEP
    state: list[Any] = field(default_factory=list)
    frame: str = FRAME_CLASS
    compute: bool = False  # the Screen button shows
    jobs: list[str] | None = None  # whose end the page waits for
    query: Any = KEEP
    envelopes: Any = KEEP  # what the switch of envelopes offers
    sizes: Any = KEEP


def answer_to(seat: Seat, asked: Asked) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    desk = seat.desk
    try:
        owner = _is_owner(seat)
        network = seat.network()
        base = SitingQuestion.from_json(_question_in(asked.start))
        stamps = stamps_of(seat, asked.words)
        question = siting_words.question_of(asked.words, base, stamps).checked(network)
        small = siting_states.gate_seconds(network, question) <= siting_states.AT_ONCE_S
        small = small or gate_came_with_it(network, question)
        stands = desk.look(seat.user, seat.study, question, submit=asked.pressed)
        if stands.found == "needed" and asked.opening and owner and small:
            stands = desk.look(seat.user, seat.study, question, submit=True)
        query = desk.query(seat.user, seat.study, question, owner=owner)
    except EngineError as error:
        return _refused(error, asked)
    shown = _of_gate(seat, asked, question, stands)
    if owner and (asked.pressed or stands.found == "answered"):
        desk.remember(seat.user, seat.study, question)
    shown.query = query
    notes = [siting_states.refused(problem, title="The link") for problem in asked.start.get("problems", ())]
    shown.state = [
        *(notes if asked.found is None else []),
        *([] if owner else [siting_states.read_only()]),
        *shown.state,
    ]
    return shown


def stamps_of(seat: Seat, words: Mapping[str, Any]) -> Stamps | None:
    """Return the starts of the hours of the file that the controls name, where hours are typed as dates.

    Raises EngineError when the file is gone.
    """
    digest, typed = str(words.get("file") or ""), str(words.get("hours") or "")
    if words.get("source") != "file" or digest in {"", siting_words.OFFERED} or not has_dates(typed):
        return None
    return seat.desk.stamps(seat.user, seat.study, digest)


def _of_gate(seat: Seat, asked: Asked, question: SitingQuestion, stands: GateStands) -> Shown:
    before = question_of(asked.found)
    shown = Shown()
    if stands.gate is not None:
        market = _market(seat, asked, question, stands)
        shown.found = _found(seat, question, stands, market)
        shown.envelopes = siting_controls.envelope_options(question)
        shown.sizes = siting_controls.size_options(question)
        if "origin" in stands.gate.told:
            whole = market.run if market is not None and market.found == "answered" else None
            priced = whole is not None and market_came_with_it(seat.network(), question, whole.question)
            shown.state.append(siting_states.came_with_it(stands.gate.told["origin"], priced=priced))
        intact = len(stands.gate.result.intact_fails())
        if intact:
            shown.state.append(siting_states.nothing_qualifies(stands.gate, intact))
        if market is not None and market.job is not None:
            shown.jobs = [market.job.id] if market.job.active else None
    elif before is not None:
        shown.frame = STALE_CLASS
    if stands.job is not None and stands.job.active:
        shown.state += siting_states.computing(stands.job, stands.gate)
        shown.jobs = [stands.job.id]
    elif stands.found in {"failed", "cancelled"}:
        shown.state.append(siting_states.failed(stands.message, cancelled=stands.found == "cancelled"))
        shown.compute = True
    elif stands.found == "needed":
        changed = siting_states.changed_words(before, question) if before else []
        shown.state.append(siting_states.to_screen(seat.network(), question, changed, has_answer=before is not None))
        shown.compute = True
    return shown


def _market(seat: Seat, asked: Asked, question: SitingQuestion, stands: GateStands) -> MarketStands | None:
    """Return the market to draw: the one that was pressed, the one that the controls ask, else the one held."""
    if stands.gate is None or stands.gate.partial or question.source == "filed":
        return None
    try:
        market = siting_market.market_of(asked.market, asked.start.get("market"))
        siting_market.check_units(seat.network(), market)
    except EngineError:
        return None
    who = (seat.user, seat.study)
    found = seat.desk.look_market(*who, question, market, submit=asked.market_pressed)
    if found.found == "needed" and question.threshold != THRESHOLD and not asked.found:
        usual = seat.desk.look_market(*who, replace(question, threshold=THRESHOLD), market)
        if usual.found == "answered":  # that of the usual threshold is there: it is ranked at the one that is drawn
            return replace(usual, threshold=THRESHOLD)
    if found.found == "needed" and (asked.opening or asked.ended) and _is_owner(seat):
        if market_came_with_it(seat.network(), question, market):
            return seat.desk.look_market(*who, question, market, submit=True)
        own = seat.desk.own_of(seat.user, seat.study, question)
        sites, _, seconds = siting_market_plan.plan(seat.network(), stands.gate, market, question.threshold, own)
        if sites and seconds <= siting_market.AT_ONCE_S:
            return seat.desk.look_market(*who, question, market, submit=True)
    return found


def _is_owner(seat: Seat) -> bool:
    return seat.desk.services.studies.get(seat.user, seat.study).role == "owner"


def _found(seat: Seat, question: SitingQuestion, stands: GateStands, market: MarketStands | None) -> dict[str, Any]:
    gate = stands.gate
    if gate is None:
        raise ValueError("nothing is found")
    found: dict[str, Any] = {
        "question": replace(question, threshold=THRESHOLD).to_json(),
        "network": seat.network().digest,
        "gate": gate.key,
        "partial": gate.partial,
        "market": None,
    }
    if market is not None and market.run is not None:
        found |= {
            "market": market.key,
            "market_question": market.run.question.to_json(),
            "market_threshold": question.threshold if market.threshold is None else market.threshold,
            "market_criteria": criteria_in(question),  # whose gates chose its sites
        }
        if market.found == "running":
            found["market_sites"] = len(market.run.sites)
    if market is not None:
        found["market_stands"] = [market.found, market.job.id if market.job else None]
    return found


def held_market(found: Any, before: Any) -> Any:
    """Return what is found, with the market that was drawn before where its gate is the same and it has none."""
    if not isinstance(found, Mapping) or not isinstance(before, Mapping) or found.get("market"):
        return found
    same = found["gate"] == before.get("gate") and before.get("market")
    names = ("market", "market_question", "market_threshold", "market_criteria")
    return {**found, **{name: before[name] for name in names if name in before}} if same else found


def drawn_from(found: Mapping[str, Any], view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the Store of the answer holds: what is found, and which part of it the controls ask to draw.

    A part that the question does not have is replaced by its first. Raises QuestionError for weights that are none.
    """
    question = SitingQuestion.from_json(_question_in(found))
    threshold = view.get("threshold")
    share = float(threshold) / 100.0 if isinstance(threshold, int | float) else question.threshold
    size = view.get("size")
    drawn = {
        **found,
        "envelope": siting_controls.drawn_envelope(question, str(view.get("envelope") or "")),
        "size": siting_controls.drawn_size(question, _number(size)),
        "threshold": round(share, 12) if 0.5 <= share <= 1.0 else question.threshold,
        "top": max(1, min(_MOST_TOP, int(_number(view.get("top")) or question.shortlist))),
        "weights": siting_controls.weights_of(view.get("weights")),
        "pooled": view.get("scaling") != "own",
    }
    drawn_of(drawn)
    return drawn


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _refused(error: EngineError, asked: Asked) -> Shown:
    """Return the page with a refusal; what was drawn stays, under a hatch."""
    lines = [problem.message for problem in error.problems] if isinstance(error, NetworkDataError) else [str(error)]
    drawn = asked.found is not None
    return Shown(state=[siting_states.refused("; ".join(lines))], frame=STALE_CLASS if drawn else FRAME_CLASS)


def market_stands(seat: Seat, drawn: Mapping[str, Any], words: Any, base: Any) -> tuple[MarketQuestion, MarketStands]:
    """Return the market that the controls ask for, and where it stands. Raises EngineError in words."""
    market = siting_market.market_of(words, base)
    siting_market.check_units(seat.network(), market)
    question = question_of(drawn)
    if question is None or drawn.get("partial") or question.source == "filed":
        return market, MarketStands("needed")
    return market, seat.desk.look_market(seat.user, seat.study, question, market)


def _question_in(held: Any) -> Mapping[str, Any]:
    """Return the question in a Store of the page. Raises QuestionError for a Store that no page of ours writes."""
    question = held.get("question") if isinstance(held, Mapping) else None
    if not isinstance(question, Mapping):
        raise QuestionError("the page holds no question: reload it")
    return question
