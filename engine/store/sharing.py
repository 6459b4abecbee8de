"""Sharing a study by a link: who holds the token may look."""

import secrets

import sqlalchemy as sa

from engine.errors import LimitError, NotFoundError
from engine.store.access import MAX_USER, missing, study_row
from engine.store.codec import sha256
from engine.store.database import Database, epoch
from engine.store.records import StudyId
from engine.store.schema import members, shares, studies

MAX_SHARES = 1_000


class Sharing:
    """The part of the store that keeps who may look."""

    _database: Database

    def share(self, user: str, study_id: str) -> str:
        """Return a new token for a link to the study. The database keeps its hash only: nobody can look it up."""
        token = secrets.token_urlsafe(24)
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            count = sa.select(sa.func.count()).where(shares.c.study_id == study_id)
            if connection.execute(count).scalar_one() >= MAX_SHARES:
                raise LimitError(f"the study has {MAX_SHARES} links; revoke them before making more")
            connection.execute(sa.insert(shares).values(token_digest=sha256(token), study_id=study_id, created=epoch()))
        return token

    def accept_share(self, user: str, token: str) -> StudyId:
        """Make the user a reader of the study that the token opens. An owner stays owner.

        Raises NotFoundError when the link was never made, was revoked, or its study is deleted.
        """
        if not user or len(user) > MAX_USER:
            raise missing("user", user)
        with self._database.writing() as connection:
            study_id = connection.execute(
                sa.select(shares.c.study_id)
                .join(studies, studies.c.id == shares.c.study_id)
                .where(shares.c.token_digest == _digest(token), studies.c.deleted.is_(None))
                .with_for_update(of=studies)
            ).scalar_one_or_none()
            if study_id is None:
                raise NotFoundError("this link opens nothing: it was revoked, or its study is gone")
            member = sa.exists().where(members.c.study_id == study_id, members.c.user_id == user)
            if not connection.execute(sa.select(member)).scalar_one():
                connection.execute(
                    sa.insert(members).values(study_id=study_id, user_id=user, role="reader", joined=epoch())
                )
            return StudyId(study_id)

    def readers(self, user: str, study_id: str) -> int:
        """Return how many users may look at the study beside its owner."""
        with self._database.reading() as connection:
            study_row(connection, user, study_id)
            query = sa.select(sa.func.count()).where(members.c.study_id == study_id, members.c.role == "reader")
            return connection.execute(query).scalar_one()

    def revoke_shares(self, user: str, study_id: str) -> int:
        """Make every link of the study useless and take it from its readers; return how many they were."""
        with self._database.writing() as connection:
            study_row(connection, user, study_id, "owner")
            connection.execute(sa.delete(shares).where(shares.c.study_id == study_id))
            gone = connection.execute(
                sa.delete(members).where(members.c.study_id == study_id, members.c.role == "reader")
            )
            return gone.rowcount


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace"))
