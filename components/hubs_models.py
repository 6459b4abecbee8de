"""The Models tab: no prices, all as one, exact prices and quick ones side by side, and what separates them."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components.format import percent
from components.hubs_cards import card
from components.hubs_cards_models import COLUMNS
from components.hubs_tables import Rows, chart, hour_ticks, tabled
from components.hubs_words import (
    HUBS,
    LETTERS,
    PRICES,
    At,
    bound_of,
    dollars,
    gap_of,
    key_of,
    labels_of,
    lettered,
    mwh,
    ordered,
    status_words,
    worst_words,
)
from components.skeleton import Part
from components.tables import GridColumn
from components.theme import Theme, styled, token
from engine.pricing.compare import Hubs, Outcome, Prices

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "models"
HEIGHT_PX = 320
_SIGNS = {
    "none": ("binding", "square"),
    "central": ("fine", "diamond"),
    "exact": ("firm", "triangle-up"),
    "quick": ("flexible", "circle"),
}
_BESIDE = {"none": "top center", "central": "bottom center", "exact": "top left", "quick": "top right"}
_ORDER: tuple[Prices, ...] = ("none", "central", "exact", "quick")


def place() -> Part:
    """Return the place of the chart."""
    return chart(
        TAB, "What models cost hubs and what they leave beyond limits; the table has the same numbers", HEIGHT_PX
    )


def content(run: "HubRun", at: At) -> Part:
    """Return what separates the models in words, and their table."""
    columns, listed = rows(run, at)
    return html.Div(
        [
            html.P(story(run), className="hr-feeder-told"),
            tabled(
                TAB,
                "Models side by side",
                columns,
                listed,
                faces=_faces(run, at),
                heads={name: card(run, at, f"each:{name}") for name in COLUMNS},
                note="Hubs of constant costs may answer in several ways as good: best and worst are told.",
            ),
        ]
    )


def _faces(run: "HubRun", at: At) -> dict[tuple[int, str], Part]:
    """Return the cards of every row: what is beyond limits, what prices weigh, what it comes to, who pays what."""
    of = {
        "mwh": "overload",
        "above": "above",
        "prices": "terms",
        "objective": "outcome",
        "cost": "spent",
        "paid": "passed",
    }
    return {
        (row, column): card(run, at, f"{what}:{key_of(each)}")
        for row, each in enumerate(ordered(run))
        for column, what in of.items()
    }


def story(run: "HubRun") -> str:
    """Return what decentralisation costs, in words."""
    case = run.case
    quick, none, central = run.of("quick", "quadratic"), run.of("none", "quadratic"), run.of("central", "linear")
    if quick is None or none is None or central is None:
        raise ValueError("a run without its models")
    same = run.of("none", "linear") or none  # the hubs that all as one is of
    words = [
        f"Without prices {mwh(none.overloads.mwh(case))} are beyond limits; run as one, hubs would leave "
        f"{mwh(central.overloads.mwh(case))} for {dollars(float((central.hub_cost - same.hub_cost).sum()))} more of "
        f"their own cost; quick prices leave {mwh(quick.overloads.mwh(case))} for "
        f"{dollars(float((quick.hub_cost - none.hub_cost).sum()))} more.",
        f"So the price of decentralisation is {dollars(quick.overload_cost - run.floor)} of overloads.",
    ]
    exact, message = run.of("exact", "linear"), str(run.facts["exact"].get("message", ""))
    if exact is not None:
        words.append(
            f"Exact prices for hubs of constant costs reach {dollars(exact.objective)}, proved to "
            f"{percent(max(exact.gap, 0.0), 1)}; as such hubs may answer in several ways as good, overloads may weigh "
            f"{worst_words(exact)} at worst."
        )
    else:
        words.append(f"Exact prices (C): {message or 'none'}.")
    return " ".join(words)


def rows(run: "HubRun", _at: At) -> Rows:
    """Return columns and rows: one row for each model and kind of hubs."""
    columns = [
        GridColumn("model", "Model"),
        GridColumn("hubs", "Hubs"),
        GridColumn("mwh", "Beyond limits", "MWh", "number", digits=3),
        GridColumn("best", "Overloads", "$", "number", digits=1),
        GridColumn("worst", "At worst", "$", "number", digits=1),
        GridColumn("above", "Over B", "$", "number", digits=1),
        GridColumn("prices", "Price terms", "$", "number", digits=1),
        GridColumn("objective", "Objective", "$", "number", digits=1),
        GridColumn("bound", "Bound", "$", "number", digits=1),
        GridColumn("gap", "Gap", "%", "percent", digits=1),
        GridColumn("cost", "Hubs' own cost", "$", "number", digits=1),
        GridColumn("paid", "Paid", "$", "number", digits=1),
        GridColumn("time", "Time", "s", "number", digits=1),
        GridColumn("status", "Status"),
    ]
    found: list[dict[str, Any]] = [
        {
            "model": f"{LETTERS[each.prices]} {PRICES[each.prices]}",
            "hubs": HUBS[each.hubs].removeprefix("hubs of "),
            "mwh": each.overloads.mwh(run.case),
            "best": each.overload_cost,
            "worst": each.worst_cost,
            "above": each.overload_cost - run.floor,
            "prices": each.price_cost.total,
            "objective": each.objective,
            "bound": bound_of(run, each),
            "gap": gap_of(run, each),
            "cost": float(each.hub_cost.sum()),
            "paid": float(each.paid.sum()),
            "time": each.time_s,
            "status": status_words(each),
        }
        for each in ordered(run)
    ]
    return columns, found


def figure(run: "HubRun", _at: At, theme: Theme = "light") -> go.Figure:
    """Return congestion against cost to hubs, a mark for each model, and beside it each model's overloads by hour."""
    made = go.Figure()
    for each in ordered(run):
        _mark(made, run, each, theme)
    central = run.of("central", "linear")
    if central is not None:
        made.add_hline(
            y=central.overloads.mwh(run.case),
            line={"color": token("fine", theme), "dash": "dot", "width": 1.5},
            xref="x",
            annotation_text="all as one",
            annotation_position="bottom left",
            annotation_font={"size": 11, "color": token("muted", theme)},
        )
    _small(made, run, theme)
    made.add_annotation(
        text=_apart_words(run), xref="paper", yref="paper", x=0.0, y=1.0, xanchor="left", yanchor="bottom",
        showarrow=False, font={"size": 12, "color": token("text", theme)},
    )  # fmt: skip
    made.update_layout(
        xaxis={"domain": [0.0, 0.46], "title": {"text": "hubs' own cost, $"}},
        yaxis={"title": {"text": "beyond limits, MWh"}, "rangemode": "tozero", "domain": [0.0, 0.96]},
        legend={"y": 1.02},
    )
    return styled(made, theme, key=TAB)


def _apart_words(run: "HubRun") -> str:
    """Return the price of decentralisation of exact and quick prices, over B."""
    told = []
    wanted: tuple[tuple[Prices, Hubs], ...] = (("exact", "linear"), ("quick", "quadratic"))
    for prices, hubs in wanted:
        each = run.of(prices, hubs)
        if each is not None:
            told.append(f"{LETTERS[prices]} {dollars(each.overload_cost - run.floor)}")
    return f"Price of decentralisation, over B: {', '.join(told)}"


def _mark(made: go.Figure, run: "HubRun", each: Outcome, theme: Theme) -> None:
    colour, symbol = _SIGNS[each.prices]
    filled = each.hubs == "quadratic" or each.prices == "central"
    energy = each.overloads.mwh(run.case)
    weight = energy / each.overload_cost if each.overload_cost > 0.0 else 0.0
    worst = max(each.worst_cost - each.overload_cost, 0.0) * weight
    made.add_scatter(
        x=[float(each.hub_cost.sum())],
        y=[energy],
        mode="markers+text",
        text=[LETTERS[each.prices]],
        textposition=_BESIDE[each.prices],
        name=lettered(each),
        showlegend=False,
        marker={
            "size": 13 if filled else 17,  # C and D may meet: an open mark is seen around a filled one
            "symbol": symbol if filled else f"{symbol}-open",
            "color": token(colour, theme),
            "line": {"width": 2, "color": token(colour, theme)},
        },
        error_y={"type": "data", "symmetric": False, "array": [worst], "arrayminus": [0.0], "visible": worst > 5e-3},
        hovertemplate=f"{lettered(each)}<br>%{{y:.2f}} MWh beyond limits, hubs spend %{{x:.1f}} $<extra></extra>",
    )


def _small(made: go.Figure, run: "HubRun", theme: Theme) -> None:
    """Add four small multiples with the same axes: MW beyond limits by hour, of A, B, C and D."""
    labels = labels_of(run)
    most = max(
        float((each.overloads.line_mw.sum(axis=0) + each.overloads.substation_mw).max()) for each in run.outcomes
    )
    spots = {"none": (0, 1), "central": (1, 1), "exact": (0, 0), "quick": (1, 0)}
    axes: dict[str, Any] = {}
    for number, prices in enumerate(_ORDER, start=2):
        column, row = spots[prices]
        ends = [0.55 + 0.24 * column, 0.55 + 0.24 * column + 0.21]
        high = [0.0, 0.4] if row == 0 else [0.54, 0.94]
        axes[f"xaxis{number}"] = {
            **hour_ticks(labels),
            "tickvals": [0, len(labels) // 2],
            "ticktext": [labels[0], labels[len(labels) // 2]],
            "domain": ends,
            "anchor": f"y{number}",
            "showticklabels": row == 0,
        }
        axes[f"yaxis{number}"] = {
            "domain": high,
            "anchor": f"x{number}",
            "range": [0.0, 1.08 * max(most, 1e-3)],
            "nticks": 4,
            "showticklabels": column == 0,
            "title": {"text": "MW" if column == row == 0 else "", "standoff": 2},
        }
        each = run.of(prices, "linear" if prices in {"central", "exact"} else "quadratic")
        words = f"{LETTERS[prices]} {PRICES[prices]}" + ("" if each is not None else ": none")
        made.add_annotation(
            text=words.replace("exact prices", "exact").replace("quick prices", "quick"),  # a phone has no room
            xref="paper",
            yref="paper",
            x=ends[0],
            y=high[1],
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": token("text", theme)},
        )
        if each is None:
            continue
        over = each.overloads.line_mw.sum(axis=0) + each.overloads.substation_mw
        made.add_bar(
            x=list(range(len(labels))),
            y=over.tolist(),
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            name=words,
            showlegend=False,
            customdata=labels,
            marker={"color": token(_SIGNS[prices][0], theme), "line": {"width": 0}},
            hovertemplate="%{customdata}: %{y:.3f} MW beyond limits<extra></extra>",
        )
    made.update_layout(**axes, bargap=0.15)
