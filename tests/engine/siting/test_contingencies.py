"""What is lost: the source's filter, islanding losses apart, equal circuits counted together."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.errors import QuestionError
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule


@pytest.fixture(scope="module")
def texas() -> Factors:
    return Factors.of(Network.from_tables(library.load("texas-2016")))


@pytest.fixture(scope="module")
def every_branch(texas: Factors) -> Contingencies:
    return Contingencies.of(texas, Rule(branches="all", units=False))


def ring(**changes: object) -> NetworkTables:
    """A ring 1-2-3 with a double circuit 1-2, and a radial bus 4."""
    pairs = [("1", "2"), ("2", "1"), ("2", "3"), ("3", "1"), ("3", "4")]
    branches = [
        {"branch": f"{a}-{b}", "from_bus": a, "to_bus": b, "circuit": str(place), "rating_a_mw": 100.0}
        for place, (a, b) in enumerate(pairs)
    ]
    buses = [{"bus": str(bus), "base_kv": 138.0, "load_mw": 10.0, "slack": bus == 1} for bus in (1, 2, 3, 4)]
    units = [{"unit": f"g{place}", "bus": "1", "p_max_mw": 50.0} for place in range(3)]
    tables = {"buses": buses, "branches": branches, "units": units, **changes}
    return NetworkTables(name="ring", **{name: table_of(name, rows) for name, rows in tables.items()})


def of(tables: NetworkTables, rule: Rule | None = None, case: SitingCase | None = None) -> Contingencies:
    return Contingencies.of(Factors.of(Network.from_tables(tables)), rule, case)


def test_the_published_counts_of_texas(texas: Factors, every_branch: Contingencies) -> None:
    # 3,206 branches; 450 of them split the network; 2,741 of the others have both ends at 69 kV or more, and 432
    # units are in service: facts of the published case, as the siting study counts them.
    found = Contingencies.of(texas)
    assert len(found.outages) == 2741
    assert len(found.units) == 432
    assert (len(every_branch), len(every_branch.islanding)) == (2756, 450)
    assert len(every_branch.distinct) == 2220  # "2,220 after parallel twins"
    assert every_branch.weight.sum() == 2756


def test_every_split_is_a_split(texas: Factors, every_branch: Contingencies) -> None:
    # Counted here by the parts of the graph that is left, for each branch of a seeded choice.
    network = texas.network
    splitting = {split.branches[0]: split for split in every_branch.islanding}
    ends = network.branches
    for branch in np.random.default_rng(5).choice(len(ends.ids), 60, replace=False).tolist():
        left = np.arange(len(ends.ids)) != branch
        size = len(network.buses.ids)
        graph = coo_array((np.ones(left.sum()), (ends.from_bus[left], ends.to_bus[left])), shape=(size, size))
        parts, label = connected_components(graph, directed=False)
        assert (parts > 1) == (branch in splitting)
        if parts > 1:
            cut = np.flatnonzero(label != np.bincount(label).argmax())
            assert set(cut.tolist()) == set(splitting[branch].buses)
            assert splitting[branch].load_mw == pytest.approx(network.buses.load_mw[cut].sum())


def test_equal_parallel_circuits_count_together() -> None:
    found = of(ring())
    assert found.ids == ("branch 1-2", "branch 2-1", "branch 2-3", "branch 3-1", "unit g0", "unit g1", "unit g2")
    assert found.same_as.tolist() == [0, 0, 2, 3, 4, 5, 6]
    assert found.weight.tolist() == [2, 0, 1, 1, 1, 1, 1]
    assert found.distinct.tolist() == [0, 2, 3, 4, 5, 6]
    assert [found.islanding[0].id, found.islanding[0].buses, found.islanding[0].load_mw] == ["3-4", (3,), 10.0]
    assert "cuts off bus 4 with 10.0 MW" in found.islanding[0].words(found.network)
    assert "1 more splits the network and is left out" in found.summary()
    assert found.words(0) == "the loss of line 1-2"
    assert found.words(4) == "the loss of unit g0 at bus 1"
    assert [(found.kind(k), found.branches(k), found.unit(k)) for k in (1, 5)] == [
        ("branch", (1,), -1),
        ("unit", (), 1),
    ]


@pytest.mark.parametrize(
    ("column", "value"), [("reactance_pu", 0.2), ("rating_a_mw", 99.0), ("shift_deg", 1.0), ("tap_ratio", 1.02)]
)
def test_unequal_parallel_circuits_do_not(column: str, value: float) -> None:
    tables = ring()
    branches = tables.branches.assign(**{column: tables.branches[column].where(tables.branches.index != 1, value)})
    assert of(replace(tables, branches=branches)).same_as.tolist()[:2] == [0, 1]


def test_circuits_of_an_interface_do_not() -> None:
    tables = ring(interfaces=[{"interface": "cut", "terms": "1-2:1", "limit_mw": 50.0}])
    assert of(tables).same_as.tolist()[:2] == [0, 1]


def test_a_shift_the_other_way_round_is_the_same_shift() -> None:
    # From 2 to 1 by -3 degrees is from 1 to 2 by +3.
    tables = ring()
    branches = tables.branches.assign(shift_deg=[3.0, -3.0, 0.0, 0.0, 0.0])
    assert of(replace(tables, branches=branches)).same_as.tolist()[:2] == [0, 0]


def test_units_of_one_bus_are_equal_where_the_case_says_so() -> None:
    tables = ring()
    network = Network.from_tables(tables)
    largest = np.array([[50.0, 50.0, 50.0], [50.0, 50.0, 40.0]])
    case = SitingCase(
        network, np.full((2, 4), 10.0), np.zeros((2, 3)), largest, np.array([1, 2]), ("one", "two"), "test"
    )
    assert of(tables, case=case).same_as.tolist()[4:] == [4, 4, 6]


def test_rules_choose() -> None:
    tables = ring()
    low = tables.buses.assign(base_kv=[138.0, 138.0, 34.5, 0.0])
    some = of(replace(tables, buses=low), Rule(units=False))
    assert some.ids == ("branch 1-2", "branch 2-1")
    assert some.notices == ("1 branches have an end of unknown voltage, which counts as high enough",)
    off = tables.units.assign(in_service=[True, False, True])
    assert of(replace(tables, units=off), Rule(branches="none")).ids == ("unit g0", "unit g2")
    listed = ring(
        contingencies=[{"contingency": "pair", "branches": "1-2 2-1"}, {"contingency": "x", "branches": "3-4"}]
    )
    both = of(listed, Rule(branches="listed", units=False))
    assert (both.ids, both.branches(0), both.islanding[0].id) == (("outage pair",), (0, 1), "x")


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(QuestionError, match="neither branches nor units"):
        Rule(branches="none", units=False)
    with pytest.raises(QuestionError, match="least_kv must be 0 or more, found -1"):
        Rule(least_kv=-1.0)
    with pytest.raises(QuestionError, match="'ring' lists no contingencies"):
        of(ring(), Rule(branches="listed"))
    two = NetworkTables(
        name="two",
        buses=table_of("buses", pd.DataFrame({"bus": ["1", "2"], "slack": [True, False]})),
        branches=table_of("branches", pd.DataFrame({"branch": ["l"], "from_bus": ["1"], "to_bus": ["2"]})),
    )
    with pytest.raises(QuestionError, match="nothing can be lost without a split"):
        of(two)


def test_they_travel_to_another_process() -> None:
    found = of(ring())
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 (our own)
    assert (again.ids, again.digest, again.weight.tolist()) == (found.ids, found.digest, found.weight.tolist())
    assert of(ring(), Rule(units=False)).digest != found.digest
