"""What is to be done about each branch: from what is wanted and what was seen to steps, and why. Pure.

Every step leaves a state from which the next run goes on: a branch without its pull request gets one, one
that is still `opening` gets its labels, a closed one's branch is removed. Whatever is as it should be has no
steps at all.
"""

from collections.abc import Iterator, Sequence

from gitops.fleet.updates import Updates as Settings
from gitops.forge.pull_request import Checks, PullRequest
from gitops.git.repository import Commit
from gitops.updates import marker
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
    Seen,
    Step,
    Wanted,
    Write,
)


def decide(wanted: Sequence[Wanted], seen: Seen, settings: Settings, *, in_time: bool) -> tuple[Plan, ...]:
    """Say what is to be done about every branch: first what ends, then what is wanted, in its order.

    Args:
        wanted: what is to be proposed; who comes first takes the last place under the limit.
        seen: how everything stands.
        settings: the fleet's.
        in_time: whether something that waits for the schedule may be proposed now.
    """
    ends = tuple(_ends(wanted, seen))
    closed = {plan.pull.number for plan in ends if plan.pull and plan.state == "closed"}
    deleted = {plan.branch for plan in ends if plan.state == "deleted"}
    there = {pull.branch for pull in seen.open if pull.number not in closed}
    if not seen.forge:
        there = seen.tips.keys() - deleted
    plans = list[Plan]()
    for update in wanted:
        plan = _plan(update, seen, settings)
        if plan.steps and update.waits and not in_time and plan.state != "left alone":
            plan = Plan(update.branch, "waits", "for the schedule", plan.pull)
        elif plan.state in {"opened", "pushed"} and update.branch not in there:
            if len(there) >= settings.limit:
                plan = Plan(
                    update.branch, "waits", f"{settings.limit} are open already, the limit", plan.pull
                )
            else:
                there.add(update.branch)
        elif plan.state == "merged" and (before := [each for each in plans if each.state == "merged"]):
            # Its checks have seen a base that is about to be another one.
            plan = Plan(update.branch, "waits", f"{before[0].branch} is merged first", plan.pull)
        plans.append(plan)
    return (*ends, *plans)


def _plan(update: Wanted, seen: Seen, settings: Settings) -> Plan:
    """Say what a wanted branch needs, if neither schedule nor limit is in its way."""
    branch, tip, pull = update.branch, seen.tips.get(update.branch), seen.pull(update.branch)
    last = seen.last.get(branch)
    if (person := seen.people.get(branch)) and not (last and last.state == "merged" and last.head == tip):
        return _left_alone(branch, person, pull, seen)
    if pull is None and last is not None and _has_declined(last, update):
        return Plan(branch, "declined", "it was closed; something newer will be proposed again", last)
    return _proposal(update, seen, settings)


def _proposal(update: Wanted, seen: Seen, settings: Settings) -> Plan:
    branch, tip, pull = update.branch, seen.tips.get(update.branch), seen.pull(update.branch)
    push = () if tip == update.commit else (Push(update.commit, tip),)
    if not seen.forge:
        return Plan(branch, "pushed" if push else "unchanged", steps=push)
    if pull is None:
        return Plan(branch, "opened", update.title, None, (*push, *_opening(update, settings)))
    if steps := (*push, *_rewriting(update, pull, settings)):
        return Plan(branch, "refreshed", update.title, pull, steps)
    if not update.merges:
        return Plan(branch, "unchanged", pull=pull)
    return _merging(update, pull, seen.checks.get(branch, "none"))


def _opening(update: Wanted, settings: Settings) -> Iterator[Step]:
    final = marker.signed(update.title, update.body, update.contents)
    if not (settings.labels or settings.reviewers):
        yield Open(update.title, final)
        return
    yield Open(update.title, marker.signed(update.title, update.body, update.contents, opening=True))
    yield from _dressing(settings)
    yield Write(update.title, final)


def _rewriting(update: Wanted, pull: PullRequest, settings: Settings) -> Iterator[Step]:
    final = marker.signed(update.title, update.body, update.contents)
    found = marker.read(pull.body)
    if found and found.state == "opening":
        yield from _dressing(settings)
    if found != marker.read(final):
        yield Write(update.title, final)


def _dressing(settings: Settings) -> Iterator[Step]:
    if settings.labels:
        yield Label(settings.labels)
    if settings.reviewers:
        yield Review(settings.reviewers)


def _merging(update: Wanted, pull: PullRequest, checks: Checks) -> Plan:
    if pull.head != update.commit:
        return Plan(update.branch, "waits", "the forge has not seen the push yet", pull)
    if checks == "passed":
        return Plan(update.branch, "merged", update.title, pull, (Merge(update.commit),))
    why = {
        "none": "to be merged: no check has reported on it",
        "running": "to be merged: its checks are running",
        "failed": "its checks have failed",
    }
    return Plan(update.branch, "waits", why[checks], pull)


def _has_declined(last: PullRequest, update: Wanted) -> bool:
    """Tell whether a person has closed a pull request that had all of this update."""
    if last.state != "closed":
        return False
    found = marker.read(last.body)
    if found is None:  # a person took the marker away
        return last.head == update.commit or last.title == update.title
    return found.state != "closed" and update.contents <= found.contents


def _ends(wanted: Sequence[Wanted], seen: Seen) -> Iterator[Plan]:
    """Close what is open and should not be, and remove the branches that are left of it."""
    names = {update.branch for update in wanted}
    for pull in seen.open:
        if pull.branch in names and pull.base != seen.base and pull.branch not in seen.people:
            why = f"Updates go to `{seen.base}` now."
            yield Plan(pull.branch, "closed", why, pull, (Close(marker.closed(why, pull.body)),))
    stale: dict[str, list[PullRequest]] = {branch: [] for branch in seen.tips if branch not in names}
    for pull in seen.open:
        if pull.branch not in names:
            stale.setdefault(pull.branch, []).append(pull)
    for branch, pulls in sorted(stale.items()):
        if person := seen.people.get(branch):
            ours = [pull for pull in pulls if marker.read(pull.body)]  # others are no business of the bot
            yield from (_left_alone(branch, person, pull, seen) for pull in ours)
            continue
        tip = seen.tips.get(branch)
        delete = (Delete(tip),) if tip else ()
        for pull in pulls:
            why = _why_it_ends(pull, wanted, seen)
            close = Close(marker.closed(why, pull.body))
            yield Plan(branch, "closed", why, pull, (close, *(delete if pull is pulls[-1] else ())))
        if not pulls:
            yield Plan(branch, "deleted", "nothing is proposed on it", steps=delete)


def _why_it_ends(pull: PullRequest, wanted: Sequence[Wanted], seen: Seen) -> str:
    found = marker.read(pull.body)
    contents = found.contents if found else frozenset[str]()
    landed = f"Landed: `{seen.base}` has it, as of {seen.commit}."
    if contents and contents <= seen.locked:
        return landed
    if into := next((update.branch for update in wanted if update.contents & contents), None):
        return f"Now part of `{into}`."
    if contents & seen.locked:
        return landed
    return "No longer offered: withdrawn, replaced by something newer, or held in fleet.yaml."


def _left_alone(branch: str, person: Commit, pull: PullRequest | None, seen: Seen) -> Plan:
    """Say once, on the pull request, that a person's commit is not touched."""
    text = (
        f"This branch carries a commit that gitops did not make: {person.identity}. gitops leaves the branch"
        " as it is from now on, and says so only once. Take the commit off the branch to let it carry on."
        f"\n\n{marker.about(person.identity)}\n"
    )
    steps = (Say(text),) if pull and person.identity not in seen.told else ()
    return Plan(branch, "left alone", f"the branch carries a commit of {person.committer!r}", pull, steps)
