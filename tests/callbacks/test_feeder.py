"""The Feeder page without a browser: its question, jobs, edits, links and files.

What is solved here is the feeder of two buses over two hours, once; the worked IEEE 37 day comes with the program.
"""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from callbacks import feeder_files
from callbacks.day_answer import FRAME_CLASS, KEEP, STALE_CLASS, Asked
from callbacks.day_desk import Seat
from callbacks.feeder_answer import answer_to
from callbacks.feeder_desk import Desk
from callbacks.feeder_panes import drawn_bare, feeder_of, forms_of, rows_of
from callbacks.feeder_sides import SIDES, Side, panel, several_of, standing
from callbacks.feeder_tabs import MADE
from callbacks.job_banner import job_record
from callbacks.services import Services
from components import (
    feeder_asked,
    feeder_edits,
    feeder_export,
    feeder_ids,
    feeder_question,
    feeder_sheet,
    feeder_totals,
)
from components.feeder_layers import At
from components.feeder_view import LONGEST_QUERY, at_of, question_query, read_question, read_view
from engine.distribution import jobs
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import FeederRun, run_feeder
from engine.errors import EngineError, QuestionError
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.feeder_seats import (
    HALF,
    SCALED,
    SMALL,
    Screen,
    anne_fixture,
    desk_fixture,
    services_fixture,
    solved_fixture,
)
from tests.callbacks.screen import ANNE, BEN, text

FIXTURES = (anne_fixture, desk_fixture, services_fixture, solved_fixture)  # found by their names here


def test_the_page_opens_on_the_worked_day_that_came_with_the_program(anne: Seat[Desk]) -> None:
    screen = Screen(anne, FeederQuestion())
    shown = screen.ask()
    assert shown.frame == FRAME_CLASS
    assert not shown.compute
    assert shown.jobs is None
    assert "Came with this program" in text(shown.state)
    assert shown.edited == "3 data centres"
    assert len(screen.run().cases) == 2
    assert len(screen.found["labels"]) == 24


@pytest.mark.parametrize(
    "question",
    [
        FeederQuestion(),
        SMALL,
        FeederQuestion(feeder="ieee13", edits=(SCALED, Edit("move centre", "centre 675", "671")), method="walk",
                       svg="on", voltage_limits=False, line_limits="active", scenarios=20, work_deviation=0.05, seed=7),
        FeederQuestion(hours=(3, 4, 7), price_per_mwh=(1.5, -2.0, 3.0), load_share=(0.1, 0.2, 0.3),
                       draw_kw=((1.0, 2.0, 3.0),) * 3, loads="own", regulators="free"),
    ],
)  # fmt: skip
def test_words_and_links_carry_every_question_there_and_back(question: FeederQuestion) -> None:
    words = json.loads(json.dumps(feeder_asked.words_of(question)))
    assert feeder_asked.question_of(words, question.to_json()["edits"]) == question
    query = {name: values[0] for name, values in parse_qs(question_query(question)).items()}
    assert (read_question(query) or FeederQuestion()) == question


def test_every_field_of_the_question_has_its_control() -> None:
    held = {"feeder", "dataset", "edits", "batteries", "hours", "voltage_limits", "draw_kw", "workload"}
    held |= {one.field for one in feeder_asked.NUMBERS} | {field for _, field, _ in feeder_asked.LISTS}
    held |= {field for _, field, _ in feeder_asked.SELECTS}
    assert held == set(FeederQuestion().to_json())
    placed = str(feeder_question.question(FeederQuestion()))
    assert [name for name in feeder_asked.NAMES if f"id='{feeder_ids.word(name)}'" not in placed] == []


def test_every_control_that_cannot_be_read_is_told_at_once(anne: Seat[Desk]) -> None:
    screen = Screen(anne)
    shown = screen.ask(hours="25, x-3", seed="1.5", time="soon", prices="a")
    told = text(shown.state)
    assert "4 things to mend" in told
    for part in ("Hours are those of a day", "seed of the day and the work is whole", "'soon'", "price in $/MWh"):
        assert part in told
    assert shown.found is KEEP
    shown = screen.ask(hours="18, 19", seed=-1, time=0.1, prices="1, 2, 3", ac_rounds=9)
    told = text(shown.state)
    for part in (
        "seed is -1",
        "time of a method, s, is 0.1",
        "3 prices are given for 2 hours",
        "AC rounds is 9: 0 to 3",
    ):
        assert part in told


def test_a_link_that_cannot_be_read_is_told_and_the_rest_of_it_counts(anne: Seat[Desk]) -> None:
    with pytest.raises(QuestionError, match="cannot be read"):
        read_question({"ask": "[1]"})
    with pytest.raises(QuestionError, match="no field"):
        read_question({"ask": '{"colour": 1}'})
    shown = answer_to(anne, Asked(feeder_asked.words_of(FeederQuestion()), [], ("the question of the link is odd",)))
    assert "The question of the link is odd" in text(shown.state)
    assert read_view({"layer": "odd", "hour": "99", "tab": "x", "case": "on", "sel": "bus:702"}).at == replace(
        at_of({}), case="on", selection="bus:702"
    )


def test_a_question_too_long_for_an_address_is_kept_and_found_by_its_digest(desk: Desk) -> None:
    long = FeederQuestion(edits=tuple(Edit("add compensator", f"SVG {at}", "702", 1.0 + at) for at in range(60)))
    assert len(question_query(long)) > LONGEST_QUERY
    query = desk.query(ANNE, "", long)
    assert len(query) < 100
    assert desk.first(BEN, "", {"q": query.removeprefix("q=")}) == (long, [])
    question, problems = desk.first(BEN, "", {"q": "0" * 64})
    assert question == FeederQuestion()
    assert "not kept any more" in problems[0]


# Jobs


def test_a_changed_question_is_hatched_until_a_press_solves_it_and_then_known_to_all(
    anne: Seat[Desk], solved: FeederRun
) -> None:
    screen = Screen(anne)
    assert not screen.ask().compute
    shown = screen.ask(hours="18")
    assert shown.frame == STALE_CLASS
    assert shown.compute
    assert "Changed since: the hours" in text(shown.state)
    shown = screen.ask(hours="18-19")
    assert (shown.frame, shown.compute) == (FRAME_CLASS, False)
    ben = Screen(Seat(anne.desk, BEN, ""))
    assert ben.ask().jobs is None
    assert ben.run().provenance["date"] == solved.provenance["date"]  # the very same run: nothing was computed


def test_a_feeder_is_drawn_and_edited_before_it_is_solved(anne: Seat[Desk]) -> None:
    screen = Screen(anne, replace(SMALL, hours=(3, 4)))
    shown = screen.ask()
    assert shown.compute
    assert shown.frame == FRAME_CLASS  # nothing older is drawn
    assert "Not solved yet" in text(shown.state)
    assert anne.drawn(screen.found) is None
    bare = drawn_bare(anne, screen.found)
    assert bare["labels"] == ["03:00", "04:00"]
    assert bare["cases"]["off"]["values"] == {}

    bus = bare["buses"][-1][0]
    edit = Edit("add centre", name="new", bus=bus, value=100.0, phases="a")
    shown = screen.ask(edits=replace(SMALL, edits=(edit,)).to_json()["edits"])
    assert "Not solved yet" in text(shown.state)
    found = feeder_of(anne, screen.found)
    assert found is not None
    assert "new" in {centre.name for centre in found.centres}
    assert not forms_of(found, At(selection="centre:new"))["centre"]
    drawn = drawn_bare(anne, screen.found)
    assert drawn["key"] != bare["key"]
    assert ("centre", "new") in {(device["t"], device["n"]) for device in drawn["devices"]}


def test_the_first_case_shows_while_the_second_is_solved_and_a_reload_finds_the_job(anne: Seat[Desk]) -> None:
    screen = Screen(anne, HALF)
    (job,) = screen.ask(pressed=True).jobs or [""]
    services = anne.desk.services
    queue = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9)
    claim = queue.claim()
    assert claim is not None
    assert "Solving the day" in text(screen.ask().state)
    parts: list[FeederRun] = []
    run_feeder(HALF, partial=parts.append)
    arguments = jobs.study_arguments(HALF)
    services.artifacts.replace(jobs.partial_key(arguments), parts[0].save())
    reloaded = Screen(anne, HALF)
    shown = reloaded.ask()
    assert shown.jobs == [job]
    assert "case without static var generators is drawn" in text(shown.state)
    assert [case.svg for case in reloaded.run().cases] == [False]
    services.jobs.cancel(ANNE, job)
    queue.cancelled(claim.id)
    services.artifacts.replace(jobs.partial_key(arguments), b"")  # the run has ended
    shown = reloaded.ask()
    assert "was cancelled" in text(shown.state)
    assert shown.compute
    assert shown.frame == STALE_CLASS  # the first case stays on the page


def test_a_job_of_no_study_opens_its_page_and_one_of_a_study_that_study(anne: Seat[Desk], solved: FeederRun) -> None:
    job = next(one for one in anne.desk.services.jobs.list(ANNE) if one.kind == jobs.STUDY and not one.study_id)
    pages = {"/": "home", "/capacity": "capacity", "/feeder": "feeder"}
    asked = FeederQuestion.from_json(job.arguments["question"])
    href = urlsplit(job_record(job, pages)["href"])
    assert href.path == "/feeder"
    assert read_question({name: each[0] for name, each in parse_qs(href.query).items()}) == asked
    usual = {"question": FeederQuestion().to_json()}
    assert job_record(replace(job, arguments=usual), pages)["href"] == "/feeder"
    compared = replace(job, kind="feeder.methods", arguments=usual)
    assert job_record(compared, pages)["href"] == "/feeder?tab=methods"
    assert job_record(replace(job, arguments={"question": {"nobody": 1}}), pages)["href"] == "/feeder"
    assert job_record(replace(job, study_id="s1"), pages)["href"] == "/feeder?study=s1"
    assert job_record(replace(job, kind="other.thing"), pages)["href"] is None
    assert solved.cases


def test_another_s_study_is_answered_to_nobody_else(desk: Desk, services: Services) -> None:
    from engine.network.tables import NetworkTables  # noqa: PLC0415

    study = services.studies.create(ANNE, "Mine", NetworkTables(name="Mine"))
    shown = Screen(Seat(desk, BEN, study)).ask()
    assert shown.found is KEEP
    assert "Mine" not in text(shown.state)
    with pytest.raises(EngineError):
        desk.look(BEN, study, SMALL, submit=True)


def test_an_answer_in_a_study_of_one_s_own_is_attached_to_it(desk: Desk, services: Services, solved: FeederRun) -> None:
    from engine.network.tables import NetworkTables  # noqa: PLC0415

    study = services.studies.create(ANNE, "Own", NetworkTables(name="Own"))
    Screen(Seat(desk, ANNE, study)).ask()
    assert jobs.STUDY in services.studies.get(ANNE, study).answered
    assert desk.first(ANNE, study, {}) == (SMALL, [])
    assert solved.question == SMALL


# Edits


def nested(part: Any, where: str) -> list[str]:
    """Return where children hold a list in a list, which no browser's side of Dash can draw."""
    children = part if isinstance(part, list | tuple) else getattr(part, "children", None)
    if not isinstance(children, list | tuple):
        return nested(children, where) if hasattr(children, "children") else []
    found = [f"{where}[{at}]" for at, child in enumerate(children) if isinstance(child, list | tuple)]
    return found + [one for at, child in enumerate(children) for one in nested(child, f"{where}[{at}]")]


@pytest.mark.parametrize("case", ["off", "both", "difference"])
def test_every_part_of_the_page_can_be_drawn_by_a_browser(anne: Seat[Desk], case: Any) -> None:
    screen = Screen(anne, FeederQuestion())
    shown = screen.ask()
    run = screen.run()
    parts = {name: tab.content for name, tab in MADE.items()}
    parts |= {"sheet": feeder_sheet.sheet, "totals": feeder_totals.totals_of}
    parts |= {name: partial(told, anne, side) for name, side in SIDES.items()}
    assert nested(shown.state, "state") == []
    for selection in ("", "bus:741", "link:711-741", "centre:centre 740"):
        for name, make in parts.items():
            assert nested(make(run, At(case, 19, "voltage", selection)), name) == []


def told(seat: Seat[Desk], side: Side, run: FeederRun, at: At) -> Any:
    return panel(run, at, side, standing(seat, run, at, side))


# Comparisons beside the answer


def test_the_methods_of_the_worked_day_came_with_the_program_whoever_schedules_it(anne: Seat[Desk]) -> None:
    screen = Screen(anne, FeederQuestion())
    screen.ask()
    run = screen.run()
    walked = replace(run, question=replace(run.question, method="walk", scenarios=9))
    for case in ("off", "on"):
        told = standing(anne, run, At(case), SIDES["methods"]).answer
        assert {row.method for row in told.rows} >= {"price taker", "region walk"}
        again = standing(anne, walked, At(case), SIDES["methods"]).answer
        assert again.save() == told.save()
    name, rows = rows_of(anne, run, At("on"), "methods")
    assert (name, len(rows)) == ("methods", len(told.rows))


def test_a_comparison_is_begun_by_a_press_and_followed(anne: Seat[Desk], solved: FeederRun) -> None:
    for side in SIDES.values():
        assert "Compare the" in text(panel(solved, At(), side, standing(anne, solved, At(), side)))
        now = standing(anne, solved, At(), side, submit=True)
        assert now.job is not None
        assert side.title in text(panel(solved, At(), side, now))
        anne.desk.services.jobs.cancel(ANNE, now.job.id)
        ended = standing(anne, solved, At(), side)
        assert "was cancelled" in text(panel(solved, At(), side, ended))
    asked = several_of(replace(solved, question=replace(SMALL, edits=(SCALED,))), At())["studies"]
    assert [one["question"]["feeder"] for one in asked] == ["ieee13", "ieee34", "ieee37", "ieee123", SMALL.feeder]
    assert all(one["question"]["hours"] == [18, 19] for one in asked)
    assert [bool(one["question"]["edits"]) for one in asked] == [False, False, False, False, True]


def test_the_readers_own_feeder_is_compared_as_it_was_asked(solved: FeederRun) -> None:
    """One of the four as it is stands there already; a file, an edit or another feeder of the library comes last."""
    plain_four = replace(solved, question=replace(SMALL, feeder="ieee34"))
    assert len(several_of(plain_four, At())["studies"]) == 4
    for changes in ({"dataset": "d" * 64}, {"feeder": "two-bus"}, {"edits": (SCALED,)}):
        own = replace(SMALL, **changes)  # type: ignore[arg-type]
        studies = several_of(replace(solved, question=own), At())["studies"]
        assert len(studies) == 5
        assert FeederQuestion.from_json(studies[-1]["question"]) == own
        assert not any(one["question"]["dataset"] or one["question"]["edits"] for one in studies[:-1])


# Files


def test_the_files_say_what_was_asked_and_carry_the_same_numbers(anne: Seat[Desk], solved: FeederRun) -> None:
    name, manifest = feeder_export.download(solved, "json", {})
    told = json.loads(manifest)
    assert FeederQuestion.from_json(told["question"]) == SMALL
    assert told["feeder"]["digest"] == solved.feeder.digest
    assert name.endswith(f"{SMALL.digest[:8]}.json")
    _, arrays = feeder_export.download(solved, "npz", {})
    assert isinstance(arrays, bytes)
    again = FeederRun.load(arrays)
    assert np.array_equal(again.cases[1].active_price, solved.cases[1].active_price)
    made = feeder_files.file_of(anne, solved, "csv", At(), "no such tab")
    rows = list(csv.DictReader(io.StringIO(made["content"])))
    bill = next(row for row in rows if row["measure"] == "Data centres pay" and row["case"] == "With SVG")
    paid = solved.cases[1].bill_active.sum() + solved.cases[1].bill_reactive.sum()
    assert float(bill["value"]) == pytest.approx(float(paid), rel=1e-12)
    assert bill["feeder_digest"] == solved.feeder.digest
    with pytest.raises(ValueError, match="no file of kind"):
        feeder_export.download(solved, "exe", {})


def test_the_lines_of_python_solve_the_same_study_again(solved: FeederRun, tmp_path: Path) -> None:
    name, code = feeder_export.download(solved, "py", {})
    assert isinstance(code, str)
    (tmp_path / name).write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = FeederRun.load(tmp_path / f"{feeder_export.stem(solved)}.npz")
    assert np.allclose(again.cases[0].active_price, solved.cases[0].active_price, atol=1e-9)
    assert "with SVG" in done.stdout


def test_an_edit_is_told_as_it_is(solved: FeederRun) -> None:
    assert feeder_edits.words_of(SCALED) == "all loads times 1.2"
    assert feeder_edits.sentence_words(3, (SCALED,)) == "3 data centres, 1 edit,"
    assert "all loads times 1.2" in feeder_export.title_of(replace(solved, question=replace(SMALL, edits=(SCALED,))))
