"""A table of the Siting page, whole, as CSV from the server."""

from collections.abc import Callable

from flask import Response

from engine.errors import EngineError, NotFoundError


def csv_file(name: str, write: Callable[[], str]) -> Response:
    """Answer with the CSV that ``write`` returns, to be kept as ``name``; with its refusal in words where it refuses.

    NotFoundError goes on: a study that is not there, or another's, is answered as any address that is not.
    """
    try:
        text = write()
    except NotFoundError:
        raise
    except EngineError as error:
        return Response(f"{error}.", status=404, mimetype="text/plain")
    response = Response(text, mimetype="text/csv")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
