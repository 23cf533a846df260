"""restic does the storing; this is the only code that runs it. Works with restic 0.14 and newer.

What restic prints and how it exits is told in its manual, "Scripting"; its exit statuses 10 to 12 are newer
than 0.14, so its words are read instead.
"""

import contextlib
import json
import secrets
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops.system import files
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.run import CommandError, Result, run, start

_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""When gitops dies, its end of the pipe closes, and restic would take a dump's middle for its end."""

_INCOMPLETE = 3
_CHUNK = 1 << 20
_TRIES = 3


@dataclass(frozen=True)
class Snapshot:
    """One snapshot in a repository, with the time at which it was begun."""

    id: str
    time: datetime
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Restic:
    """A repository and what opens it.

    Args:
        repository: as restic has it: a directory, or `sftp:`, `rest:`, `s3:`…
        host: the host's name, on every snapshot; only snapshots of this host are seen.
        password_file: a file that holds the password on its first line.
        cache: directory for restic's cache.
    """

    repository: str
    host: str
    password_file: Path
    cache: Path

    def is_there(self) -> bool:
        """Tell whether there is a repository, and make sure that the password opens it."""
        result = self._run("cat", "config", "--quiet", check=False)
        if result.status and "Is there a repository at the following location?" not in result.stderr:
            raise self._error("cat", result.status, result.stderr)
        return not result.status

    def init(self) -> None:
        """Make a new repository."""
        self._run("init")

    def snapshots(self, tags: Sequence[str]) -> list[Snapshot]:
        """List the host's snapshots that carry all of the tags, oldest first."""
        found = json.loads(
            self._run("snapshots", "--json", "--host", self.host, "--tag", ",".join(tags)).stdout
        )
        return sorted(
            (
                Snapshot(one["id"], datetime.fromisoformat(one["time"]), tuple(one.get("tags") or ()))
                for one in found or ()
            ),
            key=lambda snapshot: snapshot.time,
        )

    def save_directory(self, directory: Path, tags: Sequence[str]) -> None:
        """Save a directory, its own owner and mode too, under its own name.

        A directory in use changes while it is read. When files vanish, restic calls the snapshot incomplete;
        then it is saved again, and what was stored already is not stored twice.

        Raises:
            UserError: it could not be read as a whole; an incomplete snapshot may stay behind.
        """
        for _ in range(_TRIES):
            result = self._run(
                "backup", *self._labels(tags), f"./{directory.name}", cwd=directory.parent, check=False
            )
            if result.status != _INCOMPLETE:
                break
        if result.status:
            raise self._error("backup", result.status, result.stderr)

    def save_stream(self, chunks: Iterable[bytes], name: str, tags: Sequence[str]) -> None:
        """Save what the iterable gives as a file of that name; when it raises, there is no snapshot."""
        process = start(
            [*_DIES_WITH_US, "restic", "backup", *self._labels(tags), "--stdin", "--stdin-filename", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=self._environment(),
        )
        with process:
            if process.stdin is None or process.stderr is None:
                raise AssertionError
            try:
                for chunk in chunks:
                    if not _written(process, chunk):
                        break
            except BaseException:
                # Killed before its input ends: at the end of its input restic saves what it has read.
                process.kill()
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
                raise
            _, stderr = process.communicate()
        if process.returncode:
            raise self._error("backup", process.returncode, stderr.decode(errors="replace"))

    def read(self, snapshot: str, name: str) -> Iterator[bytes]:
        """Give a snapshot's file in chunks.

        Raises:
            UserError: it cannot be read to its end.
        """
        process = start(["restic", "--quiet", "dump", snapshot, f"/{name}"], env=self._environment())
        with process:
            if process.stdout is None or process.stderr is None:
                raise AssertionError
            try:
                while chunk := process.stdout.read(_CHUNK):
                    yield chunk
            except BaseException:
                process.kill()
                raise
            stderr = process.stderr.read().decode(errors="replace")
        if process.returncode:
            raise self._error("dump", process.returncode, stderr)

    def restore(self, snapshot: str, target: Path) -> Path:
        """Put a saved directory into the target, with owners, modes and times, and say where it is now."""
        self._run("restore", snapshot, "--target", str(target), "--quiet")
        (restored,) = target.iterdir()
        return restored

    def forget(self, snapshots: Sequence[str]) -> None:
        """Forget snapshots; their data goes with the next `prune`."""
        if snapshots:
            self._run("forget", *snapshots, "--quiet")

    def prune(self) -> None:
        """Remove data that no snapshot uses."""
        self._run("prune", "--quiet")

    def unlock(self) -> None:
        """Remove the locks of restics that died; those of living ones stay."""
        self._run("unlock", "--quiet")

    def _labels(self, tags: Sequence[str]) -> list[str]:
        return ["--quiet", "--host", self.host, "--tag", ",".join(tags)]

    def _run(self, *args: str, cwd: Path | None = None, check: bool = True) -> Result:
        result = run(["restic", *args], env=self._environment(), cwd=cwd, check=False)
        if check and result.status:
            raise self._error(args[0], result.status, result.stderr)
        return result

    def _environment(self) -> dict[str, str]:
        return {
            "RESTIC_REPOSITORY": self.repository,
            "RESTIC_PASSWORD_FILE": str(self.password_file),
            "RESTIC_PASSWORD_COMMAND": "",
            "RESTIC_CACHE_DIR": str(self.cache),
        }

    def _error(self, verb: str, status: int, stderr: str) -> UserError:
        if "wrong password or no key found" in stderr:
            return UserError(
                f"the backup repository {self.repository} does not open with the password in"
                f" {self.password_file}",
                hint="put the repository's own password into that file",
            )
        if "already locked" in stderr:
            return UserError(
                f"the backup repository {self.repository} is locked by another restic",
                hint="try again when that is done; `restic unlock` removes a lock whose owner is dead",
            )
        if status == _INCOMPLETE:
            return CommandError(["restic", verb], "some files could not be read", stderr, status=status)
        return CommandError(["restic", verb], f"exit status {status}", stderr, status=status)


def open_repository(repository: str, host: str, places: Places) -> Restic:
    """Give a host's repository; on first use a password is made and kept in the host's configuration.

    Without that password nothing can be restored: it belongs into another safe place as well.
    """
    password = places.config / "restic-password"
    if not password.exists():
        files.write(password, secrets.token_urlsafe(32) + "\n", mode=0o600)
    return Restic(repository, host, password, places.cache / "restic")


def _written(process: subprocess.Popen[bytes], chunk: bytes) -> bool:
    """Tell whether restic still takes input; when it does not, its exit status says why."""
    if process.stdin is None:
        raise AssertionError
    try:
        process.stdin.write(chunk)
    except BrokenPipeError:
        return False
    return True
