"""Why the numbers of the Feeders tab are what they are: a card for each row, and one for the paper's statements."""

from typing import TYPE_CHECKING, Any

from components.feeder_words import SOURCE_AC, SOURCE_PAYMENT, SOURCE_PRICE, money, small
from components.format import duration, number, percent
from components.skeleton import Part
from components.why_card import WhyInput, why_card

if TYPE_CHECKING:
    from engine.distribution.several import FeederRow, SeveralRun

_SOURCE = "Each feeder is operated, priced and judged by AC power flow as on this page, by itself"


def inputs_of_several(several: "SeveralRun", only: int | None = None) -> list[WhyInput]:
    """Return what the table, or the rows of one question, were made from."""
    names, date = {row.question: row.feeder for row in several.rows}, str(several.provenance.get("date", ""))[:10]
    return [
        WhyInput(f"Question of {names.get(at, question.feeder)}", question.digest, date)
        for at, question in enumerate(several.questions)
        if only is None or at == only
    ]


def row_card(several: "SeveralRun", row: "FeederRow", name: str, allowed: str) -> Part:
    """Return how every number of one case of one feeder comes about."""
    values: list[tuple[str, Any]] = [
        ("data centres pay, active and reactive", _sum(row.bill, row.bill_reactive)),
        ("operator's cost, bought and the rest", _sum(row.cost, (row.cost or 0.0) - (row.bought or 0.0))),
        ("charged for limits", money(row.penalty or 0.0)),
        ("lowest voltage, AC", _at(row, "lowest_pu", f"{number(row.lowest_pu, 4)} p.u.")),
        ("highest voltage, AC", _at(row, "highest_pu", f"{number(row.highest_pu, 4)} p.u.")),
        ("allowed", f"{allowed} p.u." if allowed else "its own limits"),
        ("mean voltage at data centres, AC",
         "no data centre" if row.centres_pu is None else f"{number(row.centres_pu, 4)} p.u."),
        ("largest VUF", "no bus of three phases" if row.vuf is None else _at(row, "vuf", percent(row.vuf, 3))),
        ("mean VUF", "none" if row.vuf_mean is None else percent(row.vuf_mean, 3)),
        ("fullest link", _at(row, "loading", percent(row.loading, 1))),
        ("losses, AC", f"{number(row.loss_mwh, 3)} MWh"),
        ("linear less AC", [small(row.error_pu or 0.0, "p.u."), _where(row, "error_pu")]),
        ("prices apart by phase", _apart(row, "apart_phase", row.apart_phase)),
        ("prices apart by place", _apart(row, "apart_place", row.apart_place)),
        ("limits flagged by AC, and exceeded",
         f"{number(row.flags)} + {number(row.violations)} = {number((row.flags or 0) + (row.violations or 0))}"),
        ("time of this case", duration(row.time_s)),
    ]  # fmt: skip
    return why_card(
        f"{name}, with{'' if row.svg else 'out'} SVG",
        formula="Σ_{t,c} *X* ( λ + tan φ λ^{q} ),  Σ_t ( π_t *P*_t + … ),  min |*V*|, max |*V*|,  "
        "max |*V*_2| / |*V*_1|,  max |*I*| / *I*_{max},  max | √*v* − |*V*| |,  max ( λ − λ′ )",
        values=values,
        inputs=inputs_of_several(several, row.question),
        source=f"{SOURCE_AC}; {SOURCE_PAYMENT}; {_SOURCE}",
        note="Extremes are over all hours; voltages over all nodes beyond the source. The rest of the operator's cost "
        "is of generators and of reactive power.",
    )


def _sum(total: float | None, second: float | None) -> str:
    whole, part = total or 0.0, second or 0.0
    sign = "−" if part < -5e-3 else "+"
    return f"{number(whole - part, 2)} {sign} {number(abs(part), 2)} = {money(whole)}"


def _where(row: "FeederRow", name: str) -> str:
    return f", {row.where[name]}" if name in row.where else ""


def _at(row: "FeederRow", name: str, told: str) -> str:
    return told + _where(row, name)


def _apart(row: "FeederRow", name: str, apart: float | None) -> str:
    return "nothing to compare" if apart is None else _at(row, name, f"{number(apart, 2)} $/MWh")


def paper_card(several: "SeveralRun") -> Part:
    """Return how the paper's statements are judged."""
    return why_card(
        "What the paper states, feeder by feeder",
        formula="mean |*V*|_{SVG} > mean |*V*|,  max VUF_{SVG} < max VUF,  max ( λ_φ − λ_ψ ) > 0 and "
        "max ( λ_b − λ_d ) > 0",
        values=[
            ("voltage at data centres", "mean of their nodes and hours in AC, with SVG above that without"),
            ("unbalance", "largest VUF of all three-phase buses and hours in AC, with SVG below that without"),
            ("prices", "largest difference of two prices in one hour: of two phases of a bus, of two buses on a phase"),
            ("differ from", "0.005 $/MWh on"),
        ],
        inputs=inputs_of_several(several),
        source=f"arXiv 2606.26328, its abstract; {SOURCE_PRICE}",
        note="The paper studied one feeder, under its own loads. Draws are those of each answer: where a method "
        "chooses them they are not the same without and with SVG.",
    )
