"""Interfaces as limits, and firm capacity for a budget of buses at their extremes: closed forms and other programs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from engine.capacity.allocation import allocate
from engine.capacity.alone import alone, risk_curve
from engine.capacity.firm_sets import Ranges
from engine.capacity.margins import Prepared, prepare
from engine.capacity.risk_measures import risk_rows
from engine.capacity.uncertainty import Box, States
from engine.capacity.verify import verify
from engine.capacity.why import why, why_alone
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.network.tables import table_of
from tests.engine.capacity.small import TRIANGLE, asked, random_network, random_sample, sample, still
from tests.engine.capacity.small import network as small_network


def with_interface(network: Network, terms: str, limit: float, backward: float = np.nan) -> Network:
    row = {"interface": "I", "name": "west to east", "terms": terms, "limit_mw": limit, "limit_backward_mw": backward}
    return Network.from_tables(replace(network.tables, interfaces=table_of("interfaces", [row])))


# Of a load at bus 3 supplied from bus 1, 2/3 flow on 1-3 and 1/3 on 1-2 and 2-3.
WIDE = small_network(TRIANGLE, [1e3, 1e3, 1e3], buses=3)


def test_an_interface_stops_what_its_weighted_sum_of_flows_says() -> None:
    grid = with_interface(WIDE, "1-3:1 2-3:0.5", 50.0)
    question = asked(grid, {"3": 500.0}, epsilons=())
    states = States(sample(np.array([[0.0, 0.0, 12.0], [0.0, 0.0, 6.0]])))
    margins = prepare(grid, question, states)
    found = allocate(margins, question)
    # Per MW at bus 3 the sum is 2/3 + 1/6 = 5/6; 12 MW are there already.
    assert found.firm_mw == pytest.approx((50.0 / (5 / 6) - 12.0,))
    binding = found.levels[0].binding[0]
    assert (binding.limit.kind, binding.limit.element) == ("interface_forward", "I")
    assert binding.words.startswith("interface west to east (I), limit 50.0 MW")
    assert binding.gain_mw_per_mw == pytest.approx(6 / 5)
    assert verify(grid, question, [np.array(found.firm_mw)], states).holds
    assert not verify(grid, question, [np.array(found.firm_mw) + 1e-3], states).holds
    card = why(margins, question, found, "3")
    assert card.gain_mw == pytest.approx(12.0)
    assert "interface west to east (I)" in card.summary


def test_an_interface_counts_backward_with_its_own_limit_and_against_its_weights() -> None:
    grid = with_interface(WIDE, "1-3:-1", 1e3, backward=20.0)
    question = asked(grid, {"3": 500.0}, epsilons=())
    found = allocate(prepare(grid, question, States(still(grid))), question)
    assert found.firm_mw == pytest.approx((30.0,))
    assert found.levels[0].binding[0].limit.kind == "interface_backward"
    one_way = with_interface(WIDE, "1-3:1", np.inf, backward=20.0)
    margins = prepare(one_way, asked(one_way, {"3": 500.0}), States(still(one_way)))
    assert (margins.row_kind == 3).sum() == 0
    assert (margins.row_kind == 4).sum() == 1


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_interfaces_are_on_the_map_of_single_loads_the_curve_and_the_cards(seed: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    grid = random_network(generator, meshed=True)
    ids = grid.branches.ids
    terms = " ".join(
        f"{branch}:{weight:.3f}" for branch, weight in zip(ids, generator.normal(size=len(ids)), strict=True)
    )
    grid = with_interface(grid, terms, 15.0, 12.0)
    known = random_sample(generator, len(grid.buses.ids), 40, weighted=weighted)
    question = asked(grid, dict.fromkeys(grid.buses.ids[1:], 1e4), epsilons=(0.1,), at_zero="hold")
    margins = prepare(grid, question, States(known))
    found = alone(margins, question)
    used = set()
    for bus in range(1, len(grid.buses.ids)):
        name = grid.buses.ids[bus]
        single = allocate(margins, replace(question, candidates=(name,), demand_mw=(1e4,)))
        for level in (0, 1):
            assert min(found.capacity_mw[level, bus], 1e4) == pytest.approx(
                single.levels[level].capacity_mw[0], abs=1e-6
            )
        curve = risk_curve(margins, question, name)
        assert curve.capacity_mw[0] == pytest.approx(found.capacity_mw[0, bus])
        card = why_alone(margins, question, name)
        row = int(found.limiting_row[0, bus])
        used.add(int(margins.row_kind[row]))
        assert card.limit is not None
        assert card.limit.row == row
    assert used & {3, 4}
    kept = Prepared.load(margins.save(), grid)
    assert kept.load_mw(0.1) == pytest.approx(margins.load_mw(0.1))
    assert [kept.limit(row) for row in range(kept.row_count)] == [margins.limit(row) for row in range(kept.row_count)]


def most_by_program(factors: Vector, box: Box, budget: float) -> float:
    """The largest load over the budget set by a linear program: shares of each half-range, up and down."""
    half, count = (box.upper_mw - box.lower_mw) / 2, len(factors)
    cost = -np.concatenate([factors * half, -factors * half])
    found = linprog(cost, np.ones((1, 2 * count)), [budget], bounds=[(0, 1)] * (2 * count), method="highs")
    return float(factors @ (box.upper_mw + box.lower_mw) / 2 - found.fun)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 9.0))
def test_a_budgets_worst_case_is_that_of_the_linear_program_over_the_set(seed: int, budget: float) -> None:
    generator = np.random.default_rng(seed)
    grid = random_network(generator, meshed=True)
    middle, half = generator.normal(2, 3, len(grid.buses.ids)), generator.uniform(0, 4, len(grid.buses.ids))
    box = Box(middle - half, middle + half)
    question = asked(grid, {"2": 10.0}, epsilons=(), firm_set="budget", budget=budget)
    margins = prepare(grid, question, States(box=box))
    places = margins.row_element.astype(int)
    dense = -Factors.of(grid).dense()
    for row in range(margins.row_count):
        kind = margins.row_kind[row]
        factor = np.eye(len(middle))[places[row]] if kind == 0 else (1, -1)[kind - 1] * dense[places[row]]
        assert margins.firm_load_mw[row] == pytest.approx(most_by_program(factor, box, budget), abs=1e-7)
    assert (margins.worst_state == -1).all()


def test_a_budget_of_all_buses_is_the_box_and_of_none_its_centre() -> None:
    generator = np.random.default_rng(5)
    grid = random_network(generator, meshed=True)
    count = len(grid.buses.ids)
    middle, half = generator.normal(2, 3, count), generator.uniform(0, 4, count)
    known = States(box=Box(middle - half, middle + half))
    question = asked(grid, {"2": 10.0}, epsilons=(), firm_set="budget", budget=float(count))
    whole = prepare(grid, question, known)
    box = prepare(grid, replace(question, firm_set="box"), known)
    assert whole.firm_load_mw == pytest.approx(box.firm_load_mw)
    none = prepare(grid, replace(question, budget=0.0), known)
    centre = prepare(grid, replace(question, firm_set="box"), States(box=Box(middle, middle)))
    assert none.firm_load_mw == pytest.approx(centre.firm_load_mw)
    with pytest.raises(QuestionError, match="another budget"):
        allocate(whole, replace(question, budget=2.0))


def test_a_budget_is_enlarged_on_each_limit_to_the_sample_and_says_so() -> None:
    grid = small_network([(1, 2), (2, 3)], [100.0, 100.0], buses=3)
    box = Box(np.array([0.0, 10.0, 10.0]), np.array([0.0, 20.0, 20.0]))
    known = sample(np.array([[0.0, 20.0, 20.0], [0.0, 12.0, 18.0]]))
    question = asked(grid, {"3": 90.0}, firm_set="budget", budget=1.0)
    margins = prepare(grid, question, States(known, box))
    # Line 1-2 carries both loads: 30 MW at the centre and 5 MW for one bus, but 40 MW in the first state.
    assert margins.firm_load_mw == pytest.approx([40.0, 20.0, -30.0 + 5.0, -10.0])
    assert margins.worst_state.tolist() == [0, -1, -1, -1]
    notices = [notice for notice in margins.notices if "at their extremes" in notice]
    assert len(notices) == 1
    assert "1 limit sees less load than" in notices[0]
    assert "line 1-2" in notices[0]
    assert "by 5.00 MW" in notices[0]
    found = allocate(margins, question)
    assert found.firm_mw == pytest.approx((60.0,))
    states = States(known, box)
    levels = [np.array(level.capacity_mw) for level in found.levels]
    assert verify(grid, question, levels, states).holds
    assert not verify(grid, question, [level + 1e-3 for level in levels], states).holds


def test_a_budget_is_never_negative_beyond_the_number_of_buses() -> None:
    ranges = Ranges(Box(np.zeros(3), np.array([2.0, 4.0, 6.0])), 1.5)
    assert ranges.reach_mw(np.array([[1.0, -1.0, 0.5]])) == pytest.approx([2.0 + 0.5 * 1.5])  # 2, then half of 1.5


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("epsilon", [0.003, 0.01, 0.05, 0.1, 0.137, 0.2])
def test_risk_of_rows_is_that_of_the_kept_tails(epsilon: float, weighted: bool) -> None:
    generator = np.random.default_rng(2)
    grid = random_network(generator, meshed=True)
    known = random_sample(generator, len(grid.buses.ids), 100, weighted=weighted)
    margins = prepare(grid, asked(grid, {"2": 1.0}), States(known))
    flow = Factors.of(grid).flows(-known.net_demand_mw.T)
    own = known.net_demand_mw[:, margins.row_element[margins.row_kind == 0]].T
    loads = np.concatenate([own, flow, -flow])
    for measure in ("cvar", "var"):
        found = risk_rows(loads, epsilon, measure, None if known.weights is None else known.weight)
        assert found == pytest.approx(margins.load_mw(epsilon, measure), abs=1e-9)
