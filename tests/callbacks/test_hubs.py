"""The Hubs page without a browser: its question, jobs, edits, files of one's own, links and saved files.

What is solved here is three hubs over three hours, once; the example comes with the program.
"""

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from callbacks import hubs_edits as edits_of_page
from callbacks import hubs_files, hubs_upload
from callbacks.day_answer import FRAME_CLASS, STALE_CLASS
from callbacks.day_desk import Seat
from callbacks.day_edits import without
from callbacks.hubs_answer import answer_to
from callbacks.hubs_desk import CASE_KIND, Desk
from callbacks.imported import CHECKS
from callbacks.job_banner import job_record
from callbacks.services import Services
from components import hubs_asked, hubs_cards, hubs_question
from components.hubs_edits import words_of
from components.hubs_view import FIRST_TAB, LONGEST_QUERY, at_of, question_query, read_question, read_view
from components.hubs_words import At
from engine.data.openings import HUBS
from engine.errors import EngineError, QuestionError
from engine.pricing import jobs
from engine.pricing.cases import three_hubs
from engine.pricing.files import to_json
from engine.pricing.question import Edit, HubQuestion
from engine.pricing.run import HubRun, run_hubs
from tests.callbacks.day_seats import DayScreen, opened, worked
from tests.callbacks.screen import ANNE, BEN, text
from tests.engine.pricing.small import export_only

SMALL = HubQuestion(hours=3, quick_time_s=60.0, ladder=False)
TWICE = Edit("battery", 2.0, "campus 740")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("hubs")) as services:
        yield services


@pytest.fixture(scope="module")
def anne(services: Services) -> Seat[Desk]:
    return Seat(Desk(services), ANNE, "")


class Screen(DayScreen):
    """The Hubs page as a browser holds it."""

    def __init__(self, seat: Seat[Desk], question: HubQuestion = SMALL) -> None:
        super().__init__(seat, hubs_asked.words_of(question), question.to_json()["edits"], answer_to)

    def run(self) -> HubRun:
        run: HubRun = super().run()
        return run


def work(seat: Seat[Desk]) -> int:
    """Compute the jobs that wait, whose answers hold what a study's file must; return how many there were."""
    return worked(seat, jobs.study_job, CHECKS.answers[jobs.STUDY])


@pytest.fixture
def solved(computed: Seat[Desk]) -> Screen:
    """A page that stands on the answer to Anne's small study."""
    screen = Screen(computed)
    screen.ask()
    return screen


@pytest.fixture(scope="module")
def computed(anne: Seat[Desk]) -> Seat[Desk]:
    """Anne, once her small study is computed by a press and a runner."""
    screen = Screen(anne)
    before = screen.ask()
    assert before.compute
    assert before.jobs is None
    assert "Not computed yet" in text(before.state)
    pressed = screen.ask(pressed=True)
    assert pressed.jobs
    assert "Finding prices" in text(pressed.state)
    assert work(anne) == 1
    done = screen.ask()
    assert (done.compute, done.jobs, done.frame) == (False, None, FRAME_CLASS)
    return anne


# The question


def test_the_page_opens_on_its_example_and_computes_nothing(anne: Seat[Desk]) -> None:
    question, problems = anne.desk.first(ANNE, "", {})
    assert (question, problems) == (HUBS, [])
    screen = Screen(anne, question)
    shown = screen.ask()
    assert (shown.frame, shown.compute, shown.jobs, shown.query) == (FRAME_CLASS, False, None, "")
    assert shown.edited == "as they are"
    assert "Came with this program" in text(shown.state)
    run = screen.run()
    over = run.of("none", "quadratic")
    assert over is not None
    most = over.overloads.line_mw.sum(axis=0) + over.overloads.substation_mw
    assert most[screen.found["worst"]] == most.max() > 0.0  # the hour that is shown first


@pytest.mark.parametrize(
    "question",
    [
        HUBS,
        HubQuestion(),
        HubQuestion(case="fleet", count=7, feeder="ieee123", seed=3, hours=6, edits=(TWICE, Edit("sun", 0.0)), window=5,
                    line_per_mwh=50.5, level=0.0, fairness="mean", least_per_mwh=0.0, exports=True, kappa=0.1,
                    exact_gap=0.001, error=0.25, ladder=False),
        HubQuestion(dataset="f" * 64, exact=True, exact_time_s=33.0),
        HubQuestion(edits=(Edit("line limit", 0.9, line="711-740"), Edit("substation import", 1.1))),
    ],
)  # fmt: skip
def test_controls_and_links_give_the_question_back(question: HubQuestion) -> None:
    assert hubs_asked.question_of(hubs_asked.words_of(question), question.to_json()["edits"]) == question
    query = {name: values[0] for name, values in parse_qs(question_query(question)).items()}
    assert read_question(query) == (None if question == HUBS else question)
    assert hubs_question.plain_sentence(question, "a file").endswith(("?", "."))


def test_everything_that_cannot_be_asked_is_told_at_once_and_nothing_is_lost(solved: Screen) -> None:
    found = solved.found
    unread = solved.ask(kappa="much", window="1.5")
    assert "2 things to mend" in text(unread.state)
    for part in ("share of the rise of hubs' costs in % is a number, not 'much'", "is whole, not 1.5"):
        assert part in text(unread.state), part
    beyond = solved.ask(hours=99, kappa=-1, window="0")
    for part in ("number of hours is 99: 2 to 24", "share of the curvature is -0.01: 0.0001 to 100"):
        assert part in text(beyond.state), part
    assert beyond.frame == STALE_CLASS
    assert solved.found == found
    assert solved.ask(hours=3, kappa=100).frame == FRAME_CLASS


@pytest.mark.parametrize("ask", ["{", "[]", '{"hours":"x"}', '{"nothing":1}', '{"hours":1}', "1" * 5000])
def test_a_link_that_cannot_be_read_is_refused(ask: str) -> None:
    with pytest.raises(QuestionError):
        read_question({"ask": ask})


def test_a_view_is_read_from_a_link_as_far_as_it_goes() -> None:
    view = read_view({"show": "after", "outcome": "exact-linear", "hour": "7", "tab": "models", "sel": "hub:x"})
    assert (view.at, view.hour, view.tab) == (At("after", "exact-linear", 7, "hub:x"), 7, "models")
    other = read_view({"show": "x", "outcome": "y", "hour": "-1", "tab": "z", "sel": ["a"]})
    assert (other.at, other.hour, other.tab) == (At(), None, FIRST_TAB)
    assert at_of(None) == At()


# The answer


def test_the_job_gives_what_the_engine_gives(solved: Screen) -> None:
    run = solved.run()
    again = run_hubs(SMALL, lambda digest: ("", digest.encode()))
    for one, other in zip(run.outcomes, again.outcomes, strict=True):
        assert (one.prices, one.hubs) == (other.prices, other.hubs)
        if one.hubs == "quadratic":  # one answer only
            assert np.allclose(one.price, other.price, atol=1e-6)
            assert np.allclose(one.withdrawal_mw, other.withdrawal_mw, atol=1e-6)
        assert one.objective == pytest.approx(other.objective, abs=1e-6)


def test_somebody_else_s_run_is_drawn_only_from_what_he_may_read(services: Services, solved: Screen) -> None:
    ben = Seat(Desk(services), BEN, "")
    held = dict(solved.found)
    held["question"] = held["question"] | {"dataset": "e" * 64}
    with pytest.raises(QuestionError, match="no study of yours"):
        ben.drawn(held)
    assert ben.drawn({"question": "nonsense"}) is None


def test_a_changed_word_makes_the_answer_stale_and_says_which(solved: Screen) -> None:
    shown = solved.ask(level=0.5)
    assert shown.frame == STALE_CLASS
    assert shown.compute
    assert "the weight of a price" in text(shown.state)


def test_a_job_s_entry_leads_back_to_what_it_was_asked(solved: Screen) -> None:
    job = solved.seat.desk.services.jobs.list(ANNE, results=False)[0]
    href = job_record(job, {"/hubs": "hubs"})["href"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}
    assert read_question(query) == SMALL
    assert job_record(job, {"/hubs": "hubs"})["title"] == "Prices for hubs"


# Edits


def edit(seat: Seat[Desk], press: str, found: Any, held: Any = (), **values: Any) -> tuple[Edit, ...]:
    given = {
        "line-factor": 1.2,
        "lines-factor": 0.9,
        "substation-asset": "substation import",
        "substation-factor": 0.8,
        "grid-asset": "substation export",
        "grid-factor": 3,
        "hub-asset": "battery",
        "hub-factor": 2,
        "all-asset": "generator",
        "all-factor": 0.5,
        "selection": "hub:campus 740",
    }
    told = {name.replace("_", "-"): value for name, value in values.items()}
    return edits_of_page.edited(seat, press, given | told, list(held), found)


def test_a_battery_twice_as_large_is_asked_for_and_taken_back(solved: Screen) -> None:
    seat = solved.seat
    made = edit(seat, "hub", solved.found)
    assert made == (TWICE,)
    held = hubs_asked.held_edits(made)
    assert edit(seat, "all", solved.found, held) == (TWICE, Edit("generator", 0.5))
    shown = solved.ask(edits=held)
    assert shown.edited == "with 1 edit"
    assert "the edits" in text(shown.state)
    case = seat.desk.case(ANNE, "", hubs_asked.question_of(solved.words, held))
    small = three_hubs(3).hubs[0].battery
    battery = case.hubs[0].battery
    assert small is not None
    assert battery is not None
    assert (battery.power_mw, battery.energy_mwh) == (2 * small.power_mw, 2 * small.energy_mwh)
    assert without(made, "0") == ()
    assert edit(seat, "clear", solved.found, held) == ()


def test_limits_are_edited_by_their_forms_and_join_the_question(solved: Screen) -> None:
    seat: Seat[Desk] = solved.seat
    held: list[dict[str, Any]] = []
    for press, selection, wanted, words in (
        ("line", "line:711-740", Edit("line limit", 1.2, line="711-740"), "line 711-740: limit times 1.2"),
        ("lines", "", Edit("line limit", 0.9), "every line: limit times 0.9"),
        ("substation", "line:substation", Edit("substation import", 0.8), "the substation: limit of imports times 0.8"),
        ("grid", "", Edit("substation export", 3.0), "the substation: limit of exports times 3"),
    ):
        made = edit(seat, press, solved.found, held, selection=selection)
        assert made[-1] == wanted
        assert hubs_asked.edits_of(held) == made[:-1]
        assert words_of(made[-1]) == words
        held = hubs_asked.held_edits(made)
    shown = solved.ask(edits=held)
    assert shown.edited == "with 4 edits"
    assert shown.frame == STALE_CLASS
    query = {name: values[0] for name, values in parse_qs(str(shown.query)).items()}
    asked = read_question(query)
    assert asked is not None
    assert hubs_asked.held_edits(asked.edits) == held
    before, after = three_hubs(3).network, seat.desk.case(ANNE, "", asked).network
    factor = [1.08 if name == "711-740" else 0.9 for name in before.lines]
    assert after.limit_mw == pytest.approx(before.limit_mw * factor)
    assert (after.import_mw, after.export_mw) == pytest.approx((0.8 * before.import_mw, 3.0 * before.export_mw))


def test_with_limits_that_nothing_reaches_no_price_is_set(anne: Seat[Desk]) -> None:
    """A law: where nothing is beyond a limit, prices of 0 cost nothing, and anything else would."""
    wide = (Edit("line limit", 50.0), Edit("substation import", 50.0), Edit("substation export", 50.0))
    screen = Screen(anne, replace(SMALL, edits=wide))
    assert "Not computed yet" in text(screen.ask().state)
    screen.ask(pressed=True)
    assert work(anne) == 1
    screen.ask()
    run = screen.run()
    assert run.case.network.limit_mw == pytest.approx(50.0 * three_hubs(3).network.limit_mw)
    for each in run.outcomes:
        assert each.overloads.mwh(run.case) == 0.0
    quick = run.of("quick", "quadratic")
    assert quick is not None
    assert np.abs(quick.price).max() == 0.0
    limit = float(run.case.network.limit_mw[run.case.network.lines.index("711-740")])
    told = text(hubs_cards.card(run, At(), "limit:711-740"))
    assert f"{limit:.3f}\u00a0MW" in told
    assert "every line: limit times 50" in told


@pytest.mark.parametrize(
    ("press", "values", "words"),
    [
        ("hub", {"selection": ""}, "select a hub first"),
        ("hub", {"selection": "hub:nobody"}, "no hub 'nobody'"),
        ("hub", {"hub_asset": "generator"}, "campus 740 has no generator"),
        ("hub", {"hub_asset": "wind"}, "an edit is of one of"),
        ("hub", {"hub_factor": 101}, "factor of an edit is 101: 0 to 100"),
        ("hub", {"hub_factor": "x"}, "factor of an edit is a number"),
        ("all", {"all_factor": 1}, "changes nothing"),
        ("all", {"all_asset": "sun"}, "there is no sun at any hub"),  # in the evening
        ("line", {}, "select a line first"),
        ("line", {"selection": "line:nowhere"}, "no line 'nowhere'"),
        ("line", {"selection": "line:711-740", "line_factor": 0}, "a limit stays above 0"),
        ("lines", {"lines_factor": "x"}, "factor of an edit is a number"),
        ("substation", {"substation_asset": "battery"}, "a limit of imports and a limit of exports"),
        ("grid", {"grid_factor": 1}, "changes nothing"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_in_words(
    solved: Screen, press: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(QuestionError, match=words):
        edit(solved.seat, press, solved.found, **values)


def test_an_edit_that_leaves_a_hub_without_what_it_needs_is_told_with_the_hub(solved: Screen) -> None:
    held = hubs_asked.held_edits([Edit("work limit", 0.01, "campus 740")])
    shown = solved.ask(edits=held, pressed=True)
    assert shown.jobs is None
    told = text(shown.state)
    batch = three_hubs(3).hubs[0].work
    assert batch is not None
    mwh = batch.arrivals_mw[0] - 0.01 * batch.most_mw  # what arrives less what may be done
    assert f"hub campus 740, work, 19:00: {mwh:.4g} too little" in told.replace("Hub", "hub")
    assert work(solved.seat) == 0


# A case of one's own


def sent(content: bytes) -> str:
    return f"data:application/json;base64,{base64.b64encode(content).decode()}"


def test_a_case_of_one_s_own_is_shown_taken_and_asked_about(anne: Seat[Desk]) -> None:
    content = to_json(three_hubs(3, seed=5))
    panel, offered = hubs_upload.offer(anne, sent(content), "ours.json")
    assert "36" in text(panel)  # lines with a limit, of IEEE 37 with its transformer
    assert offered is not None
    address = hubs_upload.take(anne, offered, HubQuestion(exact=True))
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked = read_question(query)
    assert asked is not None
    assert (asked.dataset, asked.exact, asked.hours) == (offered["digest"], True, 3)
    seat = Seat(anne.desk, ANNE, query["study"])
    assert seat.desk.case(ANNE, seat.study, asked).hubs == three_hubs(3, seed=5).hubs
    assert seat.desk.choices(ANNE, seat.study, CASE_KIND) == [(offered["digest"], "ours.json")]
    with pytest.raises(EngineError):
        seat.desk.look(BEN, seat.study, asked)  # another reader's study


def test_a_price_that_counts_for_exports_too_cures_what_exports_push_and_is_told_as_it_is(anne: Seat[Desk]) -> None:
    """Closed form: 2 MW of sun behind a line of 1.5 MW, exports paid 20 $/MWh.

    With x exported the hub's last MWh brings 20 + p - (4 / 3) x, and its last MWh thrown away costs 2 (2 - x): at
    x = 1.5 both meet for p = -19. So it pays 19 $/MWh on 1.5 MWh, of the 20 that it is paid; in other hours nothing,
    where changes from hour to hour weigh nothing (with their weight, prices of other hours are a tie).
    """
    _, offered = hubs_upload.offer(anne, sent(to_json(export_only())), "sun.json")
    address = hubs_upload.take(anne, offered, HubQuestion())
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked = read_question(query)
    assert asked is not None
    screen = Screen(Seat(anne.desk, ANNE, query["study"]), replace(asked, ladder=False, smooth=0.0))
    assert screen.ask(exports=["priced"]).compute
    screen.ask(pressed=True)
    assert work(screen.seat) == 1
    screen.ask()
    run, at = screen.run(), At(hour=1, selection="hub:sun")
    quick = run.of("quick", "quadratic")
    assert quick is not None
    assert quick.price[0] == pytest.approx([0.0, -19.0, 0.0], abs=1e-6)
    assert quick.overloads.mwh(run.case) == pytest.approx(0.0, abs=1e-9)
    for what, parts in {
        "charge:sun": ("sun pays 11.0 $/MWh at", "exports are paid 20.0 $/MWh and δ: 1.0 $/MWh"),
        "pays:sun": ("sun pays 28.5 $ by", "exports, 3.50 MWh 28.5 $, −8.1 $/MWh on average"),
        "paid": ("28.5 $ paid by", "sun 28.5 $"),
        "price": ("−19.0 $/MWh on imports and exports of sun",),
    }.items():
        told = text(hubs_cards.card(run, at, what)).replace("\u00a0", " ")
        for part in parts:
            assert part in told, (part, told)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told["hubs"][1]["hydrogen"].update(store_mwh=-1), "works 724"),
        (lambda told: told["hubs"][0]["battery"].update(start_mwh=9), "begins with 9 MWh"),
        (lambda told: told["lines"][0].update(limit_mw=0), "limit of line 799r-701 is 0 MW"),
        (lambda told: told["day"]["buy_per_mwh"].append(1), "4"),
        (lambda told: told.update(wind=1), "wind"),
        (lambda told: told["hubs"][0].update(import_mw=0.1), "too little"),
        (lambda told: told["day"].update(sell_per_mwh=[500] * 3), "and sells at 500: buying must cost at least"),
        (
            lambda told: (told.update(lines=[]), told["substation"].update(import_mw=None, export_mw=None)),
            "no line with a limit and no limit of the substation",
        ),
        (lambda told: told["hubs"][1]["demand_mw"].append(float("nan")), "hub 2: demand_mw is 'nan'"),
        (lambda told: told["day"]["buy_per_mwh"].append(float("nan")), "buy_per_mwh is 'nan'"),
    ],
)
def test_a_case_that_is_wrong_is_refused_naming_what_and_where(anne: Seat[Desk], change: Any, words: str) -> None:
    told = json.loads(to_json(three_hubs(3)))
    change(told)
    panel, offered = hubs_upload.offer(anne, sent(json.dumps(told).encode()), "bad.json")
    assert offered is None
    assert words in text(panel)


def test_an_offer_of_somebody_else_is_not_taken(anne: Seat[Desk]) -> None:
    content = to_json(three_hubs(3, seed=6))
    _, offered = hubs_upload.offer(anne, sent(content), "ours.json")
    with pytest.raises(QuestionError, match="not kept any more"):
        hubs_upload.take(Seat(anne.desk, BEN, ""), offered, HubQuestion())
    for held in (None, {}, {"digest": 1, "name": "x"}):
        with pytest.raises(QuestionError, match="choose the file"):
            hubs_upload.take(anne, held, HubQuestion())


# Files and links


@pytest.mark.parametrize("kind", hubs_files.KINDS)
def test_every_file_of_an_answer_is_whole(solved: Screen, kind: str) -> None:
    run = solved.run()
    made = hubs_files.file_of(solved.seat, run, kind, At(), "models")
    content = base64.b64decode(made["content"]) if made["base64"] else made["content"].encode()
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert [row["Objective, $"] for row in rows] == [
            str(each.objective)
            for each in sorted(run.outcomes, key=lambda one: ("none central quick".index(one.prices), one.hubs))
        ]
        assert {row["case_digest"] for row in rows} == {run.case.digest}
    elif kind == "json":
        told = json.loads(content)
        assert HubQuestion.from_json(told["question"]) == SMALL
        assert len(told["outcomes"]) == len(run.outcomes)
    elif kind == "npz":
        assert HubRun.load(content).case.digest == run.case.digest
    elif kind == "case":
        assert content == to_json(run.case)
    else:
        held: dict[str, Any] = {"__name__": "read"}
        exec(compile(content.decode(), made["filename"], "exec"), held)  # noqa: S102 (lines of our own)
        assert HubQuestion.from_json(json.loads(held["QUESTION"])) == SMALL
        assert run.case.digest in content.decode()


def test_a_long_question_is_kept_and_its_link_finds_it(anne: Seat[Desk]) -> None:
    edits = tuple(Edit("battery", 1.0 + k / 100.0, "campus 740") for k in range(1, 90))
    question = HubQuestion(hours=3, edits=edits)
    assert len(question_query(question)) > LONGEST_QUERY
    query = anne.desk.query(ANNE, "", question)
    assert query == f"q={question.digest}"
    assert anne.desk.first(ANNE, "", {"q": question.digest}) == (question, [])
    found, problems = anne.desk.first(ANNE, "", {"q": "0" * 64})
    assert found == HUBS
    assert "not kept any more" in problems[0]


def test_an_owner_s_question_is_saved_with_the_study(services: Services, solved: Screen) -> None:
    desk = solved.seat.desk
    study, _ = desk.keep_file(ANNE, "", "case.json", CASE_KIND, to_json(three_hubs(3)))
    mine = Screen(Seat(desk, ANNE, study))
    mine.ask()
    assert desk.first(ANNE, study, {})[0] == SMALL
    assert services.studies.question(ANNE, study, "hubs") == SMALL.to_json()
