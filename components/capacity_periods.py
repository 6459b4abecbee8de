"""The parts of the year as steps: the switch above the map, the columns of the sites, the chart in the inspector."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
import plotly.graph_objects as go
from dash import dcc, html

from components import capacity_ids
from components.capacity_answer import Answer, level_words, short_limit
from components.capacity_sites import bus_words
from components.format import megawatts, number
from components.icons import icon
from components.skeleton import Part, section
from components.tables import GridColumn, safe_cell
from components.theme import Theme, styled, token
from engine.capacity.products import indicative
from engine.capacity.results import CapacityResult

YEAR = "year"  # what the switch holds while the year round is drawn
YEAR_WORDS = "Year round"
_SAME_MW = 0.05  # prints as the same number
_TITLES = {"season": "By season", "month": "By month", "block": "By block of hours"}


def stepper(step: str = "") -> html.Div:
    """Return the switch of periods, hidden until an answer has some. Arrow keys move it, so do the two buttons."""
    return html.Div(
        [
            html.Span("Drawn:", className="hr-muted"),
            _move(-1, "The period before"),
            dbc.RadioItems(
                id=capacity_ids.PERIOD,
                name=capacity_ids.PERIOD,
                options=[{"label": YEAR_WORDS, "value": YEAR}, *([{"label": step, "value": step}] if step else [])],
                value=step or YEAR,
                class_name="hr-segments",
            ),
            _move(1, "The next period"),
        ],
        id=f"{capacity_ids.PERIOD}-steps",
        className="hr-capacity-steps",
        role="group",
        hidden=True,
        **{"aria-label": "Period that is drawn"},
    )


def _move(by: int, label: str) -> html.Button:
    return html.Button(
        icon("chevron", size=16),
        type="button",
        className=f"hr-button hr-button-icon hr-capacity-step-{'back' if by < 0 else 'on'}",
        **{"aria-label": label, "title": label, "data-capacity-step": str(by)},
    )


def options(answer: Answer) -> list[dict[str, str]]:
    """Return what the switch offers: the year round, then each period."""
    names = [name for name, _ in answer.periods]
    return [{"label": YEAR_WORDS, "value": YEAR}, *({"label": name, "value": name} for name in names)]


def period_words(answer: Answer) -> str:
    """Return which part of the year is drawn, "" where an answer has none."""
    if not answer.periods:
        return ""
    return answer.period or "the least of all periods"


# The table of sites


def columns(answer: Answer) -> list[GridColumn]:
    """Return a column of firm MW per period, and the one that says which period decides the year-round number."""
    if not answer.periods:
        return []
    made = [
        GridColumn(f"period{k}", name, "MW", "number", width=112, sign="firm", help=f"Firm in {name}")
        for k, (name, _) in enumerate(answer.periods)
    ]
    return [*made, GridColumn("decides", "Decided by", width=150, help="The period with the least firm capacity")]


def cells(answer: Answer, place: int) -> dict[str, Any]:
    """Return what those columns hold for one site."""
    if not answer.periods:
        return {}
    row: dict[str, Any] = {f"period{k}": _firm(result, place) for k, (_, result) in enumerate(answer.periods)}
    return row | {"decides": ", ".join(deciding(answer, place))}


def deciding(answer: Answer, place: int | None) -> list[str]:
    """Return the periods whose firm capacity, at a site or over all, is the least of the year; all: "every period"."""
    sizes = {name: _firm(result, place) or 0.0 for name, result in answer.periods}
    if not sizes:
        return []
    least = min(sizes.values())
    named = [name for name, size in sizes.items() if size <= least + _SAME_MW]
    return ["every period"] if len(named) == len(sizes) > 1 else named


def _firm(result: CapacityResult, place: int | None) -> float | None:
    return _level(result, place, 0)


def _level(result: CapacityResult, place: int | None, level: int) -> float | None:
    """Return the MW of a level at one site, or of all sites; None where limits are exceeded before any addition."""
    if not result.levels:
        return None
    found = result.levels[level]
    return found.total_mw if place is None else found.capacity_mw[place]


# The inspector


def year_section(answer: Answer, place: int | None, theme: Theme) -> Part:
    """Return the chart of the year and its table, for one site or for all; None without periods."""
    if not answer.periods:
        return None
    decided = ", ".join(deciding(answer, place))
    where = "of all sites" if place is None else "here"
    graph = dcc.Graph(
        id=capacity_ids.YEAR,
        figure=year_figure(answer, place, theme),
        responsive=True,
        style={"height": "170px"},
        config={"displayModeBar": False},
    )
    return section(
        _TITLES.get(answer.question.period, "Through the year"),
        html.Div(graph, style={"height": "170px"}),  # the place is kept until the library of charts is here
        html.P(f"The year-round number {where} is decided by {decided}.", className="hr-muted"),
        _table(answer, place),
        html.Button(
            [icon("download", size=14), html.Span("CSV of the periods")],
            type="button",
            className="hr-button hr-button-quiet",
            **{"data-capacity-press": f"{capacity_ids.YEAR}-pressed"},
        ),
    )


def year_figure(answer: Answer, place: int | None, theme: Theme = "light") -> go.Figure:
    """Return firm and total per period as steps, the one that is drawn edged; year-round firm capacity as a line."""
    names = [name for name, _ in answer.periods]
    firm = [_level(result, place, 0) for _, result in answer.periods]
    drawn = [2.5 if name == answer.period else 0 for name in names]
    edge = {"color": token("text", theme), "width": drawn}
    traces = [
        go.Bar(
            x=names,
            y=firm,
            name="firm",
            marker={"color": token("firm", theme), "line": edge},
            hovertemplate="%{x}: %{y:.1f} MW firm<extra></extra>",
        )
    ]
    if answer.question.epsilons:
        words = level_words(answer.question.epsilons[-1])
        total = [_level(result, place, -1) for _, result in answer.periods]
        gain = [None if f is None or t is None else max(0.0, t - f) for f, t in zip(firm, total, strict=True)]
        traces.append(
            go.Bar(
                x=names,
                y=gain,
                name=words,
                marker={"color": token("flexible", theme), "line": edge},
                hovertemplate="%{x}: %{y:.1f} MW more, " + words + "<extra></extra>",
            )
        )
    figure = go.Figure(traces)
    least = _level(answer.whole, place, 0)
    if least is not None:
        figure.add_hline(y=least, line={"color": token("text", theme), "width": 1.5, "dash": "dash"})
    figure.update_layout(
        barmode="stack",
        bargap=0.06,
        showlegend=bool(answer.question.epsilons),
        legend={"traceorder": "normal"},
        yaxis={"title": {"text": "MW"}, "rangemode": "tozero"},
        xaxis={"type": "category", "tickangle": 0 if len(names) <= 6 else -45},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    return styled(figure, theme, key=f"year-{place}")


def _table(answer: Answer, place: int | None) -> html.Table:
    """Return the chart's numbers; the period that is drawn is marked."""
    flexible = bool(answer.question.epsilons)
    head = ["Period", "Firm, MW", *(["Total, MW"] if flexible else [])]
    lines = [html.Tr([html.Th(text, scope="col") for text in head])]
    for name, result in [*answer.periods, ("", answer.whole)]:
        cells = [html.Td(_written(_level(result, place, 0)))]
        if flexible:
            cells.append(html.Td(_written(_level(result, place, -1))))
        mark = {"aria-current": "true"} if name == answer.period else {}
        lines.append(html.Tr([html.Th(name or YEAR_WORDS, scope="row"), *cells], **mark))
    return html.Table(html.Tbody(lines), className="hr-capacity-numbers hr-capacity-year")


def _written(value: float | None) -> str:
    return number(None) if value is None else megawatts(value, "").strip()


def csv_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return one row per site and period, the year round last: firm, total, what limits it, where it is from."""
    origin = answer.whole.provenance
    position = {bus: i for i, bus in enumerate(answer.network.buses.ids)}
    rows = []
    for place, bus in enumerate(answer.result.candidates):
        for name, result in [*answer.periods, (YEAR_WORDS, answer.whole)]:
            limit = ""
            if result.levels:
                by = result.levels[0].limited_by[place]
                limit = "its own demand" if by < 0 else short_limit(result.levels[0].binding[by].limit)
            rows.append(
                {
                    "bus": bus,
                    "name": bus_words(answer.network, position[bus]),
                    "period": name,
                    "firm_mw": _firm(result, place),
                    "total_mw": _level(result, place, -1),
                    "limited_by": limit,
                    "question": origin.sentence,
                    "network_digest": origin.network_digest,
                    "question_digest": origin.question_digest,
                    "computed": origin.date,
                    "use": indicative(answer.question.security),
                }
            )
    return rows


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as CSV text, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else ["bus"])
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()
