"""About how long the market of a study takes on two cores, from what its parts took where they were measured.

Figures are of processor time: seconds on cores with nothing else to do, more on others.
"""

import numpy as np

from engine.network.model import Network
from engine.siting.market_run import MarketQuestion, MarketRun

CORES = 2
# Of a day of synthetic Texas, like tests/benchmarks/results/siting_market.md, each for one site in each of seven zones:
BASE_S = 78.0  # the day without a site, with the warm-up day before it
SITE_S = 7.0  # the day with a site, to the first gap: 4.2 to 9.9 s
AGAIN_S = 40.0  # the same nearer, where its place is open: 17 to 42 s, and 141 s where it stayed wider
AGAIN = 0.65  # so many are: 39 of 60, in the answer that comes with the program
NOISE_S = 10.0  # a sample of the noise floor: 37 s for four
LOT_S = BASE_S / 2.0  # a day with a site from nothing, as the day without one, but no warm-up day
SECURED = 2.0  # times as long with limits after outages, as measured on a triangle of six units
TEXAS_BUSES = 2000
# Few buses do not make a short day where many units start and stop: measured were 0.1 to 0.3 of Texas on grids of 24,
# 73 and 200 buses with 33, 73 and 38 of them. Where none does a day is a dispatch: a tenth of what its buses say, as
# measured on 118.
LEAST, MANY_UNITS, DISPATCH = 0.3, 30, 0.1


def market_s(network: Network, days: int, sites: int, market: MarketQuestion) -> float:
    """Return about how long a market takes, in seconds, of ``sites`` placements on each of ``days`` days."""
    base = (BASE_S + NOISE_S * market.samples) / min(CORES, days)
    again = AGAIN * AGAIN_S if market.samples else 0.0  # without a noise floor no place is known to be open
    secured = SECURED if market.security == "n-1" else 1.0
    return days * secured * _share(network) * (base + (SITE_S + again) * sites / CORES) + noise_s(network, days, market)


def noise_s(network: Network, days: int, market: MarketQuestion) -> float:
    """Return about how long the noise with a site takes, in seconds, of the sites that are drawn for it by lot."""
    secured = SECURED if market.security == "n-1" else 1.0
    return days * secured * _share(network) * (LOT_S + NOISE_S * market.samples) * market.noise_sites / CORES


def again_s(network: Network, market: MarketRun) -> float:
    """Return about how long the sites of a market take once more on its days, in seconds.

    By what each day took; its samples of the noise floor, and the first pass of a site that was solved nearer, were not
    kept and count as measured elsewhere. Never less than :func:`market_s`: what was taken from a run before took none.
    """
    asked, days = market.question, len(market.base.days)
    usual = market_s(network, days, len(market.sites), asked)
    share = _share(network) * (SECURED if asked.security == "n-1" else 1.0)
    base = sum(day.time_s for day in market.base.days) + days * share * NOISE_S * asked.samples
    sites = sum(day.time_s for site in market.sites for day in site.days)
    nearer = sum(site.gap <= asked.base_gap for site in market.sites) if asked.samples else 0
    return max(usual, base / min(CORES, max(1, days)) + (sites + days * share * SITE_S * nearer) / CORES)


def _share(network: Network) -> float:
    """Return how long a day takes as a share of one of Texas."""
    units, table = network.units, network.tables.units
    starts = table["startup_cost"].to_numpy(dtype=np.float64) > 0.0
    committed = units.in_service & ((units.p_min_mw > 0.0) | (np.array(units.cost_c0_per_h) != 0.0) | starts)
    many = min(1.0, int(committed.sum()) / MANY_UNITS)
    return min(1.0, max(LEAST * many**2, len(network.buses.ids) / TEXAS_BUSES * max(DISPATCH, many)))
