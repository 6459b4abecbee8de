"""Who passes the gate over many hours, as bounds on the pass rate that tighten until they decide.

Hours are put together into groups (:mod:`.together`): what is proved for a group counts for each of its hours. Groups
of most load come first; then the group with most that is open, of candidates that are not decided, is divided in two.
A candidate whose bounds decide it is not looked at again. A group of one hour is decided exactly, so that with time
everything is.
"""

import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.capacity.question import OutageRating
from engine.compute import HERE, Progress, Workers, run_map
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.gate.bounds import FAILED, PASSED, UNKNOWN
from engine.siting.gate.hour import HourSolver
from engine.siting.gate.model import GateModel
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.together import Together

FORMAT = "headroom-gate-bracket-1"
_GROUPS = 64  # to begin with, where there are so many hours
_PROGRAMS = 25  # cases of a candidate in a group of several hours that are looked at one by one
_ROUND = 4  # groups begun at once
_SURE = 1e-12
_CLAIMS = 10  # drawn from each group, of what passes and of what fails
_POWER_STEPS = 12


@dataclass(frozen=True, slots=True)
class Claim:
    """One verdict that a bound stands on: for :func:`engine.siting.gate_check.judge`."""

    bus: int  # position
    load_mw: float
    hour: int  # position in the case
    contingency: int  # position
    passes: bool


@dataclass(frozen=True, eq=False)
class GateBracket:
    """Bounds on the pass rates of P pairs of an envelope and a nameplate (envelope by envelope), C candidates."""

    case_digest: str
    contingencies_digest: str
    buses: Integers  # (C,), positions
    envelopes: tuple[str, ...]
    sizes_mw: tuple[float, ...]
    threshold: float
    lower: Matrix  # (P, C), of the rate
    upper: Matrix  # (P, C)
    hours: int
    looked_at: float  # share of the hours, by weight, that some group looked at
    groups: int  # looked at
    time_s: float
    claims: tuple[Claim, ...]  # drawn at random from what was proved of each group

    def pass_rate(self, envelope: str, nameplate_mw: float) -> tuple[Vector, Vector]:
        """Return bounds (C,) on the share of (hour, contingency) that pass."""
        pair = self._pair(envelope, nameplate_mw)
        return self.lower[pair], self.upper[pair]

    def qualified(self, envelope: str, nameplate_mw: float) -> Integers:
        """Return (C,): 1 where the pass rate reaches the threshold, 0 where it cannot, -1 where that is open."""
        found: Integers = self._decided[self._pair(envelope, nameplate_mw)]
        return found

    @property
    def decided_share(self) -> float:
        """Return the share of (candidate, envelope, nameplate) that is decided."""
        return float((self._decided != UNKNOWN).mean())

    def undecided(self, envelope: str, nameplate_mw: float) -> Integers:
        """Return the candidates (places) that are not decided."""
        return np.flatnonzero(self.qualified(envelope, nameplate_mw) == UNKNOWN)

    @property
    def _decided(self) -> Integers:
        found: Integers = _decisions(self.lower, self.upper, self.threshold)
        return found

    def _pair(self, envelope: str, nameplate_mw: float) -> int:
        if envelope not in self.envelopes or nameplate_mw not in self.sizes_mw:
            raise QuestionError(f"{envelope!r} at {nameplate_mw:g} MW was not asked")
        return self.envelopes.index(envelope) * len(self.sizes_mw) + self.sizes_mw.index(nameplate_mw)

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        return pack({name: getattr(self, name) for name in _ARRAYS}, {"format": FORMAT} | self._meta())

    def _meta(self) -> dict[str, Any]:
        plain = {name: value for name, value in vars(self).items() if name not in _ARRAYS}
        return plain | {"claims": [asdict(one) for one in self.claims]}

    @classmethod
    def load(cls, source: bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.pop("format", "") != FORMAT:
            raise UncertaintyDataError("not a file of gate bounds of this version")
        known: dict[str, Any] = dict(meta) | {name: np.array(arrays[name]) for name in _ARRAYS}
        known |= {name: tuple(meta[name]) for name in ("envelopes", "sizes_mw")}
        return cls(**known | {"claims": tuple(Claim(**one) for one in meta["claims"])})


_ARRAYS = ("buses", "lower", "upper")


def decide(  # noqa: PLR0913 (the case and the question, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    question: GateQuestion,
    *,
    budget_s: float | None = None,
    workers: Workers = HERE,
    progress: Progress | None = None,
    groups: int = _GROUPS,
) -> GateBracket:
    """Bound the pass rates until every candidate is decided, or ``budget_s`` is spent; what is begun is ended.

    ``progress`` counts what is decided of all (candidate, envelope, nameplate). Raises QuestionError as
    :func:`engine.siting.gate.screening.screen` does.
    """
    search = _Search(case, contingencies, question, _groups(case, question, groups))
    claims: list[Claim] = []
    start = time.perf_counter()
    while search.pending().any() and (budget_s is None or time.perf_counter() - start < budget_s):
        tasks = search.next_tasks(_ROUND)
        if not tasks:
            break
        some = np.flatnonzero(search.pending())
        for (place, _), found in zip(
            tasks, run_map(screen_group, [task for _, task in tasks], workers=workers), strict=True
        ):
            search.note(place, some, found)
            claims += [replace(claim, hour=int(place.hours[claim.hour])) for claim in found.claims]
        if progress is not None:
            progress(int((search.decided() != UNKNOWN).sum()), search.decided().size)
    lower, upper = search.bounds()
    seen = [group for group in search.groups if group.passed is not None]
    return GateBracket(
        case_digest=case.digest,
        contingencies_digest=contingencies.digest,
        buses=question.buses,
        envelopes=tuple(envelope.name for envelope in question.envelopes),
        sizes_mw=question.sizes_mw,
        threshold=question.threshold,
        lower=lower,
        upper=upper,
        hours=len(case),
        looked_at=float(sum(search.weight[group.hours].sum() for group in seen)),
        groups=search.looked_at,
        time_s=time.perf_counter() - start,
        claims=tuple(claims),
    )


@dataclass(frozen=True, slots=True, eq=False)
class GroupShares:
    """Shares (V, C) of the contingencies that certainly pass, and fail, in every hour of a group; some of them."""

    passed: Matrix
    failed: Matrix
    claims: tuple[Claim, ...]  # hours by place in the group


@dataclass(frozen=True, eq=False)
class _Task:
    case: SitingCase  # of the group's hours
    contingencies: Contingencies
    buses: Integers
    levels_mw: Vector
    rating: OutageRating


def screen_group(task: _Task) -> GroupShares:
    """Return what certainly passes, and what certainly fails, in every hour of a group."""
    model = GateModel.of(task.contingencies, task.buses, task.rating)
    together = Together.of(model, task.case)
    case_of = 1 + np.searchsorted(task.contingencies.distinct, task.contingencies.same_as)
    share = np.bincount(case_of, minlength=len(model)) / len(case_of)
    wider = solver = HourSolver(together.wider, task.levels_mw)
    if len(task.case) == 1:
        solver.solve()
    else:
        buses = wider.cut_as_it_is()
        if together.narrower is not None:
            solver = HourSolver(together.narrower, task.levels_mw, wider=wider)
            solver.bound(buses, _PROGRAMS)
    levels = task.levels_mw
    passed = np.array([solver.intervals.passed(slice(None), level) for level in levels.tolist()])
    passed &= together.narrower is not None
    failed = np.array([wider.intervals.failed(slice(None), level) for level in levels.tolist()])
    generator = np.random.default_rng(len(task.case))
    claims = [
        claim for flags, yes in ((passed, True), (failed, False)) for claim in _drawn(task, flags, yes, generator)
    ]
    return GroupShares(passed @ share, failed @ share, tuple(claims))


def _drawn(task: _Task, flags: Flags, passes: bool, generator: np.random.Generator) -> list[Claim]:
    """Return some of the (level, candidate, case) that are true."""
    same = np.searchsorted(task.contingencies.distinct, task.contingencies.same_as)
    found = []
    true = np.flatnonzero(flags[:, :, 1:])
    for place in generator.choice(true, min(_CLAIMS, len(true)), replace=False).tolist():
        level, bus, case = np.unravel_index(place, flags[:, :, 1:].shape)
        contingency = int(generator.choice(np.flatnonzero(same == case)))
        hour, load_mw = int(generator.integers(len(task.case))), float(task.levels_mw[level])
        found.append(Claim(int(task.buses[bus]), load_mw, hour, contingency, passes))
    return found


@dataclass(eq=False)
class _Group:
    hours: Integers
    levels_mw: Vector  # (V,)
    level_of: Integers  # (P,), of each pair of an envelope and a nameplate
    passed: Matrix | None = None  # (V, C), shares of the contingencies in each of its hours; None: not looked at
    failed: Matrix | None = None


def _groups(case: SitingCase, question: GateQuestion, count: int) -> list[_Group]:
    """Return hours with equal loads of every envelope, divided where their demand differs most; most load first."""
    pairs = [(envelope, size) for envelope in question.envelopes for size in question.sizes_mw]
    load = np.array([np.round(envelope.level_mw(size, case.hour_of_day), 9) for envelope, size in pairs])
    kinds, kind_of = np.unique(load, axis=1, return_inverse=True)
    found: list[_Group] = []
    for kind in range(kinds.shape[1]):
        levels, level_of = np.unique(kinds[:, kind], return_inverse=True)
        found.append(_Group(np.flatnonzero(kind_of.ravel() == kind), levels, level_of))
    size = [_spread(case, group) for group in found]
    while len(found) < count and max(size) > 0.0:
        widest = int(np.argmax(size))
        size.pop(widest)
        new = _halves(case, found.pop(widest))
        found, size = found + new, size + [_spread(case, group) for group in new]
    most = [float(case.demand_mw[group.hours].sum(axis=1).max()) for group in found]
    return [found[place] for place in np.argsort(-np.array(most), kind="stable")]


def _spread(case: SitingCase, group: _Group) -> float:
    return len(group.hours) * float(case.demand_mw[group.hours].std(axis=0).sum())


def _halves(case: SitingCase, group: _Group) -> list[_Group]:
    """Divide a group at the median of the direction in which its demand, or what units can produce, differs most."""
    parts = case.demand_mw[group.hours]
    if not np.ptp(parts, axis=0).any():
        parts = case.largest_mw[group.hours]
    parts = parts - parts.mean(axis=0)
    axis = np.ones(parts.shape[1]) / parts.shape[1]
    for _ in range(_POWER_STEPS):
        axis = parts.T @ (parts @ axis)
        axis /= max(float(np.linalg.norm(axis)), 1e-300)
    order = group.hours[np.argsort(parts @ axis, kind="stable")]
    middle = len(order) // 2
    halves = (np.sort(order[:middle]), np.sort(order[middle:]))
    return [_Group(half, group.levels_mw, group.level_of, group.passed, group.failed) for half in halves]


@dataclass(eq=False)
class _Search:
    case: SitingCase
    contingencies: Contingencies
    question: GateQuestion
    groups: list[_Group]
    looked_at: int = 0
    weight: Vector = field(init=False)  # (T,)

    def __post_init__(self) -> None:
        if self.case.network.digest != self.contingencies.network.digest:
            raise QuestionError("the contingencies are of another network than the hours")
        weight = np.array(self.question.hour_weight or np.ones(len(self.case)), dtype=np.float64)
        if weight.shape != (len(self.case),) or not (weight >= 0.0).all() or weight.sum() <= 0.0:
            raise QuestionError(f"{len(self.case)} hours need as many weights, not negative and not all zero")
        self.weight = weight / weight.sum()
        self._fresh = list(self.groups)

    def bounds(self) -> tuple[Matrix, Matrix]:
        """Return bounds (P, C) on the pass rates."""
        shape = (len(self.groups[0].level_of), len(self.question.buses))
        lower, upper = np.zeros(shape), np.ones(shape)
        for group in self.groups:
            if group.passed is not None and group.failed is not None:
                weight = float(self.weight[group.hours].sum())
                lower += weight * group.passed[group.level_of]
                upper -= weight * group.failed[group.level_of]
        return lower, np.maximum(lower, upper)

    def decided(self) -> Integers:
        return _decisions(*self.bounds(), self.question.threshold)

    def pending(self) -> Flags:
        """Return which candidates (C,) are not decided for some pair."""
        found: Flags = (self.decided() == UNKNOWN).any(axis=0)
        return found

    def next_tasks(self, count: int) -> list[tuple[_Group, _Task]]:
        """Return the groups to look at next: those not looked at, then halves of those with most that is open."""
        chosen = self._fresh[:count]
        del self._fresh[:count]
        while len(chosen) < count:
            open_ = [(self._open(group), place) for place, group in enumerate(self.groups) if group not in chosen]
            most, place = max(open_, default=(0.0, -1))
            if most <= _SURE:
                break
            group = self.groups.pop(place)
            new = _halves(self.case, group) if len(group.hours) > 1 else [group]
            self.groups += new
            chosen += new
        return [(group, self._task(group)) for group in chosen]

    def _open(self, group: _Group) -> float:
        if group.passed is None or group.failed is None:
            return 0.0
        left = 1.0 - group.passed[group.level_of] - group.failed[group.level_of]
        return float(self.weight[group.hours].sum() * (left * (self.decided() == UNKNOWN)).clip(min=0.0).sum())

    def _task(self, group: _Group) -> _Task:
        buses = self.question.buses[np.flatnonzero(self.pending())]
        return _Task(self.case.at(group.hours), self.contingencies, buses, group.levels_mw, self.question.rating)

    def note(self, group: _Group, some: Integers, found: GroupShares) -> None:
        """Note what a group showed of some candidates (places); what was known of it before stays."""
        self.looked_at += 1
        shape = (len(group.levels_mw), len(self.question.buses))
        for name, share in (("passed", found.passed), ("failed", found.failed)):
            before = getattr(group, name)
            known = np.zeros(shape) if before is None else before.copy()
            known[:, some] = np.maximum(known[:, some], share)
            setattr(group, name, known)


def _decisions(lower: Matrix, upper: Matrix, threshold: float) -> Integers:
    wanted = threshold - _SURE
    found = np.where(lower >= wanted, PASSED, np.where(upper < wanted, FAILED, UNKNOWN))
    return found.astype(np.intp)
