"""The host's backup repository: whether it is there and its password opens it."""

from collections.abc import Iterator

from gitops.backup.repository import is_known, open_repository
from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine


def check(machine: Machine) -> Iterator[Finding]:
    """Ask the repository for its configuration; nothing is made."""
    if machine.fleet is None or machine.host is None:
        return
    wanted = machine.fleet.hosts[machine.host].backup
    backed = any(each.definition.backup for each in machine.fleet.instances(machine.host).values())
    if wanted is None:
        if backed:
            advice = f"add backup: {{repository: …}} to hosts/{machine.host}.yaml"
            yield problem("apps here are to be backed up, and the host has no repository", advice)
        return
    if wanted.password is None and not (machine.places.config / "restic-password").exists():
        yield ok(f"{wanted.repository} is not used yet; the first backup makes its password, too")
        return
    restic = open_repository(machine.fleet, machine.host, machine.places)
    if restic.is_there():
        yield ok(f"{restic.repository} answers, and {restic.key} opens it")
        if wanted.password is None:
            yield from _only_here(machine)
    elif is_known(restic, machine.places):
        yield problem(f"{restic.repository} is gone, and was there before", "is its disk mounted?")
    else:
        yield ok(f"{restic.repository} is not there yet; the first backup makes it")


def _only_here(machine: Machine) -> Iterator[Finding]:
    path = machine.places.config / "restic-password"
    if path.stat().st_mode & 0o077:
        yield warning(f"{path} can be read by others", f"chmod 600 {path}")
