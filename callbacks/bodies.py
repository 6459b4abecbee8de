"""The shape of a callback's request: what a page of this product can have sent, and nothing else.

What a value says is for the callback to judge; here only that a callback is called with its own inputs, and
that a property has the kind of value which its component gives it.
"""

import json
from collections.abc import Mapping
from typing import Any

_WILDCARDS = (["ALL"], ["ALLSMALLER"], ["MATCH"])
_TEXT = (str, type(None))
_KINDS: dict[str, tuple[type, ...]] = {
    "n_clicks": (int, type(None)),
    "n_submit": (int, type(None)),
    "href": _TEXT,
    "hash": _TEXT,
    "search": _TEXT,
    "contents": (str, list, type(None)),
    "filename": (str, list, type(None)),
}


def well_formed(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether ``body`` calls one of the server's ``callbacks`` with the inputs and states it was wired to."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    spec = callbacks.get(body["output"])
    if spec is None or "callback" not in spec:  # unknown, or the browser's own
        return False
    inputs, states, changed = body.get("inputs"), body.get("state", []), body.get("changedPropIds")
    return (
        _all_match(inputs, spec["inputs"])
        and _all_match(states, spec.get("state", []))
        and isinstance(body.get("outputs"), dict | list)
        and isinstance(changed, list)
        and all(_is_input(name, spec["inputs"]) for name in changed)
    )


def _all_match(parts: object, wanted: list[dict[str, str]]) -> bool:
    if not isinstance(parts, list) or len(parts) != len(wanted):
        return False
    return all(_matches(part, one) for part, one in zip(parts, wanted, strict=True))


def _matches(part: object, wanted: Mapping[str, str]) -> bool:
    pattern = _pattern(wanted["id"])
    if isinstance(pattern, dict) and any(value in _WILDCARDS[:2] for value in pattern.values()):
        return isinstance(part, list) and all(_is_one(item, pattern, wanted["property"]) for item in part)
    return _is_one(part, pattern, wanted["property"])


def _is_one(part: object, pattern: Any, name: str) -> bool:
    return (
        isinstance(part, dict)
        and part.get("property") == name
        and _fits(part.get("id"), pattern)
        and _has_kind(part.get("value"), name)
    )


def _has_kind(value: object, name: str) -> bool:
    if name == "pathname":
        return value is None or (isinstance(value, str) and value.startswith("/"))
    return isinstance(value, _KINDS.get(name, (object,)))


def _fits(element: object, pattern: Any) -> bool:
    if not isinstance(pattern, dict):
        return bool(element == pattern)
    if not isinstance(element, dict) or element.keys() != pattern.keys():
        return False
    return all(
        isinstance(element[name], str | int | float) if value in _WILDCARDS else element[name] == value
        for name, value in pattern.items()
    )


def _is_input(name: object, wanted: list[dict[str, str]]) -> bool:
    """Tell whether ``name``, "<id>.<property>", is one that the callback listens to."""
    if not isinstance(name, str):
        return False
    text, _, place = name.rpartition(".")
    try:
        element = _pattern(text)
    except (ValueError, RecursionError):
        return False
    return any(place == one["property"] and _fits(element, _pattern(one["id"])) for one in wanted)


def _pattern(text: str) -> Any:
    return json.loads(text) if text.startswith("{") else text
