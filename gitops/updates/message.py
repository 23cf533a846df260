"""The words of a proposal: its commit message."""

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from gitops.updates.effect import Effect, PackageUpdate, Place
from gitops.updates.finding import Finding

_WIDTH = 72  # of a commit message's lines, as git and forges show them best


def subject(effect: Effect) -> str:
    """Say it all in one line: `php8.4 8.4.27-1 → 8.4.28-1: 1 image, 2 instances`."""
    sources = sorted({update.source for update in effect.packages})
    reach = f"{count(len(effect.rebuilt), 'image')}, {count(len(_instances(effect)), 'instance')}"
    if len(sources) == 1:
        return f"{sources[0]} {versions(effect.packages)}: {reach}"
    if not sources:
        return f"Packages published again under the same version: {reach}"
    return textwrap.shorten(
        f"{len(sources)} sources updated: {', '.join(sources)}",
        _WIDTH,
        placeholder=" …",
        break_long_words=False,
    )


def message(effect: Effect, findings: Sequence[Finding], branch: str) -> str:
    """Write the whole commit message: subject, what changes, where, what stays, and how to take it."""
    hosts = sorted({place.host for place in effect.restarted})
    parts = [
        _part("Packages, by source", _by_source(effect.packages)),
        _part(
            "Images built again",
            (
                f"{rebuild.image} ({', '.join(rebuild.architectures)})"
                + (f", because {rebuild.parent} is" if rebuild.parent else "")
                for rebuild in effect.rebuilt
            ),
        ),
        _part("Instances that restart", _at(effect.restarted), none="none"),
        _part(
            "Not affected",
            [
                *textwrap.wrap(f"images: {', '.join(effect.kept_images) or 'none'}", _WIDTH - 2),
                *(_at(effect.kept) or ["instances: none"]),
            ],
        ),
        _part("Held back", (f"{finding}" for finding in findings)),
        _part(
            "To take it",
            [
                f"git merge {branch}",
                "gitops build",
                f"gitops apply  # on {', '.join(hosts)}" if hosts else "gitops apply",
            ],
        ),
    ]
    return "\n\n".join([subject(effect), *filter(None, parts)]) + "\n"


def versions(updates: Sequence[PackageUpdate]) -> str:
    """Write the versions of one source's packages; the most frequent where they differ."""
    pairs = [(update.old, update.new) for update in updates]
    old, new = max(dict.fromkeys(pairs), key=pairs.count)
    return f"{old or 'new'} → {new or 'gone'}"


def count(number: int, noun: str) -> str:
    """Write a number and its noun: `1 image`, `2 images`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _instances(effect: Effect) -> set[tuple[str, str]]:
    return {(place.host, place.instance) for place in effect.restarted}


def _by_source(updates: Iterable[PackageUpdate]) -> Iterator[str]:
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for update in updates:
        groups[update.source, versions([update]), update.suite].append(update.name)
    for (source, moved, suite), names in groups.items():
        yield f"{source} {moved} from {suite}"
        yield from textwrap.wrap(
            " ".join(dict.fromkeys(names)),
            _WIDTH - 2,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _at(places: Iterable[Place]) -> list[str]:
    return [f"{place.instance} on {place.host}: {', '.join(place.services)}" for place in places]


def _part(title: str, lines: Iterable[str], none: str = "") -> str:
    told = list(lines) or ([none] if none else [])
    return "\n".join([f"{title}:", *(f"  {line}" for line in told)]) if told else ""
