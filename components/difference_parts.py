"""On the Capacity page: an answer is kept as A, the question is changed, and the way to B minus A."""

from typing import Any
from urllib.parse import urlencode

from dash import dcc, html

from components import difference_ids
from components.capacity_answer import pressed_button
from components.icons import icon
from components.skeleton import Part

PATH = "/difference"


def pin_bar() -> Part:
    """Return the place beside the question. What is kept lives as long as the browser's tab."""
    return html.Div(
        [
            dcc.Store(id=difference_ids.KEPT, storage_type="session"),
            dcc.Store(id=f"{difference_ids.PIN}-pressed"),
            dcc.Store(id=f"{difference_ids.FORGET}-pressed"),
            html.Div(id=difference_ids.BAR, className="hr-difference-bar"),
        ]
    )


def nothing_kept() -> list[Part]:
    """Return what stands there while an answer is drawn and none is kept."""
    words = "Keep this answer as A, then change the question and see what the change brings"
    return [pressed_button("Keep as A", difference_ids.PIN, title=words)]


def kept(way: Part) -> list[Part]:
    """Return what stands there while A is kept: the way to the comparison, and how to forget it."""
    forget = pressed_button(
        icon("close", size=16), difference_ids.FORGET, title="Forget A", **{"aria-label": "Forget A"}
    )
    return [way, forget]


def compare_link(href: str, words: str) -> html.A:
    """Return the link to the comparison of A, which ``words`` tell, with what is drawn."""
    return html.A(
        "Compare with A",
        href=href,
        className="hr-button hr-button-primary",
        id=difference_ids.GO,
        title=f"A: {words}",
    )


def same_as_kept(words: str) -> html.Span:
    """Return what is said while A itself is drawn."""
    return html.Span("This is A", title=f"{words} Change the question to have a B.", className="hr-difference-same")


def address(study: str, a: dict[str, Any], b: dict[str, Any], layer: str = "") -> str:
    """Return the address of a comparison; each side has ``query`` (its question), ``network``, ``period``."""
    parts = [("study", study)]
    for name, side in (("a", a), ("b", b)):
        parts += [(name, side["query"]), (f"{name}n", side["network"])]
        parts += [(f"{name}p", side["period"])] if side.get("period") else []
    parts += [("layer", layer)] if layer else []
    return f"{PATH}?{urlencode(parts)}"
