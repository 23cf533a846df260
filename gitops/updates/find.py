"""Finding updates for what is committed: new locks, what they change, and the files that follow from them."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.lock import format_lock
from gitops.images.locks import Locks, lock_path, missing_or_stale, read_locks
from gitops.render.render import render
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.updates.archives import Archives
from gitops.updates.effect import Effect, effect
from gitops.updates.relock import Finding, relock


@dataclass(frozen=True)
class Updates:
    """What could be taken now.

    Args:
        base: the commit that was looked at.
        branch: where the fleet wants updates proposed.
        effect: what they change.
        findings: what stays behind, and why.
        files: path below the fleet to its new text, or None where it goes; locks and what is rendered.
    """

    base: str
    branch: str
    effect: Effect
    findings: tuple[Finding, ...]
    files: dict[str, str | None]


def find(repository: Repository, places: Places, progress: Callable[[str], None]) -> Updates:
    """Compare the fleet, as HEAD has it, with its archives.

    Nothing of the repository, its work tree or its index is touched.

    Raises:
        UserError: there is no commit, definitions or locks are not in order, an archive cannot be trusted.
    """
    base = repository.head()
    with tempfile.TemporaryDirectory(prefix="gitops-update-") as directory:
        root = Path(directory, repository.root.name or "fleet")
        repository.export(base, root)
        fleet = load(root)
        old = read_locks(fleet)
        if problems := missing_or_stale(fleet, old):
            raise UserError.of(problems)
        archives = Archives(fleet, places, progress)
        found = relock(fleet, old, archives.is_outdated, archives.resolve)
        return Updates(
            base,
            fleet.settings.updates.branch,
            effect(fleet, old, found.locks),
            found.findings,
            _files(fleet, old, {**old, **found.locks}),
        )


def _files(fleet: Fleet, old: Locks, new: Locks) -> dict[str, str | None]:
    """Give the files that differ because the locks do; what was stale before is left alone."""
    before, after = _texts(fleet, old), _texts(fleet, new)
    return {
        path: after.get(path)
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def _texts(fleet: Fleet, locks: Locks) -> dict[str, str]:
    written = {str(lock_path(Path(), *key)): format_lock(lock) for key, lock in locks.items()}
    return {**written, **render(fleet, locks)}
