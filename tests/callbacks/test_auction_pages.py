"""The host's pages of an auction: the lobby and its example, the form and what it makes, the desk and whose it is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from dash import Dash, html
from flask import Flask

from callbacks import auction as page
from callbacks import auction_example, auction_host, auction_new
from callbacks.auction_acts import Act, act
from callbacks.auction_invite import install
from callbacks.auction_room import RefusedError
from callbacks.capacity_answer import Seat
from callbacks.capacity_publish import publish
from callbacks.services import Services
from callbacks.settings import Settings
from components import auction_draft, auction_rules, ids, shell
from components.auction import Asked
from engine.auction.presets import PRESETS
from engine.auction.templates import TEMPLATES
from engine.errors import EngineError, NotFoundError, QuestionError
from tests.callbacks.screen import ANNE, BEN, Screen, ids_in, text


@pytest.fixture
def request_context(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A request of Anne's own browser: the desk tells by it how phones reach the server."""
    server = Flask("test")
    install(server, settings)
    for module in (page, auction_host, auction_new):
        monkeypatch.setattr(module, "current_user", lambda: ANNE)
    with server.test_request_context("/auction", base_url="http://127.0.0.1:8050"):
        yield


def drafted(services: Services, key: str = "paper-1", **changes: Any) -> dict[str, Any]:
    return auction_new.start(services, ANNE, f"template:{key}", None) | changes


# The lobby


def test_the_lobby_opens_with_the_paper_s_example_and_its_result(services: Services, request_context: None) -> None:
    shown = text(page.page_layout(services))
    # Section 7 of the specification, example 1: 15 and 25 are paid, the welfare 95 is the optimum, round 5 closes it.
    for words in ("Revenue 40", "Welfare 95", "the best possible", "Its 5 rounds", "1, 3, 4 at 5", "every bundle"):
        assert words in shown
    assert "No auctions of yours yet" in shown
    assert all(template.title in shown for template in TEMPLATES.values())


def test_another_increment_gives_another_auction() -> None:
    fine = auction_example.played(Asked("paper-1", 1, "alternating"))
    # With increment 1 the winner of product 1 pays the other's value of it, 20, or one increment more.
    assert 20 <= int(fine.price[0]) <= 21
    assert auction_example.judged(fine).gap == pytest.approx(0, abs=4)  # at most an increment for each product


def test_an_example_is_played_against_bots_with_one_press(services: Services) -> None:
    """Whoever presses sits in the first seat of an open round; it closes, bots and all, as soon as he has acted."""
    address = page.play(services, ANNE, auction_example.as_given("paper-1"))
    path, _, made = address.partition("?auction=")
    room, row, live = services.auctions.look(made)
    assert (path, live.state.phase, live.state.round) == ("/auction/seat", "open", 1)
    assert services.auctions.seat(room, row, ANNE) == live.state.bidders[0].id
    assert [bool(bidder.bot) for bidder in live.state.bidders] == [False, True]
    first = live.state.configuration.lots[0]
    receipt = act(services.auctions, ANNE, made, Act("r1", 1, "bids", [[first.id, 5, 1]], []), live.state.at)
    assert receipt["accepted"]  # specification, section 7: the first round's bids are 5
    assert services.auctions.look(made).live.state.round == 2
    with pytest.raises(RefusedError):
        services.auctions.seat(room, row, BEN)


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_every_template_has_a_result_as_it_is_given(key: str) -> None:
    asked = auction_example.as_given(key)
    state = auction_example.played(asked)
    assert state.phase == "closed"
    assert state.configuration.rules.increment == TEMPLATES[key].configuration.rules.increment
    found = auction_example.judged(state)
    assert found.optimum is not None
    assert found.values is not None
    assert sum(found.values) <= found.optimum + 1e-6


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("nothing", 5, "random", "as given"), "example"),
        (("paper-1", 0, "random", "as given"), "increment"),
        (("paper-1", 2.5, "random", "as given"), "2.5"),
        (("paper-1", True, "random", "as given"), "increment"),
        (("paper-1", 5, "by luck", "as given"), "turns"),
        (("paper-1", 5, "random", "a friend"), "bidding"),
        ((["paper-1"], 5, "random", "as given"), "example"),
        (("paper-1", {}, [], "as given"), "increment"),
        (("paper-1", 5, {}, "as given"), "turns"),
        (("paper-1", 5, "random", {}), "bidding"),
    ],
)
def test_a_question_that_no_control_can_hold_is_refused_in_words(words: tuple[Any, ...], wrong: str) -> None:
    with pytest.raises(QuestionError, match=wrong):
        auction_example.asked_of(*words)


# Make one


@pytest.mark.parametrize("key", [key for key in TEMPLATES if key != "classroom"])
def test_a_template_can_be_made_as_it_is(services: Services, request_context: None, key: str) -> None:
    draft = drafted(services, key)
    assert auction_new.judged(draft)[1] == []
    made = auction_new.make(services, ANNE, draft)
    here = services.auctions.look(made)
    template, configuration = TEMPLATES[key].configuration, here.live.state.configuration
    assert replace(configuration.rules, preset="") == replace(template.rules, preset="")
    assert replace(configuration, rules=template.rules, seed=template.seed) == template
    assert [bidder.name for bidder in here.live.state.bidders] == [seat.name for seat in TEMPLATES[key].seats]
    assert [bidder.eligibility for bidder in here.live.state.bidders] == [s.eligibility for s in TEMPLATES[key].seats]
    desk = text(page.page_layout(services, auction=made))
    assert TEMPLATES[key].title in desk


def test_the_class_room_s_values_are_drawn_for_each_auction(services: Services) -> None:
    one, other = drafted(services, "classroom"), drafted(services, "classroom")
    assert one["seats"] != other["seats"]
    assert not auction_draft.read(one).known  # those of the other templates are, and the form says so
    assert auction_draft.read(drafted(services, "campus")).known
    made = services.auctions.look(auction_new.make(services, ANNE, one)).live.state.configuration
    assert "seed" not in made.origin


def test_rules_changed_by_hand_are_no_preset_s_and_back_they_are(services: Services) -> None:
    draft = drafted(services, "classroom")
    draft["rules"] = {**draft["rules"], "increment.amount": 7}
    made = services.auctions.look(auction_new.make(services, ANNE, draft)).live.state.configuration
    assert (made.rules.preset, made.rules.increment.amount) == ("Own", 7)
    values = auction_rules.values_of(PRESETS["Classroom"])
    draft = drafted(services, "classroom", preset="Own", rules=values, seed="42")
    again = services.auctions.look(auction_new.make(services, ANNE, draft)).live.state.configuration
    assert (again.rules, again.seed) == (PRESETS["Classroom"], 42)


def test_an_auction_with_a_fault_is_not_made_and_the_fault_is_told(services: Services) -> None:
    draft = drafted(services)
    draft["lots"][1]["reserve"] = -1
    draft["seats"][0]["name"] = ""
    with pytest.raises(EngineError, match="not made yet"):
        auction_new.make(services, ANNE, draft)
    assert services.auctions.list(ANNE) == []
    read, _ = auction_new.judged(draft)
    assert len(read.problems) == 2
    draft["lots"] = []
    assert auction_new.judged(draft)[1] != []  # the engine's own: nothing is sold


@pytest.mark.parametrize(
    "draft", [None, 7, "x", [], {}, {"lots": 3, "seats": "x", "rules": []}, {"study": "s", "version": 1}]
)
def test_a_forged_draft_is_told_in_words(services: Services, draft: Any) -> None:
    with pytest.raises(EngineError):
        auction_new.make(services, ANNE, draft)
    assert auction_new.form(services, ANNE, draft, None)


def test_a_published_product_set_becomes_an_auction(seat: Seat, request_context: None) -> None:
    services, screen = seat.desk.services, Screen(seat)
    screen.ask()
    publish(seat, screen.drawn)
    (record,) = services.products.list(ANNE, seat.study)
    draft = auction_new.start(services, ANNE, f"set:{record.version}", seat.study)
    assert [row["capacity_mw"] for row in draft["lots"]] == [p["capacity_mw"] for p in record.product_set["products"]]
    assert auction_new.judged(draft) == (auction_draft.read(draft), [])
    made = services.auctions.look(auction_new.make(services, ANNE, draft))
    assert (made.row.study_id, made.row.version) == (seat.study, 1)
    assert made.live.state.configuration.network_digest == record.network_digest
    assert made.live.state.configuration.product_set_digest == draft["product_set_digest"] != ""
    assert next(one.key for one in auction_new.sources(services, ANNE, seat.study)) == "set:1"
    with pytest.raises(NotFoundError):
        auction_new.start(services, BEN, "set:1", seat.study)
    with pytest.raises(EngineError):
        auction_new.make(services, BEN, draft)


@pytest.mark.parametrize("wanted", ["template:none", "set:1", "set:x", "", "x"])
def test_an_address_that_names_nothing_says_so(services: Services, request_context: None, wanted: str) -> None:
    with pytest.raises(NotFoundError):
        auction_new.start(services, ANNE, wanted, "nobody's")
    if wanted:
        assert "Nothing to make an auction from" in text(page.page_layout(services, make=wanted, study="nobody's"))


def test_the_builder_s_values_fit_the_draft_s_products(services: Services) -> None:
    fields = {"revenue": 1000, "backup": 0, "hours": None, "campus": 0, "years": 1, "rate": 0, "budget": None}
    built, problems, currency = auction_new.worth(fields, drafted(services))
    assert (problems, currency) == ([], "k$")
    assert built is not None
    # 10, 6.3, 10 and 5.6 MW at 1 000 $ a MW for one year, in whole thousands: nobody bids above what it is worth.
    assert list(built.valuation["values"].values()) == [10, 6, 10, 5]
    assert auction_new.worth({**fields, "rate": 900}, drafted(services))[1] != []


# The desk


def test_the_desk_is_its_host_s_alone(
    services: Services, request_context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = auction_new.make(services, ANNE, drafted(services))
    layout = auction_host.page_layout(services, made)
    (room,) = [one for one in layout._traverse() if getattr(one, "data-room", None) == "host"]
    assert getattr(room, "data-auction") == made
    assert json.loads(getattr(room, "data-invitation"))["warning"]  # the test's server listens on loopback
    assert [line.id for line in page.lines(services, ANNE, 0.0)] == [made]
    assert page.lines(services, BEN, 0.0) == []
    monkeypatch.setattr(auction_host, "current_user", lambda: BEN)
    shown = auction_host.page_layout(services, made)
    assert "run by somebody else" in text(shown)
    assert made not in str(shown)
    assert "There is no such auction" in text(auction_host.page_layout(services, "nope"))


def test_every_wired_id_is_on_a_page(services: Services, request_context: None) -> None:
    app = Dash("wiring", suppress_callback_exceptions=True)
    page.register(app, services)
    app.layout = html.Div()
    app._setup_server()
    present = ids_in(page.page_layout(services)) | ids_in(shell.layout(()))
    present |= ids_in(page.page_layout(services, make="template:campus"))
    present |= ids_in(auction_new.form(services, ANNE, drafted(services, "campus"), None))
    present |= {ids.STUDY}
    kinds = {json.loads(name)["type"] for name in present if name.startswith("{")}
    wired = set()
    for key, spec in app.callback_map.items():
        wired |= {entry["id"] for entry in [*spec["inputs"], *spec.get("state", [])]}
        names = key.strip(".").split("...") if key.startswith("..") else [key]
        wired |= {name.rpartition(".")[0] for name in names}
    others = ("debrief", "auction-seat-", "auction-screen", "auction-watch")  # pages wired together with this one
    ours = {name for name in wired if "auction" in name and not any(part in name for part in others)}
    assert {name for name in ours if name.startswith("{") and json.loads(name)["type"] not in kinds} == set()
    assert {name for name in ours if not name.startswith("{")} - present == set()
    assert len(ours) > 20
