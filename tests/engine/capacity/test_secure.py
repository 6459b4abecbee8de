"""Capacity after outages against a loop: every outage a network of its own, every limit a row of a plain program."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
import pytest
from scipy.optimize import linprog

from engine.capacity.allocation import allocate
from engine.capacity.margins import prepare
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.results import CapacityResult
from engine.capacity.secure import Secure, outages_of
from engine.capacity.uncertainty import Box, Sample, States
from engine.capacity.verify import verify
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Matrix, Network, Vector
from engine.network.outages import Outages
from engine.network.tables import table_of
from tests.engine.grids import network_of, pypower_case
from tests.engine.network.test_outages import after, cut_off, without

EPSILON = 0.1
Part = tuple[str, Matrix, Vector, Vector]  # outage, withdrawal factors (n, K), margins (n,) firm and at the risk level


@cache
def grid(name: str, *, interfaces: bool = False, share: float = 1.0) -> Network:
    """A published case with ratings of its own making: about what its flows need after any outage, and some more."""
    plain = network_of(pypower_case(name))
    factors = Factors.of(plain)
    flow, outages = factors.flows(plain.injection_mw), Outages.all_single(factors)
    generator = np.random.default_rng(3)
    need = np.abs([flow, *(after(outages, flow, outage) for outage in range(len(outages)))]).max(axis=0)
    rating = share * (need * generator.uniform(1.5, 2.0, len(flow)) + 10.0)
    rated = plain.tables.branches.assign(rating_a_mw=0.9 * rating, rating_b_mw=0.95 * rating, rating_c_mw=rating)
    tables = plain.tables.with_table("branches", rated)
    if interfaces:
        ids = plain.branches.ids
        terms = [f"{ids[0]}:1 {ids[1]}:1", f"{ids[3]}:1 {ids[6]}:-0.5 {ids[9]}:0.25"]
        weights = np.zeros((2, len(ids)))
        weights[0, :2], weights[1, [3, 6, 9]] = 1.0, (1.0, -0.5, 0.25)
        most = np.abs(weights) @ rating
        rows = [
            {
                "interface": f"i{k}",
                "name": "",
                "terms": terms[k],
                "limit_mw": 0.5 * most[k],
                "limit_backward_mw": most[k],
            }
            for k in range(2)
        ]
        tables = replace(tables, interfaces=table_of("interfaces", rows))
    return Network.from_tables(tables)


def states_of(network: Network, scenarios: int = 30, *, weighted: bool = False) -> States:
    generator = np.random.default_rng(7)
    filed = -network.injection_mw
    drawn = filed * (1 + 0.05 * generator.standard_normal((scenarios, len(filed))))
    weights = generator.uniform(0.5, 2.0, scenarios) if weighted else None
    weights = None if weights is None else weights / weights.sum()
    spread = np.abs(filed) * 0.04
    labels = tuple(f"s{s}" for s in range(scenarios))
    return States(Sample(drawn, weights, labels, "drawn", 7), Box(filed - spread, filed + spread))


def question_of(network: Network, sites: int = 6, **settings: object) -> CapacityQuestion:
    chosen = np.linspace(2, len(network.buses.ids) - 1, sites).round().astype(int)
    return CapacityQuestion(
        candidates=tuple(network.buses.ids[bus] for bus in chosen),
        demand_mw=tuple(np.linspace(150.0, 400.0, sites).tolist()),
        epsilons=(EPSILON,),
        security="n-1",
        at_zero="hold",
        uncertainty=UncertaintySpec("file", {}, 1),
        **settings,
    )


def answer(network: Network, question: CapacityQuestion, states: States) -> CapacityResult:
    factors = Factors.of(network)
    prepared = prepare(network, question, states, factors=factors)
    return allocate(prepared, question, Secure(prepared, question, states, outages_of(network, question, factors)))


@lru_cache(maxsize=64)  # one grid with its outages, of which many questions are asked
def left(network: Network, lost: tuple[int, ...]) -> tuple[Network, Factors, Matrix] | None:
    """The network without some branches, and its factors, also dense; None where it falls apart."""
    if lost and cut_off(network, lost):
        return None
    changed = without(network, lost) if lost else network
    factors = Factors.of(changed)
    return changed, factors, factors.dense()


def networks(network: Network, question: CapacityQuestion) -> Iterator[tuple[str, Network, Factors, Matrix]]:
    """The network as it is, and without the branches of each outage that leaves it whole."""
    lost: list[tuple[str, tuple[int, ...]]]
    if question.outages == "listed":
        lost = list(zip(network.contingencies.ids, network.contingencies.branches, strict=True))
    else:
        on = np.flatnonzero(network.branches.in_service).tolist()
        lost = [(network.branches.ids[branch], (branch,)) for branch in on]
    for name, branches in [("", ()), *lost]:
        if (found := left(network, tuple(branches))) is not None:
            yield name, *found


def tail(loads: Matrix, weight: Vector, measure: str) -> Vector:
    """CVaR or VaR of every row (n, S), from the definition, one row at a time."""
    found = []
    for row in loads:
        order = np.argsort(-row)
        mass = np.cumsum(weight[order])
        if measure == "var":
            found.append(row[order][np.argmax(mass > EPSILON + 1e-9)])
            continue
        part = np.diff(np.minimum(np.concatenate([[0.0], mass]), EPSILON))
        found.append(part @ row[order] / EPSILON)
    return np.array(found)


def all_rows(network: Network, question: CapacityQuestion, states: States) -> Iterator[Part]:
    """For each network: its outage, withdrawal factors (n, K), margins (n,) firm and at the risk level."""
    places = [network.bus(bus) for bus in question.candidates]
    sample, box = states.sample, states.box
    for name, changed, factors, dense_factors in networks(network, question):
        branches, sums = changed.branches, changed.interfaces
        rating = {"a": branches.rating_a_mw, "b": branches.rating_b_mw, "c": branches.rating_c_mw}
        limit = np.where(branches.in_service, rating[question.outage_rating if name else "a"], np.inf)
        dense = -dense_factors
        stack = np.vstack([dense, sums.weights @ dense])
        flow = np.vstack([own := factors.flows(-sample.net_demand_mw.T), sums.weights @ own])
        upper, lower = np.concatenate([limit, sums.upper_mw]), np.concatenate([limit, -sums.lower_mw])
        centre = (box.lower_mw + box.upper_mw) / 2
        middle = np.concatenate([factors.flows(-centre), sums.weights @ factors.flows(-centre)])
        for sign, most in ((1.0, upper), (-1.0, lower)):
            rated = np.isfinite(most)
            worst = (sign * flow[rated]).max(axis=1)
            if question.firm_set == "budget":
                reach = -np.sort(-np.abs(stack[rated]) * (box.upper_mw - box.lower_mw) / 2, axis=1)
                weight = np.clip(question.budget - np.arange(reach.shape[1]), 0.0, 1.0)
                worst = np.maximum(worst, sign * middle[rated] + reach @ weight)
            elif question.firm_set == "box":
                wide = box.enlarged_to(sample, network.buses.ids)[0]
                corner = np.where(sign * stack[rated] > 0, wide.upper_mw, wide.lower_mw)
                shift = np.concatenate([factors.shift_flow_mw, sums.weights @ factors.shift_flow_mw])[rated]
                worst = (sign * stack[rated] * corner).sum(axis=1) + sign * shift
            risky = tail(sign * flow[rated], sample.weight, question.measure)
            factor = sign * stack[rated][:, places]
            factor[np.abs(factor) < max(question.cutoff, 1e-9)] = 0.0
            yield name, factor, most[rated] - worst, most[rated] - risky


def loop(question: CapacityQuestion, parts: list[Part], found: CapacityResult) -> tuple[list[float], list[float]]:
    """The least unserved shares and the largest total, firm and flexible, by linear programs over all rows.

    The flexible program keeps the firm capacity that was found, which need not be the only best one.
    """
    factors = np.vstack([part[1] for part in parts])
    if question.downward_closed:
        factors = np.maximum(factors, 0.0)
    demand = np.array(question.demand_mw)
    least, most = [], []
    floor = np.zeros(len(demand))
    for level in (0, 1):
        margin = np.maximum(np.concatenate([part[2 + level] for part in parts]), 0.0)
        assert (factors @ floor <= margin + 1e-6).all()
        bounds = list(zip(floor, demand, strict=True))
        shares = linprog(-1 / demand, factors, margin, bounds=bounds, method="highs")
        total = linprog(-np.ones(len(demand)), factors, margin, bounds=bounds, method="highs")
        least.append(len(demand) + shares.fun)
        most.append(-total.fun)
        floor = np.array(found.levels[0].capacity_mw)
    return least, most


CASES = {
    "24 buses": ("case24_ieee_rts", {}),
    "24 buses, signed rows": ("case24_ieee_rts", {"downward_closed": False}),
    "24 buses, rating B": ("case24_ieee_rts", {"outage_rating": "b"}),
    "24 buses, VaR": ("case24_ieee_rts", {"measure": "var"}),
    "24 buses, box": ("case24_ieee_rts", {"firm_set": "box"}),
    "24 buses, budget": ("case24_ieee_rts", {"firm_set": "budget", "budget": 4.5}),
    "24 buses, cutoff": ("case24_ieee_rts", {"cutoff": 0.1}),
    "24 buses, cutoff, signed": ("case24_ieee_rts", {"cutoff": 0.1, "downward_closed": False}),
    "24 buses, weights": ("case24_ieee_rts", {"weighted": True}),
    "24 buses, weights, VaR": ("case24_ieee_rts", {"weighted": True, "measure": "var"}),
    "30 buses": ("case30", {}),
    "118 buses": ("case118", {}),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_answer_is_that_of_a_loop_over_all_outages(name: str) -> None:
    case, settings = CASES[name]
    settings = dict(settings)
    network = grid(case, interfaces=True)
    states = states_of(network, weighted=settings.pop("weighted", False))
    question = question_of(network, **settings)
    found = answer(network, question, states)
    parts = list(all_rows(network, question, states))
    least, most = loop(question, parts, found)
    assert [level.objective for level in found.levels] == pytest.approx(least, abs=1e-6)
    assert [level.most_total_mw for level in found.levels] == pytest.approx(most, abs=1e-4)
    assert any(binding.limit.outage for level in found.levels for binding in level.binding)
    assert 0 < found.levels[0].total_mw < found.levels[1].total_mw
    levels = [np.array(level.capacity_mw) for level in found.levels]
    verdict = verify(network, question, levels, states)
    assert verdict.holds
    assert verdict.rows_checked == 2 * sum(len(part[2]) for part in parts)
    more = verify(network, question, [np.minimum(level + 0.01, question.demand_mw) for level in levels], states)
    assert not more.holds
    assert " after the loss of " in more.words


def test_several_branches_lost_together_come_from_the_networks_list() -> None:
    plain = grid("case24_ieee_rts")
    ids = plain.branches.ids
    lists = [
        {"contingency": "both", "branches": f"{ids[3]} {ids[14]}"},
        {"contingency": "three", "branches": f"{ids[12]} {ids[20]} {ids[1]}"},
        {"contingency": "one", "branches": ids[17]},
        {"contingency": "apart", "branches": ids[10]},  # the only way to bus 7
    ]
    network = Network.from_tables(replace(plain.tables, contingencies=table_of("contingencies", lists)))
    states, question = states_of(network), question_of(network, outages="listed")
    found = answer(network, question, states)
    least, _ = loop(question, list(all_rows(network, question, states)), found)
    assert [level.objective for level in found.levels] == pytest.approx(least, abs=1e-6)
    named = {binding.limit.outage for level in found.levels for binding in level.binding}
    assert named & {"both", "three", "one"}
    assert any("1 outage splits the network" in notice and "cuts off bus 7 " in notice for notice in found.notices)


@pytest.mark.parametrize("at_zero", ["hold", "stop"])
def test_limits_exceeded_after_outages_before_any_addition_are_counted_and_the_worst_listed(at_zero: str) -> None:
    network = grid("case57", share=0.55)
    states, question = states_of(network), replace(question_of(network), at_zero=at_zero)
    found = answer(network, question, states)
    over = np.concatenate([-part[2] for part in all_rows(network, question, states) if part[0]])
    listed = [row for row in found.over_limit if row.level == 0 and row.limit.outage]
    count = int((over > 1e-3).sum())
    assert len(listed) == min(count, 30)
    assert [row.over_mw for row in listed] == pytest.approx(np.sort(over)[::-1][: len(listed)], abs=1e-6)
    assert any(
        f"{count} limit{'s are' if count > 1 else ' is'} exceeded after outages" in notice for notice in found.notices
    )
    assert all(f"after the loss of line {row.limit.outage}:" in row.words for row in listed)
    assert found.status == ("optimal" if at_zero == "hold" else "infeasible_at_zero")


def test_a_question_about_outages_is_not_answered_without_them() -> None:
    network = grid("case24_ieee_rts")
    states, question = states_of(network), question_of(network)
    with pytest.raises(QuestionError, match="outages"):
        allocate(prepare(network, question, states), question)
