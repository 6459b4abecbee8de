"""Three sets of rules to begin with, and where each number of the FCC's comes from.

The FCC sets its numbers anew in the public notices of each auction. A number below has the notice and the place where
it was found; all others are called configurable defaults, to be set from the notice of the auction that is meant.
"""

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
    default_share=0.0,
)

CLASSROOM = Rules(
    preset="Classroom",
    increment=Increment(kind="fixed", amount=5),
    jump=Jump(kind="click box", steps=3, step_share=0.2),
    # Waivers for two late rounds and one more: who is new misses rounds, and eligibility never comes back.
    activity=Activity(enforced=True, stages=(0.5, 1.0), waivers=3, quiet_share=0.2, quiet_rounds=2),
    closing=Closing(max_rounds=40),
    timing=Timing(pace="all acted", round_s=120.0),
    ties="random",
    information="full",
)

FCC = Rules(
    preset="FCC",
    increment=Increment(kind="smoothed", amount=1, weight=0.5, floor=0.1, ceiling=0.2, rounding=1),
    jump=Jump(kind="click box", steps=9, step_share=0.1),
    activity=Activity(enforced=True, stages=(0.8, 0.95), waivers=3, quiet_share=0.1, quiet_rounds=3),
    withdrawals=Withdrawals(rounds=2, interim_share=0.03),
    default_share=0.03,
    timing=Timing(pace="clock", round_s=1800.0),
    ties="random",
    information="anonymous",
    demand_hint=False,
    disclose_values=False,
)

PRESETS: Mapping[str, Rules] = MappingProxyType({"Paper": PAPER, "Classroom": CLASSROOM, "FCC": FCC})

DEFAULT = "configurable default"
_SMOOTHING = (
    "Public Notice DA 06-238 (Auction 66), Attachment C, and DA 08-767 (2008), Attachment C: {} in the examples"
)

# Each number of the FCC's rules by its field: where it comes from.
ORIGINS: Mapping[str, str] = MappingProxyType(
    {
        "increment.weight": _SMOOTHING.format("C = 0.5"),
        "increment.floor": _SMOOTHING.format("N = 0.1"),
        "increment.ceiling": _SMOOTHING.format("M = 0.2") + "; 86 FR 12146 (Auction 108), just before paragraph 86",
        "increment.amount": f"{DEFAULT}; without effect on smoothed increments",
        "increment.rounding": DEFAULT,
        "jump.steps": f"{DEFAULT}; that the amounts are multiples of one step above the minimum is in 86 FR 12146 "
        "(Auction 108), paragraph 86",
        "jump.step_share": DEFAULT,
        "jump.cap_increments": f"{DEFAULT}: no cap beside the click box",
        "activity.stages": DEFAULT,
        "activity.waivers": "86 FR 12146 (Auction 108), just before paragraph 76, and 86 FR 68204 (Auction 112), "
        "paragraph 34: three activity rule waivers",
        "activity.quiet_share": DEFAULT,
        "activity.quiet_rounds": DEFAULT,
        "withdrawals.rounds": DEFAULT,
        "withdrawals.interim_share": DEFAULT,
        "closing.max_rounds": "86 FR 12146 (Auction 108), paragraph 69: the simultaneous stopping rule alone ends it",
        "timing.round_s": DEFAULT,
        "deposit_per_unit": f"{DEFAULT}: eligibility is given by the host",
        "default_share": DEFAULT,
    }
)
