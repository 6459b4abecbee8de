"""One card for each table of the Siting page: the formula of its numbers, with those of one of its rows in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.format import count, megawatts, number, percent, power, sentence, signed
from components.siting_answer import Answer
from components.siting_basis import amount, days_words
from components.siting_largest import TITLE, ladder_words, origin_words
from components.siting_site import SOURCE, SOURCE_RANKING, SiteStudy, share_words, verdict_words
from components.siting_totals import inputs_of
from components.skeleton import Part
from components.why_card import WhyInput, why_card
from engine.siting.agreement import Agreement
from engine.siting.audit import Audit
from engine.siting.corridors import Substation
from engine.siting.market_run import MarketRun
from engine.siting.sheet import FailingOutage, GateSheet, HourShare, ScoreReasons
from engine.siting.staging import StageVerdict

SOURCE_ENVELOPES = "arXiv 2605.14714, equations (1) to (3), less on-site resources"
SOURCE_CLEARING = "arXiv 2605.14714, clearing by score"
_QUALIFY = "*Q*_e = {*b* : *r*_{b,e} ≥ *τ*}"
_FAILS = "*I*_{btc} = 0: no dispatch keeps every limit"


def zones(answer: Answer, counts: Mapping[str, tuple[int, int]]) -> Part:
    """Return why zones have their counts: under the envelope drawn so many qualify, of so many candidates.

    The length of a bar is the share of the zone's candidates that qualify.
    """
    zone = max(counts, key=lambda one: counts[one])
    found, every = counts[zone]
    shares = [
        (name, f"{number(some)} of {number(of)}, bar {percent(some / of)}") for name, (some, of) in counts.items() if of
    ]
    return why_card(
        f"{zone}: {number(found)} of {count(every, 'candidate')} qualify under {answer.drawn.envelope}",
        formula=f"|{{*b* ∈ *Q*_e : zone(*b*) = *z*}}|,  {_QUALIFY}",
        values=[*_asked(answer), *shares, ("median score", "of the ranked sites of the zone, 0 to 1")],
        inputs=inputs_of(answer, market=True),
        source=SOURCE,
        note="A zone of a bus is that of the network's file.",
    )


def sizes(answer: Answer, title: str = "") -> Part:
    """Return why so many sites qualify at the size drawn, and how the counts at the other sizes are known.

    ``title`` is the number that asks, by default that count.
    """
    name, other, size_mw = answer.drawn.envelope, answer.envelopes[0], answer.drawn.size_mw
    found, first = len(answer.qualified(name)), len(answer.qualified(other))
    values = [
        ("threshold *τ*", percent(answer.drawn.threshold)),
        (f"|*Q*| of {name} at {power(size_mw)}", number(found)),
    ]
    if name != other and first:
        values.append((f"against {other}", f"{number(found)} / {number(first)} − 1 = {percent(found / first - 1, 1)}"))
    note = (
        "Loads that pass between two that pass are proved by convexity of what the dispatch can serve; so is what "
        "cannot pass. What neither proves is open: then the count at least is lower than that at most."
    )
    if answer.ladder is not None:
        values.append(("sizes *P* decided", ladder_words(answer.ladder)))
        note = (
            f"The sizes between those screened are from the study {TITLE}: each is decided by dispatches that pass and "
            f"multipliers that prove a failure. {origin_words(answer.ladder.told)}"
        )
    return why_card(
        title or f"{number(found)} sites qualify under {name} at {power(size_mw)}",
        formula="|*Q*_e(*P*)| = |{*b* : *r*_{b,e}(*P*) ≥ *τ*}|",
        values=values,
        inputs=inputs_of(answer),
        source=SOURCE,
        note=note,
    )


def hours(answer: Answer, label: str, weight: float, share: float) -> Part:
    """Return why an hour counts what it does, and what passes in it."""
    result = answer.gate.result
    return why_card(
        f"{label}: {percent(share, 1)} of candidates and outages pass",
        formula="(1 / |*B*|) Σ_b (1 / |*C*|) Σ_c *I*_{btc}",
        values=[
            ("candidates |*B*|", number(len(answer.gate.buses))),
            ("outages |*C*|", number(len(result.ids))),
            ("weight *w*_t", f"{percent(weight, 1)} of the pass rate"),
        ],
        inputs=inputs_of(answer),
        source=SOURCE,
        note="Weights add up to 100 %. That of an hour which stands for others is their share of all hours.",
    )


def site_hours(study: SiteStudy, sheet: GateSheet, worst: HourShare) -> Part:
    """Return why an hour of a site passes as it does."""
    return why_card(
        f"{study.gate.labels[worst.hour]}: {percent(worst.passed, 1)} of the outages pass",
        formula=f"*r*_{{bt}} = (1 / |*C*|) Σ_c *I*_{{btc}},  {_FAILS}",
        values=[
            ("load", megawatts(worst.load_mw)),
            ("outages |*C*|", number(sheet.outages)),
            ("fail", number(worst.outages)),
            ("of these, without the load too", number(worst.without_load)),
            ("threshold *τ*", percent(study.threshold)),
        ],
        inputs=study.inputs(),
        source=SOURCE,
        note="The threshold is for the mean over the hours by their weights: a single hour may lie below it.",
    )


def site_outages(study: SiteStudy, sheet: GateSheet, worst: FailingOutage) -> Part:
    """Return why an outage has its share."""
    return why_card(
        f"{study.run.contingencies.words(worst.contingency)}: {percent(worst.weight, 1)}",
        formula=f"Σ_t *w*_t (1 − *I*_{{btc}}),  {_FAILS}",
        values=[
            ("hours in which it fails", f"{number(worst.hours)} of {number(len(sheet.hours))}"),
            ("of these, without the load too", number(worst.without_load)),
        ],
        inputs=study.inputs(),
        source=SOURCE,
        note="Pressed, an outage shows the cut that proves it: the limits that no dispatch keeps together.",
    )


def price_changes(market: MarketRun, what: str, change: float, inputs: Sequence[WhyInput]) -> Part:
    """Return why a price changes as it does; ``what`` is the bus in words."""
    return why_card(
        f"{what}: {signed(change, 3)} $/MWh",
        formula="Δλ_b = Σ_d *w*_d (1/24) Σ_h (λ^{site}_{bdh} − λ_{bdh}) / Σ_d *w*_d",
        values=[
            ("λ", "price at a bus: the multiplier of its balance"),
            ("days *d*", number(len(market.facts["days"]))),
            ("noise floor of the mean over all buses", amount(market, "all", "mean_lmp")),
        ],
        inputs=inputs,
        source="arXiv 2605.14714, stage 2: commitment, then dispatch with the schedule fixed, which gives the prices",
        note=f"{days_words(market)} The floor is of the mean over all buses and hours: chance alone can move the price "
        "of one bus by more.",
    )


def costs(study: SiteStudy, reasons: ScoreReasons) -> Part:
    """Return what a criterion takes from a score."""
    first = reasons.costs[0]
    return why_card(
        f"Lost by the first criterion: {number(first.lost, 3)}",
        formula="lost = *w*_k (1 − *R*_{ik}),  *R*_{ik} = (max *x*_k − *x*_{ik}) / (max *x*_k − min *x*_k)",
        values=[
            ("*x* here", number(first.value, 3)),
            ("best", number(first.best, 3)),
            ("worst", number(first.worst, 3)),
            ("weight *w*, from the entropy of its column", percent(first.weight, 0)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note="Gain, if best: the score with this criterion at its best and all else as it is, less the score.",
    )


def moves(answer: Answer, one: str, other: str) -> Part:
    """Return why a site enters or leaves."""
    return why_card(
        f"From {one} to {other}",
        formula=f"enters: *b* ∈ *Q*_b \\ *Q*_a,  leaves: *b* ∈ *Q*_a \\ *Q*_b,  {_QUALIFY}",
        values=[*_asked(answer), ("place", "among the sites that the market serves under that envelope")],
        inputs=inputs_of(answer, market=True),
        source=SOURCE,
        note="The sheet of a site names the hours and outages that its pass rate counts.",
    )


def catalogue(study: SiteStudy) -> Part:
    """Return what the columns of the catalogue are."""
    return why_card(
        f"Each candidate under {study.envelope} at {megawatts(study.size_mw)}",
        formula="*r*_b = Σ_t *w*_t Σ_c *I*_{btc} / |*C*|,  *C*_b = *S*^{−} / (*S*^{+} + *S*^{−})",
        values=[
            ("Pass rate *r*", "the share of hours and outages that certainly pass"),
            ("At most", "with all that is open counted as passing"),
            ("Place, score *C*", "among the sites that the market serves, by TOPSIS"),
            ("Largest size that passes", f"of {', '.join(number(mw) for mw in study.gate.sizes_mw)} MW"),
            ("threshold *τ*", percent(study.threshold)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
        note="" if study.market is None else days_words(study.market),
    )


def changes(study: SiteStudy) -> Part:
    """Return what stands in the table of changes between two versions."""
    return why_card(
        "One version beside the version before",
        formula="entered = *S*′ \\ *S*,  left = *S* \\ *S*′,  ρ = corr(rank *C*, rank *C*′)",
        values=[
            ("*S*, *S*′", "the sites that qualify before and now; apart, those that the market serves"),
            ("ρ", "over the sites ranked in both"),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
    )


def substations(study: SiteStudy, first: Substation, name: str) -> Part:
    """Return why a substation has its headroom under an envelope."""
    return why_card(
        f"{first.name}: {megawatts(first.largest_mw[name])} under {name}",
        formula="max_{b in s} max {*P* asked : *r*_{b,e}(*P*) ≥ *τ*}",
        values=[
            ("sizes asked", f"{', '.join(number(mw) for mw in study.gate.sizes_mw)} MW"),
            ("its buses *b*", ", ".join(first.buses[:6])),
            ("threshold *τ*", percent(study.threshold)),
        ],
        inputs=study.inputs(),
        source=SOURCE,
        note="One load alone: two sites that pass one by one need not pass together.",
    )


def awards(study: SiteStudy, found: Mapping[str, Any], site: str) -> Part:
    """Return what an award's numbers are; ``site`` is the bus of the first in words."""
    first = found["awards"][0]
    passes = first["pass_rate"]
    return why_card(
        f"{first['applicant']} at {site}: {megawatts(float(first['mw']))}",
        formula="*r* = 1 − Σ_t *w*_t |{*c* : all loads placed so far fail}| / |*C*| ≥ *τ*",
        values=[
            ("score *C* of the site", number(float(first["score"]), 3)),
            ("passes together", percent(passes, 2) if passes is not None else "told for all awards together"),
            ("threshold *τ*", percent(1.0 - float(found["allowed_share"]))),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_CLEARING,
        note="The score is that of the ranking; the check is the gate with all loads at once.",
    )


def net_load(study: SiteStudy, hour: str, gross_mw: float, net_mw: float) -> Part:
    """Return why the grid serves what it serves in an hour; ``hour`` is that of the largest net load."""
    series = study.gate.onsite_mw is not None
    when = f"in {hour}" if series else f"in hour {hour} of the day"
    words = "the question's MW, and the file's column onsite_mw in this very hour" if series else "the question's MW"
    return why_card(
        f"{megawatts(net_mw)} net {when}, the most",
        formula="*n*_t = max(0, *s*_t *P* − *o*_t)",
        values=[
            ("nameplate *P*", power(study.size_mw)),
            ("gross *s*_t *P*", megawatts(gross_mw)),
            ("made and used on site", megawatts(gross_mw - net_mw)),
            ("*o*_t", words),
        ],
        inputs=study.inputs(),
        source=SOURCE_ENVELOPES,
        note="The gate and the market see *n*. What is left over is not sent to the grid.",
    )


def stages(study: SiteStudy, first: StageVerdict) -> Part:
    """Return why the gate lets a stage of energisation through or not."""
    return why_card(
        f"From {first.start}, at most {megawatts(first.mw)}: {share_words(first.low, first.high)}",
        formula="*r*_b(min(*P*, cap_s)) ≥ *τ*",
        values=[
            ("nameplate *P*", power(study.size_mw)),
            ("threshold *τ*", percent(study.threshold)),
            ("gate", verdict_words(first.verdict)),
        ],
        inputs=study.inputs(),
        source=SOURCE,
        note="A stage is screened as a load of its own size, in the same hours and on the same network at every date.",
    )


def year_bounds(
    study: SiteStudy, candidate: str, least: float, most: float, *, hours: int, inputs: Sequence[WhyInput]
) -> Part:
    """Return why a candidate's pass rate over all hours of the source lies between two bounds."""
    return why_card(
        f"{candidate}: {share_words(least, most, 2)} over {count(hours, 'hour')}",
        formula="Σ_g *w*_g *p*_{gb} ≤ *r*_{b,e} ≤ 1 − Σ_g *w*_g *f*_{gb}",
        values=[
            ("*w*_g", "share of the hours that are in group *g*"),
            ("*p*_{gb}, *f*_{gb}", "shares of the outages that certainly pass, and fail, in every hour of it"),
            ("threshold *τ*", percent(study.threshold)),
        ],
        inputs=inputs,
        source=SOURCE,
        note="At *τ* or above the least bound qualifies; with the most below *τ* it cannot; between them it is open.",
    )


def refusals(study: SiteStudy, found: Mapping[str, Any]) -> Part:
    """Return how the pairs of an applicant and a site that were refused were tried."""
    first = found["refusals"][0]
    return why_card(
        f"{first['applicant']} at bus {first['bus']} under {first['envelope']}",
        formula="refused: a published rule breaks, or Σ_t *w*_t |{*c* : the loads together fail}| / |*C*| > 1 − *τ*",
        values=[
            ("pairs refused", number(len(found["refusals"]))),
            ("share of hours and outages that may fail", percent(float(found["allowed_share"]))),
        ],
        binds=[sentence(first["reason"])],
        inputs=study.inputs(market=True),
        source=SOURCE_CLEARING,
        note="Pairs are tried in the published order; each with all loads that were placed before it.",
    )


def left_without(study: SiteStudy, found: Mapping[str, Any], name: str) -> Part:
    """Return why an applicant is left without a site."""
    return why_card(
        f"{name}: none",
        formula="its site of the best score, tried beside all awards",
        values=[
            ("applicants left without", number(len(found["unplaced"]))),
            ("share of hours and outages that may fail", percent(float(found["allowed_share"]))),
        ],
        binds=[sentence(found["why"][name])],
        inputs=study.inputs(market=True),
        source=SOURCE_CLEARING,
    )


def base_infeasible(answer: Answer, outage: str, share: float, hours_failed: int) -> Part:
    """Return why an outage fails before any load is added, the first of them in words."""
    result = answer.gate.result
    return why_card(
        f"{outage}: {count(hours_failed, 'hour')} without any load",
        formula="*I*_{0,t,c} = 0: no dispatch keeps every limit, with *d* = 0",
        values=[
            ("hours screened", number(answer.gate.hours_done)),
            ("outages |*C*|", number(len(result.ids))),
            ("of all hours and outages, by weight", percent(share, 3)),
        ],
        inputs=inputs_of(answer),
        source=SOURCE,
        note="They count against every candidate, but for one whose load relieves the outage.",
    )


def islanding(answer: Answer, first: str) -> Part:
    """Return why outages are no contingencies; ``first`` is one in words."""
    result = answer.gate.result
    return why_card(
        sentence(first),
        formula="|*C*| = outages − those that split the network",
        values=[
            ("outages that are screened |*C*|", number(len(result.ids))),
            ("left out", number(len(result.islanding))),
        ],
        inputs=inputs_of(answer),
        source="Wood, Wollenberg, Sheblé, Power Generation, Operation, and Control, 3rd ed., chapter 7",
        note="After such a loss some buses have no path to the others, and the LODF of the branch has no value.",
    )


def caps(agreement: Agreement) -> Part:
    """Return why the cap of an hour is what it is."""
    mw, tolerance = float(agreement.cap_mw[0]), float(agreement.tolerance()[0])
    return why_card(
        f"Hour 1: {megawatts(mw)}",
        formula="cap_h = max(0, *s*_h *P* − *o*_h),  violated above cap_h + max(*m*, *q* cap_h)",
        values=[
            ("share *s*_1", percent(agreement.envelope.share[0], 1)),
            ("nameplate *P*", megawatts(agreement.nameplate_mw)),
            ("made on site *o*_1", megawatts(agreement.nameplate_mw * agreement.envelope.share[0] - mw)),
            ("tolerance *m*", megawatts(agreement.tolerance_mw)),
            ("tolerance *q*", percent(agreement.tolerance_share, 1)),
            ("violated above", megawatts(mw + tolerance)),
        ],
        source=SOURCE_ENVELOPES,
        note="Tolerances are terms of this draft, for the parties to change.",
    )


def audited(found: Audit) -> Part:
    """Return how a day of a meter is judged: the first with a violation, else the first."""
    terms = found.agreement
    day = next((one for one in found.days if one.violations), found.days[0])
    return why_card(
        f"{day.day}: {count(len(day.violations), 'violation')}",
        formula="metered > cap_h + tol_h,  |*m*_h − *m*_{h−1}| > ramp + tol_h,  Σ_h *m*_h outside its band",
        values=[
            ("samples of the day", f"{percent(day.coverage, 1)}, {percent(terms.least_coverage)} are needed"),
            ("ramp bound", f"{number(terms.ramp_mw_per_h, 1)} MW/h"),
            ("energy of the envelope", f"{number(terms.envelope.energy_mwh(terms.nameplate_mw))} MWh a day"),
            ("band of the energy", percent(terms.energy_band, 1)),
            ("response after a cap falls", f"{terms.response_min} min"),
        ],
        source="the terms that the meter is held against",
        note="A day with too few samples is not judged. The ladder counts days with a violation, of the last thirty.",
    )


def _asked(answer: Answer) -> list[tuple[str, str]]:
    return [("size", power(answer.drawn.size_mw)), ("threshold *τ*", percent(answer.drawn.threshold))]
