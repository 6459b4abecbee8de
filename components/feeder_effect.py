"""The SVG effect tab: what changes with static var generators, over the day and hour by hour."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.feeder_charts import axis_name, framed, hours_of
from components.feeder_layers import At, hour_of, shape
from components.feeder_spread import finding, spread_card
from components.feeder_tables import chart, tabled
from components.feeder_words import SOURCE_AC, SOURCE_PAYMENT, WHY, inputs_of
from components.format import number, signed
from components.skeleton import Part, state
from components.tables import GridColumn
from components.theme import Theme, token
from components.why_card import why_card, why_number

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

TAB = "effect"
_DIGITS = {"p.u.": 4, "%": 3, "MWh": 3, "$": 2}
_BETTER = ("Lowest voltage", "Mean voltage at")  # measures that are better when they rise
_ONE = "This study has one case: answer the question without and with SVG, and the difference appears here."
_TITLE = "With SVG less without"
_ZERO = 5e-7  # of a measure: rounding


def place() -> Part:
    """Return the place of the chart."""
    return chart(TAB, "With static var generators less without, hour by hour; the tables have the same numbers")


def content(run: "FeederRun", at: At) -> Part:
    """Return what was found against what the paper states, the measures of the day, and the hours."""
    found = run.svg_effect()
    if not found:
        return state("empty", _ONE)
    columns, listed = rows(run, at)
    hour_columns, hours = hour_rows(run, at)
    return html.Div(
        [
            *(html.P(line, className="hr-feeder-told") for line in _findings(run)),
            html.P(
                [f"{finding(run)} ", why_number("feeder-why-spread", WHY, spread_card(run), label="spreads of prices")],
                className="hr-feeder-told",
            ),
            tabled(TAB, "What changes over the day", columns, listed, why=_day_card(run),
                   note="With less without; the draws of both cases are the same only where they were given."),
            html.H3("Hour by hour"),
            tabled("effect-hours", "What changes in each hour", hour_columns, hours,
                   why=_hour_card(run, hour_of(run, at)), note="The card is of the hour that is looked at."),
        ]
    )  # fmt: skip


def _findings(run: "FeederRun") -> list[str]:
    """Return whether what the paper states of voltages holds here, in a sentence each."""
    change = {row["measure"]: row["with"] - row["without"] for row in run.svg_effect()}
    raised, lowered = change.get("Mean voltage at data centres in AC"), change["Largest voltage unbalance (VUF)"]
    found = [
        f"arXiv 2606.26328 states that static var generators lower the unbalance: here the largest VUF "
        f"{'falls' if lowered < -_ZERO else 'does not fall'} ({signed(lowered, 3)} percentage points).",
    ]
    if raised is not None:  # there are data centres
        found.insert(
            0,
            f"arXiv 2606.26328 states that static var generators raise the voltage at data centres: here the mean "
            f"{'rises' if raised > _ZERO else 'does not rise'} ({signed(raised, 4)} p.u.).",
        )
    return found


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one for each measure of the day."""
    del at  # of the whole day
    columns = [
        GridColumn("measure", "Measure", width=260),
        GridColumn("without", "Without SVG"),
        GridColumn("with", "With SVG"),
        GridColumn("change", "Change"),
        GridColumn("unit", "Unit"),
        GridColumn("better", "Is it better"),
    ]
    found = []
    for row in run.svg_effect():
        digits = _digits_of(row)
        one, other = _tidy(row["without"]), _tidy(row["with"])
        change = other - one
        rises = any(row["measure"].startswith(words) for words in _BETTER)
        same = abs(change) < 0.5 * 10**-digits
        better = "the same" if same else "better" if (change > 0) == rises else "worse"
        found.append(
            {
                "measure": row["measure"], "unit": row["unit"], "without": number(one, digits),
                "with": number(other, digits), "change": signed(change, digits), "better": better,
            }
        )  # fmt: skip
    return columns, found


def _digits_of(row: dict[str, Any]) -> int:
    return 6 if row["measure"].startswith("Largest error") else _DIGITS.get(row["unit"], 2)


def _tidy(value: float) -> float:
    return 0.0 if abs(value) < _ZERO * 1e-3 else value


def hour_rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one for each hour, with less without."""
    columns = [
        GridColumn("hour", "Hour", width=90),
        GridColumn("volts", "Lowest voltage at data centres", "p.u.", "number", digits=4),
        GridColumn("vuf", "Largest VUF", "%", "number", digits=3),
        GridColumn("deviation", "Voltage deviation", "p.u.", "number", digits=4),
        GridColumn("bill", "Bill", "$", "number", digits=2),
        GridColumn("loss", "Losses", "kW", "number", digits=1),
        GridColumn("kvar", "Given by SVG", "kvar", "number", digits=0),
    ]
    changes = hourly(run)
    found = [
        {"hour": label, "marks": "hr-feeder-now" if hour == hour_of(run, at) else "",
         **{name: float(values[hour]) for name, values in changes.items()}}
        for hour, label in enumerate(run.labels)
    ]  # fmt: skip
    return columns, found


def hourly(run: "FeederRun") -> dict[str, np.ndarray]:
    """Return (T,) each what changes in each hour; empty for one case."""
    off, on = run.case(svg=False), run.case(svg=True)
    if off is None or on is None:
        return {}
    before = _by_hour(run, off)
    return {name: values - before[name] for name, values in _by_hour(run, on).items()}


def _by_hour(run: "FeederRun", case: "CaseRun") -> dict[str, np.ndarray]:
    """Return (T,) each measure of one case."""
    nodes = [at for at, (bus, _) in enumerate(shape(run).nodes) if bus in {row.bus for row in run.feeder.centres}]
    volts = np.abs(case.phasors[:, nodes] if nodes else case.phasors)
    return {
        "volts": volts.min(axis=1),
        "vuf": 100.0 * case.vuf.max(axis=1, initial=0.0),
        "deviation": np.asarray(case.deviation),
        "bill": (case.bill_active + case.bill_reactive).sum(axis=1),
        "loss": 1000.0 * case.loss_ac_mva.real,
        "kvar": case.svg_kvar.sum(axis=(1, 2)),
    }


# Of each measure of an hour: its formula, unit and decimals.
_MEASURES = {
    "volts": ("min_n |*V*_n| at data centres", "p.u.", 4),
    "vuf": ("max_b |*V*_{2b}| / |*V*_{1b}|", "%", 3),
    "deviation": ("Σ_n max( 0, | |*V*_n| − 1 | − 0.05 )", "p.u.", 4),
    "bill": ("Σ_c *X*_c ( λ_c + tan φ_c λ^{q}_c )", "$", 2),
    "loss": ("losses in AC", "kW", 1),
    "kvar": ("Σ *q* of SVG", "kvar", 1),
}


def _hour_card(run: "FeederRun", hour: int) -> Part:
    """Return how the changes of one hour come about."""
    off, on = run.case(svg=False), run.case(svg=True)
    if off is None or on is None:
        return None
    one, other = _by_hour(run, off), _by_hour(run, on)
    values = [
        (words, _difference(float(one[name][hour]), float(other[name][hour]), unit, digits))
        for name, (words, unit, digits) in _MEASURES.items()
    ]
    return why_card(
        f"{_TITLE}, {run.labels[hour]}", formula="Δ*m*_t = *m*_t with SVG − *m*_t without", values=values,
        inputs=inputs_of(run), source=f"{SOURCE_AC}; {SOURCE_PAYMENT}",
    )  # fmt: skip


def _day_card(run: "FeederRun") -> Part:
    """Return how the changes of the day come about."""
    values = [
        (row["measure"], _difference(row["without"], row["with"], row["unit"], _digits_of(row)))
        for row in run.svg_effect()
    ]
    return why_card(
        f"{_TITLE}, over the day", formula="Δ*m* = *m* with SVG − *m* without", values=values, inputs=inputs_of(run),
        source=f"{SOURCE_AC}; {SOURCE_PAYMENT}",
        note="Least and largest are over all hours and nodes beyond the source; the deviation, losses, costs and bills "
        "are summed over the hours. Each number of one case has its card among the key numbers.",
    )  # fmt: skip


def _difference(without: float, with_: float, unit: str, digits: int) -> str:
    """Return a difference written out: ``0.9612 − 0.9500 = +0.0112 p.u.``."""
    one, other = _tidy(without), _tidy(with_)
    return f"{number(other, digits)} \u2212 {number(one, digits)} = {signed(other - one, digits)} {unit}"


def figure(run: "FeederRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return voltage at data centres, unbalance and bill by hour, each with static var generators less without."""
    made = go.Figure()
    told = (("volts", "lowest voltage at data centres, p.u.", "firm", ".4f"),
            ("vuf", "largest VUF, %", "fine", ".3f"), ("bill", "bill, $", "flexible", ".2f"))  # fmt: skip
    changes = hourly(run)
    for place_, (name, words, colour, digits) in enumerate(told if changes else ()):
        made.add_bar(
            x=hours_of(run), y=changes[name].tolist(), xaxis=axis_name(0), yaxis=f"y{place_ + 1 if place_ else ''}",
            name=words, customdata=list(run.labels), marker={"color": token(colour, theme), "line": {"width": 0}},
            hovertemplate=f"%{{customdata}}: %{{y:+{digits}}}<extra>{words}</extra>",
        )  # fmt: skip
    rows_ = [("p.u.", 0.34), ("%", 0.33), ("$", 0.33)]
    return framed(made, run, At("on", at.hour), theme, rows=rows_, key=TAB, title=_TITLE, named=False)
