"""The catalogue, its refresh and versions, and the studies, on a study that is worked out by hand."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flask import Flask

from callbacks import siting_catalogue, siting_clearing, siting_studies
from callbacks.imported import CHECKS
from callbacks.siting_site import SiteSeat
from components import siting_catalogue as catalogue_view
from components import siting_versions
from engine.errors import PermissionDeniedError, QuestionError
from engine.siting.catalogue import METRIC_COLUMNS
from engine.siting.order import OrderBy, order_of
from engine.siting.question import Committed
from engine.siting.ranking import metric_criteria, rank
from engine.siting.run import GateRun, catalogue_of
from engine.siting.versions import unpacked
from tests.callbacks.screen import ANNE, BEN, text
from tests.callbacks.siting_seats import DRAWN, ORDER, desk_of, seat_fixture, work
from tests.siting_study import gate_run, market_run, network

FIXTURES = (seat_fixture,)  # found by their names here


# The catalogue


def test_every_figure_of_the_catalogues_table_has_its_unit() -> None:
    """The units of the specification's five metrics; on the page they stand in the head, and in its CSV too."""
    heads = {column.name: (column.label, column.unit) for column in catalogue_view.columns()}
    assert heads["all_mean_lmp"] == ("All hours mean LMP", "$/MWh")
    assert heads["on_peak_p95_p5"] == ("On-peak LMP P95-P5", "$/MWh")
    assert heads["on_peak_rent"] == ("On-peak congestion rent", "M$/day")


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


def test_a_press_on_a_file_that_is_not_there_says_why(seat: SiteSeat) -> None:
    catalogues = siting_catalogue.Catalogues(seat.desk)
    with Flask("headroom").app_context():
        name, kind, content = siting_catalogue.pressed_file(seat, catalogues, DRAWN, "csv")
        assert (name, kind, content.count("\n")) == ("catalogue.csv", "text/csv", 1 + 2 * 2 * 2)
        for drawn, asked, words in (
            (None, "csv", "there is no file yet: the gate of this question is not computed"),
            (DRAWN, "7:csv", "there is no such version or file"),
            (DRAWN, "secrets", "there is no such file"),
        ):
            with pytest.raises(QuestionError, match=words):
                siting_catalogue.pressed_file(seat, catalogues, drawn, asked)


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
