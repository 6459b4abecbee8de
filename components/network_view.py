"""The view of the Network page in its link: the question and what is looked at, read back with care.

A value that is not one of those offered takes its default, and the rest of the link still counts. The
address itself is written in the browser (assets/draw8_page.js), under the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.network_dispatch import WHAT, What
from components.network_layers import LAYERS
from components.network_rows import ELEMENTS
from components.skeleton import parse_element
from engine.opf.question import OpfQuestion

Tab = Literal["buses", "branches", "units", "interfaces", "contingencies", "problems", "dispatch"]
TABS: tuple[Tab, ...] = ("buses", "branches", "units", "interfaces", "contingencies", "problems", "dispatch")
LONGEST_SELECTION = 200


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, beside the question."""

    layer: str = "kv"
    tab: Tab = "buses"
    what: What = "prices"  # which table of the dispatch
    selection: str | None = None  # "bus:5120"


def read_view(query: Mapping[str, Any]) -> View:
    """Return what a link looks at."""
    layer, tab, what = (str(query.get(name, "")) for name in ("layer", "tab", "table"))
    selection = str(query.get("sel", ""))[:LONGEST_SELECTION]
    return View(
        layer=layer if layer in LAYERS else "kv",
        tab=tab if tab in TABS else "buses",
        what=what if what in WHAT else "prices",
        selection=selection if parse_element(selection, ELEMENTS) else None,
    )


def read_question(query: Mapping[str, Any]) -> OpfQuestion | None:
    """Return the question of a link, None when it has none. Raises QuestionError on one outside its range."""
    words = {"load", "limits", "least", "secure", "after"} & set(query)
    if not words:
        return None
    text = str(query.get("load", "100"))
    try:
        scale: float | str = float(text)
    except ValueError:
        scale = text
    return OpfQuestion.from_json(
        {
            "scale_percent": scale,
            "rating": str(query.get("limits", "a")),
            "ignore_p_min": query.get("least") == "ignore",
            **security(query.get("secure", "base"), query.get("after", "c")),
        }
    )


def security(outages: Any, rating: Any) -> dict[str, Any]:
    """Return the fields of a question for the page's words: "base", "all" or "listed", and the rating after."""
    secure = outages != "base"
    return {
        "security": "n-1" if secure else "base",
        "outages": outages if secure else "all",
        "outage_rating": rating,
    }
