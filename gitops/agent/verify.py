"""Whether a commit that came may become what this host runs: who signed it, and what it stands on.

What is judged is a commit by its full name, which is a digest of all that it holds; what is used afterwards
is taken from the repository by that same name.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops.agent.refused import RefusedError
from gitops.agent.settings import Trust
from gitops.git.intake import Intake
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.run import CommandError, run

_UNTRUSTED = "which is not one of this host's signers"
_GPG = "no-auto-key-retrieve\nno-auto-key-import\ntrust-model always\n"
_BAD = (
    (r"Good \"git\" signature with (\S+ key \S+)", f"is signed with the {{}}, {_UNTRUSTED}"),
    (r"\[GNUPG:\] EXPKEYSIG (\S+ .*)", "is signed with the OpenPGP key {}, which has expired"),
    (r"\[GNUPG:\] EXPSIG (\S+ .*)", "has a signature of the OpenPGP key {} that has expired"),
    (r"\[GNUPG:\] REVKEYSIG (\S+ .*)", "is signed with the OpenPGP key {}, which was revoked"),
    (r"\[GNUPG:\] BADSIG (\S+ .*)", "is not what the OpenPGP key {} has signed"),
    (r"\[GNUPG:\] NO_PUBKEY (\S+)", f"is signed with the OpenPGP key {{}}, {_UNTRUSTED}"),
    (r"(?s)^.*incorrect signature", "is not what its ssh key has signed"),
)
_GOOD = (
    r"Good \"git\" signature for (.+ with \S+ key \S+)",
    r"(?s)\[GNUPG:\] GOODSIG \S+ (.*?)\n.*\[GNUPG:\] VALIDSIG (\S+)",
)


def verify(intake: Intake, commit: str, trust: Trust, places: Places) -> str:
    """See that a commit is signed by one of this host's own signers.

    `git verify-commit` judges, with ssh's allowed signers or a private keyring that holds the host's keys and
    no others. A signature of a kind for which the host lists nobody is nobody's.

    Returns:
        Words for who signed it, with which key.

    Raises:
        RefusedError: nobody did, or nobody whom the host trusts; names the commit, the key and the reason.
        UserError: the keyring cannot be read.
    """
    if trust.unsigned:
        return "unsigned, as `trust: unsigned` lets it"
    signers = places.config / trust.signers if trust.signers else Path("/dev/null")
    with _gnupg(places.config / trust.keyring if trust.keyring else None) as home:
        setting = f"gpg.ssh.allowedSignersFile={signers}"
        question = ("-c", setting, "verify-commit", "--raw", commit)
        result = intake.git(*question, env={"GNUPGHOME": str(home)}, check=False)
    said = "".join(one for one in result.stderr if one.isprintable() or one == "\n")
    if result.status == 0 and (good := _first(_GOOD, said)):
        return f"signed by {good}"
    if not said.strip():
        raise _refused(intake, commit, "is not signed", "commit with: git commit -S")
    for pattern, reason in _BAD:
        if found := re.search(pattern, said):
            words = reason.format(*(group.strip()[:200] for group in found.groups()))
            raise _refused(intake, commit, words, f"who may sign for this host, {places.config} says")
    # Neither good nor clearly bad: gpg or ssh-keygen could not do their work, and may be able to next time.
    raise UserError(f"the signature of commit {commit[:12]} cannot be checked", hint=said.strip()[-500:])


def follow(intake: Intake, commit: str, before: str | None) -> None:
    """See that a commit stands on the one that the host accepted last.

    Raises:
        RefusedError: it does not, so that somebody has rewritten the branch, or moved it back.
    """
    if before is None or (intake.find(before) and intake.contains(commit, before)):
        return
    back = intake.find(before) is not None and intake.contains(before, commit)
    how = "is older than" if back else "does not stand on"
    raise _refused(
        intake,
        commit,
        f"{how} {before[:12]}, which this host has accepted",
        f"if the branch was rewritten on purpose, on this host: gitops agent accept {commit}",
    )


def _refused(intake: Intake, commit: str, reason: str, hint: str) -> RefusedError:
    return RefusedError(commit, f"{reason}: {intake.wording(commit)}", hint)


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
