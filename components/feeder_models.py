"""What other models of the loads, and regulators that move, would change: a table and words of the Checks tab."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dash import html

from components.feeder_cards import card
from components.feeder_cards_checks import MODEL_WORDS
from components.feeder_layers import At, case_key, case_said, member_words
from components.feeder_tables import tabled
from components.format import count, number, sentence
from components.skeleton import Part
from components.tables import GridColumn

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_NOTE = (
    "The same set points in AC once more with other loads; the bill is that of the same draws at prices of the "
    "operator's problem at that solution. The answer's own loads: {}."
)


def models_table(run: "FeederRun", case: "CaseRun") -> Part:
    """Return the table of other load models; nothing where all are alike."""
    columns, listed = rows(run, case)
    if not listed:
        return None
    label = f"Loads by other models, {case_said(case)}"
    one = At(case_key(case))  # type: ignore[arg-type]
    own = "of constant power" if run.question.loads == "power" else "by their own models"
    found = tabled(
        f"models-{case_key(case)}", label, columns, listed, why=card(run, one, "models"), note=_NOTE.format(own)
    )
    failed = [html.Li(f"{sentence(MODEL_WORDS[each['model']])}: {each['failure']}") for each in _told(case)
              if each["failure"]]  # fmt: skip
    head = html.H4(label, className="hr-section-title")
    return html.Div([head, found, html.Ul(failed, className="hr-feeder-lines") if failed else None])


def rows(run: "FeederRun", case: "CaseRun") -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows, one for each model with an AC solution."""
    columns = [
        GridColumn("model", "Loads", width=160),
        GridColumn("change", "Largest change of a voltage", "p.u.", "number", digits=4),
        GridColumn("where", "There", width=180),
        GridColumn("bill", "Bill", "$", "number", digits=2),
        GridColumn("dearer", "More than now", "$", "number", digits=2),
        GridColumn("voltages", "Voltages beyond limits", "", "number", digits=0),
        GridColumn("ratings", "Ratings exceeded", "", "number", digits=0),
    ]
    now = case.facts["load_models"]["bill"]
    found = [
        {
            "model": MODEL_WORDS[each["model"]], "change": each["change_pu"],
            "where": f"bus {each['bus']}, {member_words(run.feeder, each['member'])}, {run.labels[each['hour']]}",
            "bill": each["bill"], "dearer": None if each["bill"] is None else each["bill"] - now,
            **each["broken"], "marks": "hr-feeder-over" if any(each["broken"].values()) else "",
        }
        for each in _told(case)
        if not each["failure"]
    ]  # fmt: skip
    return columns, found


def _told(case: "CaseRun") -> list[Mapping[str, Any]]:
    return list(case.facts["load_models"]["models"])


def broken_words(broken: Mapping[str, int]) -> str:
    """Return which limits AC then exceeds, node by node and hour by hour."""
    if not any(broken.values()):
        return "every limit then holds"
    return f"{count(broken['voltages'], 'voltage')} and {count(broken['ratings'], 'rating')} then exceed a limit"


def taps_words(free: Mapping[str, Any]) -> str:
    """Return what regulators that move change."""
    return f"at most {number(float(free['largest_change_pu']), 4)} p.u.; {broken_words(free['broken'])}"
