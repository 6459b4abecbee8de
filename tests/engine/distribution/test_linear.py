"""The linear flow against closed forms, path sums, random phasors, and an AC sweep that shares no code with it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.feeder import Feeder, FeederBus, Load, Regulator
from engine.distribution.frames import REFERENCE, Draws, Frame
from engine.distribution.linear import BranchEquations, LinearFlow, Point, voltage_drop
from engine.distribution.losses import AcPoint, ac_point
from engine.errors import NetworkDataError
from tests.engine.distribution.sweep import sweep
from tests.engine.distribution.toys import line, random_tree, random_z, three_wire, two_bus


def draws_of(frame: Frame) -> tuple[Draws, int]:
    feeder = frame.feeder
    return Draws.of(frame, (*feeder.loads, *feeder.capacitors)), len(feeder.loads)


def scale_of(feeder: Feeder, scale: float) -> np.ndarray:
    return np.concatenate([np.full(len(feeder.loads), scale), np.ones(len(feeder.capacitors))])


def flow_of(feeder: Feeder, scale: float = 1.0, point: Point | None = None) -> LinearFlow:
    frame = Frame.of(feeder)
    draws, _ = draws_of(frame)
    equations = BranchEquations.of(frame, point or Point.reference(frame))
    return LinearFlow.of(equations, draws, scale_of(feeder, scale))


def ac_of(feeder: Feeder, scale: float = 1.0, extra: tuple[tuple[str, str, complex], ...] = ()) -> AcPoint:
    frame = Frame.of(feeder)
    draws, _ = draws_of(frame)
    drawn = np.zeros(frame.size, dtype=complex)
    for bus, phases, kva in extra:
        nodes = frame.at(bus, phases)
        drawn[nodes] += kva / 1000.0 / len(nodes)
    phasors = frame.phasors(sweep(feeder, scale, extra).per_unit(feeder))
    return ac_point(frame, draws, scale_of(feeder, scale), drawn, phasors)


@pytest.mark.parametrize("seed", range(5))
def test_the_matrices_are_the_drop_of_the_squared_voltage_at_any_phasors(seed: int) -> None:
    """2 Re(V_i sum conj(z_ij) S_j / V_j), the first order of |V - zI| squared, term by term."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    phasors = REFERENCE * np.exp(1j * rng.normal(scale=0.1, size=3)) * rng.uniform(0.9, 1.1, 3)
    power = rng.normal(size=3) + 1j * rng.normal(size=3)
    by_p, by_q = voltage_drop(z, phasors)
    expected = [
        2.0 * (phasors[i] * sum(np.conj(z[i, j]) * power[j] / phasors[j] for j in range(3))).real for i in range(3)
    ]
    assert by_p @ power.real + by_q @ power.imag == pytest.approx(expected, abs=1e-12)


def test_at_balanced_angles_the_matrices_are_the_published_ones() -> None:
    """Diagonal 2r, 2x; (a,b): -r + sqrt3 x and -x - sqrt3 r; (b,a): -r - sqrt3 x and -x + sqrt3 r."""
    r, x = 0.3, 0.7
    by_p, by_q = voltage_drop(np.full((3, 3), complex(r, x)), REFERENCE)
    root = np.sqrt(3.0)
    assert [by_p[0, 0], by_q[0, 0]] == pytest.approx([2 * r, 2 * x])
    assert [by_p[0, 1], by_q[0, 1]] == pytest.approx([-r + root * x, -x - root * r])
    assert [by_p[1, 0], by_q[1, 0]] == pytest.approx([-r - root * x, -x + root * r])


def test_two_buses_have_the_closed_form() -> None:
    """v = 1 - (2 r P + 2 x Q) / kV squared with 10 kV, 1 MW and 0.5 Mvar."""
    flow = flow_of(two_bus())
    state = flow.solve(np.zeros(2), np.zeros(2))
    assert state.v[1] == pytest.approx(1.0 - (2 * 0.6 * 1.0 + 2 * 0.9 * 0.5) / 100.0, abs=1e-12)
    assert (state.supply_mw[0], state.supply_mvar[0]) == pytest.approx((1.0, 0.5), abs=1e-12)


def test_constant_impedance_is_the_closed_form_with_its_own_voltage() -> None:
    """P = v P0 and Q = v Q0, so v = 1 / (1 + k) with k the drop at nominal power."""
    load = (Load("load", "end", "a", 1000.0, 500.0, "impedance"),)
    state = flow_of(two_bus(loads=load)).solve(np.zeros(2), np.zeros(2))
    assert state.v[1] == pytest.approx(1.0 / (1.0 + (2 * 0.6 * 1.0 + 2 * 0.9 * 0.5) / 100.0), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_sensitivities_are_path_sums(seed: int) -> None:
    """Minus the sum of M over the branches common to both paths, each times the ratios squared below it."""
    feeder = random_tree(seed)
    steady = replace(feeder, loads=tuple(replace(row, model="power") for row in feeder.loads), capacitors=())
    flow = flow_of(steady)
    frame = flow.frame
    nodes = np.arange(frame.roots, frame.size)
    found = flow.sensitivities(nodes)
    for column, node in enumerate(nodes.tolist()):
        for row in range(frame.size):
            expected_p, expected_q = path_sum(frame, row, node)
            assert found.v_by_p[row, column] == pytest.approx(expected_p, abs=1e-10)
            assert found.v_by_q[row, column] == pytest.approx(expected_q, abs=1e-10)


def path_sum(frame: Frame, affected: int, drawing: int) -> tuple[float, float]:
    above = {int(node): (branch, int(frame_above(branch, node))) for branch in frame.branches for node in branch.below}

    def path(node: int) -> dict[str, tuple[int, float]]:
        """Each branch above a node, with the place of the node's phase in it and the squared ratio below it."""
        found, ratio = {}, 1.0
        while node in above:
            branch, upper = above[node]
            place = int(np.flatnonzero(branch.below == node)[0])
            found[branch.link.name] = (place, ratio)
            ratio *= float(branch.squares[place].sum())
            node = upper
        return found

    one, other = path(affected), path(drawing)
    by_name = {branch.link.name: branch for branch in frame.branches}
    total = np.zeros(2)
    for name in one.keys() & other.keys():
        branch = by_name[name]
        (row, ratio), (column, _) = one[name], other[name]
        angle = np.angle(frame.reference[branch.below[row]] / frame.reference[branch.below[column]])
        r, x = branch.impedance[row, column].real, branch.impedance[row, column].imag
        total -= ratio * 2.0 * np.array([r * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - r * np.sin(angle)])
    return float(total[0]), float(total[1])


def frame_above(branch: object, node: int) -> int:
    return int(branch.above[np.flatnonzero(branch.below == node)[0]])  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [lambda: random_tree(2), three_wire])
def test_sensitivities_are_the_differences_of_two_solutions(make: object) -> None:
    """The system is linear, so a difference over any step is the derivative; flows and voltages alike."""
    flow = flow_of(make())  # type: ignore[operator]
    size, node = flow.frame.size, flow.frame.size - 1
    found = flow.sensitivities(np.array([node]))
    one, none = np.eye(size)[node], np.zeros(size)
    base, more, reactive = flow.solve(none, none), flow.solve(one, none), flow.solve(none, one)
    assert found.v_by_p[:, 0] == pytest.approx(more.v - base.v, abs=1e-9)
    assert found.p_by_p[:, 0] == pytest.approx(more.p_mw - base.p_mw, abs=1e-9)
    assert found.q_by_q[:, 0] == pytest.approx(reactive.q_mvar - base.q_mvar, abs=1e-9)
    assert found.p_by_q[:, 0] == pytest.approx(reactive.p_mw - base.p_mw, abs=1e-9)


def test_an_open_delta_regulator_passes_squared_voltages_exactly() -> None:
    """Any three phasors that add up to nothing, through the ideal stage itself."""
    feeder = three_wire()
    branch = next(each for each in Frame.of(feeder).branches if isinstance(each.link, Regulator))
    rng = np.random.default_rng(1)
    for _ in range(5):
        one, two = rng.normal(size=2) + 1j * rng.normal(size=2)
        phasors = np.array([one, two, -one - two])
        passed = np.abs(branch.ideal @ phasors) ** 2
        assert branch.squares @ np.abs(phasors) ** 2 == pytest.approx(passed, abs=1e-12)
        assert (branch.ideal @ phasors).sum() == pytest.approx(0.0, abs=1e-12)


def test_a_load_between_phases_divides_as_published_on_four_wires() -> None:
    """S_a = S_ab (0.5 - j 0.2887), S_b = S_ab (0.5 + j 0.2887) at balanced voltages."""
    buses = (FeederBus("s", 4.16), FeederBus("e", 4.16))
    short = line("l", ("s", "e"), random_z(np.random.default_rng(0), 3, 1e-9))
    feeder = Feeder("four", "four", "s", buses, lines=(short,), loads=(Load("ab", "e", "ab", 1000.0, 0.0),))
    flow = flow_of(feeder)
    drawn = flow.solve(np.zeros(6), np.zeros(6)).drawn_mva[flow.frame.at("e", "abc")]
    third = 1.0 / (2.0 * np.sqrt(3.0))
    assert drawn == pytest.approx([0.5 - third * 1j, 0.5 + third * 1j, 0.0], abs=1e-7)


def delta_to_wye() -> Feeder:
    feeder = random_tree(1)
    return replace(feeder, transformers=(replace(feeder.transformers[0], from_connection="delta"),))


@pytest.mark.parametrize("make", [lambda: random_tree(1), lambda: random_tree(3), three_wire, delta_to_wye])
def test_a_corrected_flow_is_exact_at_its_own_point(make: object) -> None:
    """By construction; what it establishes is that nothing is missing from the equations of a branch or a load."""
    feeder = make()  # type: ignore[operator]
    point = ac_of(feeder)
    assert point.misfit_pu < 1e-9
    flow = flow_of(feeder, point=point.point)
    none = np.zeros(flow.frame.size)
    state = flow.solve(none, none)
    assert state.voltage_pu == pytest.approx(np.abs(point.point.phasors), abs=1e-9)
    assert state.loss_mva == pytest.approx(point.loss_mva, abs=1e-9)
    swept = sweep(feeder)
    assert complex(state.supply_mw.sum(), state.supply_mvar.sum()) == pytest.approx(swept.source_kva / 1000, abs=1e-8)
    assert state.loss_mva.real == pytest.approx(swept.loss_kva.real / 1000, abs=1e-8)


@pytest.mark.parametrize("make", [lambda: random_tree(1), lambda: random_tree(3), three_wire])
def test_marginal_losses_and_voltages_of_a_corrected_flow_are_those_of_the_ac_solution(make: object) -> None:
    """Central differences of the AC sweep at the last bus. Only angles stay in the tangent: within 1 %."""
    feeder = make()  # type: ignore[operator]
    bus = feeder.buses[-1]
    extra = 20.0
    more, less = (ac_of(feeder, 1.0, ((bus.name, bus.phases, complex(sign * extra)),)) for sign in (1, -1))
    flow = flow_of(feeder, point=ac_of(feeder).point)
    nodes = flow.frame.at(bus.name, bus.phases)
    size = flow.frame.size
    marginal = flow.values(flow.loss_gradients())[size + nodes, 0].mean()
    per_mw = 2.0 * extra / 1000.0
    assert marginal == pytest.approx((more.loss_mva.real - less.loss_mva.real) / per_mw, rel=0.01)
    change = (np.abs(more.point.phasors) ** 2 - np.abs(less.point.phasors) ** 2) / per_mw
    found = flow.sensitivities(nodes).v_by_p.mean(axis=1)
    assert found[nodes] == pytest.approx(change[nodes], rel=0.01)


@pytest.mark.parametrize("make", [lambda: random_tree(1), three_wire])
def test_a_chord_has_the_losses_of_the_point_there_and_none_without_flow(make: object) -> None:
    """The line through zero and the point, so never negative between them."""
    feeder = make()  # type: ignore[operator]
    found = ac_of(feeder)
    flow = flow_of(feeder, point=replace(found.point, chord=True))
    none = np.zeros(flow.frame.size)
    state = flow.solve(none, none)
    assert state.voltage_pu == pytest.approx(np.abs(found.point.phasors), abs=1e-9)
    assert state.loss_mva == pytest.approx(found.loss_mva, abs=1e-9)
    empty = replace(feeder, loads=(), capacitors=())
    idle = flow_of(empty, point=replace(found.point, chord=True)).solve(none, none)
    assert idle.loss_mva == pytest.approx(0.0, abs=1e-12)


def test_loss_and_response_gradients_add_up_to_the_supply() -> None:
    """One more MW drawn is met by the source: itself, the losses, and what loads draw otherwise (balance)."""
    feeder = random_tree(3)
    flow = flow_of(feeder, point=ac_of(feeder).point)
    size, roots = flow.frame.size, flow.frame.roots
    supply = np.zeros((3 * size, 1))
    supply[3 * size - 2 * roots : 3 * size - roots] = 1.0
    parts = flow.values(np.hstack([supply, flow.loss_gradients()[:, :1], flow.response_gradients()[:, :1]]))
    active = slice(size, 2 * size)
    assert parts[active, 0] == pytest.approx(1.0 + parts[active, 1] + parts[active, 2], abs=1e-9)


def test_a_solution_of_other_loads_is_refused_by_the_name_of_a_branch() -> None:
    feeder = random_tree(1)
    frame = Frame.of(feeder)
    draws, _ = draws_of(frame)
    phasors = frame.phasors(sweep(feeder, 1.0).per_unit(feeder))
    with pytest.raises(NetworkDataError, match=r"across (line b\d|transformer)"):
        ac_point(frame, draws, scale_of(feeder, 0.1), np.zeros(frame.size, dtype=complex), phasors)


def test_loads_and_links_that_the_frame_cannot_hold_are_named_all_at_once() -> None:
    feeder = three_wire()
    odd = (Load("to earth", "two", "a", 1.0, 0.0), Load("also", "three", "b", 1.0, 0.0))
    frame = Frame.of(feeder)
    with pytest.raises(NetworkDataError, match=r"to earth is connected to earth.*also is connected to earth"):
        Draws.of(frame, odd)
    uneven = Regulator("wye", "source", "r", ("a", "b", "c"), (1.0, 1.01, 1.02))
    with pytest.raises(NetworkDataError, match="regulator wye raises phases to earth"):
        Frame.of(replace(feeder, regulators=(uneven,)))
    with pytest.raises(NetworkDataError, match="nothing feeds b of bus end"):
        Frame.of(two_bus(buses=(FeederBus("source", 10.0, "a"), FeederBus("end", 10.0, "ab"))))
