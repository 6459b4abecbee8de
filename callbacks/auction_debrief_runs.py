"""What another rule would have done: played here where it is quick, else by a job of whoever asks."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from callbacks import auction_jobs
from callbacks.auction_debrief_seen import changes_of
from callbacks.services import Kept, Services
from components import auction_debrief_more as more
from engine.auction.ledger import replay
from engine.auction.state import AuctionState
from engine.auction.what_if import Change, Comparison, rerun
from engine.auction.what_if_jobs import WHAT_IF, comparison_from_json, what_if_arguments
from engine.errors import QuestionError

if TYPE_CHECKING:
    from callbacks.auction_debrief import Source

AT_ONCE = 20_000  # bidders x blocks x rounds that bots play in a second or two
AT_ONCE_HARD = 2_000  # the same where values are not closed forms
MOST_ROUNDS = 400  # of a run that the page waits for
_KEPT = 32
_SIMPLE = frozenset({"additive", "symmetric", "unit demand"})


@dataclass(frozen=True, slots=True)
class Played:
    """What the page shows, and the job that it waits for."""

    children: Any
    job: str | None = None


class Runs:
    """The comparisons made last, for one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: Kept[Comparison] = Kept(_KEPT)

    def answer(self, source: "Source", chosen: Any, user: str, *, asked: bool) -> Played:
        """Return the answer to the chosen change, or the job that works it out. Raises EngineError in words."""
        state = replay(source.entries)
        change = _chosen(state, source, chosen)
        currency = state.configuration.currency
        if quick(state):
            key = (source.entries[-1].hash, change.title)
            found = self._kept.get(key, lambda: rerun(source.entries, change, most_rounds=MOST_ROUNDS))
            return Played(more.compared(found, currency))
        return self._job(source, change, user, currency, asked=asked)

    def _job(self, source: "Source", change: Change, user: str, currency: str, *, asked: bool) -> Played:
        key = auction_jobs.keep(self._services, source.entries[-1].hash, lambda: source.entries)
        job = auction_jobs.standing(self._services, user, WHAT_IF, _arguments(key, change), asked=asked)
        if job is None:
            return Played(more.failed("the run has no answer"))
        if job.result is not None:
            return Played(more.compared(comparison_from_json(job.result), currency))
        if job.active:
            return Played(more.running(job.id), job.id)
        if job.state == "cancelled":
            return Played(more.failed("the run was cancelled; press again to begin anew"))
        return Played(more.failed(job.error or "the run has no answer"))


def quick(state: AuctionState) -> bool:
    """Tell whether two runs by bots are over while a page waits."""
    size = len(state.bidders) * len(state.price) * max(1, len(state.rounds))
    kinds = {bidder.valuation["kind"] for bidder in state.bidders if bidder.valuation is not None}
    limited = state.configuration.rules.activity.enforced or any(
        bidder.valuation is not None and "budget" in bidder.valuation for bidder in state.bidders
    )
    few = len(state.price) <= 16
    simple = kinds <= _SIMPLE and (few or not limited or kinds <= {"additive"})
    return size <= (AT_ONCE if simple else AT_ONCE_HARD)


def _chosen(state: AuctionState, source: "Source", chosen: Any) -> Change:
    changes, words = changes_of(state, source.reader)
    if not changes:
        raise QuestionError(words[:1].lower() + words[1:].removesuffix("."))
    place = int(chosen) if isinstance(chosen, str) and chosen.isascii() and chosen.isdigit() else -1
    if not 0 <= place < len(changes):
        raise QuestionError("choose one of the listed changes")
    return changes[place]


def _arguments(key: str, change: Change) -> dict[str, Any]:
    """Return the job's arguments as they come back from it, so that both compare equal."""
    found: dict[str, Any] = json.loads(json.dumps(what_if_arguments(key, change)))
    return found
