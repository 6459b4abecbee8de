import numpy as np
import pytest

from engine.commitment import archive
from engine.commitment.instance import CommitmentOptions, Instance, ReserveRule
from engine.commitment.outcome import Effort
from engine.commitment.sced import dispatch
from engine.commitment.scuc import commit
from engine.errors import UncertaintyDataError
from tests.engine.commitment.small import case_of, day_load, grid, random_units


def instance_of(level: float) -> Instance:
    units = random_units(np.random.default_rng(2), 3, quadratic=0.02)
    lines = (("1", "2", 0.1, 15.0), ("2", "3", 0.13, 15.0), ("1", "3", 0.17, 15.0))
    return Instance.of(
        case_of(grid(units, lines), day_load(level, 20.0)),
        CommitmentOptions(reserve=ReserveRule("none"), must_run=("g0", "g1", "g2")),
    )


def test_a_commitment_comes_back_as_it_was() -> None:
    instance = instance_of(70.0)
    found = commit(instance, Effort(1e-2, 60.0)).commitment
    content = archive.save(instance, found)
    again = archive.load(content, instance)
    assert (again.status, again.cost, again.bound, again.gap) == (found.status, found.cost, found.bound, found.gap)
    assert np.array_equal(again.on, found.on)
    assert np.array_equal(again.lmp, found.lmp)
    assert np.array_equal(again.mu, found.mu)
    assert again.mu.any()
    assert again.dispatch.rent() == pytest.approx(found.dispatch.rent())
    assert dispatch(instance, again.on, again.dispatch.hints).lmp == pytest.approx(found.lmp, abs=1e-5)
    assert archive.save(instance, again) == content


def test_what_has_no_schedule_comes_back_too() -> None:
    instance = instance_of(900.0)
    found = commit(instance).commitment
    again = archive.load(archive.save(instance, found), instance)
    assert again.on is None
    assert np.isinf(again.cost)
    assert again.reason == found.reason


def test_a_commitment_of_another_case_or_other_options_is_refused() -> None:
    instance = instance_of(70.0)
    content = archive.save(instance, commit(instance, Effort(1e-2, 60.0)).commitment)
    with pytest.raises(UncertaintyDataError, match="another case"):
        archive.load(content, instance_of(71.0))
    with pytest.raises(UncertaintyDataError, match="another case"):
        archive.load(content, Instance.of(instance.case, CommitmentOptions(reserve=ReserveRule("none"))))
