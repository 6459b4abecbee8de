"""The Models tab of the Hubs page, and the story of its answer."""

import json
from dataclasses import replace

import pytest

from components import (
    hubs_models,
    hubs_sheet,
)
from components.hubs_words import At, after_of, before_of, dollars
from engine.program import Status
from tests.components.hubs_runs import AT, example, plain


def test_models_are_told_in_their_order_with_what_bounds_them() -> None:
    run = example()
    _, rows = hubs_models.rows(run, AT)
    assert [row["model"][0] for row in rows] == list("AABCCDD")
    for row in rows:
        assert row["objective"] == pytest.approx(row["best"] + row["prices"])
        assert row["worst"] >= row["best"] - 1e-6
        assert row["above"] == pytest.approx(row["best"] - run.floor)
        assert row["bound"] <= row["objective"] + 1e-4
    assert "price of decentralisation" in hubs_models.story(run)
    quick = after_of(run, AT)
    drawn = json.dumps(hubs_models.figure(run, AT).to_dict()["layout"]["annotations"], default=str, ensure_ascii=False)
    exact = run.of("exact", "linear")
    assert exact is not None
    apart = [dollars(each.overload_cost - run.floor) for each in (exact, quick)]
    assert f"over B: C {apart[0]}, D {apart[1]}" in drawn


def test_a_worst_that_is_not_proved_is_told_with_its_bound() -> None:
    run = example()
    exact = run.of("exact", "linear")
    assert exact is not None
    late = replace(exact, worst_status=Status.TIME_LIMIT, worst_bound=exact.worst_cost + 10.0)
    told = replace(run, outcomes=tuple(late if each is exact else each for each in run.outcomes))
    words = f"{exact.worst_cost:.1f} $ at least, {exact.worst_cost + 10.0:.1f} $ at most"
    assert words in plain("overload:exact-linear", run=told)
    assert words in hubs_models.story(told).replace("\u00a0", " ")
    proved_ = replace(run, outcomes=tuple(replace(each, worst_status=Status.OPTIMAL) for each in run.outcomes))
    assert "at least" not in plain("overload:exact-linear", run=proved_)


def test_the_story_tells_trouble_cure_and_what_chance_may_undo() -> None:
    run = example()
    exact = At(outcome="exact-linear")
    none, found = before_of(run, exact), after_of(run, exact)
    assert f"{none.overloads.mwh(run.case):.2f}" in hubs_sheet.trouble(run, exact)
    told = hubs_sheet.cure(run, exact)
    assert f"{found.overloads.mwh(run.case):.2f}" in told
    assert ("at worst" in told) == (found.worst_cost > found.overload_cost + 1.0)
    assert ("receive" in told) == (float(found.paid.sum()) < 0.0)
