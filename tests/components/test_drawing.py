"""Drawn figures: what is in the file is what is in the rows, in the colours of the screen."""

import io
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from components import drawing, drawing_capacity, drawing_chart, drawing_network, drawing_sheet, theme
from components.capacity_answer import Answer, alone_mw
from components.capacity_tables import site_rows
from components.grid_map import Layer, layers_data
from engine.capacity.allocation import allocate
from engine.capacity.alone import alone, risk_curve
from engine.capacity.margins import prepare
from engine.capacity.products import INDICATIVE, product_set
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.uncertainty import States, box, distribution_sample
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.opf.jobs import answer as solve_opf
from engine.opf.question import OpfQuestion

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
PRESENT = UncertaintySpec("distribution", {"relative_sd": 0.05, "relative_range": 0.2, "scenarios": 100})


def answered(key: str, sites: tuple[str, ...], mw: float) -> Answer:
    network = Network.from_tables(library.load(key))
    question = CapacityQuestion(candidates=sites, demand_mw=(mw,) * len(sites), epsilons=(0.05,), uncertainty=PRESENT)
    states = States(sample=distribution_sample(PRESENT, network), box=box(PRESENT, network))
    prepared = prepare(network, question, states)
    result = allocate(prepared, question)
    products = product_set(prepared, question, result)
    return Answer(network, question, prepared, result, alone(prepared, question), products)


@pytest.fixture(scope="module")
def small() -> Answer:
    return answered("fourbus", ("3", "4"), 50.0)


@pytest.fixture(scope="module")
def texas() -> Answer:
    return answered("texas-2020", ("5120", "7001"), 500.0)


def svg_of(content: drawing.MapContent, words: drawing_sheet.Caption) -> ET.Element:
    return parsed(drawing_sheet.rendered(drawing.draw_map(content, words), "svg", words))


def parsed(text: bytes | str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 (it was drawn here)


def groups(root: ET.Element) -> dict[str, ET.Element]:
    return {str(part.get("id")): part for part in root.iter() if part.get("id")}


def words_in(root: ET.Element) -> list[str]:
    return ["".join(part.itertext()).strip() for part in root.iter(f"{SVG}text")]


def places(group: ET.Element) -> list[tuple[float, float]]:
    return [(float(one.get("x", 0)), float(one.get("y", 0))) for one in group.iter(f"{SVG}use")]


def colour_of(group: ET.Element) -> str:
    style = next(str(one.get("style")) for one in group.iter() if "fill: #" in str(one.get("style")))
    found = re.search(r"fill: (#[0-9a-f]{6})", style)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("layer", ["firm", "flexible", "increment", "sites"])
def test_each_class_of_the_rows_is_drawn_as_often_as_it_occurs_and_in_its_colour(texas: Answer, layer: str) -> None:
    content, words = drawing_capacity.capacity_map(texas, layer)
    drawn: Counter[int] = Counter()
    for name, group in groups(svg_of(content, words)).items():
        if name.startswith("buses-class-"):
            number = int(name.split("-")[2])
            assert len(places(group)) > 0
            drawn[number] += len(places(group))
            if number:
                assert colour_of(group) == drawing.class_colour(content.data["layers"][layer], number)
    assert drawn == Counter(content.data["layers"][layer]["buses"])


def test_a_bus_stands_where_its_coordinates_are(texas: Answer) -> None:
    # The law: on an axis of one scale the drawn x is a linear function of the longitude, y of the latitude.
    content, words = drawing_capacity.capacity_map(texas, "sites")
    buses = texas.network.tables.buses
    spots = {i: xy for name, group in groups(svg_of(content, words)).items() if "-site" in name
             for i, xy in zip(_members(content, name), places(group), strict=True)}  # fmt: skip
    (one, (x1, y1)), (two, (x2, y2)) = sorted(spots.items())
    frame = [content.points[i] for i in (one, two)]
    kilometres = (frame[1] - frame[0]) * [np.cos(np.deg2rad(31.2)), 1.0]
    assert (x2 - x1) / -(y2 - y1) == pytest.approx(kilometres[0] / kilometres[1], rel=0.02)
    assert buses["longitude"].iloc[one] == pytest.approx(frame[0][0], abs=0.02)  # fanned out by at most that


def _members(content: drawing.MapContent, name: str) -> list[int]:
    number = int(name.split("-")[2])
    return [i for i in sorted(content.data["candidates"]) if content.data["layers"]["sites"]["buses"][i] == number]


def test_the_labels_of_a_small_network_are_the_numbers_of_the_rows(small: Answer) -> None:
    content, words = drawing_capacity.capacity_map(small, "firm")
    told = words_in(svg_of(content, words))
    firm = alone_mw(small, 0)
    for i, bus in enumerate(small.network.buses.ids):
        assert any(text.startswith(f"{bus}: {firm[i]:.1f}"[:6]) for text in told), (bus, told)
    shares = words_in(svg_of(*drawing_capacity.capacity_map(small, "sites")))
    for row in site_rows(small):
        assert f"{row['id']}: {100 * row['served']:.0f} %" in shares


def test_title_legend_scale_date_digests_and_use_are_in_the_file(texas: Answer) -> None:
    content, words = drawing_capacity.capacity_map(texas, "firm")
    told = " ".join(words_in(svg_of(content, words)))
    known = texas.result.provenance
    layer = content.data["layers"]["firm"]
    for text in (
        *words.title.split(),
        "Firm, MW",
        *layer["labels"],
        "candidate",
        "binding branch",
        known.network_digest[:12],
        known.question_digest[:12],
        known.date[:10],
        "Indicative only: a linear (DC)",
        " km",
    ):
        assert text in told, text
    assert INDICATIVE.lower() in told.lower()


def test_a_scale_bar_is_as_long_as_it_says(texas: Answer) -> None:
    content, words = drawing_capacity.capacity_map(texas, "firm")
    figure = drawing.draw_map(content, words)
    axes = next(axes for axes in figure.axes if axes.get_gid() == "map")
    bar = next(line for line in axes.lines if line.get_gid() == "scale-bar")
    told = next(text.get_text() for text in axes.texts if text.get_gid() == "scale")
    x, _ = bar.get_data()
    latitude = np.deg2rad(np.mean(axes.get_ylim()))
    # One degree of longitude on the mean sphere, radius 6371.0 km: 111.19 km times the cosine of the latitude.
    assert (max(x) - min(x)) * 111.19 * np.cos(latitude) == pytest.approx(float(told.split()[0]), rel=0.005)


@pytest.mark.parametrize(("most", "nice"), [(1.0, 1), (1.9, 1), (2.0, 2), (4.99, 2), (73, 50), (180, 100), (0.3, 0.2)])
def test_a_scale_bar_has_a_round_length(most: float, nice: float) -> None:
    assert drawing.nice_length_km(most) == pytest.approx(nice)


def test_a_network_without_coordinates_says_so_and_has_no_scale(small: Answer) -> None:
    root = svg_of(*drawing_capacity.capacity_map(small, "firm"))
    assert "Not geographic: laid out for reading" in words_in(root)
    assert not {"scale-bar", "outline-states"} & groups(root).keys()


def test_equal_answers_give_equal_files(small: Answer) -> None:
    def file(kind: drawing_sheet.Format) -> bytes:
        content, words = drawing_capacity.capacity_map(small, "firm")
        return drawing_sheet.rendered(drawing.draw_map(content, words), kind, words)

    assert file("svg") == file("svg")
    assert file("png") == file("png")


def test_a_png_is_two_hundred_dots_an_inch_after_an_svg_too(small: Answer) -> None:
    content, words = drawing_capacity.capacity_map(small, "firm")
    figure = drawing.draw_map(content, words)
    drawing_sheet.rendered(figure, "svg", words)
    picture = Image.open(io.BytesIO(drawing_sheet.rendered(figure, "png", words)))
    assert picture.size == (2200, 1520)
    assert picture.text["Title"] == words.title  # type: ignore[attr-defined]


def test_the_curve_is_the_rows_of_the_curve(small: Answer) -> None:
    curve = risk_curve(small.prepared, small.question, "3")
    chart, words = drawing_capacity.curve_chart(small, curve)
    assert chart.line.y == pytest.approx(curve.capacity_mw.tolist())
    root = parsed(drawing_sheet.rendered(drawing_chart.draw_chart(chart, words), "svg", words))
    told = words_in(root)
    assert f"firm: {curve.capacity_mw[0]:.1f} MW" in told
    marked = curve.capacity_mw[np.searchsorted(curve.epsilons, 0.05)]
    assert f"at 5 %: {marked:.1f} MW" in told


def test_a_dispatch_is_drawn_with_its_prices_and_flows() -> None:
    network = Network.from_tables(library.load("fourbus"))
    answer = solve_opf(network, OpfQuestion(), factors=Factors.of(network))
    assert answer.dispatch is not None
    flows = words_in(svg_of(*drawing_network.dispatch_map(network, answer, "f" * 64, "loading")))
    for i, key in enumerate(network.branches.ids):
        assert any(text.startswith(f"{key}: {abs(answer.dispatch.flow_mw[i]):.1f}"[:8]) for text in flows), key
    prices = words_in(svg_of(*drawing_network.dispatch_map(network, answer, "f" * 64, "lmp", stale="the load changed")))
    for i, bus in enumerate(network.buses.ids):
        assert f"{bus}: {answer.dispatch.lmp_per_mwh[i]:.2f}" in prices
    assert "Stale: the load changed" in prices


def test_half_drawn_networks_are_drawn_too() -> None:
    tables = library.load("fourbus")
    content, words = drawing_network.network_map(tables, tables.digest(), "2026-01-01 10:00 UTC")
    assert {"1", "2", "3", "4"} <= set(words_in(svg_of(content, words)))


def test_the_colours_are_those_that_the_screen_paints() -> None:
    script = (ROOT / "assets" / "20_map.js").read_text(encoding="utf-8")

    def of(name: str) -> tuple[str, ...]:
        block = script[script.index(f"const {name} = {{") :]
        found = re.search(r"light: \[([^\]]*)\]", block)
        assert found is not None
        return tuple(re.findall(r"#[0-9a-f]{6}", found.group(1)))

    assert of("CIVIDIS") == theme.MAP_MAGNITUDE
    assert of("DIFFERENCE") == theme.DIFFERENCE


@pytest.mark.parametrize("total", range(1, 8))
def test_a_ramp_uses_its_whole_range(total: int) -> None:
    # What 20_map.js does, by hand: Math.round((n - 1) * 6 / (total - 1)), halves upward.
    layer: dict[str, Any] = layers_data([Layer("x", "X", palette="difference", labels=("a",) * total)])["layers"]["x"]
    by_hand = (
        [3] if total == 1 else [int((2 * (n - 1) * 6 + (total - 1)) // (2 * (total - 1))) for n in range(1, total + 1)]
    )
    assert [drawing.class_colour(layer, n) for n in range(1, total + 1)] == [theme.DIFFERENCE[i] for i in by_hand]
    assert drawing.class_colour(layer, 0) is None


@pytest.mark.parametrize("weight", [400, 600])
def test_the_figures_type_is_the_pages_type(weight: int) -> None:
    page, figure = (
        TTFont(ROOT / "assets" / "fonts" / f"ibm-plex-sans-latin-{weight}-normal.{kind}") for kind in ("woff2", "ttf")
    )
    assert page.getBestCmap() == figure.getBestCmap()
    assert page["hmtx"].metrics == figure["hmtx"].metrics


def test_a_figure_in_a_page_has_a_name_and_no_id_that_nothing_points_at(small: Answer) -> None:
    content, words = drawing_capacity.capacity_map(small, "firm")
    part = drawing_sheet.inline(
        drawing_sheet.rendered(drawing.draw_map(content, words), "svg", words), 'Map of "A & B"'
    )
    root = parsed(part)
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'Map of "A & B"'
    pointed = set(re.findall(r"#([A-Za-z0-9_]+)", part))
    assert {name for name in groups(root) if name not in pointed} == set()
    assert root.get("width") is None
