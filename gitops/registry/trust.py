"""Whose certificates a registry may have: the system's authorities, and what the engine was given for it."""

import ssl
from pathlib import Path

from gitops.system.errors import UserError

_PLACES = (Path("/etc/docker/certs.d"), Path("~/.config/docker/certs.d"))
"""Where an engine, and one without root's rights, looks for HOST:PORT/*.crt."""


def context(host: str) -> ssl.SSLContext:
    """Give what judges the certificate of a registry.

    Raises:
        UserError: a file of the engine's is no certificate.
    """
    judge = ssl.create_default_context()
    for place in _PLACES:
        for file in sorted((place.expanduser() / host).glob("*.crt")):
            try:
                judge.load_verify_locations(file)
            except (OSError, ssl.SSLError) as error:
                raise UserError(f"is no certificate that can be read: {error}", file=file) from error
    return judge
