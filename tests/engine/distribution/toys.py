"""Small feeders made for tests: a two-bus feeder, and random trees with everything a feeder may hold."""

from dataclasses import replace

import numpy as np

from engine.distribution.feeder import (
    Capacitor,
    DataCentre,
    Feeder,
    FeederBus,
    Generator,
    Line,
    Load,
    Regulator,
    Rows,
    Transformer,
)


def rows(matrix: np.ndarray) -> Rows:
    return tuple(tuple(float(value) for value in row) for row in matrix)


def line(name: str, ends: tuple[str, str], z_ohm: np.ndarray, phases: str = "abc", **more: float) -> Line:
    size = len(phases)
    return Line(name, *ends, phases, rows(z_ohm.real), rows(z_ohm.imag), rows(np.zeros((size, size))), **more)


def two_bus(r_ohm: float = 0.6, x_ohm: float = 0.9, **changes: object) -> Feeder:
    """One phase: 10 kV to earth, so v falls by 2 r P + 2 x Q over 100 (ohm, MW, kV squared)."""
    kv = 10.0 * np.sqrt(3.0)
    feeder = Feeder(
        "two buses", "four", "source",
        (FeederBus("source", kv, "a"), FeederBus("end", kv, "a")),
        lines=(line("line", ("source", "end"), np.array([[complex(r_ohm, x_ohm)]]), "a"),),
        loads=(Load("load", "end", "a", 1000.0, 500.0),),
    )  # fmt: skip
    return replace(feeder, **changes)


def random_z(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    """A passive, symmetric impedance with a strong coupling between phases."""
    factor = rng.uniform(-0.3, 0.3, (size, size))
    r = np.diag(rng.uniform(0.5, 1.0, size)) + factor @ factor.T
    x = np.diag(rng.uniform(0.8, 1.6, size)) + 0.4
    return scale * (r + 1j * x)


def random_tree(seed: int, buses: int = 9, kw: float = 120.0) -> Feeder:
    """A four-wire feeder at 4.16 kV: branches of one to three phases, a regulator, a switch, a transformer."""
    rng = np.random.default_rng(seed)
    phases = {"source": "abc", "reg": "abc", "low": "abc"}
    lines = []
    for at in range(buses):
        name = f"b{at}"
        upper = "reg" if at == 0 else f"b{rng.integers(0, at)}"
        on = (
            phases[upper] if rng.random() < 0.6 else "".join(rng.permutation(list(phases[upper]))[: rng.integers(1, 4)])
        )
        on = "".join(sorted(on))
        phases[name] = on
        lines.append(line(f"line {name}", (upper, name), random_z(rng, len(on), 0.25), on))
    loads = [
        Load(
            f"load {name} {phase}", name, phase, float(rng.uniform(0.3, 1.0) * kw / 3), float(rng.uniform(0, 15)), model
        )
        for name in (f"b{at}" for at in range(buses))
        for phase, model in zip(phases[name], rng.permutation(["power", "current", "impedance"]), strict=False)
    ]
    loads += [
        Load("delta low", "low", "bc", 60.0, 20.0, "current"),
        Load("delta b0", "b0", "ab", 50.0, 30.0, "impedance"),
    ]
    phases["b0"] = "abc"
    first = line("line b0", ("reg", "b0"), random_z(rng, 3, 0.25))
    return Feeder(
        f"tree {seed}", "four", "source",
        tuple(FeederBus(name, 0.48 if name == "low" else 4.16, on) for name, on in phases.items()),
        lines=(first, *lines[1:]),
        transformers=(Transformer("transformer", "b0", "low", 500.0, 4.16, 0.48, "wye", "wye", 0.01, 0.04),),
        regulators=(Regulator("regulator", "source", "reg", ("a", "b", "c"), (1.025, 1.0125, 1.03125)),),
        loads=tuple(loads),
        capacitors=(Capacitor("capacitor", "b0", "a", 60.0), Capacitor("bank", "low", "ca", 30.0)),
    )  # fmt: skip


def three_wire(kw: float = 200.0) -> Feeder:
    """A small delta feeder at 4.8 kV: an open-delta regulator, three lines, loads between phases."""
    rng = np.random.default_rng(5)
    names = ("source", "r", "one", "two", "three")
    return Feeder(
        "delta", "three", "source", tuple(FeederBus(name, 4.8) for name in names),
        lines=(
            line("r-one", ("r", "one"), random_z(rng, 3, 0.4)),
            line("one-two", ("one", "two"), random_z(rng, 3, 0.5)),
            line("one-three", ("one", "three"), random_z(rng, 3, 0.6)),
        ),
        regulators=(Regulator("open delta", "source", "r", ("ab", "cb"), (1.0375, 1.01875)),),
        loads=(
            Load("two ab", "two", "ab", kw, kw / 2, "power"),
            Load("two bc", "two", "bc", kw / 2, kw / 4, "current"),
            Load("three ca", "three", "ca", kw, kw / 3, "impedance"),
            Load("one ca", "one", "ca", kw / 2, 0.0, "current"),
        ),
    )  # fmt: skip


def with_devices(feeder: Feeder, bus: str, phases: str = "abc", *, p_max_kw: float = 300.0) -> Feeder:
    """Add a generator and a data centre at ``bus``."""
    return replace(
        feeder,
        generators=(
            Generator("generator", bus, p_max_kw, phases, q_min_kvar=-100.0, q_max_kvar=100.0, cost_per_mwh=70.0,
                      slope_per_mw2h=20.0),
        ),
        centres=(DataCentre("centre", bus, 50.0, 1.0, 300.0, phases=phases),),
    )  # fmt: skip
