"""A feeder study from its question to all that a page shows: what the job, a notebook and the reports call."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.compute import Progress
from engine.distribution.ac_limits import loading
from engine.distribution.binding import Binding
from engine.distribution.case import FeederCase
from engine.distribution.corrected import dispatch_corrected
from engine.distribution.dlmp import PARTS, PriceParts
from engine.distribution.feeder import Feeder
from engine.distribution.files import from_json, to_json
from engine.distribution.frames import Frame, Integers, Matrix, Phasors, Vector, three_phase_buses
from engine.distribution.free_taps import free_taps
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import Point
from engine.distribution.load_models import MODELS, load_models
from engine.distribution.methods import Decided, given_kw
from engine.distribution.metrics import (
    bills,
    magnitude_unbalance,
    operator_surplus,
    voltage_deviation,
    voltage_unbalance,
)
from engine.distribution.prepare import LoadDataset, Prepared, prepare
from engine.distribution.price_range import price_ranges
from engine.distribution.question import FeederQuestion
from engine.distribution.run_facts import facts, stored
from engine.distribution.scenarios import compensator_kvar, scenario_check
from engine.distribution.settling import settled
from engine.distribution.tightening import Checked, told_solver
from engine.errors import UncertaintyDataError

FORMAT = "headroom-feeder-run-3"
_USUAL = 3  # corrections until an hour settles


@dataclass(frozen=True, slots=True, eq=False)
class CaseRun:
    """One case of a study, T hours and N nodes: its draws, operation, prices, and what AC says of them.

    ``facts`` holds, as JSON: the method and its outcome, rounds, flags, violations, solver and certificate, scenarios,
    and what other models of the loads would change.
    """

    svg: bool  # whether static var generators were in service
    draw_kw: Matrix  # (T, C), from the network
    computer_kw: Matrix  # (T, C), of the computers and their cooling: the work
    charge_kw: Matrix  # (T, C), into the batteries; 0 without one, as both below
    discharge_kw: Matrix  # (T, C), out of them
    held_kwh: Matrix  # (T, C), in them at the end of the hour
    centre_price: Matrix  # (T, C), $/MWh of each centre, reactive power included
    bill_active: Matrix  # (T, C), $/h
    bill_reactive: Matrix  # (T, C), $/h
    voltage_pu: Matrix  # (T, N), of the linear flow
    phasors: Phasors  # (T, N), of AC with the regulators' ratios fixed
    free_phasors: Phasors  # (T, N), of AC with taps that move; (0, N) if that was not asked for
    margin_pu: Matrix  # (T, N), by which both limits were tightened
    active_price: Matrix  # (T, N), $/MWh
    reactive_price: Matrix  # (T, N), $/Mvarh
    price_least: Matrix  # (T, N), $/MWh: active prices that the same optimum allows; as active_price where it
    price_most: Matrix  # (T, N), determines them
    reactive_least: Matrix  # (T, N), $/Mvarh: likewise of reactive prices
    reactive_most: Matrix  # (T, N)
    active_parts: AnyArray  # (5, T, N), in the order of dlmp.PARTS
    reactive_parts: AnyArray  # (5, T, N)
    supply_mva: AnyArray  # (T,) complex
    generator_mva: AnyArray  # (T, G) complex
    svg_kvar: AnyArray  # (T, S, 3), by member of the feeder's frame
    cost_per_h: Vector  # (T,)
    penalty_per_h: Vector  # (T,)
    surplus_per_h: Vector  # (T,)
    loss_mva: AnyArray  # (T,) complex, of the linear flow
    loss_ac_mva: AnyArray  # (T,) complex
    linear_loading: Matrix  # (T, M), of the feeder's links, share of their rating; 0 without one
    ac_loading: Matrix  # (T, M)
    current_a: AnyArray  # (T, M, 3), magnitudes
    vuf: Matrix  # (T, B3), negative over positive sequence
    pvur: Matrix  # (T, B3), of the linear magnitudes
    deviation: Vector  # (T,), p.u. over the nodes, of AC
    voltage_chance: AnyArray  # (T, B, 3); first axis 0 without scenarios, as the three below
    line_chance: Matrix  # (T, M)
    hour_chance: Vector  # (T,)
    extremes_pu: AnyArray  # (2, S, T), lowest and highest of each scenario
    facts: Mapping[str, Any]

    @property
    def price_width(self) -> Matrix:
        """Return (T, N) how far the active price may range, $/MWh; above 1e-3 the optimum does not determine it."""
        return np.asarray(self.price_most - self.price_least)

    @property
    def reactive_width(self) -> Matrix:
        """Return (T, N) how far the reactive price may range, $/Mvarh, likewise."""
        return np.asarray(self.reactive_most - self.reactive_least)

    @property
    def duals(self) -> tuple[Binding, ...]:
        """Return every limit that has a dual, hour by hour, as it was used: tightened or derated."""
        return tuple(Binding(**row) for row in self.facts["duals"])

    @property
    def error_pu(self) -> Matrix:
        """Return (T, N) the linear magnitudes less those of AC."""
        return np.asarray(self.voltage_pu - np.abs(self.phasors))


@dataclass(frozen=True, slots=True, eq=False)
class FeederRun:
    """A study's answer: the cases without and with static var generators, or one of them."""

    question: FeederQuestion
    feeder: Feeder  # as it was studied
    labels: tuple[str, ...]  # (T,)
    price_per_mwh: Vector  # (T,)
    load_share: Matrix  # (T, L)
    availability: Matrix  # (T, G)
    cases: tuple[CaseRun, ...]
    provenance: Mapping[str, Any]

    @property
    def nodes(self) -> tuple[tuple[str, str], ...]:
        """Return the N nodes: bus and member of the frame."""
        return Frame.of(self.feeder).nodes

    @property
    def three_phase(self) -> tuple[tuple[str, ...], Integers]:
        """Return the B3 buses that have an unbalance, and their nodes (B3, 3)."""
        return three_phase_buses(Frame.of(self.feeder))

    def case(self, *, svg: bool) -> CaseRun | None:
        """Return the case with or without static var generators, None where it was not asked for."""
        return next((each for each in self.cases if each.svg == svg), None)

    def svg_effect(self) -> list[dict[str, Any]]:
        """Return what changes with static var generators: rows of measure, unit, without, with; [] for one case."""
        off, on = self.case(svg=False), self.case(svg=True)
        if off is None or on is None:
            return []
        names = [(measure, unit) for measure, unit, _ in self._measures(off)]
        values = zip(self._measures(off), self._measures(on), strict=True)
        return [
            {"measure": measure, "unit": unit, "without": one, "with": other}
            for (measure, unit), ((*_, one), (*_, other)) in zip(names, values, strict=True)
        ]

    def _measures(self, each: CaseRun) -> list[tuple[str, str, float]]:
        volts, centres = np.abs(each.phasors[:, Frame.of(self.feeder).roots :]), self.at_centres(each)
        unbalance = each.vuf if each.vuf.size else np.zeros(1)
        at_centres = [
            ("Lowest voltage at a data centre in AC", "p.u.", float(centres.min())),
            ("Mean voltage at data centres in AC", "p.u.", float(centres.mean())),
        ] if centres.size else []  # fmt: skip
        return [
            ("Lowest voltage in AC", "p.u.", float(volts.min())),
            *at_centres,
            ("Voltage deviation in AC", "p.u.", float(each.deviation.sum())),
            ("Largest voltage unbalance (VUF)", "%", 100.0 * float(unbalance.max())),
            ("Mean voltage unbalance (VUF)", "%", 100.0 * float(unbalance.mean())),
            ("Losses in AC", "MWh", float(each.loss_ac_mva.real.sum())),
            ("Operator's cost", "$", float(each.cost_per_h.sum())),
            ("Charged for limits exceeded", "$", float(each.penalty_per_h.sum())),
            ("Bill of the data centres", "$", float(each.bill_active.sum() + each.bill_reactive.sum())),
            ("Largest error of the linear voltages", "p.u.", float(np.abs(each.error_pu).max())),
        ]

    def at_centres(self, each: CaseRun) -> Matrix:
        """Return (T, K) the voltages in AC at the nodes of the data centres, one after the other, p.u."""
        frame = Frame.of(self.feeder)
        nodes = [int(node) for row in self.feeder.centres for node in frame.at(row.bus, row.phases)]
        return np.abs(each.phasors[:, nodes])

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads."""
        arrays: dict[str, AnyArray] = {
            "price_per_mwh": self.price_per_mwh, "load_share": self.load_share, "availability": self.availability,
        }  # fmt: skip
        for at, each in enumerate(self.cases):
            arrays |= {f"case{at}_{name}": np.asarray(getattr(each, name)) for name in _ARRAYS}
        meta = {
            "format": FORMAT,
            "question": self.question.to_json(),
            "feeder": to_json(self.feeder).decode(),
            "labels": list(self.labels),
            "cases": [{"svg": each.svg, "facts": each.facts} for each in self.cases],
            "provenance": self.provenance,
        }
        return pack(arrays, meta)

    @classmethod
    def load(cls, source: Path | bytes) -> Self:
        """Return what :meth:`save` wrote. Raises UncertaintyDataError when it is something else."""
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of a feeder study of this version")
        found = tuple(
            CaseRun(
                svg=bool(told["svg"]), facts=told["facts"],
                **{name: arrays[f"case{at}_{name}"] for name in _ARRAYS},
            )
            for at, told in enumerate(meta["cases"])
        )  # fmt: skip
        return cls(
            FeederQuestion.from_json(meta["question"]), from_json(meta["feeder"].encode()), tuple(meta["labels"]),
            arrays["price_per_mwh"], arrays["load_share"], arrays["availability"], found, meta["provenance"],
        )  # fmt: skip


_ARRAYS = tuple(field.name for field in fields(CaseRun) if field.name not in {"svg", "facts"})


def run_feeder(
    question: FeederQuestion,
    load_dataset: LoadDataset | None = None,
    *,
    progress: Progress | None = None,
    partial: Callable[[FeederRun], None] | None = None,
) -> FeederRun:
    """Return the answer to a question.

    ``progress`` is told AC solutions done and about how many there are, and may stop the run by raising
    CancelledError; ``partial`` is given what is known after each case but the last. Raises QuestionError,
    NetworkDataError, InfeasibleError and SolverError, in words for the reader.
    """
    started = time.perf_counter()
    prepared = prepare(question, load_dataset)
    counter = _Counter(progress, _expected(prepared))
    done: list[CaseRun] = []
    for svg in question.cases:
        done.append(_run_case(prepared, counter, svg=svg))
        if partial is not None and len(done) < len(question.cases):
            partial(_run_of(prepared, done, time.perf_counter() - started))
    counter.end()
    return _run_of(prepared, done, time.perf_counter() - started)


@dataclass(slots=True)
class _Counter:
    """AC solutions done, of about as many as are expected: tightened rounds add to them."""

    progress: Progress | None
    total: int
    done: int = 0

    def __call__(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, self.total - 1), self.total)

    def end(self) -> None:
        if self.progress is not None:
            self.progress(self.total, self.total)


def _expected(prepared: Prepared) -> int:
    question = prepared.question
    rounds = min(question.corrections, _USUAL)
    each = rounds + 2 + len(MODELS) - 1 + question.scenarios + (question.regulators == "free")
    each += 0 if question.method == "given" else 2 * (rounds + 1)  # even draws before, and about one more decision
    return max(2, len(question.cases) * each * prepared.case.hours)


def _run_of(prepared: Prepared, done: list[CaseRun], time_s: float) -> FeederRun:
    case, question = prepared.case, prepared.question
    provenance = {
        "feeder_digest": case.feeder.digest,
        "case_digest": case.digest,
        "question_digest": question.digest,
        "origin": case.feeder.origin,
        "assumptions": list(prepared.assumptions),
        "seed": question.seed,
        "work": {
            "interactive": prepared.workload.interactive.tolist(),
            "jobs": [asdict(job) for job in prepared.workload.jobs],
        },
        "solver": ", ".join(dict.fromkeys(each.facts["solver"] for each in done)),
        "ac": f"OpenDSS through OpenDSSDirect {version('opendssdirect.py')}",
        "headroom": version("headroom"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "time_s": time_s,
        "complete": len(done) == len(question.cases),
    }
    return FeederRun(
        question, case.feeder, case.labels, case.price_per_mwh, case.load_share, case.availability, tuple(done),
        provenance,
    )  # fmt: skip


def _run_case(prepared: Prepared, tick: _Counter, *, svg: bool) -> CaseRun:
    started = time.perf_counter()
    question, case = prepared.question, prepared.case
    options = question.options(compensators=svg)
    points = None if question.method == "given" else first_points(prepared, options, tick)
    found = settled(prepared, options, points, tick)
    checked, decided = found.checked, found.decided
    free, free_facts = free_taps(prepared, checked, tick)
    scenario_arrays, scenario_facts = _scenarios(prepared, checked, decided, tick)
    told = facts(case, checked, decided) | {
        "final": None if found.final is None else asdict(found.final), "decisions": list(found.decisions),
        "regulators_free": free_facts, "load_models": load_models(case, checked, prepared.own_models, tick),
        "scenarios": scenario_facts, "time_s": time.perf_counter() - started,
    }  # fmt: skip
    more = {"free_phasors": free, **scenario_arrays, **stored(decided), "facts": told}
    return _case_run(case, checked, svg=svg, more=more)


def first_points(prepared: Prepared, options: DsoOptions, tick: Callable[[], None]) -> tuple[Point, ...] | None:
    """Return operating points near those of any method: the work divided evenly. None where nothing is corrected."""
    case = prepared.case
    if not prepared.question.corrections:
        return None
    even = given_kw(prepared.question, case, prepared.workload)
    corrections, solver = prepared.question.corrections, told_solver(case, tick)
    found = dispatch_corrected(case, even, options, corrections=corrections, ac=solver)
    return tuple(each.point for each in found.points)


def _scenarios(
    prepared: Prepared, checked: Checked, decided: Decided, tick: _Counter
) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    question, case, feeder = prepared.question, prepared.case, prepared.case.feeder
    if not question.scenarios:
        return {
            "voltage_chance": np.zeros((0, len(feeder.buses), 3)), "line_chance": np.zeros((0, len(feeder.links))),
            "hour_chance": np.zeros(0), "extremes_pu": np.zeros((2, 0, case.hours)),
        }, {}  # fmt: skip
    found = scenario_check(
        case, checked.result, count=question.scenarios, seed=question.seed,
        deviations=(question.work_deviation, question.sun_deviation),
        battery_mw=decided.battery_mw[0] - decided.battery_mw[1], tick=tick,
    )  # fmt: skip
    return {
        "voltage_chance": found.voltage_chance, "line_chance": found.line_chance, "hour_chance": found.hour_chance,
        "extremes_pu": np.array([found.lowest_pu, found.highest_pu]),
    }, {
        "count": found.count, "seed": found.seed, "day_chance": found.day_chance, "interval": list(found.interval),
        "failed": found.failed,
    }  # fmt: skip


def _case_run(case: FeederCase, checked: Checked, *, svg: bool, more: Mapping[str, Any]) -> CaseRun:
    result, frame, prices = checked.result, checked.result.frame, checked.result.prices
    ranges = price_ranges(result)
    billed = bills(result)
    centres = case.feeder.centres
    price = [prices.of_device(frame.share(row), row.kvar_per_kw) for row in centres]
    return CaseRun(
        svg=svg,
        draw_kw=1000.0 * result.centre_mw,
        centre_price=np.array(price).T if price else np.zeros((case.hours, 0)),
        bill_active=billed.active_per_h,
        bill_reactive=billed.reactive_per_h,
        voltage_pu=result.voltage_pu,
        phasors=checked.phasors,
        margin_pu=checked.margin_pu,
        active_price=prices.active_per_mwh,
        reactive_price=prices.reactive_per_mvarh,
        price_least=ranges.active_least,
        price_most=ranges.active_most,
        reactive_least=ranges.reactive_least,
        reactive_most=ranges.reactive_most,
        active_parts=_parts(prices.active),
        reactive_parts=_parts(prices.reactive),
        supply_mva=result.supply_mw + 1j * result.supply_mvar,
        generator_mva=result.generator_mw + 1j * result.generator_mvar,
        svg_kvar=compensator_kvar(result),
        cost_per_h=result.cost_per_h,
        penalty_per_h=result.penalty_per_h,
        surplus_per_h=operator_surplus(result),
        loss_mva=result.loss_mva,
        loss_ac_mva=np.array([flow.total_loss_kva / 1000.0 for flow in checked.flows]),
        linear_loading=checked.linear_loading,
        ac_loading=np.array([loading(flow) for flow in checked.flows]),
        current_a=np.array([np.abs(flow.current_a) for flow in checked.flows]),
        vuf=voltage_unbalance(frame, checked.phasors),
        pvur=magnitude_unbalance(frame, result.voltage_pu),
        deviation=voltage_deviation(frame, np.abs(checked.phasors)),
        **more,
    )


def _parts(parts: PriceParts) -> AnyArray:
    return np.array([getattr(parts, name) for name in PARTS])
