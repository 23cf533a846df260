"""Bringing a remote and its forge to where they should be: look, decide, do; nothing is remembered."""

from datetime import datetime

from gitops.forge.pull_request import Forge
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.updates.decide import decide
from gitops.updates.find import Updates
from gitops.updates.look import look
from gitops.updates.outcome import Outcome
from gitops.updates.schedule import is_open
from gitops.updates.steps import (
    Close,
    Delete,
    Label,
    Merge,
    Open,
    Plan,
    Push,
    Review,
    Say,
    Step,
    Write,
)


def publish(
    repository: Repository,
    remote: Remote,
    base: str,
    forge: Forge | None,
    updates: Updates,
    *,
    at: datetime,
    now: bool = False,
) -> tuple[Outcome, ...]:
    """Push branches and open, refresh, merge or close pull requests, as far as they are not so already.

    One that cannot be had is told as failed, and holds back no other.

    Args:
        repository: the fleet's.
        remote: where branches go.
        base: the branch of the remote that is updated.
        forge: what has pull requests there; None: branches are all there is.
        updates: what is new for the base's commit.
        at: the time, for the schedule.
        now: whether the schedule does not count.

    Raises:
        UserError: the forge or the remote cannot be asked, or the base moved since updates were looked for.
    """
    # The forge first: what is merged after this look moves the base, which the second look sees.
    pulls = [] if forge is None else forge.open_pulls()
    branches = remote.fetch(base, updates.settings.branch)
    if branches[base] != updates.base:
        raise UserError(f"{base} moved while updates were looked for", hint="run it again")
    seen, wanted = look(repository, forge, updates, base, pulls, branches)
    in_time = now or is_open(updates.settings, at)
    plans = decide(wanted, seen, updates.settings, in_time=in_time)
    return tuple(_carry_out(plan, remote, base, forge) for plan in plans)


def _carry_out(plan: Plan, remote: Remote, base: str, forge: Forge | None) -> Outcome:
    state, why, pull, merging = plan.state, plan.why, plan.pull, False
    try:
        for step in plan.steps:
            merging = isinstance(step, Merge)
            if isinstance(step, Push):
                remote.push(plan.branch, step.commit, step.expected)
            elif isinstance(step, Delete):
                remote.delete(plan.branch, step.expected)
            elif forge and isinstance(step, Open):
                pull = forge.create(branch=plan.branch, base=base, title=step.title, body=step.body)
            elif forge and pull:
                _do(step, forge, pull.number)
    except UserError as error:
        # A forge refuses to merge what lacks a review or is a draft: that is a person's to see to.
        state, why = "waits" if merging else "failed", " ".join(str(error).split())
    return Outcome(plan.branch, state, why, pull.number if pull else None, pull.url if pull else "")


def _do(step: Step, forge: Forge, number: int) -> None:
    match step:
        case Label(labels):
            forge.label(number, labels)
        case Review(reviewers):
            forge.request_review(number, reviewers)
        case Write(title, body):
            forge.edit(number, title=title, body=body)
        case Say(text):
            forge.comment(number, text)
        case Close(body):
            forge.close(number, body=body)
        case Merge(commit):
            forge.merge(number, commit)
