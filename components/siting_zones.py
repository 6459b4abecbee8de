"""The zones of a siting answer: where sites qualify, and where the shortlist is."""

from typing import Any

import numpy as np
from dash import html

from components import siting_cards
from components.format import number, percent, power
from components.siting_answer import Answer
from components.siting_basis import days_and_floor
from components.siting_site import bar, small_table
from components.skeleton import Part, state

_NO_ZONE = "no zone"
_NOTHING = "\u2013"


def told(answer: Answer) -> list[Part]:
    """Return a row per zone: candidates, qualified under each envelope, shortlisted, the best site."""
    zones = np.array([zone or _NO_ZONE for zone in answer.network.buses.zones])
    of_candidate = zones[answer.gate.buses]
    if len(set(of_candidate.tolist())) < 2:
        return [state("empty", "All candidates are of one zone. Give buses their zones on the Network page.")]
    verdicts = {name: answer.verdict_of(name) == 1 for name in answer.envelopes}
    listed = answer.shortlist
    ranked, rows = answer.ranked, []
    for zone in sorted(set(of_candidate.tolist())):
        own = of_candidate == zone
        every = int(own.sum())
        inside = [bus for bus in listed if zones[bus] == zone]
        scores = [
            float(ranked.score[row])
            for bus, row in answer.standings.items()
            if ranked is not None and zones[bus] == zone
        ]
        best = "" if not inside else _bus_words(answer, inside[0])
        rows.append(
            (
                zone,
                (number(every), every),
                *(
                    (_share(int((found & own).sum()), every, name == answer.drawn.envelope), int((found & own).sum()))
                    for name, found in verdicts.items()
                ),
                (number(len(inside)), len(inside)),
                (best or _NOTHING, best),
                (
                    number(float(np.median(scores)), 3) if scores else _NOTHING,
                    float(np.median(scores)) if scores else "",
                ),
            )
        )
    heads = ("Zone", "Candidates", *(f"Qualify, {name}" for name in verdicts), "Shortlisted", "Best site",
             "Median score")  # fmt: skip
    table = small_table(
        "zones", "Sites by zone", heads, rows, text=(0, 3 + len(verdicts)), tall=True,
        note=f"At {power(answer.drawn.size_mw)}, threshold {percent(answer.drawn.threshold)}; shortlist and scores "
        f"under {answer.drawn.envelope}. {days_and_floor(answer.market)}".strip(),
        why=_card(answer, of_candidate, verdicts[answer.drawn.envelope]),
    )  # fmt: skip
    return [html.Div(table)]


def _card(answer: Answer, of_candidate: Any, found: Any) -> Part:
    """Return the card of the zones, that where most sites qualify first."""
    names = sorted(set(of_candidate.tolist()))
    counts = {zone: (int((found & (of_candidate == zone)).sum()), int((of_candidate == zone).sum())) for zone in names}
    return siting_cards.zones(answer, counts)


def _share(found: int, every: int, drawn: bool) -> Part:
    return bar(found / every if every else 0.0, number(found), sign="firm" if drawn else "candidate")


def _bus_words(answer: Answer, bus: int) -> str:
    buses = answer.network.buses
    return f"{buses.names[bus] or 'bus'} ({buses.ids[bus]})"
