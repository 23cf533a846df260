"""Whether a commit that came may become what this host runs: who signed it, and what it stands on.

What is judged is a commit by its full name, which is a digest of all that it holds; what is used afterwards
is taken from the repository by that same name.
"""

from gitops.agent.refused import RefusedError
from gitops.agent.settings import Trust
from gitops.git.intake import Intake
from gitops.git.signature import SignatureError, signer
from gitops.system.places import Places


def verify(intake: Intake, commit: str, trust: Trust, places: Places) -> str:
    """See that a commit is signed by one of this host's own signers.

    Returns:
        Words for who signed it, with which key.

    Raises:
        RefusedError: nobody did, or nobody whom the host trusts; names the commit, the key and the reason.
        UserError: the keyring cannot be read.
    """
    if trust.unsigned:
        return "unsigned, as `trust: unsigned` lets it"
    signers = places.config / trust.signers if trust.signers else None
    keyring = places.config / trust.keyring if trust.keyring else None
    try:
        return f"signed by {signer(intake, commit, signers, keyring)}"
    except SignatureError as error:
        hint = error.problems[0].hint or f"who may sign for this host, {places.config} says"
        raise _refused(intake, commit, error.reason, hint) from error


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
