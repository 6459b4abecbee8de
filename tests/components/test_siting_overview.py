"""What the gate lists and counts on the Siting page, on a study that is worked out by hand."""

from dataclasses import replace

import numpy as np

from components import siting_overview, siting_tables, siting_totals, siting_why
from components.siting_answer import Answer, Drawn, Gate
from engine.siting.criteria import Column, Criterion, OwnCriteria
from engine.siting.gate.results import UNDECIDED
from tests.callbacks.screen import text
from tests.siting_study import gate_run


def answer(threshold: float = 0.05, size_mw: float = 100.0, **more: object) -> Answer:
    run = gate_run()
    gate = Gate("key", run.question, run.gate, run)
    return Answer(run.network, gate, Drawn("firm", size_mw, threshold, 20, (1.0,) * 3, True), **more)  # type: ignore[arg-type]


def test_outages_that_fail_before_any_load_are_listed_with_what_they_take_of_the_allowance() -> None:
    # Seven of eight pairs, as tests/engine/siting/test_sheet.py works out: only the loss of unit a in the first hour
    # is survived.
    found = answer()
    said = text(siting_overview.rest(found, "light"))
    assert "7 pairs of an hour and an outage fail before any load is added: 87.5 % of all, where 95.0 % may" in said
    assert "A site can only pass them by relieving them" in said
    assert "Fail before any load (4 outages)" in said
    listed = str(siting_overview.rest(found, "light")[-1])  # rows travel as JSON
    for words in ("The loss of line A-B/1", "The loss of line A-B/2", "The loss of unit a", "The loss of unit b"):
        assert words in listed
    assert listed.count('["2 of 2"]') == 3
    assert listed.count('["1 of 2"]') == 1
    # At A 80 MW relieve the loss of a circuit: there the words that every site fails them were wrong.
    row = next(row for row in siting_tables.candidate_rows(found) if row["id"] == "A")
    assert row["rate0"] > 1.0 - 7.0 / 8.0
    assert "relieving" in text(siting_totals.qualified_card(found, 0))


def test_what_splits_the_network_is_listed() -> None:
    found = answer()
    apart = replace(found.gate.result, islanding=("branch A-C cuts off bus C",))
    split = replace(found, gate=Gate("key", found.question, apart, found.gate.run))
    assert "Split the network, left out (1 outage) " in text(siting_overview.rest(split, "light")[-1])
    assert "Branch A-C cuts off bus C" in str(siting_overview.rest(split, "light")[-1])
    assert "Split the network" not in text(siting_overview.rest(found, "light")[-1])


def test_a_part_of_the_hours_is_told_as_of_those_screened() -> None:
    found = answer()
    part = replace(found.gate.result, verdicts=(found.gate.result.verdicts[0], None))
    half = replace(found, gate=Gate("key", found.question, part))
    assert siting_totals.base_words(half).startswith("3 outages fail before any load is added: 75.0 % of all")


def test_bands_hold_every_envelope_and_what_a_readers_criteria_stop_is_in_none() -> None:
    found = answer()
    rows = siting_overview.sizes_rows(found)
    assert {row["envelope"] for row in rows} == {"firm", "shift"}
    assert len(rows) == 2 * len(siting_overview.steps_mw(found))
    assert min(row["size"] for row in rows) == 100.0 / 40
    for row in rows:
        verdict = found.proved(row["envelope"], row["size"])
        assert row["qualified"] == (verdict == 1).sum()
        assert row["at_most"] == row["qualified"] + (verdict == UNDECIDED).sum()
    names = {trace.name for trace in siting_overview.sizes_figure(found).data}
    assert {"firm, at least", "firm, at most", "shift, at least", "shift, at most"} <= names
    water = Criterion("water", "gate at most", limit=1.0)
    stopped = replace(found, own=OwnCriteria.of((water,), [Column("water", np.array([5.0, 5.0]))]))
    assert all(row["at_most"] == 0 for row in siting_overview.sizes_rows(stopped))


def test_what_a_load_breaks_is_told_from_what_fails_anyway() -> None:
    # At 16 o'clock unit b alone serves 200 MW; with 80 MW more it cannot, wherever they are.
    found = answer()
    for row in siting_tables.candidate_rows(found):
        assert (row["breaks0"], row["strict0"]) == (1, "fails")
        card = text(siting_why.row_card(found, row["id"], "breaks0"))
        assert card.startswith("1 pair of an hour and an outage, broken by the load")
        assert "The loss of unit a at bus A: 1 hour of 2" in card
