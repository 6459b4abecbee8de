"""The Hubs page's words for models, hubs and places; and which two outcomes of a run are looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from components.format import number
from engine.distribution.library import NAMED
from engine.pricing.compare import Hubs, Outcome, Prices
from engine.program import Status

if TYPE_CHECKING:
    from engine.pricing.program import HubProgram
    from engine.pricing.run import HubRun

NARROW = "\u00a0"  # a number and its unit stay on one line
SUBSTATION = "substation"  # in the place of a line's name
Show = Literal["both", "before", "after"]
Kind = Literal["hub", "line", "substation"]

PRICES: Mapping[Prices, str] = {
    "none": "no prices",
    "central": "all as one",
    "exact": "exact prices",
    "quick": "quick prices",
}
LETTERS: Mapping[Prices, str] = {"none": "A", "central": "B", "exact": "C", "quick": "D"}
HUBS: Mapping[Hubs, str] = {"linear": "hubs of constant costs", "quadratic": "hubs of rising costs"}
# What can be drawn beside "no prices": the key of a control, its prices and its kind of hubs.
OUTCOMES: Mapping[str, tuple[Prices, Hubs]] = {
    "quick-quadratic": ("quick", "quadratic"),
    "quick-linear": ("quick", "linear"),
    "exact-linear": ("exact", "linear"),
    "exact-quadratic": ("exact", "quadratic"),
    "central-linear": ("central", "linear"),
}
SHOWS: Mapping[Show, str] = {"both": "Before and after", "before": "No prices", "after": "With prices"}
FEEDERS: Mapping[str, str] = {each.key: each.title for each in NAMED}
SOURCE = (
    "Poster on prices for energy hubs: models A (no prices), B (all as one), C (bilevel, exact) and D (followers with "
    "quadratic costs); its numbers are not printed, ours are synthetic"
)
SOURCE_QUICK = (
    "The best of each affine piece of hubs' answers, one after the other: Luo, Pang and Ralph, Mathematical Programs "
    "with Equilibrium Constraints, 1996; then steps within trust regions: Conn, Gould and Toint, Trust-Region Methods, "
    "2000"
)
SOURCE_FLOW = "Linear flows: background less shares of the hubs' withdrawals; lossless, phases together"


@dataclass(frozen=True, slots=True)
class At:
    """What is looked at. ``selection`` is "hub:NAME", "line:NAME", "line:substation" or ""."""

    show: Show = "both"
    outcome: str = "quick-quadratic"
    hour: int = 0  # 0..T-1
    selection: str = ""


def status_words(outcome: Outcome) -> str:
    """Return what is known of an outcome as an optimum: prices that were only tried are none."""
    if (outcome.prices, outcome.hubs) == ("exact", "linear") and outcome.status is Status.OPTIMAL:
        return "within the gap asked for"
    if outcome.prices == "central" or (outcome.prices, outcome.hubs) == ("exact", "linear"):
        return str(outcome.status.value)
    if (outcome.prices, outcome.hubs) == ("quick", "quadratic"):
        return "best found"
    return "prices tried"


def bound_of(run: "HubRun", outcome: Outcome) -> float:
    """Return what no prices come to less than with these hubs, $: all as one, or more where a search proved more."""
    if outcome.prices == "central":
        return outcome.bound
    proof = run.facts["exact"] if outcome.hubs == "linear" else run.facts.get("best")
    return max(outcome.bound, run.floor, (proof or {}).get("bound", 0.0))


def gap_of(run: "HubRun", outcome: Outcome) -> float:
    """Return how far an outcome is above :func:`bound_of`, relative to its objective."""
    return max(outcome.objective - bound_of(run, outcome), 0.0) / max(1.0, abs(outcome.objective))


def outcome_words(prices: Prices, hubs: Hubs) -> str:
    """Return an outcome in words: ``quick prices, hubs of rising costs``."""
    return PRICES[prices] if prices == "central" else f"{PRICES[prices]}, {HUBS[hubs]}"


def key_of(outcome: Outcome) -> str:
    """Return the key of an outcome: ``quick-quadratic``."""
    return f"{outcome.prices}-{outcome.hubs}"


def said(outcome: Outcome) -> str:
    """Return an outcome in words."""
    return outcome_words(outcome.prices, outcome.hubs)


def lettered(outcome: Outcome) -> str:
    """Return an outcome with its letter: ``D quick prices, hubs of rising costs``."""
    return f"{LETTERS[outcome.prices]} {said(outcome)}"


def after_of(run: "HubRun", at: At) -> Outcome:
    """Return the outcome that is looked at; quick prices for hubs of rising costs where it was not computed.

    Raises ValueError for a run without them.
    """
    found = run.of(*OUTCOMES.get(at.outcome, ("quick", "quadratic"))) or run.of("quick", "quadratic")
    if found is None:
        raise ValueError("a run without quick prices")
    return found


def before_of(run: "HubRun", at: At) -> Outcome:
    """Return what the same hubs do without prices. Raises ValueError for a run without it."""
    found = run.of("none", after_of(run, at).hubs) or run.of("none", "quadratic")
    if found is None:
        raise ValueError("a run without its baseline")
    return found


def ordered(run: "HubRun") -> list[Outcome]:
    """Return the outcomes, A to D, for each those of hubs of constant costs first."""
    return sorted(run.outcomes, key=lambda each: (LETTERS[each.prices], each.hubs))


def shown_of(run: "HubRun", at: At) -> tuple[Outcome, ...]:
    """Return the outcomes that are drawn, the one without prices first."""
    before, after = before_of(run, at), after_of(run, at)
    return (before, after) if at.show == "both" else (before,) if at.show == "before" else (after,)


def hour_of(run: "HubRun", at: At) -> int:
    """Return the period that is looked at, one that the run has."""
    return min(max(at.hour, 0), run.case.periods - 1)


def labels_of(run: "HubRun") -> list[str]:
    """Return the periods' labels."""
    return list(run.case.labels) or [f"period {t + 1}" for t in range(run.case.periods)]


def selected(run: "HubRun", at: At) -> tuple[Kind, int] | None:
    """Return kind and place of what is selected, None for nothing and for what this case does not have.

    The substation's place is that after the last line.
    """
    kind, _, name = at.selection.partition(":")
    if kind == "hub":
        place = next((at for at, hub in enumerate(run.case.hubs) if hub.name == name), None)
        return None if place is None else ("hub", place)
    if kind == "line" and name in run.case.network.lines:
        return "line", run.case.network.lines.index(name)
    return ("substation", len(run.case.network.lines)) if (kind, name) == ("line", SUBSTATION) else None


def hub_of(run: "HubRun", at: At) -> int:
    """Return the place of the hub that charts of one hub are about: the one selected, else the first."""
    found = selected(run, at)
    return found[1] if found is not None and found[0] == "hub" else 0


@lru_cache(maxsize=4)
def programs_of(run: "HubRun") -> "tuple[HubProgram, ...]":
    """Return the hubs' programs, made once for a run: what columns of the outcomes' points are."""
    return run.programs()


def limit_words(limit_mw: float, digits: int = 2) -> str:
    """Return a limit: ``2.70 MW``, ``unlimited``."""
    return f"{number(limit_mw, digits)}{NARROW}MW" if np.isfinite(limit_mw) else number(limit_mw)


def mwh(value: float) -> str:
    """Return an energy beyond limits: ``8.90 MWh``."""
    return f"{number(plain(value), 2)}{NARROW}MWh"


def dollars(value: float, digits: int | None = None) -> str:
    """Return an amount of a small study: ``568.1 $``, ``1 480 $``."""
    if digits is None:
        digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 999.95 else 0
    return f"{number(plain(value), digits)}{NARROW}$"


def worst_words(outcome: Outcome) -> str:
    """Return what overloads may weigh at worst: ``703.5 $``, or within what where the search for it ended early."""
    if outcome.worst_status is Status.OPTIMAL:
        return dollars(outcome.worst_cost)
    return f"{dollars(outcome.worst_cost)} at least, {dollars(outcome.worst_bound)} at most"


def amount_of(value: Any) -> float:
    """Return a number of an answer that was kept: as itself, or as an array of one."""
    return float(np.ravel(value)[0])


def per_mwh(value: float) -> str:
    """Return a price of the operator: ``28.2 $/MWh``."""
    return f"{number(plain(value), 1)}{NARROW}$/MWh"


def plain(value: float) -> float:
    """Return a number, 0 for what is rounding."""
    return 0.0 if abs(value) < 5e-7 else value
