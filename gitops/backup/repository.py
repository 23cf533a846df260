"""A host's repository: what opens it, and that it is made once and never silently made anew."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.backup.asked import AskedRepository, asked_repository
from gitops.backup.refusals import MissingError
from gitops.backup.restic import Restic
from gitops.report.history import Run, record, runs
from gitops.secrets.age import decrypt
from gitops.secrets.hosts import secret_path
from gitops.system import files
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places

if TYPE_CHECKING:
    from gitops.fleet.fleet import Fleet


def open_repository(fleet: "Fleet", host: str, places: Places) -> Restic:
    """Give a host's repository as definitions have it; as `opened`, and raises where there is none."""
    return opened(asked_repository(fleet, host), places)


def opened(asked: AskedRepository, places: Places) -> Restic:
    """Give a host's repository, with what opens it.

    Where the host names no secret as its password, one is made on first use and kept in the host's
    configuration. Without it nothing can be restored: it belongs into another safe place as well.

    Args:
        asked: which; it may name secrets, which are decrypted into this process's memory.
        places: where the host's key, its password and restic's cache are.

    Raises:
        UserError: a secret cannot be read.
    """
    environment = {
        variable: _secret(asked, name, places) for variable, name in sorted(asked.environment.items())
    }
    if asked.password:
        key = f"the secret {asked.password}"
        environment["RESTIC_PASSWORD"] = _secret(asked, asked.password, places)
    else:
        file = places.config / "restic-password"
        key = str(file)
        if not file.exists():
            files.write(file, secrets.token_urlsafe(32) + "\n", mode=0o600)
        environment["RESTIC_PASSWORD_FILE"] = key
    return Restic(asked.address, asked.host, places.cache / "restic", key, environment, asked.limits)


def make_sure_of(restic: Restic, places: Places) -> None:
    """Make the repository on first use. Whoever uses one that was known before will notice that it is gone.

    Raises:
        UserError: it cannot be opened or made.
    """
    if not is_known(restic, places):
        began, detail = now(), "found"
        if not restic.is_there():
            restic.init()
            detail = "made"
        record(places, Run("repository", "", restic.repository, began, now(), 0, detail))


def is_known(restic: Restic, places: Places) -> bool:
    """Tell whether this host has ever seen its repository; then it must be there."""
    return bool(runs(places, kind="repository", name=restic.repository, limit=1))


def gone(error: MissingError, restic: Restic) -> UserError:
    """Give the error for a repository that was there before, and is not to be begun anew by accident."""
    return UserError(
        f"the backup repository {restic.repository} is gone, and it was there before",
        hint="is its disk mounted? To begin a new one: restic init, with that repository and"
        f" {restic.key}. {error}",
    )


def _secret(asked: AskedRepository, name: str, places: Places) -> str:
    return decrypt(secret_path(Path(asked.root), name), places.config / "age.key").decode().rstrip("\r\n")
