"""How long the aggregator's optimum takes on the IEEE 37 feeder: 24 hours, 3 data centres, with and without SVG.

    python -m tests.benchmarks.feeder_bilevel              writes results/feeder_bilevel.md, some minutes
    python -m tests.benchmarks.feeder_bilevel --hours 4    fewer hours, writes nothing

Times are of this process alone and by one thread; "wall" also counts what else the machine did. Every method gets the
same followers; the limits that can bind, the largest distances and the largest duals come from critical regions for
the payment identity and the expansion alike. The expansion gets bits until its own bound proves 1e-4.
"""

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from engine.distribution.best_response import best_response
from engine.distribution.bilevel import bilevel
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.expansion import expansion
from engine.distribution.hour import DsoOptions
from engine.distribution.price_taker import price_taker
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.walk import walk
from engine.distribution.workload import seeded
from engine.program import SOLVER
from tests.engine.distribution.days import case37

RESULT = Path(__file__).parent / "results" / "feeder_bilevel.md"
ACCURACY = 1e-4
BITS = (1, 2, 3, 4, 6, 8, 10)
LIMIT_S, EXPANSION_S = 600.0, 300.0
SUPPLY_SLOPE = 6.0  # $/MWh per MW bought: the substation's price answers to what the feeder draws


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    """What came out, and processor and wall time in seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.process_time() - processor, time.perf_counter() - wall


def row(name: str, outcome: Outcome, bound: float, times: tuple[float, float], taker: Outcome) -> str:
    gap = (outcome.objective - bound) / abs(outcome.objective)
    saving = 100.0 * (taker.objective - outcome.objective) / taker.objective
    more = 100.0 * (outcome.system_cost + outcome.delay_cost - taker.system_cost - taker.delay_cost)
    more /= taker.system_cost + taker.delay_cost
    return (
        f"| {name} | {outcome.objective:.3f} | {outcome.system_cost:.3f} | {gap:.1e} | {saving:.3f} | {more:.4f} "
        f"| {times[0]:.2f} | {times[1]:.2f} | {outcome.status} |"
    )


def table(hours: int, *, svg: bool) -> list[str]:
    """The rows of one case."""
    case = case37(slice(0, hours), svg=svg)
    options = DsoOptions(supply_slope_per_mw2h=SUPPLY_SLOPE)
    work = seeded(1800.0, hours=hours, seed=1)
    problem, build, build_wall = timed(lambda: Coordination.of(case, work, options))
    assert isinstance(problem, Coordination)
    taker, *taker_times = timed(lambda: price_taker(problem))
    regions, *region_times = timed(lambda: all_regions(problem))
    exact, *exact_times = timed(lambda: by_regions(problem, regions, time_limit_s=LIMIT_S))
    walked, *walk_times = timed(lambda: walk(problem, regions, equilibrium=taker))
    identity, *identity_times = timed(lambda: bilevel(problem, regions, start=walked, time_limit_s=LIMIT_S))
    bound = max(exact.bound, identity.bound)
    lines = [
        f"\n## {'With' if svg else 'Without'} static var generators, {hours} hours\n",
        f"Building the followers {build:.2f} s; {sum(len(each.cells) for each in regions)} critical regions "
        f"{region_times[0]:.2f} s of processor time (wall {build_wall:.2f} and {region_times[1]:.2f} s). "
        f"Binary choices of the payment identity: {identity.notes[0]}.\n",
        "| method | aggregator pays, $ | system cost, $ | gap to the best bound | saving, % | system cost more, % "
        "| processor, s | wall, s | status |",
        "|---|---|---|---|---|---|---|---|---|",
        row("price taker", taker.outcome, bound, tuple(taker_times), taker.outcome),
        row("critical regions", exact, bound, tuple(exact_times), taker.outcome),
        row("payment identity", identity, bound, tuple(identity_times), taker.outcome),
        row("region walk", walked, bound, tuple(walk_times), taker.outcome),
    ]
    for bits in BITS:
        found, *times = timed(lambda k=bits: expansion(problem, k, regions, time_limit_s=EXPANSION_S))
        print(f"expansion, {bits} bits: {times[0]:.1f} s", flush=True)
        lines.append(row(f"expansion, {bits} bits", found, found.bound, tuple(times), taker.outcome))
        if found.gap <= ACCURACY:
            lines.append(
                f"\nThe expansion proves {ACCURACY:g} with {bits} bits in {times[0]:.2f} s of processor time: "
                f"{times[0] / identity_times[0]:.1f} times the payment identity's, "
                f"{times[0] / exact_times[0]:.1f} times the region program's; regions themselves count for all three.\n"
            )
            break
        if found.status != "optimal":
            lines.append(
                f"\nThe expansion proves nothing better than {found.gap:.1e} in {EXPANSION_S:g} s of wall time, "
                f"{times[0]:.1f} s of processor time: {times[0] / identity_times[0]:.1f} times the payment identity's, "
                f"{times[0] / exact_times[0]:.1f} times the region program's; regions themselves count for all three.\n"
            )
            break
    for damped in (False, True):
        loop, *times = timed(lambda d=damped: best_response(problem, regions, damped=d))
        lines.append(
            f"{loop.outcome.method}: {loop.outcome.status}, {loop.outcome.notes[0]}, "
            f"pays {loop.outcome.objective:.3f} $, system cost {loop.outcome.system_cost:.3f} $, "
            f"{times[0]:.2f} s of processor time.\n"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    hours = parser.parse_args().hours
    lines = [
        "# The aggregator's optimum on the IEEE 37 feeder\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {SOLVER}, one thread on a machine of {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.0f} at the start. Savings and increases are against the price taker; the gap of an "
        "expansion is to its own bound, all others to the best bound of the exact routes. Each MW bought at the "
        f"substation makes a MWh {SUPPLY_SLOPE:g} $ dearer.",
    ]
    for svg in (False, True):
        lines += table(hours, svg=svg)
        print("\n".join(lines), flush=True)
    if hours == 24:
        RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
