"""Why the columns of the table of models are what they are, a line for each model and kind of hubs.

"each:COLUMN" with "best" and "worst" (what overloads weigh), "bound", "gap" and "time".
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from components.format import duration, percent
from components.hubs_why import Card, inputs_of
from components.hubs_words import (
    SOURCE,
    At,
    bound_of,
    dollars,
    gap_of,
    lettered,
    mwh,
    ordered,
    worst_words,
)
from components.skeleton import Part
from components.why_card import why_card
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

_Told = Callable[["HubRun", Outcome], str]
_COLUMNS: Mapping[str, tuple[str, str, str, _Told]] = {  # title, formula, note, what is told of an outcome
    "best": (
        "What overloads weigh",
        "α_{line} *E*_{line} + α_{sub} *E*_{sub}",
        "Where hubs of constant costs have several answers as good, of the one that is best for the network.",
        lambda run, each: f"{dollars(each.overload_cost)} ({mwh(each.overloads.mwh(run.case))})",
    ),
    "worst": (
        "What overloads may weigh at worst",
        "max_x { α_{line} *E*_{line} + α_{sub} *E*_{sub} : *c*_i(δ) *x*_i ≤ *c*_i^{*} for each hub }",
        "Hubs of constant costs may answer in several ways that cost them the same; the worst of these for the network "
        "is found by an integer program with a yes or no for each side of each limit. Hubs of rising costs have one "
        "answer, and all as one has no choice to make.",
        lambda _run, each: worst_words(each),
    ),
    "bound": (
        "What no prices come to less than",
        "*F* ≥ min_x ( α_{line} *E*_{line} + α_{sub} *E*_{sub} )",
        "Overloads weigh at least as much with all run as one, and prices at least 0 beside them; branch and bound may "
        "prove more of the same hubs.",
        lambda run, each: dollars(bound_of(run, each)),
    ),
    "gap": (
        "How far each is from its bound",
        "( *F* − bound ) / max( 1, |*F*| )",
        "Prices that are only tried on the other kind of hubs, and no prices, are far from it: they were not sought "
        "for these hubs.",
        lambda run, each: (
            f"{percent(gap_of(run, each), 1)}, of {dollars(each.objective)} to {dollars(bound_of(run, each))}"
        ),
    ),
    "time": (
        "How long each took",
        "",
        "By a clock, from the first start to the last answer, on whichever machine computed it.",
        lambda _run, each: duration(each.time_s),
    ),
}  # fmt: skip
COLUMNS = tuple(_COLUMNS)


def _each(run: "HubRun", _at: At, column: str) -> Part:
    if column not in _COLUMNS:
        raise ValueError(f"there is no column {column!r:.60} of models")
    title, formula, note, told = _COLUMNS[column]
    return why_card(
        title, formula=formula, values=[(lettered(each), told(run, each)) for each in ordered(run)],
        inputs=inputs_of(run), source=SOURCE, note=note,
    )  # fmt: skip


CARDS: Mapping[str, Card] = {"each": _each}
