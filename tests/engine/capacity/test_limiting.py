"""The limit that is named for a site is one that stops it: with more of the others it would still be where it is."""

import numpy as np
import pytest

from engine.capacity.level import LevelProgram, Optimum
from engine.capacity.limiting import stopping_rows
from engine.capacity.question import CapacityQuestion, Objective


@pytest.mark.parametrize("objective", ["sum_ratio", "sum_sq_ratio", "lex_max_min"])
def test_a_limit_without_room_stops_whoever_stands_on_it_however_dear_another_is(objective: Objective) -> None:
    """Row 0 is exceeded already and held: no room. Row 1 is shared and dear. Site 0 stands on both."""
    problem = LevelProgram(
        factors=np.array([[0.3, 0.0], [1.0, 1.0]]),
        margin_mw=np.array([0.0, 10.0]),
        floor_mw=np.zeros(2),
        demand_mw=np.array([10.0, 20.0]),
    )
    found = Optimum(
        mw=np.array([0.0, 10.0]), rows=np.array([1]), dual=np.array([0.05]), gain=None, objective=1.5,
        status="optimal", gap=0.0, solver="by hand", checks={}, used_rows=np.array([0, 1]),
    )  # fmt: skip
    question = CapacityQuestion(candidates=("a", "b"), demand_mw=(10, 20), objective=objective)
    assert stopping_rows(problem, found, question).tolist() == [0, 1]
