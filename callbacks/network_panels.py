"""Panels of the Network page that need the study: the inspector and the DC-OPF's strip."""

from dataclasses import asdict
from typing import Any

import numpy as np
from dash import html

from callbacks.network_answer import Answer, Answers, OpfQuestion, layers, question_of
from callbacks.network_desk import Seat, base_layers
from components import network_answer, skeleton
from components.grid_map import layers_data
from components.network_forms import element_form
from engine.errors import EngineError
from engine.program import Status

HOLDS = 1e-6  # relative; the tolerance at which a dispatch is called optimal


def inspector(seat: Seat, answers: Answers, selected: Any, kept: Any) -> Any:
    """Return the inspector: the selected element's form and what the DC-OPF says of it, else the network's."""
    try:
        tables = seat.tables(seat.status().digest)
        read_only = seat.read_only()
        answer = _answer(seat, answers, kept)
    except EngineError as error:
        return skeleton.state("failed", str(error))
    element = skeleton.parse_element(selected)
    if element is None:
        return _of_network(tables.name, tables.source, answer, empty=not len(tables.buses), read_only=read_only)
    told = [] if answer is None else [_told(answer, *element)]
    return html.Div([*told, element_form(tables, *element, read_only=read_only)])


def answer_strip(answer: Answer) -> tuple[dict[str, Any], Any]:
    """Return what the answer's Store keeps, and its strip."""
    return {"digest": answer.network.digest, "question": asdict(answer.question)}, _strip(answer)


def answer_layers(answer: Answer) -> dict[str, Any]:
    """Return the map's layers with the answer's, its binding branches thick."""
    found = [base_layers(answer.network.tables)[0], *layers(answer)]
    return layers_data(found, binding_branches=answer.binding())


def aged_strip(seat: Seat, answers: Answers, kept: Any, version: Any, words: tuple[Any, Any, Any]) -> Any:
    """Return the strip of the answer that is kept, hatched with the reason when its inputs have changed."""
    try:
        named = question_of(kept)
        answer = None if named is None else answers.solve(seat.services, seat.user, seat.study, *named)
        if answer is None:
            return None
        reasons = []
        if isinstance(version, dict) and version.get("digest") != answer.network.digest:
            reasons.append("the network changed")
        if OpfQuestion.of(*words) != answer.question:
            reasons.append("the question changed")
    except EngineError as error:
        return skeleton.state("failed", str(error))
    strip = _strip(answer)
    return skeleton.stale(strip, " and ".join(reasons) + "; solve again") if reasons else strip


def _answer(seat: Seat, answers: Answers, kept: Any) -> Answer | None:
    named = question_of(kept)
    return None if named is None else answers.solve(seat.services, seat.user, seat.study, *named)


def _strip(answer: Answer) -> Any:
    result = answer.result
    prices = result.lmp_per_mwh[np.isfinite(result.lmp_per_mwh)]
    return network_answer.strip(
        title=answer.question.words(),
        status=result.status.value,
        cost_per_h=result.cost_per_h,
        energy_per_mwh=result.energy_per_mwh,
        reference=result.prices.reference,
        lowest=float(prices.min(initial=np.inf)),
        highest=float(prices.max(initial=-np.inf)),
        binding=len(answer.binding()),
        gap=result.gap,
        time_s=result.time_s,
        solver=result.solver,
        certified=result.status is Status.OPTIMAL and result.certificate.holds(HOLDS),
        digest=answer.network.digest,
    )


def _of_network(name: str, source: str, answer: Answer | None, *, empty: bool, read_only: bool) -> Any:
    if empty:
        hint = "It has no bus yet." if read_only else "Press B and then the canvas to add a bus, or import a network."
        return skeleton.state("empty", hint, title=name)
    parts: list[Any] = [
        html.H3(name, className="hr-draw-title"),
        html.P(source, className="hr-muted") if source else None,
    ]
    if answer is None:
        parts.append(html.P("Press a bus or a branch to edit it. Solve DC-OPF shows flows and prices."))
        return html.Div(parts)
    result, ids = answer.result, answer.network.branches.ids
    binding = [(ids[i], float(result.flow_mw[i]), float(result.branch_price_per_mwh[i])) for i in answer.binding()]
    parts.append(network_answer.of_network(binding, int((result.dispatch_mw > 1e-6).sum())))
    return html.Div(parts)


def _told(answer: Answer, kind: str, key: str) -> Any:
    """Return what the answer says of an element; nothing of one that is newer than the answer."""
    network, result = answer.network, answer.result
    names = {"bus": network.buses.ids, "branch": network.branches.ids, "unit": network.units.ids}[kind]
    if key not in names:
        return None
    i = names.index(key)
    if kind == "bus":
        binds = [f"branch {network.branches.ids[row]}" for row in answer.binding()[:5]]
        return network_answer.of_bus(
            key,
            lmp=float(result.lmp_per_mwh[i]),
            energy=result.energy_per_mwh,
            congestion=float(result.congestion_per_mwh[i]),
            reference=result.prices.reference,
            binds=binds,
        )
    if kind == "branch":
        share = float(answer.loading()[i])
        ends = (network.branches.from_bus[i], network.branches.to_bus[i])
        start, end = (network.buses.ids[int(bus)] for bus in ends)
        price = float(result.branch_price_per_mwh[i])
        return network_answer.of_branch(float(result.flow_mw[i]), start, end, None if np.isnan(share) else share, price)
    price = float(result.lmp_per_mwh[int(network.units.bus[i])])
    return network_answer.of_unit(float(result.dispatch_mw[i]), float(network.units.p_max_mw[i]), price)
