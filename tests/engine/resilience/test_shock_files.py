"""Shocks come back from their files as they went; what cannot be read is told row by row."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FileFormatError
from engine.resilience import shock_files
from engine.resilience.case import Campus, Scenarios
from engine.resilience.shock_files import COLUMNS, from_csv, from_json, to_csv, to_json
from engine.resilience.shocks import ShockModel, shocks

CAMPUSES = (Campus("7", 1.0, 0.5), Campus("=25", 2.0, 0.25))  # a name that a spreadsheet would run
LINKS = ("1-2", "=2-3", "3-4")
STEPS = 8
models = st.builds(ShockModel, outage_share=st.floats(0.0, 1.0), ramp_min=st.floats(0.0, 60.0))
FORMATS = ((to_csv, from_csv), (to_json, from_json))


def equal(one: Scenarios, other: Scenarios) -> bool:
    arrays = ("draw_mw", "start", "end", "probability", "outage", "restored")
    return one.kind == other.kind and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def read(*rows: str, header: str = ",".join(COLUMNS[:4]), steps: int = STEPS) -> Scenarios:
    return from_csv("\n".join([header, *rows]).encode(), CAMPUSES, steps, LINKS)


def refused(*rows: str, header: str = ",".join(COLUMNS[:4])) -> list[str]:
    with pytest.raises(FileFormatError) as error:
        read(*rows, header=header)
    return [each.message for each in error.value.problems]


@pytest.mark.parametrize(("write", "again"), FORMATS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 12), model=models)
def test_drawn_shocks_come_back_as_they_went(write: Any, again: Any, seed: int, count: int, model: ShockModel) -> None:
    drawn = shocks(model, CAMPUSES, STEPS, 0.25, count=count, seed=seed, links=(0, 1, 2))
    chance = np.random.default_rng(seed).dirichlet(np.ones(count))
    some = replace(drawn, probability=chance)
    assert equal(again(write(some, CAMPUSES, LINKS), CAMPUSES, STEPS, LINKS), some)


@pytest.mark.parametrize(("write", "again"), FORMATS)
def test_a_scenario_without_any_event_comes_back(write: Any, again: Any) -> None:
    zero = np.zeros(1, dtype=np.intp)
    quiet = Scenarios(np.full((1, STEPS, 2), 0.5), zero, zero, np.ones(1), zero - 1, ("=quiet",))
    assert equal(again(write(quiet, CAMPUSES, LINKS), CAMPUSES, STEPS, LINKS), quiet)


def test_four_columns_are_enough_and_the_rest_follows_from_them() -> None:
    found = read("up,3,7,0.9", "up,4,7,0.8", "down,8,=25,0")
    schedule = np.tile([0.5, 0.5], (STEPS, 1))
    up, down = schedule.copy(), schedule.copy()
    up[2:4, 0], down[7, 1] = (0.9, 0.8), 0.0
    assert np.array_equal(found.draw_mw, [up, down])
    assert (found.start.tolist(), found.end.tolist()) == ([2, 7], [4, 8])
    assert found.probability.tolist() == [0.5, 0.5]
    assert found.outage.tolist() == [-1, -1]


def test_what_is_told_of_a_scenario_may_stand_on_any_of_its_rows() -> None:
    found = read(
        "a,3,7,0.9,,,,,,", "a,4,7,0.9,0.25,2,6,3-4,8,burst", "b,1,7,1,0.75,,,,,", "b,2,7,1,0.75,,,,,",
        header=",".join(COLUMNS),
    )  # fmt: skip
    assert found.probability.tolist() == [0.25, 0.75]
    assert (found.start.tolist(), found.end.tolist(), found.restored.tolist()) == ([1, 0], [6, 2], [8, 2])
    assert found.outage.tolist() == [2, -1]
    assert found.kind == ("burst", "")


def test_semicolons_and_decimal_commas_are_read() -> None:
    text = "scenario;step;campus;draw_mw;probability\r\n1;1;7;0,75;1,0\r\n"
    found = from_csv(text.encode("utf-8-sig"), CAMPUSES, STEPS, LINKS)
    assert found.draw_mw[0, 0, 0] == 0.75


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,1,9,1", "row 2: campus is '9'; campuses stand at 7, =25"),
        ("a,0,7,1", "row 2: step is 0; it must lie between 1 and 8"),
        ("a,1.5,7,1", "row 2: step is 1.5, which is not a whole number"),
        ("a,1,7,-0.1", "row 2: draw_mw is -0.1; it must lie between 0 and 100000"),
        ("a,1,7,nan", "row 2: draw_mw is 'nan', which is not a number"),
        ("a,1,7,1e6", "row 2: draw_mw is 1e+06; it must lie between 0 and 100000"),
        (",1,7,1", "row 2: scenario is needed"),
        ("a,1,7", "row 2: 3 cells under 4 columns"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(row: str, told: str) -> None:
    assert refused(row) == [told]


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        ("probability is 1.5; it must lie between 0 and 1", "1.5,,,,,"),
        ("outage is '9-9', which is no closed link of the feeder", ",,,9-9,,"),
        ("start is 9; it must lie between 1 and 8", ",9,8,,,"),
        ("has only one of start and end", ",3,,,,"),
        ("ends before it begins", ",5,3,,,"),
    ],
)
def test_what_is_told_of_a_scenario_is_checked(told: str, facts: str) -> None:
    (found,) = refused(f"a,1,7,1,{facts}", header=",".join(COLUMNS))
    assert told in found


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(refused("a,0,9,x", "a,1,7,1", "a,1,7,2")) == 4


def test_probabilities_are_of_all_scenarios_or_of_none_and_sum_to_one() -> None:
    header = "scenario,step,campus,draw_mw,probability"
    assert refused("a,1,7,1,0.5", "b,1,7,1,0.6", header=header) == ["probabilities sum to 1.1; they must sum to 1"]
    assert "scenario b has none" in refused("a,1,7,1,0.5", "b,1,7,1,", header=header)[0]
    assert "another row of its scenario says otherwise" in refused("a,1,7,1,0.5", "a,2,7,1,0.6", header=header)[0]


def test_columns_are_known_and_named_once() -> None:
    told = refused("a,1,7,1,1,1", header="scenario,step,campus,mw,step,probability")
    assert told == ["there is no column draw_mw", "there is no 'mw' of a shock", "column step appears twice"]


def test_files_that_are_too_large_or_no_table_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileFormatError, match="not CSV"):
        from_csv(b"PK\x00\x01", CAMPUSES, STEPS, LINKS)
    assert refused() == ["there is no row below the column names"]
    monkeypatch.setattr(shock_files, "MOST_ROWS", 1)
    with pytest.raises(FileFormatError, match="3 rows; 1 is the most"):
        read("a,1,7,1", "a,2,7,1", "a,3,7,1")
    monkeypatch.setattr(shock_files, "MOST_DRAWS", STEPS * 2)
    monkeypatch.setattr(shock_files, "MOST_ROWS", 10)
    assert refused("a,1,7,1", "b,1,7,1") == ["the file has 2 shocks; 1 to 1 of 8 steps"]
    monkeypatch.setattr(shock_files, "MOST_BYTES", 10)
    for again in (from_csv, from_json):
        with pytest.raises(FileFormatError, match="is the most"):
            again(b"x" * 11, CAMPUSES, STEPS, LINKS)


def test_two_campuses_at_one_bus_cannot_be_told_apart() -> None:
    twins = (CAMPUSES[0], CAMPUSES[0])
    with pytest.raises(FileFormatError, match="two campuses stand at 7"):
        from_csv(b"", twins, STEPS, LINKS)


def test_json_of_another_shape_is_refused_by_scenario() -> None:
    drawn = shocks(ShockModel(), CAMPUSES, STEPS, 0.25, count=3, seed=1)
    held = json.loads(to_json(drawn, CAMPUSES, LINKS))
    held["scenarios"][0]["draw_mw"] = [[1.0]]
    held["scenarios"][1]["start"] = "soon"
    held["scenarios"][2] = 5
    with pytest.raises(FileFormatError) as error:
        from_json(json.dumps(held).encode(), CAMPUSES, STEPS, LINKS)
    assert [each.message for each in error.value.problems][:3] == [
        "scenario 1: draw_mw must be 2 lists, one for each campus, of 8 numbers",
        "scenario 2: start is 'soon', which is not a number",
        "scenario 3 is not a list of named cells",
    ]
    with pytest.raises(FileFormatError, match="they stand at 7, =25"):
        from_json(to_json(drawn, (CAMPUSES[0], Campus("8", 1.0)), LINKS), CAMPUSES, STEPS, LINKS)
    with pytest.raises(FileFormatError, match="no list of scenarios"):
        from_json(json.dumps({"format": shock_files.FORMAT}).encode(), CAMPUSES, STEPS, LINKS)


def test_campuses_of_json_may_stand_in_another_order() -> None:
    drawn = shocks(ShockModel(), CAMPUSES, STEPS, 0.25, count=3, seed=1)
    turned = replace(drawn, draw_mw=drawn.draw_mw[:, :, ::-1])
    content = to_json(turned, CAMPUSES[::-1], LINKS)
    assert equal(from_json(content, CAMPUSES, STEPS, LINKS), drawn)
