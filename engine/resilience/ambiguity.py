"""Sets of scenario probabilities around nominal ones, their worst member, and the risk of costs under them.

The scenarios are S and fixed, only their probabilities are in doubt. For values z (S,) the worst case, the largest
p @ z over a set, is found exactly: by moving mass (total variation), by the dual in the price of transport
(Wasserstein), by a linear program (moments). :class:`DualForm` is for a model in which the values are variables.

Risk is the joint form: one worst p for expectation and CVaR together,

    min over eta of  sup over p of  sum p_s [(1 - weight) Q_s + weight (eta + max(Q_s - eta, 0) / (1 - beta))]

which is at most the sum of the two suprema.
Sources: Rockafellar and Uryasev, Optimization of conditional value-at-risk, J. Risk 2(3), 2000; Bayraksan and Love,
Data-driven stochastic programming using phi-divergences, INFORMS TutORials, 2015; Mohajerin Esfahani and Kuhn,
Data-driven distributionally robust optimization using the Wasserstein metric, Math. Program. 171, 2018.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, hstack
from scipy.spatial.distance import cdist

from engine.errors import InfeasibleError, SolverError, UncertaintyDataError
from engine.network.model import Integers, Matrix, Vector
from engine.program import LinearProgram, Status, solve

_SUM = 1e-6  # how far from one probabilities may sum; they are scaled to it
_ROUNDING = 1e-12  # of sums of probabilities
GAP = 1e-9  # largest gap of a risk, relative to its largest value


@dataclass(frozen=True, slots=True, eq=False)
class DualForm:
    """The dual of a set: the largest p @ z is the least ``cost @ d`` with ``(matrix @ d)[r] >= z[scenario[r]]``.

    D dual variables d, R rows. ``z`` may be variables of a larger model: :meth:`rows` has them in front.
    """

    cost: Vector  # (D,)
    matrix: csr_array  # (R, D)
    scenario: Integers  # (R,), which value each row covers
    lower: Vector  # (D,)
    upper: Vector  # (D,)

    def rows(self, size: int) -> csr_array:
        """Return the (R, S + D) rows over values and duals, each at least 0, for ``size`` S scenarios."""
        count = len(self.scenario)
        covered = coo_array((-np.ones(count), (np.arange(count), self.scenario)), shape=(count, size))
        return csr_array(hstack([covered, self.matrix], format="csr"))


@dataclass(frozen=True, slots=True)
class Nominal:
    """No doubt: the nominal probabilities alone."""

    def problems(self, size: int) -> Iterator[str]:  # noqa: ARG002 - as the others
        """Yield nothing: it fits any number of scenarios."""
        yield from ()

    def worst(self, values: Vector, nominal: Vector) -> Vector:  # noqa: ARG002
        """Return (S,) the nominal probabilities."""
        return np.asarray(nominal / nominal.sum())

    def contains(self, p: Vector, nominal: Vector, tolerance: float = 1e-9) -> bool:
        """Return whether ``p`` is the nominal one."""
        return _probable(p, tolerance) and bool(np.abs(p - nominal).max() <= tolerance)

    def dual(self, nominal: Vector) -> DualForm:
        """Return one dual for each scenario."""
        size = len(nominal)
        free = np.full(size, math.inf)
        return DualForm(nominal / nominal.sum(), csr_array(eye_array(size)), np.arange(size), -free, free)


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """All p with ``|p - nominal|_1 / 2 <= radius``: so much probability may be anywhere else."""

    radius: float

    def problems(self, size: int) -> Iterator[str]:  # noqa: ARG002
        """Yield what is wrong with it, in words."""
        if not 0.0 <= self.radius <= 1.0:
            yield f"the radius of total variation is {self.radius:g}; it must lie between 0 and 1"

    def worst(self, values: Vector, nominal: Vector) -> Vector:
        """Return (S,) the p that maximises ``p @ values``: mass goes from the least values to the largest."""
        share = nominal / nominal.sum()
        order = np.argsort(values, kind="stable")
        p = np.zeros(len(share))
        p[order] = np.minimum(share[order], np.maximum(np.cumsum(share[order]) - self.radius, 0.0))
        p[order[-1]] += 1.0 - p.sum()
        return p

    def contains(self, p: Vector, nominal: Vector, tolerance: float = 1e-9) -> bool:
        """Return whether ``p`` is within the radius."""
        moved = 0.5 * float(np.abs(p - nominal / nominal.sum()).sum())
        return _probable(p, tolerance) and moved <= self.radius + tolerance

    def dual(self, nominal: Vector) -> DualForm:
        """Return theta, kappa and u (S,): ``theta + u_s >= z_s`` and ``theta + kappa >= z_s``."""
        size = len(nominal)
        row = np.arange(size)
        columns = np.concatenate([np.zeros(2 * size, dtype=np.intp), 2 + row, np.ones(size, dtype=np.intp)])
        places = (np.concatenate([row, size + row, row, size + row]), columns)
        matrix = csr_array(coo_array((np.ones(4 * size), places), shape=(2 * size, 2 + size)))
        cost = np.concatenate([[1.0, self.radius], nominal / nominal.sum()])
        lower = np.concatenate([[-math.inf], np.zeros(size + 1)])
        return DualForm(cost, matrix, np.tile(row, 2), lower, np.full(size + 2, math.inf))


@dataclass(frozen=True, eq=False)
class Wasserstein:
    """All p to which the nominal probabilities can be carried at a cost of at most ``radius``.

    Scenarios of nominal probability 0 are places that only carried mass reaches.
    """

    radius: float  # in the distance's unit
    distance: Matrix  # (S, S), cost of carrying a unit of probability from a row's scenario to a column's

    @classmethod
    def between(cls, radius: float, features: Matrix) -> Self:
        """Return the set with Euclidean distances between the scenarios' features (S, F)."""
        return cls(radius, cdist(features, features))

    @cached_property
    def _nearest(self) -> Integers:
        """Return (S, S) every scenario's order of the others, the nearest first."""
        return np.argsort(self.distance, axis=1, kind="stable")

    def problems(self, size: int) -> Iterator[str]:
        """Yield what is wrong with it, in words."""
        if not (math.isfinite(self.radius) and self.radius >= 0.0):
            yield f"the Wasserstein radius is {self.radius:g}; it must be 0 or more"
        if self.distance.shape != (size, size):
            yield f"the distances have the shape {self.distance.shape}; it must be {(size, size)}"
        elif not np.isfinite(self.distance).all() or (self.distance < 0.0).any():
            yield "a distance between scenarios is below 0 or not a number"
        elif np.diagonal(self.distance).any():
            at = int(np.flatnonzero(np.diagonal(self.distance))[0])
            yield f"scenario {at + 1} is at a distance of {self.distance[at, at]:g} from itself; it must be 0"

    def worst(self, values: Vector, nominal: Vector) -> Vector:
        """Return (S,) the p that maximises ``p @ values``.

        The dual, ``kappa radius + sum p_s max over s' of (z_s' - kappa c_ss')``, is convex with straight pieces in the
        price kappa of transport. Each piece is a plan of where mass goes. Two of them, one on either side of the
        optimum, are moved to where they cross until nothing is above; their mixture spends the radius.
        """
        share = nominal / nominal.sum()
        moves = _Moves.of(self._nearest, self.distance, values, share)
        low, high = moves.all_the_way(), moves.nowhere()
        if low.spent <= self.radius:
            return low.p
        tolerance = _ROUNDING * max(1.0, float(np.abs(values).max()))
        while self.radius > 0.0:
            price = (low.value - high.value) / (low.spent - high.spent)
            between = moves.best(price)
            above = between.value - high.value - price * (between.spent - high.spent)
            if above <= tolerance or not high.spent < between.spent < low.spent:
                break
            if between.spent > self.radius:
                low = between
            else:
                high = between
        part = (self.radius - high.spent) / (low.spent - high.spent)
        return part * low.p + (1.0 - part) * high.p

    def contains(self, p: Vector, nominal: Vector, tolerance: float = 1e-9) -> bool:
        """Return whether ``p`` can be reached, by the transport's linear program of S squared variables."""
        if not _probable(p, tolerance):
            return False
        share, goal, size = nominal / nominal.sum(), np.maximum(p, 0.0), len(p)
        rows, columns = np.divmod(np.arange(size * size), size)
        ends = coo_array(
            (np.ones(2 * size * size), (np.concatenate([rows, size + columns]), np.tile(np.arange(size * size), 2)))
        )
        both = np.concatenate([share, goal / goal.sum()])
        program = LinearProgram(
            self.distance.ravel(), csr_array(ends), both, both, np.zeros(size**2), np.full(size**2, math.inf)
        )
        return solve(program).optimum().objective <= self.radius + tolerance

    def dual(self, nominal: Vector) -> DualForm:
        """Return kappa and a dual t_s for each scenario of a probability: ``t_s + kappa c_ss' >= z_s'``."""
        share = nominal / nominal.sum()
        origin = np.flatnonzero(share)
        count, size = len(origin), len(share)
        row = np.arange(count * size)
        entries = np.concatenate([self.distance[origin].ravel(), np.ones(count * size)])
        places = (np.tile(row, 2), np.concatenate([np.zeros(count * size, dtype=np.intp), 1 + row // size]))
        matrix = csr_array(coo_array((entries, places), shape=(count * size, 1 + count)))
        cost, none = np.concatenate([[self.radius], share[origin]]), np.full(count, math.inf)
        upper = np.concatenate([[math.inf], none])
        return DualForm(cost, matrix, row % size, np.concatenate([[0.0], -none]), upper)


@dataclass(frozen=True, slots=True, eq=False)
class MomentBox:
    """All p with means of features near given ones: ``|p @ features - mean| <= delta``, feature by feature."""

    features: Matrix  # (S, F)
    mean: Vector  # (F,)
    delta: Vector  # (F,)

    def problems(self, size: int) -> Iterator[str]:
        """Yield what is wrong with it, in words: numbers, shapes, or that no probabilities have such means."""
        count = self.features.shape[1] if self.features.ndim == 2 else 0
        found = []
        if self.features.shape != (size, count):
            found.append(f"the features have the shape {self.features.shape}; it must be ({size}, F)")
        found += [
            f"the {name} of the features has the shape {each.shape}; it must be ({count},)"
            for name, each in (("mean", self.mean), ("delta", self.delta))
            if each.shape != (count,)
        ]
        if not all(np.isfinite(each).all() for each in (self.features, self.mean, self.delta)):
            found.append("a feature, its mean or its delta is not a number")
        elif (self.delta < 0.0).any():
            at = int(np.argmax(self.delta < 0.0))
            found.append(f"the delta of feature {at + 1} is {self.delta[at]:g}; it must be 0 or more")
        yield from found
        if not found and solve(self._program(np.zeros(size))).status is Status.INFEASIBLE:
            yield _NO_MEANS

    def worst(self, values: Vector, nominal: Vector) -> Vector:  # noqa: ARG002 - the box says all
        """Return (S,) the p that maximises ``p @ values``, whatever the nominal one is.

        Raises InfeasibleError if no probabilities have such means, SolverError if HiGHS stops for another reason.
        """
        scale = float(np.abs(values).max()) or 1.0
        answer = solve(self._program(-values / scale))
        if answer.status is Status.INFEASIBLE:
            raise InfeasibleError(_NO_MEANS)
        p = np.maximum(answer.optimum().x, 0.0)
        return np.asarray(p / p.sum())

    def contains(self, p: Vector, nominal: Vector, tolerance: float = 1e-9) -> bool:  # noqa: ARG002
        """Return whether ``p`` has such means."""
        return _probable(p, tolerance) and bool((np.abs(p @ self.features - self.mean) <= self.delta + tolerance).all())

    def dual(self, nominal: Vector) -> DualForm:  # noqa: ARG002
        """Return theta and two prices of each feature: ``theta + (above - below) @ features_s >= z_s``."""
        size, count = self.features.shape
        matrix = csr_array(np.hstack([np.ones((size, 1)), self.features, -self.features]))
        cost = np.concatenate([[1.0], self.mean + self.delta, self.delta - self.mean])
        lower = np.concatenate([[-math.inf], np.zeros(2 * count)])
        return DualForm(cost, matrix, np.arange(size), lower, np.full(1 + 2 * count, math.inf))

    def _program(self, cost: Vector) -> LinearProgram:
        size = len(cost)
        rows = csr_array(np.vstack([np.ones(size), self.features.T]))
        low, high = (np.concatenate([[1.0], self.mean + sign * self.delta]) for sign in (-1.0, 1.0))
        return LinearProgram(cost, rows, low, high, np.zeros(size), np.ones(size))


Ambiguity = Nominal | TotalVariation | Wasserstein | MomentBox
_NO_MEANS = "no probabilities of these scenarios have means of the features within delta of the given ones"


@dataclass(frozen=True, slots=True, eq=False)
class Risk:
    """The joint risk of costs Q, and the probabilities at which it is reached."""

    value: float  # (1 - weight) expectation + weight cvar
    eta: float  # value at risk at the worst probabilities
    worst: Vector  # (S,)
    expectation: float  # under them, as the next
    cvar: float
    gap: float  # how far the true value may lie above: proven


def risk(values: Vector, nominal: Vector, ambiguity: Ambiguity, weight: float, beta: float) -> Risk:
    """Return the joint risk of the costs ``values`` (S,), with ``weight`` on their CVaR at level ``beta``.

    The function of eta is convex with straight pieces. The kinks at the values are searched by halves; between two of
    them, tangents at the worst p of points on either side are moved to where they cross, until nothing is above. The
    two p are mixed to a slope of zero, which proves the optimum: no eta is better at that p.

    Raises UncertaintyDataError with everything that is wrong with the numbers, InfeasibleError for an empty set,
    SolverError if rounding leaves a gap above 1e-9 of the largest value.
    """
    values, nominal = np.asarray(values, dtype=np.float64), np.asarray(nominal, dtype=np.float64)
    if problems := [*_wrong_numbers(values, nominal, weight, beta), *ambiguity.problems(len(values))]:
        raise UncertaintyDataError("; ".join(problems))
    nominal = nominal / nominal.sum()
    search = _Search(values, nominal, ambiguity, weight, beta)
    eta, p = search.optimum()
    mean, tail = float(p @ values), cvar(values, p, beta)
    value = (1.0 - weight) * mean + weight * tail
    gap = search.at(eta) - value
    if gap > GAP * max(1.0, float(np.abs(values).max())):
        raise SolverError(f"the worst probabilities were found with a gap of {gap:g} only; values of {values.max():g}")
    return Risk(value, eta, p, mean, tail, max(gap, 0.0))


def value_at_risk(values: Vector, probability: Vector, beta: float) -> float:
    """Return the least value that is not exceeded with a probability of ``beta`` or more."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(probability[order]) >= beta * probability.sum() - _ROUNDING
    possible = probability[order] > 0.0
    return float(values[order][np.flatnonzero(reached & possible)[0]])


def cvar(values: Vector, probability: Vector, beta: float) -> float:
    """Return the mean of the worst ``1 - beta`` of the values, ``beta`` in [0, 1)."""
    share = probability / probability.sum()
    eta = value_at_risk(values, share, beta)
    return eta + float(share @ np.maximum(values - eta, 0.0)) / (1.0 - beta)


def checked_probabilities(nominal: Vector) -> Iterator[str]:
    """Yield what is wrong with probabilities (S,), in words."""
    if not np.isfinite(nominal).all():
        yield "a probability is not a number"
    elif (nominal < 0.0).any():
        at = int(np.argmax(nominal < 0.0))
        yield f"the probability of scenario {at + 1} is {nominal[at]:g}; it must be 0 or more"
    elif abs(float(nominal.sum()) - 1.0) > _SUM:
        yield f"probabilities sum to {nominal.sum():.6g}; they must sum to 1"


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Where the mass of each scenario goes: the probabilities there, what they are worth, and the cost of carriage."""

    p: Vector  # (S,)
    value: float
    spent: float


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """The moves that may be best at some price: each is dearer than the one before it, and leads to a larger value.

    K of them, those of one origin together. On random values there are about log S for each.
    """

    size: int
    mass: Vector  # (k,), of the origins
    first: Integers  # (k,), of each origin
    origin: Integers  # (K,), position among the origins
    goal: Integers  # (K,)
    value: Vector  # (K,), at the goal
    cost: Vector  # (K,)

    @classmethod
    def of(cls, nearest: Integers, distance: Matrix, values: Vector, share: Vector) -> Self:
        """Return the moves from the scenarios with a share, those to smaller values than on the way left out."""
        origins = np.flatnonzero(share)
        reached = values[nearest[origins]]
        better = np.ones(reached.shape, dtype=np.bool_)
        better[:, 1:] = reached[:, 1:] > np.maximum.accumulate(reached, axis=1)[:, :-1]
        origin, place = np.nonzero(better)
        goal = nearest[origins[origin], place]
        first = np.searchsorted(origin, np.arange(len(origins)))
        return cls(
            len(values), share[origins], first, origin, goal, values[goal], distance[origins[origin], goal]
        )  # fmt: skip

    def all_the_way(self) -> _Plan:
        """Return the plan to the largest value, at the least cost."""
        return self._plan(np.append(self.first[1:], len(self.goal)) - 1)

    def nowhere(self) -> _Plan:
        """Return the best plan without cost: mass stays, but for scenarios at no distance from each other."""
        return self._plan(self.first + np.add.reduceat((self.cost == 0.0).astype(np.intp), self.first) - 1)

    def best(self, price: float) -> _Plan:
        """Return the plan of the largest value less ``price`` for each unit of cost."""
        score = self.value - price * self.cost
        top = np.flatnonzero(score == np.maximum.reduceat(score, self.first)[self.origin])
        return self._plan(top[np.searchsorted(self.origin[top], np.arange(len(self.mass)))])

    def _plan(self, chosen: Integers) -> _Plan:
        p = np.bincount(self.goal[chosen], weights=self.mass, minlength=self.size).astype(np.float64)
        return _Plan(p, float(self.mass @ self.value[chosen]), float(self.mass @ self.cost[chosen]))


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The convex function of eta whose least value is the risk."""

    values: Vector
    nominal: Vector
    ambiguity: Ambiguity
    weight: float
    beta: float

    def at(self, eta: float) -> float:
        """Return its value."""
        return float(self._worst(eta) @ self._terms(eta))

    def optimum(self) -> tuple[float, Vector]:
        """Return eta where it is least, and the worst p there at which no other eta is better."""
        kinks = np.unique(self.values)
        low, high = -1, len(kinks)
        below, above = self.nominal, self.nominal  # worst p at the kinks on either side
        while high - low > 1:
            middle = (low + high) // 2
            p = self._worst(float(kinks[middle]))
            left, right = self._slopes(float(kinks[middle]), p)
            if left <= _ROUNDING and right >= -_ROUNDING:
                return (float(kinks[middle]) if self.weight else value_at_risk(self.values, p, self.beta)), p
            if right < 0.0:
                low, below = middle, p
            else:
                high, above = middle, p
        return self._between(float(kinks[low]), float(kinks[high]), below, above)

    def _between(self, low: float, high: float, below: Vector, above: Vector) -> tuple[float, Vector]:
        """Return the optimum between two neighbouring kinks, where the terms are straight in eta."""
        middle = 0.5 * (low + high)
        terms, slope = self._terms(middle), self._slopes_by_scenario(middle)
        tolerance = _ROUNDING * max(1.0, float(np.abs(terms).max()))
        while True:
            # Each p is a straight line in eta here; they cross at `eta`.
            rises = float(below @ slope), float(above @ slope)
            eta = middle + float((below - above) @ terms) / (rises[1] - rises[0])
            p = self._worst(eta)
            rise, excess = float(p @ slope), float((p - above) @ (terms + (eta - middle) * slope))
            if excess <= tolerance or not rises[0] < rise < rises[1]:
                part = rises[1] / (rises[1] - rises[0])
                return eta, part * below + (1.0 - part) * above
            if rise < 0.0:
                below = p
            else:
                above = p

    def _worst(self, eta: float) -> Vector:
        return self.ambiguity.worst(self._terms(eta), self.nominal)

    def _terms(self, eta: float) -> Vector:
        tail = eta + np.maximum(self.values - eta, 0.0) / (1.0 - self.beta)
        return np.asarray((1.0 - self.weight) * self.values + self.weight * tail)

    def _slopes_by_scenario(self, eta: float) -> Vector:
        return np.asarray(self.weight * (1.0 - (self.values > eta) / (1.0 - self.beta)))

    def _slopes(self, eta: float, p: Vector) -> tuple[float, float]:
        """Return the slopes to the left and to the right of ``eta``, at this p."""
        reached, beyond = float(p[self.values >= eta].sum()), float(p[self.values > eta].sum())
        left, right = (self.weight * (1.0 - share / (1.0 - self.beta)) for share in (reached, beyond))
        return left, right


def _probable(p: Vector, tolerance: float) -> bool:
    return bool((p >= -tolerance).all()) and abs(float(p.sum()) - 1.0) <= tolerance


def _wrong_numbers(values: Vector, nominal: Vector, weight: float, beta: float) -> Iterator[str]:
    if values.ndim != 1 or not len(values):
        yield f"the values have the shape {values.shape}; it must be (S,), at least one"
    elif nominal.shape != values.shape:
        yield f"there are {len(values)} values and probabilities of the shape {nominal.shape}"
    elif not np.isfinite(values).all():
        yield "a value is not a number"
    yield from checked_probabilities(nominal)
    if not 0.0 <= weight <= 1.0:
        yield f"the weight of CVaR is {weight:g}; it must lie between 0 and 1"
    if not 0.0 <= beta < 1.0:
        yield f"the level of CVaR is {beta:g}; it must be 0 or more, and below 1"
