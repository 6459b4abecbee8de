"""An AC power flow of one hour of a siting case, from a DC dispatch, by pandapower's Newton-Raphson method.

L. Thurner et al., "pandapower - An Open-Source Python Tool for Convenient Modeling, Analysis, and Optimization of
Electric Power Systems", IEEE Trans. Power Systems 33(6), 2018. Running units hold a voltage (:func:`held_voltage`);
those whose reactive output would pass its limits stay at the limit, the worst ones first, and hold their voltage again
where it has come back to the other side of what they hold. Losses, which a DC dispatch has not, are shared among the
running units by the room that each has left, from the first iteration on: those of the DC flows, r P², come near, and
all of them at the reference unit would upset the voltages around it.

What was tried on synthetic Texas at least cost, hour 16 of 2016-08-09 (65 GW, 1.7 GW of losses), with all losses at the
reference unit: Newton-Raphson, with Iwamoto's multiplier too, and both fast decoupled methods, each from DC angles and
from a flat start. None finds a solution, before any reactive limit is looked at and with shunts and taps as filed. With
the losses shared first all of them find the same. pandapower's distributed slack refuses buses that take no share.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Network, Vector
from engine.network.pandapower_writer import write_pandapower
from engine.network.tables import NetworkTables
from engine.siting.case import SitingCase

REACTIVE_MVAR = 0.05  # outside a reactive limit by less than this counts as at it
_RUNNING_MW = 1e-6
_LOSS_MW = 0.5  # what the reference unit may make more than its share
_LOSS_ROUNDS = 8
_LIMIT_ROUNDS = 40
_MOST_RELEASES = 2  # of one bus from its reactive limit
_WORST_SHARE = 0.3  # buses beyond this share of the worst excess are set to their limits together
_VOLTAGE_PU = 1e-5
_STARTS = ("dc", "flat")  # of the iteration
_MOST_ITERATIONS = 30

Status = Literal["solved", "beyond reactive limits", "no solution"]


@dataclass(frozen=True, slots=True, eq=False)
class AcSolution:
    """An operating point."""

    status: Status  # one of the first two
    voltage_pu: Vector  # (B,), nan for a bus out of service
    loading: Vector  # (L,), current as a share of that at rating A and nominal voltage; 0 without a rating
    losses_mw: float
    output_mw: Vector  # (G,), losses included
    reactive_mvar: Vector  # (G,)
    at_limit: Flags  # (G,), running units that stay at a reactive limit
    reference: int  # the unit, by position, that balances what is left; its reactive output has no limit
    beyond_mw: float  # losses that running units have no room for; the reference unit makes them


@dataclass(slots=True, eq=False)
class AcFlow:
    """A pandapower network of one hour; dispatch, load at the site and outage change from state to state."""

    case: SitingCase
    hour: int
    net: Any
    place: Mapping[str, tuple[str, int]]  # branch id -> (table of pandapower, row)
    site_load: Any  # the row of pandapower's table of loads that is the site's
    bus_index: list[Any]  # (B,), pandapower's
    own_load: tuple[float, float]  # MW and Mvar at the site without the new load
    site: int  # the bus, by position
    factors: Factors  # of the DC flows

    @classmethod
    def of(cls, case: SitingCase, hour: int, bus: int) -> Self:
        """Return the power flow of an hour (position) with a site at ``bus`` (position)."""
        tables, own = _tables(case, hour, bus)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of pandapower's own imports
            import pandapower  # noqa: PLC0415 (takes seconds)

            net = pandapower.from_json_string(write_pandapower(tables).decode(), convert=True)
            net.ext_grid["in_service"] = False  # a running unit is the reference
            pandapower.create_sgens(net, net.gen["bus"], p_mw=0.0, q_mvar=0.0, in_service=False)
        place = {name: (table, row) for table in ("line", "trafo") for row, name in net[table]["name"].items()}
        index = net.bus.index.tolist()
        load = net.load.index[net.load["bus"] == index[bus]][0]
        return cls(case, hour, net, place, load, index, own, bus, Factors.of(case.network))

    def solve(self, dispatch_mw: Vector, load: tuple[float, float], lost: Sequence[int]) -> AcSolution | None:
        """Return the operating point of a DC dispatch (G,) with a new load (MW, Mvar) and branches lost (positions).

        None where none is found. A solution that needs units beyond their reactive limits says so.
        """
        net, branches = self.net, self.case.network.branches
        net.load.loc[self.site_load, ["p_mw", "q_mvar"]] = [self.own_load[0] + load[0], self.own_load[1] + load[1]]
        away = [self.place[branches.ids[branch]] for branch in lost if branches.in_service[branch]]
        for table, at in away:
            net[table].loc[at, "in_service"] = False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pandapower's own
                return self._solved(dispatch_mw, load[0])
        finally:
            for table, at in away:
                net[table].loc[at, "in_service"] = True

    def _solved(self, dispatch_mw: Vector, load_mw: float) -> AcSolution | None:
        running = np.abs(dispatch_mw) > _RUNNING_MW
        if not running.any():
            return None
        reference = int(np.where(running, self.case.largest_mw[self.hour], -np.inf).argmax())
        gen = self.net.gen
        gen["slack"] = np.arange(len(gen)) == reference
        gen["slack_weight"] = gen["slack"].astype(float)
        point = _Point(self, running, reference, dispatch_mw.copy(), np.zeros(len(self.bus_index), dtype=np.intp))
        point.share(self._dc_losses_mw(dispatch_mw, load_mw))
        # Reactive limits only once the losses are right: what they upset would be set to limits too.
        if point.with_losses(limited=False) is None:
            return None
        free = point.output_mw.copy()
        beyond = point.with_losses(limited=True)
        if beyond is not None:
            return point.read("solved", beyond)
        point.output_mw, point.side[:] = free, 0
        beyond = point.with_losses(limited=False)
        return None if beyond is None else point.read("beyond reactive limits", beyond)

    def _dc_losses_mw(self, dispatch_mw: Vector, load_mw: float) -> float:
        """Return the losses of the DC flows without the outage, MW: r P² of every branch, at 1 pu."""
        network = self.case.network
        made = np.bincount(network.units.bus, dispatch_mw, len(network.buses.ids)) - self.case.demand_mw[self.hour]
        made[self.site] -= load_mw
        flow = np.where(network.branches.in_service, self.factors.flows(made), 0.0)
        return float(network.tables.branches["resistance_pu"].to_numpy() @ flow**2) / network.base_mva


@dataclass(slots=True, eq=False)
class _Point:
    """One operating point on its way: outputs, and the buses whose units stay at a reactive limit."""

    flow: AcFlow
    running: Flags  # (G,)
    reference: int
    output_mw: Vector  # (G,)
    side: Integers  # (B,), 1 at the largest reactive output, -1 at the least, 0 for held voltage

    def with_losses(self, *, limited: bool) -> float | None:
        """Solve, losses shared among the running units; return what they have no room for, None: no solution."""
        beyond = 0.0
        for _ in range(_LOSS_ROUNDS):
            if not (self._within_limits() if limited else self._run(_STARTS)):
                return None
            beyond = float(self.flow.net.res_gen["p_mw"].iloc[self.reference]) - self.output_mw[self.reference]
            if abs(beyond) <= _LOSS_MW or self.share(beyond) <= _LOSS_MW:
                break
        return beyond if beyond > _LOSS_MW else 0.0

    def share(self, losses_mw: float) -> float:
        """Add losses (below 0: take back) to the running units by the room of each; return how much found room, MW."""
        case, hour = self.flow.case, self.flow.hour
        free = case.largest_mw[hour] - self.output_mw if losses_mw > 0 else self.output_mw - case.least_mw[hour]
        room = np.where(self.running, np.maximum(free, 0.0), 0.0)
        moved = min(abs(losses_mw), float(room.sum()))
        if moved > 0.0:
            self.output_mw += np.copysign(moved, losses_mw) * room / room.sum()
        return moved

    def read(self, status: Status, beyond_mw: float) -> AcSolution:
        """Return the operating point that was solved last."""
        net, network = self.flow.net, self.flow.case.network
        voltage = net.res_bus["vm_pu"].loc[self.flow.bus_index].to_numpy(dtype=np.float64)
        loading = np.zeros(len(network.branches.ids))
        where = {name: at for at, name in enumerate(network.branches.ids)}
        for table in ("line", "trafo"):
            order = [where[name] for name in net[table]["name"].tolist()]
            loading[order] = np.nan_to_num(net[f"res_{table}"]["loading_percent"].to_numpy()) / 100.0
        held = self._held()
        return AcSolution(
            status=status,
            voltage_pu=np.where(network.buses.in_service, voltage, np.nan),
            loading=np.where(np.isfinite(network.branches.rating_a_mw), loading, 0.0),
            losses_mw=sum(float(np.nansum(net[f"res_{table}"]["pl_mw"])) for table in ("line", "trafo")),
            output_mw=np.where(held, np.nan_to_num(net.res_gen["p_mw"].to_numpy()), self.output_mw),
            reactive_mvar=self._reactive(),
            at_limit=self.running & ~held,
            reference=self.reference,
            beyond_mw=beyond_mw,
        )

    def _within_limits(self) -> bool:
        """Solve with reactive outputs within their limits; False where that is not found."""
        network = self.flow.case.network
        bus, size = network.units.bus, len(network.buses.ids)
        if not self._run(_STARTS):
            return False
        low, high = (np.bincount(bus, np.where(self.running, part, 0.0), size) for part in _reactive_limits(network))
        set_point = np.zeros(size)
        set_point[bus] = self.flow.net.gen["vm_pu"].to_numpy()
        has = np.bincount(bus, self.running, size) > 0
        has[bus[self.reference]] = False
        releases = np.zeros(size, dtype=np.intp)
        for _ in range(_LIMIT_ROUNDS):
            made = np.bincount(bus, np.where(self.running, self._reactive(), 0.0), size)
            excess = np.where(has & (self.side == 0), np.maximum(made - high, low - made), 0.0)
            voltage = self.flow.net.res_bus["vm_pu"].loc[self.flow.bus_index].to_numpy()
            back = (self.side != 0) & (self.side * (voltage - set_point) > _VOLTAGE_PU) & (releases < _MOST_RELEASES)
            hit = excess > max(REACTIVE_MVAR, _WORST_SHARE * float(excess.max(initial=0.0)))
            if not hit.any() and not back.any():
                return True
            releases += back
            self.side[back] = 0
            self.side[hit] = np.where(made[hit] > high[hit], 1, -1)
            if not self._run(("results", *_STARTS)):
                return False
        return False

    def _held(self) -> Flags:
        """Return the running units (G,) that hold a voltage."""
        held: Flags = self.running & (self.side[self.flow.case.network.units.bus] == 0)
        return held

    def _reactive(self) -> Vector:
        """Return the reactive outputs (G,)."""
        net = self.flow.net
        return np.where(self._held(), np.nan_to_num(net.res_gen["q_mvar"].to_numpy()), self._at_limit())

    def _at_limit(self) -> Vector:
        network = self.flow.case.network
        least, largest = _reactive_limits(network)
        side = self.side[network.units.bus]
        return np.where(self.running & (side != 0), np.where(side > 0, largest, least), 0.0)

    def _run(self, starts: Sequence[str]) -> bool:
        """Solve with units at their outputs, holding voltages or at their limits; False where no start leads there."""
        import pandapower  # noqa: PLC0415

        net, held = self.flow.net, self._held()
        net.gen["p_mw"], net.gen["in_service"] = self.output_mw, held
        net.sgen["p_mw"], net.sgen["q_mvar"] = self.output_mw, self._at_limit()
        net.sgen["in_service"] = self.running & ~held
        for start in starts:
            try:
                pandapower.runpp(net, init=start, max_iteration=_MOST_ITERATIONS, numba=False)
            except pandapower.LoadflowNotConverged:
                continue
            return True
        return False


def shunt_mw(network: Network) -> Vector:
    """Return the shunts (B,) in service, MW at 1 pu."""
    return np.where(network.buses.in_service, network.buses.shunt_mw, 0.0)


def solved_voltages(network: Network) -> bool:
    """Return whether the network files voltages of its buses, as after a power flow."""
    return bool((network.tables.buses["voltage_pu"] != 1.0).any())


def held_voltage(network: Network) -> Vector:
    """Return the voltages (B,) that units hold at their buses, pu; 1 at a bus without units.

    That which is filed for the bus, if the network files voltages: set points of units that were off there need not
    go together, and neighbours would drive reactive power round. Else the set point of the largest unit of the bus.
    """
    if solved_voltages(network):
        return network.tables.buses["voltage_pu"].to_numpy(dtype=np.float64, copy=True)
    held = np.ones(len(network.buses.ids))
    order = np.argsort(network.units.p_max_mw, kind="stable")  # the largest last: it is what stays
    held[network.units.bus[order]] = network.tables.units["voltage_pu"].to_numpy(dtype=np.float64)[order]
    return held


def _reactive_limits(network: Network) -> tuple[Vector, Vector]:
    units = network.tables.units
    return units["q_min_mvar"].to_numpy(dtype=np.float64), units["q_max_mvar"].to_numpy(dtype=np.float64)


def _tables(case: SitingCase, hour: int, bus: int) -> tuple[NetworkTables, tuple[float, float]]:
    """Return the tables with the hour's loads, and the load at the site, MW and Mvar.

    The site gets a load of its own in any case, so that pandapower has a row for it.
    """
    network = case.network
    tables, filed = network.tables, network.buses.load_mw
    load = case.demand_mw[hour] - shunt_mw(network)
    scale = np.where(filed != 0.0, load / np.where(filed != 0.0, filed, 1.0), 1.0)
    reactive = tables.buses["load_mvar"].to_numpy(dtype=np.float64) * scale
    own = float(load[bus]), float(reactive[bus])
    if own == (0.0, 0.0):
        load[bus] = 1.0  # overwritten in each state
    held = held_voltage(network)[network.units.bus]
    units = tables.units.assign(in_service=True, voltage_pu=held)  # what runs is said by each dispatch
    buses = tables.buses.assign(load_mw=load, load_mvar=reactive)
    return tables.with_table("buses", buses).with_table("units", units), own
