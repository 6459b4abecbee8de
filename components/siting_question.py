"""The siting question as a sentence whose words are controls, and the rare options behind More."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids, siting_ids, siting_upload
from components import siting_words as words
from components.sentence import question_bar, word_number, word_popover, word_select
from components.skeleton import Part, button
from engine.siting.cases import PAPER_HOURS
from engine.siting.question import SitingQuestion

Choices = Sequence[tuple[str, str]]


def question(asked: SitingQuestion, *, files: Choices = (), read_only: bool = False) -> html.Section:
    """Return the question bar for ``asked``. ``files`` are (value, name) of the study's own files of hours."""
    held = words.words_of(asked)
    return question_bar(
        ids.SITING,
        [
            "Which ",
            word_select(_id("candidates"), words.CANDIDATES, held["candidates"], "Candidate buses"),
            _listed(held),
            " can take ",
            _text("sizes", held["sizes"], "Nameplates", "1000, 2000", unit="MW"),
            " as ",
            word_popover(
                siting_ids.word("envelopes"),
                words.envelope_words(asked.envelopes, asked.onsite_mw),
                envelopes_panel(held),
                "Operating envelopes",
                width=420,
            ),
            " if, in ",
            word_select(_id("choice"), words.CHOICES, held["choice"], "Which hours", disabled=asked.source == "filed"),
            _hours(held),
            " of ",
            word_select(_id("source"), words.SOURCES, held["source"], "Source of hours"),
            ", no limit breaks in ",
            word_number(_id("threshold"), held["threshold"], "Share of outages that must pass", unit="%", minimum=50,
                        maximum=100),
            " of the losses of ",
            word_select(_id("outages"), words.OUTAGES, held["outages"], "What is lost"),
            "?",
        ],
        more=[more(held, files, read_only=read_only), dcc.Input(type="hidden", id=_id("criteria"),
                                                                value=held["criteria"])],
        actions=[button("Screen", siting_ids.COMPUTE, primary=True, hidden=True)],
    )  # fmt: skip


def envelopes_panel(held: words.Words) -> html.Div:
    """Return the panel of the envelopes: which are screened, their parameters, profiles of one's own."""
    return html.Div(
        [
            html.H3("Which are screened", className="hr-section-title"),
            html.Div(
                dbc.Checklist(
                    id=_id("kinds"),
                    options=[{"label": text, "value": key} for key, text in words.KINDS],
                    value=held["kinds"],
                    inline=True,
                    class_name="hr-siting-checks",
                ),
                role="group",
                **{"aria-label": "Envelopes that are screened"},
            ),
            html.P(
                "Firm draws the utilisation in every hour. Pause draws less in the peak hours; shift draws less in "
                "them and makes it up in the others.",
                className="hr-muted",
            ),
            html.Div(
                [
                    _number("utilisation", "Utilisation", held, "% of nameplate", 1, 100),
                    _field("Peak hours", _box("peak", held["peak"], "16-19")),
                    _number("pause", "Pause: less in the peak", held, "%", 0, 100),
                    _number("shift", "Shift: less in the peak", held, "%", 0, 100),
                    _number("makeup", "Shift: more in the others", held, "%", 0, 100, placeholder="same energy"),
                    _number("ramp", "Ramp, at most", held, "% an hour", 0.1, 100),
                ],
                className="hr-siting-pairs",
            ),
            html.H3("Profiles of your own", className="hr-section-title"),
            _field(
                "One a line: a name, a colon, then 24 values in % of the nameplate, hour 1 first, or a kind with its "
                "depth in %, its peak hours, what a shift draws more (+5) and its utilisation (at 90)",
                _area("own", held["own"], "deep: shift 25 16-19\nnight: 80, 80, 80, ... (24 values)"),
            ),
            html.H3("On-site resources", className="hr-section-title"),
            _field(
                "What they give: MW in every hour, or 24 values of a day, hour 1 first",
                _box("onsite", held["onsite"], "none"),
            ),
            html.P(
                "Gate and market see the net load: what the envelope draws less this, and never less than 0. Every day "
                "is taken to be alike.",
                className="hr-muted",
            ),
            html.Div(id=siting_ids.PROFILES, **{"aria-live": "polite"}),
            dbc.Checklist(
                id=_id("repair"),
                options=[{"label": "Mend profiles that break their ramp bound", "value": "repair"}],
                value=held["repair"],
                class_name="hr-siting-checks",
            ),
        ],
        className="hr-siting-envelopes",
    )  # fmt: skip


def more(held: words.Words, files: Choices, *, read_only: bool) -> html.Div:
    """Return the rare options, in three groups."""
    listed = [*files]
    if held["file"] and held["file"] not in {key for key, _ in files}:
        listed.insert(0, (held["file"], "a file (no longer here)"))
    return html.Div(
        [
            _group("Hours", [
                _select("thermal", "Least output of thermal units", words.THERMAL, held),
                _number("scale", "Loads, of the source's", held, "%", 1, 1000),
                _number("seed", "Seed of the synthetic wind and sun", held, "", 0),
                button("Screen as the source does", siting_ids.AS_THE_SOURCE),
                html.P(f"One hour at the on-peak level ({PAPER_HOURS['stressed'].words}), branch outages, buses at "
                       "115, 161 and 230 kV. The source names no day: this is a choice. Loads are of the source of "
                       "hours above; choose the file of 2020 for its own.", className="hr-muted"),
            ]),
            _group("Outages", [
                _select("rating", "Rating of branches after an outage", words.RATINGS, held),
                html.P("What a branch may carry once another is lost; before that rating A holds.",
                       className="hr-muted"),
            ]),
            _group("Staged energisation", [
                _field("One a line: from when, at most how many MW",
                       _area("stages", held["stages"], "2027-06-01 300\n2029-01-01 1000")),
                html.P("Each stage is gated like a load of its size; a site's sheet says which passes from when.",
                       className="hr-muted"),
            ]),
            _group("Loads that are committed already", [
                _field("One a line: bus, MW, envelope", _area("committed", held["committed"], "1004 500 firm")),
            ]),
            html.Div([
                _group("A file of hours", [
                    _field("File", dbc.Select(
                        id=_id("file"), value=held["file"], placeholder="none chosen",
                        options=[{"value": key, "label": text} for key, text in listed],
                    )),
                    None if read_only else _upload(),
                ]),
            ]),
        ],
        className="hr-siting-more",
    )  # fmt: skip


def _id(name: str) -> str:
    return siting_ids.word(name)


def _hours(held: words.Words) -> html.Span:
    """Return what the choice of hours needs: the hours themselves, or how many."""
    typed = held["choice"] in {"one", "list"} and held["source"] != "filed"
    return html.Span(
        [
            html.Span(
                [" ", _text("hours", held["hours"], "Hours: date and hour, or day/hour", "2016-08-12 16")],
                id=f"{_id('hours')}-label",
                hidden=not typed,
            ),
            html.Span(
                [" (", word_number(_id("count"), held["count"], "How many representative hours", minimum=1), ")"],
                id=f"{_id('count')}-label",
                hidden=held["choice"] != "representative" or held["source"] == "filed",
            ),
        ]
    )


def _listed(held: words.Words) -> html.Span:
    """Return the box of listed buses; it stands in the sentence while they are chosen so."""
    box = _text("buses", held["buses"], "Candidate buses, listed", "1001, 1002")
    return html.Span([" ", box], id=f"{_id('buses')}-label", hidden=held["candidates"] != "listed")


def _text(name: str, value: Any, label: str, example: str, *, unit: str = "") -> html.Label:
    box = dbc.Input(
        id=_id(name), type="text", value=value, placeholder=example, debounce=True, autocomplete="off",
        class_name="hr-word hr-word-number hr-siting-typed",
    )  # fmt: skip
    tail = html.Span(unit, className="hr-unit") if unit else None
    name = f"{label}, {unit}" if unit else label
    return html.Label([html.Span(name, className="visually-hidden"), box, tail], className="hr-word-label")


def _box(name: str, value: Any, example: str) -> dbc.Input:
    return dbc.Input(id=_id(name), type="text", value=value, placeholder=example, debounce=True, autocomplete="off")


def _area(name: str, value: str, example: str) -> dbc.Textarea:
    return dbc.Textarea(
        id=_id(name), value=value, rows=3, debounce=True, placeholder=example, spellCheck=False,
        class_name="hr-siting-lines",
    )  # fmt: skip


def _group(title: str, fields: Sequence[Part]) -> html.Fieldset:
    return html.Fieldset([html.Legend(title), html.Div(list(fields), className="hr-siting-fields")])


def _field(label: str, control: Part, unit: str = "") -> html.Label:
    tail = html.Span(unit, className="hr-unit") if unit else None
    return html.Label(
        [html.Span(label), html.Span([control, tail], className="hr-siting-control")], className="hr-siting-field"
    )


def _select(name: str, label: str, choices: Choices, held: words.Words) -> html.Label:
    options = [{"value": key, "label": text} for key, text in choices]
    return _field(label, dbc.Select(id=_id(name), value=held[name], options=options))


def _number(name: str, label: str, held: words.Words, unit: str, *limits: float, placeholder: str = "") -> html.Label:
    box = dbc.Input(
        id=_id(name), type="number", value=held[name], step="any", debounce=True, placeholder=placeholder,
        **dict(zip(("min", "max"), limits, strict=False)),
    )  # fmt: skip
    return _field(label, box, unit)


def _upload() -> html.Div:
    return siting_upload.place(
        siting_ids.UPLOAD,
        "Upload a CSV or Parquet of hours",
        accept=".csv,.parquet,.gz,text/csv",
        file="File of hours",
        hint="One row an hour: a column hour, the load of each zone, area or bus, and what wind, solar and hydro "
        "can produce; onsite_mw, what a campus makes for itself in that hour. All in MW.",
        message=html.P(id=f"{siting_ids.UPLOAD}-message", className="hr-siting-message", role="status"),
    )
