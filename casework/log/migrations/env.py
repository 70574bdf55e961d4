"""Alembic's entry: runs the steps on the connection it is given, in that one's transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="log_schema",
)
context.run_migrations()
