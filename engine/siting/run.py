"""A siting study from its question to its catalogue: what the web's jobs, a notebook and the reports call.

Two runs make it: the gate over its hours, and the market of the sites that passed. Each keeps what it has done, so that
a run that was stopped goes on where it was; what both found is put together in a moment, as often as a reader likes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.compute import HERE, Artifacts, Progress, Workers
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.siting.catalogue import Catalogue
from engine.siting.compiling import compiled
from engine.siting.contingencies import Contingencies
from engine.siting.criteria import OwnCriteria
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.gate_check import CheckReport, check
from engine.siting.market_run import MarketRun
from engine.siting.prepare import LoadDataset, Prepared, prepare
from engine.siting.question import SitingQuestion, candidates_of
from engine.siting.shortlist import Ranked

_MANY, _TASKS = 200, 4  # candidates from which an hour is divided, into how many tasks at most
CHECKED = 1000  # verdicts that are decided again, from nothing, in every run


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A question with its hours and with what may be lost: all that a verdict rests on."""

    question: SitingQuestion
    prepared: Prepared
    contingencies: Contingencies

    @classmethod
    def of(cls, question: SitingQuestion, prepared: Prepared) -> "Ground":
        """Return the ground of a question whose hours are there."""
        return cls(question, prepared, contingencies_of(question, prepared))

    @property
    def network(self) -> Network:
        """Return the network that was screened: with every unit that may run."""
        return self.prepared.case.network


@dataclass(frozen=True, slots=True, eq=False)
class GateRun(Ground):
    """A question's ground, and what the gate found."""

    gate: GateResult
    checked: Mapping[str, Any] = field(default_factory=dict)  # the verdicts decided again from nothing, if they were


def run_gate(  # noqa: PLR0913 (the question, then by name how)
    question: SitingQuestion,
    network: Network,
    load_dataset: LoadDataset | None = None,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    share: Callable[[float], None] | None = None,
    artifacts: Artifacts | None = None,
    partial: Callable[[GateResult], None] | None = None,
) -> GateRun:
    """Return what the gate says of every candidate, envelope and size.

    ``progress``, ``share`` and ``partial`` are told how far it is, see :func:`engine.siting.gate.screening.screen`.
    Raises QuestionError with every problem of the question.
    """
    return screened(
        ground_of(question, network, load_dataset),
        workers=workers,
        progress=progress,
        share=share,
        artifacts=artifacts,
        partial=partial,
    )


def ground_of(question: SitingQuestion, network: Network, load_dataset: LoadDataset | None = None) -> Ground:
    """Return the ground of a question. Raises QuestionError with every problem of it."""
    return Ground.of(question, prepare(question.checked(network), network, load_dataset))


def screened(  # noqa: PLR0913 (the ground, then by name how)
    ground: Ground,
    *,
    workers: Workers = HERE,
    progress: Progress | None = None,
    share: Callable[[float], None] | None = None,
    artifacts: Artifacts | None = None,
    partial: Callable[[GateResult], None] | None = None,
) -> GateRun:
    """Return what the gate says on a ground, as :func:`run_gate`."""
    asked = gate_question(ground.question, ground.prepared)
    gate = screen(
        ground.prepared.case,
        ground.contingencies,
        asked,
        workers=workers,
        progress=progress,
        share=share,
        artifacts=artifacts,
        parts=parts_of(len(ground.prepared.case), len(asked.buses)),
        partial=partial,
    )
    return GateRun(ground.question, ground.prepared, ground.contingencies, gate)


def checked_again(
    run: GateRun,
    *,
    count: int = CHECKED,
    seed: int = 0,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> CheckReport:
    """Return the verdicts that were drawn and decided again from nothing. Raises VerdictError at any that differs."""
    return check(
        run.prepared.case, run.contingencies, run.gate, count=count, seed=seed, rating=run.question.outage_rating,
        workers=workers, progress=progress,
    )  # fmt: skip


def parts_of(hours: int, candidates: int) -> int:
    """Return into how many tasks the candidates of an hour are divided, so that few hours keep several workers busy."""
    return 1 if candidates < _MANY else max(1, _TASKS // hours)


def remade(question: SitingQuestion, prepared: Prepared, gate: GateResult) -> GateRun:
    """Return a run whose verdicts were kept. Raises QuestionError when its hours are others."""
    if prepared.case.digest != gate.case_digest:
        raise QuestionError("the verdicts kept are of other hours than the question's: run the gate again")
    return GateRun(question, prepared, contingencies_of(question, prepared), gate)


def contingencies_of(question: SitingQuestion, prepared: Prepared) -> Contingencies:
    """Return what a study may lose."""
    return Contingencies.of(Factors.of(prepared.case.network), question.rule, prepared.case)


def gate_question(question: SitingQuestion, prepared: Prepared) -> GateQuestion:
    """Return what is asked of the gate."""
    return GateQuestion(
        buses=candidates_of(prepared.case.network, question.candidates, question.buses),
        envelopes=question.net_envelopes,
        sizes_mw=question.screened_mw,
        threshold=question.threshold,
        rating=question.outage_rating,
        hour_weight=tuple(prepared.hours.weight.tolist()),
    )


def catalogue_of(  # noqa: PLR0913 (what each stage found, then by name how it is told)
    run: GateRun,
    market: MarketRun | None = None,
    order: Ranked | None = None,
    *,
    own: OwnCriteria | None = None,
    top: int | None = None,
    version: int = 0,
    made: str = "",
) -> Catalogue:
    """Return the catalogue of what is known, with the manifest that makes every number of it again.

    ``top`` is how many places make the shortlist, that of the question if left out.
    """
    found = compiled(
        run.question,
        run.prepared,
        run.contingencies,
        run.gate,
        market=None if market is None else market.facts,
        sites=() if market is None else market.sites,
        ranked=order,
        own=own,
        floor=None if market is None else market.floor,
        top=top,
        version=version,
        made=made,
    )
    more: dict[str, Any] = {"check": dict(run.checked)} if run.checked else {}
    if market is not None:
        more["market_question"] = market.question.to_json()
    return replace(found, manifest={**found.manifest, **more})
