"""What a siting study asks: the hours, the candidates, the envelopes and sizes, the gate, the market and the ranking.

The question is JSON; with the network's digest and the data set's it determines every result.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self, get_args

import numpy as np

from engine.capacity.question import OutageRating
from engine.errors import QuestionError
from engine.network.model import Integers, Network
from engine.siting.cases import Thermal
from engine.siting.contingencies import BranchRule, Rule
from engine.siting.envelopes import Envelope, envelope_from_json, standard
from engine.siting.gate.question import CANDIDATE_KV, PAPER_KV, THRESHOLD, candidates

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
SHORTLIST = 20
MOST_SIZES, MOST_ENVELOPES, MOST_MW = 40, 16, 20_000.0


@dataclass(frozen=True, slots=True)
class Committed:
    """A load that is there already, by an earlier decision."""

    bus: str
    envelope: Envelope
    nameplate_mw: float
    name: str = ""


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

    def checked(self, network: Network) -> Self:
        """Return the question. Raises QuestionError with every problem at once."""
        found = [problem for envelope in self.envelopes for problem in envelope.problems()]
        found += self._numbers() + self._names(network)
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
        return plain | {
            "envelopes": [envelope.to_json() for envelope in self.envelopes],
            "committed": [{**asdict(load), "envelope": load.envelope.to_json()} for load in self.committed],
        }

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
                              str(one.get("name", "")))
                    for one in given["committed"]
                )  # fmt: skip
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
