"""Three sets of rules to begin with, and where each number of the FCC's comes from."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.auction.rules import (
    Activity,
    Closing,
    Increment,
    Jump,
    Rules,
    Timing,
    Withdrawals,
)

PAPER = Rules(
    preset="Paper",
    increment=Increment(kind="fixed", amount=5),
    ties="alternating",
    information="full",
    timing=Timing(pace="by hand"),
)

CLASSROOM = Rules(
    preset="Classroom",
    increment=Increment(kind="fixed", amount=5),
    jump=Jump(kind="click box", steps=3, step_share=0.2),
    activity=Activity(enforced=True, stages=(0.5, 1.0), waivers=1, quiet_share=0.2, quiet_rounds=2),
    closing=Closing(max_rounds=40),
    timing=Timing(pace="all acted", round_s=90.0),
    ties="random",
    information="full",
)

FCC = Rules(
    preset="FCC",
    increment=Increment(kind="smoothed", amount=1, weight=0.5, floor=0.1, ceiling=0.2, rounding=1),
    jump=Jump(kind="click box", steps=9, step_share=0.1),
    activity=Activity(enforced=True, stages=(0.8, 0.95), waivers=3, quiet_share=0.1, quiet_rounds=3),
    withdrawals=Withdrawals(rounds=2, interim_share=0.03),
    timing=Timing(pace="clock", round_s=1800.0),
    ties="random",
    information="anonymous",
    demand_hint=False,
)

PRESETS: Mapping[str, Rules] = MappingProxyType({"Paper": PAPER, "Classroom": CLASSROOM, "FCC": FCC})
