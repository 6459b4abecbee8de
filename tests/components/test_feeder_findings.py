"""What the Feeder page says of the paper's statements: spreads of prices, feeders that contradict, and lower bounds."""

import re
from dataclasses import replace
from itertools import combinations

import pytest

from components import feeder_effect, feeder_methods, feeder_several
from components.feeder_layers import At
from components.feeder_spread import finding, largest, spread_card
from engine.distribution.answers import shipped_methods
from engine.distribution.question import FeederQuestion
from engine.distribution.several import FeederRow, SeveralRun
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case, worked

WITHOUT = FeederRow(
    0, "IEEE 123", 24, False, 100.0, 0.0, 10.0, 0.96, 1.04, 0.02, 0.9, 1.0, 1e-5, 0, 0, "ok", 1.0
)  # fmt: skip


def test_prices_differ_by_phase_and_place_by_what_all_pairs_of_nodes_say() -> None:
    """Every pair of nodes of the worked day, hour by hour in plain loops: one bus, or one member of the frame."""
    run = worked()
    said = finding(run)
    for case in run.cases:
        for by, key in (("phase", 0), ("place", 1)):
            found = largest(run, case, by)  # type: ignore[arg-type]
            assert found is not None
            most = max(
                abs(float(case.active_price[hour, one] - case.active_price[hour, other]))
                for one, other in combinations(range(len(run.nodes)), 2)
                if run.nodes[one][key] == run.nodes[other][key]
                for hour in range(len(run.labels))
            )
            assert found.apart == pytest.approx(most, abs=1e-9)
            assert most > 0.005
            dear, cheap = (
                float(case.active_price[found.hour, run.nodes.index(node)]) for node in (found.dear, found.cheap)
            )
            assert dear - cheap == pytest.approx(most, abs=1e-9)
            assert f"{most:.2f} $/MWh between" in said
            assert run.labels[found.hour] in said
            assert f"bus {found.dear[0]}" in said
            assert f"{dear:.2f} \u2212 {cheap:.2f} = {most:.2f} $/MWh" in text(spread_card(run))
    assert "differ by phase and by place" in said.partition("here")[2]
    assert said in text(feeder_effect.content(run, At("off", 15)))


def test_prices_that_are_alike_are_not_said_to_differ() -> None:
    run = made_up("ieee13")
    for place in (0, 1):
        flat = 0.0 * run.cases[place].active_price + 40.0
        run = with_case(run, place, active_price=flat)
    assert "differ neither by phase nor by place" in finding(run)
    one = made_up("two-bus")  # of one phase
    assert largest(one, one.cases[0], "phase") is None
    assert largest(one, one.cases[0], "place") is not None
    assert "no bus has two" in finding(one)


def test_a_feeder_on_which_svg_raise_the_unbalance_is_named() -> None:
    questions = tuple(FeederQuestion(feeder=key) for key in ("ieee123", "ieee13", "ieee37"))
    rows = (
        replace(WITHOUT, vuf=0.0111), replace(WITHOUT, svg=True, vuf=0.0123),
        replace(WITHOUT, question=1, feeder="IEEE 13"),
        replace(WITHOUT, question=1, feeder="IEEE 13", svg=True, vuf=0.01),
        replace(WITHOUT, question=2, feeder="IEEE 37"), replace(WITHOUT, question=2, feeder="IEEE 37", svg=True),
    )  # fmt: skip
    several = SeveralRun(questions, rows, {})
    first, *named = feeder_several.findings(several)
    assert "falls on 1 of 3 feeders here" in first
    assert named == [
        "IEEE 123 contradicts it: there they raise the largest VUF, from 1.110 to 1.230 %.",
        "IEEE 37 contradicts it: there they leave the largest VUF as it is, from 2.000 to 2.000 %.",
    ]
    shown = text(feeder_several.content(made_up("two-bus"), At(), several))
    assert all(line in shown for line in (first, *named))
    assert feeder_several.findings(replace(several, rows=rows[:1])) == []  # one case alone says nothing


def test_a_ratio_of_an_expansion_that_proved_too_little_is_a_lower_bound() -> None:
    known = shipped_methods(FeederQuestion())
    assert known is not None
    speed = next(each for each in known.speeds if each.published)
    for reached, gap, told in (
        (True, 1e-5, ""), (False, 2.0, "proved nothing in its time"), (False, 0.5, "proved less than that in its time"),
        (False, None, "found no draws in its time"),
    ):  # fmt: skip
        one = replace(speed, reached=reached, expansion_gap=gap, verdict="holds", times=50.0)
        said = " ".join(feeder_methods.findings(replace(known, speeds=(one,))))
        assert ("lower bound" in said) is not reached
        assert told in said
        assert "without our regions, at equal proved accuracy: holds here" in said


def test_nothing_is_called_as_published_of_which_an_abstract_is_known() -> None:
    known = shipped_methods(FeederQuestion())
    assert known is not None
    assert any("as published" in row.method for row in known.rows) or any(
        "as published" in n for n, _ in known.failures
    )
    shown = " ".join(feeder_methods.findings(known))
    shown += re.sub(r"<[^>]*>", " ", str(feeder_methods.content(worked(), At(), known)))
    assert "as published" not in shown
    axis = feeder_methods.figure(worked(), At(), "light", known).layout.yaxis
    assert list(axis.tickvals) == [row["method"] for row in feeder_methods.rows(known)[1]]
    assert len(set(axis.ticktext)) == len(known.rows)  # shortened, but each still its own
    assert "as we rebuild it" in shown
