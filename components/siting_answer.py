"""What the Siting page draws: verdicts of the gate, figures of the market, and the ranking, for one view of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.network.model import Flags, Integers, Network, Vector
from engine.siting.criteria import OwnCriteria
from engine.siting.firmness import score_intervals, tied_sites
from engine.siting.gate.between import Between
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED, GateResult
from engine.siting.largest_job import LargestFound
from engine.siting.market_run import MarketRun
from engine.siting.order import OrderBy
from engine.siting.question import SitingQuestion
from engine.siting.ranking import top
from engine.siting.run import GateRun
from engine.siting.shortlist import POOLED, Ranked
from engine.siting.stability import open_places

_MOST_INTERVALS = 60  # places that get an interval
Verdicts = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Gate:
    """A gate run, whole or as far as it has come, with what the page asks of it again and again."""

    key: str
    question: SitingQuestion
    result: GateResult
    run: GateRun | None = None  # None while only some hours are screened
    told: Mapping[str, Any] = field(default_factory=dict)  # what the job returned
    _rates: dict[tuple[str, float], tuple[Vector, Vector]] = field(default_factory=dict)
    _broken: dict[tuple[str, float], Integers] = field(default_factory=dict)

    @property
    def partial(self) -> bool:
        """Return whether hours are still to be screened."""
        return self.run is None

    @property
    def buses(self) -> Integers:
        """Return the candidates (C,), positions of the network."""
        return self.result.buses

    @property
    def hours_done(self) -> int:
        """Return how many hours are screened."""
        return sum(known is not None for known in self.result.verdicts)

    @cached_property
    def between(self) -> Between:
        """Return what the verdicts prove of sizes that were not screened."""
        return Between.of(self.result)

    def rate(self, envelope: str, size_mw: float) -> tuple[Vector, Vector]:
        """Return bounds (C,) on the pass rate."""
        key = (envelope, size_mw)
        if key not in self._rates:
            self._rates[key] = self.result.pass_rate(envelope, size_mw)
        return self._rates[key]

    def broken(self, envelope: str, size_mw: float) -> Integers:
        """Return how many pairs of an hour and an outage each candidate (C,) breaks: they hold without its load."""
        key = (envelope, size_mw)
        if key not in self._broken:
            self._broken[key] = self.result.broken(envelope, size_mw)
        return self._broken[key]

    def rate_so_far(self, envelope: str, size_mw: float) -> Vector:
        """Return the pass rate (C,) over the hours that are screened; nan before the first."""
        done = float(sum(w for w, known in zip(self.result.hour_weight, self.result.verdicts, strict=True) if known))
        low = self.rate(envelope, size_mw)[0]
        return low / done if done > 0 else np.full(len(low), np.nan)

    def verdict(self, envelope: str, size_mw: float, threshold: float) -> Verdicts:
        """Return (C,): 1 where the pass rate reaches the threshold, 0 where it cannot, -1 where that is open."""
        low, high = self.rate(envelope, size_mw)
        wanted = threshold - 1e-12
        return np.where(low >= wanted, PASSED, np.where(high < wanted, FAILED, UNDECIDED)).astype(np.int8)

    def qualified(self, envelope: str, nameplate_mw: float, threshold: float | None = None) -> Verdicts:
        """Return the verdicts (C,) as an order asks for them; the threshold left out is the gate's."""
        return self.verdict(envelope, nameplate_mw, self.result.threshold if threshold is None else threshold)

    def outage_failures(self, envelope: str, size_mw: float) -> Vector:
        """Return for each contingency (K,) how many candidates certainly fail it, a mean over the hours screened."""
        total, done = np.zeros(len(self.result.ids)), 0.0
        own = next(one for one in self.result.envelopes if one.name == envelope)
        load = self.result.level_mw(own, size_mw)
        for hour, known in enumerate(self.result.verdicts):
            if known is not None:
                failed = known.flags(known.failed, known.level(float(load[hour]))).sum(axis=0)
                weight = float(self.result.hour_weight[hour])
                total += weight * failed[self.result.case_of]
                done += weight
        return total / done if done > 0 else total

    def outage_words(self, contingency: int) -> str:
        """Return a contingency in words."""
        return self.result.ids[contingency] if self.run is None else self.run.contingencies.words(contingency)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Which part of an answer is drawn."""

    envelope: str
    size_mw: float
    threshold: float
    top: int
    weights: tuple[float, ...]
    pooled: bool

    @property
    def by(self) -> OrderBy:
        """Return how the sites are ordered."""
        return OrderBy(self.weights, POOLED if self.pooled else "per envelope", self.threshold)


@dataclass(frozen=True, eq=False)
class Answer:
    """A gate, its market if there is one, the ranking by the weights drawn, and which part of it is drawn."""

    network: Network
    gate: Gate
    drawn: Drawn
    market: MarketRun | None = None
    market_key: str | None = None
    ranked: Ranked | None = None
    refused: str = ""  # why there is no ranking although there is a market
    own: OwnCriteria | None = None  # a reader's own criteria: a site that they stop does not qualify
    ladder: LargestFound | None = None  # at the threshold that is drawn, where every size was decided

    @property
    def question(self) -> SitingQuestion:
        """Return what was asked."""
        return self.gate.question

    @property
    def envelopes(self) -> tuple[str, ...]:
        """Return the names of the envelopes."""
        return tuple(one.name for one in self.gate.result.envelopes)

    @property
    def provisional(self) -> bool:
        """Return whether the market still runs: its sites and days are those that are done so far."""
        return self.market is not None and "days_asked" in self.market.facts

    @cached_property
    def verdict(self) -> Verdicts:
        """Return the verdicts (C,) for what is drawn."""
        return self.verdict_of(self.drawn.envelope)

    def verdict_of(self, envelope: str, size_mw: float | None = None) -> Verdicts:
        """Return the verdicts (C,) of another envelope or size, at the threshold that is drawn."""
        found = self.gate.verdict(envelope, self.drawn.size_mw if size_mw is None else size_mw, self.drawn.threshold)
        return np.where(self.stopped, FAILED, found).astype(np.int8)

    def proved(self, envelope: str, size_mw: float) -> Verdicts:
        """Return (C,) what is proved of any size at the threshold drawn: by the ladder, else by the verdicts."""
        if self.ladder is not None and size_mw in self.ladder.sizes.sizes_mw:
            found = self.ladder.sizes.qualified(envelope, size_mw)
        else:
            found = self.gate.between.qualified(envelope, size_mw, self.drawn.threshold)
        return np.where(self.stopped, FAILED, found).astype(np.int8)

    @property
    def stopped(self) -> Flags:
        """Return the candidates (C,) that a reader's own criteria stop, whatever the gate says."""
        size = len(self.gate.buses)
        return np.zeros(size, dtype=np.bool_) if self.own is None else ~self.own.passes[self.gate.buses]

    def qualified(self, envelope: str, size_mw: float | None = None) -> Integers:
        """Return the positions of the buses that qualify."""
        return self.gate.buses[self.verdict_of(envelope, size_mw) == PASSED]

    @cached_property
    def standings(self) -> Mapping[int, int]:
        """Return bus position -> place in the arrays of the ranking, for what is drawn."""
        return self.standings_of(self.drawn.envelope)

    def standings_of(self, envelope: str, size_mw: float | None = None) -> Mapping[int, int]:
        """Return bus position -> place in the arrays of the ranking, for an envelope and size."""
        if self.ranked is None:
            return {}
        size = self.drawn.size_mw if size_mw is None else size_mw
        return {
            site.placement.bus: row
            for row, site in enumerate(self.ranked.sites)
            if site.placement is not None
            and site.placement.envelope.name == envelope
            and site.placement.nameplate_mw == size
        }

    @cached_property
    def shortlist(self) -> tuple[int, ...]:
        """Return the positions of the buses of the shortlist, best first."""
        return self.shortlist_of(self.drawn.envelope)

    def shortlist_of(self, envelope: str, size_mw: float | None = None) -> tuple[int, ...]:
        """Return the first K places of an envelope and size; none without a ranking."""
        rows = self.standings_of(envelope, size_mw)
        if self.ranked is None or not rows:
            return ()
        buses = np.array(list(rows))
        place = self.ranked.place[np.array(list(rows.values()))]
        return tuple(buses[top(place, self.drawn.top)].tolist())

    @cached_property
    def intervals(self) -> Mapping[int, tuple[float, float]]:
        """Return bus position -> the lowest and highest score within the noise floor of prices.

        Of what is drawn, and of the places nearest to the end of the shortlist only, since each takes two rankings;
        none without a noise floor.
        """
        ranked, floor = self.ranked, None if self.market is None else self.market.floor
        if ranked is None or floor is None or not np.isfinite(floor).all() or not self.standings:
            return {}
        border = self.drawn.top + 0.5
        order = sorted(self.standings.items(), key=lambda entry: abs(int(ranked.place[entry[1]]) - border))
        near = sorted(order[:_MOST_INTERVALS], key=lambda entry: int(ranked.place[entry[1]]))
        found = score_intervals(ranked, floor, [row for _, row in near])
        return {bus: (float(low), float(high)) for (bus, _), (low, high) in zip(near, found, strict=True)}

    @cached_property
    def open_places(self) -> frozenset[int]:
        """Return the buses that the noise floor could move into or out of the shortlist, by the weights drawn."""
        if self.ranked is None or not self.intervals:
            return frozenset()
        buses = list(self.intervals)
        place = self.ranked.place[[self.standings[bus] for bus in buses]]
        found = open_places(place, np.array(list(self.intervals.values())), self.drawn.top)
        return frozenset(bus for bus, near in zip(buses, found.tolist(), strict=True) if near)

    @cached_property
    def tied(self) -> frozenset[int]:
        """Return the buses that score as much as one on the other side of the end of the shortlist that is drawn."""
        if self.ranked is None:
            return frozenset()
        found = tied_sites(self.ranked, self.drawn.top)
        return frozenset(bus for bus, row in self.standings.items() if found[row])

    @cached_property
    def loose(self) -> frozenset[int]:
        """Return those of :attr:`open_places` whose schedules are not proved as exactly as the days without a site.

        The market solves again what is open by equal weights and the question's shortlist; another view opens others.
        """
        if self.ranked is None or self.market is None:
            return frozenset()
        sites, least = self.ranked.sites, self.market.question.base_gap
        return frozenset(bus for bus in self.open_places if sites[self.standings[bus]].gap > least)

    @cached_property
    def entered(self) -> Mapping[tuple[str, float, int], str]:
        """Return (envelope, size, bus position) -> how the market ended, of the sites that were taken to it."""
        if self.market is None:
            return {}
        return {
            (site.placement.envelope.name, site.placement.nameplate_mw, site.placement.bus): site.status.value
            for site in self.market.sites
            if site.placement is not None
        }

    def served(self, envelope: str, size_mw: float | None = None) -> int:
        """Return how many sites of an envelope and size the market serves and the gate qualifies."""
        return len(self.standings_of(envelope, size_mw))

    def taken(self, envelope: str, size_mw: float | None = None) -> int:
        """Return how many sites of an envelope and size were taken to the market."""
        size = self.drawn.size_mw if size_mw is None else size_mw
        return sum(key[:2] == (envelope, size) for key in self.entered)
