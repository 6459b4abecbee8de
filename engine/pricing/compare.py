"""All models of one case side by side: no prices, all as one, exact prices and quick ones, with both kinds of hubs.

Keys: ``none`` (no prices), ``central`` (hubs and operator as one), ``exact`` (best prices for linear hubs), ``quick``
(prices found for hubs with rising costs). Hubs are ``linear`` or ``quadratic``; what linear hubs do at prices is told
at its best and at its worst for the network, as nothing but chance decides between them. Where exact prices are known,
the search for quick ones begins there too. Of many hubs
(:data:`MOST_LINEAR`) only those with rising costs are answered for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.commitment.outcome import Effort
from engine.errors import SolverError
from engine.network.model import Matrix, Vector
from engine.pricing.answered import Answered
from engine.pricing.case import HubCase
from engine.pricing.central import Central, Joint, first_best, linear_prices
from engine.pricing.congestion import Overloads, PriceCost
from engine.pricing.evaluation import Evaluation, Fleet
from engine.pricing.exact import Exact, Mark, exact_prices
from engine.pricing.linear import AtPrices, answered, at_prices
from engine.pricing.searched import Searched
from engine.pricing.smooth import Smooth, Step, smooth_prices
from engine.pricing.smooth import Tick as SmoothTick
from engine.pricing.starts import STARTS, begun
from engine.program import Status

NOT_ASKED = "not asked for"
MOST_LINEAR = 60  # hubs of which linear answers, best and worst, and exact prices are looked for
_THIRD = 3  # part of the time of quick prices, for those begun at exact ones, and for those of hubs alike as one
Prices = Literal["none", "central", "exact", "quick"]
Hubs = Literal["linear", "quadratic"]
Tick = Callable[[str, float], None]  # what is done now, and the share that is done


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one choice of prices comes to with one kind of hub."""

    prices: Prices
    hubs: Hubs
    price: Matrix  # (K, T), $/MWh
    points: tuple[Vector, ...]  # (I,), what hubs do; of linear ones what is best for the network
    withdrawal_mw: Matrix  # (I, T)
    overloads: Overloads
    overload_cost: float  # $
    worst_cost: float  # $, of overloads at worst, as far as found; as above where hubs have one answer
    worst_bound: float  # $: no answers of these hubs overload more
    worst_status: Status  # optimal: the worst is proved
    price_cost: PriceCost
    hub_cost: Vector  # (I,), $, without the operator's prices and without curvature
    paid: Vector  # (I,), $, by the operator's prices
    bound: float  # $: no prices have a smaller objective with these hubs
    status: Status
    time_s: float

    @property
    def objective(self) -> float:
        """Return what the operator makes least, $."""
        return self.overload_cost + self.price_cost.total

    @property
    def gap(self) -> float:
        """Return how far the bound is, relative to the objective."""
        return (self.objective - self.bound) / max(1.0, abs(self.objective))


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The outcomes of one case, and what proves them."""

    outcomes: tuple[Outcome, ...]
    quick: Smooth
    exact: Exact | None  # None where none was asked for, or found in time
    exact_message: str  # why not
    residual: float  # the largest violation of a hub's conditions of optimality, over all answers of quadratic hubs
    floor: float  # $: overloads weigh no less, whatever hubs do
    time_s: float

    def of(self, prices: Prices, hubs: Hubs) -> Outcome:
        """Return an outcome. Raises KeyError for one that was not computed."""
        for each in self.outcomes:
            if (each.prices, each.hubs) == (prices, hubs):
                return each
        raise KeyError((prices, hubs))


def compare(  # noqa: PLR0913 (three who are told, by name)
    case: HubCase,
    *,
    exact: Effort | None,
    quick_s: float = 60.0,
    seed: int = 0,
    tick: Tick | None = None,
    known: Callable[[Comparison], None] | None = None,
    searched: Callable[[Searched], None] | None = None,
) -> Comparison:
    """Return all models of a case; ``exact`` is how far to go with the integer program, None for not at all.

    ``seed`` is of the shaken start. ``known`` is given what is known before exact prices begin, ``searched`` how far
    the searches are, again and again.

    Raises NetworkDataError with everything that is wrong with the case, InfeasibleError naming what hubs cannot meet.
    """
    begin, say = time.perf_counter(), tick or (lambda _words, _share: None)
    say("each hub by itself", 0.0)
    fleet = Fleet.of(case)
    joint = Joint.of(case, fleet.programs)
    zero = np.zeros((case.area_count, case.periods))
    table = _Table(fleet, joint)
    alone = table.quadratic("none", zero, bound=0.0)  # before there is a bound
    say("hubs and operator as one", 0.05)
    best = first_best(joint)
    floor = best.overload_cost
    say("prices for hubs with rising costs", 0.1)
    so_far, hear, searching = Searched(floor), searched or (lambda _so_far: None), time.perf_counter()

    def stepped(name: str, now: float, steps: tuple[Step, ...]) -> None:
        spent = min((time.perf_counter() - searching) / quick_s, 1.0)
        share = 1.0 if name == "exact" else 0.1 + 0.2 * spent  # those from exact ones come last
        say(f"quick prices from {STARTS[name]}: step {len(steps)}, {now:,.2f} $", share)
        so_far.starts[name] = now, steps
        hear(so_far)

    quick = smooth_prices(
        fleet, begun(case, fleet.programs, quick_s / _THIRD), time_limit_s=quick_s, tick=stepped, seed=seed
    )
    so_far.starts = {end.start: (end.found.objective, end.steps) for end in quick.ends}
    outcomes = [replace(alone, bound=floor), table.central(best), table.quick(quick, floor)]
    few = len(case.hubs) <= MOST_LINEAR
    if few:
        outcomes.insert(0, table.linear("none", zero, floor))
        outcomes.append(table.linear("quick", quick.best.found.price, floor))
    found, message = None, NOT_ASKED if few else f"not for more than {MOST_LINEAR} hubs"
    if exact is not None and few:
        if known is not None:
            still = "being looked for"
            known(Comparison(tuple(outcomes), quick, None, still, table.residual, floor, time.perf_counter() - begin))
        say("exact prices for linear hubs", 0.3)
        limit_s = exact.time_limit_s

        def marked(marks: tuple[Mark, ...]) -> None:
            now = marks[-1]
            words = f"exact prices: {now.objective:,.2f} $, no less than {now.bound:,.2f} $"
            say(words, 0.3 + 0.7 * min(now.at_s / limit_s, 1.0))
            so_far.marks = marks
            hear(so_far)

        try:
            found = exact_prices(
                joint, exact, quadratic=False, starts=table.starts(quick.best.found.price), tick=marked
            )  # fmt: skip
            outcomes += [table.exact(found), table.quadratic("exact", found.price, bound=floor)]
            message = ""
        except SolverError as problem:
            message = str(problem)
    if found is not None:
        quick, again = table.begun_at(found, quick, floor, (quick_s / _THIRD, stepped))
        so_far.starts["exact"] = quick.ends[-1].found.objective, quick.ends[-1].steps
        hear(so_far)
        outcomes = [again.get((each.prices, each.hubs), each) for each in outcomes]
    return Comparison(tuple(outcomes), quick, found, message, table.residual, floor, time.perf_counter() - begin)


class _Table:
    """The rows of a comparison."""

    def __init__(self, fleet: Fleet, joint: Joint) -> None:
        self.fleet, self.joint, self.case = fleet, joint, fleet.case
        self.residual = 0.0

    def quadratic(self, prices: Prices, price: Matrix, bound: float) -> Outcome:
        begin = time.perf_counter()
        return self._evaluated(prices, self.fleet.at(price), bound, begin)

    def quick(self, found: Smooth, bound: float) -> Outcome:
        return self._evaluated("quick", found.best.found, bound, time.perf_counter() - found.time_s)

    def linear(self, prices: Prices, price: Matrix, bound: float) -> Outcome:
        begin = time.perf_counter()
        ends: AtPrices = at_prices(self.joint, price[self.case.area])
        return self._chosen(prices, price, ends, (bound, Status.OPTIMAL, begin))

    def exact(self, found: Exact) -> Outcome:
        ends = at_prices(self.joint, found.price[self.case.area])
        return self._chosen("exact", found.price, ends, (found.bound, found.status, time.perf_counter() - found.time_s))

    def starts(self, quick: Matrix) -> tuple[Answered, ...]:
        """Return what linear hubs do at quick prices, and at what withdrawals cost the network in the first best."""
        price = np.clip(self.case.of_areas(linear_prices(self.joint)), *self.case.price_bounds())
        return answered(self.joint, quick), answered(self.joint, price)

    def begun_at(
        self, found: Exact, quick: Smooth, floor: float, limited: tuple[float, SmoothTick]
    ) -> tuple[Smooth, dict[tuple[str, str], Outcome]]:
        """Return quick prices with a search from exact ones more, and where these are better, their outcomes."""
        more = smooth_prices(self.fleet, {"exact": found.price}, time_limit_s=limited[0], tick=limited[1])
        better = more.best.found.objective < quick.best.found.objective
        joined = Smooth((more if better else quick).best, (*quick.ends, *more.ends), quick.time_s + more.time_s)
        if not better:
            return joined, {}
        return joined, {
            ("quick", "quadratic"): self.quick(joined, floor),
            ("quick", "linear"): self.linear("quick", joined.best.found.price, floor),
        }

    def central(self, found: Central) -> Outcome:
        zero = np.zeros((self.case.area_count, self.case.periods))
        overloads = Overloads.of(self.case, found.withdrawal_mw)
        cost = overloads.cost(self.case)
        return Outcome(
            "central", "linear", zero, found.points, found.withdrawal_mw, overloads, cost, cost, cost, Status.OPTIMAL,
            PriceCost(0.0, 0.0, 0.0), self._hub_cost(found.points), np.zeros(len(found.points)), found.overload_cost,
            Status.OPTIMAL, found.time_s,
        )  # fmt: skip

    def _evaluated(self, prices: Prices, found: Evaluation, bound: float, begin: float) -> Outcome:
        self.residual = max(self.residual, found.residual)
        return Outcome(
            prices, "quadratic", found.price, tuple(each.x for each in found.responses), found.withdrawal_mw,
            found.overloads, found.overload_cost, found.overload_cost, found.overload_cost, Status.OPTIMAL,
            found.price_cost, self.fleet.hub_costs(found), self.fleet.paid(found), bound, Status.OPTIMAL,
            time.perf_counter() - begin,
        )  # fmt: skip

    def _chosen(self, prices: Prices, price: Matrix, ends: AtPrices, told: tuple[float, Status, float]) -> Outcome:
        (bound, status, begin), best, worst = told, ends.best, ends.worst
        own = price[self.case.area]
        paid = [
            float(each @ (program.priced @ x))
            for each, program, x in zip(own, self.joint.programs, best.points, strict=True)
        ]
        overloads = Overloads.of(self.case, best.withdrawal_mw)
        return Outcome(
            prices, "linear", price, best.points, best.withdrawal_mw, overloads, overloads.cost(self.case),
            worst.overload_cost, worst.bound, worst.status, self.fleet.terms.cost(price),
            self._hub_cost(best.points), np.array(paid), bound, status, time.perf_counter() - begin,
        )  # fmt: skip

    def _hub_cost(self, points: tuple[Vector, ...]) -> Vector:
        return np.array([float(own.cost @ x) for own, x in zip(self.joint.programs, points, strict=True)])
