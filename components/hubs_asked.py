"""The words of the Hubs page's question: what each control holds, and how a question is made of them and back.

A control holds what a reader typed or chose; nothing here trusts it. What cannot be used is refused with QuestionError,
every control at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from components.day_fields import Number, integer, typed
from components.hubs_words import FEEDERS
from components.siting_typed import Problems, amount, percent
from engine.pricing.question import Edit, HubQuestion

Words = dict[str, Any]
Choices = Sequence[tuple[str, str]]

FILE = "file:"  # begins the value of a case of the reader's own
CASES: Choices = (("three", "three hubs on IEEE 37"), ("fleet", "a fleet"))
FLEET_FEEDERS: Choices = tuple((key, title) for key, title in FEEDERS.items() if key != "two-bus")
EXACT: Choices = (("quick", "quick prices"), ("exact", "quick and exact prices"))
WINDOWS: Choices = (
    ("0", "set once for the day"),
    ("6", "and again each hour, 6 hours ahead"),
    ("12", "and again each hour, 12 hours ahead"),
    ("24", "and again each hour, 24 hours ahead"),
)
FAIRNESS: Choices = (
    ("hubs", "between each two hubs"),
    ("mean", "from the hubs' mean"),
    ("time", "over time, as the source prints it"),
)


NUMBERS: tuple[Number, ...] = (
    Number("count", "count", "number of hubs", whole=True),
    Number("hours", "hours", "number of hours", whole=True),
    Number("seed", "seed", "seed", whole=True),
    Number("line", "line_per_mwh", "weight of lines' overloads", "$/MWh"),
    Number("substation", "substation_per_mwh", "weight of the substation's overloads", "$/MWh"),
    Number("level", "level", "weight of a price", "$ each $/MWh"),
    Number("smooth", "smooth", "weight of its change from hour to hour", "$ each $/MWh"),
    Number("fair", "fair", "weight of differences between hubs", "$ each $/MWh"),
    Number("least", "least_per_mwh", "least of the operator's prices", "$/MWh"),
    Number("most", "most_per_mwh", "most of the operator's prices", "$/MWh"),
    Number("kappa", "kappa", "share of the rise of hubs' costs", "%", 100.0),
    Number("gap", "exact_gap", "gap at which exact prices end", "%", 100.0),
    Number("exact-time", "exact_time_s", "time of exact prices, at most", "s"),
    Number("quick-time", "quick_time_s", "time of quick prices, at most", "s"),
    Number("error", "error", "standard deviation of forecasts", "%", 100.0),
)
NAMES: tuple[str, ...] = (
    "case", "feeder", "exact", "window", "fairness", "exports", "ladder", *(number.word for number in NUMBERS),
)  # fmt: skip


def words_of(question: HubQuestion) -> Words:
    """Return what each control holds for a question; its edits are in a Store."""
    held: Words = {
        "case": f"{FILE}{question.dataset}" if question.dataset else question.case,
        "feeder": question.feeder,
        "exact": "exact" if question.exact else "quick",
        "window": str(question.window),
        "fairness": question.fairness,
        "exports": ["priced"] if question.exports else [],
        "ladder": ["asked"] if question.ladder else [],
    }
    for one in NUMBERS:
        value = getattr(question, one.field)
        held[one.word] = percent(value) if one.scale == 100.0 else value
    return held


def question_of(words: Mapping[str, Any], edits: Any) -> HubQuestion:
    """Return the question that the controls hold, checked as far as it can be without the case.

    Raises QuestionError with every control that cannot be read, and everything that is out of its range.
    """
    found = Problems()
    case, window = str(words.get("case") or ""), str(words.get("window") or "")
    asked: dict[str, Any] = {
        name: str(words.get(name) or "") for name in ("feeder", "fairness")
    }  # fmt: skip
    asked["dataset" if case.startswith(FILE) else "case"] = case.removeprefix(FILE)
    asked["exact"] = words.get("exact") == "exact"
    asked["exports"] = _ticked(words.get("exports"), "priced")
    asked["ladder"] = _ticked(words.get("ladder"), "asked")
    asked["window"] = found.read(lambda: _whole(window, "hours that prices look ahead"), 0)
    for one in NUMBERS:
        asked[one.field] = found.read(partial(typed, words.get(one.word), one), 0)
    asked["edits"] = edits if isinstance(edits, list) else []
    found.told()
    return HubQuestion.from_json(asked).checked()


def edits_of(held: Any) -> tuple[Edit, ...]:
    """Return the edits of the Store that holds them, in their order. Raises QuestionError for anything else."""
    return HubQuestion.from_json({"edits": held if isinstance(held, list) else []}).edits


def held_edits(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Return what the Store of the edits holds."""
    return [asdict(one) for one in edits]


def changed_words(before: HubQuestion, now: HubQuestion) -> list[str]:
    """Return what of a question has changed, in words."""
    names = {one.field: f"the {one.label}" for one in NUMBERS}
    names |= {
        "case": "the case", "dataset": "the case", "feeder": "the feeder", "edits": "the edits",
        "exact": "how prices are found", "window": "prices in real time", "fairness": "the kind of fairness",
        "exports": "whether exports are priced", "ladder": "whether smaller curvatures are tried",
    }  # fmt: skip
    old, new = before.to_json(), now.to_json()
    return list(dict.fromkeys(words for name, words in names.items() if old[name] != new[name]))


def _ticked(value: Any, name: str) -> bool:
    return isinstance(value, list) and name in value


def _whole(value: Any, what: str) -> int:
    return integer(amount(value, what, -1e12, 1e12), what)
