"""A removed request or condition comes back by the Undo of its toast, in its place."""

from playwright.sync_api import Page, expect

from tests.browser.test_capacity import answered, open_study, show_table

UNDO = ".hr-toast button"


def test_a_removed_request_and_a_removed_condition_can_be_brought_back(page: Page) -> None:
    open_study(page)
    answered(page)
    show_table(page, "Requests")
    page.get_by_role("button", name="Start from the sites").click()
    customers = page.locator('#capacity-requests-grid .ag-center-cols-container [col-id="customer"]')
    expect(customers).to_have_text(["Site 3", "Site 4"])
    customers.first.click()
    page.get_by_role("button", name="Remove row").click()
    expect(customers).to_have_text(["Site 4"])
    page.locator(UNDO).get_by_text("Undo").click()
    expect(customers).to_have_text(["Site 3", "Site 4"])
    page.wait_for_function("() => location.search.includes('tab=requests')")
    page.reload()
    expect(customers).to_have_text(["Site 3", "Site 4"])  # kept with the study

    page.get_by_role("button", name="More", exact=True).click()
    for most in ("12", "9"):
        page.locator("#capacity-conditions-number").fill(most)
        page.get_by_role("button", name="Add the condition").click()
        expect(page.locator(".hr-conditions-list")).to_contain_text(most)
    listed = page.locator(".hr-conditions-list li")
    before = listed.all_inner_texts()
    assert len(before) == 2
    listed.first.get_by_role("button").click()
    expect(listed).to_have_count(1)
    page.locator(UNDO).get_by_text("Undo").click()
    expect(listed).to_have_text(before, use_inner_text=True)
