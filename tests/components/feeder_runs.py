"""Runs of feeder studies for the tests of what is drawn: the one that comes with the program, and made-up ones."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine.distribution.answers import shipped
from engine.distribution.cases import furnished
from engine.distribution.frames import REFERENCE, Frame, three_phase_buses
from engine.distribution.question import FeederQuestion
from engine.distribution.run import CaseRun, FeederRun


@lru_cache(maxsize=1)
def worked() -> FeederRun:
    """Return the answer to the default question, both cases of the worked IEEE 37 day."""
    found = shipped(FeederQuestion())
    assert found is not None
    return found


@lru_cache(maxsize=4)
def made_up(key: str, hours: int = 3, *, both: bool = True) -> FeederRun:
    """Return a run of a feeder of the library with random numbers in the right shapes; nothing is computed."""
    feeder = furnished(key)
    rng = np.random.default_rng(7)
    cases = tuple(_case(feeder, hours, rng, svg=svg) for svg in ((False, True) if both else (False,)))
    question = FeederQuestion(feeder=key, hours=tuple(range(hours)), svg="both" if both else "off")
    provenance = {
        "feeder_digest": feeder.digest, "case_digest": "c" * 64, "question_digest": question.digest, "origin": "",
        "assumptions": ["made up"], "seed": 0, "work": {"interactive": [1.0] * hours, "jobs": []},
        "solver": "none", "ac": "none", "headroom": "0", "date": "2026-01-02T03:04:05+00:00", "time_s": 1.0,
        "complete": True,
    }  # fmt: skip
    return FeederRun(
        question, feeder, tuple(f"{hour:02d}:00" for hour in range(hours)), 40.0 + rng.random(hours),
        np.ones((hours, len(feeder.loads))), np.ones((hours, len(feeder.generators))), cases, provenance,
    )  # fmt: skip


def _case(feeder: Any, hours: int, rng: np.random.Generator, *, svg: bool) -> CaseRun:
    frame = Frame.of(feeder)
    size, links, centres = frame.size, len(feeder.links), len(feeder.centres)
    labels = [feeder.frame.index(member) for _, member in frame.nodes]
    inner = feeder.v_min_pu + 0.02 + (feeder.v_max_pu - feeder.v_min_pu - 0.04) * rng.random((hours, size))
    parts = rng.random((5, hours, size))
    parts[0] = 40.0
    drawn, reactive = rng.random((hours, centres)), rng.random((hours, size))
    whole = len(three_phase_buses(frame)[0])
    facts = {
        "method": {"status": "given"}, "solver": "none",
        "certificate": {"primal_violation": 0.0, "dual_violation": 0.0, "complementarity": 0.0, "relative_gap": 0.0},
        "operator_time_s": 0.0, "violations": [], "flags": [], "duals": [], "final": None,
        "rounds": [{"error_pu": [1e-3, 1e-5], "final_error_pu": 1e-5, "flags": 0, "violations": 0, "cost": 1.0}],
        "correction_kept": 1, "rating_share": {}, "beyond_models": {}, "voltage_price_per_pu2": 1.0,
        "regulators_free": {}, "load_models": {"broken": {"voltages": 0, "ratings": 0}, "bill": 1.0, "models": []},
        "scenarios": {}, "time_s": 1.0,
    }  # fmt: skip
    return CaseRun(
        svg=svg, draw_kw=drawn, computer_kw=drawn, charge_kw=0.0 * drawn, discharge_kw=0.0 * drawn,
        held_kwh=0.0 * drawn, price_least=parts.sum(axis=0), price_most=parts.sum(axis=0),
        reactive_least=reactive, reactive_most=reactive,
        centre_price=40.0 + rng.random((hours, centres)),
        bill_active=rng.random((hours, centres)), bill_reactive=rng.random((hours, centres)), voltage_pu=inner,
        phasors=(inner + 1e-4) * REFERENCE[labels], free_phasors=np.zeros((0, size), dtype=complex),
        margin_pu=np.zeros((hours, size)), active_price=parts.sum(axis=0), reactive_price=reactive,
        active_parts=parts, reactive_parts=np.zeros((5, hours, size)), supply_mva=rng.random(hours) + 0j,
        generator_mva=rng.random((hours, len(feeder.generators))) + 0j,
        svg_kvar=rng.random((hours, len(feeder.compensators), 3)), cost_per_h=rng.random(hours),
        penalty_per_h=np.zeros(hours), surplus_per_h=rng.random(hours), loss_mva=rng.random(hours) + 0j,
        loss_ac_mva=rng.random(hours) + 0j, linear_loading=0.5 * rng.random((hours, links)),
        ac_loading=0.5 * rng.random((hours, links)), current_a=rng.random((hours, links, 3)),
        vuf=0.02 * rng.random((hours, whole)), pvur=0.02 * rng.random((hours, whole)), deviation=np.zeros(hours),
        voltage_chance=np.zeros((0, len(feeder.buses), 3)), line_chance=np.zeros((0, links)),
        hour_chance=np.zeros(0), extremes_pu=np.zeros((2, 0, hours)), facts=facts,
    )  # fmt: skip


def with_case(run: FeederRun, place: int, **changes: Any) -> FeederRun:
    """Return a run with one of its cases changed."""
    cases = list(run.cases)
    cases[place] = replace(cases[place], **changes)
    return replace(run, cases=tuple(cases))
