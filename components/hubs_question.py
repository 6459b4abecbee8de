"""The question about hubs as a sentence whose words are controls, and the rare options behind More."""

import dash_bootstrap_components as dbc
from dash import html

from components import hubs_asked as words
from components import hubs_edits, hubs_ids, ids
from components.day_fields import group, number_field, select
from components.hubs_upload import place as upload_place
from components.hubs_words import FEEDERS
from components.sentence import question_bar, word_number, word_popover, word_select
from components.skeleton import button
from engine.pricing.question import HubQuestion


def question(asked: HubQuestion, *, own: words.Choices = ()) -> html.Section:
    """Return the question bar for ``asked``; ``own`` are the reader's own cases."""
    held = words.words_of(asked)
    cases = _with(held["case"], [*words.CASES, *((f"{words.FILE}{digest}", name) for digest, name in own)],
                  "a case (no longer here)")  # fmt: skip
    ahead = f"and again each hour, {held['window']} hours ahead"
    return question_bar(
        ids.HUBS,
        [
            "What should ",
            word_select(_id("case"), cases, held["case"], "Case"),
            html.Span(
                [
                    " of ",
                    word_number(_id("count"), held["count"], "Number of hubs"),
                    " on ",
                    word_select(_id("feeder"), words.FLEET_FEEDERS, held["feeder"], "Feeder of the fleet"),
                ],
                id=f"{_id('case')}-fleet",
                hidden=held["case"] != "fleet",
            ),
            ", ",
            word_popover(
                _id("edits"),
                hubs_edits.sentence_words(asked.edits),
                hubs_edits.panel(asked.edits),
                "Edits of hubs and limits",
                width=420,
            ),
            ", pay on top of the tariff over ",
            html.Span(
                [word_number(_id("hours"), held["hours"], "Number of hours"), " hours"],
                className="hr-hubs-hours",
                hidden=bool(asked.dataset),
            ),
            html.Span("all hours of its file", className="hr-hubs-file-hours", hidden=not asked.dataset),
            ", so that the network keeps its limits, by ",
            word_select(_id("exact"), words.EXACT, held["exact"], "How prices are found"),
            " ",
            word_select(_id("window"), _with(held["window"], list(words.WINDOWS), ahead), held["window"], "Real time"),
            "?",
        ],
        more=more(held),
        actions=[button("Compute", hubs_ids.COMPUTE, primary=True, hidden=True)],
    )


def _with(value: str, found: list[tuple[str, str]], otherwise: str) -> list[tuple[str, str]]:
    return found if value in {key for key, _ in found} else [*found, (value, otherwise)]


def more(held: words.Words) -> html.Div:
    """Return the rare options, in groups."""
    priced = dbc.Checklist(
        id=_id("exports"), options=[{"label": "The price counts for exports too", "value": "priced"}],
        value=held["exports"], class_name="hr-feeder-checks",
    )  # fmt: skip
    rungs = dbc.Checklist(
        id=_id("ladder"), options=[{"label": "Try costs that rise less, too", "value": "asked"}],
        value=held["ladder"], class_name="hr-feeder-checks",
    )  # fmt: skip
    return html.Div(
        [
            group("A case of your own", [upload_place()]),
            group("What the operator weighs", [
                *(_number_of(name, held) for name in ("line", "substation", "level", "smooth", "fair")),
                _select("fairness", "Differences are", words.FAIRNESS, held),
            ]),
            group("Its prices", [
                *(_number_of(name, held) for name in ("least", "most")),
                html.Div(priced, role="group", **{"aria-label": "Exports"}),
                html.P("A MWh beyond a limit weighs a hundred dollars, a price of 1 $/MWh a cent, unless you say "
                       "otherwise.", className="hr-muted"),
            ]),
            group("How far to go", [
                *(_number_of(name, held) for name in ("quick-time", "gap", "exact-time")),
                html.Div(rungs, role="group", **{"aria-label": "Smaller curvatures"}),
            ]),
            group("Hubs and forecasts", [*(_number_of(name, held) for name in ("kappa", "seed", "error"))]),
        ],
        className="hr-feeder-more",
    )  # fmt: skip


def plain_sentence(question: HubQuestion, title: str) -> str:
    """Return the question as a sentence without controls: the title of every file that is saved."""
    who = (
        title
        if question.dataset
        else (
            dict(words.CASES)[question.case]
            if question.case == "three"
            else f"a fleet of {question.count} hubs on {FEEDERS.get(question.feeder, question.feeder)}"
        )
    )
    ahead = f", and again each hour, {question.window} hours ahead" if question.window else ""
    edits = "; ".join(hubs_edits.words_of(edit) for edit in question.edits)
    found = dict(words.EXACT)["exact" if question.exact else "quick"]
    hours = "all hours of its file" if question.dataset else f"{question.hours} hours"
    return (
        f"What should {who} pay on top of the tariff over {hours}, so that the network keeps its "
        f"limits, by {found}{ahead}?" + (f" Edits: {edits}." if edits else "")
    )


def _id(name: str) -> str:
    return hubs_ids.word(name)


def _select(name: str, label: str, choices: words.Choices, held: words.Words) -> html.Label:
    return select(_id(name), label, choices, held[name])


def _number_of(name: str, held: words.Words) -> html.Label:
    return number_field(_id(name), next(each for each in words.NUMBERS if each.word == name), held)
