"""The naive loop: the aggregator answers posted prices as if it could not move them, the operator posts new ones.

Undamped, the answer is a corner of the polyhedron, and the loop soon comes back to where it was: it cycles. Damped, the
aggregator remembers all prices posted so far and pays ``rho/2 |x - best|^2`` for moving: the proximal bundle
method on the operator's convex cost. It converges to the competitive outcome, not to the aggregator's optimum.
Source: Kiwiel, "Proximity control in bundle methods for convex nondifferentiable minimization", Math. Program. 46,
1990.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, csr_array

from engine.distribution.coordination import Clock, Coordination, Outcome, counted, judge
from engine.distribution.follower import Answer, Follower
from engine.distribution.frames import Matrix, Vector
from engine.distribution.regions import HourRegions
from engine.errors import QuestionError
from engine.program import LinearProgram, solve

_SAME_MW = 1e-6
_RHO = 4.0  # $/MWh per MW, at the beginning
_LEAST_RHO = 0.05
_SERIOUS = 0.1  # share of the fall that the posted prices promise


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """The loop's course and where it ended."""

    outcome: Outcome
    payments: Vector  # (k,), $ with delay, at the posted prices, round by round
    cycle: int | None  # how many rounds it takes to come back; None if it does not, 1 if the draws stand still
    draws_mw: tuple[Matrix, ...]  # (k,) of (T, J), round by round

    @property
    def settled(self) -> bool:
        """Return whether the draws stopped changing."""
        return self.cycle == 1


# The last point, what is paid round by round, how many rounds it takes to come back, and the draws round by round.
_Course = tuple[Vector, list[float], int | None, list[Matrix]]


def best_response(
    problem: Coordination,
    regions: tuple[HourRegions, ...] | None = None,
    *,
    damped: bool,
    rounds: int = 200,
    accuracy: float = 1e-6,
) -> Loop:
    """Return the loop from the least draws that do the work at equal prices.

    It ends when the draws come back to an earlier round, when the damped loop can lower the operator's cost by no more
    than ``accuracy`` (relative), or after ``rounds``. ``regions`` spare limits that never bind. Raises QuestionError
    for no rounds, and what the programs raise.
    """
    if rounds < 1:
        raise QuestionError(f"rounds is {rounds}; it must be at least 1")
    clock = Clock.start()
    fleet = problem.fleet
    followers = problem.followers if regions is None else tuple(hour.follower for hour in regions)
    point = solve(fleet.program(fleet.wide(np.ones(fleet.shape)))).optimum().x
    if damped:
        point, payments, cycle, course = _damped(problem, followers, point, (rounds, accuracy))
        name, status = "best response, damped", "settled" if cycle else "still moving"
    else:
        point, payments, cycle, course = _undamped(problem, followers, point, rounds)
        name = "best response"
        status = "settled" if cycle == 1 else f"cycle of {cycle} rounds" if cycle else "no end"
    outcome = judge(problem, name, point, (-np.inf, status, clock), (counted(len(payments), "round"),))
    return Loop(outcome, np.array(payments), cycle, tuple(course))


def _posted(problem: Coordination, followers: tuple[Follower, ...], point: Vector) -> list[Answer]:
    draws = problem.fleet.draws(point)
    return [follower.solve(x) for follower, x in zip(followers, draws, strict=True)]


def _paid(problem: Coordination, point: Vector, answers: list[Answer]) -> float:
    draws = problem.fleet.draws(point)
    return float(problem.fleet.delay_cost @ point) + sum(a.payment(x) for a, x in zip(answers, draws, strict=True))


def _undamped(problem: Coordination, followers: tuple[Follower, ...], point: Vector, rounds: int) -> _Course:
    fleet = problem.fleet
    course: list[Matrix] = []
    payments: list[float] = []
    for _ in range(rounds):
        draws = fleet.draws(point)
        back = [k for k, old in enumerate(course) if np.abs(old - draws).max() <= _SAME_MW]
        if back:
            return point, payments, len(course) - back[-1], course
        course.append(draws)
        answers = _posted(problem, followers, point)
        payments.append(_paid(problem, point, answers))
        point = solve(fleet.program(fleet.wide(np.array([answer.price for answer in answers])))).optimum().x
    return point, payments, None, course


def _damped(
    problem: Coordination, followers: tuple[Follower, ...], point: Vector, limits: tuple[int, float]
) -> _Course:
    rounds, accuracy = limits
    fleet = problem.fleet
    bundle = _Bundle(problem)
    answers = _posted(problem, followers, point)
    bundle.add(fleet.draws(point), answers)
    best = sum(answer.value for answer in answers) + float(fleet.delay_cost @ point)
    payments, course = [_paid(problem, point, answers)], [fleet.draws(point)]
    for _ in range(rounds):
        tried, promised = bundle.step(point)
        if best - promised <= accuracy * (1.0 + abs(best)):
            return point, payments, 1, course
        answers = _posted(problem, followers, tried)
        payments.append(_paid(problem, tried, answers))
        course.append(fleet.draws(tried))
        bundle.add(fleet.draws(tried), answers)
        reached = sum(answer.value for answer in answers) + float(fleet.delay_cost @ tried)
        if best - reached >= _SERIOUS * (best - promised):
            point, best = tried, reached
            bundle.rho = max(_LEAST_RHO, bundle.rho / 2.0)
    return point, payments, None, course


class _Bundle:
    """What has been posted: in every hour V is at least its tangent at each round's draws."""

    def __init__(self, problem: Coordination) -> None:
        self._fleet = problem.fleet
        self.rho = _RHO
        self._slopes: list[Vector] = []  # (T J,), of a round
        self._constants: list[Vector] = []  # (T,), of a round

    def add(self, draws: Matrix, answers: list[Answer]) -> None:
        self._slopes.append(np.concatenate([answer.price for answer in answers]))
        self._constants.append(np.array([a.value - a.price @ x for a, x in zip(answers, draws, strict=True)]))

    def step(self, centre: Vector) -> tuple[Vector, float]:
        """Return the next draws, and the cost with delay that what has been posted promises there."""
        fleet = self._fleet
        hours, count = fleet.shape
        width, size, told = len(centre), hours * count, len(self._slopes)
        rows = np.kron(np.ones((told, 1)), np.kron(np.eye(hours), np.ones((1, count))))
        on_draws = rows * np.repeat(np.array(self._slopes), hours, axis=0)
        tangents = csr_array(np.hstack([-on_draws, np.zeros((told * hours, width - size))]))
        above = csr_array(np.kron(np.ones((told, 1)), np.eye(hours)))
        curved, cost = np.zeros(width + hours), np.concatenate([fleet.delay_cost, np.ones(hours)])
        curved[:size] = self.rho
        cost[:size] -= self.rho * centre[:size]
        program = LinearProgram(
            cost=cost,
            matrix=csr_array(block_array([[fleet.matrix, None], [tangents, above]], format="csr")),
            row_lower=np.concatenate([fleet.row_lower, *self._constants]),
            row_upper=np.concatenate([fleet.row_upper, np.full(told * hours, np.inf)]),
            lower=np.concatenate([fleet.lower, np.full(hours, -np.inf)]),
            upper=np.concatenate([fleet.upper, np.full(hours, np.inf)]),
            quadratic=curved,
        )
        found = solve(program).optimum().x
        return found[:width], float(found[width:].sum() + fleet.delay_cost @ found[:width])
