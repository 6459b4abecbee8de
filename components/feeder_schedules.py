"""The Schedules tab: work, draw, price and bill of the data centres, and what generators and compensators give."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from dash import html

from components.feeder_batteries import any_battery
from components.feeder_cards import card
from components.feeder_cards_hour import work_done
from components.feeder_charts import STEPS, axis_name, framed, hours_of, hover
from components.feeder_layers import At, case_key, case_said, case_words, cases_of, hour_of, selected
from components.feeder_tables import chart, reasons, tabled
from components.feeder_words import method_words
from components.format import count, number
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, token

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

TAB = "schedules"
_COLOURS = ("firm", "candidate", "fine", "flexible", "muted")
_CHART_PX = 330  # with batteries three charts, one above the other
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_PATTERNS = ("", "/", ".", "x", "-")


def place() -> Part:
    """Return the place of the chart."""
    words = "Draw of each data centre and the price it pays, hour by hour; the table has the same numbers"
    return chart(TAB, words, _CHART_PX)


def content(run: "FeederRun", at: At) -> Part:
    """Return the tables of data centres and of devices, and the batch jobs of the day."""
    parts: list[Part] = [html.P(_words(run), className="hr-muted hr-feeder-told")]
    case = cases_of(run, at)[-1]
    one = At(case_key(case), at.hour)  # type: ignore[arg-type]
    when = f"{run.labels[hour_of(run, at)]}, {case_said(case)}"
    if run.feeder.centres:
        columns, listed = rows(run, at)
        name = _chosen(run, at)
        cards = {words: card(run, one, f"{what}:{name}") for words, what in _CENTRE_CARDS.items()}
        parts.append(reasons(TAB, "", f"{name}, {when}", cards))
        why = card(run, one, f"paid:{name}")
        parts.append(tabled(TAB, "Schedules of the data centres", columns, listed, why=why, note=_CARD))
    columns, listed = device_rows(run, at)
    if listed:
        what = f"output:{run.feeder.generators[0].name}" if run.feeder.generators else ""
        why = card(run, one, what or f"svg:{run.feeder.compensators[0].name}")
        words = "Generators and static var generators"
        cards = {row.name: card(run, one, f"output:{row.name}") for row in run.feeder.generators}
        if case.svg:
            cards |= {row.name: card(run, one, f"svg:{row.name}") for row in run.feeder.compensators}
        parts += [
            html.H3(words),
            reasons("devices", "", when, cards) if cards else None,
            tabled("devices", words, columns, listed, why=why, note=_CARD),
        ]
    columns, listed = job_rows(run)
    if listed:
        parts += [html.H3("Batch jobs"), tabled("jobs", "Batch jobs of the day", columns, listed)]
    return html.Div(parts)


_CARD = "The card is of the hour that is looked at."
_CENTRE_CARDS = {"work": "computers", "draw": "draw", "price": "rate", "bill": "paid"}


def _words(run: "FeederRun") -> str:
    jobs = run.provenance["work"]["jobs"]
    work = sum(run.provenance["work"]["interactive"])
    batch = sum(job["work"] for job in jobs)
    return (
        f"{count(len(run.feeder.centres), 'data centre')}: {method_words(run)}. {number(work)} units of interactive "
        f"work and {number(batch)} in {count(len(jobs), 'batch job')} over the day."
    )


def _chosen(run: "FeederRun", at: At) -> str:
    found = selected(run, at)
    names = [row.name for row in run.feeder.centres]
    return found[1] if found is not None and found[0] == "centre" else names[0]


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows of the data centres: one for each case, hour and data centre."""
    cases, stored = cases_of(run, at), any_battery(run)
    columns = [
        GridColumn("hour", "Hour", width=90),
        *([GridColumn("case", "Case", width=110)] if len(cases) > 1 else []),
        GridColumn("centre", "Data centre", width=130),
        GridColumn("work", "Work", "", "number", digits=0),
        *(_STORED if stored else []),
        GridColumn("draw", "From the network" if stored else "Draw", "kW", "number", digits=0),
        GridColumn("price", "Price", "$/MWh", "number", digits=2, help="Reactive power included"),
        GridColumn("active", "Active", "$", "number", digits=2),
        GridColumn("reactive", "Reactive", "$", "number", digits=2),
        GridColumn("bill", "Bill", "$", "number", digits=2),
    ]
    found = []
    for case in cases:
        done = work_done(run, case)
        for hour, label in enumerate(run.labels):
            for at_, row in enumerate(run.feeder.centres):
                active, reactive = float(case.bill_active[hour, at_]), float(case.bill_reactive[hour, at_])
                found.append(
                    {
                        "hour": label, "case": case_words(case), "centre": row.name, "work": float(done[hour, at_]),
                        "draw": float(case.draw_kw[hour, at_]), "price": float(case.centre_price[hour, at_]),
                        "active": active, "reactive": reactive, "bill": active + reactive,
                        **(_stored(run, case, hour, at_) if stored else {}),
                        "marks": "hr-feeder-now" if hour == hour_of(run, at) else "",
                    }
                )  # fmt: skip
    return columns, found


_STORED = [
    GridColumn("computers", "Computers", "kW", "number", digits=0, help="And their cooling"),
    GridColumn("charge", "Charge", "kW", "number", digits=0),
    GridColumn("discharge", "Discharge", "kW", "number", digits=0),
    GridColumn("held", "Held", "kWh", "number", digits=0, help="At the end of the hour"),
    GridColumn("full", "State of charge", "%", "number", digits=0),
]


def _stored(run: "FeederRun", case: "CaseRun", hour: int, place_: int) -> dict[str, float | None]:
    """Return what a data centre's computers and its battery do in an hour; None of a battery that is not there."""
    battery, computers = run.feeder.centres[place_].battery, float(case.computer_kw[hour, place_])
    if battery is None:
        return {"computers": computers, "charge": None, "discharge": None, "held": None, "full": None}
    held = float(case.held_kwh[hour, place_])
    return {
        "computers": computers, "charge": float(case.charge_kw[hour, place_]),
        "discharge": float(case.discharge_kw[hour, place_]), "held": held, "full": 100.0 * held / battery.energy_kwh,
    }  # fmt: skip


def device_rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows of generators and static var generators: one for each case, hour and device."""
    cases, members = cases_of(run, at), run.feeder.frame
    columns = [
        GridColumn("hour", "Hour", width=90),
        *([GridColumn("case", "Case", width=110)] if len(cases) > 1 else []),
        GridColumn("device", "Device", width=130),
        GridColumn("kw", "Gives", "kW", "number", digits=0),
        GridColumn("kvar", "Gives", "kvar", "number", digits=0),
        *(GridColumn(f"kvar_{member}", f"On {member}", "kvar", "number", digits=1) for member in members),
    ]
    found = []
    for case in cases:
        for hour, label in enumerate(run.labels):
            common = {"hour": label, "case": case_words(case),
                      "marks": "hr-feeder-now" if hour == hour_of(run, at) else ""}  # fmt: skip
            for at_, row in enumerate(run.feeder.generators):
                given = 1000.0 * complex(case.generator_mva[hour, at_])
                found.append(common | {"device": row.name, "kw": given.real, "kvar": given.imag})
            for at_, device in enumerate(run.feeder.compensators if case.svg else ()):
                each = dict(zip(members, case.svg_kvar[hour, at_].tolist(), strict=True))
                on = {f"kvar_{name}": value for name, value in each.items() if name in run.feeder.spread(device.phases)}
                found.append(common | {"device": device.name, "kvar": sum(on.values()), **on})
    return columns, found


def job_rows(run: "FeederRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows of the batch jobs."""
    columns = [
        GridColumn("name", "Batch job", width=120),
        GridColumn("first", "From", width=90),
        GridColumn("last", "To the end of", width=110),
        GridColumn("work", "Work", "", "number", digits=0),
        GridColumn("delay", "Delay", "$ for each unit and hour", "number", digits=2),
    ]
    labels, last = run.labels, len(run.labels) - 1
    found = [
        {"name": job["name"], "first": labels[min(job["first"], last)], "last": labels[min(job["last"], last)],
         "work": job["work"], "delay": job["delay_price"]}
        for job in run.provenance["work"]["jobs"]
    ]  # fmt: skip
    return columns, found


def figure(run: "FeederRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return the draws stacked by hour, below what they pay for a MWh, and how full their batteries are."""
    cases, made, stored = cases_of(run, at), go.Figure(), any_battery(run)
    for place_, case in enumerate(cases):
        _draws(made, run, case, (place_, theme))
        _prices(made, run, case, (place_, theme))
        if stored:
            _batteries(made, run, case, (place_, theme))
    made.update_layout(barmode="stack", bargap=0.12)
    key = f"{TAB}-{len(cases)}-{stored}"
    shares = [("kW drawn", 0.42), ("$/MWh paid", 0.3), ("% held", 0.28)] if stored else [
        ("kW drawn", 0.55), ("$/MWh paid", 0.45)
    ]  # fmt: skip
    return framed(made, run, at, theme, rows=shares, key=key, title="Data centres")


def _batteries(made: go.Figure, run: "FeederRun", case: "CaseRun", told: tuple[int, Theme]) -> None:
    """Draw what computers draw over the stack of what comes from the network, and how full each battery is below."""
    place_, theme = told
    common: dict[str, Any] = {"x": hours_of(run), "xaxis": axis_name(place_), "mode": "lines",
                              "customdata": list(run.labels)}  # fmt: skip
    made.add_scatter(
        **common, y=case.computer_kw.sum(axis=1).tolist(), yaxis="y", name="computers of all", showlegend=place_ == 0,
        line={"color": token("text", theme), "width": 1.8, "shape": STEPS},
        hovertemplate=hover("computers of all", "kW", case, 0),
    )  # fmt: skip
    for at_, row in enumerate(run.feeder.centres):
        if row.battery is not None:
            made.add_scatter(
                **common, y=(100.0 * case.held_kwh[:, at_] / row.battery.energy_kwh).tolist(), yaxis="y3",
                name=f"battery of {row.name}", legendgroup=row.name, showlegend=False,
                line={"color": token(_COLOURS[at_ % 5], theme), "width": 2.0, "shape": STEPS,
                      "dash": _DASHES[at_ % 5]},
                hovertemplate=hover(f"battery of {row.name}", "%", case, 0),
            )  # fmt: skip


def _draws(made: go.Figure, run: "FeederRun", case: "CaseRun", told: tuple[int, Theme]) -> None:
    place_, theme = told
    for at_, row in enumerate(run.feeder.centres):
        made.add_bar(
            x=hours_of(run), y=case.draw_kw[:, at_].tolist(), xaxis=axis_name(place_), yaxis="y", name=row.name,
            legendgroup=row.name, showlegend=place_ == 0, customdata=list(run.labels),
            marker={
                "color": token(_COLOURS[at_ % 5], theme), "line": {"width": 0},
                "pattern": {
                    "fillmode": "overlay", "shape": _PATTERNS[at_ % 5], "size": 6,
                    "fgcolor": token("surface", theme), "fgopacity": 0.6,
                },
            },
            hovertemplate=hover(row.name, "kW", case, 0),
        )  # fmt: skip
    most = sum(row.most_kw for row in run.feeder.centres)
    if np.any(case.draw_kw.sum(axis=1) > 0.6 * most):
        made.add_scatter(
            x=[-0.5, len(run.labels) - 0.5], y=[most, most], xaxis=axis_name(place_), yaxis="y", mode="lines",
            name="most computers can draw", showlegend=place_ == 0, hoverinfo="skip",
            line={"color": token("muted", theme), "width": 1.2, "dash": "longdash"},
        )  # fmt: skip


def _prices(made: go.Figure, run: "FeederRun", case: "CaseRun", told: tuple[int, Theme]) -> None:
    place_, theme = told
    common: dict[str, Any] = {"x": hours_of(run), "xaxis": axis_name(place_), "yaxis": "y2", "mode": "lines",
                              "customdata": list(run.labels), "showlegend": False}  # fmt: skip
    made.add_scatter(
        **{**common, "showlegend": place_ == 0}, y=run.price_per_mwh.tolist(), name="price at the substation",
        line={"color": token("bus", theme), "width": 1.4, "shape": STEPS},
        hovertemplate=hover("substation", "$/MWh", case),
    )  # fmt: skip
    for at_, row in enumerate(run.feeder.centres):
        made.add_scatter(
            **common, y=case.centre_price[:, at_].tolist(), name=row.name, legendgroup=row.name,
            line={"color": token(_COLOURS[at_ % 5], theme), "width": 2.0, "shape": STEPS, "dash": _DASHES[at_ % 5]},
            hovertemplate=hover(row.name, "$/MWh", case),
        )  # fmt: skip
