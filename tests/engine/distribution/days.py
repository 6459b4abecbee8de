"""Days of feeders with data centres and generators, for tests and benchmarks of their coordination."""

from dataclasses import replace

import numpy as np

from engine.distribution import library
from engine.distribution.case import FeederCase
from engine.distribution.feeder import Compensator, DataCentre, Feeder, Generator, Load
from tests.engine.distribution.toys import three_wire, two_bus

PRICES = np.array([
    31, 29, 28, 28, 30, 36, 44, 52, 55, 53, 50, 48, 47, 46, 48, 54, 63, 74, 78, 72, 60, 48, 40, 34,
], dtype=float)  # fmt: skip
LOADS = np.array([
    55, 52, 50, 50, 52, 58, 68, 76, 80, 82, 83, 84, 84, 83, 82, 84, 88, 94, 97, 95, 89, 80, 70, 61,
]) / 100.0  # fmt: skip


def feeder37(*, svg: bool = True) -> Feeder:
    """IEEE 37 with three data centres far from each other, three generators and two compensators."""
    feeder = library.load("ieee37")
    svgs = (Compensator("svg 738", "738", 80.0), Compensator("svg 730", "730", 80.0)) if svg else ()
    return replace(
        feeder,
        generators=(
            Generator("g 737", "737", 500.0, q_min_kvar=-60.0, q_max_kvar=120.0, cost_per_mwh=52.0,
                      slope_per_mw2h=40.0),
            Generator("g 729", "729", 400.0, q_min_kvar=-50.0, q_max_kvar=80.0, cost_per_mwh=58.0, slope_per_mw2h=30.0),
            Generator("g 706", "706", 400.0, q_min_kvar=-50.0, q_max_kvar=80.0, cost_per_mwh=64.0, slope_per_mw2h=50.0),
        ),
        compensators=svgs,
        centres=(
            DataCentre("east", "740", 80.0, 1.0, 600.0),
            DataCentre("north", "724", 80.0, 1.0, 600.0),
            DataCentre("west", "732", 80.0, 1.0, 600.0),
        ),
    )  # fmt: skip


def two_centres(*, v_min_pu: float = 0.985) -> Feeder:
    """A small delta feeder: a centre and a generator on each of two branches; voltages bind under load."""
    feeder = three_wire(260.0)
    return replace(
        feeder,
        generators=(
            Generator("g two", "two", 300.0, q_min_kvar=-50.0, q_max_kvar=50.0, cost_per_mwh=55.0, slope_per_mw2h=60.0),
            Generator("g three", "three", 250.0, cost_per_mwh=70.0, slope_per_mw2h=90.0),
        ),
        compensators=(Compensator("svg", "three", 40.0),),
        centres=(DataCentre("a", "two", 30.0, 1.0, 400.0), DataCentre("b", "three", 20.0, 0.8, 500.0)),
        v_min_pu=v_min_pu,
    )


def case37(hours: slice = slice(0, 24), *, svg: bool = True) -> FeederCase:
    return FeederCase.of(feeder37(svg=svg), PRICES[hours], LOADS[hours])


def two_bus_market(**more: object) -> Feeder:
    """One phase, one centre at the end: the generator is dearer the more it gives, the line's voltage limit binds."""
    return two_bus(
        1.2, 1.8,
        loads=(Load("load", "end", "a", 1500.0, 1000.0),),
        generators=(Generator("g", "end", 2500.0, "a", cost_per_mwh=60.0, slope_per_mw2h=20.0),),
        centres=(DataCentre("centre", "end", 0.0, 1.0, 1000.0, pue=1.0, phases="a"),),
        **more,
    )  # fmt: skip
