"""What is sold and by which rules: lots, increments, activity, waivers, withdrawals, closing, information.

Amounts of money are whole numbers of the auction's currency unit, so that ties are exact and a replay gives the
same state bit for bit. A lot of quantity q is a class of q equal blocks; a single product has quantity 1.
"""

from dataclasses import dataclass, field
from typing import Literal

MAX_AMOUNT = 10**12  # currency units; below 2**53, so that a browser's numbers hold it exactly

IncrementKind = Literal["fixed", "smoothed"]
TieRule = Literal["alternating", "random"]
Information = Literal["full", "anonymous"]
Pace = Literal["clock", "all acted", "by hand"]


@dataclass(frozen=True, slots=True)
class Lot:
    """One product, or a class of equal blocks of it."""

    id: str
    name: str
    capacity_mw: float  # of one block
    risk: float  # 0 for firm; the level at which a flexible product may be interrupted
    bus: str
    units: int  # bidding units of one block: its weight in eligibility and activity
    opening: int = 0  # lowest first bid on a block; where it is 0, the increment
    reserve: int = 0  # a block whose final price is below is not awarded
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Increment:
    """How far a new bid must be above the standing one.

    "fixed": ``amount`` above. "smoothed": by the share I = min((1 + A) N, M), where A = C b + (1 - C) A' smooths the
    number b of bids that the lot had in each round; rounded up to a multiple of ``rounding``.
    """

    kind: IncrementKind = "fixed"
    amount: int = 1
    weight: float = 0.5  # C
    floor: float = 0.1  # N
    ceiling: float = 0.2  # M
    rounding: int = 1


@dataclass(frozen=True, slots=True)
class Jump:
    """Bids above the minimum: none, one of ``steps`` amounts each ``step_share`` of the minimum apart, or any.

    With ``cap_increments`` > 0 no bid is more than so many increments above the minimum.
    """

    kind: Literal["none", "click box", "any"] = "none"
    steps: int = 9
    step_share: float = 0.1
    cap_increments: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """Eligibility and what keeps it. Without ``enforced`` a bidder may bid on anything in any round.

    In stage s a bidder must be active on ``stages[s]`` of his eligibility, else a waiver is used or eligibility
    falls to floor(activity / stages[s]). The stage rises by itself after ``quiet_rounds`` rounds in which new bids
    covered less than ``quiet_share`` of all units (0 rounds: only by announcement).
    """

    enforced: bool = False
    stages: tuple[float, ...] = (1.0,)
    waivers: int = 0
    automatic_waivers: bool = True
    quiet_share: float = 0.1
    quiet_rounds: int = 3


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """In how many rounds a bidder may withdraw standing bids (0: never), and the interim payment's share."""

    rounds: int = 0
    interim_share: float = 0.03


@dataclass(frozen=True, slots=True)
class Closing:
    """When the auction ends besides by a quiet round: after ``max_rounds`` (0: no limit)."""

    max_rounds: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """What ends a round: the clock, everybody having acted (or the clock), or the host."""

    pace: Pace = "clock"
    round_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one auction."""

    preset: str = "Classroom"  # "Paper", "Classroom", "FCC", or "Own"
    increment: Increment = field(default_factory=Increment)
    jump: Jump = field(default_factory=Jump)
    activity: Activity = field(default_factory=Activity)
    withdrawals: Withdrawals = field(default_factory=Withdrawals)
    closing: Closing = field(default_factory=Closing)
    timing: Timing = field(default_factory=Timing)
    ties: TieRule = "random"
    information: Information = "full"
    deposit_per_unit: int = 0  # what one unit of eligibility costs in upfront deposit; 0: eligibility is free
    default_share: float = 0.03  # additional payment of a winner who does not pay, of the lesser bid
    demand_hint: bool = True  # a bidder with assigned values is shown his demand at these prices
    disclose_values: bool = True  # after the close everybody sees all assigned values and what they prove


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is sold, by which rules, and where it comes from."""

    title: str
    lots: tuple[Lot, ...]
    rules: Rules = field(default_factory=Rules)
    currency: str = "k$"  # what one unit of an amount is
    seed: int = 0  # of the tie numbers and of the bots
    origin: str = ""  # in words: the template, or the product set with its digest
    product_set_digest: str = ""  # SHA-256 of the product set that is sold; "" for a template without a network
    network_digest: str = ""
