"""Batteries beside data centres, and prices that are not determined: what is asked, what is told."""

from dataclasses import replace

import numpy as np
import pytest

from components import feeder_asked, feeder_edits, feeder_prices, feeder_schedules, feeder_sheet
from components.feeder_cards import card
from components.feeder_layers import At
from components.feeder_question import plain_sentence
from components.feeder_ranges import line
from components.format import number
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.question_battery import CentreBattery
from engine.distribution.run import FeederRun
from engine.errors import QuestionError
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case
from tests.components.test_feeder_panels import page_of, trace

EACH = CentreBattery(power_mw=0.3, energy_mwh=1.2, efficiency=0.81, start_share=0.25, end_share=0.5)
ONE = CentreBattery(centre="centre 740", power_mw=0.1)


def stored() -> FeederRun:
    """Return a made-up run whose first data centre has a battery that fills, rests and gives."""
    run = made_up("ieee13")
    feeder = run.feeder
    first = replace(feeder.centres[0], battery=EACH.row())
    charge, gives = np.zeros_like(run.cases[0].draw_kw), np.zeros_like(run.cases[0].draw_kw)
    charge[0, 0], gives[2, 0] = 300.0, 180.0
    held = np.zeros_like(charge)
    held[:, 0] = 300.0 + np.cumsum(0.9 * charge[:, 0] - gives[:, 0] / 0.9)  # 0.9 each way: 0.81 there and back
    for place in (0, 1):
        computers = 500.0 + 0.0 * charge
        run = with_case(run, place, computer_kw=computers, charge_kw=charge, discharge_kw=gives, held_kwh=held,
                        draw_kw=computers + charge - gives)  # fmt: skip
    return replace(run, feeder=replace(feeder, centres=(first, *feeder.centres[1:])))


@pytest.mark.parametrize(
    "question",
    [
        FeederQuestion(),
        FeederQuestion(batteries=(EACH,)),
        FeederQuestion(batteries=(ONE,), edits=(Edit("scale load", value=1.1),)),
        FeederQuestion(batteries=(EACH, ONE)),
    ],
)
def test_controls_hold_the_batteries_of_a_question_and_make_them_again(question: FeederQuestion) -> None:
    words = feeder_asked.words_of(question)
    held = feeder_asked.held_changes(feeder_asked.changes_of(question))
    assert feeder_asked.question_of(words, held) == question
    assert words["batteries"] == ("each" if EACH in question.batteries else "none")
    assert feeder_asked.unedited(question).batteries == tuple(row for row in question.batteries if not row.centre)
    assert set(words) == set(feeder_asked.NAMES)


def test_no_battery_stands_anywhere_unless_it_is_asked_for() -> None:
    assert FeederQuestion().batteries == ()
    assert feeder_asked.words_of(FeederQuestion())["batteries"] == "none"
    assert "battery" not in plain_sentence(FeederQuestion(), "IEEE 37")
    assert "each with a battery of 0.3 MW and 1.2 MWh" in plain_sentence(FeederQuestion(batteries=(EACH,)), "IEEE 37")
    assert "centre 740 has a battery of 0.1 MW" in plain_sentence(FeederQuestion(batteries=(ONE,)), "IEEE 37")


def test_a_battery_takes_the_place_of_the_one_before_and_one_out_of_range_is_refused() -> None:
    feeder = made_up("ieee13").feeder
    name = feeder.centres[0].name
    first = feeder_edits.powered(feeder, name, 0.1, 0.4)
    second = feeder_edits.powered(feeder, name, 0.2, 0.8)
    assert feeder_edits.joined(feeder_edits.joined((), first), second) == (second,)
    assert feeder_edits.joined((Edit("scale load", value=1.1), first), second)[-1] == second
    with pytest.raises(QuestionError, match="energy of a battery"):
        feeder_edits.powered(feeder, name, 0.1, 0.0)
    with pytest.raises(QuestionError, match="no data centre"):
        feeder_edits.powered(feeder, "nobody", 0.1, 0.4)
    standing = replace(feeder, centres=tuple(replace(row, battery=first.row()) for row in feeder.centres))
    with pytest.raises(QuestionError, match="has this battery already"):
        feeder_edits.powered(standing, name, 0.1, 0.4)
    words = feeder_asked.words_of(FeederQuestion(batteries=(EACH,))) | {"battery-efficiency": 200}
    with pytest.raises(QuestionError, match="efficiency of a battery"):
        feeder_asked.question_of(words, [])


def test_schedules_tell_what_the_network_the_computers_and_the_battery_do() -> None:
    run, at = stored(), At("off", 0)
    columns, rows = feeder_schedules.rows(run, at)
    names = [column.name for column in columns]
    assert [name for name in ("computers", "charge", "discharge", "held", "full", "draw") if name in names]
    here = [row for row in rows if row["centre"] == run.feeder.centres[0].name]
    for row in here:
        assert row["draw"] == pytest.approx(row["computers"] + row["charge"] - row["discharge"])
        assert row["full"] == pytest.approx(100.0 * row["held"] / 1200.0)
    assert [row["held"] for row in here] == pytest.approx([570.0, 570.0, 370.0])
    assert all(row["charge"] is None for row in rows if row["centre"] != run.feeder.centres[0].name)
    figure = feeder_schedules.figure(run, at)
    assert trace(figure, f"battery of {run.feeder.centres[0].name}") == pytest.approx([47.5, 47.5, 37000.0 / 1200.0])
    assert trace(figure, "computers of all") == run.cases[0].computer_kw.sum(axis=1).tolist()
    plain = made_up("ieee13")
    assert "charge" not in [column.name for column in feeder_schedules.rows(plain, at)[0]]


def test_the_card_of_a_battery_has_its_balance() -> None:
    run = stored()
    name = run.feeder.centres[0].name
    said = text(card(run, At("off", 2), f"battery:{name}"))
    assert "gives 180.0 kW" in said
    assert "570.0 kWh" in said  # 300 + 0.9 * 300, before
    assert "370 kWh (31 %)" in said.replace("\u2009", " ").replace("\u202f", " ")  # 570 - 180 / 0.9
    assert "held before" in said
    assert "300.0 kWh" in text(card(run, At("off", 0), f"battery:{name}"))  # a quarter of 1,200 in the beginning
    sheet = page_of(feeder_sheet.sheet(run, At("off", 0, "voltage", f"centre:{name}")))
    assert "charges 300.0" in sheet
    assert "Computers draw" in sheet
    with pytest.raises(ValueError, match="no battery"):
        card(made_up("ieee13"), At("off", 0), f"battery:{name}")


def test_the_work_that_is_done_is_that_of_the_computers() -> None:
    run = stored()
    row = run.feeder.centres[0]
    done = feeder_schedules.work_done(run, run.cases[0])[0, 0]
    assert row.pue * (row.idle_kw + row.kw_per_work * done) == pytest.approx(500.0)


def test_a_price_that_may_range_is_told_where_and_how_far() -> None:
    run = made_up("ieee13")
    case = run.cases[0]
    least, most = case.price_least.copy(), case.price_most.copy()
    node = run.nodes.index(("671", "c"))
    least[1, node] -= 2.0
    most[1, node] += 1.5
    open_ = with_case(run, 0, price_least=least, price_most=most)
    said = text(line(open_, open_.cases[0]))
    assert "active at 1 node in 1 hour by more than 0.001 $/MWh. Every reactive price is determined." in said
    assert "3.5000 $/MWh" in said
    assert "bus 671" in said
    determined = "Every price without SVG is determined, of active and of reactive power"
    assert determined in text(line(run, case))
    rises = case.reactive_most.copy()
    rises[2, node] += 0.5
    other = with_case(run, 0, reactive_most=rises)
    said = text(line(other, other.cases[0]))
    assert "reactive at 1 node in 1 hour by more than 0.001 $/Mvarh. Every active price is determined." in said
    assert determined not in said
    assert "0.5000 $/Mvarh" in said
    ends = f"{number(case.reactive_least[2, node], 2)} to {number(rises[2, node], 2)} $/Mvarh"
    assert ends in text(card(other, At("off", 2), "reactive:671:c"))
    columns, rows = feeder_prices.rows(open_, At("off", 1, "price", "bus:671"))
    row = next(row for row in rows if row["hour"] == "01:00")
    assert (row["least_c"], row["most_c"]) == pytest.approx((least[1, node], most[1, node]))
    assert row["least_a"] == row["most_a"] == row["price_a"]
    assert {"least_c", "most_c"} <= {column.name for column in columns}
    endless = with_case(run, 0, price_most=np.where(np.arange(len(run.nodes)) == node, np.inf, case.price_most))
    assert "any higher price" in text(card(endless, At("off", 1), "price:671:c"))
    assert "without an end" in text(line(endless, endless.cases[0]))


def test_limits_exceeded_while_batteries_charge_say_that_these_do_not_see_the_limits() -> None:
    run = stored()
    row = {"hour": 0, "element": "671", "phase": "a", "value": 0.94, "limit": 0.95, "unit": "p.u."}
    broken = with_case(run, 0, facts=run.cases[0].facts | {"violations": [row, {**row, "hour": 1}]})
    for what in ("violations", "penalty"):
        said = text(card(broken, At(), what)).replace("\u2009", "")
        assert "In 1 of the 2 hours in which limits are exceeded batteries charge, 300 kW in 00:00" in said
        assert "batteries charge" not in text(card(run, At(), what))
    taker = replace(broken, question=replace(broken.question, method="price taker"))
    assert "batteries charge" not in text(card(taker, At(), "violations"))
