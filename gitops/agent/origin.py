"""Where a host's generation came from: the repository that knows its commit, and who signed that."""

from contextlib import suppress
from pathlib import Path

from gitops.agent.fetch import intake
from gitops.agent.settings import FILE, read_settings
from gitops.agent.verify import verify
from gitops.fleet.root import find_root
from gitops.git.isolation import isolated
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.places import Places


def repository_of(commit: str, directory: Path, places: Places) -> Repository | None:
    """Find a repository that has a commit: the agent's own copy, or the fleet around a directory.

    Raises:
        UserError: the agent's settings are wrong.
    """
    candidates: list[Repository] = []
    if (places.config / FILE).exists():
        candidates.append(intake(read_settings(places), places))
    with suppress(UserError):
        candidates.append(Repository(find_root(directory)))
    return next((git for git in candidates if _knows(git, commit)), None)


def signed_by(commit: str, places: Places) -> str:
    """Say who signed a commit, or why that is nobody, by this host's own signers; empty without an agent.

    Raises:
        UserError: the agent's settings are wrong.
    """
    if not (places.config / FILE).exists():
        return ""
    settings = read_settings(places)
    own = intake(settings, places)
    if not _knows(own, commit):
        return ""
    try:
        with isolated():
            return verify(own, commit, settings.trust, places)
    except UserError as error:
        return error.problems[0].message


def _knows(git: Repository, commit: str) -> bool:
    with suppress(UserError):
        return git.find(commit) is not None
    return False
