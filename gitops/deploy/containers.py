"""The containers of an instance, by what the engine says: those that git has forgotten, too."""

from difflib import get_close_matches

from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.system.errors import UserError


def containers_of(
    engine: Docker, fleet: str, host: str, instance: str, service: str | None = None
) -> dict[str, Observed]:
    """Give an instance's containers by service, sorted; of two in a roll-out, the new one.

    Args:
        engine: the host's engine.
        fleet: the fleet's name.
        host: the host's name.
        instance: whose.
        service: this one alone.

    Raises:
        UserError: there is none, or the engine is away.
    """
    everything = engine.containers(fleet, host)
    found = {
        one.service: one
        for one in sorted(everything, key=lambda one: (one.service, not one.aside))
        if one.instance == instance
    }
    if not found:
        raise _unknown("instance", instance, {one.instance for one in everything}, f"on {host}")
    if service is None:
        return found
    if service not in found:
        raise _unknown("service", service, set(found), f"in {instance}")
    return {service: found[service]}


def _unknown(kind: str, name: str, known: set[str], where: str) -> UserError:
    near = get_close_matches(name, sorted(known), 1)
    there = f"there are {', '.join(sorted(known))}" if known else "there is none"
    return UserError(
        f"no container of {kind} {name} {where}", hint=f"did you mean {near[0]}?" if near else there
    )
