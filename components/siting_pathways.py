"""Time to power by two pathways: what a reader assumes, and the arithmetic on it. Nothing here is a model's result."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import siting_ids
from components.format import number
from components.siting_site import small_table
from components.skeleton import Part
from components.static import static
from components.why_card import why_card, why_number
from engine.siting.timeline import CONVENTIONAL, LONGEST, PLANNER, TimeToPower, Years, time_to_power

PATHWAYS = (
    ("conventional", "Conventional", CONVENTIONAL, "A developer chooses a site, asks to connect, waits for studies, "
     "then for the upgrades that they call for."),
    ("planner", "Planner-initiated", PLANNER, "The planner has certified sites before anybody asks; a request at one "
     "of them goes to its agreement and its first phase."),
)  # fmt: skip
ENDS = ("least", "most")
SOURCE = "arXiv 2605.14714, equations (38) to (42)"


def place() -> html.Div:
    """Return the tab with the four assumptions; bars and sums are filled by a callback."""
    rows = [
        html.Fieldset(
            [
                html.Legend(title),
                html.P(words, className="hr-muted"),
                html.Div(
                    [_years(key, title, years.least, "least"), html.Span("to"), _years(key, title, years.most, "most"),
                     html.Span("years to first power", className="hr-muted")],
                    className="hr-siting-line",
                ),
            ],
            className="hr-siting-pathway",
        )
        for key, title, years, words in PATHWAYS
    ]  # fmt: skip
    note = html.P(
        "These durations are assumptions, those of the source until you change them. They are no result of this study.",
        className="hr-muted",
    )
    first = html.Div(told(CONVENTIONAL, PLANNER), id=f"{siting_ids.PATHWAYS}-told")
    return html.Div([html.Div(rows, className="hr-siting-pathways"), note, first])


def read(values: Any) -> tuple[Years, Years]:
    """Return the two ranges of the four boxes, in their order. Raises QuestionError outside their limits."""
    numbers = [float(value) if isinstance(value, int | float) else float("nan") for value in values]
    return Years(numbers[0], numbers[1]), Years(numbers[2], numbers[3])


def told(conventional: Years, planner: Years) -> list[Part]:
    """Return the two pathways as bars and what the planner's saves. Raises QuestionError for ranges that are none."""
    found = time_to_power(conventional, planner)
    longest = max(conventional.most, planner.most, 0.1)
    bars = html.Div(
        [_bar("Conventional", conventional, longest, "flexible"), _bar("Planner-initiated", planner, longest, "firm")],
        className="hr-pathway-bars",
    )
    table = small_table(
        "pathways", "Years to first power by pathway", ("Pathway", "Least, years", "Most, years", "Midpoint, years"),
        [(name, *((f"{value:g}", value) for value in (years.least, years.most, years.middle)))
         for name, years in (("Conventional", conventional), ("Planner-initiated", planner), *_saved(found))],
        file="time-to-power", note="Assumptions, and the arithmetic on them.",
    )  # fmt: skip
    return [bars, html.Div(_sums(found), className="hr-siting-numbers"), static(table)]


def _saved(found: TimeToPower) -> list[tuple[str, Years]]:
    one, other = found.conventional, found.planner
    ends = Years(one.least - other.most, one.most - other.least)
    return [("Saved by the planner's", ends)]


def _sums(found: TimeToPower) -> list[Part]:
    one, other = found.conventional, found.planner
    sums = (
        ("conservative", "Saved at the least", _years_words(found.conservative), "(39)",
         f"{one.least:g} − {other.most:g} = {found.conservative:g} years"),
        ("fast", "If the conventional way is at its fastest", _range_words(found.at_least_conventional), "(40)",
         f"{one.least:g} − {other.most:g} to {one.least:g} − {other.least:g}"),
        ("middle", "Between the midpoints", _years_words(found.midpoints), "(41)",
         f"{one.middle:g} − {other.middle:g} = {found.midpoints:g} years"),
        ("ends", "Between the ends", _range_words(found.endpoints), "(42)",
         f"{one.least:g} − {other.most:g} to {one.most:g} − {other.least:g}"),
    )  # fmt: skip
    parts = []
    for key, label, words, equation, arithmetic in sums:
        card = why_card(
            f"{words}: {label.lower()}",
            formula="Δ = *T*_{conv} − *T*_{plan}",
            values=[("with the years above", arithmetic)],
            source=f"{SOURCE}; here {equation}",
            note="An assumption's arithmetic, not a result of the gate or the market.",
        )
        shown = why_number(f"siting-why-years-{key}", words, card, label=label)
        parts.append(html.Div([shown, html.Span(label)], className="hr-siting-number"))
    return parts


def _bar(title: str, years: Years, longest: float, sign: str) -> html.Div:
    sure, open_ = 100 * years.least / longest, 100 * (years.most - years.least) / longest
    return html.Div(
        [
            html.Span(title, className="hr-pathway-name"),
            html.Span(
                [
                    html.Span(className=f"hr-pathway-sure hr-sign-{sign}", style={"width": f"{sure:.2f}%"}),
                    html.Span(className=f"hr-pathway-open hr-sign-{sign}", style={"width": f"{open_:.2f}%"}),
                ],
                className="hr-pathway-well",
            ),
            html.Span(_range_words(years), className="hr-pathway-words"),
        ],
        className="hr-pathway-bar",
    )


def _years(key: str, title: str, value: float, end: str) -> html.Label:
    box = dbc.Input(
        id=siting_ids.years(key, end), type="number", value=value, min=0, max=LONGEST, step="any", debounce=True,
        class_name="hr-input hr-siting-weight",
    )  # fmt: skip
    words = {"least": "at least", "most": "at most"}[end]
    return html.Label([html.Span(f"{title}, {words}, years", className="visually-hidden"), box])


def _years_words(value: float) -> str:
    return f"{number(value, 2).rstrip('0').rstrip('.') if value % 1 else number(value)} years"


def _range_words(years: Years) -> str:
    if years.least == years.most:
        return _years_words(years.least)
    return f"{years.least:g}\u2013{years.most:g} years"
