"""The tables of the database. Alembic's migrations build them; a test holds the two equal.

A moment is a number of seconds since 1970 (UTC); a structured value is JSON text: the two databases hold the same.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
DIGEST = String(64)  # SHA-256, hexadecimal

networks = Table(
    "networks",
    METADATA,
    Column("digest", DIGEST, primary_key=True),
    Column("content", LargeBinary, nullable=False),  # gzip of the canonical JSON
    Column("name", Text, nullable=False),
    Column("buses", Integer, nullable=False),
    Column("branches", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    Column("used", Double, nullable=False),  # last time a study took it, so that a purge spares one in flight
)

files = Table(
    "files",
    METADATA,
    Column("digest", DIGEST, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("used", Double, nullable=False),
)

studies = Table(
    "studies",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("network_digest", DIGEST, ForeignKey("networks.digest"), nullable=False, index=True),
    Column("revision", Integer, nullable=False),  # rises with every change of the network, undo and redo too
    Column("position", Integer, nullable=False),  # where in its edits the study stands
    Column("example", String(64), nullable=False),  # library key it was opened from, "" for none
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("deleted", Double, nullable=True),
)

members = Table(
    "members",
    METADATA,
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("joined", Double, nullable=False),
    CheckConstraint("role IN ('owner', 'reader')", name="role"),
    Index("ix_members_user_id", "user_id"),
)

shares = Table(
    "shares",
    METADATA,
    Column("token_digest", DIGEST, primary_key=True),  # the token itself is never stored
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", Double, nullable=False),
)

edits = Table(
    "edits",
    METADATA,
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("network_digest", DIGEST, ForeignKey("networks.digest"), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("created", Double, nullable=False),
)

questions = Table(
    "questions",
    METADATA,
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    Column("page", String(64), primary_key=True),
    Column("content", Text, nullable=False),
    Column("updated", Double, nullable=False),
)

datasets = Table(
    "datasets",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("digest", DIGEST, ForeignKey("files.digest"), nullable=False, index=True),
    Column("created", Double, nullable=False),
    Column("deleted", Double, nullable=True),
)

results = Table(
    "results",
    METADATA,
    Column("id", DIGEST, primary_key=True),  # of the inputs for a job's result, of inputs and content for all others
    Column("kind", String(64), nullable=False),
    Column("input_hash", DIGEST, nullable=False),
    Column("content", Text, nullable=False),
    Column("provenance", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("used", Double, nullable=False),
)

answers = Table(
    "answers",
    METADATA,
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("input_hash", DIGEST, primary_key=True),
    Column("result_id", DIGEST, ForeignKey("results.id"), nullable=False, index=True),
    Column("created", Double, nullable=False),
)

product_sets = Table(
    "product_sets",
    METADATA,
    Column("study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", DIGEST, nullable=False),
    Column("network_digest", DIGEST, nullable=False),
    Column("content", Text, nullable=False),
    Column("witness", Text, nullable=False),
    Column("created", Double, nullable=False),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", String(128), nullable=False),
    Column(
        "study_id", ID, ForeignKey("studies.id", ondelete="CASCADE"), nullable=True, index=True
    ),  # null: its user's own
    Column("kind", String(64), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("network_digest", DIGEST, ForeignKey("networks.digest"), nullable=True, index=True),  # keeps it from a purge
    Column("input_hash", DIGEST, nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("result_id", DIGEST, ForeignKey("results.id"), nullable=True, index=True),
    Column("cancel_requested", Boolean, nullable=False),
    Column("cache", String(32), nullable=False),  # the artefact cache of the host that waits for the result
    Column("runner", String(128), nullable=False),  # who computes it; "" when nobody does
    Column("attempts", Integer, nullable=False),
    Column("heartbeat", Double, nullable=True),
    Column("progressed", Double, nullable=True),  # moment of the last progress report
    Column("created", Double, nullable=False),
    Column("started", Double, nullable=True),
    Column("finished", Double, nullable=True),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    Index("ix_jobs_user_id_created", "user_id", "created"),
    Index("ix_jobs_state_created", "state", "created"),
    Index("ix_jobs_input_hash", "input_hash"),
)

auctions = Table(
    "auctions",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("title", Text, nullable=False),
    Column("code", String(16), nullable=False),  # what a bidder types to join; no secret inside the room
    Column("study_id", ID, ForeignKey("studies.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("version", Integer, nullable=True),  # of the study's product set that is sold
    Column("places", Text, nullable=False),  # [longitude, latitude] by lot, as JSON
    Column("automatic", Boolean, nullable=False),  # who joins by code gets a seat without the host
    Column("shows_code", Boolean, nullable=False),  # the room's screens tell how to join
    Column("events", Integer, nullable=False),  # length of the ledger
    Column("access", Integer, nullable=False),  # rises with every change of people and keys
    Column("phase", String(16), nullable=False),  # this and the next two as the ledger's fold has them
    Column("round", Integer, nullable=False),
    Column("deadline", Double, nullable=True),
    Column("looked", Double, nullable=False),  # when somebody last looked at the open round, to a few seconds
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Index("ix_auctions_code", "code", unique=True),
)

auction_events = Table(
    "auction_events",
    METADATA,
    Column("auction_id", ID, ForeignKey("auctions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1
    Column("kind", String(32), nullable=False),
    Column("at", Double, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("request", String(64), nullable=True),  # of the browser that asked: a repeat is told, not done again
    Column("data", Text, nullable=False),
    Column("previous", DIGEST, nullable=False),
    Column("hash", DIGEST, nullable=False),
    Index("ix_auction_events_auction_id_actor_request", "auction_id", "actor", "request", unique=True),
)

auction_people = Table(
    "auction_people",
    METADATA,
    Column("auction_id", ID, ForeignKey("auctions.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("place", ID, nullable=False),  # id in the waiting list, "" otherwise
    Column("bidder", String(64), nullable=False),  # whose seat it is or was, "" otherwise
    Column("name", Text, nullable=False),  # what he called himself
    Column("joined", Double, nullable=False),
    Column("seen", Double, nullable=False),
    CheckConstraint("role IN ('host', 'bidder', 'waiting', 'watcher', 'out')", name="role"),
    Index("ix_auction_people_user_id", "user_id"),
)

auction_keys = Table(
    "auction_keys",
    METADATA,
    Column("key_digest", DIGEST, primary_key=True),  # the key itself is never stored
    Column("auction_id", ID, ForeignKey("auctions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("bidder", String(64), nullable=False),
    Column("created", Double, nullable=False),
    CheckConstraint("role IN ('host', 'bidder', 'watcher')", name="role"),
)
