"""The share of a gate's work that its screening is, against what was measured of both parts."""

import pytest

from engine.network.library import load
from engine.network.model import Network
from engine.siting.defaults import starting_question
from engine.siting.gate_time import screened_share
from engine.siting.run import ground_of


# Processor seconds of screening and of the check, as measured by a run of each opening question.
@pytest.mark.parametrize(
    ("name", "screening", "check"),
    [("rts24", 1.7, 5.4), ("ieee118", 7.8, 6.5), ("rts-gmlc", 9.6, 9.4), ("activsg200", 6.1, 10.5)],
)
def test_the_share_is_near_what_was_measured(name: str, screening: float, check: float) -> None:
    network = Network.from_tables(load(name))
    share = screened_share(ground_of(starting_question(network), network))
    assert share == pytest.approx(screening / (screening + check), abs=0.2)
