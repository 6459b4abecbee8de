"""What the Siting page says of the market: its days, its sizes, how long it takes, and what its shortlist chose."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components import (
    siting_basis,
    siting_cards_market,
    siting_compare,
    siting_funnel,
    siting_market,
    siting_market_plan,
    siting_overview,
    siting_prices,
    siting_tables,
    siting_totals,
)
from components.siting_answer import Answer, Drawn, Gate
from components.siting_controls import drawn_size
from engine.commitment.outcome import End
from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network
from engine.siting.defaults import MOST_MARKET_S, starting_market, starting_question
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.market_time import BASE_S, LOT_S, NOISE_S, SECURED, SITE_S, market_s
from engine.siting.order import order_of
from engine.siting.sheet import metric_lines
from engine.siting.shortlist import label_name, label_of
from engine.siting.site_noise import floor_with
from tests.callbacks.screen import ids_in, text
from tests.siting_study import gate_run, market_run, network

NEEDED = type("Needed", (), {"found": "needed", "job": None})()
ANSWERED = type("Answered", (), {"found": "answered", "job": None})()


# At a threshold of 0 both buses qualify under both envelopes at both sizes.


def answer(*, top: int = 20, market: Any = None, **told: Any) -> Answer:
    run, found = gate_run(), market_run() if market is None else market
    gate = Gate("key", run.question, run.gate, run, told)
    drawn = Drawn("firm", 100.0, 0.0, top, (1.0,) * 3, True)
    return Answer(run.network, gate, drawn, found, "market", order_of(gate, found, drawn.by))


def test_the_plan_names_the_days_and_counts_the_sizes_that_go_on() -> None:
    every = MarketQuestion(days="peak", most_sites=1)
    one = replace(every, sizes_mw=(100.0,))
    found = replace(answer(), market=None)
    sites = siting_market_plan.plan(found.network, found.gate, every, 0.0)[0]
    half = siting_market_plan.plan(found.network, found.gate, one, 0.0)[0]
    assert sites == 2 * half == 4  # two envelopes, and two sizes or one
    said = text(siting_market.told(found, one, NEEDED))
    assert "2 sites go on" in said
    assert "priced on the day of the highest load, one of the typical days that stand for the year." in said
    assert "Run the market of 2 sites: about" in said
    none = text(siting_market.told(found, replace(one, sizes_mw=(75.0,)), NEEDED))
    assert "None of the sizes that go on was screened: screened are 50.0 MW, 100 MW" in none


def test_days_left_out_judged_schedules_and_an_unknown_floor_are_told() -> None:
    """What is not known is said, never shown as a number."""
    found = market_run()
    lost = {"label": "2020-08-12", "reason": "highest load, 76,376 MW", "status": "time limit", "why": "no schedule"}
    judged = {"schedules": 5, "before_outages_alone": 2, "refused": 1, "found": ["2020-03-03: too many MW"]}
    facts = dict(found.facts) | {"days_left_out": [lost], "judged": judged, "days_without_floor": ["2020-03-03"]}
    market = replace(found, facts=facts, floor=np.full((3, 5), np.nan))
    said = text(siting_market.told(answer(market=market), found.question, ANSWERED))
    assert "Left out, without a schedule before any load: 2020-08-12 (highest load: time limit, no schedule)." in said
    assert (
        "5 schedules judged by code that shares nothing with the model (2 of them before outages alone): 1 refused"
        in said
    )
    assert "not known" in text(siting_basis.floor_table(market, ()))
    assert siting_basis.floor_words(market).endswith("Of 2020-03-03 it is not known.")
    assert "nan" not in said


def test_a_whole_year_is_offered_with_its_time() -> None:
    """Twice as many days take twice as long: no other part of the estimate depends on them once both cores are busy."""
    found = replace(answer(of_source=8784), market=None)
    year, week = MarketQuestion(days="year"), MarketQuestion(days="typical")
    assert siting_market_plan.days_of(found.network, found.gate, year) == 366
    ratio = [siting_market_plan.plan(found.network, found.gate, one, 0.0)[2] for one in (year, week)]
    assert ratio[0] / ratio[1] == pytest.approx(366 / 5)  # no wind: the peak and a median of each season
    assert "every day of the year, 366 days." in text(siting_market.told(found, year, NEEDED))
    short = replace(answer(of_source=48), market=None)
    assert [siting_market_plan.days_of(short.network, short.gate, one) for one in (year, week)] == [2, 2]


def test_a_study_opens_on_seven_days_where_they_take_at_most_an_hour() -> None:
    """Texas keeps the day that its answer is of, and says what the seven would take."""
    assert MarketQuestion().days == "typical"
    assert starting_market(network()).days == "typical"
    texas = Network.from_tables(load("texas-2020"))
    start = starting_market(texas)
    assert (start.days, starting_market(Network.from_tables(load("activsg2000"))).days) == ("peak", "peak")
    placements = len(starting_question(texas).envelopes) * start.most_sites
    assert market_s(texas, 7, placements, start) > MOST_MARKET_S >= market_s(texas, 1, placements, start)
    large = replace(answer(), network=texas)
    said = text(siting_market.told(large, replace(start, sizes_mw=()), ANSWERED))
    assert "One day does not stand for the year; 7 typical days do" in said
    assert "on 7 typical days: about" in said
    assert "typical days" not in text(siting_market.told(answer(), replace(start, days="typical"), ANSWERED))


def test_an_estimate_is_what_its_parts_took_on_texas() -> None:
    """One day of Texas with one site and no noise floor: the base, then the site on one of two cores."""
    texas = Network.from_tables(load("texas-2020"))
    one = replace(MarketQuestion(), samples=0)
    assert market_s(texas, 1, 1, one) == pytest.approx(BASE_S + SITE_S / 2)
    assert market_s(texas, 1, 1, replace(one, security="n-1")) == pytest.approx(SECURED * (BASE_S + SITE_S / 2))
    small = {name: market_s(Network.from_tables(load(name)), 1, 2, one) for name in ("fourbus", "rts24", "ieee118")}
    # Processor seconds as measured, a site apart: 0.05 s; 11.4 s and 5.6 s a site; 0.35 s and 0.1 s a site.
    for name, least in {"fourbus": 0.05, "rts24": 11.4 + 5.6, "ieee118": 0.45}.items():
        assert least / 5 <= small[name] <= 5 * least


def test_units_that_stay_on_are_asked_by_id_kept_in_the_link_and_told() -> None:
    start = starting_market(network())
    held = siting_market.words_of(start) | {"stay": "a, b , a"}
    asked = siting_market.market_of(held, start.to_json())
    assert asked.must_run == ("a", "b")
    link = "~".join(str(siting_market.words_of(asked)[name]) for name in siting_market.NAMES)
    assert siting_market.read(link, start) == asked
    assert siting_market.read("~".join(link.split("~")[:8]), start) == start  # from before units could be named
    before = "~".join(str(siting_market.words_of(asked)[name]) for name in siting_market.NAMES if name != "noise")
    assert siting_market.read(before, start) == asked  # from before the noise with a site could be asked for
    for held in (link, before):
        assert siting_market.read(f"{held}~c", start).must_run == ("a", "b~c")  # a sign that an id may hold
    siting_market.check_units(network(), asked)
    with pytest.raises(QuestionError, match="'c', 'd' are not in the network"):
        siting_market.check_units(network(), replace(asked, must_run=("a", "c", "d")))
    off = network().tables.units.assign(in_service=[True, False])
    with pytest.raises(QuestionError, match="'b' is out of service"):
        siting_market.check_units(Network.from_tables(network().tables.with_table("units", off)), asked)
    found = replace(market_run(), question=replace(market_run().question, must_run=("a", "b")))
    said = text(siting_market.told(answer(market=found), found.question, ANSWERED))
    assert "Units that stay on: a, b." in said
    assert "Units that stay on" not in text(siting_market.told(answer(), market_run().question, ANSWERED))


def test_what_was_found_says_its_rules_and_what_was_not_priced() -> None:
    found = answer()
    said = text(siting_market.told(found, found.market.question, ANSWERED))  # type: ignore[union-attr]
    assert "one of the typical days" in said
    assert "On-peak: hours 16-19." in said
    assert "hold with every branch in service" in said
    facts = {
        **market_run().facts,
        "security": "n-1",
        "reserve": "no reserve",
        "peak_hours": [18, 19],
        "peak_of": "late",
    }
    other = replace(market_run(), question=MarketQuestion(sizes_mw=(50.0,), security="n-1"), facts=facts)
    said = text(siting_market.told(answer(market=other), other.question, ANSWERED))
    assert "With no reserve; limits on flows hold after each branch outage too. On-peak: hours 18-19." in said
    assert "100 MW is drawn and was not priced" in said


def test_a_shortlist_of_all_that_were_priced_is_said_to_be_one() -> None:
    # Two sites of each envelope and size are priced, three that qualify are not.
    assert "Every priced site is on the shortlist of 2, and 3 that qualify" in text(siting_overview.head(answer(top=2)))
    assert "Every priced site" not in text(siting_overview.head(answer(top=1)))
    whole = replace(market_run(), facts={**market_run().facts, "left_out": 0})
    assert siting_market.all_listed(answer(top=2, market=whole)) == ""
    alone = replace(whole, sites=whole.sites[:1])
    assert "One site is priced" in text(siting_overview.head(answer(top=2, market=alone)))


def test_the_market_that_a_page_opens_with_prices_a_size_of_its_question() -> None:
    run = gate_run()
    for sizes in ((50.0, 100.0), (500.0, 1000.0, 2000.0)):
        asked = starting_market(run.network, replace(run.question, sizes_mw=sizes))
        assert asked.sizes_of(sizes) == (drawn_size(replace(run.question, sizes_mw=sizes), None),)
        assert asked.most_sites == 3 * run.question.shortlist
    assert siting_market.read("peak~~2~0.03~10", asked).sizes_mw == ()  # a link from before sizes could be named


def test_places_that_noise_opens_are_marked_by_the_weights_and_length_that_are_drawn() -> None:
    # Two sites of firm, 100 MW: a shortlist of both leaves nothing open, one of the first does where noise is large.
    assert not answer(top=2).open_places
    assert siting_market.open_words(answer(top=2)) == ""
    found = answer(top=1)
    assert found.ranked is not None
    one, other = (found.intervals[site.placement.bus] for site in _firm(found))
    assert max(one[0], other[0]) <= min(one[1], other[1])  # the scores of the two overlap within the noise
    assert found.open_places == {0, 1}
    assert not found.loose  # the figures of this study are said to be within 1e-5
    assert "each of them is solved to 0.01 %" in siting_market.open_words(found)
    rough = replace(
        market_run(),
        sites=tuple(
            replace(site, days=tuple(replace(day, gap=3e-4) for day in site.days)) for site in market_run().sites
        ),
    )
    loose = answer(top=1, market=rough)
    assert loose.loose == loose.open_places
    assert "2 of them have a gap above 0.01 %" in siting_market.open_words(loose)
    rows = {row["id"]: row["noise"] for row in siting_tables.ranked_rows(loose)}
    assert rows == {"A": "open, loosely solved", "B": "open, loosely solved"}
    assert {row["noise"] for row in siting_tables.ranked_rows(answer(top=2))} == {"firm"}


def _firm(found: Answer) -> list[Any]:
    assert found.ranked is not None
    return [found.ranked.sites[row] for row in found.standings.values()]


def test_equal_scores_at_the_end_of_the_shortlist_are_tied_and_not_called_firm() -> None:
    # Every site has the figures of the first of its envelope and size, so two of a label score the same.
    whole = market_run()
    first = {}
    for site in whole.sites:
        first.setdefault(label_of(site), site.metrics)
    alike = replace(whole, sites=tuple(replace(site, metrics=first[label_of(site)]) for site in whole.sites))
    for market in (alike, replace(alike, floor=None)):
        found = answer(top=1, market=market)
        assert found.tied == {0, 1}
        assert {row["noise"] for row in siting_tables.ranked_rows(found)} == {"tied"}
        assert "2 sites score" in siting_market.tied_words(found)
        assert "1 of them is listed by the rule between equal scores alone" in siting_market.tied_words(found)
    both = answer(top=2, market=alike)  # both are on the shortlist: no rule decides
    assert not both.tied
    assert siting_market.tied_words(both) == ""
    assert not answer(top=1).tied


def test_what_was_sent_and_not_priced_is_told_beside_what_was_priced() -> None:
    # Of the two sites of firm and 100 MW one runs out of time.
    whole = market_run()
    late = next(site for site in whole.sites if label_of(site) == label_name("firm", 100.0))
    slow = replace(late, days=tuple(replace(day, status=End.TIME_LIMIT, hours=None) for day in late.days))
    market = replace(whole, sites=tuple(slow if site is late else site for site in whole.sites))
    found = answer(top=1, market=market)
    assert siting_funnel.stage_counts(found, "firm") == (2, 2, 2, 1, 1)
    assert siting_funnel.lost_counts(found, "firm") == (1, 0)
    assert "ran out of time: 1 of 2 firm." in siting_funnel.lost_words(found)
    assert siting_funnel.lost_words(answer()) == ""
    card = text(siting_funnel.stage_card(found, "market", 0))
    assert card.startswith("1 site of firm priced on every day")
    assert "ran out of time" in card
    assert text(siting_funnel.stage_card(found, "sent", 0)).startswith("2 sites of firm sent to the market")


def test_what_was_not_priced_is_told_beside_the_shortlist() -> None:
    # Both buses qualify under both envelopes at 100 MW: four placements, one of which the market did not take.
    whole = market_run()
    kept = tuple(site for site in whole.sites if (site.placement.bus, site.placement.envelope.name) != (1, "shift"))  # type: ignore[union-attr]
    said = text(siting_overview.head(answer(market=replace(whole, sites=kept))))
    assert "1 of 4 placements that qualify at 100 MW were not priced: the market took 3" in said
    assert "were not priced: the market took" not in text(siting_overview.head(answer()))


def test_a_size_that_was_not_taken_to_the_market_is_said_to_be_one() -> None:
    whole = market_run()
    found = answer(
        market=replace(
            whole,
            question=replace(whole.question, sizes_mw=(50.0,)),
            sites=tuple(site for site in whole.sites if site.placement and site.placement.nameplate_mw == 50.0),
        )
    )
    said = text(siting_overview.head(found))
    assert "100 MW was not taken to the market: 4 placements qualify and none is priced. Name it under Market" in said
    assert "The shortlist is chosen from these alone" not in said
    assert "this size was not taken to the market" in text(siting_totals.totals_of(found))


def test_why_there_is_no_shortlist_is_told() -> None:
    none = replace(answer(), market=None, ranked=None)
    assert "the market has not run yet" in text(siting_totals.totals_of(none))
    strict = replace(none, drawn=replace(none.drawn, threshold=1.1))
    assert "no site qualifies" in text(siting_totals.totals_of(strict))


def test_counts_gaps_and_open_places_of_the_market_say_why() -> None:
    found = answer(top=1)
    assert found.open_places  # a noise floor of 0.25 beside figures from 0 to 1
    assert found.market is not None
    parts = siting_market.told(found, found.market.question, ANSWERED)
    assert {"siting-why-market", "siting-why-open"} <= set(ids_in(parts))
    said = " ".join(text(parts).split())
    assert "8 of 8 sites priced" in said
    assert "gaps found of sites, least to widest 0.001 % to 0.001 %" in said  # 1e-5 each
    assert "2 places too close to call" in said


def test_shortlists_shared_sites_and_scores_of_two_envelopes_say_why() -> None:
    parts = siting_compare.told(answer(), ("firm", "shift"))
    assert {"siting-why-overlap", "siting-why-both"} <= set(ids_in(parts))
    said = " ".join(text(parts).split())
    assert "The shortlists of firm and shift share 100 %" in said  # two sites each, the same
    assert "2 sites served under firm and under shift" in said


def test_the_noise_floor_of_the_mean_over_buses_is_not_held_against_one_bus() -> None:
    found = siting_prices.prices_of(answer(), None)
    assert isinstance(found, siting_prices.Prices)
    said = text(siting_prices.told(found))
    assert "the noise floor of that mean is 0.250 $/MWh" in said
    assert "how far chance alone moves the price of one bus is not known" in said
    assert "said" not in siting_prices.rows(answer(), found)[0]


def test_before_the_market_its_step_follows_the_funnel_and_the_notes_come_after() -> None:
    priced, waits = answer(), replace(answer(), market=None, ranked=None)
    hint = "press a number and it says why"
    assert hint not in text(siting_overview.head(waits))
    assert hint in text(siting_overview.rest(waits, "light"))
    assert hint in text(siting_overview.head(priced))
    assert hint not in text(siting_overview.rest(priced, "light"))


def with_moved(*moved: float | None, **facts: Any) -> MarketRun:
    """The eight sites of the study, the first of which moved by these amounts in all figures."""
    found = market_run()
    moves = [None if by is None else np.full((3, 5), by) for by in (*moved, *(None,) * (len(found.sites) - len(moved)))]
    sites = tuple(replace(site, moved=by) for site, by in zip(found.sites, moves, strict=True))
    floor = floor_with(np.full((3, 5), 0.25), sites)
    told = dict(found.facts) | {"noise_with_site": {"sites": len(moved), "by_lot": 0}} | facts
    return replace(found, sites=sites, facts=told, floor=floor, floor_without=np.full((3, 5), 0.25))


def test_the_noise_with_a_site_is_told_beside_that_without_and_the_floor_is_the_larger() -> None:
    """By hand: of 0.1, 0.5 and 0.9 the median is 0.5, above 0.25 without a site; of 0.1 and 0.2 it is below."""
    more = with_moved(0.1, 0.5, 0.9)
    table = text(siting_basis.floor_table(more, ()))
    assert "On-peak: LMP P95-P5, $/MWh 0.250 0.500 0.900 0.500" in table
    assert "max[" in table  # the rule, on the card
    assert "With a site it is measured on 3 sites that were solved again" in table
    words = siting_basis.floor_words(more)
    assert words.startswith("Noise floor, with what 3 sites moved by: mean LMP 0.500 $/MWh")
    less = text(siting_basis.floor_table(with_moved(0.1, 0.2), ()))
    assert "On-peak: LMP P95-P5, $/MWh 0.250 0.150 0.200 0.250" in less
    card = text(siting_cards_market.open_places(answer(top=1, market=more), more))
    assert "0.500 $/MWh" in card
    lot = with_moved(0.1, 0.2, noise_with_site={"sites": 2, "by_lot": 2})
    assert "on 2 sites drawn by lot: metric" in siting_basis.with_a_site(lot)


def test_a_noise_with_a_site_that_was_not_measured_is_said_and_offered_with_its_time() -> None:
    for found, why, offer in (
        (with_moved(), "no site was solved again", "Measure the noise with a site on 3 sites drawn by lot: about"),
        (market_run(), "this market is from before that was done", "Run this market again with the noise with a site"),
    ):
        said = text(siting_market.told(answer(market=found), found.question, ANSWERED))
        assert f"that is not measured, as {why}." in siting_basis.with_a_site(found)
        assert "Noise floor, measured without a site" in siting_basis.floor_words(found)
        assert offer in said
    runs = replace(market_run(), facts=dict(market_run().facts) | {"days_asked": 1})
    assert "not measured, as sites are solved again at the end." in siting_basis.with_a_site(runs)
    asked = with_moved()
    asked = replace(asked, question=replace(asked.question, noise_sites=3))
    assert "too few schedules as good were found on the sites drawn by lot" in siting_basis.with_a_site(asked)
    for found in (asked, with_moved(0.1), replace(market_run(), floor=None, question=MarketQuestion(samples=0))):
        assert "noise with a site" not in text(siting_market.told(answer(market=found), found.question, ANSWERED))
    # The button's script asks for as many sites as the button says.
    script = (Path(__file__).parents[2] / "assets" / "90_siting.js").read_text(encoding="utf-8")
    assert f"return [KEEP(), {siting_market_plan.NOISE_SITES}, noise];" in script


def test_the_noise_with_a_site_is_asked_by_a_control_kept_in_the_link_and_counted_in_the_time() -> None:
    start = starting_market(network())
    asked = siting_market.market_of(siting_market.words_of(start) | {"noise": "3"}, start.to_json())
    assert asked == replace(start, noise_sites=3)
    link = "~".join(str(siting_market.words_of(asked)[name]) for name in siting_market.NAMES)
    assert siting_market.read(link, start) == asked
    assert "noise_sites" not in start.to_json()  # a question without it keeps its key
    with pytest.raises(QuestionError, match="ask for samples of the noise floor"):
        replace(asked, samples=0).checked()
    texas = Network.from_tables(load("texas-2020"))
    one = replace(MarketQuestion(), samples=4)
    more = market_s(texas, 2, 5, replace(one, noise_sites=3)) - market_s(texas, 2, 5, one)
    assert more == pytest.approx(2 * 3 * (LOT_S + 4 * NOISE_S) / 2)  # days, sites, each from nothing with four samples


def test_a_site_that_moved_farther_than_the_floor_is_judged_by_what_it_moved() -> None:
    found = with_moved(0.9)  # the median of one site is its own
    market = replace(found, floor=np.full((3, 5), 1e-9))
    lines = metric_lines(market, market.sites[0])
    assert all(line.within_noise == (abs(line.from_median) <= 0.9) for line in lines)
    assert any(line.within_noise for line in lines)
    others = metric_lines(market, market.sites[1])
    assert not any(line.within_noise for line in others if line.from_median)
