"""Backup sets: all datasets of an instance, saved in one run; complete, or failed and said so.

One run may save many instances. Its parts are snapshots in a restic repository, and its last one, tiny, is
the *manifest*: it alone says which sets there are and what belongs to them. So a run that ends at any moment,
however it ends, leaves snapshots that nothing takes for a backup. docs/backups.md has the manifest's format.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from gitops.system.errors import UserError

VOLUME = "volume"

MANIFEST = "set.json"
"""Name of the file in a manifest's snapshot."""

_VERSION = 1
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z:_-]{0,80}")
_LONGEST = 200
"""Characters of a file's name; file systems take 255 bytes."""


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

    def directory(self, instance: str) -> str:
        """Say where a volume lies in a snapshot: `INSTANCE/volumes/NAME`."""
        return f"{instance}/volumes/{self.name}"

    def file(self, extension: str) -> str:
        """Name the file of a database's dump: `SERVICE.NAME.EXTENSION`.

        In the database's name, what is not a letter, a digit or one of `_.-~` is written as in an address; a
        long one is cut, and tells itself from others by a number.
        """
        name = f"{self.service}.{quote(self.name, safe='')}" if self.name else self.service
        if len(name) > _LONGEST:
            name = f"{name[:_LONGEST]}-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"
        return f"{name}.{extension}"


@dataclass(frozen=True)
class Part:
    """A dataset that was saved.

    Args:
        dataset: which.
        snapshot: the snapshot that has it, its id in full.
        path: where in the snapshot, from its root: a dump's file, or a volume's directory.
        size: bytes.
        fingerprint: what exactly a dump holds, in its kind's words; empty for a volume.
    """

    dataset: Dataset
    snapshot: str
    path: str
    size: int
    fingerprint: str


@dataclass(frozen=True)
class BackupSet:
    """What one run saved of an instance.

    Args:
        id: the snapshot of the run's manifest, in full; empty where not even that could be saved.
        run: the run's id, in the tag `run=…` of all its snapshots.
        fleet: the fleet's name.
        host: the host's name.
        instance: the instance's name.
        time: when the run began, in UTC.
        parts: what was saved.
        failed: what was not, and why, a line each.
        stood_still: seconds for which its services were paused or stopped.
        safety: whether it is what a restore kept of what was there before it, and no backup.
    """

    id: str
    run: str
    fleet: str
    host: str
    instance: str
    time: datetime
    parts: tuple[Part, ...] = ()
    failed: tuple[tuple[Dataset, str], ...] = ()
    stood_still: float = 0.0
    safety: bool = False

    @property
    def short(self) -> str:
        """Give the name that people use."""
        return self.id[:8]

    @property
    def complete(self) -> bool:
        """Tell whether everything that was wanted is there."""
        return bool(self.id and self.parts) and not self.failed

    @property
    def size(self) -> int:
        """Give the bytes of all parts; the repository, which finds again what it has, needs fewer."""
        return sum(part.size for part in self.parts)


def is_run(name: str) -> bool:
    """Tell whether a name can be a run's id; it also names a file."""
    return bool(_RUN.fullmatch(name))


def manifest_text(sets: Sequence[BackupSet]) -> bytes:
    """Write the manifest of a run's sets, one or more."""
    first = sets[0]
    document = {
        "version": _VERSION,
        "fleet": first.fleet,
        "host": first.host,
        "run": first.run,
        "time": first.time.astimezone(UTC).isoformat(),
        "sets": [
            {
                "instance": one.instance,
                "safety": one.safety,
                "stood_still": round(one.stood_still, 3),
                "parts": [
                    {**asdict(part.dataset), **{name: vars(part)[name] for name in _OF_PART}}
                    for part in one.parts
                ],
                "failed": [{**asdict(dataset), "why": why} for dataset, why in one.failed],
            }
            for one in sets
        ],
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest(text: bytes, snapshot: str) -> list[BackupSet]:
    """Read a manifest.

    Args:
        text: what `manifest_text` wrote.
        snapshot: the manifest's snapshot, in full.

    Raises:
        UserError: it is none, or one of a newer version.
    """
    try:
        document = json.loads(text)
        if document["version"] != _VERSION:
            raise UserError(
                f"the backup {snapshot[:8]} has version {document['version']}, which this gitops cannot read",
                hint="use the version of gitops that made it, or a newer one",
            )
        return [_set(document, one, snapshot) for one in document["sets"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"the snapshot {snapshot[:8]} is no manifest of gitops: {error!r}") from error


def resolved(one: BackupSet, snapshots: Collection[str]) -> BackupSet:
    """Give a set as its repository has it: what is not there any more counts as failed.

    Args:
        one: as its manifest has it; older restics tell only the beginning of an id.
        snapshots: ids of all snapshots of its run, in full.
    """
    parts: list[Part] = []
    lost = list(one.failed)
    for part in one.parts:
        found = [id_ for id_ in snapshots if part.snapshot and id_.startswith(part.snapshot)]
        if len(found) == 1:
            parts.append(replace(part, snapshot=found[0]))
        else:
            lost.append((part.dataset, f"its snapshot {part.snapshot} is not in the repository any more"))
    return replace(one, parts=tuple(parts), failed=tuple(lost))


def newest_first(sets: Iterable[BackupSet]) -> list[BackupSet]:
    """Sort sets: the newest first, those of one run by instance."""
    return sorted(sorted(sets, key=lambda one: one.instance), key=lambda one: one.time, reverse=True)


_OF_PART = ("snapshot", "path", "size", "fingerprint")


def _set(document: dict[str, Any], one: dict[str, Any], snapshot: str) -> BackupSet:
    return BackupSet(
        snapshot,
        document["run"],
        document["fleet"],
        document["host"],
        one["instance"],
        datetime.fromisoformat(document["time"]),
        tuple(Part(_dataset(part), *(part[name] for name in _OF_PART)) for part in one["parts"]),
        tuple((_dataset(failed), failed["why"]) for failed in one["failed"]),
        one["stood_still"],
        one["safety"],
    )


def _dataset(fields: dict[str, Any]) -> Dataset:
    return Dataset(fields["kind"], fields["service"], fields["name"])
