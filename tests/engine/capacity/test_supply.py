"""Who produces the extra power: each choice by hand, and in every result in words."""

import numpy as np
import pytest

from engine.capacity.allocation import allocate
from engine.capacity.supply import supply_share
from engine.errors import QuestionError
from engine.network.model import Network
from tests.engine.capacity.small import TRIANGLE, asked, network, prepared, still

UNITS = [
    {"unit": "coal", "bus": "1", "p_mw": 60.0, "p_max_mw": 100.0, "fuel": "coal"},
    {"unit": "gas", "bus": "3", "p_mw": 40.0, "p_max_mw": 200.0, "fuel": "ng"},
    {"unit": "wind", "bus": "2", "p_mw": 0.0, "p_max_mw": 500.0, "fuel": "wind"},
    {"unit": "sun", "bus": "2", "p_mw": 0.0, "p_max_mw": 500.0, "fuel": "solar"},
    {"unit": "off", "bus": "2", "p_mw": 0.0, "p_max_mw": 900.0, "fuel": "ng", "in_service": False},
    {"unit": "above", "bus": "3", "p_mw": 30.0, "p_max_mw": 20.0, "fuel": "hydro"},
]


def grid() -> Network:
    return network(TRIANGLE, [10.0, 30.0, 4.0], buses=3, units=UNITS)


def test_headroom_and_capacity_count_units_that_can_be_called_on() -> None:
    # Room: coal 40, gas 160, the unit above its largest output none. Wind, sun and the unit that is off: nothing.
    assert supply_share(grid(), "headroom") == pytest.approx([0.2, 0.0, 0.8])
    assert supply_share(grid(), "capacity") == pytest.approx([100 / 320, 0.0, 220 / 320])
    assert supply_share(grid(), "slack") == pytest.approx([1.0, 0.0, 0.0])
    assert supply_share(grid(), "given", (("2", 1.0), ("3", 3.0))) == pytest.approx([0.0, 0.25, 0.75])


def test_shares_that_cannot_be_are_refused_by_name() -> None:
    with pytest.raises(QuestionError, match="bus '9'"):
        supply_share(grid(), "given", (("9", 1.0),))
    none = network(TRIANGLE, [10.0, 30.0, 4.0], buses=3, units=UNITS[2:5])
    for supply in ("headroom", "capacity"):
        with pytest.raises(QuestionError, match=f"can supply by {supply}"):
            supply_share(none, supply)


def test_power_made_beside_the_site_needs_no_line() -> None:
    """All of it from bus 3: bus 3 takes any demand, bus 2 what 10 and 4 MW lines of the triangle bring from there."""
    question = asked(grid(), {"2": 100.0, "3": 1000.0}, supply="given", supply_shares=(("3", 1.0),), epsilons=())
    firm = allocate(prepared(grid(), question, still(grid())), question)
    # From 3 to 2, two thirds go straight (limit 4 MW) and a third by bus 1 (limit 10 MW): 4 / (2/3) = 6.
    assert firm.firm_mw == pytest.approx((6.0, 1000.0))


@pytest.mark.parametrize(
    ("supply", "words"),
    [("slack", "the slack bus"), ("headroom", "unit headroom"), ("capacity", "units by capacity")],
)
def test_the_choice_is_named_in_the_result(supply: str, words: str) -> None:
    question = asked(grid(), {"2": 5.0}, supply=supply, epsilons=())
    result = allocate(prepared(grid(), question, still(grid())), question)
    assert f"the extra power comes from {words}" in result.notices
    assert words in result.provenance.sentence
    assert np.isfinite(result.firm_mw).all()
