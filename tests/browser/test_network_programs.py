"""Files of other programs on the Network page: what was read and what was not, a snapshot to choose, a bad file."""

import io
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from engine.network import library
from engine.network.readers import write_network
from tests.browser.browsing import PHONE, barriers, settle
from tests.browser.network_page import exported, open_example, said
from tests.engine.network.raw_cases import raw_case

UPLOAD = "#network-upload input[type=file]"
UPLOADED = "#network-uploaded"


def pypsa_day() -> bytes:
    """A PyPSA folder of three buses, one of them hydrogen, with loads of 10, 30 and 20 MW in three hours."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {
            "network": "name,pypsa_version\nSmall town,1.0.0\n",
            "snapshots": ",snapshot\n0,2013-01-01 00:00\n1,2013-01-01 12:00\n2,2013-01-01 18:00\n",
            "buses": "name,v_nom,carrier\na,100,AC\nb,100,AC\ngas,1,H2\n",
            "lines": "name,bus0,bus1,x,s_nom\nl,a,b,10,100\n",
            "generators": "name,bus,p_nom,control\ng,a,50,Slack\n",
            "loads": "name,bus\nd,b\n",
            "loads-p_set": ",d\n0,10\n1,30\n2,20\n",
        }.items():
            archive.writestr(f"town/{name}.csv", text)
    return packed.getvalue()


def send(page: Page, path: Path, content: bytes | str) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    page.locator(UPLOAD).set_input_files(path)


def test_files_of_other_programs_are_understood_and_a_snapshot_is_chosen(page: Page, tmp_path: Path) -> None:
    open_example(page, "fourbus")
    told, snapshot = page.locator(UPLOADED), page.locator("#network-snapshot")
    page.locator("#network-import").click()

    send(page, tmp_path / "town.raw", raw_case(34))
    expect(told).to_contain_text("Hand case")
    expect(told).to_contain_text("Not carried: 3")
    expect(told).to_contain_text("switched shunts, left out as they give no active power: 1")
    expect(told).to_contain_text("two-terminal DC line LINK 1 is a fixed injection: 20 MW drawn at bus 1")
    broken = raw_case(34).replace("1,-3,'1 '", "1,-33,'1 '").replace("6,'1 ',1,2,2, 12.0", "6,'1 ',1,2,2, twelve")
    send(page, tmp_path / "broken.raw", broken)
    expect(told).to_contain_text("broken.raw was not taken")
    expect(told).to_contain_text("line 19, load: PL is 'twelve', not a number")
    expect(told).to_contain_text("line 29, branch 1-33: there is no bus 33")

    send(page, tmp_path / "net.json", write_network(library.load("ieee14"), "pandapower")[1])
    expect(told).to_contain_text("14 buses")
    expect(told).to_contain_text("pandapower network of format")
    expect(snapshot).to_be_hidden()

    send(page, tmp_path / "town.zip", pypsa_day())
    expect(told).to_contain_text("2013-01-01 12:00, which has the largest load, 30.0 MW; the smallest is 10.0 MW")
    expect(told).to_contain_text("buses of carrier H2, left out: 1")
    expect(snapshot.locator("option:not([value=''])")).to_have_text(
        ["2013-01-01 00:00, 10.0 MW", "2013-01-01 12:00, 30.0 MW", "2013-01-01 18:00, 20.0 MW"]
    )
    expect(snapshot).to_have_value("1")
    snapshot.select_option("2")
    expect(told).to_contain_text("2013-01-01 18:00, with a load of 20.0 MW")
    expect(snapshot).to_have_value("2")
    assert barriers(page) == []
    page.set_viewport_size(PHONE)
    settle(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("#network-replace").click()
    said(page, "Imported Small town")
    kept = exported(page)
    assert kept.buses["load_mw"].tolist() == [0.0, 20.0]
    assert kept.units["unit"].tolist() == ["g"]
