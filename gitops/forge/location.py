"""Where a project is, read from the address of a git remote (git-clone(1), GIT URLS)."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitops.system.errors import UserError

_SCP_LIKE = re.compile(r"(?:[^@/:]+@)?(?P<host>\[[^\]/]+\]|[^@/:\[\]]+):(?!//)(?P<path>.+)")
_OTHER_DOORS = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
_PROJECT = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+")


@dataclass(frozen=True)
class Location:
    """A project on a forge.

    Args:
        address: where the forge's pages are, without a slash at its end: https://github.com.
        project: OWNER/NAME; on GitLab with groups between them.
    """

    address: str
    project: str


def locate(url: str, address: str | None = None) -> Location:
    """Read where a project is from a remote's address; user name and password are left out.

    Over ssh the forge is taken to be at https:// and the same host, on its usual port.

    Args:
        url: https://HOST/OWNER/NAME.git, ssh://git@HOST:PORT/OWNER/NAME.git or git@HOST:OWNER/NAME.git.
        address: the forge's, where it is known; what its path says is not part of the project.

    Raises:
        UserError: it is none of these.
    """
    parts = _parts(url)
    if parts is None:
        raise _unknown()
    origin, path = parts
    if address:
        origin = address.rstrip("/")
        path = path.removeprefix(f"{urlsplit(origin).path.strip('/')}/")
    path = path.removesuffix(".git")
    if not _PROJECT.fullmatch(path):
        raise _unknown()
    return Location(origin, path)


def _parts(url: str) -> tuple[str, str] | None:
    """Give the forge's address and the path below it, without slashes at either end."""
    if "://" in url:
        try:
            found = urlsplit(url)
            port = f":{found.port}" if found.port else ""
        except ValueError:
            return None
        host, path = found.hostname or "", found.path
        if found.scheme not in {"http", "https", "ssh", "git+ssh"}:
            return None
    elif scp := _SCP_LIKE.fullmatch(url):
        found, host, path, port = None, scp["host"].strip("[]"), scp["path"], ""
    else:
        return None
    if not host:
        return None
    web = found is not None and found.scheme in {"http", "https"}
    host = f"[{host}]" if ":" in host else _OTHER_DOORS.get(host, host)
    origin = f"{found.scheme}://{host}{port}" if found is not None and web else f"https://{host}"
    return origin, path.strip("/")


def _unknown() -> UserError:
    # The address itself is not repeated: people write passwords into it.
    return UserError(
        "the remote's address names no project on a forge",
        hint="write updates.forge.address and updates.forge.project, or updates.forge.kind: none",
    )
