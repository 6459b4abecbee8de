"""How long a gate takes, as the Siting page tells it before it is begun: measured orders of magnitude, and laws."""

from dataclasses import replace

import pytest

from components.siting_states import START_S, gate_seconds, processor_seconds
from engine.siting.question import SitingQuestion
from tests.siting_study import network

# Buses, hours, candidates, outages, and the processor seconds that the gate took: the opening questions of ieee30,
# rts24 and activsg200, measured by `time.process_time` over the hours, and that of synthetic Texas as the answer that
# comes with the program says.
MEASURED = (
    (30, 16, 27, 18, 1.2),
    (24, 16, 24, 70, 6.2),
    (200, 8, 151, 222, 11.9),
    (2000, 2, 1431, 3339, 701.5),
)
ASKED = SitingQuestion(choice="representative", count=4, candidates="listed", buses=("A",), branches="all")


@pytest.mark.parametrize(("buses", "hours", "candidates", "outages", "took_s"), MEASURED)
def test_the_estimate_has_the_order_of_magnitude_that_was_measured(
    buses: int, hours: int, candidates: int, outages: int, took_s: float
) -> None:
    assert took_s / 3.0 <= processor_seconds(buses, hours, candidates, outages) <= 3.0 * took_s


def test_more_hours_candidates_outages_or_buses_never_take_less() -> None:
    least = (30, 8, 10, 20)
    for place in range(4):
        more = [amount + (5 if place == other else 0) for other, amount in enumerate(least)]
        assert processor_seconds(*more) > processor_seconds(*least)


def test_a_question_that_asks_more_is_told_a_longer_time() -> None:
    here = gate_seconds(network(), ASKED)
    assert here > START_S  # nothing is screened before processes are begun and hours are made
    for more in (
        {"count": 5}, {"choice": "stress"}, {"choice": "year"}, {"buses": ("A", "B")},
        {"choice": "list", "hours": tuple(range(9))},
    ):  # fmt: skip
        assert gate_seconds(network(), replace(ASKED, **more)) > here, more
    for less in ({"units": False}, {"branches": "none"}, {"choice": "one", "hours": (3,)}):
        assert gate_seconds(network(), replace(ASKED, **less)) < here, less
