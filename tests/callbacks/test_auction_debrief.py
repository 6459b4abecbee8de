"""Who may read a debrief of a room, and how much of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from callbacks import auction_access, auction_debrief
from callbacks.auction_debrief_seen import NotYetError, Reader, cut, entries_of, reader_of
from callbacks.auction_room import Rooms
from callbacks.settings import Settings
from engine.auction.configuration import configuration_to_json
from engine.auction.debrief import debrief
from engine.auction.signing import check_signature, read_file, read_public_key
from engine.auction.simulate import play
from engine.auction.templates import TEMPLATES
from engine.errors import NotFoundError
from tests.callbacks.debriefing import ended, joined, page, secret_auction, values_in
from tests.rooms import Visitor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Yield the product; its clock runs, and nobody asks too often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_access, "ACTS_BURST", 1e6)
        patch.setattr(auction_access, "ASKS_BURST", 1e6)
        yield create_app(Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})).server


def _kept(folder: Path, content: bytes) -> Path:
    path = folder / "key.pem"
    path.write_bytes(content)
    return path


def test_nobody_but_the_host_reads_it_before_the_close(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    host.order(auction, "close")
    readers = {
        "bidder": joined(server, rooms, auction, "bidder", "b1"),
        "watcher": joined(server, rooms, auction, "watcher"),
        "stranger": Visitor(server),
    }
    pages = {name: page(visitor, auction) for name, visitor in readers.items()}
    assert "opens when the auction has closed" in pages["bidder"]
    assert "opens when the auction has closed" in pages["watcher"]
    assert "There is no such auction" in pages["stranger"]
    for content in pages.values():
        assert values_in(content, 0) == values_in(content, 1) == []
        assert "debrief-prices" not in content
        assert "Who held what" not in content
    shown = page(host, auction)
    assert "Still running: only its host sees this" in shown
    assert values_in(shown, 0)


def test_callbacks_ask_again_who_reads(server: Flask, rooms: Rooms) -> None:
    """What a page holds in its Stores can be forged: each callback looks at the session itself."""
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    host.order(auction, "close")
    bidder = joined(server, rooms, auction, "bidder", "b1")
    for visitor, error in ((bidder, NotYetError), (Visitor(server), NotFoundError)):
        with pytest.raises(error):
            reader_of(rooms, visitor.user, auction)
    reader, _ = reader_of(rooms, host.user, auction)
    assert reader == Reader("host")


def test_a_forged_store_is_told_nothing(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    host.order(auction, "close")
    bidder = joined(server, rooms, auction, "bidder", "b1")
    listed = bidder.client.get("/_dash-dependencies").json
    assert listed is not None
    wired = next(one for one in listed if any(i["id"] == "auction-debrief-asked" for i in one["inputs"]))
    names = [name.rpartition(".") for name in wired["output"].strip(".").split("...")]
    asked = {
        "output": wired["output"],
        "outputs": [{"id": part, "property": name} for part, _, name in names],
        "inputs": [
            {**one, "value": auction if one["id"] == "auction-debrief-asked" else None} for one in wired["inputs"]
        ],
        "changedPropIds": ["auction-debrief-asked.data"],
    }
    answer = bidder.client.post("/_dash-update-component", json=asked)
    assert answer.status_code == 200
    content = answer.get_data(as_text=True)
    assert "There is no such auction" in content
    assert values_in(content, 0) == values_in(content, 1) == []


def test_after_the_close_everybody_in_the_room_reads_it_where_values_are_disclosed(
    server: Flask, rooms: Rooms, tmp_path: Path
) -> None:
    host = Visitor(server)
    auction = ended(rooms, host, secret_auction(rooms, host))
    for visitor in (host, joined(server, rooms, auction, "bidder", "b1"), joined(server, rooms, auction, "watcher")):
        content = page(visitor, auction)
        assert values_in(content, 0)
        assert values_in(content, 1)
        assert "Play it again" in content
    assert "signed once the auction is over" in page(host, auction)
    watcher = joined(server, rooms, auction, "watcher")
    assert "signed once the auction is over" in page(watcher, auction)
    ledger_, key = (watcher.get(f"{auction}/download/{name}") for name in ("ledger.jsonl", "auction_public_key.pem"))
    entries, signature = read_file(ledger_.data)
    assert signature is not None
    check_signature(entries, signature, read_public_key(_kept(tmp_path, key.data)))
    assert signature.public_key in page(watcher, auction)
    assert "There is no such auction" in page(Visitor(server), auction)


def test_values_stay_private_where_the_rules_say_so(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = ended(rooms, host, secret_auction(rooms, host, disclosed=False))
    first, second = (joined(server, rooms, auction, "bidder", f"b{n}") for n in (1, 2))
    watcher = page(joined(server, rooms, auction, "watcher"), auction)
    pages = page(first, auction), page(second, auction)
    for own, other in ((0, 1), (1, 0)):
        assert values_in(pages[own], own)
        assert values_in(pages[own], other) == []
    assert values_in(watcher, 0) == values_in(watcher, 1) == []
    assert first.get(f"{auction}/download/ledger.jsonl").status_code == 403
    for content in (*pages, watcher):
        assert "keep assigned values private" in content
        for word in ("Efficiency", "L(p)", "VCG payment", "Play it again"):
            assert word not in content, word
        assert "Who held what" in content
    assert values_in(page(host, auction), 0)


def test_what_is_cut_is_all_that_others_values_say() -> None:
    """Two auctions that differ in the other bidder's values only, with the same bids, leave the reader the same."""
    template = TEMPLATES["paper-1"]
    entries = play(template.configuration, template.seats)
    whole = debrief(entries)
    told = json.dumps(cut(whole, Reader("bidder", 0, everything=False)).to_json())
    richer = [
        replace(row, value=(row.value or 0) + 7, surplus=1.5, envy=3.5, vcg_payment=9.5, given_up=2.5, budget=1.0)
        for row in whole.bidders[1:]
    ]
    other = replace(
        whole,
        bidders=(replace(whole.bidders[0], optimum_value=99.0, vcg_payment=98.0, vcg_surplus=97.0), *richer),
        totals=replace(whole.totals, welfare=1.0, optimum=2.0, efficiency=0.5, exposure_loss=3.0, vcg_revenue=4.0),
        certificate={**whole.certificate, "gap": 1234.0},
        rounds=tuple(replace(row, dual_value=55.0, gap=44.0) for row in whole.rounds),
    )
    assert json.dumps(cut(other, Reader("bidder", 0, everything=False)).to_json()) == told
    assert cut(whole, Reader("watcher")) is whole


def test_an_auction_that_was_cancelled_is_told_to_its_host_only(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    host.order(auction, "close")
    bidder = joined(server, rooms, auction, "bidder", "b1")
    host.order(auction, "cancel", reason="the power is out")
    content = page(bidder, auction)
    assert "This auction was cancelled" in content
    assert "the power is out" in content
    assert values_in(content, 0) == []
    assert "all below is how it stood by then" in page(host, auction)


def test_before_the_first_round_there_is_nothing_to_tell(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    assert "No round is closed yet" in page(host, secret_auction(rooms, host))


def test_results_and_configuration_are_given_out_after_the_close(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    watcher = joined(server, rooms, auction, "watcher")
    assert watcher.get(f"{auction}/download/configuration.json").status_code == 403
    ended(rooms, host, auction)
    found = watcher.get(f"{auction}/download/configuration.json")
    assert found.json == configuration_to_json(rooms.look(auction).live.state.configuration)
    for name, _ in auction_debrief._RESULTS:
        assert watcher.get(f"{auction}/download/{name}").status_code == 200, name


def test_the_ledger_is_told_up_to_where_it_was_looked_at(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    here = rooms.look(auction)
    host.order(auction, "close")
    assert len(entries_of(rooms, here)) == here.live.last.number
