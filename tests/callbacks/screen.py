"""The Capacity page as its tests work it: its controls, sites and last answer, without a browser."""

import json
from typing import Any

from callbacks.capacity_answer import KEEP, Asked, Seat, Shown, answer_to
from callbacks.capacity_desk import AtOnce
from components.capacity_answer import Answer
from components.capacity_words import Words, sites_data, words_of
from engine.capacity import jobs
from engine.capacity.defaults import starting_question
from engine.capacity.question import CapacityQuestion, UncertaintySpec

ANNE, BEN = "anne", "ben"
NOW = 1_790_000_000.0
HOURS = UncertaintySpec("hourly", {"hours": 20}, 1)


class Screen:
    """The page as a browser holds it: controls, sites, and what was drawn last."""

    def __init__(self, seat: Seat, question: CapacityQuestion | None = None) -> None:
        self.seat = seat
        self.start = question or starting_question(seat.network())
        self.words: Words = words_of(self.start)
        self.sites: Any = sites_data(self.start)
        self.drawn: Any = None
        self.asked_before = False
        self.period = "year"

    def ask(self, *, pressed: bool = False, deepened: bool = False, variant: str | None = None, **words: Any) -> Shown:
        self.words |= words
        start = {"question": self.start.to_json(), "problems": []}
        opening, self.asked_before = not self.asked_before, True
        asked = Asked(
            self.words, self.sites, start, self.drawn, pressed=pressed, opening=opening, deepened=deepened,
            variant=variant, period=self.period,
        )  # fmt: skip
        shown = answer_to(self.seat, asked, NOW)
        if shown.drawn is not KEEP:
            self.drawn = shown.drawn
        return shown

    def answer(self) -> Answer:
        answer = self.seat.answer(self.drawn)
        assert answer is not None
        return answer


def text(part: Any) -> str:
    """Return the words that a reader sees."""
    if isinstance(part, list | tuple):
        return " ".join(text(child) for child in part)
    if isinstance(part, str | int | float):
        return str(part)
    packed = getattr(part, "data-siting-table", None)
    if packed is not None:  # a table that the browser draws
        content = json.loads(packed)
        return _packed([content["heads"], *content["rows"]])
    inner = getattr(part, "children", None)  # one that has no children itself counts as false
    return "" if inner is None else text(inner)


def _packed(part: Any) -> str:
    if isinstance(part, str):
        return part
    marks = part[-1] if len(part) == 6 and isinstance(part[0], str) and isinstance(part[-1], list) else part
    return " ".join(_packed(inner) for inner in marks)


def ids_in(part: Any) -> set[str]:
    """Return every id in a layout, those with keys as JSON."""
    if isinstance(part, list | tuple):
        return set().union(*(ids_in(child) for child in part)) if part else set()
    found = set() if getattr(part, "id", None) is None else {_id(part.id)}
    return found | ids_in(part.children) if getattr(part, "children", None) is not None else found


def _id(element: Any) -> str:
    return element if isinstance(element, str) else json.dumps(element, sort_keys=True, separators=(",", ":"))


def work_off(seat: Seat, question: CapacityQuestion) -> None:
    """Do what the runner would: the margins of a question, kept under their key."""
    network = seat.network()
    context = AtOnce(seat.desk.services, seat.user, seat.study, network)
    jobs.prepare_job(jobs.prepare_arguments(network.digest, question), context)
