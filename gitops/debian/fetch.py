"""Files from mirrors, over http, https and file; with the system's CA store and the environment's proxies."""

import hashlib
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

from gitops.system.errors import UserError

CHUNK = 256 * 1024
"""Bytes that are read and hashed at a time."""


class _Files(httpx.BaseTransport):
    """Answer for file: addresses as a web server would."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = Path(request.url.path)
        if request.url.host not in {"", "localhost"} or not path.is_file():
            return httpx.Response(404)
        return httpx.Response(200, stream=_FileStream(path))


class _FileStream(httpx.SyncByteStream):
    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def client(told: Callable[[httpx.Request], None] | None = None) -> httpx.Client:
    """Make a client for mirrors; threads may share it. It tells of each request before that is made."""
    return httpx.Client(
        verify=ssl.create_default_context(),
        timeout=httpx.Timeout(30),
        follow_redirects=True,
        headers={"User-Agent": "gitops", "Accept-Encoding": "identity"},
        mounts={"file://": _Files()},
        event_hooks={"request": [told] if told else []},
    )


@contextmanager
def get(mirror: httpx.Client, url: str, headers: dict[str, str] | None = None) -> Iterator[httpx.Response]:
    """Ask for a file; the answer's status is the caller's to judge, its content is streamed.

    Raises:
        UserError: the mirror does not answer, or stops answering half way.
    """
    # httpx takes an address without host for a relative one.
    address = url.replace("file:///", "file://localhost/", 1) if url.startswith("file:///") else url
    try:
        with mirror.stream("GET", address, headers=headers) as answer:
            yield answer
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UserError(
            f"{url} cannot be fetched: {error or type(error).__name__}",
            hint="check the mirror's address, the network and the proxy variables, then run it again",
        ) from error


@contextmanager
def promised(
    mirror: httpx.Client, url: str, *, size: int, sha256: str, promised_by: str
) -> Iterator[Iterator[bytes] | None]:
    """Fetch a file whose size and hash are known, chunk by chunk; it is verified when the chunks have ended.

    Args:
        mirror: the client.
        url: its address.
        size: bytes it must have; no more are read.
        sha256: the hash it must have, in lower-case hexadecimal.
        promised_by: what told size and hash, for the message ("InRelease").

    Yields:
        Its chunks, the last of which is followed by a UserError unless all is as promised; None when the
        mirror does not have it (404, 410).

    Raises:
        UserError: the mirror cannot deliver it.
    """
    with get(mirror, url) as answer:
        if answer.status_code in {404, 410}:
            yield None
        else:
            refuse(answer)
            yield _verified(answer, url, size, sha256, promised_by)


def _verified(answer: httpx.Response, url: str, size: int, sha256: str, promised_by: str) -> Iterator[bytes]:
    digest, received = hashlib.sha256(), 0
    for chunk in answer.iter_raw(CHUNK):
        received += len(chunk)
        if received > size:
            break
        digest.update(chunk)
        yield chunk
    if received != size or digest.hexdigest() != sha256:
        found = f"more than {size}" if received > size else f"{received} of {size}"
        raise UserError(
            f"{url} is not what {promised_by} promises: {found} bytes"
            + (f", SHA-256 {digest.hexdigest()} instead of {sha256}" if received == size else ""),
            hint="the mirror is being updated, broken or tampered with; try again or use another",
        )


def download(
    mirror: httpx.Client,
    url: str,
    path: Path,
    *,
    size: int,
    sha256: str,
    promised_by: str,
    progress: Callable[[int], None] = lambda _: None,
) -> bool:
    """Fetch a file whose size and hash are known; it is there whole and verified, or not at all.

    Args:
        mirror: the client.
        url: its address.
        path: where it goes.
        size: as for `promised`.
        sha256: as for `promised`.
        promised_by: as for `promised`.
        progress: is told of every so many bytes more.

    Returns:
        False when the mirror does not have it (404, 410).

    Raises:
        UserError: it is not what was promised, or the mirror cannot deliver it.
    """
    with promised(mirror, url, size=size, sha256=sha256, promised_by=promised_by) as chunks:
        if chunks is None:
            return False
        with writing(path) as file:
            for chunk in chunks:
                file.write(chunk)
                progress(len(chunk))
    return True


def refuse(answer: httpx.Response) -> None:
    """Raise a UserError unless a mirror's answer brings the file."""
    if not answer.is_success:
        raise UserError(f"{answer.url} cannot be fetched: HTTP status {answer.status_code}")


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file piece by piece; it has its name only once the block has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
