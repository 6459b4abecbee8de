"""A configuration as JSON, and everything that can be wrong with one, said at once."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from engine.auction.event_data import clean, short
from engine.auction.rules import MAX_AMOUNT, Configuration, Lot, Rules
from engine.errors import AuctionRuleError, Problem

MOST_LOTS, MOST_BLOCKS = 5000, 20_000
MOST_BLOCKS_OF_A_LOT = 1000
MOST_UNITS = 10**9  # of one block: sums over all blocks stay exact
ROUND_SECONDS = (5.0, 86_400.0)
LARGEST_SHARE = 2.0  # of an increment: with it, amount times share in millionths is below 2**63
_TEXTS = (  # name, fewest and most characters
    ("title", 1, 120),
    ("currency", 1, 12),
    ("origin", 0, 1000),
    ("product_set_digest", 0, 64),
    ("network_digest", 0, 64),
)

Json = dict[str, Any]


def rules_to_json(rules: Rules) -> Json:
    """Return the rules as JSON values."""
    return asdict(rules) | {"activity": asdict(rules.activity) | {"stages": list(rules.activity.stages)}}


def rules_from_json(content: object) -> Rules:
    """Return rules from JSON values; what is not given has its default. AuctionRuleError names all that is wrong."""
    problems: list[Problem] = []
    rules: Rules | None = _read(Rules, content, "rules", problems)
    if problems or rules is None:
        raise AuctionRuleError(problems)
    found = check_rules(rules)
    if found:
        raise AuctionRuleError(found)
    return rules


def configuration_to_json(configuration: Configuration) -> Json:
    """Return a configuration as JSON values."""
    content = {field.name: getattr(configuration, field.name) for field in fields(configuration)}
    return content | {
        "lots": [asdict(lot) for lot in configuration.lots],
        "rules": rules_to_json(configuration.rules),
    }


def configuration_from_json(content: object) -> Configuration:
    """Return a configuration from JSON values. AuctionRuleError names all that is wrong with it."""
    problems: list[Problem] = []
    configuration: Configuration | None = _read(Configuration, content, "configuration", problems)
    if problems or configuration is None:
        raise AuctionRuleError(problems)
    found = [problem for problem in check_configuration(configuration) if problem.severity == "error"]
    if found:
        raise AuctionRuleError(found)
    return configuration


def _error(code: str, message: str, table: str = "", row: int | None = None, column: str = "") -> Problem:
    return Problem(code, "error", message, table, row, column)


def _read(kind: Any, value: object, path: str, problems: list[Problem]) -> Any:
    """Return ``value`` as ``kind``, a dataclass or one of its fields' types, or note what is wrong and return None."""
    if is_dataclass(kind):
        return _read_record(kind, value, path, problems)
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        inner = get_args(kind)[0]
        return tuple(_read(inner, item, f"{path} {place}", problems) for place, item in enumerate(value, 1))
    if get_origin(kind) is Literal and isinstance(value, str) and value in get_args(kind):
        return value
    if kind is float and isinstance(value, int | float) and type(value) is not bool and abs(value) < 1e300:
        return float(value)
    if kind is not float and type(value) is kind:
        return value
    problems.append(_error("type", f"{path} is {_kind_in_words(kind)}, not {short(value)}", column=path))
    return None


def _kind_in_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(kind))
    names = {int: "a whole number", float: "a finite number", str: "a text", bool: "true or false"}
    return names.get(kind, "a list")


def _read_record(kind: Any, value: object, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(_error("type", f"{path} is an object with named fields, not {short(value)}", column=path))
        return None
    hints = get_type_hints(kind)
    before = len(problems)
    problems.extend(
        _error("unknown-field", f"{path} has no field {short(name)}", column=path)
        for name in value
        if name not in hints
    )
    given = {
        name: _read(hint, value[name], f"{path} {name}", problems) for name, hint in hints.items() if name in value
    }
    needed = [field.name for field in fields(kind) if not _has_default(field) and field.name not in value]
    problems.extend(_error("missing", f"{path} needs the field {name!r}", column=path) for name in needed)
    return None if len(problems) > before else kind(**given)


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _share(value: float, name: str, words: str, most: float = 1.0, above: bool = False) -> list[Problem]:
    if (value > 0 if above else value >= 0) and value <= most:
        return []
    return [
        _error("range", f"{words} is {value}; it is {'above' if above else 'from'} 0 and at most {most:g}", column=name)
    ]


def _whole(value: int, name: str, words: str, least: int, most: int) -> list[Problem]:
    if least <= value <= most:
        return []
    return [_error("range", f"{words} is {value}; it is from {least} to {most}", column=name)]


def check_rules(rules: Rules) -> list[Problem]:
    """Return every number of the rules that is outside its range, or contradicts another."""
    increment, jump, activity = rules.increment, rules.jump, rules.activity
    found = [
        *_whole(increment.amount, "increment.amount", "the increment", 1, MAX_AMOUNT),
        *_whole(increment.rounding, "increment.rounding", "the rounding of bids", 1, 10**6),
        *_share(increment.weight, "increment.weight", "the weight C of the last round's bids"),
        *_share(increment.floor, "increment.floor", "the least increment N", LARGEST_SHARE, above=True),
        *_share(increment.ceiling, "increment.ceiling", "the largest increment M", LARGEST_SHARE, above=True),
        *_whole(jump.steps, "jump.steps", "the number of amounts in the click box", 1, 100),
        *_share(jump.step_share, "jump.step_share", "the step of the click box", 10.0, above=True),
        *_whole(jump.cap_increments, "jump.cap_increments", "the cap of jump bids in increments", 0, 10**6),
        *_whole(activity.waivers, "activity.waivers", "the number of waivers", 0, 100),
        *_share(activity.quiet_share, "activity.quiet_share", "the share of units of a quiet round"),
        *_whole(activity.quiet_rounds, "activity.quiet_rounds", "the number of quiet rounds", 0, 1000),
        *_whole(rules.withdrawals.rounds, "withdrawals.rounds", "the number of rounds with withdrawals", 0, 1000),
        *_share(rules.withdrawals.interim_share, "withdrawals.interim_share", "the interim withdrawal payment"),
        *_whole(rules.closing.max_rounds, "closing.max_rounds", "the last round", 0, 10**5),
        *_whole(rules.deposit_per_unit, "deposit_per_unit", "the deposit for a unit", 0, 10**6),
        *_share(rules.default_share, "default_share", "the additional default payment"),
    ]
    if increment.floor > increment.ceiling:
        found.append(
            _error("increment", f"the least increment {increment.floor} is above the largest {increment.ceiling}")
        )
    if not activity.stages or len(activity.stages) > 10:
        found.append(_error("stages", f"there are {len(activity.stages)} stages; from 1 to 10 are possible"))
    for number, share in enumerate(activity.stages, 1):
        found.extend(_share(share, "activity.stages", f"the activity required in stage {number}", above=True))
    if list(activity.stages) != sorted(activity.stages):
        found.append(_error("stages", "the activity required never falls from one stage to the next"))
    least, most = ROUND_SECONDS
    if not least <= rules.timing.round_s <= most:
        words = f"a round takes {rules.timing.round_s:g} s; it takes from {least:g} to {most:g} s"
        found.append(_error("range", words, column="timing.round_s"))
    if rules.preset not in ("Paper", "Classroom", "FCC", "Own"):
        found.append(_error("preset", f"there is no preset {short(rules.preset)}"))
    return found


def check_configuration(configuration: Configuration) -> list[Problem]:
    """Return everything that is wrong with a configuration, all at once; warnings change what an auction means."""
    found = check_rules(configuration.rules)
    for name, least, most in _TEXTS:
        text = getattr(configuration, name)
        if not least <= len(text) <= most or not clean(text, lines=name == "origin"):
            words = f"the {name.replace('_', ' ')} has from {least} to {most} characters that can be shown"
            found.append(_error(name, words, column=name))
    if not 0 <= configuration.seed < 2**53:
        found.append(_error("seed", "the seed is from 0 to 2**53 - 1", column="seed"))
    lots = configuration.lots
    if not 1 <= len(lots) <= MOST_LOTS:
        found.append(_error("lots", f"there are {len(lots)} products; from 1 to {MOST_LOTS} are possible", "lots"))
    blocks = sum(lot.quantity for lot in lots)
    if blocks > MOST_BLOCKS:
        found.append(_error("blocks", f"the products have {blocks} blocks; at most {MOST_BLOCKS} are possible", "lots"))
    seen: dict[str, int] = {}
    for row, lot in enumerate(lots):
        if lot.id in seen:
            words = f"product {row + 1} has the id {short(lot.id)} of product {seen[lot.id] + 1}"
            found.append(_error("duplicate-lot", words, "lots", row, "id"))
        seen.setdefault(lot.id, row)
        found.extend(_check_lot(lot, row))
    return found + _warnings(configuration)


def _check_lot(lot: Lot, row: int) -> list[Problem]:
    named = f"product {lot.name or lot.id or row + 1}"
    found = []
    for column, text, least, most in (("id", lot.id, 1, 64), ("name", lot.name, 1, 120), ("bus", lot.bus, 0, 120)):
        if not least <= len(text) <= most or not clean(text):
            words = f"{named}: {column} has from {least} to {most} characters that can be shown"
            found.append(_error(column, words, "lots", row, column))
    if not 0 < lot.capacity_mw <= 1e6:
        words = f"{named}: the capacity {lot.capacity_mw:g} MW is not above 0 and at most 1000000 MW"
        found.append(_error("capacity", words, "lots", row, "capacity_mw"))
    if not 0 <= lot.risk < 1:
        words = f"{named}: the risk {lot.risk:g} is not from 0 (firm) to below 1"
        found.append(_error("risk", words, "lots", row, "risk"))
    for column, number, least, most in (
        ("units", lot.units, 1, MOST_UNITS),
        ("opening", lot.opening, 0, MAX_AMOUNT),
        ("reserve", lot.reserve, 0, MAX_AMOUNT),
        ("quantity", lot.quantity, 1, MOST_BLOCKS_OF_A_LOT),
    ):
        if not least <= number <= most:
            found.append(
                _error("range", f"{named}: {column} is {number}; it is from {least} to {most}", "lots", row, column)
            )
    return found


def _warnings(configuration: Configuration) -> list[Problem]:
    """Return what is legal but may not be meant."""
    rules = configuration.rules
    found = []
    if rules.withdrawals.rounds and rules.increment.kind == "fixed" and rules.ties == "alternating":
        words = "withdrawals are not part of the paper's auction: its guarantees end with the first one"
        found.append(Problem("premise", "warning", words))
    if not rules.activity.enforced and rules.activity.waivers:
        words = f"{rules.activity.waivers} waivers mean nothing without an activity requirement"
        found.append(Problem("waivers", "warning", words))
    return found
