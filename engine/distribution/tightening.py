"""The operator's answer checked in AC hour by hour, and its limits tightened where AC breaks what the linear flow kept.

A round decides the draws, solves the operator's problem with its loss corrections, and solves each hour in AC. A limit
that the linear flow met and AC breaks is flagged; the next round tightens it by the error that was seen and a margin:
voltages at that node and hour, ratings of that line or transformer in all hours, and where unbalance is limited, the
share of magnitudes at that bus and hour. Unbalance in AC is VUF, negative over positive sequence; the linear flow has
only magnitudes for it. There are at most as many further rounds as asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.distribution.ac_limits import beyond, loading, unbalance_of
from engine.distribution.case import FeederCase
from engine.distribution.corrected import Corrected, ac_hour, dispatch_corrected, frame_phasors
from engine.distribution.dso import DsoResult
from engine.distribution.feeder import Feeder, Line, Link, Regulator, Switch, Transformer
from engine.distribution.frames import Matrix, Phasors, three_phase_buses
from engine.distribution.hour import Conductors, DsoOptions
from engine.distribution.linear import Point
from engine.distribution.metrics import magnitude_unbalance
from engine.distribution.opendss import AcFlow

_LINE_MARGIN = 2e-3  # of a rating, beside the observed error
_UNBALANCE = 1e-5  # VUF above its limit by less is rounding
_WIDEST = 0.45  # of the band between limits: no margin is wider, so the band stays open

# Draws (T, C) in kW for a case, its options and the operating points known so far.
Decide = Callable[[FeederCase, DsoOptions, tuple[Point, ...] | None], Matrix]


@dataclass(frozen=True, slots=True)
class Flag:
    """A limit that the linear flow met and the AC solution breaks."""

    hour: int
    kind: str  # "voltage", "link" or "unbalance"
    element: str  # bus or link
    phase: str  # empty but for a voltage
    linear: float  # p.u., or share of the rating, or of magnitudes from their mean
    ac: float
    limit: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round: how far the linear flow was from AC, what that flagged, and what the answer cost."""

    error_pu: tuple[float, ...]  # largest over nodes and hours, correction by correction; the first has none
    final_error_pu: float  # of the answer that was kept
    flags: int
    violations: int  # limits that even the linear flow exceeds, at the stated price
    cost: float  # $, without what exceeding limits was charged


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """The last answer and its AC solutions."""

    corrected: Corrected
    flows: tuple[AcFlow, ...]  # (T,)
    phasors: Phasors  # (T, N), of them
    linear_loading: Matrix  # (T, M), of the links over their own ratings; 0 without one
    flags: tuple[Flag, ...]  # that are left
    rounds: tuple[Round, ...]
    margin_pu: Matrix  # (T, N), by which both limits were tightened
    rating_share: Mapping[str, float]  # what is left of ratings, by link
    case: FeederCase  # as the answer was asked for: with what is left of ratings
    options: DsoOptions  # likewise, with the margins

    @property
    def result(self) -> DsoResult:
        """Return the operator's answer."""
        return self.corrected.result


def tightened(  # noqa: PLR0913 (all but the first two by name)
    case: FeederCase,
    decide: Decide,
    *,
    options: DsoOptions,
    corrections: int = 2,
    rounds: int = 3,
    margin_pu: float = 2e-4,
    points: tuple[Point, ...] | None = None,
    start: Checked | None = None,
    tick: Callable[[], None] | None = None,
) -> Checked:
    """Return the answer after at most ``rounds`` tightenings; ``tick`` is called before every AC solution.

    The first draws are decided at ``points``, or at those of ``start``: an answer whose limits stay as tight.
    Raises what ``decide``, the operator's problem and the AC solutions raise.
    """
    tell = tick or (lambda: None)
    known: list[Round] = [] if start is None else list(start.rounds)
    margins: Matrix | None = None if start is None else start.margin_pu
    shares: dict[str, float] = {} if start is None else dict(start.rating_share)
    even: float | Matrix | None = None if start is None else start.options.unbalance_share
    # Where draws are decided again they are billed, too, if AC agrees there.
    begin = None if start is None else start.corrected.used
    points, most = begin or points, len(known) + rounds
    while True:
        asked = replace(case, feeder=derated(case.feeder, shares))
        chosen = options if margins is None else replace(options, voltage_margin_pu=margins)
        chosen = chosen if even is None else replace(chosen, unbalance_share=even)
        draws = decide(asked, chosen, points)
        corrected = dispatch_corrected(
            asked, draws, chosen, corrections=corrections, ac=told_solver(asked, tell), points=begin
        )
        points = tuple(each.point for each in corrected.points) if corrections else begin
        checked = _check(case, corrected, (asked, chosen), tell)
        margins = np.zeros(corrected.result.v.shape) if margins is None else margins
        known.append(_round(corrected, checked))
        checked = replace(checked, rounds=tuple(known), margin_pu=margins, rating_share=dict(shares))
        if not checked.flags or len(known) > most:
            return checked
        margins = _margins(case.feeder, checked, margins, margin_pu)
        shares = _shares(checked, shares)
        even = _evenness(checked, even)


def told_solver(case: FeederCase, tell: Callable[[], None]) -> Callable[[DsoResult, int], Phasors]:
    """Return what solves an hour of an answer in AC at fixed ratios, calling ``tell`` before."""

    def solve(result: DsoResult, hour: int) -> Phasors:
        tell()
        return frame_phasors(result.frame, ac_hour(case, result, hour))

    return solve


def _round(corrected: Corrected, checked: Checked) -> Round:
    result = corrected.result
    return Round(
        error_pu=tuple(corrected.error_pu.tolist()),
        final_error_pu=float(np.abs(result.voltage_pu - np.abs(checked.phasors)).max()),
        flags=len(checked.flags),
        violations=len(result.violations),
        cost=float(result.cost_per_h.sum()),
    )


def _check(
    case: FeederCase, corrected: Corrected, asked: tuple[FeederCase, DsoOptions], tell: Callable[[], None]
) -> Checked:
    result, limit = corrected.result, asked[1].unbalance_limit
    flows = []
    for hour in range(case.hours):
        tell()
        flows.append(ac_hour(case, result, hour))
    phasors = np.array([frame_phasors(result.frame, flow) for flow in flows])
    linear = linear_loading(case.feeder, result)
    flags = [flag for hour, flow in enumerate(flows) for flag in _flags(result, hour, flow, linear[hour])]
    if limit is not None:
        flags += [flag for hour, flow in enumerate(flows) for flag in _uneven(result, hour, flow, limit)]
    return Checked(corrected, tuple(flows), phasors, linear, tuple(flags), (), np.zeros(result.v.shape), {}, *asked)


def _flags(result: DsoResult, hour: int, flow: AcFlow, linear: Matrix) -> list[Flag]:
    """Return what AC breaks in an hour and the linear flow has not said that it breaks."""
    feeder, frame = flow.feeder, result.frame
    known = {
        (each.element, each.phase if each.unit == "p.u." else "")
        for each in result.violations
        if each.hour == hour and each.unit != "unbalance"
    }
    node = {each: at for at, each in enumerate(frame.nodes)}
    out, over = beyond(flow)
    size, loaded = flow.magnitude_pu, loading(flow)
    found = []
    for row, column in np.argwhere(out).tolist():
        bus, member, ac = feeder.buses[row].name, feeder.frame[column], float(size[row, column])
        if (bus, member) not in known:
            limit = feeder.v_min_pu if ac < feeder.v_min_pu else feeder.v_max_pu
            found.append(
                Flag(hour, "voltage", bus, member, float(result.voltage_pu[hour, node[bus, member]]), ac, limit)
            )
    for at in np.flatnonzero(over).tolist():
        name = feeder.links[at].name
        if (name, "") not in known:
            found.append(Flag(hour, "link", name, "", float(linear[at]), float(loaded[at]), 1.0))
    return found


def _uneven(result: DsoResult, hour: int, flow: AcFlow, limit: float) -> list[Flag]:
    """Return the buses whose VUF is above the limit that their magnitudes keep in the linear flow."""
    names, _ = three_phase_buses(result.frame)
    linear = dict(zip(names, magnitude_unbalance(result.frame, result.voltage_pu[hour]).tolist(), strict=True))
    known = {each.element for each in result.violations if each.hour == hour and each.unit == "unbalance"}
    return [
        Flag(hour, "unbalance", bus, "", float(linear[bus]), value, limit)
        for bus, value in unbalance_of(flow).items()
        if bus in linear and bus not in known and value > limit + _UNBALANCE
    ]


def linear_loading(feeder: Feeder, result: DsoResult) -> Matrix:
    """Return (T, M) the largest power of a link's conductors over its rating in ``feeder``, by the linear flow."""
    conductors = Conductors.of(result.frame)
    place = {link.name: at for at, link in enumerate(feeder.links)}
    own, used = ({link.name: _rating(link) for link in each.links} for each in (feeder, result.frame.feeder))
    power = np.abs(np.asarray(conductors.weights @ result.flow_mva.T)).T  # (T, c)
    found = np.zeros((len(result.v), len(feeder.links)))
    for at, name in enumerate(conductors.name):
        share = power[:, at] / (conductors.rating_mva[at] * own[name] / used[name])
        found[:, place[name]] = np.maximum(found[:, place[name]], share)
    return found


def _rating(link: Link) -> float:
    """Return a link's rating, whatever its unit; 1 without one."""
    rating = link.kva if isinstance(link, Transformer) else link.rating_a
    return 1.0 if rating is None else rating


def _margins(feeder: Feeder, checked: Checked, margins: Matrix, extra: float) -> Matrix:
    """Return the margins with those of flagged voltages raised."""
    node = {each: at for at, each in enumerate(checked.result.frame.nodes)}
    found = margins.copy()
    for flag in checked.flags:
        if flag.kind == "voltage":
            at = (flag.hour, node[flag.element, flag.phase])
            widest = _WIDEST * (feeder.v_max_pu - feeder.v_min_pu)
            found[at] = min(max(found[at], abs(flag.linear - flag.ac)) + extra, widest)
    return found


def _shares(checked: Checked, shares: Mapping[str, float]) -> dict[str, float]:
    """Return what is left of ratings: less by the share that AC is above them."""
    found = dict(shares)
    for flag in checked.flags:
        if flag.kind == "link":
            asked = shares.get(flag.element, 1.0) / flag.ac * (1.0 - _LINE_MARGIN)
            found[flag.element] = min(found.get(flag.element, 1.0), asked)
    return found


def _evenness(checked: Checked, even: float | Matrix | None) -> float | Matrix | None:
    """Return what is left (T, B3) of the limit of unbalance: less by the share that AC is above it."""
    names, _ = three_phase_buses(checked.result.frame)
    flags = [flag for flag in checked.flags if flag.kind == "unbalance"]
    if not flags:
        return even
    found = np.ones((len(checked.flows), len(names))) * (1.0 if even is None else even)
    for flag in flags:
        found[flag.hour, names.index(flag.element)] *= flag.limit / flag.ac * (1.0 - _LINE_MARGIN)
    return found


def derated(feeder: Feeder, shares: Mapping[str, float]) -> Feeder:
    """Return the feeder with what ``shares`` leave of its ratings, by link."""
    if not shares:
        return feeder

    def left(row: Line | Switch | Regulator) -> float | None:
        return None if row.rating_a is None else row.rating_a * shares.get(row.name, 1.0)

    return replace(
        feeder,
        lines=tuple(replace(row, rating_a=left(row)) for row in feeder.lines),
        switches=tuple(replace(row, rating_a=left(row)) for row in feeder.switches),
        regulators=tuple(replace(row, rating_a=left(row)) for row in feeder.regulators),
        transformers=tuple(_smaller(row, shares.get(row.name, 1.0)) for row in feeder.transformers),
    )


def _smaller(row: Transformer, share: float) -> Transformer:
    """Return a transformer rated at a share of its kVA, with the same ohms."""
    return replace(row, kva=row.kva * share, r_pu=row.r_pu * share, x_pu=row.x_pu * share)
