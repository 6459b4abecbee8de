"""A small set of icons of our own: strokes on a 24 by 24 grid, coloured by the text around them.

An icon is a mask, so one file serves both themes; it is decoration, hidden from screen readers: the words
stand beside it, or the control has an ``aria-label``.
"""

from urllib.parse import quote

from dash import html

_STROKES = {
    "home": "M3 11 12 4l9 7M6 9.5V20h12V9.5M10 20v-6h4v6",
    "network": "M6 6h.01M18 7h.01M12 18h.01M7.7 6.3l8.6.6M6.8 7.6l4.3 8.8M17.2 8.6l-4.3 7.8"
    "M6 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM18 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM12 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
    "capacity": "M4 19a9 9 0 1 1 16 0M12 15l4-6M12 16.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z",
    "auction": "M5 20h9M7 12l6-6M10 15l6-6M6.5 12.5l3 3M12.5 6.5l3 3M13 12l7 7",
    "siting": "M12 21c4-5 6-8 6-11a6 6 0 1 0-12 0c0 3 2 6 6 11ZM12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
    "feeder": "M4 6h16M12 6v14M12 11H7v4M12 14h5v3M5 15h4M15 17h4M10 20h4",
    "hubs": "M12 12h.01M12 12 5 6M12 12l7-6M12 12v8M5 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM19 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z"
    "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
    "resilience": "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6ZM9 12l2 2 4-4",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20",
    "help": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.5v.2",
    "theme": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 3v18M15 6v12M18 8v8",
    "chevron": "M6 9l6 6 6-6",
    "close": "M6 6l12 12M18 6 6 18",
    "plus": "M12 5v14M5 12h14",
    "minus": "M5 12h14",
    "edit": "M4 20h4L19 9l-4-4L4 16ZM13 7l4 4",
    "delete": "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
    "copy": "M9 9h11v11H9ZM5 15H4V4h11v1",
    "download": "M12 4v11M7 11l5 5 5-5M4 20h16",
    "upload": "M12 16V5M7 9l5-5 5 5M4 20h16",
    "share": "M8 13l8-5M8 12l8 5M6 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
    "M18 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
    "map": "M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2ZM9 4v14M15 6v14",
    "table": "M4 5h16v14H4ZM4 10h16M4 14.5h16M10 5v14",
    "why": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v6M12 7.5v.2",
    "warning": "M12 4 2.5 20h19ZM12 10v5M12 17.5v.2",
    "fine": "M4 12l5 5L20 6",
    "stop": "M6 6h12v12H6Z",
    "play": "M7 5l12 7-12 7Z",
    "undo": "M8 5 4 9l4 4M4 9h9a6 6 0 0 1 0 12h-3",
    "redo": "M16 5l4 4-4 4M20 9h-9a6 6 0 0 0 0 12h3",
    "select": "M5 3l6 16 2-7 7-2Z",
    "connect": "M8.5 15.5l7-7M6 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
    "bus": "M12 4v16M12 8H5M12 12h7M12 16H5",
    "jobs": "M12 21a9 9 0 1 0-9-9M12 7v5l3 2",
    "more": "M6 12h.01M12 12h.01M18 12h.01",
    "arrow": "M5 12h14M13 6l6 6-6 6",
    "study": "M4 6h6l2 2h8v11H4Z",
    "lock": "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "fit": "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
    "filter": "M4 5h16l-6 8v6l-4-2v-4Z",
    "panel": "M4 5h16v14H4ZM14 5v14",
}
NAMES = frozenset(_STROKES)


def data_uri(name: str) -> str:
    """Return the icon ``name`` as a ``data:`` address. Raises KeyError for a name that is not in NAMES."""
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#000' "
        "stroke-width='1.75' stroke-linecap='round' stroke-linejoin='round'>"
        f"<path d='{_STROKES[name]}'/></svg>"
    )
    return "data:image/svg+xml," + quote(svg, safe="/:='<> ")


def icon(name: str, *, size: int = 18, class_name: str = "") -> html.Span:
    """Return the icon ``name`` in the colour of the text around it, ``size`` pixels wide."""
    address = f'url("{data_uri(name)}")'
    style = {"maskImage": address, "WebkitMaskImage": address, "width": f"{size}px", "height": f"{size}px"}
    return html.Span(className=f"hr-icon {class_name}".strip(), style=style, **{"aria-hidden": "true"})
