"""What the bot writes into pull requests for itself: comments of HTML, which forges keep and do not show.

There is no other memory of what has been proposed: whoever runs the bot, wherever, reads the same.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_MARKER = re.compile(r"\s*<!-- gitops:([ a-z0-9]*)-->[^\S\n]*")
_DIGITS = 8  # hexadecimal, of a SHA-256: enough to tell one fleet's packages apart
_MOST = 500  # digests of a marker: a body has 60,000 characters of the 65,536 that GitHub takes


@dataclass(frozen=True)
class Marker:
    """What a pull request's body says to the next run.

    Args:
        state: `open`: all has been done; `opening`: labels and reviewers may be missing; `closed`: by the
            bot, so that it may be proposed anew.
        text: digest of the title and body that the bot wrote last. What a person made of them since, a
            `Draft:` in front or a note, is no reason to write them again.
        contents: digests of all that a person saw in it.
    """

    state: Literal["open", "opening", "closed"]
    text: str = ""
    contents: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Give the comment: `<!-- gitops: open 1f0c22ab 9a3e… -->`."""
        return f"<!-- gitops: {' '.join(filter(None, (self.state, self.text, *sorted(self.contents))))} -->"


def digests(contents: Iterable[str]) -> frozenset[str]:
    """Give the digest of each of some packages (`name=version`)."""
    return frozenset(map(_digest, contents))


def summary(contents: frozenset[str]) -> frozenset[str]:
    """Give what a marker says of an update: a digest of each package, or one of all where they are many."""
    return digests(contents if len(contents) <= _MOST else ["\n".join(sorted(contents))])


def signed(title: str, body: str, contents: frozenset[str], *, opening: bool = False) -> str:
    """End a body with the marker that fits it.

    Args:
        title: the pull request's title.
        body: its body; one that has a marker loses it.
        contents: digests of what it proposes.
        opening: labels and reviewers are still to come.
    """
    body = without(body)
    marker = Marker("opening" if opening else "open", _digest(f"{title}\n{body}"), contents)
    return f"{body}\n\n{marker}\n"


def closed(why: str, body: str) -> str:
    """Give the body of a pull request that the bot closes: why, and below it what was there."""
    return f"**{why}**\n\n{without(body)}\n\n{Marker('closed')}\n"


def read(body: str) -> Marker | None:
    """Read the marker of a body, or None where a person took it away.

    The last one counts: what a changelog says stands above it.
    """
    found = _MARKER.findall(body)
    match found[-1].split() if found else []:
        case ["open" | "opening" as state, text, *contents]:
            return Marker(state, text, frozenset(contents))
        case ["closed"]:
            return Marker("closed")
    return None


def without(body: str) -> str:
    """Give a body without its markers."""
    return _MARKER.sub("", body).strip()


def about(commit: str) -> str:
    """Give the marker of a comment that speaks of a person's commit."""
    return f"<!-- gitops: commit {commit} -->"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
