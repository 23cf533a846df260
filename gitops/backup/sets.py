"""Backup sets: all datasets of one instance, saved in one run, complete or not there at all.

Each dataset is a snapshot of its own, a *part*. When all parts are saved, one more tiny snapshot that names
them is saved, the *manifest*. A set is what has a manifest and all parts that it names. So a run that ends at
any instant, however it ends, leaves parts that nothing takes for a backup; the next run removes them.

Everything stands in tags, so that one listing tells all:

    part       gitops  fleet=F  instance=I  run=R  dataset=KIND/SERVICE/NAME
    manifest   gitops  fleet=F  instance=I  run=R  set  part=ID  part=ID …
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import quote, unquote

from gitops.backup.restic import Snapshot

VOLUME = "volume"

_SLASHES = 2
"""Between a dataset's kind, service and name."""


@dataclass(frozen=True, order=True)
class Dataset:
    """What is saved as one part.

    Args:
        kind: a kind of database, or `volume`.
        service: the database's service; empty for a volume.
        name: the database's or the volume's name.
    """

    kind: str
    service: str
    name: str

    def __str__(self) -> str:
        """Give what people call it: `database db/wordpress` or `volume uploads`."""
        return f"volume {self.name}" if self.kind == VOLUME else f"database {self.service}/{self.name}"

    @property
    def tag(self) -> str:
        """Give the tag on its parts; in its name, what could end a tag is written as in an address."""
        return f"dataset={self.kind}/{self.service}/{quote(self.name)}"

    @classmethod
    def of_tags(cls, tags: Iterable[str]) -> Self | None:
        """Read a part's dataset from its tags; None when they name none."""
        for tag in tags:
            if tag.startswith("dataset=") and tag.count("/") >= _SLASHES:
                kind, service, name = tag.removeprefix("dataset=").split("/", _SLASHES)
                return cls(kind, service, unquote(name))
        return None


@dataclass(frozen=True)
class BackupSet:
    """A complete backup of an instance.

    Args:
        id: the manifest's snapshot, in full; people use its first eight characters.
        time: when the run that made it was done.
        parts: each dataset and its snapshot.
    """

    id: str
    time: datetime
    parts: tuple[tuple[Dataset, str], ...]

    @property
    def short(self) -> str:
        """Give the name that people use."""
        return self.id[:8]


def common_tags(fleet: str, instance: str) -> tuple[str, ...]:
    """Give the tags that all snapshots of an instance carry."""
    return ("gitops", f"fleet={fleet}", f"instance={instance}")


def manifest_tags(parts: Sequence[Snapshot]) -> tuple[str, ...]:
    """Give the tags that make a snapshot the manifest of these parts."""
    return ("set", *(f"part={part.id}" for part in parts))


def complete_sets(snapshots: Iterable[Snapshot]) -> list[BackupSet]:
    """Find the complete sets among an instance's snapshots, oldest first."""
    everything = list(snapshots)
    parts = {one.id: dataset for one in everything if (dataset := Dataset.of_tags(one.tags))}
    found = []
    for one in everything:
        named = [tag.removeprefix("part=") for tag in one.tags if tag.startswith("part=")]
        if "set" in one.tags and named and all(name in parts for name in named):
            found.append(BackupSet(one.id, one.time, tuple((parts[name], name) for name in named)))
    return sorted(found, key=lambda one: one.time)


def leftovers(snapshots: Iterable[Snapshot], kept: Iterable[BackupSet]) -> tuple[list[str], list[str]]:
    """Find what belongs to none of the sets that are kept: manifests, and parts.

    Manifests go first, so that an interruption leaves parts without a manifest and never the reverse.
    """
    needed = {name for one in kept for name in (one.id, *(part for _, part in one.parts))}
    others = [one for one in snapshots if one.id not in needed]
    return (
        [one.id for one in others if "set" in one.tags],
        [one.id for one in others if "set" not in one.tags],
    )
