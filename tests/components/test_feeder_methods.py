"""The Methods tab: the cycle of the best response, one legend for each chart, the comparison's own provenance."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from components import feeder_cycles, feeder_methods
from components.feeder_cards_methods import rounds_card, row_card, schedules_card
from components.feeder_layers import At
from components.theme import token
from engine.distribution.answers import shipped_methods
from engine.distribution.methods_run import Course, MethodsRun
from engine.distribution.question import FeederQuestion
from tests.callbacks.screen import text
from tests.components.feeder_runs import worked
from tests.components.test_feeder_panels import page_of

NAIVE, DAMPED = "best response", "best response, damped"


@lru_cache(maxsize=1)
def methods() -> MethodsRun:
    found = shipped_methods(FeederQuestion())
    assert found is not None
    return found


def cycle_of_three() -> MethodsRun:
    """Three rounds that differ in the second hour alone, where the first data centre draws 10, 20, 30 kW."""
    known = methods()
    hours, rest = len(known.labels), (5.0,) * (len(known.centres) - 1)
    rounds = tuple(
        tuple((kw if hour == 1 else 1.0, *rest) for hour in range(hours)) for kw in (10.0, 20.0, 30.0)
    )  # fmt: skip
    course = Course(NAIVE, (9.0, 8.0, 3.0, 4.0, 5.0), (), 3, rounds)
    return replace(known, courses=(course, *known.courses[1:]))


def content(held: MethodsRun) -> str:
    return page_of(feeder_methods.content(worked(), At(), held))


def test_the_cycle_is_told_by_hour_round_and_centre_with_what_changes_marked() -> None:
    held = cycle_of_three()
    _, rows = feeder_cycles.rows(held)
    assert len(rows) == 3 * len(held.labels)
    second = [row for row in rows if row["hour"] == held.labels[1]]
    assert [(row["round"], row["draw0"], row["moved"]) for row in second] == [
        (1, 10.0, 20.0), (2, 20.0, 10.0), (3, 30.0, 10.0),
    ]  # fmt: skip
    assert {"face0" in row for row in second} == {True}
    assert not any("face1" in row for row in second)
    assert not any("face0" in row for row in rows if row["hour"] != held.labels[1])
    shown = content(held)
    assert "feeder-table-cycle-why" in shown
    assert shown.count('class="hr-feeder-moved"') == 3
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", shown))
    assert "Round 1 pays 3.00 $; round 2 pays 4.00 $; round 3 pays 5.00 $" in told


def test_the_chart_of_the_cycle_has_the_rows_of_its_table() -> None:
    held = cycle_of_three()
    figure = feeder_methods.figure(worked(), At(), "light", held)
    (heat,) = (one for one in figure.data if one.type == "heatmap")
    _, rows = feeder_cycles.rows(held)
    drawn = {(hour, name): z for name, line in zip(heat.y, heat.z, strict=True)
             for hour, z in zip(heat.x, line, strict=True)}  # fmt: skip
    assert drawn == {
        (row["hour"], f"round {row['round']}, {centre}"): row[f"draw{at}"]
        for row in rows for at, centre in enumerate(held.centres)
    }  # fmt: skip
    (moved,) = (one for one in figure.data if one.name and one.name.startswith("changes from round to round"))
    assert set(moved.x) == {held.labels[1]}
    assert len(moved.x) == 3
    settled = replace(held, courses=held.courses[1:])
    assert not any(one.type == "heatmap" for one in feeder_methods.figure(worked(), At(), "light", settled).data)
    assert "feeder-table-cycle" not in content(settled)


def test_each_chart_has_its_legend_and_no_two_lines_share_a_colour() -> None:
    figure = feeder_methods.figure(worked(), At(), "light", methods())
    lines = {one.name: one for one in figure.data if one.name in {NAIVE, DAMPED, "best bound", "objective"}}
    assert {lines[name].legend for name in (NAIVE, DAMPED)} == {"legend2"}
    assert not lines["best bound"].legend
    assert lines["best bound"].line.color == token("binding", "light")
    assert len({lines[name].line.color for name in (NAIVE, DAMPED, "best bound")}) == 3
    assert len({lines[name].marker.symbol for name in (NAIVE, DAMPED)}) == 2


@pytest.mark.parametrize("svg", [False, True])
def test_best_responses_are_drawn_above_the_bound(svg: bool) -> None:
    """Every round pays at least the bound: what it pays above it tells the last rounds apart on an axis of powers."""
    held = methods() if not svg else cycle_of_three()
    figure = feeder_methods.figure(worked(), At(), "light", held)
    for course in held.courses:
        drawn = next(one for one in figure.data if one.name == course.method)
        assert list(drawn.y) == pytest.approx([max(each - held.bound, 5e-3) for each in course.payment])
        assert list(drawn.customdata) == list(course.payment)


def test_up_to_the_most_is_drawn_only_where_a_price_is_open() -> None:
    known = methods()
    closed = replace(known, rows=tuple(replace(row, payment_most=row.payment) for row in known.rows))
    open_ = replace(known, rows=tuple(replace(row, payment_most=row.payment + 3.0) for row in known.rows))
    for held, there in ((closed, False), (open_, True)):
        names = [one.name for one in feeder_methods.figure(worked(), At(), "light", held).data]
        assert ("up to the most" in names) is there


def test_the_card_is_of_the_comparison_not_of_the_page_and_speaks_as_the_sentences() -> None:
    known: Any = methods()
    told = dict(known.provenance) | {"question_digest": "f" * 64, "date": "2025-01-02T03:04:05+00:00"}
    shown = re.sub(r"<[^>]*>", " ", content(replace(known, provenance=told)))
    assert "ffffffff" in shown
    assert "2025-01-02" in shown
    assert str(worked().provenance["question_digest"])[:8] not in shown
    said = " ".join(feeder_methods.findings(known))
    gap = re.search(r"cheaper by more than (\S+ %)", said)
    assert gap is not None
    assert gap[1] in shown
    assert gap[1] != "0 %"
    assert not re.search(r"\de-\d", said)


def test_the_work_divided_evenly_is_said_against_the_least() -> None:
    known = methods()
    row, least = known.row("even work"), min(row.objective for row in known.rows)
    assert row is not None
    said = " ".join(feeder_methods.findings(known))
    assert f"{100.0 * (row.objective / least - 1.0):.2f} % above the least" in said


def test_every_method_has_a_card_in_which_each_number_of_its_row_adds_up() -> None:
    """Read back from the card: payment and delay are the objective; what ran before adds up to what was needed."""
    held = methods()
    shown = content(held)
    taker = held.row("price taker")
    assert taker is not None
    for row in held.rows:
        key = re.sub(r"[^0-9A-Za-z]", "-", row.method)
        assert shown.count(f'id="feeder-why-method-{key}"') == 1
        assert f'<th scope="row" class="hr-feeder-text" data-raw="{row.method}">' in shown  # its file has no card in it
        plain = text(row_card(worked(), held, row)).replace("\u2009", "").replace("\u2212", "-")
        paid, late, objective = sums(plain, "payment and delay", 3)
        assert paid + late == pytest.approx(objective, abs=0.011)
        assert objective == pytest.approx(row.objective, abs=0.006)
        assert f"{row.payment_most:.2f} $" in plain
        saved = re.search(r"saved\s+\( .*? = (-?[\d.]+) %", plain)
        assert saved is not None
        assert float(saved[1]) == pytest.approx(100.0 * (1.0 - row.objective / taker.objective), abs=6e-4)
        own, before, whole = sums(plain, "with it, processor", 3)
        assert own + before == pytest.approx(whole, abs=0.011)
        needed = plain.partition("needed before, processor")[2].partition("with it")[0]
        parts = [float(one) for one in re.findall(r"\d+\.\d\d", needed)]
        if len(row.needed) > 1:
            assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=0.011 * len(parts))
            assert parts[-1] == pytest.approx(row.before_s, abs=0.006)
        elif row.needed:
            assert parts == pytest.approx([row.before_s], abs=0.006)
        else:
            assert "nothing" in needed
        if row.own_bound is None:
            assert "it proves no bound" in plain
        assert str(held.provenance["question_digest"])[:8] in plain


def sums(said: str, name: str, size: int) -> list[float]:
    """The first numbers behind a name."""
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d\d)?", said.partition(name)[2])[:size]]


def test_rounds_and_schedules_have_cards_of_their_own() -> None:
    held, run = cycle_of_three(), worked()
    said = text(rounds_card(run, held)).replace("\u2009", "")
    assert "5 rounds, in a cycle of 3 rounds; the last pays 5.00 $" in said
    energy = text(schedules_card(run, held)).replace("\u2009", "")
    for row, each in zip(held.rows, held.schedules, strict=True):
        drawn = sum(kw for hour in each.draw_kw for kw in hour)
        assert f"{drawn / 1000.0:.3f} MWh, {row.payment:.2f} $" in energy
