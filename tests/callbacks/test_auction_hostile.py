"""What hostile clients try in the auction room: refused, logged without secrets, and nobody else is told or slowed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from app import create_app
from callbacks import auction_access
from callbacks.auction_access import Buckets, Gate
from callbacks.auction_room import Rooms
from callbacks.auction_routes import EXTENSION
from callbacks.settings import Settings
from engine.auction import bundles
from engine.auction.rules import Activity, Timing
from tests.rooms import Visitor, configuration, seat

# Numbers that occur nowhere else: what is only Bob's.
WORTH, BUDGET, UNITS, LOSING, SEALED = 771_003, 771_017, 771_029, 771_041, 771_053
SEED = 4_242_424_242  # of the tie numbers, tests.rooms.configuration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_access, "ACTS_BURST", 1e6)
        patch.setattr(auction_access, "ASKS_BURST", 1e6)
        yield create_app(Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})).server


@pytest.fixture
def rooms(server: Flask) -> Rooms:
    found: Rooms = server.extensions[EXTENSION]
    return found


@pytest.fixture
def host(server: Flask) -> Visitor:
    return Visitor(server)


def room_of_two(server: Flask, rooms: Rooms, host: Visitor, **rules: Any) -> tuple[str, Visitor, Visitor]:
    """Return an auction in round 1 with Ann (b1) and Bob (b2), whose every private number is a marker."""
    values = {"kind": "additive", "values": {"lot-1": WORTH, "lot-2": WORTH, "lot-3": WORTH}, "budget": BUDGET}
    seats = [seat("Ann", eligibility=900_000), seat("Bob", valuation=values, eligibility=UNITS)]
    auction = rooms.create(host.user, configuration(timing=Timing("by hand"), **rules), seats, keep_seed=True)
    visitors = []
    for bidder in ("b1", "b2"):
        with rooms.turn(auction) as turn:
            key = turn.store.new_key("bidder", bidder)
        visitors.append(Visitor(server))
        visitors[-1].post("join", {"key": key})
    host.order(auction, "open")
    return auction, visitors[0], visitors[1]


def length(rooms: Rooms, auction: str) -> int:
    return len(rooms.store.entries(auction))


def everything(visitor: Visitor, auction: str) -> None:
    """Ask for everything there is, in every role."""
    for role in ("bidder", "public", "host"):
        visitor.get(f"{auction}/snapshot?as={role}")
        visitor.get(f"{auction}/history?as={role}")
    for name in (
        "ledger.jsonl",
        "values.csv",
        "prices.csv",
        "payments.csv",
        "bids.csv",
        "summary.json",
        *bundles.NAMES,
    ):
        visitor.get(f"{auction}/download/{name}")
    visitor.post(f"{auction}/what-if", {"bids": [["lot-1", 50, 1]]})
    visitor.post(f"{auction}/bid-file", {"text": "lot,amount\nlot-1,50\n"})
    visitor.post(f"{auction}/host", {"request": "q", "what": "deliver"})
    visitor.post(f"{auction}/act", {"request": "q", "round": 1, "what": "bids", "bids": [["lot-1", 1, 1]]})
    visitor.post("join", {"code": "AAAAAA", "name": "x"})


def every_page(visitor: Visitor, auction: str) -> int:
    """Open every page of the auction and call every callback of the pages with its id in every place.

    Return how many callbacks answered.
    """
    for path in ("", "/seat", "/screen", "/watch", "/join", "/debrief"):
        where = {"Referer": f"http://localhost/auction{path}?auction={auction}"}
        visitor.seen.append(visitor.client.get("/_dash-layout", headers=where).get_data(as_text=True))
    answered = 0
    for one in visitor.client.get("/_dash-dependencies").json or []:
        if one["clientside_function"] is not None or "auction" not in json.dumps(one):
            continue
        names = [name.rpartition(".") for name in one["output"].strip(".").split("...")]
        outputs = [{"id": part, "property": name} for part, _, name in names]
        places = {
            kind: [[] if "{" in place["id"] else {**place, "value": auction} for place in one[kind]]
            for kind in ("inputs", "state")
        }
        first = one["inputs"][0]
        body = {
            **places,
            "output": one["output"],
            "outputs": outputs if one["output"].startswith("..") else outputs[0],
            "changedPropIds": [f"{first['id']}.{first['property']}"],
        }
        answer = visitor.client.post("/_dash-update-component", json=body)
        answered += answer.status_code in (200, 204)
        visitor.seen.append(answer.get_data(as_text=True).replace("\\u2009", "").replace("\u2009", ""))
    return answered


def test_no_page_and_no_callback_tells_one_bidder_a_secret_of_another(
    server: Flask, rooms: Rooms, host: Visitor
) -> None:
    auction, ann, bob = room_of_two(server, rooms, host, information="anonymous", disclose_values=False)
    assert ann.act(auction, "bids", 1, bids=[["lot-1", 900_001]])["accepted"]
    assert bob.act(auction, "bids", 1, bids=[["lot-1", LOSING], ["lot-2", SEALED]])["accepted"]
    assert every_page(ann, auction) > 5
    for secret in (SEED, WORTH, BUDGET, UNITS, LOSING, SEALED, bob.user):
        assert str(secret) not in "\n".join(ann.seen)
    host.order(auction, "close")
    host.order(auction, "close")
    assert rooms.look(auction).live.state.phase == "closed"
    every_page(ann, auction)
    for secret in (WORTH, BUDGET, bob.user):
        assert str(secret) not in "\n".join(ann.seen)
    every_page(bob, auction)
    assert str(WORTH) in "\n".join(bob.seen)  # his own debrief tells him: the markers do mark


def test_no_answer_to_one_bidder_holds_a_secret_of_another(server: Flask, rooms: Rooms, host: Visitor) -> None:
    rule = Activity(True, (0.01,), waivers=3)
    auction, ann, bob = room_of_two(server, rooms, host, information="anonymous", activity=rule, disclose_values=False)
    bob_key = bob.post(f"{auction}/key").json["key"]
    assert ann.act(auction, "bids", 1, bids=[["lot-1", 900_001]])["accepted"]
    assert bob.act(auction, "bids", 1, bids=[["lot-1", LOSING], ["lot-2", SEALED]])["accepted"]
    everything(ann, auction)
    for secret in (SEED, WORTH, BUDGET, UNITS, LOSING, SEALED, bob_key, bob.user):
        assert str(secret) not in "\n".join(ann.seen)
    host.order(auction, "close")
    everything(ann, auction)
    for secret in (SEED, WORTH, BUDGET, UNITS, LOSING, bob_key, bob.user):
        assert str(secret) not in "\n".join(ann.seen)
    assert str(SEALED) in "\n".join(ann.seen)  # the price of lot 2, which everybody may know now
    everything(ann, auction)
    host.order(auction, "close")
    everything(ann, auction)
    seen = "\n".join(ann.seen)
    for secret in (WORTH, BUDGET, bob_key, bob.user):  # results are open after the end, values not
        assert str(secret) not in seen
    everything(bob, auction)
    own = "\n".join(bob.seen)
    assert all(str(secret) in own for secret in (WORTH, BUDGET, UNITS, LOSING, SEALED))  # the markers do mark


def test_who_is_not_in_the_room_is_told_nothing(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, _, bob = room_of_two(server, rooms, host)
    bob.act(auction, "bids", 1, bids=[["lot-2", SEALED]])
    before = length(rooms, auction)
    stranger = Visitor(server)
    everything(stranger, auction)
    assert length(rooms, auction) == before
    statuses = {answer.split()[0] for answer in stranger.seen}
    assert statuses == {"403", "404"}
    assert "Lot 1" not in "\n".join(stranger.seen)


def test_a_bidder_cannot_act_for_another_nor_in_another_auction(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, _ = room_of_two(server, rooms, host)
    foreign, _, other = room_of_two(server, rooms, host)
    body = {"request": "f1", "round": 1, "what": "bids", "bids": [["lot-1", 5, 1]]}
    before = length(rooms, auction), length(rooms, foreign)
    for more in ({"bidder": "b2"}, {"user": "someone"}, {"as": "host"}, {"at": 1.0}):
        assert ann.post(f"{auction}/act", {**body, **more}).status_code == 400
    assert ann.post(f"{foreign}/act", body).status_code == 403
    assert other.post(f"{auction}/act", body).status_code == 403
    for unknown in ("0000000000000000", "%00", "..", "x" * 300, "1' OR '1'='1"):
        assert ann.post(f"{unknown}/act", body).status_code == 404
    for what in ("close", "open", "cancel", "invite_host", "watch", "annul", "practice", "show_code"):
        more = {"on": True} if what in {"practice", "show_code"} else {}
        assert ann.post(f"{auction}/host", {"request": "f2", "what": what, **more}).status_code == 403
    assert (length(rooms, auction), length(rooms, foreign)) == before


@pytest.mark.parametrize(
    "rows",
    [  # JSON as text: half of it is none that a library would write
        '[["lot-1", -5, 1]]', '[["lot-1", 0, 1]]', '[["lot-1", NaN, 1]]', '[["lot-1", Infinity, 1]]',
        '[["lot-1", 1e308, 1]]', '[["lot-1", 1e999, 1]]', '[["lot-1", 5.5, 1]]', '[["lot-1", true, 1]]',
        '[["lot-1", "5", 1]]', '[["lot-1", null, 1]]', '[["lot-1", [5], 1]]', '[["lot-1", {}, 1]]',
        '[["lot-1", 5, -1]]', '[["lot-1", 5, 2]]', '[["lot-1", 5, 1e308]]', '[["lot-1", 5, 1], ["lot-1", 10, 1]]',
        '[["lot-9", 5, 1]]', '[[1, 5, 1]]', '[["lot-1"]]', "[[]]", '["lot-1"]', "{}", "5", "null",
        f'[["lot-1", {"9" * 400}, 1]]', f'[["lot-1", {"9" * 5000}, 1]]', '[["lot-1", 1000000000001, 1]]',
        r'[["\ud800", 5, 1]]', r'[["lot-1\u0000", 5, 1]]', "[" * 3000 + "]" * 3000,
    ],
)  # fmt: skip
def test_bids_that_no_page_sends_are_refused_and_leave_nothing(
    server: Flask, rooms: Rooms, host: Visitor, rows: str
) -> None:
    auction, ann, _ = room_of_two(server, rooms, host)
    before = length(rooms, auction)
    content = f'{{"request": "n1", "round": 1, "what": "bids", "bids": {rows}}}'
    answer = ann.post(f"{auction}/act", json=None, data=content, content_type="application/json")
    assert answer.status_code in {200, 400}, answer.text
    assert answer.status_code == 400 or answer.json["accepted"] is False
    assert "Traceback" not in answer.text
    assert length(rooms, auction) == before


def test_bodies_that_are_no_order_are_refused(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, _ = room_of_two(server, rooms, host)
    before = length(rooms, auction)
    twice = '{"request": "a", "round": 1, "what": "bids", "bids": [], "bids": [["lot-1", 5, 1]]}'
    bad = [b"", b"{", b"\xff\xfe", b"[]", b'"x"', twice.encode(), b'{"request": "a"}',
           b'{"request": "", "round": 1, "what": "waiver"}', b'{"request": "a b", "round": 1, "what": "waiver"}',
           b'{"request": "a", "round": 1, "what": "open"}', b'{"request": "a", "round": 1.0, "what": "waiver"}',
           b'{"request": "a", "round": true, "what": "waiver"}', b'{"request": 7, "round": 1, "what": "waiver"}',
           b'{"request": "a", "round": 1, "what": "waiver", "bids": []}']  # fmt: skip
    for content in bad:
        answer = ann.post(f"{auction}/act", json=None, data=content, content_type="application/json")
        assert answer.status_code == 400, content
    plain = ann.post(f"{auction}/act", json=None, data=b"{}", content_type="text/plain")
    assert plain.status_code == 415
    large = ann.post(f"{auction}/act", json=None, data=b" " * 300_000, content_type="application/json")
    assert large.status_code == 413
    foreign = ann.post(f"{auction}/act", {}, headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403
    assert length(rooms, auction) == before


def test_a_request_that_is_sent_again_is_told_and_not_done_again(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, bob = room_of_two(server, rooms, host)
    body = {"request": "same-id", "round": 1, "what": "bids", "bids": [["lot-1", 5, 1]]}
    first = ann.post(f"{auction}/act", body).json
    before = length(rooms, auction)
    again = ann.post(f"{auction}/act", {**body, "bids": [["lot-2", 50, 1]]}).json
    assert again["repeated"]
    assert (again["number"], again["confirmed"]) == (first["number"], first["confirmed"])
    assert length(rooms, auction) == before
    replayed = bob.post(f"{auction}/act", body).json  # Ann's request, sent by Bob, is Bob's own bid
    assert replayed["accepted"]
    assert "repeated" not in replayed
    events = [stored.entry.event for stored in rooms.store.entries(auction)]
    assert [event.actor for event in events if event.kind == "bids submitted"] == ["b1", "b2"]
    host.order(auction, "close")
    assert ann.post(f"{auction}/act", body).json["repeated"]  # after its round, too


def test_refusals_are_logged_without_secrets(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, ann, bob = room_of_two(server, rooms, host)
    key = bob.post(f"{auction}/key").json["key"]
    with structlog.testing.capture_logs() as lines:
        ann.post(f"{auction}/act", {"request": "l1", "round": 1, "what": "bids", "bids": [["lot-1", -SEALED, 1]]})
        ann.get(f"{auction}/snapshot?as=host")
        ann.post("join", {"key": f"{key}x"})
        ann.post("join", {"code": "QQQQQQ", "name": "Ann"})
        ann.post(f"{auction}/host", {"request": "l2", "what": "close"})
    refused = [line for line in lines if line["event"] == "refused"]
    assert [(line["why"], line["status"]) for line in refused] == [
        ("minimum-bid", 200), ("not host", 403), ("no such code", 404), ("no such code", 404), ("not host", 403),
    ]  # fmt: skip
    written = json.dumps(lines, default=str)
    for secret in (str(SEALED), key, "QQQQQQ", ann.user, bob.user):
        assert secret not in written


def test_codes_cannot_be_tried_one_after_the_other(server: Flask, rooms: Rooms, host: Visitor) -> None:
    auction, _, _ = room_of_two(server, rooms, host)
    code = host.look(auction, "host")["host"]["code"]
    guesser, classmate = Visitor(server), Visitor(server)
    statuses = [guesser.post("join", {"code": f"AAAA{n:02}", "name": "x"}).status_code for n in range(22, 36)]
    assert statuses[:10] == [404] * 10
    assert set(statuses[10:]) == {429}
    assert classmate.post("join", {"code": code, "name": "Cem"}).status_code == 200  # at the same address


# Floods


class Inner:
    """An application that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked.append(environ["HTTP_COOKIE"])
        start_response("200 OK", [])
        return [b"{}"]


def request(session: str, path: str = "/api/auctions/a1/act", method: str = "POST") -> dict[str, Any]:
    cookie = f"headroom={session}"
    return {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_COOKIE": cookie, "CONTENT_LENGTH": "2"}


def test_a_flood_from_one_seat_is_turned_away_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auction_access, "ACTS_BURST", 15.0)
    inner, statuses = Inner(), []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        statuses.append(status)
        if status.startswith("429"):
            assert dict(headers)["Connection"] == "close"

    gate = Gate(inner, lambda: 1_790_000_000.0)
    with structlog.testing.capture_logs() as lines:
        for _ in range(10_000):
            list(gate(request("flooder"), start_response))
        list(gate(request("neighbour"), start_response))
        list(gate(request("flooder", "/auction", "GET"), start_response))  # his pages are not the room's matter
    assert statuses[-2:] == ["200 OK", "200 OK"]
    through = inner.asked.count("headroom=flooder") - 1
    assert auction_access.ACTS_BURST <= through < 200  # the burst, and what a few seconds add to it
    counted = sum(line["refused"] for line in lines)
    assert len(lines) < 100
    assert 0 < counted <= 10_000 - through
    assert not re.search("flooder", json.dumps(lines))


def test_other_cookies_and_quotes_make_no_other_asker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auction_access, "ACTS_BURST", 15.0)
    inner = Inner()
    gate = Gate(inner)
    for number in range(500):
        for cookie in (f"x={number}; headroom=flooder; y=1", f'headroom="quoted{number}"', f"other={number}"):
            list(gate({**request(""), "HTTP_COOKIE": cookie, "REMOTE_ADDR": "10.0.0.9"}, lambda *_: None))
    assert 30 <= len(inner.asked) < 100  # two askers: the session, and the address of all that have none


def test_a_bucket_refills_at_its_rate() -> None:
    now = [0.0]
    bucket = Buckets(5.0, 10.0, lambda: now[0])
    assert [bucket.take(b"a") for _ in range(10)] == [None] * 10
    assert bucket.take(b"a") is not None
    assert bucket.take(b"b") is None
    now[0] = 1.0
    assert [bucket.take(b"a") is None for _ in range(6)] == [True] * 5 + [False]
