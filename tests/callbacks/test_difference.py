"""Two settings held against each other: the numbers, the words, the address, and who may see them."""

import csv
import io
import math
import xml.etree.ElementTree as ET
from base64 import b64decode
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

from callbacks import difference as page
from callbacks.capacity_answer import Seat
from components import difference as diff
from components import difference_page as view
from components.capacity_answer import Answer
from components.difference import Pair
from components.difference_parts import address
from components.drawing import class_colour
from components.grid_map import Layer, layers_data
from components.theme import DIFFERENCE
from engine.capacity.question import CapacityQuestion
from engine.errors import NotFoundError, QuestionError
from engine.network import library
from engine.network.tables import NetworkTables

ANNE, BEN = "anne", "ben"


def answered(seat: Seat, **changes: Any) -> Answer:
    question = replace(seat.desk.begin(seat.user, seat.study), **changes)
    found = seat.desk.look(seat.user, seat.study, question, submit=False).answer
    assert found is not None
    return found


def side(answer: Answer) -> page.Side:
    return page.Side(answer.question, answer.network.digest)


def told(seat: Seat, answer: Answer) -> dict[str, str]:
    query = page.query_of(seat.desk, seat.user, seat.study, answer.question)
    return {"query": query, "network": answer.network.digest, "period": ""}


def drawn_of(answer: Answer) -> dict[str, object]:
    return {"question": answer.question.to_json(), "network": answer.network.digest}


def wider(tables: NetworkTables) -> NetworkTables:
    """Return the paper's network with line 1-2 at 130 MW instead of 100."""
    changed = tables.branches.copy()
    changed.loc[changed["branch"] == "1-2", "rating_a_mw"] = 130.0
    return replace(tables, branches=changed)


def text_of(part: Any) -> str:
    if isinstance(part, list | tuple):
        return " ".join(text_of(child) for child in part)
    if isinstance(part, str | int | float):
        return str(part)
    return text_of(getattr(part, "children", None) or "")


def test_more_line_gives_what_more_line_gives(seat: Seat) -> None:
    # At present demand's worst the paper's line 1-2 carries 80 of its 100 MW: 20 for both sites. With 130 it leaves
    # 50, and the buses' own limits stop them: bus 3 may withdraw 40 and has 20, bus 4 40 and 30. So 20 and 10 MW.
    a = answered(seat)
    status = seat.desk.services.studies.network_status(ANNE, seat.study)
    seat.desk.services.studies.save_network(ANNE, seat.study, wider(a.network.tables), status.revision, "wider")
    b = answered(seat)
    rows = {row.bus: row for row in diff.rows(Pair(a, b), "sites-firm")}
    assert {bus: row.difference_mw for bus, row in rows.items()} == pytest.approx({"3": 10.0, "4": 0.0}, abs=1e-6)
    assert rows["3"].a_limit == "line 1-2"
    assert rows["3"].b_limit == "withdrawal limit of bus 3"
    assert diff.differs(Pair(a, b)) == ["the network: 1 branch changed"]


def test_another_risk_level_changes_flexible_only(seat: Seat) -> None:
    pair = Pair(answered(seat), answered(seat, epsilons=(0.2,)))
    assert not diff.changes(pair, "sites-firm")
    assert all(row.difference_mw > 0 for row in diff.rows(pair, "sites-total"))  # monotone: more risk, more room
    assert diff.differs(pair) == ["the risk level: 5 % in A, 20 % in B"]
    assert page.quantity_of(pair, "nothing of ours") == "sites-total"  # the first in which they differ
    assert "A at 5 %, B at 20 %" in diff.note_of(pair, "sites-total")


def test_the_other_way_round_every_difference_has_the_other_sign(seat: Seat) -> None:
    a, b = answered(seat), answered(seat, epsilons=(0.1,), supply="capacity")
    for quantity in diff.offered(Pair(a, b)):
        there = {row.bus: row.difference_mw for row in diff.rows(Pair(a, b), quantity)}
        back = {row.bus: row.difference_mw for row in diff.rows(Pair(b, a), quantity)}
        assert there == pytest.approx({bus: -value for bus, value in back.items()})


def test_a_site_of_one_side_only_is_named_and_not_compared(seat: Seat) -> None:
    both = answered(seat)
    one = answered(seat, candidates=("3",), demand_mw=(60.0,))
    rows = {row.bus: row for row in diff.rows(Pair(both, one), "sites-firm")}
    assert math.isnan(rows["4"].difference_mw)
    assert diff.row_words(rows["4"]) == "in A only: 10.0 MW"
    assert "alone-firm" not in diff.offered(Pair(both, one))  # who asks does not change what a bus could take alone


def test_what_meets_no_limit_in_both_does_not_differ() -> None:
    assert diff.Row("1", math.inf, math.inf, "", "").difference_mw == 0.0
    assert diff.Row("1", 5.0, math.inf, "", "").difference_mw == math.inf


def test_classes_are_even_about_zero_and_the_middle_is_no_change() -> None:
    values = np.array([-100.0, -12.0, -1.0, -0.04, 0.0, 0.04, 1.0, 12.0, 100.0, math.nan, math.inf])
    breaks = diff.breaks_of(values)
    assert breaks == [0.05, 10.0, 20.0]  # a tenth and four tenths of 100, of 1, 2 and 5: 10, 20
    found = diff.classes_of(values, breaks)
    assert found == [1, 2, 3, 4, 4, 4, 5, 6, 7, 0, 7]
    mirrored = diff.classes_of(-values, breaks)
    assert [8 - number for number in found if number] == [number for number in mirrored if number]
    labels = diff.class_words(breaks)
    layer = layers_data([Layer("d", "D", palette="difference", labels=labels)])["layers"]["d"]
    assert [class_colour(layer, number) for number in range(1, 8)] == list(DIFFERENCE)
    assert labels[3] == "no change"


def test_the_map_has_the_classes_of_the_table(seat: Seat) -> None:
    pair = Pair(answered(seat), answered(seat, epsilons=(0.2,)))
    layer = view.map_data(pair)["layers"]["sites-total"]
    by_bus = dict(zip(pair.network.buses.ids, layer["buses"], strict=True))
    rows = {row["id"]: row["difference"] for row in view.table_rows(pair, "sites-total")}
    assert set(rows) == {"3", "4"}
    for bus, number in by_bus.items():
        assert (number > 4) == (rows.get(bus, 0.0) >= diff.SAME_MW)
    assert by_bus["1"] == 0


def test_exports_hold_the_rows_and_both_questions(seat: Seat) -> None:
    pair = Pair(answered(seat), answered(seat, epsilons=(0.2,)))
    rows = list(csv.DictReader(io.StringIO(page.export(pair, "sites-total", "csv")["content"])))
    assert [row["bus"] for row in rows] == ["3", "4"]
    for row, one in zip(rows, diff.rows(pair, "sites-total"), strict=True):
        assert float(row["difference_mw"]) == pytest.approx(one.b_mw - one.a_mw, abs=1e-6)
        assert row["a_question_digest"] == pair.a.question.digest()
        assert row["b_question_digest"] == pair.b.question.digest()
        assert "indicative only" in row["a_use"]
    drawing = b64decode(page.export(pair, "sites-total", "svg")["content"])
    words = ["".join(part.itertext()) for part in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 (drawn here)
    assert "What changes from A to B: the risk level: 5 % in A, 20 % in B" in words
    for one in diff.rows(pair, "sites-total"):
        assert f"{one.bus}: {diff.signed(one.difference_mw)} MW" in words
    assert any(pair.b.question.digest()[:12] in text for text in words)


def test_the_address_holds_both_questions(seat: Seat) -> None:
    a, b = answered(seat), answered(seat, epsilons=(0.2,))
    href = address(seat.study, told(seat, a), told(seat, b))
    query = dict(parse_qsl(href.partition("?")[2]))
    for name, answer in (("a", a), ("b", b)):
        assert page.read_side(seat.desk, ANNE, seat.study, query, name) == side(answer)


def test_a_long_question_is_kept_and_named_by_its_digest(seat: Seat) -> None:
    answer = answered(seat)
    spec = replace(answer.question.uncertainty, parameters={"note": "x" * 2000})
    long = replace(answer.question, uncertainty=spec)
    query = page.query_of(seat.desk, ANNE, seat.study, long)
    assert query == f"q={long.digest()}"
    there = {"a": query, "an": answer.network.digest}
    assert page.read_side(seat.desk, ANNE, seat.study, there, "a").question == long


@pytest.mark.parametrize("query", [{}, {"a": "eps=5"}, {"a": "sites=3&eps=x", "an": "0"}, {"a": f"q={'0' * 64}"}])
def test_an_address_that_cannot_be_read_is_refused_in_words(seat: Seat, query: dict[str, str]) -> None:
    with pytest.raises((QuestionError, NotFoundError)):
        page.read_side(seat.desk, ANNE, seat.study, query, "a")


def test_nobody_else_sees_a_comparison_but_a_reader_of_the_shared_study(seat: Seat) -> None:
    a, b = answered(seat), answered(seat, epsilons=(0.2,))
    sides = {"a": side(a).to_json(), "b": side(b).to_json()}
    with pytest.raises(NotFoundError):
        page.pair_of(seat.desk, BEN, seat.study, sides)
    seat.desk.services.studies.accept_share(BEN, seat.desk.services.studies.share(ANNE, seat.study))
    assert page.pair_of(seat.desk, BEN, seat.study, sides).b.question == b.question


@pytest.mark.parametrize("forged", [None, [], {"a": 1, "b": {}}, {"a": {"question": {"candidates": 5}}}])
def test_forged_sides_are_refused(seat: Seat, forged: Any) -> None:
    with pytest.raises(QuestionError):
        page.pair_of(seat.desk, ANNE, seat.study, forged)


def test_the_bar_keeps_an_answer_and_leads_to_the_comparison(seat: Seat) -> None:
    a, b = answered(seat), answered(seat, epsilons=(0.2,))
    assert page.bar(seat, None, None) == []
    assert "Keep as A" in text_of(page.bar(seat, drawn_of(a), None))
    kept = page.keep(seat, drawn_of(a))
    assert "This is A" in text_of(page.bar(seat, drawn_of(a), kept))
    link = page.bar(seat, drawn_of(b), kept)[0]
    query = dict(parse_qsl(link.href.partition("?")[2]))
    assert page.read_side(seat.desk, ANNE, seat.study, query, "a") == side(a)
    assert page.read_side(seat.desk, ANNE, seat.study, query, "b") == side(b)
    other = {**kept, "study": "another"}
    assert "Keep as A" in text_of(page.bar(seat, drawn_of(b), other))


def test_states_of_a_network_are_told_apart_in_words() -> None:
    before = library.load("fourbus")
    assert diff.network_changes(before, before) == []
    fewer = replace(before, units=before.units.iloc[:-1])
    assert diff.network_changes(before, fewer) == ["1 unit removed"]
    assert diff.network_changes(fewer, wider(before)) == ["1 branch changed", "1 unit added"]


def test_a_question_with_nothing_allocated_is_compared_as_unknown(seat: Seat) -> None:
    a = answered(seat)
    tight = a.network.tables.branches.copy()
    tight.loc[tight["branch"] == "1-2", "rating_a_mw"] = 70.0  # present demand's worst case needs 80
    status = seat.desk.services.studies.network_status(ANNE, seat.study)
    tables = replace(a.network.tables, branches=tight)
    seat.desk.services.studies.save_network(ANNE, seat.study, tables, status.revision, "tight")
    b = answered(seat)
    assert b.stopped
    pair = Pair(a, b)
    assert [math.isnan(row.difference_mw) for row in diff.rows(pair, "sites-firm")] == [True, True]
    assert "limits are exceeded already" in {row["b_limit"] for row in view.table_rows(pair, "sites-firm")}
    told = text_of(view.totals_of(pair, "sites-firm"))
    assert "question A" in told  # each number's card names both
    assert "question B" in told
    assert CapacityQuestion.from_json(b.question.to_json()) == a.question


def test_a_drawing_without_places_leaves_room_for_the_legend(seat: Seat) -> None:
    # At 1440 px the map is about 760 px wide and the legend 224 px with its border: 30 % of it.
    pair = Pair(answered(seat), answered(seat, epsilons=(0.2,)))
    (_, west), (_, east) = page._frame(pair)["bounds"]
    first = view.points_of(pair.network)[:, 0].min()
    assert (first - west) / (east - west) > 0.3
