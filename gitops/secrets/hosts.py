"""Giving secrets to the containers of a host, and taking them away again."""

import logging
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.secrets.age import decrypt
from gitops.secrets.memory import in_memory
from gitops.system.errors import UserError
from gitops.system.files import sha256, write

if TYPE_CHECKING:
    from gitops.fleet.fleet import Fleet
    from gitops.fleet.services import SecretUse

log = logging.getLogger(__name__)


def secret_path(root: Path, name: str) -> Path:
    """Say where a secret's encrypted file is."""
    return root / "secrets" / f"{name}.age"


def secret_digests(fleet: "Fleet") -> dict[str, str]:
    """Give the SHA-256 of each encrypted file of a fleet: another after each `set`."""
    return {name: sha256(secret_path(fleet.root, name)) for name in sorted(fleet.secrets)}


def give(root: Path, uses: "Collection[SecretUse]", own: Path, identity: Path) -> None:
    """Decrypt a service's secrets into its container's /run/secrets, with owner and mode as defined.

    Args:
        root: the fleet.
        uses: which secrets, and how the service sees them.
        own: the container's directory, `DIRECTORY/INSTANCE/SERVICE`, on a file system in memory; the
            directories above keep everyone else out.
        identity: the host's age key.

    Raises:
        UserError: a secret cannot be decrypted, or its owner cannot be set without being root.
    """
    own.mkdir(parents=True, exist_ok=True)
    own.parents[1].chmod(0o700)
    own.chmod(0o755)
    if not in_memory(own):
        log.warning("%s: secrets lie on a disk here; set GITOPS_RUNTIME to a tmpfs", own.parents[1])
    for use in uses:
        path = own / (use.target or use.source)
        write(path, decrypt(secret_path(root, use.source), identity), mode=use.mode)
        wanted = (int(use.uid), int(use.gid))
        if (path.stat().st_uid, path.stat().st_gid) != wanted:
            try:
                os.chown(path, *wanted)
            except PermissionError as error:
                raise UserError(f"only root can give the secret {use.source} to user {use.uid}") from error


def take_away(directory: Path, kept: Collection[Path], spared: Collection[str] = ()) -> None:
    """Remove the secrets of what does not run here any more.

    Args:
        directory: where secrets are, decrypted or not: `DIRECTORY/INSTANCE/SERVICE.DIGEST/`.
        kept: the directories that containers still have, as from there.
        spared: instances that may still have any of theirs.
    """
    for own in sorted(directory.glob("*/*")):
        if own.relative_to(directory) not in kept and own.parent.name not in spared:
            shutil.rmtree(own)
            if not any(own.parent.iterdir()):
                own.parent.rmdir()
