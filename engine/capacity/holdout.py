"""States that had no part in an allocation: what its promise is judged on. Each kind of uncertainty has its own way.

- ``distribution``: new draws of the same laws, from another seed.
- ``hourly``: hours of the year that are not in the sample, with other weather and other noise. Where the sample
  holds nearly the whole year: a choice of its hours, with other weather and noise.
- ``file``: a reader's rows are all there is. They are dealt at random into parts; each part is judged on the
  allocation that is made anew from the other parts (cross-validation: Stone, J. Royal Statistical Society B 36, 1974).
- ``box``: has no probabilities, so there is nothing to measure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.capacity.question import UncertaintySpec
from engine.capacity.series import hourly_sample, sampled_hours
from engine.capacity.uncertainty import MOST_SCENARIOS, Sample, distribution_sample
from engine.capacity.weather import HOURS
from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Network

PARTS = 5  # of a file's rows
USUAL_DRAWS = 100_000
USUAL_HOURS = 2000
_CELLS = 40_000_000  # draws times buses: some seconds of work
_FEWEST_HOURS = 500  # of the year left out of a sample, for them to be the hours it is judged on
_FEWEST_ROWS = 2 * PARTS
_STREAM = 0x5EED  # sets the seeds of the independent states apart from a reader's own


@dataclass(frozen=True, slots=True)
class Holdout:
    """How independent states are had for one uncertainty."""

    words: str  # which states the promise is judged on
    states: int
    hours_a_year: float | None  # what a probability of 1 stands for, where states are hours


def plan(spec: UncertaintySpec, network: Network, sample: Sample | None, draws: int | None = None) -> Holdout:
    """Return what :func:`independent` will give, or for a file what :func:`parts` will.

    Raises QuestionError when no independent states can be had.
    """
    if spec.kind == "box" or sample is None:
        raise QuestionError("a box has no probabilities: choose distributions, hours or a file to measure a promise")
    if spec.kind == "file":
        count = len(sample.net_demand_mw)
        if count < _FEWEST_ROWS:
            raise QuestionError(f"the file has {count} rows; at least {_FEWEST_ROWS} are needed to leave some out")
        words = (
            f"the {count:,} rows of the file in {PARTS} parts at random, each judged on the allocation of the others"
        )
        return Holdout(words, count, float(count) if count in {8760, 8784} else None)
    if spec.kind == "distribution":
        most = max(MOST_SCENARIOS, _CELLS // len(network.buses.ids))
        count = draws or min(USUAL_DRAWS, most)
        return Holdout(f"{count:,} new draws of the same distributions", count, None)
    left = HOURS - len(sampled_hours(spec))
    count = min(draws or USUAL_HOURS, left if left >= _FEWEST_HOURS else HOURS)
    which = "that are not in the sample" if left >= _FEWEST_HOURS else "of the sample"
    return Holdout(f"{count:,} hours of the year {which}, with other weather and other noise", count, float(HOURS))


def independent(
    spec: UncertaintySpec,
    network: Network,
    planned: Holdout,
    *,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> Iterator[Sample]:
    """Yield the independent states of a spec of kind ``distribution`` or ``hourly``, some at a time."""
    seeds = np.random.SeedSequence([spec.seed, _STREAM])
    if spec.kind == "hourly":
        own, choice = (int(word >> 1) for word in seeds.generate_state(2, np.uint64).tolist())
        sampled = sampled_hours(spec)
        left = np.setdiff1d(np.arange(HOURS), sampled)
        pool = left if len(left) >= _FEWEST_HOURS else np.arange(HOURS)
        hours = np.sort(np.random.default_rng(choice).choice(pool, planned.states, replace=False))
        spec = replace(spec, seed=own)
        yield hourly_sample(spec, network, factors=factors, progress=progress, hours=hours)
        return
    block = max(1, min(MOST_SCENARIOS, _CELLS // len(network.buses.ids)))
    sizes = [block] * (planned.states // block) + ([planned.states % block] if planned.states % block else [])
    done = 0
    for size, seed in zip(sizes, seeds.generate_state(len(sizes), np.uint64).tolist(), strict=True):
        parameters = {**spec.parameters, "scenarios": size}
        yield distribution_sample(replace(spec, parameters=parameters, seed=int(seed >> 1)), network)
        done += size
        if progress is not None:
            progress(done, planned.states)


def parts(sample: Sample, seed: int) -> Iterator[tuple[Sample, Sample]]:
    """Yield (the other parts, one part) of a sample's states dealt at random into five."""
    count = len(sample.net_demand_mw)
    order = np.random.default_rng([seed, _STREAM]).permutation(count)
    for part in np.array_split(order, PARTS):
        rest = np.setdiff1d(np.arange(count), part)
        yield chosen(sample, rest), chosen(sample, np.sort(part))


def chosen(sample: Sample, states: Integers) -> Sample:
    """Return a sample of some of the states, with their weights in proportion."""
    weights = None if sample.weights is None else sample.weight[states] / sample.weight[states].sum()
    return Sample(
        net_demand_mw=sample.net_demand_mw[states],
        weights=weights,
        labels=tuple(sample.labels[state] for state in states.tolist()),
        source=sample.source,
        seed=sample.seed,
    )
