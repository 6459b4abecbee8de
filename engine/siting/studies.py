"""The studies that the source reports, each one function: what a button on the page runs and what a notebook calls.

Source: sections 2 and 3 of arXiv 2605.14714: the naive heuristic, the threshold sweep, the depth sweep, dearer units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Integers, Network, Vector
from engine.network.tables import cost_points
from engine.siting.envelopes import Envelope, envelope
from engine.siting.gate.results import GateResult
from engine.siting.ramps import repaired

NAIVE_SITES = 20
DEPTHS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40)
DEARER = 1.2


@dataclass(frozen=True, slots=True)
class Count:
    """How many candidates qualify, and for how many that is open."""

    qualified: int
    undecided: int


def naive_sites(mean_lmp: Vector, candidates: Integers, count: int = NAIVE_SITES) -> Integers:
    """Return the ``count`` candidates (positions) with the lowest mean price (B,) before any load, lowest first.

    Equal prices go by position. Raises QuestionError where a candidate has no price.
    """
    price = mean_lmp[candidates]
    if np.isnan(price).any():
        raise QuestionError(f"{int(np.isnan(price).sum())} of {len(candidates)} candidates have no price")
    order = np.lexsort((candidates, np.round(price, 9)))
    return np.asarray(candidates[order[:count]], dtype=np.intp)


def threshold_sweep(result: GateResult, thresholds: Sequence[float]) -> dict[tuple[str, float], list[Count]]:
    """Return for each envelope and size how many candidates qualify at each threshold; costs nothing more to solve."""
    return {
        (own.name, size): [_count(result.qualified(own.name, size, threshold)) for threshold in thresholds]
        for own in result.envelopes
        for size in result.sizes_mw
    }


def size_curve(result: GateResult, threshold: float | None = None) -> dict[str, list[Count]]:
    """Return for each envelope how many candidates qualify at each size of the gate, in the order of its sizes."""
    return {
        own.name: [_count(result.qualified(own.name, size, threshold)) for size in result.sizes_mw]
        for own in result.envelopes
    }


def depth_envelopes(
    kinds: Sequence[str] = ("pause", "shift"), depths: Sequence[float] = DEPTHS
) -> tuple[Envelope, ...]:
    """Return pause and shift at each depth; a shift that breaks its ramp bound is the nearest profile that keeps it."""
    found = []
    for kind in kinds:
        for depth in depths:
            name = f"{kind} {100 * depth:g} %"
            asked = envelope(kind, depth=depth, name=name)  # type: ignore[arg-type]
            found.append(repaired(asked))
    return tuple(found)


def dearer(network: Network, factor: float = DEARER) -> Network:
    """Return the network with every marginal cost times ``factor``; start-up and no-load costs stay."""
    if not 0.0 < factor <= 10.0:
        raise QuestionError(f"costs times {factor:g}: above 0, to 10")
    units = network.tables.units
    points = [" ".join(f"{mw!r}:{cost * factor!r}" for mw, cost in cost_points(cell)) for cell in units["cost_points"]]
    changed = units.assign(
        cost_c1_per_mwh=units["cost_c1_per_mwh"] * factor,
        cost_c2_per_mw2h=units["cost_c2_per_mw2h"] * factor,
        cost_points=points,
    )
    return Network.from_tables(network.tables.with_table("units", changed))


def _count(verdict: np.ndarray) -> Count:
    return Count(int((verdict == 1).sum()), int((verdict == -1).sum()))
