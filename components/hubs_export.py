"""Files of an answer about hubs: CSV of a table, the manifest of the run, its arrays, its case, and Python lines."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.day_export import code_of, csv_of
from components.hubs_question import plain_sentence
from components.hubs_totals import table_rows
from components.hubs_words import OUTCOMES, At, said
from engine.pricing.files import to_json
from engine.pricing.question import HubQuestion

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

MANIFEST = "headroom-hubs-manifest-1"
KINDS = {
    "csv": "text/csv", "json": "application/json", "npz": "application/octet-stream", "case": "application/json",
    "py": "text/x-python",
}  # fmt: skip

_IMPORTS = "from engine.pricing.question import HubQuestion\nfrom engine.pricing.run import run_hubs"
_AGAIN = """    run = run_hubs(HubQuestion.from_json(json.loads(QUESTION)), load)
    assert run.case.digest == "{digest}", "another case than the one of this answer"
    for each in run.outcomes:
        print(each.prices, each.hubs, f"{{each.overloads.mwh(run.case):.3f}} MWh beyond limits,",
              f"objective {{each.objective:.2f}} $, bound {{each.bound:.2f}} $,",
              f"hubs spend {{each.hub_cost.sum():.2f}} $")"""


def title_of(run: "HubRun") -> str:
    """Return the study's sentence."""
    return plain_sentence(run.question, "the hubs of a file")


def stem(run: "HubRun") -> str:
    """Return the name of a file without its ending: the number of hubs and the question's hash."""
    return f"hubs-{len(run.case.hubs)}-{run.question.digest[:8]}"


def origin(run: "HubRun") -> dict[str, Any]:
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


def as_csv(run: "HubRun", rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV with their origin; text that a spreadsheet would take for a formula gets an apostrophe."""
    return csv_of(rows, origin(run))


def manifest(run: "HubRun") -> dict[str, Any]:
    """Return the run without its arrays: question, provenance, what proves it, key numbers of every outcome."""
    return {
        "format": MANIFEST,
        "sentence": title_of(run),
        "question": run.question.to_json(),
        "provenance": dict(run.provenance),
        "facts": dict(run.facts),
        "numbers": [row for key, spot in OUTCOMES.items() if run.of(*spot) for row in table_rows(run, At(outcome=key))],
        "outcomes": [
            {
                "outcome": said(each), "mwh": each.overloads.mwh(run.case), "objective": each.objective,
                "bound": each.bound, "hub_cost": each.hub_cost.tolist(), "paid": each.paid.tolist(),
                "price": each.price.tolist(), "status": each.status.value, "time_s": each.time_s,
            }
            for each in run.outcomes
        ],
        "arrays": {"file": f"{stem(run)}.npz"},
    }  # fmt: skip


def code(run: "HubRun", files: dict[str, str]) -> str:
    """Return the lines that run the study again; ``files`` are names by the digests that the question has."""
    own, usual = run.question.to_json(), HubQuestion().to_json()
    short = {name: value for name, value in own.items() if name == "case" or value != usual[name]}
    held = files or ({run.question.dataset: "case.json"} if run.question.dataset else {})
    return code_of(
        sentence=title_of(run), name=stem(run), imports=_IMPORTS, question=short, files=held,
        again=_AGAIN.format(digest=run.provenance["case_digest"]),
    )  # fmt: skip


def download(run: "HubRun", kind: str, files: dict[str, str]) -> tuple[str, str | bytes]:
    """Return name and content of a file: "json", "npz", "case" or "py". Raises ValueError for any other kind."""
    if kind == "json":
        return f"{stem(run)}.json", json.dumps(manifest(run), ensure_ascii=False, indent=1, allow_nan=False)
    if kind == "npz":
        return f"{stem(run)}.npz", run.save()
    if kind == "case":
        return f"{stem(run)}-case.json", to_json(run.case)
    if kind == "py":
        return f"{stem(run)}.py", code(run, files)
    raise ValueError(f"there is no file of kind {kind!r}")
