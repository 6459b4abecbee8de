"""Why a number is what it is: the formula with its values, the limit behind it, and what more of it would bring.

What a reinforcement brings is not read off a dual, which holds for the first MW only: the question is solved
again with the larger limit.
"""

import math
from dataclasses import replace

import numpy as np

from engine.capacity.allocation import allocate
from engine.capacity.margins import Prepared, bus_words
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Binding, CapacityResult, Level, Limit, Term, Why
from engine.errors import QuestionError
from engine.network.model import Vector

EXTRA_MW = 10.0  # the reinforcement that is tried
SHOWN_SITES = 6  # terms of a sum that a card writes out
METHOD = "Li, Fang and Chen, arXiv 2604.08854, 2026, equations (1)-(4), by exact margins"


def reinforced(prepared: Prepared, limit: Limit, extra_mw: float) -> Prepared:
    """Return the margins with ``extra_mw`` more of one limit, in both directions and after outages too."""
    family = np.array([0, 1, 1, 2, 2])  # withdrawal limits, branches, interfaces
    row = prepared.row_element == prepared.row_element[limit.row]
    row &= family[prepared.row_kind] == family[prepared.row_kind[limit.row]]
    return replace(prepared, limit_mw=prepared.limit_mw + np.where(row, extra_mw, 0.0))


def why(prepared: Prepared, question: CapacityQuestion, result: CapacityResult, bus: str, level: float = 0.0) -> Why:
    """Return the card behind the capacity of candidate ``bus`` at risk ``level`` (0: firm) in ``result``.

    Solves the question once more, with the limit 10 MW larger. Raises QuestionError when the bus is no
    candidate, the level was not asked, or the question stopped at limits exceeded at zero.
    """
    place, site = _place(result, level), _site(result, bus)
    answer = result.levels[place]
    at = answer.limited_by[site]
    size, demand = answer.capacity_mw[site], question.demand_mw[site]
    title = f"{size:.1f} MW {_kind(level)} at {bus_words(prepared.network, prepared.network.bus(bus))}"
    if at < 0:
        return _met_in_full(result, title, demand)
    binding = answer.binding[at]
    if binding.limit.kind == "condition":
        return _stopped_by_condition(result, title, binding)
    wider = allocate(reinforced(prepared, binding.limit, EXTRA_MW), question)
    gain, total_gain = None, None
    if wider.status == "optimal":
        gain = wider.levels[place].capacity_mw[site] - size
        total_gain = wider.levels[place].total_mw - answer.total_mw
    return Why(
        title=title,
        summary=_summary(prepared, binding.limit, level, gain, total_gain),
        formula=_FORMULA[binding.limit.kind],
        formula_with_values=_sum_in_words(prepared, question, answer, binding.limit),
        terms=_terms(prepared, question, answer, binding.limit, site),
        limit=binding.limit,
        extra_limit_mw=EXTRA_MW,
        gain_mw=gain,
        total_gain_mw=total_gain,
        sources=_sources(result),
    )


def why_alone(prepared: Prepared, question: CapacityQuestion, bus: str, level: float = 0.0) -> Why:
    """Return the card behind the largest single load at ``bus`` at risk ``level``, any bus of the network."""
    position = int(prepared.positions((bus,))[0])
    factors = prepared.row_factors(np.array([position]), question.cutoff)[:, 0]
    margin = np.maximum(prepared.margin_mw(level, question.measure), 0.0)
    size, row = _largest_alone(margin, factors)
    words = bus_words(prepared.network, position)
    sources = (f"network {prepared.network.name}, {prepared.network.digest[:12]}", prepared.source, METHOD)
    if row < 0:
        title = f"no limit on a single load at {words}"
        return Why(title, "No limit that counts is touched from this bus.", "", "", (), None, 0.0, None, None, sources)
    limit = prepared.limit(row)
    more = np.maximum(reinforced(prepared, limit, EXTRA_MW).margin_mw(level, question.measure), 0.0)
    wider = _largest_alone(more, factors)[0]
    gain = wider - size if math.isfinite(wider) else None
    return Why(
        title=f"{size:.1f} MW {_kind(level)} at {words}, alone",
        summary=_summary(prepared, limit, level, gain, None),
        formula="c = min over limits of (F - load) / a",
        formula_with_values=f"{margin[row]:.1f} / {factors[row]:.4f} = {size:.1f}",
        terms=(
            *_limit_terms(prepared, limit, level, question),
            Term("a", "factor of the bus", float(factors[row]), ""),
        ),
        limit=limit,
        extra_limit_mw=EXTRA_MW,
        gain_mw=gain,
        total_gain_mw=None,
        sources=sources,
    )


_FORMULA = {
    "withdrawal": "c_n <= w_n - load_n",
    "forward": "sum over n of a_n c_n <= F - load",
    "backward": "sum over n of a_n c_n <= F - load",
    "interface_forward": "sum over n of a_n c_n <= F - load",
    "interface_backward": "sum over n of a_n c_n <= F - load",
}


def _stopped_by_condition(result: CapacityResult, title: str, binding: Binding) -> Why:
    """Return the card of a site that a reader's own condition stops: nothing of the network is tried larger."""
    summary = f"Stopped by the {binding.limit.words}, which the question sets."
    return Why(title, summary, "", "", (), binding.limit, 0.0, None, None, _sources(result))


def _place(result: CapacityResult, level: float) -> int:
    if not result.levels:
        raise QuestionError("nothing was allocated: limits are exceeded before any addition")
    for place, answer in enumerate(result.levels):
        if answer.epsilon == level:
            return place
    raise QuestionError(f"the question did not ask for risk {percent(level)}")


def _site(result: CapacityResult, bus: str) -> int:
    if bus not in result.candidates:
        raise QuestionError(f"bus {bus!r} is not among the candidates")
    return result.candidates.index(bus)


def _kind(level: float) -> str:
    return "firm" if level == 0 else f"at risk {percent(level)}"


def _met_in_full(result: CapacityResult, title: str, demand: float) -> Why:
    terms = (Term("D", "demand asked for", demand, "MW"),)
    summary = "The demand is met in full: no limit stops it."
    return Why(title, summary, "c_n <= D_n", f"c = D = {demand:.1f}", terms, None, 0.0, None, None, _sources(result))


def _summary(prepared: Prepared, limit: Limit, level: float, gain: float | None, total: float | None) -> str:
    state = prepared.state_words(limit.row)
    when = f", worst in {state}" if state and level == 0 else ""
    words = f"Limited by {limit.words}{when}."
    if gain is None:
        return words
    words += f" {EXTRA_MW:.0f} MW more there gives {gain:.1f} MW more here"
    return words + ("." if total is None else f" and {total:.1f} MW more over all sites.")


def _limit_terms(prepared: Prepared, limit: Limit, level: float, question: CapacityQuestion) -> tuple[Term, ...]:
    load = float(prepared.load_mw(level, question.measure)[limit.row])
    what = (
        "existing load in the worst state" if level == 0 else f"existing load, {question.measure} at {percent(level)}"
    )
    room = max(limit.limit_mw - load, 0.0)
    return (
        Term("F" if limit.kind != "withdrawal" else "w", limit.words, limit.limit_mw, "MW"),
        Term("load", what, load, "MW"),
        Term("r", "room before any addition", room, "MW"),
    )


def _terms(prepared: Prepared, question: CapacityQuestion, answer: Level, limit: Limit, site: int) -> tuple[Term, ...]:
    factor = _row(prepared, question, limit)
    used = float(factor @ np.array(answer.capacity_mw))
    return (
        *_limit_terms(prepared, limit, answer.epsilon, question),
        Term("a", f"factor of {question.candidates[site]}", float(factor[site]), ""),
        Term("c", "capacity here", answer.capacity_mw[site], "MW"),
        Term("sum a c", "what all sites add to this limit", used, "MW"),
    )


def _row(prepared: Prepared, question: CapacityQuestion, limit: Limit) -> Vector:
    row: Vector = prepared.factors_of(question)[limit.row]
    return np.maximum(row, 0.0) if question.downward_closed else row


def _sum_in_words(prepared: Prepared, question: CapacityQuestion, answer: Level, limit: Limit) -> str:
    row = _row(prepared, question, limit)
    share = row * np.array(answer.capacity_mw)
    order = [site for site in np.argsort(-np.abs(share), kind="stable").tolist() if share[site] != 0]
    shown = [f"{row[site]:.3f} x {answer.capacity_mw[site]:.1f}" for site in order[:SHOWN_SITES]]
    if len(order) > SHOWN_SITES:
        shown.append(f"{share[order[SHOWN_SITES:]].sum():.1f} from {len(order) - SHOWN_SITES} more")
    load = float(prepared.load_mw(answer.epsilon, question.measure)[limit.row])
    return f"{' + '.join(shown) or '0'} <= {limit.limit_mw:.1f} - {min(load, limit.limit_mw):.1f}"


def _sources(result: CapacityResult) -> tuple[str, ...]:
    origin = result.provenance
    return (
        f"network {origin.network}, {origin.network_digest[:12]}",
        f"uncertainty {origin.uncertainty_digest[:12]}, seed {origin.seed}: {origin.source}",
        f"question {origin.question_digest[:12]}, {origin.date}",
        METHOD,
    )


def _largest_alone(margin: Vector, factors: Vector) -> tuple[float, int]:
    touched = np.flatnonzero(factors > 0)
    if not touched.size:
        return math.inf, -1
    room = margin[touched] / factors[touched]
    return float(room.min()), int(touched[room.argmin()])
