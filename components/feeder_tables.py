"""What the tables of the Feeder page share: rows as a table with its CSV and its card, and the frame of a chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from markupsafe import escape

from components import feeder_ids
from components.auction_debrief_parts import csv_button
from components.feeder_words import WHY
from components.format import number
from components.skeleton import Part
from components.static import markup
from components.tables import GridColumn
from components.why_card import why_number

Row = Mapping[str, Any]
Columns = list[GridColumn]
MOST_ROWS = 400  # of one table on the page; its CSV holds as many, the files all
CHART_PX = 280
_TALL_PX = 400


def head_of(column: GridColumn) -> str:
    """Return the head of a column with its unit."""
    return f"{column.label}, {column.unit}" if column.unit else column.label


def cell_of(column: GridColumn, value: Any) -> str:
    """Return a value as its column writes it."""
    if column.kind not in ("number", "percent"):
        return "" if value is None else str(value)
    if value is None:
        return number(None)
    return number(float(value) * (100.0 if column.kind == "percent" else 1.0), column.digits or 0)


def tabled(
    name: str,
    label: str,
    columns: Sequence[GridColumn],
    rows: Sequence[Row],
    *,
    why: Part = None,
    note: str = "",
    faces: Mapping[str, str] | None = None,
) -> html.Div:
    """Return rows as a table that scrolls by itself, with its CSV and the card ``why`` of its numbers.

    It is written as HTML at once, as :func:`components.static.static` does. The first column heads the rows; a row
    with ``select`` is a press that selects that element, one with ``marks`` has these classes; ``faces`` names columns
    whose cell is drawn from another key of the row, a Dash part.
    """
    key = f"feeder-table-{name}"
    head = [
        html.Th(head_of(column), scope="col", className="hr-num" if column.kind != "text" else "hr-feeder-text")
        for column in columns
    ]
    body = "".join(_row(columns, row, faces or {}) for row in rows[:MOST_ROWS])
    left = len(rows) - min(len(rows), MOST_ROWS)
    said = f"{note} {number(MOST_ROWS)} of {number(len(rows))} rows are shown.".strip() if left else note
    top = markup(html.Thead(html.Tr(head)))
    table = f'<table class="hr-feeder-table" id="{escape(key)}">{top}<tbody>{body}</tbody></table>'
    under = [
        html.Span(said, className="hr-muted"),
        None if why is None else why_number(f"{key}-why", WHY, why, label=label),
        csv_button(key, f"feeder-{name}", label),
    ]
    scroll = f'<div class="hr-feeder-scroll" tabindex="0" role="group" aria-label="{escape(label)}">{table}</div>'
    text = scroll + markup(html.Div(under, className="hr-feeder-under"))
    return html.Div(className="hr-feeder-tabled", **{"data-static": text})


def _row(columns: Sequence[GridColumn], row: Row, faces: Mapping[str, str]) -> str:
    """Return a row as HTML, escaped: hundreds of them as components would take the server a second."""
    cells = []
    for place, column in enumerate(columns):
        value = row.get(column.name)
        shown: Part = row.get(faces.get(column.name, ""), None)
        drawn = shown is not None
        if not drawn:
            shown = cell_of(column, value)
        numeric = column.kind in ("number", "percent")
        # What a file of the table has: of a cell that is drawn as a card's number it would be the card as well.
        raw = f' data-raw="{escape("" if value is None else str(value))}"' if numeric or drawn else ""
        kind = "hr-num" if numeric else "hr-feeder-text"
        if place == 0 and row.get("select"):
            shown = chooser(shown, str(row["select"]))
        tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
        cells.append(f'<{tag}{scope} class="{kind}"{raw}>{markup(shown)}</{tag}>')
    return f'<tr class="{escape(str(row.get("marks", "")))}">{"".join(cells)}</tr>'


def reasons(tab: str, told: Part, element: str, cards: Mapping[str, Part]) -> html.P:
    """Return what is told above a table, and each number's card, by its name, of the row of ``element``."""
    shown: list[Part] = []
    for words, why in cards.items():
        key = "".join(letter if letter.isalnum() else "-" for letter in words)
        shown += [
            ", " if shown else " ",
            why_number(f"feeder-why-{tab}-{key}", words, why, label=f"{words}, {element}"),
        ]
    return html.P([told, f" Why, for {element}:", *shown, "."], className="hr-muted hr-feeder-told")


def chooser(words: Part, element: str) -> html.Button:
    """Return words that select an element of the page when they are pressed."""
    return html.Button(words, type="button", className="hr-feeder-choose", **{"data-feeder-select": element})


def chart(tab: str, label: str, height_px: int = CHART_PX) -> html.Div:
    """Return the place of a tab's chart; its figure is written late. The table beside it has the same rows."""
    graph = dcc.Graph(
        id=feeder_ids.figure(tab),
        responsive=True,
        style={"height": f"{height_px}px"},
        config={"displayModeBar": False},
    )
    return html.Div(
        # The place is kept until the library of charts is here.
        [
            html.P("Drawing", className="hr-feeder-drawing hr-muted"),
            html.Div(graph, style={"height": f"{height_px}px"}, role="img", **{"aria-label": label}),
        ],
        # One that is taller than the drawer scrolls with its table: what stays in place would hide its lower part.
        className=f"hr-feeder-chart{' hr-feeder-chart-tall' if height_px > _TALL_PX else ''}",
    )
