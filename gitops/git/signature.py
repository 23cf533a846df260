"""Who has signed a commit, by a list of keys that is not kept by those who may write to the repository."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.run import CommandError, run

_UNTRUSTED = "which is not one of the signers"
_GPG = "no-auto-key-retrieve\nno-auto-key-import\ntrust-model always\n"
_BAD = (
    (r"Good \"git\" signature with (\S+ key \S+)", f"is signed with the {{}}, {_UNTRUSTED}"),
    (r"\[GNUPG:\] EXPKEYSIG (\S+ .*)", "is signed with the OpenPGP key {}, which has expired"),
    (r"\[GNUPG:\] EXPSIG (\S+ .*)", "has a signature of the OpenPGP key {} that has expired"),
    (r"\[GNUPG:\] REVKEYSIG (\S+ .*)", "is signed with the OpenPGP key {}, which was revoked"),
    (r"\[GNUPG:\] BADSIG (\S+ .*)", "is not what the OpenPGP key {} has signed"),
    (r"\[GNUPG:\] NO_PUBKEY (\S+)", f"is signed with the OpenPGP key {{}}, {_UNTRUSTED}"),
    (
        r"key is not permitted for use in signature namespace",
        f"is signed with a key that may sign other things, but not commits, {_UNTRUSTED}",
    ),
    (r"(?s)^.*incorrect signature", "is not what its ssh key has signed"),
)
_GOOD = (
    r"Good \"git\" signature for (.+ with \S+ key \S+)",
    r"(?s)\[GNUPG:\] GOODSIG \S+ (.*?)\n.*\[GNUPG:\] VALIDSIG (\S+)",
)


class SignatureError(UserError):
    """The commit itself is to blame, now and later: nobody signed it, or nobody who may."""

    def __init__(self, reason: str, hint: str = "") -> None:
        """Say what is wrong as the rest of a sentence that begins with the commit: `is not signed`."""
        self.reason = reason
        super().__init__(f"the commit {reason}", hint=hint)


def signer(repository: Repository, commit: str, signers: Path | None, keyring: Path | None) -> str:
    """Tell who signed a commit, if that is one of those who may.

    `git verify-commit` judges, with ssh's allowed signers or a private keyring that holds these keys and no
    others. A signature of a kind for which nobody is listed is nobody's.

    Args:
        repository: where the commit is; git must be `isolated`.
        commit: its name, in full.
        signers: file of ssh keys, as ALLOWED SIGNERS in ssh-keygen(1).
        keyring: file of OpenPGP keys, as gpg --export writes it.

    Returns:
        Words for who, with which key.

    Raises:
        SignatureError: nobody did, or nobody who may.
        UserError: it cannot be told: the keyring cannot be read, a program fails.
    """
    with _gnupg(keyring) as home:
        setting = f"gpg.ssh.allowedSignersFile={signers or '/dev/null'}"
        question = ("-c", setting, "verify-commit", "--raw", commit)
        result = repository.git(*question, env={"GNUPGHOME": str(home)}, check=False)
    said = "".join(one for one in result.stderr if one.isprintable() or one == "\n")
    if result.status == 0 and (good := _first(_GOOD, said)):
        return good
    if not said.strip():
        raise SignatureError("is not signed", "commit with: git commit -S")
    for pattern, reason in _BAD:
        if found := re.search(pattern, said):
            raise SignatureError(reason.format(*(group.strip()[:200] for group in found.groups())))
    if found := re.search(r"cannot run (\S+): No such file", said):
        package = "openssh-client" if found[1] == "ssh-keygen" else "gnupg"
        raise UserError(
            f"the signature of commit {commit[:12]} cannot be checked: {found[1]} is not here",
            hint=f"apt install {package}",
        )
    # Neither good nor clearly bad: gpg or ssh-keygen could not do their work, and may be able to next time.
    raise UserError(f"the signature of commit {commit[:12]} cannot be checked", hint=said.strip()[-500:])


def _first(patterns: tuple[str, ...], text: str) -> str:
    for pattern in patterns:
        if found := re.search(pattern, text):
            return " with key ".join(found.groups())
    return ""


@contextmanager
def _gnupg(keyring: Path | None) -> Iterator[Path]:
    """Give a gpg home that holds a keyring's keys, and is gone afterwards; empty without one."""
    with tempfile.TemporaryDirectory(prefix="gitops-gnupg-") as directory:
        home = Path(directory)
        (home / "gpg.conf").write_text(_GPG)
        if keyring:
            gpg = ("gpg", "--homedir", home, "--batch", "--quiet", "--no-autostart")
            try:
                run([*gpg, "--import", keyring])
            except CommandError as error:
                raise UserError("is no keyring", file=keyring, hint=error.stderr.strip()) from error
        yield home
