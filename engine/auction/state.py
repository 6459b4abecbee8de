"""The state of an auction: what its events add up to. Letters: N bidders, M lots, U blocks (slots) of all lots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.auction.rules import Configuration

Amounts = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]
Phase = Literal["set up", "open", "paused", "closed", "cancelled"]

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Bid:
    """A new bid: ``blocks`` more blocks of a lot at ``amount`` each."""

    lot: int  # place of the lot in the configuration
    amount: int
    blocks: int = 1


@dataclass(frozen=True, slots=True)
class Bidder:
    """One seat."""

    id: str
    name: str  # of the seat, or of whoever sits there: what all screens and files tell
    eligibility: int  # bidding units, now
    initial_eligibility: int
    deposit: int
    waivers_left: int
    withdrawal_rounds_left: int
    valuation: Mapping[str, Any] | None  # assigned values as JSON (engine.auction.values); private
    bot: str = ""  # the kind of bot that sits here; "" for a person
    muted: bool = False
    seat: str = ""  # what the seat was called when it was made


@dataclass(frozen=True, slots=True)
class Acted:
    """What one bidder did in the open round so far."""

    bids: tuple[Bid, ...] = ()
    withdrawn: tuple[int, ...] = ()  # lots
    waiver: bool = False  # proactive
    reduce: bool = False
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawn standing bid on one block, and what it costs."""

    bidder: int
    lot: int
    slot: int  # the block
    amount: int
    round: int
    best_later: int = 0  # highest bid that stood on the block since, 0 without one
    due: int | None = None  # None while the block is not sold again: then the interim payment stands


@dataclass(frozen=True, slots=True)
class Default:
    """A winning bid on one block that its winner did not pay after the close."""

    bidder: int
    lot: int
    slot: int
    amount: int


@dataclass(frozen=True, slots=True, eq=False)
class RoundResult:
    """One closed round. N is the number of bidders when it closed; late comers have later places."""

    round: int
    stage: int
    acted: Mapping[int, Acted]  # by bidder's place
    bids_per_lot: Amounts  # (M,), new bids received
    covered_units: int  # units of the blocks that new bids asked for
    tied: tuple[int, ...]  # lots on which more equal bids met than there was room for
    tie_numbers: Mapping[str, Mapping[str, int]]
    price: Amounts  # (U,), standing bid of each block after the round, 0 without one
    holder: Places  # (U,), bidder's place, NOBODY without one
    minimum: Amounts  # (M,), lowest bid that the next round accepts
    eligibility: Amounts  # (N,), after the round
    activity: Amounts  # (N,), units: blocks held at the beginning and not withdrawn, and new bids
    automatic_waivers: tuple[int, ...]  # bidders
    closed_at: float


@dataclass(frozen=True, slots=True, eq=False)
class Sale:
    """What follows from the configuration alone, worked out once and shared by all states."""

    lot_place: Mapping[str, int]
    units: Amounts  # (M,), of one block
    quantity: Amounts  # (M,)
    first_slot: Places  # (M + 1,)
    slot_lot: Places  # (U,)
    first_bid: Amounts  # (M,), lowest bid on a block that nobody has bid on
    total_units: int


@dataclass(frozen=True, slots=True, eq=False)
class AuctionState:
    """Everything that the rules need, and what the screens tell. Arrays are read-only."""

    configuration: Configuration
    sale: Sale
    phase: Phase
    events: int  # how many were applied: the state's revision
    at: float  # latest time of an event
    practice: bool
    round: int  # the open round; 0 before opening
    stage: int  # place in the rules' stages
    next_stage: int  # of the next round
    deadline: float | None
    remaining_s: float | None  # of the round's clock, while paused
    bidders: tuple[Bidder, ...]
    bidder_place: Mapping[str, int]  # by id
    first_slot: Places  # (M + 1,), blocks of lot l are first_slot[l] .. first_slot[l + 1] - 1
    price: Amounts  # (U,)
    holder: Places  # (U,)
    minimum: Amounts  # (M,)
    runner_up: Amounts  # (M,), highest bid so far that neither stands nor was withdrawn
    activity_index: npt.NDArray[np.float64]  # (M,), A of the smoothed increment
    pointer: int  # of the alternating tie rule: place of the bidder whose turn it is
    acted: Mapping[int, Acted]  # in the open round, by bidder's place
    withdrawals: tuple[Withdrawal, ...]
    rounds: tuple[RoundResult, ...]  # closed and not annulled
    annulled: int = 0  # how many rounds were annulled
    defaults: tuple[Default, ...] = ()
    announcements: tuple[tuple[float, str], ...] = ()
    ended_because: str = ""  # in words, once closed or cancelled
    # Bidder and request -> event number, of the open round and the one before: a repeat is told, not done.
    requests: Mapping[str, int] = field(default_factory=dict)
    requests_before: Mapping[str, int] = field(default_factory=dict)
    before: "AuctionState | None" = None  # as the last closed round began: for an annulment

    def blocks_of(self, bidder: int) -> dict[int, int]:
        """Return the number of blocks on which the bidder at this place holds the standing bid, by lot."""
        blocks: dict[int, int] = {}
        for lot in self.sale.slot_lot[self.holder == bidder].tolist():
            blocks[lot] = blocks.get(lot, 0) + 1
        return blocks

    def slots_of(self, lot: int) -> slice:
        """Return the places of a lot's blocks in ``price`` and ``holder``."""
        return slice(int(self.first_slot[lot]), int(self.first_slot[lot + 1]))

    def held_units(self) -> Amounts:
        """Return the units that each bidder's standing bids cover, (N,)."""
        return units_held(self.sale, self.holder, len(self.bidders))

    def standing_totals(self) -> Amounts:
        """Return what each bidder would pay for the blocks he holds, (N,)."""
        held = self.holder >= 0
        total = np.zeros(len(self.bidders), np.int64)
        np.add.at(total, self.holder[held], self.price[held])
        return total

    def lowest_price(self) -> Amounts:
        """Return the lowest standing bid on each lot, 0 where a block has none, (M,)."""
        return lowest(self.first_slot, self.price)


def units_held(sale: Sale, holder: Places, bidders: int) -> Amounts:
    """Return the units of the blocks that each bidder holds, (N,)."""
    held = holder >= 0
    units = np.zeros(bidders, np.int64)
    np.add.at(units, holder[held], sale.units[sale.slot_lot[held]])
    return units


def lowest(first_slot: Places, of_slots: Amounts) -> Amounts:
    """Return the least of each lot's blocks, (M,)."""
    least: Amounts = np.minimum.reduceat(of_slots, first_slot[:-1])
    return least


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Make an array read-only and return it."""
    array.setflags(write=False)
    return array
