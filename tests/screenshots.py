"""Take the README's screenshots of the running product: ``python -m tests.screenshots``.

Writes PNG files to ``tests/screenshots/``, each smaller than 400 kB, in a fresh data folder, so that two runs differ
only where the product does.
"""

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import PAGES
from components.links import PageLink
from tests.browser.browsing import DESKTOP, PHONE, THEMES, Server, launch, open_page, running, set_theme, settle

FOLDER = Path(__file__).parent / "screenshots"
LARGEST_BYTES = 400_000
EXAMPLE = "texas-2020"
_ANSWER_MS = 180_000  # the first picture waits for the job that the others find answered
_STILL_MS = 1500  # maps and tables draw once more after the last answer


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: which page, in which theme, on which screen."""

    name: str
    page: PageLink
    theme: str
    size: dict[str, int]


def shots() -> list[Shot]:
    """Return the pictures: each page in both themes on a wide screen, and in light on a phone."""
    wide = [Shot(f"{page.key}-{theme}", page, theme, DESKTOP) for page in PAGES for theme in THEMES]
    return [*wide, *(Shot(f"{page.key}-phone", page, "light", PHONE) for page in PAGES)]


def take(browser: Browser, server: Server, shot: Shot) -> Path:
    """Take one picture and return its file. Raises ValueError when it is larger than the README should load."""
    context = browser.new_context(base_url=server.address, viewport=shot.size)
    page = context.new_page()
    set_theme(page, shot.theme)
    open_page(page, "/")
    if shot.page.path != "/":
        show(page, shot.page)
    settle(page)
    page.wait_for_timeout(_STILL_MS)
    path = FOLDER / f"{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size} bytes; the largest may have {LARGEST_BYTES}")
    return path


# Where a page that opens with an answer shows it, and words of one.
ANSWERS = {
    "capacity": ("#capacity-totals", re.compile(r"\d")),
    "siting": ("#siting-overview-head", re.compile("From candidates to shortlist")),
    "feeder": ("#feeder-totals", re.compile(r"\d")),
    "hubs": ("#hubs-totals", re.compile(r"\d")),
    "resilience": ("#resilience-totals", re.compile(r"\d")),
}
OWN_EXAMPLE = {"feeder", "hubs", "resilience"}  # ask of a feeder, not of the network of a study


def show(page: Page, link: PageLink) -> None:
    """Open Texas on a page, or the page's own example, and wait until its answer is there."""
    if link.key in OWN_EXAMPLE:
        open_page(page, link.path)
    else:
        open_texas(page, link)
    if link.key in ANSWERS:
        where, words = ANSWERS[link.key]
        expect(page.locator(where)).to_contain_text(words, timeout=_ANSWER_MS)


def open_texas(page: Page, link: PageLink) -> None:
    """Make Texas a study, as a press on Home does, and open it on a page."""
    page.locator(f"button[id*='{EXAMPLE}']").first.click()
    page.wait_for_url("**study=*")
    study = parse_qs(urlsplit(page.url).query)["study"][0]
    open_page(page, f"{link.path}?study={study}")


def main() -> int:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, running(Path(home) / "home") as server, sync_playwright() as playwright:
        browser = launch(playwright)
        for shot in shots():
            sys.stdout.write(f"{take(browser, server, shot)}\n")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
