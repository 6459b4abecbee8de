"""Edits of hubs: the list in the question bar, each of which can be taken back, and the form that makes one."""

from collections.abc import Sequence
from typing import Any

from dash import html

from components import day_edits, hubs_ids
from components.day_edits import labelled, line, number, select
from components.format import count
from components.skeleton import Part, button
from engine.errors import QuestionError
from engine.pricing.hubs import Hub
from engine.pricing.question import ASSETS, Asset, Edit

EVERY = ""  # the hub of an edit that is of every one that has such an asset
NOUNS: dict[Asset, str] = {
    "battery": "battery",
    "hydrogen": "hydrogen plant",
    "generator": "generator",
    "work limit": "limit of its work",
    "sun": "sun",
    "demand": "demand",
    "import limit": "import limit",
    "export limit": "export limit",
}


def words_of(edit: Edit) -> str:
    """Return an edit as a sentence without its stop."""
    whose = edit.hub or "every hub"
    if edit.factor == 0.0:
        return f"{whose}: no {NOUNS[edit.asset]}"
    return f"{whose}: {NOUNS[edit.asset]} times {edit.factor:g}"


def sentence_words(edits: Sequence[Edit]) -> str:
    """Return the word of the sentence that opens the list."""
    return "as they are" if not edits else f"with {count(len(edits), 'edit')}"


def listed(edits: Sequence[Edit]) -> Part:
    """Return the edits in their order; each can be taken back."""
    none = "Nothing is edited. Select a hub to change what it has."
    return day_edits.listed(hubs_ids, [words_of(edit) for edit in edits], none)


def panel(edits: Sequence[Edit]) -> html.Div:
    """Return the panel of the sentence's word: the list, an edit of every hub, and a way to take all back."""
    form_of_all = _line("all", "Every hub's", "Change every hub")
    return day_edits.panel(hubs_ids, "Edits of the hubs", listed(edits), form_of_all)


def form() -> html.Div:
    """Return the form below the sheet: what can be changed of the hub that is selected."""
    change = [
        html.H3("Change this hub", className="hr-section-title"),
        _line("hub", "Its", "Change this hub"),
        html.P("A factor of 0 takes it away; 2 makes it twice as large.", className="hr-muted"),
    ]
    return day_edits.forms(hubs_ids, html.Div(change, id=f"{hubs_ids.EDITS}-form", hidden=True))


def _line(name: str, whose: str, press: str) -> html.Div:
    return line(
        labelled(whose, select(hubs_ids.edit(f"{name}-asset"), {asset: NOUNS[asset] for asset in ASSETS}, "battery")),
        labelled("times", number(hubs_ids.edit(f"{name}-factor"), 2, least=0, most=100)),
        button(press, hubs_ids.edit(name)),
    )


def made(hubs: Sequence[Hub], hub: str, asset: Any, factor: float) -> Edit:
    """Return an edit of the hubs as they are now. Raises QuestionError naming hub, value and limit."""
    if asset not in ASSETS:
        raise QuestionError(f"an edit is of one of {', '.join(ASSETS)}")
    edit = Edit(asset, factor, hub)
    if problems := edit.problems():
        raise QuestionError("; ".join(problems))
    if factor == 1.0:
        raise QuestionError("a factor of 1 changes nothing")
    of = [row for row in hubs if hub in {EVERY, row.name}]
    if not of:
        raise QuestionError(f"there is no hub {hub!r:.60}")
    if not any(_has(row, edit.asset) for row in of):
        raise QuestionError(f"{hub} has no {NOUNS[asset]}" if hub else f"there is no {NOUNS[asset]} at any hub")
    return edit


def _has(hub: Hub, asset: Asset) -> bool:
    held: dict[Asset, Any] = {
        "battery": hub.battery, "hydrogen": hub.hydrogen, "generator": hub.generator, "work limit": hub.work,
        "sun": any(hub.sun_mw), "demand": any(hub.demand_mw), "import limit": True, "export limit": hub.export_mw > 0.0,
    }  # fmt: skip
    return bool(held[asset])
