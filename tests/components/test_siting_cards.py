"""Tables of the Siting page say why: a card for each, with numbers of the study that is worked out by hand."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from components import (
    siting_agreement,
    siting_clearing,
    siting_overview,
    siting_resources,
    siting_studies,
    siting_year,
    siting_zones,
)
from components.siting_answer import Answer, Drawn, Gate
from components.siting_site import SiteStudy, share_words
from components.siting_totals import fewer_words, qualified_card
from engine.siting.agreement import Agreement
from engine.siting.audit import audit
from engine.siting.envelopes import envelope
from engine.siting.gate.decide import decide
from engine.siting.gate.screening import screen
from engine.siting.order import OrderBy
from engine.siting.run import GateRun, gate_question
from engine.siting.staging import Stage
from engine.siting.studies import Count
from tests.callbacks.screen import ids_in, text
from tests.siting_study import gate_run

HERE = gate_run()


def tables_of(part: Any) -> Iterator[str]:
    """Yield the names of the small tables in a part."""
    if isinstance(part, list | tuple):
        for child in part:
            yield from tables_of(child)
        return
    packed = getattr(part, "data-siting-table", None)
    if packed is not None:
        yield json.loads(packed)["key"]
    if str(getattr(part, "id", None) or "").startswith("siting-table-") and type(part).__name__ == "Table":
        yield part.id
    if (inner := getattr(part, "children", None)) is not None:
        yield from tables_of(inner)


def each_says_why(part: Any) -> list[str]:
    """Return the tables of a part, every one of which has a card."""
    found = list(tables_of(part))
    missing = [name for name in found if f"{name}-why" not in ids_in(part)]
    assert missing == [], f"without a card: {missing}"
    return [name.removeprefix("siting-table-") for name in found]


def resources(onsite: np.ndarray | None = None, **more: Any) -> SiteStudy:
    question = replace(HERE.question, buses=("B",), **more)
    case = replace(HERE.prepared.case, onsite_mw=onsite)
    prepared = replace(HERE.prepared, case=case)
    gate = screen(case, HERE.contingencies, gate_question(question, prepared))
    return SiteStudy(GateRun(question, prepared, HERE.contingencies, gate), None, None, "firm", 100.0, 0.5)


def test_what_qualifies_is_told_with_gross_and_net_load_where_on_site_resources_give_some() -> None:
    # Firm is 80 MW of 100; 10 MW of every hour's own are made on site, or 30 and 5 MW in the two hours of the file.
    for study, words in (
        (resources(), ["load of the site 80.0 MW"]),
        (resources(onsite_mw=(10.0,)), ["load of the site, gross 80.0 MW", "what the grid serves 70.0 MW"]),
        (resources(np.array([30.0, 5.0])), ["load of the site, gross 80.0 MW", "in the hours screened 50 to 75.0 MW"]),
    ):
        drawn = Drawn("firm", 100.0, 0.5, 20, (1.0, 1.0, 1.0), True)
        answer = Answer(study.network, Gate("k", study.run.question, study.gate, study.run), drawn)
        told = " ".join(text(qualified_card(answer, 0)).split())
        assert [one for one in words if one not in told] == [], told


def test_a_depth_sweep_says_how_its_scores_are_scaled() -> None:
    counts = {"pause": {0.05: Count(2, 0), 0.4: Count(2, 0)}}
    for scaling, words in (
        ("pooled", "All depths share one scaling"),
        ("per envelope", "the scores of two depths do not"),
    ):
        study = replace(resources(), by=OrderBy(scaling=scaling))  # type: ignore[arg-type]
        told = text(siting_studies.depth(study, counts, {"pause": {0.05: 0.4, 0.4: 0.6}}))
        assert words in told
        assert "16-19" in told
        # Scores of two depths compare only where all share one scaling.
        assert ("The median score is highest for pause at 40 % (0.600)." in told) == (scaling == "pooled")


def test_gross_and_net_load_are_told_by_hour_of_the_day_or_of_every_hour_and_say_why() -> None:
    for study, summary, made in (
        (resources(onsite_mw=(10.0,)), "Hour by hour of the day", "240 MWh"),  # 24 hours of 10 MW
        (resources(np.array([30.0, 5.0])), "Each hour that is screened", "35 MWh"),
    ):
        parts = siting_resources.resource_sections(study, 1)
        assert each_says_why(parts) == ["net-load"]
        said = text(parts)
        for words in (summary, made, "80.0 MW"):  # 0.8 x 100 gross
            assert words in said, words
    assert "75.0 MW net in 2020-08-13 02:00, the most" in said  # 80 - 5, the hour that makes less
    assert "2020-08-12 15:00 80.0 50.0" in said  # 80 - 30 in the other
    both = siting_resources.net_loads(resources(np.array([30.0, 5.0])), HERE.gate.envelopes[0])
    assert both is not None
    assert both.runs() == [("2020-08-12 15:00", 80.0, 50.0), ("2020-08-13 02:00", 80.0, 75.0)]


def test_stages_say_why_with_the_pass_rate_of_their_own_size() -> None:
    study = resources(stages=(Stage(date(2027, 1, 1), 20.0), Stage(date(2028, 1, 1), 100.0)))
    parts = siting_resources.resource_sections(study, 1)
    assert each_says_why(parts) == ["stages"]
    low = study.gate.pass_rate("firm", 20.0)[0][0]
    assert f"From 2027-01-01, at most 20.0 MW: {share_words(low, low)}" in text(parts)


def test_outages_that_count_for_no_site_or_fail_anyway_say_why() -> None:
    apart = replace(HERE.gate, islanding=("branch A-C cuts off bus C",))
    gate = Gate("key", HERE.question, apart, HERE)
    answer = Answer(HERE.network, gate, Drawn("firm", 100.0, 0.05, 20, (1.0,) * 3, True))
    parts = siting_overview._made_from(answer)
    assert each_says_why(parts) == ["base-infeasible", "islanding"]
    said = text(parts)
    # Three outages fail in both hours, one in one of them: tests/engine/siting/test_sheet.py.
    assert "2 hours without any load" in said
    assert "outages that are screened | C | 4" in " ".join(said.split())


def test_bounds_over_the_year_say_why() -> None:
    bracket = decide(HERE.prepared.case, HERE.contingencies, gate_question(HERE.question, HERE.prepared))
    study = SiteStudy(HERE, None, None, "firm", 100.0, 0.5)
    parts = siting_year.shown(study, bracket, check=None, job=None, part=1, files=dict.fromkeys(siting_year.TABLES, ""))
    assert each_says_why(parts) == ["year-counts", "year"]
    least, most = bracket.pass_rate("firm", 100.0)
    assert (least == most).all()  # two hours: each is decided by itself
    assert "over 2 hours" in text(parts)


def test_awards_refusals_and_those_left_without_say_why() -> None:
    award = {"applicant": "Ann", "mw": 50.0, "bus": "A", "envelope": "firm", "score": 0.5, "pass_rate": 0.5}
    found = {
        "method": "sequence", "awards": [award], "unplaced": ["Bob"], "why": {"Bob": "the tranche is full"},
        "refusals": [{"applicant": "Bob", "bus": "B", "envelope": "firm", "reason": "the tranche of 50 MW is full"}],
        "pairs": 8, "failed": 4, "failed_share": 0.5, "allowed_share": 0.5,
    }  # fmt: skip
    parts = siting_clearing.cleared(SiteStudy(HERE, None, None, "firm", 100.0, 0.5), found)
    assert each_says_why(parts) == ["awards", "left", "refusals"]
    assert "The tranche of 50 MW is full" in text(parts)


def test_caps_and_the_days_of_a_meter_say_why() -> None:
    terms = Agreement("Alder", replace(envelope("firm"), onsite_mw=(10.0,)), 100.0, sampling_min=60)
    drawn = siting_agreement.terms(terms)
    assert each_says_why(drawn) == ["caps"]
    said = " ".join(text(drawn).split())
    for words in ("Hour 1: 70.0 MW", "made on site o 1 10.0 MW", "violated above 70.7 MW"):  # 0.8 x 100 - 10, and 1 %
        assert words in said, words
    times = [datetime(2026, 6, 1) + timedelta(hours=hour) for hour in range(48)]
    metered = np.where(np.arange(48) == 30, 75.0, 69.0)  # over its cap at 6 o'clock of the second day
    found = siting_agreement.audited(audit(terms, times, metered), "meter.csv", "the draft")
    assert each_says_why(found) == ["audit"]
    assert "2026-06-02: 1 violation" in text(found)


def test_an_envelope_that_qualifies_less_often_than_the_first_says_in_which_hours_it_draws_more() -> None:
    # Shift is 64 MW in hour 16 and 83.2 MW in hour 3; firm is 80 MW in both. At A the load relieves an outage: the
    # larger one qualifies, so shift, smaller in hour 16 and larger in hour 3 (half of the weight), does not.
    drawn = Drawn("firm", 100.0, 0.5, 20, (1.0, 1.0, 1.0), True)
    said = fewer_words(Answer(HERE.network, Gate("key", HERE.question, HERE.gate, HERE), drawn))
    assert said.startswith(
        "Shift qualifies at fewer sites than firm: in 1 of the 2 hours screened (50 % of their weight)"
    )
    assert "it draws up to 83.2 MW against 80.0 MW" in said


def test_the_card_of_zones_has_every_bar_in_it() -> None:
    drawn = Drawn("firm", 100.0, 0.5, 20, (1.0, 1.0, 1.0), True)
    answer = Answer(HERE.network, Gate("key", HERE.question, HERE.gate, HERE), drawn)
    found = text(
        siting_zones.told(answer)
    )  # firm at 100 MW: A passes, B does not (tests/callbacks/test_siting_sheet.py)
    assert "1 of 1, bar 100 %" in found
    assert "0 of 1, bar 0 %" in found
