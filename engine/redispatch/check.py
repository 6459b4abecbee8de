"""An independent check of what redispatch is said to allow, in bus angles: nothing of the programs of the answers.

A dispatch is judged by its own power flow, an optimum by a program solved from nothing
(:mod:`engine.redispatch.angles`), a proof by weak duality, its prices from the check's own equations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import SolverError
from engine.network.model import Integers, Network, Vector
from engine.redispatch.angles import AngleModel, AngleProgram, Held, limited_buses, rated_branches
from engine.redispatch.largest import LargestLoads
from engine.redispatch.limits import Raised, Sides
from engine.redispatch.states import State

_NO_OVERLOAD = 1e-6  # relative
_LEEWAY = 1e-7  # of a limit, so that limits that are raised can be reached together in spite of rounding
_ROUNDING = 1e-9  # of largest outputs, so that units that add up to the load can serve it
_COUNTS = 1e-6  # share of the overload's weight from which a multiplier is not rounding


@dataclass(frozen=True, slots=True)
class LargestCheck:
    """What this module finds about one bus of :class:`~engine.redispatch.largest.LargestLoads`."""

    overload: float  # relative, of the recorded dispatch at the recorded load
    off_balance_mw: float
    outside_mw: float  # how far an output lies outside its unit's limits
    bound_mw: float  # what the recorded multipliers prove, by prices made here; -inf: nothing is possible
    optimum_mw: float  # of the program solved here; nan: nothing is possible
    outages: int = 0  # after how many of them the dispatch was judged


def most_step_mw(network: Network, state: State, direction: Vector) -> float:
    """Return the largest step along ``direction`` (B,), in MW per MW of it; nan where there is none at all."""
    found = AngleProgram.of(AngleModel.of(network), state, direction, stretch=False).solve(overload=False)
    return np.nan if found is None else -found.value


def least_overload(
    network: Network, state: State, extra_mw: Vector, *, stretch_units: bool = False, raised: Raised | None = None
) -> float:
    """Return the least relative overload with ``extra_mw`` (B,) added, -1 at least; inf: units cannot balance it.

    With ``stretch_units`` the largest outputs count as limits that can be overloaded too. Limits that are ``raised``
    allow so much more.
    """
    added = replace(state, demand_mw=state.demand_mw + extra_mw, raised=raised)
    program = AngleProgram.of(AngleModel.of(network), added, np.zeros_like(extra_mw), stretch=stretch_units)
    found = program.solve(overload=True)
    return np.inf if found is None else found.value


def what_is_held(network: Network, state: State) -> Raised | None:
    """Return what limits must be raised to before any addition, the others kept: lexicographically the least overloads.

    Largest outputs only where they add up to less than the load, in proportion. One program after another, each solved
    from nothing; without outages. None: some dispatch keeps every limit.
    """
    model, none = AngleModel.of(network), np.zeros(len(network.buses.ids))
    key: list[tuple[int, int, int]] = []
    mw, size = np.zeros(0), np.abs(state.largest_mw)
    short = max(0.0, float(state.demand_mw.sum() - state.largest_mw.sum())) / size.sum()
    units = (short + _ROUNDING) * size
    while True:
        sides = Sides(
            *(np.array([one[part] for one in key], dtype=kind) for part, kind in enumerate((int, int, float)))
        )
        raised = Raised(sides, mw, units, fixed=True)
        program = AngleProgram.of(model, replace(state, raised=raised), none, stretch=False)
        found = program.solve(overload=True)
        if found is None:
            raise SolverError(f"the check finds no dispatch in {state.words}, however far limits are exceeded")
        if found.value <= _NO_OVERLOAD:
            return replace(raised, fixed=False) if key or short > _NO_OVERLOAD else None
        weight = found.multiplier * program.scale_mw
        new = np.flatnonzero(weight > _COUNTS * weight.sum())
        key += [program.keys[place] for place in new.tolist()]
        mw = np.concatenate([mw, (found.value + _LEEWAY) * program.scale_mw[new]])


def dispatch_overload(  # noqa: PLR0913 (all but the dispatch is what it is judged by)
    held: Held,
    state: State,
    dispatch_mw: Vector,
    extra_mw: Vector,
    outages: Sequence[Sequence[int]] = (),
    *,
    raised: Raised | None = None,
) -> float:
    """Return the largest relative overload of one dispatch (G,), before and after the ``outages``."""
    network = held.network
    generation = np.bincount(network.units.bus, weights=dispatch_mw, minlength=len(network.buses.ids))
    drawn = state.demand_mw + extra_mw - generation
    worst = -1.0
    for place, lost in enumerate(((), *outages)):
        model = AngleModel.of(network, lost)
        worst = max(worst, held.overload(model.flow_mw(-drawn), drawn, model.live, outage=place - 1, raised=raised))
    return worst


def check_largest(
    network: Network,
    loads: LargestLoads,
    place: int,
    outages: Sequence[Sequence[int]] = (),
    *,
    most_outages: int | None = None,
) -> LargestCheck:
    """Return the check of one bus; ``outages`` are the branches lost of each of the record's outages, in order.

    The optimum is that without outages; with outages it is an upper bound of the record's. Each outage takes a
    factorisation of its own: of more than ``most_outages`` the dispatch is judged after those that the multipliers
    count.
    """
    judged = list(range(len(outages)))
    if most_outages is not None and len(judged) > most_outages:
        named = np.unique(loads.sides.outage[loads.first[place] : loads.first[place + 1]])
        judged = named[named >= 0].tolist()
    state, bus = loads.state, int(loads.buses[place])
    direction = np.eye(1, len(network.buses.ids), bus)[0]
    dispatch, most = loads.dispatch_mw[place], float(np.nan_to_num(loads.most_mw[place]))
    outside = np.maximum(state.least_mw - dispatch, dispatch - state.largest_mw).max(initial=0.0)
    return LargestCheck(
        overload=dispatch_overload(
            Held(network), state, dispatch, most * direction, [outages[lost] for lost in judged]
        ),
        off_balance_mw=abs(float(dispatch.sum() - state.demand_mw.sum() - most)),
        outside_mw=float(outside),
        bound_mw=proved_mw(network, loads, place, outages),
        optimum_mw=most_step_mw(network, state, direction),
        outages=len(judged),
    )


def proved_mw(network: Network, loads: LargestLoads, place: int, outages: Sequence[Sequence[int]] = ()) -> float:
    """Return what the recorded multipliers of one bus prove its largest load to be at most; -inf: impossible."""
    own = np.arange(loads.first[place], loads.first[place + 1])
    row, outage, sign = loads.sides.row[own], loads.sides.outage[own], loads.sides.sign[own]
    held, price, fixed = Held(network), np.full(len(network.buses.ids), float(loads.energy[place])), 0.0
    for lost in np.unique(outage).tolist():
        model = AngleModel.of(network, () if lost < 0 else outages[lost])
        mine = np.flatnonzero(outage == lost)
        weight, at_bus, limit = _weights(held, row[mine], sign[mine] * loads.multiplier[own[mine]], after=lost >= 0)
        price += model.price_of(weight) + at_bus
        # A shifter alone drives flows: the injections that would cancel it at its ends are drawn from the limit.
        fixed += limit - float(weight @ model.flow_mw(np.zeros(len(price))))
    state = loads.state
    at_units = price[network.units.bus]
    supply = np.minimum(at_units * state.least_mw, at_units * state.largest_mw).sum()
    floor = float(supply - price @ state.demand_mw) - fixed
    slope = -float(price[loads.buses[place]])
    if slope > 1e-12:
        return -floor / slope
    return -np.inf if floor > 0.0 else np.inf


def _weights(held: Held, row: Integers, signed: Vector, *, after: bool) -> tuple[Vector, Vector, float]:
    """Return the weights on branch flows (L,) and on injections (B,) of the rows, and what the limits sum to.

    Rows count rated branches in service, then interfaces, then buses in service with a withdrawal limit.
    """
    network = held.network
    ends, lists, buses = network.branches, network.interfaces, network.buses
    rated, limited = rated_branches(network), limited_buses(network)
    flow, at_bus, total = np.zeros(len(ends.ids)), np.zeros(len(buses.ids)), 0.0
    for place, amount in zip(row.tolist(), signed.tolist(), strict=True):
        if place < len(rated):
            flow[rated[place]] += amount
            total += abs(amount) * float(held.branch_mw(after=after)[rated[place]])
        elif place < len(rated) + len(lists.ids):
            at = place - len(rated)
            flow += amount * lists.weights[[at]].toarray()[0]
            total += amount * float(lists.upper_mw[at] if amount > 0 else lists.lower_mw[at])
        else:
            bus = limited[place - len(rated) - len(lists.ids)]
            at_bus[bus] -= amount  # an injection there lowers what flows in
            total += amount * float(buses.withdrawal_limit_mw[bus])
    # The reference bus balances: prices are counted from it, and so is a withdrawal limit there.
    reference = at_bus[network.slack]
    return flow, at_bus - reference, total
