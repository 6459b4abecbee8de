"""A room without a web: applies events one after the other and keeps them, so that tests read like a protocol."""

from dataclasses import replace
from typing import Any

from engine.auction.closing import following, round_closed
from engine.auction.configuration import configuration_to_json
from engine.auction.events import Event, EventKind
from engine.auction.ledger import Entry, chain
from engine.auction.rules import Configuration, Increment, Lot, Rules
from engine.auction.state import AuctionState
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError

STEP = Increment(kind="fixed", amount=5)


def lots(*quantities: int, units: int = 1, opening: int = 0, reserve: int = 0) -> tuple[Lot, ...]:
    """Lots "1", "2", ... of so many equal blocks each."""
    return tuple(
        Lot(f"{k}", f"Lot {k}", 10.0, 0.0, f"bus {k}", units, opening, reserve, quantity)
        for k, quantity in enumerate(quantities, 1)
    )


def configured(products: tuple[Lot, ...], rules: Rules | None = None, seed: int = 1, **changes: Any) -> Configuration:
    """A configuration of these products, with increments of 5 where no rules are given."""
    return Configuration("Test", products, replace(rules or Rules(increment=STEP), **changes), seed=seed)


class Room:
    """One auction and its events."""

    def __init__(self, configuration: Configuration, *bidders: str, units: int = 100, opened: bool = True) -> None:
        self.events: list[Event] = []
        self.now = 1000.0
        self.state = self._take(
            None, Event("configured", self.now, "host", {"configuration": configuration_to_json(configuration)})
        )
        for bidder in bidders:
            self.do("admitted", bidder=bidder, name=bidder.upper(), eligibility=units)
        if opened:
            self.do("opened", deadline=None)

    def _take(self, state: AuctionState | None, event: Event) -> AuctionState:
        after = apply(state, event)
        self.events.append(event)
        return after

    def do(self, kind: EventKind, actor: str = "host", at: float | None = None, **data: Any) -> AuctionState:
        """Apply one event."""
        self.now = self.now + 1 if at is None else at
        self.state = self._take(self.state, Event(kind, self.now, actor, data))
        return self.state

    def bid(self, bidder: str, *rows: list[Any], **more: Any) -> AuctionState:
        """Send a set of bids: ["1", 5] or ["1", 5, 2] for two blocks."""
        full = [[*row, 1] if len(row) == 2 else row for row in rows]
        return self.do("bids submitted", bidder, bidder=bidder, round=self.state.round, bids=full, **more)

    def act(self, kind: EventKind, bidder: str, **data: Any) -> AuctionState:
        """Let a bidder withdraw, use a waiver or choose a reduction."""
        return self.do(kind, bidder, bidder=bidder, round=self.state.round, **data)

    def close(self) -> AuctionState:
        """Close the round by the host, with what the rules ask for next."""
        self.now += 1
        self.state = self._take(self.state, round_closed(self.state, self.now, "host"))
        while (event := following(self.state, self.now)) is not None:
            self.state = self._take(self.state, event)
        return self.state

    def round(self, **bids: list[list[Any]]) -> AuctionState:
        """Play one round: bids by bidder, then the close."""
        for bidder, rows in bids.items():
            self.bid(bidder, *rows)
        return self.close()

    def entries(self) -> tuple[Entry, ...]:
        """The ledger so far."""
        return chain(self.events)

    def standing(self) -> list[tuple[str, int]]:
        """Holder and amount of each block."""
        names = [bidder.id for bidder in self.state.bidders]
        return [
            ("" if holder < 0 else names[holder], price)
            for holder, price in zip(self.state.holder.tolist(), self.state.price.tolist(), strict=True)
        ]

    def refusal(self, kind: EventKind, actor: str = "host", **data: Any) -> set[str]:
        """The rules that an event breaks; the state must be the same object afterwards."""
        before = self.state
        try:
            self.do(kind, actor, **data)
        except AuctionRuleError as error:
            assert self.state is before
            return {problem.code for problem in error.problems}
        raise AssertionError(f"{kind} was accepted")
