"""All methods on one day: what the aggregator pays, what the system costs, how long it took, and what is proved."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.distribution.best_response import Loop, best_response
from engine.distribution.bilevel import bilevel
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.expansion import expansion
from engine.distribution.price_taker import Equilibrium, price_taker
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.regions import MOST_CENTRES, HourRegions
from engine.distribution.walk import walk
from engine.errors import LimitError, QuestionError, SolverError

Tell = Callable[[int, int, str], None]  # done, total, what is being done; may raise CancelledError
# About what each step takes of the whole, and what an hour's regions take.
_STEPS = {"price taker": 4, "critical regions": 6, "region walk": 8, "payment identity": 15, "expansion": 15}
_LOOP, _HOUR = 3, 3


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the methods may take; times are by the clock on the wall."""

    bits: tuple[int, ...] = (4,)  # one expansion each; () for none
    time_limit_s: float = 30.0  # of each method with yes or no in it, and of the walk
    rounds: int = 200  # of a best response, at most
    seed: int = 0  # of the walk's corners


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One row of the table; savings and increases are against the competitive outcome."""

    method: str
    objective: float  # $, payments and delay
    payment: float  # $
    payment_most: float  # $, at the prices that cost the aggregator most
    delay_cost: float  # $
    system_cost: float  # $
    bound: float  # $, the best that any method proved
    gap: float  # (objective - bound) / max(1, |objective|)
    own_bound: float | None  # $, that this method proved itself
    own_gap: float | None
    payment_saving: float  # share of the competitive objective
    system_increase: float  # share of the competitive system cost, delay included in both
    status: str
    time_s: float
    processor_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The outcomes, the table, and what could not be run and why."""

    equilibrium: Equilibrium
    outcomes: tuple[Outcome, ...]
    rows: tuple[MethodRow, ...]
    loops: tuple[Loop, ...]
    bound: float  # $, the best
    failures: tuple[tuple[str, str], ...]  # method and reason

    @property
    def best(self) -> Outcome:
        """Return the outcome that costs the aggregator least."""
        return min(self.outcomes, key=lambda outcome: outcome.objective)


class _Steps:
    """What is done of the whole, told as it goes."""

    def __init__(self, tell: Tell | None, total: int) -> None:
        self._tell, self._total, self._done, self._last = tell, total, 0, 0

    def begin(self, name: str, weight: int) -> None:
        """Begin a step, which ends the one before."""
        self._done += self._last
        self._last = weight
        if self._tell is not None:
            self._tell(min(self._done, self._total - 1), self._total, name)


def compare(problem: Coordination, options: CompareOptions | None = None, tell: Tell | None = None) -> Comparison:
    """Return every method on ``problem``: regions for at most three centres, ``bits`` of the expansion.

    A method that ends without draws is named in ``failures``. Raises what the price taker raises, and what ``tell``
    raises.
    """
    chosen = options or CompareOptions()
    steps = _Steps(tell, _total(problem, chosen))
    steps.begin("price taker", _STEPS["price taker"])
    equilibrium = price_taker(problem)
    outcomes, failures = [equilibrium.outcome], list[tuple[str, str]]()
    regions = _regions(problem, steps, failures)
    steps.begin("region walk", _STEPS["region walk"])
    limit = chosen.time_limit_s
    walked = walk(problem, regions, equilibrium=equilibrium, seed=chosen.seed, time_limit_s=limit)
    outcomes.append(walked)
    for name, weight, run in _integer(problem, regions, walked, chosen):
        steps.begin(name, weight)
        try:
            outcomes.append(run())
        except SolverError as error:
            failures.append((name, str(error)))
    loops = []
    for damped in (False, True):
        steps.begin("best response, damped" if damped else "best response", _LOOP)
        loops.append(best_response(problem, regions, damped=damped, rounds=chosen.rounds))
        outcomes.append(loops[-1].outcome)
    bound = max(outcome.bound for outcome in outcomes)
    rows = tuple(_row(outcome, equilibrium.outcome, bound) for outcome in outcomes)
    return Comparison(equilibrium, tuple(outcomes), rows, tuple(loops), bound, tuple(failures))


def _integer(
    problem: Coordination, regions: tuple[HourRegions, ...] | None, walked: Outcome, options: CompareOptions
) -> list[tuple[str, int, Callable[[], Outcome]]]:
    """Return the methods with a yes or no in them: their names, weights, and what runs them from the walk's answer."""
    limit = options.time_limit_s
    found: list[tuple[str, int, Callable[[], Outcome]]] = []
    if regions is not None:
        found.append(
            (
                "critical regions",
                _STEPS["critical regions"],
                lambda: by_regions(problem, regions, start=walked, time_limit_s=limit),
            )
        )
    found.append(
        (
            "payment identity",
            _STEPS["payment identity"],
            lambda: bilevel(problem, regions, start=walked, time_limit_s=limit),
        )
    )
    for bits in options.bits:
        run = partial(expansion, problem, bits, regions, time_limit_s=limit)
        found.append((f"expansion, {bits} bits", _STEPS["expansion"], run))
    return found


def _total(problem: Coordination, options: CompareOptions) -> int:
    fixed = sum(weight for name, weight in _STEPS.items() if name != "expansion") + 2 * _LOOP
    return fixed + _STEPS["expansion"] * len(options.bits) + _HOUR * len(problem.followers)


def _regions(problem: Coordination, steps: _Steps, failures: list[tuple[str, str]]) -> tuple[HourRegions, ...] | None:
    count, hours = problem.fleet.shape[1], len(problem.followers)
    if count > MOST_CENTRES:
        failures.append(("critical regions", f"for at most {MOST_CENTRES} data centres; there are {count}"))
        return None
    try:
        return all_regions(problem, lambda hour: steps.begin(f"regions of hour {hour + 1} of {hours}", _HOUR))
    except (LimitError, QuestionError, SolverError) as error:
        failures.append(("critical regions", str(error)))
        return None


def _row(outcome: Outcome, taker: Outcome, bound: float) -> MethodRow:
    base = taker.system_cost + taker.delay_cost
    own = outcome.bound if np.isfinite(outcome.bound) else None
    return MethodRow(
        method=outcome.method,
        objective=outcome.objective,
        payment=float(outcome.payment.sum()),
        payment_most=float(outcome.payment_most.sum()),
        delay_cost=outcome.delay_cost,
        system_cost=outcome.system_cost,
        bound=bound,
        gap=(outcome.objective - bound) / max(1.0, abs(outcome.objective)),
        own_bound=own,
        own_gap=None if own is None else outcome.gap,
        payment_saving=(taker.objective - outcome.objective) / max(1e-9, abs(taker.objective)),
        system_increase=(outcome.system_cost + outcome.delay_cost - base) / max(1e-9, abs(base)),
        status=outcome.status,
        time_s=outcome.time_s,
        processor_s=outcome.processor_s,
        notes=outcome.notes,
    )
