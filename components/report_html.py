"""Plain HTML for paper: elements with everything escaped, tables with numbers at the right, the document itself."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from components.format import THIN

STYLES = "/assets/report.css"
_EMPTY = {"br", "link", "meta"}


def el(tag: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element. Text is escaped; ``class_`` is the class; children that are None are left out."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(child)) for child in _flat(children))
    return Markup(f"<{tag}{given}>" if tag in _EMPTY else f"<{tag}{given}>{inside}</{tag}>")  # noqa: S704


def section(title: str, *children: Any, class_: str | None = None) -> Markup:
    """Return a titled part of a report, "" when it holds nothing."""
    if not any(child is not None and child != "" for child in _flat(children)):
        return Markup("")
    return el("section", el("h2", title), *children, class_=class_)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], caption: str, *, left: Iterable[int] = (0,)) -> Markup:
    """Return a table; the columns at the positions ``left`` are text, the others numbers at the right."""
    text = set(left)

    def cell(place: int, value: Any) -> Markup:
        return el("td", value, class_=None if place in text else "number")

    body = [el("tr", *(cell(place, value) for place, value in enumerate(row))) for row in rows]
    if not body:
        return Markup("")
    head = el(
        "tr", *(el("th", word, scope="col", class_=None if i in text else "number") for i, word in enumerate(heads))
    )
    # A wide table scrolls by itself on a phone, so it must be reachable by keyboard.
    made = el("table", el("caption", caption), el("thead", head), el("tbody", *body))
    return el("div", made, class_="table", tabindex="0", role="group", aria_label=caption)


def facts(rows: Iterable[tuple[str, Any]], *, columns: int = 1) -> Markup:
    """Return names and values, in one column or in two beside each other."""
    look = "facts" if columns == 1 else "facts facts-two"
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in rows), class_=look)


def numbers(rows: Iterable[tuple[str, str, str]]) -> Markup:
    """Return the key numbers, large: (label, value, note)."""
    cells = [el("div", el("dt", label), el("dd", value, el("small", note))) for label, value, note in rows]
    return el("dl", *cells, class_="numbers")


def figure(svg: str, words: str) -> Markup:
    """Return a drawn figure with its words. ``svg`` is that of components.drawing.inline: drawn here, not sent."""
    return el("figure", Markup(svg), el("figcaption", words))  # noqa: S704


def bullets(lines: Iterable[Any]) -> Markup:
    """Return a list, "" for none."""
    made = [el("li", line) for line in lines]
    return el("ul", *made) if made else Markup("")


def document(title: str, parts: Iterable[Any], *, links: Mapping[str, str]) -> str:
    """Return the whole page. ``links`` are words and addresses for the screen; paper does not have them."""
    ways = [el("a", words, href=address) for words, address in links.items()]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{title} - Headroom"),
        el("link", rel="stylesheet", href=STYLES),
        el("link", rel="icon", href="/assets/favicon.svg", type="image/svg+xml"),
    )
    printed = el("span", "Print with Ctrl+P", class_="hint")
    nav = el("nav", *ways, printed, aria_label="Ways on")
    return "<!doctype html>\n" + str(el("html", head, el("body", nav, el("main", *parts)), lang="en"))


def printed_at(now: datetime) -> str:
    """Return when a report was made."""
    return f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def breakable(digest: str) -> Markup:
    """Return a digest in groups, so that it can be compared by eye and fits a narrow page."""
    return el("code", THIN.join(digest[i : i + 8] for i in range(0, len(digest), 8)))


def _flat(children: Iterable[Any]) -> list[Any]:
    flat: list[Any] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, list | tuple):
            flat += _flat(child)
        else:
            flat.append(child)
    return flat
