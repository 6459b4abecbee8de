"""The panes of the Resilience page as pure functions, on the example that comes with the program; laws judge them."""

import json
import math
import re
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from plotly.utils import PlotlyJSONEncoder

from callbacks.resilience_tabs import MADE
from components import (
    resilience_cards,
    resilience_checks,
    resilience_curve,
    resilience_diagram,
    resilience_film,
    resilience_live,
    resilience_methods,
    resilience_modules,
    resilience_outcomes,
    resilience_radius,
    resilience_sheet,
    resilience_states,
    resilience_totals,
)
from components.format import number, percent
from components.resilience_cards import METRICS, card, judged, metrics_of
from components.resilience_cards_shock import both_ways_card, bus_card, step_card
from components.resilience_words import METHODS, NARROW, At, letters, planned_of, played, shock_of, table_of
from engine.data.openings import RESILIENCE
from engine.distribution.answers import came_with
from engine.program import Status
from engine.resilience.compare import CHOSEN, Method
from engine.resilience.curves import RadiusPoint
from engine.resilience.evaluation import Interval
from engine.resilience.jobs import STUDY, study_arguments, study_key
from engine.resilience.modules import STANDARD
from engine.resilience.outcomes import Outcomes
from engine.resilience.placement import Mark
from engine.resilience.run import ResilienceRun
from engine.store.shipped import files_of
from tests.callbacks.screen import text

LOOKS = (At(), At("none", 2), At("peak", 1, 5, "bus:14"), At(selection="bus:25"), At(selection="bus:7"))


@lru_cache(maxsize=1)
def example() -> ResilienceRun:
    """Return the run that comes with the program."""
    arguments = study_arguments(RESILIENCE)
    known = came_with(STUDY, json.loads(json.dumps(arguments)))
    assert known is not None, "python -m engine.data.build_resilience"
    return ResilienceRun.load(files_of(known)[study_key(json.loads(json.dumps(arguments)))])


def written(part: Any) -> str:
    """Return a part with what of it is HTML."""
    return json.dumps(part, cls=PlotlyJSONEncoder, ensure_ascii=False)


@pytest.fixture
def run() -> ResilienceRun:
    return example()


@pytest.fixture
def bare(run: ResilienceRun) -> ResilienceRun:
    """The same run while only its plans are known."""
    facts = dict(run.facts) | {"evpi": None}
    return replace(run, tried={}, curve=(), radii=(), rolled=None, facts=facts)


def test_the_example_is_of_the_case_that_the_question_has_now(run: ResilienceRun) -> None:
    assert run.question == RESILIENCE
    assert run.case.digest == RESILIENCE.made(lambda _digest: ("", b"")).digest, (
        "python -m engine.data.build_resilience"
    )
    chosen, none = run.of(CHOSEN), run.of("none")
    assert chosen is not None
    assert none is not None
    assert chosen.plan.any()  # there is something to show
    assert chosen.objective < none.objective  # the best plan by the aim of both


@pytest.mark.parametrize("name", list(MADE))
def test_every_tab_shows_what_is_known_and_says_what_is_not(run: ResilienceRun, bare: ResilienceRun, name: str) -> None:
    tab = MADE[name]
    for each in (run, bare):
        for at in LOOKS:
            assert written(tab.content(each, at))
            columns, rows = tab.rows(each, at)
            names = {column.name for column in columns}
            assert all(names <= set(row) for row in rows)
            if tab.figure is not None:
                json.dumps(tab.figure(each, at, "dark"), cls=PlotlyJSONEncoder)
    missing = {"curve": {"curve": 0}, "radius": {"folds": 0}, "rolled": {"rolling": 0}}.get(name)
    if missing is not None:
        none = text(tab.content(replace(bare, question=replace(bare.question, **missing)), At()))
        assert "Ask for" in none
        later = replace(bare, question=replace(bare.question, **dict.fromkeys(missing, 2)))
        assert text(tab.content(later, At())).strip() == "It is being worked out."


@pytest.mark.parametrize("at", LOOKS)
def test_modules_of_the_table_cost_the_capital_and_are_the_plan(run: ResilienceRun, at: At) -> None:
    _, rows = resilience_modules.rows(run, at)
    planned = planned_of(run, at)
    told = metrics_of(run, planned.method, "train")
    assert told is not None
    assert sum(row["count"] for row in rows) == planned.plan.sum()
    assert sum(row["cost"] for row in rows) == pytest.approx(told.capital)
    assert run.case.scenarios.kind[shock_of(run, at)] in written(resilience_sheet.sheet(run, at))
    drawn = np.array(resilience_diagram.drawing(run)["plans"][planned.method])
    assert np.array_equal(drawn, table_of(run, planned))


@pytest.mark.parametrize(("method", "shock"), [(CHOSEN, 0), ("none", 1), ("peak", 3)])
def test_a_shock_that_is_played_balances_and_costs_what_its_plan_says(
    run: ResilienceRun, method: Method, shock: int
) -> None:
    """Laws: without losses import is load less what modules give and what is not served; the least cost is one."""
    at = At(method, shock + 1)
    told = resilience_film.told_of(run, at)
    given = sum(told[f"out-{place}"] for place in range(len(run.case.types)))
    assert told["imported"] == pytest.approx(told["load"] - told["shed"] - given, abs=1e-5)
    recourse, answer = played(run, method, shock)
    planned = run.of(method)
    assert planned is not None
    assert answer.cost == pytest.approx(float(planned.outcomes.cost[shock]), rel=1e-5, abs=1e-3)
    own = Outcomes.of(recourse, answer)
    lowest = min(float(told["lowest"].min()), run.case.feeder.source_pu)
    assert lowest == pytest.approx(min(float(own.lowest_pu[0]), run.case.feeder.source_pu), abs=1e-9)
    film = resilience_diagram.film(run, at)
    size = (run.case.steps, len(run.case.feeder.buses))
    assert np.shape(film["voltage"]) == size
    assert np.sum(film["series"]["shed"]) * run.case.step_h == pytest.approx(float(own.unserved_mwh[0]), abs=5e-3)


class Tables(HTMLParser):
    """Reads which cells of the tables of a part open a card: rows of cells, each (words, its number, opens a card)."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, str, bool]]]] = []
        self._cell: dict[str, Any] | None = None
        self.feed(part)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"th", "td"} and self.tables:
            raw = told.get("data-raw") if "hr-num" in str(told.get("class")) else ""
            self._cell = {"words": "", "raw": raw or "", "opens": False}
        elif self._cell is not None and "data-popover" in told:
            self._cell["opens"] = True

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._cell["opens"]:
            self._cell["words"] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in {"th", "td"} and self._cell is not None:
            self.tables[-1][-1].append((self._cell["words"], self._cell["raw"], self._cell["opens"]))
            self._cell = None


def statics(part: Any) -> list[str]:
    """Return what of a part is HTML, in its order."""
    if isinstance(part, dict):
        own = [part["data-static"]] if "data-static" in part else []
        return own + [found for value in part.values() for found in statics(value)]
    if isinstance(part, list | tuple):
        return [found for each in part for found in statics(each)]
    return statics(part.to_plotly_json()) if hasattr(part, "to_plotly_json") else []


GIVEN = {"Budget, $ a year", "Radius", "Shock", "Round"}  # heads of what is asked, or counts rows: not computed


@pytest.mark.parametrize("name", [name for name in MADE if name != "film"])
@pytest.mark.parametrize("at", [At(), At(on="shifted"), At("uniform", 4, 20, "bus:14", on="train")])
def test_every_number_of_every_table_opens_a_card_or_its_head_does(run: ResilienceRun, name: str, at: At) -> None:
    radii = tuple(RadiusPoint(radius, 0.1 + radius, 500.0, 7_000.0) for radius in (0.0, 0.1))
    whole = replace(run, radii=radii, question=replace(run.question, folds=2))
    tables = [table for part in statics(MADE[name].content(whole, at)) for table in Tables(part).tables]
    assert tables
    for heads, *rows in tables:
        assert rows
        for row in rows:
            for place, (_, raw, opens) in enumerate(row):
                head, _, shared = heads[place]
                assert not raw or opens or shared or head in GIVEN, (name, head, raw)


def facts_of(part: Any) -> dict[str, str]:
    """Return the values of a card by their names."""
    if isinstance(part, list | tuple):
        return {name: value for each in part for name, value in facts_of(each).items()}
    if getattr(part, "className", "") == "hr-fact":
        name, value = part.children
        return {text(name).strip(): text(value)}
    return facts_of(getattr(part, "children", None) or [])


def megawatts(told: str) -> float:
    """Return the number that a value of a card begins with."""
    return float(told.split(NARROW, maxsplit=1)[0].replace("\u2212", "-"))


@pytest.mark.parametrize("at", [At(), At("none", 1, 12), At("peak", 44, 20), At("uniform", 55, 30)])
def test_each_number_of_a_step_has_a_card_that_begins_with_it(run: ResilienceRun, at: At) -> None:
    columns, rows = resilience_film.rows(run, at)
    row = rows[at.hour]
    assert row["marks"]
    line = written(resilience_film.reasons(run, at))
    for column in columns[1:]:
        value = float(row[column.name])
        assert f"resilience-why-film-{column.name}" in line
        if 5e-7 < abs(value) < 5e-4:  # a card writes 0
            continue
        told = f"{number(0.0 if abs(value) < 5e-7 else value, column.digits or 0)}{NARROW}{column.unit}"
        title = text(step_card(run, at, column.name)).lstrip()
        assert title.startswith(f"{told} at {row['step']}"), (column.name, title[:60], told)


def test_the_cards_of_a_step_hold_the_parts_that_make_its_numbers(run: ResilienceRun) -> None:
    """Laws: draws of loads and campuses sum to the load; the import is the load less what is given and not served."""
    for at in (At(CHOSEN, 0, 9), At("uniform", 44, 20)):
        row = resilience_film.rows(run, at)[1][at.hour]
        told = facts_of(step_card(run, at, "load"))
        draws = [megawatts(value) for name, value in told.items() if name.startswith(("campus", "loads"))]
        assert len(draws) == 1 + len(run.case.campuses)
        assert sum(draws) == pytest.approx(row["load"], abs=3e-3)
        told = facts_of(step_card(run, at, "imported"))
        given = [megawatts(value) for name, value in told.items() if name.endswith(" gives")]
        assert len(given) == len(run.case.types)
        left = megawatts(told["load"]) - megawatts(told["not served"]) - sum(given)
        assert left == pytest.approx(row["imported"], abs=4e-3)
        told = facts_of(step_card(run, at, "imbalance"))
        now, planned, before = (
            megawatts(told[name]) for name in ("import", "schedule", "import of the step before")
        )  # fmt: skip
        beyond = max(0.0, abs(now - planned) - run.case.dead_band_mw,
                     abs(now - before) - run.case.ramp_mw_per_min * 60.0 * run.case.step_h)  # fmt: skip
        assert beyond == pytest.approx(row["imbalance"], abs=3e-3)


def test_the_sheet_of_a_bus_says_why_of_each_number(run: ResilienceRun) -> None:
    at = At(CHOSEN, 0, 9, "bus:14")
    told = written(resilience_sheet.sheet(run, at))
    for name in ("voltage", "load", "campus-0"):
        assert f"resilience-why-bus-{name}" in told
        assert "Method:" in text(bus_card(run, at, "14", name))
    draw = float(run.case.scenarios.draw_mw[shock_of(run, at), 9, 0])
    assert text(bus_card(run, at, "14", "campus-0")).lstrip().startswith(number(draw, 3))


def test_no_store_charges_while_it_discharges_in_any_shock_of_any_plan(run: ResilienceRun) -> None:
    """A law of stores, and of the outcomes that are kept: the check says so, and would say otherwise."""
    most = max(float(each.outcomes.both_ways_mwh.max()) for each in run.planned)
    assert most <= 1e-6
    assert text(both_ways_card(run)).startswith("0\xa0MWh charged while discharging")
    assert "in no shock" in text(both_ways_card(run))
    row = next(each for each in resilience_checks.rows(run, At())[1] if each["card"] == "both")
    assert (row["found"], row["holds"]) == ("0", "yes")
    first = run.planned[0]
    burnt = replace(first.outcomes, both_ways_mwh=first.outcomes.both_ways_mwh + 0.25)
    other = replace(run, planned=(replace(first, outcomes=burnt), *run.planned[1:]))
    row = next(each for each in resilience_checks.rows(other, At())[1] if each["card"] == "both")
    assert (row["found"], row["holds"]) == ("0.250", "no")
    assert "0.250" in text(both_ways_card(other))


def test_the_distribution_is_of_the_shocks_that_are_chosen(run: ResilienceRun) -> None:
    for on, size in (("", 1_000), ("fresh", 1_000), ("shifted", 1_000), ("train", 100)):
        at, wanted = At(on=on), on or "fresh"
        assert {row["set"] for row in resilience_outcomes.rows(run, at, "$")[1]} == {wanted}
        pressed = [tag for part in statics(resilience_outcomes.content(run, at))
                   for tag in re.findall("<button[^>]*>", part) if 'aria-pressed="true"' in tag]  # fmt: skip
        assert [f"on:{wanted}" in tag for tag in pressed] == [True]
        chosen = run.outcomes(CHOSEN, wanted)
        assert chosen is not None
        first = next(trace for trace in resilience_outcomes.figure(run, at).data if trace.legendgroup == CHOSEN)
        assert len(first.x) == size
        assert max(first.x) == pytest.approx(chosen.unserved_mwh.max(), abs=1e-4)
    assert resilience_outcomes.set_of(replace(run, tried={}), At(on="shifted")) == "train"
    assert {row["set"] for row in resilience_outcomes.rows(run, At())[1]} == {"train", "fresh", "shifted"}  # of a file


def test_radii_that_are_alike_are_told_to_be(run: ResilienceRun) -> None:
    alike = tuple(RadiusPoint(radius, 0.2, 500.0, 7_000.0) for radius in (0.0, 0.1, 0.4))
    asked = replace(run, radii=alike, question=replace(run.question, folds=2))
    assert "all radii are alike" in text(resilience_radius.content(asked, At()))
    better = (*alike[:2], replace(alike[2], cvar_unserved_mwh=0.1))
    told = text(resilience_radius.content(replace(asked, radii=better), At()))
    assert "prefer a radius of 0.4; asked is 0.1" in told
    trusted = replace(asked, radii=(), question=replace(asked.question, doubt="none"))
    assert "Nothing is in doubt" in text(resilience_radius.content(trusted, At()))


def test_exceedance_counts_the_shocks_that_are_at_least_as_bad() -> None:
    rng = np.random.default_rng(4)
    values, share = rng.integers(0, 6, 40).astype(float), rng.dirichlet(np.ones(40))
    x, y = resilience_outcomes.exceedance(values, share)
    for value in np.unique(values):
        assert y[np.flatnonzero(x == value)[0]] == pytest.approx(share[values >= value].sum())


def test_quantiles_of_the_table_are_the_metrics(run: ResilienceRun) -> None:
    for row in resilience_outcomes.rows(run, At(), "MWh")[1]:
        told = metrics_of(run, row["method"], row["set"])
        assert told is not None
        assert row["q100"] == told.worst_unserved_mwh
        assert row["q95"] == pytest.approx(told.var_unserved_mwh, abs=1e-9)


def test_the_methods_are_judged_by_their_intervals(run: ResilienceRun) -> None:
    assert judged(Interval(-1.0, -2.0, -0.1)) == "lower"
    assert judged(Interval(0.0, -0.1, 0.1)) == "not told apart"
    assert judged(Interval(1.0, 0.1, 2.0)) == "higher"
    _, rows = resilience_methods.differences(run)
    assert len(rows) == 2 * (len(run.planned) - 1)
    for row in rows:
        first, second = (metrics_of(run, name, row["set"]) for name in (row["method"], "risk neutral"))
        assert first is not None
        assert second is not None
        assert row["tail"] == pytest.approx(first.cvar_unserved_mwh - second.cvar_unserved_mwh, abs=1e-9)
        assert row["mean"] == pytest.approx(first.eens_mwh - second.eens_mwh, abs=1e-9)


def test_no_plan_of_another_method_is_better_by_the_aim_than_the_bound_allows(run: ResilienceRun) -> None:
    chosen = planned_of(run, At())
    _, rows = resilience_methods.plans(run)
    assert {row["method"] for row in rows} == set(METHODS)
    for row in rows:
        assert row["objective"] >= chosen.bound * (1.0 - 1e-9)


def test_cards_tell_the_numbers_that_they_are_of(run: ResilienceRun) -> None:
    at = At()
    chosen, told = planned_of(run, at), metrics_of(run, CHOSEN, "train")
    assert told is not None
    assert number(chosen.objective) in text(card(run, at, "objective"))
    assert number(told.cvar_unserved_mwh, 3) in text(card(run, at, "tail"))
    neutral, mean = metrics_of(run, "risk neutral", "train"), metrics_of(run, "mean shock", "train")
    assert neutral is not None
    assert mean is not None
    assert mean.year - neutral.year == pytest.approx(run.facts["vss"], abs=1e-6)
    assert number(mean.year) in text(card(run, at, "vss"))
    for name in METRICS:
        for shocks in ("train", "fresh", "shifted"):
            assert "Method" in text(card(run, at, f"metric:{name}:none:{shocks}"))
    moved = 0.5 * np.abs(run.worst - run.case.scenarios.probability).sum()
    assert percent(float(moved), 1) in text(card(run, at, "worst"))
    assert moved <= run.question.radius + 1e-6  # total variation
    with pytest.raises(KeyError):
        card(run, at, "nothing")
    for what in ("metric:mean_cost:none:nowhere", "plan:bound:uniform", "apart:none:train:tail"):
        with pytest.raises(ValueError, match=r"there are no|no search|there is no"):
            card(run, at, what)


def test_the_curve_says_where_modules_stand_within_each_budget(run: ResilienceRun) -> None:
    for point, row in zip(run.curve, resilience_curve.rows(run, At())[1], strict=True):
        assert point.capital <= point.budget * (1.0 + 1e-9)
        placed = [int(part.split()[0]) for part in row["plan"].split(", ")] if row["plan"] != "nothing" else []
        assert sum(placed) == point.plan.sum()


def test_the_worst_distribution_lists_what_it_raises_most(run: ResilienceRun) -> None:
    _, rows = resilience_checks.worst(run)
    raised = run.worst - run.case.scenarios.probability
    assert rows[0]["worst"] - rows[0]["before"] == pytest.approx(raised.max())
    assert next(row["card"] for row in resilience_checks.rows(run, At())[1]) == "gap"


def test_letters_of_types_differ() -> None:
    assert letters(STANDARD) == ["B", "G", "D", "L"]
    same = tuple(replace(STANDARD[0], name=name) for name in ("ba", "bb", "ba ", "b"))
    assert len(set(letters(same))) == len(same)


def test_totals_name_every_number_and_its_reason(run: ResilienceRun) -> None:
    for at in LOOKS:
        told = written(resilience_totals.totals_of(run, at))
        for one in resilience_totals.measures(run, at):
            assert one.text in told
    assert "\u2013" in written(resilience_totals.empty_totals())


def test_a_search_that_ended_early_says_its_gap(run: ResilienceRun) -> None:
    chosen = planned_of(run, At())
    others = tuple(each for each in run.planned if each.method != CHOSEN)

    def with_status(status: Status) -> ResilienceRun:
        own = replace(chosen, status=status, bound=0.9 * chosen.own_objective)
        return replace(run, planned=(*others, own))

    assert resilience_states.notes(with_status(Status.OPTIMAL)) == []
    told = text(resilience_states.notes(with_status(Status.TIME_LIMIT)))
    assert "gap of 10.00 %" in told


def test_a_running_search_is_drawn_from_its_first_bound_on() -> None:
    assert resilience_live.live(()) is None
    assert resilience_live.live((Mark(1.0, 1, math.inf, 0.0, "plans in parts"),)) is None
    marks = (Mark(1.0, 1, math.inf, 10.0, "plans in parts"), Mark(2.0, 2, 200.0, 150.0, "whole plans"))
    told = text(resilience_live.live(marks))
    assert "best so far: 200" in told.replace("\u00a0", " ")
    assert "gap 25.00 %" in told
    assert [row["objective"] for row in resilience_live.rows(marks)[1]] == [None, 200.0]


def test_the_apart_of_equal_plans_is_nothing(run: ResilienceRun) -> None:
    neutral = run.of("risk neutral")
    assert neutral is not None
    same = tuple(replace(each, plan=neutral.plan.copy()) if each.method == "CVaR" else each for each in run.planned)
    found = resilience_cards.apart(replace(run, planned=same), "CVaR", "fresh", tail=True)
    assert found == Interval(0.0, 0.0, 0.0)
