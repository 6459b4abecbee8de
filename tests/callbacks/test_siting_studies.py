"""What a study of the Studies tab begins, tells before it begins and tells when its job ends without an answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from callbacks import siting_catalogue, siting_studies
from callbacks.capacity_desk import AtOnce
from callbacks.services import Services
from callbacks.siting_desk import Desk, GateStands
from callbacks.siting_site import SiteSeat
from callbacks.siting_studies import Told, answer, button_times
from components import siting_ids, siting_studies_time, siting_versions
from components import siting_studies as view
from components.siting_answer import Gate
from components.siting_site import SiteStudy
from components.siting_studies_time import Takes
from engine.commitment.outcome import End
from engine.siting import jobs
from engine.siting.market_run import MarketRun
from engine.siting.market_time import again_s, market_s
from engine.siting.order import OrderBy, order_of
from engine.siting.run import GateRun
from engine.store.jobs import Job
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text
from tests.components.test_siting_cards import each_says_why
from tests.databases import ready_sqlite
from tests.siting_study import gate_run, market_run, network

DRAWN = {"envelope": "firm", "size": 100.0, "threshold": 0.5, "top": 20, "weights": [1.0, 1.0, 1.0], "pooled": True}
ORDER = order_of(gate_run().gate, market_run(), OrderBy(threshold=0.0))
PRESS, SEEN, ENDED = siting_ids.STUDY_ASKED, siting_ids.seen("studies"), f"{siting_ids.STUDY_PANEL}-ended"
WITH_JOBS = ("headroom", "again", "double", "depth", "dearer")


class Drawn(Desk):
    """The page's own desk, on a study whose gate and market are worked out by hand; other questions are asked of it."""

    def gate(self, user: str, study: str, drawn: Any) -> GateRun | None:
        self.services.studies.get(user, study)
        return gate_run() if drawn else None

    def market(self, *_: Any) -> Any:
        return market_run()

    def ranked(self, *_: Any) -> Any:
        return ORDER

    def own(self, *_: Any) -> None:
        return None


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[SiteSeat]:
    services = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield SiteSeat(Drawn(services), ANNE, services.studies.create(ANNE, "Pair", network().tables))
    services.close()


@pytest.fixture(autouse=True)
def two_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the source of hours have the study's two."""
    for place in ("engine.siting.run.prepare", "engine.siting.jobs.prepare", "engine.siting.jobs.prepared_again"):
        monkeypatch.setattr(place, lambda *_: gate_run().prepared)


@pytest.fixture
def all_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever takes time be long."""
    monkeypatch.setattr(siting_studies_time, "AT_ONCE_S", 0.0)


def look(seat: SiteSeat, name: str, by: str = PRESS, ended: str | None = None) -> Told:
    return answer(seat, DRAWN, name, {"id": ended, "at": 1} if ended else None, by=by)


def listed(seat: SiteSeat) -> list[Job]:
    return list(seat.desk.services.jobs.list(ANNE, seat.study, results=False))


def queue_of(seat: SiteSeat) -> Queue:
    services = seat.desk.services
    return Queue(services.store.database, services.artifacts, KINDS, running_per_user=9)


def end(seat: SiteSeat, how: str) -> str:
    """End the job that waits, as a runner does, and return its id."""
    queue = queue_of(seat)
    claim = queue.claim()
    assert claim is not None
    if how == "failed":
        queue.fail(claim.id, "No hour of the question has a dispatch that keeps every limit.")
    elif how == "cancelled":
        queue.cancelled(claim.id)
    else:
        content = jobs.gate_job(dict(claim.arguments), AtOnce(seat.desk.services, ANNE, seat.study, network()))
        queue.finish(claim, json.loads(json.dumps(content)), 0.1)
    return claim.id


def presses(part: Any) -> list[str]:
    """Return what the buttons in a part ask for."""
    if isinstance(part, list | tuple):
        return [name for child in part for name in presses(child)]
    own = getattr(part, "data-siting-study", None)
    return ([own] if own else []) + presses(getattr(part, "children", None) or [])


@pytest.mark.parametrize("how", ["failed", "cancelled"])
@pytest.mark.parametrize("name", WITH_JOBS)
def test_a_job_that_ends_without_an_answer_begins_no_other_and_says_how_it_ended(
    seat: SiteSeat, name: str, how: str
) -> None:
    begun = look(seat, name)
    assert begun.job is not None
    ended = end(seat, how)
    told = look(seat, name, ENDED, ended)
    words = {"failed": "No hour of the question has a dispatch", "cancelled": "It was cancelled: press it again."}
    assert told.job is None
    assert words[how] in text(told.children)
    assert [job.state for job in listed(seat)] == [how]
    assert words[how] in text(look(seat, name, SEEN).children)  # looked at once more, also
    assert len(listed(seat)) == 1
    again = look(seat, name)  # a press asks once more
    assert again.job not in {None, ended}
    assert len(listed(seat)) == 2


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_part_of_the_year_that_ends_without_an_answer_begins_no_other(seat: SiteSeat, how: str) -> None:
    assert look(seat, "year").job is None  # how long is chosen first
    assert look(seat, "year 1 10").job is not None
    told = look(seat, "year 1 10", ENDED, end(seat, how))
    assert told.job is None
    assert {"failed": "No hour of the question", "cancelled": "It was cancelled"}[how] in text(told.children)
    assert "Compute for 10 min" in text(told.children)
    assert [job.state for job in listed(seat)] == [how]
    assert look(seat, "year 1 10").job is not None


def test_a_depth_sweep_goes_on_from_its_gate_to_its_market_once(seat: SiteSeat) -> None:
    gate = look(seat, "depth").job
    assert end(seat, "done") == gate
    for not_his in (None, "no such job", "x" * 5000):
        assert look(seat, "depth", ENDED, not_his).job is None
    assert len(listed(seat)) == 1
    market = look(seat, "depth", ENDED, gate).job
    assert market is not None
    assert [job.kind for job in listed(seat) if job.active] == [jobs.MARKET]
    told = look(seat, "depth", ENDED, end(seat, "failed"))
    said = text(told.children)
    assert told.job is None
    assert "Sites that qualify from the least depth to the most" in said  # the counts stand by themselves
    assert "No hour of the question has a dispatch" in said
    assert [job.kind for job in listed(seat)].count(jobs.MARKET) == 1


def test_the_end_of_another_users_job_begins_nothing(seat: SiteSeat) -> None:
    gate = look(seat, "depth").job
    assert end(seat, "done") == gate
    assert siting_studies.ended_job(SiteSeat(seat.desk, BEN, seat.study), {"id": gate}) is None
    found = siting_studies.ended_job(seat, {"id": gate})
    assert found is not None
    assert found.state == "done"
    for wrong in (None, "text", {"id": 3}, {"at": 1}, []):
        assert siting_studies.ended_job(seat, wrong) is None


@pytest.mark.usefixtures("all_long")
@pytest.mark.parametrize("name", WITH_JOBS)
def test_what_is_long_is_told_first_and_begun_by_a_second_press(seat: SiteSeat, name: str) -> None:
    told = look(seat, name)
    assert told.job is None
    assert listed(seat) == []
    assert "Start it: " in text(told.children)
    assert f"{name} start" in presses(told.children)
    assert look(seat, f"{name} start", SEEN).job is None  # what was asked before is no press
    begun = look(seat, f"{name} start").job
    assert begun is not None
    assert look(seat, name).job == begun  # one that runs is shown, and not offered again
    assert "Start it" not in text(look(seat, name).children)
    ended = end(seat, "cancelled")
    assert "It was cancelled: press it again." in text(look(seat, f"{name} start", ENDED, ended).children)
    assert "Start it: " in text(look(seat, name).children)
    assert len(listed(seat)) == 1


@pytest.mark.usefixtures("all_long")
def test_a_long_depth_sweep_that_was_asked_for_twice_goes_on_to_its_market(seat: SiteSeat) -> None:
    gate = look(seat, "depth start").job
    assert end(seat, "done") == gate
    offered = look(seat, "depth")  # pressed once: its gate is there, and the market is offered with its time
    assert offered.job is None
    assert "Start it: about" in text(offered.children)
    assert look(seat, "depth start", ENDED, gate).job is not None


def test_buttons_tell_the_time_of_what_is_not_there_yet(seat: SiteSeat) -> None:
    told = button_times(seat, DRAWN)
    here = network()
    market = market_run()
    # Eight sites of one day, once more; a sweep has eight depths of two kinds, each of two candidates at most.
    assert siting_studies_time.again_market(here, market).seconds == again_s(here, market)
    depth = siting_studies_time.unknown_market(here, _study(seat), _depth(seat), market.question)
    sizes = len(market.question.sizes_of((100.0,)))
    assert depth.seconds == market_s(here, 1, 8 * 2 * 2 * sizes, market.question)
    assert told["year"] == "up to 10 min"
    assert told["depth"].startswith("up to ")
    for name in ("dearer", "again", "headroom", "double"):
        assert told[name].startswith("about "), name
    assert button_times(seat, None) == {}


def test_a_gate_once_more_is_told_to_take_as_long_as_it_took(seat: SiteSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = button_times(seat, DRAWN)["again"]
    monkeypatch.setattr(seat.desk, "gate_s", lambda *_: 464.4)
    assert button_times(seat, DRAWN)["again"] == "about 7 min 40 s"  # 464 s, in tens of seconds
    monkeypatch.undo()
    assert button_times(seat, DRAWN)["again"] == usual != "about 7 min 40 s"


def test_how_long_a_gate_took_counts_what_its_processors_did_before_it_was_killed(
    seat: SiteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cores were busy for 700 s in all: 350 s, though the job that ended it took 90 s."""
    drawn = {**DRAWN, "question": gate_run().question.to_json()}
    for told, took in (
        ({"time_s": 464.4, "processor_s": 701.5}, 464.4),
        ({"time_s": 90.0, "processor_s": 700.0}, 350.0),
    ):
        gate = Gate("key", gate_run().question, gate_run().gate, gate_run(), told)
        monkeypatch.setattr(seat.desk, "look", lambda *_, found=gate: GateStands("answered", found))
        assert seat.desk.gate_s(ANNE, seat.study, drawn) == took
    monkeypatch.setattr(seat.desk, "look", lambda *_: GateStands("needed"))
    assert seat.desk.gate_s(ANNE, seat.study, drawn) == 0.0


def test_a_market_once_more_takes_what_its_days_took() -> None:
    """The base alone, 30 s, then eight sites of 100 s on two cores; a run that kept no time counts as any other."""

    def taking(seconds: float, market: MarketRun) -> MarketRun:
        sites = [replace(site, days=tuple(replace(day, time_s=seconds) for day in site.days)) for site in market.sites]
        base = replace(market.base, days=tuple(replace(day, time_s=0.3 * seconds) for day in market.base.days))
        return replace(market, base=base, sites=tuple(sites), question=replace(market.question, samples=0))

    market = taking(100.0, market_run())
    assert (len(market.sites), len(market.base.days)) == (8, 1)
    assert again_s(network(), market) == pytest.approx(30.0 + 8 * 100.0 / 2)
    assert again_s(network(), taking(0.0, market)) == market_s(network(), 1, 8, market.question)


def test_the_time_of_a_clearing_is_near_what_was_measured(seat: SiteSeat) -> None:
    """Texas, three applicants: 1.78 s of a processor for a check that passes and 37 s for one that fails, measured."""
    study = _study(seat)
    texas = SimpleNamespace(
        run=SimpleNamespace(prepared=SimpleNamespace(case=range(2)), contingencies=range(3339)),
        network=SimpleNamespace(buses=SimpleNamespace(ids=range(2000))),
    )
    said = siting_studies_time.clearing(cast("SiteStudy", texas), 3, "sequence")
    assert said == "It takes about 12 s if the gate refuses nothing; each refusal adds up to 35 s."
    # Two checks in the place of four, 1.8 s each.
    assert "about 9 s" in siting_studies_time.clearing(cast("SiteStudy", texas), 3, "portfolio")
    assert "each refusal adds up to 1 s" in siting_studies_time.clearing(study, 3, "sequence")


def test_a_button_tells_no_time_of_what_is_kept(seat: SiteSeat) -> None:
    before = button_times(seat, DRAWN)["double"]
    gate = look(seat, "double").job
    assert before
    assert end(seat, "done") == gate
    assert button_times(seat, DRAWN)["double"] == ""
    assert "At 100 MW and at 200 MW" in text(look(seat, "double", ENDED, gate).children)


def test_times_are_told_with_no_more_digits_than_they_are_good_for() -> None:
    # From a minute on in tens of seconds, from an hour on in tens of minutes: 1 h 57 min, and 2 h 3 min 20 s in all.
    takes = Takes(380.0, 7020.0, at_most=True, first="gate", market="market of up to 320 sites")
    assert takes.words() == (
        "The gate takes about 6 min 20 s, then the market of up to 320 sites up to 2 h on two cores."
    )
    assert Takes(market_s=1440.0, market="market").words() == "The market takes about 24 min on two cores."
    assert takes.short() == "up to 2 h"
    assert Takes(60.0).long is False
    assert Takes(60.0, 0.1).long is True
    assert Takes().short() == ""
    versions = [text(siting_versions.ask_refresh("100 MW", one)) for one in (takes, Takes(12.0, first="gate"))]
    assert "Start it: up to 2 h on two cores" in versions[0]
    assert "Start it" not in versions[1]
    assert "The gate takes about 12 s on two cores" in versions[1]
    alone = text(siting_versions.ask_refresh("100 MW", takes, priced=False))
    assert "The market has not run, so only the gate runs again" in alone
    assert "only the gate" not in versions[0]


def test_a_refresh_that_is_cancelled_begins_no_other(seat: SiteSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siting_catalogue, "_corridors", lambda *_, **__: siting_catalogue.Standing())

    def refresh(held: Any = None, ended: Job | None = None, *, pressed: bool = False) -> siting_catalogue.Told:
        return siting_catalogue.refresh(
            seat, DRAWN, None, held, pressed=pressed, now="2026-11-22T01:00:00+00:00", ended=ended
        )

    running = refresh(pressed=True)
    assert running.job is not None
    ended = siting_studies.ended_job(seat, {"id": end(seat, "cancelled")})
    stopped = refresh(running.held, ended)
    assert (stopped.job, stopped.held) == (None, None)
    assert "The refresh was cancelled" in text(stopped.children)
    assert [job.state for job in listed(seat)] == ["cancelled"]


@pytest.mark.parametrize("name", ["naive", "threshold", "double", "firm"])
def test_tables_of_the_studies_say_why(seat: SiteSeat, name: str) -> None:
    drawn = {**DRAWN, "size": 50.0, "threshold": 0.0}
    shown = siting_studies.panel(seat, drawn, name, pressed=True).children
    assert each_says_why(shown)


def test_firmness_says_where_its_figures_are_from(seat: SiteSeat) -> None:
    said = " ".join(
        text(siting_studies.panel(seat, {**DRAWN, "threshold": 0.0}, "firm", pressed=True).children).split()
    )
    scores: dict[int, list[float]] = {}
    for site, score in zip(ORDER.sites, ORDER.score.tolist(), strict=True):
        if site.placement is not None and site.placement.nameplate_mw == 100.0:
            scores.setdefault(site.placement.bus, []).append(score)
    best = max(scores.values(), key=min)  # by the definition: the least and the mean of two envelopes
    assert f"least {min(best):.3f}, expected {sum(best) / 2:.3f}" in said
    assert "of 7 runs reverse two places" in said  # eight alternatives, less the one left out
    assert "stays in 100.0 % of 7 runs" in said  # two sites have 20 places: none can leave
    assert "Of these it stays in 7" in said or "of these it stays in 7" in said


def test_a_depth_and_dearer_units_say_why(seat: SiteSeat) -> None:
    gate = look(seat, "depth").job
    assert end(seat, "done") == gate
    assert each_says_why(look(seat, "depth", SEEN).children) == ["depth"]
    study = _study(seat)
    found = siting_studies.compared(ORDER, ORDER, "firm", 100.0, 2)
    drawn = view.dearer(study, found, (20.0, 24.0), market_run())
    assert each_says_why(drawn) == ["dearer"]
    assert "2 sites of firm, 100 MW are ranked in both" in text(drawn)
    assert "ran out of time" not in text(drawn)
    bus, before, after = found.moves[0]
    assert before == after  # an order against itself
    assert f"{study.words(bus)}: place 1, then 1" in text(drawn)


def test_dearer_units_tell_which_sites_are_left_out_and_that_equal_scores_have_no_order(seat: SiteSeat) -> None:
    whole, study = market_run(), _study(seat)
    late = next(site for site in whole.sites if site.placement is not None and site.placement.envelope.name == "firm"
                and site.placement.nameplate_mw == 100.0)  # fmt: skip
    days = tuple(replace(day, status=End.TIME_LIMIT) for day in late.days)
    market = replace(whole, sites=tuple(replace(site, days=days) if site is late else site for site in whole.sites))
    found = siting_studies.compared(ORDER, replace(ORDER, score=np.full(len(ORDER.score), 0.9)), "firm", 100.0, 2)
    told = text(view.dearer(study, found, (20.0, 24.0), market))
    assert "Of 2 sites sent to this market 1 ran out of time: left out here." in told
    assert "all equal, so that no correlation is told" in told


def _study(seat: SiteSeat) -> Any:
    study = seat.read(DRAWN)
    assert study is not None
    return study


def _depth(seat: SiteSeat) -> Any:
    return siting_studies._depth_question(_study(seat))
