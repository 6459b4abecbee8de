"""What draws are worth by the program of their bill: the operator's answer at its last operating points.

Draws are decided on one linearisation, and billed on a later one, at their own AC solutions and with the limits that AC
made tighter. Here the draws are judged, and the least that any draws could cost is proved, on the later one: so a gap
of the same program as the bill stands beside the gap of the program in which they were decided. Of one who takes prices
as given no such bound tells how good his draws are: what he could still save at the prices of the bill does.
"""

from dataclasses import dataclass

from engine.distribution.bilevel import bilevel
from engine.distribution.coordination import Clock, Coordination, Outcome, judge
from engine.distribution.price_taker import price_taker
from engine.distribution.region_program import by_regions
from engine.distribution.regions import MOST_CENTRES
from engine.distribution.speed import EXACT
from engine.errors import EngineError
from engine.program import solve


@dataclass(frozen=True, slots=True)
class FinalBound:
    """The draws of a study on the linearisation of its bill."""

    objective: float  # $, payment and delay of the draws at the prices that cost the aggregator least
    bound: float  # $: no draws cost less on this linearisation
    gap: float  # (objective - bound) / max(1, |objective|)
    by: str  # the method that proved the bound
    system_cost: float  # $, of the operator and delay
    saving: float  # $ that other draws would cost less at the prices of the bill, if none of them moved these
    processor_s: float


def final_bound(
    problem: Coordination, decided: Outcome, again: Outcome | None = None, *, time_limit_s: float
) -> FinalBound:
    """Return what ``decided`` is worth on ``problem``, that of its bill, and a bound there of the kind it proves.

    ``again``: what the same method decides on ``problem``, whose bound serves where it is that of an exact route. Else
    it is that of critical regions where a method with yes or no in it decided for at most three centres, the payment
    identity's where that decided for more, or the competitive bound. Raises SolverError where not even that is found.
    """
    clock = Clock.start()
    judged = judge(problem, decided.method, decided.point, (float("-inf"), decided.status, clock))
    proved = again is not None and again.method in EXACT and again.bound > float("-inf")
    name, bound = (again.method, again.bound) if again and proved else _bound(problem, decided, time_limit_s)
    gap = (judged.objective - bound) / max(1.0, abs(judged.objective))
    spent = clock.read()[1] + (again.processor_s if again and proved else 0.0)
    saving = judged.objective - _least_at(problem, judged)
    return FinalBound(judged.objective, bound, gap, name, judged.system_cost + judged.delay_cost, saving, spent)


def _least_at(problem: Coordination, judged: Outcome) -> float:
    """Return the least that draws cost at the prices of an outcome, delay included, $."""
    fleet = problem.fleet
    return solve(fleet.program(fleet.wide(judged.price_per_mwh))).optimum().objective


def _bound(problem: Coordination, decided: Outcome, time_limit_s: float) -> tuple[str, float]:
    try:
        exact = decided.method in EXACT or decided.method.startswith("expansion")
        if exact and problem.fleet.shape[1] <= MOST_CENTRES:
            return "critical regions", by_regions(problem, time_limit_s=time_limit_s).bound
        if decided.method == "payment identity":
            return decided.method, bilevel(problem, time_limit_s=time_limit_s).bound
    except EngineError:
        pass  # too many regions, or no answer in time: the competitive bound always holds
    return "price taker", price_taker(problem).payment_bound
