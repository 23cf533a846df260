"""The fleet's registry: whether it answers, and lets us in."""

from collections.abc import Iterator

from gitops.doctor.finding import Finding, ok
from gitops.doctor.machine import Machine
from gitops.registry.registry import connect


def check(machine: Machine) -> Iterator[Finding]:
    """Ask for the tags of one of the fleet's images."""
    if machine.fleet is None or machine.fleet.settings.registry is None:
        return
    image = next(iter(sorted(machine.fleet.images)), "any")
    with connect(machine.fleet.settings.registry, machine.places) as registry:
        tags = registry.tags(registry.address.repository(image))
    yield ok(f"{machine.fleet.settings.registry} answers, and has {len(tags)} of {image}")
