"""A reader walks through the Resilience page: opens, plays a shock, looks, selects, edits, computes.

What is computed is four shocks over eight steps; the example comes with the program.
"""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from components.resilience_view import TABS
from tests.browser.browsing import DESKTOP, PHONE, Server, Watch, axe_violations, barriers, open_page, settle, standing

JOB_MS = 240_000.0  # a job begins processes of its own, which on a busy machine takes its time
SHORT = {"scenarios": 4, "steps": 8, "fresh": 6, "budget": 20_000.0, "time_limit_s": 60.0}


@pytest.fixture(scope="module")
def stands(context: BrowserContext, server: Server) -> Iterator[tuple[Page, Watch]]:
    """Yield a page that stands on the example, and what watches it."""
    with standing(context, server, "/resilience", drawn) as found:
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
    expect(page.locator("[data-resilience-frame][data-drawn]")).to_be_visible()
    expect(page.locator(".hr-feeder-pane-title")).to_contain_text("not served")  # the shock is there
    expect(page.locator(".hr-hubs-sheet")).to_be_visible()
    settle(page)


def tab(page: Page, words: str) -> None:
    page.locator("#resilience-tab").get_by_text(words, exact=True).click()
    expect(page.locator(".hr-feeder-panel-body:visible")).not_to_contain_text("This fills once")
    settle(page)


def test_the_example_is_there_in_every_pane_without_a_barrier_in_either_theme(walker: Page) -> None:
    expect(walker.locator("#resilience-state")).to_contain_text("Came with this program")
    tab(walker, TABS["modules"])
    walker.locator("#resilience-why-objective").click()
    expect(walker.locator('[data-popover-panel="resilience-why-objective-panel"]')).to_contain_text("Method:")
    walker.keyboard.press("Escape")
    walker.get_by_role("button", name="More").click()
    settle(walker)
    assert barriers(walker) == []
    walker.get_by_role("button", name="More").click()
    for words in TABS.values():
        tab(walker, words)
        assert axe_violations(walker, "#resilience-drawer") == [], words


def test_a_shock_plays_and_what_is_selected_is_told(walker: Page) -> None:
    hour = walker.locator("#resilience-hour-shown")
    walker.locator("#resilience-hour").fill("3")
    expect(hour).to_have_text("10:45")
    walker.get_by_role("button", name="Play the day").click()
    expect(hour).not_to_have_text("10:45")
    walker.get_by_role("button", name="Pause").click()
    walker.locator('.hr-resilience-svg [data-resilience-select="bus:25"]').first.dispatch_event("click")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("Bus 25")
    expect(walker.locator(".hr-hubs-sheet")).to_contain_text("Campus")
    tab(walker, "A shock")
    walker.get_by_role("button", name="the cheapest").click()
    expect(walker).to_have_url(re.compile("shock=\\d+.*sel=bus"))
    walker.locator("#resilience-method").select_option("none")
    expect(walker.locator(".hr-feeder-pane-title")).to_contain_text("no modules")
    settle(walker)


def test_the_distribution_is_of_the_shocks_that_are_chosen_and_says_why(walker: Page) -> None:
    tab(walker, TABS["outcomes"])
    body = walker.locator("#resilience-panel-outcomes")
    expect(body).to_contain_text("Shocks of the same model")
    body.get_by_role("button", name="Shifted shocks").click()
    expect(body).to_contain_text("of a heavier tail")
    expect(walker).to_have_url(re.compile("on=shifted"))
    settle(walker)
    walker.locator("#resilience-table-outcomes-unserved-head-q95").click()
    card = walker.locator('[data-popover-panel="resilience-table-outcomes-unserved-head-q95-panel"]')
    expect(card).to_contain_text("95 % of the shifted shocks do not exceed it")
    walker.keyboard.press("Escape")


def test_every_key_number_is_there_on_a_phone(walker: Page) -> None:
    walker.set_viewport_size(PHONE)
    try:
        settle(walker)
        strip = walker.locator("#resilience-totals .hr-total")
        expect(strip).to_have_count(6)
        for at in range(6):
            expect(strip.nth(at)).to_be_visible()
        assert walker.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        walker.set_viewport_size(DESKTOP)
        settle(walker)


def test_numbers_beyond_their_limits_are_named_with_them_and_the_answer_stays(walker: Page) -> None:
    state, totals = walker.locator("#resilience-state"), walker.locator("#resilience-totals").inner_text()
    walker.get_by_role("button", name="More").click()
    for word, typed in (("steps", "1.5"), ("weight", "2"), ("budget", "2999")):
        walker.locator(f"#resilience-word-{word}").fill(typed)
        walker.locator(f"#resilience-word-{word}").press("Enter")
    expect(state).to_contain_text("3 things to mend")
    for words in ("number of steps is whole, not 1.5", "weight of the tail is 2: 0 to 1",
                  "is 2999: 3000 or more, the cost of one DR"):  # fmt: skip
        expect(state).to_contain_text(words)
    assert walker.locator("#resilience-totals").inner_text() == totals


def test_shocks_are_checked_as_they_come_and_made_fewer(walker: Page) -> None:
    open_page(walker, f"/resilience?ask={quote(json.dumps(SHORT))}")
    walker.get_by_role("button", name="More").click()
    shown = walker.locator("#resilience-upload-shown")
    bad = b"scenario,step,campus,draw_mw,probability\n1,99,14,0.1,0.7\n2,1,nowhere,0.2,0.7\n"
    sent = {"name": "bad.csv", "mimeType": "text/csv", "buffer": bad}
    walker.locator("#resilience-upload input[type=file]").set_input_files(sent)  # type: ignore[arg-type]
    expect(shown).to_contain_text("bad.csv cannot be taken: 2 problems")
    expect(shown).to_contain_text("row 2: step is 99")
    expect(walker.locator("#resilience-upload-take")).to_be_hidden()
    walker.locator("#resilience-fewer-count").fill("2")
    walker.locator("#resilience-fewer-press").click()
    expect(shown).to_contain_text("2 of 4 shocks")
    walker.locator("#resilience-why-fewer").click()
    card = walker.locator('[data-popover-panel="resilience-why-fewer-panel"]')
    expect(card).to_contain_text("the transport distance between 4 shocks and 2")
    settle(walker)
    assert barriers(walker) == []
    walker.keyboard.press("Escape")
    walker.locator("#resilience-upload-take").click()
    expect(walker).to_have_url(re.compile("study="))
    settle(walker)
    expect(walker.locator("#resilience-word-scenarios")).to_have_value("2")


def test_modules_are_edited_and_a_small_study_is_computed(walker: Page) -> None:
    open_page(walker, f"/resilience?ask={quote(json.dumps(SHORT))}&tab=search")
    expect(walker.locator("#resilience-state")).to_contain_text("Not computed yet")
    walker.locator("#resilience-word-edits").click()
    walker.locator("#resilience-edit-value").fill("9000")
    walker.locator("#resilience-edit-change").click()
    expect(walker.locator("#resilience-word-edits")).to_have_text("modules, with 1 edit,")
    expect(walker.locator("#resilience-edits-message")).to_have_text("BESS: cost, $ a year 9000. Press Compute.")
    walker.locator(".hr-resilience-new summary").click()
    walker.locator("#resilience-edit-new-inventory").fill("-1")
    walker.locator("#resilience-edit-add").click()
    for words in ("The new type has no name", "inventory is -1"):
        expect(walker.locator("#resilience-edits-message")).to_contain_text(words)
    walker.locator("#resilience-edit-new-name").fill("Flywheel")
    walker.locator("#resilience-edit-new-inventory").fill("2")
    walker.locator("#resilience-edit-add").click()
    expect(walker.locator("#resilience-word-edits")).to_have_text("modules, with 2 edits,")
    expect(walker.locator("#resilience-edits-types")).to_contain_text("Flywheel")
    assert barriers(walker) == []
    walker.keyboard.press("Escape")
    walker.locator("#resilience-compute").click()
    expect(walker.locator("#resilience-state .hr-progress")).to_have_count(1)
    expect(walker.locator("#resilience-state .hr-progress")).to_have_count(0, timeout=JOB_MS)
    drawn(walker)
    expect(walker.locator("#resilience-table-search tbody tr").first).to_be_visible()
    expect(walker.locator("#resilience-totals")).to_contain_text("Cost of a year")
    walker.locator("#resilience-export").click()
    with walker.expect_download() as found:
        walker.locator("#resilience-file-csv").click()
    assert re.fullmatch(r"resilience-4-[0-9a-f]{8}-search\.csv", found.value.suggested_filename)
