"""The Feeders tab: the same question asked of several feeders at once, one row for each case."""

from typing import TYPE_CHECKING, Any

from dash import html

from components.feeder_layers import At
from components.feeder_tables import tabled
from components.format import count, duration, number
from components.skeleton import Part, state
from components.tables import GridColumn
from components.why_card import WhyInput, why_card
from engine.distribution.cases import PLACES
from engine.distribution.question import FeederQuestion

if TYPE_CHECKING:
    from engine.distribution.run import FeederRun
    from engine.distribution.several import FeederRow, SeveralRun

TAB = "several"
_ZERO = 5e-9  # of a VUF: rounding, as the SVG effect counts it in per cent
_NONE = (
    "The same question, without edits, is asked of the four IEEE test feeders, each with the devices of its worked "
    "day; and of your own as it stands here, where it is another. Press Compare the feeders."
)


def content(run: "FeederRun", at: At, several: "SeveralRun | None" = None) -> Part:
    """Return the table of feeders, or what to press."""
    del run, at  # of all feeders, and of the whole day
    if several is None:
        return state("empty", _NONE)
    columns, listed = rows(several)
    failed = [html.Li(f"{row.feeder}: {row.failure}") for row in several.failures]
    words = f"{count(len(several.questions), 'feeder')}, each without and with static var generators where asked."
    return html.Div(
        [
            html.P(words, className="hr-muted hr-feeder-told"),
            *(html.P(line, className="hr-feeder-told") for line in findings(several)),
            tabled(TAB, "Several feeders", columns, listed, why=_card(several)),
            html.H3("Without an answer") if failed else None,
            html.Ul(failed, className="hr-feeder-lines") if failed else None,
        ]
    )


def rows(several: "SeveralRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows, one for each case of each feeder that has an answer."""
    columns = [
        GridColumn("feeder", "Feeder", width=120),
        GridColumn("case", "Case"),
        GridColumn("bill", "Data centres pay", "$", "number", digits=0),
        GridColumn("cost", "Operator's cost", "$", "number", digits=0),
        GridColumn("penalty", "Charged for limits", "$", "number", digits=0),
        GridColumn("lowest", "Lowest voltage, AC", "p.u.", "number", digits=3),
        GridColumn("highest", "Highest", "p.u.", "number", digits=3),
        GridColumn("allowed", "Allowed", "p.u."),
        GridColumn("vuf", "Largest VUF", "%", "number", digits=2),
        GridColumn("loading", "Fullest link", "%", "number", digits=1),
        GridColumn("loss", "Losses, AC", "MWh", "number", digits=3),
        GridColumn("error", "Linear less AC, corrected", "10\u207b\u2076 p.u.", "number", digits=0),
        GridColumn("exceeded", "Limits exceeded", "", "number", digits=0),
        GridColumn("time_s", "Time", "s", "number", digits=1),
    ]
    return columns, [_row(row, several.questions[row.question]) for row in several.rows if not row.failure]


def findings(several: "SeveralRun") -> list[str]:
    """Return each feeder whose rows contradict that static var generators lower the unbalance, and how many do not.

    The other statements of the paper, of voltages at data centres and of prices, are not in these rows.
    """
    told, pairs = [], 0
    for at, question in enumerate(several.questions):
        vuf = {row.svg: row.vuf for row in several.rows if row.question == at and row.vuf is not None}
        off, on = vuf.get(False), vuf.get(True)
        if off is None or on is None:
            continue
        pairs += 1
        if on > off - _ZERO:
            name = next(_name(row, question) for row in several.rows if row.question == at)
            said = "raise the largest VUF" if on > off + _ZERO else "leave the largest VUF as it is"
            told.append(f"{name} contradicts it: there they {said}, {_from_to(off, on)}.")
    if not pairs:
        return []
    states = "arXiv 2606.26328 states that static var generators lower the unbalance: the largest VUF falls"
    return [f"{states} on {number(pairs - len(told))} of {count(pairs, 'feeder')} here.", *told]


def _from_to(off: float, on: float) -> str:
    return f"from {number(100.0 * off, 3)} to {number(100.0 * on, 3)} %"


def _own(question: FeederQuestion) -> bool:
    """Return whether a question is one feeder's own: edited, or with files or draws that no other feeder has."""
    of_centres = any(row.centre for row in question.batteries)
    return bool(question.dataset or question.workload or question.edits or question.draw_kw or of_centres)


def _name(told: "FeederRow", question: FeederQuestion) -> str:
    return f"{told.feeder}, as asked here" if _own(question) else told.feeder


def _row(told: "FeederRow", question: FeederQuestion) -> dict[str, Any]:
    places = None if question.dataset else PLACES.get(question.feeder)
    return {
        "feeder": _name(told, question),
        "case": "With SVG" if told.svg else "Without SVG", "bill": told.bill,
        "cost": told.cost, "penalty": told.penalty, "lowest": told.lowest_pu, "highest": told.highest_pu,
        "allowed": "" if places is None else f"{places.v_min_pu:.2f}\u2013{places.v_max_pu:.2f}",
        "vuf": _times(100.0, told.vuf), "loading": _times(100.0, told.loading), "loss": told.loss_mwh,
        "error": _times(1e6, told.error_pu), "exceeded": (told.flags or 0) + (told.violations or 0),
        "time_s": told.time_s,
    }  # fmt: skip


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _card(several: "SeveralRun") -> Part:
    told = several.provenance
    names = {row.question: row.feeder for row in several.rows}
    return why_card(
        "Several feeders",
        formula="Σ_{t,c} *X* ( λ + tan φ λ^{q} ),  max |*V*_2| / |*V*_1|,  max |*I*| / *I*_{max},  "
        "max | √*v* − |*V*| |",
        values=[
            ("data centres pay", "what they draw at the prices of their nodes, over the day"),
            ("computed by", str(told.get("workers", ""))),
            ("time", duration(float(told.get("time_s", 0.0)))),
            ("version", str(told.get("headroom", ""))),
        ],
        inputs=[
            WhyInput(names.get(at, question.feeder), question.digest, str(told.get("date", ""))[:10])
            for at, question in enumerate(several.questions)
        ],
        source="Each feeder is operated, priced and judged by AC power flow as on this page, by itself",
    )
