"""A process of its own in which OpenDSS makes a circuit from commands: a bad one must not take the server along.

Run as ``python -P dss_child.py``. Standard input is a JSON list of commands; it prints the circuit's elements as JSON.
It imports nothing of the product, may write no file, and has limits of memory and time.
"""

import json
import os
import resource
import sys
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: each of its threads reserves memory

import numpy as np
import opendssdirect

MEMORY_BYTES = 2_500_000_000
CPU_S = 30


def limit() -> None:
    """Set the limits of this process, where the system knows them."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # as macOS does for memory
            continue


def circuit(engine: Any, commands: list[str]) -> dict[str, Any]:
    """Return the elements of the circuit that ``commands`` make."""
    for command in commands:
        engine.Text.Command(command)
    engine.Text.Command("set controlmode=off")
    engine.Solution.BuildYMatrix(1, 0)
    found: dict[str, Any] = {"elements": [], "controls": [], "load_multiplier": float(engine.Solution.LoadMult())}
    for name in engine.Circuit.AllElementNames():
        engine.Circuit.SetActiveElement(name)
        if engine.CktElement.Enabled():
            kind = name.split(".")[0].lower()
            found["elements"].append(element(engine, kind, name))
    for name in names(engine.RegControls):
        engine.RegControls.Name(name)
        found["controls"].append(control(engine))
    return found


def names(group: Any) -> list[str]:
    """Return the names of a group of elements: an empty group says "none"."""
    return [name for name in group.AllNames() if name.lower() != "none"] if group.Count() else []


def element(engine: Any, kind: str, name: str) -> dict[str, Any]:
    """Return what is asked of one element: its ends, and properties as the engine shows them."""
    held: dict[str, Any] = {
        "kind": kind,
        "name": name.split(".", 1)[1],
        "buses": list(engine.CktElement.BusNames()),
        "nodes": [int(node) for node in engine.CktElement.NodeOrder()],
        "conductors": int(engine.CktElement.NumConductors()),
        "phases": int(engine.CktElement.NumPhases()),
    }
    if kind == "line":
        held |= line(engine, name)
    elif kind == "transformer":
        held |= transformer(engine, held["name"])
    else:
        held["properties"] = {prop.lower(): engine.Properties.Value(prop) for prop in PROPERTIES.get(kind, ())}
    return held


PROPERTIES = {
    "vsource": ("basekv", "pu", "angle", "R1", "X1", "R0", "X0"),
    "load": ("kV", "kW", "kvar", "model", "conn", "vminpu", "vmaxpu", "zipv"),
    "capacitor": ("kv", "kvar", "conn", "states"),
    "generator": ("kV", "kW", "kvar", "conn"),
}


def line(engine: Any, name: str) -> dict[str, Any]:
    """Return a line's admittance matrix, whether it is a switch, and whether it is open."""
    engine.Circuit.SetActiveElement(name)
    size = 2 * int(engine.CktElement.NumConductors())
    matrix = np.asarray(engine.CktElement.YPrim(), dtype=np.float64).reshape(-1, 2)
    opened = any(engine.CktElement.IsOpen(terminal, 0) for terminal in (1, 2))
    engine.Lines.Name(name.split(".", 1)[1])
    switch = bool(engine.Lines.IsSwitch())
    return {"size": size, "real": matrix[:, 0].tolist(), "imaginary": matrix[:, 1].tolist(), "open": opened,
            "switch": switch, "ampere": float(engine.Lines.NormAmps())}  # fmt: skip


def transformer(engine: Any, name: str) -> dict[str, Any]:
    """Return a transformer's windings."""
    engine.Transformers.Name(name)
    count = int(engine.Transformers.NumWindings())
    windings = []
    for winding in range(1, count + 1):
        engine.Transformers.Wdg(winding)
        windings.append({
            "kv": float(engine.Transformers.kV()), "kva": float(engine.Transformers.kVA()),
            "r": float(engine.Transformers.R()), "tap": float(engine.Transformers.Tap()),
            "delta": bool(engine.Transformers.IsDelta()),
        })  # fmt: skip
    return {"windings": windings, "xhl": float(engine.Transformers.Xhl())}


def control(engine: Any) -> dict[str, Any]:
    """Return a regulator's control."""
    group = engine.RegControls
    held = {"transformer": group.Transformer().lower(), "winding": int(group.Winding()),
            "level": float(group.ForwardVreg()), "band": float(group.ForwardBand()), "pt": float(group.PTRatio()),
            "ct": float(group.CTPrimary()), "r": float(group.ForwardR()), "x": float(group.ForwardX())}  # fmt: skip
    engine.Circuit.SetActiveElement(f"regcontrol.{group.Name()}")
    return held | {"phase": str(engine.Properties.Value("PTPhase"))}


def main() -> int:
    """Make the circuit of standard input; print its elements, or an object with a refusal."""
    limit()
    commands = json.load(sys.stdin)
    engine: Any = opendssdirect
    engine.Basic.AllowForms(False)
    engine.Basic.AllowEditor(False)
    engine.Basic.AllowDOScmd(False)
    engine.Basic.AllowChangeDir(False)
    try:
        answer = circuit(engine, commands)
    except Exception as error:  # noqa: BLE001 - whatever the engine makes of a bad script
        answer = {"refusal": str(error.args[-1] if error.args else error)[:300]}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
