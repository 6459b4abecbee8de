"""What a web worker does with the lines of a flood: run here step by step, with a clock of its own."""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers import gthread

from callbacks import web_doors, web_worker
from callbacks.auction_access import ACTS_BURST, Gate
from callbacks.security import TrustedProxy
from callbacks.web_doors import LINES, WAIT_S, Doors
from callbacks.web_worker import Worker, note_refusal

ORDER = b"POST /api/auctions/a/act HTTP/1.1\r\nHost: x\r\nCookie: headroom=s\r\nContent-Length: 2\r\n\r\n{}"
PAGE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
BURST = int(ACTS_BURST)


class Clock:
    def __init__(self) -> None:
        self.now = time.monotonic() + 30.0  # never before the real one, which gunicorn's parser looks at

    def __call__(self) -> float:
        return self.now


def test_only_who_was_refused_waits_and_only_for_a_while() -> None:
    clock = Clock()
    doors = Doors(clock)
    assert doors.quiet
    doors.refuse(b"a")
    assert [doors.quiet, doors.must_wait(b"a"), doors.must_wait(b"b")] == [False, True, False]
    clock.now += WAIT_S - 0.01
    assert [doors.quiet, doors.must_wait(b"a")] == [False, True]
    clock.now += 0.02
    assert [doors.quiet, doors.must_wait(b"a")] == [True, False]


def test_so_many_lines_of_an_asker_wait_and_so_many_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = Doors(Clock())
    doors.refuse(b"a")
    doors.refuse(b"b")
    assert [doors.wait(b"a") for _ in range(LINES + 2)] == [True] * LINES + [False] * 2
    doors.over(b"a")
    assert [doors.wait(b"a") for _ in range(2)] == [True, False]
    monkeypatch.setattr(web_doors, "ALL_LINES", LINES + 1)
    assert [doors.wait(b"b") for _ in range(2)] == [True, False]


def test_askers_are_forgotten_once_they_are_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_doors, "_MOST_ASKERS", 10)
    clock = Clock()
    doors = Doors(clock)
    for number in range(10):
        doors.refuse(b"%d" % number)
    assert doors.wait(b"9")
    clock.now += WAIT_S
    doors.refuse(b"new")
    assert set(doors._refused) == {b"9", b"new"}  # the one whose line waits is still counted


class Here:
    """An executor that does at once what it is given."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(work(*arguments))
        return done


class Application(BaseApplication):
    def load_config(self) -> None:
        self.cfg.set("post_request", note_refusal)
        self.cfg.set("keepalive", 15)


class Server:
    """One worker that goes on only when told, and its application."""

    def __init__(self, clock: Clock, proxies: Iterable[str]) -> None:
        self.clock, self.lines = clock, list[socket.socket]()
        self.door = socket.create_server(("127.0.0.1", 0), backlog=500)
        self.door.setblocking(False)
        application = Application()
        self.worker = Worker(1, 0, [self.door], application, 30, application.cfg, Logger(application.cfg))
        self.worker.poller = selectors.DefaultSelector()
        self.worker.method_queue.init()
        self.worker.tpool = Here()
        self.worker._doors = Doors(clock)
        self.worker.wsgi = TrustedProxy(Gate(self.answer), proxies)
        self.worker.poller.register(self.worker.method_queue.fileno(), 1, self.worker.method_queue.run_callbacks)
        self.worker.set_accept_enabled(True)

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Be the application behind the gate."""
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def go_on(self, seconds: float = 0.0) -> None:
        """Let time pass, then do all that there is to do."""
        self.clock.now += seconds
        self.worker.murder_pending()
        while self.worker.poller.select(0):
            self.worker.wait_for_and_dispatch_events(0)
            self.worker.murder_pending()

    def call(self) -> socket.socket:
        """Open a line."""
        self.lines.append(socket.create_connection(self.door.getsockname(), timeout=5))
        return self.lines[-1]

    def close(self) -> None:
        for line in self.lines:
            line.close()
        self.worker.alive = False
        self.worker._cap_keepalive(self.clock.now)
        self.go_on()
        self.worker.set_accept_enabled(False)
        for key in list(self.worker.poller.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self.worker.poller.close()
        self.worker.method_queue.close()
        self.worker.tmp.close()
        self.door.close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    clock = Clock()
    for module in (web_worker, gthread):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock))
    made: list[Server] = []

    def make(*proxies: str) -> Server:
        made.append(Server(clock, proxies))
        return made[-1]

    yield make
    for server in made:
        server.close()


def told(line: socket.socket) -> list[bytes]:
    """Return the statuses of the answers that have come, and b"end" where the line was closed."""
    line.setblocking(False)
    got, end = b"", [b"end"]
    try:
        while part := line.recv(65_536):
            got += part
    except BlockingIOError:
        end = []
    except ConnectionResetError:
        pass
    return [head[:3] for head in got.split(b"HTTP/1.1 ")[1:]] + end


def refuse_next(server: Server) -> socket.socket:
    """Use up what a session may send at once; return the line that did."""
    line = server.call()
    line.sendall(ORDER * (BURST + 1))
    server.go_on()
    assert told(line)[-1] == b"429"
    return line


def test_what_follows_a_refused_order_on_its_line_is_not_read_for_a_second(serve: Callable[..., Server]) -> None:
    server = serve()
    line = refuse_next(server)
    other = server.call()
    line.sendall(ORDER)
    server.go_on(WAIT_S - 0.01)
    assert told(line) == []
    other.sendall(PAGE)
    server.go_on()
    assert told(other) == [b"200"]
    server.go_on(0.02)
    assert told(line) in ([b"200"], [b"429"])  # read now; the gate has its own clock


def test_what_was_read_ahead_waits_too(serve: Callable[..., Server]) -> None:
    server = serve()
    line = server.call()
    line.sendall(ORDER * (BURST + 3))  # one read takes them all
    server.go_on()
    assert told(line) == [b"200"] * BURST + [b"429"]
    server.go_on(WAIT_S - 0.01)
    assert told(line) == []
    server.go_on(0.02)
    assert len(told(line)) >= 1


def test_more_lines_than_may_wait_are_closed_and_those_of_others_at_the_address_are_not(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_doors, "LINES", 5)
    server = serve()
    kept = server.call()  # somebody behind the same address, there before
    kept.sendall(PAGE)
    lines = [server.call() for _ in range(8)]
    for line in lines:
        line.sendall(ORDER)
    server.go_on()
    assert [told(line) for line in (kept, *lines)] == [[b"200"]] * 9
    refuse_next(server)
    for line in lines:
        line.sendall(ORDER)
    server.go_on()
    assert [told(line) for line in lines] == [[b"429"]] * 4 + [[b"429", b"end"]] * 4
    kept.sendall(PAGE)
    server.go_on()
    assert told(kept) == [b"200"]
    assert server.worker.nr_conns == 1  # those that wait take nobody's place
    server.go_on(WAIT_S + 0.01)
    assert server.worker.nr_conns == 1 + 4  # one had more to say, was refused again and waits again


@pytest.mark.parametrize("at_once", [True, False], ids=["what it sends came with it", "what it sends comes later"])
def test_who_calls_again_for_each_order_waits_unheard_and_others_do_not(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr(web_doors, "LINES", 5)
    server = serve()
    refuse_next(server)
    lines = [server.call() for _ in range(20)]
    browser = server.call()
    if not at_once:
        server.go_on()
    for line in lines:
        line.sendall(ORDER)
    browser.sendall(PAGE)
    server.go_on()
    assert [told(line) for line in lines] == [[]] * 4 + [[b"end"]] * 16
    assert told(browser) == [b"200"]
    server.go_on(WAIT_S - 0.01)
    assert [told(line) for line in lines[:4]] == [[]] * 4
    server.go_on(0.02)
    assert all(told(line) for line in lines[:4])


def test_who_has_no_cookie_waits_with_all_others_of_his_address_who_have_none(serve: Callable[..., Server]) -> None:
    server = serve()
    nameless = ORDER.replace(b"Cookie: headroom=s\r\n", b"")
    line = server.call()
    line.sendall(nameless * (BURST + 1))
    server.go_on()
    assert told(line)[-1] == b"429"
    again, named = server.call(), server.call()
    again.sendall(nameless)
    named.sendall(ORDER)
    server.go_on()
    assert told(again) == []
    assert told(named) == [b"200"]


def test_the_lines_of_a_trusted_proxy_never_wait(serve: Callable[..., Server]) -> None:
    server = serve("127.0.0.0/8")
    line = server.call()
    line.sendall(ORDER * (BURST + 40) + PAGE)
    server.go_on()
    answers = told(line)
    assert answers == [b"200"] * BURST + [b"429"] * 40 + [b"200"]
    assert not server.worker._later


def test_a_silent_line_holds_no_thread(serve: Callable[..., Server]) -> None:
    server = serve()
    silent = server.call()
    server.go_on()  # would wait 5 s in the executor that stands for the threads
    assert server.worker.nr_conns == 1
    server.go_on(15.01)
    assert silent.recv(1) == b""
    assert server.worker.nr_conns == 0


def test_a_worker_that_ends_lets_nobody_wait(serve: Callable[..., Server]) -> None:
    server = serve()
    line = refuse_next(server)
    line.sendall(PAGE)
    server.worker.alive = False
    server.worker._cap_keepalive(server.clock.now)
    server.go_on()
    assert told(line) == [b"200", b"end"]
    assert not server.worker._later
