"""Who passes the gate over many hours, as bounds on the pass rate that tighten until they decide.

Hours are put together into groups (:mod:`.together`): what is proved for a group counts for each of its hours. Groups
of most load come first; then the group with most that is open, of candidates that are not decided, is divided in two.
A candidate whose bounds decide it is not looked at again. A group of one hour is decided exactly, so that with time
everything is.

The order of the groups depends on what was found alone. So a run that was stopped, or whose time was over, goes on
where it was: it asks for the same groups again, and those that were kept are not computed again.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.capacity.question import OutageRating
from engine.compute import HERE, Artifacts, Here, Kept, Progress, Workers, run_map
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.gate.bounds import UNKNOWN
from engine.siting.gate.bracket import FORMAT, SURE, Claim, GateBracket, decisions
from engine.siting.gate.hour import HourSolver
from engine.siting.gate.model import GateModel
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.together import Together

_GROUPS = 8  # to begin with: on Texas most of what fails is found in so few, and what is open divides them further
_PROGRAMS = 25  # cases of a candidate in a group of several hours that are looked at one by one
_ROUND = 4  # groups begun at once where others compute them
_TOLD_EVERY_S = 5.0
_CLAIMS = 10  # drawn from each group, of what passes and of what fails
_POWER_STEPS = 12


def decide(  # noqa: PLR0913 (the case and the question, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    question: GateQuestion,
    *,
    budget_s: float | None = None,
    workers: Workers = HERE,
    progress: Progress | None = None,
    groups: int = _GROUPS,
    artifacts: Artifacts | None = None,
    partial: Callable[[GateBracket], None] | None = None,
) -> GateBracket:
    """Bound the pass rates until every candidate is decided, or ``budget_s`` is spent; what is begun is ended.

    ``progress`` counts what is decided of all (candidate, envelope, nameplate) and may raise CancelledError;
    ``partial`` is given the bounds so far every few seconds. With ``artifacts`` every group is kept as it comes, and
    the same question goes on where it was: ``budget_s`` is for what was not kept. Raises QuestionError as
    :func:`engine.siting.gate.screening.screen` does.
    """
    search = _Search(case, contingencies, question, _groups(case, question, groups))
    told, spent_s = time.perf_counter(), 0.0
    step = 1 if isinstance(workers, Here) else _ROUND

    def tell() -> None:
        if progress is not None:
            progress(int((search.decided() != UNKNOWN).sum()), search.decided().size)

    while search.pending().any() and (budget_s is None or spent_s < budget_s):
        tasks = search.next_tasks(step)
        if not tasks:
            break
        some = np.flatnonzero(search.pending())
        keys = [task.key() for _, task in tasks]
        new = artifacts is None or any(artifacts.open(key) is None for key in keys)
        start = time.perf_counter()
        kept = None if artifacts is None else Kept(artifacts, keys, _dump, _load)
        found = run_map(
            screen_group, [task for _, task in tasks], workers=workers, kept=kept, progress=lambda *_: tell()
        )
        for (group, _), shares in zip(tasks, found, strict=True):
            search.note(group, some, shares)
        spent_s += time.perf_counter() - start if new else 0.0
        tell()
        if partial is not None and time.perf_counter() - told >= _TOLD_EVERY_S:
            told = time.perf_counter()
            partial(search.bracket())
    return search.bracket()


@dataclass(frozen=True, slots=True, eq=False)
class GroupShares:
    """Shares (V, C) of the contingencies that certainly pass, and fail, in every hour of a group; some of them."""

    passed: Matrix
    failed: Matrix
    claims: tuple[Claim, ...]  # hours by place in the group
    time_s: float


@dataclass(frozen=True, eq=False)
class _Task:
    case: SitingCase  # of the group's hours
    contingencies: Contingencies
    buses: Integers
    levels_mw: Vector
    rating: OutageRating

    def key(self) -> str:
        """Return the name of a file for what is found: of all that it depends on."""
        text = f"{FORMAT} {self.case.digest} {self.contingencies.digest} {self.rating} "
        found = hashlib.sha256(text.encode())
        for array, kind in ((self.contingencies.same_as, "<i8"), (self.buses, "<i8"), (self.levels_mw, "<f8")):
            found.update(np.ascontiguousarray(array, dtype=kind).tobytes())
        return f"gate-group-{found.hexdigest()[:40]}.npz"


def screen_group(task: _Task) -> GroupShares:
    """Return what certainly passes, and what certainly fails, in every hour of a group."""
    start = time.perf_counter()
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
    return GroupShares(passed @ share, failed @ share, tuple(claims), time.perf_counter() - start)


def _dump(found: GroupShares) -> bytes:
    arrays = {"passed": found.passed, "failed": found.failed}
    return pack(arrays, {"time_s": found.time_s, "claims": [asdict(one) for one in found.claims]})


def _load(content: bytes) -> GroupShares:
    arrays, meta = unpack(content)
    claims = tuple(Claim(**one) for one in meta["claims"])
    return GroupShares(arrays["passed"], arrays["failed"], claims, meta["time_s"])


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
    load = np.array(
        [np.round(envelope.level_mw(size, case.hour_of_day, case.onsite_mw), 9) for envelope, size in pairs]
    )
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
    time_s: float = 0.0  # of all groups that were looked at
    claims: list[Claim] = field(default_factory=list)
    weight: Vector = field(init=False)  # (T,)

    def __post_init__(self) -> None:
        self.weight = self.question.weights(self.case, self.contingencies)
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
        return decisions(*self.bounds(), self.question.threshold)

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
            if most <= SURE:
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
        self.time_s += found.time_s
        self.claims += [replace(claim, hour=int(group.hours[claim.hour])) for claim in found.claims]
        shape = (len(group.levels_mw), len(self.question.buses))
        for name, share in (("passed", found.passed), ("failed", found.failed)):
            before = getattr(group, name)
            known = np.zeros(shape) if before is None else before.copy()
            known[:, some] = np.maximum(known[:, some], share)
            setattr(group, name, known)

    def bracket(self) -> GateBracket:
        """Return what is known."""
        lower, upper = self.bounds()
        seen = [group for group in self.groups if group.passed is not None]
        return GateBracket(
            case_digest=self.case.digest,
            contingencies_digest=self.contingencies.digest,
            buses=self.question.buses,
            envelopes=tuple(envelope.name for envelope in self.question.envelopes),
            sizes_mw=self.question.sizes_mw,
            threshold=self.question.threshold,
            lower=lower,
            upper=upper,
            hours=len(self.case),
            looked_at=float(sum(self.weight[group.hours].sum() for group in seen)),
            groups=self.looked_at,
            time_s=self.time_s,
            claims=tuple(self.claims),
        )
