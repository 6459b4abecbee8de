"""Limits that no dispatch keeps before anything is added: each is held at what it reaches at best, the others not.

Units come first: what does not exist cannot be dispatched. Only where load is above all largest outputs together are
these raised, in proportion, until they add up to it. Then the least overload of the network is found, no unit giving
way. The limits that its proof counts are at that overload in every dispatch of least overload (complementary
slackness), so they are raised to it and allow no more; then the least overload of the others is found, and so on until
the others can be kept. That is the lexicographic least of all overloads, so what each limit is raised to does not
depend on the order, nor on the solver.

A limit can be exceeded after thousands of outages, each time by another amount. Those of the largest overloads are
found in this way. From then on the least overload of a limit after any outage is sought, and after each outage it is
held at what the dispatch that is found last makes of it.

Source: Ogryczak, Pióro and Tomaszewski, "Telecommunications network design and max-min optimization problem", Journal
of Telecommunications and Information Technology 3, 2005 (the procedure with duals).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import SolverError
from engine.network.model import Vector
from engine.redispatch.limits import ANY_OUTAGE, NO_OUTAGE, FlowLimits, Raised, Sides
from engine.redispatch.program import (
    LEAST_OVERLOAD,
    Proof,
    Redispatched,
    RedispatchProgram,
    must_balance,
    proof_of_load,
)
from engine.redispatch.states import State

_COUNTS = 1e-6  # share of the overload's weight from which a multiplier is not rounding
_LEEWAY = 1e-7  # of a limit, so that limits that are raised can be reached together in spite of rounding
_ONE_BY_ONE = 20  # limits after outages
_ROUNDING = 1e-9  # of largest outputs, so that units that add up to the load can serve it


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What is held in one state, and why."""

    raised: Raised | None  # None: some dispatch keeps every limit
    dispatch_mw: Vector  # (G,), that keeps all limits, the raised ones at what they are raised to
    proofs: Sequence[Proof]  # that no limit is raised too far; without any raise, the proof of the least overload


def what_is_held(program: RedispatchProgram, state: State, tolerance: float) -> Held:
    """Return what must be raised in ``state`` until the least overload is at most ``tolerance``.

    ``program`` is one whose units stretch. Raises SolverError when a solve ends without an answer.
    """
    words = f"scenario {state.words}"
    program.set(state)
    found = must_balance(program.least_overload(0.0, least=LEAST_OVERLOAD), words)
    if found.overload <= tolerance:
        return Held(None, found.dispatch_mw, [found.proof])
    size, short = np.abs(state.largest_mw), float(state.demand_mw.sum() - state.largest_mw.sum())
    proofs = [proof_of_load(program.limits.network)] if short > 0.0 else []
    units = size * (short / size.sum() + _ROUNDING) if short > 0.0 else np.zeros(len(size))
    raised = Raised(Sides.none(), np.zeros(0), units, fixed=True)
    while True:
        program.set(replace(state, raised=raised))
        found = must_balance(program.least_overload(0.0, least=0.0), words)
        if found.overload <= tolerance:
            return Held(_after_each(program.limits, raised, found.flow_mw), found.dispatch_mw, proofs)
        proofs.append(found.proof)
        raised = _raise(raised, found, words)


def _raise(raised: Raised, found: Redispatched, words: str) -> Raised:
    """Return ``raised`` and beside it the limits that the proof of a least overload counts, raised to it."""
    proof = found.proof
    counted = np.where(raised.of(proof.sides) > 0.0, 0.0, proof.multiplier * proof.scale_mw)
    new = counted > _COUNTS * counted.sum()
    if not new.any():
        raise SolverError(f"no limit is to blame for what is exceeded in {words}")
    sides, mw = proof.sides.at(new), (found.overload + _LEEWAY) * proof.scale_mw[new]
    if (raised.sides.outage != NO_OUTAGE).sum() >= _ONE_BY_ONE:
        any_outage = np.where(sides.outage == NO_OUTAGE, NO_OUTAGE, ANY_OUTAGE)
        sides = Sides(sides.row, any_outage, sides.sign)
        _, first = np.unique(np.column_stack([sides.row, any_outage, sides.sign]), axis=0, return_index=True)
        sides, mw = sides.at(first), mw[first]
    return replace(raised, sides=Sides.together([raised.sides, sides]), sides_mw=np.concatenate([raised.sides_mw, mw]))


def _after_each(limits: FlowLimits, raised: Raised, flow_mw: Vector) -> Raised:
    """Return ``raised`` with limits after any outage held, after each that breaks them, at what the flows (L,) make."""
    named = raised.sides.outage != ANY_OUTAGE
    found = replace(raised, sides=raised.sides.at(named), sides_mw=raised.sides_mw[named], fixed=False)
    if named.all():
        return found
    sides, over = limits.beyond_after(flow_mw)
    new = (found.of(sides) == 0.0) & (raised.of(sides) > 0.0)
    return replace(
        found,
        sides=Sides.together([found.sides, sides.at(new)]),
        sides_mw=np.concatenate([found.sides_mw, over[new] + _LEEWAY * limits.scale_mw(sides.at(new))]),
    )
