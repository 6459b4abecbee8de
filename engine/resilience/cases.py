"""Cases of placement: twelve hours of the IEEE 33-bus feeder with three campuses, and the same on any radial feeder.

The feeder of Baran and Wu and its loads are published. Everything that is put on it here is our own assumption,
synthetic and stated: :func:`assumptions` says it for one case. Shocks are scaled to the feeder; :func:`shock_scale`
says how.

    load      the synthetic day of the feeder part from 10 h on, stretched to 0.55 to 0.85 of the table's loads
    campuses  on three laterals, scheduled so that no voltage is below its limit without a shock
    sites     every campus and buses spread over the feeder
    outages   of lines that feed between 2 and 15 % of the loads
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.distribution import balanced
from engine.distribution.cases import HOURS, day
from engine.distribution.feeder import Feeder, Line, Tree
from engine.errors import NetworkDataError
from engine.network.model import Vector
from engine.resilience.case import Campus, PlacementCase, Scenarios
from engine.resilience.flows import FlowModel
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.shocks import KINDS, ShockModel, shocks

IEEE33_CAMPUSES = (Campus("14", 0.8, 0.2), Campus("25", 2.0, 0.2), Campus("30", 1.2, 0.2))
IEEE33_SITES = ("6", "9", "12", "14", "18", "22", "24", "25", "30", "33")
SHOCKS = ShockModel()
FRESH_SEED = 1_000_003  # added to the seed for shocks that judge a plan: far from the seeds of cases
_BUDGET = 120_000.0  # $ a year
_FIRST_HOUR = 10.0
_LOW, _HIGH = 0.55, 0.85  # of the table's loads
_CAMPUSES, _SITES, _LINES = 3, 10, 4
_LARGEST = 0.3  # of the table's loads: the size of a campus, where voltages allow it
_SCHEDULE = 0.2  # of its size
_ROOM_PU = 0.004  # between the lowest voltage of the schedule and its limit
_FED = (0.02, 0.15)  # of the loads, behind a line that may fail
_SPARE, _DEAD, _RAMP = 1.4, 0.02, 0.01  # of the scheduled peak: substation, dead band, ramp in each minute


@dataclass(frozen=True, slots=True)
class ShockScale:
    """How large shocks are beside the feeder."""

    peak_mw: float  # most that loads and campuses draw by schedule
    usual_mw: float  # the largest change of all campuses together in a shock: its median over the shocks
    largest_mw: float  # and the largest rise

    @property
    def ratio(self) -> float:
        """Return the largest rise over the peak."""
        return self.largest_mw / self.peak_mw


def ieee33(  # noqa: PLR0913 (by name)
    *,
    seed: int = 0,
    scenarios: int = 200,
    steps: int = 48,
    step_h: float = 0.25,
    model: ShockModel = SHOCKS,
    types: tuple[ModuleType, ...] = STANDARD,
    budget: float = _BUDGET,
) -> PlacementCase:
    """Return the default case: 12 hours of IEEE 33 with campuses at buses 14, 25 and 30, checked."""
    return on_feeder(
        balanced.ieee33(), campuses=IEEE33_CAMPUSES, sites=IEEE33_SITES, seed=seed, scenarios=scenarios, steps=steps,
        step_h=step_h, model=model, types=types, budget=budget,
    )  # fmt: skip


def on_feeder(  # noqa: PLR0913 (by name)
    feeder: Feeder,
    *,
    campuses: tuple[Campus, ...] = (),
    sites: tuple[str, ...] = (),
    seed: int = 0,
    scenarios: int = 200,
    steps: int = 48,
    step_h: float = 0.25,
    model: ShockModel = SHOCKS,
    types: tuple[ModuleType, ...] = STANDARD,
    budget: float = _BUDGET,
) -> PlacementCase:
    """Return a case on a radial feeder, checked.

    Without ``campuses`` three stand at the ends of the longest laterals of three phases, as large as their schedule
    may be with 0.004 p.u. to spare at every bus, at most 0.3 of the loads each. Without ``sites`` modules may stand at
    the campuses and at buses of three phases that are far from each other, ten in all. Distances are numbers of links.

    Raises NetworkDataError for a feeder that is not radial, has no bus of three phases beside its source, or has
    voltages outside its limits before there is a campus; and for everything that is wrong with the other numbers.
    """
    tree = feeder.tree()
    share = load_share(steps, step_h)
    if not campuses:
        buses = _spread(feeder, tree, (), _CAMPUSES, from_path=True)
        campuses = _sized(feeder, tuple(Campus(bus, 1.0, _SCHEDULE) for bus in buses), share)
    if not sites:
        sites = _spread(feeder, tree, tuple(campus.bus for campus in campuses), _SITES)
    lines = lines_that_fail(feeder)
    case = PlacementCase(
        feeder=feeder,
        load_share=share,
        step_h=step_h,
        campuses=campuses,
        types=types,
        sites=sites,
        scenarios=shocks(model, campuses, steps, step_h, count=scenarios, seed=seed, links=lines),
        budget=budget,
        labels=_labels(steps, step_h),
    ).checked()
    peak_mw, peak_mva = _peak(case)
    return replace(
        case,
        substation_mva=_rounded(_SPARE * peak_mva),
        dead_band_mw=_rounded(_DEAD * peak_mw),
        ramp_mw_per_min=_rounded(_RAMP * peak_mw),
    )


def drawn(case: PlacementCase, model: ShockModel, count: int, seed: int) -> Scenarios:
    """Return shocks of a model for the campuses of a case."""
    return shocks(
        model, case.campuses, case.steps, case.step_h, count=count, seed=seed, links=lines_that_fail(case.feeder)
    )  # fmt: skip


def fresh(case: PlacementCase, model: ShockModel, count: int, seed: int = 0) -> Scenarios:
    """Return shocks of a case that no plan was made for: of this model, with a seed that no case is made with."""
    return drawn(case, model, count, FRESH_SEED + seed)


def load_share(steps: int, step_h: float) -> Vector:
    """Return (T,) the shares of the table's loads from 10 h on."""
    clock = _FIRST_HOUR + step_h * np.arange(steps)
    shape = np.interp(clock, np.arange(HOURS), day().load_share, period=HOURS)
    span = float(shape.max() - shape.min())
    return np.asarray(_HIGH if span == 0.0 else _LOW + (_HIGH - _LOW) * (shape - shape.min()) / span) * np.ones(steps)


def lines_that_fail(feeder: Feeder) -> tuple[int, ...]:
    """Return positions in ``closed_links`` of at most four lines that feed between 2 and 15 % of the loads.

    Of lines behind each other the first, and of all of them those that feed most.
    """
    tree, position = feeder.tree(), {link.name: at for at, link in enumerate(feeder.closed_links)}
    of_bus = dict.fromkeys(tree.buses, 0.0)
    for row in feeder.loads:
        of_bus[row.bus] += row.kw
    fed = np.array([of_bus[bus] for bus in tree.buses])
    for at in range(len(tree.buses) - 1, 0, -1):
        fed[tree.parents[at]] += fed[at]
    found: list[tuple[float, int]] = []
    inside = np.zeros(len(fed), dtype=bool)  # of a part that one of them feeds
    for at in range(1, len(fed)):
        link = tree.links[at]
        fits = isinstance(link, Line) and _FED[0] <= fed[at] / max(fed[0], 1e-9) <= _FED[1]
        if fits and link is not None and not inside[tree.parents[at]]:
            found.append((-float(fed[at]), position[link.name]))
        inside[at] = inside[tree.parents[at]] or fits
    return tuple(sorted(place for _, place in sorted(found)[:_LINES]))


def shock_scale(case: PlacementCase) -> ShockScale:
    """Return how large the shocks of a case are beside its feeder."""
    change = case.scenarios.draw_mw.sum(axis=2) - case.schedule_mw.sum()
    peak = 1e-3 * sum(row.kw for row in case.feeder.loads) * case.load_share.max() + case.schedule_mw.sum()
    return ShockScale(float(peak), float(np.median(np.abs(change).max(axis=1))), float(change.max()))


def assumptions(case: PlacementCase, model: ShockModel | None = SHOCKS, seed: int = 0) -> tuple[str, ...]:
    """Return what was assumed for a case made here, in sentences; without a model its shocks are of a file."""
    scale = shock_scale(case)
    placed = ", ".join(f"{campus.size_mw:g} MW at {campus.bus}" for campus in case.campuses)
    return (
        f"{case.steps} steps of {60.0 * case.step_h:g} min from {case.labels[0] if case.labels else '10:00'}: a "
        f"synthetic day, stretched to {case.load_share.min():.0%} to {case.load_share.max():.0%} of the table's loads.",
        f"Campuses of {placed}, scheduled to {case.campuses[0].schedule_share:.0%} of that, power factor "
        f"{case.campuses[0].power_factor:g} lagging.",
        *(_of_file(case) if model is None else _of_model(case, model, seed)),
        f"The largest rise is {scale.largest_mw:.2f} MW, {scale.ratio:.0%} of the scheduled peak of "
        f"{scale.peak_mw:.2f} MW; the median shock changes the draw by {scale.usual_mw:.2f} MW.",
        f"{case.events_per_year:g} events a year; modules are the standard ones unless edited, at a yearly cost.",
        f"The substation gives {case.substation_mva:g} MVA; its import may leave its schedule by "
        f"{case.dead_band_mw:g} MW and change by {case.ramp_mw_per_min:g} MW a minute at no cost: "
        f"{_SPARE:.0%} of the scheduled peak, {_DEAD:.0%} and {_RAMP:.0%} of it.",
    )


def _of_file(case: PlacementCase) -> tuple[str, ...]:
    return (f"Shocks are those of a file, {len(case.scenarios):,} of them with its probabilities.",)


def _of_model(case: PlacementCase, model: ShockModel, seed: int) -> tuple[str, ...]:
    kinds = ", ".join(f"{kind} {share:.0%}" for kind, share in zip(KINDS, model.shares, strict=True))
    names, lines = case.links, lines_that_fail(case.feeder)
    outages = (
        f"In {model.outage_share:.0%} of the events one of the lines {', '.join(names[at] for at in lines)} fails with "
        f"it, each as likely, for {model.outage_h:g} h on average."
        if lines and model.outage_share
        else "No line fails."
    )
    return (
        f"Shocks are synthetic and scaled to the feeder, {len(case.scenarios):,} drawn with seed {seed} and equally "
        f"likely: {kinds}; amplitudes {model.distribution} with mean {model.amplitude:g} of the size and "
        f"{model.variation:.0%} of that as standard deviation, {model.duration_h:g} h on average, correlation "
        f"{model.correlation:g} between campuses, draws up to the size and in a failover to {model.overload:g} times "
        "that.",
        outages,
    )


def _spread(
    feeder: Feeder, tree: Tree, chosen: tuple[str, ...], count: int, *, from_path: bool = False
) -> tuple[str, ...]:
    """Return ``chosen`` and further buses of three phases, each the farthest from those before it.

    ``from_path``: far from the whole way of those before to the source, and so at ends of laterals.
    """
    phases = {bus.name: bus.phases for bus in feeder.buses}
    able = [at for at, bus in enumerate(tree.buses) if at and phases[bus] == "abc"]
    if not able:
        raise NetworkDataError(f"feeder {feeder.name!r} has no bus of three phases beside its source")
    ways = [_way(tree, at) for at in range(len(tree.buses))]
    found = [tree.buses.index(bus) for bus in chosen if bus in tree.buses]

    def away(at: int) -> int:
        shared = (len(ways[at] & ways[other]) for other in found)
        if from_path:
            return len(ways[at]) - max(shared, default=0)
        return min((len(ways[at] ^ ways[other]) for other in found), default=len(ways[at]))

    while len(found) < count:
        rest = [at for at in able if at not in found]
        if not rest:
            break
        best = max(rest, key=away)
        if from_path and away(best) == 0:
            break
        found.append(best)
    return tuple(tree.buses[at] for at in found)


def _way(tree: Tree, at: int) -> frozenset[int]:
    """Return the buses on the way to the source, the source left out."""
    found = []
    while at > 0:
        found.append(at)
        at = tree.parents[at]
    return frozenset(found)


def _sized(feeder: Feeder, campuses: tuple[Campus, ...], share: Vector) -> tuple[Campus, ...]:
    """Return campuses of one size, 1 MW before, that the voltages of their schedule allow at the highest load."""
    flows = FlowModel.of(_bare(feeder, campuses, share))
    table = float(flows.table_mw.sum())
    none = np.zeros((1, 1))
    loads = np.concatenate([flows.table_mw * share.max(), np.zeros(len(campuses))])[:, np.newaxis]
    v = flows.voltage.at(loads, none, none)[:, 0]
    low = int(v.argmin())
    least = (feeder.v_min_pu + _ROOM_PU) ** 2
    if v[low] < least:
        raise NetworkDataError(
            f"bus {flows.nodes[low][0]} of feeder {feeder.name!r} is at {math.sqrt(max(v[low], 0.0)):.3f} p.u. at "
            f"{share.max():.0%} of its loads; with its limit at {feeder.v_min_pu:g} there is no room for a campus"
        )
    fall = -_SCHEDULE * flows.voltage.drawn[:, flows.native :].sum(axis=1)  # per MW of size
    most = float(np.min(np.where(fall > 0.0, (v - least) / np.maximum(fall, 1e-12), np.inf)))
    size = min(most, _LARGEST * table)
    size = math.floor(size * 1000.0) / 1000.0
    if size <= 0.0:
        raise NetworkDataError(f"feeder {feeder.name!r} has no loads, or voltages leave no room for a campus of 1 kW")
    return tuple(Campus(campus.bus, size, campus.schedule_share) for campus in campuses)


def _peak(case: PlacementCase) -> tuple[float, float]:
    """Return the most that the source gives by schedule, MW and MVA."""
    flows, none = FlowModel.of(case), np.zeros((len(case.sites), case.steps))
    draws = flows.draws(case, np.tile(case.schedule_mw, (case.steps, 1)))
    p, q = flows.supply.at(draws, none, none)
    return float(p.max()), float(np.hypot(p, q).max())


def _bare(feeder: Feeder, campuses: Sequence[Campus], share: Vector) -> PlacementCase:
    """Return a case without shocks, for its flows."""
    steps = len(share)
    schedule = np.tile([campus.size_mw * campus.schedule_share for campus in campuses], (1, steps, 1))
    zero = np.zeros(1, dtype=np.intp)
    nothing = Scenarios(schedule, zero, zero, np.ones(1), zero - 1, ("",))
    return PlacementCase(feeder, share, 1.0, tuple(campuses), (), (feeder.source_bus,), nothing)


def _rounded(value: float) -> float:
    """Return a number with two digits, at least as large."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 0.0 else 1.0
    return float(f"{math.ceil(value / digit - 1e-9) * digit:.12g}")


def _labels(steps: int, step_h: float) -> tuple[str, ...]:
    minutes = [round(60.0 * (_FIRST_HOUR + step_h * step)) for step in range(steps)]
    return tuple(f"{each // 60 % HOURS:02d}:{each % 60:02d}" for each in minutes)
