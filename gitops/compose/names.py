"""Names that a fleet can have, made of those that Compose takes."""

import re

_LONGEST = 63


def named(text: str) -> str:
    """Make a name of ours: `my_db` and `My.DB` become `my-db`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].rstrip("-") or "main"
