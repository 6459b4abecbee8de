"""Envelopes, on-site resources and stages on the Siting page: told, refused, mended, on a site's sheet."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import unquote

import pytest

from callbacks.siting_envelopes import told
from components import siting_controls, siting_words
from components.siting_resources import resource_sections
from components.siting_site import SiteStudy
from components.siting_states import changed_words
from components.siting_view import question_query, read_question
from components.static import static
from engine.errors import QuestionError
from engine.siting.criteria import Criterion, OwnCriteria, read_columns
from engine.siting.defaults import starting_question
from engine.siting.gate.screening import screen
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, gate_question
from engine.siting.staging import Stage
from tests.callbacks.screen import text
from tests.siting_study import gate_run, network

WORDS = siting_words.words_of(SitingQuestion(sizes_mw=(300.0,)))
STAGES = (Stage(date(2027, 6, 1), 20.0), Stage(date(2029, 1, 1), 100.0))


def shown(**words: Any) -> str:
    part = told(WORDS | words)
    static(part)  # the panel travels as one component
    return text(part)


def test_a_profile_that_breaks_its_ramp_is_refused_and_mended_at_a_click() -> None:
    assert "refused" not in shown()
    refused = shown(shift="35")
    # u (depth + make-up) = 0.8 (0.35 + 0.07) = 33.6 % of the nameplate, above 20.
    assert "'shift' changes by 33.6 % of the nameplate into hour 16, more than its ramp bound of 20 %" in refused
    assert "shift is refused as it stands. Tick Mend" in refused
    for head in ("Asked, %", "Mended, %"):  # the 24 values of both
        assert head in refused
    assert "Mended: the nearest profile" in shown(shift="35", repair=["repair"])
    with pytest.raises(QuestionError, match="ramp bound of 20 %"):
        siting_words.envelopes_of(WORDS | {"shift": "35"})
    (mended,) = siting_words.envelopes_of(WORDS | {"kinds": ["shift"], "shift": "35", "repair": ["repair"]})
    assert mended.problems() == []
    assert sum(mended.share) == pytest.approx(24 * 0.8)  # a shift keeps its energy


def test_profiles_of_24_values_and_their_mistakes_are_told_all_at_once() -> None:
    night = "night: " + ", ".join(["80"] * 24)
    assert "80 to 80 % of the nameplate" in shown(own=night)
    wrong = {"own": "night 80\nday: 80, much", "utilisation": "", "peak": "16-30", "ramp": "0", "onsite": "1, 2, -3"}
    answer = shown(**wrong)
    for words in (
        "utilisation in per cent is a number", "Peak hours are hours of the day", "ramp bound in per cent is 0",
        "'night 80'", "share of day in per cent is a number, not 'much'",
    ):  # fmt: skip
        assert words in answer, words
    with pytest.raises(QuestionError) as refused:
        siting_words.question_of(WORDS | wrong | {"sizes": "", "stages": "soon 5\n2027-01-01"}, SitingQuestion())
    for words in (
        "give a size in MW", "on-site resources in MW in hour 3 is -3: 0 to 20000", "on-site resources have 3 values",
        "stages, line 1: a date and MW such as 2027-06-01 300, not 'soon 5'", "stages, line 2",
    ):  # fmt: skip
        assert words in str(refused.value), words
    assert "have 3 values: 1, or 24" in shown(onsite="1 2 3")


@pytest.mark.parametrize(
    ("line", "level"),
    [  # % of the nameplate in the peak, (1 - depth) u, and in other hours, (1 + make-up) u; the hours of the peak
        (
            "deep: shift 25 17-20",
            (60.0, 84.0, (17, 18, 19, 20)),
        ),  # the make-up that keeps the energy: 25 x 4 / 20 = 5 %
        ("deep: shift 20 +3", (64.0, 82.4, (16, 17, 18, 19))),
        ("long: pause 10 7 8 18 at 90", (81.0, 90.0, (7, 8, 18))),
        ("full: firm at 95", (95.0, 95.0, (16, 17, 18, 19))),
    ],
)
def test_an_envelope_of_one_s_own_is_made_by_its_parameters(
    line: str, level: tuple[float, float, tuple[int, ...]]
) -> None:
    words = WORDS | {"kinds": ["firm"], "own": line, "ramp": "30"}
    _, own = siting_words.envelopes_of(words)
    peak = own.peak_hours
    found = [100.0 * own.share[peak[0] - 1], 100.0 * own.share[0]]
    assert (own.name, peak) == (line.partition(":")[0], level[2])
    assert found == pytest.approx(list(level[:2]))
    # a link and a reload hold it by its parameters again, and make the same of it
    asked = siting_words.question_of(words, SitingQuestion())
    held = siting_words.words_of(asked)
    assert len(held["own"].split()) < 12
    assert siting_words.envelopes_of(held) == asked.envelopes


def test_parameters_that_say_nothing_are_refused() -> None:
    wrong = "a: pause much\nb: firm 20\nc: shift 25 16-30\nd: pause 10 at\ne: shift 20 +x"
    with pytest.raises(QuestionError) as refused:
        siting_words.envelopes_of(WORDS | {"own": wrong})
    for words in (
        "depth of a in per cent is a number, not 'much'", "envelope 'b': '20' says nothing of a firm load",
        "peak hours are hours of the day", "utilisation of d in per cent is a number",
        "make-up of e in per cent is a number, not 'x'",
    ):  # fmt: skip
        assert words in str(refused.value), words


def test_gross_and_net_are_told_in_the_panel() -> None:
    answer = shown(onsite="40")
    assert "At 300 MW: 240 MW gross, 200 MW net" in answer  # 0.8 x 300, less 40
    noon = ", ".join("90" if hour == 12 else "0" for hour in range(1, 25))
    assert "changes by 90.0 MW into hour 12, more than its ramp bound of 60 MW an hour" in shown(onsite=noon)
    assert siting_words.envelope_words(SitingQuestion().envelopes, (40.0,)) == "firm, pause or shift less 40 MW on site"


def test_a_link_carries_what_was_asked_and_takes_it_back() -> None:
    start = starting_question(network())
    asked = replace(start, onsite_mw=(5.0,), stages=STAGES, outage_rating="c")
    for here, there in ((asked, start), (start, asked)):
        query = question_query(here, there)
        assert read_question({"ask": _unquoted(query)}, there) == here
    assert changed_words(start, asked) == ["the rating", "on-site resources", "the stages"]
    options = siting_controls.size_options(replace(asked, sizes_mw=(50.0, 100.0)))
    assert [option["label"] for option in options] == ["20.0 MW, a stage", "50.0 MW", "100 MW"]


def test_a_site_is_told_its_net_load_its_stages_and_its_criteria() -> None:
    here = gate_run()
    question = replace(here.question, onsite_mw=(10.0,), stages=STAGES, buses=("B",))
    gate = screen(here.prepared.case, here.contingencies, gate_question(question, here.prepared))
    run = GateRun(question, here.prepared, here.contingencies, gate)
    columns = read_columns("bus,water,land\nB,3,\n", here.network.buses.ids)
    own = OwnCriteria.of([Criterion("water", "gate at most", 2.0), Criterion("land", "gate at least", 1.0)], columns)
    said = text(resource_sections(SiteStudy(run, None, None, "firm", 100.0, 0.5, own), 1))
    assert "80.0 MW" in said  # gross, 0.8 x 100
    assert "70.0 MW" in said  # less 10
    for stage in STAGES:
        assert str(stage.start) in said
    low = {mw: gate.pass_rate("firm", mw)[0][0] for mw in (20.0, 100.0)}
    assert f"{100 * low[20.0]:.1f}" in said
    assert "3, at most 2" in said
    assert "not known" in said
    static(resource_sections(SiteStudy(run, None, None, "firm", 100.0, 0.5, own), 1))
    assert resource_sections(SiteStudy(here, None, None, "firm", 100.0, 0.5), 1) == []


def _unquoted(query: str) -> str:
    text_of = unquote(query.partition("=")[2])
    json.loads(text_of)
    return text_of
