"""The largest extra load at one bus, or at every bus, in one state, when units redispatch freely: with both proofs.

The load goes up until no dispatch keeps every limit. What is given for each bus can be checked without the solver: a
dispatch that serves the load (it is possible), and multipliers that bound it (no more is), see
:class:`engine.redispatch.program.Proof`. One program serves all buses: only the column of the load changes.
"""

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from engine.capacity.archive import AnyArray, pack, unpack
from engine.capacity.results import Limit
from engine.compute import Progress
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector
from engine.redispatch.limits import FlowLimits, Sides
from engine.redispatch.program import Proof, Redispatched, RedispatchProgram
from engine.redispatch.states import State

FORMAT = "headroom-largest-loads-1"
OVERLOAD = 1e-6  # relative: what counts as no overload
_NO_GAIN = 1e-6  # MW per MW
End = Literal["limits", "generation", "impossible"]
_ENDS: tuple[End, ...] = ("limits", "generation", "impossible")


@dataclass(frozen=True, slots=True, eq=False)
class LargestLoads:
    """The answer for n buses in one state, and its proofs, whose m multipliers lie bus after bus."""

    network_digest: str
    state: State
    possible: bool  # some dispatch keeps every limit before any extra load
    buses: Integers  # (n,), positions
    most_mw: Vector  # (n,), nan where no extra load makes a dispatch possible
    bound_mw: Vector  # (n,), what the multipliers prove: not below ``most_mw`` but for rounding
    end: npt.NDArray[np.int8]  # (n,), position among "limits", "generation", "impossible"
    dispatch_mw: Matrix  # (n, G), at ``most_mw``; of least overload where impossible
    overload: Vector  # (n,), relative, of that dispatch at that load: 0 but where impossible
    first: Integers  # (n + 1,), where the multipliers of each bus begin
    sides: Sides  # (m,)
    multiplier: Vector  # (m,)
    energy: Vector  # (n,)
    outage_ids: tuple[str, ...]  # that the sides' outages refer to
    time_s: float

    def proof(self, place: int, limits: FlowLimits) -> Proof:
        """Return the proof of one bus, made again from its multipliers alone."""
        own = np.arange(self.first[place], self.first[place + 1])
        return proof_of(limits, self.sides.at(own), self.multiplier[own], float(self.energy[place]))

    def ends_by(self, place: int) -> End:
        """Return what stops the load at one bus."""
        return _ENDS[int(self.end[place])]

    def bindings(self, place: int, limits: FlowLimits) -> tuple[list[tuple[Limit, float]], list[tuple[int, float]]]:
        """Return what the multipliers of one bus count: limits and largest outputs, what brings most first.

        Each limit, and each unit (position) at its largest output, comes with the MW of extra load at this bus that
        one MW more of it brings. Both are empty where nothing is possible.
        """
        proof = self.proof(place, limits)
        slope = -float(proof.price[self.buses[place]])
        if self.ends_by(place) == "impossible" or slope <= 0.0:
            return [], []
        sides = np.argsort(-proof.multiplier, kind="stable")
        named = [
            (limits.limit(proof.sides.at(np.array([side]))), float(proof.multiplier[side]) / slope) for side in sides
        ]
        gain = np.maximum(-proof.price[limits.network.units.bus], 0.0) / slope
        gain[self.state.largest_mw <= self.state.least_mw] = 0.0  # it cannot move: it is not given more either
        units = np.flatnonzero(gain > _NO_GAIN)
        ordered = units[np.argsort(-gain[units], kind="stable")]
        return named, [(int(unit), float(gain[unit])) for unit in ordered]

    def stops(self, limits: FlowLimits) -> list[Limit | None]:
        """Return for each of the n buses the limit that weighs most in its multipliers; None where none is there."""
        weight = self.multiplier * limits.scale_mw(self.sides) if len(self.sides) else np.zeros(0)
        known: dict[tuple[int, int, int], Limit] = {}
        keys, found = self.sides.keys(), []
        for first, last in pairwise(self.first.tolist()):
            worst = first + int(weight[first:last].argmax()) if last > first else -1
            if worst >= 0 and keys[worst] not in known:
                known[keys[worst]] = limits.limit(self.sides.at(np.array([worst])))
            found.append(known[keys[worst]] if worst >= 0 else None)
        return found

    def words(self, place: int, limits: FlowLimits) -> str:
        """Return the answer for one bus in a sentence."""
        bus = limits.network.buses.ids[self.buses[place]]
        end = self.ends_by(place)
        if end == "impossible":
            return f"bus {bus}: no dispatch keeps every limit, whatever is added there"
        said = f"bus {bus}: up to {self.most_mw[place]:,.1f} MW more"
        if end == "generation":
            return f"{said}: then every unit that helps is at its largest output"
        proof = self.proof(place, limits)
        worst = int((proof.multiplier * proof.scale_mw).argmax())
        return f"{said}: beyond it redispatch cannot keep {limits.limit(proof.sides.at(np.array([worst]))).words}"

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        arrays: dict[str, AnyArray] = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {f"state_{name}": getattr(self.state, name) for name in _STATE}
        arrays |= {f"side_{name}": getattr(self.sides, name) for name in _SIDES}
        meta: dict[str, Any] = {name: getattr(self, name) for name in _META}
        return pack(arrays, {"format": FORMAT, **meta, "state": self.state.words, "outage_ids": list(self.outage_ids)})

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of largest loads of this version")
        known: dict[str, Any] = {name: arrays[name] for name in _ARRAYS} | {name: meta[name] for name in _META}
        return cls(
            **known,
            state=State(arrays["state_demand_mw"], arrays["state_least_mw"], arrays["state_largest_mw"], meta["state"]),
            sides=Sides(*(arrays[f"side_{name}"] for name in _SIDES)),
            outage_ids=tuple(meta["outage_ids"]),
        )


_ARRAYS = ("buses", "most_mw", "bound_mw", "end", "dispatch_mw", "overload", "first", "multiplier", "energy")
_META = ("network_digest", "possible", "time_s")
_STATE = ("demand_mw", "least_mw", "largest_mw")
_SIDES = ("row", "outage", "sign")


def largest_loads(
    network: Network,
    state: State,
    *,
    buses: Integers | None = None,
    limits: FlowLimits | None = None,
    progress: Progress | None = None,
) -> LargestLoads:
    """Return the largest extra load at each of ``buses`` (n,), or at every bus in service, alone, in ``state``.

    ``limits`` may hold after outages too; left out, they are those of the network without outages. Where limits
    are exceeded before any addition, a load may still make them keepable: ``possible`` tells the two apart.
    Raises QuestionError when the units cannot balance the load of the state itself, and SolverError when the
    solver stops without an answer.
    """
    start = time.perf_counter()
    held = limits or FlowLimits.of(Factors.of(network))
    chosen = np.flatnonzero(network.buses.in_service) if buses is None else np.asarray(buses, dtype=np.intp)
    _check(network, state, chosen)
    program = RedispatchProgram(held)
    program.set(state)
    before = program.least_overload(0.0, least=0.0)
    if before is None:
        raise QuestionError("units cannot balance the load of this state")
    possible = before.overload <= OVERLOAD
    found: list[tuple[End, Redispatched]] = []
    direction = np.zeros(len(network.buses.ids))
    for done, bus in enumerate(chosen.tolist()):
        if progress is not None:
            progress(done, len(chosen))
        direction[bus] = 1.0
        found.append(_largest(program, state, direction, possible=possible))
        direction[bus] = 0.0
    if progress is not None:
        progress(len(chosen), len(chosen))
    return _record(held, state, chosen, found, possible=possible, time_s=time.perf_counter() - start)


def _largest(
    program: RedispatchProgram, state: State, direction: Vector, *, possible: bool
) -> tuple[End, Redispatched]:
    program.set(state, direction)
    if not possible:
        least = program.least_overload_anywhere()
        if least is None:
            raise QuestionError("units cannot balance the load of this state")
        if least.overload > OVERLOAD:
            return "impossible", least
    most = program.most_step()
    if most is None:  # at the edge: no overload by the tolerance, yet no point without it
        most = program.least_overload_anywhere()
        if most is None or most.overload > 10 * OVERLOAD:
            raise QuestionError("no dispatch keeps every limit of this state")
    return ("limits" if len(most.proof.sides) else "generation"), most


def _record(
    limits: FlowLimits,
    state: State,
    chosen: Integers,
    found: list[tuple[End, Redispatched]],
    **known: Any,
) -> LargestLoads:
    network = limits.network
    directions = np.eye(len(network.buses.ids))
    proofs = [answer.proof for _, answer in found]
    end = np.array([_ENDS.index(how) for how, _ in found], dtype=np.int8)
    bound = [
        proof.most_step(state, network.units.bus, directions[bus]) for proof, bus in zip(proofs, chosen, strict=True)
    ]
    impossible = end == _ENDS.index("impossible")
    return LargestLoads(
        network_digest=network.digest,
        state=state,
        buses=chosen,
        most_mw=np.where(impossible, np.nan, [answer.step for _, answer in found]),
        bound_mw=np.where(impossible, np.nan, bound),
        end=end,
        dispatch_mw=np.array([answer.dispatch_mw for _, answer in found]).reshape(len(chosen), -1),
        overload=np.array([answer.overload for _, answer in found]),
        first=np.cumsum([0, *(len(proof.sides) for proof in proofs)]).astype(np.intp),
        sides=Sides.together([proof.sides for proof in proofs]),
        multiplier=np.concatenate([np.zeros(0), *(proof.multiplier for proof in proofs)]),
        energy=np.array([proof.energy for proof in proofs]),
        outage_ids=() if limits.outages is None else limits.outages.ids,
        **known,
    )


def proof_of(limits: FlowLimits, sides: Sides, multiplier: Vector, energy: float) -> Proof:
    """Return the proof that multipliers make, its prices from one solve with the network's own equations."""
    weight = limits.weights_of(sides).T @ multiplier
    return Proof(
        sides=sides,
        multiplier=multiplier,
        energy=energy,
        price=limits.factors.weighted(weight) + energy * limits.network.buses.in_service,
        room_mw=limits.room_mw(sides),
        scale_mw=limits.scale_mw(sides),
    )


def _check(network: Network, state: State, buses: Integers) -> None:
    off = buses[~network.buses.in_service[buses]]
    if off.size:
        raise QuestionError(f"bus {network.buses.ids[off[0]]!r} is out of service")
    sizes = (len(state.demand_mw), len(state.least_mw), len(state.largest_mw))
    if sizes != (len(network.buses.ids), len(network.units.ids), len(network.units.ids)):
        raise QuestionError(f"this state is of another network than {network.name!r}")
    if (state.least_mw > state.largest_mw).any():
        unit = network.units.ids[int((state.least_mw > state.largest_mw).argmax())]
        raise QuestionError(f"unit {unit!r} has a least output above its largest one")
