"""Every problem of a network's tables at once, each with its element, its value and the limit it breaks.

Errors are what no computation can take; warnings change what a result means; notes are counts worth knowing.
"""

import math
from collections.abc import Iterable
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.errors import Problem
from engine.network.checking import CheckedTable
from engine.network.list_checks import contingency_problems, interface_problems
from engine.network.tables import NetworkTables, cost_points

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LONGEST_MW = 1e9  # from here on in powers of ten
_LIMIT_SLACK_MW = 1e-6  # an output this far outside its limits is rounding in the file
_LEAST_REACTANCE_PU = 1e-9  # published jumpers have 1e-6 and more
_LEAST_TAP = 1e-3
_CONVEX_TOLERANCE = 1e-4  # relative to the steepest slope; published cost points are rounded


def check(tables: NetworkTables) -> list[Problem]:
    """Return every problem of ``tables``: errors first, then warnings, then notes; each kind in table order."""
    found: list[Problem] = []
    if not (math.isfinite(tables.base_mva) and tables.base_mva > 0):
        found.append(Problem("base-mva", "error", f"the base power is {tables.base_mva:g} MVA; it must be above 0"))
    if not len(tables.buses):
        found.append(Problem("empty", "error", "the network has no buses", "buses"))
    with np.errstate(over="ignore", invalid="ignore"):  # sums over numbers that are themselves reported
        for check_table in (_buses, _branches, _units, interface_problems, contingency_problems):
            found.extend(check_table(tables))
        if len(tables.buses):
            found.extend(_slack(tables))
            found.extend(_islands(tables))
            found.extend(_supply(tables))
            found.extend(_reach(tables))
    rank = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda problem: rank[problem.severity])


def _buses(tables: NetworkTables) -> list[Problem]:
    table = CheckedTable(tables, "buses")
    base, limit = table.numbers("base_kv"), table.numbers("withdrawal_limit_mw")
    table.rows(base < 0, "base-kv", "error", "base_kv", lambda row: f"has a base of {base[row]:g} kV; 0 is the least")
    table.rows(limit < 0, "withdrawal-limit", "error", "withdrawal_limit_mw",
               lambda row: f"has a withdrawal limit of {limit[row]:g} MW; 0 is the least")  # fmt: skip
    low, high = table.numbers("v_min_pu"), table.numbers("v_max_pu")
    table.rows(low > high, "voltage-limits", "warning", "v_min_pu",
               lambda row: f"has a lowest voltage of {low[row]:g} pu above its highest, {high[row]:g} pu")  # fmt: skip
    longitude, latitude = table.numbers("longitude"), table.numbers("latitude")
    for column, values, most in (("longitude", longitude, 180.0), ("latitude", latitude, 90.0)):
        wrong = (np.abs(values) > most) & np.isfinite(values)
        table.rows(wrong, "coordinates", "warning", column, partial(_off_the_globe, values, column, most))
    table.rows(np.isnan(longitude) != np.isnan(latitude), "half-coordinates", "warning", "longitude",
               lambda _: "has only one of longitude and latitude")  # fmt: skip
    return table.found


def _branches(tables: NetworkTables) -> list[Problem]:
    table = CheckedTable(tables, "branches")
    known = pd.Index(tables.buses["bus"].unique())
    exists = table.refers("from_bus", known) & table.refers("to_bus", known)
    ends = table.frame["from_bus"].tolist(), table.frame["to_bus"].tolist()
    loop = (table.frame["from_bus"] == table.frame["to_bus"]).to_numpy() & exists
    table.rows(loop, "self-loop", "error", "to_bus", lambda row: f"joins bus {ends[0][row]} to itself")
    reactance = table.numbers("reactance_pu")
    table.rows((reactance == 0) & table.on, "zero-reactance", "error", "reactance_pu",
               lambda _: "has a reactance of 0 pu; linear flow divides by it")  # fmt: skip
    tiny = (reactance != 0) & (np.abs(reactance) < _LEAST_REACTANCE_PU)
    table.rows(tiny & table.on, "tiny-reactance", "error", "reactance_pu",
               lambda row: f"has {reactance[row]:g} pu of reactance; {_LEAST_REACTANCE_PU:g} is the least")  # fmt: skip
    table.rows((reactance < 0) & table.on, "negative-reactance", "warning", "reactance_pu",
               lambda row: f"has a reactance of {reactance[row]:g} pu, below 0: a series capacitor?")  # fmt: skip
    tap = table.numbers("tap_ratio")
    table.rows(tap < _LEAST_TAP, "tap-ratio", "error", "tap_ratio",
               lambda row: f"has a tap ratio of {tap[row]:g}; {_LEAST_TAP:g} is the least, 1 a line's")  # fmt: skip
    kinds = table.frame["kind"]
    table.rows(~kinds.isin(["line", "transformer"]).to_numpy(), "kind", "warning", "kind",
               lambda row: f"is a {kinds.iloc[row]!r}; it counts as a line unless it is a transformer")  # fmt: skip
    _angle_limits(table)
    _ratings(table)
    return table.found


def _angle_limits(table: CheckedTable) -> None:
    low, high = table.numbers("angle_min_deg"), table.numbers("angle_max_deg")
    table.rows(low > high, "angle-limits", "error", "angle_min_deg",
               lambda row: f"has a least angle of {low[row]:g} deg above its largest of {high[row]:g} deg")  # fmt: skip
    table.count((low == 0) & (high == 0), "no-angle-limits", "angle_min_deg",
                "have angle limits of 0 and 0: taken as no limit")  # fmt: skip


def _ratings(table: CheckedTable) -> None:
    a, b, c = (table.numbers(f"rating_{letter}_mw") for letter in "abc")
    for letter, values in zip("abc", (a, b, c), strict=True):
        column = f"rating_{letter}_mw"
        table.rows(values < 0, "negative-rating", "error", column, partial(_below_zero, values, letter))
    missing = (np.isnan(a) | (a == 0) | np.isposinf(a)) & table.on
    table.rows(missing, "unlimited", "warning", "rating_a_mw",
               lambda row: "has no rating A: its flow is not limited" if a[row] != 0
               else "has a rating A of 0 MW, which stands for none: its flow is not limited")  # fmt: skip
    table.count(missing, "unlimited-count", "rating_a_mw", "have no rating A: their flow is not limited")
    for letter, values in (("b", b), ("c", c)):
        fallback = (np.isnan(values) | (values == 0)) & ~missing & table.on
        table.count(fallback, f"rating-{letter}-from-a", f"rating_{letter}_mw",
                    f"have no rating {letter.upper()}: rating A is used")  # fmt: skip
        below = (values < a) & (values > 0) & ~missing
        table.rows(below, "rating-order", "warning", f"rating_{letter}_mw", partial(_below_a, values, letter, a))


def _off_the_globe(values: Vector, column: str, most: float, row: int) -> str:
    return f"has {column} {values[row]:g}, outside -{most:g} to {most:g}"


def _below_zero(values: Vector, letter: str, row: int) -> str:
    return f"has rating {letter.upper()} of {values[row]:g} MW, below 0"


def _below_a(values: Vector, letter: str, a: Vector, row: int) -> str:
    return f"has rating {letter.upper()} of {values[row]:g} MW below rating A of {a[row]:g} MW"


def _units(tables: NetworkTables) -> list[Problem]:
    table = CheckedTable(tables, "units")
    table.refers("bus", pd.Index(tables.buses["bus"].unique()))
    output, low, high = (table.numbers(column) for column in ("p_mw", "p_min_mw", "p_max_mw"))
    table.rows(low > high, "unit-limits", "error", "p_min_mw",
               lambda row: f"has a least output of {low[row]:g} MW above its largest of {high[row]:g} MW")  # fmt: skip
    # A unit filed at 0 MW is off, whatever its least output.
    outside = ((output < low - _LIMIT_SLACK_MW) | (output > high + _LIMIT_SLACK_MW)) & (output != 0) & table.on
    table.rows(outside & (low <= high), "unit-output", "warning", "p_mw",
               lambda row: f"is filed at {output[row]:g} MW, outside {low[row]:g} to {high[row]:g} MW")  # fmt: skip
    q_low, q_high = table.numbers("q_min_mvar"), table.numbers("q_max_mvar")
    table.rows(q_low > q_high, "reactive-limits", "warning", "q_min_mvar",
               lambda row: f"has a least reactive output of {q_low[row]:g} Mvar above its largest")  # fmt: skip
    ramp = table.numbers("ramp_30_min_mw")
    table.rows(ramp < 0, "ramp", "error", "ramp_30_min_mw",
               lambda row: f"has a ramp of {ramp[row]:g} MW in 30 min; 0 is the least")  # fmt: skip
    quadratic = table.numbers("cost_c2_per_mw2h")
    table.rows(quadratic < 0, "cost-not-convex", "warning", "cost_c2_per_mw2h",
               lambda row: f"has a cost c2 of {quadratic[row]:g} $/MW2h, below 0: its cost is not convex")  # fmt: skip
    _points(table)
    return table.found


def _points(table: CheckedTable) -> None:
    for row, cell in enumerate(table.frame["cost_points"].tolist()):
        if not cell.strip():
            continue
        try:
            points = cost_points(cell)
        except ValueError as error:
            reason = f"{table.label(row)} has cost points that cannot be used: {str(error)[:200]}"
            table.found.append(Problem("cost-points", "error", reason, "units", row, "cost_points", table.ids[row]))
            continue
        slopes = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(points)]
        scale = max((abs(slope) for slope in slopes), default=0.0) * _CONVEX_TOLERANCE
        if any(later < earlier - scale for earlier, later in pairwise(slopes)):
            reason = f"{table.label(row)} has cost points with falling slopes: its cost is not convex"
            table.found.append(
                Problem("cost-not-convex", "warning", reason, "units", row, "cost_points", table.ids[row])
            )


def _slack(tables: NetworkTables) -> Iterable[Problem]:
    slack = tables.buses["slack"].to_numpy(dtype=np.bool_)
    rows, ids = np.flatnonzero(slack).tolist(), tables.buses["bus"].tolist()
    if not rows:
        yield Problem("no-slack", "error", "no bus is the slack bus; mark one", "buses", None, "slack")
        return
    for row in rows[1:]:
        message = f"bus {ids[row]} is a second slack bus beside bus {ids[rows[0]]}; a network has one"
        yield Problem("two-slacks", "error", message, "buses", row, "slack", ids[row])
    if not tables.buses["in_service"].iloc[rows[0]]:
        message = f"bus {ids[rows[0]]} is the slack bus and out of service"
        yield Problem("slack-off", "error", message, "buses", rows[0], "slack", ids[rows[0]])


def _islands(tables: NetworkTables) -> Iterable[Problem]:
    """Yield an error for each island of buses in service but the main one: the slack bus's, else the largest."""
    buses, branches = tables.buses, tables.branches
    ids = buses["bus"].tolist()
    on = buses["in_service"].to_numpy(dtype=np.bool_)
    position = pd.Series(np.arange(len(ids)), index=ids)
    position = position[~position.index.duplicated()]
    ends = [position.reindex(branches[column]).to_numpy(dtype=np.float64) for column in ("from_bus", "to_bus")]
    known = np.isfinite(ends[0]) & np.isfinite(ends[1]) & branches["in_service"].to_numpy(dtype=np.bool_)
    a, b = (end[known].astype(np.intp) for end in ends)
    joined = on[a] & on[b]
    a, b = a[joined], b[joined]
    links = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(ids), len(ids)))
    count, label = connected_components(links, directed=False)
    sizes = np.bincount(label[on], minlength=count)
    if np.count_nonzero(sizes) <= 1:
        return
    slack = np.flatnonzero(buses["slack"].to_numpy(dtype=np.bool_) & on)
    main = label[slack[0]] if len(slack) else int(np.argmax(sizes))
    rows = np.flatnonzero(on)
    found, first = np.unique(label[rows], return_index=True)
    for island, row in sorted(zip(found.tolist(), rows[first].tolist(), strict=True), key=lambda pair: pair[1]):
        if island == main:
            continue
        size = int(sizes[island])
        what = "stands alone" if size == 1 else f"and {size - 1} more form an island of {size} buses"
        message = f"bus {ids[row]} {what}: no branch in service leads to the main network of {int(sizes[main])} buses"
        yield Problem("island", "error", message, "buses", row, "bus", ids[row])


def _mw(value: float) -> str:
    return f"{value:,.1f} MW" if abs(value) < _LONGEST_MW else f"{value:g} MW"


def _supply(tables: NetworkTables) -> Iterable[Problem]:
    buses, units = tables.buses, tables.units
    on = buses["in_service"].to_numpy(dtype=np.bool_)
    load = buses["load_mw"].to_numpy(dtype=np.float64) + buses["shunt_mw"].to_numpy(dtype=np.float64)
    load_mw = float(load[on].sum())
    running = units["in_service"].to_numpy(dtype=np.bool_) & ~units["bus"].isin(buses["bus"][~on]).to_numpy()
    most_mw = float(units["p_max_mw"].to_numpy(dtype=np.float64)[running].sum())
    least_mw = float(units["p_min_mw"].to_numpy(dtype=np.float64)[running].sum())
    if most_mw < load_mw - _LIMIT_SLACK_MW:
        message = f"the units in service give at most {_mw(most_mw)}; the load is {_mw(load_mw)}"
        yield Problem("supply", "warning", f"{message}: {_mw(load_mw - most_mw)} cannot be supplied", "units")
    if least_mw > max(load_mw, 0.0) + _LIMIT_SLACK_MW:
        message = f"the least outputs of the units in service add up to {_mw(least_mw)}, above the load of"
        yield Problem("least-output", "warning", f"{message} {_mw(load_mw)}", "units")


def _reach(tables: NetworkTables) -> Iterable[Problem]:
    """Yield a warning for each bus whose load is more than its own units and all its branches can bring together."""
    buses, branches, units = tables.buses, tables.branches, tables.units
    ids = buses["bus"].tolist()
    position = pd.Index(ids)
    if not position.is_unique:
        return  # which bus a branch leads to is not known; the duplicates are errors
    on = buses["in_service"].to_numpy(dtype=np.bool_)
    load = buses["load_mw"].to_numpy(dtype=np.float64) + buses["shunt_mw"].to_numpy(dtype=np.float64)
    ends = [position.get_indexer(pd.Index(branches[column])) for column in ("from_bus", "to_bus")]
    rating = branches["rating_a_mw"].to_numpy(dtype=np.float64)
    rating = np.where(np.isfinite(rating) & (rating != 0), np.maximum(rating, 0.0), np.inf)  # none: unlimited
    live = branches["in_service"].to_numpy(dtype=np.bool_) & (ends[0] >= 0) & (ends[1] >= 0)
    live[live] &= on[ends[0][live]] & on[ends[1][live]]
    from_end, to_end = (np.bincount(end[live], weights=rating[live], minlength=len(ids)) for end in ends)
    brought = from_end + to_end
    at = position.get_indexer(pd.Index(units["bus"]))
    running = units["in_service"].to_numpy(dtype=np.bool_) & (at >= 0)
    most = np.maximum(units["p_max_mw"].to_numpy(dtype=np.float64)[running], 0.0)
    own = np.bincount(at[running], weights=most, minlength=len(ids))
    for row in np.flatnonzero(on & (load > own + brought + _LIMIT_SLACK_MW)).tolist():
        message = (
            f"bus {ids[row]} draws {_mw(load[row])}; its units give at most {_mw(own[row])} and its branches "
            f"carry at most {_mw(brought[row])}: {_mw(load[row] - own[row] - brought[row])} cannot be supplied"
        )
        yield Problem("unreachable-load", "warning", message, "buses", row, "load_mw", ids[row])
