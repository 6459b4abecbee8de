"""What is asked of the gate: which loads at which buses, and how many outages may fail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.capacity.question import OutageRating
from engine.errors import QuestionError
from engine.network.model import Integers, Network, Vector
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.envelopes import Envelope

THRESHOLD = 0.95  # of the outages and hours, as the source has it
CANDIDATE_KV = (24.0, 500.0)  # nominal voltages of candidates, as the source's text has it
PAPER_KV = (115.0, 161.0, 230.0)  # ... and as its published programs have it


@dataclass(frozen=True, slots=True, eq=False)
class GateQuestion:
    """C candidates, envelopes and nameplates, and the share of (hour, outage) that must pass."""

    buses: Integers  # (C,), positions
    envelopes: tuple[Envelope, ...]
    sizes_mw: tuple[float, ...]
    threshold: float = THRESHOLD
    rating: OutageRating = "a"  # of branches after the loss of another
    hour_weight: tuple[float, ...] = ()  # of the case's hours; none: all count the same

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if not len(self.buses) or not self.envelopes or not self.sizes_mw:
            raise QuestionError("the gate needs a candidate bus, an envelope and a nameplate")
        if not all(0.0 < size < np.inf for size in self.sizes_mw):
            raise QuestionError(f"nameplates must be above 0 MW, found {min(self.sizes_mw)}")
        if not 0.0 < self.threshold <= 1.0:
            raise QuestionError(f"the threshold must be above 0 and at most 1, found {self.threshold}")
        if len({envelope.name for envelope in self.envelopes}) < len(self.envelopes):
            raise QuestionError("two envelopes have the same name")

    def weights(self, case: SitingCase, contingencies: Contingencies) -> Vector:
        """Return what the hours (T,) of a case count, which sums to one.

        Raises QuestionError where the weights are not of these hours, or the contingencies are of another network.
        """
        if case.network.digest != contingencies.network.digest:
            raise QuestionError("the contingencies are of another network than the hours")
        weight = np.array(self.hour_weight or np.ones(len(case)), dtype=np.float64)
        if weight.shape != (len(case),) or not (weight >= 0.0).all() or weight.sum() <= 0.0:
            raise QuestionError(f"{len(case)} hours need as many weights, not negative and not all zero")
        found: Vector = weight / weight.sum()
        return found

    def levels(self, hour: SitingCase) -> Vector:
        """Return the distinct loads (V,) of a case of one hour, MW, rising."""
        pairs = [
            envelope.level_mw(size, hour.hour_of_day, hour.onsite_mw)[0]
            for envelope in self.envelopes
            for size in self.sizes_mw
        ]
        return np.unique(np.round(pairs, 9))


def candidates(network: Network, kv: Sequence[float] | None = None) -> Integers:
    """Return the buses in service of the source's voltages, 24 to 500 kV, or exactly those of ``kv``."""
    known = network.buses.base_kv
    fits = (known >= CANDIDATE_KV[0]) & (known <= CANDIDATE_KV[1]) if kv is None else np.isin(known, kv)
    return np.flatnonzero(network.buses.in_service & fits)
