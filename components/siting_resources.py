"""What a site's sheet says of on-site resources, stages of energisation and a reader's own criteria."""

import numpy as np
from dash import html

from components.format import megawatts, number
from components.siting_site import SiteStudy, share_words, small_table, verdict_mark
from components.skeleton import Part, facts, section
from engine.siting.case import HOURS_OF_DAY
from engine.siting.criteria import Criterion, OwnCriteria
from engine.siting.envelopes import Envelope
from engine.siting.staging import StageVerdict, may_draw_from, stage_verdicts


def resource_sections(study: SiteStudy, bus: int) -> list[Part]:
    """Return the sections of a candidate (position), none where the question has nothing of these."""
    found: list[Part] = []
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    if own.onsite_mw:
        found.append(section("Load with on-site resources", *_net(own, study.size_mw)))
    if study.run.question.stages:
        candidate = int(np.flatnonzero(study.gate.buses == bus)[0])
        stages = stage_verdicts(
            study.gate, candidate, own.name, study.size_mw, study.run.question.stages, threshold=study.threshold
        )
        found.append(section("Staged energisation", *_stages(stages, study.size_mw)))
    if study.own is not None:
        found.append(section("Criteria of your own", _criteria(study.own, bus)))
    return found


def _net(own: Envelope, size_mw: float) -> list[Part]:
    """Return the gross load and the net load that gate and market see, over the day."""
    day = np.arange(1, HOURS_OF_DAY + 1)
    gross, net = own.gross_mw(size_mw, day), own.level_mw(size_mw, day)
    rows = [
        (str(hour), (number(gross[hour - 1], 1), gross[hour - 1]), (number(net[hour - 1], 1), net[hour - 1]))
        for hour in day.tolist()
    ]
    table = small_table(
        "net-load", "Gross and net load by hour", ["Hour", "Gross, MW", "Net, MW"], rows, file="net-load"
    )
    return [
        facts(
            [
                ("Gross, at most", megawatts(float(gross.max()))),
                ("Net, at most: what gate and market see", megawatts(float(net.max()))),
                ("Made on site in a day", f"{number(float((gross - net).sum()))} MWh"),
            ]
        ),
        html.Details([html.Summary("Hour by hour of the day"), table]),
    ]


def _stages(stages: list[StageVerdict], size_mw: float) -> list[Part]:
    """Return what the gate says of every stage, and from when what may be drawn."""
    may = may_draw_from(stages)
    said = [f"{megawatts(mw)} from {start}" for start, mw in may]
    whole = next((start for start, mw in may if mw >= size_mw), None)
    rows = [
        (str(one.start), (number(one.mw), one.mw), (share_words(one.low, one.high), f"{one.low:.6f}"),
         verdict_mark(one.verdict))
        for one in stages
    ]  # fmt: skip
    return [
        facts(
            [
                ("Passes", ", ".join(said) if said else "no stage"),
                (f"All of {megawatts(size_mw)}", f"from {whole}" if whole else "in no stage that passes"),
            ]
        ),
        small_table("stages", "Stages of energisation", ["From", "At most, MW", "Pass rate", "Gate"], rows, text=(0, 3),
                    file="stages"),
        html.P("The hours and the network are those of the question at every date.", className="hr-muted"),
    ]  # fmt: skip


def _criteria(own: OwnCriteria, bus: int) -> Part:
    """Return the site's value of every criterion, and what it does."""
    return facts([(one.column, _value(one, value)) for one, value in own.values(bus)])


def _value(one: Criterion, value: float) -> list[Part]:
    if np.isnan(value):
        return ["not known", " ", html.Span("fails", className="hr-sign-binding") if one.gates else ""]
    shown = f"{value:g}"
    if not one.gates:
        return [f"{shown}, {'lower' if one.use == 'cost' else 'higher'} is better"]
    passes = value <= one.limit if one.use == "gate at most" else value >= one.limit
    mark = html.Span("passes" if passes else "fails", className="hr-sign-fine" if passes else "hr-sign-binding")
    return [f"{shown}, {one.use[5:]} {one.limit:g}", " ", mark]
