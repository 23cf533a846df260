"""What verbs print for programs: one JSON object each, whose shape docs/json.md tells.

Times are RFC 3339 in UTC, spans are seconds, sizes are bytes; what there is none of is null.
"""

VERSION = 1
"""Of the shapes. Keys may be added to them; when one goes or changes its meaning, this number grows."""


def emit(**content: object) -> None:
    """Print a document: its version, and what it is about."""
    from json import dumps

    print(dumps({"version": VERSION, **content}, indent=2))
