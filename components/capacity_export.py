"""Exports of what the Capacity page shows: CSV, GeoJSON and JSON, each with where its numbers are from."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from components.capacity_answer import Answer
from components.capacity_largest import Largest
from components.capacity_question import plain_sentence
from components.capacity_results import over_limit_rows
from components.capacity_tables import bus_rows, limit_rows, site_rows
from components.tables import safe_cell
from engine.capacity.products import indicative

Row = Mapping[str, Any]
_TYPES = {"csv": "text/csv", "json": "application/json", "geojson": "application/geo+json"}
_UNITS = {
    "kv": "kv", "asked": "asked_mw", "firm": "firm_mw", "total": "total_mw", "served": "served_share",
    "alone": "firm_alone_mw", "limit": "limited_by", "load": "load_mw", "rating": "limit_mw",
    "margin": "room_before_mw",
    "gain": "first_gain_mw_per_mw", "sites": "stops_sites", "lone": "stops_lone_buses",
    "mw": "capacity_mw", "id": "bus", "outage": "after_the_outage_of", "change": "change_mw",
    "decides": "decided_by_period",
    "most": "alone_with_redispatch_mw", "most_by": "with_redispatch_limited_by",
}  # fmt: skip


def download(
    answer: Answer, what: str, kind: str, shown: Iterable[int] | None = None, largest: Largest | None = None
) -> dict[str, Any]:
    """Return the content of a ``dcc.Download``: table ``what`` ("sites", "buses", "limits", "products") as ``kind``.

    Of all buses those at the positions ``shown``, None for all; with what ``largest`` says of each.
    """
    rows = export_rows(answer, what, shown, largest)
    if kind == "csv":
        content = as_csv([row | origin(answer) for row in rows] or [origin(answer)])
    elif kind == "geojson":
        content = as_json(geojson(answer, rows))
    elif kind == "json":
        content = as_json({"about": about(answer), what: rows} | _whole(answer, what))
    else:
        raise ValueError(f"there is no export of kind {kind!r}")
    return {"filename": filename(answer, what, kind), "content": content, "type": _TYPES[kind], "base64": False}


def export_rows(
    answer: Answer, what: str, shown: Iterable[int] | None = None, largest: Largest | None = None
) -> list[dict[str, Any]]:
    """Return the rows of a table under names that carry their units."""
    if what == "products":
        return [] if answer.products is None else [_bare(row) for row in answer.products.rows(answer.network)]
    if what == "limits":
        rows = over_limit_rows(answer) + limit_rows(answer)
        return [{"element": row["select"]} | _named(row, answer, drop=("id", "select")) for row in rows]
    rows = site_rows(answer) if what == "sites" else bus_rows(answer, shown, largest)
    state = {} if largest is None or what == "sites" else {"with_redispatch_in": largest.when}
    position = {bus: i for i, bus in enumerate(answer.network.buses.ids)}
    buses = answer.network.buses
    return [
        _named(row, answer)
        | state
        | {
            "longitude": _known(buses.longitude[position[row["id"]]]),
            "latitude": _known(buses.latitude[position[row["id"]]]),
        }
        for row in rows
    ]


def origin(answer: Answer) -> dict[str, Any]:
    """Return where a number is from, flat, for each line of a CSV."""
    known = answer.result.provenance
    return {
        "question": plain_sentence(answer.question),
        "network": known.network,
        "network_digest": known.network_digest,
        "question_digest": known.question_digest,
        "uncertainty_digest": known.uncertainty_digest,
        "seed": known.seed,
        "status": answer.result.status,
        "solver": known.solver,
        "gap": max((level.gap for level in answer.result.levels), default=None),
        "time_s": round(answer.result.time_s, 3),
        "computed": known.date,
        "data": known.data,
        "states": known.source,
        **({"period": answer.period or "year round"} if answer.periods else {}),
        "use": indicative(answer.question.security),
    }


def about(answer: Answer) -> dict[str, Any]:
    """Return where the numbers are from, with the whole question, for the head of a JSON or GeoJSON."""
    return origin(answer) | {"asked": answer.question.to_json(), "notices": list(answer.result.notices)}


def geojson(answer: Answer, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the rows as features: points where a bus has coordinates, lines for branches, else no geometry."""
    features = []
    for row in rows:
        properties = {key: value for key, value in row.items() if key not in ("longitude", "latitude")}
        features.append({"type": "Feature", "geometry": _geometry(answer, row), "properties": properties})
    return {
        "type": "FeatureCollection",
        "name": plain_sentence(answer.question),
        "about": about(answer),
        "features": features,
    }


def as_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV; text that a spreadsheet would take for a formula gets an apostrophe."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])
    return text.getvalue()


def as_json(content: Any) -> str:
    """Return JSON without NaN and Infinity, which are not JSON."""
    return json.dumps(_plain(content), ensure_ascii=False, indent=1, allow_nan=False)


def filename(answer: Answer, what: str, kind: str) -> str:
    """Return the name of an export: network, table, the question's hash."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in answer.network.name.lower())
    name = "-".join(part for part in name.split("-") if part) or "network"
    return f"{name}-capacity-{what}-{answer.result.provenance.question_digest[:8]}.{kind}"


def product_download(record: Any, kind: str, name: str) -> dict[str, Any]:
    """Return a published version as a download. ``record`` is the store's."""
    stem = f"{name}-products-v{record.version}"
    if kind == "json":
        head = {"version": record.version, "digest": record.digest, "use": _use(record), "sale": _sale(record)}
        content = as_json(head | dict(record.product_set))
        return {"filename": f"{stem}.json", "content": content, "type": _TYPES["json"], "base64": False}
    known = record.product_set["provenance"]
    same = ("network", "network_digest", "question_digest", "uncertainty_digest", "solver", "seed", "data")
    shared = {"version": record.version, "digest": record.digest, "question": known["sentence"]}
    shared |= {name: known[name] for name in same}
    shared |= {"computed": known["date"], "states": known["source"], "use": _use(record), "sale": _sale(record)}
    rows = [product | shared for product in record.product_set["products"]]
    return {"filename": f"{stem}.csv", "content": as_csv(rows), "type": _TYPES["csv"], "base64": False}


def _use(record: Any) -> str:
    return indicative(record.product_set["question"].get("security", "base"))


def _sale(record: Any) -> str:
    """Return how a published set may be sold: a part of a set that is not downward-closed can exceed a limit."""
    return "any part" if record.product_set["witness"]["downward_closed"] else "all or nothing"


def _whole(answer: Answer, what: str) -> dict[str, Any]:
    if what == "products" and answer.products is not None:
        return {"product_set": answer.products.to_json()}
    return {"result": asdict(answer.result)} if what == "sites" else {}


def _named(row: Row, answer: Answer, drop: Sequence[str] = ()) -> dict[str, Any]:
    """Return a row of the page under names with units; an increment is named by its risk, a period by its own name."""
    risks = {
        f"inc{place}": f"flexible_{100 * epsilon:g}_percent_mw"
        for place, epsilon in enumerate(answer.question.epsilons)
    }
    risks |= {f"period{k}": f"firm_{name}_mw" for k, (name, _) in enumerate(answer.periods)}
    return {risks.get(key) or _UNITS.get(key, key): value for key, value in row.items() if key not in drop}


def _bare(row: Row) -> dict[str, Any]:
    """Return a product's own columns: where it is from is added to every export alike."""
    own = ("product", "bus", "name", "zone", "base_kv", "kind", "capacity_mw", "risk", "longitude", "latitude")
    return {key: row[key] for key in own}


def _geometry(answer: Answer, row: Row) -> dict[str, Any] | None:
    if row.get("longitude") is not None and row.get("latitude") is not None:
        return {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]}
    kind, _, key = str(row.get("element", "")).partition(":")
    buses, branches = answer.network.buses, answer.network.branches
    if kind == "branch" and key in branches.ids:
        place = branches.ids.index(key)
        ends = [int(branches.from_bus[place]), int(branches.to_bus[place])]
        line = [[float(buses.longitude[end]), float(buses.latitude[end])] for end in ends]
        known = all(math.isfinite(value) for point in line for value in point)
        return {"type": "LineString", "coordinates": line} if known else None
    if kind == "bus" and key in buses.ids:
        place = buses.ids.index(key)
        point = [float(buses.longitude[place]), float(buses.latitude[place])]
        return {"type": "Point", "coordinates": point} if all(math.isfinite(value) for value in point) else None
    return None


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if value in (math.inf, "inf"):
        return "unlimited"
    return f"{value:.10g}" if isinstance(value, float) else safe_cell(value)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return None if math.isnan(content) else ("unlimited" if content > 0 else "-unlimited")
    if isinstance(content, Mapping):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return "unlimited" if isinstance(content, str) and content == "inf" else content
