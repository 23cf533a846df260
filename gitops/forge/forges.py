"""The kinds of forge: a module each with one function, `connect`; the registry is `KINDS`."""

import importlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitops.forge.patience import Patience
from gitops.forge.pull_request import Forge
from gitops.system.errors import UserError


@dataclass(frozen=True)
class Kind:
    """A kind of forge.

    Args:
        module: whose `connect(address, project, token, patience)` gives a Forge; imported when it is needed.
        library: the Python module it cannot do without.
        package: Debian's package of that.
        extra: ours, for pip.
    """

    module: str
    library: str
    package: str
    extra: str


_FORGEJO = Kind("gitops.forge.forgejo", "httpx", "python3-httpx", "")
KINDS: Mapping[str, Kind] = {
    "github": Kind("gitops.forge.github", "github", "python3-github", "github"),
    "gitlab": Kind("gitops.forge.gitlab", "gitlab", "python3-gitlab", "gitlab"),
    "forgejo": _FORGEJO,
    "gitea": _FORGEJO,
}
"""By the name that `updates.forge.kind` has."""


def connect(
    kind: str, address: str, project: str, token: str | None, *, patience: Patience | None = None
) -> Forge:
    """Make what speaks with a project's forge; nothing is asked yet.

    Args:
        kind: one of KINDS.
        address: where the forge's pages are: https://github.com.
        project: OWNER/NAME; on GitLab with groups between them.
        token: what it is let in with.
        patience: how long the forge is given.

    Raises:
        UserError: there is no token, it would go through the network unencrypted, or a library is missing.
    """
    chosen = KINDS[kind]
    if token is None:
        raise UserError(
            f"there is no token for {address}",
            hint="set GITOPS_FORGE_TOKEN or GITOPS_FORGE_TOKEN_FILE; docs/updates.md says what it may do",
        )
    url = urlsplit(address)
    if url.username or url.password:
        raise UserError("updates.forge.address must not hold a user name or a token")
    if url.scheme != "https" and not (url.scheme == "http" and _loopback(url.hostname)):
        raise UserError(
            f"the token would go to {url.hostname} unencrypted",
            hint="write updates.forge.address as https://…",
        )
    try:
        module = importlib.import_module(chosen.module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != chosen.library:
            raise
        raise UserError(
            f"updates.forge.kind is {kind}, but Python has no module {chosen.library}",
            hint=f"apt install {chosen.package}, or: pip install 'gitops[{chosen.extra}]'",
        ) from error
    forge: Forge = module.connect(address.rstrip("/"), project, token, patience or Patience())
    return forge


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
