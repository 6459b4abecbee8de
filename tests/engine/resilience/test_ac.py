"""A dispatch by AC power flow: the published base case, a backward-forward sweep, balance, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution import library
from engine.distribution.balanced import ieee33
from engine.distribution.feeder import Feeder
from engine.errors import QuestionError
from engine.network.model import Matrix, Vector
from engine.resilience.ac import AcCheck, ac_check
from engine.resilience.case import Campus, PlacementCase, Scenarios
from engine.resilience.flows import FlowModel
from engine.resilience.modules import STANDARD
from tests.engine.distribution.sweep import sweep


def case_of(feeder: Feeder, load_share: Vector, campuses: tuple[Campus, ...], sites: tuple[str, ...]) -> PlacementCase:
    steps, none = len(load_share), np.zeros(1, dtype=np.intp)
    shocks = Scenarios(
        np.zeros((1, steps, len(campuses))), none, none + steps, np.ones(1), none - 1, ("nothing",)
    )  # fmt: skip
    return PlacementCase(feeder, load_share, 0.25, campuses, STANDARD, sites, shocks).checked()


def judged(
    case: PlacementCase, campus_mw: Matrix, given: Matrix, reactive: Matrix, shed: Matrix | None = None
) -> AcCheck:
    flows = FlowModel.of(case)
    served = flows.draws(case, campus_mw) - (0.0 if shed is None else shed)
    return ac_check(case, flows, served_mw=served, given_mw=given, given_mvar=reactive)


CASE = case_of(ieee33(), np.array([1.0, 0.6, 0.6]), (Campus("30", 1.0, power_factor=0.95),), ("18", "25"))
CAMPUS = np.array([[0.0], [0.0], [0.8]])
GIVEN = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, -0.3]])
REACTIVE = np.array([[0.0, 0.0, 0.2], [0.0, 0.0, 0.1]])


def test_without_modules_it_is_the_published_base_case() -> None:
    """Baran and Wu 1989, as solved since: 202.677 kW and 135.141 kvar lost, 0.91309 p.u. at bus 18."""
    found = judged(CASE, CAMPUS, GIVEN, REACTIVE)
    assert found.converged.all()
    assert found.loss_mw[0] == pytest.approx(0.202677, abs=1e-6)
    assert found.loss_mvar[0] == pytest.approx(0.135141, abs=1e-6)
    assert found.lowest_pu[0] == pytest.approx(0.91309, abs=1e-5)
    assert found.lowest_bus[0] == "18"
    assert found.voltages_beyond[0] == found.ratings_beyond[0] == 0
    assert 0.0 < found.linear_lowest_pu[0] - found.lowest_pu[0] <= found.overstated_pu[0] < 0.01


def test_campuses_and_modules_are_where_and_what_the_dispatch_says() -> None:
    """The sweep shares no code: 0.6 of the loads, 0.8 MW at a power factor of 0.95, and what two sites give."""
    found = judged(CASE, CAMPUS, GIVEN, REACTIVE)
    devices = [
        ("30", "abc", 800.0 * complex(1.0, np.tan(np.arccos(0.95)))),
        ("18", "abc", -complex(500.0, 200.0)),
        ("25", "abc", -complex(-300.0, 100.0)),
    ]
    swept = sweep(ieee33(), 0.6, devices)
    volts = swept.per_unit(ieee33())
    expected = [abs(volts[bus][phase]) for bus, phase in found.nodes]
    np.testing.assert_allclose(found.voltage_pu[:, 2], expected, atol=1e-6)
    assert found.loss_mw[2] == pytest.approx(swept.loss_kva.real / 1000.0, abs=1e-6)
    assert found.import_mw[2] == pytest.approx(swept.source_kva.real / 1000.0, abs=1e-6)


def test_what_is_shed_is_not_drawn() -> None:
    """All of bus 24's load, 420 kW and 200 kvar of the table: the sweep has the same without it."""
    flows = FlowModel.of(CASE)
    shed = np.zeros((len(flows.demands), 3))
    shed[flows.demands.index("24"), 0] = 0.42
    found = judged(CASE, CAMPUS, GIVEN, REACTIVE, shed)
    feeder = ieee33()
    without = replace(feeder, loads=tuple(load for load in feeder.loads if load.bus != "24"))
    assert found.loss_mw[0] == pytest.approx(sweep(without).loss_kva.real / 1000.0, abs=1e-6)


@pytest.mark.parametrize("key", ["ieee13", "ieee37"])
def test_on_unbalanced_feeders_losses_are_what_the_linear_flow_leaves_out(key: str) -> None:
    """Powers balance: every load keeps its power, so the import exceeds the linear one by the losses alone."""
    feeder = library.load(key)
    campus, site = {"ieee13": ("680", "671"), "ieee37": ("740", "724")}[key]
    case = case_of(feeder, np.array([0.5, 0.8]), (Campus(campus, 0.4),), (site,))
    found = judged(case, np.array([[0.2], [0.3]]), np.array([[0.1, 0.3]]), np.array([[0.0, 0.1]]))
    assert found.converged.all()
    np.testing.assert_allclose(found.import_mw, found.linear_import_mw + found.loss_mw, atol=2e-5)
    assert (found.loss_mw > 0.0).all()
    assert found.overstated_pu.max() < 0.02


def test_limits_that_the_linear_flow_keeps_may_be_broken() -> None:
    """At a limit between the two lowest voltages of the base case, the linear flow is within and the AC flow is not."""
    base = judged(CASE, CAMPUS, GIVEN, REACTIVE)
    between = float(base.lowest_pu[0] + base.linear_lowest_pu[0]) / 2.0
    found = judged(replace(CASE, feeder=replace(ieee33(), v_min_pu=between)), CAMPUS, GIVEN, REACTIVE)
    assert found.linear_lowest_pu[0] > between
    assert found.voltages_beyond.tolist()[0] == 3 * int((base.voltage_pu[:, 0] < between - 1e-4).sum()) > 0
    assert found.voltages_beyond[1] == 0


def test_some_steps_are_those_of_all() -> None:
    flows = FlowModel.of(CASE)
    served = flows.draws(CASE, CAMPUS)
    found = ac_check(CASE, flows, served_mw=served, given_mw=GIVEN, given_mvar=REACTIVE, steps=np.array([2]))
    whole = judged(CASE, CAMPUS, GIVEN, REACTIVE)
    assert found.steps.tolist() == [2]
    np.testing.assert_allclose(found.voltage_pu, whole.voltage_pu[:, [2]], atol=1e-9)
    np.testing.assert_allclose(found.linear_pu, whole.linear_pu[:, [2]], atol=1e-12)


def test_arrays_and_steps_that_do_not_fit_are_refused_by_name() -> None:
    flows = FlowModel.of(CASE)
    served = flows.draws(CASE, CAMPUS)
    with pytest.raises(QuestionError, match=r"given_mvar has the shape \(2, 1\); this case needs \(2, 3\)"):
        ac_check(CASE, flows, served_mw=served, given_mw=GIVEN, given_mvar=REACTIVE[:, :1])
    with pytest.raises(QuestionError, match=r"\[1, 3\] is not one of the case's 3"):
        ac_check(CASE, flows, served_mw=served, given_mw=GIVEN, given_mvar=REACTIVE, steps=np.array([1, 3]))
