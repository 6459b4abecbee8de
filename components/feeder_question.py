"""The feeder's question as a sentence whose words are controls, and the rare options behind More."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from components import feeder_asked as words
from components import feeder_edits, feeder_ids, ids
from components.day_fields import field, group, number_field, select
from components.feeder_upload import place as upload_place
from components.sentence import question_bar, word_number, word_popover, word_select
from components.skeleton import button
from engine.distribution.question import FeederQuestion


def question(
    asked: FeederQuestion, *, own: words.Choices = (), workloads: words.Choices = (), read_only: bool = False
) -> html.Section:
    """Return the question bar for ``asked``; ``own`` and ``workloads`` are the reader's own files."""
    held = words.words_of(asked)
    return question_bar(
        ids.FEEDER,
        [
            "What do ",
            word_popover(
                feeder_ids.word("centres"),
                feeder_edits.sentence_words(None, words.changes_of(asked)),
                feeder_edits.panel(words.changes_of(asked)),
                "Edits of the feeder",
                width=400,
            ),
            " ",
            word_select(_id("batteries"), words.BATTERIES, held["batteries"], "Batteries of the data centres"),
            " on ",
            word_select(_id("feeder"), feeder_choices(held, own), held["feeder"], "Feeder"),
            " pay over hours ",
            _text("hours", held["hours"], "Hours of the day, from 0 to 23", "0-23"),
            ", scheduled by ",
            word_select(_id("method"), words.METHODS, held["method"], "Who schedules the work"),
            ", ",
            word_select(_id("svg"), words.SVG, held["svg"], "Cases: static var generators"),
            " SVG, loads ",
            word_select(_id("loads"), words.LOADS, held["loads"], "Model of the loads"),
            ", limits checked by AC in at most ",
            word_number(_id("ac-rounds"), held["ac-rounds"], "Rounds of tightening by AC"),
            " rounds?",
        ],
        more=more(held, workloads, read_only=read_only),
        actions=[button("Solve", feeder_ids.COMPUTE, primary=True, hidden=True)],
    )


def feeder_choices(held: words.Words, own: words.Choices) -> list[tuple[str, str]]:
    """Return the feeders to choose from: the library's, the reader's own, and the one asked for though it is gone."""
    found = [*words.FEEDERS, *((f"{words.FILE}{digest}", name) for digest, name in own)]
    if held["feeder"] not in {key for key, _ in found}:
        found.append((held["feeder"], "a feeder (no longer here)"))
    return found


def more(held: words.Words, workloads: words.Choices, *, read_only: bool) -> html.Div:
    """Return the rare options, in groups."""
    return html.Div(
        [
            group("A feeder of your own", [upload_place(read_only=read_only)]),
            group("The day", [
                _number_of("seed", held),
                field("Prices at the substation, one for each hour",
                       _area("prices", held, "of the worked day"), "$/MWh"),
                field("Load shares of the table powers", _area("load-share", held, "of the worked day")),
                field("Shares of sun", _area("sun-share", held, "of the worked day")),
            ]),
            group("The data centres", [
                field("Draw in kW, a line for each hour (with even work only)",
                       _area("draw", held, "the work, evenly")),
                field("Work", dbc.Select(id=_id("workload"), value=held["workload"], options=[
                    {"value": words.SEEDED, "label": "seeded"},
                    *({"value": key, "label": name} for key, name in workloads),
                    *([{"value": held["workload"], "label": "a file (no longer here)"}]
                      if held["workload"] not in {words.SEEDED, *(key for key, _ in workloads)} else []),
                ])),
                *(_number_of(name, held) for name in ("time", "bits")),
                *(_number_of(one.word, held) for one in words.BATTERY),
            ]),
            group("Limits and losses", [
                html.Div(
                    dbc.Checklist(
                        id=_id("voltage-limits"), options=[{"label": "Keep voltage limits", "value": "kept"}],
                        value=held["voltage-limits"], class_name="hr-feeder-checks",
                    ),
                    role="group", **{"aria-label": "Voltage limits"},
                ),
                _select("line-limits", "Limit of a line", words.LINE_LIMITS, held),
                *(_number_of(name, held)
                  for name in ("sides", "unbalance", "penalty", "slope", "var-slope", "corrections", "margin")),
                _select("regulators", "Taps of regulators", words.REGULATORS, held),
            ]),
            group("Scenarios in AC", [
                *(_number_of(name, held) for name in ("scenarios", "work-spread", "sun-spread")),
                html.P("Work and sun are drawn at random around the day; the chance of leaving a limit is told with "
                       "its interval.", className="hr-muted"),
            ]),
        ],
        className="hr-feeder-more",
    )  # fmt: skip


def plain_sentence(question: FeederQuestion, title: str) -> str:
    """Return the question as a sentence without controls: the title of every file that is saved."""
    battery = words.shared_battery(question)
    size = "" if battery is None else f"{battery.power_mw:g} MW and {battery.energy_mwh:g} MWh"
    each = f", each with a battery of {size}," if size else ""
    parts = [
        f"What do data centres{each} on {title} pay over hours {words.hours_text(question.hours)}",
        f"scheduled by {dict(words.METHODS)[question.method]}",
        f"{dict(words.SVG)[question.svg]} SVG",
        f"loads {dict(words.LOADS)[question.loads]}",
        f"limits checked by AC in at most {question.ac_rounds} rounds",
    ]
    changes = words.changes_of(question)
    edits = f" Edits: {'; '.join(feeder_edits.words_of(edit) for edit in changes)}." if changes else ""
    return f"{', '.join(parts)}?{edits}"


def _id(name: str) -> str:
    return feeder_ids.word(name)


def _text(name: str, value: Any, label: str, example: str) -> html.Label:
    box = dbc.Input(
        id=_id(name), type="text", value=value, placeholder=example, debounce=True, autocomplete="off",
        class_name="hr-word hr-word-number hr-feeder-typed",
    )  # fmt: skip
    return html.Label([html.Span(label, className="visually-hidden"), box], className="hr-word-label")


def _area(name: str, held: words.Words, example: str) -> dbc.Textarea:
    return dbc.Textarea(
        id=_id(name), value=held[name], rows=2, debounce=True, placeholder=example, spellCheck=False,
        class_name="hr-feeder-lines",
    )  # fmt: skip


def _select(name: str, label: str, choices: words.Choices, held: words.Words) -> html.Label:
    return select(_id(name), label, choices, held[name])


def _number_of(name: str, held: words.Words) -> html.Label:
    one = next(each for each in (*words.NUMBERS, *words.BATTERY) if each.word == name)
    return number_field(_id(name), one, held)
