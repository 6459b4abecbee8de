"""What a host does: rounds and their clock, seats, words to all, keys. Each order is tried against the rules.

Two hosts may order the same thing at once: the second is told that it is done. Nothing is erased: an annulled round
stays in the ledger.
"""

from collections.abc import Callable, Mapping
from typing import Any

from callbacks.auction_access import BadOrderError, flag, is_request, names, read_order, text, whole
from callbacks.auction_room import Receipt, RefusedError, Rooms, Turn, refusal
from callbacks.auction_seats import called, new_seat, persons_seat, rename, take_name
from engine.auction.bots import BOTS
from engine.auction.rules import MAX_AMOUNT
from engine.auction.values import check as check_values
from engine.errors import AuctionRuleError, Problem

ANNOUNCED_A_MINUTE = 6  # each covers something on a phone for a while

Order = Mapping[str, Any]
_FIELDS: dict[str, Callable[[object], bool]] = {
    "request": is_request,
    "what": text(40, 1),
    "round": whole(0, 10**6),
    "seconds": whole(1, 86_400),
    "reason": text(500),
    "text": text(1000, 1),
    "on": flag,
    "muted": flag,
    "stage": whole(0, 100),
    "bidder": text(64),
    "bot": lambda value: value == "" or (isinstance(value, str) and value in BOTS),
    "waiting": text(64, 1),
    "name": text(200),
    "eligibility": lambda value: value is None or whole(0, MAX_AMOUNT)(value),
    "valuation": lambda value: value is None or isinstance(value, dict),
    "lots": names,
}


def order(rooms: Rooms, user: str, auction_id: str, content: bytes) -> Receipt:
    """Do what a host orders and say what was done, or why not."""
    body = read_order(content, _FIELDS, ("request", "what"))
    found = ORDERS.get(body["what"])
    if found is None:
        raise BadOrderError(f"there is no order {body['what']!r}; there are {', '.join(ORDERS)}")
    do, needed, may = found
    read_order(content, {name: _FIELDS[name] for name in ("request", "what", *needed, *may)}, needed)
    room, row, _ = rooms.look(auction_id)
    if rooms.role(room, row, user, "host") is None:
        raise not_host()
    done = room.receipts.get(("host", body["request"]))
    if done is not None:
        return {**done, "words": "this was done already", "repeated": True}
    try:
        with rooms.turn(auction_id) as turn:
            if not any((one.user, one.role) == (user, "host") for one in turn.store.people()):
                raise not_host()
            told = do(turn, body)
            turn.answers(body["request"])
    except AuctionRuleError as error:
        return refusal([(problem.element, problem.code, problem.message) for problem in error.problems])
    return {"accepted": True, "refused": [], "number": turn.live.last.number, **told}


def not_host() -> RefusedError:
    """Return the refusal for a session that is no host here."""
    return RefusedError(403, "not host", "only a host of this auction may do this")


def _deadline(turn: Turn, seconds: float | None = None) -> float | None:
    timing = turn.state.configuration.rules.timing
    if timing.pace == "by hand" and seconds is None:
        return None
    return round(turn.now + (timing.round_s if seconds is None else seconds), 3)


def _open(turn: Turn, _: Order) -> Receipt:
    turn.tell("opened", {"deadline": _deadline(turn)})
    return {"words": "Round 1 is open"}


def _close(turn: Turn, body: Order) -> Receipt:
    if turn.state.phase != "open":
        raise AuctionRuleError([Problem("phase", "error", f"no round is open: the auction is {turn.state.phase}")])
    if "round" in body and body["round"] != turn.state.round:
        words = f"round {body['round']} is closed already; round {turn.state.round} is open"
        raise AuctionRuleError([Problem("round", "error", words)])
    closed = turn.state.round
    turn.close("host")
    return {"words": f"Round {closed} is closed"}


def _pause(turn: Turn, _: Order) -> Receipt:
    deadline = turn.state.deadline
    left = None if deadline is None else round(max(0.0, deadline - turn.now), 3)
    turn.tell("paused", {"remaining_s": left})
    return {"words": "The clock is stopped"}


def _resume(turn: Turn, _: Order) -> Receipt:
    left = turn.state.remaining_s
    turn.tell("resumed", {"deadline": None if left is None else round(turn.now + max(left, 1.0), 3)})
    return {"words": "The clock goes on"}


def _extend(turn: Turn, body: Order) -> Receipt:
    deadline = turn.state.deadline
    if deadline is None:
        raise AuctionRuleError([Problem("deadline", "error", "no clock is running that could be given more time")])
    turn.tell("extended", {"deadline": round(max(deadline, turn.now) + body["seconds"], 3)})
    return {"words": f"The round has {body['seconds']} s more"}


def _annul(turn: Turn, body: Order) -> Receipt:
    last = turn.state.round - 1
    deadline = None if turn.state.phase == "paused" else _deadline(turn)
    turn.tell("round annulled", {"round": last, "reason": body.get("reason", ""), "deadline": deadline})
    return {"words": f"Round {last} is annulled and open again"}


def _practice(turn: Turn, body: Order) -> Receipt:
    if body["on"]:
        turn.tell("practice begun", {"deadline": _deadline(turn)})
        return {"words": "The practice has begun: it counts for nothing"}
    turn.tell("practice ended", {})
    return {"words": "The practice is over"}


def _stage(turn: Turn, body: Order) -> Receipt:
    turn.tell("stage changed", {"stage": body["stage"]})
    return {"words": f"Stage {body['stage'] + 1} is announced"}


def _announce(turn: Turn, body: Order) -> Receipt:
    lately = sum(at > turn.now - 60.0 for at, _ in turn.state.announcements)
    if lately >= ANNOUNCED_A_MINUTE:
        words = f"{lately} announcements were made within a minute; more than {ANNOUNCED_A_MINUTE} nobody can read"
        raise AuctionRuleError([Problem("announcements", "error", f"{words}. Wait a little and send this one again")])
    turn.tell("announced", {"text": body["text"]})
    return {"words": "All have been told"}


def _cancel(turn: Turn, body: Order) -> Receipt:
    turn.tell("cancelled", {"reason": body.get("reason", "")})
    return {"words": "The auction is cancelled"}


def _mute(turn: Turn, body: Order) -> Receipt:
    turn.tell("muted", {"bidder": body["bidder"], "muted": body["muted"]})
    return {"words": "The bidder is muted" if body["muted"] else "The bidder may bid again"}


def _bot(turn: Turn, body: Order) -> Receipt:
    turn.tell("seat given", {"bidder": body["bidder"], "bot": body["bot"]})
    return {"words": "A bot plays for this seat" if body["bot"] else "The seat is a person's again"}


def _admit(turn: Turn, body: Order) -> Receipt:
    """Let somebody from the waiting list in: to a seat that is there, or to a new one."""
    people = turn.store.people()
    person = next((one for one in people if one.role == "waiting" and one.place == body["waiting"]), None)
    if person is None:
        raise AuctionRuleError(
            [Problem("waiting", "error", "nobody of this number waits any more: admitted already, or gone")]
        )
    bidder, name = body.get("bidder", ""), called(body.get("name") or person.name)
    if bidder:
        _known(turn, bidder)
        if turn.state.bidders[turn.state.bidder_place[bidder]].bot:
            turn.tell("seat given", {"bidder": bidder, "bot": ""})
        take_name(turn, bidder, name)
    else:
        bidder = _seated(turn, body, persons_seat(turn.state, name))
    turn.store.admit(person.user, "bidder", bidder=bidder, name=person.name)
    return {"words": f"{person.name} is in", "bidder": bidder}


def _rename(turn: Turn, body: Order) -> Receipt:
    _known(turn, body["bidder"])
    return {"words": f"The seat is called {rename(turn, body['bidder'], called(body['name']))} from now on"}


def _seat(turn: Turn, body: Order) -> Receipt:
    bidder = _seated(turn, body, body["name"])
    return {"words": f"{body['name']} has a seat", "bidder": bidder}


def _seated(turn: Turn, body: Order, name: str) -> str:
    valuation = body.get("valuation")
    if valuation is not None:
        wrong = [one for one in check_values(valuation, turn.state.configuration) if one.severity == "error"]
        if wrong:
            raise AuctionRuleError(wrong)
    seat = {"eligibility": body.get("eligibility"), "bot": body.get("bot", ""), "valuation": valuation}
    return new_seat(turn, called(name), **seat)


def _refuse(turn: Turn, body: Order) -> Receipt:
    turn.store.send_away(body["waiting"])
    return {"words": "Taken off the waiting list"}


def _default(turn: Turn, body: Order) -> Receipt:
    turn.tell("defaulted", {"bidder": body["bidder"], "lots": body["lots"]})
    return {"words": "The default is in the ledger"}


def _invite(turn: Turn, body: Order) -> Receipt:
    _known(turn, body["bidder"])
    turn.store.clear_seat(body["bidder"])
    return {"words": "A new link; the one before opens nothing", "key": turn.store.new_key("bidder", body["bidder"])}


def _invite_host(turn: Turn, _: Order) -> Receipt:
    return {"words": "A new link; the one before opens nothing", "key": turn.store.new_key("host")}


def _watch(turn: Turn, _: Order) -> Receipt:
    return {"words": "A new link; the one before opens nothing", "key": turn.store.new_key("watcher")}


def _automatic(turn: Turn, body: Order) -> Receipt:
    turn.store.configure(automatic=body["on"])
    return {"words": "Who has the code gets a seat" if body["on"] else "Who has the code waits for you"}


def _show_code(turn: Turn, body: Order) -> Receipt:
    turn.store.configure(shows_code=body["on"])
    return {"words": "The screens show the code" if body["on"] else "The screens do not show the code"}


def _deliver(_: Turn, __: Order) -> Receipt:
    return {"words": "The check of deliverability is asked for", "deliver": True}


def _known(turn: Turn, bidder: str) -> None:
    if bidder not in turn.state.bidder_place:
        raise AuctionRuleError([Problem("bidder", "error", f"there is no bidder {bidder[:40]!r} in this auction")])


# What is ordered: the function, the fields that it needs, and those that it may have.
ORDERS: Mapping[str, tuple[Callable[[Turn, Order], Receipt], tuple[str, ...], tuple[str, ...]]] = {
    "open": (_open, (), ()),
    "close": (_close, (), ("round",)),
    "pause": (_pause, (), ()),
    "resume": (_resume, (), ()),
    "extend": (_extend, ("seconds",), ()),
    "annul": (_annul, (), ("reason",)),
    "practice": (_practice, ("on",), ()),
    "stage": (_stage, ("stage",), ()),
    "announce": (_announce, ("text",), ()),
    "cancel": (_cancel, (), ("reason",)),
    "mute": (_mute, ("bidder", "muted"), ()),
    "bot": (_bot, ("bidder", "bot"), ()),
    "admit": (_admit, ("waiting",), ("bidder", "name", "eligibility", "valuation")),
    "rename": (_rename, ("bidder", "name"), ()),
    "seat": (_seat, ("name",), ("eligibility", "bot", "valuation")),
    "refuse": (_refuse, ("waiting",), ()),
    "default": (_default, ("bidder", "lots"), ()),
    "invite": (_invite, ("bidder",), ()),
    "invite_host": (_invite_host, (), ()),
    "watch": (_watch, (), ()),
    "automatic": (_automatic, ("on",), ()),
    "show_code": (_show_code, ("on",), ()),
    "deliver": (_deliver, (), ()),
}
