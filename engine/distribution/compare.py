"""All methods on one day: what the aggregator pays, what the system costs, how long it took, and what is proved."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.distribution.best_response import Loop, best_response
from engine.distribution.bilevel import bilevel
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.expansion import expansion
from engine.distribution.price_taker import Equilibrium, price_taker
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.regions import MOST_CENTRES
from engine.distribution.walk import walk
from engine.errors import LimitError, SolverError


@dataclass(frozen=True, slots=True, eq=False)
class MethodRow:
    """One row of the table; savings and increases are against the competitive outcome."""

    method: str
    objective: float  # $, payments and delay
    payment: float  # $
    payment_most: float  # $, at the prices that cost the aggregator most
    system_cost: float  # $
    bound: float  # $, the best that any method proved
    gap: float  # (objective - bound) / max(1, |objective|)
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


def compare(
    problem: Coordination,
    *,
    bits: tuple[int, ...] = (4,),
    time_limit_s: float = 300.0,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Return every method on ``problem``: regions for at most three centres, ``bits`` of the expansion.

    A method that ends without draws is named in ``failures``. Raises what the price taker raises.
    """
    say = progress or (lambda _: None)
    say("price taker")
    equilibrium = price_taker(problem)
    outcomes, failures, loops = [equilibrium.outcome], [], []
    regions = None
    try:
        if problem.fleet.shape[1] <= MOST_CENTRES:
            say("critical regions")
            regions = all_regions(problem)
            outcomes.append(by_regions(problem, regions, time_limit_s=time_limit_s))
    except (LimitError, SolverError) as error:
        failures.append(("critical regions", str(error)))
    say("region walk")
    walked = walk(problem, regions, equilibrium=equilibrium)
    outcomes.append(walked)
    integer: list[tuple[str, Callable[[], Outcome]]] = [
        ("payment identity", lambda: bilevel(problem, regions, start=walked.draws_mw, time_limit_s=time_limit_s))
    ]
    integer += [
        (f"expansion, {k} bits", lambda k=k: expansion(problem, k, regions, time_limit_s=time_limit_s))  # type: ignore[misc]
        for k in bits
    ]
    for name, run in integer:
        say(name)
        try:
            outcomes.append(run())
        except SolverError as error:
            failures.append((name, str(error)))
    for damped in (False, True):
        say("best response")
        loops.append(best_response(problem, regions, damped=damped))
        outcomes.append(loops[-1].outcome)
    bound = max(outcome.bound for outcome in outcomes)
    rows = tuple(_row(outcome, equilibrium.outcome, bound) for outcome in outcomes)
    return Comparison(equilibrium, tuple(outcomes), rows, tuple(loops), bound, tuple(failures))


def _row(outcome: Outcome, taker: Outcome, bound: float) -> MethodRow:
    base = taker.system_cost + taker.delay_cost
    return MethodRow(
        method=outcome.method,
        objective=outcome.objective,
        payment=float(outcome.payment.sum()),
        payment_most=float(outcome.payment_most.sum()),
        system_cost=outcome.system_cost,
        bound=bound,
        gap=(outcome.objective - bound) / max(1.0, abs(outcome.objective)),
        payment_saving=(taker.objective - outcome.objective) / max(1e-9, abs(taker.objective)),
        system_increase=(outcome.system_cost + outcome.delay_cost - base) / max(1e-9, abs(base)),
        status=outcome.status,
        time_s=outcome.time_s,
        processor_s=outcome.processor_s,
        notes=outcome.notes,
    )


def as_table(comparison: Comparison) -> list[dict[str, str | float]]:
    """Return the rows as mappings for tables and files."""
    columns = (
        "method", "objective", "payment", "payment_most", "system_cost", "gap", "payment_saving", "system_increase",
        "status", "time_s", "processor_s",
    )  # fmt: skip
    return [
        {name: value if isinstance(value := getattr(row, name), str) else float(np.round(value, 9)) for name in columns}
        for row in comparison.rows
    ]
