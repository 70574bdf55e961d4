"""The tables of desk.db, on SQLite and on PostgreSQL (schema `desk`). Holds no rule.

Times are stored as whole microseconds since 1970 in UTC. The tables are made by the steps in
`schema/`, never from here; a test holds the two to each other.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

from casework.instants import from_micros, to_micros


class Instant(TypeDecorator[datetime]):
    """An aware time, stored as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  the base class's signature
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  the base class's signature
        return None if value is None else from_micros(value)


class Words(TypeDecorator[tuple[str, ...]]):
    """A few short words without blanks (roles, scopes), stored in one text, in order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the base class's signature
        return None if value is None else " ".join(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002  the base class's signature
        return None if value is None else tuple(value.split())


SCHEMA = "desk"
metadata = MetaData(schema=SCHEMA)

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("person_id", Uuid, unique=True),
    Column("street", Text),
    Column("password_hash", Text),
    Column("must_change_at", Instant),
    Column("disabled_at", Instant),
    Column("created_at", Instant, nullable=False),
)

account_role = Table(
    "account_role",
    metadata,
    Column("account_id", Uuid, ForeignKey(f"{SCHEMA}.account.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("granted_at", Instant, nullable=False),
)

role_proposal = Table(
    "role_proposal",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey(f"{SCHEMA}.account.id"), nullable=False, index=True),
    Column("roles", Words, nullable=False),
    Column("street", Text),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", Uuid),
    Column("decided_at", Instant),
    Column("decision", Text),
)

former_password = Table(
    "former_password",
    metadata,
    Column("account_id", Uuid, ForeignKey(f"{SCHEMA}.account.id"), primary_key=True),
    Column("set_at", Instant, primary_key=True),
    Column("password_hash", Text, nullable=False),
)

admin_token = Table(
    "admin_token",
    metadata,
    Column("role", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

partner = Table(
    "partner",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("scopes", Words, nullable=False),
    Column("disabled_at", Instant),
    Column("created_at", Instant, nullable=False),
)

credential = Table(
    "credential",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("channel", Text, nullable=False),
    Column("account_id", Uuid, ForeignKey(f"{SCHEMA}.account.id"), index=True),
    Column("partner_id", Uuid, ForeignKey(f"{SCHEMA}.partner.id"), index=True),
    Column("scopes", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("idle_seconds", Integer),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("second_factor", Boolean, nullable=False, server_default=false()),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("account_id", Uuid, ForeignKey(f"{SCHEMA}.account.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("last_period", BigInteger, nullable=False),
    Column("confirmed_at", Instant),
    Column("next_sealed", LargeBinary),
)

known_device = Table(
    "known_device",
    metadata,
    Column("account_id", Uuid, ForeignKey(f"{SCHEMA}.account.id"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("seen_at", Instant, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("bucket", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("until_at", Instant, nullable=False),
)

rate_window = Table(
    "rate_window",
    metadata,
    Column("key", Text, primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("expires", Float(53), nullable=False, index=True),
)

rate_moments = Table(
    "rate_moments",
    metadata,
    Column("key", Text, primary_key=True),
    Column("moments", LargeBinary, nullable=False),
    Column("expires", Float(53), nullable=False, index=True),
)

upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("good_until", Instant, nullable=False, index=True),
    Column("taken_until", Instant),
    Column("outcome", LargeBinary),
    Index(
        "ix_desk_upload_waiting",
        "good_until",
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
)

derived_file = Table(
    "derived_file",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("upload_id", Uuid, nullable=False, index=True),
)
"""Files made from an upload: written before the file is, so that erasing the upload finds it."""

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("principal_kind", Text, nullable=False),
    Column("principal_id", Text),
    Column("action", Text, nullable=False),
    Column("target", Text),
    Column("outcome", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("command_id", Uuid, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_desk_audit_at", "at"),
    Index("ix_desk_audit_principal", "principal_id", "seq"),
    Index("ix_desk_audit_target", "target", "seq"),
    Index("ix_desk_audit_action", "action", "seq"),
)

audit_through = Table(
    "audit_through",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
