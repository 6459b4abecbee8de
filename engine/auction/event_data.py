"""What an event says, read with care: each reader refuses by name what is not there or out of range."""

import json
from collections.abc import Mapping
from typing import Any

from engine.auction.events import FIELDS, Event
from engine.auction.rules import MAX_AMOUNT
from engine.auction.state import AuctionState, Phase
from engine.errors import AuctionRuleError, Problem

HOST, SERVER = "host", "server"
MAX_NAME = 80  # characters of a bidder's name
LATEST = 1e11  # seconds since 1970; milliseconds are exact below


def refused(rule: str, message: str) -> AuctionRuleError:
    """Return the error of one broken rule."""
    return AuctionRuleError([Problem(rule, "error", message)])


def short(value: object) -> str:
    """Return a value from outside as it may stand in a message."""
    if type(value) is int and abs(value) > 10**18:
        return "a number of more than 18 digits"  # writing it out could take long
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def clean(text: str, *, lines: bool = False) -> bool:
    """Return whether every character can be shown and stored; line ends too if ``lines``."""
    return (text.replace("\n", "") if lines else text).isprintable()


def need(state: AuctionState, event: Event, *phases: Phase) -> None:
    """Refuse an event that does not belong to the auction's phase."""
    if state.phase not in phases:
        words = f"{event.kind!r} is possible while the auction is {' or '.join(phases)}, not {state.phase}"
        raise refused("phase", words)


def by_host(event: Event) -> None:
    """Refuse an event of the host's that somebody else caused."""
    if event.actor not in (HOST, SERVER):
        raise refused("actor", f"{event.kind!r} is for the host, not for {short(event.actor)}")


def check_fields(event: Event) -> None:
    """Refuse an event with fields that its kind does not have."""
    unknown = sorted(str(name) for name in event.data if name not in FIELDS[event.kind])
    if unknown:
        raise refused("field", f"{event.kind!r} has no field {', '.join(short(name) for name in unknown[:5])}")


def check_round(event: Event, expected: int, words: str) -> list[Problem]:
    """Return the problem of an event that was meant for another round than the ``expected`` one."""
    number = event.data.get("round")
    if type(number) is int and number == expected:
        return []
    return [Problem("round", "error", f"meant for round {short(number)}; {words} is {expected}")]


def text_of(event: Event, name: str, most: int = 500, least: int = 0, *, lines: bool = False) -> str:
    """Return a text of the event's."""
    value = event.data.get(name, "")
    if not isinstance(value, str) or not least <= len(value) <= most or not clean(value, lines=lines):
        raise refused(name, f"{event.kind!r}: {name} is a text of {least} to {most} characters that can be shown")
    return value


def count_of(event: Event, name: str, least: int = 0, most: int = MAX_AMOUNT) -> int:
    """Return a whole number of the event's."""
    value = event.data.get(name)
    if type(value) is not int or not least <= value <= most:
        raise refused(name, f"{event.kind!r}: {name} is a whole number from {least} to {most}, not {short(value)}")
    return value


def flag_of(event: Event, name: str) -> bool:
    """Return a truth value of the event's."""
    value = event.data.get(name)
    if not isinstance(value, bool):
        raise refused(name, f"{event.kind!r}: {name} is true or false, not {short(value)}")
    return value


def deadline_of(event: Event) -> float | None:
    """Return the deadline that the event sets, None for a round without a clock."""
    value = event.data.get("deadline")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not event.at < value < LATEST:
        raise refused("deadline", f"{event.kind!r}: the deadline {short(value)} is not a time after {event.at} s")
    return float(value)


def object_of(event: Event, name: str) -> Mapping[str, Any] | None:
    """Return a JSON object of the event's, or None where it has none."""
    value = event.data.get(name)
    if value is None:
        return None
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise refused(name, f"{event.kind!r}: {name} holds something that JSON cannot") from None
    if not isinstance(value, Mapping):
        raise refused(name, f"{event.kind!r}: {name} is a JSON object or null, not {short(value)}")
    return value


def seat_of(state: AuctionState, event: Event) -> int:
    """Return the place of the bidder whom the event is about."""
    bidder = event.data.get("bidder")
    place = state.bidder_place.get(bidder) if isinstance(bidder, str) else None
    if place is None:
        raise refused("bidder", f"there is no bidder {short(bidder)} in this auction")
    return place
