"""The words of the Hubs page and what they mean, in plain and exact terms: (key, title, meaning)."""

ENTRIES: tuple[tuple[str, str, str], ...] = (
    (
        "hub",
        "Energy hub",
        "A site behind one meter that can shift what it draws: a data centre with batch work, works with hydrogen, a "
        "quarter with sun. It answers prices at least cost to itself.",
    ),
    (
        "hub-price",
        "Operator's price",
        "What the operator of the network adds to the tariff of a hub in an hour, on imports; it passes from hub to "
        "operator, and below 0 the other way. Where the question says so, exports are paid as much more.",
    ),
    (
        "hub-overload",
        "Beyond limits",
        "Energy that lines or the substation carry above their limits. The operator makes it least, weighed against "
        "how high, how changing and how unequal its prices are.",
    ),
    (
        "model-none",
        "A: no prices",
        "Each hub by itself, at the tariff alone: what the network meets if nothing is done.",
    ),
    (
        "model-central",
        "B: all as one",
        "Hubs and network run as one, first with the least overloads, then at the least cost. No market reaches less: "
        "it is a bound.",
    ),
    (
        "model-exact",
        "C: exact prices",
        "The best prices for hubs of constant costs, by an integer program that holds the hubs' conditions of "
        "optimality; where hubs have several answers as good, it lets them take the best for the network.",
    ),
    (
        "model-quick",
        "D: quick prices",
        "Prices for hubs whose costs rise, found step by step: such hubs have one answer only, and it moves steadily "
        "with the price. How far they are from the best is told by the bound.",
    ),
    (
        "decentralisation",
        "Price of decentralisation",
        "What overloads weigh with prices less what they weigh when all is run as one.",
    ),
    (
        "hub-fairness",
        "Fairness",
        "A weight on how far the prices of two hubs in the same hour lie apart.",
    ),
    (
        "real-time-prices",
        "Prices in real time",
        "Prices that are found again each hour from what is measured and from forecasts of the hours ahead; the first "
        "of them counts.",
    ),
    (
        "hub-limit",
        "Limits",
        "What a line may carry either way, and what the substation may import and export. Select one to make it larger "
        "or smaller by a factor; the answer is then computed again.",
    ),
    (
        "hub-chain",
        "Bounds of prices",
        "B, all as one, is below the best quick prices there are; these are below those found; and those are below no "
        "prices. Of a small case the best are found by a proof.",
    ),
)
WORDS: tuple[str, ...] = tuple(key for key, _, _ in ENTRIES)
