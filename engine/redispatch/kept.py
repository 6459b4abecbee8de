"""The proofs of a joint allocation, kept: dispatches, what limits are raised to, and the multipliers of every cut."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.capacity.question import CapacityQuestion
from engine.capacity.uncertainty import Singles
from engine.errors import UncertaintyDataError
from engine.network.model import Integers, Matrix, Vector
from engine.redispatch.limits import FlowLimits, Raised, Sides
from engine.redispatch.program import Proof
from engine.redispatch.recourse import Recourse

FORMAT = "headroom-joint-proofs-2"
_ARRAYS = ("granted_mw", "overload", "dispatch_mw", "first", "multiplier", "energy", "scenario", "raised_scenario",
           "raised_sides_mw", "raised_unit_scenario", "raised_unit", "raised_units_mw")  # fmt: skip
_SIDES = ("row", "outage", "sign")


@dataclass(frozen=True, slots=True, eq=False)
class JointProofs:
    """E levels, S scenarios, n cuts with m multipliers that lie cut after cut."""

    network_digest: str
    question: CapacityQuestion
    granted_mw: Matrix  # (E, K)
    overload: Matrix  # (E, S), relative, of the dispatches against limits and what they are raised to
    dispatch_mw: Singles  # (E, S, G)
    first: Integers  # (n + 1,)
    sides: Sides  # (m,)
    multiplier: Vector  # (m,)
    energy: Vector  # (n,)
    scenario: Integers  # (n,), in which the cut was found
    raised_scenario: Integers  # (h,), in which a side is raised
    raised_sides: Sides  # (h,)
    raised_sides_mw: Vector  # (h,), above the limit
    raised_unit_scenario: Integers  # (u,), in which a largest output is raised
    raised_unit: Integers  # (u,), positions
    raised_units_mw: Vector  # (u,), above the largest output
    outage_ids: tuple[str, ...]

    @classmethod
    def of(cls, recourse: Recourse, question: CapacityQuestion, levels: list[tuple[Vector, Matrix]]) -> Self:
        """Return what ``recourse`` holds, with each level's grant (K,) and the dispatches (S, G) that serve it."""
        proofs = [cut.proof for cut in recourse.cuts]
        outages, raised = recourse.limits.outages, recourse.raised
        units = [np.flatnonzero(own.units_mw) for own in raised.values()]
        return cls(
            network_digest=recourse.limits.network.digest,
            question=question,
            granted_mw=np.array([mw for mw, _ in levels]),
            overload=np.array([recourse.losses_of(dispatch, mw) for mw, dispatch in levels]),
            dispatch_mw=np.array([dispatch.astype(np.float32) for _, dispatch in levels]),
            first=np.cumsum([0, *(len(proof.sides) for proof in proofs)]).astype(np.intp),
            sides=Sides.together([proof.sides for proof in proofs]),
            multiplier=np.concatenate([np.zeros(0), *(proof.multiplier for proof in proofs)]),
            energy=np.array([proof.energy for proof in proofs]),
            scenario=np.array([cut.scenario for cut in recourse.cuts], dtype=np.intp),
            raised_scenario=_repeated(raised, [len(own.sides) for own in raised.values()]),
            raised_sides=Sides.together([own.sides for own in raised.values()]),
            raised_sides_mw=np.concatenate([np.zeros(0), *(own.sides_mw for own in raised.values())]),
            raised_unit_scenario=_repeated(raised, [len(own) for own in units]),
            raised_unit=np.concatenate([np.zeros(0, dtype=np.intp), *units]),
            raised_units_mw=np.concatenate(
                [np.zeros(0), *(own.units_mw[at] for own, at in zip(raised.values(), units, strict=True))]
            ),
            outage_ids=() if outages is None else outages.ids,
        )

    def raised(self) -> dict[int, Raised]:
        """Return what is held in the scenarios in which no dispatch keeps every limit before any addition."""
        found = {}
        for scenario in np.union1d(self.raised_scenario, self.raised_unit_scenario).tolist():
            own, of_units = self.raised_scenario == scenario, self.raised_unit_scenario == scenario
            units = np.zeros(self.dispatch_mw.shape[2])
            units[self.raised_unit[of_units]] = self.raised_units_mw[of_units]
            found[scenario] = Raised(self.raised_sides.at(own), self.raised_sides_mw[own], units)
        return found

    def proofs(self, limits: FlowLimits) -> list[Proof]:
        """Return the proofs of all cuts. ``limits`` are those of the same network and outages."""
        used, place = np.unique(np.column_stack([self.sides.row, self.sides.outage, self.sides.sign]), axis=0,
                                return_inverse=True)  # fmt: skip
        sides = Sides(used[:, 0].astype(np.intp), used[:, 1].astype(np.intp), used[:, 2])
        vectors, room, scale = limits.vectors(sides), limits.room_mw(sides), limits.scale_mw(sides)
        on = limits.network.buses.in_service
        found = []
        for cut, (start, stop) in enumerate(pairwise(self.first.tolist())):
            own, multiplier, energy = place[start:stop], self.multiplier[start:stop], float(self.energy[cut])
            price = multiplier @ vectors[own] + energy * on
            found.append(Proof(sides.at(own), multiplier, energy, price, room[own], scale[own]))
        return found

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        arrays: dict[str, AnyArray] = {name: getattr(self, name) for name in _ARRAYS}
        for kind in ("sides", "raised_sides"):
            arrays |= {f"{kind}_{name}": getattr(getattr(self, kind), name) for name in _SIDES}
        known = {"network_digest": self.network_digest, "question": self.question.to_json()}
        return pack(arrays, {"format": FORMAT, **known, "outage_ids": list(self.outage_ids)})

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of joint proofs of this version")
        known: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return cls(
            **known,
            network_digest=meta["network_digest"],
            question=CapacityQuestion.from_json(meta["question"]),
            sides=Sides(*(arrays[f"sides_{name}"] for name in _SIDES)),
            raised_sides=Sides(*(arrays[f"raised_sides_{name}"] for name in _SIDES)),
            outage_ids=tuple(meta["outage_ids"]),
        )


def _repeated(scenarios: Iterable[int], times: Sequence[int]) -> Integers:
    return np.repeat(np.array(list(scenarios), dtype=np.intp), np.array(times, dtype=np.intp))
