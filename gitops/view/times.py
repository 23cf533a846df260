"""Times on pages: for people by this machine's clock and with its zone, for programs in UTC."""

import re
from datetime import datetime

from markupsafe import Markup

from gitops.system.clock import stamp

_STAMP = re.compile(
    r"\b(20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ)\b"
)


def when(at: datetime) -> Markup:
    """Write a time for people, by this machine's clock and with its zone; programs find UTC in it."""
    # Both are made of digits and the zone's name, which is this machine's.
    return Markup(f'<time datetime="{stamp(at)}">{at.astimezone():%Y-%m-%d %H:%M %Z}</time>')  # noqa: S704  # see above


def timed(text: str) -> Markup:
    """Write text that has times in UTC, as messages do, with times for people in their place."""
    parts = _STAMP.split(text)
    return Markup().join(
        when(datetime.fromisoformat(part)) if number % 2 else part for number, part in enumerate(parts)
    )
