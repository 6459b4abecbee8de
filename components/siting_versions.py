"""Versions of the catalogue: what entered, what left, how places moved, and the press that makes the next one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from components import siting_ids
from components.capacity_answer import pressed_button
from components.format import number, percent
from components.icons import icon
from components.siting_catalogue import FILES, STANDING_WORDS, VERSION_FILES
from components.siting_site import small_table
from components.siting_states import changed_words
from components.siting_studies_time import Takes
from components.skeleton import Part, section, state
from engine.siting.catalogue import Catalogue
from engine.siting.changes import Changes, SetChange
from engine.siting.corridors import HeadroomChange
from engine.siting.question import SitingQuestion

_COMMITTED = "the committed loads"  # told one by one
_MOST_NAMED = 12


def timeline(
    versions: Sequence[Mapping[str, Any]], found: Sequence[Part], ask: Part, *, size_mw: float, owner: bool
) -> Part:
    """Return the versions, newest first, each with what changed since the one before (``found``, in their order).

    Counts are told of the size that is drawn.
    """
    own = f", {size_mw:g} MW"
    parts: list[Part] = [
        html.P(
            "A refresh places a load, commits it, runs the gate and the market again, and keeps the catalogue as a "
            "version: what entered, what left, and how places moved.",
            className="hr-muted",
        ),
        ask if owner else state("read-only", "Versions are kept by the study's owner."),
    ]
    lines = [
        html.Li(
            [
                html.Div(
                    [
                        html.Strong(f"Version {content['version']}"),
                        f", {str(content['made'])[:16].replace('T', ' ')} UTC",
                        html.Span(f": {content['placed']}" if content["placed"] else "", className="hr-muted"),
                    ]
                ),
                html.Div(
                    "; ".join(
                        f"{name}: {number(amount)} pass"
                        for name, amount in content["passed"].items()
                        if name.endswith(own)
                    ),
                    className="hr-muted",
                ),
                _files_of(int(content["version"]), str(content["network"])),
                changed,
            ]
        )
        for content, changed in zip(versions, found, strict=True)
    ]
    parts.append(
        html.Ol(lines, className="hr-siting-versions", reversed=True)
        if lines
        else html.P("No version is kept yet.", className="hr-muted")
    )
    return section("Versions and refresh", *parts)


def _files_of(version: int, network: str) -> Part:
    """Return the digest of a version's network, and its files."""
    buttons = [
        html.Button(
            [icon("download", size=14), html.Span(FILES[name][0])],
            type="button",
            className="hr-button hr-button-quiet",
            title=f"Version {version}: {FILES[name][2]}",
            **{"data-siting-keep": f"{version}:{name}"},
        )
        for name in VERSION_FILES
    ]
    told = html.Div(["Network ", html.Span(network[:12], className="hr-num")], className="hr-muted")
    return html.Div([told, html.Div(buttons, className="hr-siting-files")])


def causes(before: Catalogue, after: Catalogue) -> list[str]:
    """Return in words what is different between two versions before anything was computed."""
    old, new = before.manifest, after.manifest
    found = []
    if old["network"] != new["network"]:
        found.append(f"the network was edited: {old['network'][:12]} became {new['network'][:12]}")
    was, now = (SitingQuestion.from_json(told["question"]) for told in (old, new))
    added = [load for load in now.committed if load not in was.committed]
    gone = [load for load in was.committed if load not in now.committed]
    for listed, words in ((added, "was committed"), (gone, "is not committed any more")):
        found += [f"{load.nameplate_mw:g} MW {load.envelope.name} at bus {load.bus} {words}" for load in listed]
    found += [f"{words} changed" for words in changed_words(was, now) if words != _COMMITTED]
    if was.threshold != now.threshold:
        found.append(f"the threshold went from {percent(was.threshold)} to {percent(now.threshold)}")
    if (was.criteria, was.criteria_file, was.group_weights) != (now.criteria, now.criteria_file, now.group_weights):
        found.append("your own criteria changed")
    if old.get("market_question") != new.get("market_question"):
        found.append("what was asked of the market changed")
    ranking, other = (told.get("ranking") or {} for told in (old, new))
    for name, words in (("group_weights", "weights"), ("scaling", "scaling"), ("shortlist", "length of the shortlist")):
        if ranking and other and ranking[name] != other[name]:
            found.append(f"the {words} changed")
    return found


def corridor_table(version: int, listed: Sequence[HeadroomChange] | None) -> Part:
    """Return what happened to the headroom of corridors since the version before, or why it is not compared."""
    if listed is None:
        words = "The headroom of corridors is compared where both versions have theirs, of at most 100 hours."
        return html.P(words, className="hr-muted")
    rows = [
        (
            one.name,
            (number(one.before_mw), "" if one.before_mw is None else one.before_mw),
            (number(one.after_mw), "" if one.after_mw is None else one.after_mw),
            (number(one.change_mw), "" if math.isnan(one.change_mw) else one.change_mw),
        )
        for one in listed
    ]
    heads = ["Corridor", "Headroom before, MW", "Now, MW", "Change, MW"]
    return small_table(
        f"corridors-{version}", f"Headroom of corridors, version {version}", heads, rows, file=f"corridors-{version}",
        note="The least over the hours of the ratings less the net flow of a least-cost dispatch, without outages: an "
        "indicator; the gate alone certifies.",
    )  # fmt: skip


def basis(catalogue: Catalogue) -> str:
    """Return the days and the noise floor of a version, "" without a market."""
    told = catalogue.manifest
    if "market" not in told:
        return ""
    days = ", ".join(str(day["label"]) for day in told["market"]["days"])
    floor = told.get("noise_floor", {}).get("on_peak_p95_p5")
    noise = "" if floor is None else f" Noise floor of the on-peak P95-P5: {number(floor, 3)} $/MWh."
    return f"Market days: {days}.{noise}"


def ask_refresh(words: str, takes: Takes, *, priced: bool = True) -> Part:
    """Return the press that places a load and runs again; where that is long it is behind a first one.

    ``priced`` is whether the market was run: where not, only the gate runs again, and this is said.
    """
    what = "Place it, commit and run again"
    press = pressed_button(what, siting_ids.REFRESH_RUN)
    if takes.long:
        start = pressed_button(f"Start it: {takes.short()} on two cores", siting_ids.REFRESH_RUN)
        first = html.Summary(
            [what, " ", html.Span(takes.short(), className="hr-siting-small")],
            className="hr-button hr-siting-study",
        )
        press = html.Details([first, html.P(f"{takes.words()} What is done is kept."), start])
    alone = "" if priced else "The market has not run, so only the gate runs again. "
    return html.Div([html.P(f"Next: {words}. {alone}{'' if takes.long else takes.words()}".strip()), press])


def change_table(
    version: int,
    listed: Sequence[Changes],
    words: Mapping[str, str],
    *,
    because: Sequence[str] = (),
    note: str = "",
    why: Part = None,
    corridors: Part = None,
) -> Part:
    """Return what changed since the version before; ``words`` are buses in words.

    ``because`` are :func:`causes`, ``note`` tells the days and the noise floor of the version, ``why`` is the card of
    the table, ``corridors`` what happened to their headroom.
    """
    table_rows = []
    for one in listed:
        moves = [f"{words.get(bus, bus)} {before}\u2192{after}" for bus, before, after in one.moves]
        table_rows.append(
            (
                f"{one.envelope}, {one.nameplate_mw:g} MW",
                *_set_cells(one.qualified, words),
                *_set_cells(one.priced, words),
                number(one.spearman, 3),
                _named(moves, 5),
            )
        )
    heads = [
        "Envelope and size", "Qualified", "Entered", "Left, and now", "Priced", "Newly priced",
        "Not priced any more, and now", "Spearman of scores", "Places that moved",
    ]  # fmt: skip
    parts: list[Part] = [
        small_table(
            f"changes-{version}", f"Changes of version {version}", heads, table_rows, text=(0, 2, 3, 5, 6, 8),
            file=f"changes-{version}", note=note, why=why,
        )
    ]  # fmt: skip
    grew = [f"{one.envelope}, {one.nameplate_mw:g} MW" for one in listed if one.grew]
    if grew:
        parts.append(
            html.P(
                f"More sites qualify than before ({', '.join(grew)}): the load relieves limits. An exception, told "
                "as one.",
                className="hr-sign-binding",
            )
        )
    said = "; ".join(because) or "nothing that was asked"
    told = html.P(f"Since the version before: {said}.", className="hr-muted")
    return html.Div([told, html.Details([html.Summary("What changed"), *parts, corridors])])


def _set_cells(change: SetChange, words: Mapping[str, str]) -> list[Part]:
    """Return three cells: how many are in a set before and now, who entered it, and who left it for what."""
    left = [f"{words.get(bus, bus)} ({STANDING_WORDS.get(now, now)})" for bus, now in change.left]
    return [
        f"{number(change.before)} \u2192 {number(change.after)}",
        _named([words.get(bus, bus) for bus in change.entered]),
        _named(left),
    ]


def _named(names: Sequence[str], most: int = _MOST_NAMED) -> tuple[str, str]:
    """Return what a reader sees of a list, and all of it for the CSV."""
    shown = ", ".join(names[:most]) or "none"
    if len(names) > most:
        shown += f" and {number(len(names) - most)} more"
    return shown, "; ".join(names)
