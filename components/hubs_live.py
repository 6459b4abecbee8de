"""How a search for prices goes: its lines and rows, and two small charts of them that are drawn again while it runs.

They are SVG of the server's own, as a chart of the library takes a second to begin and this one lives for a few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dash import html
from markupsafe import escape

from components.format import count, duration, number, percent
from components.hubs_tables import Rows, tabled
from components.hubs_words import SOURCE_QUICK, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.why_card import WhyInput, why_card

if TYPE_CHECKING:
    from engine.pricing.searched import Searched

STARTS = {
    "together": "from the prices of all as one",
    "alike": "from prices for hubs alike taken as one",
    "none": "from no prices",
    "shaken": "from the best end, shaken",
    "rounded": "from the best end, left by gradients",
    "exact": "from exact prices",
}
_SHORT = {  # of the table, which has no room for more
    "together": "all as one",
    "alike": "hubs alike as one",
    "none": "no prices",
    "shaken": "best end, shaken",
    "rounded": "best end, gradients",
    "exact": "exact prices",
}
EXACT = "C, exact prices"
WIDE, HIGH = 380, 124  # of a chart, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 8, 8, 24
_TICKS = 3
_KINDS = 4  # of lines of starts, in the style sheet
_MANY = 24  # points that are marked


def start_words(start: str) -> str:
    """Return a start in words."""
    return STARTS.get(start, f"from {start}")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: a value holds until the next; ``kind`` is its class in the style sheet."""

    kind: str
    words: str
    x: Sequence[float]
    y: Sequence[float]


def live(found: "Searched | None") -> Part:
    """Return how far the searches are; None before there is anything of them."""
    if found is None or not found.starts:
        return None
    quick, exact = quick_lines(found), exact_lines(found)
    charts = [figure("Quick prices (D), step by step", "step", quick)]
    if exact:
        charts.append(figure("Exact prices (C), second by second", "s", exact))
    columns, listed = rows(found)
    label = "Steps so far"
    return html.Details(
        [
            html.Summary("How the search goes", className="hr-section-title"),
            html.Div(charts, className="hr-hubs-live-charts"),
            html.Details(
                [html.Summary("The same as a table"), tabled("searched", label, columns, listed, heads=heads([_RUNS]))],
                className="hr-hubs-live-rows",
            ),
        ],
        className="hr-hubs-live",
        open=True,
        **{"aria-live": "off"},
    )


_RUNS = WhyInput("the study that runs now; its answer keeps the same rows under Convergence")


_COLUMNS: Mapping[str, tuple[str, str, str]] = {  # of the table of steps: title, formula and note of its card
    "at": ("When a step ended", "", "By a clock, since the search from that start began."),
    "objective": (
        "What the operator makes least, after each step",
        "*F* = α · *E*(δ) + α_{level} ‖δ‖_1 + α_{smooth} ‖*D*_t δ‖_1 + α_{fair} ‖*D*_h δ‖_1",
        "Overloads as hubs answer the prices of that step, and what prices weigh; of exact prices the best so far.",
    ),
    "bound": (
        "What no prices come to less than",
        "*F* ≥ min_x α · *E*(x)",
        "Of quick prices what overloads weigh with all run as one; of exact prices that of the integer program so far.",
    ),
    "promised": (
        "What a step promises",
        "*F*(δ) − *F*_{model}(δ + Δ),  *w* ≈ *w*(δ) + *J* Δ",
        "By the linear model of hubs' answers, within its region. A step without a region goes to the best prices of a "
        "whole piece, in which that model is exact. Shaken prices are looked at the same way: their piece may promise "
        "less than nothing.",
    ),
    "gained": (
        "What a step brings",
        "*F*_{before} − *F*_{after}",
        "0 where it was not taken: one within a region is taken where it brings a tenth of its promise, one without "
        "where it brings anything.",
    ),
    "region": (
        "How far prices may move in a step",
        "‖Δ‖_{∞} ≤ *r*",
        "Twice as far after a step that brought nearly what it promised, a quarter as far after one that brought less "
        "than half; none for the best of a whole piece.",
    ),
}


def heads(inputs: Sequence[WhyInput]) -> dict[str, Part]:
    """Return the card of each column of the table of steps."""
    return {
        name: why_card(title, formula=formula, inputs=inputs, source=SOURCE_QUICK, note=note)
        for name, (title, formula, note) in _COLUMNS.items()
    }


def quick_lines(found: "Searched") -> list[Line]:
    """Return the objective by step from each start, and the bound."""
    lines, last = [], 1
    for place, (start, (now, steps)) in enumerate(found.starts.items()):
        first = steps[0].objective + steps[0].gained if steps else now
        y = [first, *(step.objective for step in steps)]
        last = max(last, len(y) - 1)
        words = f"{start_words(start)}: {dollars(y[-1])}, {count(len(steps), 'step')}"
        lines.append(Line(f"start-{place % _KINDS}", words, list(range(len(y))), y))
    return [*lines, _bound(found, last)]


def exact_lines(found: "Searched") -> list[Line]:
    """Return the best so far and what is proved as time goes; none before the search has found a point."""
    marks = found.marks
    if not marks:
        return []
    times, now = [mark.at_s for mark in marks], marks[-1]
    gap = percent(max(now.objective - now.bound, 0.0) / max(1.0, abs(now.objective)), 1)
    return [
        Line("best", f"best so far: {dollars(now.objective)}", times, [mark.objective for mark in marks]),
        Line("bound", f"no less than {dollars(now.bound)}: gap {gap}", times, [mark.bound for mark in marks]),
    ]


def _bound(found: "Searched", last: int) -> Line:
    return Line("bound", f"no less than {dollars(found.floor)}, whatever hubs do", [0, last], [found.floor] * 2)


def rows(found: "Searched") -> Rows:
    """Return columns and rows: one for each step of quick prices, and for each mark of the search for exact ones."""
    columns = [
        GridColumn("start", "Search"),
        GridColumn("number", "Step", "", "number", digits=0),
        GridColumn("at", "At", "s", "number", digits=1),
        GridColumn("objective", "Objective", "$", "number", digits=2),
        GridColumn("bound", "Bound", "$", "number", digits=2),
        GridColumn("promised", "Promised", "$", "number", digits=3),
        GridColumn("gained", "Gained", "$", "number", digits=3),
        GridColumn("region", "Region", "$/MWh", "number", digits=3),
    ]
    listed = [
        {
            "start": f"D, {_SHORT.get(start, start)}",
            "number": step.number + 1,
            "at": step.at_s,
            "objective": step.objective,
            "bound": found.floor,
            "promised": step.promised,
            "gained": step.gained,
            "region": step.region_per_mwh,
        }
        for start, (_, steps) in found.starts.items()
        for step in steps
    ]
    none = {"promised": None, "gained": None, "region": None}
    return columns, listed + [
        {"start": EXACT, "number": at, "at": mark.at_s, "objective": mark.objective, "bound": mark.bound} | none
        for at, mark in enumerate(found.marks, start=1)
    ]


def figure(title: str, unit: str, lines: Sequence[Line]) -> html.Figure:
    """Return one chart with its key, which says where each line is now."""
    told = "; ".join(line.words for line in lines)
    key = html.Ul(
        [
            html.Li([html.Span(className=f"hr-hubs-live-key hr-hubs-live-{line.kind}"), html.Span(line.words)])
            for line in lines
        ]
    )
    text = _svg(lines, unit, f"{title}: {told}")
    drawn = html.Div(className="hr-hubs-live-drawn", **{"data-static": text})
    return html.Figure([html.Figcaption(title, className="hr-hubs-live-title"), drawn, key])


def _svg(lines: Sequence[Line], unit: str, label: str) -> str:
    far = max(max(line.x) for line in lines) or 1.0
    low, high = (pick([pick(line.y) for line in lines]) for pick in (min, max))
    room = 0.06 * (high - low) or 1.0
    low, high = low - room if low < 0.0 else max(low - room, 0.0), high + room

    def across(x: float) -> float:
        return _LEFT + (WIDE - _LEFT - _RIGHT) * x / far

    def down(y: float) -> float:
        return _TOP + (HIGH - _TOP - _BOTTOM) * (high - y) / (high - low)

    parts = [_axes(low, high, far, unit)]
    for line in lines:
        points = [(across(x), down(y)) for x, y in zip(line.x, line.y, strict=True)]
        path = f"M{points[0][0]:.1f},{points[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
        parts.append(f'<path class="hr-hubs-live-line hr-hubs-live-{escape(line.kind)}" d="{path}"/>')
        if line.kind != "bound":
            shown = points if len(points) <= _MANY else points[-1:]
            parts += [
                f'<circle class="hr-hubs-live-{escape(line.kind)}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
                for x, y in shown
            ]
    return f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _axes(low: float, high: float, far: float, unit: str) -> str:
    """Return the frame of a chart: amounts at the left, steps or seconds below."""
    bottom, right, parts = HIGH - _BOTTOM, WIDE - _RIGHT, []
    digits = 0 if high - low >= 10.0 else 1 if high - low >= 1.0 else 2
    for at in range(_TICKS):
        y = bottom - (bottom - _TOP) * at / (_TICKS - 1)
        value = number(low + (high - low) * at / (_TICKS - 1), digits)
        parts.append(f'<line class="hr-hubs-live-grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        words = f"{value} $" if at == _TICKS - 1 else value
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{escape(words)}</text>')
    last = number(far) if unit == "step" else duration(far)
    parts.append(f'<text x="{_LEFT}" y="{HIGH - 7}">0</text>')
    words = f"{unit} {last}" if unit == "step" else last
    parts.append(f'<text x="{right}" y="{HIGH - 7}" text-anchor="end">{escape(words)}</text>')
    return "".join(parts)
