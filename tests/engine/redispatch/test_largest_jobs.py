"""The job of the largest loads: which state it is of, what it keeps, and what it refuses."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.capacity.jobs import make_states
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.errors import QuestionError
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.redispatch.check import check_largest
from engine.redispatch.largest import LargestLoads, largest_loads
from engine.redispatch.largest_jobs import (
    AS_FILED,
    SHAPE,
    largest_arguments,
    largest_job,
    largest_key,
    limits_of,
    place_of,
)
from engine.redispatch.limits import FlowLimits
from engine.redispatch.states import Scenarios, state_of
from engine.shapes import check_shape
from engine.store import Artifacts
from tests.engine.capacity.small import network as small_network

HOURS = UncertaintySpec("hourly", {"hours": 6}, 1)


@dataclass
class Context:
    """What a job is given, for one network."""

    network: Network
    artifacts: Artifacts
    said: list[str] = field(default_factory=list)

    def progress(self, done: int, total: int, message: str = "") -> None:
        assert 0 <= done <= total
        self.said.append(message)

    def load_network(self, digest: str) -> NetworkTables:
        assert digest == self.network.digest
        return self.network.tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


@pytest.fixture(scope="module")
def rts() -> Network:
    return Network.from_tables(library.load("rts24"))


@pytest.fixture
def context(rts: Network, tmp_path: Path) -> Context:
    return Context(rts, Artifacts(tmp_path / "cache"))


def computed(context: Context, question: CapacityQuestion, state: str = "") -> tuple[dict[str, Any], LargestLoads]:
    arguments = json.loads(json.dumps(largest_arguments(context.network.digest, question, state)))
    told = largest_job(arguments, context)
    for name, kind in SHAPE.items():
        check_shape(json.loads(json.dumps(told))[name], kind, name)
    assert told["artifacts"] == [largest_key(arguments)]
    path = context.artifacts.open(largest_key(arguments))
    assert path is not None
    return told, LargestLoads.load(path)


def test_the_state_of_the_largest_load_unless_another_is_named(context: Context, rts: Network) -> None:
    sample = make_states(HOURS, rts).sample
    assert sample is not None
    scenarios = Scenarios.of(sample, rts)
    load = scenarios.demand_mw.sum(axis=1)
    question = CapacityQuestion(uncertainty=HOURS)
    told, found = computed(context, question)
    assert (told["state"], told["peak"], told["states"]) == (sample.labels[int(load.argmax())], True, 6)
    assert told["load_mw"] == pytest.approx(load.max())
    assert any("bus 12 of 24" in words for words in context.said)
    lightest = int(load.argmin())
    told, other = computed(context, question, sample.labels[lightest])
    assert (told["peak"], told["load_mw"]) == (False, pytest.approx(load.min()))
    # The same as without a job; and what is kept is a proof: a program that shares no code finds the same.
    again = largest_loads(rts, scenarios.state(lightest))
    np.testing.assert_allclose(other.most_mw, again.most_mw, rtol=1e-9)
    for place in (0, 9, 23):
        check = check_largest(rts, found, place)
        assert check.optimum_mw == pytest.approx(found.most_mw[place], rel=1e-6)
        assert check.bound_mw == pytest.approx(found.most_mw[place], rel=1e-6)
        assert check.overload < 1e-6


def test_a_question_after_outages_has_the_limits_of_after_outages(context: Context) -> None:
    question = CapacityQuestion(uncertainty=HOURS)
    _, base = computed(context, question)
    _, secure = computed(context, replace(question, security="n-1"))
    assert secure.outage_ids
    assert (secure.most_mw <= base.most_mw + 1e-6).all()  # every limit of before holds, and more
    assert (secure.most_mw < base.most_mw - 1.0).any()


def test_words_that_do_not_matter_make_no_new_question(rts: Network) -> None:
    question = CapacityQuestion(uncertainty=HOURS)
    same = replace(question, candidates=("5",), demand_mw=(10.0,), epsilons=(0.05,), outage_rating="a")
    assert largest_arguments(rts.digest, question) == largest_arguments(rts.digest, same)
    assert largest_arguments(rts.digest, question) != largest_arguments(rts.digest, question, "2016-08-11 16:00")


def test_a_box_has_the_network_as_filed(tmp_path: Path) -> None:
    units = [{"unit": "a", "bus": "1", "p_max_mw": 100.0}, {"unit": "b", "bus": "2", "p_max_mw": 30.0}]
    network = small_network([(1, 2)], [50.0], buses=2, units=units)
    context = Context(network, Artifacts(tmp_path))
    box = UncertaintySpec("box", {"buses": [{"bus": "2", "low": 0.0, "high": 20.0}]})
    told, found = computed(context, CapacityQuestion(uncertainty=box))
    assert (told["state"], told["states"], told["peak"]) == (AS_FILED, 0, False)
    filed = state_of(network).demand_mw
    # By hand: bus 2 gets 50 MW over the line and 30 MW of its own unit; at bus 1 all 130 MW serve.
    np.testing.assert_allclose(found.most_mw, [130.0 - filed.sum(), 80.0 - filed[1]])
    with pytest.raises(QuestionError, match="a box has no state"):
        computed(context, CapacityQuestion(uncertainty=box), "2016-08-11 16:00")


def test_what_the_multipliers_count_is_what_more_of_a_limit_brings(context: Context, rts: Network) -> None:
    _, found = computed(context, CapacityQuestion(uncertainty=HOURS))
    limits = limits_of(largest_arguments(rts.digest, CapacityQuestion(uncertainty=HOURS)), Factors.of(rts))
    stops = found.stops(limits)
    for place in (4, 9, 14):
        named, units = found.bindings(place, limits)
        assert stops[place] is not None
        assert stops[place].element in {limit.element for limit, _ in named}
        limit, gain = named[0]
        row = rts.branches.ids.index(limit.element)
        wider = Network.from_tables(
            rts.tables.with_table(
                "branches",
                rts.tables.branches.assign(
                    rating_a_mw=rts.branches.rating_a_mw + np.eye(1, len(rts.branches.ids), row)[0]
                ),
            )
        )
        more = largest_loads(wider, found.state, buses=found.buses[[place]]).most_mw[0] - found.most_mw[place]
        assert more == pytest.approx(gain, abs=1e-5)  # the dual of a limit: what its first MW brings
        for unit, worth in units[:1]:
            larger = replace(found.state, largest_mw=found.state.largest_mw + np.eye(1, len(rts.units.ids), unit)[0])
            more = largest_loads(rts, larger, buses=found.buses[[place]]).most_mw[0] - found.most_mw[place]
            assert more == pytest.approx(worth, abs=1e-5)


def test_refusals_name_what_is_missing(context: Context, rts: Network, tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="'1999-01-01 00:00' is none of the 6 states, such as '2016"):
        computed(context, CapacityQuestion(uncertainty=HOURS), "1999-01-01 00:00")
    still = rts.tables.units.assign(p_min_mw=rts.tables.units["p_mw"], p_max_mw=rts.tables.units["p_mw"])
    fixed = Network.from_tables(rts.tables.with_table("units", still))
    with pytest.raises(QuestionError, match="has no unit that can move"):
        computed(Context(fixed, Artifacts(tmp_path / "fixed")), CapacityQuestion(uncertainty=HOURS))


def test_generation_alone_stops_a_load_where_no_limit_does() -> None:
    units = [{"unit": "a", "bus": "1", "p_max_mw": 100.0}, {"unit": "b", "bus": "2", "p_max_mw": 30.0}]
    network = small_network([(1, 2)], [500.0], buses=2, units=units)
    state = state_of(network)
    found = largest_loads(network, state)
    limits = FlowLimits.of(Factors.of(network))
    assert found.stops(limits) == [None, None]
    assert found.bindings(1, limits) == ([], [(0, pytest.approx(1.0)), (1, pytest.approx(1.0))])


def test_the_place_of_a_state_is_that_of_its_label(rts: Network) -> None:
    sample = make_states(HOURS, rts).sample
    assert sample is not None
    scenarios = Scenarios.of(sample, rts)
    assert [place_of(scenarios, label) for label in scenarios.labels] == list(range(6))
