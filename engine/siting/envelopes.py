"""Operating envelopes of large loads: what share of the nameplate is drawn in each hour of the day.

Source: equations (1) to (3) of arXiv 2605.14714. Firm draws ``u`` all day; pause draws ``(1 - depth) u`` in the peak
hours; shift does so too and draws ``(1 + make_up) u`` in the others, which makes the energy up when the make-up is the
depth times the number of peak hours over that of the others. From one hour to the next, midnight included, the load
may change by at most a share of the nameplate. A profile that breaks this is refused, or repaired by
:mod:`engine.siting.ramps`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Integers, Vector
from engine.siting.case import HOURS_OF_DAY
from engine.siting.onsite import OnSite, net_load_mw

PEAK_HOURS = (16, 17, 18, 19)  # counted from 1
UTILISATION = 0.80
PAUSE_DEPTH, SHIFT_DEPTH = 0.15, 0.20
RAMP_SHARE = 0.20  # of the nameplate, from one hour to the next
Kind = Literal["firm", "pause", "shift", "own"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_DEPTHS: Mapping[Kind, float] = {"firm": 0.0, "pause": PAUSE_DEPTH, "shift": SHIFT_DEPTH}
_ROUNDING = 1e-9
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a load of one nameplate may draw in the 24 hours of a day."""

    name: str
    kind: Kind
    share: tuple[float, ...]  # (24,), of the nameplate, hour 1 first
    utilisation: float = UTILISATION
    peak_hours: tuple[int, ...] = PEAK_HOURS  # 1 to 24, rising
    depth: float = 0.0  # of the utilisation, less in the peak hours
    make_up: float = 0.0  # of the utilisation, more in the other hours
    ramp_share: float = RAMP_SHARE
    onsite_mw: tuple[float, ...] = ()  # what on-site resources give: one value, or one per hour of the day; () for none

    def gross_mw(self, nameplate_mw: float, hour_of_day: Integers) -> Vector:
        """Return what the load itself draws in hours of the day (T,), 1 to 24, MW."""
        return nameplate_mw * np.array(self.share)[np.asarray(hour_of_day) - 1]

    def level_mw(self, nameplate_mw: float, hour_of_day: Integers, series_mw: Vector | None = None) -> Vector:
        """Return what the grid serves in hours of the day (T,), MW: the load less what on-site resources give.

        ``series_mw`` (T,) is what they give in these very hours, beside what the envelope says of every day.
        """
        net = self.gross_mw(nameplate_mw, hour_of_day)
        if self.onsite_mw:
            net = net_load_mw(net, OnSite(self.onsite_mw).of_hours(np.asarray(hour_of_day).tolist()))
        return net if series_mw is None else net_load_mw(net, series_mw)

    def energy_mwh(self, nameplate_mw: float) -> float:
        """Return what a day draws from the grid."""
        return float(self.level_mw(nameplate_mw, np.arange(1, HOURS_OF_DAY + 1)).sum())

    def net_problems(self, nameplate_mw: float) -> list[str]:
        """Return the hours into which the net load of a nameplate changes by more than the ramp bound allows."""
        net = self.level_mw(nameplate_mw, np.arange(1, HOURS_OF_DAY + 1))
        most = self.ramp_share * nameplate_mw
        return [
            f"less its on-site resources, {self.name!r} at {nameplate_mw:g} MW changes by {abs(step):.1f} MW into hour "
            f"{hour}, more than its ramp bound of {most:g} MW an hour"
            for hour, step in enumerate((net - np.roll(net, 1)).tolist(), start=1)
            if abs(step) > most + 1e-6
        ]

    def steps(self) -> Vector:
        """Return the change (24,) into each hour from the one before, of the nameplate; into hour 1 from hour 24."""
        share = np.array(self.share)
        return np.asarray(share - np.roll(share, 1), dtype=np.float64)

    def problems(self) -> list[str]:
        """Return everything that stops this envelope from being used, each with the value and the limit."""
        found = []
        if not self.name or len(self.name) > _LONGEST_NAME:
            found.append(f"an envelope needs a name of at most {_LONGEST_NAME} letters")
        if len(self.share) != HOURS_OF_DAY:
            return [*found, f"envelope {self.name!r} has {len(self.share)} values, {HOURS_OF_DAY} are needed"]
        for hour, value in enumerate(self.share, start=1):
            if not 0.0 <= value <= 1.0 + _ROUNDING:
                found.append(
                    f"envelope {self.name!r} draws {100 * value:g} % of the nameplate in hour {hour}: 0 to 100"
                )
        if not 0.0 < self.ramp_share <= 1.0:
            found.append(f"envelope {self.name!r} has a ramp bound of {100 * self.ramp_share:g} %/h: above 0, to 100")
        found += OnSite(self.onsite_mw).problems() if self.onsite_mw else []
        for hour, step in enumerate(self.steps().tolist(), start=1):
            if abs(step) > self.ramp_share + _ROUNDING:
                found.append(
                    f"envelope {self.name!r} changes by {100 * abs(step):.1f} % of the nameplate into hour {hour}, "
                    f"more than its ramp bound of {100 * self.ramp_share:g} % an hour"
                )
        return found

    def checked(self) -> Self:
        """Return the envelope. Raises QuestionError with every problem at once."""
        if found := self.problems():
            raise QuestionError("; ".join(found))
        return self

    def words(self) -> str:
        """Return the envelope in a sentence without its name."""
        if not self.onsite_mw:
            return self._gross_words()
        low, high = min(self.onsite_mw), max(self.onsite_mw)
        given = f"{low:g} MW" if low == high else f"{low:g} to {high:g} MW by the hour of the day,"
        return f"{self._gross_words()}; of that {given} from on-site resources"

    def _gross_words(self) -> str:
        if self.kind == "own":
            low, high = min(self.share), max(self.share)
            return f"{100 * low:.0f} to {100 * high:.0f} % of the nameplate, hour by hour"
        base = f"{100 * self.utilisation:g} % of the nameplate"
        if self.kind == "firm":
            return f"{base} in every hour"
        less = f"{base}, {100 * self.depth:g} % less in hours {hours_words(self.peak_hours)}"
        return less if self.kind == "pause" else f"{less}, {100 * self.make_up:g} % more in the others"

    def to_json(self) -> dict[str, Any]:
        """Return what :func:`envelope_from_json` reads."""
        found = asdict(self) | {"share": list(self.share), "peak_hours": list(self.peak_hours)}
        del found["onsite_mw"]
        return found | ({"onsite_mw": list(self.onsite_mw)} if self.onsite_mw else {})


def envelope(  # noqa: PLR0913 (all by name: the parameters of the source)
    kind: Kind,
    *,
    name: str | None = None,
    utilisation: float = UTILISATION,
    peak_hours: Sequence[int] = PEAK_HOURS,
    depth: float | None = None,
    make_up: float | None = None,
    ramp_share: float = RAMP_SHARE,
) -> Envelope:
    """Return a firm, pause or shift envelope; its ramp is not checked (see :meth:`Envelope.checked`).

    Left out, the depth is the source's, and the make-up of shift is what leaves the energy of the day as firm draws it.
    Raises QuestionError naming a parameter outside its limits.
    """
    _check_parameters(kind, utilisation, peak_hours, depth, make_up)
    used = 0.0 if kind == "firm" else _DEPTHS[kind] if depth is None else depth
    peak = tuple(sorted(set(peak_hours)))
    others = HOURS_OF_DAY - len(peak)
    neutral = used * len(peak) / others if others else 0.0
    more = 0.0 if kind != "shift" else neutral if make_up is None else make_up
    at_peak = np.isin(np.arange(1, HOURS_OF_DAY + 1), peak)
    share = np.where(at_peak, 1.0 - used, 1.0 + more) * utilisation
    return Envelope(name or kind, kind, tuple(share.tolist()), utilisation, peak, used, more, ramp_share)


def own_envelope(
    name: str, share: Sequence[float], *, peak_hours: Sequence[int] = PEAK_HOURS, ramp_share: float = RAMP_SHARE
) -> Envelope:
    """Return a planner's own 24 shares of the nameplate; not checked (see :meth:`Envelope.checked`)."""
    values = tuple(float(value) for value in share)
    mean = float(np.mean(values)) if values else 0.0
    return Envelope(name, "own", values, mean, tuple(sorted(set(peak_hours))), ramp_share=ramp_share)


def standard() -> tuple[Envelope, ...]:
    """Return firm, pause and shift as the source uses them."""
    return tuple(envelope(kind) for kind in KINDS if kind != "own")


def envelope_from_json(content: Mapping[str, Any]) -> Envelope:
    """Return the checked envelope that :meth:`Envelope.to_json` wrote. Raises QuestionError for anything else."""
    try:
        found = Envelope(
            name=str(content["name"]),
            kind=content["kind"],
            share=tuple(float(value) for value in content["share"]),
            utilisation=float(content["utilisation"]),
            peak_hours=tuple(int(hour) for hour in content["peak_hours"]),
            depth=float(content["depth"]),
            make_up=float(content["make_up"]),
            ramp_share=float(content["ramp_share"]),
            onsite_mw=tuple(float(value) for value in content.get("onsite_mw", ())),
        )
    except (KeyError, TypeError, ValueError):
        raise QuestionError("an envelope needs a name, a kind, 24 shares and its parameters as numbers") from None
    if found.kind not in KINDS:
        raise QuestionError(f"an envelope is one of {', '.join(KINDS)}, not {found.kind!r:.40}")
    _check_hours(found.peak_hours)
    return found.checked()


def hours_words(hours: Sequence[int]) -> str:
    """Return ``16-19`` for hours that follow each other, ``1-15, 20-24`` for two such runs, else ``7, 8, 18``."""
    listed = list(hours)
    if not listed:
        return "none"
    starts = [at for at, hour in enumerate(listed) if at == 0 or hour != listed[at - 1] + 1]
    runs = [listed[at:end] for at, end in zip(starts, [*starts[1:], len(listed)], strict=True)]
    if len(runs) > 1:  # two hours are no longer than their run
        runs = [part for run in runs for part in ([run] if len(run) > 2 else [[hour] for hour in run])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _check_parameters(
    kind: Kind, utilisation: float, peak_hours: Sequence[int], depth: float | None, make_up: float | None
) -> None:
    if kind not in KINDS or kind == "own":
        raise QuestionError(f"parameters make a firm, pause or shift envelope, not {kind!r:.40}")
    for what, value, least in (("utilisation", utilisation, 0.01), ("depth", depth, 0.0), ("make-up", make_up, 0.0)):
        if value is not None and not least <= value <= 1.0:
            raise QuestionError(f"the {what} of an envelope is {value:g}, it must be {least:g} to 1")
    _check_hours(peak_hours)


def _check_hours(hours: Sequence[int]) -> None:
    outside = [hour for hour in hours if not 1 <= hour <= HOURS_OF_DAY]
    if outside or not hours or len(set(hours)) == HOURS_OF_DAY:
        found = f"hour {outside[0]}" if outside else f"{len(set(hours))} hours"
        raise QuestionError(f"the peak is 1 to 23 of the hours 1 to {HOURS_OF_DAY}, found {found}")
