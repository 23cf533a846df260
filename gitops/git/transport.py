"""How git talks to a server: without a prompt, with a token no one sees, and with an end when it hangs."""

import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from gitops.system.errors import UserError

_WIDTH = 500  # characters of a line that a server may fill
_LINES = 12
_SSH = "-o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
_SLOW = {"http.lowSpeedLimit": "1000", "http.lowSpeedTime": "60"}  # bytes a second, and seconds of fewer


def without_credentials(url: str) -> str:
    """Give a remote's URL without what is secret in it: user and password of http, the password of ssh."""
    url = re.sub(r"^(https?://)[^/?#]*@", r"\1", url, flags=re.IGNORECASE)
    return re.sub(r"^(ssh://[^/:@]*):[^/@]*@", r"\1@", url, flags=re.IGNORECASE)


def takes_token(url: str) -> bool:
    """Tell whether a token is of use for a URL: for http and https, not for ssh or a directory.

    Raises:
        UserError: it would travel in the clear.
    """
    parts = urlsplit(url) if "://" in url else None
    if parts is None or parts.scheme not in {"http", "https"}:
        return False
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise UserError(f"{url}: a token is not sent over plain http", hint="use https or ssh")
    return True


def environment(url: str, token: str | None, ssh: str) -> dict[str, str]:
    """Give the variables under which git asks nobody anything.

    The token goes as HTTP Basic authentication, to this URL alone and to nowhere it redirects to. GitHub
    wants the user `x-access-token` for it; GitLab, Forgejo and Gitea take any user.

    Args:
        url: the remote's, without credentials.
        token: what the server takes for a password.
        ssh: the command that git's configuration has for ssh; empty where it has none.
    """
    found = {"GIT_TERMINAL_PROMPT": "0", **_ssh(ssh)}
    settings = list(_SLOW.items())
    if token is not None:
        found["GIT_ASKPASS"] = "false"  # a program of that name, which fails, and not the user's
        settings += [
            # An empty value forgets what stands there. Pipelines leave a token of their own behind, and
            # GitHub refuses a request with two of them.
            (f"http.{url}.extraHeader", ""),
            (f"http.{url}.extraHeader", f"Authorization: Basic {_basic(token)}"),
            (f"http.{url}.followRedirects", "false"),
            ("credential.helper", ""),
        ]
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    for number, (key, value) in enumerate(settings, first):
        found[f"GIT_CONFIG_KEY_{number}"] = key
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**found, "GIT_CONFIG_COUNT": str(first + len(settings))}


def told(text: str, token: str | None) -> str:
    """Give what git and the server said: no credentials, no control characters, and the last lines alone."""
    for secret in filter(None, (token, token and _basic(token))):
        text = text.replace(secret, "***")
    text = re.sub(r"://[^/\s@]*@", "://", text)
    return "\n  ".join(list(_lines(text))[-_LINES:])


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        words = " ".join(line.split())
        if shown := "".join(character for character in words if character.isprintable())[:_WIDTH]:
            yield shown


def _basic(token: str) -> str:
    return b64encode(f"x-access-token:{token}".encode()).decode()


def _ssh(configured: str) -> dict[str, str]:
    """Keep ssh from asking; a program that is not OpenSSH's would not know these options."""
    command = os.environ.get("GIT_SSH_COMMAND") or configured
    if (not command and "GIT_SSH" in os.environ) or (command and command.split()[0].split("/")[-1] != "ssh"):
        return {}
    return {"GIT_SSH_COMMAND": f"{command or 'ssh'} {_SSH}"}


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
