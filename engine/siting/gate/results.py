"""What the gate found: for every candidate, hour, load and outage whether it passed, failed, or is not decided."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from engine.capacity.archive import AnyArray, pack, unpack
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Flags, Integers, Vector
from engine.siting.envelopes import Envelope, envelope_from_json

FORMAT = "headroom-gate-1"
UNDECIDED, FAILED, PASSED = -1, 0, 1
Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class HourVerdicts:
    """One hour: V loads, C candidates, N cases (the network as it is, then distinct contingencies)."""

    levels_mw: Vector  # (V,), rising
    passed: Bits  # (V, C, ceil(N / 8)), packed
    failed: Bits
    base_fails: Flags  # (N,), no dispatch keeps every limit before any load is added
    time_s: float  # of the processor
    counts: Mapping[str, int]  # of what was solved

    def level(self, load_mw: float) -> int:
        """Return the place of a load. Raises QuestionError for one that was not screened."""
        place = int(np.abs(self.levels_mw - load_mw).argmin())
        if abs(self.levels_mw[place] - load_mw) > 1e-6:
            raise QuestionError(f"a load of {load_mw:g} MW was not screened: {self.levels_mw.tolist()} MW were")
        return place

    def flags(self, bits: Bits, level: int) -> Flags:
        """Return one level as (C, N)."""
        return np.unpackbits(bits[level], axis=1, count=len(self.base_fails)).astype(np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class GateResult:
    """The verdicts of T hours, C candidates and K contingencies, and what they were asked for."""

    case_digest: str
    contingencies_digest: str
    labels: tuple[str, ...]  # (T,)
    hour_of_day: Integers  # (T,)
    hour_weight: Vector  # (T,), sums to 1
    buses: Integers  # (C,), positions
    envelopes: tuple[Envelope, ...]
    sizes_mw: tuple[float, ...]
    threshold: float
    rating: str
    ids: tuple[str, ...]  # (K,)
    case_of: Integers  # (K,), the case that decides each contingency: equal ones share it
    islanding: tuple[str, ...]  # left out, in words
    verdicts: tuple[HourVerdicts | None, ...]  # (T,), None for an hour that was not screened
    solver: str
    onsite_mw: Vector | None = None  # (T,), what on-site resources of a load give, as the case has it

    @property
    def hours(self) -> Integers:
        """Return the positions (T,) of the hours in the case."""
        return np.arange(len(self.labels))

    @property
    def levels(self) -> int:
        """Return the number of pairs of an envelope and a nameplate."""
        return len(self.envelopes) * len(self.sizes_mw)

    def load_mw(self, hour: int, level: int) -> float:
        """Return the load of a pair (envelope by envelope) in an hour."""
        envelope, size = divmod(level, len(self.sizes_mw))
        return self._load(self.envelopes[envelope], self.sizes_mw[size], hour)

    def level_mw(self, envelope: Envelope, nameplate_mw: float) -> Vector:
        """Return what the grid serves (T,) of a load in each hour, MW: less what on-site resources give in it."""
        return envelope.level_mw(nameplate_mw, self.hour_of_day, self.onsite_mw)

    def verdict(self, candidate: int, hour: int, level: int, contingency: int) -> int:
        """Return 1 for passed, 0 for failed, -1 for not decided; all by place."""
        known = self.verdicts[hour]
        if known is None:
            return UNDECIDED
        place, case = known.level(self.load_mw(hour, level)), int(self.case_of[contingency])
        byte, bit = divmod(case, 8)
        if known.passed[place, candidate, byte] >> (7 - bit) & 1:
            return PASSED
        return FAILED if known.failed[place, candidate, byte] >> (7 - bit) & 1 else UNDECIDED

    def pass_rate(self, envelope: str, nameplate_mw: float) -> tuple[Vector, Vector]:
        """Return bounds (C,) on the share of (hour, contingency) that pass: equal where all is decided."""
        low, open_ = np.zeros(len(self.buses)), np.zeros(len(self.buses))
        load = self.level_mw(self._envelope(envelope), nameplate_mw)
        for hour, weight in enumerate(self.hour_weight.tolist()):
            known = self.verdicts[hour]
            if known is None:
                open_ += weight
                continue
            level = known.level(float(load[hour]))
            low += weight * self.shares(known.passed[level])
            open_ += weight * self.shares(~(known.passed[level] | known.failed[level]))  # 0 where all is decided
        return low, low + open_

    def by_hour(self, hour: int, envelope: str, nameplate_mw: float) -> tuple[Vector, Vector]:
        """Return the shares (C,) of the contingencies that certainly pass and certainly fail in one hour."""
        known = self.verdicts[hour]
        if known is None:
            return np.zeros(len(self.buses)), np.zeros(len(self.buses))
        level = known.level(self._load(self._envelope(envelope), nameplate_mw, hour))
        return self.shares(known.passed[level]), self.shares(known.failed[level])

    def by_contingency(self, bus: int, envelope: str, nameplate_mw: float) -> tuple[Vector, Vector]:
        """Return for one candidate (place) the weights (K,) of the hours that certainly pass and certainly fail."""
        passed, failed = np.zeros(len(self.ids)), np.zeros(len(self.ids))
        for hour, weight in enumerate(self.hour_weight.tolist()):
            found = self._flags(hour, envelope, nameplate_mw)
            if found is not None:
                passed += weight * found[0][bus, self.case_of]
                failed += weight * found[1][bus, self.case_of]
        return passed, failed

    def qualified(self, envelope: str, nameplate_mw: float, threshold: float | None = None) -> npt.NDArray[np.int8]:
        """Return (C,): 1 where the pass rate reaches the threshold, 0 where it cannot, -1 where that is open."""
        low, high = self.pass_rate(envelope, nameplate_mw)
        wanted = (self.threshold if threshold is None else threshold) - 1e-12
        return np.where(low >= wanted, PASSED, np.where(high < wanted, FAILED, UNDECIDED)).astype(np.int8)

    def strict(self, envelope: str, nameplate_mw: float) -> npt.NDArray[np.int8]:
        """Return (C,): the same when every contingency of every hour must pass."""
        return self.qualified(envelope, nameplate_mw, 1.0)

    def broken(self, envelope: str, nameplate_mw: float) -> Integers:
        """Return how many (hour, contingency) certainly fail with the load of each candidate (C,), held without it."""
        total, load = np.zeros(len(self.buses)), self.level_mw(self._envelope(envelope), nameplate_mw)
        for hour, known in enumerate(self.verdicts):
            if known is not None:
                level = known.level(float(load[hour]))
                total += self.shares(known.failed[level] & np.packbits(~known.base_fails))
        return np.rint(total * len(self.case_of)).astype(np.intp)

    def largest_size(self, envelope: str, threshold: float | None = None) -> tuple[Vector, Vector]:
        """Return for each candidate (C,) the largest nameplate screened that qualifies, and the largest that may.

        0 where none does. A smaller nameplate need not qualify where loads relieve outages.
        """
        sure, may = np.zeros(len(self.buses)), np.zeros(len(self.buses))
        for size in sorted(self.sizes_mw):
            found = self.qualified(envelope, size, threshold)
            sure[found == PASSED] = size
            may[found != FAILED] = size
        return sure, may

    def first_failure(self, bus: int, envelope: str, nameplate_mw: float) -> tuple[int, int] | None:
        """Return the first hour, and in it the first contingency, that certainly fails at a candidate, by place."""
        for hour in range(len(self.labels)):
            found = self._flags(hour, envelope, nameplate_mw)
            if found is not None:
                failed = np.flatnonzero(found[1][bus, self.case_of])
                if failed.size:
                    return hour, int(failed[0])
        return None

    def base_infeasible(self) -> list[tuple[int, int]]:
        """Return the (hour, contingency) pairs that no dispatch survives before any load is added, by place."""
        found: list[tuple[int, int]] = []
        for hour, known in enumerate(self.verdicts):
            if known is not None:
                found += [(hour, int(k)) for k in np.flatnonzero(known.base_fails[self.case_of])]
        return found

    def intact_fails(self) -> list[int]:
        """Return the hours in which no dispatch keeps every limit even without an outage and without a load."""
        return [hour for hour, known in enumerate(self.verdicts) if known is not None and known.base_fails[0]]

    @property
    def undecided(self) -> int:
        """Return how many (candidate, hour, load, case) are not decided, of the hours that were screened."""
        count = 0
        for known in self.verdicts:
            if known is not None:
                all_ = known.passed.shape[0] * known.passed.shape[1] * len(known.base_fails)
                count += all_ - int(np.bitwise_count(known.passed | known.failed).sum())
        return count

    def shares(self, bits: Bits) -> Vector:
        """Return the share (C,) of the contingencies whose case has its bit set, of packed cases (C, bytes).

        A case counts as many contingencies as it decides, the intact network none: bits are counted where they lie.
        """
        decides = np.bincount(self.case_of, minlength=8 * bits.shape[1])
        total = np.zeros(len(bits))
        for amount in np.unique(decides[decides > 0]).tolist():
            total += amount * np.bitwise_count(bits & np.packbits(decides == amount)).sum(axis=1, dtype=np.intp)
        return total / max(len(self.case_of), 1)

    def _flags(self, hour: int, envelope: str, nameplate_mw: float) -> tuple[Flags, Flags] | None:
        known = self.verdicts[hour]
        if known is None:
            return None
        level = known.level(self._load(self._envelope(envelope), nameplate_mw, hour))
        return known.flags(known.passed, level), known.flags(known.failed, level)

    def _load(self, envelope: Envelope, nameplate_mw: float, hour: int) -> float:
        at = slice(hour, hour + 1)
        given = None if self.onsite_mw is None else self.onsite_mw[at]
        return float(envelope.level_mw(nameplate_mw, self.hour_of_day[at], given)[0])

    def _envelope(self, name: str) -> Envelope:
        for envelope in self.envelopes:
            if envelope.name == name:
                return envelope
        raise QuestionError(f"no envelope {name!r} was screened")

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        arrays: dict[str, AnyArray] = {name: getattr(self, name) for name in _ARRAYS}
        if self.onsite_mw is not None:
            arrays["onsite_mw"] = self.onsite_mw
        told: list[dict[str, Any] | None] = []
        for hour, known in enumerate(self.verdicts):
            told.append(None if known is None else {"time_s": known.time_s, "counts": dict(known.counts)})
            if known is not None:
                arrays |= {f"{name}_{hour}": getattr(known, name) for name in _HOUR_ARRAYS}
        meta: dict[str, Any] = {name: getattr(self, name) for name in _META}
        envelopes = [asdict(envelope) for envelope in self.envelopes]
        return pack(arrays, {"format": FORMAT, **meta, "envelopes": envelopes, "verdicts": told})

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of gate verdicts of this version")
        verdicts = tuple(
            None if told is None else hour_of({name: arrays[f"{name}_{hour}"] for name in _HOUR_ARRAYS}, told)
            for hour, told in enumerate(meta["verdicts"])
        )
        envelopes = tuple(envelope_from_json(one) for one in meta["envelopes"])
        listed = {name: tuple(meta[name]) for name in ("labels", "sizes_mw", "ids", "islanding")}
        known: dict[str, Any] = {name: meta[name] for name in _META} | listed
        known |= {name: arrays[name] for name in _ARRAYS}
        return cls(**known, envelopes=envelopes, verdicts=verdicts, onsite_mw=arrays.get("onsite_mw"))


def hour_of(arrays: Mapping[str, AnyArray], told: Mapping[str, Any]) -> HourVerdicts:
    """Return an hour from its arrays and the other fields."""
    known: dict[str, Any] = {**arrays, **told}
    return HourVerdicts(**known)


_ARRAYS = ("hour_of_day", "hour_weight", "buses", "case_of")
_HOUR_ARRAYS = ("levels_mw", "passed", "failed", "base_fails")
_META = (
    "case_digest",
    "contingencies_digest",
    "labels",
    "sizes_mw",
    "threshold",
    "rating",
    "ids",
    "islanding",
    "solver",
)
