"""What a siting study asks: the hours, the candidates, the envelopes and sizes, the gate, the market and the ranking.

The question is JSON; with the network's digest and the data set's it determines every result.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self, get_args

import numpy as np

from engine.capacity.question import OutageRating
from engine.errors import QuestionError
from engine.network.model import Integers, Network
from engine.siting.cases import Thermal
from engine.siting.contingencies import BranchRule, Rule
from engine.siting.criteria import Criterion, criteria_from_json, criteria_problems
from engine.siting.envelopes import Envelope, envelope_from_json, standard
from engine.siting.gate.question import CANDIDATE_KV, PAPER_KV, THRESHOLD, candidates
from engine.siting.onsite import OnSite
from engine.siting.staging import Stage, stage_problems, stages_from_json

Source = Literal["filed", "2016", "file"]
HourChoice = Literal["one", "list", "stress", "representative", "year"]
CandidateRule = Literal["source", "paper", "listed"]
SOURCES: tuple[Source, ...] = get_args(Source)
HOUR_CHOICES: tuple[HourChoice, ...] = get_args(HourChoice)
CANDIDATE_RULES: tuple[CandidateRule, ...] = get_args(CandidateRule)
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "source": SOURCES,
    "choice": HOUR_CHOICES,
    "candidates": CANDIDATE_RULES,
    "outage_rating": get_args(OutageRating),
    "branches": get_args(BranchRule),
    "thermal": get_args(Thermal),
}
# Left out of the JSON where there are none, so that a question keeps its keys.
_OPTIONAL = ("onsite_mw", "stages", "criteria", "criteria_file", "group_weights")
# What is read from the verdicts and changes none of them; stages count as sizes.
_READ_ONLY = ("shortlist", "threshold", "stages", "criteria", "criteria_file", "group_weights")
SHORTLIST = 20
MOST_SIZES, MOST_ENVELOPES, MOST_MW = 40, 16, 20_000.0


@dataclass(frozen=True, slots=True)
class Committed:
    """A load that is there already, by an earlier decision."""

    bus: str
    envelope: Envelope
    nameplate_mw: float
    name: str = ""
    onsite: bool = False  # it draws less what the hours of the file say of on-site resources

    def to_json(self) -> dict[str, Any]:
        """Return its JSON; one without on-site resources of its hours keeps its key."""
        plain = asdict(self) | {"envelope": self.envelope.to_json()}
        return {name: value for name, value in plain.items() if value or name != "onsite"}


@dataclass(frozen=True, slots=True)
class SitingQuestion:
    """One study. Positions of hours count from 0 in the source's hours."""

    source: Source = "2016"
    dataset: str = ""  # digest of the file of hours, for the source "file"
    choice: HourChoice = "stress"
    hours: tuple[int, ...] = ()  # for "one" and "list"
    count: int = 24  # of representative hours
    thermal: Thermal = "zero"  # least output of thermal units
    load_scale: float = 1.0
    seed: int = 0
    candidates: CandidateRule = "source"
    buses: tuple[str, ...] = ()  # for "listed"
    envelopes: tuple[Envelope, ...] = field(default_factory=standard)
    sizes_mw: tuple[float, ...] = (1000.0,)
    threshold: float = THRESHOLD
    branches: BranchRule = "voltage"
    units: bool = True
    outage_rating: OutageRating = "a"  # of branches after the loss of another
    committed: tuple[Committed, ...] = ()
    shortlist: int = SHORTLIST
    onsite_mw: tuple[float, ...] = ()  # of on-site resources: one value, or one per hour of the day; () for none
    stages: tuple[Stage, ...] = ()  # of energisation: each cap is a size that the gate screens too
    criteria: tuple[Criterion, ...] = ()  # how columns of a reader's file count
    criteria_file: str = ""  # digest of that file
    group_weights: tuple[tuple[str, float], ...] = ()  # of groups of a reader's own; 1 where not given

    def checked(self, network: Network) -> Self:
        """Return the question. Raises QuestionError with every problem at once."""
        found = [problem for envelope in self.envelopes for problem in envelope.problems()]
        found += self._numbers() + self._names(network) + self._resources()
        found += criteria_problems(self.criteria, self.group_weights)
        if self.criteria and not self.criteria_file:
            found.append("criteria of one's own need their file")
        if self.source == "file" and not self.dataset:
            found.append("hours from a file need the file")
        if self.source == "filed" and (self.choice != "one" or self.hours not in {(), (0,)}):
            found.append("a network as filed is one hour")
        if self.choice in {"one", "list"} and self.source != "filed" and not self.hours:
            found.append("choose the hours")
        if self.choice == "one" and len(self.hours) > 1:
            found.append(f"one hour is asked for, {len(self.hours)} are given")
        if found:
            raise QuestionError("; ".join(dict.fromkeys(found)))
        return self

    def _numbers(self) -> list[str]:
        found = []
        if not 1 <= len(self.sizes_mw) <= MOST_SIZES or len(set(self.sizes_mw)) != len(self.sizes_mw):
            found.append(f"1 to {MOST_SIZES} sizes, each once; found {len(self.sizes_mw)}")
        found += [f"a size of {mw:g} MW: above 0, to {MOST_MW:,.0f}" for mw in self.sizes_mw if not 0 < mw <= MOST_MW]
        if not 1 <= len(self.envelopes) <= MOST_ENVELOPES:
            found.append(f"1 to {MOST_ENVELOPES} envelopes; found {len(self.envelopes)}")
        for what, value, least, most in (
            ("threshold", self.threshold, 0.5, 1.0),
            ("shortlist", self.shortlist, 1, 500),
            ("count of representative hours", self.count, 1, 8784),
            ("load scale", self.load_scale, 0.01, 10.0),
        ):
            if not least <= value <= most:
                found.append(f"the {what} is {value:g}: {least:g} to {most:g}")
        return found

    def _names(self, network: Network) -> list[str]:
        found = []
        names = [envelope.name for envelope in self.envelopes]
        found += [f"two envelopes are named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
        known = dict(zip(network.buses.ids, network.buses.in_service.tolist(), strict=True))
        asked = [*self.buses, *(load.bus for load in self.committed)]
        found += [f"there is no bus {bus!r} in service" for bus in dict.fromkeys(asked) if not known.get(bus, False)]
        if self.candidates == "listed" and not self.buses:
            found.append("list the candidate buses")
        for load in self.committed:
            if not 0 < load.nameplate_mw <= MOST_MW:
                found.append(f"the load committed at bus {load.bus!r} is {load.nameplate_mw:g} MW: above 0")
            found += load.envelope.problems()
        return found

    def _resources(self) -> list[str]:
        """Return what is wrong with on-site resources and stages."""
        largest = max(self.sizes_mw, default=0.0)
        found = stage_problems(self.stages, largest) if self.stages else []
        resources = OnSite(self.onsite_mw).problems() if self.onsite_mw else []
        if resources or not self.onsite_mw:
            return found + resources
        sound = [one for one in self.net_envelopes if not one.problems()]
        return found + [problem for one in sound for size in self.screened_mw for problem in one.net_problems(size)]

    @property
    def net_envelopes(self) -> tuple[Envelope, ...]:
        """Return the envelopes as gate and market see them: less what on-site resources give."""
        return tuple(replace(one, onsite_mw=self.onsite_mw) for one in self.envelopes)

    @property
    def screened_mw(self) -> tuple[float, ...]:
        """Return the sizes that the gate screens: those asked for, and the stages'."""
        if not self.stages:
            return self.sizes_mw
        return tuple(sorted({*self.sizes_mw, *(stage.cap_mw for stage in self.stages)}))

    @property
    def rule(self) -> Rule:
        """Return what is lost."""
        return Rule(self.branches, self.units)

    def with_committed(self, *loads: Committed) -> Self:
        """Return the question with more loads committed."""
        return replace(self, committed=(*self.committed, *loads))

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        plain |= {
            "envelopes": [envelope.to_json() for envelope in self.envelopes],
            "committed": [load.to_json() for load in self.committed],
            "stages": [stage.to_json() for stage in self.stages],
            "criteria": [criterion.to_json() for criterion in self.criteria],
            "group_weights": [list(pair) for pair in self.group_weights],
        }
        return {name: value for name, value in plain.items() if value or name not in _OPTIONAL}

    def of_gate(self) -> dict[str, Any]:
        """Return the JSON of what the gate is asked: what is read from the verdicts changes none of them."""
        asked = self.to_json() | {"sizes_mw": list(self.screened_mw)}
        return {name: value for name, value in asked.items() if name not in _READ_ONLY}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the question that :meth:`to_json` wrote, not yet checked. Raises QuestionError for anything else."""
        known = set(cls.__dataclass_fields__)
        if unknown := sorted(set(content) - known):
            raise QuestionError(f"a siting study has no field {unknown[0]!r:.60}")
        given = dict(content)
        try:
            for name in ("hours", "buses"):
                if name in given:
                    given[name] = tuple(given[name])
            given |= _floats(given)
            if "envelopes" in given:
                given["envelopes"] = tuple(envelope_from_json(one) for one in given["envelopes"])
            if "committed" in given:
                given["committed"] = tuple(
                    Committed(str(one["bus"]), envelope_from_json(one["envelope"]), float(one["nameplate_mw"]),
                              str(one.get("name", "")), bool(one.get("onsite", False)))
                    for one in given["committed"]
                )  # fmt: skip
            given |= {name: read(given[name]) for name, read in _READERS.items() if name in given}
            for name, allowed in _ALLOWED.items():
                if name in given and given[name] not in allowed:
                    raise QuestionError(f"{name} is one of {', '.join(allowed)}, not {given[name]!r:.40}")
            return cls(**given)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise QuestionError("a siting study needs its fields as it gave them") from None

    def digest(self, network_digest: str) -> str:
        """Return the SHA-256 of the question on one network."""
        text = json.dumps({"network": network_digest, **self.to_json()}, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "onsite_mw": lambda given: tuple(float(mw) for mw in given),
    "stages": stages_from_json,
    "criteria": criteria_from_json,
    "criteria_file": str,
    "group_weights": lambda given: tuple((str(name), float(weight)) for name, weight in given),
}


def _floats(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers that are no counts: a browser writes 1.0 as 1, and both are the same question."""
    found: dict[str, Any] = {name: float(content[name]) for name in ("load_scale", "threshold") if name in content}
    return found | ({"sizes_mw": tuple(float(mw) for mw in content["sizes_mw"])} if "sizes_mw" in content else {})


def candidates_of(network: Network, rule: CandidateRule, buses: Sequence[str] = ()) -> Integers:
    """Return the positions of the candidate buses, rising; buses whose voltage is not known are none by voltage.

    Raises QuestionError when there is none.
    """
    on = network.buses.in_service
    if rule == "listed":
        place = {bus: position for position, bus in enumerate(network.buses.ids)}
        found = np.array(sorted({place[bus] for bus in buses if bus in place and on[place[bus]]}), dtype=np.intp)
    else:
        found = candidates(network, PAPER_KV if rule == "paper" else None)
    if not found.size:
        raise QuestionError(f"network {network.name!r} has no candidate bus: {candidate_words(rule)}")
    return found


def candidate_words(rule: CandidateRule) -> str:
    """Return a rule of candidates in words."""
    return {
        "source": f"buses of {CANDIDATE_KV[0]:g} to {CANDIDATE_KV[1]:g} kV",
        "paper": f"buses at {', '.join(f'{kv:g}' for kv in PAPER_KV)} kV",
        "listed": "the buses listed",
    }[rule]
