"""Edits of types of modules: the list in the question bar, each of which can be taken back, and the form of one."""

from collections.abc import Sequence

from dash import html

from components import day_edits, resilience_ids
from components.day_edits import labelled, line, number, select
from components.format import count
from components.resilience_asked import EDITED, Edit
from components.skeleton import Part, button
from engine.resilience.modules import STANDARD


def words_of(edit: Edit) -> str:
    """Return an edit as a sentence without its stop."""
    return f"{edit.type}: {EDITED.get(edit.field, edit.field.replace('_', ' '))} {edit.value:g}"


def sentence_words(edits: Sequence[Edit]) -> str:
    """Return the word of the sentence that opens the list."""
    return "modules" if not edits else f"modules, with {count(len(edits), 'edit')},"


def listed(edits: Sequence[Edit]) -> Part:
    """Return the edits in their order; each can be taken back."""
    none = "Nothing is edited: modules are the standard ones."
    return day_edits.listed(resilience_ids, [words_of(edit) for edit in edits], none)


def panel(edits: Sequence[Edit]) -> html.Div:
    """Return the panel of the sentence's word: the types, the list, the form of an edit, and a way to take all back."""
    edit = resilience_ids.edit
    form = html.Div([
        line(
            labelled("Type", select(edit("type"), {each.name: each.name for each in STANDARD}, STANDARD[0].name),
                     hidden=True),
            labelled("Number", select(edit("field"), EDITED, "cost"), hidden=True),
            labelled("becomes", number(edit("value"), STANDARD[0].cost, least=0, most=1e12)),
            button("Change", edit("change")),
        ),
        day_edits.forms(resilience_ids),
    ])  # fmt: skip
    return day_edits.panel(resilience_ids, "Types of modules", listed(edits), html.Div([form, _standard()]))


def _standard() -> html.Table:
    """Return the standard types, of which one module each is told."""
    heads = ("Type", "MW", "MWh", "$ a year", "There are", "At a site")
    rows = [
        html.Tr([
            html.Th(each.name, scope="row"), html.Td(f"{each.power_mw:g}"), html.Td(f"{each.energy_mwh:g}"),
            html.Td(f"{each.cost:,.0f}".replace(",", "\u2009")), html.Td(str(each.inventory)),
            html.Td(str(each.most_at_site)),
        ])
        for each in STANDARD
    ]  # fmt: skip
    head = html.Thead(html.Tr([html.Th(words, scope="col") for words in heads]))
    return html.Table([html.Caption("Standard types, one module"), head, html.Tbody(rows)], className="hr-feeder-small")
