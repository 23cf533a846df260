"""An archive, a forge and a fleet's clone, and all that happens to them; real ones, but small."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gitops.fleet.load import load
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.images.locking import lock_images, write_locks
from gitops.render import render as rendering
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import silent
from gitops.updates.find import find
from gitops.updates.publish import publish
from tests.archive import SigningKey, TestArchive
from tests.archive import served as served_archive
from tests.forge.fake.project import Pull
from tests.forge.fake.server import FakeForge, Fault
from tests.forge.fake.server import served as served_forge
from tests.git.conftest import git
from tests.updates.conftest import FILES, FLEET

SOURCES = ("openssl", "nginx", "mariadb", "base-files")


@dataclass
class World:
    """An archive, a forge, and the bot's clone; each step is something that happens."""

    archive: TestArchive
    forge: FakeForge
    root: Path
    places: Places
    released: Counter[str] = field(default_factory=Counter)
    library: int = 1

    # The archive

    def release(self, source: str) -> None:
        """Publish a new version of a source, now a plain one, now one with an epoch or a tilde."""
        self.released[source] += 1
        number = self.released[source]
        version = ("{}~rc1-1", "{}-1", "{}-1+deb13u1")[number % 3].format(number)
        version = f"{1 + number // 4}:{version}"
        add = self.archive.add_package
        match source:
            case "openssl":
                add("libssl", version, fields={"Source": "openssl"})
            case "nginx":
                add("nginx", version, depends=f"nginx-common (= {version}), libhttp{self.library}")
                add("nginx-common", version, fields={"Source": "nginx"})
            case "mariadb":
                add("mariadb", version, depends=f"libssl (>= {self.newest('libssl')})")
            case _:
                add(source, version, essential=True)
        self.archive.publish()

    def newest(self, name: str) -> str:
        """Give the newest version of a package, by when it was made."""
        debs = sorted(self.archive.pool().glob(f"{name}_*.deb"), key=lambda deb: deb.stat().st_ctime_ns)
        return debs[-1].name.split("_")[1].replace("%3a", ":")

    def withdraw(self, source: str) -> None:
        """Take the newest version of a source back, if it is not the only one."""
        for name in {"openssl": ("libssl",), "nginx": ("nginx", "nginx-common")}.get(source, (source,)):
            if len(list(self.archive.pool().glob(f"{name}_*.deb"))) > 1:
                self.archive.remove(name, self.newest(name))
        self.archive.publish()

    def rename(self) -> None:
        """Publish nginx's library under its next name, as a change of its interface demands."""
        self.library += 1
        self.archive.add_package(f"libhttp{self.library}", "1-1", fields={"Source": "http"})
        self.release("nginx")

    # The bot

    def run(self) -> None:
        """Let the bot run once, as far as it gets."""
        repository = Repository(self.root)
        remote = Remote(repository, "origin", self.forge.token)
        try:
            base = remote.fetch("main", "gitops/updates")["main"]
            found = find(repository, self.places, silent, revision=base)
            at = datetime.now(UTC)
            publish(repository, remote, "main", self.forge.connect(), found, at=at)
        except UserError:
            if not self.forge.faults:
                raise

    def fail(self, method: str, done: bool) -> None:  # noqa: FBT001  # a step's two arguments
        """Let the bot run against a forge that breaks off at the first such request, be it done or not."""
        self.forge.fail(Fault(method=method, status=403, done=done))
        self.run()
        self.forge.faults.clear()

    # People

    @property
    def open(self) -> list[Pull]:
        """Give the open pull requests."""
        return [pull for pull in self.forge.pulls if pull.state == "open"]

    def merge(self, which: int) -> None:
        """Merge one of the open pull requests, as a person does."""
        if self.open:
            self.forge.project.merge(self.open[which % len(self.open)].number)

    def close(self, which: int) -> None:
        """Close one of the open pull requests, as a person does."""
        if self.open:
            self.forge.project.close(self.open[which % len(self.open)].number)

    def locks(self, revision: str) -> dict[str, str]:
        """Read the locks at a revision of the forge's repository."""
        with tempfile.TemporaryDirectory() as directory:
            git(self.root, "fetch", "--quiet", str(self.forge.project.root), revision)
            Repository(self.root).export("FETCH_HEAD", Path(directory))
            return {path.name: path.read_text() for path in Path(directory, "locks").iterdir()}

    def fresh(self) -> dict[str, str]:
        """Lock what is on main anew, and give those locks."""
        git(self.root, "fetch", "--quiet", str(self.forge.project.root), "main")
        git(self.root, "reset", "--quiet", "--hard", "FETCH_HEAD")
        fleet = load(self.root)
        write_locks(self.root, lock_images(fleet, {}, places=self.places, progress=silent))
        return {path.name: path.read_text() for path in (self.root / "locks").iterdir()}


@contextmanager
def world(kind: str, group: str, key: SigningKey) -> Iterator[World]:
    """Make a world: everything published once, a fleet locked to it and pushed to the forge."""
    with (
        tempfile.TemporaryDirectory() as directory,
        served_archive(Path(directory, "archive"), key) as archive,
        served_forge(kind, Path(directory, "forge")) as forge,
    ):
        root, host = Path(directory, "fleet"), Path(directory, "host")
        places = Places(*(host / name for name in ("etc", "state", "cache", "run", "cron")))
        made = World(archive, forge, root, places)
        archive.add_package("apt", "1.0")
        archive.add_package("libhttp1", "1-1", fields={"Source": "http"})
        for source in SOURCES:
            made.release(source)
        text = FLEET.format(mirror=archive.mirror, suites="trixie", keyring=archive.keyring)
        policy = f"updates: {{group: {group}, forge: {{kind: {kind}, address: '{forge.address}'}}}}\n"
        for path, content in {**FILES, "fleet.yaml": f"{text}{policy}"}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        git(root, "init", "--quiet", "--initial-branch=main")
        fleet = load(root)
        locks = lock_images(fleet, {}, places=places, progress=silent)
        write_locks(root, locks)
        rendering.write(root, rendering.render(fleet, locks))
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "Begin")
        git(root, "remote", "add", "origin", forge.url)
        git(root, "push", "--quiet", str(forge.project.root), "main")
        yield made
