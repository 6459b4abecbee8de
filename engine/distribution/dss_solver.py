"""A process of its own in which OpenDSS solves circuits, one after the other, in its one thread.

Run as ``python -P dss_solver.py`` by :mod:`engine.distribution.dss_process`. Each line of standard input is a JSON
object: the ``commands`` that make and solve a circuit, the ``elements`` whose currents are asked for, the
``transformers`` whose taps are. Each line of standard output is what was found. It imports nothing of the product,
and may write no file.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: each of its threads reserves memory

import opendssdirect

MEMORY_BYTES = 4_000_000_000


def engine() -> Any:
    """Return the engine's context, which opens no window, runs no program and stays in its folder."""
    made: Any = opendssdirect.NewContext()
    made.Basic.AllowForms(False)
    made.Basic.AllowEditor(False)
    made.Basic.AllowDOScmd(False)
    made.Basic.AllowChangeDir(False)
    return made


def answer(dss: Any, asked: dict[str, list[str]]) -> dict[str, Any]:
    """Return the solution of a circuit, or an object with a refusal."""
    try:
        dss.Text.Commands(asked["commands"])
        return solution(dss, asked)
    except opendssdirect.DSSException as error:
        return {"refusal": str(error.args[-1])[:300]}
    finally:
        dss.Basic.ClearAll()


def solution(dss: Any, asked: dict[str, list[str]]) -> dict[str, Any]:
    """Return what the engine holds after its last command; complex numbers as real, imaginary, real, ..."""
    found = {"converged": bool(dss.Solution.Converged()), "iterations": int(dss.Solution.Iterations())}
    if not found["converged"]:
        return found
    dss.Circuit.SetActiveElement("vsource.source")
    return found | {
        "source_kva": [float(part) for part in dss.CktElement.Powers()],
        "nodes": list(dss.Circuit.AllNodeNames()),
        "volts": [float(part) for part in dss.Circuit.AllBusVolts()],
        "elements": [element(dss, name) for name in asked["elements"]],
        "taps": [tap(dss, name) for name in asked["transformers"]],
    }


def element(dss: Any, name: str) -> dict[str, Any]:
    """Return the currents into an element, by conductor of each of its ends, and the nodes that these are at."""
    dss.Circuit.SetActiveElement(name)
    return {
        "amperes": [float(part) for part in dss.CktElement.Currents()],
        "nodes": [int(node) for node in dss.CktElement.NodeOrder()],
        "conductors": int(dss.CktElement.NumConductors()),
    }


def tap(dss: Any, name: str) -> float:
    """Return the tap of a transformer's second winding."""
    dss.Transformers.Name(name)
    dss.Transformers.Wdg(2)
    return float(dss.Transformers.Tap())


def main() -> int:
    """Solve what comes until nothing comes any more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # as macOS does
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    dss = engine()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(dss, json.loads(line))) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
