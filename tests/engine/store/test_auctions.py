"""Auctions in the database: ledgers that are only added to, people, keys; on SQLite and on PostgreSQL."""

import threading

import pytest
import sqlalchemy as sa

from engine.auction.configuration import configuration_to_json
from engine.auction.events import Event
from engine.auction.ledger import Entry, next_entry, verify
from engine.errors import LimitError, NotFoundError
from engine.store import Store, auctions
from engine.store.auctions import Auctions, Head, NewAuction, Stored
from engine.store.schema import auction_keys, auction_people
from tests.rooms import configuration

HEAD = Head("set up", 0, None)


def first() -> Entry:
    return next_entry(None, Event("configured", 1.5, "host", {"configuration": configuration_to_json(configuration())}))


@pytest.fixture
def room(store: Store) -> Auctions:
    return Auctions(store.database)


@pytest.fixture
def auction(room: Auctions) -> str:
    return room.create("harriet", NewAuction("Test", places={"lot-1": (1.5, -2.5)}), [first()], HEAD)


def add(room: Auctions, auction: str, text: str, request: str | None = None) -> None:
    with room.writing(auction) as writing:
        last = writing.entries(0)[-1].entry
        entry = next_entry(last, Event("announced", 2.25, "host", {"text": text}))
        writing.append([Stored(entry, request)], Head("open", 3, 9.5))


def test_a_ledger_comes_back_as_it_was_written(room: Auctions, auction: str) -> None:
    add(room, auction, "Größe ≤ 5 µ\u2009k$ 変電所", "r1")
    add(room, auction, "two")
    stored = room.entries(auction)
    verify([one.entry for one in stored])
    assert [one.request for one in stored] == [None, "r1", None]
    assert stored[0].entry == first()
    assert [one.entry.number for one in room.entries(auction, 1)] == [2, 3]
    row = room.row(auction)
    assert (row.events, row.phase, row.round, row.deadline) == (3, "open", 3, 9.5)
    room.note_look(auction, 123.5)
    room.note_look(auction, 100.0)  # another worker's, later
    assert room.row(auction).looked == 123.5
    assert room.places(auction) == {"lot-1": (1.5, -2.5)}


def test_an_entry_has_its_number_once_and_its_request_once(room: Auctions, auction: str) -> None:
    add(room, auction, "one", "r1")
    with pytest.raises(ValueError, match="do not follow"), room.writing(auction) as writing:
        writing.append([Stored(first(), None)], HEAD)
    with pytest.raises(sa.exc.IntegrityError):
        add(room, auction, "again", "r1")
    assert len(room.entries(auction)) == 2
    assert room.row(auction).events == 2


def test_writers_of_one_auction_take_turns(room: Auctions, auction: str) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [add(room, auction, f"{n} {turn}") for turn in range(5)]) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    entries = [one.entry for one in room.entries(auction)]
    verify(entries)
    assert len(entries) == 31
    assert len({entry.event.data["text"] for entry in entries[1:]}) == 30


def test_what_raises_in_a_turn_leaves_nothing(room: Auctions, auction: str) -> None:
    def half() -> None:
        with room.writing(auction) as writing:
            writing.admit("ann", "bidder", bidder="b1", name="Ann")
            writing.new_key("bidder", "b1")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        half()
    assert [one.user for one in room.people(auction)] == ["harriet"]
    assert room.row(auction).access == 1


def test_keys_are_kept_as_hashes_and_the_newest_opens(store: Store, room: Auctions, auction: str) -> None:
    with room.writing(auction) as writing:
        old, other = writing.new_key("bidder", "b1"), writing.new_key("bidder", "b2")
        new = writing.new_key("bidder", "b1")
        assert writing.keyed_seats() == {"b1", "b2"}
    assert room.by_key(old) is None
    found = room.by_key(new)
    assert found is not None
    assert (found.auction, found.role, found.bidder) == (auction, "bidder", "b1")
    assert room.by_key("\udcff") is None
    with store.database.reading() as connection:
        kept = repr(connection.execute(sa.select(auction_keys)).all())
    assert not any(key in kept for key in (old, new, other))


def test_a_session_has_one_seat_and_a_seat_many_sessions(room: Auctions, auction: str) -> None:
    with room.writing(auction) as writing:
        writing.admit("ann", "waiting", name="Ann")
        writing.admit("ann", "bidder", bidder="b1", name="Ann")
        writing.admit("phone", "bidder", bidder="b1")
        writing.admit("ann", "bidder", bidder="b2", name="Ann")
        writing.admit("harriet", "bidder", bidder="b1")
    assert {(one.user, one.role, one.bidder) for one in room.people(auction)} == {
        ("harriet", "host", ""), ("ann", "bidder", "b2"), ("phone", "bidder", "b1"), ("harriet", "bidder", "b1"),
    }  # fmt: skip
    with room.writing(auction) as writing:
        writing.clear_seat("b1")
    assert {(one.user, one.role) for one in room.people(auction) if one.bidder == "b1"} == {
        ("phone", "out"), ("harriet", "out"),
    }  # fmt: skip
    assert room.row(auction).access == 7
    room.note_seen({(auction, "ann", "bidder"): 77.5, (auction, "gone", "bidder"): 1.0})
    assert [one.seen for one in room.people(auction) if one.user == "ann"] == [77.5]


def test_a_code_is_typed_and_unlike_every_other(room: Auctions, auction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = room.row(auction).code
    assert len(code) == auctions.CODE_LENGTH
    assert set(code) <= set(auctions.CODE_LETTERS)
    assert room.by_code(code) == auction
    drawn = iter([*code, *"QQQQQQ"])  # the first draw is taken
    monkeypatch.setattr(auctions.secrets, "choice", lambda _: next(drawn))
    other = room.create("harriet", NewAuction("Other"), [first()], HEAD)
    assert room.row(other).code == "QQQQQQ"


def test_a_user_finds_his_auctions_and_nobody_elses(room: Auctions, auction: str) -> None:
    with room.writing(auction) as writing:
        writing.admit("ann", "bidder", bidder="b1")
        writing.admit("eve", "bidder", bidder="b2")
        writing.clear_seat("b2")
    assert [(one.id, one.role, one.bidders) for one in room.of_user("harriet")] == [(auction, "host", 0)]
    assert [(one.id, one.role) for one in room.of_user("ann")] == [(auction, "bidder")]
    assert room.of_user("eve") == []
    for unknown in ("", "x", "0" * 16, "\x00", "a" * 300):
        with pytest.raises(NotFoundError):
            room.row(unknown)
        with pytest.raises(NotFoundError), room.writing(unknown):
            pass


def test_limits_are_told(store: Store, room: Auctions, auction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auctions, "MAX_AUCTIONS", 1)
    with pytest.raises(LimitError, match="you host 1 auctions"):
        room.create("harriet", NewAuction("Two"), [first()], HEAD)
    monkeypatch.setattr(auctions, "MAX_PEOPLE", 1)
    with pytest.raises(LimitError, match="1 visitors"), room.writing(auction) as writing:
        writing.admit("ann", "watcher")
    with store.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(auction_people)).scalar_one() == 1
