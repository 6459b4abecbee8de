"""The feeder with its campuses and modules: its place on the page, and what ``assets/98_resilience1_paint.js`` draws.

The drawing goes to the browser once for a run, a shock once when it is chosen; the step changes there, without the
server.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components.format import number
from components.resilience_words import (
    METHODS,
    At,
    labels_of,
    letters,
    planned_of,
    played,
    shock_of,
    shock_words,
    sign_of,
    table_of,
)
from engine.distribution.layout import layout
from engine.network.model import Matrix, Vector
from engine.resilience.case import PlacementCase
from engine.resilience.recourse import Answer, Recourse

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

_DESCRIPTION = (
    "The feeder with campuses and modules in the step that is drawn of a shock, and below it the shock step by step. "
    "The tables below hold the same values."
)
_EMPTY = "The feeder is drawn here, with its campuses and the modules placed, as soon as there is a plan."


def diagram(page: str) -> html.Div:
    """Return the empty place of the diagram with its legend and the strip of the shock."""
    host = f"{page}-diagram"
    return html.Div(
        [
            html.P(_DESCRIPTION, id=f"{host}-how", className="visually-hidden"),
            html.P(_EMPTY, className="hr-muted hr-resilience-empty"),
            html.Div(
                html.Div(className="hr-feeder-panes", **{"data-resilience-panes": ""}),
                id=host,
                className="hr-feeder-host hr-hubs-host",
                role="group",
                **{"data-resilience-diagram": page, "aria-label": "The feeder", "aria-describedby": f"{host}-how"},
            ),
            html.Div(
                className="hr-hubs-legend", role="group", **{"data-resilience-legend": "", "aria-label": "Legend"}
            ),
            html.Div(className="hr-hubs-day hr-resilience-strip", **{"data-resilience-day": ""}),
        ],
        className="hr-feeder-diagram hr-hubs-diagram",
        **{"data-resilience-frame": page},
    )


def drawing(run: "ResilienceRun") -> dict[str, Any]:
    """Return the drawing of a run as JSON: places, links, campuses, types, and each method's modules by site."""
    case = run.case
    feeder = case.feeder
    found, tree = layout(feeder), feeder.tree()
    place = {bus.name: at for at, bus in enumerate(feeder.buses)}
    return {
        "key": f"{run.provenance.get('question_digest', '')}-{run.provenance.get('date', '')}-{len(run.planned)}",
        "labels": labels_of(run),
        "own": found.own,
        "buses": [
            [bus.name, *point] for bus, point in zip(feeder.buses, np.round(found.points, 3).tolist(), strict=True)
        ],
        "links": [
            [link.name, place[tree.buses[parent]], place[bus]]
            for bus, parent, link in zip(tree.buses, tree.parents, tree.links, strict=True)
            if link is not None
        ],
        "source": place[feeder.source_bus],
        "campuses": [[place[each.bus], each.size_mw] for each in case.campuses],
        "sites": [place[site] for site in case.sites],
        "types": [
            {"name": kind.name, "letter": letter, "mw": kind.power_mw,
             "mwh": kind.energy_mwh if kind.kind != "generation" else 0.0, "colour": sign_of(at)[0]}
            for at, (kind, letter) in enumerate(zip(case.types, letters(case.types), strict=True))
        ],
        "plans": {each.method: table_of(run, each).tolist() for each in run.planned},
        "limits": [round(feeder.v_min_pu, 4), round(feeder.v_max_pu, 4)],
    }  # fmt: skip


def film(run: "ResilienceRun", at: At) -> dict[str, Any]:
    """Return the shock that is looked at, step by step: what the browser draws of one step, and the strip of all."""
    method, shock = planned_of(run, at).method, shock_of(run, at)
    recourse, answer = played(run, method, shock)
    case, given = run.case, run.case.scenarios
    out = int(given.outage[shock])
    output = outputs(recourse, answer)
    told = series(run, recourse, answer, shock)
    shed = answer.x[recourse.stage.columns.shed]
    return {
        "key": film_key(run, at),
        "title": f"{shock_words(run, shock).capitalize()}, plan {METHODS[method]}: "
        f"{number(float(told['shed'].sum()) * case.step_h, 3)} MWh not served",
        "method": method,
        "event": [int(given.start[shock]), int(given.end[shock])],
        "out": case.links[out] if out >= 0 else "",
        "lost": [int(given.start[shock]), int(given.restored[shock])],
        "voltage": np.round(voltages(case, recourse, answer), 4).T.tolist(),
        "campus": np.round(given.draw_mw[shock], 4).tolist(),
        "output": [np.round(each.T, 4).tolist() for each in output],
        "shed": {bus: np.round(row, 4).tolist() for bus, row in zip(recourse.flows.demands, shed, strict=True)
                 if row.max() > 1e-6},
        "series": {name: np.round(row, 4).tolist() for name, row in told.items()},
    }  # fmt: skip


def film_key(run: "ResilienceRun", at: At) -> str:
    """Return what tells one shock under one plan of one run from all others."""
    known = run.provenance
    of = f"{known.get('question_digest', '')}-{known.get('date', '')}"
    return f"{of}-{planned_of(run, at).method}-{shock_of(run, at)}"


def outputs(recourse: Recourse, answer: Answer) -> list[Matrix]:
    """Return what each type gives at each site (I, T), MW: below 0 where it charges or takes up."""
    col, sites, types = recourse.stage.columns, len(recourse.stage.case.sites), len(recourse.stage.case.types)
    found = np.zeros((types * sites, recourse.stage.case.steps))
    for columns, sign in (
        (col.discharge, 1.0), (col.charge, -1.0), (col.output, 1.0), (col.put_off, 1.0), (col.taken_up, -1.0)
    ):  # fmt: skip
        there = np.flatnonzero(columns[:, 0] >= 0)
        found[there] += sign * answer.x[columns[there]]
    return [np.where(np.abs(each) < 1e-7, 0.0, each) for each in found.reshape(types, sites, -1)]


def voltages(case: PlacementCase, recourse: Recourse, answer: Answer) -> Matrix:
    """Return the lowest voltage of each bus's phases (B, T), p.u.; a bus that shares its feeding bus's has that."""
    squared, _ = recourse.states(0, answer.x)
    size = np.sqrt(np.maximum(squared, 0.0))
    place = {bus.name: at for at, bus in enumerate(case.feeder.buses)}
    found = np.full((len(place), case.steps), np.inf)
    for (bus, _phase), row in zip(recourse.flows.nodes, size, strict=True):
        found[place[bus]] = np.minimum(found[place[bus]], row)
    tree = case.feeder.tree()
    for at, bus in enumerate(tree.buses):
        if not np.isfinite(found[place[bus]]).all():
            parent = tree.parents[at]
            found[place[bus]] = case.feeder.source_pu if parent < 0 else found[place[tree.buses[parent]]]
    return found


def series(run: "ResilienceRun", recourse: Recourse, answer: Answer, shock: int) -> dict[str, Vector]:
    """Return a shock's sums by step (T,): MW, MWh of stores, the lowest voltage in p.u."""
    case, col, x = run.case, recourse.stage.columns, answer.x
    drawn = recourse.stage.draws_mw[0]
    campuses = len(case.campuses)
    native = drawn[: len(drawn) - campuses].sum(axis=0)
    told: dict[str, Vector] = {
        "scheduled": native + case.schedule_mw.sum(),
        "load": native + case.scenarios.draw_mw[shock].sum(axis=1),
        "imported": x[col.imported],
        "imbalance": x[col.imbalance],
        "shed": x[col.shed].sum(axis=0),
        "lowest": voltages(case, recourse, answer).min(axis=0),
    }
    for at, (kind, rows) in enumerate(zip(case.types, outputs(recourse, answer), strict=True)):
        told[f"out-{at}"] = rows.sum(axis=0)
        if kind.kind == "storage":
            sites = len(case.sites)
            held = col.energy[at * sites : (at + 1) * sites]
            there = held[held[:, 0] >= 0]
            told[f"held-{at}"] = x[there].sum(axis=0) if len(there) else np.zeros(case.steps)
    return told
