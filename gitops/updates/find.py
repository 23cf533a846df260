"""Finding updates for a commit: what is new, cut into groups, what each changes, and what follows from it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops.fleet import updates as policy
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.choosing import Chooser
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import Locks, lock_path, missing_or_stale, read_locks, targets
from gitops.render.render import render
from gitops.system import clock
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import Progress
from gitops.updates import finding
from gitops.updates.archives import Archives
from gitops.updates.choices import ended, left_alone
from gitops.updates.difference import Difference, Key, differences, take
from gitops.updates.effect import Effect, effect
from gitops.updates.finding import Finding
from gitops.updates.fresh import fresh
from gitops.updates.groups import Group, cut, feasible
from gitops.updates.news import News, collect
from gitops.updates.unchanged import remember


@dataclass(frozen=True)
class Update:
    """What is taken together: one group, one branch, one pull request.

    Args:
        name: of the group, the same from run to run; empty when everything goes together.
        branch: the branch that carries it.
        security: whether something of it comes from a security suite.
        effect: what it changes.
        news: what the changelogs say, sorted by source package.
        files: path below the fleet to its new text, or None where it goes; locks and what is rendered.
        contents: every package as `NAME=VERSION`, `NAME=` where it goes: what who closes it has seen.
    """

    name: str
    branch: str
    security: bool
    effect: Effect
    news: tuple[News, ...]
    files: dict[str, str | None]
    contents: frozenset[str]


@dataclass(frozen=True)
class Updates:
    """All that could be taken now.

    Args:
        base: the commit that was looked at.
        settings: what the fleet says about updates at that commit.
        updates: security first, then by name.
        findings: what stays behind, and why.
    """

    base: str
    settings: policy.Updates
    updates: tuple[Update, ...]
    findings: tuple[Finding, ...]


def find(repository: Repository, places: Places, progress: Progress, *, revision: str = "HEAD") -> Updates:
    """Compare the fleet, as a commit has it, with its archives.

    Nothing of the repository, its work tree or its index is touched.

    Args:
        repository: where the fleet is.
        places: where indexes and .debs are kept.
        progress: is told of archives, images and changelogs, by several threads.
        revision: the commit.

    Raises:
        UserError: there is no commit, definitions or locks are not in order, an archive cannot be trusted.
    """
    base = repository.commit(revision)
    with tempfile.TemporaryDirectory(prefix="gitops-update-") as directory:
        root = Path(directory, repository.root.name or "fleet")
        repository.export(base, root)
        fleet = load(root)
        old = read_locks(fleet)
        if problems := missing_or_stale(fleet, old):
            raise UserError.of(problems)
        chooser = Chooser(fleet, places, progress)
        groups, findings = _groups(fleet, old, Archives(fleet, chooser, places, progress))
        if not groups and not findings:
            remember(repository.root, base, fleet, [chooser.indexes(*key) for key in targets(fleet)], places)
        before = _texts(fleet, old)

        def update(group: Group) -> Update:
            new = take(old, group.differences)
            changed = effect(fleet, old, new)
            return Update(
                group.name,
                "-".join(filter(None, (fleet.settings.updates.branch, group.name))),
                any(each.is_security for each in group.differences),
                changed,
                collect(fleet, changed, old, new, chooser, places, progress),
                _files(before, _texts(fleet, {**old, **new})),
                frozenset(
                    f"{each.name}={each.new.version if each.new else ''}" for each in group.differences
                ),
            )

        return Updates(base, fleet.settings.updates, tuple(map(update, groups)), tuple(findings))


def _groups(fleet: Fleet, old: Locks, archives: Archives) -> tuple[list[Group], list[Finding]]:
    """Work out what can be proposed, cut as the settings say, and what cannot."""
    settings, today = fleet.settings.updates, clock.now().date()
    newest = fresh(fleet, old, archives.is_outdated, archives.choose, archives.upgrade)
    moved = differences(old, newest.locks)
    alone = left_alone(moved, settings, today)
    wanted, blocked = moved - alone.keys(), dict[Difference, frozenset[str]]()
    if touched := newest.doubtful | {each.key for each in alone}:
        wanted, blocked = feasible(fleet, old, wanted, touched, archives.judge, archives.has_left)
    findings = [
        *finding.of_images(newest.failed),
        *finding.of_packages(alone),
        *finding.of_blocked(blocked),
        *(Finding(*words) for words in ended(settings, today)),
    ]
    return cut(fleet, old, wanted, settings, archives.judge), sorted(findings)


def _files(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    """Give the files that differ because the locks do; what was stale before is left alone."""
    return {
        path: after.get(path)
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def _texts(fleet: Fleet, locks: Mapping[Key, Lock]) -> dict[str, str]:
    written = {str(lock_path(Path(), *key)): format_lock(lock) for key, lock in locks.items()}
    return {**written, **render(fleet, locks)}
