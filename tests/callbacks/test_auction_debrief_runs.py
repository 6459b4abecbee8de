"""What another rule would have done, and debriefs that are too large for the page: both as jobs."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from callbacks import auction_debrief, auction_debrief_runs, auction_debrief_seen
from callbacks.auction_debrief_runs import Runs, quick
from callbacks.auction_debrief_seen import Debriefs, Reader, changes_of, cut
from callbacks.imported import CHECKS
from callbacks.services import Services
from components import auction_debrief as view
from engine.auction.debrief import debrief
from engine.auction.debrief_jobs import debrief_arguments, debrief_from_json, debrief_job
from engine.auction.ledger import Entry, replay
from engine.auction.presets import PRESETS
from engine.auction.simulate import play
from engine.auction.templates import Seat, classroom
from engine.auction.what_if import rerun, suggestions
from engine.auction.what_if_jobs import WHAT_IF, comparison_from_json, keep_ledger, what_if_arguments, what_if_job
from engine.errors import NotFoundError, QuestionError
from tests.callbacks.debriefing import PAPER, SECRETS, Asked, Runner, finished, values_in
from tests.callbacks.screen import ANNE, BEN, text


def test_every_change_that_is_offered_is_played(services: Services, ledger: Sequence[Entry]) -> None:
    runs, state = Runs(services), replay(ledger)
    assert quick(state)
    for place, change in enumerate(suggestions(state.configuration)):
        shown = runs.answer(Asked(ledger), str(place), ANNE, asked=True)  # type: ignore[arg-type]
        assert shown.job is None
        assert text(rerun(ledger, change).words[0]) in text(shown.children)


def test_a_change_that_is_not_offered_is_refused(services: Services, ledger: Sequence[Entry]) -> None:
    for chosen in ("99", "-1", "x", None, 1.5, ""):
        with pytest.raises(QuestionError):
            Runs(services).answer(Asked(ledger), chosen, ANNE, asked=True)  # type: ignore[arg-type]


def test_runs_by_bots_are_not_for_whom_values_are_hidden_from(ledger: Sequence[Entry]) -> None:
    changes, words = changes_of(replay(ledger), Reader("bidder", 0, everything=False))
    assert changes == ()
    assert "private" in words


def test_a_long_run_is_a_job_of_whoever_asks(
    services: Services, ledger: Sequence[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played as a job, the answer is the same, and it says how far it is."""
    monkeypatch.setattr(auction_debrief_runs, "AT_ONCE", 0)
    asked, runs = Asked(ledger), Runs(services)
    shown = runs.answer(asked, "0", ANNE, asked=True)  # type: ignore[arg-type]
    assert shown.job is not None
    job = services.jobs.get(ANNE, shown.job)
    assert (job.kind, job.study_id) == (WHAT_IF, "")
    steps = finished(services, job, what_if_job).steps
    assert steps == sorted(steps)
    assert 0 < steps[0][0] < steps[-1][0] < steps[-1][1]
    change = suggestions(PAPER.configuration)[0]
    content = services.jobs.get(ANNE, job.id).result
    assert content is not None
    assert comparison_from_json(content).to_json() == rerun(ledger, change).to_json()
    CHECKS.answers[WHAT_IF](content)
    told = runs.answer(asked, "0", ANNE, asked=False)  # type: ignore[arg-type]
    assert text(rerun(ledger, change).words[0]) in text(told.children)


def test_a_ledger_that_is_gone_is_said(services: Services, ledger: Sequence[Entry]) -> None:
    context: Any = Runner(services)
    arguments = what_if_arguments("auction-ledger-gone", suggestions(PAPER.configuration)[0])
    with pytest.raises(QuestionError, match="not kept any more"):
        what_if_job(arguments, context)
    with pytest.raises(QuestionError, match="not kept any more"):
        debrief_job(debrief_arguments("auction-ledger-gone"), context)
    key = keep_ledger(ledger, services.artifacts)
    assert what_if_job(arguments | {"ledger": key}, context)["played"]["rounds"] == len(replay(ledger).rounds)


def test_a_debrief_comes_back_from_its_file_as_it_was(ledger: Sequence[Entry]) -> None:
    drawn = classroom(3, 5, 1)
    for entries in (ledger, play(drawn.configuration, drawn.seats)):
        told = debrief(entries)
        again = debrief_from_json(json.loads(json.dumps(told.to_json())))
        assert (again.rounds, again.bidders, again.totals) == (told.rounds, told.bidders, told.totals)
        assert again.why == told.why
        given = replay(entries).configuration
        assert str(view.story(view.Story(again, given))) == str(view.story(view.Story(told, given)))


def test_a_large_debrief_is_a_job_of_its_reader_and_cut_to_him(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page waits for nothing: it shows the job, and then the story that a small auction's page has at once."""
    monkeypatch.setattr(auction_debrief, "_DEBRIEFS", Debriefs())
    monkeypatch.setattr(auction_debrief_seen, "AT_ONCE_ENTRIES", 0)
    lots = PAPER.configuration.lots[:3]
    rules = replace(PRESETS["Paper"], increment=replace(PAPER.configuration.rules.increment, amount=300_000))
    values = [{"kind": "additive", "values": dict(zip([lot.id for lot in lots], one, strict=True))} for one in SECRETS]
    seats = [Seat(f"Bidder {n}", value, "straightforward", 99, 0) for n, value in enumerate(values, 1)]
    entries = play(replace(PAPER.configuration, lots=lots, rules=rules), seats)
    assert not auction_debrief._DEBRIEFS.at_once(replay(entries), len(entries))
    monkeypatch.setattr(auction_debrief, "current_user", lambda: ANNE)
    waited = auction_debrief.by_job(services, entries[-1].hash, lambda: entries, asked=True)
    assert waited.debrief is None
    job = services.jobs.get(ANNE, str(waited.job))
    assert f"data-job='{job.id}'" in str(waited.said)
    with pytest.raises(NotFoundError):
        services.jobs.get(BEN, job.id)
    steps = finished(services, job, debrief_job).steps
    assert steps == sorted(steps)
    assert steps[0][0] < steps[-1][0] < steps[-1][1]
    found = auction_debrief.by_job(services, entries[-1].hash, lambda: entries, asked=False).debrief
    assert found is not None
    assert found.totals == debrief(entries).totals
    assert values_in(json.dumps(found.to_json()), 1) == list(SECRETS[1])
    mine = cut(found, Reader("bidder", 0, everything=False))
    assert values_in(json.dumps(mine.to_json()), 1) == []


def test_a_debrief_that_was_cancelled_says_how_to_try_anew(
    services: Services, ledger: Sequence[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auction_debrief, "_DEBRIEFS", Debriefs())
    monkeypatch.setattr(auction_debrief, "current_user", lambda: ANNE)
    first = auction_debrief.by_job(services, ledger[-1].hash, lambda: ledger, asked=True)
    services.jobs.cancel(ANNE, str(first.job))
    stopped = auction_debrief.by_job(services, ledger[-1].hash, lambda: ledger, asked=False)
    assert "The debrief is not worked out" in str(stopped.said)
    assert "It was cancelled." in str(stopped.said)
    assert "Work it out again" in str(stopped.said)
    again = auction_debrief.by_job(services, ledger[-1].hash, lambda: ledger, asked=True)
    assert again.job not in (None, first.job)
