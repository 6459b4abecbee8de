"""The auction room's tables: ledgers that are only added to, who is in the room, and the keys that open it.

What an event means is for the caller; here it is written down whole or not at all, each number once. Whoever adds
to a ledger holds its auction's row (:meth:`Auctions.writing`), so that writers in any thread, worker or machine
take turns.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from engine.auction.events import Event
from engine.auction.ledger import Entry
from engine.errors import LimitError
from engine.store.access import MAX_USER, is_id, missing
from engine.store.codec import dump_json, load_json, new_id, sha256
from engine.store.database import Database, epoch
from engine.store.records import upsert
from engine.store.schema import auction_events, auction_keys, auction_people, auctions

Role = Literal["host", "bidder", "waiting", "watcher", "out"]
KeyRole = Literal["host", "bidder", "watcher"]

MAX_AUCTIONS = 200  # that a user hosts
MAX_PEOPLE = 2_000  # of one auction, watchers and those put out included
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
CODE_LENGTH = 6  # a thousand million codes; guesses are counted (callbacks.auction_access)


@dataclass(frozen=True, slots=True)
class AuctionRow:
    """What a poll needs to know: how long the ledger is, who may look, and when the round ends."""

    id: str
    title: str
    code: str
    study_id: str | None
    version: int | None
    automatic: bool
    shows_code: bool
    events: int
    access: int
    phase: str
    round: int
    deadline: float | None
    looked: float
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Person:
    """One session in the room. A session may be host, bidder and watcher at once; "out": it lost its seat."""

    user: str
    role: Role
    place: str  # id in the waiting list
    bidder: str
    name: str
    joined: float
    seen: float


@dataclass(frozen=True, slots=True)
class Key:
    """What a key opens."""

    auction: str
    role: KeyRole
    bidder: str


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """An entry of a ledger, and the id of the request that it answers."""

    entry: Entry
    request: str | None


@dataclass(frozen=True, slots=True)
class AuctionSummary:
    """One line of a user's list of auctions."""

    id: str
    title: str
    role: Role
    phase: str
    round: int
    study_id: str | None
    bidders: int
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class NewAuction:
    """What an auction starts with, beside its ledger."""

    title: str
    study_id: str | None = None
    version: int | None = None
    places: Mapping[str, tuple[float, float]] | None = None  # longitude and latitude by lot
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What the ledger adds up to, kept beside it so that a poll need not replay it, and when it came to that."""

    phase: str
    round: int
    deadline: float | None
    at: float = 0.0


class Writing:
    """A transaction that holds one auction."""

    def __init__(self, connection: sa.Connection, row: AuctionRow) -> None:
        self._connection = connection
        self.row = row

    def entries(self, after: int) -> list[Stored]:
        """Return the ledger's entries after that number."""
        return _entries(self._connection, self.row.id, after)

    def append(self, added: Sequence[Stored], head: Head) -> None:
        """Add entries that follow the ledger's last one."""
        numbers = [one.entry.number for one in added]
        if numbers != list(range(self.row.events + 1, self.row.events + 1 + len(added))):
            raise ValueError(f"entries {numbers} do not follow entry {self.row.events} of the ledger")
        _insert(self._connection, self.row.id, added)
        changes = {"phase": head.phase, "round": head.round, "deadline": head.deadline, "looked": head.at}
        self._change(events=self.row.events + len(added), **changes)

    def people(self) -> list[Person]:
        """Return everybody in the room."""
        return _people(self._connection, self.row.id)

    def admit(self, user: str, role: Role, *, bidder: str = "", name: str = "") -> None:
        """Give the session a role. A seat takes it out of the waiting list, or off another seat."""
        here = auction_people.c.auction_id == self.row.id
        if self._connection.execute(sa.select(sa.func.count()).where(here)).scalar_one() >= MAX_PEOPLE:
            raise LimitError(f"the room has {MAX_PEOPLE} visitors; that is the limit")
        if role in {"bidder", "waiting"}:
            mine = sa.delete(auction_people).where(here, auction_people.c.user_id == user)
            self._connection.execute(mine.where(auction_people.c.role.in_(("bidder", "waiting", "out"))))
        place = new_id() if role == "waiting" else ""
        changes = {"place": place, "bidder": bidder, "name": name, "seen": epoch()}
        row = {"auction_id": self.row.id, "user_id": user, "role": role, "joined": epoch(), **changes}
        upsert(self._connection, auction_people, row, changes)
        self.changed()

    def send_away(self, place: str) -> bool:
        """Take somebody off the waiting list; tell whether he was on it."""
        here = (auction_people.c.auction_id == self.row.id, auction_people.c.role == "waiting")
        gone = self._connection.execute(sa.delete(auction_people).where(*here, auction_people.c.place == place))
        self.changed()
        return gone.rowcount > 0

    def clear_seat(self, bidder: str) -> None:
        """Put every session of a seat out of it, and make its keys useless."""
        seat = (auction_people.c.auction_id == self.row.id, auction_people.c.bidder == bidder)
        self._connection.execute(sa.update(auction_people).where(*seat).values(role="out"))
        keys = (auction_keys.c.auction_id == self.row.id, auction_keys.c.role == "bidder")
        self._connection.execute(sa.delete(auction_keys).where(*keys, auction_keys.c.bidder == bidder))
        self.changed()

    def new_key(self, role: KeyRole, bidder: str = "") -> str:
        """Return a new key in the place of the one that opened the same. The database keeps its hash only."""
        key = secrets.token_urlsafe(24)
        same = (auction_keys.c.auction_id == self.row.id, auction_keys.c.role == role)
        self._connection.execute(sa.delete(auction_keys).where(*same, auction_keys.c.bidder == bidder))
        row = {"key_digest": _digest(key), "auction_id": self.row.id, "role": role, "bidder": bidder}
        self._connection.execute(sa.insert(auction_keys).values(**row, created=epoch()))
        return key

    def configure(self, **changes: bool) -> None:
        """Say whether a joiner gets a seat without the host (``automatic``), whether screens show the code."""
        self._change(**{name: changes[name] for name in ("automatic", "shows_code") if name in changes})
        self.changed()

    def keyed_seats(self) -> set[str]:
        """Return the bidders for whose seats a personal key is out."""
        keys = (auction_keys.c.auction_id == self.row.id, auction_keys.c.role == "bidder")
        return set(self._connection.execute(sa.select(auction_keys.c.bidder).where(*keys)).scalars())

    def changed(self) -> None:
        """Let every worker read again who is in the room."""
        self._change(access=auctions.c.access + 1)

    def _change(self, **changes: Any) -> None:
        mine = sa.update(auctions).where(auctions.c.id == self.row.id)
        self._connection.execute(mine.values(updated=epoch(), **changes))


class Auctions:
    """Auctions in the database. Who may do what is decided by the caller from :meth:`people`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user: str, new: NewAuction, entries: Sequence[Entry], head: Head) -> str:
        """Store a new auction with its first entries and its host; return its id."""
        auction_id = new_id()
        with self._database.writing() as connection:
            self._database.serialise(connection, f"auctions {user}")
            hosted = sa.select(sa.func.count()).where(auction_people.c.user_id == user, auction_people.c.role == "host")
            if not user or len(user) > MAX_USER:
                raise missing("user", user)
            if connection.execute(hosted).scalar_one() >= MAX_AUCTIONS:
                raise LimitError(f"you host {MAX_AUCTIONS} auctions; that is the limit")
            connection.execute(
                sa.insert(auctions).values(
                    id=auction_id,
                    title=new.title,
                    code=_new_code(connection),
                    study_id=new.study_id,
                    version=new.version,
                    places=dump_json({lot: list(place) for lot, place in (new.places or {}).items()}, "places"),
                    automatic=new.automatic,
                    shows_code=True,
                    events=len(entries),
                    access=1,
                    phase=head.phase,
                    round=head.round,
                    deadline=head.deadline,
                    looked=head.at,
                    created=epoch(),
                    updated=epoch(),
                )
            )
            _insert(connection, auction_id, [Stored(entry, None) for entry in entries])
            person = {"auction_id": auction_id, "user_id": user, "role": "host", "place": "", "bidder": "", "name": ""}
            connection.execute(sa.insert(auction_people).values(**person, joined=epoch(), seen=epoch()))
        return auction_id

    def of_user(self, user: str) -> list[AuctionSummary]:
        """Return the auctions in which the user has, or waits for, a part; the last changed first."""
        seats = sa.select(sa.func.count()).where(
            auction_events.c.auction_id == auctions.c.id, auction_events.c.kind == "admitted"
        )
        columns = (auctions.c.id, auctions.c.title, auction_people.c.role, auctions.c.phase, auctions.c.round,
                   auctions.c.study_id, seats.scalar_subquery().label("bidders"), auctions.c.created,
                   auctions.c.updated)  # fmt: skip
        query = (
            sa.select(*columns)
            .join(auction_people, auction_people.c.auction_id == auctions.c.id)
            .where(auction_people.c.user_id == user, auction_people.c.role != "out")
            .order_by(auctions.c.updated.desc(), auctions.c.id, auction_people.c.role)
        )
        with self._database.reading() as connection:
            return [AuctionSummary(**row._mapping) for row in connection.execute(query)]

    def row(self, auction_id: str) -> AuctionRow:
        """Return the auction's row. Raises NotFoundError where there is none."""
        if not is_id(auction_id):
            raise missing("auction", auction_id)
        with self._database.reading() as connection:
            return _row(connection, auction_id)

    def places(self, auction_id: str) -> dict[str, tuple[float, float]]:
        """Return longitude and latitude by lot."""
        with self._database.reading() as connection:
            text = connection.execute(sa.select(auctions.c.places).where(auctions.c.id == auction_id)).scalar_one()
        return {lot: (float(place[0]), float(place[1])) for lot, place in load_json(text).items()}

    def entries(self, auction_id: str, after: int = 0) -> list[Stored]:
        """Return the ledger's entries after that number."""
        with self._database.reading() as connection:
            return _entries(connection, auction_id, after)

    def people(self, auction_id: str) -> list[Person]:
        """Return everybody in the room."""
        with self._database.reading() as connection:
            return _people(connection, auction_id)

    @contextmanager
    def writing(self, auction_id: str) -> Iterator[Writing]:
        """Hold the auction against all other writers until this returns; then all of it is written, or nothing."""
        if not is_id(auction_id):
            raise missing("auction", auction_id)
        with self._database.writing() as connection:
            yield Writing(connection, _row(connection, auction_id, hold=True))

    def by_code(self, code: str) -> str | None:
        """Return the id of the auction that a code names."""
        return self._one(sa.select(auctions.c.id).where(auctions.c.code == code)) if is_id(code) else None

    def by_key(self, key: str) -> Key | None:
        """Return what a key opens."""
        with self._database.reading() as connection:
            columns = (auction_keys.c.auction_id, auction_keys.c.role, auction_keys.c.bidder)
            row = connection.execute(sa.select(*columns).where(auction_keys.c.key_digest == _digest(key))).one_or_none()
        return None if row is None else Key(*row)

    def note_look(self, auction_id: str, now: float) -> None:
        """Write down that somebody looks at the open round now."""
        mine = sa.update(auctions).where(auctions.c.id == auction_id, auctions.c.looked < now)
        with self._database.writing() as connection:
            connection.execute(mine.values(looked=now))

    def note_seen(self, seen: Mapping[tuple[str, str, str], float]) -> None:
        """Write down when sessions, by auction, user and role, last asked for something."""
        key = ("auction_id", "user_id", "role")
        update = sa.update(auction_people).where(*(auction_people.c[name] == sa.bindparam(f"b_{name}") for name in key))
        rows = [
            {**{f"b_{name}": value for name, value in zip(key, who, strict=True)}, "moment": moment}
            for who, moment in sorted(seen.items())
        ]
        with self._database.writing() as connection:
            connection.execute(update.values(seen=sa.bindparam("moment")), rows)

    def _one(self, query: sa.Select[Any]) -> str | None:
        with self._database.reading() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
            return found


def _row(connection: sa.Connection, auction_id: str, *, hold: bool = False) -> AuctionRow:
    query = _BY_ID.with_for_update() if hold else _BY_ID
    row = connection.execute(query, {"auction": auction_id}).one_or_none()
    if row is None:
        raise missing("auction", auction_id)
    return AuctionRow(**row._mapping)


_BY_ID = sa.select(*(auctions.c[name] for name in AuctionRow.__dataclass_fields__)).where(
    auctions.c.id == sa.bindparam("auction")
)


def _entries(connection: sa.Connection, auction_id: str, after: int) -> list[Stored]:
    mine = (auction_events.c.auction_id == auction_id, auction_events.c.number > after)
    rows = connection.execute(sa.select(auction_events).where(*mine).order_by(auction_events.c.number))
    return [
        Stored(
            Entry(row.number, Event(row.kind, row.at, row.actor, load_json(row.data)), row.previous, row.hash),
            row.request,
        )
        for row in rows
    ]


def _insert(connection: sa.Connection, auction_id: str, added: Sequence[Stored]) -> None:
    rows = [
        {
            "auction_id": auction_id,
            "number": one.entry.number,
            "kind": one.entry.event.kind,
            "at": one.entry.event.at,
            "actor": one.entry.event.actor,
            "request": one.request,
            "data": dump_json(one.entry.event.data, "an event"),
            "previous": one.entry.previous,
            "hash": one.entry.hash,
        }
        for one in added
    ]
    connection.execute(sa.insert(auction_events), rows)


def _people(connection: sa.Connection, auction_id: str) -> list[Person]:
    columns = [auction_people.c[name if name != "user" else "user_id"] for name in Person.__dataclass_fields__]
    query = sa.select(*columns).where(auction_people.c.auction_id == auction_id)
    return [Person(*row) for row in connection.execute(query.order_by(auction_people.c.joined, columns[0]))]


def _new_code(connection: sa.Connection) -> str:
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if connection.execute(sa.select(auctions.c.id).where(auctions.c.code == code)).one_or_none() is None:
            return code


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "replace"))
