"""The gate over all hours as a job: against the exact gate of every hour, stopped and gone on, checked from nothing."""

import csv
import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.compute import HERE, Workers
from engine.errors import CancelledError, QuestionError, VerdictError
from engine.network.factors import Factors
from engine.shapes import check_shape
from engine.siting import year
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope
from engine.siting.gate import decide
from engine.siting.gate.bracket import GateBracket
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.hour_sets import year as all_hours
from engine.siting.prepare import Prepared
from engine.siting.question import SitingQuestion
from engine.siting.run import gate_question
from engine.store.artifacts import Artifacts
from tests.engine.siting.test_gate import _network

HOURS = 8


def _case() -> SitingCase:
    network = _network("ieee14", 1.35)
    generator = np.random.default_rng(11)
    factor = generator.uniform(0.75, 1.1, HOURS)[:, np.newaxis] * generator.uniform(0.97, 1.03, (HOURS, 14))
    most = np.tile(np.where(network.units.in_service, network.units.p_max_mw, 0.0), (HOURS, 1))
    labels = tuple(f"hour {h}" for h in range(HOURS))
    return SitingCase(network, factor * network.demand_mw, 0.0 * most, most, np.arange(HOURS) % 24 + 13, labels, "test")


CASE = _case()
QUESTION = SitingQuestion(
    source="2016", choice="one", hours=(0,), candidates="listed", buses=CASE.network.buses.ids[1:6], branches="all",
    envelopes=(envelope("firm"), envelope("shift")), sizes_mw=(12.0, 60.0), threshold=0.9,
)  # fmt: skip


@dataclass
class Context:
    """What a job is given."""

    artifacts: Artifacts
    stop_after: int = 10**9
    workers: Workers = HERE
    said: list[str] = field(default_factory=list)

    def progress(self, done: int, total: int, message: str = "") -> None:
        assert 0 <= done <= total
        self.said.append(message)
        if len(self.said) > self.stop_after:
            raise CancelledError("stopped")

    def load_network(self, digest: str) -> Any:
        assert digest == CASE.network.digest
        return CASE.network.tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


@pytest.fixture(autouse=True)
def few_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the source have eight hours."""
    hours = Prepared(CASE, all_hours(CASE, QUESTION.envelopes), HOURS)
    monkeypatch.setattr(year, "prepare", lambda *_: hours)


@pytest.fixture(scope="module")
def exact() -> GateResult:
    asked = gate_question(QUESTION, Prepared(CASE, all_hours(CASE, QUESTION.envelopes), HOURS))
    return screen(CASE, Contingencies.of(Factors.of(CASE.network), Rule("all"), CASE), asked)


def asked(part: int = 1) -> dict[str, Any]:
    return year.year_arguments(CASE.network.digest, QUESTION, part, 10)


def bracket_of(context: Context, key: str) -> GateBracket:
    path = context.artifacts.open(key)
    assert path is not None
    return GateBracket.load(path)


def test_a_run_that_was_stopped_goes_on_and_decides_what_the_exact_gate_decides(
    exact: GateResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Any] = []
    own = decide.screen_group

    def counted(task: Any) -> Any:
        looked.append(task.key())
        return own(task)

    monkeypatch.setattr(decide, "screen_group", counted)
    monkeypatch.setattr(decide, "_TOLD_EVERY_S", 0.0)
    monkeypatch.setattr(decide, "_CLAIMS", 2)
    context = Context(Artifacts(tmp_path, 10**8), stop_after=6)
    with pytest.raises(CancelledError):
        year.year_job(asked(), context)
    before = len(looked)
    early = bracket_of(context, year.so_far_key(CASE.network.digest, QUESTION))
    told = year.year_job(asked(), Context(context.artifacts))
    found = bracket_of(context, told["artifacts"][0])

    assert before > 0
    assert len(set(looked)) == len(looked)  # no group of hours twice
    for name, kind in year.YEAR_SHAPE.items():
        check_shape(told[name], kind, name)
    assert (told["decided_share"], told["hours"], told["candidates"]) == (1.0, HOURS, 5)
    assert (told["check"]["mismatches"], told["check"]["count"]) == (0, len(found.claims))
    for own_envelope in QUESTION.envelopes:
        for size in QUESTION.sizes_mw:
            rate = exact.pass_rate(own_envelope.name, size)[0]
            for bracket in (early, found):
                least, most = bracket.pass_rate(own_envelope.name, size)
                assert (least <= rate + 1e-9).all()
                assert (rate <= most + 1e-9).all()
            assert (found.qualified(own_envelope.name, size) == exact.qualified(own_envelope.name, size)).all()
    rows = list(csv.DictReader(io.StringIO(year.bracket_csv(CASE.network, found))))
    assert len(rows) == 5 * 4
    verdict = exact.qualified("shift", 60.0)
    for place, row in enumerate(rows[-5:]):
        assert (row["envelope"], row["nameplate_mw"], row["bus"]) == ("shift", "60", QUESTION.buses[place])
        assert row["gate"] == ("passes" if verdict[place] == 1 else "fails")


def test_a_part_whose_time_is_over_leaves_the_rest_open_for_the_next(exact: GateResult, tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, 10**8)
    one = year.run_year(QUESTION, CASE.network, budget_s=1e-9, artifacts=artifacts).bracket  # one group of hours
    two = year.run_year(QUESTION, CASE.network, budget_s=1e-9, artifacts=artifacts).bracket  # it is kept; one more
    rest = year.run_year(QUESTION, CASE.network, artifacts=artifacts).bracket
    assert (one.groups, two.groups) == (1, 2)
    assert 0.0 < one.looked_at < two.looked_at
    assert one.decided_share < rest.decided_share == 1.0
    assert (one.lower <= rest.lower + 1e-12).all()
    assert (one.upper >= rest.upper - 1e-12).all()
    firm = exact.qualified("firm", 60.0)
    known = one.qualified("firm", 60.0)
    assert (known[known >= 0] == firm[known >= 0]).all()
    assert year.year_arguments("n", QUESTION, 1, 10) != year.year_arguments("n", QUESTION, 2, 10)


def test_a_claim_that_is_wrong_fails_the_run() -> None:
    run = year.run_year(QUESTION, CASE.network, budget_s=0.5)
    first = run.bracket.claims[0]
    wrong = replace(first, passes=not first.passes)
    with pytest.raises(VerdictError, match="1 of 1 verdicts"):
        year.checked_year(replace(run, bracket=replace(run.bracket, claims=(wrong,))))
    assert len(year.checked_year(run, count=4).found) == min(4, len(run.bracket.claims))


def test_a_year_needs_hours_and_a_time_that_is_offered() -> None:
    with pytest.raises(QuestionError, match="one hour"):
        year.year_question(replace(QUESTION, source="filed"))
    with pytest.raises(QuestionError, match="10 or 60 minutes"):
        year.year_arguments("n", QUESTION, 1, 7)


def test_verdicts_that_are_not_the_same_are_counted(exact: GateResult) -> None:
    assert year.differing(exact, exact) == 0
    first = exact.verdicts[0]
    assert first is not None
    passed = first.passed.copy()
    passed[0, 0, 0] ^= 0b101 << 5
    other = replace(exact, verdicts=(replace(first, passed=passed), *exact.verdicts[1:]))
    assert year.differing(exact, other) == 2
