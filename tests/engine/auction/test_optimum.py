"""Efficient allocations against recursion over all partitions and a program written apart; the bound of prices."""

import itertools

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, linprog, milp

from engine.auction import parts
from engine.auction.optimum import efficient, lp_bound
from engine.auction.rules import Lot
from engine.auction.values import KINDS, from_json
from engine.auction.vcg import payments
from engine.errors import SolverError
from engine.integer import IntegerSolution, MixedIntegerProgram, solve_integer
from engine.program import Status
from tests.engine.auction.markets import best_partition, configuration, draw, everything, worth

SUBSTITUTES = ["additive", "symmetric", "unit demand"]


def _random_market(rng, kinds, bidders, quantity, reserve=0):
    market = configuration(quantity, reserve)
    contents = [draw(str(rng.choice(kinds)), market.lots, rng) for _ in range(bidders)]
    return market, contents, [from_json(content, market) for content in contents]


@pytest.mark.parametrize("kinds", [["additive"], ["symmetric"], SUBSTITUTES, ["campus", "additive"], list(KINDS)])
@pytest.mark.parametrize("reserve", [0, 9])
@pytest.mark.parametrize("programmed", [False, True])
def test_no_partition_is_worth_more(
    kinds: list[str], reserve: int, programmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if programmed:
        monkeypatch.setattr(parts, "TRIED", 0)
    rng = np.random.default_rng(4)
    for case in range(12):
        quantity = [1] * 4 if case % 2 else [2, 1, 2]
        market, contents, valuations = _random_market(rng, kinds, 3, quantity, reserve)
        found = efficient(valuations, market)
        assert found.status is Status.OPTIMAL
        assert found.welfare == pytest.approx(best_partition(contents, market.lots, reserve))
        assert found.bound == pytest.approx(found.welfare)
        assert (found.bundles.sum(axis=0) <= quantity).all()
        worths = [worth(c, market.lots, tuple(b)) for c, b in zip(contents, found.bundles, strict=True)]
        assert found.values == pytest.approx(worths)


def _over_bundles(contents, lots: tuple[Lot, ...], *, whole: bool) -> float:
    """The program over all bundles of all bidders, in scipy: the optimum, or with shares of bundles its bound."""
    bundles = list(everything(lots))
    value = [worth(content, lots, bundle) for content in contents for bundle in bundles]
    supply = np.hstack([np.array(bundles).T] * len(contents))
    once = np.kron(np.eye(len(contents)), np.ones(len(bundles)))
    rows = np.vstack([supply, once])
    room = np.array([lot.quantity for lot in lots] + [1] * len(contents), dtype=float)
    if whole:
        found = milp(-np.array(value), integrality=np.ones(len(value)), constraints=LinearConstraint(rows, ub=room))
    else:
        found = linprog(-np.array(value), A_ub=rows, b_ub=room)
    return -float(found.fun)


def test_programs_over_all_bundles_give_the_same_optimum_and_the_same_bound() -> None:
    rng = np.random.default_rng(5)
    for case in range(25):
        market, contents, valuations = _random_market(
            rng, ["campus", "bundles", "additive"], 3, [1] * 5 if case % 2 else [2, 3]
        )
        assert efficient(valuations, market).welfare == pytest.approx(_over_bundles(contents, market.lots, whole=True))
        bound = lp_bound(valuations, market)
        assert bound.converged
        assert bound.value == pytest.approx(_over_bundles(contents, market.lots, whole=False))


def test_substitutes_have_no_gap_between_bound_and_optimum() -> None:
    """The linear program of a gross-substitutes market is integral (Bikhchandani and Mamer 1997, Gul-Stacchetti)."""
    rng = np.random.default_rng(6)
    for _ in range(20):
        market, _, valuations = _random_market(rng, SUBSTITUTES, 4, [1, 2, 1, 1, 2])
        assert lp_bound(valuations, market).value == pytest.approx(efficient(valuations, market).welfare)


def test_three_pairs_of_three_lots_have_no_supporting_prices() -> None:
    """Three bidders want one pair each of three lots, worth 10: one is served, half of each pair bounds it by 15."""
    market = configuration([1] * 3)
    pairs = [{a: 1, b: 1} for a, b in itertools.combinations("123", 2)]
    valuations = [from_json({"kind": "bundles", "bundles": [{"lots": p, "value": 10}]}, market) for p in pairs]
    assert efficient(valuations, market).welfare == 10
    assert lp_bound(valuations, market).value == pytest.approx(15)
    assert lp_bound(valuations, market).prices == pytest.approx([5, 5, 5])


def test_what_nobody_values_is_given_to_nobody() -> None:
    market = configuration([1] * 4)
    for content in (
        {"kind": "additive", "values": {"1": 3}},
        {"kind": "bundles", "bundles": [{"lots": {"1": 1}, "value": 3}]},
    ):
        assert efficient([from_json(content, market)], market).bundles.tolist() == [[1, 0, 0, 0]]
    assert efficient([], market).welfare == 0


def test_a_program_that_ran_out_of_time_says_so_and_keeps_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    market = configuration([1] * 2, reserve=3)
    valuations = [from_json({"kind": "bundles", "bundles": [{"lots": {"1": 1}, "value": 10}]}, market)]
    monkeypatch.setattr(parts, "TRIED", 0)
    stopped = IntegerSolution(Status.TIME_LIMIT, np.array([1.0, 0.0, 1.0]), -7.0, -9.5, "time limit reached")
    monkeypatch.setattr(parts, "solve_integer", lambda _program, **_limits: stopped)
    found = efficient(valuations, market)
    assert (found.status, found.proven) == (Status.TIME_LIMIT, False)
    assert found.welfare == 13  # 10 and the seller's 3 for the other lot
    assert found.bound == 15.5  # 9.5 more than the 6 of selling nothing
    nothing = IntegerSolution(Status.TIME_LIMIT, np.full(3, np.nan), np.inf, -np.inf, "time limit reached")
    monkeypatch.setattr(parts, "solve_integer", lambda _program, **_limits: nothing)
    with pytest.raises(SolverError, match=r"no allocation was found within 20 s: time limit reached"):
        efficient(valuations, market)


def test_no_time_is_no_optimum_and_no_number_is_refused() -> None:
    rng = np.random.default_rng(7)
    rows = rng.integers(1, 50, (5, 60)).astype(float)
    program = MixedIntegerProgram(-rng.random(60), np.ones(60), np.ones(60, dtype=bool))
    program = program.with_rows(rows, np.full(5, -np.inf), rows.sum(axis=1) / 3)
    with pytest.raises(SolverError, match="without an optimum: time limit"):
        solve_integer(program, time_limit_s=0.0).optimum()
    with pytest.raises(SolverError, match="not a number"):
        solve_integer(program.with_rows(np.full((1, 60), np.nan), np.zeros(1), np.ones(1)))


def test_payments_are_what_each_bidder_costs_the_others() -> None:
    """Example 1 of arXiv 2604.08854: each lot is one second-price auction."""
    market = configuration([1] * 4)
    values = [{"1": 20, "2": 0, "3": 30, "4": 15}, {"1": 30, "2": 20, "3": 10, "4": 10}]
    valuations = [from_json({"kind": "additive", "values": v}, market) for v in values]
    found = payments(valuations, market)
    assert found.allocation.welfare == 95
    assert found.payments.tolist() == [20, 20]  # 10 + 10 for lots 3 and 4; 20 + 0 for lots 1 and 2
    assert found.surplus.tolist() == [25, 30]
    assert found.revenue == 40
    kept = payments(valuations, market, np.array([0, 12, 25, 0]))
    assert kept.payments.tolist() == [35, 32]  # the seller's reserves bid too


def test_payments_against_recursion_without_each_bidder() -> None:
    rng = np.random.default_rng(8)
    for _ in range(10):
        market, contents, valuations = _random_market(rng, list(KINDS), 3, [1] * 4)
        found = payments(valuations, market)
        for place in range(3):
            others = contents[:place] + contents[place + 1 :]
            rest = found.allocation.welfare - found.allocation.values[place]
            assert found.payments[place] == pytest.approx(best_partition(others, market.lots) - rest)
            assert -1e-9 <= found.payments[place] <= found.allocation.values[place] + 1e-9
