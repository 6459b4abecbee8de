"""What units can still do in each scenario once loads are granted: losses from both sides, and cuts that bound them.

The loss of a scenario is its least overload over all dispatches, less what was exceeded before anything was added.
Every limit counts, of branches, interfaces and buses and the largest output of every unit: the overload is the least
share by which all of them would have to be stretched; a negative one is the share by which all could be tightened. A
linear program gives it exactly, with a dispatch and a :class:`~engine.redispatch.program.Proof`. Two cheap bounds
spare most programs: a dispatch found before, moved along with the load, bounds the loss from above; a proof found in
one scenario bounds the loss of every scenario from below, since its prices stay and only what they value changes.
So each proof is a cut for all scenarios at once: loss >= (level + slope . granted) / weight, with one slope, and a
level and a weight for each scenario.
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.network.model import Flags, Integers, Matrix, Vector
from engine.redispatch.limits import FlowLimits, Sides
from engine.redispatch.program import LEAST_OVERLOAD, Proof, RedispatchProgram, must_balance
from engine.redispatch.states import Scenarios, State, outputs_by_bus

OVERLOAD = 1e-6  # relative: an overload up to it counts as none, as a limit is kept to a millionth of itself
_UNSURE = 3e-6  # up to which a solver may see an overload that its own multipliers do not prove
_BLOCK = 256  # scenarios whose flows are held at a time
_LEAST_OUTPUT_MW = 1e-6  # a unit with a smaller largest output cannot be stretched
_NO_PRICE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A proof as a bound on the losses of all scenarios."""

    proof: Proof
    scenario: int  # in which it was found
    slope: Vector  # (K,), the largest is 1 in size: MW of the cut per MW granted at each candidate
    level: Vector  # (S,), MW with nothing granted, held overloads not yet taken off
    weight: Vector  # (S,), MW of the cut per unit of overload
    size: float  # the largest price at a candidate: what slope, level and weight are divided by


class Recourse:
    """The scenarios of a question, the dispatches found in them, and the cuts."""

    def __init__(self, scenarios: Scenarios, limits: FlowLimits, sites: Integers) -> None:
        self.scenarios = scenarios
        self.limits = limits
        self.sites = sites
        self.program = RedispatchProgram(limits, stretch_units=True)
        self._hard = RedispatchProgram(limits)
        self.held = np.zeros(len(scenarios))  # overload with nothing granted, 0 where there is none
        self.at_zero: dict[int, Proof] = {}  # of the scenarios that are exceeded with nothing granted
        self.cuts: list[Cut] = []
        units, count = scenarios.units, len(scenarios)
        self._least = np.broadcast_to(units.least_mw, (count, units.least_mw.shape[1])).astype(np.float64)
        self._largest = np.broadcast_to(units.largest_mw, (count, units.largest_mw.shape[1])).astype(np.float64)
        generation = np.broadcast_to(units.generation_mw, self._least.shape).astype(np.float64)
        self.dispatch_mw = np.clip(generation, self._least, self._largest)  # (S, G), the last that was found
        self._slopes = np.zeros((0, len(sites)))
        self._levels = np.zeros((0, count))
        self._weights = np.zeros((0, count))
        self._losses, self._shares = self._levels, self._weights  # levels by weights, and one by weights
        self._given_known: tuple[tuple[int, bytes], Matrix] = ((0, b""), self._levels)

    def hold_what_is(self) -> Integers:
        """Find the scenarios that are exceeded with nothing granted, hold them there, and return them."""
        none = np.zeros(len(self.sites))
        over = self.above(none) > OVERLOAD
        for scenario in np.flatnonzero(over).tolist():
            self.held[scenario] = max(0.0, self.solve(none, scenario, LEAST_OVERLOAD))
        self.held[self.held <= OVERLOAD] = 0.0
        return np.flatnonzero(self.held)

    def solve(self, granted_mw: Vector, scenario: int, least: float) -> float:
        """Return the loss of one scenario, not below ``least`` less what is held; keep its dispatch and its cut."""
        state = self._loaded(granted_mw, scenario)
        self.program.set(state)
        found = must_balance(self.program.least_overload(0.0, least=least), f"scenario {state.words}")
        self.dispatch_mw[scenario] = found.dispatch_mw
        self._keep(found.proof, scenario)
        if not granted_mw.any() and found.overload > OVERLOAD:
            self.at_zero[scenario] = found.proof
        return found.overload - float(self.held[scenario])

    def exceeds(self, granted_mw: Vector, scenario: int) -> bool:
        """Return whether a scenario's loss is above zero; if so there is a cut, else a dispatch.

        Where nothing was exceeded before, hard units serve as well, and they are the smaller program.
        """
        held = float(self.held[scenario])
        if held > 0.0:
            return self.solve(granted_mw, scenario, held) > OVERLOAD
        state = self._loaded(granted_mw, scenario)
        short = float(state.demand_mw.sum() - state.largest_mw.sum())
        if short > OVERLOAD * float(state.largest_mw.sum()):
            self._keep(_of_balance(self.limits), scenario)
            return True
        if short > 0.0:  # within the tolerance, which a program without stretched units does not have
            return self.solve(granted_mw, scenario, 0.0) > OVERLOAD
        self._hard.set(state)
        found = must_balance(self._hard.least_overload(0.0, least=0.0), f"scenario {state.words}")
        proven = found.proof.floor(state, self.limits.network.units.bus) / max(found.proof.weight, _NO_PRICE)
        if found.overload <= OVERLOAD or (proven <= OVERLOAD and found.overload <= _UNSURE):
            self.dispatch_mw[scenario] = found.dispatch_mw
            return False
        self._keep(found.proof, scenario)
        return True

    def _loaded(self, granted_mw: Vector, scenario: int) -> State:
        state = self.scenarios.state(scenario)
        demand = state.demand_mw.copy()
        demand[self.sites] += granted_mw
        return replace(state, demand_mw=demand)

    def below(self, granted_mw: Vector, *, closed_above: Vector | None = None) -> tuple[Vector, Integers]:
        """Return what the losses (S,) are at least, and the cut that says so: -1 for none.

        With ``closed_above`` (K,), what relieves a cut counts for nothing, as if it were the worst part of
        ``granted_mw`` (K,); but what a cut says of that grant itself, which is given already, is taken off.
        """
        loss = np.full(len(self.scenarios), LEAST_OVERLOAD)
        cut = np.full(len(loss), -1, dtype=np.intp)
        if len(self.cuts):
            slopes = self._slopes if closed_above is None else np.maximum(self._slopes, 0.0)
            values = self._losses + (slopes @ granted_mw)[:, np.newaxis] * self._shares
            if closed_above is not None:
                values -= self._given(closed_above)
            best = values.argmax(axis=0)
            value = values[best, np.arange(len(best))]
            cut = np.where(value > LEAST_OVERLOAD, best, -1)
            loss = np.maximum(loss, value)
        return loss - self.held, cut

    def row(self, cut: Integers, scenario: Integers, closed_above: Vector | None) -> tuple[Vector, Vector]:
        """Return the losses (n,) with nothing granted, and per MW of a cut (n,), of cuts (n,) in scenarios (n,)."""
        loss = self._losses[cut, scenario] - self.held[scenario]
        if closed_above is not None:
            loss = loss - self._given(closed_above)[cut, scenario]
        return loss, self._shares[cut, scenario]

    def _given(self, granted_mw: Vector) -> Matrix:
        """Return what cuts say beyond zero (n, S) of a grant whose relief counts for nothing."""
        key = (len(self.cuts), granted_mw.tobytes())
        if self._given_known[0] != key:
            added = (np.maximum(self._slopes, 0.0) @ granted_mw)[:, np.newaxis]
            self._given_known = (key, np.maximum(self._losses - self.held + added * self._shares, 0.0))
        return self._given_known[1]

    def above(self, granted_mw: Vector, chosen: Flags | None = None) -> Vector:
        """Return what the losses (S,) are at most: those of the last dispatches, moved along with the load.

        inf for scenarios that are not ``chosen``.
        """
        loss = np.full(len(self.scenarios), np.inf)
        wanted = np.arange(len(loss)) if chosen is None else np.flatnonzero(chosen)
        for start in range(0, len(wanted), _BLOCK):
            block = wanted[start : start + _BLOCK]
            loss[block] = self._stretched(self.moved(granted_mw, block), granted_mw, block)
        return loss - self.held

    def moved(self, granted_mw: Vector, block: Integers) -> Matrix:
        """Return dispatches (s, G) that balance the load of some scenarios.

        Units go up or down in proportion to their room; beyond it, up in proportion to their largest outputs.
        """
        dispatch, demand = self.dispatch_mw[block], self.scenarios.demand_mw[block]
        missing = demand.sum(axis=1) + granted_mw.sum() - dispatch.sum(axis=1)
        largest, least = self._largest[block], self._least[block]
        up = np.where(dispatch < largest, largest - dispatch, 0.0)
        room = np.where(missing[:, np.newaxis] > 0.0, up, dispatch - least)
        total = room.sum(axis=1)
        share = np.clip(np.divide(missing, total, out=np.zeros(len(missing)), where=total > 0.0), -1.0, 1.0)
        made = dispatch + share[:, np.newaxis] * room
        left = np.maximum(missing - total, 0.0) / np.maximum(np.abs(largest).sum(axis=1), 1e-9)
        found: Matrix = made + left[:, np.newaxis] * np.abs(largest)
        return found

    @property
    def levels(self) -> Matrix:
        """Return the MW (n, S) of all cuts with nothing granted, held overloads taken off."""
        taken: Matrix = self._levels - self.held * self._weights
        return taken

    @property
    def slopes(self) -> Matrix:
        """Return the slopes of all cuts (n, K)."""
        return self._slopes

    def losses_of(self, dispatch_mw: Matrix, granted_mw: Vector) -> Vector:
        """Return the losses (S,) of given dispatches (S, G) with ``granted_mw`` (K,) drawn."""
        loss = np.empty(len(self.scenarios))
        for start in range(0, len(loss), _BLOCK):
            block = np.arange(start, min(start + _BLOCK, len(loss)))
            loss[block] = self._stretched(dispatch_mw[block], granted_mw, block)
        return loss - self.held

    def _stretched(self, dispatch_mw: Matrix, granted_mw: Vector, block: Integers) -> Vector:
        network = self.limits.network
        injection = outputs_by_bus(dispatch_mw, network.units.bus, len(network.buses.ids))
        injection -= self.scenarios.demand_mw[block]
        injection[:, self.sites] -= granted_mw
        flow = self.limits.factors.flows(injection.T)
        worst = np.maximum(self.limits.largest_overload(flow), _of_units(dispatch_mw, self._largest[block]))
        if self.limits.outages is None:
            return np.asarray(worst, dtype=np.float64)
        every = [self.limits.overload_after(flow[:, place], float(worst[place])) for place in range(len(block))]
        return np.array(every, dtype=np.float64)

    def _keep(self, proof: Proof, scenario: int) -> None:
        at_units = proof.price[self.limits.network.units.bus]
        down = np.minimum(at_units, 0.0)
        weight = proof.weight - np.abs(self._largest) @ down
        slope, size = -proof.price[self.sites], float(np.abs(proof.price[self.sites]).max(initial=0.0))
        if size <= _NO_PRICE or weight.min() <= 0.0:
            return  # what is granted at the candidates does not matter to it
        level = self._least @ np.maximum(at_units, 0.0) + self._largest @ down
        level -= self.scenarios.demand_mw @ proof.price + proof.fixed
        self.cuts.append(Cut(proof, scenario, slope / size, level / size, weight / size, size))
        self._slopes = np.vstack([self._slopes, self.cuts[-1].slope])
        self._levels = np.vstack([self._levels, self.cuts[-1].level])
        self._weights = np.vstack([self._weights, self.cuts[-1].weight])
        self._losses = np.vstack([self._losses, self.cuts[-1].level / self.cuts[-1].weight])
        self._shares = np.vstack([self._shares, 1.0 / self.cuts[-1].weight])


def _of_units(dispatch_mw: Matrix, largest_mw: Matrix) -> Vector:
    """Return the largest relative overloads (s,) of the units; one that cannot produce has none unless it does."""
    size = np.abs(largest_mw)
    beyond = dispatch_mw - largest_mw
    none = np.where(beyond > _LEAST_OUTPUT_MW, np.inf, LEAST_OVERLOAD)
    over = np.where(size > _LEAST_OUTPUT_MW, beyond / np.maximum(size, _LEAST_OUTPUT_MW), none)
    return np.asarray(over.max(axis=1, initial=LEAST_OVERLOAD), dtype=np.float64)


def _of_balance(limits: FlowLimits) -> Proof:
    """Return the proof that units at their largest outputs cannot serve more than these add up to."""
    price = np.where(limits.network.buses.in_service, -1.0, 0.0)
    return Proof(Sides.none(), np.zeros(0), -1.0, price, np.zeros(0), np.zeros(0))


def tail(losses: Vector, weight: Vector, epsilon: float) -> Vector:
    """Return the weights (S,), summing to one, of the worst ``epsilon`` share: their mean loss is the CVaR."""
    order = np.argsort(-losses, kind="stable")
    before = np.cumsum(weight[order]) - weight[order]
    part = np.zeros(len(losses))
    part[order] = np.clip(epsilon - before, 0.0, weight[order])
    if epsilon <= weight[order[0]]:  # at or under the resolution of the sample: the worst scenario
        part[:] = 0.0
        part[order[0]] = 1.0
    share: Vector = part / part.sum()
    return share
