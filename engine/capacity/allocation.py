"""The allocation: firm capacity first, then each risk level on top, with what binds and what the choices cost.

Every level is the same small program with its own margins (see :mod:`engine.capacity.margins`), and each level
keeps what the level before it granted. Source: Li, Fang and Chen, "Risk-aware allocation of transmission
capacity for AI data centers", arXiv 2604.08854, 2026, equations (1)-(5); the tie rule, nested levels and
subsets that stay deliverable are this product's.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Self

import numpy as np

from engine.capacity.level import TIGHT_MW, LevelProgram, Optimum, margin_above
from engine.capacity.level_solver import Extend, LevelSolver, level_solver
from engine.capacity.limiting import stopping_rows
from engine.capacity.margins import Prepared
from engine.capacity.over import AT_LIMIT_MW, over_after_outages, over_limit, secure_notices
from engine.capacity.programs import most_total, must_be_optimal
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Binding, CapacityResult, Level, OverLimit, Provenance
from engine.capacity.secure import Secure
from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Network, Vector

_ROUNDS = 20  # of a level, as far as its progress is told
LARGE_GRID = 300  # buses beyond which an independent box is useless
ROUNDING_MW = 1e-6  # what a floor leaves free, so that rows that are full with it are not exceeded by rounding
NO_GAIN = 5e-3  # MW per MW: prints as 0.00
CHECK_TOLERANCE = 1e-6  # of the independent optimality check, relative


def allocate(  # noqa: PLR0913 (what is asked, on what, and what it must hold besides)
    prepared: Prepared,
    question: CapacityQuestion,
    secure: Secure | None = None,
    progress: Progress | None = None,
    *,
    extend: Extend | None = None,
    floors_mw: Sequence[Vector] = (),
) -> CapacityResult:
    """Return how much each candidate may draw, firm and at every risk level.

    When existing load exceeds limits before any addition, the question's choice decides: "stop" returns the
    list with no levels, "hold" keeps these limits at their present level and lists them too. ``secure``, made of
    the same margins and question, adds the limits after outages; its margins then hold those that were needed.
    On such margins alone no others are looked for: what comes out is an upper bound.
    ``extend`` adds convex terms and constraints of a caller's own, see :mod:`engine.capacity.conditioned`.
    ``floors_mw``, one (K,) per level, are granted in any case, as far as the level before leaves room for them.
    Raises QuestionError for an unknown candidate, supply, set or uncertainty other than the prepared one, and
    SolverError when the solver, or the check of its answer, fails, and InfeasibleError naming conditions that
    cannot be kept together.
    """
    start = time.perf_counter()
    check_fits(prepared, question)
    if question.security == "n-1" and secure is None and prepared.after is None:
        raise QuestionError("limits after outages are not among these margins: answer the whole question")
    if question.security == "base" and (secure is not None or prepared.after is not None):
        raise QuestionError("these margins have limits after outages, which the question does not count")
    before = over_limits(prepared, question, prepared.factors_of(question))
    after, counts = ((), ()) if secure is None else over_after_outages(secure)
    over = (*before, *after)
    stop = question.at_zero == "stop" and any(row.level == 0.0 for row in over)
    solver = level_solver(prepared.network, question, extend)
    levels = () if stop else _Levels(prepared, question, secure, progress).all(solver, floors_mw)
    notices = (*_notices(prepared, question, before, levels), *_under_conditions(prepared, question, levels))
    if secure is not None:
        notices = (*notices, *secure_notices(secure, counts, held=bool(levels)))
    return CapacityResult(
        status="infeasible_at_zero" if stop else "optimal",
        candidates=question.candidates,
        demand_mw=question.demand_mw,
        levels=levels,
        over_limit=over,
        notices=notices,
        provenance=provenance(prepared.network, question, prepared.source, dict.fromkeys(row.solver for row in levels)),
        time_s=time.perf_counter() - start,
    )


def check_fits(prepared: Prepared, question: CapacityQuestion) -> None:
    """Raise QuestionError when ``prepared`` was made for another supply, firm set or uncertainty, or nobody asks."""
    if not question.candidates:
        raise QuestionError("choose one candidate bus or more")
    pairs = (
        ("supply", prepared.supply, question.supply),
        ("firm set", prepared.firm_set, question.firm_set),
        ("budget", prepared.budget, question.budget if question.firm_set == "budget" else None),
        ("uncertainty", prepared.uncertainty.digest(), question.uncertainty.digest()),
    )
    for name, had, asked in pairs:
        if had != asked:
            raise QuestionError(f"these margins are of another {name}: compute them again")


def over_limits(prepared: Prepared, question: CapacityQuestion, factors: Matrix) -> tuple[OverLimit, ...]:
    """Return every limit that existing load exceeds before any addition, worst first, level by level."""
    found = []
    for epsilon in (0.0, *question.epsilons):
        load = prepared.load_mw(epsilon, question.measure)
        over = load - prepared.limit_mw
        order = np.argsort(-over, kind="stable")
        found += [
            over_limit(prepared, row, epsilon, float(load[row]), reached=bool((factors[row] > 0).any()))
            for row in order[: int((over > AT_LIMIT_MW).sum())].tolist()
        ]
    return tuple(found)


def provenance(network: Network, question: CapacityQuestion, source: str, solvers: Iterable[str]) -> Provenance:
    """Return from what an answer to ``question`` is computed: ``source`` of its states, and by which ``solvers``."""
    return Provenance(
        network=network.name,
        network_digest=network.digest,
        uncertainty_digest=question.uncertainty.digest(),
        question_digest=question.digest(),
        seed=question.uncertainty.seed,
        source=source,
        data=network.tables.source,
        solver=", ".join(solvers),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        sentence=question.sentence(),
    )


def usable_margin(prepared: Prepared, question: CapacityQuestion, epsilon: float) -> Vector:
    """Return the (R,) room of a level, zero where existing load is at or held above its limit."""
    return np.maximum(prepared.margin_mw(epsilon, question.measure), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One level's program on the margins known so far."""

    prepared: Prepared
    epsilon: float
    problem: LevelProgram
    signed: LevelProgram  # with negative factors

    @classmethod
    def of(cls, prepared: Prepared, question: CapacityQuestion, epsilon: float, floor_mw: Vector) -> Self:
        """Return the program above what the level before left."""
        factors, demand = prepared.factors_of(question), np.array(question.demand_mw)
        margin = usable_margin(prepared, question, epsilon)
        signed = LevelProgram(factors, margin_above(factors, margin, floor_mw), floor_mw, demand)
        if not question.downward_closed:
            return cls(prepared, epsilon, signed, signed)
        closed = np.maximum(factors, 0.0)
        return cls(
            prepared, epsilon, LevelProgram(closed, margin_above(closed, margin, floor_mw), floor_mw, demand), signed
        )


class _Levels:
    """The levels of a question, each on top of the one before."""

    def __init__(
        self, prepared: Prepared, question: CapacityQuestion, secure: Secure | None, progress: Progress | None
    ) -> None:
        self._prepared = prepared
        self._question = question
        self._secure = secure
        self._progress = progress
        self._rounds = count(1)

    def all(self, solver: LevelSolver, floors_mw: Sequence[Vector]) -> tuple[Level, ...]:
        """Return every level, with (K,) granted in any case at each, if there are ``floors_mw``."""
        question, closed = self._question, self._question.downward_closed
        before, warm = np.zeros(len(question.demand_mw)), np.zeros(0, dtype=np.intp)
        levels: list[Level] = []
        for place, epsilon in enumerate((0.0, *question.epsilons)):
            begin = time.perf_counter()
            self._rounds = count(1)
            floor = self._floor(place, before, floors_mw[place]) if floors_mw else before
            while True:
                step = self._step(epsilon, floor)
                found = solver.solve(step.problem, question.objective, question.tie_rule, warm)
                found, warm = must_be_optimal(found, CHECK_TOLERANCE), found.used_rows
                if not self._brings_in(place, [(found.mw, closed)]):
                    break
            while True:
                step = self._step(epsilon, floor)
                most = _most(step, question, warm, solver)
                if not self._brings_in(place, [(mw, closed and not at) for at, mw in enumerate(most)]):
                    break
            level = _level(question, step, found, [float(mw.sum()) for mw in most], solver)
            more = tuple(np.maximum(found.mw - before, 0.0).tolist())
            levels.append(replace(level, increment_mw=more, time_s=time.perf_counter() - begin))
            before = found.mw
        return tuple(levels)

    def _step(self, epsilon: float, floor: Vector) -> _Step:
        prepared = self._prepared if self._secure is None else self._secure.prepared
        return _Step.of(prepared, self._question, epsilon, floor)

    def _floor(self, place: int, before: Vector, floor: Vector) -> Vector:
        """Return what is granted in any case at a level: ``floor``, as far as the level ``before`` leaves room."""
        while True:
            found = _as_far(self._step((0.0, *self._question.epsilons)[place], before).problem, floor)
            if not self._brings_in(place, [(found, self._question.downward_closed)]):
                return found

    def _brings_in(self, place: int, tried: Sequence[tuple[Vector, bool]]) -> bool:
        """Make rows of what allocations, each with whether its parts count, break after outages; return if any was."""
        if self._progress is not None:
            done = place * _ROUNDS + min(next(self._rounds), _ROUNDS - 1)
            self._progress(done, (1 + len(self._question.epsilons)) * _ROUNDS)
        secure = self._secure
        return secure is not None and any(secure.bring_in(place, mw, closed=closed) for mw, closed in tried)


def _as_far(problem: LevelProgram, floor_mw: Vector) -> Vector:
    """Return the way (K,) from a program's floor to a higher one, as far as the rows allow it."""
    more = np.maximum(floor_mw - problem.floor_mw, 0.0)
    room = np.maximum(problem.margin_mw - problem.factors @ problem.floor_mw, 0.0)
    used = problem.factors @ more
    over = used > room + ROUNDING_MW
    share = float((room[over] / used[over]).min(initial=1.0))
    found: Vector = np.maximum(problem.floor_mw + share * more - ROUNDING_MW, problem.floor_mw)
    return found


def _most(step: _Step, question: CapacityQuestion, warm: Integers, solver: LevelSolver) -> list[Vector]:
    """Return the allocations of the largest total over the level's rows and, where they differ, the signed ones."""
    most = [solver.most_total(step.problem, warm)]
    if question.downward_closed and (step.signed.factors < 0).any():
        most.append(solver.most_total(step.signed, warm))
    return most


def _level(question: CapacityQuestion, step: _Step, found: Optimum, most_mw: list[float], solver: LevelSolver) -> Level:
    problem = step.problem
    kept = (found.mw <= problem.floor_mw + TIGHT_MW) & (problem.floor_mw > TIGHT_MW)
    kept &= found.mw < problem.demand_mw - TIGHT_MW
    binding_rows, limited_by = _limiting(solver.whole(problem), found, question)
    total = float(found.mw.sum())
    most = max(total, most_mw[0])
    most_signed = max(most, most_mw[-1])
    return Level(
        epsilon=step.epsilon,
        capacity_mw=tuple(found.mw.tolist()),
        increment_mw=tuple(np.maximum(found.mw - problem.floor_mw, 0.0).tolist()),
        limited_by=tuple(limited_by.tolist()),
        binding=tuple(_binding(step, found, int(row), bool(kept.any()), solver) for row in binding_rows),
        kept_by_floor=tuple(bus for bus, at in zip(question.candidates, kept, strict=True) if at),
        total_mw=total,
        most_total_mw=most,
        lost_to_objective_mw=most - total,
        lost_to_subsets_mw=most_signed - most,
        objective=found.objective,
        status=found.status,
        gap=found.gap,
        solver=found.solver,
        certificate=found.checks,
        time_s=0.0,
    )


def _limiting(problem: LevelProgram, found: Optimum, question: CapacityQuestion) -> tuple[Integers, Integers]:
    """Return the binding rows by falling dual, and for each candidate which of them stops it (-1: its demand)."""
    stops = stopping_rows(problem, found, question)
    rows = found.rows[np.argsort(-found.dual, kind="stable")]
    rows = np.concatenate([rows, np.setdiff1d(stops[stops >= 0], rows)])
    place = {int(row): at for at, row in enumerate(rows)}
    return rows, np.array([place.get(int(row), -1) for row in stops], dtype=np.intp)


def _binding(step: _Step, found: Optimum, row: int, floored: bool, solver: LevelSolver) -> Binding:
    at = np.flatnonzero(found.rows == row)
    dual = float(found.dual[at[0]]) if at.size else 0.0
    condition = row - len(step.problem.margin_mw)
    if condition >= 0:
        limit = solver.limit(condition)
        return Binding(limit, step.epsilon, limit.limit_mw, "", dual, None, limit.words)
    limit = step.prepared.limit(row)
    # Where sites stand on the level before, a limit moves both levels at once: no first-order claim is made.
    gain = None if floored or found.gain is None or not at.size else float(found.gain[at[0]])
    kind = "firm" if step.epsilon == 0 else "flexible"
    effect = ""
    if gain is not None:
        effect = f"; the first MW more there gives {gain:.1f} MW more {kind} capacity in total"
        if abs(gain) < NO_GAIN:
            effect = f"; more room there changes who gets {kind} capacity, not its total"
    return Binding(
        limit=limit,
        level=step.epsilon,
        margin_mw=float(step.problem.margin_mw[row]),
        state=step.prepared.state_words(row),
        dual=dual,
        gain_mw_per_mw=gain,
        words=f"{limit.words}, limit {limit.limit_mw:.1f} MW{effect}",
    )


def _under_conditions(prepared: Prepared, question: CapacityQuestion, levels: tuple[Level, ...]) -> tuple[str, ...]:
    """Return what a reader's own conditions cost at the highest level, over the rows of these margins."""
    if not (question.conditions and levels):
        return ()
    floor = np.array(levels[-2].capacity_mw) if len(levels) > 1 else np.zeros(len(question.candidates))
    step = _Step.of(prepared, question, levels[-1].epsilon, floor)
    free = float(most_total(step.problem).sum())
    held = "1 condition holds" if len(question.conditions) == 1 else f"{len(question.conditions)} conditions hold"
    return (
        f"{held}: with them the largest total is {levels[-1].most_total_mw:.1f} MW at the highest level, "
        f"without them {free:.1f} MW",
    )


def _notices(
    prepared: Prepared, question: CapacityQuestion, over: tuple[OverLimit, ...], levels: tuple[Level, ...]
) -> tuple[str, ...]:
    held = sum(1 for row in over if row.level == 0.0)
    finest = 0.0 if prepared.tails is None else prepared.tails.finest
    cases = (
        (True, f"the extra power comes from {question.supply_words()}"),
        (question.cutoff > 0, f"distribution factors under {percent(question.cutoff)} are dropped"),
        (
            question.firm_set == "box" and len(prepared.network.buses.ids) > LARGE_GRID,
            "an independent box on a grid of this size holds states that never happen together",
        ),
        (
            held > 0 and bool(levels),
            f"{held} limits are exceeded before any addition and are held at their present level",
        ),
        (question.measure == "var", "risk bounds how often a limit is exceeded, not by how much (VaR)"),
        (
            not question.downward_closed,
            "all or nothing: a part of this allocation can exceed a limit that the whole keeps",
        ),
    )
    coarse = (
        f"risk {percent(epsilon)} is below the sample resolution of {percent(finest)}: it means the worst scenario"
        for epsilon in question.epsilons
        if epsilon < finest
    )
    kept = (
        f"at risk {percent(level.epsilon)}, {_sites(len(level.kept_by_floor))} would have got less than at the level "
        "before, and keep that"
        for level in levels
        if level.kept_by_floor and level.epsilon > 0
    )
    return (*prepared.notices, *(words for true, words in cases if true), *coarse, *kept)


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count} sites"
