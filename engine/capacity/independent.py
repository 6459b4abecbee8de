"""A check of an allocation by other solvers: the whole problem of every level, all rows at once.

Clarabel (an interior-point method) through cvxpy, and for linear levels HiGHS through scipy. What is compared is the
objective, which is unique where the allocation is not; each solver's own allocation is told as the largest distance.
Source of Clarabel: Goulart and Chen, "Clarabel: an interior-point solver for conic programs with quadratic
objectives", arXiv 2405.12762, 2024.
"""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Self

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from engine.capacity.allocation import usable_margin
from engine.capacity.conditions import ConditionRows, condition_rows
from engine.capacity.level import LevelProgram
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion, percent
from engine.errors import QuestionError
from engine.network.model import Vector

TOLERANCE_MW = 1e-5  # by which limits may be exceeded, and objectives differ at the median site
_STATUS = {0: "optimal", 1: "iteration limit", 2: "infeasible", 3: "unbounded", 4: "numerical trouble"}


@dataclass(frozen=True, slots=True)
class SolverCheck:
    """One level by one other solver."""

    epsilon: float  # 0 for firm
    solver: str
    status: str
    objective: float  # the other solver's
    own: float  # of the allocation that is checked
    difference: float  # own minus the other's: above 0 where the other found a better one
    apart_mw: float  # largest difference at one site; optima need not be unique
    rows: int
    time_s: float


@dataclass(frozen=True, slots=True)
class IndependentCheck:
    """What the other solvers say."""

    holds: bool
    checks: tuple[SolverCheck, ...]
    violation_mw: float  # largest excess of the allocation over a limit, a bound or a condition, over all rows
    violated: str  # at which limit, "" for none
    words: str
    time_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the record of :meth:`to_json`."""
        return cls(**{**content, "checks": tuple(SolverCheck(**row) for row in content["checks"])})


def check_independently(
    prepared: Prepared, question: CapacityQuestion, levels_mw: Sequence[Vector]
) -> IndependentCheck:
    """Return what other solvers say of the capacities (K,) of firm and each risk level.

    Raises QuestionError when the number of levels is not that of the question.
    """
    if len(levels_mw) != 1 + len(question.epsilons):
        raise QuestionError(f"{1 + len(question.epsilons)} levels are asked, {len(levels_mw)} were given")
    start = time.perf_counter()
    demand = np.array(question.demand_mw)
    factors = prepared.factors_of(question)
    rows = np.maximum(factors, 0.0) if question.downward_closed else factors
    conditions = condition_rows(question.conditions, prepared.network, question.candidates, demand)
    floor = np.zeros(len(demand))
    checks: list[SolverCheck] = []
    worst, where = 0.0, ""
    for epsilon, mw in zip((0.0, *question.epsilons), levels_mw, strict=True):
        problem = LevelProgram(rows, usable_margin(prepared, question, epsilon), floor, demand)
        over, at = _violation(prepared, question, problem, conditions, mw)
        if over > worst:
            worst, where = over, at
        level = _Level(question, problem, conditions, epsilon, mw)
        checks.append(level.by_clarabel())
        if question.objective != "sum_sq_ratio" and not conditions.spread:
            checks.append(level.by_scipy())
        floor = mw
    scale = TOLERANCE_MW / float(np.median(demand))
    agree = all(entry.status == "optimal" and abs(entry.difference) <= scale for entry in checks)
    holds = agree and worst <= TOLERANCE_MW
    return IndependentCheck(
        holds=holds,
        checks=tuple(checks),
        violation_mw=worst,
        violated=where if worst > TOLERANCE_MW else "",
        words=_words(checks, scale, worst, where),
        time_s=time.perf_counter() - start,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The whole problem of one level, and the allocation that is checked."""

    question: CapacityQuestion
    problem: LevelProgram
    conditions: ConditionRows
    epsilon: float
    mw: Vector

    def own(self) -> float:
        """Return the objective of the allocation; for the lexicographic one its first part, minus the least share."""
        share = self.mw / self.problem.demand_mw
        if self.question.objective == "lex_max_min":
            return -float(share.min())
        whole = (1.0 - share).sum() if self.question.objective == "sum_ratio" else ((1.0 - share) ** 2).sum()
        terms = (weight * float(((matrix @ self.mw) ** 2).sum()) for weight, matrix in self.conditions.spread)
        return float(whole) + sum(terms)

    def by_clarabel(self) -> SolverCheck:
        """Return what cvxpy with Clarabel finds."""
        import cvxpy  # noqa: PLC0415 (it takes a second to import)

        from engine.capacity.conditioned import Conditioned  # noqa: PLC0415

        cp: Any = cvxpy  # its types leave out most of what it exports
        begin = time.perf_counter()
        problem, demand = self.problem, self.problem.demand_mw
        share = cp.Variable(len(demand))  # of demand, so that all numbers are of a size
        c = cp.multiply(demand, share)
        terms, own_rules = Conditioned((), self.conditions).constraints(c)
        rules = [csr_array(problem.factors * demand) @ share <= problem.margin_mw, c >= problem.floor_mw, share <= 1.0]
        if self.question.objective == "lex_max_min":
            least = cp.Variable()
            rules.append(share >= least)
            aim = -least
        elif self.question.objective == "sum_ratio":
            aim = cp.sum(1.0 - share) + sum(terms)
        else:
            aim = cp.sum_squares(1.0 - share) + sum(terms)
        made = cp.Problem(cp.Minimize(aim), [*rules, *own_rules])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an inaccurate end is told by its status
                made.solve(solver=cp.CLARABEL)
            status = str(made.status)
        except cp.error.SolverError as error:
            status = str(error)
        found = None if share.value is None else demand * np.asarray(share.value)
        value = float(made.value) if found is not None else float("nan")
        return self._check(f"Clarabel {version('clarabel')} by cvxpy", status, value, found, begin)

    def by_scipy(self) -> SolverCheck:
        """Return what HiGHS finds when scipy calls it with all rows."""
        begin = time.perf_counter()
        problem, demand = self.problem, self.problem.demand_mw
        count, lex = len(demand), self.question.objective == "lex_max_min"
        rows = np.vstack([problem.factors, self.conditions.rows])
        ends = np.concatenate([problem.margin_mw, self.conditions.upper_mw])
        cost, offset = -1.0 / demand, float(count)
        bounds = list(zip(problem.floor_mw.tolist(), demand.tolist(), strict=True))
        if lex:
            rows = np.vstack(
                [np.hstack([rows, np.zeros((len(rows), 1))]), np.hstack([-np.diag(1 / demand), np.ones((count, 1))])]
            )
            ends = np.concatenate([ends, np.zeros(count)])
            cost, offset = np.append(np.zeros(count), -1.0), 0.0
            bounds.append((-1.0, 1.0))
        sparse: Any = csr_array(rows)  # scipy takes it; its types say arrays only
        answer: Any = linprog(cost, sparse, ends, bounds=bounds, method="highs")
        found = None if answer.x is None else np.asarray(answer.x[:count])
        value = float(answer.fun) + offset if found is not None else float("nan")
        return self._check(
            f"HiGHS by scipy {version('scipy')}", _STATUS.get(answer.status, "unknown"), value, found, begin
        )

    def _check(self, solver: str, status: str, value: float, found: Vector | None, begin: float) -> SolverCheck:
        known = found is not None and np.isfinite(value)
        return SolverCheck(
            epsilon=self.epsilon,
            solver=solver,
            status=status,
            objective=value if known else 0.0,
            own=self.own(),
            difference=self.own() - value if known else 0.0,
            apart_mw=float(np.abs(found - self.mw).max()) if found is not None else 0.0,
            rows=len(self.problem.margin_mw) + len(self.conditions.upper_mw),
            time_s=time.perf_counter() - begin,
        )


def _violation(
    prepared: Prepared, question: CapacityQuestion, problem: LevelProgram, conditions: ConditionRows, mw: Vector
) -> tuple[float, str]:
    """Return the largest excess of an allocation at a level, and where."""
    parts: list[tuple[Vector, Callable[[int], str]]] = [
        (problem.factors @ mw - problem.margin_mw, lambda row: prepared.limit(row).words),
        (problem.floor_mw - mw, lambda site: f"the level before at bus {question.candidates[site]}"),
        (mw - problem.demand_mw, lambda site: f"the demand at bus {question.candidates[site]}"),
        (conditions.rows @ mw - conditions.upper_mw, lambda row: question.conditions[conditions.owner[row]].title),
    ]
    worst, where = 0.0, ""
    for over, name in parts:
        if over.size and over.max() > worst:
            worst, where = float(over.max()), name(int(over.argmax()))
    return worst, where


def _words(checks: Sequence[SolverCheck], tolerance: float, worst: float, where: str) -> str:
    failed = [entry for entry in checks if entry.status != "optimal"]
    apart = [entry for entry in checks if entry.status == "optimal" and abs(entry.difference) > tolerance]
    solvers = " and ".join(dict.fromkeys(entry.solver for entry in checks))
    if worst > TOLERANCE_MW:
        return f"the allocation exceeds {where} by {worst:.6f} MW"
    if failed:
        one = failed[0]
        return f"{one.solver} ended without an optimum ({one.status}) at {_level(one)}"
    if apart:
        one = max(apart, key=lambda entry: abs(entry.difference))
        return f"{one.solver} differs by {one.difference:.3g} in the objective at {_level(one)}"
    return f"{solvers} find the same objective at every level, and every limit is kept"


def _level(entry: SolverCheck) -> str:
    return "firm" if entry.epsilon == 0 else f"{percent(entry.epsilon)} risk"
