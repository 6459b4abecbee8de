"""How it grows, in the Checks tab: what searches take for how many hubs, of runs that were computed here and measured.

Quick prices promise that time grows at most linearly with hubs; exact ones end with a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dash import html

from components.format import count, duration, number, percent
from components.hubs_tables import Rows, tabled
from components.hubs_view import question_query
from components.skeleton import Part, section
from components.tables import GridColumn
from components.why_card import WhyInput, why_card
from engine.pricing.cases import HOURS
from engine.pricing.compare import NOT_ASKED
from engine.pricing.growth import Grown
from engine.pricing.question import HubQuestion
from engine.pricing.smooth import MOST_WHOLE

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

MEASURED_ON = "2026-11-23"
MACHINE = "one thread on a machine of 2 cores"
MEASURED = (  # by tests/benchmarks/hubs.py
    Grown(30, 68, 10.8, MEASURED_ON),
    Grown(300, 150, 53.7, "2026-11-24"),
    Grown(3000, 107, 178.9, MEASURED_ON),
)
EXACT_S = 60.0  # of exact prices, as measured and as tried
MEASURED_EXACT = (
    Grown(3, 52, 0.7, MEASURED_ON, decisions=705, gap=3.3e-2, exact_s=60.0),
    Grown(6, 79, 2.0, MEASURED_ON, decisions=1359, gap=6.2e-2, exact_s=60.0),
    Grown(12, 89, 4.1, MEASURED_ON, decisions=2730, gap=9.1e-2, exact_s=60.0),
)
LEAST_STEPS = 30  # the first steps move most and take longest: of fewer the mean tells little
HERE, THIS = "computed here", "this answer"


@dataclass(frozen=True, slots=True)
class Try:
    """A size that the reader may try."""

    question: HubQuestion
    words: str


def _fleet(hubs: int, search_s: float) -> Try:
    question = HubQuestion(case="fleet", count=hubs, quick_time_s=search_s, ladder=False)
    return Try(question, f"{count(hubs, 'hub')}, search {duration(search_s)}")


def _exact(hubs: int) -> Try:
    question = HubQuestion(case="fleet", count=hubs, exact=True, exact_time_s=EXACT_S, exact_gap=1e-3, ladder=False)
    return Try(question, f"exact, {count(hubs, 'hub')}, {duration(EXACT_S)}")


TRIES = (_fleet(30, 30.0), _fleet(300, 120.0), _fleet(3000, 240.0))
EXACT_TRIES = (_exact(6), _exact(12))


def growth(run: "HubRun", others: Sequence[Grown]) -> Part:
    """Return the section; ``others`` are what the sizes to try took, of those that were computed here."""
    own = _own(run, others)
    columns, listed = quick_rows(own)
    why = why_card(
        "What a step takes for a hub", formula="*t*_{search} / ( steps · *I* )",
        values=[(f"{number(each.hubs)} hubs, {whose}",
                 f"{number(each.search_s, 1)} s / ({number(each.steps)} · {number(each.hubs)})")
                for whose, each in _listed(own, MEASURED)],
        inputs=[WhyInput("the processor's time on whichever machine computed each row")],
        source="Seconds of the processor for quick prices, from all starts, by their steps",
        note="A step answers every hub once and solves one linear program; what gradients take is counted "
        "too. Where this does not rise from size to "
        f"size, time grows at most linearly. The first steps take longest: fewer than {LEAST_STEPS} tell little.",
    )  # fmt: skip
    gap = why_card(
        "How far exact prices are proved", formula="( *F* − bound ) / max( 1, |*F*| )",
        values=[(f"{number(each.hubs)} hubs, {whose}",
                 f"{percent(each.gap, 1)} with {number(each.decisions)} decisions after {duration(each.exact_s)}")
                for whose, each in _listed(own, MEASURED_EXACT) if each.gap is not None],
        inputs=[WhyInput("the end of each search: its best prices and its bound")],
        source="Branch and bound by HiGHS on the hubs' conditions of optimality, a yes or no for each of their bounds",
        note="Decisions are these yes or no; each more may double what there is to search.",
    )  # fmt: skip
    return section(
        "How it grows",
        html.P(
            "Quick prices (D) promise that time grows at most linearly with hubs: then what a step takes for one hub "
            "does not rise. Try a size and press Compute there; your run joins the table.",
            className="hr-feeder-told",
        ),
        html.P(_large(), className="hr-feeder-told"),
        _links(TRIES),
        tabled(
            "growth",
            "Quick prices as hubs get more",
            columns,
            listed,
            heads=dict.fromkeys(("steps", "search", "step", "each"), why),
            note=f"Measured: {MEASURED_ON}, {MACHINE}. Seconds are the processor's; other machines take other times. "
            "Each row against the one above it of its own kind.",
        ),
        html.P(
            "Exact prices (C) decide yes or no for every bound of every hub, and end with a few hubs.",
            className="hr-feeder-told",
        ),
        _links(EXACT_TRIES),
        tabled(
            "growth-exact",
            "Exact prices as hubs get more",
            *exact_rows(own),
            heads=dict.fromkeys(("decisions", "gap", "time"), gap),
            note=f"Measured: {MEASURED_ON}, {MACHINE}, {EXACT_S:g} s each.",
        ),
    )


def _own(run: "HubRun", others: Sequence[Grown]) -> list[tuple[str, Grown]]:
    """Return this answer and the others, by size; one that is this answer only once."""
    this = Grown.of(run)
    return sorted([(THIS, this), *((HERE, each) for each in others if each != this)], key=lambda one: one[1].hubs)


def _listed(own: Sequence[tuple[str, Grown]], measured: Sequence[Grown]) -> list[tuple[str, Grown]]:
    """Return own runs, then those that were measured, each with whose it is."""
    return [*own, *((f"measured {each.date}", each) for each in measured)]


def _large() -> str:
    """Return what the search does of a large fleet."""
    return (
        f"Beyond {number(MOST_WHOLE)} hubs times hours, {number(MOST_WHOLE // HOURS)} hubs over a day, the search "
        "leaves its best end once more by exact gradients, one adjoint system for each hub, and goes on from there. "
        "Its Convergence tab tells what that brought."
    )


def _links(tries: Sequence[Try]) -> Part:
    links: list[Part] = []
    for each in tries:
        href = f"/hubs?{question_query(each.question)}&tab={quote('checks')}"
        links += [html.A(each.words, href=href, className="hr-button"), " "]
    return html.Div(links, className="hr-hubs-tries")


def quick_rows(own: Sequence[tuple[str, Grown]]) -> Rows:
    """Return columns and rows: own runs by size, then those that were measured."""
    columns = [
        GridColumn("hubs", "Hubs", "", "number", digits=0),
        GridColumn("whose", "Run"),
        GridColumn("steps", "Steps", "", "number", digits=0),
        GridColumn("search", "Search", "s", "number", digits=1),
        GridColumn("step", "One step", "s", "number", digits=3),
        GridColumn("each", "A step for a hub", "ms", "number", digits=2),
        GridColumn("grows", "Against the row above"),
    ]
    rows: list[dict[str, Any]] = []
    for group in (own, _listed([], MEASURED)):
        before: Grown | None = None
        for whose, each in group:
            rows.append({
                "hubs": each.hubs, "whose": whose, "steps": each.steps, "search": each.search_s, "step": each.step_s,
                "each": 1e3 * each.step_s / each.hubs, "grows": _grows(before, each),
            })  # fmt: skip
            before = each
    return columns, rows


def _grows(before: Grown | None, each: Grown) -> str:
    if before is None or before.hubs >= each.hubs or not before.steps or not each.steps:
        return ""
    more, longer = each.hubs / before.hubs, each.step_s / before.step_s
    verdict = "at most linear" if longer <= more else "more than linear"
    if min(before.steps, each.steps) < LEAST_STEPS:
        verdict = "too few steps to tell"
    return f"{_times(more)} the hubs, {_times(longer)} the time: {verdict}"


def _times(factor: float) -> str:
    return f"{number(factor, 1 if factor < 9.95 else 0)} ×"


def exact_rows(own: Sequence[tuple[str, Grown]]) -> Rows:
    """Return columns and rows of exact prices: own runs that asked for them, then those that were measured."""
    columns = [
        GridColumn("hubs", "Hubs", "", "number", digits=0),
        GridColumn("whose", "Run"),
        GridColumn("decisions", "Decisions", "", "number", digits=0),
        GridColumn("gap", "Gap", "%", "percent", digits=1),
        GridColumn("time", "Time", "s", "number", digits=1),
        GridColumn("told", "Ended"),
    ]
    asked = [one for one in own if one[1].exact != NOT_ASKED]
    return columns, [
        {
            "hubs": each.hubs, "whose": whose, "decisions": each.decisions, "gap": each.gap, "time": each.exact_s,
            "told": each.exact or "with prices",
        }
        for whose, each in _listed(asked, MEASURED_EXACT)
    ]  # fmt: skip
