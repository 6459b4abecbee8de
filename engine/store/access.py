"""Who may do what: every reading of a study starts here, with the user in the WHERE.

What is not the user's does not exist: a study of somebody else, a deleted one and one that never was give
the same error.
"""

from typing import Any, Literal, TypeGuard

import sqlalchemy as sa

from engine.errors import NotFoundError, PermissionDeniedError
from engine.store.schema import members, studies

Role = Literal["owner", "reader"]
MAX_USER = 128
MAX_ID = 64


def study_row(connection: sa.Connection, user: str, study_id: str, need: Role = "reader") -> sa.Row[Any]:
    """Return the row of a study with the user's ``role``; hold it against other writers when the need is "owner".

    Raises NotFoundError when the study is not there for this user, PermissionDeniedError when he may only look.
    """
    query = (
        sa.select(studies, members.c.role)
        .join(members, members.c.study_id == studies.c.id)
        .where(studies.c.id == study_id, members.c.user_id == user, studies.c.deleted.is_(None))
    )
    if need == "owner":
        query = query.with_for_update(of=studies)
    row = connection.execute(query).one_or_none() if user and len(user) <= MAX_USER and is_id(study_id) else None
    if row is None:
        raise missing("study", study_id)
    if need == "owner" and row.role != "owner":
        raise PermissionDeniedError(
            f"you may look at study {row.name!r} but not change it: that needs its owner; "
            "duplicate the study to work on a copy of your own"
        )
    return row


def missing(what: str, identifier: object) -> NotFoundError:
    """Return the error for something that is not there for this user."""
    return NotFoundError(f"there is no {what} {str(identifier)[:64]!r} that you may open")


def is_id(text: object) -> TypeGuard[str]:
    """Tell whether ``text`` can be an identifier or a digest of ours. Databases stumble over some of what cannot."""
    return isinstance(text, str) and text.isascii() and text.isalnum() and len(text) <= MAX_ID
