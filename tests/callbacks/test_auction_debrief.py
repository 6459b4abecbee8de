"""Who may read a debrief and how much of it, ledgers from files, and what another rule would have done."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from callbacks import auction_access, auction_debrief, auction_debrief_runs, auction_debrief_seen
from callbacks import auction_ledger_file as from_file
from callbacks.auction_debrief_runs import Runs, quick
from callbacks.auction_debrief_seen import Debriefs, NotYetError, Reader, changes_of, cut, entries_of, reader_of
from callbacks.auction_room import Rooms
from callbacks.imported import CHECKS
from callbacks.services import Services
from callbacks.settings import Settings
from components import auction_debrief as view
from engine.auction.bundles import bundle
from engine.auction.configuration import configuration_to_json
from engine.auction.debrief import debrief
from engine.auction.debrief_jobs import debrief_arguments, debrief_from_json, debrief_job
from engine.auction.ledger import Entry, replay
from engine.auction.presets import PRESETS
from engine.auction.results import result_files
from engine.auction.rules import Activity
from engine.auction.signing import check_signature, read_file, read_public_key, sign, signing_key, to_file
from engine.auction.simulate import play
from engine.auction.templates import TEMPLATES, Seat, classroom
from engine.auction.what_if import rerun, suggestions
from engine.auction.what_if_jobs import WHAT_IF, comparison_from_json, keep_ledger, what_if_arguments, what_if_job
from engine.errors import EngineError, LedgerError, NotFoundError, QuestionError
from engine.store.jobs import Job
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text
from tests.rooms import Visitor

PAPER = TEMPLATES["paper-1"]
# Values that stand in no other number of the auction, each bidder's own.
SECRETS = ((812_347, 834_519, 857_723), (612_361, 634_517, 657_713))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_access, "ACTS_BURST", 1e6)
        patch.setattr(auction_access, "ASKS_BURST", 1e6)
        yield create_app(Settings.from_env({"HEADROOM_HOME": str(tmp_path_factory.mktemp("home"))})).server


@pytest.fixture
def rooms(server: Flask) -> Rooms:
    found: Rooms = server.extensions["headroom-auctions"]
    return found


def secret_auction(rooms: Rooms, host: Visitor, *, disclosed: bool = True) -> str:
    """Return an auction in round 1 of two bots with secret values for three lots, and increments that end it soon."""
    lots = PAPER.configuration.lots[:3]
    rules = replace(
        PRESETS["Paper"],
        disclose_values=disclosed,
        increment=replace(PAPER.configuration.rules.increment, amount=300_000),
    )
    configuration = replace(PAPER.configuration, lots=lots, rules=rules)
    seats = [
        {
            "name": f"Bidder {n}",
            "valuation": {"kind": "additive", "values": {lot.id: v for lot, v in zip(lots, worth, strict=True)}},
            "bot": "straightforward",
            "eligibility": None,
            "deposit": None,
        }
        for n, worth in enumerate(SECRETS, 1)
    ]
    auction = rooms.create(host.user, configuration, seats)
    assert host.order(auction, "open")["accepted"]
    return auction


def ended(rooms: Rooms, host: Visitor, auction: str) -> str:
    for _ in range(20):
        if rooms.look(auction).live.state.phase != "open":
            return auction
        host.order(auction, "close")
    raise AssertionError("it did not end")


def joined(server: Flask, rooms: Rooms, auction: str, role: Any, bidder: str = "") -> Visitor:
    with rooms.turn(auction) as turn:
        key = turn.store.new_key(role, bidder)
    visitor = Visitor(server)
    assert visitor.post("join", {"key": key}).status_code == 200
    return visitor


def page(visitor: Visitor, auction: str) -> str:
    """Return the whole page as the browser gets it, as text."""
    where = {"Referer": f"http://localhost/auction/debrief?auction={auction}"}
    answer = visitor.client.get("/_dash-layout", headers=where)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def _kept(folder: Path, content: bytes) -> Path:
    path = folder / "key.pem"
    path.write_bytes(content)
    return path


def values_in(content: str, bidder: int) -> list[int]:
    plain = content.replace("\\u2009", "").replace("\u2009", "")
    return [value for value in SECRETS[bidder] if str(value) in plain]


# Who may read it


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


# Ledgers from files


def upload(*files: tuple[str, bytes]) -> tuple[list[str], list[str]]:
    contents = [f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}" for _, data in files]
    return contents, [name for name, _ in files]


@pytest.fixture(scope="module")
def ledger() -> tuple[Entry, ...]:
    return play(PAPER.configuration, PAPER.seats)


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


# What another rule would have done


class Asked:
    """What a callback of the page hands on."""

    def __init__(self, entries: Sequence[Entry], reader: Reader | None = None, here: Any = None) -> None:
        self.entries, self.reader, self.here = tuple(entries), reader or Reader("file"), here


def test_every_change_that_is_offered_is_played(services: Services, ledger: Sequence[Entry]) -> None:
    runs, state = Runs(services), replay(ledger)
    assert quick(state)
    for place, change in enumerate(suggestions(state.configuration)):
        shown = runs.answer(Asked(ledger), str(place), ANNE, asked=True)  # type: ignore[arg-type]
        assert shown.job is None
        assert text(rerun(ledger, change).words[0]) in text(shown.children)


def test_a_change_that_is_not_offered_is_refused(services: Services, ledger: Sequence[Entry]) -> None:
    for chosen in ("99", "-1", "x", None, 1.5, ""):
        with pytest.raises(QuestionError):
            Runs(services).answer(Asked(ledger), chosen, ANNE, asked=True)  # type: ignore[arg-type]


def test_runs_by_bots_are_not_for_whom_values_are_hidden_from(ledger: Sequence[Entry]) -> None:
    changes, words = changes_of(replay(ledger), Reader("bidder", 0, everything=False))
    assert changes == ()
    assert "private" in words


class Runner:
    """The context of a job that runs here, and the progress that it tells."""

    def __init__(self, services: Services) -> None:
        self.artifacts = services.artifacts
        self.steps: list[tuple[int, int]] = []

    def progress(self, done: int, total: int, message: str = "") -> None:  # noqa: ARG002
        self.steps.append((done, total))


def finished(services: Services, job: Job, work: Any) -> Runner:
    """Compute a job as a runner does; its result is stored."""
    queue = Queue(services.store.database, services.artifacts, KINDS, 9)
    claim = queue.claim()
    assert claim is not None
    assert claim.id == job.id
    context = Runner(services)
    queue.finish(claim, json.loads(json.dumps(work(dict(claim.arguments), context))), 0.1)
    return context


def test_a_long_run_is_a_job_of_whoever_asks(
    services: Services, ledger: Sequence[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played as a job, the answer is the same, and it says how far it is."""
    monkeypatch.setattr(auction_debrief_runs, "AT_ONCE", 0)
    asked, runs = Asked(ledger), Runs(services)
    shown = runs.answer(asked, "0", ANNE, asked=True)  # type: ignore[arg-type]
    assert shown.job is not None
    job = services.jobs.get(ANNE, shown.job)
    assert (job.kind, job.study_id) == (WHAT_IF, "")
    steps = finished(services, job, what_if_job).steps
    assert steps == sorted(steps)
    assert 0 < steps[0][0] < steps[-1][0] < steps[-1][1]
    change = suggestions(PAPER.configuration)[0]
    content = services.jobs.get(ANNE, job.id).result
    assert content is not None
    assert comparison_from_json(content).to_json() == rerun(ledger, change).to_json()
    CHECKS.answers[WHAT_IF](content)
    told = runs.answer(asked, "0", ANNE, asked=False)  # type: ignore[arg-type]
    assert text(rerun(ledger, change).words[0]) in text(told.children)


def test_a_ledger_that_is_gone_is_said(services: Services, ledger: Sequence[Entry]) -> None:
    context: Any = Runner(services)
    arguments = what_if_arguments("auction-ledger-gone", suggestions(PAPER.configuration)[0])
    with pytest.raises(QuestionError, match="not kept any more"):
        what_if_job(arguments, context)
    with pytest.raises(QuestionError, match="not kept any more"):
        debrief_job(debrief_arguments("auction-ledger-gone"), context)
    key = keep_ledger(ledger, services.artifacts)
    assert what_if_job(arguments | {"ledger": key}, context)["played"]["rounds"] == len(replay(ledger).rounds)


# Large ones


def test_a_debrief_comes_back_from_its_file_as_it_was(ledger: Sequence[Entry]) -> None:
    drawn = classroom(3, 5, 1)
    for entries in (ledger, play(drawn.configuration, drawn.seats)):
        told = debrief(entries)
        again = debrief_from_json(json.loads(json.dumps(told.to_json())))
        assert (again.rounds, again.bidders, again.totals) == (told.rounds, told.bidders, told.totals)
        assert again.why == told.why
        given = replay(entries).configuration
        assert str(view.story(view.Story(again, given))) == str(view.story(view.Story(told, given)))


def test_a_large_debrief_is_a_job_of_its_reader_and_cut_to_him(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page waits for nothing: it shows the job, and then the story that a small auction's page has at once."""
    monkeypatch.setattr(auction_debrief, "_DEBRIEFS", Debriefs())
    monkeypatch.setattr(auction_debrief_seen, "AT_ONCE_ENTRIES", 0)
    lots = PAPER.configuration.lots[:3]
    rules = replace(PRESETS["Paper"], increment=replace(PAPER.configuration.rules.increment, amount=300_000))
    values = [{"kind": "additive", "values": dict(zip([lot.id for lot in lots], one, strict=True))} for one in SECRETS]
    seats = [Seat(f"Bidder {n}", value, "straightforward", 99, 0) for n, value in enumerate(values, 1)]
    entries = play(replace(PAPER.configuration, lots=lots, rules=rules), seats)
    assert not auction_debrief._DEBRIEFS.at_once(replay(entries), len(entries))
    monkeypatch.setattr(auction_debrief, "current_user", lambda: ANNE)
    waited = auction_debrief.by_job(services, entries[-1].hash, lambda: entries, asked=True)
    assert waited.debrief is None
    job = services.jobs.get(ANNE, str(waited.job))
    assert f"data-job='{job.id}'" in str(waited.said)
    with pytest.raises(NotFoundError):
        services.jobs.get(BEN, job.id)
    steps = finished(services, job, debrief_job).steps
    assert steps == sorted(steps)
    assert steps[0][0] < steps[-1][0] < steps[-1][1]
    found = auction_debrief.by_job(services, entries[-1].hash, lambda: entries, asked=False).debrief
    assert found is not None
    assert found.totals == debrief(entries).totals
    assert values_in(json.dumps(found.to_json()), 1) == list(SECRETS[1])
    mine = cut(found, Reader("bidder", 0, everything=False))
    assert values_in(json.dumps(mine.to_json()), 1) == []


def test_a_debrief_that_was_cancelled_says_how_to_try_anew(
    services: Services, ledger: Sequence[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auction_debrief, "_DEBRIEFS", Debriefs())
    monkeypatch.setattr(auction_debrief, "current_user", lambda: ANNE)
    first = auction_debrief.by_job(services, ledger[-1].hash, lambda: ledger, asked=True)
    services.jobs.cancel(ANNE, str(first.job))
    stopped = auction_debrief.by_job(services, ledger[-1].hash, lambda: ledger, asked=False)
    assert "The debrief is not worked out" in str(stopped.said)
    assert "It was cancelled." in str(stopped.said)
    assert "Work it out again" in str(stopped.said)
    again = auction_debrief.by_job(services, ledger[-1].hash, lambda: ledger, asked=True)
    assert again.job not in (None, first.job)


# Files of one table


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


def test_the_ledger_is_told_up_to_where_it_was_looked_at(server: Flask, rooms: Rooms) -> None:
    host = Visitor(server)
    auction = secret_auction(rooms, host)
    here = rooms.look(auction)
    host.order(auction, "close")
    assert len(entries_of(rooms, here)) == here.live.last.number
