"""The 4-bus case of the auction paper: every published or derived fact of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.capacity.allocation import allocate
from engine.capacity.defaults import paper_question, starting_question
from engine.capacity.margins import Prepared, prepare
from engine.capacity.products import product_set
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.results import CapacityResult
from engine.capacity.uncertainty import Marginal, States, box, distribution_sample
from engine.capacity.verify import verify
from engine.network.library import load
from engine.network.model import Network
from tests.engine.capacity.small import scenario_program

CASE = Path(__file__).parents[2] / "cases" / "fourbus"
INPUT: dict[str, Any] = json.loads((CASE / "input.json").read_text())
EXPECTED: dict[str, Any] = json.loads((CASE / "expected.json").read_text())
QUESTION = CapacityQuestion.from_json({**INPUT["question"], "uncertainty": INPUT["uncertainty"]})


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.from_tables(load(INPUT["network"]))


@pytest.fixture(scope="module")
def prepared(network: Network) -> Prepared:
    return prepare(network, QUESTION, states(network, QUESTION.uncertainty))


def states(network: Network, spec: UncertaintySpec) -> States:
    return States(distribution_sample(spec, network), box(spec, network))


def with_spec(seed: int = 1, **parameters: Any) -> UncertaintySpec:
    return UncertaintySpec("distribution", {**QUESTION.uncertainty.parameters, **parameters}, seed)


def answer(network: Network, spec: UncertaintySpec) -> CapacityResult:
    question = replace(QUESTION, uncertainty=spec)
    return allocate(prepare(network, question, states(network, spec)), question)


def test_firm_capacity_is_ten_and_ten(prepared: Prepared) -> None:
    expected = EXPECTED["firm_mw"]
    assert allocate(prepared, QUESTION).firm_mw == pytest.approx(expected["value"], abs=expected["tolerance"])


def test_flexible_increments_are_those_of_the_population(prepared: Prepared) -> None:
    expected = EXPECTED["increment_mw"]
    assert allocate(prepared, QUESTION).delta_mw[0] == pytest.approx(expected["value"], abs=expected["tolerance"])


@pytest.mark.parametrize("reading", ["moment_matched", "parent"])
def test_each_reading_of_the_variance_has_its_own_increments(network: Network, reading: str) -> None:
    expected = EXPECTED["increment_by_reading_mw"]
    drawn = [answer(network, with_spec(seed, reading=reading, scenarios=expected["scenarios"])) for seed in range(10)]
    found = np.mean([result.delta_mw[0] for result in drawn], axis=0)
    assert found == pytest.approx(expected["value"][reading], abs=expected["tolerance"])


def test_the_published_increments_are_one_plausible_draw(network: Network) -> None:
    expected = EXPECTED["published_increment_mw"]
    drawn = np.array([answer(network, with_spec(seed)).delta_mw[0] for seed in range(60)])
    assert drawn.std(axis=0) == pytest.approx(expected["standard_deviation"], rel=0.35)
    distance = np.abs(drawn.mean(axis=0) - expected["value"]) / drawn.std(axis=0)
    assert (distance < expected["within"] + 0.5).all()
    assert abs(drawn.sum(axis=1).mean() - sum(expected["value"])) < expected["within"] * drawn.sum(axis=1).std()


def test_moments_are_matched_by_the_parents_of_the_specification() -> None:
    expected = EXPECTED["parent_sd_mw"]
    for support, sd in expected["value"].items():
        low, high = map(float, support.split("-"))
        law = Marginal.moment_matched(low, high, (low + high) / 2, 5.0)
        assert law.parent_sd_mw == pytest.approx(sd, abs=expected["tolerance"])
        drawn = law.at((np.arange(200_000) + 0.5) / 200_000)
        assert drawn.var() == pytest.approx(5.0, abs=1e-3)


def test_bus_4_and_line_1_2_bind_at_both_levels(prepared: Prepared) -> None:
    for level in allocate(prepared, QUESTION).levels:
        assert {row.limit.element for row in level.binding} == {"4", "1-2"}


def test_the_smaller_demand_is_served_first(prepared: Prepared) -> None:
    expected = EXPECTED["larger_demand_at_4"]
    found = allocate(prepared, replace(QUESTION, demand_mw=tuple(map(float, expected["demand_mw"]))))
    assert found.firm_mw == pytest.approx(expected["firm_mw"], abs=expected["tolerance"])


@pytest.mark.parametrize("objective", ["sum_ratio", "sum_sq_ratio", "lex_max_min"])
def test_equal_demands_split_evenly_under_every_objective(prepared: Prepared, objective: Any) -> None:
    expected = EXPECTED["equal_demand"]
    question = replace(QUESTION, demand_mw=tuple(map(float, expected["demand_mw"])), objective=objective)
    found = allocate(prepared, question)
    assert found.firm_mw == pytest.approx(expected["firm_mw"], abs=expected["tolerance"])


@pytest.mark.parametrize("objective", ["sum_ratio", "sum_sq_ratio", "lex_max_min"])
def test_on_a_tree_no_objective_loses_total(prepared: Prepared, objective: Any) -> None:
    for level in allocate(prepared, replace(QUESTION, objective=objective)).levels:
        assert level.lost_to_objective_mw == pytest.approx(0.0, abs=1e-6)
        assert level.lost_to_subsets_mw == pytest.approx(0.0, abs=1e-6)


def test_the_margins_answer_is_that_of_the_full_scenario_program(network: Network, prepared: Prepared) -> None:
    known = distribution_sample(QUESTION.uncertainty, network)
    full = scenario_program(network, QUESTION, known, 0.05)
    assert allocate(prepared, QUESTION).flexible_mw[0] == pytest.approx(full, abs=1e-6)


def test_out_of_sample_violations_are_far_below_the_risk_level(network: Network) -> None:
    expected = EXPECTED["out_of_sample"]
    generator = np.random.default_rng(5)
    rows = QUESTION.uncertainty.parameters["buses"]
    laws = [Marginal.moment_matched(row["low"], row["high"], row["mean"], row["variance"]) for row in rows]
    d = np.array([law.at(generator.random(expected["draws"])) for law in laws])
    c3, c4 = expected["capacity_mw"]
    bus_4 = c4 + d[3] - 40.0
    line = c3 + c4 + d[1:].sum(axis=0) - 100.0
    tolerance = expected["tolerance"]
    assert (bus_4 > 0).mean() == pytest.approx(expected["bus_4"], abs=tolerance)
    assert (line > 0).mean() == pytest.approx(expected["line_1_2"], abs=tolerance)
    assert ((bus_4 > 0) | (line > 0)).mean() == pytest.approx(expected["joint"], abs=tolerance)
    shortfall = np.maximum(np.maximum(bus_4, line), 0.0).mean()
    assert shortfall == pytest.approx(expected["mean_shortfall_mw"], abs=expected["mean_tolerance_mw"])


def test_the_checker_accepts_the_answer_and_refuses_a_kilowatt_more(network: Network, prepared: Prepared) -> None:
    levels = [np.array(level.capacity_mw) for level in allocate(prepared, QUESTION).levels]
    known = states(network, QUESTION.uncertainty)
    assert verify(network, QUESTION, levels, known).holds
    verdict = verify(network, QUESTION, [level + 0.001 for level in levels], known)
    assert not verdict.holds
    assert {violation.rule for violation in verdict.violations} == {"(1b)", "(1c)", "(4b)", "(4c)"}


def test_four_products_are_offered(prepared: Prepared) -> None:
    products = product_set(prepared, QUESTION, allocate(prepared, QUESTION)).products
    assert [(p.bus, p.kind, p.risk) for p in products] == [
        ("3", "firm", 0.0), ("4", "firm", 0.0), ("3", "flexible", 0.05), ("4", "flexible", 0.05),
    ]  # fmt: skip
    assert [p.capacity_mw for p in products[:2]] == [10.0, 10.0]


def test_the_drawn_case_opens_with_the_papers_question(network: Network) -> None:
    assert starting_question(network) == paper_question()
    assert paper_question().demand_mw == QUESTION.demand_mw
