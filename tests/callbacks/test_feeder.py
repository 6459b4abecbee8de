"""The Feeder page without a browser: its question, jobs, edits, links and files.

What is solved here is the feeder of two buses over two hours, once; the worked IEEE 37 day comes with the program.
"""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from callbacks import feeder_files
from callbacks.feeder_answer import FRAME_CLASS, KEEP, STALE_CLASS, Asked, Seat, Shown, answer_to
from callbacks.feeder_desk import Desk
from callbacks.feeder_edits import after, edited, without
from callbacks.feeder_panes import compared, forms_of, looked_at, rows_of
from callbacks.feeder_sides import SIDES, Side, panel, several_of, standing
from callbacks.feeder_tabs import MADE
from callbacks.services import Services
from callbacks.shell import job_record
from components import feeder_asked, feeder_edits, feeder_export, feeder_question, feeder_sheet, feeder_totals, ids
from components.feeder_layers import At
from components.feeder_view import LONGEST_QUERY, at_of, question_query, read_question, read_view
from engine.compute import HERE
from engine.distribution import jobs
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import FeederRun, run_feeder
from engine.errors import EngineError, QuestionError
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text

SMALL = FeederQuestion(feeder="two-bus", hours=(18, 19), corrections=1, ac_rounds=0)
SCALED = Edit("scale load", value=1.2)
HALF = FeederQuestion(feeder="two-bus", hours=(18,), corrections=1, ac_rounds=0)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("feeder")
    opened = Services.open(f"sqlite:///{folder / 'store.db'}", folder / "artefacts")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def desk(services: Services) -> Desk:
    return Desk(services)


@pytest.fixture(scope="module")
def anne(desk: Desk) -> Seat:
    return Seat(desk, ANNE, "")


class Screen:
    """The page as a browser holds it."""

    def __init__(self, seat: Seat, question: FeederQuestion = SMALL) -> None:
        self.seat = seat
        self.words = feeder_asked.words_of(question)
        self.edits = question.to_json()["edits"]
        self.found: Any = None

    def ask(self, *, pressed: bool = False, edits: Any = None, **words: Any) -> Shown:
        self.words |= {name.replace("_", "-"): value for name, value in words.items()}
        self.edits = self.edits if edits is None else edits
        shown = answer_to(self.seat, Asked(self.words, self.edits, (), self.found, pressed=pressed))
        if shown.found is not KEEP:
            self.found = json.loads(json.dumps(shown.found))
        return shown

    def run(self) -> FeederRun:
        run = self.seat.drawn(self.found)
        assert run is not None
        return run


class Context:
    """What a job is given."""

    workers = HERE

    def __init__(self, seat: Seat) -> None:
        self.seat, self.artifacts = seat, seat.desk.services.artifacts

    def progress(self, done: int, total: int, message: str = "") -> None:
        pass

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        return self.seat.desk.file(self.seat.user, self.seat.study, digest)

    def load_network(self, digest: str) -> Any:
        raise KeyError(digest)


def work(seat: Seat) -> int:
    """Compute the jobs that wait, as a runner does; return how many there were."""
    services = seat.desk.services
    queue, done = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9), 0
    while (claim := queue.claim()) is not None:
        result = jobs.study_job(dict(claim.arguments), Context(seat))
        queue.finish(claim, json.loads(json.dumps(result)), 0.1)
        done += 1
    return done


@pytest.fixture(scope="module")
def solved(anne: Seat) -> FeederRun:
    """Anne's small study, solved by a press and a runner."""
    screen = Screen(anne)
    assert screen.ask(pressed=True).jobs
    assert work(anne) == 1
    screen.ask()
    return screen.run()


# The question


def test_the_page_opens_on_the_worked_day_that_came_with_the_program(anne: Seat) -> None:
    screen = Screen(anne, FeederQuestion())
    shown = screen.ask()
    assert shown.frame == FRAME_CLASS
    assert not shown.compute
    assert shown.jobs is None
    assert "Came with this program" in text(shown.state)
    assert shown.centres == "3 data centres"
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
    assert [name for name in feeder_asked.NAMES if f"id='{ids.feeder_word(name)}'" not in placed] == []


def test_every_control_that_cannot_be_read_is_told_at_once(anne: Seat) -> None:
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


def test_a_link_that_cannot_be_read_is_told_and_the_rest_of_it_counts(anne: Seat) -> None:
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
    anne: Seat, solved: FeederRun
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


def test_the_first_case_shows_while_the_second_is_solved_and_a_reload_finds_the_job(anne: Seat) -> None:
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


def test_a_job_of_no_study_opens_its_page_and_one_of_a_study_that_study(anne: Seat, solved: FeederRun) -> None:
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


def press(seat: Seat, found: Any, name: str, held: Any = (), **values: Any) -> list[dict[str, Any]]:
    given = {key.replace("_", "-"): value for key, value in values.items()}
    return list(replace(SMALL, edits=edited(seat, name, given, list(held), found)).to_json()["edits"])


@pytest.fixture
def worked(anne: Seat) -> Any:
    """What is found for the worked day."""
    screen = Screen(anne, FeederQuestion())
    screen.ask()
    return screen.found


def test_each_form_makes_its_edit_of_what_is_selected(anne: Seat, worked: Any) -> None:
    moved = press(anne, worked, "move", selection="centre:centre 740", move_bus="702")
    assert [(one["kind"], one["name"], one["bus"]) for one in moved] == [("move centre", "centre 740", "702")]
    again = press(anne, worked, "here", moved, selection="bus:713", here_name="centre 740")
    assert [(one["name"], one["bus"]) for one in again] == [("centre 740", "713")]  # the later place counts
    (factor,) = press(anne, worked, "factor", selection="centre:centre 724", factor_value=0.9)
    assert (factor["name"], factor["value"]) == ("centre 724", 0.9)
    stored = edited(anne, "battery", {"selection": "centre:centre 724", "battery-power": 0.1, "battery-energy": 0.4},
                    moved, worked)  # fmt: skip
    assert [getattr(one, "centre", one.name if isinstance(one, Edit) else "") for one in stored] == [
        "centre 740", "centre 724",
    ]  # fmt: skip
    (svg,) = press(anne, worked, "add", selection="bus:702", add_value=60)
    assert (svg["name"], svg["bus"], svg["value"], svg["phases"]) == ("SVG 702", "702", 60.0, "abc")
    two = press(anne, worked, "add", [svg], selection="bus:702", add_value=30)
    assert [one["name"] for one in two] == ["SVG 702", "SVG 702 (2)"]
    assert press(anne, worked, "remove", [svg], selection="bus:702", remove_name="SVG 702") == []
    (gone,) = press(anne, worked, "remove", selection="bus:741", remove_name="SVG 741")
    assert gone["kind"] == "remove compensator"
    assert press(anne, worked, "scale", [svg], scale_value="1.1")[1]["value"] == 1.1
    assert press(anne, worked, "clear", two) == []
    assert without(two, "0") == without(two, "0")
    assert [one.name for one in without(two, "0")] == ["SVG 702 (2)"]


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("move", {"selection": "bus:702", "move_bus": "702"}, "select a data centre first"),
        ("move", {"selection": "centre:centre 740", "move_bus": "740"}, "stands at bus 740 already"),
        ("move", {"selection": "centre:centre 740", "move_bus": "zz"}, "there is no bus 'zz'"),
        ("move", {"selection": "centre:nobody", "move_bus": "702"}, "there is no data centre 'nobody'"),
        ("factor", {"selection": "centre:centre 740", "factor_value": 2}, "the power factor is 2: 0.5 to 1"),
        ("factor", {"selection": "centre:centre 740", "factor_value": "x"}, "the power factor is a number"),
        (
            "battery",
            {"selection": "centre:centre 740", "battery_power": 0.1, "battery_energy": -1},
            "energy of a battery",
        ),
        ("battery", {"selection": "bus:702", "battery_power": 0.1, "battery_energy": 1}, "select a data centre first"),
        ("add", {"selection": "bus:702", "add_value": 0}, "the SVG gives 0 kvar"),
        ("add", {"selection": "link:702-713", "add_value": 9}, "select a bus first"),
        ("remove", {"selection": "bus:702", "remove_name": None}, "choose an SVG first"),
        ("scale", {"scale_value": 1}, "0 to 10, and not 1"),
        ("other", {}, "not known"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(
    anne: Seat, worked: Any, name: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(QuestionError, match=words):
        press(anne, worked, name, **values)


def test_a_press_that_is_none_and_a_place_that_is_not_there_change_nothing(anne: Seat) -> None:
    nothing: dict[str, Any] = {"presses": {}, "taken": None, "values": {}, "selection": None, "held": [], "found": None}
    assert after(anne, None, nothing) is None
    assert after(anne, f"{ids.FEEDER_EDITS}-pressed", {**nothing, "taken": {"value": "x"}}) is None
    with pytest.raises(QuestionError, match="taken back already"):
        after(anne, f"{ids.FEEDER_EDITS}-pressed", {**nothing, "taken": {"value": "remove 3"}})
    held = [{"kind": "scale load", "value": 1.1}]
    taken = {**nothing, "held": held, "taken": {"value": "remove 0"}}
    assert after(anne, f"{ids.FEEDER_EDITS}-pressed", taken) == ((), "Taken back: press Solve.")


def test_an_edit_of_a_link_that_cannot_be_made_is_refused_before_anything_is_computed(anne: Seat) -> None:
    question = FeederQuestion(edits=(Edit("move centre", "centre 740", "nowhere"), Edit("remove compensator", "none")))
    shown = Screen(anne, question).ask(pressed=True)
    told = text(shown.state)
    assert "2 things to mend" in told
    assert "there is no bus 'nowhere'" in told
    assert shown.jobs is None


def test_what_the_edits_change_is_the_difference_of_two_runs(anne: Seat, solved: FeederRun) -> None:
    screen = Screen(anne)
    screen.ask(edits=[{"kind": "scale load", "value": 1.2}], pressed=True)
    assert work(anne) == 1
    screen.ask()
    run, at = screen.run(), At("off")
    assert [load.kw for load in run.feeder.loads] == pytest.approx([1.2 * load.kw for load in solved.feeder.loads])
    case, before = run.case(svg=False), solved.case(svg=False)
    assert case is not None
    assert before is not None
    told = re.sub(r"<[^>]*>", " ", getattr(compared(anne, run, at), "data-static"))
    cost = round(float(case.cost_per_h.sum())) - round(float(before.cost_per_h.sum()))
    assert cost > 0  # the same hours with more load cannot cost less
    assert f"+{cost}" in told
    unknown = replace(SMALL, seed=5, svg="off", edits=(SCALED,))
    assert anne.desk.unedited(ANNE, "", unknown).found == "needed"


def test_a_battery_is_asked_for_by_a_word_and_moves_what_the_network_gives_not_the_work(
    anne: Seat, solved: FeederRun
) -> None:
    screen = Screen(anne)
    size = {"battery-power": 0.02, "battery-energy": 0.04}
    assert screen.ask(batteries="each", svg="off", pressed=True, **size).jobs
    assert work(anne) == 1
    screen.ask()
    run, plain = screen.run(), solved.case(svg=False)
    (case,) = run.cases
    assert plain is not None
    assert run.question.batteries[0].power_mw == 0.02
    np.testing.assert_allclose(case.computer_kw, plain.computer_kw, atol=1e-9)  # even work: the same without
    np.testing.assert_allclose(case.draw_kw, case.computer_kw + case.charge_kw - case.discharge_kw, atol=1e-6)
    held = 20.0 + np.cumsum(np.sqrt(0.9) * case.charge_kw[:, 0] - case.discharge_kw[:, 0] / np.sqrt(0.9))
    np.testing.assert_allclose(case.held_kwh[:, 0], held, atol=1e-6)
    assert held[-1] == pytest.approx(20.0)  # the end of the day holds what its beginning held


def test_the_forms_show_what_can_be_done_with_the_selection(anne: Seat) -> None:
    screen = Screen(anne, FeederQuestion())
    screen.ask()
    run = screen.run()
    nothing = forms_of(run, At())
    assert nothing["centre"]
    assert nothing["bus"]
    centre = forms_of(run, At(selection="centre:centre 740"))
    assert (centre["centre"], centre["standing"], centre["factor"]) == (False, "740", 0.95)
    bus = forms_of(run, At(selection="bus:741"))
    assert (bus["bus"], bus["compensators"], bus["removed"]) == (False, False, "SVG 741")
    assert forms_of(run, At(selection="bus:702"))["compensators"]
    assert "press Solve" in text(looked_at(anne, None, None, forms_of))


# What is drawn


def nested(part: Any, where: str) -> list[str]:
    """Return where children hold a list in a list, which no browser's side of Dash can draw."""
    children = part if isinstance(part, list | tuple) else getattr(part, "children", None)
    if not isinstance(children, list | tuple):
        return nested(children, where) if hasattr(children, "children") else []
    found = [f"{where}[{at}]" for at, child in enumerate(children) if isinstance(child, list | tuple)]
    return found + [one for at, child in enumerate(children) for one in nested(child, f"{where}[{at}]")]


@pytest.mark.parametrize("case", ["off", "both", "difference"])
def test_every_part_of_the_page_can_be_drawn_by_a_browser(anne: Seat, case: Any) -> None:
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


def told(seat: Seat, side: Side, run: FeederRun, at: At) -> Any:
    return panel(run, at, side, standing(seat, run, at, side))


# Comparisons beside the answer


def test_the_methods_of_the_worked_day_came_with_the_program_whoever_schedules_it(anne: Seat) -> None:
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


def test_a_comparison_is_begun_by_a_press_and_followed(anne: Seat, solved: FeederRun) -> None:
    for side in SIDES.values():
        assert "Compare the" in text(panel(solved, At(), side, standing(anne, solved, At(), side)))
        now = standing(anne, solved, At(), side, submit=True)
        assert now.job is not None
        assert side.title in text(panel(solved, At(), side, now))
        anne.desk.services.jobs.cancel(ANNE, now.job.id)
        ended = standing(anne, solved, At(), side)
        assert "was cancelled" in text(panel(solved, At(), side, ended))
    asked = several_of(replace(solved, question=replace(SMALL, edits=(SCALED,))), At())["studies"]
    assert [one["question"]["feeder"] for one in asked] == ["ieee13", "ieee34", "ieee37", "ieee123"]
    assert all(one["question"]["hours"] == [18, 19] and not one["question"]["edits"] for one in asked)


# Files


def test_the_files_say_what_was_asked_and_carry_the_same_numbers(anne: Seat, solved: FeederRun) -> None:
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
