"""Numbers and times as a reader sees them: the rules of the product's signs, as plain functions.

Thousands are parted by a thin space, a negative number has a true minus sign, and no more digits are
written than are meant. ``nan`` is an en dash ("not known"), ``inf`` is "unlimited".
"""

import math
from datetime import UTC, datetime

THIN = "\u2009"
MINUS = "\u2212"
DASH = "\u2013"
MISSING = DASH
LEAST_MW = 0.05  # less is written as 0


def number(value: float | None, digits: int = 0) -> str:
    """Return ``value`` with ``digits`` decimals and thin spaces between thousands."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "unlimited" if value > 0 else f"{MINUS}unlimited"
    if value == 0:
        return "0"
    text = f"{abs(value):,.{digits}f}".replace(",", THIN)
    return text if value >= 0 or not text.strip(f"0.{THIN}") else MINUS + text


def signed(value: float, digits: int) -> str:
    """Return a difference with its sign."""
    text = number(value, digits)
    plain = text.startswith(MINUS) or not text.strip(f"0.{THIN}") or math.isnan(value)
    return text if plain else f"+{text}"


def sentence(text: str) -> str:
    """Return a text with its first letter as a capital and the others as they are."""
    return f"{text[:1].upper()}{text[1:]}"


def meant_digits(value: float | None) -> int:
    """Return how many decimals a number of MW, MVA or MWh carries on screen: one below 100, else none."""
    return 1 if value is not None and math.isfinite(value) and abs(value) < 99.95 else 0


def megawatts(value: float | None, unit: str = "MW") -> str:
    """Return a power that stays in MW: ``412 MW``, ``41.2 MW``, ``2 310 MW``."""
    if value is not None and abs(value) < LEAST_MW:
        value = 0.0
    text = number(value, meant_digits(value))
    return text if value is None or not math.isfinite(value) else f"{text} {unit}"


def power(value_mw: float | None) -> str:
    """Return a power in MW, or in GW from 1,000 MW on: ``412 MW``, ``41.2 MW``, ``4.1 GW``."""
    if value_mw is None or not math.isfinite(value_mw) or abs(value_mw) < 999.5:
        return megawatts(value_mw)
    return f"{number(value_mw / 1000, 1)} GW"


def price(value: float | None, unit: str = "$/MWh", digits: int = 2) -> str:
    """Return a price: ``24.32 $/MWh``."""
    text = number(value, digits)
    return text if value is None or not math.isfinite(value) else f"{text} {unit}"


def money(value: float | None, unit: str = "$") -> str:
    """Return an amount of money, shortened from a million on: ``412 $``, ``1.3 M$``."""
    if value is None or not math.isfinite(value):
        return number(value)
    if abs(value) >= 999_500:
        return f"{number(value / 1e6, 1)} M{unit}"
    return f"{number(value)} {unit}"


def percent(share: float | None, digits: int | None = None) -> str:
    """Return a share of one as percent: ``5 %``, ``0.5 %``, ``99.95 %`` when digits are asked for."""
    if share is None or not math.isfinite(share):
        return number(share)
    value = 100 * share
    if digits is None:
        digits = next((d for d in range(3) if abs(value - round(value, d)) < 1e-9), 2)
        digits = min(digits, 1) if abs(value) >= 1 else digits
    return f"{number(value, digits)} %"


def interval(value: float, low: float, high: float, unit: str = "MW", digits: int | None = None) -> str:
    """Return a value with its range: ``131 (124-138) MW``, with an en dash."""
    places = meant_digits(value) if digits is None else digits
    return f"{number(value, places)} ({number(low, places)}{DASH}{number(high, places)}) {unit}".rstrip()


def at_most(value: float, unit: str = "MW") -> str:
    """Return a bound as a bound: ``at most 412 MW``."""
    return f"at most {megawatts(value, unit)}"


def voltage(kv: float | None) -> str:
    """Return a nominal voltage: ``345 kV``, ``13.8 kV``; nothing when it is not known."""
    if kv is None or not math.isfinite(kv) or kv <= 0:
        return ""
    return f"{kv:g} kV"


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return a number of things: ``1 bus``, ``2 000 buses``."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def duration(seconds: float | None) -> str:
    """Return a time span: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(octets: float) -> str:
    """Return a file size: ``812 B``, ``75 kB``, ``1.5 MB``."""
    if octets < 1000:
        return f"{octets:.0f} B"
    if octets < 999_500:
        return f"{octets / 1000:.0f} kB"
    return f"{octets / 1e6:.1f} MB"


def moment(when: datetime) -> str:
    """Return a date and time to the minute, in UTC: ``2026-03-01 14:05 UTC``."""
    return f"{_utc(when):%Y-%m-%d %H:%M} UTC"


def ago(when: datetime, now: datetime) -> str:
    """Return how long ago something was: ``just now``, ``5 min ago``, ``3 h ago``, ``2 days ago``, else its date."""
    seconds = (_utc(now) - _utc(when)).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h ago"
    if seconds < 14 * 86_400:
        return f"{count(int(seconds // 86_400), 'day')} ago"
    return f"{_utc(when):%Y-%m-%d}"


def digest(text: str, length: int = 8) -> str:
    """Return the first characters of a hash: enough to compare by eye."""
    return text[:length]


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
