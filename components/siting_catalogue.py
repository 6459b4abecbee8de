"""The Catalogue tab: every candidate with its standing and reason, the files, and the timeline of versions."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids, siting_cards, siting_ids
from components.capacity_answer import pressed_button
from components.format import count, megawatts, number, percent
from components.icons import icon
from components.siting_basis import days_and_floor
from components.siting_site import SOURCE, WHY, SiteStudy, small_table
from components.siting_states import changed_words
from components.skeleton import Part, facts, job_stores, section, state
from components.tables import GridColumn, grid, tools
from components.why_card import why_card, why_number
from engine.siting.catalogue import METRIC_COLUMNS, STANDINGS, Catalogue, Changes, Entry
from engine.siting.corridors import HeadroomChange
from engine.siting.question import SitingQuestion
from engine.siting.ranking import criterion_words, metric_criteria

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
_COMMITTED = "the committed loads"  # told one by one
_MOST_NAMED = 12
_METRIC_HEADS = {name: criterion_words(one) for name, one in zip(METRIC_COLUMNS, metric_criteria(), strict=True)}
_SHOWN_METRICS = ("all_mean_lmp", "on_peak_p95_p5", "on_peak_rent")


def place() -> html.Div:
    """Return the tab: entries with their files, then the versions."""
    refresh = siting_ids.REFRESH
    options = [{"value": ALL, "label": "every standing"}, *({"value": one, "label": one} for one in STANDINGS)]
    choose = dbc.Select(
        id=siting_ids.STANDING, options=options, value=ALL, class_name="hr-input hr-input-small",
    )  # fmt: skip
    head = html.Div(
        [
            html.Label(["Standing ", choose], className="hr-siting-inline"),
            tools(ids.SITING, name=GRID, label="Filter the catalogue", csv_name="catalogue-shown.csv"),
            html.Div([_file(name, words) for name, (_, _, words) in FILES.items()], className="hr-siting-files"),
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
                    html.Div(id=siting_ids.ENTRIES),
                    head,
                    html.Div(
                        grid(ids.SITING, columns(), name=GRID, key="bus", label="Catalogue"),
                        className="hr-siting-grid",
                    ),
                ],
                className="hr-siting-half",
            ),
            html.Div(html.Div(id=refresh, **{"aria-live": "polite"}), className="hr-siting-half"),
        ],
        className="hr-siting-halves",
    )


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
        GridColumn("standing", "Standing", width=140),
        GridColumn("rate", "Pass rate", "%", "number", 2, width=124),
        GridColumn("most", "At most", "%", "number", 2, width=114, help="Where verdicts are open"),
        GridColumn("place", "Place", "", "number", 0, width=76),
        GridColumn("score", "Score", "", "number", 3, width=80, sign="flexible"),
        GridColumn("largest", "Largest size that passes", "MW", "number", 0, width=150),
        *(GridColumn(name, _METRIC_HEADS[name], "", "number", 3, width=150) for name in _SHOWN_METRICS),
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
        "standing": entry.standing,
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
    if entry.standing == "not in market":
        return "passed the gate; the market was not run for it"
    if entry.standing == "market infeasible":
        return "a day of the market has no schedule with it"
    if entry.standing == "market time limit":
        return "a day of the market ran out of time"
    return f"strict reading fails first at {entry.first_failure}" if entry.first_failure else "every outage passes"


def summary(catalogue: Catalogue, study: SiteStudy) -> Part:
    """Return how many entries stand where, for what is drawn."""
    own = catalogue.of(study.envelope, study.size_mw)
    counts = [(one, sum(entry.standing == one for entry in own)) for one in STANDINGS]
    lines: list[tuple[Part, Part]] = [
        (one[:1].upper() + one[1:], number_with_card(study, one, amount, len(own))) for one, amount in counts if amount
    ]
    head = f"Catalogue: {study.envelope}, {megawatts(study.size_mw)}, {count(len(own), 'candidate')}"
    how = why_number("siting-why-catalogue", WHY, siting_cards.catalogue(study), label="the columns of the catalogue")
    return section(
        head,
        facts([*lines, ("How each column is made", how)]),
        html.P(days_and_floor(study.market), className="hr-muted"),
    )


def number_with_card(study: SiteStudy, standing: str, amount: int, of: int) -> Part:
    """Return a count of entries that says why."""
    said = {
        "qualified": "the pass rate reaches the threshold and every market day has a schedule",
        "gate failed": "even if all that is open passed, the pass rate would stay below the threshold",
        "gate undecided": "the bounds on the pass rate lie on both sides of the threshold",
        "not in market": "the pass rate reaches the threshold; the site was not taken to the market",
        "market infeasible": "some market day has no schedule with the load",
        "market time limit": "some market day found no schedule in its time",
    }[standing]
    card = why_card(
        f"{number(amount)} of {number(of)} stand as \u201c{standing}\u201d",
        formula="*r* \u2265 *\u03c4*" if standing != "gate failed" else "*r*_{max} < *\u03c4*",
        values=[("threshold *\u03c4*", percent(study.threshold))],
        binds=[said[:1].upper() + said[1:]],
        inputs=study.inputs(market=True),
        source=SOURCE,
    )
    key = standing.replace(" ", "-")
    return why_number(f"siting-why-standing-{key}", number(amount), card, label=f"entries that stand as {standing}")


def nothing_yet() -> Part:
    """Return the tab before there is an answer."""
    return state("empty", "Every candidate with its standing and reason appears here once the gate is computed.")


# Versions


def timeline(
    versions: Sequence[Mapping[str, Any]], found: Sequence[Part], ask: Part, *, size_mw: float, owner: bool
) -> Part:
    """Return the versions, newest first, each with what changed since the one before (``found``, in their order).

    Counts are told of the size that is drawn.
    """
    own = f", {size_mw:g} MW"
    parts: list[Part] = [
        html.P(
            "A refresh places a load, commits it, runs the gate and the market again, and keeps the catalogue as a "
            "version: what entered, what left, and how places moved.",
            className="hr-muted",
        ),
        ask if owner else state("read-only", "Versions are kept by the study's owner."),
    ]
    lines = [
        html.Li(
            [
                html.Div(
                    [
                        html.Strong(f"Version {content['version']}"),
                        f", {str(content['made'])[:16].replace('T', ' ')} UTC",
                        html.Span(f": {content['placed']}" if content["placed"] else "", className="hr-muted"),
                    ]
                ),
                html.Div(
                    "; ".join(
                        f"{name}: {number(amount)} pass"
                        for name, amount in content["passed"].items()
                        if name.endswith(own)
                    ),
                    className="hr-muted",
                ),
                _files_of(int(content["version"]), str(content["network"])),
                changed,
            ]
        )
        for content, changed in zip(versions, found, strict=True)
    ]
    parts.append(
        html.Ol(lines, className="hr-siting-versions", reversed=True)
        if lines
        else html.P("No version is kept yet.", className="hr-muted")
    )
    return section("Versions and refresh", *parts)


def _files_of(version: int, network: str) -> Part:
    """Return the digest of a version's network, and its files."""
    buttons = [
        html.Button(
            [icon("download", size=14), html.Span(FILES[name][0])],
            type="button",
            className="hr-button hr-button-quiet",
            title=f"Version {version}: {FILES[name][2]}",
            **{"data-siting-keep": f"{version}:{name}"},
        )
        for name in VERSION_FILES
    ]
    told = html.Div(["Network ", html.Span(network[:12], className="hr-num")], className="hr-muted")
    return html.Div([told, html.Div(buttons, className="hr-siting-files")])


def causes(before: Catalogue, after: Catalogue) -> list[str]:
    """Return in words what is different between two versions before anything was computed."""
    old, new = before.manifest, after.manifest
    found = []
    if old["network"] != new["network"]:
        found.append(f"the network was edited: {old['network'][:12]} became {new['network'][:12]}")
    was, now = (SitingQuestion.from_json(told["question"]) for told in (old, new))
    added = [load for load in now.committed if load not in was.committed]
    gone = [load for load in was.committed if load not in now.committed]
    for listed, words in ((added, "was committed"), (gone, "is not committed any more")):
        found += [f"{load.nameplate_mw:g} MW {load.envelope.name} at bus {load.bus} {words}" for load in listed]
    found += [f"{words} changed" for words in changed_words(was, now) if words != _COMMITTED]
    if was.threshold != now.threshold:
        found.append(f"the threshold went from {percent(was.threshold)} to {percent(now.threshold)}")
    if (was.criteria, was.criteria_file, was.group_weights) != (now.criteria, now.criteria_file, now.group_weights):
        found.append("your own criteria changed")
    if old.get("market_question") != new.get("market_question"):
        found.append("what was asked of the market changed")
    ranking, other = (told.get("ranking") or {} for told in (old, new))
    for name, words in (("group_weights", "weights"), ("scaling", "scaling"), ("shortlist", "length of the shortlist")):
        if ranking and other and ranking[name] != other[name]:
            found.append(f"the {words} changed")
    return found


def corridor_table(version: int, listed: Sequence[HeadroomChange]) -> Part:
    """Return what happened to the headroom of corridors since the version before."""
    rows = [
        (
            one.name,
            (number(one.before_mw), "" if one.before_mw is None else one.before_mw),
            (number(one.after_mw), "" if one.after_mw is None else one.after_mw),
            (number(one.change_mw), "" if math.isnan(one.change_mw) else one.change_mw),
        )
        for one in listed
    ]
    heads = ["Corridor", "Headroom before, MW", "Now, MW", "Change, MW"]
    return small_table(
        f"corridors-{version}", f"Headroom of corridors, version {version}", heads, rows, file=f"corridors-{version}",
        note="The least over the hours of the ratings less the net flow of a least-cost dispatch, without outages: an "
        "indicator; the gate alone certifies.",
    )  # fmt: skip


def no_corridors() -> Part:
    """Return why the headroom of corridors is not compared."""
    words = "The headroom of corridors is compared where both versions have theirs, of at most 100 hours."
    return html.P(words, className="hr-muted")


def basis(catalogue: Catalogue) -> str:
    """Return the days and the noise floor of a version, "" without a market."""
    told = catalogue.manifest
    if "market" not in told:
        return ""
    days = ", ".join(str(day["label"]) for day in told["market"]["days"])
    floor = told.get("noise_floor", {}).get("on_peak_p95_p5")
    noise = "" if floor is None else f" Noise floor of the on-peak P95-P5: {number(floor, 3)} $/MWh."
    return f"Market days: {days}.{noise}"


def ask_refresh(words: str) -> Part:
    """Return the press that places a load and runs again."""
    return html.Div(
        [html.P(f"Next: {words}."), pressed_button("Place it, commit and run again", siting_ids.REFRESH_RUN)]
    )


def change_table(
    version: int,
    listed: Sequence[Changes],
    words: Mapping[str, str],
    *,
    because: Sequence[str] = (),
    note: str = "",
    why: Part = None,
    corridors: Part = None,
) -> Part:
    """Return what changed since the version before; ``words`` are buses in words.

    ``because`` are :func:`causes`, ``note`` tells the days and the noise floor of the version, ``why`` is the card of
    the table, ``corridors`` what happened to their headroom.
    """
    table_rows = []
    for one in listed:
        left = [f"{words.get(bus, bus)} ({now})" for bus, now in one.left]
        moves = [f"{words.get(bus, bus)} {before}\u2192{after}" for bus, before, after in one.moves]
        table_rows.append(
            (
                f"{one.envelope}, {one.nameplate_mw:g} MW",
                f"{number(one.before)} \u2192 {number(one.after)}",
                _named([words.get(bus, bus) for bus in one.entered]),
                _named(left),
                number(one.spearman, 3),
                _named(moves, 5),
            )
        )
    heads = ["Envelope and size", "Qualified", "Entered", "Left, and now", "Spearman of scores", "Places that moved"]
    parts: list[Part] = [
        small_table(
            f"changes-{version}", f"Changes of version {version}", heads, table_rows, text=(0, 2, 3, 5),
            file=f"changes-{version}", note=note, why=why,
        )
    ]  # fmt: skip
    grew = [f"{one.envelope}, {one.nameplate_mw:g} MW" for one in listed if one.grew]
    if grew:
        parts.append(
            html.P(
                f"More sites qualify than before ({', '.join(grew)}): the load relieves limits. An exception, told "
                "as one.",
                className="hr-sign-binding",
            )
        )
    said = "; ".join(because) or "nothing that was asked"
    told = html.P(f"Since the version before: {said}.", className="hr-muted")
    return html.Div([told, html.Details([html.Summary("What changed"), *parts, corridors])])


def _named(names: Sequence[str], most: int = _MOST_NAMED) -> tuple[str, str]:
    """Return what a reader sees of a list, and all of it for the CSV."""
    shown = ", ".join(names[:most]) or "none"
    if len(names) > most:
        shown += f" and {number(len(names) - most)} more"
    return shown, "; ".join(names)
