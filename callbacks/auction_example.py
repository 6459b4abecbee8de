"""The worked example of the lobby: a template played by bots as the question says, judged by its values."""

from dataclasses import replace
from typing import Any

from callbacks.services import Kept
from components import auction, auction_worked
from components.auction import AS_THEY_ARE, Asked
from engine.auction import equilibrium, templates
from engine.auction.bots import BOTS
from engine.auction.certificate import certificate
from engine.auction.rules import Configuration, Timing
from engine.auction.simulate import run
from engine.auction.state import AuctionState
from engine.errors import EngineError, QuestionError

FIRST = "paper-1"
MOST_ROUNDS = 400
PATIENCE_S = 1800.0  # that a round played alone against bots waits for its one person
MOST_TABLED = 5  # products up to which every bundle has its row
_KEPT = 32


def as_given(template: Any) -> Asked:
    """Return the question that plays a template as it is. Raises QuestionError for one that is not there."""
    if not isinstance(template, str) or template not in templates.TEMPLATES:
        raise QuestionError("this example is not known: choose one of the list")
    rules = templates.TEMPLATES[template].configuration.rules
    return Asked(template, rules.increment.amount if rules.increment.kind == "fixed" else None, rules.ties)


def choices() -> list[tuple[str, str]]:
    """Return the templates as words of the sentence."""
    return [(one.key, one.title[:1].lower() + one.title[1:]) for one in templates.TEMPLATES.values()]


def bots() -> list[tuple[str, str]]:
    """Return the kinds of bots as words of the sentence; the paper's own are in its examples."""
    return [(one.kind, one.title.lower()) for one in BOTS.values() if not one.kind.startswith("paper-")]


def asked_of(template: Any, increment: Any, ties: Any, kind: Any) -> Asked:
    """Return what the words of the sentence ask. Raises QuestionError for what no control can hold."""
    given = as_given(template)
    if increment in (None, ""):
        increment = given.increment
    elif isinstance(increment, bool) or not isinstance(increment, int | float) or not 1 <= increment <= 10**6:
        raise QuestionError("the increment is a whole number from 1 to 1 000 000")
    elif increment != int(increment):
        raise QuestionError(f"the increment is a whole number, not {increment:g}")
    if ties not in ("alternating", "random"):
        raise QuestionError("equal best bids are decided by turns or by a random number")
    if not isinstance(kind, str) or (kind != AS_THEY_ARE and kind not in BOTS):
        raise QuestionError("this way of bidding is not known: choose one of the list")
    return Asked(given.template, None if increment is None else int(increment), str(ties), str(kind))


def played(asked: Asked) -> AuctionState:
    """Return the finished auction. Raises EngineError where the rules let it have no end."""
    return run(*_made(asked), most_rounds=MOST_ROUNDS).state


def to_play(asked: Asked) -> tuple[Configuration, list[templates.Seat]]:
    """Return the auction with its first seat for a person and bots in all others; a round ends once he has acted."""
    configuration, seats = _made(asked)
    timing = Timing(pace="all acted", round_s=PATIENCE_S)
    title = f"{configuration.title}, against bots"
    mine = replace(seats[0], bot="")
    others = [replace(seat, bot=seat.bot or "straightforward") for seat in seats[1:]]
    return replace(configuration, title=title, rules=replace(configuration.rules, timing=timing)), [mine, *others]


def _made(asked: Asked) -> tuple[Configuration, list[templates.Seat]]:
    template = templates.TEMPLATES[asked.template]
    rules = template.configuration.rules
    step = rules.increment
    if asked.increment is not None:  # an increment in money takes the place of one in percent
        step = replace(step, kind="fixed", amount=asked.increment)
    ties: Any = asked.ties
    configuration = replace(template.configuration, rules=replace(rules, increment=step, ties=ties))
    kind = "" if asked.bots == AS_THEY_ARE else asked.bots
    seats = [replace(seat, bot=kind or seat.bot) for seat in template.seats]
    return configuration, seats


def judged(state: AuctionState) -> auction_worked.Judged:
    """Return what the bidders' values say of a finished auction: certificate, and tables as the paper's VI to IX."""
    found = certificate(state)
    check, known = found.equilibrium, found.market.known
    if check is None or known is None:
        return auction_worked.Judged(None, None, "", lines=found.words)
    lots = sum(lot.quantity for lot in state.configuration.lots)
    tables = [
        auction_worked.table_of(
            state, found.outcome, check.bidders[place], equilibrium.table(one, found.outcome, place)
        )
        for place, one in enumerate(known)
        if lots <= MOST_TABLED
    ]
    return auction_worked.Judged(
        values=[bidder.value for bidder in check.bidders],
        optimum=check.optimum.welfare,
        method=check.optimum.method,
        gap=found.gap,
        dual=found.dual_value,
        lines=found.words,
        premises=[one.words for one in found.premises],
        tables=tables,
    )


class Examples:
    """The results asked for last: the same question has the same answer."""

    def __init__(self) -> None:
        self._kept: Kept[Any] = Kept(_KEPT)

    def result(self, asked: Asked) -> Any:
        """Return the result as the page shows it, or in words why there is none."""
        return self._kept.get(asked, lambda: _result(asked))


def _result(asked: Asked) -> Any:
    try:
        state = played(asked)
        return auction_worked.result(state, judged(state), "example")
    except EngineError as error:
        return auction.failed(str(error))
