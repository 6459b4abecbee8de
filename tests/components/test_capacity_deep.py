"""Outages, redispatch and periods as the page draws them: side by side, as steps, as changes on the map.

The results drawn here are records made from one real answer: what is tested is that the page shows what they hold.
"""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components import capacity_deep as deep
from components import capacity_layers as layers
from components import capacity_periods as periods
from components import capacity_tables as tables
from components.capacity_answer import Answer, limit_element, short_limit
from components.capacity_inspector import bus, overview
from components.capacity_results import (
    binding_card,
    firm_formula,
    flexible_formula,
    notices,
    short_of_units_mw,
    strongest,
    totals_of,
)
from components.capacity_states import full_state, held_state, nothing_left
from components.capacity_stops import stop_card, stop_words
from components.format import megawatts
from engine.capacity.defaults import paper_question
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.results import CapacityResult, Limit, OverLimit
from engine.capacity.spare import Spare
from tests.components.test_capacity import answer_to, text

SEASONS = {"Dec-Feb": 0.9, "Mar-May": 0.7, "Jun-Aug": 0.5, "Sep-Nov": 0.8}  # share of the plain answer
ASKED = replace(paper_question(), security="n-1", period="season")


def shrunk(result: CapacityResult, share: float, outage: str = "") -> CapacityResult:
    """Return a result with every MW times ``share``, its branches' limits counted after an outage."""

    def limit(given: Limit) -> Limit:
        return replace(given, outage=outage) if given.kind in {"forward", "backward"} else given

    levels = tuple(
        replace(
            level,
            capacity_mw=tuple(share * mw for mw in level.capacity_mw),
            increment_mw=tuple(share * mw for mw in level.increment_mw),
            total_mw=share * level.total_mw,
            binding=tuple(replace(binding, limit=limit(binding.limit)) for binding in level.binding),
        )
        for level in result.levels
    )
    return replace(result, levels=levels)


@pytest.fixture(scope="module")
def bare() -> Answer:
    return answer_to(paper_question())


@pytest.fixture(scope="module")
def answer(bare: Answer) -> Answer:
    """The paper's case, as if each outage and season took some of it: 20 MW firm become 10 over the year."""
    found = tuple((name, shrunk(bare.result, share, "2-3")) for name, share in SEASONS.items())
    return replace(bare, question=ASKED, result=dict(found)["Jun-Aug"], base=bare.result, periods=found, products=None)


def fields_of(part: Any, name: str) -> list[Any]:
    """Return every value of a property in a layout."""
    if isinstance(part, list | tuple):
        return [value for child in part for value in fields_of(child, name)]
    own = getattr(part, "to_plotly_json", dict)().get("props", {}) if not isinstance(part, str) else {}
    found = [own[name]] if name in own else []
    return found + (fields_of(own["children"], name) if own.get("children") is not None else [])


def test_a_plain_question_asks_for_no_outage_no_redispatch_and_the_whole_year() -> None:
    asked = replace(ASKED, outages="listed", outage_rating="a", recourse="redispatch")
    assert deep.plain(asked) == paper_question()
    assert deep.left_out(asked) == "outages, redispatch and periods"
    assert deep.asked_for(asked) == "secure for every listed outage, with redispatch, for each season"
    secure = [deep.variant_of(asked, *variant) for variant in deep.VARIANTS]
    assert [(one.security, one.recourse, one.period) for one in secure] == [(*v, "season") for v in deep.VARIANTS]
    assert [one.outages for one in secure] == ["all", "all", "listed", "listed"]
    assert [deep.read_variant(deep.variant_key(variant)) for variant in deep.VARIANTS] == list(deep.VARIANTS)
    assert deep.read_variant("n-2:none") is None


def test_four_answers_stand_side_by_side_and_the_missing_can_be_computed(answer: Answer) -> None:
    cells = {
        ("base", "none"): deep.Cell(answer.base),
        ("n-1", "none"): deep.Cell(answer.result),
        ("n-1", "redispatch"): deep.Cell(None, 0.4),
    }
    shown = deep.compared(answer, cells)
    assert "20.0" in text(shown)
    assert "10.0" in text(shown)
    assert "computing, 40 %" in text(shown)
    assert fields_of(shown, "data-capacity-variant") == ["base:redispatch"]
    asked = [json.loads(words) for words in fields_of(shown, "data-capacity-words")]
    assert asked == [{"security": "base", "supply": "slack"}]  # the one that is drawn has no button
    here = deep.compared(answer, cells, "4")
    assert "5.0" in text(here)  # half of 10 MW at bus 4


def test_the_year_is_a_row_of_steps_and_its_least_decides(answer: Answer) -> None:
    assert [option["label"] for option in periods.options(answer)] == ["Year round", *SEASONS]
    row = tables.site_rows(answer)[0]
    assert [row[f"period{k}"] for k in range(4)] == pytest.approx([10 * share for share in SEASONS.values()])
    assert row["decides"] == "Jun-Aug"
    assert row["firm"] == min(row[f"period{k}"] for k in range(4))
    columns = [column.name for column in tables.sites_columns(answer.network, (0.05,), answer)]
    assert columns[columns.index("period0") :][:6] == [*(f"period{k}" for k in range(4)), "decides", "change"]
    drawn = answer.at_period("Dec-Feb")
    assert tables.site_rows(drawn)[0]["firm"] == pytest.approx(9)
    assert drawn.at_period("").result is answer.result
    assert drawn.at_period("never").period == ""
    assert "Firm, Dec-Feb" in text(totals_of(drawn))


def test_the_chart_of_the_year_its_table_and_its_csv_hold_the_same_numbers(answer: Answer) -> None:
    figure = periods.year_figure(answer, 0)
    firm = [10 * share for share in SEASONS.values()]
    assert list(figure.data[0].y) == pytest.approx(firm)
    total = answer.base.levels[-1].capacity_mw[0] if answer.base else 0.0
    both = [a + b for a, b in zip(figure.data[0].y, figure.data[1].y, strict=True)]
    assert both == pytest.approx([total * share for share in SEASONS.values()])
    assert figure.layout.shapes[0].y0 == pytest.approx(5)
    shown = text(periods.year_section(answer, 0, "light"))
    assert "decided by Jun-Aug" in shown
    assert "9.0" in shown
    rows = list(csv.DictReader(io.StringIO(periods.as_csv(periods.csv_rows(answer)))))
    assert [float(row["firm_mw"]) for row in rows[:4]] == pytest.approx(firm)
    assert [row["period"] for row in rows[:5]] == [*SEASONS, "Year round"]
    assert "after 2-3" in rows[0]["limited_by"]
    assert periods.year_section(replace(answer, periods=()), 0, "light") is None


def test_what_changes_is_painted_about_zero(answer: Answer, bare: Answer) -> None:
    painted = {layer.key: layer for layer in layers.layers(answer)}["change"]
    before, after = bare.result.levels[-1].capacity_mw, answer.result.levels[-1].capacity_mw
    lost = [now - first for first, now in zip(before, after, strict=True)]
    assert deep.change_mw(answer) == pytest.approx(lost)
    assert painted.palette == "difference"
    assert painted.bus_class is not None
    assert [painted.bus_class[i] for i in (0, 1)] == [0, 0]  # no site, no value
    assert set(np.array(painted.bus_class)[[2, 3]]) <= {1, 2}  # less
    assert len(painted.labels) == 5
    breaks = layers.even_breaks(np.array([3.0, 40.0, np.nan]))
    assert breaks == [-mark for mark in reversed(breaks)]
    assert {layer.key: layer for layer in layers.layers(bare)}["change"].bus_class is None


def test_the_worst_outage_is_named_wherever_a_limit_is(answer: Answer) -> None:
    binding = strongest(answer)
    assert binding is not None
    assert short_limit(binding.limit) == "line 1-2 after 2-3"
    assert "after the outage of 2-3" in stop_words(answer, "3")
    assert "after the outage of 2-3" in text(totals_of(answer))
    assert tables.limit_rows(answer)[0]["outage"] == "2-3"
    card = text(stop_card(answer, "3", 0))
    assert "worst outage 2-3" in card
    assert "without outages, redispatch and periods 10.0 MW" in card
    said = text(bus(answer, 2, None, stop_words(answer, "3"), theme="light", cells={}))
    assert "Alone, no outage" in said
    assert "Side by side" in said
    assert "Secure for every single outage" in text(overview(answer, {}, "light"))


@pytest.mark.parametrize(
    ("kind", "element", "words", "selects", "short"),
    [
        ("interface_forward", "north", "interface north", "", "interface north"),
        ("backward", "2-4", "line 2-4, from bus 4 to bus 2", "branch:2-4", "line 2-4"),
        ("withdrawal", "4", "the withdrawal limit of bus 4", "bus:4", "withdrawal limit of bus 4"),
        # A cut of redispatch stands for the limit that weighs most in it.
        ("cut", "2-4", "line 2-4, from bus 2 to bus 4", "branch:2-4", "line 2-4"),
        ("cut", "4", "the withdrawal limit of bus 4", "bus:4", "withdrawal limit of bus 4"),
        ("cut", "", "all units at their largest outputs", "", "all units at their largest outputs"),
        ("condition", "coast", "condition coast: at most 5 MW", "", "condition coast: at most 5 MW"),
    ],
)
def test_a_limit_of_any_kind_has_few_words_and_selects_what_is_on_the_map(
    kind: Any, element: str, words: str, selects: str, short: str
) -> None:
    limit = Limit(9, kind, element, words, 10.0)
    assert (limit_element(limit), short_limit(limit)) == (selects, short)


def test_generation_that_binds_is_named_and_has_a_card(answer: Answer) -> None:
    limit = Limit(0, "cut", "", "all units at their largest outputs", 3405.0)
    first = replace(answer.result.levels[0].binding[0], limit=limit, gain_mw_per_mw=1.0)
    level = replace(answer.result.levels[0], binding=(first,), limited_by=(0, 0))
    drawn = replace(answer, result=replace(answer.result, levels=(level, *answer.result.levels[1:])))
    shown = text(totals_of(drawn))
    assert "generation" in shown
    assert "all units at their largest outputs; the first MW more there gives 1.0 MW" in shown
    assert "cut" not in shown
    assert "All units at their largest outputs" in text(binding_card(drawn, first, None))


def test_the_formula_is_of_what_is_asked() -> None:
    formulas = [firm_formula(replace(CapacityQuestion(), security=s, recourse=r)) for s, r in deep.VARIANTS]
    assert len(set(formulas)) == 4
    tails = [flexible_formula(replace(CapacityQuestion(), security=s, recourse=r)) for s, r in deep.VARIANTS]
    assert ["CVaR_{ε}(*L*" in tail for tail in tails] == [False, True, False, True]  # one joint row with redispatch
    assert "outage" in tails[2]
    assert all("outage" in formula for formula in formulas[2:])


def test_an_answer_that_leaves_nothing_says_why_and_what_to_press(answer: Answer) -> None:
    over = OverLimit(Limit(0, "forward", "1-2", "line 1-2", 100.0, "2-3"), 0.0, 107.0, 7.0, "", True, "")
    hours = UncertaintySpec("hourly", {"hours": 20}, 1)
    asked = replace(ASKED, at_zero="hold", cutoff=0.05, uncertainty=hours)
    nothing = replace(answer, question=asked, result=replace(shrunk(answer.result, 0.0), over_limit=(over,)))
    shown = held_state(nothing)
    assert "Hardly anything can be added: 1 limit exceeded already" in text(shown)
    assert "over by 7.0 MW" in text(shown)
    presses = ["dispatch=n-1", "cutoff=10", "cutoff=20"]  # what is dropped already is not offered again
    assert fields_of(shown, "data-capacity-set") == presses
    some = replace(nothing, result=replace(answer.result, over_limit=(over,)))
    assert fields_of(held_state(some), "data-capacity-set") == []
    told = "1,427 limits are exceeded after outages before any addition; the 30 worst are listed"
    many = replace(nothing.result, notices=(told,))
    said = told.replace("are listed", "stand in the table What binds")
    assert f"Hardly anything can be added: {said}" in text(held_state(replace(nothing, result=many)))
    assert nothing_left(nothing)
    assert not nothing_left(answer)
    assert fields_of(full_state(nothing), "data-capacity-set") == presses
    secure = replace(asked, uncertainty=replace(hours, parameters={"hours": 20, "security": "n-1"}))
    assert fields_of(held_state(replace(nothing, question=secure)), "data-capacity-set") == presses[1:]
    assert "why?" in text(deep.compared(nothing, {("n-1", "none"): deep.Cell(nothing.result)}))


def test_a_total_above_what_units_have_left_is_told_for_fixed_shares_only(answer: Answer) -> None:
    total = answer.result.levels[-1].total_mw
    scarce = replace(answer, prepared=replace(answer.prepared, spare=Spare(total - 1.0, "2016-08-11 16:00")))
    assert short_of_units_mw(scarce, total) == pytest.approx(1.0)
    assert f"{megawatts(total)} are 1.0 MW more than units have left in 2016-08-11 16:00" in notices(scarce)[0]
    enough = replace(answer, prepared=replace(answer.prepared, spare=Spare(total + 1.0, "2016-08-11 16:00")))
    assert short_of_units_mw(enough, total) == 0
    moving = replace(scarce, question=replace(scarce.question, recourse="redispatch"))
    assert short_of_units_mw(moving, total) == 0  # there the largest outputs are limits themselves
