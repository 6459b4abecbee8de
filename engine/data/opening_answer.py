"""The answer to the question that a page opens with: kept while it is of the case that the question has now."""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.data.answer_files import HERE, Context, kept, origin, write


@dataclass(frozen=True, slots=True)
class OpeningAnswer:
    """What makes the answer of one page."""

    kind: str  # of the job
    asked: dict[str, Any]  # its arguments
    job: Callable[[dict[str, Any], Context], dict[str, Any]]
    of_now: Callable[[Path, Context], bool]  # whether the answer in a file is of the case that the question has now

    def build(self, folder: str, *, again: bool = False) -> list[list[Path]]:
        """Write the answer, delete every other of its kind, and return its files, the manifest first.

        One to the very same inputs is kept as long as it is of the case of now; ``again`` computes it whatever there
        is. What is computed on the way lies in ``folder``.
        """
        context = Context(folder)
        arguments: dict[str, Any] = json.loads(json.dumps(self.asked))
        known = [] if again else kept(self.kind, arguments, context)
        path = context.artifacts.open(known[1].name.removesuffix(".xz")) if known else None
        if path is None or not self.of_now(path, context):
            result = self.job(arguments, context)
            known = write(self.kind, arguments, result | {"origin": origin(result)}, context)
        self._only(known)
        return [known]

    def command(self) -> None:
        """Build it in the folder of the command line, or in one that is gone at the end, and tell its manifest."""
        parser = argparse.ArgumentParser()
        parser.add_argument("folder", nargs="?", metavar="FOLDER")
        parser.add_argument("--again", action="store_true", help="compute it whatever there is")
        options = parser.parse_args()
        with tempfile.TemporaryDirectory() as own:
            print(*(files[0] for files in self.build(options.folder or own, again=options.again)), sep="\n")  # noqa: T201

    def _only(self, made: list[Path]) -> None:
        for path in HERE.glob("*.json"):
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["kind"] == self.kind and path not in made:
                for key in told["files"]:
                    (HERE / f"{key}.xz").unlink(missing_ok=True)
                path.unlink()
