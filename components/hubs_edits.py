"""Edits of hubs: the list in the question bar, each of which can be taken back, and the form that makes one."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import hubs_ids
from components.format import count
from components.icons import icon
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
    if not edits:
        return html.P("Nothing is edited. Select a hub to change what it has.", className="hr-muted")
    return html.Ol(
        [
            html.Li(
                [
                    html.Span(words_of(edit)),
                    html.Button(
                        icon("close", size=14),
                        type="button",
                        className="hr-button hr-button-quiet hr-button-icon",
                        **{"data-hubs-edit": f"remove {at}", "aria-label": f"Take back: {words_of(edit)}"},
                    ),
                ]
            )
            for at, edit in enumerate(edits)
        ],
        className="hr-feeder-edits",
    )


def panel(edits: Sequence[Edit]) -> html.Div:
    """Return the panel of the sentence's word: the list, an edit of every hub, and a way to take all back."""
    return html.Div(
        [
            html.H3("Edits of the hubs", className="hr-section-title"),
            html.Div(listed(edits), id=f"{hubs_ids.EDITS}-listed", **{"aria-live": "polite"}),
            _line("all", "Every hub's", "Change every hub"),
            button("Take all back", hubs_ids.edit("clear")),
        ],
        className="hr-feeder-panel",
    )


def form() -> html.Div:
    """Return the form below the sheet: what can be changed of the hub that is selected."""
    return html.Div(
        [
            html.Div(
                [
                    html.H3("Change this hub", className="hr-section-title"),
                    _line("hub", "Its", "Change this hub"),
                    html.P("A factor of 0 takes it away; 2 makes it twice as large.", className="hr-muted"),
                ],
                id=f"{hubs_ids.EDITS}-form",
                hidden=True,
            ),
            html.P(id=f"{hubs_ids.EDITS}-message", className="hr-feeder-message", role="status"),
        ],
        className="hr-feeder-forms",
    )


def _line(name: str, whose: str, press: str) -> html.Div:
    options = [{"value": asset, "label": NOUNS[asset]} for asset in ASSETS]
    return html.Div(
        [
            html.Label(
                [
                    html.Span(whose),
                    dbc.Select(
                        id=hubs_ids.edit(f"{name}-asset"), options=options, value="battery",
                        class_name="hr-feeder-select",
                    ),
                ],
                className="hr-feeder-field",
            ),
            html.Label(
                [
                    html.Span("times"),
                    dbc.Input(
                        id=hubs_ids.edit(f"{name}-factor"), type="number", value=2, min=0, max=100, step="any",
                        class_name="hr-input hr-feeder-number",
                    ),
                ],
                className="hr-feeder-field",
            ),
            button(press, hubs_ids.edit(name)),
        ],
        className="hr-feeder-line",
    )  # fmt: skip


def stores(edits: Sequence[dict[str, Any]]) -> list[Part]:
    """Return the Stores: the edits themselves, and the press of a button of the list."""
    return [dcc.Store(id=hubs_ids.EDITS, data=list(edits)), dcc.Store(id=f"{hubs_ids.EDITS}-pressed")]


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
