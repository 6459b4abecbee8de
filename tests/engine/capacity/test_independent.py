"""The check by other solvers agrees with allocations that are right, and tells of those that are not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.capacity.allocation import allocate
from engine.capacity.conditions import Condition
from engine.capacity.independent import IndependentCheck, check_independently
from engine.errors import QuestionError
from tests.engine.capacity.small import asked, prepared, random_network, random_sample


def case(seed: int, **changes: Any) -> Any:
    generator = np.random.default_rng(seed)
    grid = random_network(generator, meshed=True)
    known = random_sample(generator, len(grid.buses.ids), 100)
    demand = {"2": 60.0, "3": 50.0, "4": 45.0}
    question = asked(grid, demand, epsilons=(0.05, 0.1), at_zero="hold", **changes)
    margins = prepared(grid, question, known)
    levels = [np.array(level.capacity_mw) for level in allocate(margins, question).levels]
    return margins, question, levels


@pytest.mark.parametrize("objective", ["sum_ratio", "sum_sq_ratio", "lex_max_min"])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_other_solvers_find_the_same_objective(seed: int, objective: str, closed: bool) -> None:
    margins, question, levels = case(seed, objective=objective, downward_closed=closed)
    found = check_independently(margins, question, levels)
    assert found.holds, found.words
    assert found.violation_mw <= 1e-5
    assert len(found.checks) == 3 * (1 if objective == "sum_sq_ratio" else 2)
    assert IndependentCheck.from_json(found.to_json()) == found


def test_an_allocation_that_could_be_more_is_told() -> None:
    margins, question, levels = case(1)
    less = check_independently(margins, question, [level * 0.9 for level in levels])
    assert not less.holds
    assert "differs by" in less.words
    assert max(entry.difference for entry in less.checks) > 0


def test_an_allocation_over_a_limit_is_told_with_the_limit() -> None:
    margins, question, levels = case(1)
    more = check_independently(margins, question, [level + 0.5 for level in levels])
    assert not more.holds
    assert more.violation_mw >= 0.1
    assert more.violated in more.words


def test_conditions_are_checked_like_limits() -> None:
    margins, question, levels = case(2)
    capped = replace(question, conditions=(Condition("cap", "all", mw=float(levels[0].sum()) / 2),))
    found = check_independently(margins, capped, levels)
    assert not found.holds
    assert found.violated


def test_the_number_of_levels_is_that_of_the_question() -> None:
    margins, question, levels = case(0)
    with pytest.raises(QuestionError, match="3 levels are asked, 1"):
        check_independently(margins, question, levels[:1])
