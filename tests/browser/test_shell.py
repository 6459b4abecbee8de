"""The skeleton in a browser, on one page made of every shared component (tests/browser/specimen.py)."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import (
    DESKTOP,
    DIALOG,
    PHONE,
    ROOT,
    THEMES,
    Watch,
    barriers,
    open_page,
    set_theme,
)
from tests.ports import free_port
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of the specimen, served by a process of its own."""
    port = free_port()
    log = tmp_path_factory.mktemp("specimen") / "log.txt"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.specimen"],
            cwd=ROOT, env={**os.environ, "PORT": str(port)}, stdout=sink, stderr=sink,
        )  # fmt: skip
        try:
            wait_for(lambda: listens(port) or process.poll() is not None)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def bench(browser: Browser, address: str, watch: Watch) -> Iterator[Page]:
    """Yield the page on a grid of 24 buses, which is drawn at once."""
    context = browser.new_context(base_url=address, viewport=DESKTOP, reduced_motion="reduce", accept_downloads=True)
    page = context.new_page()
    watch.see(page)
    open_bench(page)
    yield page
    watch.check()
    context.close()


def open_bench(page: Page, grid: str = "rts24", more: str = "") -> None:
    open_page(page, f"/capacity?grid={grid}{more}")
    page.wait_for_function("() => window.headroom.maps.capacity && window.headroom.maps.capacity.buses.size > 0")
    expect(page.locator("#capacity-table-grid .ag-row").first).to_be_attached()


def expect_ring(page: Page, bus: str) -> None:
    """Wait until the ring of the selection is around a bus."""
    page.wait_for_function(
        """id => { const s = window.headroom.maps.capacity;
                  return Boolean(s.ring) && s.ring.getLatLng().equals(s.buses.get(id).getLatLng()); }""",
        arg=bus,
    )


def press_bus(page: Page, bus: str) -> None:
    spot = page.evaluate(
        """(id) => { const s = window.headroom.maps.capacity;
            const p = s.map.latLngToContainerPoint(s.buses.get(id).getLatLng());
            const box = s.map.getContainer().getBoundingClientRect(); return [box.left + p.x, box.top + p.y]; }""",
        bus,
    )
    page.mouse.click(*spot)


def test_map_table_and_search_share_the_selection(bench: Page) -> None:
    press_bus(bench, "15")
    expect(bench.locator("#specimen-selected")).to_have_text("selected: bus:15")
    expect(bench.locator("#capacity-table-grid .ag-row-selected").first).to_have_attribute("row-id", "15")
    expect_ring(bench, "15")
    # A row of the table.
    bench.locator('#capacity-table-grid .ag-row[row-id="3"] [col-id="zone"]').click()
    expect(bench.locator("#specimen-selected")).to_have_text("selected: bus:3")
    expect_ring(bench, "3")
    press_bus(bench, "3")  # the same element again is the same selection
    expect(bench.locator("#specimen-selected")).to_have_text("selected: bus:3")
    # Found with the keyboard alone.
    bench.locator("body").press("/")
    box = bench.get_by_role("combobox", name="Search a substation or a bus")
    expect(box).to_be_focused()
    box.press_sequentially("21")
    expect(bench.locator("#capacity-map-search-list").get_by_role("option").first).to_contain_text("21")
    box.press("Enter")
    expect(bench.locator("#specimen-selected")).to_have_text("selected: bus:21")


def test_a_layer_switches_in_the_browser_and_numbers_and_words_answer_to_keys(bench: Page) -> None:
    asked: list[str] = []
    bench.on("request", lambda request: asked.append(request.url))
    expect(bench.locator("#capacity-map-legend")).to_contain_text("Load, MW")
    bench.get_by_text("Difference", exact=True).click()
    expect(bench.locator("#capacity-map-legend")).to_contain_text("Difference, MW")
    assert asked == []
    # A number says why on Enter, and its card closes on Escape.
    number = bench.locator("#specimen-why")
    number.focus()
    number.press("Enter")
    card = bench.get_by_role("dialog", name="Why: firm capacity")
    expect(card).to_be_visible()
    expect(card).to_contain_text("Transformer 5120-5467")
    bench.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(number).to_be_focused()
    # The words of the question are controls.
    bench.get_by_label("Supply").select_option("slack")
    number = bench.get_by_label("Risk level, %")
    number.fill("7.5")
    number.press("Tab")
    bench.get_by_role("button", name="50 sites").press("Enter")
    expect(bench.get_by_role("dialog", name="Sites")).to_be_visible()
    bench.keyboard.press("Escape")
    more = bench.get_by_role("button", name="More")
    more.click()
    expect(bench.get_by_label("Cutoff")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")


def test_keys_move_between_the_panes_and_rest_while_one_types(bench: Page) -> None:
    body = bench.locator("body")
    body.press("m")
    expect(bench.locator("#capacity-map")).to_be_focused()
    body.press("t")
    assert bench.evaluate("() => Boolean(document.activeElement.closest('.ag-root'))")
    bench.locator("#shell-help-open").focus()
    body.press("]")
    expect(bench.locator(".hr-pane-why")).to_be_hidden()
    body.press("]")
    expect(bench.locator(".hr-pane-why")).to_be_visible()
    body.press("[")
    expect(bench.locator("html")).to_have_class("hr-rail-folded")
    body.press("[")
    body.press("?")
    expect(bench.locator("#shell-help")).to_be_visible()
    body.press("Escape")
    expect(bench.locator("#shell-help")).to_be_hidden()
    box = bench.locator("#capacity-table-filter")
    box.fill("")
    box.press_sequentially("t?m")
    expect(box).to_have_value("t?m")
    expect(bench.locator("#shell-help")).to_be_hidden()


def test_panes_are_resized_with_arrow_keys_and_keep_it(bench: Page) -> None:
    line = bench.get_by_role("separator", name="Width of the inspector")
    before = bench.locator(".hr-pane-why").bounding_box()
    line.press("ArrowLeft")
    line.press("ArrowLeft")
    after = bench.locator(".hr-pane-why").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"] + 20
    open_bench(bench)
    again = bench.locator(".hr-pane-why").bounding_box()
    assert again is not None
    assert again["width"] == pytest.approx(after["width"], abs=2)


def test_the_quick_filter_filters_the_csv_is_safe_and_the_theme_is_remembered(bench: Page, tmp_path: Path) -> None:
    bench.evaluate(
        """() => dash_ag_grid.getApi('capacity-table-grid')
                   .applyTransaction({add: [{bus: '=1+1', name: '-2', load_mw: -3}]})"""
    )
    bench.locator("#capacity-table-filter").fill("=1")
    expect(bench.locator("#capacity-table-grid .ag-center-cols-container .ag-row")).to_have_count(1)
    with bench.expect_download() as download:
        bench.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "buses.csv")
    text = (tmp_path / "buses.csv").read_text(encoding="utf-8-sig")
    assert '"\'=1+1"' in text
    assert '"\'-2"' in text
    assert '"-3"' in text  # a number stays a number
    # The theme stands before the first paint.
    root = bench.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "light")
    bench.get_by_role("button", name="Switch between light and dark").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(root).to_have_attribute("data-ag-theme-mode", "dark")
    assert bench.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(16, 23, 28)"
    bench.add_init_script(
        """document.addEventListener('readystatechange', () => {
            window.firstTheme = window.firstTheme || document.documentElement.getAttribute('data-bs-theme'); })"""
    )
    open_bench(bench)
    assert bench.evaluate("() => window.firstTheme") == "dark"


def test_colours_and_sizes_are_those_of_the_design(bench: Page) -> None:
    for theme in THEMES:
        set_theme(bench, theme)
        expect(bench.locator("html")).to_have_attribute("data-bs-theme", theme)
        seen = bench.evaluate(
            """() => {
                const look = selector => getComputedStyle(document.querySelector(selector));
                const probe = document.body.appendChild(document.createElement('i'));
                probe.style.background = 'var(--hr-surface)';
                const surface = getComputedStyle(probe).backgroundColor;
                const rows = [...document.querySelectorAll('.ag-row:not(.ag-row-selected)')].slice(0, 2);
                return {
                    text: look('body').fontSize, cell: look('.ag-cell').fontSize,
                    total: look('.hr-total-value').fontSize, digits: look('body').fontVariantNumeric, surface,
                    rows: rows.map(row => getComputedStyle(row).backgroundColor),
                };
            }"""
        )
        assert (seen["text"], seen["cell"], seen["total"]) == ("14px", "12px", "28px")
        assert seen["digits"] == "tabular-nums"
        assert seen["rows"] == [seen["surface"]] * 2


def test_on_a_phone_panes_are_tabs_the_question_a_sentence_and_the_legend_waits(bench: Page) -> None:
    bench.set_viewport_size(PHONE)
    legend = bench.locator("#capacity-map-legend")
    expect(legend).to_be_hidden()
    button = bench.get_by_role("button", name="Legend", exact=True)
    button.click()
    expect(legend).to_contain_text("Load, MW")
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(legend).to_be_hidden()
    # Panes and question.
    expect(bench.locator(".hr-pane-map")).to_be_visible()
    expect(bench.locator(".hr-pane-why")).to_be_hidden()
    bench.get_by_role("button", name="Why", exact=True).click()
    expect(bench.locator(".hr-pane-why")).to_be_visible()
    bench.get_by_role("button", name="Table", exact=True).click()
    expect(bench.locator("#capacity-table-grid")).to_be_visible()
    expect(bench.locator(".hr-sentence-plain")).to_have_text(
        "How much can 50 sites take, kept in every hour of 2016 or interrupted in at most 5 %, "
        "with power from unit headroom?"
    )
    expect(bench.locator(".hr-sentence")).to_be_hidden()
    bench.get_by_role("button", name="Edit").click()
    expect(bench.get_by_label("Supply")).to_be_visible()
    assert bench.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["wide", "narrow"])
def test_every_component_is_within_wcag_2_aa(bench: Page, size: dict[str, int]) -> None:
    bench.set_viewport_size(size)
    open_bench(bench, more="&busy=1&states=1")
    bench.evaluate("() => { headroom.toast('Deleted Texas', {action: 'none'}); headroom.toast('The study is back'); }")
    bench.get_by_role("button", name="1 job 64").click()
    expect(bench.get_by_role("dialog", name="Running jobs")).to_contain_text("about 12 s left")
    assert barriers(bench) == []
    bench.keyboard.press("Escape")
    if size == PHONE:
        for tab, what in (("Legend", "map"), ("Why", "why"), ("Table", "table")):
            bench.get_by_role("button", name=tab, exact=True).click()
            assert barriers(bench, f"[data-pane-body={what}]") == []
        return
    bench.locator("#specimen-why").click()
    assert barriers(bench, DIALOG) == []
    bench.keyboard.press("Escape")
    bench.get_by_role("button", name="More").click()
    bench.locator("#shell-help-open").click()
    assert barriers(bench) == []


def test_react_is_told_of_what_a_component_reads_and_of_nothing_else(bench: Page) -> None:
    told = bench.evaluate(
        """async () => {
            const store = window.dash_stores[0], counts = [];
            const begun = ['one', 'two'].map(name => JSON.stringify({id: name}).slice(1, -1));
            const marks = () => begun.filter(id => JSON.stringify(store.getState().loading).includes(id)).length;
            let told = 0, marked = 0, together = 0;
            const end = store.subscribe(() => {
                told += 1;
                if (marks() !== marked) { marked = marks(); together += 1; }
            });
            const after = act => { told = 0; act(); counts.push(told); };
            const loading = name => store.dispatch(
                {type: 'LOADING', payload: [{path: [name], id: name, property: 'children'}]});
            after(() => store.dispatch({type: 'RESET_COMPONENT_STATE', payload: {itempath: ['nowhere']}}));
            after(() => store.dispatch({type: 'AddRequestedCallbacks', payload: []}));
            after(() => window.dash_clientside.set_props('main', {title: 'told'}));
            after(() => { loading('one'); loading('two'); });
            await new Promise(done => setTimeout(done, 50));
            counts.push(marked, together);
            end();
            const unread = ['callbacks', 'callbackJobs', 'changed', 'paths', 'profile'];
            return {counts, unknown: unread.filter(name => !(name in store.getState()))};
        }"""
    )
    # A component's books at its drawing and what waits: nothing. A change of a part: once. Two that begin: not at once,
    # and later both in one telling, however often the page itself changes meanwhile.
    assert told == {"counts": [0, 0, 1, 0, 2, 1], "unknown": []}
    expect(bench.locator("#main")).to_have_attribute("title", "told")
