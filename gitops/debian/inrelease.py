"""A suite's InRelease: asked for only if it has changed, believed only when signed, never taken back in time.

What was verified is kept: the file itself, and beside it what the server said of it, which keyrings it was
verified against, and the text that was signed. So the same file is not verified twice; its date is, always.
"""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import httpx

from gitops.debian import fetch
from gitops.debian.release import Release, parse, verify
from gitops.debian.sources import Source
from gitops.system import clock, files
from gitops.system.errors import UserError

_LARGEST = 32 * 1024 * 1024  # bytes; Debian's own has 0.2 MB


@dataclass(frozen=True)
class InRelease:
    """An InRelease.

    Args:
        sha256: of the file.
        etag: the server's name for this state of it; "" when it gave none.
        modified: the server's Last-Modified; "" when it gave none.
        keyrings: SHA-256 of every keyring it was verified against.
        text: what was signed; "" before it is verified.
        content: the file.
    """

    sha256: str
    etag: str = ""
    modified: str = ""
    keyrings: tuple[str, ...] = ()
    text: str = ""
    content: bytes = field(default=b"", repr=False)


def kept(place: Path) -> InRelease | None:
    """Read what is kept in a suite's directory; None when it is nothing, or not what it was."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        content = (place / "InRelease").read_bytes()
        known = InRelease(**json.loads((place / "verified.json").read_text()), content=content)
        if known.sha256 == hashlib.sha256(content).hexdigest():
            return replace(known, keyrings=tuple(known.keyrings))
    return None


def keep(place: Path, inrelease: InRelease) -> None:
    """Keep a verified InRelease in a suite's directory."""
    files.write(place / "InRelease", inrelease.content)
    told = {name: value for name, value in asdict(inrelease).items() if name != "content"}
    files.write(place / "verified.json", json.dumps(told))


def conditions(known: InRelease | None) -> dict[str, str]:
    """Give the headers that ask for an InRelease only if it is another (RFC 9110, 13.1)."""
    if known is None:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return {name: value for name, value in headers.items() if value}


def ask(mirror: httpx.Client, source: Source, known: InRelease | None) -> InRelease:
    """Give a suite's InRelease as it is now: the known one when that is still the mirror's.

    Raises:
        UserError: the mirror does not have it, or does not answer.
    """
    url = f"{source.release}/InRelease"
    with fetch.get(mirror, url, conditions(known)) as answer:
        if known and answer.status_code == httpx.codes.NOT_MODIFIED:
            return known
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise UserError(
                f"{url} does not exist", hint=f"does {source.base} have a suite named {source.suite}?"
            )
        fetch.refuse(answer)
        content = bytearray()
        for chunk in answer.iter_raw(fetch.CHUNK):
            content += chunk
            if len(content) > _LARGEST:
                raise UserError(f"{url} is too large to be one")
        etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
    sha256 = hashlib.sha256(content).hexdigest()
    if known and known.sha256 == sha256:  # some mirrors know no conditions
        return replace(known, etag=etag, modified=modified)
    return InRelease(sha256, etag, modified, content=bytes(content))


def verified(inrelease: InRelease, sources: Sequence[Source], place: Path) -> tuple[InRelease, Release]:
    """Verify an InRelease for every source that names it, for each may trust other keys.

    Against a keyring that it was verified against before, it is not verified again.

    Returns:
        The InRelease, with the keyrings that it is now verified against, and what it says.

    Raises:
        UserError: it is badly signed, expired, another suite's, or older than the one that is kept.
    """
    is_new = not inrelease.keyrings
    for source in sources:
        keyring = _fingerprint(source)
        if keyring not in inrelease.keyrings:
            text = verify(inrelease.content, source).text
            inrelease = replace(inrelease, text=text, keyrings=(*inrelease.keyrings, keyring))
    release = parse(inrelease.text)
    for source in sources:
        release.check(source, clock.now())
    if is_new and (seen := _seen(place)) and release.date < seen:
        raise UserError(
            f"{sources[0].release}/InRelease is of {clock.stamp(release.date)}, older than the one of "
            f"{clock.stamp(seen)} that was seen before",
            hint="the mirror lags behind, or someone replays an old state: try again or use another; "
            f"if the archive was taken back on purpose, remove {place}",
        )
    return inrelease, release


def _seen(place: Path) -> datetime | None:
    """Tell the date of the newest release that was kept, by whatever is left of it."""
    dates = []
    for name in ("InRelease", "verified.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            text = (place / name).read_text(errors="replace")
            dates.append(parse(json.loads(text)["text"] if name.endswith(".json") else text).date)
    return max(dates, default=None)


def _fingerprint(source: Source) -> str:
    try:
        return files.sha256(source.keyring)
    except OSError:
        return ""  # to be told by who needs it
