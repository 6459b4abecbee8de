"""The reliability gate on Texas: the paper's hour, exactly; hours of its day; a year as bounds. Beside a plain loop.

    python -m tests.benchmarks.siting_gate                          the paper's hour, branch outages
    python -m tests.benchmarks.siting_gate --part day --hours 2     so many of the 24 hours, branch and unit outages
    python -m tests.benchmarks.siting_gate --part year --minutes 60 --every 8 --workers 1   8,784 hours within a time

Needs HEADROOM_DATA (the 2020 series). Each part writes its own table, with its date. --every 3 takes each third
candidate, --workers 1 one process: the table says so, and what is extrapolated. The plain loop solves one DC-OPF with
lazy limits for a triple, from nothing; the check is a program in bus angles that shares no code with the gate.
"""

import argparse
import math
import os
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from engine.compute import HERE, Processes
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.siting import cases, gate_check
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import standard
from engine.siting.gate.decide import decide
from engine.siting.gate.model import GateHour, GateModel
from engine.siting.gate.program import CaseProgram
from engine.siting.gate.question import PAPER_KV, GateQuestion, candidates
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.hourly_file import HourlyFile

RESULTS = Path(__file__).parent / "results"
SERIES = "texas2000/hourly_2020.csv.gz"
SIZES_MW = (1000.0, 2000.0)
LOOP, CHECKS = 60, 200
CORES = 2
DAY_S, DAY_AIM_S, YEAR_S, YEAR_SHARE = 5400.0, 1800.0, 7200.0, 0.80
Row = tuple[str, str, str]  # step, figure, limit


def plain_s(case: SitingCase, contingencies: Contingencies, result: GateResult) -> tuple[float, int]:
    """Processor seconds of one triple solved from nothing, and how many of a seeded sample differ from the gate."""
    generator = np.random.default_rng(0)
    model = GateModel.of(contingencies, result.buses)
    program = CaseProgram(GateHour.of(model, case.state(0)))
    none = (np.zeros(0, dtype=np.intp), np.zeros(0))
    wrong, start = 0, time.process_time()
    for _ in range(LOOP):
        bus, level = int(generator.integers(len(result.buses))), int(generator.integers(result.levels))
        outage = int(generator.integers(len(result.ids)))
        program.go(int(result.case_of[outage]), none)
        found = program.at(bus, result.load_mw(0, level))
        wrong += int((found.overload <= 1e-6) != (result.verdict(bus, 0, level, outage) == 1))
    return (time.process_time() - start) / LOOP, wrong


def measured(case: SitingCase, rule: Rule, asked: argparse.Namespace, limit: str) -> tuple[list[Row], GateResult]:
    network = case.network
    contingencies = Contingencies.of(Factors.of(network), rule, case)
    question = GateQuestion(candidates(network, PAPER_KV)[:: asked.every], standard(), SIZES_MW)
    workers = Processes(asked.workers)
    start = time.perf_counter()
    result = screen(case, contingencies, question, workers=workers, parts=asked.workers if len(case) == 1 else 1)
    wall = time.perf_counter() - start
    triples = len(question.buses) * len(contingencies) * len(case) * result.levels
    name = f"{len(case)} hour{'s' if len(case) > 1 else ''}"
    cpu = sum(known.time_s for known in result.verdicts if known is not None)
    each, wrong = plain_s(case.at(np.array([0])), contingencies, result)
    report = gate_check.check(case, contingencies, result, count=CHECKS, seed=1, workers=workers)
    counts = [dict(known.counts) for known in result.verdicts if known is not None]
    told = ", ".join(f"{sum(c.get(key, 0) for c in counts):,} {key}" for key in sorted({k for c in counts for k in c}))
    rows = [
        (
            f"{name}, {len(question.buses):,} candidates, 3 envelopes at 1 and 2 GW, {len(contingencies):,} outages: "
            f"{triples:,} verdicts, {asked.workers} processes",
            f"{wall:,.0f} s",
            limit,
        ),
        (f"{name}: processor time", f"{cpu:,.0f} s", ""),
        (f"{name}: solved", told, ""),
        (f"{name}: not decided", f"{result.undecided:,}", "0"),
        (f"{name}: outages that fail before any load is added", f"{len(result.base_infeasible()):,}", ""),
        (
            f"{name}: a plain loop over DC-OPFs, {LOOP} sampled ({wrong} differ), would take",
            f"{each * triples / 3600:,.0f} processor hours, {each * triples / max(cpu, 1e-9):,.0f} times as long",
            "",
        ),
        (f"{name}: {report.words()}", f"{len(report.mismatches)} mismatches", "0"),
    ]
    for envelope in standard():
        for size in SIZES_MW:
            qualified = int((result.qualified(envelope.name, size) == 1).sum())
            strict = int((result.strict(envelope.name, size) == 1).sum())
            figure = f"{qualified} qualified, {strict} if every outage must pass"
            rows.append((f"{name}: {envelope.name} {size / 1000:g} GW", figure, ""))
    return rows, result


def year(case: SitingCase, asked: argparse.Namespace) -> list[Row]:
    network = case.network
    contingencies = Contingencies.of(Factors.of(network), Rule(), case)
    question = GateQuestion(candidates(network, PAPER_KV)[:: asked.every], standard(), SIZES_MW)
    told: list[tuple[float, float]] = []  # minutes of the processor (of the clock with workers), share that is decided
    clock = time.process_time if asked.workers == 1 else time.perf_counter
    start, spent = time.perf_counter(), clock()

    def tell(done: int, total: int) -> None:
        told.append(((clock() - spent) / 60.0, done / total))
        print(f"{told[-1][0]:.1f} min: {100 * told[-1][1]:.1f} % decided", flush=True)

    workers = Processes(asked.workers) if asked.workers > 1 else HERE
    found = decide(case, contingencies, question, budget_s=60.0 * asked.minutes, workers=workers, progress=tell)
    wall, used = time.perf_counter() - start, clock() - spent
    name = f"{len(case):,} hours, {len(question.buses):,} candidates, {len(contingencies):,} branch and unit outages"
    rows = [
        (f"{name}: decided after {wall / 60:.0f} min, {asked.workers} process(es)",
         f"{100 * found.decided_share:.1f} % of (bus, envelope, size)",
         f"{100 * YEAR_SHARE:.0f} % of (bus, envelope) after {YEAR_S / 60:.0f} min on {CORES} cores"),
        ("groups of hours looked at, and the share of the hours in them",
         f"{found.groups}, {100 * found.looked_at:.1f} %", ""),
        (f"decided, by minute of the {'processor' if asked.workers == 1 else 'clock'}", _by_minute(told), ""),
    ]  # fmt: skip
    drawn = np.random.default_rng(1).permutation(len(found.claims))[:CHECKS]
    claims = [found.claims[place] for place in drawn]
    triples = [gate_check.Triple(c.bus, c.load_mw, c.hour, c.contingency, c.passes) for c in claims]
    wrong = sum(not one.agrees for one in gate_check.judge(case, contingencies, triples, workers=workers))
    passing = sum(c.passes for c in claims)
    words = f"verdicts that bounds stand on, {passing} passed and {len(claims) - passing} failed, decided from nothing"
    rows.append((words, f"{wrong} mismatches", "0"))
    if asked.workers == 1:
        part_s = CORES * YEAR_S / asked.every
        share = max((share for minute, share in told if 60.0 * minute <= part_s), default=0.0)
        rows.append(("processor time", f"{used:,.0f} s", f"{part_s:,.0f} s: 1 of {asked.every} candidates"))
        rows.append(
            (f"decided within {part_s:,.0f} s of the processor", f"{100 * share:.1f} %", f"{100 * YEAR_SHARE:.0f} %")
        )
    for envelope in standard():
        for size in SIZES_MW:
            known = found.qualified(envelope.name, size)
            figure = (
                f"{int((known == 1).sum())} qualify, {int((known == 0).sum())} do not, {int((known < 0).sum())} open"
            )
            rows.append((f"{envelope.name} {size / 1000:g} GW", figure, ""))
    open_ = found.undecided("firm", SIZES_MW[0])
    ids = [network.buses.ids[bus] for bus in question.buses[open_]]
    rows.append(("open, firm 1 GW: buses", ", ".join(ids), ""))
    return rows


def _by_minute(told: list[tuple[float, float]]) -> str:
    """Return the share that was decided at the end of each minute in which it rose."""
    last = {math.ceil(minute): share for minute, share in told}
    kept = {minute: share for minute, share in last.items() if share > last.get(minute - 1, 0.0)}
    return ", ".join(f"{minute}: {100 * share:.1f} %" for minute, share in kept.items())


def day(case: SitingCase, asked: argparse.Namespace) -> list[Row]:
    some = np.linspace(0, len(case) - 1, asked.hours + 2)[1:-1].round().astype(np.intp)
    chosen = some if asked.hours < len(case) else np.arange(len(case))
    limit = f"{DAY_S:,.0f} s for 24 hours and all candidates (aim {DAY_AIM_S:,.0f} s)"
    rows, result = measured(case.at(chosen), Rule(), asked, limit)
    cpu = sum(known.time_s for known in result.verdicts if known is not None)
    all_s = cpu / len(chosen) * len(case) * asked.every / CORES
    words = f"24 hours and all candidates on {CORES} cores, extrapolated from the processor time of {len(chosen)} hours"
    words += f" and one of {asked.every} candidates" if asked.every > 1 else ""
    hours = ", ".join(case.labels[hour] for hour in chosen)
    return [*rows, (words, f"{all_s:,.0f} s", limit), ("the hours", hours, "")]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("hour", "day", "year"), default="hour")
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=YEAR_S / 60.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--workers", type=int, default=CORES)
    asked = parser.parse_args()
    folder = os.environ.get("HEADROOM_DATA")
    if not folder:
        raise SystemExit("HEADROOM_DATA names no folder with the 2020 series")
    load_1 = os.getloadavg()[0]
    network = Network.from_tables(load("texas-2020"))
    file = HourlyFile.read(Path(SERIES).name, (Path(folder) / SERIES).read_bytes(), network)
    if asked.part == "hour":
        case = cases.paper_hour(network, file)
        rows = measured(case, Rule(units=False), asked, "900 s (aim 240 s)")[0]
    elif asked.part == "day":
        case = cases.paper_day(network, file)
        rows = day(case, asked)
    else:
        case = cases.from_file(network, file)
        rows = year(case, asked)
    text = [f"# The reliability gate: {asked.part}", ""]
    text += [f"Measured {datetime.now(UTC):%Y-%m-%d} on 2 cores, load {load_1:.1f} at the start; {case.source}", ""]
    text += ["| step | figure | limit |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows), ""]
    (RESULTS / ("siting_gate.md" if asked.part == "hour" else f"siting_gate_{asked.part}.md")).write_text(
        "\n".join(text)
    )
    print("\n".join(text))


if __name__ == "__main__":
    main()
