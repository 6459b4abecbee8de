"""How a search for prices is shown while it runs; its numbers here are made up, the laws are of the drawing."""

import re
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from components import hubs_live, hubs_states, hubs_steps
from components.hubs_words import At
from engine.pricing.exact import Mark
from engine.pricing.searched import Searched
from engine.pricing.smooth import Step
from tests.callbacks.screen import text
from tests.components.hubs_runs import example, written

STEPS = (Step(0, 90.0, 20.0, 10.0, 8.0, 0.1), Step(1, 90.0, 5.0, 0.0, 8.0, 0.2), Step(2, 70.0, 20.0, 20.0, 2.0, 0.3))
MARKS = (Mark(1.0, 80.0, 40.0), Mark(4.0, 60.0, 40.0), Mark(5.0, 60.0, 57.0))
FOUND = Searched(40.0, {"together": (70.0, STEPS), "none": (200.0, ())}, MARKS)
_JOB = SimpleNamespace(done=1, total=2, message="", eta_s=None, id="job")


def test_nothing_is_drawn_before_a_search_has_begun() -> None:
    assert hubs_live.live(None) is None
    assert hubs_live.live(Searched(0.0)) is None
    assert len(hubs_states.computing(_JOB, None, Searched(0.0))) == 1
    assert len(hubs_states.computing(_JOB, None, FOUND)) == 2


def test_lines_are_the_steps_and_the_bounds() -> None:
    together, none, bound = hubs_live.quick_lines(FOUND)
    assert list(together.y) == [100.0, 90.0, 90.0, 70.0]  # what the first step gained was there before it
    assert list(none.y) == [200.0]
    assert (list(bound.x), list(bound.y)) == ([0, 3], [40.0, 40.0])
    best, proved = hubs_live.exact_lines(FOUND)
    assert (list(best.y), list(proved.y), list(best.x)) == ([80.0, 60.0, 60.0], [40.0, 40.0, 57.0], [1.0, 4.0, 5.0])
    assert "gap 5.0" in proved.words  # (60 - 57) / 60
    assert hubs_live.exact_lines(Searched(40.0, FOUND.starts)) == []


def test_the_chart_s_heights_are_those_of_the_numbers() -> None:
    told = written(hubs_live.live(FOUND)).replace('\\"', '"')
    paths = re.findall(r'hr-hubs-live-(start-0|best|bound)" d="M[\d.]+,([\d.]+)((?:H[\d.]+V[\d.]+)*)"', told)
    assert [kind for kind, _, _ in paths] == ["start-0", "bound", "best", "bound"]

    def heights(first: str, rest: str) -> list[float]:
        return [float(first), *(float(y) for y in re.findall(r"V([\d.]+)", rest))]

    together, floor = (heights(*path[1:]) for path in paths[:2])
    # 100, 90, 90, 70 and 40: lower on the page by as much as the number is smaller
    per_dollar = (floor[0] - together[0]) / 60.0
    assert [(y - together[0]) / per_dollar for y in together] == pytest.approx([0.0, 10.0, 10.0, 30.0], abs=0.3)
    best, proved = (heights(*path[1:]) for path in paths[2:])
    assert best[0] < best[1] == best[2] < proved[2] < proved[0] == proved[1]
    assert told.count("<svg") == 2
    assert 'role="img"' in told


def test_rows_hold_every_step_and_mark() -> None:
    columns, rows = hubs_live.rows(FOUND)
    assert len(rows) == len(STEPS) + len(MARKS)
    assert all(column.name in row for row in rows for column in columns)
    assert [row["objective"] for row in rows] == [90.0, 90.0, 70.0, 80.0, 60.0, 60.0]
    assert [row["bound"] for row in rows] == [40.0, 40.0, 40.0, 40.0, 40.0, 57.0]
    assert "The same as a table" in text(hubs_live.live(FOUND))


def test_an_answer_keeps_how_its_searches_went() -> None:
    """What the tab draws of the example are its own ends: the objectives of its models, and the proved bound."""
    run = example()
    found = hubs_steps.searched_of(run)
    exact = run.of("exact", "linear")
    assert exact is not None
    assert len(found.marks) > 1
    reached = run.facts["exact"]["objective"]
    assert found.marks[-1].objective == reached
    # The model's own number decides ties within a tolerance of each hub's optimum: a hair less, and never more.
    assert reached * (1.0 - 1e-4) <= exact.objective <= reached + 1e-6
    assert asdict(found.marks[-1])["bound"] == exact.bound
    figure = hubs_steps.figure(run, At())
    ends = {trace.name[:1]: trace.y[-1] for trace in figure.data if "so far" in trace.name or "shaken" in trace.name}
    quick = run.of("quick", "quadratic")
    assert quick is not None
    assert ends == pytest.approx({"C": reached, "D": quick.objective}, abs=1e-6)
    assert len(hubs_steps.rows(run, At())[1]) == len(run.steps) + len(found.marks)
