"""What other models of the loads change: a closed form of two buses, a study of its own, the same circuit by a flag."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.opendss import Dispatch, ac_flow
from engine.distribution.question import FeederQuestion
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
    assert [row["model"] for row in run.cases[0].facts["load_models"]["models"]] == ["own", "impedance"]
    assert [row["model"] for row in own.cases[0].facts["load_models"]["models"]] == ["power", "impedance"]
    two = run_feeder(FeederQuestion(feeder="two-bus", hours=(4,), svg="off")).cases[0].facts["load_models"]
    assert [row["model"] for row in two["models"]] == ["impedance"]  # its one load keeps its power by its row


def test_a_load_of_constant_impedance_divides_the_voltage_as_ohm_says() -> None:
    """One line and one load on phase a: V = Vs Z / (Z + z) but for what the data centre draws, solved by iteration."""
    run = run_feeder(FeederQuestion(feeder="two-bus", hours=(19,), svg="off"))
    case, feeder = run.cases[0], run.feeder
    (row,) = case.facts["load_models"]["models"]
    volts = 4160.0 / np.sqrt(3.0)
    node = run.nodes.index((row["bus"], row["member"]))
    source = abs(case.phasors[0, 1 - node]) * volts
    kva = sum(complex(load.kw, load.kvar) for load in feeder.loads) * run.load_share[0, 0]
    admittance = np.conj(1000.0 * kva / volts**2)
    centre = feeder.centres[0]
    drawn = case.draw_kw[0, 0] * complex(1.0, centre.kvar_per_kw) - 1000.0 * complex(case.generator_mva[0].sum())
    at: complex = source
    for _ in range(200):
        at = source - complex(0.6, 1.2) * (at * admittance + np.conj(1000.0 * drawn / at))
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
    """At a limit that the answer just keeps: constant impedance draws less at low voltages, so it exceeds none."""
    found = run_feeder(replace(ASKED, svg="on")).cases[0].facts["load_models"]
    assert found["broken"] == {"voltages": 0, "ratings": 0}
    assert all(set(row["broken"]) == {"voltages", "ratings"} for row in found["models"])


def test_regulators_that_move_tell_which_limits_then_hold() -> None:
    """Counted again from the phasors: voltages of the nodes beyond the source outside the feeder's limits."""
    run = run_feeder(FeederQuestion(feeder="ieee34", hours=(19,), svg="off", regulators="free", corrections=2))
    case = run.cases[0]
    size = np.abs(case.free_phasors[:, 3:])
    out = (size < run.feeder.v_min_pu - 1e-4) | (size > run.feeder.v_max_pu + 1e-4)
    assert case.facts["regulators_free"]["broken"]["voltages"] == out.sum()
