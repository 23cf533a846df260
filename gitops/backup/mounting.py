"""A host's backups as files in a directory, through FUSE."""

import shutil
import signal
from pathlib import Path

from gitops.backup.vault import Vault
from gitops.system.errors import UserError

_FUSE = Path("/dev/fuse")
_MOUNTERS = ("fusermount", "fusermount3")
"""Programs of Debian's fuse3; which of the two restic runs depends on its version."""


def mount(vault: Vault, directory: Path) -> None:
    """Show the host's backups in a directory, to be read only, until Ctrl-C or an unmount ends that.

    Args:
        vault: whose backups.
        directory: exists, and should be empty.

    Raises:
        UserError: FUSE is missing, the directory is, or the repository cannot be opened.
    """
    if not _FUSE.exists():
        raise UserError(
            f"this machine has no {_FUSE}, without which nothing can be mounted",
            hint="load the kernel's module: modprobe fuse; in a container it must be allowed from outside",
        )
    if not any(map(shutil.which, _MOUNTERS)):
        raise UserError("restic mounts through FUSE, and fusermount is missing", hint="apt install fuse3")
    if not directory.is_dir():
        raise UserError(f"{directory} is not a directory", hint=f"make it: mkdir {directory}")
    with vault.restic.mount(directory, vault.tags) as process:
        try:
            _, said = process.communicate()
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.communicate()  # it unmounts first
            raise
    if process.returncode:
        raise vault.restic.refusal("mount", process.returncode, said.decode(errors="replace"))
