"""How the gate's cost grows: with hours, contingencies, candidates and sizes on Texas, and with the buses of grids.

    python -m tests.benchmarks.siting_growth
    python -m tests.benchmarks.siting_growth --only sizes    that axis alone; the other rows stay as they are
    python -m tests.benchmarks.siting_growth --only largest  the largest sizes beside the gate, alone

Processor seconds of one process in one run. The exponent is the slope of log(cost) on log(size), by least squares:
1 is a cost in proportion, 0 a cost that does not grow. Writes results/siting_growth.md.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.defaults import TEXAS_HOURS, starting_question
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.screening import screen
from engine.siting.largest import ladder, largest_sizes
from engine.siting.prepare import prepare
from engine.siting.run import gate_question

RESULTS = Path(__file__).parent / "results"
TEXAS = "texas-2020"
GRIDS = ("rts24", "ieee30", "rts-gmlc", "activsg200", TEXAS)
HOURS = (1, 2, 4, 8)
LEAST_KV = (500.0, 230.0, 60.0)  # of the branches that fail
EVERY = (64, 32, 16, 8)  # candidates
USUAL_EVERY = 16
STEPS_MW = (50.0, 10.0, 1.0)
SECTION = "## The largest size at each candidate"
SIZES = ((1000.0, 2000.0), tuple(np.linspace(50.0, 2000.0, 10)), tuple(np.linspace(50.0, 2000.0, 40)))  # MW


@dataclass(frozen=True, slots=True)
class Point:
    """One screening: how large it is along the axis, how many verdicts it gave, what it cost."""

    size: int
    verdicts: int
    processor_s: float


def screened(
    network: Network,
    size: str,
    *,
    hours: int = 1,
    rule: Rule | None = None,
    every: int = 1,
    sizes_mw: tuple[float, ...] = (),
) -> Point:
    """Screen ``hours`` hours around the opening one with one candidate of ``every``; the axis is named by ``size``."""
    question = starting_question(network).checked(network)
    if len(network.buses.ids) > 1000:
        first = TEXAS_HOURS[0] - hours // 2
        question = replace(question, hours=tuple(range(first, first + hours)))
    prepared = prepare(question, network)
    case = prepared.case.at(np.arange(hours))
    lost = Contingencies.of(Factors.of(case.network), rule or question.rule, case)
    asked = gate_question(question, prepared)
    asked = GateQuestion(asked.buses[::every], asked.envelopes, sizes_mw or asked.sizes_mw)
    result = screen(case, lost, asked)
    sizes = {
        "buses": len(network.buses.ids), "hours": hours, "contingencies": len(lost), "candidates": len(asked.buses),
        "sizes": len(asked.sizes_mw),
    }  # fmt: skip
    verdicts = len(asked.buses) * len(lost) * hours * result.levels
    return Point(sizes[size], verdicts, sum(known.time_s for known in result.verdicts if known is not None))


def exponent(points: Sequence[Point]) -> float:
    """Return the slope of log(cost) on log(size)."""
    size, cost = np.array([(point.size, max(point.processor_s, 1e-3)) for point in points]).T
    return float(np.polyfit(np.log(size), np.log(cost), 1)[0])


def rows(axis: str, points: Sequence[Point]) -> list[str]:
    """Return the rows of a table of one axis."""
    found = []
    for place, point in enumerate(points):
        grows = f"{exponent(points):.2f}" if place == len(points) - 1 else ""
        each = 1e6 * point.processor_s / point.verdicts
        found.append(
            f"| {axis} | {point.size:,} | {point.verdicts:,} | {point.processor_s:,.1f} | {each:,.1f} | {grows} |"
        )
    return found


def of_largest(texas: Network) -> Iterator[str]:
    """Yield the lines of the section on the largest sizes, each as soon as it is measured."""
    question = replace(starting_question(texas), hours=(TEXAS_HOURS[0],)).checked(texas)
    prepared = prepare(question, texas)
    case = prepared.case.at(np.arange(1))
    lost = Contingencies.of(Factors.of(case.network), question.rule, case)
    asked = gate_question(question, prepared)
    asked = replace(asked, buses=asked.buses[::USUAL_EVERY])
    yield from (
        SECTION,
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d}, one process, load {os.getloadavg()[0]:.1f} at the start. Texas, the "
        f"hour of its highest net load in 2016, {len(asked.buses)} candidates (one of {USUAL_EVERY}), "
        f"{len(asked.envelopes)} envelopes, {len(lost):,} outages.",
        "",
        "| what | sizes decided | processor s | of the gate at two sizes | programs |",
        "|---|---|---|---|---|",
    )
    first = 0.0
    for sizes in SIZES:
        known = screen(case, lost, replace(asked, sizes_mw=sizes)).verdicts[0]
        if known is None:
            raise AssertionError("the hour was not screened")
        first = first or known.time_s
        yield _row(f"gate at {len(sizes)} sizes", len(sizes), known.time_s, first, known.counts)
    for step_mw in STEPS_MW:
        found = largest_sizes(case, lost, replace(asked, sizes_mw=ladder(step_mw)), together=len(asked.buses))
        if (found.verdicts < 0).any():
            raise AssertionError("a size was not decided")
        words = f"largest size within {step_mw:g} MW"
        yield _row(words, len(found.sizes_mw), found.time_s, first, found.counts)


def _row(words: str, sizes: int, time_s: float, first_s: float, counts: Mapping[str, int]) -> str:
    programs = sum(counts.get(kind, 0) for kind in ("outage programs", "edge programs", "relief programs"))
    return f"| {words} | {sizes:,} | {time_s:,.1f} | {time_s / first_s:.1f} times | {programs:,} |"


def write(growth: Sequence[str], largest: Sequence[str]) -> None:
    """Write the tables."""
    (RESULTS / "siting_growth.md").write_text("\n".join([*growth, "", *largest, ""]))


def kept() -> tuple[list[str], list[str]]:
    """Return the lines of the growth and of the largest sizes as they were written."""
    growth, found, largest = (RESULTS / "siting_growth.md").read_text().rstrip().partition(SECTION)
    return growth.rstrip().splitlines(), f"{found}{largest}".splitlines()


def of_sizes(texas: Network) -> list[str]:
    """Return the rows of the sizes, and how busy the machine was."""
    load_1 = os.getloadavg()[0]
    axis = f"sizes, measured {datetime.now(UTC):%Y-%m-%d} at a load of {load_1:.1f}"
    return rows(axis, [screened(texas, "sizes", every=USUAL_EVERY, sizes_mw=sizes) for sizes in SIZES])


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=("sizes", "largest"))
    load_1 = os.getloadavg()[0]
    texas = Network.from_tables(load(TEXAS))
    only = parser.parse_args().only
    if only == "sizes":
        growth, largest = kept()
        growth = [line for line in growth if not line.startswith("| sizes")]
        write([*growth, *of_sizes(texas)], largest)
        return
    if only == "largest":
        growth, largest = kept()[0], []
        for line in of_largest(texas):
            largest.append(line)
            print(line, flush=True)
            write(growth, largest)
        return
    text = [
        "# How the gate's cost grows",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d}, one process, load {load_1:.1f} at the start. Texas: the hours around "
        f"that of its highest net load in 2016, one of {USUAL_EVERY} candidates unless said otherwise; other grids: "
        "the first hour of their opening question, all candidates.",
        "",
        "| grows with | size | verdicts | processor s | microseconds a verdict | exponent |",
        "|---|---|---|---|---|---|",
    ]
    text += rows("hours", [screened(texas, "hours", hours=hours, every=USUAL_EVERY) for hours in HOURS])
    outages = [Rule(units=False, least_kv=kv) for kv in LEAST_KV] + [Rule()]
    text += rows("contingencies", [screened(texas, "contingencies", rule=rule, every=USUAL_EVERY) for rule in outages])
    text += rows("candidates", [screened(texas, "candidates", every=every) for every in EVERY])
    text += of_sizes(texas)
    grids = [screened(Network.from_tables(load(key)), "buses") for key in GRIDS[:-1]]
    text += rows("buses (one grid after another)", [*grids, screened(texas, "buses", every=USUAL_EVERY)])
    largest = list(of_largest(texas))
    write(text, largest)
    print("\n".join([*text, "", *largest]))


if __name__ == "__main__":
    main()
