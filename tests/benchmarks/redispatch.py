"""Redispatch: the largest extra load at every bus of Texas, its proofs against a program in bus angles, and a joint
allocation.

    python -m tests.benchmarks.redispatch            all of it, several minutes
    python -m tests.benchmarks.redispatch --quick    fewer checks, nothing written

Writes results/redispatch.md with its date. The checks share no code with what they check: angles as variables, every
limit in the program from the start, solved from nothing by scipy.
"""

import os
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np

from engine.capacity.allocation import allocate
from engine.capacity.defaults import starting_question
from engine.capacity.margins import prepare
from engine.capacity.question import UncertaintySpec
from engine.capacity.series import hourly_sample
from engine.capacity.uncertainty import States
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.redispatch.check import check_largest, proved_mw
from engine.redispatch.joint import redispatch_answer
from engine.redispatch.largest import LargestLoads, largest_loads
from engine.redispatch.limits import FlowLimits
from engine.redispatch.states import Scenarios
from engine.redispatch.verify import verify_with_redispatch

RESULT = Path(__file__).parent / "results" / "redispatch.md"
KEY = "texas-2016"
HOURS, CHECKS = 4, 1000
EVERY_BUS_S = 30
JOINT_HOURS, JOINT_S = 1000, 120
ALIKE = 1e-6  # relative, and MW: what two answers may differ by and match
Row = tuple[str, str, str]  # step, figure, limit


def matches(network: Network, loads: LargestLoads, place: int) -> bool:
    """Whether the dispatch is possible, the multipliers prove its load, and a program in angles finds the same."""
    check, most = check_largest(network, loads, place), float(loads.most_mw[place])
    near = ALIKE * (1.0 + abs(most))
    possible = max(check.overload, check.off_balance_mw / (1.0 + most), check.outside_mw / (1.0 + most)) <= ALIKE
    return possible and abs(check.bound_mw - most) <= 10 * near and abs(check.optimum_mw - most) <= 10 * near


def largest(network: Network, factors: Factors, checks: int) -> list[Row]:
    sample = hourly_sample(UncertaintySpec("hourly", {"hours": 500}, 1), network, factors=factors)
    scenarios = Scenarios.of(sample, network)
    order = np.argsort(scenarios.demand_mw.sum(axis=1))
    places = order[np.linspace(len(order) - 1, 0, HOURS).round().astype(int)]  # from the peak to the lightest hour
    limits = FlowLimits.of(factors)
    answers = [largest_loads(network, scenarios.state(int(place)), limits=limits) for place in places]
    size = len(answers[0].buses)
    rows = [
        (
            f"largest extra load at each of {size:,} buses, {loads.state.words}, "
            f"{loads.state.demand_mw.sum() / 1e3:.1f} GW of load, median {np.median(loads.most_mw):.0f} MW",
            f"{loads.time_s:.1f} s",
            f"{EVERY_BUS_S} s",
        )
        for loads in answers
    ]
    start = time.perf_counter()
    far = sum(
        abs(proved_mw(network, loads, place) - loads.most_mw[place]) > 10 * ALIKE * (1.0 + loads.most_mw[place])
        for loads in answers
        for place in range(size)
    )
    taken = time.perf_counter() - start
    rows.append((f"multipliers that do not prove their load, of all {HOURS * size:,}, {taken:.0f} s", f"{far}", "0"))
    generator = np.random.default_rng(1)
    start = time.perf_counter()
    wrong = 0
    for number in range(checks):
        wrong += not matches(network, answers[number % HOURS], int(generator.integers(size)))
    taken = time.perf_counter() - start
    rows.append(
        (
            f"dispatch, multipliers and optimum against a program in bus angles, {checks:,} sampled, mismatches",
            f"{wrong}",
            "0",
        )
    )
    rows.append(("one such check", f"{1e3 * taken / checks:.0f} ms", ""))
    rows.append(("the answers of one hour as a file", f"{len(answers[0].save()) / 2**20:.1f} MB", ""))
    return rows


def jointly(network: Network, factors: Factors, hours: int) -> list[Row]:
    """The question that the grid opens with, with redispatch; then the checker: a dispatch for every state."""
    opening = starting_question(network)
    spec = replace(opening.uncertainty, parameters={"hours": hours})
    question = replace(opening, recourse="redispatch", uncertainty=spec)
    states = States(hourly_sample(spec, network, factors=factors))
    without = replace(question, recourse="none")
    plain = allocate(prepare(network, without, states, factors=factors), without)
    start = time.perf_counter()
    answer = redispatch_answer(network, question, states, factors=factors)
    taken = time.perf_counter() - start
    levels = [np.array(level.capacity_mw) for level in answer.result.levels]
    start = time.perf_counter()
    verdict = verify_with_redispatch(network, question, levels, states, factors=factors)
    checked = time.perf_counter() - start
    assert answer.proofs is not None
    gigawatts = " and ".join(f"{level.total_mw / 1e3:.2f}" for level in answer.result.levels)
    before = " and ".join(f"{level.total_mw / 1e3:.2f}" for level in plain.levels)
    return [
        (
            f"{len(question.candidates)} sites, {hours:,} hours, firm and 5 % risk together: {gigawatts} GW "
            f"(without redispatch {before} GW)",
            f"{taken:.0f} s",
            f"{JOINT_S} s",
        ),
        (
            f"its check: a dispatch for every hour and level in bus angles, 60 programs from nothing; broken promises "
            f"({checked:.0f} s)",
            f"{len(verdict.violations)}",
            "0",
        ),
        (
            "cuts, and the file of the proofs",
            f"{len(answer.proofs.energy):,}, {len(answer.proofs.save()) / 2**20:.1f} MB",
            "",
        ),
    ]


def main() -> None:
    quick = "--quick" in sys.argv
    load_before = os.getloadavg()[0]
    network = Network.from_tables(load(KEY))
    factors = Factors.of(network)
    rows = [
        *largest(network, factors, 40 if quick else CHECKS),
        *jointly(network, factors, 20 if quick else JOINT_HOURS),
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows.append(("peak memory of the process", f"{peak:.2f} GB", "4 GB"))
    lines = [
        "# Redispatch",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, load {load_before:.1f} at the start; "
        f"{KEY}, every unit may move between its hourly limits.",
        "",
        "| step | figure | limit |",
        "|---|---|---|",
        *(f"| {step} | {figure} | {limit} |" for step, figure, limit in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
