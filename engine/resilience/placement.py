"""What placement asks for and what it answers with, whichever way it is solved.

    minimise  cost of the modules a year + events a year * risk
    risk      min over eta of the worst, over the set of distributions, of
              E[(1 - weight) Q + weight (eta + max(Q - eta, 0) / (1 - beta))]

one distribution for both parts (the joint form). ``weight`` 0 and no ambiguity is the expected cost; ``weight`` 1 is
the conditional value at risk.
Source: Rockafellar and Uryasev, Journal of Risk 2(3), 2000, for CVaR; arXiv 2601.14665 for what is hedged.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from engine.errors import NetworkDataError, QuestionError
from engine.network.model import Integers, Vector
from engine.program import Status
from engine.resilience.ambiguity import Ambiguity, Nominal, Risk, risk
from engine.resilience.case import PlacementCase


@dataclass(frozen=True, slots=True)
class Aim:
    """What is made least."""

    weight: float = 0.5  # lambda: of CVaR, the rest of the mean
    beta: float = 0.95
    ambiguity: Ambiguity = field(default_factory=Nominal)

    def checked(self, case: PlacementCase) -> "Aim":
        """Return it. Raises QuestionError with everything that is wrong with it for the case."""
        found = list(self.ambiguity.problems(len(case.scenarios)))
        if not 0.0 <= self.weight <= 1.0:
            found.append(f"the weight of CVaR is {self.weight:g}; 0 to 1")
        if not 0.0 <= self.beta < 1.0:
            found.append(f"beta is {self.beta:g}; 0 to below 1")
        if found:
            raise QuestionError("; ".join(found))
        return self

    def risk(self, costs: Vector, probability: Vector) -> Risk:
        """Return the risk of costs (S,), $ an event."""
        return risk(costs, probability, self.ambiguity, self.weight, self.beta)


@dataclass(frozen=True, slots=True)
class Search:
    """How far the search goes."""

    gap: float = 1e-3  # (objective - bound) / objective
    time_limit_s: float = 300.0  # by the clock
    rounds: int = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a search was after a round."""

    time_s: float
    round: int
    objective: float  # $ a year, of the best plan so far
    bound: float
    phase: str

    @property
    def gap(self) -> float:
        """Return (objective - bound) / objective."""
        return gap(self.objective, self.bound)


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The best plan that was found, with its proof. K modules by type and site, S shocks."""

    plan: Integers  # (K,)
    costs: Vector  # (S,), $ of each event
    risk: Risk
    capital: float  # $ a year
    objective: float  # $ a year
    bound: float  # no plan costs less
    status: Status
    marks: tuple[Mark, ...]
    route: str
    time_s: float
    processor_s: float
    cuts: int = 0

    @property
    def gap(self) -> float:
        """Return (objective - bound) / objective."""
        return gap(self.objective, self.bound)


def gap(objective: float, bound: float) -> float:
    """Return (objective - bound) / objective; 0 where both are nothing."""
    if not math.isfinite(objective):
        return math.inf
    return max(0.0, objective - bound) / max(abs(objective), 1e-9)


def unit_costs(case: PlacementCase) -> Vector:
    """Return (K,) what a module costs, $ a year."""
    return np.repeat([kind.cost for kind in case.types], len(case.sites))


def of_type(case: PlacementCase) -> Integers:
    """Return (K,) the place of each module's type."""
    return np.repeat(np.arange(len(case.types)), len(case.sites))


def checked_plan(case: PlacementCase, plan: Vector) -> Vector:
    """Return a plan (K,). Raises NetworkDataError where it breaks a limit of a site, an inventory or the budget."""
    shape = (len(case.types), len(case.sites))
    if plan.shape != (shape[0] * shape[1],):
        raise NetworkDataError(f"a plan has the shape {plan.shape}; it must be ({shape[0] * shape[1]},)")
    if not case.allowed(np.asarray(plan, dtype=np.float64).reshape(shape)):
        raise NetworkDataError("the plan breaks a limit of a site, an inventory or the budget")
    return np.asarray(plan, dtype=np.float64)
