"""Requests read from blocks, files and rows; every fault named at once; the queue and the sums."""

from datetime import date

import pytest

from engine.capacity.requests import Request, Requests, RequestsError, read_block, read_csv
from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network

FOURBUS = Network.from_tables(load("fourbus"))
TODAY = date(2026, 5, 31)
BLOCK = """customer\tbus\tMW\tdate\tenvelope
Acme\t3\t40\t2026-02-01\tfirm
Byte\t4\t25.5\t2025-12-24\tpause
Acme\t3\t10\t2025-12-24\tflexible
"""


def test_a_pasted_block_is_read_row_by_row() -> None:
    found = read_block(BLOCK, FOURBUS)
    assert found.rows == (
        Request("Acme", "3", 40.0, "2026-02-01", "firm"),
        Request("Byte", "4", 25.5, "2025-12-24", "pause"),
        Request("Acme", "3", 10.0, "2025-12-24", "flexible"),
    )


def test_the_queue_is_by_date_then_by_row_and_demand_is_summed_in_its_order() -> None:
    found = read_block(BLOCK, FOURBUS)
    assert [row.mw for row in found.queue()] == [25.5, 10.0, 40.0]
    assert found.demand() == (("4", "3"), (25.5, 50.0))
    assert (found.total_mw(), found.total_mw("pause")) == (75.5, 25.5)


def test_headings_may_be_in_any_order_and_columns_may_be_missing() -> None:
    found = read_block("Demand (MW);Bus\n12,5;4\n7;3", FOURBUS, today=TODAY)
    assert found.rows == (
        Request("", "4", 12.5, "2026-05-31", "firm"),
        Request("", "3", 7.0, "2026-05-31", "firm"),
    )


def test_without_headings_the_columns_are_the_tables() -> None:
    assert read_block("Acme,3,40,2026-02-01,Shift", FOURBUS).rows == (
        Request("Acme", "3", 40.0, "2026-02-01", "shift"),
    )


def test_every_fault_is_named_with_its_row_and_column() -> None:
    bad = "customer,bus,mw,date,envelope\nA,9,40,2026-02-01,firm\nB,3,-1,31.5.2026,soft\nC,,x,2026-02-30,firm"
    with pytest.raises(RequestsError) as told:
        read_block(bad, FOURBUS)
    found = [(problem.row, problem.column) for problem in told.value.problems]
    assert found == [(0, "bus"), (1, "mw"), (1, "date"), (1, "envelope"), (2, "bus"), (2, "mw"), (2, "date")]
    assert "row 2, bus: the network has no bus '9'" in str(told.value)
    assert "and 2 more" in str(told.value)


def test_tables_come_back_from_csv_and_json() -> None:
    found = Requests((Request('=Acme, "Inc"', "3", 40.25, "2026-02-01", "firm"), Request("", "4", 0.1, "2026-02-02")))
    assert read_csv(found.to_csv().encode(), FOURBUS) == found
    assert "'=Acme" in found.to_csv()
    assert Requests.from_json(found.to_json(), FOURBUS) == found


@pytest.mark.parametrize(
    ("text", "mw"),
    [
        ("A;3;1.000\nB;4;7,5", [1000.0, 7.5]),
        ("A\t3\t1.000\nB\t4\t7.5", [1.0, 7.5]),
        ("A,3,1.000,2026-01-02T12:30", [1.0]),
        ("A;3;10,5", [10.5]),
    ],
)
def test_the_decimal_mark_is_that_of_the_column(text: str, mw: list[float]) -> None:
    assert [row.mw for row in read_block(text, FOURBUS).rows] == mw


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no request is listed"),
        ("bus,mw,mw\n3,1,2", "twice"),
        ("A,3,1,2026-01-01,firm,more", "6 cells"),
        ("\n".join(["A,3,1,2026-01-01,firm"] * 5001), "at most 5,000"),
        ("A,3," + "1" * 2_000_000, "at most 2,000,000 are read"),
        ("A," + "3" * 140_000 + ",1", "more than 131,072 characters"),
        ('A,3,1\nB "Inc,4,1\nC,4,1', "row 2: a quotation mark has no partner"),
        ("A;3;10,5\nB;4;7.5", "two decimal marks, 7.5 and 10,5"),
        ("A;3;1.000", "1.000 can be one or a thousand: write 1 or 1000"),
        ("A\t3\t2,500", "2,500 can be one or a thousand"),
        ("A,3,1,2026-01-02 garbage", "a day such as 2026-05-31 is needed, found 2026-01-02 garbage"),
        ("A,3,1,2026-01-02T25:00", "a day such as"),
        ("A,3,1,2026-W01-1", "a day such as"),
    ],
)
def test_blocks_that_make_no_table_are_refused(text: str, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        read_block(text, FOURBUS)


def test_files_that_are_no_text_are_refused() -> None:
    with pytest.raises(QuestionError, match="not text"):
        read_csv(b"PK\x03\x04abcdefgh\0")
    with pytest.raises(QuestionError, match="table with rows"):
        Requests.from_json({"rows": "no"})
