"""The one-line diagram of a feeder: its place on the page, and what ``assets/95_feeder*.js`` draws and recolours.

The drawing goes to the browser once for a run. Hour, layer, case and selection change there, without the server.
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from dash import html

from components.feeder_layers import CASES, LAYERS, PARTS, UNITS, case_key, digits_of, shape, shape_of
from components.feeder_limits import at_hour
from components.icons import icon
from components.skeleton import Part
from engine.distribution.feeder import PHASES, Feeder, Line, Regulator, Switch, Transformer
from engine.distribution.layout import layout

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

Values = npt.NDArray[np.float64]

_MOST, _MISSING = 32_000, -32_768  # of a packed value; what stands for nan
_KINDS = {Line: "line", Switch: "switch", Transformer: "transformer", Regulator: "regulator"}
_NOTHING = 5e-7  # $/MWh: a part of prices that is nowhere larger is not sent
_PART_VALUES = {"loss": "loss", "response": "response", "voltage": "limits", "congestion": "congestion"}
_DESCRIPTION = (
    "One-line diagram of the feeder, the source first. Arrow right: away from the source; left: towards it; "
    "up and down: to the branch beside. Enter selects the bus, Shift and Enter the link that feeds it, Escape nothing. "
    "The tables below hold the same values."
)
_LINK_LAYERS = ("loading",)
_BUS_LAYERS = ("vuf",)


# The place


def diagram(page: str) -> html.Div:
    """Return the empty place of the diagram with its legend, its zoom and the strip of the day."""
    host = f"{page}-diagram"
    return html.Div(
        [
            html.P(_DESCRIPTION, id=f"{host}-how", className="visually-hidden"),
            html.Div(
                html.Div(className="hr-feeder-panes", **{"data-feeder-panes": ""}),
                id=host,
                className="hr-feeder-host",
                tabIndex=0,
                role="application",
                **{
                    "data-feeder-diagram": page,
                    "aria-label": "One-line diagram",
                    "aria-describedby": f"{host}-how",
                },
            ),
            html.Div(
                [
                    _press("fit", "Show the whole feeder", "fit"),
                    _press("in", "Larger", "plus"),
                    _press("out", "Smaller", "minus"),
                ],
                className="hr-feeder-zoom",
                role="group",
                **{"aria-label": "Size of the diagram"},
            ),
            html.Div(className="hr-feeder-legend", role="group", **{"data-feeder-legend": "", "aria-label": "Legend"}),
            html.Div(className="hr-feeder-day", **{"data-feeder-day": ""}),
            html.Div(className="hr-feeder-tip", hidden=True, **{"data-feeder-tip": ""}),
            html.P(className="visually-hidden", role="status", **{"data-feeder-said": ""}),
        ],
        className="hr-feeder-diagram",
        **{"data-feeder-frame": page},
    )


def _press(what: str, label: str, name: str) -> Part:
    return html.Button(
        icon(name, size=16),
        type="button",
        className="hr-button hr-button-icon",
        **{"data-feeder-zoom": what, "aria-label": label, "title": label},
    )


# What is drawn


def drawing(run: "FeederRun") -> dict[str, Any]:
    """Return the drawing of a run as JSON: places, links, devices, and every layer of every case and hour.

    Matrices are packed as base64 of 16-bit integers with an offset and a step for each hour: see :func:`packed`.
    """
    layers = {key: _layer(key) for key in LAYERS}
    cases = {case_key(case): _case(run, case) for case in run.cases}
    for kind, sign in _KIND_SIGNS.items():
        if not any(f"{sign}response" in case["values"] for case in cases.values()):
            layers[f"{kind}_response"]["none"] = "No load of this study depends on voltage: this part is 0."
    if len(cases) < 2:
        only = CASES[next(iter(cases))].lower() if cases else ""
        one = f"This study has one case, {only}: answer the question without and with SVG to see both."
    else:
        one = ""
    key = f"{run.provenance.get('question_digest', '')}-{run.provenance.get('date', '')}-{len(run.cases)}"
    return _outline(run.feeder, run.labels, _devices(run)) | {
        "key": key,
        "prices": np.round(run.price_per_mwh, 4).tolist(),
        "layers": layers,
        "cases": cases,
        "one": one,
    }


def bare(feeder: Feeder, labels: Sequence[str], key: str) -> dict[str, Any]:
    """Return the drawing of a feeder that is not solved: where everything stands, without a value.

    ``labels`` are of the hours that are asked for, ``key`` tells this drawing from others.
    """
    none = {"none": "Nothing is computed yet: the lines have no colour."}
    none_yet = [0.0] * len(labels)
    empty = {"energy": none_yet, "q_energy": none_yet, "values": {}, "marks": [[{}, {}, {}] for _ in labels]}
    return _outline(feeder, labels, _standing(feeder)) | {
        "key": key,
        "prices": [],
        "layers": {"voltage": _layer("voltage") | none, "phases": _layer("phases")},
        "cases": {"off": empty},
        "one": none["none"],
    }


def _outline(feeder: Feeder, labels: Sequence[str], devices: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a drawing of a feeder has before anything is computed."""
    place = {bus.name: at for at, bus in enumerate(feeder.buses)}
    outline = shape_of(feeder)
    names = list(outline.tree.buses)
    up = [[-1, -1] for _ in feeder.buses]
    link_at = {link.name: at for at, link in enumerate(feeder.links)}
    for bus, parent, link in zip(names, outline.tree.parents, outline.tree.links, strict=True):
        if link is not None:
            up[place[bus]] = [place[names[parent]], link_at[link.name]]
    found = layout(feeder)
    points = np.round(found.points, 3).tolist()
    return {
        "name": feeder.name,
        "wires": feeder.wires,
        "members": list(feeder.frame),
        "labels": list(labels),
        "limits": [feeder.v_min_pu, feeder.v_max_pu],
        "own": found.own,
        "source": place[feeder.source_bus],
        "buses": [
            [bus.name, *point, bus.kv, *way]
            for bus, point, way in zip(feeder.buses, points, up, strict=True)
        ],
        "nodes": [[place[bus], feeder.frame.index(member)] for bus, member in outline.nodes],
        "whole": [place[bus] for bus in outline.whole],
        "links": [_link(feeder, link, place, up) for link in feeder.links],
        "devices": [device | {"b": place[device["b"]]} for device in devices],
        "loads": _loads(feeder, place),
    }  # fmt: skip


def _layer(key: str) -> dict[str, Any]:
    of = "link" if key in _LINK_LAYERS else "bus" if key in _BUS_LAYERS else "phase" if key == "phases" else "node"
    return {"words": LAYERS[key], "unit": UNITS[key], "digits": digits_of(key), "of": of, "signed": key in _SIGNED}


_KIND_SIGNS = {"price": "", "reactive": "q_"}  # of layers, and what their values begin with
_SIGNED = (
    "error",
    *(f"{kind}_{part}" for kind in _KIND_SIGNS for part in ("voltage", "congestion", "loss", "response")),
)


def _link(feeder: Feeder, link: Any, place: dict[str, int], up: list[list[int]]) -> dict[str, Any]:
    """Return a link with its upper and lower end; an open switch keeps the order of its row."""
    start, end = place[link.from_bus], place[link.to_bus]
    if up[start][0] == end:
        start, end = end, start
    is_open = isinstance(link, Switch) and not link.closed
    rating = getattr(link, "rating_a", None)
    return {
        "n": link.name, "f": start, "t": end, "k": _KINDS[type(link)],
        "p": [PHASES.index(phase) for phase in link.phases],
        "m": [feeder.frame.index(member) for member in feeder.spread(link.phases)],
        "r": rating, "o": 1 if is_open else 0,
        "s": link.kva if isinstance(link, Transformer) else None,
    }  # fmt: skip


def _case(run: "FeederRun", case: "CaseRun") -> dict[str, Any]:
    energy: dict[str, list[float]] = {}
    parts: dict[str, Values] = {}
    for sign, told in zip(_KIND_SIGNS.values(), (case.active_parts, case.reactive_parts), strict=True):
        of = dict(zip(PARTS, told, strict=True))
        energy[f"{sign}energy"] = np.round(of["energy"][:, 0], 5).tolist()
        parts |= {f"{sign}{_PART_VALUES[part]}": of[part] for part in PARTS[1:]}
        if np.abs(of["response"]).max(initial=0.0) <= _NOTHING:
            del parts[f"{sign}response"]
    ac = np.abs(case.phasors)
    values = {
        "voltage": ac,
        "error": case.voltage_pu - ac,
        **parts,
        "loading": _loadings(run.feeder, case),
        "vuf": 100.0 * case.vuf,
    }
    place = {node: at for at, node in enumerate(shape(run).nodes)}
    link_at = {link.name: at for at, link in enumerate(run.feeder.links)}
    device_at = {device["n"]: at for at, device in enumerate(_standing(run.feeder))}
    marks = []
    for hour in range(len(run.labels)):
        nodes, links, devices = {}, {}, {}
        for each in at_hour(run, case, hour):
            how = 1 if each.state == "binds" else 2
            if each.kind == "bus":
                nodes[place[each.element, each.member]] = how
            elif each.kind == "link":
                links[link_at[each.element]] = how
            elif each.device in device_at:
                devices[device_at[each.device]] = how
        marks.append([nodes, links, devices])
    return {
        **energy,
        "values": {key: packed(value) for key, value in values.items()},
        "marks": marks,
    }


def _loadings(feeder: Feeder, case: "CaseRun") -> Values:
    """Return (T, 3 M) each conductor's loading in AC, %: of currents; of a transformer its fullest winding's power."""
    hours = len(case.cost_per_h)
    found = np.full((hours, len(feeder.links), 3), np.nan)
    for at, link in enumerate(feeder.links):
        on = [PHASES.index(phase) for phase in link.phases]
        rating = getattr(link, "rating_a", None)
        if rating:
            found[:, at, on] = 100.0 * case.current_a[:, at, on] / rating
        elif isinstance(link, Transformer):
            found[:, at, on] = 100.0 * case.ac_loading[:, at, np.newaxis]
    return found.reshape(hours, -1)


def packed(values: Values) -> dict[str, Any]:
    """Return (T, K) values as base64 of little-endian 16-bit integers, row by row: value = offset + step * integer.

    Each row has its own offset and step, so a row is right to a 64 000th of its range; nan is -32768.
    """
    rows = np.asarray(values, dtype=np.float64)
    known = np.where(np.isnan(rows), 0.0, rows)
    low = np.where(np.isnan(rows), np.inf, rows).min(axis=1, initial=np.inf)
    high = np.where(np.isnan(rows), -np.inf, rows).max(axis=1, initial=-np.inf)
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    middle, step = (low + high) / 2.0, np.maximum((high - low) / (2.0 * _MOST), 1e-12)
    whole = np.rint((known - middle[:, np.newaxis]) / step[:, np.newaxis])
    whole = np.where(np.isnan(rows), _MISSING, np.clip(whole, -_MOST - 1, _MOST + 1)).astype("<i2")
    return {
        "b": base64.b64encode(whole.tobytes()).decode("ascii"),
        "k": rows.shape[1],
        "o": [float(f"{value:.9g}") for value in middle.tolist()],
        "s": [float(f"{value:.9g}") for value in step.tolist()],
    }


def _devices(run: "FeederRun") -> list[dict[str, Any]]:
    """Return what stands at buses with its values of each hour: kW of centres and generators, kvar of compensators."""

    def of(device: dict[str, Any], at: int, case: "CaseRun") -> Values:
        if device["t"] == "centre":
            return case.draw_kw[:, at]
        if device["t"] == "svg":
            return case.svg_kvar[:, at].sum(axis=1)
        return 1000.0 * case.generator_mva[:, at].real

    found, seen = [], dict.fromkeys(("centre", "svg", "made", "capacitor"), 0)
    for device in _standing(run.feeder):
        group = device["t"] if device["t"] in seen else "made"
        values = {} if group == "capacitor" else {
            case_key(case): np.round(of(device, seen[group], case), 2).tolist() for case in run.cases
        }  # fmt: skip
        seen[group] += 1
        found.append(device | {"v": values})
    return found


def _standing(feeder: Feeder) -> list[dict[str, Any]]:
    """Return what stands at buses, group by group in the feeder's order: kind, name, bus, unit and the most of it."""

    def row(kind: str, name: str, bus: str, unit: str, most: float) -> dict[str, Any]:
        return {"t": kind, "n": name, "b": bus, "u": unit, "most": most, "v": {}}

    found = [row("centre", centre.name, centre.bus, "kW", centre.most_kw) for centre in feeder.centres]
    for made in feeder.generators:
        free = made.cost_per_mwh == 0.0 and made.slope_per_mw2h == 0.0
        found.append(row("sun" if free else "generator", made.name, made.bus, "kW", made.p_max_kw))
    found += [
        row("svg", own.name, own.bus, "kvar", own.kvar * len(feeder.spread(own.phases))) for own in feeder.compensators
    ]
    kvar: dict[str, float] = {}
    for plates in feeder.capacitors:
        kvar[plates.bus] = kvar.get(plates.bus, 0.0) + plates.kvar
    return found + [row("capacitor", f"capacitor {bus}", bus, "kvar", most) for bus, most in kvar.items()]


def _loads(feeder: Feeder, place: dict[str, int]) -> list[list[float]]:
    """Return the buses with loads and their table power, kW."""
    total: dict[int, float] = {}
    for row in feeder.loads:
        total[place[row.bus]] = total.get(place[row.bus], 0.0) + row.kw
    return [[bus, round(kw, 2)] for bus, kw in total.items()]
