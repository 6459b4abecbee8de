"""The studies of the year, of the gate once more and of largest sizes, by hand; an answer that came."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from callbacks import siting_largest_file, siting_studies, siting_year
from callbacks.imported import CHECKS
from callbacks.services import Services
from callbacks.siting_files import csv_file
from callbacks.siting_largest import look
from callbacks.siting_site import SiteSeat
from components import siting_cards, siting_overview
from components.capacity_sites import bus_words
from components.siting_answer import Answer, Drawn, Gate
from components.siting_largest import origin_words
from components.siting_states import came_with_it, to_screen
from engine.errors import FileFormatError, NotFoundError, QuestionError
from engine.network.library import load
from engine.network.model import Network
from engine.siting import largest_job, year
from engine.siting.criteria import Column, Criterion, OwnCriteria
from engine.siting.defaults import starting_question
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.jobs import gate_arguments, gate_key
from engine.siting.largest import ladder
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, gate_question
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text
from tests.databases import ready_sqlite
from tests.siting_study import gate_run, network

DRAWN: dict[str, Any] = {
    "envelope": "firm",
    "size": 100.0,
    "threshold": 0.5,
    "top": 20,
    "weights": [1.0, 1.0, 1.0],
    "pooled": True,
}


class Desk:
    """The page's desk with the study's gate in hand."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def gate(self, user: str, study: str, drawn: Any) -> GateRun | None:
        self.services.studies.get(user, study)
        return gate_run() if drawn else None

    def market(self, *_: Any) -> None:
        return None

    def own(self, *_: Any) -> None:
        return None

    ranked = market

    def gate_s(self, *_: Any) -> float:
        return 0.0


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[SiteSeat]:
    services = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield SiteSeat(Desk(services), ANNE, services.studies.create(ANNE, "Pair", network().tables))  # type: ignore[arg-type]
    services.close()


@pytest.fixture(autouse=True)
def two_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the year have the study's two hours."""
    for module in ("year", "run", "jobs", "largest_job"):
        monkeypatch.setattr(f"engine.siting.{module}.prepare", lambda *_: gate_run().prepared)


def work(seat: SiteSeat, *, so_far: bool = False) -> dict[str, Any]:
    """Compute the job that waits, as a worker would; ``so_far``: its bounds are told, and it is cancelled."""
    services = seat.desk.services
    queue = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9)
    claim = queue.claim()
    assert claim is not None
    context: Any = SimpleNamespace(
        artifacts=services.artifacts, workers=year.HERE, progress=lambda *_: None,
        load_network=lambda _: network().tables, load_dataset=None,
    )  # fmt: skip
    functions = {
        "siting.year": year.year_job,
        "siting.again": year.again_job,
        "siting.largest": largest_job.largest_job,
    }
    content = functions[claim.kind](dict(claim.arguments), context)
    if so_far:
        queue.cancelled(claim.id)
    else:
        queue.finish(claim, content, 1.0)
    return content


def pressed(seat: SiteSeat, name: str, *, press: bool = True) -> siting_studies.Told:
    return siting_studies.panel(seat, DRAWN, name, pressed=press)


def test_the_year_is_begun_by_a_press_and_tells_what_is_certain(seat: SiteSeat) -> None:
    assert pressed(seat, "year", press=False).job is None
    chosen = pressed(seat, "year")
    assert chosen.job is None  # a part takes minutes: how many is chosen first
    assert "Compute for 10 min" in text(chosen.children)
    begun = pressed(seat, "year 1 10")
    assert begun.job is not None
    assert pressed(seat, "year").job == begun.job  # another press begins no other
    assert pressed(seat, "year 2 60").job == begun.job  # nor does a part that is not next
    content = work(seat)
    CHECKS.answers["siting.year"](content)

    told = text(pressed(seat, "year", press=False).children)
    exact = gate_run().gate
    qualify = {envelope.name: int((exact.qualified(envelope.name, 100.0) == 1).sum()) for envelope in exact.envelopes}
    assert content["decided_share"] == 1.0
    assert "100 %" in told
    assert "0 differ" in told
    assert "Go on for" not in told
    for envelope, amount in qualify.items():
        assert f"{envelope}, 100 MW {amount} {2 - amount} 0" in " ".join(told.split())
    rows = list(csv.DictReader(io.StringIO(siting_year.file_of(seat, DRAWN))))
    assert len(rows) == 2 * 2 * 2
    for row in rows:
        place = network().buses.ids.index(row["bus"])
        rate = exact.pass_rate(row["envelope"], float(row["nameplate_mw"]))[0][place]
        assert float(row["rate_least"]) - 1e-8 <= rate <= float(row["rate_most"]) + 1e-8
    with pytest.raises(NotFoundError):
        siting_year.file_of(SiteSeat(seat.desk, BEN, seat.study), DRAWN)
    with pytest.raises(QuestionError):
        siting_year.file_of(seat, None)
    with pytest.raises(QuestionError, match="no such part"):
        pressed(seat, "year two 60")


def test_the_table_of_the_year_keeps_every_candidate(seat: SiteSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its button gives all rows of what is drawn, although the first ones only are shown; the gate says which."""
    pressed(seat, "year 1 10")
    work(seat)
    monkeypatch.setattr("components.siting_site.MOST_ROWS", 1)
    panel = str(pressed(seat, "year", press=False).children)
    assert "1 of 2 rows are shown; the CSV has all." in panel
    assert "/siting/year.csv?" in panel
    assert "table=siting-year-bounds" in panel
    head, *rows = csv.reader(io.StringIO(siting_year.file_of(seat, DRAWN, "siting-year-bounds")))
    assert head == ["Candidate", "Pass rate, least", "Pass rate, most", "Over the year"]
    exact, grid = gate_run().gate, network()
    rates, qualified = exact.pass_rate("firm", 100.0)[0], exact.qualified("firm", 100.0)
    expected = {
        bus_words(grid, bus): (rates[place], "passes" if qualified[place] == 1 else "fails")
        for place, bus in enumerate(exact.buses.tolist())
    }
    assert {row[0] for row in rows} == set(expected)
    for site, least, most, verdict in rows:
        rate, said = expected[site]
        assert (float(least) - 1e-8 <= rate <= float(most) + 1e-8, verdict) == (True, said)
    with pytest.raises(QuestionError, match="no such table"):
        siting_year.file_of(seat, DRAWN, "prices")


def test_a_file_that_is_not_there_is_said_in_words() -> None:
    def refuse() -> str:
        raise QuestionError("it is not computed")

    told = csv_file("bounds.csv", refuse)
    assert (told.status_code, told.get_data(as_text=True)) == (404, "it is not computed.")
    kept = csv_file("bounds.csv", lambda: "a,b\n")
    assert kept.headers["Content-Disposition"] == "attachment; filename=bounds.csv"
    assert (kept.get_data(as_text=True), kept.headers["Cache-Control"]) == ("a,b\n", "private, no-store")


def test_what_was_decided_before_a_stop_is_shown_and_gone_on_with(
    seat: SiteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.siting.gate.decide._TOLD_EVERY_S", 0.0)
    pressed(seat, "year 1 10")
    work(seat, so_far=True)
    stopped = text(pressed(seat, "year", press=False).children)
    assert "What was decided is kept" in stopped
    assert "So far" in stopped
    assert "Certainly qualify" in stopped
    assert "Go on for 10 min" in text(pressed(seat, "year").children)  # it is not begun again unasked
    again = pressed(seat, "year 1 60")
    assert again.job is not None
    work(seat)
    assert "0 differ" in text(pressed(seat, "year 1 60").children)  # its end begins no other part


def test_a_part_that_leaves_some_open_offers_the_next(seat: SiteSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.siting.gate.decide._GROUPS", 2)
    own = year.decide
    monkeypatch.setattr(year, "decide", lambda *a, **k: own(*a, **{**k, "budget_s": 1e-9}))
    pressed(seat, "year 1 10")
    content = work(seat)
    assert content["groups"] == 1
    told = pressed(seat, "year", press=False)
    assert "Go on for 60 min" in text(told.children)
    assert "An open one is not decided yet" in text(told.children)
    monkeypatch.setattr(year, "decide", own)
    assert pressed(seat, "year 2 60").job is not None
    assert work(seat)["decided_share"] == 1.0


def test_a_gate_that_is_run_again_gives_the_same_and_a_changed_one_is_found_out(seat: SiteSeat) -> None:
    artifacts = seat.desk.services.artifacts
    key = gate_key(gate_arguments(network().digest, gate_run().question))
    artifacts.save(key, gate_run().gate.save())
    assert "press it to compute" in text(pressed(seat, "again", press=False).children)
    assert pressed(seat, "again").job is not None
    content = work(seat)
    CHECKS.answers["siting.again"](content)
    assert "verdicts are the same" in text(pressed(seat, "again", press=False).children)

    first = gate_run().gate.verdicts[0]
    assert first is not None
    flipped = np.array(first.failed) ^ np.uint8(0b01000000)
    changed = replace(gate_run().gate, verdicts=(replace(first, failed=flipped), *gate_run().gate.verdicts[1:]))
    assert year.differing(gate_run().gate, changed) > 0


def test_a_year_hour_by_hour_points_to_the_bounds_where_it_is_long() -> None:
    texas = Network.from_tables(load("texas-2016"))
    long = text(to_screen(texas, SitingQuestion(choice="year"), [], has_answer=False))
    assert "Over the whole year" in long
    assert "Over the whole year" not in text(to_screen(texas, SitingQuestion(), [], has_answer=False))
    origin = {"computed_at": "2026-11-22T04:00:00+00:00", "seconds": 372.4, "processor_s": 600}
    assert "on 2026-11-22, in 6 min 12 s (10 min of processors)" in text(came_with_it(origin))
    assert "prices" not in text(came_with_it(origin))
    assert "verdicts, prices and ranking" in text(came_with_it(origin, priced=True))


def test_the_largest_sizes_are_those_of_a_gate_of_every_size(seat: SiteSeat) -> None:
    """Of the two-bus study, by 10 MW; the gate is asked all 200 sizes."""
    assert "press it to compute" in text(pressed(seat, "largest", press=False).children)
    assert pressed(seat, "largest").job is not None
    content = work(seat)
    CHECKS.answers["siting.largest"](content)
    question = replace(gate_run().question, threshold=DRAWN["threshold"])
    found = look(seat.desk.services, ANNE, seat.study, question).found
    assert found is not None
    every, sizes = every_size(), found.sizes
    told = " ".join(text(pressed(seat, "largest", press=False).children).split())
    for own in sizes.envelopes:
        passes = np.array([every.qualified(own.name, size) == 1 for size in sizes.sizes_mw])  # (K, C)
        assert sizes.counts_by_size(own.name)[0].tolist() == passes.sum(axis=1).tolist()
        largest = [max((size for size, sure in zip(sizes.sizes_mw, each, strict=True) if sure), default=0.0)
                   for each in passes.T]  # fmt: skip
        assert [side.tolist() for side in sizes.largest_mw(own.name)] == [largest, largest]
        assert 0.0 < max(largest) < 2000.0
    firm = sizes.largest_mw("firm")[0]
    assert f"Under firm {(firm > 0.0).sum()} of 2 candidates qualify at some size" in told
    assert f"the largest is {max(firm):g} MW" in told
    assert "It was computed here, in " in told
    with pytest.raises(FileFormatError):
        CHECKS.answers["siting.largest"]({**content, "verdicts": "all"})
    with pytest.raises(NotFoundError):
        look(seat.desk.services, BEN, seat.study, question)
    other = look(seat.desk.services, ANNE, seat.study, replace(question, threshold=0.6))
    assert (other.found, other.job) == (None, None)  # another threshold is another question


def test_sizes_whose_file_is_gone_are_asked_again(seat: SiteSeat) -> None:
    pressed(seat, "largest")
    (key,) = work(seat)["artifacts"]
    path = seat.desk.services.artifacts.open(key)
    assert path is not None
    path.unlink()
    assert "press it to compute" in text(pressed(seat, "largest", press=False).children)
    assert pressed(seat, "largest").job is not None
    work(seat)
    assert "qualify at some size" in text(pressed(seat, "largest", press=False).children)


def test_sizes_that_another_study_asked_are_there_at_one_press(seat: SiteSeat) -> None:
    pressed(seat, "largest")
    work(seat)
    services = seat.desk.services
    other = SiteSeat(seat.desk, ANNE, services.studies.create(ANNE, "Another", network().tables))
    assert "press it to compute" in text(pressed(other, "largest", press=False).children)
    told = pressed(other, "largest")
    assert "qualify at some size" in text(told.children)
    over = siting_studies.ended_job(other, {"id": told.job})  # its end is told, and the chart drawn
    assert over is not None
    assert over.state == "done"
    assert pressed(other, "largest", press=False).job is None


def test_the_chart_draws_every_size_once_it_is_decided_and_leads_to_the_study_before(seat: SiteSeat) -> None:
    """The counts are those of the gate that is asked all 200 sizes."""
    before = answer_of(None)
    assert "Decide every size about 5 s" in " ".join(text(siting_overview.rest(before, "light")).split())
    pressed(seat, "largest")
    work(seat)
    question = replace(gate_run().question, threshold=DRAWN["threshold"])
    after, every = answer_of(look(seat.desk.services, ANNE, seat.study, question).found), every_size()
    told = " ".join(text(siting_overview.rest(after, "light")).split())
    assert "Decide every size" not in told
    assert "are decided, 10 to 2 000 MW by 10, each proved on both sides" in told
    lines = {trace.name: trace for trace in siting_overview.sizes_figure(after).data}
    assert set(lines) == {"firm", "shift"}  # nothing is open: no bands
    for name, line in lines.items():
        assert list(line.x) == list(ladder(10.0))
        assert list(line.y) == [int((every.qualified(name, size) == 1).sum()) for size in line.x]
        assert [size for size, mark in zip(line.x, line.marker.size, strict=True) if mark] == [50.0, 100.0]
    rows = list(csv.reader(io.StringIO(siting_overview.sizes_csv(after))))
    assert len(rows) == 1 + 200 * 2
    assert [(float(row[0]), row[1], int(row[2]), int(row[3])) for row in rows[1:]] == [
        (size, name, count, count)
        for size in ladder(10.0)
        for name in ("firm", "shift")
        for count in [int((every.qualified(name, size) == 1).sum())]
    ]
    assert {row[6] for row in rows[1:]} == {"screened", "decided"}
    count_of = {(float(row[0]), row[1]): int(row[2]) for row in rows[1:]}
    for row in rows[1:]:  # a share, by arithmetic on the counts; none where no site qualifies as firm
        now, before = count_of[float(row[0]), row[1]], count_of[float(row[0]), "firm"]
        assert row[4] == "" if before == 0 else float(row[4]) == pytest.approx(now / before - 1.0)
    assert "computed here" in text(siting_cards.sizes(after))
    water = Criterion("water", "gate at most", limit=1.0)
    stopped = replace(after, own=OwnCriteria.of((water,), [Column("water", np.array([5.0, 5.0]))]))
    assert all(row["at_most"] == 0 for row in siting_overview.sizes_rows(stopped))


def test_the_file_of_the_largest_sizes_has_every_site(seat: SiteSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QuestionError, match="not computed"):
        siting_largest_file.file_of(seat, DRAWN, "sites")
    pressed(seat, "largest")
    work(seat)
    monkeypatch.setattr("components.siting_site.MOST_ROWS", 1)
    panel = str(pressed(seat, "largest", press=False).children)
    assert "1 of 2 rows are shown; the CSV has all." in panel
    assert "/siting/largest.csv?" in panel
    head, *rows = csv.reader(io.StringIO(siting_largest_file.file_of(seat, DRAWN, "sites")))
    assert head == ["Site", "firm, MW", "shift, MW"]
    every, grid = every_size(), network()
    expected = {
        bus_words(grid, bus): [
            max((size for size in ladder(10.0) if every.qualified(name, size)[place] == 1), default=0.0)
            for name in ("firm", "shift")
        ]
        for place, bus in enumerate(every.buses.tolist())
    }
    assert {site: [float(one) for one in sizes] for site, *sizes in rows} == expected
    for drawn, table in ((None, "sites"), (DRAWN, "prices")):
        with pytest.raises(QuestionError):
            siting_largest_file.file_of(seat, drawn, table)
    with pytest.raises(NotFoundError):
        siting_largest_file.file_of(SiteSeat(seat.desk, BEN, seat.study), DRAWN, "sites")


def test_texas_opens_with_every_size_from_50_mw_to_2_gw(seat: SiteSeat) -> None:
    """What came with the program is found by the question of the page, by whoever may see the study, and not else."""
    services = seat.desk.services
    study = services.studies.create(ANNE, "Texas", load("texas-2020"))
    texas = services.network(ANNE, study)
    question = starting_question(texas).checked(texas)
    stands = look(services, ANNE, study, question)
    assert stands.found is not None
    assert stands.found.sizes.sizes_mw == ladder(50.0)
    assert "came with this program" in origin_words(stands.found.told)
    CHECKS.answers["siting.largest"](stands.found.told)
    assert services.jobs.list(ANNE, study) == []
    assert look(services, ANNE, study, replace(question, threshold=0.9)).found is None
    assert look(services, ANNE, study, replace(question, load_scale=1.01)).found is None


def every_size() -> GateResult:
    """Return the gate of the two-bus study that is asked every size of the ladder."""
    run = gate_run()
    asked = replace(gate_question(run.question, run.prepared), sizes_mw=ladder(10.0), threshold=DRAWN["threshold"])
    return screen(run.prepared.case, run.contingencies, asked)


def answer_of(found: largest_job.LargestFound | None) -> Answer:
    run = gate_run()
    drawn = Drawn("firm", 100.0, DRAWN["threshold"], 20, (1.0, 1.0, 1.0), pooled=True)
    return Answer(run.network, Gate("key", run.question, run.gate, run), drawn, ladder=found)


def test_sizes_rise_by_the_steps_that_are_offered() -> None:
    with pytest.raises(QuestionError, match="or 50 MW, not by 7"):
        largest_job.largest_arguments(network().digest, gate_run().question, 7.0)
