"""The queue: what is asked once is computed once, whoever asks; progress, cancel, and jobs whose runner died."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import LimitError, NotFoundError
from engine.network.tables import NetworkTables
from engine.store import Artifacts, Store
from engine.store import jobs as jobs_module
from engine.store.jobs import Job, Jobs
from engine.store.kinds import JobKind
from engine.store.queue import FOREIGN_WAIT_S, MAX_ATTEMPTS, STALE_S, Claim, Queue, Report
from engine.store.schema import jobs as table
from engine.store.store import KEEP_JOBS_S

COUNT = JobKind("tests.engine.store.tasks:count")


@dataclass
class Bench:
    """Somebody's study, the queue as its user sees it, and as runners see it."""

    store: Store
    artifacts: Artifacts
    kinds: dict[str, JobKind]
    grid: NetworkTables
    study: str

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.store, self.artifacts, self.kinds)

    def runner(self, running_per_user: int = 9, artifacts: Artifacts | None = None) -> Queue:
        return Queue(self.store.database, artifacts or self.artifacts, self.kinds, running_per_user)

    def submit(self, user: str = "ann", study: str | None = None, **arguments: Any) -> Job:
        return self.jobs.submit(user, "test.count", arguments, study or self.study)

    def set(self, job: str, **values: Any) -> None:
        with self.store.database.writing() as connection:
            connection.execute(sa.update(table).where(table.c.id == job).values(**values))

    def see(self, job: Job | Claim) -> Job:
        return self.jobs.get("ann", job.id)

    def compute(self, queue: Queue, result: dict[str, Any]) -> Claim:
        claim = taken(queue)
        queue.finish(claim, result, 1.5)
        return claim


def taken(queue: Queue) -> Claim:
    claim = queue.claim()
    assert claim is not None
    return claim


@pytest.fixture
def bench(store: Store, artifacts: Artifacts, grid: NetworkTables) -> Bench:
    return Bench(store, artifacts, {"test.count": COUNT}, grid, store.studies.create("ann", "A", grid))


# Asking


def test_a_job_of_no_study_is_its_users_alone_and_shares_the_result(bench: Bench) -> None:
    own = bench.jobs.submit("ann", "test.count", {"to": 3}, None)
    assert own.study_id == ""
    with pytest.raises(NotFoundError):
        bench.jobs.get("ben", own.id)
    assert bench.jobs.list("ben") == []
    assert [job.id for job in bench.jobs.list("ann")] == [own.id]
    assert bench.jobs.list("ann", bench.study) == []
    assert bench.jobs.submit("ann", "test.count", {"to": 3}, None).id == own.id
    other = bench.jobs.submit("ben", "test.count", {"to": 3}, None)
    bench.compute(bench.runner(), {"counted": 3})
    assert bench.see(own).result == {"counted": 3}
    assert bench.runner().claim() is None  # the other one is answered with the same result
    assert bench.jobs.get("ben", other.id).result == {"counted": 3}
    with pytest.raises(NotFoundError):  # content of somebody's study is not to be had this way
        bench.jobs.submit("ann", "test.count", {"network": bench.grid.digest()}, None)


def test_the_same_question_again_is_the_same_job_until_it_has_ended_badly(bench: Bench) -> None:
    first = bench.submit(to=3)
    assert (first.state, first.fraction, first.eta_s) == ("queued", 0.0, None)
    assert bench.submit(to=3).id == first.id
    assert bench.submit(to=4).id != first.id
    queue = bench.runner()
    queue.fail(taken(queue).id, "line 1-2 is full")
    failed = bench.see(first)
    assert (failed.state, failed.error, failed.active) == ("failed", "line 1-2 is full", False)
    again = bench.submit(to=3)
    assert again.id != first.id
    bench.jobs.cancel("ann", again.id)
    assert bench.submit(to=3).id not in {first.id, again.id}


def test_a_result_is_given_at_once_to_whoever_asks_the_same(bench: Bench) -> None:
    bench.submit(to=3)
    claim = bench.compute(bench.runner(), {"counted": 3})
    done = bench.see(claim)
    assert (done.state, done.fraction, done.result, done.attempts) == ("done", 1.0, {"counted": 3}, 1)
    assert bench.submit(to=3).id == done.id
    theirs = bench.store.studies.create("bob", "B", bench.grid)
    found = bench.submit("bob", theirs, to=3)
    assert (found.state, found.result) == ("done", {"counted": 3})
    for user, study in (("ann", bench.study), ("bob", theirs)):
        answer = bench.store.results.get(user, study, "test.count", done.input_hash)
        assert answer is not None
        assert answer.content == {"counted": 3}
        assert (answer.provenance["computed_by"], answer.provenance["seconds"]) == ("test.count", 1.5)
    assert bench.runner().claim() is None


def test_a_reader_gets_the_result_and_the_owners_study_does_not_change(bench: Bench) -> None:
    bench.store.studies.accept_share("rita", bench.store.studies.share("ann", bench.study))
    job = bench.submit("rita", to=3)
    bench.compute(bench.runner(), {"counted": 3})
    assert bench.jobs.get("rita", job.id).result == {"counted": 3}
    assert bench.store.results.list("ann", bench.study) == []
    with pytest.raises(NotFoundError):
        bench.jobs.get("ann", job.id)


def test_questions_that_wait_are_answered_when_the_first_of_them_is(bench: Bench) -> None:
    theirs = bench.store.studies.create("bob", "B", bench.grid)
    bench.submit(to=3)
    waiting = bench.submit("bob", theirs, to=3)
    queue = bench.runner()
    claim = taken(queue)
    assert queue.claim() is None  # the same is under way
    queue.finish(claim, {"counted": 3}, 0.1)
    assert queue.claim() is None
    assert bench.jobs.get("bob", waiting.id).result == {"counted": 3}


def test_a_new_version_of_the_computation_computes_again(bench: Bench) -> None:
    first = bench.submit(to=3)
    bench.compute(bench.runner(), {"counted": 3})
    bench.kinds["test.count"] = JobKind(COUNT.function, version=2)
    second = bench.submit(to=3)
    assert (second.state, second.input_hash != first.input_hash) == ("queued", True)


def test_a_result_whose_file_was_evicted_is_computed_again(bench: Bench) -> None:
    bench.artifacts.save("margins", b"content")
    bench.submit(to=3)
    first = bench.compute(bench.runner(), {"artifacts": ["margins"]})
    assert bench.submit(to=3).id == first.id
    path = bench.artifacts.open("margins")
    assert path is not None
    path.unlink()
    again = bench.submit(to=3)
    assert (again.state, again.id != first.id) == ("queued", True)


def test_too_many_waiting_jobs_are_refused_and_cancelled_ones_do_not_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "MAX_QUEUED", 2)
    first = bench.submit(to=1)
    bench.submit(to=2)
    with pytest.raises(LimitError, match="2 computations waiting"):
        bench.submit(to=3)
    bench.jobs.cancel("ann", first.id)
    assert bench.submit(to=3).state == "queued"


# Taking turns


def test_runners_share_the_queue_and_no_job_is_taken_twice(bench: Bench) -> None:
    expected = {bench.submit(to=number).id for number in range(12)}
    claimed: list[str] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        queue = bench.runner(running_per_user=99)
        barrier.wait()
        while (claim := queue.claim()) is not None:
            claimed.append(claim.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(expected)


def test_who_has_fewest_running_is_next_and_nobody_has_more_than_his_share(bench: Bench) -> None:
    theirs = bench.store.studies.create("bob", "B", bench.grid)
    mine = [bench.submit(to=number).id for number in range(3)]
    other = bench.submit("bob", theirs, to=9).id
    queue = bench.runner(running_per_user=2)
    assert [taken(queue).id for _ in range(3)] == [mine[0], other, mine[1]]
    assert queue.claim() is None  # ann has two running already
    queue.fail(mine[0], "")
    assert taken(queue).id == mine[2]


def test_only_who_has_none_running_is_crowded_out_and_only_by_who_has_two(bench: Bench) -> None:
    theirs = bench.store.studies.create("bob", "B", bench.grid)
    mine = [bench.submit(to=number).id for number in range(3)]
    queue = bench.runner(running_per_user=2)
    other = bench.submit("bob", theirs, to=9).id
    assert queue.claim(crowded_out=True) is None  # nothing runs: the workers are for all
    bench.jobs.cancel("bob", other)
    assert [taken(queue).id for _ in range(2)] == mine[:2]
    assert queue.claim(crowded_out=True) is None  # ann's third crowds out nobody
    more = [bench.submit("bob", theirs, to=number).id for number in (10, 11)]
    claim = queue.claim(crowded_out=True)
    assert claim is not None
    assert claim.id == more[0]
    assert queue.claim(crowded_out=True) is None  # bob has one running now
    queue.fail(claim.id, "")
    queue.fail(mine[0], "")
    assert queue.claim(crowded_out=True) is None  # ann has one worker of two: the other is bob's to take


def test_the_job_of_a_deleted_study_is_not_begun_and_one_that_runs_is_told_to_stop(bench: Bench) -> None:
    running = bench.submit(to=1)
    queue = bench.runner()
    taken(queue)
    bench.submit(to=2)
    bench.store.studies.delete("ann", bench.study)
    assert queue.claim() is None
    assert queue.beat({running.id: None}) == ({running.id}, set())
    bench.store.studies.restore("ann", bench.study)
    assert queue.claim() is None  # what was cancelled does not begin again by itself


# Progress and cancel


def test_progress_is_written_and_the_time_left_follows_from_its_pace(bench: Bench) -> None:
    job = bench.submit(to=3)
    queue = bench.runner()
    taken(queue)
    assert bench.see(job).eta_s is None
    queue.beat({job.id: Report(9, 100, "hour 9")})
    assert bench.see(job).eta_s is None  # less than a tenth: what a job does once, at its start, is no pace
    assert queue.beat({job.id: Report(25, 100, "hour 25\x00")}) == (set(), set())
    bench.set(job.id, started=table.c.progressed - 20.0)
    seen = bench.see(job)
    assert (seen.state, seen.done, seen.total, seen.message, seen.fraction) == ("running", 25, 100, "hour 25 ", 0.25)
    assert seen.eta_s == pytest.approx(60.0, abs=15.0)  # 20 s for a quarter leave 60; less what has passed since
    bench.set(job.id, attempts=2)
    assert bench.see(job).eta_s is None  # what stood from another runner was not done in this time
    queue.beat({job.id: Report(2**40, -1, "x" * 9_999)})
    assert (bench.see(job).done, bench.see(job).total) == (2**31 - 1, 0)
    assert len(bench.see(job).message) == 500


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_told(bench: Bench) -> None:
    queue = bench.runner()
    running = bench.submit(to=1)
    taken(queue)
    waiting = bench.submit(to=2)
    assert bench.jobs.cancel("ann", waiting.id).state == "cancelled"
    assert bench.jobs.cancel("ann", running.id).cancel_requested
    assert queue.beat({running.id: None}) == ({running.id}, set())
    queue.cancelled(running.id)
    done = bench.see(running)
    assert (done.state, done.active) == ("cancelled", False)
    assert bench.jobs.cancel("ann", running.id).finished == done.finished  # once ended, it stays so
    with pytest.raises(NotFoundError):
        bench.jobs.cancel("bob", running.id)


def test_the_list_is_newest_first_and_can_leave_out_what_has_ended(bench: Bench) -> None:
    ended, waiting = bench.submit(to=1), bench.submit(to=2)
    bench.jobs.cancel("ann", ended.id)
    other = bench.store.studies.create("ann", "B", bench.grid)
    assert [job.id for job in bench.jobs.list("ann", bench.study)] == [waiting.id, ended.id]
    assert [job.id for job in bench.jobs.list("ann", active_only=True)] == [waiting.id]
    assert bench.jobs.list("ann", other) == []


# Runners that die


def test_the_jobs_of_a_silent_runner_are_taken_over(bench: Bench) -> None:
    job = bench.submit(to=1)
    dead, alive = bench.runner(), bench.runner()
    claim = taken(dead)
    dead.beat({job.id: Report(5, 10, "half")})
    assert alive.recover() == 0  # it gave a sign of life just now
    bench.set(job.id, heartbeat=table.c.heartbeat - STALE_S - 1)
    assert alive.recover() == 1
    waiting = bench.see(job)
    assert (waiting.state, waiting.message, waiting.done) == ("queued", "started again", 0)
    assert taken(alive).id == job.id
    # The one given up for dead was only slow: it hears that it lost the job, and can write nothing any more.
    assert dead.beat({job.id: Report(9, 10, "late")}) == (set(), {job.id})
    for late in (
        lambda: dead.finish(claim, {"counted": -1}, 1.0),
        lambda: dead.fail(job.id, "late"),
        lambda: dead.cancelled(job.id),
        lambda: dead.release(job.id),
        lambda: dead.crashed(job.id, "late"),
    ):
        late()
        assert (bench.see(job).state, bench.see(job).result, bench.see(job).error) == ("running", None, "")
    alive.finish(claim, {"counted": 1}, 1.0)
    assert (bench.see(job).result, bench.see(job).attempts) == ({"counted": 1}, 2)


def test_a_cancel_survives_the_death_of_the_runner(bench: Bench) -> None:
    job = bench.submit(to=1)
    taken(bench.runner())
    bench.jobs.cancel("ann", job.id)
    bench.set(job.id, heartbeat=table.c.heartbeat - STALE_S - 1)
    assert bench.runner().recover() == 1
    assert bench.see(job).state == "cancelled"


def test_a_job_whose_process_dies_each_time_ends_with_the_reason(bench: Bench) -> None:
    job = bench.submit(to=1)
    queue = bench.runner()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert bench.see(job).state == "queued"
        assert taken(queue).id == job.id
        assert bench.see(job).attempts == attempt
        queue.crashed(job.id, "the process was stopped by signal SIGKILL")
    ended = bench.see(job)
    assert ended.state == "failed"
    assert ended.error.startswith("the process was stopped by signal SIGKILL, at each of 3 attempts")


def test_a_job_that_is_given_back_loses_no_attempt(bench: Bench) -> None:
    job = bench.submit(to=1)
    queue = bench.runner()
    for _ in range(MAX_ATTEMPTS + 1):
        queue.release(taken(queue).id)
    assert (bench.see(job).state, bench.see(job).attempts) == ("queued", 0)


def test_a_runner_of_this_host_whose_process_is_gone_is_found_at_once(bench: Bench) -> None:
    job = bench.submit(to=1)
    queue = bench.runner()
    taken(queue)
    assert queue.recover() == 0
    host = queue.runner.rsplit(":", 2)[0]
    nobody = 2**22 + 1  # above the largest process id there can be
    bench.set(job.id, runner=f"elsewhere:{nobody}:0")
    assert queue.recover() == 0
    bench.set(job.id, runner=f"{host}:{nobody}:0")
    assert queue.recover() == 1
    assert bench.see(job).state == "queued"


def test_a_job_waits_for_the_runner_that_shares_its_askers_files(bench: Bench, tmp_path: Any) -> None:
    if bench.store.database.is_sqlite:  # one host, one cache: any runner is near
        bench.submit(to=1)
        assert bench.runner(artifacts=Artifacts(tmp_path / "other")).claim() is not None
        return
    job = bench.submit(to=1)
    far = bench.runner(artifacts=Artifacts(tmp_path / "other"))
    assert far.claim() is None
    bench.set(job.id, created=table.c.created - FOREIGN_WAIT_S - 1)
    assert taken(far).id == job.id


def test_a_finished_job_is_forgotten_after_a_month_and_its_answer_is_not(bench: Bench) -> None:
    bench.submit(to=1)
    claim = bench.compute(bench.runner(), {"counted": 1})
    bench.set(claim.id, finished=table.c.finished - KEEP_JOBS_S - 1)
    bench.store.purge()
    with pytest.raises(NotFoundError):
        bench.see(claim)
    assert bench.store.results.get("ann", bench.study, claim.kind, claim.input_hash) is not None


def test_only_kinds_that_this_runner_knows_are_taken(bench: Bench) -> None:
    bench.submit(to=1)
    later: Callable[[], Queue] = lambda: Queue(bench.store.database, bench.artifacts, {"test.other": COUNT}, 9)  # noqa: E731
    assert later().claim() is None
    assert bench.runner().claim() is not None
