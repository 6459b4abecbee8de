"""The panel of the AC power flows: what is solved, what was moved, and what a base that fails says."""

import numpy as np

from components import siting_ac
from components.why_card import WhyInput
from engine.siting.ac_check import INTACT, AcReport, AcRow
from tests.callbacks.screen import ids_in, text

BASE = AcRow(INTACT, 0.0, "no outage", "solved", (), 12.5, 1.0123, 0.9711, "7", 1.0512, "9", 0, 0, 0.876, "7-9", 2, 1.0)
MOVED = AcRow(
    INTACT, 80.0, "no outage", "solved", ("dispatch 80 % least-cost: told",), 14.0, 1.0, 0.96, "7", 1.05, "9", share=0.8
)
NONE = AcRow(3, 80.0, "the loss of line a", "no solution", ("no AC solution was found",))
INPUTS = [WhyInput("network", "abc")]


def shown(*rows: AcRow) -> object:
    return siting_ac.done(AcReport("7", 80.0, "hour 16", rows, ("an AC power flow flags and never gates",)), INPUTS)


def test_every_number_has_a_card_and_a_moved_dispatch_is_told_in_its_row() -> None:
    part = shown(BASE, MOVED, NONE)
    ids, said = ids_in(part), text(part)
    assert {"siting-table-ac-why", "siting-why-ac-0", "siting-why-ac-1", "siting-why-ac-2"} <= set(ids)
    assert "dispatch 80 % least-cost: told" in said
    assert "80 % least-cost, the rest in proportion" in said
    assert "2 of 2 states with 80 MW at bus 7 are flagged" in said
    for number in ("12.5 MW", "1.0123 pu", "0.9711 pu at bus 7", "1.0512 pu at bus 9", "7-9, 87.6 %"):
        assert number in said, number


def test_a_base_without_a_solution_says_nothing_of_the_site_and_gives_no_numbers() -> None:
    failed = AcRow(INTACT, 0.0, "no outage", "no solution", ("no AC solution was found",))
    said = text(shown(failed, NONE))
    assert "the base without the load has no AC solution: this says nothing of the site" in said
    assert "at bus 7 are flagged" in said
    assert "pu at bus " not in said  # no voltage of no bus
    assert np.isnan(failed.losses_mw)
