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
from engine.siting.ranking import overlap, spearman
from engine.siting.ranking import top as first_places
from engine.siting.shortlist import Ranked

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


def size_curve(
    result: GateResult, threshold: float | None = None, sizes_mw: Sequence[float] | None = None
) -> dict[str, list[Count]]:
    """Return for each envelope how many candidates qualify at each of some sizes; left out, at each of the gate's."""
    sizes = result.sizes_mw if sizes_mw is None else sizes_mw
    return {
        own.name: [_count(result.qualified(own.name, size, threshold)) for size in sizes] for own in result.envelopes
    }


def depth_envelopes(
    kinds: Sequence[str] = ("pause", "shift"), depths: Sequence[float] = DEPTHS, *, models: Sequence[Envelope] = ()
) -> tuple[Envelope, ...]:
    """Return pause and shift at each depth; a shift that breaks its ramp bound is the nearest profile that keeps it.

    Peak hours, utilisation and ramp bound are those of the envelope of the same kind in ``models``, where there is none
    those of its first, and without any the source's. Raises InfeasibleError naming a depth that no profile has.
    """
    found = []
    for kind in kinds:
        model = like(kind, models)
        for depth in depths:
            name = f"{kind} {100 * depth:g} %"
            asked = envelope(
                kind,  # type: ignore[arg-type]
                depth=depth, name=name, utilisation=model.utilisation, peak_hours=model.peak_hours,
                ramp_share=model.ramp_share,
            )  # fmt: skip
            found.append(repaired(asked))
    return tuple(found)


def like(kind: str, listed: Sequence[Envelope]) -> Envelope:
    """Return the envelope whose peak hours, utilisation and ramp bound the depths of a kind have."""
    if not listed:
        return envelope(kind)  # type: ignore[arg-type]
    return next((one for one in listed if one.kind == kind), listed[0])


def depth_of(name: str) -> tuple[str, float]:
    """Return kind and depth of an envelope of :func:`depth_envelopes`, from its name."""
    kind, percent, _ = name.split(" ")
    return kind, float(percent) / 100.0


def depth_sweep(result: GateResult, size_mw: float, threshold: float | None = None) -> dict[str, dict[float, Count]]:
    """Return by kind and depth how many candidates qualify, of a gate of :func:`depth_envelopes`."""
    found: dict[str, dict[float, Count]] = {}
    for own in result.envelopes:
        kind, depth = depth_of(own.name)
        found.setdefault(kind, {})[depth] = _count(result.qualified(own.name, size_mw, threshold))
    return found


def depth_scores(order: Ranked) -> dict[str, dict[float, float]]:
    """Return by kind and depth the median score of the sites ranked, all depths in one scaling as in the source."""
    listed: dict[tuple[str, float], list[float]] = {}
    for site, score in zip(order.sites, order.score.tolist(), strict=True):
        if site.placement is not None:
            listed.setdefault(depth_of(site.placement.envelope.name), []).append(score)
    found: dict[str, dict[float, float]] = {}
    for (kind, depth), scores in listed.items():
        found.setdefault(kind, {})[depth] = float(np.median(scores))
    return found


@dataclass(frozen=True, slots=True)
class Compared:
    """The places of one envelope and size in two orders, over the sites that both have."""

    common: int
    spearman: float  # of the scores
    top: int  # places of the shortlists
    overlap: float  # of the two shortlists
    moves: tuple[tuple[int, int, int], ...]  # bus, place in the first order, in the second; by the first
    scores: tuple[tuple[float, float], ...]  # in both, of the same sites


def compared(before: Ranked, after: Ranked, envelope: str, size_mw: float, top: int) -> Compared:
    """Return how the order of an envelope and size changed, as with dearer units.

    Raises QuestionError unless two sites are ranked in both.
    """
    was, now = (_rows(order, envelope, size_mw) for order in (before, after))
    both = [bus for bus in was if bus in now]
    if len(both) < 2:
        raise QuestionError("fewer than two sites of this envelope and size are ranked in both: nothing to compare")
    scores = np.array([[before.score[was[bus]], after.score[now[bus]]] for bus in both])
    count = min(top, len(both))
    lists = [
        [list(rows)[k] for k in first_places(order.place[list(rows.values())], count).tolist()]
        for order, rows in ((before, was), (after, now))
    ]
    places = sorted((int(before.place[was[bus]]), bus, int(after.place[now[bus]])) for bus in both)
    return Compared(
        common=len(both),
        spearman=spearman(scores[:, 0], scores[:, 1]),
        top=count,
        overlap=overlap(*lists),
        moves=tuple((bus, place, then) for place, bus, then in places),
        scores=tuple((float(before.score[was[bus]]), float(after.score[now[bus]])) for _, bus, _ in places),
    )


def _rows(order: Ranked, envelope: str, size_mw: float) -> dict[int, int]:
    """Return bus -> row of an order, of one envelope and size."""
    return {
        site.placement.bus: row
        for row, site in enumerate(order.sites)
        if site.placement is not None
        and (site.placement.envelope.name, site.placement.nameplate_mw) == (envelope, size_mw)
    }


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
