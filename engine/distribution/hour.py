"""One hour of the operator's problem as rows and columns: least cost within the limits of the feeder.

Columns: the state of :mod:`engine.distribution.linear`, the totals bought at the substation, generators, static var
generators, and what limits are exceeded by. Rows: the flow equations, whose duals are the prices; the totals;
voltages; flows within polygons inside their circles; generators within theirs. Money is $/h, power MW and Mvar.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array

from engine.distribution.case import FeederCase
from engine.distribution.frames import Complex, Frame, Integers, Matrix, Vector, three_phase_buses
from engine.distribution.linear import LinearFlow
from engine.errors import QuestionError
from engine.program import LinearProgram

LineLimits = Literal["none", "polygon", "active"]


@dataclass(frozen=True, slots=True, eq=False)
class DsoOptions:
    """Which limits hold, at what price they may be exceeded, and what the operator decides."""

    voltage_limits: bool = True
    voltage_margin_pu: float | Matrix = 0.0  # both limits are tightened by it; one number or (T, N)
    line_limits: LineLimits = "polygon"  # of each conductor: a polygon inside the circle, or active power alone
    polygon_sides: int = 12
    unbalance_limit: float | None = None  # of magnitudes from the mean of their bus, as a share of it; None: no limit
    unbalance_share: float | Matrix = 1.0  # what is left of that limit; one number or (T, B3)
    limit_price_per_mwh: float = 10_000.0  # of each MW over a line's limit, and of the voltage that 1 MW would mend
    supply_slope_per_mw2h: float = 0.0  # how much dearer each further MW from the substation makes a MWh
    reactive_price_per_mvarh: float = 0.0  # of reactive power through the substation, either way
    reactive_slope_per_mvar2h: float = 0.0  # how much dearer each Mvar makes a Mvarh of a generator or a compensator
    compensators: bool = True  # False: static var generators stay at zero
    operate_batteries: bool = False  # True: the operator runs the data centres' batteries, over all hours together
    time_limit_s: float | None = None

    def check(self) -> None:
        """Raise QuestionError naming a number that is out of its range."""
        for name, value, low in (
            ("limit_price_per_mwh", self.limit_price_per_mwh, 0.0),
            ("supply_slope_per_mw2h", self.supply_slope_per_mw2h, 0.0),
            ("reactive_price_per_mvarh", self.reactive_price_per_mvarh, 0.0),
            ("reactive_slope_per_mvar2h", self.reactive_slope_per_mvar2h, 0.0),
            ("polygon_sides", self.polygon_sides, 4),
        ):
            if not (math.isfinite(value) and value >= low):
                raise QuestionError(f"{name} is {value:g}; it must be at least {low:g}")
        if self.unbalance_limit is not None and not 0.0 < self.unbalance_limit <= 1.0:
            raise QuestionError(f"unbalance_limit is {self.unbalance_limit:g}; it must be above 0 and at most 1")
        if not (np.isfinite(self.unbalance_share).all() and np.min(self.unbalance_share, initial=1.0) > 0.0):
            raise QuestionError("unbalance_share must be above 0")
        if not (np.isfinite(self.voltage_margin_pu).all() and np.min(self.voltage_margin_pu) >= 0.0):
            raise QuestionError("voltage_margin_pu must not be negative")


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """What the operator may set, the same in every hour: generators, and static var generators node by node."""

    generator_share: Matrix  # (N, G)
    compensator: Integers  # (S,), which compensator
    compensator_node: Integers  # (S,)
    compensator_mvar: Vector  # (S,), most either way
    centre_share: Matrix  # (N, C)

    @classmethod
    def of(cls, frame: Frame, *, compensators: bool) -> "Controls":
        """Return the controls of ``frame``. Raises NetworkDataError naming a bus without a device's phases."""
        feeder = frame.feeder
        found = [
            (at, int(node), row.kvar / 1000.0 if compensators and row.in_service else 0.0)
            for at, row in enumerate(feeder.compensators)
            for node in frame.at(row.bus, row.phases)
        ]
        table = np.array(found, dtype=np.float64).reshape(-1, 3)
        return cls(
            generator_share=_columns(frame.size, [frame.share(row) for row in feeder.generators]),
            compensator=table[:, 0].astype(np.intp),
            compensator_node=table[:, 1].astype(np.intp),
            compensator_mvar=table[:, 2],
            centre_share=_columns(frame.size, [frame.share(row) for row in feeder.centres]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Conductors:
    """The conductors with a limit: their power per flow, in the order of the branches."""

    name: tuple[str, ...]
    phase: tuple[str, ...]
    weights: csr_array  # (c, F) complex
    rating_mva: Vector  # (c,)

    @classmethod
    def of(cls, frame: Frame) -> "Conductors":
        """Return the conductors of ``frame`` that have a rating."""
        names, phases, ratings = [], [], []
        rows: list[Complex] = []
        for branch in frame.branches:
            if not math.isfinite(branch.rating_mva):
                continue
            ordered = [phase for phase in "abc" if phase in branch.link.phases]
            for phase, weights in zip(ordered, branch.conductors, strict=True):
                row = np.zeros(frame.size - frame.roots, dtype=np.complex128)
                row[branch.below - frame.roots] = weights
                rows.append(row)
                names.append(branch.link.name)
                phases.append(phase)
                ratings.append(branch.rating_mva)
        stacked = np.array(rows, dtype=np.complex128).reshape(len(rows), frame.size - frame.roots)
        return cls(tuple(names), tuple(phases), csr_array(stacked), np.array(ratings, dtype=np.float64))

    def excess(self, flow_mva: Complex, options: DsoOptions) -> Vector:
        """Return by how many MW each conductor (c,) is outside its polygon; below zero inside."""
        power: Complex = np.asarray(self.weights @ flow_mva)
        sides, apothem = polygon(options)
        turned = np.real(power[:, np.newaxis] * np.exp(-1j * sides))
        return np.asarray(turned.max(axis=1, initial=-np.inf) - apothem * self.rating_mva)


def polygon(options: DsoOptions) -> tuple[Vector, float]:
    """Return the directions of the sides, and their distance as a share of the circle's radius."""
    if options.line_limits == "active":
        return np.array([0.0, math.pi]), 1.0
    count = options.polygon_sides
    return 2.0 * math.pi * (np.arange(count) + 0.5) / count, math.cos(math.pi / count)


@dataclass(frozen=True, slots=True, eq=False)
class Hour:
    """One hour's program, and where its columns and rows are."""

    flow: LinearFlow
    program: LinearProgram
    watched: Integers  # (w,), the conductors whose limits are in it
    columns: dict[str, slice]
    rows: dict[str, slice]


def hour_program(
    case: FeederCase,
    options: DsoOptions,
    parts: tuple[LinearFlow, Controls, Conductors],
    centre_mw: Vector,
    place: tuple[int, float, Integers],
) -> Hour:
    """Return the program of one hour. ``place``: the hour, the price of voltage per p.u. squared, and the conductors.

    ``centre_mw`` (C,) is what the data centres draw. Batteries are columns of the program over all hours.
    """
    flow, controls, conductors = parts
    hour, voltage_price, watched = place
    frame = flow.frame
    limited = np.arange(frame.roots, frame.size)
    even = _even(frame, options)
    widths = {
        "state": 3 * frame.size, "supply": 2, "abroad": 2, "p": controls.generator_share.shape[1],
        "q": controls.generator_share.shape[1], "svg": len(controls.compensator),
        "low": len(limited), "high": len(limited), "over": len(watched),
        "uneven": len(even),
    }  # fmt: skip
    columns = _slices(widths)
    count = sum(widths.values())
    cost, quadratic = np.zeros(count), np.zeros(count)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    _price(case, options, hour, columns, (cost, quadratic))
    cost[columns["low"]] = cost[columns["high"]] = voltage_price
    cost[columns["over"]] = options.limit_price_per_mwh
    cost[columns["uneven"]] = voltage_price
    for name in ("abroad", "low", "high", "over", "uneven"):
        lower[columns[name]] = 0.0
    if options.reactive_price_per_mvarh == 0.0:
        upper[columns["abroad"]] = 0.0
    _control_bounds(case, controls, hour, columns, (lower, upper))
    if not options.voltage_limits:
        upper[columns["low"]] = upper[columns["high"]] = 0.0
    blocks = [
        _equations(flow, controls, centre_mw, columns),
        _totals(frame, options, columns),
        _voltages(case, options, hour, limited, columns),
        _flows(frame, conductors, options, watched, columns),
        _circles(case, options, columns),
        _unbalance(even, unbalance_limits(frame, options, hour), columns),
    ]
    names = ("equations", "totals", "voltages", "flows", "circles", "unbalance")
    rows = _slices({name: len(block[1]) for name, block in zip(names, blocks, strict=True)})
    matrix = csr_array(block_array([[_wide(block[0], count)] for block in blocks], format="csr"))
    program = LinearProgram(
        cost=cost,
        matrix=matrix,
        row_lower=np.concatenate([block[1] for block in blocks]),
        row_upper=np.concatenate([block[2] for block in blocks]),
        lower=lower,
        upper=upper,
        quadratic=quadratic if quadratic.any() else None,
    )
    return Hour(flow, program, watched, columns, rows)


_Block = tuple[csr_array, Vector, Vector]  # rows, lower bounds, upper bounds


def _price(
    case: FeederCase, options: DsoOptions, hour: int, columns: dict[str, slice], money: tuple[Vector, Vector]
) -> None:
    cost, quadratic = money
    first = columns["supply"].start
    cost[first], quadratic[first] = case.price_per_mwh[hour], options.supply_slope_per_mw2h
    cost[columns["abroad"]] = options.reactive_price_per_mvarh
    cost[columns["p"]] = [row.cost_per_mwh for row in case.feeder.generators]
    quadratic[columns["p"]] = [row.slope_per_mw2h for row in case.feeder.generators]
    quadratic[columns["q"]] = quadratic[columns["svg"]] = options.reactive_slope_per_mvar2h


def _control_bounds(
    case: FeederCase, controls: Controls, hour: int, columns: dict[str, slice], bounds: tuple[Vector, Vector]
) -> None:
    lower, upper = bounds
    generators = case.feeder.generators
    most = np.array([row.p_max_kw for row in generators]) / 1000.0 * case.availability[hour]
    lower[columns["p"]] = np.minimum(np.array([row.p_min_kw for row in generators]) / 1000.0, most)
    upper[columns["p"]] = most
    lower[columns["q"]] = [row.q_min_kvar / 1000.0 for row in generators]
    upper[columns["q"]] = [row.q_max_kvar / 1000.0 for row in generators]
    lower[columns["svg"]], upper[columns["svg"]] = -controls.compensator_mvar, controls.compensator_mvar


def _equations(flow: LinearFlow, controls: Controls, centre_mw: Vector, columns: dict[str, slice]) -> _Block:
    """The flow equations with what is generated on the left and what is drawn on the right."""
    size = flow.frame.size
    count = columns["svg"].stop
    reactive = [row.kvar_per_kw for row in flow.frame.feeder.centres]
    right = flow.constant.copy()
    right[size : 2 * size] += controls.centre_share @ centre_mw
    right[2 * size :] += controls.centre_share @ (centre_mw * np.array(reactive))
    generated = np.zeros((3 * size, count - columns["state"].stop))
    shift = columns["state"].stop
    generated[size : 2 * size, columns["p"].start - shift : columns["p"].stop - shift] = controls.generator_share
    generated[2 * size :, columns["q"].start - shift : columns["q"].stop - shift] = controls.generator_share
    place = columns["svg"].start - shift + np.arange(len(controls.compensator))
    generated[2 * size + controls.compensator_node, place] = 1.0
    matrix = csr_array(block_array([[flow.matrix, csr_array(generated)]], format="csr"))
    return matrix, right, right


def _totals(frame: Frame, options: DsoOptions, columns: dict[str, slice]) -> _Block:
    """What is bought is what the source gives; reactive power counts either way if it has a price."""
    size, roots = frame.size, frame.roots
    rows: list[int] = []
    places: list[int] = []
    values: list[float] = []
    for row, last in ((0, 3 * size - roots), (1, 3 * size)):
        rows += [row] * (roots + 1)
        places += [columns["supply"].start + row, *range(last - roots, last)]
        values += [1.0] + [-1.0] * roots
    priced = options.reactive_price_per_mvarh > 0.0
    if priced:
        rows += [2, 2, 2]
        places += [columns["supply"].start + 1, columns["abroad"].start, columns["abroad"].start + 1]
        values += [1.0, -1.0, 1.0]
    count = 3 if priced else 2
    matrix = csr_array(coo_array((values, (rows, places)), shape=(count, columns["abroad"].stop)))
    return matrix, np.zeros(count), np.zeros(count)


def _voltages(case: FeederCase, options: DsoOptions, hour: int, limited: Integers, columns: dict[str, slice]) -> _Block:
    if not options.voltage_limits:
        return csr_array((0, 1)), np.zeros(0), np.zeros(0)
    margin = np.asarray(options.voltage_margin_pu)
    here = np.broadcast_to(margin if margin.ndim < 2 else margin[hour], limited[-1] + 1)[limited]
    low, high = case.feeder.v_min_pu + here, case.feeder.v_max_pu - here
    count = len(limited)
    places = np.concatenate(
        [limited, columns["low"].start + np.arange(count), columns["high"].start + np.arange(count)]
    )
    values = np.repeat([1.0, 1.0, -1.0], count)
    matrix = coo_array((values, (np.tile(np.arange(count), 3), places)), shape=(count, columns["high"].stop))
    return csr_array(matrix), low**2, high**2


def _even(frame: Frame, options: DsoOptions) -> Integers:
    """Return the nodes (B, 3) of the buses beyond the source whose voltages are to be near one another."""
    if options.unbalance_limit is None:
        return np.zeros((0, 3), dtype=np.intp)
    _, nodes = three_phase_buses(frame)
    return np.asarray(nodes[(nodes >= frame.roots).all(axis=1)], dtype=np.intp)


def unbalance_limits(frame: Frame, options: DsoOptions, hour: int) -> Vector:
    """Return the limits u (B,) of an hour, of the buses beyond the source with three phases; () without a limit."""
    if options.unbalance_limit is None:
        return np.zeros(0)
    _, nodes = three_phase_buses(frame)
    share = np.asarray(options.unbalance_share)
    here = np.broadcast_to(share if share.ndim < 2 else share[hour], len(nodes))
    return np.asarray(options.unbalance_limit * here[(nodes >= frame.roots).all(axis=1)])


def _unbalance(even: Integers, limits: Vector, columns: dict[str, slice]) -> _Block:
    """Each of a bus's squared magnitudes within (1 - u)^2 and (1 + u)^2 of their mean, or its excess is paid.

    The mean of squares is at most 1 + u^2 times the square of the mean, so magnitudes keep u to about its square.
    """
    if not len(even):
        return csr_array((0, 1)), np.zeros(0), np.zeros(0)
    count = 6 * len(even)
    rows, places, values = [], [], []
    for bus, (nodes, limit) in enumerate(zip(even.tolist(), limits.tolist(), strict=True)):
        for side, sign in enumerate((1.0, -1.0)):
            for member in range(3):
                share = np.full(3, -sign * (1.0 + sign * limit) ** 2 / 3.0)
                share[member] += sign
                rows += [6 * bus + 3 * side + member] * 4
                places += [*nodes, columns["uneven"].start + bus]
                values += [*share.tolist(), -1.0]
    matrix = csr_array(coo_array((values, (rows, places)), shape=(count, columns["uneven"].stop)))
    return matrix, np.full(count, -np.inf), np.zeros(count)


def _flows(
    frame: Frame, conductors: Conductors, options: DsoOptions, watched: Integers, columns: dict[str, slice]
) -> _Block:
    """The sides of the watched conductors' polygons, each with the conductor's excess."""
    if not len(watched):
        return csr_array((0, 1)), np.zeros(0), np.zeros(0)
    sides, apothem = polygon(options)
    turned = [conductors.weights[watched] * np.exp(-1j * side) for side in sides]
    voltages = csr_array((len(watched), frame.size))
    between = csr_array((len(watched), columns["over"].start - frame.size - 2 * (frame.size - frame.roots)))
    excess = csr_array(-np.eye(len(watched)))
    blocks = [[voltages, weights.real, -weights.imag, between, excess] for weights in turned]
    most = np.tile(apothem * conductors.rating_mva[watched], len(sides))
    return csr_array(block_array(blocks, format="csr")), np.full(len(most), -np.inf), most


def _circles(case: FeederCase, options: DsoOptions, columns: dict[str, slice]) -> _Block:
    """Generators with a rating stay within a polygon inside its circle."""
    rated = [(at, row.s_kva / 1000.0) for at, row in enumerate(case.feeder.generators) if row.s_kva is not None]
    count = options.polygon_sides
    sides, apothem = 2.0 * math.pi * (np.arange(count) + 0.5) / count, math.cos(math.pi / count)
    matrix = np.zeros((count * len(rated), columns["q"].stop))
    for place, (at, _) in enumerate(rated):
        here = slice(place * count, (place + 1) * count)
        matrix[here, columns["p"].start + at], matrix[here, columns["q"].start + at] = np.cos(sides), np.sin(sides)
    most = np.repeat([apothem * limit for _, limit in rated], count)
    return csr_array(matrix), np.full(len(most), -np.inf), most


def _slices(widths: dict[str, int]) -> dict[str, slice]:
    ends = np.cumsum(list(widths.values())).tolist()
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


def _columns(size: int, columns: list[Vector]) -> Matrix:
    return np.column_stack(columns) if columns else np.zeros((size, 0))


def _wide(block: csr_array, count: int) -> csr_array:
    """Return the block with ``count`` columns."""
    return csr_array((block.data, block.indices, block.indptr), shape=(block.shape[0], count))
