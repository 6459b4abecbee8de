"""A number that can say why: pressed, it opens a card with the formula, its values, what binds, and from where."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from components.format import digest
from components.skeleton import popover

Part = Any


@dataclass(frozen=True, slots=True)
class WhyInput:
    """One input of a number: what it is, the hash it had, and its date in words."""

    name: str
    digest: str = ""
    date: str = ""


def why_number(component_id: str, text: Part, card: Part = None, *, label: str, width: int = 380) -> html.Span:
    """Return ``text`` as a number that opens ``card`` on a press or Enter.

    A card may be filled late: listen to ``n_clicks`` of ``component_id`` and write the children of
    ``<component_id>-panel``. ``label`` names the number: "Firm capacity at HARTLEY 3".
    """
    waiting = html.P("Working out why", className="hr-muted")
    return popover(
        component_id,
        text,
        card if card is not None else waiting,
        label=f"Why: {label}",
        class_name="hr-why-number",
        width=width,
    )


def why_card(
    title: str,
    *,
    formula: str = "",
    values: Sequence[tuple[str, str]] = (),
    binds: Sequence[Part] = (),
    inputs: Sequence[WhyInput] = (),
    source: str = "",
    note: Part = None,
) -> html.Div:
    """Return the card itself.

    ``formula`` is in the notation of :func:`notation`; ``values`` are (symbol or name, value with unit)
    pairs, the symbol in the same notation; ``binds`` are sentences; ``source`` is a citation.
    """
    parts: list[Part] = [html.H3(title, className="hr-why-title")]
    if formula:
        parts.append(html.P(notation(formula), className="hr-formula"))
    if values:
        rows = [html.Div([html.Dt(notation(name)), html.Dd(value)], className="hr-fact") for name, value in values]
        parts.append(html.Dl(rows, className="hr-facts"))
    if binds:
        parts += [html.H4("What binds"), html.Ul([html.Li(line) for line in binds], className="hr-why-binds")]
    if note is not None:
        parts.append(html.P(note, className="hr-why-note"))
    if inputs:
        lines = [html.Li(_input_line(entry)) for entry in inputs]
        parts += [html.H4("From"), html.Ul(lines, className="hr-why-inputs")]
    if source:
        parts.append(html.P(["Method: ", source], className="hr-why-source"))
    return html.Div(parts, className="hr-why-card")


def _input_line(entry: WhyInput) -> list[Part]:
    line: list[Part] = [entry.name]
    if entry.digest:
        line += [" ", html.Code(digest(entry.digest), title=entry.digest)]
    if entry.date:
        line.append(f", {entry.date}")
    return line


_TOKEN = re.compile(r"_\{([^}]*)\}|\^\{([^}]*)\}|_(\w)|\^(\w)|\*([^*]+)\*")


def notation(text: str) -> list[Part]:
    """Return a formula as components: ``*c*_n``, ``_{max}`` lower, ``^{ε}`` raised, ``*x*`` italic."""
    parts: list[Part] = []
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        lower, upper, letter_low, letter_up, italic = match.groups()
        if italic is not None:
            parts.append(html.Var(italic))
        elif lower is not None or letter_low is not None:
            parts.append(html.Sub(lower if lower is not None else letter_low))
        else:
            parts.append(html.Sup(upper if upper is not None else letter_up))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return parts
