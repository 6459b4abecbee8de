"""What other models of the loads change: a closed form of two buses, a study of its own, the same circuit by a flag."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.cases import furnished
from engine.distribution.files import to_json
from engine.distribution.opendss import Dispatch, ac_flow
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.run import FeederRun, run_feeder

ASKED = FeederQuestion(hours=(17,), svg="off")


@pytest.fixture(scope="module")
def run() -> FeederRun:
    """IEEE 37 in an evening hour, every load of constant power."""
    return run_feeder(ASKED)


@pytest.fixture(scope="module")
def own() -> FeederRun:
    """The same day with each load by its own model."""
    return run_feeder(replace(ASKED, loads="own"))


def test_models_other_than_the_answers_are_told(run: FeederRun, own: FeederRun) -> None:
    assert [row["model"] for row in run.cases[0].facts["load_models"]["models"]] == ["own", "current", "impedance"]
    assert [row["model"] for row in own.cases[0].facts["load_models"]["models"]] == ["power", "current", "impedance"]
    two = run_feeder(FeederQuestion(feeder="two-bus", hours=(4,), svg="off")).cases[0].facts["load_models"]
    assert [row["model"] for row in two["models"]] == ["current", "impedance"]  # its one load's row says power


@pytest.mark.parametrize(("model", "power"), [("current", 1), ("impedance", 2)])
def test_a_load_divides_the_voltage_as_ohm_says(model: str, power: int) -> None:
    """One line, one load and a data centre on phase a: V = Vs - z I(V), solved by iteration.

    The load keeps S0 at nominal voltage and draws S0 |V| at constant current, S0 |V|^2 at constant impedance.
    """
    run = run_feeder(FeederQuestion(feeder="two-bus", hours=(19,), svg="off"))
    case, feeder = run.cases[0], run.feeder
    row = next(each for each in case.facts["load_models"]["models"] if each["model"] == model)
    volts = 4160.0 / np.sqrt(3.0)
    node = run.nodes.index((row["bus"], row["member"]))
    source = abs(case.phasors[0, 1 - node]) * volts
    kva = sum(complex(load.kw, load.kvar) for load in feeder.loads) * run.load_share[0, 0]
    centre = feeder.centres[0]
    drawn = case.draw_kw[0, 0] * complex(1.0, centre.kvar_per_kw) - 1000.0 * complex(case.generator_mva[0].sum())
    at: complex = source
    for _ in range(200):
        load = 1000.0 * kva * (abs(at) / volts) ** power
        at = source - complex(0.6, 1.2) * np.conj((load + 1000.0 * drawn) / at)
    assert row["change_pu"] == pytest.approx(abs(at) / volts - abs(case.phasors[0, node]), abs=2e-6)


def test_voltages_are_those_of_the_same_circuit_with_the_flag_of_constant_power(own: FeederRun) -> None:
    case, feeder = own.cases[0], own.feeder
    row = next(each for each in case.facts["load_models"]["models"] if each["model"] == "power")
    asked = Dispatch(
        own.load_share[0], 1000.0 * case.generator_mva[0].real, 1000.0 * case.generator_mva[0].imag,
        case.svg_kvar[0], case.draw_kw[0],
    )  # fmt: skip
    here, there = (abs(ac_flow(feeder, asked, constant_power=flag).phasor(row["bus"], row["member"]))
                   for flag in (False, True))  # fmt: skip
    assert row["change_pu"] == pytest.approx(there - here, abs=1e-9)
    changes = abs(ac_flow(feeder, asked, constant_power=True).magnitude_pu - ac_flow(feeder, asked).magnitude_pu)
    assert abs(row["change_pu"]) == pytest.approx(np.nanmax(changes), abs=1e-9)


def test_the_bill_of_other_models_is_that_of_a_study_with_them(run: FeederRun, own: FeederRun) -> None:
    """The study decides its dispatch and its point by itself, so its bill is not quite that of the first step."""
    told, asked = (each.cases[0].facts["load_models"] for each in (run, own))
    row = next(each for each in told["models"] if each["model"] == "own")
    assert told["bill"] != pytest.approx(asked["bill"], rel=5e-3)
    assert row["bill"] == pytest.approx(asked["bill"], rel=2e-3)


def test_what_limits_other_models_exceed_is_counted() -> None:
    """Limits by hand between what a load of constant impedance makes of two hours and what constant power does.

    By Ohm's law constant power draws more at the low voltage of 19 h: there one voltage and one line are beyond their
    limits, at 4 h none. The operator is asked to keep none, so that limits change no set point.
    """
    base = furnished("two-bus")
    feeder = replace(base, loads=tuple(replace(row, model="impedance") for row in base.loads))
    asked = FeederQuestion(
        dataset="0" * 64, hours=(4, 19), svg="off", loads="own", voltage_limits=False, line_limits="none"
    )
    run = run_feeder(asked, lambda _: ("two.json", to_json(feeder)))
    (loose,) = run.cases
    share, volts, ohms = run.load_share[:, 0], 4160.0 / np.sqrt(3.0), complex(0.6, 1.2)
    (load,), (centre,) = feeder.loads, feeder.centres
    drawn = loose.draw_kw[:, 0] * complex(1.0, centre.kvar_per_kw) - 1000.0 * loose.generator_mva.sum(axis=1)
    kva = complex(load.kw, load.kvar) * share + drawn
    at = np.full(2, complex(volts))
    for _ in range(200):
        at = volts - ohms * np.conj(1000.0 * kva / at)
    power_pu, power_a = np.abs(at) / volts, np.abs(1000.0 * kva / at)
    node = run.nodes.index(("load", "a"))
    own_pu, own_a = np.abs(loose.phasors[:, node]), loose.current_a[:, 0, 0]
    v_min, rating = (power_pu[1] + own_pu[1]) / 2.0, (power_a[1] + own_a[1]) / 2.0
    assert own_pu[1] - power_pu[1] > 2e-3  # neither is a matter of rounding
    assert power_a[1] / own_a[1] > 1.02
    assert power_pu[0] > v_min + 2e-3
    assert power_a[0] < rating / 1.02
    tight = replace(feeder, v_min_pu=v_min, lines=(replace(feeder.lines[0], rating_a=rating),))
    found = run_feeder(asked, lambda _: ("two.json", to_json(tight))).cases[0].facts["load_models"]
    assert found["broken"] == {"voltages": 0, "ratings": 0}
    assert [row["model"] for row in found["models"]] == ["power", "current"]
    assert found["models"][0]["broken"] == {"voltages": 1, "ratings": 1}


def test_regulators_that_move_tell_which_limits_then_hold() -> None:
    """Counted again from the phasors: voltages of the nodes beyond the source outside the feeder's limits."""
    asked = FeederQuestion(feeder="ieee34", hours=(19,), svg="off", regulators="free", corrections=2)
    run = run_feeder(replace(asked, edits=(Edit("scale load", value=1.25),)))  # more than its regulators can raise
    case = run.cases[0]
    size = np.abs(case.free_phasors[:, 3:])
    out = (size < run.feeder.v_min_pu - 1e-4) | (size > run.feeder.v_max_pu + 1e-4)
    assert out.sum() > 0
    assert case.facts["regulators_free"]["broken"]["voltages"] == out.sum()
