"""The skeleton, tables, cards, glossary, icons and Home as pure functions."""

import re
from typing import Any

import numpy as np
import pytest
from dash import html
from dash.development.base_component import Component

from components import help as words
from components import (
    help_auction,
    help_feeder,
    help_hubs,
    help_resilience,
    help_siting,
    home,
    icons,
    ids,
    shell,
    skeleton,
    tables,
    why_card,
)
from components.links import PageLink
from engine.network.tables import COLUMNS


def every(component: Any) -> list[Component]:
    """Return ``component`` and all below it."""
    if not isinstance(component, Component):
        return []
    return [component, *component._traverse()]


def found_ids(component: Any) -> list[Any]:
    return [one.id for one in every(component) if getattr(one, "id", None) is not None]


def text_of(component: Any) -> str:
    if component is None or isinstance(component, bool):
        return ""
    if isinstance(component, list | tuple):
        return "".join(text_of(child) for child in component)
    return text_of(component.children) if isinstance(component, Component) and hasattr(component, "children") else (
        "" if isinstance(component, Component) else str(component)
    )  # fmt: skip


def test_a_selection_names_kind_and_id_and_anything_else_is_nothing() -> None:
    assert skeleton.parse_element(skeleton.element("bus", "5120")) == ("bus", "5120")
    assert skeleton.parse_element("branch:1:2") == ("branch", "1:2")
    for forged in (None, "", "bus:", "5120", "study:1", 7, {"bus": 1}, ["bus:1"]):
        assert skeleton.parse_element(forged) is None


def test_a_workbench_has_one_of_each_id_and_its_three_panes() -> None:
    bench = skeleton.workbench("x", html.P("map"), html.P("why"), html.P("table"), totals=skeleton.totals([]))
    known = found_ids(bench)
    assert len(known) == len(set(known))
    assert {ids.selection("x"), ids.inspector("x"), ids.drawer("x"), ids.totals("x")} <= set(known)
    panes = [one for one in every(bench) if getattr(one, "data-pane-body", None)]
    assert [getattr(pane, "data-pane-body") for pane in panes] == ["map", "why", "table"]


@pytest.mark.parametrize("kind", list(skeleton.STATE_WORDS))
def test_each_state_is_said_in_words_and_to_a_screen_reader(kind: skeleton.State) -> None:
    box = skeleton.state(kind, "because", details=("line 7-8",))
    assert box.role in ("status", "alert")
    assert skeleton.STATE_WORDS[kind] in text_of(box)
    assert "line 7-8" in text_of(box)


def test_progress_tells_how_far_and_how_much_longer() -> None:
    card = skeleton.progress_card("Scenario flows", done=640, total=1000, eta_s=12, job="j1")
    assert "640 of 1\u2009000" in text_of(card)
    assert "about 12 s left" in text_of(card)
    bar = next(one for one in every(card) if getattr(one, "role", "") == "progressbar")
    assert getattr(bar, "aria-valuenow") == "64"
    assert ids.job_cancel("j1") in found_ids(card)
    assert "starting" in text_of(skeleton.progress_card("Scenario flows"))


def test_a_formula_is_written_with_lower_raised_and_italic_parts() -> None:
    parts = why_card.notation("*c*_n <= x^{ε} - S_{l,n}")
    kinds = [type(part).__name__ if isinstance(part, Component) else part for part in parts]
    assert kinds == ["Var", "Sub", " <= x", "Sup", " - S", "Sub"]
    assert text_of(parts) == "cn <= xε - Sl,n"


def test_a_why_card_says_formula_values_limits_inputs_and_source() -> None:
    card = why_card.why_card(
        "Firm", formula="c <= F", values=(("F", "400 MW"),), binds=("line 7-8",), source="a book",
        inputs=(why_card.WhyInput("Network", "0123456789abcdef", "2026-01-05"),),
    )  # fmt: skip
    assert all(part in text_of(card) for part in ("c <= F", "400 MW", "line 7-8", "01234567", "2026-01-05", "a book"))
    assert "89abcdef" not in text_of(card)


def test_every_word_of_a_page_has_a_meaning_and_no_word_is_defined_twice() -> None:
    assert {key for page in words.PAGE_WORDS.values() for key in page} == set(words.GLOSSARY)
    modules = (help_auction, help_siting, help_feeder, help_hubs, help_resilience)
    entries = (*words._ENTRIES, *(entry for module in modules for entry in module.ENTRIES))
    assert len({word.title for word in words.GLOSSARY.values()}) == len(words.GLOSSARY) == len(entries)
    assert all(re.search(r"\.$", word.meaning) and "!" not in word.meaning for word in words.GLOSSARY.values())
    assert "Locational marginal price" in text_of(words.help_body("network"))
    capacity = text_of(words.help_body("capacity"))
    for word in ("Firm capacity", "Flexible capacity", "CVaR", "Margin", "Headroom", "Increment", "Product", "Binds",
                 "downward closed"):  # fmt: skip
        assert word in capacity


def test_icons_are_masks_that_need_no_other_file() -> None:
    for name in icons.NAMES:
        assert icons.data_uri(name).startswith("data:image/svg+xml,")
    assert getattr(icons.icon("home"), "aria-hidden") == "true"


def test_network_columns_are_those_of_the_engine_with_units_in_the_head() -> None:
    columns = tables.network_columns("branches")
    assert [column.name for column in columns] == [column.name for column in COLUMNS["branches"]]
    rating = tables.column_definition(next(column for column in columns if column.name == "rating_a_mw"))
    assert rating["headerName"] == "Rating A, MW"
    assert rating["type"] == "rightAligned"
    assert rating["valueFormatter"] == {"function": "hrNumber(params.value, null)"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_quoted(cell: str) -> None:
    assert tables.safe_cell(cell) == f"'{cell}"
    assert tables.safe_cell(-1.5) == -1.5
    assert tables.safe_cell("HARTLEY 3") == "HARTLEY 3"


def test_the_rail_links_the_pages_that_exist_and_no_other() -> None:
    frame = shell.layout([PageLink("home", "/", "Home", "home")])
    assert [one.href for one in every(frame) if getattr(one, "className", "") == "hr-rail-link"] == ["/"]
    known = found_ids(frame)
    assert len([str(one) for one in known]) == len({str(one) for one in known})


def test_a_thumbnail_fits_its_frame_and_draws_each_line_once() -> None:
    points = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 50.0]])
    svg = home.thumbnail(points, np.array([[0, 1], [0, 1], [1, 2]])).decode()
    numbers = [int(one) for one in re.findall(r"(?:cx|cy)=\"(\d+)\"", svg)]
    assert len(numbers) == 6
    assert max(numbers) <= 2 * max(home.THUMBNAIL)
    assert svg.count("M") == 2
    assert home.thumbnail(np.zeros((0, 2)), np.zeros((0, 2), dtype=int)).endswith(b"</svg>")


def test_home_shows_what_to_do_when_there_is_no_study() -> None:
    page = home.layout([], [home.Example("ieee14", "IEEE 14", "Part of the Midwest", 14)])
    assert "No studies yet" in text_of(page)
    opens = [one for one in found_ids(page) if isinstance(one, dict)]
    assert [one["example"] for one in opens] == [
        "texas-2020:capacity",
        "texas-2020:siting",
        "rts-gmlc:capacity",
        "ieee14",
    ]
