"""restic does the storing; this is the only code that runs it. Works with restic 0.14 and newer.

What restic prints and how it exits is told in its manual, "Scripting"; its exit statuses 10 to 12 are newer
than 0.14, so its words are read instead.
"""

import os
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gitops.backup.answers import Saved, Snapshot, saved, snapshots
from gitops.backup.asked import Limits
from gitops.backup.incoming import Incoming
from gitops.backup.outgoing import Outgoing
from gitops.backup.refusals import MissingError, MountError, refusal
from gitops.backup.watching import Watch, run_watched
from gitops.system.errors import UserError
from gitops.system.run import Result, run, start

_TIED = ("setpriv", "--pdeathsig", "KILL")
_BEGIN = """
[ "$PPID" = "$1" ] || exit 1
shift
while [ "$1" != -- ]; do
mount -o bind,ro "$1" "$2" || { printf '%s\\n' "$2" >&2; exit 97; }
shift 2
done
shift
exec "$@"
"""
"""restic dies with us, also when we do before that is arranged: then its parent is another already. Before it
begins, volumes are mounted where it alone sees them."""

_NO_MOUNT = 97
_PARENT = 16
"""Characters of an id: what begins so is looked for, while an id in full is taken to be there."""

_INCOMPLETE = 3


@dataclass(frozen=True)
class Restic:
    """A repository and what opens it.

    Args:
        repository: as restic has it: a directory, or `sftp:`, `rest:`, `s3:`…
        host: the host's name, on every snapshot; only snapshots of this host are seen.
        cache: directory for restic's cache.
        key: what holds the password, for people: `/etc/gitops/restic-password`.
        environment: variables that open it; some are secrets.
        limits: how much of the host and its line it may take.
    """

    repository: str
    host: str
    cache: Path
    key: str
    environment: Mapping[str, str] = field(repr=False)
    limits: Limits = field(default_factory=Limits)

    def is_there(self) -> bool:
        """Tell whether there is a repository, and make sure that the password opens it."""
        try:
            self._run("cat", "config", "--quiet")
        except MissingError:
            return False
        return True

    def init(self) -> None:
        """Make a new repository."""
        self._run("init")

    def snapshots(self, tags: Sequence[str]) -> list[Snapshot]:
        """List the host's snapshots that carry all of the tags, oldest first; somebody waits for that."""
        words = ("snapshots", "--json", "--host", self.host, "--tag", ",".join(tags))
        return snapshots(self._run(*words, nice=0).stdout)

    def in_full(self, beginnings: Collection[str]) -> list[str]:
        """Give the ids of snapshots that begin so, if restic's cache has them all; otherwise nothing.

        restic keeps every snapshot that it has saved or read in `CACHE/REPOSITORY/snapshots/XX/ID` (manual,
        "Local Cache").
        """
        found = [
            [path.name for path in self.cache.glob(f"*/snapshots/{one[:2]}/{one}*")] for one in beginnings
        ]
        return [ids[0] for ids in found] if all(len(ids) == 1 for ids in found) else []

    def save_directory(
        self,
        directory: Path,
        tags: Sequence[str],
        *,
        volumes: Mapping[Path, str] | None = None,
        parent: str = "",
        watch: Watch | None = None,
    ) -> Saved:
        """Save a directory, and volumes as if they were in it.

        restic is given its path from the root, and so has it there in the snapshot: with a relative one it
        asks for the working directory twice for each file, and is a twentieth slower.

        Args:
            directory: its path from the root, without links.
            tags: what the snapshot is tagged with.
            volumes: directories elsewhere, and where in `directory` they are to be seen, as paths from there;
                empty directories are there. They are mounted for this restic alone, to be read only.
            parent: a snapshot to compare with, so that files which have not changed need not be read; when
                it is not there any more, restic refuses.
            watch: is told how far it is.

        Raises:
            MountError: a volume could not be mounted.
            UserError: nothing was saved.
        """
        mounts = [str(word) for pair in (volumes or {}).items() for word in pair]
        compared = ["--parent", parent[:_PARENT]] if parent else []
        command = self._tied([*self._backup(tags, watch), *compared, str(directory)], mounts=mounts)
        result = run_watched(command, self._environment(), watch, directory)
        if mounts and result.status == _NO_MOUNT:
            *why, place = result.stderr.strip().splitlines()
            raise MountError(place, " ".join(why))
        return self._saved(result.status, result.stdout, result.stderr)

    def save_stream(self, chunks: Iterable[bytes], name: str, tags: Sequence[str]) -> Saved:
        """Save what the iterable gives as a file of that name; when it raises, there is no snapshot."""
        with self.incoming(name, tags) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.finish()

    def incoming(self, name: str, tags: Sequence[str]) -> Incoming[Saved]:
        """Begin a snapshot of a file that is still to come; `name` is its path in the snapshot."""
        command = [*self._backup(tags), "--stdin", "--stdin-filename", name]
        return Incoming(self._tied(command), self._environment(), self._saved_whole)

    def read(self, snapshot: str, path: str) -> Iterator[bytes]:
        """Give a snapshot's file in chunks.

        Raises:
            UserError: it cannot be read to its end.
        """
        with self.outgoing(snapshot, path) as outgoing:
            yield from outgoing

    def outgoing(self, snapshot: str, path: str) -> Outgoing:
        """Begin to read a snapshot's file."""
        command = [*self._program, "dump", snapshot, path]
        return Outgoing(self._tied(command, nice=0), self._environment(), partial(self.refusal, "dump"))

    def restore(self, snapshot: str, path: str, target: Path, watch: Watch | None = None) -> None:
        """Put a directory of a snapshot, with owners, modes and times, where it was below the target.

        How far it is, `watch` is told by restic 0.16 and newer.
        """
        how = "--json" if watch else "--quiet"
        words = ["restore", snapshot, "--include", path, "--target", str(target), how]
        result = run_watched(self._tied([*self._program, *words], nice=0), self._environment(), watch)
        if result.status:
            raise self.refusal("restore", result.status, result.stderr)

    def forget(self, snapshots: Sequence[str]) -> None:
        """Forget snapshots; their data goes with the next `prune`."""
        if snapshots:
            self._run("forget", *snapshots, "--quiet")

    def prune(self) -> None:
        """Remove data that no snapshot uses."""
        self._run("prune", "--quiet")

    def check(self, part: tuple[int, int] | None = None) -> None:
        """Check the repository's structure, and the data of one part of so many, as `(3, 20)`.

        Raises:
            UserError: it is damaged; restic's own words are the hint.
        """
        self._run("check", *([f"--read-data-subset={part[0]}/{part[1]}"] if part else []))

    def mount(self, directory: Path, tags: Sequence[str]) -> subprocess.Popen[bytes]:
        """Begin to show the host's snapshots that carry all of the tags; SIGINT ends it, as our death does.

        It takes no lock, so that one which somebody forgets does not keep the repository from being pruned.
        """
        choice = ("--host", self.host, "--tag", ",".join(tags), "--quiet", "--no-lock")
        command = ["setpriv", "--pdeathsig", "INT", *self._program, "mount", *choice, str(directory)]
        return start(command, stdout=subprocess.DEVNULL, env=self._environment())

    def unlock(self) -> None:
        """Remove the locks of restics that died; those of living ones stay."""
        self._run("unlock", "--quiet")

    @property
    def _program(self) -> list[str]:
        """Give restic's name, with the limits on its line, which it takes in KiB a second."""
        line = {"upload": self.limits.upload, "download": self.limits.download}
        return ["restic", *(f"--limit-{way}={max(1, most >> 10)}" for way, most in line.items() if most)]

    def _backup(self, tags: Sequence[str], watch: Watch | None = None) -> list[str]:
        words = ["backup", "--json", "--host", self.host, "--tag", ",".join(tags)]
        return [*self._program, *words, *(() if watch else ("--quiet",))]

    def _run(self, *args: str, nice: int | None = None) -> Result:
        result = run(self._tied([*self._program, *args], nice), env=self._environment(), check=False)
        if result.status:
            raise self.refusal(args[0], result.status, result.stderr)
        return result

    def refusal(self, verb: str, status: int, stderr: str) -> UserError:
        """Give the error for a restic that ended badly: what it was to do, how it ended, what it said."""
        return refusal(self.repository, self.key, verb, status, stderr)

    def _tied(self, command: list[str], nice: int | None = None, mounts: Sequence[str] = ()) -> list[str]:
        """Give a command that ends with us, steps back behind others, and sees directories in other places.

        Args:
            command: the program and its arguments.
            nice: how far it steps back; None: as far as the limits say.
            mounts: directories, each with the place where it alone sees it, to be read only.
        """
        nice = self.limits.nice if nice is None else nice
        back = ["nice", "-n", str(nice)] if nice else []
        private = ["unshare", "--mount", "--propagation", "private"] if mounts else []
        begin = ["sh", "-c", _BEGIN, "sh", str(os.getpid()), *mounts, "--"]
        return [*_TIED, *back, *private, *begin, *command]

    def _environment(self) -> dict[str, str]:
        own = {
            "RESTIC_REPOSITORY": self.repository,
            "RESTIC_REPOSITORY_FILE": "",
            "RESTIC_PASSWORD": "",
            "RESTIC_PASSWORD_FILE": "",
            "RESTIC_PASSWORD_COMMAND": "",
            "RESTIC_CACHE_DIR": str(self.cache),
        }
        if self.limits.cpus:
            own["GOMAXPROCS"] = str(self.limits.cpus)
        return own | dict(self.environment)

    def _saved_whole(self, status: int, stdout: str, stderr: str) -> Saved:
        if status:
            raise self.refusal("backup", status, stderr)
        return self._saved(status, stdout, stderr)

    def _saved(self, status: int, stdout: str, stderr: str) -> Saved:
        if status not in (0, _INCOMPLETE):
            raise self.refusal("backup", status, stderr)
        return saved(stdout, stderr, incomplete=status == _INCOMPLETE)
