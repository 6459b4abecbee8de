"""Parts that only show: sent as one component, however many elements they have.

The browser's side of Dash keeps every component of a page connected to its store, so that each change of a page costs
time for all of them. A sheet of tables and cards has thousands of elements and none that a callback writes: it is
written as HTML here, with everything escaped, and put into the page by ``assets/09_static.js``. A layout is folded
whole: whatever stands in it and is wired to nothing goes the same way, and its elements stay what they are.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dash import html
from dash.development.base_component import Component
from markupsafe import escape

_NAMES = {"className": "class", "tabIndex": "tabindex", "htmlFor": "for", "colSpan": "colspan", "rowSpan": "rowspan"}
_VOID = {"area", "br", "col", "embed", "hr", "img", "input", "source", "track", "wbr"}
_BLOCKS = {"div", "p", "h3", "h4", "ul", "dl", "table", "section"}


_HTML = "dash_html_components"
_PROP = "data-static"
# What React does more for than write it as HTML: it is left to React.
_OWN_WAYS = {"Form", "Iframe", "MapEl", "Noscript", "ObjectEl", "Script", "Select", "Template", "Textarea"}
_HEARD = {"disable_n_clicks", "n_clicks", "n_clicks_timestamp"}


def static(part: Any, **props: Any) -> html.Div:
    """Return ``part``, made of ``dash.html`` components and text alone, as one. Raises TypeError for any other."""
    # By its key React never takes the element of another part for it, whose content it does not know.
    return html.Div(key=_PROP, **{_PROP: markup(part)}, **props)


@dataclass(frozen=True, slots=True)
class Wired:
    """What the callbacks of an app listen to, read or write: ids, and among them those whose children they do.

    Of ids by a pattern, only those with children count: by the names of their keys.
    """

    ids: frozenset[str] = field(default_factory=frozenset)
    children: frozenset[str | frozenset[str]] = field(default_factory=frozenset)

    def reaches_into(self, element: Any) -> bool:
        """Tell whether a callback has to do with the children of the element of that id."""
        return (frozenset(element) if isinstance(element, dict) else element) in self.children

    @classmethod
    def of(cls, callbacks: Iterable[Mapping[str, Any]]) -> Self:
        """Return what these callbacks name, each as Dash tells a browser of it."""
        places: set[tuple[str, str]] = set()
        for one in callbacks:
            names = [*str(one["output"]).strip(".").split("..."), *((one.get("running") or {}).get("running") or {})]
            places |= {(element, prop.partition("@")[0]) for element, _, prop in (n.rpartition(".") for n in names)}
            places |= {(part["id"], part["property"]) for part in (*one["inputs"], *one.get("state", ()))}
        within = (name for name, prop in places if prop == "children")
        keys = (frozenset(json.loads(name)) if name.startswith("{") else name for name in within)
        return cls(frozenset(name for name, _ in places if name), frozenset(keys))  # some callbacks write nothing


def folded(part: Any, wired: Wired) -> Any:
    """Return ``part`` with the content of each element that no callback can reach written as HTML.

    What shows is the same, element by element. Left as they are: what has an id of ``wired`` or one of a pattern, what
    is no plain element, and what contains either. ``part`` itself is not changed.
    """
    if isinstance(part, list | tuple):
        return [folded(child, wired) for child in part]
    if not isinstance(part, Component) or not _holds_element(getattr(part, "children", None)):
        return part
    made = copy.copy(part)
    if part._namespace == _HTML and _may_fold(part, wired):
        setattr(made, _PROP, markup(part.children))
        made.key, made.children = getattr(part, "key", None) or _PROP, None
    else:
        made.children = folded(part.children, wired)
    return made


def _may_fold(part: Component, wired: Wired) -> bool:
    if part._type in _OWN_WAYS or wired.reaches_into(getattr(part, "id", None)):
        return False
    return _is_plain(part.children, wired)


def _is_plain(part: Any, wired: Wired) -> bool:
    """Tell whether a part is text and elements that nothing but a reader can reach."""
    if isinstance(part, list | tuple):
        return all(_is_plain(child, wired) for child in part)
    if not isinstance(part, Component):
        return not isinstance(part, bool | float | Mapping)  # React writes these in its own way
    if part._namespace != _HTML or part._type in _OWN_WAYS:
        return False
    props = part.to_plotly_json()["props"]
    name, style = props.get("id"), props.get("style") or {}
    if isinstance(name, dict) or name in wired.ids or "data-dialog" in props or not _HEARD.isdisjoint(props):
        return False
    return all(isinstance(one, str) for one in style.values()) and _is_plain(props.get("children"), wired)


def _holds_element(part: Any) -> bool:
    return any(map(_holds_element, part)) if isinstance(part, list | tuple) else isinstance(part, Component)


def markup(part: Any) -> str:
    """Return the HTML of a part, escaped."""
    if part is None:
        return ""
    if isinstance(part, list | tuple):
        return "".join(markup(child) for child in part)
    if not isinstance(part, Component):
        return str(escape(part))
    if part._namespace != _HTML:
        raise TypeError(f"{part._type} is no plain element")
    tag = part._type.lower()
    props = part.to_plotly_json()["props"]
    children, inside = props.pop("children", None), props.pop(_PROP, None)
    props.pop("key", None)
    if tag == "p" and _holds_block(children):  # a browser would end the paragraph before it, and tear both apart
        tag, props = "div", {**props, "className": f"hr-paragraph {props.get('className', '')}".strip()}
    attributes = "".join(_attribute(name, value) for name, value in props.items())
    content = markup(children) if inside is None else inside
    return f"<{tag}{attributes}>" if tag in _VOID else f"<{tag}{attributes}>{content}</{tag}>"


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
