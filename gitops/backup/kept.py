"""Manifests that this host has saved or read once, kept so that no repository need be asked for them.

They lie in the cache: losing them costs time. Each has the name of its run, which no other ever has.
"""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from gitops.backup.sets import Dataset, Part, read_manifest
from gitops.system import files
from gitops.system.errors import UserError

_LOOKED_BACK = 100
"""Runs in which the last copy of a dataset is looked for."""


@dataclass(frozen=True)
class KeptManifests:
    """Those of one host of one fleet, `DIRECTORY/RUN.json`."""

    directory: Path

    def read(self, run: str) -> bytes:
        """Give a run's; raises OSError where it is not there."""
        return self._path(run).read_bytes()

    def keep(self, run: str, manifest: bytes) -> None:
        """Keep one that is saved, where there is room."""
        with contextlib.suppress(OSError):
            files.write(self._path(run), manifest, mode=0o600, durable=False)

    def forget_others(self, runs: Collection[str]) -> None:
        """Remove those of runs that are not in the repository any more."""
        for path in self.directory.glob("*.json"):
            if path.stem not in runs:
                path.unlink(missing_ok=True)

    def parent(self, volumes: Iterable[tuple[str, Dataset]]) -> str:
        """Give the snapshot to compare volumes with: that which has most of them as they were last.

        No repository is asked, so it may be gone.

        Args:
            volumes: instance and volume.

        Returns:
            Its id, or the beginning of it; empty where none is known.
        """
        weights = Counter[str]()
        for part in self.last(volumes).values():
            weights[part.snapshot] += part.size + 1
        return weights.most_common(1)[0][0] if weights else ""

    def newest(self, instance: str) -> tuple[Part, ...]:
        """Give the parts of an instance's newest complete backup; none where none is known here.

        Their snapshots may be gone, and may be the beginnings of ids.
        """
        for path in self._newest_first():
            with contextlib.suppress(OSError, UserError):
                for one in read_manifest(path.read_bytes(), ""):
                    if one.instance == instance and one.parts and not one.failed and not one.safety:
                        return one.parts
        return ()

    def last(self, wanted: Iterable[tuple[str, Dataset]]) -> dict[tuple[str, Dataset], Part]:
        """Give how datasets were saved last, as far as that is known here; snapshots may be gone.

        Args:
            wanted: instance and dataset.
        """
        left, found = set(wanted), dict[tuple[str, Dataset], Part]()
        for path in self._newest_first():
            if not left:
                break
            with contextlib.suppress(OSError, UserError):
                for one in read_manifest(path.read_bytes(), ""):
                    own = {(one.instance, part.dataset): part for part in one.parts}
                    found |= {key: own[key] for key in left & own.keys()}
                    left -= own.keys()
        return found

    def _newest_first(self) -> list[Path]:
        return sorted(self.directory.glob("*.json"), reverse=True)[:_LOOKED_BACK]

    def _path(self, run: str) -> Path:
        return self.directory / f"{run}.json"
