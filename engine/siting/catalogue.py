"""The catalogue of certified sites: one row per bus, envelope and size, its versions, what changed, and its files.

Columns as section 9 of the specification lists them; a row that does not qualify stays with its reason: a reader
sees what was looked at. Source: arXiv 2605.14714, "Output of the planning framework".
"""

import csv
import hashlib
import hmac
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting.metrics import METRICS, WINDOWS

FORMAT = "headroom-catalogue-1"
Standing = Literal[
    "qualified", "gate failed", "gate undecided", "criteria failed", "market infeasible", "market time limit",
    "not in market",
]  # fmt: skip
STANDINGS: tuple[Standing, ...] = (
    "qualified", "gate failed", "gate undecided", "criteria failed", "market infeasible", "market time limit",
    "not in market",
)  # fmt: skip
# The gate lets them through and so do a reader's own criteria, whatever the market says of them.
QUALIFYING: frozenset[Standing] = frozenset({"qualified", "market infeasible", "market time limit", "not in market"})
METRIC_COLUMNS = tuple(f"{window}_{metric}" for window in WINDOWS for metric in METRICS)
Key = tuple[str, str, float]  # bus, envelope, nameplate MW
_NAMES_THE_RUN = ("network", "network_name", "case", "contingencies", "threshold")  # of a manifest
# What of a manifest names the network or its elements; hashes stay.
_NAMING = frozenset({"committed", "network_name", "source", "notices", "islanding", "base_infeasible", "corridors"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One bus under one envelope at one nameplate."""

    bus: str
    envelope: str
    nameplate_mw: float
    standing: Standing
    pass_rate: float  # the share of hours and outages that certainly pass
    pass_rate_at_most: float  # that may pass: above ``pass_rate`` where something is undecided
    first_failure: str = ""  # hour and outage, in words
    largest_mw: float | None = None  # nameplate that passes the gate; None where it was not asked
    metrics: tuple[float, ...] = ()  # (15,), windows by metrics; empty without a market run
    gap: float | None = None  # of the market run
    groups: tuple[float | None, ...] = ()  # group scores, None of a group that does not tell the sites apart
    score: float | None = None
    place: int | None = None  # 1 is the best, inside its envelope and size
    net_mw: float | None = None  # the most that the grid serves, less on-site resources; None: the load without any
    stages: str = ""  # of energisation, in words: from when how many MW pass
    own: tuple[float | None, ...] = ()  # a reader's own columns, None where the file says nothing
    strict: str = ""  # "yes" where every outage of every hour passes, "no", "open"
    outages_broken: int | None = None  # pairs of hour and outage that fail with the load and held without it
    score_min: float | None = None  # over all envelopes; None where the bus is not ranked in all of them
    score_expected: float | None = None  # likewise, envelopes alike
    kept_share: float | None = None  # of the shortlisted: in how many rankings without another site it stays
    place_open: bool | None = None  # whether the noise floor of prices could change who is among the first

    @property
    def key(self) -> Key:
        """Return what makes the entry the same one in another version."""
        return self.bus, self.envelope, self.nameplate_mw


# What the files of a catalogue call their columns, in small letters: no column of a reader's own may be named so.
FIELDS = frozenset(
    {one.name for one in fields(Entry)} | {*METRIC_COLUMNS, "bus_name", "alpha_on", "m_off", "ramp_mw_per_h"}
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One version: its entries, and the manifest of the run that made it."""

    version: int  # 0 for what is drawn and not kept
    made: str  # ISO 8601, given by whoever runs it: the engine has no clock
    entries: tuple[Entry, ...]
    manifest: Mapping[str, Any]  # case hash, hours, contingencies, threshold, tolerances, solver, gaps, seed
    group_names: tuple[str, ...] = ()
    depth: Mapping[str, tuple[float, float, float]] = field(
        default_factory=dict
    )  # envelope: depth, make-up, ramp share
    own_names: tuple[str, ...] = ()  # of a reader's own columns

    def of(self, envelope: str, nameplate_mw: float, standing: Standing | None = None) -> list[Entry]:
        """Return the entries of one envelope and size, best place first; of one standing, if it is given."""
        chosen = [
            entry
            for entry in self.entries
            if entry.envelope == envelope
            and entry.nameplate_mw == nameplate_mw
            and (standing is None or entry.standing == standing)
        ]
        return sorted(chosen, key=lambda entry: (entry.place or len(self.entries) + 1, entry.bus))

    def to_csv(self) -> str:
        """Return ``catalogue.csv``: one line per entry, a cell that has no value is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        groups = [f"group_{place + 1}" for place in range(len(self.group_names))]
        more = self._more_columns()
        writer.writerow(
            ["bus", "envelope", "nameplate_mw", "alpha_on", "m_off", "ramp_mw_per_h", "standing", "pass_rate",
             "pass_rate_at_most", "strict", "outages_broken", "first_failure", "largest_mw", *METRIC_COLUMNS, "gap",
             *groups, "score", "place", "score_min", "score_expected", "kept_share", "place_open",
             *more, *map(_safe, self.own_names)]
        )  # fmt: skip
        for entry in self.entries:
            depth, make_up, ramp = self.depth.get(entry.envelope, (float("nan"),) * 3)
            writer.writerow(
                [entry.bus, _safe(entry.envelope), entry.nameplate_mw, depth, make_up, ramp * entry.nameplate_mw,
                 entry.standing, entry.pass_rate, entry.pass_rate_at_most, entry.strict, _cell(entry.outages_broken),
                 _safe(entry.first_failure), _cell(entry.largest_mw), *(entry.metrics or [""] * len(METRIC_COLUMNS)),
                 _cell(entry.gap), *map(_cell, entry.groups or [None] * len(groups)), _cell(entry.score),
                 _cell(entry.place), _cell(entry.score_min), _cell(entry.score_expected), _cell(entry.kept_share),
                 "" if entry.place_open is None else "yes" if entry.place_open else "no",
                 *self._more_cells(entry, more)]
            )  # fmt: skip
        return text.getvalue()

    def _more_columns(self) -> list[str]:
        """Return the columns of on-site resources and stages, where there are any: a look at every entry."""
        found = ["net_mw"] if any(entry.net_mw is not None for entry in self.entries) else []
        return found + (["stages"] if any(entry.stages for entry in self.entries) else [])

    def _more_cells(self, entry: Entry, more: list[str]) -> list[float | str]:
        known = {"net_mw": _cell(entry.net_mw), "stages": _safe(entry.stages)}
        return [known[name] for name in more] + [_cell(value) for value in entry.own or (None,) * len(self.own_names)]

    def to_geojson(self, network: Network) -> str:
        """Return the entries as points at their buses; those without a place on the map have no geometry.

        Beside them, as RFC 7946 lets a file have more members: the version, and what of the manifest names its run.
        """
        place_of = {bus: place for place, bus in enumerate(network.buses.ids)}
        features = []
        for entry in self.entries:
            bus = place_of.get(entry.bus)
            where = None
            if (
                bus is not None
                and np.isfinite(network.buses.longitude[bus])
                and np.isfinite(network.buses.latitude[bus])
            ):
                spot = [float(network.buses.longitude[bus]), float(network.buses.latitude[bus])]
                where = {"type": "Point", "coordinates": spot}
            known = {name: value for name, value in asdict(entry).items() if name not in {"metrics", "groups", "own"}}
            known["bus_name"] = "" if bus is None else network.buses.names[bus]
            known |= dict(zip(METRIC_COLUMNS, entry.metrics, strict=False))
            known |= dict(zip(self.own_names, entry.own, strict=False))
            features.append({"type": "Feature", "geometry": where, "properties": known})
        made_by = {"version": self.version, "made": self.made}
        made_by |= {name: self.manifest[name] for name in _NAMES_THE_RUN if name in self.manifest}
        return json.dumps({"type": "FeatureCollection", **made_by, "features": features}, allow_nan=False)

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote. Raises QuestionError when it is something else."""
        try:
            if content["format"] != FORMAT:
                raise QuestionError(f"not a catalogue of this version: {content['format']!r:.40}")
            entries = tuple(
                Entry(**{**row, **{name: tuple(row.get(name, ())) for name in ("metrics", "groups", "own")}})
                for row in content["entries"]
            )
            return cls(
                int(content["version"]),
                str(content["made"]),
                entries,
                dict(content["manifest"]),
                tuple(content["group_names"]),
                {name: (float(a), float(b), float(c)) for name, (a, b, c) in content["depth"].items()},
                tuple(content.get("own_names", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise QuestionError("a catalogue needs its version, entries, manifest and envelopes") from None

    def redacted(self, secret: bytes) -> "Catalogue":
        """Return the version for an archive that others may read: buses by keyed hashes, no element named.

        The same secret gives the same names, so that versions can be compared; without it they cannot be undone.
        """

        def hidden(text: str) -> str:
            return "site-" + hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:12]

        entries = tuple(replace(entry, bus=hidden(entry.bus), first_failure="") for entry in self.entries)
        kept = {name: value for name, value in self.manifest.items() if name not in _NAMING}
        if isinstance(kept.get("question"), Mapping):
            asked = kept["question"]
            kept["question"] = {
                name: asked[name] for name in asked if name not in {"buses", "committed", "criteria_file"}
            }
        return replace(self, entries=tuple(sorted(entries, key=lambda entry: entry.key)), manifest=kept)


def _cell(value: float | None) -> float | str:
    return "" if value is None else value


def _safe(text: str) -> str:
    """Keep a name from being read as a formula by a spreadsheet."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def funnel(catalogue: Catalogue, candidates: int, shortlist: int) -> list[tuple[str, float, Sequence[int]]]:
    """Return per envelope and size the counts of the funnel: candidates, gate, market, shortlist."""
    found: list[tuple[str, float, Sequence[int]]] = []
    for envelope, size in dict.fromkeys((entry.envelope, entry.nameplate_mw) for entry in catalogue.entries):
        rows = catalogue.of(envelope, size)
        gate = [entry for entry in rows if entry.standing not in {"gate failed", "gate undecided"}]
        market = [entry for entry in gate if entry.standing == "qualified"]
        found.append((envelope, size, (candidates, len(gate), len(market), min(shortlist, len(market)))))
    return found
