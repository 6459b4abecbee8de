"""The network as hubs load it: its place on the page, and what ``assets/97_hubs1_paint.js`` draws and recolours.

The drawing goes to the browser once for a run. Hour, outcome and selection change there, without the server. A case
whose lines are those of a feeder of the library is drawn as that feeder; any other as bars, a line each.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components.feeder_diagram import packed
from components.hubs_why import substation_parts
from components.hubs_words import FEEDERS, key_of, labels_of, said
from engine.distribution.cases import furnished
from engine.distribution.feeder import Feeder
from engine.distribution.layout import layout
from engine.network.model import Matrix
from engine.pricing.case import HubCase
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

_DESCRIPTION = (
    "The network with the loading of each line at the hour that is drawn, without and with prices, and below it what "
    "is beyond limits hour by hour. The tables below hold the same values."
)
MOST_BARS = 40  # lines that are drawn as bars: the most loaded


def diagram(page: str) -> html.Div:
    """Return the empty place of the diagram with its legend and the strip of the day."""
    host = f"{page}-diagram"
    return html.Div(
        [
            html.P(_DESCRIPTION, id=f"{host}-how", className="visually-hidden"),
            html.Div(
                html.Div(className="hr-feeder-panes", **{"data-hubs-panes": ""}),
                id=host,
                className="hr-feeder-host hr-hubs-host",
                role="group",
                **{"data-hubs-diagram": page, "aria-label": "The network", "aria-describedby": f"{host}-how"},
            ),
            html.Div(className="hr-hubs-legend", role="group", **{"data-hubs-legend": "", "aria-label": "Legend"}),
            html.Div(className="hr-hubs-day", **{"data-hubs-day": ""}),
            html.Div(className="hr-feeder-tip", hidden=True, **{"data-hubs-tip": ""}),
        ],
        className="hr-feeder-diagram hr-hubs-diagram",
        **{"data-hubs-frame": page},
    )


def drawing(run: "HubRun") -> dict[str, Any]:
    """Return the drawing of a run as JSON: places, lines, hubs, and each outcome's loadings in per cent.

    Loadings are (T, L + 1), the last that of the substation; withdrawals (T, I) MW; both packed as
    :func:`components.feeder_diagram.packed` says.
    """
    case = run.case
    feeder = feeder_of(case)
    return {
        "key": f"{run.provenance.get('question_digest', '')}-{run.provenance.get('date', '')}-{len(run.outcomes)}",
        "labels": labels_of(run),
        "names": list(case.network.lines),
        "limits": np.round(case.network.limit_mw, 5).tolist(),
        "substation": None if np.isinf(case.network.import_mw) else round(case.network.import_mw, 5),
        "hubs": [[hub.name, hub.bus] for hub in case.hubs],
        **(_bars(run) if feeder is None else _places(case, feeder)),
        "outcomes": {key_of(each): _values(case, each) for each in run.outcomes},
    }


@lru_cache(maxsize=1)
def _library() -> tuple[Feeder, ...]:
    return tuple(furnished(key) for key in FEEDERS)


def feeder_of(case: HubCase) -> Feeder | None:
    """Return the feeder of the library whose lines and buses the case has, None for another network."""
    lines, buses = set(case.network.lines), {hub.bus for hub in case.hubs}
    for feeder in _library():
        if lines <= {link.name for link in feeder.links} and buses <= {bus.name for bus in feeder.buses}:
            return feeder
    return None


def _places(case: HubCase, feeder: Feeder) -> dict[str, Any]:
    """Return buses as [name, x, y], links as [name, from, to, place among the lines or -1], and the source."""
    found, tree = layout(feeder), feeder.tree()
    place = {bus.name: at for at, bus in enumerate(feeder.buses)}
    row = {name: at for at, name in enumerate(case.network.lines)}
    links = [
        [link.name, place[tree.buses[parent]], place[bus], row.get(link.name, -1)]
        for bus, parent, link in zip(tree.buses, tree.parents, tree.links, strict=True)
        if link is not None
    ]
    return {
        "own": found.own,
        "buses": [
            [bus.name, *point] for bus, point in zip(feeder.buses, np.round(found.points, 3).tolist(), strict=True)
        ],
        "links": links,
        "source": place[feeder.source_bus],
    }


def _bars(run: "HubRun") -> dict[str, Any]:
    """Return which lines are drawn as bars: those most loaded in any outcome."""
    limit = run.case.network.limit_mw[:, np.newaxis]
    most = np.max([np.abs(each.overloads.flow_mw / limit).max(axis=1) for each in run.outcomes], axis=0, initial=0.0)
    return {"bars": np.argsort(-most)[:MOST_BARS].tolist() if most.size else []}


def _values(case: HubCase, outcome: Outcome) -> dict[str, Any]:
    over = outcome.overloads
    beyond = over.line_mw.sum(axis=0) + over.substation_mw
    return {
        "words": said(outcome),
        "loading": packed(_loading(case, outcome)),
        "draw": packed(outcome.withdrawal_mw.T),
        "sub": np.round(over.substation_flow_mw, 4).tolist(),
        "beyond": np.round(beyond, 4).tolist(),
    }


def _loading(case: HubCase, outcome: Outcome) -> Matrix:
    """Return loadings (T, L + 1) in per cent of limits, the substation last; nan where it has none."""
    network = case.network
    lines = np.abs(outcome.overloads.flow_mw) / network.limit_mw[:, np.newaxis]
    whole = substation_parts(network, outcome.overloads.substation_flow_mw)
    whole = np.full(case.periods, np.nan) if np.isinf([network.import_mw, network.export_mw]).all() else whole
    return np.asarray(100.0 * np.vstack([lines, whole[np.newaxis]]).T)
