"""Problems as a terminal may show them: what came in a push is in their words."""

from collections.abc import Iterable

LINES = 100
_WIDTH = 500  # characters


def printable(text: str) -> list[str]:
    """Give a text's lines without control characters, and no longer than anybody reads."""
    return ["".join(map(_shown, line))[:_WIDTH] for line in text.split("\n")]


def shortened(texts: Iterable[str]) -> str:
    """Give lines of several texts, as far as anybody reads."""
    lines = [line for text in texts for line in printable(text)]
    more = [f"… and {len(lines) - LINES:,} lines more"] if len(lines) > LINES else []
    return "\n".join([*lines[:LINES], *more])


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
