"""The host's age key, and whether decrypted secrets stay in memory."""

from collections.abc import Iterator

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine
from gitops.secrets.age import make_identity
from gitops.secrets.memory import in_memory


def check(machine: Machine) -> Iterator[Finding]:
    """Look at the key, and at the place of what it opens."""
    key = machine.places.config / "age.key"
    recipient = machine.fleet.hosts[machine.host].age if machine.fleet and machine.host else None
    if not key.is_file():
        if recipient:
            advice = (
                "gitops secret key makes another: write it into the host's file, then gitops secret rekey"
            )
            yield problem(f"hosts/{machine.host}.yaml names an age recipient, and {key} is not there", advice)
        else:
            yield ok("no age key yet; gitops secret key makes one when there are secrets")
        return
    if key.stat().st_mode & 0o077:
        yield problem(f"{key} can be read by others", f"chmod 600 {key}, and make another if somebody did")
    own = make_identity(key)
    if recipient and own != recipient:
        advice = f"write age: {own} there, then gitops secret rekey"
        yield problem(f"hosts/{machine.host}.yaml names another recipient than {key} has", advice)
    else:
        yield ok(f"{key} is the host's" if recipient else f"{key} is there")
    if not in_memory(machine.places.runtime):
        advice = "set GITOPS_RUNTIME to a directory on a tmpfs"
        yield warning(f"decrypted secrets would lie on a disk, in {machine.places.runtime}", advice)
