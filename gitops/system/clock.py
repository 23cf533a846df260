"""The time, in one place and one zone."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time

from gitops.system.errors import UserError

_STAMP = re.compile(r"\b20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\b")


def now() -> datetime:
    """Give the present time in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC, to the second: `2025-03-01T04:05:06Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(moment: datetime) -> str:
    """Write a time for people, by this machine's clock: `2025-03-01 05:05:06 CET`."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def localised(text: str) -> str:
    """Write the times in a message, which `stamp` has written, as `local` does."""
    return _STAMP.sub(lambda found: local(datetime.fromisoformat(found[0])), text)


def moment(text: str) -> datetime:
    """Read the time that somebody means; give it in UTC.

    Args:
        text: as in RFC 3339, or `YYYY-MM-DD[ HH:MM[:SS]]` by this machine's clock. Of a day alone, its end
            is meant: whatever was on that day counts.

    Raises:
        UserError: it is no such time.
    """
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text.strip()), time.max).astimezone(UTC)
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except ValueError as error:
        raise UserError(
            f"{text!r} is not a time", hint="write 2025-03-01, “2025-03-01 04:05” or 2025-03-01T04:05:06Z"
        ) from error
