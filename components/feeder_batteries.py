"""Batteries beside data centres: what they are, what they do in an hour, and why."""

from typing import TYPE_CHECKING

from components.feeder_cards_parts import open_device
from components.feeder_layers import At, case_said
from components.feeder_words import inputs_of, method_words
from components.format import count, number, percent
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.feeder import Battery, DataCentre

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_IDLE_KW = 5e-2


def any_battery(run: "FeederRun") -> bool:
    """Return whether some data centre has a battery."""
    return any(row.battery is not None for row in run.feeder.centres)


def standing_words(battery: Battery) -> str:
    """Return what a battery is: ``200 kW, 800 kWh, 90 % there and back``."""
    both = percent(battery.charge_efficiency * battery.discharge_efficiency, 0)
    return f"{number(battery.power_kw)} kW, {number(battery.energy_kwh)} kWh, {both} there and back"


def battery_words(case: "CaseRun", hour: int, place: int, row: DataCentre) -> str:
    """Return what a battery does in an hour and what it holds then: ``charges 120.0 kW, holds 400 kWh (50 %)``."""
    charge, discharge = float(case.charge_kw[hour, place]), float(case.discharge_kw[hour, place])
    does = " and ".join(
        f"{word} {number(value, 1)} kW"
        for word, value in (("charges", charge), ("gives", discharge))
        if value >= _IDLE_KW
    )
    return f"{does or 'rests'}, holds {_held(case, hour, place, row)}"


def battery_values(case: "CaseRun", hour: int, place: int, row: DataCentre) -> list[tuple[str, str]]:
    """Return the lines of a card on what a data centre draws; none without a battery."""
    if row.battery is None:
        return []
    return [
        ("charge", f"{number(float(case.charge_kw[hour, place]), 1)} kW"),
        ("discharge", f"{number(float(case.discharge_kw[hour, place]), 1)} kW"),
        ("held at the end of the hour", _held(case, hour, place, row)),
    ]


def _held(case: "CaseRun", hour: int, place: int, row: DataCentre) -> str:
    held = float(case.held_kwh[hour, place])
    most = row.battery.energy_kwh if row.battery is not None else 0.0
    return f"{number(held)} kWh" + (f" ({percent(held / most, 0)})" if most else "")


def charging_words(run: "FeederRun", case: "CaseRun") -> str:
    """Return why limits are exceeded while batteries beside given work charge; "" where they are not."""
    hours = sorted({row["hour"] for row in case.facts["violations"]})
    charged = case.charge_kw.sum(axis=1)
    busy = [hour for hour in hours if charged[hour] >= _IDLE_KW]
    if run.question.method != "given" or not busy:
        return ""
    most = max(busy, key=lambda hour: float(charged[hour]))
    return (
        f"In {len(busy)} of the {count(len(hours), 'hour')} in which limits are exceeded batteries charge, "
        f"{number(float(charged[most]))} kW in {run.labels[most]}: beside evenly divided work they run at least cost "
        "at the substation's prices, which say nothing of the feeder's limits. A method that schedules the work "
        "decides both at prices that do."
    )


def battery_card(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a battery does what it does in an hour. Raises ValueError for a centre without one."""
    case, hour, place, row = open_device(run, at, run.feeder.centres, rest)
    battery, name = row.battery, row.name
    if battery is None:
        raise ValueError(f"there is no battery at {name!r:.60}")
    before = float(case.held_kwh[hour - 1, place]) if hour else battery.initial_share * battery.energy_kwh
    return why_card(
        f"Battery of {name}: {battery_words(case, hour, place, row)}, {run.labels[hour]}, {case_said(case)}",
        formula="*E*_t = *E*_{t−1} + η_c charge − discharge / η_d",
        values=[
            ("*E*_{t−1}, held before", f"{number(before, 1)} kWh"),
            *battery_values(case, hour, place, row),
            ("η_c, η_d", f"{percent(battery.charge_efficiency, 1)}, {percent(battery.discharge_efficiency, 1)}"),
            ("most either way", f"{number(battery.power_kw)} kW"),
            ("most it holds", f"{number(battery.energy_kwh)} kWh"),
            ("held first, last of the day", f"{percent(battery.initial_share, 0)}, {percent(battery.end_share, 0)}"),
            ("decided by", method_words(run)),
        ],
        inputs=inputs_of(run),
        source="Storage of the aggregator beside its work: our formula",
        note="It is in the aggregator's own constraints and moves what is drawn from the network, not the work. Beside "
        "evenly divided work it runs at least cost at the substation's prices.",
    )
