"""A suite's InRelease file: its signature, and what it promises (Debian repository format; SecureApt)."""

import base64
import binascii
import hashlib
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path

from gitops.debian.sources import Source
from gitops.system.clock import stamp
from gitops.system.errors import UserError
from gitops.system.run import run


@dataclass(frozen=True)
class Release:
    """What a Release file says.

    Args:
        text: the text that was signed.
        date: when it was made, in UTC.
        valid_until: until when it may be used, in UTC; None for ever.
        names: its Suite and Codename.
        components: its Components.
        all_separate: True when packages for all architectures have indexes of their own.
        by_hash: True when indexes are also served by hash.
        indexes: path below the suite of every index, to its size in bytes and SHA-256.
    """

    text: str
    date: datetime
    valid_until: datetime | None
    names: frozenset[str]
    components: str
    all_separate: bool
    by_hash: bool
    indexes: dict[str, tuple[int, str]]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def check(self, source: Source, now: datetime) -> None:
        """Refuse a release that is out of date, or that of another suite.

        Raises:
            UserError: it says which suite, and why.
        """
        if self.valid_until and self.valid_until < now:
            raise UserError(
                f"{source.release}/InRelease was valid until {stamp(self.valid_until)}: it has expired",
                hint="the mirror lags behind, or someone keeps updates from this machine; use another mirror",
            )
        if source.suite not in self.names:
            names = " or ".join(sorted(self.names)) or "a suite without name"
            raise UserError(
                f"{source.release}/InRelease is that of {names}, not of {source.suite}",
                hint="write the suite as its Suite or Codename field does",
            )


def parse(text: str) -> Release:
    """Read a Release file, signed or not.

    Raises:
        ValueError, KeyError: it is not a Release file.
    """
    fields: dict[str, str] = {}
    indexes: dict[str, tuple[int, str]] = {}
    section = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            section, _, value = line.partition(":")
            fields[section] = value.strip()
        elif section == "SHA256":
            digest, size, path = line.split()
            indexes[path] = int(size), digest.lower()
    return Release(
        text=text,
        date=_time(fields["Date"]),
        valid_until=_time(fields["Valid-Until"]) if "Valid-Until" in fields else None,
        names=frozenset(filter(None, (fields.get("Suite"), fields.get("Codename")))),
        components=fields.get("Components", ""),
        all_separate="all" in fields.get("Architectures", "").split()
        and "Packages" not in fields.get("No-Support-for-Architecture-all", ""),
        by_hash=fields.get("Acquire-By-Hash", "").lower() == "yes",
        indexes=indexes,
    )


def verify(inrelease: bytes, source: Source) -> Release:
    """Check a signed InRelease against the source's keyring and read the part that is signed.

    As with apt, one good signature by a key of the keyring is enough and a bad one is too much, and
    SHA-1 does not count.

    Raises:
        UserError: it says which file, and which key.
    """
    name = f"{source.release}/InRelease"
    with tempfile.TemporaryDirectory(prefix="gitops-gpgv-") as home:
        keyring = Path(home) / "keyring.gpg"
        keyring.write_bytes(_keys(source.keyring))
        signed = Path(home) / "signed"
        weak = ("--weak-digest", "SHA1", "--weak-digest", "RIPEMD160")
        answer = run(
            ["gpgv", "--homedir", home, "--status-fd", "1", *weak, "--keyring", keyring, "--output", signed],
            stdin=inrelease,
            check=False,
        )
        status = re.findall(r"^\[GNUPG:\] (\w+) ?(\S*)", answer.stdout, re.MULTILINE)
        bad = [key for word, key in status if word == "BADSIG"]
        if bad:
            raise UserError(
                f"{name} has a wrong signature by key {bad[0]}: it was changed after it was signed",
                hint="the mirror is broken, or someone tampers with it; use another mirror",
            )
        if not any(word == "GOODSIG" for word, _ in status):
            raise UserError(f"{name} {_complaint(status)}", hint=f"the keyring is {source.keyring}")
        text = signed.read_text(errors="replace")
    try:
        return parse(text)
    except (KeyError, ValueError) as error:
        raise UserError(f"{name} is not a Release file: {error}") from error


def _complaint(status: list[tuple[str, str]]) -> str:
    words = {
        "EXPKEYSIG": "has expired",
        "REVKEYSIG": "was revoked",
        "EXPSIG": "made a signature that has expired",
    }
    for word, key in status:
        if word in words:
            return f"is signed by key {key}, which {words[word]}"
    unknown = sorted({key for word, key in status if word == "NO_PUBKEY"})
    if unknown:
        return f"is signed by key {', '.join(unknown)}, which is not in the archive's keyring"
    return "is not signed in a way that can be trusted"


def _keys(keyring: Path) -> bytes:
    """Read a keyring as gpgv wants it; ASCII armour (RFC 4880, 6.2) is taken off, as apt does for .asc."""
    try:
        data = keyring.read_bytes()
    except OSError as error:
        raise UserError(
            f"keyring {keyring} cannot be read: {error.strerror}",
            hint="Debian's own is in the package debian-archive-keyring",
        ) from error
    if not data.lstrip().startswith(b"-----BEGIN PGP"):
        return data
    data = data.replace(b"\r\n", b"\n")
    blocks = re.findall(
        rb"-----BEGIN PGP[^\n]*\n(?:[^\n]*:[^\n]*\n)*(.*?)(?:\n=[^\n]*)?\n-----END PGP", data, re.DOTALL
    )
    try:
        return b"".join(base64.b64decode(block) for block in blocks)
    except binascii.Error as error:
        raise UserError(f"keyring {keyring} is damaged: {error}") from error


def _time(text: str) -> datetime:
    time = parsedate_to_datetime(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
