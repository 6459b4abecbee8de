"""The key numbers of a study of placement, of the plan that is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components import resilience_ids
from components.format import number, percent
from components.resilience_cards import card, metrics_of
from components.resilience_words import METHODS, At, dollars, planned_of, table_of
from components.skeleton import Part, totals
from components.static import static
from components.why_card import why_number
from engine.resilience.placement import gap

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

_LABELS = ("Cost of a year", "Modules", "Capital", "Not served, worst 5 %", "Without modules", "Gap")


@dataclass(frozen=True, slots=True)
class Measure:
    """One key number."""

    what: str  # its key for the why-card
    label: str
    unit: str
    digits: int
    value: float
    note: str = ""
    sign: str = ""

    @property
    def text(self) -> str:
        """Return the number without its unit."""
        return number(round(self.value, self.digits) + 0.0, self.digits)


def measures(run: "ResilienceRun", at: At) -> list[Measure]:
    """Return the key numbers of the plan that is looked at; the gap is that of the chosen one."""
    planned, none, chosen = planned_of(run, at), metrics_of(run, "none", "train"), planned_of(run, At())
    told, case = metrics_of(run, planned.method, "train"), run.case
    if told is None:
        raise ValueError("a run without its outcomes")
    counts = table_of(run, planned).sum(axis=1)
    power = float(sum(kind.power_mw * n for kind, n in zip(case.types, counts.tolist(), strict=True)))
    left = gap(chosen.own_objective, chosen.bound)
    found = [
        Measure("objective", _LABELS[0], "$", 0, planned.objective, METHODS[planned.method]),
        Measure("modules", _LABELS[1], "", 0, float(counts.sum()), f"{number(power, 2)} MW"),
        Measure("capital", _LABELS[2], "$", 0, told.capital,
                f"of {dollars(case.budget)}" if case.budget < 1e12 else ""),
        Measure("tail", _LABELS[3], "MWh", 3, told.cvar_unserved_mwh, "of an event", "firm"),
    ]  # fmt: skip
    if none is not None:
        found.append(Measure("without", _LABELS[4], "MWh", 3, none.cvar_unserved_mwh, "the same", "binding"))
    found.append(Measure("gap", _LABELS[5], "%", 2, 100.0 * left, f"asked {percent(run.question.gap)}"))
    return found


def totals_of(run: "ResilienceRun", at: At) -> Part:
    """Return the strip of key numbers."""
    items: list[dict[str, Any]] = [
        {
            "label": one.label,
            "value": why_number(resilience_ids.why(one.what), one.text, card(run, at, one.what), label=one.label),
            "unit": one.unit,
            "note": one.note,
            "sign": one.sign,
        }
        for one in measures(run, at)
    ]
    return static(totals(items))


def empty_totals() -> Part:
    """Return the strip before there is an answer."""
    return static(totals([{"label": label, "value": "\u2013"} for label in _LABELS]))


def table_rows(run: "ResilienceRun", at: At) -> Sequence[dict[str, Any]]:
    """Return the key numbers as plain rows: what files carry."""
    return [
        {"measure": one.label, "unit": one.unit, "plan": METHODS[planned_of(run, at).method], "value": one.value}
        for one in measures(run, at)
    ]
