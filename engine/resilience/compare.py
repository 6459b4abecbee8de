"""Plans by method, each with its proof, on the shocks they were made for and on others.

none            nothing is placed
mean shock      deterministic: best for the mean of all shocks
risk neutral    best for the mean cost
CVaR            best for the mean and the tail, under the probabilities as they are
DRO + CVaR      the same under the worst probabilities of the set
uniform, peak   the modules of the last, spread evenly, or put where the most is drawn
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from engine.compute import HERE, Workers
from engine.network.model import Integers
from engine.program import Status
from engine.resilience.ambiguity import Nominal
from engine.resilience.baselines import mean_shock, peak_node, uniform
from engine.resilience.case import PlacementCase, Scenarios
from engine.resilience.evaluation import evaluate
from engine.resilience.lshaped import LShaped, Told
from engine.resilience.outcomes import Outcomes
from engine.resilience.placement import Aim, Mark, Placement, Search, unit_costs

Method = Literal["none", "mean shock", "risk neutral", "CVaR", "DRO + CVaR", "uniform", "peak"]
METHODS: tuple[Method, ...] = get_args(Method)
CHOSEN: Method = "DRO + CVaR"
Route = Callable[
    ..., Placement
]  # another way to search, with the arguments of :func:`engine.resilience.copies.extensive`
Tick = Callable[[str, float], None]  # what is done now, and the share that is done; may raise CancelledError


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A plan by one method. Of a rule of thumb there is no bound: it is judged by the aim of the last method."""

    method: Method
    plan: Integers  # (K,)
    outcomes: Outcomes  # on the shocks of the case
    objective: float  # $ a year, by the aim of "DRO + CVaR", whatever the method's own
    own_objective: float  # by the method's own aim, on its own shocks
    bound: float  # on that; minus infinity where nothing is proved
    status: Status | None  # None: not searched for
    time_s: float = 0.0


def aim_of(method: Method, aim: Aim) -> Aim:
    """Return what a method makes least."""
    if method in {"risk neutral", "mean shock"}:
        return replace(aim, weight=0.0, ambiguity=Nominal())
    return replace(aim, ambiguity=Nominal()) if method == "CVaR" else aim


def plans(  # noqa: PLR0913 (by name)
    case: PlacementCase, aim: Aim, search: Search, *, workers: Workers = HERE, told: Told | None = None,
    known: Callable[[tuple[Planned, ...], Placement], None] | None = None, route: Route | None = None,
) -> tuple[tuple[Planned, ...], Placement]:  # fmt: skip
    """Return a plan by each method, and the search for the last of them.

    That search, by ``route`` if one is given and else by decomposition, comes first and its marks are ``told``;
    ``known`` is given what there is after each. The others begin at its plan. Raises QuestionError and SolverError as
    the searches do.
    """
    first = LShaped(case, aim, search, workers=workers, told=told)
    chosen = first.solve() if route is None else route(case, aim, search, workers=workers, told=told)
    found: dict[Method, Planned] = {}

    def judge(method: Method, plan: Integers, search_: Placement | None) -> None:
        outcomes = evaluate(case, plan.astype(np.float64), workers=workers)
        risk = aim.risk(outcomes.cost, case.scenarios.probability).value
        total = float(unit_costs(case) @ plan) + case.events_per_year * risk
        found[method] = Planned(
            method, plan, outcomes, total, total if search_ is None else search_.objective,
            -np.inf if search_ is None else search_.bound, None if search_ is None else search_.status,
            0.0 if search_ is None else search_.time_s,
        )  # fmt: skip
        if known is not None:
            known(tuple(found[each] for each in METHODS if each in found), chosen)

    judge(CHOSEN, chosen.plan, chosen)
    judge("none", np.zeros_like(chosen.plan), None)
    searched: tuple[Method, ...] = ("CVaR", "risk neutral", "mean shock")
    for method in searched:
        own = mean_shock(case) if method == "mean shock" else case
        again = LShaped(own, aim_of(method, aim), search, workers=workers, told=_silent(told))
        placed = (again if own is not case else again.learn(first)).solve((chosen.plan.astype(np.float64),))
        judge(method, placed.plan, placed)
    judge("uniform", uniform(case, chosen.plan).astype(np.intp), None)
    judge("peak", peak_node(case, chosen.plan).astype(np.intp), None)
    return tuple(found[method] for method in METHODS), chosen


def _silent(told: Told | None) -> Told:
    """Return what may cancel a search but keeps none of its marks."""

    def tell(mark: Mark) -> None:
        if told is not None:
            told(replace(mark, phase=""))

    return tell


def tried(
    case: PlacementCase, planned: tuple[Planned, ...], scenarios: Scenarios, *, workers: Workers = HERE,
    tick: Tick | None = None,
) -> dict[Method, Outcomes]:  # fmt: skip
    """Return what becomes of other shocks under each plan; plans that are alike are tried once."""
    found: dict[Method, Outcomes] = {}
    by_plan: dict[bytes, Outcomes] = {}
    for place, each in enumerate(planned):

        def share(done: int, total: int, place: int = place, method: str = each.method) -> None:
            if tick is not None:
                tick(f"shocks under the plan {method}", (place + done / max(total, 1)) / len(planned))

        key = each.plan.tobytes()
        if key not in by_plan:
            by_plan[key] = evaluate(case, each.plan.astype(np.float64), scenarios, workers=workers, progress=share)
        found[each.method] = by_plan[key]
    return found
