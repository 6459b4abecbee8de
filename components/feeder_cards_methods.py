"""Why the numbers of the Methods tab are what they are: a card for each method, one for rounds, one for schedules."""

from typing import TYPE_CHECKING

from components.feeder_words import money
from components.format import number, percent, sentence
from components.skeleton import Part
from components.why_card import WhyInput, why_card

if TYPE_CHECKING:
    from engine.distribution.methods_run import MethodsRun
    from engine.distribution.run import FeederRun
    from engine.distribution.speed import MethodRow

SOURCE = (
    "Every route judged by the operator's own program: arXiv 2606.26328 (binary expansion, as we rebuild it), the "
    "payment identity of strong duality, critical regions; Samuelson, Am. Econ. Rev. 42, 1952 (competitive outcome)"
)
_SOURCE_LOOP = (
    "Best response to posted prices, taken again until it settles or comes back; damped: a step towards the response. "
    "Each round judged by the operator's own program"
)
_SOURCE_SCHEDULE = "Draws of each method at the prices of their nodes, active and reactive: our formula"
TAKER = "price taker"
_SHARE = 4  # decimals of a share in per cent
_LEAST_GAP = 1e-6


def inputs_of_methods(run: "FeederRun", methods: "MethodsRun") -> list[WhyInput]:
    """Return what the comparison was made from: its own question, which has no method, and its own date."""
    told = methods.provenance
    case = f"Prices, loads, sun and work of the day, with{'' if methods.options.svg else 'out'} SVG"
    return [
        WhyInput(f"Feeder {run.feeder.name}", str(told.get("feeder_digest", ""))),
        WhyInput(case, str(told.get("case_digest", ""))),
        WhyInput("Question of the comparison", str(told.get("question_digest", "")), str(told.get("date", ""))[:10]),
    ]


def row_card(run: "FeederRun", methods: "MethodsRun", row: "MethodRow") -> Part:
    """Return how every number of a method's row comes about."""
    taker = methods.row(TAKER)
    return why_card(
        f"{sentence(row.method)}: {money(row.objective)}",
        formula="*J* = Σ_t Σ_c λ_{ct} *X*_{ct} + *D*,  saved = ( *J*_0 − *J* ) / *J*_0,  "
        "dearer = ( *C* + *D* ) / ( *C*_0 + *D*_0 ) − 1,  gap = ( *J* − *B* ) / max( 1, |*J*| )",
        values=[
            ("payment and delay *D*",
             f"{number(row.payment, 2)} + {number(row.delay_cost, 2)} = {money(row.objective)}"),
            ("at most, at the prices that cost most", money(row.payment_most)),
            ("of the payment in hours that exceed a limit", money(row.penalised)),
            ("system cost *C*", money(row.system_cost)),
            *_against(row, taker),
            ("gap to the best bound", _gap(row.objective, methods.bound, row.gap)),
            ("gap that it proves itself",
             "it proves no bound" if row.own_bound is None or row.own_gap is None
             else _gap(row.objective, row.own_bound, row.own_gap)),
            ("by the clock on the wall", f"{number(row.time_s, 2)} s"),
            *_seconds(methods, row),
        ],
        inputs=inputs_of_methods(run, methods),
        source=SOURCE,
        note="Index 0 is the competitive outcome. Prices are those of the operator's program at these draws; where the "
        "optimum does not determine them the least and the most are told.",
    )  # fmt: skip


def _against(row: "MethodRow", taker: "MethodRow | None") -> list[tuple[str, str]]:
    """Return what a method saves and what it makes the system dearer by, written out."""
    if taker is None:
        return []
    base, own = taker.system_cost + taker.delay_cost, row.system_cost + row.delay_cost
    saved = f"( {number(taker.objective, 2)} − {number(row.objective, 2)} ) / {number(taker.objective, 2)}"
    return [
        ("saved", f"{saved} = {percent(row.payment_saving, 3)}"),
        ("dearer", f"{number(own, 2)} / {number(base, 2)} − 1 = {percent(row.system_increase, _SHARE)}"),
    ]


def _gap(objective: float, bound: float, gap: float) -> str:
    """Return a gap written out, never as nothing: solvers prove to within a tolerance."""
    scale = max(1.0, abs(objective))
    share = f"= {percent(gap, _SHARE)}" if abs(gap) >= _LEAST_GAP else f"< {percent(_LEAST_GAP, _SHARE)}"
    return f"( {number(objective, 2)} − {number(bound, 2)} ) / {number(scale, 2)} {share}"


def _seconds(methods: "MethodsRun", row: "MethodRow") -> list[tuple[str, str]]:
    """Return the processor seconds of a method and of each method that ran before because it builds on it."""
    parts = []
    for name in row.needed:
        before = methods.row(name)
        # Regions have no row of their own: they are what is needed and is no start.
        spent = before.processor_s if before is not None else row.before_s - row.start_s
        parts.append(f"{name} {number(spent, 2)}")
    total = f" = {number(row.before_s, 2)} s" if len(parts) > 1 else " s"
    whole = f"{number(row.processor_s, 2)} + {number(row.before_s, 2)} = {number(row.whole_s, 2)} s"
    return [
        ("needed before, processor", " + ".join(parts) + total if parts else "nothing"),
        ("with it, processor", whole),
    ]


def rounds_card(run: "FeederRun", methods: "MethodsRun") -> Part:
    """Return how the rounds of best responses come about, and where each of them ends."""
    ends = []
    for course in methods.courses:
        way = {None: "neither settled nor came back", 1: "settled"}.get(
            course.cycle, f"in a cycle of {course.cycle} rounds"
        )
        last = money(course.payment[-1]) if course.payment else "none"
        ends.append((course.method, f"{number(len(course.payment))} rounds, {way}; the last pays {last}"))
    return why_card(
        "Best responses, round by round",
        formula="*x*^{k+1} = arg min_x Σ_t Σ_c λ_{ct}( *x*^k ) *x*_{ct} + *D*( *x* )",
        values=ends,
        inputs=inputs_of_methods(run, methods),
        source=_SOURCE_LOOP,
        note="Pays: the draws of the round at the prices that the operator posts for them, delay included. Largest "
        "draw: of all data centres together, in its fullest hour.",
    )


def schedules_card(run: "FeederRun", methods: "MethodsRun") -> Part:
    """Return how the schedules of the methods come about: what each pays in all is the sum of its rows."""
    values = [
        (row.method, f"{number(sum(map(sum, each.draw_kw)) / 1000.0, 3)} MWh, {money(row.payment)}")
        for row, each in zip(methods.rows, methods.schedules, strict=True)
    ]
    return why_card(
        "Schedules of all methods",
        formula="payment = Σ_t Σ_c ( λ_{ct} + tan φ_c λ^{q}_{ct} ) *X*_{ct}",
        values=values,
        inputs=inputs_of_methods(run, methods),
        source=_SOURCE_SCHEDULE,
        note="Draws are from the network. The price of a data centre is the mean of its nodes' prices, reactive power "
        "at its power factor included.",
    )
