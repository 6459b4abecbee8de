"""DC-OPF with interfaces and after outages, against programs with every row written out, and the laws of prices.

Two oracles share no code with the product's factors: one inverts the Laplacian anew for each outage and hands all
limits of all outages to SciPy; the other has an angle for each bus before and after each outage.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import block_diag, coo_array, csr_array, hstack
from scipy.sparse.csgraph import connected_components

from engine.errors import InfeasibleError, QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.network.terms import write_branches, write_terms
from engine.opf.dc_opf import DcOpfOptions, DispatchOptions, dc_opf
from engine.opf.hours import dispatch_hours
from engine.opf.jobs import answer
from engine.opf.prices import congestion_rent_per_h
from engine.opf.question import OpfQuestion
from engine.opf.results import OpfAnswer
from tests.engine.grids import pypower_case, tables_of

Outage = tuple[int, ...]


def linear(name: str, *, rating_mw: float, emergency: float, interfaces: Any = (), contingencies: Any = ()) -> Network:
    """A published case with linear costs set apart, tighter ratings, and an emergency rating above them."""
    tables = tables_of(pypower_case(name))
    rating = np.minimum(tables.branches["rating_a_mw"], rating_mw * (1 + 0.005 * (np.arange(len(tables.branches)) % 7)))
    cost = tables.units["cost_c1_per_mwh"] + 0.37 * np.arange(len(tables.units)) % 11
    units = tables.units.assign(cost_c2_per_mw2h=0.0, cost_c0_per_h=0.0, cost_points="", p_min_mw=0.0)
    return Network.from_tables(
        replace(
            tables,
            branches=tables.branches.assign(rating_a_mw=rating, rating_c_mw=emergency * rating),
            units=units.assign(cost_c1_per_mwh=cost),
            interfaces=table_of("interfaces", interfaces),
            contingencies=table_of("contingencies", contingencies),
        )
    )


def transfer(network: Network, lost: Outage = ()) -> np.ndarray:
    """The (L, B) flows per MW injected and drawn at the slack, by the inverse Laplacian without the branches lost."""
    branches, size = network.branches, len(network.buses.ids)
    live = branches.in_service.copy()
    live[list(lost)] = False
    weight = np.where(live, network.base_mva / (branches.reactance_pu * branches.tap_ratio), 0.0)
    incidence = np.eye(size)[branches.from_bus] - np.eye(size)[branches.to_bus]
    kept = np.arange(size) != network.slack
    flow = weight[:, np.newaxis] * incidence
    factor = np.zeros((len(weight), size))
    factor[:, kept] = flow[:, kept] @ np.linalg.inv((incidence.T @ flow)[np.ix_(kept, kept)])
    return factor


def whole(network: Network, lost: Outage) -> bool:
    left = np.setdiff1d(np.arange(len(network.branches.ids)), lost)
    ends = (network.branches.from_bus[left], network.branches.to_bus[left])
    graph = coo_array((np.ones(len(left)), ends), shape=(len(network.buses.ids),) * 2)
    return bool(connected_components(graph, directed=False)[0] == 1)


def every_row(network: Network, outages: list[Outage]) -> tuple[float, np.ndarray, np.ndarray]:
    """The least cost, the prices at buses and the dispatch, of the program with all rows of all outages."""
    units, demand = network.units, network.demand_mw
    output = np.eye(len(demand))[units.bus].T * units.in_service
    sums = network.interfaces.weights.toarray()
    matrix, upper = [], []
    for lost in [(), *outages]:
        factor = transfer(network, lost)
        rating = network.branches.rating_c_mw if lost else network.branches.rating_a_mw
        for rows, low, high in (
            (factor, -rating, rating),
            (sums @ factor, network.interfaces.lower_mw, network.interfaces.upper_mw),
        ):
            matrix += [rows, -rows]
            upper += [high, -low]
    rows, limit = np.vstack(matrix), np.concatenate(upper)
    rows, limit = rows[np.isfinite(limit)], limit[np.isfinite(limit)]
    solved = linprog(
        units.cost_c1_per_mwh,
        A_ub=rows @ output,
        b_ub=limit + rows @ demand,
        A_eq=output.sum(axis=0)[np.newaxis],
        b_eq=[demand.sum()],
        bounds=np.column_stack([units.p_min_mw, units.p_max_mw * units.in_service]),
    )
    assert solved.success, solved.message
    prices = solved.eqlin.marginals[0] + rows.T @ solved.ineqlin.marginals
    return solved.fun, prices, solved.x


WEST = {"interface": "West", "terms": write_terms([("b10", 1.0), ("b11", -0.5), ("b20", 2.0)])}
# The case, its ratings in MW, what part of them may flow after an outage, and the interface's limit: all bind.
CASES = [("case24_ieee_rts", 280.0, 1.25, 260.0), ("case39", 900.0, 1.5, 700.0), ("case118", 190.0, 1.3, 80.0)]


def single(network: Network) -> list[Outage]:
    return [(branch,) for branch in range(len(network.branches.ids)) if whole(network, (branch,))]


@pytest.mark.parametrize(("name", "rating_mw", "emergency", "limit_mw"), CASES)
def test_security_costs_and_prices_what_all_rows_of_all_outages_do(
    name: str, rating_mw: float, emergency: float, limit_mw: float
) -> None:
    network = linear(name, rating_mw=rating_mw, emergency=emergency, interfaces=[WEST | {"limit_mw": limit_mw}])
    cost, prices, _ = every_row(network, single(network))
    result = dc_opf(network, DcOpfOptions(security="n-1"))
    assert result.cost_per_h == pytest.approx(cost, rel=1e-8)
    assert result.lmp_per_mwh == pytest.approx(prices, abs=1e-5)
    assert result.certificate.holds(1e-8)
    priced, after = np.abs(result.rows.price_per_mwh) > 1e-3, result.rows.outage >= 0
    interface = result.rows.monitored >= len(network.branches.ids)
    assert np.any(priced & after & ~interface)
    assert np.any(priced & interface)
    assert result.cost_per_h > dc_opf(network).cost_per_h + 1.0


def test_prices_are_energy_and_congestion_over_every_limit_that_binds() -> None:
    network = linear("case118", rating_mw=190.0, emergency=1.3, interfaces=[WEST | {"limit_mw": 80.0}])
    result = dc_opf(network, DcOpfOptions(security="n-1"))
    # By the definition of the price of a limit, with factors of the oracle: those after the outage.
    slack = np.eye(118)[network.slack]
    congestion = np.zeros(118)
    for row in range(result.limit_rows):
        outage = int(result.rows.outage[row])
        lost = result.limits.outages.lost[outage] if outage >= 0 else ()
        factor = transfer(network, lost)
        monitored = int(result.rows.monitored[row])
        own = factor[monitored] if monitored < 186 else network.interfaces.weights.toarray()[monitored - 186] @ factor
        congestion -= result.rows.price_per_mwh[row] * (own - own @ slack)
    assert result.congestion_per_mwh == pytest.approx(congestion, abs=1e-6)
    assert result.lmp_per_mwh == pytest.approx(result.energy_per_mwh + congestion, abs=1e-6)
    # And what loads pay beyond what units get is what the limits are worth.
    injection = np.bincount(network.units.bus, result.dispatch_mw, 118) - network.demand_mw
    limit = np.where(result.rows.price_per_mwh > 0, result.rows.upper_mw, result.rows.lower_mw)
    worth = np.where(result.rows.price_per_mwh == 0, 0.0, limit) @ result.rows.price_per_mwh
    assert congestion_rent_per_h(result.prices, injection) == pytest.approx(worth, rel=1e-6)


def angles(network: Network, outages: list[Outage]) -> float:
    """The least cost with an angle for each bus before and after each outage."""
    units, branches = network.units, network.branches
    size, count = len(network.buses.ids), len(units.ids)
    incidence = np.eye(size)[branches.from_bus] - np.eye(size)[branches.to_bus]
    output = np.eye(size)[units.bus].T * units.in_service
    balance, limited, upper = [], [], []
    for lost in [(), *outages]:
        live = branches.in_service.copy()
        live[list(lost)] = False
        weight = np.where(live, network.base_mva / (branches.reactance_pu * branches.tap_ratio), 0.0)
        flow = weight[:, np.newaxis] * incidence
        rating = branches.rating_c_mw if lost else branches.rating_a_mw
        sums, held = network.interfaces.weights.toarray() @ flow, network.interfaces
        balance.append(incidence.T @ flow)
        limited.append(np.vstack([flow, -flow, sums, -sums]))
        upper.append(np.concatenate([rating, rating, held.upper_mw, -held.lower_mw]))
    rows, limit = block_diag(limited, format="csr"), np.concatenate(upper)
    rows, limit = rows[np.isfinite(limit)], limit[np.isfinite(limit)]
    states = len(outages) + 1
    solved = linprog(
        np.concatenate([units.cost_c1_per_mwh, np.zeros(states * size)]),
        A_ub=hstack([csr_array((len(limit), count)), rows], format="csr"),
        b_ub=limit,
        A_eq=hstack([np.tile(output, (states, 1)), -block_diag(balance)], format="csr"),
        b_eq=np.tile(network.demand_mw, states),
        bounds=[
            *zip(units.p_min_mw * units.in_service, units.p_max_mw * units.in_service, strict=True),
            *[(0, 0) if bus == network.slack else (None, None) for _ in range(states) for bus in range(size)],
        ],
    )
    assert solved.success, solved.message
    return float(solved.fun)


@pytest.mark.parametrize(("limit_mw", "backward_mw"), [(150.0, np.nan), (80.0, np.inf), (np.inf, 100.0)])
def test_an_interface_costs_what_a_program_over_angles_says(limit_mw: float, backward_mw: float) -> None:
    free = linear("case24_ieee_rts", rating_mw=240.0, emergency=1.25, interfaces=[WEST])
    sign = np.sign((free.interfaces.weights @ dc_opf(free).flow_mw)[0])
    terms = write_terms([(name, sign * value) for name, value in (("b10", 1.0), ("b11", -0.5), ("b20", 2.0))])
    row = {"interface": "West", "terms": terms, "limit_mw": limit_mw, "limit_backward_mw": backward_mw}
    if np.isinf(limit_mw):
        row["terms"] = write_terms(
            [(name, -sign * value) for name, value in (("b10", 1.0), ("b11", -0.5), ("b20", 2.0))]
        )
    network = linear("case24_ieee_rts", rating_mw=240.0, emergency=1.25, interfaces=[row])
    result = dc_opf(network)
    assert result.cost_per_h == pytest.approx(angles(network, []), rel=1e-7)
    flow = float(result.interface_flow_mw[0])
    price = float(result.interface_price_per_mwh[0])
    assert abs(price) > 0.1
    assert flow == pytest.approx(limit_mw if np.isfinite(limit_mw) else -backward_mw)
    assert np.sign(price) == np.sign(flow)
    # The price is what one MW more of the limit saves.
    column = "limit_mw" if np.isfinite(limit_mw) else "limit_backward_mw"
    costs = []
    for step in (1e-2, -1e-2):
        changed = linear(
            "case24_ieee_rts", rating_mw=240.0, emergency=1.25, interfaces=[row | {column: row[column] + step}]
        )
        costs.append(dc_opf(changed).cost_per_h)
    assert (costs[1] - costs[0]) / 2e-2 == pytest.approx(abs(price), rel=1e-5)


def test_listed_outages_of_several_branches_cost_what_a_program_over_angles_says() -> None:
    lost = [(6, 20), (13,), (17, 18, 25)]
    listed = [
        {"contingency": f"c{number}", "branches": write_branches(f"b{branch}" for branch in branches)}
        for number, branches in enumerate(lost)
    ]
    off = {"contingency": "off", "branches": "b9", "in_service": False}
    network = linear("case24_ieee_rts", rating_mw=280.0, emergency=1.25, contingencies=[*listed, off])
    assert all(whole(network, outage) for outage in lost)
    result = dc_opf(network, DcOpfOptions(security="n-1", outages="listed"))
    assert result.limits.outages.ids == ("c0", "c1", "c2")
    assert result.cost_per_h == pytest.approx(angles(network, lost), rel=1e-7)
    assert result.cost_per_h > dc_opf(network).cost_per_h + 1.0


def two_lines(**unit: Any) -> NetworkTables:
    """100 MW behind two equal lines of 80 MW that may carry 90 after an outage, and a third bus on a line alone."""
    line = {"from_bus": "1", "to_bus": "2", "reactance_pu": 0.1, "rating_a_mw": 80.0, "rating_c_mw": 90.0}
    return NetworkTables(
        buses=table_of(
            "buses", [{"bus": "1", "slack": True}, {"bus": "2", "load_mw": 100.0}, {"bus": "3", "load_mw": 5}]
        ),
        branches=table_of(
            "branches",
            [
                line | {"branch": "one"},
                line | {"branch": "other", "circuit": "2"},
                line | {"branch": "tail", "from_bus": "2", "to_bus": "3"},
            ],
        ),
        units=table_of(
            "units",
            [
                {"unit": "cheap", "bus": "1", "p_max_mw": 200.0, "cost_c1_per_mwh": 10.0},
                {"unit": "dear", "bus": "2", "p_max_mw": 200.0, "cost_c1_per_mwh": 30.0} | unit,
            ],
        ),
    )


def test_two_lines_by_hand() -> None:
    # Either line carries what both did: at most 90 MW of 105, so 15 MW are dear. Losing the tail splits the network.
    made = answer(Network.from_tables(two_lines()), OpfQuestion(security="n-1"))
    dispatch = OpfAnswer.from_json(made.to_json()).dispatch
    assert dispatch is not None
    assert dispatch.dispatch_mw == pytest.approx([90, 15])
    assert dispatch.cost_per_h == pytest.approx(90 * 10 + 15 * 30)
    assert dispatch.lmp_per_mwh == pytest.approx([10, 30, 30])
    assert dispatch.binding() == []
    assert sum(row.price_per_mwh for row in dispatch.after) == pytest.approx(20)
    row = dispatch.after[0]
    assert {row.element, row.outage} == {"one", "other"}
    assert row.words == f"the loss of line {row.outage}"
    assert (row.flow_mw, row.limit_mw) == pytest.approx((90, 90))
    assert dispatch.outages == 2
    assert len(dispatch.islanding) == 1
    assert "the loss of line tail cuts off bus 3 with 5.0 MW" in dispatch.islanding[0][1]


def test_an_interface_that_no_outage_makes_worse_binds_before_outages() -> None:
    # Both lines together carry what bus 2 and bus 3 draw, whichever of them is lost: 80 MW of 105, 25 are dear.
    rows = [{"interface": "in", "terms": "one other", "limit_mw": 80.0}]
    network = Network.from_tables(replace(two_lines(), interfaces=table_of("interfaces", rows)))
    result = dc_opf(network, DcOpfOptions(security="n-1"))
    assert result.dispatch_mw == pytest.approx([80, 25])
    assert result.interface_price_per_mwh == pytest.approx([20])
    assert (result.rows.outage[result.rows.monitored == 3] < 0).all()  # after the three branches


def test_what_no_dispatch_can_keep_after_an_outage_is_named_with_the_outage() -> None:
    made = answer(Network.from_tables(two_lines(p_max_mw=10.0)), OpfQuestion(security="n-1"))
    assert made.dispatch is None
    assert "carries 95.0 MW, 5.0 MW beyond 90.0 MW" in made.refusal
    assert made.problems[0].message.startswith(("branch 'one' after the loss of line other", "branch 'other' after"))


def test_an_interface_that_no_dispatch_can_keep_is_named_with_its_row() -> None:
    rows = [
        {"interface": "off", "terms": "one", "limit_mw": 1.0, "in_service": False},
        {"interface": "in", "terms": "one other", "limit_mw": 70.0},
    ]
    network = Network.from_tables(replace(two_lines(p_max_mw=10.0), interfaces=table_of("interfaces", rows)))
    with pytest.raises(InfeasibleError, match=r"interface 'in' carries 95\.0 MW, 25\.0 MW beyond 70\.0 MW") as refused:
        dc_opf(network)
    problem = refused.value.problems[0]
    assert (problem.table, problem.row, problem.column, problem.element) == ("interfaces", 1, "limit_mw", "in")


def test_a_penalty_prices_what_is_over_after_an_outage() -> None:
    network = Network.from_tables(two_lines())
    soft = dc_opf(network, DcOpfOptions(security="n-1", branch_penalty_per_mwh=4.0))
    assert soft.dispatch_mw == pytest.approx([105, 0])
    assert soft.lmp_per_mwh == pytest.approx([10, 18, 18])  # each of two outages is 15 MW over, at 4 $/MWh
    assert soft.rows.excess_mw.sum() == pytest.approx(30)
    assert not soft.over_limit_mw.any()


def test_questions_that_cannot_be_asked_say_why() -> None:
    network = Network.from_tables(two_lines())
    with pytest.raises(QuestionError, match="lists no contingency in service"):
        dc_opf(network, DcOpfOptions(security="n-1", outages="listed"))
    with pytest.raises(QuestionError, match="choose a rating"):
        OpfQuestion(rating="none", security="n-1")
    with pytest.raises(QuestionError, match="outages is all or listed, found 'some'"):
        OpfQuestion.from_json({"outages": "some"})


@pytest.mark.parametrize("security", ["base", "n-1"])
def test_hours_are_the_dispatch_of_each_hour_alone(security: Any) -> None:
    network = linear("case24_ieee_rts", rating_mw=400.0, emergency=1.1, interfaces=[WEST | {"limit_mw": 400.0}])
    factors = Factors.of(network)
    load = network.buses.load_mw * np.linspace(0.3, 1.0, 12)[:, np.newaxis]
    series = dispatch_hours(network, load, options=DispatchOptions(security=security), factors=factors)
    alone = [dc_opf(network, DcOpfOptions(security=security, load_mw=hour), factors).cost_per_h for hour in load]
    assert series.cost_per_h == pytest.approx(alone, rel=1e-7)
    assert 0 < series.congested.sum() < 12
    assert not len(series.short_hours)


def test_an_hour_that_cannot_be_secured_is_counted_with_its_branch() -> None:
    network = Network.from_tables(two_lines(p_max_mw=10.0))
    series = dispatch_hours(
        network, np.array([[0.0, 40.0, 0.0], [0.0, 110.0, 0.0]]), options=DispatchOptions(security="n-1")
    )
    assert series.over_limit_mw == pytest.approx([0, 20])  # 10 MW over on either line after the loss of the other
    assert series.worst_branch[1] in (0, 1)
    assert series.short_hours.tolist() == [1]
