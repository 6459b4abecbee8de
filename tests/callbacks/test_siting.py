"""The Siting page without a browser: its question and jobs, what is drawn, ranked again, compared and refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from callbacks import siting_answer
from callbacks.capacity_desk import AtOnce
from callbacks.services import Services
from callbacks.siting_answer import KEEP, Asked, Seat, answer_to, drawn_from, held_market
from callbacks.siting_desk import Desk
from callbacks.siting_panes import draw
from callbacks.siting_upload import files_of, take_in
from components import (
    siting_compare,
    siting_funnel,
    siting_market,
    siting_overview,
    siting_prices,
    siting_tables,
    siting_totals,
    siting_why,
    siting_words,
)
from components.format import count, number, percent
from components.siting_answer import Answer
from engine.errors import FileFormatError, NotFoundError, QuestionError
from engine.network.model import Network
from engine.siting import jobs
from engine.siting.gate.results import PASSED
from engine.siting.market_run import MarketQuestion
from engine.siting.question import SitingQuestion
from engine.siting.sheet import gate_sheet
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text
from tests.siting_study import priced

QUESTION = SitingQuestion(
    choice="list", hours=(15, 3), candidates="listed", buses=("A", "B"), sizes_mw=(50.0, 100.0), shortlist=1,
)  # fmt: skip
MARKET = MarketQuestion(days="peak", most_sites=2, samples=0, base_time_s=20.0, site_time_s=10.0)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("siting")
    opened = Services.open(f"sqlite:///{folder / 'store.db'}", folder / "artefacts")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def network() -> Network:
    return priced()


@pytest.fixture(scope="module")
def seat(services: Services, network: Network) -> Seat:
    """Anne's study of two buses, opened once: its gate begins by itself."""
    return Seat(Desk(services), ANNE, services.studies.create(ANNE, "Pair", network.tables))


class Screen:
    """The page as a browser holds it."""

    def __init__(self, seat: Seat, question: SitingQuestion = QUESTION) -> None:
        self.seat, self.start = seat, question
        self.words = siting_words.words_of(question)
        self.market = siting_market.words_of(MARKET)
        self.found: Any = None
        self.opened = False

    def ask(self, **more: Any) -> siting_answer.Shown:
        names = {"pressed", "market_pressed", "ended"}
        self.words |= {name: value for name, value in more.items() if name not in names}
        start = {"question": self.start.to_json(), "market": MARKET.to_json(), "problems": []}
        flags = {name: value for name, value in more.items() if name in names}
        opening, self.opened = not self.opened, True
        shown = answer_to(self.seat, Asked(self.words, self.market, start, self.found, opening=opening, **flags))
        if shown.found is not KEEP:
            # A browser writes 1.0 as 1.
            self.found = json.loads(json.dumps(held_market(shown.found, self.found)), parse_float=_short)
        return shown

    def drawn(self, **more: Any) -> dict[str, Any]:
        return drawn_from(self.found, {"threshold": self.words["threshold"], **more})

    def answer(self, **more: Any) -> Answer:
        answer = self.seat.answer(self.drawn(**more))
        assert answer is not None
        return answer


def _short(text_of: str) -> float | int:
    value = float(text_of)
    return int(value) if value.is_integer() else value


def work(seat: Seat, network: Network) -> list[str]:
    """Compute the jobs that wait, as a runner does."""
    services = seat.desk.services
    queue, done = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9), []
    functions = {jobs.GATE: jobs.gate_job, jobs.MARKET: jobs.market_job}
    while (claim := queue.claim()) is not None:
        context = AtOnce(services, seat.user, seat.study, network)
        queue.finish(claim, json.loads(json.dumps(functions[claim.kind](dict(claim.arguments), context))), 0.1)
        done.append(claim.kind)
    return done


@pytest.fixture(scope="module")
def screen(seat: Seat, network: Network) -> Screen:
    """The page opened, its gate and its market computed."""
    screen = Screen(seat)
    first = screen.ask()
    assert "Screening the candidates" in text(first.state)
    assert first.jobs is not None
    assert first.found is KEEP  # nothing is drawn before the first hour
    assert work(seat, network) == [jobs.GATE]
    ended = screen.ask(ended=True)
    assert ended.found is not KEEP
    assert ended.jobs is not None  # on a small network the market begins by itself
    assert work(seat, network) == [jobs.MARKET]
    screen.ask(ended=True)
    return screen


def test_a_refused_question_leaves_what_was_drawn_under_a_hatch(seat: Seat, screen: Screen) -> None:
    other = Screen(seat)
    other.found = screen.found
    shown = other.ask(sizes="none", threshold="much")
    assert shown.frame == siting_answer.STALE_CLASS
    assert shown.found is KEEP
    assert "MW" in text(shown.state)


def test_a_change_that_needs_another_gate_is_said_and_waits_for_a_press(seat: Seat, screen: Screen) -> None:
    other = Screen(seat)
    other.found, other.opened = screen.found, True
    shown = other.ask(sizes="50, 75")
    assert shown.compute
    assert shown.frame == siting_answer.STALE_CLASS
    assert "the sizes" in text(shown.state)
    assert shown.found is KEEP


def test_a_threshold_is_answered_at_once_and_monotone(screen: Screen) -> None:
    for name in screen.answer().envelopes:
        for size in QUESTION.sizes_mw:
            counts = [len(screen.answer(threshold=tau, size=size).qualified(name)) for tau in (50, 75, 95, 100)]
            assert counts == sorted(counts, reverse=True)  # a higher threshold lets no more pass
    # The gate that is asked for has no threshold: another one is the same file.
    keys = {jobs.gate_key(jobs.gate_arguments("n", replace(QUESTION, threshold=tau))) for tau in (0.5, 0.9)}
    assert len(keys) == 1


def test_the_verdicts_drawn_are_those_of_the_gate(seat: Seat, screen: Screen) -> None:
    run = seat.desk.gate(seat.user, seat.study, screen.drawn(threshold=90))
    assert run is not None
    assert run.gate.threshold == 0.9
    answer = screen.answer(threshold=90)
    for name in answer.envelopes:
        for size in QUESTION.sizes_mw:
            assert answer.verdict_of(name, size).tolist() == run.gate.qualified(name, size).tolist()


def test_a_page_opened_at_another_threshold_ranks_the_market_that_is_there(seat: Seat, screen: Screen) -> None:
    again = Screen(seat, replace(QUESTION, threshold=0.6))
    shown = again.ask()
    assert shown.jobs is None  # nothing is begun
    assert again.found["market"] == screen.found["market"]
    assert again.answer().market is not None


def test_every_pane_is_drawn_and_tells_the_same_numbers(seat: Seat, screen: Screen) -> None:
    asked = {"view": {"threshold": 50, "size": "50"}, "market": screen.market, "base": MARKET.to_json()}
    made = draw(seat, screen.found, asked, "dark")
    assert made is not None
    answer = screen.answer(threshold=50, size="50")
    firm = len(answer.qualified("firm"))
    assert firm > 0
    assert len(made["rows"]) == firm
    assert str(firm) in text(made["totals"])
    painted = made["layers"]["layers"]["shortlist"]["buses"]
    assert sum(number in {2, 3} for number in painted) == firm  # qualified, or on the shortlist
    assert [row["id"] for row in made["rows"] if row["top"]] == [
        answer.network.buses.ids[bus] for bus in answer.shortlist
    ]
    for part in ("head", "rest", "market"):
        assert text(made[part])
    rows = siting_overview.sizes_rows(answer)
    assert {row["size"] for row in rows if row["strict"] is not None} == set(QUESTION.sizes_mw)
    assert {row["envelope"] for row in rows} == set(answer.envelopes)
    for size in QUESTION.sizes_mw:  # what is proved of a size that was screened is what was found
        for row in (row for row in rows if row["size"] == size):
            assert row["qualified"] == row["at_most"] == len(answer.qualified(row["envelope"], size))
    between = [row for row in rows if row["strict"] is None]
    assert between
    assert all(0 <= row["qualified"] <= row["at_most"] <= 2 for row in between)
    assert next(row for row in rows if row["envelope"] == "firm" and row["size"] == 50)["qualified"] == firm
    assert len(siting_tables.candidate_rows(answer)) == 2


def test_weights_change_scores_and_not_who_is_ranked(screen: Screen) -> None:
    equal = screen.answer(threshold=50)
    other = screen.answer(threshold=50, weights=[1, 0, 0])
    if equal.ranked is None or other.ranked is None:
        pytest.fail(f"nothing is ranked: {equal.refused}")
    assert [site.placement for site in equal.ranked.sites] == [site.placement for site in other.ranked.sites]
    for bad in ([0, 0, 0], [-1, 1, 1], ["x", 1, 1], [1, 1], [None, 1, 1]):
        with pytest.raises(QuestionError):
            screen.drawn(weights=bad)


def test_every_number_of_the_funnel_says_why(screen: Screen) -> None:
    answer = screen.answer(threshold=50)
    counts = siting_funnel.stage_counts(answer, "firm")
    every, passed, sent, priced, listed = counts
    assert every >= passed >= (sent or 0) >= (priced or 0) >= (listed or 0)
    assert priced == answer.served("firm")
    for stage, amount in zip(siting_funnel.STAGES, counts, strict=True):
        assert str(amount) in text(siting_funnel.stage_card(answer, stage, 0))


def test_envelopes_are_compared_as_sets(screen: Screen) -> None:
    answer = screen.answer(threshold=95, size="100")
    firm, shift = set(answer.qualified("firm").tolist()), set(answer.qualified("shift").tolist())
    said = text(siting_compare.told(answer, ("firm", "shift")))
    assert f"{count(len(shift - firm), 'site')} enter with shift" in said
    assert f"{count(len(firm - shift), 'site')} leave with shift" in said
    assert siting_compare.chosen(answer, ("nobody", None)) == ("firm", "pause")


def test_a_unit_that_is_to_stay_on_and_is_not_there_is_named_and_nothing_runs(seat: Seat, screen: Screen) -> None:
    words = screen.market | {"stay": "a, nobody"}
    with pytest.raises(QuestionError, match="of the units that stay on, 'nobody' is not in the network"):
        draw(seat, screen.found, {"view": {}, "market": words, "base": MARKET.to_json()}, "light")
    page = Screen(seat)
    page.market = words
    assert page.ask(market_pressed=True).jobs is None


def test_another_sees_nothing_of_it(seat: Seat, screen: Screen) -> None:
    stranger = Seat(seat.desk, BEN, seat.study)
    with pytest.raises(NotFoundError):
        stranger.answer(screen.drawn())
    shown = answer_to(stranger, Asked(screen.words, screen.market, {"question": QUESTION.to_json()}))
    assert shown.found is KEEP
    assert "hr-state-failed" in str(shown.state)


def test_a_gate_that_runs_shows_what_is_known_so_far(seat: Seat, screen: Screen, network: Network) -> None:
    gate = seat.desk.look(seat.user, seat.study, QUESTION).gate
    assert gate is not None
    asked = replace(QUESTION, seed=7)  # another job; what it keeps while it runs is that of the first hour
    stands = seat.desk.look(seat.user, seat.study, asked, submit=True)
    assert stands.found == "running"
    first = replace(gate.result, verdicts=(gate.result.verdicts[0], None))
    key = jobs.partial_key(jobs.gate_arguments(network.digest, asked))
    seat.desk.services.artifacts.save(key, first.save())
    page = Screen(seat, asked)
    shown = page.ask()
    assert "1 of 2 hours are screened" in text(shown.state)
    assert page.found["partial"]
    some = page.answer()
    assert some.gate.hours_done == 1
    for name in some.envelopes:
        for size in QUESTION.sizes_mw:
            low, high = some.gate.rate(name, size)
            whole = gate.rate(name, size)[0]
            assert (low <= whole + 1e-12).all()
            assert (whole <= high + 1e-12).all()
            assert (some.gate.verdict(name, size, 1.0) != 1).all()  # nothing is certain before every hour is done
    assert "still open" in text(siting_totals.totals_of(some))
    made = draw(seat, page.found, {"view": {}, "market": page.market, "base": None}, "light")
    assert made is not None
    assert "once every hour is screened" in text(made["market"])
    assert seat.desk.gate(seat.user, seat.study, page.drawn()) is None  # no run is made of a part
    seat.desk.services.jobs.cancel(seat.user, stands.job.id if stands.job else "")


def test_a_market_that_runs_shows_the_sites_so_far_as_provisional(seat: Seat, screen: Screen, network: Network) -> None:
    run = screen.answer(threshold=50, size="50").market
    assert run is not None
    asked = {**MARKET.to_json(), "site_gap": 4e-4}  # another job; what it keeps is a part of the run that is there
    page = Screen(seat)
    page.market = siting_market.words_of(MarketQuestion.from_json(asked))
    page.ask(threshold=50)
    shown = page.ask(market_pressed=True)
    assert shown.jobs is not None
    question = replace(QUESTION, threshold=0.5)
    arguments = jobs.market_arguments(network.digest, question, MarketQuestion.from_json(asked))
    facts = {**run.facts, "days_asked": 1}
    part = replace(run, question=MarketQuestion.from_json(asked), sites=run.sites[:3], facts=facts)
    seat.desk.services.artifacts.replace(jobs.market_partial_key(arguments), part.save())
    page.ask(ended=True)
    some = page.answer(threshold=50, size="50")
    assert some.provisional
    assert some.market is not None
    assert len(some.market.sites) == 3
    view_of = {"view": {"threshold": 50, "size": "50"}, "market": page.market, "base": MARKET.to_json()}
    made = draw(seat, page.found, view_of, "light")
    assert made is not None
    assert f"So far: 3 of {len(run.sites)} sites" in text(made["market"])
    assert all(row["provisional"] for row in made["rows"])
    drawn = page.drawn(threshold=50, size="50")
    # Nothing that is kept or handed on is made of a part: no catalogue, no sheet, no products.
    assert seat.desk.market(seat.user, seat.study, drawn) is None
    assert seat.desk.ranked(seat.user, seat.study, drawn) is None
    for job in seat.desk.services.jobs.list(seat.user, seat.study):
        if job.active:
            seat.desk.services.jobs.cancel(seat.user, job.id)


def test_each_number_of_a_row_opens_the_card_of_its_own_value(screen: Screen) -> None:
    answer = screen.answer(threshold=50, size="50")
    rows = siting_tables.ranked_rows(answer)
    assert rows
    for row in rows:
        assert percent(row["rate"], 1) in text(siting_why.row_card(answer, row["id"], "rate"))
        assert f"Score {number(row['score'], 3)}" in text(siting_why.row_card(answer, row["id"], "score"))
        assert number(row["all_mean_lmp"], 3) in text(siting_why.row_card(answer, row["id"], "all_mean_lmp"))
        sheet = gate_sheet(answer.gate.result, answer.network.buses.ids.index(row["id"]), "firm", 50.0)
        broken = sum(hour.outages - hour.without_load for hour in sheet.hours)
        assert row["breaks"] == broken
        assert count(broken, "pair") in text(siting_why.row_card(answer, row["id"], "breaks"))
        assert row["strict"] == ("passes" if sheet.strict == PASSED else "fails")
    first = siting_tables.candidate_rows(answer)[0]
    assert percent(first["rate1"], 1) in text(siting_why.row_card(answer, first["id"], "rate1"))
    assert siting_why.row_card(answer, "nowhere", "rate") == siting_why.GONE
    assert siting_why.row_card(answer, rows[0]["id"], "rate99") == siting_why.GONE
    median = np.median([row["all_mean_lmp"] for row in rows])
    assert siting_tables.medians(answer)["all", "mean_lmp"] == pytest.approx(median)
    assert f"Mean LMP {number(float(median), 3)}" in text(siting_tables.basis(answer))


def test_prices_are_those_of_the_selected_site_else_of_the_best(screen: Screen) -> None:
    answer = screen.answer(threshold=50, size="50")
    best = siting_prices.prices_of(answer, None)
    assert isinstance(best, siting_prices.Prices)
    assert best.bus == answer.shortlist[0]
    assert answer.market is not None
    site = next(one for one in answer.market.sites if one.placement and one.placement.bus == best.bus)
    before = answer.market.base.mean_lmp
    rows = {row["id"]: row for row in siting_prices.rows(answer, best)}
    for bus, key in enumerate(answer.network.buses.ids):
        assert rows[key]["without"] == pytest.approx(before[bus])
        assert rows[key]["with"] == pytest.approx(site.mean_lmp[bus])
        assert rows[key]["change"] == pytest.approx(site.mean_lmp[bus] - before[bus])
        assert rows[key]["energy"] + rows[key]["congestion"] == pytest.approx(rows[key]["with"])
    slack = answer.network.slack  # where a price has no part of congestion
    assert rows[answer.network.buses.ids[slack]]["congestion"] == pytest.approx(0.0, abs=1e-4)
    layer = siting_prices.layer(best)
    assert layer.palette == "difference"
    assert layer.bus_class is not None
    assert len(layer.labels) == 7


def test_classes_of_a_price_change_are_even_on_both_sides_and_quiet_in_the_middle() -> None:
    change = np.array([-5.0, -0.4, -0.01, 0.0, 0.01, 0.4, 5.0, np.nan])
    found = siting_prices.Prices(
        0, np.zeros(8), change, 0.02, "a site", default=False, energy=20.0, energy_change=0.1, days=""
    )
    marks = siting_prices.breaks(change, found.quiet)
    assert marks[0] == 0.02
    assert list(marks) == sorted(marks)
    classes = siting_prices.layer(found).bus_class
    assert classes is not None
    assert list(classes[2:5]) == [4, 4, 4]  # within the noise floor: the middle of seven
    assert classes[7] == 0
    for low, high in ((0, 6), (1, 5)):
        assert classes[low] + classes[high] == 8  # as far from the middle


def test_a_file_of_hours_is_read_before_it_is_kept(seat: Seat) -> None:
    good = b"hour,bus A,bus B\n2024-07-01 15:00,0,180\n2024-07-01 16:00,0,190\n"
    found = take_in(seat, "mine.csv", good)
    assert found.message == "mine.csv: 2 hours read, loads by bus"
    assert (found.value, "mine.csv") in files_of(seat)
    with pytest.raises(FileFormatError, match="no column is named like"):
        take_in(seat, "bad.csv", b"hour,bus nowhere\n2024-07-01 15:00,5\n")
    assert "bad.csv" not in {name for _, name in files_of(seat)}
