"""DC-OPF against pypower and PyPSA, and against the laws of prices."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from pypower.api import ppoption, rundcopf

from engine.errors import InfeasibleError, NetworkDataError, QuestionError, SolverError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.opf.dc_opf import DcOpfOptions, DcOpfResult, dc_opf
from engine.opf.prices import congestion_rent_per_h
from engine.program import Status
from tests.engine.grids import Ppc, matpower_case, network_of, pypower_case, tables_of

# Warnings of the programs compared with are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")

QUIET = ppoption(VERBOSE=0, OUT_ALL=0)
# Name, and the ratings in MW per branch (None: as filed) that make branches bind without making it infeasible.
CASES = [
    ("case9", None),
    ("case9", 120.0),
    ("case14", None),
    ("case14", 28.0),
    ("case24_ieee_rts", None),
    ("case24_ieee_rts", 232.0),
    ("case30", None),
    ("case30", 24.0),
    ("case30pwl", None),
    ("case30pwl", 26.0),
    ("case39", None),
    ("case57", None),
    ("case118", None),
    ("case118", 160.0),
    ("case300", None),
]


def rated(name: str, rating_mw: float | None) -> Ppc:
    ppc = pypower_case(name)
    if rating_mw is not None:
        filed = ppc["branch"][:, 5]
        # Not all alike: two equal branches in series could share one price in any way.
        limit = rating_mw * (1.0 + 0.005 * (np.arange(len(filed)) % 7))
        ppc["branch"][:, 5] = np.where(filed == 0, limit, np.minimum(filed, limit))
    return ppc


@pytest.mark.parametrize(("name", "rating_mw"), CASES)
def test_objective_prices_and_flows_equal_those_of_pypower(name: str, rating_mw: float | None) -> None:
    ppc = rated(name, rating_mw)
    ours = dc_opf(network_of(ppc))
    theirs = rundcopf(ppc, QUIET)
    assert theirs["success"]
    assert ours.status is Status.OPTIMAL
    assert ours.cost_per_h == pytest.approx(theirs["f"], rel=1e-7)
    # Its interior point stops short of a corner of a piecewise cost by about a thousandth.
    close = 2e-3 if name == "case30pwl" else 2e-4
    assert ours.lmp_per_mwh == pytest.approx(theirs["bus"][:, 13], abs=close)
    assert (rating_mw is None) or np.ptp(ours.lmp_per_mwh) > 0.1
    if name not in {"case30pwl"}:  # with linear pieces the optimum need not be unique
        assert ours.flow_mw == pytest.approx(theirs["branch"][:, 13], abs=1e-2)
        assert np.abs(ours.branch_price_per_mwh) == pytest.approx(theirs["branch"][:, 17:19].sum(axis=1), abs=1e-3)
    judged(ours)


def judged(result: DcOpfResult) -> None:
    assert result.certificate.holds(1e-8)
    assert result.gap <= 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_shifters_shunts_and_angle_limits_are_those_of_pypower(seed: int) -> None:
    ppc = rated("case118", 250.0)
    random = np.random.default_rng(seed)
    ppc["branch"][random.choice(186, 10, replace=False), 9] = random.uniform(-2, 2, 10)
    ppc["bus"][random.choice(118, 10, replace=False), 4] = random.uniform(0, 9, 10)
    limited = random.choice(186, 40, replace=False)
    ppc["branch"][limited, 11], ppc["branch"][limited, 12] = -5.0, 5.0
    ours = dc_opf(network_of(ppc))
    theirs = rundcopf(ppc, QUIET)
    assert theirs["success"]
    assert ours.cost_per_h == pytest.approx(theirs["f"], rel=1e-7)
    assert ours.lmp_per_mwh == pytest.approx(theirs["bus"][:, 13], abs=2e-4)
    judged(ours)


@pytest.mark.parametrize(
    ("name", "scale"), [("case_ACTIVSg200", 1.0), ("case_ACTIVSg500", 1.0), ("case_ACTIVSg2000", 0.8)]
)
def test_large_grids_are_optimal_by_the_certificate_and_keep_every_limit(name: str, scale: float) -> None:
    network = network_of(matpower_case(name))
    result = dc_opf(network, DcOpfOptions(limit_scale=scale, ignore_p_min=True))
    judged(result)
    assert (np.abs(result.flow_mw) <= scale * network.branches.rating_a_mw + 1e-4).all()
    assert result.dispatch_mw.sum() == pytest.approx(network.demand_mw.sum())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "rating_mw"), [("case30", 24.0), ("case118", 160.0)])
def test_objective_and_prices_equal_those_of_pypsa(name: str, rating_mw: float) -> None:
    pypsa = import_module("pypsa")
    ppc = rated(name, rating_mw)
    ppc["branch"][:, 9] = 0.0
    grid = pypsa.Network()
    grid.import_from_pypower_ppc(ppc, overwrite_zero_s_nom=1e6)
    # It reads the filed outputs as fixed and drops the costs: give it the case's own cost model.
    grid.generators["p_set"] = np.nan
    grid.generators["marginal_cost"] = ppc["gencost"][:, 5]
    grid.generators["marginal_cost_quadratic"] = ppc["gencost"][:, 4]
    grid.generators["p_min_pu"] = ppc["gen"][:, 9] / ppc["gen"][:, 8]
    for table in (grid.lines, grid.transformers):
        table["v_ang_min"], table["v_ang_max"] = -np.inf, np.inf
    grid.optimize(solver_name="highs", solver_options={"output_flag": False, "qp_regularization_value": 0.0})
    ours = dc_opf(network_of(ppc))
    constant = ppc["gencost"][:, 6].sum()
    assert ours.cost_per_h == pytest.approx(grid.objective + constant, rel=1e-6)
    assert ours.lmp_per_mwh == pytest.approx(grid.buses_t.marginal_price.iloc[0].to_numpy(), abs=1e-3)


def congested() -> Network:
    return network_of(rated("case118", 120.0))  # twelve branches bind


def test_a_price_predicts_the_cost_of_one_more_megawatt_at_every_other_bus() -> None:
    network = congested()
    factors = Factors.of(network)
    base = dc_opf(network, factors=factors)
    step = 1e-3
    for bus in range(0, 118, 2):
        load = network.buses.load_mw + step * np.eye(118)[bus]
        more = dc_opf(network, DcOpfOptions(load_mw=load), factors).cost_per_h
        less = dc_opf(network, DcOpfOptions(load_mw=load - 2 * step * np.eye(118)[bus]), factors).cost_per_h
        assert (more - less) / (2 * step) == pytest.approx(base.lmp_per_mwh[bus], abs=1e-4)


def test_a_branch_price_predicts_the_gain_of_one_more_megawatt_of_rating() -> None:
    network = congested()
    base = dc_opf(network)
    binding = np.flatnonzero(base.branch_price_per_mwh)
    assert binding.size
    for branch in binding:
        step = 1e-3 * np.eye(186)[branch] / network.branches.rating_a_mw
        wider, tighter = (dc_opf(network, DcOpfOptions(limit_scale=1.0 + sign * step)).cost_per_h for sign in (1, -1))
        assert (tighter - wider) / 2e-3 == pytest.approx(abs(base.branch_price_per_mwh[branch]), abs=1e-4)


@pytest.mark.parametrize("slack", ["single", "distributed"])
def test_congestion_is_minus_the_transposed_factors_times_the_branch_prices(slack: str) -> None:
    network = congested()
    factors = Factors.of(network)
    if slack == "distributed":
        factors = factors.with_slack(network.demand_mw / network.demand_mw.sum())
    result = dc_opf(network, factors=factors)
    assert result.congestion_per_mwh == pytest.approx(-factors.dense().T @ result.branch_price_per_mwh, abs=1e-9)
    assert result.lmp_per_mwh == pytest.approx(result.energy_per_mwh + result.congestion_per_mwh)
    assert factors.slack_share @ result.lmp_per_mwh == pytest.approx(result.energy_per_mwh)
    assert ("weighted" in result.prices.reference) is (slack == "distributed")


def test_prices_do_not_depend_on_the_reference_and_can_be_split_at_another() -> None:
    network = congested()
    single = Factors.of(network)
    other = single.with_slack(np.full(118, 1 / 118))
    at_one, at_all = dc_opf(network, factors=single), dc_opf(network, factors=other)
    assert at_one.lmp_per_mwh == pytest.approx(at_all.lmp_per_mwh, abs=1e-8)
    moved = at_one.prices.at_reference(other)
    assert moved.energy_per_mwh == pytest.approx(at_all.energy_per_mwh)
    assert moved.congestion_per_mwh == pytest.approx(at_all.congestion_per_mwh, abs=1e-8)


def test_loads_pay_more_than_units_get_by_the_value_of_the_binding_limits() -> None:
    network = congested()
    result = dc_opf(network)
    generation = np.bincount(network.units.bus, weights=result.dispatch_mw, minlength=118)
    rent = congestion_rent_per_h(result.prices, generation - network.demand_mw)
    assert rent == pytest.approx(float(result.branch_price_per_mwh @ result.flow_mw))
    with pytest.raises(QuestionError):
        congestion_rent_per_h(result.prices, np.zeros(3))


def test_units_at_the_margin_see_their_own_marginal_cost() -> None:
    network = congested()
    result = dc_opf(network)
    units = network.units
    inside = (result.dispatch_mw > units.p_min_mw + 1e-6) & (result.dispatch_mw < units.p_max_mw - 1e-6)
    slope = units.cost_c1_per_mwh + 2 * units.cost_c2_per_mw2h * result.dispatch_mw
    assert inside.any()
    assert result.lmp_per_mwh[units.bus[inside]] == pytest.approx(slope[inside], abs=1e-8)


def two_buses(**unit: object) -> NetworkTables:
    """A cheap unit at bus 1 and a dear one at bus 2, 100 MW of load at bus 2, and a line of 60 MW between."""
    cheap = {"unit": "cheap", "bus": "1", "p_max_mw": 200.0, "cost_c1_per_mwh": 10.0}
    dear = {"unit": "dear", "bus": "2", "p_max_mw": 200.0, "cost_c1_per_mwh": 30.0}
    buses = [{"bus": "1", "slack": True}, {"bus": "2", "load_mw": 100.0}]
    line = {"branch": "line", "from_bus": "1", "to_bus": "2", "reactance_pu": 0.1, "rating_a_mw": 60.0}
    return NetworkTables(
        buses=table_of("buses", buses),
        branches=table_of("branches", [line]),
        units=table_of("units", [{**cheap, **unit}, dear]),
    )


def test_two_buses_by_hand() -> None:
    result = dc_opf(Network.from_tables(two_buses()))
    assert result.dispatch_mw == pytest.approx([60, 40])
    assert result.lmp_per_mwh == pytest.approx([10, 30])
    assert result.energy_per_mwh == pytest.approx(10)
    assert result.branch_price_per_mwh == pytest.approx([20])
    assert result.cost_per_h == pytest.approx(60 * 10 + 40 * 30)
    assert result.limit_rows == 1


def test_without_limits_the_price_is_one_and_no_limit_is_reported() -> None:
    result = dc_opf(Network.from_tables(two_buses()), DcOpfOptions(enforce_limits=False))
    assert result.lmp_per_mwh == pytest.approx([10, 10])
    assert result.flow_mw == pytest.approx([100])


def test_a_piecewise_cost_fills_its_cheap_segment_first() -> None:
    # 0-20 MW at 5 $/MWh, 20-50 MW at 40: by hand 20 MW of it, the dear unit 80, price 30.
    network = Network.from_tables(two_buses(cost_points="0:7 20:107 50:1307", p_max_mw=50.0))
    result = dc_opf(network)
    assert result.dispatch_mw == pytest.approx([20, 80])
    assert result.cost_per_h == pytest.approx(107 + 80 * 30)
    assert result.lmp_per_mwh == pytest.approx([30, 30])


def test_a_piecewise_cost_continues_beyond_its_points() -> None:
    # The points end at 20 MW and start at 10; the limits do not: by hand the line's 60 MW at 5 $/MWh.
    network = Network.from_tables(two_buses(cost_points="10:50 20:100"))
    result = dc_opf(network)
    assert result.dispatch_mw == pytest.approx([60, 40])
    assert result.cost_per_h == pytest.approx(300 + 1200)


@pytest.mark.parametrize("cost", [{"cost_points": "0:0 20:400 50:600"}, {"cost_c2_per_mw2h": -0.1}])
def test_a_cost_that_is_not_convex_is_refused_by_name(cost: dict[str, object]) -> None:
    network = Network.from_tables(two_buses(**cost))
    with pytest.raises(NetworkDataError, match="'cheap' is not convex") as refused:
        dc_opf(network)
    assert refused.value.problems[0].element == "cheap"
    assert refused.value.problems[0].row == 0


def test_points_that_bend_back_by_rounding_alone_are_a_line() -> None:
    # Unit 121-1 of RTS-GMLC as filed: three segments of one line, points rounded to five decimals.
    points = "396:3208.986 397.33333:3219.79067 398.66667:3230.59533 400:3241.4"
    network = Network.from_tables(two_buses(cost_points=points, p_max_mw=400.0))
    assert dc_opf(network).status is Status.OPTIMAL


def test_load_above_capacity_is_named_with_both_numbers() -> None:
    network = Network.from_tables(two_buses())
    with pytest.raises(InfeasibleError, match=r"load of 500\.0 MW exceeds the 400\.0 MW") as refused:
        dc_opf(network, DcOpfOptions(load_mw=np.array([0.0, 500.0])))
    assert refused.value.problems[0].code == "load-above-capacity"


def test_load_below_the_least_output_is_named_with_both_numbers() -> None:
    network = Network.from_tables(two_buses(p_min_mw=150.0))
    with pytest.raises(InfeasibleError, match=r"100\.0 MW is below the 150\.0 MW"):
        dc_opf(network)
    assert dc_opf(network, DcOpfOptions(ignore_p_min=True)).dispatch_mw == pytest.approx([60, 40])


def test_a_branch_that_cannot_be_kept_is_named_with_the_excess() -> None:
    network = Network.from_tables(two_buses())
    with pytest.raises(InfeasibleError, match=r"'line' carries 80\.0 MW, 20\.0 MW beyond 60\.0 MW") as refused:
        dc_opf(network, DcOpfOptions(p_max_mw=np.array([200.0, 20.0])))
    assert [problem.element for problem in refused.value.problems] == ["line"]


def test_an_angle_limit_is_a_flow_limit() -> None:
    tables = two_buses()
    degrees = np.rad2deg(40.0 * 0.1 / 100.0)  # the angle of 40 MW over 0.1 pu on 100 MVA
    limited = tables.with_table("branches", tables.branches.assign(angle_max_deg=degrees))
    result = dc_opf(Network.from_tables(limited))
    assert result.flow_mw == pytest.approx([40])
    assert result.branch_price_per_mwh == pytest.approx([20])


def test_an_angle_limit_beyond_the_rating_leaves_no_flow_and_is_named() -> None:
    tables = two_buses()
    degrees = np.rad2deg(80.0 * 0.1 / 100.0)
    network = Network.from_tables(tables.with_table("branches", tables.branches.assign(angle_min_deg=degrees)))
    with pytest.raises(InfeasibleError, match=r"'line' must carry at least 80\.0 MW and at most 60\.0 MW"):
        dc_opf(network)


def test_a_penalty_lets_a_limit_be_exceeded_at_that_price() -> None:
    network = Network.from_tables(two_buses())
    soft = dc_opf(network, DcOpfOptions(branch_penalty_per_mwh=5.0))
    assert soft.over_limit_mw == pytest.approx([40])
    assert soft.lmp_per_mwh == pytest.approx([10, 15])
    assert soft.cost_per_h == pytest.approx(1000)
    dear = dc_opf(network, DcOpfOptions(branch_penalty_per_mwh=25.0))
    assert not dear.over_limit_mw.any()
    assert dear.lmp_per_mwh == pytest.approx([10, 30])


def test_a_least_output_above_the_largest_one_given_is_lowered_to_it() -> None:
    network = Network.from_tables(two_buses(p_min_mw=50.0))
    assert dc_opf(network, DcOpfOptions(p_max_mw=np.array([30.0, 200.0]))).dispatch_mw == pytest.approx([30, 70])


def test_replacements_of_the_wrong_shape_are_refused() -> None:
    network = Network.from_tables(two_buses())
    with pytest.raises(QuestionError, match="load needs one number for each of 2"):
        dc_opf(network, DcOpfOptions(load_mw=np.zeros(3)))
    with pytest.raises(QuestionError, match="largest output"):
        dc_opf(network, DcOpfOptions(p_max_mw=np.array([np.nan, 1.0])))


def test_a_time_limit_is_an_error_of_the_solver_and_not_infeasible() -> None:
    network = network_of(matpower_case("case_ACTIVSg2000"))
    with pytest.raises(SolverError, match=r"[Tt]ime"):
        dc_opf(network, DcOpfOptions(time_limit_s=1e-9))


def test_elements_out_of_service_carry_nothing_and_have_no_price() -> None:
    tables = tables_of(pypower_case("case14"))
    hung = tables.buses["bus"] == "8"
    branches = tables.branches.assign(in_service=~((tables.branches.from_bus == "8") | (tables.branches.to_bus == "8")))
    tables = tables.with_table("buses", tables.buses.assign(in_service=~hung)).with_table("branches", branches)
    result = dc_opf(Network.from_tables(tables))
    assert np.isnan(result.lmp_per_mwh).tolist() == hung.tolist()
    assert result.dispatch_mw[4] == 0.0
    assert result.flow_mw[13] == 0.0


def test_a_network_without_load_and_units_costs_nothing() -> None:
    tables = two_buses()
    empty = tables.with_table("units", table_of("units")).with_table("buses", tables.buses.assign(load_mw=0.0))
    result = dc_opf(Network.from_tables(empty))
    assert result.cost_per_h == 0.0
    assert result.flow_mw == pytest.approx([0.0])


def test_a_factor_of_the_wrong_slack_changes_nothing_but_the_split() -> None:
    network = Network.from_tables(two_buses())
    factors = Factors.of(network).with_slack(np.array([0.0, 1.0]))
    result = dc_opf(network, factors=factors)
    assert result.energy_per_mwh == pytest.approx(30)
    assert result.congestion_per_mwh == pytest.approx([-20, 0])


def test_options_are_values() -> None:
    assert replace(DcOpfOptions(), rating="c").rating == "c"
