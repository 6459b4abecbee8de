"""Demand shocks of data centre campuses: a seeded generator, and its parameters from measured traces.

A shock is one event of a day. Of four kinds, all drawn by the shares of the model:

    training start   one campus, each as likely, rises
    checkpoint drop  one campus falls, not below zero
    inference burst  all campuses rise at once
    site failover    a site elsewhere fails and all campuses take up its work

It begins at any step, each as likely, by amplitude times the size of the campus on top of its schedule, reaches that in
``ramp_min``, holds it for an exponential time in whole steps begun, and ends in one step, or with the day. Amplitudes
of campuses are joined by a Gaussian copula with one correlation for every pair. What a campus draws stays within its
size, but in a failover it may go to ``overload`` times that: then it runs what it holds in reserve. In some events a
link of the feeder fails as well.

The source names the kinds and prints no numbers: those of :class:`ShockModel` are our own assumption.
Source: arXiv 2601.14665 (kinds of demand shocks, Monte Carlo scenarios).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, ndtr
from scipy.stats import beta, kendalltau, lognorm

from engine.errors import NetworkDataError, Problem, UncertaintyDataError
from engine.network.model import Integers, Matrix, Vector
from engine.resilience.case import MOST_SCENARIOS, MOST_STEPS, Campus, Scenarios

Distribution = Literal["lognormal", "beta"]
Kind = Literal["training start", "checkpoint drop", "inference burst", "site failover"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_START, _DROP, _BURST, _FAILOVER = range(len(KINDS))
MOST_SHOCKS = 50 * MOST_SCENARIOS  # of one sample, for evaluation
_SUM = 1e-6  # of shares: how far from one
_HAIR = 1e-9
_REACHED = 0.95  # of an event's largest deviation: when its ramp is over
_FEWEST = 10  # events, for a fit
_IMPOSSIBLE = 1e12  # minus the logarithm of no likelihood, finite for the search
_CLOSE = 1e-6  # of a campus's size: as near to its limit as numbers in a file are


@dataclass(frozen=True, slots=True)
class ShockModel:
    """What shocks are drawn from. Amplitudes are shares of a campus's size."""

    shares: tuple[float, float, float, float] = (0.30, 0.15, 0.35, 0.20)  # of KINDS
    distribution: Distribution = "lognormal"
    amplitude: float = 0.3  # mean
    variation: float = 0.6  # standard deviation over the mean
    ramp_min: float = 5.0  # to the full amplitude; a step at least
    duration_h: float = 2.0  # mean time at the full amplitude
    correlation: float = 0.5  # of the normal deviates of two campuses
    overload: float = 1.25  # most draw of a campus in a failover, over its size
    outage_share: float = 0.05  # of events, with a link that fails
    outage_h: float = 1.0  # mean time of an outage, which begins with the event

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with it, in words."""
        if self.distribution not in get_args(Distribution):
            yield f"the distribution is {self.distribution!r}; it must be {' or '.join(get_args(Distribution))}"
            return
        if len(self.shares) != len(KINDS) or not all(0.0 <= share <= 1.0 for share in self.shares):
            yield f"the shares of kinds are {self.shares}; they must be {len(KINDS)} numbers between 0 and 1"
        elif abs(sum(self.shares) - 1.0) > _SUM:
            yield f"the shares of kinds sum to {sum(self.shares):.6g}; they must sum to 1"
        wrong = False
        for name, least, most in _RANGES:
            value = getattr(self, name)
            if not least <= value <= most:
                wrong = True
                yield f"{name.replace('_', ' ')} is {value:g}; it must lie between {least:g} and {most:g}"
        if self.distribution == "beta" and not wrong and self.variation**2 * self.amplitude >= 1.0 - self.amplitude:
            yield (
                f"no beta distribution has the mean {self.amplitude:g} and the variation {self.variation:g}; "
                f"the variation must be below {math.sqrt(max(1.0 / self.amplitude - 1.0, 0.0)):.3g}"
            )

    def shifted(self, scale: float = 1.3, tail: float = 1.5, correlation: float | None = None) -> Self:
        """Return a model that differs from this one: amplitudes ``scale`` times and variation ``tail`` times as large.

        The correlation, if none is given, is halfway from this one's to 1.
        """
        other = 0.5 * (1.0 + self.correlation) if correlation is None else correlation
        return replace(self, amplitude=scale * self.amplitude, variation=tail * self.variation, correlation=other)

    def amplitudes(self, deviates: Matrix) -> Matrix:
        """Return the amplitudes of standard normal deviates, of any shape."""
        if self.distribution == "lognormal":
            log = math.log1p(self.variation**2)
            return np.asarray(self.amplitude * np.exp(math.sqrt(log) * deviates - 0.5 * log))
        return np.asarray(betaincinv(*_beta_shape(self.amplitude, self.variation), ndtr(deviates)))


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("amplitude", 1e-6, 100.0), ("variation", 1e-3, 100.0), ("ramp_min", 0.0, 1440.0), ("duration_h", 1e-3, 1e4),
    ("correlation", 0.0, 1.0), ("overload", 1.0, 100.0), ("outage_share", 0.0, 1.0), ("outage_h", 1e-3, 1e4),
)  # fmt: skip


def shocks(  # noqa: PLR0913 (one call)
    model: ShockModel,
    campuses: Sequence[Campus],
    steps: int,
    step_h: float,
    *,
    count: int,
    seed: int,
    links: Sequence[int] = (),
) -> Scenarios:
    """Return ``count`` shocks of ``steps`` steps, equally likely, the same for the same seed.

    ``links`` are the positions of what may fail, each as likely; without any nothing fails. Raises NetworkDataError
    with everything that is wrong with the model and the sizes.
    """
    _refuse(model, campuses, steps, step_h, count)
    rng = np.random.default_rng(seed)
    size = np.array([campus.size_mw for campus in campuses])
    schedule = np.array([campus.size_mw * campus.schedule_share for campus in campuses])
    kind = rng.choice(len(KINDS), size=count, p=np.array(model.shares) / sum(model.shares))
    start = rng.integers(steps, size=count)
    ramp = ramp_steps(model, step_h)
    hold = _steps(rng.exponential(model.duration_h, count), step_h)
    end = np.minimum(start + ramp - 1 + hold, steps)
    one, each = rng.normal(size=(count, 1)), rng.normal(size=(count, len(campuses)))
    deviates = math.sqrt(model.correlation) * one + math.sqrt(1.0 - model.correlation) * each
    alone = rng.integers(len(campuses), size=count)[:, np.newaxis] == np.arange(len(campuses))
    hit = alone | np.isin(kind, (_BURST, _FAILOVER))[:, np.newaxis]
    sign = np.where(kind == _DROP, -1.0, 1.0)[:, np.newaxis]
    change = sign * hit * model.amplitudes(deviates) * size  # (S, C)
    cap = np.where(kind == _FAILOVER, model.overload, 1.0)[:, np.newaxis] * size
    since = np.arange(steps) - start[:, np.newaxis]
    reached = np.clip((since + 1) / ramp, 0.0, 1.0) * (np.arange(steps) < end[:, np.newaxis])
    draw = schedule + reached[:, :, np.newaxis] * change[:, np.newaxis, :]
    np.clip(draw, 0.0, cap[:, np.newaxis, :], out=draw)
    fails = rng.random(count) < model.outage_share
    which = rng.integers(max(len(links), 1), size=count)
    lasts = _steps(rng.exponential(model.outage_h, count), step_h)
    outage = np.where(fails, np.array(links)[which], -1) if links else np.full(count, -1)
    restored = np.where(outage >= 0, np.minimum(start + lasts, steps), end)
    return Scenarios(
        draw, start, end, np.full(count, 1.0 / count), outage, tuple(KINDS[at] for at in kind.tolist()), restored
    )


def ramp_steps(model: ShockModel, step_h: float) -> int:
    """Return the number of steps in which an event reaches its amplitude: 1 if in the step it begins."""
    return max(1, math.ceil(model.ramp_min / 60.0 / step_h - _HAIR))


def fitted(
    traces_mw: np.ndarray[Any, np.dtype[np.float64]],
    campuses: Sequence[Campus],
    step_h: float,
    *,
    base: ShockModel | None = None,
    threshold: float = 0.05,
) -> ShockModel:
    """Return the model that fits days of draws, ``traces_mw`` (days, T, C).

    The usual draw of a campus is its median over all days. An event is a run of steps in which some campus is farther
    from that than ``threshold`` times its size; events of several campuses that overlap are one. Its kind is told by
    its shape: a fall, a rise of one campus, a rise of several, and of these a failover where a campus goes above its
    size, so failovers within sizes count as bursts. Then:

    - amplitudes, each the largest deviation over the size: maximum likelihood of ``base``'s distribution, where a
      campus at its limit (its size, the largest overload, or zero) is known only to have at least that amplitude;
    - duration: maximum likelihood of an exponential time in whole steps, events at the end of a day known only to
      last at least so long;
    - correlation: sin(pi tau / 2) of Kendall's tau, the mean over pairs of campuses, not below 0;
    - ramp: the median time to 95 % of the amplitude.

    Outages, which traces do not show, and what no event tells (a correlation without bursts, an overload without a
    failover) are those of ``base``. Raises UncertaintyDataError for traces that cannot be used, with fewer than
    ten events or without a distribution that fits.
    """
    base = ShockModel() if base is None else base
    shape = traces_mw.shape
    if len(shape) != 3 or shape[2] != len(campuses) or not np.isfinite(traces_mw).all() or (traces_mw < 0.0).any():
        raise UncertaintyDataError(
            f"traces have the shape {shape}; they must be numbers of MW, not below 0, for days, steps and "
            f"{len(campuses)} campuses"
        )
    size = np.array([campus.size_mw for campus in campuses])
    usual = np.median(traces_mw, axis=(0, 1))
    away = (traces_mw - usual) / size
    events = _events(away, threshold)
    if len(events) < _FEWEST:
        raise UncertaintyDataError(f"the traces have {len(events)} events; at least {_FEWEST} are needed for a fit")
    peaks = np.array([_peaks(away[day, first:last]) for day, first, last in events])  # (E, C), signed
    moved = np.abs(peaks) > threshold
    top = (peaks + usual / size).max(axis=1)
    over = bool((top > 1.0 + _HAIR).any())
    overload = float(top.max()) if over else base.overload
    kind = _kinds(peaks, moved, top)
    ramps = np.array([_ramp(away[day, first:last]) for day, first, last in events])
    ramp = float(np.median(ramps))
    room = np.where(kind == _FAILOVER, overload, 1.0)[:, np.newaxis] - usual / size
    limit = np.where(kind[:, np.newaxis] == _DROP, usual / size, room)
    seen = np.abs(peaks)[moved]
    amplitude, variation = _amplitudes(seen, seen >= limit[moved] - _CLOSE, base.distribution)
    lengths = np.array([last - first for _, first, last in events]) - (round(ramp) - 1)
    cut = np.array([last == shape[1] for _, _, last in events])
    return replace(
        base,
        shares=tuple((np.bincount(kind, minlength=len(KINDS)) / len(kind)).tolist()),
        amplitude=amplitude,
        variation=variation,
        ramp_min=60.0 * step_h * ramp,
        duration_h=_duration(np.maximum(lengths, 1), cut, step_h),
        correlation=_correlation(peaks[np.isin(kind, (_BURST, _FAILOVER))], base.correlation),
        overload=overload,
    )


def _refuse(model: ShockModel, campuses: Sequence[Campus], steps: int, step_h: float, count: int) -> None:
    words = list(model.problems())
    if not campuses:
        words.append("there is no campus")
    if not 0 < steps <= MOST_STEPS:
        words.append(f"there are {steps} steps; 1 to {MOST_STEPS}")
    if not 0.0 < step_h <= 24.0:
        words.append(f"a step has {step_h:g} h; above 0, to 24")
    if not 0 < count <= MOST_SHOCKS:
        words.append(f"{count} shocks are asked for; 1 to {MOST_SHOCKS:,}")
    if words:
        raise NetworkDataError([Problem("shocks", "error", text, "resilience") for text in words])


def _beta_shape(mean: float, variation: float) -> tuple[float, float]:
    total = (1.0 - mean) / (mean * variation**2) - 1.0
    return mean * total, (1.0 - mean) * total


def _steps(hours: Vector, step_h: float) -> Integers:
    """Return whole steps begun, one at least."""
    return np.maximum(np.ceil(hours / step_h), 1.0).astype(np.intp)


def _events(away: np.ndarray[Any, np.dtype[np.float64]], threshold: float) -> list[tuple[int, int, int]]:
    """Return the day, the first step and the first step after it of every run of deviations."""
    out = (np.abs(away) > threshold).any(axis=2)
    edge = np.diff(np.pad(out, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.argwhere(edge == 1), np.argwhere(edge == -1)
    return [(day, first, last) for (day, first), (_, last) in zip(begins.tolist(), ends.tolist(), strict=True)]


def _peaks(run: Matrix) -> Vector:
    """Return (C,) the largest deviation of each campus in a run (t, C), with its sign."""
    at = np.abs(run).argmax(axis=0)
    return np.asarray(run[at, np.arange(run.shape[1])])


def _ramp(run: Matrix) -> int:
    """Return the steps in which the campus that moves most has reached its amplitude."""
    size = np.abs(run)
    most = size[:, size.max(axis=0).argmax()]
    return int(np.argmax(most >= _REACHED * most.max())) + 1


def _kinds(peaks: Matrix, moved: np.ndarray[Any, np.dtype[np.bool_]], top: Vector) -> Integers:
    largest = peaks[np.arange(len(peaks)), np.abs(peaks).argmax(axis=1)]
    several = np.where(top > 1.0 + _HAIR, _FAILOVER, _BURST)
    rising = np.where(moved.sum(axis=1) > 1, several, np.where(top > 1.0 + _HAIR, _FAILOVER, _START))
    return np.where(largest < 0.0, _DROP, rising)


def _amplitudes(
    seen: Vector, at_limit: np.ndarray[Any, np.dtype[np.bool_]], distribution: Distribution
) -> tuple[float, float]:
    """Return the mean and the variation of the amplitudes that were seen; at a limit they are that or more."""
    if at_limit.all() or (distribution == "beta" and seen.max() >= 1.0):
        raise UncertaintyDataError(
            f"no {distribution} distribution can be fitted to amplitudes of {seen.min():.3g} to {seen.max():.3g} of "
            f"the size, {int(at_limit.sum())} of {len(seen)} of them at a limit"
        )

    def unlikely(logs: Vector) -> float:
        mean, variation = np.exp(logs).tolist()
        if distribution == "lognormal":
            log = math.log1p(variation**2)
            law = lognorm(math.sqrt(log), scale=mean * math.exp(-0.5 * log))
        elif mean >= 1.0 or variation**2 * mean >= 1.0 - mean:
            return _IMPOSSIBLE
        else:
            law = beta(*_beta_shape(mean, variation))
        return -float(law.logpdf(seen[~at_limit]).sum() + law.logsf(seen[at_limit]).sum())

    mean, variation = float(seen.mean()), max(float(seen.std() / seen.mean()), 0.05)
    if distribution == "beta":
        variation = min(variation, 0.9 * math.sqrt(1.0 / mean - 1.0))
    start = np.log([mean, variation])
    found = minimize(unlikely, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-6})
    if not found.success:
        raise UncertaintyDataError(f"no {distribution} distribution was found that fits the amplitudes")
    mean, variation = np.exp(found.x).tolist()
    return mean, variation


def _duration(lengths: Integers, cut: np.ndarray[Any, np.dtype[np.bool_]], step_h: float) -> float:
    """Return the mean time of events: of ends per step, which is 1 - exp(-step / mean)."""
    ends = float((~cut).sum()) / float(lengths.sum())
    if ends >= 1.0:
        return 0.5 * step_h  # all ended in their first step: less cannot be told
    if ends == 0.0:
        raise UncertaintyDataError("every event of the traces lasts to the end of its day: no duration can be told")
    return -step_h / math.log1p(-ends)


def _correlation(peaks: Matrix, otherwise: float) -> float:
    pairs = [
        float(kendalltau(peaks[:, one], peaks[:, other]).statistic)
        for one in range(peaks.shape[1])
        for other in range(one)
        if len(peaks) >= _FEWEST
    ]
    known = [tau for tau in pairs if not math.isnan(tau)]
    return max(math.sin(0.5 * math.pi * float(np.mean(known))), 0.0) if known else otherwise
