"""Run by Alembic: migrate over the connection that `storage.db.database` hands in."""

from alembic import context

from storage.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
