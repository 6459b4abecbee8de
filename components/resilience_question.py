"""The question about modules as a sentence whose words are controls, and the rare options behind More."""

import dash_bootstrap_components as dbc
from dash import html

from components import ids, resilience_edits, resilience_ids
from components import resilience_asked as words
from components.day_fields import group, number_field, select
from components.format import number, percent
from components.resilience_upload import place as upload_place
from components.sentence import question_bar, word_number, word_popover, word_select
from components.skeleton import button
from engine.resilience.question import ResilienceQuestion


def question(asked: ResilienceQuestion, *, own: words.Choices = (), feeders: words.Choices = ()) -> html.Section:
    """Return the question bar for ``asked``; ``own`` are the reader's own files of shocks, ``feeders`` his feeders."""
    held = words.words_of(asked)
    edits = words.edits_between(asked.types)
    lines = [*words.FEEDER_NAMES.items(), *((f"{words.FILE}{digest}", name) for digest, name in feeders)]
    return question_bar(
        ids.RESILIENCE,
        [
            "Where should flexible ",
            word_popover(
                _id("edits"), resilience_edits.sentence_words(edits), resilience_edits.panel(edits),
                "Types of modules", width=600,
            ),
            " for ",
            word_number(_id("budget"), held["budget"], "Budget, $ a year"),
            " $ a year stand on ",
            word_select(_id("feeder"), _with(held["feeder"], lines, "a feeder (no longer here)"), held["feeder"],
                        "Feeder"),
            ", against ",
            word_number(_id("scenarios"), held["scenarios"], "Number of shocks"),
            " shocks of its campuses, weighing the tail by ",
            word_number(_id("weight"), held["weight"], "Weight of the tail"),
            " beyond ",
            word_number(_id("beta"), held["beta"], "Level of the tail", unit="%"),
            ", in doubt by ",
            word_select(_id("doubt"), words.DOUBTS, held["doubt"], "What is in doubt"),
            " of ",
            word_number(_id("radius"), held["radius"], "Radius of doubt"),
            "?",
        ],
        more=more(held, own),
        actions=[button("Compute", resilience_ids.COMPUTE, primary=True, hidden=True)],
    )  # fmt: skip


def _with(value: str, found: list[tuple[str, str]], otherwise: str) -> list[tuple[str, str]]:
    return found if value in {key for key, _ in found} else [*found, (value, otherwise)]


def more(held: words.Words, own: words.Choices) -> html.Div:
    """Return the rare options, in groups."""
    files = _with(held["shocks"], [(words.DRAWN, "drawn by the model"),
                                   *((f"{words.FILE}{digest}", name) for digest, name in own)],
                  "a file (no longer here)")  # fmt: skip
    traces = _with(held["traces"], [(words.GIVEN, "the numbers here"),
                                    *((f"{words.FILE}{digest}", name) for digest, name in own)],
                   "a file (no longer here)")  # fmt: skip
    informed = dbc.Checklist(
        id=_id("information"), options=[{"label": "What it is worth to know each shock (slow)", "value": "asked"}],
        value=held["information"], class_name="hr-feeder-checks",
    )  # fmt: skip
    every = dbc.Checklist(
        id=_id("sites"), options=[{"label": "Modules may stand at every bus of three phases", "value": "every"}],
        value=held["sites"], class_name="hr-feeder-checks",
    )  # fmt: skip
    return html.Div(
        [
            group("Shocks", [
                select(_id("shocks"), "Shocks are", files, held["shocks"]),
                select(_id("traces"), "Their model is of", traces, held["traces"]),
                *(_number_of(name, held) for name in
                  ("events", "amplitude", "variation", "duration", "correlation", "outages", "atoms")),
            ]),
            group("Shocks of your own", [upload_place()]),
            group("The day", [*(_number_of(name, held) for name in ("steps", "step", "seed", "margin")),
                              html.Div(every, role="group", **{"aria-label": "Sites"})]),
            group("Judged by", [
                *(_number_of(name, held) for name in ("fresh", "curve", "folds", "rolling")),
                html.Div(informed, role="group", **{"aria-label": "Shocks known beforehand"}),
                html.P("0 leaves a part out; each takes time.", className="hr-muted"),
            ]),
            group("How far to search", [
                select(_id("route"), "Search", words.ROUTES, held["route"]),
                *(_number_of(name, held) for name in ("gap", "time")),
            ]),
        ],
        className="hr-feeder-more",
    )  # fmt: skip


def plain_sentence(question: ResilienceQuestion) -> str:
    """Return the question as a sentence without controls: the title of every file that is saved."""
    feeder = words.FEEDER_NAMES.get(question.feeder, "a feeder of a file")
    edits = words.edits_between(question.types)
    doubt = (
        "" if question.doubt == "none" else f", in doubt by {dict(words.DOUBTS)[question.doubt]} of {question.radius:g}"
    )
    shocks = "the shocks of a file" if question.shocks_file else f"{question.scenarios} shocks"
    told = "; ".join(resilience_edits.words_of(edit) for edit in edits)
    return (
        f"Where should flexible modules for {number(question.budget)} $ a year stand on {feeder}, against {shocks} of "
        f"its campuses, weighing the tail by {question.weight:g} beyond {percent(question.beta)}{doubt}?"
        + (f" Edits: {told}." if told else "")
    )


def _id(name: str) -> str:
    return resilience_ids.word(name)


def _number_of(name: str, held: words.Words) -> html.Label:
    return number_field(_id(name), next(each for each in words.NUMBERS if each.word == name), held)
