"""The panes of the Hubs page as pure functions, on the example that comes with the program; laws judge its numbers."""

import base64
import json
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from plotly.utils import PlotlyJSONEncoder

from callbacks.hubs_tabs import MADE
from components import (
    hubs_cards,
    hubs_checks,
    hubs_diagram,
    hubs_hubs,
    hubs_lines,
    hubs_models,
    hubs_prices,
    hubs_question,
    hubs_realtime,
    hubs_schedules,
    hubs_sheet,
    hubs_steps,
    hubs_totals,
)
from components.format import percent
from components.hubs_words import OUTCOMES, At, after_of, before_of, mwh
from engine.data.openings import HUBS
from engine.distribution.answers import came_with
from engine.distribution.cases import furnished
from engine.pricing.cases import fleet
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.files import to_json
from engine.pricing.jobs import STUDY, study_arguments, study_key
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun, RealTime
from engine.store.shipped import files_of
from tests.callbacks.screen import text

AT = At(hour=21)


@lru_cache(maxsize=1)
def example() -> HubRun:
    """Return the run that comes with the program."""
    arguments = study_arguments(HUBS)
    known = came_with(STUDY, arguments)
    assert known is not None, "python -m engine.data.build_hubs"
    return HubRun.load(files_of(known)[study_key(json.loads(json.dumps(arguments)))])


def written(part: Any) -> str:
    """Return a part with what of it is HTML."""
    return json.dumps(part, cls=PlotlyJSONEncoder)


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
    real = RealTime(quick.price, quick.withdrawal_mw, 7.0, np.full(3, 2.0), np.zeros(3), np.full(24, 0.5),
                    np.zeros(shape), before_of(run, AT).withdrawal_mw, 4.5, np.ones(3))  # fmt: skip
    rolled = HubRun.load(replace(run, real_time=real).save())
    told = written(hubs_realtime.content(rolled, AT)).replace("\\u00a0", " ")
    assert "not knowing leaves 2.50 $ more" in told
    assert "Hubs spend 6.00 $ against 3.00 $" in told
    assert "done late" not in told
    missed = replace(run, real_time=replace(real, missed_mwh=np.array([0.25, 0.0, 0.0])))
    late = written(hubs_realtime.content(missed, AT)).replace("\\u00a0", " ")
    assert "0.25 MWh of work is done late or not by the end of the day" in late
    assert "not knowing leaves" not in late
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


def test_lines_add_up_to_what_is_beyond_limits() -> None:
    run = example()
    columns, rows = hubs_lines.rows(run, AT)
    assert len(rows) == len(run.case.network.lines) + 1
    assert sum(row["now"] for row in rows) == pytest.approx(after_of(run, AT).overloads.mwh(run.case), abs=1e-9)
    assert sum(row["was"] for row in rows) == pytest.approx(before_of(run, AT).overloads.mwh(run.case), abs=1e-9)
    for row in rows:  # hours of one
        assert sum(row[f"h{t}"] for t in range(24)) == pytest.approx(row["now"], abs=1e-9)
    assert sum(column.name.startswith("h") and column.name != "hours" for column in columns) == 24


def test_what_a_hub_takes_in_is_what_it_uses_in_every_hour_and_what_it_holds_follows() -> None:
    run = example()
    for outcome in run.outcomes:
        for place, hub in enumerate(run.case.hubs):
            parts = hubs_schedules.parts_of(run, outcome, place)
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


def test_models_are_told_in_their_order_with_what_bounds_them() -> None:
    run = example()
    _, rows = hubs_models.rows(run, AT)
    assert [row["model"][0] for row in rows] == list("AABCCDD")
    for row in rows:
        assert row["objective"] == pytest.approx(row["best"] + row["prices"])
        assert row["worst"] >= row["best"] - 1e-6
        assert row["bound"] <= row["objective"] + 1e-4
    assert "price of decentralisation" in hubs_models.story(run)


def test_the_story_tells_trouble_cure_and_what_chance_may_undo() -> None:
    run = example()
    exact = At(outcome="exact-linear")
    none, found = before_of(run, exact), after_of(run, exact)
    assert f"{none.overloads.mwh(run.case):.2f}" in hubs_sheet.trouble(run, exact)
    told = hubs_sheet.cure(run, exact)
    assert f"{found.overloads.mwh(run.case):.2f}" in told
    assert ("at worst" in told) == (found.worst_cost > found.overload_cost + 1.0)
    assert ("receive" in told) == (float(found.paid.sum()) < 0.0)


def test_the_drawing_holds_each_line_once_and_its_loading() -> None:
    run = example()
    made = hubs_diagram.drawing(run)
    feeder = furnished("ieee37")
    assert sorted(link[3] for link in made["links"] if link[3] >= 0) == list(range(len(run.case.network.lines)))
    assert len(made["buses"]) == len(feeder.buses)
    assert len(made["links"]) == len(made["buses"]) - 1  # a tree
    quick = after_of(run, AT)
    told = made["outcomes"]["quick-quadratic"]["loading"]
    whole = np.frombuffer(base64.b64decode(told["b"]), dtype="<i2").reshape(24, told["k"])
    loading = np.array(told["o"])[:, np.newaxis] + np.array(told["s"])[:, np.newaxis] * whole
    lines = 100.0 * np.abs(quick.overloads.flow_mw).T / run.case.network.limit_mw
    assert np.allclose(loading[:, :-1], lines, atol=5e-3)
    sub = 100.0 * quick.overloads.substation_flow_mw / run.case.network.import_mw
    assert np.allclose(loading[:, -1], sub, atol=5e-3)
    json.dumps(made, allow_nan=False)


def test_a_case_is_drawn_as_the_feeder_whose_lines_it_has_and_another_as_bars() -> None:
    found = hubs_diagram.feeder_of(fleet(5, feeder="ieee123", hours=2))
    assert found is not None
    assert found.name == furnished("ieee123").name
    small = fleet(5, hours=2)
    lines = tuple(f"own {name}" for name in small.network.lines)
    assert hubs_diagram.feeder_of(replace(small, network=replace(small.network, lines=lines))) is None


@pytest.mark.parametrize(
    "what",
    ["beyond", "was", "price", "cost", "paid", "objective", "apart", "outcome:exact-linear", "substation",
     "line:711-740", "charge:works 724", "draw:works 724", "owes:works 724", "pays:works 724",
     "realtime",
     "mean:works 724", "peak:works 724", "over:711-740", "over:substation", "load:711-740", "load:substation"],
)  # fmt: skip
def test_every_number_says_why(what: str) -> None:
    told = text(hubs_cards.card(example(), AT, what))
    assert "Method:" in told
    assert example().provenance["case_digest"][:8] in told


@pytest.mark.parametrize(
    "what",
    [
        "line:nowhere",
        "charge:nobody",
        "draw:",
        "owes:x",
        "pays:x",
        "mean:x",
        "peak:x",
        "over:x",
        "load:x",
        "outcome:none-none",
        "realtime",
    ],
)
def test_a_card_of_what_is_not_there_is_refused(what: str) -> None:
    with pytest.raises(ValueError, match="no "):
        hubs_cards.card(replace(example(), real_time=None), AT, what)


@pytest.mark.parametrize("selection", ["", "line:711-740", "hub:campus 740"])
def test_the_grids_tell_why_of_the_row_that_is_chosen_and_the_cards_hold_its_numbers(selection: str) -> None:
    """What a card counts from flows is what its row holds; what a hub pays and draws is in its own schedule."""
    run, at = example(), At(hour=21, selection=selection)
    _, lines = hubs_lines.rows(run, at)
    line = next((row for row in lines if f"line:{row['name']}" == selection), lines[0])
    over, load = (text(hubs_cards.card(run, at, f"{what}:{line['name']}")) for what in ("over", "load"))
    assert mwh(line["was"]) in over
    assert f"{mwh(line['now'])} in {line['hours']} hour" in over
    for name in ("most_was", "most"):
        assert f"at most {percent(line[name], 1)} at" in load
    told = written(hubs_lines.content(run, at))
    assert ("Why, for the substation" if line["name"] == "substation" else f"Why, for line {line['name']}") in told
    hub = next((row for row in hubs_hubs.rows(run, at)[1] if f"hub:{row['name']}" == selection), None)
    row = hub or hubs_hubs.rows(run, at)[1][0]
    for what, number in (
        ("mean", f"{row['price']:.1f}"),
        ("peak", f"{row['peak']:.3f}"),
        ("pays", f"{row['paid']:.1f}"),
    ):
        assert number in text(hubs_cards.card(run, at, f"{what}:{row['name']}"))
    assert f"Why, for {row['name']}" in written(hubs_hubs.content(run, at))


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


def test_certificates_are_told_with_what_they_should_be() -> None:
    _, rows = hubs_checks.rows(example(), AT)
    assert {row["holds"] for row in rows} == {"yes"}
    assert sum(row["holds"] == "yes" for row in rows) >= len(rows) - 1
    told = written(hubs_checks.content(example(), AT))
    assert "run_hubs" in told
    rungs = written(hubs_steps.content(example(), AT))
    assert rungs.count("hubs-table-rungs") >= 1
    for rung in example().facts["ladder"]:
        assert f"{rung['objective']:.2f}" in rungs
    assert "synthetic" in told
