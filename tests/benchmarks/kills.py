"""Kill every part of the running product again and again: ``python -m tests.benchmarks.kills [ROUNDS]``.

Beside an SQLite file and beside PostgreSQL. Ends with an AssertionError as soon as anything acknowledged is lost.
"""

import os
import platform
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.kills import HOURS, PARTS, Killed, campaign
from tests.postgres import server

RESULT = Path(__file__).parent / "results" / "kills.md"
ROUNDS = 6
_SEED = 20


def order(rounds: int) -> tuple[str, ...]:
    """Return every part once in each round, each round in an order of its own."""
    dice = np.random.default_rng(_SEED)
    return tuple(str(part) for _ in range(rounds) for part in dice.permutation(PARTS))


def row(database: str, part: str, happened: list[Killed]) -> str:
    """Return one line of the table."""
    those = [one for one in happened if one.part == part]
    gaps = [one.unanswered_s for one in those]
    ended = {state: sum(one.job == state for one in those) for state in ("done", "cancelled")}
    again = sum(one.attempts > 1 for one in those)
    return (
        f"| {database} | {part} | {len(those)} | {sum(one.acknowledged for one in those):,} | 0 "
        f"| {statistics.median(gaps):.1f} ({max(gaps):.1f}) | {ended['done']} | {ended['cancelled']} | {again} |"
    )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    parts = order(rounds)
    lines = [
        "# What is lost when parts of the product are killed",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores ({platform.machine()}), load "
        f"{os.getloadavg()[0]:.1f} at the start: {len(parts)} times SIGKILL beside each database, seed {_SEED}. Two "
        f"readers write all the time; at each kill a job computes the margins of Texas from {HOURS} hours. Lost: "
        "writes that were acknowledged and are not there afterwards. Not served: the longest time "
        "between two acknowledged writes, median (worst). A job that was taken over gives what an undisturbed one "
        "gives.",
        "",
        "| database | killed | times | writes acknowledged | lost | not served, s | jobs done | cancelled "
        "| taken over |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        happened = campaign(folder, f"sqlite:///{folder / 'headroom.sqlite'}", parts, _SEED)
        lines += [row("SQLite", part, happened) for part in PARTS]
    with tempfile.TemporaryDirectory() as home, server() as url:
        happened = campaign(Path(home), url, parts, _SEED + 1)
        lines += [row("PostgreSQL", part, happened) for part in PARTS]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
