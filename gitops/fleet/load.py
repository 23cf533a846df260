"""From a directory to a fleet, or to everything that is wrong with it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from gitops.fleet.apps import Parameters
from gitops.fleet.checks import archive_problems, image_problems, sound_images
from gitops.fleet.document import Document, read
from gitops.fleet.fleet import Fleet
from gitops.fleet.hosts import Host
from gitops.fleet.images import Image
from gitops.fleet.instances import AppDefinition, parameter_faults, test_faults, variable_faults
from gitops.fleet.listing import list_definitions
from gitops.fleet.placements import Inspection
from gitops.fleet.root import FILE
from gitops.fleet.salvage import salvage
from gitops.fleet.settings import Settings
from gitops.fleet.sources import Sources, placed
from gitops.fleet.values import Model
from gitops.fleet.wiring import notification_problems
from gitops.fleet.wording import faults
from gitops.system.errors import Problem, UserError

_Kind = TypeVar("_Kind", bound=Model)

Read = Callable[[Path, str], tuple[Document | None, list[Problem]]]
"""What reads one file, as `gitops.fleet.document.read` does."""


def load(root: Path, *, secrets_to_come: bool = False, reading: Read = read) -> Fleet:
    """Read a fleet and check that it is whole.

    Args:
        root: the directory that holds fleet.yaml.
        secrets_to_come: secrets that are used but not there yet are no problem, for who is making them.
        reading: what reads each file.

    Raises:
        UserError: with every problem of every file, sorted by place; files are named as from the root.
    """
    reader = _Reader(root.resolve(), reading, secrets_to_come=secrets_to_come)
    fleet = reader.fleet()
    if reader.problems:
        raise UserError.of(sorted(set(reader.problems)))
    return fleet


class _Reader:
    """One reading of a fleet, which collects what is wrong as it goes."""

    def __init__(self, root: Path, reading: Read, *, secrets_to_come: bool) -> None:
        self.root = root
        self.reading = reading
        self.secrets_to_come = secrets_to_come
        self.problems: list[Problem] = []

    def fleet(self) -> Fleet:
        """Read and check everything; the fleet is whole only when there are no problems."""
        sources = self._sources()
        settings = self._models(Settings, {FILE: sources.settings} if sources.settings else {})
        apps, broken = self._apps(sources)
        fleet = Fleet(
            root=self.root,
            settings=settings.get(FILE) or Settings.model_construct(name="fleet", archives={}),
            images=self._models(Image, sources.images),
            apps=apps,
            hosts=self._models(Host, sources.hosts),
            secrets=sources.names["secrets"],
        )
        sound = sound_images(fleet.images)
        self.problems += image_problems(fleet, sources)
        if settings:
            self.problems += archive_problems(fleet, sources, sound)
            self.problems += notification_problems(fleet, sources)
        self.problems += Inspection(fleet, sources, sound, broken).problems()
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
        settings = self._read(self.root / FILE, FILE)
        archives = settings.content.get("archives") if settings else None
        names = {kind: frozenset(listing.files) for kind, listing in listings.items()}
        return Sources(
            root=self.root,
            settings=settings,
            images=documents["images"],
            apps=documents["apps"],
            hosts=documents["hosts"],
            secrets_to_come=self.secrets_to_come,
            names={**names, "archives": frozenset(archives if isinstance(archives, dict) else ())},
        )

    def _read(self, path: Path, file: str) -> Document | None:
        document, problems = self.reading(path, file)
        self.problems += problems
        return document

    def _models(self, model: type[_Kind], documents: dict[str, Document]) -> dict[str, _Kind]:
        models: dict[str, _Kind] = {}
        for name, document in documents.items():
            try:
                models[name] = model.model_validate(document.content)
            except ValidationError as error:
                found = faults(error, model, document.content)
                self.problems += [placed(document, fault) for fault in found]
                if rest := salvage(model, document.content, found):
                    models[name] = rest
        return models

    def _apps(self, sources: Sources) -> tuple[dict[str, AppDefinition], frozenset[str]]:
        """Give the apps, and the names of those whose variables or parameters are wrong."""
        apps, broken = {}, set()
        for name, document in sources.apps.items():
            try:
                parameters = Parameters.model_validate(document.content).parameters
            except ValidationError:  # told when the app is looked at as a whole
                broken.add(name)
                parameters = {}
            apps[name] = AppDefinition(name, document.path, document.content, parameters)
            if name not in broken:
                found = [*parameter_faults(apps[name]), *variable_faults(apps[name])]
                self.problems += [placed(document, fault) for fault in found]
                broken.update({name} if found else ())
                self.problems += [placed(document, fault) for fault in test_faults(apps[name])]
        return apps, frozenset(broken)
