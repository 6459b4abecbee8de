"""The aggregator of data centres: all draws over a day that do the work, as a polyhedron.

Columns: the draws x (T, J) from the network in MW, hour by hour, then what is done of each job in each hour it may run,
then the batteries. Computers draw ``pue (idle + k work)``, so the work that they do is linear in x and the batteries.
Rows: the work of an hour is what arrives and what is done of jobs; each job is done; draws change by no more than ramps
allow; and those of the batteries (:mod:`engine.distribution.fleet_batteries`).
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, eye_array, hstack

from engine.distribution.case import FeederCase
from engine.distribution.fleet_batteries import FleetBatteries
from engine.distribution.frames import Matrix, Vector
from engine.distribution.workload import Workload
from engine.errors import InfeasibleError, NetworkDataError, Problem
from engine.program import LinearProgram, solve

_UNDONE = 1e-6  # of all work: less is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The polyhedron: ``row_lower <= matrix u <= row_upper``, ``lower <= u <= upper``, and what delay costs."""

    hours: int
    names: tuple[str, ...]  # (J,), of the centres
    matrix: csr_array  # (R, n)
    row_lower: Vector  # (R,)
    row_upper: Vector  # (R,)
    lower: Vector  # (n,)
    upper: Vector  # (n,)
    delay_cost: Vector  # (n,), $ per unit of a job's work in an hour; 0 for draws
    row_names: tuple[str, ...]  # (R,)
    batteries: FleetBatteries  # their columns are the last

    @staticmethod
    def of(case: FeederCase, workload: Workload) -> "Fleet":
        """Return the polyhedron of the centres of ``case`` with ``workload``.

        Raises NetworkDataError with every number that is out of its range, and InfeasibleError naming all work that
        cannot be done.
        """
        problems = [*_centre_problems(case), *workload.problems()]
        if workload.hours != case.hours:
            text = f"the workload has {workload.hours} hours, the case {case.hours}"
            problems.append(Problem("shape", "error", text, "workload"))
        if problems:
            raise NetworkDataError(problems)
        fleet = _fleet(case, workload)
        fleet.check()
        return fleet

    @property
    def shape(self) -> tuple[int, int]:
        """Return T and J."""
        return self.hours, len(self.names)

    def draws(self, u: Vector) -> Matrix:
        """Return the draws (T, J) of a point (n,)."""
        return np.asarray(u[: self.hours * len(self.names)]).reshape(self.shape)

    def storage(self, u: Vector) -> Matrix:
        """Return charge and discharge in MW and the energy held in MWh (3, T, J) of a point (n,)."""
        return self.batteries.spread(u[len(u) - len(self.batteries.lower) :], self.shape)

    def box(self) -> tuple[Matrix, Matrix]:
        """Return the least and the most draw (T, J), MW."""
        return self.draws(self.lower), self.draws(self.upper)

    def program(self, cost: Vector, quadratic: Vector | None = None) -> LinearProgram:
        """Return the program of the least ``cost`` (n,) plus delay, with a diagonal ``quadratic`` (n,)."""
        return LinearProgram(
            self.delay_cost + cost, self.matrix, self.row_lower, self.row_upper, self.lower, self.upper, quadratic
        )

    def wide(self, draw_cost: Matrix) -> Vector:
        """Return (n,) costs for costs (T, J) of draws."""
        found = np.zeros(len(self.lower))
        found[: draw_cost.size] = draw_cost.ravel()
        return found

    def check(self) -> None:
        """Raise InfeasibleError naming every hour, job and ramp whose work or limit cannot be kept."""
        count = len(self.row_lower)
        columns = csr_array(hstack([self.matrix, eye_array(count), -eye_array(count)], format="csr"))
        width = len(self.lower)
        # Jobs give way before what arrives, both before batteries' energy, all before ramps: so the message names work.
        weights = {"job ": 1.0, "work ": 1.5, "battery of ": 1e4}
        kinds = [
            next((weight for start, weight in weights.items() if name.startswith(start)), 1e6)
            for name in self.row_names
        ]
        weight = np.array(kinds)
        short = LinearProgram(
            np.concatenate([np.zeros(width), weight, weight]),
            columns,
            self.row_lower,
            self.row_upper,
            np.concatenate([self.lower, np.zeros(2 * count)]),
            np.concatenate([self.upper, np.full(2 * count, np.inf)]),
        )
        found = solve(short).optimum().x
        missing = found[width : width + count] - found[width + count :]
        scale = 1.0 + float(np.abs(self.row_lower[np.isfinite(self.row_lower)]).max(initial=0.0))
        bad = np.flatnonzero(np.abs(missing) > _UNDONE * scale).tolist()
        if bad:
            listed = [
                Problem("work", "error", f"{self.row_names[at]}: {abs(missing[at]):.4g} "
                        f"{'too little' if missing[at] > 0.0 else 'too much'}", "workload", element=self.row_names[at])
                for at in bad
            ]  # fmt: skip
            told = "; ".join(problem.message for problem in listed[:5])
            more = f"; and {len(listed) - 5} more" if len(listed) > 5 else ""
            raise InfeasibleError(f"the data centres cannot do the work: {told}{more}", listed)

    def misses(self, draws: Matrix) -> float:
        """Return by how much work the draws (T, J) miss the polyhedron at least: 0 for draws that do the work."""
        count, size = len(self.row_lower), draws.size
        columns = csr_array(hstack([self.matrix, eye_array(count), -eye_array(count)], format="csr"))
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[:size] = upper[:size] = draws.ravel()
        cost = np.concatenate([np.zeros(len(lower)), np.ones(2 * count)])
        ends = (np.concatenate([lower, np.zeros(2 * count)]), np.concatenate([upper, np.full(2 * count, np.inf)]))
        found = solve(LinearProgram(cost, columns, self.row_lower, self.row_upper, *ends)).optimum()
        beyond = np.maximum(self.lower[:size] - draws.ravel(), draws.ravel() - self.upper[:size])
        return found.objective + float(np.maximum(beyond, 0.0).sum())


def _centre_problems(case: FeederCase) -> list[Problem]:
    found = []
    for at, row in enumerate(case.feeder.centres):
        for word, value, low, strict in (
            ("pue", row.pue, 0.0, True),
            ("kw_per_work", row.kw_per_work, 0.0, True),
            ("idle_kw", row.idle_kw, 0.0, False),
            ("work_cap", row.work_cap, 0.0, True),
            ("ramp_kw", np.inf if row.ramp_kw is None else row.ramp_kw, 0.0, False),
        ):
            if not value > low and not (value == low and not strict):
                text = (
                    f"{word} of data centre {row.name} is {value:g}; it must be {'above' if strict else 'at least'} 0"
                )
                found.append(Problem("range", "error", text, "centres", at, word, row.name))
    if not case.feeder.centres:
        found.append(Problem("none", "error", f"feeder {case.feeder.name!r} has no data centre", "centres"))
    return found


def _fleet(case: FeederCase, workload: Workload) -> Fleet:
    centres, hours = case.feeder.centres, case.hours
    count = len(centres)
    idle = np.array([row.pue * row.idle_kw for row in centres]) / 1000.0
    per_work = np.array([row.pue * row.kw_per_work for row in centres]) / 1000.0
    most = np.array([row.most_kw for row in centres]) / 1000.0
    runs = [(at, hour) for at, job in enumerate(workload.jobs) for hour in range(job.first, job.last + 1)]
    width = hours * count + len(runs)
    ramped = [at for at, row in enumerate(centres) if row.ramp_kw is not None]
    entries: list[tuple[int, int, float]] = []
    entries += [(t, t * count + j, 1.0 / per_work[j]) for t in range(hours) for j in range(count)]
    entries += [(hour, hours * count + at, -1.0) for at, (_, hour) in enumerate(runs)]
    entries += [(hours + job, hours * count + at, 1.0) for at, (job, _) in enumerate(runs)]
    row = hours + len(workload.jobs)
    labels = [f"work of {name}" for name in case.labels] + [f"job {job.name}" for job in workload.jobs]
    lows = [*(workload.interactive + (idle / per_work).sum()), *(job.work for job in workload.jobs)]
    highs = list(lows)
    for at in ramped:
        ramp = float(centres[at].ramp_kw or 0.0) / 1000.0
        for t in range(1, hours):
            entries += [(row, t * count + at, 1.0), (row, (t - 1) * count + at, -1.0)]
            labels.append(f"ramp of {centres[at].name} to {case.labels[t]}")
            lows.append(-ramp)
            highs.append(ramp)
            row += 1
    rows, columns, values = zip(*entries, strict=True)
    batteries = FleetBatteries.of(case)
    spare = np.array([0.0 if row.battery is None else row.battery.power_kw / 1000.0 for row in centres])
    on_work = np.vstack([batteries.work_share(per_work, hours), np.zeros((row - hours, len(batteries.lower)))])
    on_draws = np.hstack([batteries.on_draws, np.zeros((len(batteries.row_lower), width - hours * count))])
    plain = csr_array(coo_array((values, (rows, columns)), shape=(row, width)))
    matrix = block_array([[plain, csr_array(on_work)], [csr_array(on_draws), csr_array(batteries.own)]], format="csr")
    delay = [workload.jobs[at].delay_price * (hour - workload.jobs[at].first) for at, hour in runs]
    return Fleet(
        hours=hours,
        names=tuple(centre.name for centre in centres),
        matrix=csr_array(matrix),
        row_lower=np.concatenate([lows, batteries.row_lower]),
        row_upper=np.concatenate([highs, batteries.row_upper]),
        lower=np.concatenate([np.tile(np.maximum(idle - spare, 0.0), hours), np.zeros(len(runs)), batteries.lower]),
        upper=np.concatenate(
            [np.tile(most + spare, hours), [workload.jobs[at].work for at, _ in runs], batteries.upper]
        ),
        delay_cost=np.concatenate([np.zeros(hours * count), delay, np.zeros(len(batteries.lower))]),
        row_names=(*labels, *batteries.row_names),
        batteries=batteries,
    )
