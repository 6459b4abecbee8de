"""The gate on a site's sheet: pass rates with their cards, hours as bars, the outages that fail, why one fails."""

from collections.abc import Callable, Mapping, Sequence

from dash import html

from components import siting_cards
from components.format import count, megawatts, number, percent, sentence
from components.siting_site import SOURCE, SiteStudy, bar, share_words, small_table, verdict_mark, verdict_words
from components.skeleton import Part, facts, section
from components.why_card import WhyInput, why_card, why_number
from engine.siting.gate.certificates import GateCertificate
from engine.siting.gate.results import GateResult
from engine.siting.sheet import FailingOutage, GateSheet, HourShare, base_failures, gate_sheet

_RATE = "*r*_{b,e} = (1 / (|*C*| |*T*|)) \u03a3_t \u03a3_c *I*_{b,e,t,c} \u2265 *\u03c4*"
_MOST_CARDS = 12  # pairs of an envelope and a size that have a row with a card
_MOST_HOURS = 12
_MOST_OUTAGES = 8
_MOST_LIMITS = 6


def gate_sections(study: SiteStudy, bus: int) -> list[Part]:
    """Return what the gate says of a candidate. Raises QuestionError where it is none."""
    sheet = gate_sheet(study.gate, bus, study.envelope, study.size_mw, study.threshold)
    return [
        section("Reliability gate", _verdict(study, sheet), _all_rates(study, bus), _sizes(study, bus)),
        section("Hour by hour", *_hours(study, sheet)),
        section(f"Outages that fail ({number(len(sheet.failing))})", *_failing(study, sheet)),
    ]


def rate_number(study: SiteStudy, sheet: GateSheet, envelope: str, size_mw: float) -> Part:
    """Return a pass rate that says why."""
    place = f"{envelope}-{size_mw:g}"
    key = "".join(letter if letter.isalnum() else "-" for letter in place)
    text, label = share_words(sheet.low, sheet.high), f"pass rate, {envelope}, {size_mw:g} MW"
    return why_number(f"siting-why-rate-{key}", text, rate_card(study, sheet), label=label)


def rate_card(study: SiteStudy, sheet: GateSheet) -> Part:
    """Return why a pass rate is what it is."""
    passed = sum(hour.passed for hour in sheet.hours) * sheet.outages
    failed = sum(hour.failed for hour in sheet.hours) * sheet.outages
    weighted = len({round(float(weight), 9) for weight in study.gate.hour_weight}) > 1
    text = share_words(sheet.low, sheet.high)
    binds: list[str] = []
    if sheet.first is not None:
        binds.append(f"First failure: {failure_words(study, sheet.first)}")
    if sheet.open_hours:
        binds.append(f"{count(sheet.open_hours, 'hour is', 'hours are')} not screened yet and count as open")
    return why_card(
        f"{study.words(sheet.bus)}: {text} of hours and outages pass",
        formula=_RATE,
        values=[
            ("outages |*C*|", number(sheet.outages)),
            ("hours |*T*|", number(len(sheet.hours) + sheet.open_hours)),
            ("pairs that pass", number(passed)),
            ("pairs that fail", number(failed)),
            ("of these, without the load too", number(sum(hour.without_load for hour in sheet.hours))),
            ("pairs that are open", number(max(0.0, sheet.pairs - passed - failed))),
            ("threshold *\u03c4*", percent(sheet.threshold)),
            ("load", _loads(sheet)),
        ],
        binds=binds,
        inputs=study.inputs(),
        source=SOURCE,
        note="Hours count by their weight." if weighted else None,
    )


def breaks_card(
    gate: GateResult, sheet: GateSheet, outage_words: Callable[[int], str], inputs: Sequence[WhyInput]
) -> Part:
    """Return why a site breaks so many pairs of an hour and an outage."""
    failed, anyway = (sum(getattr(hour, name) for hour in sheet.hours) for name in ("outages", "without_load"))
    before = sum(len(one.hours) for one in base_failures(gate))
    worst = [one for one in sheet.failing if one.hours > one.without_load][:3]
    return why_card(
        f"{count(failed - anyway, 'pair')} of an hour and an outage, broken by the load",
        formula="|{(*t*, *c*) : *I*_{0,t,c} = 1, *I*_{b,e,t,c} = 0}|",
        values=[
            ("pairs screened", number(sheet.pairs)),
            ("fail with the load", number(failed)),
            ("of these, without it too", number(anyway)),
            ("fail without it, and it relieves them", number(before - anyway)),
        ],
        binds=[
            f"{sentence(outage_words(one.contingency))}: "
            f"{count(one.hours - one.without_load, 'hour')} of {number(len(sheet.hours))}"
            for one in worst
        ],
        inputs=inputs,
        source="arXiv 2605.14714, stage 1; the strict reading asks that it breaks none and relieves the others",
    )


def largest_card(envelope: str, sheets: Mapping[float, GateSheet], inputs: Sequence[WhyInput]) -> Part:
    """Return why a size is the largest that qualifies; ``sheets`` are of a site, by the size asked."""
    rates = {
        size: f"{share_words(sheet.low, sheet.high)}, {verdict_words(sheet.verdict)}" for size, sheet in sheets.items()
    }
    thresholds = [percent(sheet.threshold) for sheet in sheets.values()]
    return why_card(
        f"The largest size asked that qualifies under {envelope}",
        formula="max { *P* asked : *r*_{b,e}(*P*) \u2265 \u03c4 }",
        values=[*((megawatts(size), told) for size, told in rates.items()), ("threshold \u03c4", thresholds[0])],
        inputs=inputs,
        source="arXiv 2605.14714, stage 1",
        note="Between two sizes nothing is said.",
    )


def failure_words(study: SiteStudy, failure: tuple[int, int]) -> str:
    """Return an hour and an outage in words."""
    hour, contingency = failure
    return f"{study.run.contingencies.words(contingency)} in {study.gate.labels[hour]}"


def _verdict(study: SiteStudy, sheet: GateSheet) -> Part:
    strict: Part = verdict_mark(sheet.strict)
    first = failure_words(study, sheet.first) if sheet.first is not None else "none"
    sure, may = study.gate.largest_size(study.envelope, study.threshold)
    place = int((study.gate.buses == sheet.bus).argmax())
    largest = "none screened" if not sure[place] else megawatts(float(sure[place]))
    if may[place] > sure[place]:
        largest += f", perhaps {megawatts(float(may[place]))}"
    own = {
        mw: gate_sheet(study.gate, sheet.bus, study.envelope, mw, study.threshold) for mw in sorted(study.gate.sizes_mw)
    }
    inputs = study.inputs()
    why = breaks_card(study.gate, sheet, study.run.contingencies.words, inputs)
    broken = why_number("siting-why-sheet-breaks", number(_broken(sheet)), why, label="pairs that the load breaks")
    why = largest_card(study.envelope, own, inputs)
    size = why_number("siting-why-sheet-largest", largest, why, label="largest size screened that passes")
    return facts(
        [
            (
                f"{study.envelope}, {megawatts(study.size_mw)}",
                [rate_number(study, sheet, f"own-{study.envelope}", study.size_mw), " ", verdict_mark(sheet.verdict)],
            ),
            ("Threshold", percent(sheet.threshold)),
            ("Strict reading: every outage of every hour", strict),
            ("Breaks: pairs of hour and outage that hold without it", broken),
            ("First failure", first),
            ("Largest size screened that passes", size),
        ]
    )


def _broken(sheet: GateSheet) -> int:
    """Return how many pairs of an hour and an outage the load breaks."""
    return sum(hour.outages - hour.without_load for hour in sheet.hours)


def _all_rates(study: SiteStudy, bus: int) -> Part:
    gate = study.gate
    pairs = [(own.name, size) for size in gate.sizes_mw for own in gate.envelopes]
    if len(pairs) > _MOST_CARDS:
        pairs = [(own.name, study.size_mw) for own in gate.envelopes]
    rows = []
    for envelope, size in pairs:
        sheet = gate_sheet(gate, bus, envelope, size, study.threshold)
        rows.append(
            (
                envelope,
                (number(size), size),
                (rate_number(study, sheet, envelope, size), f"{sheet.low:.6f}"),
                verdict_mark(sheet.verdict),
                verdict_mark(sheet.strict),
                number(_broken(sheet)),
            )
        )
    return small_table(
        "rates", "Pass rate by envelope and size",
        ["Envelope", "Size, MW", "Pass rate", "Gate", "Strict", "Breaks"], rows, text=(0, 3, 4), file="pass-rates",
    )  # fmt: skip


def _sizes(study: SiteStudy, bus: int) -> Part:
    """Return every size in a table, where there are too many for cards."""
    gate = study.gate
    if len(gate.envelopes) * len(gate.sizes_mw) <= _MOST_CARDS:
        return None
    rates = {
        (own.name, size): gate_sheet(gate, bus, own.name, size, study.threshold)
        for own in gate.envelopes
        for size in gate.sizes_mw
    }
    rows = [
        (
            (number(size), size),
            *((share_words(rates[own.name, size].low, rates[own.name, size].high),
               f"{rates[own.name, size].low:.6f}") for own in gate.envelopes),
        )
        for size in gate.sizes_mw
    ]  # fmt: skip
    heads = ["Size, MW", *(own.name for own in gate.envelopes)]
    table = small_table("site-sizes", "Pass rate by size", heads, rows, text=(), file="pass-rates-by-size")
    return html.Details([html.Summary(f"All {number(len(gate.sizes_mw))} sizes"), table])


def _hours(study: SiteStudy, sheet: GateSheet) -> list[Part]:
    ordered = sorted(sheet.hours, key=lambda hour: (hour.passed, hour.hour))
    shown = sorted(ordered[:_MOST_HOURS], key=lambda hour: hour.hour)
    heads = ["Hour", "Load, MW", "Outages that pass", "Fail", "Without the load too"]
    table = small_table(
        "site-hours", "Pass rate by hour", heads, [_hour_row(study, hour) for hour in shown], file="hours",
        why=siting_cards.site_hours(study, sheet, ordered[0]) if ordered else None,
    )  # fmt: skip
    words = f"The {number(len(shown))} worst of {number(len(sheet.hours))} hours." if len(ordered) > len(shown) else ""
    parts: list[Part] = [html.P(words, className="hr-muted")] if words else []
    parts.append(table)
    if len(ordered) > len(shown):
        every = [_hour_row(study, hour) for hour in sheet.hours]
        whole = small_table("site-hours-all", "Pass rate of every hour", heads, every, file="hours", tall=True)
        parts.append(html.Details([html.Summary(f"All {number(len(sheet.hours))} hours"), whole]))
    reasons = study.run.prepared.hours.reasons
    lines = [
        html.Li(f"{study.gate.labels[hour.hour]}: {reasons[hour.hour]}")
        for hour in shown
        if hour.hour < len(reasons) and reasons[hour.hour]
    ]
    if lines:
        parts.append(html.Details([html.Summary("Why these hours"), html.Ul(lines)]))
    return parts


def _hour_row(study: SiteStudy, hour: HourShare) -> tuple[Part, ...]:
    words = share_words(hour.passed, hour.passed + hour.undecided)
    sign = "firm" if hour.passed >= study.threshold - 1e-12 else "binding"
    return (
        study.gate.labels[hour.hour],
        (number(hour.load_mw), hour.load_mw),
        (bar(hour.passed, words, sign=sign), f"{hour.passed:.6f}"),
        number(hour.outages),
        number(hour.without_load),
    )


def _failing(study: SiteStudy, sheet: GateSheet) -> list[Part]:
    if not sheet.failing:
        words = "No outage is known to fail in the hours screened."
        return [html.P(words, className="hr-muted")]
    told = html.P(
        "Press an outage to mark its elements on the map and to read which limits no dispatch keeps.",
        className="hr-muted",
    )
    rows = [_outage_row(study, sheet, one) for one in sheet.failing]
    heads = ["Outage", "Hours", "Share", "Without the load too"]
    first = small_table(
        "failing", "Outages that fail most often", heads, rows[:_MOST_OUTAGES], file="failing-outages",
        why=siting_cards.site_outages(study, sheet, sheet.failing[0]),
    )  # fmt: skip
    parts: list[Part] = [told, first]
    if len(rows) > _MOST_OUTAGES:
        whole = small_table("failing-all", "Outages that fail", heads, rows, file="failing-outages", tall=True)
        parts.append(html.Details([html.Summary(f"All {number(len(rows))} outages"), whole]))
    return parts


def _outage_row(study: SiteStudy, sheet: GateSheet, one: FailingOutage) -> tuple[Part, ...]:
    words = study.run.contingencies.words(one.contingency)
    press = html.Button(
        words[:1].upper() + words[1:],
        type="button",
        className="hr-siting-link",
        **{"data-siting-outage": f"{one.contingency}:{one.first_hour}"},
    )
    return (
        (press, words),
        f"{number(one.hours)} of {number(len(sheet.hours))}",
        (percent(one.weight, 1), f"{one.weight:.6f}"),
        number(one.without_load),
    )


def _loads(sheet: GateSheet) -> str:
    levels = sorted({round(hour.load_mw, 6) for hour in sheet.hours})
    if not levels:
        return "none screened"
    return megawatts(levels[0]) if len(levels) == 1 else f"{number(levels[0])}\u2013{megawatts(levels[-1])}"


# Why one fails


def outage_told(study: SiteStudy, bus: int, failure: tuple[int, int], load_mw: float, found: GateCertificate) -> Part:
    """Return why a load does not pass in an hour (place) after an outage (position), or that a dispatch serves it."""
    what = f"{failure_words(study, failure)}, with {megawatts(load_mw)} at {study.words(bus)}"
    if found.passes:
        return html.Div([html.P(f"{what}: a dispatch keeps every limit."), _close()], className="hr-siting-told")
    lines: list[Part] = []
    if found.limits:
        named = list(found.limits[:_MOST_LIMITS])
        more = len(found.limits) - len(named)
        lines.append(html.P("No dispatch keeps these limits together, the one that counts most first:"))
        lines.append(html.Ul([html.Li(limit) for limit in named] + ([html.Li(f"and {more} more")] if more else [])))
    else:
        lines.append(html.P("The units that are left cannot balance demand and load, whatever the network."))
    here = float(found.price[bus])
    card = why_card(
        f"A cut that proves it: {what}",
        formula="\u03a3_b *y*_b *d*_b \u2264 *\u03b2* for every load *d* beside the demand that some dispatch serves",
        values=[
            ("*y* at this bus", number(here, 4)),
            ("*y*_b times the load", f"{number(here * load_mw, 2)}"),
            ("room *\u03b2*", number(found.room_mw, 2)),
            ("buses whose load counts", number(int((abs(found.price) > 1e-9).sum()))),
        ],
        binds=[f"Without a load here the left side is 0 and the room {number(found.room_mw, 2)} MW"],
        inputs=study.inputs(),
        source="weak duality of the dispatch's linear program: Boyd and Vandenberghe, Convex Optimization, 2004, 5.8",
        note="Below 0 the outage fails without the load too; loads at buses with a price below 0 relieve it.",
    )
    most = f"{number(here * load_mw, 1)} of {number(found.room_mw, 1)} MW"
    lines.append(
        facts(
            [
                ("Left side of the cut, and its room", why_number("siting-why-cut", most, card, label="the cut")),
                ("Least overload that any dispatch leaves", _overload(found.overload)),
            ]
        )
    )
    return html.Div([html.P(html.Strong(what[:1].upper() + what[1:])), *lines, _close()], className="hr-siting-told")


def _overload(overload: float) -> str:
    return "units cannot balance the load" if overload == float("inf") else percent(overload, 2)


def _close() -> html.Button:
    return html.Button(
        "Clear the marks", type="button", className="hr-button hr-button-quiet", **{"data-siting-outage": ""}
    )


def marked_elements(study: SiteStudy, contingency: int, limits: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the branches and buses (positions) of an outage and of the limits that a certificate names."""
    network = study.network
    branches = list(study.run.contingencies.branches(contingency))
    named = {limit.partition(" ")[2] for limit in limits}
    branches += [place for place, key in enumerate(network.branches.ids) if key in named]
    unit = study.run.contingencies.unit(contingency)
    buses = [] if unit < 0 else [int(network.units.bus[unit])]
    return list(dict.fromkeys(branches)), buses
