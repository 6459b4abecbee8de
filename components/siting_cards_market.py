"""Cards of what the Siting page says of the market in sentences: counts, gaps, what is open, shortlists compared."""

from components.format import count, number, percent, signed
from components.siting_answer import Answer
from components.siting_basis import amount, days_words, with_a_site
from components.siting_site import SOURCE_MARKET, SOURCE_RANKING
from components.siting_totals import inputs_of
from components.skeleton import Part
from components.why_card import why_card
from engine.siting.market_run import MarketRun
from engine.siting.metrics import METRIC_UNITS, METRIC_WORDS, WINDOW_WORDS, Metric, Spread, Window

Sides = tuple[str, str]  # names of two envelopes


def shared_shortlist(answer: Answer, sides: Sides, listed: tuple[tuple[int, ...], tuple[int, ...]], share: str) -> Part:
    """Return why two shortlists share what they do; ``listed`` are their buses."""
    both = len(set(listed[0]) & set(listed[1]))
    return why_card(
        f"The shortlists of {sides[0]} and {sides[1]} share {share}",
        formula="|*S*_a ∩ *S*_b| / max(|*S*_a|, |*S*_b|)",
        values=[
            ("|*S*_a|, |*S*_b|", f"{number(len(listed[0]))}, {number(len(listed[1]))}"),
            ("|*S*_a ∩ *S*_b|", number(both)),
        ],
        inputs=inputs_of(answer, market=True),
        source=SOURCE_RANKING,
        note="" if answer.market is None else days_words(answer.market),
    )


def served_under_both(answer: Answer, sides: Sides, counts: tuple[int, int, int]) -> Part:
    """Return why so many sites are served under two envelopes; ``counts`` are of the first, the second, and both."""
    return why_card(
        f"{count(counts[2], 'site')} served under {sides[0]} and under {sides[1]}",
        formula="|*M*_a ∩ *M*_b|,  *M*_e = the sites with a schedule on every day",
        values=[(f"ranked under {name}", number(amount_)) for name, amount_ in zip(sides, counts, strict=False)],
        inputs=inputs_of(answer, market=True),
        source=SOURCE_MARKET,
        note="Only sites that were sent to the market under both can be among them.",
    )


def scores_together(answer: Answer, sides: Sides, sites: int, rho: str) -> Part:
    """Return why the scores under two envelopes correlate as they do."""
    return why_card(
        f"Spearman {rho} over {count(sites, 'site')}",
        formula="ρ = corr(rank *C*_a, rank *C*_b)",
        values=[("*C*_a, *C*_b", f"scores under {sides[0]} and under {sides[1]}"), ("sites", number(sites))],
        inputs=inputs_of(answer, market=True),
        source=SOURCE_RANKING,
        note="1: the same order; 0: none in common; −1: the reverse.",
    )


def paired(answer: Answer, first: tuple[Window, Metric], change: Spread, counts: tuple[int, int]) -> Part:
    """Return why a paired change is what it is; ``counts`` rose and fell."""
    window, metric = first
    market = answer.market
    assert market is not None  # noqa: S101 (a paired change is one of two markets)
    unit = METRIC_UNITS[metric]
    return why_card(
        f"{WINDOW_WORDS[window]} {METRIC_WORDS[metric]}: {signed(change.median, 3)} {unit}",
        formula="Δ_b = *m*_b(to) − *m*_b(from),  median_b Δ_b,  Q3_b(Δ_b) − Q1_b(Δ_b)",
        values=[
            ("sites *b*, served under both", number(change.sites)),
            ("Δ_b above 0, below 0", f"{number(counts[0])}, {number(counts[1])}"),
            ("noise floor", amount(market, window, metric)),
        ],
        inputs=inputs_of(answer, market=True),
        source=SOURCE_MARKET,
        note=f"{days_words(market)} The same sites on both sides: medians of two sets would differ also by who is in "
        "them.",
    )


def market(answer: Answer, found: MarketRun) -> Part:
    """Return why so many sites are priced, and what their gaps are."""
    served = [site.gap for site in found.sites if site.served]
    most = found.question.most_sites
    values = [
        ("sent to the market", number(len(found.sites))),
        ("served on every day", number(len(served))),
        ("qualify and were left out", number(int(found.facts.get("left_out", 0)))),
        ("most sites of an envelope and size", number(most) if most else "every one"),
        ("gap asked of a site, of the days without", _pair(found.question.site_gap, found.question.base_gap)),
        ("gap found without a site", percent(found.base.gap, 3)),
    ]
    if served:
        values.append(
            ("gaps found of sites, least to widest", f"{percent(min(served), 3)} to {percent(max(served), 3)}")
        )
    return why_card(
        f"{number(len(served))} of {count(len(found.sites), 'site')} priced",
        formula="gap = (cost − bound) / cost,  the widest of a site's days",
        values=values,
        binds=[f"Taken in the order of {found.facts['order']}."] if found.facts.get("order") else [],
        inputs=inputs_of(answer, market=True),
        source=SOURCE_MARKET,
        note=days_words(found),
    )


def open_places(answer: Answer, found: MarketRun) -> Part:
    """Return what makes a place too close to call, or open by equal scores."""
    return why_card(
        f"{count(len(answer.open_places | answer.tied), 'place')} too close to call",
        formula="open: [*C*_i(*x* + *ε*), *C*_i(*x* − *ε*)] reaches over the border of the first *K* places",
        values=[
            ("*K*", number(answer.drawn.top)),
            ("*ε*, noise floor of the on-peak P95-P5", amount(found, "on_peak", "p95_p5")),
            ("sites that measured the noise with one", number(sum(site.moved is not None for site in found.sites))),
            ("open by the noise floor", number(len(answer.open_places))),
            ("of these with a gap above the days' own", number(len(answer.loose))),
            ("open by equal scores", number(len(answer.tied))),
            ("weights of the groups", ", ".join(f"{weight:g}" for weight in answer.drawn.weights)),
        ],
        inputs=inputs_of(answer, market=True),
        source=SOURCE_RANKING,
        note="Each site's own figures move by the noise floor, or by what they moved when it was solved again if that "
        "is more; the others stay. A floor that is not known moves a figure over all of its column. "
        f"{with_a_site(found)}",
    )


def _pair(one: float, other: float) -> str:
    return f"{percent(one, 3)}, {percent(other, 3)}"
