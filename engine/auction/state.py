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
    name: str
    eligibility: int  # bidding units, now
    initial_eligibility: int
    deposit: int
    waivers_left: int
    withdrawal_rounds_left: int
    valuation: Mapping[str, Any] | None  # assigned values as JSON (engine.auction.values); private
    bot: str = ""  # the kind of bot that sits here; "" for a person
    muted: bool = False


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
    """A withdrawn standing bid, and what it may cost."""

    bidder: int
    lot: int
    amount: int
    round: int
    due: int | None  # None while the block is not sold again: then the interim payment stands


@dataclass(frozen=True, slots=True, eq=False)
class RoundResult:
    """One closed round."""

    round: int
    stage: int
    acted: Mapping[int, Acted]  # by bidder's place
    bids_per_lot: Amounts  # (M,), new bids received
    tied: tuple[int, ...]  # lots on which best new bids tied
    tie_numbers: Mapping[str, Mapping[str, int]]
    price: Amounts  # (U,), standing bid of each block after the round, 0 without one
    holder: Places  # (U,), bidder's place, NOBODY without one
    minimum: Amounts  # (M,), lowest bid that the next round accepts
    eligibility: Amounts  # (N,), after the round
    activity: Amounts  # (N,), units: blocks held at the beginning and new bids
    automatic_waivers: tuple[int, ...]  # bidders
    closed_at: float


@dataclass(frozen=True, slots=True, eq=False)
class AuctionState:
    """Everything that the rules need, and what the screens tell. Arrays are read-only."""

    configuration: Configuration
    phase: Phase
    events: int  # how many were applied: the state's revision
    practice: bool
    round: int  # the open round; 0 before opening
    stage: int
    deadline: float | None
    bidders: tuple[Bidder, ...]
    first_slot: Places  # (M + 1,), blocks of lot l are first_slot[l] .. first_slot[l + 1] - 1
    price: Amounts  # (U,)
    holder: Places  # (U,)
    minimum: Amounts  # (M,)
    activity_index: npt.NDArray[np.float64]  # (M,), A of the smoothed increment
    pointer: int  # of the alternating tie rule: place of the bidder whose turn it is
    acted: Mapping[int, Acted]  # in the open round, by bidder's place
    withdrawals: tuple[Withdrawal, ...]
    rounds: tuple[RoundResult, ...]
    announcements: tuple[tuple[float, str], ...] = ()
    ended_because: str = ""  # in words, once closed or cancelled
    requests: Mapping[str, int] = field(default_factory=dict)  # request id -> event number: a repeat is told, not done
    before: "AuctionState | None" = None  # as the last closed round began: for an annulment
