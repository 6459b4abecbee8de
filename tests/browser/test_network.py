"""The Network page on the running product: drawing by mouse, by keyboard alone, on the map; no barriers."""

import numpy as np
from playwright.sync_api import Page, expect

from engine.network import library
from engine.network.tables import COLUMNS, NetworkTables
from tests.browser.browsing import DESKTOP, DIALOG, PHONE, axe_violations, barriers, begin_study, open_page, settle
from tests.browser.network_page import canvas, cell, exported, new_study, open_example, place, ready, said, show_table

# Places and names are the drawer's own; all else of the published case must be there.
LEFT_OUT = {"x", "y", "name", "longitude", "latitude"}


def assert_is_the_paper_case(drawn: NetworkTables) -> None:
    wanted = library.load("fourbus")
    for name, columns in COLUMNS.items():
        kept = [column.name for column in columns if column.name not in LEFT_OUT]
        assert drawn.table(name)[kept].equals(wanted.table(name)[kept]), name


def test_a_class_draws_the_paper_case_with_the_mouse(page: Page) -> None:
    new_study(page)
    box = canvas(page)
    hint = page.locator("#network-hint")
    expect(hint).to_contain_text("Press anywhere to place the first bus")
    for number, (x, y) in enumerate([(0.2, 0.5), (0.45, 0.5), (0.75, 0.3), (0.75, 0.75)], start=1):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        said(page, f"Add bus {number}")
    expect(hint).to_be_hidden()
    page.get_by_role("button", name="Connect").click()
    for number, (start, end) in enumerate([("1", "2"), ("2", "3"), ("2", "4")]):
        if number == 0:  # by dragging
            page.mouse.move(*place(page, start))
            page.mouse.down()
            page.mouse.move(*place(page, end), steps=8)
            page.mouse.up()
        else:  # by two presses
            page.mouse.click(*place(page, start))
            page.mouse.click(*place(page, end))
        said(page, f"Connect {start} to {end}. Still to come: a unit")
    for row, load in enumerate(["25", "25", "15", "20"]):
        cell(page, "buses", row, "load_mw", load)
    for row in range(4):
        cell(page, "buses", row, "withdrawal_limit_mw", "40")
    show_table(page, "Branches")
    for row, rating in enumerate(["100", "50", "50"]):
        cell(page, "branches", row, "rating_a_mw", rating)
    page.get_by_role("button", name="Select", exact=True).click()
    page.mouse.click(*place(page, "1"))
    page.get_by_role("button", name="Add unit").click()
    said(page, "Add unit 1-1")
    form = page.locator("#network-inspector")
    form.get_by_label("Output MW", exact=True).fill("85")
    form.get_by_label("Largest output MW").fill("300")
    form.get_by_label("Cost c1 $/MWh").fill("20")
    form.get_by_role("button", name="Apply").click()
    said(page, "Edit 3 cells of unit 1-1")
    assert_is_the_paper_case(exported(page))


def test_the_paper_case_is_drawn_with_the_keyboard_alone_and_undone_and_redone(page: Page) -> None:
    new_study(page)

    def tab_to(selector: str, key: str = "Tab") -> None:
        for _ in range(60):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press(key)
        raise AssertionError(f"{selector} is not reached by {key}")

    def paste(rows: str) -> None:
        tab_to("#network-paste")
        page.keyboard.press("Enter")
        tab_to("#network-paste-text")
        page.keyboard.insert_text(rows)
        tab_to("#network-paste-rows")
        page.keyboard.press("Enter")

    tab_to("[data-draw-canvas]")
    page.keyboard.press("Enter")  # an empty canvas waits with the tool that adds
    said(page, "Add bus 1")
    page.keyboard.press("Control+z")
    said(page, "Undone: add bus 1")
    paste("Bus\tLoad\tWithdrawal limit\n1\t25\t40\n2\t25,0\t40\n3\t15\t40\n4\t20\t40")
    said(page, "4 rows pasted into buses")
    tab_to("#network-tab input", "Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#network-add-form")).to_contain_text("From bus")
    tab_to("#network-add")
    page.keyboard.press("Enter")
    expect(page.locator("#network-add-form").get_by_label("From bus")).to_be_focused()
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # past the reactance
    page.keyboard.type("100")
    page.keyboard.press("Enter")
    said(page, "Add branch 1-2")
    paste("From bus\tTo bus\tRating A\n2\t3\t50\n2\t4\t50")
    said(page, "2 rows pasted into branches")
    tab_to("#network-tab input", "Shift+Tab")
    page.keyboard.press("ArrowRight")
    paste("bus\tp_mw\tp_max_mw\tcost_c1_per_mwh\n1\t85\t300\t20")
    said(page, "1 row pasted into units")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    said(page, "Undone: 1 row pasted into units")
    page.keyboard.press("Control+y")
    said(page, "Done again")
    page.reload()
    ready(page)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    assert_is_the_paper_case(exported(page))


def test_forms_and_keys_change_name_and_delete_what_is_selected(page: Page) -> None:
    open_example(page, "fourbus")
    page.mouse.click(*place(page, "2"))
    form = page.locator("#network-inspector")
    expect(form).to_contain_text("Bus 2")
    form.get_by_label("Load MW").fill("26,5")
    form.get_by_role("button", name="Apply").click()
    said(page, "Set Load of bus 2 to 26,5 MW")
    form.get_by_label("Bus", exact=True).fill("Hartley")
    page.keyboard.press("Enter")
    said(page, "Set Bus of bus 2 to Hartley")
    expect(form).to_contain_text("Bus Hartley")
    form.get_by_role("button", name="2-3: line to 3").click()
    expect(form.get_by_label("From bus")).to_have_value("Hartley")
    form.get_by_label("Rating A MW").fill("")
    form.get_by_label("In service").select_option("no")
    form.get_by_role("button", name="Apply").click()
    said(page, "Edit 2 cells of branch 2-3")
    drawn = exported(page)
    assert drawn.buses["load_mw"].tolist() == [25, 26.5, 15, 20]
    assert drawn.branches["from_bus"].tolist() == ["1", "Hartley", "Hartley"]
    assert drawn.branches["in_service"].tolist() == [True, False, True]
    # With nothing selected the network's own name can be changed; many elements are deleted at once.
    canvas = page.locator("[data-draw-canvas]").bounding_box()
    assert canvas is not None
    page.mouse.click(canvas["x"] + 30, canvas["y"] + canvas["height"] - 30)  # where nothing is drawn
    name = page.locator("#network-name")
    name.fill("Seminar room")
    name.press("Enter")
    said(page, "Name the network Seminar room")
    page.mouse.click(*place(page, "3"))
    page.keyboard.down("Shift")
    page.mouse.click(*place(page, "4"))
    page.keyboard.up("Shift")
    said(page, "2 selected")
    page.locator("[data-draw-canvas]").focus()
    page.keyboard.press("Delete")
    said(page, "Delete 2 buses with 2 branches")
    drawn = exported(page)
    assert (drawn.name, drawn.buses["bus"].tolist()) == ("Seminar room", ["1", "Hartley"])


def test_a_bad_paste_names_every_cell_and_a_problem_leads_to_its_row(page: Page) -> None:
    open_example(page, "fourbus")
    page.locator("#network-paste").click()
    page.locator("#network-paste-text").fill("Bus\tLoad\n8\tmany\n9\tmore")
    page.locator("#network-paste-rows").click()
    told = page.locator("#network-paste-message")
    expect(told).to_contain_text("row 2, Load")
    expect(told).to_contain_text("row 3, Load")
    expect(page.locator("[data-draw-table=buses] .ag-row[row-index]")).not_to_have_count(0)
    assert len(exported(page).buses) == 4  # nothing of it was taken
    cell(page, "buses", 1, "load_mw", "5000")
    show_table(page, "Branches")
    cell(page, "branches", 1, "reactance_pu", "0")
    show_table(page, "Problems")
    page.locator("[data-draw-table=problems] .ag-row", has_text="2-3").first.click()
    expect(page.locator("[data-draw-table=branches]")).to_be_visible()
    expect(page.locator("#network-inspector")).to_contain_text("Branch 2-3")
    expect(page.locator('[data-draw-table=branches] .ag-row-selected [col-id="branch"]')).to_have_text("2-3")


def test_texas_is_edited_at_once_and_drawn_on_the_map(page: Page) -> None:
    open_example(page, "texas-2016")
    target = page.locator('[data-draw-table=buses] .ag-row[row-index="2"] [col-id="load_mw"]')
    target.dblclick()
    page.keyboard.type("12,5")
    took = page.evaluate(
        """() => new Promise(done => {
             const begun = performance.now(), box = document.getElementById('network-message');
             new MutationObserver((_, watch) => { watch.disconnect(); done(performance.now() - begun); })
               .observe(box, {childList: true, characterData: true, subtree: true});
             document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
           })"""
    )
    said(page, "Set Load of bus 1003 to 12.5 MW")
    assert took < 30_000  # 0.4 s on an idle machine, ten times that on a busy one
    page.get_by_role("button", name="Add bus").click()
    spot = page.locator("#network-map").bounding_box()
    assert spot is not None
    page.mouse.click(spot["x"] + spot["width"] * 0.25, spot["y"] + spot["height"] * 0.3)
    said(page, "Add bus 8161")
    expect(page.locator("#network-inspector")).to_contain_text("Bus 8161")


def at_on_map(page: Page, bus: str) -> tuple[float, float]:
    x, y = page.evaluate(
        """bus => { const s = headroom.maps.network, r = s.map.getContainer().getBoundingClientRect();
                    const p = s.map.latLngToContainerPoint(s.buses.get(bus).getLatLng());
                    return [r.x + p.x, r.y + p.y]; }""",
        bus,
    )
    return float(x), float(y)


def test_on_the_map_two_presses_connect_and_a_drag_moves(page: Page) -> None:
    new_study(page)
    page.locator("#network-paste").click()
    rows = "Bus\tLongitude\tLatitude\n1\t-99,5\t32\n2\t-97,5\t30\n3\t-98,5\t31"
    page.locator("#network-paste-text").fill(rows)
    page.locator("#network-paste-rows").click()
    said(page, "3 rows pasted")
    ready(page)
    expect(page.locator("#network-map")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Connect").click()
    page.mouse.click(*at_on_map(page, "1"))
    page.mouse.click(*at_on_map(page, "2"))
    said(page, "Connect 1 to 2")
    page.get_by_role("button", name="Select", exact=True).click()
    page.mouse.click(*at_on_map(page, "3"))
    expect(page.locator("#network-inspector")).to_contain_text("Bus 3")
    grip = page.locator(".hr-draw-grip")
    expect(grip).to_be_visible()
    x, y = at_on_map(page, "3")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10, steps=6)
    page.mouse.up()
    said(page, "Move bus 3")
    assert exported(page).buses["longitude"].iloc[2] > -98.5


def test_an_empty_study_has_no_barrier(page: Page) -> None:
    new_study(page)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        settle(page)
        assert barriers(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]


def solve_and_select(page: Page) -> None:
    page.get_by_role("button", name="Solve DC-OPF").click()
    expect(page.locator(".hr-draw-answer")).to_be_visible()
    page.locator("[data-draw-table=buses] .ag-row[row-index='1'] [col-id=name]").click()
    expect(page.locator("#network-inspector")).to_contain_text("Withdrawal limit")


def test_the_page_has_no_barrier(page: Page) -> None:
    open_example(page, "fourbus")
    assert barriers(page) == []
    solve_and_select(page)
    assert barriers(page) == []
    show_table(page, "Dispatch")
    expect(page.locator("[data-draw-dispatch=prices] .ag-row").first).to_be_visible()
    assert barriers(page, "[data-pane-body=table]") == []
    page.locator("#network-import").click()
    assert barriers(page, DIALOG) == []
    page.keyboard.press("Escape")
    show_table(page, "Problems")
    page.set_viewport_size(PHONE)
    settle(page)
    assert barriers(page) == []
    for pane in ("why", "table", "map"):  # whose colours were looked at in both themes above
        page.locator(f"[data-pane-tab={pane}]").click()
        assert axe_violations(page, f"[data-pane-body={pane}]") == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_grid_with_places_has_no_barrier_on_its_map(page: Page) -> None:
    """What is not the map is that of the test above."""
    grid = library.load("rts24")
    buses, number = grid.buses, np.arange(len(grid.buses))
    placed = grid.with_table(
        "buses", buses.assign(longitude=-100.0 + 0.5 * (number % 6), latitude=30.0 + 0.5 * (number // 6))
    )
    open_page(page, f"/network?study={begin_study(page, 'Placed', placed)}")
    ready(page)
    expect(page.locator("#network-map")).to_be_visible()
    solve_and_select(page)
    assert barriers(page) == []
    page.set_viewport_size(PHONE)
    settle(page)
    page.locator("[data-pane-tab=map]").click()
    assert axe_violations(page, "[data-pane-body=map]") == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
