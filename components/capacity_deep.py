"""Outages, redispatch and periods on the Capacity page: which question is plain, what the others are compared with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dash import html

from components.capacity_answer import Answer
from components.capacity_words import REDISPATCH
from components.format import megawatts, number
from components.skeleton import Part, progress_card, section, state
from engine.capacity.question import CapacityQuestion, Recourse, Security
from engine.capacity.results import CapacityResult

UNCHANGED_MW = 0.05  # prints as 0.0
_USUAL = CapacityQuestion()
Variant = tuple[Security, Recourse]
VARIANTS: tuple[Variant, ...] = (("base", "none"), ("base", "redispatch"), ("n-1", "none"), ("n-1", "redispatch"))
Standing = Literal["answered", "running", "needed", "failed", "cancelled"]


def plain(question: CapacityQuestion) -> CapacityQuestion:
    """Return the same question without outages, redispatch and periods: what is answered at once."""
    return replace(
        question, security="base", outages=_USUAL.outages, outage_rating=_USUAL.outage_rating, recourse="none",
        period="year",
    )  # fmt: skip


def variant_of(question: CapacityQuestion, security: Security, recourse: Recourse) -> CapacityQuestion:
    """Return the same question with other outages and recourse; a list of outages that was chosen is kept."""
    if security == "base":
        bare = replace(question, outages=_USUAL.outages, outage_rating=_USUAL.outage_rating)
        return replace(bare, security="base", recourse=recourse)
    return replace(question, security="n-1", recourse=recourse)


def variant_key(variant: Variant) -> str:
    """Return a variant as a button carries it: ``n-1:redispatch``."""
    return ":".join(variant)


def read_variant(text: Any) -> Variant | None:
    """Return the variant of :func:`variant_key`, None for anything else."""
    return next((variant for variant in VARIANTS if variant_key(variant) == text), None)


def outage_words(question: CapacityQuestion) -> str:
    """Return what an answer is secure for: ``no outage``, ``every single outage``."""
    if question.security == "base":
        return "no outage"
    return "every single outage" if question.outages == "all" else "every listed outage"


def left_out(question: CapacityQuestion) -> str:
    """Return what a plain answer leaves out of ``question``: ``outages and redispatch``."""
    parts = [
        *(["outages"] if question.security != "base" else []),
        *(["redispatch"] if question.recourse != "none" else []),
        *(["periods"] if question.period != "year" else []),
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def asked_for(question: CapacityQuestion) -> str:
    """Return what ``question`` asks beyond a plain one: ``secure for every single outage, with redispatch``."""
    period = {"season": "for each season", "month": "for each month", "block": "for each block of hours"}
    parts = [
        *([f"secure for {outage_words(question)}"] if question.security != "base" else []),
        *(["with redispatch"] if question.recourse != "none" else []),
        *([period[question.period]] if question.period != "year" else []),
    ]
    return ", ".join(parts)


# What the page says while the answer that was asked for is not there


def computing(question: CapacityQuestion, job: Any) -> list[Part]:
    """Return the running job, and what is drawn meanwhile."""
    card = progress_card(
        f"Computing the answer {asked_for(question)}",
        done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id,
    )  # fmt: skip
    return [card, html.P(f"Drawn meanwhile: the answer without {left_out(question)}.", className="hr-capacity-so-far")]


def not_there(question: CapacityQuestion, standing: Standing, message: str) -> Part:
    """Return what stands in the place of an answer that was not computed, was cancelled, or failed."""
    drawn = f"Drawn is the answer without {left_out(question)}."
    if standing == "failed":
        told = f"{_sentence(message).rstrip('.')}. {drawn} Press Compute to try again."
        return state("failed", told, title="The computation failed")
    if standing == "cancelled":
        return state("partial", f"{drawn} Press Compute to start again.", title="Cancelled")
    return state("partial", f"{drawn} Press Compute for the one {asked_for(question)}.", title="Not computed yet")


# Side by side


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One of the four variants: its answer, or where it stands."""

    result: CapacityResult | None = None
    share: float | None = None  # of the job that computes it


def compared(answer: Answer, cells: Mapping[Variant, Cell], bus: str | None = None) -> html.Section:
    """Return the four variants side by side, for all sites or for the site ``bus``.

    What is not computed yet has a button that computes it; a number that is not drawn has one that asks for it.
    """
    drawn: Variant = (answer.question.security, answer.question.recourse)
    head = html.Tr(
        [
            html.Td(),
            html.Th(["Fixed supply", html.Small(_fixed_words(answer.question))], scope="col"),
            html.Th(["Units redispatch", html.Small("in every state")], scope="col"),
        ]
    )
    rows = [head]
    for security in ("base", "n-1"):
        words = "No outage" if security == "base" else _sentence(outage_words(_secure(answer.question)))
        line = [html.Th(words, scope="row")]
        for recourse in ("none", "redispatch"):
            variant = next(one for one in VARIANTS if one == (security, recourse))
            line.append(html.Td(_cell(answer, variant, cells.get(variant, Cell()), bus, here=variant == drawn)))
        rows.append(html.Tr(line))
    note = "Firm, and below it the total with flexible, MW." if answer.question.epsilons else "Firm, MW."
    note += " Units that redispatch stop at their largest outputs; fixed shares do not, so they may come out higher."
    table = html.Table([html.Caption(note, className="hr-muted"), html.Tbody(rows)], className="hr-capacity-compared")
    return section("Side by side", table)


def _cell(answer: Answer, variant: Variant, cell: Cell, bus: str | None, *, here: bool) -> Part:
    if cell.result is None:
        if cell.share is not None:
            return html.Span(f"computing, {number(100 * cell.share)} %", className="hr-muted")
        words = f"Compute: {_variant_words(answer.question, variant)}"
        return html.Button(
            "Compute", type="button", className="hr-button hr-button-quiet",
            **{"data-capacity-variant": variant_key(variant), "aria-label": words},
        )  # fmt: skip
    if cell.result.status != "optimal":
        return html.Span("limits are exceeded already", className="hr-muted")
    firm, total = _numbers(cell.result, bus)
    face: list[Part] = [html.Strong(number_mw(firm))]
    if answer.question.epsilons:
        face.append(html.Span(number_mw(total)))
    if firm < UNCHANGED_MW:
        face.append(html.Small("why?"))  # drawn, the answer says so above its totals
    if here:
        return html.Span(face, className="hr-capacity-here")
    sets = f"Draw the answer: {_variant_words(answer.question, variant)}"
    return html.Button(
        face, type="button", className="hr-capacity-there",
        **{"data-capacity-words": _words_text(answer.question, variant), "title": sets},
    )  # fmt: skip


def number_mw(value: float) -> str:
    """Return MW without their unit, with the digits that are meant."""
    return megawatts(value, "").strip()


def _numbers(result: CapacityResult, bus: str | None) -> tuple[float, float]:
    first, last = result.levels[0], result.levels[-1]
    if bus is None:
        return first.total_mw, last.total_mw
    place = result.candidates.index(bus)
    return first.capacity_mw[place], last.capacity_mw[place]


def _words_text(question: CapacityQuestion, variant: Variant) -> str:
    """Return the words of the sentence that ask for a variant, as a button carries them."""
    security, recourse = variant
    secure = "base" if security == "base" else f"n-1:{_secure(question).outages}"
    return json.dumps({"security": secure, "supply": REDISPATCH if recourse == "redispatch" else question.supply})


def _secure(question: CapacityQuestion) -> CapacityQuestion:
    return variant_of(question, "n-1", question.recourse)


def _variant_words(question: CapacityQuestion, variant: Variant) -> str:
    asked = variant_of(question, *variant)
    supply = "units that redispatch" if variant[1] == "redispatch" else _fixed_words(question)
    return f"{outage_words(asked)}, {supply}"


def _fixed_words(question: CapacityQuestion) -> str:
    return replace(question, recourse="none").supply_words()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def change_mw(answer: Answer) -> Sequence[float] | None:
    """Return per site what outages, redispatch and periods change in its total, MW; None where nothing is compared."""
    if answer.base is None or not answer.base.levels or not answer.result.levels:
        return None
    before, now = answer.base.levels[-1].capacity_mw, answer.result.levels[-1].capacity_mw
    return [round(after - first, 9) for first, after in zip(before, now, strict=True)]  # no dust of the solver
