"""Files of an answer about a day: rows as CSV with their origin, and the lines of Python that run it again."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.tables import safe_cell

_CODE = '''"""{sentence}

Runs the study again with Headroom's engine: python {name}.py
"""

import json
from pathlib import Path

{imports}

QUESTION = """
{question}
"""
FILES = {files}  # digest: a file beside this one


def load(digest: str) -> tuple[str, bytes]:
    """Return the name and the content of a file that the question names."""
    name = FILES[digest]
    return name, Path(name).read_bytes()


if __name__ == "__main__":
{again}
    Path("{name}.npz").write_bytes(run.save())
'''


def csv_of(rows: Sequence[Mapping[str, Any]], origin: Mapping[str, Any]) -> str:
    """Return rows as CSV with their origin; text that a spreadsheet would take for a formula gets an apostrophe."""
    told = [{**row, **origin} for row in rows] or [dict(origin)]
    names = list(dict.fromkeys(key for row in told for key in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in names])
    writer.writerows([[safe_cell(row.get(name)) for name in names] for row in told])
    return text.getvalue()


def code_of(
    *, sentence: str, name: str, imports: str, question: Mapping[str, Any], files: Mapping[str, str], again: str
) -> str:
    """Return a script that asks ``question`` again; ``files`` are names by digests, ``again`` the lines that run it.

    ``again`` is indented once and ends with the run in ``run``.
    """
    asked = json.dumps(question, indent=1).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    told = sentence.replace("\\", "\\\\").replace('"""', "'''")
    return _CODE.format(
        sentence=told, name=name, imports=imports, question=asked, files=json.dumps(files), again=again
    )  # fmt: skip
