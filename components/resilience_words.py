"""The Resilience page's words for methods, modules and sets of shocks; and what of a run is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from components.format import number
from engine.resilience.compare import CHOSEN, Method, Planned
from engine.resilience.modules import Kind, ModuleType
from engine.resilience.recourse import Answer, Recourse

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

NARROW = "\u00a0"  # a number and its unit stay on one line
METHODS: Mapping[Method, str] = {
    "none": "no modules",
    "mean shock": "for the mean shock",
    "risk neutral": "risk neutral",
    "CVaR": "CVaR",
    "DRO + CVaR": "CVaR in doubt",
    "uniform": "spread evenly",
    "peak": "at the peaks",
}
NOTES: Mapping[Method, str] = {
    "none": "nothing is placed",
    "mean shock": "best for one shock, the mean of all",
    "risk neutral": "least mean cost",
    "CVaR": "mean and tail, probabilities as they are",
    "DRO + CVaR": "mean and tail, under the worst probabilities of the set",
    "uniform": "the modules of the last, in turns over the sites",
    "peak": "the modules of the last, where the most is drawn",
}
KINDS: Mapping[Kind, str] = {
    "storage": "storage", "generation": "fast generation", "response": "demand response",
}  # fmt: skip
SETS: Mapping[str, str] = {"train": "own shocks", "fresh": "fresh shocks", "shifted": "shifted shocks"}
# Colour and pattern of a type, by its place: colour never alone.
SIGNS: tuple[tuple[str, str], ...] = (
    ("fine", "/"), ("flexible", "x"), ("candidate", "."), ("firm", "\\"), ("muted", "-"), ("bus", "+"),
)  # fmt: skip
SOURCE = (
    "Two-stage placement under distributional doubt: arXiv 2601.14665 (Magableh, Wang, Dawaghreh) names the method and "
    "prints no formula; the forms are ours"
)
SOURCE_CVAR = "Rockafellar and Uryasev, Journal of Risk 2(3), 2000"
SOURCE_FLOW = "Linear power flow: Baran and Wu, IEEE Trans. Power Delivery 4(1) and 4(2), 1989"
SOURCE_SEARCH = "Multi-cut L-shaped method: Birge and Louveaux, European Journal of Operational Research 34, 1988"
SOURCE_BOOTSTRAP = "Percentiles of bootstrap samples: Efron and Tibshirani, 1993, chapter 13"


@dataclass(frozen=True, slots=True)
class At:
    """What is looked at. ``selection`` is "site:BUS" or "bus:BUS", "" for nothing."""

    method: Method = CHOSEN
    shock: int = 0  # from 1; 0: the dearest under the plan
    hour: int = 0  # step, 0..T-1
    selection: str = ""
    on: str = ""  # shocks that the distribution is of, "" for the first that no plan has seen


def planned_of(run: "ResilienceRun", at: At) -> Planned:
    """Return the plan that is looked at, the chosen one where it is not made yet. Raises ValueError without any."""
    found = run.of(at.method) or run.of(CHOSEN)
    if found is None:
        raise ValueError("a run without a plan")
    return found


def shock_of(run: "ResilienceRun", at: At) -> int:
    """Return the place of the shock that is looked at."""
    if 0 < at.shock <= len(run.case.scenarios):
        return at.shock - 1
    return int(np.argmax(planned_of(run, at).outcomes.cost))


def hour_of(run: "ResilienceRun", at: At) -> int:
    """Return the step that is looked at, one that the run has."""
    return min(max(at.hour, 0), run.case.steps - 1)


def labels_of(run: "ResilienceRun") -> list[str]:
    """Return the steps' labels."""
    return list(run.case.labels) or [f"step {t + 1}" for t in range(run.case.steps)]


@lru_cache(maxsize=12)
def played(run: "ResilienceRun", method: Method, shock: int) -> tuple[Recourse, Answer]:
    """Return stage II of one shock under the plan by a method, solved. Raises SolverError."""
    recourse = Recourse(run.case.with_scenarios(np.array([shock])))
    plan = planned_of(run, At(method)).plan.astype(np.float64)
    return recourse, recourse.dispatch(0, plan)


def table_of(run: "ResilienceRun", planned: Planned) -> np.ndarray:
    """Return (M, I) how many modules of each type stand at each site."""
    return planned.plan.reshape(len(run.case.types), len(run.case.sites))


def letters(types: tuple[ModuleType, ...]) -> list[str]:
    """Return one letter for each type: the first of its name that no other before it has."""
    found: list[str] = []
    for each in types:
        own = [letter for letter in each.name.upper() if letter.isalnum() and letter not in found]
        found.append(own[0] if own else str(len(found) + 1))
    return found


def sign_of(place: int) -> tuple[str, str]:
    """Return colour and pattern of a type by its place."""
    return SIGNS[place % len(SIGNS)]


def selected_bus(run: "ResilienceRun", at: At) -> str:
    """Return the bus that is selected, "" for nothing and for what the feeder does not have."""
    kind, _, name = at.selection.partition(":")
    known = {bus.name for bus in run.case.feeder.buses}
    return name if kind == "bus" and name in known else ""


def dollars(value: float) -> str:
    """Return an amount: ``17 500 $``."""
    return f"{number(value + 0.0)}{NARROW}$"


def mwh(value: float, digits: int = 2) -> str:
    """Return an energy: ``2.31 MWh``."""
    return f"{number(0.0 if abs(value) < 5e-7 else value, digits)}{NARROW}MWh"


def shock_words(run: "ResilienceRun", shock: int) -> str:
    """Return a shock in words: ``shock 17, site failover, line 9-10 out``."""
    given = run.case.scenarios
    out = int(given.outage[shock])
    lost = f", {run.case.links[out]} out" if out >= 0 else ""
    return f"shock {shock + 1}, {given.kind[shock] or 'no kind'}{lost}"
