"""What a run has so far: of each instance, which datasets are saved and which are not."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gitops.backup.asked import Asked
from gitops.backup.bundle import Bundle
from gitops.backup.sets import VOLUME, Dataset, Part
from gitops.backup.vault import Vault
from gitops.backup.verify import one_line
from gitops.backup.wanted import Wanted
from gitops.engine.docker import Docker
from gitops.secrets.hiding import hide
from gitops.system.places import Places
from gitops.system.progress import Amount, silent
from gitops.system.progress import Progress as Report


@dataclass(eq=False)
class Far:
    """How far a run is.

    Args:
        progress: is told.
        total: datasets of all its instances.
    """

    progress: Report = silent
    total: int = 0
    _done: set[tuple[str, Dataset]] = field(default_factory=set)

    def begin(self, total: int) -> None:
        """Tell of how many there are."""
        self.total = total
        self.progress("backup", "saving", Amount(len(self._done), total, "datasets"))

    def note(self, instance: str, dataset: Dataset) -> None:
        """Note that a dataset is saved, or will not be."""
        self._done.add((instance, dataset))
        left = self.total - len(self._done)
        amount = Amount(len(self._done), self.total, "datasets")
        self.progress("backup", "saving" if left > 0 else "", amount)


@dataclass(frozen=True)
class Task:
    """A run, and what it works with.

    Args:
        vault: where it is saved.
        engine: the host's.
        places: the host's directories.
        bundle: where short dumps and volumes meet.
        tags: of all its snapshots.
        tell: is given a line for people at each step.
        far: is told of each dataset that is done with.
    """

    vault: Vault
    engine: Docker
    places: Places
    bundle: Bundle
    tags: tuple[str, ...]
    tell: Callable[[str], object]
    far: Far = field(default_factory=Far)


@dataclass(eq=False)
class Progress:
    """What a run has of one instance; `parts` without a snapshot wait in the bundle."""

    task: Task
    asked: Asked
    wanted: list[Wanted] = field(default_factory=list)
    parts: dict[Dataset, Part] = field(default_factory=dict)
    failed: dict[Dataset, str] = field(default_factory=dict)
    stood_still: float = 0.0

    @property
    def name(self) -> str:
        """Give the instance's name."""
        return self.asked.instance

    @property
    def databases(self) -> list[Wanted]:
        """Give its databases."""
        return [one for one in self.wanted if one.dataset.kind != VOLUME]

    def volumes(self, method: str) -> list[Wanted]:
        """Give those volumes that are to be saved so."""
        return [one for one in self.wanted if one.dataset.kind == VOLUME and one.method == method]

    def save(self, part: Part) -> None:
        """Note that a dataset is saved, whatever an earlier try came to."""
        self.failed.pop(part.dataset, None)
        self.parts[part.dataset] = part
        self.task.far.note(self.name, part.dataset)

    def fail(self, dataset: Dataset, why: str) -> None:
        """Note that a dataset is not saved; what a container said may have no end, or a secret in it."""
        self.parts.pop(dataset, None)
        self.failed[dataset] = one_line(hide(why, self.task.places.runtime / "secrets"))
        self.task.tell(f"{self.name}: {dataset} failed: {self.failed[dataset]}")
        self.task.far.note(self.name, dataset)
