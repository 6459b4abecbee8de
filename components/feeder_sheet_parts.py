"""Small parts of the Feeder page's inspector: a number that opens its card, heads, a table of few rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dash import html

from components.feeder_cards import card
from components.feeder_layers import At, case_key, case_said, cases_of, member_words
from components.feeder_words import at_words
from components.format import number, sentence
from components.skeleton import Part
from components.why_card import why_number

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun


def why(run: "FeederRun", at: At, case: "CaseRun", what: str, text: Part) -> Part:
    """Return a number of one case that opens its card."""
    one = At(case_key(case), at.hour, at.layer, at.selection)  # type: ignore[arg-type]
    name = what.replace(":", " ")
    return why_number(f"feeder-sheet-{case_key(case)}-{what.replace(' ', '_')}", text, card(run, one, what), label=name)


def head(title: str, run: "FeederRun", at: At, *ways: Part) -> list[Part]:
    """Return the title, the ways to what is beside, and what is looked at."""
    return [
        html.Div(
            [html.H3(title, className="hr-feeder-title"), html.Span(list(ways), className="hr-feeder-ways")],
            className="hr-feeder-head",
        ),
        html.P(sentence(at_words(run, at)), className="hr-muted hr-feeder-at"),
    ]


def whole() -> Part:
    """Return what goes back to the whole feeder."""
    return html.Button(
        "Whole feeder", type="button", className="hr-button hr-button-quiet", **{"data-feeder-select": ""}
    )


def power(kva: complex) -> str:
    """Return active and reactive power in words."""
    return f"{number(kva.real)} kW, {number(kva.imag)} kvar"


def phase(run: "FeederRun", member: str) -> Part:
    """Return a member of the frame with the dash of its stroke."""
    slot = run.feeder.frame.index(member)
    return html.Span(
        [html.I(className=f"hr-feeder-dash hr-feeder-dash-{slot}"), member],
        className="hr-feeder-phase",
        title=member_words(run.feeder, member),
    )


def table(label: str, heads: Sequence[str], rows: Sequence[Sequence[Part]]) -> Part:
    """Return a table of few rows, the first column its heads."""
    head = [html.Th(words, scope="col", className="hr-num" if place else "") for place, words in enumerate(heads)]
    body = [
        html.Tr(
            [
                html.Td(cell, className="hr-num") if place else html.Th(cell, scope="row")
                for place, cell in enumerate(row)
            ]
        )
        for row in rows
    ]
    return html.Table(
        [html.Thead(html.Tr(head)), html.Tbody(body)],
        className="hr-feeder-table hr-feeder-facts",
        **{"aria-label": label},
    )


def of_case(run: "FeederRun", at: At, case: "CaseRun") -> str:
    """Return what a title adds to tell cases apart where several are looked at."""
    return f", {case_said(case)}" if len(cases_of(run, at)) > 1 else ""
