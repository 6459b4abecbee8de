"""The largest extra load with redispatch: by hand, against a program in bus angles, and its proofs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.outages import Outages
from engine.network.tables import table_of
from engine.redispatch import angles
from engine.redispatch.angles import Held
from engine.redispatch.check import check_largest, dispatch_overload, least_overload, most_step_mw, proved_mw
from engine.redispatch.largest import LargestLoads, largest_loads
from engine.redispatch.limits import FlowLimits
from engine.redispatch.states import State, state_of
from tests.engine.capacity.small import network as small_network
from tests.engine.grids import network_of, pypower_case


def two_buses(*, least: float = 0.0, load: float = 0.0) -> tuple[Network, State]:
    """A line of 50 MW; 100 MW of generation at bus 1, 30 MW at bus 2 that must run at ``least`` or more."""
    units = [
        {"unit": "a", "bus": "1", "p_max_mw": 100.0, "p_min_mw": 0.0},
        {"unit": "b", "bus": "2", "p_max_mw": max(30.0, least), "p_min_mw": least},
    ]
    network = small_network([(1, 2)], [50.0], buses=2, units=units)
    return network, state_of(network, np.array([load, 20.0]))


@pytest.fixture(scope="module")
def rts() -> Network:
    """The 24-bus reliability test system, with an interface, a withdrawal limit and a phase shifter."""
    ppc = pypower_case("case24_ieee_rts")
    ppc["branch"][4, 9] = 4.0
    tables = network_of(ppc).tables
    names = tables.branches["branch"].tolist()
    interface = {
        "interface": "south",
        "name": "south",
        "limit_mw": 300.0,
        "limit_backward_mw": 250.0,
        "terms": f"{names[6]}:1 {names[13]}:0.5 {names[14]}:-1",
    }
    buses = tables.buses.assign(withdrawal_limit_mw=np.where(tables.buses["bus"].isin(["3", "13"]), 320.0, np.inf))
    changed = tables.with_table("interfaces", table_of("interfaces", [interface])).with_table("buses", buses)
    return Network.from_tables(changed)


def stressed(network: Network, share: float = 0.85) -> State:
    state = state_of(network)
    return replace(state, demand_mw=share * state.demand_mw)


def test_a_line_and_the_units_at_both_its_ends() -> None:
    network, state = two_buses()
    found = largest_loads(network, state)
    # Bus 1: all 130 MW less the 20 MW drawn. Bus 2: what the line brings and the unit there gives, less the load.
    np.testing.assert_allclose(found.most_mw, [110.0, 60.0], atol=1e-6)
    assert [found.ends_by(place) for place in (0, 1)] == ["generation", "limits"]
    limits = FlowLimits.of(Factors.of(network))
    assert "every unit that helps is at its largest output" in found.words(0, limits)
    assert "redispatch cannot keep line" in found.words(1, limits)


def test_a_load_can_make_possible_what_was_not() -> None:
    network, state = two_buses(least=100.0, load=85.0)
    found = largest_loads(network, state)
    assert not found.possible
    # 80 MW too many at bus 2, 50 MW of line: nothing at bus 1 helps. All units give 200 MW, of which 105 are drawn.
    assert found.ends_by(0) == "impossible"
    assert found.most_mw[1] == pytest.approx(200.0 - 85.0 - 20.0)
    assert proved_mw(network, found, 0) == -np.inf
    check = check_largest(network, found, 0)
    assert np.isnan(check.optimum_mw)
    assert check.overload == pytest.approx(30.0 / 50.0)


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_every_bus_of_a_test_system_equals_a_program_in_angles(rts: Network, share: float) -> None:
    state = stressed(rts, share)
    found = largest_loads(rts, state)
    assert found.possible
    assert "limits" in {found.ends_by(place) for place in range(24)}
    for place in range(24):
        check = check_largest(rts, found, place)
        assert check.optimum_mw == pytest.approx(found.most_mw[place], rel=1e-6, abs=1e-6)
        assert check.bound_mw == pytest.approx(found.most_mw[place], rel=1e-6, abs=1e-6)
        assert check.overload < 1e-6
        assert max(check.off_balance_mw, check.outside_mw) < 1e-6


def test_withdrawal_limits_and_interfaces_stop_loads(rts: Network) -> None:
    state = stressed(rts)
    free = Network.from_tables(
        rts.tables.with_table("interfaces", table_of("interfaces", [])).with_table(
            "buses", rts.tables.buses.assign(withdrawal_limit_mw=np.inf)
        )
    )
    held, loose = largest_loads(rts, state), largest_loads(free, state)
    limits = FlowLimits.of(Factors.of(rts))
    said = [held.words(place, limits) for place in np.flatnonzero(held.most_mw < loose.most_mw - 1.0)]
    assert any("withdrawal limit of bus 3" in words for words in said)
    assert any("interface south" in words for words in said)


def test_after_every_outage_too(rts: Network) -> None:
    factors = Factors.of(rts)
    outages = Outages.all_single(factors)
    state = stressed(rts, 0.6)
    secure = largest_loads(rts, state, limits=FlowLimits.of(factors, outages))
    base = largest_loads(rts, state)
    assert secure.possible
    assert (secure.most_mw <= base.most_mw + 1e-6).all()
    assert (secure.most_mw < base.most_mw - 1.0).any()
    direction = np.eye(24)
    for place in range(24):
        # Two proofs that share no code with the program: a dispatch that survives, multipliers that allow no more.
        overload = dispatch_overload(
            Held(rts), state, secure.dispatch_mw[place], secure.most_mw[place] * direction[place], outages.lost
        )
        assert overload < 1e-6
        proved = proved_mw(rts, secure, place, outages.lost)
        assert proved == pytest.approx(secure.most_mw[place], rel=1e-6, abs=1e-5)
        every = check_largest(rts, secure, place, outages.lost)
        some = check_largest(rts, secure, place, outages.lost, most_outages=10)
        counted = secure.sides.outage[secure.first[place] : secure.first[place + 1]]
        assert (every.outages, some.outages) == (len(outages), len(set(counted[counted >= 0].tolist())))
        # A limit that the multipliers count is full after its outage, in the part as in the whole.
        assert every.overload == pytest.approx(some.overload, abs=1e-6) or not (counted >= 0).any()


def test_where_the_checks_solver_gives_up_another_of_its_methods_goes_on(
    rts: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, direction = stressed(rts), np.eye(24)[4]
    expected = most_step_mw(rts, state, direction)
    tried = []

    def gives_up(*given: Any, method: str, **others: Any) -> Any:
        tried.append(method)
        found = linprog(*given, method=method, **others)
        found.status = 4 if method == "highs" else found.status
        return found

    monkeypatch.setattr(angles, "linprog", gives_up)
    assert most_step_mw(rts, state, direction) == pytest.approx(expected, abs=1e-4)
    assert tried == ["highs", "highs", "highs-ipm"]


def test_a_file_brings_everything_back(rts: Network) -> None:
    state = replace(stressed(rts), words="a test's hour")
    found = largest_loads(rts, state, buses=np.array([3, 9]))
    back = LargestLoads.load(found.save())
    assert back.state.words == "a test's hour"
    np.testing.assert_array_equal(back.dispatch_mw, found.dispatch_mw)
    limits = FlowLimits.of(Factors.of(rts))
    for place, bus in enumerate((3, 9)):
        direction = np.eye(24)[bus]
        proved = back.proof(place, limits).most_step(back.state, rts.units.bus, direction)
        assert proved == pytest.approx(found.most_mw[place], rel=1e-7)
    with pytest.raises(UncertaintyDataError, match="not a file of"):
        LargestLoads.load(b"something else")


def test_a_wrong_proof_and_a_wrong_dispatch_are_found(rts: Network) -> None:
    found = largest_loads(rts, stressed(rts), buses=np.array([3]))
    more = replace(found, most_mw=found.most_mw + 5.0)
    check = check_largest(rts, more, 0)
    assert check.off_balance_mw == pytest.approx(5.0, abs=1e-6)
    assert check.optimum_mw < more.most_mw[0] - 4.9
    forged = replace(found, multiplier=0.5 * found.multiplier)
    assert proved_mw(rts, forged, 0) > found.most_mw[0] + 1.0  # still valid, only weaker


def test_overload_is_the_least_that_any_dispatch_reaches() -> None:
    network, state = two_buses()
    # 100 MW at bus 2: at best 30 MW come from its own unit and 90 MW over the line of 50 MW.
    assert least_overload(network, state, np.array([0.0, 100.0])) == pytest.approx(40.0 / 50.0)
    assert least_overload(network, state, np.array([0.0, 500.0])) == np.inf


def test_states_that_do_not_fit_are_refused() -> None:
    network, state = two_buses()
    with pytest.raises(QuestionError, match="cannot balance"):
        largest_loads(network, replace(state, demand_mw=np.array([0.0, 500.0])))
    with pytest.raises(QuestionError, match="another network"):
        largest_loads(network, replace(state, demand_mw=np.zeros(3)))
    with pytest.raises(QuestionError, match="unit 'a' has a least output above"):
        largest_loads(network, replace(state, least_mw=np.array([101.0, 0.0])))
