"""What was understood of a file, before it is taken."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dash import dcc, html

from components import network_ids, sentence, skeleton
from components.format import count, megawatts
from components.network_forms import READ_ONLY, problems_list
from engine.errors import Problem
from engine.network.foreign import LEFT_OUT
from engine.network.imported import Snapshots
from engine.network.tables import LISTS

MOST_SHOWN = 40
MOST_ALIKE = 3  # warnings of one kind that are told one by one
MOST_SNAPSHOTS = 9_000  # in the list to choose from: a year of hours
_LONGEST_MW = 1e9
Part = Any


def import_panel(library: Sequence[tuple[str, str]], most_bytes: int, *, read_only: bool) -> Part:
    """Return the panel that takes files and named grids; what was understood of them is shown in it first.

    ``most_bytes`` is the size of the largest file that is read.
    """
    return html.Div(
        [
            skeleton.section(
                "From a file",
                html.Div(
                    dcc.Upload(
                        html.Button("Choose a file, or drop it here", type="button", className="hr-button"),
                        id=network_ids.UPLOAD,
                        multiple=True,
                        className="hr-draw-upload",
                    ),
                    **{"data-draw-upload": str(most_bytes)},  # larger ones are refused before they are sent
                ),
                html.P(
                    "MATPOWER .m, PSS/E .raw (33 to 35), pandapower JSON, PyPSA (.nc, or its CSV folder in a zip), "
                    "buses.csv with branches.csv or their zip, GeoJSON, or our JSON (.gz too).",
                    className="hr-muted",
                ),
            ),
            skeleton.section(
                "From the library",
                html.Div(
                    [
                        sentence.word_select(network_ids.LIBRARY, list(library), library[0][0], "Named grid"),
                        skeleton.button("Show", network_ids.LIBRARY_SHOW),
                    ],
                    className="hr-draw-buttons",
                ),
            ),
            html.Div(
                skeleton.section(
                    "Snapshot",
                    html.Div(
                        sentence.word_select(network_ids.SNAPSHOT, [], "", "Which snapshot of the file is read"),
                        className="hr-draw-buttons",
                    ),
                ),
                id=network_ids.SNAPSHOTS,
                hidden=True,
            ),
            html.Div(id=network_ids.UPLOADED, role="status"),
            html.Div(
                [
                    skeleton.button(
                        "Replace network", network_ids.REPLACE, primary=True, disabled=True,
                        title=READ_ONLY if read_only else "Undo brings the present one back",
                    ),
                    skeleton.button("New study", network_ids.AS_NEW, disabled=True),
                ],
                className="hr-draw-buttons hr-draw-take",
            ),
        ]
    )  # fmt: skip


def snapshot_choices(snapshots: Snapshots | None) -> list[dict[str, str]]:
    """Return the snapshots to choose from, in their order, each with its load; of very many those with the most."""
    if snapshots is None:
        return []
    loads = np.array(snapshots.load_mw)
    listed = np.sort(np.argsort(-loads, kind="stable")[:MOST_SNAPSHOTS]).tolist()
    if snapshots.at not in listed:
        listed.append(snapshots.at)
    return [{"value": str(at), "label": f"{snapshots.names[at]}, {_load(loads[at])}"} for at in listed]


def understood(summary: Mapping[str, Any], problems: Sequence[Problem]) -> html.Div:
    """Return the counts, the notes and the problems of a network that can be taken."""
    errors = [p.message for p in problems if p.severity == "error"]
    left = [p.message for p in problems if p.code == LEFT_OUT]
    warnings = [p for p in problems if p.severity == "warning" and p.code != LEFT_OUT]
    notes = [p.message for p in problems if p.severity == "note" and p.code != LEFT_OUT]
    places = "all" if summary["places"] == summary["buses"] else str(summary["places"])
    return html.Div(
        [
            html.H3(str(summary["name"]), className="hr-draw-title"),
            skeleton.facts(
                [
                    ("Buses", count(summary["buses"], "bus", "buses")),
                    ("Branches", count(summary["branches"], "branch", "branches")),
                    ("Units", count(summary["units"], "unit")),
                    *((name.capitalize(), str(summary[name])) for name in LISTS if summary[name]),
                    ("Load", _load(summary["load_mw"])),
                    ("Capacity", megawatts(summary["capacity_mw"])),
                    ("With longitude and latitude", places),
                ]
            ),
            _listed("To mend before computing", errors),
            _listed("Not carried", left),
            _listed("Worth knowing", _alike(warnings), len(warnings)),
            _listed("Understood", notes, unfolded=False),
        ]
    )


def refused(reasons: Sequence[str], name: str) -> html.Div:
    """Return why a file is not taken, every reason at once."""
    shown = list(reasons[:MOST_SHOWN])
    if len(reasons) > MOST_SHOWN:
        shown.append(f"and {len(reasons) - MOST_SHOWN} more")
    return html.Div(
        [
            problems_list(shown, f"{name} was not taken"),
            html.P("The open study is as it was.", className="hr-muted"),
        ]
    )


def _load(value_mw: float) -> str:
    """Return a load; one that is out of range in powers of ten."""
    return f"{value_mw:g} MW" if abs(value_mw) >= _LONGEST_MW else megawatts(value_mw)


def _alike(problems: Sequence[Problem]) -> list[str]:
    """Return what problems say; of many of one code the first, and how many more there are."""
    counts, lines = Counter(problem.code for problem in problems), []
    said: set[str] = set()
    for problem in problems:
        if counts[problem.code] <= MOST_ALIKE:
            lines.append(problem.message)
        elif problem.code not in said:
            lines.append(f"{problem.message}; {counts[problem.code] - 1} more like this")
            said.add(problem.code)
    return lines


def _listed(title: str, lines: Sequence[str], found: int | None = None, *, unfolded: bool = True) -> Any:
    if not lines:
        return None
    shown = list(lines[:MOST_SHOWN])
    if len(lines) > MOST_SHOWN:
        shown.append(f"and {len(lines) - MOST_SHOWN} more")
    items = html.Ul([html.Li(line) for line in shown], className="hr-state-details")
    return html.Details(
        [html.Summary(f"{title}: {found or len(lines)}"), items], open=unfolded, className="hr-draw-more"
    )
