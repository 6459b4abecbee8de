"""Shocks as files: CSV with a row for each draw that departs from the schedule, and JSON with a row for each shock.

Columns of CSV are ``COLUMNS``; those after ``draw_mw`` may be left out, and are told once for a scenario, on any of its
rows. Steps are counted from 1: ``start`` is the first and ``end`` the last step of the event, ``outage_end`` the last
step of the outage. Campuses are named by their bus, what is out by its link. What has no row keeps its schedule; an
event that is not told is all the steps off the schedule; probabilities that are not told are equal.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.distribution.records import Records, guarded, json_object, number, read_value, text, unguarded
from engine.errors import FileFormatError, Problem
from engine.network.csv_pair import decoded
from engine.resilience.case import Campus, Scenarios
from engine.resilience.shocks import MOST_SHOCKS

COLUMNS = (
    "scenario", "step", "campus", "draw_mw", "probability", "start", "end", "outage", "outage_end", "kind",
)  # fmt: skip
FORMAT = "headroom-shocks-1"
MOST_BYTES = 50_000_000
MOST_ROWS = 1_000_000
MOST_DRAWS = 20_000_000  # of all shocks, steps and campuses: what is held, though a file may say it in few rows
MOST_MW = 1e5  # beyond it a number is a mistake of unit
_NEEDED = COLUMNS[:4]
_TOLD = COLUMNS[4:]
_HAIR = 1e-9


@dataclass(slots=True, eq=False)
class _Shock:
    """What rows say of one shock."""

    draws: dict[tuple[int, int], float] = field(default_factory=dict)  # (step, campus) from 0
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Places:
    """What a file may name: T steps, campuses by their buses, and links."""

    steps: int
    schedule: tuple[float, ...]  # MW
    campus: Mapping[str, int]
    link: Mapping[str, int]

    @classmethod
    def of(cls, campuses: Sequence[Campus], steps: int, links: Sequence[str]) -> "_Places":
        buses = [each.bus for each in campuses]
        if twice := sorted({bus for bus in buses if buses.count(bus) > 1}):
            raise FileFormatError(f"two campuses stand at {', '.join(twice)}: a file of shocks names them by their bus")
        schedule = tuple(each.size_mw * each.schedule_share for each in campuses)
        return cls(
            steps, schedule, {bus: at for at, bus in enumerate(buses)}, {name: at for at, name in enumerate(links)}
        )


def to_csv(scenarios: Scenarios, campuses: Sequence[Campus], links: Sequence[str]) -> bytes:
    """Return shocks as CSV in UTF-8; they come back the same to the last digit."""
    places = _Places.of(campuses, scenarios.draw_mw.shape[1], links)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    buses = [guarded(bus) for bus in places.campus]
    for at, draw in enumerate(scenarios.draw_mw):
        off = np.argwhere(draw != np.array(places.schedule)).tolist() or [[0, 0]]
        told = _facts(scenarios, at, links)
        for place, (step, campus) in enumerate(off):
            facts = [told[name] for name in _TOLD] if place == 0 else [""] * len(_TOLD)
            writer.writerow([at + 1, step + 1, buses[campus], repr(float(draw[step, campus])), *facts])
    return target.getvalue().encode()


def to_json(scenarios: Scenarios, campuses: Sequence[Campus], links: Sequence[str]) -> bytes:
    """Return shocks as UTF-8 JSON, one on each line, ``draw_mw`` step by step for every campus."""
    places = _Places.of(campuses, scenarios.draw_mw.shape[1], links)
    rows = [
        json.dumps({**_facts(scenarios, at, links, plain=True), "draw_mw": draw.T.tolist()})
        for at, draw in enumerate(scenarios.draw_mw)
    ]
    head = f'"format": "{FORMAT}",\n"campuses": {json.dumps(list(places.campus))}'
    return ("{\n" + head + ',\n"scenarios": [\n  ' + ",\n  ".join(rows) + "\n]\n}\n").encode()


def from_csv(content: bytes, campuses: Sequence[Campus], steps: int, links: Sequence[str]) -> Scenarios:
    """Return the shocks of a CSV file, in the order in which it first names them.

    Cells are parted by commas, semicolons or tabs; where they are not commas, numbers may have decimal commas.
    Raises FileFormatError with everything that is wrong, each with its row, counted with the line of names.
    """
    places, records = _Places.of(campuses, steps, links), Records()
    found: dict[str, _Shock] = {}
    for line, row in _rows(content):
        _add(found, row, places, records, line)
    return _scenarios(found, places, records)


def from_json(content: bytes, campuses: Sequence[Campus], steps: int, links: Sequence[str]) -> Scenarios:
    """Return the shocks of a JSON file. Raises FileFormatError with everything that is wrong, each with its shock."""
    _bounded(content)
    places, records = _Places.of(campuses, steps, links), Records()
    held = json_object(content, FORMAT, "a file of shocks")
    rows, named = held.get("scenarios"), held.get("campuses")
    if not isinstance(rows, list) or not isinstance(named, list):
        raise FileFormatError("the JSON has no list of scenarios, or none of campuses")
    if set(map(str, named)) != set(places.campus) or len(named) != len(places.campus):
        told = ", ".join(str(each)[:40] for each in named[:20])
        raise FileFormatError(f"the JSON has campuses at {told}; they stand at {', '.join(places.campus)}")
    order = [places.campus[str(each)] for each in named]
    found: dict[str, _Shock] = {}
    for at, cells in enumerate(rows):
        if not isinstance(cells, dict):
            records.wrong("row", f"scenario {at + 1} is not a list of named cells", "shocks", at)
            continue
        row = _Row(found.setdefault(str(at), _Shock()), places, records, f"scenario {at + 1}", at)
        for name in sorted(set(cells) - {*_TOLD, "draw_mw"}):
            records.wrong("unknown-column", f"{row.name}: there is no {name[:80]!r} of a shock", "shocks", at, name)
        for name in _TOLD:
            row.tell(name, cells.get(name))
        draws = cells.get("draw_mw")
        if not isinstance(draws, list) or len(draws) != len(order) or not all(
            isinstance(each, list) and len(each) == steps for each in draws
        ):  # fmt: skip
            row.wrong("draw_mw", f"must be {len(order)} lists, one for each campus, of {steps} numbers")
            continue
        for campus, series in zip(order, draws, strict=True):
            for step, cell in enumerate(series):
                row.draw(step, campus, cell)
    return _scenarios(found, places, records)


def _facts(scenarios: Scenarios, at: int, links: Sequence[str], *, plain: bool = False) -> dict[str, Any]:
    """Return what is told once for a shock, as cells; with ``plain``, as what JSON knows."""
    out = int(scenarios.outage[at])
    kind, link = scenarios.kind[at], links[out] if out >= 0 else ""
    probability = float(scenarios.probability[at])
    return {
        "probability": probability if plain else repr(probability),
        "start": int(scenarios.start[at]) + 1,
        "end": int(scenarios.end[at]),
        "outage": link if plain else guarded(link),
        "outage_end": int(scenarios.restored[at]),
        "kind": kind if plain else guarded(kind),
    }


def _bounded(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise FileFormatError(f"the file has {len(content) / 1e6:.1f} MB; {MOST_BYTES / 1e6:g} MB is the most")


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number and the cells of each row. Raises FileFormatError for what is no such table."""
    _bounded(content)
    if (lines := content.count(b"\n")) > MOST_ROWS + 1:
        raise FileFormatError(f"the file has {lines:,} rows; {MOST_ROWS:,} is the most")
    try:
        plain = decoded(content)[0]
        head = next((line for line in plain.splitlines() if line.strip()), "")
        delimiter = max(",;\t", key=head.count)
        reader = csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter, strict=True)
        table = [(reader.line_num, row) for row in reader if "".join(row).strip()]
    except (ValueError, csv.Error) as error:
        raise FileFormatError(f"the file is not CSV that can be read: {str(error)[:200]}") from None
    header = [cell.strip().lower() for cell in table[0][1]] if table else []
    problems = [f"there is no column {name}" for name in _NEEDED if name not in header]
    problems += [f"there is no {name[:80]!r} of a shock" for name in header if name not in COLUMNS]
    problems += [f"column {name} appears twice" for name in COLUMNS if header.count(name) > 1]
    problems += [
        f"row {line}: {len(row)} cells under {len(header)} columns"
        for line, row in table[1:]
        if len(row) != len(header)
    ][:20]
    if len(table) == 1:
        problems.append("there is no row below the column names")
    if problems:
        raise FileFormatError([Problem("csv", "error", each, "shocks") for each in problems])
    for line, row in table[1:]:
        cells = dict(zip(header, (unguarded(cell.strip()) for cell in row), strict=True))
        if delimiter != ",":
            for name in ("draw_mw", "probability"):
                cells[name] = cells.get(name, "").replace(",", ".")
        yield line, cells


@dataclass(frozen=True, slots=True)
class _Row:
    """Where a row's cells go, and where what is wrong with them is told."""

    shock: _Shock
    places: _Places
    records: Records
    name: str  # "row 7"
    at: int

    def wrong(self, column: str, message: object) -> None:
        self.records.wrong("cell", f"{self.name}: {column} {message}", "shocks", self.at, column)

    def draw(self, step: int, campus: int, cell: Any) -> None:
        """Keep what a campus draws in a step."""
        try:
            self.shock.draws[step, campus] = _within(number(cell), 0.0, MOST_MW)
        except ValueError as error:
            self.wrong("draw_mw", error)

    def tell(self, column: str, cell: Any) -> None:
        """Keep what a cell says of a shock as a whole; an empty one says nothing."""
        if cell is None or cell == "":
            return
        try:
            value = _read(column, cell, self.places)
        except ValueError as error:
            self.wrong(column, error)
        else:
            if self.shock.told.setdefault(column, value) != value:
                self.wrong(column, f"is {str(cell)[:40]!r}, but another row of its scenario says otherwise")


def _add(found: dict[str, _Shock], cells: Mapping[str, str], places: _Places, records: Records, line: int) -> None:
    """Add a row of CSV to the shock that it names."""
    name, bus = cells["scenario"], cells["campus"]
    if not name:
        records.wrong("cell", f"row {line}: scenario is needed", "shocks", line, "scenario")
        return
    row = _Row(found.setdefault(name, _Shock()), places, records, f"row {line}", line)
    step, campus = -1, places.campus.get(bus, -1)
    if campus < 0:
        row.wrong("campus", f"is {bus[:40]!r}; campuses stand at {', '.join(places.campus)}")
    try:
        step = int(_within(read_value(int, cells["step"]), 1, places.steps)) - 1
    except ValueError as error:
        row.wrong("step", error)
    if step >= 0 and campus >= 0 and (step, campus) in row.shock.draws:
        row.wrong("draw_mw", f"of {bus} in step {step + 1} of scenario {name[:40]} is told twice")
    row.draw(step, campus, cells["draw_mw"])
    for column in _TOLD:
        row.tell(column, cells.get(column))


def _within(value: float, least: float, most: float) -> float:
    """Return a number. Raises ValueError, completing "step ...", for one out of its range."""
    if not least <= value <= most:
        raise ValueError(f"is {value:g}; it must lie between {least:g} and {most:g}")
    return value


def _read(name: str, cell: Any, places: _Places) -> Any:
    """Return a cell as what it stands for; steps from 0, ends exclusive. Raises ValueError completing "start ..."."""
    if name == "kind":
        return text(cell)
    if name == "outage":
        if (link := text(cell)) not in places.link:
            raise ValueError(f"is {link[:40]!r}, which is no closed link of the feeder")
        return places.link[link]
    if name == "probability":
        return _within(number(cell), 0.0, 1.0)
    if name == "start":
        return int(_within(read_value(int, cell), 1, places.steps)) - 1
    return int(_within(read_value(int, cell), 0, places.steps))


def _scenarios(found: Mapping[str, _Shock], places: _Places, records: Records) -> Scenarios:
    """Return what was read. Raises FileFormatError with all that is wrong with it."""
    size, each = len(found), places.steps * len(places.schedule)
    cells_read = not records.problems
    if (not size and cells_read) or size > MOST_SHOCKS or size * each > MOST_DRAWS:
        most = min(MOST_SHOCKS, MOST_DRAWS // max(each, 1))
        records.wrong("size", f"the file has {size:,} shocks; 1 to {most:,} of {places.steps} steps", "shocks")
    given = [name for name, shock in found.items() if "probability" in shock.told]
    if 0 < len(given) < size:
        missing = next(name for name in found if name not in set(given))
        text = f"{len(given)} of {size} scenarios have a probability, scenario {missing[:40]} has none: all or none"
        records.wrong("probability", text, "shocks", None, "probability")
    for name, shock in found.items() if cells_read else ():
        if ("start" in shock.told) != ("end" in shock.told):
            records.wrong("event", f"scenario {name[:40]} has only one of start and end", "shocks")
        elif "start" in shock.told and shock.told["end"] < shock.told["start"]:
            records.wrong("event", f"scenario {name[:40]} ends before it begins", "shocks")
    if records.problems:
        raise FileFormatError(records.problems)
    draw = np.tile(np.array(places.schedule), (size, places.steps, 1))
    event = np.zeros((size, 3), dtype=np.intp)  # start, end, end of the outage
    for at, shock in enumerate(found.values()):
        steps, campuses = np.array(list(shock.draws), dtype=np.intp).reshape(-1, 2).T
        draw[at, steps, campuses] = list(shock.draws.values())
        off = np.flatnonzero((np.abs(draw[at] - np.array(places.schedule)) > _HAIR).any(axis=1))
        start, end = (int(off[0]), int(off[-1]) + 1) if off.size else (0, 0)
        end = shock.told.get("end", end)
        event[at] = shock.told.get("start", start), end, shock.told.get("outage_end", end)
    made = Scenarios(
        draw, event[:, 0], event[:, 1],
        np.array([shock.told.get("probability", 1.0 / size) for shock in found.values()]),
        np.array([shock.told.get("outage", -1) for shock in found.values()], dtype=np.intp),
        tuple(shock.told.get("kind", "") for shock in found.values()), event[:, 2],
    )  # fmt: skip
    if problems := list(made.problems(places.steps, len(places.schedule), len(places.link))):
        raise FileFormatError([Problem("shocks", "error", each, "shocks") for each in problems])
    return made
