"""Answers with outages, redispatch or periods on the Capacity page: the plain one at once, the whole one when it is
computed, and who may see it. The whole answers are records put where a job's would be.
"""

import json
from dataclasses import replace

import pytest

from callbacks import capacity_panes as panes
from callbacks.capacity_answer import KEEP, Seat
from callbacks.capacity_deep import KIND
from callbacks.capacity_desk import AtOnce, CheckRunningError, Desk
from callbacks.capacity_publish import publish
from callbacks.capacity_why import binding_card_for, reinforced_gain, why_card_for
from callbacks.services import Services
from components.capacity_deep import variant_of
from components.capacity_results import strongest
from engine.capacity import jobs
from engine.capacity.answer import Answer as Computed
from engine.capacity.defaults import paper_question
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.network import library
from engine.store.answers import Answer as StoredAnswer
from engine.store.codec import dump_json
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, Screen, text
from tests.components.test_capacity_deep import SEASONS, shrunk

SECURE = replace(paper_question(), security="n-1")
SEASONAL = replace(paper_question(), period="season")


def compute(seat: Seat, question: CapacityQuestion, share: float = 0.5) -> None:
    """Put an answer where a job would: the plain one times ``share``, its seasons larger."""
    bare = seat.desk.look(seat.user, seat.study, question, submit=False).answer
    assert bare is not None
    made = Computed(
        shrunk(bare.result, share, "2-3"),
        tuple((name, shrunk(bare.result, part)) for name, part in SEASONS.items()) if question.period != "year" else (),
    )
    arguments = dump_json(jobs.answer_arguments(bare.network.digest, question), "a question")
    key = hash_input(KIND, KINDS[KIND], arguments)
    content = json.loads(json.dumps(made.to_json()))
    seat.desk.services.results.put(seat.user, seat.study, StoredAnswer(KIND, key, content, {}))


def test_a_word_about_outages_draws_the_plain_answer_and_computes_the_whole_one(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    shown = screen.ask(deepened=True, security="n-1:all")
    assert [row["firm"] for row in shown.site_rows] == pytest.approx([10, 10])
    assert "without outages so far" in text(shown.totals)
    assert "Computing the answer secure for every single outage" in text(shown.state)
    assert "Publish" not in text(shown.tray)
    assert shown.product_rows == []
    assert shown.jobs is not None
    assert not shown.compute
    job = seat.desk.services.jobs.get(ANNE, shown.jobs[0])
    assert (job.kind, job.arguments["question"]["security"]) == (KIND, "n-1")
    assert screen.ask().jobs == shown.jobs  # asked again, or after a reload, it follows the same job
    saved = seat.desk.services.studies.question(ANNE, seat.study, "capacity")
    assert saved is not None
    assert CapacityQuestion.from_json(saved) == SECURE  # the page opens with the words that were asked
    compute(seat, SECURE)
    done = screen.ask()
    assert [row["firm"] for row in done.site_rows] == pytest.approx([5, 5])
    assert "by outages" in text(done.totals)
    lost = [before["total"] - after["total"] for before, after in zip(shown.site_rows, done.site_rows, strict=True)]
    assert [-row["change"] for row in done.site_rows] == pytest.approx(lost)
    assert {row["outage"] for row in done.limit_rows} == {"2-3", ""}


def test_another_word_asks_before_it_computes_again(seat: Seat) -> None:
    screen = Screen(seat, SECURE)
    opened = screen.ask()  # the owner opens the page: what is asked is computed
    assert opened.jobs is not None
    compute(seat, SECURE)
    assert screen.ask().jobs is not None  # the job itself still waits; the answer is there
    later = screen.ask(epsilon="0.1")
    assert later.compute
    assert "Press Compute for the one secure for every single outage" in text(later.state)
    assert screen.ask(pressed=True).compute is False


def test_a_cancelled_answer_is_told_and_does_not_begin_by_itself_again(seat: Seat) -> None:
    first = Screen(seat, SECURE).ask()
    assert first.jobs is not None
    seat.desk.services.jobs.cancel(ANNE, first.jobs[0])
    shown = Screen(seat, SECURE).ask()
    assert shown.jobs is None
    assert shown.compute
    assert "Cancelled" in text(shown.state)
    assert [row["firm"] for row in shown.site_rows] == pytest.approx([10, 10])


def test_the_steps_draw_a_period_and_a_link_that_names_none_draws_the_year(seat: Seat) -> None:
    screen = Screen(seat, SEASONAL)
    screen.ask()
    compute(seat, SEASONAL)
    shown = screen.ask()
    assert [step["value"] for step in shown.steps] == ["year", *SEASONS]
    screen.period = "Dec-Feb"
    winter = screen.ask()
    assert [row["firm"] for row in winter.site_rows] == pytest.approx([9, 9])
    assert screen.drawn["period"] == "Dec-Feb"
    inspected = text(panes.inspect(seat, screen.drawn, "bus:3", "light"))
    assert "With the other sites, Dec-Feb" in inspected
    assert "By season" in inspected
    screen.period = "Monday"
    assert [row["firm"] for row in screen.ask().site_rows] == pytest.approx([5, 5])
    assert screen.ask(period="year").steps == []  # the sentence asks for the year as a whole: no steps


def test_answers_side_by_side_are_computed_one_by_one(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    shown = text(panes.inspect(seat, screen.drawn, None, "light"))
    assert shown.count("Compute") >= 3
    waiting = screen.ask(variant="n-1:none")
    assert waiting.jobs is not None
    assert [row["firm"] for row in waiting.site_rows] == pytest.approx([10, 10])
    assert "computing, 0 %" in text(panes.inspect(seat, screen.drawn, None, "light"))
    compute(seat, variant_of(paper_question(), "n-1", "none"))
    assert "10.0" in text(panes.inspect(seat, screen.drawn, None, "light"))
    assert screen.ask(variant="n-3:none").drawn is not KEEP  # no variant of ours: nothing is started


def test_cards_of_a_whole_answer_tell_what_its_record_holds(seat: Seat) -> None:
    screen = Screen(seat, SECURE)
    screen.ask()
    compute(seat, SECURE)
    screen.ask()
    card = text(why_card_for(seat, screen.drawn, "bus:3", "site0"))
    assert "5.0 MW firm at bus 3" in card
    assert "for every outage" in card
    assert "worst outage 2-3" in text(binding_card_for(seat, screen.drawn))
    assert "Alone" not in text(why_card_for(seat, screen.drawn, "bus:3", "alone0"))
    assert "Binds, firm" in text(panes.inspect(seat, screen.drawn, "branch:1-2", "light"))
    assert "Its outage" in text(panes.inspect(seat, screen.drawn, "branch:2-3", "light"))


def test_a_version_of_the_network_keeps_its_answers_and_nothing_is_started(seat: Seat) -> None:
    network = seat.network()
    assert seat.desk.at(ANNE, seat.study, SECURE, network.digest) is None
    Screen(seat, SECURE).ask()
    compute(seat, SECURE)
    found = seat.desk.at(ANNE, seat.study, SECURE, network.digest)
    assert found is not None
    assert found.result.firm_mw == pytest.approx((5, 5))
    plain = seat.desk.at(ANNE, seat.study, paper_question(), network.digest)
    assert plain is not None
    assert plain.result.firm_mw == pytest.approx((10, 10))


def test_a_reader_sees_what_the_owner_computed(seat: Seat, services: Services) -> None:
    Screen(seat, SECURE).ask()
    compute(seat, SECURE)
    token = services.studies.share(ANNE, seat.study)
    services.studies.accept_share(BEN, token)
    reader = Seat(Desk(services), BEN, seat.study)
    shown = Screen(reader, SECURE).ask()
    assert [row["firm"] for row in shown.site_rows] == pytest.approx([5, 5])
    assert "Publish" not in text(shown.tray)


def test_what_more_of_a_limit_brings_after_outages_is_solved_for_on_the_kept_margins(services: Services) -> None:
    seat = Seat(Desk(services), ANNE, services.studies.create(ANNE, "Twenty-four", library.load("rts24")))
    hours = UncertaintySpec("hourly", {"hours": 12}, 1)
    asked = CapacityQuestion(("5", "20"), (900.0, 900.0), supply="headroom", uncertainty=hours, security="n-1")
    network = seat.network()
    context = AtOnce(services, ANNE, seat.study, network)
    jobs.prepare_job(jobs.prepare_arguments(network.digest, asked), context)
    arguments = jobs.answer_arguments(network.digest, asked)
    content = json.loads(json.dumps(jobs.answer_job(arguments, context)))
    key = hash_input(KIND, KINDS[KIND], dump_json(arguments, "a question"))
    services.results.put(ANNE, seat.study, StoredAnswer(KIND, key, content, {}))
    screen = Screen(seat, asked)
    shown = screen.ask()
    answer = screen.answer()
    binding = strongest(answer)
    assert binding is not None
    gain = reinforced_gain(seat, answer, binding)
    assert gain is not None
    assert (
        -1e-6 <= gain <= 10 * (binding.gain_mw_per_mw or 0) + 1e-6
    )  # equal demands: the total is the program's value, which is concave
    assert "at most" in text(binding_card_for(seat, screen.drawn))
    assert "10 MW more give" in text(why_card_for(seat, screen.drawn, "bus:5", "site0"))
    assert answer.products is not None
    assert answer.products.witness.rows_checked > 0
    assert [row["mw"] for row in shown.product_rows] == [product.capacity_mw for product in answer.products.products]
    with pytest.raises(CheckRunningError) as running:  # a set after outages is checked apart before it is published
        publish(seat, screen.drawn)
    queue = Queue(services.store.database, services.artifacts, KINDS, running_per_user=1)
    claim = queue.claim()
    assert claim is not None
    assert (claim.id, claim.kind) == (running.value.job, jobs.VERIFY)
    queue.finish(claim, jobs.verify_job(dict(claim.arguments), context), 0.1)
    assert "Published version 1" in publish(seat, screen.drawn)
