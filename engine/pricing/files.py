"""Cases of hubs as JSON files: every hub, line and period by name, and what the operator weighs.

Columns of hubs are the fields of :mod:`engine.pricing.hubs`. What is read is not checked: ``HubCase.checked`` does.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.distribution.records import Records, json_object
from engine.errors import FileFormatError
from engine.pricing.case import MOST_HUBS, MOST_PERIODS, Curvature, HubCase, PriceRange, Terms
from engine.pricing.hubs import Hub, Profile
from engine.pricing.network import HubNetwork

FORMAT = "headroom-hubs-1"
MOST_BYTES = 50_000_000
_PARTS = ("day", "substation", "terms", "prices", "curvature")
_TABLES = ("hubs", "lines")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the network as hubs see it; see :class:`engine.pricing.network.HubNetwork`."""

    name: str
    limit_mw: float
    share: Profile  # of each hub
    background_mw: Profile  # of each period


@dataclass(frozen=True, slots=True)
class Substation:
    """What the substation imports without hubs, and may import and export; no number: no limit."""

    background_mw: Profile
    import_mw: float | None = None
    export_mw: float | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Tariffs, $/MWh, and the periods."""

    buy_per_mwh: Profile
    sell_per_mwh: Profile
    step_h: float = 1.0
    labels: tuple[str, ...] = ()


def to_json(case: HubCase) -> bytes:
    """Return a case as UTF-8 JSON, a hub and a line of the network on each line."""
    network = case.network
    limits = [None if math.isinf(limit) else limit for limit in (network.import_mw, network.export_mw)]
    parts: dict[str, Any] = {
        "format": FORMAT,
        "day": asdict(Day(case.buy_per_mwh, case.sell_per_mwh, case.step_h, case.labels)),
        "substation": asdict(Substation(tuple(network.substation_mw.tolist()), *limits)),
        "terms": asdict(case.terms), "prices": asdict(case.prices), "curvature": asdict(case.curvature),
        "areas": list(case.areas),
    }  # fmt: skip
    lines = [
        Line(name, float(network.limit_mw[at]), tuple(network.share[at].tolist()),
             tuple(network.background_mw[at].tolist()))
        for at, name in enumerate(network.lines)
    ]  # fmt: skip
    told = [f'"{name}": {json.dumps(part)}' for name, part in parts.items()]
    for name, rows in (("lines", lines), ("hubs", case.hubs)):
        told.append(f'"{name}": [\n  ' + ",\n  ".join(json.dumps(asdict(row)) for row in rows) + "\n]")
    return ("{\n" + ",\n".join(told) + "\n}\n").encode()


def from_json(content: bytes) -> HubCase:
    """Return the case that :func:`to_json` wrote. Raises FileFormatError with every cell that cannot be read."""
    if len(content) > MOST_BYTES:
        raise FileFormatError(f"the file has {len(content):,} bytes; {MOST_BYTES:,} is the most")
    held = json_object(content, FORMAT, "a case of hubs")
    records = Records()
    for key in held:
        if key not in {"format", "areas", *_PARTS, *_TABLES}:
            records.wrong("unknown-key", f"there is no {str(key)!r:.80} in a case of hubs")
    kinds = {"day": Day, "substation": Substation, "terms": Terms, "prices": PriceRange, "curvature": Curvature}
    one = {name: _one(records, name, kind, held.get(name)) for name, kind in kinds.items()}
    lines: tuple[Line, ...] = _rows(records, "lines", Line, held)
    hubs: tuple[Hub, ...] = _rows(records, "hubs", Hub, held)
    areas = _areas(records, held.get("areas", []))
    given = held.get("hubs", [])
    _sizes(records, lines, len(given) if isinstance(given, list) else 0, one["day"])  # one that is wrong counts too
    if records.problems:
        raise FileFormatError(records.problems)
    day, substation = one["day"], one["substation"]
    network = HubNetwork(
        lines=tuple(line.name for line in lines),
        share=np.array([line.share for line in lines], dtype=np.float64).reshape(len(lines), len(hubs)),
        background_mw=np.array([line.background_mw for line in lines]).reshape(len(lines), len(day.buy_per_mwh)),
        limit_mw=np.array([line.limit_mw for line in lines], dtype=np.float64),
        substation_mw=np.array(substation.background_mw, dtype=np.float64),
        import_mw=math.inf if substation.import_mw is None else substation.import_mw,
        export_mw=math.inf if substation.export_mw is None else substation.export_mw,
    )
    return HubCase(
        hubs, network, day.buy_per_mwh, day.sell_per_mwh, day.step_h, day.labels, one["terms"], one["prices"],
        one["curvature"], areas,
    )  # fmt: skip


def _one(records: Records, name: str, kind: type, cells: Any) -> Any:
    if cells is None and name in {"terms", "prices", "curvature"}:
        return kind()
    if not isinstance(cells, Mapping):
        records.wrong("part", f"{name} is not a list of named cells", name)
        return None
    rows = records.rows(name, kind, [cells], name)
    return rows[0] if rows else None


def _rows(records: Records, name: str, kind: type, held: Mapping[str, Any]) -> tuple[Any, ...]:
    given = held.get(name, [])
    if not isinstance(given, list):
        records.wrong("table", f"{name} is not a list of rows", name)
        return ()
    if len(given) > MOST_HUBS:
        records.wrong("table", f"{name} has {len(given):,} rows; {MOST_HUBS:,} is the most", name)
        return ()
    return records.rows(name, kind, given, f"{name.removesuffix('s')}")


def _areas(records: Records, given: Any) -> tuple[int, ...]:
    if not isinstance(given, list) or not all(type(each) is int and 0 <= each < MOST_HUBS for each in given):
        records.wrong("areas", "areas is not a list of whole numbers, one for each hub", "hubs")
        return ()
    return tuple(given)


def _sizes(records: Records, lines: tuple[Line, ...], hubs: int, day: Day | None) -> None:
    """Note every line that has not one share for each hub and one flow for each period."""
    periods = 0 if day is None else len(day.buy_per_mwh)
    if periods > MOST_PERIODS:
        records.wrong("day", f"the day has {periods} periods; {MOST_PERIODS} is the most", "day")
    for at, line in enumerate(lines):
        for name, values, count, what in (
            ("share", line.share, hubs, "hubs"),
            ("background_mw", line.background_mw, periods, "periods"),
        ):
            if day is not None and len(values) != count:
                text = f"line {line.name}: {name} has {len(values)} values for {count} {what}"
                records.wrong("line", text, "lines", at, name)
