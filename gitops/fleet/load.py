"""From a directory to a fleet, or to everything that is wrong with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from gitops.fleet.apps import App, Parameters
from gitops.fleet.checks import archive_problems, image_problems, sound_images
from gitops.fleet.fleet import Fleet
from gitops.fleet.hosts import Host, Placement
from gitops.fleet.images import Image
from gitops.fleet.instances import (
    AppDefinition,
    filled,
    parameter_faults,
    placement_faults,
    samples,
    value_faults,
    values_of,
    variable_faults,
)
from gitops.fleet.listing import list_definitions
from gitops.fleet.ports import port_faults
from gitops.fleet.settings import Settings
from gitops.fleet.sources import Sources, blamed, depends_on_values, placed
from gitops.fleet.values import Model
from gitops.fleet.wiring import architecture_faults, wiring_faults
from gitops.fleet.wording import Fault, did_you_mean, faults
from gitops.fleet.yaml import Document, read
from gitops.system.errors import Problem, UserError

_FILE = "fleet.yaml"

_Kind = TypeVar("_Kind", bound=Model)


def find_root(start: Path) -> Path:
    """Find the fleet around a directory: the nearest one, upwards, that holds fleet.yaml.

    Raises:
        UserError: there is none.
    """
    directory = start.absolute()
    for candidate in (directory, *directory.parents):
        if (candidate / _FILE).is_file():
            return candidate
    raise UserError(
        f"there is no {_FILE} in {directory} or above it", hint="`gitops init` writes a fleet to start from"
    )


def load(root: Path) -> Fleet:
    """Read a fleet and check that it is whole.

    Args:
        root: the directory that holds fleet.yaml.

    Raises:
        UserError: with every problem of every file, sorted by place; files are named as from the root.
    """
    reader = _Reader(root.resolve())
    fleet = reader.fleet()
    if reader.problems:
        raise UserError.of(sorted(set(reader.problems)))
    return fleet


class _Reader:
    """One reading of a fleet, which collects what is wrong as it goes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.broken: set[str] = set()  # apps whose instances need not be looked at

    def fleet(self) -> Fleet:
        """Read and check everything; the fleet is whole only when there are no problems."""
        sources = self._sources()
        settings = self._models(Settings, {_FILE: sources.settings} if sources.settings else {})
        fleet = Fleet(
            root=self.root,
            settings=settings.get(_FILE) or Settings.model_construct(name="fleet", archives={}),
            images=self._models(Image, sources.images),
            apps=self._apps(sources),
            hosts=self._models(Host, sources.hosts),
            secrets=sources.names["secrets"],
        )
        sound = sound_images(fleet.images)
        self.problems += image_problems(fleet, sources)
        if settings:
            self.problems += archive_problems(fleet, sources, sound)
        for host in fleet.hosts:
            self.problems += self._host_problems(fleet, sources, host, sound)
        self.problems += self._unplaced_problems(fleet, sources)
        return fleet

    def _sources(self) -> Sources:
        listings = {
            kind: list_definitions(self.root, kind) for kind in ("images", "apps", "hosts", "secrets")
        }
        documents: dict[str, dict[str, Document]] = {kind: {} for kind in listings}
        for kind, listing in listings.items():
            self.problems += listing.problems
            for name, path in listing.files.items() if kind != "secrets" else ():
                if document := self._read(path, f"{kind}/{path.name}"):
                    documents[kind][name] = document
        return Sources(
            root=self.root,
            settings=self._read(self.root / _FILE, _FILE),
            images=documents["images"],
            apps=documents["apps"],
            hosts=documents["hosts"],
            names={kind: frozenset(listing.files) for kind, listing in listings.items()},
        )

    def _read(self, path: Path, file: str) -> Document | None:
        document, problems = read(path, file)
        self.problems += problems
        return document

    def _models(self, model: type[_Kind], documents: dict[str, Document]) -> dict[str, _Kind]:
        models: dict[str, _Kind] = {}
        for name, document in documents.items():
            try:
                models[name] = model.model_validate(document.content)
            except ValidationError as error:
                self.problems += [placed(document, fault) for fault in faults(error, model, document.content)]
        return models

    def _apps(self, sources: Sources) -> dict[str, AppDefinition]:
        apps = {}
        for name, head in self._models(Parameters, sources.apps).items():
            document = sources.apps[name]
            app = AppDefinition(name, document.path, document.content, head.parameters)
            found = [*parameter_faults(app), *variable_faults(app)]
            if found:
                self.broken.add(name)
            self.problems += [placed(document, fault) for fault in found]
            apps[name] = app
        return apps

    def _host_problems(
        self, fleet: Fleet, sources: Sources, host: str, sound: frozenset[str]
    ) -> Iterator[Problem]:
        """Look at each instance of a host, and at the ports that they want."""
        placements = fleet.hosts[host].instances
        apps: dict[str, App] = {}
        for name, placement in placements.items():
            if placement.app not in sources.names["apps"]:
                hint = did_you_mean(placement.app, sources.names["apps"])
                fault = Fault(("instances", name, "app"), f"unknown app `{placement.app}`", hint)
                yield placed(sources.hosts[host], fault)
            elif placement.app in fleet.apps:
                wrong = list(placement_faults(fleet.apps[placement.app], placement, name))
                yield from (placed(sources.hosts[host], fault) for fault in wrong)
                if not wrong and placement.app not in self.broken:
                    found, app = _instance_faults(fleet, sources, host, name, placement, sound)
                    yield from (blamed(sources, host, name, placement, fault) for fault in found)
                    if app:
                        apps[name] = app
        for name, other, fault in port_faults(apps):
            problem = blamed(sources, host, name, placements[name], fault)
            if name != other and problem.file == sources.apps[placements[name].app].file:
                at = ("instances", name)
                problem = sources.hosts[host].problem(
                    at, fault.message, "give the app a parameter for it", key=True
                )
            yield problem

    def _unplaced_problems(self, fleet: Fleet, sources: Sources) -> Iterator[Problem]:
        """Look at apps that no host runs, as far as that can be without the values an instance would give."""
        placed_ones = {each.app for host in fleet.hosts.values() for each in host.instances.values()}
        for name, app in fleet.apps.items():
            if name not in placed_ones:
                content = filled(app, samples(app)) if name not in self.broken else app.document
                try:
                    found = list(wiring_faults(App.model_validate(content), sources))
                except ValidationError as error:
                    found = faults(error, App, app.document)
                document = sources.apps[name]
                yield from (
                    placed(document, fault) for fault in found if not depends_on_values(document, fault)
                )


def _instance_faults(
    fleet: Fleet, sources: Sources, host: str, name: str, placement: Placement, sound: frozenset[str]
) -> tuple[list[Fault], App | None]:
    app = fleet.apps[placement.app]
    values = values_of(app, placement, name=name, host=host, fleet=fleet.settings.name)
    if unset := list(value_faults(app, values)):
        return unset, None
    try:
        definition = fleet.instance(host, name).definition
    except ValidationError as error:
        return faults(error, App, app.document), None
    return [
        *wiring_faults(definition, sources),
        *architecture_faults(definition, fleet, host, sound),
    ], definition
