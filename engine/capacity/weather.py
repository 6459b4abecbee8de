"""Seeded synthetic weather: what wind, solar and hydro units could produce in every hour of a leap year.

No source at hand holds a year of Texas wind, so hourly wind is a model fitted to measured facts
(:func:`engine.network.texas.wind_facts`), and says so in every result:

- a normal value at every site and hour, correlated between sites by the measured correlation against
  distance and in time by a second-order autoregression fitted to the measured autocorrelation (.976, .843,
  .602 and .291 after 1, 3, 6 and 12 h);
- turned into a capacity factor by a beta law whose mean follows the measured diurnal shape. The annual level
  (0.38) and the spread of the law are ASSUMPTIONS; so is a year without seasons in wind.

Solar output is the measured fleet factor of the month and hour, times a clearness of the day at the site that
averages one, of the same spatial correlation. Hydro output, on synthetic Texas only, is the measured factor of
the month.
Method of the wind model: Brown, Katz and Murphy, "Time series models to simulate and forecast wind speed and
wind power", J. Climate and Applied Meteorology 23, 1984 (autoregression of a transformed normal).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, ndtr

from engine.network import texas
from engine.network.model import Integers, Matrix, Network, Vector

HOURS = texas.HOURS_2016
_EARTH_KM = 6371.0
_UNPLACED_KM = 250.0  # distance taken between sites without coordinates: a correlation of about one half
_SCORES = np.linspace(-4.0, 4.0, 321)  # normal scores at which the beta law is tabulated
_WARM_UP_H = 240
_NONE = 1e-12  # an eigenvalue of a correlation, per site, that is zero but for rounding


@dataclass(frozen=True, slots=True)
class WeatherSettings:
    """The stated assumptions."""

    wind_factor: float = 0.38  # annual mean capacity factor of wind
    wind_concentration: float = 2.0  # a + b of the beta law: smaller is more extreme
    clearness_spread: float = 0.3  # a site's day is between 1 - spread and 1 + spread as sunny as the fleet's month

    def words(self) -> str:
        """Return the assumptions in a sentence."""
        return (
            f"wind is a seeded synthetic model with an assumed annual factor of {self.wind_factor:g}, "
            f"solar varies by {100 * self.clearness_spread:.0f} % about measured monthly means"
        )


def available_mw(
    network: Network, hours: Integers, settings: WeatherSettings, seed: int, *, texas_hydro: bool = True
) -> Matrix:
    """Return the (T, G) largest output of every unit in ``hours`` (T,), counted from 0 at the start of the year.

    Units that are neither wind, solar nor hydro keep their largest output; so does hydro unless ``texas_hydro``,
    because the little that the rivers of Texas give says nothing of other rivers.
    """
    units = network.units
    fuels = np.array(units.fuels)
    most = np.tile(units.p_max_mw, (len(hours), 1))
    day, hour_of_day, month = _calendar(hours)
    wind_seed, solar_seed = np.random.SeedSequence(seed).spawn(2)
    wind = np.flatnonzero(fuels == "wind")
    if wind.size:
        sites, site_of = np.unique(units.bus[wind], return_inverse=True)
        most[:, wind] *= _wind_factor(_distance_km(network, sites), hours, settings, wind_seed)[:, site_of]
    solar = np.flatnonzero(fuels == "solar")
    if solar.size:
        sites, site_of = np.unique(units.bus[solar], return_inverse=True)
        clear = _clearness(_distance_km(network, sites), settings, solar_seed)[day][:, site_of]
        mean = texas.solar_capacity_factor()[month, hour_of_day][:, np.newaxis]
        most[:, solar] *= np.minimum(mean * clear, 1.0)
    hydro = np.flatnonzero((fuels == "hydro") & texas_hydro)
    most[:, hydro] *= texas.hydro_capacity_factor()[month][:, np.newaxis]
    return most


def hour_labels(hours: Integers) -> tuple[str, ...]:
    """Return ``2016-08-11 16:00`` for each hour of the year 2016, counted from 0."""
    stamps = np.datetime64("2016-01-01T00", "h") + np.asarray(hours).astype("timedelta64[h]")
    return tuple(f"{str(stamp)[:10]} {str(stamp)[11:13]}:00" for stamp in stamps)


@cache
def autoregression() -> tuple[float, float]:
    """Return the coefficients of the second-order autoregression that fits the measured autocorrelation best."""
    facts = texas.wind_facts()
    lags = facts.lag_h.astype(np.intp)

    def misfit(parameters: Vector) -> float:
        found = _autocorrelation(*_coefficients(parameters), int(lags.max()))[lags]
        return float(((found - facts.autocorrelation) ** 2).sum())

    best = minimize(misfit, [0.976, -0.6], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14})
    return _coefficients(best.x)


def _coefficients(parameters: Vector) -> tuple[float, float]:
    """Return a stationary pair from the first autocorrelation and the second partial one, each kept inside (-1, 1)."""
    first, second = np.clip(parameters, -0.9999, 0.9999)
    return float(first * (1 - second)), float(second)


def _autocorrelation(one: float, two: float, last: int) -> Vector:
    values = np.ones(last + 1)
    values[1] = one / (1 - two)
    for lag in range(2, last + 1):
        values[lag] = one * values[lag - 1] + two * values[lag - 2]
    return values


def _wind_factor(
    distance_km: Matrix, hours: Integers, settings: WeatherSettings, seed: np.random.SeedSequence
) -> Matrix:
    """Return the (T, W) capacity factors of wind sites."""
    from scipy.signal import lfilter  # noqa: PLC0415 (half a second to import)

    noise = np.random.default_rng(seed).standard_normal((_WARM_UP_H + HOURS, len(distance_km)))
    one, two = autoregression()
    score = lfilter([1.0], [1.0, -one, -two], noise, axis=0)[_WARM_UP_H:][hours]
    rho = _autocorrelation(one, two, 2)
    score *= np.sqrt(1.0 - one * rho[1] - two * rho[2])  # to unit variance
    score = score @ _spatial_root(distance_km).T
    factor = np.empty_like(score)
    shape = _diurnal(texas.wind_facts().diurnal)
    hour_of_day = hours % 24
    for hour in np.unique(hour_of_day):
        mean = float(np.clip(settings.wind_factor * shape[hour], 0.02, 0.98))
        table = betaincinv(mean * settings.wind_concentration, (1 - mean) * settings.wind_concentration, ndtr(_SCORES))
        at = hour_of_day == hour
        factor[at] = np.interp(score[at], _SCORES, table)
    return factor


def _clearness(distance_km: Matrix, settings: WeatherSettings, seed: np.random.SeedSequence) -> Matrix:
    """Return the (366, P) clearness of the days at solar sites, one on average."""
    score = np.random.default_rng(seed).standard_normal((HOURS // 24, len(distance_km)))
    return np.asarray(1.0 + settings.clearness_spread * (2.0 * ndtr(score @ _spatial_root(distance_km).T) - 1.0))


def _spatial_root(distance_km: Matrix) -> Matrix:
    """Return a matrix whose product with its transpose is the correlation of the sites.

    It is the symmetric root: eigenvectors have no sign of their own, and on another machine have another.
    A table of measured correlations need not be a correlation matrix everywhere: negative eigenvalues are
    set to zero and the diagonal brought back to one. So are those that rounding makes of zero, as sites in one place
    have: their roots would be another processor's otherwise.
    """
    facts = texas.wind_facts()
    correlation = np.interp(
        distance_km,
        np.concatenate([[0.0], facts.distance_km, [2 * facts.distance_km[-1]]]),
        np.concatenate([[1.0], facts.correlation_by_distance, [0.0]]),
    )
    values, vectors = np.linalg.eigh(correlation)
    values = np.where(values > _NONE * len(values), values, 0.0)
    root = (vectors * np.sqrt(values)) @ vectors.T
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)))


def _distance_km(network: Network, buses: Integers) -> Matrix:
    """Return the great-circle distances between buses; a stated one where a place is not known."""
    latitude = np.deg2rad(network.buses.latitude[buses])[:, np.newaxis]
    longitude = np.deg2rad(network.buses.longitude[buses])[:, np.newaxis]
    half = (
        np.sin((latitude - latitude.T) / 2) ** 2
        + np.cos(latitude) * np.cos(latitude.T) * np.sin((longitude - longitude.T) / 2) ** 2
    )
    distance = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    distance[np.isnan(distance)] = _UNPLACED_KM
    np.fill_diagonal(distance, 0.0)
    return np.asarray(distance)


def _diurnal(known: Mapping[int, float]) -> Vector:
    """Return the (24,) shape, one on average, from the hours that are known and straight lines round the clock."""
    hours = sorted(known)
    wrapped = [*(h - 24 for h in hours), *hours, *(h + 24 for h in hours)]
    shape = np.interp(np.arange(24), wrapped, [known[h] for h in hours] * 3)
    return np.asarray(shape / shape.mean())


def _calendar(hours: Integers) -> tuple[Integers, Integers, Integers]:
    """Return day of the year, hour of the day and month, all from 0, of hours of 2016."""
    day = np.asarray(hours) // 24
    dates = np.datetime64("2016-01-01", "D") + day.astype("timedelta64[D]")
    month = dates.astype("datetime64[M]").astype(np.intp) % 12
    return day, np.asarray(hours) % 24, month
