"""Why lines and the substation carry what they do, and what they may carry.

"line:NAME" and "substation" (flows of the hour that is looked at), "over:NAME" (beyond the limit over the day),
"load:NAME" (in parts of it) and "limit:NAME"; NAME is a line's, or "substation".
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.format import count, number, percent
from components.hubs_diagram import feeder_of
from components.hubs_edits import words_of
from components.hubs_why import BEYOND_MW, MOST, Card, inputs_of, line_place, loading_of
from components.hubs_words import (
    SOURCE_FLOW,
    SUBSTATION,
    At,
    after_of,
    before_of,
    hour_of,
    labels_of,
    limit_words,
    plain,
    said,
)
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.feeder import Feeder, Regulator, Transformer
from engine.pricing.question import Edit

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

POWER_FACTOR = 0.95  # of what a rating carries, in MW
SUBSTATION_SHARE = 1.1  # of the table's loads, that the substation may import and export
SOURCE_LIMIT = "Ratings of the feeder's worked day, all phases together, carried at one power factor"


def _substation(run: "HubRun", at: At, _: str) -> Part:
    hour, network = hour_of(run, at), run.case.network
    values = [
        ("without hubs, *S*^{bg}_t", f"{number(float(network.substation_mw[hour]), 3)} MW"),
        *_limits(run, SUBSTATION),
    ]
    for each in (before_of(run, at), after_of(run, at)):
        over = each.overloads
        drawn = f"{number(float(each.withdrawal_mw[:, hour].sum()), 3)} MW of hubs"
        values.append(
            (
                said(each),
                f"{number(float(over.substation_flow_mw[hour]), 3)} MW, {drawn}{_more(over.substation_mw[hour])}",
            )
        )
    return why_card(
        f"The substation at {labels_of(run)[hour]}", formula="*S*_t = *S*^{bg}_t + Σ_i *w*_{it}", values=values,
        inputs=inputs_of(run), source=SOURCE_FLOW, note="Above 0 it imports, below it exports.",
    )  # fmt: skip


def _line(run: "HubRun", at: At, name: str) -> Part:
    if name == SUBSTATION:
        return _substation(run, at, "")
    row, network, hour = line_place(run, name), run.case.network, hour_of(run, at)
    values = [
        ("background, *f*^{bg}_{lt}", f"{number(float(network.background_mw[row, hour]), 3)} MW"),
        *_limits(run, name),
    ]
    for each in (before_of(run, at), after_of(run, at)):
        over = each.overloads
        values.append((said(each), f"{number(float(over.flow_mw[row, hour]), 3)} MW{_more(over.line_mw[row, hour])}"))
    feeding = [hub.name for hub, share in zip(run.case.hubs, network.share[row].tolist(), strict=True) if share]
    return why_card(
        f"Line {name} at {labels_of(run)[hour]}", formula="*f*_{lt} = *f*^{bg}_{lt} − Σ_i *H*_{li} *w*_{it}",
        values=values,
        binds=[f"{count(len(feeding), 'hub')} behind it: {', '.join(feeding[:MOST])}"] if feeding else [],
        inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _more(beyond_mw: float) -> str:
    return f", {number(float(beyond_mw), 3)} MW beyond" if beyond_mw > BEYOND_MW else ""


def _limits(run: "HubRun", name: str) -> list[tuple[str, str]]:
    network = run.case.network
    if name == SUBSTATION:
        ways = (("import", network.import_mw), ("export", network.export_mw))
        return [(f"limit of {way}", limit_words(limit, 3)) for way, limit in ways]
    return [("limit, either way", limit_words(float(network.limit_mw[line_place(run, name)]), 3))]


def _titled(name: str) -> str:
    return "The substation" if name == SUBSTATION else f"Line {name}"


def _over(run: "HubRun", at: At, name: str) -> Part:
    labels, values = labels_of(run), []
    for each in (before_of(run, at), after_of(run, at)):
        beyond = loading_of(run, each, name)[0]
        hours = int((beyond > BEYOND_MW).sum())
        most = f", most {number(float(beyond.max()), 3)} MW at {labels[int(beyond.argmax())]}" if hours else ""
        energy = f"{number(plain(float(beyond.sum()) * run.case.step_h), 3)} MWh"
        values.append((said(each), f"{energy} in {count(hours, 'hour')}{most}"))
    formula = (
        "Δ Σ_t ( [ *S*_t − *S*^{max} ]_{+} + [ −*S*_t − *S*^{min} ]_{+} )"
        if name == SUBSTATION
        else "Δ Σ_t [ |*f*_{lt}| − *f*_l^{max} ]_{+}"
    )
    return why_card(
        f"{_titled(name)} beyond its limit over the day", formula=formula,
        values=[("Δ", f"{run.case.step_h:g} h"), *_limits(run, name), *values],
        inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _load(run: "HubRun", at: At, name: str) -> Part:
    labels, hour, values = labels_of(run), hour_of(run, at), []
    for each in (before_of(run, at), after_of(run, at)):
        parts = loading_of(run, each, name)[1]
        most = int(parts.argmax())
        values.append((said(each), f"{percent(float(parts[hour]), 1)}; at most {percent(float(parts[most]), 1)} at "
                                   f"{labels[most]}"))  # fmt: skip
    formula = "max( *S*_t / *S*^{max}, −*S*_t / *S*^{min} )" if name == SUBSTATION else "|*f*_{lt}| / *f*_l^{max}"
    return why_card(
        f"{_titled(name)} at {labels[hour]}, in parts of its limit", formula=formula,
        values=[*_limits(run, name), *values], inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _limit(run: "HubRun", _at: At, name: str) -> Part:
    """Return from what a limit is counted: the feeder's rating or load, or the reader's file; then the edits of it."""
    limits = _limits(run, name)
    feeder = None if run.question.dataset else feeder_of(run.case)
    edits = [("edit", words_of(edit)) for edit in run.question.edits if _is_of(edit, name)]
    if feeder is None:
        return why_card(
            f"{_titled(name)}: what it may carry", values=[*limits, *edits], inputs=inputs_of(run),
            source="The file of the case gives it", note="Either way alike." if name != SUBSTATION else None,
        )  # fmt: skip
    formula, values = _of_loads(feeder) if name == SUBSTATION else _of_rating(feeder, name)
    return why_card(
        f"{_titled(name)}: what it may carry", formula=formula, values=[*values, *edits, *limits],
        inputs=inputs_of(run), source="Our own assumption" if name == SUBSTATION else SOURCE_LIMIT,
        note="Import and export alike, hubs and background together." if name == SUBSTATION else "Either way alike.",
    )  # fmt: skip


def _is_of(edit: Edit, name: str) -> bool:
    if name == SUBSTATION:
        return edit.asset in {"substation import", "substation export"}
    return edit.asset == "line limit" and edit.line in {"", name}


def _of_loads(feeder: Feeder) -> tuple[str, list[tuple[str, str]]]:
    load = sum(row.kw for row in feeder.loads) / 1000.0
    return (
        f"*S*^{{max}} = *S*^{{min}} = {SUBSTATION_SHARE:g} Σ *P*^{{table}}",
        [
            ("Σ *P*^{table}, loads of the feeder's table", f"{number(load, 3)} MW"),
            (f"{SUBSTATION_SHARE:g} times it", f"{number(SUBSTATION_SHARE * load, 3)} MW"),
        ],
    )


def _of_rating(feeder: Feeder, name: str) -> tuple[str, list[tuple[str, str]]]:
    """Return formula and values of a line's limit before edits."""
    link = next(each for each in feeder.links if each.name == name)
    if isinstance(link, Transformer):
        return "*f*^{max} = cos φ · *S*", [
            ("*S*, rating", f"{number(link.kva)} kVA"),
            ("cos φ, power factor", f"{POWER_FACTOR:g}"),
            ("*f*^{max}", f"{number(link.kva * POWER_FACTOR / 1000.0, 3)} MW"),
        ]
    if link.rating_a is None:
        raise ValueError(f"there is no rating of line {name!r:.60}")
    phases = 3 if isinstance(link, Regulator) and link.open_delta else len(link.phases)
    kv = next(bus.kv for bus in feeder.buses if bus.name == link.from_bus)
    limit = phases * kv / 3.0**0.5 * link.rating_a * POWER_FACTOR / 1000.0
    return "*f*^{max} = cos φ · *n* · *I* · *U* / √3", [
        ("*n*, phases", number(phases)),
        ("*U*, between phases", f"{number(kv, 2)} kV"),
        ("*I*, rating of a phase", f"{number(link.rating_a)} A"),
        ("cos φ, power factor", f"{POWER_FACTOR:g}"),
        ("*f*^{max}", f"{number(limit, 3)} MW"),
    ]


CARDS: Mapping[str, Card] = {
    "substation": _substation, "line": _line, "over": _over, "load": _load, "limit": _limit,
}  # fmt: skip
