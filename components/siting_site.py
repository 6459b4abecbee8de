"""A siting study as its sheets, catalogue and studies read it, and the small parts that they share."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from components.auction_debrief_parts import csv_button
from components.capacity_sites import bus_words
from components.format import number, percent
from components.icons import icon
from components.skeleton import Part
from components.why_card import WhyInput, why_number
from engine.auction.tables import cells_to_csv
from engine.network.model import Network
from engine.siting.criteria import OwnCriteria
from engine.siting.gate.results import PASSED, UNDECIDED, GateResult
from engine.siting.market_run import MarketRun
from engine.siting.order import AS_THE_SOURCE, OrderBy
from engine.siting.question import SHORTLIST
from engine.siting.run import GateRun
from engine.siting.shortlist import Ranked

SOURCE = "arXiv 2605.14714, stage 1"
SOURCE_MARKET = "arXiv 2605.14714, stage 2, equations (13) to (19)"
SOURCE_RANKING = "arXiv 2605.14714, stage 3, equations (20) to (35); TOPSIS: Hwang and Yoon, 1981"
WHY = "Why these numbers"
MOST_ROWS = 400  # of one small table on the page


@dataclass(frozen=True, slots=True, eq=False)
class SiteStudy:
    """What is drawn: a gate, its market and ranking where they are there, and what the page looks at."""

    run: GateRun
    market: MarketRun | None
    ranked: Ranked | None
    envelope: str
    size_mw: float
    threshold: float
    own: OwnCriteria | None = None  # a reader's own criteria
    by: OrderBy = AS_THE_SOURCE  # how the ranking is made
    top: int = SHORTLIST  # places of the shortlist
    gate_s: float = 0.0  # how long its gate took, 0 where that is not known

    @property
    def network(self) -> Network:
        """Return the network that was screened."""
        return self.run.network

    @property
    def gate(self) -> GateResult:
        """Return the verdicts."""
        return self.run.gate

    def bus(self, element: tuple[str, str] | None) -> int | None:
        """Return the position of the selected bus, None when no bus of the network is selected."""
        if element is None or element[0] != "bus" or element[1] not in self.network.buses.ids:
            return None
        return self.network.buses.ids.index(element[1])

    def words(self, bus: int) -> str:
        """Return a bus in words."""
        return bus_words(self.network, bus)

    def inputs(self, *, market: bool = False) -> list[WhyInput]:
        """Return what the numbers are made from."""
        found = [
            WhyInput("Network", self.network.digest),
            WhyInput(f"Hours and units, {self.run.prepared.case.source}", self.gate.case_digest),
            WhyInput("Outages", self.gate.contingencies_digest),
        ]
        if market and self.market is not None:
            found.append(WhyInput("Market days", str(self.market.facts.get("case", ""))))
        return found


def share_words(low: float, high: float, digits: int = 1) -> str:
    """Return a share that is known, or its bounds: ``97.1 %``, ``93.2-97.1 %``."""
    if high - low < 5e-5:
        return percent(low, digits)
    return f"{number(100 * low, digits)}\u2013{percent(high, digits)}"


def verdict_words(verdict: int) -> str:
    """Return a verdict in a word."""
    return "passes" if verdict == PASSED else "open" if verdict == UNDECIDED else "fails"


def verdict_mark(verdict: int) -> html.Span:
    """Return a verdict with its sign."""
    sign = "fine" if verdict == PASSED else "muted" if verdict == UNDECIDED else "binding"
    return html.Span(
        verdict_words(verdict), className="hr-muted" if sign == "muted" else f"hr-sign-{sign} hr-siting-verdict"
    )


def small_table(
    name: str,
    label: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Part]],
    *,
    text: Iterable[int] = (0,),
    file: str = "",
    note: str = "",
    why: Part = None,
    tall: bool = False,
    whole: str = "",
) -> html.Div:
    """Return a table that scrolls by itself, with its CSV; the columns at the positions ``text`` are text.

    ``note`` stands below it, and ``why`` is the card of its numbers, which is opened there. A cell given as (shown,
    raw) holds ``raw`` in the CSV. Of a very long table the first rows are shown, and told; the browser's CSV has these,
    that at the address ``whole``, see :func:`small_csv`, all.
    Rows without a control travel as text and are drawn by ``assets/90_siting_table.js``: hundreds of Dash components
    would hold up the browser for seconds whenever anything on the page changes.
    """
    words, listed = set(text), list(rows)

    def cell(place: int, given: Any) -> Part:
        shown, raw = given if isinstance(given, tuple) else (given, None)
        more = {} if raw is None else {"data-raw": str(raw)}
        kind = "hr-siting-text" if place in words else "hr-num"
        return (
            html.Th(shown, scope="row", className=kind, **more)
            if place == 0
            else html.Td(shown, className=kind, **more)
        )

    head = [
        html.Th(word, scope="col", className="hr-siting-text" if place in words else "hr-num")
        for place, word in enumerate(heads)
    ]
    key = f"siting-table-{name}"
    body = [html.Tr([cell(place, given) for place, given in enumerate(row)]) for row in listed[:MOST_ROWS]]
    packed = [plain(row.children) for row in body]
    light = all(cells is not None for cells in packed)
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="hr-siting-table", id=key)
    if light:
        content = json.dumps({"key": key, "heads": plain(head), "rows": packed}, separators=(",", ":"))
        table = html.Div(className="hr-siting-drawn", **{"data-siting-table": content})
    left = len(listed) - len(body)
    keep = csv_button(key, file or name, label)
    said = note
    if left:
        said += f" {number(len(body))} of {number(len(listed))} rows are shown{'; the CSV has all' if whole else ''}."
        keep = csv_link(whole, file or name, label) if whole else keep
    return html.Div(
        [
            html.Div(
                table,
                className="hr-siting-scroll" + ("" if tall else " hr-siting-low"),
                tabIndex=0,
                role="group",
                **{"aria-label": label},
            ),
            html.Div(
                [
                    html.Span(said.strip(), className="hr-muted"),
                    None if why is None else why_number(f"{key}-why", WHY, why, label=label),
                    keep,
                ],
                className="hr-siting-under",
            ),
        ],
        className="hr-siting-tabled",
    )


def csv_link(address: str, file: str, label: str) -> html.A:
    """Return the link to a table's CSV that the server writes, with the face of the browser's button."""
    return html.A(
        [icon("download", size=14), html.Span("CSV"), html.Span(f" of {label}", className="visually-hidden")],
        href=address,
        download=f"{file}.csv",
        className="hr-button hr-button-quiet",
    )


def small_csv(heads: Sequence[str], rows: Iterable[Sequence[Part]]) -> str:
    """Return all rows of a :func:`small_table` whose cells are text or (shown, raw) as its CSV has them."""
    return cells_to_csv(heads, [[one[1] if isinstance(one, tuple) else str(one) for one in row] for row in rows])


def plain(part: Part) -> Any:
    """Return text and marks as JSON values, None when there is a control among them."""
    if part is None or isinstance(part, str | int | float):
        return "" if part is None else str(part)
    if isinstance(part, list | tuple):
        listed = [plain(one) for one in part]
        return None if any(one is None for one in listed) else listed
    given = {name: value for name, value in part.to_plotly_json()["props"].items() if name != "children"}
    known = given.pop("className", ""), given.pop("style", None), given.pop("scope", None), given.pop("data-raw", None)
    held = getattr(part, "children", None)
    inner = plain(held)
    if given or inner is None or part._namespace != "dash_html_components":
        return None
    return [part._type.lower(), *known, inner if isinstance(held, list | tuple) else [inner]]


def bar(share: float, words: Part, *, sign: str = "firm") -> html.Div:
    """Return a number with a bar of that length behind it; ``share`` is 0 to 1."""
    width = f"{100 * min(1.0, max(0.0, share)):.2f}%"
    return html.Div(
        [
            html.Span(className=f"hr-siting-bar hr-siting-bar-{sign}", style={"width": width}),
            html.Span(words, className="hr-siting-bar-words"),
        ],
        className="hr-siting-barred",
    )
