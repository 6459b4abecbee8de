"""What the Feeder page says of the paper's statements: spreads of prices, feeders that contradict, and lower bounds."""

from dataclasses import replace
from itertools import combinations

import pytest

from components import feeder_effect, feeder_methods, feeder_paper, feeder_several
from components.feeder_layers import At
from components.feeder_spread import finding, largest, spread_card
from engine.distribution.answers import shipped_methods, shipped_several
from engine.distribution.methods_run import MethodsOptions
from engine.distribution.question import FeederQuestion
from engine.distribution.several import FeederRow, SeveralRun, default_questions
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case, worked

WITHOUT = FeederRow(
    0, "IEEE 123", 24, False, "ok", 1.0, cost=100.0, bought=90.0, penalty=0.0, bill=10.0, bill_reactive=1.0,
    lowest_pu=0.96, highest_pu=1.04, centres_pu=0.97, vuf=0.02, vuf_mean=0.01, loading=0.9, loss_mwh=1.0,
    error_pu=1e-5, apart_phase=2.0, apart_place=3.0, flags=0, violations=0,
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


def test_the_papers_statements_are_judged_feeder_by_feeder() -> None:
    """By hand: of three feeders one raises the unbalance, one leaves everything as it is and has one price."""
    questions = tuple(FeederQuestion(feeder=key) for key in ("ieee123", "ieee13", "ieee37"))
    flat = replace(WITHOUT, question=2, feeder="IEEE 37", apart_phase=0.004, apart_place=3.0)
    rows = (
        replace(WITHOUT, vuf=0.0111), replace(WITHOUT, svg=True, vuf=0.0123, centres_pu=0.98),
        replace(WITHOUT, question=1, feeder="IEEE 13"),
        replace(WITHOUT, question=1, feeder="IEEE 13", svg=True, vuf=0.01, centres_pu=0.965),
        flat, replace(flat, svg=True),
    )  # fmt: skip
    several = SeveralRun(questions, rows, {})
    of_voltage, thirteen, still, of_unbalance, raised, same, of_prices, alike = feeder_paper.findings(several)
    assert "raise the voltage at data centres: reproduced on 1 of 3 feeders here" in of_voltage
    assert thirteen.startswith("IEEE 13 contradicts it: there they lower the mean voltage at data centres, mean \u2212")
    assert "0.0050 p.u., from 0.9700 to 0.9650" in thirteen
    assert still.startswith("IEEE 37 contradicts it: there they leave that mean voltage as it is")
    assert "lower the unbalance: reproduced on 1 of 3 feeders here" in of_unbalance
    assert raised == "IEEE 123 contradicts it: there they raise the largest VUF, from 1.110 to 1.230 %."
    assert same == "IEEE 37 contradicts it: there they leave the largest VUF as it is, from 2.000 to 2.000 %."
    assert "differ by phase and by place: reproduced on 2 of 3 feeders here" in of_prices
    apart = "there they are apart by at most 0.00 and 0.00 by phase; 3.00 and 3.00 by place"
    assert f"IEEE 37 contradicts it: {apart}" in alike
    _, table = feeder_paper.rows(several)
    told = {row["feeder"]: row for row in table}
    said = {name: [row[key].partition(":")[0] for key in feeder_paper.STATEMENTS] for name, row in told.items()}
    assert said == {
        "IEEE 123": ["reproduced", "contradicted", "reproduced"],
        "IEEE 13": ["contradicted", "reproduced", "reproduced"],
        "IEEE 37": ["contradicted", "contradicted", "contradicted"],
    }
    assert "+0.0100 p.u." in told["IEEE 123"]["voltage"]
    shown = text(feeder_several.content(made_up("two-bus"), At(), several))
    assert all(line in shown for line in feeder_paper.findings(several))
    assert feeder_paper.findings(replace(several, rows=rows[:1])) == []  # one case alone says nothing


def test_what_a_feeder_cannot_say_is_not_said_of_it() -> None:
    """One phase has no unbalance and no prices by phase; without data centres there is no voltage at them."""
    one = replace(WITHOUT, vuf=None, vuf_mean=None, centres_pu=None, apart_phase=None)
    several = SeveralRun((FeederQuestion(feeder="two-bus"),), (one, replace(one, svg=True)), {})
    assert feeder_paper.verdicts(several, "voltage") == []
    assert feeder_paper.verdicts(several, "unbalance") == []
    (prices,) = feeder_paper.verdicts(several, "prices")
    assert not prices.reproduced
    assert "one phase alone" in prices.numbers


def test_the_stored_feeders_say_of_each_statement_what_their_rows_say() -> None:
    """Counted again from the rows: the mean voltage rises, the largest VUF falls, prices are a cent apart."""
    several = shipped_several(default_questions())
    assert several is not None
    off, on = ([row for row in several.rows if row.svg is svg] for svg in (False, True))
    assert len(off) == len(on) == 4
    held = {
        "voltage": sum(b.centres_pu > a.centres_pu for a, b in zip(off, on, strict=True)),  # type: ignore[operator]
        "unbalance": sum(b.vuf < a.vuf for a, b in zip(off, on, strict=True)),  # type: ignore[operator]
        "prices": sum(min(a.apart_phase, a.apart_place) > 0.01 for a in off),  # type: ignore[type-var, operator]
    }
    for statement, number_held in held.items():
        found = feeder_paper.verdicts(several, statement)
        assert len(found) == 4
        assert sum(each.reproduced for each in found) == number_held


def test_a_ratio_of_an_expansion_that_proved_too_little_is_a_lower_bound() -> None:
    known = shipped_methods(FeederQuestion())
    assert known is not None
    speed = next(each for each in known.speeds if each.rebuilt)
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
    for svg in (False, True):
        known = shipped_methods(FeederQuestion(), MethodsOptions(svg=svg))
        assert known is not None
        stored = known.save().decode()
        assert "as published" not in stored
        assert "as we rebuild it, without our regions" in stored
        axis = feeder_methods.figure(worked(), At(), "light", known).layout.yaxis
        assert list(axis.tickvals) == [row["method"] for row in feeder_methods.rows(known)[1]]
        assert len(set(axis.ticktext)) == len(known.rows)  # shortened, but each still its own
