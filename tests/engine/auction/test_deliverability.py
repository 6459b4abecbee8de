"""Awards against the network they came from: by hand, by brute force, and every kind of product set."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from callbacks.imported import CHECKS
from engine.auction.closing import round_closed
from engine.auction.configuration import configuration_to_json
from engine.auction.deliver_jobs import DELIVER, deliver_arguments, deliver_job, witness
from engine.auction.deliverability import Award, Delivery, awards, check, levels_of, margins_of, sold_of
from engine.auction.events import Event
from engine.auction.presets import PAPER as PAPER_RULES
from engine.auction.rules import Configuration, Lot, Withdrawals
from engine.auction.transitions import apply
from engine.capacity import jobs
from engine.capacity.answer import work_out
from engine.capacity.conditions import Condition
from engine.capacity.defaults import paper_question
from engine.capacity.products import ProductSet, product_set
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.supply import supply_share
from engine.capacity.uncertainty import Sample, States
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.store.kinds import KINDS
from tests.engine.capacity.small import asked, random_network, random_sample, still, triangle
from tests.engine.capacity.test_answer import GRID, WIDE, dated, small_network
from tests.engine.capacity.test_jobs import Context

FOURBUS = Network.from_tables(load("fourbus"))
PAPER = paper_question()


@cache
def paper_states() -> States:
    return jobs.make_states(PAPER.uncertainty, FOURBUS)


def made(network: Network, question: CapacityQuestion, states: States) -> ProductSet:
    """The product set as it is published: of the year-round answer."""
    worked = work_out(network, question, states)
    prepared = dict(worked.margins).get("")
    return product_set(prepared, question, worked.answer.result)


@cache
def paper_set(block_mw: float | None = None) -> ProductSet:
    return made(FOURBUS, replace(PAPER, block_mw=block_mw), paper_states())


def all_of(products: ProductSet) -> list[Award]:
    return [Award(p.id, p.bus, p.risk, p.capacity_mw, 1) for p in products.products]


def judged(awarded: list[Award], products: ProductSet | None = None) -> Delivery:
    return check(FOURBUS, products or paper_set(), awarded, paper_states())


def test_the_whole_paper_set_can_be_delivered_and_names_what_binds_it() -> None:
    found = judged(all_of(paper_set()))
    assert found.holds, found.words
    assert found.verdict.holds
    assert found.sold_mw[0] == pytest.approx(20.0)  # firm is (10, 10)
    firm = {row.element: row for row in found.rows if row.level == 0}
    # Specification, section 6: bus 4 has 40 - 30 MW, line 1-2 has 100 - 80 MW, and the firm set takes all of both.
    for element, margin in (("4", 10.0), ("1-2", 20.0)):
        assert (firm[element].margin_mw, firm[element].used_mw) == pytest.approx((margin, margin))
        assert firm[element].slack_mw == pytest.approx(0.0, abs=1e-9)
    assert firm["3"].slack_mw == pytest.approx(10.0)  # 40 - 20 - 10
    assert {row.level for row in found.rows} == {0.0, 0.05}
    assert found.notices == ()
    assert "can be delivered" in found.words
    assert "least room: 0.0 MW on" in found.words


@given(chosen=st.lists(st.booleans(), min_size=40, max_size=40))
@hypothesis_settings(max_examples=25)
def test_every_part_of_a_downward_closed_set_can_be_delivered(chosen: list[bool]) -> None:
    products = paper_set(block_mw=2.0)
    part = [award for award, taken in zip(all_of(products), chosen, strict=False) if taken]
    found = judged(part, products)
    assert found.holds, found.words
    assert all(row.slack_mw >= 0 for row in found.rows)


@pytest.mark.parametrize(
    ("lot", "risk", "rules", "limits"),
    [
        ("4-firm", 0.0, {"(1b)", "(1c)", "(4b)", "(4c)"}, {"4", "1-2"}),  # bus 4 and line 1-2 are full at both levels
        ("4-flex5", 0.05, {"(4b)", "(4c)"}, {"4", "1-2"}),
        ("3-firm", 0.0, {"(1c)", "(4c)"}, {"1-2"}),  # bus 3 has 10 MW of room, line 1-2 none
    ],
)
def test_a_megawatt_more_on_a_full_limit_fails_and_names_it(
    lot: str, risk: float, rules: set[str], limits: set[str]
) -> None:
    more = [replace(award, capacity_mw=award.capacity_mw + (award.lot == lot)) for award in all_of(paper_set())]
    found = judged(more)
    assert not found.holds
    assert {violation.rule for violation in found.verdict.violations} == rules
    assert {violation.element for violation in found.verdict.violations} == limits
    assert all(violation.level >= risk for violation in found.verdict.violations)
    assert found.words.startswith("cannot be delivered")
    exceeded = {row.element: row.slack_mw for row in found.rows if row.level == risk and row.slack_mw < 0}
    assert set(exceeded) == limits
    if risk == 0:  # to the MW: firm had no room at all
        assert list(exceeded.values()) == pytest.approx([-1.0] * len(limits))


def test_a_tampered_product_table_is_caught() -> None:
    content = json.loads(json.dumps(paper_set().to_json()))
    for row in content["products"]:
        row["capacity_mw"] += 2.0
    for row in content["witness"]["rows"]:
        row["margin_mw"] += 100.0
        row["slack_mw"] += 96.0
    tampered = ProductSet.from_json(content)
    assert not judged(all_of(tampered), tampered).holds


def test_an_edited_network_or_question_is_refused() -> None:
    branches = FOURBUS.tables.branches
    wider = FOURBUS.tables.with_table("branches", branches.assign(rating_a_mw=branches["rating_a_mw"] + 50.0))
    with pytest.raises(QuestionError, match="the network is not the one that the products were computed from"):
        check(Network.from_tables(wider), paper_set(), all_of(paper_set()), paper_states())
    content = json.loads(json.dumps(paper_set().to_json()))
    eased = {**content, "question": {**content["question"], "firm_set": "sample"}}
    with pytest.raises(QuestionError, match="the question is not the one"):
        judged(all_of(paper_set()), ProductSet.from_json(eased))
    other = {**content, "provenance": {**content["provenance"], "uncertainty_digest": "0" * 64}}
    with pytest.raises(QuestionError, match="the uncertainty is not the one"):
        judged(all_of(paper_set()), ProductSet.from_json(other))


@pytest.mark.parametrize(
    ("award", "words"),
    [
        (Award("x", "2", 0.0, 1.0, 1), "bus '2' is sold, but the product set has no product there"),
        (Award("x", "3", 0.1, 1.0, 1), "a risk of 10 % is sold at bus '3'; the product set has firm, 5 %"),
        (Award("x", "3", 0.0, float("nan"), 1), "nan MW are sold"),
        (Award("x", "3", 0.0, -1.0, 1), "-1.0 MW are sold"),
    ],
)
def test_what_the_set_does_not_sell_is_refused(award: Award, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        judged([award])


def test_a_part_of_an_all_or_nothing_set_is_found_out() -> None:
    """Specification, section 5: (6, 18) keeps line 2-3 at 4 MW; with bus 2 unsold it carries 18 / 3 = 6 MW."""
    grid, states = triangle(), States(still(triangle()))
    question = asked(grid, {"2": 1000.0, "3": 100.0}, epsilons=(), downward_closed=False)
    products = made(grid, question, states)
    whole = all_of(products)
    assert [award.capacity_mw for award in whole] == pytest.approx([6.0, 18.0])
    found = check(grid, products, whole, states)
    assert found.holds
    assert any("all or nothing" in words for words in found.notices)
    part = check(grid, products, whole[1:], states)
    assert not part.holds
    assert next(row.slack_mw for row in part.rows if row.element == "2-3") == pytest.approx(-2.0)
    assert "2-3" in part.words


def dispatched() -> Network:
    units = [
        {"unit": "far", "bus": "1", "p_mw": 51.0, "p_max_mw": 500.0},
        {"unit": "near", "bus": "2", "p_mw": 0.0, "p_max_mw": 40.0},
    ]
    return small_network([(1, 2), (1, 3), (2, 3)], [60.0, 60.0, 45.0], buses=3, units=units)


KINDS_OF_SETS: dict[str, tuple[Network, dict[str, Any]]] = {
    "base": (GRID, {}),
    "seasons": (GRID, {"period": "season"}),
    "outages": (WIDE, {"security": "n-1"}),
    "outages by month": (WIDE, {"security": "n-1", "period": "month"}),
    "redispatch by season": (dispatched(), {"recourse": "redispatch", "period": "season"}),
    "quantile": (GRID, {"measure": "var"}),
    "two risks": (GRID, {"epsilons": (0.05, 0.2)}),
    "firm only": (GRID, {"epsilons": ()}),
    "conditions": (GRID, {"conditions": (Condition("cap", mw=20.0, buses=("3",)),)}),
}


@pytest.mark.parametrize("kind", list(KINDS_OF_SETS))
def test_every_kind_of_set_is_delivered_whole_and_in_part_and_not_exceeded(kind: str) -> None:
    grid, settings = KINDS_OF_SETS[kind]
    question = replace(asked(grid, {"2": 60.0, "3": 60.0}, epsilons=(0.1,)), **settings)
    sample = dated()
    if question.recourse == "redispatch":  # a program in every state: a quarter of them, of every season
        labels = sample.labels[::4]
        sample = replace(sample, net_demand_mw=sample.net_demand_mw[::4], labels=labels)
    states = States(sample)
    products = made(grid, question, states)
    whole = all_of(products)
    margins = margins_of(grid, question, states)
    parts = [whole, whole[:1], whole[1:], [], [replace(award, capacity_mw=3.0) for award in whole]]
    for awarded in parts if margins else parts[:2]:  # redispatch solves a program for every state
        found = check(grid, products, awarded, states, margins=margins)
        assert found.holds, found.words
        assert bool(found.rows) == (question.recourse == "none")
    more = [replace(award, capacity_mw=award.capacity_mw + 1.0) for award in whole]
    assert not check(grid, products, more, states, margins=margins).holds
    if question.period != "year" and margins:
        assert {row.period for row in found.rows} <= {name for name, _ in margins}
        assert "" not in {row.period for row in found.rows}
    if question.security == "n-1":
        assert any(" after the loss of " in row.words for row in found.rows)
    again = Delivery.from_json(json.loads(json.dumps(found.to_json())))
    assert again == replace(found, options=again.options)
    CHECKS.answers[DELIVER](found.to_json())


def test_conditions_that_cap_are_kept_and_least_amounts_are_told() -> None:
    conditions = (Condition("cap", mw=8.0, buses=("3",)), Condition("reserve", mw=5.0, buses=("2",)))
    question = asked(GRID, {"2": 60.0, "3": 60.0}, epsilons=(0.1,), conditions=conditions)
    states = States(dated())
    products = made(GRID, question, states)
    found = check(GRID, products, [award for award in all_of(products) if award.bus == "3"], states)
    assert found.holds
    assert found.notices == ("what is sold does not reach the condition 'bus 2: together at least 5 MW'",)
    # Capped at 8 MW, bus 3 has room for more on every line: only the condition is broken.
    over = check(GRID, products, [Award("x", "3", 0.1, 9.0, 1)], states)
    assert over.verdict.holds
    assert not over.holds
    assert over.words == "cannot be delivered: the condition 'bus 3: together at most 8 MW' is exceeded by 1 MW"


def loads(network: Network, question: CapacityQuestion, known: Sample, level: float) -> tuple[Any, Any, Any]:
    """Factors, existing loads and limits of all lines both ways, by sorting: nothing of the engine but the PTDF."""
    share = supply_share(network, question.supply, question.supply_shares)
    factors = -Factors.of(network).with_slack(share).dense()
    rows = np.concatenate([factors, -factors])
    flows = np.sort(rows @ known.net_demand_mw.T, axis=1)[:, ::-1]
    count = max(1, round(level * flows.shape[1]))  # a whole number of states, or the worst one
    sites = [network.bus(bus) for bus in question.candidates]
    return rows[:, sites], flows[:, :count].mean(axis=1), np.tile(network.branches.rating_a_mw, 2)


def test_random_awards_are_judged_as_by_brute_force() -> None:
    """A third code: every line's own CVaR by sorting. Awards around what fits, on both sides of it."""
    verdicts = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        grid = random_network(generator, meshed=True)
        known = random_sample(generator, len(grid.buses.ids), 40)
        question = asked(grid, {"2": 40.0, "3": 30.0}, at_zero="hold", epsilons=(0.1,), downward_closed=seed % 2 == 0)
        products = made(grid, question, States(known))
        awarded = [replace(award, capacity_mw=award.mw * generator.uniform(0.3, 1.25)) for award in all_of(products)]
        found = check(grid, products, awarded, States(known))
        levels = levels_of(question, sold_of(awarded))
        expected = all((mw <= np.array(question.demand_mw) + 1e-6).all() for mw in levels)
        for level, mw in zip((0.0, 0.1), levels, strict=True):
            own, existing, limit = loads(grid, question, known, level)
            added = (np.maximum(own, 0.0) if question.downward_closed else own) @ mw
            expected &= bool((added <= np.maximum(limit - existing, 0.0) + 1e-6).all())
            buses = [grid.bus(bus) for bus in question.candidates]
            room = grid.buses.withdrawal_limit_mw[buses]
            worst = np.sort(known.net_demand_mw[:, buses], axis=0)[::-1][: max(1, round(level * 40))].mean(axis=0)
            expected &= bool((mw <= np.maximum(room - worst, 0.0) + 1e-6).all())
        assert found.holds == expected, (seed, found.words)
        verdicts.append(expected)
    assert 3 < sum(verdicts) < 17


def configuration(products: ProductSet, **changes: Any) -> Configuration:
    lots = tuple(Lot(p.id, p.id, p.capacity_mw, p.risk, p.bus, units=1) for p in products.products)
    digest = products.provenance["network_digest"]
    given_ = {"product_set_digest": products.digest(), "network_digest": digest, **changes}
    return Configuration("test", lots, **given_)


def test_the_job_answers_from_stored_inputs_and_equal_awards_are_one_question(tmp_path: Path) -> None:
    products, context = paper_set(), Context(tmp_path)
    awarded = all_of(products)
    arguments = deliver_arguments(configuration(products), products, FOURBUS.digest, awarded)
    assert arguments == deliver_arguments(configuration(products), products, FOURBUS.digest, awarded[::-1])
    content = deliver_job(json.loads(json.dumps(arguments)), context)
    assert content == json.loads(json.dumps(content))
    found = Delivery.from_json(content)
    direct = judged(awarded)
    assert (found.holds, found.words, found.rows) == (True, direct.words, direct.rows)
    assert found.inputs == direct.inputs  # the same states, whether kept in a file or made
    files = sorted(path.name for path in tmp_path.iterdir())
    again = Delivery.from_json(deliver_job(json.loads(json.dumps(arguments)), context))
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert replace(again, date=found.date, time_s=found.time_s) == found
    kept = witness(found, [replace(awarded[0], holders=(("b1", 1),)), *awarded[1:]])
    assert kept["awards"][0]["holders"] == (("b1", 1),)
    assert kept["inputs"]["network"] == FOURBUS.digest
    with pytest.raises(QuestionError, match="other awards"):
        witness(found, awarded[1:])
    assert DELIVER in KINDS


@pytest.mark.parametrize("settings", [{"security": "n-1"}, {"recourse": "redispatch", "firm_set": "sample"}], ids=str)
def test_the_job_keeps_the_margins_after_outages(tmp_path: Path, settings: dict[str, Any]) -> None:
    question = replace(PAPER, uncertainty=UncertaintySpec("hourly", {"hours": 20}, 1), firm_set="sample")
    question = replace(question, **settings)
    context = Context(tmp_path)
    states = jobs.make_states(question.uncertainty, FOURBUS)
    products = made(FOURBUS, question, states)
    arguments = deliver_arguments(configuration(products), products, FOURBUS.digest, all_of(products))
    first = Delivery.from_json(deliver_job(arguments, context))
    assert first.holds, first.words
    second = Delivery.from_json(deliver_job(arguments, context))
    assert second.rows == first.rows


def test_an_auction_of_another_set_or_network_is_refused() -> None:
    products = paper_set()
    awarded = all_of(products)
    for changes, words in (
        ({"product_set_digest": ""}, "come from no network"),
        ({"product_set_digest": "1" * 64}, "not the one that this auction sells: digest"),
        ({"network_digest": "2" * 64}, "this auction's network is not the one"),
    ):
        with pytest.raises(QuestionError, match=words):
            deliver_arguments(configuration(products, **changes), products, FOURBUS.digest, awarded)
    with pytest.raises(QuestionError, match="the published network is not the one"):
        deliver_arguments(configuration(products), products, "3" * 64, awarded)
    foreign = {**deliver_arguments(configuration(products), products, FOURBUS.digest, awarded)}
    foreign["origin"] = {**foreign["origin"], "network": "4" * 64}
    with pytest.raises(QuestionError, match="the network is not the one"):
        deliver_job(foreign, Context(Path("/nowhere")))


class Played:
    """An auction by the paper's rules, whose bidders b1 and b2 do what they are told."""

    def __init__(self, sold: Configuration) -> None:
        content = {"configuration": configuration_to_json(sold)}
        self.state = apply(None, Event("configured", 0.0, "host", content))
        for bidder in ("b1", "b2"):
            seat = {"bidder": bidder, "name": bidder, "eligibility": 9, "deposit": 0, "valuation": None, "bot": ""}
            self.do("admitted", **seat)
        self.do("opened", deadline=None)

    def do(self, kind: Any, actor: str = "host", **data: Any) -> None:
        self.state = apply(self.state, Event(kind, 0.0, actor, data))

    def round(self, *moves: tuple[str, str, str, list[Any]]) -> None:
        for bidder, kind, name, what in moves:
            self.do(kind, bidder, bidder=bidder, round=self.state.round, request="", **{name: what})
        self.state = apply(self.state, round_closed(self.state, 0.0))


def test_awards_are_the_blocks_that_stand() -> None:
    lots = (Lot("a", "A", 5.0, 0.0, "3", 5, quantity=3), Lot("b", "B", 2.0, 0.05, "4", 2, reserve=10))
    auction = Played(Configuration("test", lots, PAPER_RULES))
    assert awards(auction.state) == ()
    auction.round(
        ("b2", "bids submitted", "bids", [["a", 5, 2]]),
        ("b1", "bids submitted", "bids", [["a", 5, 1], ["b", 5, 1]]),
    )
    a = Award("a", "3", 0.0, 5.0, 3, (("b1", 1), ("b2", 2)))
    assert awards(auction.state) == (a, Award("b", "4", 0.05, 2.0, 1, (("b1", 1),)))
    assert sold_of(awards(auction.state)) == (("3", 0.0, 15.0), ("4", 0.05, 2.0))
    auction.round()
    auction.do("closed")  # B ended at 5, under its reserve of 10
    assert awards(auction.state) == (a,)
    auction.do("defaulted", bidder="b2", lots=["a"])
    assert awards(auction.state) == (replace(a, blocks=1, holders=(("b1", 1),)),)


def test_after_every_round_of_an_auction_with_a_withdrawal_and_a_resale() -> None:
    """3-firm is sold to b1, taken back, and sold again to b2: every round's awards are what stands, and are kept."""
    rules = replace(PAPER_RULES, withdrawals=Withdrawals(rounds=1))
    auction, held = Played(replace(configuration(paper_set()), rules=rules)), []
    for move in (
        ("b1", "bids submitted", "bids", [["3-firm", 5, 1], ["4-flex5", 5, 1]]),
        ("b1", "withdrawn", "lots", ["3-firm"]),
        ("b2", "bids submitted", "bids", [["3-firm", 5, 1], ["4-firm", 5, 1]]),
    ):
        auction.round(move)
        found = judged(list(awards(auction.state)))
        assert found.holds, found.words
        held.append({award.lot: award.holders for award in awards(auction.state)})
    b1, b2 = (("b1", 1),), (("b2", 1),)
    assert held == [{"3-firm": b1, "4-flex5": b1}, {"4-flex5": b1}, {"3-firm": b2, "4-firm": b2, "4-flex5": b1}]
    assert found.sold_mw[0] == pytest.approx(20.0)
