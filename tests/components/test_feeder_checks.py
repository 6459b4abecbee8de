"""The Checks tab and what its numbers say: other load models, regulators that move, cards, what binds over a day."""

import re
from typing import Any

import numpy as np
import pytest

from components import feeder_checks, feeder_edits, feeder_effect, feeder_prices, feeder_states
from components.feeder_cards import card
from components.feeder_cards_checks import CONDITIONS
from components.feeder_cards_parts import bound_lines
from components.feeder_layers import At
from components.feeder_models import broken_words, rows, taps_words
from components.feeder_states import to_solve
from components.format import number
from engine.distribution.binding import Binding
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case, worked
from tests.components.test_feeder_panels import page_of

MODEL = {
    "model": "impedance", "failure": "", "change_pu": -0.0123, "hour": 1, "bus": "671", "member": "c", "bill": 0.75,
    "broken": {"voltages": 2, "ratings": 0},
}  # fmt: skip


def plain(part: Any) -> str:
    """Return a part's words with single spaces, thin ones and all others alike."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page_of(part)).replace("\u2009", ""))


def test_other_models_of_loads_are_told_with_their_bill_and_limits() -> None:
    run = made_up("ieee13")
    failed = {"model": "own", "failure": "01:00: no solution"}
    told = {"broken": {"voltages": 0, "ratings": 0}, "bill": 1.0, "models": [failed, MODEL]}
    asked = with_case(run, 0, facts=run.cases[0].facts | {"load_models": told})
    (row,) = rows(asked, asked.cases[0])[1]
    assert (row["change"], row["dearer"], row["voltages"]) == (-0.0123, -0.25, 2)
    assert "bus 671" in row["where"]
    said = plain(feeder_checks.content(asked, At()))
    assert "all of constant impedance \u22120.0123 bus 671, phase c, 01:00 0.75 \u22120.25 2 0" in said
    assert "Each by its own model: 01:00: no solution" in said
    assert "bill, all of constant impedance" in text(card(asked, At("off"), "models"))
    assert "Loads by other models" not in plain(feeder_checks.content(run, At()))


def test_the_worked_day_tells_the_models_of_its_tables() -> None:
    """IEEE 37's loads are of three models in its tables; the page opens with constant power."""
    for case in worked().cases:
        own, current, impedance = rows(worked(), case)[1]
        assert own["model"].startswith("each by its own")
        assert current["model"] == "all of constant current"
        assert 0.0 < abs(own["change"]) < abs(impedance["change"])
        # At constant current a load gives way to its voltage once, at constant impedance twice.
        assert 0.0 < abs(current["change"]) < abs(impedance["change"])
        # What a load draws less at a lower voltage makes a MWh cheaper there.
        assert impedance["dearer"] < own["dearer"] < 0.0
        assert impedance["dearer"] < current["dearer"] < 0.0


def test_regulators_that_move_say_whether_limits_hold() -> None:
    free: dict[str, Any] = {
        "ratios": [[[1.0125, 1.0125, 1.0]]] * 3,
        "largest_change_pu": 0.0123,
        "broken": {"voltages": 0, "ratings": 0},
    }
    assert taps_words(free) == "at most 0.0123 p.u.; every limit then holds"
    assert broken_words({"voltages": 1, "ratings": 2}) == "1 voltage and 2 ratings then exceed a limit"
    run = made_up("ieee13")
    phasors = run.cases[0].phasors.copy()
    phasors[2, 7] *= 1.0 + 0.0123 / abs(phasors[2, 7])  # one node in one hour
    phasors[1, 4] *= 1.0 - 0.004 / abs(phasors[1, 4])
    moved = with_case(run, 0, facts=run.cases[0].facts | {"regulators_free": free}, free_phasors=phasors)
    assert "at most 0.0123 p.u.; every limit then holds" in plain(feeder_checks.content(moved, At()))
    said, (bus, member) = text(card(moved, At("off"), "taps")).replace("\u2009", ""), run.nodes[7]
    assert f"0.0123 p.u. at bus {bus}, phase {member}, 02:00" in said
    assert f"{abs(run.cases[0].phasors[2, 7]):.5f} p.u." in said
    assert "+0.01230 p.u." in said
    assert "1.01250, 1.01250, 1.00000" in said
    assert "not asked for" in text(card(run, At("off"), "taps"))


def test_each_condition_of_the_optimum_has_a_card_with_its_own_measure() -> None:
    """The four are of one certificate, each with another number made up: no card has that of another."""
    run = worked()
    told = {name: 10.0 ** -(7 + at) * 1.7 for at, name in enumerate(CONDITIONS)}
    asked = with_case(run, 1, facts=run.cases[1].facts | {"certificate": told})
    page = page_of(feeder_checks.content(asked, At()))
    for at, (name, (words, formula)) in enumerate(CONDITIONS.items()):
        said = text(card(asked, At("on"), f"condition:{name}"))
        assert words[1:] in said
        assert f"1.7 · 10\u2212{7 + at}" in said.replace(" \u2212", "\u2212")
        assert formula.split()[0].strip("*|") in said
        for key in ("off", "on"):
            assert page.count(f'id="feeder-why-condition-{name.replace("_", "-")}-{key}"') == 1
    with pytest.raises(KeyError):
        card(asked, At("on"), "condition:none")


def test_the_time_of_a_case_and_its_scenarios_say_why() -> None:
    run = made_up("ieee13")
    scenarios = {"count": 40, "seed": 3, "day_chance": 0.25, "interval": [0.14, 0.4], "failed": 2}
    told = with_case(
        run, 0, facts=run.cases[0].facts | {"scenarios": scenarios, "time_s": 83.0, "operator_time_s": 4.0},
        hour_chance=np.array([0.0, 0.1, 0.25]), voltage_chance=np.zeros((3, len(run.feeder.buses), 3)),
        extremes_pu=np.ones((2, 40, 3)),
    )  # fmt: skip
    page = page_of(feeder_checks.content(told, At()))
    for key in ("feeder-why-chance-off", "feeder-why-flows-without-an-AC-solution-off", "feeder-why-spent-on-off"):
        assert page.count(f'id="{key}"') == 1
    said = text(card(told, At("off"), "spent on"))
    assert "83" in said or "1 min" in said
    assert "4.0 s" in said or "4 s" in said


@pytest.mark.parametrize("what", ["certificate", "correction", "tightened", "models"])
def test_numbers_of_the_list_say_why(what: str) -> None:
    run = worked()
    for key, case in zip(("off", "on"), run.cases, strict=True):
        said = text(card(run, At(key), what))  # type: ignore[arg-type]
        assert str(run.provenance["feeder_digest"])[:8] in said
        assert "Method:" in said
        assert f"with{'' if case.svg else 'out'} SVG" in said
    shown = page_of(feeder_checks.content(run, At()))
    wanted = [] if what == "models" else [f'id="feeder-why-{what}-{key}"' for key in ("off", "on")]
    assert all(each in shown for each in wanted)


def test_the_correction_that_was_kept_is_the_least_error_of_its_card() -> None:
    run = worked()
    errors = run.cases[0].facts["rounds"][-1]["error_pu"]
    assert run.cases[0].facts["correction_kept"] == int(np.argmin(errors))
    said = text(card(run, At("off"), "correction"))
    assert f"after correction {len(errors) - 1}" in said
    assert f"after correction {len(errors)}" not in said


def test_values_of_devices_carry_no_more_digits_than_are_meant() -> None:
    """Set points of kW have no decimals, kvar one; voltages and shares of a rating four."""
    run = made_up("ieee13")
    generator = run.feeder.generators[0].name
    row = Binding(0, "generator", generator, "", "most active power", 0.369, 0.369, "MW", 12.0, "$/h per MW")
    bound = with_case(run, 0, facts=run.cases[0].facts | {"duals": [vars_of(row)]})
    said = plain(feeder_checks.content(bound, At()))
    assert f"{generator} most active power" in said
    assert "369.0" not in said
    assert " 369 369 kW" in said
    head = said.index("Which limit")
    assert "Value in AC" not in said[head:]


def vars_of(row: Binding) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Binding.__dataclass_fields__}


def test_what_binds_over_a_day_names_the_network_first_each_element_once_by_its_dual() -> None:
    run = made_up("ieee13")
    generator = run.feeder.generators[0].name
    rows_ = [
        Binding(0, "generator", generator, "", "most active power", 0.1, 0.1, "MW", 900.0, "$/h per MW"),
        Binding(0, "voltage low", "671", "a", "", 0.95, 0.95, "p.u.", 5.0, "$/h per p.u."),
        Binding(2, "voltage low", "671", "b", "", 0.95, 0.95, "p.u.", 70.0, "$/h per p.u."),
        Binding(1, "voltage low", "634", "c", "", 0.95, 0.95, "p.u.", 20.0, "$/h per p.u."),
    ]
    bound = with_case(run, 0, facts=run.cases[0].facts | {"duals": [vars_of(row) for row in rows_]})
    lines = [str(line) for line in bound_lines(bound, bound.cases[0], None)]
    assert len(lines) == 3
    assert lines[0].startswith("02:00 (in 2 hours): Voltage of bus 671, phase b")
    assert lines[1].startswith("01:00: Voltage of bus 634")
    assert lines[2].startswith(f"00:00: {generator}")


def test_the_effects_cards_are_formulas_of_their_own_differences() -> None:
    run = worked()
    shown = plain(feeder_effect.content(run, At("on", 15)))
    rows_ = {row["measure"]: row for row in run.svg_effect()}
    for measure, digits in (("Losses in AC", 3), ("Bill of the data centres", 2), ("Voltage deviation in AC", 4)):
        row = rows_[measure]
        assert f"{number(row['with'], digits)} \u2212 {number(row['without'], digits)} =".replace("\u2009", "") in shown
    off, on = (float(np.sum(case.bill_active[15] + case.bill_reactive[15])) for case in run.cases)
    assert f"{number(on, 2)} \u2212 {number(off, 2)} =".replace("\u2009", "") in shown
    assert "With SVG less without, 15:00" in shown
    assert rows_["Voltage deviation in AC"]["with"] == pytest.approx(float(run.cases[1].deviation.sum()))


def test_parts_of_a_price_are_means_and_say_so_and_the_file_has_each() -> None:
    run, at = worked(), At("off", 15, "price", "bus:740")
    columns, _ = feeder_prices.rows(run, at)
    heads = {column.name: column.label for column in columns}
    assert heads["energy"] == "Energy, mean"
    assert heads["voltage"].endswith(", mean")
    columns, rows_ = feeder_prices.csv_rows(run, at)
    names = {column.name for column in columns}
    for hour, row in enumerate(rows_):
        for member in ("ab", "bc", "ca"):
            node = run.nodes.index(("740", member))
            parts = [row[name] for name in names if name.endswith(f"_{member}") and name.split("_")[0] in
                     {"energy", "loss", "response", "voltage", "congestion"}]  # fmt: skip
            assert sum(parts) == pytest.approx(run.cases[0].active_price[hour, node], abs=1e-6)
            of_vars = [row[f"q_{part}_{member}"] for part in ("energy", "loss", "voltage", "congestion")]
            assert sum(of_vars) == pytest.approx(run.cases[0].reactive_price[hour, node], abs=1e-6)
    one = made_up("two-bus")
    columns, _ = feeder_prices.rows(one, At("off"))
    assert not any("mean" in column.label for column in columns)


def test_the_time_that_is_promised_is_the_one_that_was_measured() -> None:
    said = text(to_solve([], has_answer=False))
    assert "less than a minute" not in said
    assert "The worked day took" in said
    assert feeder_states.to_solve(["loads"], has_answer=True) is not None


def test_an_svg_is_on_phases_or_pairs() -> None:
    """On a three-wire feeder it stands between two phases."""
    edit = feeder_edits.added(worked().feeder, "740", 60.0)
    assert "60 kvar on each phase or pair of a, b, c" in feeder_edits.words_of(edit)
    assert "On each phase or pair" in text(feeder_edits.form())
