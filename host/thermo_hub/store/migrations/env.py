"""What Alembic runs: migrations over the connection that the store opened."""

from alembic import context

from thermo_hub.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
