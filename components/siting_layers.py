"""What the Siting map paints: qualified and shortlisted buses, pass rates, scores, largest sizes, envelopes."""

from typing import Any

import numpy as np

from components import siting_prices
from components.format import number, percent, power
from components.grid_map import Layer, layers_data, magnitude
from components.siting_answer import Answer
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED

# Classes of the palette "signs": see grid_map.SIGNS.
_QUALIFIED, _SHORTLISTED, _OPEN, _OUT = 2, 3, 5, 6
_RATE_BREAKS = (0.5, 0.8, 0.9, 0.95, 0.99)
_RATE_LABELS = ("below 50", "50–80", "80–90", "90–95", "95–99", "99 and more")
_NO_MARKET = "Run the market: it ranks what the gate lets pass"


def empty_layers() -> list[Layer]:
    """Return the positions of the layer switch before there is an answer."""
    return [
        Layer("shortlist", "Shortlist"),
        Layer("rate", "Pass rate"),
        Layer("largest", "Largest size"),
        Layer("envelopes", "Envelopes"),
        Layer("score", "Score", note=_NO_MARKET),
        siting_prices.layer(siting_prices.NONE_YET),
    ]


def layers(answer: Answer, bus: int | None = None) -> list[Layer]:
    """Return the layers of an answer, in the order of the switch; prices are those of the selected ``bus``."""
    prices = siting_prices.layer(siting_prices.prices_of(answer, bus))
    return [_shortlist(answer), _rate(answer), _largest(answer), _envelopes(answer), _score(answer), prices]


def data(answer: Answer, bus: int | None = None) -> dict[str, Any]:
    """Return the Store of the map."""
    return layers_data(layers(answer, bus))


def _shortlist(answer: Answer) -> Layer:
    size = len(answer.network.buses.ids)
    found, text = np.zeros(size, dtype=int), [""] * size
    rate = answer.gate.rate_so_far(answer.drawn.envelope, answer.drawn.size_mw).tolist()
    for candidate, (bus, verdict) in enumerate(zip(answer.gate.buses.tolist(), answer.verdict.tolist(), strict=True)):
        found[bus] = {PASSED: _QUALIFIED, FAILED: _OUT, UNDECIDED: _OPEN}[verdict]
        words = {PASSED: "qualified", FAILED: "does not qualify", UNDECIDED: "still open"}[verdict]
        text[bus] = f"{words}, {percent(rate[candidate], 1)} pass"
    for place, bus in enumerate(answer.shortlist, start=1):
        found[bus] = _SHORTLISTED
        text[bus] = f"place {place}, {percent(rate[_candidate(answer, bus)], 1)} pass"
    listed = len(answer.shortlist)
    labels = ["", "", "", "", "", ""]
    labels[_QUALIFIED - 1] = f"qualified ({number(int((found == _QUALIFIED).sum()) + listed)})"
    if listed:
        labels[_SHORTLISTED - 1] = f"shortlist ({listed})"
    if (found == _OPEN).any():
        labels[_OPEN - 1] = f"still open ({number(int((found == _OPEN).sum()))})"
    if (found == _OUT).any():
        labels[_OUT - 1] = f"not qualified ({number(int((found == _OUT).sum()))})"
    note = f"{answer.drawn.envelope} at {power(answer.drawn.size_mw)}"
    shapes = ("dot", "dot", "diamond", "dot", "square", "small")
    return Layer(
        "shortlist", "Shortlist", "", "signs", found.tolist(), labels=tuple(labels), bus_text=text, note=note,
        shapes=shapes,
    )  # fmt: skip


def _candidate(answer: Answer, bus: int) -> int:
    return int(np.searchsorted(answer.gate.buses, bus))


def _rate(answer: Answer) -> Layer:
    size = len(answer.network.buses.ids)
    rate = answer.gate.rate_so_far(answer.drawn.envelope, answer.drawn.size_mw)
    values = np.full(size, np.nan)
    values[answer.gate.buses] = rate
    found = np.where(np.isnan(values), 0, 1 + np.searchsorted(_RATE_BREAKS, values + 1e-12, side="right"))
    text = ["" if np.isnan(value) else f"{percent(value, 1)} of outages pass" for value in values.tolist()]
    so_far = (
        f", {answer.gate.hours_done} of {len(answer.gate.result.labels)} hours so far" if answer.gate.partial else ""
    )
    note = f"{answer.drawn.envelope} at {power(answer.drawn.size_mw)}{so_far}"
    return Layer("rate", "Pass rate", "%", "cividis", found.tolist(), labels=_RATE_LABELS, bus_text=text, note=note)


def _largest(answer: Answer) -> Layer:
    """Return the largest of the sizes asked that qualifies under the envelope drawn; between two nothing is said."""
    size = len(answer.network.buses.ids)
    sizes = sorted(answer.question.sizes_mw)
    best = np.zeros(size, dtype=int)
    for place, mw in enumerate(sizes, start=1):
        best[answer.qualified(answer.drawn.envelope, mw)] = place
    text = [""] * size
    for bus in answer.gate.buses.tolist():
        text[bus] = power(sizes[best[bus] - 1]) if best[bus] else "none of the sizes asked"
    labels = tuple(power(mw) for mw in sizes)
    note = f"{answer.drawn.envelope}: the largest size asked that qualifies"
    return Layer("largest", "Largest size", "", "cividis", best.tolist(), labels=labels, bus_text=text, note=note)


def _envelopes(answer: Answer) -> Layer:
    """Return under how many of the envelopes a bus qualifies, and in words under which."""
    size = len(answer.network.buses.ids)
    amount = np.zeros(size, dtype=int)
    names: list[list[str]] = [[] for _ in range(size)]
    for name in answer.envelopes:
        for bus in answer.qualified(name).tolist():
            amount[bus] += 1
            names[bus].append(name)
    text = [""] * size
    for bus in answer.gate.buses.tolist():
        text[bus] = ", ".join(names[bus]) or "none"
    every = len(answer.envelopes)
    labels = tuple(f"{n} of {every}" if n < every else f"all {every}" for n in range(1, every + 1))
    note = f"Under how many envelopes {power(answer.drawn.size_mw)} qualify"
    return Layer("envelopes", "Envelopes", "", "cividis", amount.tolist(), labels=labels, bus_text=text, note=note)


def _score(answer: Answer) -> Layer:
    if answer.ranked is None or not answer.standings:
        return Layer("score", "Score", note=answer.refused or _NO_MARKET)
    values = np.full(len(answer.network.buses.ids), np.nan)
    for bus, row in answer.standings.items():
        values[bus] = answer.ranked.score[row]
    text = ["" if np.isnan(value) else f"score {number(value, 3)}" for value in values.tolist()]
    note = f"{answer.drawn.envelope} at {power(answer.drawn.size_mw)}: higher is better"
    return magnitude("score", "Score", "", values, bus_text=text, note=note)
