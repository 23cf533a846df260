"""Which host a command means."""

import socket
from difflib import get_close_matches

from gitops.fleet.fleet import Fleet
from gitops.system.errors import UserError


def host_of(fleet: Fleet, host: str | None) -> str:
    """Find the host that is meant: the named one, the fleet's only one, or the one called like this machine.

    Raises:
        UserError: there is no such host, or it cannot be told which one is meant.
    """
    names = sorted(fleet.hosts)
    if host is None and len(names) == 1:
        return names[0]
    name = host or socket.gethostname().partition(".")[0]
    if name not in fleet.hosts:
        near = get_close_matches(name, names, 1)
        known = f"name one with --host: {', '.join(names) or 'there is none yet'}"
        hint = f"did you mean {near[0]}?" if near else known
        raise UserError(f"the fleet has no host {name}", hint=hint)
    return name
