"""A host's repository: what opens it, and that it is made once and never silently made anew."""

import secrets

from gitops.backup.refusals import MissingError
from gitops.backup.restic import Restic
from gitops.fleet.fleet import Fleet
from gitops.report.history import Run, record, runs
from gitops.secrets.age import decrypt
from gitops.secrets.hosts import secret_path
from gitops.system import files
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places


def open_repository(fleet: Fleet, host: str, places: Places) -> Restic:
    """Give a host's repository, with what opens it.

    Where the host names no secret as its password, one is made on first use and kept in the host's
    configuration. Without it nothing can be restored: it belongs into another safe place as well.

    Args:
        fleet: the definitions; they may name secrets, which are decrypted into this process's memory.
        host: whose repository.
        places: where the host's key, its password and restic's cache are.

    Raises:
        UserError: the host has none, or a secret cannot be read.
    """
    wanted = fleet.hosts[host].backup
    if wanted is None:
        raise UserError(
            f"the host {host} has no backup repository",
            hint=f"add backup: {{repository: …}} to hosts/{host}.yaml",
        )
    environment = {
        variable: _secret(fleet, name, places) for variable, name in sorted(wanted.environment.items())
    }
    if wanted.password:
        key = f"the secret {wanted.password}"
        environment["RESTIC_PASSWORD"] = _secret(fleet, wanted.password, places)
    else:
        file = places.config / "restic-password"
        key = str(file)
        if not file.exists():
            files.write(file, secrets.token_urlsafe(32) + "\n", mode=0o600)
        environment["RESTIC_PASSWORD_FILE"] = key
    return Restic(wanted.repository, host, places.cache / "restic", key, environment, wanted.limits)


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


def _secret(fleet: Fleet, name: str, places: Places) -> str:
    return decrypt(secret_path(fleet.root, name), places.config / "age.key").decode().rstrip("\r\n")
