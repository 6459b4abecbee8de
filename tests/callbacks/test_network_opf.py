"""The DC-OPF on the Network page: at once or by a job, kept with the study, stale, refused, exported; its link."""

import csv
import io
import json
import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callbacks import network_answer
from callbacks.network_answer import KEEP, Asked, Shown
from callbacks.network_desk import Seat, change
from callbacks.network_opf import OpfDesk
from callbacks.network_panels import inspector
from callbacks.services import Services
from components.network_dispatch import WHAT
from components.network_rows import TABLES
from components.network_view import View, read_question, read_view
from engine.compute import HERE
from engine.errors import NotFoundError, QuestionError
from engine.network import library
from engine.opf.jobs import opf_job
from engine.opf.question import OpfQuestion
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from engine.store.workers import Context
from tests.callbacks.test_network import ANNE, BEN, asked, text
from tests.databases import ready_sqlite


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> Seat:
    """Anne, with the 4-bus case as her study."""
    return Seat(services, ANNE, services.studies.create(ANNE, "Four", library.load("fourbus")))


WORDS = (100, "a", "keep")


def press(seat: Seat, desk: OpfDesk, *words: Any, **more: Any) -> Shown:
    """Press Solve with these words of the sentence."""
    return network_answer.ask(seat, desk, Asked(words or WORDS, pressed=True, **more))


def test_the_four_bus_case_costs_its_load_times_its_price(seat: Seat) -> None:
    """85 MW from one unit of 20 $/MWh, nothing binds: 1,700 $/h and one price. By hand."""
    desk = OpfDesk(seat.services)
    shown = press(seat, desk)
    assert "1\u2009700 $/h" in text(shown.state)
    assert shown.layer == "loading"
    assert shown.layers["layers"]["loading"]["branches"] == [3, 2, 2]  # 60, 30 and 40 % of the limits
    assert shown.layers["layers"]["lmp"]["busText"][0] == "20.00 $/MWh: energy 20.00, congestion +0.00"
    assert "60.0 MW" in text(inspector(seat, desk, "branch:1-2", shown.answer))
    rows = network_answer.table_rows(seat, desk, shown.answer)
    assert [row["price_per_mwh"] for row in rows["prices"]] == [20, 20, 20, 20]
    assert [row["demand_mw"] for row in rows["prices"]] == [25, 25, 15, 20]
    assert [row["loading_share"] for row in rows["flows"]] == pytest.approx([0.6, 0.3, 0.4])
    assert [row["output_mw"] for row in rows["outputs"]] == pytest.approx([85])


def test_an_answer_is_there_again_after_a_restart_with_where_it_is_from(seat: Seat) -> None:
    desk = OpfDesk(seat.services)
    press(seat, desk, 90, "b", "ignore")
    later = OpfDesk(seat.services)  # another process, or the same after a restart
    opened = network_answer.opening(seat, later, seat.status().digest, None)
    assert (opened.question.scale_percent, opened.question.rating, opened.question.ignore_p_min) == (90, "b", True)
    assert "1\u2009530 $/h" in text(opened.shown.state)  # 0.9 of 1,700
    kept = seat.services.results.list(ANNE, seat.study, "network.opf")
    assert [(one.provenance["input_hash"], one.provenance["computed_by"]) for one in kept] == [
        (kept[0].input_hash, "network.opf")
    ]


def test_what_another_study_was_answered_is_kept_with_this_one_too(seat: Seat) -> None:
    desk = OpfDesk(seat.services)
    press(seat, desk)
    other = Seat(seat.services, BEN, seat.services.studies.create(BEN, "Same", library.load("fourbus")))
    drawn = press(other, desk).answer
    assert network_answer.drawn_answer(other, OpfDesk(seat.services), drawn) is not None


def test_what_takes_long_is_a_job_whose_end_shows_its_answer(seat: Seat) -> None:
    desk = OpfDesk(seat.services, at_once_s=0)
    shown = press(seat, desk)
    assert isinstance(shown.job, dict)
    assert "Least-cost dispatch" in text(shown.state)
    job = seat.services.jobs.get(ANNE, shown.job["id"])
    assert job.state == "queued"
    assert press(seat, desk).job["id"] == job.id  # pressed twice, computed once
    reopened = network_answer.opening(seat, OpfDesk(seat.services), seat.status().digest, None)
    assert reopened.shown.job["id"] == job.id  # a reload finds it again
    ended = Asked(WORDS, job=shown.job, ended=True)
    assert "not kept any more" in text(network_answer.ask(seat, desk, ended).state)
    work_off(seat.services)
    after = network_answer.ask(seat, desk, ended)
    assert "1\u2009700 $/h" in text(after.state)
    assert (after.job, after.layer) == (None, "loading")
    assert seat.services.results.list(ANNE, seat.study, "network.opf")  # an answer of the study


def work_off(services: Services) -> None:
    """Compute the oldest job in the queue, as a runner does."""
    queue = Queue(services.store.database, services.artifacts, KINDS, running_per_user=1)
    claim = queue.claim()
    assert claim is not None
    channel, there = multiprocessing.Pipe()
    content = opf_job(
        claim.arguments, Context(services.artifacts, services.store, claim, there, threading.Event(), HERE)
    )
    queue.finish(claim, content, 0.1)
    channel.close()
    there.close()


def test_a_cancelled_job_says_so_and_leaves_what_was_drawn(seat: Seat) -> None:
    drawn = press(seat, OpfDesk(seat.services)).answer
    desk = OpfDesk(seat.services, at_once_s=0)
    waiting = press(seat, desk, 50, "a", "keep", drawn=drawn)
    assert "Stale: the question changed" in text(waiting.state)
    seat.services.jobs.cancel(ANNE, waiting.job["id"])
    after = network_answer.ask(seat, desk, Asked((50, "a", "keep"), drawn=drawn, job=waiting.job, ended=True))
    assert "was cancelled" in text(after.state)
    assert "1\u2009700 $/h" in text(after.state)
    assert after.job is None


def test_a_load_beyond_a_branch_is_refused_with_a_link_to_its_row(seat: Seat) -> None:
    desk = OpfDesk(seat.services)
    shown = press(seat, desk, 200, "a", "keep")
    assert "carries 120.0 MW, 20.0 MW beyond 100.0 MW" in text(shown.state)  # 2 times 60 MW of load behind 1-2
    assert "data-select='branch:1-2'" in str(shown.state)
    assert "3\u2009400 $/h" in text(press(seat, desk, 200, "none", "keep").state)
    with pytest.raises(QuestionError, match="no dispatch"):
        network_answer.export(seat, desk, shown.answer, "prices", "csv")


def test_a_changed_word_is_answered_and_a_changed_network_makes_the_answer_stale(seat: Seat) -> None:
    desk = OpfDesk(seat.services)
    drawn = press(seat, desk).answer
    word = network_answer.ask(seat, desk, Asked((90, "a", "keep"), drawn=drawn))
    assert "1\u2009530 $/h" in text(word.state)
    assert "Stale" not in text(word.state)
    asked(seat, {"type": "edit-cells", "table": "buses", "cells": [["2", "load_mw", 5]]})
    network = network_answer.ask(seat, desk, Asked(WORDS, drawn=drawn))
    assert "Stale: the network changed" in text(network.state)
    assert network.layers.to_plotly_json()["operations"][0]["params"] == {"value": True}  # hatched on the map
    change(seat, seat.status().digest, {"action": "undo"})
    assert "Stale" not in text(network_answer.ask(seat, desk, Asked(WORDS, drawn=drawn)).state)


def test_before_anything_is_asked_a_changed_word_computes_nothing(seat: Seat) -> None:
    shown = network_answer.ask(seat, OpfDesk(seat.services), Asked((90, "a", "keep")))
    assert (shown.state, shown.answer, shown.layers) == (KEEP, KEEP, KEEP)
    assert seat.services.results.list(ANNE, seat.study) == []


def test_a_half_drawn_network_is_not_solved_and_its_problems_lead_to_their_rows(seat: Seat) -> None:
    asked(seat, {"type": "edit-cells", "table": "branches", "cells": [["2-3", "reactance_pu", 0]]})
    shown = press(seat, OpfDesk(seat.services))
    assert "needs mending first" in text(shown.state)
    assert "data-select='branch:2-3'" in str(shown.state)


@pytest.mark.parametrize("words", [(None, "a", "keep"), (-1, "a", "keep"), (1e9, "a", "keep"), (100, "z", "keep")])
def test_a_question_outside_its_range_is_refused_in_words(seat: Seat, words: tuple[Any, Any, Any]) -> None:
    shown = press(seat, OpfDesk(seat.services), *words)
    assert "found" in text(shown.state)
    assert seat.services.jobs.list(ANNE) == []


def test_an_answer_is_not_given_to_a_stranger_and_a_reader_gets_it(seat: Seat) -> None:
    desk = OpfDesk(seat.services)
    drawn = press(seat, desk).answer
    stranger = Seat(seat.services, BEN, seat.study)
    assert "1-2" not in text(inspector(stranger, desk, "branch:1-2", drawn))
    with pytest.raises(NotFoundError):
        network_answer.export(stranger, desk, drawn, "prices", "csv")
    assert "$" not in text(press(stranger, desk).state)
    seat.services.studies.accept_share(BEN, seat.services.studies.share(ANNE, seat.study))
    assert "1\u2009700 $/h" in text(press(stranger, OpfDesk(seat.services)).state)
    waiting = press(stranger, OpfDesk(seat.services), 80, "a", "keep")  # his own question is a job: he keeps nothing
    assert waiting.job is not None


def test_exports_carry_the_split_prices_and_where_they_are_from(seat: Seat) -> None:
    desk = OpfDesk(seat.services)
    drawn = press(seat, desk).answer
    table = network_answer.export(seat, desk, drawn, "prices", "csv")
    first = next(csv.DictReader(io.StringIO(table["content"])))
    assert (first["price_per_mwh"], first["energy_per_mwh"], first["congestion_per_mwh"]) == ("20", "20", "0")
    assert (first["network_digest"], first["status"]) == (seat.status().digest, "optimal")
    assert "HiGHS" in first["solver"]
    assert "indicative only" in first["use"]
    whole = json.loads(network_answer.export(seat, desk, drawn, "outputs", "json")["content"])
    assert whole["outputs"][0]["output_mw"] == 85
    assert whole["about"]["asked"] == OpfQuestion().to_json()
    for what, kind in (("prices", "pdf"), ("secrets", "csv"), (None, None)):
        with pytest.raises(QuestionError):
            network_answer.export(seat, desk, drawn, what, kind)


def test_on_texas_flows_are_lines_on_the_map_and_prices_points(services: Services) -> None:
    seat = Seat(services, ANNE, services.studies.create(ANNE, "Texas", library.load("texas-2016")))
    desk = OpfDesk(services)
    drawn = press(seat, desk).answer
    flows = json.loads(network_answer.export(seat, desk, drawn, "flows", "geojson")["content"])
    assert {feature["geometry"]["type"] for feature in flows["features"]} == {"LineString"}
    prices = json.loads(network_answer.export(seat, desk, drawn, "prices", "geojson")["content"])
    assert len(prices["features"]) == 2000
    west, south = prices["features"][0]["geometry"]["coordinates"]
    assert -107 < west < -93
    assert 25 < south < 37
    kept = OpfDesk(services).find(ANNE, seat.study, drawn["digest"], OpfQuestion.from_json(drawn["question"]))
    assert kept is not None
    assert kept.dispatch is not None
    assert kept.dispatch.dispatch_mw.sum() == pytest.approx(seat.services.network(ANNE, seat.study).demand_mw.sum())


def test_a_link_gives_the_view_back_and_what_it_cannot_mean_takes_its_default() -> None:
    given = {"layer": "lmp", "tab": "dispatch", "table": "flows", "sel": "bus:2"}
    assert read_view(given) == View("lmp", "dispatch", "flows", "bus:2")
    assert read_view({"layer": "x", "tab": "<b>", "table": "5", "sel": "nonsense"}) == View()
    assert read_view({"sel": "bus:" + "9" * 5000}).selection == "bus:" + "9" * 196
    assert read_question({"tab": "units"}) is None
    assert read_question({"load": "90", "limits": "b", "least": "ignore"}) == OpfQuestion(90.0, "b", True)
    for bad in ({"load": "many"}, {"load": "-1"}, {"load": "nan"}, {"limits": "z"}):
        with pytest.raises(QuestionError):
            read_question(bad)


def listed(seat: Seat) -> None:
    """Give the 4-bus case an interface over branches 2-3 and 2-4, and contingencies that split it or do not."""
    for table, rows in (
        ("interfaces", "interface\tname\tterms\tlimit_mw\nEast\tto 3 and 4\t2-3 2-4\t40"),
        ("branches", "branch\tfrom_bus\tto_bus\treactance_pu\trating_a_mw\n3-4\t3\t4\t0.1\t100"),
        ("contingencies", "contingency\tbranches\nfirst\t1-2\nloop\t2-3"),
    ):
        outcome = asked(seat, {"type": "paste-rows", "table": table, "text": rows})
        assert outcome.ack["ok"], outcome.problems


def test_interfaces_show_their_flow_as_filed_and_as_dispatched(seat: Seat) -> None:
    """15 MW at bus 3 and 20 MW at bus 4 pass the interface, whatever is dispatched at bus 1: by hand 35 of 40 MW."""
    listed(seat)
    desk = OpfDesk(seat.services)
    before = network_answer.table_rows(seat, desk, None)["transfers"]
    assert before[0]["filed_mw"] == pytest.approx(35)
    assert before[0]["flow_mw"] is None
    assert "35.0 MW, 88 % of its limit" in text(inspector(seat, desk, "interface:East", None))
    drawn = press(seat, desk).answer
    row = network_answer.table_rows(seat, desk, drawn)["transfers"][0]
    assert (row["flow_mw"], row["loading_share"], row["limit_backward_mw"]) == pytest.approx((35, 0.875, 40))
    assert "Flow in the DC-OPF" in text(inspector(seat, desk, "interface:East", drawn))


def test_a_secure_dispatch_names_what_binds_after_which_outage_and_what_splits_the_network(seat: Seat) -> None:
    """After the loss of 2-3 all 35 MW take 2-4, which may carry 32: no unit is behind it, so nothing helps."""
    listed(seat)
    asked(seat, {"type": "edit-cells", "table": "branches", "cells": [["2-4", "rating_c_mw", 32]]})
    desk = OpfDesk(seat.services)
    refused = press(seat, desk, 100, "a", "keep", "listed", "c")
    assert "branch '2-4' after the loss of line 2-3 carries 35.0 MW, 3.0 MW beyond 32.0 MW" in text(refused.state)
    # A unit behind it that costs 50 $/MWh gives the 3 MW: each MW of rating more would save 30 $/h.
    unit = [["bus", "4"], ["p_max_mw", 50], ["cost_c1_per_mwh", 50]]
    asked(seat, {"type": "add-row", "table": "units", "values": unit})
    shown = press(seat, desk, 100, "a", "keep", "listed", "c")
    words = text(shown.state)
    assert "100 % of the load, rating A, rating C after every listed outage" in words
    assert "0 branches, 1 after outages" in words
    rows = network_answer.table_rows(seat, desk, shown.answer)["outages"]
    assert [(row["outage"], row["kind"], row["select"]) for row in rows] == [
        ("loop", "branch", "branch:2-4"),
        ("first", "splits the network", "contingency:first"),
    ]
    assert rows[0]["saves_per_mwh"] == pytest.approx(30)
    assert "cuts off bus 1 with 25.0 MW" in rows[1]["words"]
    assert "2-4 at 32.0 MW after the loss of line 2-3: one MW more saves 30.00 $/h" in text(
        inspector(seat, desk, None, shown.answer)
    )
    assert "after the loss of line 2-3" in text(inspector(seat, desk, "contingency:loop", shown.answer))
    assert "cuts off bus 1 with 25.0 MW" in text(inspector(seat, desk, "contingency:first", shown.answer))
    assert "The loss of line 1-2 cuts off" in text(inspector(seat, desk, "branch:1-2", None))
    csv_text = network_answer.export(seat, desk, shown.answer, "outages", "csv")["content"]
    assert next(csv.DictReader(io.StringIO(csv_text)))["element"] == "2-4"


def test_a_link_carries_the_security_asked(seat: Seat) -> None:
    question = read_question({"secure": "listed", "after": "b"})
    assert question == OpfQuestion(security="n-1", outages="listed", outage_rating="b")
    assert network_answer.question_of(100, "a", "keep", "listed", "b") == question
    with pytest.raises(QuestionError):
        read_question({"secure": "some"})


def test_no_table_of_the_dispatch_has_the_name_of_a_table_of_the_network() -> None:
    assert not set(WHAT) & set(TABLES)  # a grid's id is made of its name
