"""The comparison of two settings as a page: both questions, totals, the difference map, the inspector, the table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from components import capacity_layers, difference_ids, ids
from components import difference as diff
from components.capacity_sites import bus_words
from components.difference import LABELS, Pair, Quantity, Row
from components.drawing import MapContent
from components.drawing_capacity import MOST_NAMED, points_of
from components.drawing_labels import Label
from components.drawing_sheet import Caption
from components.format import MISSING, count, megawatts
from components.grid_map import Bounds, grid_map, layers_data
from components.icons import icon
from components.skeleton import Part, button, facts, page, popover, section, state, totals, workbench
from components.tables import GridColumn, grid, tools
from components.why_card import WhyInput, why_card, why_number

TITLE = "Comparison of two settings"
PAGE = ids.DIFFERENCE
_MOST_LISTED = 5

_NAME = GridColumn("name", "Substation", width=150)
_COLUMNS = (
    GridColumn("id", "Bus", width=96, pinned=True),
    GridColumn("a", "A", "MW", "number", width=110),
    GridColumn("b", "B", "MW", "number", width=110),
    GridColumn("difference", "B \u2212 A", "MW", "number", width=130, help="Positive: B gives more"),
    GridColumn("a_limit", "Limited by in A", width=250),
    GridColumn("b_limit", "Limited by in B", width=250),
)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page is opened with."""

    study: str
    pair: Pair
    sides: Mapping[str, Any]  # of the Store
    quantity: Quantity
    bounds: Bounds
    geographic: bool
    texas: bool
    map_urls: tuple[str, str]
    ways: Mapping[str, str]  # "a", "b": the address of each on the Capacity page; "swap"
    stale: Sequence[str] = ()  # which side is of an earlier network than the study's


def layout(opened: Opened) -> html.Main:
    """Return the page."""
    pair = opened.pair
    bench = workbench(
        PAGE,
        grid_map(
            PAGE,
            bounds=opened.bounds,
            buses_url=opened.map_urls[0],
            branches_url=opened.map_urls[1],
            geographic=opened.geographic,
            outlines=("states", "texas") if opened.texas else ("states",),
            layers=diff.layers(pair),
            layer=opened.quantity,
            data=map_data(pair),
        ),
        overview(pair, opened.quantity),
        grid(PAGE, columns(pair), table_rows(pair, opened.quantity), label="A, B and the difference"),
        totals=totals_of(pair, opened.quantity),
        drawer_title="Table",
        drawer_tools=_tools(),
    )
    return page(
        dcc.Store(id=difference_ids.STUDY, data=opened.study),
        dcc.Store(id=difference_ids.SIDES, data=dict(opened.sides)),
        _head(opened),
        bench,
        title=TITLE,
        class_name="hr-difference",
    )


def missing(lines: Sequence[str], ways: Mapping[str, str]) -> html.Main:
    """Return the page when a side has no answer: which, why, and the way to compute it."""
    links = [
        html.A(words, href=href, className="hr-button hr-button-primary" if place == 0 else "hr-button")
        for place, (words, href) in enumerate(ways.items())
    ]
    ask = html.Div(links, className="hr-difference-ways")
    words = "Both answers are needed to compare them."
    told = state("empty", words, title="Nothing to compare yet", details=list(lines), action=ask)
    return page(html.Div(told, className="hr-capacity-alone"), title=TITLE)


def map_data(pair: Pair) -> dict[str, Any]:
    """Return the Store of the map: the difference layers, rings at the sites of A or B.

    What binds is not marked: its colour is too near to that of "B more".
    """
    sites = list(dict.fromkeys([*pair.b.result.candidates, *pair.a.result.candidates]))
    return layers_data(diff.layers(pair), candidates=capacity_layers.site_positions(pair.network, sites))


def totals_of(pair: Pair, quantity: Quantity) -> html.Dl:
    """Return the key numbers, each with its card: what B gives more or less than A, and to how many sites."""
    (a_firm, a_all), (b_firm, b_all) = diff.totals_mw(pair.a), diff.totals_mw(pair.b)
    counted: Quantity = quantity if quantity.startswith("sites") else "sites-firm"
    rows = diff.rows(pair, counted)
    more = [row for row in rows if row.difference_mw >= diff.SAME_MW]
    less = [row for row in rows if row.difference_mw <= -diff.SAME_MW]
    label = "With flexible, B \u2212 A"
    sites = why_card(
        f"{len(more)} of {count(len(rows), 'site')} get more in B, {len(less)} less",
        formula="Δ*c*_n = *c*_n^{B} − *c*_n^{A}",
        values=[(_title_of(pair, row.bus), f"{diff.signed(row.difference_mw)} MW") for row in _largest(more + less)],
        inputs=_inputs(pair),
        source="both answers as they are kept; a site that one of them lacks has 0 MW there",
        note=f"{LABELS[counted]}; a difference under {diff.SAME_MW:g} MW counts as none.",
    )
    return totals(
        [
            _total_cell(pair, "Firm, B \u2212 A", "firm", a_firm, b_firm),
            _total_cell(pair, label, "flexible", a_all, b_all),
            {"label": LABELS[counted],
             "value": why_number(f"{PAGE}-why-sites", f"{len(more)} more, {len(less)} less", sites, label="sites"),
             "note": f"of {count(len(rows), 'site')} in A or B"},
        ]
    )  # fmt: skip


def _total_cell(pair: Pair, label: str, sign: str, a_mw: float, b_mw: float) -> dict[str, Any]:
    card = why_card(
        f"{label}: {diff.signed(b_mw - a_mw)} MW",
        formula="Δ*C* = Σ_n *c*_n^{B} − Σ_n *c*_n^{A}",
        values=[
            ("Σ *c*^{B}", megawatts(b_mw)),
            ("Σ *c*^{A}", megawatts(a_mw)),
            ("Δ*C*", f"{diff.signed(b_mw - a_mw)} MW"),
        ],
        binds=[_sentence(line) for line in diff.differs(pair)],
        inputs=_inputs(pair),
        source="both answers as they are kept",
    )
    shown = why_number(f"{PAGE}-why-{sign}", diff.signed(b_mw - a_mw), card, label=label)
    note = f"A {megawatts(a_mw)}, B {megawatts(b_mw)}"
    return {"label": label, "value": shown, "unit": "MW", "sign": sign, "note": note}


def _largest(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -abs(row.difference_mw))[:_MOST_LISTED]


def _title_of(pair: Pair, bus: str) -> str:
    return _name(pair, bus) or f"Bus {bus}"


def _inputs(pair: Pair) -> list[WhyInput]:
    """Return the questions of A and B, each with its network, hash and date."""
    found = []
    for name, answer in (("A", pair.a), ("B", pair.b)):
        origin = answer.result.provenance
        date = f"{origin.network}, {origin.date[:16].replace('T', ' ')} UTC"
        found.append(WhyInput(f"question {name}", origin.question_digest, date))
    return found


def overview(pair: Pair, quantity: Quantity) -> html.Div:
    """Return what differs, and where B gives most more and most less."""
    lines = diff.differs(pair)
    known = [row for row in diff.rows(pair, quantity) if not math.isnan(row.difference_mw)]
    ordered = sorted(known, key=lambda row: row.difference_mw)
    less = [row for row in ordered if row.difference_mw <= -diff.SAME_MW][:_MOST_LISTED]
    more = [row for row in reversed(ordered) if row.difference_mw >= diff.SAME_MW][:_MOST_LISTED]
    parts: list[Part] = [
        section("What differs", html.Ul([html.Li(_sentence(line)) for line in lines]) if lines else
                html.P("Nothing: A and B are the same question on the same network.")),
        section(f"{LABELS[quantity]}: most more in B", _listed(pair, more, "no bus gets more in B")),
        section(f"{LABELS[quantity]}: most less in B", _listed(pair, less, "no bus gets less in B")),
    ]  # fmt: skip
    return html.Div(parts)


def of_bus(pair: Pair, quantity: Quantity, bus: str) -> html.Div:
    """Return one bus: every quantity in A and in B, and what stops it in each."""
    known = bus in pair.network.buses.ids
    words = bus_words(pair.network, pair.network.buses.ids.index(bus)) if known else f"Bus {bus}, not in B's network"
    parts: list[Part] = [html.H3(words, className="hr-capacity-title")]
    order = [quantity, *(other for other in diff.offered(pair) if other != quantity)]
    for one in order:
        row = next((row for row in diff.rows(pair, one) if row.bus == bus), None)
        if row is None:
            continue
        parts.append(
            section(
                LABELS[one],
                facts(
                    [
                        ("A", megawatts(row.a_mw)),
                        ("B", megawatts(row.b_mw)),
                        (
                            "B \u2212 A",
                            MISSING
                            if row.difference_mw != row.difference_mw
                            else f"{diff.signed(row.difference_mw)} MW",
                        ),
                        ("Limited by in A", row.a_limit or MISSING),
                        ("Limited by in B", row.b_limit or MISSING),
                    ]
                ),
            )
        )
    if len(parts) == 1:
        parts.append(html.P("This bus is a site of neither A nor B.", className="hr-muted"))
    return html.Div(parts)


def columns(pair: Pair) -> list[GridColumn]:
    """Return the columns of the table; a network without names has none for them."""
    named = [_NAME] if any(pair.network.buses.names) else []
    return [_COLUMNS[0], *named, *_COLUMNS[1:]]


def table_rows(pair: Pair, quantity: Quantity) -> list[dict[str, Any]]:
    """Return the rows of the table: of the quantity that the map shows."""
    return [
        {
            "id": row.bus,
            "name": _name(pair, row.bus),
            "a": _sent(row.a_mw),
            "b": _sent(row.b_mw),
            "difference": _sent(row.difference_mw),
            "a_limit": row.a_limit,
            "b_limit": row.b_limit,
        }
        for row in diff.rows(pair, quantity)
    ]


def drawn(pair: Pair, quantity: Quantity) -> tuple[MapContent, Caption]:
    """Return the difference map to be drawn as a file, with its words."""
    rows = {row.bus: row for row in diff.rows(pair, quantity)}
    network = pair.network
    small = len(network.buses.ids) <= MOST_NAMED
    sites = set(pair.a.result.candidates) | set(pair.b.result.candidates)
    labels = [
        Label(f"{bus}: {diff.signed(rows[bus].difference_mw)} MW" if small and bus in rows else bus, i)
        for i, bus in enumerate(network.buses.ids)
        if small or bus in sites
    ]
    a, b = pair.a.result.provenance, pair.b.result.provenance
    caption = Caption(
        title="What changes from A to B: " + ("; ".join(diff.differs(pair)) or "nothing"),
        subtitle=f"{LABELS[quantity]}: {diff.note_of(pair, quantity)}",
        lines=(
            f"A: {diff.sentence(pair.a)} Network {a.network_digest[:12]}, question {a.question_digest[:12]}, computed "
            f"{a.date[:16].replace('T', ' ')} UTC.",
            f"B: {diff.sentence(pair.b)} Network {b.network_digest[:12]}, question {b.question_digest[:12]}, computed "
            f"{b.date[:16].replace('T', ' ')} UTC.",
            f"{b.network}. Data: {b.data}.".replace("..", "."),
        ),
        use=_use(pair, quantity),
        date=max(a.date, b.date),
    )
    return MapContent(network.tables, points_of(network), map_data(pair), quantity, labels=labels), caption


def _use(pair: Pair, quantity: Quantity) -> str:
    known = list(
        dict.fromkeys(str(row[name]) for row in diff.export_rows(pair, quantity)[:1] for name in ("a_use", "b_use"))
    )
    return "; ".join(known)


def _head(opened: Opened) -> html.Section:
    pair, ways = opened.pair, opened.ways
    lines = diff.differs(pair)
    changes = _sentence("; ".join(lines)) if lines else "Nothing differs."
    return html.Section(
        [
            html.P(
                [html.Strong("What changes from A to B? "), changes],
                className="hr-difference-words",
            ),
            html.Div([_side("A", pair.a, ways["a"], opened.stale), _side("B", pair.b, ways["b"], opened.stale)],
                     className="hr-difference-sides"),
            html.A([icon("redo", size=14), "Swap A and B"], href=ways["swap"], className="hr-button hr-button-quiet"),
        ],
        className="hr-question hr-difference-head",
        **{"aria-label": "The two settings"},
    )  # fmt: skip


def _side(letter: str, answer: Any, href: str, stale: Sequence[str]) -> html.P:
    parts: list[Part] = [html.Strong(f"{letter}: "), html.A(diff.sentence(answer), href=href)]
    if letter in stale:
        parts.append(html.Span("Stale: of an earlier state of the network.", className="hr-difference-stale"))
    return html.P(parts)


def _tools() -> html.Div:
    exports = html.Div(
        [
            html.P("The quantity that shows, with both questions. Indicative only.", className="hr-muted"),
            *(
                button(words, difference_ids.export(kind))
                for kind, words in (("csv", "Table as CSV"), ("svg", "Map as SVG"), ("png", "Map as PNG"))
            ),
        ],
        className="hr-capacity-exports",
    )
    return html.Div(
        [
            tools(PAGE, label="Filter the table", csv_name="difference.csv").children[0],
            popover(difference_ids.EXPORT, [icon("download", size=14), html.Span("Export")], exports, label="Export",
                    class_name="hr-button hr-button-quiet", width=260),
        ],
        className="hr-grid-tools",
    )  # fmt: skip


def _listed(pair: Pair, rows: Sequence[Row], none: str) -> Part:
    if not rows:
        return html.P(_sentence(none) + ".", className="hr-muted")
    return html.Ul(
        [
            html.Li(
                [
                    html.Button(
                        _name(pair, row.bus) or f"Bus {row.bus}", type="button", className="hr-capacity-link",
                        **{"data-difference-select": f"bus:{row.bus}"},
                    ),
                    html.Span(diff.row_words(row), className="hr-muted"),
                ]
            )
            for row in rows
        ],
        className="hr-capacity-binds hr-difference-listed",
    )  # fmt: skip


def _name(pair: Pair, bus: str) -> str:
    for answer in (pair.b, pair.a):
        if bus in answer.network.buses.ids:
            return answer.network.buses.names[answer.network.buses.ids.index(bus)]
    return ""


def _sent(value: float) -> Any:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return round(value, 6) + 0.0


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
