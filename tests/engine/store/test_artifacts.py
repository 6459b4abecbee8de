"""The cache of computed files."""

import os
import threading
from pathlib import Path

import pytest

from engine.errors import LimitError
from engine.store import Artifacts


def test_a_file_comes_back_and_an_existing_key_keeps_it(artifacts: Artifacts) -> None:
    assert artifacts.open("a.npz") is None
    assert artifacts.read("a.npz") is None
    artifacts.save("a.npz", b"first")
    artifacts.save("a.npz", b"second")
    assert artifacts.read("a.npz") == b"first"
    path = artifacts.open("a.npz")
    assert path is not None
    assert path.read_bytes() == b"first"
    assert artifacts.has(["a.npz"])
    assert not artifacts.has(["a.npz", "b.npz"])


@pytest.mark.parametrize(
    "key", ["", "..", "../x", "a/b", "a\\b", "/etc/passwd", ".identity", "a\x00b", "a\n", "ä", "x" * 152, "C:x"]
)
def test_no_key_leaves_the_directory(key: str, artifacts: Artifacts, tmp_path: Path) -> None:
    for method in (artifacts.open, artifacts.read, lambda name: artifacts.save(name, b"x")):
        with pytest.raises(ValueError, match="not a name for an artefact"):
            method(key)
    assert list(tmp_path.iterdir()) == []


def test_the_files_used_longest_ago_go_first(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "cache", 30)
    for age, key in ((300, "old"), (200, "used"), (100, "young")):
        artifacts.save(key, b"x" * 10)
        os.utime(artifacts.directory / key, (1e9 - age, 1e9 - age))
    assert artifacts.open("used") is not None
    artifacts.save("new", b"x" * 15)
    assert [key for key in ("old", "used", "young", "new") if artifacts.open(key)] == ["used", "new"]


def test_a_file_larger_than_the_cache_is_refused(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "cache", 10)
    with pytest.raises(LimitError, match="11 bytes; the cache holds 10"):
        artifacts.save("big", b"x" * 11)


def test_what_a_crash_left_half_written_is_no_file_and_is_cleaned_up(artifacts: Artifacts) -> None:
    artifacts.save("a", b"x")
    left, fresh = artifacts.directory / ".partial-1", artifacts.directory / ".partial-2"
    left.write_bytes(b"half")
    fresh.write_bytes(b"being written")
    os.utime(left, (1e9, 1e9))
    artifacts.save("b", b"x")
    assert not left.exists()
    assert fresh.exists()


def test_a_directory_has_one_identity_for_all_who_share_it(tmp_path: Path) -> None:
    found: list[str] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(Artifacts(tmp_path / "cache").identity())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert Artifacts(tmp_path / "other").identity() != found[0]


def test_readers_see_whole_files_while_others_write(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "cache")
    content = os.urandom(2_000_000)
    seen: list[bytes | None] = []

    def look() -> None:
        while not seen or seen[-1] is None:
            seen.append(artifacts.read("big"))

    reader = threading.Thread(target=look)
    reader.start()
    artifacts.save("big", content)
    reader.join()
    assert seen[-1] == content


def test_what_is_known_so_far_is_replaced_and_its_reader_keeps_what_was_read(artifacts: Artifacts) -> None:
    artifacts.replace("partial", b"first")
    path = artifacts.open("partial")
    assert path is not None
    with path.open("rb") as reader:
        artifacts.replace("partial", b"second")
        assert reader.read() == b"first"
    assert artifacts.read("partial") == b"second"
