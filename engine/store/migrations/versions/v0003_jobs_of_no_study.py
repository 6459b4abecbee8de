"""Jobs that belong to their user alone: what is computed of an auction needs no study."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a job be of no study."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("study_id", existing_type=sa.String(length=64), nullable=True)
