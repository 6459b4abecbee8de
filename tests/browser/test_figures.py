"""Figures, reports and the comparison of two settings, as a reader has them."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, axe_violations, barriers, begin_study, open_page


@pytest.fixture
def capacity(page: Page) -> Page:
    """Open the 4-bus example, answered."""
    open_page(page, f"/capacity?study={begin_study(page, 'fourbus')}")
    expect(page.locator("#difference-pin")).to_be_visible()
    return page


def test_the_map_comes_as_svg_and_png_and_a_report_prints_on_a4(capacity: Page, tmp_path: Path) -> None:
    for kind, begins in (("SVG", b"<?xml"), ("PNG", b"\x89PNG")):
        capacity.locator("#capacity-export").click()
        with capacity.expect_download() as waited:
            capacity.get_by_role("button", name=f"The map that shows as {kind}").click()
        path = tmp_path / f"map.{kind}"
        waited.value.save_as(path)
        assert path.read_bytes().startswith(begins)
        capacity.keyboard.press("Escape")
    capacity.locator("#capacity-report").click()
    with capacity.context.expect_page() as opened:
        capacity.get_by_role("link", name="Report of the study").click()
    report = opened.value
    report.wait_for_load_state("networkidle")
    expect(report.locator("h1")).to_contain_text("How much can 2 sites take")
    expect(report.locator("figure svg[role=img]")).to_have_count(2)
    expect(report.get_by_text("Indicative only: a linear (DC) power-flow study").first).to_be_visible()
    assert axe_violations(report) == []
    assert report.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    # 210 by 297 mm in CSS pixels, less the margins of 15 mm: nothing may be wider than the paper.
    report.emulate_media(media="print")
    report.set_viewport_size({"width": 680, "height": 1000})
    assert report.evaluate("document.documentElement.scrollWidth") <= 680
    report.emulate_media(media="screen")
    report.set_viewport_size(PHONE)
    assert report.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert axe_violations(report) == []


def test_an_answer_is_kept_and_compared_with_the_next(capacity: Page) -> None:
    capacity.locator("#difference-pin").click()
    expect(capacity.get_by_text("This is A")).to_be_visible()
    capacity.select_option("#capacity-word-epsilon", "0.2")
    capacity.locator("#difference-go").click()
    capacity.wait_for_url("**/difference?**")
    open_page(capacity, capacity.url)  # as a link that was sent opens it
    expect(capacity.locator(".hr-difference-words")).to_contain_text("The risk level: 5 % in A, 20 % in B")
    rows = capacity.locator(".ag-center-cols-container [role=row]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("line 1-2")
    assert barriers(capacity) == []
    with capacity.expect_download() as waited:
        capacity.locator("#difference-export").click()
        capacity.get_by_role("button", name="Table as CSV").click()
    assert waited.value.suggested_filename.startswith("difference-sites-total-")
