"""Ids of the comparison of two settings: ``difference-<thing>``."""

PIN = "difference-pin"  # on the Capacity page: keep the drawn answer as A
KEPT = "difference-kept"  # Store of the browser's session: {"study", "question", "network", "period"} of A
FORGET = "difference-forget"
GO = "difference-go"  # on the Capacity page: the link to the comparison
EXPORT = "difference-export"  # popover
BAR = "difference-bar"  # on the Capacity page: what A is, and the way to the comparison
STUDY = "difference-study"  # Store: the study this page was opened for
SIDES = "difference-sides"  # Store: {"a", "b"}, each {"question", "network", "period"}


def export(kind: str) -> dict[str, str]:
    """Return the id of an export button of the comparison: "csv", "svg" or "png"."""
    return {"type": "difference-export", "kind": kind}
