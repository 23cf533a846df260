"""One image, from its lock to its name in the engine, which it gets only after its packages were counted."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops.debian import deb
from gitops.debian.store import Store
from gitops.engine.buildkit import BuildKit
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.images import inventory
from gitops.images.archives import mirrors
from gitops.images.base import write_rootfs
from gitops.images.context import put_debs, put_files
from gitops.images.locks import Locks, closure
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.processes import Processes
from gitops.system.progress import Amount, Progress
from gitops.system.shipped import shipped


@dataclass(frozen=True)
class Workshop:
    """What building takes, the same for every image of one run; as for `gitops.images.build.build`."""

    fleet: Fleet
    locks: Locks
    architecture: str
    dockerfile: Callable[[str], str]
    references: Mapping[tuple[str, str], str]
    engine: Docker
    buildkit: BuildKit
    places: Places
    progress: Progress
    processes: Processes
    again: bool

    def build(self, image: str) -> None:
        """Build an image whose parent exists, and name it.

        Raises:
            UserError: it cannot be built, or is not what its lock says; it has no name then.
            Interrupted: the processes were stopped.
        """
        reference = self.references[image, self.architecture]
        with self._held(reference):
            try:
                if self.again or not self.engine.images([reference]):
                    with self._room(reference.rpartition(":")[2]) as room:
                        self._build(image, reference, room)
            finally:
                self.progress(image, "")

    def _build(self, image: str, reference: str, room: Path) -> None:
        definition = self.fleet.images[image]
        context = room / "context"
        epoch = self._put_context(image, context)
        built = self.buildkit.build(
            context,
            platform=f"linux/{self.architecture}",
            arguments={"SOURCE_DATE_EPOCH": str(epoch)},
            network="network" in definition.allow,
            cached=not self.again,
            processes=self.processes,
            told=lambda line, steps: self.progress(image, line, steps),
        )
        try:
            status = self.engine.read_file(built, inventory.STATUS).decode()
            inventory.check(status, closure(self.fleet, self.locks, image, self.architecture))
            self.processes.check()
            before = self.engine.identify(reference) if self.again else ""
            self.engine.tag(built, reference)
        except BaseException:
            self.engine.remove_nameless(built)
            raise
        if before:
            self.engine.remove_nameless(before)

    def _put_context(self, image: str, context: Path) -> int:
        """Make the context of a build, and give its time, the newest package's, in seconds since 1970."""
        definition, store = self.fleet.images[image], Store(self.places.cache / "store")
        packages = closure(self.fleet, self.locks, image, self.architecture)
        self._fetch(image, store)
        epoch = max((deb.timestamp(store.path(package.sha256)) for package in packages), default=0)
        own = self.locks[image, self.architecture].packages
        context.mkdir()
        write(context / "Dockerfile", self.dockerfile(image))
        write(context / "install", self._script(), 0o755)
        write(context / "debconf", "".join(f"{line}\n" for line in definition.debconf))
        put_files(self.fleet, image, epoch, context / "files.tar")
        if not definition.is_base:
            put_debs(own, store, context / "debs")
            return epoch
        write_rootfs(
            context / "rootfs.tar",
            own,
            store,
            architecture=self.architecture,
            debconf=definition.debconf,
            epoch=epoch,
            processes=self.processes,
            told=lambda line: self.progress(image, line),
        )
        return epoch

    def _fetch(self, image: str, store: Store) -> None:
        """Fetch the .debs, parents' too: only they tell when the newest was built, which the result shows."""
        missing = store.missing(closure(self.fleet, self.locks, image, self.architecture))
        total, done = sum(package.size for package in missing), 0

        def fetched(count: int) -> None:
            nonlocal done
            self.processes.check()
            done += count
            self.progress(image, f"fetching {len(missing)} packages", Amount(done, total, "B"))

        store.fetch(missing, mirrors(self.fleet), progress=fetched)

    def _script(self) -> str:
        """Give the script that runs inside; `recipe`, a part of every reference, has checked it."""
        own = self.fleet.root / "templates" / "install.sh"
        return (own if own.is_file() else shipped("templates") / "install.sh").read_text()

    @contextmanager
    def _held(self, reference: str) -> Iterator[None]:
        """Keep another gitops from building the same image meanwhile; wait for one that does already."""
        path = self.places.cache / "build" / f"{reference.rpartition(':')[2]}.lock"
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(exclusive(path, f"the image {reference}", wait=1))
                    break
                except UserError:
                    self.processes.check()
            yield

    @contextmanager
    def _room(self, identity: str) -> Iterator[Path]:
        """Give an empty directory to work in.

        Without root's rights mmdebstrap works as another user, who could not reach into someone's home.
        """
        if os.geteuid() == 0:
            room = self.places.cache / "build" / identity
            shutil.rmtree(room, ignore_errors=True)
            room.mkdir(parents=True)
        else:
            room = Path(tempfile.mkdtemp(prefix="gitops-build-"))
        room.chmod(0o755)
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
