"""The program of one level under a reader's own conditions: cvxpy, with the network's rows brought in as needed.

Without conditions the level's own programs are used (:mod:`engine.capacity.level_solver`). From Python, ``extend`` may
add any convex terms and constraints that cvxpy can write, on the variable of the MW granted.
Source of the modelling language: Diamond and Boyd, "CVXPY: a Python-embedded modeling language for convex
optimization", J. Machine Learning Research 17, 2016.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cvxpy
import numpy as np

from engine.capacity.conditions import Condition, ConditionRows
from engine.capacity.level import TIGHT_MW, LevelProgram, Optimum
from engine.capacity.level_solver import Extend
from engine.capacity.question import Objective, TieRule
from engine.capacity.results import Limit
from engine.errors import InfeasibleError, Problem, QuestionError, SolverError
from engine.network.model import Integers, Vector

cp: Any = cvxpy  # its types leave out most of what it exports

_BROKEN_MW = 1e-7
_NEAR_MW = 1e-3  # of its demand: a conic solver leaves less than this of a site that is served
_MOST_NEW_ROWS = 200
_DUAL_ZERO = 1e-6
_SAME_MW = 1e-8  # what a later stage may lose of an optimum, in MW at the median site
_BACK_MW = 1e-6  # an interior point's answer this little outside is put back inside
_GOOD = {cp.OPTIMAL, cp.OPTIMAL_INACCURATE}


@dataclass(frozen=True, slots=True, eq=False)
class Conditioned:
    """Levels under conditions and, from Python, a reader's own terms and constraints."""

    conditions: Sequence[Condition]
    rows: ConditionRows
    extend: Extend | None = None

    def solve(
        self, problem: LevelProgram, objective: Objective, tie_rule: TieRule, warm: Integers | None = None
    ) -> Optimum:
        """Return the allocation of one level.

        Raises InfeasibleError naming conditions that cannot be kept together, QuestionError for terms that are not
        convex or not for this objective, SolverError when the solver stops without an optimum.
        """
        program = _Lazy(problem, self, warm)
        if objective == "lex_max_min":
            if program.terms:
                raise QuestionError("the lexicographic objective has no sum to add a term to: choose unserved shares")
            program.fairest([])
            return self._optimum(program, None, None, float(np.min(program.mw / problem.demand_mw)))
        value = program.least(program.objective(objective), [])
        dual, prices = program.dual, program.prices
        if objective == "sum_ratio" and not program.terms:
            scale = float(np.median(problem.demand_mw))  # to MW, in which the solver's tolerances are meant
            same = scale * program.objective(objective) <= scale * value + _SAME_MW
            if tie_rule == "lex_max_min":
                program.fairest([same])
            else:
                program.least(cp.sum_squares(program.c), [same])
        return self._optimum(program, dual, prices, value)

    def most_total(self, problem: LevelProgram, warm: Integers | None = None) -> Vector:
        """Return the (K,) allocation of the largest total under the conditions."""
        program = _Lazy(problem, self, warm)
        program.least(-cp.sum(program.c), [])
        return program.mw

    def whole(self, problem: LevelProgram) -> LevelProgram:
        """Return ``problem`` with the conditions as further rows, whose ends may be negative."""
        rows = np.vstack([problem.factors, self.rows.rows])
        ends = np.concatenate([problem.margin_mw, self.rows.upper_mw])
        return LevelProgram(rows, ends, problem.floor_mw, problem.demand_mw)

    def limit(self, place: int) -> Limit:
        """Return the condition behind the further row ``place``."""
        condition = self.conditions[self.rows.owner[place]]
        name = f"{condition.name}, {condition.words()}" if condition.name else condition.words()
        return Limit(-1, "condition", condition.title, f"condition {name}", condition.mw or 0.0)

    def constraints(self, c: Any) -> tuple[list[Any], list[Any]]:
        """Return the terms and the constraints on the variable ``c`` (K,) that are not the network's."""
        rules: list[Any] = [self.rows.rows @ c <= self.rows.upper_mw] if len(self.rows.rows) else []
        terms = [weight * cp.sum_squares(matrix @ c) for weight, matrix in self.rows.spread]
        if self.extend is not None:
            own_terms, own_rules = self.extend(c)
            for term in own_terms:
                if not (term.is_convex() and term.is_scalar()):
                    raise QuestionError(f"a term of the objective must be a convex number, found {term}")
            if any(not rule.is_dcp() for rule in own_rules):
                raise QuestionError("a constraint of one's own must be convex (cvxpy's rules)")
            terms += own_terms
            rules += own_rules
        return terms, rules

    def _optimum(self, program: "_Lazy", dual: Vector | None, prices: Vector | None, value: float) -> Optimum:
        """Return the program's point as an optimum.

        ``dual`` belongs to the first of its rows and ``prices`` to the conditions; None where there are none.
        """
        problem, whole = program.problem, self.whole(program.problem)
        first = len(problem.margin_mw)
        rows = np.concatenate([program.rows, np.arange(first, len(whole.margin_mw))])
        price = np.zeros(len(rows))
        if dual is None:
            named = whole.margin_mw[rows] - whole.factors[rows] @ program.mw < 10 * TIGHT_MW
        else:
            price[: len(dual)] = dual
            price[len(program.rows) :] = prices
            size = np.abs(whole.factors[rows]).max(axis=1, initial=0.0) * float(np.median(problem.demand_mw))
            named = price * size > _DUAL_ZERO
        order = np.argsort(rows[named], kind="stable")
        over = float(np.max(problem.factors @ program.mw - problem.margin_mw, initial=0.0))
        missed = float(np.max(self.rows.rows @ program.mw - self.rows.upper_mw, initial=0.0))
        return Optimum(
            mw=program.mw,
            rows=rows[named][order],
            dual=price[named][order],
            gain=None,
            objective=value,
            status="optimal",
            gap=0.0,
            solver=f"cvxpy {cp.__version__} with {program.solver}",
            checks={"most_over_margin_mw": max(over, 0.0), "most_over_condition_mw": max(missed, 0.0)},
            used_rows=np.sort(program.rows),
        )


def _prices(rule: Any, count: int) -> Vector:
    """Return the duals (count,) of a cvxpy inequality; zeros where it has none."""
    price = rule.dual_value
    return np.zeros(count) if price is None else np.maximum(np.atleast_1d(np.asarray(price, dtype=np.float64)), 0.0)


class _Lazy:
    """One level as a cvxpy problem over the rows brought in so far."""

    def __init__(self, problem: LevelProgram, rules: Conditioned, warm: Integers | None) -> None:
        self.problem = problem
        small, kept = problem.reduced()
        begin = kept[small.start_rows()] if len(kept) else np.zeros(0, dtype=np.intp)
        self.rows = begin if warm is None else np.union1d(begin, warm).astype(np.intp)
        self.c = cp.Variable(len(problem.demand_mw))
        self.terms, self.own = rules.constraints(self.c)
        self._rules = rules
        self.mw, self.solver = problem.floor_mw.copy(), ""
        self.dual, self.prices = np.zeros(len(self.rows)), np.zeros(len(rules.rows.rows))

    def objective(self, objective: Objective) -> Any:
        """Return the question's objective with the terms of the conditions."""
        unserved = cp.multiply(1.0 / self.problem.demand_mw, self.problem.demand_mw - self.c)
        whole = cp.sum(unserved) if objective == "sum_ratio" else cp.sum_squares(unserved)
        return whole + sum(self.terms)

    def least(self, objective: Any, rules: list[Any]) -> float:
        """Minimise over all rows and return the value; the point is in ``mw``, prices in ``dual`` and ``prices``."""
        problem, c = self.problem, self.c
        while True:
            network = problem.factors[self.rows] @ c <= problem.margin_mw[self.rows]
            bounds = [c >= problem.floor_mw, c <= problem.demand_mw]
            made = cp.Problem(cp.Minimize(objective), [*bounds, *self.own, *rules, network])
            self._run(made)
            mw = np.clip(np.asarray(c.value, dtype=np.float64), problem.floor_mw, problem.demand_mw)
            over = problem.factors @ mw - problem.margin_mw
            over[self.rows] = 0.0
            broken = np.flatnonzero(over > _BROKEN_MW)
            if not broken.size:
                self.mw = self._served(self._inside(mw))
                self.dual = _prices(network, len(self.rows))
                if len(self.prices):
                    self.prices = _prices(self.own[0], len(self.prices))
                return float(made.value)
            worst = broken[np.argsort(-over[broken], kind="stable")[:_MOST_NEW_ROWS]]
            self.rows = np.concatenate([self.rows, worst])

    def fairest(self, rules: list[Any]) -> None:
        """Find the lexicographic max-min of served shares under ``rules``: raise the least share, fix what stops."""
        demand, count = self.problem.demand_mw, len(self.problem.demand_mw)
        fixed: list[Any] = []
        open_ = np.ones(count, dtype=np.bool_)
        while open_.any():
            level, place = cp.Variable(), np.flatnonzero(open_)
            least = self.c[place] - cp.multiply(demand[place], level * np.ones(len(place))) >= 0
            self.least(-level, [*rules, *fixed, least, level <= 1.0])
            price = np.atleast_1d(least.dual_value) * demand[place]
            stopped = place[price > 1e-5]
            if not stopped.size or float(level.value) >= 1.0 - 1e-9:
                stopped = place
            held = np.maximum(float(level.value) * demand[stopped] - 1e-9, self.problem.floor_mw[stopped])
            fixed.append(self.c[stopped] >= held)
            open_[stopped] = False

    def _run(self, made: Any) -> None:
        """Solve: HiGHS where it can, else Clarabel."""
        smooth = made.is_lp()
        self.solver = cp.HIGHS if smooth else cp.CLARABEL
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "solution may be inaccurate" is judged below by its violations
                made.solve(solver=self.solver)
        except cp.error.SolverError as error:
            raise SolverError(f"cvxpy found no allocation under the conditions: {error}") from None
        if made.status in {cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE}:
            raise self._infeasible()
        if made.status not in _GOOD:
            raise SolverError(f"cvxpy stopped without an allocation under the conditions: {made.status}")

    def _infeasible(self) -> InfeasibleError:
        """Return the error that names which conditions cannot be kept, by the least that each would have to give."""
        rows, problem, c = self._rules.rows, self.problem, self.c
        conditions = self._rules.conditions
        if not len(rows.rows):
            return InfeasibleError("no allocation keeps the constraints that were given")
        give = cp.Variable(len(rows.rows), nonneg=True)
        limits = [problem.factors @ c <= problem.margin_mw, c >= problem.floor_mw, c <= problem.demand_mw]
        cp.Problem(cp.Minimize(cp.sum(give)), [*limits, rows.rows @ c - give <= rows.upper_mw]).solve(solver=cp.HIGHS)
        missing: dict[int, float] = {}
        for row, mw in enumerate(np.asarray(give.value).tolist()):
            if mw > 10 * TIGHT_MW:
                missing[rows.owner[row]] = missing.get(rows.owner[row], 0.0) + mw
        if not missing:
            return InfeasibleError("no allocation keeps the constraints that were given")
        lines = [f"{conditions[place].title!r} misses {mw:.1f} MW" for place, mw in missing.items()]
        found = [Problem("condition", "error", line, element=conditions[place].title) for place, line in
                 zip(missing, lines, strict=True)]  # fmt: skip
        return InfeasibleError(f"no allocation keeps every condition: {'; '.join(lines)}", found)

    def _served(self, mw: Vector) -> Vector:
        """Return ``mw`` with sites that a solver's tolerance left just below their demand served, where rows allow."""
        problem, own = self.problem, self._rules.rows
        if self._rules.extend is not None:  # constraints that are not rows
            return mw
        left = problem.demand_mw - mw
        for site in np.flatnonzero((left > 0.0) & (left < _NEAR_MW)).tolist():
            tried = mw.copy()
            tried[site] = problem.demand_mw[site]
            over = np.concatenate([problem.factors @ tried - problem.margin_mw, own.rows @ tried - own.upper_mw])
            if over.max(initial=0.0) <= 0.0:
                mw = tried
        return mw

    def _inside(self, mw: Vector) -> Vector:
        """Return ``mw`` moved by a hair towards the floor where a solver's tolerance left it outside a row."""
        problem = self.problem
        over = problem.factors @ mw - problem.margin_mw
        worst = float(over.max(initial=0.0))
        if worst <= 0.0:
            return mw
        if worst > 1e-3:
            raise SolverError(f"an allocation under conditions exceeds a limit by {worst:.3g} MW")
        floor_room = problem.margin_mw - problem.factors @ problem.floor_mw
        gain = problem.factors @ (mw - problem.floor_mw)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(over > 0, np.maximum(floor_room, 0.0) / gain, 1.0)
        part = float(min(1.0, share.min(initial=1.0)))
        return problem.floor_mw + part * (mw - problem.floor_mw)
