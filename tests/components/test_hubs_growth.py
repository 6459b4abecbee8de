"""How it grows: figures that the page says were measured are those of the benchmark's own record."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from components import hubs_checks, hubs_growth
from components.hubs_view import read_question
from components.hubs_words import At
from engine.pricing.compare import NOT_ASKED
from engine.pricing.growth import Grown
from tests.components.hubs_runs import example, written

RECORD = (Path(__file__).parents[1] / "benchmarks" / "results" / "hubs.md").read_text(encoding="utf-8")


def _cells(title: str) -> list[list[str]]:
    part = RECORD.split(f"\n## {title}")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if re.match(r"\| [\d,]+ \|", line)]
    return [[cell.strip().replace(",", "") for cell in line.strip("| ").split("|")] for line in lines]


def _fleets() -> list[tuple[int, int, float]]:
    """Return hubs, steps and seconds of the search of the record's fleets, by the heads of its columns."""
    head = next(line for line in RECORD.split("\n## Fleets")[1].splitlines() if line.startswith("| hubs"))
    names = [name.strip() for name in head.strip("| ").split("|")]
    places = [names.index(name) for name in ("hubs", "steps", "search, s")]
    rows = [[row[place] for place in places] for row in _cells("Fleets")]
    return [(int(hubs), int(steps), float(search)) for hubs, steps, search in rows]


def test_what_is_said_to_be_measured_is_what_the_benchmark_wrote() -> None:
    assert f"Measured {hubs_growth.MEASURED_ON}" in RECORD
    assert hubs_growth.MACHINE in RECORD
    told = [(each.hubs, each.steps, each.search_s) for each in hubs_growth.MEASURED]
    assert told == _fleets()
    for row, each in zip(_cells("Exact prices"), hubs_growth.MEASURED_EXACT, strict=True):
        assert int(row[0]) == each.hubs
        assert int(row[1].split()[0]) == each.steps
        if each.exact:
            assert "no prices were found in 60 s" in row[3]
        else:
            assert (int(row[2]), float(row[5]), float(row[6])) == (each.decisions, each.gap, each.exact_s)


def test_linear_is_told_by_what_a_step_takes() -> None:
    """Ten times the hubs in ten times the time is linear; in eleven times it is not."""
    one, ten, slow = (Grown(hubs, 40, s, "2026-01-01") for hubs, s in ((3, 4.0), (30, 40.0), (300, 440.0)))
    rows = hubs_growth.quick_rows([("a", one), ("b", ten), ("c", slow)])[1]
    assert [row["grows"] for row in rows[:3]] == [
        "", "10 × the hubs, 10 × the time: at most linear", "10 × the hubs, 11 × the time: more than linear",
    ]  # fmt: skip
    assert [row["each"] for row in rows[:3]] == pytest.approx([1e3 / 30, 1e3 / 30, 11e3 / 300])
    assert rows[3]["grows"] == ""
    hasty = hubs_growth.quick_rows([("a", ten), ("b", Grown(300, 7, 14.0, "2026-01-01"))])[1]
    assert hasty[1]["grows"] == "10 × the hubs, 2.0 × the time: too few steps to tell"


def test_what_was_measured_is_judged_by_the_record_s_own_seconds() -> None:
    """A step's time of each size against that of the size before, by the cells of the record."""
    cells = [(hubs, search / steps) for hubs, steps, search in _fleets()]
    rows = hubs_growth.quick_rows([])[1]
    assert [row["hubs"] for row in rows] == [hubs for hubs, _ in cells] == [30, 300, 3000]
    assert rows[0]["grows"] == ""
    for (fewer, short), (more, long), row in zip(cells[:-1], cells[1:], rows[1:], strict=True):
        verdict = "at most linear" if long / short <= more / fewer else "more than linear"
        assert row["grows"].endswith(verdict)
        assert row["grows"].startswith(f"{more / fewer:.0f} × the hubs")
        assert long / short <= more / fewer, "the demand: time grows at most linearly"


def test_a_run_is_told_alike_from_memory_and_from_its_file(tmp_path: Path) -> None:
    run = example()
    path = tmp_path / "run.npz"
    path.write_bytes(run.save())
    assert Grown.read(path) == Grown.of(run)
    assert Grown.of(run).steps == len(run.steps)
    assert Grown.of(run).search_s > 0.0
    assert Grown.of(run).gap == run.facts["exact"]["gap"]


def test_own_runs_stand_beside_what_was_measured_each_once() -> None:
    run = example()
    other = Grown(300, 10, 50.0, "2026-01-02", NOT_ASKED)
    told = json.loads(written(hubs_checks.content(run, At(), [Grown.of(run), other])).replace("data-static", "html"))
    text = json.dumps(told, ensure_ascii=False)
    assert text.count(f">{hubs_growth.THIS}<") == 2  # of quick prices, and of exact ones, which the example asked for
    assert text.count(f">{hubs_growth.HERE}<") == 1  # exact prices were not asked for
    for each in (*hubs_growth.TRIES, *hubs_growth.EXACT_TRIES):
        assert each.question.checked()


def test_the_links_ask_what_is_counted() -> None:
    text = json.dumps(json.loads(written(hubs_growth.growth(example(), ()))))
    links = re.findall(r"/hubs\?ask=([^&\"]+)&tab=checks", text)
    asked = [read_question({"ask": unquote(link)}) for link in links]
    assert asked == [each.question for each in (*hubs_growth.TRIES, *hubs_growth.EXACT_TRIES)]
