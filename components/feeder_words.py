"""Words, sources and inputs that the parts of the Feeder page share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dash import html

from components.feeder_layers import At, case_said, cases_of, hour_of
from components.format import MINUS, number
from components.why_card import WhyInput
from engine.distribution.question import PRICE_TAKERS

if TYPE_CHECKING:
    from engine.distribution.run import FeederRun

SOURCE_LINEAR = (
    "LinDist3Flow: Arnold et al., Optimal dispatch of reactive power for voltage regulation and balancing in "
    "unbalanced distribution systems, IEEE PES General Meeting, 2016; angles and losses at the point of an AC solution"
)
SOURCE_PRICE = (
    "Dual of the node's balance in the operator's program, divided by stationarity: our formula; the question is that "
    "of arXiv 2606.26328"
)
SOURCE_RANGE = (
    "Least and largest dual over the face of optimal duals, by linear programs at the solved hour; Mangasarian, "
    "Uniqueness of solution in linear programming, Linear Algebra Appl. 25, 1979"
)
SOURCE_AC = "OpenDSS: Dugan and McDermott, IEEE PES General Meeting, 2011"
SOURCE_VUF = "IEC 61000-4-30; Pillay and Manyage, Definitions of voltage unbalance, IEEE Power Eng. Review 21(5), 2001"
SOURCE_PAYMENT = (
    "What a data centre draws, active and reactive, at the prices of its nodes: our formula; the question is that of "
    "arXiv 2606.26328"
)
SOURCE_CHECK = "Each hour again in OpenDSS; limits that AC breaks are tightened and the day is solved again"

METHODS: Mapping[str, str] = {
    "given": "work divided evenly",
    "price taker": "competitive outcome (price taker)",
    "walk": "walk from region to region",
    "regions": "all critical regions",
    "bilevel": "exact, by the payment identity",
    "expansion": "binary expansion (the paper's route, as we rebuild it)",
    "best response": "best response, damped",
}
WHY = "Why these numbers"


def inputs_of(run: "FeederRun") -> list[WhyInput]:
    """Return what every number of a run is made from."""
    told = run.provenance
    date = str(told.get("date", ""))[:10]
    return [
        WhyInput(f"Feeder {run.feeder.name}", str(told.get("feeder_digest", ""))),
        WhyInput("Prices, loads, sun and work of the day", str(told.get("case_digest", ""))),
        WhyInput(f"Question, {method_words(run)}", str(told.get("question_digest", "")), date),
    ]


def takes_prices(run: "FeederRun") -> bool:
    """Return whether the draws are those of data centres that move no price."""
    return run.question.method in PRICE_TAKERS


def method_words(run: "FeederRun") -> str:
    """Return how the draws were decided."""
    question = run.question
    if question.method == "given" and question.draw_kw:
        return "draws as given"
    return METHODS[question.method]


def at_words(run: "FeederRun", at: At) -> str:
    """Return the hour and the case that are looked at: ``19:00, without SVG``."""
    cases = cases_of(run, at)
    shown = case_said(cases[0]) if len(cases) == 1 else "without and with SVG"
    return f"{run.labels[hour_of(run, at)]}, {shown}"


def money(value: float, digits: int = 2) -> str:
    """Return an amount in $ with its cents: a feeder's day is small."""
    return f"{number(value + 0.0 if abs(value) >= 5e-3 else 0.0, digits)} $"


def added(values: list[float], digits: int) -> str:
    """Return a sum written out: ``77.58 + 8.21 − 0.19``."""
    text = ""
    for place, value in enumerate(values):
        shown = number(abs(value), digits) if abs(value) >= 0.5 * 10**-digits else "0"
        minus = value < 0 and shown != "0"
        text += ("\u2212" if minus else "") + shown if place == 0 else (" \u2212 " if minus else " + ") + shown
    return text


def small(value: float, unit: str = "") -> Any:
    """Return a very small number with its power of ten: ``5.3 · 10⁻⁷ p.u.``; one from 0.001 on as it is."""
    tail = f" {unit}" if unit else ""
    if abs(value) < 1e-18:
        return f"0{tail}"
    if abs(value) >= 1e-3:
        return f"{number(value, 4)}{tail}"
    mantissa, power = f"{value:.1e}".split("e")
    raised = html.Sup(str(int(power)).replace("-", MINUS))
    return html.Span([f"{mantissa.replace('-', MINUS)} · 10", raised, tail])
