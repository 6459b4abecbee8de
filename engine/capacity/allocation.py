"""The allocation: firm capacity first, then each risk level on top, with what binds and what the choices cost.

Every level is the same small program with its own margins (see :mod:`engine.capacity.margins`), and each level
keeps what the level before it granted. Source: Li, Fang and Chen, "Risk-aware allocation of transmission
capacity for AI data centers", arXiv 2604.08854, 2026, equations (1)-(5); the tie rule, nested levels and
subsets that stay deliverable are this product's.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from engine.capacity.level import TIGHT_MW, LevelProgram, Optimum
from engine.capacity.limiting import stopping_rows
from engine.capacity.margins import Prepared
from engine.capacity.programs import most_total_mw, must_be_optimal, solve_level
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Binding, CapacityResult, Level, OverLimit, Provenance
from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Vector

AT_LIMIT_MW = 1e-3  # an existing load this little above a limit is at it: a dispatch holds lines to about this
LARGE_GRID = 300  # buses beyond which an independent box is useless
NO_GAIN = 5e-3  # MW per MW: prints as 0.00
CHECK_TOLERANCE = 1e-6  # of the independent optimality check, relative


def allocate(prepared: Prepared, question: CapacityQuestion) -> CapacityResult:
    """Return how much each candidate may draw, firm and at every risk level.

    When existing load exceeds limits before any addition, the question's choice decides: "stop" returns the
    list with no levels, "hold" keeps these limits at their present level and lists them too.
    Raises QuestionError for an unknown candidate, supply, set or uncertainty other than the prepared one, and
    SolverError when the solver, or the check of its answer, fails.
    """
    start = time.perf_counter()
    check_fits(prepared, question)
    factors = prepared.factors_of(question)
    over = over_limits(prepared, question, factors)
    stop = question.at_zero == "stop" and any(row.level == 0.0 for row in over)
    levels = () if stop else _levels(prepared, question, factors)
    return CapacityResult(
        status="infeasible_at_zero" if stop else "optimal",
        candidates=question.candidates,
        demand_mw=question.demand_mw,
        levels=levels,
        over_limit=over,
        notices=_notices(prepared, question, over, levels),
        provenance=provenance(prepared, question, dict.fromkeys(level.solver for level in levels)),
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
        for row in order[: int((over > AT_LIMIT_MW).sum())].tolist():
            limit = prepared.limit(row)
            reached = bool((factors[row] > 0).any())
            state = prepared.state_words(row)
            when = f" in {state}" if state and epsilon == 0 else ""
            risk = "" if epsilon == 0 else f" at risk {percent(epsilon)}"
            words = (
                f"{limit.words}: {load[row]:.1f} MW{risk}{when}, before any addition, against a limit of "
                f"{limit.limit_mw:.1f} MW ({over[row]:.1f} MW over)"
            )
            found.append(OverLimit(limit, epsilon, float(load[row]), float(over[row]), state, reached, words))
    return tuple(found)


def provenance(prepared: Prepared, question: CapacityQuestion, solvers: Iterable[str]) -> Provenance:
    """Return from what an answer to ``question`` is computed, and by which ``solvers``."""
    network = prepared.network
    return Provenance(
        network=network.name,
        network_digest=network.digest,
        uncertainty_digest=question.uncertainty.digest(),
        question_digest=question.digest(),
        seed=question.uncertainty.seed,
        source=prepared.source,
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
    """One level's program and what the level before left."""

    epsilon: float
    problem: LevelProgram
    signed: Matrix  # (R, K), with negative factors
    warm: Integers


def _levels(prepared: Prepared, question: CapacityQuestion, factors: Matrix) -> tuple[Level, ...]:
    rows = np.maximum(factors, 0.0) if question.downward_closed else factors
    demand = np.array(question.demand_mw)
    floor, warm = np.zeros(len(demand)), np.zeros(0, dtype=np.intp)
    levels: list[Level] = []
    for epsilon in (0.0, *question.epsilons):
        begin = time.perf_counter()
        margin = usable_margin(prepared, question, epsilon)
        step = _Step(epsilon, LevelProgram(rows, margin, floor, demand), factors, warm)
        found = must_be_optimal(solve_level(step.problem, question.objective, question.tie_rule, warm), CHECK_TOLERANCE)
        levels.append(_level(prepared, question, step, found, begin))
        floor, warm = found.mw, found.used_rows
    return tuple(levels)


def _level(prepared: Prepared, question: CapacityQuestion, step: _Step, found: Optimum, begin: float) -> Level:
    problem = step.problem
    kept = (found.mw <= problem.floor_mw + TIGHT_MW) & (problem.floor_mw > TIGHT_MW)
    kept &= found.mw < problem.demand_mw - TIGHT_MW
    binding_rows, limited_by = _limiting(problem, found, question)
    total = float(found.mw.sum())
    most = max(total, most_total_mw(problem, found.used_rows))
    most_signed = most
    if question.downward_closed and (step.signed < 0).any():
        signed = LevelProgram(step.signed, problem.margin_mw, problem.floor_mw, problem.demand_mw)
        most_signed = max(most, most_total_mw(signed, found.used_rows))
    return Level(
        epsilon=step.epsilon,
        capacity_mw=tuple(found.mw.tolist()),
        increment_mw=tuple(np.maximum(found.mw - problem.floor_mw, 0.0).tolist()),
        limited_by=tuple(limited_by.tolist()),
        binding=tuple(_binding(prepared, step, found, int(row), bool(kept.any())) for row in binding_rows),
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
        time_s=time.perf_counter() - begin,
    )


def _limiting(problem: LevelProgram, found: Optimum, question: CapacityQuestion) -> tuple[Integers, Integers]:
    """Return the binding rows by falling dual, and for each candidate which of them stops it (-1: its demand)."""
    stops = stopping_rows(problem, found, question)
    rows = found.rows[np.argsort(-found.dual, kind="stable")]
    rows = np.concatenate([rows, np.setdiff1d(stops[stops >= 0], rows)])
    place = {int(row): at for at, row in enumerate(rows)}
    return rows, np.array([place.get(int(row), -1) for row in stops], dtype=np.intp)


def _binding(prepared: Prepared, step: _Step, found: Optimum, row: int, floored: bool) -> Binding:
    limit = prepared.limit(row)
    at = np.flatnonzero(found.rows == row)
    dual = float(found.dual[at[0]]) if at.size else 0.0
    # Where sites stand on the level before, a limit moves both levels at once: no first-order claim is made.
    gain = None if floored or found.gain is None or not at.size else float(found.gain[at[0]])
    kind = "firm" if step.epsilon == 0 else f"{percent(step.epsilon)} risk"
    effect = ""
    if gain is not None:
        effect = f"; each MW more there gives {gain:.2f} MW more {kind} capacity in all"
        if abs(gain) < NO_GAIN:
            effect = f"; more room there changes who gets {kind} capacity, not its total"
    return Binding(
        limit=limit,
        level=step.epsilon,
        margin_mw=float(step.problem.margin_mw[row]),
        state=prepared.state_words(row),
        dual=dual,
        gain_mw_per_mw=gain,
        words=f"{limit.words}, limit {limit.limit_mw:.1f} MW{effect}",
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
        f"at risk {percent(level.epsilon)}, {len(level.kept_by_floor)} sites would have got less than at the level "
        "before, and keep that"
        for level in levels
        if level.kept_by_floor
    )
    return (*prepared.notices, *(words for true, words in cases if true), *coarse, *kept)
