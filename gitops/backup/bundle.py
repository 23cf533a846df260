"""A directory laid out as a snapshot is to be: short dumps as files, volumes where they will be mounted.

Many dumps and volumes go into one snapshot, because starting restic costs more than saving a small dump. Its
place is always the same, `STATE/backup/bundle`. Volumes are seen there by restic alone, in its own mount
namespace and read-only, so that nothing is left mounted however restic or we end, and nobody can write to or
remove through this path what is in them.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.places import Places

_CHUNK = 1 << 20


class Bundle:
    """An empty bundle; what the one before it left is removed. One at a time on a host: see `lock_path`."""

    def __init__(self, places: Places) -> None:
        """Make it."""
        place = places.state / "backup" / "bundle"
        self.directory = place.resolve()
        self.volumes: dict[Path, str] = {}
        with self._using():
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o700)
        self.clear()

    def clear(self) -> None:
        """Empty it. Only files that are dumps and empty directories are removed, never recursively.

        Raises:
            UserError: there is something else.
        """
        self.volumes.clear()
        with self._using():
            for instance in self.directory.iterdir():
                if (instance / "volumes").is_dir():
                    for volume in (instance / "volumes").iterdir():
                        volume.rmdir()
                    (instance / "volumes").rmdir()
                for file in instance.iterdir():
                    file.unlink()
                instance.rmdir()

    def dump(self, instance: str, file: str) -> "Staged":
        """Give a place for a dump."""
        return Staged(self.directory / instance / file)

    def volume(self, place: str, source: Path) -> None:
        """Let it have a volume: what is in `source` is to be seen in `place`, a path from its top."""
        with self._using():
            (self.directory / place).mkdir(parents=True, exist_ok=True)
        self.volumes[source] = place

    def without(self, place: str) -> None:
        """Let it not have a volume after all."""
        self.volumes = {source: other for source, other in self.volumes.items() if other != place}
        with self._using():
            (self.directory / place).rmdir()

    @contextmanager
    def _using(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self.directory} cannot be used: {error.strerror}",
                hint="is its disk full, or is something else in there?",
            ) from error


class Staged:
    """A dump that waits in a bundle for the snapshot."""

    def __init__(self, path: Path) -> None:
        """Begin with nothing."""
        self.path = path
        self.size = 0

    def take(self, chunks: Iterator[bytes], most: int) -> bool:
        """Write chunks until there are no more, or no room for more; tell whether that was all.

        Args:
            chunks: what is taken from here is written.
            most: bytes after which no more is taken.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("wb") as file:
            self.path.chmod(0o600)
            for chunk in chunks:
                file.write(chunk)
                self.size += len(chunk)
                if self.size > most:
                    return False
        return True

    def remove(self) -> None:
        """Give it up."""
        self.path.unlink(missing_ok=True)

    def then(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Give what was taken, then what was not; the file is gone then."""
        with self.path.open("rb") as file:
            self.path.unlink()
            while chunk := file.read(_CHUNK):
                yield chunk
        yield from chunks
