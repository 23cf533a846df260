"""What restic answers, in JSON: snapshots that there are, and one that was saved (manual, "Scripting")."""

import errno
import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops.system.errors import UserError


@dataclass(frozen=True)
class Snapshot:
    """One snapshot in a repository, with the time at which it was begun."""

    id: str
    time: datetime
    tags: tuple[str, ...]

    def tag(self, key: str) -> str:
        """Give the value of a tag `KEY=VALUE`; empty where there is none."""
        return next((one.partition("=")[2] for one in self.tags if one.startswith(f"{key}=")), "")


@dataclass(frozen=True)
class Saved:
    """A snapshot that was saved.

    Args:
        snapshot: its id; restics before 0.15 tell the first eight characters.
        size: the bytes that it holds.
        unread: what could not be read, and is not in it: its path on this machine, and why.
    """

    snapshot: str
    size: int
    unread: tuple[tuple[str, str], ...] = ()


def snapshots(stdout: str) -> list[Snapshot]:
    """Read what `restic snapshots` lists, and give the oldest first."""
    found = (
        Snapshot(one["id"], datetime.fromisoformat(one["time"]), tuple(one.get("tags") or ()))
        for one in json.loads(stdout) or ()
    )
    return sorted(found, key=lambda snapshot: snapshot.time)


def saved(stdout: str, stderr: str, *, incomplete: bool) -> Saved:
    """Read what `restic backup` says of the snapshot that it has saved.

    Args:
        stdout: its summary is there.
        stderr: what it could not read is there.
        incomplete: whether its exit status says that there is something which it could not read.

    Raises:
        UserError: it does not say what that is.
    """
    (summary,) = (one for one in json_lines(stdout) if one.get("message_type") == "summary")
    errors = [one for one in json_lines(stderr) if one.get("message_type") == "error"]
    if incomplete and not errors:
        raise UserError("restic could not read some files, and does not say which", hint=stderr.strip())
    unread = tuple((one["item"], why_unread(one["error"])) for one in errors)
    return Saved(summary["snapshot_id"], summary["total_bytes_processed"], unread)


def how_far(line: bytes) -> tuple[int, int] | None:
    """Read bytes done and bytes in all of a line that says how far restic is; None of any other line.

    `backup` and, since 0.16, `restore` say so. While a backup looks for files, what there is in all grows.
    """
    try:
        said = json.loads(line)
        if said["message_type"] != "status":
            return None
        return said.get("bytes_done", said.get("bytes_restored", 0)), said.get("total_bytes", 0)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def why_unread(error: object) -> str:
    """Say in a few words why a file could not be read: restic 0.14 gives an errno, newer ones a sentence."""
    if isinstance(error, dict):
        if isinstance(number := error.get("Err"), int):
            return os.strerror(number)
        if message := error.get("message"):
            return str(message).rpartition(": ")[2]
        return f"{error.get('Op', 'it')} failed"
    return str(error)


def has_vanished(why: str) -> bool:
    """Tell of what `why_unread` said whether the file was removed just then."""
    return why.lower() == os.strerror(errno.ENOENT).lower()


def json_lines(text: str) -> list[dict[str, Any]]:
    """Give the JSON objects among the lines of what restic wrote."""
    found = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
