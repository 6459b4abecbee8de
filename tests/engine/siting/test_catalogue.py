"""The catalogue: its files, its versions and what changed between them, its archive without names."""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.errors import QuestionError
from engine.network.library import load
from engine.network.model import Network
from engine.siting.catalogue import METRIC_COLUMNS, Catalogue, Entry, funnel
from engine.siting.changes import SetChange, changes
from engine.siting.question import SitingQuestion
from engine.siting.versions import packed

METRICS = tuple(float(n) for n in range(15))
SHAPES = {"firm": (0.0, 0.0, 0.2), "shift": (0.2, 0.04, 0.2)}


def entry(bus: str, score: float | None, place: int | None, standing: str = "qualified", **more: object) -> Entry:
    known = {"metrics": METRICS, "groups": (0.1, 0.2, 0.3)} if score is not None else {}
    return Entry(bus, "firm", 1000.0, standing, 0.97, 0.97, score=score, place=place, **(known | more))  # type: ignore[arg-type]


def catalogue(*entries: Entry, version: int = 1) -> Catalogue:
    return Catalogue(
        version, "2026-11-21T00:00:00", entries, {"case": "abc", "network_name": "Texas"}, ("a", "b", "c"), SHAPES
    )


OLD = catalogue(entry("1", 0.9, 1), entry("2", 0.5, 2), entry("3", 0.2, 3), entry("4", None, None, "gate failed"))
NEW = catalogue(
    entry("1", 0.4, 2), entry("2", 0.8, 1), entry("3", None, None, "gate failed"), entry("4", 0.1, 3), version=2
)  # fmt: skip


def test_a_catalogue_survives_its_json() -> None:
    assert Catalogue.from_json(json.loads(json.dumps(OLD.to_json()))) == OLD
    for wrong in ({}, {"format": "other"}, {**OLD.to_json(), "entries": [{"bus": "1"}]}):
        with pytest.raises(QuestionError):
            Catalogue.from_json(wrong)


def test_its_csv_has_every_column_of_the_specification_and_keeps_formulas_harmless() -> None:
    odd = catalogue(entry("9", None, None, "gate failed", first_failure="=cmd()"))
    rows = list(csv.DictReader(io.StringIO(OLD.to_csv())))
    assert set(METRIC_COLUMNS) < set(rows[0])
    assert rows[0]["all_mean_lmp"] == "0.0"
    assert rows[0]["off_peak_rent"] == "14.0"
    assert (rows[0]["ramp_mw_per_h"], rows[0]["alpha_on"]) == ("200.0", "0.0")
    assert (rows[3]["score"], rows[3]["standing"]) == ("", "gate failed")
    assert "'=cmd()" in odd.to_csv()


def test_its_csv_looks_at_all_entries_as_often_whatever_their_number() -> None:
    """A look at all of them for each line is a square: half a minute for the 12,879 entries of Texas."""
    looks: list[int] = []

    class Watched(tuple[Entry, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Entry]:
            looks.append(len(self))
            return super().__iter__()

    for count in (1, 50):
        entries = Watched(entry(str(place), None, None, net_mw=1.0, stages="a") for place in range(count))
        rows = list(csv.DictReader(io.StringIO(replace(OLD, entries=entries).to_csv())))
        assert [(row["net_mw"], row["stages"]) for row in rows] == [("1.0", "a")] * count
    assert looks.count(1) == looks.count(50) > 0


def test_its_geojson_has_a_point_where_the_bus_has_a_place() -> None:
    network = Network.from_tables(load("texas-2016"))
    manifest = {"case": "abc", "network": "def", "islanding": []}
    here = Catalogue(3, "2026-11-21", (entry(network.buses.ids[0], 0.9, 1), entry("nowhere", 0.5, 2)), manifest)
    file = json.loads(here.to_geojson(network))
    one, other = file.pop("features")
    assert file == {
        "type": "FeatureCollection", "version": 3, "made": "2026-11-21", "case": "abc", "network": "def",
    }  # fmt: skip
    assert (one["properties"]["bus_name"], other["properties"]["bus_name"]) == (network.buses.names[0], "")
    assert one["geometry"]["coordinates"] == [network.buses.longitude[0], network.buses.latitude[0]]
    assert one["properties"]["on_peak_rent"] == 9.0
    assert other["geometry"] is None


def test_changes_name_who_entered_who_left_and_how_the_others_moved() -> None:
    (found,) = changes(OLD, NEW)
    for change in (found.qualified, found.priced):
        assert change.entered == ("4",)
        assert change.left == (("3", "gate failed"),)
        assert (change.before, change.after) == (3, 3)
    assert not found.grew
    assert found.spearman == -1.0  # two in both, their order reversed
    assert found.moves == (("2", 2, 1), ("1", 1, 2))
    (back,) = changes(OLD, catalogue(version=2))
    assert [reason for _, reason in back.qualified.left] == ["not a candidate"] * 3
    assert math.isnan(back.spearman)


def test_the_gate_and_the_market_are_compared_apart() -> None:
    # Before: three qualify, one of them is priced. Then 1 is not taken to the market, 2 fails the gate, 3 is priced.
    old = catalogue(
        entry("1", 0.9, 1), entry("2", None, None, "market time limit"), entry("3", None, None, "not in market"),
        entry("4", None, None, "criteria failed"),
    )  # fmt: skip
    new = catalogue(
        entry("1", None, None, "not in market"), entry("2", None, None, "gate failed"), entry("3", 0.4, 1),
        entry("4", None, None, "criteria failed"), version=2,
    )  # fmt: skip
    (found,) = changes(old, new)
    assert found.qualified == SetChange(3, 2, (), (("2", "gate failed"),))
    assert found.priced == SetChange(1, 1, ("3",), (("1", "not in market"),))
    counts = packed(replace(old, manifest={"question": SitingQuestion().to_json()}))["passed"]
    assert counts == {"firm, 1000 MW": 3}  # with the site that the market had no time for


def test_an_archive_without_names_compares_versions_and_tells_no_bus() -> None:
    secret = b"kept elsewhere"
    old, new = OLD.redacted(secret), NEW.redacted(secret)
    (found,) = changes(old, new)
    assert (len(found.qualified.entered), len(found.qualified.left), found.spearman) == (1, 1, -1.0)
    text = json.dumps(old.to_json())
    assert "Texas" not in text
    assert not {one.bus for one in old.entries} & {"1", "2", "3", "4"}
    assert {one.bus for one in old.entries} != {one.bus for one in OLD.redacted(b"another").entries}


def test_an_archive_without_names_keeps_what_determines_the_run_and_no_element() -> None:
    manifest = {
        "case": "abc", "threshold": 0.95, "base_infeasible": [{"hour": "h", "contingency": "branch 7-8"}],
        "islanding": ["loss of line 8-9"], "question": {"buses": ["7"], "committed": [{"bus": "8"}], "seed": 3},
    }  # fmt: skip
    archived = Catalogue(1, "", (entry("7", 0.9, 1),), manifest).redacted(b"kept elsewhere")
    assert archived.manifest == {"case": "abc", "threshold": 0.95, "question": {"seed": 3}}


def test_the_funnel_counts_each_stage() -> None:
    mixed = catalogue(
        entry("1", 0.9, 1), entry("2", None, None, "market infeasible"), entry("3", None, None, "gate failed"),
        entry("4", None, None, "gate undecided"),
    )  # fmt: skip
    assert funnel(mixed, 10, 20) == [("firm", 1000.0, (10, 2, 1, 1))]
