"""The chain of entries, the signature, replay, and the result files."""

import csv
import hashlib
import io
import json
import stat
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from engine.auction.__main__ import main
from engine.auction.events import Event
from engine.auction.ledger import Entry, append, chain, next_entry, replay, verify
from engine.auction.results import result_files, state_digest
from engine.auction.rules import Activity, Increment, Jump, Rules, Withdrawals
from engine.auction.signing import (
    KEY_FILE,
    PUBLIC_KEY_FILE,
    check_signature,
    public_hex,
    read_file,
    read_public_key,
    sign,
    signing_key,
    to_file,
)
from engine.errors import EngineError, LedgerError
from tests.engine.auction.room import Room, configured, lots


@pytest.fixture(scope="module")
def room() -> Room:
    """A finished auction with ties, blocks, a waiver, a withdrawal, an annulled round, a pause, a name and a bot."""
    rules = Rules(
        increment=Increment(kind="smoothed"),
        jump=Jump(kind="any"),
        activity=Activity(enforced=True, stages=(0.1, 0.2), waivers=3, quiet_rounds=1),
        withdrawals=Withdrawals(rounds=2),
    )
    played = Room(configured(lots(1, 1, 3, units=10, opening=100), rules, seed=7), "a", "b", opened=False)
    played.do("practice begun", deadline=None)
    played.round(a=[["1", 100]], b=[["1", 100]])
    played.do("practice ended")
    played.do("opened", deadline=None)
    played.round(a=[["1", 100], ["3", 100, 2]], b=[["1", 100], ["3", 100, 2]])
    played.do("paused", remaining_s=None)
    played.do("announced", text="Café, 5 minutes\nthen on")
    played.do("resumed", deadline=None)
    loser = "a" if played.standing()[0][0] == "b" else "b"
    played.round(**{loser: [["1", 250]]})
    played.do("round annulled", round=2, reason="a test", deadline=None)
    played.do("admitted", bidder="c", name="=SUM(A1)", eligibility=20)
    played.do("renamed", bidder="b", name="Zoë")
    played.do("seat given", bidder="c", bot="random")
    played.do("bids submitted", "server", bidder="c", round=2, bids=[["2", 100, 1]], request="bot-1")
    played.close()
    played.act("withdrawn", "c", lots=["2"])
    played.close()
    played.act("waiver used", "c")
    played.close()
    played.close()
    played.do("defaulted", bidder=played.standing()[0][0], lots=["1"])
    return played


def test_a_replay_gives_the_same_state_bit_for_bit(room: Room) -> None:
    assert room.state.phase == "closed"
    entries, signature = read_file(to_file(room.entries(), None))
    assert signature is None
    verify(entries)
    assert entries == room.entries()
    assert state_digest(replay(entries)) == state_digest(room.state)


def test_entries_are_numbered_from_one_and_each_holds_the_hash_before(room: Room) -> None:
    entries = room.entries()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0].previous == "0" * 64
    assert all(after.previous == before.hash for before, after in pairwise(entries))
    built: tuple[Entry, ...] = ()
    for event in room.events:
        built = append(built, event)
    assert built == entries
    assert next_entry(entries[-2], entries[-1].event) == entries[-1]


def test_the_hash_is_that_of_the_documented_text(room: Room) -> None:
    line = json.loads(to_file(room.entries(), None).decode().split("\n")[5])
    told = line.pop("hash")
    text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == told


@pytest.mark.parametrize("place", [0, 4, 9, -1])
def test_a_changed_entry_is_named(room: Room, place: int) -> None:
    entries = list(room.entries())
    number = entries[place].number
    changes = [
        replace(entries[place], event=replace(entries[place].event, at=entries[place].event.at + 0.001)),
        replace(entries[place], event=replace(entries[place].event, actor="mallory")),
        replace(entries[place], event=replace(entries[place].event, data={**entries[place].event.data, "x": 1})),
        replace(entries[place], hash="f" * 64),
    ]
    for changed in changes:
        with pytest.raises(LedgerError, match=f"entry {number} ") as raised:
            verify([*entries[: number - 1], changed, *entries[number:]])
        assert raised.value.entry == number


def test_entries_taken_out_put_in_or_moved_are_found(room: Room) -> None:
    entries = room.entries()
    with pytest.raises(LedgerError, match="entry 5 has the number 6"):
        verify((*entries[:4], *entries[5:]))
    with pytest.raises(LedgerError, match="entry 5 has the number 6"):
        verify((*entries[:4], entries[5], entries[4], *entries[6:]))
    # Somebody who writes an entry anew, hash and all, breaks the chain at the one after it.
    forged = next_entry(entries[3], replace(entries[4].event, at=0.0))
    with pytest.raises(LedgerError, match="entry 6 does not continue entry 5"):
        verify((*entries[:4], forged, *entries[5:]))


def test_a_ledger_rewritten_from_one_place_on_still_fails_its_signature(room: Room, tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    signature = sign(room.entries(), key)
    rewritten = chain([*room.events[:-1], replace(room.events[-1], at=room.events[-1].at + 1)])
    verify(rewritten)
    check_signature(room.entries(), signature, public_hex(key.public_key()))
    for entries in (rewritten, room.entries()[:-1], ()):
        with pytest.raises(LedgerError):
            check_signature(entries, signature)
    with pytest.raises(LedgerError, match="not one of this ledger"):
        check_signature(room.entries(), replace(signature, signature="00" * 64))
    with pytest.raises(LedgerError, match="not one of this ledger"):
        check_signature(room.entries(), replace(signature, signature="no hex"))
    other = signing_key(tmp_path / "other")
    with pytest.raises(LedgerError, match="signed by the key"):
        check_signature(room.entries(), sign(room.entries(), other), public_hex(key.public_key()))


def test_an_event_against_the_rules_is_named_though_its_chain_is_right(room: Room) -> None:
    events = list(room.events)
    place = next(k for k, event in enumerate(events) if event.kind == "bids submitted")
    row = ["1", 99, 1]
    events[place] = replace(events[place], data={**events[place].data, "bids": [row]})
    entries = chain(events)
    verify(entries)
    with pytest.raises(
        LedgerError, match=rf"entry {place + 1} \(bids submitted\).*99 k\$ is below the minimum"
    ) as raised:
        replay(entries)
    assert raised.value.entry == place + 1


def test_other_tie_numbers_than_the_seeds_fail_the_replay(room: Room) -> None:
    events = list(room.events)
    place = next(k for k, e in enumerate(events) if e.kind == "round closed" and e.data["tie_numbers"])
    numbers = {lot: dict.fromkeys(of, 1) for lot, of in events[place].data["tie_numbers"].items()}
    events[place] = replace(events[place], data={**events[place].data, "tie_numbers": numbers})
    with pytest.raises(LedgerError, match=f"entry {place + 1} .*are not those of the seed"):
        replay(chain(events))


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "home")
    path = tmp_path / "home" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_hex(signing_key(tmp_path / "home").public_key()) == public_hex(first.public_key())
    assert read_public_key(tmp_path / "home" / PUBLIC_KEY_FILE) == public_hex(first.public_key())
    assert [file.name for file in sorted((tmp_path / "home").iterdir())] == sorted([KEY_FILE, PUBLIC_KEY_FILE])
    path.chmod(0o640)
    with pytest.raises(EngineError, match="can be read by others"):
        signing_key(tmp_path / "home")
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(EngineError, match="cannot be read"):
        signing_key(tmp_path / "home")
    with pytest.raises(EngineError, match="holds no public key"):
        read_public_key(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not JSON"),
        ("7", "line 2 is not an entry"),
        ('{"number":2}', "kind, actor, data, previous, hash, at missing"),
        ('{"number":2,"kind":"won","at":1,"actor":"a","data":{},"previous":"","hash":""}', "no event 'won'"),
        ('{"number":2,"kind":"closed","at":NaN,"actor":"a","data":{},"previous":"","hash":""}', "line 2 is not JSON"),
        ('{"signature":"00"}', "line 2 is not a signature"),
        ("", "line 2 is not JSON"),
    ],
)
def test_a_line_that_is_no_entry_is_named(room: Room, line: str, message: str) -> None:
    first = to_file(room.entries()[:1], None).decode()
    with pytest.raises(LedgerError, match=message):
        read_file((first + line + "\n").encode())
    with pytest.raises(LedgerError, match="line 2 is not text in UTF-8"):
        read_file(first.encode() + b"\xff\n")


def test_no_byte_can_be_added_to_a_line(room: Room, tmp_path: Path) -> None:
    data = to_file(room.entries(), sign(room.entries(), signing_key(tmp_path)))
    for old, new in ((b'{"number":3,', b'{"number":9,"number":3,'), (b'{"number":3,', b'{ "number":3,')):
        with pytest.raises(LedgerError, match="line 3 is not written as a ledger writes it"):
            read_file(data.replace(old, new))
    with pytest.raises(LedgerError, match="is not written as a ledger writes it"):
        read_file(data.replace(b'{"signed_entries"', b'{"note":1,"signed_entries"'))


def test_nothing_follows_a_signature(room: Room, tmp_path: Path) -> None:
    data = to_file(room.entries(), sign(room.entries(), signing_key(tmp_path)))
    entries, signature = read_file(data)
    assert signature is not None
    check_signature(entries, signature)
    with pytest.raises(LedgerError, match="lines follow it"):
        read_file(data + data.split(b"\n")[0] + b"\n")


# The command


def test_one_command_verifies_replays_and_writes_the_same_files(room: Room, tmp_path: Path) -> None:
    file, out = tmp_path / "auction.jsonl", tmp_path / "results"
    file.write_bytes(to_file(room.entries(), sign(room.entries(), signing_key(tmp_path))))
    command = [sys.executable, "-m", "engine.auction", "replay", str(file), "--out", str(out)]
    command += ["--public-key", str(tmp_path / PUBLIC_KEY_FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert state_digest(room.state) in done.stdout
    expected = result_files(room.entries(), room.state)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_the_command_tells_what_is_wrong(room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "auction.jsonl", tmp_path / "results"
    file.write_bytes(to_file(room.entries(), None))
    assert main(["verify", str(file)]) == 0
    assert "not signed" in capsys.readouterr().out
    signing_key(tmp_path)
    assert main(["verify", str(file), "--public-key", str(tmp_path / PUBLIC_KEY_FILE)]) == 1
    assert "the ledger is not signed" in capsys.readouterr().err
    file.write_bytes(to_file(room.entries(), sign(room.entries(), signing_key(tmp_path / "other"))))
    assert main(["replay", str(file), "--public-key", str(tmp_path / PUBLIC_KEY_FILE)]) == 1
    assert "signed by the key" in capsys.readouterr().err
    assert main(["replay", str(file), "--out", str(out)]) == 0
    (out / "prices.csv").write_text("other\n")
    assert main(["replay", str(file), "--out", str(out)]) == 1
    assert "holds other results than the ledger's: prices.csv" in capsys.readouterr().err
    lines = file.read_text().split("\n")
    lines[6] = lines[6].replace('"actor":"', '"actor":"x')
    file.write_text("\n".join(lines))
    assert main(["verify", str(file)]) == 1
    assert "entry 7 " in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "none")]) == 1


# The result files


def table(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name].decode())))


def test_the_result_files_tell_what_was_played() -> None:
    room = Room(configured(lots(1, 2), Rules(increment=Increment(amount=5), jump=Jump(kind="any"))), "a", "=b")
    room.round(**{"a": [["1", 50], ["2", 10, 1]], "=b": [["2", 20, 1]]})
    room.do("renamed", bidder="a", name="Ana")
    room.close()
    files = result_files(room.entries())
    assert [(row["lot"], row["block"], row["price"], row["holder"]) for row in table(files, "prices.csv")] == [
        ("1", "1", "50", "a"),
        ("2", "1", "20", "'=b"),  # a spreadsheet must not take a bidder's name for a formula
        ("2", "2", "10", "a"),
    ]
    assert [(row["bidder"], row["total"], row["balance"]) for row in table(files, "payments.csv")] == [
        ("a", "60", "60"),
        ("'=b", "20", "20"),
    ]
    assert [row["name"] for row in table(files, "payments.csv")] == ["Ana", "'=B"]
    assert [(row["bidder"], row["lot"], row["blocks"], row["pays"]) for row in table(files, "allocation.csv")] == [
        ("a", "1", "1", "50"),
        ("a", "2", "1", "10"),
        ("'=b", "2", "1", "20"),
    ]
    assert [(row["round"], row["lot"], row["bids"], row["next_minimum"]) for row in table(files, "rounds.csv")] == [
        ("1", "1", "1", "55"),
        ("1", "2", "2", "15"),
    ]
    assert len(table(files, "bids.csv")) == 3
    summary = json.loads(files["summary.json"])
    assert (summary["revenue"], summary["blocks_awarded"], summary["rounds"]) == (80, 3, 2)


def test_a_ledger_without_entries_is_no_auction(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no entry"):
        replay(())
    with pytest.raises(LedgerError, match="without entries"):
        sign((), signing_key(tmp_path))
    with pytest.raises(LedgerError, match=r"entry 1 \(opened\)"):
        replay(chain([Event("opened", 0.0, "host", {})]))


def test_a_cancelled_auction_awards_nothing_and_nobody_pays() -> None:
    room = Room(configured(lots(1)), "a")
    room.round(a=[["1", 5]])
    room.do("cancelled", reason="fire alarm")
    files = result_files(room.entries())
    assert len(files["allocation.csv"].splitlines()) == 1  # its header
    rows = list(csv.DictReader(io.StringIO(files["payments.csv"].decode())))
    assert [row["total"] for row in rows] == ["0"]
    rows = list(csv.DictReader(io.StringIO(files["prices.csv"].decode())))
    assert [(row["holder"], row["awarded"]) for row in rows] == [("a", "no")]
