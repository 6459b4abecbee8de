"""Interfaces and contingencies: their cells, what the checks find, edits that they follow, and the formats they take.

Expected numbers are what the input says, or a law: what is written reads back, undo of an edit is the network before.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FileFormatError, NetworkDataError
from engine.network.checks import check
from engine.network.csv_pair import read_rows
from engine.network.edit import apply, label
from engine.network.events import AddRow, Delete, EditCells, PasteRows
from engine.network.model import Network
from engine.network.pasting import copy
from engine.network.readers import EXACT, read_network, write_network
from engine.network.tables import NetworkTables, canonical_json, from_canonical_json, table_of
from engine.network.terms import read_branches, read_terms, write_branches, write_terms
from tests.engine.network.reading import BRANCHES, BUSES, pair

ODD = 'Line "A" 1:2'  # an identifier with a blank, quotes and a colon


def ring(interfaces: Any = (), contingencies: Any = (), **branch: Any) -> NetworkTables:
    """Three buses in a ring, the third branch with an odd identifier; ``branch`` are cells of the second."""
    return NetworkTables(
        buses=table_of("buses", [{"bus": "1", "slack": True}, {"bus": "2"}, {"bus": "3"}]),
        branches=table_of(
            "branches",
            [
                {"branch": "1-2", "from_bus": "1", "to_bus": "2", "rating_a_mw": 10.0},
                {"branch": "2-3", "from_bus": "2", "to_bus": "3", "rating_a_mw": 10.0} | branch,
                {"branch": ODD, "from_bus": "3", "to_bus": "1", "rating_a_mw": 10.0},
            ],
        ),
        interfaces=table_of("interfaces", interfaces),
        contingencies=table_of("contingencies", contingencies),
    )


WEST = {"interface": "West", "name": "To the west", "terms": "1-2:1 2-3:-0.5", "limit_mw": 30.0}
BOTH = {"contingency": "both", "branches": f"1-2 {write_branches([ODD])}", "note": "=one tower"}


def found(tables: NetworkTables) -> dict[str, tuple[str, int | None, str, str]]:
    lists = ("interfaces", "contingencies")
    return {p.code: (p.severity, p.row, p.column, p.message) for p in check(tables) if p.table in lists}


# Cells

NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)


@given(st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False).filter(bool), min_size=1, max_size=5))
def test_what_is_written_of_branches_reads_back(terms: dict[str, float]) -> None:
    assert dict(read_terms(write_terms(terms.items()))) == terms
    assert read_branches(write_branches(terms)) == tuple(terms)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("1-2", [("1-2", 1)]),
        (" 1-2   3-4:-0.5 ", [("1-2", 1), ("3-4", -0.5)]),
        ("a:b:2e1", [("a:b", 20)]),
        ('"a b" "c""d":-1', [("a b", 1), ('c"d', -1)]),
    ],
)
def test_terms_are_read_as_a_person_writes_them(text: str, terms: list[tuple[str, float]]) -> None:
    assert list(read_terms(text)) == terms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one branch"),
        ("1-2:x", "weight of '1-2' must be a number, found 'x'"),
        ("1-2:", "weight of '1-2'"),
        ("1-2:0", "other than 0"),
        ("1-2:inf", "other than 0"),
        ("1-2:1 1-2:2", "'1-2' is there twice"),
        ('"1-2', "quote is not closed"),
        ('a"b"', "whole branch in quotes"),
        ('"a"2', "colon and a weight"),
        (":1", "names no branch"),
    ],
)
def test_terms_that_cannot_be_used_say_why(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_terms(text)


# Model


def test_the_model_holds_the_rows_in_service() -> None:
    off = WEST | {"interface": "off", "in_service": False}
    east = {"interface": "East", "terms": write_terms([(ODD, 2.0)]), "limit_mw": 5.0, "limit_backward_mw": np.inf}
    network = Network.from_tables(ring([WEST, off, east], [BOTH, BOTH | {"contingency": "no", "in_service": False}]))
    assert network.interfaces.ids == ("West", "East")
    assert network.interfaces.names == ("To the west", "")
    assert network.interfaces.weights.toarray().tolist() == [[1.0, -0.5, 0.0], [0.0, 0.0, 2.0]]
    assert network.interfaces.upper_mw.tolist() == [30.0, 5.0]
    assert network.interfaces.lower_mw.tolist() == [-30.0, -np.inf]
    assert network.contingencies.ids == ("both",)
    assert network.contingencies.branches == ((0, 2),)


def test_a_network_without_lists_has_rows_of_none_and_the_text_of_before() -> None:
    network = Network.from_tables(ring())
    assert network.interfaces.weights.shape == (0, 3)
    assert network.contingencies.ids == ()
    text = canonical_json(ring())
    assert "interfaces" not in text
    assert "contingencies" not in text
    assert canonical_json(from_canonical_json(text)) == text


def test_a_contingency_of_branches_out_of_service_is_left_out_and_said() -> None:
    tables = ring(
        contingencies=[{"contingency": "c", "branches": "2-3"}, {"contingency": "d", "branches": "2-3 1-2"}],
        in_service=False,
    )
    network = Network.from_tables(tables)
    assert (network.contingencies.ids, network.contingencies.branches) == (("d",), ((0,),))
    assert found(tables)["contingency-void"][:3] == ("warning", 0, "branches")
    assert found(tables)["contingency-branch-off"][0] == "note"


# Checks


@pytest.mark.parametrize(
    ("code", "place", "said", "rows"),
    [
        ("dangling-branch", ("error", 1, "terms"), "'9-9'", [WEST, {"interface": "b", "terms": "9-9:1"}]),
        ("branch-list", ("error", 0, "terms"), "weight of '1-2'", [WEST | {"terms": "1-2:much"}]),
        ("branch-list", ("error", 0, "terms"), "at least one", [WEST | {"terms": ""}]),
        ("interface-limit", ("error", 0, "limit_mw"), "limit of 0 MW", [WEST | {"limit_mw": 0.0}]),
        ("interface-limit", ("error", 0, "limit_backward_mw"), "-5 MW", [WEST | {"limit_backward_mw": -5.0}]),
        ("interface-unlimited", ("warning", 0, "limit_mw"), "no limit", [WEST | {"limit_mw": np.inf}]),
        ("duplicate-interface", ("error", 1, "interface"), "row 1", [WEST, WEST]),
        ("missing-interface-id", ("error", 0, "interface"), "row 1", [WEST | {"interface": ""}]),
    ],
)
def test_each_fault_of_an_interface_is_named(code: str, place: Any, said: str, rows: Any) -> None:
    *where, message = found(ring(rows))[code]
    assert tuple(where) == place
    assert said in message
    if place[0] == "error":
        with pytest.raises(NetworkDataError):
            Network.from_tables(ring(rows))


def test_each_fault_of_a_contingency_is_named() -> None:
    rows = [BOTH, BOTH | {"contingency": "again"}, {"contingency": "x", "branches": "8-8"}, {"contingency": "both"}]
    problems = found(ring(contingencies=rows))
    assert problems["contingency-twice"][1:3] == (1, "branches")
    assert "contingency both" in problems["contingency-twice"][3]
    assert problems["dangling-branch"][1:3] == (2, "branches")
    assert problems["branch-list"][:3] == ("error", 3, "branches")
    assert problems["duplicate-contingency"][1] == 3


def test_sound_lists_have_no_problem() -> None:
    assert found(ring([WEST], [BOTH])) == {}


def test_an_interface_over_a_branch_out_of_service_is_said() -> None:
    assert "2-3" in found(ring([WEST], in_service=False))["interface-branch-off"][3]


# Edits


def test_lists_follow_a_branch_to_its_new_name() -> None:
    tables = ring([WEST], [BOTH])
    after = apply(tables, EditCells("branches", (("1-2", "branch", "one two"),)))
    assert after.interfaces["terms"].tolist() == ['"one two":1 2-3:-0.5']
    assert read_branches(after.contingencies["branches"][0]) == ("one two", ODD)
    back = apply(after, EditCells("branches", (("one two", "branch", "1-2"),)))
    assert Network.from_tables(back).interfaces.weights.toarray().tolist() == [[1.0, -0.5, 0.0]]


def test_a_deleted_branch_leaves_the_lists_and_takes_those_it_empties() -> None:
    alone = {"contingency": "alone", "branches": "1-2"}
    tables = ring([WEST], [BOTH, alone])
    event = Delete(branches=("1-2",))
    after = apply(tables, event)
    assert after.interfaces["terms"].tolist() == ["2-3:-0.5"]
    assert after.contingencies["contingency"].tolist() == ["both"]
    assert label(tables, event) == "delete branch 1-2 with 1 contingency; 1 interface and 1 contingency made shorter"
    assert not {"dangling-branch", "branch-list"} & set(found(after))


def test_a_deleted_bus_takes_its_branches_off_the_lists() -> None:
    after = apply(ring([WEST], [BOTH]), Delete(buses=("2",)))
    assert len(after.interfaces) == 0
    assert read_branches(after.contingencies["branches"][0]) == (ODD,)


def test_rows_of_lists_are_added_edited_and_deleted_like_others() -> None:
    tables = apply(ring(), AddRow("interfaces", (("terms", "1-2"), ("limit_mw", "12,5"))))
    assert tables.interfaces[["interface", "limit_mw"]].to_numpy().tolist() == [["interface-1", 12.5]]
    tables = apply(tables, EditCells("interfaces", (("interface-1", "limit_backward_mw", "unlimited"),)))
    assert tables.interfaces["limit_backward_mw"].tolist() == [np.inf]
    tables = apply(tables, EditCells("interfaces", (("interface-1", "limit_backward_mw", ""),)))
    assert np.isnan(tables.interfaces["limit_backward_mw"][0])
    tables = apply(tables, Delete(interfaces=("interface-1",)))
    assert tables.digest() == ring().digest()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (AddRow("interfaces", (("limit_mw", 5),)), "at least one branch"),
        (AddRow("interfaces", (("terms", "7-7:1"),)), "there is no branch '7-7'"),
        (AddRow("contingencies", (("branches", "1-2 1-2"),)), "twice"),
        (EditCells("interfaces", (("West", "terms", "1-2:a"),)), "weight of '1-2'"),
        (EditCells("contingencies", (("both", "branches", ""),)), "at least one branch"),
        (EditCells("interfaces", (("West", "limit_mw", "many"),)), "a number is needed"),
        (PasteRows("interfaces", "interface\tterms\nWest\t1-2"), "'West' is there already"),
    ],
)
def test_an_edit_that_would_break_a_list_is_refused(event: Any, words: str) -> None:
    with pytest.raises(NetworkDataError, match=words):
        apply(ring([WEST], [BOTH]), event)


def test_copied_rows_paste_into_an_equal_network() -> None:
    full = ring([WEST | {"limit_backward_mw": np.inf}], [BOTH])
    pasted = ring()
    for name in ("interfaces", "contingencies"):
        pasted = apply(pasted, PasteRows(name, copy(full, name)))
    assert pasted.digest() == full.digest()


# Files


@pytest.mark.parametrize("file_format", EXACT)
def test_lists_survive_the_formats_that_carry_them(file_format: Any) -> None:
    tables = ring([WEST, WEST | {"interface": "b", "limit_backward_mw": np.inf, "in_service": False}], [BOTH])
    assert read_network(*write_network(tables, file_format)).tables.digest() == tables.digest()


LONG = "Interface;Branch;Weight;Limit MW\nWest;1-2/1;1;30,5\nEast;1-2/2;;12\nWest;1-2/2;-0,5;\n"


def test_a_long_form_is_grouped_whatever_the_order_of_its_rows() -> None:
    files = {"interfaces": LONG, "outages": "contingency,branch\nboth,1-2/1\nboth,1-2/2\none,1-2/1\n"}
    branches = "branch,from,to,x,rate_a\n1-2/1,1,2,0.1,100\n1-2/2,1,2,0.2,80\n"
    tables = pair(BUSES, branches, **files).tables
    assert tables.interfaces["interface"].tolist() == ["West", "East"]
    assert [read_terms(cell) for cell in tables.interfaces["terms"]] == [
        (("1-2/1", 1), ("1-2/2", -0.5)),
        (("1-2/2", 1),),
    ]
    assert tables.interfaces["limit_mw"].tolist() == [30.5, 12]
    assert tables.contingencies["branches"].tolist() == ["1-2/1 1-2/2", "1-2/1"]


def test_a_long_form_is_pasted_too() -> None:
    after = apply(ring(), PasteRows("interfaces", "interface\tbranch\tweight\nW\t1-2\t1\nW\t2-3\t-0,5\n"))
    assert after.interfaces["terms"].tolist() == [WEST["terms"]]


def test_rows_of_a_csv_file_are_read_for_a_network_that_is_there() -> None:
    rows = read_rows("limits.csv", b"flowgate,terms,limit\nWest,1-2:1 2-3:-0.5,30\n", "interfaces")
    assert rows[["interface", "terms", "limit_mw"]].to_numpy().tolist() == [["West", "1-2:1 2-3:-0.5", 30.0]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"interface,branch,weight\nW,1-2,a\n", "lists.csv line 2: weight: a number is needed"),
        (b"interface,branch\nW,1-2\nW,1-2\n", "lists.csv line 3: branch '1-2' is in 'W' already"),
        (b"interface,branch,limit_mw\nW,1-2,5\nW,2-3,6\n", "lists.csv line 3: limit_mw of 'W' is '6' here and '5'"),
        (b"interface,branch\n,1-2\n", "line 2: the interface is empty"),
        (b"interface,limit_mw\nW,5\n", "no column terms"),
        (b"interface,terms\n", "no row below"),
        (b"interface,terms,limit_mw\nW,1-2,x\n", "line 2, limit_mw"),
    ],
)
def test_rows_that_cannot_be_read_are_named_with_their_line(content: bytes, words: str) -> None:
    with pytest.raises(FileFormatError) as refused:
        read_rows("lists.csv", content, "interfaces")
    assert words in "; ".join(problem.message for problem in refused.value.problems)


def test_a_file_of_branches_that_are_not_there_is_read_and_reported() -> None:
    imported = pair(BUSES, BRANCHES, contingencies="contingency,branches\nc,7-7\n")
    problem = next(problem for problem in imported.problems if problem.code == "dangling-branch")
    assert (problem.table, problem.row, problem.column) == ("contingencies", 0, "branches")
