"""What the theory costs at 60 bidders and 60 products, and that it holds in thousands of random markets.

    python -m tests.benchmarks.auction_theory            writes results/auction_theory.md with its date, about a minute
    python -m tests.benchmarks.auction_theory --quick    a tenth of the random markets, writes nothing

Times are processor time of the one process that computes, so that other work on the machine does not count; each is
the least of three. Values are drawn as in the tests; bots bid straightforwardly by an increment of 3.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.auction.certificate import certificate, market_of
from engine.auction.demand import best_bundle
from engine.auction.equilibrium import check_equilibrium, outcome_of, rounds_bound
from engine.auction.rules import Increment, Rules
from engine.auction.simulate import run
from engine.auction.templates import Seat
from engine.auction.values import Valuation, from_json
from engine.auction.vcg import payments
from tests.engine.auction.markets import configuration, draw

RESULT = Path(__file__).parent / "results" / "auction_theory.md"
BIDDERS, LOTS, LICENCES, MARKETS = 60, 60, 1614, 1000
SUBSTITUTES = ["additive", "symmetric", "unit demand"]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """The least processor time of three in milliseconds, and what came out."""
    least, found = np.inf, None
    for _ in range(3):
        begun = time.process_time()
        found = work()
        least = min(least, time.process_time() - begun)
    return 1000 * least, found


def at_size(kind: str) -> str:
    """One row: what values alone decide, the final certificate and VCG payments."""
    rng = np.random.default_rng(0)
    market = replace(configuration([1] * LOTS), rules=Rules(preset="Own", increment=Increment(amount=3)))
    contents = []
    for _ in range(BIDDERS):
        drawn = draw(str(rng.choice(SUBSTITUTES)) if kind == "mixed substitutes" else kind, market.lots, rng)
        contents.append(drawn | {"counted": "at each bus"} if kind == "campus" else drawn)
    played = run(market, [Seat(f"B{k}", content, "", 10**6, 0) for k, content in enumerate(contents)])
    valuations = [from_json(content, market) for content in contents]
    events = [entry.event for entry in played.entries]
    once, decided = timed(lambda: market_of(market, valuations))
    each, found = timed(lambda: certificate(played.state, events=events, market=decided))
    vickrey, _ = timed(lambda: payments(valuations, market))
    rounds = len(played.state.rounds)
    return f"| {kind} | {rounds} | {once:.1f} | {each:.1f} | {vickrey:.0f} | {found.badge} |"


def demand(kind: str) -> str:
    """One row: demand over as many licences as Auction 97 had."""
    rng = np.random.default_rng(0)
    market = configuration([1] * LICENCES)
    valuation, prices = from_json(draw(kind, market.lots, rng), market), rng.integers(1, 30, LICENCES)
    return f"| {kind} | {timed(lambda: best_bundle(valuation, prices))[0]:.2f} |"


def random_markets(number: int) -> str:
    """Auctions of substitutes by the public rules, a third with equal blocks: how many break what the theory says."""
    rng = np.random.default_rng(1)
    broken, lost = 0, 0
    for case in range(number):
        market = configuration([1] * int(rng.integers(2, 7)) if case % 3 else [2, 1, 3])
        rules = Rules(preset="Own", increment=Increment(amount=int(rng.integers(1, 7))))
        market = replace(market, rules=rules, seed=case)
        contents = [draw(str(kind), market.lots, rng) for kind in rng.choice(SUBSTITUTES, int(rng.integers(2, 6)))]
        played = run(market, [Seat(f"B{k}", content, "", 10**6, 0) for k, content in enumerate(contents)])
        valuations: list[Valuation] = [from_json(content, market) for content in contents]
        found = check_equilibrium(valuations, outcome_of(played.state))
        kept = found.holds and found.loss <= found.tighter_bound + 1e-9 <= found.bound + 2e-9
        broken += not (kept and len(played.state.rounds) <= rounds_bound(valuations, market))
        lost += found.loss > 0
    return (
        f"{number} random markets of additive, symmetric and unit-demand bidders, by the public rules: {broken} where "
        "(7a), (7b) under (8), bound (9), the tighter bound or the bound on rounds does not hold; "
        f"{lost} with a loss of welfare at all."
    )


def main(arguments: list[str]) -> int:
    """Print the tables, and write them unless quick."""
    quick = "--quick" in arguments
    lines = [
        f"# Theory of the auction, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores",
        "",
        f"{BIDDERS} bidders, {LOTS} products, milliseconds of processor time. Once: optimum, bound of linear prices, "
        "substitutes. Each: the certificate of the last round with all premises of all rounds.",
        "",
        "| values | rounds | once | each | VCG | badge |",
        "|---|---|---|---|---|---|",
        *(at_size(kind) for kind in ("additive", "symmetric", "mixed substitutes", "campus")),
        "",
        f"Demand over {LICENCES} licences, milliseconds:",
        "",
        "| values | one bidder |",
        "|---|---|",
        *(demand(kind) for kind in SUBSTITUTES),
        "",
        random_markets(MARKETS // 10 if quick else MARKETS),
        "",
    ]
    print("\n".join(lines))
    if not quick:
        RESULT.write_text("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
