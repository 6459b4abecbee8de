"""What was understood of a file, before it is taken."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from components import ids, skeleton
from components.format import count, megawatts
from components.network_forms import READ_ONLY, problems_list
from engine.errors import Problem
from engine.network.tables import LISTS

MOST_SHOWN = 40
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
                        id=ids.NETWORK_UPLOAD,
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
                        skeleton.word_select(ids.NETWORK_LIBRARY, list(library), library[0][0], "Named grid"),
                        skeleton.button("Show", ids.NETWORK_LIBRARY_SHOW),
                    ],
                    className="hr-draw-buttons",
                ),
            ),
            html.Div(id=ids.NETWORK_UPLOADED, role="status"),
            html.Div(
                [
                    skeleton.button(
                        "Replace network", ids.NETWORK_REPLACE, primary=True, disabled=True,
                        title=READ_ONLY if read_only else "Undo brings the present one back",
                    ),
                    skeleton.button("New study", ids.NETWORK_AS_NEW, disabled=True),
                ],
                className="hr-draw-buttons",
            ),
        ]
    )  # fmt: skip


def understood(summary: Mapping[str, Any], problems: Sequence[Problem]) -> html.Div:
    """Return the counts, the notes and the problems of a network that can be taken."""
    errors = [p.message for p in problems if p.severity == "error"]
    warnings = [p.message for p in problems if p.severity == "warning"]
    notes = [p.message for p in problems if p.severity == "note"]
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
                    ("Load", megawatts(summary["load_mw"])),
                    ("Capacity", megawatts(summary["capacity_mw"])),
                    ("With longitude and latitude", places),
                ]
            ),
            _listed("failed", "To mend before computing", errors),
            _listed("partial", "Worth knowing", warnings),
            _listed("done", "Understood", notes),
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


def _listed(kind: Any, title: str, lines: Sequence[str]) -> Any:
    if not lines:
        return None
    shown = list(lines[:MOST_SHOWN])
    if len(lines) > MOST_SHOWN:
        shown.append(f"and {len(lines) - MOST_SHOWN} more")
    items = html.Ul([html.Li(line) for line in shown], className="hr-state-details")
    return html.Details(
        [html.Summary(f"{title}: {len(lines)}"), items], open=kind == "failed", className="hr-draw-more"
    )
