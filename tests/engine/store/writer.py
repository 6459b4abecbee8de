"""A process that writes as fast as it can and says so after each write; the crash test kills it."""

import os
import sys
from dataclasses import replace

from engine.store import Store
from engine.store.answers import Answer
from engine.store.codec import sha256
from tests.engine.store.conftest import triangle


def main(url: str, study: str, first: int) -> None:
    """Write step after step: a network, a question, a data set, an answer, a product set, a study; note each."""
    store = Store(url)
    revision = store.studies.network_status("ann", study).revision
    for step in range(first, first + 100_000):
        status = store.studies.save_network(
            "ann", study, replace(triangle(), name=f"n{step}"), revision, f"step {step}"
        )
        revision = status.revision
        note(f"network {step} {revision}")
        store.studies.save_question("ann", study, "capacity", {"step": step})
        note(f"question {step} 0")
        if step % 20 == 0:  # the study has room for a hundred
            dataset = store.studies.add_dataset("ann", study, f"d{step}", "scenarios", f"content {step}".encode())
            note(f"dataset {step} {dataset.id}")
            store.results.put("ann", study, Answer("test", sha256(str(step)), {"step": step}, {}))
            note(f"answer {step} 0")
            note(f"products {step} {store.products.publish('ann', study, {'step': step}, {'ok': step})}")
            note(f"study {step} {store.studies.create('ann', f's{step}', triangle())}")


def note(text: str) -> None:
    """Acknowledge a write: the reader at the other end of the pipe sees it even if we die at once."""
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
