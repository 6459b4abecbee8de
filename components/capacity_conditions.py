"""Conditions of one's own on the allocation: the list, and the form that adds one. They stand behind More."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import capacity_ids
from components.format import count
from components.skeleton import Part, button
from engine.capacity.conditions import Condition
from engine.errors import QuestionError

# value of the select: words, with the unit of the number
KINDS: tuple[tuple[str, str], ...] = (
    ("cap", "together at most, MW"),
    ("reserve", "together at least, MW"),
    ("largest", "each at most, MW"),
    ("least:total", "at least a share, % of the total"),
    ("least:demand", "at least a share, % of its demand"),
    ("corridor", "weighted sum at most, MW"),
    ("even", "served shares kept close, weight"),
)


def group(conditions: Sequence[Condition], *, read_only: bool) -> html.Div:
    """Return the conditions of a question, and the form for one more."""
    return html.Div(
        [
            dcc.Store(id=capacity_ids.CONDITIONS_BACK),
            html.H3("Conditions of one's own", className="hr-section-title"),
            html.Div(
                listed(conditions, read_only=read_only), id=capacity_ids.CONDITIONS_LIST, **{"aria-live": "polite"}
            ),
            html.Div(_form(), hidden=read_only),
            html.P(id=capacity_ids.CONDITIONS_MESSAGE, className="hr-capacity-message", role="status"),
        ],
        className="hr-conditions",
    )


def mark(conditions: int) -> str:
    """Return the end of the question's sentence: how many conditions of one's own hold."""
    return f", under {count(conditions, 'condition')}?" if conditions else "?"


def listed(conditions: Sequence[Condition], *, read_only: bool = False) -> Part:
    """Return the conditions in words, each with the button that takes it away."""
    if not conditions:
        return html.P("None: only the limits of the network hold.", className="hr-muted")
    return html.Ul(
        [
            html.Li(
                [
                    html.Span([html.Strong(f"{entry.name}: ") if entry.name else None, entry.words()]),
                    None
                    if read_only
                    else html.Button(
                        "Remove",
                        id=capacity_ids.condition_remove(place),
                        type="button",
                        className="hr-button hr-button-quiet",
                        **{"aria-label": f"Remove condition {entry.title}"},
                    ),
                ]
            )
            for place, entry in enumerate(conditions)
        ],
        className="hr-conditions-list",
    )


def condition_of(kind: object, group_text: object, number: object, name: object) -> Condition:
    """Return the condition that the form holds. Raises QuestionError in words."""
    chosen, _, of = str(kind or "").partition(":")
    if chosen not in {value.partition(":")[0] for value, _ in KINDS}:
        raise QuestionError("choose what the condition asks")
    try:
        value = float(str(number).replace(",", "."))
    except ValueError:
        raise QuestionError("type the condition's number: MW, percent or a weight") from None
    content: dict[str, object] = {"kind": chosen, "name": str(name or "").strip()[:80]}
    content["weight" if chosen == "even" else "share" if chosen == "least" else "mw"] = (
        value / 100 if chosen == "least" else value
    )
    if of:
        content["of"] = of
    if chosen == "corridor":
        content["weights"] = _weights(str(group_text or ""))
    else:
        content |= _group(str(group_text or ""))
    return Condition.from_json(content)


def _group(text: str) -> dict[str, list[str]]:
    """Return who is meant by ``zone North, area 3, 5120 5467``; nothing means all sites."""
    found: dict[str, list[str]] = {}
    for part in text.replace(";", ",").split(","):
        words = part.strip()
        head, _, rest = words.partition(" ")
        if head.lower() in {"zone", "area"} and rest.strip():
            found.setdefault(f"{head.lower()}s", []).append(rest.strip())
        elif words:
            buses = words.split() if head.lower() not in {"bus", "buses"} else rest.split()
            found.setdefault("buses", []).extend(buses)
    return found


def _weights(text: str) -> dict[str, float]:
    """Return the weights of ``5120:1 5467:-0.5``. Raises QuestionError naming what cannot be read."""
    found: dict[str, float] = {}
    for part in text.replace(";", " ").replace(",", " ").split():
        bus, colon, size = part.rpartition(":")
        try:
            found[bus] = float(size) if colon else 1.0 / 0.0
        except (ValueError, ZeroDivisionError):
            raise QuestionError(f"weights are written bus:weight, such as 5120:1 5467:-0.5, found {part!r}") from None
    return found


def _form() -> html.Div:
    kinds = dbc.Select(
        id=capacity_ids.CONDITIONS_KIND,
        value="cap",
        options=[{"value": value, "label": words} for value, words in KINDS],
    )
    return html.Div(
        [
            _field(
                "Sites (none: all)",
                _text(capacity_ids.CONDITIONS_GROUP, "zone North, 5120 5467; weights 5120:1 5467:-0.5"),
            ),
            _field("Asked", kinds),
            _field("Number", _text(capacity_ids.CONDITIONS_NUMBER, "100")),
            _field("Name, if any", _text(capacity_ids.CONDITIONS_NAME, "")),
            button("Add the condition", capacity_ids.CONDITIONS_ADD),
        ],
        className="hr-capacity-fields",
    )


def _text(component_id: str, placeholder: str) -> dbc.Input:
    return dbc.Input(id=component_id, type="text", placeholder=placeholder, autocomplete="off")


def _field(label: str, control: Part) -> html.Label:
    return html.Label(
        [html.Span(label), html.Span(control, className="hr-capacity-control")], className="hr-capacity-field"
    )
