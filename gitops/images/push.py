"""Pushing images by identity, each with a signed statement that says which digest it has.

The statement comes last: until it is there, nobody believes what stands under the image's tag, so that a push
which was killed anywhere leaves nothing that could be mistaken for a whole one. The next push carries on.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet, layers
from gitops.registry.address import Reference, split
from gitops.registry.present import present
from gitops.registry.registry import Manifest, Registry
from gitops.registry.statement import lay_ground, read, state, write
from gitops.system.errors import Problem, UserError
from gitops.system.processes import Processes
from gitops.system.progress import Amount, Progress

_AT_ONCE = 3
"""Images pushed side by side; the engine itself sends five layers at a time."""


@dataclass(frozen=True)
class Pushed:
    """An image that the registry has now.

    Args:
        image: its name.
        reference: its name in full.
        digest: what its statement says; empty where it was there before.
    """

    image: str
    reference: str
    digest: str


@dataclass(frozen=True)
class Push:
    """What pushing takes.

    Args:
        fleet: the definitions.
        architecture: of the images, in Debian's words.
        references: image to its name in the engine.
        engine: what has them.
        registry: where they go.
        key: what signs statements; see `gitops.registry.signature.sign`.
        progress: is told of each image.
        tell: says what is worth knowing.
        again: replace what is there, image and statement.
    """

    fleet: Fleet
    architecture: str
    references: dict[str, str]
    engine: Docker
    registry: Registry
    key: Path
    progress: Progress
    tell: Callable[[str], None]
    again: bool = False
    _processes: Processes = field(default_factory=Processes)

    def run(self, images: Iterable[str]) -> list[Pushed]:
        """Push those images that the registry lacks; give what became of each, parents first.

        Layers that a parent brought are only named by its children; so parents go first.

        Raises:
            UserError: some are not in the engine, before anything is pushed; or pushes failed, each named.
        """
        wanted = set(images)
        order = [[image for image in layer if image in wanted] for layer in layers(self.fleet)]
        names = [self.references[image] for layer in order for image in layer]
        there = frozenset[str]() if self.again else present(self.registry, names)
        todo = [[image for image in layer if self.references[image] not in there] for layer in order]
        self._require([image for layer in todo for image in layer])
        self._compare([image for layer in order for image in layer if self.references[image] in there])
        digests: dict[str, str] = {}
        for layer in todo:
            digests |= self._layer(layer)
        return [
            Pushed(image, self.references[image], digests.get(image, ""))
            for layer in order
            for image in layer
        ]

    def _require(self, images: Sequence[str]) -> None:
        have = self.engine.images([self.references[image] for image in images])
        lacking = [image for image in images if self.references[image] not in have]
        if lacking:
            raise UserError(
                f"not built here yet: {', '.join(lacking)}", hint=f"run gitops build {' '.join(lacking)}"
            )

    def _compare(self, images: Sequence[str]) -> None:
        """Say which images were made here, too, and turned out otherwise than what the registry has."""
        here = self.engine.made_here([self.references[image] for image in images])
        for image in images:
            name = self.references[image]
            if name in here:
                repository = self.registry.address.repository(image)
                there = self.registry.manifest(repository, split(name).identity)
                if there and not self._same(there, name):
                    self.tell(f"{name}: is there from another build, {there.digest}, and is not replaced")

    def _layer(self, images: Sequence[str]) -> dict[str, str]:
        problems: list[Problem] = []
        digests: dict[str, str] = {}

        def one(image: str) -> None:
            try:
                digests[image] = self._one(image)
            except UserError as error:
                problems.extend(problem._replace(file=f"images/{image}.yaml") for problem in error.problems)
            finally:
                self.progress(image, "")

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                list(pool.map(one, images))
            except BaseException:
                self._processes.stop()
                raise
        if problems:
            raise UserError.of(sorted(problems))
        return digests

    def _one(self, image: str) -> str:
        """Push an image, then its statement; give its digest."""
        name = self.references[image]
        reference = split(name)
        with ThreadPoolExecutor(1) as beside:
            ground = beside.submit(lay_ground, self.registry)
            digest = self._push(image, name, reference)
            ground.result()
        self.progress(image, "signing")
        write(self.registry, state(self.fleet.settings.name, reference, self.architecture, digest), self.key)
        self._settle(reference, digest)
        return digest

    def _push(self, image: str, name: str, reference: Reference) -> str:
        """Let the engine push an image, unless the registry has just that already."""
        repository = self.registry.address.repository(reference.image)
        before = self.registry.manifest(repository, reference.identity)
        if before and self._same(before, name):
            return before.digest
        if before:
            self.tell(f"{name}: replaces {before.digest}, {self._whose()}")
        self.progress(image, "pushing")
        credential = self.registry.credential()
        return self.engine.push(
            name,
            credential.for_engine() if credential else {},
            partial(self._told, image),
        )

    def _same(self, there: Manifest, name: str) -> bool:
        """Tell whether a manifest is that of an image here.

        Engines name an image by its configuration's digest, which names all that is in it and is what they
        check; those with containerd's store name it by the manifest's.
        """
        return self.engine.identify(name) in {there.config, there.digest}

    def _told(self, image: str, doing: str, far: Amount | None) -> None:
        """Say how far a transfer is, unless it is to end here: somebody has pressed Ctrl-C."""
        self._processes.check()
        self.progress(image, doing, far)

    def _whose(self) -> str:
        return "as --again asks" if self.again else "which no statement vouches for"

    def _settle(self, reference: Reference, digest: str) -> None:
        """See that image and statement belong together now, whoever else may have pushed meanwhile.

        Raises:
            UserError: they do not.
        """
        repository = self.registry.address.repository(reference.image)
        with ThreadPoolExecutor(1) as beside:
            asked = beside.submit(self.registry.digest, repository, reference.identity)
            stored = read(self.registry, reference.identity)
            tagged = asked.result()
        said = stored.statement.digest if stored and stored.statement else ""
        if not said == tagged == digest:
            raise UserError(
                f"somebody else has pushed {reference.identity} at the same time",
                hint="when nobody does any more, run it with --again",
            )
