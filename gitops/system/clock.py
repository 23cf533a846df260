"""The time, in one place and one zone."""

from datetime import UTC, datetime


def now() -> datetime:
    """Give the present time in UTC."""
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """Write a time as RFC 3339 in UTC, to the second: `2025-03-01T04:05:06Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
