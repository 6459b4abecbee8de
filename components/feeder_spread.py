"""How far the prices of a MWh lie apart in one hour: between the phases of a bus, and between buses on one phase."""

from typing import TYPE_CHECKING, Literal

from components.feeder_layers import case_said
from components.feeder_words import SOURCE_PRICE, inputs_of
from components.format import number
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.price_spread import APART, Spread, price_spread

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun


def largest(run: "FeederRun", case: "CaseRun", by: Literal["phase", "place"]) -> Spread | None:
    """Return the largest spread between phases of one bus, or between buses on one phase; None without two of them."""
    return price_spread(run.nodes, case.active_price, by)


def finding(run: "FeederRun") -> str:
    """Return whether prices differ by phase and by place here, as arXiv 2606.26328 states, and by how much."""
    phase = [largest(run, case, "phase") for case in run.cases]
    place = [largest(run, case, "place") for case in run.cases]
    by = [words for words, found in (("by phase", phase), ("by place", place)) if any(map(_differs, found))]
    held = f"differ {' and '.join(by)}" if by else "differ neither by phase nor by place"
    told = [
        f"{case_said(case)} by at most {_words(run, one, 'phase')} and {_words(run, other, 'place')}"
        for case, one, other in zip(run.cases, phase, place, strict=True)
    ]
    return (
        "arXiv 2606.26328 states that prices differ by phase and by place: here those of active power "
        f"{held}, {'; '.join(told)}."
    )


def _differs(found: Spread | None) -> bool:
    return found is not None and found.apart >= APART


def _words(run: "FeederRun", found: Spread | None, by: Literal["phase", "place"]) -> str:
    """Return a spread with its hour and place."""
    if found is None:
        return "nothing between phases, of which no bus has two" if by == "phase" else "nothing between buses"
    hour, size = run.labels[found.hour], f"{number(found.apart, 2)} $/MWh"
    (dear, high), (cheap, low) = found.dear, found.cheap
    if by == "phase":
        kind = "phases" if run.feeder.wires == "four" else "pairs of phases"
        return f"{size} between {kind} of one bus (bus {dear}, {high} above {low}, {hour})"
    return f"{size} between buses (bus {dear} above bus {cheap}, on {high}, {hour})"


def spread_card(run: "FeederRun") -> Part:
    """Return how the spreads of all cases come about."""
    values = [
        (f"between {'phases of one bus' if by == 'phase' else 'buses on one phase'}, {case_said(case)}",
         f"{number(found.most, 2)} \u2212 {number(found.least, 2)} = {number(found.apart, 2)} $/MWh, "
         f"{_node(found.dear)} less {_node(found.cheap)}, {run.labels[found.hour]}")
        for case in run.cases
        for by in ("phase", "place")
        if (found := largest(run, case, by)) is not None  # type: ignore[arg-type]
    ]  # fmt: skip
    return why_card(
        "How far prices lie apart in one hour",
        formula="max_{t,b} ( max_φ λ_{bφt} − min_φ λ_{bφt} ),  max_{t,φ} ( max_b λ_{bφt} − min_b λ_{bφt} )",
        values=values, inputs=inputs_of(run), source=SOURCE_PRICE,
        note="Over all hours. Between buses on one phase alone, so that what differs is the place.",
    )  # fmt: skip


def _node(node: tuple[str, str]) -> str:
    return f"bus {node[0]} on {node[1]}"
