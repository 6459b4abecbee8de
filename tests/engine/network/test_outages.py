"""Outages against solving the changed network anew: its own factorisation without the branches."""

from collections.abc import Sequence
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_array

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network, Vector
from engine.network.outages import BrokenLimits, Outages
from tests.engine.grids import matpower_case, network_of, pypower_case


def network(name: str) -> Network:
    return network_of(matpower_case(name) if name.startswith("case_") else pypower_case(name))


def without(network: Network, lost: Sequence[int]) -> Network:
    """The network with branches out of service."""
    on = network.tables.branches["in_service"].to_numpy().copy()
    on[list(lost)] = False
    return Network.from_tables(network.tables.with_table("branches", network.tables.branches.assign(in_service=on)))


def cut_off(network: Network, lost: Sequence[int]) -> set[int]:
    """The buses outside the largest part, by networkx; of two equal parts the one with the reference bus stays."""
    branches = network.branches
    left = [b for b in np.flatnonzero(branches.in_service) if b not in lost]
    graph = nx.MultiGraph([(int(branches.from_bus[b]), int(branches.to_bus[b])) for b in left])
    graph.add_nodes_from(range(len(network.buses.ids)))
    return set(graph) - max(nx.connected_components(graph), key=lambda part: (len(part), network.slack in part))


def flows(network: Network) -> Vector:
    return Factors.of(network).flows(network.injection_mw)


def after(outages: Outages, flow: Vector, outage: int) -> Vector:
    one = csr_array(np.eye(len(flow)))
    return np.asarray(outages.weights(one, np.full(len(flow), outage)) @ flow)


@pytest.mark.parametrize("name", ["case14", "case24_ieee_rts", "case57", "case118"])
def test_every_single_outage_equals_the_flow_without_the_branch(name: str) -> None:
    grid = network(name)
    factors = Factors.of(grid)
    outages, flow = Outages.all_single(factors), flows(grid)
    assert sorted([*outages.ids, *(apart.id for apart in outages.islanding)]) == sorted(
        np.array(grid.branches.ids)[grid.branches.in_service].tolist()
    )
    for outage, lost in enumerate(outages.lost):
        assert after(outages, flow, outage) == pytest.approx(flows(without(grid, lost)), abs=1e-7)
    for apart in outages.islanding:
        assert set(apart.buses) == cut_off(grid, apart.branches)


@pytest.mark.parametrize(("name", "every"), [("case14", 1), ("case24_ieee_rts", 4)])
def test_double_outages_equal_the_flow_without_both_or_are_named_with_what_they_cut_off(name: str, every: int) -> None:
    grid = network(name)
    pairs = list(combinations(np.flatnonzero(grid.branches.in_service).tolist(), 2))[::every]
    names = [f"{one}+{other}" for one, other in pairs]
    outages, flow = Outages.listed(Factors.of(grid), names, pairs), flows(grid)
    assert len(outages) + len(outages.islanding) == len(pairs)
    assert outages.islanding
    for outage, lost in enumerate(outages.lost):
        assert after(outages, flow, outage) == pytest.approx(flows(without(grid, lost)), abs=1e-7)
    for apart in outages.islanding:
        assert set(apart.buses) == cut_off(grid, apart.branches)
        assert apart.load_mw == pytest.approx(grid.buses.load_mw[list(apart.buses)].sum())


def test_outages_of_one_two_and_three_branches_stand_in_one_list() -> None:
    grid = network("case118")
    generator = np.random.default_rng(4)
    lost = [tuple(generator.choice(len(grid.branches.ids), size, replace=False).tolist()) for size in (1, 2, 3) * 15]
    outages, flow = Outages.listed(Factors.of(grid), [str(k) for k in range(45)], lost), flows(grid)
    assert {len(own) for own in outages.lost} == {1, 2, 3}
    truth = np.column_stack([flows(without(grid, own)) for own in outages.lost])
    for outage in range(len(outages)):
        assert after(outages, flow, outage) == pytest.approx(truth[:, outage], abs=1e-7)
    limit = 0.8 * np.quantile(np.abs(truth), 0.9, axis=1) + 1.0
    _same(outages.screen(flow, -limit, limit, 1e-6), truth, outages, limit)


def test_an_interface_after_an_outage_is_the_weighted_sum_of_the_flows_that_are_left() -> None:
    grid = network("case57")
    outages, flow = Outages.all_single(Factors.of(grid)), flows(grid)
    generator = np.random.default_rng(1)
    weights = csr_array(np.where(generator.random((6, len(flow))) < 0.05, generator.uniform(-1, 1, (6, len(flow))), 0))
    truth = np.column_stack([weights @ flows(without(grid, lost)) for lost in outages.lost])
    row, outage = (place.ravel() for place in np.indices(truth.shape))
    found = outages.weights(csr_array(weights[row]), outage) @ flow
    assert found == pytest.approx(truth.ravel(), abs=1e-7)
    limit = np.quantile(np.abs(truth), 0.9, axis=1)
    broken = outages.screen_sums(weights, flow, -limit, limit, 1e-6)
    assert _pairs(broken) == set(zip(*np.nonzero(np.abs(truth) > limit[:, np.newaxis] + 1e-6), strict=True))
    assert len(broken)


@pytest.mark.parametrize("share", [1.0, 0.3, 1e-3])
@pytest.mark.parametrize("name", ["case57", "case300", "case_ACTIVSg500"])
def test_screening_finds_all_that_the_outage_factors_of_every_branch_find(name: str, share: float) -> None:
    """Limits near the flows before, so that factors of every size decide."""
    grid = network(name)
    factors = Factors.of(grid)
    outages, flow = Outages.all_single(factors), flows(grid)
    lost = np.array([own[0] for own in outages.lost])
    truth = flow[:, np.newaxis] + factors.lodf(lost)[0] * flow[lost]
    limit = np.abs(flow) + share * np.random.default_rng(0).uniform(0, 50, len(flow))
    limit[::11] = np.inf
    limit[5::17] *= 0.9  # exceeded before any outage
    broken = outages.screen(flow, -limit, limit, 1e-6)
    _same(broken, truth, outages, limit)
    assert (np.diff(broken.excess_mw) <= 0).all()


def test_screening_texas_misses_nothing() -> None:
    grid = Network.from_tables(load("texas-2020"))
    factors = Factors.of(grid)
    outages, flow = Outages.all_single(factors), factors.flows(grid.injection_mw)
    assert (len(outages), len(outages.islanding)) == (2756, 450)  # as counted by other programs for this grid
    lost = np.array([own[0] for own in outages.lost])
    truth = flow[:, np.newaxis] + factors.lodf(lost)[0] * flow[lost]
    _same(
        outages.screen(flow, -grid.branches.rating_c_mw, grid.branches.rating_c_mw, 1e-6),
        truth,
        outages,
        grid.branches.rating_c_mw,
    )


def test_large_networks_keep_no_table_and_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = network("case118")
    kept, flow = Outages.all_single(Factors.of(grid)), flows(grid)
    limit = np.abs(flow) * 1.05 + 1.0
    expected = kept.screen(flow, -limit, limit, 1e-6)
    monkeypatch.setattr("engine.network.outages._TABLE_BYTES", 0)
    bare = Outages.all_single(Factors.of(grid))
    assert _pairs(bare.screen(flow, -limit, limit, 1e-6)) == _pairs(expected)
    for outage in (0, 50, 150):
        assert after(bare, flow, outage) == pytest.approx(after(kept, flow, outage), abs=1e-9)


def test_a_branch_that_is_out_of_service_already_is_lost_without_effect() -> None:
    grid = without(network("case30"), [3])
    outages, flow = Outages.listed(Factors.of(grid), ["a", "b"], [(3,), (3, 5)]), flows(grid)
    assert after(outages, flow, 0) == pytest.approx(flow, abs=1e-9)
    assert after(outages, flow, 1) == pytest.approx(flows(without(grid, [5])), abs=1e-7)


def test_what_an_islanding_outage_cuts_off_is_said() -> None:
    outages = Outages.all_single(Factors.of(network("case14")))
    assert [apart.words(outages.network) for apart in outages.islanding] == [
        "the loss of line b13 cuts off bus 8 with 0.0 MW of load"  # bus 8 hangs on bus 7 alone
    ]
    assert outages.words(0) == "the loss of line b0"


def test_an_outage_without_a_branch_is_refused() -> None:
    with pytest.raises(QuestionError, match="'nothing' loses no branch"):
        Outages.listed(Factors.of(network("case14")), ["nothing"], [()])


def _pairs(broken: BrokenLimits) -> set[tuple[int, int]]:
    return set(zip(broken.row.tolist(), broken.outage.tolist(), strict=True))


def _same(broken: BrokenLimits, truth: np.ndarray, outages: Outages, limit: Vector) -> None:
    over = np.abs(truth) - limit[:, np.newaxis]
    for outage, own in enumerate(outages.lost):
        over[list(own), outage] = -np.inf
    expected = set(zip(*(place.tolist() for place in np.nonzero(over > 1e-6)), strict=True))
    assert _pairs(broken) == expected
    assert expected
    assert broken.excess_mw == pytest.approx(over[broken.row, broken.outage], abs=1e-7)
    assert broken.flow_mw == pytest.approx(truth[broken.row, broken.outage], abs=1e-7)
