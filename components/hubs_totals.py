"""The key numbers of a study of hubs: MWh beyond limits without and with prices, what prices are, what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from components import hubs_ids
from components.format import number
from components.hubs_cards import card
from components.hubs_words import PRICES, At, after_of, before_of, bound_of, dollars, said
from components.skeleton import Part, totals
from components.static import static
from components.why_card import why_number

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

_LABELS = (
    "Without prices", "With quick prices", "Largest price", "Hubs spend more", "Hubs pay", "Objective",
    "Decentralisation",
)  # fmt: skip
_NONE = 5e-3  # MWh: less is written as 0


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


def measures(run: "HubRun", at: At) -> list[Measure]:
    """Return the key numbers for the prices that are looked at."""
    before, after = before_of(run, at), after_of(run, at)
    was, now = before.overloads.mwh(run.case), after.overloads.mwh(run.case)
    central = run.of("central", "linear")
    least = "" if central is None else f"{number(central.overloads.mwh(run.case), 2)} as one"
    own = float(before.hub_cost.sum()), float(after.hub_cost.sum())
    price = after.price
    far = float(price.ravel()[int(np.abs(price).argmax())]) if price.size else 0.0
    return [
        Measure("was", _LABELS[0], "MWh", 2, was, "beyond limits", "binding" if was > _NONE else "fine"),
        Measure("beyond", f"With {PRICES[after.prices]}" if after.prices != "central" else "All as one", "MWh", 2, now,
                least, "binding" if now > _NONE else "fine"),
        Measure("price", _LABELS[2], "$/MWh", 1, far, f"mean {number(float(np.abs(price).mean()), 1)}"),
        Measure("cost", _LABELS[3], "$", 1, own[1] - own[0], f"on {dollars(own[0])}"),
        Measure("paid", _LABELS[4], "$", 0, float(after.paid.sum())),
        Measure("objective", _LABELS[5], "$", 0, after.objective, f"bound {dollars(bound_of(run, after), 0)}"),
        Measure("apart", _LABELS[6], "$", 0, after.overload_cost - run.floor, "over B"),
    ]  # fmt: skip


def totals_of(run: "HubRun", at: At) -> Part:
    """Return the strip of key numbers."""
    items: list[dict[str, Any]] = [
        {
            "label": one.label,
            "value": why_number(hubs_ids.why(one.what), one.text, card(run, at, one.what), label=one.label),
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


def table_rows(run: "HubRun", at: At) -> Sequence[dict[str, Any]]:
    """Return the key numbers as plain rows: what files carry."""
    return [
        {"measure": one.label, "unit": one.unit, "prices": said(after_of(run, at)), "value": one.value}
        for one in measures(run, at)
    ]
