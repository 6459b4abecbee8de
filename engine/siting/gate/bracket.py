"""Bounds on the pass rates of many hours, what they decide, and the verdicts that they stand on."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Integers, Matrix, Vector
from engine.siting.gate.bounds import FAILED, PASSED, UNKNOWN

FORMAT = "headroom-gate-bracket-2"
SURE = 1e-12  # of a rate, for rounding


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
    time_s: float  # of all groups added up, whoever computed them
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
        found: Integers = decisions(self.lower, self.upper, self.threshold)
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
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.pop("format", "") != FORMAT:
            raise UncertaintyDataError("not a file of gate bounds of this version")
        known: dict[str, Any] = dict(meta) | {name: np.array(arrays[name]) for name in _ARRAYS}
        known |= {name: tuple(meta[name]) for name in ("envelopes", "sizes_mw")}
        return cls(**known | {"claims": tuple(Claim(**one) for one in meta["claims"])})


_ARRAYS = ("buses", "lower", "upper")


def decisions(lower: Matrix, upper: Matrix, threshold: float) -> Integers:
    """Return 1 where a rate certainly reaches the threshold, 0 where it cannot, -1 where that is open; any shape."""
    wanted = threshold - SURE
    found = np.where(lower >= wanted, PASSED, np.where(upper < wanted, FAILED, UNKNOWN))
    return found.astype(np.intp)
