"""Stage II as a linear program: what the modules of a plan do in a shock, at the least cost of what fails.

    minimise  rows: A x between bounds, columns: x between bounds

Costs and the matrix are the same for every plan and every shock, so that a dual point of one bounds the cost of all:
only bounds change, and they are linear in the plan. Every column has two finite bounds, which makes that bound hold
for any dual point at all, rounded ones too.

Rows for voltages and for flows are many and few bind: :class:`engine.resilience.recourse.Recourse` adds those that do.
Source of the model: arXiv 2601.14665 (what is minimised), the rest our own choice in the usual forms of the field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_array, csr_array

from engine.network.model import Flags, Integers, Matrix, Vector
from engine.program import LinearProgram
from engine.resilience.case import PlacementCase, Scenarios
from engine.resilience.flows import FlowModel, Linear

_PU2 = 4.0  # most that a voltage may be outside of its limits, p.u. squared: never reached


@dataclass(slots=True)
class _Rows:
    """Rows while they are written: entries, bounds, what the plan adds to them, and what the shocks do."""

    matrix: list[tuple[Integers, Integers, Vector]] = field(default_factory=list)
    lower: list[Vector] = field(default_factory=list)  # (S, k)
    upper: list[Vector] = field(default_factory=list)
    plan_lower: list[tuple[int, Integers, Vector]] = field(default_factory=list)  # module, rows, entries
    plan_upper: list[tuple[int, Integers, Vector]] = field(default_factory=list)
    count: int = 0

    def add(self, terms: Sequence[tuple[Integers, float | Vector]], lower: Matrix, upper: Matrix) -> Integers:
        """Add k rows, each the sum of one column of each term times its factor; bounds (S, k) or (1, k)."""
        size = max(lower.shape[-1], upper.shape[-1])
        at = np.arange(self.count, self.count + size)
        for columns, factor in terms:
            self.matrix.append((at, columns, np.broadcast_to(np.asarray(factor, dtype=np.float64), (size,))))
        self.lower.append(np.atleast_2d(lower))
        self.upper.append(np.atleast_2d(upper))
        self.count += size
        return at

    def entry(self, row: int, columns: Integers, factor: float) -> None:
        """Add entries of one factor to one row."""
        self.matrix.append((np.full(len(columns), row), columns, np.full(len(columns), factor)))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Where the columns of stage II are. All (T,) of a module, a site or a demand, by its place; -1: none."""

    charge: Integers  # (K, T), K = types x sites
    discharge: Integers
    energy: Integers
    lacking: Integers  # (K,), energy at the end
    output: Integers  # (K, T), of generation
    put_off: Integers  # (K, T), of response
    taken_up: Integers
    owed: Integers
    reactive: Integers  # (I, T)
    shed: Integers  # (D, T)
    imported: Integers  # (T,)
    imbalance: Integers  # (T,)
    violation: Integers  # (T,), of voltages, p.u. squared
    late: Integers  # (T,), load not served after the event


@dataclass(frozen=True, slots=True, eq=False)
class StageTwo:
    """The program of all S shocks of a case; N columns, R rows, K modules by type and site."""

    case: PlacementCase
    scenarios: Scenarios
    flows: FlowModel
    columns: Columns
    cost: Vector  # (N,), $
    matrix: csr_array  # (R, N)
    row_lower: Matrix  # (S, R)
    row_upper: Matrix
    row_lower_plan: csr_array  # (R, K), per module
    row_upper_plan: csr_array
    lower: Vector  # (N,)
    upper: Matrix  # (S, N)
    lower_plan: csr_array  # (N, K)
    upper_plan: csr_array  # (N, K)
    waits: Flags  # (S, N), columns whose modules are not there yet: no plan moves their bounds
    draws_mw: Matrix  # (S, D, T)
    step_of: Integers  # (N,), the step in which a column is decided

    @property
    def size(self) -> int:
        """Return K."""
        return len(self.case.types) * len(self.case.sites)

    @classmethod
    def of(cls, case: PlacementCase, flows: FlowModel, scenarios: Scenarios | None = None) -> "StageTwo":
        """Return the program for the case's shocks, or others."""
        return _Builder(case, flows, case.scenarios if scenarios is None else scenarios).built()

    def program(self, scenario: int, plan: Vector) -> LinearProgram:
        """Return the program of one shock under a plan (K,)."""
        row_lower, row_upper = self.row_bounds(scenario, plan)
        lower, upper = self.bounds(scenario, plan)
        return LinearProgram(self.cost, self.matrix, row_lower, row_upper, lower, upper)

    def row_bounds(self, scenario: int, plan: Vector) -> tuple[Vector, Vector]:
        """Return the bounds (R,) of the rows."""
        lower = self.row_lower[scenario % len(self.row_lower)] + self.row_lower_plan @ plan
        upper = self.row_upper[scenario % len(self.row_upper)] + self.row_upper_plan @ plan
        return lower, upper

    def bounds(self, scenario: int, plan: Vector) -> tuple[Vector, Vector]:
        """Return the bounds (N,) of the columns."""
        there = ~self.waits[scenario]
        return self.lower + self.lower_plan @ plan, self.upper[scenario] + there * (self.upper_plan @ plan)

    def injections(self, x: Vector) -> tuple[Matrix, Matrix, Matrix]:
        """Return what sites give (I, T) in MW and in Mvar, and what is shed (D, T), of a point (N,)."""
        col, sites = self.columns, len(self.case.sites)
        given = np.zeros((sites, self.case.steps))
        for place, sign in (
            (col.discharge, 1),
            (col.charge, -1),
            (col.output, 1),
            (col.put_off, 1),
            (col.taken_up, -1),
        ):
            for at in np.flatnonzero(place[:, 0] >= 0).tolist():
                given[at % sites] += sign * x[place[at]]
        reactive = np.where(col.reactive >= 0, x[col.reactive], 0.0)
        return given, reactive, np.asarray(x[col.shed])

    def both_ways(self, x: Vector) -> Matrix:
        """Return what each store charges while it discharges (stores, T), MW, of a point (N,)."""
        col = self.columns
        return np.asarray(np.minimum(x[col.charge[self.stores]], x[col.discharge[self.stores]]))

    @property
    def stores(self) -> Integers:
        """Return the places of the modules that are stores."""
        return np.flatnonzero(self.columns.charge[:, 0] >= 0)

    def terms(self, rows: Linear, step: int) -> tuple[csr_array, Matrix]:
        """Return what quantities (k) at a step are of the columns (k, N), and of the shocks without modules (S, k)."""
        col, sites = self.columns, len(self.case.sites)
        parts: list[tuple[Integers, Matrix]] = [(col.shed[:, step], -rows.drawn)]
        for place, sign in (
            (col.discharge, 1),
            (col.charge, -1),
            (col.output, 1),
            (col.put_off, 1),
            (col.taken_up, -1),
        ):
            there = np.flatnonzero(place[:, step] >= 0)
            parts.append((place[there, step], sign * rows.given[:, there % sites]))
        some = np.flatnonzero(col.reactive[:, step] >= 0)
        parts.append((col.reactive[some, step], rows.reactive[:, some]))
        at = np.concatenate([columns for columns, _ in parts])
        values = np.hstack([entries for _, entries in parts])
        count = len(values)
        matrix = coo_array(
            (values.ravel(), (np.repeat(np.arange(count), len(at)), np.tile(at, count))), shape=(count, len(self.cost))
        )
        return csr_array(matrix), rows.constant + self.draws_mw[:, :, step] @ rows.drawn.T


class _Builder:
    """Writes the columns and rows of :class:`StageTwo`."""

    def __init__(self, case: PlacementCase, flows: FlowModel, scenarios: Scenarios) -> None:
        self.case, self.flows, self.scenarios = case, flows, scenarios
        self.steps, self.sites = case.steps, len(case.sites)
        self.draws = flows.draws(case, scenarios.draw_mw)  # (S, D, T)
        self.planned: Vector = (  # (T,), the import of the schedule
            flows.table_mw.sum() * case.load_share + case.schedule_mw.sum() + flows.supply.constant[0]
        )
        self.cost: list[Vector] = []
        self.lower: list[Vector] = []
        self.upper: list[Vector] = []  # without a plan
        self.step_of: list[Integers] = []
        self.of_plan: list[tuple[Integers, int, float, float]] = []  # columns, module, lower, upper of one module
        self.rows = _Rows()
        self.count = 0

    def block(self, shape: tuple[int, ...], cost: float, upper: float, lower: float = 0.0) -> Integers:
        """Add columns of one cost and one pair of bounds."""
        size = int(np.prod(shape))
        at = np.arange(self.count, self.count + size).reshape(shape)
        self.count += size
        self.cost.append(np.full(size, cost))
        self.lower.append(np.full(size, lower))
        self.upper.append(np.full(size, upper))
        steps = np.arange(shape[-1]) + self.steps - shape[-1]  # of one alone: the last
        self.step_of.append(np.broadcast_to(steps, shape).ravel())
        return at

    def built(self) -> StageTwo:
        case, step_h, steps = self.case, self.case.step_h, self.steps
        penalties, most = case.penalties, case.most.ravel()
        modules = float(sum(kind.power_mw * case.most[at].sum() for at, kind in enumerate(case.types)))
        need = self.draws.sum(axis=1) + self.flows.supply.constant[0]
        total = max(float(np.abs(need).max()), float(np.abs(self.planned).max()), float(self.draws.sum(axis=1).max()))
        total += modules
        shed = self.block((len(self.flows.demands), steps), penalties.shed_per_mwh * step_h, 0.0)
        imported = self.block((steps,), 0.0, total, -total)
        imbalance = self.block((steps,), penalties.imbalance_per_mwh * step_h, 4.0 * total)
        violation = self.block((steps,), penalties.voltage_per_pu2h * step_h, _PU2)
        late = self.block((steps,), penalties.restore_per_mwh * step_h, total)
        self.places = {
            name: np.full((len(most), steps), -1, dtype=np.intp)
            for name in ("charge", "discharge", "energy", "output", "put_off", "taken_up", "owed")
        }
        self.lacking = np.full(len(most), -1, dtype=np.intp)
        self.reactive = np.full((self.sites, steps), -1, dtype=np.intp)
        for module in np.flatnonzero(most > 0).tolist():
            self.module(module)
        self.balance(imported, shed)
        self.steady(imported, imbalance)
        self.unserved(shed, late)
        col = Columns(**self.places, lacking=self.lacking, reactive=self.reactive, shed=shed, imported=imported,
                      imbalance=imbalance,
                      violation=violation, late=late)  # fmt: skip
        return self.assembled(col)

    def module(self, module: int) -> None:
        """Add the columns and rows of one type at one site."""
        kind = self.case.types[module // self.sites]
        {"storage": self.storage, "generation": self.generation, "response": self.response}[kind.kind](module)
        if kind.reactive > 0.0:
            site = module % self.sites
            if self.reactive[site, 0] < 0:
                self.reactive[site] = self.block((self.steps,), 0.0, 0.0)
            most = kind.reactive * kind.power_mw
            self.of_plan.append((self.reactive[site], module, -most, most))

    def storage(self, module: int) -> None:
        kind, step_h = self.case.types[module // self.sites], self.case.step_h
        wear = kind.cost_per_mwh * step_h
        found = {name: self.block((self.steps,), cost, 0.0)
                 for name, cost in (("charge", wear), ("discharge", wear), ("energy", 0.0))}  # fmt: skip
        lacking = self.block((1,), self.case.penalties.restore_per_mwh, 0.0)
        for name, columns in found.items():
            self.places[name][module] = columns
            room = kind.energy_mwh if name == "energy" else kind.power_mw
            self.of_plan.append((columns, module, 0.0, room))
        begun = kind.start_share * kind.energy_mwh
        self.of_plan.append((lacking, module, 0.0, begun))
        self.lacking[module] = lacking[0]
        kept = max(0.0, 1.0 - kind.loss_per_h * step_h)
        energy, none = found["energy"], np.zeros((1, self.steps))
        rows = self.rows.add(
            ((energy, 1.0), (found["charge"], -step_h * kind.charge_efficiency),
             (found["discharge"], step_h / kind.discharge_efficiency)), none, none,
        )  # fmt: skip
        for later in range(1, self.steps):
            self.rows.entry(int(rows[later]), energy[[later - 1]], -kept)
        self.plan_rows(module, rows[:1], kept * begun, kept * begun)
        # Of a step in which the store goes one way this leaves everything, and half of what going both ways would burn.
        both = self.rows.add(((found["charge"], 1.0), (found["discharge"], 1.0)), none - np.inf, none)
        self.plan_rows(module, both, 0.0, kind.power_mw)
        last = self.rows.add(((lacking, 1.0), (energy[-1:], 1.0)), np.zeros((1, 1)), np.full((1, 1), np.inf))
        self.plan_rows(module, last, begun, 0.0)

    def generation(self, module: int) -> None:
        kind = self.case.types[module // self.sites]
        output = self.block((self.steps,), kind.cost_per_mwh * self.case.step_h, 0.0)
        self.places["output"][module] = output
        self.of_plan.append((output, module, 0.0, kind.power_mw))
        step = kind.ramp_mw_per_min * 60.0 * self.case.step_h
        if step < kind.power_mw:
            rows = self.rows.add(((output, 1.0),), *(np.zeros((1, self.steps)),) * 2)
            for later in range(1, self.steps):
                self.rows.entry(int(rows[later]), output[[later - 1]], -1.0)
            self.plan_rows(module, rows, -step, step)

    def response(self, module: int) -> None:
        kind, step_h = self.case.types[module // self.sites], self.case.step_h
        put_off = self.block((self.steps,), kind.cost_per_mwh * step_h, 0.0)
        taken_up = self.block((self.steps,), 0.0, 0.0)
        owed = self.block((self.steps,), 0.0, 0.0)
        for name, columns, room in (
            ("put_off", put_off, kind.power_mw), ("taken_up", taken_up, kind.power_mw),
            ("owed", owed, kind.payback * kind.energy_mwh),
        ):  # fmt: skip
            self.places[name][module] = columns
            self.of_plan.append((columns, module, 0.0, room))
        none = np.zeros((1, self.steps))
        rows = self.rows.add(((owed, 1.0), (put_off, -step_h * kind.payback), (taken_up, step_h)), none, none)
        for later in range(1, self.steps):
            self.rows.entry(int(rows[later]), owed[[later - 1]], -1.0)
        # What is owed was put off within the window; nothing is owed at the end.
        window = max(1, round(kind.window_h / step_h))
        rows = self.rows.add(((owed, 1.0),), np.full((1, self.steps), -np.inf), none)
        for at in range(self.steps - 1):
            self.rows.entry(int(rows[at]), put_off[max(0, at - window + 1) : at + 1], -step_h * kind.payback)
        spent = self.rows.add((), np.full((1, 1), -np.inf), np.zeros((1, 1)))
        self.rows.entry(int(spent[0]), put_off, step_h)
        self.plan_rows(module, spent, 0.0, kind.energy_mwh)

    def plan_rows(self, module: int, rows: Integers, lower: float, upper: float) -> None:
        """Let a module widen the bounds of rows."""
        if lower:
            self.rows.plan_lower.append((module, rows, np.full(len(rows), lower)))
        if upper:
            self.rows.plan_upper.append((module, rows, np.full(len(rows), upper)))

    def balance(self, imported: Integers, shed: Integers) -> None:
        """What is imported, what modules give and what is shed meet all draws; a site puts off what it draws only."""
        need = self.draws.sum(axis=1) + self.flows.supply.constant[0]
        rows = self.rows.add(((imported, 1.0),), need, need)
        for columns in shed:
            self.rows.matrix.append((rows, columns, np.ones(self.steps)))
        signs = (("discharge", 1.0), ("charge", -1.0), ("output", 1.0), ("put_off", 1.0), ("taken_up", -1.0))
        for name, sign in signs:
            for module in np.flatnonzero(self.places[name][:, 0] >= 0).tolist():
                self.rows.matrix.append((rows, self.places[name][module], np.full(self.steps, sign)))
        for site, bus in enumerate(self.case.sites):
            of_bus = [at for at, name in enumerate(self.flows.demands) if name == bus]
            modules = [m for m in range(site, len(self.lacking), self.sites) if self.places["put_off"][m, 0] >= 0]
            if modules:
                rows = self.rows.add((), np.full((1, self.steps), -np.inf), self.draws[:, of_bus].sum(axis=1))
                for columns in [*(shed[at] for at in of_bus), *(self.places["put_off"][m] for m in modules)]:
                    self.rows.matrix.append((rows, columns, np.ones(self.steps)))

    def steady(self, imported: Integers, imbalance: Integers) -> None:
        """The import keeps to its schedule within the dead band, and to its ramp, but for the imbalance."""
        case = self.case
        planned, far = self.planned[np.newaxis], np.full((1, self.steps), np.inf)
        self.rows.add(((imported, 1.0), (imbalance, -1.0)), -far, planned + case.dead_band_mw)
        self.rows.add(((imported, 1.0), (imbalance, 1.0)), planned - case.dead_band_mw, far)
        step = case.ramp_mw_per_min * 60.0 * case.step_h
        if np.isfinite(step) and self.steps > 1:
            later, before, far = imported[1:], imported[:-1], far[:, 1:]
            self.rows.add(((later, 1.0), (before, -1.0), (imbalance[1:], -1.0)), -far, np.full_like(far, step))
            self.rows.add(((later, 1.0), (before, -1.0), (imbalance[1:], 1.0)), np.full_like(far, -step), far)

    def unserved(self, shed: Integers, late: Integers) -> None:
        """Load that is not served after the event counts as restoration too."""
        during = np.arange(self.steps) < self.scenarios.end[:, np.newaxis]
        free = np.where(during, self.draws.sum(axis=1), 0.0)
        rows = self.rows.add(((late, 1.0),), -free, np.full((1, self.steps), np.inf))
        for columns in shed:
            self.rows.matrix.append((rows, columns, np.full(self.steps, -1.0)))

    def assembled(self, col: Columns) -> StageTwo:
        """Put everything into arrays."""
        rows, size, count = self.rows, self.rows.count, len(self.scenarios)
        entries = [np.concatenate(part) for part in zip(*rows.matrix, strict=True)]
        matrix = csr_array(coo_array((entries[2], (entries[0], entries[1])), shape=(size, self.count)))
        modules = len(self.lacking)
        upper = np.repeat(np.concatenate(self.upper)[np.newaxis], count, axis=0)
        upper[:, col.shed] = self.draws
        waits = np.zeros((count, self.count), dtype=np.bool_)
        for module in np.flatnonzero(col.output[:, 0] >= 0).tolist():
            delay = self.case.types[module // self.sites].delay_min / 60.0 / self.case.step_h
            first = self.scenarios.start + int(np.ceil(delay - 1e-9))
            waits[:, col.output[module]] = np.arange(self.steps) < first[:, np.newaxis]
        sizes = [len(columns) for columns, *_ in self.of_plan]
        at = np.concatenate([np.zeros(0, dtype=np.intp), *(columns for columns, *_ in self.of_plan)])
        of = np.repeat(np.array([module for _, module, *_ in self.of_plan], dtype=np.intp), sizes)
        low = np.repeat(np.array([each for *_, each, _ in self.of_plan], dtype=np.float64), sizes)
        high = np.repeat(np.array([each for *_, each in self.of_plan], dtype=np.float64), sizes)
        return StageTwo(
            case=self.case, scenarios=self.scenarios, flows=self.flows, columns=col, cost=np.concatenate(self.cost),
            matrix=matrix, row_lower=_wide(rows.lower, count), row_upper=_wide(rows.upper, count),
            row_lower_plan=_plan(rows.plan_lower, (size, modules)),
            row_upper_plan=_plan(rows.plan_upper, (size, modules)),
            lower=np.concatenate(self.lower), upper=upper,
            lower_plan=csr_array((low, (at, of)), shape=(self.count, modules)),
            upper_plan=csr_array((high, (at, of)), shape=(self.count, modules)), waits=waits, draws_mw=self.draws,
            step_of=np.concatenate(self.step_of),
        )  # fmt: skip


def _wide(parts: list[Matrix], count: int) -> Matrix:
    return np.hstack([np.broadcast_to(part, (count, part.shape[1])) for part in parts])


def _plan(told: list[tuple[int, Integers, Vector]], shape: tuple[int, int]) -> csr_array:
    if not told:
        return csr_array(shape)
    at = np.concatenate([rows for _, rows, _ in told])
    of = np.concatenate([np.full(len(rows), module) for module, rows, _ in told])
    return csr_array((np.concatenate([entries for *_, entries in told]), (at, of)), shape=shape)
