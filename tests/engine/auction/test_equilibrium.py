"""The equilibrium check against the paper's tables, its theorem on random markets, and the ways it fails."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.auction.demand import best_bundle
from engine.auction.equilibrium import Outcome, check_equilibrium, dual_value, outcome_of, rounds_bound, table
from engine.auction.optimum import lp_bound
from engine.auction.rules import Configuration, Increment, Rules
from engine.auction.simulate import run
from engine.auction.state import NOBODY
from engine.auction.templates import Seat
from engine.auction.values import KINDS, Valuation, from_json
from tests.engine.auction.markets import configuration, draw

SUBSTITUTES = ["additive", "symmetric", "unit demand"]
PAPER = json.loads((Path(__file__).parents[2] / "cases" / "auction" / "saa_examples.json").read_text())
EXAMPLES = ["example1_additive", "example2_symmetric_concave"]


def _by_increment(quantity: list[int], amount: int, **lots: int) -> Configuration:
    market = configuration(quantity)
    changed = tuple(replace(lot, **lots) for lot in market.lots)
    return replace(market, lots=changed, rules=Rules(preset="Own", increment=Increment(amount=amount)))


def _example(name: str) -> tuple[dict, list[Valuation], Outcome]:
    example = PAPER[name]
    market = _by_increment([1] * 4, example["increment"])
    if name == "example1_additive":
        contents = [
            {"kind": "additive", "values": {str(k + 1): v for k, v in enumerate(values)}}
            for values in example["valuations"]
        ]
    else:
        contents = [{"kind": "symmetric", "totals": totals} for totals in example["valuations"]]
    final = example["final"]
    holder = [next(b for b in (0, 1) if k + 1 in final["allocation"][f"bidder{b + 1}"]) for k in range(4)]
    outcome = Outcome(market, np.array(final["prices"], float), np.array(holder), np.full(4, 5.0))
    return example, [from_json(content, market) for content in contents], outcome


@pytest.mark.parametrize("name", EXAMPLES)
def test_tables_vi_to_ix_row_by_row(name: str) -> None:
    example, valuations, outcome = _example(name)
    for place, valuation in enumerate(valuations):
        rows = [
            {
                "bundle": [k + 1 for k, n in enumerate(row.bundle) if n],
                "value": row.value,
                "penalty": row.penalty,
                "price": row.price,
                "modified_surplus": row.modified_surplus,
            }
            for row in table(valuation, outcome, place)
        ]
        assert rows == example["modified_surplus_tables"][f"bidder{place + 1}"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_papers_outcomes_are_equilibria_and_their_maximisers_are_the_papers(name: str) -> None:
    example, valuations, outcome = _example(name)
    found = check_equilibrium(valuations, outcome)
    assert (found.holds, found.condition_7a, found.condition_7b) == (True, True, True)
    assert found.welfare == example["welfare"] == 95
    assert found.optimum.welfare == example["max_welfare"]
    assert found.bound == example["bound_9_slack"]
    assert (found.loss, found.modified_gap) == (0, 0)
    for check in found.bidders:
        key = f"bidder{check.bidder + 1}"
        assert check.best_surplus == check.surplus == example["max_modified_surplus"][key]
        assert check.all_maximisers
        named = [[k + 1 for k, n in enumerate(bundle) if n] for bundle in check.maximisers]
        assert sorted(named) == sorted(example["argmax"][key])


def test_another_price_or_another_holder_is_no_equilibrium() -> None:
    _, valuations, outcome = _example("example1_additive")
    dear = replace(outcome, price=np.array([20.0, 5.0, 40.0, 5.0]))
    found = check_equilibrium(valuations, dear)
    assert [check.holds for check in found.bidders] == [False, True]  # bidder 1 pays 40 for what is worth 30
    assert found.bidders[0].envy == 10
    swapped = replace(outcome, holder=1 - outcome.holder)
    found = check_equilibrium(valuations, swapped)
    assert not found.condition_7a
    assert found.loss == 55  # 20 + 0 + 10 + 10 instead of 95
    assert found.loss <= found.loss_bound
    unsold = replace(outcome, holder=np.array([1, NOBODY, 0, 0]))
    found = check_equilibrium(valuations, unsold)
    assert not found.condition_7b
    assert found.outcome.unsold == 5
    assert found.bidders[1].envy == 10  # lot 2 is worth 20 and would cost 5 and an increment


def _simulated(market: Configuration, valuations: list[Valuation], rng: np.random.Generator) -> tuple[Outcome, int]:
    """Play single lots by the paper's rules in the plainest way: no ledger, random ties. Returns the rounds too."""
    increment, lots = market.rules.increment.amount, len(market.lots)
    price, holder, rounds = np.zeros(lots), np.full(lots, NOBODY), 0
    while True:
        rounds += 1
        bidding: dict[int, list[int]] = {}
        for place, valuation in enumerate(valuations):
            held = (holder == place).astype(np.int64)
            for lot in np.flatnonzero(best_bundle(valuation, price + increment, held) - held):
                bidding.setdefault(int(lot), []).append(place)
        if not bidding:
            return Outcome(market, price, holder, np.full(lots, float(increment))), rounds
        for lot, places in bidding.items():
            price[lot] += increment
            holder[lot] = rng.choice(places)


def test_a_thousand_random_substitutes_markets_end_in_equilibria_within_their_bounds() -> None:
    """Proposition 3 and bound (9) of arXiv 2604.08854, and the bound on rounds: not one violation."""
    rng = np.random.default_rng(11)
    losses = 0
    for _ in range(1000):
        market = _by_increment([1] * int(rng.integers(2, 6)), int(rng.integers(1, 7)))
        kinds = rng.choice(SUBSTITUTES, int(rng.integers(2, 5)))
        valuations = [from_json(draw(str(kind), market.lots, rng), market) for kind in kinds]
        outcome, rounds = _simulated(market, valuations, rng)
        found = check_equilibrium(valuations, outcome)
        assert found.condition_7a
        assert found.condition_7b
        assert found.loss <= found.tighter_bound + 1e-9
        assert found.tighter_bound <= found.bound
        assert rounds <= rounds_bound(valuations, market)
        assert dual_value(valuations, outcome) >= found.optimum.welfare - 1e-9
        losses += found.loss > 0
    assert losses > 50  # the bounds are put to the test: increments do cost welfare


@pytest.mark.parametrize("lots", [{}, {"opening": 8}, {"reserve": 8, "opening": 8}])
def test_auctions_by_the_public_rules_with_blocks_and_reserves_end_in_equilibria(lots: dict[str, int]) -> None:
    rng = np.random.default_rng(12)
    unsold = 0
    for case in range(25):
        market = replace(_by_increment([1] * 4 if case % 3 else [2, 1, 3], int(rng.integers(1, 6)), **lots), seed=case)
        contents = [draw(str(kind), market.lots, rng) for kind in rng.choice(SUBSTITUTES, 3)]
        played = run(market, [Seat(f"B{k}", content, "", 10**6, 0) for k, content in enumerate(contents)])
        valuations = [from_json(content, market) for content in contents]
        found = check_equilibrium(valuations, outcome_of(played.state))
        assert found.holds
        assert found.loss <= found.tighter_bound + 1e-9
        assert len(played.state.rounds) <= rounds_bound(valuations, market)
        unsold += int((found.outcome.holder == NOBODY).any())
    assert unsold or not lots


def test_the_gap_goes_to_zero_with_the_increment() -> None:
    """Theorem 2: values scaled by 1, 4, 16, 64 are increments of 1, 1/4, 1/16, 1/64 of the same market."""
    rng = np.random.default_rng(13)
    relative = []
    for scale in (1, 4, 16, 64):
        gaps, losses, total = 0.0, 0.0, 0.0
        draws = np.random.default_rng(14)
        for _ in range(12):
            market = _by_increment([1] * 4, 1)
            contents = [draw(kind, market.lots, draws, top=8) for kind in SUBSTITUTES]
            for content in contents:
                if "totals" in content:
                    content["totals"] = [scale * total for total in content["totals"]]
                else:
                    content["values"] = {lot: scale * value for lot, value in content["values"].items()}
            valuations = [from_json(content, market) for content in contents]
            outcome, _ = _simulated(market, valuations, rng)
            found = check_equilibrium(valuations, outcome)
            gaps += dual_value(valuations, outcome) - found.optimum.welfare
            losses += found.loss
            total += found.optimum.welfare
        relative.append((gaps / total, losses / total))
    gap, loss = np.array(relative).T
    assert (np.diff(gap) < 0).all()
    assert gap[-1] < gap[0] / 16
    assert loss[-1] == 0


def test_complements_fail_and_the_check_finds_it() -> None:
    """A campus of two lots, worth 30 together and nothing apart, meets somebody who pays up to 20 for each.

    By hand: together the two single lots are worth 40 to the other, so he gets both; the campus bidder stops when both
    cost more than 30 in all, but if he stands on one lot then, he holds half a campus.
    """
    market = _by_increment([1] * 2, 1)
    campus = {"kind": "bundles", "bundles": [{"lots": {"1": 1, "2": 1}, "value": 30}]}
    other = {"kind": "unit demand", "values": {"1": 20, "2": 20}}
    played = run(market, [Seat("Campus", campus, "", 10**6, 0), Seat("Other", other, "", 10**6, 0)])
    valuations = [from_json(content, market) for content in (campus, other)]
    found = check_equilibrium(valuations, outcome_of(played.state))
    assert found.optimum.welfare == 30
    assert not found.holds
    assert found.bidders[0].envy > 0
    assert found.loss <= found.loss_bound


def test_above_sixteen_lots_one_maximiser_is_given() -> None:
    market = _by_increment([1] * 20, 2)
    rng = np.random.default_rng(15)
    valuations = [from_json(draw("additive", market.lots, rng), market) for _ in range(4)]
    outcome, _ = _simulated(market, valuations, rng)
    found = check_equilibrium(valuations, outcome)
    assert found.holds
    assert not any(check.all_maximisers for check in found.bidders)


def test_no_prices_have_a_dual_value_below_the_linear_bound_which_is_reached_at_its_prices() -> None:
    """Weak and strong duality of the program over bundles, whatever the values, and with a reserve."""
    rng = np.random.default_rng(17)
    for case in range(12):
        market = _by_increment([1] * 4 if case % 2 else [2, 1, 2], 1, reserve=4 * (case % 3))
        valuations = [from_json(draw(str(kind), market.lots, rng), market) for kind in rng.choice(KINDS, 3)]
        bound = lp_bound(valuations, market)
        nobody = Outcome(market, np.zeros(0), np.zeros(0, dtype=np.int64), np.ones(len(market.lots)))
        blocks = len(nobody.lot)
        unsold = replace(nobody, holder=np.full(blocks, NOBODY))
        reached = dual_value(valuations, replace(unsold, price=bound.prices[unsold.lot]))
        assert reached == pytest.approx(bound.value)
        for _ in range(20):
            prices = rng.uniform(0, 30, blocks)
            assert dual_value(valuations, replace(unsold, price=prices)) >= bound.value - 1e-6
