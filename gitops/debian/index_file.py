"""A Packages file on its way in: unpacked while it arrives, and kept only when it is what was promised."""

import io
import zlib
from collections.abc import Callable, Iterator
from gzip import BadGzipFile, GzipFile
from lzma import LZMAError, LZMAFile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from gitops.debian import fetch
from gitops.debian.release import Release
from gitops.system.errors import UserError
from gitops.system.progress import Amount

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_OPEN: dict[str, Callable[[io.BufferedReader], io.BufferedIOBase]] = {
    ".xz": LZMAFile,
    ".gz": lambda packed: GzipFile(fileobj=packed),
    "": lambda packed: packed,
}
_LARGEST = 4 * 1024 * 1024 * 1024  # bytes of an index whose plain size no one promises; Debian's has 60 MB


def fetch_index(
    mirror: httpx.Client,
    release: Release,
    suite: str,
    directory: str,
    place: Path,
    progress: Callable[[Amount], None],
) -> Path | None:
    """Fetch the Packages file of a component and architecture, unless it is there.

    Args:
        mirror: the client.
        release: what promises it.
        suite: address of the directory that holds InRelease.
        directory: where it is below, for example main/binary-amd64.
        place: the directory that keeps it, unpacked, under the SHA-256 of what is fetched.
        progress: is told how much has come.

    Returns:
        Where it is; None when the release names none.

    Raises:
        UserError: the mirror does not have it, or has something else.
    """
    suffix = next((suffix for suffix in _OPEN if f"{directory}/Packages{suffix}" in release.indexes), None)
    if suffix is None:
        return None
    size, sha256 = release.indexes[f"{directory}/Packages{suffix}"]
    if (place / sha256).is_file():
        return place / sha256
    plain, _ = release.indexes.get(f"{directory}/Packages", (_LARGEST, ""))
    url = f"{suite}/{directory}/Packages{suffix}"
    by_hash = [f"{suite}/{directory}/by-hash/SHA256/{sha256}"] if release.by_hash else []
    for address in (*by_hash, url):
        with fetch.promised(mirror, address, size=size, sha256=sha256, promised_by="InRelease") as chunks:
            if chunks is not None:
                with fetch.writing(place / sha256) as file:
                    counted = _counted(chunks, size, progress)
                    file.writelines(_unpacked(counted, suffix, plain, address))
                return place / sha256
    raise UserError(
        f"{url} does not exist, though InRelease names it",
        hint="the mirror is being updated or incomplete; try again later or use another",
    )


def _counted(chunks: Iterator[bytes], size: int, progress: Callable[[Amount], None]) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        progress(Amount(done, size, "B"))
        yield chunk


def _unpacked(chunks: Iterator[bytes], suffix: str, largest: int, address: str) -> Iterator[bytes]:
    """Unpack what arrives; nothing of it is verified before its end, so it may not grow beyond a size."""
    count = 0
    packed: io.BufferedReader = io.BufferedReader(_Chunks(chunks), fetch.CHUNK)
    try:
        with _OPEN[suffix](packed) as plain:
            while (data := plain.read(fetch.CHUNK)) and count <= largest:
                count += len(data)
                yield data
        reason = f"more than {largest} bytes are in it" if count > largest else ""
    except (LZMAError, BadGzipFile, zlib.error, EOFError) as error:
        reason = str(error)
    for _ in chunks:
        pass  # the rest is to be hashed too; this says it when it is not what was promised
    if reason:
        raise UserError(f"{address} cannot be unpacked: {reason}")


class _Chunks(io.RawIOBase):
    """Chunks as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(target), len(self._rest))
        target[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
