"""Plans against rules of thumb in sample, on the example that comes with the program; laws judge them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from components import resilience_methods, resilience_rules
from components.format import number, signed
from components.resilience_cards import metrics_of
from components.resilience_rules import RULES, Against, against, card, story
from components.resilience_words import METHODS, At
from engine.program import Status
from engine.resilience.compare import CHOSEN, Method
from engine.resilience.run import ResilienceRun
from tests.callbacks.screen import text
from tests.components.test_resilience_panels import example, written

SEARCHED: tuple[Method, ...] = ("mean shock", "risk neutral", "CVaR", CHOSEN)


@pytest.fixture
def run() -> ResilienceRun:
    return example()


def with_plan(run: ResilienceRun, method: Method, own: float, bound: float) -> ResilienceRun:
    """Return the run with another objective and bound of a plan."""
    changed = tuple(
        replace(each, own_objective=own, bound=bound, status=Status.TIME_LIMIT) if each.method == method else each
        for each in run.planned
    )
    return replace(run, planned=changed)


def test_no_plan_costs_more_than_a_rule_of_thumb_and_what_its_own_search_left_open(run: ResilienceRun) -> None:
    """The law of a bound: the rule's plan is one of those it is below."""
    found = against(run)
    assert {(each.method, each.rule) for each in found} == {(one, rule) for one in SEARCHED for rule in RULES}
    for each in found:
        case = run.case
        rule = run.of(each.rule)
        assert rule is not None
        assert case.allowed(rule.plan.astype(np.float64).reshape(len(case.types), len(case.sites)))
        assert each.bound <= each.theirs * (1.0 + 1e-9)
        assert each.own <= each.theirs + (each.own - each.bound) + 1e-6 * abs(each.own)


def test_a_rule_s_cost_is_that_of_its_metrics_by_each_aim(run: ResilienceRun) -> None:
    """Tables of metrics have the mean and the tail by another way: a plan's year, and CVaR from sorted shocks."""
    question, events = run.question, run.case.events_per_year
    assert question.beta == pytest.approx(0.95)  # of the metrics
    for each in against(run):
        told, rule = metrics_of(run, each.rule, "train"), run.of(each.rule)
        assert told is not None
        assert rule is not None
        if each.method == "risk neutral":
            assert each.theirs == pytest.approx(told.year, rel=1e-9)
        elif each.method == "CVaR":
            risk = (1.0 - question.weight) * told.mean_cost + question.weight * told.cvar_cost
            assert each.theirs == pytest.approx(told.capital + events * risk, rel=1e-6)
        elif each.method == CHOSEN:
            assert each.theirs == pytest.approx(rule.objective, rel=1e-12)
        else:  # one shock, of no negative cost
            assert told.capital <= each.theirs < math.inf


def test_the_page_says_that_every_plan_wins_and_by_how_much_the_nearest(run: ResilienceRun) -> None:
    found = against(run)
    assert {each.told for each in found} == {"cheaper"}
    least = min(found, key=lambda each: each.theirs - each.own)
    told = story(run)
    for part in (f"each of {len(SEARCHED)} plans", f"{METHODS[least.method]} against {METHODS[least.rule]}",
                 number(least.theirs - least.own)):  # fmt: skip
        assert part in told, part
    assert told in text(resilience_methods.content(run, At()))
    # By the question's aim those that were made for another may lose: named from the plans' own table.
    by_aim = {row["method"]: row["objective"] for row in resilience_methods.plans(run)[1]}
    other = told.split("By the aim of the question")[1]
    for each in SEARCHED:
        assert (METHODS[each] in other.split("; ")[0]) == (by_aim[each] > by_aim["uniform"]), each


def test_a_plan_that_loses_says_whether_its_gap_explains_it(run: ResilienceRun) -> None:
    rule = next(each.theirs for each in against(run) if (each.method, each.rule) == ("CVaR", "uniform"))
    lost = with_plan(run, "CVaR", rule + 300.0, rule - 200.0)
    row = next(each for each in against(lost) if (each.method, each.rule) == ("CVaR", "uniform"))
    assert (row.apart, row.open) == pytest.approx((300.0, 500.0))
    assert row.told == "dearer, within its gap"
    assert "CVaR against spread evenly is dearer, within its gap: 300" in story(lost)
    assert "left 500" in story(lost)
    assert "7 of 8 pairs are won" in story(lost)
    unproved = with_plan(run, "CVaR", rule + 300.0, -math.inf)
    assert "left any amount open" in story(unproved)
    columns, rows = resilience_rules.rows(unproved)
    assert {column.name for column in columns} <= set(rows[0])
    assert rows[4]["open"] is None
    assert (4, "open") not in resilience_rules.cards(unproved)
    wrong = with_plan(run, "CVaR", rule + 300.0, rule + 100.0)  # a bound that is none: not hidden
    assert "dearer than its gap explains" in story(wrong)


def test_equal_plans_are_told_to_be_the_same(run: ResilienceRun) -> None:
    even = run.of("uniform")
    assert even is not None
    same = tuple(replace(each, plan=even.plan.copy()) if each.method == CHOSEN else each for each in run.planned)
    row = next(each for each in against(replace(run, planned=same)) if (each.method, each.rule) == (CHOSEN, "uniform"))
    assert (row.apart, row.told) == (0.0, "the same plan")
    alike = Against("CVaR", "peak", 100.0, 100.0 + 1e-6, 99.0, same=False)
    assert alike.told == "as dear"


def test_before_the_rules_are_known_nothing_is_said(run: ResilienceRun) -> None:
    some = replace(run, planned=tuple(each for each in run.planned if each.method not in RULES))
    assert against(some) == ()
    assert story(some) == ""
    assert "rules of thumb" not in written(resilience_methods.content(some, At()))


def test_each_card_begins_with_its_number_and_holds_what_it_is_made_of(run: ResilienceRun) -> None:
    for each in against(run):
        for name, first in (("own", number(each.own)), ("theirs", number(each.theirs)),
                            ("apart", signed(each.apart, 0)), ("open", number(each.open + 0.0))):  # fmt: skip
            told = text(card(run, each, name)).strip()
            assert told.startswith(first), (name, told[:60])
            for part in (number(each.own), number(each.theirs), number(each.bound), "cheaper"):
                assert part in told
