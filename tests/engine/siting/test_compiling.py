"""From gate and market to a catalogue, on a grid of 24 buses."""

import json

import numpy as np
import pytest

from engine.commitment.outcome import End
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.siting.catalogue import Catalogue, funnel
from engine.siting.compiling import compiled
from engine.siting.contingencies import Contingencies
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.market import Placement, SiteMarket
from engine.siting.market_days import DayMarket
from engine.siting.metrics import HourlyMarket
from engine.siting.prepare import Prepared, prepare
from engine.siting.question import Committed, SitingQuestion
from engine.siting.shortlist import rank_sites

NETWORK = Network.from_tables(load("rts24"))
QUESTION = SitingQuestion(
    source="2016", choice="list", hours=(4839, 4840, 20), candidates="source", sizes_mw=(300.0, 500.0), units=False,
    branches="all",
)  # fmt: skip


@pytest.fixture(scope="module")
def study() -> tuple[Prepared, Contingencies, GateResult]:
    asked = QUESTION.checked(NETWORK)
    prepared = prepare(asked, NETWORK)
    lost = Contingencies.of(Factors.of(prepared.case.network), asked.rule)
    gate = screen(prepared.case, lost, GateQuestion(np.arange(24), asked.envelopes, asked.sizes_mw, asked.threshold))
    return prepared, lost, gate


def site(bus: int, envelope: object, size: float, seed: int, status: End = End.WITHIN_GAP) -> SiteMarket:
    day = DayMarket(status, "short", HourlyMarket(*np.zeros((5, 24))), 20.0, 1.0, 1.0, 1e-4, 0.1)
    return SiteMarket(Placement(bus, envelope, size), (day,), np.random.default_rng(seed).random((3, 5)), np.zeros(24))  # type: ignore[arg-type]


def test_each_candidate_stands_where_gate_and_market_left_it(
    study: tuple[Prepared, Contingencies, GateResult],
) -> None:
    prepared, lost, gate = study
    firm = gate.envelopes[0]
    passed = np.flatnonzero(gate.qualified("firm", 300.0) == 1).tolist()
    assert len(passed) > 4
    served = [site(bus, firm, 300.0, bus) for bus in passed[:-2]]
    ranked = rank_sites(served)
    late = site(passed[-2], firm, 300.0, 1, End.TIME_LIMIT)
    found = compiled(QUESTION, prepared, lost, gate, sites=[*served, late], ranked=ranked, version=3, made="now")
    assert len(found.entries) == 24 * 3 * 2
    rows = {entry.bus: entry for entry in found.of("firm", 300.0)}
    for bus in range(24):
        row = rows[NETWORK.buses.ids[bus]]
        low, high = gate.pass_rate("firm", 300.0)
        assert (row.pass_rate, row.pass_rate_at_most) == (low[bus], high[bus])
        if bus in passed[:-2]:
            assert row.standing == "qualified"
            assert row.score == ranked.score[passed.index(bus)]
        elif bus == passed[-2]:
            assert (row.standing, row.score) == ("market time limit", None)
        elif bus == passed[-1]:
            assert row.standing == "not in market"
        else:
            assert row.standing == "gate failed"
            failure = gate.first_failure(bus, "firm", 300.0)
            assert failure is not None
            assert row.first_failure == f"{gate.labels[failure[0]]}, {lost.words(failure[1])}"
    largest = rows[NETWORK.buses.ids[passed[0]]].largest_mw
    assert largest == (500.0 if gate.qualified("firm", 500.0)[passed[0]] == 1 else 300.0)
    assert funnel(found, 24, 20)[0] == ("firm", 300.0, (24, len(passed), len(passed) - 2, min(20, len(passed) - 2)))
    assert Catalogue.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_manifest_prints_the_hours_and_what_the_gate_left_out(
    study: tuple[Prepared, Contingencies, GateResult],
) -> None:
    prepared, lost, gate = study
    told = compiled(QUESTION, prepared, lost, gate).manifest
    assert [row["hour"] for row in told["hours"]] == list(gate.labels)
    assert told["hours_of_the_source"] == 8784
    assert told["contingencies"] == lost.digest
    assert len(told["islanding"]) == len(lost.islanding)
    assert SitingQuestion.from_json(told["question"]) == QUESTION


def test_a_committed_load_is_in_the_hours() -> None:
    load_there = Committed(NETWORK.buses.ids[3], QUESTION.envelopes[2], 200.0)
    with_it, without = (prepare(one, NETWORK) for one in (QUESTION.with_committed(load_there), QUESTION))
    more = with_it.case.demand_mw - without.case.demand_mw
    assert more[:, 3] == pytest.approx(QUESTION.envelopes[2].level_mw(200.0, without.case.hour_of_day))
    assert not np.delete(more, 3, axis=1).any()
