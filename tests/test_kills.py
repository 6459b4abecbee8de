"""Whatever part of the running product is killed: nothing acknowledged is lost, and jobs come to their end."""

from pathlib import Path

from tests.kills import campaign
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


def test_nothing_is_lost_beside_a_sqlite_file_either(tmp_path: Path) -> None:
    happened = campaign(tmp_path, f"sqlite:///{tmp_path / 'headroom.sqlite'}", ("everything", "job runner"), seed=3)
    assert [(one.part, one.job, one.attempts) for one in happened] == [
        ("everything", "done", 2),
        ("job runner", "cancelled", 1),  # it was asked to stop just before
    ]


def test_each_part_is_killed_once_beside_postgresql(tmp_path: Path, postgres_url: str) -> None:
    parts = ("everything", "job worker", "web server", "web worker", "job runner")
    happened = campaign(tmp_path, postgres_url, parts, seed=4)
    assert [(one.job, one.attempts) for one in happened] == [("done", attempts) for attempts in (2, 2, 1, 1, 2)]
