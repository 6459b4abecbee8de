"""The close of a round: which bids stand, who wins ties, what the next round asks for, and when the auction ends."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from engine.auction.eligibility import eligibilities, judge
from engine.auction.events import Event
from engine.auction.increments import minimum_bids, smoothed_index
from engine.auction.state import NOBODY, Amounts, AuctionState, Places, RoundResult, Withdrawal, frozen
from engine.auction.withdrawing import followed, withdrawn_blocks

TieNumbers = Mapping[str, Mapping[str, int]]


def tie_number(state: AuctionState, lot_id: str, bidder_id: str) -> int:
    """Return the random number of a bidder's bid on a lot in the open round: the highest number wins a tie.

    The first 48 bits of SHA-256 over seed, "auction" or "practice", number of annulled rounds, round, lot and bidder,
    each followed by a line end: whoever has the ledger can work it out again. 48 bits are exact in a browser too.
    """
    run = "practice" if state.practice else "auction"
    parts = (str(state.configuration.seed), run, str(state.annulled), str(state.round), lot_id, bidder_id)
    text = "".join(part + "\n" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


@dataclass(slots=True)
class _Ties:
    """Gives the places that are left to some of the bidders that tie for them, and remembers how."""

    state: AuctionState
    pointer: int
    tied: list[int]
    numbers: dict[str, dict[str, int]]

    def choose(self, lot: int, wanted: Mapping[int, int], places: int) -> dict[int, int]:
        """Return who of the ``wanted`` blocks by bidder gets how many of ``places``, fewer than are wanted."""
        if len(wanted) == 1:
            return {next(iter(wanted)): places}
        self.tied.append(lot)
        if self.state.configuration.rules.ties == "alternating":
            return self._alternate(wanted, places)
        lot_id = self.state.configuration.lots[lot].id
        number = {place: tie_number(self.state, lot_id, self.state.bidders[place].id) for place in wanted}
        self.numbers[lot_id] = {self.state.bidders[place].id: number[place] for place in sorted(wanted)}
        given = {}
        for place in sorted(wanted, key=lambda place: (-number[place], place)):
            given[place] = min(wanted[place], places)
            places -= given[place]
        return given

    def _alternate(self, wanted: Mapping[int, int], places: int) -> dict[int, int]:
        left, given, bidders = dict(wanted), dict.fromkeys(wanted, 0), len(self.state.bidders)
        for _ in range(places):
            place = min((place for place in left if left[place]), key=lambda place: (place - self.pointer) % bidders)
            left[place] -= 1
            given[place] += 1
            self.pointer = (place + 1) % bidders
        return given


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands after the open round."""

    price: Amounts  # (U,)
    holder: Places  # (U,)
    runner_up: Amounts  # (M,)
    bids: Amounts  # (M,)
    covered_units: int
    pointer: int
    tied: tuple[int, ...]
    tie_numbers: TieNumbers
    withdrawn: tuple[Withdrawal, ...]


def _standing(state: AuctionState) -> _Standing:
    """Return the standing bids after the open round: of each lot's q blocks, the q highest of standing and new bids.

    A standing bid keeps its block against a new one of the same amount. Where more equal bids meet than there is
    room for, the tie rule decides, over the lots in their order.
    """
    price, holder, runner_up = state.price.copy(), state.holder.copy(), state.runner_up.copy()
    withdrawn = withdrawn_blocks(state)
    for withdrawal in withdrawn:
        price[withdrawal.slot], holder[withdrawal.slot] = 0, NOBODY
    new: dict[int, list[tuple[int, int, int]]] = {}  # lot: (amount, bidder, blocks)
    for place in sorted(state.acted):
        for bid in state.acted[place].bids:
            new.setdefault(bid.lot, []).append((bid.amount, place, bid.blocks))
    ties = _Ties(state, state.pointer, [], {})
    bids = np.zeros(len(state.minimum), np.int64)
    covered = 0
    for lot in sorted(new):
        bids[lot] = len(new[lot])
        quantity = int(state.sale.quantity[lot])
        covered += int(state.sale.units[lot]) * min(quantity, sum(blocks for _, _, blocks in new[lot]))
        if quantity == 1:
            _place_one(lot, new[lot], (price, holder, runner_up), ties)
        else:
            _place_blocks(lot, new[lot], (price, holder, runner_up), ties)
    return _Standing(
        price=frozen(price),
        holder=frozen(holder),
        runner_up=frozen(runner_up),
        bids=frozen(bids),
        covered_units=covered,
        pointer=ties.pointer,
        tied=tuple(ties.tied),
        tie_numbers=ties.numbers,
        withdrawn=withdrawn,
    )


def _place_one(lot: int, new: list[tuple[int, int, int]], books: tuple[Amounts, Places, Amounts], ties: _Ties) -> None:
    """Let the best new bid on a single product stand: it is above the standing one, or it would not be legal."""
    price, holder, runner_up = books
    slot = int(ties.state.first_slot[lot])
    best, winner, _ = new[0]
    lost = int(price[slot])  # 0 where nobody holds it
    if len(new) > 1:
        best = max(amount for amount, _, _ in new)
        among = {place: 1 for amount, place, _ in new if amount == best}
        winner = next(place for place, got in ties.choose(lot, among, 1).items() if got)
        lost = max(lost, *(amount for amount, place, _ in new if place != winner))
    runner_up[lot] = max(runner_up[lot], lost)
    price[slot], holder[slot] = best, winner


def _place_blocks(
    lot: int, new: list[tuple[int, int, int]], books: tuple[Amounts, Places, Amounts], ties: _Ties
) -> None:
    """Let the q best of standing and new bids on a class of blocks stand; who keeps a block keeps its place."""
    price, holder, runner_up = books
    slots = range(*ties.state.slots_of(lot).indices(len(price)))
    levels = sorted(
        {amount for amount, _, _ in new} | {int(price[s]) for s in slots if holder[s] != NOBODY}, reverse=True
    )
    left, kept, winners = len(slots), set[int](), list[tuple[int, int]]()
    best_lost = 0
    for level in levels:
        held: dict[int, list[int]] = {}
        for slot in slots:
            if holder[slot] != NOBODY and price[slot] == level:
                held.setdefault(int(holder[slot]), []).append(slot)
        wanted = {place: len(of_place) for place, of_place in held.items()}
        given = _give(lot, wanted, left, ties)
        kept.update(slot for place, count in given.items() for slot in held[place][:count])
        left -= sum(given.values())
        asked = {place: blocks for amount, place, blocks in new if amount == level}
        got = _give(lot, asked, left, ties)
        winners.extend((level, place) for place in sorted(got) for _ in range(got[place]))
        left -= sum(got.values())
        if sum(given.values()) + sum(got.values()) < sum(wanted.values()) + sum(asked.values()):
            best_lost = max(best_lost, level)
    runner_up[lot] = max(int(runner_up[lot]), best_lost)
    free = [slot for slot in slots if slot not in kept]
    for slot, (amount, place) in zip(free, winners, strict=False):  # what no winner takes was free before
        price[slot], holder[slot] = amount, place


def _give(lot: int, wanted: Mapping[int, int], places: int, ties: _Ties) -> dict[int, int]:
    """Return how many of the blocks that each bidder wants at one amount he gets."""
    if sum(wanted.values()) <= places:
        return dict(wanted)
    return ties.choose(lot, wanted, places) if places else {}


def tie_numbers(state: AuctionState) -> TieNumbers:
    """Return the random number of every bid in a tie of the open round: {lot: {bidder: number}} by id."""
    return _standing(state).tie_numbers


def close_round(state: AuctionState, at: float, deadline: float | None, recorded: TieNumbers | None) -> AuctionState:
    """Return the state as the next round begins.

    ``recorded`` are the tie numbers of the ledger; ValueError names the lot where they are not those of the seed.
    """
    after = _standing(state)
    if recorded is not None:
        _compare(recorded, after.tie_numbers)
    judged = judge(state)
    increment = state.configuration.rules.increment
    index = state.activity_index
    if increment.kind == "smoothed":
        index = frozen(smoothed_index(increment, index, after.bids))
    minimum = minimum_bids(state.configuration, state.sale, (after.price, after.holder), after.runner_up, index)
    result = RoundResult(
        round=state.round,
        stage=state.stage,
        acted=state.acted,
        bids_per_lot=after.bids,
        covered_units=after.covered_units,
        tied=after.tied,
        tie_numbers=after.tie_numbers,
        price=after.price,
        holder=after.holder,
        minimum=minimum,
        eligibility=eligibilities(judged.bidders),
        activity=judged.activity,
        automatic_waivers=judged.automatic_waivers,
        closed_at=at,
    )
    nothing: dict[str, int] = {}
    return replace(
        state,
        round=state.round + 1,
        stage=state.next_stage,
        deadline=deadline,
        bidders=judged.bidders,
        price=after.price,
        holder=after.holder,
        minimum=minimum,
        runner_up=after.runner_up,
        activity_index=index,
        pointer=after.pointer,
        acted={},
        withdrawals=followed(state.withdrawals + after.withdrawn, after.price, after.holder),
        rounds=(*state.rounds, result),
        requests=nothing,
        requests_before=state.requests,
        before=replace(state, acted={}, requests=nothing, requests_before=nothing, before=None),
    )


def _compare(recorded: TieNumbers, derived: TieNumbers) -> None:
    for lot in [*derived, *recorded]:
        ours, theirs = derived.get(lot), recorded.get(lot)
        if ours != theirs:
            raise ValueError(f"lot {lot!r}: the recorded tie numbers {theirs} are not those of the seed, {ours}")


def round_closed(state: AuctionState, at: float, actor: str = "server") -> Event:
    """Return the event that closes the open round at a time, with its tie numbers and the next round's deadline."""
    timing = state.configuration.rules.timing
    data = {
        "round": state.round,
        "tie_numbers": {lot: dict(numbers) for lot, numbers in tie_numbers(state).items()},
        "deadline": None if timing.pace == "by hand" or state.deadline is None else round(at + timing.round_s, 3),
    }
    return Event("round closed", at, actor, data)


def why_closing(state: AuctionState) -> str:
    """Return in words why the auction ends with its last closed round, or "" if it goes on."""
    if not state.rounds or state.phase != "open":
        return ""
    last = state.rounds[-1]
    if not any(acted.bids or acted.withdrawn or acted.waiver for acted in last.acted.values()):
        return f"round {last.round} passed without a new bid, a withdrawal or a proactive waiver"
    most = state.configuration.rules.closing.max_rounds
    if most and last.round >= most:
        return f"round {last.round} was the last that the rules allow"
    return ""


def quiet_enough(state: AuctionState) -> bool:
    """Return whether the rules raise the stage now: new bids were few for long enough in this one."""
    rule = state.configuration.rules.activity
    if not rule.enforced or not rule.quiet_rounds or state.next_stage + 1 >= len(rule.stages):
        return False
    last = state.rounds[-rule.quiet_rounds :]
    few = Fraction(str(rule.quiet_share)) * state.sale.total_units
    return (
        len(last) == rule.quiet_rounds
        and state.next_stage == state.stage
        and all(result.stage == state.stage and result.covered_units < few for result in last)
    )


def following(state: AuctionState, at: float) -> Event | None:
    """Return the event that the rules ask for next, after a round was closed: the end, or a stage that begins."""
    if state.phase != "open" or state.acted or not state.rounds:
        return None
    if why_closing(state):
        return Event("practice ended" if state.practice else "closed", at, "server", {})
    if quiet_enough(state):
        return Event("stage changed", at, "server", {"stage": state.stage + 1})
    return None


def everyone_acted(state: AuctionState) -> bool:
    """Return whether every person who can still act has acted in the open round; False where there is none.

    Bots act as the round closes. A person without eligibility, or muted by the host, has nothing left to do.
    """
    enforced = state.configuration.rules.activity.enforced
    people = [place for place, bidder in enumerate(state.bidders) if not bidder.bot]
    return bool(people) and all(
        place in state.acted or state.bidders[place].muted or (enforced and not state.bidders[place].eligibility)
        for place in people
    )
