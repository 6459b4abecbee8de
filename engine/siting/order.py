"""The order of the sites that qualify: one function for the page, reserves, refreshes, studies and files."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self, get_args

import numpy as np
import numpy.typing as npt

from engine.commitment.outcome import End
from engine.errors import QuestionError
from engine.network.model import Integers
from engine.siting.criteria import OwnCriteria
from engine.siting.gate.results import PASSED
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from engine.siting.ranking import GROUPS
from engine.siting.shortlist import POOLED, Ranked, Scaling, rank_sites


class Verdicts(Protocol):
    """What an order asks of a gate."""

    @property
    def buses(self) -> Integers:
        """Return the candidates (C,), positions of the network."""

    def qualified(self, envelope: str, nameplate_mw: float, threshold: float | None = None) -> npt.NDArray[np.int8]:
        """Return (C,): 1 where the pass rate reaches the threshold."""


@dataclass(frozen=True, slots=True)
class OrderBy:
    """How a reader weighs: what changes an order without another run."""

    weights: tuple[float, ...] | None = None  # of the source's groups; None: alike
    scaling: Scaling = POOLED
    threshold: float | None = None  # that a site must reach; None: the gate's

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return asdict(self) | {"weights": None if self.weights is None else list(self.weights)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote. Raises QuestionError for anything else."""
        try:
            weights, threshold = content["weights"], content["threshold"]
            found = cls(
                None if weights is None else tuple(float(one) for one in weights),
                content["scaling"],
                None if threshold is None else float(threshold),
            )
        except (KeyError, TypeError, ValueError):
            raise QuestionError("an order needs its weights, its scaling and its threshold") from None
        if found.scaling not in get_args(Scaling) or (found.weights and len(found.weights) != len(GROUPS)):
            raise QuestionError(f"an order has {len(GROUPS)} weights, and is scaled {' or '.join(get_args(Scaling))}")
        return found


_ENDED = {
    End.INFEASIBLE: "no schedule keeps every limit",
    End.TIME_LIMIT: "the time was over before the gap was closed",
    End.REFUSED: "the judge of schedules refuses what was found",
}
AS_THE_SOURCE = OrderBy()  # all groups alike, all envelopes in one scaling


def order_of(gate: Verdicts, market: MarketRun, by: OrderBy = AS_THE_SOURCE, own: OwnCriteria | None = None) -> Ranked:
    """Return the order of the sites that the market serves and that qualify, with a reader's ``own`` criteria.

    A site that these stop is not ranked; those that score are columns beside the market's. Raises QuestionError when
    no site is left, or when nothing tells them apart.
    """
    sites = ranked_sites(gate, market, by.threshold, own)
    if not sites:
        raise QuestionError(_none_left(market))
    if own is None:
        return rank_sites(sites, scaling=by.scaling, group_weights=by.weights)
    return rank_sites(
        sites,
        own.scored([site.placement.bus for site in sites if site.placement is not None]),
        groups=own.groups(),
        scaling=by.scaling,
        group_weights=own.weights_of_groups(by.weights or (1.0,) * len(GROUPS)),
        criterion_weights=own.weights_of_columns(),
    )


def ranked_sites(
    gate: Verdicts, market: MarketRun, threshold: float | None = None, own: OwnCriteria | None = None
) -> list[SiteMarket]:
    """Return the sites of a market that are served, reach the threshold and pass a reader's own criteria."""
    passed: dict[tuple[str, float], set[int]] = {}
    found = []
    for site in market.sites:
        placed = site.placement
        if placed is None or not site.served or not (own is None or own.passes[placed.bus]):
            continue
        label = (placed.envelope.name, placed.nameplate_mw)
        if label not in passed:
            passed[label] = set(gate.buses[gate.qualified(*label, threshold) == PASSED].tolist())
        if placed.bus in passed[label]:
            found.append(site)
    return found


def _none_left(market: MarketRun) -> str:
    """Return in words why no site is left, by how the market of each ended."""
    tried = len(market.sites)
    if not tried:
        return "the market has not ended for any site"
    served = sum(site.served for site in market.sites)
    if served:
        return f"of the {served:,} sites that the market serves none qualifies"
    ended = Counter(site.status for site in market.sites)
    told = ", ".join(f"{_ENDED[end]} at {count:,}" for end, count in ended.items())
    return f"the market serves none of the {tried:,} sites that were tried: {told}"
