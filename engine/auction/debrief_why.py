"""How each number of a debrief comes about: a formula, the values in it, and where it is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.auction.rules import Configuration

if TYPE_CHECKING:
    from engine.auction.debrief import BidderRow, Totals

PAPER = "arXiv 2604.08854"


@dataclass(frozen=True, slots=True)
class Why:
    """The reason of one number."""

    label: str
    formula: str
    values: tuple[tuple[str, float | int | str, str], ...]  # symbol, value, unit
    note: str = ""
    source: str = ""


def whys(configuration: Configuration, totals: "Totals", bidders: Sequence["BidderRow"]) -> Mapping[str, Why]:
    """Return the reasons of the totals, by name of the total, and of each bidder's surplus, by "surplus <id>"."""
    currency = configuration.currency
    found = {
        "revenue": Why(
            "Revenue",
            "sum of the standing bids on what is awarded",
            tuple((row.name, row.bids_paid, currency) for row in bidders),
            "unsold blocks and blocks below their reserve bring nothing",
            f"{PAPER}, section III",
        ),
        "payments": Why(
            "Payments",
            "revenue + payments for withdrawn bids + shares of bids that were not paid",
            (
                ("revenue", totals.revenue, currency),
                ("withdrawals, defaults", totals.payments - totals.revenue, currency),
            ),
            source="47 CFR 1.2104(g)",
        ),
    }
    if totals.welfare is not None and totals.optimum is not None:
        found |= _of_values(totals, bidders, currency)
    for row in bidders:
        if row.value is not None and row.surplus is not None:
            found[f"surplus {row.id}"] = Why(
                f"Surplus of {row.name}",
                "value of what was won - what is paid for it",
                (
                    ("v", row.value, currency),
                    ("bids", row.bids_paid, currency),
                    ("other payments", row.other_payments, currency),
                    ("surplus", row.surplus, currency),
                ),
                "a loss: the bidder was left with a part worth less than it costs, or paid too much for the whole"
                if row.surplus < 0.0
                else "",
                f"{PAPER}, section III (quasi-linear utility)",
            )
    return found


def _of_values(totals: "Totals", bidders: Sequence["BidderRow"], currency: str) -> dict[str, Why]:
    welfare, optimum = totals.welfare or 0.0, totals.optimum or 0.0
    proof = "proven best" if totals.optimum_proven else "the best found in the time allowed; not proven"
    known = [row for row in bidders if row.value is not None]
    found = {
        "welfare": Why(
            "Welfare",
            "sum of the bidders' values of what they won + the reserves of what the seller keeps",
            (
                *((row.name, row.value or 0.0, currency) for row in known),
                ("the seller keeps", welfare - sum(row.value or 0.0 for row in known), currency),
            ),
            "payments move money between bidders and seller and so do not count",
        ),
        "optimum": Why(
            "Optimal welfare",
            "largest sum of values over all ways to give the blocks to bidders, or to leave them with the seller",
            tuple((row.name, row.optimum_value or 0.0, currency) for row in known),
            proof,
        ),
        "exposure_loss": Why(
            "Losses to exposure",
            "sum over bidders of max(0, payment - value)",
            tuple((row.name, row.loss or 0.0, currency) for row in known),
            "with gross substitutes and straightforward bidding nobody loses",
        ),
    }
    if totals.efficiency is not None:
        found["efficiency"] = Why(
            "Efficiency",
            "welfare / optimal welfare",
            (("welfare", welfare, currency), ("optimum", optimum, currency), ("efficiency", totals.efficiency, "")),
            proof,
            f"{PAPER}, bound (9): at most one increment per block is lost in an equilibrium",
        )
    if totals.equilibrium_revenue is not None:
        found["equilibrium_revenue"] = Why(
            "Revenue in an equilibrium",
            "equilibrium prices x blocks that the optimum sells",
            (("revenue", totals.equilibrium_revenue, currency),),
            totals.equilibrium_words,
            "Gul and Stacchetti 1999; Bikhchandani and Mamer 1997",
        )
    if totals.vcg_revenue is not None:
        found["vcg_revenue"] = Why(
            "Revenue of Vickrey, Clarke and Groves",
            "sum over bidders of: optimum without the bidder - (optimum - the bidder's value in it)",
            tuple((row.name, row.vcg_payment or 0.0, currency) for row in known),
            "what truthful bids would bring where nobody can gain by strategy",
            "Vickrey 1961, Clarke 1971, Groves 1973",
        )
    if totals.linear_bound is not None:
        found["linear_bound"] = Why(
            "Least L(p) of any prices",
            "min over p of: sum of prices + sum over bidders of max over S of v(S) - p(S)",
            (("least L(p)", totals.linear_bound, currency), ("optimum", optimum, currency)),
            "equal to the optimum exactly if prices exist at which all bidders want what the optimum gives them",
            "Bikhchandani and Mamer 1997",
        )
    return found
