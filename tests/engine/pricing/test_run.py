"""A study of hubs from its question to a file and back."""

import json
from itertools import pairwise

import numpy as np
import pytest

from engine.errors import CancelledError, InfeasibleError, UncertaintyDataError
from engine.pricing.files import to_json
from engine.pricing.hubs import Hub
from engine.pricing.question import Edit, HubQuestion
from engine.pricing.run import HubRun, run_hubs
from engine.pricing.searched import Searched
from tests.engine.pricing.small import two_hubs

SEARCHES: list[Searched] = []  # how far they were, as the study told


def _hand(_digest: str) -> tuple[str, bytes]:
    return "hand.json", to_json(two_hubs())


@pytest.fixture(scope="module")
def told() -> tuple[HubRun, list[tuple[float, str]], list[HubRun]]:
    said: list[tuple[float, str]] = []
    known: list[HubRun] = []
    question = HubQuestion(dataset="hand", exact=True, exact_gap=1e-4, least_per_mwh=0.0, smooth=0.0, fair=0.0,
                           window=3, error=0.0, quick_time_s=20.0)  # fmt: skip
    found = run_hubs(
        question, _hand, progress=lambda share, words: said.append((share, words)), partial=known.append,
        searched=lambda so_far: SEARCHES.append(Searched.from_json(json.loads(json.dumps(so_far.to_json())))),
    )  # fmt: skip
    return found, said, known


def test_a_study_comes_back_from_its_file(told: tuple[HubRun, list[tuple[float, str]], list[HubRun]]) -> None:
    found = told[0]
    again = HubRun.load(found.save())
    assert again.question == found.question
    assert again.case.digest == found.case.digest
    assert again.provenance == found.provenance
    assert again.facts == found.facts
    for one, other in zip(found.outcomes, again.outcomes, strict=True):
        for name in ("prices", "hubs", "status", "worst_cost", "worst_bound", "worst_status"):
            assert getattr(one, name) == getattr(other, name)
        assert other.objective == pytest.approx(one.objective, abs=1e-12)
        assert np.array_equal(one.price, other.price)
        assert all(np.array_equal(a, b) for a, b in zip(one.points, other.points, strict=True))
    assert again.real_time is not None
    assert found.real_time is not None
    assert again.real_time.overload_cost == found.real_time.overload_cost
    assert isinstance(again.real_time.overload_cost, float)
    assert np.array_equal(again.real_time.withdrawal_mw, found.real_time.withdrawal_mw)
    assert again.real_time.waiting_mwh.tolist() == [0.0, 0.0]  # these hubs have no work


def test_what_is_told_is_proved(told: tuple[HubRun, list[tuple[float, str]], list[HubRun]]) -> None:
    """Laws: conditions of optimality, the order of bounds, a second solver, no money pump."""
    found, said, known = told
    proved = found.facts["certificates"]
    assert proved["residual"] <= 1e-6
    assert proved["second_solver"] <= 1e-6
    assert proved["gradient"] <= 1e-4
    assert proved["order"] is True
    assert proved["both_ways_mw"] <= 1e-6
    assert found.facts["exact"]["gap"] <= 1e-4
    assert [share for share, _ in said] == sorted(share for share, _ in said)
    assert [run.real_time for run in known] == [None, None]
    assert [run.of("exact", "linear") is None for run in known] == [True, False]
    assert known[0].facts["exact"]["message"] == "being looked for"
    assert any("quick prices from no prices: step 0" in words for _, words in said)
    for each in found.outcomes:  # by hand: one line of 2.5 MW serves both hubs
        beyond = np.maximum(each.withdrawal_mw.sum(axis=0) - 2.5, 0.0).sum()
        assert each.overload_cost == pytest.approx(100.0 * beyond, abs=1e-6)
        assert each.overload_cost - 1e-6 <= each.worst_cost <= each.worst_bound + 1e-6


def test_searches_are_told_step_by_step_as_they_end(
    told: tuple[HubRun, list[tuple[float, str]], list[HubRun]],
) -> None:
    """Laws: what is best so far never gets worse, no bound is above it, and the last word is the answer's."""
    found, _, _ = told
    first, last = SEARCHES[0], SEARCHES[-1]
    assert {name: steps for name, (_, steps) in first.starts.items()} == {"together": ()}
    for before, after in pairwise(SEARCHES):
        assert set(before.starts) <= set(after.starts)
        for name, (now, steps) in before.starts.items():
            assert after.starts[name][1][: len(steps)] == steps
            assert after.starts[name][0] <= now
        assert len(before.marks) <= len(after.marks) + 1  # the last of them tells only how far it is now
    assert {end["start"]: (end["objective"], end["steps"]) for end in found.facts["ends"]} == {
        name: (now, len(steps)) for name, (now, steps) in last.starts.items()
    }
    assert set(last.starts) == {"together", "none", "shaken", "exact"}
    assert len(found.steps) == sum(len(steps) for _, steps in last.starts.values()) > 0
    for each in SEARCHES:
        assert each.floor == found.floor
        for now, steps in each.starts.values():
            assert now == pytest.approx(min([step.objective for step in steps], default=now))
            assert [step.at_s for step in steps] == sorted(step.at_s for step in steps)
            assert [step.number for step in steps] == list(range(len(steps)))
    exact = found.facts["exact"]
    marks = exact["marks"]
    assert all(one["objective"] >= other["objective"] for one, other in pairwise(marks))
    assert all(one["at_s"] <= other["at_s"] for one, other in pairwise(marks))
    assert all(found.floor - 1e-9 <= mark["bound"] <= mark["objective"] for mark in marks)
    assert (marks[-1]["objective"], marks[-1]["bound"]) == (exact["objective"], exact["bound"])
    assert len(last.marks) > 1
    assert last.marks[-1].objective == pytest.approx(exact["objective"])


def test_who_listens_to_the_exact_search_can_end_it() -> None:
    """A cancelled job says so by an exception; it must come through the solver whole."""

    def tick(share: float, words: str) -> None:
        if words.startswith("exact prices: "):
            raise CancelledError(f"{share:g}")

    with pytest.raises(CancelledError):
        run_hubs(HubQuestion(dataset="hand", exact=True, quick_time_s=20.0), _hand, progress=tick)


@pytest.mark.parametrize("content", [{}, [], {"floor": 1.0, "starts": {"none": 3}, "marks": []}])
def test_a_record_of_something_else_is_refused(content: object) -> None:
    with pytest.raises(UncertaintyDataError, match="search for prices"):
        Searched.from_json(content)


def test_hubs_that_cannot_serve_end_the_study_with_their_names() -> None:
    with pytest.raises(InfeasibleError, match=r"hub two, power, period 3: 1\.55 too little"):
        run_hubs(HubQuestion(dataset="hand", edits=(Edit("import limit", 0.15, "two"),)), _hand)


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(UncertaintyDataError):
        HubRun.load(b"nothing")
    assert Hub("one", "a", (1.0,), 1.0).battery is None
