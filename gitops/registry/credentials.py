"""Who we are to a registry: what `docker login` has left, or two variables; never an argument, never a log.

The format of docker's config.json is the docker client's own (docs.docker.com, "docker login", "Credential
stores" and "Credential helper protocol").
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.run import run

USER, PASSWORD_FILE = "GITOPS_REGISTRY_USER", "GITOPS_REGISTRY_PASSWORD_FILE"
_TOKEN = "<token>"  # noqa: S105  # the user name by which a helper says that what it gives is a token
_NONE = "credentials not found"
_PATIENCE = 30


@dataclass(frozen=True)
class Credential:
    """A user and a password; or a token that stands for both, which is exchanged for short-lived ones."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def for_engine(self) -> dict[str, str]:
        """Give it in the words of the Engine API (X-Registry-Auth)."""
        if self.token:
            return {"identitytoken": self.token}
        return {"username": self.user, "password": self.password}


Find = Callable[[], Credential | None]
"""Looks for a credential; None: the registry is asked without one."""


def find(host: str, places: Places) -> Credential | None:
    """Find the credential for a registry.

    The variables come first, then docker's config.json: in `DOCKER_CONFIG`, in CONFIG/docker where there is
    one, otherwise in ~/.docker. There, a helper for the host comes before the helper for all, and that before
    what stands in the file.

    Args:
        host: HOST[:PORT].
        places: this machine's directories.

    Raises:
        UserError: one of the two variables is missing, a file cannot be read, or a helper fails.
    """
    user, file = os.environ.get(USER), os.environ.get(PASSWORD_FILE)
    if user or file:
        if not (user and file):
            raise UserError(f"{USER} and {PASSWORD_FILE} go together: only one of them is set")
        return Credential(user, _password(Path(file)))
    path = _directory(places) / "config.json"
    try:
        known = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"docker's settings cannot be read: {error}", file=path) from error
    return _from_config(known, host, path)


def _directory(places: Places) -> Path:
    if named := os.environ.get("DOCKER_CONFIG"):
        return Path(named)
    own = places.config / "docker"
    return own if own.is_dir() else Path.home() / ".docker"


def _password(path: Path) -> str:
    try:
        password = path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"the registry's password cannot be read: {reason}", file=path) from error
    if not password or not password.isprintable():
        raise UserError("holds no password: a line of printable characters", file=path)
    return password


def _from_config(known: Any, host: str, path: Path) -> Credential | None:  # noqa: ANN401  # whatever JSON it is
    known = known if isinstance(known, dict) else {}
    parts = (known.get(name) for name in ("credHelpers", "auths"))
    helpers, entries = (part if isinstance(part, dict) else {} for part in parts)
    helper = helpers.get(host) or known.get("credsStore")
    if helper:
        return _ask(str(helper), host, path)
    entry = next((one for name, one in entries.items() if _host(name) == host), None)
    if not isinstance(entry, dict):
        return None
    if entry.get("identitytoken"):
        return Credential(token=str(entry["identitytoken"]))
    if "auth" not in entry:
        return None
    try:
        user, colon, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    except (binascii.Error, ValueError, TypeError) as error:
        raise UserError(f"what it has for {host} is not base64", file=path) from error
    if not colon:
        raise UserError(f"what it has for {host} is no user and password", file=path)
    return Credential(user, password)


def _host(name: str) -> str:
    """Give the host of an entry, which older clients wrote as an address."""
    return re.sub(r"^https?://", "", name).partition("/")[0]


def _ask(helper: str, host: str, path: Path) -> Credential | None:
    """Ask a credential helper: the host on its standard input, JSON on its standard output."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", helper):
        raise UserError(f"{helper!r} is no credential helper's name", file=path)
    done = run([f"docker-credential-{helper}", "get"], stdin=host.encode(), check=False, timeout=_PATIENCE)
    if done.status:
        if _NONE in (done.stdout + done.stderr).lower():
            return None
        # Not what it printed on standard output, which may be half a secret.
        raise UserError(
            f"docker-credential-{helper} gives no credential for {host}", hint=done.stderr.strip()[-300:]
        )
    try:
        told = json.loads(done.stdout)
        user, secret = str(told["Username"]), str(told["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"docker-credential-{helper} gives an answer that cannot be read") from error
    return Credential(token=secret) if user == _TOKEN else Credential(user, secret)
