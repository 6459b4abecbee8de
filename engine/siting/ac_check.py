"""Voltages and losses that a DC gate does not see: an AC power flow of a site's base and of its worst outages.

It flags and never gates. The input of each state is its DC dispatch; :mod:`engine.siting.ac_flow` solves it. Where the
least-cost dispatch has no AC solution it is moved towards one in proportion to what units can make, by the steps of
:data:`SHARES`, and the nearest that has one is kept: its row says how far it was moved, since nothing holds it within
the DC limits any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from engine.compute import Progress
from engine.errors import InfeasibleError, QuestionError
from engine.network.model import Network, Vector
from engine.opf.dc_opf import DcOpfOptions, dc_opf
from engine.siting.ac_flow import REACTIVE_MVAR, AcFlow, AcSolution, shunt_mw, solved_voltages
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies

INTACT = -1  # in place of a contingency: nothing is lost
WORST = 10  # outages looked at
POWER_FACTOR = 0.98  # of the new load, drawing reactive power: an assumption
SHARES = (1.0, 0.95, 0.9, 0.8, 0.5, 0.0)  # of the least-cost dispatch, the rest in proportion: the first that solves
_RUNNING_MW = 1e-6
_MOVED_MW = 1e-3  # a dispatch that would move by less than this at every unit is not tried again
_VOLTAGE_PU = 1e-4  # outside a limit by less than this counts as inside

Status = Literal["solved", "beyond reactive limits", "no solution", "no dispatch"]
Dispatcher = Callable[[int, float], Vector | None]
"""The DC dispatch (G,) of a contingency (position or INTACT) with a load at the site, MW; None where there is none."""


@dataclass(frozen=True, slots=True)
class AcRow:
    """One state. Numbers are ``nan`` where there is no solution."""

    contingency: int  # position, or INTACT
    load_mw: float  # at the site
    words: str
    status: Status
    flags: tuple[str, ...] = ()
    losses_mw: float = np.nan
    site_voltage_pu: float = np.nan
    least_voltage_pu: float = np.nan
    least_voltage_bus: str = ""
    largest_voltage_pu: float = np.nan
    largest_voltage_bus: str = ""
    below: int = 0  # buses whose voltage is below their limit
    above: int = 0  # buses whose voltage is above their limit
    loading: float = np.nan  # largest current, as a share of that at the rating
    loaded_branch: str = ""
    at_reactive_limit: int = 0  # units
    share: float = 1.0  # of the dispatch that was asked for, the rest in proportion: below 1 DC limits may be broken

    @property
    def found(self) -> bool:
        """Return whether there is an AC solution."""
        return self.status in {"solved", "beyond reactive limits"}

    def dispatch_words(self) -> str:
        """Return how much of the dispatch is that of least cost."""
        return f"dispatch {100 * self.share:.0f} % least-cost"


@dataclass(frozen=True, slots=True)
class AcReport:
    """The network without the load, with it, and with it after each outage."""

    bus: str
    load_mw: float
    hour: str
    rows: tuple[AcRow, ...]
    notices: tuple[str, ...]

    @property
    def flagged(self) -> int:
        """Return the number of states with the load that have a flag."""
        return sum(bool(row.flags) for row in self.rows[1:])

    def words(self) -> str:
        """Return the outcome in a sentence."""
        states = len(self.rows) - 1
        return (
            f"{self.flagged} of {states} states with {self.load_mw:g} MW at bus {self.bus} are flagged{self._beside()}"
        )

    def _beside(self) -> str:
        """Return what the base without the load says of the losses, or of the flags where it has no solution."""
        base, first = self.rows[:2]
        lacks = ["DC dispatch" if row.status == "no dispatch" else "AC solution" for row in (base, first)]
        if not base.found:
            return f"; the base without the load has no {lacks[0]}: this says nothing of the site"
        if not first.found:
            return f"; with the load there is no {lacks[1]} even without an outage, without it there is one"
        words = f"; losses without an outage change by {first.losses_mw - base.losses_mw:+.1f} MW"
        apart = first.share != base.share  # then the losses are those of another dispatch too
        return f"{words}, in part because the dispatch was moved" if apart else words

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        content = asdict(self)
        for row in content["rows"]:
            row |= {name: None for name, value in row.items() if isinstance(value, float) and np.isnan(value)}
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_json` wrote."""
        made = tuple(_row_of(row) for row in content["rows"])
        return cls(**{**content, "rows": made, "notices": tuple(content["notices"])})


def _row_of(content: Mapping[str, Any]) -> AcRow:
    values: dict[str, Any] = {name: np.nan if value is None else value for name, value in content.items()}
    return AcRow(**{**values, "flags": tuple(values["flags"])})


def ac_check(  # noqa: PLR0913 (the state, then by name how it is looked at)
    case: SitingCase,
    contingencies: Contingencies,
    bus: int,
    load_mw: float,
    hour: int,
    *,
    dispatch: Dispatcher | None = None,
    outages: Sequence[int] | None = None,
    power_factor: float = POWER_FACTOR,
    progress: Progress | None = None,
) -> AcReport:
    """Return AC power flows with a load at ``bus`` (position) in one hour (position) of the case.

    ``dispatch`` gives the DC dispatch of each state, such as a certificate of the gate; by default the least-cost one
    that keeps every limit. ``outages`` are positions among the contingencies; by default the ten after which the base
    dispatch loads a branch most. Raises QuestionError for a bus, hour or power factor that is none.
    """
    network = case.network
    if not 0 <= bus < len(network.buses.ids) or not network.buses.in_service[bus]:
        raise QuestionError(f"bus position {bus} is not a bus in service")
    if not 0 <= hour < len(case) or not 0.0 < power_factor <= 1.0 or not load_mw >= 0.0:
        raise QuestionError(
            f"an AC check needs an hour of the case, a load of 0 MW or more and a power factor above 0 and at most 1; "
            f"found hour {hour + 1}, {load_mw:g} MW, {power_factor:g}"
        )
    given = dispatch or least_cost(case, contingencies, bus, hour)
    shares = SHARES if dispatch is None else SHARES[:1]  # somebody else's dispatch is taken as it is
    base = given(INTACT, load_mw)
    chosen = outages
    if chosen is None:
        chosen = [] if base is None else worst_outages(case, contingencies, bus, load_mw, hour, base)
    states = [(INTACT, 0.0), (INTACT, load_mw), *((int(outage), load_mw) for outage in chosen)]
    flow = AcFlow.of(case, hour, bus)
    reactive = float(np.sqrt(1.0 / power_factor**2 - 1.0))  # Mvar per MW
    rows: list[AcRow] = []
    for done, (outage, load) in enumerate(states):
        if progress is not None:
            progress(done, len(states))
        made = base if (outage, load) == (INTACT, load_mw) else given(outage, load)
        named = contingencies.words(outage) if outage != INTACT else "no outage"
        row = AcRow(outage, load, named, "no dispatch", ("no DC dispatch keeps every limit",))
        if made is not None:
            branches = contingencies.branches(outage) if outage != INTACT else ()
            even = proportional(case, contingencies, hour, outage, made)
            found, share = _nearest(flow, made, even, shares, (load, load * reactive), branches)
            tried = "" if len(shares) == 1 else ", at least cost or in proportion"
            lacks = replace(row, status="no solution", flags=(f"no AC solution was found{tried}",))
            before = rows[0] if rows else None
            row = lacks if found is None else _row(replace(row, share=share), network, bus, found, before)
        rows.append(row)
    if progress is not None:
        progress(len(states), len(states))
    return AcReport(
        network.buses.ids[bus],
        load_mw,
        case.labels[hour],
        tuple(rows),
        _notices(network, power_factor, moved=len(shares) > 1),
    )


def _nearest(  # noqa: PLR0913, PLR0917 (a state)
    flow: AcFlow,
    asked: Vector,
    even: Vector,
    shares: Sequence[float],
    load: tuple[float, float],
    lost: Sequence[int],
) -> tuple[AcSolution | None, float]:
    """Return the AC solution of the dispatch nearest to that asked for, and its share of it; None where none solves."""
    for share in shares:
        dispatch = share * asked + (1.0 - share) * even
        found = flow.solve(dispatch, load, lost)
        if found is not None:
            return found, share
        if np.abs(even - asked).max(initial=0.0) < _MOVED_MW:
            break
    return None, 0.0


def proportional(
    case: SitingCase, contingencies: Contingencies, hour: int, contingency: int, dispatch_mw: Vector
) -> Vector:
    """Return the dispatch (G,), MW, with the sum of another, in which every unit uses the same part of its range.

    A lost unit makes nothing. Beyond what the others can make together they all make their largest.
    """
    least, largest = case.least_mw[hour].copy(), case.largest_mw[hour].copy()
    unit = contingencies.unit(contingency) if contingency != INTACT else -1
    if unit >= 0:
        least[unit] = largest[unit] = 0.0
    room = largest - least
    part = (float(dispatch_mw.sum()) - float(least.sum())) / max(float(room.sum()), _RUNNING_MW)
    even: Vector = least + min(max(part, 0.0), 1.0) * room
    return even


def least_cost(case: SitingCase, contingencies: Contingencies, bus: int, hour: int) -> Dispatcher:
    """Return the dispatches of least cost in an hour, within every limit that is left after the loss; ratings are A."""
    network = case.network

    def dispatch(contingency: int, load_mw: float) -> Vector | None:
        least, largest = case.least_mw[hour].copy(), case.largest_mw[hour].copy()
        used = network
        if contingency != INTACT:
            unit, lost = contingencies.unit(contingency), list(contingencies.branches(contingency))
            if unit >= 0:
                least[unit] = largest[unit] = 0.0
            else:
                table = network.tables.branches.copy()
                table.loc[table.index[lost], "in_service"] = False
                used = Network.from_tables(network.tables.with_table("branches", table))
        load = case.demand_mw[hour] - shunt_mw(network)
        load[bus] += load_mw
        try:
            return dc_opf(used, DcOpfOptions(load_mw=load, p_min_mw=least, p_max_mw=largest)).dispatch_mw
        except InfeasibleError:
            return None

    return dispatch


def worst_outages(  # noqa: PLR0913, PLR0917 (a state)
    case: SitingCase, contingencies: Contingencies, bus: int, load_mw: float, hour: int, dispatch_mw: Vector
) -> list[int]:
    """Return the ten contingencies after which some branch is loaded most in DC terms, before any redispatch.

    What a lost unit made is made by the others, in proportion to the room that they have left.
    """
    network, outages = case.network, contingencies.outages
    factors = outages.factors
    drawn = case.demand_mw[hour].copy()
    drawn[bus] += load_mw
    flow = factors.flows(_at_buses(network, dispatch_mw) - drawn)
    limit = network.branches.rating_a_mw
    loading = np.zeros(len(contingencies))
    for start, moved in outages.blocks():
        rows = slice(start, start + len(moved))
        after = flow[rows, np.newaxis] + outages.by_outage(moved * flow[outages.lost_branch])
        loading[: len(outages)] = np.maximum(
            loading[: len(outages)], (np.abs(after) / limit[rows, np.newaxis]).max(axis=0, initial=0.0)
        )
    room = np.maximum(case.largest_mw[hour] - dispatch_mw, 0.0)
    for at, unit in enumerate(contingencies.units.tolist()):
        if abs(dispatch_mw[unit]) <= _RUNNING_MW:
            continue
        others = np.where(np.arange(len(room)) == unit, 0.0, room)
        change = others * (dispatch_mw[unit] / max(float(others.sum()), _RUNNING_MW))
        change[unit] = -dispatch_mw[unit]
        after = factors.flows(_at_buses(network, dispatch_mw + change) - drawn)
        loading[len(outages) + at] = (np.abs(after) / limit).max(initial=0.0)
    distinct = contingencies.distinct
    worst: list[int] = distinct[np.argsort(-loading[distinct], kind="stable")[:WORST]].tolist()
    return worst


def _at_buses(network: Network, dispatch_mw: Vector) -> Vector:
    return np.bincount(network.units.bus, weights=dispatch_mw, minlength=len(network.buses.ids)).astype(np.float64)


def _notices(network: Network, power_factor: float, *, moved: bool) -> tuple[str, ...]:
    """Return what must be known to read the rows."""
    units, branches = network.tables.units, network.tables.branches
    unknown = int(((units["q_min_mvar"] == 0) & (units["q_max_mvar"] == 0)).sum())
    held = (
        "the voltage that is filed for their bus"
        if solved_voltages(network)
        else "the set point that is filed for them"
    )
    charging = int(((branches["kind"] != "line") & (branches["charging_pu"] != 0)).sum())
    found = (
        (True, "an AC power flow flags and never gates"),
        (
            moved,
            "each state has its least-cost dispatch within DC limits; where that has no AC solution it is moved "
            "towards one in proportion to what units can make, and its DC limits may then be broken",
        ),
        (True, "reactive loads keep the power factor that is filed at their bus"),
        (True, f"the new load has a power factor of {power_factor:g}, drawing reactive power (assumed)"),
        (True, "units without output are off and hold no voltage; losses are shared by the room of running units"),
        (unknown > 0, f"{unknown} units have no reactive range filed: they hold no voltage"),
        (True, f"running units hold {held}, within their reactive limits"),
        (charging > 0, f"the charging of {charging} transformers is left out"),
    )
    return tuple(words for true, words in found if true)


def _buses(many: int) -> str:
    return f"{many} bus is" if many == 1 else f"{many} buses are"


def _row(row: AcRow, network: Network, site: int, found: AcSolution, before: AcRow | None) -> AcRow:
    """Return a row with what its solution says, beside that ``before``: no outage, without the load."""
    buses, voltage = network.tables.buses, found.voltage_pu
    low, high = buses["v_min_pu"].to_numpy() - _VOLTAGE_PU, buses["v_max_pu"].to_numpy() + _VOLTAGE_PU
    below, above = int((voltage < low).sum()), int((voltage > high).sum())
    were = (f" ({before.below} without it)", f" ({before.above} without it)") if before and before.found else ("", "")
    units, unit = network.tables.units, found.reference
    limits = float(units["q_min_mvar"].iloc[unit]), float(units["q_max_mvar"].iloc[unit])
    past = max(limits[0] - found.reactive_mvar[unit], found.reactive_mvar[unit] - limits[1], 0.0)
    beyond = np.maximum(found.reactive_mvar - units["q_max_mvar"], units["q_min_mvar"] - found.reactive_mvar).to_numpy()
    most = int(np.where(np.abs(found.output_mw) > _RUNNING_MW, beyond, -np.inf).argmax())
    named = f"unit {network.units.ids[most]} at bus {network.buses.ids[network.units.bus[most]]}"
    worst, lowest, highest = int(found.loading.argmax()), int(np.nanargmin(voltage)), int(np.nanargmax(voltage))
    within = found.status == "solved"
    loaded = network.branches.ids[worst]
    flags = (
        (row.share < 1.0, f"{row.dispatch_words()}: less moved has no AC solution; its DC limits may be broken"),
        (not within, f"solved only with units beyond their reactive limits, most by {beyond[most]:.0f} Mvar: {named}"),
        (within and past > REACTIVE_MVAR, f"the reference unit is {past:.0f} Mvar beyond its reactive limits"),
        (below > 0, f"{_buses(below)} below the lowest voltage{were[0]}"),
        (above > 0, f"{_buses(above)} above the highest voltage{were[1]}"),
        (found.loading[worst] > 1.0, f"branch {loaded} carries {100 * found.loading[worst]:.0f} % of its rating"),
        (found.beyond_mw > 0, f"running units have no room for {found.beyond_mw:.0f} MW of losses"),
    )
    return replace(
        row,
        status=found.status,
        flags=tuple(words for true, words in flags if true),
        losses_mw=found.losses_mw,
        site_voltage_pu=float(voltage[site]),
        least_voltage_pu=float(voltage[lowest]),
        least_voltage_bus=network.buses.ids[lowest],
        largest_voltage_pu=float(voltage[highest]),
        largest_voltage_bus=network.buses.ids[highest],
        below=below,
        above=above,
        loading=float(found.loading[worst]),
        loaded_branch=loaded,
        at_reactive_limit=int(found.at_limit.sum()),
    )
