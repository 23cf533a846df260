"""Signing and verifying a text with ssh keys: `ssh-keygen -Y` (ssh-keygen(1); PROTOCOL.sshsig of OpenSSH)."""

import tempfile
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.run import CommandError, run

NAMESPACE = "gitops-statement"
"""What a line of the allowed signers names in `namespaces=`; git's own is `git`."""

_LONGEST = 16 << 10
"""Characters of a signature; an RSA key of 16384 bits has 3 kB."""


class UntrustedError(Exception):
    """A signature that is nobody's whom the signers' file lists, and why, in words for people."""


def sign(text: str, key: Path) -> str:
    """Sign a text.

    Args:
        text: what is signed.
        key: a private key; or the public half of one that ssh-agent has.

    Returns:
        The signature, as `-----BEGIN SSH SIGNATURE-----`.

    Raises:
        UserError: there is no such key, or it cannot be used.
    """
    if not key.is_file():
        raise UserError(
            "is no key to sign statements with", file=key, hint="docs/registry.md tells how to make one"
        )
    command = ("ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE)
    try:
        return run(command, stdin=text.encode(), env={"SSH_ASKPASS_REQUIRE": "never"}).stdout
    except CommandError as error:
        raise UserError(
            "ssh-keygen does not sign with this key", file=key, hint=error.stderr.strip()
        ) from error


def verify(text: str, signature: str, signers: Path) -> str:
    """See that a text was signed, as a statement, by one of the signers.

    Args:
        text: what was signed.
        signature: as `sign` gives it; whoever wrote it may have put anything there.
        signers: file in ssh's ALLOWED SIGNERS format.

    Returns:
        Words for who signed it.

    Raises:
        UntrustedError: none of them did, not now, or not as a statement.
        UserError: ssh-keygen is not there.
    """
    if len(signature) > _LONGEST:
        raise UntrustedError("its signature is too long to be one")
    with tempfile.TemporaryDirectory(prefix="gitops-signature-") as directory:
        file = Path(directory) / "signature"
        file.write_text(signature)
        found = run(["ssh-keygen", "-Y", "find-principals", "-s", file, "-f", signers], check=False)
        principals = found.stdout.splitlines()
        if found.status or not principals:
            raise UntrustedError(_why(text, file, found.stderr))
        reason = ""
        for who in principals:
            about = ("-f", signers, "-I", who, "-n", NAMESPACE, "-s", file)
            done = run(("ssh-keygen", "-Y", "verify", *about), stdin=text.encode(), check=False)
            if done.status == 0:
                return _printable(who)
            reason = done.stderr or done.stdout
        raise UntrustedError(_last(reason))


def _why(text: str, file: Path, said: str) -> str:
    """Say what a signature is that no signer made."""
    about = ("-n", NAMESPACE, "-s", file)
    done = run(("ssh-keygen", "-Y", "check-novalidate", *about), stdin=text.encode(), check=False)
    if done.status:
        return _last(done.stderr or said)
    return (
        f"signed with the {_printable(done.stdout.partition(' with ')[2])}, which is not one of the signers"
    )


def _last(text: str) -> str:
    lines = text.strip().splitlines() or ["ssh-keygen says nothing"]
    return _printable(lines[-1])[:200]


def _printable(text: str) -> str:
    return "".join(letter for letter in text.strip() if letter.isprintable())
