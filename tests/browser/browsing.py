"""A browser that watches itself, and the really running product that it looks at."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, expect

from app import open_services
from callbacks.services import Services
from callbacks.settings import Settings
from engine.network.tables import NetworkTables
from tests.ports import free_port
from tests.programs import chromium_on_path

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LOG = "log.jsonl"
THEMES = ("light", "dark")
DIALOG = "[role=dialog]"  # those that are open: what is hidden has no barrier
_OF_COLOURS = ("color-contrast", "link-in-text-block")  # the rules of axe-core that look at colours

PATIENCE_S = 60.0
_READY_WITHIN_S = 180.0
_ENDS_WITHIN_S = 60.0
# What keeps a browser quiet: none of these looks for an update, a proxy or a field trial. No page asks for WebGL,
# so no graphics card is emulated for one.
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--disable-domain-reliability",
    "--process-per-site",  # pages of one reader share a process, which has compiled the product's scripts already
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no page reaches another host, whatever it asks for
)  # fmt: skip
_homes: dict[str, Path] = {}  # the data folder of each product that was started, by its address
_services: dict[str, Services] = {}  # opened there by the tests themselves


@dataclass(slots=True)
class Server:
    """The product, started as its reader starts it: supervisor, web server and job runner."""

    address: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]
    ready_s: float  # of processor time, from start to the first healthy answer

    def records(self) -> list[dict[str, Any]]:
        """Return the log so far, line by line."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line[:1] == "{"]

    def faults(self) -> list[dict[str, Any]]:
        """Return the log's errors."""
        return [record for record in self.records() if record.get("level") in {"error", "critical"}]


@contextmanager
def running(home: Path, **more: str) -> Iterator[Server]:
    """Run the product with its data in ``home``; end it as Ctrl+C does, and see that it ends well."""
    server = start(home, **more)
    try:
        yield server
    finally:
        if server.address in _services:
            _services.pop(server.address).close()
        end(server.process)
    assert server.process.returncode == 0, f"it ended with status {server.process.returncode}: {tail(server.log)}"


def start(home: Path, **more: str) -> Server:
    """Start the product, on a free port unless told one, and return it when it is ready. ``more`` are settings."""
    port = int(more.get("PORT") or free_port())
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "HEADROOM_DATA"}}
    environ = {**kept, "HEADROOM_HOME": str(home), "PORT": str(port), "LOG_LEVEL": "INFO", **more}
    address = f"http://127.0.0.1:{port}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOG).open("ab") as sink, (home / "out.txt").open("wb") as out:
        process = subprocess.Popen([sys.executable, str(ROOT / "app.py")], env=environ, stdout=out, stderr=sink)
    try:
        wait_until_ready(address, process, home)
    except BaseException:
        end(process)
        raise
    _homes[address] = home
    return Server(address, home, home / LOG, process, processor_s(process.pid))


def processor_s(process: int) -> float:
    """Return the processor time that a process and its children have used so far."""
    first = psutil.Process(process)
    spent = 0.0
    for one in (first, *first.children(recursive=True)):
        with suppress(psutil.Error):  # it ends just now
            times = one.cpu_times()
            spent += times.user + times.system
    return spent


def wait_until_ready(address: str, process: subprocess.Popen[bytes], home: Path) -> None:
    """Return when the product says that it is ready; fail with the end of its log when it does not in time."""
    deadline = time.monotonic() + _READY_WITHIN_S
    while address not in (home / "out.txt").read_text():
        assert process.poll() is None, f"the product ended with status {process.returncode}: {tail(home / LOG)}"
        assert time.monotonic() < deadline, f"not ready within {_READY_WITHIN_S:.0f} s: {tail(home / LOG)}"
        time.sleep(0.1)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the product to end, and see that it does."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def launch(playwright: Playwright) -> Browser:
    """Start Chromium: that of HEADROOM_CHROMIUM, else of the PATH, else Playwright's own."""
    path = os.environ.get("HEADROOM_CHROMIUM") or chromium_on_path() or playwright.chromium.executable_path
    if not Path(path).exists():
        raise FileNotFoundError("no Chromium was found; `python3 -m tests` installs one")
    return playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))


@dataclass
class Watch:
    """What a page did that it must not do."""

    foreign: list[str] = field(default_factory=list)  # requests to another host, none of which finds it
    console: list[str] = field(default_factory=list)  # errors in the console, and uncaught ones
    failed: list[str] = field(default_factory=list)  # our own answers with a status of 500 or more

    def see(self, page: Page) -> None:
        """Watch everything that ``page`` does from now on."""
        # Listened to, not routed: routing turns the browser's cache off, and asks us about each file of each page.
        page.context.on("request", self._trace)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.console.append(f"{error} {(error.stack or '')[:2_000]} at {page.url}"))
        page.on("response", lambda answer: answer.status >= 500 and self.failed.append(answer.url))

    def leave(self, context: BrowserContext) -> None:
        """Watch no longer what pages of that context ask for."""
        context.remove_listener("request", self._trace)

    def _trace(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in {"127.0.0.1", None}:
            self.foreign.append(request.url)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location.get("url", "")
            self.console.append(f"{message.text} ({where})")

    def check(self) -> None:
        """Assert that nothing was seen."""
        assert self.foreign == [], "requests to another host"
        assert self.console == [], "errors in the console"
        assert self.failed == [], "answers with a fault"


def forget(page: Page, address: str) -> None:
    """Make the reader of a page one who was never at that address: nothing is kept of it but what is public."""
    talk = page.context.new_cdp_session(page)
    talk.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "cookies,local_storage,indexeddb"})
    talk.detach()
    page.context.clear_cookies()


def begin_study(page: Page, example: str, tables: NetworkTables | None = None) -> str:
    """Make a grid of the library a study of the page's reader, as a press on Home does; return the study's id.

    With ``tables`` it is a study of these, named ``example``.
    """
    user = _reader(page)
    while True:
        study = _study(page, user, example, tables)
        # What a page asked for that was closed just now may still be answered, with a cookie for who asked.
        if (now := _reader(page)) == user:
            return study
        user = now


def _reader(page: Page) -> str:
    """Return the user whom the product knows the page's reader as; a first visit makes one."""
    page.request.get("/")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "headroom"]
    content = cookie["value"].partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))["user"])


def _study(page: Page, user: str, example: str, tables: NetworkTables | None) -> str:
    address = page.request.get("/healthz").url.removesuffix("/healthz")
    if address not in _services:
        _services[address] = open_services(Settings.from_env({"HEADROOM_HOME": str(_homes[address])}))
    services = _services[address]
    return services.open_example(user, example) if tables is None else services.studies.create(user, example, tables)


def open_page(page: Page, address: str) -> None:
    """Open an address of the product and wait until its page stands."""
    page.goto(address)
    settle(page)


def settle(page: Page, timeout_s: float = PATIENCE_S) -> None:
    """Wait until the page has its content and no callback is under way."""
    page.wait_for_function(
        """() => document.querySelector('h1') && !document.querySelector('._dash-loading')
                 && !document.querySelector('[data-dash-is-loading="true"]')""",
        timeout=timeout_s * 1000,
    )
    page.wait_for_load_state("networkidle", timeout=timeout_s * 1000)


def set_theme(page: Page, theme: str) -> None:
    """Show the page as a reader sees it whose system is ``"light"`` or ``"dark"``. Open the page afterwards."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")


def axe_violations(page: Page, within: str = "body", rules: Sequence[str] = ()) -> list[str]:
    """Return the WCAG 2 A and AA violations that axe-core finds within a selector, one sentence each: in the theme
    that shows. ``rules`` are those to check; all unless told.
    """
    # Evaluated, not added as a script element: the page's policy stays as strict as a reader's.
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate((Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8") + "\n;0")
    found = page.evaluate(
        """async ([within, rules]) => (await axe.run(within, {
               runOnly: rules.length ? {type: 'rule', values: rules} : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
               resultTypes: ['violations'],
           })).violations.map(v => ({id: v.id, help: v.help, at: v.nodes.map(n => n.html.slice(0, 160))}))""",
        [within, list(rules)],
    )
    return [f"{one['id']}: {one['help']}: {'; '.join(one['at'][:5])}" for one in found]


def barriers(page: Page, within: str = "body") -> list[str]:
    """Return the violations in both themes, one sentence each. The page ends in the other theme than it began in.

    A theme changes colours only, so in the second one the rules on colours are checked and no other. ``within`` is
    what has come onto a page that was looked at before.
    """
    expect(page.locator(f"{within} >> visible=true").first).to_be_visible()
    root = page.locator("html")
    shown = root.get_attribute("data-bs-theme")
    assert shown in THEMES
    (other,) = {*THEMES} - {shown}
    found = [f"{shown}: {one}" for one in axe_violations(page, within)]
    set_theme(page, other)
    expect(root).to_have_attribute("data-bs-theme", other)
    page.wait_for_function("() => !document.getAnimations().some(one => one instanceof CSSTransition)")
    return found + [f"{other}: {one}" for one in axe_violations(page, within, _OF_COLOURS)]


@contextmanager
def standing(
    context: BrowserContext, server: Server, address: str, drawn: Callable[[Page], None]
) -> Iterator[tuple[Page, Watch]]:
    """Yield a page that stands on what an address opens with, and what watches it."""
    page, watch = context.new_page(), Watch()
    forget(page, server.address)
    watch.see(page)
    open_page(page, address)
    drawn(page)
    yield page, watch
    watch.leave(context)
    page.close()
