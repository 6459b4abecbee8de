"""The Methods tab: every way to decide the draws on the same day, what it pays, what it costs, what is proved."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import html

from components import feeder_cycles
from components.feeder_cards_methods import SOURCE, inputs_of_methods, rounds_card, row_card, schedules_card
from components.feeder_layers import At
from components.feeder_tables import chart, tabled
from components.feeder_words import money
from components.format import count, duration, number, percent, sentence
from components.skeleton import Part, state
from components.tables import GridColumn
from components.theme import Theme, styled, token
from components.why_card import why_card, why_number
from engine.distribution.speed import REBUILT

EVEN = "even work"  # the name of its row

if TYPE_CHECKING:
    from engine.distribution.methods_run import Course, MethodsRun
    from engine.distribution.run import FeederRun
    from engine.distribution.speed import MethodRow, Speed

TAB = "methods"
_CHART_PX = 640  # three charts, one above the other; two where every best response settles
_LEAST_GAP = 1e-4  # %
_CENT = 5e-3  # $
_FAR = 0.25  # of the best bound: a method that pays more is told at the edge, so that the others can be told apart
_NONE = (
    "The methods of this day are not compared yet. Press Compare: every route is run on the same instance, and each "
    "draw is judged by the operator's own program."
)


_ROWS = "Each method's name opens the card of its row."
_SCHEDULES = "What each method has the data centres draw from the network, and at what price."


def place() -> Part:
    """Return the place of the chart."""
    words = "What each method pays, between the least and the most at prices that are not determined"
    return chart(TAB, words, _CHART_PX)


def content(run: "FeederRun", at: At, methods: "MethodsRun | None" = None) -> Part:
    """Return the table of methods and what it says, or what to press."""
    if methods is None:
        return state("empty", _NONE)
    columns, listed = rows(methods)
    parts: list[Part] = [html.P(line, className="hr-feeder-told") for line in findings(methods)]
    for row in listed:
        row["face"] = _named(run, methods, row["method"])
    parts.append(
        tabled(TAB, "Methods on the same day", columns, listed, why=_card(run, methods), note=_ROWS,
               faces={"method": "face"})
    )  # fmt: skip
    if methods.failures:
        lines = [html.Li(f"{sentence(name)}: {reason}") for name, reason in methods.failures]
        parts += [html.H3("Without an answer"), html.Ul(lines, className="hr-feeder-lines")]
    if methods.courses:
        columns, listed = course_rows(methods)
        note = "At the prices posted in each round, delay included."
        label = "Best responses, round by round"
        parts += [html.H3(label), tabled("courses", label, columns, listed, why=rounds_card(run, methods), note=note)]
    parts += feeder_cycles.content(methods, rounds_card(run, methods))
    columns, listed = schedule_rows(methods)
    label = "Schedules of all methods"
    held = tabled("schedules-of-methods", label, columns, listed, why=schedules_card(run, methods), note=_SCHEDULES)
    parts.append(html.Details([html.Summary(label), held], className="hr-worked-details"))
    said = [html.Li(str(line)) for line in methods.provenance.get("assumptions", ())]
    parts += [html.H3("Assumed"), html.Ul(said, className="hr-feeder-lines")]
    del at  # of the whole day
    return html.Div(parts)


def _named(run: "FeederRun", methods: "MethodsRun", method: str) -> Part:
    """Return a method's name, which opens the card of the numbers in its row."""
    row = methods.row(method)
    if row is None:
        return None
    key = "".join(letter if letter.isalnum() else "-" for letter in method)
    return why_number(f"feeder-why-method-{key}", method, row_card(run, methods, row), label=method, width=460)


def rows(methods: "MethodsRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows, one for each method, the one that pays least first."""
    columns = [
        GridColumn("method", "Method", width=200),
        GridColumn("objective", "Objective", "$", "number", digits=2, help="Payments and delay"),
        GridColumn("payment", "Payment", "$", "number", digits=2),
        GridColumn("payment_most", "At most", "$", "number", digits=2, help="At the prices that cost most"),
        GridColumn("penalised", "Of it penalised", "$", "number", digits=2, help="In hours that exceed a limit"),
        GridColumn("delay_cost", "Delay", "$", "number", digits=2),
        GridColumn("system_cost", "System cost", "$", "number", digits=2),
        GridColumn("saving", "Saved against competition", "%", "number", digits=3),
        GridColumn("increase", "System dearer by", "%", "number", digits=3),
        GridColumn("gap", "Gap to the best bound", "%", "number", digits=4),
        GridColumn("own_gap", "Gap it proves itself", "%", "number", digits=4),
        GridColumn("time_s", "Time", "s", "number", digits=1),
        GridColumn("processor_s", "Processor", "s", "number", digits=1),
        GridColumn("before_s", "Needed before", "processor s", "number", digits=1, help="By what it builds on"),
        GridColumn("whole_s", "With it", "processor s", "number", digits=1),
        GridColumn("needed", "Builds on", width=200),
        GridColumn("status", "Status", width=150),
        GridColumn("notes", "Notes", width=220),
    ]
    return columns, sorted((_row(each) for each in methods.rows), key=lambda row: row["objective"])


def _row(told: "MethodRow") -> dict[str, Any]:
    return {
        "method": told.method, "objective": told.objective, "payment": told.payment,
        "payment_most": told.payment_most, "delay_cost": told.objective - told.payment,
        "system_cost": told.system_cost, "saving": 100.0 * told.payment_saving,
        "increase": 100.0 * told.system_increase, "gap": 100.0 * told.gap,
        "own_gap": None if told.own_gap is None else 100.0 * told.own_gap, "penalised": told.penalised,
        "time_s": told.time_s, "processor_s": told.processor_s, "before_s": told.before_s, "whole_s": told.whole_s,
        "needed": ", ".join(told.needed), "status": told.status, "notes": "; ".join(told.notes),
    }  # fmt: skip


def course_rows(methods: "MethodsRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows of the best responses: one for each round."""
    columns = [
        GridColumn("method", "Method", width=200),
        GridColumn("round", "Round", "", "number", digits=0),
        GridColumn("payment", "Pays", "$", "number", digits=2),
        GridColumn("most", "Largest draw", "kW", "number", digits=0),
    ]
    found = [
        {"method": course.method, "round": at + 1, "payment": payment,
         "most": max(course.total_kw[at]) if at < len(course.total_kw) else None}
        for course in methods.courses
        for at, payment in enumerate(course.payment)
    ]  # fmt: skip
    return columns, found


def schedule_rows(methods: "MethodsRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows of the schedules, one for each method and hour; batteries where a centre has one."""
    stored = any(each.charge_kw for each in methods.schedules)
    columns = [GridColumn("method", "Method", width=200), GridColumn("hour", "Hour")]
    for at, name in enumerate(methods.centres):
        columns.append(GridColumn(f"draw{at}", f"{name} draws", "kW", "number", digits=1))
        columns.append(GridColumn(f"price{at}", f"{name} pays", "$/MWh", "number", digits=2))
        if stored:
            columns.append(GridColumn(f"charge{at}", f"Into the battery of {name}", "kW", "number", digits=1))
            columns.append(GridColumn(f"discharge{at}", f"Out of the battery of {name}", "kW", "number", digits=1))
            columns.append(GridColumn(f"held{at}", f"Held by the battery of {name}", "kWh", "number", digits=1))
    found = []
    for told, each in zip(methods.rows, methods.schedules, strict=True):
        kinds = {
            "draw": each.draw_kw, "price": each.price_per_mwh, "charge": each.charge_kw,
            "discharge": each.discharge_kw, "held": each.held_kwh,
        }  # fmt: skip
        for hour, label in enumerate(methods.labels):
            cells = {f"{kind}{at}": kw for kind, held in kinds.items() if held for at, kw in enumerate(held[hour])}
            found.append({"method": told.method, "hour": label, **cells})
    return columns, found


def findings(methods: "MethodsRun") -> list[str]:
    """Return in sentences what the table says: the least, what is proved, and whether the naive loop settles."""
    listed = rows(methods)[1]
    if not listed:
        return []
    best = listed[0]
    lines = [
        f"{sentence(best['method'])}: {money(best['objective'])}, delay included, the least of all methods. Proved of "
        f"the linear flow that all of them share: no draws are cheaper by more than {_gap_words(best['gap'])}. "
        "The bill above the diagram is of a later one, at the AC solutions of its own draws; its card has the "
        "gap there.",
        f"Against the competitive outcome that saves {percent(best['saving'] / 100.0, 2)} and makes the system "
        f"{number(best['increase'], 3)} % dearer: what market power is worth here.",
        *_even_words(listed),
    ]
    lines += [_penalised_words(row) for row in listed if row["penalised"] > _CENT]
    return [*lines, *_speed_words(methods), *(_course_words(course) for course in methods.courses)]


def _even_words(listed: list[dict[str, Any]]) -> list[str]:
    """Return where the work divided evenly stands: the answer that the page opens with."""
    best, even = listed[0], next((row for row in listed if row["method"] == EVEN), None)
    if even is None or even is best:
        return []
    more = percent(even["objective"] / best["objective"] - 1.0, 2) if best["objective"] > 0.0 else "more"
    return [f"The work divided evenly pays {money(even['objective'])}, {more} above the least."]


def _gap_words(gap: float) -> str:
    """Return a gap in per cent, never as nothing: solvers prove to within a tolerance."""
    return "0.0001 %" if gap < _LEAST_GAP else percent(gap / 100.0, 4)


def _penalised_words(row: dict[str, Any]) -> str:
    return (
        f"{sentence(row['method'])}: {money(row['penalised'])} of its payment is of hours in which the operator "
        "exceeds a limit, at the price of exceeding it."
    )


def _speed_words(methods: "MethodsRun") -> list[str]:
    """Return how the exact routes stand to the paper's expansion at equal proved accuracy, as the rows say.

    The claim is about the expansion as we rebuild it; helped by our critical regions it is told beside, whatever it
    says.
    """
    claim = f"At least ten times faster than the expansion{REBUILT}, at equal proved accuracy"
    verdicts = {
        (True, "holds"): f"{claim}: holds here",
        (True, "contradicted"): f"{claim}: contradicted here",
        (True, "open"): f"{claim}: not told within the time limit",
        (False, "holds"): "Even helped by our critical regions the expansion takes ten times as long",
        (False, "contradicted"): "Helped by our critical regions the expansion is not ten times slower",
        (False, "open"): "Helped by our critical regions: not told within the time limit",
    }
    lines = []
    for each in methods.speeds:
        faster = not each.rebuilt and each.reached and each.times < 1.0
        said = f"Helped by our critical regions the expansion is faster than the {each.exact} here"
        if not faster:
            said = verdicts[each.rebuilt, each.verdict]
        if each.verdict == "holds" and not each.reached:
            said += f", as a lower bound: {_unproved(each)}, so how many times is not known"
        lines.append(f"{said}. {sentence(each.statement)}")
    return lines


def _unproved(each: "Speed") -> str:
    """Return what an expansion that did not reach the accuracy proved."""
    if each.expansion_gap is None:
        return "the expansion found no draws in its time"
    # A gap above one: its bound is below zero, where no payment is.
    return "the expansion proved " + ("nothing" if each.expansion_gap > 1.0 else "less than that") + " in its time"


def _course_words(course: "Course") -> str:
    rounds, name = count(len(course.payment), "round"), sentence(course.method)
    if course.cycle is None:
        return f"{name}: neither settled nor came back in {rounds}."
    if course.cycle == 1:
        return f"{name}: settled after {rounds}."
    return f"{name}: never settles; after {rounds} it goes round in a cycle of {course.cycle}."


def _card(run: "FeederRun", methods: "MethodsRun") -> Part:
    listed = rows(methods)[1]
    best = listed[0] if listed else None
    values = [] if best is None else [
        ("least objective found", money(best["objective"])),
        ("best bound of all methods", money(methods.bound)),
        ("gap", _gap_words(best["gap"])),
        ("methods", number(len(listed))),
        ("time of all", duration(sum(row["time_s"] for row in listed))),
    ]  # fmt: skip
    return why_card(
        "Methods on the same day",
        formula="gap = (objective − max_m bound_m) / objective",
        values=values,
        inputs=inputs_of_methods(run, methods),
        source=SOURCE,
        note="What is proved is proved of one linear flow, corrected once at AC solutions of the work divided evenly, "
        "the same for every method; the bill of the page is of a later one. Where a price is not determined the "
        "operator is taken to choose what costs the data centres least; the column At most has the other end.",
    )


def figure(run: "FeederRun", at: At, theme: Theme = "light", methods: "MethodsRun | None" = None) -> go.Figure:
    """Return what each method pays up to what it could pay, with the best bound; beside it the best responses."""
    del run, at
    made = go.Figure()
    if methods is not None:
        _dots(made, methods, theme)
        _courses(made, methods, theme)
        feeder_cycles.draw(made, methods, theme)
    cycles = methods is not None and feeder_cycles.cycling(methods) is not None
    first, second, third = ((0.64, 0.96), (0.34, 0.46), (0.0, 0.19)) if cycles else ((0.46, 0.96), (0.0, 0.28), (0, 0))
    made.update_layout(
        xaxis={"title": {"text": "$ over the day"}, "anchor": "y", "nticks": 5},
        yaxis={"automargin": True, "autorange": "reversed", "anchor": "x", "domain": list(first), **_ticks(methods)},
        xaxis2={"title": {"text": "round of the best response"}, "anchor": "y2"},
        yaxis2={"title": {"text": "$ above bound"}, "anchor": "x2", "type": "log", "domain": list(second)},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"y": first[1] + 0.005}, legend2=_legend(second[1], theme), legend3=_legend(third[1], theme),
    )  # fmt: skip
    if cycles:
        made.update_layout(
            xaxis3={"anchor": "y3", "type": "category", "nticks": 8},
            yaxis3={"automargin": True, "anchor": "x3", "autorange": "reversed", "domain": list(third)},
        )
    return styled(made, theme, key=TAB)


def _ticks(methods: "MethodsRun | None") -> dict[str, Any]:
    """Return the names of the methods along the axis, the longest cut: on a phone it would leave no chart."""
    names = [] if methods is None else [row["method"] for row in rows(methods)[1]]
    return {"tickvals": names, "ticktext": [name.removesuffix(", without our regions") for name in names]}


def _legend(top: float, theme: Theme) -> dict[str, Any]:
    """Return a legend of its own over a chart that ends at ``top``."""
    return {
        "orientation": "h", "x": 0, "y": top + 0.005, "yanchor": "bottom",
        "font": {"size": 12, "color": token("text", theme)},
    }  # fmt: skip


def _dots(made: go.Figure, methods: "MethodsRun", theme: Theme) -> None:
    listed = rows(methods)[1]
    near = [row for row in listed if row["objective"] <= methods.bound + _FAR * max(1.0, abs(methods.bound))]
    far = [row for row in listed if row not in near]
    ends: list[float | None] = []
    names: list[str | None] = []
    for row in near:
        ends += [row["objective"], row["objective"] + row["payment_most"] - row["payment"], None]
        names += [row["method"], row["method"], None]
    if any(row["payment_most"] - row["payment"] > _CENT for row in near):
        made.add_scatter(
            x=ends, y=names, mode="lines", name="up to the most", hoverinfo="skip",
            line={"color": token("flexible", theme), "width": 5},
        )  # fmt: skip
    made.add_scatter(
        x=[row["objective"] for row in near], y=[row["method"] for row in near], mode="markers", name="objective",
        marker={"color": token("firm", theme), "size": 11},
        customdata=[row["status"] for row in near],
        hovertemplate="%{y}: %{x:.2f} $<extra>%{customdata}</extra>",
    )  # fmt: skip
    made.add_scatter(
        x=[methods.bound] * len(listed), y=[row["method"] for row in listed], mode="lines", name="best bound",
        line={"color": token("binding", theme), "width": 2, "dash": "dash"},
        hovertemplate="no draws cost less than %{x:.2f} $<extra>best bound</extra>",
    )  # fmt: skip
    most = max((row["objective"] for row in near), default=methods.bound)
    edge = most + 0.12 * max(most - methods.bound, 1e-3 * abs(methods.bound), 1e-6)
    if far:
        made.add_scatter(
            x=[edge] * len(far), y=[row["method"] for row in far], mode="markers+text", name="far beyond",
            text=[f"{money(row['objective'], 0)} " for row in far], textposition="middle left",
            marker={"color": token("firm", theme), "size": 11, "symbol": "triangle-right"},
            customdata=[row["objective"] for row in far], hovertemplate="%{y}: %{customdata:.2f} $<extra></extra>",
        )  # fmt: skip


def _courses(made: go.Figure, methods: "MethodsRun", theme: Theme) -> None:
    # Above the bound and by powers of ten: beside the first rounds, dearer by far, the last ones would look alike.
    signs = (("flexible", "solid", "circle"), ("fine", "dot", "diamond"))
    for course, (colour, dash, symbol) in zip(methods.courses, signs, strict=False):
        made.add_scatter(
            x=list(range(1, len(course.payment) + 1)), y=[max(each - methods.bound, _CENT) for each in course.payment],
            xaxis="x2", yaxis="y2", mode="lines+markers", name=course.method, legend="legend2",
            line={"color": token(colour, theme), "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 7, "color": token(colour, theme)}, customdata=list(course.payment),
            hovertemplate="round %{x}: %{customdata:.2f} $<extra>" + course.method + "</extra>",
        )  # fmt: skip
