"""A drafted auction as its form holds it: every box as typed, readable or not, so that nothing typed is lost.

A draft is JSON: ``source``, ``title``, ``currency``, ``seed``, ``origin``, two digests, ``preset``, ``rules`` (by path,
:mod:`components.auction_rules`), ``lots`` and ``seats`` (rows of the tables), ``spare`` (seats taken off the end).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import auction_rules
from components.format import count, megawatts
from engine.auction.rules import MAX_AMOUNT, Configuration, Lot

VALUE = "value:"  # the column of a lot's value in the table of seats
KINDS = (
    ("", "none"),
    ("additive", "additive"),
    ("unit demand", "unit demand"),
    ("symmetric", "by number won"),
    ("campus", "campus"),
    ("campus of all buses", "campus of all buses"),
    ("bundles", "bundles"),
)
KIND_WORDS = dict(KINDS)
_EVERYWHERE = "campus of all buses"  # its least size counts what is held at all buses together
_PER_LOT = ("additive", "unit demand", "campus", _EVERYWHERE)
FRESH = "template:classroom"  # the template whose values are drawn anew for each auction
MOST_LOTS, MOST_SEATS = 2000, 400
_LONGEST = 200  # characters of a name


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat that is to be admitted. ``eligibility`` None: as many units as there are."""

    name: str
    bot: str = ""
    eligibility: int | None = None
    valuation: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What a draft says, and what in it cannot be read."""

    configuration: Configuration
    seats: tuple[Seat, ...]
    problems: tuple[str, ...]
    known: bool = False  # its values are those of a template that everybody can open
    seeded: bool = False  # a seed was typed; else one is drawn when the auction is made


def draft_of(configuration: Configuration, seats: Sequence[Seat], source: str) -> dict[str, Any]:
    """Return the draft of a template or a product set. ``source`` says which: a draft that is kept is found by it."""
    return {
        "source": source,
        "title": configuration.title,
        "currency": configuration.currency,
        "seed": "",
        "origin": configuration.origin,
        "product_set_digest": configuration.product_set_digest,
        "network_digest": configuration.network_digest,
        "preset": configuration.rules.preset,
        "rules": auction_rules.values_of(configuration.rules),
        "lots": [lot_row(lot) for lot in configuration.lots],
        "seats": [seat_row(seat, place) for place, seat in enumerate(seats)],
        "spare": [],
    }


def lot_row(lot: Lot) -> dict[str, Any]:
    """Return a lot as its table's row."""
    return {
        "id": lot.id, "name": lot.name, "capacity_mw": lot.capacity_mw, "risk": float(f"{100 * lot.risk:.6g}"),
        "bus": lot.bus, "units": lot.units, "opening": lot.opening, "reserve": lot.reserve, "quantity": lot.quantity,
    }  # fmt: skip


def seat_row(seat: Seat, place: int) -> dict[str, Any]:
    """Return a seat as its table's row: values of lots in columns, totals and bundles as text."""
    worth = seat.valuation or {}
    kind = _EVERYWHERE if worth.get("counted") == "over all buses" else str(worth.get("kind", ""))
    row: dict[str, Any] = {
        "id": f"s{place + 1}", "name": seat.name, "bot": seat.bot, "eligibility": seat.eligibility, "kind": kind,
        "budget": worth.get("budget"), "minimum_mw": worth.get("minimum_mw"), "listed": "",
    }  # fmt: skip
    if kind in _PER_LOT:
        row |= {f"{VALUE}{lot}": value for lot, value in worth.get("values", {}).items()}
    elif kind == "symmetric":
        totals = list(worth.get("totals", []))
        row["listed"] = " ".join(f"{value:g}" for value in (totals[1:] if totals[:1] == [0] else totals))
    elif kind == "bundles":
        row["listed"] = "; ".join(_bundle_words(bundle) for bundle in worth.get("bundles", []))
    return row


def _bundle_words(bundle: Mapping[str, Any]) -> str:
    lots = bundle["lots"]
    named = [f"{number} x {lot}" if number > 1 else str(lot) for lot, number in lots.items()]
    return f"{' + '.join(named)} = {bundle['value']:g}"


# Reading


def read(draft: Any) -> Read:
    """Return the auction that a draft describes. Whatever the browser sent, this answers in words and never fails."""
    held: Mapping[str, Any] = draft if isinstance(draft, Mapping) else {}
    rules_held = held.get("rules")
    preset = str(held.get("preset") or "Own")
    rules, problems = auction_rules.rules_of(rules_held if isinstance(rules_held, Mapping) else {}, preset)
    rows = _rows(held.get("lots"), MOST_LOTS, "products", problems)
    lots = tuple(_lot(row, place, problems) for place, row in enumerate(rows))
    configuration = Configuration(
        title=_text(held.get("title")),
        lots=lots,
        rules=rules,
        currency=_text(held.get("currency"))[:12],
        seed=_whole(held.get("seed"), "Seed", 0, 2**53 - 1, problems) or 0,
        origin=_text(held.get("origin")),
        product_set_digest=_text(held.get("product_set_digest")),
        network_digest=_text(held.get("network_digest")),
    )
    if not configuration.title:
        problems.append("Title: give the auction a name.")
    if not configuration.currency:
        problems.append("Currency: say what one unit of an amount is, such as k$.")
    seated = _rows(held.get("seats"), MOST_SEATS, "seats", problems)
    seats = tuple(_seat(row, place, lots, problems) for place, row in enumerate(seated))
    names = [seat.name.casefold() for seat in seats]
    problems += [
        f"Seats: {seat.name} is there twice; give each seat a name of its own."
        for place, seat in enumerate(seats)
        if seat.name and seat.name.casefold() in names[:place]
    ]
    source = _text(held.get("source"))
    known = source.startswith("template:") and source != FRESH and any(seat.valuation for seat in seats)
    return Read(configuration, seats, tuple(problems), known=known, seeded=_text(held.get("seed")) != "")


def sold_words(configuration: Configuration) -> str:
    """Return what is sold, in few words: ``18 products, 2 310 MW``."""
    total = sum(lot.capacity_mw * lot.quantity for lot in configuration.lots)
    return f"{count(len(configuration.lots), 'product')}, {megawatts(total)}"


def _rows(given: Any, most: int, what: str, problems: list[str]) -> list[Mapping[str, Any]]:
    rows = [row for row in given if isinstance(row, Mapping)] if isinstance(given, list) else []
    if len(rows) > most:
        problems.append(f"There are {len(rows)} {what}; at most {most} are taken.")
    return rows[:most]


def _lot(row: Mapping[str, Any], place: int, problems: list[str]) -> Lot:
    name = _text(row.get("name")) or _text(row.get("id")) or f"product {place + 1}"
    units = _whole(row.get("units"), f"{name}, units", 0, MAX_AMOUNT, problems)
    return Lot(
        id=_text(row.get("id")) or str(place + 1),
        name=name,
        capacity_mw=_number(row.get("capacity_mw"), f"{name}, MW", 0, 1e6, problems),
        risk=_number(row.get("risk"), f"{name}, risk", 0, 100, problems) / 100,
        bus=_text(row.get("bus")),
        units=units or 0,
        opening=_whole(row.get("opening"), f"{name}, opening bid", 0, MAX_AMOUNT, problems) or 0,
        reserve=_whole(row.get("reserve"), f"{name}, reserve", 0, MAX_AMOUNT, problems) or 0,
        quantity=_whole(row.get("quantity"), f"{name}, blocks", 1, 10_000, problems, default=1) or 1,
    )


def _seat(row: Mapping[str, Any], place: int, lots: Sequence[Lot], problems: list[str]) -> Seat:
    name = _text(row.get("name"))
    if not name:
        problems.append(f"Seat {place + 1}: give it a name.")
    said = name or f"Seat {place + 1}"
    given = row.get("eligibility")
    blank = given is None or given == ""
    eligibility = None if blank else _whole(given, f"{said}, eligibility", 0, MAX_AMOUNT, problems)
    valuation = _valuation(row, said, lots, problems)
    bot = _text(row.get("bot"))
    if bot and valuation is None and bot != "random":
        problems.append(f"{said}: a bot needs assigned values; choose their kind.")
    return Seat(name, bot, eligibility, valuation)


def _valuation(row: Mapping[str, Any], said: str, lots: Sequence[Lot], problems: list[str]) -> dict[str, Any] | None:
    kind = _text(row.get("kind"))
    if not kind:
        return None
    if kind not in KIND_WORDS:
        problems.append(f"{said}: {kind!r} is no kind of values.")
        return None
    worth: dict[str, Any] = {"kind": kind}
    if kind in _PER_LOT:
        worth["values"] = {
            lot.id: _whole(row.get(f"{VALUE}{lot.id}"), f"{said}, value of {lot.name}", 0, MAX_AMOUNT, problems) or 0
            for lot in lots
        }
        if kind == _EVERYWHERE:
            worth |= {"kind": "campus", "counted": "over all buses"}
        if kind.startswith("campus"):
            worth["minimum_mw"] = _number(row.get("minimum_mw"), f"{said}, least MW of a campus", 0, 1e6, problems)
    elif kind == "symmetric":
        parts = _text(row.get("listed"), 20_000).replace(",", " ").split()
        totals = [_whole(part, f"{said}, total for {n + 1} won", 0, MAX_AMOUNT, problems) or 0
                  for n, part in enumerate(parts)]  # fmt: skip
        if not totals:
            problems.append(f"{said}: give the value of 1, 2, 3 ... products won, such as 30 50 55 60.")
        worth["totals"] = [0, *totals]
    else:
        worth["bundles"] = _bundles(_text(row.get("listed"), 20_000), said, lots, problems)
    if row.get("budget") not in (None, ""):
        worth["budget"] = _whole(row.get("budget"), f"{said}, budget", 0, MAX_AMOUNT, problems) or 0
    return worth


def _bundles(text: str, said: str, lots: Sequence[Lot], problems: list[str]) -> list[dict[str, Any]]:
    """Read ``A + 2 x B = 90; C = 40``."""
    known = {lot.id: lot.id for lot in lots} | {lot.name: lot.id for lot in lots}
    found: list[dict[str, Any]] = []
    for part in (one.strip() for one in text.replace("\n", ";").split(";")):
        if not part:
            continue
        left, sign, right = part.rpartition("=")
        if not sign:
            problems.append(f"{said}, bundle {part[:40]!r}: write it as A + B = 90.")
            continue
        bundle: dict[str, int] = {}
        for term in (one.strip() for one in left.split("+")):
            number, cross, rest = term.partition(" x ")
            name = rest.strip() if cross and number.strip().isdigit() else term
            if name not in known:
                problems.append(f"{said}, bundle {part[:40]!r}: there is no product {name[:40]!r}.")
                continue
            blocks = int(number) if name != term else 1
            bundle[known[name]] = bundle.get(known[name], 0) + blocks
        value = _whole(right, f"{said}, value of {left.strip()[:40]}", 0, MAX_AMOUNT, problems)
        if bundle:
            found.append({"lots": bundle, "value": value or 0})
    if not found:
        problems.append(f"{said}: give at least one bundle, such as A + B = 90.")
    return found


def _text(value: Any, most: int = _LONGEST) -> str:
    return str(value).strip()[:most] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _number(value: Any, what: str, least: float, most: float, problems: list[str]) -> float:
    if value is None or value == "":
        return 0.0
    try:
        number = float(value)
    except (TypeError, ValueError):
        problems.append(f"{what}: {str(value)[:40]!r} is not a number.")
        return 0.0
    if not math.isfinite(number) or not least <= number <= most:
        problems.append(f"{what}: it must be from {least:g} to {most:g}, not {number:g}.")
        return 0.0
    return number


def _whole(
    value: Any, what: str, least: int, most: int, problems: list[str], *, default: int | None = None
) -> int | None:
    if value is None or value == "":
        return default
    before = len(problems)
    number = _number(value, what, least, most, problems)
    if len(problems) > before:
        return default
    if number != int(number):
        problems.append(f"{what}: {number:g} is not a whole number.")
        return default
    return int(number)
