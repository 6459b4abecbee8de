"""The rare options of a question about a day: their fields, and numbers that are typed into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components.siting_typed import amount
from components.skeleton import Part
from engine.errors import QuestionError


@dataclass(frozen=True, slots=True)
class Number:
    """A control that holds one number."""

    word: str
    field: str
    label: str
    unit: str = ""
    scale: float = 1.0  # of the field, to what is typed
    whole: bool = False


def typed(value: Any, one: Number) -> float | int:
    """Return the number of a field, of what is typed. Raises QuestionError naming what is none, or not whole."""
    if value is None or value == "":
        raise QuestionError(f"the {one.label} is empty: it needs a number")
    found = amount(value, one.label + (f" in {one.unit}" if one.unit else ""), -1e12, 1e12)
    return integer(found, one.label) if one.whole else round(found / one.scale, 12)


def integer(found: float, what: str) -> int:
    """Return a whole number. Raises QuestionError for any other."""
    if not found.is_integer():
        raise QuestionError(f"the {what} is whole, not {found:g}")
    return int(found)


def group(title: str, fields: Sequence[Part]) -> html.Fieldset:
    """Return fields under a title."""
    return html.Fieldset([html.Legend(title), html.Div(list(fields), className="hr-feeder-fields")])


def field(label: str, control: Part, unit: str = "") -> html.Label:
    """Return a control under its label."""
    tail = html.Span(unit, className="hr-unit") if unit else None
    return html.Label(
        [html.Span(label), html.Span([control, tail], className="hr-feeder-control")], className="hr-feeder-option"
    )


def select(target: str, label: str, choices: Sequence[tuple[str, str]], value: Any) -> html.Label:
    """Return a control that holds one of ``choices``, under its label."""
    options = [{"value": key, "label": text} for key, text in choices]
    return field(label, dbc.Select(id=target, value=value, options=options))


def number_field(target: str, one: Number, held: Mapping[str, Any]) -> html.Label:
    """Return the control of a number under its label, holding what ``held`` has of it."""
    # Any step, no limits: a browser sends nothing for what it holds to be wrong, and then nobody can say why it is.
    box = dbc.Input(id=target, type="number", value=held[one.word], step="any", debounce=True)
    return field(f"{one.label[:1].upper()}{one.label[1:]}", box, one.unit)
