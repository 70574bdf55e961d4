"""The steps that make and change desk.db, by alembic. Run by an operator, never by a worker."""
