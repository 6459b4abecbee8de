"""Whole auctions played by bots: the same events, rules and ledger as in the room, without a clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.auction.bots import BOTS, bot_events, read_valuations
from engine.auction.closing import following, round_closed
from engine.auction.configuration import configuration_to_json
from engine.auction.events import Event
from engine.auction.ledger import Entry, next_entry
from engine.auction.rules import Configuration
from engine.auction.state import AuctionState
from engine.auction.templates import Seat
from engine.auction.transitions import apply
from engine.errors import LimitError, QuestionError

MOST_ROUNDS = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A finished auction: its ledger, and what it adds up to."""

    entries: tuple[Entry, ...]
    state: AuctionState


class _Room:
    """Applies events and keeps their ledger."""

    def __init__(self) -> None:
        self.state: AuctionState | None = None
        self.entries: list[Entry] = []

    def take(self, event: Event) -> AuctionState:
        self.state = apply(self.state, event)
        self.entries.append(next_entry(self.entries[-1] if self.entries else None, event))
        return self.state


def bidder_id(number: int) -> str:
    """Return the id of the seat with this number, from 1."""
    return f"bidder-{number}"


def run(
    configuration: Configuration,
    seats: Sequence[Seat],
    *,
    bot: str = "straightforward",
    most_rounds: int = MOST_ROUNDS,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Play an auction to its end and return ledger and state.

    ``progress`` is told the number of each round before it is played; what it raises ends the run.
    A seat without a bot of its own is played by one of kind ``bot``; a seat without values bids for nothing. Times are
    the rounds' numbers times their length, from 0. Raises QuestionError for a kind that is not there, LimitError when
    bids still come after ``most_rounds`` rounds.
    """
    unknown = {seat.bot or bot for seat in seats} - set(BOTS)
    if unknown:
        raise QuestionError(f"there is no bot of kind {', '.join(sorted(unknown))}; there are {', '.join(BOTS)}")
    rules, room = configuration.rules, _Room()
    room.take(Event("configured", 0.0, "host", {"configuration": configuration_to_json(configuration)}))
    for number, seat in enumerate(seats, start=1):
        room.take(
            Event(
                "admitted",
                0.0,
                "host",
                {
                    "bidder": seat.id or bidder_id(number),
                    "name": seat.name,
                    "eligibility": seat.eligibility,
                    "deposit": max(seat.deposit, seat.eligibility * rules.deposit_per_unit),
                    "valuation": seat.valuation,
                    "bot": seat.bot or bot,
                },
            )
        )
    state = room.take(Event("opened", 0.0, "host", {"deadline": None}))
    valuations = read_valuations(state)
    while state.phase == "open":
        if state.round > most_rounds:
            raise LimitError(f"bids still come after {most_rounds} rounds")
        if progress is not None:
            progress(state.round)
        at = float(state.round) * rules.timing.round_s
        for event in bot_events(state, at, valuations):
            state = room.take(event)
        state = room.take(round_closed(state, at))
        while (next_event := following(state, at)) is not None:
            state = room.take(next_event)
    return Run(tuple(room.entries), state)


def play(
    configuration: Configuration, seats: Sequence[Seat], *, bot: str = "straightforward", most_rounds: int = MOST_ROUNDS
) -> tuple[Entry, ...]:
    """Return the ledger of :func:`run`."""
    return run(configuration, seats, bot=bot, most_rounds=most_rounds).entries
