"""The view in the link: the question and what is looked at, as a query string and back.

What comes back from a link is checked like any other input: a word that cannot be read is named, and the
rest of the link still counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import quote

from components.capacity_words import uniform_mw
from engine.capacity.question import CapacityQuestion
from engine.errors import QuestionError

Tab = Literal["sites", "buses", "limits", "products", "requests"]
TABS: tuple[Tab, ...] = ("sites", "buses", "limits", "products", "requests")
LAYERS = ("firm", "flexible", "increment", "binds", "sites", "change", "redispatch")

# Beyond this many characters a question is kept by the server and the link carries its digest: servers and
# messengers cut longer addresses.
LONGEST_QUERY = 2500

_SHORT = {
    "firm_set": "firm", "budget": "budget", "security": "secure", "outages": "outages", "outage_rating": "rating",
    "recourse": "recourse", "period": "period", "measure": "measure", "objective": "split", "tie_rule": "ties",
    "supply": "supply", "cutoff": "cutoff", "downward_closed": "closed", "at_zero": "zero", "block_mw": "block",
    "round_mw": "round", "conditions": "cond",
}  # fmt: skip
# What the link writes in a way of its own.
_OWN = frozenset({"candidates", "demand_mw", "epsilons", "supply_shares", "uncertainty"})
_FIELDS = tuple(entry.name for entry in fields(CapacityQuestion) if entry.name not in _OWN)
_TEXT = frozenset(name for name in _FIELDS if isinstance(getattr(CapacityQuestion(), name), str))
_WORDS = {"mw", "eps", "shares", "states", "with", "seed"} | {_SHORT.get(name, name) for name in _FIELDS}
_PLAIN = re.compile(r"[A-Za-z0-9_.+ -]+")


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, beside the question."""

    layer: str = "firm"
    tab: Tab = "sites"
    selection: str = ""  # "bus:5120"
    kv: str = ""
    zone: str = ""
    mw: float | None = None  # least capacity that the map and the table show
    step: str = ""  # the period that is drawn, "" for the year round
    hour: str = ""  # the state that redispatch is shown in, "" for the one of the largest load


def question_query(question: CapacityQuestion) -> str:
    """Return the question as a query string, without its default values; it begins with ``sites=``."""
    content, default = question.to_json(), CapacityQuestion().to_json()
    ids = question.candidates
    plain = all(_PLAIN.fullmatch(bus) for bus in ids)
    parts = {"sites": ",".join(ids) if plain else json.dumps(list(ids), ensure_ascii=False)}
    same = uniform_mw(question.demand_mw)
    parts["mw"] = f"{same:.10g}" if same is not None else ",".join(f"{mw:.10g}" for mw in question.demand_mw)
    parts["eps"] = ",".join(f"{100 * epsilon:.10g}" for epsilon in question.epsilons) or "0"
    for name in _FIELDS:
        if content[name] != default[name]:
            value = content[name] if name in _TEXT else json.dumps(content[name], separators=(",", ":"))
            parts[_short(name)] = value
    if content["supply_shares"]:
        parts["shares"] = json.dumps(content["supply_shares"], separators=(",", ":"))
    parts["states"] = question.uncertainty.kind
    if question.uncertainty.parameters:
        parts["with"] = json.dumps(content["uncertainty"]["parameters"], separators=(",", ":"), sort_keys=True)
    if question.uncertainty.seed != 1:
        parts["seed"] = str(question.uncertainty.seed)
    return "&".join(f"{name}={quote(text, safe=',:.~')}" for name, text in parts.items())


def read_question(query: Mapping[str, Any], onto: CapacityQuestion | None = None) -> CapacityQuestion | None:
    """Return the question of a link, None when it has none. Raises QuestionError naming what cannot be read.

    A link without sites changes the words that it has of the question ``onto``; without that it is refused.
    """
    text = {name: str(value) for name, value in query.items()}
    if "sites" not in text:
        if not _WORDS & text.keys():
            return None
        if onto is None:
            raise QuestionError("the link has words of a question, but not its sites")
    content = {} if onto is None or "sites" in text else onto.to_json()
    if "sites" in text:
        content["candidates"] = _ids(text["sites"])
    if "sites" in text or "mw" in text:
        content["demand_mw"] = _demand(text.get("mw", ""), len(content["candidates"]))
    if "eps" in text:
        levels = _numbers(text["eps"], "eps")
        content["epsilons"] = [] if levels == [0] else [round(level / 100, 12) for level in levels]
    for name in _FIELDS:
        if _short(name) in text:
            given = text[_short(name)]
            content[name] = given if name in _TEXT else _json(given, _short(name))
    if "shares" in text:
        content["supply_shares"] = _object(text["shares"], "shares")
    content["uncertainty"] = _states(text, content.get("uncertainty"))
    return CapacityQuestion.from_json(content)


def _states(text: Mapping[str, str], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the uncertainty of a link, or that of ``before`` where the link says nothing of it."""
    spec = {"kind": "hourly", "parameters": {}, "seed": 1} if before is None else dict(before)
    if text.get("states", spec["kind"]) != spec["kind"]:
        spec = {"kind": text["states"], "parameters": {}, "seed": spec["seed"]}
    if "with" in text:
        spec["parameters"] = _object(text["with"], "with")
    seed = text.get("seed", str(spec["seed"]))
    if not seed.isdigit() or len(seed) > 18:
        raise QuestionError(f"the link's seed must be a whole number, found {seed[:20]!r}")
    return spec | {"seed": int(seed)}


def read_view(query: Mapping[str, Any]) -> View:
    """Return what a link looks at; a value that is not one of those offered takes its default."""
    layer, tab = str(query.get("layer", "")), str(query.get("tab", ""))
    try:
        least = float(str(query.get("least", "")))
    except ValueError:
        least = float("nan")
    return View(
        layer=layer if layer in LAYERS else "firm",
        tab=tab if tab in TABS else "sites",  # type: ignore[arg-type]
        selection=str(query.get("sel", ""))[:200],
        kv=str(query.get("kv", ""))[:20],
        zone=str(query.get("zone", ""))[:200],
        mw=least if 0 < least < 1e9 else None,
        step=str(query.get("step", ""))[:40],
        hour=str(query.get("hour", ""))[:60],
    )


def _ids(text: str) -> list[str]:
    if text.startswith("["):
        listed = _json(text, "sites")
        if not isinstance(listed, list):
            raise QuestionError("the link's sites must be a list of buses")
        return [str(bus) for bus in listed]
    return [bus for bus in text.split(",") if bus]


def _demand(text: str, count: int) -> list[float]:
    values = _numbers(text, "mw") if text else ([] if count == 0 else [1000.0])
    return values * count if len(values) == 1 else values


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part]
    except ValueError:
        raise QuestionError(f"the link's {name} must be numbers, found {text[:40]!r}") from None


def _short(name: str) -> str:
    """Return the name of a field in a link; a field that has no short one keeps its own."""
    return _SHORT.get(name, name)


def _object(text: str, name: str) -> dict[str, Any]:
    content = _json(text, name)
    if not isinstance(content, dict):
        raise QuestionError(f"the link's {name} must be names with values")
    return content


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise QuestionError(f"the link's {name} cannot be read, found {text[:40]!r}") from None
