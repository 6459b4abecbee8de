"""A reader walks through the Feeder page: opens, plays the day, looks, selects, edits, solves, cancels, links, looks
again.

All of it on one page. What is solved is the feeder of two buses over one hour; the worked day comes with the program.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from components.feeder_layers import LAYERS, PARTS, UNITS
from components.feeder_view import TABS
from engine.distribution import library
from tests.browser.browsing import (
    DESKTOP,
    PHONE,
    Server,
    Watch,
    axe_violations,
    barriers,
    open_page,
    settle,
    standing,
)

JOB_MS = 180_000.0  # a job begins processes of its own, which on a busy machine takes its time
SMALL = {"feeder": "two-bus", "hours": [18], "corrections": 1, "ac_rounds": 0}
LONG = {"scenarios": 1000, "seed": 3}  # 1 000 AC power flows for each hour and case: never done before it is cancelled


@pytest.fixture(scope="module")
def stands(context: BrowserContext, server: Server) -> Iterator[tuple[Page, Watch]]:
    """Yield a page that stands on the worked day, and what watches it."""
    with standing(context, server, "/feeder", drawn) as found:
        yield found


@pytest.fixture
def walker(stands: tuple[Page, Watch], server: Server) -> Iterator[Page]:
    """Yield the page on the worked day with nothing selected; it must end without an error."""
    page, watch = stands
    before = len(server.faults())
    if "ask=" in page.url or "/feeder" not in page.url:
        open_page(page, "/feeder")
        drawn(page)
    page.evaluate("() => window.headroom.select('feeder', null)")
    expect(page.locator("#feeder-sheet")).to_contain_text("IEEE 37")
    yield page
    watch.check()
    assert server.faults()[before:] == [], "errors in the server's log"


def drawn(page: Page) -> None:
    expect(page.locator("[data-feeder-frame][data-drawn]")).to_be_visible()
    expect(page.locator(".hr-feeder-sheet")).to_be_visible()
    settle(page)


def ask(page: Page, question: Mapping[str, object]) -> None:
    open_page(page, f"/feeder?ask={quote(json.dumps(question))}")


def solve(page: Page) -> None:
    page.locator("#feeder-compute").click()
    expect(page.locator("#feeder-frame")).not_to_have_class(re.compile("hr-feeder-stale"), timeout=JOB_MS)
    expect(page.locator("#feeder-state .hr-progress")).to_have_count(0, timeout=JOB_MS)
    drawn(page)


def saved(page: Page, press: Locator) -> tuple[str, bytes]:
    """Return name and content of the file that a press saves."""
    with page.expect_download() as found:
        press.click()
    return found.value.suggested_filename, Path(found.value.path()).read_bytes()


def strokes(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "() => Array.from(document.querySelectorAll('.hr-feeder-svg .hr-feeder-stroke'), "
        "one => getComputedStyle(one).stroke)"
    )
    return found


def begun(page: Page, server: Server) -> list[str]:
    """Return the kinds of the reader's jobs that a runner began; one whose answer is there is done without one."""
    jobs = page.evaluate("fetch('/api/jobs').then(one => one.json())")["jobs"]
    told = [str(record.get("event")) for record in server.records()]
    return [one["kind"] for one in jobs if one["state"] != "done" or f"job {one['id']} ({one['kind']}) started" in told]


def test_the_worked_day_is_there_and_nothing_was_computed(walker: Page, server: Server) -> None:
    expect(walker.locator("#feeder-state")).to_contain_text("Came with this program")
    expect(walker.locator("#feeder-word-centres")).to_have_text("3 data centres")
    expect(walker.locator("#feeder-totals")).to_contain_text("Data centres pay")
    walker.locator("#feeder-why-bill").click()
    expect(walker.locator('[data-popover-panel="feeder-why-bill-panel"]')).to_contain_text("Method:")
    walker.keyboard.press("Escape")
    for words in TABS.values():
        walker.locator("#feeder-tab").get_by_text(words, exact=True).click()
        shown = walker.locator(".hr-feeder-panel-body:visible")
        expect(shown).not_to_contain_text("This fills once")
        settle(walker)
    walker.locator("#feeder-tab").get_by_text("Buses", exact=True).click()
    expect(walker.locator("#feeder-buses-grid .ag-row").first).to_be_visible()
    assert begun(walker, server) == []  # it is the first test of this reader


def test_the_day_plays_and_layers_and_cases_change_in_the_browser(walker: Page) -> None:
    hour = walker.locator("#feeder-hour-shown")
    walker.locator("#feeder-hour").fill("3")
    expect(hour).to_have_text("03:00")
    walker.get_by_role("button", name="Play the day").click()
    expect(hour).not_to_have_text("03:00")
    walker.get_by_role("button", name="Pause").click()
    expect(walker.get_by_role("button", name="Play the day")).to_be_visible()
    at = hour.inner_text()
    expect(walker.locator(".hr-feeder-sheet")).to_contain_text(at)  # the inspector follows once the day rests
    settle(walker)
    before = strokes(walker)
    walker.keyboard.press(".")
    expect(hour).not_to_have_text(at)
    walker.locator("#feeder-layer").select_option("loading")
    expect(walker.locator("[data-feeder-legend]")).to_contain_text("Loading")
    assert strokes(walker) != before
    walker.locator("#feeder-case").get_by_text("Side by side", exact=True).click()
    expect(walker.locator(".hr-feeder-svg")).to_have_count(2)
    settle(walker)
    expect(walker.locator("#feeder-totals")).to_contain_text("no SVG")
    walker.locator("#feeder-case").get_by_text("Without SVG", exact=True).click()
    walker.locator("#feeder-layer").select_option("voltage")
    expect(walker.locator(".hr-feeder-svg")).to_have_count(1)
    settle(walker)


def hovered(page: Page, layer: str) -> dict[str, float]:
    """Return what is told of bus 740 under the pointer, by pair of phases; it must name layer, hour and unit."""
    page.locator("#feeder-layer").select_option(layer)
    page.mouse.move(0, 0)
    place = [bus.name for bus in library.load("ieee37").buses].index("740")
    page.locator(f'[data-feeder-diagram] [data-bus="{place}"]').first.hover(force=True)
    tip = page.locator("[data-feeder-tip]")
    expect(tip).to_contain_text(f"{LAYERS[layer]}, {page.locator('#feeder-hour-shown').inner_text()}, without SVG")
    rows = [row.split("\n") for row in tip.locator(".hr-feeder-tip-row").all_inner_texts()]
    found = {row[0]: row[-1].replace("\u2212", "-").split() for row in rows if row[0] in ("ab", "bc", "ca")}
    assert {each[1] for each in found.values()} == {UNITS[layer]}
    return {member: float(each[0]) for member, each in found.items()}


@pytest.mark.parametrize("kind", ["price", "reactive"])
def test_the_parts_of_a_price_under_the_pointer_add_up_to_the_price(walker: Page, kind: str) -> None:
    walker.locator("#feeder-hour").fill("15")
    expect(walker.locator("#feeder-hour-shown")).to_have_text("15:00")
    walker.locator("#feeder-case").get_by_text("Without SVG", exact=True).click()
    settle(walker)
    parts = [hovered(walker, f"{kind}_{part}") for part in PARTS]
    total = hovered(walker, kind)
    assert len(total) == 3
    for member, value in total.items():
        # Each is written to a hundredth.
        assert abs(sum(part[member] for part in parts) - value) <= 0.005 * (len(parts) + 1) + 1e-9
    told = dict(zip(PARTS, parts, strict=True))
    assert all(max(map(abs, told[part].values())) > 0.1 for part in ("loss", "voltage", "congestion"))
    walker.locator("#feeder-layer").select_option("voltage")
    walker.mouse.move(0, 0)
    settle(walker)


def test_a_bus_is_selected_by_key_and_edited_and_the_edit_is_taken_back(walker: Page) -> None:
    walker.locator("#feeder-diagram").focus()
    walker.keyboard.press("ArrowRight")
    walker.keyboard.press("Enter")
    expect(walker.locator("#feeder-edits-bus")).to_be_visible()
    assert "sel=bus" in walker.url
    walker.evaluate("() => window.headroom.select('feeder', 'centre:centre 740')")
    expect(walker.locator("#feeder-edits-centre")).to_be_visible()
    walker.locator("#feeder-edit-factor-value").fill("0.8")
    walker.get_by_role("button", name="Change its power factor").click()
    expect(walker.locator("#feeder-word-centres")).to_have_text("3 data centres, 1 edit,")
    expect(walker.locator("#feeder-state")).to_contain_text("Changed since: the edits")
    expect(walker.locator("#feeder-frame")).to_have_class(re.compile("hr-feeder-stale"))
    walker.get_by_role("button", name="Move this data centre").click()
    expect(walker.locator("#feeder-edits-message")).to_have_text("Centre 740 stands at bus 740 already.")
    walker.locator("#feeder-word-centres").click()
    walker.get_by_role("button", name="Take back: power factor of centre 740 is 0.8").click()
    expect(walker.locator("#feeder-frame")).not_to_have_class(re.compile("hr-feeder-stale"))
    expect(walker.locator("#feeder-compute")).to_be_hidden()
    walker.keyboard.press("Escape")
    settle(walker)


def test_an_edit_is_solved_as_a_job_and_told_beside_the_answer_without_it(walker: Page, server: Server) -> None:
    ask(walker, {**SMALL, "edits": [{"kind": "scale load", "value": 1.2}]})
    expect(walker.locator("#feeder-state")).to_contain_text("Not solved yet")
    solve(walker)
    assert begun(walker, server) == ["feeder.study"]
    walker.get_by_role("button", name="Solve it without edits").click()
    table = walker.locator("#feeder-compared-table")
    expect(table).to_be_visible(timeout=JOB_MS)
    cost = table.locator("tbody tr").nth(1).locator("th, td").all_inner_texts()
    assert cost[0] == "Operator's cost"
    assert cost[4].startswith("+")  # more load in the same hour cannot cost less
    settle(walker)
    walker.locator("#feeder-export").click()
    name, content = saved(walker, walker.get_by_role("button", name="Manifest of the run (JSON)"))
    told = json.loads(content)
    assert (told["question"]["hours"], name.endswith(".json")) == ([18], True)
    _, content = saved(walker, walker.get_by_role("button", name="This table as CSV"))
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["Bus"] for row in rows] == ["source", "load"]
    walker.keyboard.press("Escape")


def test_a_job_outlives_a_reload_and_is_cancelled(walker: Page) -> None:
    ask(walker, LONG)
    walker.locator("#feeder-compute").click()
    card = walker.locator("#feeder-state .hr-progress")
    expect(card).to_be_visible()
    walker.reload()
    expect(card).to_be_visible()
    card.get_by_role("button", name="Cancel").click()
    expect(walker.locator("#feeder-state")).to_contain_text("The study was cancelled", timeout=JOB_MS)
    expect(walker.locator("#feeder-compute")).to_be_visible()
    settle(walker)


def test_a_link_gives_another_reader_the_same_question_and_view(walker: Page, browser: Browser, server: Server) -> None:
    ask(walker, SMALL)  # solved before, as the answer without edits
    drawn(walker)
    walker.locator("#feeder-layer").select_option("price")
    walker.evaluate("() => window.headroom.select('feeder', 'bus:load')")
    expect(walker.locator(".hr-feeder-sheet")).to_contain_text("load")
    walker.locator("#feeder-tab").get_by_text("Profile", exact=True).click()
    expect(walker.locator("#feeder-export-link")).to_have_value(re.compile("tab=profile"))
    expect(walker.locator("#feeder-export-link")).to_have_value(re.compile("sel=bus"))
    settle(walker)
    link = walker.locator("#feeder-export-link").input_value()
    other = browser.new_context(base_url=server.address, reduced_motion="reduce").new_page()
    try:
        open_page(other, link)
        drawn(other)
        expect(other.locator("#feeder-word-feeder")).to_have_value("two-bus")
        expect(other.locator("#feeder-word-hours")).to_have_value("18")
        expect(other.locator("#feeder-layer")).to_have_value("price")
        expect(other.locator("#feeder-edits-bus")).to_be_visible()
        expect(other.locator("#feeder-panel-profile")).to_be_visible()
        expect(other.locator("#feeder-compute")).to_be_hidden()
    finally:
        other.context.close()


def test_nothing_of_the_page_stands_in_anybody_s_way_in_either_theme(walker: Page) -> None:
    walker.evaluate("() => window.headroom.select('feeder', 'bus:741')")
    expect(walker.locator("#feeder-edits-bus")).to_be_visible()
    walker.get_by_role("button", name="More").click()
    settle(walker)
    assert barriers(walker) == []
    walker.get_by_role("button", name="More").click()
    for tab in ("Prices", "Methods", "Checks"):
        walker.locator("#feeder-tab").get_by_text(tab, exact=True).click()
        settle(walker)
        assert axe_violations(walker, "#feeder-drawer") == []


def test_nothing_stands_in_the_way_on_a_phone_or_beyond_its_width(walker: Page) -> None:
    walker.set_viewport_size(PHONE)
    try:
        walker.evaluate("() => window.headroom.select('feeder', 'bus:741')")
        settle(walker)
        assert barriers(walker) == []
        for pane in ("map", "why", "table"):  # whose colours were looked at in both themes above
            walker.locator(f"[data-pane-tab={pane}]").click()
            if pane == "table":
                walker.locator("#feeder-tab").get_by_text("Schedules", exact=True).click()
                expect(walker.locator("#feeder-panel-schedules")).to_be_visible()
            settle(walker)
            assert axe_violations(walker, f"[data-pane-body={pane}]") == []
            assert walker.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        walker.set_viewport_size(DESKTOP)
