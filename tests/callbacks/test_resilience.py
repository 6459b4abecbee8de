"""The Resilience page without a browser: its question, jobs, edits, files of one's own, links and saved files.

What is solved here is six shocks over eight steps of IEEE 33, once.
"""

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from callbacks import resilience_edits as edits_of_page
from callbacks import resilience_files, resilience_upload
from callbacks.day_answer import FRAME_CLASS, STALE_CLASS
from callbacks.day_desk import Seat
from callbacks.day_edits import without
from callbacks.feeder_desk import FEEDER_KIND
from callbacks.imported import CHECKS
from callbacks.job_banner import job_record
from callbacks.resilience_answer import answer_to
from callbacks.resilience_desk import SHOCKS_KIND, Desk
from callbacks.resilience_panes import rows_of
from callbacks.resilience_tabs import MADE
from callbacks.services import Services
from components import resilience_asked, resilience_question
from components.resilience_asked import (
    MOST_TYPES,
    NAME,
    NEW,
    WITHOUT,
    Edit,
    edits_between,
    edits_of,
    held_edits,
    types_of,
)
from components.resilience_view import FIRST_TAB, TABS, at_of, question_query, read_question, read_view
from components.resilience_words import At
from engine.data.openings import RESILIENCE
from engine.distribution.feeder import Line
from engine.distribution.files import to_json as feeder_to_json
from engine.errors import EngineError, QuestionError
from engine.resilience import jobs
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.question import ResilienceQuestion
from engine.resilience.reduction import distances
from engine.resilience.run import ResilienceRun, run_resilience
from engine.resilience.shock_files import from_csv, to_csv
from tests.callbacks.day_seats import DayScreen, opened, worked
from tests.callbacks.screen import ANNE, BEN, text

CHEAPER = replace(STANDARD[0], cost=9_000.0)
SMALL = ResilienceQuestion(scenarios=6, steps=8, fresh=12, curve=2, rolling=1, budget=30_000.0, time_limit_s=120.0)
EDITED = replace(SMALL, types=(CHEAPER, *STANDARD[1:]))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("resilience")) as services:
        yield services


@pytest.fixture(scope="module")
def anne(services: Services) -> Seat[Desk]:
    return Seat(Desk(services), ANNE, "")


class Screen(DayScreen):
    """The Resilience page as a browser holds it."""

    def __init__(self, seat: Seat[Desk], question: ResilienceQuestion = SMALL) -> None:
        words, edits = resilience_asked.words_of(question), held_edits(edits_between(question.types))
        super().__init__(seat, words, edits, answer_to)

    def run(self) -> ResilienceRun:
        run: ResilienceRun = super().run()
        return run


def work(seat: Seat[Desk]) -> int:
    """Compute the jobs that wait, whose answers hold what a study's file must; return how many there were."""
    return worked(seat, jobs.study_job, CHECKS.answers[jobs.STUDY])


@pytest.fixture(scope="module")
def computed(anne: Seat[Desk]) -> Seat[Desk]:
    """Anne, once her small study is computed by a press and a runner."""
    screen = Screen(anne)
    before = screen.ask()
    assert before.compute
    assert before.jobs is None
    assert "Not computed yet" in text(before.state)
    pressed = screen.ask(pressed=True)
    assert pressed.jobs
    assert "Placing modules" in text(pressed.state)
    assert work(anne) == 1
    done = screen.ask()
    assert (done.compute, done.jobs, done.frame) == (False, None, FRAME_CLASS)
    return anne


@pytest.fixture
def solved(computed: Seat[Desk]) -> Screen:
    """A page that stands on the answer to Anne's small study."""
    screen = Screen(computed)
    screen.ask()
    return screen


# The question


@pytest.mark.parametrize(
    "question",
    [
        RESILIENCE,
        ResilienceQuestion(),
        EDITED,
        ResilienceQuestion(feeder="ieee123", shocks_file="f" * 64, traces_file="a" * 64, every_bus=True, weight=0.0,
                           beta=0.9, doubt="wasserstein", radius=0.25, atoms=5, route="extensive form", gap=0.01,
                           events=12.5, amplitude=0.55, seed=3, steps=24, step_min=30.0, folds=3, margin_pu=0.002,
                           information=True),
        ResilienceQuestion(feeder="e" * 64, doubt="none"),
        ResilienceQuestion(types=(*STANDARD[:3], replace(STANDARD[3], inventory=0, ramp_mw_per_min=2.0))),
    ],
)  # fmt: skip
def test_controls_and_links_give_the_question_back(question: ResilienceQuestion) -> None:
    words, edits = resilience_asked.words_of(question), held_edits(edits_between(question.types))
    assert resilience_asked.question_of(json.loads(json.dumps(words)), json.loads(json.dumps(edits))) == question
    query = {name: values[0] for name, values in parse_qs(question_query(question)).items()}
    assert read_question(query) == (None if question == RESILIENCE else question)
    assert resilience_question.plain_sentence(question).endswith(("?", "."))


def test_a_number_that_a_browser_writes_without_its_point_is_the_same_question() -> None:
    """17500.0 comes back from a browser as 17500: the answer must still be found."""
    told = json.loads(json.dumps(SMALL.to_json()).replace(".0,", ",").replace(".0}", "}"))
    assert ResilienceQuestion.from_json(told).digest == SMALL.digest


def test_everything_that_cannot_be_asked_is_told_at_once_and_nothing_is_lost(solved: Screen) -> None:
    found = solved.found
    unread = solved.ask(weight="much", steps="1.5")
    assert "2 things to mend" in text(unread.state)
    for part in ("weight of the tail is a number, not 'much'", "number of steps is whole, not 1.5"):
        assert part in text(unread.state), part
    beyond = solved.ask(weight=2, steps=8, budget=-1)
    for part in ("weight of the tail is 2: 0 to 1", "budget, $ a year, is -1"):
        assert part in text(beyond.state), part
    assert beyond.frame == STALE_CLASS
    assert solved.found == found
    assert solved.ask(weight=0.5, budget=30_000).frame == FRAME_CLASS


@pytest.mark.parametrize(
    "ask", ["{", "[]", '{"scenarios":"x"}', '{"nothing":1}', '{"scenarios":1}', '{"types":[]}', "1" * 5000]
)
def test_a_link_that_cannot_be_read_is_refused(ask: str) -> None:
    with pytest.raises(QuestionError):
        read_question({"ask": ask})


def test_a_view_is_read_from_a_link_as_far_as_it_goes() -> None:
    view = read_view({"method": "CVaR", "shock": "3", "hour": "7", "tab": "curve", "sel": "bus:14"})
    assert (view.at, view.hour, view.tab) == (At("CVaR", 3, 7, "bus:14"), 7, "curve")
    other = read_view({"method": "x", "shock": "-1", "hour": "1e9", "tab": "z", "sel": ["a"]})
    assert (other.at, other.hour, other.tab) == (At(), None, FIRST_TAB)
    assert at_of(None) == At()
    assert at_of({"shock": 5}).shock == 5


# The answer


def test_the_job_gives_what_the_engine_gives(solved: Screen) -> None:
    run = solved.run()
    again = run_resilience(SMALL, lambda digest: ("", digest.encode()))
    assert [each.method for each in run.planned] == [each.method for each in again.planned]
    for one, other in zip(run.planned, again.planned, strict=True):
        assert one.objective == pytest.approx(other.objective, rel=2 * SMALL.gap)
    assert run.case.digest == again.case.digest


def test_somebody_else_s_run_is_drawn_only_from_what_he_may_read(services: Services, solved: Screen) -> None:
    ben = Seat(Desk(services), BEN, "")
    held = dict(solved.found)
    held["question"] = held["question"] | {"shocks_file": "e" * 64}
    with pytest.raises(QuestionError, match="no study of yours"):
        ben.drawn(held)
    assert ben.drawn({"question": "nonsense"}) is None


def test_a_changed_word_makes_the_answer_stale_and_says_which(solved: Screen) -> None:
    shown = solved.ask(radius=0.2)
    assert shown.frame == STALE_CLASS
    assert shown.compute
    assert "the radius of doubt" in text(shown.state)


def test_a_job_s_entry_leads_back_to_what_it_was_asked(solved: Screen) -> None:
    job = solved.seat.desk.services.jobs.list(ANNE, results=False)[0]
    record = job_record(job, {"/resilience": "resilience"})
    query = {name: values[0] for name, values in parse_qs(urlsplit(record["href"]).query).items()}
    assert read_question(query) == SMALL
    assert record["title"] == "Placement of modules"


def test_a_feeder_that_is_not_there_is_refused_before_a_job_begins(solved: Screen) -> None:
    shown = solved.ask(pressed=True, feeder="file:" + "d" * 64)
    assert shown.jobs is None
    assert "no study of yours" in text(shown.state)
    assert work(solved.seat) == 0


# Edits


def edit(press: str, held: Any = (), **values: Any) -> tuple[Edit, ...]:
    given = {"type": "BESS", "field": "cost", "value": 9_000}
    return edits_of_page.edited(None, press, given | values, list(held), None)  # type: ignore[arg-type]


def test_a_cheaper_battery_is_asked_for_and_taken_back(solved: Screen) -> None:
    made = edit("change")
    assert made == (Edit("BESS", "cost", 9_000.0),)
    shown = solved.ask(edits=held_edits(made))
    assert shown.edited == "modules, with 1 edit,"
    assert "the modules" in text(shown.state)
    asked = resilience_asked.question_of(solved.words, held_edits(made))
    assert asked == EDITED
    assert solved.seat.desk.case(ANNE, "", asked).types[0].cost == 9_000.0
    again = edit("change", held_edits(made), value=8_000)
    assert again == (Edit("BESS", "cost", 8_000.0),)  # in the place of the first
    assert without(made, "0") == ()
    assert edit("clear", held_edits(made)) == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "nobody"}, "choose a type"),
        ({"field": "kind"}, "choose a type"),
        ({"value": "x"}, "is a number"),
        ({"value": -1}, "0 to"),
        ({"field": "inventory", "value": 1.5}, "inventory of BESS is whole, not 1.5"),
        ({"field": "power_mw", "value": 0}, "module BESS: power mw is 0"),
        ({"value": STANDARD[0].cost}, "take its edit back"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        edit("change", **values)


FLYWHEEL = ModuleType("Flywheel", "storage", 0.3, 9_000.0, 5, 2, 0.1, 0.9, 0.9)


@pytest.mark.parametrize(
    "types",
    [
        STANDARD,
        (*STANDARD, FLYWHEEL),
        (replace(STANDARD[0], name="Battery", cost=1.0), *STANDARD[1:3]),
        STANDARD[::-1],  # another order is another question
        (FLYWHEEL,),
        (replace(STANDARD[0], kind="response"), STANDARD[1]),  # a standard name for another kind
        tuple(replace(FLYWHEEL, name=f"F{at}") for at in range(MOST_TYPES)),
        (replace(FLYWHEEL, name="LDES"), replace(STANDARD[3], name="BESS"), replace(STANDARD[1], ramp_mw_per_min=2.0)),
    ],
)
def test_any_types_come_back_from_their_edits_and_their_store(types: tuple[ModuleType, ...]) -> None:
    edits = edits_of(json.loads(json.dumps(held_edits(edits_between(types)))))
    assert types_of(edits) == types
    assert read_question({"ask": json.dumps({"types": ResilienceQuestion(types=types).to_json()["types"]})}) == (
        ResilienceQuestion(types=types)
    )


def form(**values: Any) -> dict[str, Any]:
    """Return what the form of a new type holds: that of a flywheel but for ``values``."""
    held = {"name": FLYWHEEL.name, "kind": FLYWHEEL.kind} | {
        name: getattr(FLYWHEEL, name) for name in resilience_asked.EDITED
    }
    return {f"new-{name}": value for name, value in (held | {"ramp_mw_per_min": ""} | values).items()}


def test_a_type_is_added_renamed_changed_and_left_out(solved: Screen) -> None:
    added = edit("add", **form())
    assert types_of(added) == (*STANDARD, FLYWHEEL)
    renamed = edit("rename", held_edits(added), type="BESS", name=" Battery ")
    assert renamed[-1] == Edit("BESS", NAME, "Battery")
    changed = edit("change", held_edits(renamed), type="Flywheel", field="inventory", value=3)
    left = edit("without", held_edits(changed), type="LDES")
    assert [each.name for each in types_of(left)] == ["Battery", "GEN", "DR", "Flywheel"]
    assert types_of(left)[3] == replace(FLYWHEEL, inventory=3)
    assert edit("rename", held_edits(added), type="Flywheel", name="Disc")[-1].type == "Disc"
    assert edit("without", held_edits(added), type="Flywheel") == ()
    assert edit("without", held_edits((*edit("change"),)), type="BESS") == (Edit("BESS", WITHOUT),)
    shown = solved.ask(edits=held_edits(left))
    assert shown.edited == "modules, with 3 edits,"
    asked = resilience_asked.question_of(solved.words, held_edits(left))
    assert solved.seat.desk.case(ANNE, "", asked).types == types_of(left)
    _, options, chosen = edits_of_page.shown(left, "LDES")
    assert [each["label"] for each in options] == ["Battery", "GEN", "DR", "Flywheel"]
    assert chosen == "BESS"  # what was chosen is gone


def test_everything_that_is_wrong_with_a_new_type_is_told_at_once() -> None:
    with pytest.raises(QuestionError) as refused:
        edit("add", **form(name="", inventory=-1, charge_efficiency=1.4, cost="much", most_at_site=1.5, energy_mwh=0))
    for part in ("has no name", "inventory is -1", "charge efficiency is 1.4", "cost, $ a year is a number, not 'much'",
                 "most at a site is whole, not 1.5", "energy mwh is 0"):  # fmt: skip
        assert part in str(refused.value), part


@pytest.mark.parametrize(
    ("press", "values", "words"),
    [
        ("add", form(name="GEN"), "there is a type 'GEN' already"),
        ("add", form(name="x" * 60), "at most 24 letters"),
        ("add", form(kind="magnet"), "kind of a new type"),
        ("rename", {"type": "BESS", "name": "DR"}, "two types of modules are called 'DR'"),
        ("rename", {"type": "BESS", "name": " "}, "has no name"),
        ("rename", {"type": "BESS", "name": "BESS"}, "standard name of BESS"),
        ("without", {"type": "nobody"}, "choose a type"),
    ],
)
def test_a_type_that_cannot_be_is_refused_in_words(press: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        edit(press, **values)


def test_one_type_stays_and_there_are_not_too_many() -> None:
    held: tuple[Edit, ...] = ()
    for each in STANDARD[:-1]:
        held = edit("without", held_edits(held), type=each.name)
    with pytest.raises(QuestionError, match="there are 0 types"):
        edit("without", held_edits(held), type=STANDARD[-1].name)
    many = tuple(Edit(f"F{at}", NEW, made=replace(FLYWHEEL, name=f"F{at}")) for at in range(MOST_TYPES))
    with pytest.raises(QuestionError, match=f"there are {MOST_TYPES + 4} types"):
        types_of(many)


@pytest.mark.parametrize("held", [[1], [{"type": "BESS"}], [{"type": "BESS", "field": "cost", "value": "x"}]])
def test_edits_that_the_page_did_not_write_are_refused(held: Any) -> None:
    with pytest.raises(QuestionError, match="edits of modules"):
        resilience_asked.edits_of(held)


# Shocks of one's own


def held_words(question: ResilienceQuestion = SMALL) -> dict[str, Any]:
    """Return what the controls hold when a file comes."""
    return resilience_asked.words_of(question) | {"edits": held_edits(edits_between(question.types))}


def sent(content: bytes) -> str:
    return f"data:text/csv;base64,{base64.b64encode(content).decode()}"


def test_shocks_of_one_s_own_are_shown_taken_and_asked_about(solved: Screen) -> None:
    case = solved.run().case
    content = to_csv(case.scenarios.taken(np.array([1, 4])), case.campuses, case.links)
    seat = solved.seat
    panel, offered = resilience_upload.offer(seat, sent(content), "ours.csv", held_words())
    assert "equal, 50.00" in text(panel)
    assert f"{float((case.scenarios.draw_mw[[1, 4]] - case.schedule_mw).max()):.3f} MW" in text(panel)
    address = resilience_upload.take(seat, offered, SMALL)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked = read_question(query)
    assert asked is not None
    assert asked == replace(SMALL, shocks_file=asked.shocks_file, scenarios=2)  # what the sentence says
    mine = Seat(seat.desk, ANNE, query["study"])
    made = mine.desk.case(ANNE, mine.study, asked)
    assert np.array_equal(made.scenarios.draw_mw, case.scenarios.draw_mw[[1, 4]])
    assert mine.desk.choices(ANNE, mine.study, SHOCKS_KIND) == [(asked.shocks_file, "ours.csv")]
    with pytest.raises(EngineError):
        mine.desk.look(BEN, mine.study, asked)  # another reader's study


def test_a_file_that_holds_no_shocks_is_refused_naming_what_it_lacks(anne: Seat[Desk]) -> None:
    panel, offered = resilience_upload.offer(anne, sent(b"scenario,step\n1,1\n"), "bad.csv", held_words())
    assert offered is None
    assert "no column campus" in text(panel)
    assert "no column draw_mw" in text(panel)


def test_shocks_that_do_not_fit_the_question_are_refused_with_their_line(anne: Seat[Desk]) -> None:
    content = b"scenario,step,campus,draw_mw\n1,99,14,0.1\n1,1,nowhere,0.1\n2,2,14,-3\n"
    panel, offered = resilience_upload.offer(anne, sent(content), "bad.csv", held_words())
    assert offered is None
    for part in ("3 problems", "row 2: step is 99", "'nowhere'", "row 4: draw_mw is -3"):
        assert part in text(panel), part
    unlikely = b"scenario,step,campus,draw_mw,probability\n1,1,14,0.1,0.7\n2,1,14,0.2,0.7\n"
    panel, offered = resilience_upload.offer(anne, sent(unlikely), "bad.csv", held_words())
    assert offered is None
    assert "probabilities sum to 1.4" in text(panel)
    panel, offered = resilience_upload.offer(anne, sent(unlikely), "bad.csv", held_words() | {"weight": "much"})
    assert offered is None
    assert "weight of the tail is a number" in text(panel)
    late = b"scenario,step,campus,draw_mw\n1,8,14,0.1\n"
    _, offered = resilience_upload.offer(anne, sent(late), "late.csv", held_words())
    with pytest.raises(EngineError, match="step is 8"):  # the question has changed since
        resilience_upload.take(anne, offered, replace(SMALL, steps=6))
    with pytest.raises(QuestionError, match="not kept any more"):
        resilience_upload.take(Seat(anne.desk, BEN, ""), offered, SMALL)
    with pytest.raises(QuestionError, match="choose a file"):
        resilience_upload.take(anne, None, SMALL)


@pytest.mark.parametrize("method", ["forward", "medoids"])
def test_fewer_shocks_stand_for_all_and_their_distance_is_told(solved: Screen, method: str) -> None:
    """Brute force: what is told is the sum of each shock's distance to the nearest that is kept; no pair is nearer
    than what exchanges end with.
    """
    seat, case = solved.seat, solved.run().case
    panel, offered = resilience_upload.fewer(seat, 2, method, held_words())
    address = resilience_upload.take(seat, offered, SMALL)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked = read_question(query)
    assert asked is not None
    assert asked.scenarios == 2
    _, content = seat.desk.file(ANNE, query["study"], asked.shocks_file)
    some = from_csv(content, case.campuses, case.steps, case.links)
    kept = [
        next(at for at in range(6) if np.array_equal(case.scenarios.draw_mw[at], draw)) for draw in some.draw_mw
    ]  # fmt: skip
    apart = distances(case.scenarios, case.step_h)

    def distance(of: list[int]) -> float:
        return float(sum(min(apart[at, other] for other in of) / 6.0 for at in range(6)))

    assert f"{distance(kept):.4f}" in text(panel)
    nearest = [min(kept, key=lambda other, at=at: apart[at, other]) for at in range(6)]  # type: ignore[misc]
    assert some.probability == pytest.approx([nearest.count(at) / 6.0 for at in kept])
    if method == "medoids":
        others = [[*(each for each in kept if each != out), new] for out in kept for new in range(6) if new not in kept]
        assert distance(kept) <= min(distance(each) for each in others) * (1.0 + 1e-9)


@pytest.mark.parametrize(
    ("count", "method", "words"),
    [(0, "forward", "0: 1 to 6"), (7, "forward", "7: 1 to 6"), ("x", "medoids", "is a number"),
     (2.5, "forward", "is whole"), (2, "luck", "forward selection or k-medoids")],
)  # fmt: skip
def test_shocks_that_cannot_be_made_fewer_are_refused(anne: Seat[Desk], count: Any, method: str, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        resilience_upload.fewer(anne, count, method, held_words())


def test_more_shocks_than_can_be_compared_at_once_are_refused_with_what_can(anne: Seat[Desk]) -> None:
    many = replace(SMALL, scenarios=1_000, steps=4)
    with pytest.raises(QuestionError, match="at most 50 of 1,000"):
        resilience_upload.fewer(anne, 300, "medoids", held_words(many))


def test_a_meshed_feeder_is_refused_naming_its_loop(solved: Screen) -> None:
    seat, feeder = solved.seat, solved.run().case.feeder
    first = next(link for link in feeder.closed_links if isinstance(link, Line))
    tie = replace(first, name="tie", from_bus="18", to_bus="33")
    meshed = replace(feeder, lines=(*feeder.lines, tie))
    study, digest = seat.desk.keep_file(ANNE, "", "meshed.json", FEEDER_KIND, feeder_to_json(meshed))
    shown = Screen(Seat(seat.desk, ANNE, study)).ask(pressed=True, feeder=f"file:{digest}")
    assert shown.jobs is None
    told = text(shown.state)
    assert "tie" in told or "loop" in told
    assert work(seat) == 0


def test_an_impossible_budget_is_refused_and_one_of_nothing_is_a_question(anne: Seat[Desk]) -> None:
    screen = Screen(anne)
    screen.ask()
    for budget, words in ((-1, "is -1"), ("", "is a number"), (1e13, "is 1e+13")):
        assert words in text(screen.ask(budget=budget, pressed=True).state), budget
    assert "Not computed yet" in text(Screen(anne, replace(SMALL, budget=0.0)).ask().state)


# Files


@pytest.mark.parametrize("kind", resilience_files.KINDS)
def test_every_file_of_an_answer_is_whole(solved: Screen, kind: str) -> None:
    run = solved.run()
    made = resilience_files.file_of(solved.seat, run, kind, At(), "methods")
    content = base64.b64decode(made["content"]) if made["base64"] else made["content"].encode()
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(rows) == 3 * len(run.planned)  # own, fresh and shifted shocks
        assert {row["case_digest"] for row in rows} == {run.case.digest}
    elif kind == "json":
        told = json.loads(content)
        assert ResilienceQuestion.from_json(told["question"]) == SMALL
        assert [sum(row["count"] for row in plan["modules"]) for plan in told["plans"]] == [
            int(each.plan.sum()) for each in run.planned
        ]
    elif kind == "npz":
        assert ResilienceRun.load(content).case.digest == run.case.digest
    elif kind == "shocks":
        assert content == to_csv(run.case.scenarios, run.case.campuses, run.case.links)
    else:
        held: dict[str, Any] = {"__name__": "read"}
        exec(compile(content.decode(), made["filename"], "exec"), held)  # noqa: S102 (lines of our own)
        assert ResilienceQuestion.from_json(json.loads(held["QUESTION"])) == SMALL
        assert run.case.digest in content.decode()


def test_every_tab_has_rows_for_its_file(solved: Screen) -> None:
    assert set(MADE) == set(TABS)
    for tab in TABS:
        name, rows = rows_of(solved.run(), At(), tab)
        assert name == tab
        assert all(rows) or tab in {"modules", "radius"}
    assert rows_of(solved.run(), At(), "nowhere")[0] == "numbers"


def test_an_owner_s_question_is_saved_with_the_study(services: Services, solved: Screen) -> None:
    desk = solved.seat.desk
    study, _ = desk.keep_file(ANNE, "", "shocks.csv", SHOCKS_KIND, b"scenario,step,campus,draw_mw\n")
    mine = Screen(Seat(desk, ANNE, study))
    mine.ask()
    assert desk.first(ANNE, study, {})[0] == SMALL
    assert services.studies.question(ANNE, study, "resilience") == SMALL.to_json()
