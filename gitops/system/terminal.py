"""Text from outside on a terminal: it is shown there, and drives nothing.

What a terminal obeys: ECMA-48, 5.4 (control sequences), 5.6 (control strings) and 8.3; xterm's ctlseqs(ms).
Unicode's changes of direction (UAX 9) make text look like other text than it is.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO, cast

SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
)
"""A control sequence or control string, whole: it goes with what it says."""

_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Leave of a text what a terminal only shows; line breaks and tabs stay."""
    return _ORDERS.sub("", SEQUENCE.sub("", text)) if _ORDERS.search(text) else text


class Guarded:
    """A terminal's stream through which only harmless text goes; `unguarded` is the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        """Guard a stream."""
        self.unguarded = stream

    def write(self, text: str) -> int:
        """Write text, made harmless."""
        self.unguarded.write(harmless(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, harmless."""
        for each in lines:
            self.write(each)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever else a stream has
        """Be the stream in every other regard."""
        return getattr(self.unguarded, name)


def guard() -> None:
    """From now on, what is printed to a terminal is harmless; files and pipes get every byte."""
    sys.stdout, sys.stderr = _guarded(sys.stdout), _guarded(sys.stderr)


def unguarded(stream: TextIO) -> TextIO:
    """Give the stream below a guarded one, for what this program itself has to say to the terminal."""
    return stream.unguarded if isinstance(stream, Guarded) else stream


def copy(source: IO[bytes]) -> None:
    """Print a file of bytes: as they are into a file or pipe, as harmless text on a terminal."""
    import shutil  # noqa: PLC0415  # one verb does this

    if not sys.stdout.isatty():
        shutil.copyfileobj(source, sys.stdout.buffer)
        return
    for line in source:
        sys.stdout.write(harmless(line.decode(errors="replace")))


@contextmanager
def guarded() -> Iterator[None]:
    """Guard both streams for a while, where something else has put its own in their place."""
    before = sys.stdout, sys.stderr
    guard()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _guarded(stream: TextIO) -> TextIO:
    if stream is None or isinstance(stream, Guarded) or not stream.isatty():
        return stream
    return cast("TextIO", Guarded(stream))
