"""The study over the whole year: how much is decided, how many certainly qualify, and bounds of every candidate."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
from dash import html

from components import siting_cards
from components.format import count, duration, number, percent
from components.siting_site import SOURCE, SiteStudy, bar, small_csv, small_table, verdict_mark, verdict_words
from components.skeleton import Part, progress_card, section, state
from components.why_card import WhyInput, why_card, why_number
from engine.network.model import Integers
from engine.siting.gate.bounds import FAILED, PASSED, UNKNOWN
from engine.siting.gate.bracket import GateBracket
from engine.siting.year import MINUTES
from engine.store.jobs import Job

TITLE = "Over the whole year"
WORDS = "Which candidates certainly reach the threshold over every hour of the source, and which certainly do not?"
FROM = "Bounds on the pass rate, from groups of hours; a group of one hour is decided exactly. In the source one hour."
FILE_PATH = "/siting/year.csv"
EVERY, DRAWN = "siting-year", "siting-year-bounds"  # the tables that the file may be of, by their names as files
TABLES = (EVERY, DRAWN)
_HEADS = ("Candidate", "Pass rate, least", "Pass rate, most", "Over the year")
OPEN_WORDS = (
    "An open one is not decided yet: the threshold lies between its bounds, and more time brings them together. It is "
    "neither counted as passing nor as failing."
)


def address(study: str, drawn: str, table: str) -> str:
    """Return where all rows of a table lie as CSV; ``drawn`` is what is drawn, as an address holds it."""
    return f"{FILE_PATH}?{urlencode({'study': study, 'table': table, 'drawn': drawn})}"


def framed(*parts: Part) -> Part:
    """Return the study's panel."""
    return section(WORDS, *parts, html.P(FROM, className="hr-muted"))


def more_buttons(part: int, words: str) -> html.Div:
    """Return the presses that begin a part of the question."""
    return html.Div(
        [
            html.Button(
                f"{words} {minutes} min",
                type="button",
                className="hr-button",
                **{"data-siting-study": f"year {part} {minutes}"},
            )
            for minutes in MINUTES
        ],
        className="hr-siting-buttons",
    )


def to_press(part: int) -> Part:
    """Return the study before anybody has asked it."""
    words = "Not computed for this question: choose a time. What is decided in it is kept, and can be gone on with."
    return framed(state("empty", words, action=more_buttons(part, "Compute for")))


def shown(
    study: SiteStudy,
    bracket: GateBracket | None,
    *,
    check: Mapping[str, Any] | None,
    job: Job | None,
    part: int,
    files: Mapping[str, str],
) -> Part:
    """Return what the bounds decide so far, and where their job stands; ``part`` is the next one to begin.

    ``files`` says of each of :data:`TABLES` where all its rows lie as CSV.
    """
    parts: list[Part] = []
    whole = bracket is not None and bracket.decided_share == 1.0
    if job is not None and job.active:
        card = progress_card(TITLE, done=job.done, total=job.total, message=job.message, job=job.id)
        parts.append(card)
    elif job is not None:
        cancelled = job.state == "cancelled"
        stopped = "It was cancelled. What was decided is kept."
        words = stopped if cancelled else job.error or "The job stopped without a word."
        title = "Cancelled" if cancelled else None
        again = more_buttons(part, "Go on for" if bracket is not None else "Compute for")
        parts.append(state("empty" if cancelled else "failed", words, title=title, action=again))
    elif not whole:
        parts.append(more_buttons(part, "Go on for"))
    if bracket is None:
        return framed(*parts)
    checked = (
        f"Of the verdicts that the bounds stand on, {check['words']}."
        if check is not None
        else "So far; press the study again for more. What the bounds stand on is decided again, from nothing, when "
        "this part ends."
    )
    file = html.A("All candidates, envelopes and sizes as CSV", href=files[EVERY], download=f"{EVERY}.csv")
    said = html.P(checked, className="hr-muted")
    return framed(*parts, *_summary(study, bracket), said, _candidates(study, bracket, files[DRAWN]), html.P(file))


def _summary(study: SiteStudy, bracket: GateBracket) -> list[Part]:
    share = percent(bracket.decided_share, 1)
    pairs = len(bracket.buses) * len(bracket.envelopes) * len(bracket.sizes_mw)
    card = why_card(
        f"{share} decided",
        formula="\u03a3_g *w*_g *p*_g \u2264 *r*_{b,e} \u2264 1 \u2212 \u03a3_g *w*_g *f*_g",
        values=[
            ("candidates, envelopes and sizes", number(pairs)),
            ("hours", number(bracket.hours)),
            ("groups of hours looked at", number(bracket.groups)),
            ("share of the hours in them", percent(bracket.looked_at, 1)),
            ("threshold *\u03c4*", percent(bracket.threshold)),
            ("time of all groups", duration(round(bracket.time_s))),
        ],
        inputs=_inputs(study, bracket),
        source=SOURCE,
        note="p, f: shares of the outages that certainly pass, and fail, in every hour of a group; w: its weight.",
    )
    number_shown = why_number("siting-why-year", share, card, label="share that is decided")
    rows = []
    for envelope in bracket.envelopes:
        for size in bracket.sizes_mw:
            known = bracket.qualified(envelope, size)
            amounts = [int((known == one).sum()) for one in (PASSED, FAILED, UNKNOWN)]
            cells = [(bar(one / len(known), number(one)), one) for one in amounts]
            rows.append((f"{envelope}, {number(size)} MW", *cells))
    words = (
        f" of {count(len(bracket.buses), 'candidate')} with every envelope and size is decided over "
        f"{count(bracket.hours, 'hour')}; {percent(bracket.looked_at, 0)} of the hours are looked at. "
    )
    return [
        html.P([number_shown, words, OPEN_WORDS]),
        small_table(
            "year-counts", "Decided over the year",
            ["Envelope and size", "Certainly qualify", "Certainly do not", "Open"], rows, file="siting-year-counts",
            why=card,
        ),
    ]  # fmt: skip


def _inputs(study: SiteStudy, bracket: GateBracket) -> list[WhyInput]:
    """Return what the bounds are made from."""
    return [
        WhyInput("Network", study.network.digest),
        WhyInput(f"All {number(bracket.hours)} hours", bracket.case_digest),
        WhyInput("Outages", bracket.contingencies_digest),
    ]


def _candidates(study: SiteStudy, bracket: GateBracket, whole: str) -> Part:
    """Return the candidates of the envelope and size that is drawn, the open ones first."""
    least, most = bracket.pass_rate(study.envelope, study.size_mw)
    known = bracket.qualified(study.envelope, study.size_mw)
    rows = _candidate_rows(study, bracket)
    first = _order(known, least, most)[0]
    open_ = int((known == UNKNOWN).sum())
    note = f"{study.envelope}, {number(study.size_mw)} MW: {count(open_, 'candidate')} open, listed first."
    return small_table(
        "year", "Bounds of the candidates", _HEADS, rows, text=(0, 3), file=DRAWN, note=note, tall=True, whole=whole,
        why=siting_cards.year_bounds(study, rows[0][0], float(least[first]), float(most[first]), hours=bracket.hours,
                                     inputs=_inputs(study, bracket)),
    )  # fmt: skip


def _candidate_rows(study: SiteStudy, bracket: GateBracket) -> list[tuple[Any, ...]]:
    least, most = bracket.pass_rate(study.envelope, study.size_mw)
    known = bracket.qualified(study.envelope, study.size_mw)
    return [
        (
            study.words(int(bracket.buses[place])),
            (bar(float(least[place]), percent(float(least[place]), 2)), f"{least[place]:.9f}"),
            (bar(float(most[place]), percent(float(most[place]), 2)), f"{most[place]:.9f}"),
            (verdict_mark(int(known[place])), verdict_words(int(known[place]))),
        )
        for place in _order(known, least, most).tolist()
    ]


def candidates_csv(study: SiteStudy, bracket: GateBracket) -> str:
    """Return the candidates of the envelope and size that is drawn as CSV, with every row."""
    return small_csv(_HEADS, _candidate_rows(study, bracket))


def _order(known: Integers, least: Sequence[float] | Any, most: Sequence[float] | Any) -> Integers:
    """Return the places of the candidates: open ones, then those that qualify, each by its bounds."""
    rank = np.select([known == UNKNOWN, known == PASSED], [0, 1], 2)
    found: Integers = np.lexsort((-np.asarray(most), -np.asarray(least), rank))
    return found
