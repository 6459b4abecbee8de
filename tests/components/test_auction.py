"""The host's side of the auction, as pure functions: rules as controls, drafts, rules in words, the ways in."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.auction_invite import Listening, own_addresses, qr_rows, ways
from components import (
    auction_draft,
    auction_ids,
    auction_new,
    auction_rules,
    auction_worked,
    auction_worth,
    help_auction,
)
from components.auction_draft import Seat, draft_of, read
from engine.auction.presets import ORIGINS, PRESETS
from engine.auction.rules import Activity, Configuration, Increment, Jump, Lot, Rules, Timing, Withdrawals
from engine.auction.simulate import run
from engine.auction.state import Acted, Bid
from engine.auction.templates import TEMPLATES
from engine.auction.value_builder import build
from engine.auction.wording import rules_words, sentence
from tests.callbacks.screen import text

LOTS = (Lot("a", "North", 10.0, 0.0, "1", 10), Lot("b", "South", 20.0, 0.05, "2", 20, opening=40))


TYPED = st.one_of(st.none(), st.text(max_size=8), st.floats(), st.booleans(), st.lists(st.integers()))


def seats_of(key: str) -> list[Seat]:
    return [
        Seat(one.name, one.bot, one.eligibility, None if one.valuation is None else dict(one.valuation))
        for one in TEMPLATES[key].seats
    ]


# Rules


def test_every_rule_has_its_control() -> None:
    assert set(auction_rules.PATHS) == auction_rules.covered()
    assert len(auction_rules.PATHS) == len(set(auction_rules.PATHS))


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_controls_hold_a_preset_exactly(name: str) -> None:
    rules, problems = auction_rules.rules_of(auction_rules.values_of(PRESETS[name]), name)
    assert rules == PRESETS[name]
    assert problems == []


def test_what_cannot_be_read_is_told_all_at_once_and_only_where_it_is_asked_for() -> None:
    values = auction_rules.values_of(PRESETS["Classroom"])
    values |= {"timing.round_s": None, "activity.stages": "80 50", "activity.waivers": 1.5, "increment.amount": "x"}
    values |= {"increment.floor": "not shown"}  # of the other kind of increment
    rules, problems = auction_rules.rules_of(values, "Own")
    assert [line.partition(":")[0] for line in problems] == [
        "Length of a round", "Increment", "Share required, stage by stage", "Waivers",
    ]  # fmt: skip
    assert rules.preset == "Own"


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(auction_rules.PATHS), TYPED))
def test_no_value_of_a_control_breaks_the_form(values: dict[str, Any]) -> None:
    rules, problems = auction_rules.rules_of(values, "Own")
    assert isinstance(rules, Rules)
    assert all(line.endswith(".") for line in problems)


def test_a_rule_is_shown_only_where_it_applies() -> None:
    held = auction_rules.values_of(PRESETS["Paper"])
    assert auction_rules.holds("increment.kind=fixed", held)
    assert not auction_rules.holds("increment.kind=smoothed", held)
    assert not auction_rules.holds("timing.pace!=by hand", held)
    assert auction_rules.holds("", held)


def test_the_form_tells_where_each_number_of_the_fcc_preset_comes_from() -> None:
    shown = text(auction_rules.origins(PRESETS["FCC"], ORIGINS, "k$"))
    assert "Least increment (N): 10 %" in shown
    assert "three activity rule waivers" in shown
    assert all(source in shown for path, source in ORIGINS.items() if path in auction_rules.PATHS)


# Rules in words


def test_the_words_tell_each_rule_that_is_on() -> None:
    rules = Rules(
        preset="Own",
        increment=Increment("smoothed", floor=0.1, ceiling=0.2, rounding=5),
        jump=Jump("click box", steps=9, step_share=0.1, cap_increments=3),
        activity=Activity(True, (0.8, 0.95), 3, quiet_rounds=2, quiet_share=0.15),
        withdrawals=Withdrawals(2, 0.03),
        timing=Timing("clock", 1800.0),
        ties="alternating",
        information="anonymous",
        deposit_per_unit=7,
    )
    told = "\n".join(rules_words(Configuration("T", LOTS, rules)))
    for words in (
        "it lasts 30 min",
        "10 % above",
        "up to 20 %",
        "rounded up to 5 k$",
        "9 amounts",
        "at most 3 increments",
        "take turns",
        "80 % in stage 1, 95 % in stage 2",
        "3 waivers",
        "after 2 rounds",
        "15 % of all units",
        "withdrawn in 2 rounds",
        "3 % of the bid is due",
        "only prices and numbers of bids",
        "7 k$",
    ):
        assert words in told
    plain = "\n".join(rules_words(Configuration("T", LOTS, PRESETS["Paper"])))
    for words in ("no activity rule", "cannot be withdrawn", "no jump bids", "when the host closes it"):
        assert words in plain
    assert "waiver" not in plain


def test_the_sentence_names_what_is_sold_to_how_many_and_how() -> None:
    blocks = replace(LOTS[0], quantity=3)
    told = sentence(Configuration("T", (blocks, LOTS[1]), replace(PRESETS["Classroom"], preset="Own")), 12)
    assert told.startswith("Sell 4 blocks of 2 products (50 MW) to 12 bidders by its own rules, rounds of 2 min")


def test_the_words_of_the_pages_have_meanings() -> None:
    assert len(set(help_auction.WORDS)) == len(help_auction.ENTRIES) > 20
    assert all(meaning.endswith(".") for _, _, meaning in help_auction.ENTRIES)


# Drafts


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_a_draft_says_what_it_was_made_from(key: str) -> None:
    template, seats = TEMPLATES[key], seats_of(key)
    draft = json.loads(json.dumps(draft_of(template.configuration, seats, f"template:{key}")))
    found = read(draft)
    assert found.problems == ()
    assert found.configuration == replace(template.configuration, seed=0)  # a seed is drawn when it is made
    assert not found.seeded
    assert [replace(seat, valuation=None) for seat in found.seats] == [replace(seat, valuation=None) for seat in seats]
    for made, given_ in zip(found.seats, seats, strict=True):
        assert worth(made, template.configuration) == worth(given_, template.configuration)


def worth(seat: Seat, configuration: Configuration) -> Any:
    """Return a valuation with every lot named: one that is left out is worth 0."""
    if seat.valuation is None or "values" not in seat.valuation:
        return seat.valuation
    values = {lot.id: seat.valuation["values"].get(lot.id, 0) for lot in configuration.lots}
    return {name: value for name, value in seat.valuation.items() if name != "budget" or value is not None} | {
        "values": values
    }


@pytest.mark.parametrize(
    "valuation",
    [
        {"kind": "bundles", "bundles": [{"lots": {"a": 2, "b": 1}, "value": 90}, {"lots": {"b": 1}, "value": 40}]},
        {"kind": "symmetric", "totals": [0, 30, 50]},
        {"kind": "campus", "values": {"a": 3, "b": 4}, "minimum_mw": 15.0, "counted": "over all buses"},
        {"kind": "unit demand", "values": {"a": 3, "b": 4}, "budget": 5},
    ],
)
def test_values_of_every_kind_go_through_the_table(valuation: dict[str, Any]) -> None:
    configuration = Configuration("T", (replace(LOTS[0], quantity=2), LOTS[1]))
    draft = draft_of(configuration, [Seat("One", valuation=valuation)], "template:t")
    found = read(draft)
    assert found.problems == ()
    assert found.seats[0].valuation == valuation


def test_everything_wrong_in_a_draft_is_told_at_once_by_name() -> None:
    draft = draft_of(Configuration("", LOTS, currency=""), [Seat("One"), Seat("one"), Seat("")], "template:t")
    draft["lots"][0] |= {"opening": "many", "units": 1.5}
    draft["seats"][0] |= {"kind": "bundles", "listed": "North + West = 9; South = x; oops"}
    draft["seats"][1] |= {"bot": "straightforward"}
    told = "\n".join(read(draft).problems)
    for words in (
        "North, units",
        "North, opening bid: 'many' is not a number",
        "Title",
        "Currency",
        "no product 'West'",
        "write it as A + B = 90",
        "one: a bot needs assigned values",
        "Seat 3: give it a name",
        "one is there twice",
    ):
        assert words in told


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
DRAFTS = st.one_of(
    JSON, st.fixed_dictionaries({"lots": st.lists(st.dictionaries(st.sampled_from(("id", "name", "units", "quantity",
          "capacity_mw", "risk", "reserve")), JSON), max_size=3), "seats": st.lists(st.dictionaries(st.sampled_from((
          "name", "bot", "kind", "listed", "budget", "minimum_mw", "eligibility")), JSON), max_size=3), "rules": JSON}),
)  # fmt: skip


@settings(max_examples=40)
@given(DRAFTS)
def test_no_draft_that_a_browser_sends_breaks_the_page(draft: Any) -> None:
    found = read(draft)
    assert isinstance(found.configuration, Configuration)
    assert found.problems
    auction_new.summary(found)


def test_the_table_of_seats_has_a_column_for_each_product() -> None:
    names = [column.name for column in auction_new.seat_columns(LOTS, ["straightforward"])]
    assert [name for name in names if name.startswith(auction_draft.VALUE)] == ["value:a", "value:b"]
    fixed = {column.name for column in auction_new.lot_columns(fixed=True) if column.editable}
    assert fixed == {"name", "units", "opening", "reserve", "quantity"}  # size, risk and bus are those of the set


# Value builder


def test_the_builder_reads_its_fields_and_shows_the_arithmetic() -> None:
    held = {"revenue": 100_000, "backup": 200, "hours": 100, "campus": 0, "years": 1, "rate": 0, "budget": None}
    inputs, problems = auction_worth.inputs_of(held, [0.0, 0.05])
    assert problems == []
    assert inputs is not None
    built = build(inputs, Configuration("T", LOTS))
    # 10 MW x 100 000 $ and 20 MW x (100 000 - 200 x 100) $, one year, nothing discounted, in thousands of dollars.
    assert dict(built.valuation["values"]) == {"a": 1000, "b": 1600}
    shown = text(auction_worth.working(built, "k$"))
    assert "1\u2009000" in shown
    assert "1\u2009600" in shown


def test_what_is_missing_in_the_builder_is_told() -> None:
    inputs, problems = auction_worth.inputs_of({"revenue": "", "backup": "x", "years": 1.5, "rate": 0, "campus": 0}, [])
    assert inputs is None
    told = [line.partition(":")[0] for line in problems]
    assert told == ["Revenue of a MW in a year", "Backup, above the grid's price", "Years"]


# A worked auction


def test_the_paper_s_rounds_are_told_as_its_table_tells_them() -> None:
    template = TEMPLATES["paper-1"]
    state = run(template.configuration, template.seats).state
    told = [[auction_worked.bids_words(done.acted.get(place)) for place in (0, 1)] for done in state.rounds]
    # Section 7 of the specification, example 1: "1, 3, 4 @5" and so on.
    assert told == [["1, 3, 4 at 5", "1, 2, 3, 4 at 5"], ["3 at 10", "1 at 10"], ["1 at 15", "–"], ["–", "1 at 20"],
                    ["–", "–"]]  # fmt: skip
    assert auction_worked.standing_words(state, state.rounds[-1]) == (
        "1 Bidder 2 (20), 2 Bidder 2 (5), 3 Bidder 1 (10), 4 Bidder 1 (5)"
    )
    assert auction_worked.revenue(state) == 40


def test_bids_on_blocks_name_how_many() -> None:
    assert auction_worked.bids_words(Acted((Bid(0, 7, 2), Bid(1, 7), Bid(2, 9)))) == "2 of 1, 2 at 7; 3 at 9"


# The way in


def test_a_server_on_loopback_only_warns_and_names_what_to_do() -> None:
    found = ways(Listening("127.0.0.1", 8050), "http://127.0.0.1:8050/", ["192.168.1.7"])
    assert found.listed == ()
    assert "HOST=0.0.0.0" in found.warning


@pytest.mark.parametrize(
    ("listening", "asked", "origins"),
    [
        (Listening("0.0.0.0", 8050), "http://localhost:8050/", ["http://192.168.1.7:8050"]),  # noqa: S104
        (Listening("::", 80), "http://[::1]/", ["http://192.168.1.7:80"]),
        (Listening("192.168.1.7", 8050), "http://192.168.1.7:8050/", ["http://192.168.1.7:8050"]),
        (Listening("127.0.0.1", 8050), "https://room.example/", ["https://room.example"]),  # behind a proxy
        (Listening("0.0.0.0", 8050, ("room.example",)), "http://room.example/", ["http://room.example"]),  # noqa: S104
    ],
)
def test_the_ways_in_are_those_that_phones_can_use(listening: Listening, asked: str, origins: list[str]) -> None:
    found = ways(listening, asked, ["192.168.1.7"])
    assert [way.origin for way in found.listed] == origins
    assert found.warning == ""


def test_an_address_that_would_be_refused_is_not_offered() -> None:
    found = ways(Listening("0.0.0.0", 8050, ("other.example",)), "http://localhost:8050/", ["192.168.1.7"])  # noqa: S104
    assert found.listed == ()
    assert "other.example" in found.warning


def test_the_machine_s_own_addresses_are_none_of_loopback() -> None:
    assert not any(address.startswith("127.") for address in own_addresses())


def test_the_qr_code_is_one() -> None:
    rows = qr_rows("http://192.168.1.7:8050/auction/join?code=ABC234")
    size = len(rows)
    assert size % 4 == 1  # ISO/IEC 18004: 21, 25, 29 ... modules
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    for down, right in ((0, 0), (0, size - 7), (size - 7, 0)):
        assert [row[right : right + 7] for row in rows[down : down + 7]] == finder
    assert [rows[6][place] for place in range(8, size - 8)] == ["1", "0"] * ((size - 16) // 2) + ["1"]  # timing


def test_ids_are_named_after_the_page() -> None:
    made = [value for name, value in vars(auction_ids).items() if name.isupper()]
    assert len(made) == len(set(made)) > 15
    assert all(value.startswith("auction-") for value in made)
