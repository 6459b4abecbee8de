"""The words of the auction's pages and what they mean, in plain and exact terms: (key, title, meaning)."""

ENTRIES: tuple[tuple[str, str, str], ...] = (
    (
        "saa",
        "Simultaneous ascending auction",
        "All products are sold at once, in rounds. The highest bid on each stands until it is beaten, and all products "
        "close together when nobody bids anything new, so that a bidder may change from one to another until the end.",
    ),
    ("lot", "Product on sale", "What is sold: MW at a bus, firm or flexible, alone or as several equal blocks."),
    ("standing", "Standing bid", "The best bid on a product so far. Whoever made it holds the product for now."),
    (
        "minimum-bid",
        "Minimum bid",
        "The least that a new bid must be: the opening bid while nobody holds the product, else an increment above the "
        "standing bid.",
    ),
    (
        "bid-increment",
        "Bid increment",
        "How far a new bid must be above the standing one: a fixed amount, or a share that is larger where many bid.",
    ),
    ("opening-bid", "Opening bid", "The least first bid on a product."),
    ("reserve", "Reserve price", "A product whose final price is below it is not sold. Bidders do not see it."),
    (
        "eligibility",
        "Eligibility and units",
        "Each product has units, its size as a rule. A bidder's eligibility is the most units to hold and bid "
        "on in a round. It can only fall.",
    ),
    (
        "activity",
        "Activity rule",
        "In each round a bidder must be active on a share of the eligibility, by what is held and newly bid "
        "on, else the eligibility falls. It keeps bidders from waiting until the end.",
    ),
    ("stage", "Stage", "A part of the auction with its own required share of activity; later stages require more."),
    ("waiver", "Waiver", "Keeps a bidder's eligibility in a round with too little activity."),
    (
        "withdrawing",
        "Withdrawal of a bid",
        "Giving a standing bid back. Whoever does it owes what the product then sells for less.",
    ),
    (
        "click-box",
        "Click box",
        "A few amounts to choose from, the minimum and steps above it: nobody can write messages into the last digits "
        "of a bid.",
    ),
    (
        "tied-bids",
        "Tie",
        "Equal best bids on one product. It is decided by turns, as in the paper, or by a random number that is kept "
        "in the ledger.",
    ),
    (
        "values",
        "Assigned values",
        "What products are worth to a seat, given by the host and seen by that seat only. They make bots bid, hints "
        "possible and the certificate exact.",
    ),
    (
        "straightforward",
        "Straightforward bidding",
        "Bidding in each round for the products that one would like best at the prices of that round.",
    ),
    (
        "auction-welfare",
        "Welfare",
        "What the products are worth to those who hold them, summed over bidders; the best possible is the most that "
        "any distribution of them reaches.",
    ),
    (
        "certificate",
        "Certificate",
        "What the bidders' values prove of the prices after a round: the gap to an equilibrium, who would rather have "
        "something else, and which event broke a premise of the theory. Only the host sees it before the end.",
    ),
    (
        "deliverability",
        "Deliverability",
        "Whether all that is held can be delivered at once: checked against the network and the states that the "
        "products were computed from.",
    ),
    ("practice", "Practice round", "A round like any other that counts for nothing."),
    (
        "annul",
        "Annul a round",
        "The last round is taken back and begins again, after an error for example. Both stay in the ledger.",
    ),
    (
        "ledger",
        "Ledger",
        "Every event of an auction in order, each chained to the one before by a hash, so that anybody can replay it "
        "and see that nothing was changed.",
    ),
    (
        "debrief",
        "Debrief",
        "What an auction was worth, told after its end: prices and holders round by round, who got what, efficiency "
        "against the best possible, the certificate with its tables, and what another rule would have done.",
    ),
    (
        "auction-efficiency",
        "Efficiency",
        "The welfare that was reached as a share of the best possible. What is missing was lost because some products "
        "are not with those who value them most.",
    ),
    (
        "exposure",
        "Exposure loss",
        "What a bidder pays beyond the worth of what was won: with products that are needed together a bidder can be "
        "left with a part.",
    ),
    (
        "vcg",
        "VCG payments",
        "What each bidder would pay under the mechanism of Vickrey, Clarke and Groves: what the bidder's presence "
        "costs the others. Truthful bids are best there, so it is a measure of what strategy has changed.",
    ),
    (
        "campus",
        "Campus",
        "Values of somebody who needs at least so many MW at one bus, and flexible MW only with firm.",
    ),
)
WORDS: tuple[str, ...] = tuple(key for key, _, _ in ENTRIES)
