"""What the browser draws is the run's own numbers: packed values, ends of links, limits that bind."""

import base64
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from components import feeder_links
from components.feeder_diagram import bare, diagram, drawing, packed
from components.feeder_layers import (
    CASES,
    LAYERS,
    PARTS,
    UNITS,
    At,
    bus_of,
    case_of,
    cases_of,
    hour_of,
    selected,
    shape,
)
from components.feeder_limits import at_hour, limits
from components.feeder_sheet import sheet
from engine.distribution import dlmp
from engine.distribution.binding import Binding
from engine.distribution.feeder import Transformer
from tests.callbacks.screen import ids_in
from tests.components.feeder_runs import made_up, with_case, worked
from tests.components.test_feeder_panels import page_of


def unpacked(told: dict[str, Any]) -> np.ndarray:
    """Return values as the browser reads them: offset + step * integer, -32768 for what is missing."""
    whole = np.frombuffer(base64.b64decode(told["b"]), dtype="<i2").reshape(-1, told["k"])
    values = np.array(told["o"])[:, np.newaxis] + np.array(told["s"])[:, np.newaxis] * whole
    return np.where(whole == -32_768, np.nan, values)


def test_packed_values_are_right_to_a_64000th_of_their_rows_range() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(5, 40)) * np.array([1e-7, 1e-3, 1.0, 1e3, 0.0])[:, np.newaxis]
    values[2, 3] = np.nan
    found = unpacked(packed(values))
    span = np.nanmax(values, axis=1) - np.nanmin(values, axis=1)
    assert np.isnan(found[2, 3])
    assert np.isnan(found).sum() == 1
    # half a step, and what 9 digits of offset and step may lose
    room = span / 64_000.0 * 0.5 * 1.001 + 1e-8 * np.nanmax(np.abs(values), axis=1) + 1e-12
    assert (np.nanmax(np.abs(found - values), axis=1) <= room).all()
    assert unpacked(packed(np.full((2, 3), np.nan))).shape == (2, 3)


def test_a_drawing_holds_the_runs_voltages_prices_and_loadings() -> None:
    run = worked()
    told = json.loads(json.dumps(drawing(run)))
    for key, case in (("off", run.cases[0]), ("on", run.cases[1])):
        values = {name: unpacked(each) for name, each in told["cases"][key]["values"].items()}
        np.testing.assert_allclose(values["voltage"], np.abs(case.phasors), atol=2e-6)
        np.testing.assert_allclose(values["voltage"] + values["error"], case.voltage_pu, atol=2e-6)
        price = np.array(told["cases"][key]["energy"])[:, np.newaxis] + sum(
            values[name] for name in ("loss", "limits", "congestion")
        )
        np.testing.assert_allclose(price, case.active_price, atol=2e-3)
        reactive = np.array(told["cases"][key]["q_energy"])[:, np.newaxis] + sum(
            values[name] for name in ("q_loss", "q_limits", "q_congestion")
        )
        np.testing.assert_allclose(reactive, case.reactive_price, atol=2e-3)
        of_case = ("q_loss", "q_congestion", "q_limits") if key == "off" else ("q_loss", "q_congestion")
        assert min(np.abs(values[name]).max() for name in of_case) > 0.1  # a sum without one would be another
        for at, link in enumerate(run.feeder.links):
            shown = values["loading"][:, 3 * at : 3 * at + 3]
            if getattr(link, "rating_a", None):
                on = ["abc".index(phase) for phase in link.phases]
                np.testing.assert_allclose(shown[:, on].max(axis=1), 100.0 * case.ac_loading[:, at], atol=0.01)
            elif isinstance(link, Transformer):
                np.testing.assert_allclose(shown[:, 0], 100.0 * case.linear_loading[:, at], atol=0.01)
            else:
                assert np.isnan(shown).all()


def test_every_closed_link_is_drawn_from_the_bus_above_to_the_bus_below() -> None:
    for key in ("ieee37", "ieee13", "ieee34", "ieee123", "two-bus"):
        run = made_up(key)
        told = drawing(run)
        names = [row[0] for row in told["buses"]]
        tree = run.feeder.tree()
        parents = dict(zip(tree.buses, tree.parents, strict=True))
        for link in told["links"]:
            if not link["o"]:
                assert told["buses"][link["t"]][4] == link["f"]
                assert tree.buses[parents[names[link["t"]]]] == names[link["f"]]
                assert told["links"][told["buses"][link["t"]][5]]["n"] == link["n"]
        assert sum(row[4] < 0 for row in told["buses"]) == 1  # the source alone has nothing above it


def test_a_day_of_ieee_123_in_two_cases_is_sent_in_less_than_half_a_megabyte() -> None:
    text = json.dumps(drawing(made_up("ieee123", 24)), separators=(",", ":"))
    assert len(text) < 500_000


def test_a_price_part_of_limits_and_a_limit_that_binds_come_together() -> None:
    """Duals of limits are what these parts are made of: in an hour there is one if, and only if, the other is."""
    run = worked()
    for case in run.cases:
        found = {(each.hour, each.kind) for each in limits(run, case)}
        for part, kind in (("voltage", "bus"), ("congestion", "link")):
            place = PARTS.index(part)
            size = np.maximum(
                np.abs(case.active_parts[place]).max(axis=1), np.abs(case.reactive_parts[place]).max(axis=1)
            )
            priced = set(np.flatnonzero(size > 1e-4).tolist())
            assert priced == {hour for hour, of in found if of == kind}
    assert {each.state for case in run.cases for each in limits(run, case)} == {"binds"}


def test_what_ac_exceeds_is_told_from_what_binds_and_flagged_from_what_was_known() -> None:
    run = made_up("ieee13")
    node = next(at for at, (bus, _) in enumerate(run.nodes) if bus != run.feeder.source_bus)
    bus, member = run.nodes[node]
    phasors = run.cases[0].phasors.copy()
    phasors[1, node] *= (run.feeder.v_min_pu - 0.01) / abs(phasors[1, node])
    loading = run.cases[0].ac_loading.copy()
    loading[2, 3] = 1.2
    broken = with_case(run, 0, phasors=phasors, ac_loading=loading)
    assert [(each.hour, each.kind, each.state) for each in limits(broken, broken.cases[0])] == [
        (1, "bus", "exceeded"), (2, "link", "exceeded"),
    ]  # fmt: skip
    assert "(lower: " in limits(broken, broken.cases[0])[0].words(run.feeder)
    flag = {"hour": 1, "kind": "voltage", "element": bus, "phase": member, "linear": 1.0, "ac": 0.9, "limit": 0.95}
    facts = {**broken.cases[0].facts, "flags": [flag]}
    told = with_case(broken, 0, facts=facts)
    (found,) = at_hour(told, told.cases[0], 1)
    assert found.state == "flagged"
    assert "which the linear model has not said" in found.words(run.feeder)
    assert drawing(told)["cases"]["off"]["marks"][1][0] == {node: 2}
    assert limits(told, told.cases[1]) == ()


def test_devices_at_their_limit_are_marked_in_the_hour() -> None:
    run = made_up("ieee13")
    first, centre = run.feeder.generators[0].name, run.feeder.centres[0].name
    rows = [
        Binding(1, "generator", first, "", "most active power", 0.5, 0.5, "MW", 3.0, "$/h per MW"),
        Binding(2, "battery", centre, "", "most charge", 0.2, 0.2, "MW", None, ""),
    ]
    told = with_case(run, 0, facts=run.cases[0].facts | {"duals": [asdict(row) for row in rows]})
    drawn = drawing(told)
    places = {device["n"]: at for at, device in enumerate(drawn["devices"])}
    marks = [hour[2] for hour in drawn["cases"]["off"]["marks"]]
    assert marks == [{}, {places[first]: 1}, {places[centre]: 1}]


def test_a_limit_on_unbalance_binds_where_the_linear_magnitudes_reach_it() -> None:
    run = made_up("ieee13")
    row = Binding(1, "unbalance", "671", "b", "above the mean of its bus", 0.02, 0.02, "share", 7.25, "$/h per unit")
    asked = replace(run, question=replace(run.question, unbalance_limit=0.02))
    told = with_case(asked, 0, facts=run.cases[0].facts | {"duals": [asdict(row)]})
    (found,) = limits(told, told.cases[0])
    assert (found.hour, found.kind, found.element, found.member, found.unit) == (1, "bus", "671", "b", "mean")
    assert found.words(run.feeder).startswith("Unbalance of bus 671")
    assert "dual 7.25 $/h per unit" in found.words(run.feeder)
    assert drawing(told)["cases"]["off"]["marks"][1][0] == {run.nodes.index(("671", "b")): 1}
    flag = {"hour": 2, "kind": "unbalance", "element": "671", "phase": "", "linear": 0.01, "ac": 0.03, "limit": 0.02}
    flagged = with_case(asked, 0, facts=run.cases[0].facts | {"flags": [flag]})
    (found,) = limits(flagged, flagged.cases[0])
    assert (found.state, found.value) == ("flagged", 0.03)
    assert "(VUF)" in found.words(run.feeder)


def test_devices_at_their_limits_are_told_with_their_duals_and_select_where_they_stand() -> None:
    run = made_up("ieee13")
    feeder = run.feeder
    generator, svg, centre = feeder.generators[0], feeder.compensators[0], feeder.centres[0]
    link = feeder.links[2]
    rows = [
        Binding(0, "generator", generator.name, "", "most active power", 0.3, 0.3, "MW", 12.5, "$/h per MW"),
        Binding(0, "svg", svg.name, "a", "most reactive power given", 0.06, 0.06, "Mvar", 3.0, "$/h per Mvar"),
        Binding(0, "battery", centre.name, "", "most energy held", 0.8, 0.8, "MWh", None, ""),
        Binding(0, "polygon side", link.name, "a", "side 1 of 12", 1.0, 1.0, "MVA", 4.0, "$/h per MVA"),
        Binding(0, "polygon side", link.name, "a", "side 2 of 12", 1.0, 1.0, "MVA", 2.0, "$/h per MVA"),
        Binding(0, "transformer", feeder.links[3].name, "b", "side 1 of 12", 1.0, 1.0, "MVA", 1.0, "$/h per MVA"),
    ]  # fmt: skip
    told = with_case(run, 0, facts=run.cases[0].facts | {"duals": [asdict(row) for row in rows]})
    found = {each.element: each for each in at_hour(told, told.cases[0], 0)}
    assert len(found) == 5
    assert found[link.name].dual == 6.0  # of one rating: both sides give way with it
    assert found[generator.name].words(feeder) == (
        f"{generator.name}: 300 kW, at its limit (most active power: 300 kW), dual 12.50 $/MWh"
    )
    assert found[svg.name].worth == "3.00 $/Mvarh"
    battery = found[f"Battery of {centre.name}"]
    assert (battery.words(feeder), battery.chosen) == (
        f"Battery of {centre.name}: 800 kWh, at its limit (most energy held: 800 kWh)", f"centre:{centre.name}"
    )  # fmt: skip
    assert found[generator.name].chosen == f"bus:{generator.bus}"
    assert [each.kind for each in at_hour(told, told.cases[0], 0)] == ["link", "link", "device", "device", "device"]
    assert "No limit of the network binds" not in page_of(sheet(told, At("off", 0)))
    alone = with_case(run, 0, facts=run.cases[0].facts | {"duals": [asdict(row) for row in rows[:3]]})
    assert "No limit of the network binds" in page_of(sheet(alone, At("off", 0)))
    assert generator.name in page_of(sheet(alone, At("off", 0)))


def test_what_binds_short_of_a_circle_is_told_as_a_side_of_its_polygon() -> None:
    run = made_up("ieee13")
    generator, link = run.feeder.generators[0], run.feeder.links[2]
    # A side of a polygon of 12 binds from cos(15 degrees) = 96.6 % of the circle on: 374 kVA of 387.
    rows = [
        Binding(0, "generator", generator.name, "", "apparent power, side 1 of 12", 0.374, 0.387, "MVA", 4.0,
                "$/h per MVA"),
        Binding(0, "polygon side", link.name, "a", "side 1 of 12", 0.97, 1.0, "MVA", 4.0, "$/h per MVA"),
    ]  # fmt: skip
    told = with_case(run, 0, facts=run.cases[0].facts | {"duals": [asdict(row) for row in rows]})
    found = {each.element: each.words(run.feeder) for each in at_hour(told, told.cases[0], 0)}
    words = "374 kVA, at its limit (a side of the 12-sided polygon inside 387 kVA), dual 4.00 $/h per MVA"
    assert found[generator.name] == f"{generator.name}: {words}"
    assert "at its limit (a side of the 12-sided polygon inside the rating), dual 4.00" in found[link.name]
    active = replace(told, question=replace(told.question, line_limits="active"))
    assert all("polygon" not in each.words(run.feeder) for each in limits(active, active.cases[0])[:1])


def test_transformers_are_drawn_as_full_as_ac_finds_them() -> None:
    run = made_up("ieee13")
    place = next(at for at, link in enumerate(run.feeder.links) if isinstance(link, Transformer))
    loading = run.cases[0].ac_loading.copy()
    loading[1, place] = 1.25
    told = with_case(run, 0, ac_loading=loading)
    values = unpacked(drawing(told)["cases"]["off"]["values"]["loading"])
    phases = len(run.feeder.links[place].phases)
    drawn = values[1].reshape(-1, 3)[place]
    assert np.sort(drawn[np.isfinite(drawn)]) == pytest.approx([125.0] * phases, abs=0.01)
    (found,) = limits(told, told.cases[0])
    assert (found.kind, found.element, found.state) == ("link", run.feeder.links[place].name, "exceeded")
    row = next(row for row in feeder_links.rows(told, At("off", 1))[1] if row["id"] == found.element)
    assert row["loading"] == pytest.approx(125.0)


def test_layers_are_those_of_the_prices_and_each_has_words_and_a_unit() -> None:
    assert PARTS == dlmp.PARTS
    assert set(LAYERS) == set(UNITS)
    told = drawing(made_up("two-bus"))
    assert list(told["layers"]) == list(LAYERS)
    assert set(told["cases"]) == {"off", "on"}
    assert "0" in drawing(worked())["layers"]["price_response"]["none"]  # constant power: no response


@pytest.mark.parametrize("case", list(CASES))
def test_one_case_alone_is_drawn_whatever_is_asked(case: Any) -> None:
    run = made_up("two-bus", both=False)
    assert cases_of(run, At(case)) == run.cases
    assert "without SVG".lower() in drawing(run)["one"].lower()


def test_what_is_looked_at_is_always_something_the_run_has() -> None:
    run = worked()
    assert hour_of(run, At(hour=99)) == 23
    assert hour_of(run, At(hour=-3)) == 0
    for wrong in ("", "bus:", "bus:none", "link:740", "word:740", "740"):
        assert selected(run, At(selection=wrong)) is None
        assert bus_of(run, At(selection=wrong)) == run.feeder.centres[0].bus
    assert selected(run, At(selection="bus:740")) == ("bus", "740")
    assert bus_of(run, At(selection="link:703-730")) == "730"
    assert bus_of(run, At(selection="centre:centre 724")) == "724"
    assert case_of(run, At("both")).svg
    assert not case_of(run, At("off")).svg
    assert [member for member, _ in shape(run).at_bus["740"]] == ["ab", "bc", "ca"]


def test_the_place_of_the_diagram_has_a_name_keys_and_a_description() -> None:
    place = diagram("feeder")
    assert "feeder-diagram" in ids_in(place)
    assert "feeder-diagram-how" in ids_in(place)


def test_a_feeder_that_is_not_solved_is_drawn_as_its_answer_will_be_but_without_a_value() -> None:
    run = made_up("ieee37")
    told, solved = bare(run.feeder, run.labels, "asked"), drawing(run)

    same = ("name", "wires", "members", "labels", "limits", "source", "buses", "nodes", "whole", "links", "loads")
    assert all(told[name] == solved[name] for name in same)
    assert [{**device, "v": {}} for device in solved["devices"]] == told["devices"]
    assert told["cases"]["off"]["values"] == {}
    assert set(told["layers"]) == {"voltage", "phases"}
    assert "Nothing is computed yet" in told["layers"]["voltage"]["none"]
