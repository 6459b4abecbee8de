"""Stage I of the decomposition: plans, under what is known so far of the costs of shocks and of the worst distribution.

    minimise  F y + N omega
    theta_s >= constant + slope y            each cut of stage II
    z_s     >= theta_s - eta
    omega   >= sum_s p_s [(1 - w) theta_s + w eta + w z_s / (1 - beta)]      each distribution p known to be worst
    inventories, site limits, budget; y whole

Distributions are separated like cuts: for costs that are given the worst one of the set is found exactly, so that no
dual of the set is written. Source: multi-cut L-shaped method, Birge and Louveaux, European J. Oper. Res. 34(3), 1988.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, eye_array, vstack

from engine.integer import IntegerSolution, MixedIntegerProgram, solve_integer
from engine.network.model import Flags, Vector
from engine.resilience.case import PlacementCase
from engine.resilience.placement import Aim, of_type, unit_costs
from engine.resilience.recourse import Cuts

_SAME = 1e-9  # distributions that differ by less are one


@dataclass(slots=True)
class Master:
    """What is known of the costs, as a mixed-integer program of plans. K modules, S shocks."""

    case: PlacementCase
    aim: Aim
    cuts: list[tuple[csr_array, Vector]] = field(default_factory=list)  # rows on (y, theta), right-hand sides
    known: list[Vector] = field(default_factory=list)  # distributions (S,)
    counted: int = 0

    def __post_init__(self) -> None:
        """Begin with the nominal distribution."""
        self.known.append(self.case.scenarios.probability)

    @property
    def shocks(self) -> int:
        """Return S."""
        return len(self.case.scenarios)

    @property
    def modules(self) -> int:
        """Return K."""
        return self.case.most.size

    def cut(self, cuts: Cuts, better: Flags | None = None) -> int:
        """Add a cut for each shock, those alone that are ``better`` (S,); return how many."""
        which = np.arange(self.shocks) if better is None else np.flatnonzero(better)
        which = which[np.isfinite(cuts.constant[which])]
        theta = coo_array((np.ones(len(which)), (np.arange(len(which)), which)), shape=(len(which), self.shocks))
        rows = csr_array(block_array([[csr_array(-cuts.slope[which]), theta]]))
        self.cuts.append((rows, cuts.constant[which]))
        self.counted += len(which)
        return len(which)

    def distribution(self, worst: Vector) -> bool:
        """Add a distribution that was found to be worst; return whether it is new."""
        if any(np.abs(worst - each).max() <= _SAME for each in self.known):
            return False
        self.known.append(worst)
        return True

    def estimate(self, plan: Vector) -> Vector:
        """Return what is known of the costs (S,) under a plan."""
        found = np.zeros(self.shocks)
        for rows, constant in self.cuts:
            values = constant - rows[:, : self.modules] @ plan
            np.maximum.at(found, rows[:, self.modules :].tocsr().indices, values)
        return found

    def solve(
        self, *, whole: bool, time_limit_s: float = math.inf, gap: float = 1e-6, start: Vector | None = None
    ) -> IntegerSolution:
        """Return the best plan for what is known; its bound holds for every plan."""
        program = self.program(whole=whole)
        return solve_integer(program, time_limit_s=time_limit_s, gap=gap, start=self._point(start))

    def program(self, *, whole: bool) -> MixedIntegerProgram:
        """Return the program on y (K), theta (S), z (S), eta and omega."""
        case, aim, count, modules = self.case, self.aim, self.shocks, self.modules
        stage_one, most = limits(case)
        weight, tail = aim.weight, aim.weight / (1.0 - aim.beta)
        none, ones = csr_array((count, modules)), np.ones((count, 1))
        above = block_array([[none, -eye_array(count), eye_array(count), csr_array(ones), csr_array((count, 1))]])
        omega = [
            csr_array(
                np.concatenate([np.zeros(modules), -(1.0 - weight) * p, -tail * p, [-weight * p.sum(), 1.0]])[
                    np.newaxis
                ]
            )
            for p in self.known
        ]
        wide = [_widened(rows, count + 2) for rows, _ in self.cuts]
        matrix = csr_array(vstack([_widened(stage_one, 2 * count + 2), above, *omega, *wide], format="csr"))
        lower = np.concatenate([
            np.full(len(most), -np.inf), np.zeros(count), np.zeros(len(omega)), *(each for _, each in self.cuts)
        ])  # fmt: skip
        upper = np.concatenate([most, np.full(len(lower) - len(most), np.inf)])
        cost = np.concatenate([unit_costs(case), np.zeros(2 * count + 1), [case.events_per_year]])
        integer = np.zeros(len(cost), dtype=np.bool_)
        integer[:modules] = whole
        room = np.concatenate([case.most.ravel().astype(np.float64), np.full(2 * count + 2, np.inf)])
        return MixedIntegerProgram(cost, room, integer, matrix, lower, upper)

    def _point(self, plan: Vector | None) -> Vector | None:
        """Return the whole point of a plan, for a start."""
        if plan is None:
            return None
        theta, eta = self.estimate(plan), 0.0
        aim, tail = self.aim, self.aim.weight / (1.0 - self.aim.beta)
        eta = aim.risk(theta, self.case.scenarios.probability).eta
        z = np.maximum(theta - eta, 0.0)
        omega = max(float(p @ ((1.0 - aim.weight) * theta + aim.weight * eta + tail * z)) for p in self.known)
        return np.concatenate([plan, theta, z, [eta, omega]])


def _widened(rows: csr_array, columns: int) -> csr_array:
    return csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], rows.shape[1] + columns))


def limits(case: PlacementCase) -> tuple[csr_array, Vector]:
    """Return the rows on y of inventories and budget, and their limits."""
    kinds, kind = len(case.types), of_type(case)
    rows = csr_array((np.ones(len(kind)), (kind, np.arange(len(kind)))), shape=(kinds, len(kind)))
    most = np.array([float(each.inventory) for each in case.types])
    if not math.isfinite(case.budget):
        return rows, most
    return csr_array(vstack([rows, csr_array(unit_costs(case)[np.newaxis])])), np.append(most, case.budget)
