"""The Capacity page: what a question shows in each of its states, who may do what, and what is kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import Dash, html

from callbacks import capacity as page
from callbacks import capacity_panes as panes
from callbacks import capacity_sites as sites_of_page
from callbacks.capacity_answer import FRAME_CLASS, KEEP, STALE_CLASS, Asked, Seat, Shown, answer_to
from callbacks.capacity_desk import AtOnce, Desk
from callbacks.capacity_publish import publish, read_upload
from callbacks.capacity_why import binding_card_for, reinforced_gain, why_card_for
from callbacks.services import Services
from components import ids, shell
from components.capacity_answer import Answer
from components.capacity_conditions import listed
from components.capacity_products import stale_words, versions
from components.capacity_words import Words, question_of, sites_data, words_of
from engine.capacity import jobs
from engine.capacity.conditions import Condition
from engine.capacity.defaults import starting_question
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.errors import EngineError, FileFormatError, PermissionDeniedError, QuestionError
from engine.network import library

ANNE, BEN = "anne", "ben"
NOW = 1_790_000_000.0
HOURS = UncertaintySpec("hourly", {"hours": 20}, 1)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> Seat:
    """Anne, with the 4-bus case of the paper as her study."""
    return Seat(Desk(services), ANNE, services.studies.create(ANNE, "Four", library.load("fourbus")))


class Screen:
    """The page as a browser holds it: controls, sites, and what was drawn last."""

    def __init__(self, seat: Seat, question: CapacityQuestion | None = None) -> None:
        self.seat = seat
        self.start = question or starting_question(seat.network())
        self.words: Words = words_of(self.start)
        self.sites: Any = sites_data(self.start)
        self.drawn: Any = None
        self.asked_before = False
        self.period = "year"

    def ask(self, *, pressed: bool = False, deepened: bool = False, variant: str | None = None, **words: Any) -> Shown:
        self.words |= words
        start = {"question": self.start.to_json(), "problems": []}
        opening, self.asked_before = not self.asked_before, True
        asked = Asked(
            self.words, self.sites, start, self.drawn, pressed=pressed, opening=opening, deepened=deepened,
            variant=variant, period=self.period,
        )  # fmt: skip
        shown = answer_to(self.seat, asked, NOW)
        if shown.drawn is not KEEP:
            self.drawn = shown.drawn
        return shown

    def answer(self) -> Answer:
        answer = self.seat.answer(self.drawn)
        assert answer is not None
        return answer


def text(part: Any) -> str:
    """Return the words that a reader sees."""
    if isinstance(part, list | tuple):
        return " ".join(text(child) for child in part)
    if isinstance(part, str | int | float):
        return str(part)
    return text(getattr(part, "children", None) or "")


def ids_in(part: Any) -> set[str]:
    """Return every id in a layout, those with keys as JSON."""
    if isinstance(part, list | tuple):
        return set().union(*(ids_in(child) for child in part)) if part else set()
    found = set() if getattr(part, "id", None) is None else {_id(part.id)}
    return found | ids_in(part.children) if getattr(part, "children", None) is not None else found


def _id(element: Any) -> str:
    return element if isinstance(element, str) else json.dumps(element, sort_keys=True, separators=(",", ":"))


def work_off(seat: Seat, question: CapacityQuestion) -> None:
    """Do what the runner would: the margins of a question, kept under their key."""
    network = seat.network()
    context = AtOnce(seat.desk.services, seat.user, seat.study, network)
    jobs.prepare_job(jobs.prepare_arguments(network.digest, question), context)


# The states of a question


def test_the_paper_case_is_answered_as_it_opens(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask()
    # Section 6 of the specification: firm exactly (10, 10); flexible 6.71 and 5.39 in the limit, 0.6 MW from a sample.
    assert [row["firm"] for row in shown.site_rows] == pytest.approx([10, 10], abs=1e-9)
    assert [row["inc0"] for row in shown.site_rows] == pytest.approx([6.71, 5.39], abs=0.6)
    assert shown.frame == FRAME_CLASS
    assert not shown.compute
    assert "20.0" in text(shown.totals)
    assert "Publish 4 products" in text(shown.tray)
    assert {row["limit"] for row in shown.limit_rows} == {
        "line 1-2, from bus 1 to bus 2",
        "the withdrawal limit of bus 4",
    }
    assert shown.layers["bindingBranches"] == [0]


def test_a_new_risk_level_moves_flexible_and_leaves_firm(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    before = screen.answer().result
    shown = screen.ask(epsilon="0.1")
    after = screen.answer().result
    assert after.firm_mw == pytest.approx(before.firm_mw)
    assert sum(after.flexible_mw[0]) > sum(before.flexible_mw[0])  # CVaR falls as the share grows
    assert "at 10 %" in text(shown.totals)
    assert shown.query.startswith("sites=3,4&mw=60,50&eps=10")


def test_several_risk_levels_are_nested_increments(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask(epsilon="other", levels="1 5 10")
    row = shown.site_rows[0]
    assert row["firm"] + row["inc0"] + row["inc1"] + row["inc2"] == pytest.approx(row["total"])
    assert [column["field"] for column in shown.site_columns if column["field"].startswith("inc")] == [
        "inc0",
        "inc1",
        "inc2",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"epsilon": "other", "levels": "50"}, "at most 20 %"),
        ({"epsilon": "other", "levels": "five"}, "a risk level, % must be a number"),
        ({"hours": -3, "keep": "hourly:sample"}, "number of hours"),
        ({"keep": "file:sample"}, "no file is chosen"),
        ({"supply": "given", "shares": "9 1"}, "9"),
        ({"laws": "3 10 20 15"}, "line 1: bus low high mean variance are needed"),
        ({"round": 0}, "the rounding step"),
        ({"keep": "nonsense"}, "nonsense"),
    ],
)
def test_a_word_that_cannot_be_used_is_told_and_the_answer_stays_under_a_hatch(
    seat: Seat, words: dict[str, Any], said: str
) -> None:
    screen = Screen(seat)
    screen.ask()
    shown = screen.ask(**words)
    assert said.lower() in text(shown.state).lower()
    assert shown.frame == STALE_CLASS
    assert shown.totals is KEEP
    assert shown.site_rows is KEEP


@pytest.mark.parametrize("mw", [-1, 0, 1e9, "x"])
def test_a_demand_that_no_site_can_have_is_refused(seat: Seat, mw: Any) -> None:
    screen = Screen(seat)
    screen.ask()
    screen.sites = {"bus": ["3", "4"], "mw": [mw, mw]}
    shown = screen.ask()
    assert "demand at bus" in text(shown.state).lower()
    assert shown.frame == STALE_CLASS


def test_a_box_alone_gives_firm_and_no_risk_levels(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask(keep="box:box", box="1 20 30\n2 20 30\n3 10 20\n4 10 30", spread=0)
    assert screen.answer().result.firm_mw == pytest.approx((10, 10))  # the supports of the paper's laws are this box
    assert "no risk level is asked" in text(shown.totals)
    assert shown.query.count("eps=0") == 1


def test_limits_exceeded_already_stop_row_by_row_and_can_be_held(seat: Seat) -> None:
    screen = Screen(seat)
    shown = screen.ask(keep="box:box", box="4 10 45")
    # Bus 4 may draw 45 MW today; its withdrawal limit is 40.
    assert "1 limit exceeded before anything is added" in text(shown.state)
    assert "withdrawal limit of bus 4: 45.0 MW on 40.0 MW, 5.0 MW over" in text(shown.state)
    assert {"capacity-hold", "capacity-stop"} <= ids_in(shown.state)
    assert shown.product_rows == []
    assert "No products" in text(shown.tray)
    held = screen.ask(zero="hold")
    assert "held at the present level" in text(held.state)
    firm = {row["id"]: row["firm"] for row in held.site_rows}
    assert firm["4"] == 0  # nothing may be added where the limit is exceeded
    assert firm["3"] > 0


def test_hours_are_computed_by_a_job_that_begins_as_the_page_opens(seat: Seat) -> None:
    screen = Screen(seat, replace(starting_question(seat.network()), firm_set="sample", uncertainty=HOURS))
    shown = screen.ask()
    assert shown.jobs is not None
    assert "Computing the room" in text(shown.state)
    assert not shown.compute
    assert "\u2013" in text(shown.totals)
    assert screen.ask().jobs == shown.jobs  # a second look, or a reload, follows the same job
    work_off(seat, screen.start)
    assert screen.ask().drawn is not KEEP


def test_a_cancelled_job_does_not_begin_by_itself_again(seat: Seat) -> None:
    question = replace(starting_question(seat.network()), firm_set="sample", uncertainty=HOURS)
    first = Screen(seat, question).ask()
    assert first.jobs is not None
    seat.desk.services.jobs.cancel(ANNE, first.jobs[0])
    again = Screen(seat, question)
    shown = again.ask()
    assert shown.jobs is None
    assert shown.compute
    assert "Cancelled" in text(shown.state)
    assert again.ask(pressed=True).jobs is not None


def test_a_change_that_needs_a_job_leaves_the_old_answer_under_a_hatch_and_says_what_changed(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    shown = screen.ask(keep="hourly:sample", hours=20)
    assert shown.frame == STALE_CLASS
    assert shown.compute
    assert shown.totals is KEEP
    assert "the uncertainty of existing demand" in text(shown.state)
    assert "Publish" not in text(shown.tray)
    running = screen.ask(pressed=True)
    assert running.jobs is not None
    assert running.frame == STALE_CLASS
    back = screen.ask(**words_of(screen.start))
    assert back.frame == FRAME_CLASS
    assert back.jobs is None


def test_a_failed_job_is_told_with_its_reason(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    question = replace(starting_question(seat.network()), firm_set="sample", uncertainty=HOURS)
    first = Screen(seat, question).ask()
    assert first.jobs is not None
    job = replace(seat.desk.services.jobs.get(ANNE, first.jobs[0]), state="failed", error="bus 3 has no demand.")
    monkeypatch.setattr(Desk, "_job", lambda *_: job)
    shown = Screen(seat, question).ask()
    assert "bus 3 has no demand." in text(shown.state)
    assert shown.compute


def test_after_an_edit_of_the_network_the_page_computes_anew_and_tells_the_last_answer(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    publish(seat, screen.drawn)
    tables = library.load("fourbus")
    wider = replace(tables, branches=tables.branches.assign(rating_a_mw=[110.0, 50.0, 50.0]))
    revision = seat.desk.services.studies.network_status(ANNE, seat.study).revision
    seat.desk.services.studies.save_network(ANNE, seat.study, wider, revision, "Wider")
    for of_before in (publish, seat_answer):  # a screen of before the edit is neither read nor published
        with pytest.raises(QuestionError, match="the network has changed since this was drawn"):
            of_before(seat, screen.drawn)
    question = replace(screen.start, firm_set="sample", uncertainty=HOURS)
    shown = Screen(seat, question).ask()
    assert shown.jobs is not None
    assert "20.0 MW firm" in text(shown.state)
    answered = Screen(seat)
    answered.ask()
    # By hand: the wider line leaves 110 - 80; bus 4 stays at its own limit's 10, bus 3 gets its 20.
    assert answered.answer().result.firm_mw == pytest.approx((20, 10))
    (record,) = seat.desk.services.products.list(ANNE, seat.study)
    assert stale_words(record, answered.drawn) == "stale: the network changed since"


def test_a_large_grid_says_why_a_box_is_of_no_use(services: Services) -> None:
    study = services.studies.create(ANNE, "Large", library.load("activsg500"))
    screen = Screen(Seat(Desk(services), ANNE, study))
    shown = screen.ask(keep="box:box", spread=1)
    assert "never happen together" in text(shown.state)


# Who may do what


def seat_answer(seat: Seat, drawn: Any) -> Any:
    return seat.answer(drawn)


def reader(seat: Seat) -> Seat:
    token = seat.desk.services.studies.share(ANNE, seat.study)
    seat.desk.services.studies.accept_share(BEN, token)
    return Seat(seat.desk, BEN, seat.study)


def test_a_reader_sees_the_answer_changes_words_and_saves_nothing(seat: Seat) -> None:
    Screen(seat).ask()
    saved = seat.desk.services.studies.question(ANNE, seat.study, "capacity")
    screen = Screen(reader(seat))
    shown = screen.ask(epsilon="0.1")
    assert "Read only" in text(shown.state)
    assert "Publish" not in text(shown.tray)
    assert shown.drawn is not KEEP
    assert seat.desk.services.studies.question(ANNE, seat.study, "capacity") == saved
    with pytest.raises(PermissionDeniedError, match="duplicate it"):
        publish(screen.seat, screen.drawn)
    assert seat.desk.services.products.list(ANNE, seat.study) == []


def test_a_stranger_gets_nothing(seat: Seat) -> None:
    mine = Screen(seat)
    mine.ask()
    stranger = Screen.__new__(Screen)
    stranger.__dict__ |= mine.__dict__ | {"seat": Seat(seat.desk, BEN, seat.study), "drawn": None}
    shown = stranger.ask()
    assert shown.drawn is KEEP
    assert shown.site_rows is KEEP


# What is kept


def test_the_study_opens_again_with_its_question_and_answer(seat: Seat) -> None:
    Screen(seat).ask()
    Screen(seat).ask(epsilon="0.02")
    kept, problems = Desk(seat.desk.services).first(ANNE, seat.study, {})
    assert problems == []
    assert kept is not None
    assert kept.epsilons == (0.02,)
    before = seat.desk.before(ANNE, seat.study)
    assert before is not None
    assert before["content"]["firm_mw"] == pytest.approx(20)


def test_a_question_too_long_for_a_link_is_kept_by_its_digest(services: Services) -> None:
    study = services.studies.create(ANNE, "Large", library.load("activsg500"))
    seat = Seat(Desk(services), ANNE, study)
    ids = seat.network().buses.ids
    question = CapacityQuestion(ids, tuple(1.0 + i / 7 for i in range(len(ids))))
    query = seat.desk.query(ANNE, study, question, owner=True)
    assert query == f"q={question.digest()}"
    found, _ = seat.desk.first(ANNE, study, {"q": question.digest()})
    assert found == question


def test_products_are_published_once_and_go_stale_with_the_question(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    assert publish(seat, screen.drawn).startswith("Published version 1: 4 products, 32.0 MW. Checked apart:")
    # Another process computes the same answer at another time of day.
    elsewhere = Seat(Desk(seat.desk.services), ANNE, seat.study)
    assert publish(elsewhere, screen.drawn).startswith("Nothing changed: version 1")
    (record,) = seat.desk.services.products.list(ANNE, seat.study)
    assert record.witness["rows_checked"] > 0
    assert stale_words(record, screen.drawn) == ""
    screen.ask(epsilon="0.1")
    assert stale_words(record, screen.drawn) == "stale: the question changed since"
    assert publish(seat, screen.drawn).startswith("Published version 2")


def test_nothing_is_published_before_an_answer(seat: Seat) -> None:
    with pytest.raises(QuestionError, match="compute the answer"):
        publish(seat, None)


def test_states_of_ones_own_are_read_kept_and_answered(seat: Seat) -> None:
    rng = np.random.default_rng(5)
    rows = rng.uniform([20, 20, 10, 10], [30, 30, 20, 30], size=(40, 4))
    content = "1,2,3,4\n" + "\n".join(",".join(f"{value:.6f}" for value in row) for row in rows)
    uploaded = read_upload(seat, "states.csv", content.encode())
    assert "40 states read" in uploaded.message
    screen = Screen(seat)
    screen.ask(keep="file:sample", file=uploaded.value)
    work_off(seat, question_of(screen.words, screen.sites, screen.start))
    screen.ask()
    firm = screen.answer().result.firm_mw
    # Closed form on the radial grid: bus 4 by its own limit of 40, both by line 1-2 of 100 (buses 2, 3, 4 behind it).
    assert sum(firm) == pytest.approx(min(100 - rows[:, 1:].sum(axis=1).max(), 200), abs=1e-4)
    assert firm[1] <= 40 - rows[:, 3].max() + 1e-4


def test_what_was_computed_from_a_file_is_shown_only_where_the_file_is(seat: Seat) -> None:
    uploaded = read_upload(seat, "states.csv", b"1,2,3,4\n20,30,20,30\n20,20,10,10\n")
    screen = Screen(seat)
    screen.ask(keep="file:sample", file=uploaded.value)
    work_off(seat, question_of(screen.words, screen.sites, screen.start))
    assert screen.ask().drawn is not KEEP
    other = Screen(Seat(seat.desk, BEN, seat.desk.services.studies.create(BEN, "Same", library.load("fourbus"))))
    shown = other.ask(keep="file:sample", file=uploaded.value)
    assert "not in this study" in text(shown.state)
    assert shown.drawn is KEEP
    with pytest.raises(EngineError, match="not in this study"):
        other.seat.answer(screen.drawn)


def test_a_file_that_cannot_be_read_is_refused_and_not_kept(seat: Seat) -> None:
    with pytest.raises(FileFormatError, match="9"):
        read_upload(seat, "states.csv", b"1,2,9\n1,2,3\n")
    assert seat.desk.services.studies.datasets(ANNE, seat.study) == []


# Panes and sites


def test_the_inspector_says_why_a_site_stops_and_what_more_of_the_limit_gives(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    bus = text(panes.inspect(seat, screen.drawn, "bus:3", "light"))
    # 10 MW more on line 1-2 gives 10 MW more: one line feeds both sites, and bus 4 stands at its own limit.
    assert "Limited by line 1-2" in bus
    assert "10 MW more there gives 10.0 MW more here and 10.0 MW more over all sites" in bus
    assert "MW against risk" in bus
    branch = text(panes.inspect(seat, screen.drawn, "branch:1-2", "light"))
    assert "10 MW more there give, in total 10 MW" in branch
    assert "Press a bus" in text(panes.inspect(seat, screen.drawn, None, "light"))
    assert "once the answer is computed" in text(panes.inspect(seat, None, "bus:3", "light"))
    assert "Press a bus" in text(panes.inspect(seat, screen.drawn, "bus:nowhere", "light"))


def test_what_a_limit_gives_is_what_the_network_with_the_larger_limit_gives(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    answer = screen.answer()
    binding = next(entry for entry in answer.result.levels[0].binding if entry.limit.element == "1-2")
    tables = library.load("fourbus")
    wider = tables.branches.copy()
    wider.loc[wider["branch"] == "1-2", "rating_a_mw"] += 10
    study = seat.desk.services.studies.create(ANNE, "Wider", replace(tables, branches=wider))
    other = Screen(Seat(seat.desk, ANNE, study), screen.start)
    other.ask()
    more = other.answer().result.levels[0].total_mw - answer.result.levels[0].total_mw
    assert reinforced_gain(seat, answer, binding) == pytest.approx(more, abs=1e-6)
    assert "10 MW" in text(binding_card_for(seat, screen.drawn))


def test_a_card_is_made_for_each_number_of_a_site_and_refused_for_one_that_is_gone(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    for name in ("site0", "site1", "alone0", "alone1"):
        assert "Limited by" in text(why_card_for(seat, screen.drawn, "bus:3", name))
    with pytest.raises(QuestionError, match="not drawn any more"):
        why_card_for(seat, screen.drawn, "bus:3", "site4")
    with pytest.raises(QuestionError, match="not drawn any more"):
        why_card_for(seat, None, "bus:3", "site0")


def test_the_filter_lets_pass_what_takes_enough(seat: Seat) -> None:
    screen = Screen(seat)
    screen.ask()
    lone = [row["firm"] + row["inc0"] for row in panes.bus_table(seat, screen.drawn, None)[0]]
    shown = panes.shown_positions(seat, screen.drawn, "any", "any", 12)
    assert shown == [i for i, mw in enumerate(lone) if mw >= 12]
    assert shown is not None
    rows, _ = panes.bus_table(seat, screen.drawn, shown)
    assert [row["id"] for row in rows] == [seat.network().buses.ids[i] for i in shown]
    assert panes.shown_positions(seat, screen.drawn, "any", "any", None) is None


def test_sites_are_chosen_typed_edited_and_pressed_on_the_map(seat: Seat) -> None:
    store = {"bus": ["3", "4"], "mw": [60, 50]}
    assert sites_of_page.from_table(seat, store, "bus mw\n2; 12.5\n4").store == {"bus": ["2", "4"], "mw": [12.5, 60]}
    assert sites_of_page.toggled(seat, store, "bus:2").store["bus"] == ["3", "4", "2"]
    assert sites_of_page.toggled(seat, store, "bus:3").store["bus"] == ["4"]
    assert sites_of_page.edited(store, [{"colId": "asked", "rowId": "4", "value": 7}]).store["mw"] == [60, 7]
    chosen = sites_of_page.chosen(seat, store, "any", "any", 3)
    assert len(chosen.store["bus"]) == 3
    assert chosen.word == "3 sites"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda seat, store: sites_of_page.from_table(seat, store, "3 60\n77 5\n4 x"), "no bus '77'; line 3: 'x'"),
        (lambda seat, store: sites_of_page.from_table(seat, store, " "), "lists no bus"),
        (lambda _, store: sites_of_page.edited(store, [{"colId": "asked", "rowId": "3", "value": None}]), "bus 3"),
        (lambda seat, store: sites_of_page.toggled(seat, store, "branch:1-2"), "select a bus"),
        (lambda seat, store: sites_of_page.chosen(seat, store, None, None, 2.5), "whole number"),
        (lambda seat, store: sites_of_page.chosen(seat, store, "500", None, 2), "no bus in service"),
    ],
)
def test_sites_that_cannot_be_used_are_refused_in_words(seat: Seat, call: Any, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        call(seat, {"bus": ["3", "4"], "mw": [60, 50]})


# The page and its wiring


def test_every_wired_id_is_on_the_page(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current_user", lambda: ANNE)
    app = Dash("wiring", suppress_callback_exceptions=True)
    page.register(app, seat.desk.services)
    app.layout = html.Div()
    app._setup_server()
    screen = Screen(seat)
    shown = screen.ask()
    publish(seat, screen.drawn)
    stopped = Screen(seat).ask(keep="box:box", box="4 10 45")
    records = seat.desk.services.products.list(ANNE, seat.study)
    present = ids_in(page.page_layout(seat.desk.services, study=seat.study)) | ids_in(shell.layout(()))
    present |= ids_in([shown.totals, shown.tray, stopped.state, panes.inspect(seat, screen.drawn, "bus:3", "light")])
    present |= ids_in([versions(records, {}), listed([Condition("cap", mw=5.0)])])
    kinds = {json.loads(name)["type"] for name in present if name.startswith("{")}
    levels = {f"capacity-why-{kind}{level}" for kind in ("site", "alone") for level in range(2, 8)}  # as many as asked
    levels.add(ids.LARGEST_WHY)  # of a bus, once its largest load was computed
    wired = set()
    for key, spec in app.callback_map.items():
        wired |= {entry["id"] for entry in [*spec["inputs"], *spec.get("state", [])]}
        names = key.strip(".").split("...") if key.startswith("..") else [key]
        wired |= {name.rpartition(".")[0] for name in names}
    ours = {name for name in wired if "capacity" in name}  # a library of components may wire its own
    many = {name for name in ours if name.startswith("{") and json.loads(name)["type"] in kinds}
    missing = {name for name in ours - many if name not in present and name.removesuffix("-panel") not in levels}
    assert missing == set()
    assert len(ours) > 60


@pytest.mark.parametrize("query", [{}, {"study": "nobody's"}])
def test_without_a_study_the_page_says_what_to_do(seat: Seat, monkeypatch: pytest.MonkeyPatch, query: Any) -> None:
    monkeypatch.setattr(page, "current_user", lambda: BEN)
    assert "No study is open" in text(page.page_layout(seat.desk.services, **query))


def test_a_half_drawn_network_says_what_to_mend(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current_user", lambda: ANNE)
    tables = library.load("fourbus")
    broken = replace(tables, branches=tables.branches.assign(reactance_pu=0.0))
    study = services.studies.create(ANNE, "Half", broken)
    words = text(page.page_layout(services, study=study))
    assert "The network is not complete" in words
    assert "1-2" in words


def test_a_link_that_cannot_be_read_is_told_and_the_study_opens(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current_user", lambda: ANNE)
    layout = page.page_layout(seat.desk.services, study=seat.study, sites="3,4", mw="many")
    (start,) = [child for child in layout.children if getattr(child, "id", None) == "capacity-study-start"]
    assert start.data["problems"] == ["the link's mw must be numbers, found 'many'"]
    assert start.data["question"]["candidates"] == ["3", "4"]


def test_an_upload_that_is_no_file_changes_nothing(seat: Seat) -> None:
    with pytest.raises(FileFormatError):
        read_upload(seat, "states.parquet", b"PAR1 and no more")
    assert seat.desk.services.studies.datasets(ANNE, seat.study) == []
