"""Answers that come with the program: found by their inputs alone, told where they come from, and decided afresh."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import UncertaintyDataError
from engine.network.library import load
from engine.network.model import Network
from engine.siting import jobs
from engine.siting.defaults import starting_market, starting_question
from engine.siting.gate.between import Between
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.gate_check import Triple, check, judge
from engine.siting.largest import LargestSizes, ladder
from engine.siting.largest_job import COARSE_MW, LARGEST, largest_arguments, largest_key
from engine.siting.market_run import MarketRun
from engine.siting.prepare import prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import contingencies_of, gate_question
from engine.store import shipped
from engine.store.artifacts import Artifacts
from engine.store.codec import dump_json
from engine.store.jobs import Jobs, hash_input
from engine.store.kinds import KINDS
from engine.store.store import Store
from tests.benchmarks.siting_published import FIRST_20

FOLDER = resources.files("engine.data").joinpath(shipped.FOLDER)
SAMPLE, SEED = 8, 20261122
MOST_BYTES = 1_100_000  # of the answers of six pages


@pytest.fixture(scope="module")
def texas() -> Network:
    return Network.from_tables(load("texas-2020"))


def arguments_of(network: Network, question: SitingQuestion) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(jobs.gate_arguments(network.digest, question)))
    return found


def market_arguments(network: Network) -> dict[str, Any]:
    asked = jobs.market_arguments(network.digest, starting_question(network).checked(network), starting_market(network))
    found: dict[str, Any] = json.loads(json.dumps(asked))
    return found


def hash_of(arguments: dict[str, Any], kind: str = jobs.GATE) -> str:
    return hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))


def test_every_answer_lies_under_the_hash_of_its_inputs_and_all_are_small() -> None:
    names = {item.name for item in FOLDER.iterdir()}
    assert sum(len(FOLDER.joinpath(name).read_bytes()) for name in names) < MOST_BYTES
    kept = {name.removesuffix(".json") for name in names if name.endswith(".json")}
    assert kept
    for digest in kept:
        known = shipped.manifest(digest)
        assert known is not None
        assert hash_input(known["kind"], KINDS[known["kind"]], dump_json(known["arguments"], "")) == digest
        assert known["result"]["artifacts"] == list(shipped.files_of(known))
        assert {f"{key}.xz" for key in known["files"]} <= names


def test_the_opening_question_of_texas_is_answered_at_once_and_its_verdicts_are_right(
    texas: Network, tmp_path: Path
) -> None:
    """Some verdicts, drawn at random, are decided by a program in bus angles that shares no code with the gate."""
    question = starting_question(texas).checked(texas)
    arguments = arguments_of(texas, question)
    store, artifacts = Store(f"sqlite:///{tmp_path / 'store.db'}"), Artifacts(tmp_path / "files")
    store.migrate()
    study = store.studies.create("anne", "Texas", texas.tables)
    job = Jobs(store, artifacts).submit("anne", jobs.GATE, arguments, study)
    kept = store.results.get("anne", study, jobs.GATE, job.input_hash)
    store.close()

    assert job.state == "done"
    assert kept is not None
    assert kept.provenance["computed_at"] == kept.content["origin"]["computed_at"]
    path = artifacts.open(kept.content["artifacts"][0])
    assert path is not None
    gate = replace(GateResult.load(path), threshold=question.threshold)
    run = jobs.run_of(arguments, kept.content, gate, texas, None)  # refuses verdicts of other hours
    assert (gate.undecided, len(gate.buses), len(gate.labels)) == (0, 1431, 2)
    assert jobs.decided(gate) == kept.content["verdicts"]
    assert kept.content["check"]["mismatches"] == 0
    assert kept.content["check"]["count"] == 1000
    report = check(run.prepared.case, run.contingencies, gate, count=SAMPLE, seed=SEED)
    assert (len(report.found), len(report.mismatches)) == (SAMPLE, 0)
    assert {found.triple.passes for found in report.found} == {True, False}


def test_the_sites_that_the_source_lists_pass_and_those_of_lowest_price_do_not(texas: Network) -> None:
    """Published: table 3 of the source, the first twenty of each envelope at 1 GW, and twenty of which none passes.

    Its hours are not ours, and of all candidates one in five passes here.
    """
    gate = opening_gate(texas)
    passed = {own.name: gate.qualified(own.name, 1000.0) == 1 for own in gate.envelopes}
    assert all(0.15 < flags.mean() < 0.25 for flags in passed.values())
    counts = [int(passed[name][listed_places(gate, name)].sum()) for name in ("firm", "pause", "shift")]
    assert min(counts) >= 19
    assert sum(counts) == 58  # as README says
    naive = listed_places(gate, "lowest price")
    assert len(naive) == 17  # three are no candidates
    assert not any(flags[naive].any() for flags in passed.values())


def listed_places(gate: GateResult, name: str) -> list[int]:
    """Return the places among the candidates of sites that the source lists by row of the bus table, from 1."""
    place = {bus: number for number, bus in enumerate(gate.buses.tolist())}
    return [place[row - 1] for row in FIRST_20[name] if row - 1 in place]


def test_the_opening_market_of_texas_is_answered_at_once_and_its_bounds_hold(texas: Network, tmp_path: Path) -> None:
    question, market = starting_question(texas).checked(texas), starting_market(texas)
    arguments = market_arguments(texas)
    store, artifacts = Store(f"sqlite:///{tmp_path / 'store.db'}"), Artifacts(tmp_path / "files")
    store.migrate()
    study = store.studies.create("anne", "Texas", texas.tables)
    job = Jobs(store, artifacts).submit("anne", jobs.MARKET, arguments, study)
    store.close()

    assert job.state == "done"
    path = artifacts.open(jobs.market_key(arguments))
    assert path is not None
    run = MarketRun.load(path)
    assert run.question == market
    assert run.facts["second_pass"]  # places on the shortlist that were open were solved again
    assert len(run.sites) == len(question.envelopes) * market.most_sites
    served = [site for site in run.sites if site.served]
    assert len(served) >= question.shortlist * len(question.envelopes)
    (base,) = run.base.days
    for site in served:
        (day,) = site.days
        assert day.gap == pytest.approx((day.cost - day.bound) / day.cost, abs=1e-12)
        assert day.gap <= market.site_gap
        assert day.cost > base.bound  # a load more does not make the day cheaper
        assert np.isfinite(site.metrics).all()
        assert site.mean_lmp.shape == (len(texas.buses.ids),)
        assert np.isfinite(site.mean_lmp).all()


def test_the_sizes_that_texas_opens_with_are_those_of_its_gate_where_that_was_asked_them(texas: Network) -> None:
    gate, found = opening_gate(texas), opening_sizes(texas)
    assert found.sizes_mw == ladder(50.0)
    assert (found.verdicts >= 0).all()  # nothing is open
    assert (found.case_digest, found.contingencies_digest) == (gate.case_digest, gate.contingencies_digest)
    assert found.buses.tolist() == gate.buses.tolist()
    assert found.envelopes == gate.envelopes
    compared = 0
    for own in gate.envelopes:
        for size in gate.sizes_mw:
            assert (found.qualified(own.name, size) == gate.qualified(own.name, size)).all(), (own.name, size)
            compared += len(gate.buses)
        least, most = Between.of(gate), found.counts_by_size(own.name)[0]
        for size, count in zip(found.sizes_mw, most.tolist(), strict=True):  # what the three sizes prove of the others
            known = least.qualified(own.name, size, gate.threshold)
            assert (known == 1).sum() <= count <= (known != 0).sum()
    assert compared == 3 * 3 * 1431


def test_both_sides_of_sizes_that_texas_opens_with_stand_by_a_gate_and_programs_in_angles(texas: Network) -> None:
    """At sites drawn by lot: the gate at both sizes, and some verdicts by programs that share no code with it."""
    question = starting_question(texas).checked(texas)
    found, prepared = opening_sizes(texas), prepare(question, texas)
    contingencies = contingencies_of(question, prepared)
    generator = np.random.default_rng(SEED)
    largest = found.largest_mw("firm")[0]
    inside = np.flatnonzero((largest > 0.0) & (largest < 2000.0))
    places = np.sort(generator.choice(inside, size=5, replace=False))
    sizes = sorted({size for mw in largest[places].tolist() for size in (mw, mw + 50.0)})
    firm = next(own for own in found.envelopes if own.name == "firm")
    asked = GateQuestion(
        found.buses[places], (firm,), tuple(sizes), found.threshold,
        hour_weight=gate_question(question, prepared).hour_weight,
    )  # fmt: skip
    exact = screen(prepared.case, contingencies, asked)
    triples = []
    for place, at in enumerate(places.tolist()):
        for size, qualifies in ((largest[at], 1), (largest[at] + 50.0, 0)):
            assert exact.qualified("firm", size)[place] == found.qualified("firm", size)[at] == qualifies
            level = sizes.index(size)
            for k in generator.integers(len(contingencies), size=2).tolist():
                hour = int(generator.integers(2))
                passes = bool(exact.verdict(place, hour, level, k))
                triples.append(Triple(int(found.buses[at]), exact.load_mw(hour, level), hour, k, passes=passes))
    assert {triple.passes for triple in triples} == {True, False}
    assert all(one.agrees for one in judge(prepared.case, contingencies, triples))


def opening_gate(network: Network) -> GateResult:
    """Return the verdicts that a study on Texas opens with."""
    known = shipped.manifest(hash_of(arguments_of(network, starting_question(network).checked(network))))
    assert known is not None
    return GateResult.load(next(iter(shipped.files_of(known).values())))


def opening_sizes(network: Network) -> LargestSizes:
    """Return the largest sizes that a study on Texas opens with."""
    asked = largest_arguments(network.digest, starting_question(network).checked(network), COARSE_MW)
    known = shipped.manifest(hash_of(json.loads(json.dumps(asked)), LARGEST))
    assert known is not None
    assert known["result"]["undecided"] == 0
    return LargestSizes.load(shipped.files_of(known)[largest_key(known["arguments"])])


def test_a_question_that_differs_in_anything_finds_none(texas: Network, tmp_path: Path) -> None:
    question = starting_question(texas)
    assert shipped.manifest(hash_of(arguments_of(texas, question))) is not None
    for other in (
        replace(question, hours=question.hours[:1]),
        replace(question, sizes_mw=question.sizes_mw[:2]),
        replace(question, load_scale=1.01),
    ):
        assert shipped.manifest(hash_of(arguments_of(texas, other))) is None
    another = arguments_of(texas, question) | {"network": "0" * 64}
    assert shipped.manifest(hash_of(another)) is None
    with Store(f"sqlite:///{tmp_path / 'store.db'}").database.writing() as connection:
        of_another_kind = shipped.give(
            connection, "siting.ac", hash_of(arguments_of(texas, question)), Artifacts(tmp_path)
        )
    assert of_another_kind is None


def test_a_file_that_was_changed_is_refused(texas: Network) -> None:
    known = shipped.manifest(hash_of(arguments_of(texas, starting_question(texas))))
    assert known is not None
    key = next(iter(known["files"]))
    with pytest.raises(UncertaintyDataError, match="was changed"):
        shipped.files_of({**known, "files": {key: "0" * 64}})


def test_the_opening_hours_are_the_same_with_the_sums_of_another_processor(texas: Network) -> None:
    program = (
        "from engine.network.library import load; from engine.network.model import Network\n"
        "from engine.siting.defaults import starting_question; from engine.siting.prepare import prepare\n"
        "network = Network.from_tables(load('texas-2020'))\n"
        "print(prepare(starting_question(network), network).case.digest)"
    )
    # numpy's sums as the oldest kind of processor does them: no machine of today does them so by itself.
    environ = {**os.environ, "OPENBLAS_CORETYPE": "Prescott"}
    told = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == prepare(starting_question(texas), texas).case.digest
