"""Bids by file: what is read, and that everything wrong is told at once with its line and column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.auction.bid_files import MOST_CHARACTERS, MOST_LINES, read, template
from engine.auction.rules import MAX_AMOUNT, Configuration, Lot
from engine.auction.state import Bid
from engine.auction.tables import from_csv, guarded, to_csv, unguarded
from engine.errors import FileFormatError

LOTS = (
    Lot("3-firm", "Bus 3, firm", 10.0, 0.0, "3", 10),
    Lot("4-flex5", "Bus 4, at 5 %", 5.6, 0.05, "4", 5, quantity=3),
    Lot("=cmd()", 'A name; of the worst kind, "quoted"', 1.0, 0.0, "5", 1),
)
CONFIGURATION = Configuration("test", LOTS)


@pytest.mark.parametrize(
    "text",
    [
        "lot,amount,blocks\n3-firm,100,1\n4-flex5,25,2\n",
        "\ufeffLot;Amount;Blocks\r\n3-firm;100;1\r\n4-flex5;25;2\r\n",
        "blocks\tamount\tlot\n\n1\t100\t3-firm\n2\t 25 \t4-flex5",
        'name,"lot",amount,blocks\n"a,b","3-firm","100",\nx,4-flex5,025,2\n"=cmd()",\'=cmd(),,\n',
    ],
)
def test_the_same_bids_in_every_spelling(text: str) -> None:
    assert read(text, CONFIGURATION) == ((Bid(0, 100, 1), Bid(1, 25, 2)), ())


def test_the_template_bids_nothing_until_it_is_filled_in_and_holds_no_formula() -> None:
    empty = template(CONFIGURATION)
    assert read(empty, CONFIGURATION) == ((), ())
    assert "\n'=cmd()," in empty
    filled = empty.replace('3-firm,"Bus 3, firm",,', '3-firm,"Bus 3, firm",40,')
    assert read(filled, CONFIGURATION) == ((Bid(0, 40, 1),), ())
    third = read("lot,amount\n'=cmd(),7\n", CONFIGURATION)
    assert third == ((Bid(2, 7, 1),), ())


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("12,5", "'12,5' has a decimal comma"),
        ("1,5000", "'1,5000' has a decimal comma"),
        ("1,000", "'1,000' has a thousands separator"),
        ("1 000", "thousands separator"),
        ("1'000'000", "thousands separator"),
        ("1.000.000,50", "thousands separator"),
        ("12\u202f000", "thousands separator"),
        ("12.50", "'12.50' has a decimal point"),
        ("12.", "decimal point"),
        ("1.000", "thousands separator"),
        ("-5", "'-5' begins with a sign"),
        ("+5", "begins with a sign"),
        ("=1+1", "begins with a sign"),
        ("NaN", "'NaN' is no whole number"),
        ("inf", "'inf' is no whole number"),
        ("1e308", "'1e308' is no whole number"),
        ("0x10", "'0x10' is no whole number"),
        ("١٢", "is no whole number"),
        ("12 k$", "is no whole number"),
        ("99999999999999999999", "is no whole number"),
        ("0", "must be from 1 to 1,000,000,000,000, found 0"),
        (str(MAX_AMOUNT + 1), "must be from 1 to 1,000,000,000,000"),
    ],
)
def test_an_amount_that_is_not_plain_digits_is_not_guessed_at(cell: str, words: str) -> None:
    bids, problems = read(f"lot;amount;blocks\n3-firm;{cell};1\n4-flex5;5;1\n", CONFIGURATION)
    assert bids == (Bid(1, 5, 1),)
    (problem,) = problems
    assert (problem.line, problem.column, problem.lot) == (2, "amount", "3-firm")
    assert problem.words.startswith("line 2, amount: ")
    assert words in problem.words


def test_everything_is_told_at_once() -> None:
    text = (
        "lot,amount,blocks\n"
        "nowhere,10,1\n"  # 2
        "3-firm,1,000,1\n"  # 3: the separator makes four cells
        "4-flex5,12.5,4\n"  # 4: amount and blocks
        "4-flex5,12,1\n"  # 5: again
        ",5,1\n"  # 6
        "3-firm,,1\n"  # 7: blocks without an amount
        "gone,,\n"  # 8: no bid, but no such lot either
    )
    bids, problems = read(text, CONFIGURATION)
    assert bids == ()
    assert [(p.line, p.column) for p in problems] == [
        (2, "lot"), (3, ""), (4, "amount"), (4, "blocks"), (5, "lot"), (6, "lot"), (7, "amount"), (8, "lot"),
    ]  # fmt: skip
    assert "there is no product 'nowhere'" in problems[0].words
    assert "an amount has no separators within" in problems[1].words
    assert problems[3].words == "line 4, blocks: must be from 1 to 3, found 4"
    assert problems[4].words == "line 5: product '4-flex5' is on line 4 already"
    assert "no product is named" in problems[5].words
    assert "a whole number is needed, found none" in problems[6].words


def test_a_lot_named_twice_gets_no_bid_at_all() -> None:
    bids, problems = read("lot,amount\n3-firm,10\n3-firm,20\n4-flex5,5\n", CONFIGURATION)
    assert bids == (Bid(1, 5, 1),)
    assert [p.line for p in problems] == [3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("lot,price\n3-firm,5\n", "column 'amount' is missing; column 'price' is not known"),
        ("3-firm,5\n", "column 'lot' is missing; column 'amount' is missing"),
        ("lot,amount,amount\n3-firm,5,6\n", "column 'amount' is there 2 times"),
        ('lot,amount\n"3-firm,5\n', "cannot be read"),
        ("lot,amount\n" + "a" * MOST_CHARACTERS, "longer than 1,000,000 characters"),
        ("lot,amount\n" + ",\n" * (MOST_LINES + 5), "more than 10,000 lines"),
    ],
)
def test_a_file_that_is_none_of_bids_is_refused(text: str, words: str) -> None:
    bids, problems = read(text, CONFIGURATION)
    assert bids == ()
    told = "; ".join(problem.words for problem in problems)
    for part in words.split("; "):
        assert part in told


@given(text=st.text(alphabet=st.sampled_from("lot,amount;blocks\n\r\t\"'=3-firm1094.x\x00"), max_size=120))
def test_no_text_breaks_the_reader(text: str) -> None:
    bids, problems = read("lot,amount,blocks\n" + text, CONFIGURATION)
    assert all(1 <= bid.amount <= MAX_AMOUNT and 1 <= bid.blocks <= LOTS[bid.lot].quantity for bid in bids)
    assert len({bid.lot for bid in bids}) == len(bids)
    assert all(problem.words for problem in problems)


@given(text=st.text(max_size=30))
def test_guarded_cells_come_back_and_are_no_formulas(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"} or not text


def test_tables_come_back_and_tell_what_is_missing() -> None:
    rows = [{"a": "=1", "b": 5}, {"a": 'x,\n"y"', "b": None}]
    text = to_csv(("a", "b"), rows)
    assert from_csv(text, ("a", "b"), "t.csv") == [{"a": "=1", "b": "5"}, {"a": 'x,\n"y"', "b": ""}]
    with pytest.raises(FileFormatError, match=r"t\.csv has no column 'c'; t\.csv, line 3: 3 cells, not 2"):
        from_csv("a,b\n1,2\n1,2,3\n", ("a", "c"), "t.csv")
