"""What tables of the pages Hubs and Resilience share: rows with their CSV and their card, and the frame of a chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from markupsafe import escape

from components import hubs_ids
from components.auction_debrief_parts import csv_button
from components.feeder_tables import MOST_ROWS, cell_of, head_of
from components.format import number
from components.skeleton import Part
from components.static import markup, static
from components.tables import GridColumn
from components.why_card import why_number

Row = Mapping[str, Any]
Rows = tuple[list[GridColumn], list[dict[str, Any]]]
Faces = Mapping[tuple[int, str], Part]
CHART_PX = 300
WHY = "How it is computed"
_CLEAR = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}


def tabled(
    name: str,
    label: str,
    columns: Sequence[GridColumn],
    rows: Sequence[Row],
    *,
    why: Part = None,
    note: str = "",
    faces: Faces | None = None,
    heads: Mapping[str, Part] | None = None,
    page: str = hubs_ids.PAGE,
) -> html.Div:
    """Return rows as a table that scrolls by itself, with its CSV and the card ``why`` of its numbers.

    The first column heads the rows; a row with ``select`` is a press that selects that element, one with ``marks`` has
    these classes. ``faces`` has the cards of single numbers, by the place of the row and the name of the column;
    ``heads`` the card of all numbers of a column, by its name.
    """
    key = f"{page}-table-{name}"
    head = [_head(column, f"{key}-head-{column.name}", (heads or {}).get(column.name)) for column in columns]
    own = {spot: (f"{key}-why-{spot[0]}-{spot[1]}", why_) for spot, why_ in (faces or {}).items()}
    body = "".join(_row(columns, row, at, own, page) for at, row in enumerate(rows[:MOST_ROWS]))
    left = len(rows) > MOST_ROWS
    said = f"{note} {number(MOST_ROWS)} of {number(len(rows))} rows are shown.".strip() if left else note
    top = markup(html.Thead(html.Tr(head)))
    table = f'<table class="hr-feeder-table" id="{escape(key)}">{top}<tbody>{body}</tbody></table>'
    under = [
        html.Span(said, className="hr-muted"),
        None if why is None else why_number(f"{key}-why", WHY, why, label=label),
        csv_button(key, f"{page}-{name}", label),
    ]
    scroll = f'<div class="hr-feeder-scroll" tabindex="0" role="group" aria-label="{escape(label)}">{table}</div>'
    text = scroll + markup(html.Div(under, className="hr-feeder-under"))
    return html.Div(className="hr-feeder-tabled", **{"data-static": text})


def _head(column: GridColumn, target: str, why: Part) -> html.Th:
    """Return the head of a column, which opens the card ``why`` where there is one."""
    words = head_of(column)
    kind = "hr-num" if column.kind != "text" else "hr-feeder-text"
    if why is None:
        return html.Th(words, scope="col", className=kind)
    return html.Th(why_number(target, words, why, label=words), scope="col", className=kind, **{"data-raw": words})


def _row(
    columns: Sequence[GridColumn], row: Row, at: int, faces: Mapping[tuple[int, str], tuple[str, Part]], page: str
) -> str:
    """Return a row as HTML, escaped: hundreds of them as components would take the server a second."""
    cells = []
    for place, column in enumerate(columns):
        value = row.get(column.name)
        numeric = column.kind in ("number", "percent")
        # What a file of the table has: of a cell that opens a card it would be the card as well.
        told = numeric or (at, column.name) in faces
        raw = f' data-raw="{escape("" if value is None else str(value))}"' if told else ""
        kind = "hr-num" if numeric else "hr-feeder-text"
        shown: Part = cell_of(column, value)
        if (at, column.name) in faces:
            target, why = faces[at, column.name]
            shown = why_number(target, shown, why, label=f"{column.label}, {row.get(columns[0].name)}")
        if place == 0 and row.get("select"):
            shown = chooser(shown, str(row["select"]), page)
        tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
        cells.append(f'<{tag}{scope} class="{kind}"{raw}>{markup(shown)}</{tag}>')
    return f'<tr class="{escape(str(row.get("marks", "")))}">{"".join(cells)}</tr>'


def chooser(words: Part, element: str, page: str = hubs_ids.PAGE) -> html.Button:
    """Return words that select an element of the page when they are pressed."""
    return html.Button(words, type="button", className="hr-feeder-choose", **{f"data-{page}-select": element})


def reasons(tab: str, told: str, element: str, cards: Mapping[str, Part]) -> html.Div:
    """Return what is told above a grid, and each number's card, by its name, of the row of ``element``."""
    shown: list[Part] = []
    for words, why in cards.items():
        key = "".join(letter if letter.isalnum() else "-" for letter in words)
        shown += [", " if shown else " ", why_number(f"hubs-why-{tab}-{key}", words, why, label=f"{words}, {element}")]
    return static(
        html.Div([told, f"{' ' if told else ''}Why, for {element}:", *shown, "."], className="hr-muted hr-feeder-told")
    )


def chart(tab: str, label: str, height_px: int = CHART_PX, figure: str = "") -> html.Div:
    """Return the place of a tab's chart; its ``figure``, by its id, is written late. A table beside has its rows."""
    graph = dcc.Graph(
        id=figure or hubs_ids.figure(tab),
        figure={"layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}, **_CLEAR}},  # until there is one
        responsive=True,
        style={"height": f"{height_px}px"},
        config={"displayModeBar": False},
    )
    return html.Div(
        html.Div(graph, style={"height": f"{height_px}px"}, role="img", **{"aria-label": label}),
        className=f"hr-feeder-chart hr-hubs-chart-{tab}",
    )


def hour_ticks(labels: Sequence[str]) -> dict[str, Any]:
    """Return an x axis of periods that are counted from 0, with few enough of their labels."""
    count = len(labels)
    step = 1 if count <= 8 else 3 if count <= 24 else max(6, count // 12)
    ticks = list(range(0, count, step))
    return {"tickvals": ticks, "ticktext": [labels[k] for k in ticks], "range": [-0.6, count - 0.4]}
