"""What units can still do in each scenario once loads are granted: losses from both sides, and cuts that bound them.

The loss of a scenario is its least overload over all dispatches. Every limit counts, of branches, interfaces and buses
and the largest output of every unit: the overload is the least share by which all of them would have to be stretched;
a negative one is the share by which all could be tightened. Limits that no dispatch keeps before anything is added
count from what each of them reaches at best in that scenario (:mod:`engine.redispatch.held`). A linear program gives
the loss exactly, with a dispatch and a :class:`~engine.redispatch.program.Proof`. Two cheap bounds spare most
programs: a dispatch found before, moved along with the load, bounds the loss from above; a proof found in one scenario
bounds the loss of every scenario from below, since its prices stay and only what they value changes.
So each proof is a cut for all scenarios at once: loss >= (level + slope . granted) / weight, with one slope, and a
level and a weight for each scenario.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from engine.network.model import Flags, Integers, Matrix, Vector
from engine.redispatch.held import what_is_held
from engine.redispatch.limits import FlowLimits, Raised
from engine.redispatch.program import LEAST_OVERLOAD, Proof, RedispatchProgram, must_balance, proof_of_load
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
    scenario: int  # in which it was found, -1 for one of other scenarios
    slope: Vector  # (K,), the largest is 1 in size, or all are 0: MW of the cut per MW granted at each candidate
    size: float  # the largest price at a candidate, 1 without any: what its slope, levels and weights are divided by


class Recourse:
    """The scenarios of a question, the dispatches found in them, and the cuts."""

    def __init__(self, scenarios: Scenarios, limits: FlowLimits, sites: Integers) -> None:
        self.scenarios = scenarios
        self.limits = limits
        self.sites = sites
        self.program = RedispatchProgram(limits, stretch_units=True)
        self._hard = RedispatchProgram(limits)
        self.raised: dict[int, Raised] = {}  # of the scenarios that are exceeded with nothing granted
        self._raised_sides: dict[tuple[int, int, int], tuple[list[int], list[float]]] = {}  # scenarios and MW
        self.cuts: list[Cut] = []
        self.last_proof: Proof | None = None  # of the last :meth:`solve`
        units, count = scenarios.units, len(scenarios)
        self._least = np.broadcast_to(units.least_mw, (count, units.least_mw.shape[1])).astype(np.float64)
        self._largest = np.broadcast_to(units.largest_mw, (count, units.largest_mw.shape[1])).astype(np.float64)
        self._size = np.abs(self._largest)  # (S, G), what overloads of units are shares of
        generation = np.broadcast_to(units.generation_mw, self._least.shape).astype(np.float64)
        self.dispatch_mw = np.clip(generation, self._least, self._largest)  # (S, G), the last that was found
        self._slope = _Growing(len(sites))
        self._level, self._weight = _Growing(count), _Growing(count)
        self._loss, self._share = _Growing(count), _Growing(count)  # levels by weights, and one by weights
        self._given_known: tuple[tuple[int, bytes], Matrix] = ((0, b""), self.weights)

    def take(self, proofs: Sequence[Proof]) -> None:
        """Make cuts of proofs that were found in other scenarios of the same limits and candidates: they hold here."""
        for proof in proofs:
            self._keep(proof, -1)

    def part(self, cuts: Integers) -> "Recourse":
        """Return the same scenarios and dispatches with some of the cuts."""
        found = copy(self)
        found.cuts = [self.cuts[cut] for cut in cuts.tolist()]
        found._slope, found._level, found._weight = (
            table.part(cuts) for table in (self._slope, self._level, self._weight)
        )
        found._loss, found._share = self._loss.part(cuts), self._share.part(cuts)
        found._given_known = ((0, b""), found.weights)
        return found

    def hold_what_is(self) -> Integers:
        """Find the scenarios in which limits are exceeded with nothing granted, hold these, and return them (h,)."""
        over = self.above(np.zeros(len(self.sites))) > OVERLOAD
        found = {
            scenario: what_is_held(self.program, self.scenarios.state(scenario), OVERLOAD)
            for scenario in np.flatnonzero(over).tolist()
        }
        self.hold({scenario: held.raised for scenario, held in found.items() if held.raised is not None})
        for scenario, held in found.items():
            self.dispatch_mw[scenario] = held.dispatch_mw
            for proof in held.proofs:
                self._keep(proof, scenario)
        return np.array(sorted(self.raised), dtype=np.intp)

    def hold(self, raised: Mapping[int, Raised]) -> None:
        """Hold limits of some scenarios above what is filed, once; the cuts so far count it too."""
        units = np.zeros_like(self._largest)
        for scenario, own in raised.items():
            self.raised[scenario] = own
            units[scenario] = own.units_mw
            for key, mw in zip(own.sides.keys(), own.sides_mw.tolist(), strict=True):
                scenarios, every = self._raised_sides.setdefault(key, ([], []))
                scenarios.append(scenario)
                every.append(mw)
        self._largest += units
        for place, cut in enumerate(self.cuts):
            down = np.minimum(cut.proof.price[self.limits.network.units.bus], 0.0)
            more = (units @ down - self._raised_by(cut.proof)) / cut.size
            self._level.rows[place] += more
            self._loss.rows[place] += more * self._share.rows[place]

    def solve(self, granted_mw: Vector, scenario: int, least: float) -> float:
        """Return the loss of one scenario, not below ``least``; keep its dispatch and its cut."""
        state = self._loaded(granted_mw, scenario)
        self.program.set(state)
        found = must_balance(self.program.least_overload(0.0, least=least), f"scenario {state.words}")
        self.dispatch_mw[scenario] = found.dispatch_mw
        self.last_proof = found.proof
        self._keep(found.proof, scenario)
        return found.overload

    def exceeds(self, granted_mw: Vector, scenario: int) -> bool:
        """Return whether a scenario's loss is above zero; if so there is a cut, else a dispatch.

        Where nothing was exceeded before, hard units serve as well, and they are the smaller program.
        """
        if scenario in self.raised:
            return self.solve(granted_mw, scenario, 0.0) > OVERLOAD
        state = self._loaded(granted_mw, scenario)
        short = float(state.demand_mw.sum() - state.largest_mw.sum())
        if short > OVERLOAD * float(state.largest_mw.sum()):
            self._keep(proof_of_load(self.limits.network), scenario)
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
        return replace(state, demand_mw=demand, raised=self.raised.get(scenario))

    def below(self, granted_mw: Vector, *, closed_above: Vector | None = None) -> tuple[Vector, Integers]:
        """Return what the losses (S,) are at least, and the cut that says so: -1 for none.

        With ``closed_above`` (K,), what relieves a cut counts for nothing, as if it were the worst part of
        ``granted_mw`` (K,); but what a cut says of that grant itself, which is given already, is taken off.
        """
        loss = np.full(len(self.scenarios), LEAST_OVERLOAD)
        cut = np.full(len(loss), -1, dtype=np.intp)
        if len(self.cuts):
            slopes = self._slope.rows if closed_above is None else np.maximum(self._slope.rows, 0.0)
            values = self._loss.rows + (slopes @ granted_mw)[:, np.newaxis] * self._share.rows
            if closed_above is not None:
                values -= self._given(closed_above)
            best = values.argmax(axis=0)
            value = values[best, np.arange(len(best))]
            cut = np.where(value > LEAST_OVERLOAD, best, -1)
            loss = np.maximum(loss, value)
        return loss, cut

    def row(self, cut: Integers, scenario: Integers, closed_above: Vector | None) -> tuple[Vector, Vector]:
        """Return the losses (n,) with nothing granted, and per MW of a cut (n,), of cuts (n,) in scenarios (n,)."""
        loss: Vector = self._loss.rows[cut, scenario]
        if closed_above is not None:
            loss = loss - self._given(closed_above)[cut, scenario]
        return loss, self._share.rows[cut, scenario]

    def _given(self, granted_mw: Vector) -> Matrix:
        """Return what cuts say beyond zero (n, S) of a grant because its relief counts for nothing.

        Never more than that relief: what is left is not below the loss with all of the relief in it.
        """
        key = (len(self.cuts), granted_mw.tobytes())
        if self._given_known[0] != key:
            slopes, shares = self._slope.rows, self._share.rows
            added = (np.maximum(slopes, 0.0) @ granted_mw)[:, np.newaxis] * shares
            relief = (np.maximum(-slopes, 0.0) @ granted_mw)[:, np.newaxis] * shares
            self._given_known = (key, np.minimum(np.maximum(self._loss.rows + added, 0.0), relief))
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
        return loss

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
        left = np.maximum(missing - total, 0.0) / np.maximum(self._size[block].sum(axis=1), 1e-9)
        found: Matrix = made + left[:, np.newaxis] * self._size[block]
        return found

    @property
    def levels(self) -> Matrix:
        """Return the MW (n, S) of all cuts with nothing granted."""
        return self._level.rows

    def levels_in(self, scenario: Integers) -> Matrix:
        """Return the MW (n, s) of all cuts in some scenarios, with nothing granted."""
        return self._level.rows[:, scenario]

    def least(self, granted_mw: Vector, scenario: int) -> float:
        """Return what the loss of one scenario is at least, as :meth:`below` does for all."""
        values = self._loss.rows[:, scenario] + (self._slope.rows @ granted_mw) * self._share.rows[:, scenario]
        return float(values.max(initial=LEAST_OVERLOAD))

    @property
    def weights(self) -> Matrix:
        """Return the MW of all cuts per unit of overload, (n, S)."""
        return self._weight.rows

    @property
    def slopes(self) -> Matrix:
        """Return the slopes of all cuts (n, K)."""
        return self._slope.rows

    def losses_of(self, dispatch_mw: Matrix, granted_mw: Vector) -> Vector:
        """Return the losses (S,) of given dispatches (S, G) with ``granted_mw`` (K,) drawn."""
        loss = np.empty(len(self.scenarios))
        for start in range(0, len(loss), _BLOCK):
            block = np.arange(start, min(start + _BLOCK, len(loss)))
            loss[block] = self._stretched(dispatch_mw[block], granted_mw, block)
        return loss

    def _stretched(self, dispatch_mw: Matrix, granted_mw: Vector, block: Integers) -> Vector:
        network = self.limits.network
        injection = outputs_by_bus(dispatch_mw, network.units.bus, len(network.buses.ids))
        injection -= self.scenarios.demand_mw[block]
        injection[:, self.sites] -= granted_mw
        flow = self.limits.factors.flows(injection.T)
        worst = self.limits.largest_overload(flow)
        own = [self.raised.get(scenario) for scenario in block.tolist()]
        for place, raised in enumerate(own):
            if raised is not None:
                worst[place] = self.limits.largest_overload(flow[:, [place]], raised)[0]
        worst = np.maximum(worst, _of_units(dispatch_mw, self._largest[block], self._size[block]))
        if self.limits.outages is None:
            return np.asarray(worst, dtype=np.float64)
        every = [
            self.limits.overload_after(flow[:, place], float(worst[place]), raised) for place, raised in enumerate(own)
        ]
        return np.array(every, dtype=np.float64)

    def _keep(self, proof: Proof, scenario: int) -> None:
        at_units = proof.price[self.limits.network.units.bus]
        down = np.minimum(at_units, 0.0)
        weight = proof.weight - self._size @ down
        if weight.min() <= 0.0:
            return
        slope, size = -proof.price[self.sites], float(np.abs(proof.price[self.sites]).max(initial=0.0))
        if size <= _NO_PRICE:  # what is granted at the candidates does not matter to it
            slope, size = np.zeros(len(self.sites)), 1.0
        level = self._least @ np.maximum(at_units, 0.0) + self._largest @ down
        level -= self.scenarios.demand_mw @ proof.price + proof.fixed + self._raised_by(proof)
        self.cuts.append(Cut(proof, scenario, slope / size, size))
        self._slope.append(slope / size)
        self._level.append(level / size)
        self._weight.append(weight / size)
        self._loss.append(level / weight)
        self._share.append(size / weight)

    def _raised_by(self, proof: Proof) -> Vector:
        """Return what limits leave more in the scenarios (S,) in which they are raised: multipliers times MW."""
        more = np.zeros(len(self.scenarios))
        for key, multiplier in zip(proof.sides.keys(), proof.multiplier.tolist(), strict=True):
            if key in self._raised_sides:
                scenarios, mw = self._raised_sides[key]
                more[scenarios] += multiplier * np.array(mw)
        return more


class _Growing:
    """Rows that are added one at a time, in a table that doubles when it is full."""

    def __init__(self, columns: int) -> None:
        self._table, self._count = np.zeros((16, columns)), 0

    def append(self, row: Vector) -> None:
        """Add a row."""
        if self._count == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[self._count] = row
        self._count += 1

    @property
    def rows(self) -> Matrix:
        """Return the rows so far."""
        return self._table[: self._count]

    def part(self, places: Integers) -> "_Growing":
        """Return some of the rows."""
        found = _Growing(self._table.shape[1])
        found._table, found._count = np.concatenate([self._table[places], found._table]), len(places)
        return found


def _of_units(dispatch_mw: Matrix, largest_mw: Matrix, size: Matrix) -> Vector:
    """Return the largest overloads (s,) of units as shares of ``size``; one without any has none unless it produces."""
    beyond = dispatch_mw - largest_mw
    none = np.where(beyond > _LEAST_OUTPUT_MW, np.inf, LEAST_OVERLOAD)
    over = np.where(size > _LEAST_OUTPUT_MW, beyond / np.maximum(size, _LEAST_OUTPUT_MW), none)
    return np.asarray(over.max(axis=1, initial=LEAST_OVERLOAD), dtype=np.float64)


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
