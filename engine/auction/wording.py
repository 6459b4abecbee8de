"""The rules of an auction in plain words: what a bidder must know, one sentence each."""

from engine.auction.rules import Configuration, Increment, Jump, Rules

_PACES = {
    "clock": "when its time is over",
    "all acted": "as soon as everybody has acted, or when its time is over",
    "by hand": "when the host closes it",
}
_THIN = "\u2009"


def sentence(configuration: Configuration, bidders: int) -> str:
    """Return the auction as one sentence, the title of its exports."""
    rules, lots = configuration.rules, configuration.lots
    blocks = sum(lot.quantity for lot in lots)
    sold = _count(len(lots), "product") if blocks == len(lots) else f"{_count(blocks, 'block')} of {len(lots)} products"
    total = sum(lot.capacity_mw * lot.quantity for lot in lots)
    rounds = (
        "rounds closed by hand" if rules.timing.pace == "by hand" else f"rounds of {_seconds(rules.timing.round_s)}"
    )
    step = increment_words(rules.increment, configuration.currency)
    return (
        f"Sell {sold} ({_number(total)} MW) to {_count(bidders, 'bidder')} by {preset_words(rules.preset)} rules, "
        f"{rounds}, {step}, {rules.information} information"
    )


def preset_words(preset: str) -> str:
    """Return the name of a preset as it stands before "rules"."""
    return {"Own": "its own"}.get(preset, preset)


def rules_words(configuration: Configuration) -> tuple[str, ...]:
    """Return the rules as sentences, the most important first; a rule that is off is told once or not at all."""
    rules, currency = configuration.rules, configuration.currency
    said = [
        "Bids on all products are taken in rounds; after each round the highest bid on a product stands.",
        f"A round ends {_PACES[rules.timing.pace]}"
        + ("." if rules.timing.pace == "by hand" else f"; it lasts {_seconds(rules.timing.round_s)}."),
        _opening(configuration),
        f"A new bid is at least the minimum: {_minimum(rules.increment, currency)}.",
        _jump(rules.jump),
        _ties(rules),
        _blocks(configuration),
        *_activity(rules),
        _withdrawals(rules),
        _closing(rules),
        "Winners pay their standing bids.",
        _reserve(configuration),
        "Everybody sees all bids, holders and eligibilities after each round."
        if rules.information == "full"
        else "After a round only prices and numbers of bids are shown; who bid and who holds is told after the end.",
        _deposit(rules, currency),
        "A winner who does not pay owes what the sale loses by it"
        + (f", and {_percent(rules.default_share)} of the lesser bid besides." if rules.default_share else "."),
        "A bidder with assigned values is shown what to demand at these prices." if rules.demand_hint else "",
        "After the end everybody may see all assigned values and what they prove of the result."
        if rules.disclose_values
        else "Assigned values stay private after the end: bidders see their own, the host all.",
    ]
    return tuple(line for line in said if line)


def increment_words(increment: Increment, currency: str) -> str:
    """Return the increment in few words: ``increment 5 k$`` or ``increment 10 to 20 %``, with a dash."""
    if increment.kind == "fixed":
        return f"increment {money(increment.amount, currency)}"
    return f"increment {_number(100 * increment.floor)}\u2013{_percent(increment.ceiling)} by activity"


def money(amount: float, currency: str) -> str:
    """Return an amount in the auction's currency unit: ``1 250 k$``."""
    return f"{_number(amount)} {currency}".rstrip()


def _opening(configuration: Configuration) -> str:
    step = configuration.rules.increment
    least = sorted({lot.opening for lot in configuration.lots})
    if not least or least == [0]:
        first = money(step.amount, configuration.currency) if step.kind == "fixed" else "1 currency unit"
        return f"The first bid on a product is at least one increment, {first}." if step.kind == "fixed" else ""
    if len(least) == 1:
        return f"The first bid on a product is at least {money(least[0], configuration.currency)}."
    span = f"{_number(least[0])} to {money(least[-1], configuration.currency)}"
    return f"Each product has its own lowest first bid, from {span}."


def _minimum(step: Increment, currency: str) -> str:
    if step.kind == "fixed":
        return f"{money(step.amount, currency)} above the standing bid"
    rounded = f", rounded up to {money(step.rounding, currency)}" if step.rounding > 1 else ""
    return (
        f"{_percent(step.floor)} above the standing bid while nobody bids on the product, more with each bid that it "
        f"gets, up to {_percent(step.ceiling)}{rounded}"
    )


def _jump(jump: Jump) -> str:
    if jump.kind == "none":
        return "A bid is exactly the minimum: there are no jump bids."
    cap = f", at most {_count(jump.cap_increments, 'increment')} above the minimum" if jump.cap_increments else ""
    if jump.kind == "any":
        return f"A bid may be any whole amount from the minimum on{cap}."
    return (
        f"A bid is one of {jump.steps} amounts: the minimum and steps of {_percent(jump.step_share)} of it above{cap}."
    )


def _ties(rules: Rules) -> str:
    if rules.ties == "alternating":
        return "Between equal best bids the bidders take turns, from the first on."
    return "Between equal best bids a random number decides; the numbers are recorded."


def _blocks(configuration: Configuration) -> str:
    if all(lot.quantity == 1 for lot in configuration.lots):
        return ""
    return (
        "Where a product is several equal blocks, a bid names how many more; the best bids stand, and the price rises "
        "only while more blocks are asked for than there are."
    )


def _activity(rules: Rules) -> list[str]:
    activity = rules.activity
    if not activity.enforced:
        return ["There is no activity rule: a bidder may sit out rounds and come back."]
    shares = activity.stages
    listed = ", ".join(f"{_percent(share)} in stage {place + 1}" for place, share in enumerate(shares))
    need = f"{_percent(shares[0])} of it" if len(shares) == 1 else f"a share of it: {listed}"
    said = [
        f"A bidder's eligibility is the most units to hold and bid on. In each round the bidder must be active on "
        f"{need}, by standing and new bids."
    ]
    fallen = "to what the bidder was active on, over that share"
    short = f"else eligibility falls {fallen}"
    if activity.waivers:
        itself = "by itself" if activity.waivers == 1 else "by themselves"
        how = (
            f"used {itself} when the activity is short"
            if activity.automatic_waivers
            else "used only when the bidder says so"
        )
        keep = "keeps" if activity.waivers == 1 else "keep"
        said.append(
            f"Every bidder has {_count(activity.waivers, 'waiver')} that {keep} it for a round, {how}; {short}."
        )
    else:
        said.append(f"There are no waivers: the eligibility of who is short falls {fallen}.")
    if len(shares) > 1 and activity.quiet_rounds:
        said.append(
            f"The stage rises after {_count(activity.quiet_rounds, 'round')} in which new bids covered less than "
            f"{_percent(activity.quiet_share)} of all units, or when the host says so."
        )
    elif len(shares) > 1:
        said.append("The stage rises when the host says so.")
    return said


def _withdrawals(rules: Rules) -> str:
    withdrawals = rules.withdrawals
    if not withdrawals.rounds:
        return "Bids cannot be withdrawn."
    interim = (
        f"; until it sells again {_percent(withdrawals.interim_share)} of the bid is due"
        if withdrawals.interim_share
        else ""
    )
    return (
        f"Standing bids may be withdrawn in {_count(withdrawals.rounds, 'round')}; whoever withdraws pays what the "
        f"product then sells for less{interim}. Of equal blocks, the next bid in the withdrawn one's place counts."
    )


def _closing(rules: Rules) -> str:
    quiet = "The auction ends for all products together, after a round without a new bid"
    more = ["a withdrawal"] if rules.withdrawals.rounds else []
    more += ["a waiver that somebody chose"] if _chosen_waivers(rules) else []
    extra = (
        ", a withdrawal or a waiver that somebody chose" if len(more) == 2 else "".join(f" or {one}" for one in more)
    )
    limit = f", at the latest after {_count(rules.closing.max_rounds, 'round')}" if rules.closing.max_rounds else ""
    return f"{quiet}{extra}{limit}."


def _chosen_waivers(rules: Rules) -> bool:
    return rules.activity.enforced and rules.activity.waivers > 0


def _reserve(configuration: Configuration) -> str:
    held = [lot for lot in configuration.lots if lot.reserve > lot.opening]
    if not held:
        return ""
    of = "every product" if len(held) == len(configuration.lots) else _count(len(held), "product")
    return f"There is a reserve price on {of}: below it nothing is sold."


def _deposit(rules: Rules, currency: str) -> str:
    if not rules.deposit_per_unit:
        return ""
    return f"A unit of eligibility costs a deposit of {money(rules.deposit_per_unit, currency)} beforehand."


def _count(amount: int, one: str) -> str:
    return f"{_number(amount)} {one if amount == 1 else f'{one}s'}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _seconds(seconds: float) -> str:
    if seconds < 120 or seconds % 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min"


def _number(value: float) -> str:
    text = f"{value:,.1f}".removesuffix(".0")
    return text.replace(",", _THIN)
