"""The feeder answers that come with the program: of today's inputs, found by nothing else, and computed afresh."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.distribution import jobs
from engine.distribution.answers import came_with, shipped
from engine.distribution.cases import furnished
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun, run_feeder
from engine.store.artifacts import Artifacts
from engine.store.jobs import Jobs
from engine.store.store import Store

OPENING = FeederQuestion()
AFRESH = (19,)  # of the 24 hours: the evening peak, where limits bind
MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def stored() -> FeederRun:
    found = shipped(OPENING)
    assert found is not None
    return found


def test_the_stored_study_is_of_todays_question_feeder_and_day(stored: FeederRun) -> None:
    assert stored.question == OPENING
    assert (
        stored.feeder.digest == stored.provenance["feeder_digest"] == OPENING.edited(furnished(OPENING.feeder)).digest
    )
    assert stored.provenance["complete"]
    assert [each.svg for each in stored.cases] == [False, True]
    assert all(not each.facts["flags"] and not each.facts["violations"] for each in stored.cases)


def test_hours_computed_afresh_are_those_that_are_stored(stored: FeederRun) -> None:
    """Hours do not depend on one another once the draws are given."""
    at = list(AFRESH)
    for kept in stored.cases:
        given = tuple(tuple(row) for row in kept.draw_kw[at].tolist())
        svg = "on" if kept.svg else "off"
        asked = replace(OPENING, hours=AFRESH, method="given", draw_kw=given, svg=svg)
        (found,) = run_feeder(asked).cases
        assert np.abs(found.phasors - kept.phasors[at]).max() < 1e-6
        assert found.voltage_pu == pytest.approx(kept.voltage_pu[at], abs=1e-6)
        assert found.active_price == pytest.approx(kept.active_price[at], rel=1e-5)
        assert found.cost_per_h == pytest.approx(kept.cost_per_h[at], rel=1e-6)
        assert found.vuf == pytest.approx(kept.vuf[at], abs=1e-6)


def test_a_store_gives_the_opening_study_at_once(stored: FeederRun, tmp_path: Path) -> None:
    arguments = jobs.study_arguments(OPENING)
    store, artifacts = Store(f"sqlite:///{tmp_path / 'store.db'}"), Artifacts(tmp_path / "files")
    store.migrate()
    job = Jobs(store, artifacts).submit("anne", jobs.STUDY, arguments, None)
    store.close()
    assert job.state == "done"
    path = artifacts.open(jobs.study_key(arguments))
    assert path is not None
    assert path.stat().st_size < MOST_BYTES
    assert FeederRun.load(path).provenance == stored.provenance


def test_a_question_that_differs_in_anything_finds_no_study() -> None:
    assert came_with(jobs.STUDY, jobs.study_arguments(OPENING)) is not None
    for other in (
        replace(OPENING, feeder="ieee13"),
        replace(OPENING, seed=1),
        replace(OPENING, svg="on"),
        replace(OPENING, dataset="0" * 64),
    ):
        assert shipped(other) is None
    another_feeder = jobs.study_arguments(OPENING) | {"feeder": "0" * 40}
    assert came_with(jobs.STUDY, another_feeder) is None
