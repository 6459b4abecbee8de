"""The words of the Siting page and what they mean, in plain and exact terms: (key, title, meaning)."""

ENTRIES: tuple[tuple[str, str, str], ...] = (
    ("siting-candidate", "Candidate bus", "A bus that is screened: by its voltage, or because it is listed."),
    (
        "operating-envelope",
        "Operating envelope",
        "What a site may draw in each of the 24 hours of a day, as a share of its nameplate: firm the same in all, "
        "pause less in the peak, shift less in the peak and more in the other hours.",
    ),
    ("nameplate", "Nameplate", "The size of a site in MW. It draws the envelope's share of it, 80 % unless changed."),
    ("peak-window", "Peak hours", "The hours in which pause and shift draw less: 16 to 19 unless changed."),
    ("depth", "Depth and make-up", "How much less is drawn in the peak, and how much more in the other hours."),
    ("ramp-bound", "Ramp bound", "How far the load may change from one hour to the next, midnight too."),
    (
        "gate",
        "Gate",
        "The first stage: for every candidate, hour and outage, whether some dispatch keeps every limit with the load "
        "of the site added. Exact for linear flows: every verdict has a dispatch or a proof behind it.",
    ),
    (
        "pass-rate",
        "Pass rate",
        "The share of hours and outages that pass. Where a run has not decided all, it is told as a bracket.",
    ),
    ("threshold", "Threshold", "The pass rate that qualifies a site. At 100 % every outage of every hour must pass."),
    (
        "stress-hours",
        "Hours under stress",
        "The hours of highest net load, of most wind, sun and water, and of least load, each with its reason.",
    ),
    (
        "representative",
        "Representative hours",
        "Hours that stand for all others of the year, each with the number of hours that it stands for.",
    ),
    (
        "scuc",
        "Unit commitment (SCUC)",
        "Which units run in which hours of a day at the least cost, with their starts, ramps and reserves.",
    ),
    ("sced", "Dispatch (SCED)", "The outputs of the units that run, hour by hour, and the prices that come with them."),
    ("market-gap", "Gap", "How far the cost of a schedule can be from the least possible: a proven bound."),
    (
        "room",
        "Room",
        "A schedule of the least cost can have an hour in which the next MW has no offer; its price is chance. Where "
        "the gap allows it, one more unit runs then.",
    ),
    (
        "noise-floor",
        "Noise floor",
        "How far prices differ between schedules that are equally good, and between prices of one schedule where duals "
        "are degenerate: without a site, or, where that is more, the median of what sites moved by that were solved "
        "again. A smaller difference between sites says nothing; a larger one is not proved by it.",
    ),
    (
        "dispersion",
        "P95-P5",
        "How far prices are apart: the 95th less the 5th percentile over all buses, hour by hour.",
    ),
    ("binding-hours", "Binding hours", "Hours in which a limit on flows has a price."),
    ("rent", "Congestion rent", "What the limits on flows are worth: their prices times the flows, per day."),
    (
        "topsis",
        "Score (TOPSIS)",
        "How near a site is to the best and how far from the worst values found, from 0 to 1. It depends on which "
        "sites are ranked together: compare places.",
    ),
    (
        "entropy-weights",
        "Weights",
        "Inside a group, criteria that tell sites apart count more (entropy); between groups the weights are yours.",
    ),
    ("shortlist", "Shortlist", "The first places of the ranking: as many as the slider says."),
    (
        "time-to-power",
        "Time to power",
        "Years until a site draws its first power, by the usual way and by the planner's. Assumptions, not results.",
    ),
)
WORDS: tuple[str, ...] = tuple(key for key, _, _ in ENTRIES)
