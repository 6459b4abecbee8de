"""The events of an auction. The ledger keeps them in order; their fold is the state (engine.auction.transitions).

In an event's data a lot is the id of the lot and a bidder is the id of the bidder. Amounts are whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

EventKind = Literal[
    "configured",  # configuration (engine.auction.configuration.configuration_to_json)
    "admitted",  # bidder, name, eligibility (units), deposit, valuation (JSON or None), bot ("" or its kind)
    "renamed",  # bidder, name: whoever sits there is called so from now on, in rounds gone by too
    "opened",  # deadline (None: no clock)
    "bids submitted",  # bidder, round, bids [[lot, amount, blocks], ...], request; replaces his set of this round
    "withdrawn",  # bidder, round, lots [lot, ...] (all his blocks of each), request; replaces his list of this round
    "waiver used",  # bidder, round, request: proactive; automatic ones are worked out when the round closes
    "reduction chosen",  # bidder, round, request: eligibility shall fall instead of a waiver being used
    "round closed",  # round, tie_numbers {lot: {bidder: number}} where bids tied, deadline of the next round
    "stage changed",  # stage, counted from 0; from the next round if somebody has acted in the open one
    "paused",  # remaining_s of the round's clock
    "resumed",  # deadline
    "extended",  # deadline
    "round annulled",  # round, reason, deadline: back to the beginning of the last closed round
    "practice begun",  # deadline (None: no clock): opens round 1 of a practice
    "practice ended",  # nothing: back to before the practice, with everybody who came meanwhile
    "muted",  # bidder, muted (bool): his bids are refused
    "seat given",  # bidder, bot ("" for a person, else the bot's kind)
    "announced",  # text
    "cancelled",  # reason
    "closed",  # nothing
    "defaulted",  # bidder, lots [lot, ...]: after closing, a winner does not pay
]

# What the data of each kind may hold; anything else is refused, so that a ledger has nothing that nobody reads.
FIELDS: Mapping[EventKind, frozenset[str]] = MappingProxyType(
    {
        "configured": frozenset({"configuration"}),
        "admitted": frozenset({"bidder", "name", "eligibility", "deposit", "valuation", "bot"}),
        "renamed": frozenset({"bidder", "name"}),
        "opened": frozenset({"deadline"}),
        "bids submitted": frozenset({"bidder", "round", "bids", "request"}),
        "withdrawn": frozenset({"bidder", "round", "lots", "request"}),
        "waiver used": frozenset({"bidder", "round", "request"}),
        "reduction chosen": frozenset({"bidder", "round", "request"}),
        "round closed": frozenset({"round", "tie_numbers", "deadline"}),
        "stage changed": frozenset({"stage"}),
        "paused": frozenset({"remaining_s"}),
        "resumed": frozenset({"deadline"}),
        "extended": frozenset({"deadline"}),
        "round annulled": frozenset({"round", "reason", "deadline"}),
        "practice begun": frozenset({"deadline"}),
        "practice ended": frozenset(),
        "muted": frozenset({"bidder", "muted"}),
        "seat given": frozenset({"bidder", "bot"}),
        "announced": frozenset({"text"}),
        "cancelled": frozenset({"reason"}),
        "closed": frozenset(),
        "defaulted": frozenset({"bidder", "lots"}),
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: who did it, when it reached the server, and what it was.

    ``at`` is in seconds since 1970 (UTC) to the millisecond, set by the server. ``data`` is JSON values only.
    """

    kind: EventKind
    at: float
    actor: str  # "host", "server", or a bidder's id
    data: Mapping[str, Any]
