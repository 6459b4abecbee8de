"""Plans against the two rules of thumb in sample: each by the aim, and on the shocks, that it was made for.

A rule's plan keeps every limit, so a bound of a search is below its cost as well: a plan that was searched for costs at
most what the rule's does and what its own search left open.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from components.format import count, signed
from components.hubs_tables import Rows
from components.resilience_cards import inputs_of
from components.resilience_words import METHODS, NOTES, SOURCE_SEARCH, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.why_card import why_card
from engine.resilience.baselines import mean_shock
from engine.resilience.compare import CHOSEN, Method, Planned, aim_of
from engine.resilience.evaluation import evaluate
from engine.resilience.placement import Aim, unit_costs

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

RULES: tuple[Method, ...] = ("uniform", "peak")
COMPUTED = ("own", "theirs", "apart", "open")  # columns of numbers, each with its card
_ALIKE = 1e-6  # of an objective: what two solves of one plan may differ by


@dataclass(frozen=True, slots=True)
class Against:
    """A plan that was searched for, against a rule of thumb; all in $ a year, by the plan's own aim."""

    method: Method
    rule: Method
    own: float
    theirs: float
    bound: float  # minus infinity where nothing is proved
    same: bool  # the two plans

    @property
    def apart(self) -> float:
        """Return the plan less the rule: negative where the plan is cheaper."""
        return 0.0 if self.same else self.own - self.theirs

    @property
    def open(self) -> float:
        """Return by how much a better plan may still be cheaper than this one."""
        return max(0.0, self.own - self.bound)

    @property
    def told(self) -> str:
        """Return which is cheaper, in words, and whether the gap explains where the plan is not."""
        if self.same:
            return "the same plan"
        hair = _ALIKE * abs(self.own)
        if abs(self.apart) <= hair:
            return "as dear"
        if self.apart < 0.0:
            return "cheaper"
        return "dearer, within its gap" if self.apart <= self.open + hair else "dearer than its gap explains"


@lru_cache(maxsize=4)
def against(run: "ResilienceRun") -> tuple[Against, ...]:
    """Return each plan that was searched for against each rule of thumb, as far as they are known."""
    ruled = [found for rule in RULES if (found := run.of(rule)) is not None]
    return tuple(
        Against(each.method, rule.method, each.own_objective, _objective(run, each.method, rule), each.bound,
                bool((each.plan == rule.plan).all()))
        for each in run.planned if each.status is not None for rule in ruled
    )  # fmt: skip


def _objective(run: "ResilienceRun", method: Method, rule: Planned) -> float:
    """Return what the plan of a rule costs, $ a year, by the aim and on the shocks of another method."""
    if method == CHOSEN:
        return rule.objective
    question = run.question
    case = mean_shock(run.case) if method == "mean shock" else run.case
    outcomes = rule.outcomes if case is run.case else evaluate(case, rule.plan.astype(np.float64))
    aim = aim_of(method, Aim(question.weight, question.beta))  # only the chosen plan's has its doubt
    risk = aim.risk(outcomes.cost, case.scenarios.probability).value
    return float(unit_costs(case) @ rule.plan) + case.events_per_year * risk


def story(run: "ResilienceRun") -> str:
    """Return in words whether every plan beats both rules in sample, and why where one does not."""
    found = against(run)
    if not found:
        return ""
    names = count(len({each.method for each in found}), "plan")
    lost = [each for each in found if each.told != "cheaper"]
    if not lost:
        least = max(found, key=lambda each: each.apart)
        first = (
            f"In sample each of {names} that were searched for beats the rules of thumb by its own aim; the closest is "
            f"{METHODS[least.method]} against {METHODS[least.rule]}, by {dollars(-least.apart)} a year."
        )
    else:
        told = "; ".join(f"{METHODS[each.method]} against {METHODS[each.rule]} is {_why(each)}" for each in lost)
        first = f"In sample, by their own aims, {len(found) - len(lost)} of {len(found)} pairs are won: {told}."
    worse = _beaten_by_the_aim(run)
    other = f" By the aim of the question {worse}, made for another aim." if worse else ""
    return first + other


def _why(each: Against) -> str:
    if each.apart <= 0.0 or not each.told.startswith("dearer"):
        return each.told
    left = dollars(each.open) if math.isfinite(each.bound) else "any amount"
    return f"{each.told}: {dollars(each.apart)} a year, where its search left {left} open"


def _beaten_by_the_aim(run: "ResilienceRun") -> str:
    """Return which other plans a rule beats by the question's own aim, "" for none."""
    told = []
    for name in RULES:
        rule = run.of(name)
        beaten = [
            f"the plan {METHODS[each.method]}" for each in run.planned if rule is not None and each.status is not None
            and each.method != CHOSEN and each.objective > rule.objective * (1.0 + _ALIKE)
        ]  # fmt: skip
        if beaten:
            told.append(f"the plan {METHODS[name]} costs less than {' and '.join(beaten)}")
    return "; ".join(told)


def rows(run: "ResilienceRun") -> Rows:
    """Return columns and rows: one row for each plan and rule of thumb."""
    columns = [
        GridColumn("plan", "Plan"),
        GridColumn("rule", "Rule of thumb"),
        GridColumn("own", "Plan, its own aim", "$ a year", "number", digits=0),
        GridColumn("theirs", "Rule, the same aim", "$ a year", "number", digits=0),
        GridColumn("apart", "Plan less rule", "$ a year", "number", digits=0),
        GridColumn("open", "Plan less bound", "$ a year", "number", digits=0),
        GridColumn("told", "The plan is"),
    ]
    found: list[dict[str, Any]] = [
        {
            "plan": METHODS[each.method], "rule": METHODS[each.rule], "own": each.own, "theirs": each.theirs,
            "apart": each.apart, "open": each.open if math.isfinite(each.bound) else None, "told": each.told,
        }
        for each in against(run)
    ]  # fmt: skip
    return columns, found


def cards(run: "ResilienceRun") -> dict[tuple[int, str], Part]:
    """Return the card of each number of the table, by its row and column."""
    return {
        (row, name): card(run, each, name)
        for row, each in enumerate(against(run))
        for name in COMPUTED
        if name != "open" or math.isfinite(each.bound)
    }


def card(run: "ResilienceRun", each: Against, name: str) -> Part:
    """Return why a number of the table is what it is; ``name`` is its column."""
    plan, rule = METHODS[each.method], METHODS[each.rule]
    title = {
        "own": f"{dollars(each.own)} a year: the plan {plan}",
        "theirs": f"{dollars(each.theirs)} a year: {rule}, by the aim of {plan}",
        "apart": f"{signed(each.apart, 0)}\u00a0$ a year: {plan} less {rule}",
        "open": f"{dollars(each.open)} a year: what the search for {plan} left open",
    }[name]
    return why_card(
        title,
        formula="*F*_m( *y* ) = Σ_k *c*_k *y*_k + *N* · risk_m( *Q*( *y* ) ),  bound_m ≤ *F*_m( *y*^{rule} )",
        values=[
            ("*F*_m of the plan", dollars(each.own)),
            ("*F*_m of the rule", dollars(each.theirs)),
            ("bound_m", dollars(each.bound) if math.isfinite(each.bound) else "none"),
            ("*m*", NOTES[each.method]),
            ("the rule", NOTES[each.rule].replace("the last", METHODS[CHOSEN])),
            ("the plan is", each.told),
        ],
        inputs=inputs_of(run), source=SOURCE_SEARCH,
        note="The rule keeps every limit, so the bound holds for it too: a plan can be dearer by no more than what its "
        "search left open."
        + (" Both meet the mean shock alone." if each.method == "mean shock" else ""),
    )  # fmt: skip
