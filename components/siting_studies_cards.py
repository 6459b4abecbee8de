"""One card for each table of the studies: the formula of its numbers, with those of its first row in it."""

from collections.abc import Sequence

from components.format import count, number, percent, price, signed
from components.siting_basis import days_words
from components.siting_site import SOURCE, SOURCE_RANKING, SiteStudy, share_words, verdict_words
from components.skeleton import Part
from components.why_card import why_card
from engine.siting.firmness import LeaveOneOut
from engine.siting.sheet import GateSheet
from engine.siting.shortlist import POOLED, Ranked
from engine.siting.stability import Robust
from engine.siting.studies import DEARER, Count

_COUNTED = "|*Q*_e| = |{*b* : *r*_{b,e} ≥ *τ*}|,  *r*_{b,e} = Σ_t *w*_t Σ_c *I*_{btc} / |*C*|"
_OVER = "least = min_e *C*_{b,e},  expected = Σ_e *C*_{b,e} / |*E*|"


def naive(study: SiteStudy, sheet: GateSheet, mean_lmp: float) -> Part:
    """Return why a site has its mean price and its pass rate."""
    return why_card(
        f"{study.words(sheet.bus)}: {price(mean_lmp, digits=3)}, passes {share_words(sheet.low, sheet.high)}",
        formula="λ̄_b = Σ_d *w*_d λ_{bd} / Σ_d *w*_d,  *r*_b = Σ_t *w*_t Σ_c *I*_{btc} / |*C*|",
        values=[
            ("λ", "price at the bus without the load, mean of the hours of a day"),
            ("hours and outages *C*", f"{number(len(sheet.hours))} and {number(sheet.outages)}"),
            ("threshold *τ*", percent(study.threshold)),
            ("gate", verdict_words(sheet.verdict)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE,
        note="" if study.market is None else days_words(study.market),
    )


def threshold(study: SiteStudy, value: float, name: str, found: Count) -> Part:
    """Return why so many candidates qualify at a threshold."""
    return why_card(
        f"{percent(value)}, {name}: {_amount(found)}",
        formula=_COUNTED,
        values=[
            ("threshold *τ* of this row", percent(value)),
            ("candidates *b*", number(len(study.gate.buses))),
            ("size", f"{number(study.size_mw)} MW"),
        ],
        inputs=study.inputs(),
        source=SOURCE,
        note="Open: the threshold lies between the bounds of the pass rate. A bar is the share of the largest count.",
    )


def depth(study: SiteStudy, kind: str, value: float, found: Count, score: float | None) -> Part:
    """Return why so many candidates qualify at a depth, and what their median score is."""
    scored = [] if score is None else [("median score *C* of those priced", number(score, 3))]
    return why_card(
        f"{kind} {percent(value)}: {_amount(found)}",
        formula=f"{_COUNTED},  *C*_b = *S*^{{−}} / (*S*^{{+}} + *S*^{{−}})",
        values=[
            ("depth *α*", percent(value)),
            ("candidates *b*", number(len(study.gate.buses))),
            ("size", f"{number(study.size_mw)} MW"),
            ("threshold *τ*", percent(study.threshold)),
            *scored,
        ],
        inputs=study.inputs(market=score is not None),
        source=SOURCE_RANKING,
        note="A depth is gated as an envelope of its own. "
        + ("All depths share one scaling." if study.by.scaling == POOLED else "Each depth is scaled by itself."),
    )


def dearer(study: SiteStudy, bus: int, before: int, after: int) -> Part:
    """Return what the places of a site are, before and with dearer units."""
    return why_card(
        f"{study.words(bus)}: place {number(before)}, then {number(after)}",
        formula="*C*_b = *S*^{−} / (*S*^{+} + *S*^{−}), first by *C*;  *c*′_g = *k* *c*_g",
        values=[
            ("marginal costs times *k*", number(DEARER, 2)),
            ("what stays", "start-up and no-load costs, the gate and its sites"),
            ("under", f"{study.envelope}, {number(study.size_mw)} MW"),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note="Every day is committed and priced again with the dearer units, with each site and without one.",
    )


def double(
    study: SiteStudy, name: str, sizes: tuple[float, float], pair: tuple[Count, Count], firm: tuple[Count, Count] | None
) -> Part:
    """Return why so many qualify at two sizes, how many more than firm and how many stay."""
    values = [(f"|*Q*| at {number(mw)} MW", _amount(one)) for mw, one in zip(sizes, pair, strict=True)]
    if firm is not None:
        for mw, one, other in zip(sizes, pair, firm, strict=True):
            if other.qualified:
                more = signed(100.0 * (one.qualified / other.qualified - 1.0), 0)
                ratio = f"{number(one.qualified)} / {number(other.qualified)} − 1 = {more} %"
                values.append((f"more than firm at {number(mw)} MW", ratio))
    if pair[0].qualified:
        kept = percent(pair[1].qualified / pair[0].qualified, 0)
        values.append(("kept", f"{number(pair[1].qualified)} / {number(pair[0].qualified)} = {kept}"))
    return why_card(
        f"{name}: {_amount(pair[0])}, then {_amount(pair[1])}",
        formula="|*Q*_e(*P*)| = |{*b* : *r*_{b,e}(*P*) ≥ *τ*}|,  kept = |*Q*_e(2*P*)| / |*Q*_e(*P*)|",
        values=[*values, ("threshold *τ*", percent(study.threshold))],
        inputs=study.inputs(),
        source=SOURCE,
        note="More load can relieve an outage: a site may qualify at the larger size alone.",
    )


def reversals(study: SiteStudy, left: LeaveOneOut) -> Part:
    """Return in how many rankings without another site two of the shortlist change their order."""
    return why_card(
        f"{number(left.reversals)} of {count(left.runs, 'run')} reverse two places",
        formula="|{*i* : some *a*, *b* ∈ *K* ∩ *K*_{−i} stand in the other order in *K*_{−i}}|",
        values=[
            ("*K*", f"the shortlist, {count(len(left.rows), 'place')}"),
            ("*K*_{−i}", "the shortlist of the ranking without alternative i"),
            ("runs: alternatives left out, one by one", number(left.runs)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note="Scaling and entropy weights depend on the set of alternatives. Leaving one out is ours.",
    )


def firm_row(  # noqa: PLR0917 (the figures of a row)
    study: SiteStudy, site: str, left: LeaveOneOut, share: float, least: float | None, expected: float | None
) -> Part:
    """Return what a place's columns are: in how many runs it stays, and its scores over all envelopes."""
    runs = left.runs
    return why_card(
        f"{site}: stays in {percent(share, 1)} of {count(runs, 'run')}",
        formula=f"stays in = |{{*i* ≠ *b* : *b* ∈ *K*_{{−i}}}}| / *n*,  {_OVER}",
        values=[
            ("runs *n* without another alternative *i*", number(runs)),
            ("of these it stays in", number(None if share != share else round(share * runs))),  # noqa: PLR0124 (nan)
            ("least score", number(least, 3)),
            ("expected score", number(expected, 3)),
            ("envelopes *E*", ", ".join(one.name for one in study.gate.envelopes)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note="Scores over all envelopes are of a bus that is ranked under every one, each as likely.",
    )


def over_envelopes(study: SiteStudy, order: Ranked, every: Robust, first: int) -> Part:
    """Return why a bus has its least and expected score; ``first`` is its place among the sites of ``every``."""
    bus = every.sites[first]
    scores: Sequence[tuple[str, str]] = [
        (f"*C* under {site.placement.envelope.name}", number(score, 3))
        for site, score in zip(order.sites, order.score.tolist(), strict=True)
        if site.placement is not None and (site.placement.bus, site.placement.nameplate_mw) == (bus, study.size_mw)
    ]
    least, expected = float(every.least[first]), float(every.expected[first])
    return why_card(
        f"{study.words(bus)}: least {number(least, 3)}, expected {number(expected, 3)}",
        formula=_OVER,
        values=[*scores, ("chance of each envelope", percent(1.0 / max(1, len(study.gate.envelopes))))],
        inputs=study.inputs(market=True),
        source=f"{SOURCE_RANKING}; aggregates: its section 5",
        note="A bus that is not ranked under some envelope has neither.",
    )


def _amount(found: Count) -> str:
    return number(found.qualified) + (f" (+{number(found.undecided)} open)" if found.undecided else "")
