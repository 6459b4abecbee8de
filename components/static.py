"""Parts that only show: sent as one component, however many elements they have.

The browser's side of Dash keeps every component of a page connected to its store, so that each change of a page costs
time for all of them. A sheet of tables and cards has thousands of elements and none that a callback writes: it is
written as HTML here, with everything escaped, and put into the page by ``assets/09_static.js``.
"""

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component
from markupsafe import escape

_NAMES = {"className": "class", "tabIndex": "tabindex", "htmlFor": "for", "colSpan": "colspan", "rowSpan": "rowspan"}
_VOID = {"br", "hr", "img", "input"}
_BLOCKS = {"div", "p", "h3", "h4", "ul", "dl", "table", "section"}


def static(part: Any, **props: Any) -> html.Div:
    """Return ``part``, made of ``dash.html`` components and text alone, as one. Raises TypeError for any other."""
    return html.Div(**{"data-static": markup(part)}, **props)


def markup(part: Any) -> str:
    """Return the HTML of a part, escaped."""
    if part is None:
        return ""
    if isinstance(part, list | tuple):
        return "".join(markup(child) for child in part)
    if not isinstance(part, Component):
        return str(escape(part))
    if part._namespace != "dash_html_components":
        raise TypeError(f"{part._type} is no plain element")
    tag = part._type.lower()
    props = part.to_plotly_json()["props"]
    children = props.pop("children", None)
    if tag == "p" and _holds_block(children):  # a browser would end the paragraph before it, and tear both apart
        tag, props = "div", {**props, "className": f"hr-paragraph {props.get('className', '')}".strip()}
    attributes = "".join(_attribute(name, value) for name, value in props.items())
    return f"<{tag}{attributes}>" if tag in _VOID else f"<{tag}{attributes}>{markup(children)}</{tag}>"


def _holds_block(part: Any) -> bool:
    if isinstance(part, list | tuple):
        return any(_holds_block(child) for child in part)
    if not isinstance(part, Component):
        return False
    return part._type.lower() in _BLOCKS or _holds_block(getattr(part, "children", None))


def _attribute(name: str, value: Any) -> str:
    if value is None or (value is False and not name.startswith(("aria-", "data-"))):
        return ""
    if name == "style" and isinstance(value, Mapping):
        value = ";".join(f"{''.join(_kebab(letter) for letter in key)}:{one}" for key, one in value.items())
    shown = "" if value is True else f'="{escape(str(value))}"'
    return f" {_NAMES.get(name, name)}{shown}"


def _kebab(letter: str) -> str:
    return f"-{letter.lower()}" if letter.isupper() else letter
