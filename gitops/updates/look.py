"""Seeing how the remote, its forge and the updates stand, and asking only what a decision depends on."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gitops.forge.pull_request import Forge, PullRequest
from gitops.git.proposal import build, own
from gitops.git.repository import Repository
from gitops.images.lock import parse_lock
from gitops.updates import marker
from gitops.updates.body import body
from gitops.updates.commit_message import commit_message
from gitops.updates.find import Update, Updates
from gitops.updates.steps import Seen, Wanted
from gitops.updates.title import title


def look(
    repository: Repository,
    forge: Forge | None,
    updates: Updates,
    base: str,
    pulls: Sequence[PullRequest],
    branches: Mapping[str, str],
) -> tuple[Seen, list[Wanted]]:
    """Give how everything stands, and what is wanted; commits are stored, but nothing points to them yet.

    Args:
        repository: the fleet's, which has all of the branches' commits.
        forge: where there is one.
        updates: what is new.
        base: the branch that is updated.
        pulls: all open pull requests.
        branches: the remote's, with their commits.
    """
    settings = updates.settings
    tips = {name: tip for name, tip in branches.items() if _is_ours(name, settings.branch) and name != base}
    people = {name: own(repository, tip, updates.base, settings.committer) for name, tip in tips.items()}
    seen = Seen(
        base,
        updates.base,
        tips=tips,
        people={name: person for name, person in people.items() if person},
        open=tuple(pull for pull in pulls if _is_ours(pull.branch, settings.branch)),
        forge=forge is not None,
    )
    with _exported(repository, updates.base) as root:
        wanted = [_wanted(repository, root, updates, update, tips) for update in updates.updates]
        names = {update.branch for update in wanted}
        if any(pull.branch not in names for pull in seen.open):
            seen = replace(seen, locked=_locked(root))
    return (_asked(forge, seen, wanted) if forge else seen), wanted


def _asked(forge: Forge, seen: Seen, wanted: Sequence[Wanted]) -> Seen:
    """Ask the forge what is not told with the open pull requests, where it matters."""
    last = {
        update.branch: forge.last_pull(update.branch) for update in wanted if not seen.pull(update.branch)
    }
    told = {
        person.identity
        for pull in seen.open
        if (person := seen.people.get(pull.branch))
        and any(marker.about(person.identity) in comment.text for comment in forge.comments(pull.number))
    }
    checks = {
        update.branch: forge.checks(update.commit)
        for update in wanted
        if update.merges and seen.tips.get(update.branch) == update.commit and seen.pull(update.branch)
    }
    newest = {name: pull for name, pull in last.items() if pull}
    return replace(seen, last=newest, told=frozenset(told), checks=checks)


def _is_ours(branch: str, name: str) -> bool:
    return branch == name or branch.startswith(f"{name}-")


def _wanted(
    repository: Repository, root: Path, updates: Updates, update: Update, tips: Mapping[str, str]
) -> Wanted:
    settings = updates.settings
    apart = update.security and settings.security == "apart"
    return Wanted(
        update.branch,
        build(
            repository,
            updates.base,
            update.files,
            commit_message(update, updates),
            committer=settings.committer,
            reuse=tips.get(update.branch),
        ),
        title(update.effect, update.news),
        body(root, update, updates),
        marker.summary(update.contents),
        waits=not apart,
        # Together, nobody could say that what is merged is for security alone.
        merges=settings.automerge == "all" or (settings.automerge == "security" and apart),
    )


@contextmanager
def _exported(repository: Repository, commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gitops-publish-") as directory:
        repository.export(commit, Path(directory))
        yield Path(directory)


def _locked(root: Path) -> frozenset[str]:
    """Give the digests of all packages that are locked in a fleet."""
    return marker.digests(
        f"{package.name}={package.version}"
        for path in (root / "locks").glob("*.lock")
        for package in parse_lock(path.read_text(), f"locks/{path.name}").packages
    )
