"""The Catalogue tab: every candidate with its standing and reason, the files, and the timeline of versions."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids, siting_cards, siting_ids
from components.format import count, megawatts, number, percent, sentence
from components.icons import icon
from components.siting_basis import days_and_floor
from components.siting_site import SOURCE, WHY, SiteStudy
from components.skeleton import Part, facts, job_stores, section, state
from components.tables import GridColumn, grid, tools
from components.why_card import why_card, why_number
from engine.siting.catalogue import METRIC_COLUMNS, STANDINGS, Catalogue, Entry
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, METRICS, WINDOW_WORDS, WINDOWS

GRID = "catalogue"
ALL = "all"
FILES: Mapping[str, tuple[str, str, str]] = {  # name: file, type, words
    "csv": ("catalogue.csv", "text/csv", "CSV, every column"),
    "geojson": ("catalogue.geojson", "application/geo+json", "GeoJSON, points with every column"),
    "manifest": ("manifest.json", "application/json", "Manifest: case, hours, outages, tolerances, solver"),
    "json": ("catalogue.json", "application/json", "JSON, the whole version"),
    "redacted": ("catalogue-redacted.json", "application/json", "Redacted archive: no bus or element is named"),
}
VERSION_FILES = ("csv", "json", "manifest", "redacted")  # of a kept version
_COMPILING = "The catalogue is being compiled"
_REASONS: Mapping[str, str] = {
    "criteria failed": "stopped by your own criteria; the gate lets it through",
    "not in market": "passed the gate; the market was not run for it",
    "market infeasible": "a day of the market has no schedule with it",
    "market time limit": "a day of the market ran out of time",
}
# On the page "qualified" is the gate's word; the files keep one word each.
STANDING_WORDS: Mapping[str, str] = {
    "qualified": "qualified and priced",
    "gate failed": "gate failed",
    "gate undecided": "gate undecided",
    "criteria failed": "stopped by your criteria",
    "market infeasible": "qualified, no market schedule",
    "market time limit": "qualified, market out of time",
    "not in market": "qualified, not priced",
}
_METRICS = {  # of a column: its words and its unit
    f"{window}_{metric}": (sentence(f"{WINDOW_WORDS[window]} {METRIC_WORDS[metric]}"), METRIC_UNITS[metric])
    for window in WINDOWS
    for metric in METRICS
}
_SHOWN_METRICS = ("all_mean_lmp", "on_peak_p95_p5", "on_peak_rent")


def place() -> html.Div:
    """Return the tab: entries with their files, then the versions."""
    refresh = siting_ids.REFRESH
    options = [
        {"value": ALL, "label": "every standing"},
        *({"value": one, "label": STANDING_WORDS[one]} for one in STANDINGS),
    ]
    choose = dbc.Select(
        id=siting_ids.STANDING, options=options, value=ALL, class_name="hr-input hr-input-small",
    )  # fmt: skip
    head = html.Div(
        [
            html.Label(["Standing ", choose], className="hr-siting-inline"),
            tools(ids.SITING, name=GRID, label="Filter the catalogue", csv_name="catalogue-shown.csv"),
            html.Div([_file(name, words) for name, (_, _, words) in FILES.items()], className="hr-siting-files"),
            html.P(id=siting_ids.KEEP_SAID, className="hr-muted", role="status"),
        ],
        className="hr-siting-ways",
    )
    return html.Div(
        [
            dcc.Store(id=siting_ids.KEEP),
            dcc.Download(id=siting_ids.KEEP_FILE),
            *job_stores(refresh),
            dcc.Store(id=f"{refresh}-held", storage_type="session"),
            dcc.Store(id=f"{siting_ids.REFRESH_RUN}-pressed"),
            html.Div(
                [
                    html.Div(state("computing", _COMPILING), id=siting_ids.ENTRIES),
                    head,
                    html.Div(
                        _grid(),
                        className="hr-siting-grid",
                    ),
                ],
                className="hr-siting-half",
            ),
            html.Div(html.Div(id=refresh, **{"aria-live": "polite"}), className="hr-siting-half"),
        ],
        className="hr-siting-halves",
    )


def _grid() -> html.Div:
    """Return the grid of the entries; until the first rows come it says that they are being compiled."""
    texts = {"noRowsToShow": "No candidate to show", "loadingOoo": _COMPILING}
    found = grid(ids.SITING, columns(), name=GRID, key="bus", label="Catalogue", options={"localeText": texts})
    own = next(part for part in found.children if getattr(part, "id", None) == ids.grid(ids.SITING, GRID))
    own.rowData = None  # not known yet, which is not the same as none
    return found


def _file(name: str, words: str) -> html.Button:
    face = [icon("download", size=14), html.Span(FILES[name][0])]
    return html.Button(
        face, type="button", className="hr-button hr-button-quiet", title=words, **{"data-siting-keep": name}
    )


def columns() -> list[GridColumn]:
    """Return the columns of the entries of one envelope and size."""
    return [
        GridColumn("bus", "Bus", width=84, pinned=True),
        GridColumn("name", "Name", width=150),
        GridColumn("standing", "Standing", width=180, help="Qualified: passes the gate. Priced: the market serves it"),
        GridColumn("rate", "Pass rate", "%", "number", 2, width=124),
        GridColumn("most", "At most", "%", "number", 2, width=114, help="Where verdicts are open"),
        GridColumn("place", "Place", "", "number", 0, width=76),
        GridColumn("score", "Score", "", "number", 3, width=80, sign="flexible"),
        GridColumn("largest", "Largest size that passes", "MW", "number", 0, width=150),
        *(GridColumn(name, *_METRICS[name], "number", 3, width=190) for name in _SHOWN_METRICS),
        GridColumn("reason", "Reason", width=360, help="First failing hour and outage, or why it is not ranked"),
    ]  # fmt: skip


def rows(catalogue: Catalogue, study: SiteStudy, standing: str) -> list[dict[str, Any]]:
    """Return the rows of the envelope and size that are drawn, of one standing or of all."""
    names = dict(zip(study.network.buses.ids, study.network.buses.names, strict=True))
    return [
        _row(entry, names.get(entry.bus, ""))
        for entry in sorted(
            catalogue.of(study.envelope, study.size_mw),
            key=lambda entry: (entry.place is None, entry.place or 0, -entry.pass_rate),
        )
        if standing in {ALL, entry.standing}
    ]


def _row(entry: Entry, name: str) -> dict[str, Any]:
    metrics = dict(zip(METRIC_COLUMNS, entry.metrics, strict=False))
    return {
        "bus": entry.bus,
        "name": name,
        "standing": STANDING_WORDS[entry.standing],
        "rate": 100 * entry.pass_rate,
        "most": 100 * entry.pass_rate_at_most,
        "place": entry.place,
        "score": entry.score,
        "largest": entry.largest_mw,
        "reason": reason(entry),
        **{column: metrics.get(column) for column in _SHOWN_METRICS},
    }


def reason(entry: Entry) -> str:
    """Return why an entry stands where it does, in words."""
    if entry.standing == "gate failed":
        return f"first failure: {entry.first_failure}"
    if entry.standing == "gate undecided":
        return f"{percent(entry.pass_rate_at_most - entry.pass_rate, 1)} of hours and outages are open"
    if entry.standing in _REASONS:
        return _REASONS[entry.standing]
    return f"strict reading fails first at {entry.first_failure}" if entry.first_failure else "every outage passes"


def summary(catalogue: Catalogue, study: SiteStudy) -> Part:
    """Return how many entries stand where, for what is drawn."""
    own = catalogue.of(study.envelope, study.size_mw)
    counts = [(one, sum(entry.standing == one for entry in own)) for one in STANDINGS]
    lines: list[tuple[Part, Part]] = [
        (sentence(STANDING_WORDS[one]), number_with_card(study, one, amount, len(own)))
        for one, amount in counts
        if amount
    ]
    qualified = sum(amount for one, amount in counts if STANDING_WORDS[one].startswith("qualified"))
    head = f"Catalogue: {study.envelope}, {megawatts(study.size_mw)}, {count(len(own), 'candidate')}"
    how = why_number("siting-why-catalogue", WHY, siting_cards.catalogue(study), label="the columns of the catalogue")
    return section(
        head,
        facts([*lines, ("How each column is made", how)]),
        html.P(
            f"{count(qualified, 'candidate')} {'qualifies' if qualified == 1 else 'qualify'}, as counted above the "
            f"map; {number(dict(counts)['qualified'])} of them priced by the market.",
            className="hr-muted",
        ),
        html.P(days_and_floor(study.market), className="hr-muted"),
    )


def number_with_card(study: SiteStudy, standing: str, amount: int, of: int) -> Part:
    """Return a count of entries that says why."""
    words = STANDING_WORDS[standing]
    said = {
        "qualified": "the pass rate reaches the threshold and every market day has a schedule",
        "gate failed": "even if all that is open passed, the pass rate would stay below the threshold",
        "gate undecided": "the bounds on the pass rate lie on both sides of the threshold",
        "criteria failed": "the gate lets it through; one of your own criteria stops it",
        "not in market": "the pass rate reaches the threshold; the site was not taken to the market",
        "market infeasible": "some market day has no schedule with the load",
        "market time limit": "some market day found no schedule in its time",
    }[standing]
    card = why_card(
        f"{number(amount)} of {number(of)} stand as \u201c{words}\u201d",
        formula="*r* \u2265 *\u03c4*" if standing != "gate failed" else "*r*_{max} < *\u03c4*",
        values=[("threshold *\u03c4*", percent(study.threshold))],
        binds=[said[:1].upper() + said[1:]],
        inputs=study.inputs(market=True),
        source=SOURCE,
    )
    key = standing.replace(" ", "-")
    return why_number(f"siting-why-standing-{key}", number(amount), card, label=f"entries that stand as {words}")


def nothing_yet() -> Part:
    """Return the tab before there is an answer."""
    return state("empty", "Every candidate with its standing and reason appears here once the gate is computed.")
