"""The job of a study of hubs: what it keeps while it runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.compute import HERE
from engine.errors import UncertaintyDataError
from engine.pricing.files import to_json
from engine.pricing.jobs import read_searched, searched_key, study_arguments, study_job, study_key
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun
from engine.pricing.searched import Searched
from engine.store.artifacts import Artifacts
from tests.engine.pricing.small import two_hubs

QUESTION = HubQuestion(dataset="hand", ladder=False, quick_time_s=20.0)


class Context:
    """What the job is given; at each report of progress it reads how far the searches are, as the page does."""

    workers = HERE

    def __init__(self, folder: Path) -> None:
        self.artifacts = Artifacts(folder)
        self.seen: list[Searched] = []

    def progress(self, _done: int, _total: int, _message: str = "") -> None:
        content = self.artifacts.read(searched_key(study_arguments(QUESTION)))
        assert content is not None
        self.seen.append(read_searched(content))

    def load_dataset(self, _digest: str) -> tuple[str, bytes]:
        return "hand.json", to_json(two_hubs())

    def load_network(self, digest: str) -> Any:
        raise KeyError(digest)


def test_what_the_page_reads_while_the_job_runs_is_of_this_run(tmp_path: Path) -> None:
    context = Context(tmp_path)
    former = Searched(7.0, {"none": (9.0, ())})  # of a run of the same question that was cancelled
    context.artifacts.save(searched_key(study_arguments(QUESTION)), json.dumps(former.to_json()).encode())
    study_job(json.loads(json.dumps(study_arguments(QUESTION))), context)
    assert context.seen[0] == Searched(0.0)
    path = context.artifacts.open(study_key(study_arguments(QUESTION)))
    assert path is not None
    run = HubRun.load(path)
    begun = [each for each in context.seen if each.starts]
    assert begun
    assert all(each.floor == run.floor for each in begun)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"floor": 1, "starts": [], "marks": [{}]}'])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(UncertaintyDataError):
        read_searched(content)
