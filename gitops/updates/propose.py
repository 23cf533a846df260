"""The bot's run on a remote's branch: the quick answer or the long look, then what is done about it."""

from collections.abc import Sequence

from gitops.fleet.updates import Updates as Settings
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.system import clock
from gitops.system.places import Places
from gitops.system.progress import Progress
from gitops.updates.find import Updates, find
from gitops.updates.outcome import Outcome
from gitops.updates.publish import publish
from gitops.updates.target import forge_of
from gitops.updates.unchanged import still_nothing


def look(repository: Repository, commit: str, places: Places, progress: Progress) -> Updates:
    """Say what could be taken at a commit; at once where nothing could be, and nothing has moved since.

    Args:
        repository: where the fleet is.
        commit: the commit.
        places: where indexes, .debs and answers are kept.
        progress: is told of archives, images and changelogs, by several threads.

    Raises:
        UserError: as `find`.
    """
    if (kept := still_nothing(repository.root, commit, places, progress)) is not None:
        return Updates(commit, Settings.model_validate_json(kept), (), ())
    return find(repository, places, progress, revision=commit)


def propose(
    updates: Updates,
    repository: Repository,
    remote: Remote,
    base: str,
    *,
    now: bool = False,
    branches_only: bool = False,
) -> Sequence[Outcome]:
    """Bring a remote, and its forge where there is one, up to what was found.

    Args:
        updates: what was found, at the commit that the base is at.
        repository: where the fleet is.
        remote: where branches go.
        base: the branch that is updated.
        now: do not wait for the schedule.
        branches_only: leave the forge alone.

    Raises:
        UserError: as `publish`, or as `forge_of`.
    """
    forge = None if branches_only else forge_of(remote, updates.settings)
    return publish(repository, remote, base, forge, updates, at=clock.now(), now=now)
