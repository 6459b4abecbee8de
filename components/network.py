"""The Network page: draw, edit, import and export a grid, and ask what serving its load costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from components import drawing_parts, ids, network_ids, sentence, skeleton
from components.format import count, megawatts, number
from components.grid_map import Layer
from components.icons import icon
from components.network_import import import_panel
from components.network_pane import pane
from components.network_rows import Row
from components.network_tables import drawer, drawer_tools
from components.network_view import View
from engine.network.counts import Counts
from engine.opf.question import OpfQuestion

PAGE = ids.NETWORK
Part = Any


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page opens with."""

    study: str
    version: Mapping[str, Any]  # {"digest", "revision", "readonly"}
    drawn: Mapping[str, Any]  # what callbacks.network_desk.drawing returns
    layers: Sequence[Layer]
    layers_data: Mapping[str, Any] | None  # of the answer that is drawn; None: made of ``layers``
    view: View
    question: OpfQuestion
    rows: Mapping[str, Sequence[Row]]  # of the tables that are there from the start
    problems: Sequence[Row]
    counts: Counts
    steps: Mapping[str, Any]
    inspector: Part
    answer: Mapping[str, Any] | None  # {"digest", "question"} of the answer that is drawn
    answer_state: Part
    job: Mapping[str, Any] | None  # {"id", "digest", "question"} of the job that the page waits for
    library: Sequence[tuple[str, str]]
    formats: Mapping[Any, str]
    most_bytes: int  # of an upload


def layout(opened: Opened) -> html.Main:
    """Return the page for a study's network."""
    read_only = bool(opened.version["readonly"])
    drawing = pane(
        opened.drawn,
        opened.layers,
        opened.steps,
        read_only=read_only,
        layer=opened.view.layer,
        data=opened.layers_data,
    )
    bench = skeleton.workbench(
        PAGE,
        html.Div(drawing, id=network_ids.PANE, className="hr-draw-pane"),
        opened.inspector,
        drawer(opened.rows, opened.problems, opened.view, read_only=read_only),
        totals=totals(opened.counts),
        drawer_title="Tables",
        drawer_tools=drawer_tools(opened.view, read_only=read_only),
        tab_words=("Map", "Element", "Tables"),
    )
    for child in bench.children:
        if getattr(child, "id", None) == ids.selection(PAGE):
            child.data = opened.view.selection
    actions = _actions(opened, read_only=read_only)
    return skeleton.page(
        *_stores(opened),
        sentence.question_bar(PAGE, _sentence(opened.question), more=_more(opened.question), actions=actions),
        html.Div(opened.answer_state, id=network_ids.ANSWER_STATE, className="hr-draw-answer-state"),
        bench,
        title="Network",
        class_name="hr-network",
    )


def totals(counts: Counts) -> html.Dl:
    """Return the network's key numbers."""
    unlimited = f"{number(counts.unlimited)} unlimited" if counts.unlimited else "all with a rating A"
    missing = [
        f"{number(amount)} without rating {letter}"
        for letter, amount in (("B", counts.fallback_b), ("C", counts.fallback_c))
        if amount
    ]
    rated = f"{unlimited}; {', '.join(missing)}: A holds" if missing else unlimited if counts.branches else ""
    spare = counts.capacity_mw - counts.load_mw
    return skeleton.totals(
        [
            {"label": "Buses", "value": number(counts.buses), "note": count(counts.islands, "island")},
            {
                "label": "Branches",
                "value": number(counts.branches),
                "note": html.Span(rated, title="A branch without rating A is unlimited; without B or C, A holds there"),
            },
            {"label": "Units", "value": number(counts.units), "note": f"{number(counts.units_in_service)} in service"},
            {"label": "Load", "value": number(counts.load_mw), "unit": "MW"},
            {
                "label": "Capacity",
                "value": number(counts.capacity_mw),
                "unit": "MW",
                "note": f"{megawatts(abs(spare))} {'above' if spare >= 0 else 'below'} the load",
            },
        ]
    )


def _stores(opened: Opened) -> list[Part]:
    return [
        dcc.Store(id=network_ids.STUDY, data=opened.study),
        dcc.Store(id=network_ids.VERSION, data=dict(opened.version)),
        dcc.Store(id=network_ids.EVENT),
        dcc.Store(id=network_ids.ACK),
        dcc.Store(id=network_ids.LOADED, data=list(opened.rows)),
        dcc.Store(id=network_ids.OFFER),
        dcc.Store(id=network_ids.FILE),
        dcc.Store(id=network_ids.ANSWER, data=opened.answer),
        dcc.Store(id=network_ids.JOB, data=opened.job),
        dcc.Store(id=network_ids.JOB_ENDED),
        dcc.Store(id=network_ids.ADDRESS),
        dcc.Store(id=network_ids.PAINTED),
        dcc.Store(id=network_ids.PLACED),
        dcc.Store(id=network_ids.TABBED),
        dcc.Store(id=network_ids.MARKED),
    ]


def _sentence(asked: OpfQuestion) -> list[Part]:
    return [
        "What does it cost to serve ",
        sentence.word_number(
            network_ids.SCALE, asked.scale_percent, "Share of the load", unit="%", minimum=0, maximum=1000
        ),
        " of the load with branches held to ",
        sentence.word_select(
            network_ids.RATING,
            [("a", "rating A"), ("b", "rating B"), ("c", "rating C"), ("none", "no limits")],
            asked.rating,
            "Branch limits",
        ),
        " and secure against ",
        sentence.word_select(
            network_ids.SECURITY,
            [("base", "no outage"), ("all", "any single outage"), ("listed", "the listed outages")],
            "base" if asked.security == "base" else asked.outages,
            "Security",
        ),
        "?",
    ]


def _more(asked: OpfQuestion) -> Part:
    return html.Div(
        [
            "Units ",
            sentence.word_select(
                network_ids.LEAST,
                [("keep", "keep their least output"), ("ignore", "may go down to zero")],
                "ignore" if asked.ignore_p_min else "keep",
                "Least output",
            ),
            ". After an outage, branches are held to ",
            sentence.word_select(
                network_ids.AFTER,
                [("a", "rating A"), ("b", "rating B"), ("c", "rating C")],
                asked.outage_rating,
                "Branch limits after an outage",
            ),
            ". Interfaces keep their limits before and after.",
        ]
    )


def _actions(opened: Opened, *, read_only: bool) -> list[Part]:
    return [
        skeleton.button("Solve DC-OPF", network_ids.SOLVE, primary=True),
        skeleton.popover(
            network_ids.IMPORT,
            [icon("upload", size=16), html.Span("Import")],
            import_panel(opened.library, opened.most_bytes, read_only=read_only),
            label="Import a network",
            width=460,
        ),
        skeleton.popover(
            "network-export-menu",
            [icon("download", size=16), html.Span("Export")],
            html.Div(
                [
                    *(skeleton.button(text, network_ids.export(kind)) for kind, text in opened.formats.items()),
                    *drawing_parts.network_buttons(),
                ],
                className="hr-draw-exports",
            ),
            label="Export the network",
            width=220,
        ),
    ]
