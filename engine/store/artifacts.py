"""A directory of computed files under names that say what they were computed from.

It is a cache: the oldest files go when it is full, each host can compute them again, and nothing that a
user made is ever only here.
"""

import os
import re
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LimitError

DEFAULT_CAPACITY_BYTES = 4_000_000_000
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}", re.ASCII)  # no separator: a key cannot leave the directory
_PARTIAL = ".partial-"  # no key starts with a dot
_IDENTITY = ".identity"
_PARTIAL_AGE_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The files of one cache directory; processes may share it."""

    directory: Path
    capacity_bytes: int = DEFAULT_CAPACITY_BYTES

    def save(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``; a key that is there keeps the file it has.

        A reader sees the whole file or none. Raises ValueError on a key that is not a plain name, LimitError
        on a file larger than the whole cache.
        """
        if self.open(key) is None:
            self.replace(key, content)

    def replace(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``, in the place of what is there: for what is known while something computes.

        Raises as :meth:`save`. Who reads the earlier file goes on reading it.
        """
        path = self._path(key)
        if len(content) > self.capacity_bytes:
            raise LimitError(f"artefact {key} has {len(content):,} bytes; the cache holds {self.capacity_bytes:,}")
        self.directory.mkdir(parents=True, exist_ok=True)
        partial = self.directory / f"{_PARTIAL}{secrets.token_hex(8)}"
        try:
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut can leave the name with half of the content
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._evict(keep=path)

    def open(self, key: str) -> Path | None:
        """Return the file of ``key`` and mark it as used now; None when it is not there (any more)."""
        path = self._path(key)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def read(self, key: str) -> bytes | None:
        """Return the content of ``key``, None when it is not there."""
        path = self.open(key)
        try:
            return None if path is None else path.read_bytes()
        except FileNotFoundError:  # evicted since
            return None

    def has(self, keys: Iterable[str]) -> bool:
        """Return whether every one of ``keys`` is there."""
        return all(self.open(key) is not None for key in keys)

    def identity(self) -> str:
        """Return a name of this directory, made on first use: processes that share it have the same."""
        path = self.directory / _IDENTITY
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            partial = self.directory / f"{_PARTIAL}{secrets.token_hex(8)}"
            partial.write_text(secrets.token_hex(16), encoding="ascii")
            with suppress(FileExistsError):  # another process was first: its name counts
                path.hardlink_to(partial)
            partial.unlink()
        return path.read_text(encoding="ascii")

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key[:80]!r} is not a name for an artefact")
        return self.directory / key

    def _evict(self, keep: Path) -> None:
        """Remove the files used longest ago until the rest fits, and what a crash left half written."""
        found = []
        for path in self.directory.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.name.startswith(_PARTIAL):
                if time.time() - status.st_mtime > _PARTIAL_AGE_S:
                    path.unlink(missing_ok=True)
            elif _KEY.fullmatch(path.name):
                found.append((status.st_mtime_ns, status.st_size, path))
        surplus = sum(size for _, size, _ in found) - self.capacity_bytes
        for _, size, path in sorted(found):
            if surplus <= 0:
                return
            if path != keep:
                path.unlink(missing_ok=True)
                surplus -= size
