"""The Siting page: the question, the funnel, the map of qualified and shortlisted buses, the sheet, the tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import (
    ids,
    siting_agreement,
    siting_auction,
    siting_catalogue,
    siting_compare,
    siting_ids,
    siting_pathways,
    siting_sheet,
    siting_studies,
)
from components.grid_map import Bounds, grid_map, layers_data
from components.siting_controls import strip
from components.siting_layers import empty_layers
from components.siting_market import place as market_place
from components.siting_question import Choices, question
from components.siting_tables import GRIDS, drawer
from components.siting_totals import empty_totals
from components.siting_view import View
from components.skeleton import Part, page, state, workbench
from components.tables import tools
from engine.network.model import Network
from engine.siting.defaults import starting_market
from engine.siting.market_run import MarketQuestion
from engine.siting.question import SitingQuestion

TITLE = "Siting of flexible data centres"
TAB_WORDS = {
    "ranked": "Ranking",
    "candidates": "Candidates",
    "prices": "Prices",
    "envelopes": "Envelopes",
    "zones": "Zones",
    "sizes": "Sizes",
    "pathways": "Time to power",
    "catalogue": "Catalogue",
    "studies": "Studies",
    "agreement": "Agreement",
    "auction": "Auction",
}


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What the page is opened with."""

    study: str
    network: Network
    question: SitingQuestion
    market: MarketQuestion
    view: View
    bounds: Bounds
    geographic: bool
    texas: bool  # the county outline is drawn
    map_urls: tuple[str, str]  # buses, branches
    files: Choices = ()  # of hours
    criteria_files: Choices = ()
    read_only: bool = False
    problems: Sequence[str] = field(default_factory=tuple)  # what of the link could not be read


def layout(opened: Opened) -> html.Main:
    """Return the page. Its numbers come with the first callback, once the map is on its way."""
    asked, view = opened.question, opened.view
    bench = workbench(
        ids.SITING,
        _map(opened),
        html.Div(
            [
                html.Div(
                    [
                        html.Div(nothing_yet(), id=f"{siting_ids.OVERVIEW}-head"),
                        market_place(opened.market),
                        html.Div(id=f"{siting_ids.OVERVIEW}-rest"),
                    ],
                    id=siting_ids.OVERVIEW,
                    hidden=bool(view.selection),
                ),
                html.Div(siting_sheet.place(), id=f"{siting_ids.SHEET}-place", hidden=not view.selection),
            ],
            className="hr-siting-inspector",
        ),
        drawer(view.tab, _panels(asked)),
        totals=empty_totals(asked),
        drawer_tools=_drawer_tools(view.tab),
        drawer_title="Table",
    )
    _select_first(bench, view.selection)
    return page(
        *_stores(opened),
        question(asked, files=opened.files, read_only=opened.read_only),
        html.Div(id=siting_ids.STATE, className="hr-siting-state", **{"aria-live": "polite"}),
        strip(asked, view, opened.criteria_files, read_only=opened.read_only),
        html.Div([bench], id=siting_ids.FRAME, className="hr-siting-frame"),
        title=TITLE,
        class_name="hr-siting",
    )


def _panels(question: SitingQuestion) -> dict[str, Part]:
    """Return the drawer's tabs that are no grid."""
    names = [one.name for one in question.envelopes]
    parts: dict[str, Part] = {
        "envelopes": html.Div(siting_compare.place(names), id=siting_ids.COMPARE),
        "zones": html.Div(state("computing", "Counting the sites of each zone."), id=siting_ids.ZONES),
        "sizes": html.Div(
            state("computing", "Reading from the verdicts what they prove at every size."),
            id=f"{siting_ids.SIZES_CHART}-table",
        ),
        "pathways": html.Div(siting_pathways.place(), id=siting_ids.PATHWAYS),
        "catalogue": html.Div(siting_catalogue.place(), id=siting_ids.CATALOGUE),
        "studies": html.Div(siting_studies.place(), id=siting_ids.STUDIES),
        "agreement": html.Div(siting_agreement.place(), id=siting_ids.AGREEMENT),
        "auction": siting_auction.place(),
    }
    return {name: html.Div(content, className="hr-siting-panel") for name, content in parts.items()}


def nothing_yet() -> html.Div:
    """Return what the inspector says before there is an answer."""
    return state("empty", "The funnel from candidates to shortlist appears here once the gate has screened an hour.")


def unusable(study: str, problems: Sequence[str]) -> html.Main:
    """Return the page of a network that cannot be screened yet: every reason, and where to mend it."""
    way = dcc.Link(
        "Mend it on the Network page", href=f"/network?study={study}", className="hr-button hr-button-primary"
    )
    words = "Sites can be screened once these are mended."
    return _alone(state("infeasible", words, title="The network is not complete", details=list(problems), action=way))


def _alone(content: Part) -> html.Main:
    return page(html.Div(content, className="hr-siting-alone"), title=TITLE)


def _stores(opened: Opened) -> list[Part]:
    start = {
        "question": opened.question.to_json(),
        "market": starting_market(
            opened.network, opened.question
        ).to_json(),  # a link that asks another keeps its words
        "problems": list(opened.problems),
    }
    return [
        dcc.Store(id=siting_ids.STUDY, data=opened.study),
        dcc.Store(id=f"{siting_ids.STUDY}-start", data=start),
        dcc.Store(id=siting_ids.FOUND),
        dcc.Store(id=siting_ids.ANSWERED),
        dcc.Store(id=siting_ids.JOB),
        dcc.Store(id=f"{siting_ids.JOB}-seen"),  # written by nobody, as in grid_map.register_map
        dcc.Store(id=siting_ids.JOB_ENDED),
        dcc.Store(id=siting_ids.QUERY),
        dcc.Store(id=siting_ids.ADDRESS),
        dcc.Store(id=f"{siting_ids.MARKET_RUN}-pressed"),
        dcc.Store(id=f"{siting_ids.MARKET_WEEK}-pressed"),
        dcc.Store(id=f"{siting_ids.MARKET_NOISE}-pressed"),
        dcc.Store(id=f"{siting_ids.WHY_ROW}-asked"),
        dcc.Store(id=f"{siting_ids.TABLES}-shown"),  # written by nobody
        dcc.Store(id=f"{siting_ids.TABLES}-seen"),  # written by nobody
        *(dcc.Store(id=siting_ids.seen(tab)) for tab in TAB_WORDS),
        dcc.Store(id=f"{siting_ids.TABLES}-brushed"),  # written by nobody
        dcc.Store(id=f"{ids.SITING}-words-shown"),  # written by nobody
        dcc.Store(id=f"{siting_ids.SHEET}-shown"),  # written by nobody
    ]


def _map(opened: Opened) -> html.Div:
    layers = empty_layers()
    return grid_map(
        ids.SITING,
        bounds=opened.bounds,
        buses_url=opened.map_urls[0],
        branches_url=opened.map_urls[1],
        geographic=opened.geographic,
        outlines=("states", "texas") if opened.texas else ("states",),
        layers=layers,
        layer=opened.view.layer,
        data=layers_data(layers),
    )


def _drawer_tools(tab: str) -> html.Div:
    tabs = dbc.RadioItems(
        id=siting_ids.TAB,
        options=[{"label": words, "value": name} for name, words in TAB_WORDS.items()],
        value=tab,
        class_name="hr-segments",
    )
    parts = [
        html.Div(
            tools(ids.SITING, name=name, label=f"Filter: {TAB_WORDS[name].lower()}", csv_name=f"siting-{name}.csv"),
            className="hr-siting-tab",
            **{"data-tab-body": name},
        )
        for name in GRIDS
    ]
    view = html.Div(
        dbc.Checklist(
            id=f"{siting_ids.TABLES}-in-view",
            options=[{"label": "In view", "value": "view"}],
            value=[],
            class_name="hr-siting-in-view",
        ),
        className="hr-siting-tab",
        role="group",
        **{"aria-label": "Sites in the table", "data-tab-body": "ranked"},
    )
    return html.Div(
        [html.Div(tabs, role="group", **{"aria-label": "Table"}), view, *parts],
        className="hr-siting-tools",
        id=f"{siting_ids.TABLES}-tools",
        **{"data-tab": tab},
    )


def _select_first(bench: html.Div, selection: str) -> None:
    """Put the link's selection in the workbench's Store."""
    for child in bench.children:
        if getattr(child, "id", None) == ids.selection(ids.SITING):
            child.data = selection or None
