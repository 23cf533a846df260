"""Proposing on branches of the local repository, with nobody else to ask."""

from gitops.git.proposal import propose
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.updates.commit_message import commit_message
from gitops.updates.find import Update, Updates
from gitops.updates.outcome import Outcome
from gitops.updates.title import title


def commit(repository: Repository, updates: Updates) -> tuple[Outcome, ...]:
    """Put each update on its branch, on top of the commit that was looked at.

    One that cannot be is told as failed, and holds back no other.
    """
    return tuple(_commit(repository, updates, update) for update in updates.updates)


def _commit(repository: Repository, updates: Updates, update: Update) -> Outcome:
    message = commit_message(update, updates)
    try:
        made = propose(
            repository, update.branch, updates.base, update.files, message, updates.settings.committer
        )
    except UserError as error:
        return Outcome(update.branch, "failed", " ".join(str(error).split()))
    if made.state == "unchanged":
        return Outcome(update.branch, "unchanged")
    why = f"{title(update.effect, update.news)}; take it with: gitops update --merge {update.branch}"
    return Outcome(update.branch, "committed" if made.state == "new" else "refreshed", why)
