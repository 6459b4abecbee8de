"""The question bar of every page: a sentence whose words are controls (pressed as assets/10_headroom.js says)."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.icons import icon
from components.skeleton import Part, popover


def question_bar(
    page: str, sentence: Sequence[Part], *, more: Part | None = None, actions: Part | None = None
) -> html.Section:
    """Return the question: a sentence whose words are controls.

    ``sentence`` mixes text with the controls made by :func:`word_select`, :func:`word_number` and
    :func:`word_popover`. ``more`` holds rare options and opens in the same bar; ``actions`` stand at the
    right edge. On a phone the bar is its plain sentence with an edit button.
    """
    more_id = f"{ids.question(page)}-more"
    tail: list[Part] = []
    if more is not None:
        tail.append(
            html.Button(
                ["More", icon("chevron", size=14)],
                type="button",
                className="hr-button hr-button-quiet hr-question-more",
                **{"data-disclose": more_id, "aria-expanded": "false", "aria-controls": more_id},
            )
        )
    if actions is not None:
        tail.append(html.Div(actions, className="hr-question-actions"))
    return html.Section(
        [
            html.Div(
                [
                    html.P(list(sentence), className="hr-sentence"),
                    html.P(className="hr-sentence-plain", id=f"{ids.question(page)}-plain"),
                    html.Button(
                        [icon("edit", size=16), html.Span("Edit")],
                        type="button",
                        className="hr-button hr-question-edit",
                        **{"data-question-edit": "", "aria-expanded": "false"},
                    ),
                    html.Div(tail, className="hr-question-tail") if tail else None,
                ],
                className="hr-question-row",
            ),
            html.Div(more, id=more_id, className="hr-question-options", hidden=True) if more is not None else None,
        ],
        id=ids.question(page),
        className="hr-question",
        **{"aria-label": "The question", "data-question": page},
    )


def word_select(
    component_id: Any, options: Sequence[tuple[str, str]], value: str, label: str, **props: Any
) -> html.Label:
    """Return a word of the sentence that is chosen from a list of (value, text). Listen to ``value``."""
    choices = [{"value": key, "label": text} for key, text in options]
    box = dbc.Select(id=component_id, options=choices, value=value, class_name="hr-word hr-word-select", **props)
    return html.Label([html.Span(label, className="visually-hidden"), box], className="hr-word-label")


def word_number(
    component_id: Any,
    value: float | None,
    label: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | str = "any",
    **props: Any,
) -> html.Label:
    """Return a word of the sentence that is a number with its unit.

    Listen to ``value``, which is sent on Enter or on leaving the box.
    """
    limits = {key: limit for key, limit in (("min", minimum), ("max", maximum)) if limit is not None}
    box = dbc.Input(
        id=component_id,
        type="number",
        value=value,
        step=step,
        debounce=True,
        class_name="hr-word hr-word-number",
        **limits,
        **props,
    )
    name = f"{label}, {unit}" if unit else label
    return html.Label(
        [html.Span(name, className="visually-hidden"), box, html.Span(unit, className="hr-unit") if unit else None],
        className="hr-word-label",
    )


def word_popover(component_id: str, text: Part, content: Part, label: str, *, width: int = 360) -> html.Span:
    """Return a word that opens a panel below it. Its text is the children of ``<component_id>-text``."""
    return popover(
        component_id,
        html.Span(text, id=f"{component_id}-text"),
        content,
        label=label,
        class_name="hr-word hr-word-popover",
        width=width,
    )
