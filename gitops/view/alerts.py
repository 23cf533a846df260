"""What somebody may want to hear of, as a view has it, and what of that is news. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gitops.deploy.action import Result
from gitops.fleet.kinds import Kind
from gitops.fleet.notifications import Notifications
from gitops.system.clock import stamp
from gitops.view.view import AGENT_HINT, View
from gitops.view.waiting import Waiting

_NAMED = 20  # lines of a notice


@dataclass(frozen=True)
class Alert:
    """Something that is so.

    Args:
        kind: what sort of thing it is.
        topic: what it is about, the same for as long as it is so: `backup of alice`.
        title: a line that says it.
        text: what else there is to say, some lines.
        mark: another one makes it news again.
        since: from when on it was so, where that is known better than by who looks now.
    """

    kind: Kind
    topic: str
    title: str
    text: str = ""
    mark: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Known:
    """What was known of an alert at the look before.

    Args:
        kind: the alert's.
        since: from when on it was so, RFC 3339 in UTC.
        mark: the alert's.
        told: whether somebody was told.
    """

    kind: str
    since: str
    mark: str
    told: bool


@dataclass(frozen=True)
class News:
    """Something to tell: an alert, or that it is over."""

    kind: str
    title: str
    text: str
    good: bool = False


def alerts(view: View) -> list[Alert]:
    """Give all that is so and that somebody may want to hear of, but for jobs, which tell for themselves."""
    return [
        *_late_jobs(view),
        *_agent(view),
        *_registry(view),
        *_rollouts(view),
        *_backups(view),
        *_updates(view),
        *_hosts(view),
    ]


def undecided(view: View) -> tuple[str, ...]:
    """Give how topics begin of which this view cannot tell whether they are over."""
    paused = view.tick is None or view.tick.state == "paused"
    return (*(("the agent",) if paused else ()), *(() if view.answers else ("the roll-out of",)))


def news(
    found: Sequence[Alert],
    before: Mapping[str, Known],
    rules: Notifications,
    at: datetime,
    undecided: tuple[str, ...] = (),
) -> tuple[list[News], dict[str, Known]]:
    """Say what of that is news: what has lasted long enough and was not told yet, and what is over.

    Args:
        found: what is so.
        before: what was known at the look before, by topic.
        rules: how long a thing of each kind must last.
        at: the present time.
        undecided: how topics begin that stay as they were where nothing is found of them.

    Returns:
        The news, and what is known now.
    """
    told, known = [], dict[str, Known]()
    for one in found:
        was = before.get(one.topic)
        since = one.since or (datetime.fromisoformat(was.since) if was else at)
        state = Known(one.kind, stamp(since), one.mark, told=bool(was and was.told and was.mark == one.mark))
        if not state.told and at - since >= timedelta(seconds=rules.after(one.kind)):
            told.append(News(one.kind, one.title, one.text))
            state = replace(state, told=True)
        known[one.topic] = state
    for topic, was in before.items():
        if topic not in known and topic.startswith(undecided or ("\0",)):
            known[topic] = was
        elif topic not in known and was.told:
            told.append(News(was.kind, *_over(was.kind, topic, was.since), good=True))
    return told, known


def _over(kind: str, topic: str, since: str) -> tuple[str, str]:
    if kind in {Kind.UPDATE, Kind.SECURITY_UPDATE}:
        return f"{topic} waits no more", f"It had waited since {since}."
    return f"{topic} works again", f"What was wrong had begun at {since}."


def _late_jobs(view: View) -> Iterator[Alert]:
    """Tell once that jobs are not run any more, however many they are: mostly one thing is to blame."""
    late = [(one.subject, one.late) for one in view.jobs if one.late]
    if not late:
        return
    lines = [f"{subject} should have run at {stamp(at)}" for subject, at in late][:_NAMED]
    more = [f"and {len(late) - _NAMED} more"] if len(late) > _NAMED else []
    hint = "Does the scheduler run? systemctl status cron, or systemctl list-timers 'gitops-*'."
    count = f"{len(late)} of {len(view.jobs)} jobs" if len(view.jobs) > 1 else "the job"
    title = f"{count} should have run, and nothing has begun them"
    yield Alert(Kind.JOB_LATE, "the schedule", title, "\n".join([*lines, *more, hint]))


def _agent(view: View) -> Iterator[Alert]:
    """Tell that this host is not made what git says; that a server is away for a while is no news."""
    tick = view.tick
    if tick is None:
        return
    at = datetime.fromisoformat(tick.time)
    yield from _silence(f"the agent of {view.host}", at, view)
    refused = [note for note in tick.notes if note.startswith("refused")]
    rolled = any(one.held for one in view.instances)  # which is told as just that
    if refused or (tick.state == "failed" and not rolled):
        words = "\n".join([*refused, tick.reason])
        yield Alert(Kind.AGENT_FAILING, "the agent", "this host is not what git says", words)


def _registry(view: View) -> Iterator[Alert]:
    """Tell that the registry has something else than was vouched for: somebody may have been there."""
    refused = [note for note in view.notes if note.startswith("refused: the image ")]
    if refused:
        text = "\n".join(refused)
        yield Alert(
            Kind.IMAGE_REFUSED, "the registry", "images in the registry were refused", text, mark=text
        )


def _silence(topic: str, at: datetime, view: View) -> Iterator[Alert]:
    """Tell that an agent has not ticked; whoever looks just after it did, hears nothing."""
    if view.at - at > timedelta(minutes=2):
        title = f"{topic} has not ticked since {stamp(at)}"
        yield Alert(Kind.AGENT_SILENT, topic, title, AGENT_HINT, since=at)


def _rollouts(view: View) -> Iterator[Alert]:
    for one in view.instances:
        if one.held and one.held.result is not Result.NOT_TOUCHED:
            back = one.held.result is Result.ROLLED_BACK
            kind, how = (Kind.ROLLED_BACK, "was rolled back") if back else (Kind.ROLLOUT_FAILED, "failed")
            topic = f"the roll-out of {one.name}"
            said = f"{one.held.reason}\nIt said last:\n{one.held.said}" if one.held.said else one.held.reason
            yield Alert(kind, topic, f"{topic} {how}", said, mark=one.held.reason)


def _backups(view: View) -> Iterator[Alert]:
    for one in view.backups:
        for kind, note in zip(one.kinds, one.notes, strict=True):
            if kind is Kind.BACKUP_LATE:
                yield Alert(
                    kind, f"the backup of {one.instance}", f"the backup of {one.instance} is late", note
                )
            elif kind is Kind.DRILL_FAILED:
                topic = f"the drill of {one.instance}'s backup"
                yield Alert(kind, topic, f"{topic} failed", note)


def _updates(view: View) -> Iterator[Alert]:
    groups: dict[str, list[Waiting]] = {}
    sources: dict[str, list[Waiting]] = {}
    for one in view.waiting:
        groups.setdefault(one.group, []).append(one)
        if one.security:
            sources.setdefault(one.source, []).append(one)
    for group, found in groups.items():
        topic = f"the update {group}" if group else "the update of all packages"
        mark = " ".join(f"{one.package}={one.new}" for one in found)
        security = "for security, " if any(one.security for one in found) else ""
        count = f"{len(found)} packages" if len(found) > 1 else "1 package"
        title = f"{topic} waits: {security}{count}"
        yield Alert(
            Kind.UPDATE, topic, title, "\n".join(_lines(found)), mark, min(one.since for one in found)
        )
    for source, found in sources.items():
        since = min(one.since for one in found)
        title = f"a security update of {source} waits since {stamp(since)}"
        yield Alert(
            Kind.SECURITY_UPDATE,
            f"the security update of {source}",
            title,
            "\n".join(_lines(found)),
            since=since,
        )


def _lines(found: Sequence[Waiting]) -> list[str]:
    lines = [
        f"{one.package} {one.old or 'new'} -> {one.new or 'goes'}"
        + (f" ({', '.join(one.cves)})" if one.cves else "")
        for one in found[:_NAMED]
    ]
    return [*lines, *([f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else [])]


def _hosts(view: View) -> Iterator[Alert]:
    """Tell of hosts that are silent: those that this one watches over."""
    silent = {one.name: one for one in view.others if one.silent}
    reporting = [view.host, *(one.name for one in view.others if one.source == "report")]
    for name in watched(view.host, reporting, silent):
        if name in silent and (at := silent[name].at):
            title = f"{name} has said nothing since {stamp(at)}"
            yield Alert(
                Kind.AGENT_SILENT, f"the agent of {name}", title, "Its reports come every hour.", since=at
            )


def watched(host: str, reporting: Sequence[str], silent: Mapping[str, object]) -> list[str]:
    """Give the hosts that a host watches over: the one before it by name, and on as long as these are silent.

    So each is watched by one that lives, whichever live, and nobody hears of one thing twice.
    """
    ring = sorted(set(reporting))
    start = ring.index(host)
    order = [ring[(start - step) % len(ring)] for step in range(1, len(ring))]
    found = []
    for name in order:
        found.append(name)
        if name not in silent:
            break
    return found
