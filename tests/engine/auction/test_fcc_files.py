"""Round files out and in: an auction with everything in it comes back to the same state in every format."""

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.auction import bundles, fcc_files, fcc_xml, record_files
from engine.auction.checking import allowed_amounts, check_bids, check_reduction, check_waiver, check_withdrawal
from engine.auction.closing import following, round_closed
from engine.auction.configuration import configuration_to_json
from engine.auction.events import Event
from engine.auction.presets import FCC, PAPER
from engine.auction.records import BidderRecord, Records, records_of
from engine.auction.records_replay import events_of
from engine.auction.rules import Configuration, Jump, Lot, Rules
from engine.auction.state import AuctionState
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError, FileFormatError

LOTS = (
    Lot("3-firm", "Bus 3, firm", 10.0, 0.0, "3", 10, opening=5),
    Lot("4-firm", "Bus 4, firm", 2.0, 0.0, "4", 2, opening=3, quantity=3),
    Lot("4-flex5", "Bus 4 at <5 %> & more", 5.6, 0.05, "4", 6, reserve=40),
    Lot("=cmd()", "-", 1.0, 0.0, "5", 1),
)
RULES = {
    "fcc": replace(FCC, timing=PAPER.timing, activity=replace(FCC.activity, quiet_rounds=1, quiet_share=0.7)),
    "paper": PAPER,
    "jumps": replace(FCC, jump=Jump("any"), ties="alternating", timing=PAPER.timing),
}


def configuration(rules: Rules) -> Configuration:
    return Configuration("An auction of <everything>", LOTS, rules, seed=11)


class Room:
    """Applies events and keeps them."""

    def __init__(self, rules: Rules) -> None:
        self.events: list[Event] = []
        self.state: AuctionState | None = None
        self.at = 1_200_000_000.0  # 2008.01.10
        self.do("configured", configuration=configuration_to_json(configuration(rules)))

    def do(self, kind: Any, actor: str = "host", **data: Any) -> AuctionState:
        return self.take(Event(kind, self.at, actor, data))

    def take(self, event: Event) -> AuctionState:
        self.state = apply(self.state, event)
        self.events.append(event)
        self.at += 7.25
        return self.state

    def admit(self, number: int) -> AuctionState:
        data = {"bidder": f"b{number}", "name": f"Bidder, {number}", "eligibility": 20 + number, "deposit": 0}
        return self.do("admitted", **data, valuation={"kind": "additive", "values": {"3-firm": 77_123}}, bot="")


def played(name: str, seed: int, rounds: int = 12) -> Room:
    """An auction of random legal moves: bids, blocks, withdrawals, waivers, reductions, stages, an annulment, a late
    comer, a name, a practice before."""
    generator, room = np.random.default_rng(seed), Room(RULES[name])
    for number in (1, 2, 3):
        state = room.admit(number)
    room.do("practice begun", deadline=None)
    room.do("bids submitted", "b1", bidder="b1", round=1, bids=[["3-firm", 5, 1]], request="p")
    assert room.state is not None
    room.take(round_closed(room.state, room.at))
    room.do("practice ended")
    state = room.do("opened", deadline=None)
    while state.phase == "open" and state.round <= rounds:
        number = state.round
        if number == 4 and "b4" not in state.bidder_place:
            room.admit(4)
            state = room.do("renamed", bidder="b2", name="Ana, who came late")
        for bidder in [bidder.id for bidder in state.bidders]:
            state = moved(room, generator, bidder)
        state = room.take(round_closed(state, room.at, "host"))
        if number in (3, 6) and not state.annulled and generator.random() < 0.7:
            state = room.do("round annulled", round=number, reason="a fault", deadline=None)
            continue
        while (event := following(state, room.at)) is not None:
            state = room.take(event)
    return room


def moved(room: Room, generator: np.random.Generator, bidder: str) -> AuctionState:
    """One bidder's random legal move."""
    state, base = room.state, {"bidder": bidder, "round": room.state.round, "request": ""} if room.state else {}
    assert state is not None
    place, chance = state.bidder_place[bidder], generator.random()
    held = [state.configuration.lots[lot].id for lot in state.blocks_of(place)]
    if chance < 0.1 and not check_waiver(state, bidder):
        return room.do("waiver used", bidder, **base)
    if chance < 0.25 and held and not check_withdrawal(state, bidder, held[:1]):
        state = room.do("withdrawn", bidder, **base, lots=held[:1])
    bids: list[list[Any]] = []
    for lot in generator.permutation(len(LOTS)).tolist():
        amount = int(generator.choice(allowed_amounts(state, lot)[:3]))
        if state.configuration.rules.jump.kind == "any":
            amount += int(generator.integers(3))
        more = [*bids, [LOTS[lot].id, amount, int(generator.integers(1, LOTS[lot].quantity + 1))]]
        if generator.random() < 0.6 and not check_bids(state, bidder, more):
            bids = more
    if bids:
        state = room.do("bids submitted", bidder, **base, bids=bids)
    if chance > 0.9 and not check_reduction(state, bidder):
        state = room.do("reduction chosen", bidder, **base)
    return state


def replayed(events: tuple[Event, ...]) -> AuctionState:
    state: AuctionState | None = None
    for event in events:
        state = apply(state, event)
    assert state is not None
    return state


def seen(state: AuctionState) -> dict[str, Any]:
    """Everything of a state that its rounds decide."""
    return {
        "phase": state.phase,
        "round": state.round,
        "pointer": state.pointer,
        "bids": [[state.price.tolist(), state.holder.tolist()], state.minimum.tolist(), state.runner_up.tolist()],
        "index": state.activity_index.tolist(),
        "bidders": [
            (b.id, b.name, b.initial_eligibility, b.eligibility, b.waivers_left, b.withdrawal_rounds_left)
            for b in state.bidders
        ],
        "withdrawals": state.withdrawals,
        "annulled": state.annulled,
        "rounds": [
            {
                "round": (r.round, r.stage, r.tied, r.tie_numbers),
                "standing": (r.price.tolist(), r.holder.tolist(), r.activity.tolist()),
                "acted": {place: (a.bids, a.withdrawn, a.waiver, a.reduce) for place, a in r.acted.items()},
            }
            for r in state.rounds
        ],
    }


CASES = [(name, seed) for name in RULES for seed in range(4)]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_every_format_comes_back_to_the_same_state(name: str, seed: int) -> None:
    room = played(name, seed)
    assert room.state is not None
    records, sold = records_of(room.events), configuration(RULES[name])
    expected = seen(room.state)
    assert seen(replayed(events_of(records, sold))) == expected
    assert record_files.from_csv_files(record_files.to_csv_files(records)) == records
    assert record_files.from_json(record_files.to_json(records)) == records
    files = fcc_files.to_files(records, sold, 97)
    back = fcc_files.from_files(files)
    steps = [replace(bid, increments=None) for bid in records.bids]
    assert sorted(back.bids, key=str) == sorted(steps, key=str)
    assert replace(back, bids=()) == replace(records, bids=())
    assert seen(replayed(events_of(back, sold))) == expected
    bids = fcc_xml.from_xml(fcc_xml.to_xml(records, sold, 97))
    assert sorted(bids, key=str) == sorted(records.bids, key=str)
    assert seen(replayed(events_of(replace(records, bids=bids), sold))) == expected


def test_the_random_auctions_have_everything_in_them() -> None:
    rooms = [played(name, seed) for name, seed in CASES]
    states = [room.state for room in rooms if room.state is not None]
    records = [records_of(room.events) for room in rooms]
    assert any(state.annulled for state in states)
    assert any(state.phase == "closed" for state in states)
    assert any(result.tie_numbers for state in states for result in state.rounds)
    assert any(row.stage > 1 for one in records for row in one.rounds)
    assert {row.waiver for one in records for row in one.status} == {"", "proactive", "automatic"}
    assert any(row.reduction for one in records for row in one.status)
    assert sum(len(one.withdrawals) for one in records) > 5
    assert any(bid.blocks > 1 for one in records for bid in one.bids)
    assert any(bid.increments not in (None, 1) for one in records for bid in one.bids)
    assert any(len(one.bidders) == 4 for one in records)


def test_no_file_tells_assigned_values_or_holds_a_formula() -> None:
    room = played("fcc", 1)
    records, sold = records_of(room.events), configuration(RULES["fcc"])
    texts = [*fcc_files.to_files(records, sold).values(), *record_files.to_csv_files(records).values()]
    told = "".join([*texts, record_files.to_json(records), fcc_xml.to_xml(records, sold)])
    assert "77123" not in told
    assert "additive" not in told
    assert not [cell for text in texts for cell in text.replace("\n", ",").split(",") if cell[:1] in "=+@" and cell]
    assert "b1" not in fcc_xml.to_xml(records, sold, names=False)


# A record of the FCC's file of round 6 of Auction 73 (auctionresults.fcc.gov, 73_006_database_round_anonymous.xml).
AUCTION_73 = """<?xml version="1.0" encoding="UTF-8"?>

<dataroot xmlns:od="urn:schemas-microsoft-com:officedata" xmlns:xsi="http://www.w3.org/2000/10/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="73_database_limited.xsd"><ALL_BIDS>
<auction_id>73</auction_id>
<auction_description>700 MHz Band</auction_description>
<round>6</round>
<item_name>WY-CMA516-B</item_name>
<item_description>Missouri 13 - Washington</item_description>
<market>CMA516</market>
<block>B</block>
<increments_of_bid>1</increments_of_bid>
<bid_amount>86000.0000</bid_amount>
<date>2008.01.28</date>
<selection_number>0.171236746123610</selection_number></ALL_BIDS>
</dataroot>"""


def test_a_record_of_the_fccs_own_file_is_read_and_ours_has_its_elements() -> None:
    (bid,) = fcc_xml.from_xml(AUCTION_73)
    assert (bid.round, bid.bidder, bid.lot, bid.amount, bid.blocks, bid.increments) == (
        6,
        "",
        "WY-CMA516-B",
        86000,
        1,
        1,
    )
    assert bid.tie_number is not None
    assert bid.tie_number / 2**48 == pytest.approx(0.171236746123610, abs=2**-48)
    records = records_of(played("fcc", 1).events)
    ours = fcc_xml.to_xml(records, configuration(RULES["fcc"]), 73, names=False)
    record = ours.partition("<ALL_BIDS>")[2].partition("</ALL_BIDS>")[0]
    theirs = AUCTION_73.partition("<ALL_BIDS>")[2].partition("</ALL_BIDS>")[0]

    def elements(text: str) -> list[str]:
        return [line.partition(">")[0] for line in text.splitlines() if line]

    assert elements(record) == elements(theirs)
    assert "<date>2008.01.10</date>" in record


def test_the_files_have_the_fields_of_the_notice() -> None:
    """DA 01-2357, Attachment A, and the names of DA 98-0230."""
    room = played("fcc", 1)
    files = fcc_files.to_files(records_of(room.events), configuration(RULES["fcc"]), 40)
    assert {"40_001S.TXT", "40_001W.TXT", "40_001E.TXT", "40_001H.TXT"} <= set(files)
    assert files["40_001H.TXT"].splitlines()[0] == (
        "market,freq_block,bid_round,bid_amt,bidder_num,fcc_acct,date,net_bid_amt,min_accept,num_of_bids,min_incr_2,"
        "sort_col_1,sort_col_2,sub_market"
    )
    assert files["40_001E.TXT"].splitlines()[0] == (
        "round_num,bidder_num,fcc_acct,max_elig,rmng_waivr,waivr_ind,rmng_withdrawals,required_act,current_act"
    )
    assert [name for name in fcc_files.ALL_BIDS if name not in fcc_files.WITHDRAWALS] == ["round_num", "random_num"]


def test_each_file_to_take_home_is_made_from_the_ledger() -> None:
    room, sold = played("fcc", 1), configuration(RULES["fcc"])
    records = records_of(room.events)
    made = {name: bundles.bundle(name, room.events, sold) for name in bundles.NAMES}
    assert made == {name: bundles.bundle(name, room.events, sold) for name in bundles.NAMES}

    def unzipped(content: bytes) -> dict[str, str]:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    assert record_files.from_csv_files(unzipped(made["tables.zip"])) == records
    assert record_files.from_json(made["tables.json"].decode()) == records
    assert fcc_files.from_files(unzipped(made["fcc_round_files.zip"])).standing == records.standing
    assert len(fcc_xml.from_xml(made["all_bids.xml"].decode())) == len(records.bids)


def test_a_changed_number_is_found_by_the_replay() -> None:
    room, sold = played("fcc", 2), configuration(RULES["fcc"])
    records = records_of(room.events)
    last = records.rounds[-1].round
    held = next(row for row in records.standing if row.round == last and row.bidder)

    def changed(kind: str, row: Any, **values: Any) -> Records:
        rows = getattr(records, kind)
        return replace(records, **{kind: tuple(replace(one, **values) if one is row else one for one in rows)})

    bid = next(bid for bid in records.bids if bid.round == 1)
    status = next(row for row in records.status if row.round == 2)
    given = records.withdrawals[0]
    for broken, words in (
        (
            changed("standing", held, amount=held.amount + 1),
            f"round {last}, lot '{held.lot}', block {held.block}: the ",
        ),
        (changed("standing", held, minimum=1), "the next minimum is 1 in the records and"),
        (changed("bids", bid, amount=1), f"round 1, {bid.bidder}: .* is below the minimum"),
        (changed("bids", bid, tie_number=5), f"the tie number of '{bid.bidder}' is 5 in the records"),
        (changed("bids", bid, bidder="b9"), "the records tell of 'b9', who is not among the bidders"),
        (changed("status", status, bidder="b9"), "the records tell of 'b9', who is not among the bidders"),
        (
            changed("withdrawals", given, amount=given.amount + 1),
            f"withdraws {given.amount + 1} on block .* records only",
        ),
        (changed("withdrawals", given, block=40), "on block 40 of lot .* in the records only"),
        (changed("rounds", records.rounds[1], annulled=10**9), "1000000000 rounds annulled before it"),
        (replace(records, bidders=(*records.bidders, records.bidders[0])), "is listed twice"),
        (changed("bids", bid, lot="gone"), "there is no product 'gone'"),
        (changed("status", status, waivers_left=9), f"round 2, {status.bidder}: the records leave .* 9 waivers"),
    ):
        with pytest.raises(AuctionRuleError, match=words):
            events_of(broken, sold)
    with pytest.raises(AuctionRuleError, match="by the seed"):
        events_of(records, replace(sold, seed=12))
    with pytest.raises(AuctionRuleError, match="at most 10000 are read"):
        events_of(changed("bids", bid, round=10_001), sold)


def test_everything_wrong_with_files_is_told_at_once() -> None:
    files = fcc_files.to_files(records_of(played("fcc", 1).events), configuration(RULES["fcc"]), 1)
    head = files["1_001S.TXT"].splitlines()[0]
    files["1_001S.TXT"] = f"{head}\n4-firm,1,2,1e308,1,b1,,3,1,1,0,NaN\n4-firm,1,1,3,1,b9,,3,1,1,0,\n"
    files["1_001H.TXT"] = files["1_001H.TXT"].replace("min_accept", "minimum")
    files["1_001E.TXT"] = files["1_001E.TXT"].replace("round_num", "round_num", 1) + "1,1,,5,0,X,0,0,0\n"
    with pytest.raises(FileFormatError) as caught:
        fcc_files.from_files(files)
    told = [problem.message for problem in caught.value.problems]
    for words in (
        "1_001S.TXT, line 2: round_num is 2 in the file of round 1",
        "1_001S.TXT, line 2: bid_amt must be a whole number up to 1000000000000, found '1e308'",
        "1_001S.TXT, line 2: random_num must be from 0 to below 1, found 'NaN'",
        "1_001H.TXT has no column 'min_accept'",
        "waivr_ind must be P, A, R or nothing, found 'X'",
        "bidder 'b9' bids and is not in the file of round 0",
    ):
        assert any(words in one for one in told), (words, told)
    with pytest.raises(FileFormatError, match="file of round 0"):
        fcc_files.from_files({"readme.txt": "nothing"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<dataroot><ALL_BIDS>", "the file is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><dataroot/>', "a document type or entities"),
        (
            "<dataroot><ALL_BIDS><round>1</round></ALL_BIDS></dataroot>",
            "bid 1: item_name is missing; bid 1: bid_amount is",
        ),
        (AUCTION_73.replace("86000.0000", "86000.5"), "bid_amount must be a whole number"),
        (AUCTION_73.replace("86000.0000", "1e308"), "bid_amount must be a whole number"),
        (AUCTION_73.replace("0.171236746123610", "nan"), "selection_number must be from 0"),
        (AUCTION_73.replace("<round>6", "<round>-6"), "round must be a whole number from 1"),
    ],
)
def test_xml_that_is_none_of_bids_is_refused(text: str, words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        fcc_xml.from_xml(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not JSON"),
        ("[]", "not of format"),
        (json.dumps({"format": record_files.FORMAT, "bids": 3}), "bids must be a list"),
        (json.dumps({"format": record_files.FORMAT, "bids": [{"round": 1.5}]}), "bids, line 1, round: a whole number"),
        (json.dumps({"format": record_files.FORMAT, "bids": [{"round": True}]}), "bids, line 1, round: a whole number"),
        (json.dumps({"format": record_files.FORMAT, "bidders": [7]}), "bidders, line 1: a row is a table"),
    ],
)
def test_json_that_is_none_of_records_is_refused(text: str, words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        record_files.from_json(text)
    with pytest.raises(FileFormatError, match=r"bidders\.csv and bids\.csv is needed"):
        record_files.from_csv_files({})


def test_bids_alone_replay_where_no_activity_is_asked_for() -> None:
    room, sold = played("paper", 3), configuration(RULES["paper"])
    records = records_of(room.events)
    assert room.state is not None
    bids = fcc_xml.from_xml(fcc_xml.to_xml(records, sold))
    seats = tuple(BidderRecord(row.bidder, row.name, 0) for row in records.bidders)
    state = replayed(events_of(Records(bidders=seats, bids=bids), sold))
    assert state.price.tolist() == room.state.price.tolist()
    assert state.holder.tolist() == room.state.holder.tolist()
