"""A shop whose backups are struck while they are made, and then held against what was there."""

import hashlib
import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from gitops.backup.asked import asked
from gitops.backup.databases.script import ScriptDigest, ended
from gitops.backup.run import back_up
from gitops.backup.sets import VOLUME, BackupSet, Part
from gitops.backup.vault import Vault, open_vault
from tests.database_fixtures import HOST, Site, until

FAULTS = int(os.environ.get("FAULTS", "1"))
"""How often, or at how many moments, each thing is struck; 50 to be sure."""

RESTICS = ("bookworm", "trixie")
SHORT, LONG = 300, 10_000
"""Rows of a kilobyte, which a dump doubles: one that waits for others, one that has its own snapshot."""


def one_of(restic: str) -> tuple[str, ...]:
    """Give both restics where it takes long anyway, otherwise one."""
    return RESTICS if FAULTS > 1 else (restic,)


@dataclass
class Proving:
    """An instance with a MariaDB and a volume, and its backups.

    Args:
        site: the instance.
        vault: its backups.
        trees: what `tree` said of each state in which the volume has ever been.
        proved: snapshots and paths that were good.
    """

    site: Site
    vault: Vault
    trees: set[str]
    proved: set[tuple[str, str]] = field(default_factory=set)

    def fill(self, rows: int) -> None:
        """Make the database anew."""
        self.site.sql("CREATE OR REPLACE TABLE t (n INT PRIMARY KEY, d LONGBLOB);")
        self.site.sql(f"INSERT INTO t SELECT seq, RANDOM_BYTES(1024) FROM mysql.seq_1_to_{rows};")  # noqa: S608

    def change(self, where: str = "n = 7") -> None:
        """Change rows."""
        self.site.sql(f"UPDATE t SET d = RANDOM_BYTES(1024) WHERE {where};")  # noqa: S608

    def back_up(self, tell: Callable[[str], object] = lambda _: None) -> BackupSet:
        """Make a set, as it becomes."""
        (made,) = back_up(
            self.vault, self.site.engine, [asked(self.site.instance)], self.site.places, tell=tell
        )
        return made

    def prove(self) -> list[BackupSet]:
        """Read every part of every set that is called complete, once; give these, the newest first."""
        found = [one for one in self.vault.sets() if one.complete]
        for one in found:
            for part in one.parts:
                if (part.snapshot, part.path) not in self.proved:
                    self._prove(part)
                    self.proved.add((part.snapshot, part.path))
        return found

    def prove_again(self) -> list[BackupSet]:
        """Read everything, whatever was read before."""
        self.proved.clear()
        return self.prove()

    def wait_for_the_end(self) -> None:
        """Wait until no restic works on the repository any more."""
        until(lambda: not self._at_work())

    def kill_restics(self) -> None:
        """Kill every restic that works on the repository now."""
        for process in self._at_work():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    @contextmanager
    def elsewhere(self, repository: str) -> Iterator["Proving"]:
        """Let the host's backups go into another repository."""
        path = self.site.root / "hosts" / f"{HOST}.yaml"
        path.write_text(path.read_text().replace(str(self.site.repository), repository))
        with open_vault(self.site.fleet, HOST, self.site.places) as vault:
            yield replace(self, vault=vault, proved=set())

    def _prove(self, part: Part) -> None:
        if part.dataset.kind == VOLUME:
            with TemporaryDirectory() as directory:
                target = Path(directory) / "volume"
                self.vault.restore(part, target)
                assert tree(target) in self.trees, f"{part.dataset} is not as it ever was"
            return
        digest = ScriptDigest("CREATE TABLE ", "tables")
        for _ in digest.passing(ended(self.vault.read(part), b"-- Dump completed", part.dataset.name)):
            pass
        assert str(digest) == part.fingerprint

    def _at_work(self) -> list[int]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = process.joinpath("cmdline").read_bytes().split(b"\0")
                environment = process.joinpath("environ").read_bytes()
            except OSError:
                continue
            if words[0].endswith(b"restic") and self.vault.restic.repository.encode() in environment:
                found.append(int(process.name))
        return found


def tree(directory: Path) -> str:
    """Digest everything below a directory: names, modes, owners, links and contents."""
    digest = hashlib.sha256()
    for place, directories, files in os.walk(os.fsencode(directory)):
        directories.sort()
        for name in [b"", *sorted(files)]:
            path = os.path.join(place, name) if name else place  # noqa: PTH118  # names are bytes
            status = os.lstat(path)
            about = (
                os.path.relpath(path, os.fsencode(directory)),
                status.st_mode,
                status.st_uid,
                status.st_gid,
            )
            digest.update(repr(about).encode())
            if os.path.islink(path):  # noqa: PTH114  # as above
                digest.update(os.readlink(path))  # noqa: PTH115  # as above
            elif stat.S_ISREG(status.st_mode):
                digest.update(Path(os.fsdecode(path)).read_bytes())
    return digest.hexdigest()
