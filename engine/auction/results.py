"""The result files of an auction, made from its ledger alone: whoever replays the ledger gets the same bytes."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from engine.auction.ledger import Entry, canonical, replay
from engine.auction.state import NOBODY, Amounts, AuctionState, Bid, RoundResult
from engine.auction.withdrawing import default_payment, due_of


@dataclass(frozen=True, slots=True)
class Payment:
    """What one bidder pays, in the auction's currency unit."""

    bidder: int
    bids: int  # for the blocks that he won and did not default on
    withdrawals: int  # for withdrawn bids whose payment is known
    interim: int  # held for withdrawn bids whose block is not sold again
    defaults: int  # share of the bids that he did not pay; the rest is known when the block is sold again
    deposit: int

    @property
    def total(self) -> int:
        """Return what he owes in all, before his deposit."""
        return self.bids + self.withdrawals + self.interim + self.defaults


def reserves(state: AuctionState) -> Amounts:
    """Return the reserve price of each block, (U,)."""
    each: Amounts = np.array([lot.reserve for lot in state.configuration.lots], np.int64)[state.sale.slot_lot]
    return each


def awarded(state: AuctionState) -> Amounts:
    """Return who would win each block if the last closed round were the last, (U,).

    NOBODY below the reserve or where the winner defaulted.
    """
    won = np.where(state.price >= reserves(state), state.holder, NOBODY)
    for default in state.defaults:
        won[default.slot] = NOBODY
    return won


def counts(state: AuctionState) -> bool:
    """Return whether anything of this is awarded and paid: not in a practice, and not once it is cancelled."""
    return not state.practice and state.phase != "cancelled"


def winners(state: AuctionState) -> Amounts:
    """Return who wins each block as things stand, (U,): nobody in a practice or once the auction is cancelled."""
    return awarded(state) if counts(state) else np.full(len(state.holder), NOBODY)


def payments(state: AuctionState, *, as_if_ended: bool = False) -> tuple[Payment, ...]:
    """Return what each bidder pays as things stand, in the order of the bidders.

    In a practice, or once the auction is cancelled, that is nothing; ``as_if_ended``, what he would pay if the last
    closed round had ended it.
    """
    bids, known, interim, defaults = (np.zeros(len(state.bidders), np.int64) for _ in range(4))
    if not counts(state) and not as_if_ended:
        return tuple(Payment(place, 0, 0, 0, 0, bidder.deposit) for place, bidder in enumerate(state.bidders))
    won = awarded(state)
    np.add.at(bids, won[won >= 0], state.price[won >= 0])
    for withdrawal in state.withdrawals:
        (interim if withdrawal.due is None else known)[withdrawal.bidder] += due_of(state, withdrawal)
    for default in state.defaults:
        defaults[default.bidder] += default_payment(default.amount, state.configuration.rules.default_share)
    return tuple(
        Payment(place, int(bids[place]), int(known[place]), int(interim[place]), int(defaults[place]), bidder.deposit)
        for place, bidder in enumerate(state.bidders)
    )


def state_digest(state: AuctionState) -> str:
    """Return the SHA-256 of a state in hexadecimal digits: equal for equal states, bit for bit.

    It leaves out the configuration, which has a digest of its own, and what follows from it alone.
    """
    digest = hashlib.sha256()
    _feed(digest, state)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, tuple) and value and isinstance(value[0], Bid):
        digest.update(";".join(f"{bid.lot},{bid.amount},{bid.blocks}" for bid in value).encode())
    elif is_dataclass(value):
        digest.update(type(value).__name__.encode())
        for field in fields(value):
            if not isinstance(value, AuctionState) or field.name not in ("configuration", "sale"):
                digest.update(b"\0" + field.name.encode())
                _feed(digest, getattr(value, field.name))
    elif isinstance(value, Mapping):
        digest.update(b"{")
        for key in sorted(value):
            digest.update(f"{key!r}:".encode())
            _feed(digest, value[key])
        digest.update(b"}")
    elif isinstance(value, list | tuple):
        digest.update(b"[")
        for item in value:
            _feed(digest, item)
        digest.update(b"]")
    else:
        digest.update(f"{value!r},".encode())


def result_files(entries: Sequence[Entry], state: AuctionState | None = None) -> dict[str, bytes]:
    """Return the result files by name. ``state`` is that of the entries, replayed where it is not given."""
    state = replay(entries) if state is None else state
    return {
        "prices.csv": _table(_PRICES, _price_rows(state)),
        "allocation.csv": _table(_ALLOCATION, _allocation_rows(state)),
        "payments.csv": _table(_PAYMENTS, _payment_rows(state)),
        "rounds.csv": _table(_ROUNDS, _round_rows(state)),
        "bids.csv": _table(_BIDS, _bid_rows(state)),
        "summary.json": _summary(entries, state),
    }


_PRICES = ("lot", "name", "block", "capacity_mw", "risk", "bus", "opening", "reserve", "price", "holder", "awarded")
_ALLOCATION = ("bidder", "name", "lot", "lot_name", "blocks", "capacity_mw", "pays")
_PAYMENTS = ("bidder", "name", "bids", "withdrawals", "interim", "defaults", "total", "deposit", "balance")
_ROUNDS = ("round", "stage", "lot", "bids", "tied", "standing", "holders", "next_minimum")
_BIDS = ("round", "bidder", "lot", "amount", "blocks", "received_at", "tie_number")


def _table(header: tuple[str, ...], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _ids(state: AuctionState) -> list[str]:
    return [_cell(bidder.id) for bidder in state.bidders]


def _price_rows(state: AuctionState) -> Iterable[Sequence[object]]:
    ids, won = _ids(state), winners(state)
    for place, lot in enumerate(state.configuration.lots):
        slots = state.slots_of(place)
        for block, slot in enumerate(range(slots.start, slots.stop), 1):
            holder = int(state.holder[slot])
            yield (
                *(_cell(lot.id), _cell(lot.name), block, lot.capacity_mw, lot.risk, _cell(lot.bus)),
                *(lot.opening, lot.reserve, int(state.price[slot])),
                "" if holder == NOBODY else ids[holder],
                "yes" if won[slot] != NOBODY else "no",
            )


def _allocation_rows(state: AuctionState) -> Iterable[Sequence[object]]:
    won = winners(state)
    for place, bidder in enumerate(state.bidders):
        for lot in np.unique(state.sale.slot_lot[won == place]).tolist():
            mine = (won == place) & (state.sale.slot_lot == lot)
            product, blocks = state.configuration.lots[lot], int(mine.sum())
            yield (
                *(_cell(bidder.id), _cell(bidder.name), _cell(product.id), _cell(product.name)),
                *(blocks, product.capacity_mw * blocks, int(state.price[mine].sum())),
            )


def _payment_rows(state: AuctionState) -> Iterable[Sequence[object]]:
    for payment in payments(state):
        bidder = state.bidders[payment.bidder]
        yield (
            *(_cell(bidder.id), _cell(bidder.name), payment.bids, payment.withdrawals, payment.interim),
            *(payment.defaults, payment.total, payment.deposit, payment.total - payment.deposit),
        )


def _round_rows(state: AuctionState) -> Iterable[Sequence[object]]:
    """Return a row for each lot that a round changed: one with bids or a withdrawal."""
    ids = _ids(state)
    lots = [_cell(lot.id) for lot in state.configuration.lots]
    for result in state.rounds:
        withdrawn = {lot for acted in result.acted.values() for lot in acted.withdrawn}
        tied = set(result.tied)
        for lot in sorted(withdrawn.union(np.flatnonzero(result.bids_per_lot).tolist())):
            slots = state.slots_of(lot)
            held = [ids[holder] if holder != NOBODY else "" for holder in result.holder[slots].tolist()]
            yield (
                *(result.round, result.stage + 1, lots[lot], int(result.bids_per_lot[lot])),
                "yes" if lot in tied else "no",
                *(" ".join(map(str, result.price[slots].tolist())), " ".join(held), int(result.minimum[lot])),
            )


def _bid_rows(state: AuctionState) -> Iterable[Sequence[object]]:
    ids = _ids(state)
    lots = [lot.id for lot in state.configuration.lots]
    for result in state.rounds:
        for place in sorted(result.acted):
            acted, bidder = result.acted[place], state.bidders[place].id
            for bid in acted.bids:
                yield (
                    *(result.round, ids[place], _cell(lots[bid.lot]), bid.amount, bid.blocks, acted.at),
                    _tie_number(result, lots[bid.lot], bidder),
                )


def _tie_number(result: RoundResult, lot: str, bidder: str) -> int | str:
    numbers = result.tie_numbers.get(lot)
    return "" if numbers is None else numbers.get(bidder, "")


def _summary(entries: Sequence[Entry], state: AuctionState) -> bytes:
    won = winners(state)
    content = {
        "title": state.configuration.title,
        "phase": state.phase,
        "ended_because": state.ended_because,
        "entries": len(entries),
        "last_hash": entries[-1].hash,
        "state_digest": state_digest(state),
        "rounds": len(state.rounds),
        "annulled_rounds": state.annulled,
        "currency": state.configuration.currency,
        "revenue": int(state.price[won >= 0].sum()),
        "blocks_awarded": int((won >= 0).sum()),
        "blocks": len(won),
        "configuration_digest": hashlib.sha256(canonical(entries[0].event.data)).hexdigest(),
        "product_set_digest": state.configuration.product_set_digest,
        "network_digest": state.configuration.network_digest,
    }
    return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"
