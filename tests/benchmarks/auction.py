"""The auction engine at the size of FCC Auction 97: 70 bidders, 1,614 licences, 341 rounds.

    python -m tests.benchmarks.auction            writes results/auction.md with its date, under a minute
    python -m tests.benchmarks.auction --quick    a tenth of the lots, writes nothing

Two bidders want each lot, with values that 142 to 345 rounds of increments reach, so that there are 341 rounds with
1,000 bids each on average. All bidders are straightforward bots; rules are the FCC preset's with increments of 1 to
2 %, which is what makes so many rounds. Times are processor time of the one process that computes, so that other work
on the machine does not count; alone on the machine they are the clock's.
"""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.auction import simulate
from engine.auction.closing import round_closed
from engine.auction.ledger import Entry, replay, verify
from engine.auction.presets import FCC
from engine.auction.results import result_files, state_digest
from engine.auction.rules import Configuration, Lot
from engine.auction.signing import read_file, to_file
from engine.auction.state import AuctionState
from engine.auction.templates import Seat
from engine.auction.transitions import apply

RESULT = Path(__file__).parent / "results" / "auction.md"
BIDDERS, LOTS, OPENING = 70, 1614, 1000
FEWEST, MOST = 142, 346  # rounds of increments that a value may reach
CLOSE_S, PLAY_S, REPLAY_S = 0.2, 30.0, 10.0
Row = tuple[str, str, str]  # step, figure, limit


def market(lots: int, seed: int = 0) -> tuple[Configuration, list[Seat]]:
    """An auction of so many lots, and the seats of its bidders."""
    rng = np.random.default_rng(seed)
    rules = replace(
        FCC,
        increment=replace(FCC.increment, floor=0.01, ceiling=0.02),
        activity=replace(FCC.activity, quiet_rounds=0),
        information="full",
    )
    products = tuple(Lot(f"{k + 1}", f"Licence {k + 1}", 10.0, 0.0, "", 10, OPENING) for k in range(lots))
    values: list[dict[str, int]] = [{} for _ in range(BIDDERS)]
    for lot in products:
        for bidder in rng.choice(BIDDERS, 2, replace=False):
            rounds = rng.integers(FEWEST, MOST)
            values[bidder][lot.id] = int(OPENING * 1.02**rounds)
    seats = [
        Seat(f"Bidder {k + 1}", {"kind": "additive", "values": own}, "straightforward", 10 * len(own), 0)
        for k, own in enumerate(values)
    ]
    return Configuration(f"{lots} licences", products, rules, seed=seed), seats


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def closings(entries: tuple[Entry, ...]) -> tuple[list[float], list[float]]:
    """How long each round took to close (finding the ties and applying the event), and each other event to apply."""
    state: AuctionState | None = None
    close, other = [], []
    for entry in entries:
        start = time.process_time()
        if state is not None and entry.event.kind == "round closed":
            assert round_closed(state, entry.event.at).data["tie_numbers"] == entry.event.data["tie_numbers"]
        state = apply(state, entry.event)
        (close if entry.event.kind == "round closed" else other).append(time.process_time() - start)
    return close, other


def measure(lots: int) -> list[Row]:
    configuration, seats = market(lots)
    play_s, run = timed(lambda: simulate.run(configuration, seats))
    entries, state = run.entries, run.state
    bids = sum(len(acted.bids) for result in state.rounds for acted in result.acted.values())
    gc.freeze()  # else one pass of the collector over this ledger is counted as a round's: a server has it in a table
    close, other = closings(entries)
    write_s, data = timed(lambda: to_file(entries, None))
    read_s, (again, _) = timed(lambda: read_file(data))
    verify_s, _ = timed(lambda: verify(again))
    replay_s, replayed = timed(lambda: replay(again))
    assert state_digest(replayed) == state_digest(state)
    files_s, files = timed(lambda: result_files(again, replayed))
    total_s = read_s + verify_s + replay_s
    rounds = len(state.rounds)
    return [
        ("rounds played, bids in all, bids a round", f"{rounds}, {bids:,}, {bids / rounds:,.0f}", ""),
        (f"{rounds} rounds with bots, ledger included", f"{play_s:.1f} s", f"{PLAY_S:g} s"),
        ("a round closes: ties, standing bids, activity (mean)", f"{1e3 * np.mean(close):.1f} ms", ""),
        ("a round closes (slowest)", f"{1e3 * max(close):.1f} ms", f"{1e3 * CLOSE_S:g} ms"),
        ("a bidder's set of bids is checked and taken (mean)", f"{1e3 * np.mean(other):.2f} ms", ""),
        ("replay of the ledger: read, hashes, every event", f"{total_s:.1f} s", f"{REPLAY_S:g} s"),
        ("of it: read, hashes, events", f"{read_s:.1f} s, {verify_s:.1f} s, {replay_s:.1f} s", ""),
        ("the same state bit for bit", "yes", "yes"),
        ("ledger as a file", f"{len(data) / 1e6:.0f} MB, written in {write_s:.1f} s", ""),
        ("result files", f"{sum(map(len, files.values())) / 1e6:.0f} MB in {files_s:.1f} s", ""),
        ("peak memory of the process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB", ""),
    ]


def main() -> None:
    quick = "--quick" in sys.argv
    load_before = os.getloadavg()[0]
    rows = measure(LOTS // 10 if quick else LOTS)
    lines = [
        "# Auction engine",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, load {load_before:.1f} at the start; "
        f"processor time of one core; {BIDDERS} bidders, {LOTS:,} lots, the size of FCC Auction 97.",
        "",
        "| step | figure | limit |",
        "|---|---|---|",
        *(f"| {step} | {figure} | {limit} |" for step, figure, limit in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
