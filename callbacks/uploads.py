"""What a browser sends of a file that was chosen: a data URL, decoded here and nowhere else.

How large it may be is settled before: the server refuses a request above its limit, and says so.
"""

import base64

from engine.errors import QuestionError

NOT_WHOLE = "the browser did not send the file whole; try again"


def content_of(contents: object) -> bytes:
    """Return the bytes of an uploaded file from what ``dcc.Upload`` holds. Raises QuestionError for a torn one."""
    try:
        return base64.b64decode(str(contents).partition(",")[2], validate=True)
    except ValueError:  # also what is no ASCII
        raise QuestionError(NOT_WHOLE) from None
