"""The profiles of the envelopes, hour by hour: as asked for, as mended, and what of them the grid sees."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from dash import html

from components.format import number
from components.siting_site import small_table
from components.skeleton import Part
from engine.errors import EngineError
from engine.network.model import Vector
from engine.siting.case import HOURS_OF_DAY
from engine.siting.envelopes import Envelope
from engine.siting.ramps import repaired

_DAY = np.arange(1, HOURS_OF_DAY + 1)


def profiles(asked: Sequence[Envelope], onsite_mw: Sequence[float], size_mw: float, *, mend: bool) -> html.Div:
    """Return each profile of the panel; one that breaks its ramp with the nearest that does not.

    ``size_mw`` is the nameplate at which on-site resources are taken off, ``mend`` whether broken ones are mended.
    """
    parts = [_profile(one, tuple(onsite_mw), size_mw, mend=mend) for one in asked]
    signs = [("now", "drawn")] + ([("net", "net, served by the grid")] if onsite_mw else [])
    if any(one.problems() for one in asked):
        signs.append(("was", "as asked, where it is mended"))
    legend = [html.Span([html.Span(className=f"hr-siting-key hr-siting-key-{key}"), words]) for key, words in signs]
    return html.Div(
        [
            html.H3("Hour by hour", className="hr-section-title"),
            html.P(legend, className="hr-siting-legend hr-muted"),
            *parts,
        ],
        className="hr-siting-profiles",
    )


def _profile(asked: Envelope, onsite_mw: tuple[float, ...], size_mw: float, *, mend: bool) -> html.Div:
    broken = asked.problems()
    mended, why = (asked, "") if not broken else _mended(asked)
    shown = mended if mended is not None and (mend or not broken) else asked
    net = replace(shown, onsite_mw=onsite_mw)
    gross, seen = net.gross_mw(size_mw, _DAY), net.level_mw(size_mw, _DAY)
    told: list[Part] = [html.Span(asked.name, className="hr-siting-profile-name"), html.Span(shown.words())]
    parts: list[Part] = [html.P(told)]
    if broken:
        parts += _broken(asked, broken, why, mend=mend, mended=mended is not None)
    parts.append(_bars(asked, mended, seen / size_mw if onsite_mw else None))
    if onsite_mw:
        said = f"At {number(size_mw)} MW: {_range(gross)} MW gross, {_range(seen)} MW net, which the grid serves."
        parts.append(html.P(said, className="hr-siting-profile-net"))
        wrong = net.net_problems(size_mw) if shown is mended else []
        parts += [html.P(f"{problem[:1].upper()}{problem[1:]}.", className="hr-sign-binding") for problem in wrong]
    if len(asked.share) == HOURS_OF_DAY:
        parts.append(_hours(asked, mended if broken else None, gross, seen if onsite_mw else None, size_mw))
    return html.Div(parts, className="hr-siting-profile")


def _mended(asked: Envelope) -> tuple[Envelope | None, str]:
    """Return the nearest profile that keeps the ramp, or why there is none."""
    if len(asked.share) != HOURS_OF_DAY:
        return None, ""
    try:
        found = repaired(asked)
    except EngineError as error:
        return None, str(error)
    return (None, "") if found.problems() else (found, "")


def _broken(asked: Envelope, broken: Sequence[str], why: str, *, mend: bool, mended: bool) -> list[Part]:
    first = f"{broken[0][:1].upper()}{broken[0][1:]}." + (f" And {len(broken) - 1} more." if len(broken) > 1 else "")
    parts: list[Part] = [html.P(first, className="hr-sign-binding")]
    if why:
        parts.append(html.P(f"{why[:1].upper()}{why[1:]}.", className="hr-sign-binding"))
    elif mended:
        words = (
            "Mended: the nearest profile that keeps the bound takes its place."
            if mend
            else f"{asked.name} is refused as it stands. Tick Mend below to take the nearest that keeps the bound."
        )
        parts.append(html.P(words, className="hr-sign-fine" if mend else None))
    return parts


def _bars(asked: Envelope, mended: Envelope | None, net: Vector | None) -> Part:
    """Return the day as bars: what is drawn, a mark at what was asked for where it differs, the net load in front."""
    share = asked.share if mended is None else mended.share
    if len(asked.share) != HOURS_OF_DAY:
        return None
    columns = []
    for hour, (was, now) in enumerate(zip(asked.share, share, strict=True), start=1):
        marks: list[Part] = [_bar("hr-siting-hour-now", now)]
        if net is not None:
            marks.append(_bar("hr-siting-hour-net", float(net[hour - 1])))
        if abs(was - now) > 1e-9:
            marks.append(html.Span(className="hr-siting-hour-was", style={"bottom": _height(was)}))
        label = html.Span(str(hour) if hour in {1, 6, 12, 18, 24} else "", className="hr-siting-hour-label")
        columns.append(
            html.Span([html.Span(marks, className="hr-siting-hour-well"), label], className="hr-siting-hour")
        )
    low, high = min(share), max(share)
    words = f"{asked.name}: {100 * low:.0f} to {100 * high:.0f} % of the nameplate over the 24 hours of a day"
    return html.Div(columns, className="hr-siting-day", role="img", **{"aria-label": words})


def _bar(kind: str, share: float) -> html.Span:
    return html.Span(className=kind, style={"height": _height(share)})


def _height(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.2f}%"


def _range(mw: Vector) -> str:
    low, high = float(mw.min()), float(mw.max())
    return number(low) if round(low, 6) == round(high, 6) else f"{number(low)}\u2013{number(high)}"


def _hours(asked: Envelope, mended: Envelope | None, gross: Vector, net: Vector | None, size_mw: float) -> Part:
    """Return the 24 values in a table that opens."""
    if len(asked.share) != HOURS_OF_DAY:
        return None
    heads = ["Hour", "Asked, %"]
    columns: list[Sequence[float]] = [[100 * share for share in asked.share]]
    if mended is not None:
        heads.append("Mended, %")
        columns.append([100 * share for share in mended.share])
    if net is not None:
        heads += ["Gross, MW", "Net, MW"]
        columns += [gross.tolist(), net.tolist()]
    rows = [
        (str(hour), *((number(column[hour - 1], 1), f"{column[hour - 1]:.6f}") for column in columns))
        for hour in range(1, HOURS_OF_DAY + 1)
    ]
    name = "".join(letter if letter.isalnum() else "-" for letter in asked.name)
    table = small_table(f"profile-{name}", f"{asked.name}, hour by hour", heads, rows, file=f"profile-{name}")
    return html.Details([html.Summary(f"The 24 values{f' at {number(size_mw)} MW' if net is not None else ''}"), table])
