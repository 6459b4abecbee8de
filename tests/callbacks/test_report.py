"""The printable reports: what stands in them, who may read them, and what is said when there is no current answer."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from app import create_app
from callbacks.capacity_answer import Seat
from callbacks.capacity_desk import Desk
from callbacks.capacity_promise import as_sent
from callbacks.report import report_links, report_page
from callbacks.services import Services
from callbacks.settings import Settings
from components.capacity_answer import Answer
from components.capacity_tables import limit_rows, site_rows
from components.capacity_view import question_query
from components.report_python import code
from engine.capacity.promise import Promise
from engine.capacity.promise_jobs import PROMISE, promise_arguments
from engine.capacity.question import CapacityQuestion
from engine.capacity.risk import LevelRisk, ProductRisk, Risk, Share, percents
from engine.errors import NotFoundError
from engine.network import library
from engine.network.readers import write_network
from engine.network.tables import NetworkTables
from engine.store.answers import Answer as StoredAnswer
from engine.store.codec import dump_json
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS
from tests.databases import ready_sqlite

ANNE, BEN = "anne", "ben"
NOW = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> Seat:
    return Seat(Desk(services), ANNE, services.studies.create(ANNE, "Four", library.load("fourbus")))


def answered(seat: Seat) -> Answer:
    question = seat.desk.begin(seat.user, seat.study)
    found = seat.desk.look(seat.user, seat.study, question, submit=False).answer
    assert found is not None
    return found


def query_of(seat: Seat, question: CapacityQuestion, **more: str) -> dict[str, str]:
    return {**dict(parse_qsl(question_query(question))), "study": seat.study, **more}


def drawn_of(answer: Answer) -> dict[str, object]:
    return {"question": answer.question.to_json(), "network": answer.network.digest}


def words_of(html: str) -> str:
    """Return what a reader sees of a page, without its drawings."""
    text = re.sub(r"<(svg|head)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def wider(tables: NetworkTables) -> NetworkTables:
    """Return the paper's network with line 1-2 at 130 MW instead of 100."""
    changed = tables.branches.copy()
    changed.loc[changed["branch"] == "1-2", "rating_a_mw"] = 130.0
    return replace(tables, branches=changed)


def test_a_report_of_a_study_has_the_numbers_of_the_tables(seat: Seat) -> None:
    answer = answered(seat)
    told = words_of(report_page(seat.desk, ANNE, query_of(seat, answer.question), NOW))
    for row in site_rows(answer):  # firm (10, 10) in section 6 of the specification
        assert f"{row['asked']:.1f} {row['firm']:.1f} {row['inc0']:.1f} {row['total']:.1f}" in told
    for row in limit_rows(answer):
        assert f"{row['limit']} {row['level']} {row['rating']:.1f} {row['margin']:.1f}" in told
    known = answer.result.provenance
    for text in (answer.question.sentence(), "Indicative only", known.solver, "Four", "2026-03-01 14:05 UTC", "4-firm"):
        assert text in told
    assert known.network_digest[:8] in told
    assert "Stale" not in told


def test_a_report_draws_its_maps_itself(seat: Seat) -> None:
    answer = answered(seat)
    html = report_page(seat.desk, ANNE, query_of(seat, answer.question), NOW)
    assert html.count('<svg role="img"') == 2
    assert not re.search(r"<script|(?:src|href)=\"https?:", html)
    assert "3: 28 %" in html  # 16.7 of 60 MW


def test_a_report_of_a_bus_has_its_numbers_cards_and_neighbours(seat: Seat) -> None:
    answer = answered(seat)
    told = words_of(report_page(seat.desk, ANNE, query_of(seat, answer.question, bus="3"), NOW))
    assert "Firm, with the other sites 10.0 MW of 60.0 MW asked" in told
    assert "1.000 x 10.0 + 1.000 x 10.0 <= 100.0 - 80.0" in told  # the present demand's worst case: 30 + 30 + 20 - 0
    assert "2-3 line 2" in told
    assert "MW against risk at Bus 3" in told


def test_an_earlier_network_is_said_to_be_stale(seat: Seat) -> None:
    answer = answered(seat)
    old = answer.network.digest
    status = seat.desk.services.studies.network_status(ANNE, seat.study)
    seat.desk.services.studies.save_network(ANNE, seat.study, wider(answer.network.tables), status.revision, "wider")
    html = report_page(seat.desk, ANNE, query_of(seat, answer.question, network=old), NOW)
    assert "Stale: the network has been changed since this was computed" in words_of(html)
    now = words_of(report_page(seat.desk, ANNE, query_of(seat, answer.question), NOW))
    assert "No report" in now  # nobody computed it for the present network


def test_what_was_not_computed_is_said(seat: Seat) -> None:
    question = seat.desk.begin(ANNE, seat.study)
    told = words_of(report_page(seat.desk, ANNE, query_of(seat, question), NOW))
    assert "The answer is not computed, or not kept any more" in told
    assert question.sentence() in told


def test_an_unreadable_question_and_an_unknown_bus_are_said(seat: Seat) -> None:
    answer = answered(seat)
    broken = query_of(seat, answer.question) | {"eps": "ninety"}
    assert "This question cannot be answered" in words_of(report_page(seat.desk, ANNE, broken, NOW))
    html = report_page(seat.desk, ANNE, query_of(seat, answer.question, bus="<b>9</b>"), NOW)
    assert "The network has no bus" in words_of(html)
    assert "<b>9" not in html


def test_nobody_else_reads_a_report_but_a_reader_of_the_shared_study(seat: Seat) -> None:
    answer = answered(seat)
    query = query_of(seat, answer.question)
    with pytest.raises(NotFoundError):
        report_page(seat.desk, BEN, query, NOW)
    seat.desk.services.studies.accept_share(BEN, seat.desk.services.studies.share(ANNE, seat.study))
    assert "10.0" in words_of(report_page(seat.desk, BEN, query, NOW))
    with pytest.raises(NotFoundError):
        report_page(seat.desk, BEN, query | {"network": "0" * 64}, NOW)


def test_the_links_lead_to_what_is_drawn(seat: Seat) -> None:
    answer = answered(seat)
    links = report_links(seat, drawn_of(answer), "bus:4")
    hrefs = [part.href for part in links[0].children if getattr(part, "href", None)]
    for href, bus in zip(hrefs, (None, "4"), strict=True):
        query = dict(parse_qsl(href.partition("?")[2]))
        assert query["network"] == answer.network.digest
        assert query.get("bus") == bus
        assert "10.0" in words_of(report_page(seat.desk, ANNE, query, NOW))
    assert not [part for part in report_links(seat, None, None) if getattr(part, "href", None)]


def test_the_lines_of_python_give_the_same_answer(seat: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answered(seat)
    _, content = write_network(answer.network.tables, "json")
    (tmp_path / "network.json").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code(answer), "again.py", "exec"), {})  # noqa: S102 (the product's own lines)
    found = [json.loads(line.partition("[")[1] + line.partition("[")[2]) for line in printed.getvalue().splitlines()]
    assert found == [[round(mw, 1) for mw in level.capacity_mw] for level in answer.result.levels]


def test_text_in_the_lines_of_python_stays_text(seat: Seat) -> None:
    answer = answered(seat)
    spec = {"kind": "distribution", "parameters": {"note": 'a "quoted" \\ back\nslash """'}, "seed": 1}
    odd = CapacityQuestion.from_json(answer.question.to_json() | {"uncertainty": spec})
    lines = code(replace(answer, question=odd))
    kept = re.search(r'json\.loads\("""(.*?)"""\)\)', lines, re.DOTALL)
    assert kept is not None
    text = eval(f'"""{kept.group(1)}"""')  # noqa: S307 (as Python reads it)
    assert CapacityQuestion.from_json(json.loads(text)) == odd


def test_the_address_is_a_page_with_the_products_policy(settings: Settings) -> None:
    client: FlaskClient = create_app(settings).server.test_client()
    client.get("/")
    missing = client.get("/report?study=nothing")
    assert missing.status_code == 404
    assert "script-src 'self'" in missing.headers["Content-Security-Policy"]
    assert "report.css" not in client.get("/").get_data(as_text=True)
    with client.get("/assets/report.css") as sheet:
        assert sheet.status_code == 200


def test_a_measured_promise_is_in_the_report_of_this_very_answer(seat: Seat) -> None:
    answer = answered(seat)
    query = query_of(seat, answer.question)
    assert "What the promise is worth" not in words_of(report_page(seat.desk, ANNE, query, NOW))
    product = ProductRisk("3", 0.05, 6.8, Share(0.031, 0.02, 0.045), 0.1, 3.2, 7.5, "scenario 7", 270.0, 864.0)
    level = LevelRisk(0.05, Share(0.041, 0.03, 0.05), Share(0.031, 0.02, 0.04), "1-2", 0.1, 7.5, "In plain words.")
    one = Share(0.0, 0.0, 0.004)
    milder = replace(level, exceeded=Share(0.012, 0.01, 0.02))
    mild = Risk((milder,), (), 0, (product,), one, one, 0.0, 900, 8784.0, 12)
    risk = Risk((level,), (), 0, (product,), one, one, 0.0, 900, 8784.0, 12)
    digests = ("network_digest", "question_digest", "uncertainty_digest")
    known = [getattr(answer.result.provenance, name) for name in digests]
    known += ["2026-02-01T10:00:00+00:00"]
    promise = Promise(risk, mild, None, "fresh draws", ("A warning.",), *known, 1.0, redispatch=False, no_interval="")
    levels = [level.capacity_mw for level in answer.result.levels]
    arguments = as_sent(promise_arguments(answer.network.digest, answer.question, levels))
    key = hash_input(PROMISE, KINDS[PROMISE], dump_json(arguments, "the arguments of a job"))
    content = json.loads(json.dumps(promise.to_json()))
    seat.desk.services.results.put(ANNE, seat.study, StoredAnswer(PROMISE, key, content, {}))
    told = words_of(report_page(seat.desk, ANNE, query, NOW))
    assert f"{percents(level.exceeded)} {percents(milder.exceeded)} {percents(level.most_on_one)} 1-2 7.5" in told
    assert "Limits exceeded, whatever part is drawn All at once" in told
    assert f"3 at 5 % 6.8 {percents(product.interrupted)} 270 864 3.2 7.5" in told
    assert "3.1" in percents(product.interrupted)
    assert "900 states: fresh draws" in told
    assert "No flexible product is granted at this bus" in words_of(
        report_page(seat.desk, ANNE, query | {"bus": "4"}, NOW)
    )
    other = replace(answer.question, demand_mw=(61.0, 50.0))
    assert seat.desk.look(ANNE, seat.study, other, submit=False).answer is not None
    assert "What the promise is worth" not in words_of(report_page(seat.desk, ANNE, query_of(seat, other), NOW))
