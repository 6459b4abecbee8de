"""Home and the study picker on the running product: examples open; studies are made, renamed, deleted, brought back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import DIALOG, PHONE, barriers, open_page, settle


def open_small_grid(page: Page) -> None:
    open_page(page, "/")
    page.get_by_role("button", name="IEEE 14").click()
    expect(page.locator("#shell-study-name")).to_contain_text("14")
    settle(page)


def test_an_example_opens_as_a_study_of_ones_own_and_is_deleted_with_undo(page: Page) -> None:
    open_small_grid(page)
    assert "study=" in page.url
    open_page(page, "/")
    card = page.locator("#home-recent li")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("14 buses, 20 branches")
    page.locator("#home-recent").get_by_role("button").click()
    expect(page.locator("#home-recent")).to_contain_text("No studies yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#home-recent li")).to_have_count(1)


def test_a_study_is_made_renamed_and_copied_with_the_keyboard(page: Page) -> None:
    open_page(page, "/")
    page.locator("#shell-study-menu").press("Enter")
    page.get_by_role("button", name="New study").press("Enter")
    dialog = page.get_by_role("dialog", name="New study")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Give the study a name")
    dialog.get_by_label("Name").fill("Two substations")
    page.keyboard.press("Enter")
    expect(page.locator("#shell-study-name")).to_have_text("Two substations")
    settle(page)
    page.locator("#shell-study-menu").press("Enter")
    page.get_by_role("button", name="Rename this study").press("Enter")
    page.get_by_role("dialog", name="Rename the study").get_by_label("Name").fill("Three substations")
    page.keyboard.press("Enter")
    expect(page.locator("#shell-study-name")).to_have_text("Three substations")
    page.locator("#shell-study-menu").press("Enter")
    page.get_by_role("button", name="Duplicate it").press("Enter")
    expect(page.locator("#shell-study-name")).not_to_have_text("Three substations")
    page.locator("#shell-study-menu").press("Enter")
    expect(page.locator("#shell-study-list li")).to_have_count(2)


def test_a_study_deleted_in_the_picker_is_brought_back(page: Page) -> None:
    open_small_grid(page)
    page.locator("#shell-study-menu").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("#home-recent")).to_contain_text("No studies yet")
    expect(page.locator("#shell-study-name")).to_have_text("No study open")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#home-recent li")).to_contain_text("IEEE 14")
    page.locator("#shell-study-menu").click()
    page.locator("#shell-study-list").get_by_role("button", name="IEEE 14").click()
    expect(page.locator("#shell-study-name")).to_have_text("IEEE 14")


@pytest.mark.parametrize("name", ["Network", "Capacity", "Siting"])
def test_a_page_without_a_study_opens_its_worked_example_at_one_press(page: Page, name: str) -> None:
    open_page(page, f"/{name.lower()}")
    expect(page.get_by_text("No study is open")).to_be_visible()
    assert barriers(page) == []
    page.locator(f"#{name.lower()}-worked-example").click()
    expect(page.locator("#shell-study-name")).to_have_text("Texas 2000, fleet of 2020")
    expect(page.locator(".hr-question")).to_be_visible()


def test_every_page_is_left_without_an_error(page: Page) -> None:
    open_small_grid(page)
    for name in ("Network", "Capacity", "Auction", "Home", "Auction", "Network", "Home"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
        settle(page)
    page.evaluate("headroom.setProps('capacity-job-ended', {data: {}})")  # what comes too late for its page


def test_a_study_goes_out_as_a_file_and_comes_back_and_no_other_file_does(page: Page) -> None:
    open_small_grid(page)
    page.locator("#shell-study-menu").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export to a file").click()
    path = download.value.path()
    page.locator("#shell-study-menu").click()
    page.locator("#shell-study-import input[type=file]").set_input_files(
        {"name": "study.zip", "mimeType": "application/zip", "buffer": path.read_bytes()}
    )
    expect(page.locator("#shell-toasts")).to_contain_text("imported")
    settle(page)
    open_page(page, "/")
    expect(page.locator("#home-recent li")).to_have_count(2)
    page.locator("#shell-study-menu").click()
    page.locator("#shell-study-import input[type=file]").set_input_files(
        {"name": "study.zip", "mimeType": "application/zip", "buffer": b"not a study"}
    )
    expect(page.locator("#shell-toasts")).to_contain_text("Nothing was imported")
    open_page(page, "/")
    expect(page.locator("#home-recent li")).to_have_count(2)


def test_a_shared_link_lets_another_reader_in_read_only(page: Page) -> None:
    open_small_grid(page)
    page.locator("#shell-study-menu").click()
    page.get_by_role("button", name="Share by link").click()
    box = page.get_by_label("Link to this view")
    expect(box).to_have_value(re.compile(r"share=\S+"))
    link = box.input_value()
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context()
    reader = other.new_page()
    open_page(reader, link)
    expect(reader.locator("#shell-study-role-mark")).to_have_text("read only")
    assert "share=" not in reader.url
    page.get_by_role("button", name="End all sharing").click()
    expect(page.get_by_role("dialog", name="Share by link")).to_contain_text("All links are void; 1 reader removed")
    answer = reader.goto(link)
    assert answer is not None
    assert answer.status == 404
    expect(reader.locator("main")).to_contain_text("revoked")
    other.close()


@pytest.mark.parametrize("door", ["plan", "show"])
def test_a_door_opens_a_grid_whose_answer_is_there_or_on_its_way(page: Page, door: str) -> None:
    open_page(page, "/")
    page.locator(f".hr-door-{door}").click()
    page.wait_for_url("**/capacity?study=*")
    expect(page.locator(".hr-progress").or_(page.locator(".hr-total-value .hr-why-number")).first).to_be_visible()


def test_the_teacher_s_door_opens_an_auction_that_is_played_at_once(page: Page) -> None:
    open_page(page, "/")
    page.locator(".hr-door-teach").click()
    page.wait_for_url("**/auction")
    page.get_by_role("button", name="Play it against bots").click()
    page.wait_for_url("**/auction/seat?auction=*")
    expect(page.locator("main")).to_contain_text("Round 1")


def test_a_recent_study_tells_what_it_answered(page: Page) -> None:
    open_page(page, "/")
    page.locator(".hr-example-title").get_by_text("4-bus auction paper").click()
    page.wait_for_url("**study=*")
    page.get_by_role("link", name="Capacity", exact=True).click()
    expect(page.locator(".hr-total-value .hr-why-number").first).to_have_text("20.0")  # 10 and 10, the published case
    settle(page)
    open_page(page, "/")
    expect(page.locator("#home-recent li")).to_contain_text(re.compile(r"Firm 20\.0.MW, 3\d\.\d.MW with flexible"))


def test_home_with_studies_menu_and_dialog_is_within_wcag_2_aa(page: Page) -> None:
    open_small_grid(page)
    open_page(page, "/")
    assert barriers(page) == []
    page.locator("#shell-study-menu").click()
    expect(page.locator("#shell-study-list li")).to_have_count(1)
    assert barriers(page, DIALOG) == []
    page.get_by_role("button", name="New study").click()
    expect(page.get_by_role("dialog", name="New study")).to_be_visible()
    assert barriers(page, DIALOG) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    assert barriers(page) == []
