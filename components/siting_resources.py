"""What a site's sheet says of on-site resources, stages of energisation and a reader's own criteria."""

import numpy as np
from dash import html

from components.format import megawatts, number
from components.siting_site import SiteStudy, share_words, small_table, verdict_mark
from components.skeleton import Part, facts, section
from engine.network.model import Vector
from engine.siting.case import HOURS_OF_DAY
from engine.siting.criteria import Criterion, OwnCriteria
from engine.siting.envelopes import Envelope, hours_words
from engine.siting.staging import StageVerdict, may_draw_from, stage_verdicts


def resource_sections(study: SiteStudy, bus: int) -> list[Part]:
    """Return the sections of a candidate (position), none where the question has nothing of these."""
    found: list[Part] = []
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    if own.onsite_mw:
        found.append(section("Load with on-site resources", *_net(own, study.size_mw)))
    if stages := stages_of(study, bus):
        found.append(section("Staged energisation", *_stages(stages, study.size_mw)))
    if study.own is not None:
        found.append(section("Criteria of your own", _criteria(study.own, bus)))
    return found


def net_facts(own: Envelope, size_mw: float) -> list[tuple[str, str]]:
    """Return what on-site resources take from the load, in names and values."""
    gross, net = _levels(own, size_mw)
    return [
        ("Gross, at most", megawatts(float(gross.max()))),
        ("Net, at most: what gate and market see", megawatts(float(net.max()))),
        ("Made on site in a day", f"{number(float((gross - net).sum()))} MWh"),
    ]


def net_runs(own: Envelope, size_mw: float) -> list[tuple[str, float, float]]:
    """Return the hours of the day with the same gross and net load together, and both loads, MW."""
    pairs = list(zip(*(level.round(6).tolist() for level in _levels(own, size_mw)), strict=True))
    return [
        (hours_words([hour for hour, other in enumerate(pairs, start=1) if other == pair]), *pair)
        for pair in dict.fromkeys(pairs)
    ]


def _levels(own: Envelope, size_mw: float) -> tuple[Vector, Vector]:
    day = np.arange(1, HOURS_OF_DAY + 1)
    return own.gross_mw(size_mw, day), own.level_mw(size_mw, day)


def _net(own: Envelope, size_mw: float) -> list[Part]:
    """Return the gross load and the net load that gate and market see, over the day."""
    rows = [
        (str(hour), (number(gross, 1), gross), (number(net, 1), net))
        for hour, (gross, net) in enumerate(zip(*_levels(own, size_mw), strict=True), start=1)
    ]
    table = small_table(
        "net-load", "Gross and net load by hour", ["Hour", "Gross, MW", "Net, MW"], rows, file="net-load"
    )
    return [facts(net_facts(own, size_mw)), html.Details([html.Summary("Hour by hour of the day"), table])]


def stages_of(study: SiteStudy, bus: int) -> list[StageVerdict]:
    """Return what the gate says of every stage of energisation at a candidate; none where the question has none."""
    if not study.run.question.stages:
        return []
    candidate = int(np.flatnonzero(study.gate.buses == bus)[0])
    return stage_verdicts(
        study.gate, candidate, study.envelope, study.size_mw, study.run.question.stages, threshold=study.threshold
    )


def stage_facts(stages: list[StageVerdict], size_mw: float) -> list[tuple[str, str]]:
    """Return from when what may be drawn."""
    may = may_draw_from(stages)
    said = [f"{megawatts(mw)} from {start}" for start, mw in may]
    whole = next((start for start, mw in may if mw >= size_mw), None)
    return [
        ("Passes", ", ".join(said) if said else "no stage"),
        (f"All of {megawatts(size_mw)}", f"from {whole}" if whole else "in no stage that passes"),
    ]


def _stages(stages: list[StageVerdict], size_mw: float) -> list[Part]:
    """Return what the gate says of every stage, and from when what may be drawn."""
    rows = [
        (str(one.start), (number(one.mw), one.mw), (share_words(one.low, one.high), f"{one.low:.6f}"),
         verdict_mark(one.verdict))
        for one in stages
    ]  # fmt: skip
    return [
        facts(stage_facts(stages, size_mw)),
        small_table("stages", "Stages of energisation", ["From", "At most, MW", "Pass rate", "Gate"], rows, text=(0, 3),
                    file="stages"),
        html.P("The hours and the network are those of the question at every date.", className="hr-muted"),
    ]  # fmt: skip


def criteria_rows(own: OwnCriteria, bus: int) -> list[tuple[str, str, bool | None]]:
    """Return the site's value of every criterion in words, and whether it lets the site through; None for a score."""
    return [(one.column, *_said(one, value)) for one, value in own.values(bus)]


def _said(one: Criterion, value: float) -> tuple[str, bool | None]:
    if np.isnan(value):
        return "not known", False if one.gates else None
    shown = f"{value:g}"
    if not one.gates:
        return f"{shown}, {'lower' if one.use == 'cost' else 'higher'} is better", None
    passes = value <= one.limit if one.use == "gate at most" else value >= one.limit
    return f"{shown}, {one.use[5:]} {one.limit:g}", bool(passes)


def _criteria(own: OwnCriteria, bus: int) -> Part:
    """Return the site's value of every criterion, and what it does."""
    marks = {
        True: html.Span("passes", className="hr-sign-fine"),
        False: html.Span("fails", className="hr-sign-binding"),
    }
    return facts([(name, [words, " ", marks.get(passes, "")]) for name, words, passes in criteria_rows(own, bus)])
