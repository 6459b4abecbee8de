"""What a study says of one site: its verdicts by hour and outage, its market beside the others', why it ranks there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Integers
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED, GateResult
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRICS, WINDOWS, Metric, Spread, Window
from engine.siting.ranking import Criterion, Ranking
from engine.siting.shortlist import POOLED, Ranked, label_of

_ROUNDING = 1e-12


# The gate


@dataclass(frozen=True, slots=True)
class HourShare:
    """One hour: what share of the outages certainly passes, and certainly fails."""

    hour: int  # place among the hours of the gate
    load_mw: float
    passed: float
    failed: float
    outages: int  # that certainly fail
    without_load: int  # of those, how many fail before any load is added

    @property
    def undecided(self) -> float:
        """Return the share that is open."""
        return max(0.0, 1.0 - self.passed - self.failed)


@dataclass(frozen=True, slots=True)
class FailingOutage:
    """One outage that the load does not survive in some hour."""

    contingency: int  # position
    weight: float  # of the hours in which it certainly fails, of 1
    hours: int
    without_load: int  # of those hours, how many fail before any load is added
    first_hour: int  # place


@dataclass(frozen=True, slots=True)
class GateSheet:
    """One site under one envelope at one nameplate. Hours that were not screened count as open."""

    bus: int  # position
    low: float  # the share of hours and outages that certainly passes
    high: float  # that may pass
    threshold: float
    hours: tuple[HourShare, ...]  # in order, those screened
    failing: tuple[FailingOutage, ...]  # the one that fails in most hours first
    first: tuple[int, int] | None  # hour and contingency that certainly fail first
    outages: int
    open_hours: int  # not screened

    @property
    def verdict(self) -> int:
        """Return PASSED, FAILED or UNDECIDED against the threshold."""
        return _against(self.low, self.high, self.threshold)

    @property
    def strict(self) -> int:
        """Return the same when every outage of every hour must pass."""
        return _against(self.low, self.high, 1.0)

    @property
    def pairs(self) -> int:
        """Return how many pairs of an hour and an outage were screened."""
        return len(self.hours) * self.outages


@dataclass(frozen=True, slots=True)
class BaseFailure:
    """One outage that no dispatch survives in some hours before any load is added."""

    contingency: int  # position
    hours: tuple[int, ...]  # places
    share: float  # of all hours and outages, by the weights of the hours


def base_failures(gate: GateResult) -> list[BaseFailure]:
    """Return the outages that fail before any load is added, those that count most first, of the hours screened."""
    hours_of: dict[int, list[int]] = {}
    for hour, contingency in gate.base_infeasible():
        hours_of.setdefault(contingency, []).append(hour)
    found = [
        BaseFailure(contingency, tuple(hours), float(gate.hour_weight[hours].sum()) / len(gate.ids))
        for contingency, hours in hours_of.items()
    ]
    return sorted(found, key=lambda one: (-round(one.share, 12), one.contingency))


def gate_sheet(
    gate: GateResult, bus: int, envelope: str, nameplate_mw: float, threshold: float | None = None
) -> GateSheet:
    """Return what the gate says of the candidate at ``bus`` (position). Raises QuestionError where it is none."""
    places = np.flatnonzero(gate.buses == bus)
    if not places.size:
        raise QuestionError("the selected bus is not a candidate of this study")
    level, place = _level(gate, envelope, nameplate_mw), int(places[0])
    outages = len(gate.ids)
    fails_in, weight_in = np.zeros(outages, dtype=np.intp), np.zeros(outages)
    before, first_hour = np.zeros(outages, dtype=np.intp), np.full(outages, -1, dtype=np.intp)
    hours, low, high, first = [], 0.0, 0.0, None
    for hour, known in enumerate(gate.verdicts):
        weight = float(gate.hour_weight[hour])
        if known is None:
            high += weight
            continue
        load, count = gate.load_mw(hour, level), len(known.base_fails)
        at = known.level(load)
        passed, failed = (
            np.unpackbits(bits[at, place], count=count).astype(np.bool_)[gate.case_of]
            for bits in (known.passed, known.failed)
        )
        base: Flags = known.base_fails[gate.case_of] & failed
        low += weight * float(passed.mean())
        high += weight * (1.0 - float(failed.mean()))
        fails_in += failed
        weight_in += weight * failed
        before += base
        first_hour[failed & (first_hour < 0)] = hour
        if first is None and failed.any():
            first = hour, int(failed.argmax())
        hours.append(
            HourShare(hour, load, float(passed.mean()), float(failed.mean()), int(failed.sum()), int(base.sum()))
        )
    order = np.lexsort((np.arange(outages), -np.round(weight_in, 12)))
    failing = tuple(
        FailingOutage(k, float(weight_in[k]), int(fails_in[k]), int(before[k]), int(first_hour[k]))
        for k in order[: int((fails_in > 0).sum())].tolist()
    )
    return GateSheet(
        bus=bus,
        low=low,
        high=max(low, high),
        threshold=gate.threshold if threshold is None else threshold,
        hours=tuple(hours),
        failing=failing,
        first=first,
        outages=outages,
        open_hours=sum(known is None for known in gate.verdicts),
    )


def _level(gate: GateResult, envelope: str, nameplate_mw: float) -> int:
    names = [own.name for own in gate.envelopes]
    if envelope not in names or nameplate_mw not in gate.sizes_mw:
        raise QuestionError(f"{nameplate_mw:g} MW under {envelope!r:.60} was not screened")
    return names.index(envelope) * len(gate.sizes_mw) + gate.sizes_mw.index(nameplate_mw)


def _against(low: float, high: float, threshold: float) -> int:
    wanted = threshold - _ROUNDING
    return PASSED if low >= wanted else FAILED if high < wanted else UNDECIDED


# The market


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric in one window: the site's, beside the other sites and the days without a further load."""

    window: Window
    metric: Metric
    value: float
    base: float  # without the load
    peers: Spread  # over the sites of the same envelope and size that every day serves
    floor: float  # the spread that gap and degenerate prices alone produce; nan where it is not known
    moved: float = float("nan")  # by what the site's own figure moved when it was measured; nan where it was not

    @property
    def change(self) -> float:
        """Return what the load changes."""
        return self.value - self.base

    @property
    def from_median(self) -> float:
        """Return the distance to the other sites' median."""
        return self.value - self.peers.median

    @property
    def within_noise(self) -> bool:
        """Return whether the distance to the median says nothing; False where the floor is not known."""
        return bool(abs(self.from_median) <= np.maximum(self.floor, np.nan_to_num(self.moved)))


def metric_lines(market: MarketRun, site: SiteMarket) -> list[MetricLine]:
    """Return the fifteen lines of a site that every day serves."""
    peers = np.array([other.metrics for other in market.sites if other.served and _alike(other, site)])
    unknown = np.full((len(WINDOWS), len(METRICS)), np.nan)
    floor = unknown if market.floor is None else market.floor
    moved = unknown if site.moved is None else site.moved
    return [
        MetricLine(
            window=window,
            metric=metric,
            value=float(site.metrics[row, column]),
            base=float(market.base.metrics[row, column]),
            peers=Spread.of(peers[:, row, column] if len(peers) else np.zeros(0)),
            floor=float(floor[row, column]),
            moved=float(moved[row, column]),
        )
        for row, window in enumerate(WINDOWS)
        for column, metric in enumerate(METRICS)
    ]


def site_market(market: MarketRun, bus: int, envelope: str, nameplate_mw: float) -> SiteMarket | None:
    """Return the market of one site, None where it was not looked at."""
    for site in market.sites:
        placed = site.placement
        if placed and (placed.bus, placed.envelope.name, placed.nameplate_mw) == (bus, envelope, nameplate_mw):
            return site
    return None


def _alike(one: SiteMarket, other: SiteMarket) -> bool:
    return label_of(one) == label_of(other)


# The ranking


@dataclass(frozen=True, slots=True)
class CriterionCost:
    """What one criterion takes from a site's score."""

    criterion: Criterion
    group: str
    value: float
    best: float  # the least cost among all alternatives
    worst: float
    benefit: float  # 1 at the best, 0 at the worst
    weight: float  # inside its group
    lost: float  # of the group's score, which is 1 at most
    score_at_best: float  # the site's score, were this criterion as good as the best and all else as it is


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The site just above or below, and the criteria that part the two."""

    bus: int  # position
    place: int
    score: float
    apart: tuple[tuple[Criterion, float], ...]  # points of a group's score that this site is ahead, the largest first


@dataclass(frozen=True, slots=True)
class ScoreReasons:
    """Why a site has its place."""

    place: int
    alternatives: int  # inside the envelope and size
    score: float
    groups: tuple[tuple[str, float, float], ...]  # name, the group's score, its share of the distance to the ideal
    to_ideal: float
    to_anti_ideal: float
    costs: tuple[CriterionCost, ...]  # what costs most first
    above: Neighbour | None
    below: Neighbour | None
    notices: tuple[str, ...]


def row_of(ranked: Ranked, bus: int, envelope: str, nameplate_mw: float) -> int | None:
    """Return the row of a site in a ranking, None where it is not ranked."""
    for row, site in enumerate(ranked.sites):
        placed = site.placement
        if placed and (placed.bus, placed.envelope.name, placed.nameplate_mw) == (bus, envelope, nameplate_mw):
            return row
    return None


def score_reasons(ranked: Ranked, row: int) -> ScoreReasons:
    """Return why the alternative in ``row`` has its place."""
    label = label_of(ranked.sites[row])
    peers = np.array([k for k, site in enumerate(ranked.sites) if label_of(site) == label], dtype=np.intp)
    pooled = POOLED in ranked.rankings
    ranking = ranked.rankings[POOLED if pooled else label]
    rows: Integers = np.arange(len(ranked.sites)) if pooled else peers
    at = {int(k): place for place, k in enumerate(rows)}
    in_order = peers[np.argsort(ranked.place[peers], kind="stable")].tolist()
    mine = in_order.index(row)
    away = (ranking.normalised[at[row]] - ranking.ideal) ** 2
    total = float(away.sum())
    return ScoreReasons(
        place=int(ranked.place[row]),
        alternatives=len(peers),
        score=float(ranked.score[row]),
        groups=tuple(
            (name, float(ranking.group_score[at[row], g]), float(away[g]) / total if total else 0.0)
            for g, name in enumerate(ranking.groups)
        ),
        to_ideal=float(ranking.to_ideal[at[row]]),
        to_anti_ideal=float(ranking.to_anti_ideal[at[row]]),
        costs=_costs(ranked, ranking, rows, row, at[row]),
        above=_neighbour(ranked, ranking, at, row, in_order[mine - 1]) if mine else None,
        below=_neighbour(ranked, ranking, at, row, in_order[mine + 1]) if mine + 1 < len(in_order) else None,
        notices=ranking.notices,
    )


def _costs(ranked: Ranked, ranking: Ranking, rows: Integers, row: int, at: int) -> tuple[CriterionCost, ...]:
    found = []
    for place, criterion in enumerate(ranking.criteria):
        column = ranked.values[rows, ranked.criteria.index(criterion)]
        group = int(ranking.group_of[place])
        lost = float(ranking.weight[place] * (1.0 - ranking.benefit[at, place]))
        found.append(
            CriterionCost(
                criterion=criterion,
                group=ranking.groups[group],
                value=float(ranked.values[row, ranked.criteria.index(criterion)]),
                best=float(column.min()),
                worst=float(column.max()),
                benefit=float(ranking.benefit[at, place]),
                weight=float(ranking.weight[place]),
                lost=lost,
                score_at_best=_score_with(ranking, at, group, lost),
            )
        )
    return tuple(sorted(found, key=lambda cost: (cost.score_at_best <= ranked.score[row], -cost.score_at_best)))


def _score_with(ranking: Ranking, at: int, group: int, more: float) -> float:
    """Return the score with ``more`` points in a group; weights, scaling and the other sites stay."""
    best = int(ranking.group_score[:, group].argmax())
    scale = float(ranking.normalised[best, group] / ranking.group_score[best, group])
    moved = ranking.normalised[at].copy()
    moved[group] += more * scale
    ideal = np.maximum(ranking.ideal, moved)
    to_ideal = float(np.linalg.norm(moved - ideal))
    to_worst = float(np.linalg.norm(moved - ranking.anti_ideal))
    return to_worst / (to_ideal + to_worst) if to_ideal + to_worst > 0.0 else 0.5


def _neighbour(ranked: Ranked, ranking: Ranking, at: Mapping[int, int], row: int, other: int) -> Neighbour:
    ahead = ranking.weight * (ranking.benefit[at[row]] - ranking.benefit[at[other]])
    order = np.argsort(-np.abs(ahead), kind="stable")
    placed = ranked.sites[other].placement
    return Neighbour(
        bus=placed.bus if placed else -1,
        place=int(ranked.place[other]),
        score=float(ranked.score[other]),
        apart=tuple((ranking.criteria[k], float(ahead[k])) for k in order.tolist() if abs(ahead[k]) > _ROUNDING),
    )
