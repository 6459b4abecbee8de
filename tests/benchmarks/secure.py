"""Outages: screening one operating point, capacity that holds after every outage, and the plain ways as rivals.

    python -m tests.benchmarks.secure            all of it, a few minutes
    python -m tests.benchmarks.secure --quick    without the rivals that take long

Writes results/secure.md with its date. Needs lightsim2grid (in the extra ``test``). The rivals get the same grid and
the same outages; the flows after every outage must agree before a time is told.
"""

import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
import pandapower
from lightsim2grid.lightsim2grid_cpp import AlgorithmType, ContingencyAnalysisCPP
from lightsim2grid.network import init_from_matpower
from pandapower.contingency import run_contingency
from pandapower.converter.pypower.from_ppc import from_ppc

from engine.capacity.answer import work_out
from engine.capacity.defaults import starting_question
from engine.capacity.jobs import make_states
from engine.capacity.margins import prepare
from engine.capacity.question import Security, UncertaintySpec
from engine.capacity.secure import outages_of
from engine.capacity.verify import verify
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.network.outages import BrokenLimits, Outages
from tests.engine.capacity.test_secure import all_rows, answer, grid, loop, question_of, states_of
from tests.engine.grids import matpower_case, network_of

RESULT = Path(__file__).parent / "results" / "secure.md"
TEXAS = "case_ACTIVSg2000"
SAME_MW = 1e-6
TIMES_FASTER, ANSWER_S, MEMORY_GB = 20, 60, 4
SOME = 60  # outages that pandapower is timed on
Row = tuple[str, str, str, str]  # grid, step, figure, limit


def best_of(function: Callable[[], Any], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return min(taken)


def screening(*, quick: bool) -> list[Row]:
    """All single outages of Texas that leave it whole, in the state as filed."""
    ppc = matpower_case(TEXAS)
    network = network_of(ppc)
    rating, injection = network.branches.rating_c_mw, network.injection_mw

    def cold() -> tuple[Outages, BrokenLimits]:
        factors = Factors.of(network)
        made = Outages.all_single(factors)
        return made, made.screen(factors.flows(injection), -rating, rating, 1e-6)

    first = best_of(cold, 2)
    outages, broken = cold()
    factors = outages.factors

    def warm() -> BrokenLimits:
        return outages.screen(factors.flows(injection), -rating, rating, 1e-6)

    ours = best_of(warm, 30)
    lost = np.array([own[0] for own in outages.lost])
    flow = factors.flows(injection)
    after = (flow[:, np.newaxis] + factors.lodf(lost)[0] * flow[lost]).T
    theirs, setup = _lightsim2grid(ppc, lost, after)
    name = "texas (2016 case)"
    rows = [
        (name, f"screening {len(outages):,} outages of one state: flows and all broken limits ({len(broken)} found)",
         f"{1e3 * ours:.1f} ms", ""),
        (name, "the same from nothing: factorisation, outage factors, flows, screening", f"{first:.2f} s", ""),
        (name, "lightsim2grid, DC (KLU), one state: voltages and flows after every outage",
         f"{theirs:.2f} s ({theirs / ours:,.0f} times ours)", f"{TIMES_FASTER} times"),
        (name, "lightsim2grid, the grid made and the state before, besides", f"{setup:.2f} s", ""),
    ]  # fmt: skip
    if not quick:
        each = _pandapower(ppc)
        whole = each * len(outages)
        rows.append(
            (name, f"pandapower run_contingency with rundcpp, {SOME} outages timed, all by proportion",
             f"{whole:.0f} s ({whole / ours:,.0f} times ours)", f"{TIMES_FASTER} times"),
        )  # fmt: skip
    return rows


def _lightsim2grid(ppc: dict[str, Any], lost: np.ndarray, after_mw: np.ndarray) -> tuple[float, float]:
    """Return the seconds for all outages, and for the grid and the state before them; the flows must agree."""
    is_trafo = ppc["branch"][:, 8] != 0
    order = np.concatenate([np.flatnonzero(~is_trafo), np.flatnonzero(is_trafo)])  # lines first, as it numbers them
    start = time.perf_counter()
    model = init_from_matpower(ppc)
    voltage = model.dc_pf(np.ones(len(ppc["bus"]), dtype=complex), 1, 1e-8)
    setup = time.perf_counter() - start
    analysis = ContingencyAnalysisCPP(model)
    analysis.change_algorithm(AlgorithmType.DC_KLU)
    place = np.argsort(order)
    for branch in lost.tolist():
        analysis.add_n1(int(place[branch]))

    def run() -> None:
        analysis.clear_results_only()
        analysis.compute(voltage, 1, 1e-8)
        analysis.compute_power_flows()

    taken = best_of(run, 3)
    found = np.real(np.array(analysis.get_power_flows()))
    position = {int(branch): at for at, branch in enumerate(lost.tolist())}
    ours = after_mw[[position[int(order[own[0]])] for own in map(list, analysis.my_defaults())]][:, order]
    assert np.abs(found - ours).max() < SAME_MW
    return taken, setup


def _pandapower(ppc: dict[str, Any]) -> float:
    """Return the seconds for one outage."""
    net = from_ppc(ppc, f_hz=60, validate_conversion=False)
    pandapower.rundcpp(net)
    lines = net.line.index[:SOME].tolist()
    start = time.perf_counter()
    run_contingency(net, {"line": {"index": lines}}, contingency_evaluation_function=pandapower.rundcpp)
    return (time.perf_counter() - start) / len(lines)


def secure_capacity(key: str, cutoff: float, *, dispatch: Security = "base") -> list[Row]:
    """The question that the grid opens with, after every outage, from kept states: margins, outages, allocation.

    ``dispatch`` says what the hours' own dispatch keeps: without outages it leaves limits after them exceeded.
    """
    network = Network.from_tables(load(key))
    factors = Factors.of(network)
    opening = starting_question(network)
    hours = UncertaintySpec("hourly", {**opening.uncertainty.parameters, "security": dispatch}, 1)
    opening = replace(opening, uncertainty=hours)
    start = time.perf_counter()
    states = make_states(hours, network, factors=factors)
    dispatched = time.perf_counter() - start
    question = replace(opening, security="n-1", cutoff=cutoff)
    start = time.perf_counter()
    base = prepare(network, question, states, factors=Factors.of(network))
    worked = work_out(network, question, states, margins=base)
    taken = time.perf_counter() - start
    levels = worked.answer.result.levels
    rows = worked.margins[0][1].row_count - base.row_count
    start = time.perf_counter()
    verdict = verify(network, question, [np.array(level.capacity_mw) for level in levels], states, factors)
    check = time.perf_counter() - start
    assert verdict.holds
    total = " and ".join(f"{level.total_mw:,.0f}" for level in levels)
    words = f"factors under {100 * cutoff:g} % dropped" if cutoff else "every factor counted"
    sites, outages = len(question.candidates), len(outages_of(network, question, factors))
    kept = "secure hours" if dispatch == "n-1" else "hours dispatched without outages"
    return [
        (key, f"1,000 hours dispatched{' secure for the same outages' if dispatch == 'n-1' else ' without outages'}",
         f"{dispatched:.0f} s", ""),
        (key, f"N-1 secure capacity, {sites} sites, {outages:,} outages, 1,000 {kept}, {words}: "
              f"firm and at 5 %, {total} MW",
         f"{taken:.1f} s ({rows:,} limits after outages brought in)", f"{ANSWER_S} s"),
        (key, f"its independent check, {verdict.rows_checked:,} limits", f"{check:.1f} s", ""),
    ]  # fmt: skip


def against_the_loop() -> list[Row]:
    """118 buses: every outage a network of its own, all limits in one plain program."""
    network = grid("case118", interfaces=True)
    states, question = states_of(network, 200), question_of(network, 10)
    ours = best_of(lambda: answer(network, question, states), 3)
    found = answer(network, question, states)
    start = time.perf_counter()
    least, _ = loop(question, list(all_rows(network, question, states)), found)
    taken = time.perf_counter() - start
    apart = max(abs(level.objective - other) for level, other in zip(found.levels, least, strict=True))
    return [
        ("ieee118", "loop over all outages, all limits in plain programs (scipy, HiGHS)", f"{taken:.1f} s", ""),
        (
            "ieee118",
            "the same by limits brought in, cold",
            f"{1e3 * ours:.0f} ms ({taken / ours:,.0f} times faster)",
            "",
        ),
        ("ieee118", "difference of the objectives", f"{apart:.1e}", "1e-6"),
    ]


def main() -> None:
    warnings.simplefilter("ignore")
    quick = "--quick" in sys.argv
    load_before = os.getloadavg()[0]
    rows = secure_capacity("texas-2016", 0.05)
    if not quick:
        rows += secure_capacity("texas-2016", 0.05, dispatch="n-1")
        rows += secure_capacity("texas-2020", 0.05, dispatch="n-1")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows.append(("texas", "peak memory of the process so far", f"{peak:.2f} GB", f"{MEMORY_GB} GB"))
    rows = [*screening(quick=quick), *rows]
    if not quick:
        rows += against_the_loop()
    lines = [
        "# Outages",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, load {load_before:.1f} at the start; "
        "best of several. Ratios are of one run.",
        "",
        "| grid | step | figure | limit |",
        "|---|---|---|---|",
        *(f"| {grid_} | {step} | {figure} | {limit} |" for grid_, step, figure, limit in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
