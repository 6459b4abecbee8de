"""Hubs of linear costs at given prices: which of their optima they take is not determined, so both ends are found.

``best``: of all that costs no hub more than its optimum, what overloads the network least; ``worst``: what overloads it
most. The second is the largest value of a convex function: an integer program with one yes or no for each side of each
limit that could be exceeded at all.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, vstack

from engine.commitment.integer import solve_integer
from engine.errors import SolverError
from engine.network.model import Matrix, Vector
from engine.pricing.answered import Answered
from engine.pricing.central import Joint
from engine.pricing.congestion import Overloads
from engine.pricing.program import HubProgram, check_all
from engine.pricing.response import Follower
from engine.program import LinearProgram, Solution, Status, solve

TIE = 1e-7  # of a hub's optimum, relative to 1 + its size: what costs no more than that is as good
_PRICED = 1e-9  # of 1 + a hub's largest cost: a column that a dual prices by less may move
_GAP = 1e-6
_NEVER = 1e-9  # MW: a limit that is exceeded by no more is not


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """One of the hubs' optima."""

    points: tuple[Vector, ...]
    withdrawal_mw: Matrix  # (I, T)
    overload_cost: float  # $
    bound: float  # $: of the worst, none is above it; of the best, none below
    status: Status
    time_s: float


@dataclass(frozen=True, slots=True, eq=False)
class AtPrices:
    """What hubs do at prices, at both ends of what is as good for them."""

    optimum: Vector  # (I,), $, with the operator's prices
    best: Chosen
    worst: Chosen


def at_prices(joint: Joint, price: Matrix, *, time_limit_s: float = 60.0) -> AtPrices:
    """Return both ends at prices (I, T) of the hubs. Raises InfeasibleError and SolverError as :class:`Joint` does."""
    begin = time.perf_counter()
    optimum = np.array([_optimum(own, each) for own, each in zip(joint.programs, price, strict=True)])
    faces = _Faces.of(joint, price, optimum)
    found = joint.solved(faces.program(joint.weight))
    best = Chosen(
        joint.points(found.x), joint.withdrawal(found.x), found.objective, found.objective, Status.OPTIMAL,
        time.perf_counter() - begin,
    )  # fmt: skip
    return AtPrices(optimum, best, _worst(joint, faces, best, time_limit_s))


def _optimum(own: HubProgram, price: Vector) -> float:
    return _solved(own, price).objective


def _solved(own: HubProgram, price: Vector) -> Solution:
    found = solve(own.linear(price))
    if found.status is Status.INFEASIBLE:
        check_all([own])
    return found.optimum()


def answered(joint: Joint, price: Matrix) -> Answered:
    """Return what of the hubs' optima at prices (K, T) overloads the network least, with the duals that prove it.

    All points of a face (:func:`_face`) are optima, so no tolerance is in these. Raises InfeasibleError and SolverError
    as :class:`Joint` does.
    """
    lower, upper, duals = joint.lower.copy(), joint.upper.copy(), []
    for at, (own, each) in enumerate(zip(joint.programs, price[joint.case.area], strict=True)):
        found = _solved(own, each)
        duals.append(found.row_dual)
        place = slice(joint.first[at], joint.first[at + 1])
        lower[place], upper[place] = _face(own, found)
    best = joint.solved(replace(joint.program(joint.weight), lower=lower, upper=upper))
    return Answered(price, joint.points(best.x), tuple(duals))


def smallest(programs: Sequence[HubProgram], price: Matrix) -> Matrix:
    """Return the withdrawals (I, T), MW, of those of the hubs' optima at prices (I, T) that are smallest by ``x'Q x``.

    Q is the curvature: these are what hubs with rising costs do as the rise goes to 0, at prices that stay. Raises
    InfeasibleError naming what hubs cannot meet, SolverError where an answer is not certified.
    """
    found = []
    for own, each in zip(programs, price, strict=True):
        lower, upper = _face(own, _solved(own, each))
        narrowed = replace(own, lower=lower, upper=upper, cost=np.zeros(len(own.cost)))
        found.append(own.withdrawal(Follower(narrowed).respond(np.zeros(own.periods)).x))
    return np.array(found)


def _face(own: HubProgram, found: Solution) -> tuple[Vector, Vector]:
    """Return the bounds of a hub's optima: where a dual prices a column, every optimum has it at that bound."""
    size = _PRICED * (1.0 + float(np.abs(own.cost).max()))
    return (
        np.where(found.reduced_cost < -size, own.upper, own.lower),
        np.where(found.reduced_cost > size, own.lower, own.upper),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """The joint polyhedron, and of each hub only what costs no more than its optimum."""

    joint: Joint
    rows: csr_array  # (I, N)
    most: Vector  # (I,)

    @classmethod
    def of(cls, joint: Joint, price: Matrix, optimum: Vector) -> "_Faces":
        rows = np.zeros((len(joint.programs), len(joint.weight)))
        for at, own in enumerate(joint.programs):
            rows[at, joint.first[at] : joint.first[at + 1]] = own.cost_at(price[at])
        return cls(joint, csr_array(rows), optimum + TIE * (1.0 + np.abs(optimum)))

    def program(self, cost: Vector) -> LinearProgram:
        joint = self.joint
        return LinearProgram(
            cost, csr_array(vstack([joint.matrix, self.rows], format="csr")),
            np.concatenate([joint.row_lower, np.full(len(self.most), -np.inf)]),
            np.concatenate([joint.row_upper, self.most]), joint.lower, joint.upper,
        )  # fmt: skip


def _reach(joint: Joint, faces: _Faces) -> tuple[Matrix, Matrix]:
    """Return the least and most withdrawal (I, T) of each hub by itself among its optima."""
    ends = []
    for at, own in enumerate(joint.programs):
        row = faces.rows[[at], joint.first[at] : joint.first[at + 1]]
        matrix = csr_array(vstack([own.matrix, row], format="csr"))
        lower, upper = np.append(own.right, -np.inf), np.append(own.right, faces.most[at])
        pair = []
        for sign in (1.0, -1.0):
            each = []
            for t in range(own.periods):
                cost = sign * own.withdrawn[[t]].toarray()[0]
                each.append(sign * solve(LinearProgram(cost, matrix, lower, upper, own.lower, own.upper)).optimum()
                            .objective)  # fmt: skip
            pair.append(each)
        ends.append(pair)
    found = np.array(ends)
    return found[:, 0], found[:, 1]


def _worst(joint: Joint, faces: _Faces, best: Chosen, time_limit_s: float) -> Chosen:
    """Return the optima of hubs that overload the network most; where the time is over, the most found and a bound."""
    begin, case = time.perf_counter(), joint.case
    least, most = _reach(joint, faces)
    network, terms = case.network, case.terms
    share = np.vstack([-network.share, np.ones(len(joint.programs))])  # of each hub in what is limited, (L + 1, I)
    up, down = np.maximum(share, 0.0), np.minimum(share, 0.0)
    base = np.vstack([network.background_mw, network.substation_mw])
    high, low = base + up @ most + down @ least, base + up @ least + down @ most
    limits = (
        np.append(network.limit_mw, network.import_mw)[:, np.newaxis],
        -np.append(network.limit_mw, network.export_mw)[:, np.newaxis],
    )
    weight = np.append(np.full(len(network.lines), terms.line_per_mwh), terms.substation_per_mwh) * case.step_h
    sides = []
    for sign, limit in zip((1.0, -1.0), limits, strict=True):
        over, under = (high - limit, limit - low) if sign > 0.0 else (limit - low, high - limit)
        sides += [(sign, at, t, float(over[at, t]), float(under[at, t]), float(sign * (base - limit)[at, t]))
                  for at, t in zip(*np.nonzero(over > _NEVER), strict=True)]  # fmt: skip
    if not sides:
        return Chosen(best.points, best.withdrawal_mw, 0.0, 0.0, Status.OPTIMAL, time.perf_counter() - begin)
    program, whole = _sided(joint, faces, share, sides, weight)
    flow = base + share @ best.withdrawal_mw
    start = np.zeros(len(program.cost))
    start[whole] = [sign * flow[at, t] > sign * limits[int(sign < 0.0)][at, 0] for sign, at, t, *_ in sides]
    found = solve_integer(program, whole, gap=_GAP, time_limit_s=time_limit_s, start=start)
    # No side is exceeded by more than it can be by itself.
    bound = min(sum(weight[at] * most for _, at, _, most, *_ in sides), -found.bound)
    took = time.perf_counter() - begin
    if not np.isfinite(found.objective):
        if found.status is not Status.TIME_LIMIT:
            raise SolverError(f"what hubs could do at worst was not found: {found.message}")
        return Chosen(best.points, best.withdrawal_mw, best.overload_cost, bound, found.status, took)
    x = found.x[: joint.first[-1]]
    withdrawal = joint.withdrawal(x)
    cost = Overloads.of(case, withdrawal).cost(case)
    return Chosen(joint.points(x), withdrawal, cost, max(bound, cost), found.status, took)


def _sided(
    joint: Joint, faces: _Faces, share: Matrix, sides: list[tuple[float, int, int, float, float, float]], weight: Vector
) -> tuple[LinearProgram, np.ndarray]:
    """Return the integer program: hubs' columns, what each side is exceeded by, and whether it is.

    A side (sign, limited, period, most, least, base) is exceeded by at most ``sign * flow - limit`` where it is.
    """
    hubs, count = int(joint.first[-1]), len(sides)
    own = sum(len(each.right) for each in joint.programs)
    top = joint.matrix[:own, :hubs]
    costs = faces.rows[:, :hubs]
    withdrawn = [each.withdrawn for each in joint.programs]
    moved = []
    for sign, at, t, *_ in sides:
        parts = [each[[t]] * (sign * share[at, i]) for i, each in enumerate(withdrawn)]
        moved.append(csr_array(block_array([parts], format="csr")))
    flow = csr_array(vstack(moved, format="csr"))
    most, under, base = (np.array([side[k] for side in sides]) for k in (3, 4, 5))
    one = csr_array(coo_array((np.ones(count), (np.arange(count), np.arange(count))), shape=(count, count)))
    # exceeded <= flow beyond the limit + (what it may lie within) where it is not; exceeded <= most where it is
    rows = block_array(
        [[top, None, None], [costs, None, None], [-flow, one, one * np.maximum(under, 0.0)[:, np.newaxis]],
         [None, one, -one * most[:, np.newaxis]]], format="csr",
    )  # fmt: skip
    right = np.concatenate([each.right for each in joint.programs])
    free = -np.inf
    return LinearProgram(
        cost=np.concatenate([np.zeros(hubs), [-weight[at] for _, at, *_ in sides], np.zeros(count)]),
        matrix=csr_array(rows),
        row_lower=np.concatenate([right, np.full(len(faces.most) + 2 * count, free)]),
        row_upper=np.concatenate([right, faces.most, base + np.maximum(under, 0.0), np.zeros(count)]),
        lower=np.concatenate([joint.lower[:hubs], np.zeros(2 * count)]),
        upper=np.concatenate([joint.upper[:hubs], most, np.ones(count)]),
    ), np.arange(hubs + count, hubs + 2 * count)
