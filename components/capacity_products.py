"""The products tray: what would be published, how it is cut, and the versions that were."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dash import dcc, html

from components import capacity_ids
from components.capacity_answer import Answer, pressed_button
from components.format import count, megawatts, moment, number, percent
from components.skeleton import Part, facts, state


def tray(answer: Answer | None, *, can_publish: bool) -> html.Div:
    """Return the tray at the right edge of the totals: "18 products, 2,310 MW" and the button that publishes them."""
    if answer is None or answer.products is None:
        return html.Div(html.Span("No products yet", className="hr-muted"), className="hr-capacity-tray")
    made = answer.products.products
    words = publish_words(len(made))
    face: list[Part] = [
        html.Div(
            [
                html.Strong(count(len(made), "product")),
                html.Span(f", {megawatts(answer.products.total_mw())}"),
                html.Div(_lost(answer), className="hr-total-note"),
            ]
        )
    ]
    if can_publish:
        face.append(pressed_button(words, capacity_ids.PUBLISH, primary=True, disabled=not made))
    face.append(html.Span(id=capacity_ids.AUCTION))
    return html.Div(face, className="hr-capacity-tray")


def publish_words(amount: int) -> str:
    """Return the words of the publish button."""
    return f"Publish {count(amount, 'product')}"


def auction_link(records: Sequence[Any], drawn: Mapping[str, Any], study: str) -> Part:
    """Return the way from the products that are drawn to their auction, once a version of them is published."""
    fitting = [record for record in records if drawn and not stale_words(record, drawn)]
    if not fitting:
        return None
    newest = max(fitting, key=lambda record: int(record.version))
    return dcc.Link(
        f"Auction version {newest.version}",
        href=f"/auction?make=set:{newest.version}&study={study}",
        className="hr-button",
    )


def panel(answer: Answer | None) -> Part:
    """Return what stands above the table of products: sizes, rounding, the witness."""
    if answer is None:
        return state("empty", "Products are cut from an answer: compute one first.")
    if answer.products is None:
        return state("infeasible", "There are no products: limits are exceeded before anything is added.")
    products, question = answer.products, answer.question
    witness = products.witness
    tight = min((row.slack_mw for row in witness.rows), default=None)
    rows: list[tuple[Part, Part]] = [
        ("Firm", megawatts(products.total_mw("firm"))),
        ("Flexible", megawatts(products.total_mw("flexible"))),
        ("Blocks", megawatts(question.block_mw) if question.block_mw else "one per product"),
        ("Rounded down to", f"{question.round_mw:g} MW"),
        ("Lost to rounding", f"{number(products.lost_to_rounding_mw, 2)} MW"),
        ("Limits checked", number(witness.rows_checked) if witness.rows_checked else "none yet: when published"),
        *([] if not witness.rows_checked else [("Tightest room left", _room(tight))]),
        ("Parts", _parts(answer)),
    ]
    return facts(rows)


def _room(tight_mw: float | None) -> str:
    return "none is met" if tight_mw is None else f"{number(tight_mw, 3)} MW"


def _parts(answer: Answer) -> str:
    """Return what holds of a part of the set, sold without the rest; the answer says where that is not proven."""
    if answer.products is None or not answer.products.witness.downward_closed:
        return "all or nothing"
    if any("not proven" in line for line in answer.result.notices):
        return "tried, not proven for each"
    return "each deliverable alone"


def versions(records: Sequence[Any], drawn: Mapping[str, Any], study: str = "") -> Part:
    """Return the published versions, newest first, each with its downloads. Records are the store's.

    ``drawn`` has the digests of the question and the network that are on the page: a version of others is stale.
    ``study`` is whose they are: each can be sold in an auction.
    """
    if not records:
        return html.P("Nothing is published yet.", className="hr-muted")
    lines = [_version(record, drawn, study) for record in sorted(records, key=lambda record: -record.version)]
    return html.Ul(lines, className="hr-capacity-versions")


def stale_words(record: Any, drawn: Mapping[str, Any]) -> str:
    """Return what has changed since a version was published, "" for nothing or while nothing is drawn."""
    origin = record.product_set["provenance"]
    named = (("network", "network_digest", "the network"), ("digest", "question_digest", "the question"))
    changed = [words for key, name, words in named if key in drawn and drawn[key] != origin[name]]
    return f"stale: {' and '.join(changed)} changed since" if changed else ""


def _version(record: Any, drawn: Mapping[str, Any], study: str) -> html.Li:
    listed = record.product_set["products"]
    total = sum(product["capacity_mw"] for product in listed)
    levels = sorted({product["risk"] for product in listed if product["risk"] > 0})
    risk = f", at most {', '.join(percent(level) for level in levels)}" if levels else ", firm only"
    words = f"Version {record.version}: {count(len(listed), 'product')}, {megawatts(total)}{risk}"
    loads: list[Part] = [
        html.Button(
            kind.upper(),
            id=capacity_ids.version(record.version, kind),
            type="button",
            className="hr-button hr-button-quiet",
            **{"aria-label": f"Download version {record.version} as {kind.upper()}"},
        )
        for kind in ("json", "csv")
    ]
    if study:
        face = ["Auction", html.Span(f" of version {record.version}", className="visually-hidden")]
        sell = dcc.Link(face, href=f"/auction?make=set:{record.version}&study={study}",
                        className="hr-button hr-button-quiet")  # fmt: skip
        loads.append(sell)
    published = moment_of(record.created)
    stale = stale_words(record, drawn)
    about = html.Div(f"{published}; {stale}" if stale else published, className="hr-total-note")
    return html.Li(
        [html.Div([html.Span(words), about]), html.Span(loads)], className="hr-capacity-version-stale" if stale else ""
    )


def moment_of(created: float) -> str:
    """Return a time of the store, seconds since 1970, as text."""
    return moment(datetime.fromtimestamp(created, UTC))


def _lost(answer: Answer) -> str:
    products = answer.products
    if products is None:
        return ""
    lost = products.lost_to_rounding_mw
    return f"{number(lost, 2)} MW lost to rounding down" if lost >= 0.005 else "sizes rounded down"
