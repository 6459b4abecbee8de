"""Why the numbers of one shock are what they are: of the step that is looked at, of one bus in it, and of stores."""

from typing import TYPE_CHECKING

import numpy as np

from components.format import count, number, percent
from components.resilience_cards import inputs_of
from components.resilience_diagram import outputs, series, voltages
from components.resilience_words import (
    METHODS,
    NARROW,
    SOURCE,
    SOURCE_FLOW,
    At,
    hour_of,
    labels_of,
    mwh,
    planned_of,
    played,
    shock_of,
    shock_words,
    table_of,
)
from components.skeleton import Part
from components.why_card import why_card

if TYPE_CHECKING:
    from engine.resilience.recourse import Answer, Recourse
    from engine.resilience.run import ResilienceRun

_LEAST_MW = 5e-4  # less is written as 0
_MOST = 6  # buses that a card names
_SOURCES = f"{SOURCE}; {SOURCE_FLOW}"
_SEES = "Stage II sees the whole shock: a step may give up something for another."


def step_card(run: "ResilienceRun", at: At, name: str) -> Part:
    """Return the card of a column of the shock's table, in the step that is looked at.

    ``name`` is "scheduled", "load", "imported", "imbalance", "shed", "lowest", "out-TYPE" or "held-TYPE", a type by its
    place. Raises KeyError or ValueError for any other.
    """
    recourse, answer = _played(run, at)
    told = series(run, recourse, answer, shock_of(run, at))
    made, _, place = name.partition("-")
    value = float(told[name][hour_of(run, at)])
    if made in {"out", "held"}:
        return (_out if made == "out" else _held)(run, at, int(place), value)
    return {
        "scheduled": _scheduled, "load": _load, "imported": _imported, "imbalance": _imbalance, "shed": _shed,
        "lowest": _lowest,
    }[made](run, at, value)  # fmt: skip


def bus_card(run: "ResilienceRun", at: At, bus: str, name: str) -> Part:
    """Return the card of a bus in the step that is looked at: "voltage", "load" or "campus-PLACE"."""
    case, hour, shock = run.case, hour_of(run, at), shock_of(run, at)
    recourse, answer = _played(run, at)
    label = labels_of(run)[hour]
    if name == "voltage":
        place = [each.name for each in case.feeder.buses].index(bus)
        return _voltage(run, at, bus, float(voltages(case, recourse, answer)[place, hour]))
    if name == "load":
        table, share = sum(row.kw for row in case.feeder.loads if row.bus == bus) / 1000.0, float(case.load_share[hour])
        return why_card(
            f"{_mw(table * share)} at {label}: the load of bus {bus}, campuses aside",
            formula="*d*_{jt} = *a*_t *d*_j",
            values=[("*d*_j, of the feeder's table", _mw(table)), (f"*a*_t at {label}", percent(share, 1)),
                    ("not served here", _mw(_shed_at(recourse, answer, hour).get(bus, 0.0)))],
            inputs=inputs_of(run), source="The feeder's table of loads; the day is synthetic, see Checks",
        )  # fmt: skip
    campus_at = int(name.partition("-")[2])
    campus, given = case.campuses[campus_at], case.scenarios
    draw, usual = float(given.draw_mw[shock, hour, campus_at]), float(case.schedule_mw[campus_at])
    return why_card(
        f"{_mw(draw)} at {label}: what the campus at {bus} draws",
        formula="*D*_{ct} = schedule + change of the shock,  schedule = share · size",
        values=[("size", _mw(campus.size_mw)), ("schedule", f"{percent(campus.schedule_share, 0)}: {_mw(usual)}"),
                ("change", _mw(draw - usual)), ("shock", shock_words(run, shock)), ("event", _event(run, shock))],
        inputs=inputs_of(run), source="The draw is of the shock itself: of the model with its seed, or of its file",
    )  # fmt: skip


def both_ways_card(run: "ResilienceRun") -> Part:
    """Return the card of the most that stores charge while they discharge, in a shock of the case under any plan."""
    worst = max(run.planned, key=lambda each: float(each.outcomes.both_ways_mwh.max()))
    both, shock = worst.outcomes.both_ways_mwh, int(worst.outcomes.both_ways_mwh.argmax())
    chosen = planned_of(run, At())
    share = float(run.case.scenarios.probability @ chosen.outcomes.both_ways_mwh)
    some = int((both > 1e-6).sum())
    return why_card(
        f"{mwh(float(both.max()), 3)} charged while discharging, at most in a shock",
        formula="Δ Σ_t Σ_k min( *ch*_{kt}, *dis*_{kt} )",
        values=[
            ("the most", f"{shock_words(run, shock)}, plan {METHODS[worst.method]}" if some else "in no shock"),
            ("under that plan", f"in {count(some, 'shock')} of {number(len(both))}"),
            (f"{METHODS[chosen.method]}, in the mean", mwh(share, 4)),
        ],
        inputs=inputs_of(run), source=SOURCE,
        note="A linear program would burn energy so where draws fall and stores are full: an import below its schedule "
        "by more than the dead band costs more than the losses. No store can do both, so in each step where it would "
        "the way in which it moves less is closed, and the shock is solved again. Cuts keep to the linear program, "
        "which no dispatch undercuts; the gap of the plan holds the difference.",
    )  # fmt: skip


def _played(run: "ResilienceRun", at: At) -> tuple["Recourse", "Answer"]:
    return played(run, planned_of(run, at).method, shock_of(run, at))


def _mw(value: float, digits: int = 3) -> str:
    return f"{number(0.0 if abs(value) < _LEAST_MW else value, digits)}{NARROW}MW"


def _event(run: "ResilienceRun", shock: int) -> str:
    given, labels = run.case.scenarios, labels_of(run)
    start, end = int(given.start[shock]), int(given.end[shock])
    return f"{labels[min(start, len(labels) - 1)]}, {count(end - start, 'step')}"


def _title(run: "ResilienceRun", at: At, shown: str, what: str) -> str:
    return f"{shown} at {labels_of(run)[hour_of(run, at)]}: {what}"


def _native(run: "ResilienceRun", at: At) -> float:
    """Return what the feeder's own loads draw in the step that is looked at, MW."""
    drawn = _played(run, at)[0].stage.draws_mw[0]
    return float(drawn[: len(drawn) - len(run.case.campuses), hour_of(run, at)].sum())


def _scheduled(run: "ResilienceRun", at: At, value: float) -> Part:
    case = run.case
    campuses = [(f"campus at {each.bus}", _mw(float(mw)))
                for each, mw in zip(case.campuses, case.schedule_mw, strict=True)]  # fmt: skip
    return why_card(
        _title(run, at, _mw(value), "what is drawn without the shock"),
        formula="Σ_j *a*_t *d*_j + Σ_c *D*^0_c",
        values=[("loads of the feeder", _mw(_native(run, at))), *campuses],
        inputs=inputs_of(run), source="The feeder's table of loads on a synthetic day, and the schedules of campuses",
    )  # fmt: skip


def _load(run: "ResilienceRun", at: At, value: float) -> Part:
    case, drawn = run.case, run.case.scenarios.draw_mw[shock_of(run, at), hour_of(run, at)]
    campuses = [(f"campus at {each.bus}", f"{_mw(float(mw))}, by schedule {_mw(float(usual))}")
                for each, mw, usual in zip(case.campuses, drawn, case.schedule_mw, strict=True)]  # fmt: skip
    return why_card(
        _title(run, at, _mw(value), "what loads and campuses ask for"),
        formula="Σ_j *a*_t *d*_j + Σ_c *D*_{ct}",
        values=[("loads of the feeder", _mw(_native(run, at))), *campuses,
                ("event", _event(run, shock_of(run, at)))],
        inputs=inputs_of(run), source="The shock: of the model with its seed, or of its file",
    )  # fmt: skip


def _imported(run: "ResilienceRun", at: At, value: float) -> Part:
    hour = hour_of(run, at)
    recourse, answer = _played(run, at)
    told = series(run, recourse, answer, shock_of(run, at))
    types = [(f"{kind.name} gives", _mw(float(told[f"out-{place}"][hour])))
             for place, kind in enumerate(run.case.types)]  # fmt: skip
    most = run.case.substation_mva
    return why_card(
        _title(run, at, _mw(value), "the import over the substation"),
        formula="*P*_t = load − not served − Σ_k *p*_{kt}",
        values=[("load", _mw(float(told["load"][hour]))), ("not served", _mw(float(told["shed"][hour]))), *types,
                ("schedule", _mw(float(told["scheduled"][hour])))],
        binds=[f"the substation's {number(most, 2)}{NARROW}MVA"] if value >= most - 1e-3 else [],
        inputs=inputs_of(run), source=_SOURCES, note=f"The linear flow has no losses. {_SEES}",
    )  # fmt: skip


def _imbalance(run: "ResilienceRun", at: At, value: float) -> Part:
    case, hour = run.case, hour_of(run, at)
    recourse, answer = _played(run, at)
    told = series(run, recourse, answer, shock_of(run, at))
    imported, planned = told["imported"], told["scheduled"]
    step = case.ramp_mw_per_min * 60.0 * case.step_h
    values = [("import", _mw(float(imported[hour]))), ("schedule", _mw(float(planned[hour]))),
              ("dead band *b*", _mw(case.dead_band_mw)), ("ramp of a step *r*", _mw(step))]  # fmt: skip
    if hour:
        values.append(("import of the step before", _mw(float(imported[hour - 1]))))
    price = case.penalties.imbalance_per_mwh
    return why_card(
        _title(run, at, _mw(value), "import off its schedule or its ramp"),
        formula="*im*_t ≥ | *P*_t − *P*^0_t | − *b*,  *im*_t ≥ | *P*_t − *P*_{t−1} | − *r*,  *im*_t ≥ 0",
        values=[*values, ("price", f"{number(price)}{NARROW}$/MWh")],
        inputs=inputs_of(run), source=SOURCE, note=_SEES,
    )  # fmt: skip


def _shed_at(recourse: "Recourse", answer: "Answer", hour: int) -> dict[str, float]:
    """Return what is not served in a step, MW, by bus."""
    shed = answer.x[recourse.stage.columns.shed][:, hour]
    found: dict[str, float] = {}
    for bus, mw in zip(recourse.flows.demands, shed.tolist(), strict=True):
        found[bus] = found.get(bus, 0.0) + mw
    return {bus: mw for bus, mw in found.items() if mw > _LEAST_MW}


def _shed(run: "ResilienceRun", at: At, value: float) -> Part:
    hour, case = hour_of(run, at), run.case
    recourse, answer = _played(run, at)
    where = _shed_at(recourse, answer, hour)
    most = sorted(where, key=lambda bus: -where[bus])[:_MOST]
    low = float(voltages(case, recourse, answer)[:, hour].min())
    shock = shock_of(run, at)
    out = int(case.scenarios.outage[shock])
    lost = out >= 0 and int(case.scenarios.start[shock]) <= hour < int(case.scenarios.restored[shock])
    binds = [f"{case.links[out]} is out: what it feeds has modules alone"] if lost and where else []
    if where and low <= np.sqrt(case.voltage_limits[0]) + 1e-4:
        binds.append(f"the lowest voltage, {number(low, 4)} p.u.")
    return why_card(
        _title(run, at, _mw(value), "load that is not served"),
        formula="Σ_j *sh*_{jt},  0 ≤ *sh*_{jt} ≤ *d*_{jt} + *D*_{jt}",
        values=[*((f"at bus {bus}", _mw(where[bus])) for bus in most),
                ("price", f"{number(case.penalties.shed_per_mwh)}{NARROW}$/MWh")],
        binds=binds, inputs=inputs_of(run), source=_SOURCES, note=_SEES,
    )  # fmt: skip


def _lowest(run: "ResilienceRun", at: At, value: float) -> Part:
    recourse, answer = _played(run, at)
    place = int(voltages(run.case, recourse, answer)[:, hour_of(run, at)].argmin())
    return _voltage(run, at, run.case.feeder.buses[place].name, value)


def _voltage(run: "ResilienceRun", at: At, bus: str, value: float) -> Part:
    case = run.case
    least, most = (float(np.sqrt(limit)) for limit in case.voltage_limits)
    binds = []
    if value <= least + 1e-4:
        binds.append(f"the lower limit with its margin, {number(least, 4)} p.u.")
    if value >= most - 1e-4:
        binds.append(f"the upper limit with its margin, {number(most, 4)} p.u.")
    return why_card(
        _title(run, at, f"{number(value, 4)}{NARROW}p.u.", f"the voltage of bus {bus}, of its lowest phase"),
        formula="*v*_j = *v*_i − 2 ( *r P* + *x Q* ),  | *V*_j | = √ *v*_j",
        values=[("limits of the feeder", f"{case.feeder.v_min_pu:g} to {case.feeder.v_max_pu:g} p.u."),
                ("margin kept from them", f"{case.margin_pu:g} p.u."),
                ("source", f"{case.feeder.source_pu:g} p.u.")],
        binds=binds, inputs=inputs_of(run), source=SOURCE_FLOW,
        note="Squared voltages fall from the source on by the flows of the dispatch; the linear flow has no losses. "
        "A voltage outside of its limits has a price too.",
    )  # fmt: skip


def _out(run: "ResilienceRun", at: At, place: int, value: float) -> Part:
    case, hour = run.case, hour_of(run, at)
    kind, recourse = case.types[place], _played(run, at)
    given = outputs(*recourse)[place][:, hour]
    counts = table_of(run, planned_of(run, at))[place]
    stands = [(site, int(n), float(mw)) for site, n, mw in zip(case.sites, counts, given, strict=True) if n]
    binds = [f"{n} {kind.name} at {site}: {_mw(n * kind.power_mw)}" for site, n, mw in stands
             if abs(mw) >= n * kind.power_mw - 1e-6]  # fmt: skip
    formulas = {
        "storage": "Σ_i ( *dis*_{it} − *ch*_{it} ),  each 0 to *y*_i *p*",
        "generation": "Σ_i *g*_{it},  0 ≤ *g*_{it} ≤ *y*_i *p*,  | *g*_{it} − *g*_{i,t−1} | ≤ *y*_i *r* Δ",
        "response": "Σ_i ( put off_{it} − taken up_{it} ),  each 0 to *y*_i *p*",
    }
    more: list[tuple[str, str]] = [("*p*, of one", _mw(kind.power_mw))]
    if kind.kind == "generation":
        more.append(("first MW, after the event", f"{kind.delay_min:g} min"))
    if kind.kind == "response":
        more.append(("drawn later of what is put off", f"{percent(kind.payback, 0)} within {kind.window_h:g} h"))
    return why_card(
        _title(run, at, _mw(value), f"what {kind.name} gives"), formula=formulas[kind.kind],
        values=[*((f"{n} at {site}", _mw(mw)) for site, n, mw in stands), *more,
                ("use", f"{kind.cost_per_mwh:g}{NARROW}$/MWh")],
        binds=binds, inputs=inputs_of(run), source=SOURCE,
        note=f"Below 0 it draws: a store charges, a response takes up what it put off. {_SEES}",
    )  # fmt: skip


def _held(run: "ResilienceRun", at: At, place: int, value: float) -> Part:
    case, hour = run.case, hour_of(run, at)
    kind, (recourse, answer) = case.types[place], _played(run, at)
    told = series(run, recourse, answer, shock_of(run, at))[f"held-{place}"]
    stand = int(table_of(run, planned_of(run, at))[place].sum())
    begun = stand * kind.start_share * kind.energy_mwh
    room = stand * kind.energy_mwh
    binds = ["they are full"] if room and value >= room - 1e-6 else ["they are empty"] if value <= 1e-6 else []
    return why_card(
        _title(run, at, mwh(value, 3), f"what {kind.name} hold"),
        formula="*e*_t = ( 1 − *l* Δ ) *e*_{t−1} + Δ ( η_{ch} *ch*_t − *dis*_t / η_{dis} )",
        values=[("before", mwh(float(told[hour - 1]) if hour else begun, 3)),
                ("net given in the step", _mw(float(outputs(recourse, answer)[place][:, hour].sum()))),
                ("η_{ch}, η_{dis}", f"{kind.charge_efficiency:g}, {kind.discharge_efficiency:g}"),
                ("*l*", f"{kind.loss_per_h:g} an hour"), ("room", mwh(room, 2)),
                ("at the start, and owed at the end", mwh(begun, 2))],
        binds=binds if stand else [], inputs=inputs_of(run), source=SOURCE,
    )  # fmt: skip
