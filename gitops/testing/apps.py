"""An app's test: an instance of it that is there for that alone, must be well, and must answer rightly."""

import io
import secrets
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from pydantic import ValidationError

from gitops.deploy.desired import Desired, desired
from gitops.deploy.duplicate import Copy, copy_of
from gitops.deploy.throwaway import Throwaway, throw_away
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, MountSpec, SecretSpec, VolumeSpec
from gitops.fleet.apps import App
from gitops.fleet.document import read
from gitops.fleet.fleet import Fleet
from gitops.fleet.hosts import Host, Placement
from gitops.fleet.interpolation import InterpolationError
from gitops.fleet.settings import Architecture
from gitops.fleet.tests import AppTest
from gitops.fleet.wording import faults
from gitops.system.errors import Problem, UserError
from gitops.system.places import Places
from gitops.system.progress import Progress
from gitops.testing.images import HOST, shown, suffix
from gitops.testing.outcome import Outcome
from gitops.testing.pages import ask_command, ask_page

_SECRETS = "/run/secrets"


def trial(fleet: Fleet, app: str, architecture: Architecture) -> Fleet:
    """Give the fleet with one host, on which stands the one instance that an app's test wants; pure.

    Raises:
        UserError: the app cannot be instantiated with its test's parameters.
    """
    definition = fleet.apps[app]
    given = (definition.document.get("test") or {}).get("parameters") or {}
    placement = Placement.model_construct(app=app, parameters=given)
    host = Host.model_construct(architecture=architecture, instances={app: placement})
    made = replace(fleet, hosts={HOST: host})
    try:
        made.instance(HOST, app)
    except InterpolationError as error:
        raise UserError(str(error), file=f"apps/{app}.yaml", hint=error.hint) from error
    except ValidationError as error:
        found = faults(error, App, definition.document)
        document, _ = read(definition.file, f"apps/{app}.yaml")
        raise UserError.of(
            [
                document.problem(one.at, one.message, one.hint, key=one.key)
                if document
                else Problem(f"apps/{app}.yaml", message=one.message, hint=one.hint)
                for one in found
            ]
        ) from error
    return made


def try_app(
    fleet: Fleet,
    app: str,
    references: Mapping[tuple[str, str], str],
    architecture: Architecture,
    engine: Docker,
    places: Places,
    *,
    tell: Callable[[Outcome], object],
    progress: Progress,
) -> None:
    """Run an app's test.

    Args:
        fleet: the definitions.
        app: the app, which has a test.
        references: what each (image, architecture) is called on the engine; those of the app are there.
        architecture: this machine's.
        engine: where it runs.
        places: where it is noted what must be removed.
        tell: is given each outcome.
        progress: is told of what is being tried.

    Raises:
        UserError: it cannot be tried.
    """
    made = trial(fleet, app, architecture)
    test = made.instance(HOST, app).definition.test or AppTest()
    copy = copy_for_test(desired(made, HOST, references), app, fleet.settings.name, suffix(), test)
    with throw_away(copy, engine, places, test=True) as instance:
        began = time.monotonic()
        progress(app, "starting")
        wrong, said = _start(instance)
        tell(Outcome("app", app, "starts, and is well", wrong, said, time.monotonic() - began))
        for check in () if wrong else test.checks:
            began = time.monotonic()
            container = instance.container(check.service)
            ask, what = (
                (ask_page, f"GET {check.http}") if check.http else (ask_command, shown(check.command or ()))
            )
            progress(app, f"{check.service}: {what}")
            wrong, said = ask(engine, container, check)
            seconds = time.monotonic() - began
            tell(Outcome("app", app, f"{check.service}: {what}", wrong, said, seconds))


def copy_for_test(wanted: Desired, app: str, fleet: str, own: str, test: AppTest) -> Copy:
    """Work out what is made for a test: as for a drill, but that nothing of a host is needed.

    The host's directories are empty volumes, secrets have values of the test's, in volumes of their own.

    Args:
        wanted: what the trial's host is to run.
        app: the app, and the instance.
        fleet: the real fleet's name.
        own: what is put behind it.
        test: gives secrets values.
    """
    copy = copy_of(wanted, app, fleet, HOST, own)
    values = {
        one.source: test.secrets.get(one.source) or secrets.token_hex(16)
        for spec in copy.containers
        for one in spec.secrets
    }
    containers = tuple(_without_a_host(spec, copy.fleet) for spec in copy.containers)
    known = {one.name for one in copy.volumes}
    added = dict.fromkeys(
        VolumeSpec(mount.source, app, mount.source.removeprefix(f"{copy.fleet}.{app}."))
        for spec in containers
        for mount in spec.volumes
        if mount.type == "volume" and mount.source not in known
    )
    return replace(
        copy,
        containers=containers,
        volumes=(*copy.volumes, *added),
        secrets={spec.service: _tar(spec.secrets, values) for spec in copy.containers if spec.secrets},
    )


def _without_a_host(spec: ContainerSpec, fleet: str) -> ContainerSpec:
    own = f"{fleet}.{spec.instance}.{spec.service}"
    mounts = [
        MountSpec("volume", f"{own}.host-{number}", mount.target) if mount.type == "bind" else mount
        for number, mount in enumerate(spec.volumes)
    ]
    if spec.secrets:
        mounts.append(MountSpec("volume", f"{own}.secrets", _SECRETS))
    return replace(spec, volumes=tuple(mounts), secrets=(), secrets_directory="")


def _tar(uses: tuple[SecretSpec, ...], values: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for use in uses:
            data = values[use.source].encode()
            entry = tarfile.TarInfo(use.target)
            entry.size, entry.mode, entry.uid, entry.gid = len(data), use.mode, use.uid, use.gid
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def _start(instance: Throwaway) -> tuple[str, str]:
    """Start everything; give what is wrong, and what was said last."""
    services = [spec.service for spec in instance.copy.containers]
    try:
        instance.start(services)
        instance.prove(services)
    except UserError as error:
        return error.problems[0].message, error.problems[0].hint
    return "", ""
