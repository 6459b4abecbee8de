"""The question: a record that survives JSON, refuses nonsense by name, and reads as a sentence."""

import json
from typing import Any

import pytest

from engine.capacity.defaults import starting_question
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network

QUESTION = CapacityQuestion(
    candidates=("5", "7"), demand_mw=(100.0, 50.0), epsilons=(0.01, 0.05), supply="given",
    supply_shares=(("1", 0.25), ("2", 0.75)), cutoff=0.03, block_mw=25.0, objective="lex_max_min",
    uncertainty=UncertaintySpec("hourly", {"hours": 500}, 4),
)  # fmt: skip


def test_a_question_survives_json_with_its_digest() -> None:
    again = CapacityQuestion.from_json(json.loads(json.dumps(QUESTION.to_json())))
    assert again == QUESTION
    assert again.digest() == QUESTION.digest()
    assert CapacityQuestion(candidates=("5",), demand_mw=(1.0,)).digest() != QUESTION.digest()


def test_the_sentence_says_every_choice() -> None:
    assert QUESTION.sentence() == (
        "How much can 2 sites take, kept in every one of 500 sampled hours, or interrupted in at most 1 % or 5 %, "
        "with the extra power from given shares, factors under 3 % dropped?"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"candidates": ["5"]}, "1 candidates have 2 demands"),
        ({"candidates": ["5", "5"]}, "'5' is listed twice"),
        ({"demand_mw": [100, 0]}, "demand at bus '7' must be above 0"),
        ({"demand_mw": [100, float("nan")]}, "demand at bus '7'"),
        ({"epsilons": [0.05, 0.05]}, "risk levels must rise"),
        ({"epsilons": [0.3]}, "at most 20 %"),
        ({"epsilons": [0.01 * k for k in range(1, 8)]}, "at most 6 risk levels"),
        ({"objective": "max_profit"}, "objective must be one of"),
        ({"supply_shares": {}}, "positive share"),
        ({"supply_shares": {"1": -1, "2": 3}}, "not negative"),
        ({"cutoff": 1.0}, "cutoff must be from 0"),
        ({"block_mw": -1}, "block size must be above 0"),
        ({"downward_closed": "yes"}, "downward_closed must be true or false"),
        ({"surprise": 1}, "no field 'surprise'"),
        ({"epsilons": "many"}, "wrong type"),
        ({"uncertainty": {"kind": "magic"}}, "kind must be one of"),
        ({"uncertainty": {"kind": "hourly", "seed": -3}}, "seed must be a whole number"),
    ],
)
def test_a_question_out_of_range_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        CapacityQuestion.from_json({**QUESTION.to_json(), **change})


@pytest.mark.parametrize("key", ["ieee14", "rts24", "ieee118", "activsg200", "texas-2016"])
def test_every_grid_opens_with_a_question_of_its_own(key: str) -> None:
    network = Network.from_tables(load(key))
    question = starting_question(network)
    assert 1 <= len(question.candidates) <= 50
    assert set(question.candidates) <= set(network.buses.ids)
    assert question == CapacityQuestion.from_json(question.to_json())


def test_texas_opens_with_fifty_sites_of_a_gigawatt_on_different_substations() -> None:
    network = Network.from_tables(load("texas-2016"))
    question = starting_question(network)
    assert question.demand_mw == (1000.0,) * 50
    names = {network.buses.names[network.bus(bus)] for bus in question.candidates}
    zones = {network.buses.zones[network.bus(bus)] for bus in question.candidates}
    assert len(names) == 50
    assert len(zones) == 8
    assert question.supply == "headroom"
