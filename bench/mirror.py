"""The real archive's suites on loopback: signed by Debian, and as near as an archive can be.

What is measured against it is our own work and not the network's.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from bench.figure import BenchError
from gitops.debian import fetch
from gitops.debian.mirrors import HostMirrors, host_archives
from gitops.debian.release import parse

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_INDEX = "main/binary-amd64/Packages.xz"


@dataclass(frozen=True)
class Mirror:
    """Suites of the real archive, their main component for amd64.

    Args:
        root: what is served.
        address: where.
        suites: their names.
        requests: the path of every request so far.
    """

    root: Path
    address: str
    suites: Sequence[str]
    requests: list[str] = field(default_factory=list)

    @property
    def archive(self) -> str:
        """The archive's definition for fleet.yaml, on one line."""
        return f"{{mirror: '{self.address}', suites: [{', '.join(self.suites)}], keyring: {_KEYRING}}}"

    def index(self, suite: str) -> Path:
        """Where a suite's compressed index is."""
        return self.root / "dists" / suite / _INDEX

    def bring(self, path: str) -> None:
        """Copy one more file, by its path on the mirror that this host uses."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        with fetch.client() as client, fetch.get(client, f"{_host().debian}/{path}") as answer:
            fetch.refuse(answer)
            (self.root / path).write_bytes(answer.read())


@contextmanager
def mirrored(*suites: str) -> Iterator[Mirror]:
    """Copy suites from the mirror that this host uses, and serve them while the block runs.

    Raises:
        BenchError: the host's apt names no Debian mirror.
    """
    host = _host()
    root = Path(tempfile.mkdtemp(prefix="gitops-bench-mirror-"))
    requests: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *_: object) -> None:
            requests.append(self.path)

        def log_message(self, *_: object) -> None:
            """Keep the table clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    try:
        for suite in suites:
            security = host.security or f"{host.debian}-security"
            _copy(security if suite.endswith("-security") else str(host.debian), suite, root)
        Thread(target=server.serve_forever, daemon=True).start()
        yield Mirror(root, f"http://127.0.0.1:{server.server_port}", suites, requests)
        server.shutdown()
    finally:
        server.server_close()
        shutil.rmtree(root, ignore_errors=True)


def _host() -> HostMirrors:
    host = host_archives()
    if host.debian is None:
        raise BenchError("the host's apt configuration names no Debian mirror")
    return host


def _copy(mirror: str, suite: str, root: Path) -> None:
    place = root / "dists" / suite
    place.mkdir(parents=True)
    with fetch.client() as client:
        with fetch.get(client, f"{mirror}/dists/{suite}/InRelease") as answer:
            fetch.refuse(answer)
            (place / "InRelease").write_bytes(answer.read())
        size, sha256 = parse((place / "InRelease").read_text()).indexes[_INDEX]
        by_hash = Path(_INDEX).parent / "by-hash/SHA256" / sha256
        fetch.download(
            client,
            f"{mirror}/dists/{suite}/{by_hash}",
            place / by_hash,
            size=size,
            sha256=sha256,
            promised_by="InRelease",
        )
        (place / _INDEX).hardlink_to(place / by_hash)
