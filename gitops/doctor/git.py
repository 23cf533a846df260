"""The fleet's repository: who commits, and whether its remote answers."""

from collections.abc import Iterator
from pathlib import Path

from gitops.doctor.finding import Finding, ok, warning
from gitops.doctor.machine import Machine
from gitops.forge.token import read_token
from gitops.git.remote import Remote
from gitops.git.repository import Repository

_PATIENCE = 10


def check(machine: Machine) -> Iterator[Finding]:
    """Ask the remote for its branches; without a fleet, look for a committer alone."""
    repository = Repository(machine.root or Path.cwd())
    if machine.deployed:
        return
    if machine.root:
        _ = repository.directory
    if repository.git("config", "user.email", check=False).stdout.strip():
        yield ok("git knows who commits")
    else:
        yield warning("git does not know who you are", "git config --global user.email YOU@…, and user.name")
    if machine.fleet is None:
        return
    name = machine.fleet.settings.updates.remote
    if name not in repository.git("remote", check=False).stdout.split():
        yield ok(f"there is no remote {name}: updates stay branches of this repository")
        return
    remote = Remote(repository, name, read_token(machine.places), timeout=_PATIENCE)
    yield ok(f"{remote.url} answers; its branch is {remote.default_branch()}")
