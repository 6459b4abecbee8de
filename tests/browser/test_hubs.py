"""A reader walks through the Hubs page: opens, plays, looks, selects, edits, computes; all of it on one page.

What is computed is three hubs over three hours; the example comes with the program.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from components.hubs_view import TABS
from engine.pricing.files import to_json
from engine.pricing.question import Edit, HubQuestion
from engine.pricing.run import run_hubs
from tests.browser.browsing import DESKTOP, PHONE, Server, Watch, axe_violations, barriers, open_page, settle, standing
from tests.engine.pricing.small import two_hubs

JOB_MS = 180_000.0  # a job begins processes of its own, which on a busy machine takes its time
SHORT = {"hours": 3, "quick_time_s": 120.0, "ladder": False}
SMALL = HubQuestion(hours=3, quick_time_s=120.0, ladder=False, edits=(Edit("battery", 2.0, "campus 740"),))


@pytest.fixture(scope="module")
def stands(context: BrowserContext, server: Server) -> Iterator[tuple[Page, Watch]]:
    """Yield a page that stands on the example, and what watches it."""
    with standing(context, server, "/hubs", drawn) as found:
        yield found


@pytest.fixture
def walker(stands: tuple[Page, Watch], server: Server) -> Iterator[Page]:
    """Yield the page; it must end without an error."""
    page, watch = stands
    before = len(server.faults())
    yield page
    watch.check()
    assert server.faults()[before:] == [], "errors in the server's log"


def drawn(page: Page) -> None:
    expect(page.locator("[data-hubs-frame][data-drawn]")).to_be_visible()
    expect(page.locator(".hr-hubs-sheet")).to_be_visible()
    settle(page)


def tab(page: Page, words: str) -> None:
    page.locator("#hubs-tab").get_by_text(words, exact=True).click()
    expect(page.locator(".hr-feeder-panel-body:visible")).not_to_contain_text("This fills once")
    settle(page)


def test_the_example_is_there_in_every_pane_without_a_barrier_in_either_theme(walker: Page) -> None:
    expect(walker.locator("#hubs-state")).to_contain_text("Came with this program")
    expect(walker.locator(".hr-hubs-svg")).to_have_count(2)
    expect(walker.locator(".hr-hubs-source.hr-hubs-beyond")).not_to_have_count(0)  # the hour of the largest overload
    walker.locator("#hubs-why-beyond").click()
    expect(walker.locator('[data-popover-panel="hubs-why-beyond-panel"]')).to_contain_text("Method:")
    walker.keyboard.press("Escape")
    walker.get_by_role("button", name="More").click()
    settle(walker)
    assert barriers(walker) == []
    walker.get_by_role("button", name="More").click()
    for words in TABS.values():
        tab(walker, words)
        assert axe_violations(walker, "#hubs-drawer") == []


def test_every_key_number_is_there_on_a_phone(walker: Page) -> None:
    walker.set_viewport_size(PHONE)
    try:
        settle(walker)
        strip = walker.locator("#hubs-totals .hr-total")
        expect(strip).to_have_count(7)
        for at in range(7):
            expect(strip.nth(at)).to_be_visible()
        assert walker.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        walker.set_viewport_size(DESKTOP)
        settle(walker)


def test_the_day_plays_and_what_is_selected_is_told(walker: Page) -> None:
    hour = walker.locator("#hubs-hour-shown")
    walker.locator("#hubs-hour").fill("3")
    expect(hour).to_have_text("03:00")
    walker.get_by_role("button", name="Play the day").click()
    expect(hour).not_to_have_text("03:00")
    walker.get_by_role("button", name="Pause").click()
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text(hour.inner_text())  # it follows once the day rests
    walker.locator('.hr-hubs-svg [data-hubs-select="line:711-740"]').first.dispatch_event("click")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("Line 711-740")
    walker.get_by_role("button", name="Change this line").click()
    expect(walker.locator("#hubs-word-edits")).to_have_text("with 1 edit")
    expect(walker.locator("#hubs-edits-message")).to_have_text("Line 711-740: limit times 1.2. Press Compute.")
    expect(walker.locator("#hubs-state")).to_contain_text("Changed since: the edits")
    walker.locator('.hr-hubs-svg [data-hubs-select="line:substation"]').first.dispatch_event("click")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("The substation")
    expect(walker.get_by_role("button", name="Change this line")).to_be_hidden()
    walker.locator("#hubs-edit-substation").click()
    expect(walker.locator("#hubs-word-edits")).to_have_text("with 2 edits")
    walker.locator("#hubs-word-edits").click()
    walker.locator("#hubs-edit-clear").click()
    expect(walker.locator("#hubs-word-edits")).to_have_text("as they are")
    walker.keyboard.press("Escape")
    walker.locator('.hr-hubs-svg [data-hubs-select="line:711-740"]').first.dispatch_event("click")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("Line 711-740")
    walker.locator("#hubs-show").get_by_text("No prices", exact=True).click()
    expect(walker.locator(".hr-hubs-svg")).to_have_count(1)
    expect(walker).to_have_url(re.compile("show=before.*sel=line"))
    settle(walker)


def test_an_edited_small_case_is_computed_and_its_numbers_are_the_engine_s(walker: Page) -> None:
    open_page(walker, f"/hubs?ask={quote(json.dumps(SHORT))}&tab=models&sel=hub:campus 740")
    expect(walker.locator("#hubs-state")).to_contain_text("Not computed yet")
    press = walker.locator("#hubs-compute")
    press.click()
    expect(walker.locator("#hubs-state .hr-progress")).to_have_count(1)
    expect(walker.locator("#hubs-state .hr-progress")).to_have_count(0, timeout=JOB_MS)
    drawn(walker)
    walker.get_by_role("button", name="Change this hub").click()
    expect(walker.locator("#hubs-word-edits")).to_have_text("with 1 edit")
    expect(walker.locator("#hubs-frame")).to_have_class(re.compile("hr-feeder-stale"))
    expect(walker.locator("#hubs-state")).to_contain_text("Changed since: the edits")
    press.click()
    expect(walker.locator("#hubs-frame")).not_to_have_class(re.compile("hr-feeder-stale"), timeout=JOB_MS)
    drawn(walker)
    walker.locator("#hubs-export").click()
    with walker.expect_download() as found:
        walker.locator("#hubs-file-csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text(encoding="utf-8"))))
    run = run_hubs(SMALL, lambda digest: ("", digest.encode()))
    assert {row["case_digest"] for row in rows} == {run.case.digest}
    told = {(row["Model"][0], row["Hubs"]): float(row["Objective, $"]) for row in rows}
    for each in run.outcomes:
        hubs = "rising costs" if each.hubs == "quadratic" else "constant costs"
        letter = {"none": "A", "central": "B", "quick": "D", "exact": "C"}[each.prices]
        assert told[letter, hubs] == pytest.approx(each.objective, abs=1e-5)


def test_a_search_is_seen_as_it_goes_and_ends_when_it_is_told_to(walker: Page) -> None:
    long = {"exact": True, "exact_gap": 1e-6, "exact_time_s": 120.0, "quick_time_s": 120.0, "ladder": False}
    open_page(walker, f"/hubs?ask={quote(json.dumps(long))}")
    walker.locator("#hubs-compute").click()
    live = walker.locator(".hr-hubs-live")
    expect(live.locator("figure")).to_have_count(2, timeout=JOB_MS)
    expect(live).to_contain_text("no less than")
    first = live.inner_text()
    expect(live).not_to_have_text(first, use_inner_text=True, timeout=JOB_MS)  # it goes on
    live.get_by_text("The same as a table").click()
    expect(live.locator("tbody tr", has_text="exact prices").first).to_be_visible()
    assert axe_violations(walker, "#hubs-state") == []
    walker.locator("#hubs-state").get_by_role("button", name="Cancel").click()
    expect(walker.locator("#hubs-state")).to_contain_text("cancelled", timeout=60_000)


def test_a_network_of_one_s_own_is_drawn_as_bars_for_the_hours_of_its_file(walker: Page, tmp_path: Path) -> None:
    case = two_hubs()
    (tmp_path / "own line.json").write_bytes(to_json(case))
    open_page(walker, "/hubs")
    drawn(walker)
    walker.get_by_role("button", name="More").click()
    walker.locator("#hubs-upload input[type=file]").set_input_files(tmp_path / "own line.json")
    walker.locator("#hubs-upload-take").click()
    expect(walker).to_have_url(re.compile("study="))
    expect(walker.locator(".hr-sentence")).to_contain_text("all hours of its file")
    expect(walker.locator("#hubs-word-hours")).to_be_hidden()
    walker.locator("#hubs-compute").click()
    expect(walker.locator(".hr-hubs-bar").first).to_be_visible(timeout=JOB_MS)
    drawn(walker)
    assert walker.locator("#hubs-hour").get_attribute("max") == str(case.periods - 1)
    walker.locator('.hr-hubs-svg [data-hubs-select="hub:one"]').first.dispatch_event("click")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("At bus a")
    walker.locator('.hr-hubs-svg [data-hubs-select="line:line"]').first.dispatch_event("click")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("Line line")
