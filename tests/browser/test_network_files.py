"""Files on the Network page of the running product: understood before they are taken, refused in words, kept."""

import io
import pickle
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from engine.network import library
from engine.network.readers import write_network
from tests.browser.network_page import exported, open_example, said

UPLOAD = "#network-upload input[type=file]"
UPLOADED = "#network-uploaded"


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("buses.csv", b"0" * 100_000_000)
    return packed.getvalue()


def cyrillic() -> bytes:
    """The 4-bus case with a name in Cyrillic letters, as the CSV files that the product writes."""
    four = library.load("fourbus")
    named = four.with_table("buses", four.buses.assign(name=["Київ", "Мар'їнка", "b", "c"]))
    return write_network(named, "csv")[1]


def test_files_are_understood_before_they_are_taken_and_bad_ones_leave_the_study_as_it_is(
    page: Page, tmp_path: Path
) -> None:
    open_example(page, "fourbus")
    case = write_network(library.load("fourbus"), "matpower")[1]
    branches = "branch,from_bus,to_bus,reactance_pu\n1,1,2,0.1\n"
    bad: list[tuple[list[tuple[str, bytes]], str]] = [
        ([("cut.m", case[: case.index(b"mpc.bus") + 60])], "is not closed before the end of the file"),
        ([("buses.csv", "шина;имя\n1;М".encode("cp1251"))], "there is no column bus"),
        (
            [("buses.csv", b"bus,load_mw\n1,5\n1,6\n"), ("branches.csv", branches.encode())],
            "is the identifier of row 1",
        ),
        ([("buses.csv", b"bus,load_mw\n1,=1+1\n2,5\n"), ("branches.csv", branches.encode())], "is a formula"),
        ([("bomb.zip", bomb())], "unpacks to more than 40 MB"),
        ([("grid.json", pickle.dumps({"a": 1}))], "a Python pickle, which is never opened"),
        ([("large.csv", b"1" * 52_000_000)], "52.0 MB; at most 40 MB are read"),
    ]
    page.locator("#network-import").click()
    for number, (files, reason) in enumerate(bad):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths = [folder / name for name, _ in files]
        for path, (_, content) in zip(paths, files, strict=True):
            path.write_bytes(content)
        page.locator(UPLOAD).set_input_files(paths)
        told = page.locator(UPLOADED)
        expect(told).to_contain_text(reason)
        expect(told).to_contain_text(files[0][0])
        expect(told).to_contain_text("was not taken")
        expect(told).to_contain_text("The open study is as it was")
        expect(page.locator("#network-replace")).to_be_disabled()
    nan = [tmp_path / "buses.csv", tmp_path / "branches.csv"]
    nan[1].write_text(branches)
    nan[0].write_text("bus,load_mw\n1,5\n2,NaN\n")
    page.locator(UPLOAD).set_input_files(nan)
    expect(page.locator(UPLOADED)).to_contain_text("bus 2 has nan as its load")  # it may be taken, to be mended here
    good = tmp_path / "мережа.zip"
    good.write_bytes(cyrillic())
    page.locator(UPLOAD).set_input_files(good)
    expect(page.locator(UPLOADED)).to_contain_text("4 buses")
    expect(page.locator("#network-replace")).to_be_enabled()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()  # nothing was taken
    page.locator("#network-replace").click()
    said(page, "Imported")
    assert exported(page).buses["name"].tolist()[:2] == ["Київ", "Мар'їнка"]
    # A grid of the library in its place, and back.
    page.locator("#network-import").click()
    page.locator("#network-library").select_option("ieee14")
    page.locator("#network-library-show").click()
    expect(page.locator(UPLOADED)).to_contain_text("14 buses")
    page.locator("#network-replace").click()
    expect(page.locator("#network-totals")).to_contain_text("20")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.locator("[data-draw-canvas]").focus()
    page.keyboard.press("Control+z")
    said(page, "Undone: import")
    assert len(exported(page).buses) == 4
