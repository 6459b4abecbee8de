"""The inspector of the Siting page while no bus is selected: the funnel, count against size, what it is made from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import dcc, html

from components import ids
from components.format import count, duration, number, percent, power
from components.siting_answer import Answer
from components.siting_criteria import said as criteria_words
from components.siting_site import small_table
from components.siting_totals import funnel, sign_of
from components.skeleton import Part, facts, section, state
from components.theme import Theme, styled, token
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED

_DASHES = ("solid", "dash", "dot", "dashdot")
_MARKS = ("circle", "diamond", "square", "triangle-up")
_HEIGHT = "210px"
_LEAST_MW, _POINTS = 50.0, 79  # of the band: on Texas with 2 GW every 25 MW


def head(answer: Answer) -> list[Part]:
    """Return what stands first: the funnel at the size drawn."""
    title = f"From candidates to shortlist, {power(answer.drawn.size_mw)}"
    hint = "Press a bus on the map or a row of the ranking for its sheet; press a number and it says why."
    own = html.P(f"Your criteria: {words}", className="hr-muted") if (words := criteria_words(answer.own)) else None
    return [section(title, funnel(answer), own, html.P(hint, className="hr-muted"), _ways(answer))]


def _ways(answer: Answer) -> Part:
    """Return where the shortlist leads: to an auction of what stands together, to the catalogue, to a clearing."""
    if not answer.shortlist or answer.provisional:
        return None
    ways = (("Auction the shortlist", "auction"), ("Catalogue", "catalogue"), ("Clear applications", "studies"))
    return html.Div(
        [
            html.Button(
                words, type="button", className="hr-button" + ("" if place else " hr-button-primary"),
                **{"data-siting-tab": tab},
            )
            for place, (words, tab) in enumerate(ways)
        ],
        className="hr-siting-ways",
    )  # fmt: skip


def rest(answer: Answer, theme: Theme) -> list[Part]:
    """Return what stands below the market: count against size, and what all is made from."""
    return [_sizes_section(answer, theme), *_hours_section(answer), _made_from(answer)]


def _sizes_section(answer: Answer, theme: Theme) -> Part:
    if len(answer.question.sizes_mw) < 2:
        words = "One size is asked: give several in the question, such as 250, 500, 1000, and they are drawn here."
        return section("Sites that qualify, by size", state("empty", words))
    graph = dcc.Graph(
        id=ids.SITING_SIZES_CHART,
        figure=sizes_figure(answer, theme),
        responsive=True,
        style={"height": _HEIGHT},
        config={"displayModeBar": False},
    )
    note = (
        f"At least {percent(answer.drawn.threshold)} of outages pass. The same rows stand in the table under Sizes. "
        f"The band is what these verdicts prove of {answer.drawn.envelope} at every size between."
    )
    return section(
        "Sites that qualify, by size", html.Div(graph, style={"height": _HEIGHT}), html.P(note, className="hr-muted")
    )


def sizes_figure(answer: Answer, theme: Theme = "light") -> go.Figure:
    """Return how many sites qualify at each size, a line per envelope; a band where verdicts are open."""
    figure = go.Figure()
    sizes = sorted(answer.question.sizes_mw)
    own = token(sign_of(answer.envelopes.index(answer.drawn.envelope)), theme)
    low, high = between(answer, np.linspace(min(_LEAST_MW, sizes[0]), sizes[-1], _POINTS).tolist())
    for counts, words, fill in ((low, "at least", None), (high, "at most", "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=list(counts), y=list(counts.values()), name=f"{answer.drawn.envelope}, {words}", mode="lines",
                showlegend=False, line={"color": own, "width": 0}, fill=fill, fillcolor=_faint(own),
                hovertemplate=f"%{{x:,.0f}} MW {answer.drawn.envelope}: {words} %{{y:,}}<extra></extra>",
            )
        )  # fmt: skip
    for place, name in enumerate(answer.envelopes):
        verdicts = [answer.verdict_of(name, mw) for mw in sizes]
        sure = [int((found == PASSED).sum()) for found in verdicts]
        may = [int((found != 0).sum()) for found in verdicts]
        colour = token(sign_of(place), theme)
        figure.add_trace(
            go.Scatter(
                x=sizes, y=sure, name=name, mode="lines+markers",
                line={"color": colour, "dash": _DASHES[place % 4], "width": 2},
                marker={"symbol": _MARKS[place % 4], "size": 7},
                hovertemplate=f"%{{x:,.0f}} MW {name}: %{{y:,}} sites<extra></extra>",
            )
        )  # fmt: skip
        if may != sure:
            figure.add_trace(
                go.Scatter(
                    x=sizes, y=may, name=f"{name}, at most", mode="lines", showlegend=False,
                    line={"color": colour, "dash": "dot", "width": 1},
                    hovertemplate=f"%{{x:,.0f}} MW {name}: at most %{{y:,}}<extra></extra>",
                )
            )  # fmt: skip
    figure.add_vline(x=answer.drawn.size_mw, line={"color": token("line-strong", theme), "width": 1, "dash": "dot"})
    figure.update_layout(
        xaxis={"title": {"text": "Nameplate, MW"}, "tickvals": sizes, "tickformat": ",.0f"},
        yaxis={"title": {"text": "Sites"}, "rangemode": "tozero"},
        hovermode="closest",
    )
    return styled(figure, theme, key=f"sizes-{answer.gate.key}")


def between(answer: Answer, sizes_mw: Sequence[float]) -> tuple[dict[float, int], dict[float, int]]:
    """Return how many sites of the envelope drawn qualify at least, and at most, at any size: nothing is computed."""
    known = {
        mw: answer.gate.between.qualified(answer.drawn.envelope, mw, answer.drawn.threshold) for mw in sorted(sizes_mw)
    }
    least = {mw: int((found == PASSED).sum()) for mw, found in known.items()}
    return least, {mw: int((found != FAILED).sum()) for mw, found in known.items()}


def _faint(colour: str) -> str:
    """Return a colour such as ``#0072b2`` as the fill of a band."""
    parts = ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return f"rgba({parts},0.16)"


def sizes_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return the rows of the chart: size, envelope, sites that qualify, and of how many that is open."""
    rows = []
    for mw in sorted(answer.question.sizes_mw):
        for name in answer.envelopes:
            found = answer.verdict_of(name, mw)
            strict = answer.gate.verdict(name, mw, 1.0)
            rows.append(
                {
                    "size": mw,
                    "envelope": name,
                    "qualified": int((found == PASSED).sum()),
                    "open": int((found == UNDECIDED).sum()),
                    "strict": int((strict == PASSED).sum()),
                }
            )
    return rows


def sizes_table(answer: Answer) -> Part:
    """Return the chart's rows as a table with its CSV, and the growth against the first envelope."""
    first = {row["size"]: row["qualified"] for row in sizes_rows(answer) if row["envelope"] == answer.envelopes[0]}
    rows = [
        (
            (number(row["size"]), row["size"]),
            row["envelope"],
            (number(row["qualified"]), row["qualified"]),
            _growth(row["qualified"], first[row["size"]]),
            (number(row["open"]), row["open"]),
            (number(row["strict"]), row["strict"]),
        )
        for row in sizes_rows(answer)
    ]
    heads = ("Nameplate, MW", "Envelope", "Qualify", f"Against {answer.envelopes[0]}", "Open", "Pass every outage")
    return small_table(
        "sizes", "Sites that qualify, by size and envelope", heads, rows, text=(1,), tall=True,
        note=f"Of {number(len(answer.gate.buses))} candidates, at a threshold of {percent(answer.drawn.threshold)}.",
    )  # fmt: skip


def _growth(now: int, before: int) -> str:
    if not before:
        return "\u2013"
    share = now / before - 1.0
    return f"{'+' if share > 0 else ''}{percent(share, 1)}"


def _hours_section(answer: Answer) -> list[Part]:
    run = answer.gate.run
    if run is None:
        return []
    hours = run.prepared.hours
    result = answer.gate.result
    passed = [result.by_hour(place, answer.drawn.envelope, answer.drawn.size_mw)[0] for place in range(len(hours))]
    rows = [
        (label, (percent(weight, 1), weight), (percent(float(share.mean()), 1), float(share.mean())), why)
        for label, weight, share, why in zip(
            result.labels, result.hour_weight.tolist(), passed, hours.reasons, strict=True
        )
    ]
    title = f"Hours that are screened ({len(hours)} of {number(run.prepared.of_source)})"
    table = small_table(
        "hours", title, ("Hour", "Counts", "Pass, mean", "Why it is here"), rows, text=(0, 3),
        note="Pass: the share of outages that a candidate survives, a mean over the candidates.",
    )  # fmt: skip
    return [section(title, table)]


def _made_from(answer: Answer) -> Part:
    run, result, told = answer.gate.run, answer.gate.result, answer.gate.told
    lines: list[tuple[Part, Part]] = [("Network", answer.network.name)]
    if run is not None:
        lines += [("Hours", run.prepared.case.source), ("Outages", run.contingencies.summary())]
    lines.append(("Solver", result.solver))
    if told:
        lines += [
            ("Verdicts", number(told["verdicts"])),
            ("Not decided", number(told["undecided"])),
            ("Checked from nothing", str(told["check"]["words"])),
            ("Time", f"{duration(told['time_s'])}, {duration(told['processor_s'])} of processors"),
        ]
    notices = () if run is None else (*run.prepared.case.notices, *run.prepared.hours.notices)
    listed = html.Ul([html.Li(_sentence(line)) for line in notices], className="hr-siting-notices") if notices else None
    base = len(result.base_infeasible())
    extra = [html.P(f"{count(base, 'outage')} of the hours fail before any load is added.")] if base else []
    return section("Made from", facts(lines), *extra, listed)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
