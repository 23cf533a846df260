"""A Compose file as an app: services, parameters, what is backed up; and the images that it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops.compose.comments import commented
from gitops.compose.environment import environment
from gitops.compose.images import Image, dumped, image_files, image_of
from gitops.compose.mounts import mounts
from gitops.compose.names import named
from gitops.compose.ports import Ports
from gitops.compose.recipes import Recipe
from gitops.compose.service import translate
from gitops.compose.source import Note, Source, listed
from gitops.compose.variables import names, parameters
from gitops.fleet.schema import modeline

_TOP = {"services", "volumes", "networks", "secrets", "name", "version"}
_WHY = {
    "configs": "copy them into images: `copy` in images/NAME.yaml",
    "include": "import those files too; each becomes an app of its own",
}


@dataclass(frozen=True)
class Imported:
    """What came of a Compose file.

    Args:
        files: content and octal mode by path in the fleet.
        images: what each image takes the place of, by its name.
        secrets: which it needs, by name.
        notes: what was not carried over as it stood, by line.
    """

    files: Mapping[str, tuple[bytes, int]]
    images: Mapping[str, str]
    secrets: tuple[str, ...]
    notes: tuple[Note, ...]


class _App:
    """An app while it grows."""

    def __init__(self, source: Source, name: str) -> None:
        self.source, self.name = source, name
        self.ports = Ports(names(source))
        self.services: dict[str, Any] = {}
        self.renamed: dict[str, str] = {}
        self.images: dict[str, Image] = {}
        self.volumes: dict[str, str] = {}
        self.databases: list[dict[str, Any]] = []
        self.secrets: list[str] = []

    def add(self, theirs: str, service: dict[str, Any]) -> None:
        """Translate a service, with the image that it needs."""
        at = ("services", theirs)
        if service.get("profiles"):
            self.source.note((*at, "profiles"), "a service that only some profiles have is left out")
            return
        ours = named(theirs)
        if ours != theirs:
            self.source.note(at, f"is called {ours} here, also by its neighbours")
        self.renamed[ours] = theirs
        image = image_of(self.source, service, at, self.name)
        image = self.images.setdefault(image.name, image)
        kept = translate(self.source, service, at, image.recipe)
        variables, secrets = environment(self.source, service, at, image.recipe)
        places = mounts(self.source, service, at, image.recipe)
        image.copies += [each for each in places.copies if each not in image.copies]
        uses = [*self._secrets(service), *secrets]
        own = {
            "image": image.name,
            "environment": variables,
            "ports": self.ports.of(self.source, service, at),
            "volumes": places.volumes,
            "secrets": uses,
            **kept,
        }
        order = ["image", *(key for key in service if key in own), *own]
        self.services[ours] = {
            key: own[key] for key in dict.fromkeys(order) if own[key] not in ({}, [], None)
        }
        self.secrets += [each["source"] if isinstance(each, dict) else each for each in uses]
        self._backed_up(ours, image.recipe, variables, places.named)

    def _secrets(self, service: dict[str, Any]) -> list[Any]:
        """Give the secrets that a service names; one whose name changes keeps the name of its file."""
        found: list[Any] = []
        for each in listed(service.get("secrets")):
            use = dict(each) if isinstance(each, dict) else {"source": str(each)}
            theirs = str(use.get("source"))
            use["source"] = named(theirs)
            if use["source"] != theirs:
                use.setdefault("target", theirs)
            found.append(use if len(use) > 1 else use["source"])
        return found

    def _backed_up(
        self, service: str, recipe: Recipe | None, variables: dict[str, Any], volumes: dict[str, str]
    ) -> None:
        if not (recipe and recipe.database):
            self.volumes |= volumes
            return
        database: dict[str, Any] = {"service": service, "kind": recipe.database}
        if recipe.named_by:
            name = next((str(variables[each]) for each in recipe.named_by if each in variables), "")
            database |= {"name": name} if name else {"all": True}
        self.databases.append(database)

    def content(self) -> dict[str, Any]:
        """Give the app's definition."""
        services = {name: self._known(name, service) for name, service in self.services.items()}
        found = {**self.ports.parameters}
        for name, service in services.items():
            at = ("services", self.renamed[name])
            own = {key: value for key, value in service.items() if key != "ports"}
            found |= {key: each for key, each in parameters(self.source, own, at).items() if key not in found}
            found |= {
                key: {"type": "integer", **each}
                for key, each in parameters(self.source, service.get("ports", []), (*at, "ports")).items()
                if key not in found
            }
        backup = {"databases": self.databases, "volumes": sorted(self.volumes)}
        backup = {key: value for key, value in backup.items() if value}
        whole = {"parameters": {key: _typed(each) for key, each in found.items()}, "services": services}
        return {key: value for key, value in {**whole, "backup": backup}.items() if value}

    def _known(self, name: str, service: dict[str, Any]) -> dict[str, Any]:
        """Leave out dependencies on services that were left out."""
        wanted = service.get("depends_on", [])
        for gone in [each for each in wanted if each not in self.services]:
            self.source.note(("services", self.renamed[name], "depends_on"), f"{gone} is not there: left out")
        if isinstance(wanted, dict):
            wanted = {each: how for each, how in wanted.items() if each in self.services}
        else:
            wanted = [each for each in wanted if each in self.services]
        return {
            key: value
            for key, value in {**service, "depends_on": wanted}.items()
            if key != "depends_on" or value
        }


def translate_all(source: Source, name: str, base: str) -> Imported:
    """Turn a Compose file into an app.

    Args:
        source: the file; its notes are added to.
        name: the app's.
        base: the fleet's image that new ones stand on.

    Raises:
        UserError: a variable is not written as Compose has it.
    """
    app = _App(source, name)
    for theirs, service in source.document.content["services"].items():
        app.add(str(theirs), service)
    _around(source)
    content = app.content()
    head = f"# From {source.document.path.name}, by `gitops import`.\n"
    body = dumped(commented(content, source.document.path, app.renamed))
    path = f"apps/{name}.yaml"
    files = {path: (f"{modeline(path)}{head}{body}".encode(), 0o644)}
    for image in app.images.values():
        for each, (data, mode) in image_files(image, base).items():
            files[each] = (modeline(each).encode() + data, mode)
    abouts = {image.name: image.about for image in app.images.values()}
    return Imported(files, abouts, tuple(dict.fromkeys(app.secrets)), tuple(sorted(set(source.notes))))


def _around(source: Source) -> None:
    """Look at what stands around the services: of volumes and networks, only the names count."""
    for key, value in source.document.content.items():
        if key not in _TOP and not str(key).startswith("x-"):
            source.note((key,), _WHY.get(key, "has no counterpart"))
        if key not in {"volumes", "networks", "secrets"} or not isinstance(value, dict):
            continue
        for name, settings in value.items():
            if key == "secrets":
                where = (settings or {}).get("file", "VALUE") if isinstance(settings, dict) else "VALUE"
                source.note((key, name), f"gitops secret set {named(str(name))} < {where}")
            elif isinstance(settings, dict):
                for each in settings:
                    source.note(
                        (key, name, each), f"each instance has {key} of its own, made by the engine's default"
                    )


def _typed(parameter: dict[str, Any]) -> dict[str, Any]:
    """Give a parameter whose type and default agree: a default of a port is a number."""
    default = parameter.get("default")
    if parameter.get("type") == "integer" and isinstance(default, str):
        return (
            {**parameter, "default": int(default)} if default.isdigit() else {**parameter, "type": "string"}
        )
    return parameter
