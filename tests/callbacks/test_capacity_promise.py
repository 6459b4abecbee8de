"""The panels of the promise, the check, the conditions and the requests: every state, who may do what, what is kept."""

import base64
import json
from typing import Any

import pytest

from callbacks import capacity_requests as table
from callbacks.capacity_answer import Asked, Seat, answer_to
from callbacks.capacity_aside import begin
from callbacks.capacity_conditions import added, held, without
from callbacks.capacity_desk import AtOnce, Desk
from callbacks.capacity_promise import as_sent, check_panel, promise_panel
from callbacks.imported import CHECKS
from callbacks.services import Services
from components import capacity_check, capacity_requests
from components import capacity_conditions as form
from components import capacity_promise as panel
from engine.capacity import holdout
from engine.capacity.check_jobs import CHECK, check_arguments, check_job
from engine.capacity.conditions import Condition
from engine.capacity.independent import IndependentCheck
from engine.capacity.promise import Promise
from engine.capacity.promise_jobs import PROMISE, promise_arguments, promise_job
from engine.capacity.requests import Request, Requests
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.store.answers import Answer as StoredAnswer
from engine.store.codec import dump_json
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from tests.callbacks.screen import ANNE, BEN, Screen, text

ROWS = "customer,bus,mw,date,envelope\nAcme,3,40,2026-02-01,firm\nByte,4,25,2025-12-24,pause\n"


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdout, "USUAL_DRAWS", 5000)


def drawn(seat: Seat, **words: Any) -> Any:
    screen = Screen(seat)
    screen.ask(**words)
    return screen.drawn


def keep(seat: Seat, kind: str, shown: Any) -> dict[str, Any]:
    """Compute here what the job would, and keep it as the job's result is kept."""
    answer = seat.answer(shown)
    assert answer is not None
    levels = [level.capacity_mw for level in answer.result.levels]
    made, job = {PROMISE: (promise_arguments, promise_job), CHECK: (check_arguments, check_job)}[kind]
    arguments = as_sent(made(answer.network.digest, answer.question, levels))
    context = AtOnce(seat.desk.services, seat.user, seat.study, answer.network)
    content = json.loads(json.dumps(job(arguments, context)))
    key = hash_input(kind, KINDS[kind], dump_json(arguments, "arguments"))
    seat.desk.services.results.put(seat.user, seat.study, StoredAnswer(kind, key, content, {}))
    return content


def test_before_an_answer_the_panels_are_empty(seat: Seat) -> None:
    assert promise_panel(seat, None, None, pressed=False).children is None
    assert check_panel(seat, None, pressed=False).children is None


def test_a_promise_is_measured_on_a_press_and_its_job_is_followed(seat: Seat) -> None:
    shown = drawn(seat)
    first = promise_panel(seat, shown, None, pressed=False)
    assert "Measure the promise" in text(first.children)
    assert first.job is None
    asked = promise_panel(seat, shown, None, pressed=True)
    assert asked.job is not None
    again = promise_panel(seat, shown, None, pressed=False)  # the page was left and opened again
    assert again.job == asked.job
    seat.desk.services.jobs.cancel(ANNE, asked.job)
    assert "cancelled" in text(promise_panel(seat, shown, None, pressed=False).children)


def test_a_measured_promise_tells_the_study_and_the_selected_bus(seat: Seat) -> None:
    shown = drawn(seat)
    found = Promise.from_json(keep(seat, PROMISE, shown))
    whole = text(promise_panel(seat, shown, None, pressed=False).children)
    share = found.risk.levels[1].exceeded
    assert f"{100 * share.value:.1f} %" in whole
    assert "In plain words" in whole
    assert "5,000 new draws" in whole
    at_4 = text(promise_panel(seat, shown, "bus:4", pressed=False).children)
    assert "The promise at bus 4" in at_4
    assert "firm is never cut" in at_4
    assert "The promise at bus" not in text(promise_panel(seat, shown, "bus:1", pressed=False).children)


def test_a_promise_of_another_question_stands_under_a_hatch(seat: Seat) -> None:
    keep(seat, PROMISE, drawn(seat))
    told = text(promise_panel(seat, drawn(seat, epsilon="0.1"), None, pressed=False).children)
    assert "Stale: the question or the network changed since" in told
    assert "Limits exceeded" in told


def test_a_promise_of_another_version_is_left_out(seat: Seat) -> None:
    seat.desk.services.results.put(ANNE, seat.study, StoredAnswer(PROMISE, "0" * 64, {"risk": {}}, {}))
    told = text(promise_panel(seat, drawn(seat), None, pressed=False).children)
    assert "Measure the promise" in told
    assert "Stale" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [({"keep": "box:box"}, "A box has no probabilities")],
)
def test_what_cannot_be_measured_says_why(seat: Seat, words: dict[str, Any], said: str) -> None:
    assert said in text(promise_panel(seat, drawn(seat, **words), None, pressed=False).children)


def test_a_failed_measurement_says_why_and_can_be_tried_again() -> None:
    told = text(panel.failed("no limit can be read", cancelled=False))
    assert "no limit can be read" in told
    assert "Measure again" in told


def test_a_reader_measures_too_and_a_stranger_sees_nothing(seat: Seat, services: Services) -> None:
    shown = drawn(seat)
    services.studies.accept_share(BEN, services.studies.share(ANNE, seat.study))
    ben = Seat(Desk(services), BEN, seat.study)
    assert promise_panel(ben, shown, None, pressed=True).job is not None
    stranger = Seat(Desk(services), "carl", seat.study)
    with pytest.raises(NotFoundError):
        promise_panel(stranger, shown, None, pressed=True)


def test_the_check_by_other_solvers_is_told(seat: Seat) -> None:
    shown = drawn(seat)
    assert "Check with an independent solver" in text(check_panel(seat, shown, pressed=False).children)
    assert check_panel(seat, shown, pressed=True).job is not None
    assert IndependentCheck.from_json(keep(seat, CHECK, shown)).holds
    told = text(check_panel(seat, shown, pressed=False).children)
    assert "Confirmed" in told
    assert "Clarabel" in told
    answer = seat.answer(shown)
    assert answer is not None
    arguments = check_arguments(answer.network.digest, answer.question, [(0.0, 0.0)])
    assert begin(seat.desk.services, ANNE, seat.study, CHECK, as_sent(arguments)).job is not None


def test_a_check_that_does_not_confirm_says_so() -> None:
    told = text(
        capacity_check.done(IndependentCheck(False, (), 0.5, "line 1-2", "the allocation exceeds line 1-2", 1.0))
    )
    assert "Not confirmed" in told
    assert "exceeds line 1-2" in told


# Conditions


def test_conditions_are_added_and_taken_away(seat: Seat) -> None:
    one = added(seat, (), ("cap", "4", "12", "quay"))
    assert one == (Condition("cap", "quay", buses=("4",), mw=12.0),)
    two = added(seat, one, ("least:demand", "", "20", ""))
    assert two[1] == Condition("least", share=0.2, of="demand")
    assert without(two, 0) == two[1:]
    records = {"conditions": [entry.to_json() for entry in two]}
    assert held(records, None) == two
    assert held(None, {"question": records}) == two
    assert "quay" in text(form.listed(two))


def test_a_corridor_has_weights() -> None:
    found = form.condition_of("corridor", "3:1, 4:-0.5", "25", "")
    assert found.weights == (("3", 1.0), ("4", -0.5))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("cap", "9", "12", ""), "no bus '9'"),
        (("cap", "zone Mars", "12", ""), "no zone 'Mars'"),
        (("cap", "", "much", ""), "number"),
        (("corridor", "3=1", "5", ""), "bus:weight"),
        (("corridor", "", "5", ""), "weight of one bus"),
        (("most", "", "5", ""), "choose what"),
        (("cap", "", "-5", ""), "mw must be from 0"),
    ],
)
def test_conditions_that_cannot_be_read_are_refused(seat: Seat, given: Any, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        added(seat, (), given)


def test_an_answer_under_a_condition_is_another_answer(seat: Seat) -> None:
    screen = Screen(seat)
    before = screen.ask().drawn["digest"]
    start = {"question": screen.start.to_json(), "problems": []}
    more = {"conditions": [Condition("cap", buses=("4",), mw=12.0).to_json()]}
    shown = answer_to(seat, Asked(screen.words, screen.sites, start, screen.drawn, more=more), 0.0)
    assert shown.drawn["digest"] != before
    answer = seat.answer(shown.drawn)
    assert answer is not None
    assert max(answer.result.levels[1].capacity_mw[1:]) <= 12.0 + 1e-6


# Requests


def test_requests_are_taken_kept_and_summed(seat: Seat) -> None:
    taken = table.pasted(seat, Requests(), ROWS)
    assert taken.requests.demand() == (("4", "3"), (25.0, 40.0))
    assert table.save(seat, taken.requests) == ""
    assert table.kept(seat) == taken.requests
    rows = capacity_requests.rows_of(taken.requests)
    assert [row["queue"] for row in rows] == [2, 1]
    told = text(capacity_requests.total_words(taken.requests))
    assert "65 MW" in told
    assert "By bus, 4: 25 MW, 3: 40 MW" in told  # what the question takes, in the order of the queue


def test_a_file_is_the_whole_table(seat: Seat) -> None:
    contents = "data:text/csv;base64," + base64.b64encode(ROWS.encode()).decode()
    assert len(table.uploaded(seat, contents).requests.rows) == 2
    with pytest.raises(QuestionError, match="whole"):
        table.uploaded(seat, "data:text/csv;base64,???")


def test_cells_are_edited_and_rows_added_and_removed(seat: Seat) -> None:
    before = table.pasted(seat, Requests(), ROWS).requests
    changes = [{"colId": "mw", "rowId": "1", "value": 30.0}, {"colId": "queue", "rowId": "0", "value": 7}]
    after = table.edited(seat, before, changes).requests
    assert after.rows[1] == Request("Byte", "4", 30.0, "2025-12-24", "pause")
    with pytest.raises(QuestionError, match="row 2, bus: the network has no bus '77'"):
        table.edited(seat, before, [{"colId": "bus", "rowId": "1", "value": "77"}])
    more = table.with_row(seat, before).requests
    assert more.rows[-1].bus == "4"
    assert table.without_row(more, [{"id": "2"}]).requests == before
    with pytest.raises(QuestionError, match="select a row"):
        table.without_row(before, [])


def test_a_table_starts_from_the_sites_of_the_question(seat: Seat) -> None:
    sites = {"bus": ["4", "3"], "mw": [50, 60]}
    begun = table.from_sites(seat, Requests(), sites).requests
    assert begun.demand() == (("4", "3"), (50.0, 60.0))  # used as sites they are the same question again
    assert [(row.customer, row.envelope) for row in begun.rows] == [("Site 4", "firm"), ("Site 3", "firm")]
    with pytest.raises(QuestionError, match="no site yet"):
        table.from_sites(seat, Requests(), {"bus": [], "mw": []})


def test_a_readers_table_is_not_kept(seat: Seat, services: Services) -> None:
    services.studies.accept_share(BEN, services.studies.share(ANNE, seat.study))
    ben = Seat(Desk(services), BEN, seat.study)
    assert "Read only" in table.save(ben, Requests())


@pytest.mark.parametrize("kind", [PROMISE, CHECK])
def test_what_a_studys_file_holds_of_them_is_checked(seat: Seat, kind: str) -> None:
    content = keep(seat, kind, drawn(seat))
    CHECKS.answers[kind](content)
    for name in content:
        with pytest.raises(EngineError):
            CHECKS.answers[kind]({key: value for key, value in content.items() if key != name})
        with pytest.raises(EngineError):
            CHECKS.answers[kind](content | {name: {"what": 1}})
