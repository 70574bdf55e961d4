"""What became of an upload: who examines it now, what was found, which files were made from it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "desk"


def upgrade() -> None:
    # ALTER does not take the way of CREATE to the tables without a schema of SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    op.add_column("upload", sa.Column("taken_until", sa.BigInteger), schema=schema)
    op.add_column("upload", sa.Column("outcome", sa.LargeBinary), schema=schema)
    waiting = sa.text("outcome IS NULL")
    op.create_index(
        "ix_desk_upload_waiting",
        "upload",
        ["good_until"],
        schema=schema,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "derived_file",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("upload_id", sa.Uuid, nullable=False, index=True),
        schema=SCHEMA,
    )
