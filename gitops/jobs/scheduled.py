"""What a host's scheduler runs: the jobs of its instances, and its own: backups, drills, care.

Pure: it follows from the fleet alone, so that what git says can be reviewed, and rendered again anywhere.
"""

from collections.abc import Iterator, Mapping

from gitops.fleet.backups import Repository
from gitops.fleet.crontab import crontab
from gitops.fleet.fleet import Fleet, Instance
from gitops.fleet.jobs import Job
from gitops.fleet.updates import Bot
from gitops.jobs.definition import HOST_LEVEL, Definition
from gitops.jobs.spread import offset

_LONGEST_WAIT = 300.0
"""Seconds that a job waits for its service: as long as most roll-outs of an instance take."""

_HOST_TIMEOUT = 24 * 3600.0
"""Seconds for what the host runs: each dump has a limit of its own, and a repository may be large."""

_Own = tuple[str, str, tuple[str, ...], str]
"""A job of the host itself: name, schedule, what gitops is told, `catch_up`."""


def scheduled(fleet: Fleet, host: str) -> list[Definition]:
    """List what a host's scheduler runs: its own first, then each instance's, by name.

    Raises:
        UserError: there is no such host.
    """
    instances = fleet.instances(host)
    name = fleet.settings.name
    found = [
        _of_instance(name, host, instance.name, each, job)
        for instance in instances.values()
        for each, job in sorted(instance.definition.jobs.items())
        if not job.only_on or instance.name in job.only_on
    ]
    return [*_of_host(fleet, host, instances), *found]


def _of_instance(fleet: str, host: str, instance: str, name: str, job: Job) -> Definition:
    return Definition(
        fleet=fleet,
        host=host,
        instance=instance,
        name=name,
        service=job.service,
        command=job.command,
        user=job.user,
        environment=job.environment,
        workdir=job.workdir,
        schedule=job.times.text,
        timezone=job.timezone,
        timeout=job.timeout,
        grace=job.grace,
        overlap=job.overlap,
        retries=job.retries,
        catch_up=job.catch_up,
        spread=offset(job.spread, fleet, host, instance, name),
        wait=min(_LONGEST_WAIT, job.times.closest() * 60.0),
        notify=job.notify,
        mode=job.mode,
    )


def _of_host(fleet: Fleet, host: str, instances: Mapping[str, Instance]) -> Iterator[Definition]:
    """Give what the host runs itself: its backups with what they need, and the update bot."""
    wanted = [*_backups(fleet.hosts[host].backup, instances), *_updates(fleet.hosts[host].updates)]
    for name, schedule, words, catch_up in wanted:
        yield Definition(
            fleet=fleet.settings.name,
            host=host,
            instance=HOST_LEVEL,
            name=name,
            argv=("gitops", *words),
            schedule=crontab(schedule).text,
            timeout=_HOST_TIMEOUT,
            catch_up=catch_up,
        )


def _updates(bot: Bot | None) -> Iterator[_Own]:
    if bot:
        yield "update", bot.schedule, ("agent", "update", "--propose", bot.propose), "once"


def _backups(repository: Repository | None, instances: Mapping[str, Instance]) -> Iterator[_Own]:
    if repository is None:
        return
    backups: dict[str, dict[str, list[str]]] = {}
    drills: dict[str, dict[str, list[str]]] = {}
    for name, instance in instances.items():
        backup = instance.definition.backup
        if backup and (backup.databases or backup.volumes):
            backups.setdefault(instance.app, {}).setdefault(backup.schedule, []).append(name)
            if backup.drill:
                drills.setdefault(instance.app, {}).setdefault(backup.drill, []).append(name)
    told = (("backup", "run", backups, "once"), ("drill", "drill", drills, "none"))
    for kind, verb, apps, catch_up in told:
        for app, schedules in sorted(apps.items()):
            for name, schedule, names in _named(f"{kind}.{app}", schedules):
                yield name, schedule, ("backup", verb, *names), catch_up
    if backups:
        yield "check", repository.check.schedule, ("backup", "check"), "none"
        yield "prune", repository.prune, ("backup", "prune"), "none"


def _named(name: str, schedules: Mapping[str, list[str]]) -> Iterator[tuple[str, str, list[str]]]:
    """Name the runs of an app: after it alone; where its instances differ, after the first of each too."""
    for schedule, instances in sorted(schedules.items(), key=lambda one: one[1]):
        yield name if len(schedules) == 1 else f"{name}.{instances[0]}", schedule, instances
