"""The view: what is known of a fleet's hosts, instances, images, backups and jobs, as values. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from gitops.agent.ticked import Tick
from gitops.backup.standing import BackupStanding
from gitops.deploy.action import Held
from gitops.deploy.status import Row
from gitops.engine.usage import Usage
from gitops.fleet.kinds import Kind
from gitops.jobs.standing import JobStanding
from gitops.report.turns import Turn
from gitops.system.clock import stamp
from gitops.view.waiting import Waiting

SILENT = timedelta(hours=3)
"""A host whose report is older than this, of reports that come every hour, says nothing any more."""

AGENT_HINT = "Does it run? systemctl status gitops-agent, or /etc/cron.d/gitops-agent."

_SILENT = timedelta(minutes=15)
"""An agent that has not ticked for so long is one to look at."""


@dataclass(frozen=True)
class Problem:
    """Something that somebody should look at.

    Args:
        kind: what sort of thing it is, as notifications sort it; empty for what only `status` tells.
        subject: of what: `instance alice`, `job alice/wp-cron`, `host web1`.
        text: what is the matter, and what to do about it, on lines of their own.
        since: from when on, UTC; None where that is not known.
    """

    kind: Kind | None
    subject: str
    text: str
    since: datetime | None = None

    @property
    def line(self) -> str:
        """Give the text on one line."""
        return "; ".join(" ".join(each.split()) for each in self.text.splitlines() if each.strip())


@dataclass(frozen=True)
class ImageView:
    """An image that the fleet has.

    Args:
        name: its name.
        architecture: in Debian's words.
        identity: its tag, in full.
        packages: version by name, its parents' too, sorted; with `packages_of` where each is from.
        waiting: what the update bot has found for it.
        instances: INSTANCE of this host that run it.
        parent: the image that it stands on, or `scratch`.
        allow: what its definition takes from outside of Debian, aloud.
    """

    name: str
    architecture: str
    identity: str
    packages: Mapping[str, str]
    waiting: tuple[Waiting, ...]
    instances: tuple[str, ...]
    parent: str = "scratch"
    allow: tuple[str, ...] = ()

    @property
    def cves(self) -> tuple[str, ...]:
        """Give the CVEs that what waits would mend, as its changelogs name them."""
        return tuple(sorted({cve for one in self.waiting for cve in one.cves}))


@dataclass(frozen=True)
class InstanceView:
    """An instance of this host.

    Args:
        name: its name.
        app: what it is a copy of; empty for what is left of one that git has no more.
        parameters: their values, none of which is a secret.
        rows: its containers, problems first.
        backup: how its backups stand; None where it has nothing to back up.
        jobs: how its jobs stand.
        images: the names of the images that it runs.
        held: why it is not what git says, where a roll-out failed.
    """

    name: str
    app: str
    parameters: Mapping[str, str]
    rows: tuple[Row, ...]
    backup: BackupStanding | None
    jobs: tuple[JobStanding, ...]
    images: tuple[str, ...]
    held: Held | None = None

    @property
    def health(self) -> str:
        """Give the worst of its containers in a word: `missing`, `unhealthy`, `starting`, `running`."""
        worst = next((row for row in self.rows if not row.well), self.rows[0] if self.rows else None)
        return (worst.health or worst.state) if worst else "nothing runs"

    @property
    def state(self) -> str:
        """Give its health, and what became of its roll-out where that failed: `healthy, rolled back`."""
        return f"{self.health}, {self.held.result}" if self.held else self.health

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Give what somebody should look at."""
        found = [
            Problem(None, f"instance {self.name}", f"{row.service}: {row.note or row.health or row.state}")
            for row in self.rows
            if not row.well
        ]
        found += _of_backup(self.backup) if self.backup else ()
        found += [problem for job in self.jobs for problem in of_job(job)]
        return tuple(found)


@dataclass(frozen=True)
class HostView:
    """A host of the fleet.

    Args:
        name: its name.
        source: `here`: it looks itself; `report`: what it last said of itself; empty: it says nothing.
        generation: the commit that it runs; empty where none is known.
        at: when this was so; None where nothing is known.
        containers: how many it has.
        problems: what somebody should look at.
        silent: it should have said something since, and has not.
    """

    name: str
    source: str
    generation: str = ""
    at: datetime | None = None
    containers: int = 0
    problems: tuple[Problem, ...] = ()
    silent: bool = False


@dataclass(frozen=True)
class View:
    """How things stand, as one host sees them.

    Args:
        fleet: the fleet's name.
        root: its directory; a text, since templates of the fleet see this, and a Path can do things.
        host: whose instances, backups and jobs these are.
        at: when this was so, UTC.
        generation: the commit that the host runs; empty where it runs none yet.
        notes: what keeps the host from git's newest commit, and what else somebody should know of it.
        tick: how the agent's newest tick ended; None where there was none since the machine was started.
        rows: all containers, problems first.
        backups: problems first.
        jobs: all jobs, the host's own too.
        instances: problems first, then by name.
        images: by name.
        others: what is known of the fleet's other hosts, by name.
        turns: the newest applies and rollbacks, the newest first.
        looked: when the update bot last looked; None: it has not, as far as this machine knows.
        untold: how many notices could not be delivered yet.
        used: what containers use, by id.
        answers: whether the container engine does; where not, nothing is known of containers.
    """

    fleet: str
    root: str
    host: str
    at: datetime
    generation: str
    notes: tuple[str, ...]
    tick: Tick | None
    rows: tuple[Row, ...]
    backups: tuple[BackupStanding, ...]
    jobs: tuple[JobStanding, ...]
    instances: tuple[InstanceView, ...]
    images: tuple[ImageView, ...]
    others: tuple[HostView, ...] = ()
    turns: tuple[Turn, ...] = ()
    looked: datetime | None = None
    untold: int = 0
    used: Mapping[str, Usage] = field(default_factory=dict)
    answers: bool = True

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look at this host; an update that waits is no fault of it."""
        late = any(one.notes for one in self.backups) or any(one.notes for one in self.jobs)
        return not self.notes and not late and not self.silent and all(row.well for row in self.rows)

    @property
    def silent(self) -> datetime | None:
        """Tell since when the agent of this host has not ticked; None: it ticks, or there is none."""
        at = datetime.fromisoformat(self.tick.time) if self.tick else self.at
        return at if self.at - at > _SILENT else None

    @cached_property
    def waiting(self) -> tuple[Waiting, ...]:
        """Give the packages that wait for somebody to merge them, those for security first."""
        found = {one: None for image in self.images for one in image.waiting}
        return tuple(sorted(found, key=lambda one: (not one.security, one.source, one.package)))

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Give all that somebody should look at: the host, other hosts, instances, backups, jobs."""
        return tuple(self._problems())

    @property
    def hosts(self) -> tuple[HostView, ...]:
        """Give this host and the others, those with problems first."""
        here = HostView(self.host, "here", self.generation, self.at, len(self.rows), self._own)
        return tuple(sorted((here, *self.others), key=lambda one: (not one.problems, one.name)))

    @property
    def _own(self) -> tuple[Problem, ...]:
        silent = {one.name for one in self.others if one.silent}
        return tuple(one for one in self.problems if one.subject.removeprefix("host ") not in silent)

    def _problems(self) -> Iterator[Problem]:
        if self.silent:
            text = f"the agent has not ticked since {stamp(self.silent)}\n{AGENT_HINT}"
            yield Problem(Kind.AGENT_SILENT, f"host {self.host}", text, self.silent)
        for note in self.notes:
            yield Problem(None, f"host {self.host}", note)
        for host in self.others:
            yield from host.problems
        for instance in self.instances:
            yield from instance.problems
        known = {one.name for one in self.instances}
        for job in self.jobs:
            if job.instance not in known:
                yield from of_job(job)


def of_job(job: JobStanding) -> Iterator[Problem]:
    """Give what is the matter with a job."""
    kinds = [Kind.JOB_LATE] if job.late else []
    kinds += [Kind.JOB_FAILING] if len(job.notes) > len(kinds) else []
    for kind, note in zip(kinds, job.notes, strict=True):
        since = job.late if kind is Kind.JOB_LATE else job.last.started if job.last else None
        yield Problem(kind, f"job {job.subject}", note, since)


def _of_backup(backup: BackupStanding) -> Iterator[Problem]:
    for kind, note in zip(backup.kinds, backup.notes, strict=True):
        yield Problem(kind, f"backup {backup.instance}", note, backup.due)
