"""The printable sheet of a site: about two pages of paper with what its gate, market, ranking and terms say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from components.capacity_sites import bus_facts
from components.format import megawatts, number, percent, sentence, signed
from components.report_html import breakable, bullets, el, facts, numbers, printed_at, section, table
from components.siting_ac import outcome
from components.siting_sheet_gate import failure_words
from components.siting_sheet_market import DIGITS, price_facts
from components.siting_site import SiteStudy, share_words, verdict_words
from engine.siting.ac_check import AcReport
from engine.siting.agreement import Agreement
from engine.siting.gate.results import PASSED
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, WINDOW_WORDS
from engine.siting.ranking import criterion_words
from engine.siting.sheet import gate_sheet, metric_lines, row_of, score_reasons, site_market

_MOST_OUTAGES = 10
_MOST_HOURS = 6
_MOST_CRITERIA = 6


def site_report(study: SiteStudy, bus: int, name: str, report: AcReport | None, now: datetime) -> list[Any]:
    """Return the parts of the sheet of a candidate (position); ``name`` is the study's."""
    sheet = gate_sheet(study.gate, bus, study.envelope, study.size_mw, study.threshold)
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    reasons = None
    if study.ranked is not None:
        row = row_of(study.ranked, bus, study.envelope, study.size_mw)
        reasons = None if row is None else score_reasons(study.ranked, row)
    place = "not ranked" if reasons is None else f"{number(reasons.place)} of {number(reasons.alternatives)}"
    first = "no outage is known to fail" if sheet.first is None else failure_words(study, sheet.first)
    head = el(
        "header",
        el("p", f"Site sheet, {name}"),
        el("h1", study.words(bus)),
        el("p", f"{study.envelope}, {megawatts(study.size_mw)} nameplate: {own.words()}"),
        el("p", f"Printed {printed_at(now)}", class_="muted"),
    )
    return [
        head,
        numbers(
            [
                ("Pass rate", share_words(sheet.low, sheet.high), f"threshold {percent(sheet.threshold)}"),
                ("Gate", verdict_words(sheet.verdict), f"strict reading: {verdict_words(sheet.strict)}"),
                ("Place", place, "" if reasons is None else f"score {number(reasons.score, 3)}"),
            ]
        ),
        section(
            "Reliability gate",
            facts([("First failure", first), ("Hours and outages", f"{number(len(sheet.hours))} \u00d7 "
                   f"{number(sheet.outages)}"), ("Outages", study.run.contingencies.summary())]),
            _rates(study, bus),
            _hours(study, sheet.hours),
            _outages(study, sheet.failing),
        ),
        section("Why it ranks there", _ranking(reasons)),
        section("Market", _market(study, bus)),
        section("Voltages and losses", _ac(report)),
        section("Draft agreement", _terms(study, bus)),
        section("Data", facts(bus_facts(study.network, bus), columns=2), _inputs(study)),
    ]  # fmt: skip


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


def _hours(study: SiteStudy, hours: Sequence[Any]) -> Any:
    worst = sorted(hours, key=lambda hour: (hour.passed, hour.hour))[:_MOST_HOURS]
    rows = [
        (study.gate.labels[hour.hour], number(hour.load_mw), percent(hour.passed, 1), number(hour.outages),
         number(hour.without_load))
        for hour in sorted(worst, key=lambda hour: hour.hour)
    ]  # fmt: skip
    said = "" if len(worst) == len(hours) else f", the {number(len(worst))} worst of {number(len(hours))}"
    heads = ["Hour", "Load, MW", "Outages that pass", "Fail", "Without the load too"]
    return table(heads, rows, f"Hour by hour{said}")


def _outages(study: SiteStudy, failing: Sequence[Any]) -> Any:
    rows = [
        (study.run.contingencies.words(one.contingency), number(one.hours), percent(one.weight, 1),
         number(one.without_load))
        for one in failing[:_MOST_OUTAGES]
    ]  # fmt: skip
    said = f", the {number(len(rows))} worst of {number(len(failing))}" if len(failing) > len(rows) else ""
    return table(["Outage", "Hours", "Share", "Without the load too"], rows, f"Outages that fail{said}")


def _ranking(reasons: Any) -> list[Any]:
    if reasons is None:
        return [el("p", "It is not ranked.")]
    rows = [
        (criterion_words(cost.criterion), cost.group, number(cost.value, 3), number(cost.best, 3),
         number(cost.lost, 3), signed(cost.score_at_best - reasons.score, 3))
        for cost in reasons.costs[:_MOST_CRITERIA]
    ]  # fmt: skip
    groups = [(name[:1].upper() + name[1:], number(score, 3)) for name, score, _ in reasons.groups]
    heads = ["Criterion", "Group", "Here", "Best", "Lost of 1", "Gain, if best"]
    return [facts(groups, columns=2), table(heads, rows, "What each criterion costs", left=(0, 1))]


def _market(study: SiteStudy, bus: int) -> list[Any]:
    market = study.market
    site = None if market is None else site_market(market, bus, study.envelope, study.size_mw)
    if market is None or site is None:
        return [el("p", "The market was not run for this site.")]
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


def _ac(report: AcReport | None) -> list[Any]:
    if report is None:
        return [el("p", "No AC power flow was computed for this site.")]
    lines = [f"{row.words}, {megawatts(row.load_mw)}: {'; '.join(row.flags)}" for row in report.rows if row.flags]
    return [el("p", f"{outcome(report)}. It flags and never gates."), bullets(lines)]


def _terms(study: SiteStudy, bus: int) -> list[Any]:
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    draft = Agreement(study.words(bus), own, study.size_mw)
    note = "A draft for the parties to edit, not legal advice; the terms the page proposes at first."
    return [el("p", note, class_="muted"), facts(draft.terms(), columns=2)]


def _inputs(study: SiteStudy) -> Any:
    rows = [(entry.name, breakable(entry.digest)) for entry in study.inputs(market=True)]
    return facts(rows, columns=2)
