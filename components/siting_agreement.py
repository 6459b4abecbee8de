"""The Agreement tab: draft terms for the selected site, and the audit that applies exactly them to metered MW."""

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import siting_cards, siting_ids
from components.capacity_answer import pressed_button
from components.format import count, megawatts, number, percent
from components.siting_site import bar, small_table
from components.skeleton import Part, button, facts, section, state
from components.why_card import why_card, why_number
from engine.siting.agreement import LADDER, LADDER_DAYS, Agreement
from engine.siting.audit import Audit, AuditDay, Violation
from engine.siting.case import HOURS_OF_DAY

SAMPLINGS = (1, 5, 10, 15, 30, 60)
_MOST_NAMED = 3
_UNITS = {"cap": "MW", "ramp": "MW/h", "energy": "MWh"}
_NUMBERS: tuple[tuple[str, str, float, str], ...] = (
    ("response_min", "Response after a cap falls", 15, "min"),
    ("tolerance_mw", "Tolerance", 0, "MW"),
    ("tolerance_share", "or of the cap, the larger", 1, "%"),
    ("energy_band", "Band of the day's energy", 5, "%"),
    ("least_coverage", "Least share of a day's samples", 95, "%"),
)
PERCENT = ("tolerance_share", "energy_band", "least_coverage")
TIME_ZONE = "time_zone"
_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "Europe/Dublin",
    "Europe/London", "Europe/Paris", "Europe/Berlin", "Australia/Sydney", "Asia/Tokyo", "UTC",
)  # fmt: skip


def place() -> html.Div:
    """Return the tab: the terms, and beside them, on a narrow screen below, the audit."""
    return html.Div(
        [
            dcc.Store(id=siting_ids.TERMS_HELD),
            dcc.Download(id=siting_ids.TERMS_FILE),
            dcc.Store(id=f"{siting_ids.METER_TRY}-pressed"),
            dcc.Store(id=siting_ids.SIGNED),
            dcc.Store(id=f"{siting_ids.SIGNED_DROP}-pressed"),
            html.Div([_controls(), html.Div(id=siting_ids.TERMS)], className="hr-siting-half"),
            html.Div([_meter(), html.Div(id=siting_ids.AUDIT, **{"aria-live": "polite"})], className="hr-siting-half"),
        ],
        className="hr-siting-halves",
    )


def _controls() -> Part:
    options = [{"value": str(value), "label": f"{value} min"} for value in SAMPLINGS]
    choose = dbc.Select(
        id=siting_ids.term("sampling_min"), options=options, value="15", class_name="hr-input hr-input-small"
    )
    fields = [html.Label(["A metered mean every", choose], className="hr-siting-field")]
    fields += [
        html.Label(
            [
                words,
                html.Span(
                    [
                        dbc.Input(
                            id=siting_ids.term(name), type="number", value=value, debounce=True, min=0, step="any",
                            class_name="hr-input hr-input-small",
                        ),
                        html.Span(unit, className="hr-unit"),
                    ]
                ),
            ],
            className="hr-siting-field",
        )
        for name, words, value, unit in _NUMBERS
    ]  # fmt: skip
    fields.append(
        html.Label(
            [
                "Time zone of the hours",
                dbc.Input(
                    id=siting_ids.term(TIME_ZONE), type="text", value="", debounce=True, autocomplete="off",
                    list=f"{siting_ids.TERMS}-zones", placeholder="the clock of the meter",
                    class_name="hr-input hr-siting-zone",
                ),
                html.Datalist([html.Option(value=zone) for zone in _ZONES], id=f"{siting_ids.TERMS}-zones"),
            ],
            className="hr-siting-field",
        )
    )  # fmt: skip
    ladder = html.Label(
        [
            f"Ladder: days of the last {LADDER_DAYS} with a violation, and what follows",
            dbc.Textarea(
                id=siting_ids.LADDER, value=ladder_text(), debounce=True, rows=4, class_name="hr-input",
            ),
        ],
        className="hr-siting-field hr-siting-wide",
    )  # fmt: skip
    keep = button("Keep as JSON", siting_ids.TERMS_KEEP, icon_name="download")
    return section("Draft agreement", html.Div([*fields, ladder, keep], className="hr-siting-fields"))


def _meter() -> Part:
    return section(
        "Audit of metered MW",
        html.P(
            "A CSV with the columns time (ISO 8601) and mw: the mean of each sample from that time on. Times with an "
            "offset from UTC are brought to the time zone of the terms. Without one they are read on its clock; where "
            "it is set back in autumn the hour comes twice, in the order of the file.",
            className="hr-muted",
        ),
        html.Div(
            dcc.Upload(
                html.Span("Read a signed agreement", className="hr-button"),
                id=siting_ids.SIGNED_FILE, accept=".json,application/json", max_size=-1,
            ),
            className="hr-siting-ways",
            **{"data-siting-upload": "Signed agreement, JSON"},
        ),
        html.Div(signed(None), id=siting_ids.SIGNED_SHOWN, **{"aria-live": "polite"}),
        html.Div(
            [
                html.Div(
                    dcc.Upload(
                        html.Span("Audit a CSV of metered MW", className="hr-button"),
                        id=siting_ids.METER, accept=".csv,text/csv", max_size=-1,
                    ),
                    **{"data-siting-upload": "CSV of metered MW"},
                ),
                pressed_button("Try with an invented month", siting_ids.METER_TRY),
            ],
            className="hr-siting-ways",
        ),
    )  # fmt: skip


def ladder_text() -> str:
    """Return the ladder as the box holds it."""
    return "\n".join(f"{rung.days}: {rung.consequence}" for rung in LADDER)


def no_site() -> Part:
    """Return the terms while there is no site to write them for."""
    words = "Select a candidate bus: the terms are drafted for it, under the envelope and size that are drawn."
    return state("empty", words)


def refused(message: str, title: str = "Not possible") -> Part:
    """Return what is said of terms or a file that cannot be taken; the problems of a file's lines are a list."""
    lines = message.removeprefix("line ").split("; line ")
    if len(lines) == 1:
        return state("failed", f"{message[:1].upper()}{message[1:]}.", title=title)
    words = f"{count(len(lines), 'line')} cannot be read. Nothing was judged; mend them and read the file again."
    return state("failed", words, title=title, details=[f"Line {line}" for line in lines])


def signed(agreement: Agreement | None, name: str = "") -> Part:
    """Return against which terms a meter is held: those of a signed file, else the draft."""
    if agreement is None:
        return html.P("A meter is held against the draft, as it stands.", className="hr-siting-held")
    return html.Div(
        [
            html.P(
                [
                    "A meter is held against ",
                    html.Strong(name),
                    f": {agreement.site}, {agreement.envelope.name}, {megawatts(agreement.nameplate_mw)}. ",
                    pressed_button("Back to the draft", siting_ids.SIGNED_DROP),
                ]
            ),
            html.Details([html.Summary("Its terms"), facts(list(agreement.terms()))]),
        ],
        className="hr-siting-held",
    )


def terms(agreement: Agreement) -> Part:
    """Return the draft."""
    caps, held = agreement.cap_mw, agreement.tolerance()
    most = float(agreement.nameplate_mw)
    rows = [
        (
            str(hour),
            (bar(cap / most, number(cap, 1), sign="firm"), cap),
            (number(cap + extra, 1), cap + extra),
        )
        for hour, cap, extra in zip(range(1, HOURS_OF_DAY + 1), caps.tolist(), held.tolist(), strict=True)
    ]
    note = "A draft for the parties to edit, not legal advice. Sampling, response, tolerances and ladder are proposals."
    return html.Div(
        [
            html.P(note, className="hr-muted"),
            facts([(name, words) for name, words in agreement.terms()]),
            small_table(
                "caps",
                "Cap by hour of the day",
                ["Hour", "Cap, MW", "Violated above, MW"],
                rows,
                file="caps",
                why=siting_cards.caps(agreement),
                tall=True,
            ),
        ],
        className="hr-siting-terms",
    )


# The audit


def audited(found: Audit, name: str, against: str, step_min: float = 0.0) -> Part:
    """Return what a meter says of an agreement; ``against`` says whose terms they are.

    ``step_min`` is the usual time between two samples, 0 where it is that of the terms.
    """
    rows = [_day(found, place, day) for place, day in enumerate(found.days)]
    heads = ["Day", "Samples", "Peak, MW", "Energy, MWh", "Violations", f"Of {LADDER_DAYS} days", "What follows"]
    return html.Div(
        [
            _verdict(found, step_min),
            facts(
                [
                    ("Meter", name),
                    ("Held against", against),
                    ("Site", found.agreement.site),
                    (
                        "Hours of",
                        f"the clock in {zone}" if (zone := found.agreement.time_zone) else "the meter's clock",
                    ),
                    ("Largest MW in the peak hours", _peak(found)),
                    ("Days that cannot be judged", number(len(found.days) - found.judged)),
                ]
            ),
            small_table(
                "audit",
                "Audit by day",
                heads,
                rows,
                text=(0, 4, 6),
                file="audit",
                tall=True,
                why=siting_cards.audited(found),
            ),
        ]
    )


def _verdict(found: Audit, step_min: float) -> Part:
    """Return whether the envelope was kept, as far as days can be judged."""
    days, least = len(found.days), percent(found.agreement.least_coverage)
    if not found.judged:
        words = f"None of {count(days, 'day')} has {least} of its samples: whether the envelope was kept is not known."
        if step_min > (asked := found.agreement.sampling_min):
            words += f" The meter has a sample every {number(step_min)} min, and the terms ask one every {asked} min."
        return state("partial", words, title="Not judged")
    left = (
        ""
        if found.judged == days
        else f" {number(days - found.judged)} of {count(days, 'day')} not judged: too few samples."
    )
    if found.kept:
        words = f"{count(found.judged, 'judged day')}, none with a violation.{left}"
        return state("done", words, title="Kept" if found.judged == days else "Kept on the days judged")
    broken, last = sum(bool(day.violations) for day in found.days), found.consequence[-1]
    ladder = f"On the last day the ladder stands at: {last}." if last else "On the last day nothing follows any more."
    words = f"{count(broken, 'day')} of {count(found.judged, 'judged day')} with a violation.{left} {ladder}"
    return state("infeasible", words, title="Not kept")


def _peak(found: Audit) -> Part:
    day = max(found.days, key=lambda one: one.peak_mw if one.peak_mw == one.peak_mw else -1.0)
    peak = found.agreement.envelope.peak_hours
    cap = float(min(found.agreement.cap_mw[hour - 1] for hour in peak))
    text = megawatts(day.peak_mw)
    card = why_card(
        f"{text} on {day.day}",
        formula="max over samples in the peak hours of metered MW",
        values=[
            ("peak hours", f"{peak[0]}\u2013{peak[-1]}"),
            ("least cap in them", megawatts(cap)),
            ("tolerance there", megawatts(float(found.agreement.tolerance()[peak[0] - 1]))),
            ("samples of that day", percent(day.coverage, 1)),
            ("response after a cap falls", f"{found.agreement.response_min} min"),
        ],
        source="the terms that the meter is held against",
        note="It may lie above the cap and keep it: in the response time the cap of the hour before still holds.",
    )
    return why_number("siting-why-meter", text, card, label="largest metered MW in the peak hours")


def _day(found: Audit, place: int, day: AuditDay) -> tuple[Part, ...]:
    words = "; ".join(_violation(one) for one in day.violations[:_MOST_NAMED])
    if len(day.violations) > _MOST_NAMED:
        words += f"; and {number(len(day.violations) - _MOST_NAMED)} more"
    if not day.judged:
        words = "too few samples to judge"
    every = "; ".join(_violation(one) for one in day.violations)
    return (
        (str(day.day) if day.hours == HOURS_OF_DAY else f"{day.day}, {day.hours:g} h", str(day.day)),
        (percent(day.coverage, 0), day.coverage),
        (number(day.peak_mw, 1), day.peak_mw),
        (number(day.energy_mwh), day.energy_mwh),
        (html.Span(words or "none", className="hr-sign-binding" if day.violations else "hr-muted"), every or words),
        number(found.days_in_violation[place]),
        found.consequence[place] or "nothing",
    )


def _violation(one: Violation) -> str:
    when = f"{one.at:%H:%M}{' the second time' if one.at.fold else ''}" if one.rule != "energy" else "the day"
    unit = _UNITS[one.rule]
    return f"{one.rule} at {when}: {number(one.metered, 1)} {unit}, allowed {number(one.allowed, 1)} {unit}"
