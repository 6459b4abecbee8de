"""Files of a feeder's answer: CSV of a table, the manifest of the run, its arrays, and the lines that run it again."""

import json
from collections.abc import Sequence
from typing import Any

from components.day_export import code_of, csv_of
from components.feeder_question import plain_sentence
from components.feeder_totals import table_rows
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FORMAT, FeederRun

MANIFEST = "headroom-feeder-manifest-1"
KINDS = {"csv": "text/csv", "json": "application/json", "npz": "application/octet-stream", "py": "text/x-python"}

_IMPORTS = "from engine.distribution.question import FeederQuestion\nfrom engine.distribution.run import run_feeder"
_AGAIN = """    run = run_feeder(FeederQuestion.from_json(json.loads(QUESTION)), load)
    assert run.feeder.digest == "{digest}", "another feeder than the one of this answer"
    for case in run.cases:
        bill = case.bill_active.sum() + case.bill_reactive.sum()
        print("with SVG" if case.svg else "without SVG", f"bill {{bill:.2f}} $,",
              f"lowest voltage {{abs(case.phasors).min():.4f}} p.u.,",
              f"largest error of the linear voltages {{abs(case.error_pu).max():.6f}} p.u.")"""


def title_of(run: FeederRun) -> str:
    """Return the study's sentence."""
    return plain_sentence(run.question, run.feeder.name)


def stem(run: FeederRun) -> str:
    """Return the name of a file without its ending: the feeder and the question's hash."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in run.feeder.name.lower())
    name = "-".join(part for part in plain.split("-") if part)[:60] or "feeder"
    return f"{name}-{run.question.digest[:8]}"


def origin(run: FeederRun) -> dict[str, Any]:
    """Return where a number is from, flat: the same columns in each line of a CSV."""
    known = run.provenance
    return {
        "question": title_of(run),
        "feeder": run.feeder.name,
        "feeder_digest": run.feeder.digest,
        "question_digest": run.question.digest,
        "seed": run.question.seed,
        "solver": known["solver"],
        "ac": known["ac"],
        "computed": known["date"],
    }


def as_csv(run: FeederRun, rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV with their origin; text that a spreadsheet would take for a formula gets an apostrophe."""
    return csv_of(rows, origin(run))


def manifest(run: FeederRun) -> dict[str, Any]:
    """Return the run without its arrays: question, feeder, provenance, what each case found, key numbers."""
    return {
        "format": MANIFEST,
        "sentence": title_of(run),
        "question": run.question.to_json(),
        "feeder": {"name": run.feeder.name, "digest": run.feeder.digest, "origin": run.feeder.origin},
        "hours": list(run.labels),
        "provenance": dict(run.provenance),
        "cases": [{"svg": case.svg, "facts": dict(case.facts)} for case in run.cases],
        "numbers": table_rows(run),
        "arrays": {"file": f"{stem(run)}.npz", "format": FORMAT},
    }


def code(run: FeederRun, files: dict[str, str]) -> str:
    """Return the lines that run the study again; ``files`` are names by the digests that the question has."""
    return code_of(
        sentence=title_of(run), name=stem(run), imports=_IMPORTS, question=_short(run.question), files=files,
        again=_AGAIN.format(digest=run.feeder.digest),
    )  # fmt: skip


def _short(question: FeederQuestion) -> dict[str, Any]:
    """Return the fields that differ from the question that the page opens with, and always the feeder."""
    own, usual = question.to_json(), FeederQuestion().to_json()
    return {name: value for name, value in own.items() if name in {"feeder", "method"} or value != usual[name]}


def download(run: FeederRun, kind: str, files: dict[str, str]) -> tuple[str, str | bytes]:
    """Return name and content of a file: "json", "npz" or "py". Raises ValueError for any other kind."""
    if kind == "json":
        return f"{stem(run)}.json", json.dumps(manifest(run), ensure_ascii=False, indent=1, allow_nan=False)
    if kind == "npz":
        return f"{stem(run)}.npz", run.save()
    if kind == "py":
        return f"{stem(run)}.py", code(run, files)
    raise ValueError(f"there is no file of kind {kind!r}")
