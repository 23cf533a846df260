"""What the parts of an app say of each other, and of the fleet: every name must lead somewhere."""

from collections.abc import Collection, Iterator

from gitops.fleet.apps import App
from gitops.fleet.backups import Backup, Verification
from gitops.fleet.document import At
from gitops.fleet.fleet import Fleet
from gitops.fleet.hosts import Host
from gitops.fleet.services import Service
from gitops.fleet.sources import Sources, placed
from gitops.fleet.tests import AppTest
from gitops.fleet.wording import Fault, did_you_mean
from gitops.system.errors import Problem


def wiring_faults(app: App, sources: Sources) -> Iterator[Fault]:
    """Tell which names in an app lead nowhere; places are in the app's document."""
    for name, service in app.services.items():
        at: At = ("services", name)
        yield from _unknown("image", service.image, sources.names["images"], (*at, "image"))
        for index, secret in enumerate(service.secrets):
            yield from _missing_secret(secret.source, sources, (*at, "secrets", index, "source"))
        for other in service.depends_on:
            yield from _unknown("service", other, app.services, (*at, "depends_on", other), key=True)
    yield from _cycle(app.services)
    yield from _two_on_one_port(app)
    for name, job in app.jobs.items():
        yield from _unknown("service", job.service, app.services, ("jobs", name, "service"))
    if app.backup:
        yield from _backup(app, app.backup)
    if app.test:
        yield from _test(app, app.test)


def notification_problems(fleet: Fleet, sources: Sources) -> Iterator[Problem]:
    """Tell which secrets fleet.yaml names for notifications and are not there."""
    if document := sources.settings:
        told = fleet.settings.notifications
        named: list[tuple[str, At]] = [
            (name, ("notifications", "to", index)) for index, name in enumerate(told.to)
        ]
        for number, rule in enumerate(told.rules):
            at: At = ("notifications", "rules", number, "to")
            named += [(name, (*at, index)) for index, name in enumerate(rule.to or ())]
        for name, where in named:
            for fault in _missing_secret(name, sources, where):
                yield placed(document, fault)


def _backup(app: App, backup: Backup) -> Iterator[Fault]:
    volumes = _volumes(app)
    for index, database in enumerate(backup.databases):
        at: At = ("backup", "databases", index)
        yield from _unknown("service", database.service, app.services, (*at, "service"))
        service = app.services.get(database.service)
        if service and database.password:
            secrets = {secret.source: service for secret in service.secrets}
            yield from _unknown("secret", database.password, secrets, (*at, "password"))
    for index, volume in enumerate(backup.volumes):
        yield from _unknown("volume", volume.name, volumes, ("backup", "volumes", index))
    for index, question in enumerate(backup.verify):
        at = ("backup", "verify", index)
        yield from _unknown("service", question.service, app.services, (*at, "service"))
        if question.query is not None and question.service in app.services:
            yield from _no_such_database(backup, question, at)


def _test(app: App, test: AppTest) -> Iterator[Fault]:
    secrets = {secret.source for service in app.services.values() for secret in service.secrets}
    for name in test.secrets:
        yield from _unknown("secret", name, secrets, ("test", "secrets", name), key=True)
    for index, check in enumerate(test.checks):
        at: At = ("test", "checks", index)
        yield from _unknown("service", check.service, app.services, (*at, "service"))


def _no_such_database(backup: Backup, question: Verification, at: At) -> Iterator[Fault]:
    """Tell why it is not clear which database a query is for."""
    known = [one for one in backup.databases if one.service == question.service]
    if not known:
        hint = "only a database that is backed up can be asked; `command` asks anything else"
        yield Fault((*at, "query"), f"no database of {question.service} is backed up", hint)
    elif question.database is None and (len(known) > 1 or known[0].all):
        hint = "write `database`"
        yield Fault((*at, "query"), f"{question.service} has several databases", hint)
    elif question.database is not None and not any(one.all for one in known):
        names = {one.name: None for one in known if one.name}
        yield from _unknown("database", question.database, names, (*at, "database"))


def _two_on_one_port(app: App) -> Iterator[Fault]:
    """Tell why a new container cannot start beside the old one: both would want the same port of the host."""
    if app.rollout.order == "start-first":
        for name, service in app.services.items():
            if any(published is not None for port in service.ports for published, _ in port.pairs()):
                yield Fault(
                    ("rollout", "order"),
                    f"{name} publishes a port of the host, which two containers cannot share",
                    "write stop-first, or let a proxy reach the service over a network",
                )


def architecture_faults(app: App, fleet: Fleet, host: str, sound: frozenset[str]) -> Iterator[Fault]:
    """Tell which images of an app are not made for the host that is to run them."""
    architecture = fleet.hosts[host].architecture
    for name, service in app.services.items():
        known = fleet.settings.archives
        if service.image in sound and all(each in known for each in fleet.archives_of(service.image)):
            others = fleet.architectures_of(service.image)
            if architecture not in others:
                yield Fault(
                    ("services", name, "image"),
                    f"{host} is {architecture}, {service.image} is for {' and '.join(others) or 'nothing'}",
                    "name the architecture in each of the image's archives",
                )


def secret_faults(host: Host, sources: Sources) -> Iterator[Fault]:
    """Tell which secrets that a host itself uses there are not; places are in the host's document."""
    if host.backup and host.backup.password:
        yield from _missing_secret(host.backup.password, sources, ("backup", "password"))
    for variable, secret in host.backup.environment.items() if host.backup else ():
        yield from _missing_secret(secret, sources, ("backup", "environment", variable))
    if host.updates and host.updates.token:
        yield from _missing_secret(host.updates.token, sources, ("updates", "token"))


def _missing_secret(name: str, sources: Sources, at: At) -> Iterator[Fault]:
    if name not in sources.names["secrets"] and not sources.secrets_to_come:
        yield Fault(at, f"there is no secrets/{name}.age", f"`gitops secret set {name}` makes it")


def _unknown(kind: str, name: str, known: Collection[str], at: At, *, key: bool = False) -> Iterator[Fault]:
    if name not in known:
        yield Fault(at, f"unknown {kind} `{name}`", did_you_mean(name, known), key=key)


def _volumes(app: App) -> frozenset[str]:
    return frozenset(
        mount.source
        for service in app.services.values()
        for mount in service.volumes
        if mount.type == "volume" and mount.source
    )


def _cycle(services: dict[str, Service]) -> Iterator[Fault]:
    """Tell one circle of services that each wait for the next, if there is any."""
    done: set[str] = set()

    def visit(name: str, line: tuple[str, ...]) -> Fault | None:
        if name in line:
            circle = [*line[line.index(name) :], name]
            at = ("services", line[-1], "depends_on", name)
            return Fault(at, f"these services wait for each other: {' → '.join(circle)}", key=True)
        if name in done or name not in services:
            return None
        done.add(name)
        found = (visit(other, (*line, name)) for other in services[name].depends_on)
        return next((fault for fault in found if fault), None)

    faults = [fault for name in services if (fault := visit(name, ()))]
    yield from faults
