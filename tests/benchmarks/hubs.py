"""Prices for hubs: how near to the best, how fast, and for how many hubs; exact prices beside quick ones.

    python -m tests.benchmarks.hubs [--limit S]    writes results/hubs.md, about 15 minutes on an idle machine

Times are processor seconds of this process by one thread, so that other work of the machine counts little; "wall" is
told where a limit is by the clock. The search for a fleet ends when steps bring next to nothing, or after ``--limit``.
A fleet's row is the whole job of the program (:func:`engine.pricing.run.run_hubs`), by what it says that it does.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from engine.commitment.outcome import Effort
from engine.errors import SolverError
from engine.pricing.case import HubCase
from engine.pricing.cases import fleet, three_hubs
from engine.pricing.central import Joint, linear_prices
from engine.pricing.evaluation import Fleet
from engine.pricing.exact import Exact, exact_prices
from engine.pricing.linear import answered
from engine.pricing.question import HubQuestion
from engine.pricing.rolling import rolled
from engine.pricing.run import run_hubs
from engine.pricing.smooth import Smooth, smooth_prices
from engine.pricing.starts import begun
from engine.program import SOLVER
from tests.benchmarks.hubs_by_gradients import by_gradients

RESULT = Path(__file__).parent / "results" / "hubs.md"
FLEETS = (30, 300, 3000)
SMALL_HOURS = (3, 4, 6, 8)
FRESH = ((6, range(21, 27)), (8, range(21, 25)))  # hours and seeds of days on which no setting was chosen
EXACT_SIZES, EXACT_S = (3, 6, 12), 60.0  # hubs; s of the wall clock for each
LEAST_S = 600.0  # of the wall clock, for the three hubs
MEMORY_GB = 4.0


class Clock:
    """Processor and wall seconds since it was made."""

    def __init__(self) -> None:
        self.begin = time.process_time(), time.perf_counter()

    def processor(self) -> float:
        return time.process_time() - self.begin[0]

    def wall(self) -> float:
        return time.perf_counter() - self.begin[1]


def quick(case: HubCase, limit_s: float) -> tuple[Fleet, Smooth, dict[str, float]]:
    """Return the fleet, its quick prices, and the processor seconds of each part."""
    clock, parts = Clock(), dict[str, float]()
    own = Fleet.of(case)
    parts["build"] = clock.processor()
    starts = begun(case, own.programs)
    parts["start"] = clock.processor() - parts["build"]
    found = smooth_prices(own, starts, time_limit_s=limit_s, seed=0)
    parts["search"] = clock.processor() - parts["build"] - parts["start"]
    return own, found, parts


def exact_of(case: HubCase, own: Fleet, found: Smooth, effort: Effort) -> Exact:
    """Return exact prices for linear hubs, begun as the program begins them."""
    joint = Joint.of(case, own.programs)
    prices = (found.best.found.price, np.clip(case.of_areas(linear_prices(joint)), *case.price_bounds()))
    return exact_prices(joint, effort, quadratic=False, starts=[answered(joint, each) for each in prices])


def three(say: Callable[[str], None]) -> Iterator[str]:
    """Yield the rows of the three hubs."""
    yield "\n## Three hubs\n"
    yield "| what | figure | asked |"
    yield "|---|---|---|"
    case = three_hubs()
    own, found, parts = quick(case, 60.0)
    none = own.at(np.zeros((case.area_count, case.periods))).objective
    yield (
        f"| quick prices, 24 h: {none:.1f} $ without prices, {found.best.found.objective:.1f} $ with them | "
        f"{sum(parts.values()):.2f} s of the processor | 2 s |"
    )
    say("three hubs, exact")
    for hours, gap in ((8, 1e-4), (24, 0.05)):
        case = three_hubs(hours)
        own, found, _ = quick(case, 60.0)
        clock = Clock()
        best = exact_of(case, own, found, Effort(gap, LEAST_S))
        yield (
            f"| exact prices, {hours} h, {best.decisions} decisions: {best.objective:.3f} $, bound {best.bound:.3f} $ "
            "| "
            f"gap {best.gap:.1e} after {clock.wall():.1f} s ({clock.processor():.1f} s of the processor) | "
            f"{gap:g} within {LEAST_S:g} s |"
        )
    for hours in SMALL_HOURS:
        above, best, _ = above_best(three_hubs(hours))
        yield (
            f"| quick prices, {hours} h, against the bound of the best for the same hubs (proved to {best.gap:.1e}) "
            f"| {100 * above:.2f} % above | 1 % |"
        )
    say("three hubs, real time")
    rolling = rolled(three_hubs(), window=24)
    yield (
        f"| prices in real time, {len(rolling.step_s)} periods, each of a window of 24 h: mean "
        f"{rolling.step_s.mean():.2f} s by the clock | largest {rolling.step_s.max():.2f} s | 2 s |"
    )


def above_best(case: HubCase) -> tuple[float, Exact, float]:
    """Return how far quick prices are above the proved bound (relative), the proof, and their processor seconds."""
    own, found, parts = quick(case, 60.0)
    known = [found.best.found.answered]
    best = exact_prices(Joint.of(case, own.programs), Effort(1e-4, 120.0), quadratic=True, starts=known)
    return found.best.found.objective / best.bound - 1.0, best, sum(parts.values())


def fresh(say: Callable[[str], None]) -> Iterator[str]:
    """Yield the rows of days of other seeds, on which no setting of the search was chosen."""
    yield "\n## Three hubs on other days: quick prices against proved ones\n"
    yield (
        "Days of seeds on which no setting of the search was chosen. Best: for the same hubs with rising costs, by the "
        "integer program. Above: quick prices against its bound; asked for: 1 %.\n"
    )
    yield "| hours | seed | quick, $ | s of the processor | best, $ | bound, $ | above |"
    yield "|---|---|---|---|---|---|---|"
    for hours, seeds in FRESH:
        found = []
        for seed in seeds:
            say(f"{hours} h, seed {seed}")
            above, best, spent = above_best(three_hubs(hours, seed))
            found.append(above)
            quick_ = best.bound * (1.0 + above)
            yield (
                f"| {hours} | {seed} | {quick_:.2f} | {spent:.2f} | {best.objective:.2f} | {best.bound:.2f} "
                f"| {100 * above:.2f} % |"
            )
        yield f"| {hours} | median | | | | | {100 * float(np.median(found)):.2f} % |"


PARTS = {
    "each hub by itself": "alone", "hubs and operator as one": "first best", "prices for hubs": "start",
    "quick prices": "search", "certificates": "certificates", "prices at smaller": "rest",
}  # fmt: skip


class Parts:
    """Processor seconds of the parts of a job, by what it says that it does now."""

    def __init__(self) -> None:
        self.clock, self.spent = Clock(), dict.fromkeys(("build", *PARTS.values()), 0.0)
        self.part, self.since = "build", 0.0

    def tell(self, _share: float, words: str) -> None:
        now = self.clock.processor()
        self.spent[self.part] += now - self.since
        self.part = next(part for first, part in PARTS.items() if words.startswith(first))
        self.since = now


def fleets(limit_s: float, say: Callable[[str], None]) -> Iterator[str]:
    """Yield the rows of the fleets."""
    yield "\n## Fleets, 24 h, quick prices: the whole job\n"
    yield (
        "Bound: overloads weigh no less whatever hubs do (first best). Gap: of the prices found to it. Seconds of the "
        f"processor; the search of each start has half of {limit_s:g} s by the clock, and ends by its own rule before "
        "that where it says so.\n"
    )
    yield (
        "| hubs | no prices, $ | quick, $ | bound, $ | gap | first best, s | start, linear hubs, s | search, s | steps "
        "| one step, s | ended | certificates, s | whole job, s | s for a hub | wall, s | peak memory, GB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for count in FLEETS:
        say(f"{count} hubs")
        clock, parts = Clock(), Parts()
        question = HubQuestion(case="fleet", count=count, quick_time_s=limit_s, ladder=False)
        run = run_hubs(question, lambda _: ("", b""), progress=parts.tell)
        whole, wall = clock.processor(), clock.wall()
        ends = run.facts["ends"]
        steps, search = (sum(end[name] for end in ends) for name in ("steps", "processor_s"))
        chain = run.facts["chain"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        cells = (
            f"{count:,}", f"{chain['none']:.1f}", f"{chain['quick']:.1f}", f"{chain['first_best']:.1f}",
            f"{100 * (1.0 - chain['first_best'] / chain['quick']):.1f} %", f"{parts.spent['first best']:.1f}",
            f"{parts.spent['start'] + parts.spent['search'] - search:.1f}", f"{search:.1f}", f"{steps}",
            f"{search / max(steps, 1):.2f}", ", ".join(f"{end['end']} ({end['start']})" for end in ends),
            f"{parts.spent['certificates']:.1f}", f"{whole:.1f}", f"{whole / count:.3f}", f"{wall:.0f}", f"{peak:.2f}",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield f"\nAsked: 3,000 hubs within 300 s and {MEMORY_GB:g} GB, and time that grows at most linearly."


def one_step(say: Callable[[str], None]) -> Iterator[str]:
    """Yield what a step of the largest fleet is made of."""
    say("one step")
    case = fleet(FLEETS[-1])
    own = Fleet.of(case)
    begun_at = own.at(np.zeros((case.area_count, case.periods)))
    price = np.random.default_rng(0).normal(0.0, 3.0, begun_at.price.shape)
    parts = []
    for name, done in (
        ("hubs' answers", lambda: own.at(price, begun_at.responses)),
        ("slopes of all answers", lambda: [
            each.slope(response) for each, response in zip(own.followers.each, begun_at.responses, strict=True)
        ]),
        ("the gradient by adjoints", lambda: own.gradient(begun_at)),
    ):  # fmt: skip
        clock = Clock()
        done()
        parts.append(f"{name} {clock.processor():.2f} s")
    yield f"\nOf {FLEETS[-1]:,} hubs, once each: {', '.join(parts)}."
    say("by gradients")
    yield from by_gradients()


def scaling(say: Callable[[str], None]) -> Iterator[str]:
    """Yield what exact prices come to where hubs get more."""
    yield "\n## Exact prices beside quick ones, as hubs get more\n"
    yield (
        f"24 h; exact prices (linear hubs, an integer program) have {EXACT_S:g} s by the clock. Objectives are of "
        "other hubs and do not compare; gaps do.\n"
    )
    yield "| hubs | quick: steps and processor s | decisions | exact: objective, $ | bound, $ | gap | wall, s |"
    yield "|---|---|---|---|---|---|---|"
    for count in EXACT_SIZES:
        say(f"exact, {count} hubs")
        case = three_hubs() if count == len(three_hubs().hubs) else fleet(count)
        own, found, parts = quick(case, 60.0)
        head = f"| {count} | {sum(len(end.steps) for end in found.ends)}, {sum(parts.values()):.1f} s |"
        try:
            best = exact_of(case, own, found, Effort(1e-3, EXACT_S))
        except SolverError as problem:
            yield f"{head} | {problem} | | | |"
            continue
        yield (
            f"{head} {best.decisions:,} | {best.objective:.1f} | {best.bound:.1f} | {best.gap:.1e} "
            f"| {best.time_s:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=240.0)
    limit = parser.parse_args().limit

    def say(words: str) -> None:
        print(f"{datetime.now(UTC):%H:%M:%S} {words}", flush=True)

    lines = [
        "# Prices for hubs",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {SOLVER}, one thread on a machine of {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.0f} at the start.",
    ]
    for part in (three(say), fresh(say), fleets(limit, say), one_step(say), scaling(say)):
        for line in part:
            lines.append(line)
            print(line, flush=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
