"""AC flow: the published profiles of the IEEE feeders, closed forms of two buses, and laws of circuits.

``profiles.json`` holds magnitudes in p.u. and angles in degrees per bus and member of the frame. 13 and 34 nodes: the
voltage profiles printed in the reports of the IEEE working group (four decimals). GridLAB-D's autotests restate 35 of
their nodes, 30 with the same digits; the others differ by up to 0.002 and are slips there, as the solution shows.
37 nodes: OpenDSS's own script of the feeder with an ideal source and the published taps, which gives the IEEE's printed
voltages of buses 775 and 741 within 5e-5. 123 nodes: what GridLAB-D's autotest by forward and backward sweeps asserts
(it has 25 kvar where the report has 20, and takes a line of 500 ft for 700).
"""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.distribution import library
from engine.distribution.dss_process import DssProcess
from engine.distribution.feeder import (
    Compensator,
    Connection,
    DataCentre,
    Feeder,
    FeederBus,
    Generator,
    Line,
    Load,
    LoadModel,
    Transformer,
)
from engine.distribution.opendss import Dispatch, ac_flow
from engine.errors import NetworkDataError, QuestionError, SolverError

PROFILES = json.loads(Path(__file__).with_name("profiles.json").read_text(encoding="utf-8"))
TOY = library.load("two-bus")
SOURCE_V = 4160 / math.sqrt(3)


@pytest.mark.parametrize(
    ("key", "nodes", "pu", "degrees"),
    [("ieee13", 35, 2e-4, 0.02), ("ieee34", 80, 2e-4, 0.05), ("ieee37", 114, 1e-4, 0.01), ("ieee123", 53, 1e-3, 0.1)],
)
def test_published_voltages(key: str, nodes: int, pu: float, degrees: float) -> None:
    feeder = library.load(key)
    flow = ac_flow(feeder)
    assert flow.converged
    compared = 0
    for bus, told in PROFILES[key].items():
        for member, pair in zip(feeder.frame, told, strict=True):
            if pair is not None:
                phasor = flow.phasor(bus, member)
                turned = (np.angle(phasor, deg=True) - pair[1] + 180.0) % 360.0 - 180.0
                assert abs(phasor) == pytest.approx(pair[0], abs=pu), (bus, member)
                assert turned == pytest.approx(0.0, abs=degrees), (bus, member)
                compared += 1
    assert compared == nodes


# Total input and losses as printed in the same reports; of 37 nodes, by OpenDSS's own script.
@pytest.mark.parametrize(
    ("key", "source", "loss"),
    [
        ("ieee13", 3577.191 + 1724.720j, 111.063 + 324.653j),
        ("ieee34", 2042.872 + 290.258j, 273.049 + 34.999j),
        ("ieee37", 2521.8 + 1249.5j, 60.57 + 46.5j),
        ("ieee123", 3620.474 + 1324.264j, 95.612 + 193.727j),
    ],
)
def test_published_totals(key: str, source: complex, loss: complex) -> None:
    flow = ac_flow(library.load(key))
    assert abs(flow.source_kva - source) < 1e-3 * abs(source)
    assert flow.total_loss_kva.real == pytest.approx(loss.real, rel=2e-3)
    assert flow.total_loss_kva.imag == pytest.approx(loss.imag, abs=2.3)


@pytest.mark.parametrize(
    ("bus", "volts", "degrees"),
    [
        ("775", (485.325, 480.576, 478.416), (-0.11, -120.73, 120.07)),
        ("741", (4790.88, 4781.76, 4727.52), (0.07, -120.75, 119.75)),
    ],
)
def test_the_two_printed_voltages_of_ieee_37(bus: str, volts: tuple[float, ...], degrees: tuple[float, ...]) -> None:
    """Between phases, to 1e-4 p.u.: the IEEE report's values as GridLAB-D's test_IEEE_37_NR asserts them."""
    feeder = library.load("ieee37")
    flow = ac_flow(feeder)
    for pair, size, angle in zip(feeder.frame, volts, degrees, strict=True):
        found = flow.phasor(bus, pair)
        assert abs(found) == pytest.approx(size / (1000.0 * feeder.bus(bus).kv), abs=1e-4)
        assert float(np.degrees(np.angle(found))) == pytest.approx(angle, abs=0.02)


@pytest.mark.parametrize("key", ["ieee13", "ieee37", "ieee123"])
def test_regulators_that_move_end_at_the_published_taps(key: str) -> None:
    """The reports print the taps that the compensators' settings lead to; the library holds them as ratios."""
    feeder = library.load(key)
    taps = [regulator.ratios for regulator in feeder.regulators]
    off = replace(feeder, regulators=tuple(replace(r, ratios=(1.0,) * len(r.ratios)) for r in feeder.regulators))
    if key == "ieee13":  # from anywhere; with a band of several taps the others keep the first that is within
        assert ac_flow(off, move_taps=True).ratios != ac_flow(off).ratios
    moved = ac_flow(feeder, move_taps=True).ratios
    assert [pytest.approx(ratios, abs=1e-9) for ratios in taps] == list(moved)


def toy_voltage(kw: float, kvar: float) -> float:
    """Return the voltage at the end of the toy's line, p.u.: the root of V^4 - V^2 (1 - 2 (rp + xq)) + |z s|^2."""
    base = 4.16**2 * 1000.0  # ohm times kVA of three phases, so three times a phase's
    p, q, z = 3 * kw / base, 3 * kvar / base, complex(0.6, 1.2)
    b = 1.0 - 2.0 * (z.real * p + z.imag * q)
    return math.sqrt((b + math.sqrt(b * b - 4.0 * abs(z * complex(p, q)) ** 2)) / 2.0)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, 3.0])
def test_two_buses_by_the_quadratic(share: float) -> None:
    flow = ac_flow(TOY, Dispatch(load_share=share))
    assert flow.magnitude_pu[1, 0] == pytest.approx(toy_voltage(300 * share, 100 * share), abs=1e-8)
    assert np.isnan(flow.magnitude_pu[1, 1:]).all()
    ampere = abs(complex(300, 100)) * share * 1000 / (flow.magnitude_pu[1, 0] * SOURCE_V)
    assert abs(flow.current_a[0, 0]) == pytest.approx(ampere, rel=1e-6, abs=1e-6)
    assert flow.total_loss_kva == pytest.approx(ampere**2 * complex(0.6, 1.2) / 1000, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("model", ["impedance", "current", "power"])
def test_loads_follow_their_models(model: LoadModel) -> None:
    """What the load takes is its nominal power times |V| to the power of its model, whatever V comes out."""
    feeder = replace(TOY, loads=(replace(TOY.loads[0], model=model),))
    flow = ac_flow(feeder)
    size = flow.magnitude_pu[1, 0]
    exponent = {"power": 0, "current": 1, "impedance": 2}[model]
    assert -flow.to_kva[0, 0] == pytest.approx(complex(300, 100) * size**exponent, rel=1e-6)
    told = ac_flow(feeder, constant_power=True).magnitude_pu[1, 0]
    assert told == pytest.approx(toy_voltage(300, 100), abs=1e-8)
    assert (size > told + 1e-4) == (model != "power")


@pytest.mark.parametrize("key", ["ieee13", "ieee37"])
def test_power_is_kept(key: str) -> None:
    """What the source gives is what loads, capacitors and devices take and links lose: Tellegen's theorem."""
    feeder = library.load(key)
    feeder = replace(
        feeder,
        generators=(Generator("G", feeder.buses[3].name if key == "ieee37" else "671", 500.0, q_max_kvar=100.0),),
        compensators=(Compensator("Q", feeder.buses[2].name, 60.0),),
        centres=(DataCentre("D", feeder.buses[2].name, 10.0, 1.0, 100.0),),
    )
    dispatch = Dispatch(0.7, np.array([300.0]), np.array([50.0]), np.array([[20.0, -10.0, 30.0]]), np.array([90.0]))
    flow = ac_flow(feeder, dispatch, constant_power=True)
    drawn = 0.7 * sum(complex(load.kw, load.kvar) for load in feeder.loads)
    drawn += complex(90.0, 90.0 * math.tan(math.acos(0.95))) - complex(300.0, 50.0) - 40.0j
    size = flow.line_to_line_pu if feeder.wires == "three" else flow.voltage_pu
    for row in feeder.capacitors:
        at = [one.name for one in feeder.buses].index(row.bus)
        drawn -= 1j * row.kvar * abs(size[at, feeder.frame.index(row.phase)]) ** 2
    assert flow.source_kva == pytest.approx(drawn + flow.total_loss_kva, rel=1e-6)


def test_a_generator_is_a_load_below_zero() -> None:
    """A generator of 90 kW on three phases, and loads of -30 kW on each, are the same to the network."""
    feeder = library.load("ieee13")
    generator = replace(feeder, generators=(Generator("G", "671", 100.0),))
    loads = tuple(Load(f"g{phase}", "671", phase, -30.0, -10.0) for phase in "abc")
    one = ac_flow(generator, Dispatch(generator_kw=np.array([90.0]), generator_kvar=np.array([30.0])))
    other = ac_flow(replace(feeder, loads=(*feeder.loads, *loads)))
    np.testing.assert_allclose(one.voltage_pu, other.voltage_pu, atol=1e-9)


def test_open_delta_makes_the_third_pair_from_two() -> None:
    """V_ab and V_cb are raised by their ratios; the three pairs add up to zero, which leaves V_ca no choice."""
    feeder = library.load("ieee37")
    flow = ac_flow(feeder)
    first, second = feeder.regulators[0].ratios
    ab, bc, ca = (flow.phasor("799", pair) for pair in feeder.frame)
    assert flow.phasor("799r", "ab") == pytest.approx(first * ab, abs=3e-6)
    assert flow.phasor("799r", "bc") == pytest.approx(second * bc, abs=3e-6)
    assert flow.phasor("799r", "ca") == pytest.approx(-first * ab - second * bc, abs=3e-6)
    assert abs(ab + bc + ca) < 1e-9


def test_powers_of_pairs_add_up_to_those_of_conductors() -> None:
    flow = ac_flow(library.load("ieee37"))
    root = [link.from_bus for link in flow.feeder.links].index("799")
    assert flow.from_kva[root].sum() == pytest.approx(flow.source_kva, rel=1e-6)
    # All that goes back by the earth is what charges the lines: a few 1e-4 of the current.
    assert np.abs(flow.current_a[root].sum()) < 1e-3 * np.abs(flow.current_a[root]).min()


def test_unbalance_is_that_of_symmetrical_components() -> None:
    """The definition by Fortescue's matrix; voltages between phases have the same factor, as a wye-delta turn shows."""
    flow = ac_flow(library.load("ieee13"))
    turn = np.exp(2j * np.pi / 3)
    fortescue = np.array([[1, 1, 1], [1, turn, turn**2], [1, turn**2, turn]]) / 3
    for row, bus in enumerate(flow.feeder.buses):
        if len(bus.phases) < 3:
            assert math.isnan(flow.unbalance[row])
            continue
        for phasors in (flow.voltage_pu[row], flow.line_to_line_pu[row]):
            _, positive, negative = fortescue @ phasors
            assert flow.unbalance[row] == pytest.approx(abs(negative) / abs(positive), rel=1e-9)


@pytest.mark.parametrize(
    ("connections", "kv", "lag"),
    [
        (("wye", "wye"), 0.48, 0.0),
        (("delta", "delta"), 0.48, 0.0),
        (("delta", "wye"), 0.48, 30.0),
        (("delta", "wye"), 12.47, 30.0),
        (("wye", "delta"), 0.48, 30.0),
    ],
)
def test_transformers_turn_by_their_connections(
    connections: tuple[Connection, Connection], kv: float, lag: float
) -> None:
    """Unloaded, the to side keeps 1 p.u. times its tap, and lags between wye and delta (ANSI C57.12)."""
    transformer = Transformer("T", "S", "L", 500.0, 4.16, kv, *connections, 0.01, 0.05, tap=1.025)
    feeder = Feeder("t", "four", "S", (FeederBus("S", 4.16), FeederBus("L", kv)), transformers=(transformer,))
    flow = ac_flow(feeder)
    ab = flow.line_to_line_pu[1, 0]
    assert abs(ab) == pytest.approx(1.025, abs=1e-5)
    assert np.angle(flow.line_to_line_pu[0, 0] / ab, deg=True) == pytest.approx(lag, abs=1e-3)


def test_a_transformer_of_one_phase_drops_its_share() -> None:
    """On its rated load of 50 kVA at unity factor the drop is that of the series impedance: V^2 quadratic in p.u."""
    transformer = Transformer("T", "S", "L", 50.0, 4.16, 0.48, "wye", "wye", 0.02, 1e-9, "b")
    buses = (FeederBus("S", 4.16), FeederBus("L", 0.48, "b"))
    feeder = Feeder("t", "four", "S", buses, transformers=(transformer,), loads=(Load("L", "L", "b", 50.0, 0.0),))
    size = (1.0 + math.sqrt(1.0 - 4 * 0.02)) / 2.0
    flow = ac_flow(feeder)
    assert flow.magnitude_pu[1, 1] == pytest.approx(size, abs=1e-6)


def test_too_much_load_has_no_solution() -> None:
    """At five times its load the quadratic of the toy has no real root."""
    flow = ac_flow(TOY, Dispatch(load_share=5.0))
    assert not flow.converged
    assert np.isnan(flow.voltage_pu).all()
    assert math.isnan(flow.total_loss_kva.real)


def test_low_voltages_are_told() -> None:
    assert ac_flow(TOY, Dispatch(load_share=3.0)).beyond_models == ()
    assert ac_flow(TOY, Dispatch(load_share=30.0)).beyond_models == ("load",)


def test_nothing_is_left_between_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same question has the same answer to the last bit after other feeders, from threads, and writes no file."""
    monkeypatch.chdir(tmp_path)
    keys = ["ieee13", "ieee37", "two-bus"]
    first = {key: ac_flow(library.load(key)).voltage_pu for key in keys}
    ac_flow(library.load("ieee13"), Dispatch(0.3), move_taps=True)
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda key: ac_flow(library.load(key)).voltage_pu, keys * 4))
    for key, voltage in zip(keys * 4, again, strict=True):
        np.testing.assert_array_equal(voltage, first[key])
    assert Path.cwd() == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_solving_process_that_dies_is_replaced() -> None:
    """It is asked as at first, and gives the same; and one that dies over each question is told."""
    first = ac_flow(TOY)
    for child in psutil.Process().children():
        if "dss_solver.py" in " ".join(child.cmdline()):
            child.kill()
            child.wait()
    np.testing.assert_array_equal(ac_flow(TOY).voltage_pu, first.voltage_pu)
    with closing(DssProcess()) as dies, pytest.raises(SolverError, match="twice"):
        dies.ask({})  # a question without commands, over which the program itself fails


@pytest.mark.parametrize(
    ("dispatch", "said"),
    [
        (Dispatch(load_share=np.ones(3)), r"load_share has the shape \(3,\)"),
        (Dispatch(load_share=math.nan), "not finite"),
        (Dispatch(generator_kw=np.ones(2)), r"needs \(0,\)"),
    ],
)
def test_a_dispatch_of_another_feeder_is_refused(dispatch: Dispatch, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        ac_flow(TOY, dispatch)


def test_a_compensator_out_of_service_gives_nothing() -> None:
    feeder = replace(TOY, compensators=(Compensator("Q", "load", 50.0, "a", in_service=False),))
    same = ac_flow(feeder, Dispatch(compensator_kvar=np.zeros((1, 3))))
    np.testing.assert_array_equal(same.voltage_pu, ac_flow(TOY).voltage_pu)
    with pytest.raises(QuestionError, match="Q is asked for reactive power"):
        ac_flow(feeder, Dispatch(compensator_kvar=np.array([[50.0, 0.0, 0.0]])))


def test_a_compensator_raises_its_bus() -> None:
    """50 of the load's 100 kvar given on the spot: the quadratic of two buses with the rest."""
    feeder = replace(TOY, compensators=(Compensator("Q", "load", 50.0, "a"),))
    flow = ac_flow(feeder, Dispatch(compensator_kvar=np.array([[50.0, 0.0, 0.0]])))
    assert flow.magnitude_pu[1, 0] == pytest.approx(toy_voltage(300.0, 50.0), abs=1e-8)


def test_a_loop_is_refused() -> None:
    line = TOY.lines[0]
    feeder = replace(TOY, lines=(line, Line("twin", "source", "load", "a", line.r_ohm, line.x_ohm, line.b_us)))
    with pytest.raises(NetworkDataError, match="loop"):
        ac_flow(feeder)
