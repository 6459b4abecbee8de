"""What one changed rule would have done: the same lots, values and seed, played again by bots under both sets of rules.

People do not play twice the same way, so the change is judged between two runs of bots; what was really played stands
beside them. Seats without assigned values have nothing to bid for and are left out of the runs, which is said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from engine.auction import results
from engine.auction.amounts import told
from engine.auction.bots import BOTS
from engine.auction.certificate import read
from engine.auction.configuration import check_configuration, rules_from_json, rules_to_json
from engine.auction.equilibrium import outcome_of
from engine.auction.ledger import Entry, replay
from engine.auction.optimum import efficient
from engine.auction.rules import Configuration
from engine.auction.simulate import MOST_ROUNDS, run
from engine.auction.state import NOBODY, AuctionState
from engine.auction.templates import Seat
from engine.errors import AuctionRuleError, QuestionError

DEFAULT_BOT = "straightforward"


@dataclass(frozen=True, slots=True)
class Change:
    """One changed rule, or several together."""

    title: str  # in words
    rules: Mapping[str, Any] = field(default_factory=dict)  # path in the rules' JSON -> value: {"increment.amount": 10}
    bots: Mapping[str, str] = field(default_factory=dict)  # bidder's id, or "" for all -> kind of bot
    seed: int | None = None  # of the tie numbers and the bots' chance


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way that the auction went. None where values are not known."""

    title: str
    rounds: int
    ended_because: str
    revenue: int
    welfare: float | None
    efficiency: float | None
    blocks_sold: int
    loss: float | None  # of all bidders who pay more than they get
    waivers: int
    prices: tuple[float | None, ...]  # (M,), mean over the blocks awarded, None where none is
    surplus: tuple[float | None, ...]  # (N,), of the bidders of the ledger; None for a seat that was left out
    new_bids: tuple[int, ...]  # in each round


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a change does."""

    change: Change
    played: Outcome  # what really happened
    before: Outcome  # bots under the rules as they were
    after: Outcome  # bots under the changed rules
    optimum: float | None
    lots: tuple[str, ...]  # ids
    bidders: tuple[str, ...]  # names
    words: tuple[str, ...]
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def rerun(
    entries: Sequence[Entry],
    change: Change,
    *,
    most_rounds: int = MOST_ROUNDS,
    progress: Callable[[int, int, str], None] | None = None,
) -> Comparison:
    """Return what a change would have done to the auction of a ledger.

    ``progress`` is told (done, total, words) in each round of the two runs; how many there will be is guessed from the
    rounds that were played. What it raises ends the run.

    Seats keep the bots that they had; people are played by straightforward ones. Raises QuestionError where nobody has
    values or a bidder or bot is not there, AuctionRuleError for rules that cannot be, and LimitError where bids still
    come after ``most_rounds`` rounds.
    """
    state = replay(entries)
    places = [place for place, bidder in enumerate(state.bidders) if bidder.valuation is not None]
    if not places:
        raise QuestionError("no seat of this auction has assigned values: bots would have nothing to bid for")
    notices = []
    if len(places) < len(state.bidders):
        names = ", ".join(bidder.name for bidder in state.bidders if bidder.valuation is None)
        notices.append(f"left out of the runs, for they have no assigned values: {names}")
    people = [state.bidders[place].name for place in places if not state.bidders[place].bot]
    if people:
        notices.append(f"played by straightforward bots in the runs: {', '.join(people)}")
    seats = [_seat(state, place) for place in places]
    changed_seats = _with_bots(state, places, seats, change.bots)
    configuration = changed(state.configuration, change)
    optimum = None if len(places) < len(state.bidders) else _optimum(state)
    guess = max(1, len(state.rounds))
    before = run(
        state.configuration,
        seats,
        most_rounds=most_rounds,
        progress=_told(progress, guess, 0, "the rules as they were"),
    ).state
    after = run(
        configuration,
        changed_seats,
        most_rounds=most_rounds,
        progress=_told(progress, guess, 1, change.title),
    ).state
    everybody = range(len(state.bidders))
    outcomes = (
        _outcome("as played", state, everybody, len(state.bidders), optimum),
        _outcome("bots, the same rules", before, places, len(state.bidders), optimum),
        _outcome(f"bots, {change.title}", after, places, len(state.bidders), optimum),
    )
    return Comparison(
        change=change,
        played=outcomes[0],
        before=outcomes[1],
        after=outcomes[2],
        optimum=optimum,
        lots=tuple(lot.id for lot in state.configuration.lots),
        bidders=tuple(bidder.name for bidder in state.bidders),
        words=_words(outcomes[1], outcomes[2], state.configuration.currency),
        notices=tuple(notices),
    )


def _told(
    progress: Callable[[int, int, str], None] | None, guess: int, half: int, words: str
) -> Callable[[int], None] | None:
    """Return what one of the two runs calls in each round; it comes near the end of its half and never beyond."""
    if progress is None:
        return None
    return lambda number: progress(round(1000 * (half + number / (number + guess))), 2000, f"{words}, round {number}")


def changed(configuration: Configuration, change: Change) -> Configuration:
    """Return the configuration with the change. Raises QuestionError for a rule that is not there or cannot be so."""
    content = rules_to_json(configuration.rules)
    for path, value in change.rules.items():
        *parents, name = path.split(".")
        part: Any = content
        for parent in parents:
            part = part.get(parent) if isinstance(part, dict) else None
        if not isinstance(part, dict) or name not in part or isinstance(part[name], dict):
            raise QuestionError(f"there is no rule {path!r}")
        part[name] = list(value) if isinstance(value, tuple) else value
    if change.rules:
        content["preset"] = "Own"
    seed = configuration.seed if change.seed is None else change.seed
    try:
        found = replace(configuration, rules=rules_from_json(content), seed=seed)
    except AuctionRuleError as error:
        raise QuestionError(f"these rules cannot be: {error}") from error
    broken = [problem.message for problem in check_configuration(found) if problem.severity == "error"]
    if broken:
        raise QuestionError(f"these rules cannot be: {'; '.join(broken)}")
    return found


def suggestions(configuration: Configuration) -> tuple[Change, ...]:
    """Return changes that make sense for these rules, one rule each."""
    rules, currency = configuration.rules, configuration.currency
    found: list[Change] = []
    if rules.increment.kind == "fixed":
        amounts = {max(1, rules.increment.amount // 2), rules.increment.amount * 2} - {rules.increment.amount}
        found.extend(Change(f"increment {n} {currency}", {"increment.amount": n}) for n in sorted(amounts))
        percent = {"increment.kind": "smoothed", "increment.rounding": 1}
        found.append(Change("increments of 10 to 20 %", percent))
    else:
        half = {"increment.floor": rules.increment.floor / 2, "increment.ceiling": rules.increment.ceiling / 2}
        found.append(Change("increments half as large", half))
    if rules.activity.enforced:
        found.append(Change("no activity rule", {"activity.enforced": False}))
    else:
        strict = {"activity.enforced": True, "activity.stages": [1.0], "activity.waivers": 0}
        found.append(Change("full activity in every round", strict))
    other = "random" if rules.ties == "alternating" else "alternating"
    words = "ties by a random number" if other == "random" else "ties by turns"
    found.append(Change(words, {"ties": other}))
    hidden = "anonymous" if rules.information == "full" else "full"
    found.append(Change("anonymous bidding" if hidden == "anonymous" else "full information", {"information": hidden}))
    if rules.jump.kind == "none":
        found.append(Change("click boxes and jump bids", {"jump.kind": "click box"}, {"": "jump"}))
    found.extend(
        Change(f"everybody {BOTS[kind].title.lower()}", bots={"": kind})
        for kind in ("straightforward", "demand-reducing", "exposure-averse")
    )
    return tuple(found)


def _seat(state: AuctionState, place: int) -> Seat:
    bidder = state.bidders[place]
    bot = bidder.bot or DEFAULT_BOT
    return Seat(bidder.name, bidder.valuation, bot, bidder.initial_eligibility, bidder.deposit, bidder.id)


def _with_bots(
    state: AuctionState, places: Sequence[int], seats: Sequence[Seat], bots: Mapping[str, str]
) -> list[Seat]:
    known = {state.bidders[place].id for place in places}
    for bidder, kind in bots.items():
        if bidder and bidder not in known:
            raise QuestionError(f"there is no bidder {bidder!r} with assigned values")
        if kind not in BOTS:
            raise QuestionError(f"there is no bot of kind {kind!r}; there are {', '.join(BOTS)}")
    return [
        replace(seat, bot=bots.get(state.bidders[place].id, bots.get("", seat.bot)))
        for place, seat in zip(places, seats, strict=True)
    ]


def _optimum(state: AuctionState) -> float:
    return efficient([v for v in read(state) if v is not None], state.configuration).welfare


def _outcome(title: str, state: AuctionState, places: Sequence[int], bidders: int, optimum: float | None) -> Outcome:
    """Return how an auction went. ``places`` are those of its bidders among the ``bidders`` of the ledger."""
    won, paid, valuations = results.awarded(state), results.payments(state, as_if_ended=True), read(state)
    lots = range(len(state.configuration.lots))
    surplus: list[float | None] = [None] * bidders
    for own, place in enumerate(places):
        valuation = valuations[own]
        if valuation is not None:
            blocks = np.bincount(state.sale.slot_lot[won == own], minlength=len(lots))
            surplus[place] = valuation.value(blocks) - paid[own].total
    known = [one for one in surplus if one is not None]
    welfare = None
    if optimum is not None:
        welfare = sum(known) + sum(payment.total for payment in paid) + outcome_of(state, as_if_ended=True).kept
    mean = [state.price[state.slots_of(lot)][won[state.slots_of(lot)] != NOBODY] for lot in lots]
    waivers = sum(
        len(result.automatic_waivers) + sum(acted.waiver for acted in result.acted.values()) for result in state.rounds
    )
    return Outcome(
        title=title,
        rounds=len(state.rounds),
        ended_because=state.ended_because,
        revenue=int(state.price[won != NOBODY].sum()),
        welfare=welfare,
        efficiency=welfare / optimum if welfare is not None and optimum else None,
        blocks_sold=int((won != NOBODY).sum()),
        loss=sum(max(0.0, -one) for one in known) if len(known) == bidders else None,
        waivers=waivers,
        prices=tuple(float(prices.mean()) if len(prices) else None for prices in mean),
        surplus=tuple(surplus),
        new_bids=tuple(int(result.bids_per_lot.sum()) for result in state.rounds),
    )


def _words(before: Outcome, after: Outcome, currency: str) -> tuple[str, ...]:
    """Say what changes between the two runs of bots."""
    if (before.revenue, before.rounds, before.prices, before.surplus) == (
        after.revenue,
        after.rounds,
        after.prices,
        after.surplus,
    ):
        return (f"With {after.title.removeprefix('bots, ')} nothing changes: same rounds, prices and winners.",)
    unit = f" {currency}"
    said = [
        f"Revenue: {_changed(before.revenue, after.revenue, unit)}.",
        f"Rounds: {_changed(before.rounds, after.rounds)}.",
    ]
    if before.efficiency is not None and after.efficiency is not None:
        said.append(f"Efficiency: {_changed(100 * before.efficiency, 100 * after.efficiency, ' %')}.")
    if before.loss is not None and after.loss is not None and (before.loss or after.loss):
        said.append(f"Losses to exposure: {_changed(before.loss, after.loss, unit)}.")
    moved = sum(a != b for a, b in zip(before.prices, after.prices, strict=True))
    said.append(f"The prices of {moved} of {len(before.prices)} products differ.")
    return tuple(said)


def _changed(before: float, after: float, unit: str = "") -> str:
    """Say by how much a number changes: "2 815 k$, 45 less than without the change"."""
    first, second = told(before, 1), told(after, 1)
    if first == second:
        return f"{second}{unit}, as before"
    return f"{second}{unit}, {told(abs(after - before), 1)}{unit} {'more' if after > before else 'less'} than before"
