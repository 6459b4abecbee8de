"""Margins: exact against the scenario program, the corners of a box, and the definition of CVaR."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from engine.capacity.allocation import allocate
from engine.capacity.margins import Prepared, prepare
from engine.capacity.question import LARGEST_EPSILON, UncertaintySpec
from engine.capacity.tails import Tails
from engine.capacity.uncertainty import Box, States
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from tests.engine.capacity.small import (
    TRIANGLE,
    asked,
    network,
    prepared,
    random_network,
    random_sample,
    sample,
    scenario_program,
    still,
    triangle,
)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("meshed", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_the_reduction_is_the_full_scenario_program(seed: int, meshed: bool, closed: bool) -> None:
    generator = np.random.default_rng([seed, meshed])
    grid = random_network(generator, meshed=meshed)
    known = random_sample(generator, len(grid.buses.ids), 83, weighted=seed % 2 == 0)
    sites = generator.choice(grid.buses.ids[1:], 2, replace=False).tolist()
    question = asked(grid, dict(zip(sites, (60.0, 47.0), strict=True)), epsilons=(0.1,), downward_closed=closed)
    margins = prepared(grid, question, known)
    # The margins alone: what earlier levels keep is not part of program (17).
    alone = replace(margins, firm_load_mw=margins.load_mw(0.1))
    assert (margins.margin_mw(0.1) >= 0).all()  # no draw exceeds a limit before any addition
    found = allocate(alone, question).levels[1]
    full = scenario_program(grid, question, known, 0.1)
    demand = np.array(question.demand_mw)
    assert ((demand - found.capacity_mw) / demand).sum() == pytest.approx(((demand - full) / demand).sum(), abs=1e-6)


@pytest.mark.parametrize("epsilon", [0.2, 0.1, 0.0501, 0.05, 0.013, 1 / 83, 0.001])
@pytest.mark.parametrize("weighted", [False, True])
def test_cvar_and_var_on_every_row_follow_their_definitions(epsilon: float, weighted: bool) -> None:
    generator = np.random.default_rng(4)
    grid = random_network(generator, meshed=True)
    known = random_sample(generator, len(grid.buses.ids), 83, weighted=weighted)
    margins = prepared(grid, asked(grid, {"2": 1.0}), known)
    flow = Factors.of(grid).flows(-known.net_demand_mw.T)
    own = np.flatnonzero(np.isfinite(grid.buses.withdrawal_limit_mw))
    losses = np.vstack([known.net_demand_mw.T[own], flow, -flow])
    for row, loss in enumerate(losses):
        # Rockafellar and Uryasev: the minimum over eta is at one of the losses.
        cvar = min(eta + known.weight @ np.maximum(loss - eta, 0) / epsilon for eta in loss)
        assert margins.load_mw(epsilon)[row] == pytest.approx(cvar, abs=1e-9)
        reached = [value for value in loss if known.weight[loss > value].sum() <= epsilon + 1e-12]
        assert margins.load_mw(epsilon, "var")[row] == pytest.approx(min(reached), abs=1e-9)
        assert margins.load_mw(0.0)[row] == pytest.approx(loss.max(), abs=1e-12)
        assert margins.worst_state[row] == loss.argmax()


def test_a_box_is_as_bad_as_its_worst_corner() -> None:
    generator = np.random.default_rng(2)
    grid = random_network(generator, meshed=True)
    size = len(grid.buses.ids)
    low = generator.uniform(-5, 5, size)
    box = Box(low, low + generator.uniform(0, 6, size))
    margins = prepared(grid, asked(grid, {"2": 1.0}, firm_set="box", epsilons=()), box)
    corners = np.array([np.where(choice, box.upper_mw, box.lower_mw) for choice in product([0, 1], repeat=size)])
    flow = Factors.of(grid).flows(-corners.T)
    own = np.flatnonzero(np.isfinite(grid.buses.withdrawal_limit_mw))
    worst = np.concatenate([box.upper_mw[own], flow.max(axis=1), -flow.min(axis=1)])
    assert margins.firm_load_mw == pytest.approx(worst, abs=1e-9)


def test_a_box_is_enlarged_to_the_sample_and_says_so() -> None:
    grid = triangle()
    known = sample(np.array([[0.0, 1.0, 2.0], [0.0, -1.0, 0.0]]))
    box = Box(np.zeros(3), np.array([0.0, 1.0, 1.0]))
    margins = prepared(grid, asked(grid, {"2": 1.0}, firm_set="box"), States(known, box))
    assert any("enlarged at 2 buses" in notice for notice in margins.notices)
    assert (margins.load_mw(0.0) >= margins.load_mw(0.01) - 1e-12).all()


def test_tails_in_blocks_equal_tails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(6)
    grid = random_network(generator, meshed=True)
    known = random_sample(generator, len(grid.buses.ids), 211)
    question = asked(grid, {"2": 1.0})
    whole = prepared(grid, question, known)
    monkeypatch.setattr("engine.capacity.tails._BLOCK_BYTES", 8 * 4 * 40 * 17)
    parts = prepared(grid, question, known)
    assert parts.tails is not None
    assert whole.tails is not None
    assert parts.tails.load_mw == pytest.approx(whole.tails.load_mw, abs=1e-12)
    assert (parts.worst_state == whole.worst_state).all()


def test_equal_weights_given_as_weights_change_nothing() -> None:
    generator = np.random.default_rng(8)
    grid = random_network(generator, meshed=True)
    plain = random_sample(generator, len(grid.buses.ids), 60)
    question = asked(grid, {"2": 1.0})
    even = prepared(grid, question, replace(plain, weights=np.full(60, 1 / 60)))
    for epsilon in (0.2, 0.07, 0.01):
        assert even.load_mw(epsilon) == pytest.approx(prepared(grid, question, plain).load_mw(epsilon), abs=1e-9)


def test_phase_shifters_count_in_the_existing_load() -> None:
    tables = load("ieee30")
    branches = tables.branches.assign(shift_deg=[3.0] + [0.0] * (len(tables.branches) - 1), rating_a_mw=100.0)
    grid = Network.from_tables(tables.with_table("branches", branches))
    states = -grid.injection_mw[np.newaxis]
    flow = Factors.of(grid).flows(grid.injection_mw)
    weighted = sample(np.vstack([states, states]), np.array([0.3, 0.7]))
    for known in (sample(states), weighted):
        margins = prepared(grid, asked(grid, {grid.buses.ids[5]: 1.0}), known)
        assert margins.load_mw(0.1) == pytest.approx(np.concatenate([flow, -flow]), abs=1e-9)


def test_saved_margins_answer_from_the_file_alone(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    grid = random_network(generator, meshed=True)
    question = asked(grid, {"2": 30.0, "3": 20.0}, at_zero="hold")
    for weighted in (False, True):
        made = prepared(grid, question, random_sample(generator, len(grid.buses.ids), 50, weighted=weighted))
        path = tmp_path / f"margins-{weighted}.npz"
        path.write_bytes(made.save())
        read = Prepared.load(path, grid)
        assert read.tails is not None
        assert not read.tails.load_mw.flags.owndata
        assert not read.tails.load_mw.flags.writeable
        assert read.tails.load_mw.ctypes.data % 64 == 0
        assert allocate(read, question).levels[1].capacity_mw == allocate(made, question).levels[1].capacity_mw
        assert read.state_words(0) == made.state_words(0)
        with np.load(path, allow_pickle=False) as plain:
            assert plain["tail_mw"] == pytest.approx(read.tails.load_mw)


def test_margins_of_another_network_or_file_are_refused() -> None:
    grid = triangle()
    question = asked(grid, {"2": 1.0})
    saved = prepared(grid, question, sample(np.zeros((4, 3)))).save()
    other = network([(1, 2)], [5.0], buses=2)
    with pytest.raises(UncertaintyDataError, match="another state of network 'small'"):
        Prepared.load(saved, other)
    for wrong in (b"", b"PK\x03\x04 cut", saved[:200], b"\x80\x04\x95pickle"):
        with pytest.raises(UncertaintyDataError, match="not a file of margins"):
            Prepared.load(wrong, grid)


def test_what_cannot_be_prepared_says_why() -> None:
    grid = triangle()
    with pytest.raises(UncertaintyDataError, match="needs a sample"):
        prepare(grid, asked(grid, {"2": 1.0}), States(box=Box(np.zeros(3), np.ones(3))))
    with pytest.raises(UncertaintyDataError, match="needs a box"):
        prepare(grid, asked(grid, {"2": 1.0}, firm_set="box"), States())
    with pytest.raises(UncertaintyDataError, match="given for 2 buses"):
        prepare(grid, asked(grid, {"2": 1.0}), States(sample(np.zeros((1, 2)))))
    boxed = prepared(grid, asked(grid, {"2": 1.0}, firm_set="box", epsilons=()), Box(np.zeros(3), np.ones(3)))
    with pytest.raises(QuestionError, match="a box has no probabilities"):
        boxed.margin_mw(0.05)
    known = prepared(grid, asked(grid, {"2": 1.0}), sample(np.zeros((1, 3))))
    with pytest.raises(QuestionError, match=r"at most 0\.2"):
        known.margin_mw(LARGEST_EPSILON + 0.01)
    with pytest.raises(QuestionError, match="'9' is not in network"):
        known.positions(("9",))


def test_margins_made_for_another_supply_are_not_used() -> None:
    grid = triangle()
    question = asked(grid, {"2": 1.0})
    margins = prepared(grid, question, sample(np.zeros((1, 3))))
    with pytest.raises(QuestionError, match="another supply"):
        allocate(margins, replace(question, supply="capacity"))
    with pytest.raises(QuestionError, match="another uncertainty"):
        allocate(margins, replace(question, uncertainty=UncertaintySpec("hourly", {}, 5)))


def test_readers_in_many_threads_get_their_own_factors_and_few_are_kept() -> None:
    generator = np.random.default_rng(12)
    grid = random_network(generator, meshed=True)
    base = asked(grid, {"2": 1.0})
    margins = prepared(grid, base, random_sample(generator, len(grid.buses.ids), 10))
    questions = [replace(base, cutoff=cutoff) for cutoff in np.linspace(0.0, 0.5, 40).tolist()]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(margins.factors_of, questions * 5))
    for question, factors in zip(questions * 5, found, strict=True):
        assert (factors == margins.row_factors(np.array([1]), question.cutoff)).all()
    assert len(margins._cache) <= 16


def test_supply_shares_move_the_flow_as_their_definition_says() -> None:
    grid = triangle()
    even = asked(grid, {"2": 1.0}, supply="given", supply_shares=(("1", 1.0), ("3", 3.0)))
    factors = prepared(grid, even, sample(np.zeros((1, 3)))).row_factors(np.array([1]))[:3, 0]
    withdrawal = np.array([[2 / 3, 1 / 3], [1 / 3, 2 / 3], [-1 / 3, 1 / 3]])  # the specification's S, buses 2 and 3
    assert factors == pytest.approx(withdrawal[:, 0] - 0.75 * withdrawal[:, 1])


def test_one_state_has_the_same_margin_at_every_risk() -> None:
    tails = Tails(np.array([0.0, 1.0]), np.array([[0.0], [7.0]]))
    assert [float(tails.cvar(e)[0]) for e in (0.01, 0.2)] == pytest.approx([7.0, 7.0])
    assert float(tails.var(0.05)[0]) == 7.0


def test_factors_of_another_state_of_the_network_are_refused() -> None:
    grid, other = triangle(), network(TRIANGLE, [10.0, 30.0, 5.0], buses=3)
    question = asked(grid, {"2": 10.0})
    states = States(still(grid))
    with pytest.raises(UncertaintyDataError, match="another state"):
        prepare(grid, question, states, factors=Factors.of(other))
    kept = prepare(grid, question, states, factors=Factors.of(grid)).save()
    with pytest.raises(UncertaintyDataError, match="another state"):
        Prepared.load(kept, grid, Factors.of(other))
