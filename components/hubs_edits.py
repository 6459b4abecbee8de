"""Edits of hubs and limits: the list in the question bar, each of which can be taken back, and the forms of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components import day_edits, hubs_ids
from components.day_edits import labelled, line, number, select
from components.format import count
from components.skeleton import Part, button
from engine.errors import QuestionError
from engine.pricing.case import HubCase
from engine.pricing.hubs import Hub
from engine.pricing.question import ASSETS, Edit

NOUNS: Mapping[str, str] = {
    "battery": "battery",
    "hydrogen": "hydrogen plant",
    "generator": "generator",
    "work limit": "limit of its work",
    "sun": "sun",
    "demand": "demand",
    "import limit": "import limit",
    "export limit": "export limit",
}
OF_SUBSTATION: Mapping[str, str] = {"substation import": "limit of imports", "substation export": "limit of exports"}
# What the forms below the sheet change, one of which shows, and their presses.
SELECTED: Mapping[str, str] = {
    "hub": "Change this hub",
    "line": "Change this line",
    "substation": "Change the substation",
}
_KEPT = "A limit stays above 0; 1.2 makes it a fifth higher."


def words_of(edit: Edit) -> str:
    """Return an edit as a sentence without its stop."""
    if edit.asset == "line limit":
        return f"{f'line {edit.line}' if edit.line else 'every line'}: limit times {edit.factor:g}"
    if edit.asset in OF_SUBSTATION:
        return f"the substation: {OF_SUBSTATION[edit.asset]} times {edit.factor:g}"
    whose = edit.hub or "every hub"
    if edit.factor == 0.0:
        return f"{whose}: no {NOUNS[edit.asset]}"
    return f"{whose}: {NOUNS[edit.asset]} times {edit.factor:g}"


def sentence_words(edits: Sequence[Edit]) -> str:
    """Return the word of the sentence that opens the list."""
    return "as they are" if not edits else f"with {count(len(edits), 'edit')}"


def listed(edits: Sequence[Edit]) -> Part:
    """Return the edits in their order; each can be taken back."""
    none = "Nothing is edited. Select a hub, a line or the substation to change what it has or may carry."
    return day_edits.listed(hubs_ids, [words_of(edit) for edit in edits], none)


def panel(edits: Sequence[Edit]) -> html.Div:
    """Return the panel of the sentence's word: the list, edits of all hubs and lines, and a way to take all back."""
    of_all = html.Div([
        _hub_line("all", "Every hub's", "Change every hub"),
        _limit_line("lines", "Every line's limit", "Change every line"),
        _substation_line("grid", "The substation's", "Change the substation"),
    ])  # fmt: skip
    return day_edits.panel(hubs_ids, "Edits of hubs and limits", listed(edits), of_all)


def form() -> html.Div:
    """Return the forms below the sheet: what can be changed of what is selected, one shown for each kind."""
    lines = {
        "hub": (_hub_line("hub", "Its", SELECTED["hub"]), "A factor of 0 takes it away; 2 makes it twice as large."),
        "line": (_limit_line("line", "Its limit", SELECTED["line"]), f"Either way. {_KEPT}"),
        "substation": (_substation_line("substation", "Its", SELECTED["substation"]), _KEPT),
    }
    return day_edits.forms(
        hubs_ids,
        *(
            html.Div(
                [html.H3(SELECTED[kind], className="hr-section-title"), line_, html.P(told, className="hr-muted")],
                id=hubs_ids.form(kind),
                hidden=True,
            )
            for kind, (line_, told) in lines.items()
        ),
    )


def _hub_line(name: str, whose: str, press: str) -> html.Div:
    return line(
        labelled(whose, select(hubs_ids.edit(f"{name}-asset"), {asset: NOUNS[asset] for asset in ASSETS}, "battery")),
        labelled("times", number(hubs_ids.edit(f"{name}-factor"), 2, least=0, most=100)),
        button(press, hubs_ids.edit(name)),
    )


def _limit_line(name: str, whose: str, press: str) -> html.Div:
    return line(
        labelled(f"{whose} times", number(hubs_ids.edit(f"{name}-factor"), 1.2, least=0, most=100)),
        button(press, hubs_ids.edit(name)),
    )


def _substation_line(name: str, whose: str, press: str) -> html.Div:
    return line(
        labelled(whose, select(hubs_ids.edit(f"{name}-asset"), OF_SUBSTATION, "substation import")),
        labelled("times", number(hubs_ids.edit(f"{name}-factor"), 1.2, least=0, most=100)),
        button(press, hubs_ids.edit(name)),
    )


def checked(case: HubCase, edit: Edit) -> Edit:
    """Return an edit that changes something of the case. Raises QuestionError naming element, value and limit."""
    if problems := edit.problems():
        raise QuestionError("; ".join(problems))
    if edit.factor == 1.0:
        raise QuestionError("a factor of 1 changes nothing")
    if edit.asset not in NOUNS:
        edit.limited(case.network)
        return edit
    of = [row for row in case.hubs if edit.hub in {"", row.name}]
    if not of:
        raise QuestionError(f"there is no hub {edit.hub!r:.60}")
    if not any(_has(row, edit.asset) for row in of):
        noun = NOUNS[edit.asset]
        raise QuestionError(f"{edit.hub} has no {noun}" if edit.hub else f"there is no {noun} at any hub")
    return edit


def _has(hub: Hub, asset: str) -> bool:
    held: dict[str, Any] = {
        "battery": hub.battery, "hydrogen": hub.hydrogen, "generator": hub.generator, "work limit": hub.work,
        "sun": any(hub.sun_mw), "demand": any(hub.demand_mw), "import limit": True, "export limit": hub.export_mw > 0.0,
    }  # fmt: skip
    return bool(held[asset])
