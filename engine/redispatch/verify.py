"""An independent check of an allocation with redispatch: a dispatch for every state, judged in bus angles.

The dispatches are found by the programs, and count for nothing until this module has put them through its own power
flow (:class:`engine.redispatch.check.AngleModel`): balance, every limit, every unit. For a seeded choice of states a
program in angles, solved from nothing, also says the least overload; so it does for parts of the firm allocation.
In such states it also finds anew which limits no dispatch keeps before any addition, and what each is held at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from engine.capacity.periods import positions
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Verdict, Violation
from engine.capacity.secure import outages_of
from engine.capacity.uncertainty import States
from engine.compute import Progress
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector
from engine.redispatch.angles import AngleModel, Held
from engine.redispatch.check import least_overload, what_is_held
from engine.redispatch.levels import RedispatchLevel
from engine.redispatch.limits import FlowLimits, Raised
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios, outputs_by_bus

TOLERANCE = 1e-5  # relative: what a limit may be exceeded by, ten times what an answer is found to
BOUND_MW = 1e-6
_HELD = 1e-4  # relative: limits are held one on top of the other, each to what the last was found to
_SHOWN = 20
_CELLS = 6e8  # branches times outages times states that are judged after outages: a minute or two
_BLOCK = 256  # states whose flows are held at a time


def verify_with_redispatch(  # noqa: PLR0913 (all but what is checked is by name)
    network: Network,
    question: CapacityQuestion,
    levels_mw: Sequence[Vector],
    states: States,
    *,
    factors: Factors | None = None,
    cold: int = 20,
    progress: Progress | None = None,
) -> Verdict:
    """Return whether the (K,) capacities of firm and each risk level are served in every state.

    ``cold`` states are solved from nothing besides, without outages. With security "n-1" the dispatches are judged
    after every outage too, each solved anew: in every state, on large grids in as many of the worst as can be done,
    which the verdict's words tell. A risk counts in each period of the question by itself. Raises QuestionError when
    the number of levels is not the question's, UncertaintyDataError without a sample.
    """
    if len(levels_mw) != 1 + len(question.epsilons):
        raise QuestionError(f"{1 + len(question.epsilons)} levels are asked, {len(levels_mw)} were given")
    if states.sample is None:
        raise UncertaintyDataError("redispatch needs scenarios: a box has none")
    used = factors or Factors.of(network)
    sites = np.array([network.bus(bus) for bus in question.candidates], dtype=np.intp)
    outages = outages_of(network, question, used) if question.security == "n-1" else None
    limits = FlowLimits.of(used, outages, question.outage_rating)
    recourse = Recourse(Scenarios.of(states.sample, network), limits, sites)
    levels = [np.asarray(mw, dtype=np.float64) for mw in levels_mw]
    periods = () if question.period == "year" else positions(states.sample, question)
    check = _Check(network, question, recourse, levels, cold, progress, periods)
    found = [*check.bounds(), *check.zero(), *check.levels(), *check.parts()]
    found.sort(key=lambda violation: -violation.over_mw)
    count = len(recourse.scenarios)
    words = f"a dispatch keeps every limit in each of {count:,} states{check.after_words()}"
    words += f"; {check.solved} solved from nothing{', without outages,' if outages is not None else ''} agree"
    if found:
        words = f"{len(found)} promises are broken, the worst: {found[0].words}"
    largest = float(np.concatenate([limits.upper_mw[np.isfinite(limits.upper_mw)], [1.0]]).max())
    return Verdict(
        holds=not found,
        largest_violation_mw=found[0].over_mw if found else max(check.largest, 0.0) * largest,
        tolerance_mw=TOLERANCE * largest,
        rows_checked=check.rows,
        violations=tuple(found[:_SHOWN]),
        dropped_factors_mw=0.0,
        dropped_factors_at="",
        words=words,
    )


@dataclass(slots=True, eq=False)
class _Check:
    network: Network
    question: CapacityQuestion
    recourse: Recourse
    levels_mw: list[Vector]
    cold: int
    progress: Progress | None
    periods: tuple[tuple[str, Integers], ...]  # positions of their states by name; none: the year as a whole
    after: int = 0  # states judged after outages
    rows: int = 0
    solved: int = 0
    largest: float = 0.0
    own: dict[int, Raised | None] = field(default_factory=dict)  # what is held, found anew

    def bounds(self) -> Iterator[Violation]:
        """Yield the capacities that are negative, above the demand, or below those of the level before."""
        before, demand = np.zeros(len(self.question.candidates)), np.array(self.question.demand_mw)
        for level, mw in zip((0.0, *self.question.epsilons), self.levels_mw, strict=True):
            for over, said in ((mw - demand, "above its demand"), (before - mw, "below what it had before")):
                for site in np.flatnonzero(over > BOUND_MW).tolist():
                    bus = self.question.candidates[site]
                    yield Violation("bounds", bus, level, float(over[site]), f"bus {bus} is granted MW {said}")
            before = mw

    def zero(self) -> Iterator[Violation]:
        """Yield the states whose limits are held at something else than they must be, or that stop the question."""
        held, scenarios = self.recourse.hold_what_is(), self.recourse.scenarios
        generator = np.random.default_rng(self.question.uncertainty.seed + 2)
        some = generator.permutation(held)[: self.cold] if self.question.security == "base" else held[:0]
        for scenario in np.sort(some).tolist():
            words = scenarios.labels[scenario]
            more = _difference_mw(self.recourse.raised[scenario], self._held(scenario))
            if more > _HELD * self._size():
                said = f"{words}: a limit is held {more:,.4f} MW off what no dispatch can better before any addition"
                yield Violation("bounds", words, 0.0, more, said)
        if self.question.at_zero == "stop" and held.size:
            words = f"{held.size} states are exceeded before any addition"
            most = max(_difference_mw(own, None) for own in self.recourse.raised.values())
            yield Violation("bounds", scenarios.labels[held[0]], 0.0, most, words)

    def levels(self) -> Iterator[Violation]:
        """Yield the levels that the dispatches do not serve, and the states in which a cold program disagrees."""
        generator = np.random.default_rng(self.question.uncertainty.seed)
        weight, scenarios = self.recourse.scenarios.weight, self.recourse.scenarios
        alone = tuple(at for _, at in self.periods)
        served = [_Served.of(self.recourse, self.question, epsilon, mw, alone) for epsilon, mw in self._asked()]
        losses = [self._judged(AngleModel.of(self.network), level) for level in served]
        after = self._judged_after(served, losses)
        for (epsilon, mw), loss, outage in zip(self._asked(), losses, after, strict=True):
            where = "firm" if epsilon == 0.0 else f"risk {percent(epsilon)}"
            for name, at in self.periods or (("", np.arange(len(loss))),):
                worst = int(at[loss[at].argmax()])
                risk = float(loss[worst]) if epsilon == 0.0 else _cvar(loss[at], weight[at] / weight[at].sum(), epsilon)
                self.largest = max(self.largest, risk)
                if risk <= TOLERANCE:
                    continue
                state, kind = scenarios.labels[worst], "(1c)" if epsilon == 0.0 else "(4c)"
                words = f"{name}: {where}" if name else where
                words += f": exceeded by {100 * risk:.4f} %, most in {state}, by {100 * loss[worst]:.4f} %"
                words += f" after the outage of {outage[worst]}" if outage[worst] else ""
                yield Violation(kind, state, epsilon, risk * self._size(), words)
            count = min(self.cold, len(scenarios))
            for scenario in generator.choice(len(scenarios), count, replace=False).tolist():
                yield from self._cold(epsilon, mw, scenario, float(loss[scenario]))

    def parts(self) -> Iterator[Violation]:
        """Yield the seeded parts of a firm allocation that a cold program finds exceeded."""
        if not self.question.downward_closed or self.question.security != "base":
            return
        generator = np.random.default_rng(self.question.uncertainty.seed + 1)
        scenarios, mw = self.recourse.scenarios, self.levels_mw[0]
        for _ in range(self.cold):
            part = mw * (generator.random(len(mw)) < 0.5)
            scenario = int(generator.integers(len(scenarios)))
            least = self._least(part, scenario)
            if least > TOLERANCE:
                words = f"a part of the firm allocation exceeds a limit in {scenarios.labels[scenario]}"
                yield Violation("(1c)", scenarios.labels[scenario], 0.0, least * self._size(), words)

    def _asked(self) -> list[tuple[float, Vector]]:
        return list(zip((0.0, *self.question.epsilons), self.levels_mw, strict=True))

    def _judged(self, model: AngleModel, served: "_Served") -> Vector:
        """Return the (S,) overloads of dispatches without outages, from angles alone."""
        recourse, held = self.recourse, Held(self.network)
        count = len(recourse.scenarios)
        raised = [recourse.raised.get(scenario) for scenario in range(count)]
        loss = np.empty(count)
        for start in range(0, count, _BLOCK):
            block = slice(start, min(start + _BLOCK, count))
            drawn = served.drawn_mw[:, block]
            loss[block] = held.overloads(model.flow_mw(-drawn), drawn, model.live, raised=raised[block])
        for scenario in range(count):
            state, dispatch = recourse.scenarios.state(scenario), served.dispatch_mw[scenario]
            off = abs(float(served.drawn_mw[:, scenario].sum())) / max(1.0, float(state.demand_mw.sum()))
            below = float((state.least_mw - dispatch).max())
            stretched = max(loss[scenario], _stretched(dispatch, state.largest_mw, raised[scenario]))
            loss[scenario] = stretched if max(off, below) <= TOLERANCE else np.inf
            self.rows += 1
        return loss

    def _judged_after(self, served: "list[_Served]", losses: list[Vector]) -> list[list[str]]:
        """Raise ``losses`` to the overloads after outages, each solved anew; return the worst outage of each state.

        It is "" where the overload without outages is the larger.
        """
        outages, count = self.recourse.limits.outages, len(self.recourse.scenarios)
        after = [[""] * count for _ in served]
        if outages is None:
            return after
        cells = len(outages) * len(self.network.branches.ids) * len(served)
        self.after = min(count, max(1, int(_CELLS / max(cells, 1))))
        chosen = [np.sort(np.argsort(-level.above, kind="stable")[: self.after]) for level in served]
        drawn = np.concatenate(
            [level.drawn_mw[:, states] for level, states in zip(served, chosen, strict=True)], axis=1
        )
        raised = [self.recourse.raised.get(state) for states in chosen for state in states.tolist()]
        held = Held(self.network, self.question.outage_rating)
        for place, lost in enumerate(outages.lost):
            if self.progress is not None:
                self.progress(place, len(outages))
            model = AngleModel.of(self.network, lost)
            over = held.overloads(model.flow_mw(-drawn), drawn, model.live, outage=place, raised=raised)
            for level, (loss, states) in enumerate(zip(losses, chosen, strict=True)):
                found = over[level * self.after : (level + 1) * self.after]
                for at in np.flatnonzero(found > loss[states]).tolist():
                    loss[states[at]], after[level][states[at]] = found[at], outages.ids[place]
        self.rows += len(outages) * drawn.shape[1]
        return after

    def after_words(self) -> str:
        """Return in how many of the states the limits after outages were judged, "" without outages."""
        if not self.after:
            return ""
        whole = self.after == len(self.recourse.scenarios)
        return (
            ", before and after every outage" if whole else f", in the worst {self.after:,} of them after every outage"
        )

    def _cold(self, epsilon: float, mw: Vector, scenario: int, loss: float) -> Iterator[Violation]:
        least = self._least(mw, scenario)
        if least > loss + TOLERANCE:  # no dispatch is better than the best
            words = (
                f"{self.recourse.scenarios.labels[scenario]}: a cold program finds no dispatch as good as the one kept"
            )
            yield Violation("bounds", self.recourse.scenarios.labels[scenario], epsilon, least * self._size(), words)

    def _least(self, mw: Vector, scenario: int) -> float:
        extra = np.zeros(len(self.network.buses.ids))
        extra[self.recourse.sites] = mw
        self.solved += 1
        state, raised = self.recourse.scenarios.state(scenario), self.recourse.raised.get(scenario)
        if self.question.security == "base":
            raised = self._held(scenario)
        return least_overload(self.network, state, extra, stretch_units=True, raised=raised)

    def _held(self, scenario: int) -> Raised | None:
        """Return what is held in a state whose limits some dispatch may not keep, found anew."""
        if scenario not in self.recourse.raised:
            return None
        if scenario not in self.own:
            self.own[scenario] = what_is_held(self.network, self.recourse.scenarios.state(scenario))
            self.solved += 1
        return self.own[scenario]

    def _size(self) -> float:
        """Return the largest rating: what relative overloads are turned to MW by, for want of one limit."""
        rating = self.network.branches.rating_a_mw
        return float(rating[np.isfinite(rating)].max(initial=1.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Served:
    """The dispatches that serve one level, and what is drawn at the buses then."""

    dispatch_mw: Matrix  # (S, G)
    drawn_mw: Matrix  # (B, S), less what is generated there
    above: Vector  # (S,), bounds on the losses as the programs know them: they only say where to look first

    @classmethod
    def of(
        cls,
        recourse: Recourse,
        question: CapacityQuestion,
        epsilon: float,
        mw: Vector,
        parts: tuple[Integers, ...],
    ) -> Self:
        """Find the dispatches: the programs' own, whatever they say of them."""
        RedispatchLevel(recourse, epsilon, np.array(question.demand_mw), np.zeros(len(mw)), parts).passes(mw)
        scenarios, network = recourse.scenarios, recourse.limits.network
        dispatch = recourse.moved(mw, np.arange(len(scenarios)))
        drawn = scenarios.demand_mw - outputs_by_bus(dispatch, network.units.bus, len(network.buses.ids))
        drawn[:, recourse.sites] += mw
        return cls(dispatch, np.ascontiguousarray(drawn.T), recourse.above(mw))


def _difference_mw(one: Raised, other: Raised | None) -> float:
    """Return the most MW by which two states of what is held differ on a limit."""
    against = other or Raised.none(len(one.units_mw))
    sides = [one.sides_mw - against.of(one.sides), against.sides_mw - one.of(against.sides)]
    return float(np.abs(np.concatenate([*sides, one.units_mw - against.units_mw])).max(initial=0.0))


def _stretched(dispatch_mw: Vector, largest_mw: Vector, raised: Raised | None) -> float:
    """Return the share by which the largest outputs are exceeded most, of the units that have one."""
    beyond = dispatch_mw - largest_mw - (0.0 if raised is None else raised.units_mw)
    able = np.abs(largest_mw) > BOUND_MW
    if (beyond[~able] > BOUND_MW).any():
        return np.inf
    return float((beyond[able] / np.abs(largest_mw[able])).max(initial=-1.0))


def _cvar(loss: Vector, weight: Vector, epsilon: float) -> float:
    """Return the mean of the worst ``epsilon`` share, from its definition."""
    order = np.argsort(-loss, kind="stable")
    before = np.cumsum(weight[order]) - weight[order]
    part = np.clip(epsilon - before, 0.0, weight[order])
    return float(part @ np.where(part > 0.0, loss[order], 0.0) / part.sum())
