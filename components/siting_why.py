"""Why a number in a row of the Siting tables is what it is: one card, filled when a number is pressed."""

from dash import html

from components import siting_ids
from components.format import number, percent
from components.siting_answer import Answer
from components.siting_sheet_gate import breaks_card, largest_card, rate_card
from components.siting_sheet_market import metric_card, score_card
from components.siting_site import SiteStudy, share_words
from components.siting_totals import inputs_of
from components.skeleton import Part
from components.why_card import why_card
from engine.siting.sheet import gate_sheet, metric_lines, row_of, score_reasons, site_market

GONE = "this number is not drawn any more: reload the page"
_SCORES = ("place", "score", "low", "high")


def place() -> html.Span:
    """Return the panel of the card; ``assets/90_siting.js`` opens it beside the number that was pressed."""
    return html.Span(
        html.Div(html.P("Working out why", className="hr-muted"), id=f"{siting_ids.WHY_ROW}-panel"),
        className="hr-popover",
        style={"width": "400px"},
        role="dialog",
        **{"aria-label": "Why this number", "data-popover-panel": siting_ids.WHY_ROW, "aria-live": "polite"},
    )


def row_card(answer: Answer, bus_key: str, column: str) -> Part:
    """Return the card of a number: of the bus ``bus_key`` in a column of the ranking or of all candidates."""
    buses = answer.network.buses.ids
    bus = buses.index(bus_key) if bus_key in buses else -1
    if bus not in answer.gate.buses:
        return GONE
    rates = {"rate": answer.drawn.envelope} | {f"rate{place}": name for place, name in enumerate(answer.envelopes)}
    if column in rates:
        return _rate(answer, bus, rates[column])
    broken = {column.replace("rate", "breaks"): name for column, name in rates.items()}
    if column in broken:
        return _breaks(answer, bus, broken[column])
    if column == "largest":
        return _largest(answer, bus)
    return (_score(answer, bus) if column in _SCORES else _metric(answer, bus, column)) or GONE


def _score(answer: Answer, bus: int) -> Part:
    study, ranked = _study(answer), answer.ranked
    row = None if ranked is None else row_of(ranked, bus, answer.drawn.envelope, answer.drawn.size_mw)
    if study is None or ranked is None or row is None:
        return None
    return score_card(
        study, score_reasons(ranked, row), weights=answer.drawn.weights, interval=answer.intervals.get(bus),
        provisional=answer.provisional,
    )  # fmt: skip


def _metric(answer: Answer, bus: int, column: str) -> Part:
    study, market = _study(answer), answer.market
    site = None if market is None else site_market(market, bus, answer.drawn.envelope, answer.drawn.size_mw)
    if study is None or market is None or site is None or not site.served:
        return None
    lines = {f"{line.window}_{line.metric}": line for line in metric_lines(market, site)}
    return metric_card(study, site, lines[column]) if column in lines else None


def _study(answer: Answer) -> SiteStudy | None:
    run, drawn = answer.gate.run, answer.drawn
    if run is None:
        return None
    return SiteStudy(run, answer.market, answer.ranked, drawn.envelope, drawn.size_mw, drawn.threshold)


def _rate(answer: Answer, bus: int, envelope: str) -> Part:
    drawn, study = answer.drawn, _study(answer)
    sheet = gate_sheet(answer.gate.result, bus, envelope, drawn.size_mw, drawn.threshold)
    if study is not None:
        return rate_card(study, sheet)
    hours = len(answer.gate.result.labels)
    return why_card(
        f"{share_words(sheet.low, sheet.high)} of hours and outages pass",
        values=[
            ("hours screened so far", f"{answer.gate.hours_done} of {number(hours)}"),
            ("outages of each hour", number(sheet.outages)),
            ("threshold \u03c4", percent(drawn.threshold)),
        ],
        inputs=inputs_of(answer),
        source="arXiv 2605.14714, stage 1, equation (11)",
        note="Hours that are not screened yet count as open.",
    )


def _breaks(answer: Answer, bus: int, envelope: str) -> Part:
    drawn, gate = answer.drawn, answer.gate
    sheet = gate_sheet(gate.result, bus, envelope, drawn.size_mw, drawn.threshold)
    return breaks_card(gate.result, sheet, gate.outage_words, inputs_of(answer))


def _largest(answer: Answer, bus: int) -> Part:
    drawn = answer.drawn
    sheets = {
        size: gate_sheet(answer.gate.result, bus, drawn.envelope, size, drawn.threshold)
        for size in sorted(answer.question.sizes_mw)
    }
    return largest_card(drawn.envelope, sheets, inputs_of(answer))
