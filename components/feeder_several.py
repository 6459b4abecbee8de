"""The Feeders tab: the same question asked of several feeders at once, one row for each case."""

from typing import TYPE_CHECKING, Any

from dash import html

from components import feeder_paper
from components.feeder_cards_several import inputs_of_several, paper_card, row_card
from components.feeder_layers import At
from components.feeder_paper import findings, name_of
from components.feeder_tables import tabled
from components.format import count, duration
from components.skeleton import Part, state
from components.tables import GridColumn
from components.why_card import why_card, why_number
from engine.distribution.cases import PLACES
from engine.distribution.question import FeederQuestion

if TYPE_CHECKING:
    from engine.distribution.run import FeederRun
    from engine.distribution.several import FeederRow, SeveralRun

TAB = "several"
_ROWS = "Each feeder's name opens the card of its row."
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
    answered = [row for row in several.rows if not row.failure]
    for shown, row in zip(listed, answered, strict=True):
        label = f"{shown['feeder']}, with{'' if row.svg else 'out'} SVG"
        why = row_card(several, row, shown["feeder"], shown["allowed"])
        key = f"feeder-why-several-{row.question}-{'on' if row.svg else 'off'}"
        shown["face"] = why_number(key, shown["feeder"], why, label=label, width=460)
    failed = [html.Li(f"{row.feeder}: {row.failure}") for row in several.failures]
    words = f"{count(len(several.questions), 'feeder')}, each without and with static var generators where asked."
    return html.Div(
        [
            html.P(words, className="hr-muted hr-feeder-told"),
            *(html.P(line, className="hr-feeder-told") for line in findings(several)),
            *_paper(several),
            tabled(TAB, "Several feeders", columns, listed, why=_card(several), note=_ROWS, faces={"feeder": "face"}),
            html.H3("Without an answer") if failed else None,
            html.Ul(failed, className="hr-feeder-lines") if failed else None,
        ]
    )


def _paper(several: "SeveralRun") -> list[Part]:
    """Return the table of what the paper states; nothing where no feeder has both cases."""
    columns, listed = feeder_paper.rows(several)
    if not listed:
        return []
    label = "What the paper states, feeder by feeder"
    return [html.H3(label), tabled("several-paper", label, columns, listed, why=paper_card(several)),
            html.H3("The feeders")]  # fmt: skip


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
        GridColumn("centres", "Mean at data centres, AC", "p.u.", "number", digits=4),
        GridColumn("vuf", "Largest VUF", "%", "number", digits=2),
        GridColumn("vuf_mean", "Mean VUF", "%", "number", digits=3),
        GridColumn("loading", "Fullest link", "%", "number", digits=1),
        GridColumn("loss", "Losses, AC", "MWh", "number", digits=3),
        GridColumn("error", "Linear less AC, corrected", "10\u207b\u2076 p.u.", "number", digits=0),
        GridColumn("phase", "Prices apart by phase", "$/MWh", "number", digits=2),
        GridColumn("place", "By place", "$/MWh", "number", digits=2),
        GridColumn("exceeded", "Limits exceeded", "", "number", digits=0),
        GridColumn("time_s", "Time", "s", "number", digits=1),
    ]
    return columns, [_row(row, several.questions[row.question]) for row in several.rows if not row.failure]


def _row(told: "FeederRow", question: FeederQuestion) -> dict[str, Any]:
    places = None if question.dataset else PLACES.get(question.feeder)
    return {
        "feeder": name_of(told, question),
        "case": "With SVG" if told.svg else "Without SVG", "bill": told.bill,
        "cost": told.cost, "penalty": told.penalty, "lowest": told.lowest_pu, "highest": told.highest_pu,
        "allowed": "" if places is None else f"{places.v_min_pu:.2f}\u2013{places.v_max_pu:.2f}",
        "centres": told.centres_pu, "vuf_mean": _times(100.0, told.vuf_mean),
        "phase": told.apart_phase, "place": told.apart_place,
        "vuf": _times(100.0, told.vuf), "loading": _times(100.0, told.loading), "loss": told.loss_mwh,
        "error": _times(1e6, told.error_pu), "exceeded": (told.flags or 0) + (told.violations or 0),
        "time_s": told.time_s,
    }  # fmt: skip


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _card(several: "SeveralRun") -> Part:
    told = several.provenance
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
        inputs=inputs_of_several(several),
        source="Each feeder is operated, priced and judged by AC power flow as on this page, by itself",
    )
