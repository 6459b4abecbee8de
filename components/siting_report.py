"""The printable sheet of a site: on one page what its gate, market, ranking and terms say, and where it lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from components.capacity_sites import bus_facts
from components.format import count, megawatts, number, percent, power, sentence, signed
from components.report_html import breakable, bullets, el, facts, figure, numbers, printed_at, section, table
from components.siting_ac import outcome
from components.siting_locator import Marks, locator
from components.siting_resources import criteria_rows, net_loads, stage_facts, stages_of
from components.siting_sheet_gate import failure_words
from components.siting_sheet_market import DIGITS, price_facts
from components.siting_site import SiteStudy, share_words, verdict_words
from engine.siting.ac_check import AcReport
from engine.siting.agreement import Agreement
from engine.siting.firmness import score_intervals
from engine.siting.gate.results import PASSED
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, WINDOW_WORDS
from engine.siting.ranking import criterion_words
from engine.siting.sheet import (
    FailingOutage,
    GateSheet,
    HourShare,
    ScoreReasons,
    gate_sheet,
    metric_lines,
    row_of,
    score_reasons,
    site_market,
)

_MOST_OUTAGES = 6
_MOST_HOURS = 6
_MOST_CRITERIA = 5
_MOST_FLAGS = 4
_MARKED = 3  # of the worst outages, on the map


@dataclass(frozen=True, slots=True)
class Printed:
    """What a sheet is printed with beside its study."""

    name: str  # of the study
    now: datetime
    ac: AcReport | None  # None: no AC power flow was computed
    draft: Agreement


def site_report(study: SiteStudy, bus: int, printed: Printed) -> list[Any]:
    """Return the parts of the sheet of a candidate (position)."""
    sheet = gate_sheet(study.gate, bus, study.envelope, study.size_mw, study.threshold)
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    head = el(
        "header",
        el("p", f"Site sheet, {printed.name}, printed {printed_at(printed.now)}"),
        el("h1", study.words(bus)),
        el("p", f"{study.envelope}, {megawatts(study.size_mw)} nameplate: {own.words()}"),
    )
    reasons = _reasons(study, bus)
    ranked, flows = _computed(study, bus, reasons, printed.ac)
    return [
        head,
        el(
            "div",
            el("div", _key_numbers(study, bus, sheet, reasons), _gate(study, sheet),
               section("Pass rates", _rates(study, bus))),
            _map(study, bus, sheet),
            class_="sheet-top",
        ),
        section(
            "Hours and outages",
            el("div", _hours(study, sheet.hours), _outages(study, sheet.failing), class_="sheet-pairs"),
        ),
        el("div", *_resources(study, bus), class_="sheet-pairs"),
        el(
            "div",
            el("div", *ranked),
            el(
                "div",
                *flows,
                section("Draft agreement", _terms(study, bus, printed.draft)),
                section("Data", facts(bus_facts(study.network, bus), columns=2), _inputs(study)),
            ),
            class_="sheet-columns" if ranked else None,
        ),
    ]  # fmt: skip


def _computed(
    study: SiteStudy, bus: int, reasons: ScoreReasons | None, ac: AcReport | None
) -> tuple[list[Any], list[Any]]:
    """Return what ranking and market say, and what the AC power flow; what was not computed takes one line together."""
    found, flows, missing = [], [], []
    if reasons is not None:
        found.append(section("Why it ranks there", _ranking(reasons)))
    site = None if study.market is None else site_market(study.market, bus, study.envelope, study.size_mw)
    if study.market is None or site is None:
        missing.append("The market was not run for this site.")
    else:
        found.append(section("Market", _market(study.market, site, bus)))
    if ac is None:
        missing.append("No AC power flow was computed for this site.")
    else:
        flows.append(section("Voltages and losses", _ac(ac)))
    if missing:
        flows.append(section("Not computed", el("p", " ".join(missing))))
    return found, flows


def _reasons(study: SiteStudy, bus: int) -> ScoreReasons | None:
    row = None if study.ranked is None else row_of(study.ranked, bus, study.envelope, study.size_mw)
    return None if study.ranked is None or row is None else score_reasons(study.ranked, row)


def _key_numbers(study: SiteStudy, bus: int, sheet: GateSheet, reasons: ScoreReasons | None) -> Any:
    place, score = "not ranked", "no market was run" if study.market is None else "not among the sites served"
    if reasons is not None:
        place = f"{number(reasons.place)} of {number(reasons.alternatives)}"
        score = f"score {number(reasons.score, 3)}{_interval(study, bus)}"
    return numbers(
        [
            ("Pass rate", share_words(sheet.low, sheet.high), f"threshold {percent(sheet.threshold)}"),
            ("Gate", verdict_words(sheet.verdict), f"strict reading: {verdict_words(sheet.strict)}"),
            ("Place", place, score),
        ]
    )


def _interval(study: SiteStudy, bus: int) -> str:
    """Return what the score may be within the noise floor of prices, "" where that is not known."""
    floor = None if study.market is None else study.market.floor
    row = None if study.ranked is None else row_of(study.ranked, bus, study.envelope, study.size_mw)
    if study.ranked is None or row is None or floor is None or not np.isfinite(floor).all():
        return ""
    low, high = score_intervals(study.ranked, floor, [row])[0].tolist()
    return f", {number(low, 3)} to {number(high, 3)} within the noise floor"


def _gate(study: SiteStudy, sheet: GateSheet) -> Any:
    first = "no outage is known to fail" if sheet.first is None else failure_words(study, sheet.first)
    broken = sum(hour.outages - hour.without_load for hour in sheet.hours)
    anyway = len(study.gate.base_infeasible())
    rows = [
        ("First failure", first),
        ("Breaks", f"{count(broken, 'pair')} of an hour and an outage that hold without it"),
        ("Fail before any load", f"{number(anyway)} of {number(sheet.pairs)}"),
        ("Hours and outages", f"{number(len(sheet.hours))} \u00d7 {number(sheet.outages)}"),
        ("Outages", study.run.contingencies.summary()),
    ]
    if sheet.open_hours:
        rows.append(("Open", f"{count(sheet.open_hours, 'hour')} not screened"))
    return facts(rows)


def _map(study: SiteStudy, bus: int, sheet: GateSheet) -> Any:
    gate = study.gate
    qualified = gate.qualified(study.envelope, study.size_mw, study.threshold) == PASSED
    if study.own is not None:
        qualified &= study.own.passes[gate.buses]
    worst = [one for one in sheet.failing if one.hours > one.without_load][:_MARKED]
    lost = [branch for one in worst for branch in study.run.contingencies.branches(one.contingency)]
    words = f"Ring: the site. Dots: candidates, {number(int(qualified.sum()))} in blue qualify under {study.envelope} "
    words += f"at {power(study.size_mw)}."
    if lost:
        words += " Thick: lost in the outages that it breaks most often."
    return figure(locator(study.network, Marks(bus, gate.buses, qualified, lost)), words)


def _resources(study: SiteStudy, bus: int) -> list[Any]:
    """Return net load, stages of energisation and a reader's own criteria, where the question has them."""
    found = []
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    if loads := net_loads(study, own):
        rows = [(hours, number(gross, 1), number(net, 1)) for hours, gross, net in loads.runs()]
        found.append(
            section(
                "Load with on-site resources",
                facts(loads.facts()),
                table(
                    ["Hours of the day" if loads.of_day else "Hour", "Gross, MW", "Net, MW"],
                    rows,
                    "Gross and net load by hour",
                ),
            )
        )
    if stages := stages_of(study, bus):
        of_stage = [
            (str(one.start), number(one.mw), share_words(one.low, one.high), verdict_words(one.verdict))
            for one in stages
        ]
        heads = ["From", "At most, MW", "Pass rate", "Gate"]
        found.append(
            section(
                "Staged energisation",
                facts(stage_facts(stages, study.size_mw)),
                table(heads, of_stage, "Stages, with the hours and the network of the question", left=(0, 3)),
            )
        )
    if study.own is not None:
        words = {True: ": passes", False: ": fails", None: ""}
        listed = [(name, f"{said}{words[passes]}") for name, said, passes in criteria_rows(study.own, bus)]
        found.append(section("Criteria of the planner", facts(listed)))
    return found


def _rates(study: SiteStudy, bus: int) -> Any:
    rows = []
    for size in study.gate.sizes_mw:
        cells = []
        for own in study.gate.envelopes:
            sheet = gate_sheet(study.gate, bus, own.name, size, study.threshold)
            strict = ", strict too" if sheet.strict == PASSED else ""
            cells.append(f"{share_words(sheet.low, sheet.high)}, {verdict_words(sheet.verdict)}{strict}")
        rows.append((f"{number(size)} MW", *cells))
    return table(["Size", *(own.name for own in study.gate.envelopes)], rows, "Pass rate and gate by size and envelope")


def _hours(study: SiteStudy, hours: Sequence[HourShare]) -> Any:
    worst = sorted(hours, key=lambda hour: (hour.passed, hour.hour))[:_MOST_HOURS]
    rows = [
        (study.gate.labels[hour.hour], number(hour.load_mw), percent(hour.passed, 1), number(hour.outages),
         number(hour.without_load))
        for hour in sorted(worst, key=lambda hour: hour.hour)
    ]  # fmt: skip
    said = "" if len(worst) == len(hours) else f", the {number(len(worst))} worst of {number(len(hours))}"
    heads = ["Hour", "Load, MW", "Pass", "Fail", "Fail anyway"]
    return table(heads, rows, f"Hour by hour{said}")


def _outages(study: SiteStudy, failing: Sequence[FailingOutage]) -> Any:
    rows = [
        (study.run.contingencies.words(one.contingency), number(one.hours), percent(one.weight, 1),
         number(one.without_load))
        for one in failing[:_MOST_OUTAGES]
    ]  # fmt: skip
    said = f", the {number(len(rows))} worst of {number(len(failing))}" if len(failing) > len(rows) else ""
    return table(["Outage", "Hours", "Share", "Fails anyway"], rows, f"Outages that fail{said}")


def _ranking(reasons: ScoreReasons) -> list[Any]:
    rows = [
        (criterion_words(cost.criterion), cost.group, number(cost.value, 3), number(cost.best, 3),
         number(cost.lost, 3), signed(cost.score_at_best - reasons.score, 3))
        for cost in reasons.costs[:_MOST_CRITERIA]
    ]  # fmt: skip
    groups = [(name[:1].upper() + name[1:], number(score, 3)) for name, score, _ in reasons.groups]
    heads = ["Criterion", "Group", "Here", "Best", "Lost of 1", "Gain, if best"]
    return [facts(groups, columns=2), table(heads, rows, "What each criterion costs", left=(0, 1))]


def _market(market: MarketRun, site: SiteMarket, bus: int) -> list[Any]:
    if not site.served:
        return [el("p", f"No schedule: {site.reason()}.")]
    rows = []
    for line in metric_lines(market, site):
        words = f"{WINDOW_WORDS[line.window]} {METRIC_WORDS[line.metric]}, {METRIC_UNITS[line.metric]}"
        near, digits = "\u2248 " if line.within_noise else "", DIGITS[line.metric]
        rows.append(
            (sentence(words), number(line.value, digits), number(line.peers.median, digits),
             near + signed(line.from_median, digits), number(line.floor, digits), signed(line.change, digits))
        )  # fmt: skip
    days = ", ".join(f"{day['label']} ({day['reason']})" for day in market.facts.get("days", []))
    heads = ["Metric", "Here", "Median", "From it", "Noise floor", "Change by the load"]
    note = el("p", f"Days: {days}. Largest gap {percent(site.gap, 3)}. \u2248: within the noise floor.", class_="muted")
    return [
        facts(price_facts(market, site, bus), columns=2),
        table(heads, rows, "Metrics beside the other sites"),
        note,
    ]


def _ac(report: AcReport) -> list[Any]:
    lines = [f"{row.words}, {megawatts(row.load_mw)}: {'; '.join(row.flags)}" for row in report.rows if row.flags]
    shown = lines[:_MOST_FLAGS] + ([f"and {len(lines) - _MOST_FLAGS} more"] if len(lines) > _MOST_FLAGS else [])
    return [el("p", f"{outcome(report)}. It flags and never gates."), bullets(shown)]


def _terms(study: SiteStudy, bus: int, draft: Agreement) -> list[Any]:
    proposed = draft == Agreement(study.words(bus), draft.envelope, draft.nameplate_mw)
    whose = "the terms that the page proposes" if proposed else "the terms as edited on the page"
    note = f"A draft for the parties, not legal advice: {whose}."
    return [el("p", note, class_="muted"), facts(draft.terms()[2:], columns=2)]  # site and envelope head the sheet


def _inputs(study: SiteStudy) -> Any:
    rows = [(entry.name, breakable(entry.digest)) for entry in study.inputs(market=True)]
    return el("div", facts(rows), class_="digests")
