"""Voltages and losses of a site by an AC power flow: the panel in its states. It flags and never gates."""

from dash import html

from components import siting_ids
from components.capacity_answer import pressed_button
from components.format import count, megawatts, number, percent
from components.siting_site import small_table
from components.skeleton import Part, progress_card, state
from components.why_card import WhyInput, why_card, why_number
from engine.siting.ac_check import AcReport, AcRow
from engine.store.jobs import Job

_PURPOSE = (
    "The gate is a DC one: it knows no voltages and no losses. An AC power flow of the network without and with the "
    "load, and after the ten worst outages, flags what it does not see. It never changes the verdict."
)
_METHOD = "Newton-Raphson power flow: Tinney and Hart, 1967; solved with pandapower"


def to_compute(words: str) -> Part:
    """Return the panel before anything was computed."""
    return html.Div(
        [html.P([_PURPOSE, f" Asked: {words}."], className="hr-muted"), pressed_button("Compute", siting_ids.AC_RUN)]
    )


def running(job: Job) -> Part:
    """Return the panel while its job computes."""
    return progress_card("AC power flows", done=job.done, total=job.total, message=job.message, job=job.id)


def failed(message: str, *, cancelled: bool) -> Part:
    """Return the panel after a job that gave no result."""
    press = pressed_button("Compute again", siting_ids.AC_RUN)
    if cancelled:
        return state("empty", "The power flows were cancelled.", title="Cancelled", action=press)
    return state("failed", message or "The job stopped without a word.", action=press)


def done(report: AcReport, inputs: list[WhyInput]) -> Part:
    """Return the report."""
    rows = [_row(place, row, inputs) for place, row in enumerate(report.rows)]
    heads = ["State", "Losses, MW", "Here, pu", "Least, pu", "Largest, pu", "Loading", "Flags"]
    words = report.words()
    lines = [html.Li(f"{notice[:1].upper()}{notice[1:]}.") for notice in report.notices]
    kind = "partial" if report.flagged else "done"
    return html.Div(
        [
            state(kind, f"{words[:1].upper()}{words[1:]}.", title="Flagged" if report.flagged else "Nothing flagged"),
            html.P(f"Looked at: {report.hour}. Flags do not change the gate's verdict.", className="hr-muted"),
            small_table(
                "ac", "AC power flows", heads, rows, text=(0, 6), file="ac-power-flow", why=_numbers(report, inputs)
            ),
            html.Details([html.Summary("What was assumed"), html.Ul(lines)]),
        ]
    )


def _numbers(report: AcReport, inputs: list[WhyInput]) -> Part:
    """Return why the numbers of the table are what they are, with those of its first state that has a solution."""
    row = next((one for one in report.rows if one.found), report.rows[0])
    lossy = "no AC solution" if not row.found else f"{number(row.losses_mw, 1)} MW"
    return why_card(
        f"These numbers: {_name(row)}",
        formula="losses = \u03a3_l (*P*_{from,l} + *P*_{to,l}),  loading = max_l |*I*_l| / *I*_{l,rated}",
        values=[
            ("losses, of every branch in service", lossy),
            (f"here: |*V*| at bus {report.bus}", f"{number(row.site_voltage_pu, 4)} pu"),
            ("least: min_b |*V*_b|", _at_bus(row.least_voltage_pu, row.least_voltage_bus)),
            ("largest: max_b |*V*_b|", _at_bus(row.largest_voltage_pu, row.largest_voltage_bus)),
            ("loading: rating A at 1 pu is 100 %", _fullest(row)),
            ("states flagged", f"{number(report.flagged)} of {number(len(report.rows) - 1)} with the load"),
        ],
        inputs=inputs,
        source=_METHOD,
        note="Voltages and currents solve the power flow of the state's dispatch, its losses shared by the running "
        "units. A state is flagged where a voltage, a current, a reactive limit or the room for losses is exceeded, "
        "or where its dispatch had to be moved.",
    )


def _at_bus(voltage_pu: float, bus: str) -> str:
    return f"{number(voltage_pu, 4)} pu at bus {bus}" if bus else number(voltage_pu)


def _fullest(row: AcRow) -> str:
    return f"{row.loaded_branch}, {percent(row.loading, 1)}" if row.loaded_branch else percent(row.loading)


def _dispatched(row: AcRow) -> str:
    """Return how much of a dispatch is what was asked for."""
    if row.status in {"no dispatch", "no solution"}:
        return row.flags[0]
    if row.share == 1.0:
        return "as its DC power flow has it, with losses shared"
    return f"{percent(row.share)} least-cost, the rest in proportion to what units can make"


def _name(row: AcRow) -> str:
    return f"{row.words}, {megawatts(row.load_mw)}" if row.load_mw else f"{row.words}, without the load"


def _row(place: int, row: AcRow, inputs: list[WhyInput]) -> tuple[Part, ...]:
    name = _name(row)
    card = why_card(
        f"{name[:1].upper()}{name[1:]}",
        formula="*P*_b = |*V*_b| \u03a3_k |*V*_k| (*G*_{bk} cos \u03b8_{bk} + *B*_{bk} sin \u03b8_{bk})",
        values=[
            ("status", row.status),
            ("dispatch", _dispatched(row)),
            ("losses", megawatts(row.losses_mw)),
            ("voltage here", f"{number(row.site_voltage_pu, 4)} pu"),
            ("lowest voltage", _at_bus(row.least_voltage_pu, row.least_voltage_bus)),
            ("highest voltage", _at_bus(row.largest_voltage_pu, row.largest_voltage_bus)),
            (
                "buses below and above their limits",
                f"{number(row.below)}, {number(row.above)}" if row.found else "\u2013",
            ),
            ("fullest branch", _fullest(row)),
            ("units at a reactive limit", number(row.at_reactive_limit)),
        ],
        inputs=inputs,
        source=_METHOD,
    )
    losses = number(row.losses_mw, 1)
    flags = "; ".join(row.flags) or "none"
    return (
        name[:1].upper() + name[1:],
        (why_number(f"siting-why-ac-{place}", losses, card, label=f"losses, {name}"), row.losses_mw),
        (number(row.site_voltage_pu, 3), row.site_voltage_pu),
        (number(row.least_voltage_pu, 3), row.least_voltage_pu),
        (number(row.largest_voltage_pu, 3), row.largest_voltage_pu),
        (percent(row.loading, 0), row.loading),
        (html.Span(flags, className="hr-sign-binding" if row.flags else "hr-muted"), flags),
    )


def outcome(report: AcReport) -> str:
    """Return the report in a line, for paper."""
    return f"{report.words()}; {count(len(report.rows), 'state')} looked at: {report.hour}"
