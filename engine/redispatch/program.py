"""The linear program of a redispatch, kept in the solver: what one state allows, and the proof that it allows no more.

Variables: the output of every unit, how far the extra load goes along a direction (``step``), and the largest relative
overload. Limits enter when they are broken. The largest outputs are either as hard as the least ones, or stretched
by the overload like every other limit, ``output <= largest + overload |largest|``: then a state that is short of
generation has an overload too.

The multipliers of a solve make a :class:`Proof`: by weak duality it bounds the overload of every state and every extra
load from below, in plain arrays and whatever the solver did. For multipliers m on the sides and e on the balance, with
prices pi = e + sum of m times the sides' vectors:

    overload * weight >= sum over units of min(pi * least, pi * largest) - pi . (demand + extra) - m . room

where the weight is m . scale and, with stretched units, the sum of |largest| times what pi is below zero as well.

Source: Boyd and Vandenberghe, *Convex Optimization*, 2004, section 5.2.2; the multipliers as cuts on what is decided
before the state is known: Van Slyke and Wets, "L-shaped linear programs", SIAM J. Applied Mathematics 17(4), 1969.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack, vstack

from engine.errors import SolverError
from engine.network.model import Integers, Network, Vector
from engine.program import LazyProgram, LinearProgram, Solution, Status
from engine.redispatch.limits import FlowLimits, Sides
from engine.redispatch.states import State

LEAST_OVERLOAD = -1.0  # every flow is zero there
_MOST_ROWS = 60  # in the program; beyond it those that have not mattered for a while leave
_IDLE = 4  # solves without a multiplier after which a row may leave
_COST = 1e4  # of the objective: the solver's tolerance on reduced costs, times 60 GW of load, must not be seen
_MULTIPLIER = 1e-10  # below it a multiplier is rounding; the proof is valid without it


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """Multipliers that bound what can be done; see the module for the inequality."""

    sides: Sides  # (k,)
    multiplier: Vector  # (k,), positive, per MW
    energy: float  # of the balance
    price: Vector  # (B,)
    room_mw: Vector  # (k,), of the sides
    scale_mw: Vector  # (k,)

    @property
    def weight(self) -> float:
        """Return what the overload is multiplied by where units are hard: 0 if no limit is in the proof."""
        return float(self.multiplier @ self.scale_mw)

    @property
    def fixed(self) -> float:
        """Return what the limits leave: the multipliers times the room."""
        return float(self.multiplier @ self.room_mw)

    def floor(self, state: State, unit_bus: Integers) -> float:
        """Return what the overload times the weight is at least, in ``state`` without extra load."""
        price = self.price[unit_bus]
        largest, fixed = state.largest_mw, self.fixed
        if state.raised is not None:
            largest = largest + state.raised.units_mw
            fixed += float(self.multiplier @ state.raised.of(self.sides))
        supply = np.minimum(price * state.least_mw, price * largest).sum()
        return float(supply - self.price @ state.demand_mw) - fixed

    def most_step(self, state: State, unit_bus: Integers, direction: Vector) -> float:
        """Return what the step along ``direction`` (B,) is at most; -inf: there is none at all, inf: no bound."""
        floor, slope = self.floor(state, unit_bus), -float(self.price @ direction)
        if slope > 0.0:
            return -floor / slope
        return -np.inf if floor > 0.0 else np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Redispatched:
    """The end of one solve: a point and a proof that meet."""

    dispatch_mw: Vector  # (G,)
    flow_mw: Vector  # (L,)
    step: float
    overload: float
    proof: Proof


class RedispatchProgram:
    """One program for many states, directions and buses; each solve starts where the last ended."""

    def __init__(self, limits: FlowLimits, *, stretch_units: bool = False) -> None:
        units = limits.network.units
        self.limits = limits
        self._stretch = stretch_units
        self.unit_bus = units.bus
        self.solves = 0
        count = len(units.ids)
        self._step, self._overload = count, count + 1
        self._sides = Sides.none()
        self._vectors = np.zeros((0, len(limits.network.buses.ids)))
        self._room, self._scale = np.zeros(0), np.zeros(0)
        self._give = np.zeros(
            count if stretch_units else 0
        )  # MW per unit of overload, of the units' rows and the sides'
        self._idle = np.zeros(0, dtype=np.intp)
        self._state: State | None = None
        self._direction = np.zeros(len(limits.network.buses.ids))
        self._outputs = csr_array(
            (np.ones(count), (units.bus, np.arange(count))), shape=(len(limits.network.buses.ids), count)
        )
        balance = csr_array(np.concatenate([np.ones(count), np.zeros(2)])[np.newaxis])
        own = csr_array(hstack([eye_array(count), csr_array((count, 2))]))[: count if stretch_units else 0]
        self._first = 1 + own.shape[0]  # row of the first side: the balance and the units come before
        self.lazy = LazyProgram(
            LinearProgram(
                cost=np.zeros(count + 2),
                matrix=csr_array(vstack([balance, own], format="csr")),
                row_lower=np.concatenate([np.zeros(1), np.full(own.shape[0], -np.inf)]),
                row_upper=np.zeros(self._first),
                lower=np.zeros(count + 2),
                upper=np.zeros(count + 2),
            )
        )

    def set(self, state: State, direction: Vector | None = None) -> None:
        """Go to a state, and to a direction (B,) of extra load: none at all if it is None."""
        self._drop_idle()
        self._state = state
        self._turn(np.zeros_like(self._direction) if direction is None else direction)
        largest, room = _largest(state)[: self._first - 1], self._room
        if state.raised is not None:
            room = room + state.raised.of(self._sides)
        upper = np.concatenate([[state.demand_mw.sum()], largest, room + self._vectors @ state.demand_mw])
        lower = np.concatenate([upper[:1], np.full(len(upper) - 1, -np.inf)])
        self.lazy.set_row_bounds(np.arange(len(upper)), lower, upper)
        units = np.abs(state.largest_mw[: self._first - 1])
        if state.raised is not None and state.raised.fixed:
            units = np.zeros_like(units)
        give = np.concatenate([units, _give(state, self._sides, self._scale)])
        if not np.array_equal(give, self._give):
            self._give = give
            self.lazy.set_column(self._overload, -np.concatenate([np.zeros(1), give]))

    def most_step(self) -> Redispatched | None:
        """Return how far the extra load can go with no limit exceeded; None where no step is possible at all."""
        return self._solve(-1.0, 0.0, (0.0, np.inf), (0.0, 0.0))

    def least_overload(self, step: float = 1.0, *, least: float = LEAST_OVERLOAD) -> Redispatched | None:
        """Return the dispatch of least overload, not below ``least``, with the extra load at ``step``.

        None where the units cannot balance the load.
        """
        return self._solve(0.0, 1.0, (step, step), (least, np.inf))

    def least_overload_anywhere(self) -> Redispatched | None:
        """Return the step, and its dispatch, at which limits are exceeded least: above zero, none keeps them."""
        return self._solve(0.0, 1.0, (0.0, np.inf), (0.0, np.inf))

    def _solve(
        self, step_cost: float, overload_cost: float, step: tuple[float, float], overload: tuple[float, float]
    ) -> Redispatched | None:
        state = self._state
        if state is None:
            raise ValueError("a state comes first")
        count = self._step
        cost = np.zeros(count + 2)
        cost[self._step], cost[self._overload] = _COST * step_cost, _COST * overload_cost
        self.lazy.set_cost(cost)
        ends = ((step[0], overload[0]), (step[1], overload[1]))
        largest = np.full(count, np.inf) if self._stretch else _largest(state)
        self.lazy.set_bounds(np.append(state.least_mw, ends[0]), np.append(largest, ends[1]))
        while True:
            self.solves += 1
            solution = self.lazy.solve()
            if solution.status is Status.INFEASIBLE:
                return None
            solution.optimum()
            flow = self._flow(state, solution)
            broken = self._new(self.limits.broken(flow, float(solution.x[self._overload]), state.raised))
            if not len(broken):
                break
            self._add(broken, state)
        self._idle = np.where(-solution.row_dual[self._first :] > _MULTIPLIER, 0, self._idle + 1)
        return Redispatched(
            dispatch_mw=solution.x[:count],
            flow_mw=flow,
            step=float(solution.x[self._step]),
            overload=float(solution.x[self._overload]),
            proof=self._proof(solution),
        )

    def _flow(self, state: State, solution: Solution) -> Vector:
        drawn = state.demand_mw + solution.x[self._step] * self._direction
        return self.limits.factors.flows(self._outputs @ solution.x[: self._step] - drawn)

    def _proof(self, solution: Solution) -> Proof:
        multiplier = -solution.row_dual[self._first :] / _COST
        used = np.flatnonzero(multiplier > _MULTIPLIER)
        energy = -float(solution.row_dual[0]) / _COST
        return Proof(
            sides=self._sides.at(used),
            multiplier=multiplier[used],
            energy=energy,
            price=multiplier[used] @ self._vectors[used] + energy * self.limits.network.buses.in_service,
            room_mw=self._room[used],
            scale_mw=self._scale[used],
        )

    def _new(self, broken: Sides) -> Sides:
        if not len(broken):
            return broken
        known = set(self._sides.keys())
        return broken.at(np.array([key not in known for key in broken.keys()]))  # noqa: SIM118 (no mapping)

    def _add(self, sides: Sides, state: State) -> None:
        vectors, room, scale = self.limits.vectors(sides), self.limits.room_mw(sides), self.limits.scale_mw(sides)
        give = _give(state, sides, scale)
        upper = room + vectors @ state.demand_mw + (0.0 if state.raised is None else state.raised.of(sides))
        table = np.column_stack([vectors[:, self.unit_bus], -(vectors @ self._direction), -give])
        self.lazy.add_rows(csr_array(table), np.full(len(sides), -np.inf), upper)
        self._give = np.concatenate([self._give, give])
        self._sides = Sides.together([self._sides, sides])
        self._vectors = np.concatenate([self._vectors, vectors])
        self._room, self._scale = np.concatenate([self._room, room]), np.concatenate([self._scale, scale])
        self._idle = np.concatenate([self._idle, np.zeros(len(sides), dtype=np.intp)])

    def _turn(self, direction: Vector) -> None:
        if np.array_equal(direction, self._direction):
            return
        self._direction = direction.copy()
        self.lazy.set_column(
            self._step, -np.concatenate([[direction.sum()], np.zeros(self._first - 1), self._vectors @ direction])
        )

    def _drop_idle(self) -> None:
        if len(self._sides) <= _MOST_ROWS:
            return
        gone = self._idle > _IDLE
        if not gone.any():
            return
        self.lazy.delete_rows(np.flatnonzero(gone) + self._first)
        kept = ~gone
        self._give = np.concatenate([self._give[: self._first - 1], self._give[self._first - 1 :][kept]])
        self._sides, self._vectors = self._sides.at(kept), self._vectors[kept]
        self._room, self._scale, self._idle = self._room[kept], self._scale[kept], self._idle[kept]


def _largest(state: State) -> Vector:
    """Return the largest outputs (G,), raised ones at what they are raised to."""
    return state.largest_mw if state.raised is None else state.largest_mw + state.raised.units_mw


def _give(state: State, sides: Sides, scale_mw: Vector) -> Vector:
    """Return the MW (k,) that sides allow more per unit of overload."""
    if state.raised is None or not state.raised.fixed:
        return scale_mw
    return np.where(state.raised.of(sides) > 0.0, 0.0, scale_mw)


def proof_of_load(network: Network) -> Proof:
    """Return the proof that units at their largest outputs cannot serve more than these add up to."""
    price = np.where(network.buses.in_service, -1.0, 0.0)
    return Proof(Sides.none(), np.zeros(0), -1.0, price, np.zeros(0), np.zeros(0))


def must_balance(found: Redispatched | None, words: str) -> Redispatched:
    """Return ``found``. Raises SolverError where a solve that must have an answer has none."""
    if found is None:
        raise SolverError(f"the program of {words} has no answer, though units can balance the load")
    return found
