"""The secret that is to take the place of a second factor in force, until it is confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "desk"


def upgrade() -> None:
    # ALTER does not take the way of CREATE to the tables without a schema of SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    op.add_column("second_factor", sa.Column("next_sealed", sa.LargeBinary), schema=schema)
