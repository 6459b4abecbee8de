"""The inspector of the Siting page while no bus is selected: the funnel, count against size, what it is made from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import dcc, html

from components import siting_cards, siting_ids, siting_largest
from components.format import count, duration, number, percent, power, sentence
from components.siting_answer import Answer
from components.siting_basis import days_and_floor
from components.siting_criteria import said as criteria_words
from components.siting_funnel import funnel, lost_counts, lost_words, stage_counts, unpriced_words
from components.siting_largest import ladder_words
from components.siting_market import all_listed
from components.siting_site import small_csv, small_table
from components.siting_totals import base_words, fewer_words, sign_of
from components.skeleton import Part, facts, section, state
from components.static import static
from components.theme import Theme, styled, token
from components.why_card import why_number
from engine.siting.gate.results import FAILED, PASSED
from engine.siting.sheet import base_failures

_DASHES = ("solid", "dash", "dot", "dashdot")
_MARKS = ("circle", "diamond", "square", "triangle-up")
_HEIGHT = "210px"
_STEPS = 40  # of the bands: to 2 GW every 50 MW


def head(answer: Answer) -> list[Part]:
    """Return what stands first: the funnel at the size drawn, with the step that follows.

    Before the market that step is the market's, which stands next: what else is told of the funnel comes after it.
    """
    title = f"From candidates to shortlist, {power(answer.drawn.size_mw)}"
    return [section(title, funnel(answer), _ways(answer), *([] if answer.market is None else _notes(answer)))]


def _notes(answer: Answer) -> list[Part]:
    """Return what is told of the funnel's numbers, and the same numbers as a table."""
    own = html.P(f"Your criteria: {words}", className="hr-muted") if (words := criteria_words(answer.own)) else None
    chose = html.P(words, className="hr-siting-provisional") if (words := all_listed(answer)) else None
    left = html.P(words, className="hr-muted") if (words := unpriced_words(answer)) else None
    fewer = html.P(words, className="hr-muted") if (words := fewer_words(answer)) else None
    lost = html.P(words, className="hr-siting-lost") if (words := lost_words(answer)) else None
    hint = "Press a bus on the map or a row of the ranking for its sheet; press a number and it says why."
    return [lost, left, fewer, chose, own, html.P(hint, className="hr-muted"), _funnel_table(answer)]


def _funnel_table(answer: Answer) -> Part:
    """Return the funnel's numbers as a table with its CSV."""
    rows = []
    for name in answer.envelopes:
        *before, priced, listed = stage_counts(answer, name)
        lost = (None, None) if answer.market is None else lost_counts(answer, name)
        counts = (*before, priced, *lost, listed)
        rows.append((name, *(("not run", "") if one is None else (number(one), one) for one in counts)))
    heads = (
        "Envelope", "Candidates", "Gate", "Sent to the market", "Priced", "Ran out of time", "Without a schedule",
        "Shortlist",
    )  # fmt: skip
    table = small_table(
        "funnel", f"Funnel at {power(answer.drawn.size_mw)}", heads, rows, note=days_and_floor(answer.market)
    )
    return html.Details([html.Summary("As a table"), static(table)])


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
    notes = [section("The funnel", *_notes(answer))] if answer.market is None else []
    return [*notes, _sizes_section(answer, theme), *_hours_section(answer), _made_from(answer)]


def _sizes_section(answer: Answer, theme: Theme) -> Part:
    title = "Sites that qualify, by size"
    if answer.ladder is None and len(answer.question.sizes_mw) < 2:
        words = "One size is asked: give several in the question, such as 250, 500, 1000, and they are drawn here."
        return section(title, state("empty", words), _every_size(answer))
    graph = dcc.Graph(
        id=siting_ids.SIZES_CHART,
        figure=sizes_figure(answer, theme),
        responsive=True,
        style={"height": _HEIGHT},
        config={"displayModeBar": False},
    )
    note: list[Part] = [f"At least {percent(answer.drawn.threshold)} of outages pass. The same rows stand in the table "
                        "under Sizes. "]  # fmt: skip
    if answer.ladder is None:
        note.append("The bands are what these verdicts prove of every size between.")
    else:
        words = f"{number(len(answer.ladder.sizes.sizes_mw))} sizes"
        card = siting_cards.sizes(answer, f"{words} are decided")
        note += [why_number("siting-why-sizes", words, card, label="where these counts come from"),
                 f" are decided, {ladder_words(answer.ladder)}, each proved on both sides."]  # fmt: skip
    drawn = html.Div(graph, style={"height": _HEIGHT})
    return section(title, drawn, html.P(note, className="hr-muted"), _every_size(answer))


def _every_size(answer: Answer) -> Part:
    """Return the press that leads to the study of every size, with its time; None where its answer is drawn."""
    if answer.ladder is not None or answer.gate.partial:
        return None
    takes = siting_largest.takes(answer.network, answer.question)
    face = ["Decide every size ", html.Span(takes.short(), className="hr-siting-small")]
    press = {"data-siting-tab": "studies", "data-siting-study": "largest"}
    return html.Div(html.Button(face, type="button", className="hr-button", **press), className="hr-siting-ways")


def sizes_figure(answer: Answer, theme: Theme = "light") -> go.Figure:
    """Return how many sites qualify at each size, a line per envelope.

    Where every size was decided the line is of all of them, with marks at those that were screened; else it is of those
    screened, and bands are what they prove of the sizes between.
    """
    figure = go.Figure()
    asked, steps = set(answer.question.sizes_mw), steps_mw(answer)
    counts = {name: [between(answer, name, mw) for mw in steps] for name in answer.envelopes}
    if answer.ladder is None:
        for place, name in enumerate(answer.envelopes):
            own = token(sign_of(place), theme)
            for side, words, fill in ((0, "at least", None), (1, "at most", "tonexty")):
                figure.add_trace(
                    go.Scatter(
                        x=steps, y=[pair[side] for pair in counts[name]], name=f"{name}, {words}", mode="lines",
                        showlegend=False, line={"color": own, "width": 0}, fill=fill,
                        fillcolor=_faint(own, 0.16 if name == answer.drawn.envelope else 0.07),
                        hovertemplate=f"%{{x:,.0f}} MW {name}: {words} %{{y:,}}<extra></extra>",
                    )
                )  # fmt: skip
    lines = [at for at, mw in enumerate(steps) if answer.ladder is not None or mw in asked]
    sizes = [steps[at] for at in lines]
    for place, name in enumerate(answer.envelopes):
        sure, may = ([counts[name][at][side] for at in lines] for side in (0, 1))
        colour = token(sign_of(place), theme)
        figure.add_trace(
            go.Scatter(
                x=sizes, y=sure, name=name, mode="lines+markers",
                line={"color": colour, "dash": _DASHES[place % 4], "width": 2},
                marker={"symbol": _MARKS[place % 4], "size": [7 if mw in asked else 0 for mw in sizes]},
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
    axis: dict[str, Any] = {"tickvals": sorted(asked)}
    if answer.ladder is not None:  # a ladder goes on where no site qualifies any more: not all of that is looked at
        some = [mw for at, mw in enumerate(steps) if any(counts[name][at][1] for name in answer.envelopes)]
        axis = {"range": [0.0, 1.03 * max(*asked, *some[-1:])]}
    figure.update_layout(
        xaxis={"title": {"text": "Nameplate, MW"}, "tickformat": ",.0f", **axis},
        yaxis={"title": {"text": "Sites"}, "rangemode": "tozero"},
        hovermode="closest",
    )
    return styled(figure, theme, key=f"sizes-{answer.gate.key}-{answer.ladder is None}")


def steps_mw(answer: Answer) -> list[float]:
    """Return the sizes that are counted: all that were decided, or the even steps of the bands, and those asked."""
    sizes = answer.question.sizes_mw
    if answer.ladder is not None:
        return sorted({*answer.ladder.sizes.sizes_mw, *sizes})
    steps = np.linspace(max(sizes) / _STEPS, max(sizes), _STEPS)
    return sorted({*np.round(steps, 3).tolist(), *sizes})


def between(answer: Answer, envelope: str, size_mw: float) -> tuple[int, int]:
    """Return how many sites qualify at least, and at most, at any size: nothing is computed for it."""
    found = answer.proved(envelope, size_mw)
    return int((found == PASSED).sum()), int((found != FAILED).sum())


def _faint(colour: str, strength: float) -> str:
    """Return a colour such as ``#0072b2`` as the fill of a band."""
    parts = ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return f"rgba({parts},{strength:g})"


def sizes_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return the rows of the chart: for each size and envelope the sites that qualify at least, and at most.

    ``strict`` counts those that pass every outage, None at a size that was not screened; ``known`` says how the counts
    are known.
    """
    rows = []
    asked = set(answer.question.sizes_mw)
    decided = set() if answer.ladder is None else set(answer.ladder.sizes.sizes_mw)
    for mw in steps_mw(answer):
        known = "screened" if mw in asked else "decided" if mw in decided else "proved between"
        for name in answer.envelopes:
            least, most = between(answer, name, mw)
            strict = int((answer.gate.verdict(name, mw, 1.0) == PASSED).sum()) if mw in asked else None
            row = {"size": mw, "envelope": name, "qualified": least, "at_most": most, "strict": strict, "known": known}
            rows.append(row)
    return rows


def _sizes_table(answer: Answer) -> tuple[tuple[str, ...], list[Sequence[Part]]]:
    """Return the heads and the rows of the table: where bands lie between the sizes screened, these first."""
    every = sizes_rows(answer)
    if answer.ladder is None:
        every.sort(key=lambda row: (row["strict"] is None, row["size"]))
    first = {row["size"]: row for row in every if row["envelope"] == answer.envelopes[0]}
    rows: list[Sequence[Part]] = [
        (
            (number(row["size"]), row["size"]),
            row["envelope"],
            (number(row["qualified"]), row["qualified"]),
            (number(row["at_most"]), row["at_most"]),
            _growth(row, first[row["size"]]),
            (number(row["strict"]), "" if row["strict"] is None else row["strict"]),
            row["known"],
        )
        for row in every
    ]
    heads = (
        "Nameplate, MW", "Envelope", "Qualify, at least", "At most", f"Against {answer.envelopes[0]}",
        "Pass every outage", "How it is known",
    )  # fmt: skip
    return heads, rows


def sizes_table(answer: Answer, whole: str = "") -> Part:
    """Return the chart's rows as a table with its CSV, and the growth against an envelope.

    ``whole`` is where all rows lie as CSV: they may be more than are shown.
    """
    heads, rows = _sizes_table(answer)
    note = f"Of {number(len(answer.gate.buses))} candidates, at a threshold of {percent(answer.drawn.threshold)}. "
    if answer.ladder is None:
        note += "Between the sizes screened the verdicts prove these bounds."
    else:
        note += f"The study {siting_largest.TITLE} decided {ladder_words(answer.ladder)}."
    return small_table(
        "sizes", "Sites that qualify, by size and envelope", heads, rows, text=(1, 6), tall=True,
        note=note, why=siting_cards.sizes(answer), whole=whole,
    )  # fmt: skip


def sizes_csv(answer: Answer) -> str:
    """Return the table of the sizes as CSV, with every row."""
    return small_csv(*_sizes_table(answer))


def _growth(row: dict[str, Any], first: dict[str, Any]) -> tuple[str, float | str]:
    """Return the growth against the first envelope, where both counts are known: in words, and as a share."""
    now, before = row["qualified"], first["qualified"]
    if not before or row["at_most"] != now or first["at_most"] != before:
        return "\u2013", ""
    share = now / before - 1.0
    return f"{'+' if share > 0 else ''}{percent(share, 1)}", share


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
        note="Pass: the share of outages that a candidate survives, a mean over the candidates." + _other_days(answer),
        why=siting_cards.hours(answer, result.labels[0], float(result.hour_weight[0]), float(passed[0].mean())),
    )  # fmt: skip
    return [section(title, static(table))]


def _other_days(answer: Answer) -> str:
    """Return that the market is of other days than the hours screened, "" where it is not."""
    if answer.market is None:
        return ""
    screened = {label[:10] for label in answer.gate.result.labels}
    priced = [str(day["label"]) for day in answer.market.facts["days"]]
    if screened.intersection(priced):
        return ""
    told = ", ".join(priced[:3]) + (" and others" if len(priced) > 3 else "")
    return (
        f" The market is of other days, {told}: they are chosen by load, to stand for the year; the hours of a gate by "
        "what may fail in them."
    )


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
    return section("Made from", facts(lines), *_fail_anyway(answer), _left_out(answer), listed)


def _fail_anyway(answer: Answer) -> list[Part]:
    """Return the outages that no dispatch survives before any load is added, and in which hours."""
    result, found = answer.gate.result, base_failures(answer.gate.result)
    if not found:
        return []
    rows = [
        (
            sentence(answer.gate.outage_words(one.contingency)),
            (f"{number(len(one.hours))} of {number(answer.gate.hours_done)}",
             "; ".join(result.labels[hour] for hour in one.hours)),
            (percent(one.share, 3), f"{one.share:.8f}"),
            result.labels[one.hours[0]],
        )
        for one in found
    ]  # fmt: skip
    table = small_table(
        "base-infeasible", "Outages that fail before any load is added",
        ("Outage", "Hours", "Of all hours and outages", "First in"), rows, text=(0, 3), file="base-infeasible",
        tall=True,
        note="No dispatch keeps every limit in these hours after these outages, although nothing is added yet.",
        why=siting_cards.base_infeasible(answer, rows[0][0], found[0].share, len(found[0].hours)),
    )  # fmt: skip
    summary = f"Fail before any load ({count(len(found), 'outage')})"
    return [html.P(base_words(answer)), html.Details([html.Summary(summary), table])]


def _left_out(answer: Answer) -> Part:
    """Return the outages that are no contingencies because they split the network."""
    found = answer.gate.result.islanding
    if not found:
        return None
    table = small_table(
        "islanding", "Outages that split the network", ("Outage",), [(sentence(words),) for words in found], text=(0,),
        file="islanding", tall=True, note="They are left out of the pass rate: part of the grid is cut off after them.",
        why=siting_cards.islanding(answer, found[0]),
    )  # fmt: skip
    return html.Details([html.Summary(f"Split the network, left out ({count(len(found), 'outage')})"), table])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
