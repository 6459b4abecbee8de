"""The words of the Resilience page and what they mean, in plain and exact terms: (key, title, meaning)."""

ENTRIES: tuple[tuple[str, str, str], ...] = (
    (
        "module",
        "Flexible capacity module",
        "A unit that is placed whole at a bus: a battery (BESS), fast generation (GEN), demand response (DR) or "
        "long-duration storage (LDES). There are so many of each type, and so many fit at a bus. "
        "Types can be changed, renamed, left out or added: press modules in the question.",
    ),
    (
        "shock",
        "Shock",
        "An event of a day: campuses draw more or less than their schedule for a while, and a line may fail with it. "
        "Shocks are drawn by a model with a seed, or are those of a file.",
    ),
    (
        "recourse",
        "What modules do in a shock",
        "The dispatch that costs least once the shock is known: load not served, an import off its schedule, voltages "
        "outside their limits, use, wear and restoration have a price each.",
    ),
    (
        "doubt",
        "In doubt",
        "The probabilities of the shocks are not trusted: the plan is made for the worst ones within a radius of those "
        "given. By total variation the radius is the share of probability that may move; 0 trusts them.",
    ),
    (
        "tail-weight",
        "Weight of the tail",
        "How much the mean of the worst events (CVaR) counts beside the mean of all: 0 is the mean alone, 1 the tail "
        "alone. The level says where the tail begins: 95 % leaves the worst 5 %.",
    ),
    (
        "shifted",
        "Fresh and shifted shocks",
        "Shocks that no plan was made for. Fresh ones are of the same model; shifted ones are larger, of a heavier "
        "tail and otherwise correlated.",
    ),
    (
        "fewer-shocks",
        "Fewer shocks for many",
        "Some of the shocks stand for all, with the probabilities of those nearest to them. The transport distance "
        "says how far, in MWh of draw, probability has to move from all to those: 0 is nothing lost.",
    ),
    (
        "foresight",
        "Without foresight",
        "A dispatch decided step by step, knowing the shock only up to now. Plans are made and told with foresight; "
        "the difference says how optimistic that is.",
    ),
    (
        "vss",
        "Value of planning for all shocks",
        "What the plan for the mean shock costs more, in the mean of all shocks, than the plan made for all of them "
        "(VSS).",
    ),
    (
        "search-gap",
        "Gap of the search",
        "How far the cost of the plan is above the bound that no plan can beat. A search whose time ran out tells its "
        "gap.",
    ),
)
WORDS: tuple[str, ...] = tuple(key for key, _, _ in ENTRIES)
