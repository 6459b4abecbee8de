"""What units could still give, by hand, and the notice of a total that is above it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.capacity.margins import Prepared, prepare
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.spare import Spare
from engine.capacity.uncertainty import Sample, States, UnitStates
from engine.network import library
from engine.network.model import Network


@pytest.fixture
def network() -> Network:
    return Network.from_tables(library.load("fourbus"))


def sample(network: Network, load_mw: list[float], units: UnitStates | None) -> Sample:
    """Return states with all load at the last bus; what units do is in the net demand of the first."""
    net = np.zeros((len(load_mw), len(network.buses.ids)))
    net[:, -1] = load_mw
    if units is not None:
        net[:, 0] -= units.generation_mw.sum(axis=1)
    labels = tuple(f"state {place}" for place in range(len(load_mw)))
    return Sample(net, None, labels, "by hand", 1, units=units)


def test_it_is_the_least_of_largest_outputs_less_load(network: Network) -> None:
    size = len(network.units.ids)
    largest = np.full((3, size), 0.0, dtype=np.float32)
    largest[:, 0] = [100.0, 90.0, 120.0]
    generation = np.zeros_like(largest)
    generation[:, 0] = [40.0, 70.0, 80.0]
    found = Spare.of(sample(network, [40.0, 70.0, 80.0], UnitStates(generation, 0 * largest, largest)), network)
    assert found is not None
    assert (found.mw, found.state) == (pytest.approx(20.0), "state 1")  # 100 - 40, 90 - 70, 120 - 80


def test_it_is_kept_with_the_margins_and_unknown_for_ranges(network: Network) -> None:
    states = States(sample=sample(network, [10.0, 30.0], None))
    question = CapacityQuestion(supply="slack", firm_set="sample", uncertainty=UncertaintySpec("file", {"digest": "x"}))
    made = prepare(network, question, states)
    assert made.spare is not None
    largest = float(np.where(network.units.in_service, network.units.p_max_mw - network.units.p_mw, 0.0).sum())
    assert made.spare.mw == pytest.approx(largest - 30.0)
    assert Prepared.load(made.save(), network).spare == made.spare
    assert Prepared.load(replace(made, spare=None).save(), network).spare is None
    assert Spare.of(None, network) is None
