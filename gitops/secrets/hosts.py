"""Which hosts read a secret, and giving it to the containers of one of them."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.secrets.age import decrypt
from gitops.system.errors import Problem, UserError
from gitops.system.files import sha256, write


def secret_path(root: Path, name: str) -> Path:
    """Say where a secret's encrypted file is."""
    return root / "secrets" / f"{name}.age"


def recipients(fleet: Fleet, name: str) -> dict[str, str]:
    """Give each host whose instances use a secret, and its age recipient.

    Raises:
        UserError: nothing uses it, or a host that does has no recipient.
    """
    hosts = [host for host in sorted(fleet.hosts) if name in _used(fleet, host)]
    if not hosts:
        raise UserError(
            f"no instance uses the secret {name}", hint=f"name it in an app first: `secrets: [{name}]`"
        )
    problems = [
        Problem(
            file=f"hosts/{host}.yaml",
            message=f"uses the secret {name} but has no `age`",
            hint="run gitops secret key there and write what it prints as `age: age1…`",
        )
        for host in hosts
        if not fleet.hosts[host].age
    ]
    if problems:
        raise UserError.of(problems)
    return {host: recipient for host in hosts if (recipient := fleet.hosts[host].age)}


def secret_digests(fleet: Fleet, host: str) -> dict[str, str]:
    """Give the SHA-256 of each encrypted file that a host uses: another after each `set`."""
    used = sorted(_used(fleet, host) & fleet.secrets)
    return {name: sha256(secret_path(fleet.root, name)) for name in used}


def give(fleet: Fleet, instance: str, service: str, host: str, *, directory: Path, identity: Path) -> None:
    """Decrypt a service's secrets into `DIRECTORY/INSTANCE/SERVICE/`, with owner and mode as defined.

    The directories above keep everyone else out; the service's own is its container's /run/secrets.

    Args:
        fleet: the definitions.
        instance: one of the host's.
        service: one of its services.
        host: the host.
        directory: where secrets go, on a file system in memory.
        identity: the host's age key.

    Raises:
        UserError: a secret cannot be decrypted, or its owner cannot be set without being root.
    """
    own = directory / instance / service
    own.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    own.chmod(0o755)
    for use in fleet.instance(host, instance).definition.services[service].secrets:
        path = own / (use.target or use.source)
        write(path, decrypt(secret_path(fleet.root, use.source), identity), mode=use.mode)
        wanted = (int(use.uid), int(use.gid))
        if (path.stat().st_uid, path.stat().st_gid) != wanted:
            try:
                os.chown(path, *wanted)
            except PermissionError as error:
                raise UserError(f"only root can give the secret {use.source} to user {use.uid}") from error


def take_away(directory: Path, kept: Mapping[str, Iterable[str]]) -> None:
    """Remove the decrypted secrets of what does not run here any more.

    Args:
        directory: where secrets go.
        kept: the services of each instance that still have theirs.
    """
    for own in sorted(directory.glob("*/*")):
        if own.name not in kept.get(own.parent.name, ()):
            for file in own.iterdir():
                file.unlink()
            own.rmdir()
            if not any(own.parent.iterdir()):
                own.parent.rmdir()


def _used(fleet: Fleet, host: str) -> set[str]:
    return {
        use.source
        for instance in fleet.instances(host).values()
        for service in instance.definition.services.values()
        for use in service.secrets
    }
