"""Taking images out of the registry in place of building them, as far as somebody trusted vouches for them.

Everything a registry says is doubted: the statement must be signed by one of the signers and be about this
image, the tag must still name the digest that the statement does, the engine pulls by that digest, and the
packages in what came must be those of the lock. Only then does the image get its name.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.images import inventory
from gitops.images.locks import Locks, closure
from gitops.registry.address import Reference, split
from gitops.registry.registry import Registry
from gitops.registry.signature import UntrustedError
from gitops.registry.statement import believe, read
from gitops.registry.transport import AwayError
from gitops.system.errors import UserError
from gitops.system.processes import Processes
from gitops.system.progress import Amount, Progress

_TRANSFERS = 3
"""How many images are pulled at once; the engine takes three layers at a time anyhow."""

_NAMED = 5


@dataclass(frozen=True)
class Supply:
    """Where images come from, besides being built.

    Args:
        fleet: the definitions.
        locks: their locks.
        references: (image, architecture) to its name in the engine.
        engine: where they go.
        registry: where they come from.
        signers: whose statements count: a file in ssh's ALLOWED SIGNERS format.
        parents_only: what is asked for is built all the same; only what it stands on is taken.
        tell: says what could not be had, and why.
        refused: is told of an image that is not what it should be: its reference, and why.
        progress: is told of each image.
    """

    fleet: Fleet
    locks: Locks
    references: Mapping[tuple[str, str], str]
    engine: Docker
    registry: Registry
    signers: Path
    parents_only: bool
    tell: Callable[[str], None]
    refused: Callable[[str, str], None]
    progress: Progress
    _lock: Lock = field(default_factory=Lock)
    _away: list[str] = field(default_factory=list)
    _absent: set[str] = field(default_factory=set)
    _processes: Processes = field(default_factory=Processes)

    def obtain(self, asked: Collection[str], there: Collection[str], architecture: str) -> set[str]:
        """Pull what spares most building: what is asked for, else what that stands on, else what that does.

        Args:
            asked: images that are missing.
            there: images that the engine has.
            architecture: in Debian's words.

        Returns:
            The images that it has now besides.
        """
        found: set[str] = set() if self.parents_only else self._all(asked, architecture)
        below = self._parents({image for image in asked if image not in found})
        while below := {image for image in below if image not in there and image not in found}:
            got = self._all(below, architecture)
            found |= got
            below = self._parents(below - got)
        if not self.parents_only and (lacking := sorted(self._absent.intersection(asked))):
            self._miss(lacking, architecture)
        return found

    def _miss(self, images: Sequence[str], architecture: str) -> None:
        """Say what nobody has pushed: a host that builds, where pulling is usual, surprises."""
        others = {one for image in images for one in self.fleet.architectures_of(image)} - {architecture}
        names = ", ".join(images[:_NAMED]) + (f" and {len(images) - _NAMED} more" * (len(images) > _NAMED))
        why = "; a pipeline pushes only what its runner is" if others else ""
        self.tell(f"the registry has nothing for {architecture} of {names}; built here{why}")

    def _parents(self, images: Collection[str]) -> set[str]:
        return {self.fleet.images[image].parent for image in images} - {"scratch"}

    def _all(self, images: Collection[str], architecture: str) -> set[str]:
        with ThreadPoolExecutor(_TRANSFERS) as pool:
            order = sorted(images)
            try:
                got = list(pool.map(lambda image: self._one(image, architecture), order))
            except BaseException:
                self._processes.stop()
                raise
        return {image for image, come in zip(order, got, strict=True) if come}

    def _one(self, image: str, architecture: str) -> bool:
        """Pull an image; tell whether it is there now. What is in the way is told, and no reason to stop."""
        reference = self.references[image, architecture]
        if self._away:
            return False
        try:
            return self._pull(image, architecture, split(reference))
        except UntrustedError as error:
            self.refused(reference, str(error))
            self.tell(f"refused: the image {reference} in the registry: {error}; it is built here instead")
        except AwayError as error:
            with self._lock:
                if not self._away:
                    self._away.append(str(error))
                    self.tell(f"{error.problems[0].message}; images are built here")
        except UserError as error:
            self.tell(f"{error.problems[0].message}; {image} is built here")
        finally:
            self.progress(image, "")
        return False

    def _pull(self, image: str, architecture: str, reference: Reference) -> bool:
        stored = read(self.registry, reference.identity)
        if stored is None:
            self._absent.add(image)
            return False
        name = self.fleet.settings.name
        digest, who = believe(stored, name, reference, architecture, self.signers)
        repository = self.registry.address.repository(image)
        tagged = self.registry.digest(repository, reference.identity)
        if not tagged:
            self.tell(f"the registry has a statement about {image}, but not the image; it is built here")
            return False
        if tagged != digest:
            raise UntrustedError(f"it has the digest {tagged}, and the one that was signed is {digest}")
        credential = self.registry.credential()
        come = self.engine.pull(
            f"{reference.registry}/{image}",
            digest,
            credential.for_engine() if credential else {},
            partial(self._told, image),
        )
        try:
            self._check(come, image, architecture)
        except BaseException:
            self.engine.drop(f"{reference.registry}/{image}", digest)
            raise
        self.engine.tag(come, f"{reference.registry}/{image}:{reference.identity}")
        self.tell(f"pulled the image {image} {reference.identity[:8]}, for which {who} vouches")
        return True

    def _told(self, image: str, doing: str, far: Amount | None) -> None:
        """Say how far a transfer is, unless it is to end here: somebody has pressed Ctrl-C."""
        self._processes.check()
        self.progress(image, doing, far)

    def _check(self, come: str, image: str, architecture: str) -> None:
        """See that what came is for this machine, and has the packages that the lock names.

        Raises:
            UntrustedError: it is not, although a signer says so.
        """
        made_for = self.engine.architecture(come)
        if made_for != architecture:
            raise UntrustedError(f"it is made for {made_for}, not {architecture}")
        status = self.engine.read_file(come, inventory.STATUS).decode(errors="replace")
        try:
            inventory.check(status, closure(self.fleet, self.locks, image, architecture))
        except UserError as error:
            raise UntrustedError(error.problems[0].message) from error
