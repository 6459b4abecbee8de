"""The certificate of the end: conditions (7a) and (7b), bounds (9), the tables of the paper, what broke a premise."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components import auction_ids
from components.auction_debrief_money import places_of
from components.auction_debrief_parts import Cell, Column, Row, amount, bundle_words, money, numbered, table
from components.auction_debrief_paths import gaps
from components.format import count, number
from components.icons import icon
from components.skeleton import Part
from components.why_card import why_card, why_number
from engine.auction.debrief import Debrief

PAPER = "arXiv 2604.08854, section III and appendix VI-F"
SMALL = 64  # bundles up to which all have a row on the page
OPEN = 160  # bundles of all bidders up to which every table stands open
FEW = 12  # products held up to which bundles are told by their products, not by how they differ
TELLING = 24  # of more, those with the largest surplus
MOST_TABLES = 12  # bidders whose bundles have a table; of the others a line and a file
_BADGES = {
    "equilibrium": ("fine", "At these prices nobody would rather hold anything else: a competitive equilibrium"),
    "no equilibrium": ("binding", "The prices do not support the result: no competitive equilibrium"),
    "none": ("candidate", "No verdict"),
}


def certificate(debrief: Debrief) -> list[Part]:
    """Return the certificate. Without one, because the reader may not see it, say so and show his own table."""
    found = debrief.certificate
    if not found:
        said = "The rules of this auction keep assigned values private: bidders see their own table only."
        return [html.P(said), *tables(debrief)]
    sign, words = _BADGES[str(found["badge"])]
    when = "" if found["final"] else f", if the auction ended after round {number(found['round'])}"
    return [
        html.P([html.Strong(words), when], className=f"hr-debrief-badge hr-sign-{sign}"),
        html.Div(
            [
                html.Ul([html.Li(line) for line in found["words"]], className="hr-debrief-lines"),
                _conditions(debrief, found),
            ],
            className="hr-debrief-verdict",
        ),
        *gaps(debrief),
        html.H4("Each bidder's bundles at the final prices", className="hr-debrief-sub"),
        *tables(debrief),
        html.H4("What the theory supposes, and what broke it", className="hr-debrief-sub"),
        *premises(debrief),
    ]


def _conditions(debrief: Debrief, found: Mapping[str, Any]) -> html.Dl:
    """Return the conditions and bounds as numbers, each with its reason."""
    unit = debrief.currency
    rows: list[tuple[list[Part], Part]] = []
    best = "Everybody holds what is best for them"
    rows.append(([best], _whether("7a", best, found["condition_7a"])))
    free = "Unsold products have no price"
    rows.append(([free], _whether("7b", free, found["condition_7b"])))
    if found["loss"] is not None:
        most = "" if found["optimum_proven"] else "at most "
        rows += [
            (["Welfare lost against the optimum"], [most, _why("loss", found, unit)]),
            (["Most that the theory allows: an increment for each block"], _why("bound", found, unit)),
            (["The same for blocks that the optimum gives to others"], _why("tighter_bound", found, unit)),
        ]
    else:
        rows += [
            (["Welfare, from what bids reveal"], f"{money(found['welfare_at_least'], unit)} or more"),
            (["Below the optimum, if bids are straightforward"], _at_most(found["loss_at_most"], unit)),
        ]
    if found["dual_value"] is not None:
        rows.append((["Promised by the final prices, in all"], _why("dual_value", found, unit)))
    if found["gap"] is not None:
        rows.append((["More than the best possible welfare: the gap"], _why("gap", found, unit)))
    if found["linear_bound"] is not None:
        rows.append((["Least that any prices promise"], _why("linear_bound", found, unit)))
    if found["prices_exist"] is False:
        rows.append((["Linear prices that support an equilibrium"], "none exist"))
    elif found["prices_exist"]:
        rows.append((["Linear prices that support an equilibrium"], "exist"))
    lines = [html.Div([html.Dt(name), html.Dd(value)], className="hr-fact") for name, value in rows]
    return html.Dl(lines, className="hr-facts hr-debrief-facts")


_CONDITIONS: Mapping[str, tuple[str, str]] = {
    "7a": (
        "condition (7a): *X*_i maximises *v*_i(*S*) − ε |*S* without *X*_i| − *p*(*S*) over all *S*",
        "With the modified values (8): an increment more for each block that is not held.",
    ),
    "7b": ("condition (7b): *p*_l = 0 for every unsold *l*", "A reserve price counts as the seller's own value."),
}


def _whether(key: str, title: str, holds: bool | None) -> Part:
    if holds is None:
        return "not known without values"
    formula, note = _CONDITIONS[key]
    card = why_card(title, formula=formula, note=note, source=PAPER)
    said = why_number(f"debrief-why-{key}", "holds" if holds else "does not hold", card, label=title)
    return html.Span(said, className=f"hr-debrief-mark hr-sign-{'fine' if holds else 'binding'}")


_REASONS: Mapping[str, tuple[str, str, tuple[tuple[str, str], ...], str]] = {
    "bound": (
        "Bound (9)",
        "*W* ≥ max Σ *v*_i(*S*_i) − ε *m*",
        (("ε *m*, an increment for each block", "bound"), ("Best possible welfare", "optimum"), ("Welfare", "welfare")),
        "Holds in every equilibrium under the modified values: one increment per block, not one in all.",
    ),
    "loss": (
        "Welfare lost",
        "*W*^{*} − *W*",
        (("*W*^{*}, best possible welfare", "optimum_bound"), ("*W*, welfare", "welfare"), ("Lost", "loss")),
        "Where the optimum is not proven, its bound stands in its place: the loss is then at most this.",
    ),
    "tighter_bound": (
        "Sharper bound",
        "ε × blocks that the optimum gives to somebody else",
        (("Bound", "tighter_bound"), ("Lost", "loss")),
        "The same argument, counted for this outcome only.",
    ),
    "dual_value": (
        "L(p): what the prices promise",
        "*L*(*p*) = Σ_l *p*_l + Σ_i max_S [*v*_i(*S*) − *p*(*S*)]",
        (("*L*(*p*)", "dual_value"), ("Best possible welfare *W*^{*}", "optimum")),
        "Never below the best possible welfare; equal to it exactly if these prices support an equilibrium.",
    ),
    "gap": (
        "Gap of the prices",
        "gap = *L*(*p*) − *W*^{*}",
        (("*L*(*p*)", "dual_value"), ("*W*^{*}", "optimum"), ("Gap", "gap")),
        "By the bidders' own values. With an increment above zero the theory promises an equilibrium of values that "
        "are lower by one increment for each block not won; for those the gap is the modified one.",
    ),
    "linear_bound": (
        "Least L(p) of any prices",
        "min over *p* ≥ 0 of *L*(*p*)",
        (("Least *L*(*p*)", "linear_bound"), ("*W*^{*}", "optimum")),
        "Equal to the best possible welfare exactly if linear prices support an equilibrium.",
    ),
}  # fmt: skip


def _why(key: str, found: Mapping[str, Any], unit: str) -> Part:
    title, formula, values, note = _REASONS[key]
    shown = [(name, money(found[field], unit)) for name, field in values if found[field] is not None]
    card = why_card(title, formula=formula, values=shown, note=note, source=PAPER)
    return why_number(f"debrief-why-{key}", money(found[key], unit), card, label=title)


# Tables VI to IX


def tables(debrief: Debrief) -> list[Part]:
    """Return each bidder's bundles as the paper's tables, his own and the best marked; words where there are none."""
    if not debrief.tables:
        lots = len(debrief.lots)
        words = f"Nobody's values are known, or {count(lots, 'product')} make too many bundles to list."
        return [html.P(words, className="hr-muted")]
    places = places_of(debrief)
    key = html.P(
        [html.Span("★", className="hr-debrief-star"), " the largest surplus after the penalty; ",
         html.Span("shaded", className="hr-worked-won hr-debrief-inline"), " what the bidder won. The penalty is one "
         "increment for each block not won; products by their numbers."],
        className="hr-muted",
    )  # fmt: skip
    folded = [_bundles(debrief, one, places, listed=place < MOST_TABLES) for place, one in enumerate(debrief.tables)]
    return [key, html.Div(folded, className="hr-debrief-bundles")]


def rows_of(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one bidder's rows as the page shows them: bundle, value, penalty, price, surplus, held, best."""
    return [
        {
            "bundle": [list(pair) for pair in row["bundle"]],
            "value": row["value"],
            "penalty": row["penalty"],
            "price": row["price"],
            "modified_surplus": row["modified_surplus"],
            "held": bool(row["held"]),
            "best": bool(row["best"]),
        }
        for row in one["rows"]
    ]


def _bundles(debrief: Debrief, one: Mapping[str, Any], places: Mapping[str, int], *, listed: bool) -> Part:
    """Return one bidder's bundles as a table; where they are not listed, what it says in a line and its file."""
    every = rows_of(one)
    head, keep = [html.Strong(str(one["name"])), _verdict(every, debrief.currency)], _keep_all(one, len(every))
    if not listed:
        return html.Div([html.Span(head), keep], className="hr-debrief-bundle-line")
    shown = _bundle_table(debrief, one, places, keep)
    return html.Details(
        [html.Summary(head), shown],
        className="hr-worked-details",
        open=len(every) * len(debrief.tables) <= OPEN,
    )


def _verdict(every: Sequence[Mapping[str, Any]], unit: str) -> str:
    """Return in words whether the bidder holds a best bundle."""
    held = next((row for row in every if row["held"]), None)
    if held is None:
        return ""
    if held["best"]:
        return f": holds a best bundle, {money(held['modified_surplus'], unit)}"
    short = max(row["modified_surplus"] for row in every) - held["modified_surplus"]
    return f": would rather have another bundle, worth {money(short, unit)} more"


def _keep_all(one: Mapping[str, Any], rows: int) -> html.Button:
    words = html.Span(f" of the bundles of {one['name']}", className="visually-hidden")
    return html.Button(
        [icon("download", size=14), html.Span([f"CSV of all {number(rows)}", words])],
        id=auction_ids.debrief_bundles(int(one["bidder"])),
        type="button",
        className="hr-button hr-button-quiet",
    )


def _bundle_table(debrief: Debrief, one: Mapping[str, Any], places: Mapping[str, int], keep: Part) -> html.Div:
    unit, every = debrief.currency, rows_of(one)
    listed = telling(every)
    held = next((row for row in listed if row["held"]), None)
    own = dict(held["bundle"]) if held is not None else {}
    whole = bool(one.get("whole", True)) or len(own) <= FEW
    columns = [Column("Bundle, by No."), Column("Value", unit, number=True), Column("Penalty", unit, number=True),
               Column("Price", unit, number=True), Column("Surplus after penalty", unit, number=True)]  # fmt: skip
    rows = []
    for row in listed:
        words = bundle_words(row["bundle"], places) if whole else _against(row["bundle"], own, places)
        best = "★ " if row["best"] else ""
        mark = html.Span(", won", className="visually-hidden") if row["held"] else None
        rows.append(
            Row(
                [
                    Cell([words, mark], words),
                    *(numbered(row[name]) for name in ("value", "penalty", "price")),
                    Cell(f"{best}{amount(row['modified_surplus'])}", row["modified_surplus"]),
                ],
                ("hr-worked-won " if row["held"] else "") + ("hr-debrief-best" if row["best"] else ""),
            )
        )
    what = (
        "every bundle"
        if len(listed) == len(every) and one.get("whole", True)
        else "the bundles with the largest surplus"
    )
    label = f"{one['name']}: {what} at the final prices"
    key = f"bundles-{one['bidder']}"
    if len(listed) == len(every):
        return table(key, label, columns, rows, file=key)
    words = f"{number(len(listed))} of {number(len(every))} bundles: those with the largest surplus, and what was won."
    return table(key, label, columns, rows, keep=keep, note=words)


def _against(bundle: Sequence[Sequence[Any]], own: Mapping[str, int], places: Mapping[str, int]) -> str:
    """Return a bundle by how it differs from what the bidder holds, which has many products."""
    wanted = {str(lot): int(blocks) for lot, blocks in bundle}
    more = [[lot, wanted[lot] - own.get(lot, 0)] for lot in wanted if wanted[lot] > own.get(lot, 0)]
    less = [[lot, own[lot] - wanted.get(lot, 0)] for lot in own if own[lot] > wanted.get(lot, 0)]
    if not wanted:
        return "nothing"
    if not more and not less:
        return f"the {number(len(own))} products held"
    said = [f"{word} {bundle_words(part, places)}" for word, part in (("with", more), ("without", less)) if part]
    return f"what is held, {' and '.join(said)}"


def telling(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all rows where they are few; else those with the largest surplus, and what the bidder holds."""
    if len(rows) <= SMALL:
        return list(rows)
    ranked = sorted(range(len(rows)), key=lambda place: (-rows[place]["modified_surplus"], place))
    kept = {*ranked[:TELLING], *(place for place in ranked if rows[place]["held"])}
    return [rows[place] for place in ranked if place in kept]


# Premises


def premises(debrief: Debrief) -> list[Part]:
    """Return which event broke which premise, and when."""
    found = debrief.certificate["premises"]
    if not found:
        return [html.P("Nothing broke a premise: values are substitutes, bids straightforward, increments fixed.")]
    columns = [Column("Premise"), Column("What broke it"), Column("Round", number=True),
               Column("Entry of the ledger", number=True)]  # fmt: skip
    rows = [Row([one["premise"], one["words"], _or_none(one["round"]), _or_none(one["event"])]) for one in found]
    return [table("premises", "Which event broke which premise", columns, rows)]


def _or_none(value: int | None) -> Cell:
    return Cell("" if value is None else number(value), value)


def _at_most(loss: float | None, unit: str) -> str:
    return "nobody can tell" if loss is None else f"at most {money(loss, unit)}"
