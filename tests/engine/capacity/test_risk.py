"""What a promise is worth: the reference case, closed forms, and counting state by state."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from engine.capacity.allocation import allocate
from engine.capacity.holdout import independent, parts, plan
from engine.capacity.margins import prepare
from engine.capacity.question import UncertaintySpec
from engine.capacity.results import CapacityResult
from engine.capacity.risk import Risk, level_warnings, percents, probability
from engine.capacity.risk_rows import Measure
from engine.capacity.row_loads import existing_mw, loads_of
from engine.capacity.uncertainty import Sample, States, box, distribution_sample
from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network
from tests.engine.capacity.small import asked, prepared, random_network, random_sample, sample, still, triangle
from tests.engine.capacity.small import network as small_network
from tests.engine.capacity.test_fourbus import EXPECTED, QUESTION

FOURBUS = Network.from_tables(load("fourbus"))


POPULATION = [np.array([10.0, 10.0]), np.array(EXPECTED["out_of_sample"]["capacity_mw"])]


def levels_of(result: CapacityResult) -> list[np.ndarray]:
    return [np.array(level.capacity_mw) for level in result.levels]


@pytest.fixture(scope="module")
def reference() -> Risk:
    known = States(distribution_sample(QUESTION.uncertainty, FOURBUS), box(QUESTION.uncertainty, FOURBUS))
    margins = prepare(FOURBUS, QUESTION, known)
    measure = Measure(QUESTION, POPULATION, together=True)
    planned = plan(QUESTION.uncertainty, FOURBUS, known.sample, EXPECTED["out_of_sample"]["draws"])
    for drawn in independent(QUESTION.uncertainty, FOURBUS, planned):
        measure.add(margins, POPULATION, drawn, len(drawn.labels) / planned.states)
    return measure.risk(planned.hours_a_year)


def test_a_million_draws_give_the_frequencies_of_the_reference_case(reference: Risk) -> None:
    expected = EXPECTED["out_of_sample"]
    level, tolerance = reference.levels[1], expected["tolerance"]
    rows = {row.element: row.exceeded[1].value for row in reference.rows}
    assert reference.states == expected["draws"]
    assert rows["4"] == pytest.approx(expected["bus_4"], abs=tolerance)
    assert rows["1-2"] == pytest.approx(expected["line_1_2"], abs=tolerance)
    assert level.exceeded.value == pytest.approx(expected["joint"], abs=tolerance)
    assert level.mean_mw == pytest.approx(expected["mean_shortfall_mw"], abs=expected["mean_tolerance_mw"])
    assert level.worst_mw == pytest.approx(7.7, abs=1.0)  # the extreme of a million draws, from the specification
    assert level.exceeded.low < level.exceeded.value < level.exceeded.high < level.exceeded.low + 0.001


def test_firm_capacity_of_a_box_is_never_exceeded_inside_it(reference: Risk) -> None:
    assert reference.levels[0].exceeded.value == 0.0
    assert reference.firm_broken.value == 0.0
    assert reference.before.value == 0.0


def test_interruptions_on_the_tree_are_those_of_nested_sums(reference: Risk) -> None:
    """On a path the least cut is: bus 4 gives what its own limit misses, and both share what line 1-2 still misses."""
    drawn = distribution_sample(
        replace(QUESTION.uncertainty, parameters={**QUESTION.uncertainty.parameters, "scenarios": 20_000}, seed=77),
        FOURBUS,
    )
    known = States(distribution_sample(QUESTION.uncertainty, FOURBUS), box(QUESTION.uncertainty, FOURBUS))
    margins = prepare(FOURBUS, QUESTION, known)
    measure = Measure(QUESTION, POPULATION, together=True)
    measure.add(margins, POPULATION, drawn)
    found = {product.bus: product for product in measure.risk(8760.0).products}
    d = drawn.net_demand_mw
    c3, c4 = EXPECTED["out_of_sample"]["capacity_mw"]
    own = np.maximum(c4 + d[:, 3] - 40.0, 0.0)
    line = np.maximum(c3 + c4 + d[:, 1:].sum(axis=1) - 100.0, 0.0)
    total = np.maximum(own, line)
    # In proportion to sizes, but bus 4 no less than its own limit asks.
    four = np.maximum(own, total * (c4 - 10.0) / (c3 + c4 - 20.0))
    assert found["4"].cut_mw == pytest.approx(four.mean(), abs=1e-6)
    assert found["3"].cut_mw == pytest.approx((total - four).mean(), abs=1e-6)
    assert found["4"].worst_mw == pytest.approx(four.max(), abs=1e-6)
    assert found["4"].interrupted.value == pytest.approx((four > 1e-6).mean())
    assert found["4"].energy_mwh == pytest.approx(8760.0 * four.mean(), abs=0.01)
    assert found["4"].hours == pytest.approx(8760.0 * (four > 1e-6).mean())


@pytest.mark.parametrize("seed", range(8))
def test_frequencies_are_those_of_counting_state_by_state(seed: int) -> None:
    generator = np.random.default_rng(seed)
    grid = random_network(generator, meshed=True)
    count = len(grid.buses.ids)
    known = random_sample(generator, count, 60)
    question = asked(grid, {"2": 50.0, "3": 40.0}, epsilons=(0.05, 0.15), at_zero="hold", downward_closed=False)
    margins = prepared(grid, question, known)
    result = allocate(margins, question)
    new = random_sample(generator, count, 150, weighted=True)
    measure = Measure(question, levels_of(result), together=True)
    measure.add(margins, levels_of(result), new)
    risk = measure.risk(None)
    shift = -margins.factors.dense()
    rated = np.flatnonzero(np.isfinite(grid.branches.rating_a_mw))
    for place, level in enumerate(result.levels):
        extra = np.zeros(count)
        for bus, mw in zip(question.candidates, level.capacity_mw, strict=True):
            extra[grid.bus(bus)] = mw
        broken = np.zeros(150, dtype=bool)
        for state, d in enumerate(new.net_demand_mw):
            for row in range(margins.row_count):
                limit, element = margins.limit(row), margins.row_element[row]
                if limit.kind == "withdrawal":
                    existing, added = d[element], extra[element]
                else:
                    sign = 1.0 if limit.kind == "forward" else -1.0
                    existing, added = sign * shift[element] @ d, sign * shift[element] @ extra
                broken[state] |= added > 1e-6 and existing + added > max(limit.limit_mw, existing) + 1e-6
        assert len(rated)
        assert risk.levels[place].exceeded.value == pytest.approx(new.weight[broken].sum())


def test_limits_exceeded_before_anything_is_added_are_counted_apart() -> None:
    grid = small_network([(1, 2), (2, 3)], [10.0, 10.0], buses=3)
    known = sample(np.array([[0.0, 4.0, 2.0], [0.0, 12.0, 2.0]]))  # the second state carries 14 MW on 1-2
    question = asked(grid, {"3": 5.0}, epsilons=(0.2,), at_zero="hold")
    margins = prepared(grid, question, known)
    result = allocate(margins, question)
    measure = Measure(question, levels_of(result), together=True)
    measure.add(margins, levels_of(result), sample(np.array([[0.0, 4.0, 2.0], [0.0, 12.0, 2.0], [0.0, 13.0, 2.0]])))
    risk = measure.risk(None)
    row = next(row for row in risk.rows if row.element == "1-2")
    assert row.held
    assert row.before.value == pytest.approx(2 / 3)  # 14 and 15 MW
    assert risk.levels[-1].exceeded.value == 0.0  # nothing is granted there, so nothing adds to it


def test_a_limit_that_the_sample_exceeds_already_is_judged_by_its_rating() -> None:
    """One line of 100 MW under a normal load: what is granted at 5 % exceeds it with the law's own probability."""
    grid = small_network([(1, 2)], [100.0], buses=2)
    draw = np.random.default_rng(4)

    def loads(count: int) -> Sample:
        return sample(np.column_stack([np.zeros(count), draw.normal(75.0, 9.0, count)]))

    question = asked(grid, {"2": 50.0}, epsilons=(0.05,), at_zero="hold")
    margins = prepared(grid, question, loads(2000))
    levels = levels_of(allocate(margins, question))
    measure = Measure(question, levels, together=True)
    measure.add(margins, levels, loads(200_000))
    risk = measure.risk(8760.0)
    granted = float(levels[1][0])
    assert levels[0][0] == 0.0  # some state of the sample is over already
    over = norm.sf((100.0 - 75.0 - granted) / 9.0)
    assert risk.levels[1].exceeded.value == pytest.approx(over, rel=0.05)
    assert risk.products[0].interrupted.value == pytest.approx(over, rel=0.05)
    # mean of min(excess, what is granted): the integral of the tail between the two ends
    ends = np.linspace(100.0 - granted, 100.0, 2001)
    assert risk.products[0].cut_mw == pytest.approx(np.trapezoid(norm.sf((ends - 75.0) / 9.0), ends), rel=0.05)
    assert risk.before.value == pytest.approx(norm.sf(25.0 / 9.0), rel=0.15)


def test_the_worst_part_is_what_a_limit_sees_without_counterflow() -> None:
    """The triangle with D = (1000, 100): (6, 18) is feasible together, but line 2-3 carries 6 > 4 without bus 2."""
    grid = triangle()
    question = asked(grid, {"2": 1000.0, "3": 100.0}, epsilons=(), downward_closed=False)
    margins = prepared(grid, question, still(grid))
    levels = levels_of(allocate(margins, question))
    assert levels[0] == pytest.approx([6.0, 18.0])
    found = {}
    for together in (True, False):
        measure = Measure(question, levels, together=together)
        measure.add(margins, levels, still(grid))
        found[together] = measure.risk(None).levels[0]
    assert found[True].exceeded.value == 0.0
    assert found[False].exceeded.value == 1.0
    assert found[False].worst_mw == pytest.approx(2.0, abs=1e-6)


def test_factors_that_the_question_drops_are_not_counted() -> None:
    """12 and 24 MW load line 1-2 of the triangle with 8 + 8 = 16 MW; without factors under a half with 8 of 10."""
    grid = triangle()
    for cutoff, share in ((0.0, 1.0), (0.5, 0.0)):
        question = asked(grid, {"2": 50.0, "3": 50.0}, epsilons=(), cutoff=cutoff)
        margins = prepared(grid, question, still(grid))
        measure = Measure(question, [np.array([12.0, 24.0])], together=True)
        measure.add(margins, [np.array([12.0, 24.0])], still(grid))
        assert measure.risk(None).levels[0].exceeded.value == share


def test_intervals_are_the_exact_binomial_ones() -> None:
    """Clopper and Pearson's table: 0 of 10 gives (0, 0.308), 1 of 10 (0.0025, 0.445)."""
    assert probability(0.0, 10).high == pytest.approx(0.3085, abs=1e-4)
    one = probability(0.1, 10)
    assert (one.low, one.high) == (pytest.approx(0.0025, abs=1e-4), pytest.approx(0.4450, abs=1e-4))
    assert percents(probability(0.035, 100_000)) == "3.5 % (3.4\u20133.6)"
    assert percents(probability(0.0, 100_000)) == "0 % (at most 0.004)"


def test_a_level_below_the_resolution_is_warned_of() -> None:
    question = replace(QUESTION, epsilons=(0.0001, 0.002, 0.05))
    words = level_warnings(question, 1 / 2000)
    assert len(words) == 2
    assert "below the sample's resolution of 0.05 %" in words[0]
    assert "rests on the worst 4 states" in words[1]


def test_independent_states_are_new_and_reproducible() -> None:
    known = distribution_sample(QUESTION.uncertainty, FOURBUS)
    planned = plan(QUESTION.uncertainty, FOURBUS, known, 30_000)
    first, again = (
        np.concatenate([part.net_demand_mw for part in independent(QUESTION.uncertainty, FOURBUS, planned)])
        for _ in range(2)
    )
    assert len(first) == 30_000
    assert (first == again).all()
    assert not np.isin(known.net_demand_mw[:, 2], first[:, 2]).any()


def test_a_files_rows_are_each_left_out_once() -> None:
    known = random_sample(np.random.default_rng(1), 4, 23, weighted=True)
    left = [label for rest, part in parts(known, 3) for label in part.labels if label not in rest.labels]
    assert sorted(left) == sorted(known.labels)


def test_what_cannot_be_judged_apart_is_refused() -> None:
    grid = small_network([(1, 2)], [10.0], buses=2)
    with pytest.raises(QuestionError, match="no probabilities"):
        plan(UncertaintySpec("box"), grid, None)
    few: Sample = sample(np.zeros((9, 2)))
    with pytest.raises(QuestionError, match="9 rows"):
        plan(UncertaintySpec("file", {}, 0), grid, few)


def test_loads_of_some_rows_are_those_of_all() -> None:
    """Row by row and all at once are two ways through the network: factors of a row, and flows of a state."""
    grid = Network.from_tables(load("rts24"))
    known = sample(np.random.default_rng(2).normal(10.0, 5.0, (7, 24)))
    question = asked(grid, {"4": 10.0})
    margins = prepared(grid, question, known)
    rows = np.arange(margins.row_count)[::-1]
    assert loads_of(margins, known.net_demand_mw, rows) == pytest.approx(
        existing_mw(margins, known.net_demand_mw)[rows], abs=1e-8
    )
    assert existing_mw(margins, known.net_demand_mw).max(axis=1) == pytest.approx(margins.firm_load_mw, abs=1e-8)
