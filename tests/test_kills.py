"""Whatever part of the running product is killed: nothing acknowledged is lost, and jobs come to their end."""

from pathlib import Path

from tests.kills import PARTS, campaign
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


def test_each_part_is_killed_once_beside_a_sqlite_file(tmp_path: Path) -> None:
    happened = campaign(tmp_path, f"sqlite:///{tmp_path / 'headroom.sqlite'}", PARTS, seed=3)
    assert [(one.part, one.job, one.attempts) for one in happened] == [
        ("web worker", "done", 1),
        ("web server", "done", 1),
        ("job worker", "done", 2),  # taken over by another process
        ("job runner", "cancelled", 1),  # it was asked to stop just before
        ("everything", "done", 2),
    ]


def test_each_part_is_killed_once_beside_postgresql(tmp_path: Path, postgres_url: str) -> None:
    parts = ("everything", "job worker", "web server", "web worker", "job runner")
    happened = campaign(tmp_path, postgres_url, parts, seed=4)
    assert [(one.job, one.attempts) for one in happened] == [("done", attempts) for attempts in (2, 2, 1, 1, 2)]
