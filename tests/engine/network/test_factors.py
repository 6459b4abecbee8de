"""Factors against pypower and pandapower, and against the laws of linear power flow."""

import pickle
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandapower
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandapower.converter.pypower.from_ppc import from_ppc
from pypower.api import ext2int, makeBdc, makeLODF, makePTDF, ppoption, rundcpf

from engine.errors import NetworkDataError, QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from tests.engine.grids import Ppc, matpower_case, network_of, pypower_case

# Warnings of the programs compared with are theirs to mend.
pytestmark = pytest.mark.filterwarnings(
    "ignore::PendingDeprecationWarning",
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::RuntimeWarning",
)

CASES = ["case14", "case24_ieee_rts", "case30", "case57", "case118", "case300"]


# pandapower's version of the same function, which has a sparse way: on 2,000 buses pypower's takes a minute.
sparse = import_module("pandapower.pypower.makePTDF").makePTDF


def case(name: str) -> Ppc:
    return matpower_case(name) if name.startswith("case_") else pypower_case(name)


@pytest.mark.parametrize("name", [*CASES, "case_RTS_GMLC", "case_ACTIVSg200", "case_ACTIVSg500", "case_ACTIVSg2000"])
def test_factors_equal_those_of_pypower(name: str) -> None:
    ppc = case(name)
    network = network_of(ppc)
    factors = Factors.of(network)
    inside = ext2int(ppc)
    live = np.flatnonzero(network.branches.in_service)
    matrices = (inside["baseMVA"], inside["bus"], inside["branch"], network.slack)
    theirs = sparse(*matrices, using_sparse_solver=True) if "ACTIVS" in name else makePTDF(*matrices)
    assert np.abs(factors.dense()[live] - theirs).max() <= 1e-10
    some = np.random.default_rng(0).choice(len(network.branches.ids), 12)
    assert factors.rows(some) == pytest.approx(factors.dense()[some], abs=1e-10)
    assert factors.rows(some[::-1]) == pytest.approx(factors.dense()[some[::-1]], abs=1e-10)  # now from the cache
    buses = np.random.default_rng(1).choice(len(network.buses.ids), 7)
    assert factors.columns(buses) == pytest.approx(factors.dense()[:, buses], abs=1e-10)


@pytest.mark.parametrize(
    "name", ["case14", "case30", "case57", "case118", "case300", "case_RTS_GMLC", "case_ACTIVSg500"]
)
def test_outage_factors_equal_those_of_pypower_but_for_bridges(name: str) -> None:
    ppc = case(name)
    network = network_of(ppc)
    factors = Factors.of(network)
    inside = ext2int(ppc)
    with np.errstate(all="ignore"):
        theirs = makeLODF(inside["branch"], makePTDF(inside["baseMVA"], inside["bus"], inside["branch"], network.slack))
    ours, without = factors.lodf(np.arange(len(network.branches.ids)))
    keep = np.setdiff1d(np.arange(len(network.branches.ids)), without)
    assert np.isfinite(ours).all()
    assert ours[:, keep] == pytest.approx(theirs[:, keep], abs=1e-7)
    assert without.tolist() == factors.bridges().tolist()
    assert not ours[:, without].any()


@pytest.mark.parametrize("name", [*CASES, "case_RTS_GMLC", "case_ACTIVSg2000"])
def test_filed_flows_equal_those_of_pypower(name: str) -> None:
    ppc = case(name)
    network = network_of(ppc)
    solved, success = rundcpf(ppc, ppoption(VERBOSE=0, OUT_ALL=0))
    assert success
    assert Factors.of(network).flows(network.injection_mw) == pytest.approx(solved["branch"][:, 13], abs=1e-5)


@pytest.mark.parametrize(
    "name", ["case14", "case57", "case118", "case_RTS_GMLC", "case_ACTIVSg500", "case_ACTIVSg2000"]
)
def test_filed_flows_equal_those_of_pandapower(name: str) -> None:
    ppc = case(name)
    network = network_of(ppc)
    unnamed = ppc["bus"][:, 9] == 0  # it needs a voltage; which one does not matter per unit
    ppc["bus"][unnamed, 9] = 100.0
    net = from_ppc(ppc, f_hz=60)
    pandapower.rundcpp(net)
    theirs = net._ppc["branch"][:, 13].real
    ours = Factors.of(network).flows(network.injection_mw)
    assert np.sort(np.abs(ours)) == pytest.approx(np.sort(np.abs(theirs)), abs=1e-5)


def test_phase_shifters_and_taps_drive_the_flows_of_pypower() -> None:
    ppc = pypower_case("case30")
    random = np.random.default_rng(3)
    ppc["branch"][:, 9] = random.uniform(-20, 20, len(ppc["branch"]))
    ppc["branch"][::3, 8] = random.uniform(0.9, 1.1, len(ppc["branch"][::3]))
    ppc["branch"][5, 10] = 0
    network = network_of(ppc)
    factors = Factors.of(network)
    solved, _ = rundcpf(ppc, ppoption(VERBOSE=0, OUT_ALL=0))
    block = np.column_stack([network.injection_mw, 0.0 * network.injection_mw])
    assert factors.flows(block)[:, 0] == pytest.approx(solved["branch"][:, 13], abs=1e-7)
    assert factors.flows(block)[:, 1] == pytest.approx(factors.shift_flow_mw)
    assert factors.shift_flow_mw[5] == 0.0
    _, susceptance, _, _ = makeBdc(ppc["baseMVA"], *internal(ppc))
    theirs = np.abs(susceptance).max(axis=1).toarray().ravel() * ppc["baseMVA"]
    assert factors.susceptance_mw_per_rad == pytest.approx(theirs)


def internal(ppc: Ppc) -> tuple[np.ndarray, np.ndarray]:
    bus, branch = ppc["bus"].copy(), ppc["branch"].copy()
    bus[:, 0] -= 1
    branch[:, :2] -= 1
    return bus, branch


def ring(random: np.random.Generator, buses: int, extra: int, *, shifts: bool = False) -> Network:
    """A random connected network: a random tree, and some more branches, parallel ones among them."""
    ends = [(int(random.integers(bus)), bus) for bus in range(1, buses)]
    ends += [tuple(random.choice(buses, 2, replace=False).tolist()) for _ in range(extra)]
    rows = [
        {
            "branch": f"b{place}",
            "from_bus": str(start),
            "to_bus": str(end),
            "circuit": str(place),
            "reactance_pu": float(random.uniform(0.01, 0.5)),
            "tap_ratio": float(random.uniform(0.9, 1.1)),
            "shift_deg": float(random.uniform(-5, 5)) if shifts else 0.0,
        }
        for place, (start, end) in enumerate(ends)
    ]
    return Network.from_tables(
        NetworkTables(
            buses=table_of("buses", [{"bus": str(bus), "slack": bus == 0} for bus in range(buses)]),
            branches=table_of("branches", rows),
        )
    )


SEEDS = st.integers(0, 10**6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 25), st.integers(0, 20))
def test_flows_balance_at_every_bus(seed: int, buses: int, extra: int) -> None:
    random = np.random.default_rng(seed)
    network = ring(random, buses, extra, shifts=True)
    share = random.dirichlet(np.ones(buses))
    injection = random.normal(size=(buses, 3)) * 100
    flow = Factors.of(network).with_slack(share).flows(injection)
    out = np.zeros_like(injection)
    np.add.at(out, network.branches.from_bus, flow)
    np.subtract.at(out, network.branches.to_bus, flow)
    assert out == pytest.approx(injection - np.outer(share, injection.sum(axis=0)), abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 25), st.integers(0, 20))
def test_balanced_injections_flow_the_same_whatever_the_slack(seed: int, buses: int, extra: int) -> None:
    random = np.random.default_rng(seed)
    network = ring(random, buses, extra, shifts=True)
    injection = random.normal(size=buses) * 100
    injection -= injection.mean()
    factors = Factors.of(network)
    other = factors.with_slack(random.dirichlet(np.ones(buses)))
    assert other.flows(injection) == pytest.approx(factors.flows(injection), abs=1e-8)
    assert other.dense() @ injection + other.shift_flow_mw == pytest.approx(factors.flows(injection), abs=1e-8)
    assert other.rows(np.arange(len(network.branches.ids))) == pytest.approx(other.dense(), abs=1e-10)
    assert other.dense() @ other.slack_share == pytest.approx(np.zeros(len(network.branches.ids)), abs=1e-10)
    weight = random.normal(size=len(network.branches.ids))
    assert other.weighted(weight) == pytest.approx(other.dense().T @ weight, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 14), st.integers(0, 12))
def test_an_outage_column_is_the_flow_after_really_removing_the_branch(seed: int, buses: int, extra: int) -> None:
    random = np.random.default_rng(seed)
    network = ring(random, buses, extra)
    factors = Factors.of(network)
    injection = random.normal(size=buses) * 100
    before = factors.flows(injection)
    every = np.arange(len(network.branches.ids))
    lodf, without = factors.lodf(every)
    assert np.isfinite(lodf).all()
    for branch in every:
        removed = network.tables.branches.assign(in_service=every != branch)
        tables = network.tables.with_table("branches", removed)
        if branch in without:  # a bridge, found by cutting it
            with pytest.raises(NetworkDataError):
                Factors.of(Network.from_tables(tables))
            continue
        after = Factors.of(Network.from_tables(tables)).flows(injection)
        assert before + lodf[:, branch] * before[branch] == pytest.approx(after, abs=1e-6)


def test_texas_has_450_bridges_and_finite_outage_factors() -> None:
    # 450 outages that island: measured with another program when the data were collected.
    network = network_of(matpower_case("case_ACTIVSg2000"))
    factors = Factors.of(network)
    assert len(factors.bridges()) == 450
    lodf, without = factors.lodf(np.arange(len(network.branches.ids)))
    assert np.isfinite(lodf).all()
    assert without.tolist() == factors.bridges().tolist()


def test_flows_of_texas_after_an_outage_equal_those_of_pypower_without_the_branch() -> None:
    ppc = matpower_case("case_ACTIVSg2000")
    random = np.random.default_rng(4)
    shifted = random.choice(3206, 60, replace=False)
    ppc["branch"][shifted, 9] = random.uniform(-20, 20, 60)  # the case has no phase shifter of its own
    network = network_of(ppc)
    factors = Factors.of(network).with_slack(random.dirichlet(np.ones(2000)))
    single = Factors.of(network).flows(network.injection_mw)  # pypower balances at the reference bus
    pairs = [tuple(sorted(ends)) for ends in ppc["branch"][:, :2].tolist()]
    parallel = next(at for at, pair in enumerate(pairs) if pairs.count(pair) > 1)
    outages = [parallel, *np.setdiff1d(shifted, factors.bridges())[:2].tolist()]
    lodf, _ = factors.lodf(np.array(outages))
    for column, branch in enumerate(outages):
        ppc["branch"][branch, 10] = 0
        solved, success = rundcpf(ppc, ppoption(VERBOSE=0, OUT_ALL=0))
        ppc["branch"][branch, 10] = 1
        assert success
        assert single + lodf[:, column] * single[branch] == pytest.approx(solved["branch"][:, 13], abs=1e-5)


def test_a_branch_out_of_service_has_no_factors_and_its_outage_moves_nothing() -> None:
    ppc = pypower_case("case14")
    ppc["branch"][4, 10] = 0
    factors = Factors.of(network_of(ppc))
    assert not factors.dense()[4].any()
    lodf, without = factors.lodf(np.array([4, 2]))
    assert not lodf[:, 0].any()
    assert without.size == 0
    assert lodf[2, 1] == -1.0


def test_a_bus_out_of_service_neither_injects_nor_draws() -> None:
    ppc = pypower_case("case14")
    ppc["bus"][7, 1] = 4  # bus 8 hangs on bus 7 alone
    ppc["branch"] = ppc["branch"][(ppc["branch"][:, :2] != 8).all(axis=1)]
    ppc["gen"], ppc["gencost"] = ppc["gen"][:4], ppc["gencost"][:4]
    network = network_of(ppc)
    factors = Factors.of(network).with_slack(np.where(np.arange(14) == 7, 0.0, 1 / 13))
    assert not factors.dense()[:, 7].any()
    assert not factors.rows(np.arange(3))[:, 7].any()
    loaded = network.injection_mw + 50 * np.eye(14)[7]
    assert factors.flows(loaded) == pytest.approx(factors.flows(network.injection_mw))
    with pytest.raises(QuestionError, match="'8' is out of service"):
        factors.with_slack(np.eye(14)[7])


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    factors = Factors.of(network_of(pypower_case("case14")))
    with pytest.raises(QuestionError, match=r"sum to 0\.5"):
        factors.with_slack(np.eye(14)[0] / 2)
    with pytest.raises(QuestionError, match="14 buses"):
        factors.with_slack(np.full(14, np.nan))


def test_buses_without_a_path_to_the_reference_are_named() -> None:
    network = network_of(pypower_case("case14"))
    cut = replace(network.branches, in_service=np.arange(20) != 13)  # 7-8, the only branch to bus 8
    with pytest.raises(NetworkDataError, match="'8'"):
        Factors.of(replace(network, branches=cut))


def test_reactances_that_cancel_are_refused() -> None:
    network = network_of(pypower_case("case14"))
    reactance = network.branches.reactance_pu.copy()
    parallel = replace(
        network.branches,
        from_bus=np.append(network.branches.from_bus, network.branches.from_bus[13]),
        to_bus=np.append(network.branches.to_bus, network.branches.to_bus[13]),
        reactance_pu=np.append(reactance, -reactance[13]),
        **{
            name: np.append(getattr(network.branches, name), getattr(network.branches, name)[13])
            for name in ("in_service", "tap_ratio", "shift_deg")
        },
        ids=(*network.branches.ids, "mirror"),
    )
    with pytest.raises(NetworkDataError, match="cancel"):
        Factors.of(replace(network, branches=parallel))


def test_a_single_bus_is_a_network() -> None:
    network = Network.from_tables(NetworkTables(buses=table_of("buses", [{"bus": "1", "slack": True}])))
    factors = Factors.of(network)
    assert factors.flows(np.array([5.0])).shape == (0,)
    assert factors.bridges().size == 0


def test_factors_survive_the_way_to_a_worker_process() -> None:
    factors = Factors.of(network_of(pypower_case("case30")))
    factors = factors.with_slack(np.full(30, 1 / 30))
    arrived = pickle.loads(pickle.dumps(factors))  # noqa: S301 (our own bytes)
    assert arrived.dense() == pytest.approx(factors.dense())
