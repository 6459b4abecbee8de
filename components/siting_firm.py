"""How firm the order that is drawn is: leave-one-out, other weights, and the scores over all envelopes."""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html

from components import siting_studies_cards
from components.format import count, number, percent
from components.siting_basis import days_and_floor
from components.siting_site import SOURCE_RANKING, SiteStudy, bar, small_table
from components.skeleton import Part, facts
from components.why_card import why_card, why_number
from engine.network.model import Flags
from engine.siting.firmness import Firmness, LeaveOneOut
from engine.siting.shortlist import Ranked
from engine.siting.stability import Diagnostic, Robust


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """What could change who is on the shortlist, of the N sites of a ranking."""

    tied: Flags  # (N,), equal scores on both sides
    noise: Flags | None  # (N,), within reach of the noise floor; None where that is not known

    def words(self, row: int) -> str:
        """Return how firm a place is; "" where that is not known."""
        if self.tied[row]:
            return "tied"
        return "" if self.noise is None else "open" if self.noise[row] else "firm"


def firm(study: SiteStudy, order: Ranked, found: Firmness, every: Robust, border: Border) -> list[Part]:
    """Return the parts of the study: how the shortlist stands without others, by other weights, within the noise.

    ``every`` holds the scores over all envelopes of the size that is drawn.
    """
    left = found.left_out
    return [
        facts(
            [
                ("Places of the shortlist", number(len(left.rows))),
                (f"Left out, one by one: {count(left.runs, 'other alternative')}", _least(study, order, left)),
                ("Runs in which two of the shortlist change their order", _reversals(study, left)),
                *(
                    (f"Against {one.name}", _diagnostic(study, place, one))
                    for place, one in enumerate(found.diagnostics)
                ),
            ]
        ),
        _shortlist(study, order, left, every, border),
        _over_envelopes(study, order, every),
    ]


def _least(study: SiteStudy, order: Ranked, left: LeaveOneOut) -> Part:
    """Return how much of the shortlist stays in the worst run, with its card."""
    text = f"{percent(left.least_overlap, 0)} of the shortlist stays in the worst run"
    values = [("alternatives ranked together", number(len(order.sites))), ("weights", _weights(order))]
    if left.worst >= 0 and (placed := order.sites[left.worst].placement) is not None:
        values.append(("worst without", f"{study.words(placed.bus)}, {placed.envelope.name}"))
    card = why_card(
        text,
        formula="min_i |*K* \\ {*i*} \u2229 *K*_{\u2212i}| / |*K* \\ {*i*}|",
        values=values,
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note="Scaling by the best and the worst, and entropy, depend on the set of sites. Leaving one out is ours.",
    )
    return why_number("siting-why-firm", text, card, label="shortlist that stays when a site is left out")


def _reversals(study: SiteStudy, left: LeaveOneOut) -> Part:
    """Return in how many runs the order of two changes, with its card."""
    card = siting_studies_cards.reversals(study, left)
    return why_number(
        "siting-why-reversals", number(left.reversals), card, label="runs in which two change their order"
    )


def _diagnostic(study: SiteStudy, place: int, one: Diagnostic) -> Part:
    text = f"Spearman {number(one.spearman, 3)}, {percent(one.top_overlap, 0)} of the shortlist shared"
    card = why_card(
        text,
        formula="*V*_i = \u03a3_g \u03c9_g *G*_{ig}",
        values=[("\u03c9", ", ".join(f"{weight:.3g}" for weight in one.weights))],
        inputs=study.inputs(market=True),
        source="arXiv 2605.14714, equations (36) and (37)",
        note="A diagnostic: it ranks nothing.",
    )
    return why_number(f"siting-why-weights-{place}", text, card, label=f"agreement with {one.name}")


def _weights(order: Ranked) -> str:
    weights = order.group_weights or (1.0,) * len(order.groups)
    return ", ".join(f"{name} {weight:g}" for name, weight in zip(order.groups, weights, strict=True))


def _shortlist(study: SiteStudy, order: Ranked, left: LeaveOneOut, every: Robust, border: Border) -> Part:
    rows: list[Sequence[Part]] = []
    why: Part = None
    over = dict(zip(every.sites, zip(every.least.tolist(), every.expected.tolist(), strict=True), strict=True))
    for row, share in zip(left.rows.tolist(), left.kept_share.tolist(), strict=True):
        placed = order.sites[row].placement
        if placed is None:
            continue
        least, expected = over.get(placed.bus, (None, None))
        if why is None:
            why = siting_studies_cards.firm_row(study, study.words(placed.bus), left, share, least, expected)
        rows.append(
            (
                study.words(placed.bus),
                number(int(order.place[row])),
                (number(float(order.score[row]), 3), float(order.score[row])),
                (bar(share, percent(share, 1)), f"{share:.6f}") if share == share else number(None),  # noqa: PLR0124 (nan)
                (number(least, 3), "" if least is None else least),
                (number(expected, 3), "" if expected is None else expected),
                border.words(row),
            )
        )
    heads = ["Site", "Place", "Score", "Stays in", "Least score", "Expected score", "How firm"]
    return small_table(
        "firm", "How firm each place of the shortlist is", heads, rows, text=(0, 6), file="firmness", tall=True,
        note="Stays in: share of the rankings without another site in which it is on the shortlist. Least and expected "
        "score: over all envelopes, each as likely. Open: the noise floor could move it into or out of the shortlist; "
        f"tied: only the rule between equal scores decides. {days_and_floor(study.market)}",
        why=why,
    )  # fmt: skip


def _over_envelopes(study: SiteStudy, order: Ranked, every: Robust) -> Part:
    """Return the buses that are ranked in every envelope, best least score first, and those that miss some."""
    names = ", ".join(one.name for one in study.gate.envelopes)
    ranked = sorted(
        zip(every.sites, every.least.tolist(), every.expected.tolist(), strict=True), key=lambda one: (-one[1], one[0])
    )
    rows: list[Sequence[Part]] = [
        (study.words(bus), (number(least, 3), least), (number(expected, 3), expected), "")
        for bus, least, expected in ranked
    ]
    rows += [
        (study.words(bus), number(None), number(None), f"not ranked under {', '.join(missed)}")
        for bus, missed in sorted(every.partial.items())
    ]
    first = min(range(len(every.sites)), key=lambda k: (-every.least[k], every.sites[k]), default=None)
    why = None if first is None else siting_studies_cards.over_envelopes(study, order, every, first)
    parts = f"{count(len(every.sites), 'bus', 'buses')} ranked under all of {names}"
    return html.Details(
        [
            html.Summary(f"Over all envelopes: {parts}; {number(len(every.partial))} under some"),
            small_table("robust", "Scores over all envelopes", ["Site", "Least score", "Expected score", "Apart"], rows,
                        text=(0, 3), file="robust-scores", tall=True, why=why),
        ]
    )  # fmt: skip
