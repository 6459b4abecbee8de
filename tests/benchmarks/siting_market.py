"""A day of Texas as unit commitment with prices, and with one more load: ``python -m tests.benchmarks.siting_market``.

Needs HEADROOM_DATA (the 2020 series). Wall clock and processor time stand beside each other, because whatever else the
machine does counts in the first. A cold integer program of the same day, which is given every limit and ramp that was
found to matter, is solved beside it in the same run. Every schedule is judged by the validator.
"""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np

from engine.commitment.bound import lower_bound
from engine.commitment.instance import Instance
from engine.commitment.integer import solve_integer
from engine.commitment.outcome import Commitment, Effort
from engine.commitment.sced import dispatch
from engine.commitment.scuc import BaseCommitment, commit, solve_site
from engine.commitment.search import decided
from engine.commitment.verify import Schedule, verify
from engine.network import library
from engine.network.model import Network
from engine.siting import cases
from engine.siting.envelopes import UTILISATION
from engine.siting.hourly_file import HourlyFile

RESULT = Path(__file__).parent / "results" / "siting_market.md"
BASE, SITE = Effort(1e-4, 100.0), Effort(3e-4, 90.0)
SITES = 2
NAMEPLATE_MW = 1000.0
COLD_LIMIT_S = 60.0
DISPATCH_NOTE = (
    "The dispatch with prices is one interior point program: all of its time is some 34 steps of Clarabel, to a gap",
    "of 1e-12, which makes the prices the centre of the optimal duals. Tried: a gap of 1e-9 saves 2 steps and moves",
    "prices by 1.5e-4 $/MWh; the supernodal factorisation, no presolve and less refinement save nothing; without",
    "equilibration it takes more steps.",
)
RELAXATION_NOTE = (
    "Of the relaxation without a site two thirds are its first solve from nothing, 38,505 rows by dual simplex. Tried,",
    "processor seconds of that solve: as it is 15 to 16, without presolve 17, without perturbed costs 19, at a wider",
    "dual tolerance 19, interior points with crossover 25, Devex prices 26, primal simplex and Dantzig prices over 40.",
)
Found = TypeVar("Found")


@dataclass(frozen=True)
class Row:
    what: str
    wall_s: float
    cpu_s: float
    gap: str
    note: str


def timed(run: Callable[[], Found]) -> tuple[Found, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def texas_day() -> Instance:
    folder = os.environ.get("HEADROOM_DATA", "")
    path = Path(folder) / "texas2000" / "hourly_2020.csv.gz"
    if not folder or not path.is_file():
        raise SystemExit("HEADROOM_DATA names no folder with the hours of 2020")
    network = Network.from_tables(library.load("texas-2020"))
    file = HourlyFile.read(path.name, path.read_bytes(), network)
    return Instance.of(cases.paper_day(network, file, "demonstration"))


def judged(instance: Instance, found: Commitment) -> str:
    if found.dispatch is None:
        return f"{found.status}: {found.reason}"
    schedule = Schedule(found.running(instance), found.dispatch.output_mw, found.dispatch.reserve_mw, found.cost)
    verdict = verify(instance.case, instance.options, schedule, instance.initial)
    kept = "the judge finds nothing" if verdict.holds else f"THE JUDGE: {verdict.problems[0]}"
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.times_s.items())
    return f"{found.status}, {found.cost:,.0f} $, {found.fractional} unit hours in part; {steps}; {kept}"


def gap_of(found: Commitment) -> str:
    return f"{found.gap:.1e}"


def cold(base: BaseCommitment, instance: Instance, name: str, effort: Effort) -> Row:
    """The whole integer program of the day from nothing, by the same solver."""
    base.relaxation.set_loads(instance)
    model = base.relaxation.model
    every = np.ones((instance.hours, len(instance.committed)), dtype=bool)
    program, whole = decided(base.relaxation, every, every), np.sort(model.place("x").ravel())
    found, wall, cpu = timed(lambda: solve_integer(program, whole, gap=effort.gap, time_limit_s=COLD_LIMIT_S))
    gap = (found.objective - found.bound) / abs(found.objective) if np.isfinite(found.objective) else np.inf
    note = f"{found.message}; limits and ramps given, costs in straight pieces, no prices"
    return Row(f"cold integer program, {name}", wall, cpu, f"{gap:.1e}", note)


def sites_of(network: Network) -> list[int]:
    """The first bus of the highest voltage in each of the zones with the most units."""
    buses = network.buses
    zones, counts = np.unique(np.array(buses.zones)[network.units.bus], return_counts=True)
    found = []
    for zone in zones[np.argsort(-counts)][:SITES]:
        own = np.flatnonzero(np.array(buses.zones) == zone)
        found.append(int(own[np.argmax(buses.base_kv[own])]))
    return found


def measure() -> list[Row]:
    instance = texas_day()
    base, wall, cpu = timed(lambda: commit(instance, BASE))
    first = base.commitment
    rows = [Row("base day", wall, cpu, gap_of(first), judged(instance, first))]
    print(rows[-1], flush=True)
    if first.dispatch is None or first.on is None or base.relaxed is None:
        return rows
    on, hints, prices = first.on, first.dispatch.hints, base.relaxed.prices
    again, wall, cpu = timed(lambda: dispatch(instance, on, hints))
    note = f"{len(hints.flows)} limits bind, mean price {np.nanmean(again.lmp):.2f} $/MWh"
    rows.append(Row("dispatch of 24 hours with prices", wall, cpu, "-", note))
    _, wall, cpu = timed(lambda: lower_bound(instance, prices))
    rows.append(Row("bound from prices, all units", wall, cpu, "-", f"{len(instance.committed)} units by themselves"))
    load = np.full(instance.hours, UTILISATION * NAMEPLATE_MW)
    for bus in sites_of(instance.network):
        found, wall, cpu = timed(lambda bus=bus: solve_site(base, bus, load, SITE))
        name = f"site {instance.network.buses.ids[bus]}, firm, 1 GW"
        rows.append(Row(name, wall, cpu, gap_of(found), judged(instance.with_load(bus, load), found)))
        print(rows[-1], flush=True)
    rows.append(cold(base, instance, "base day", BASE))
    loaded = instance.with_load(sites_of(instance.network)[0], load)
    rows.append(cold(base, loaded, "first site", SITE))
    return rows


def table(rows: list[Row]) -> str:
    lines = [
        "# Unit commitment and prices of a Texas day (fleet of 2020, day 226 with 0.96 of its load, 24 h)",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} in one run, one thread, Python {platform.python_version()}, highspy "
        f"{version('highspy')}, load of the machine {os.getloadavg()[1]:.0f} on {os.cpu_count()} cores. The gap is "
        "(cost - bound) / cost; of our rows with the exact quadratic costs, the bound by weak duality from prices.",
        f"Asked: base {BASE.gap:.0e} within {BASE.time_limit_s:.0f} s, site {SITE.gap:.0e} within "
        f"{SITE.time_limit_s:.0f} s, cold programs stopped after {COLD_LIMIT_S:.0f} s.",
        "",
        "| what | wall s | processor s | gap | note |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {row.what} | {row.wall_s:.2f} | {row.cpu_s:.2f} | {row.gap} | {row.note} |" for row in rows]
    lines += ["", *DISPATCH_NOTE, "", *RELAXATION_NOTE]
    return "\n".join(lines) + "\n"


def main() -> None:
    text = table(measure())
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
