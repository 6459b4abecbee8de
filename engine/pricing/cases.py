"""Cases of hubs that come with the program: the three hubs of the poster, fleets of any size, and cases done by hand.

The poster names three hubs and prints no numbers, so everything here is our own assumption, synthetic and stated:
:func:`assumptions` says it. Feeders, their ratings and their day are those of :mod:`engine.distribution.cases`.
"""

from dataclasses import replace

import numpy as np

from engine.distribution.cases import day, furnished
from engine.network.model import Integers, Network, Vector
from engine.pricing.case import HubCase, PriceRange, Terms
from engine.pricing.hubs import Battery, Generator, Hub, Hydrogen, Profile, Work
from engine.pricing.network import HubNetwork

HOURS = 24
FEEDER = "ieee37"
SELL_SHARE = 0.6  # of the price of buying, that exports are paid
_SUBSTATION_SHARE = 1.1  # of the feeder's table load, that the substation may import
_LAST = 22  # the hour that fewer hours than a day end with: the evening, when the feeder is full
_KINDS = ("campus", "works", "quarter")
_FLEET_SHARE = 0.6  # of the feeder's table load, that the hubs of a fleet demand on average, work included
_SPREAD = 0.5  # standard deviation of the logarithm of their sizes


def three_hubs(hours: int = HOURS, seed: int = 0) -> HubCase:
    """Return the default case: a data centre campus, works with hydrogen and a quarter with sun, on IEEE 37.

    ``hours`` of one day, the last of fewer than 24 in the evening.
    """
    today, clock = day(seed), _clock(hours)
    sun = np.round(0.6 * today.sun_share[_places(hours)], 4)
    rng = np.random.default_rng(seed)
    buses = ("740", "724", "732")
    evening = _bump(clock, 19.0, 3.0)
    hubs = (
        Hub("campus 740", "740", _rounded(0.30 * rng.normal(1.0, 0.02, hours)), 1.6,
            battery=Battery(0.30, 1.2, start_mwh=0.6),
            work=Work(_rounded(0.22 * (1.0 + 0.4 * _bump(clock, 15.0, 5.0)) * rng.normal(1.0, 0.05, hours)), 0.7,
                      min(8, hours))),
        Hub("works 724", "724", _rounded((0.25 + 0.25 * _bump(clock, 12.0, 4.0)) * rng.normal(1.0, 0.03, hours)), 1.4,
            hydrogen=Hydrogen(0.40, 0.15, 1.6, start_mwh=0.6), generator=Generator(0.2, 78.0, 0.1)),
        Hub("quarter 732", "732", _rounded((0.25 + 0.35 * evening) * rng.normal(1.0, 0.03, hours)), 1.4, 0.5,
            tuple(sun.tolist()), battery=Battery(0.25, 1.0, start_mwh=0.3)),
    )  # fmt: skip
    return _on_feeder(FEEDER, hubs, buses, hours, seed)


def fleet(count: int, *, feeder: str = FEEDER, hours: int = HOURS, seed: int = 0) -> HubCase:
    """Return ``count`` hubs on a feeder of the library, the same for the same seed; hubs of one bus have one price.

    Their kinds follow each other, their sizes are lognormal, and together they demand a stated share of the feeder's
    table load however many they are; so prices for all of them weigh what they do for three (:func:`shared`).
    """
    rng, clock, today = np.random.default_rng(seed), _clock(hours), day(seed)
    loads = furnished(feeder).loads
    places = sorted({row.bus for row in loads})
    size = rng.lognormal(0.0, _SPREAD, count)
    size *= _FLEET_SHARE * sum(row.kw for row in loads) / 1000.0 / size.sum()
    buses = [places[at] for at in rng.integers(0, len(places), count).tolist()]
    sun = today.sun_share[_places(hours)]
    hubs = tuple(
        _seeded(_KINDS[at % 3], at, bus, float(mw), clock, sun, rng)
        for at, (bus, mw) in enumerate(zip(buses, size, strict=True))
    )
    used = {bus: place for place, bus in enumerate(sorted(set(buses)))}
    found = _on_feeder(feeder, hubs, buses, hours, seed, tuple(used[bus] for bus in buses))
    return replace(found, terms=shared(found.terms, count))


def on_network(
    network: Network, hubs: tuple[Hub, ...], *, hours: int = HOURS, seed: int = 0, load_share: Vector | None = None
) -> HubCase:
    """Return hubs at buses of a meshed network, on the day and its tariff; a price for each hub.

    ``load_share`` (T,) scales the network's loads; None: as the day scales a feeder's. Flows are those of the DC power
    flow by its sensitivities, limits the ratings of lines; the slack balances and has no limit of its own. Raises
    NetworkDataError naming buses that are not there.
    """
    share = day(seed).load_share[_places(hours)] if load_share is None else load_share
    return _with_tariff(hubs, HubNetwork.of_network(network, [hub.bus for hub in hubs], share), hours, seed)


def shared(terms: Terms, count: int) -> Terms:
    """Return terms under which prices of ``count`` hubs weigh together what those of three do under ``terms``.

    Level and changes count for each hub, differences for each two.
    """
    share = len(_KINDS) / max(count, 1)
    return replace(terms, level=terms.level * share, smooth=terms.smooth * share, fair=terms.fair * share**2)


def assumptions(seed: int = 0) -> tuple[str, ...]:
    """Return what was assumed for the three hubs, in sentences."""
    return (
        _synthetic(seed),
        _network(FEEDER),
        _tariff(),
        "Campus: about 0.30 MW that cannot wait, 0.22 to 0.31 MW of batch work done within 8 hours, a battery of "
        "0.3 MW and 1.2 MWh. Works: 0.25 to 0.50 MW, electrolyser 0.40 MW, fuel cell 0.15 MW, store 1.6 MWh, a "
        "generator of 0.2 MW at 78 $/MWh. Quarter: 0.25 to 0.60 MW, sun up to 0.6 MW, a battery of 0.25 MW and "
        "1.0 MWh.",
    )


def fleet_assumptions(count: int, feeder: str, seed: int = 0) -> tuple[str, ...]:
    """Return what was assumed for a fleet, in sentences."""
    return (
        _synthetic(seed),
        _network(feeder),
        _tariff(),
        f"{count:,} hubs at buses with loads, drawn by lot; campus, works and quarter follow each other. Sizes are "
        f"lognormal (deviation {_SPREAD:g}), and together the hubs demand {_FLEET_SHARE:.0%} of the feeder's table "
        "load however many they are. A campus has batch work done within 8 hours and a battery, works have hydrogen "
        "and a generator at 70 to 90 $/MWh, a quarter has sun and a battery, each in proportion to its size; "
        "batteries hold 2 to 5 hours. Hubs of one bus have one price.",
    )


def _synthetic(seed: int) -> str:
    return (
        f"The poster prints no numbers: hubs, tariffs and limits are synthetic, made with seed {seed}; they are of no "
        "real place and day."
    )


def _network(feeder: str) -> str:
    return (
        f"{feeder.replace('ieee', 'IEEE ')} with the loads, ratings and prices of its worked day; losses are left out "
        "and phases taken together."
    )


def _tariff() -> str:
    return (
        f"Exports are paid {SELL_SHARE:.0%} of the price of buying; the substation may import a tenth more than the "
        "table's loads together, the hubs' withdrawals included. The operator's prices go as far as an overload "
        "weighs, 100 $/MWh."
    )


def _on_feeder(  # noqa: PLR0913, PLR0917 (one choice each)
    key: str, hubs: tuple[Hub, ...], buses: "tuple[str, ...] | list[str]", hours: int, seed: int,
    areas: tuple[int, ...] = (),
) -> HubCase:  # fmt: skip
    today, feeder = day(seed), furnished(key)
    network = HubNetwork.of_feeder(feeder, buses, today.load_share[_places(hours)])
    total = sum(row.kw for row in feeder.loads) / 1000.0
    network = HubNetwork(
        network.lines, network.share, network.background_mw, network.limit_mw, network.substation_mw,
        import_mw=_SUBSTATION_SHARE * total, export_mw=_SUBSTATION_SHARE * total,
    )  # fmt: skip
    return replace(_with_tariff(hubs, network, hours, seed), areas=areas)


def _with_tariff(hubs: tuple[Hub, ...], network: HubNetwork, hours: int, seed: int) -> HubCase:
    buy = day(seed).price_per_mwh[_places(hours)]
    labels = tuple(f"{hour:02d}:00" for hour in _places(hours).tolist())
    sell = tuple(np.round(SELL_SHARE * buy, 2).tolist())
    return HubCase(hubs, network, tuple(buy.tolist()), sell, 1.0, labels, Terms(), PriceRange())


def _places(hours: int) -> Integers:
    """Return which hours of the day (T,) a case of so many has."""
    return np.arange(hours) + max(0, min(_LAST, HOURS) - hours)


def _clock(hours: int) -> Vector:
    return _places(hours).astype(np.float64)


def _seeded(  # noqa: PLR0913, PLR0917 (one choice each)
    kind: str, at: int, bus: str, mw: float, clock: Vector, sun: Vector, rng: np.random.Generator
) -> Hub:
    name, noise = f"{kind} {at + 1}", rng.normal(1.0, 0.05, len(clock))
    if kind == "campus":
        work = Work(_rounded(0.4 * mw * (1.0 + 0.4 * _bump(clock, 15.0, 5.0)) * noise), 1.4 * mw, min(8, len(clock)))
        return Hub(name, bus, _rounded(0.55 * mw * noise), 3.0 * mw, battery=_battery(0.5 * mw, rng), work=work)
    if kind == "works":
        hydrogen = Hydrogen(0.7 * mw, 0.3 * mw, 3.0 * mw, start_mwh=1.0 * mw)
        generator = Generator(0.4 * mw, round(float(rng.uniform(70.0, 90.0)), 2), 0.2 * mw)
        demand = _rounded(mw * (0.7 + 0.6 * _bump(clock, 12.0, 4.0)) * noise)
        return Hub(name, bus, demand, 3.0 * mw, hydrogen=hydrogen, generator=generator)
    demand = _rounded(mw * (0.7 + 0.8 * _bump(clock, 19.0, 3.0)) * noise)
    own = tuple(np.round(1.2 * mw * sun, 6).tolist())
    return Hub(name, bus, demand, 3.0 * mw, 1.0 * mw, own, battery=_battery(0.6 * mw, rng))


def _battery(power: float, rng: np.random.Generator) -> Battery:
    energy = power * float(rng.uniform(2.0, 5.0))
    return Battery(power, energy, start_mwh=0.5 * energy, wear_per_mwh=round(float(rng.uniform(3.0, 8.0)), 2))


def _bump(clock: Vector, at: float, width: float) -> Vector:
    away = np.abs(clock - at)
    return np.asarray(np.exp(-0.5 * (np.minimum(away, HOURS - away) / width) ** 2), dtype=np.float64)


def _rounded(values: Vector) -> Profile:
    return tuple(np.round(np.maximum(values, 0.0), 6).tolist())
