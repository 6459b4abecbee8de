"""The capacity question as a sentence whose words are controls, and the rare options behind More."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import capacity_conditions, capacity_ids, capacity_slots, ids
from components import capacity_words as words
from components.capacity_sites import sites_words, table_text
from components.format import percent, voltage
from components.sentence import question_bar, word_number, word_popover, word_select
from components.skeleton import Part, button
from engine.capacity.question import CapacityQuestion

Choices = Sequence[tuple[str, str]]


def question(
    asked: CapacityQuestion,
    *,
    kv: Sequence[float] = (),
    zones: Sequence[str] = (),
    files: Choices = (),
    read_only: bool = False,
) -> html.Section:
    """Return the question bar for ``asked``. ``files`` are (value, name) of the study's own scenario files."""
    held = words.words_of(asked)
    return question_bar(
        ids.CAPACITY,
        [
            "How much can ",
            word_popover(
                capacity_ids.SITES_WORD,
                sites_words(len(asked.candidates)),
                _sites_panel(asked, kv, zones),
                "Where new load is asked for",
                width=400,
            ),
            " take, ",
            word_number(
                capacity_ids.word("mw"),
                words.uniform_mw(asked.demand_mw),
                "Demand at each site",
                unit="MW",
                minimum=0.1,
                placeholder="as listed",
            ),
            " asked at each, kept in ",
            word_select(capacity_ids.word("keep"), words.KEPT, held["keep"], "States in which firm is kept"),
            _budget(held),
            " in ",
            word_select(capacity_ids.word("period"), words.PERIODS, held["period"], "Over which part of the year"),
            " or interrupted in at most ",
            html.Span(
                [
                    word_select(capacity_ids.word("epsilon"), epsilon_choices(), held["epsilon"], "Risk level"),
                    html.Label(
                        [
                            html.Span("Risk levels, %", className="visually-hidden"),
                            dbc.Input(
                                id=capacity_ids.word("levels"), type="text", value=held["levels"], debounce=True,
                                class_name="hr-word hr-word-number", autocomplete="off",
                            ),
                            html.Span("%", className="hr-unit"),
                        ],
                        className="hr-word-label",
                        id=f"{capacity_ids.word('levels')}-label",
                        hidden=held["epsilon"] != words.OTHER,
                    ),
                    ",",
                ],
                className="hr-capacity-risk",
            ),
            " with the extra power from ",
            _joined("supply", words.SUPPLIES, held, "Who supplies the extra power", ","),
            " secure for ",
            _joined(
                "security",
                words.SECURITIES,
                held,
                "Outages to be secure for",
                html.Span(capacity_conditions.mark(len(asked.conditions)), id=capacity_ids.CONDITIONS_MARK),
            ),
        ],
        more=more(asked, held, files, read_only=read_only),
        actions=[button("Compute", capacity_ids.COMPUTE, primary=True, hidden=True), capacity_slots.under_question()],
    )  # fmt: skip


def _joined(name: str, options: Choices, held: words.Words, label: str, mark: Part) -> html.Span:
    """Return a word with the mark after it: no line begins with a mark."""
    return html.Span(
        [word_select(capacity_ids.word(name), options, held[name], label), mark], className="hr-capacity-joined"
    )


def _budget(held: words.Words) -> html.Span:
    """Return the number of buses at their extremes; it stands in the sentence while a budget is chosen."""
    box = word_number(capacity_ids.word("budget"), held["budget"], "Buses at their extremes at once", minimum=0)
    return html.Span(
        [", at most ", box, " at once,"],
        id=f"{capacity_ids.word('budget')}-label",
        hidden=not held["keep"].endswith(":budget"),
    )


def plain_sentence(asked: CapacityQuestion) -> str:
    """Return the whole question in plain words: what a phone shows, and the title of every export."""
    same = words.uniform_mw(asked.demand_mw)
    sentence = asked.sentence()
    return sentence.replace(" take,", f" take, {same:g} MW asked at each," if same is not None else " take,", 1)


def epsilon_choices() -> list[tuple[str, str]]:
    """Return the risk levels offered in the sentence."""
    listed = [(epsilon, percent(float(epsilon))) for epsilon in words.EPSILONS]
    return [*listed, (words.OTHER, "other levels:"), (words.NEVER, "no state (firm only)")]


def more(asked: CapacityQuestion, held: words.Words, files: Choices, *, read_only: bool) -> html.Div:
    """Return the rare options, in four groups."""
    kept_files = _file_choices(held, files)
    return html.Div(
        [
            _group("Sharing the room", [
                _select("objective", "Objective", words.OBJECTIVES, held),
                _select("tie", "Among equal optima", words.TIES, held),
                _select("closed", "Subsets", words.CLOSED, held),
                _select("measure", "Risk bounds", words.MEASURES, held),
            ]),
            _group("Limits and products", [
                _select("zero", "Limits exceeded already", words.AT_ZERO, held),
                _select("rating", "Rating that holds after an outage", words.RATINGS, held),
                _number("cutoff", "Drop factors under", held, "%", 0, 99),
                _number("block", "Block size", held, "MW", 0, placeholder="one each"),
                _number("round", "Round sizes down to", held, "MW", 0.000001),
            ]),
            _group("Existing net demand", [
                _uncertainty("hourly", "Hours of a year", [
                    _number("hours", "Hours drawn (0: all 8 784)", held, "", 0, 8784),
                    _select("model", "Series", words.MODELS, held),
                    _number("wind", "Wind over the year", held, "% of its most", 2, 90),
                    _number("derate", "Dispatch keeps branches within", held, "% of rating", 10, 100),
                    _select("dispatch", "Dispatch holds limits", words.DISPATCHES, held),
                ]),
                _uncertainty("distribution", "Distributions per bus", [
                    _number("scenarios", "Scenarios", held, "", 2, 20000),
                    _number("sd", "Standard deviation", held, "% of load", 0, 100),
                    _number("range", "Range, plus and minus", held, "% of load", 0, 1000),
                    _select("reading", "Variance is", words.READINGS, held),
                    _area("laws", "Or line by line: bus low high mean variance", held["laws"], "3 10 20 15 5"),
                    _area("correlation", "Correlation: a number, or a square table", held["correlation"], "0.3"),
                ]),
                _uncertainty("box", "A range per bus, any combination", [
                    _number("spread", "Range, plus and minus", held, "% of load", 0, 1000),
                    _area("box", "Or line by line: bus low high", held["box"], "3 10 20"),
                ]),
                _uncertainty("file", "A file of one's own", [_select("file", "File", kept_files, held)]),
                _number("seed", "Seed", held, "", 0),
                *_set_notes(),
            ]),
            html.Div([
                _group("Shares of the supply", [
                    _select("fixed", "Without redispatch, power from", words.FIXED, held),
                    _area("shares", "With given shares, one line each: bus share", held["shares"], "7098 0.6"),
                ]),
                None if read_only else _group("A file of one's own", [_upload()]),
            ]),
            *capacity_slots.more_groups(asked, read_only=read_only),
        ],
        className="hr-capacity-more",
        id=f"{ids.CAPACITY}-more",
        **{"data-keep": held["keep"]},
    )  # fmt: skip


def file_choices(datasets: Sequence[Any]) -> list[tuple[str, str]]:
    """Return (value, name) of the study's scenario files: the value is what the control "file" holds."""
    return [(f"{entry.digest}:{entry.name}", entry.name) for entry in datasets]


def _file_choices(held: words.Words, files: Choices) -> list[tuple[str, str]]:
    listed = list(files)
    if held["file"] and held["file"] not in {key for key, _ in listed}:
        listed.append((held["file"], f"{held['file'].partition(':')[2] or 'a file'} (no longer here)"))
    return listed or [("", "none yet: upload one")]


def _sites_panel(asked: CapacityQuestion, kv: Sequence[float], zones: Sequence[str]) -> html.Div:
    voltages = [(words.ANY, "any voltage"), *((f"{level:g}", f"{voltage(level)} and above") for level in kv)]
    most = len(asked.candidates) or 10
    places = [(words.ANY, "any zone"), *((zone, zone) for zone in zones)]
    return html.Div(
        [
            html.H3("Choose by filter", className="hr-section-title"),
            html.Div(
                [
                    _bare_select(capacity_ids.SITES_KV, "Voltage", voltages, words.ANY),
                    _bare_select(capacity_ids.SITES_ZONE, "Zone", places, words.ANY),
                    _field(
                        "Sites, spread over the map",
                        dbc.Input(id=capacity_ids.SITES_MOST, type="number", min=1, max=words.MOST_SITES, value=most),
                    ),
                ],
                className="hr-capacity-fields",
            ),
            button("Choose these sites", capacity_ids.SITES_CHOOSE),
            html.H3("Or type or paste a table", className="hr-section-title"),
            _field(
                "One line each: bus, then MW",
                dbc.Textarea(
                    id=capacity_ids.SITES_TEXT,
                    value=table_text(asked.candidates, asked.demand_mw),
                    rows=6,
                    class_name="hr-capacity-table",
                    spellCheck=False,
                ),
            ),
            button("Use this table", capacity_ids.SITES_USE),
            html.P("Or press a bus on the map, then Add as a site.", className="hr-muted"),
            html.P(id=capacity_ids.SITES_MESSAGE, className="hr-capacity-message", role="status"),
        ],
        className="hr-capacity-sites",
    )  # fmt: skip


def _set_notes() -> list[Part]:
    return [
        html.P(text, className="hr-muted hr-capacity-set", **{"data-set": name})
        for name, text in words.SET_NOTES.items()
    ]


def _upload() -> html.Div:
    return html.Div(
        [
            html.Label(
                dcc.Upload(
                    html.Span("Upload a CSV or Parquet of net demand", className="hr-button"),
                    id=capacity_ids.UPLOAD,
                    accept=".csv,.parquet,text/csv",
                    max_size=-1,  # the server names its limit in words
                )
            ),
            html.P(
                "One row per state, one column per bus id, MW of load less generation; an optional column weight.",
                className="hr-muted",
            ),
            html.P(id=capacity_ids.UPLOAD_MESSAGE, className="hr-capacity-message", role="status"),
        ],
        className="hr-capacity-upload",
    )


def _group(title: str, fields: Sequence[Part]) -> html.Fieldset:
    return html.Fieldset([html.Legend(title), html.Div(list(fields), className="hr-capacity-fields")])


def _uncertainty(kind: str, title: str, fields: Sequence[Part]) -> html.Div:
    head = html.P(title, className="hr-capacity-kind-title")
    return html.Div([head, *fields], className="hr-capacity-kind", **{"data-kind": kind})


def _field(label: str, control: Part, unit: str = "") -> html.Label:
    tail = html.Span(unit, className="hr-unit") if unit else None
    return html.Label(
        [html.Span(label), html.Span([control, tail], className="hr-capacity-control")], className="hr-capacity-field"
    )


def _bare_select(component_id: str, label: str, choices: Choices, value: str) -> html.Label:
    return _field(
        label,
        dbc.Select(id=component_id, value=value, options=[{"value": key, "label": text} for key, text in choices]),
    )


def _select(name: str, label: str, choices: Choices, held: words.Words) -> html.Label:
    return _bare_select(capacity_ids.word(name), label, choices, held[name])


def _number(name: str, label: str, held: words.Words, unit: str, *limits: float, placeholder: str = "") -> html.Label:
    box = dbc.Input(
        id=capacity_ids.word(name),
        type="number",
        value=held[name],
        step="any",
        debounce=True,
        placeholder=placeholder,
        **dict(zip(("min", "max"), limits, strict=False)),
    )
    return _field(label, box, unit)


def _area(name: str, label: str, value: str, example: str) -> html.Label:
    box = dbc.Textarea(
        id=capacity_ids.word(name), value=value, rows=3, debounce=True, placeholder=example, spellCheck=False,
        class_name="hr-capacity-table",
    )  # fmt: skip
    return _field(label, box)
