"""The Checks tab of the Hubs page: certificates, and the chain of bounds."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from components import (
    hubs_checks,
    hubs_steps,
)
from components.hubs_view import read_question
from components.hubs_words import after_of
from engine.data.openings import HUBS
from engine.pricing.question import HubQuestion
from tests.components.hubs_runs import AT, example, plain, proved, written


def test_certificates_are_told_as_found_and_one_that_is_broken_does_not_hold() -> None:
    run = example()
    _, rows = hubs_checks.rows(run, AT)
    assert [row["holds"] for row in rows] == ["yes"] * 6
    told = run.facts["certificates"]
    for row in rows[:4]:
        assert float(row["found"]) == pytest.approx(told[row["name"]], rel=0.06)
        assert row["found"] in plain(f"proof:{row['name']}")
    for broken, words in (
        ({"certificates": {**told, "residual": 2e-6}}, "conditions of optimality"),
        ({"certificates": {**told, "second_solver": 2e-5}}, "second solver"),
        ({"certificates": {**told, "both_ways_mw": 2e-6}}, "at once"),
        ({"certificates": {**told, "gradient": 2e-5}}, "Slope"),
        ({"certificates": {**told, "order": False}}, "Bounds in their order"),
        ({"by_exports_mwh": 0.001}, "exports alone"),
    ):
        _, rows = hubs_checks.rows(replace(run, facts={**run.facts, **broken}), AT)
        fails = [row["what"] for row in rows if not row["holds"].startswith("yes")]
        assert len(fails) == 1
        assert words in fails[0]


def test_the_checks_have_the_lines_that_run_it_again_and_say_that_its_numbers_are_synthetic() -> None:
    told = written(hubs_checks.content(example(), AT))
    assert "run_hubs" in told
    assert "synthetic" in told
    rungs = written(hubs_steps.content(example(), AT))
    for rung in example().facts["ladder"]:
        assert f"{rung['objective']:.2f}" in rungs


def test_quick_prices_stand_in_a_chain_of_bounds_with_their_ratio_to_the_best_where_that_is_proved() -> None:
    """The exact optimum of two hubs done by hand is that of the specification's ramp: quick prices reach it."""
    run = proved()
    _, rows = hubs_checks.chain(run)
    values = [row["value"] for row in rows]
    assert [row["name"] for row in rows] == ["floor", "best", "quick", "none"]
    assert values == sorted(values)
    assert values[1] == pytest.approx(run.facts["best"]["bound"], rel=1e-3)
    assert values[2] == pytest.approx(values[1], rel=1e-6)
    told = hubs_checks.gap_words(run)
    assert "a ratio of 1.0000" in told
    assert "at most 0.00 % above the best there are" in told or "at most 0 % above" in told
    assert "none below" in plain("best", run=run)
    quick = run.of("quick", "quadratic")
    assert quick is not None
    worse = replace(run, facts={**run.facts, "best": {**run.facts["best"], "objective": quick.objective / 1.25,
                                                      "bound": quick.objective / 1.28}})  # fmt: skip
    assert "a ratio of 1.25" in hubs_checks.gap_words(worse)
    assert "at most 28.00 % above" in hubs_checks.gap_words(worse)
    assert "Ask it of" not in written(hubs_checks.content(run, AT))


def test_where_the_best_is_not_known_it_is_told_why_and_one_press_asks_for_it() -> None:
    run = example()
    quick = after_of(run, AT)
    told = hubs_checks.gap_words(run)
    assert "at most 24 hubs times periods: this one has 72" in told
    assert f"at most {quick.objective / quick.bound:.2f} times the best" in told
    assert hubs_checks.chain(run)[1][1]["value"] is None
    link = re.search(r"/hubs\?ask=([^&\"]+)&(?:amp;)?tab=checks", written(hubs_checks.content(run, AT)))
    assert link is not None
    asked = read_question({"ask": unquote(link[1])})
    assert asked == replace(HUBS, hours=8, window=8)
    assert asked is not None
    case = asked.made(lambda _digest: ("", b""))
    assert len(case.hubs) * case.periods <= 24
    small = replace(proved(), question=replace(proved().question, ladder=False), facts={**proved().facts, "best": None})
    assert "was not asked for" in hubs_checks.gap_words(small)
    own = written(hubs_checks.content(small, AT, study="abc"))
    assert "study=abc" in own
    assert "Ask it of this case" in own
    for question, hubs, periods in (
        (HubQuestion(dataset="f" * 64), 3, 24),  # a file is studied as it is
        (HubQuestion(case="fleet", count=30), 30, 24),
    ):
        assert hubs_checks.smaller(question, hubs, periods) is None
