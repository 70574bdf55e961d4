"""The first tables: accounts, credentials, failed sign-ins, limits, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "desk"


def upgrade() -> None:
    _accounts()
    _credentials()
    _limits()
    _audit()
    _keep_audit()


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid, unique=True),
        sa.Column("street", sa.Text),
        sa.Column("password_hash", sa.Text),
        sa.Column("must_change_at", sa.BigInteger),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "account_role",
        _of_account(primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "role_proposal",
        sa.Column("id", sa.Uuid, primary_key=True),
        _of_account(nullable=False, index=True),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("street", sa.Text),
        sa.Column("proposed_by", sa.Uuid, nullable=False),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decision", sa.Text),
        schema=SCHEMA,
    )
    op.create_table(
        "former_password",
        _of_account(primary_key=True),
        sa.Column("set_at", sa.BigInteger, primary_key=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "admin_token",
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )


def _credentials() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("channel", sa.Text, nullable=False),
        _of_account(index=True),
        sa.Column("partner_id", sa.Uuid, sa.ForeignKey(f"{SCHEMA}.partner.id"), index=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("idle_seconds", sa.Integer),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
        schema=SCHEMA,
    )
    op.create_table(
        "known_device",
        _of_account(primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )


def _limits() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("bucket", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "rate_window",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.Column("expires", sa.Float(53), nullable=False, index=True),
        schema=SCHEMA,
    )
    op.create_table(
        "rate_moments",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("moments", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.Float(53), nullable=False, index=True),
        schema=SCHEMA,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("principal_kind", sa.Text, nullable=False),
        sa.Column("principal_id", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("command_id", sa.Uuid, unique=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("ix_desk_audit_at", "audit", ["at"], schema=SCHEMA)
    op.create_index("ix_desk_audit_principal", "audit", ["principal_id", "seq"], schema=SCHEMA)
    op.create_index("ix_desk_audit_target", "audit", ["target", "seq"], schema=SCHEMA)
    op.create_index("ix_desk_audit_action", "audit", ["action", "seq"], schema=SCHEMA)
    op.create_table(
        "audit_through",
        sa.Column("one", sa.Boolean, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )


_REFUSE = "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
_APPEND_ONLY = (
    f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {_REFUSE}",
    f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit {_REFUSE}",
    # INSERT OR REPLACE would remove a row without a DELETE trigger being asked.
    f"""CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS
        (SELECT 1 FROM audit WHERE seq = NEW.seq OR command_id = NEW.command_id) {_REFUSE}""",  # noqa: S608  fixed text
)


def _keep_audit() -> None:
    """Rows of the audit trail are added, never changed, replaced or removed."""
    if op.get_bind().dialect.name == "sqlite":
        for step in _APPEND_ONLY:
            op.execute(step)
        return
    op.execute(
        "CREATE FUNCTION desk.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON desk.audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION desk.audit_is_append_only()"
    )


def _of_account(
    *, primary_key: bool = False, nullable: bool = True, index: bool = False
) -> sa.Column[object]:
    return sa.Column(
        "account_id",
        sa.Uuid,
        sa.ForeignKey(f"{SCHEMA}.account.id"),
        primary_key=primary_key,
        nullable=nullable and not primary_key,
        index=index,
    )
