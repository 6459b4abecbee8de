"""What a study of hubs asks: the case and its edits, what the operator weighs, and how far to go.

The question is JSON; with the files that it names by their digests it determines every result.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np

from engine.distribution.library import NAMED
from engine.errors import QuestionError
from engine.pricing.case import MOST_HUBS, Curvature, Fairness, HubCase, PriceRange, Terms
from engine.pricing.cases import HOURS, fleet, shared, three_hubs
from engine.pricing.files import from_json
from engine.pricing.hubs import Hub
from engine.pricing.network import HubNetwork

CaseChoice = Literal["three", "fleet"]
Asset = Literal[
    "battery", "hydrogen", "generator", "work limit", "sun", "demand", "import limit", "export limit",
]  # fmt: skip
ASSETS: tuple[Asset, ...] = get_args(Asset)
Limit = Literal["line limit", "substation import", "substation export"]
LIMITS: tuple[Limit, ...] = get_args(Limit)
LoadFile = Callable[[str], tuple[str, bytes]]  # a digest -> name and content
MOST_EDITS = 200
LEAST_HOURS = 2  # of a case that comes with the program
MOST_PROVED = 24  # hubs times periods, of which quick prices are proved against the best
MOST_PAIRED = 40  # prices of an hour, of which each two may be compared
_RANGES: tuple[tuple[str, str, float, float], ...] = (
    ("count", "number of hubs", 1, MOST_HUBS),
    ("hours", "number of hours", LEAST_HOURS, HOURS),
    ("line_per_mwh", "weight of lines' overloads, $/MWh,", 0.0, 1e5),
    ("substation_per_mwh", "weight of the substation's overloads, $/MWh,", 0.0, 1e5),
    ("level", "weight of prices", 0.0, 1e3),
    ("smooth", "weight of their changes", 0.0, 1e3),
    ("fair", "weight of their differences", 0.0, 1e3),
    ("least_per_mwh", "least of the operator's prices, $/MWh,", -1e3, 0.0),
    ("most_per_mwh", "most of the operator's prices, $/MWh,", 0.0, 1e3),
    ("kappa", "share of the curvature", 1e-4, 100.0),
    ("exact_gap", "gap of exact prices", 1e-6, 1.0),
    ("exact_time_s", "time of exact prices, s,", 1.0, 36_000.0),
    ("quick_time_s", "time of quick prices, s,", 0.1, 36_000.0),
    ("window", "window of prices in real time", 0, HOURS),
    ("error", "standard deviation of forecasts", 0.0, 1.0),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change before a case is studied: an asset of hubs, or a limit of the network, as large by a factor.

    A factor of 0 takes an asset away; a limit stays above 0.
    """

    asset: Asset | Limit
    factor: float
    hub: str = ""  # its name; empty: every hub that has such an asset
    line: str = ""  # of a line limit: its name; empty: every line

    def problems(self) -> list[str]:
        """Return what is out of its range."""
        known = (*ASSETS, *LIMITS)
        found = [] if self.asset in known else [f"an edit is of one of {', '.join(known)}, not {self.asset!r:.40}"]
        if not 0.0 <= self.factor <= 100.0:
            found.append(f"the factor of an edit is {self.factor:g}: 0 to 100")
        if self.asset in LIMITS and self.factor == 0.0:
            found.append(f"the factor of a {self.asset} is 0: a limit stays above 0")
        if self.hub and self.asset in LIMITS:
            found.append(f"a {self.asset} is of no hub, and the edit names {self.hub!r:.60}")
        if self.line and self.asset != "line limit":
            found.append(f"a line has a line limit, no {self.asset!r:.40}")
        return found

    def applied(self, hub: Hub) -> Hub:
        """Return the hub as it is after the edit."""
        if self.asset in LIMITS or self.hub not in {"", hub.name}:
            return hub
        return _EDITED[self.asset](hub, self.factor)

    def limited(self, network: HubNetwork) -> HubNetwork:
        """Return the network as it is after the edit. Raises QuestionError naming a line or limit that is not there."""
        if self.asset == "line limit":
            if self.line and self.line not in network.lines:
                raise QuestionError(f"an edit: there is no line {self.line!r:.60}")
            of = np.array([self.line in {"", name} for name in network.lines], dtype=bool)
            return replace(network, limit_mw=np.where(of, self.factor * network.limit_mw, network.limit_mw))
        if self.asset in _OF_SUBSTATION:
            name, words = _OF_SUBSTATION[self.asset]
            if math.isinf(limit := getattr(network, name)):
                raise QuestionError(f"an edit: the substation has no limit of {words}")
            return replace(network, **{name: self.factor * limit})
        return network


@dataclass(frozen=True, slots=True)
class HubQuestion:
    """One study of hubs."""

    case: CaseChoice = "three"
    dataset: str = ""  # digest of a case's own JSON file, in the place of one that comes with the program
    count: int = 30  # of a fleet
    feeder: str = "ieee37"  # of a fleet
    seed: int = 0
    hours: int = HOURS
    edits: tuple[Edit, ...] = ()  # in their order
    line_per_mwh: float = Terms().line_per_mwh
    substation_per_mwh: float = Terms().substation_per_mwh
    level: float = Terms().level
    smooth: float = Terms().smooth
    fair: float = Terms().fair
    fairness: Fairness = "hubs"
    least_per_mwh: float = PriceRange().least
    most_per_mwh: float = PriceRange().most
    exports: bool = False  # may the operator's price count for exports too
    kappa: float = 1.0
    exact: bool = False
    exact_gap: float = 0.05
    exact_time_s: float = 600.0
    quick_time_s: float = 30.0
    window: int = 0  # hours ahead of prices in real time; 0: none
    error: float = 0.1
    ladder: bool = True  # quick prices at smaller curvatures too, and proved against the best of a small case

    def checked(self) -> Self:
        """Return the question. Raises QuestionError with every problem that does not need the file."""
        found = [
            f"the {words} is {getattr(self, name):g}: {least:g} to {most:g}"
            for name, words, least, most in _RANGES
            if not (math.isfinite(getattr(self, name)) and least <= getattr(self, name) <= most)
        ]
        for name, allowed in (("case", get_args(CaseChoice)), ("fairness", get_args(Fairness))):
            if getattr(self, name) not in allowed:
                found.append(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r:.40}")
        if self.feeder not in {each.key for each in NAMED if each.key != "two-bus"}:
            found.append(f"there is no feeder {self.feeder!r:.60} for a fleet")
        if len(self.edits) > MOST_EDITS:
            found.append(f"{len(self.edits)} edits; at most {MOST_EDITS}")
        found += [problem for each in self.edits for problem in each.problems()]
        if found:
            raise QuestionError("; ".join(found))
        return self

    def made(self, load: LoadFile) -> HubCase:
        """Return the case that is asked about. Raises QuestionError, NetworkDataError and FileFormatError."""
        self.checked()
        if self.dataset:
            case = from_json(load(self.dataset)[1])
        elif self.case == "three":
            case = three_hubs(self.hours, self.seed)
        else:
            case = fleet(self.count, feeder=self.feeder, hours=self.hours, seed=self.seed)
        hubs = case.hubs
        names = {hub.name for hub in hubs}
        if unknown := [each.hub for each in self.edits if each.hub and each.hub not in names]:
            raise QuestionError(f"an edit: there is no hub {unknown[0]!r:.60}")
        network = case.network
        for edit in self.edits:
            hubs = tuple(edit.applied(hub) for hub in hubs)
            network = edit.limited(network)
        if self.fairness == "hubs" and case.area_count > MOST_PAIRED:
            raise QuestionError(
                f"{case.area_count} prices an hour are compared each with each: at most {MOST_PAIRED}; fairness as "
                "differences from the mean has no such limit"
            )
        terms = Terms(self.line_per_mwh, self.substation_per_mwh, self.level, self.smooth, self.fair, self.fairness)
        if self.case == "fleet" and not self.dataset:
            terms = shared(terms, self.count)
        prices = PriceRange(self.least_per_mwh, self.most_per_mwh, self.exports)
        curvature = Curvature(share=self.kappa)
        return replace(case, hubs=hubs, network=network, terms=terms, prices=prices, curvature=curvature).checked()

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the question."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return asdict(self) | {"edits": [asdict(each) for each in self.edits]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the question that :meth:`to_json` wrote. Raises QuestionError for anything else."""
        if unknown := sorted(set(content) - set(cls.__dataclass_fields__)):
            raise QuestionError(f"a study of hubs has no field {unknown[0]!r:.60}")
        try:
            plain = {
                name: _READ[type(getattr(cls(), name))](value) for name, value in content.items() if name != "edits"
            }
            edits = tuple(
                Edit(each["asset"], float(each["factor"]), str(each.get("hub", "")), str(each.get("line", "")))
                for each in content.get("edits", ())
            )
            return cls(**plain, edits=edits).checked()
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            raise QuestionError("a study of hubs needs its fields as it gave them") from None


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


_READ: Mapping[type, Callable[[Any], Any]] = {float: float, int: _whole, bool: _flag, str: _text}


def _asset(name: str) -> Callable[[Hub, float], Hub]:
    def edited(hub: Hub, factor: float) -> Hub:
        row = getattr(hub, name)
        changed: Any = None if row is None or factor == 0.0 else row.times(factor)
        return replace(hub, **{name: changed})

    return edited


def _work(hub: Hub, factor: float) -> Hub:
    return hub if hub.work is None else replace(hub, work=replace(hub.work, most_mw=hub.work.most_mw * factor))


def _scaled(name: str) -> Callable[[Hub, float], Hub]:
    def edited(hub: Hub, factor: float) -> Hub:
        value = getattr(hub, name)
        changed: Any = tuple(factor * each for each in value) if isinstance(value, tuple) else factor * value
        return replace(hub, **{name: changed})

    return edited


_OF_SUBSTATION: Mapping[str, tuple[str, str]] = {  # field of the network, in words
    "substation import": ("import_mw", "imports"), "substation export": ("export_mw", "exports"),
}  # fmt: skip
_EDITED: Mapping[str, Callable[[Hub, float], Hub]] = {
    "battery": _asset("battery"), "hydrogen": _asset("hydrogen"), "generator": _asset("generator"),
    "work limit": _work, "sun": _scaled("sun_mw"), "demand": _scaled("demand_mw"),
    "import limit": _scaled("import_mw"), "export limit": _scaled("export_mw"),
}  # fmt: skip
