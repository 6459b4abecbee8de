"""What a changed rule would have done: two runs of bots, and nothing else than the change between them."""

import json
from dataclasses import replace

import pytest

from engine.auction.ledger import chain
from engine.auction.rules import Increment, Rules
from engine.auction.simulate import run
from engine.auction.templates import TEMPLATES
from engine.auction.what_if import Change, changed, rerun, suggestions
from engine.errors import QuestionError
from tests.engine.auction.room import Room, configured, lots

PAPER = TEMPLATES["paper-1"]
LEDGER = run(PAPER.configuration, PAPER.seats).entries


def test_no_change_gives_the_auction_that_bots_played() -> None:
    told = rerun(LEDGER, Change("nothing"))
    assert replace(told.before, title="") == replace(told.after, title="") == replace(told.played, title="")
    assert told.words == ("With nothing nothing changes: same rounds, prices and winners.",)
    assert (told.played.revenue, told.played.rounds, told.played.efficiency, told.optimum) == (40, 5, 1.0, 95.0)
    assert told.played.surplus == (30.0, 25.0)


def test_random_ties_fall_again_as_they_fell_whatever_the_seats_are_called() -> None:
    template = TEMPLATES["classroom"]
    seats = [replace(seat, id=f"b{number}", bot="straightforward") for number, seat in enumerate(template.seats, 1)]
    entries = run(template.configuration, seats).entries
    told = rerun(entries, Change("nothing"))
    assert told.played.surplus == told.before.surplus
    assert told.played.prices == told.before.prices


def test_a_changed_increment_is_the_auction_with_that_increment() -> None:
    told = rerun(LEDGER, Change("increment 2 k$", {"increment.amount": 2}))
    rules = replace(PAPER.configuration.rules, preset="Own", increment=Increment("fixed", 2))
    direct = run(replace(PAPER.configuration, rules=rules), PAPER.seats).state
    assert told.after.revenue == int(direct.price.sum())
    assert told.after.rounds == len(direct.rounds)
    assert told.after.prices == tuple(direct.price.tolist())
    assert told.before.rounds == 5
    assert f"Rounds: {len(direct.rounds)}, {len(direct.rounds) - 5} more than before." in told.words


def test_reduced_demand_brings_less_revenue() -> None:
    told = rerun(LEDGER, Change("all reduce demand", bots={"": "demand-reducing"}))
    assert told.after.revenue < told.before.revenue
    one = rerun(LEDGER, Change("one reduces demand", bots={"bidder-2": "demand-reducing"}))
    assert one.after.revenue <= told.before.revenue


def test_safe_bids_end_the_losses_of_the_campus() -> None:
    template = TEMPLATES["campus"]
    ledger = run(template.configuration, template.seats).entries
    told = rerun(ledger, Change("safe bids", bots={"bidder-1": "exposure-averse"}))
    assert told.before.loss == told.played.loss
    assert told.before.loss is not None
    assert told.before.loss > 0
    assert told.after.loss == 0.0
    assert any("Losses to exposure" in words for words in told.words)


@pytest.mark.parametrize("key", ["paper-1", "classroom", "campus"])
def test_every_suggestion_can_be_played(key: str) -> None:
    template = TEMPLATES[key]
    ledger = run(template.configuration, template.seats).entries
    found = suggestions(template.configuration)
    assert len({change.title for change in found}) == len(found) >= 6
    for change in found:
        told = rerun(ledger, change)
        assert told.played.revenue == told.before.revenue  # both by the same bots under the same rules
        assert told.words
        json.dumps(told.to_json(), allow_nan=False)


def test_people_are_played_by_straightforward_bots_and_seats_without_values_are_left_out() -> None:
    room = Room(configured(lots(1, 1), Rules(increment=Increment(amount=5))), opened=False)
    for bidder, top in (("a", 50), ("b", 40), ("c", None)):
        valuation = None if top is None else {"kind": "additive", "values": {"1": top, "2": top}}
        room.do("admitted", bidder=bidder, name=bidder.upper(), eligibility=2, valuation=valuation)
    room.do("opened", deadline=None)
    room.bid("c", ["1", 5], ["2", 5])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    told = rerun(chain(room.events), Change("increment 10 k$", {"increment.amount": 10}))
    assert told.played.revenue == 10
    assert (told.optimum, told.before.efficiency) == (None, None)
    assert told.before.surplus[2] is None
    assert [notice.split(":")[0] for notice in told.notices] == [
        "left out of the runs, for they have no assigned values",
        "played by straightforward bots in the runs",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("x", {"increment.speed": 1}), "increment.speed"),
        (Change("x", {"increment": 1}), "increment"),
        (Change("x", {"lots.1": 1}), "lots.1"),
        (Change("x", {"increment.amount": 0}), "cannot be"),
        (Change("x", {"ties": "by dice"}), "cannot be"),
        (Change("x", bots={"": "clever"}), "clever"),
        (Change("x", bots={"nobody": "jump"}), "nobody"),
    ],
)
def test_a_change_that_cannot_be_is_refused(change: Change, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        rerun(LEDGER, change)


def test_without_any_values_there_is_nothing_to_run() -> None:
    room = Room(configured(lots(1)), "a", "b")
    with pytest.raises(QuestionError, match="no seat"):
        rerun(chain(room.events), Change("x"))


def test_only_the_named_rule_changes() -> None:
    before = PAPER.configuration
    after = changed(before, Change("x", {"activity.stages": (0.5, 1.0), "activity.enforced": True}, seed=9))
    assert after.rules.activity.stages == (0.5, 1.0)
    assert after.seed == 9
    assert replace(after, rules=before.rules, seed=before.seed) == before
    assert replace(after.rules, activity=before.rules.activity, preset="Paper") == before.rules
