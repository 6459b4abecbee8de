"""Whole answers: parts of the year, the job that computes them, and what it keeps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.answer import Answer, answer, keep, needs_job, open_margins, open_proofs, work_out
from engine.capacity.conditions import Condition
from engine.capacity.margins import Prepared, prepare
from engine.capacity.periods import BLOCKS, MONTHS, SEASONS, names_of, split
from engine.capacity.products import product_set
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.uncertainty import Box, Sample, States, UnitStates
from engine.capacity.verify import verify
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.library import load
from engine.network.model import Network
from tests.engine.capacity.small import TRIANGLE, asked
from tests.engine.capacity.small import network as small_network
from tests.engine.capacity.test_jobs import Context

GRID = small_network(TRIANGLE, [60.0, 60.0, 30.0], buses=3)
WIDE = small_network(TRIANGLE, [120.0, 120.0, 100.0], buses=3)  # carries today's load after any outage
# A load at bus 3 of 20 MW in winter, 30 in spring, 50 in summer, 35 in autumn, at noon; 10 MW less at night.
LOADS = {"01": 20.0, "04": 30.0, "07": 50.0, "10": 35.0}


def dated(*, shift: float = 0.0) -> Sample:
    labels, states = [], []
    for month, drawn in LOADS.items():
        for day in range(1, 11):
            for hour, less in (("12", 0.0), ("03", 10.0)):
                labels.append(f"2016-{month}-{day:02d} {hour}:00")
                states.append([0.0, shift, drawn - less + 0.1 * day])
    return Sample(np.array(states), None, tuple(labels), "dated", 1)


def question(**settings: object) -> CapacityQuestion:
    return asked(GRID, {"2": 60.0, "3": 60.0}, epsilons=(0.1,), **settings)


@pytest.mark.parametrize(
    ("period", "names"),
    [("season", SEASONS), ("month", ("January", "April", "July", "October")), ("block", ("00-06 h", "10-17 h"))],
)
def test_each_period_is_answered_on_its_own_states_and_the_year_is_the_least_of_them(
    period: str, names: tuple[str, ...]
) -> None:
    asked_ = question(period=period)
    sample = dated()
    found = answer(GRID, asked_, States(sample))
    assert tuple(name for name, _ in found.periods) == names
    for name, result in found.periods:
        month = {"January": 1, "April": 4, "July": 7, "October": 10, **dict(zip(SEASONS, (1, 4, 7, 10), strict=True))}
        inside = [
            (int(label[5:7]) == month[name])
            if name in month
            else (label[11:13] == ("03" if name == "00-06 h" else "12"))
            for label in sample.labels
        ]
        part = States(replace(sample, net_demand_mw=sample.net_demand_mw[inside], labels=("s",) * sum(inside)))
        alone = allocate(prepare(GRID, asked_, part), asked_)
        assert result.firm_mw == pytest.approx(alone.firm_mw, abs=1e-6)
        assert result.flexible_mw[0] == pytest.approx(alone.flexible_mw[0], abs=1e-6)
    for place, level in enumerate(found.result.levels):
        parts = np.array([result.levels[place].capacity_mw for _, result in found.periods])
        assert level.capacity_mw == pytest.approx(parts.min(axis=0))
        assert level.total_mw == pytest.approx(parts.min(axis=0).sum())
        assert sum(level.capacity_mw) <= level.most_total_mw + 1e-6
        for site, at in enumerate(level.limited_by):
            decides = names[int(parts[:, site].argmin())]
            assert at < 0 or level.binding[at].words.startswith(f"{decides}: ")
    levels = [np.array(level.capacity_mw) for level in found.result.levels]
    assert verify(GRID, asked_, levels, States(sample)).holds
    verdict = verify(GRID, asked_, [np.minimum(level + 0.01, 60.0) for level in levels], States(sample))
    assert not verdict.holds
    assert any(f"{name}: " in verdict.words for name in names)


@pytest.mark.parametrize("settings", [{}, {"security": "n-1"}, {"recourse": "redispatch"}], ids=str)
def test_parts_of_a_year_take_nothing_from_it(settings: dict[str, object]) -> None:
    grid = Network.from_tables(load("rts24"))
    hours = UncertaintySpec("hourly", {"hours": 80}, 1)
    sites = ("5", "20", "10", "8", "3")
    base = CapacityQuestion(
        sites, (300.0,) * 5, epsilons=(0.05, 0.2), supply="headroom", at_zero="hold", uncertainty=hours, **settings
    )
    states = jobs.make_states(hours, grid)
    whole = answer(grid, base, states).result
    found = answer(grid, replace(base, period="season"), states)
    # A firm part is kept in every state, whichever season they are counted in.
    assert found.result.levels[0].total_mw == pytest.approx(whole.levels[0].total_mw, abs=1e-3)
    for place, level in enumerate(found.result.levels):
        # A share of the hours of each season is more often the case than that share of all: CVaR of a mixture.
        assert level.objective >= whole.levels[place].objective - 1e-6
        for _, result in found.periods:
            assert result.levels[place].objective <= level.objective + 1e-6
    least = np.min([result.firm_mw for _, result in found.periods], axis=0)
    assert least == pytest.approx(found.result.firm_mw, abs=1e-3)
    if base.recourse == "none":
        levels = [np.array(level.capacity_mw) for level in found.result.levels]
        assert verify(grid, replace(base, period="season"), levels, states).holds


def test_summer_decides_where_its_load_is_largest() -> None:
    found = answer(GRID, question(period="season"), States(dated()))
    totals = {name: result.levels[0].total_mw for name, result in found.periods}
    assert min(totals, key=lambda name: totals[name]) == "Jun-Aug"
    # Lines 1-3 and 2-3 carry 2/3 and 1/3 of a load at bus 3: 60 MW on line 1-3 allow 90 MW at bus 3 in all.
    alone = answer(GRID, replace(question(period="season"), candidates=("3",), demand_mw=(200.0,)), States(dated()))
    assert alone.result.firm_mw == pytest.approx((90.0 - 51.0,))
    assert [round(result.firm_mw[0], 6) for _, result in alone.periods] == [69.0, 59.0, 39.0, 54.0]


def test_a_period_without_states_is_named_and_one_risk_counts_in_each() -> None:
    sample = dated()
    inside = [label[5:7] != "07" for label in sample.labels]
    cut = replace(
        sample,
        net_demand_mw=sample.net_demand_mw[inside],
        labels=tuple(label for label, keep in zip(sample.labels, inside, strict=True) if keep),
    )
    found = answer(GRID, question(period="season"), States(cut))
    assert [name for name, _ in found.periods] == ["Dec-Feb", "Mar-May", "Sep-Nov"]
    assert any("no state falls in Jun-Aug" in notice for notice in found.result.notices)
    assert any("a risk of 10 % counts in each period" in notice for notice in found.result.notices)


def test_hours_and_months_fall_in_one_part_each() -> None:
    labels = tuple(f"2016-{month:02d}-15 {hour:02d}:00" for month in range(1, 13) for hour in range(24))
    sample = Sample(np.zeros((288, 3)), None, labels, "every hour", 1)
    for period, parts, sizes in (
        ("season", SEASONS, [72] * 4),
        ("month", MONTHS, [24] * 12),
        ("block", names_of("block"), [12 * (end - start) for _, start, end in BLOCKS]),
    ):
        found = split(sample, question(period=period))
        assert tuple(name for name, _ in found) == parts
        assert [len(part.labels) for _, part in found] == sizes
        assert sorted(label for _, part in found for label in part.labels) == sorted(labels)
    winter = dict(split(sample, question(period="season")))["Dec-Feb"]
    assert {label[5:7] for label in winter.labels} == {"12", "01", "02"}


def test_a_part_keeps_the_weights_and_units_of_its_states() -> None:
    sample = dated()
    count = len(sample.labels)
    weights = np.arange(1.0, count + 1)
    output = np.arange(count, dtype=np.float32)[:, np.newaxis]
    units = UnitStates(output, np.zeros((1, 1), np.float32), output + 1)
    found = dict(split(replace(sample, weights=weights / weights.sum(), units=units), question(period="season")))
    spring = found["Mar-May"]
    assert spring.weights == pytest.approx(weights[20:40] / weights[20:40].sum())
    assert spring.units is not None
    assert spring.units.generation_mw[:, 0].tolist() == list(range(20, 40))
    assert spring.units.least_mw.shape == (1, 1)
    assert spring.units.largest_mw[:, 0].tolist() == list(range(21, 41))


def test_what_has_no_dates_or_cannot_be_cut_is_refused_in_words() -> None:
    undated = replace(dated(), labels=tuple(f"scenario {s}" for s in range(80)))
    with pytest.raises(UncertaintyDataError, match=r"need states with a date and an hour.*'scenario 0'"):
        answer(GRID, question(period="season"), States(undated))
    with pytest.raises(UncertaintyDataError, match="a box has no dates"):
        answer(GRID, replace(question(period="month"), epsilons=()), States(box=Box(np.zeros(3), np.ones(3))))
    with pytest.raises(QuestionError, match="every part is deliverable"):
        answer(GRID, question(period="season", downward_closed=False), States(dated()))
    for condition in (
        Condition("reserve", mw=5.0, buses=("2",)),
        Condition("corridor", mw=5.0, weights=(("2", 1.0), ("3", -1.0))),
    ):
        with pytest.raises(QuestionError, match="ask by year"):
            answer(GRID, question(period="season", conditions=(condition,)), States(dated()))
    with pytest.raises(QuestionError, match="lists no contingency"):
        answer(GRID, question(security="n-1", outages="listed"), States(dated()))


def test_a_period_that_stops_at_zero_stops_the_year() -> None:
    tight = small_network(TRIANGLE, [60.0, 25.0, 30.0], buses=3)
    found = answer(tight, question(period="season", at_zero="stop"), States(dated()))
    assert [result.status for _, result in found.periods] == ["optimal", "optimal", "infeasible_at_zero", "optimal"]
    assert found.result.status == "infeasible_at_zero"
    assert found.result.levels == ()
    assert all(row.words.startswith("Jun-Aug: line 1-3") for row in found.result.over_limit)


def test_with_redispatch_the_answer_is_that_of_its_program_and_keeps_its_proofs(tmp_path: Path) -> None:
    units = [
        {"unit": "far", "bus": "1", "p_mw": 51.0, "p_max_mw": 500.0},
        {"unit": "near", "bus": "2", "p_mw": 0.0, "p_max_mw": 40.0},
    ]
    grid = small_network(TRIANGLE, [60.0, 60.0, 45.0], buses=3, units=units)
    asked_ = replace(question(recourse="redispatch", period="season"), candidates=("3",), demand_mw=(200.0,))
    worked = work_out(grid, asked_, States(dated()))
    # Lines 1-3 and 2-3 bring 60 and 45 MW when line 1-2 carries 15 and the near unit makes 30; without it 90 in all.
    assert [round(result.firm_mw[0], 5) for _, result in worked.answer.periods] == [84.0, 74.0, 54.0, 69.0]
    assert worked.answer.result.firm_mw == pytest.approx((54.0,))
    assert [name for name, _ in worked.proofs] == ["", *SEASONS]
    arguments = jobs.answer_arguments(grid.digest, asked_)
    context = Context(tmp_path)
    keep(context, arguments, worked)
    assert open_margins(context, arguments, grid) == ()
    kept = open_proofs(context, arguments, "Jun-Aug")
    assert kept is not None
    assert kept.granted_mw[0] == pytest.approx([54.0], abs=1e-4)
    with pytest.raises(QuestionError, match="knows no redispatch"):
        verify(grid, asked_, [np.zeros(1), np.zeros(1)], States(dated()))


def test_only_what_takes_longer_is_a_job() -> None:
    assert not needs_job(question())
    for settings in ({"security": "n-1"}, {"recourse": "redispatch"}, {"period": "month"}):
        assert needs_job(question(**settings))


def test_an_answer_survives_the_way_to_json() -> None:
    found = answer(WIDE, question(period="season", security="n-1"), States(dated()))
    assert found.result.levels
    again = Answer.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.result, again.periods) == (found.result, found.periods)


def test_margins_with_limits_after_outages_answer_again_from_their_file() -> None:
    asked_ = question(security="n-1")
    worked = work_out(WIDE, asked_, States(dated()))
    found, ((_, margins),) = worked.answer, worked.margins
    # Without line 1-3 all goes by 1-2: 120 MW in all, 51 of them today's.
    assert sum(found.result.firm_mw) == pytest.approx(120.0 - 51.0)
    assert margins.after is not None
    assert len(margins.after.outage)
    kept = Prepared.load(margins.save(), WIDE)
    again = allocate(kept, asked_)
    assert [level.capacity_mw for level in again.levels] == [level.capacity_mw for level in found.result.levels]
    assert [kept.limit(row) for row in range(kept.row_count)] == [margins.limit(row) for row in range(kept.row_count)]
    products = product_set(kept, asked_, found.result)
    assert any(" after the loss of line " in row.words for row in products.witness.rows)
    with pytest.raises(QuestionError, match="other risk levels"):
        allocate(kept, replace(asked_, epsilons=(0.02,)))
    with pytest.raises(QuestionError, match="does not count"):
        allocate(kept, replace(asked_, security="base"))


def test_the_job_answers_keeps_its_margins_and_can_be_stopped(tmp_path: Path) -> None:
    context = Context(tmp_path)
    network = Network.from_tables(load("fourbus"))
    asked_ = CapacityQuestion(
        candidates=("3", "4"),
        demand_mw=(60.0, 50.0),
        period="season",
        uncertainty=UncertaintySpec("hourly", {"hours": 60}, 1),
    )
    arguments = json.loads(json.dumps(jobs.answer_arguments(network.digest, asked_)))
    result = jobs.answer_job(arguments, context)
    found = Answer.from_json(json.loads(json.dumps(result)))
    assert [name for name, _ in found.periods] == list(SEASONS)
    assert all((tmp_path / key).exists() for key in result["artifacts"])
    done = [share for share, _, _ in context.seen]
    assert done == sorted(done)
    margins = open_margins(context, arguments, network)
    assert margins is not None
    assert [name for name, _ in margins] == ["", *SEASONS]
    year = allocate(margins[0][1], asked_)
    assert year.firm_mw == pytest.approx(found.result.firm_mw)
    assert year.flexible_mw[0] == pytest.approx(found.result.flexible_mw[0])
    floors = [np.array(level.capacity_mw) for level in year.levels]
    for (_, kept), (_, period) in zip(margins[1:], found.periods, strict=True):
        assert allocate(kept, asked_, floors_mw=floors).firm_mw == pytest.approx(period.firm_mw)
    levels = [list(level.capacity_mw) for level in found.result.levels]
    check = {**jobs.prepare_arguments(network.digest, asked_), "question": asked_.to_json(), "levels_mw": levels}
    assert jobs.verify_job(check, context)["holds"]
    (tmp_path / result["artifacts"][1]).unlink()  # the margins of the first season
    assert open_margins(context, arguments, network) is None
