"""A planner's own criteria on the Siting page: taken in, chosen, ranked at once, in the catalogue."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from callbacks import siting_criteria
from callbacks.services import Services
from callbacks.siting_answer import Seat
from callbacks.siting_criteria import criteria_of, held_of, own_groups, take_in, word_of
from callbacks.siting_desk import Desk, drawn_of, ranking_of
from components import siting_catalogue as catalogue_view
from components import siting_criteria as view
from components import siting_overview, siting_tables, siting_words
from components.siting_answer import Answer, Gate
from components.siting_market_plan import plan
from components.siting_site import SiteStudy
from engine.errors import EngineError, QuestionError
from engine.siting.criteria import Criterion, OwnCriteria, criteria_problems, read_columns
from engine.siting.gate.results import FAILED, PASSED
from engine.siting.market_run import MarketQuestion, chosen_sites
from engine.siting.question import SitingQuestion
from engine.siting.ranking import GROUPS, metric_criteria, rank
from engine.siting.run import catalogue_of
from engine.siting.shortlist import rank_sites
from tests.callbacks.screen import ANNE, text
from tests.siting_study import gate_run, market_run, network

CSV = "bus,water,noise\nA,3,50\nB,1,70\n"
COLUMNS = read_columns(CSV, network().buses.ids)
DRAWN = {"envelope": "firm", "size": 50.0, "threshold": 0.0, "top": 1, "weights": [1, 1, 1], "pooled": True}
# At a threshold of 0 every candidate passes: what stops one is a criterion.
RUN = replace(gate_run(), gate=replace(gate_run().gate, threshold=0.0))


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    folder = tmp_path_factory.mktemp("criteria")
    opened = Services.open(f"sqlite:///{folder / 'store.db'}", folder / "artefacts")
    yield Seat(Desk(opened), ANNE, opened.studies.create(ANNE, "Pair", network().tables))
    opened.close()


def answer(*criteria: Criterion, groups: tuple[tuple[str, float], ...] = ()) -> Answer:
    run = RUN
    question = replace(run.question, criteria=criteria, criteria_file="f", group_weights=groups)
    gate = Gate("key", question, run.gate, run)
    own = OwnCriteria.of(criteria, COLUMNS, groups) if criteria else None
    drawn = drawn_of(DRAWN)
    ranked, refused = ranking_of(gate, market_run(), drawn, own)
    return Answer(network(), gate, drawn, market_run(), "m", ranked, refused, own)


def test_a_file_is_kept_with_the_study_once_all_of_it_can_be_read(seat: Seat) -> None:
    with pytest.raises(EngineError) as refused:
        take_in(seat, "bad.csv", b"bus,water\nnowhere,2\nA,x\nB,3\nB,4\n")
    for words in ("line 2: bus 'nowhere' is not in the network", "line 3: water is 'x', not a number",
                  "line 5: bus 'B' comes twice"):  # fmt: skip
        assert words in str(refused.value)
    assert siting_criteria.files_of(seat) == []
    with pytest.raises(EngineError, match="no text in UTF-8"):
        take_in(seat, "bad.csv", b"\xff\xfe\x00")
    digest, told = take_in(seat, "land.csv", CSV.encode())
    assert "2 columns read" in told
    assert siting_criteria.files_of(seat) == [(digest, "land.csv")]
    question = SitingQuestion(criteria=(Criterion("water", "gate at most", 2.0),), criteria_file=digest)
    own = seat.desk.own_of(ANNE, seat.study, question)
    assert own is not None
    assert own.passes.tolist() == [False, True]  # 3 and 1 against at most 2, by hand
    table = text(view.table(siting_criteria.columns_of(seat, digest), {}))
    assert "1 to 3, known at 2 of 2 buses" in table


def test_the_controls_make_the_word_and_the_word_the_question() -> None:
    held = {
        "water": {"use": "gate at most", "limit": "2.5", "group": None, "weight": None},
        "noise": {"use": "cost", "limit": None, "group": "nuisance", "weight": 2},
        "land": {"use": "none", "limit": None, "group": None, "weight": None},
    }
    criteria = criteria_of(held)
    assert criteria == (
        Criterion("water", "gate at most", 2.5),
        Criterion("noise", "cost", group="nuisance", weight=2.0),
    )
    assert own_groups(criteria) == ["nuisance"]
    word = word_of("f" * 64, criteria, {"nuisance": 3.0})
    question = siting_words.question_of(siting_words.words_of(SitingQuestion()) | {"criteria": word}, SitingQuestion())
    assert (question.criteria, question.criteria_file) == (criteria, "f" * 64)
    assert question.group_weights == (("nuisance", 3.0),)
    assert SitingQuestion.from_json(json.loads(json.dumps(question.to_json()))) == question
    assert siting_words.words_of(question)["criteria"] == word
    assert held_of("no word") == ("", (), {})
    wrong = {"water": {"use": "gate at most", "limit": None}, "noise": {"use": "cost", "weight": -1, "group": "x"}}
    with pytest.raises(QuestionError, match=r"water: give its limit as a number; the weight of column 'noise' is -1"):
        criteria_of(wrong)


def test_a_gate_stops_a_site_on_the_map_in_the_ranking_and_in_the_catalogue() -> None:
    before, found = answer(), answer(Criterion("water", "gate at most", 2.0))
    assert before.verdict.tolist() == [PASSED, PASSED]
    assert found.verdict.tolist() == [FAILED, PASSED]  # A has 3, at most 2 is asked
    assert (set(before.standings), set(found.standings)) == ({0, 1}, {1})
    told = {row["id"]: row["verdict0"] for row in siting_tables.candidate_rows(found)}
    assert told == {"A": "stopped by your criteria", "B": "qualified"}
    assert "Your criteria: water at most 2: stops 1" in text(siting_overview.head(found))
    everywhere = MarketQuestion(most_sites=0)
    counts = [plan(network(), one.gate, everywhere, 0.0, one.own)[0] for one in (before, found)]
    chosen = [chosen_sites(RUN, everywhere, None if one.own is None else one.own.passes)[0] for one in (before, found)]
    assert [len(one) for one in chosen] == counts
    assert counts == [8, 4]  # two envelopes, two sizes, two buses; then one
    rows = catalogue_of(RUN, market_run(), found.ranked, own=found.own)
    standing = {row.bus: row.standing for row in rows.of("firm", 50.0)}
    assert standing == {"A": "criteria failed", "B": "qualified"}
    assert {row.bus: row.own for row in rows.entries} == {"A": (3.0,), "B": (1.0,)}
    assert rows.to_csv().splitlines()[0].endswith("place_open,water")
    assert "water at most 2: stops 1, not known at 0" in view.said(found.own)


def test_the_catalogue_counts_and_explains_a_site_that_a_criterion_stops() -> None:
    found = answer(Criterion("water", "gate at most", 2.0))
    rows = catalogue_of(RUN, market_run(), found.ranked, own=found.own)
    study = SiteStudy(RUN, market_run(), found.ranked, "firm", 50.0, 0.0, found.own)
    said = text(catalogue_view.summary(rows, study))
    assert "Stopped by your criteria" in said
    assert "1 candidate qualifies, as counted above the map; 1 of them priced" in said
    stopped = next(row for row in catalogue_view.rows(rows, study, catalogue_view.ALL) if row["bus"] == "A")
    assert stopped["reason"] == "stopped by your own criteria; the gate lets it through"


def test_a_column_named_like_a_field_of_the_catalogue_is_refused() -> None:
    # The names are those that the files themselves write: the header of the CSV and the properties of the GeoJSON.
    rows = catalogue_of(RUN, market_run(), None)
    written = set(rows.to_csv().splitlines()[0].split(","))
    written |= set(json.loads(rows.to_geojson(network()))["features"][0]["properties"])
    for name in written | {"Score", "group_7"}:
        found = criteria_problems([Criterion(name, "cost")])
        assert any(name in problem and "give it another" in problem for problem in found), name
    assert criteria_problems([Criterion("water", "cost")]) == []
    with pytest.raises(QuestionError, match="column 'score' has the name of a field of the catalogue"):
        criteria_of({"score": {"use": "cost", "group": "mine", "weight": 1}})


def test_a_score_is_a_column_of_the_ranking_and_its_group_counts_by_its_weight() -> None:
    criteria = (
        Criterion("water", "cost", group="mine"),
        Criterion("noise", "benefit", group="peak congestion", weight=4.0),
    )
    found = answer(*criteria, groups=(("mine", 5.0),))
    ranked = found.ranked
    assert ranked is not None, found.refused
    assert ranked.groups == (*GROUPS, "mine")
    # The same by hand: the table with two columns more, the group's weight 5, the column's 4.
    buses = [site.placement.bus for site in ranked.sites if site.placement is not None]
    water, noise = np.array([3.0, 1.0])[buses], -np.array([50.0, 70.0])[buses]
    table = np.column_stack([[site.metrics.ravel() for site in ranked.sites], water, noise])
    groups = dict(GROUPS) | {"mine": ("water",)}
    groups["peak congestion"] = (*GROUPS["peak congestion"], "noise")
    expected = rank(
        table, (*metric_criteria(), "water", "noise"), groups, group_weights=[1, 1, 1, 5],
        criterion_weights={"noise": 4.0},
    )  # fmt: skip
    assert ranked.score == pytest.approx(expected.score)
    assert answer().ranked is not None
    assert found.intervals.keys() == answer().intervals.keys()


def test_a_group_of_overwhelming_weight_decides_alone() -> None:
    # TOPSIS distances are then those of one column: closeness is its benefit, 1 for the least water and 0 for the most.
    ranked = answer(Criterion("water", "cost", group="mine"), groups=(("mine", 1000.0),)).ranked
    assert ranked is not None
    for row, site in enumerate(ranked.sites):
        assert site.placement is not None
        assert ranked.score[row] == pytest.approx(float(site.placement.bus == 1), abs=5e-3)


def test_the_weight_of_a_column_multiplies_what_entropy_gives_it() -> None:
    rng = np.random.default_rng(4)
    table, groups = rng.random((6, 2)), {"one": ("a", "b")}
    plain = rank(table, ("a", "b"), groups)
    more = rank(table, ("a", "b"), groups, criterion_weights={"a": 3.0})
    share = 3.0 * plain.weight[0] / (3.0 * plain.weight[0] + plain.weight[1])
    assert more.weight == pytest.approx([share, 1.0 - share])
    with pytest.raises(QuestionError, match="the weight of a is 0: above 0"):
        rank(table, ("a", "b"), groups, criterion_weights={"a": 0.0})


def test_a_site_whose_score_is_not_known_is_not_guessed() -> None:
    columns = read_columns("bus,water\nA,3\n", network().buses.ids)
    own = OwnCriteria.of([Criterion("water", "cost")], columns)
    sites = market_run().sites
    with pytest.raises(QuestionError, match=r"water has no value at 4 of 8 sites to rank: gate on it"):
        rank_sites(sites, own.scored([site.placement.bus for site in sites if site.placement]), groups=own.groups())
    with pytest.raises(QuestionError, match="no column is named 'noise'; there are water"):
        OwnCriteria.of([Criterion("noise", "cost")], columns)
