"""How much faster an exact route is than the paper's expansion at the same proved accuracy: said by the rows alone.

Of the paper only the abstract is known, so the claim is about the expansion as we rebuild it. Helped by critical
regions it is another route of ours: told beside.
Times are processor seconds. What a route needs before it begins counts as it does for whoever runs that route alone:
critical regions for both, the price taker and the walk for a route that begins at the walk's answer. An expansion that
ends at its time limit with a wider gap has only shown that it takes longer: the ratio is then "at least".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.distribution.region_program import GAP

EXACT = ("critical regions", "payment identity")
# Ends of the names of expansions: without critical regions, and with limits, distances and duals from them.
REBUILT, HELPED = ", as we rebuild it, without our regions", ", with our regions"
ASKED = 10.0  # times faster


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One row of the table; savings and increases are against the competitive outcome."""

    method: str
    objective: float  # $, payments and delay
    payment: float  # $
    payment_most: float  # $, at the prices that cost the aggregator most
    penalised: float  # $ of ``payment``: of hours in which the operator exceeds a limit at its penalty
    delay_cost: float  # $
    system_cost: float  # $
    bound: float  # $, the best that any method proved
    gap: float  # (objective - bound) / max(1, |objective|)
    own_bound: float | None  # $, that this method proved itself
    own_gap: float | None
    payment_saving: float  # share of the competitive objective
    system_increase: float  # share of the competitive system cost, delay included in both
    status: str
    time_s: float
    processor_s: float  # of this method alone
    before_s: float  # processor s of ``needed``
    start_s: float  # of these: what only gives an answer to begin with
    needed: tuple[str, ...]  # what ran before because this method builds on it
    notes: tuple[str, ...]

    @property
    def whole_s(self) -> float:
        """Return the processor seconds with all that came before."""
        return self.processor_s + self.before_s


@dataclass(frozen=True, slots=True)
class Speed:
    """One exact route beside one expansion, at the accuracy that the exact route proves by its own bound."""

    exact: str
    expansion: str
    accuracy: float  # relative gap that counts as proved
    exact_gap: float
    expansion_gap: float | None  # by the expansion's own bound; None where it found no draws
    exact_s: float  # processor s, all that it needs included
    exact_without_start_s: float  # likewise, without what only gave it a start
    expansion_s: float  # processor s, all that it needs included, of the number of bits that is named
    reached: bool  # whether the expansion proved the accuracy
    times: float  # expansion_s / exact_s: at least so many where it was not reached
    verdict: str  # "holds", "contradicted", or "open" where the time limit was too short to tell
    statement: str

    @property
    def rebuilt(self) -> bool:
        """Return whether it is the paper's expansion, rebuilt; else one helped by what the exact routes build on."""
        return self.expansion.endswith(REBUILT)


def speeds(rows: Sequence[MethodRow], failed: Sequence[tuple[str, float]] = ()) -> tuple[Speed, ...]:
    """Return each exact route of ``rows`` beside each kind of expansion, the last number of bits that was tried.

    ``failed``: expansions that ended without draws, and their processor seconds.
    """
    found = []
    for row in rows:
        if row.method in EXACT and row.own_gap is not None and row.status == "optimal":
            for rebuilt in (True, False):
                tried = [
                    each for each in rows
                    if each.method.startswith("expansion") and each.method.endswith(REBUILT) == rebuilt
                ]  # fmt: skip
                none = [(name, spent) for name, spent in failed if name.endswith(REBUILT) == rebuilt]
                if tried or none:
                    found.append(_speed(row, tried, none))
    return tuple(found)


def _speed(exact: MethodRow, tried: list[MethodRow], failed: list[tuple[str, float]]) -> Speed:
    own = exact.own_gap or 0.0
    accuracy = max(GAP, own)
    done = [row for row in tried if row.own_gap is not None and row.own_gap <= accuracy]
    reached = bool(done)
    if reached:  # the cheapest that proves it: nobody is charged for bits that did not
        best = min(done, key=lambda row: row.whole_s)
        name, gap, spent = best.method, best.own_gap, best.whole_s
    else:
        # Bits that were too few and ended in time say nothing of how long enough of them take.
        cut = [(row.method, row.own_gap, row.whole_s) for row in tried if row.status != "optimal"]
        cut += [(name, None, seconds) for name, seconds in failed]
        ended = [(row.method, row.own_gap, row.whole_s) for row in tried]
        name, gap, spent = max(cut, key=_seconds) if cut else min(ended, key=_gap)
    times = spent / max(exact.whole_s, 1e-9)
    told = reached or bool(cut)
    verdict = "holds" if told and times >= ASKED else "contradicted" if reached else "open"
    return Speed(
        exact.method, name, accuracy, own, gap, exact.whole_s, exact.whole_s - exact.start_s, spent, reached, times,
        verdict,
        _words(exact.method, name, (accuracy, gap), (spent, exact.whole_s, times), reached=reached) if told else
        f"{name} proves no better than {_percent(gap or 0.0)} in {spent:.1f} processor seconds; with bits enough to "
        f"prove what the {exact.method} does, {_percent(accuracy)}, it was not run.",
    )  # fmt: skip


def _seconds(one: tuple[str, float | None, float]) -> float:
    return one[2]


def _gap(one: tuple[str, float | None, float]) -> float:
    return float("inf") if one[1] is None else one[1]


def _percent(gap: float) -> str:
    """Return a gap in per cent, two digits of it and never as nothing: solvers prove to within a tolerance."""
    share = max(100.0 * gap, 1e-4)
    return f"{share:.2g} %" if share < 10.0 else f"{share:.0f} %"


def _words(
    exact: str, name: str, gaps: tuple[float, float | None], seconds: tuple[float, float, float], *, reached: bool
) -> str:
    accuracy, gap = gaps
    spent, whole, times = seconds
    if reached:
        ratio = f"{times:.1f} times as long as" if times >= 1.0 else f"only {times:.2f} of the time of"
        return (
            f"{name} proves a gap of {_percent(accuracy)} in {spent:.1f} processor seconds: {ratio} the {exact} with "
            f"all that it needs ({whole:.1f} s)."
        )
    # A gap above one: the bound is below zero, where no payment is.
    proved = (
        "finds no draws" if gap is None else "proves nothing" if gap > 1.0 else f"proves no better than {_percent(gap)}"
    )
    if times < 1.0:
        return (
            f"{name} {proved} in the {spent:.1f} processor seconds that its limit of time left it: too few to tell "
            f"how much longer it takes than the {exact} with all that it needs ({whole:.1f} s), which proves "
            f"{_percent(accuracy)}."
        )
    return (
        f"{name} {proved} in {spent:.1f} processor seconds: at least {times:.1f} times as long as the {exact} with "
        f"all that it needs ({whole:.1f} s), which proves {_percent(accuracy)}."
    )
