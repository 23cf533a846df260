"""Who can read each secret: which recipients it is encrypted for, and for whom it should be.

An age file does not say for whom it is. So `secrets/.recipients` does, a line a secret: its name, then its
recipients. Losing the file costs encrypting everything anew.
"""

from collections.abc import Mapping
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.secrets.age import decrypt, encrypt
from gitops.secrets.hosts import secret_path
from gitops.system.errors import Problem, UserError
from gitops.system.files import write


def recipients(fleet: Fleet, name: str) -> dict[str, str]:
    """Give everyone who is to read a secret, hosts and administrators, and their age recipients.

    Raises:
        UserError: no host uses it, or one that does has no recipient.
    """
    hosts = [host for host in sorted(fleet.hosts) if name in used(fleet, host)]
    if not hosts:
        raise UserError(
            f"nothing uses the secret {name}", hint=f"name it in an app first: `secrets: [{name}]`"
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
    found = {host: recipient for host in hosts if (recipient := fleet.hosts[host].age)}
    return {**found, **fleet.settings.administrators}


def used(fleet: Fleet, host: str) -> set[str]:
    """Give the secrets that a host uses: for its instances, its backups, its update bot, telling people."""
    backup, bot = fleet.hosts[host].backup, fleet.hosts[host].updates
    return (
        (backup.secrets if backup else set())
        | ({bot.token} if bot and bot.token else set())
        | set(fleet.settings.notifications.everybody)
        | {
            use.source
            for instance in fleet.instances(host).values()
            for service in instance.definition.services.values()
            for use in service.secrets
        }
    )


def put(fleet: Fleet, name: str, value: bytes) -> dict[str, str]:
    """Encrypt a value for all who are to read it, into the fleet; give them as `recipients` does."""
    readers = recipients(fleet, name)
    write(secret_path(fleet.root, name), encrypt(value, readers.values()))
    _note(fleet.root, {**_noted(fleet.root), name: sorted(readers.values())})
    return readers


def rekey(fleet: Fleet, identity: Path) -> dict[str, tuple[list[str], bool]]:
    """Encrypt anew what is not encrypted for exactly those who are to read it.

    Args:
        fleet: the definitions.
        identity: an age key that can read every such secret.

    Returns:
        Each secret that was encrypted anew: who reads it now, and whether somebody else could before.

    Raises:
        UserError: one cannot be decrypted; those before it are done.
    """
    noted = _noted(fleet.root)
    everyone = {name for host in fleet.hosts for name in used(fleet, host)}
    done: dict[str, tuple[list[str], bool]] = {}
    for name in sorted(fleet.secrets & everyone):
        wanted = sorted(recipients(fleet, name).values())
        if noted.get(name) != wanted:
            readers = put(fleet, name, decrypt(secret_path(fleet.root, name), identity))
            done[name] = (sorted(readers), bool(set(noted.get(name, ())) - set(wanted)))
    return done


def _noted(root: Path) -> dict[str, list[str]]:
    try:
        lines = (root / "secrets" / ".recipients").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {words[0]: sorted(words[1:]) for line in lines if (words := line.split())}


def _note(root: Path, noted: Mapping[str, list[str]]) -> None:
    there = {name: found for name, found in noted.items() if secret_path(root, name).is_file()}
    lines = [" ".join([name, *found]) for name, found in sorted(there.items())]
    write(root / "secrets" / ".recipients", "".join(f"{line}\n" for line in lines))
