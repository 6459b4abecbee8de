"""Everything that is wrong with a case is said at once, with its hub, its value and its limit."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import NetworkDataError
from engine.pricing.case import GUARD_PER_MWH, Curvature, HubCase, PriceRange, Terms
from engine.pricing.cases import fleet, three_hubs
from engine.pricing.hubs import Battery, Generator, Hub, Hydrogen, Work
from engine.pricing.network import HubNetwork
from tests.engine.pricing.small import one_line, two_hubs


def _told(case: HubCase) -> str:
    with pytest.raises(NetworkDataError) as caught:
        case.checked()
    return "\n".join(problem.message for problem in caught.value.problems)


def test_cases_that_come_with_the_program_have_no_fault() -> None:
    for case in (three_hubs(), fleet(7), two_hubs()):
        assert case.checked() is case
    assert three_hubs().digest == three_hubs().digest != three_hubs(seed=1).digest


def test_a_digest_is_of_everything_in_a_fleet_and_of_nothing_else() -> None:
    """Law: the same inputs make the same digest, and whatever differs makes another."""
    case = fleet(7, hours=4)
    assert case.digest == fleet(7, hours=4).digest
    assert len(case.digest) == 64
    network, hub = case.network, case.hubs[0]
    others = [
        fleet(8, hours=4), fleet(7, hours=5), fleet(7, hours=4, seed=1), fleet(7, hours=4, feeder="ieee34"),
        replace(case, hubs=(replace(hub, import_mw=hub.import_mw * (1.0 + 1e-12)), *case.hubs[1:])),
        replace(case, network=replace(network, limit_mw=network.limit_mw * 1.001)),
        replace(case, network=replace(network, share=-network.share)),
        replace(case, network=replace(network, import_mw=network.import_mw + 1.0)),
        replace(case, areas=tuple(reversed(case.areas))), replace(case, step_h=0.5),
        replace(case, terms=replace(case.terms, fair=0.5)), replace(case, prices=PriceRange(-1.0, 1.0)),
        replace(case, curvature=Curvature(share=0.5)), replace(case, buy_per_mwh=case.sell_per_mwh),
    ]  # fmt: skip
    assert len({case.digest, *(each.digest for each in others)}) == len(others) + 1


def test_every_fault_is_named_at_once() -> None:
    bad = Hub(
        "bad", "a", (1.0, math.nan), -2.0, math.inf, (-1.0, 0.0), math.nan, -1.0,
        Battery(-1.0, 1.0, 0.0, 1.5, 2.0), Hydrogen(1.0, -1.0, 1.0, start_mwh=3.0), Generator(-1.0, 5.0, -1.0),
        Work((1.0,), -1.0, 0),
    )  # fmt: skip
    told = _told(
        HubCase((bad, bad), one_line(2, 2, 0.0), (30.0, math.nan), (0.0, 0.0), 0.0, ("one",), Terms(level=-1.0),
                PriceRange(5.0, 10.0), Curvature(own=0.0), (0, 2))
    )  # fmt: skip
    for words in (
        "two hubs are named bad", "demand of hub bad in period 2 is nan", "import limit, MW, of hub bad is -2",
        "export limit, MW, of hub bad is inf", "sun of hub bad in period 1 is -1",
        "power of its battery, MW, of hub bad",
        "efficiency of charging at hub bad is 0", "efficiency of discharging at hub bad is 1.5",
        "begins with 2 MWh; from 0 to 1", "begins with 3 MWh; from 0 to 1", "power of its fuel cell",
        "power of its generator", "ramp of its generator", "arriving work of hub bad has 1 values for 2 periods",
        "deadline of work at hub bad is 0 periods; 1 to 2", "price of buying of day in period 2 is nan",
        "a period has 0 h", "1 labels for 2 periods", "level is -1", "curvature own is 0",
        "run from 5 to 10 $/MWh; 0 must be within", "limit of line line is 0 MW", "areas are one number",
    ):  # fmt: skip
        assert words in told, words


def test_selling_dearer_than_buying_is_refused_where_a_hub_can_sell() -> None:
    """Else import and export at once would pay; a hub that cannot export may be asked."""
    case = replace(two_hubs(), sell_per_mwh=(29.9, 30.0, 30.0 - GUARD_PER_MWH, 0.0))
    assert case.checked() is case
    sells = replace(case, hubs=(replace(case.hubs[0], export_mw=1.0), case.hubs[1]))
    assert "hub one buys at 30 $/MWh in period 2 and sells at 30" in _told(sells)
    assert "period 1" not in _told(sells)
    least, _ = replace(sells, prices=PriceRange(-40.0, 40.0)).price_bounds()
    assert least[0].tolist() == pytest.approx([-0.1 + GUARD_PER_MWH, GUARD_PER_MWH, 0.0, -30.0 + GUARD_PER_MWH])
    assert least[1].tolist() == [-40.0] * 4


def test_a_network_without_any_limit_and_one_of_another_size_are_refused() -> None:
    empty = HubNetwork((), np.zeros((0, 2)), np.zeros((0, 4)), np.zeros(0), np.zeros(4))
    assert "no line with a limit and no limit of the substation" in _told(replace(two_hubs(), network=empty))
    other = one_line(5, 3, 2.0)
    told = _told(replace(two_hubs(), network=other))
    assert "the network has 5 periods, the prices 4" in told
    assert "share of the network has the shape (1, 3)" in told
