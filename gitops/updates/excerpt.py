"""What a changelog says, as much of it as there is room for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops.debian.changelog import Entry
from gitops.updates.escaping import line
from gitops.updates.news import News


@dataclass(frozen=True)
class Room:
    """How much a text may say.

    Args:
        characters: of each source package's changelog.
        sources: packages that are told of, by source.
        numbers: CVEs or bugs of a source package that are named.
        names: images, hosts and findings that are named.
    """

    characters: int
    sources: int
    numbers: int
    names: int


_ROOMS = (
    Room(60_000, 1000, 50, 100),
    *(Room(characters, 1000, 50, 100) for characters in (30_000, 15_000, 8_000, 4_000, 2_000, 1_000)),
    Room(500, 1000, 10, 50),
    Room(0, 100, 10, 50),
    Room(0, 40, 5, 20),
)
"""From ample to scant: changelogs are what is cut first."""


def rooms(news: Sequence[News], most: int) -> Iterator[Room]:
    """Give how much may be said, ever less, without what is sure to be more than so many characters."""
    lengths = [sum(len(entry.text) for entry in each.entries) for each in news]
    for room in _ROOMS:
        if sum(min(length, room.characters) for length in lengths[: room.sources]) < most:
            yield room


def excerpt(news: News, characters: int) -> tuple[str, int]:
    """Write the newest of a source package's changelog.

    Returns:
        Text as it came, which is not safe to show, and how many lines of it there was no room for.
    """
    lines = "\n\n".join(f"{_heading(entry)}\n\n{entry.text}" for entry in news.entries).splitlines()
    taken = 0
    for number, each in enumerate(lines):
        taken += len(each) + 1
        if taken > characters:
            return "\n".join(lines[:number]).rstrip(), len(lines) - number
    return "\n".join(lines), 0


def _heading(entry: Entry) -> str:
    """Write `3.5.7-1, 2026-01-27, urgency high, by Ann Author`."""
    author = line(entry.author.partition("<")[0], 80)
    parts = (
        entry.version,
        entry.date.strftime("%Y-%m-%d") if entry.date else "",
        f"urgency {entry.urgency}" if entry.urgency else "",
        f"by {author}" if author else "",
    )
    return ", ".join(filter(None, parts))
