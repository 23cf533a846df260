"""Putting hooks into a repository, in front of those that are there already; and taking them out again.

An older hook is kept beside ours as `NAME.before-gitops`, and ours calls it. Where a forge has a directory
`NAME.d` of hooks which it runs one after the other (Gitea, Forgejo), ours becomes one of those.
"""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.shipped import shipped

COMMITTING = ("pre-commit", "pre-merge-commit")
RECEIVING = ("pre-receive", "post-receive")

REMEMBERED = "gitops"
"""Where hooks keep what they remember, in the repository's own directory; it can be removed at any time."""

_MARK = b"# Installed by `gitops hooks install"
_CALL = "gitops() { command gitops "
_EXECUTABLE = 0o755


@dataclass(frozen=True)
class Slot:
    """Where one hook goes.

    Args:
        file: the hook.
        name: git's word for it.
    """

    file: Path
    name: str

    @property
    def older(self) -> Path:
        """Give where the hook that was there before ours is kept."""
        return self.file.with_name(f"{self.name}.before-gitops")

    @property
    def is_ours(self) -> bool:
        """Tell whether our hook is there."""
        return self.file.is_file() and _MARK in self.file.read_bytes()


def install(directory: Path, names: tuple[str, ...], command: list[str]) -> list[str]:
    """Put hooks into a directory; where ours are already, they are made what they are now.

    Args:
        directory: where git looks for them; made where it is missing.
        names: which.
        command: what runs gitops, with an absolute path.

    Returns:
        What was done, a line each.

    Raises:
        UserError: it cannot be; nothing is changed then.
    """
    slots = [_slot(directory, name) for name in names]
    for slot in slots:
        _refuse_strange(slot)
    told = []
    try:
        for slot in slots:
            text = (
                (shipped("hooks") / slot.name)
                .read_text()
                .replace(_CALL, f"gitops() {{ {shlex.join(command)} ")
            )
            _keep_older(slot)
            changed = write(slot.file, text, _EXECUTABLE)
            after = (
                f"; after {slot.older.name}, which was there before" if os.path.lexists(slot.older) else ""
            )
            told.append(f"{slot.file}: {'installed' if changed else 'is installed'}{after}")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=error.filename or directory) from error
    return told


def uninstall(directory: Path) -> list[str]:
    """Take our hooks out of a directory, and put back what was there before.

    Returns:
        What was done, a line each.

    Raises:
        UserError: somebody has put another hook in our place; nothing is changed then.
    """
    slots = [_slot(directory, name) for name in (*COMMITTING, *RECEIVING)]
    for slot in slots:
        if os.path.lexists(slot.older) and not slot.is_ours:
            raise UserError(
                f"is not gitops's hook any more, and what was there before is {slot.older.name}",
                file=slot.file,
                hint="put right by hand which of the two it should be",
            )
    told = []
    for slot in slots:
        if slot.is_ours and os.path.lexists(slot.older):
            slot.older.replace(slot.file)
            told.append(f"{slot.file}: is again what it was before")
        elif slot.is_ours:
            slot.file.unlink()
            told.append(f"{slot.file}: removed")
    return told


def forget(repository: Path) -> None:
    """Remove what hooks have remembered in a repository's own directory."""
    shutil.rmtree(repository / REMEMBERED, ignore_errors=True)


def _slot(directory: Path, name: str) -> Slot:
    others = directory / f"{name}.d"
    return Slot(others / "gitops" if others.is_dir() else directory / name, name)


def _refuse_strange(slot: Slot) -> None:
    if os.path.lexists(slot.file) and not (slot.file.is_file() or slot.file.is_symlink()):
        raise UserError("is no file", file=slot.file)
    if slot.is_ours or not (os.path.lexists(slot.file) and os.path.lexists(slot.older)):
        return
    if not slot.file.samefile(slot.older):
        raise UserError(
            f"is another's hook, and so is {slot.older.name}, which was there before gitops's",
            file=slot.file,
            hint="keep one of the two",
        )


def _keep_older(slot: Slot) -> None:
    """Give an older hook its second name; there is no moment at which the repository has no hook."""
    if os.path.lexists(slot.file) and not slot.is_ours and not os.path.lexists(slot.older):
        os.link(slot.file, slot.older, follow_symlinks=False)
