"""Which hours a siting study screens, and why each of them.

The stress set holds the hours of highest net load (load less what wind, solar and hydro could produce), of most wind,
solar and hydro, and of least load. The representative set holds the medoids of a clustering by load, wind and solar,
each with the number of hours that it stands for. Both hold hours inside and outside the peak of every envelope, and
one of its highest level, wherever the case has such hours: what is never drawn is never screened.

Clustering: k-medoids by alternation (Park and Jun, "A simple and fast algorithm for K-medoids clustering", Expert
Systems with Applications 36, 2009) from seeded k-means++ starts; the best of several, which need not be the optimum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy.spatial.distance import cdist

from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.case import HOURS_OF_DAY, SitingCase
from engine.siting.envelopes import Envelope

Kind = Literal["one", "list", "stress", "representative", "year"]
_STARTS = 8
_MOST_ROUNDS = 100
_RENEWABLE = ("wind", "solar", "hydro")


@dataclass(frozen=True, slots=True, eq=False)
class HourSet:
    """Some hours of a case."""

    kind: Kind
    hours: Integers  # (n,), positions in the case, rising
    weight: Vector  # (n,), hours of the case that each stands for
    reasons: tuple[str, ...]  # (n,)
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hours)

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return asdict(self) | {"hours": self.hours.tolist(), "weight": self.weight.tolist()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the set that :meth:`to_json` wrote."""
        hours = np.array(content["hours"], dtype=np.intp)
        weight = np.array(content["weight"], dtype=np.float64)
        return cls(content["kind"], hours, weight, tuple(content["reasons"]), tuple(content["notices"]))


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What tells the hours of a case apart, MW (T,): all loads, and what the units of a fuel could produce."""

    load: Vector
    wind: Vector
    solar: Vector
    hydro: Vector

    @classmethod
    def of(cls, case: SitingCase) -> "Features":
        """Return the features of a case."""
        fuels = np.array(case.network.units.fuels)
        outputs = [case.largest_mw[:, fuels == fuel].sum(axis=1) for fuel in _RENEWABLE]
        return cls(case.demand_mw.sum(axis=1), *outputs)

    @property
    def renewable(self) -> Vector:
        """Return wind, solar and hydro together."""
        return self.wind + self.solar + self.hydro

    @property
    def net_load(self) -> Vector:
        """Return the load less wind, solar and hydro."""
        return self.load - self.renewable

    def words(self, hour: int) -> str:
        """Return an hour in numbers."""
        return f"load {self.load[hour]:,.0f}, wind {self.wind[hour]:,.0f}, solar {self.solar[hour]:,.0f} MW"


@dataclass(frozen=True, slots=True)
class StressCounts:
    """How many hours of each kind a stress set holds; of one day, at most ``most_per_day`` while others are left."""

    net_load: int = 8
    renewable: int = 4
    low_load: int = 4
    most_per_day: int = 2

    def __post_init__(self) -> None:
        """Refuse counts of nothing."""
        counts = (self.net_load, self.renewable, self.low_load)
        if min(counts) < 0 or max(counts) < 1:
            raise QuestionError(f"a stress set needs counts of 0 or more, not all 0; found {counts}")
        if self.most_per_day < 1:
            raise QuestionError(f"most_per_day must be 1 or more, found {self.most_per_day}")


def listed(case: SitingCase, hours: Sequence[int], envelopes: Sequence[Envelope]) -> HourSet:
    """Return hours by position, each once, with what makes one stand out.

    Raises QuestionError for one that the case does not have, or for none.
    """
    chosen = np.unique(np.asarray(hours, dtype=np.intp))
    outside = (chosen < 0) | (chosen >= len(case))
    if outside.any():
        raise QuestionError(f"hour {chosen[outside][0] + 1} is not one of the {len(case):,} hours of the case")
    if not len(chosen):
        raise QuestionError("a list of hours needs one hour or more")
    reasons = _of_note(case, chosen, envelopes)
    kind: Kind = "one" if len(chosen) == 1 else "list"
    return HourSet(kind, chosen, np.ones(len(chosen)), reasons, _not_screened(case, chosen, envelopes))


def _of_note(case: SitingCase, chosen: Integers, envelopes: Sequence[Envelope]) -> tuple[str, ...]:
    """Return why hours that somebody chose stand out: the highest net load of all, or inside or outside the peak."""
    net_load = Features.of(case).net_load
    peak = np.isin(case.hour_of_day, [hour for envelope in envelopes for hour in envelope.peak_hours])
    kinds = (("all hours", np.ones(len(case), dtype=bool)), ("the peak hours", peak), ("those off the peak", ~peak))
    first: dict[int, str] = {}
    for words, inside in kinds:
        highest = np.flatnonzero(inside & (net_load == net_load[inside].max(initial=-np.inf)))
        if len(highest) == 1:
            first.setdefault(int(highest[0]), words)
    return tuple(
        f"chosen: highest net load of {first[hour]}, {net_load[hour]:,.0f} MW" if hour in first else "chosen"
        for hour in chosen.tolist()
    )


def year(case: SitingCase, envelopes: Sequence[Envelope]) -> HourSet:
    """Return all hours of the case."""
    hours = np.arange(len(case))
    return HourSet("year", hours, np.ones(len(hours)), ("all",) * len(hours), _not_screened(case, hours, envelopes))


def stress(case: SitingCase, envelopes: Sequence[Envelope], counts: StressCounts | None = None) -> HourSet:
    """Return the hours of highest net load, of most renewables and of least load, each counting once.

    Equal hours are taken in the order of the case. Renewables or loads that are the same in all hours choose none.
    """
    given = counts or StressCounts()
    found = Features.of(case)
    day = _days(case)
    net_load = found.net_load
    asked = (
        (net_load, given.net_load, "highest net load", -1.0),
        (found.renewable, given.renewable, "most wind, solar and hydro", -1.0),
        (found.load, given.low_load, "least load", 1.0),
    )
    reasons: dict[int, list[str]] = {}
    flat = []
    for values, count, words, sign in asked:
        if values is not net_load and count and len(values) > 1 and np.ptp(values) == 0.0:
            flat.append(f"{words}: {values[0]:,.0f} MW in every hour, so no hour is taken for it")
            continue
        for rank, hour in enumerate(_first(sign * values, count, day, given.most_per_day), start=1):
            reasons.setdefault(hour, []).append(f"{words}, no. {rank}: {values[hour]:,.0f} MW")
    for words, inside in _windows(case, envelopes):
        if inside.any() and not inside[list(reasons)].any():
            hour = int(np.flatnonzero(inside)[found.net_load[inside].argmax()])
            reasons[hour] = [f"highest net load of {words}: {found.net_load[hour]:,.0f} MW"]
    hours = np.array(sorted(reasons), dtype=np.intp)
    text = tuple("; ".join(reasons[hour]) for hour in hours.tolist())
    notices = (*flat, *_not_screened(case, hours, envelopes))
    return HourSet("stress", hours, np.ones(len(hours)), text, notices)


def representative(case: SitingCase, count: int, envelopes: Sequence[Envelope], seed: int = 0) -> HourSet:
    """Return ``count`` hours that stand for all others, by load, wind and solar, weights summing to the hours.

    Hours inside and outside the peaks of the envelopes are clustered apart, in proportion. Raises QuestionError when
    there are more clusters than hours, or fewer than kinds of hours.
    """
    found = Features.of(case)
    kinds = _kinds(case, envelopes)
    sizes = np.bincount(kinds)
    if not len(sizes) <= count <= len(case):
        raise QuestionError(
            f"{count} representative hours: from {len(sizes)} (kinds of hours, by the envelopes) to {len(case):,}"
        )
    scaled = np.column_stack([_scaled(values) for values in (found.load, found.wind, found.solar)])
    generator = np.random.default_rng(seed)
    hours: list[int] = []
    weight: list[int] = []
    for kind, own in enumerate(_shares(sizes, count)):
        members = np.flatnonzero(kinds == kind)
        medoids, cluster = k_medoids(scaled[members], own, generator)
        hours += members[medoids].tolist()
        weight += np.bincount(cluster, minlength=own).tolist()
    order = np.argsort(hours)
    chosen, stands = np.array(hours)[order], np.array(weight, dtype=np.float64)[order]
    reasons = tuple(
        f"stands for {int(stood):,} hours like it: {found.words(hour)}"
        for hour, stood in zip(chosen.tolist(), stands.tolist(), strict=True)
    )
    notice = (
        f"clusters of load, wind and solar: a good choice of {count} hours, not proven to be the best (seed {seed})"
    )
    notices = (notice, *_not_screened(case, chosen, envelopes))
    return HourSet("representative", chosen, stands, reasons, notices)


def k_medoids(points: Matrix, count: int, generator: np.random.Generator) -> tuple[Integers, Integers]:
    """Return the medoids (k,), positions of points (n, d), and the cluster (n,) of every point, of the best start.

    The best start has the least sum of Euclidean distances of the points to their medoids.
    """
    best: tuple[float, Integers, Integers] | None = None
    for _ in range(_STARTS):
        medoids = _start(points, count, generator)
        for _ in range(_MOST_ROUNDS):
            distance = cdist(points, points[medoids])
            cluster = _nearest(distance, medoids)
            moved = np.array([_medoid(points, np.flatnonzero(cluster == own)) for own in range(count)])
            if (moved == medoids).all():
                break
            medoids = moved
        distance = cdist(points, points[medoids])
        cluster = _nearest(distance, medoids)
        total = float(distance[np.arange(len(points)), cluster].sum())
        if best is None or total < best[0]:
            best = total, medoids, cluster
    assert best is not None  # noqa: S101 (there is one start or more)
    return best[1], best[2]


def _nearest(distance: Matrix, medoids: Integers) -> Integers:
    """Return the cluster of each point: a medoid's own, so that none is empty beside an equal point."""
    cluster: Integers = distance.argmin(axis=1)
    cluster[medoids] = np.arange(len(medoids))
    return cluster


def _start(points: Matrix, count: int, generator: np.random.Generator) -> Integers:
    chosen = [int(generator.integers(len(points)))]
    while len(chosen) < count:
        square = cdist(points, points[chosen]).min(axis=1) ** 2
        square[chosen] = 0.0
        if not square.any():  # the points left equal chosen ones: any of them will do
            square[np.setdiff1d(np.arange(len(points)), chosen)] = 1.0
        chosen.append(int(generator.choice(len(points), p=square / square.sum())))
    return np.array(chosen, dtype=np.intp)


def _medoid(points: Matrix, members: Integers) -> int:
    own = points[members]
    total = np.concatenate([cdist(part, own).sum(axis=1) for part in np.array_split(own, 1 + len(own) // 1000)])
    return int(members[total.argmin()])


def _scaled(values: Vector) -> Vector:
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0.0 else 1.0))


def _shares(sizes: Integers, count: int) -> list[int]:
    """Return how many of ``count`` each kind gets: one at least, all of its hours at most, else by size."""
    given = np.ones(len(sizes), dtype=np.intp)
    for _ in range(count - len(sizes)):
        lacks = np.where(given < sizes, sizes / given, 0.0)  # hours that each chosen one stands for
        given[lacks.argmax()] += 1
    return [int(own) for own in given]


def _days(case: SitingCase) -> Integers:
    """Return the number (T,) of the day of each hour: one begins where the hour of the day does not rise."""
    return np.cumsum(np.diff(case.hour_of_day, prepend=HOURS_OF_DAY + 1) <= 0)


def _first(cost: Vector, count: int, day: Integers, most_per_day: int) -> list[int]:
    """Return ``count`` hours of least cost, best first, taking more than so many of one day only for want of others."""
    order = np.argsort(cost, kind="stable").tolist()
    taken: list[int] = []
    of_day: dict[int, int] = {}
    for hour in order:
        own = int(day[hour])
        if len(taken) < count and of_day.get(own, 0) < most_per_day:
            taken.append(hour)
            of_day[own] = of_day.get(own, 0) + 1
    taken += [hour for hour in order if hour not in set(taken)][: count - len(taken)]
    return sorted(taken, key=lambda hour: (cost[hour], hour))


def _windows(case: SitingCase, envelopes: Sequence[Envelope]) -> list[tuple[str, Flags]]:
    """Return what a set must hold an hour of: in words, and which hours (T,) of the case that is."""
    found = []
    for envelope in envelopes:
        share = np.array(envelope.share)[case.hour_of_day - 1]
        peak = np.isin(case.hour_of_day, envelope.peak_hours)
        found += [
            (f"the peak hours of {envelope.name}", peak),
            (f"the hours outside the peak of {envelope.name}", ~peak),
            (f"the highest level of {envelope.name}", share == max(envelope.share)),
        ]
    return found


def _kinds(case: SitingCase, envelopes: Sequence[Envelope]) -> Integers:
    """Return a number (T,) for each hour that tells which of the windows it is in."""
    windows = [inside for _, inside in _windows(case, envelopes)]
    if not windows:
        return np.zeros(len(case), dtype=np.intp)
    kinds = np.unique(np.column_stack(windows), axis=0, return_inverse=True)[1]
    return np.asarray(kinds, dtype=np.intp).reshape(-1)


def _not_screened(case: SitingCase, hours: Integers, envelopes: Sequence[Envelope]) -> tuple[str, ...]:
    """Say which levels of envelopes no hour has."""
    missing = [words for words, inside in _windows(case, envelopes) if not inside[hours].any()]
    return (f"not screened, for want of an hour: {', '.join(missing)}",) if missing else ()
