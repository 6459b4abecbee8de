"""Amounts of money in words: the one way in which the theory's sentences write numbers."""

_THIN = "\u2009"


def told(amount: float, decimals: int = 2) -> str:
    """Return an amount with so many decimals at most and thin spaces between thousands: 1234567.5 is 1 234 567.5."""
    text = f"{amount:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return ("0" if text == "-0" else text).replace(",", _THIN)
