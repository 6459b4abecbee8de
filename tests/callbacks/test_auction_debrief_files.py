"""Ledgers from files: what is read, what is refused, and the files that a debrief gives out."""

import base64
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from callbacks import auction_debrief
from callbacks import auction_ledger_file as from_file
from callbacks.auction_debrief_seen import Reader
from callbacks.services import Services
from engine.auction.bundles import bundle
from engine.auction.configuration import configuration_to_json
from engine.auction.ledger import Entry, replay
from engine.auction.results import result_files
from engine.auction.rules import Activity
from engine.auction.signing import sign, signing_key, to_file
from engine.auction.simulate import play
from engine.auction.templates import TEMPLATES, classroom
from engine.errors import EngineError, LedgerError, QuestionError
from tests.callbacks.debriefing import PAPER, Asked
from tests.callbacks.screen import text


def upload(*files: tuple[str, bytes]) -> tuple[list[str], list[str]]:
    contents = [f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}" for _, data in files]
    return contents, [name for name, _ in files]


def test_a_ledger_is_checked_and_told(services: Services, ledger: Sequence[Entry], tmp_path: Path) -> None:
    file = to_file(ledger, sign(ledger, signing_key(tmp_path)))
    found = from_file.opened(*upload(("ledger.jsonl", file)), tmp_path)
    assert found.entries == tuple(ledger)
    assert "every hash is right" in found.words[0]
    assert found.words[1] == "Signed by this server: nothing was changed since."
    said = text(auction_debrief.file_story(services, *upload(("ledger.jsonl", file)), tmp_path))
    assert "All 4 products, 31.9 MW, went to 2 bidders for 40 k$ in 5 rounds." in said
    with zipfile.ZipFile(io.BytesIO(from_file.results_zip(found))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == result_files(ledger)


def test_whose_key_signed_is_said(ledger: Sequence[Entry], tmp_path: Path) -> None:
    other = signing_key(tmp_path / "other")
    signing_key(tmp_path / "own")
    signed = from_file.opened(*upload(("l.jsonl", to_file(ledger, sign(ledger, other)))), tmp_path / "own")
    assert "not this server's" in signed.words[1]
    bare = from_file.opened(*upload(("l.jsonl", to_file(ledger, None))), tmp_path / "own")
    assert bare.words[1].startswith("Not signed")


def test_a_changed_entry_is_named(services: Services, ledger: Sequence[Entry], tmp_path: Path) -> None:
    lines = to_file(ledger, sign(ledger, signing_key(tmp_path))).decode().split("\n")
    place = next(n for n, line in enumerate(lines) if '"bids submitted"' in line)
    lines[place] = lines[place].replace('"3-firm",5', '"3-firm",6')
    with pytest.raises(LedgerError, match=f"entry {place + 1} .* was changed") as raised:
        from_file.opened(*upload(("l.jsonl", "\n".join(lines).encode())), tmp_path)
    assert raised.value.entry == place + 1
    said = text(auction_debrief.file_story(services, *upload(("l.jsonl", "\n".join(lines).encode())), tmp_path))
    assert f"ntry {place + 1} (bids submitted) was changed" in said


@pytest.mark.parametrize("name", ["tables.zip", "tables.json", "fcc_round_files.zip", "all_bids.xml"])
def test_round_files_with_the_configuration_make_the_auction_again(
    ledger: Sequence[Entry], tmp_path: Path, name: str
) -> None:
    state = replay(ledger)
    made = bundle(name, [entry.event for entry in ledger], state.configuration)
    sold = json.dumps(configuration_to_json(state.configuration)).encode()
    found = from_file.opened(*upload((name, made), ("configuration.json", sold)), tmp_path)
    again = replay(found.entries)
    assert (again.price == state.price).all()
    assert [again.bidders[place].id for place in again.holder] == [state.bidders[place].id for place in state.holder]
    assert any("no values, no hashes and no signature" in line for line in found.words)
    with pytest.raises(EngineError, match=r"configuration\.json"):
        from_file.opened(*upload((name, made)), tmp_path)


ONE_BID = b"""<dataroot><ALL_BIDS><round>1</round><item_name>3-firm</item_name><bid_amount>5</bid_amount></ALL_BIDS>
</dataroot>"""


def zip_of(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return target.getvalue()


def test_files_that_are_no_ledger_are_refused_in_words(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = ("configuration.json", json.dumps(configuration_to_json(PAPER.configuration)).encode())
    rules = replace(PAPER.configuration.rules, activity=Activity(enforced=True))
    strict = (sold[0], json.dumps(configuration_to_json(replace(PAPER.configuration, rules=rules))).encode())
    monkeypatch.setattr(from_file, "MOST_UNPACKED", 1000)
    for files, words in (
        ((("x.jsonl", b""),), "holds no entry"),
        ((("x.jsonl", b"\xff\xfe\x00"),), "not text"),
        ((("x.jsonl", b"[[[[" * 50_000),), "not JSON"),
        ((("x.jsonl", b'{"number": 1}'),), "not an entry"),
        ((("x.pkl", b"\x80\x04\x95."),), "not text"),
        ((("bomb.zip", zip_of("bids.csv", b"0" * 5000)), sold), "unpacks to more than"),
        ((("broken.zip", b"PK\x03\x04 and nothing"), sold), "cannot be unpacked"),
        ((sold, ("other.json", sold[1])), "need the auction's"),
        ((sold, ("bids.xml", ONE_BID)), "does not tell who bid"),
        (
            (strict, ("bids.xml", ONE_BID.replace(b"</bid_amount>", b"</bid_amount><bidder>a</bidder>"))),
            "no eligibility",
        ),
    ):
        said = text(auction_debrief.file_story(services, *upload(*files), tmp_path))
        assert words in said, (files[0][0], said)


def test_no_more_is_read_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_file, "MOST_BYTES", 100)
    with pytest.raises(EngineError, match="at most"):
        from_file.opened(*upload(("x.jsonl", b"1" * 101)), tmp_path)
    with pytest.raises(EngineError, match="together"):
        from_file.opened(*upload(("a.jsonl", b"1" * 60), ("b.jsonl", b"1" * 60)), tmp_path)


def test_values_that_would_keep_the_server_busy_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = TEMPLATES["campus"]
    monkeypatch.setattr(from_file, "MOST_COMPLEX", 0)
    with pytest.raises(EngineError, match="complements or budgets"):
        from_file.opened(*upload(("l.jsonl", to_file(play(template.configuration, template.seats), None))), tmp_path)


def test_all_bundles_come_as_a_file_for_whom_they_are(services: Services) -> None:
    template = classroom(3, 7, 1)
    entries = play(template.configuration, template.seats)
    csv = auction_debrief.bundles_csv(Asked(entries), 1, services.artifacts)["content"]  # type: ignore[arg-type]
    assert len(csv.strip().split("\n")) == 1 + 2**7
    mine = Asked(entries, Reader("bidder", 0, everything=False))
    assert auction_debrief.bundles_csv(mine, 0, services.artifacts)["content"]  # type: ignore[arg-type]
    for bidder in (1, 99, None, "0"):
        with pytest.raises(QuestionError):
            auction_debrief.bundles_csv(mine, bidder, services.artifacts)  # type: ignore[arg-type]
