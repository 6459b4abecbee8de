"""PyPSA networks made by hand, their folders of files, and the flows that PyPSA's own lpf and ours give them."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

with warnings.catch_warnings():  # those of its imports
    warnings.simplefilter("ignore")
    import pypsa as pypsa_itself

from engine.network.factors import Factors
from engine.network.imported import Imported
from engine.network.model import Network
from engine.network.tables import NetworkTables


def flows(tables: NetworkTables) -> dict[str, float]:
    network = Network.from_tables(tables)
    made = Factors.of(network).flows(network.injection_mw)
    return dict(zip(network.branches.ids, made.tolist(), strict=True))


def told(found: Imported) -> str:
    return "; ".join(problem.message for problem in found.problems)


def folder(net: Any, path: Path) -> dict[str, bytes]:
    net.export_to_csv_folder(path)
    return {file.name: file.read_bytes() for file in path.iterdir()}


def lpf(net: Any, snapshot: int = 0) -> dict[str, float]:
    net.lpf()
    return {**net.lines_t.p0.iloc[snapshot].to_dict(), **net.transformers_t.p0.iloc[snapshot].to_dict()}


def europe() -> Any:
    """An AC area of five buses with every element, a second AC area behind a DC link, a DC bus and hydrogen."""
    net = pypsa_itself.Network(name="Small Europe")
    net.set_snapshots(["2013-01-01 00:00", "2013-01-01 01:00"])
    for carrier in ("AC", "DC", "onwind", "CCGT", "H2", "PHS"):
        net.add("Carrier", carrier)
    for at, (volts, x, y) in enumerate(
        [(380, 9.0, 50.0), (380, 10.0, 50.5), (380, 9.5, 51.0), (220, 9.6, 51.1), (220, 10.2, 50.4)]
    ):
        net.add("Bus", f"Bus {at}", v_nom=volts, x=x, y=y, v_mag_pu_min=0.95)
    net.add("Bus", "Island", v_nom=380, x=14.0, y=40.0)
    net.add("Bus", "Coast", v_nom=380, x=14.5, y=40.0)
    net.add("Bus", "Converter", v_nom=320, carrier="DC")
    net.add("Bus", "Gas", carrier="H2")
    net.add("Line", "0-1", bus0="Bus 0", bus1="Bus 1", x=20.0, r=2.0, s_nom=500, s_max_pu=0.7)
    net.add(
        "Line",
        "1-2",
        bus0="Bus 1",
        bus1="Bus 2",
        type="Al/St 240/40 4-bundle 380.0",
        length=60,
        num_parallel=2,
        s_nom=900,
    )
    net.add("Line", "0-2", bus0="Bus 0", bus1="Bus 2", x=35.0)
    net.add("Line", "off", bus0="Bus 0", bus1="Bus 2", x=35.0, active=False)
    net.add("Line", "3-4", bus0="Bus 3", bus1="Bus 4", x=15.0, s_nom=100, s_nom_extendable=True, s_nom_opt=250)
    net.add("Line", "far", bus0="Island", bus1="Coast", x=15.0, s_nom=100)
    net.add(
        "Transformer", "2-3", bus0="Bus 2", bus1="Bus 3", x=0.12, r=0.01, g=0.002, b=-0.02, s_nom=400, tap_ratio=1.04
    )
    net.add(
        "Transformer", "1-4", bus0="Bus 1", bus1="Bus 4", x=0.1, s_nom=300, phase_shift=4.0, model="pi", tap_ratio=0.98
    )
    net.add("Transformer", "typed", bus0="Bus 1", bus1="Bus 4", type="160 MVA 380/110 kV", tap_position=-3)
    net.add("Load", "town", bus="Bus 1", p_set=[120.0, 90.0], q_set=10)
    net.add("Load", "mill", bus="Bus 4", p_set=80.0)
    net.add("Load", "shop", bus="Coast", p_set=40.0)
    net.add("Generator", "wind", bus="Bus 0", carrier="onwind", p_nom=200, p_max_pu=[0.5, 0.9], p_set=[90.0, 150.0])
    net.add("Generator", "gas", bus="Bus 3", carrier="CCGT", p_nom=300, p_min_pu=0.2, marginal_cost=60.0,
            control="Slack", marginal_cost_quadratic=0.02, start_up_cost=900.0)  # fmt: skip
    net.add("Generator", "far gas", bus="Island", carrier="CCGT", p_nom=100)
    net.add("StorageUnit", "lake", bus="Bus 2", carrier="PHS", p_nom=50, p_set=-20.0)
    net.add("Store", "tank", bus="Bus 4", p_set=5.0)
    net.add("ShuntImpedance", "coil", bus="Bus 2", g=1e-5, b=-1e-4)
    net.add("Link", "cable", bus0="Bus 0", bus1="Coast", p_nom=100, p_set=30.0, efficiency=0.95)
    net.add("Link", "electrolyser", bus0="Bus 4", bus1="Gas", p_nom=20, p_set=7.0, efficiency=0.6)
    net.add("Link", "dc", bus0="Converter", bus1="Bus 3", p_nom=20, p_set=4.0)
    return net


def day() -> Any:
    """Two buses and a DC bus over a day of hours; loads of the AC network that vary, stand still, feed in, are off."""
    net = pypsa_itself.Network(snapshots=pd.date_range("2013-03-30", periods=24, freq="h"))
    for bus, carrier in (("a", "AC"), ("b", "AC"), ("far", "DC")):
        net.add("Bus", bus, v_nom=100.0, carrier=carrier)
    net.add("Line", "l", bus0="a", bus1="b", x=10.0, s_nom=100)
    net.add("Generator", "g", bus="a", p_nom=200)
    hours = np.arange(24)
    net.add("Load", "evening", bus="b", p_set=60 + 30 * np.cos((hours - 19) * np.pi / 12))
    net.add("Load", "steady", bus="a", p_set=7.0)
    net.add("Load", "sun", bus="b", sign=1.0, p_set=np.maximum(0.0, 40 * np.cos((hours - 12) * np.pi / 12)))
    net.add("Load", "off", bus="b", active=False, p_set=900.0 * (hours == 3))
    net.add("Load", "converter", bus="far", p_set=900.0 * (hours == 4))
    return net


def odd() -> Any:
    """Parallel lines, taps on either side, links with three ends and with series, signs turned round, things off."""
    net = pypsa_itself.Network(snapshots=range(3))
    for at, volts in enumerate([380, 380, 220, 220]):
        net.add("Bus", f"b{at}", v_nom=volts)
    net.add("Bus", "heat", carrier="heat")
    for name, ends, x in (("one", (0, 1), 10.0), ("two", (0, 1), 30.0), ("back", (1, 0), 20.0), ("low", (2, 3), 9.0)):
        net.add("Line", name, bus0=f"b{ends[0]}", bus1=f"b{ends[1]}", x=x, r=1.0, s_nom=100)
    for name, ends, side in (("high tap", (0, 2), 0), ("low tap", (1, 3), 1)):
        net.add("Transformer", name, bus0=f"b{ends[0]}", bus1=f"b{ends[1]}", x=0.1, s_nom=250, tap_ratio=1.06,
                tap_side=side, phase_shift=-3.0, model="t")  # fmt: skip
    net.add("Transformer", "off", bus0="b0", bus1="b3", x=0.1, s_nom=250, active=False)
    net.add("Generator", "g", bus="b0", p_nom=400, p_set=[50.0, 60.0, 70.0])
    net.add("Generator", "pump", bus="b3", sign=-1.0, p_nom=20, p_set=11.0)
    net.add("Generator", "gone", bus="b3", p_nom=20, p_set=15.0, active=False)
    net.add("Load", "town", bus="b2", p_set=[80.0, 95.0, 70.0])
    net.add("Load", "house", bus="b3", sign=1.0, p_set=[5.0, 6.0, 7.0])
    net.add("Link", "boiler", bus0="b3", bus1="heat", bus2="b1", efficiency=0.7, efficiency2=0.2, p_nom=50,
            p_set=[20.0, 10.0, 30.0])  # fmt: skip
    net.add("Link", "idle", bus0="b3", bus1="b1", p_nom=50, p_set=30.0, active=False)
    net.add("StorageUnit", "battery", bus="b1", sign=-1.0, p_nom=9, p_set=[4.0, -3.0, 0.0])
    net.add("Store", "tank", bus="b2", p_set=[-6.0, 2.0, 0.0])
    net.add("ShuntImpedance", "resistor", bus="b1", g=2e-5)
    net.add("ShuntImpedance", "none", bus="b1", g=2e-5, active=False)
    return net
