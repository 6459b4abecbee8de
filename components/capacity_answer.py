"""A capacity answer as the page draws it: the engine's records together, and the words that several panels share."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from dash import html

from components.format import THIN, megawatts, number, percent
from components.skeleton import button
from engine.capacity.allocation import NO_GAIN
from engine.capacity.margins import Prepared
from engine.capacity.products import ProductSet
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import Alone, Binding, CapacityResult, Limit
from engine.network.model import Network, Vector

BRANCH_KINDS = frozenset({"forward", "backward"})
INTERFACE_KINDS = frozenset({"interface_forward", "interface_backward"})
MOST_MW = 1e5  # a lone load above this meets no limit worth a number: it is written as "unlimited"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Everything that is drawn for one question on one network.

    The margins, and what each bus could take alone, are those without outages, redispatch and periods.
    """

    network: Network
    question: CapacityQuestion
    prepared: Prepared
    result: CapacityResult  # of the period that is drawn
    alone: Alone
    products: ProductSet | None  # None when the question stopped at limits exceeded already
    base: CapacityResult | None = None  # the same question without outages, redispatch and periods; None: this is it
    periods: tuple[tuple[str, CapacityResult], ...] = ()
    period: str = ""  # which of them is drawn, "" for the year round
    year: CapacityResult | None = None  # of the year round, where a period is drawn

    @property
    def deep(self) -> bool:
        """Return whether outages, redispatch or periods are in this answer."""
        return self.base is not None

    @property
    def whole(self) -> CapacityResult:
        """Return the result of the year round, whichever period is drawn."""
        return self.result if self.year is None else self.year

    def at_period(self, name: str) -> "Answer":
        """Return the answer with that period drawn, the year round for a name that is none."""
        found = dict(self.periods).get(name)
        if found is None:
            return replace(self, result=self.whole, period="", year=None)
        return replace(self, result=found, period=name, year=self.whole)

    @property
    def stopped(self) -> bool:
        """Return whether limits exceeded before any addition stopped the question."""
        return self.result.status == "infeasible_at_zero"

    def sites(self) -> dict[str, int]:
        """Return the place of each candidate among the candidates."""
        return {bus: place for place, bus in enumerate(self.result.candidates)}


def pressed_button(text: str, component_id: str, **props: Any) -> html.Button:
    """Return a button that comes and goes with the answer: a press writes the time to ``<component_id>-pressed``.

    That Store stays on the page. Listened to itself, a button would call its callback whenever it is drawn.
    """
    return button(text, component_id, **{"data-capacity-press": f"{component_id}-pressed"}, **props)


def level_words(epsilon: float) -> str:
    """Return a level as a label: ``firm``, ``at 5 %``."""
    return "firm" if epsilon == 0 else f"at {percent(epsilon)}"


def short_limit(limit: Limit) -> str:
    """Return a limit in few words: ``transformer 5120-5467``, ``withdrawal limit of bus 4``, ``line 1-2 after 2-3``."""
    kind = kind_words(limit)
    if kind == "withdrawal limit":
        return f"withdrawal limit of bus {limit.element}"
    words = f"{kind} {limit.element}" if kind else limit.words
    return f"{words} after {limit.outage}" if limit.outage else words


def without_outage(limit: Limit) -> str:
    """Return a limit's words for a table that has a column for the outage."""
    return limit.words.partition(" after the loss of ")[0] if limit.outage else limit.words


def element_words(limit: Limit) -> str:
    """Return what a limit belongs to, as a key number: ``5120-5467``, ``bus 4``, ``generation``."""
    if not limit.element:
        return "generation"
    return f"bus {limit.element}" if kind_words(limit) == "withdrawal limit" else limit.element


def limit_element(limit: Limit) -> str:
    """Return what the page's selection holds for a limit: ``branch:5120-5467``, ``bus:4``; "" for what no map shows."""
    kind = kind_words(limit)
    if kind == "withdrawal limit":
        return f"bus:{limit.element}"
    return f"branch:{limit.element}" if kind and kind != "interface" else ""


def kind_words(limit: Limit) -> str:
    """Return what kind of limit it is: ``line``, ``interface``, ``withdrawal limit``; "" for one of no element.

    A cut of redispatch is of the kind of the limit that weighs most in it: its words are that limit's.
    """
    if limit.kind == "withdrawal" or (limit.kind == "cut" and limit.words.startswith("the withdrawal limit")):
        return "withdrawal limit"
    if limit.kind in INTERFACE_KINDS:
        return "interface"
    named = limit.kind in BRANCH_KINDS or (limit.kind == "cut" and bool(limit.element))
    return limit.words.partition(" ")[0] if named else ""  # the words begin with the kind of branch


def gain_words(binding: Binding) -> str:
    """Return what the first MW more of a limit would bring, "" when it is not told by one number.

    A dual holds for that MW only: on a mesh another limit may stop the next. What 10 MW bring is solved for.
    """
    if binding.gain_mw_per_mw is None:
        return ""
    if abs(binding.gain_mw_per_mw) < NO_GAIN:
        return "more room there changes who gets it, not the total"
    return f"the first MW more there gives {gained(binding.gain_mw_per_mw)} in total"


def gained(mw: float) -> str:
    """Return a gain with the digits it is meant to: ``14 MW``, ``0.4 MW``."""
    return f"{number(mw, 0 if abs(mw) >= 9.95 else 1)} MW"


def total_mw(answer: Answer, level: int) -> float:
    """Return the MW of all sites at a level; 0 when nothing was allocated."""
    return answer.result.levels[level].total_mw if level < len(answer.result.levels) else 0.0


def served_in_full(answer: Answer) -> int:
    """Return how many sites get all they ask for at the highest level."""
    if not answer.result.levels:
        return 0
    last = answer.result.levels[-1].capacity_mw
    return sum(got >= asked * (1 - 1e-9) for got, asked in zip(last, answer.result.demand_mw, strict=True))


def alone_mw(answer: Answer, level: int) -> Vector:
    """Return the (B,) largest lone load at a level, nan out of service; ``inf`` where no limit is met below MOST_MW."""
    values = answer.alone.capacity_mw[level].astype(float)
    values = np.where(values > MOST_MW, np.inf, values)
    return np.where(answer.alone.in_service, values, np.nan)


def alone_gain_mw(answer: Answer, level: int) -> Vector:
    """Return the (B,) gain of a risk level over firm for a lone load; nan where both are unlimited."""
    with np.errstate(invalid="ignore"):
        gain: Vector = alone_mw(answer, level) - alone_mw(answer, 0)
    return gain


def alone_limits(answer: Answer, level: int) -> list[Limit | None]:
    """Return for each bus the limit that stops a lone load there, None when none does. Equal rows share a record."""
    known: dict[int, Limit] = {}
    limits: list[Limit | None] = []
    for row in answer.alone.limiting_row[level].tolist():
        if row < 0:
            limits.append(None)
            continue
        if row not in known:
            known[row] = answer.prepared.limit(row)
        limits.append(known[row])
    return limits


def amount(value: float) -> str:
    """Return MW for a tooltip or a sentence; ``unlimited`` beyond any limit."""
    return megawatts(value)


def signed(value_mw: float, unit: str = "MW") -> str:
    """Return an increment with its sign: ``+131 MW``."""
    text = megawatts(value_mw, unit)
    return text if value_mw < 0 or not np.isfinite(value_mw) else f"+{text}"


def big(value_mw: float) -> tuple[str, str]:
    """Return (number, unit) of a page's key number: MW below 10,000, then GW."""
    if not np.isfinite(value_mw):
        return "unlimited", ""
    if abs(value_mw) < 9_999.5:
        return number(value_mw, 1 if abs(value_mw) < 99.95 else 0), "MW"
    return number(value_mw / 1000, 1), f"{THIN}GW".strip(THIN)
