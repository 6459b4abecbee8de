"""The Siting page on Texas: its opening answer, and how soon it is ranked and drawn again.

    python -m tests.benchmarks.siting_page

The verdicts are those that come with the program; the market's figures are drawn at random, of as many sites as a
market of the opening question has: what is measured is ranking and drawing, which do not depend on the figures.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from callbacks.services import Services
from callbacks.siting_desk import Desk
from components import siting_layers, siting_overview, siting_tables, siting_totals
from components.siting_answer import Answer, Drawn, Gate
from engine.commitment.outcome import End
from engine.network.library import load
from engine.network.model import Network
from engine.siting.defaults import starting_market, starting_question
from engine.siting.market import Placement, SiteMarket
from engine.siting.market_days import DayMarket
from engine.siting.market_run import MarketRun
from engine.siting.metrics import HourlyMarket
from engine.siting.ranking import metric_criteria, rank

RESULTS = Path(__file__).parent / "results" / "siting_page.md"
USER = "anne"
ALTERNATIVES, TIMES = 1000, 9
RANK_MS, DRAW_MS, OPEN_S = 50.0, 300.0, 60.0
Row = tuple[str, str, str]


def median_ms(act: Callable[[int], object]) -> str:
    """Return the median time of an act, by the clock and of the processor."""
    act(-1)
    taken = []
    for turn in range(TIMES):
        start, spent = time.perf_counter(), time.process_time()
        act(turn)
        taken.append((time.perf_counter() - start, time.process_time() - spent))
    clock, processor = 1000.0 * np.median(taken, axis=0)
    return f"{clock:.1f} ms, {processor:.1f} ms of the processor"


def market_of(network: Network, gate: Gate) -> MarketRun:
    """Return a market of random figures for the sites that the opening question would take to market."""
    rng, question = np.random.default_rng(0), starting_market(network)
    buses = len(network.buses.ids)

    def site(placement: Placement | None) -> SiteMarket:
        hourly = HourlyMarket(*rng.random((5, 24)))
        day = DayMarket(End.WITHIN_GAP, "", hourly, rng.random(), 1.0, 1.0, 1e-5, 0.1)
        return SiteMarket(placement, (day,), rng.random((3, 5)), rng.random(buses))

    places = []
    for own in gate.result.envelopes:
        for size in question.sizes_of(gate.result.sizes_mw):
            passed = gate.buses[gate.verdict(own.name, size, 0.95) == 1]
            places += [Placement(bus, own, size) for bus in passed[: question.most_sites or None].tolist()]
    facts = {
        "days": [{"label": "2016-08-09", "reason": "drawn at random", "weight": 1.0}],
        "sites": len(places), "left_out": 0, "order": "the higher pass rate", "case": "c" * 64,
    }  # fmt: skip
    return MarketRun(question, site(None), tuple(map(site, places)), facts, np.full((3, 5), 0.25))


def drawn_again(answer: Answer) -> None:
    """Make what the panes of the page draw, and write it as the browser gets it."""
    parts = [
        siting_totals.totals_of(answer),
        siting_layers.data(answer),
        siting_tables.ranked_rows(answer),
        siting_tables.basis(answer),
        siting_overview.head(answer),
        siting_overview.rest(answer, "light"),
    ]
    json.dumps(parts, default=lambda part: part.to_plotly_json())


def measured() -> list[Row]:
    rows: list[Row] = []
    table = np.random.default_rng(0).random((ALTERNATIVES, 15))
    taken = median_ms(lambda _: rank(table, metric_criteria()))
    rows.append((f"Ranking of {ALTERNATIVES:,} alternatives by 15 metrics in three groups", taken,
                 f"{RANK_MS:g} ms"))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(f"sqlite:///{folder}/store.db", Path(folder) / "files")
        tables = load("texas-2020")
        study = services.studies.create(USER, "Texas", tables)
        desk, network = Desk(services), services.network(USER, study)
        question = starting_question(network).checked(network)
        start = time.perf_counter()
        gate = desk.look(USER, study, question, submit=True).gate
        if gate is None:
            raise SystemExit("no answer to the opening question comes with the program: build it")
        opened = time.perf_counter() - start
        words = f"{len(gate.buses):,} candidates, {gate.told['verdicts']:,} verdicts"
        rows.append((f"The opening answer on Texas, from the program's own files ({words})", f"{opened:.1f} s",
                     f"{OPEN_S:g} s"))  # fmt: skip
        market = market_of(network, gate)

        def draw(turn: int, *, threshold: float = 0.95, size: float = 1000.0) -> None:
            weights = (1.0 + 0.01 * turn, 1.0, 1.0)
            drawn = Drawn("firm", size, threshold, 20, weights, pooled=True)
            drawn_again(desk.drawn_of(network, gate, drawn, market, "market"))

        said = f"{len(market.sites)} sites ranked and every pane drawn again, in the server"
        rows += [
            (f"Other weights: {said}", median_ms(draw), f"{DRAW_MS:g} ms"),
            (f"Another threshold: {said}",
             median_ms(lambda turn: draw(turn, threshold=0.9 + 0.005 * turn)), f"{DRAW_MS:g} ms"),
            (f"Another size: {said}",
             median_ms(lambda turn: draw(turn, size=gate.result.sizes_mw[turn % 3])), f"{DRAW_MS:g} ms"),
        ]  # fmt: skip
        services.close()
    return rows


def main() -> None:
    load_1 = os.getloadavg()[0]
    rows = measured()
    text = ["# The Siting page on Texas", ""]
    text += [f"Measured {datetime.now(UTC):%Y-%m-%d} on 2 cores, load {load_1:.1f} at the start; one process.", ""]
    text += ["| step | figure | limit |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows), ""]
    RESULTS.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
