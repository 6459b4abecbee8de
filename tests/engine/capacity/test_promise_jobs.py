"""The jobs of the promise and of the check: from arguments to records, for every kind of uncertainty."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.check_jobs import CHECK, check_arguments, check_job
from engine.capacity.independent import IndependentCheck
from engine.capacity.promise import Promise
from engine.capacity.promise_jobs import PROMISE, promise_arguments, promise_job
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.errors import CancelledError, QuestionError
from engine.network.library import load
from engine.network.model import Network
from engine.shapes import check_shape
from engine.store.kinds import KINDS
from tests.engine.capacity.test_jobs import QUESTIONS, Context

FOURBUS = Network.from_tables(load("fourbus"))
PAPER = QUESTIONS["distribution"]
ROWS = "3,4\n" + "".join(f"{mw:.3f},{mw + 4:.3f}\n" for mw in np.random.default_rng(0).normal(15, 2, 60))


def levels_of(question: CapacityQuestion, context: Context) -> list[list[float]]:
    arguments = jobs.prepare_arguments(FOURBUS.digest, question)
    jobs.prepare_job(arguments, context)
    margins = jobs.open_prepared(context, arguments, FOURBUS)
    assert margins is not None
    return [list(level.capacity_mw) for level in allocate(margins, question).levels]


def promise_of(question: CapacityQuestion, context: Context, **settings: Any) -> Promise:
    context.file = ("mine.csv", ROWS.encode())
    given = promise_arguments(FOURBUS.digest, question, levels_of(question, context), **settings)
    context.seen.clear()
    content = json.loads(json.dumps(promise_job(json.loads(json.dumps(given)), context)))
    found = Promise.from_json(content)
    check_shape(found, Promise, "the promise")
    assert json.loads(json.dumps(found.to_json())) == content
    return found


def test_new_draws_judge_distributions(tmp_path: Path) -> None:
    context = Context(tmp_path)
    found = promise_of(PAPER, context, draws=40_000, replications=30)
    assert found.risk.states == 40_000
    assert "40,000 new draws" in found.states
    assert found.risk.levels[1].exceeded.value == pytest.approx(0.035, abs=0.006)
    assert {product.bus for product in found.risk.products} == {"3", "4"}
    assert found.risk.products[0].hours is None
    assert found.bootstrap is not None
    assert found.bootstrap.replications == 30
    done = [step for step, _, _ in context.seen]
    assert done == sorted(done)


def test_hours_outside_the_sample_judge_hours(tmp_path: Path) -> None:
    found = promise_of(QUESTIONS["hourly"], Context(tmp_path), draws=30, replications=5)
    assert found.risk.states == 30
    assert "that are not in the sample" in found.states
    assert found.risk.hours_a_year == 8784
    assert all(product.hours is not None for product in found.risk.products)
    assert any("below the sample's resolution" in words or "rests on the worst" in words for words in found.warnings)


def test_a_files_rows_judge_the_allocation_of_the_others(tmp_path: Path) -> None:
    found = promise_of(QUESTIONS["file"], Context(tmp_path), replications=5)
    assert found.risk.states == 60
    assert "in 5 parts" in found.states


def test_firm_capacity_alone_has_no_increments(tmp_path: Path) -> None:
    found = promise_of(replace(PAPER, epsilons=()), Context(tmp_path), draws=1000)
    assert found.bootstrap is None
    assert found.risk.products == ()
    assert len(found.risk.levels) == 1


def test_a_box_and_redispatch_are_refused_in_words(tmp_path: Path) -> None:
    question = replace(PAPER, epsilons=(), uncertainty=UncertaintySpec("box", {"spread": 0.1}, 0))
    with pytest.raises(QuestionError, match="no probabilities"):
        promise_job(promise_arguments(FOURBUS.digest, question, [[1.0, 1.0]]), Context(tmp_path))
    moving = replace(PAPER, recourse="redispatch")
    with pytest.raises(QuestionError, match="redispatch"):
        promise_job(promise_arguments(FOURBUS.digest, moving, [[1.0, 1.0]] * 2), Context(tmp_path))


def test_a_cancelled_promise_stops(tmp_path: Path) -> None:
    levels = levels_of(PAPER, Context(tmp_path))
    with pytest.raises(CancelledError):
        promise_job(promise_arguments(FOURBUS.digest, PAPER, levels, draws=30_000), Context(tmp_path, stop_at=750))


def test_the_check_is_a_job_too(tmp_path: Path) -> None:
    context = Context(tmp_path)
    given = check_arguments(FOURBUS.digest, PAPER, levels_of(PAPER, context))
    found = IndependentCheck.from_json(json.loads(json.dumps(check_job(json.loads(json.dumps(given)), context))))
    assert found.holds, found.words
    with pytest.raises(QuestionError, match="without outages"):
        check_job({**given, "question": replace(PAPER, security="n-1").to_json()}, context)


def test_both_kinds_are_known_to_the_store() -> None:
    assert {PROMISE, CHECK} <= set(KINDS)


def test_an_answer_with_outages_is_judged_after_every_outage(tmp_path: Path) -> None:
    """On a tree every outage splits the network: nothing is added to what holds without outages."""
    context = Context(tmp_path)
    secure = replace(PAPER, security="n-1")
    given = promise_arguments(FOURBUS.digest, secure, levels_of(PAPER, context), draws=40_000)
    found = Promise.from_json(promise_job(given, context))
    assert found.risk.states == 10_000
    assert found.bootstrap is None
    assert any("after every outage" in words for words in found.warnings)
    assert found.risk.levels[1].exceeded.value == pytest.approx(0.035, abs=0.01)
