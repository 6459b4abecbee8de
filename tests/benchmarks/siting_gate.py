"""The reliability gate on Texas: the paper's hour, exactly, and hours of a day, against a plain loop over DC-OPFs.

    python -m tests.benchmarks.siting_gate            the paper's hour, branch outages
    python -m tests.benchmarks.siting_gate --hours 2  so many hours of its day too, branch and unit outages

Needs HEADROOM_DATA (the 2020 series). Writes results/siting_gate.md with its date. The plain loop solves one DC-OPF
with lazy limits for a triple, from nothing; the check is a program in bus angles that shares no code with the gate.
"""

import argparse
import os
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from engine.compute import Processes
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.siting import cases, gate_check
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import standard
from engine.siting.gate.model import GateHour, GateModel
from engine.siting.gate.program import CaseProgram
from engine.siting.gate.question import PAPER_KV, GateQuestion, candidates
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.hourly_file import HourlyFile

RESULT = Path(__file__).parent / "results" / "siting_gate.md"
SERIES = "texas2000/hourly_2020.csv.gz"
SIZES_MW = (1000.0, 2000.0)
LOOP, CHECKS = 60, 200
WORKERS = 2
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


def measured(case: SitingCase, rule: Rule, parts: int, limit: str) -> tuple[list[Row], GateResult]:
    network = case.network
    contingencies = Contingencies.of(Factors.of(network), rule, case)
    question = GateQuestion(candidates(network, PAPER_KV), standard(), SIZES_MW)
    start = time.perf_counter()
    result = screen(case, contingencies, question, workers=Processes(WORKERS), parts=parts)
    wall = time.perf_counter() - start
    triples = len(question.buses) * len(contingencies) * len(case) * result.levels
    name = f"{len(case)} hour{'s' if len(case) > 1 else ''}"
    cpu = sum(known.time_s for known in result.verdicts if known is not None)
    each, wrong = plain_s(case.at(np.array([0])), contingencies, result)
    report = gate_check.check(case, contingencies, result, count=CHECKS, seed=1, workers=Processes(WORKERS))
    counts = [dict(known.counts) for known in result.verdicts if known is not None]
    told = ", ".join(f"{sum(c.get(key, 0) for c in counts):,} {key}" for key in sorted({k for c in counts for k in c}))
    rows = [
        (
            f"{name}, {len(question.buses):,} candidates, 3 envelopes at 1 and 2 GW, {len(contingencies):,} outages: "
            f"{triples:,} verdicts, {WORKERS} processes",
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=int, default=0)
    asked = parser.parse_args()
    folder = os.environ.get("HEADROOM_DATA")
    if not folder:
        raise SystemExit("HEADROOM_DATA names no folder with the 2020 series")
    load_1 = os.getloadavg()[0]
    network = Network.from_tables(load("texas-2020"))
    file = HourlyFile.read(Path(SERIES).name, (Path(folder) / SERIES).read_bytes(), network)
    paper = cases.paper_hour(network, file)
    rows, _ = measured(paper, Rule(units=False), WORKERS, "900 s (aim 240 s)")
    if asked.hours:
        day = cases.paper_day(network, file)
        chosen = np.linspace(0, len(day) - 1, asked.hours).round().astype(np.intp)
        rows += measured(day.at(chosen), Rule(), 1, "5,400 s for 24 hours (aim 1,800 s)")[0]
    text = ["# The reliability gate", ""]
    text += [f"Measured {datetime.now(UTC):%Y-%m-%d} on 2 cores, load {load_1:.1f} at the start; {paper.source}", ""]
    text += ["| step | figure | limit |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows), ""]
    RESULT.write_text("\n".join(text))
    print("\n".join(text))


if __name__ == "__main__":
    main()
