"""Run the migrations on the connection that the caller has opened and locked."""

from alembic import context

from engine.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite too: a migration that stops half way leaves nothing behind
)
context.run_migrations()
