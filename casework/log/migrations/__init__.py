"""Schema steps of the log, found by alembic. Holds no code of its own."""
