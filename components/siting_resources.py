"""What a site's sheet says of on-site resources, stages of energisation and a reader's own criteria."""

from dataclasses import dataclass

import numpy as np
from dash import html

from components import siting_cards
from components.format import count, megawatts, number
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
    if loads := net_loads(study, own):
        found.append(section("Load with on-site resources", *_net(study, loads)))
    if stages := stages_of(study, bus):
        found.append(section("Staged energisation", *_stages(study, stages)))
    if study.own is not None:
        found.append(section("Criteria of your own", _criteria(study.own, bus)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class NetLoads:
    """What a load draws and what of it the grid serves: over a day, or in the hours screened where each has its own."""

    labels: tuple[str, ...]  # (T,)
    gross_mw: Vector  # (T,)
    net_mw: Vector  # (T,)
    of_day: bool

    def facts(self) -> list[tuple[str, str]]:
        """Return what on-site resources take from the load, in names and values."""
        when = "in a day" if self.of_day else f"in the {count(len(self.labels), 'hour')} screened"
        return [
            ("Gross, at most", megawatts(float(self.gross_mw.max()))),
            ("Net, at most: what gate and market see", megawatts(float(self.net_mw.max()))),
            (f"Made and used on site {when}", f"{number(float((self.gross_mw - self.net_mw).sum()))} MWh"),
        ]

    def largest(self) -> tuple[str, float, float]:
        """Return the hour in which the grid serves most, and its gross and net load, MW."""
        hour = int(self.net_mw.argmax())
        return self.labels[hour], float(self.gross_mw[hour]), float(self.net_mw[hour])

    def runs(self) -> list[tuple[str, float, float]]:
        """Return both loads, MW: hours of the day with the same ones together, each hour screened by itself."""
        pairs = list(zip(self.gross_mw.round(6).tolist(), self.net_mw.round(6).tolist(), strict=True))
        if not self.of_day:
            return [(label, *pair) for label, pair in zip(self.labels, pairs, strict=True)]
        return [
            (hours_words([hour for hour, other in enumerate(pairs, start=1) if other == pair]), *pair)
            for pair in dict.fromkeys(pairs)
        ]


def net_loads(study: SiteStudy, own: Envelope) -> NetLoads | None:
    """Return gross and net load of the size drawn, None where the question has no on-site resources."""
    gate, size = study.gate, study.size_mw
    if gate.onsite_mw is not None:
        gross, net = own.gross_mw(size, gate.hour_of_day), gate.level_mw(own, size)
        return NetLoads(gate.labels, gross, net, of_day=False)
    if not own.onsite_mw:
        return None
    day = np.arange(1, HOURS_OF_DAY + 1)
    labels = tuple(str(hour) for hour in day.tolist())
    return NetLoads(labels, own.gross_mw(size, day), own.level_mw(size, day), of_day=True)


def _net(study: SiteStudy, loads: NetLoads) -> list[Part]:
    """Return the gross load and the net load that gate and market see."""
    rows = [
        (label, (number(gross, 1), gross), (number(net, 1), net))
        for label, gross, net in zip(loads.labels, loads.gross_mw.tolist(), loads.net_mw.tolist(), strict=True)
    ]
    table = small_table(
        "net-load", "Gross and net load by hour", ["Hour", "Gross, MW", "Net, MW"], rows, file="net-load",
        why=siting_cards.net_load(study, *loads.largest()),
    )  # fmt: skip
    summary = "Hour by hour of the day" if loads.of_day else "Each hour that is screened"
    return [facts(loads.facts()), html.Details([html.Summary(summary), table])]


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


def _stages(study: SiteStudy, stages: list[StageVerdict]) -> list[Part]:
    """Return what the gate says of every stage, and from when what may be drawn."""
    rows = [
        (str(one.start), (number(one.mw), one.mw), (share_words(one.low, one.high), f"{one.low:.6f}"),
         verdict_mark(one.verdict))
        for one in stages
    ]  # fmt: skip
    return [
        facts(stage_facts(stages, study.size_mw)),
        small_table("stages", "Stages of energisation", ["From", "At most, MW", "Pass rate", "Gate"], rows, text=(0, 3),
                    file="stages", why=siting_cards.stages(study, stages[0])),
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
