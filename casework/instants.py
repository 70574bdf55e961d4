"""Instants as whole microseconds since 1970 UTC, as they are stored. Knows no calendar."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly (a float of seconds would round)."""
    return (at - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)
