"""The words of the Feeder page and what they mean, in plain and exact terms: (key, title, meaning)."""

ENTRIES: tuple[tuple[str, str, str], ...] = (
    (
        "feeder",
        "Feeder",
        "A radial network of medium voltage behind one substation, its three phases loaded unequally. Four wires are "
        "described between a phase and the earth, three wires between two phases.",
    ),
    (
        "dlmp",
        "DLMP",
        "What one more MWh at a bus and phase costs the operator in an hour: energy, losses, response of loads to "
        "voltage, voltage limits and congestion, which add up to the price. Reactive power has its own, per Mvarh.",
    ),
    (
        "linear-flow",
        "Linear flow (LinDist3Flow)",
        "Power flow of three phases whose voltages are linear in the powers, with losses corrected at an operating "
        "point. Schedules and prices are made with it.",
    ),
    (
        "ac-check",
        "AC check",
        "Every hour is solved again by OpenDSS, with nothing linear: voltages, lines, transformers, and unbalance "
        "where it has a limit. A limit found exceeded is tightened by the error and the day solved again, at most "
        "three rounds.",
    ),
    ("linear-error", "Linear less AC", "The voltage of the linear flow less the one that AC finds."),
    (
        "vuf",
        "VUF",
        "Voltage unbalance factor: negative over positive sequence of the AC voltages at a bus with three phases, in "
        "per cent.",
    ),
    (
        "pvur",
        "PVUR",
        "Phase voltage unbalance rate: the magnitude farthest from the mean of a bus's three, over that mean, in per "
        "cent. It needs no angles, so the linear flow has it; between phases it is called LVUR.",
    ),
    (
        "feeder-svg",
        "SVG",
        "Static var generator: gives or takes reactive power on each phase as the operator needs it, and so moves "
        "voltages.",
    ),
    (
        "feeder-centre",
        "Data centre",
        "Draws power as it works, at a fixed power factor, and pays its bus's prices for active and reactive power.",
    ),
    (
        "even-work",
        "Even work",
        "Work of every hour is divided evenly between the centres, and batch work over the hours it may take: nobody "
        "looks at prices.",
    ),
    ("price-takers", "Price takers", "Draws and prices that fit each other, when no centre thinks that it moves them."),
    (
        "aggregator",
        "Aggregator",
        "One owner of all centres who knows how his draws move the prices he pays. Exact: proven by mixed-integer "
        "programming; region walk: a good schedule fast, with the gap to a bound; best response: each answers the last "
        "prices, and may go round in a circle.",
    ),
    (
        "pue",
        "PUE",
        "Power usage effectiveness: what a data centre draws over what its computers draw; the rest is cooling and "
        "losses.",
    ),
    (
        "critical-region",
        "Critical region",
        "A set of draws of the data centres in an hour for which the same limits bind: within it prices are linear in "
        "the draws. All regions of an hour together are its exact map from draws to prices.",
    ),
    (
        "payment-identity",
        "Payment identity",
        "By strong duality what the data centres pay is linear in the operator's own prices and flows, but for squares "
        "of its costs: so the best draws are found exactly, with a yes or no for each limit that may bind.",
    ),
    (
        "binary-expansion",
        "Binary expansion",
        "The paper's route, as we rebuild it: each draw is written in binary digits, and each digit times a price is "
        "replaced by linear limits. Its error falls with the number of bits.",
    ),
    (
        "operator-surplus",
        "Operator's surplus",
        "What all withdrawals pay at the prices of their nodes, less what the substation and generators are paid: "
        "earned by losses and by limits that bind.",
    ),
    (
        "feeder-flag",
        "Flag",
        "A limit that the linear flow keeps and AC exceeds. It is tightened by the error and the day is solved again; "
        "what is left after the last round stays flagged.",
    ),
    (
        "load-models",
        "Loads by other models",
        "A load may keep its power, its current or its impedance when the voltage moves. Checks solve the same set "
        "points in AC once more with other models.",
    ),
    (
        "feeder-battery",
        "Battery",
        "Stands beside a data centre and is run by the aggregator with its work: it moves what is drawn from the "
        "network, not the work. Beside even work it runs at least cost at the substation's prices.",
    ),
    (
        "feeder-dual",
        "Dual",
        "What an hour's cost falls by when a limit gives way by one unit. A limit without one does not bind.",
    ),
    (
        "price-range",
        "Range of a price",
        "Where limits depend on one another, one optimum has several prices: the least and the largest of them.",
    ),
    (
        "voltage-deviation",
        "Voltage deviation",
        "What voltages in AC are off 1 p.u. by more than 0.05, added over buses, phases and hours.",
    ),
    ("regulator-taps", "Regulators", "Their ratios stay; where asked for, AC is solved once more with taps that move."),
    (
        "feeder-scenarios",
        "Scenarios",
        "Work and sun drawn at random around the day: the chance that AC leaves a limit, with its interval.",
    ),
    (
        "feeder-edit",
        "Edit",
        "A change of the feeder that belongs to the question: a centre added or moved, its power factor, a battery, an "
        "SVG added or removed, loads scaled. Each can be taken back; the answer without edits stands beside.",
    ),
    ("feeder-keys", "Hours by keys", "Comma and full stop: an hour back and forth. p: play or pause."),
)  # fmt: skip
WORDS: tuple[str, ...] = tuple(key for key, _, _ in ENTRIES)
