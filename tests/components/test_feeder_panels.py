"""The panels of the Feeder page: tables with the numbers of their charts, and a card for every computed number."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from components import (
    feeder_buses,
    feeder_checks,
    feeder_effect,
    feeder_links,
    feeder_methods,
    feeder_prices,
    feeder_profile,
    feeder_schedules,
    feeder_sheet,
    feeder_unbalance,
)
from components.feeder_cards import card
from components.feeder_layers import CASES, LAYERS, At
from components.feeder_words import added
from components.format import number
from engine.distribution.answers import shipped_methods
from engine.distribution.frames import Frame
from engine.distribution.metrics import voltage_unbalance
from engine.distribution.question import FeederQuestion
from engine.distribution.speed import REBUILT
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case, worked

CHARTS: tuple[Any, ...] = (feeder_prices, feeder_schedules, feeder_profile, feeder_unbalance, feeder_effect)
PANELS: tuple[Any, ...] = (*CHARTS, feeder_buses, feeder_links, feeder_checks)
DAY = ("bill", "cost", "voltage", "deviation", "unbalance", "error", "violations", "losses", "penalty", "surplus",
       "chance", "owed:centre 740", "used:centre 740", "mean:centre 740", "lowest:centre 740")  # fmt: skip
HOUR = ("price:740:ab", "reactive:740:ca", "level:740:ca", "vuf:740", "loading:703-730", "paid:centre 740",
        "draw:centre 740", "output:gas 737", "svg:SVG 741", "supply", "spent", "lost", "kept", "load:740",
        "current:703-730:a", "rate:centre 740", "share:703-730:a", "apart:740:ab")  # fmt: skip


def page_of(part: Any) -> str:
    """Return a part as HTML, with what is sent as HTML in it."""
    if isinstance(part, list | tuple):
        return "".join(page_of(one) for one in part)
    if part is None or isinstance(part, str):
        return part or ""
    packed = getattr(part, "data-static", None)
    own = f' id="{part.id}"' if getattr(part, "id", None) else ""
    return f"<i{own}></i>{page_of(getattr(part, 'children', None)) if packed is None else packed}"


def column(rows: list[dict[str, Any]], name: str, **where: str) -> list[float]:
    return [row[name] for row in rows if all(row[key] == value for key, value in where.items())]


def trace(figure: go.Figure, name: str, axis: str = "x") -> list[float]:
    return next(list(one.y) for one in figure.data if one.name == name and (one.xaxis or "x") == axis)


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("key", ["worked", "ieee13", "two-bus"])
def test_every_panel_tells_every_case_with_a_card_for_each_table(key: str, case: Any) -> None:
    run = worked() if key == "worked" else made_up(key)
    kinds = {
        "off": "", "on": f"bus:{run.feeder.buses[-1].name}", "both": f"link:{run.feeder.links[0].name}",
        "difference": f"centre:{run.feeder.centres[0].name}",
    }  # fmt: skip
    at = At(case, 1, "voltage", kinds[case])
    for part in (feeder_sheet.sheet(run, at), *(panel.content(run, at) for panel in PANELS)):
        found = page_of(part)
        names = re.findall(r' id="([^"]+)"', found)
        tables = set(re.findall(r'<table class="hr-feeder-table" id="([^"]+)"', found))
        assert {f"{name}-why-panel" for name in tables - {"feeder-table-jobs"}} <= set(names)
        assert all(f'data-debrief-csv="{name}"' in found for name in tables)
        assert len(names) == len(set(names)), "an id stands once on a page"
        assert "nan" not in re.sub(r"<[^>]*>", " ", found).lower().split()


def test_rows_of_a_chart_are_its_points() -> None:
    run, at = worked(), At("both", 15, "price", "bus:740")
    for place, (words, axis) in enumerate((("Without SVG", "x"), ("With SVG", "x2"))):
        case = run.cases[place]
        figure, (_, rows) = feeder_prices.figure(run, at), feeder_prices.rows(run, at)
        assert trace(figure, "DLMP ca", axis) == column(rows, "price_ca", case=words)
        assert trace(figure, "losses", axis) == column(rows, "loss", case=words)
        np.testing.assert_allclose(
            sum(np.array(column(rows, part, case=words)) for part in ("energy", "loss", "voltage", "congestion")),
            np.mean([column(rows, f"price_{member}", case=words) for member in ("ab", "bc", "ca")], axis=0), atol=1e-9,
        )  # fmt: skip
        np.testing.assert_allclose(
            sum(np.array(column(rows, f"q_{by}", case=words)) for by in ("energy", "loss", "voltage", "congestion")),
            np.mean([column(rows, f"q_{member}", case=words) for member in ("ab", "bc", "ca")], axis=0), atol=1e-6,
        )  # fmt: skip
        figure, (_, rows) = feeder_schedules.figure(run, at), feeder_schedules.rows(run, at)
        assert trace(figure, "centre 724", axis) == column(rows, "draw", case=words, centre="centre 724")
        bill = sum(column(rows, "bill", case=words))
        assert bill == pytest.approx(float(case.bill_active.sum() + case.bill_reactive.sum()))
        figure = feeder_unbalance.figure(run, at)
        assert trace(figure, "largest of all buses", axis) == (100.0 * case.vuf.max(axis=1)).tolist()
        _, rows = feeder_unbalance.hour_rows(run, at)
        for name in ("largest of all buses", "mean of all buses", "bus 740", "bus 740, PVUR"):
            assert trace(figure, name, axis) == column(rows, name, case=words)
    figure, (_, rows) = feeder_effect.figure(run, at), feeder_effect.hour_rows(run, at)
    assert trace(figure, "bill, $") == column(rows, "bill")
    assert sum(column(rows, "bill")) == pytest.approx(
        sum(float((-1) ** (1 - case.svg) * (case.bill_active + case.bill_reactive).sum()) for case in run.cases)
    )


def test_the_profile_runs_outwards_by_impedance_and_has_every_node() -> None:
    run, at = worked(), At("off", 15, "voltage", "")
    far, tree = feeder_profile.distances(run), run.feeder.tree()
    for bus, parent in zip(tree.buses[1:], tree.parents[1:], strict=True):
        assert far[bus] >= far[tree.buses[parent]]
    _, rows = feeder_profile.rows(run, at)
    assert sorted((row["bus"], row["member"]) for row in rows) == sorted(run.nodes)
    figure = feeder_profile.figure(run, at)
    assert sorted(trace(figure, "ca, AC")) == sorted(column(rows, "ac", member="ca"))
    assert [one.name for one in figure.data].count("at its limit") == 1  # 740 stands at 0.95 p.u. in this hour


def test_buses_and_links_are_rows_and_the_difference_is_with_less_without() -> None:
    run = worked()
    frame = Frame.of(run.feeder)
    tables = {case: feeder_buses.rows(run, At(case, 15))[1] for case in ("off", "on", "difference")}
    node = frame.nodes.index(("740", "ca"))
    for case, place in (("off", 0), ("on", 1)):
        row = next(row for row in tables[case] if row["id"] == "740")
        assert row["ac_ca"] == pytest.approx(abs(run.cases[place].phasors[15, node]))
        assert row["error_ca"] == pytest.approx(1e6 * run.cases[place].error_pu[15, node])
        assert row["price_ca"] == pytest.approx(
            sum(row[f"{part}_ca"] for part in ("energy", "loss", "voltage", "congestion"))
        )
        assert row["reactive_ca"] == pytest.approx(
            sum(row[f"q_{part}_ca"] for part in ("energy", "loss", "voltage", "congestion")), abs=1e-6
        )
    assert {row["id"]: row["ac_ca"] for row in tables["difference"]} == pytest.approx(
        {row["id"]: row["ac_ca"] - off["ac_ca"] for row, off in zip(tables["on"], tables["off"], strict=True)}
    )
    assert next(row for row in tables["off"] if row["id"] == "740")["state"] == "at a limit"
    links = {row["id"]: row for row in feeder_links.rows(run, At("off", 15))[1]}
    assert len(links) == len(run.feeder.links)
    assert links["703-730"]["state"] == "at its limit"
    place = [link.name for link in run.feeder.links].index("703-730")
    rating = run.feeder.links[place].rating_a  # type: ignore[union-attr]
    assert rating is not None
    assert links["703-730"]["loading"] == pytest.approx(
        100.0 * max(links["703-730"][f"a_{phase}"] for phase in "abc") / rating
    )
    open_ties = [row for row in feeder_links.rows(made_up("ieee123"), At())[1] if row["kind"] == "open switch"]
    assert open_ties


@pytest.mark.parametrize("what", [*DAY, *HOUR])
@pytest.mark.parametrize("case", ["off", "on"])
def test_every_number_has_a_card_with_its_inputs_and_its_source(what: str, case: Any) -> None:
    run = worked()
    said = text(card(run, At(case, 15), what))
    assert str(run.provenance["feeder_digest"])[:8] in said
    assert "SVG" in said or "15:00" in said or ":00" in said or what == "chance"
    if what != "chance":  # none were asked for
        assert "Method:" in said


def test_a_price_card_adds_up_and_names_what_binds() -> None:
    run = worked()
    for case, place in (("off", 0), ("on", 1)):
        for member in ("ab", "bc", "ca"):
            node = run.nodes.index(("740", member))
            said = text(card(run, At(case, 15), f"price:740:{member}"))
            price = float(run.cases[place].active_price[15, node])
            assert said.startswith(f"{number(price, 2)} $/MWh at bus 740")
            assert added(run.cases[place].active_parts[:, 15, node].tolist(), 2) in said
    assert "Link 703-730" in text(card(run, At("off", 15), "price:740:ab"))


def test_the_unbalance_card_has_the_sequences_of_the_phasors() -> None:
    run = worked()
    frame, case = Frame.of(run.feeder), run.cases[0]
    place = run.three_phase[0].index("740")
    expected = voltage_unbalance(frame, case.phasors[15])[place]
    said = text(card(run, At("off", 15), "vuf:740"))
    negative, positive = (float(value) for value in re.findall(r"sequence (\d\.\d+) p\.u\.", said))
    assert negative / positive == pytest.approx(expected, rel=2e-3)
    assert f"{number(100 * expected, 2)} %" in said


def test_a_card_of_something_that_is_not_there_is_refused() -> None:
    run = worked()
    for what in ("price:740:a", "level:nowhere:ab", "vuf:none", "loading:none", "paid:none", "output:none", "svg:none"):
        with pytest.raises(ValueError, match=r"not in|there is no"):
            card(run, At(), what)
    with pytest.raises(KeyError):
        card(run, At(), "word")


def test_the_effect_says_which_way_is_better_and_whether_the_paper_is_borne_out() -> None:
    run = worked()
    rows = {row["measure"]: row for row in feeder_effect.rows(run, At())[1]}
    measured = {row["measure"]: row["with"] - row["without"] for row in run.svg_effect()}
    for measure, change in measured.items():
        if rows[measure]["better"] != "the same":
            rises = "voltage" in measure and "unbalance" not in measure and "error" not in measure
            if measure != "Largest error of the linear voltages":
                assert rows[measure]["better"] == ("better" if (change > 0) == rises else "worse"), measure
    said = text(feeder_effect.content(run, At()))
    assert ("here the mean rises" in said) == (measured["Mean voltage at data centres in AC"] > 5e-7)
    assert ("the largest VUF falls" in said) == (measured["Largest voltage unbalance (VUF)"] < -5e-7)
    assert "one case" in text(feeder_effect.content(made_up("two-bus", both=False), At()))


def test_checks_tell_flags_violations_models_scenarios_and_assumptions() -> None:
    run = made_up("ieee13")
    flag = {"hour": 1, "kind": "link", "element": run.feeder.links[0].name, "phase": "", "linear": 0.9, "ac": 1.1,
            "limit": 1.0}  # fmt: skip
    violation = {"hour": 2, "element": "671", "phase": "a", "value": 0.93, "limit": 0.95, "unit": "p.u."}
    facts = run.cases[0].facts | {
        "flags": [flag], "violations": [violation], "beyond_models": {"01:00": ["load 671"]},
        "scenarios": {"count": 20, "seed": 3, "day_chance": 0.25, "interval": [0.1, 0.5], "failed": 1},
        "regulators_free": {
            "ratios": [[[1.0, 1.0, 1.0]]] * 3, "largest_change_pu": 0.0123, "broken": {"voltages": 0, "ratings": 0},
        }, "rating_share": {"650-632": 0.9},
    }  # fmt: skip
    broken = with_case(run, 0, facts=facts, free_phasors=1.01 * run.cases[0].phasors,
                       hour_chance=np.array([0.0, 0.25, 0.1]),
                       extremes_pu=np.array([np.full((20, 3), 0.91), np.full((20, 3), 1.07)]),
                       voltage_chance=np.full((3, len(run.feeder.buses), 3), 0.05))  # fmt: skip
    said = re.sub(r"<[^>]*>", " ", page_of(feeder_checks.content(broken, At())))
    for words in ("1 limit flagged by AC, 1 limit exceeded", "load 671", "25.0 % (10.0 % to 50.0 %)", "0.0123 p.u.",
                  "1 rating", "made up", "AC keeps every limit of voltages, lines and transformers in every hour.",
                  "01:00 25.0 0.910 1.070"):  # fmt: skip
        assert re.sub(r"\s", "", words) in re.sub(r"\s", "", said), words
    columns, rows = feeder_buses.rows(broken, At("off", 1))
    assert columns[-1].name == "chance"
    assert {row["chance"] for row in rows} == {5.0}


def test_takers_of_prices_are_told_what_they_could_still_save() -> None:
    run = made_up("ieee13")
    final = {"objective": 90.0, "bound": 88.0, "gap": 0.022, "by": "price taker", "system_cost": 99.0, "saving": 0.88}
    told = [final | {"flags": 0, "kept": kept} for kept in (True, False)]
    method = {"objective": 90.0, "payment_most": 90.0, "bound": None, "gap": None, "status": "optimal"}
    facts = run.cases[0].facts | {"final": final, "decisions": told, "method": run.cases[0].facts["method"] | method}
    takers = replace(with_case(run, 0, facts=facts), question=replace(run.question, method="price taker"))
    exact = replace(takers, question=replace(run.question, method="regions"))
    for shown, saves in ((takers, True), (exact, False)):
        bill = re.sub(r"<[^>]*>", " ", page_of(card(shown, At("off"), "bill")))
        checks = re.sub(r"<[^>]*>", " ", page_of(feeder_checks.content(shown, At())))
        assert ("other draws at the prices of the bill would save" in bill) is saves
        assert ("Could save" in checks) is saves
        assert ("0.88" in bill) is saves


def test_methods_are_told_from_the_least_objective_on_and_none_is_below_the_bound() -> None:
    run, methods = worked(), shipped_methods(FeederQuestion())
    assert methods is not None
    _, rows = feeder_methods.rows(methods)
    objectives = [row["objective"] for row in rows]
    assert objectives == sorted(objectives)
    assert len(rows) == len(methods.rows)
    assert min(objectives) >= methods.bound - 1e-4 * abs(methods.bound)
    said = " ".join(feeder_methods.findings(methods))
    for course in methods.courses:
        if course.cycle is not None and course.cycle > 1:
            assert f"goes round in a cycle of {course.cycle}" in said
    assert feeder_methods.figure(run, At(), "dark", methods).data
    assert not feeder_methods.figure(run, At()).data
    found = page_of(feeder_methods.content(run, At(), methods))
    assert "feeder-table-methods-why" in found
    row = {one.method: one for one in methods.rows}
    for shown in rows:
        one = row[shown["method"]]
        assert shown["whole_s"] == pytest.approx(one.processor_s + one.before_s)
        assert (shown["own_gap"] is None) == (one.own_gap is None)
        assert 0.0 <= shown["penalised"] <= one.payment + 1e-6
    for speed in methods.speeds:
        assert speed.statement[1:] in said
        claim = f"faster than the expansion{REBUILT}, at equal proved accuracy: " + {
            "holds": "holds", "contradicted": "contradicted", "open": "not told",
        }[speed.verdict]  # fmt: skip
        assert not speed.rebuilt or claim in said
    columns, hours = feeder_methods.schedule_rows(methods)
    assert len(hours) == len(methods.rows) * len(methods.labels)
    assert not any(column.name.startswith("held") for column in columns)
    drawn = ((1.0,) * len(methods.centres),) * len(methods.labels)
    kept = tuple(replace(each, charge_kw=drawn, discharge_kw=drawn, held_kwh=drawn) for each in methods.schedules)
    columns, hours = feeder_methods.schedule_rows(replace(methods, schedules=kept))
    assert {"charge0", "discharge0", "held0"} < {column.name for column in columns}
    assert all(row[column.name] is not None for row in hours for column in columns)
    assert "linear flow that all of them share" in said
    assert "feeder-table-courses" in found
    assert "not compared yet" in text(feeder_methods.content(run, At()))


def test_charts_are_drawn_in_both_themes_and_every_layer_leaves_them_alone() -> None:
    run = worked()
    for module in CHARTS:
        figures = [
            module.figure(run, At("off", 15, layer), theme) for layer in list(LAYERS)[:2] for theme in ("light", "dark")
        ]
        assert len({len(figure.data) for figure in figures}) == 1
        assert figures[0].data[0].to_plotly_json() != figures[1].data[0].to_plotly_json()


def nested(part: Any) -> bool:
    """Return whether a list stands in the children of a component as one of them: the browser cannot draw that."""
    held = getattr(part, "children", None)
    if isinstance(held, list | tuple):
        return any(isinstance(one, list | tuple) or nested(one) for one in held)
    return held is not None and nested(held)


def test_parts_that_are_components_hold_no_list_within_a_list() -> None:
    run, methods = worked(), shipped_methods(FeederQuestion())
    parts = [panel.content(run, At("both", 15)) for panel in PANELS]
    parts += [card(run, At(case, 15), what) for case in ("off", "on") for what in (*DAY, *HOUR)]  # type: ignore[arg-type]
    parts.append(feeder_methods.content(run, At(), methods))
    assert [place for place, part in enumerate(parts) if nested(part)] == []
