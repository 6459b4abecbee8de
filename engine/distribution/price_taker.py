"""The competitive outcome: draws and operation chosen together at least cost, so that nobody moves a price.

One convex program over the day. Its duals are the prices, and with them the draws are the aggregator's own best answer.
No draws whatever have a lower system cost with delay. By convexity the aggregator pays at least V(x) - V(0) in every
hour, so that cost less the operator's without data centres is also a bound on what any strategy can pay.
Source: Samuelson, "Spatial price equilibrium and linear programming", Am. Econ. Rev. 42, 1952.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, block_diag, csr_array, diags_array

from engine.distribution.coordination import Clock, Coordination, Outcome, judge
from engine.distribution.follower import Follower
from engine.distribution.frames import Matrix, Vector
from engine.errors import SolverError
from engine.program import LinearProgram, Status, certificate, solve

_KEPT = 1e-9  # what a limit may be exceeded by, p.u. squared or MW
_CERTIFIED = 1e-6
_ENERGY = 100.0  # $/MWh


@dataclass(frozen=True, slots=True, eq=False)
class Equilibrium:
    """The competitive outcome and the prices of its own program."""

    outcome: Outcome
    price_per_mwh: Matrix  # (T, J), duals
    cost: float  # $, of the system with delay: no draws have less
    payment_bound: float  # $: no draws cost the aggregator less


def price_taker(problem: Coordination) -> Equilibrium:
    """Return the draws of least system cost. Raises SolverError if no certified optimum is found."""
    clock = Clock.start()
    names = [frozenset[str]() for _ in problem.followers]
    while True:
        small = [full.keep(kept) for full, kept in zip(problem.followers, names, strict=True)]
        program, unit = _program(problem, small)
        solution = solve(program, interior=True)
        solution = (solution if solution.status is Status.OPTIMAL else solve(program)).optimum()
        width = len(problem.fleet.lower)
        point = solution.x[:width]
        draws = problem.fleet.draws(point)
        new, at = False, width
        for hour, (full, part) in enumerate(zip(problem.followers, small, strict=True)):
            z = (solution.x * unit)[at : at + len(part.cost)]
            more = _exceeded(full, part, z, draws[hour]) - names[hour]
            new |= bool(more)
            names[hour] |= more
            at += len(part.cost)
        if not new:
            break
    judged = certificate(program, solution)
    if not judged.holds(_CERTIFIED):
        raise SolverError(f"the competitive outcome of {solution.solver} holds only to {judged}")
    prices = _prices(problem, small, solution.row_dual)
    idle = sum(follower.solve(np.zeros(draws.shape[1])).value for follower in problem.followers)
    bound = solution.objective - idle
    outcome = judge(problem, "price taker", point, (bound, "optimal", clock))
    return Equilibrium(outcome, prices, solution.objective, bound)


def _program(problem: Coordination, small: list[Follower]) -> tuple[LinearProgram, Vector]:
    """Return the program over the fleet's columns and then every hour's z, and the unit (n,) of each column.

    What exceeds a limit is counted in units that cost about what energy does: beside prices of 1e5 a solver takes an
    error of cents in all other prices for none.
    """
    fleet, count = problem.fleet, problem.fleet.shape[1]
    blocks, lows, highs = [fleet.matrix], [fleet.row_lower], [fleet.row_upper]
    width = len(fleet.lower)
    couplings = []
    for hour, part in enumerate(small):
        pick = np.zeros((count, width))
        pick[np.arange(count), hour * count + np.arange(count)] = 1.0
        couplings.append(csr_array(np.vstack([-part.drawn, -part.shift]) @ pick))
        blocks.append(csr_array(np.vstack([part.equal, part.rows])))
        lows.append(np.concatenate([part.right, np.full(len(part.limit), -np.inf)]))
        highs.append(np.concatenate([part.right, part.limit]))
    zs = csr_array(block_diag(blocks[1:], format="csr"))
    left = csr_array(block_array([[block] for block in couplings], format="csr"))
    none = csr_array((fleet.matrix.shape[0], zs.shape[1]))
    total = zs.shape[1]
    cost = np.concatenate([fleet.delay_cost, *(part.cost for part in small)])
    slack = np.concatenate([np.zeros(width, dtype=np.bool_), *(part.slack for part in small)])
    unit = np.where(slack & (cost > _ENERGY), _ENERGY / np.maximum(cost, _ENERGY), 1.0)
    matrix = csr_array(block_array([[fleet.matrix, none], [left, zs]], format="csr"))
    quadratic = np.concatenate([np.zeros(width), *(part.quadratic for part in small)])
    program = LinearProgram(
        cost=cost * unit,
        matrix=csr_array(matrix @ diags_array(unit)),
        row_lower=np.concatenate(lows),
        row_upper=np.concatenate(highs),
        lower=np.concatenate([fleet.lower, np.full(total, -np.inf)]),
        upper=np.concatenate([fleet.upper, np.full(total, np.inf)]),
        quadratic=quadratic * unit**2,
        offset=float(sum(part.offset for part in small)),
    )
    return program, unit


def _exceeded(full: Follower, part: Follower, z: Vector, x: Vector) -> set[str]:
    """Return the three limits of the feeder that z exceeds most, of those that are not in the program."""
    place = [full.columns.index(name) for name in part.columns]
    over = np.where(full.own, full.rows[:, place] @ z - full.limit - full.shift @ x, -np.inf)
    return {full.names[at] for at in np.argsort(-over)[:3].tolist() if over[at] > _KEPT}


def _prices(problem: Coordination, small: list[Follower], dual: Vector) -> Matrix:
    found = []
    at = problem.fleet.matrix.shape[0]
    for part in small:
        lam = dual[at : at + len(part.right)]
        mu = -dual[at + len(part.right) : at + len(part.right) + len(part.limit)]
        found.append(part.drawn.T @ lam - part.shift.T @ mu)
        at += len(part.right) + len(part.limit)
    return np.array(found)
