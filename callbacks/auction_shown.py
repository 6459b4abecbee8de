"""The snapshots of a room: what one session sees of it now, as JSON bytes, and a tag that changes when they do.

The public part is made once for each thing that happened, whoever asks; what a bidder sees besides is put behind it.
A sealed bid changes nobody's tag but the bidder's own and the host's: not even its moment can be seen.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callbacks.auction_orders import not_host
from callbacks.auction_room import Here, RefusedError, Room, Rooms, no_seat
from engine.auction import views
from engine.auction.bots import move
from engine.auction.live import Live
from engine.auction.state import AuctionState
from engine.store.auctions import AuctionRow, Person

SEEN_TICK_S = 10.0  # the host's view is made again this often, for who was seen when
HINTED_BLOCKS = 400  # with more, demand at these prices may take long enough to be felt by others
ROLES = ("host", "bidder", "public")

Extra = Callable[[Here], Mapping[str, Any]]
Join = Callable[[str], Mapping[str, Any] | None]  # how to join with a code, as the asking browser reaches us


@dataclass(frozen=True, slots=True)
class Shown:
    """A snapshot; ``content`` is None where the browser has it already."""

    tag: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what, and the tag of what he has."""

    user: str
    auction: str
    role: str
    tag: str | None


def snapshot(rooms: Rooms, asked: Asked, join: Join, extra: Extra) -> Shown:
    """Return what the session may see in that role now. Raises RefusedError where it does not have it."""
    here = rooms.look(asked.auction)
    if asked.role == "host":
        return _host(rooms, here, asked, join, extra)
    if asked.role == "bidder":
        return _bidder(rooms, here, asked, join)
    _may_watch(rooms, here, asked.user)
    tag = _tag("p", here.live.public, here)
    if tag == asked.tag:
        return Shown(tag, None)
    return Shown(tag, _head(rooms, here.row, here.live.public) + _public(here, join) + b"}")


def _may_watch(rooms: Rooms, here: Here, user: str) -> None:
    if not any(rooms.role(here.room, here.row, user, role) for role in ("watcher", "bidder", "host", "waiting")):
        raise RefusedError(403, "no link", "open the spectators' link, or join with the code of the auction")


def _bidder(rooms: Rooms, here: Here, asked: Asked, join: Join) -> Shown:
    room, row, live = here
    seated = rooms.role(room, row, asked.user, "bidder")
    if seated is None:
        return _waiting(rooms, here, asked)
    rooms.seen(room.id, asked.user, "bidder")
    revision = live.revision(seated.bidder)
    tag = _tag(f"b{seated.bidder}", revision, here)
    if tag == asked.tag:
        return Shown(tag, None)
    place = live.state.bidder_place[seated.bidder]
    own = room.keep(f"mine {seated.bidder}", revision, lambda: _bytes(_mine(room, live, place)))
    return Shown(tag, _head(rooms, row, revision) + _public(here, join) + b',"mine":' + own + b',"waiting":null}')


def _mine(room: Room, live: Live, place: int) -> views.View:
    bidder = live.state.bidders[place]
    hint = room.keep(f"hint {bidder.id}", live.public, lambda: _hint(live.state, place))
    return views.mine(live.state, place, hint)


def _hint(state: AuctionState, place: int) -> list[dict[str, Any]] | None:
    """Return what the bidder would bid for at these prices by his assigned values, where the rules let him know."""
    bidder = state.bidders[place]
    small = len(state.price) <= HINTED_BLOCKS or (bidder.valuation or {}).get("kind") in {"additive", "symmetric"}
    if not state.configuration.rules.demand_hint or bidder.valuation is None or state.phase != "open" or not small:
        return None
    lots = state.configuration.lots
    return [{"lot": lots[bid.lot].id, "blocks": bid.blocks} for bid in move(state, place, "straightforward").bids]


def _waiting(rooms: Rooms, here: Here, asked: Asked) -> Shown:
    room, row, _ = here
    waiting = rooms.role(room, row, asked.user, "waiting")
    if waiting is None:
        raise no_seat(out=rooms.role(room, row, asked.user, "out") is not None)
    rooms.seen(room.id, asked.user, "waiting")
    tag = f"w{row.access}-{row.phase}"
    if tag == asked.tag:
        return Shown(tag, None)
    told = {"title": row.title, "phase": row.phase, "mine": None, "waiting": {"name": waiting.name}}
    return Shown(tag, _head(rooms, row, row.access) + _bytes(told)[1:])


def _host(rooms: Rooms, here: Here, asked: Asked, join: Join, extra: Extra) -> Shown:
    room, row, live = here
    if rooms.role(room, row, asked.user, "host") is None:
        raise not_host()
    more = extra(here)
    tick = f"{row.access}.{rooms.clock() // SEEN_TICK_S:.0f}.{more.get('mark', '')}"
    tag = _tag(f"h{tick}", live.last.number, here)
    if tag == asked.tag:
        return Shown(tag, None)
    told = _bytes({**_desk(rooms, row, live, rooms.store.people(room.id)), **more})
    return Shown(tag, _head(rooms, row, live.last.number) + _public(here, join) + b',"host":' + told + b"}")


def _desk(rooms: Rooms, row: AuctionRow, live: Live, people: list[Person]) -> dict[str, Any]:
    now = rooms.clock()
    bidders = views.host_bidders(live.state)
    for bidder in bidders:
        seated = [one for one in people if one.role == "bidder" and one.bidder == bidder["id"]]
        bidder["who"] = sorted({one.name for one in seated if one.name})
        bidder["devices"] = len(seated)
        bidder["seen_s_ago"] = round(max(0.0, now - max(one.seen for one in seated)), 1) if seated else None
    return {
        "code": row.code,
        "origin": live.state.configuration.origin,
        "automatic": row.automatic,
        "shows_code": row.shows_code,
        "study": row.study_id,
        "version": row.version,
        "bidders": bidders,
        "hosts": sum(one.role == "host" for one in people),
        "watchers": sum(one.role == "watcher" for one in people),
        "waiting": [{"id": one.place, "name": one.name} for one in people if one.role == "waiting"],
        "log": list(live.log),
        "annullable": live.state.before is not None,
    }


def _head(rooms: Rooms, row: AuctionRow, revision: int) -> bytes:
    return f'{{"id":"{row.id}","now":{rooms.now():.3f},"revision":{revision},'.encode()


def _public(here: Here, join: Join) -> bytes:
    """Return the fields of the public view, without the braces around them."""
    room, row, live = here
    part: bytes = room.keep("public", live.public, lambda: _bytes(views.public(live.state, room.places))[1:-1])
    way_in = _bytes(join(row.code) if row.shows_code else None)
    return part + f',"turn":{live.turn},"join":'.encode() + way_in


def _tag(view: str, revision: int, here: Here) -> str:
    return f"{view}-{revision}-{'c' if here.row.shows_code else ''}"


def _bytes(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def history(rooms: Rooms, asked: Asked, since: int) -> Shown:
    """Return the closed rounds after round ``since``, with the bidder's own bids where he asks as one."""
    here = rooms.look(asked.auction)
    room, row, live = here
    place, who = None, ""
    if asked.role == "bidder":
        who = rooms.seat(room, row, asked.user)
        place = live.state.bidder_place[who]
    else:
        _may_watch(rooms, here, asked.user)
    tag = f"r{who}-{since}-{live.public}"
    if tag == asked.tag:
        return Shown(tag, None)
    name = f"history {who} {since}" if since == 0 else ""
    content = {"revision": live.public, "rounds": views.history(live.state, since, place)}
    told = room.keep(name, live.public, lambda: _bytes(content)) if name else _bytes(content)
    return Shown(tag, told)


def view(rooms: Rooms, user: str, auction_id: str, role: str) -> dict[str, Any]:
    """Return a snapshot as a page lays it out before its script asks for the first one."""
    found = snapshot(rooms, Asked(user, auction_id, role, None), lambda _: None, lambda _: {})
    told: dict[str, Any] = json.loads(found.content or b"{}")
    return told
