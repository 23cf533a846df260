"""The names that a fleet has, for the metavars of arguments and options; verbs have to do nothing for that.

Images, hosts, apps and secrets are files, so their names are listed. What stands inside hosts and apps is
read once and written down beside the file's time and size.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitops.system.files import write
from gitops.system.places import places
from gitops.system.shipped import shipped

_FORMAT = 1
_FLEET = "fleet.yaml"
_HOST = "@host"

Named = Iterable[tuple[str, str]]


class Names:
    """The names of one fleet.

    Args:
        fleet: its directory, as on the command line; empty: the one around this directory, or else the one
            that this host runs.
        host: only this host's instances; empty: every host's.
        instance: whose jobs and services are meant.
    """

    def __init__(self, fleet: str = "", host: str = "", instance: str = "") -> None:
        """Find the fleet."""
        self._root = _root(fleet)
        self._host, self._instance = host, instance

    def of(self, metavar: str) -> Named:
        """Give what may stand for a metavar, and what each is."""
        return _KNOWN[metavar](self)

    def instances(self) -> Named:
        """Give instances, with their app and host."""
        for host, document in self._documents("hosts"):
            if self._host in {"", host}:
                for name, app in document.items():
                    yield name, f"{app} on {host}"

    def jobs(self) -> Named:
        """Give the jobs of the instance, or the host's own."""
        if self._instance == _HOST:
            for path in self._root.glob(f"rendered/hosts/*/jobs/{_HOST}.json"):
                if self._host in {"", path.parents[1].name}:
                    yield from ((name, "") for name in _json(path).get("jobs", {}))
        yield from ((name, "") for name in self._app().get("jobs", ()))

    def services(self) -> Named:
        """Give the services of the instance."""
        return [(name, "") for name in self._app().get("services", ())]

    def datasets(self) -> Named:
        """Give what the instance's backup consists of."""
        return [(name, "") for name in self._app().get("datasets", ())]

    def files(self, directory: str, suffix: str = ".yaml") -> Named:
        """Give what the files of a directory are called."""
        return [(path.stem, "") for path in sorted(self._root.glob(f"{directory}/*{suffix}"))]

    def branches(self) -> Named:
        """Give the branches that the update bot made, and the others."""
        heads = self._root / ".git/refs/heads"
        found = {str(path.relative_to(heads)) for path in heads.rglob("*") if path.is_file()}
        with suppress(OSError):
            for line in (self._root / ".git/packed-refs").read_text().splitlines():
                if (name := line.partition(" refs/heads/")[2]) != "":
                    found.add(name)
        return [(name, "") for name in sorted(found)]

    def _app(self) -> dict[str, Any]:
        apps = {name: app.partition(" on ")[0] for name, app in self.instances()}
        return dict(self._documents("apps")).get(apps.get(self._instance, ""), {})

    def _documents(self, directory: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give what is of interest in each file of a directory; what cannot be read is left out."""
        kept = places().cache / "completion" / f"{directory}-{_key(self._root)}.json"
        before = _json(kept)
        now: dict[str, Any] = {}
        for path in sorted(self._root.glob(f"{directory}/*.yaml")):
            about = path.stat()
            of = [_FORMAT, about.st_mtime_ns, about.st_size]
            entry = before.get(path.stem)
            now[path.stem] = entry if entry and entry[0] == of else [of, _digest(directory, path)]
        if now != before:
            with suppress(OSError):
                write(kept, json.dumps(now), 0o600, durable=False)
        for name, entry in now.items():
            yield name, entry[1]


def known() -> frozenset[str]:
    """Give the metavars that are names of something."""
    return frozenset(_KNOWN)


_KNOWN: dict[str, Callable[[Names], Named]] = {
    "INSTANCE": Names.instances,
    "OTHER": Names.instances,
    "JOB": Names.jobs,
    "SERVICE": Names.services,
    "DATASET": Names.datasets,
    "IMAGE": lambda names: names.files("images"),
    "IMAGE|APP": lambda names: [*names.files("images"), *names.files("apps")],
    "APP": lambda names: names.files("apps"),
    "HOST": lambda names: names.files("hosts"),
    "SECRET": lambda names: names.files("secrets", ".age"),
    "BRANCH": Names.branches,
    "REV": Names.branches,
    "ARCH": lambda _: [(name, "") for name in ("amd64", "arm64")],
    "KIND": lambda _: [(name, "") for name in ("fleet", "image", "app", "host")],
    "TEMPLATE": lambda _: [
        (path.name, "")
        for path in sorted((shipped("templates") / "fleets").glob("[!.]*"))
        if path.name != "shared"
    ],
    "SHELL": lambda _: [(name, "") for name in ("bash", "zsh", "fish")],
}


def _root(option: str) -> Path:
    start = Path(option).expanduser().absolute() if option else Path.cwd()
    for each in (start, *start.parents):
        if (each / _FLEET).is_file():
            return each
    return (places().state / "current").resolve()


def _digest(directory: str, path: Path) -> dict[str, Any]:
    """Take from a definition what is of interest: of a host its instances' apps, of an app what it has."""
    from ruamel.yaml.error import YAMLError

    from gitops.fleet.yaml import parse

    try:
        document = parse(path.read_text())
        return _of_host(document) if directory == "hosts" else _of_app(document)
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError, YAMLError):
        return {}  # half written, perhaps: `gitops check` tells


def _of_host(document: dict[str, Any]) -> dict[str, Any]:
    return {str(name): str(one["app"]) for name, one in document["instances"].items()}


def _of_app(document: dict[str, Any]) -> dict[str, Any]:
    backup = document.get("backup") or {}
    databases = [f"{one['service']}/{one.get('name', '*')}" for one in backup.get("databases", ())]
    volumes = [one if isinstance(one, str) else one["name"] for one in backup.get("volumes", ())]
    found = {key: [str(name) for name in document.get(key) or ()] for key in ("services", "jobs")}
    return {**found, "datasets": [*databases, *(f"volume/{name}" for name in volumes)]}


def _json(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        if isinstance(found := json.loads(path.read_bytes()), dict):
            return found
    return {}


def _key(root: Path) -> str:
    from zlib import crc32

    return f"{crc32(str(root).encode()):08x}"
