"""A reader walks through what hangs on a siting answer: sheet, AC check, agreement, files, studies, clearing, auction.

At the end every table and the sheet are looked at for barriers, in both themes.

All of it on one small study and one page, whose gate and market are computed once.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from components.siting import TAB_WORDS
from tests.browser.browsing import Server, Watch, barriers, begin_study, forget, open_page, settle
from tests.siting_study import priced

ASKED = {"choice": "list", "hours": [15, 3], "candidates": "listed", "buses": ["A", "B"], "sizes_mw": [50.0, 100.0],
         "shortlist": 2}  # fmt: skip
MARKET = "peak~~2~0.03~10"
JOB_MS = 180_000.0  # a job begins processes of its own, which on a busy machine takes its time


@pytest.fixture(scope="module")
def stands(context: BrowserContext, server: Server) -> Iterator[tuple[Page, Watch, str]]:
    """Yield a page that stands on the study's answer, what watches it, and its address."""
    page, watch = context.new_page(), Watch()
    forget(page, server.address)
    watch.see(page)
    study = begin_study(page, "Pair", priced().tables)
    address = f"/siting?study={study}&ask={quote(json.dumps(ASKED))}&mk={quote(MARKET)}&mw=50"
    open_page(page, address)
    expect(page.locator("#siting-market")).to_contain_text("are served on every day", timeout=JOB_MS)
    settle(page)
    yield page, watch, address
    watch.leave(context)
    page.close()


@pytest.fixture
def walker(stands: tuple[Page, Watch, str], server: Server) -> Iterator[Page]:
    """Yield the page with nothing selected and 50 MW drawn; it must end without an error."""
    page, watch, address = stands
    before = len(server.faults())
    if "/siting?" not in page.url:  # a test before went on to another page
        open_page(page, address)
    page.evaluate("() => window.headroom.select('siting', null)")
    page.locator("#siting-size").select_option("50")
    expect(page.locator("#siting-overview-head")).to_contain_text("50.0 MW")
    yield page
    watch.check()
    assert server.faults()[before:] == [], "errors in the server's log"


def select(page: Page, bus: str) -> None:
    page.evaluate("id => window.headroom.select('siting', 'bus:' + id)", bus)
    expect(page.locator("#siting-sheet-place")).to_contain_text(f"bus {bus}")
    settle(page)


def tab(page: Page, words: str) -> None:
    page.locator("#siting-tab").get_by_text(words, exact=True).click()
    settle(page)


def rows_of(page: Page, name: str) -> list[list[str]]:
    """Return the cells of a small table, row by row."""
    table = page.locator(f"#siting-table-{name}")
    expect(table).to_be_visible()
    return [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]


def saved(page: Page, press: Locator) -> str:
    """Return the file that a press saves."""
    with page.expect_download() as found:
        press.click()
    return Path(found.value.path()).read_text(encoding="utf-8")


def marked(page: Page) -> dict[str, list[int]]:
    return page.evaluate(
        "() => { const m = window.headroom.maps.siting; return {branches: [...m.bindingBranches].sort(), "
        "buses: [...m.bindingBuses].sort()}; }"
    )


def test_one_press_beside_the_chart_decides_every_size(walker: Page) -> None:
    press = walker.get_by_role("button", name="Decide every size")
    press.click()
    expect(walker.locator("#siting-table-largest-sites")).to_be_visible(timeout=JOB_MS)
    expect(walker.locator("#siting-overview-rest")).to_contain_text("are decided, 10 to 2", timeout=JOB_MS)
    expect(press).to_have_count(0)
    tab(walker, "Sizes")
    rows = list(csv.reader(io.StringIO(saved(walker, walker.get_by_role("link", name="CSV of Sites that qualify")))))
    assert len(rows) == 1 + 200 * 3  # every size from 10 MW to 2 GW, under three envelopes


def test_a_failing_outage_is_marked_on_the_map_and_says_which_limits_no_dispatch_keeps(walker: Page) -> None:
    """Unit b lost, 200 MW of unit a reach B over two circuits of 80 MW: 160 MW are too few for what B draws.

    It draws 91.9 and 104.9 MW in the two hours, and 80 MW more: both fail, of two hours times four outages. With one
    circuit or unit a lost, unit b's 200 MW and the circuits left are enough.
    """
    walker.locator("#siting-size").select_option("100")
    select(walker, "B")
    sheet = walker.locator("#siting-site")
    expect(sheet).to_contain_text("The loss of unit b at bus B")
    (rate,) = [row for row in rows_of(walker, "rates") if row[:2] == ["firm", "100"]]
    assert rate[2].startswith("75.0")
    (failing,) = rows_of(walker, "failing")
    assert failing[1] == "2 of 2"
    assert marked(walker) == {"branches": [], "buses": []}
    walker.get_by_role("button", name="The loss of unit b at bus B").click()
    told = walker.locator("#siting-outage-told")
    expect(told).to_contain_text("No dispatch keeps these limits together")
    expect(told).to_contain_text("line A-B/")
    # Half of the load flows over each circuit: 40 MW, where half of 91.9 MW leave 80 - 45.97 = 34.03.
    expect(told).to_contain_text("40.0 of 34.0 MW")
    settle(walker)
    marks = marked(walker)
    assert marks["buses"] == [1]  # the lost unit is at B
    assert set(marks["branches"]) <= {0, 1}  # one of two equal circuits is proof enough
    assert marks["branches"]
    walker.get_by_role("button", name="Clear the marks").click()
    expect(told).to_be_empty()
    settle(walker)
    assert marked(walker) == {"branches": [], "buses": []}


def test_ac_power_flows_are_computed_by_a_press_and_flag_without_gating(walker: Page) -> None:
    select(walker, "B")
    panel = walker.locator("#siting-ac")
    panel.get_by_role("button", name="Compute").click()
    expect(panel).to_contain_text("Flags do not change the gate's verdict", timeout=JOB_MS)
    states = rows_of(walker, "ac")
    assert len(states) >= 2
    # No branch of this network has a resistance: an AC power flow of it loses nothing.
    losses = [row[1].replace("\u2212", "-") for row in states]
    assert {abs(float(mw)) for mw in losses if mw != "\u2013"} == {0.0}, losses


def test_an_agreement_is_drafted_kept_read_back_and_a_meter_is_held_against_it(walker: Page, tmp_path: Path) -> None:
    select(walker, "B")
    walker.get_by_role("button", name="Draft agreement").click()
    draft = walker.locator("#siting-terms")
    expect(draft).to_contain_text("50 MW nameplate")
    walker.get_by_label("A metered mean every").select_option("60")
    expect(draft).to_contain_text("a mean every 60 min")
    settle(walker)
    content = saved(walker, walker.locator("#siting-terms-keep"))
    terms = json.loads(content)
    assert (terms["nameplate_mw"], terms["envelope"]["name"], terms["sampling_min"]) == (50.0, "firm", 60)
    signed = tmp_path / "signed.json"
    signed.write_text(content, encoding="utf-8")
    walker.locator("#siting-signed-file input").set_input_files(signed)
    expect(walker.locator("#siting-signed-shown")).to_contain_text("signed.json")
    # 0.8 x 50 MW and 1 % of it are allowed: 40.4 MW. One hour of the day draws 41.
    meter = tmp_path / "meter.csv"
    lines = [f"2026-06-01T{hour:02d}:00,{41.0 if hour == 9 else 39.0}" for hour in range(24)]
    meter.write_text("\n".join(["time,mw", *lines]), encoding="utf-8")
    walker.locator("#siting-meter input").set_input_files(meter)
    audit = walker.locator("#siting-audit")
    expect(audit).to_contain_text("Not kept")
    expect(audit).to_contain_text("the signed agreement signed.json")
    (day,) = rows_of(walker, "audit")
    assert "cap at 09:00: 41.0 MW, allowed 40.4 MW" in day[4]
    walker.get_by_role("button", name="Back to the draft").click()
    expect(walker.locator("#siting-signed-shown")).to_contain_text("held against the draft")
    expect(audit).to_be_empty()


def test_the_catalogue_saves_what_it_shows_and_how_it_was_made(walker: Page) -> None:
    tab(walker, "Catalogue")
    expect(walker.locator("#siting-entries")).to_contain_text("2 candidates")
    files = {name: saved(walker, walker.locator(f"[data-siting-keep='{name}']")) for name in
             ("csv", "geojson", "manifest")}  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(files["csv"])))
    assert len(rows) == 2 * 3 * 2  # buses, envelopes, sizes
    standing = {(row["bus"], row["nameplate_mw"]): row["standing"] for row in rows if row["envelope"] == "firm"}
    assert standing["A", "50.0"] == "qualified"
    assert standing["B", "100.0"] == "gate failed"  # two of eight pairs fail, one in twenty may
    rate = next(float(row["pass_rate"]) for row in rows if (row["bus"], row["nameplate_mw"]) == ("B", "100.0"))
    assert rate == pytest.approx(0.75)
    places = {point["properties"]["bus"]: point["geometry"]["coordinates"] for point in
              json.loads(files["geojson"])["features"]}  # fmt: skip
    assert places == {"A": [-97.0, 31.0], "B": [-96.0, 30.0]}
    told = json.loads(files["manifest"])
    assert [hour["hour"] for hour in told["hours"]] == ["2016-01-01 hour 4", "2016-01-01 hour 16"]
    assert told["question"]["sizes_mw"] == ASKED["sizes_mw"]


def test_a_study_asks_one_question_more_and_answers_in_a_table(walker: Page) -> None:
    tab(walker, "Studies")
    panel = walker.locator("#siting-study-panel")
    walker.locator("[data-siting-study='threshold']").click()
    expect(panel).to_contain_text("How many candidates qualify")
    settle(walker)
    counts = [[int(cell) for cell in row[1:]] for row in rows_of(walker, "threshold")]
    assert counts == sorted(counts, reverse=True)  # a law: the count falls as the threshold rises
    walker.locator("[data-siting-study='headroom']").click()
    expect(panel).to_contain_text("North", timeout=JOB_MS)
    settle(walker)
    ((name, branches, rating, *_),) = rows_of(walker, "corridors")
    assert (name, branches, rating) == ("North - South", "2", "160")  # two circuits of 80 MW


def test_applications_are_cleared_in_sequence_and_as_a_portfolio(walker: Page) -> None:
    """Three ask for 50 MW at two sites, one award at each: two are placed in either way, and the third says why not."""
    tab(walker, "Studies")
    lines = "name,mw,date,buses\nAnn,50,2026-01-01,\nBob,50,2026-01-02,\nCid,50,2026-01-03,"
    walker.locator("#siting-applicants").fill(lines)
    walker.locator("#siting-applicants").blur()
    settle(walker)
    placed = []
    for method in ("by score, in sequence", "the best portfolio"):
        walker.get_by_text(method, exact=True).click()
        settle(walker)
        walker.get_by_role("button", name="Clear", exact=True).click()
        expect(walker.locator("#siting-table-awards")).to_be_visible(timeout=JOB_MS)
        settle(walker)
        placed.append(rows_of(walker, "awards"))
        assert len({row[1] for row in placed[-1]}) == 2
        ((_, why),) = rows_of(walker, "left")
        assert "has 1 awards, 1 at most" in why or "worth more" in why
    assert [row[0] for row in placed[0]] == ["Ann", "Bob"]  # between equal scores the date decides


def test_sites_that_stand_together_are_published_and_auctioned(walker: Page) -> None:
    tab(walker, "Auction")
    walker.get_by_role("button", name="Try them together").click()
    offered = walker.locator("#siting-auction")
    expect(offered).to_contain_text("Stand together", timeout=JOB_MS)
    settle(walker)
    lots = rows_of(walker, "offered")
    assert lots
    for site in lots:  # r0 (2 - score) per MW, r0 as the form has it
        r0 = float(walker.get_by_label("Reserve r0, per MW").input_value())
        assert float(site[4]) == pytest.approx(r0 * (2.0 - float(site[3])), abs=0.1)
    walker.get_by_role("button", name="Publish as products").click()
    way = walker.get_by_role("link", name="Auction version 1")
    expect(way).to_be_visible(timeout=JOB_MS)
    way.click()
    walker.wait_for_url("**/auction?*")
    for site in lots:
        expect(walker.locator("main")).to_contain_text(f"50 MW {site[1]} at {site[0].partition(' (')[0]}")
    settle(walker)


def show(page: Page, tab: str) -> str:
    """Show one of the tables; return the selector of what it holds."""
    page.locator("#siting-tab").get_by_text(TAB_WORDS[tab], exact=True).click()
    body = f"#siting-tables > [data-tab-body={tab}]"
    expect(page.locator(body)).to_be_visible()
    settle(page)
    return body


def cut_off(page: Page) -> list[str]:
    """Return whether the document can be moved behind the frame that holds the page, one phrase each."""
    return page.evaluate(
        """() => {
            const found = [];
            if (document.documentElement.scrollWidth > window.innerWidth) found.push('the document is wider');
            if (document.body.scrollHeight > window.innerHeight) found.push('the body can be scrolled');
            return found;
        }"""
    )


def test_no_table_and_no_sheet_has_a_barrier_in_either_theme_and_none_moves_the_page(walker: Page) -> None:
    page = walker
    found = []
    for name in TAB_WORDS:
        show(page, name)
        found += [f"{name}: {one}" for one in cut_off(page)]
    body = show(page, "studies")
    page.get_by_role("button", name="How firm is this order").click()
    expect(page.locator(body)).to_contain_text("Places of the shortlist")
    select(page, "A")
    expect(page.locator("#siting-sheet-place")).to_contain_text("Reliability gate")
    # Looked at once, all tables under each other: each look goes through the whole page.
    page.add_style_tag(content="#siting-tables > [data-tab-body] { display: block !important }")
    settle(page)
    for name in TAB_WORDS:
        expect(page.locator(f"#siting-tables > [data-tab-body={name}]")).to_be_visible()
    assert found + barriers(page) == []
