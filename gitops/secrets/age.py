"""age(1): encrypting for recipients, decrypting with an identity. No value stands in an argument or a log."""

import re
from collections.abc import Collection
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.run import CommandError, run, start


def encrypt(value: bytes, recipients: Collection[str]) -> bytes:
    """Encrypt for recipients (`age1…`); the result is age's armoured text, which diffs and mails well.

    Raises:
        UserError: there is no recipient, or age takes one for none.
    """
    if not recipients:
        raise UserError("a secret needs at least one host that may read it")
    words = [word for recipient in sorted(set(recipients)) for word in ("--recipient", recipient)]
    return run(["age", "--encrypt", "--armor", *words], stdin=value).stdout.encode()


def decrypt(path: Path, identity: Path) -> bytes:
    """Decrypt a file.

    Args:
        path: the encrypted file.
        identity: file with the host's key, as age-keygen(1) writes it.

    Raises:
        UserError: there is no key, or the file is not encrypted for it.
    """
    if not identity.is_file():
        raise UserError(
            f"this host has no key to read {path.name} with", hint="make one with: gitops secret key"
        )
    args = ["age", "--decrypt", "--identity", str(identity), str(path)]
    process = start(args)
    value, errors = process.communicate()
    if b"no identity matched" in errors:
        raise UserError(
            f"{path.name} is not encrypted for the key in {identity}: no identity matched",
            hint="whoever can read it makes it so: gitops secret rekey",
        )
    if process.returncode != 0:
        raise CommandError(
            args,
            f"exit status {process.returncode}",
            errors.decode(errors="replace"),
            status=process.returncode,
        )
    return value


def make_identity(identity: Path) -> str:
    """Give the recipient of a host's key, making the key (mode 0600) where there is none.

    Args:
        identity: the key's file.
    """
    if not identity.is_file():
        write(identity, run(["age-keygen"]).stdout, mode=0o600)
    found = re.search(r"^age1[a-z0-9]+$", run(["age-keygen", "-y", identity]).stdout, re.MULTILINE)
    if not found:
        raise UserError("holds no age key", file=identity)
    return found.group()
