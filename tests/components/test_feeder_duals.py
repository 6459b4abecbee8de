"""Numbers of the Feeder page that stand alone in a cell: duals, shares, distances and the cells of grids say why."""

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components import feeder_buses, feeder_checks, feeder_links, feeder_profile, feeder_schedules, feeder_sheet
from components.feeder_cards import card
from components.feeder_layers import At
from components.feeder_limits import limits
from engine.distribution.binding import Binding
from engine.distribution.feeder import Line, Transformer
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case, worked
from tests.components.test_feeder_cards import figures, told
from tests.components.test_feeder_panels import page_of


@pytest.mark.parametrize("place", [0, 1])
def test_the_card_of_a_dual_goes_back_to_the_rows_of_the_program(place: int) -> None:
    """The duals and limits that the run keeps beside its answer, each as the program used it."""
    run = worked()
    case, at = run.cases[place], At("on" if place else "off", 15)
    kinds = set()
    for which, each in enumerate(limits(run, case)):
        if each.dual is None:
            continue
        said = text(card(run, at, f"dual:{which}"))
        rows = [row for row in case.duals if row.hour == each.hour and row.element == (each.device or each.element)]
        dual = told(said, "μ, its dual", "$")
        step = re.search(r"of give saves ([\d. \u2009]+) \$ in the hour", said)
        assert step is not None
        assert run.labels[each.hour] in said
        if each.kind == "link":
            assert dual == pytest.approx(sum(row.dual or 0.0 for row in rows), abs=6e-5)
            nu = told(said, "ν, of its rows together", "$")
            assert nu * math.cos(math.pi / run.question.polygon_sides) == pytest.approx(dual, abs=2e-4)
        elif each.kind == "bus":
            (row,) = (row for row in rows if row.phase == each.member)
            bound = told(said, "b , the limit as it was used", "p.u.")
            assert bound == pytest.approx(row.limit, abs=6e-6)
            assert 2.0 * bound * told(said, "ν, of its row", "$") == pytest.approx(row.dual, rel=1e-4, abs=2e-4)
        else:
            assert any(dual == pytest.approx(row.dual, abs=6e-5) for row in rows)
        assert float(step[1].replace("\u2009", "")) == pytest.approx(1e-3 * dual, abs=6e-5)
        kinds.add(each.kind)
    assert {"link", "device"} <= kinds or {"bus", "link"} <= kinds


def test_a_tightened_voltage_says_the_limit_that_was_used() -> None:
    run = made_up("ieee13")
    node = run.nodes.index(("671", "a"))
    margin = np.zeros_like(run.cases[0].margin_pu)
    margin[0, node] = 0.004
    bound = run.feeder.v_min_pu + 0.004
    row = Binding(0, "voltage low", "671", "a", "least voltage", bound, bound, "p.u.", 70.0, "$/h per p.u.")
    facts = run.cases[0].facts | {"duals": [{name: getattr(row, name) for name in Binding.__dataclass_fields__}]}
    held = with_case(run, 0, facts=facts, margin_pu=margin)
    said = text(card(held, At("off"), "dual:0"))
    assert told(said, "as it was used", "p.u.") == pytest.approx(bound)
    assert told(said, "of its row", "$") == pytest.approx(70.0 / (2.0 * bound), abs=6e-5)
    for what in ("dual:1", "dual:", "dual:-1", "dual:x"):
        with pytest.raises(ValueError, match="there is no limit"):
            card(held, At("off"), what)
    shown = page_of(feeder_checks.content(held, At("off", 0, "voltage", "bus:671")))
    assert re.search(r'id="feeder-why-checks-[^"]*"', shown)
    assert "Why, for 671 on a, 00:00, without SVG" in re.sub(r"<[^>]*>", "", shown)


@pytest.mark.parametrize("case", ["off", "on", "both"])
def test_every_dual_of_the_inspector_opens_its_card(case: Any) -> None:
    run = worked()
    for selection in ("", "link:703-730"):
        shown = page_of(feeder_sheet.sheet(run, At(case, 15, "voltage", selection)))
        cases = run.cases if case == "both" else [one for one in run.cases if one.svg == (case == "on")]
        for one in cases:
            held = [
                place for place, each in enumerate(limits(run, one))
                if each.hour == 15 and each.dual is not None and selection in ("", each.chosen)
            ]  # fmt: skip
            found = re.findall(rf'id="feeder-sheet-{"on" if one.svg else "off"}-dual:(\d+)"', shown)
            assert sorted(map(int, found)) == held
            assert held or one.svg


def test_cells_of_the_inspector_say_why_by_phase() -> None:
    run = worked()
    shown = page_of(feeder_sheet.sheet(run, At("off", 15, "voltage", "link:703-730")))
    place = [link.name for link in run.feeder.links].index("703-730")
    rating = run.feeder.links[place].rating_a  # type: ignore[union-attr]
    assert rating
    for at, phase in enumerate("abc"):
        assert f'id="feeder-sheet-off-share:703-730:{phase}"' in shown
        share = 100.0 * float(run.cases[0].current_a[15, place, at]) / rating
        assert figures(text(card(run, At("off", 15), f"share:703-730:{phase}")))[0] == pytest.approx(share, abs=0.051)
    shown = page_of(feeder_sheet.sheet(run, At("off", 15, "voltage", "bus:740")))
    for member in ("ab", "bc", "ca"):
        assert f'id="feeder-sheet-off-apart:740:{member}"' in shown
        said = text(card(run, At("off", 15), f"apart:740:{member}"))
        error = float(run.cases[0].error_pu[15, run.nodes.index(("740", member))])
        off = told(said, "linear √ v", "p.u.") - told(said, "AC | V |", "p.u.")
        assert off == pytest.approx(error, abs=1.1e-8)
    with pytest.raises(ValueError, match="there is no"):
        card(run, At(), "share:703-730:d")


def test_the_distance_of_a_bus_is_the_sum_of_the_links_that_feed_it() -> None:
    """Walked by hand from the bus to the source, over the links' own tables."""
    run = worked()
    for bus in ("740", "799", "775"):
        here, expected, count = bus, 0.0, 0
        while here != run.feeder.source_bus:
            link = next(one for one in run.feeder.links if here in (one.from_bus, one.to_bus)
                        and _nearer(run, here) in (one.from_bus, one.to_bus))  # fmt: skip
            if isinstance(link, Line):
                own = [abs(complex(link.r_ohm[k][k], link.x_ohm[k][k])) for k in range(len(link.phases))]
                expected += 100.0 * sum(own) / len(own) / run.feeder.bus(here).kv ** 2
            elif isinstance(link, Transformer):
                expected += 100.0 * abs(complex(link.r_pu, link.x_pu)) * 1000.0 / link.kva
            here, count = _nearer(run, here), count + 1
        said = text(feeder_profile.distance_card(run, bus))
        assert told(said, f"Bus {bus} is", "%") == pytest.approx(expected, abs=0.0051)
        assert told(said, "links on its way", "") == count
    shown = page_of(feeder_profile.content(run, At("off", 15, "voltage", "bus:740")))
    assert "Why, for bus 740:" in re.sub(r"<[^>]*>", "", shown)


def _nearer(run: Any, bus: str) -> str:
    tree = run.feeder.tree()
    return str(tree.buses[tree.parents[tree.buses.index(bus)]])


@pytest.mark.parametrize(("selection", "bus"), [("", "first"), ("bus:740", "740"), ("link:703-730", "first")])
def test_cells_of_the_grids_say_why_of_what_is_selected_else_of_one_row(selection: str, bus: str) -> None:
    run, at = worked(), At("on", 15, "voltage", selection)
    bus = run.feeder.buses[0].name if bus == "first" else bus
    node = next(place for place, (name, _) in enumerate(run.nodes) if name == bus)
    shown = page_of(feeder_buses.content(run, at))
    words = re.sub(r"<[^>]*>", "", shown)
    assert f"Why, for bus {bus}," in words
    assert set(re.findall(r'id="feeder-why-buses-([A-Za-z-]+)"', shown)) >= {
        "AC", "linear", "linear-less-AC", "DLMP", "DLMP-reactive", "VUF",
    }  # fmt: skip
    case = run.cases[1]
    assert f"{abs(case.phasors[15, node]):.3f} p.u. at bus {bus}," in words
    assert f"{case.voltage_pu[15, node]:.3f} p.u. by the linear flow at bus {bus}," in words
    assert f"{case.active_price[15, node]:.2f} $/MWh at bus {bus}," in words
    words = re.sub(r"<[^>]*>", "", page_of(feeder_links.content(run, at)))
    full = run.feeder.links[int(np.nanargmax(case.ac_loading[15]))].name
    assert f"Why, for link {'703-730' if selection.startswith('link') else full}:" in words


def test_static_var_generators_without_a_generator_have_a_card() -> None:
    run = made_up("ieee13")
    bare = replace(run, feeder=replace(run.feeder, generators=()))
    for key, shown in (("on", True), ("off", False)):
        told_ = page_of(feeder_schedules.content(bare, At(key, 1)))  # type: ignore[arg-type]
        assert ("feeder-table-devices-why" in told_) is shown
