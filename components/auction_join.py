"""How a bidder comes in: the code that the host shows, a name, and what happens until he is admitted."""

from dash import html

from components.auction_room import place, room


def layout(code: str = "") -> html.Main:
    """Return the page; ``code`` is the one that an invitation's address carries."""
    return room(
        "join",
        "",
        "join",
        [place("join", "hr-join", **{"data-code": code})],
        title="Join an auction",
        class_name="hr-room-narrow",
    )
