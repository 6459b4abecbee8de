"""The sheet of a site, the catalogue, the agreement and the studies, on a study that is worked out by hand."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from callbacks import siting_agreement, siting_catalogue, siting_clearing, siting_sheet, siting_studies
from callbacks.capacity_aside import Standing
from callbacks.imported import CHECKS
from callbacks.services import Services
from callbacks.siting_report import sheet_page
from callbacks.siting_site import SiteSeat, packed_drawn, unpacked_drawn
from components import siting_catalogue as catalogue_view
from components import siting_versions
from engine.errors import NotFoundError, PermissionDeniedError, QuestionError
from engine.siting.catalogue import METRIC_COLUMNS
from engine.siting.order import OrderBy, order_of
from engine.siting.question import Committed
from engine.siting.ranking import metric_criteria, rank
from engine.siting.run import GateRun, catalogue_of
from engine.siting.sheet import gate_sheet, row_of, score_reasons
from engine.siting.study_jobs import clear_job, corridors_job
from engine.siting.versions import unpacked
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text
from tests.databases import ready_sqlite
from tests.siting_study import gate_run, market_run, network

DRAWN = {
    "envelope": "firm", "size": 100.0, "threshold": 0.5, "top": 20, "weights": [1.0, 1.0, 1.0], "pooled": True,
}  # fmt: skip
TERMS = {
    "sampling_min": "15", "response_min": 15, "tolerance_mw": 0, "tolerance_share": 1, "energy_band": 5,
    "least_coverage": 95,
}  # fmt: skip

ORDER = order_of(gate_run().gate, market_run(), OrderBy(threshold=0.0))


class Desk:
    """The page's desk with the study's results in hand; other questions are begun and never end."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.market_there = True
        self.order = ORDER
        self.runs: dict[int, GateRun] = {0: gate_run()}  # by loads committed
        self.begun: list[str] = []

    def gate(self, user: str, study: str, drawn: Any) -> GateRun | None:
        self.services.studies.get(user, study)
        return gate_run() if drawn else None

    def market(self, *_: Any) -> Any:
        return market_run() if self.market_there else None

    def ranked(self, *_: Any) -> Any:
        return self.order if self.market_there else None

    def own(self, *_: Any) -> None:
        """No criteria of a reader's own."""

    own_of = own

    def gate_s(self, *_: Any) -> float:
        return 0.0

    def run_of(self, _user: str, _study: str, question: Any) -> GateRun | None:
        return self.runs.get(len(question.committed))

    def look(self, *_: Any) -> Any:
        return SimpleNamespace(job=None)

    def look_market(self, *_: Any) -> Any:
        return SimpleNamespace(job=None)

    def market_of(self, *_: Any) -> Any:
        return market_run() if self.market_there else None

    def start_gate(self, *_: Any) -> Standing:
        self.begun.append("gate")
        return Standing(job=SimpleNamespace(id="g", active=True, done=1, total=4, message="1 of 4 hours"))  # type: ignore[arg-type]

    def start_market(self, *_: Any) -> Standing:
        self.begun.append("market")
        return Standing()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> SiteSeat:
    study = services.studies.create(ANNE, "Pair", network().tables)
    return SiteSeat(Desk(services), ANNE, study)  # type: ignore[arg-type]


def desk_of(seat: SiteSeat) -> Desk:
    assert isinstance(seat.desk, Desk)
    return seat.desk


def work(seat: SiteSeat) -> None:
    """Compute the jobs that wait, as a runner does."""
    services = seat.desk.services
    queue = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9)
    context: Any = SimpleNamespace(
        load_network=lambda _: network().tables, load_dataset=None, progress=lambda *_: None
    )  # fmt: skip
    while (claim := queue.claim()) is not None:
        function = {"siting.clear": clear_job, "siting.corridors": corridors_job}[claim.kind]
        found = json.loads(json.dumps(function(dict(claim.arguments), context)))
        CHECKS.answers[claim.kind](found)
        queue.finish(claim, found, 0.1)


def test_the_sheet_says_what_the_engine_says_of_the_bus(seat: SiteSeat) -> None:
    said = text(list(siting_sheet.sheet(seat, DRAWN, "bus:A")))
    sheet = gate_sheet(gate_run().gate, 0, "firm", 100.0)
    assert f"{100 * sheet.low:.1f} %" in said
    order = ORDER
    row = row_of(order, 0, "firm", 100.0)
    assert row is not None
    assert f"Why place {score_reasons(order, row).place} of 2" in said
    assert "The loss of unit b at bus B" in said
    assert "What the load does to prices" in said
    broken = sum(hour.outages - hour.without_load for hour in sheet.hours)
    assert f"{broken} pair" in said  # the card of what the load breaks
    assert "The largest size asked that qualifies under firm" in said


def test_the_sheet_without_answer_selection_candidate_or_market_says_so(seat: SiteSeat) -> None:
    assert "once it is computed" in text(list(siting_sheet.sheet(seat, None, "bus:A")))
    assert siting_sheet.sheet(seat, DRAWN, None) == (None, None)
    assert siting_sheet.sheet(seat, DRAWN, "bus:nowhere") == (None, None)
    desk_of(seat).market_there = False
    assert "The market of this site was not run" in text(list(siting_sheet.sheet(seat, DRAWN, "bus:A")))


def test_nobody_else_sees_it(seat: SiteSeat) -> None:
    other = SiteSeat(seat.desk, BEN, seat.study)
    for look in (siting_sheet.sheet, siting_sheet.ac_panel):
        with pytest.raises(NotFoundError):
            look(other, DRAWN, "bus:A", **({"pressed": False} if look is siting_sheet.ac_panel else {}))
    with pytest.raises(NotFoundError):
        sheet_page(other, {"study": seat.study, "bus": "A", "drawn": packed_drawn(DRAWN)}, datetime.now(UTC))


def test_an_outage_is_told_with_the_limits_of_its_certificate_and_marked_on_the_map(seat: SiteSeat) -> None:
    # The loss of a circuit with 80 MW more at B: what A must produce, 150 MW at least, has 80 MW of room.
    told, (branches, buses) = siting_sheet.outage(seat, DRAWN, "bus:B", {"value": "0:0"})
    said = text(told)
    assert "No dispatch keeps these limits" in said
    assert "A-B/2" in said
    assert (branches, buses) == ([0, 1], [])
    unit, marks = siting_sheet.outage(seat, DRAWN, "bus:B", {"value": "3:0"})
    assert marks[1] == [1]
    assert "unit b" in text(unit)
    for nothing in (None, {"value": ""}, {"value": "x:y"}):
        assert siting_sheet.outage(seat, DRAWN, "bus:B", nothing) == (None, ([], []))
    with pytest.raises(QuestionError, match="not drawn any more"):
        siting_sheet.outage(seat, DRAWN, "bus:B", {"value": "99:0"})


def test_ac_flows_are_offered_for_the_worst_hour_and_begun_by_a_press(seat: SiteSeat) -> None:
    asked = siting_sheet.ac_panel(seat, DRAWN, "bus:B", pressed=False)
    assert "80.0 MW at Birch (bus B)" in text(asked.children)
    begun = siting_sheet.ac_panel(seat, DRAWN, "bus:B", pressed=True)
    assert begun.job is not None
    assert siting_sheet.ac_panel(seat, DRAWN, "bus:B", pressed=False).job == begun.job
    assert siting_sheet.ac_panel(seat, DRAWN, None, pressed=False).hidden


def test_the_printed_sheet_holds_the_same_and_an_address_packs_what_is_drawn(seat: SiteSeat) -> None:
    assert unpacked_drawn(packed_drawn(DRAWN)) == DRAWN
    query = {"study": seat.study, "bus": "A", "drawn": packed_drawn(DRAWN)}
    page = sheet_page(seat, query, datetime(2026, 11, 22, tzinfo=UTC))
    sheet = gate_sheet(gate_run().gate, 0, "firm", 100.0)
    assert f"{100 * sheet.low:.1f} %" in page
    assert "Draft agreement" in page
    assert "No AC power flow was computed" in page
    for change, words in (({"bus": "Z"}, "not a candidate"), ({"drawn": "junk"}, "does not say which study")):
        assert words in sheet_page(seat, {**query, **change}, datetime.now(UTC))


# The agreement


def test_a_draft_has_the_terms_of_the_controls_and_refuses_what_is_out_of_bounds(seat: SiteSeat) -> None:
    found = siting_agreement.draft(seat, DRAWN, "bus:A", TERMS, "2: notice\n5: suspension")
    assert found is not None
    assert (found.nameplate_mw, found.tolerance_share, len(found.ladder)) == (100.0, 0.01, 2)
    assert siting_agreement.draft(seat, DRAWN, None, TERMS, "") is None
    for terms, ladder, words in (
        ({**TERMS, "tolerance_share": 200}, "", "0 to 100"),
        ({**TERMS, "response_min": None}, "", "not a number"),
        (TERMS, "soon: notice", "not a number of days"),
        (TERMS, "5: a\n2: b", "must rise"),
    ):
        with pytest.raises(QuestionError, match=words):
            siting_agreement.draft(seat, DRAWN, "bus:A", terms, ladder)


def test_a_meter_is_held_against_exactly_these_terms(seat: SiteSeat) -> None:
    found = siting_agreement.draft(seat, DRAWN, "bus:A", {**TERMS, "sampling_min": "60"}, "1: written notice")
    assert found is not None
    held = json.loads(json.dumps(found.to_json()))

    def sent(mw: float) -> str:
        lines = [f"2026-06-01T{hour:02d}:00,{mw if hour == 15 else 79.0}" for hour in range(24)]
        return "data:text/csv;base64," + base64.b64encode("\n".join(["time,mw", *lines]).encode()).decode()

    # firm: 80 MW all day, 1 % of tolerance: 80.8 MW are allowed.
    assert "Kept" in text(siting_agreement.audited(held, sent(80.8), "meter.csv"))
    broken = text(siting_agreement.audited(held, sent(80.9), "meter.csv"))
    assert "cap at 15:00: 80.9 MW, allowed 80.8 MW" in broken
    assert "written notice" in broken
    invented = text(siting_agreement.audited(held, None, ""))
    assert "1 day of 29 judged days with a violation. 1 of 30 days not judged" in invented
    assert "too few samples to judge" in invented
    for contents in ("data:,???", "data:text/csv;base64," + base64.b64encode(b"a,b\n1,2").decode()):
        with pytest.raises(QuestionError):
            siting_agreement.audited(held, contents, "x")
    with pytest.raises(QuestionError, match="select a candidate"):
        siting_agreement.audited(None, None, "")


# The catalogue


def test_the_catalogue_lists_every_candidate_with_its_reason_and_its_files(seat: SiteSeat) -> None:
    study = seat.read(DRAWN)
    assert study is not None
    found = siting_catalogue.Catalogues(seat.desk).of(study)
    listed = catalogue_view.rows(found, study, catalogue_view.ALL)
    assert {row["bus"]: row["standing"] for row in listed} == {"A": "qualified and priced", "B": "gate failed"}
    assert all(row["reason"] for row in listed)
    assert [row["bus"] for row in catalogue_view.rows(found, study, "gate failed")] == ["B"]
    files = {name: siting_catalogue.file_of(study, found, name, b"secret")[2] for name in catalogue_view.FILES}
    assert len(list(csv.DictReader(io.StringIO(files["csv"])))) == 2 * 2 * 2
    assert json.loads(files["geojson"])["features"][0]["geometry"]["coordinates"] == [-97.0, 31.0]
    assert json.loads(files["manifest"])["case"] == gate_run().gate.case_digest
    assert "A-B/" not in files["redacted"]
    assert "A-B/" in files["json"]
    with pytest.raises(QuestionError):
        siting_catalogue.file_of(study, found, "../secrets", b"")


def test_the_files_tell_how_their_scores_were_made(seat: SiteSeat) -> None:
    drawn = {**DRAWN, "threshold": 0.0, "weights": [3.0, 1.0, 0.5], "pooled": False, "top": 1}
    by = OrderBy((3.0, 1.0, 0.5), "per envelope", 0.0)
    desk_of(seat).order = order_of(gate_run().gate, market_run(), by)
    study = seat.read(drawn)
    assert study is not None
    catalogues = siting_catalogue.Catalogues(seat.desk)
    found = siting_catalogue.dated(seat, catalogues.of(study), "2026-11-22T01:00:00+00:00")
    files = {name: siting_catalogue.file_of(study, found, name, b"secret")[2] for name in catalogue_view.FILES}
    told = json.loads(files["manifest"])
    assert told["ranking"]["shortlist"] == 1
    assert told["noise_floor"]["on_peak_rent"] == 0.25
    assert told["market_question"] == market_run().question.to_json()
    # The same scores again, from nothing but the manifest and the figures of the CSV.
    rows = [row for row in csv.DictReader(io.StringIO(files["csv"])) if row["score"]]
    assert len(rows) == 8
    for kind in {(row["envelope"], row["nameplate_mw"]) for row in rows}:
        own = [row for row in rows if (row["envelope"], row["nameplate_mw"]) == kind]
        table = np.array([[float(row[name]) for name in METRIC_COLUMNS] for row in own])
        again = rank(
            table, metric_criteria(), told["ranking"]["groups"],
            group_weights=list(told["ranking"]["group_weights"].values()),
        )  # fmt: skip
        assert [float(row["score"]) for row in own] == pytest.approx(again.score)
        assert sorted(row["place_open"] != "" for row in own) == [True, True]
    pair = [row for row in rows if (row["bus"], row["nameplate_mw"]) == ("A", "100.0")]
    scores = [float(row["score"]) for row in pair]
    assert [float(row["score_min"]) for row in pair] == [min(scores)] * 2
    assert [float(row["score_expected"]) for row in pair] == pytest.approx([sum(scores) / 2] * 2)
    whole = json.loads(files["json"])
    assert (whole["version"], whole["made"]) == (0, "2026-11-22T01:00:00+00:00")  # drawn, not kept
    siting_catalogue.keep(seat, catalogues.of(study), "", "2026-11-22T02:00:00+00:00")
    kept = siting_catalogue.dated(seat, catalogues.of(study), "2026-11-23T00:00:00+00:00")
    assert (kept.version, kept.made) == (1, "2026-11-22T02:00:00+00:00")


def test_a_refresh_ranks_as_the_page_did_and_other_weights_are_another_version(seat: SiteSeat) -> None:
    drawn = {**DRAWN, "weights": [5.0, 1.0, 1.0], "pooled": False, "top": 3}
    for shown, number in ((drawn, 2), (drawn, 2), (DRAWN, 4)):
        desk_of(seat).runs.clear()
        running = siting_catalogue.refresh(seat, shown, None, None, pressed=True, now="2026-11-22T01:00:00+00:00")
        desk_of(seat).runs[1] = replace(
            gate_run(), question=gate_run().question.with_committed(*_committed(running.held))
        )
        corridors(seat)
        held = running.held
        while held is not None:  # another look while the corridors of the committed load are computed
            held = siting_catalogue.refresh(
                seat, shown, None, held, pressed=False, now="2026-11-22T02:00:00+00:00"
            ).held
            corridors(seat)
        kept = [unpacked(content).manifest["ranking"] for content in siting_catalogue.versions(seat)]
        assert len(kept) == number
        assert (kept[0]["shortlist"], kept[0]["scaling"] == "pooled") == (shown["top"], shown["pooled"])
        assert list(kept[0]["group_weights"].values()) == shown["weights"]


def test_a_refresh_commits_a_load_runs_again_and_tells_what_changed(seat: SiteSeat) -> None:
    def look(held: Any = None, *, pressed: bool = False) -> siting_catalogue.Told:
        return siting_catalogue.refresh(seat, DRAWN, None, held, pressed=pressed, now="2026-11-22T01:00:00+00:00")

    assert "100 MW firm at Alder (bus A) committed" in text(look().children)
    running = look(pressed=True)
    assert running.job == "g"
    assert [content["version"] for content in siting_catalogue.versions(seat)] == [1]
    desk_of(seat).runs[1] = GateRun(
        gate_run().question.with_committed(*_committed(running.held)), gate_run().prepared, gate_run().contingencies,
        gate_run().gate,
    )  # fmt: skip
    corridors(seat)
    assert look(running.held).held is not None  # the corridors with the load committed
    corridors(seat)
    done = look(running.held)
    assert done.held is None
    said = text(done.children)
    assert "Version 2" in said
    assert "What changed" in said
    assert "Since the version before: 100 MW firm at bus A was committed." in said
    assert "Headroom of corridors, version 2" in said
    study = seat.read(DRAWN)
    assert study is not None
    file, _, plain = siting_catalogue.version_file(seat, study, "1:json", b"secret")
    assert (file, json.loads(plain)["version"]) == ("catalogue-v1.json", 1)
    told = json.loads(siting_catalogue.version_file(seat, study, "2:manifest", b"secret")[2])
    assert told["question"]["committed"][0]["bus"] == "A"
    assert told["corridors"][0]["zones"] == ["North", "South"]
    assert "North" not in siting_catalogue.version_file(seat, study, "2:redacted", b"secret")[2]
    for wrong in ("3:csv", "1:geojson", "x:csv", ":"):
        with pytest.raises(QuestionError, match="no such version"):
            siting_catalogue.version_file(seat, study, wrong, b"secret")
    for content in siting_catalogue.versions(seat):
        CHECKS.answers[siting_catalogue.KIND](content)
    assert look(running.held | {"study": "another"}).job is None
    services = seat.desk.services
    token = services.studies.share(ANNE, seat.study)
    services.studies.accept_share(BEN, token)
    reader = SiteSeat(seat.desk, BEN, seat.study)
    with pytest.raises(PermissionDeniedError):
        siting_catalogue.refresh(reader, DRAWN, None, None, pressed=True, now="")


def test_what_was_changed_between_two_versions_is_named() -> None:
    run, order = gate_run(), ORDER
    old = catalogue_of(run, market_run(), order, top=3)
    edited = {**old.manifest, "network": "e" * 64, "ranking": {**old.manifest["ranking"], "shortlist": 4}}
    asked = replace(run.question, threshold=0.75, seed=7, committed=(Committed("B", run.question.envelopes[1], 50.0),))
    new = replace(old, manifest={**edited, "question": asked.to_json()})
    assert siting_versions.causes(old, old) == []
    assert siting_versions.causes(old, new) == [
        f"the network was edited: {network().digest[:12]} became eeeeeeeeeeee",
        "50 MW shift at bus B was committed",
        "the seed changed",
        "the threshold went from 50 % to 75 %",
        "the length of the shortlist changed",
    ]
    assert "is not committed any more" in siting_versions.causes(new, old)[1]


def corridors(seat: SiteSeat) -> None:
    """Compute the jobs that wait on the hours that are worked out by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.siting.study_jobs.prepare", lambda *_: gate_run().prepared)
        work(seat)


def _committed(held: Any) -> Any:
    return siting_catalogue.SitingQuestion.from_json(held["question"]).committed


# The studies


def test_studies_that_need_no_run_answer_at_once(seat: SiteSeat) -> None:
    def said(name: str) -> str:
        return text(siting_studies.panel(seat, DRAWN, name, pressed=True).children)

    assert said("naive").startswith(
        "Do the 20 candidates with the lowest mean price before any load pass the gate? 1 of 2 1 of 2 pass"
    )
    # In hour 16 shift draws 64 MW: less than the 70 MW at A that relieve the other circuit. Firm's 80 MW do.
    assert "At 50 %: firm 1; shift 0" in said("threshold")
    every = {**DRAWN, "threshold": 0.0}  # both sites are ranked; the desk gives the same market
    assert "Spearman 1.0000 over 2 sites" in text(siting_studies.panel(seat, every, "dearer", pressed=True).children)
    firm = text(siting_studies.panel(seat, every, "firm", pressed=True).children)
    assert "7 other alternatives" in firm  # eight are ranked together
    assert "100 % of the shortlist stays in the worst run" in firm  # two sites, 20 places: none can leave
    assert siting_studies.panel(seat, DRAWN, "no such", pressed=True).children is None
    desk_of(seat).market_there = False
    desk_of(seat).order = None
    for name in ("naive", "dearer", "firm"):
        assert "Needs the market" in said(name)


def test_studies_that_ask_another_question_begin_its_gate_only_when_pressed(seat: SiteSeat) -> None:
    desk_of(seat).runs.clear()
    for name in ("depth", "double"):
        assert "press it to compute" in text(siting_studies.panel(seat, DRAWN, name, pressed=False).children)
        assert siting_studies.panel(seat, DRAWN, name, pressed=True).job == "g"
    assert desk_of(seat).begun == ["gate", "gate"]
    smaller = siting_studies.panel(seat, {**DRAWN, "size": 50.0}, "double", pressed=False)
    assert "At 50 MW and at 100 MW" in text(smaller.children)  # both are in the gate already


def test_headroom_and_clearing_are_jobs_and_tell_what_they_found(seat: SiteSeat) -> None:
    assert siting_studies.panel(seat, DRAWN, "headroom", pressed=True).job is not None
    applications = "name,mw,date,envelopes\nAnn,50,2026-01-01,\nBob,100,2026-02-01,firm\n"
    rules = {"method": "sequence", "most_per_bus": 1, "tranche_mw": None}
    offered = text(siting_clearing.panel(seat, DRAWN, applications, rules, pressed=False).children)
    assert "Press Clear" in offered
    assert "It takes about 5 s if the gate refuses nothing" in offered  # two buses: only to begin takes time
    assert siting_clearing.panel(seat, DRAWN, applications, rules, pressed=True).job is not None
    question = gate_run().question
    assert question.source == "2016"  # the hours of the product's own year: here the hand-made ones stand in
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.siting.study_jobs.prepare", lambda *_: gate_run().prepared)
        work(seat)
    told = text(siting_studies.panel(seat, DRAWN, "headroom", pressed=False).children)
    assert "North - South" in told
    assert "Alder" in told
    cleared = text(siting_clearing.panel(seat, DRAWN, applications, rules, pressed=False).children)
    assert "Awarded" in cleared
    assert "Published" not in cleared
    assert "earlier date" in cleared
    many = "name,mw,date,buses\nAnn,much,today,\n,5,2026-01-01,nowhere"
    for wrong, words in (
        ("name,mw\n", "first line"),
        (many, r"line 2: mw is 'much', not a number; line 2: date is 'today'.*line 3: there is no bus 'nowhere'"),
    ):
        with pytest.raises(QuestionError, match=words):
            siting_clearing.panel(seat, DRAWN, wrong, rules, pressed=True)
    bad = {**rules, "tranche_mw": -1, "most_per_zone": 1.5, "tie_break": "dice", "caps": "West 500\nNorth much"}
    with pytest.raises(QuestionError) as refused:
        siting_clearing.panel(seat, DRAWN, applications, bad, pressed=True)
    for words in (
        "in all at most: -1, it must be a number of MW above 0", "most: 1.5, it must be a whole number", "not 'dice'",
        "line 1: there is no zone or corridor 'West', there are North, South, North - South", "line 2: 'much' is no",
    ):  # fmt: skip
        assert words in str(refused.value)
    caps = siting_clearing.rules_of({"caps": "North, 500\nNorth - South 800", "tie_break": "large"}, gate_run().network)
    assert caps == {"tie_break": "large", "caps": [["zone", "North", 500.0], ["corridor", "North - South", 800.0]]}
