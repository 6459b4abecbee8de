"""The distribution system operator's problem: least cost within a feeder's limits, hour by hour or over the day.

The flow is linear (:mod:`engine.distribution.linear`), costs are linear or quadratic, so each hour is a convex
program and its duals are prices (:mod:`engine.distribution.dlmp`). Limits on voltage and flow may be exceeded at a
stated price: what is exceeded is in the result, never silent. Batteries join the hours into one program.
Limits of conductors enter the program once they are exceeded; the last solution keeps them all.
"""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_array, block_diag, csr_array

from engine.distribution.case import FeederCase, centre_draw
from engine.distribution.dlmp import Dlmp, dual_range, hour_prices, prices_of
from engine.distribution.frames import Complex, Draws, Frame, Integers, Matrix, Vector, three_phase_buses
from engine.distribution.hour import Conductors, Controls, DsoOptions, Hour, hour_program
from engine.distribution.linear import BranchEquations, FlowState, LinearFlow, Point
from engine.distribution.reduced import solve_reduced
from engine.distribution.storage import Storage
from engine.errors import InfeasibleError, QuestionError, SolverError
from engine.program import Certificate, LinearProgram, Solution, Status, certificate

_CERTIFIED = 1e-6  # what every optimality condition must hold to
_EXCESS_MW = 1e-7  # a flow over its limit by less is rounding
_EXCESS_PU = 1e-6  # so is a voltage


@dataclass(frozen=True, slots=True, eq=False)
class Violation:
    """A limit that the least-cost operation exceeds, because nothing cheaper than the penalty mends it."""

    hour: int
    element: str  # the bus or the branch
    phase: str
    value: float  # p.u., MVA, or a share of the mean
    limit: float
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class DsoResult:
    """The optimum of T hours, in MW, Mvar, $/h and p.u.; withdrawals are positive."""

    frame: Frame
    centre_mw: Matrix  # (T, C), of the computers and what was asked for
    v: Matrix  # (T, N), p.u. squared
    flow_mva: Complex  # (T, F), of the nodes after the source's
    supply_mw: Vector  # (T,)
    supply_mvar: Vector  # (T,)
    generator_mw: Matrix  # (T, G)
    generator_mvar: Matrix  # (T, G)
    compensator: Integers  # (S,), which compensator
    compensator_node: Integers  # (S,)
    compensator_mvar: Matrix  # (T, S), given to the node
    battery_mw: Matrix  # (T, C), drawn from the feeder; below zero: given
    battery_mwh: Matrix  # (T, C), held at the end of the hour
    loss_mva: Complex  # (T,), of the linear flow: zero without an operating point
    drawn_mva: Complex  # (T, N), by loads, capacitors and charging
    prices: Dlmp
    violations: tuple[Violation, ...]
    cost_per_h: Vector  # (T,), without what exceeding limits was charged
    penalty_per_h: Vector  # (T,)
    voltage_price_per_pu2: float  # the penalty of v beyond a limit, and so the most its dual can be
    answers: "tuple[HoursAnswer, ...]"  # one per hour, or one for all of them
    price_rows: Integers  # (T, N), the rows of active balance in the program of their hour
    certificate: Certificate  # the worst of them
    solver: str
    time_s: float

    @property
    def programs(self) -> tuple[LinearProgram, ...]:
        """Return the programs of ``answers``."""
        return tuple(each.program for each in self.answers)

    @property
    def solutions(self) -> tuple[Solution, ...]:
        """Return the solutions of ``answers``."""
        return tuple(each.solution for each in self.answers)

    @property
    def voltage_pu(self) -> Matrix:
        """Return the magnitudes (T, N)."""
        return np.sqrt(np.maximum(self.v, 0.0))

    def withdrawal_mva(self) -> Complex:
        """Return (T, N) what devices draw beside the loads: for an AC solution of the same hour."""
        controls = Controls.of(self.frame, compensators=True)
        reactive = np.array([row.kvar_per_kw for row in self.frame.feeder.centres])
        centres = (self.centre_mw * (1.0 + 1j * reactive) + self.battery_mw) @ controls.centre_share.T
        found = centres - (self.generator_mw + 1j * self.generator_mvar) @ controls.generator_share.T
        for place, node in enumerate(self.compensator_node.tolist()):
            found[:, node] -= 1j * self.compensator_mvar[:, place]
        return np.asarray(found, dtype=np.complex128)


def dispatch(
    case: FeederCase,
    centre_kw: npt.ArrayLike | None = None,
    options: DsoOptions | None = None,
    points: Point | tuple[Point, ...] | None = None,
    *,
    kept: tuple[DsoResult, frozenset[int]] | None = None,
) -> DsoResult:
    """Return the least-cost operation of ``case`` with data centres that draw ``centre_kw`` (T, C).

    ``points``: the operating point of the linear flow, one for all hours or one for each; None: reference angles and
    no losses. ``kept``: an answer to the same question, and its hours that are taken over: their points are those
    that it has. Raises NetworkDataError and QuestionError naming bad input, InfeasibleError if generators' own limits
    contradict one another, SolverError if no certified optimum is found or a price does not divide into its parts.
    """
    start = time.perf_counter()
    chosen = options or DsoOptions()
    chosen.check()
    centre_mw = centre_draw(case, centre_kw) / 1000.0
    model = _Model.of(case, chosen, points)
    together = chosen.operate_batteries and any(row.battery for row in case.feeder.centres)
    blocks = [tuple(range(case.hours))] if together else [(hour,) for hour in range(case.hours)]
    known = {} if kept is None else {each.hours: each for each in kept[0].answers if set(each.hours) <= kept[1]}
    answers = [known[block] if block in known else model.solve(block, centre_mw) for block in blocks]
    return _result(model, centre_mw, answers, time.perf_counter() - start)


@dataclass(frozen=True, slots=True, eq=False)
class HoursAnswer:
    """The optimum of hours that were solved together."""

    hours: tuple[int, ...]
    programs: list[Hour]
    program: LinearProgram
    solution: Solution
    storage: Matrix  # (3, H, C): charge, discharge, energy


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """What all hours share."""

    case: FeederCase
    options: DsoOptions
    frame: Frame
    flows: tuple[LinearFlow, ...]  # (T,)
    controls: Controls
    conductors: Conductors
    voltage_price: float

    @classmethod
    def of(cls, case: FeederCase, options: DsoOptions, points: Point | tuple[Point, ...] | None) -> "_Model":
        flows = linear_flows(case, points)
        frame = flows[0].frame
        margin = np.asarray(options.voltage_margin_pu)
        if (margin.ndim and margin.shape[-1:] != (frame.size,)) or (margin.ndim == 2 and len(margin) != case.hours):
            raise QuestionError(f"voltage_margin_pu has the shape {margin.shape}; there are {frame.size} nodes")
        room = (case.feeder.v_max_pu - case.feeder.v_min_pu) / 2.0
        if options.voltage_limits and margin.max() > room:
            raise QuestionError(f"voltage_margin_pu is {margin.max():g}; half the room between the limits is {room:g}")
        return cls(
            case=case,
            options=options,
            frame=frame,
            flows=flows,
            controls=Controls.of(frame, compensators=options.compensators),
            conductors=Conductors.of(frame),
            voltage_price=voltage_price(flows[0], options),
        )

    def solve(self, hours: tuple[int, ...], centre_mw: Matrix) -> HoursAnswer:
        """Return the optimum of ``hours``, adding conductors' limits until none is exceeded."""
        watched = {hour: np.zeros(0, dtype=np.intp) for hour in hours}
        parts = (self.controls, self.conductors)
        while True:
            programs = [
                hour_program(
                    self.case, self.options, (self.flows[hour], *parts), centre_mw[hour],
                    (hour, self.voltage_price, watched[hour]),
                )
                for hour in hours
            ]  # fmt: skip
            program, storage = (programs[0].program, None) if len(hours) == 1 else self._joined(programs)
            if storage is None and self.options.operate_batteries:
                program, storage = self._joined(programs)
            solution = self._certified(program, hours, programs)
            if not self._watch_more(hours, programs, solution, watched):
                shape = (3, len(hours), len(self.case.feeder.centres))
                held = np.zeros(shape) if storage is None else storage.values(solution.x, shape)
                return HoursAnswer(hours, programs, program, solution, held)

    def _watch_more(
        self, hours: tuple[int, ...], programs: list[Hour], solution: Solution, watched: dict[int, Integers]
    ) -> bool:
        if self.options.line_limits == "none":
            return False
        more = False
        shift = 0
        for hour, each in zip(hours, programs, strict=True):
            state = each.flow.state(solution.x[shift : shift + 3 * self.frame.size])
            excess = self.conductors.excess(state.p_mw + 1j * state.q_mvar, self.options)
            new = np.setdiff1d(np.flatnonzero(excess > _EXCESS_MW), watched[hour])
            more |= bool(len(new))
            watched[hour] = np.union1d(watched[hour], new)
            shift += len(each.program.cost)
        return more

    def _certified(self, program: LinearProgram, hours: tuple[int, ...], programs: list[Hour]) -> Solution:
        label = ", ".join(self.case.labels[hour] for hour in hours[:2]) + (" ..." if len(hours) > 2 else "")
        state, equations = _places(programs)
        # The active-set method counts its steps by the variables: a day with batteries takes it minutes.
        interior = len(hours) > 1 and program.quadratic is not None
        limit = self.options.time_limit_s
        solution = solve_reduced(program, state, equations, interior=interior, time_limit_s=limit)
        if solution.status is Status.INFEASIBLE:
            named = ", ".join(row.name for row in self.case.feeder.generators if row.s_kva is not None)
            raise InfeasibleError(
                f"{label}: the limits of p, q and kVA contradict one another at a generator of {named}"
            )
        judged = certificate(program, solution.optimum())
        if not judged.holds(_CERTIFIED):
            raise SolverError(f"{label}: the optimum of {solution.solver} holds only to {judged}")
        return solution

    def _joined(self, programs: list[Hour]) -> tuple[LinearProgram, Storage]:
        """Return one program of all hours with the batteries' columns and rows at its end."""
        storage = Storage.of(self.case, self.controls, programs)
        parts = [each.program for each in programs]
        alone = block_diag([part.matrix for part in parts], format="csr")
        matrix = block_array([[alone, storage.drawn], [None, storage.balance]], format="csr")
        blank = np.zeros(len(storage.lower))
        squares = [np.zeros(len(part.cost)) if part.quadratic is None else part.quadratic for part in parts]
        quadratic = np.concatenate([*squares, blank])
        return LinearProgram(
            cost=np.concatenate([*(part.cost for part in parts), blank]),
            matrix=csr_array(matrix),
            row_lower=np.concatenate([*(part.row_lower for part in parts), storage.right]),
            row_upper=np.concatenate([*(part.row_upper for part in parts), storage.right]),
            lower=np.concatenate([*(part.lower for part in parts), storage.lower]),
            upper=np.concatenate([*(part.upper for part in parts), storage.upper]),
            quadratic=quadratic if quadratic.any() else None,
        ), storage


def price_range(result: DsoResult, hour: int, nodes: Integers) -> tuple[Vector, Vector]:
    """Return the least and the largest active price (k,) in $/MWh that the optimum allows at ``nodes`` (k,).

    They differ where limits that bind depend on one another. Raises SolverError if an end cannot be found.
    """
    place = hour if len(result.programs) == len(result.supply_mw) else 0
    return dual_range(result.programs[place], result.solutions[place], result.price_rows[hour, nodes])


def linear_flows(case: FeederCase, points: Point | tuple[Point, ...] | None = None) -> tuple[LinearFlow, ...]:
    """Return the linear flow of each hour (T,), at one operating point for all, one for each, or the reference.

    Raises NetworkDataError with what the frame cannot hold, and QuestionError if the points do not fit the hours.
    """
    frame = Frame.of(case.feeder)
    draws = Draws.of(frame, (*case.feeder.loads, *case.feeder.capacitors))
    given = points if isinstance(points, tuple) else (points or Point.reference(frame),)
    if len(given) not in {1, case.hours}:
        raise QuestionError(f"{len(given)} operating points do not fit {case.hours} hours")
    equations = [BranchEquations.of(frame, point) for point in given]
    return tuple(
        LinearFlow.of(equations[hour if len(equations) > 1 else 0], draws, case.draw_scale(hour))
        for hour in range(case.hours)
    )


def _places(programs: list[Hour]) -> tuple[Integers, Integers]:
    """Return the columns of the states and the rows of the flow equations in the program of all these hours."""
    states, equations = [], []
    column, row = 0, 0
    for each in programs:
        states.append(column + np.arange(each.columns["state"].start, each.columns["state"].stop))
        equations.append(row + np.arange(each.rows["equations"].start, each.rows["equations"].stop))
        column, row = column + each.program.matrix.shape[1], row + each.program.matrix.shape[0]
    return np.concatenate(states), np.concatenate(equations)


def voltage_price(flow: LinearFlow, options: DsoOptions) -> float:
    """Return the penalty per p.u. squared: what the limit price makes of what one MW mends at the weakest node."""
    nodes = np.arange(flow.frame.size)
    weakest = float(np.max(-np.diag(flow.sensitivities(nodes).v_by_p)))
    return options.limit_price_per_mwh / weakest if weakest > 0.0 else options.limit_price_per_mwh


def _result(model: _Model, centre_mw: Matrix, answers: list[HoursAnswer], time_s: float) -> DsoResult:
    case, frame = model.case, model.frame
    hours = case.hours
    states: list[FlowState] = []
    values: dict[str, list[Vector]] = {name: [] for name in ("supply", "p", "q", "svg", "penalty", "cost")}
    prices, violations, price_rows = [], [], []
    for answer in answers:
        column, row = 0, 0
        for hour, each in zip(answer.hours, answer.programs, strict=True):
            part = each.program
            x = answer.solution.x[column : column + len(part.cost)]
            dual = answer.solution.row_dual[row : row + len(part.row_lower)]
            states.append(each.flow.state(x[each.columns["state"]]))
            for name in ("supply", "p", "q", "svg"):
                values[name].append(x[each.columns[name]])
            over = slice(each.columns["low"].start, each.columns["uneven"].stop)
            penalty = part.cost[over] @ x[over]
            values["penalty"].append(np.array([penalty]))
            values["cost"].append(np.array([part.objective(x) - penalty]))
            prices.append(hour_prices(each, dual, case.labels[hour]))
            violations += _violations(model, hour, states[-1])
            price_rows.append(row + frame.size + np.arange(frame.size))
            column, row = column + len(part.cost), row + len(part.row_lower)
    table = {name: np.array(rows) for name, rows in values.items()}
    charge, discharge, energy = np.concatenate([answer.storage for answer in answers], axis=1)
    judged = [certificate(answer.program, answer.solution) for answer in answers]
    return DsoResult(
        frame=frame,
        centre_mw=centre_mw,
        v=np.array([state.v for state in states]),
        flow_mva=np.array([state.p_mw + 1j * state.q_mvar for state in states]),
        supply_mw=table["supply"][:, 0],
        supply_mvar=table["supply"][:, 1],
        generator_mw=table["p"],
        generator_mvar=table["q"],
        compensator=model.controls.compensator,
        compensator_node=model.controls.compensator_node,
        compensator_mvar=table["svg"],
        battery_mw=(charge - discharge).reshape(hours, -1),
        battery_mwh=energy.reshape(hours, -1),
        loss_mva=np.array([state.loss_mva for state in states]),
        drawn_mva=np.array([state.drawn_mva for state in states]),
        prices=prices_of(prices),
        violations=tuple(violations),
        cost_per_h=table["cost"][:, 0],
        penalty_per_h=table["penalty"][:, 0],
        voltage_price_per_pu2=model.voltage_price,
        answers=tuple(answers),
        price_rows=np.array(price_rows),
        certificate=Certificate(
            *(max(getattr(each, name) for each in judged) for name in Certificate.__dataclass_fields__)
        ),
        solver=", ".join(sorted({answer.solution.solver for answer in answers})),
        time_s=time_s,
    )


def _violations(model: _Model, hour: int, state: FlowState) -> list[Violation]:
    frame, options, feeder = model.frame, model.options, model.case.feeder
    found: list[Violation] = []
    if options.voltage_limits:
        volts = state.voltage_pu
        limits = (("low", feeder.v_min_pu, feeder.v_min_pu - volts), ("high", feeder.v_max_pu, volts - feeder.v_max_pu))
        for _, limit, beyond in limits:
            places = [at for at in np.flatnonzero(beyond > _EXCESS_PU).tolist() if at >= frame.roots]
            found += [Violation(hour, *frame.nodes[at], float(volts[at]), limit, "p.u.") for at in places]
    if options.unbalance_limit is not None:
        names, nodes = three_phase_buses(frame)
        size = state.voltage_pu[nodes]
        share = np.abs(size / size.mean(axis=1, keepdims=True) - 1.0).max(axis=1)
        # A limit that was tightened is exceeded on paper first: what counts is the limit that was asked for.
        found += [
            Violation(hour, names[bus], "", float(share[bus]), options.unbalance_limit, "unbalance")
            for bus in np.flatnonzero(share > options.unbalance_limit * (1.0 + options.unbalance_limit)).tolist()
        ]
    if options.line_limits != "none":
        flow = state.p_mw + 1j * state.q_mvar
        power = np.abs(model.conductors.weights @ flow)
        for at in np.flatnonzero(model.conductors.excess(flow, options) > 1e3 * _EXCESS_MW).tolist():
            names = (model.conductors.name[at], model.conductors.phase[at])
            found.append(Violation(hour, *names, float(power[at]), float(model.conductors.rating_mva[at]), "MVA"))
    return found
