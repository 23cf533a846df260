"""What the bot cannot or may not propose, and why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops.updates.difference import Difference, Key


@dataclass(frozen=True, order=True)
class Finding:
    """Something that stays behind.

    Args:
        subject: `wordpress (amd64)`, or `openssl 3.5.6-1 → 3.5.7-1 in base, web`.
        reason: why; it may quote what an archive says.
    """

    subject: str
    reason: str

    def __str__(self) -> str:
        """Give `subject: reason` on one line and without control characters."""
        line = " ".join(f"{self.subject}: {self.reason}".split())
        return "".join(character for character in line if character.isprintable())


def of_images(failed: Mapping[Key, str]) -> list[Finding]:
    """Tell of images that cannot be locked anew."""
    return [Finding(f"{image} ({architecture})", reason) for (image, architecture), reason in failed.items()]


def of_packages(reasons: Mapping[Difference, str]) -> list[Finding]:
    """Tell of packages that stay, all images of one in one line."""
    places: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for difference, reason in reasons.items():
        old, new = (side.version if side else None for side in (difference.old, difference.new))
        moves = f"{difference.package.source} {old or 'new'} → {new or 'gone'}"
        places[moves, reason].add(difference.key[0])
    return [
        Finding(f"{moves} in {', '.join(sorted(images))}", reason)
        for (moves, reason), images in places.items()
    ]


def of_blocked(blocked: Mapping[Difference, Iterable[str]]) -> list[Finding]:
    """Tell of packages that cannot move because others do not."""
    return of_packages(
        {each: f"does not go together with {_others(each, names)}" for each, names in blocked.items()}
    )


def _others(difference: Difference, names: Iterable[str]) -> str:
    others = sorted(set(names) - {difference.name})
    shown = ", ".join(others[:3]) or "what stays"
    return f"{shown} and {len(others) - 3} more" if len(others) > 3 else shown  # noqa: PLR2004  # a line's worth
