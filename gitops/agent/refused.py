"""Commits that were refused, so that each is judged once and not at every turn.

Losing the file costs judging them again.
"""

import hashlib
import json
from pathlib import Path

import gitops
from gitops.agent.settings import Settings
from gitops.system.errors import Problem, UserError
from gitops.system.files import write
from gitops.system.places import Places

_KEPT = 16


class RefusedError(UserError):
    """A commit may not become what this host runs, now or later: the commit itself is to blame."""

    def __init__(self, commit: str, reason: str, hint: str = "") -> None:
        """Say which commit, and why not."""
        self.commit = commit
        super().__init__(f"refused: commit {commit[:12]} {reason}", hint=hint)


def recall(commit: str, accepted: str | None, settings: Settings, places: Places) -> None:
    """Do nothing about a commit that nobody has refused under these circumstances.

    Raises:
        RefusedError: it was refused, for this reason.
    """
    if reason := _read(places, _circumstances(accepted, settings, places)).get(commit):
        error = RefusedError(commit, "")
        error.problems = (Problem(message=reason[0], hint=reason[1]),)
        raise error


def remember(error: RefusedError, accepted: str | None, settings: Settings, places: Places) -> None:
    """Keep why a commit was refused, for as long as nothing that it was judged by changes."""
    under = _circumstances(accepted, settings, places)
    problem = error.problems[0]
    commits = {**_read(places, under), error.commit: [problem.message, problem.hint]}
    kept = dict(list(commits.items())[-_KEPT:])
    write(_path(places), json.dumps({"under": under, "commits": kept}))


def _circumstances(accepted: str | None, settings: Settings, places: Places) -> str:
    """Digest all that a commit is judged by, besides itself."""
    trust = settings.trust
    named = [places.config / name for name in (trust.signers, trust.keyring) if name]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in named]
    text = json.dumps([accepted, gitops.__version__, settings.model_dump_json(), digests])
    return hashlib.sha256(text.encode()).hexdigest()


def _read(places: Places, under: str) -> dict[str, list[str]]:
    try:
        kept = json.loads(_path(places).read_text())
        return dict(kept["commits"]) if kept["under"] == under else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _path(places: Places) -> Path:
    return places.state / "refused.json"
