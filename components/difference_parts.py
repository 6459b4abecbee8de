"""On the Capacity page: an answer is kept as A, the question is changed, and the way to B minus A."""

from typing import Any
from urllib.parse import urlencode

from dash import dcc, html

from components import ids
from components.capacity_answer import pressed_button
from components.icons import icon
from components.skeleton import Part

PATH = "/difference"


def pin_bar() -> Part:
    """Return the bar under the question. What is kept lives as long as the browser's tab."""
    return html.Div(
        [
            dcc.Store(id=ids.DIFFERENCE_KEPT, storage_type="session"),
            dcc.Store(id=f"{ids.DIFFERENCE_PIN}-pressed"),
            dcc.Store(id=f"{ids.DIFFERENCE_FORGET}-pressed"),
            html.Div(id=ids.DIFFERENCE_BAR, className="hr-difference-bar"),
        ]
    )


def nothing_kept() -> list[Part]:
    """Return the bar while an answer is drawn and none is kept."""
    return [
        pressed_button("Keep this answer as A", ids.DIFFERENCE_PIN),
        html.Span("then change the question, and see what the change brings", className="hr-muted"),
    ]


def kept(words: str, way: Part) -> list[Part]:
    """Return the bar while A is kept: what it is, the way to the comparison, and how to forget it."""
    return [
        html.Span([html.Strong("A: "), words], className="hr-difference-a"),
        way,
        pressed_button("Forget A", ids.DIFFERENCE_FORGET),
    ]


def compare_link(href: str) -> html.A:
    """Return the link to the comparison of A with what is drawn."""
    return html.A(
        [icon("arrow", size=14), "Compare with A"],
        href=href,
        className="hr-button hr-button-primary",
        id=ids.DIFFERENCE_GO,
    )


def same_as_kept() -> html.Span:
    """Return what is said while A itself is drawn."""
    return html.Span("This is A: change the question to have a B", className="hr-muted")


def address(study: str, a: dict[str, Any], b: dict[str, Any], layer: str = "") -> str:
    """Return the address of a comparison; each side has ``query`` (its question), ``network``, ``period``."""
    parts = [("study", study)]
    for name, side in (("a", a), ("b", b)):
        parts += [(name, side["query"]), (f"{name}n", side["network"])]
        parts += [(f"{name}p", side["period"])] if side.get("period") else []
    parts += [("layer", layer)] if layer else []
    return f"{PATH}?{urlencode(parts)}"
