"""Every computed number of the Feeder page opens a card, and what a card says adds up to its number."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest

from components import feeder_schedules, feeder_sheet, feeder_totals
from components.feeder_cards import card
from components.feeder_edits import words_of
from components.feeder_layers import At
from engine.distribution.frames import Frame
from engine.distribution.question import Edit
from tests.callbacks.screen import text
from tests.components.feeder_runs import with_case, worked
from tests.components.test_feeder_panels import page_of

# What is no computed number of the inspector: given data of the feeder, of the day and of the question.
GIVEN = ("Price at the substation, as asked", "Bank", "Impedance", "Own impedance, mean", "Ratios",
         "Rating of each phase",
         "Most it can draw", "Without work", "PUE", "Power factor", "Capacitors", "Battery")  # fmt: skip
NUMBER = r"\d[\d ]*(?:\.\d+)? (?:kW|kvar|\$|\$/MWh|MWh|A|p\.u\.|%)"


def figures(said: str) -> list[float]:
    """Return the numbers of a text, as they are written on the page."""
    plain = said.replace("\u2009", "").replace("\u202f", "").replace("\u2212", "-")
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", plain)]


def told(said: str, name: str, unit: str) -> float:
    """Return the value that a card has beside a name."""
    plain = said.replace("\u2009", "").replace("\u202f", "").replace("\u2212", "-").replace("\u00a0", " ")
    found = re.search(re.escape(name) + r"\D*?(-?\d+(?:\.\d+)?) ?" + re.escape(unit), plain)
    assert found, (name, plain)
    return float(found[1])


@pytest.mark.parametrize("selection", ["", "bus:740", "bus:741", "link:703-730", "centre:centre 740"])
@pytest.mark.parametrize("case", ["off", "both"])
def test_every_computed_number_of_the_inspector_opens_a_card(selection: str, case: Any) -> None:
    html = page_of(feeder_sheet.sheet(worked(), At(case, 15, "voltage", selection)))
    html = re.sub(r'<span class="hr-popover-anchor".*?</button>', "", html, flags=re.DOTALL)
    html = re.sub(r'<span[^>]*role="dialog".*?</div></span>', "", html, flags=re.DOTALL)
    rows = re.findall(r'<div class="hr-fact"><dt>(.*?)</dt><dd>(.*?)</dd>', html, flags=re.DOTALL)
    plain = [(re.sub(r"<[^>]*>", " ", name), re.sub(r"<[^>]*>", " ", value)) for name, value in rows]
    bare = [row for row in plain if re.search(NUMBER, row[1].replace("\u2009", " ")) and not row[0].startswith(GIVEN)]
    assert bare == []


def test_every_key_number_opens_a_card() -> None:
    run = worked()
    for case in run.cases:
        at = At("on" if case.svg else "off", 15)
        for one in feeder_totals.measures(run, case):
            said = text(card(run, at, one.what))
            if one.what != "error":  # written with its power of ten there
                assert abs(figures(one.text)[0] - one.value) <= 0.5 * 10**-one.digits + 1e-9
                assert any(abs(value - one.value) <= 0.006 * max(1.0, abs(one.value)) for value in figures(said)), one
    html = page_of(feeder_totals.totals_of(run, At("off", 15)))
    large = feeder_totals.large(run, run.cases[0])
    assert html.count("hr-why-number") == 2 * len(large)  # the drawn case's, and beside it the other's
    for one in feeder_totals.large(run, run.cases[1]):
        found = re.search(rf'id="feeder-why-{one.what}-other-panel">(.*?)</div></span>', html, flags=re.DOTALL)
        assert found, one.what
        said = re.sub(r"<[^>]*>", "", found[1])
        assert "with SVG" in said or ":00" in said
        assert "without SVG" not in said.partition("From")[0]


@pytest.mark.parametrize("place", [0, 1])
def test_what_the_substation_feeds_in_is_what_is_drawn_and_lost(place: int) -> None:
    run, hour = worked(), 15
    case = run.cases[place]
    said = text(card(run, At("on" if case.svg else "off", hour), "supply"))
    loads = sum(row.kw * run.load_share[hour, at] for at, row in enumerate(run.feeder.loads))  # of constant power
    assert told(said, "loads", "kW") == pytest.approx(loads, abs=0.06)
    assert told(said, "data centres", "kW") == pytest.approx(case.draw_kw[hour].sum(), abs=0.06)
    fed = 1000.0 * float(case.supply_mva[hour].real)
    drawn = told(said, "loads", "kW") + told(said, "data centres", "kW") + told(said, "losses, linear", "kW")
    assert drawn - told(said, "generators give", "kW") == pytest.approx(fed, abs=0.3)


@pytest.mark.parametrize("place", [0, 1])
def test_the_cost_of_an_hour_is_its_energy_its_generators_and_its_reactive_power(place: int) -> None:
    run, hour = worked(), 15
    case, feeder = run.cases[place], run.feeder
    said = text(card(run, At("on" if case.svg else "off", hour), "spent"))
    slope = run.question.reactive_slope_per_mvar2h
    svg = float((case.svg_kvar[hour] ** 2).sum()) / 1e6
    reactive = 0.5 * slope * (svg + float((case.generator_mva[hour].imag ** 2).sum()))
    assert told(said, "reactive power", "$") == pytest.approx(reactive, abs=0.0051)
    fuel = sum(
        row.cost_per_mwh * p + 0.5 * row.slope_per_mw2h * p**2
        for row, p in zip(feeder.generators, case.generator_mva[hour].real.tolist(), strict=True)
    )
    assert told(said, "generators", "$") == pytest.approx(fuel, abs=0.0051)


def test_the_price_of_a_data_centre_is_the_mean_of_its_nodes_and_its_bill_that_price_times_its_draw() -> None:
    run, hour = worked(), 15
    for case in run.cases:
        at = At("on" if case.svg else "off", hour)
        for place, row in enumerate(run.feeder.centres):
            nodes = Frame.of(run.feeder).at(row.bus, row.phases)
            price = case.active_price[hour, nodes].mean() + row.kvar_per_kw * case.reactive_price[hour, nodes].mean()
            assert figures(text(card(run, at, f"rate:{row.name}")).partition(":")[2])[0] == pytest.approx(
                price, abs=0.0051
            )
            assert case.centre_price[hour, place] == pytest.approx(price)
            owed = 1e-3 * float(case.centre_price[:, place] @ case.draw_kw[:, place])
            assert figures(text(card(run, at, f"owed:{row.name}")).partition(":")[2])[0] == pytest.approx(
                owed, abs=0.0051
            )
            used = text(card(run, at, f"used:{row.name}")).partition(":")[2]
            assert figures(used)[0] == pytest.approx(case.draw_kw[:, place].sum() / 1000.0, abs=0.0051)
            mean = text(card(run, at, f"mean:{row.name}")).partition(":")[2]
            assert figures(mean)[0] == pytest.approx(1000.0 * owed / case.draw_kw[:, place].sum(), abs=0.0051)


def test_the_deviation_is_what_voltages_are_off_by_more_than_a_twentieth() -> None:
    run = worked()
    for case in run.cases:
        off = 0.0
        for hour in range(len(run.labels)):
            for place, (bus, _) in enumerate(run.nodes):
                if bus != run.feeder.source_bus:
                    off += max(0.0, abs(abs(complex(case.phasors[hour, place])) - 1.0) - 0.05)
        said = text(card(run, At("on" if case.svg else "off", 15), "deviation"))
        assert figures(said)[0] == pytest.approx(off, abs=0.00051)
        assert float(case.deviation.sum()) == pytest.approx(off, abs=1e-9)


def test_a_current_is_that_of_its_phase() -> None:
    run = worked()
    place = [link.name for link in run.feeder.links].index("703-730")
    for at, phase in enumerate("abc"):
        said = text(card(run, At("off", 15), f"current:703-730:{phase}"))
        assert figures(said)[0] == pytest.approx(float(np.abs(run.cases[0].current_a[15, place, at])), abs=0.051)
    for what in ("current:703-730:d", "load:799", "rate:none", "owed:none", "lowest:none"):
        with pytest.raises(ValueError, match=r"there is no"):
            card(run, At(), what)


def test_what_edits_change_has_a_card_with_both_numbers_and_the_edits() -> None:
    """The same day at costs a tenth higher stands for the edited one: 1.1 c - c, as the two cells have them."""
    run = worked()
    edited = with_case(run, 0, cost_per_h=1.1 * run.cases[0].cost_per_h)
    edits = (Edit("scale load", value=1.1), Edit("move centre", "centre 740", "735"))
    edited = replace(edited, question=replace(run.question, edits=edits))
    measures = feeder_totals.measures(run, run.cases[0])
    page = page_of(feeder_totals.compared(edited, run, At("off", 15)))
    for place, one in enumerate(measures):
        found = re.search(rf'id="feeder-compared-change-{place}-panel">(.*?)</div></span>', page, flags=re.DOTALL)
        assert found, one.label
        said = unescape(re.sub(r"<[^>]*>", " ", found[1])).replace("\u2009", "").replace("\u2212", "-")
        assert one.label in said
        told = re.search(r"(-?[\d.]+) - (-?[\d.]+) = ([+-]?[\d.]+)", said)
        assert told, said
        now, before, change = map(float, told.groups())
        assert before == pytest.approx(one.value, abs=0.51 * 10**-one.digits)
        assert now - before == pytest.approx(change, abs=0.51 * 10**-one.digits)
        if one.what == "cost":
            assert now == pytest.approx(1.1 * one.value, abs=0.51)
        for edit in edits:
            assert words_of(edit) in said
        assert said.count("without edits") == 3  # each input of the day before


def test_schedules_and_devices_have_a_card_of_each_number_in_the_hour_that_is_looked_at() -> None:
    run, hour = worked(), 15
    case = run.cases[1]
    page = page_of(feeder_schedules.content(run, At("on", hour, "voltage", "centre:centre 724")))
    place = [row.name for row in run.feeder.centres].index("centre 724")
    for words, value in (
        ("draw", case.draw_kw[hour, place]), ("price", case.centre_price[hour, place]),
        ("bill", case.bill_active[hour, place] + case.bill_reactive[hour, place]),
    ):  # fmt: skip
        found = re.search(rf'id="feeder-why-schedules-{words}-panel">(.*?)</div></span>', page, flags=re.DOTALL)
        assert found, words
        said = figures(re.sub(r"<[^>]*>", " ", found[1]))
        assert any(abs(one - value) <= 0.06 for one in said), (words, value)
    for row in (*run.feeder.generators, *run.feeder.compensators):
        assert page.count(f'id="feeder-why-devices-{row.name.replace(" ", "-")}"') == 1
    off = page_of(feeder_schedules.content(run, At("off", hour)))
    assert "feeder-why-devices-SVG" not in off  # out of service
