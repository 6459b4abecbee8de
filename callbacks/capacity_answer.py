"""The Capacity page's callbacks as plain functions: from what the page sends to what it shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dash import html

from callbacks.capacity_desk import Desk, Situation
from components import capacity_inspector as inspector
from components import capacity_layers, capacity_products, capacity_results, capacity_tables, capacity_words
from components.capacity_answer import Answer, limit_element
from components.capacity_sites import choose, read_table, sites_words, table_text
from components.format import megawatts
from components.grid_map import layers_data
from components.skeleton import parse_element
from components.theme import Theme
from engine.capacity.allocation import LARGE_GRID, allocate
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import Binding, Why
from engine.capacity.why import EXTRA_MW, reinforced, why
from engine.errors import EngineError, NetworkDataError, QuestionError
from engine.network.model import Network

STALE_CLASS = "hr-capacity-frame hr-capacity-stale"
FRAME_CLASS = "hr-capacity-frame"
KEEP = object()  # "leave this part of the page as it is"


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
        content = drawn.get("question") if isinstance(drawn, Mapping) else None
        return self.desk.answer(self.user, self.study, content)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the question: what the controls hold, what is drawn now."""

    words: Mapping[str, Any]
    sites: Any
    start: Mapping[str, Any]  # the question that the page began with, and what of the link could not be read
    drawn: Mapping[str, Any] | None = None  # the Store of the answer that is drawn
    pressed: bool = False  # Compute was pressed
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
    job: str | None = None
    query: Any = KEEP


def ask(seat: Seat, asked: Asked, now: float) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    desk = seat.desk
    try:
        summary = desk.services.studies.get(seat.user, seat.study)
        base = CapacityQuestion.from_json(asked.start["question"])
        question = capacity_words.question_of(asked.words, asked.sites, base)
        owner = summary.role == "owner"
        submit = asked.pressed or (asked.opening and owner and not _has_ended(seat, question))
        found = desk.look(seat.user, seat.study, question, submit=submit)
        query = desk.query(seat.user, seat.study, question, owner=owner)
    except EngineError as error:
        return _refused(error, asked)
    if found.answer is not None:
        shown = answered(found.answer, owner=owner, now=now)
        if owner and _differs(asked.drawn, found.answer):
            desk.remember(seat.user, seat.study, found.answer)
    else:
        shown = _waiting(seat, asked, question, found)
    shown.query = query
    notes = [capacity_results.refused(problem, title="The link") for problem in asked.start.get("problems", ())]
    shown.state = [
        *(notes if asked.drawn is None else []),
        *([] if owner else [capacity_results.read_only()]),
        *shown.state,
    ]
    return shown


def answered(answer: Answer, *, owner: bool, now: float) -> Shown:
    """Return an answer as the page shows it."""
    epsilons = answer.question.epsilons
    states: list[Any] = []
    if answer.stopped:
        states.append(capacity_results.over_limit_state(answer.result.over_limit))
    elif answer.question.at_zero == "hold" and answer.result.over_limit:
        states.append(capacity_results.held_state(answer.result.over_limit))
    if answer.question.firm_set == "box" and len(answer.network.buses.ids) > LARGE_GRID:
        states.append(capacity_results.large_box())
    return Shown(
        totals=capacity_results.totals_of(answer),
        state=states,
        tray=capacity_products.tray(answer, can_publish=owner),
        layers=capacity_layers.data(answer),
        site_rows=capacity_tables.site_rows(answer),
        site_columns=capacity_tables.definitions(capacity_tables.sites_columns(answer.network, epsilons)),
        limit_rows=capacity_results.over_limit_rows(answer) + capacity_tables.limit_rows(answer),
        product_rows=capacity_tables.product_rows(answer),
        products=capacity_products.panel(answer),
        drawn={
            "question": answer.question.to_json(),
            "digest": answer.question.digest(),
            "network": answer.network.digest,
            "at": now,
        },
    )


def _waiting(seat: Seat, asked: Asked, question: CapacityQuestion, found: Situation) -> Shown:
    """Return the page while its question has no answer yet: what it waits for, the old answer under a hatch."""
    before = _drawn_question(asked.drawn)
    reasons = capacity_words.changed(before, question) if before else []
    shown = Shown(frame=STALE_CLASS if before else FRAME_CLASS)
    if found.found == "running" and found.job is not None:
        shown.state = [capacity_results.computing(found.job, again=before is not None)]
        shown.job = found.job.id
    elif found.found in {"failed", "cancelled"}:
        shown.state = [capacity_results.failed(found.message, cancelled=found.found == "cancelled")]
    else:
        earlier = "" if before else _earlier(seat)
        shown.state = [capacity_results.to_compute(reasons, has_answer=before is not None, before=earlier)]
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
    return Shown(state=[capacity_results.refused("; ".join(lines))], frame=STALE_CLASS if drawn else FRAME_CLASS)


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


def _differs(drawn: Any, answer: Answer) -> bool:
    if not isinstance(drawn, Mapping):
        return True
    return (drawn.get("digest"), drawn.get("network")) != (answer.question.digest(), answer.network.digest)


# The inspector, the filter, the table of all buses


def inspect(seat: Seat, drawn: Any, selection: Any, theme: Theme) -> Any:
    """Return the inspector's content for what is selected."""
    answer = seat.answer(drawn)
    if answer is None:
        return inspector.nothing_yet()
    kind, key = parse_element(selection) or ("", "")
    network = answer.network
    if kind == "bus" and key in network.buses.ids:
        position = network.buses.ids.index(key)
        curve = seat.desk.curve(answer, key) if network.buses.in_service[position] else None
        return inspector.bus(answer, position, curve, _stop(answer, key), theme)
    if kind == "branch" and key in network.branches.ids:
        gains = {binding.limit.row: reinforced_gain(answer, binding) for binding in _bindings(answer, selection)}
        return inspector.branch(answer, network.branches.ids.index(key), gains)
    return inspector.overview(answer)


def reinforced_gain(answer: Answer, binding: Binding) -> float | None:
    """Return the MW that 10 MW more of a limit bring over all sites at its level, from solving again."""
    wider = allocate(reinforced(answer.prepared, binding.limit, EXTRA_MW), answer.question)
    found = {level.epsilon: level.total_mw for level in wider.levels}
    before = next(level.total_mw for level in answer.result.levels if level.epsilon == binding.level)
    return found[binding.level] - before if binding.level in found else None


def _bindings(answer: Answer, element: str) -> list[Binding]:
    every = (binding for level in answer.result.levels for binding in level.binding)
    return [binding for binding in every if limit_element(binding.limit) == element]


def _stop(answer: Answer, bus: str) -> Why | None:
    """Return why a site stops at its firm capacity, with what more of the limit would bring; None for no site."""
    if bus not in answer.sites() or not answer.result.levels:
        return None
    return why(answer.prepared, answer.question, answer.result, bus)


def shown_positions(seat: Seat, drawn: Any, kv: Any, zone: Any, least: Any) -> list[int] | None:
    """Return the positions of the buses that the filter lets pass, None for all."""
    answer = seat.answer(drawn)
    if answer is None:
        return None
    return capacity_layers.filtered(answer, _number(kv), _zone(zone), _number(least))


def bus_table(seat: Seat, drawn: Any, shown: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows and columns of all buses, or of those that the filter shows."""
    answer = seat.answer(drawn)
    if answer is None:
        return [], capacity_tables.definitions(capacity_tables.bus_columns(seat.network(), ()))
    size = len(answer.network.buses.ids)
    kept = [i for i in shown if isinstance(i, int) and 0 <= i < size] if isinstance(shown, list) else None
    columns = capacity_tables.bus_columns(answer.network, answer.question.epsilons)
    return capacity_tables.bus_rows(answer, kept), capacity_tables.definitions(columns)


def filter_words(shown: Sequence[int] | None, total: int) -> str:
    """Return the words on the filter's button."""
    return "Filter" if shown is None else f"Filter: {len(shown)} of {total}"


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _zone(value: Any) -> str | None:
    return str(value) if value and value != capacity_words.ANY else None


# The sites


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites after a change: their Store, the uniform demand, the text of the table, the word, a message."""

    store: dict[str, list[Any]]
    mw: float | None
    text: str
    word: str
    message: str = ""


def sites_after(buses: Sequence[str], demand_mw: Sequence[float], message: str = "") -> Sites:
    """Return the page's parts for these sites."""
    return Sites(
        store={"bus": list(buses), "mw": list(demand_mw)},
        mw=capacity_words.uniform_mw(demand_mw),
        text=table_text(buses, demand_mw),
        word=sites_words(len(buses)),
        message=message,
    )


def with_demand(sites: Any, mw: Any) -> Sites:
    """Return the sites with ``mw`` asked at each. Raises QuestionError when it is no usable number of MW."""
    buses, _ = capacity_words.sites_of(sites)
    value = _number(mw)
    if value is None:
        raise QuestionError("the demand at each site must be a number of MW above 0")
    return sites_after(buses, [value] * len(buses))


def chosen(seat: Seat, sites: Any, kv: Any, zone: Any, most: Any) -> Sites:
    """Return sites chosen by filter, each with the demand asked at present (the first's, where they differ)."""
    network = seat.network()
    count = _number(most)
    if count is None or count != int(count) or count > capacity_words.MOST_SITES:
        raise QuestionError(f"choose a whole number of sites from 1 to {capacity_words.MOST_SITES}")
    found = choose(network, _number(kv), _zone(zone), int(count))
    if not found:
        raise QuestionError("no bus in service has that voltage in that zone")
    return sites_after(found, [_usual_mw(sites)] * len(found), f"{sites_words(len(found))} chosen")


def from_table(seat: Seat, sites: Any, text: Any) -> Sites:
    """Return the sites of a typed or pasted table."""
    network = seat.network()
    buses, demand = read_table(str(text or ""), network, _usual_mw(sites))
    return sites_after(buses, demand, f"{sites_words(len(buses))} read")


def toggled(seat: Seat, sites: Any, selection: Any) -> Sites:
    """Return the sites with the selected bus added, or taken away when it is one."""
    element = parse_element(selection)
    buses, demand = capacity_words.sites_of(sites)
    if element is None or element[0] != "bus" or element[1] not in seat.network().buses.ids:
        raise QuestionError("select a bus first")
    bus = element[1]
    if bus in buses:
        kept = [(b, mw) for b, mw in zip(buses, demand, strict=True) if b != bus]
        return sites_after([b for b, _ in kept], [mw for _, mw in kept])
    return sites_after([*buses, bus], [*demand, _usual_mw(sites)])


def edited(sites: Any, changes: Any) -> Sites:
    """Return the sites after cells of the table's column Asked were edited."""
    buses, demand = capacity_words.sites_of(sites)
    asked = dict(zip(buses, demand, strict=True))
    for change in changes if isinstance(changes, Sequence) else []:
        if not isinstance(change, Mapping) or change.get("colId") != "asked":
            continue
        bus, value = str(change.get("rowId")), _number(change.get("value"))
        if value is None:
            raise QuestionError(f"the demand at bus {bus} must be a number of MW above 0; remove a site on the map")
        if bus in asked:
            asked[bus] = value
    return sites_after(list(asked), list(asked.values()))


def _usual_mw(sites: Any) -> float:
    _, demand = capacity_words.sites_of(sites)
    return demand[0] if demand else 100.0
