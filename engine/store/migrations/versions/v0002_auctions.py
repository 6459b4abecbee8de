"""Auctions: their ledgers, who is in the room, and the keys that open it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of the auction room."""
    op.create_table(
        "auctions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("study_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("shows_code", sa.Boolean(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("access", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Double(), nullable=True),
        sa.Column("looked", sa.Double(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_auctions_study_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auctions")),
    )
    op.create_index("ix_auctions_code", "auctions", ["code"], unique=True)
    op.create_index(op.f("ix_auctions_study_id"), "auctions", ["study_id"], unique=False)
    op.create_table(
        "auction_events",
        sa.Column("auction_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["auction_id"], ["auctions.id"], name=op.f("fk_auction_events_auction_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("auction_id", "number", name=op.f("pk_auction_events")),
    )
    op.create_index(
        "ix_auction_events_auction_id_actor_request", "auction_events", ["auction_id", "actor", "request"], unique=True
    )
    op.create_table(
        "auction_keys",
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("auction_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("bidder", sa.String(length=64), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.CheckConstraint("role IN ('host', 'bidder', 'watcher')", name=op.f("ck_auction_keys_role")),
        sa.ForeignKeyConstraint(
            ["auction_id"], ["auctions.id"], name=op.f("fk_auction_keys_auction_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_auction_keys")),
    )
    op.create_index(op.f("ix_auction_keys_auction_id"), "auction_keys", ["auction_id"], unique=False)
    op.create_table(
        "auction_people",
        sa.Column("auction_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("bidder", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("joined", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "role IN ('host', 'bidder', 'waiting', 'watcher', 'out')", name=op.f("ck_auction_people_role")
        ),
        sa.ForeignKeyConstraint(
            ["auction_id"], ["auctions.id"], name=op.f("fk_auction_people_auction_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("auction_id", "user_id", "role", name=op.f("pk_auction_people")),
    )
    op.create_index("ix_auction_people_user_id", "auction_people", ["user_id"], unique=False)
