"""Kill parts of the running product, as a power cut or the system's memory guard would, and see what is lost.

Readers write through the server the whole time and note each answer that acknowledges a write; a real job is under
way at each kill. :func:`campaign` returns what happened and raises AssertionError on anything lost.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import psutil

from app import ARTEFACTS
from engine.capacity.jobs import PREPARE, load_states, prepare_arguments, states_key
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.network import library
from engine.network.model import Matrix
from engine.store import Artifacts, Store
from engine.store.jobs import Job, Jobs
from engine.store.schema import members
from tests.browser.browsing import Server, end, start
from tests.forging import forged_body
from tests.waiting import wait_for

PARTS = ("web worker", "web server", "job worker", "job runner", "everything")
HOURS = 200  # of Texas, dispatched one after the other: seconds of work after the first sign of it
_PAUSE_S = 0.1  # between two writes of a reader, whom the server would tell to wait otherwise
_OWNER = "owner-of-the-jobs"


@dataclass(slots=True)
class Killed:
    """One kill: what, how many writes were acknowledged since the last one, and how long nobody was served."""

    part: str
    acknowledged: int
    unanswered_s: float  # the longest time between two acknowledged writes, until the job has ended
    job: str  # how the job that was under way ended
    attempts: int


class Reader:
    """A reader of the product without a browser: it remembers its cookie, and what each answer acknowledged."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.studies: dict[str, str] = {}  # id -> name, as acknowledged
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.open(address, timeout=60).close()
        with self._opener.open(f"{address}/_dash-dependencies", timeout=60) as answer:
            listed = json.load(answer)
        self._output = next(
            one["output"] for one in listed if [part["id"] for part in one["inputs"]] == ["shell-study-dialog-ok"]
        )

    def name(self, name: str, study: str | None = None) -> None:
        """Make a study of that name, or give it to ``study``. Raises OSError when no answer came."""
        states = {
            "shell-study-dialog-name.value": name,
            "shell-study-dialog-mode.data": "new" if study is None else "rename",
            "shell-study.data": study,
        }
        body = forged_body(self._output, {"shell-study-dialog-ok.n_clicks": 1}, states)
        request = urllib.request.Request(  # noqa: S310 (always http)
            f"{self.address}/_dash-update-component", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=60) as answer:
            told = json.load(answer)["response"]
        if study is None:
            (study,) = parse_qs(urlsplit(told["shell-location"]["href"]).query)["study"]
        self.studies[study] = name


@dataclass(slots=True)
class Writers:
    """Readers who write without a pause, each in a thread, until told to stop."""

    readers: list[Reader]
    acknowledged: int = 0
    last: float = 0.0  # moment of the last acknowledgement
    longest_s: float = 0.0  # between two of them
    stop: threading.Event = field(default_factory=threading.Event)
    faults: Counter[int] = field(default_factory=Counter)  # answers with a status of 500 or more

    def work(self, reader: Reader) -> None:
        turn = 0
        while not self.stop.is_set():
            turn += 1
            known = list(reader.studies)
            study = known[turn % len(known)] if len(known) >= 20 else None
            try:
                reader.name(f"Study {turn}", study)
            except urllib.error.HTTPError as error:
                self.faults[error.code] += 1
            except (OSError, HTTPException):  # nobody answers just now, or not to the end
                pass
            else:
                now = time.monotonic()
                self.acknowledged += 1
                self.longest_s = max(self.longest_s, now - self.last)
                self.last = now
            self.stop.wait(_PAUSE_S)


@contextmanager
def writing(readers: list[Reader]) -> Iterator[Writers]:
    """Let ``readers`` write in the background."""
    writers = Writers(readers)
    threads = [threading.Thread(target=writers.work, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.stop.set()
        for thread in threads:
            thread.join()


def campaign(home: Path, database_url: str, parts: tuple[str, ...], seed: int) -> list[Killed]:
    """Run the product in ``home``, kill ``parts`` one after the other, and return what happened."""
    dice = np.random.default_rng(seed)
    settings = {"DATABASE_URL": database_url, "WEB_WORKERS": "2", "JOB_WORKERS": "1"}
    server = start(home, **settings)
    settings["PORT"] = str(urlsplit(server.address).port)
    store, artifacts = Store(database_url), Artifacts(home / ARTEFACTS)
    jobs, grid = Jobs(store, artifacts), library.load("texas-2016")
    study = store.studies.create(_OWNER, "Texas", grid)
    happened: list[Killed] = []
    asked: list[tuple[dict[str, Any], Job]] = []
    try:
        with writing([Reader(server.address) for _ in range(2)]) as writers:
            for turn, part in enumerate(parts):
                before = writers.acknowledged
                enough = before + int(dice.integers(1, 10))
                wait_for(lambda enough=enough: writers.acknowledged >= enough)
                arguments = question(grid.digest(), seed * 1000 + turn)
                job = jobs.submit(_OWNER, PREPARE, arguments, study)
                wait_for(lambda job=job: jobs.get(_OWNER, job.id).done > 0)
                cancelled = part == "job runner" and turn % 2 == 1
                if cancelled:
                    jobs.cancel(_OWNER, job.id)
                writers.longest_s = 0.0
                gone = children(server)["web"].pid if part == "web server" else None
                server = kill(part, server, lambda: start(home, **settings))
                wait_for(lambda server=server, gone=gone: children(server)["web"].pid != gone)
                moment = time.monotonic()
                wait_for(lambda moment=moment: writers.last > moment)
                wait_for(lambda job=job: not jobs.get(_OWNER, job.id).active)
                ended = jobs.get(_OWNER, job.id)
                assert ended.state == ("cancelled" if cancelled else "done"), f"after the kill of {part}: {ended}"
                happened.append(
                    Killed(part, writers.acknowledged - before, writers.longest_s, ended.state, ended.attempts)
                )
                if ended.state == "done":
                    asked.append((arguments, ended))
                check_names(store, writers.readers)
            assert not writers.faults, f"answers with a fault: {dict(writers.faults)}"
        check_names(store, writers.readers)
        check_answers(store, jobs, artifacts, asked)
    finally:
        store.close()
        end(server.process)
    return happened


def question(network: str, seed: int) -> dict[str, Any]:
    """Return the arguments of a real job: margins of Texas from some hours of the year."""
    spec = UncertaintySpec("hourly", {"hours": HOURS}, seed)
    asked = CapacityQuestion(candidates=(), demand_mw=(), supply="headroom", uncertainty=spec)
    return prepare_arguments(network, asked)


def children(server: Server) -> dict[str, psutil.Process]:
    """Return the web server and the job runner, by name, once both are there."""
    found: dict[str, psutil.Process] = {}

    def look() -> bool:
        found.clear()
        for child in psutil.Process(server.process.pid).children():
            with suppress(psutil.Error, IndexError):  # it ends just now
                found[child.cmdline()[-1]] = child
        return {"web", "runner"} <= found.keys()

    wait_for(look)
    return found


def kill(part: str, server: Server, restart: Callable[[], Server]) -> Server:
    """Kill one part of the product with SIGKILL; return the product that then runs."""
    supervisor, found = psutil.Process(server.process.pid), children(server)
    web, runner = found["web"], found["runner"]
    if part == "everything":
        family = [supervisor, *supervisor.children(recursive=True)]
        for process in family:
            process.suspend()  # nobody gets to say goodbye
        for process in family:
            process.kill()
        server.process.wait()
        psutil.wait_procs(family, timeout=20)
        return restart()
    workers = [child for child in runner.children() if "spawn_main" in " ".join(child.cmdline())]
    victims = {"web worker": web.children(), "web server": [web], "job worker": workers, "job runner": [runner]}
    victims[part][0].kill()
    return server


def check_names(store: Store, readers: list[Reader]) -> None:
    """See that every study that was acknowledged is there under its last acknowledged name, or a later one."""
    for reader in readers:
        noted = dict(reader.studies)
        user = user_of(store, next(iter(noted)))
        found = {study.id: study.name for study in store.studies.list(user)}
        for study, name in noted.items():
            assert study in found, f"study {study} is lost"
            assert int(found[study].split()[1]) >= int(name.split()[1]), f"the name {name} of {study} is lost"


def user_of(store: Store, study: str) -> str:
    """Return the owner of a study, whom only the server's signed cookie names otherwise."""
    with store.database.reading() as connection:
        query = members.select().where(members.c.study_id == study, members.c.role == "owner")
        return str(connection.execute(query).one().user_id)


def check_answers(store: Store, jobs: Jobs, artifacts: Artifacts, asked: list[tuple[dict[str, Any], Job]]) -> None:
    """See that each finished job is found by its inputs, by others too; that the first one, computed once more
    without a kill, gives the same numbers.
    """
    theirs = store.studies.create("somebody else", "Texas too", library.load("texas-2016"))
    for arguments, job in asked:
        again = jobs.submit("somebody else", PREPARE, arguments, theirs)
        assert (again.state, again.result) == ("done", job.result), f"job {job.id} is not found by its inputs"
    arguments, first = asked[0]
    found = net_demand(artifacts, arguments)
    for key in (first.result or {})["artifacts"]:
        (artifacts.directory / key).unlink()
    undisturbed = jobs.submit("somebody else", PREPARE, arguments, theirs)
    wait_for(lambda: jobs.get("somebody else", undisturbed.id).state == "done")
    np.testing.assert_array_equal(found, net_demand(artifacts, arguments))


def net_demand(artifacts: Artifacts, arguments: dict[str, Any]) -> Matrix:
    """Return the states that a job has kept."""
    kept = artifacts.read(states_key(arguments))
    assert kept is not None
    sample = load_states(kept).sample
    assert sample is not None
    return sample.net_demand_mw
