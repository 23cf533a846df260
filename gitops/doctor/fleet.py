"""Whether there is a fleet, and whether it can be read."""

from collections.abc import Iterator

from gitops.doctor.finding import Finding, ok, problem
from gitops.doctor.machine import Machine


def check(machine: Machine) -> Iterator[Finding]:
    """Look at the definitions."""
    if machine.refusal:
        count = len(machine.refusal.problems)
        yield problem(
            f"{machine.root} has {count} {'problem' if count == 1 else 'problems'}", "gitops check tells them"
        )
    elif machine.fleet is None:
        yield ok("there is none around this directory; gitops init writes one")
    elif machine.host is None:
        yield ok(f"{machine.fleet.settings.name}, in {machine.root}; this machine is none of its hosts")
    else:
        yield ok(f"{machine.fleet.settings.name}, in {machine.root}; this machine is its host {machine.host}")
