"""A page as the navigation names it. What starts the product reads this, so it imports nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageLink:
    """One entry of the navigation: a page that exists."""

    key: str  # the page's key in ids, help and assets: "capacity"
    path: str  # "/capacity"
    label: str
    icon: str
