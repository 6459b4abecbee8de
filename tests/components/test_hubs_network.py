"""The network of the Hubs page: its drawing, its lines and its substation."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from components import (
    hubs_diagram,
    hubs_lines,
    hubs_sheet,
)
from components.hubs_why import substation_parts
from components.hubs_words import At, after_of, before_of, key_of
from engine.distribution.cases import furnished
from engine.pricing.cases import fleet
from tests.components.hubs_runs import AT, example, written


def test_lines_add_up_to_what_is_beyond_limits() -> None:
    run = example()
    columns, rows = hubs_lines.rows(run, AT)
    assert len(rows) == len(run.case.network.lines) + 1
    assert sum(row["now"] for row in rows) == pytest.approx(after_of(run, AT).overloads.mwh(run.case), abs=1e-9)
    assert sum(row["was"] for row in rows) == pytest.approx(before_of(run, AT).overloads.mwh(run.case), abs=1e-9)
    for row in rows:  # hours of one
        assert sum(row[f"h{t}"] for t in range(24)) == pytest.approx(row["now"], abs=1e-9)
    assert sum(column.name.startswith("h") and column.name != "hours" for column in columns) == 24


def test_the_drawing_holds_each_line_once_and_its_loading() -> None:
    run = example()
    made = hubs_diagram.drawing(run)
    feeder = furnished("ieee37")
    assert sorted(link[3] for link in made["links"] if link[3] >= 0) == list(range(len(run.case.network.lines)))
    assert len(made["buses"]) == len(feeder.buses)
    assert len(made["links"]) == len(made["buses"]) - 1  # a tree
    quick = after_of(run, AT)
    told = made["outcomes"]["quick-quadratic"]["loading"]
    whole = np.frombuffer(base64.b64decode(told["b"]), dtype="<i2").reshape(24, told["k"])
    loading = np.array(told["o"])[:, np.newaxis] + np.array(told["s"])[:, np.newaxis] * whole
    lines = 100.0 * np.abs(quick.overloads.flow_mw).T / run.case.network.limit_mw
    assert np.allclose(loading[:, :-1], lines, atol=5e-3)
    sub = 100.0 * quick.overloads.substation_flow_mw / run.case.network.import_mw
    assert np.allclose(loading[:, -1], sub, atol=5e-3)
    json.dumps(made, allow_nan=False)


def test_a_case_is_drawn_as_the_feeder_whose_lines_it_has_and_another_as_bars() -> None:
    found = hubs_diagram.feeder_of(fleet(5, feeder="ieee123", hours=2))
    assert found is not None
    assert found.name == furnished("ieee123").name
    small = fleet(5, hours=2)
    lines = tuple(f"own {name}" for name in small.network.lines)
    assert hubs_diagram.feeder_of(replace(small, network=replace(small.network, lines=lines))) is None


def test_the_substation_is_chosen_and_told_like_a_line() -> None:
    run, at = example(), At(hour=21, selection="line:substation")
    told = re.sub("[\u00a0]", " ", json.dumps(json.loads(written(hubs_sheet.sheet(run, at))), ensure_ascii=False))
    assert "The substation" in told
    for each in (before_of(run, at), after_of(run, at)):
        assert f"{each.overloads.substation_flow_mw[21]:.3f}" in told
    assert "Why, for the substation" in written(hubs_lines.content(run, at))


def test_a_substation_that_may_not_export_is_beyond_its_limit_by_whatever_it_exports() -> None:
    """A limit of 0 has no parts: nothing that flows is 0, anything else ten times it."""
    run = example()
    quick = after_of(run, AT)
    network = replace(run.case.network, export_mw=0.0)
    assert np.allclose(substation_parts(network, np.array([-0.1, 0.0, network.import_mw])), [10.0, 0.0, 1.0])
    closed = replace(run, case=replace(run.case, network=network))
    json.dumps(hubs_diagram.drawing(closed), allow_nan=False)
    assert np.isfinite(hubs_diagram.drawing(closed)["outcomes"][key_of(quick)]["sub"]).all()
