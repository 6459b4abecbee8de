"""All methods on one day: what the aggregator pays, what the system costs, how long it took, and what is proved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.distribution.best_response import Loop, best_response
from engine.distribution.bilevel import bilevel
from engine.distribution.coordination import Clock, Coordination, Outcome, counted, judge
from engine.distribution.expansion import MOST_BITS, bits_for, expansion
from engine.distribution.frames import Vector
from engine.distribution.price_taker import Equilibrium, price_taker
from engine.distribution.region_program import GAP, all_regions, by_regions
from engine.distribution.regions import MOST_CENTRES, HourRegions
from engine.distribution.speed import ASKED, EXACT, HELPED, REBUILT, MethodRow, Speed, speeds
from engine.distribution.walk import walk
from engine.errors import LimitError, QuestionError, SolverError

Tell = Callable[[int, int, str], None]  # done, total, what is being done; may raise CancelledError
# About what each step takes of the whole, and what an hour's regions take.
_STEPS = {"price taker": 4, "critical regions": 6, "region walk": 8, "payment identity": 15, "expansion": 15}
_LOOP, _HOUR = 3, 3
_REGIONS_SHARE = 5.0  # of a method's time, for the critical regions that several methods share
_MORE, _MOST_BITS = 2, 12  # bits that are added at a time, and the most
EVEN = "even work"
_DECIDED = 1.5  # of the processor seconds that decide the claim
_BUSIEST = 8.0  # times as long by the clock on the wall, at most, where a busy machine gives a process less


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the methods may take; times are by the clock on the wall."""

    bits: tuple[int, ...] = (4,)  # one expansion each; () for none
    more_bits: bool = True  # two more at a time, until its own bound proves what the payment identity's does
    time_limit_s: float = 30.0  # of each method with yes or no in it, and of the walk
    # Of processor time at most, of the paper's expansion as we rebuild it, without critical regions and with as many
    # bits as can prove what the payment identity does (those of ``bits`` where no more are asked for); 0: not run. It
    # ends sooner where the claim that it takes ten times as long is decided. A solver's limit is by the clock on the
    # wall, so it is longer by as much as the methods before took longer than their processor time.
    rebuilt_s: float = 300.0
    rounds: int = 200  # of a best response, at most
    seed: int = 0  # of the walk's corners


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The outcomes, the table, and what could not be run and why."""

    equilibrium: Equilibrium
    outcomes: tuple[Outcome, ...]
    rows: tuple[MethodRow, ...]
    loops: tuple[Loop, ...]
    bound: float  # $, the best
    failures: tuple[tuple[str, str], ...]  # method and reason
    speeds: tuple[Speed, ...]  # the exact routes beside the expansions

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


def compare(
    problem: Coordination,
    options: CompareOptions | None = None,
    tell: Tell | None = None,
    *,
    even: Vector | None = None,
) -> Comparison:
    """Return every method on ``problem``: regions for at most three centres, expansions of ever more bits.

    ``even`` (n,) is the fleet's point of the work divided evenly, judged beside the methods; None: not told.
    A method that ends without draws is named in ``failures``. Raises what the price taker raises, and what ``tell``
    raises.
    """
    chosen = options or CompareOptions()
    steps = _Steps(tell, _total(problem, chosen))
    steps.begin("price taker", _STEPS["price taker"])
    equilibrium = price_taker(problem)
    table = _Table(problem, chosen, steps)
    table.keep(equilibrium.outcome, "price taker")
    if even is not None:
        table.keep(judge(problem, EVEN, even, (-np.inf, "given", Clock.start())))
    steps.begin("region walk", _STEPS["region walk"])
    limit = chosen.time_limit_s
    walked = walk(problem, equilibrium=equilibrium, seed=chosen.seed, time_limit_s=limit)
    table.keep(walked, "region walk")
    clock = Clock.start()
    regions = _regions(problem, steps, table.failures, limit)
    if regions is not None:
        table.seconds["regions"] = clock.read()[1]
    if regions is not None:
        table.run("critical regions", lambda: by_regions(problem, regions, start=walked, time_limit_s=limit))
    identity = table.run("payment identity", lambda: bilevel(problem, regions, start=walked, time_limit_s=limit))
    proved = GAP if identity is None or identity.status != "optimal" else max(GAP, identity.gap)
    table.expansions(regions, proved)
    table.rebuilt(equilibrium, proved)
    loops = []
    for damped in (False, True):
        steps.begin("best response, damped" if damped else "best response", _LOOP)
        loops.append(best_response(problem, regions, damped=damped, rounds=chosen.rounds))
        table.keep(loops[-1].outcome)
    return table.comparison(equilibrium, tuple(loops))


class _Table:
    """The outcomes as they come, what could not be run, and what others need before they begin."""

    def __init__(self, problem: Coordination, options: CompareOptions, steps: _Steps) -> None:
        self._problem, self._options, self._steps = problem, options, steps
        self.outcomes: list[Outcome] = []
        self.failures: list[tuple[str, str]] = []
        self.seconds: dict[str, float] = {}  # processor s of what methods need
        self.bits = 0  # of the last expansion that was tried
        self._limits: dict[str, float] = {}  # s, of methods with a limit of their own
        self._failed: list[tuple[str, float]] = []  # expansions without draws in their time

    def keep(self, outcome: Outcome, needed_as: str = "") -> None:
        """Keep an outcome, and its time where other methods need it."""
        self.outcomes.append(outcome)
        if needed_as:
            self.seconds[needed_as] = outcome.processor_s

    def run(self, name: str, work: Callable[[], Outcome]) -> Outcome | None:
        """Run a method; return None where it ends without draws."""
        self._steps.begin(name, _STEPS["expansion" if name.startswith("expansion") else name])
        clock = Clock.start()
        try:
            self.keep(work())
        except SolverError as error:
            self.failures.append((name, str(error)))
            if name.startswith("expansion") and clock.read()[0] >= self._limits.get(name, self._options.time_limit_s):
                self._failed.append((name, clock.read()[1]))
            return None
        return self.outcomes[-1]

    def expansions(self, regions: tuple[HourRegions, ...] | None, proved: float) -> None:
        """Run the expansions asked for, then more bits until one's own bound proves ``proved``, or its time is up."""
        limit, clock = self._options.time_limit_s, Clock.start()
        last = None
        for bits in self._options.bits:
            last = self._expansion(bits, regions, limit)
        bits = max(self._options.bits, default=_MOST_BITS)
        while (
            self._options.more_bits and last is not None and last.status == "optimal" and last.gap > proved
            and bits + _MORE <= _MOST_BITS and clock.read()[0] < limit
        ):  # fmt: skip
            bits += _MORE
            last = self._expansion(bits, regions, limit)

    def _expansion(self, bits: int, regions: tuple[HourRegions, ...] | None, limit: float) -> Outcome | None:
        self.bits = bits
        name = f"expansion, {counted(bits, 'bit')}" + ("" if regions is None else HELPED)
        return self.run(name, lambda: replace(expansion(self._problem, bits, regions, time_limit_s=limit), method=name))

    def rebuilt(self, equilibrium: Equilibrium, proved: float) -> None:
        """Run the paper's expansion as we rebuild it: every limit, distances and duals from boxes and penalties.

        It has as many bits as can prove ``proved``: half of it is left to the expansion, half to its solver.
        """
        if not (self._options.rebuilt_s and self._options.bits):
            return
        bits = self.bits
        if self._options.more_bits:
            error = proved / 2.0 * max(1.0, abs(min(outcome.objective for outcome in self.outcomes)))
            bits = min(MOST_BITS, bits_for(self._problem, error, screened=False))
        name = f"expansion, {counted(bits, 'bit')}{REBUILT}"
        exact = [row.whole_s for row in self._rows(equilibrium) if row.method in EXACT and row.status == "optimal"]
        enough = _DECIDED * ASKED * max(exact, default=np.inf)
        limit = min(self._options.rebuilt_s, max(enough, self._options.time_limit_s)) * self._busy()
        self._limits[name] = limit
        self.run(name, lambda: replace(
            expansion(self._problem, bits, None, screened=False, time_limit_s=limit), method=name
        ))  # fmt: skip

    def _busy(self) -> float:
        """Return how much longer the methods so far took by the clock on the wall than of the processor."""
        wall, own = (sum(getattr(each, name) for each in self.outcomes) for name in ("time_s", "processor_s"))
        return float(np.clip(wall / max(own, 1e-9), 1.0, _BUSIEST))

    def _rows(self, equilibrium: Equilibrium) -> tuple[MethodRow, ...]:
        bound = max(outcome.bound for outcome in self.outcomes)
        return tuple(_row(outcome, equilibrium.outcome, bound, self.seconds) for outcome in self.outcomes)

    def comparison(self, equilibrium: Equilibrium, loops: tuple[Loop, ...]) -> Comparison:
        """Return everything together."""
        bound, rows = max(outcome.bound for outcome in self.outcomes), self._rows(equilibrium)
        return Comparison(
            equilibrium, tuple(self.outcomes), rows, loops, bound, tuple(self.failures), speeds(rows, self._failed),
        )  # fmt: skip


def _total(problem: Coordination, options: CompareOptions) -> int:
    fixed = sum(weight for name, weight in _STEPS.items() if name != "expansion") + 2 * _LOOP
    expansions = len(options.bits) + (1 if options.rebuilt_s and options.bits else 0)
    return fixed + _STEPS["expansion"] * expansions + _HOUR * len(problem.followers)


def _regions(
    problem: Coordination, steps: _Steps, failures: list[tuple[str, str]], limit_s: float
) -> tuple[HourRegions, ...] | None:
    count, hours = problem.fleet.shape[1], len(problem.followers)
    if count > MOST_CENTRES:
        failures.append(("critical regions", f"for at most {MOST_CENTRES} data centres; there are {count}"))
        return None
    try:
        return all_regions(
            problem,
            lambda hour: steps.begin(f"regions of hour {hour + 1} of {hours}", _HOUR),
            time_limit_s=_REGIONS_SHARE * limit_s,
        )
    except (LimitError, QuestionError, SolverError) as error:
        failures.append(("critical regions", str(error)))
        return None


def _row(outcome: Outcome, taker: Outcome, bound: float, seconds: Mapping[str, float]) -> MethodRow:
    needed = tuple(name for name in _needs(outcome.method) if name in seconds)
    base = taker.system_cost + taker.delay_cost
    own = outcome.bound if np.isfinite(outcome.bound) else None
    return MethodRow(
        method=outcome.method,
        objective=outcome.objective,
        payment=float(outcome.payment.sum()),
        payment_most=float(outcome.payment_most.sum()),
        penalised=float(outcome.penalised.sum()),
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
        before_s=sum(seconds[name] for name in needed),
        start_s=sum(seconds[name] for name in needed if name != "regions"),
        needed=needed,
        notes=outcome.notes,
    )


def _needs(method: str) -> tuple[str, ...]:
    """Return what ran before a method because it builds on it; "regions" spare limits, the others give a start."""
    if method in {"price taker", EVEN} or method.endswith(REBUILT):
        return ()
    if method == "region walk":
        return ("price taker",)
    return ("regions", "price taker", "region walk") if method in EXACT else ("regions",)
