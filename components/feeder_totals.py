"""The feeder's key numbers: in the strip above the diagram, and what the edits have changed in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from dash import html

from components import feeder_ids
from components.feeder_asked import changes_of
from components.feeder_cards import card
from components.feeder_edits import words_of
from components.feeder_layers import At, case_key, case_of, case_words
from components.feeder_words import inputs_of
from components.format import number
from components.skeleton import Part, button, section, totals
from components.static import static
from components.why_card import why_card, why_number
from engine.distribution.frames import Frame
from engine.distribution.run import CaseRun, FeederRun


@dataclass(frozen=True, slots=True)
class Measure:
    """One key number of a case."""

    what: str  # its key for the why-card
    label: str
    unit: str
    digits: int
    value: float

    @property
    def text(self) -> str:
        """Return the number without its unit."""
        return number(round(self.value, self.digits) + 0.0, self.digits)


def large(run: FeederRun, case: CaseRun) -> list[Measure]:
    """Return the key numbers of the strip."""
    volts = np.abs(case.phasors[:, Frame.of(run.feeder).roots :])
    unbalance = 100.0 * float(case.vuf.max()) if case.vuf.size else 0.0
    exceeded = len(case.facts["flags"]) + len(case.facts["violations"])
    error = 1e6 * float(np.abs(case.error_pu).max())
    return [
        Measure("bill", "Data centres pay", "$", 0, float(case.bill_active.sum() + case.bill_reactive.sum())),
        Measure("cost", "Operator's cost", "$", 0, float(case.cost_per_h.sum())),
        Measure("voltage", "Lowest voltage, AC", "p.u.", 3, float(volts.min()) if volts.size else 1.0),
        Measure("deviation", "Voltage deviation", "p.u.", 3, float(case.deviation.sum())),
        Measure("unbalance", "Largest VUF", "%", 2, unbalance),
        Measure("error", "Linear less AC", "10\u207b\u2076 p.u.", 0, error),
        Measure("violations", "Limits exceeded", "", 0, float(exceeded)),
    ]


def measures(run: FeederRun, case: CaseRun) -> list[Measure]:
    """Return all key numbers of a case, the large ones first."""
    frame = Frame.of(run.feeder)
    found = [
        *large(run, case),
        Measure("losses", "Losses in AC", "MWh", 3, float(case.loss_ac_mva.real.sum())),
        Measure("penalty", "Charged for limits exceeded", "$", 0, float(case.penalty_per_h.sum())),
    ]
    for at, row in enumerate(run.feeder.centres):
        low = float(np.abs(case.phasors[:, frame.at(row.bus, row.phases)]).min())
        paid = float(case.bill_active[:, at].sum() + case.bill_reactive[:, at].sum())
        found += [
            Measure(f"owed:{row.name}", f"Bill of {row.name}", "$", 0, paid),
            Measure(f"lowest:{row.name}", f"Lowest voltage at {row.name}", "p.u.", 3, low),
        ]
    return found


def totals_of(run: FeederRun, at: At) -> Part:
    """Return the strip for the case that is drawn; the other case stands beside each number."""
    case = case_of(run, at)
    seen = replace(at, case=case_key(case))
    other = next((one for one in run.cases if one is not case), None)
    beside = {one.what: one for one in large(run, other)} if other is not None else {}
    items: list[dict[str, Any]] = []
    for one in large(run, case):
        note = None if other is None else _beside(run, at, other, beside[one.what])
        sign = "binding" if one.what == "violations" and one.value else ""
        name = f"{one.label}, {_lower(case_words(case))}"
        value = why_number(feeder_ids.why(one.what), one.text, card(run, seen, one.what), label=name)
        items.append({"label": one.label, "value": value, "unit": one.unit, "note": note, "sign": sign})
    return static(totals(items))


def _beside(run: FeederRun, at: At, other: CaseRun, one: Measure) -> Part:
    """Return the same number of the other case, which says why as well."""
    words = f"{'' if other.svg else 'no '}SVG {one.text}"
    seen = replace(at, case=case_key(other))
    label = f"{one.label}, {_lower(case_words(other))}"
    return why_number(f"{feeder_ids.why(one.what)}-other", words, card(run, seen, one.what), label=label)


def empty_totals() -> Part:
    """Return the strip before there is an answer."""
    labels = (
        "Data centres pay", "Operator's cost", "Lowest voltage, AC", "Voltage deviation", "Largest VUF",
        "Linear less AC", "Limits exceeded",
    )  # fmt: skip
    return static(totals([{"label": label, "value": "\u2013"} for label in labels]))


def compared(now: FeederRun, before: FeederRun, at: At) -> Part:
    """Return a table of the key numbers without and with the edits, for the case that is drawn."""
    here = case_of(now, at)
    seen = replace(at, case=case_key(here))
    there = before.case(svg=here.svg)
    if there is None:
        return html.P("The answer without edits has no such case.", className="hr-muted")
    old = {one.label: one for one in measures(before, there)}
    rows = []
    for place, one in enumerate(measures(now, here)):
        was = old.get(one.label)
        cells = [
            why_number(f"{feeder_ids.COMPARED}-{key}-{place}", told.text, card(run, seen, told.what), label=told.label)
            if told is not None
            else "\u2013"
            for key, run, told in (("before", before, was), ("now", now, one))
        ]
        rows.append([one.label, one.unit, *cells, _changed((now, before), here, place, (one, was))])
    heads = ["", "", "Without", "Edited", "Change"]
    made = section(
        f"What the edits change, {_lower(case_words(here))}",
        html.Table(
            [
                html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])),
                html.Tbody([
                    html.Tr([html.Th(row[0], scope="row"), *(html.Td(cell) for cell in row[1:])]) for row in rows
                ]),
            ],
            className="hr-feeder-small",
            id=f"{feeder_ids.COMPARED}-table",
        ),
    )  # fmt: skip
    return static(made)


def to_compare() -> Part:
    """Return the way to an answer to compare with: the same question without its edits."""
    return section(
        "What the edits change",
        html.P("The same question without edits is not solved yet.", className="hr-muted"),
        button("Solve it without edits", f"{feeder_ids.COMPARED}-run"),
    )


def _change(now: Measure, before: Measure | None) -> str:
    if before is None:
        return ""
    difference = round(now.value, now.digits) - round(before.value, before.digits)
    if abs(difference) < 0.5 * 10**-now.digits:
        return "0"
    return ("+" if difference > 0 else "\u2212") + number(abs(difference), now.digits)


def _changed(
    runs: tuple[FeederRun, FeederRun], case: CaseRun, place: int, told: tuple[Measure, Measure | None]
) -> Part:
    """Return the change of a number with the card of the difference; "" where there is nothing to take it from."""
    (now, before), (one, was) = runs, told
    if was is None:
        return ""
    edits = [words_of(edit) for edit in changes_of(now.question)]
    why = why_card(
        f"{one.label}: {_change(one, was)} {one.unit}".rstrip() + f", {_lower(case_words(case))}",
        formula="Δ*m* = *m* edited − *m* without",
        values=[
            ("edited", f"{one.text} {one.unit}".rstrip()),
            ("without", f"{was.text} {was.unit}".rstrip()),
            ("change", f"{one.text} \u2212 {was.text} = {_change(one, was)} {one.unit}".rstrip()),
            *((f"edit {at + 1}", words) for at, words in enumerate(edits)),
        ],
        inputs=[*inputs_of(now), *(replace(each, name=f"{each.name}, without edits") for each in inputs_of(before))],
        source="Two answers to the same question, with the edits and without; each number has its own card beside",
        note="Both days are decided, operated and priced anew, so a change is of all that follows from the edits.",
    )  # fmt: skip
    name = f"{feeder_ids.COMPARED}-change-{place}"
    return why_number(name, _change(one, was), why, label=f"change of {_lower(one.label)}")


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def table_rows(run: FeederRun) -> Sequence[dict[str, Any]]:
    """Return the key numbers of every case as plain rows: what files carry."""
    return [
        {"measure": one.label, "unit": one.unit, "case": case_words(case), "value": one.value}
        for case in run.cases
        for one in measures(run, case)
    ]
