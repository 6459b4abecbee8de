"""The Capacity page's callbacks as plain functions: from what the page sends to what it shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dash import html

from callbacks import asked as questions
from callbacks.capacity_desk import Desk, Situation
from callbacks.security import current_user
from components import (
    capacity_deep,
    capacity_layers,
    capacity_periods,
    capacity_products,
    capacity_results,
    capacity_states,
    capacity_tables,
    capacity_words,
)
from components.capacity_answer import Answer
from components.format import megawatts
from components.grid_map import layers_data
from engine.capacity.allocation import LARGE_GRID
from engine.capacity.question import CapacityQuestion
from engine.errors import EngineError, NetworkDataError, QuestionError
from engine.network.model import Network

STALE_CLASS = "hr-capacity-frame hr-capacity-stale"
FRAME_CLASS = "hr-capacity-frame"
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
        if not isinstance(drawn, Mapping):
            return None
        period = drawn.get("period")
        return self.desk.answer(self.user, self.study, drawn.get("question"), drawn.get("network"), period)


def seat_of(desk: Desk, study: Any) -> Seat:
    """Return the seat of whoever asks: the session says who it is, the page only which study."""
    return Seat(desk, current_user(), study if isinstance(study, str) else "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the question: what the controls hold, what is drawn now."""

    words: Mapping[str, Any]
    sites: Any
    start: Mapping[str, Any]  # the question that the page began with, and what of the link could not be read
    drawn: Mapping[str, Any] | None = None  # the Store of the answer that is drawn
    pressed: bool = False  # Compute was pressed
    ended: bool = False  # a job that the page waited for has ended
    deepened: bool = False  # a word about outages, redispatch or periods was changed: its answer is computed
    variant: Any = None  # one of the answers side by side, asked to be computed
    period: Any = None  # which part of the year the switch has
    more: Any = None  # what panels of their own hold of the question, by field
    opening: bool = False  # the page was just opened


@dataclass(slots=True)
class Shown:
    """What the page shows after a question; KEEP leaves a part as it is."""

    totals: Any = KEEP
    state: list[Any] = field(default_factory=list)
    tray: Any = KEEP
    layers: Any = KEEP
    site_rows: Any = KEEP
    site_columns: Any = KEEP
    limit_rows: Any = KEEP
    product_rows: Any = KEEP
    products: Any = KEEP
    frame: str = FRAME_CLASS
    compute: bool = False  # the Compute button shows
    drawn: Any = KEEP
    jobs: list[str] | None = None  # whose end the page waits for
    query: Any = KEEP
    steps: Any = KEEP  # what the switch of periods offers; none: it is hidden


def answer_to(seat: Seat, asked: Asked, now: float) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    desk = seat.desk
    try:
        summary = desk.services.studies.get(seat.user, seat.study)
        base = CapacityQuestion.from_json(asked.start["question"])
        question = capacity_words.question_of(asked.words, asked.sites, base, asked.more)
        owner = summary.role == "owner"
        submit = asked.pressed or (asked.opening and owner and not _has_ended(seat, question))
        found = desk.look(seat.user, seat.study, question, submit=submit)
        whole = _look_deep(seat, asked, question, found.answer, owner=owner)
        query = desk.query(seat.user, seat.study, question, owner=owner)
    except EngineError as error:
        return _refused(error, asked)
    if found.answer is None:
        shown = _waiting(seat, asked, question, found)
    elif whole is not None and whole.answer is None:
        shown = _so_far(question, found.answer, whole, now=now)
    else:
        full = found.answer if whole is None or whole.answer is None else whole.answer
        shown = answered(full.at_period(str(asked.period or "")), owner=owner, now=now)
        shown.steps = capacity_periods.options(full) if full.periods else []
    if found.answer is not None:
        shown.drawn["asked"] = question.digest()
        if owner and _differs(asked.drawn, shown.drawn):
            full = found.answer if whole is None or whole.answer is None else whole.answer
            desk.remember(seat.user, seat.study, question, full)
    shown.query = query
    shown.jobs = _followed(seat, shown)
    notes = [capacity_states.refused(problem, title="The link") for problem in asked.start.get("problems", ())]
    shown.state = [
        *(notes if asked.drawn is None else []),
        *([] if owner else [capacity_states.read_only()]),
        *shown.state,
    ]
    return shown


def _look_deep(
    seat: Seat, asked: Asked, question: CapacityQuestion, bare: Answer | None, *, owner: bool
) -> Situation | None:
    """Return where the answer with outages, redispatch or periods stands; None for a question without them, and while
    the plain answer to it is not there.
    """
    desk, variant = seat.desk, capacity_deep.read_variant(asked.variant)
    if variant is not None:
        beside = _drawn_question(asked.drawn) or question
        desk.start(seat.user, seat.study, capacity_deep.variant_of(beside, *variant))
    if bare is None or bare.question == question:
        return None
    drawn = asked.drawn or {}
    # The states were computed for this question: its answer follows without another press.
    submit = asked.pressed or asked.deepened or (asked.ended and drawn.get("asked") != question.digest())
    if asked.opening and owner and not submit:
        before = desk.look_deep(seat.user, seat.study, question, bare, submit=False)
        submit = before.found not in {"failed", "cancelled"}
    return desk.look_deep(seat.user, seat.study, question, bare, submit=submit)


def _so_far(question: CapacityQuestion, bare: Answer, whole: Situation, *, now: float) -> Shown:
    """Return the plain answer while the one with outages, redispatch or periods is not there, with where that is."""
    shown = answered(bare, owner=False, now=now)
    words = f"without {capacity_deep.left_out(question)} so far"
    if not bare.stopped:
        shown.totals = capacity_results.totals_of(bare, words)
    if whole.found == "running" and whole.job is not None:
        shown.state = [*capacity_deep.computing(question, whole.job), *shown.state]
        shown.jobs = [whole.job.id]
    else:
        shown.state = [capacity_deep.not_there(question, whole.found, whole.message), *shown.state]
        shown.compute = True
    shown.tray = html.Div(
        html.Span("Products are cut from the answer that was asked for", className="hr-muted"),
        className="hr-capacity-tray",
    )
    shown.product_rows, shown.products, shown.steps = [], capacity_products.panel(None), []
    return shown


def _followed(seat: Seat, shown: Shown) -> list[str] | None:
    """Return the jobs whose end the page waits for: that of its answer, and those of the answers side by side."""
    return list(dict.fromkeys([*(shown.jobs or []), *seat.desk.running(seat.user, seat.study)])) or None


def answered(answer: Answer, *, owner: bool, now: float) -> Shown:
    """Return an answer as the page shows it."""
    epsilons = answer.question.epsilons
    states: list[Any] = []
    if answer.stopped:
        states.append(capacity_states.over_limit_state(answer.result.over_limit))
    elif answer.question.at_zero == "hold" and answer.result.over_limit:
        states.append(capacity_states.held_state(answer))
    elif capacity_states.nothing_left(answer):
        states.append(capacity_states.full_state(answer))
    if answer.question.firm_set == "box" and len(answer.network.buses.ids) > LARGE_GRID:
        states.append(capacity_states.large_box())
    return Shown(
        totals=capacity_results.totals_of(answer),
        state=states,
        tray=capacity_products.tray(answer, can_publish=owner),
        layers=capacity_layers.data(answer),
        site_rows=capacity_tables.site_rows(answer),
        site_columns=capacity_tables.definitions(capacity_tables.sites_columns(answer.network, epsilons, answer)),
        limit_rows=capacity_results.over_limit_rows(answer) + capacity_tables.limit_rows(answer),
        product_rows=capacity_tables.product_rows(answer),
        products=capacity_products.panel(answer),
        drawn={
            "question": answer.question.to_json(),
            "digest": answer.question.digest(),
            "network": answer.network.digest,
            "period": answer.period,
            "deep": answer.deep,
            "at": now,
        },
    )


def _waiting(seat: Seat, asked: Asked, question: CapacityQuestion, found: Situation) -> Shown:
    """Return the page while its question has no answer yet: what it waits for, the old answer under a hatch."""
    before = _drawn_question(asked.drawn)
    reasons = capacity_words.changed(before, question) if before else []
    shown = Shown(frame=STALE_CLASS if before else FRAME_CLASS)
    if found.found == "running" and found.job is not None:
        earlier = "" if before else _earlier(seat)
        shown.state = [capacity_states.computing(found.job, again=before is not None)]
        shown.state += [capacity_states.earlier(earlier)] if earlier else []
        shown.jobs = [found.job.id]
    elif found.found in {"failed", "cancelled"}:
        shown.state = [capacity_states.failed(found.message, cancelled=found.found == "cancelled")]
    else:
        earlier = "" if before else _earlier(seat)
        shown.state = [capacity_states.to_compute(reasons, has_answer=before is not None, before=earlier)]
    shown.compute = found.found != "running"
    if before is None:
        _draw_nothing(seat, question, shown)
    else:
        shown.tray = html.Div(
            html.Span("Compute before publishing", className="hr-muted"), className="hr-capacity-tray"
        )
    return shown


def _draw_nothing(seat: Seat, question: CapacityQuestion, shown: Shown) -> None:
    network = seat.network()
    shown.totals = capacity_results.empty_totals()
    shown.site_rows = capacity_tables.plain_site_rows(network, question.candidates, question.demand_mw)
    shown.layers = layers_data(
        capacity_layers.empty_layers(), candidates=capacity_layers.site_positions(network, question.candidates)
    )
    shown.limit_rows, shown.product_rows = [], []
    shown.products = capacity_products.panel(None)
    shown.tray = capacity_products.tray(None, can_publish=False)


def _refused(error: EngineError, asked: Asked) -> Shown:
    """Return the page with a refusal; what was drawn stays, under a hatch."""
    lines = [problem.message for problem in error.problems] if isinstance(error, NetworkDataError) else [str(error)]
    drawn = asked.drawn is not None
    shown = Shown(state=[capacity_states.refused("; ".join(lines))], frame=STALE_CLASS if drawn else FRAME_CLASS)
    if drawn:
        words = html.Span("Products are cut from an answer to this question", className="hr-muted")
        shown.tray = html.Div(words, className="hr-capacity-tray")
    return shown


def _earlier(seat: Seat) -> str:
    """Return in words what this study answered before its network or its states changed, "" when nothing."""
    kept = seat.desk.before(seat.user, seat.study)
    if kept is None or kept["content"].get("firm_mw") is None:
        return ""
    content, date = kept["content"], str(kept["origin"].get("date", ""))[:10]
    return f"Last answer, {date}: {megawatts(content['firm_mw'])} firm, {megawatts(content['total_mw'])} with flexible"


def _has_ended(seat: Seat, question: CapacityQuestion) -> bool:
    """Return whether this was tried and failed or was cancelled: then it does not begin by itself again."""
    found = seat.desk.look(seat.user, seat.study, question, submit=False)
    return found.found in {"failed", "cancelled"}


def _drawn_question(drawn: Any) -> CapacityQuestion | None:
    if not isinstance(drawn, Mapping) or not isinstance(drawn.get("question"), Mapping):
        return None
    try:
        return CapacityQuestion.from_json(drawn["question"])
    except QuestionError:
        return None


def _differs(before: Any, drawn: Mapping[str, Any]) -> bool:
    if not isinstance(before, Mapping):
        return True
    return any(before.get(name) != drawn[name] for name in ("digest", "network", "asked"))


def amount_of(value: Any) -> float | None:
    """Return a control's value as a number above 0, None when it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def zone_of(value: Any) -> str | None:
    """Return a control's value as a zone, None for any."""
    return str(value) if value and value != capacity_words.ANY else None
