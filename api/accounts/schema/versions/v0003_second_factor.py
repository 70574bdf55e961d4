"""A second factor for staff, and whether a sign-in used it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "desk"


def upgrade() -> None:
    # ALTER does not take the way of CREATE to the tables without a schema of SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    op.create_table(
        "second_factor",
        sa.Column("account_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.account.id"), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("last_period", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger),
        schema=SCHEMA,
    )
    op.add_column(
        "credential",
        sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()),
        schema=schema,
    )
