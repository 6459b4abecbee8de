"""Every number of the Hubs page opens a card, and the card holds that number."""

import re
from functools import lru_cache

import pytest

from callbacks.hubs_tabs import MADE
from components import (
    hubs_cards,
    hubs_checks,
    hubs_ends,
    hubs_hubs,
    hubs_lines,
    hubs_live,
    hubs_models,
    hubs_prices,
    hubs_realtime,
    hubs_schedules,
)
from components.feeder_tables import cell_of, head_of
from components.format import duration, number, percent
from components.hubs_words import OUTCOMES, At, bound_of, dollars, gap_of, labels_of, per_mwh
from components.tables import GridColumn
from engine.pricing.growth import Grown
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun, run_hubs
from tests.callbacks.screen import text
from tests.components.hubs_runs import AT, example, plain, proved, spaced, written
from tests.components.test_hubs_live import FOUND
from tests.components.test_resilience_panels import Tables, statics

# Heads of what is given, or counts rows: not computed.
GIVEN = {"Tariff, $/MWh", "Demand, MW", "Rise of costs, %", "Hubs", "Step"}
GRIDS = {"lines", "hubs"}  # drawn in the browser: their cards stand above


@lru_cache(maxsize=1)
def fleet() -> HubRun:
    """Return hubs at more buses than have a column of prices each."""
    question = HubQuestion(case="fleet", count=24, hours=2, quick_time_s=2.0, ladder=False)
    return run_hubs(question, lambda _digest: ("", b""))


def _uncarded(part: str) -> list[tuple[str, str]]:
    """Return head and number of each cell that opens no card, and whose head opens none."""
    found = []
    tables = Tables(part).tables
    for heads, *rows in tables:
        assert rows
        for row in rows:
            for place, (_, raw, opens) in enumerate(row):
                head, _, shared = heads[place]
                if raw and not opens and not shared and head not in GIVEN:
                    found.append((head, raw))
    return found


@pytest.mark.parametrize("name", [name for name in MADE if name not in GRIDS])
@pytest.mark.parametrize(
    ("run", "at"),
    [
        (example, AT),
        (example, At("before", "exact-linear", 3, "hub:works 724")),
        (example, At("after", "central-linear", 3, "hub:quarter 732")),
        (proved, At()),
        (fleet, At(hour=1)),
    ],
)  # fmt: skip
def test_every_number_of_every_table_opens_a_card_or_its_head_does(name: str, run: object, at: At) -> None:
    answer = run()  # type: ignore[operator]
    parts = statics(MADE[name].content(answer, at))
    if name == "realtime" and answer.real_time is None:
        assert not any("<table" in part for part in parts)
        return
    assert any("<table" in part for part in parts)
    assert [each for part in parts for each in _uncarded(part)] == []


def test_the_tables_of_a_search_that_runs_and_of_sizes_that_were_tried_open_cards_too() -> None:
    tried = [Grown(300, 10, 50.0, "2026-01-02", decisions=5, gap=0.1, exact_s=3.0)]
    for part in (hubs_live.live(FOUND), hubs_checks.content(example(), AT, tried)):
        found = statics(part)
        assert any("<table" in each for each in found)
        assert [spot for each in found for spot in _uncarded(each)] == []


def test_a_number_without_a_card_is_found() -> None:
    bare = '<table><thead><tr><th class="hr-num">Cost</th></tr></thead><tr><td class="hr-num" data-raw="3.5">3.5</td>'
    assert _uncarded(f"{bare}</tr></table>") == [("Cost", "3.5")]


def _cards_by_head(part: object) -> dict[str, str]:
    """Return the words of the card that each head of a table opens, by the head."""
    html = spaced(" ".join(statics(part)))
    found = re.findall(r'<th class="[^"]*" scope="col" data-raw="([^"]*)">(.*?)</th>', html, re.DOTALL)
    return {head: re.sub(r"<[^>]*>", " ", card) for head, card in found}


def _held(column: GridColumn, value: float, card: str) -> bool:
    """Return whether a card holds a number of a column, with the digits of either."""
    forms = [cell_of(column, value)]
    forms += {
        "$": [dollars(value)],
        "%": [percent(value, 1)],
        "MW": [number(value, 3)],
        "": [number(value, 3)],  # MW hour by hour
        "s": [duration(value)],
        "$/MWh": [per_mwh(value)],
    }.get(column.unit, [])
    return any(re.search(rf"(?<![\d.]){re.escape(spaced(form))}(?!\d)", card) for form in forms)


@pytest.mark.parametrize("hour", [0, 12, 21])
@pytest.mark.parametrize("outcome", ["quick-quadratic", "exact-linear"])
def test_heads_of_hours_hold_the_numbers_of_the_hour_that_is_looked_at(hour: int, outcome: str) -> None:
    run, checked = example(), 0
    for hub in run.case.hubs:
        at = At("both", outcome, hour, f"hub:{hub.name}")
        for module in (hubs_prices, hubs_schedules, hubs_realtime):
            columns, rows = module.rows(run, at)
            cards = _cards_by_head(module.content(run, at))
            marked = [row for row in rows if row["marks"]]
            assert marked
            for column in columns:
                if column.kind == "text" or head_of(column) in GIVEN:
                    continue
                for row in marked:
                    value = row[column.name]
                    if abs(value) < 5e-4:  # a card leaves out what is written as 0
                        continue
                    assert _held(column, value, cards[head_of(column)]), (hub.name, column.name, value)
                    checked += 1
    assert checked > 30


def test_of_many_areas_each_hour_is_told_for_the_hub_that_is_chosen() -> None:
    run = fleet()
    chosen = run.case.hubs[5]
    at = At(selection=f"hub:{chosen.name}")
    columns, rows = hubs_prices.rows(run, at)
    cards, row = _cards_by_head(hubs_prices.content(run, at)), rows[int(run.case.area[5])]
    assert [head_of(column) for column in columns[2:]] == labels_of(run)
    for column in columns[1:]:
        assert chosen.name in cards[head_of(column)]
        assert _held(column, row[column.name], cards[head_of(column)])


def test_the_heads_of_models_tell_each_row_and_no_model_is_below_its_bound() -> None:
    run = example()
    columns, rows = hubs_models.rows(run, AT)
    for name in ("best", "worst", "bound", "gap"):
        (column,) = [each for each in columns if each.name == name]
        told = plain(f"each:{name}")
        for row in rows:
            assert _held(column, row[name], told), (name, row[name])
    exact, floor = run.facts["exact"]["bound"], run.floor
    for each in run.outcomes:  # all as one bounds any prices, branch and bound those of hubs of constant costs
        wanted = floor if each.hubs == "quadratic" or each.prices == "central" else max(floor, exact)
        assert bound_of(run, each) == pytest.approx(wanted, rel=1e-9)
        assert each.objective >= bound_of(run, each) * (1.0 - 1e-6)
        assert gap_of(run, each) == pytest.approx(1.0 - wanted / each.objective, abs=1e-6)
    small = proved()
    best = small.facts["best"]
    quick = small.of("quick", "quadratic")
    assert quick is not None
    assert bound_of(small, quick) == max(best["bound"], small.floor)


@pytest.mark.parametrize("selection", ["", "line:703-730", "line:711-740", "hub:works 724"])
@pytest.mark.parametrize("outcome", list(OUTCOMES))
def test_each_number_of_the_chosen_row_of_a_grid_is_on_a_card_above_it(selection: str, outcome: str) -> None:
    run, at = example(), At("both", outcome, 21, selection)
    for module, kind, cards in (
        (hubs_lines, "line", ("over", "load", "limit", "line")),
        (hubs_hubs, "hub", ("owes", "pays", "mean", "peak")),
    ):
        columns, rows = module.rows(run, at)
        row = next((each for each in rows if f"{kind}:{each['name']}" == selection), rows[0])
        above = written(module.content(run, at))
        assert row["name"] in above
        told = " ".join(plain(f"{what}:{row['name']}", at) for what in cards)
        for column in columns:
            value = row.get(column.name)
            if column.kind == "text" or not value or abs(value) < 5e-4:
                continue
            if column.name.startswith("h") and column.name[1:].isdecimal() and column.name != f"h{at.hour}":
                continue  # of another hour: its card opens when that hour is looked at
            assert _held(column, value, told), (column.name, value)


def test_each_search_s_end_is_told_with_its_row_and_the_least_is_the_answer() -> None:
    run = example()
    columns, rows = hubs_ends.rows(run)
    quick, exact = run.of("quick", "quadratic"), run.of("exact", "linear")
    assert quick is not None
    assert exact is not None
    ends = rows[:-1]
    assert len(ends) == len(run.facts["ends"])
    (best,) = [row for row in ends if row["told"].endswith("the best, so the answer")]
    assert best["objective"] == min(row["objective"] for row in ends) == pytest.approx(quick.objective)
    assert sum(row["steps"] for row in ends) == len(run.steps)
    assert rows[-1]["objective"] == pytest.approx(exact.objective, rel=1e-4)
    assert rows[-1]["gap"] <= run.question.exact_gap
    for place, row in enumerate(rows):
        told = plain(f"ended:{place}")
        assert row["gap"] == pytest.approx(1.0 - row["bound"] / row["objective"], abs=1e-6)
        for name in ("objective", "bound"):
            assert spaced(dollars(row[name])) in told
        if row["steps"] is not None:
            assert f"steps {number(row['steps'])}, of which" in told
    assert {column.name for column in columns} == set(rows[0])


def test_what_stands_beside_a_key_number_is_on_its_card() -> None:
    """Beside them: what all as one leaves, the mean price, what hubs spend without, the bound, what is less."""
    run = example()
    central, none = run.of("central", "linear"), run.of("none", "quadratic")
    assert central is not None
    assert none is not None
    beyond = plain("beyond")
    assert f"with all as one {central.overloads.mwh(run.case):.2f} MWh" in beyond
    now = run.of("quick", "quadratic")
    assert now is not None
    was, left = none.overloads.mwh(run.case), now.overloads.mwh(run.case)
    assert f"without prices {was:.2f} MWh: {100.0 * (was - left) / was:.0f} % less" in beyond
    each = none.overloads.line_mw.sum(axis=0) + none.overloads.substation_mw
    assert f"most, {labels_of(run)[int(each.argmax())]} {each.max():.3f} MW" in plain("was")
    assert f"there are some in {int((each > 5e-4).sum())} periods" in plain("was")
    assert f"mean of |δ| {abs(now.price).mean():.1f} $/MWh" in plain("price")
    level = float(abs(now.price).sum())
    assert f"of {number(level, 1)} $/MWh in all" in plain("terms:quick-quadratic").replace("\u2009", " ")
    assert f"{now.objective / run.floor:.2f}" in plain("objective")
    assert text(hubs_cards.card(run, AT, "objective")).count("none") == 0
