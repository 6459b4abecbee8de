"""Files of an answer about modules: CSV of a table, the manifest of the run, its arrays, its shocks, Python lines."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from components.day_export import code_of, csv_of
from components.resilience_cards import METRICS, metrics_of
from components.resilience_question import plain_sentence
from components.resilience_totals import table_rows
from components.resilience_words import METHODS, SETS, At
from engine.resilience.question import FEEDERS, ResilienceQuestion
from engine.resilience.shock_files import to_csv

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

MANIFEST = "headroom-resilience-manifest-1"
KINDS = {
    "csv": "text/csv", "json": "application/json", "npz": "application/octet-stream", "shocks": "text/csv",
    "py": "text/x-python",
}  # fmt: skip

_IMPORTS = "from engine.resilience.question import ResilienceQuestion\nfrom engine.resilience.run import run_resilience"
_AGAIN = """    run = run_resilience(ResilienceQuestion.from_json(json.loads(QUESTION)), load)
    assert run.case.digest == "{digest}", "another case than the one of this answer"
    for each in run.planned:
        print(each.method, f"{{int(each.plan.sum())}} modules, objective {{each.objective:.0f}} $ a year,",
              f"bound {{each.bound:.0f}} $ a year")"""


def title_of(run: "ResilienceRun") -> str:
    """Return the study's sentence."""
    return plain_sentence(run.question)


def stem(run: "ResilienceRun") -> str:
    """Return the name of a file without its ending: the number of shocks and the question's hash."""
    return f"resilience-{len(run.case.scenarios)}-{run.question.digest[:8]}"


def origin(run: "ResilienceRun") -> dict[str, Any]:
    """Return where a number is from, flat: the same columns in each line of a CSV."""
    known = run.provenance
    return {
        "question": title_of(run),
        "case_digest": known["case_digest"],
        "question_digest": known["question_digest"],
        "seed": run.question.seed,
        "solver": known["solver"],
        "computed": known["date"],
    }


def as_csv(run: "ResilienceRun", rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV with their origin; text that a spreadsheet would take for a formula gets an apostrophe."""
    return csv_of(rows, origin(run))


def manifest(run: "ResilienceRun") -> dict[str, Any]:
    """Return the run without its arrays: question, provenance, what proves it, every plan with its metrics."""
    case = run.case
    return {
        "format": MANIFEST,
        "sentence": title_of(run),
        "question": run.question.to_json(),
        "provenance": dict(run.provenance),
        "facts": dict(run.facts),
        "numbers": list(table_rows(run, At())),
        "plans": [
            {
                "method": each.method, "words": METHODS[each.method], "objective": each.objective,
                "own_objective": each.own_objective, "bound": each.bound if math.isfinite(each.bound) else None,
                "status": None if each.status is None else each.status.value, "time_s": each.time_s,
                "modules": [
                    {"type": kind.name, "bus": site, "count": int(each.plan[at * len(case.sites) + place])}
                    for at, kind in enumerate(case.types) for place, site in enumerate(case.sites)
                    if each.plan[at * len(case.sites) + place]
                ],
                "metrics": {
                    shocks: {name: float(getattr(told, name)) for name in METRICS}
                    for shocks in SETS if (told := metrics_of(run, each.method, shocks)) is not None
                },
            }
            for each in run.planned
        ],
        "radii": [asdict(each) for each in run.radii],
        "arrays": {"file": f"{stem(run)}.npz"},
    }  # fmt: skip


def code(run: "ResilienceRun", files: dict[str, str]) -> str:
    """Return the lines that run the study again; ``files`` are names by the digests that the question has."""
    asked = run.question
    own, usual = asked.to_json(), ResilienceQuestion().to_json()
    short = {name: value for name, value in own.items() if name == "feeder" or value != usual[name]}
    held = dict(files)
    if asked.shocks_file:
        held.setdefault(asked.shocks_file, "shocks.csv")
    if asked.traces_file:
        held.setdefault(asked.traces_file, "traces.csv")
    if asked.feeder not in FEEDERS:
        held.setdefault(asked.feeder, "feeder.json")
    return code_of(
        sentence=title_of(run), name=stem(run), imports=_IMPORTS, question=short, files=held,
        again=_AGAIN.format(digest=run.provenance["case_digest"]),
    )  # fmt: skip


def download(run: "ResilienceRun", kind: str, files: dict[str, str]) -> tuple[str, str | bytes]:
    """Return name and content of a file: "json", "npz", "shocks" or "py". Raises ValueError for any other kind."""
    if kind == "json":
        return f"{stem(run)}.json", json.dumps(manifest(run), ensure_ascii=False, indent=1, allow_nan=False)
    if kind == "npz":
        return f"{stem(run)}.npz", run.save()
    if kind == "shocks":
        return f"{stem(run)}-shocks.csv", to_csv(run.case.scenarios, run.case.campuses, run.case.links)
    if kind == "py":
        return f"{stem(run)}.py", code(run, files)
    raise ValueError(f"there is no file of kind {kind!r}")
