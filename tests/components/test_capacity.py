"""The Capacity page's parts: words and links that come back as the same question, tables, layers, exports, states."""

import contextlib
import csv
import io
import json
import math
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import capacity_export as export
from components import capacity_layers as layers
from components import capacity_sites as sites
from components import capacity_tables as tables
from components import capacity_words as words
from components.capacity_answer import Answer, alone_mw, gain_words
from components.capacity_inspector import curve_figure
from components.capacity_question import plain_sentence, question
from components.capacity_results import strongest, totals_of
from components.capacity_states import over_limit_state
from components.capacity_view import View, question_query, read_question, read_view
from engine.capacity.allocation import allocate
from engine.capacity.alone import alone, risk_curve
from engine.capacity.defaults import paper_question, starting_question
from engine.capacity.jobs import make_states
from engine.capacity.margins import prepare
from engine.capacity.products import product_set
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.results import Limit, OverLimit
from engine.errors import QuestionError
from engine.network import library
from engine.network.model import Network

SMALL = ("fourbus", "ieee14", "ieee118")
FOUR = Network.from_tables(library.load("fourbus"))


def answer_to(asked: CapacityQuestion, network: Network = FOUR) -> Answer:
    """Return the whole answer, as the page draws it."""
    prepared = prepare(network, asked, make_states(asked.uncertainty, network))
    result = allocate(prepared, asked)
    products = product_set(prepared, asked, result) if result.status == "optimal" else None
    return Answer(network, asked, prepared, result, alone(prepared, asked), products)


@pytest.fixture(scope="module")
def answer() -> Answer:
    return answer_to(paper_question())


def text(part: Any) -> str:
    """Return the words that a reader sees."""
    if isinstance(part, list | tuple):
        return " ".join(text(child) for child in part)
    if isinstance(part, str | int | float):
        return str(part)
    return text(getattr(part, "children", None) or "")


VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "levels": {"epsilons": (0.01, 0.05, 0.1)},
    "odd level": {"epsilons": (0.033,)},
    "firm only": {"epsilons": ()},
    "shares": {"supply": "given", "supply_shares": (("1", 0.6), ("2", 0.4))},
    "choices": {
        "objective": "lex_max_min", "tie_rule": "least_squares", "downward_closed": False, "at_zero": "hold",
        "measure": "var", "cutoff": 0.05, "block_mw": 2.5, "round_mw": 0.01,
    },
    "demands": {"demand_mw": (60.0, 50.25)},
    "budget": {"firm_set": "budget", "budget": 2.5},
    "outages": {"security": "n-1", "outage_rating": "b", "period": "month"},
    "listed": {"security": "n-1", "outages": "listed", "recourse": "redispatch", "supply": "capacity"},
    "hours": {"firm_set": "sample", "uncertainty": UncertaintySpec("hourly", {"hours": 500, "wind_factor": 0.3}, 7)},
    "secure hours": {"firm_set": "sample", "uncertainty": UncertaintySpec("hourly", {"hours": 9, "security": "n-1"})},
    "correlated": {
        "uncertainty": UncertaintySpec(
            "distribution",
            {
                "buses": [
                    {"bus": "3", "low": 10.0, "high": 20.0, "mean": 15.0, "variance": 5.0},
                    {"bus": "4", "low": 10.0, "high": 30.0, "mean": 20.0, "variance": 5.0},
                ],
                "correlation": [[1.0, 0.5], [0.5, 1.0]],
            },
            3,
        )
    },
    "box": {"epsilons": (), "uncertainty": UncertaintySpec("box", {"spread": 0.25}, 1)},
    "file": {"firm_set": "sample", "uncertainty": UncertaintySpec("file", {"digest": 32 * "ab", "filename": "b.csv"})},
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_the_controls_ask_the_question_that_they_were_filled_from(name: str) -> None:
    asked = replace(paper_question(), **VARIANTS[name])
    assert words.question_of(words.words_of(asked), words.sites_data(asked), asked) == asked


@pytest.mark.parametrize("name", VARIANTS)
def test_a_link_asks_the_question_that_it_was_made_of(name: str) -> None:
    asked = replace(paper_question(), **VARIANTS[name])
    assert read_question(dict(parse_qsl(question_query(asked)))) == asked


@pytest.mark.parametrize("key", SMALL)
def test_a_fresh_page_asks_the_starting_question(key: str) -> None:
    asked = starting_question(Network.from_tables(library.load(key)))
    found = words.question_of(words.words_of(asked), words.sites_data(asked), asked)
    assert found.digest() == asked.digest()  # what was computed for it is found again


@given(
    st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(0.1, 1e5), min_size=5, max_size=5),
)
def test_any_bus_id_survives_a_link(ids: list[str], demand: list[float]) -> None:
    asked = CapacityQuestion(tuple(ids), tuple(float(f"{mw:.6g}") for mw in demand[: len(ids)]))
    found = read_question(dict(parse_qsl(question_query(asked), keep_blank_values=True)))
    assert found == asked


@given(
    st.dictionaries(
        st.sampled_from(words.NAMES), st.one_of(st.none(), st.text(max_size=8), st.floats(), st.lists(st.integers()))
    )
)
def test_whatever_the_controls_send_is_a_question_or_refused_in_words(held: dict[str, Any]) -> None:
    with contextlib.suppress(QuestionError):  # nothing else may be raised
        assert words.question_of(held, {"bus": ["3"], "mw": [5]}).candidates == ("3",)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"sites": "3", "mw": "x"}, "mw must be numbers"),
        ({"sites": "3", "seed": "-1"}, "seed"),
        ({"sites": "3", "with": "[1]"}, "must be names"),
        ({"sites": "[", "mw": "1"}, "cannot be read"),
        ({"sites": "3", "cutoff": "{"}, "cutoff"),
        ({"sites": "3,4", "mw": "1,2,3"}, "3 demands"),
        ({"sites": "3", "split": "best"}, "objective"),
    ],
)
def test_a_link_that_cannot_be_read_names_the_word(query: dict[str, str], said: str) -> None:
    with pytest.raises(QuestionError, match=said.replace("[", r"\[")):
        read_question(query)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"eps": "99"}, "at most 20 %"),
        ({"secure": "xyz"}, "security must be one of"),
        ({"with": "{bad"}, "cannot be read"),
        ({"period": "lunar"}, "period must be one of"),
        ({"cond": "xx"}, "cannot be read"),
        ({"rating": "z"}, "outage_rating must be one of"),
        ({"mw": "1,2,3"}, "3 demands"),
    ],
)
def test_a_wrong_word_of_a_link_without_sites_is_told_too(query: dict[str, str], said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        read_question(query, paper_question())
    with pytest.raises(QuestionError, match="not its sites"):
        read_question(query)


def test_a_link_without_sites_changes_the_words_that_it_has() -> None:
    before = paper_question()
    found = read_question({"eps": "10", "secure": "n-1", "study": "x", "layer": "sites"}, before)
    assert found == replace(before, epsilons=(0.1,), security="n-1")
    assert read_question({"study": "x", "layer": "sites"}, before) is None
    other = read_question({"states": "hourly", "with": '{"hours":5}', "firm": "sample", "mw": "7"}, before)
    assert other is not None
    assert (other.uncertainty.kind, other.demand_mw) == ("hourly", (7.0, 7.0))


def test_a_view_that_is_not_offered_takes_its_default() -> None:
    assert read_view({"layer": "<b>", "tab": "x", "least": "-3"}) == View()
    assert read_view({"layer": "binds", "tab": "limits", "sel": "bus:3", "kv": "230", "least": "40"}) == View(
        "binds", "limits", "bus:3", "230", "", 40.0
    )


def test_the_sentence_says_what_is_asked() -> None:
    asked = replace(paper_question(), demand_mw=(60.0, 60.0), epsilons=(0.01, 0.05))
    assert plain_sentence(asked) == (
        "How much can 2 sites take, 60 MW asked at each, kept in every state of the box, or interrupted in at most "
        "1 % or 5 %, with the extra power from the slack bus?"
    )
    bar = text(question(asked))
    for note in words.SET_NOTES.values():
        assert note in bar  # what the sample's hull is, and why a box is of no use on 2,000 buses


def test_what_changed_is_said_in_words() -> None:
    before = paper_question()
    after = replace(before, demand_mw=(60.0, 40.0), epsilons=(0.1,), supply="capacity")
    assert words.changed(before, after) == ["demand of 1 site", "the risk level", "who supplies"]
    moved = replace(before, candidates=("2", "4"))
    assert words.changed(before, moved) == ["2 sites added or removed"]
    assert words.changed(before, before) == []


# Tables, layers, exports


def test_rows_of_the_sites_add_up_and_name_their_limit(answer: Answer) -> None:
    for row in tables.site_rows(answer):
        assert row["firm"] + row["inc0"] == pytest.approx(row["total"])
        assert row["served"] == pytest.approx(row["total"] / row["asked"])
    # Bus 4 takes what its own limit leaves, bus 3 what is then left of the line, so more of the line is for bus 3.
    limits = {row["id"]: row["limit"] for row in tables.site_rows(answer)}
    assert limits == {"3": "line 1-2", "4": "withdrawal limit of bus 4"}
    assert [column.name for column in tables.sites_columns(FOUR, (0.05,))][:2] == ["id", "name"]  # no zone, no voltage
    assert sum(row["sites"] for row in tables.limit_rows(answer) if row["level"] == "firm") == 2


def test_a_bus_alone_gets_at_least_what_it_gets_with_the_others(answer: Answer) -> None:
    lone = {row["id"]: row["firm"] for row in tables.bus_rows(answer)}
    assert all(lone[row["id"]] >= row["firm"] - 1e-9 for row in tables.site_rows(answer))
    # By hand: bus 3 by its limit, 40 - 20, and by the line's room of 20; bus 4 by its limit, 40 - 30.
    assert (lone["3"], lone["4"]) == pytest.approx((20, 10))
    assert [row["id"] for row in tables.bus_rows(answer, [2])] == ["3"]


def test_layers_paint_what_the_tables_say(answer: Answer) -> None:
    data = layers.data(answer)
    assert list(data["layers"]) == ["firm", "flexible", "increment", "binds", "sites", "change", "redispatch"]
    assert data["candidates"] == [2, 3]
    assert data["bindingBranches"] == [0]
    assert data["bindingBuses"] == [3]
    assert data["layers"]["firm"]["busText"][2] == "20.0 MW firm alone"
    assert data["layers"]["binds"]["branches"][0] == 1  # it stops bus 3 alone: between one and nine buses
    assert data["layers"]["sites"]["busText"][2].startswith("10.0 MW firm, ")
    json.dumps(data, allow_nan=False)


def test_a_filter_keeps_the_buses_that_take_enough(answer: Answer) -> None:
    flexible = alone_mw(answer, 1)
    assert layers.filtered(answer, None, None, 12.0) == np.flatnonzero(flexible >= 12).tolist()
    assert layers.filtered(answer, None, None, None) is None
    assert layers.filtered(answer, None, "nowhere", None) == []


@pytest.mark.parametrize("what", tables.GRIDS)
@pytest.mark.parametrize("kind", ["csv", "geojson", "json"])
def test_every_export_says_where_its_numbers_are_from(answer: Answer, what: str, kind: str) -> None:
    made = export.download(answer, what, kind)
    assert made["filename"].endswith(f"-{answer.question.digest()[:8]}.{kind}")
    content = made["content"]
    about: Any
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content)))
        about = rows[0]
        assert len(rows) == len(export.export_rows(answer, what))
    else:
        about = json.loads(content)["about"]
    assert about["network_digest"] == FOUR.digest
    assert about["question_digest"] == answer.question.digest()
    assert about["data"]
    assert "ndicative" in about["use"]


def test_an_export_of_all_buses_holds_those_that_the_filter_shows(answer: Answer) -> None:
    rows = list(csv.DictReader(io.StringIO(export.download(answer, "buses", "csv", [1, 3])["content"])))
    assert [row["bus"] for row in rows] == ["2", "4"]
    assert len(export.export_rows(answer, "buses")) == 4


def test_a_place_is_a_point_and_a_branch_a_line_only_where_coordinates_are_known(answer: Answer) -> None:
    found = json.loads(export.download(answer, "limits", "geojson")["content"])["features"]
    assert {feature["geometry"] for feature in found} == {None}  # the 4-bus case has no coordinates
    placed = library.load("fourbus")
    buses = placed.buses.assign(longitude=[0.0, 1.0, 2.0, 2.0], latitude=[50.0, 50.0, 51.0, 49.0])
    other = answer_to(paper_question(), Network.from_tables(replace(placed, buses=buses)))
    shapes = {
        feature["geometry"]["type"]
        for feature in export.geojson(other, export.export_rows(other, "limits"))["features"]
    }
    assert shapes == {"LineString", "Point"}


def test_a_name_that_a_spreadsheet_would_compute_is_kept_as_text() -> None:
    tables_ = library.load("fourbus")
    named = tables_.buses.assign(name=["=1+1", "@x", "-3", "+4"])
    other = answer_to(paper_question(), Network.from_tables(replace(tables_, buses=named)))
    rows = list(csv.DictReader(io.StringIO(export.download(other, "sites", "csv")["content"])))
    assert [row["name"] for row in rows] == ["'-3", "'+4"]


def test_json_has_no_number_that_json_does_not_know() -> None:
    content = export.as_json({"a": math.nan, "b": [math.inf, -math.inf], "c": 1.5})
    assert json.loads(content) == {"a": None, "b": ["unlimited", "-unlimited"], "c": 1.5}


# Words of an answer


def test_the_totals_say_firm_flexible_and_what_binds_most(answer: Answer) -> None:
    said = text(totals_of(answer))
    assert "20.0" in said
    assert "of 110 MW asked; 0 sites served in full" in said
    binding = strongest(answer)
    assert binding is not None
    assert binding.limit.element == "1-2"
    assert gain_words(binding) == "the first MW more there gives 1.0 MW in total"
    assert gain_words(replace(binding, gain_mw_per_mw=0.0)) == "more room there changes who gets it, not the total"
    assert gain_words(replace(binding, gain_mw_per_mw=None)) == ""


def test_sites_that_get_all_they_ask_for_are_bound_by_nothing() -> None:
    satisfied = answer_to(replace(paper_question(), demand_mw=(1.0, 1.0)))
    assert "every site gets all it asks for" in text(totals_of(satisfied))
    assert [row["limit"] for row in tables.site_rows(satisfied)] == ["its own demand", "its own demand"]


def test_many_exceeded_limits_are_listed_worst_first_and_counted() -> None:
    rows = [
        OverLimit(Limit(i, "forward", f"{i}-x", f"line {i}-x", 100.0), 0.0, 100.0 + i, float(i), "", True, "")
        for i in range(1, 31)
    ]
    said = text(over_limit_state(rows))
    assert "30 limits exceeded" in said
    assert said.index("Line 30-x") < said.index("Line 29-x")
    assert "and 18 more" in said


def test_the_curve_begins_at_firm_and_marks_what_is_asked(answer: Answer) -> None:
    curve = risk_curve(answer.prepared, answer.question, "3")
    line, marks = curve_figure(answer, curve).data
    assert line.y[0] == pytest.approx(alone_mw(answer, 0)[2])
    assert list(marks.x) == [0, 5]
    assert marks.y[1] == pytest.approx(alone_mw(answer, 1)[2], rel=2e-3)  # between two points of the curve
    assert list(line.y) == sorted(line.y)


# Sites


def test_sites_are_spread_and_the_choice_is_always_the_same() -> None:
    texas = Network.from_tables(library.load("texas-2020"))
    chosen = sites.choose(texas, 230.0, None, 12)
    assert chosen == sites.choose(texas, 230.0, None, 12)
    assert len(set(chosen)) == 12
    position = {bus: i for i, bus in enumerate(texas.buses.ids)}
    assert all(texas.buses.base_kv[position[bus]] >= 230 for bus in chosen)
    # Spread: over more zones than the first twelve of the table.
    first = [texas.buses.ids[i] for i in sites.matching(texas, 230.0, None)[:12]]
    zones = [{texas.buses.zones[position[bus]] for bus in group} for group in (chosen, first)]
    assert len(zones[0]) > len(zones[1])


def test_a_table_of_sites_names_every_line_that_cannot_be_used() -> None:
    with pytest.raises(QuestionError, match=r"line 1: the network has no bus '9'; line 2: 'many'.*line 3: .*above 0"):
        sites.read_table("9 1\n3 many\n4 -2", FOUR, 10.0)
    assert sites.read_table("bus,mw\n3,60\n4", FOUR, 10.0) == (["3", "4"], [60.0, 10.0])
    assert sites.read_table(sites.table_text(["3", "4"], [60.0, 12.5]), FOUR, 1.0) == (["3", "4"], [60.0, 12.5])
