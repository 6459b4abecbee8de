"""The jobs of the promise and of the check: from arguments to records, for every kind of uncertainty."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.answer import Answer
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


def test_a_box_is_refused_in_words(tmp_path: Path) -> None:
    question = replace(PAPER, epsilons=(), uncertainty=UncertaintySpec("box", {"spread": 0.1}, 0))
    with pytest.raises(QuestionError, match="no probabilities"):
        promise_job(promise_arguments(FOURBUS.digest, question, [[1.0, 1.0]]), Context(tmp_path))


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


def answered(question: CapacityQuestion, context: Context, **settings: Any) -> tuple[Answer, Promise]:
    """The answer of its own job, whose files the promise finds, and that promise."""
    context.file = ("mine.csv", ROWS.encode())
    content = jobs.answer_job(jobs.answer_arguments(FOURBUS.digest, question), context)
    answer = Answer.from_json(content)
    levels = [level.capacity_mw for level in answer.result.levels]
    given = promise_arguments(FOURBUS.digest, question, levels, **settings)
    return answer, Promise.from_json(json.loads(json.dumps(promise_job(json.loads(json.dumps(given)), context))))


@pytest.mark.parametrize("kind", ["distribution", "file"])
def test_on_a_tree_outages_change_nothing(tmp_path: Path, kind: str) -> None:
    """Every outage splits a tree: an answer with outages, its frequencies and its intervals are those without."""
    plain, secure = QUESTIONS[kind], replace(QUESTIONS[kind], security="n-1")
    base = promise_of(plain, Context(tmp_path), draws=10_000, replications=20)
    _, found = answered(secure, Context(tmp_path), draws=40_000, replications=20)
    assert found.risk.states == (10_000 if kind == "distribution" else 60)
    assert any("limits after outages are measured" in words for words in found.warnings)
    for with_outages, without in ((found.risk, base.risk), (found.together, base.together)):
        assert with_outages is not None
        assert without is not None
        for one, other in zip(with_outages.levels, without.levels, strict=True):
            assert one.exceeded.value == pytest.approx(other.exceeded.value)
    assert found.bootstrap is not None
    assert base.bootstrap is not None
    for one, other in zip(found.bootstrap.products, base.bootstrap.products, strict=True):
        assert one.increment.low_mw == pytest.approx(other.increment.low_mw, abs=1e-5)
        assert one.increment.high_mw == pytest.approx(other.increment.high_mw, abs=1e-5)


@pytest.mark.parametrize("kind", ["distribution", "hourly", "file"])
def test_with_one_unit_that_cannot_make_room_redispatch_changes_little(tmp_path: Path, kind: str) -> None:
    """On a tree with one unit no dispatch moves a flow: the joint limit alone is stricter than limit by limit."""
    question = replace(QUESTIONS[kind], recourse="redispatch", firm_set="sample")
    answer, found = answered(question, Context(tmp_path), draws=300, replications=20)
    assert found.redispatch
    assert found.together is None
    assert found.risk.states == {"distribution": 300, "hourly": 300, "file": 60}[kind]
    risk = found.risk.levels[1]
    assert risk.exceeded.low <= 0.05
    assert "no dispatch keeps every limit" in risk.words
    sizes = [product.capacity_mw for product in found.risk.products]
    assert sum(sizes) == pytest.approx(sum(answer.result.levels[1].increment_mw), abs=1e-3)
    assert found.bootstrap is not None
    total = found.bootstrap.totals[0].increment
    assert total.low_mw <= total.value_mw <= total.high_mw
    assert "over the proofs" in found.bootstrap.words


def test_without_the_files_of_its_answer_a_redispatch_is_judged_alike(tmp_path: Path) -> None:
    """Proofs spare programs and change nothing; intervals need them, and their absence is told."""
    question = replace(PAPER, recourse="redispatch", firm_set="sample")
    with_files, without = Context(tmp_path / "a"), Context(tmp_path / "b")
    with_files.folder.mkdir()
    without.folder.mkdir()
    answer, found = answered(question, with_files, draws=300, replications=5)
    levels = [level.capacity_mw for level in answer.result.levels]
    again = Promise.from_json(
        promise_job(promise_arguments(FOURBUS.digest, question, levels, draws=300, replications=5), without)
    )
    assert again.risk.levels[1].exceeded == found.risk.levels[1].exceeded
    for one, other in zip(again.risk.products, found.risk.products, strict=True):
        assert one.cut_mw == pytest.approx(other.cut_mw, abs=1e-6)
    assert again.bootstrap is None
    assert "the proofs of the answer are gone" in again.no_interval
