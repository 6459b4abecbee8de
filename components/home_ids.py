"""Ids of the Home page: ``home-<thing>``."""

RECENT = "home-recent"
EXAMPLES = "home-examples"
MESSAGE = "home-message"


def open_example(example: str) -> dict[str, str]:
    """Return the id of the button that opens an example as a study of one's own."""
    return {"type": "home-open", "example": example}


def delete_study(study: str) -> dict[str, str]:
    """Return the id of the delete button of a recent study."""
    return {"type": "home-delete", "study": study}
