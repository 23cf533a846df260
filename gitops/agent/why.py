"""Why an instance is what it is: the files that decide it, and who made each what it is in the generation."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from gitops.fleet.document import read
from gitops.fleet.fleet import Fleet, Instance
from gitops.git.past import Touch, touch, touch_of_lines
from gitops.git.repository import Repository
from gitops.images.lock import changes, parse_lock
from gitops.images.locks import lock_path
from gitops.system.errors import UserError

_FEW = 3  # packages that are named


@dataclass(frozen=True)
class Fact:
    """Something that decides an instance.

    Args:
        service: whose it is; empty: all of the instance's.
        what: `placement`, `app`, `secret`, `image` or `lock`, also of what an image stands on; or `package`.
        where: the file, or `file:line`.
        touch: the commit that made it so; None where no history tells.
        detail: which packages that commit moved, say.
    """

    service: str
    what: str
    where: str
    touch: Touch | None
    detail: str = ""


def reasons(
    fleet: Fleet, host: str, instance: str, service: str | None, git: Repository | None, commit: str
) -> list[Fact]:
    """Give what decides an instance, from the placement down to what its images stand on.

    Args:
        fleet: the definitions of the generation.
        host: the host.
        instance: one of its instances.
        service: this one alone.
        git: a repository that has the generation's commit; None: nobody can be named.
        commit: the generation.

    Raises:
        UserError: there is no such instance or service.
    """
    made = fleet.instance(host, instance)
    return list(_Reasons(fleet, made, git, commit).facts(_services(made, service)))


def packages(
    fleet: Fleet,
    host: str,
    instance: str,
    service: str | None,
    package: str,
    git: Repository | None,
    commit: str,
) -> list[Fact]:
    """Give the lines of locks by which an instance has a package, and who made each what it is.

    Args:
        fleet: as for `reasons`, and so are the others.
        host: as there.
        instance: as there.
        service: as there.
        package: a Debian package.
        git: as there.
        commit: as there.

    Raises:
        UserError: there is no such instance or service, or none of its images has the package.
    """
    made = fleet.instance(host, instance)
    architecture, found, known = fleet.hosts[host].architecture, [], set[str]()
    for name in _services(made, service):
        image = made.definition.services[name].image
        while image in fleet.images:
            path = str(lock_path(Path(), image, architecture))
            for number, line in enumerate((fleet.root / path).read_text().splitlines(), 1):
                words = line.split()
                known.update(words[:1])
                if words[:1] == [package]:
                    touched = touch_of_lines(git, commit, path, number, number) if git else None
                    found.append(Fact(name, "package", f"{path}:{number}", touched, " ".join(words[:2])))
            image = fleet.images[image].parent
    if not found:
        near = get_close_matches(package, sorted(known), 1)
        hint = f"did you mean {near[0]}?" if near else ""
        raise UserError(f"no image of {instance} has a package {package}", hint=hint)
    return found


def _services(made: Instance, service: str | None) -> list[str]:
    services = made.definition.services
    if service is not None and service not in services:
        raise UserError(f"{made.name} has no service {service}", hint=f"known: {', '.join(sorted(services))}")
    return [service] if service else sorted(services)


@dataclass(frozen=True)
class _Reasons:
    fleet: Fleet
    instance: Instance
    git: Repository | None
    commit: str

    def facts(self, services: list[str]) -> Iterator[Fact]:
        yield self._placement()
        app = f"apps/{self.instance.app}.yaml"
        yield Fact("", "app", app, self._touch(app))
        for service in services:
            definition = self.instance.definition.services[service]
            for secret in definition.secrets:
                path = f"secrets/{secret.source}.age"
                yield Fact(service, "secret", path, self._touch(path))
            image = definition.image
            while image in self.fleet.images:
                yield from self._image(service, image)
                image = self.fleet.images[image].parent

    def _placement(self) -> Fact:
        """Find the lines of the host's file that place the instance."""
        file = f"hosts/{self.instance.host}.yaml"
        path = self.fleet.root / file
        document, _ = read(path, file)
        first = document.position(("instances", self.instance.name), key=True)[0] if document else 0
        if document is None or not first:
            return Fact("", "placement", file, self._touch(file))
        others = self.fleet.hosts[self.instance.host].instances
        starts = [document.position(("instances", name), key=True)[0] for name in others]
        end = min((line for line in starts if line > first), default=len(path.read_text().splitlines()) + 1)
        last = max(first, end - 1)
        found = touch_of_lines(self.git, self.commit, file, first, last) if self.git else None
        return Fact("", "placement", f"{file}:{first}", found)

    def _image(self, service: str, image: str) -> Iterator[Fact]:
        definition = f"images/{image}.yaml"
        yield Fact(service, "image", definition, self._touch(definition, f"images/{image}"))
        architecture = self.fleet.hosts[self.instance.host].architecture
        path = str(lock_path(Path(), image, architecture))
        found = self._touch(path)
        yield Fact(service, "lock", path, found, self._moved(path, found) if found else "")

    def _touch(self, *paths: str) -> Touch | None:
        return touch(self.git, self.commit, paths) if self.git else None

    def _moved(self, path: str, found: Touch) -> str:
        """Say which packages a commit moved in a lock."""
        if self.git is None:
            return ""
        texts = [
            self.git.file_at(revision, path) if self.git.find(revision) else None
            for revision in (f"{found.commit}^", found.commit)
        ]
        try:
            old, new = (parse_lock(text, path).packages if text else () for text in texts)
        except UserError:
            return ""  # of another time: the commit is right without its packages
        if not old:
            return f"locked {len(new)} packages"
        moved = [str(each) for each in changes(old, new)]
        more = f" and {len(moved) - _FEW} more" if len(moved) > _FEW else ""
        return ", ".join(moved[:_FEW]) + more
