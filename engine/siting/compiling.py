"""What the stages found, as one catalogue: every candidate under every envelope and size, where it stands and why."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.commitment.outcome import End
from engine.commitment.room import WORDS as ROOM
from engine.network.model import Matrix
from engine.siting.case import HOURS_OF_DAY
from engine.siting.catalogue import METRIC_COLUMNS, Catalogue, Entry, Standing
from engine.siting.contingencies import Contingencies
from engine.siting.criteria import OwnCriteria
from engine.siting.envelopes import Envelope
from engine.siting.firmness import MOST_LEFT_OUT, kept_shares, open_sites, over_envelopes
from engine.siting.gate.results import FAILED, PASSED, UNDECIDED, GateResult
from engine.siting.judging import judged_facts
from engine.siting.market import MarketBase, SiteMarket
from engine.siting.prepare import Prepared
from engine.siting.question import SitingQuestion
from engine.siting.shortlist import Ranked
from engine.siting.staging import energised_mw

_STRICT = {PASSED: "yes", FAILED: "no", UNDECIDED: "open"}
_TOO_MANY = f"not computed for more than {MOST_LEFT_OUT:,} alternatives"
_STAGE = {PASSED: "passes", FAILED: "fails", UNDECIDED: "open"}
Key = tuple[int, str, float]  # bus (position), envelope, nameplate


def compiled(  # noqa: PLR0913 (what each stage found, and by name what is known beside it)
    question: SitingQuestion,
    prepared: Prepared,
    contingencies: Contingencies,
    gate: GateResult,
    *,
    market: Mapping[str, Any] | None = None,
    sites: Sequence[SiteMarket] = (),
    ranked: Ranked | None = None,
    own: OwnCriteria | None = None,
    floor: Matrix | None = None,
    top: int | None = None,
    version: int = 0,
    made: str = "",
) -> Catalogue:
    """Return the catalogue, a row for each size asked for; a stage of energisation is told in its sites' rows.

    Sites that passed the gate and have no market run stand as "not in market", those that a reader's own criteria stop
    as "criteria failed". ``floor`` (3, 5) is the market's noise floor, ``top`` how many places make the shortlist, the
    question's if left out.
    """
    known = {_key(site): site for site in sites}
    place = {} if ranked is None else {_key(site): number for number, site in enumerate(ranked.sites)}
    first = question.shortlist if top is None else top
    scores = [] if ranked is None else scores_of(ranked, [one.name for one in gate.envelopes], floor, first)
    verdicts = {(one.name, size): gate.qualified(one.name, size) for one in gate.envelopes for size in gate.sizes_mw}
    entries = []
    for number_of, envelope in enumerate(gate.envelopes):
        largest = _largest(gate, envelope.name, verdicts)
        for size_of, size in enumerate(gate.sizes_mw):
            if size not in question.sizes_mw:
                continue
            stages, net = _stages(question, gate, envelope.name, size), _net(gate, envelope, size)
            low, high = gate.pass_rate(envelope.name, size)
            failures = _first_failures(gate, contingencies, number_of * len(gate.sizes_mw) + size_of)
            verdict = verdicts[envelope.name, size]
            strict, broken = gate.strict(envelope.name, size), gate.broken(envelope.name, size)
            for candidate, bus in enumerate(gate.buses.tolist()):
                key = (bus, envelope.name, size)
                site, number = known.get(key), place.get(key)
                entries.append(
                    Entry(
                        bus=prepared.case.network.buses.ids[bus],
                        envelope=envelope.name,
                        nameplate_mw=size,
                        standing=_standing(
                            int(verdict[candidate]), site, stopped=own is not None and not own.passes[bus]
                        ),
                        pass_rate=float(low[candidate]),
                        pass_rate_at_most=float(high[candidate]),
                        first_failure=failures[candidate],
                        largest_mw=largest[candidate],
                        metrics=tuple(site.metrics.ravel().tolist()) if site is not None and site.served else (),
                        gap=None if site is None or not site.served else site.gap,
                        net_mw=net,
                        stages=stages[candidate],
                        own=_own(own, bus),
                        strict=_STRICT[int(strict[candidate])],
                        outages_broken=int(broken[candidate]),
                        **({} if number is None else scores[number]),
                    )
                )
    return Catalogue(
        version=version,
        made=made,
        entries=tuple(entries),
        manifest=manifest(question, prepared, contingencies, gate)
        | ({} if market is None else {"market": dict(market)})
        | ({} if floor is None else {"noise_floor": _told(floor)})
        | ({} if ranked is None else {"ranking": ranking_facts(ranked, first)}),
        group_names=() if ranked is None else ranked.groups,
        depth={one.name: (one.depth, one.make_up, one.ramp_share) for one in gate.envelopes},
        own_names=() if own is None else tuple(one.column for one in own.criteria),
    )


def manifest(
    question: SitingQuestion, prepared: Prepared, contingencies: Contingencies, gate: GateResult
) -> dict[str, Any]:
    """Return everything that determines the verdicts and everything that a reader must know of them, as JSON values."""
    case = prepared.case
    return {
        "network": case.network.digest,
        "network_name": case.network.name,
        "case": case.digest,
        "source": case.source,
        "notices": list(case.notices),
        "question": question.to_json(),
        "hours": [
            {"hour": label, "weight": float(weight), "why": why}
            | ({} if case.onsite_mw is None else {"onsite_mw": float(case.onsite_mw[place])})
            for place, (label, weight, why) in enumerate(
                zip(case.labels, prepared.hours.weight, prepared.hours.reasons, strict=True)
            )
        ],
        "hours_of_the_source": prepared.of_source,
        "contingencies": contingencies.digest,
        "contingencies_in_words": contingencies.summary(),
        "islanding": list(gate.islanding),
        "base_infeasible": [
            {"hour": gate.labels[hour], "contingency": gate.ids[lost]} for hour, lost in gate.base_infeasible()
        ],
        "threshold": gate.threshold,
        "rating_after_outages": gate.rating,
        "undecided": gate.undecided,
        "gate_solver": gate.solver,
    }


def ranking_facts(ranked: Ranked, top: int) -> dict[str, Any]:
    """Return what makes scores of the market's figures, as JSON values; ``top`` places make the shortlist."""
    groups = {name: list(listed) for name, listed in ranked.membership.items()}
    weights = ranked.group_weights or (1.0,) * len(groups)
    return {
        "groups": groups,
        "group_weights": dict(zip(groups, weights, strict=True)),
        "criterion_weights": dict(ranked.criterion_weights),
        "scaling": ranked.scaling,
        "alternatives": len(ranked.sites),
        "shortlist": top,
        "firmness": "" if len(ranked.sites) <= MOST_LEFT_OUT else _TOO_MANY,
    }


def scores_of(ranked: Ranked, envelopes: Sequence[str], floor: Matrix | None, top: int) -> list[dict[str, Any]]:
    """Return for each alternative (N,) what an entry holds of its place: score, and how firm that is."""
    few = len(ranked.sites) <= MOST_LEFT_OUT
    kept = kept_shares(ranked, top) if few else np.full(len(ranked.sites), np.nan)
    noise = None if floor is None or not few else open_sites(ranked, floor, top)
    every = {
        (size, bus): pair
        for size, found in over_envelopes(ranked, envelopes).items()
        for bus, pair in zip(found.sites, zip(found.least.tolist(), found.expected.tolist(), strict=True), strict=True)
    }
    listed = []
    for number, site in enumerate(ranked.sites):
        bus, _, size = _key(site)
        least, expected = every.get((size, bus), (None, None))
        listed.append(
            {
                "groups": _numbers(ranked, number),
                "score": float(ranked.score[number]),
                "place": int(ranked.place[number]),
                "score_min": least,
                "score_expected": expected,
                "kept_share": None if np.isnan(kept[number]) else float(kept[number]),
                "place_open": None if noise is None else bool(noise[number]),
            }
        )
    return listed


def market_facts(base: MarketBase, sites: Sequence[SiteMarket] = ()) -> dict[str, Any]:
    """Return what a reader must know of the days that the market was run on, as JSON values.

    ``sites`` are those whose schedules count among the judged ones.
    """
    labels = [day.label for day in base.days]
    own = [(date, day) for one in (base.base, *sites) for date, day in zip(labels, one.days, strict=True)]
    return {
        "days": [{**asdict(day), "state_before": before} for day, before in zip(base.days, base.before, strict=True)],
        "base_gap_asked": base.effort.gap,
        "base_gap": base.base.gap,
        "reserve": base.options.reserve.words(),
        "security": base.options.security,
        "schedules": ROOM,
        "peak_hours": list(base.peak_hours),
        "must_run": list(base.options.must_run),
        "noise_samples": list(base.accepted),  # that counted, day by day
        "days_without_floor": _without_floor(base),
        "days_left_out": [{**asdict(one.day), "status": one.status.value, "why": one.reason} for one in base.left_out],
        "judged": judged_facts(own),
    }


def _without_floor(base: MarketBase) -> list[str]:
    """Return the days whose noise floor is not known although it was asked for."""
    if base.floors is None:
        return []
    return [day.label for day, floor in zip(base.days, base.floors, strict=True) if not np.isfinite(floor).any()]


def _told(floor: Matrix) -> dict[str, float | None]:
    """Return the noise floor (3, 5) by column of the catalogue, None where it is not known."""
    known = [value if np.isfinite(value) else None for value in floor.ravel().tolist()]
    return dict(zip(METRIC_COLUMNS, known, strict=True))


def _net(gate: GateResult, envelope: Envelope, size: float) -> float | None:
    """Return the most that the grid serves of a load with on-site resources, None for one without.

    Of the hours that were screened where each has its own, else of a day.
    """
    if gate.onsite_mw is not None:
        return float(gate.level_mw(envelope, size).max())
    if not envelope.onsite_mw:
        return None
    return float(envelope.level_mw(size, np.arange(1, HOURS_OF_DAY + 1)).max())


def _stages(question: SitingQuestion, gate: GateResult, envelope: str, size: float) -> list[str]:
    """Return for each candidate what the gate says of every stage, in words."""
    told: list[list[str]] = [[] for _ in gate.buses]
    for start, mw in energised_mw(question.stages, size):
        for candidate, verdict in enumerate(gate.qualified(envelope, mw).tolist()):
            told[candidate].append(f"{start} {mw:g} MW {_STAGE[verdict]}")
    return ["; ".join(parts) for parts in told]


def _own(own: OwnCriteria | None, bus: int) -> tuple[float | None, ...]:
    """Return the values of a reader's own columns at a bus."""
    if own is None:
        return ()
    return tuple(None if np.isnan(value) else value for _, value in own.values(bus))


def _standing(verdict: int, site: SiteMarket | None, *, stopped: bool) -> Standing:
    if verdict == 0:
        return "gate failed"
    if verdict < 0:
        return "gate undecided"
    if stopped:
        return "criteria failed"
    if site is None:
        return "not in market"
    ends: dict[End, Standing] = {
        End.REFUSED: "market infeasible",  # no schedule that holds
        End.INFEASIBLE: "market infeasible",
        End.TIME_LIMIT: "market time limit",
    }
    return ends.get(site.status, "qualified")


def _first_failures(gate: GateResult, lost: Contingencies, level: int) -> list[str]:
    """Return for each candidate the first hour and outage that fails, in words; "" where none does."""
    found = [""] * len(gate.buses)
    for hour, known in enumerate(gate.verdicts):
        if known is None:
            continue
        failed = known.flags(known.failed, known.level(gate.load_mw(hour, level)))[:, gate.case_of]
        for candidate in np.flatnonzero(failed.any(axis=1)).tolist():
            if not found[candidate]:
                found[candidate] = f"{gate.labels[hour]}, {lost.words(int(failed[candidate].argmax()))}"
    return found


def _largest(
    gate: GateResult, envelope: str, verdicts: Mapping[tuple[str, float], npt.NDArray[np.int8]]
) -> list[float | None]:
    """Return for each candidate the largest size of the question that qualifies; between two sizes nothing is said."""
    return [
        max((size for size in gate.sizes_mw if verdicts[envelope, size][candidate] == 1), default=None)
        for candidate in range(len(gate.buses))
    ]


def _numbers(ranked: Ranked, number: int) -> tuple[float | None, ...]:
    """Return the scores of the groups; None for one that is equal at all sites and does not count."""
    return tuple(None if np.isnan(score) else score for score in ranked.group_score[number].tolist())


def _key(site: SiteMarket) -> Key:
    placed = site.placement
    return (-1, "", 0.0) if placed is None else (placed.bus, placed.envelope.name, placed.nameplate_mw)
