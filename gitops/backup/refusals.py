"""What restic says when it refuses, in words that help; and whether trying again could."""

import re

from gitops.backup.answers import json_lines
from gitops.system.errors import UserError
from gitops.system.run import CommandError

_MISSING = 10
"""restic's exit status for a repository that is not there, since 0.17."""

_TAIL = 12
"""Lines of restic's that are shown, at most."""

_NOT_THERE = re.compile("no such file or directory|does not exist|not found", re.IGNORECASE)


class HopelessError(UserError):
    """Nothing that time mends: another try would end the same way."""


class MissingError(UserError):
    """There is no repository, though there is where it should be."""


class ParentError(UserError):
    """The snapshot to compare with is not there any more."""


class MountError(UserError):
    """A volume cannot be shown to restic: `place` is where."""

    def __init__(self, place: str, why: str) -> None:
        """Make one of what mount(8) said."""
        self.place = place
        super().__init__(f"it cannot be mounted: {why}")


class LockedError(UserError):
    """Another restic uses the repository, as one that prunes it; or did when it died."""

    def __init__(self, repository: str, said: str) -> None:
        """Make one of what restic said; `holder` is who it is: `PID 4711 on web2 by root (UID 0, GID 0)`."""
        found = re.search(r"by (PID \d+ on .*)", said)
        self.holder = found[1].strip() if found else "another restic"
        super().__init__(
            f"the backup repository {repository} is locked by {self.holder}",
            hint="try again when that is done",
        )


def refusal(repository: str, key: str, verb: str, status: int, stderr: str) -> UserError:
    """Give the error for a restic that ended badly.

    Args:
        repository: which, as restic has it.
        key: what holds its password, for people.
        verb: what restic was to do.
        status: how it ended.
        stderr: all that it wrote there.
    """
    said = _said(stderr)
    if hopeless := _hopeless(repository, key, said):
        return hopeless
    if status == _MISSING or (
        "Is there a repository at the following location?" in said and _NOT_THERE.search(said)
    ):
        return MissingError(
            f"there is no backup repository at {repository}", hint="is its disk mounted, its server up?"
        )
    if "no matching ID found" in said:
        return ParentError(_last(said))
    if "already locked" in said:
        return LockedError(repository, said)
    return CommandError(["restic", verb], f"exit status {status}", said, status=status)


def _hopeless(repository: str, key: str, said: str) -> HopelessError | None:
    if "wrong password or no key found" in said:
        return HopelessError(
            f"the backup repository {repository} does not open with the password in {key}",
            hint="put the repository's own password there",
        )
    if "no space left on device" in said or "disk quota exceeded" in said.lower():
        return HopelessError(
            f"there is no room left for the backup repository {repository}, or for what restic keeps here",
            hint="make room, keep fewer backups, or let `gitops backup prune` give space back; the backups"
            f" that are there are as they were. restic said: {_last(said)}",
        )
    if "repository contains errors" in said:
        return HopelessError(
            f"the backup repository {repository} is damaged: {said.splitlines()[0]}",
            hint="`gitops backup drill` proves which backups are whole; what restic can mend is told at"
            f" https://restic.readthedocs.io/en/stable/077_troubleshooting.html\n{_tail(said)}",
        )
    return None


def _said(stderr: str) -> str:
    """Give what restic said as people read it: newer ones wrap it into JSON where they answer in that."""
    lines = []
    for line in stderr.splitlines():
        wrapped = json_lines(line)
        lines.append(str(wrapped[0].get("message", line)) if wrapped else line)
    return "\n".join(lines).strip()


def _tail(said: str) -> str:
    return "\n".join(f"  {line}" for line in said.splitlines()[-_TAIL:])


def _last(said: str) -> str:
    return said.splitlines()[-1] if said else "nothing"
