"""The market of the sites that passed the gate: which of them, on which days, and what is kept of it.

A market day of a large grid takes time, so a reader chooses how many sites of each envelope and size go on; which ones
is a stated rule, and those left out are counted and stay in the catalogue as "not in market".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.commitment.days import PEAK, Day, typical_days
from engine.commitment.instance import CommitmentOptions, ReserveKind, ReserveRule, check_whole_days
from engine.commitment.outcome import Effort
from engine.compute import HERE, Artifacts, Progress, Workers
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.model import Flags, Matrix, Vector
from engine.opf.limits import Rating, Security
from engine.siting.case import HOURS_OF_DAY, SitingCase
from engine.siting.compiling import market_facts
from engine.siting.envelopes import PEAK_HOURS, Envelope, envelope_from_json
from engine.siting.market import Floors, MarketBase, Placement, SiteMarket, market_base, market_impact
from engine.siting.market_days import NUMBERS, day_of, hourly_rows
from engine.siting.metrics import METRICS, WINDOWS
from engine.siting.nearer import Lot, nearer, part_of
from engine.siting.prepare import LoadDataset, hours_of, own_criteria
from engine.siting.question import MOST_MW
from engine.siting.site_noise import floor_with
from engine.siting.studies import dearer

if TYPE_CHECKING:
    from engine.siting.run import GateRun

FORMAT = "headroom-market-run-3"
DayChoice = Literal["peak", "typical", "year", "listed"]
DAY_CHOICES: tuple[DayChoice, ...] = get_args(DayChoice)
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "days": DAY_CHOICES, "security": get_args(Security), "reserve": get_args(ReserveKind)
}  # fmt: skip
ORDER = "the higher pass rate, then the lower position of the bus in the network"
_FLOATS = ("base_gap", "site_gap", "base_time_s", "site_time_s", "cost_factor")
_BASE_SHARE, _SITES_SHARE = 0.3, 0.5  # of the progress; the rest is what is solved nearer
_AGAIN_TIME = 2.0  # of a site's time: nearer takes longer


@dataclass(frozen=True, slots=True)
class MarketQuestion:
    """Which sites, on which days, how exactly."""

    days: DayChoice = "typical"  # written in every JSON: a question that was kept asks for the days that it asked for
    dates: tuple[str, ...] = ()  # for "listed", ISO 8601
    most_sites: int = 60  # of each envelope and size; 0 for all that passed
    base_gap: float = 1e-4
    site_gap: float = 3e-4
    base_time_s: float = 600.0  # of one day
    site_time_s: float = 120.0  # of one day with one site
    cost_factor: float = 1.0  # of every marginal cost
    samples: int = 8  # of the noise floor, per day; 0 for none
    seed: int = 0
    # Left out of the JSON where they are as here, so that a question keeps its key.
    sizes_mw: tuple[float, ...] = ()  # that go on, of those of the study; () for all
    security: Security = "base"  # "n-1": limits on flows hold after each branch outage too
    reserve: ReserveKind = "share"
    must_run: tuple[str, ...] = ()  # ids of units that stay on
    noise_sites: int = 0  # drawn by lot for the noise with a site, where none is solved again

    def options(self, outage_rating: Rating) -> CommitmentOptions:
        """Return what each day is committed with; ``outage_rating`` is that of branches after the loss of another."""
        return CommitmentOptions(
            reserve=ReserveRule(self.reserve),
            security=self.security,
            outage_rating=outage_rating,
            must_run=self.must_run,
        )

    def sizes_of(self, sizes_mw: Sequence[float]) -> tuple[float, ...]:
        """Return which of the study's sizes go on, in their order."""
        return tuple(size for size in sizes_mw if not self.sizes_mw or size in self.sizes_mw)

    def checked(self) -> Self:
        """Return the question. Raises QuestionError with every problem at once."""
        found = [
            f"the {name} is {value:g}: {least:g} to {most:g}"
            for name, value, least, most in (
                ("number of sites", self.most_sites, 0, 100_000),
                ("gap of the days without a site", self.base_gap, 1e-6, 0.1),
                ("gap of the sites", self.site_gap, 1e-6, 0.1),
                ("time of a day without a site, s,", self.base_time_s, 1, 36_000),
                ("time of a day with a site, s,", self.site_time_s, 1, 36_000),
                ("factor of costs", self.cost_factor, 0.1, 10),
                ("number of samples", self.samples, 0, 64),
                ("number of sites for the noise with one", self.noise_sites, 0, 64),
            )
            if not least <= value <= most
        ]
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                found.append(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r:.40}")
        found += [f"a size of {mw:g} MW: above 0, to {MOST_MW:,.0f}" for mw in self.sizes_mw if not 0 < mw <= MOST_MW]
        if not all(isinstance(name, str) and name for name in self.must_run):
            found.append("units that must run are named by their ids")
        if len(set(self.must_run)) < len(self.must_run):
            found.append("a unit that must run is named twice")
        if self.noise_sites and not self.samples:
            found.append("the noise with a site is measured as that without: ask for samples of the noise floor")
        if self.days == "listed" and not self.dates:
            found.append("name the days")
        if found:
            raise QuestionError("; ".join(found))
        return self

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        lists = {"dates": list(self.dates), "sizes_mw": list(self.sizes_mw), "must_run": list(self.must_run)}
        plain = asdict(self) | lists
        usual = {"sizes_mw": [], "security": "base", "reserve": "share", "must_run": [], "noise_sites": 0}
        return {name: value for name, value in plain.items() if name not in usual or value != usual[name]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the question that :meth:`to_json` wrote. Raises QuestionError for anything else."""
        if unknown := sorted(set(content) - set(cls.__dataclass_fields__)):
            raise QuestionError(f"a market run has no field {unknown[0]!r:.60}")
        try:
            numbers = {name: float(content[name]) for name in _FLOATS if name in content}  # a browser writes 1.0 as 1
            listed = {
                "dates": tuple(content.get("dates", ())),
                "sizes_mw": tuple(float(mw) for mw in content.get("sizes_mw", ())),
                "must_run": tuple(content.get("must_run", ())),
            }
            return cls(**{**content, **numbers, **listed}).checked()
        except (TypeError, ValueError):
            raise QuestionError("a market run needs its fields as it gave them") from None


@dataclass(frozen=True, slots=True, eq=False)
class MarketRun:
    """The market without and with each site, and how far apart equally good schedules are."""

    question: MarketQuestion
    base: SiteMarket
    sites: tuple[SiteMarket, ...]
    facts: Mapping[str, Any]  # of the days: what a table made from them prints
    # (3, 5), the noise floor of each metric, with what sites moved by; None when it was not asked for, nan: not known
    floor: Matrix | None
    floors: Floors | None = None  # (D, 3, 5), of each day without a site; nan likewise
    floor_without: Matrix | None = None  # (3, 5), without a site; None where no site raised it

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        every = [self.base, *self.sites]
        arrays: dict[str, AnyArray] = {
            "metrics": np.array([site.metrics for site in every]),
            "mean_lmp_bus": np.array([site.mean_lmp for site in every], dtype=np.float32),  # good to far fewer digits
            "numbers": np.array([[[getattr(day, name) for name in NUMBERS] for day in site.days] for site in every]),
            "hours": np.array([[hourly_rows(day) for day in site.days] for site in every]),
        }
        if self.floor is not None:
            arrays["floor"] = self.floor
        if self.floors is not None:
            arrays["floors"] = self.floors
        if self.floor_without is not None:
            arrays["floor_without"] = self.floor_without
        if any(site.moved is not None for site in self.sites):
            nothing = np.full((len(WINDOWS), len(METRICS)), np.nan)
            arrays["moved"] = np.array([nothing if site.moved is None else site.moved for site in every])
        meta = {
            "format": FORMAT,
            "question": self.question.to_json(),
            "facts": self.facts,
            "status": [[day.status.value for day in site.days] for site in every],
            "reason": [[day.reason for day in site.days] for site in every],
            "judged": [[day.judged for day in site.days] for site in every],
            "placements": [_placement_json(site.placement) for site in every],
        }
        return pack(arrays, meta)

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of a market run of this version")
        found = []
        for place, placement in enumerate(meta["placements"]):
            words = zip(meta["status"][place], meta["reason"][place], meta["judged"][place], strict=True)
            parts = zip(words, arrays["hours"][place], arrays["numbers"][place], strict=True)
            days = tuple(day_of(status, reason, how, *own) for (status, reason, how), *own in parts)
            prices = arrays["mean_lmp_bus"][place].astype(np.float64)
            moved = arrays["moved"][place] if "moved" in arrays else None  # absent where nothing was measured
            moved = None if moved is None or np.isnan(moved).all() else moved
            found.append(SiteMarket(_placement_of(placement), days, arrays["metrics"][place], prices, moved))
        question = MarketQuestion.from_json(meta["question"])
        floors = (arrays.get(name) for name in ("floor", "floors", "floor_without"))
        return cls(question, found[0], tuple(found[1:]), meta["facts"], *floors)


def chosen_sites(run: "GateRun", market: MarketQuestion, allowed: Flags | None = None) -> tuple[list[Placement], int]:
    """Return the placements that go to the market, by :data:`ORDER`, and how many that passed are left out.

    ``allowed`` are the buses (B,) that a reader's own criteria let through; left out, all.
    """
    chosen: list[Placement] = []
    left = 0
    for envelope in run.gate.envelopes:
        for size in market.sizes_of(run.question.sizes_mw):  # stages of energisation are gated only
            passed = np.flatnonzero(run.gate.qualified(envelope.name, size) == 1)
            passed = passed if allowed is None else passed[allowed[run.gate.buses[passed]]]
            rate = run.gate.pass_rate(envelope.name, size)[0][passed]
            order = passed[np.lexsort((run.gate.buses[passed], -np.round(rate, 12)))]
            taken = order if market.most_sites == 0 else order[: market.most_sites]
            left += len(order) - len(taken)
            chosen += [Placement(int(run.gate.buses[place]), envelope, size) for place in taken]
    return chosen, left


def run_market(  # noqa: PLR0913 (what passed and the question, then by name how)
    run: "GateRun",
    market: MarketQuestion,
    load_dataset: LoadDataset | None = None,
    *,
    placements: Sequence[Placement] | None = None,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    partial: Callable[[MarketRun], None] | None = None,
    told: Callable[[str], None] | None = None,
) -> MarketRun:
    """Return the market of the sites that passed the gate, or of ``placements``.

    ``partial`` is told what is known while the sites are solved, see :func:`engine.siting.market.market_impact`, and
    ``told`` in words what is done, and how much of it stood from a run before. Units
    keep the least output that is filed for them, whatever the gate assumed. Raises QuestionError for a source
    without days, and where no day can be committed even without a site; a day that cannot is left out and told.
    """
    market = market.checked()
    if run.question.source == "filed":
        raise QuestionError(
            "the network as filed is one hour; the market needs days: choose the hours of 2016 or a file"
        )
    left = 0
    if placements is None:
        own = own_criteria(run.question, run.network, load_dataset)
        placements, left = chosen_sites(run, market, None if own is None else own.passes)
    if not market.sizes_of(run.question.sizes_mw):
        listed = ", ".join(f"{mw:g}" for mw in market.sizes_mw)
        raise QuestionError(f"of the sizes that are to go to the market, {listed} MW, the study has none")
    if not placements:
        raise QuestionError("no site passed the gate: there is nothing to run the market for")
    if unknown := sorted(set(market.must_run) - set(run.network.units.ids)):
        raise QuestionError(f"unit {unknown[0]!r:.60} must run and is not in the network")
    network = run.network if market.cost_factor == 1.0 else dearer(run.network, market.cost_factor)
    year = hours_of(run.question, network, load_dataset, thermal="filed")
    peak_hours, peak_of = peak_window(run.question.envelopes)
    base = market_base(
        year,
        days_of(year, market),
        market.options(run.question.outage_rating),
        effort=Effort(market.base_gap, market.base_time_s, market.seed),
        peak_hours=peak_hours,
        samples=market.samples,
        noise_gap=market.site_gap,
        workers=workers,
        progress=part_of(progress, 0.0, _BASE_SHARE),
        artifacts=artifacts,
    )
    floor, say = base.floor, told or (lambda _: None)
    facts_of = {
        "sites": len(placements),
        "left_out": left,
        "order": ORDER,
        "site_gap_asked": market.site_gap,
        "cost_factor": market.cost_factor,
        "threshold": run.gate.threshold,  # of the gate: what qualified is what was chosen from
        "seed": market.seed,
        "peak_of": peak_of,
        "case": year.digest,
    }

    def so_far(shown: MarketBase, known: list[SiteMarket]) -> None:
        if partial is not None:
            facts = market_facts(shown, known) | facts_of | {"days_asked": len(base.days)}
            partial(MarketRun(market, shown.base, tuple(known), facts, floor, shown.floors))

    sites = market_impact(
        base,
        placements,
        effort=Effort(market.site_gap, market.site_time_s, market.seed),
        workers=workers,
        progress=part_of(progress, _BASE_SHARE, _SITES_SHARE),
        artifacts=artifacts,
        partial=so_far,
        stood=lambda count, of: say(_stood(count, of, len(base.days))),
    )
    again, noise = "", dict[str, Any]()
    if floor is not None:
        sites, again, noise = nearer(
            base,
            sites,
            floor,
            count=run.question.shortlist,
            effort=Effort(market.base_gap, _AGAIN_TIME * market.site_time_s, market.seed),
            lot=Lot(market.noise_sites, market.samples, Effort(market.site_gap, market.site_time_s, market.seed)),
            workers=workers,
            progress=part_of(progress, _BASE_SHARE + _SITES_SHARE, 1.0 - _BASE_SHARE - _SITES_SHARE),
            artifacts=artifacts,
            say=say,
        )
    if progress is not None:
        progress(1, 1)
    facts = market_facts(base, sites) | facts_of | {"second_pass": again, "noise_with_site": noise}
    found = MarketRun(market, base.base, tuple(sites), facts, floor, base.floors)
    return (
        found
        if floor is None or not noise["sites"]
        else replace(found, floor=floor_with(floor, sites), floor_without=floor)
    )


def _stood(count: int, of: int, days: int) -> str:
    """Return in words what is priced, and how much of it stood from a run before."""
    unit = "sites" if days == 1 else "days of sites"
    return "sites are priced" + (f"; {count:,} of {of:,} {unit} stood from before" if count else "")


def days_of(case: SitingCase, market: MarketQuestion) -> tuple[Day, ...]:
    """Return the days of a case that a market question names. Raises QuestionError for a date that it does not have."""
    if market.days in {"typical", "peak"}:
        typical = typical_days(case)
        return typical if market.days == "typical" else tuple(day for day in typical if day.reason.startswith(PEAK))[:1]
    check_whole_days(case.hour_of_day)
    dates = [label[:10] for label in case.labels[::HOURS_OF_DAY]]
    if market.days == "year":
        return tuple(Day(number, date, "every day", 1.0) for number, date in enumerate(dates))
    number = {date: place for place, date in reversed(list(enumerate(dates)))}
    missing = [date for date in market.dates if date not in number]
    if missing:
        raise QuestionError(f"the hours have no day {', '.join(repr(date) for date in missing)}")
    return tuple(Day(number[date], date, "chosen", 1.0) for date in sorted(set(market.dates)))


def peak_window(envelopes: Sequence[Envelope]) -> tuple[tuple[int, ...], str]:
    """Return the hours of the day, 1 to 24, that on-peak metrics are of, and whose window they are.

    It is that of the first envelope that draws less, or its own profile, in some hours; else of the first that names
    one; else the source's.
    """
    named = [one for one in envelopes if one.peak_hours]
    found = next((one for one in named if one.kind != "firm"), named[0] if named else None)
    return (PEAK_HOURS, "") if found is None else (found.peak_hours, found.name)


def lmp_change(market: MarketRun, site: SiteMarket) -> Vector:
    """Return (B,): the mean price at every bus with a site less that without, over the weighted days, $/MWh."""
    return np.asarray(site.mean_lmp - market.base.mean_lmp, dtype=np.float64)


def mean_energy(market: MarketRun, site: SiteMarket) -> float:
    """Return the energy part of prices over the weighted days, $/MWh: the price at the reference bus of the network.

    The rest of a price is congestion; there are no losses. It is nan where a day has no schedule.
    """
    weight = np.array([day["weight"] for day in market.facts["days"]])
    return float(weight @ np.array([day.energy for day in site.days]) / weight.sum())


def _placement_json(placed: Placement | None) -> dict[str, Any] | None:
    if placed is None:
        return None
    return {"bus": placed.bus, "envelope": placed.envelope.to_json(), "nameplate_mw": placed.nameplate_mw}


def _placement_of(content: Mapping[str, Any] | None) -> Placement | None:
    if content is None:
        return None
    return Placement(int(content["bus"]), envelope_from_json(content["envelope"]), float(content["nameplate_mw"]))
