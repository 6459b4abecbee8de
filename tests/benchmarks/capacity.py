"""Capacity: times of the cold and the warm steps, memory, and the full scenario program as the rival.

    python -m tests.benchmarks.capacity            all of it, a few minutes
    python -m tests.benchmarks.capacity --quick    without the 10,000-bus grid and the full program

Writes results/capacity.md with its date. For the margins, states are drawn about the filed net demand (5 % of each
bus's load and generation). The question that a grid opens with is timed apart, from its tables to its first answer:
its states are hours, dispatched one by one.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

import cvxpy as cp
import numpy as np

from engine.capacity.allocation import allocate
from engine.capacity.alone import alone
from engine.capacity.defaults import starting_question
from engine.capacity.jobs import make_states
from engine.capacity.margins import Prepared, prepare
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.supply import supply_share
from engine.capacity.uncertainty import Sample, States, filed_net_demand
from engine.capacity.why import why_alone
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network

RESULT = Path(__file__).parent / "results" / "capacity.md"
SCENARIOS, SITES, EPSILON = 2000, 50, 0.05
Row = tuple[str, str, str, str]  # grid, step, figure, limit
COLD_S, WARM_MS, MEMORY_GB, TIMES_FASTER, FIRST_ANSWER_S = 5, 100, 2, 1000, 60


def states_of(network: Network, seed: int = 0) -> States:
    generator = np.random.default_rng(seed)
    filed = filed_net_demand(network)
    drawn = filed * (1 + 0.05 * generator.standard_normal((SCENARIOS, len(filed))))
    return States(Sample(drawn, None, tuple(f"s{s}" for s in range(SCENARIOS)), "drawn about the filed state", seed))


def question_of(network: Network, seed: int = 0) -> CapacityQuestion:
    high = np.flatnonzero(network.buses.in_service & (network.buses.base_kv >= 100))
    sites = np.random.default_rng(seed).choice(high, SITES, replace=False)
    return CapacityQuestion(
        candidates=tuple(network.buses.ids[site] for site in sites),
        demand_mw=(1000.0,) * SITES,
        epsilons=(EPSILON,),
        supply="headroom",
        at_zero="hold",
        uncertainty=UncertaintySpec("file", {}, seed),
    )


def best_of(function: Callable[[], Any], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return min(taken)


def first_answer(key: str) -> Row:
    """From the tables of a grid to the answer of the question that it opens with."""
    tables = load(key)
    start = time.perf_counter()
    network = Network.from_tables(tables)
    question, factors = starting_question(network), Factors.of(network)
    states = make_states(question.uncertainty, network, factors=factors)
    allocate(prepare(network, question, states, factors=factors), question)
    taken = time.perf_counter() - start
    hours = question.uncertainty.parameters["hours"]
    step = f"the opening question, from tables to answer: {hours:,} hours dispatched, margins, 50 sites"
    return (key, step, f"{taken:.1f} s", f"{FIRST_ANSWER_S} s")


def library_grid(key: str, *, times: int) -> list[Row]:
    network = Network.from_tables(load(key))
    question, states = question_of(network), states_of(network)

    def cold() -> Prepared:
        return prepare(network, question, states, factors=Factors.of(network))

    texas = key.startswith("texas")  # the grid that the limits are stated for; larger ones must work
    cold_limit, warm_limit = (f"{COLD_S} s", f"{WARM_MS} ms") if texas else ("", "")
    step = f"margins cold: factors, {SCENARIOS:,} scenarios, tails of all limits"
    rows = [(key, step, f"{best_of(cold, times):.2f} s", cold_limit)]
    margins = cold()
    rows.append((key, "margins as a file", f"{len(margins.save()) / 2**20:.0f} MB", ""))
    allocate(margins, question)
    other = question_of(network, 9)

    def fresh_sites() -> None:
        margins._cache.clear()
        allocate(margins, replace(question, candidates=other.candidates))

    cases = {
        "new risk level": lambda: allocate(margins, replace(question, epsilons=(0.031,))),
        "new demand": lambda: allocate(margins, replace(question, demand_mw=(700.0, *question.demand_mw[1:]))),
        "new objective (squares)": lambda: allocate(margins, replace(question, objective="sum_sq_ratio")),
        "new objective (fairest)": lambda: allocate(margins, replace(question, objective="lex_max_min")),
        "three risk levels": lambda: allocate(margins, replace(question, epsilons=(0.01, 0.05, 0.1))),
        "new candidates": fresh_sites,
    }
    for name, run in cases.items():
        rows.append((key, f"warm: {name}", f"{1e3 * best_of(run):.0f} ms", warm_limit))
    rows.append((key, "every bus alone, first", f"{1e3 * best_of(lambda: alone(margins, question), 1):,.0f} ms", ""))
    rows.append((key, "every bus alone, again", f"{1e3 * best_of(lambda: alone(margins, question), 3):,.0f} ms", ""))
    card = best_of(lambda: why_alone(margins, question, other.candidates[0]))
    rows.append((key, "why card of a bus", f"{1e3 * card:.1f} ms", ""))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows.append((key, "peak memory of the process so far", f"{peak:.2f} GB", f"{MEMORY_GB} GB"))
    return rows


def against_the_full_program() -> list[Row]:
    """118 buses, rated 1.2 times their worst flow plus 20 MW (the case has no ratings), 10 sites, firm left out."""
    tables = load("ieee118")
    plain = Network.from_tables(tables)
    states = states_of(plain)
    assert states.sample is not None
    share = supply_share(plain, "headroom")
    flow = Factors.of(plain).with_slack(share).flows(-states.sample.net_demand_mw.T)
    rated = tables.branches.assign(rating_a_mw=1.2 * np.abs(flow).max(axis=1) + 20.0)
    network = Network.from_tables(tables.with_table("branches", rated))
    sites = tuple(network.buses.ids[i] for i in range(5, 105, 10))
    question = replace(question_of(network), candidates=sites, demand_mw=(400.0,) * len(sites))
    margins = prepare(network, question, states)
    margins = replace(margins, firm_load_mw=margins.load_mw(EPSILON))  # the full program has one level only
    warm = best_of(lambda: allocate(margins, question))
    cold = best_of(lambda: allocate(prepare(network, question, states), question))
    ours = allocate(margins, question).levels[1].objective
    start = time.perf_counter()
    full = _full_program(network, question, states.sample, margins)
    taken = time.perf_counter() - start
    name = "ieee118"
    return [
        (name, "full scenario program (17), cvxpy and HiGHS", f"{taken:.1f} s", ""),
        (
            name,
            "margins and allocation, cold",
            f"{1e3 * cold:.0f} ms ({taken / cold:,.0f} times faster)",
            f"{TIMES_FASTER:,} times",
        ),
        (name, "allocation, margins kept", f"{1e3 * warm:.1f} ms ({taken / warm:,.0f} times faster)", ""),
        (name, "difference of the two objectives", f"{abs(full - ours):.1e} (of {ours:.6f})", "1e-6"),
    ]


def _full_program(network: Network, question: CapacityQuestion, sample: Sample, margins: Prepared) -> float:
    withdrawal = -margins.factors.dense()
    sites = [network.bus(bus) for bus in question.candidates]
    flow = sample.net_demand_mw @ withdrawal.T  # (S, L)
    existing = np.hstack([flow, -flow])
    added = np.maximum(np.vstack([withdrawal[:, sites], -withdrawal[:, sites]]), 0.0)
    limit = np.tile(network.branches.rating_a_mw, 2)
    demand = np.array(question.demand_mw)
    c = cp.Variable(len(sites), nonneg=True)
    eta = cp.Variable(len(limit))
    excess = cp.Variable(existing.shape, nonneg=True)
    rules = [
        c <= demand,
        eta + cp.sum(excess, axis=0) / (EPSILON * SCENARIOS) <= limit,
        excess >= existing + np.ones((SCENARIOS, 1)) @ cp.reshape(added @ c - eta, (1, len(limit)), order="C"),
    ]
    problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(1 / demand, demand - c))), rules)
    return float(problem.solve(solver=cp.HIGHS))


def main() -> None:
    quick = "--quick" in sys.argv
    load_before = os.getloadavg()[0]
    rows = [first_answer("texas-2020"), first_answer("texas-2016"), *library_grid("texas-2016", times=3)]
    if not quick:
        rows += [first_answer("activsg10k"), *library_grid("activsg10k", times=1), *against_the_full_program()]
    lines = [
        "# Capacity",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, load {load_before:.1f} at the start; "
        f"{SITES} candidates of 1,000 MW, {SCENARIOS:,} scenarios; best of several.",
        "",
        "| grid | step | figure | limit |",
        "|---|---|---|---|",
        *(f"| {grid} | {step} | {figure} | {limit} |" for grid, step, figure, limit in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
