"""The panes of the Hubs page as pure functions, on the example that comes with the program; laws judge its numbers."""

import base64
import json
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

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
from components.format import number, percent
from components.hubs_view import read_question
from components.hubs_why import substation_parts
from components.hubs_words import OUTCOMES, At, after_of, before_of, dollars, key_of, mwh, per_mwh
from engine.data.openings import HUBS
from engine.distribution.answers import came_with
from engine.distribution.cases import furnished
from engine.distribution.feeder import Transformer
from engine.pricing.cases import fleet
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.files import to_json
from engine.pricing.jobs import STUDY, study_arguments, study_key
from engine.pricing.question import HubQuestion
from engine.pricing.rolling import BEYOND
from engine.pricing.run import HubRun, RealTime, run_hubs
from engine.program import Status
from engine.store.shipped import files_of
from tests.callbacks.screen import text
from tests.engine.pricing.small import two_hubs

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
        assert row["above"] == pytest.approx(row["best"] - run.floor)
        assert row["bound"] <= row["objective"] + 1e-4
    assert "price of decentralisation" in hubs_models.story(run)
    quick = after_of(run, AT)
    drawn = json.dumps(hubs_models.figure(run, AT).to_dict()["layout"]["annotations"], default=str, ensure_ascii=False)
    exact = run.of("exact", "linear")
    assert exact is not None
    apart = [dollars(each.overload_cost - run.floor) for each in (exact, quick)]
    assert f"over B: C {apart[0]}, D {apart[1]}" in drawn


def test_a_worst_that_is_not_proved_is_told_with_its_bound() -> None:
    run = example()
    exact = run.of("exact", "linear")
    assert exact is not None
    late = replace(exact, worst_status=Status.TIME_LIMIT, worst_bound=exact.worst_cost + 10.0)
    told = replace(run, outcomes=tuple(late if each is exact else each for each in run.outcomes))
    words = f"{exact.worst_cost:.1f} $ at least, {exact.worst_cost + 10.0:.1f} $ at most"
    assert words in plain("overload:exact-linear", run=told)
    assert words in hubs_models.story(told).replace("\u00a0", " ")
    proved_ = replace(run, outcomes=tuple(replace(each, worst_status=Status.OPTIMAL) for each in run.outcomes))
    assert "at least" not in plain("overload:exact-linear", run=proved_)


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


def spaced(told: str) -> str:
    """Return words with plain spaces and minus signs."""
    return re.sub("[\u00a0\u2009]", " ", told).replace("\u2212", "-")


def plain(what: str, at: At = AT, run: HubRun | None = None) -> str:
    """Return the words of a card with plain spaces and minus signs."""
    return spaced(text(hubs_cards.card(run or example(), at, what)))


@lru_cache(maxsize=1)
def numbers() -> dict[str, str]:
    """Return for each card a number that it must hold, counted from withdrawals and prices again, as it is written."""
    run, hour, place = example(), AT.hour, 1
    quick, none, exact = after_of(run, AT), before_of(run, AT), run.of("exact", "linear")
    assert exact is not None
    network, step = run.case.network, run.case.step_h
    row = network.lines.index("711-740")
    flow = network.background_mw - network.share @ quick.withdrawal_mw
    whole = network.substation_mw + quick.withdrawal_mw.sum(axis=0)
    over = np.maximum(np.abs(flow) - network.limit_mw[:, np.newaxis], 0.0)
    tight = network.lines.index("703-730")
    before = np.abs(network.background_mw[tight] - network.share[tight] @ none.withdrawal_mw)
    was = float(np.maximum(before - network.limit_mw[tight], 0.0).sum()) * step
    assert was > 0.0
    beyond = float(over.sum() + np.maximum(whole - network.import_mw, 0.0).sum()) * step
    price, own = quick.price[place], run.programs()[place]
    spent = float(own.cost @ quick.points[place])
    paid = float(price @ own.of(quick.points[place], "import")) * step
    weighed = PriceTerms.of(run.case).cost(quick.price).total
    return {
        "beyond": mwh(beyond),
        "was": mwh(Overloads.of(run.case, none.withdrawal_mw).mwh(run.case)),
        "price": per_mwh(float(quick.price.ravel()[np.abs(quick.price).argmax()])),
        "cost": dollars(float((quick.hub_cost - none.hub_cost).sum())),
        "paid": dollars(float(quick.paid.sum())),
        "objective": dollars(100.0 * beyond + weighed),
        "apart": dollars(100.0 * beyond - run.floor),
        "floor": dollars(run.floor),
        "outcome:exact-linear": dollars(exact.overload_cost + PriceTerms.of(run.case).cost(exact.price).total),
        "overload:quick-quadratic": mwh(beyond),
        "terms:quick-quadratic": dollars(weighed),
        "spent:exact-linear": dollars(float(exact.hub_cost.sum())),
        "passed:exact-linear": dollars(float(exact.paid.sum())),
        "substation": number(float(whole[hour]), 3),
        "line:substation": number(float(whole[hour]), 3),
        "line:711-740": number(float(flow[row, hour]), 3),
        "over:703-730": mwh(was),
        "over:substation": mwh(float(np.maximum(whole - network.import_mw, 0.0).sum()) * step),
        "load:711-740": percent(float(np.abs(flow[row, hour]) / network.limit_mw[row]), 1),
        "load:substation": percent(float(whole[hour]) / network.import_mw, 1),
        "charge:works 724": per_mwh(float(run.case.buy_per_mwh[hour] + price[hour])),
        "draw:quarter 732": number(float(quick.withdrawal_mw[2, hour]), 3),
        "owes:works 724": dollars(spent),
        "pays:works 724": dollars(paid),
        "mean:works 724": per_mwh(float(price.mean())),
        "peak:works 724": number(float(quick.withdrawal_mw[place].max()), 3),
        "realtime": dollars(np.ravel(run.real_time.overload_cost)[0] if run.real_time else np.nan),
        "rung:3": dollars(example().facts["ladder"][3]["objective"]),
    }


@pytest.mark.parametrize(
    "what",
    ["beyond", "was", "price", "cost", "paid", "objective", "apart", "floor", "outcome:exact-linear",
     "overload:quick-quadratic", "terms:quick-quadratic", "spent:exact-linear", "passed:exact-linear", "substation",
     "line:substation", "line:711-740", "over:703-730", "over:substation", "load:711-740", "load:substation",
     "charge:works 724", "draw:quarter 732", "owes:works 724", "pays:works 724", "mean:works 724", "peak:works 724",
     "realtime", "rung:3"],
)  # fmt: skip
def test_every_number_says_why_with_the_number_counted_again(what: str) -> None:
    told = plain(what)
    assert spaced(numbers()[what]) in told, told
    assert "Method:" in told
    assert example().provenance["case_digest"][:8] in told


def test_what_a_line_may_carry_is_counted_from_its_rating_and_what_the_substation_may_from_the_table() -> None:
    """The limit of the case stands on the card as the product of rating, voltage and power factor does."""
    run = example()
    feeder, network = furnished("ieee37"), run.case.network
    for name, limit in zip(network.lines, network.limit_mw.tolist(), strict=True):
        told = plain(f"limit:{name}")
        assert told.count(f"{limit:.3f} MW") == 2, told  # by the formula, and as the case has it
        link = next(each for each in feeder.links if each.name == name)
        own = f"{link.kva:,.0f} kVA".replace(",", " ") if isinstance(link, Transformer) else f"{link.rating_a:g} A"
        assert own in told
    told = plain("limit:substation")
    assert told.count(f"{network.import_mw:.3f} MW") == 3  # by the formula, for imports and for exports
    assert f"{sum(row.kw for row in feeder.loads) / 1e3:.3f} MW" in told


@pytest.mark.parametrize("show", ["quick-quadratic", "exact-linear"])
def test_what_a_hub_holds_is_told_by_what_moved_into_it_and_out_of_it(show: str) -> None:
    """The card counts from powers and what was held before; the schedule has what the program says is held."""
    run, counted = example(), 0
    for place, hub in enumerate(run.case.hubs):
        parts = hubs_schedules.parts_of(run, after_of(run, At(outcome=show)), place)
        for kind in hubs_schedules.HELD:
            if kind not in parts:
                with pytest.raises(ValueError, match=f"no {kind} at '{hub.name}'"):
                    hubs_cards.card(run, AT, f"{kind}:{hub.name}")
                continue
            for hour in (0, 1, 12, 23):
                told = plain(f"{kind}:{hub.name}", At(outcome=show, hour=hour))
                found = re.findall(r": (-?[\d.]+) MWh", told.split("What binds")[0])
                assert float(found[-1]) == pytest.approx(parts[kind][hour], abs=6e-4), told
                counted += 1
    assert counted == 16  # two batteries, one store of hydrogen, one queue of work, four hours each


def test_an_hour_in_real_time_is_told_with_the_numbers_of_its_row() -> None:
    run = example()
    _, rows = hubs_realtime.rows(run, AT)
    row = rows[AT.hour]
    assert row["marks"]
    assert f"{spaced(per_mwh(row['price']))}: the mean price" in plain("again-price")
    assert f"mean, all known {spaced(per_mwh(row['known']))}" in plain("again-price")
    assert f"hour by hour {number(row['over'], 3)} MW" in plain("again-over")
    assert f"all known {number(row['over_known'], 3)} MW" in plain("again-over")
    assert f"{row['took']:.1f} s for the prices of" in plain("again-took")


def test_a_ladder_tells_at_which_of_its_two_ends_it_ends() -> None:
    run = example()
    exact = run.of("exact", "linear")
    assert exact is not None
    worst = exact.worst_cost + exact.price_cost.total
    for reached, words in (
        (exact.objective + 1.0, "nearer to the first"),
        (worst - 1.0, "nearer to the second"),
        (exact.bound + 0.1, "to the first, and below it"),
    ):
        last = dict(run.facts["ladder"][-1]) | {"objective": reached}
        told = written(hubs_steps.content(replace(run, facts={**run.facts, "ladder": [last]}), AT))
        assert words in told
    bare = replace(run, outcomes=tuple(each for each in run.outcomes if each.prices != "exact"))
    assert "exact prices tell: they were not found here" in written(hubs_steps.content(bare, AT))


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
        "passed:none-none",
        "realtime",
        "again-price",
        "again-over",
        "again-took",
        "limit:x",
        "energy:x",
        "proof:x",
        "rung:9",
        "best",
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
    for what, shown in (
        ("mean", f"{row['price']:.1f}"),
        ("peak", f"{row['peak']:.3f}"),
        ("pays", f"{row['paid']:.1f}"),
    ):
        assert shown in text(hubs_cards.card(run, at, f"{what}:{row['name']}"))
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


def test_certificates_are_told_as_found_and_one_that_is_broken_does_not_hold() -> None:
    run = example()
    _, rows = hubs_checks.rows(run, AT)
    assert [row["holds"] for row in rows] == ["yes"] * 6
    told = run.facts["certificates"]
    for row in rows[:4]:
        assert float(row["found"]) == pytest.approx(told[row["name"]], rel=0.06)
        assert row["found"] in plain(f"proof:{row['name']}")
    for broken, words in (
        ({"certificates": {**told, "residual": 2e-6}}, "conditions of optimality"),
        ({"certificates": {**told, "second_solver": 2e-5}}, "second solver"),
        ({"certificates": {**told, "both_ways_mw": 2e-6}}, "at once"),
        ({"certificates": {**told, "gradient": 2e-5}}, "Slope"),
        ({"certificates": {**told, "order": False}}, "Bounds in their order"),
        ({"by_exports_mwh": 0.001}, "exports alone"),
    ):
        _, rows = hubs_checks.rows(replace(run, facts={**run.facts, **broken}), AT)
        fails = [row["what"] for row in rows if not row["holds"].startswith("yes")]
        assert len(fails) == 1
        assert words in fails[0]


def test_the_checks_have_the_lines_that_run_it_again_and_say_that_its_numbers_are_synthetic() -> None:
    told = written(hubs_checks.content(example(), AT))
    assert "run_hubs" in told
    assert "synthetic" in told
    rungs = written(hubs_steps.content(example(), AT))
    for rung in example().facts["ladder"]:
        assert f"{rung['objective']:.2f}" in rungs


def test_every_number_of_the_tables_of_models_and_certificates_opens_a_card() -> None:
    run = example()
    models = written(hubs_models.content(run, AT))
    for row in range(len(run.outcomes)):
        for column in ("mwh", "prices", "objective", "cost", "paid"):
            assert f"hubs-table-models-why-{row}-{column}" in models
    checks = written(hubs_checks.content(run, AT))
    for row in range(6):
        assert f"hubs-table-checks-why-{row}-found" in checks
    assert "hubs-table-rungs-why-3-objective" in written(hubs_steps.content(run, AT))


@lru_cache(maxsize=1)
def proved() -> HubRun:
    """Return a case done by hand of 2 hubs over 4 hours, small enough that its best quick prices are proved."""
    question = HubQuestion(dataset="hand", quick_time_s=20.0)
    return run_hubs(question, lambda _digest: ("hand.json", to_json(two_hubs())))


def test_quick_prices_stand_in_a_chain_of_bounds_with_their_ratio_to_the_best_where_that_is_proved() -> None:
    """The exact optimum of two hubs done by hand is that of the specification's ramp: quick prices reach it."""
    run = proved()
    _, rows = hubs_checks.chain(run)
    values = [row["value"] for row in rows]
    assert [row["name"] for row in rows] == ["floor", "best", "quick", "none"]
    assert values == sorted(values)
    assert values[1] == pytest.approx(run.facts["best"]["bound"], rel=1e-3)
    assert values[2] == pytest.approx(values[1], rel=1e-6)
    told = hubs_checks.gap_words(run)
    assert "a ratio of 1.0000" in told
    assert "at most 0.00 % above the best there are" in told or "at most 0 % above" in told
    assert "none below" in plain("best", run=run)
    quick = run.of("quick", "quadratic")
    assert quick is not None
    worse = replace(run, facts={**run.facts, "best": {**run.facts["best"], "objective": quick.objective / 1.25,
                                                      "bound": quick.objective / 1.28}})  # fmt: skip
    assert "a ratio of 1.25" in hubs_checks.gap_words(worse)
    assert "at most 28.00 % above" in hubs_checks.gap_words(worse)
    assert "Ask it of" not in written(hubs_checks.content(run, AT))


def test_where_the_best_is_not_known_it_is_told_why_and_one_press_asks_for_it() -> None:
    run = example()
    quick = after_of(run, AT)
    told = hubs_checks.gap_words(run)
    assert "at most 24 hubs times periods: this one has 72" in told
    assert f"at most {quick.objective / quick.bound:.2f} times the best" in told
    assert hubs_checks.chain(run)[1][1]["value"] is None
    link = re.search(r"/hubs\?ask=([^&\"]+)&(?:amp;)?tab=checks", written(hubs_checks.content(run, AT)))
    assert link is not None
    asked = read_question({"ask": unquote(link[1])})
    assert asked == replace(HUBS, hours=8, window=8)
    assert asked is not None
    case = asked.made(lambda _digest: ("", b""))
    assert len(case.hubs) * case.periods <= 24
    small = replace(proved(), question=replace(proved().question, ladder=False), facts={**proved().facts, "best": None})
    assert "was not asked for" in hubs_checks.gap_words(small)
    own = written(hubs_checks.content(small, AT, study="abc"))
    assert "study=abc" in own
    assert "Ask it of this case" in own
    for question, hubs, periods in (
        (HubQuestion(dataset="f" * 64), 3, 24),  # a file is studied as it is
        (HubQuestion(case="fleet", count=30), 30, 24),
    ):
        assert hubs_checks.smaller(question, hubs, periods) is None


def test_a_ladder_that_was_not_asked_for_is_told_and_one_press_asks_for_it() -> None:
    run = example()
    bare = replace(run, question=replace(run.question, ladder=False), facts={**run.facts, "ladder": []})
    told = written(hubs_steps.content(bare, AT))
    assert "Costs that rise less were not tried" in told
    link = re.search(r"/hubs\?([^\"]*)tab=steps", told)
    assert link is not None
    assert link[1] == "&"  # what the page opens with
    many = replace(bare, case=replace(run.case, hubs=run.case.hubs * 21))
    assert "at most 60 hubs" in written(hubs_steps._rungs(many, AT))


def test_the_substation_is_chosen_and_told_like_a_line() -> None:
    run, at = example(), At(hour=21, selection="line:substation")
    told = re.sub("[\u00a0]", " ", json.dumps(json.loads(written(hubs_sheet.sheet(run, at))), ensure_ascii=False))
    assert "The substation" in told
    for each in (before_of(run, at), after_of(run, at)):
        assert f"{each.overloads.substation_flow_mw[21]:.3f}" in told
    assert "Why, for the substation" in written(hubs_lines.content(run, at))


def test_a_substation_that_may_not_export_is_beyond_its_limit_by_whatever_it_exports() -> None:
    """A limit of 0 has no parts: nothing that flows is 0, anything else ten times it."""
    run = example()
    quick = after_of(run, AT)
    network = replace(run.case.network, export_mw=0.0)
    assert np.allclose(substation_parts(network, np.array([-0.1, 0.0, network.import_mw])), [10.0, 0.0, 1.0])
    closed = replace(run, case=replace(run.case, network=network))
    json.dumps(hubs_diagram.drawing(closed), allow_nan=False)
    assert np.isfinite(hubs_diagram.drawing(closed)["outcomes"][key_of(quick)]["sub"]).all()
