"""What a study of placement asks: the feeder and its shocks, the modules, what is made least, and how it is judged.

The question is JSON; with the files that it names by their digests it determines every result.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

import numpy as np

from engine.distribution import library
from engine.distribution.balanced import balanced
from engine.distribution.feeder import Feeder
from engine.distribution.files import from_json as feeder_from_json
from engine.distribution.files import is_feeder
from engine.errors import NetworkDataError, QuestionError
from engine.network.readers import read_network
from engine.resilience.ambiguity import Ambiguity, MomentBox, Nominal, TotalVariation, Wasserstein
from engine.resilience.case import MOST_SCENARIOS, MOST_STEPS, PlacementCase, Scenarios
from engine.resilience.cases import SHOCKS, drawn, ieee33, on_feeder
from engine.resilience.modules import STANDARD, ModuleType
from engine.resilience.placement import Aim, Search
from engine.resilience.reduction import distances
from engine.resilience.shock_files import from_csv
from engine.resilience.shocks import ShockModel, fitted

Doubt = Literal["none", "total variation", "wasserstein", "moments"]
Route = Literal["decomposition", "column and constraint generation", "extensive form"]
LoadFile = Callable[[str], tuple[str, bytes]]  # a digest -> name and content
IEEE33 = "ieee33"
FEEDERS = (IEEE33, *(each.key for each in library.NAMED if each.key not in {"two-bus", IEEE33}))
ATOMS_SEED = 2_000_003  # of shocks that no one has seen, added to the seed
_RANGES: tuple[tuple[str, str, float, float], ...] = (
    ("scenarios", "number of shocks", 2, MOST_SCENARIOS),
    ("steps", "number of steps", 4, MOST_STEPS),
    ("step_min", "length of a step, minutes,", 1.0, 120.0),
    ("seed", "seed", 0, 1_000_000),
    ("budget", "budget, $ a year,", 0.0, 1e12),
    ("events", "number of events a year", 0.01, 1e5),
    ("margin_pu", "margin of voltages, p.u.,", 0.0, 0.05),
    ("weight", "weight of the tail", 0.0, 1.0),
    ("beta", "level of the tail", 0.0, 0.999),
    ("radius", "radius of doubt", 0.0, 1e6),
    ("atoms", "number of unseen shocks", 0, 200),
    ("gap", "gap", 1e-6, 0.5),
    ("time_limit_s", "time, s,", 1.0, 36_000.0),
    ("fresh", "number of fresh shocks", 0, 50_000),
    ("curve", "number of budgets of the curve", 0, 20),
    ("rolling", "number of shocks met without foresight", 0, 200),
    ("folds", "number of folds", 0, 10),
)


@dataclass(frozen=True, slots=True)
class ResilienceQuestion:
    """One study of placement."""

    feeder: str = IEEE33  # of the library, or the digest of a file: a feeder's own JSON, or a radial network's
    shocks_file: str = ""  # digest of a CSV of shocks, in the place of the generator
    traces_file: str = ""  # digest of a CSV of measured days, written as shocks are: what the generator is fitted to
    amplitude: float = SHOCKS.amplitude
    variation: float = SHOCKS.variation
    duration_h: float = SHOCKS.duration_h
    correlation: float = SHOCKS.correlation
    outage_share: float = SHOCKS.outage_share
    scenarios: int = 200
    steps: int = 48
    step_min: float = 15.0
    seed: int = 0
    every_bus: bool = False  # modules may stand at every bus of three phases, not at the case's sites alone
    types: tuple[ModuleType, ...] = STANDARD
    budget: float = 120_000.0
    events: float = 50.0
    margin_pu: float = 0.007  # of voltages: what the linear flow overstates them by, by the AC check of IEEE 33
    weight: float = 0.5
    beta: float = 0.95
    doubt: Doubt = "total variation"
    radius: float = 0.1
    atoms: int = (
        0  # shocks of the shifted model, not seen: of no probability but within reach of the worst distribution
    )
    route: Route = "decomposition"
    gap: float = 1e-3
    time_limit_s: float = 300.0
    fresh: int = 1_000  # shocks to judge by, as many of the model as of the shifted one
    curve: int = 0  # budgets of the Pareto curve
    rolling: int = 0  # shocks met without foresight
    folds: int = 0  # of the cross-validation of the radius; 0: none
    information: bool = False  # what it would be worth to know each shock: a search for each

    def checked(self) -> Self:
        """Return the question. Raises QuestionError with every problem that does not need a file."""
        found = [
            f"the {words} is {getattr(self, name):g}: {least:g} to {most:g}"
            for name, words, least, most in _RANGES
            if not (math.isfinite(getattr(self, name)) and least <= getattr(self, name) <= most)
        ]
        for name, allowed in (("doubt", get_args(Doubt)), ("route", get_args(Route))):
            if getattr(self, name) not in allowed:
                found.append(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r:.40}")
        found += [problem for each in self.types for problem in each.problems()]
        found += list(self.model.problems())
        if found:
            raise QuestionError("; ".join(found))
        return self

    @property
    def model(self) -> ShockModel:
        """Return what shocks are drawn from."""
        return replace(
            SHOCKS, amplitude=self.amplitude, variation=self.variation, duration_h=self.duration_h,
            correlation=self.correlation, outage_share=self.outage_share,
        )  # fmt: skip

    def drawn_from(self, case: PlacementCase, load: LoadFile) -> ShockModel:
        """Return what shocks of the case are drawn from: fitted to measured days, where they are given.

        Raises FileFormatError for a file that cannot be read, UncertaintyDataError for one with too few events.
        """
        if not self.traces_file:
            return self.model
        days = from_csv(load(self.traces_file)[1], case.campuses, case.steps, case.links).draw_mw
        return fitted(days, case.campuses, case.step_h, base=self.model)

    @property
    def search(self) -> Search:
        """Return how far the search goes."""
        return Search(self.gap, self.time_limit_s)

    def made(self, load: LoadFile) -> PlacementCase:
        """Return the case. Raises QuestionError, NetworkDataError and FileFormatError."""
        self.checked()
        asked: dict[str, Any] = {
            "seed": self.seed, "scenarios": self.scenarios, "steps": self.steps, "step_h": self.step_min / 60.0,
            "model": self.model, "types": self.types, "budget": self.budget,
        }  # fmt: skip
        case = ieee33(**asked) if self.feeder == IEEE33 else on_feeder(self._feeder(load), **asked)
        if self.every_bus:
            case = replace(case, sites=_three_phase(case.feeder))
        case = replace(case, events_per_year=self.events, margin_pu=self.margin_pu)
        if self.shocks_file:
            content = load(self.shocks_file)[1]
            case = replace(case, scenarios=from_csv(content, case.campuses, case.steps, case.links))
        elif self.traces_file:
            case = replace(case, scenarios=drawn(case, self.drawn_from(case, load), self.scenarios, self.seed))
        if self.atoms:
            case = replace(case, scenarios=_with_atoms(case.scenarios, self._unseen(case, load)))
        return case.checked()

    def _feeder(self, load: LoadFile) -> Feeder:
        if self.feeder in FEEDERS:
            return library.load(self.feeder)
        name, content = load(self.feeder)
        if is_feeder(content):
            return feeder_from_json(content)
        found = read_network(name, content)
        if wrong := [problem for problem in found.problems if problem.severity == "error"]:
            raise NetworkDataError(wrong)
        return balanced(found.tables)

    def _unseen(self, case: PlacementCase, load: LoadFile) -> Scenarios:
        return drawn(case, self.drawn_from(case, load).shifted(), self.atoms, ATOMS_SEED + self.seed)

    def aim(self, case: PlacementCase, radius: float | None = None) -> Aim:
        """Return what is made least; ``radius`` in the place of the question's own. Raises QuestionError."""
        return Aim(self.weight, self.beta, self._ambiguity(case, self.radius if radius is None else radius)).checked(
            case
        )

    def _ambiguity(self, case: PlacementCase, radius: float) -> Ambiguity:
        if self.doubt == "none" or radius == 0.0:
            return Nominal()
        if self.doubt == "total variation":
            return TotalVariation(radius)
        if self.doubt == "wasserstein":
            return Wasserstein(radius, distances(case.scenarios, case.step_h))
        features = shock_features(case)
        share = case.scenarios.probability
        mean = share @ features
        spread = np.sqrt(share @ (features - mean) ** 2)
        return MomentBox(features, mean, radius * spread)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the question."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        told = asdict(self)
        return told | {"types": [_plain(each) for each in told["types"]]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the question that :meth:`to_json` wrote. Raises QuestionError for anything else, by every field."""
        usual, plain, wrong = cls(), dict[str, Any](), []
        try:
            given = dict(content)
        except (TypeError, ValueError):
            raise QuestionError("a study of placement is a table of fields") from None
        if unknown := sorted(set(given) - set(cls.__dataclass_fields__)):
            raise QuestionError(f"a study of placement has no field {unknown[0]!r:.60}")
        for name, value in given.items():
            try:
                plain[name] = (
                    tuple(_type(each) for each in value)
                    if name == "types"
                    else _READ[type(getattr(usual, name))](value)
                )
            except (TypeError, ValueError, AttributeError, OverflowError):
                wrong.append(name)
        if wrong:
            raise QuestionError(f"a study of placement cannot be asked with its {', '.join(wrong)} as given")
        return cls(**plain).checked()


def shock_features(case: PlacementCase) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return (S, C) the MWh by which each campus differs from its schedule: what a box on moments is a box of."""
    change = case.scenarios.draw_mw - case.schedule_mw
    return np.asarray(case.step_h * np.abs(change).sum(axis=1))


def _with_atoms(known: Scenarios, unseen: Scenarios) -> Scenarios:
    """Return known shocks and some of no probability."""
    return Scenarios(
        np.concatenate([known.draw_mw, unseen.draw_mw]), np.concatenate([known.start, unseen.start]),
        np.concatenate([known.end, unseen.end]), np.concatenate([known.probability, np.zeros(len(unseen))]),
        np.concatenate([known.outage, unseen.outage]), known.kind + unseen.kind,
        np.concatenate([known.restored, unseen.restored]),
    )  # fmt: skip


def _three_phase(feeder: Feeder) -> tuple[str, ...]:
    return tuple(bus.name for bus in feeder.buses if bus.phases == "abc" and bus.name != feeder.source_bus)


def _plain(kind: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == math.inf else value for name, value in kind.items()}


def _type(content: Mapping[str, Any]) -> ModuleType:
    """Return a type of module. Raises one of what :meth:`ResilienceQuestion.from_json` catches."""
    known = {each.name: each.type for each in fields(ModuleType)}
    if set(content) - set(known):
        raise ValueError(content)
    read: dict[str, Any] = {name: math.inf if value is None else value for name, value in content.items()}
    for name, value in read.items():
        if name in {"name", "kind"}:
            read[name] = _text(value)
        else:  # 17500 and 17500.0 are one question: a browser writes the first
            read[name] = _whole(_number(value)) if name in {"inventory", "most_at_site"} else _number(value)
    return ModuleType(**read)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)  # noqa: TRY004 - one type for every bad field
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(value)
    return int(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004 - one type for every bad field
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - one type for every bad field
    return value


_READ: Mapping[type, Callable[[Any], Any]] = {float: _number, int: _whole, bool: _flag, str: _text}
