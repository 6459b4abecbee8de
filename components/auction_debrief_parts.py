"""What the parts of a debrief share: a table that can be kept as CSV, a chart with its table, a number with its why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html

from components import auction_ids
from components.format import MINUS, number
from components.icons import icon
from components.skeleton import Part
from components.theme import styled
from components.why_card import why_card, why_number
from engine.auction.debrief import Debrief
from engine.auction.debrief_why import Why

MOST_ROWS = 200  # of one table on the page; the files have all
MOST_IN_CARD = 12
MOST_NAMED = 24  # products of a bundle that are named
CHART_PX = 320


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its head, and whether it holds numbers."""

    label: str
    unit: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What a reader sees, and what a CSV holds instead."""

    shown: Part
    raw: str | float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``marks`` are classes that shade it."""

    cells: Sequence[Any]
    marks: str = ""


def amount(value: float | None, digits: int = 2) -> str:
    """Return an amount with no more digits than it has, two at most."""
    if value is None:
        return number(None)
    rounded = round(value, digits)
    places = next((d for d in range(digits) if abs(rounded - round(rounded, d)) < 1e-9), digits)
    return number(rounded, places)


def money(value: float | None, currency: str) -> str:
    """Return an amount with its currency unit."""
    return f"{amount(value)} {currency}"


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    text = amount(value)
    return text if value is None or text == "0" or value < 0 else f"+{text}"


def numbered(value: float | None) -> Cell:
    """Return a number as a cell."""
    return Cell(amount(value), None if value is None else round(value, 6))


def table(
    name: str,
    label: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    file: str = "",
    keep: Part = None,
    note: str = "",
) -> html.Div:
    """Return a table that scrolls by itself, with a button that keeps it as CSV; the first cell of a row heads it.

    Of a long one the first rows are shown. ``keep`` takes the place of that button, ``note`` of the words beside it.
    """
    head = html.Tr(
        [
            html.Th(
                f"{column.label}, {column.unit}" if column.unit else column.label,
                scope="col",
                className="hr-num" if column.number else "",
            )
            for column in columns
        ]
    )
    body = [_row(row, columns) for row in rows[:MOST_ROWS]]
    key = f"debrief-table-{name}"
    left_out = len(rows) - len(body)
    said = f"{number(len(body))} of {number(len(rows))} rows are shown; the files below have all." if left_out else ""
    return html.Div(
        [
            html.Div(
                html.Table([html.Thead(head), html.Tbody(body)], className="hr-worked-table", id=key),
                className="hr-worked-scroll",
                tabIndex=0,
                role="group",
                **{"aria-label": label},
            ),
            html.Div(
                [
                    html.Span(note or said, className="hr-muted"),
                    keep if keep is not None else csv_button(key, file or name, label),
                ],
                className="hr-debrief-under",
            ),
        ],
        className="hr-debrief-table",
    )


def csv_button(table_id: str, file: str, label: str) -> html.Button:
    """Return the button that keeps a table of the page as CSV; it works in the browser."""
    return html.Button(
        [icon("download", size=14), html.Span("CSV"), html.Span(f" of {label}", className="visually-hidden")],
        type="button",
        className="hr-button hr-button-quiet",
        **{"data-debrief-csv": table_id, "data-file": f"{file}.csv"},
    )


def _row(row: Row, columns: Sequence[Column]) -> html.Tr:
    cells = []
    for place, (cell, column) in enumerate(zip(row.cells, columns, strict=True)):
        shown, raw = (cell.shown, cell.raw) if isinstance(cell, Cell) else (cell, None)
        more: dict[str, Any] = {} if not isinstance(cell, Cell) else {"data-raw": "" if raw is None else str(raw)}
        kind = "hr-num" if column.number else ""
        cells.append(
            html.Th(shown, scope="row", className=kind, **more)
            if place == 0
            else html.Td(shown, className=kind, **more)
        )
    return html.Tr(cells, className=row.marks)


def chart(name: str, figure: go.Figure, label: str, twin: html.Div, *, height: int = CHART_PX) -> html.Div:
    """Return a chart with its table: the same rows, behind a press."""
    graph = dcc.Graph(
        id=auction_ids.debrief_figure(name),
        figure=styled(figure, key=name),
        responsive=True,
        style={"height": f"{height}px"},
        config={"displayModeBar": False},
    )
    return html.Div(
        [
            # The place is kept until the library of charts is here.
            html.Div(graph, style={"height": f"{height}px"}, role="img", **{"aria-label": label}),
            html.Details([html.Summary("The same as a table"), twin], className="hr-worked-details"),
        ],
        className="hr-debrief-chart",
    )


def told(debrief: Debrief, key: str, text: Part, label: str, *, extra: Sequence[str] = ()) -> Part:
    """Return a number with its reason, where the debrief has one; else the number alone."""
    why = debrief.why.get(key)
    if why is None:
        return text
    return why_number(why_id(key), text, card(why, extra), label=label)


def why_id(key: str) -> str:
    """Return the id of a number's button."""
    return f"debrief-why-{''.join(letter if letter.isalnum() else '-' for letter in key)}"


def card(why: Why, binds: Sequence[str] = ()) -> html.Div:
    """Return a reason of the engine as the card of a number."""
    values = [(symbol, _value(value, unit)) for symbol, value, unit in why.values]
    if len(values) > MOST_IN_CARD:
        values = [*values[: MOST_IN_CARD - 1], ("…", f"{number(len(values) - MOST_IN_CARD + 1)} more")]
    note = f"{why.note[:1].upper()}{why.note[1:]}." if why.note else None
    return why_card(
        why.label, formula=why.formula.replace(" - ", f" {MINUS} "), values=values, binds=binds, note=note,
        source=why.source,
    )  # fmt: skip


def _value(value: float | int | str, unit: str) -> str:
    text = value if isinstance(value, str) else amount(value, 4 if not unit else 2)
    return f"{text} {unit}".rstrip()


def codes(count: int) -> list[str]:
    """Return short names of bidders for a cell: A to Z, then AA and on."""
    found = []
    for place in range(count):
        letters, rest = "", place
        while True:
            letters = chr(ord("A") + rest % 26) + letters
            rest = rest // 26 - 1
            if rest < 0:
                break
        found.append(letters)
    return found


def lot_name(lot: Mapping[str, Any]) -> str:
    """Return a product's name, with its number of blocks where it has several."""
    name, quantity = str(lot["name"]), int(lot["quantity"])
    return name if quantity == 1 else f"{name} ({quantity} blocks)"


def bundle_words(
    pairs: Sequence[Sequence[Any]], places: Mapping[str, int], names: Mapping[str, str] | None = None
) -> str:
    """Return a bundle as the numbers of its products (``1, 3``), or by their names where they are given.

    Of many products the first are named.
    """
    said = []
    for lot, blocks in pairs[:MOST_NAMED]:
        one = names[lot] if names is not None else number(places[lot] + 1)
        said.append(one if blocks == 1 else f"{number(blocks)} of {one}")
    if len(pairs) > MOST_NAMED:
        return f"{', '.join(said)} and {number(len(pairs) - MOST_NAMED)} more"
    return ", ".join(said) or "nothing"
