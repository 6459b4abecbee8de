"""The Real time tab: prices set again each hour from forecasts, against the same day with everything known."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components.format import count, duration, percent
from components.hubs_cards import card
from components.hubs_tables import Rows, chart, hour_ticks, reasons, tabled
from components.hubs_words import At, amount_of, dollars, hour_of, labels_of, mwh, plain
from components.skeleton import Part, state
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.pricing.congestion import Overloads
from engine.pricing.rolling import BEYOND

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "realtime"
HEIGHT_PX = 340
_LEAST_MWH = 5e-4  # less is written as 0
_HEADS = {  # the card of each column, of the hour that is looked at
    "price": "again-price",
    "known": "again-price",
    "over": "again-over",
    "over_known": "again-over",
    "took": "again-took",
}


def place() -> Part:
    """Return the place of the chart."""
    return chart(
        TAB, "Prices and overloads hour by hour, in real time and with all known; the table has the same", HEIGHT_PX
    )


def content(run: "HubRun", at: At) -> Part:
    """Return what uncertainty costs, and the table of hours; or how to ask for it."""
    real = run.real_time
    if real is None and run.question.window:
        return state("partial", "The prices of each hour are being found; the day as a whole is known.")
    if real is None:
        return state(
            "empty",
            "Prices were set once for the day. Choose “and again each hour” in the question: then forecasts err, "
            "and every hour's prices are found again from what is measured.",
        )
    columns, listed = rows(run, at)
    here, known = amount_of(real.overload_cost), amount_of(real.foresight_overload_cost)
    missed = float(real.missed_mwh.sum())
    late = (
        f" {mwh(missed)} of work is done late or not by the end of the day: it was put off in hope of less to come, "
        "and the two days do not do the same work."
        if missed >= _LEAST_MWH
        else ""
    )
    # Both searches weigh prices beside overloads and end at a best of their surroundings, so either can be less.
    which = "more" if here >= known else "less"
    difference = "" if late else f": not knowing leaves {dollars(abs(here - known))} {which}"
    told = (
        f"Set again each hour, {count(run.question.window, 'hour')} ahead, with forecasts that err by "
        f"{percent(run.question.error)}, prices leave overloads of {dollars(here)}; with everything "
        f"known {dollars(known)}{difference}. Hubs spend "
        f"{dollars(float(real.hub_cost.sum()))} against {dollars(float(real.foresight_hub_cost.sum()))}. A period's "
        f"prices took {duration(float(real.step_s.mean()))} on average, {duration(float(real.step_s.max()))} at most."
    )
    return html.Div(
        [
            html.P(f"{told}{late}{_left(run)} {BEYOND}", className="hr-feeder-told"),
            reasons(
                TAB,
                "",
                labels_of(run)[hour_of(run, at)],
                {
                    "prices": card(run, at, "again-price"),
                    "beyond limits": card(run, at, "again-over"),
                    "time": card(run, at, "again-took"),
                },
            ),
            tabled(
                TAB,
                "Prices in real time",
                columns,
                listed,
                why=card(run, at, "realtime"),
                heads={column: card(run, at, what) for column, what in _HEADS.items()},
            ),
        ]
    )


def _left(run: "HubRun") -> str:
    """Return what work waits for the next day, in words."""
    left = 0.0 if run.real_time is None else float(run.real_time.waiting_mwh.sum())
    return f" At the day's end {mwh(left)} of work waits for the next." if left >= _LEAST_MWH else ""


def rows(run: "HubRun", at: At) -> Rows:
    """Return columns and rows, one for each hour; none where it was not asked for."""
    columns = [
        GridColumn("hour", "Hour"),
        GridColumn("price", "Mean price", "$/MWh", "number", digits=1),
        GridColumn("known", "Mean price, all known", "$/MWh", "number", digits=1),
        GridColumn("over", "Beyond limits", "MW", "number", digits=3),
        GridColumn("over_known", "Beyond limits, all known", "MW", "number", digits=3),
        GridColumn("took", "Time", "s", "number", digits=2),
    ]
    real = run.real_time
    if real is None:
        return columns, []
    over = [_beyond(run, each) for each in (real.withdrawal_mw, real.foresight_withdrawal_mw)]
    found: list[dict[str, Any]] = [
        {
            "hour": label,
            "price": float(real.price[:, t].mean()),
            "known": float(real.foresight_price[:, t].mean()),
            "over": over[0][t],
            "over_known": over[1][t],
            "took": float(real.step_s[t]),
            "marks": "hr-feeder-now" if t == hour_of(run, at) else "",
        }
        for t, label in enumerate(labels_of(run))
    ]
    return columns, found


def _beyond(run: "HubRun", withdrawal: Any) -> list[float]:
    over = Overloads.of(run.case, withdrawal)
    return [plain(each) for each in (over.line_mw.sum(axis=0) + over.substation_mw).tolist()]


def figure(run: "HubRun", at: At, theme: Theme = "light") -> go.Figure:
    """Return mean prices above and MW beyond limits below; empty, saying why, where it was not asked for."""
    made, labels = go.Figure(), labels_of(run)
    listed = rows(run, at)[1]
    if not listed:
        made.add_annotation(
            text="They are being found" if run.question.window else "Prices were set once for the day",
            showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5, font={"color": token("muted", theme)},
        )  # fmt: skip
        return styled(made.update_layout(xaxis={"visible": False}, yaxis={"visible": False}), theme, key=TAB)
    hours = list(range(len(labels)))
    for name, words, axis, colour, dash in (
        ("price", "mean price, hour by hour", "", "flexible", "solid"),
        ("known", "mean price, all known", "", "firm", "dot"),
        ("over", "beyond limits, hour by hour", "2", "binding", "solid"),
        ("over_known", "beyond limits, all known", "2", "fine", "dot"),
    ):
        made.add_scatter(
            x=hours,
            y=[row[name] for row in listed],
            xaxis=f"x{axis}",
            yaxis=f"y{axis}",
            name=words,
            mode="lines",
            customdata=labels,
            line={"color": token(colour, theme), "dash": dash, "width": 2, "shape": "hvh"},
            hovertemplate=f"%{{customdata}} {words}: %{{y:.3f}}<extra></extra>",
        )
    made.update_layout(
        xaxis={**hour_ticks(labels), "anchor": "y", "showticklabels": False},
        yaxis={"domain": [0.55, 0.88], "title": {"text": "$/MWh"}},
        xaxis2={**hour_ticks(labels), "anchor": "y2"},
        yaxis2={"domain": [0.0, 0.45], "title": {"text": "MW beyond limits"}, "rangemode": "tozero", "anchor": "x2"},
    )
    return styled(made, theme, key=TAB)
