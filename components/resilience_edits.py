"""Edits of types of modules: the list in the question bar, each of which can be taken back, and the forms of them."""

import math
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html

from components import day_edits, resilience_ids
from components.day_edits import labelled, line, number, select
from components.format import count
from components.resilience_asked import EDITED, LONGEST_NAME, NAME, NEW, WITHOUT, Edit, types_by_key
from components.resilience_words import KINDS
from components.skeleton import Part, button
from engine.errors import QuestionError
from engine.resilience.modules import STANDARD, ModuleType

USUAL = ModuleType("", "storage", 0.25, 10_000.0, 4, 2, 0.5, 0.9, 0.9)  # what the form of a new type begins with
_FIRST = ("power_mw", "energy_mwh", "cost", "inventory", "most_at_site", "cost_per_mwh")
_GROUPS = {
    "Storage": ("charge_efficiency", "discharge_efficiency", "loss_per_h", "start_share"),
    "Fast generation": ("ramp_mw_per_min", "delay_min"),
    "Demand response": ("payback", "window_h"),
    "Storage and generation": ("reactive",),
}


def words_of(edit: Edit) -> str:
    """Return an edit as a sentence without its stop."""
    if edit.field == NAME:
        return f"{edit.type}: called {edit.value}"
    if edit.field == WITHOUT:
        return f"{edit.type}: left out"
    if edit.field == NEW and edit.made is not None:
        made = edit.made
        energy = f"{made.energy_mwh:g} MWh, " if made.kind != "generation" else ""
        return (
            f"{made.name}, new: {KINDS[made.kind]} of {made.power_mw:g} MW, {energy}{made.cost:g} $ a year, "
            f"{made.inventory} in all, {made.most_at_site} at a site"
        )
    return f"{edit.type}: {EDITED[edit.field]} {edit.value:g}"


def sentence_words(edits: Sequence[Edit]) -> str:
    """Return the word of the sentence that opens the list."""
    return "modules" if not edits else f"modules, with {count(len(edits), 'edit')},"


def listed(edits: Sequence[Edit]) -> Part:
    """Return the edits in their order; each can be taken back."""
    none = "Nothing is edited: modules are the standard ones."
    return day_edits.listed(resilience_ids, [words_of(edit) for edit in edits], none)


def choices(edits: Sequence[Edit]) -> list[dict[str, str]]:
    """Return the types that can be changed, as options: under what edits call them, with their names."""
    return [{"value": key, "label": each.name} for key, each in types_by_key(edits).items()]


def panel(edits: Sequence[Edit]) -> html.Div:
    """Return the panel of the sentence's word: the types, the list, the forms, and a way to take all back."""
    edit = resilience_ids.edit
    options = {each["value"]: each["label"] for each in choices(edits)}
    form = html.Div([
        line(
            labelled("Type", select(edit("type"), options, next(iter(options))), hidden=True),
            button("Leave out", edit("without")),
        ),
        line(
            labelled("Number", select(edit("field"), EDITED, "cost"), hidden=True),
            labelled("becomes", number(edit("value"), STANDARD[0].cost, least=0, most=1e12)),
            button("Change", edit("change")),
        ),
        line(
            labelled("is called", _name(edit("name"))),
            button("Rename", edit("rename")),
        ),
        html.Details([html.Summary("A new type", className="hr-section-title"), _new()], className="hr-resilience-new"),
        day_edits.forms(resilience_ids),
    ])  # fmt: skip
    asked = html.Div(table(edits), id=f"{resilience_ids.EDITS}-types", **{"aria-live": "polite"})
    return day_edits.panel(resilience_ids, "Types of modules", listed(edits), html.Div([asked, form]))


def _new() -> html.Div:
    """Return the form of a new type. Numbers that its kind has no use for are left as they are."""
    edit = resilience_ids.edit
    boxes = {name: _box(name) for name in EDITED}
    return html.Div(
        [
            html.Div(
                [
                    labelled("Name", _name(edit("new-name"))),
                    labelled("Kind", select(edit("new-kind"), dict(KINDS), USUAL.kind)),
                    *(boxes[name] for name in _FIRST),
                ],
                className="hr-resilience-fields",
            ),
            *(
                html.Fieldset([
                    html.Legend(title), html.Div([boxes[name] for name in names], className="hr-resilience-fields"),
                ])
                for title, names in _GROUPS.items()
            ),
            button("Add it", edit("add")),
        ]
    )  # fmt: skip


def _box(name: str) -> html.Label:
    value = getattr(USUAL, name)
    box = dbc.Input(
        id=resilience_ids.edit(f"new-{name}"), type="number", value=None if math.isinf(value) else value, step="any",
        placeholder="no limit" if name == "ramp_mw_per_min" else "", class_name="hr-input hr-feeder-number",
    )  # fmt: skip
    words = EDITED[name]
    return labelled(f"{words[:1].upper()}{words[1:]}", box)


def _name(target: str) -> dbc.Input:
    return dbc.Input(
        id=target, type="text", maxLength=LONGEST_NAME, autocomplete="off", class_name="hr-input hr-resilience-name"
    )


def table(edits: Sequence[Edit]) -> Part:
    """Return the types that are asked for, of which one module each is told."""
    try:
        types = types_by_key(edits).values()
    except QuestionError as error:
        return html.P(str(error), className="hr-muted")
    heads = ("Type", "Kind", "MW", "MWh", "$ a year", "There are", "At a site")
    rows = [
        html.Tr([
            html.Th(each.name, scope="row"), html.Td(KINDS[each.kind]), html.Td(f"{each.power_mw:g}"),
            html.Td("\u2013" if each.kind == "generation" else f"{each.energy_mwh:g}"),
            html.Td(f"{each.cost:,.0f}".replace(",", "\u2009")), html.Td(str(each.inventory)),
            html.Td(str(each.most_at_site)),
        ])
        for each in types
    ]  # fmt: skip
    head = html.Thead(html.Tr([html.Th(words, scope="col") for words in heads]))
    caption = html.Caption("Types that are asked for, one module of each")
    return html.Table([caption, head, html.Tbody(rows)], className="hr-feeder-small hr-resilience-types")
