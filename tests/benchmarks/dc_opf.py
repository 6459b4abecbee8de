"""DC-OPF of Texas 2000 in four programs, one after the other in this run: ``python -m tests.benchmarks.dc_opf``.

All get the case as filed with one cost model: quadratic costs, limits of units in service, rating A. Each is
timed from its own network object to prices, model building included, because that is what a user waits for.
"""

import logging
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

from engine.capacity.series import ready_to_dispatch
from engine.network.factors import Factors
from engine.network.model import Network
from engine.opf.dc_opf import DcOpfOptions, dc_opf
from engine.opf.hours import DispatchOptions, dispatch_hours
from tests.engine.grids import Ppc, matpower_case, network_of

CASE = "case_ACTIVSg2000"
RESULT = Path(__file__).parent / "results" / "dc_opf.md"
HOURS = 336


@dataclass(frozen=True)
class Measured:
    program: str
    seconds: float | None
    objective: float | None
    note: str = ""


def timed(run: Callable[[], float], repeats: int) -> tuple[float, float]:
    """The least time and the objective: the other runs are the same work and the machine's other business."""
    times, objective = [], np.nan
    for _ in range(repeats):
        start = time.perf_counter()
        objective = run()
        times.append(time.perf_counter() - start)
    return min(times), objective


def headroom(ppc: Ppc) -> list[Measured]:
    network = network_of(ppc)
    factors = Factors.of(network)
    rows = [
        Measured("Headroom, cold (factors + OPF)", *timed(lambda: dc_opf(network).cost_per_h, 10)),
        Measured("Headroom, factors kept", *timed(lambda: dc_opf(network, factors=factors).cost_per_h, 20)),
    ]
    stressed = DcOpfOptions(limit_scale=0.8, ignore_p_min=True)
    seconds, objective = timed(lambda: dc_opf(network, stressed).cost_per_h, 10)
    count = dc_opf(network, stressed, factors).limit_rows
    rows.append(
        Measured("Headroom, cold, another problem", seconds, objective, f"ratings x 0.8, Pmin 0: {count} limit rows")
    )
    return rows + hours(network, factors)


def hours(network: Network, factors: Factors) -> list[Measured]:
    """Many hours in a row, every one of them congested: nothing is left to the merit order.

    With quadratic costs each hour is a program solved from nothing, since the active-set method cannot start from the
    hour before; with costs in straight pieces, as the capacity study's hours have them, it can.
    """
    day = 0.8 + 0.15 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi)[:, np.newaxis]
    noise = np.random.default_rng(0).uniform(0.95, 1.05, (HOURS, len(network.buses.ids)))
    load = network.buses.load_mw * day * noise
    options = DispatchOptions(ignore_p_min=True, limit_scale=0.9)
    rows = []
    for grid, words in (
        (network, "quadratic costs, each hour from nothing"),
        (ready_to_dispatch(network, all_units=False), "costs in 3 straight pieces, warm from hour to hour"),
    ):
        series = dispatch_hours(grid, load, options=options, factors=factors)
        said = f"{HOURS} hours, {int(series.congested.sum())} congested, ratings x 0.9, Pmin 0: {words}"
        mean = float(series.cost_per_h.mean())
        rows.append(Measured("Headroom, per hour of many", series.time_s / HOURS, mean, said))
    return rows


def pypower(ppc: Ppc) -> Measured:
    api = import_module("pypower.api")
    try:
        seconds, objective = timed(lambda: solved_by_pypower(api, ppc), 1)
    except Exception as error:  # noqa: BLE001 (whatever it says is the result)
        return Measured("pypower rundcopf", None, None, f"failed: {type(error).__name__}")
    return Measured(f"pypower {version('pypower')} rundcopf", seconds, objective)


def solved_by_pypower(api: object, ppc: Ppc) -> float:
    result = api.rundcopf(ppc, api.ppoption(VERBOSE=0, OUT_ALL=0))
    if not result["success"]:
        raise ArithmeticError("no convergence")
    return float(result["f"])


def pandapower(ppc: Ppc) -> Measured:
    program = import_module("pandapower")
    net = import_module("pandapower.converter.pypower.from_ppc").from_ppc(ppc, f_hz=60)
    # Its converter drops costs of the reference unit and of units out of service in some versions; the
    # objective beside the time says whether the problem was the same.

    def run() -> float:
        program.rundcopp(net)
        return float(net.res_cost)

    try:
        seconds, objective = timed(run, 3)
    except Exception as error:  # noqa: BLE001 (whatever it says is the result)
        return Measured("pandapower rundcopp", None, None, f"failed: {type(error).__name__}")
    return Measured(f"pandapower {version('pandapower')} rundcopp", seconds, objective)


def pypsa(ppc: Ppc) -> Measured:
    program = import_module("pypsa")
    live = {**ppc, "gen": ppc["gen"][ppc["gen"][:, 7] > 0], "gencost": ppc["gencost"][ppc["gen"][:, 7] > 0]}
    gen, cost = live["gen"], live["gencost"]
    grid = program.Network()
    grid.import_from_pypower_ppc({**live, "branch": live["branch"][:, :13].copy()}, overwrite_zero_s_nom=1e6)
    grid.generators["p_set"] = np.nan  # it reads filed outputs as fixed and leaves costs out
    grid.generators["marginal_cost"] = cost[:, 5]
    grid.generators["marginal_cost_quadratic"] = cost[:, 4]
    grid.generators["p_min_pu"] = gen[:, 9] / gen[:, 8]
    for table in (grid.lines, grid.transformers):  # and angle limits of 0/0, which mean none, as binding
        table["v_ang_min"], table["v_ang_max"] = -np.inf, np.inf

    def run() -> float:
        grid.optimize(solver_name="highs", solver_options={"output_flag": False}, log_to_console=False)
        return float(grid.objective + cost[:, 6].sum())

    try:
        seconds, objective = timed(run, 1)
    except Exception as error:  # noqa: BLE001 (whatever it says is the result)
        return Measured("PyPSA optimize, HiGHS", None, None, f"failed: {type(error).__name__}")
    return Measured(f"PyPSA {version('pypsa')} optimize, HiGHS", seconds, objective)


def table(rows: list[Measured]) -> str:
    cold = rows[0]
    lines = [
        "# DC-OPF of Texas 2000 (ACTIVSg2000, 2,000 buses, 3,206 branches, 432 units on)",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} in one run, Python {platform.python_version()}, "
        f"highspy {version('highspy')}; the ratio is to Headroom cold. Objectives of many hours are the mean.",
        "",
        "| program | time | ratio | objective $/h | against Headroom | note |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.seconds is None or row.objective is None:
            lines.append(f"| {row.program} | - | - | - | - | {row.note} |")
            continue
        other = row.note != ""
        difference = "other problem" if other else f"{row.objective / cold.objective - 1:+.1e}"
        lines.append(
            f"| {row.program} | {1e3 * row.seconds:,.1f} ms | {row.seconds / cold.seconds:,.1f} "
            f"| {row.objective:,.2f} | {difference} | {row.note} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    ppc = matpower_case(CASE)
    rows = headroom(ppc)
    rows += [pandapower(matpower_case(CASE)), pypsa(matpower_case(CASE)), pypower(matpower_case(CASE))]
    text = table(rows)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
