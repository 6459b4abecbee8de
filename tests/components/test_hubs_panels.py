"""The panes of the Hubs page as pure functions, on the example that comes with the program; laws judge its numbers."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from callbacks.hubs_tabs import MADE
from components import (
    hubs_cards,
    hubs_diagram,
    hubs_models,
    hubs_parts,
    hubs_prices,
    hubs_question,
    hubs_realtime,
    hubs_schedules,
    hubs_sheet,
    hubs_totals,
)
from components.hubs_words import OUTCOMES, At, after_of, before_of
from engine.data.openings import HUBS
from engine.pricing.cases import fleet
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.files import to_json
from engine.pricing.question import HubQuestion
from engine.pricing.rolling import BEYOND
from engine.pricing.run import HubRun, RealTime
from tests.callbacks.screen import text
from tests.components.hubs_runs import AT, example, written


def test_the_example_is_of_the_case_that_the_question_has_now_and_has_all_four_models() -> None:
    run = example()
    assert run.question == HUBS
    assert run.case.digest == HUBS.made(lambda _digest: ("", b"")).digest, "python -m engine.data.build_hubs"
    assert {each.prices for each in run.outcomes} == {"none", "central", "exact", "quick"}
    none, quick = run.of("none", "quadratic"), run.of("quick", "quadratic")
    assert none is not None
    assert quick is not None
    assert 0.0 < quick.overloads.mwh(run.case) < none.overloads.mwh(run.case)  # there is something to show


@pytest.mark.parametrize(
    ("outcome", "selection"),
    list(
        zip([*OUTCOMES, "gone"], ["", "hub:works 724", "line:711-740", "hub:nowhere", "line:", "nonsense"], strict=True)
    ),
)
def test_every_pane_is_made_of_whatever_is_looked_at(outcome: str, selection: str) -> None:
    run, at = example(), At("both", outcome, 500, selection)
    assert written(hubs_totals.totals_of(run, at))
    assert written(hubs_sheet.sheet(run, at))
    for tab in MADE.values():
        assert written(tab.content(run, at))
        columns, rows = tab.rows(run, at)
        assert all(column.name in row for column in columns for row in rows)


def test_a_run_of_very_many_hubs_has_no_linear_ones_and_is_shown_all_the_same() -> None:
    kept = tuple(each for each in example().outcomes if each.hubs == "quadratic" or each.prices == "central")
    run = replace(example(), outcomes=tuple(each for each in kept if each.prices != "exact"))
    for outcome in OUTCOMES:
        at = At(outcome=outcome)
        assert written(hubs_totals.totals_of(run, at))
        assert written(hubs_sheet.sheet(run, at))
        for tab in MADE.values():
            assert written(tab.content(run, at))
            assert tab.rows(run, at)[0]
    assert hubs_models.figure(run, AT).data
    assert set(hubs_diagram.drawing(run)["outcomes"]) == {"none-quadratic", "quick-quadratic", "central-linear"}


def test_a_day_in_real_time_is_told_against_the_one_that_was_known() -> None:
    run, shape = example(), (3, 24)
    quick = after_of(run, AT)
    real = RealTime(
        price=quick.price, withdrawal_mw=quick.withdrawal_mw, overload_cost=7.0, hub_cost=np.full(3, 2.0),
        missed_mwh=np.zeros(3), waiting_mwh=np.zeros(3), step_s=np.full(24, 0.5), foresight_price=np.zeros(shape),
        foresight_withdrawal_mw=before_of(run, AT).withdrawal_mw, foresight_overload_cost=4.5,
        foresight_hub_cost=np.ones(3),
    )  # fmt: skip
    rolled = HubRun.load(replace(run, real_time=real).save())
    told = written(hubs_realtime.content(rolled, AT)).replace("\\u00a0", " ")
    assert "not knowing leaves 2.50 $ more" in told
    assert "Hubs spend 6.00 $ against 3.00 $" in told
    assert "done late" not in told
    missed = replace(run, real_time=replace(real, missed_mwh=np.array([0.25, 0.0, 0.0])))
    late = written(hubs_realtime.content(missed, AT)).replace("\\u00a0", " ")
    assert "0.25 MWh of work is done late or not by the end of the day" in late
    assert "not knowing leaves" not in late
    assert "waits for the next" not in told
    left = replace(run, real_time=replace(real, waiting_mwh=np.array([0.5, 0.0, 0.25])))
    assert "0.75 MWh of work waits for the next" in written(hubs_realtime.content(left, AT)).replace("\\u00a0", " ")
    assert BEYOND in told
    _, rows = hubs_realtime.rows(rolled, AT)
    assert sum(row["over"] for row in rows) == pytest.approx(quick.overloads.mwh(run.case), abs=1e-9)
    assert sum(row["took"] for row in rows) == pytest.approx(12.0)
    assert hubs_realtime.figure(rolled, AT).data
    assert "known" in text(hubs_cards.card(rolled, AT, "realtime"))


@pytest.mark.parametrize("show", ["before", "after", "both"])
def test_every_chart_is_made_in_both_themes(show: Any) -> None:
    for tab in MADE.values():
        if tab.figure is not None:
            made = tab.figure(example(), At(show, hour=3), "dark" if show == "both" else "light")
            assert made.data or made.layout.annotations  # an empty one says why


def test_totals_are_those_of_the_hubs_withdrawals_counted_again() -> None:
    run = example()
    found = {one.what: one.value for one in hubs_totals.measures(run, AT)}
    quick, none = after_of(run, AT), before_of(run, AT)
    again = [Overloads.of(run.case, each.withdrawal_mw) for each in (none, quick)]
    assert [found["was"], found["beyond"]] == pytest.approx([each.mwh(run.case) for each in again], abs=1e-9)
    weighed = again[1].cost(run.case) + PriceTerms.of(run.case).cost(quick.price).total
    assert found["objective"] == pytest.approx(weighed, abs=1e-6)
    imports = [own.priced @ x for own, x in zip(run.programs(), quick.points, strict=True)]
    assert found["paid"] == pytest.approx(float(np.sum(quick.price * np.array(imports))), abs=1e-6)  # an area is a hub
    assert found["apart"] == pytest.approx(again[1].cost(run.case) - run.floor, abs=1e-6)


def test_what_a_hub_takes_in_is_what_it_uses_in_every_hour_and_what_it_holds_follows() -> None:
    run = example()
    for outcome in run.outcomes:
        for place, hub in enumerate(run.case.hubs):
            parts = hubs_parts.parts_of(run, outcome, place)
            taken = sum(parts[kind] for kind in hubs_schedules.IN if kind in parts)
            used = sum(parts[kind] for kind in hubs_schedules.OUT if kind in parts)
            assert np.allclose(taken, used, atol=1e-5), (outcome.prices, hub.name)
            if hub.battery is not None:
                row = hub.battery
                moved = row.charge_efficiency * parts["charge"] - parts["discharge"] / row.discharge_efficiency
                assert np.allclose(row.start_mwh + np.cumsum(moved), parts["energy"], atol=1e-5)


def test_prices_of_the_table_are_those_of_the_outcome_and_many_areas_are_rows() -> None:
    run = example()
    price = after_of(run, AT).price
    _, rows = hubs_prices.rows(run, AT)
    assert np.allclose([[row[f"p{k}"] for row in rows] for k in range(3)], price)
    assert [row["tariff"] for row in rows] == list(run.case.buy_per_mwh)
    assert hubs_prices.names_of(run) == ["campus 740", "works 724", "quarter 732"]


def test_the_sentence_of_a_case_of_one_s_own_says_that_its_hours_are_those_of_its_file() -> None:
    """The word of hours shortens the cases that come with the program; a file is studied as it is."""
    own = HubQuestion(dataset="f" * 64, hours=5)
    for asked, shown in ((own, False), (HubQuestion(hours=5), True)):
        told = written(hubs_question.question(asked, own=[("f" * 64, "ring.json")]))
        hours = re.search(r'"className": "hr-hubs-hours", "hidden": (true|false)', told)
        file = re.search(r'"className": "hr-hubs-file-hours", "hidden": (true|false)', told)
        assert hours is not None
        assert file is not None
        assert (hours[1], file[1]) == (("false", "true") if shown else ("true", "false"))
        assert ("5 hours" in hubs_question.plain_sentence(asked, "ring")) is shown
    case = fleet(2, hours=7)
    assert replace(own, fairness="mean").made(lambda _digest: ("ring.json", to_json(case))).periods == 7
