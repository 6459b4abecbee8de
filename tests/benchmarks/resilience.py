"""Placement of modules: how fast, against the extensive form, on how many shocks, and what doubt is worth.

    python -m tests.benchmarks.resilience [--part speed|extensive|doubt] [--most N]    writes results/resilience_PART.md

``speed``      IEEE 33, 48 steps, 200 and 1,000 shocks (at most N), in two processes and on a Dask cluster of two
``extensive``  the same answers by the extensive form, one process each, as many shocks as it solves in ten minutes
``doubt``      the radius by cross-validation, then 20 training sets: is the CVaR of load not served, on shifted shocks,
               lower with DRO + CVaR than risk neutral? The metric was chosen before anything was computed.

Times are by the clock, in one run each beside the other.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from engine.compute import HERE, Cluster, Processes, Shared, Workers
from engine.network.model import Vector
from engine.program import SOLVER, Status
from engine.resilience.cases import fresh
from engine.resilience.compare import aim_of
from engine.resilience.copies import extensive
from engine.resilience.curves import best_radius, radius_curve
from engine.resilience.evaluation import Interval, evaluate, metrics, paired, tail_of
from engine.resilience.lshaped import LShaped
from engine.resilience.placement import Placement, Search
from engine.resilience.question import ResilienceQuestion
from engine.resilience.run import RADII

RESULTS = Path(__file__).parent / "results"
OPENING = ResilienceQuestion()
EXTENSIVE_S, LIMIT_S, MEMORY_GB = 600.0, 300.0, 4.0
EXTENSIVE_SHOCKS = (5, 10, 20, 40, 80)
REPLICATIONS, TRIED, MANY = 20, 1_000, 10_000
TRAIN = 100  # shocks of a training set
Say = Callable[[str], None]


def question(shocks: int, seed: int = 0, radius: float | None = None) -> ResilienceQuestion:
    """Return the opening question with so many shocks."""
    return replace(OPENING, scenarios=shocks, seed=seed, radius=OPENING.radius if radius is None else radius)


def none(_digest: str) -> tuple[str, bytes]:
    """Return no file: the questions name none."""
    raise LookupError


def placed(asked: ResilienceQuestion, workers: Workers, limit_s: float = 3_600.0) -> Placement:
    """Return the best plan by decomposition."""
    case = asked.made(none)
    return LShaped(case, asked.aim(case), Search(asked.gap, limit_s), workers=workers).solve()


@contextmanager
def two_processes() -> Iterator[Shared]:
    """Yield two processes that stay."""
    shared = Shared(Processes(2))
    try:
        yield shared
    finally:
        shared.close()


@contextmanager
def dask_cluster() -> Iterator[Shared]:
    """Yield a Dask cluster of two workers on this machine."""
    from dask.distributed import LocalCluster  # noqa: PLC0415

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        shared = Shared(Cluster(cluster.scheduler_address))
        try:
            yield shared
        finally:
            shared.close()


def row(*cells: object) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def told(found: Placement) -> tuple[str, ...]:
    """Return how a search ended."""
    return (
        f"{found.objective:,.0f}", f"{found.gap:.1e}", found.status.value, str(len(found.marks)), f"{found.cuts:,}",
        f"{found.time_s:.0f} s",
    )  # fmt: skip


def memory_gb() -> float:
    """Return the most memory of this process and of the largest of its ended children, GB."""
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + 2 * children) / 1e6


def speed(say: Say, most: int) -> Iterator[str]:
    """Yield the rows of the decomposition."""
    yield "Objective in $ a year; aim: 200 shocks to a gap of 1e-3 in 300 s on two cores, 1,000 in under 4 GB.\n"
    yield row("shocks", "workers", "objective", "gap", "status", "rounds", "cuts", "time")
    yield row(*["---"] * 8)
    answers, sizes = {}, [each for each in (200, 1_000) if each <= most]
    for shocks in sizes:
        for name, workers in (("two processes", two_processes), ("Dask, two workers", dask_cluster)):
            with workers() as given:
                found = placed(question(shocks), given)
            say(f"{shocks} shocks, {name}: {found.time_s:.0f} s")
            answers[shocks, name] = found
            yield row(shocks, name, *told(found))
    for shocks in sizes:
        here, there = (answers[shocks, name] for name in ("two processes", "Dask, two workers"))
        same = (here.plan == there.plan).all() and here.objective == there.objective and here.bound == there.bound
        judged = "equal, to the last digit" if same else "NOT EQUAL"
        yield f"\n{shocks:,} shocks: plan, objective and bound of both are {judged}."
    yield f"\nMost memory, this process and twice the largest worker: {memory_gb():.2f} GB."


def against(say: Say, most: int) -> Iterator[str]:
    """Yield the rows of the extensive form."""
    yield (
        "One process each, both to a gap of 1e-3. The extensive form is given every limit on voltages and flows that "
        "the decomposition found to bind, and adds those that its answer still breaks.\n"
    )
    yield row("shocks", "decomposition", "its time", "extensive form", "bound", "status", "its time", "times as long")
    yield row(*["---"] * 8)
    for shocks in (each for each in EXTENSIVE_SHOCKS if each <= most):
        asked = question(shocks)
        case = asked.made(none)
        search = LShaped(case, asked.aim(case), Search(asked.gap, 3_600.0), workers=HERE)
        quick = search.solve()
        say(f"{shocks} shocks by decomposition: {quick.time_s:.0f} s")
        whole = extensive(case, asked.aim(case), Search(asked.gap, EXTENSIVE_S), keys=search.stage.keys)
        say(f"{shocks} shocks by the extensive form: {whole.time_s:.0f} s, {whole.status.value}")
        yield row(
            shocks, f"{quick.objective:,.0f}", f"{quick.time_s:.1f} s", f"{whole.objective:,.0f}",
            f"{whole.bound:,.0f}", whole.status.value, f"{whole.time_s:.1f} s", f"{whole.time_s / quick.time_s:.1f}",
        )  # fmt: skip
        if whole.status is not Status.OPTIMAL:
            break


def doubt(say: Say, _most: int) -> Iterator[str]:
    """Yield what doubt is worth out of sample."""
    with two_processes() as workers:
        asked = question(TRAIN)
        case = asked.made(none)
        points = radius_curve(
            case, asked.aim, RADII, asked.search, folds=3, seed=0, workers=workers, tick=lambda words, _: say(words)
        )
        radius = best_radius(points)
        yield f"Radius of total variation by cross-validation (three parts of {TRAIN} shocks, seed 0):\n"
        yield row("radius", "CVaR of load not served, MWh", "mean cost, $", "capital, $ a year")
        yield row(*["---"] * 4)
        for point in points:
            cells = (f"{point.cvar_unserved_mwh:.4f}", f"{point.mean_cost:,.0f}", f"{point.capital:,.0f}")
            yield row(f"{point.radius:g}", *cells)
        yield f"\nChosen: {radius:g}, the smallest with the least CVaR.\n"
        plan = placed(question(200, radius=radius), workers).plan.astype(np.float64)
        begin, case = time.perf_counter(), question(200).made(none)
        outcomes = evaluate(case, plan, fresh(case, asked.model, MANY), workers=workers)
        took = time.perf_counter() - begin
        say(f"{MANY} shocks: {took:.0f} s")
        yield (
            f"{MANY:,} fresh shocks under one plan (200 training shocks) took {took:.0f} s (aim 300 s): CVaR of load "
            f"not served {metrics(case, plan, outcomes).cvar_unserved_mwh:.4f} MWh.\n"
        )
        yield from replications(radius, workers, say)


def replications(radius: float, workers: Workers, say: Say) -> Iterator[str]:
    """Yield the pairs of plans of 20 training sets, each tried on its own shifted shocks."""
    rows, chosen, neutral = [], [], []
    for seed in range(REPLICATIONS):
        asked = question(TRAIN, seed, radius)
        case = asked.made(none)
        aim = asked.aim(case)
        first = LShaped(case, aim, asked.search, workers=workers)
        robust = first.solve()
        plain = LShaped(case, aim_of("risk neutral", aim), asked.search, workers=workers).learn(first).solve()
        shocks = fresh(case, asked.model.shifted(), TRIED, seed)
        unserved = [
            evaluate(case, each.plan.astype(np.float64), shocks, workers=workers).unserved_mwh
            for each in (robust, plain)
        ]
        chosen.append(unserved[0])
        neutral.append(unserved[1])
        tails = [float(tail_of(each[np.newaxis])[0]) for each in unserved]
        rows.append((robust.capital, plain.capital, *tails, robust.gap, plain.gap))
        say(f"training set {seed + 1} of {REPLICATIONS}: {tails[0]:.4f} against {tails[1]:.4f} MWh")
    table = np.array(rows)
    yield f"{REPLICATIONS} training sets of {TRAIN} shocks, each with {TRIED:,} shifted shocks of its own:\n"
    yield row("", "DRO + CVaR", "risk neutral")
    yield row(*["---"] * 3)
    for name, at, digits in (("capital, $ a year", 0, ",.0f"), ("CVaR of load not served, MWh", 2, ".4f")):
        cells = (f"{table[:, at + k].mean():{digits}} ± {table[:, at + k].std(ddof=1):{digits}}" for k in (0, 1))
        yield row(name, *cells)
    found = paired(np.concatenate(chosen), np.concatenate(neutral), tail_of, seed=0)
    apart = table[:, 2] - table[:, 3]
    yield f"\nDifference of the CVaR, all {REPLICATIONS * TRIED:,} shocks taken together: {words(found)}."
    yield (
        f"\nOver training sets: {words(over_sets(apart))}; lower in {int((apart < 0.0).sum())} of {REPLICATIONS}, the "
        f"same in {int((apart == 0.0).sum())}. Largest gap of a plan: {table[:, 4:].max():.1e}."
    )


def over_sets(differences: Vector) -> Interval:
    """Return the mean of differences and its bootstrap interval over training sets."""
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (2_000, len(differences))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(differences.mean()), float(low), float(high))


def words(found: Interval) -> str:
    """Return an interval in words."""
    judged = "lower" if found.high < 0.0 else "higher" if found.low > 0.0 else "not told apart"
    return f"{found.value:+.4f} MWh ({found.low:+.4f} to {found.high:+.4f}): {judged}"


PARTS: dict[str, tuple[str, Callable[[Say, int], Iterator[str]]]] = {
    "speed": ("# Placement of modules: how fast", speed),
    "extensive": ("# Placement of modules against the extensive form", against),
    "doubt": ("# What doubt is worth out of sample", doubt),
}


def main() -> None:
    """Write the tables of one part, or of all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=sorted(PARTS))
    parser.add_argument("--most", type=int, default=1_000, help="shocks of a search, at most")
    asked = parser.parse_args()
    for name, (title, part) in PARTS.items():
        if asked.part in {None, name}:
            begin, load = time.perf_counter(), os.getloadavg()[0]

            def say(words: str, begin: float = begin) -> None:
                print(f"{time.perf_counter() - begin:7.0f} s  {words}", flush=True)

            lines = list(part(say, asked.most))
            told_when = f"\nMeasured {datetime.now(UTC):%Y-%m-%d}, {SOLVER}, load {load:.1f} at the start; IEEE 33, "
            told_when += "48 steps, ten sites, weight 0.5 beyond 95 %, total variation 0.1 unless said otherwise.\n"
            (RESULTS / f"resilience_{name}.md").write_text(
                "\n".join([title, told_when, *lines]) + "\n", encoding="utf-8"
            )


if __name__ == "__main__":
    main()
