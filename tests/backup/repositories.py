"""Which restic takes backups in tests, and where to: each that Debian has, over sftp and to a rest server."""

import shlex
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gitops.debian.mirrors import host_archives
from gitops.debian.sources import Source
from gitops.debian.store import Store
from gitops.debian.suites import refresh
from gitops.images.machine import native
from gitops.system.locks import exclusive
from tests.database_fixtures import until
from tests.git.servers import SshServer, ssh_server
from tests.quick_repository import make_quick

_KEPT = Path(__file__).parents[2] / ".make" / "restic"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def debian_programs(suite: str, package: str) -> Path:
    """Give the directory of the programs in a suite's package; it is fetched, verified and unpacked once."""
    place = _KEPT / f"{package}-{suite}"
    with exclusive(_KEPT / "lock", "Debian's packages for tests", wait=600):
        if not place.exists():
            mirror = host_archives().debian
            assert mirror, "the host's apt names no Debian mirror"
            source = Source("debian", mirror, suite, ("main",), _KEYRING)
            found = max(refresh([source], native(), _KEPT / "indexes").candidates(package))
            store = Store(_KEPT / "store")
            store.fetch([found], {source.archive: [mirror]})
            with TemporaryDirectory(dir=_KEPT) as directory:
                unpacked = Path(directory) / "root"
                subprocess.run(["dpkg-deb", "--extract", store.path(found.sha256), unpacked], check=True)
                unpacked.rename(place)
    return next(place / one for one in ("usr/bin", "bin") if (place / one).is_dir())


@dataclass(frozen=True)
class SftpRepository:
    """A repository on a server.

    Args:
        repository: its address, for restic.
        server: who has it.
    """

    repository: str
    server: SshServer


@contextmanager
def sftp_repository(root: Path) -> Iterator[SftpRepository]:
    """Serve a repository below `root` over sftp; the `ssh` on PATH is one that has the key.

    restic runs `ssh`, which reads the user's own configuration; a test has none but its own program.
    """
    with ssh_server(root) as server, pytest.MonkeyPatch.context() as patch:
        programs = root / "bin"
        programs.mkdir()
        command = shlex.split(server.command)
        (programs / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/{shlex.join(command)} "$@"\n')
        (programs / "ssh").chmod(0o755)
        patch.setenv("PATH", str(programs), prepend=":")
        make_quick(root / "repository")
        yield SftpRepository(f"sftp{server.url.removeprefix('ssh')}/{root / 'repository'}", server)


@contextmanager
def rest_repository(root: Path, *options: str) -> Iterator[str]:
    """Run Debian 13's restic-rest-server, which Debian 12 lacks; give the address of a repository."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    make_quick(root / "web1")
    program = debian_programs("trixie", "restic-rest-server") / "restic-rest-server"
    words: list[str | Path] = [
        program,
        "--no-auth",
        "--listen",
        f"127.0.0.1:{port}",
        "--path",
        root,
        *options,
    ]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: _listens(port))
            yield f"rest:http://127.0.0.1:{port}/web1/"
        finally:
            server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
