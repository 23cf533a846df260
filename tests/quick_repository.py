"""A repository that opens at once, for tests of anything but opening one.

restic makes a key of the password with scrypt, which it lets take half a second of each command. Here restic
makes the repository as ever, and its key is then sealed once more, with scrypt's least work.
https://restic.readthedocs.io/en/stable/100_references.html#keys-encryption-and-mac
"""

import base64
import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.poly1305 import Poly1305

from gitops.system.places import Places

_PASSWORD = "correct horse"  # noqa: S105  # nobody's
_DIRECTORIES = ("index", "keys", "locks", "snapshots", *(f"data/{number:02x}" for number in range(256)))
_MAC = 16


def make_quick(repository: Path) -> None:
    """Make an empty repository in a directory; `know_password` lets a host open it."""
    config, key = _made()
    for name in _DIRECTORIES:
        (repository / name).mkdir(parents=True, exist_ok=True)
    (repository / "config").write_bytes(config)
    (repository / "keys" / hashlib.sha256(key).hexdigest()).write_bytes(key)


def know_password(places: Places) -> None:
    """Give a host the password of every quick repository."""
    places.config.mkdir(parents=True, exist_ok=True)
    password = places.config / "restic-password"
    password.touch(mode=0o600)
    password.write_text(f"{_PASSWORD}\n")


@cache
def _made() -> tuple[bytes, bytes]:
    """Let restic make one; give its configuration and its key, which opens quickly."""
    with TemporaryDirectory() as directory:
        environment = {**os.environ, "RESTIC_PASSWORD": _PASSWORD}
        subprocess.run(
            ["restic", "--quiet", "--no-cache", "--repo", directory, "init"], env=environment, check=True
        )
        (key,) = (Path(directory) / "keys").iterdir()
        return (Path(directory) / "config").read_bytes(), _resealed(json.loads(key.read_text()))


def _resealed(key: dict[str, Any]) -> bytes:
    content = _Sealing.of(key).open(base64.b64decode(key["data"]))
    quick = {**key, "N": 2, "r": 1, "p": 1}
    data = base64.b64encode(_Sealing.of(quick).seal(content)).decode()
    return json.dumps({**quick, "data": data}).encode()


@dataclass(frozen=True)
class _Sealing:
    """AES-256 in counter mode, and Poly1305-AES over what that gives; the first counter stands before it."""

    encrypts: bytes
    authenticates: bytes
    polynomial: bytes

    @classmethod
    def of(cls, key: dict[str, Any]) -> "_Sealing":
        made = hashlib.scrypt(
            _PASSWORD.encode(), salt=base64.b64decode(key["salt"]), n=key["N"], r=key["r"], p=key["p"],
            dklen=64, maxmem=1 << 28,
        )  # fmt: skip
        return cls(made[:32], made[32:48], made[48:])

    def open(self, sealed: bytes) -> bytes:
        first, text = sealed[:_MAC], sealed[_MAC:-_MAC]
        assert sealed[-_MAC:] == self._mac(first, text)
        return self._crypt(first, text)

    def seal(self, content: bytes) -> bytes:
        first = os.urandom(_MAC)
        text = self._crypt(first, content)
        return first + text + self._mac(first, text)

    def _crypt(self, first: bytes, text: bytes) -> bytes:
        return Cipher(AES(self.encrypts), CTR(first)).encryptor().update(text)

    def _mac(self, first: bytes, text: bytes) -> bytes:
        once = Cipher(AES(self.authenticates), ECB()).encryptor().update(first)  # noqa: S305  # as Poly1305-AES has it
        return Poly1305.generate_tag(self.polynomial + once, text)
