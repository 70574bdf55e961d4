"""Run by alembic for every step: hands it the connection that `prepare` opened."""

from alembic import context

from api.accounts.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=None if connection.dialect.name == "sqlite" else SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
