"""Where a registry is, as `registry:` in fleet.yaml says it: HOST[:PORT][/PATH]."""

import ipaddress
import re
from dataclasses import dataclass

from gitops.system.errors import UserError

STATEMENTS = "gitops.statements"
"""The repository below PATH that holds a fleet's statements; no image's name has a dot."""

_HUB = {"docker.io", "index.docker.io", "registry-1.docker.io"}
_REFERENCE = re.compile(r"(?P<registry>.+)/(?P<image>[^/:]+):(?P<identity>[0-9a-f]{32})")


@dataclass(frozen=True)
class Address:
    """A registry, and the part of it that is a fleet's.

    Args:
        host: HOST or HOST:PORT, as the engine has it before the first slash of an image's name.
        path: what stands before every repository's name, with a slash at its end; or nothing.
    """

    host: str
    path: str

    def repository(self, image: str) -> str:
        """Give the name that an image's repository has in the registry's own interface."""
        return f"{self.path}{image}"

    @property
    def statements(self) -> str:
        """Give the name of the repository of statements."""
        return self.repository(STATEMENTS)

    @property
    def loopback(self) -> bool:
        """Tell whether it is on this machine, where the engine takes http, too."""
        name = re.sub(r":\d+$", "", self.host).strip("[]")
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"


def parse(registry: str) -> Address:
    """Take a registry's name apart.

    Raises:
        UserError: the engine would take it for something else.
    """
    host, _, path = registry.partition("/")
    if host in _HUB:
        raise UserError(
            f"the registry {host} cannot be used: the engine leaves its name out of those of images",
            hint="any other OCI registry can; docs/registry.md tells how to run one",
        )
    if not (re.search(r"[.:]", host) or host == "localhost"):
        raise UserError(
            f"the registry {registry!r} has no host: the engine would look for it on Docker Hub",
            hint="write registry: HOST[:PORT][/PATH] in fleet.yaml, with a dot or a port in it",
        )
    return Address(host, f"{path}/" if path else "")


@dataclass(frozen=True)
class Reference:
    """An image's name, taken apart: REGISTRY/IMAGE:IDENTITY."""

    registry: str
    image: str
    identity: str


def split(reference: str) -> Reference:
    """Take an image's name apart.

    Raises:
        UserError: it is none that gitops gives.
    """
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise UserError(f"{reference!r} is not an image's name, REGISTRY/IMAGE:IDENTITY")
    return Reference(**found.groupdict())
