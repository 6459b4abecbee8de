"""The joint allocation with redispatch: who gets how much when units move in every state to make room.

Firm: in every scenario some dispatch keeps every limit; that holds for every mixture of the scenarios too, since the
least overload is convex in what is drawn, and nothing is claimed for a box. Flexible: one joint limit, the mean of the
least overloads in the worst share of the probability (CVaR) is at most zero. See :mod:`engine.redispatch.levels` for
the method, :mod:`engine.redispatch.recourse` for the overload.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from engine.capacity.allocation import CHECK_TOLERANCE, NO_GAIN, provenance
from engine.capacity.level import TIGHT_MW, LevelProgram, Optimum
from engine.capacity.limiting import stopping_rows
from engine.capacity.over import islanding_words
from engine.capacity.programs import most_total, must_be_optimal, solve_level
from engine.capacity.question import CapacityQuestion, check_conditions, percent
from engine.capacity.results import Binding, CapacityResult, Level, Limit, OverLimit
from engine.capacity.secure import outages_of
from engine.capacity.uncertainty import Sample, States
from engine.compute import Progress
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector
from engine.program import SOLVER
from engine.redispatch.held_words import ALL_UNITS, over_at_zero
from engine.redispatch.kept import JointProofs
from engine.redispatch.levels import RedispatchLevel, Row, Watch
from engine.redispatch.limits import FlowLimits, Sides
from engine.redispatch.program import Proof
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios

_STEPS = 1000  # of the progress; rounds have no known number, so each takes a share of what is left
_ROUNDS = 60.0
_GENERATION = (-1, -1, 0)  # the key of a cut without any limit of the network
_NOTHING_MW = 0.05  # increments that print as nothing


@dataclass(frozen=True, slots=True, eq=False)
class JointAnswer:
    """An allocation and what proves it."""

    result: CapacityResult
    proofs: JointProofs | None  # None where the question stopped at what is exceeded already


def allocate_with_redispatch(
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> CapacityResult:
    """Return how much each candidate may draw, firm and at every risk level, when units redispatch in every state.

    Raises QuestionError for a box or a budget, for VaR and for conditions, UncertaintyDataError without a sample,
    SolverError when a solver or the check of its answer fails, and what ``progress`` raises.
    """
    return redispatch_answer(network, question, states, factors=factors, progress=progress).result


def redispatch_answer(  # noqa: PLR0913 (all but what is asked is by name)
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    factors: Factors | None = None,
    progress: Progress | None = None,
    parts: tuple[Integers, ...] = (),
    floor_mw: Vector | None = None,
) -> JointAnswer:
    """Return the allocation of :func:`allocate_with_redispatch` together with its proofs.

    ``parts`` of the states, where given, keep each risk level by themselves: the worst part counts. ``floor_mw`` (K,)
    is granted in any case; it must be firm in these states.
    """
    start = time.perf_counter()
    sample = _refuse(question, states)
    used = factors or Factors.of(network)
    sites = np.array([_site(network, bus) for bus in question.candidates], dtype=np.intp)
    outages = outages_of(network, question, used) if question.security == "n-1" else None
    limits = FlowLimits.of(used, outages, question.outage_rating)
    recourse = Recourse(Scenarios.of(sample, network), limits, sites)
    recourse.hold_what_is()
    over = over_at_zero(recourse)
    stop = question.at_zero == "stop" and bool(over)
    made = _Levels(question, recourse, progress, parts)
    levels = () if stop else made.all(np.zeros(len(sites)) if floor_mw is None else floor_mw)
    result = CapacityResult(
        status="infeasible_at_zero" if stop else "optimal",
        candidates=question.candidates,
        demand_mw=question.demand_mw,
        levels=levels,
        over_limit=over,
        notices=(*sample.notices, *_notices(question, recourse, sample, over, levels)),
        provenance=provenance(network, question, sample.source, [SOLVER]),
        time_s=time.perf_counter() - start,
    )
    return JointAnswer(result, None if stop else JointProofs.of(recourse, question, made.served))


class _Levels:
    """The levels of a question, one on top of the other."""

    def __init__(
        self, question: CapacityQuestion, recourse: Recourse, progress: Progress | None, parts: tuple[Integers, ...]
    ) -> None:
        self.parts = parts
        self.question = question
        self.recourse = recourse
        self.progress = progress
        self.served: list[tuple[Vector, Matrix]] = []  # grants (K,), and the dispatches (S, G) that serve them
        self.demand_mw = np.array(question.demand_mw)
        self._found: Optimum | None = None

    def all(self, floor_mw: Vector) -> tuple[Level, ...]:
        """Return every level, none below a floor (K,)."""
        before, levels = np.zeros(len(self.demand_mw)), []
        for place, epsilon in enumerate((0.0, *self.question.epsilons)):
            levels.append(self._level(place, epsilon, before, np.maximum(before, floor_mw)))
            before = np.array(levels[-1].capacity_mw)
        return tuple(levels)

    def _level(self, place: int, epsilon: float, before: Vector, floor: Vector) -> Level:
        begin, question = time.perf_counter(), self.question
        closed = question.downward_closed
        level = RedispatchLevel(self.recourse, epsilon, self.demand_mw, floor, self.parts)
        mw = level.solve(self._best, self._watch(place, 0), closed=closed)
        found, overload = self._optimum(), level.largest_loss
        self.served.append((mw, level.dispatch_mw))
        problem = level.program(closed=closed)
        total, most = float(mw.sum()), float(mw.sum())
        if question.objective != "sum_ratio" or np.ptp(self.demand_mw) > 0.0:
            most = max(total, float(level.solve(_most, self._watch(place, 1), closed=closed).sum()))
        signed = most
        if closed and any((row.factor < 0.0).any() for row in level.rows):
            signed = max(most, float(level.solve(_most, self._watch(place, 2), closed=False).sum()))
        standing = (found.mw <= floor + TIGHT_MW) & (floor > TIGHT_MW) & (found.mw < self.demand_mw - TIGHT_MW)
        kept = standing & (floor <= before + TIGHT_MW)
        binding, limited_by = self._binding(level, problem, found, floored=bool(standing.any()))
        return Level(
            epsilon=epsilon,
            capacity_mw=tuple(mw.tolist()),
            increment_mw=tuple(np.maximum(mw - before, 0.0).tolist()),
            limited_by=limited_by,
            binding=binding,
            kept_by_floor=tuple(bus for bus, at in zip(question.candidates, kept, strict=True) if at),
            total_mw=total,
            most_total_mw=most,
            lost_to_objective_mw=most - total,
            lost_to_subsets_mw=signed - most,
            objective=found.objective,
            status=found.status,
            gap=found.gap,
            solver=f"{found.solver}, {len(self.recourse.cuts)} cuts from {SOLVER}",
            certificate={**found.checks, "relative_overload": max(overload, 0.0)},
            time_s=time.perf_counter() - begin,
        )

    def _best(self, problem: LevelProgram, warm: Integers) -> tuple[Vector, Integers]:
        question = self.question
        found = solve_level(problem, question.objective, question.tie_rule, warm)
        self._found = must_be_optimal(found, CHECK_TOLERANCE)
        return found.mw, found.used_rows

    def _optimum(self) -> Optimum:
        if self._found is None:
            raise QuestionError("choose one candidate bus or more")
        return self._found

    def _watch(self, place: int, stage: int) -> Watch:
        """Return what moves the progress through the part of one level's stage."""
        parts = 3 * (1 + len(self.question.epsilons))

        def watch(rounds: int, cuts: int) -> None:
            del cuts
            if self.progress is not None:
                share = 1.0 - float(np.exp(-rounds / _ROUNDS))
                self.progress(round(_STEPS * (3 * place + stage + share) / parts), _STEPS)

        return watch

    def _binding(
        self, level: RedispatchLevel, problem: LevelProgram, found: Optimum, *, floored: bool
    ) -> tuple[tuple[Binding, ...], tuple[int, ...]]:
        """Return the binding limits by falling dual, and for each candidate which of them stops it."""
        stops = stopping_rows(problem, found, self.question)
        rows = found.rows[np.argsort(-found.dual, kind="stable")]
        rows = np.concatenate([rows, np.setdiff1d(stops[stops >= 0], rows)])
        gains = None if floored else found.gain
        merged: dict[tuple[int, int, int], Binding] = {}
        key_of: dict[int, tuple[int, int, int]] = {}
        for row in rows.tolist():
            own = level.rows[row]
            key = key_of[row] = self._heaviest(own)
            if key in merged:
                continue
            # A limit may stand in several rows beside the one that it is named for.
            per_mw = np.array([self._per_mw(level.rows[other], key) for other in found.rows.tolist()])
            priced = bool((per_mw > 0.0).any())
            made = Binding(
                limit=self._limit(own, key, row),
                level=level.epsilon,
                margin_mw=float(problem.margin_mw[row]),
                state=self.recourse.scenarios.labels[own.scenario],
                dual=float(per_mw @ found.dual) if priced else 0.0,
                gain_mw_per_mw=float(per_mw @ gains) if priced and gains is not None else None,
                words="",
            )
            merged[key] = replace(made, words=_effect(made, self._raised_mw(own, key)))
        ordered = sorted(merged, key=lambda key: -merged[key].dual)
        limited = tuple(ordered.index(key_of[row]) if row in key_of else -1 for row in stops.tolist())
        return tuple(merged[key] for key in ordered), limited

    def _heaviest(self, row: Row) -> tuple[int, int, int]:
        """Return the key of the limit that weighs most in the weightiest cut of a row; ``_GENERATION`` for none."""
        cuts = [self.recourse.cuts[cut] for cut in row.cuts.tolist()]
        sloped = np.array([cut.slope.any() for cut in cuts])
        proof = cuts[int((row.parts * sloped).argmax())].proof
        if not len(proof.sides):
            return _GENERATION
        heaviest: tuple[int, int, int] = proof.sides.keys()[int((proof.multiplier * proof.scale_mw).argmax())]
        return heaviest

    def _per_mw(self, row: Row, key: tuple[int, int, int]) -> float:
        """Return the MW of a row's margin per MW of one limit."""
        total = 0.0
        for cut, part in zip(row.cuts.tolist(), row.parts.tolist(), strict=True):
            own = self.recourse.cuts[cut]
            keys = own.proof.sides.keys()
            if key in keys:
                total += part * float(own.proof.multiplier[keys.index(key)]) / own.size
            elif key == _GENERATION and not keys:
                total += part  # every bus has the same price: a MW of largest output is a MW of the cut
        return total

    def _raised_mw(self, row: Row, key: tuple[int, int, int]) -> float:
        """Return the MW by which a limit is held above what is filed in the state of a row."""
        raised = self.recourse.raised.get(row.scenario)
        if raised is None:
            return 0.0
        return float(raised.units_mw.sum() if key == _GENERATION else raised.of(_side(key))[0])

    def _limit(self, row: Row, key: tuple[int, int, int], place: int) -> Limit:
        if key == _GENERATION:
            available = float(self.recourse.scenarios.state(row.scenario).largest_mw.sum())
            return Limit(place, "cut", "", ALL_UNITS, available)
        return replace(self.recourse.limits.limit(_side(key)), row=place, kind="cut")


def _side(key: tuple[int, int, int]) -> Sides:
    return Sides(np.array([key[0]]), np.array([key[1]]), np.array([float(key[2])]))


def _most(problem: LevelProgram, warm: Integers) -> tuple[Vector, Integers]:
    found = most_total(problem, warm)
    return found, np.flatnonzero(problem.margin_mw - problem.factors @ found < TIGHT_MW)


def worst_limit(recourse: Recourse, proof: Proof, scenario: int) -> Limit:
    """Return the limit that weighs most in a proof."""
    if not len(proof.sides):
        return Limit(-1, "cut", "", ALL_UNITS, float(recourse.scenarios.state(scenario).largest_mw.sum()))
    most = int((proof.multiplier * proof.scale_mw).argmax())
    return replace(recourse.limits.limit(proof.sides.at(np.array([most]))), row=-1, kind="cut")


def _effect(binding: Binding, raised_mw: float) -> str:
    limit, kind = binding.limit, "firm" if binding.level == 0 else "flexible"
    size = f"{limit.limit_mw:,.1f} MW"
    held = f", held at {limit.limit_mw + raised_mw:,.1f} MW" if raised_mw > 0.0 else ""
    words = f"redispatch cannot keep {limit.words}, limit {size}{held}, in {binding.state}"
    if not limit.element:
        words = f"{limit.words}, {size} in all{held}, in {binding.state}"
    gain = binding.gain_mw_per_mw
    if gain is None:
        return words
    if abs(gain) < NO_GAIN:
        return f"{words}; more room there changes who gets {kind} capacity, not its total"
    return f"{words}; the first MW more there gives {gain:.1f} MW more {kind} capacity in total"


def _refuse(question: CapacityQuestion, states: States) -> Sample:
    check_conditions(question)
    if not question.candidates:
        raise QuestionError("choose one candidate bus or more")
    if question.firm_set != "sample":
        raise QuestionError(
            "redispatch is proven for the states of a sample and every mixture of them, not for a box or a budget: "
            "choose the sampled states as the firm set"
        )
    if question.measure == "var" and question.epsilons:
        raise QuestionError("with redispatch, risk is bounded by its depth (CVaR): how often alone is not convex")
    if states.sample is None:
        raise UncertaintyDataError("redispatch needs scenarios: a box has none")
    return states.sample


def _site(network: Network, bus_id: str) -> int:
    if bus_id not in network.buses.ids:
        raise QuestionError(f"candidate bus {bus_id!r} is not in network {network.name!r}")
    bus = network.bus(bus_id)
    if not network.buses.in_service[bus]:
        raise QuestionError(f"candidate bus {bus_id!r} is out of service")
    return bus


def _notices(
    question: CapacityQuestion,
    recourse: Recourse,
    sample: Sample,
    over: tuple[OverLimit, ...],
    levels: tuple[Level, ...],
) -> tuple[str, ...]:
    held, given_up = len(recourse.raised), int((recourse.scenarios.given_up_mw > 0.0).sum())
    outages = recourse.limits.outages
    apart = outages is not None and bool(outages.islanding)
    flat = [level for level in levels[1:] if sum(level.increment_mw) < _NOTHING_MW]
    cases = (
        (True, "units move freely between their limits in every state, without ramps or commitment"),
        (
            sample.units is None,
            "each state's load is its net demand plus the filed generation; unit limits are as filed",
        ),
        (
            outages is not None,
            "the dispatch of a state keeps the limits after every outage without moving again",
        ),
        (apart, islanding_words(outages) if outages is not None and apart else ""),
        (
            bool(question.epsilons),
            "risk is one joint limit: in the worst share of states, the least overload of all limits and units is "
            "zero on average",
        ),
        (question.cutoff > 0, "the cutoff of distribution factors does not apply with redispatch"),
        (given_up > 0, f"in {given_up} states least outputs exceed the load and are given up in proportion"),
        (
            bool(over) and bool(levels),
            f"in {held} states no dispatch keeps every limit before any addition: each of those that cannot be kept is "
            "held at what it reaches there at best, all others at what they are",
        ),
        (
            question.downward_closed and bool(levels),
            "only what adds to a limit counts on each cut, and parts of the firm allocation are tried in the hardest "
            "states; that every part keeps every limit is not proven",
        ),
        (
            not question.downward_closed,
            "all or nothing: a part of this allocation can exceed a limit that the whole keeps",
        ),
    )
    coarse = (
        f"risk {percent(epsilon)} is below the sample resolution of {percent(sample.resolution)}: it means the worst "
        "scenario"
        for epsilon in question.epsilons
        if epsilon < sample.resolution
    )
    none = (
        f"at risk {percent(level.epsilon)} nothing is gained over the level before: some limits are full in nearly "
        "every state, and the risk is joint"
        for level in flat
    )
    return (*(words for true, words in cases if true), *coarse, *none)
