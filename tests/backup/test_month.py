"""Night after night backups are made while things go wrong; each one that is listed restores to what it says.

Every night a real MariaDB and a volume change, `gitops backup run` and `gitops backup prune` run at that
night's time, and each kind of fault strikes with a chance of MONTH_FAULTS percent; the last night is a quiet
one. MONTH_NIGHTS=30 and MONTH_FAULTS=5 make a month of it; MONTH_SEED repeats one.
"""

import logging
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops.backup.databases import KINDS, Login
from gitops.backup.sets import VOLUME, BackupSet, Part
from gitops.backup.vault import Vault, open_vault
from gitops.report.history import runs
from tests.database_fixtures import HOST, INSTANCE, Site, until
from tests.quick_repository import make_quick
from tests.small_disk import Disk, small_disk

NIGHTS = int(os.environ.get("MONTH_NIGHTS", "2"))
FAULTS = int(os.environ.get("MONTH_FAULTS", "20"))
SEED = int(os.environ.get("MONTH_SEED", "81"))

log = logging.getLogger(__name__)

_FIRST = datetime(2026, 1, 1, 3, 15, tzinfo=UTC)
_DAILY, _WEEKLY = 4, 2
_ROWS = 300
_SAME = "".join(f"{number}\n" for number in range(1, 100_001))
_CHANGE = """
CREATE OR REPLACE TABLE t (n INT PRIMARY KEY, night INT, d BLOB);
INSERT INTO t SELECT seq, @night, RANDOM_BYTES(2000) FROM mysql.seq_1_to_300;
"""
_AT = """
import sys
from datetime import datetime, timedelta
from time import monotonic
from gitops.system import clock
began, night = monotonic(), datetime.fromisoformat(sys.argv.pop(1))
clock.now = lambda: night + timedelta(seconds=monotonic() - began)
from gitops.backup import insisting
insisting.PAUSES = (0.1, 0.1)
from gitops.cli.main import main
main()
"""
"""Run gitops at another time: whatever asks the clock later gets that. Who tries again does so at once."""

_DYING = """\
#!/bin/sh
/usr/bin/mariadb-dump "$@" | head -c %d
kill -KILL $$
"""


@dataclass
class Month:
    """The site, its repository on a small disk, and what should be in each night's backup."""

    site: Site
    disk: Disk
    chance: random.Random
    night: int = 0
    struck: list[str] = field(default_factory=list)

    @property
    def time(self) -> datetime:
        return _FIRST + timedelta(days=self.night)

    def change(self) -> None:
        """Let the site have this night's rows and files."""
        self.site.sql(f"SET @night = {self.night}; {_CHANGE}")
        script = f"rm -rf *; mkdir {self.night}; echo {self.night} >{self.night}/night; seq 100000 >same"
        self.site.execute("web", "sh", "-c", f"cd /srv/uploads; {script}")

    def run(self, *words: str, kill: bool = False) -> bool:
        """Run a verb at this night's time, to its end or to any moment; tell whether it went well."""
        with subprocess.Popen(
            [sys.executable, "-c", _AT, self.time.isoformat(), *words, "--fleet", self.site.root],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            with suppress(subprocess.TimeoutExpired):
                if kill:
                    process.wait(self.chance.uniform(0.3, 4))
            if kill:
                process.kill()
            output, _ = process.communicate()
        assert b"Traceback" not in output, output.decode()
        return process.returncode == 0

    @contextmanager
    def faults(self, *faults: "Fault") -> Iterator[list[str]]:
        """Let each fault strike, or not, while the block runs; tell which do."""
        with ExitStack() as under_way:
            found = [one for one in faults if self.chance.randrange(100) < FAULTS]
            for one in found:
                under_way.enter_context(one(self))
            names = [one.__name__.replace("_", " ").strip() for one in found]
            self.struck += [f"night {self.night}: {name}" for name in names]
            yield names

    def good(self) -> list[BackupSet]:
        """Restore every backup that is listed as complete, and give them, the newest first."""
        with open_vault(self.site.fleet, HOST, self.site.places) as vault:
            found = [one for one in vault.sets(INSTANCE) if one.complete]
            for one in found:
                night = (one.time - _FIRST).days
                for part in one.parts:
                    (self._volume if part.dataset.kind == VOLUME else self._database)(vault, part, night)
        return found

    def _database(self, vault: Vault, part: Part, night: int) -> None:
        kind, container = KINDS["mariadb"], self.site.container("db")
        kind.load_beside(self.site.engine, container, "proof", vault.read(part), Login())
        kind.swap(self.site.engine, container, "proof", Login())
        assert kind.fingerprint(self.site.engine, container, "proof", Login()) == part.fingerprint
        told = self.site.sql("SELECT MIN(night), MAX(night), COUNT(*) FROM t; DROP DATABASE proof;", "proof")
        assert told == f"{night}\t{night}\t{_ROWS}\n"

    def _volume(self, vault: Vault, part: Part, night: int) -> None:
        place = self.disk.root.with_name("restored")
        vault.restore(part, place)
        assert {path.name: path.read_text() for path in place.rglob("*") if path.is_file()} == {
            "night": f"{night}\n",
            "same": _SAME,
        }
        shutil.rmtree(place)


Fault = Callable[[Month], AbstractContextManager[None]]


@contextmanager
def _its_dump_dies(month: Month) -> Iterator[None]:
    script = _DYING % month.chance.randrange(1_000_000)
    install = "cat >/usr/local/bin/mariadb-dump; chmod 755 /usr/local/bin/mariadb-dump"
    month.site.execute("db", "sh", "-c", install, stdin=script.encode())
    yield
    month.site.execute("db", "rm", "/usr/local/bin/mariadb-dump")


@contextmanager
def _the_server_is_stopped(month: Month) -> Iterator[None]:
    month.site.engine.stop(month.site.container("db"))
    yield
    month.site.engine.start(month.site.container("db"))
    until(lambda: "1" in month.site.execute("db", "sh", "-c", "mariadb -e 'SELECT 1' || :").decode())


@contextmanager
def _the_repository_is_away(month: Month) -> Iterator[None]:
    here, away = month.site.repository, month.site.repository.with_name("away")
    if not here.exists():
        yield
        return
    here.rename(away)
    yield
    assert not here.exists(), "a new repository was begun in its place"
    away.rename(here)


@contextmanager
def _the_disk_is_full(month: Month) -> Iterator[None]:
    month.disk.fill()
    month.disk.leave(month.chance.randrange(600_000))
    yield
    month.disk.free()


@contextmanager
def _gitops_is_killed(_: Month) -> Iterator[None]:
    yield


_OF_RUNS = (
    _gitops_is_killed,
    _its_dump_dies,
    _the_server_is_stopped,
    _the_repository_is_away,
    _the_disk_is_full,
)
_OF_PRUNING = (_gitops_is_killed, _the_repository_is_away, _the_disk_is_full)


@pytest.fixture
def month(site: Site, tmp_path: Path) -> Iterator[Month]:
    """The site before its first night."""
    with small_disk(tmp_path / "disk", 64) as disk:
        repository = disk.root / "repository"
        make_quick(repository)
        keep = f"{{daily: {_DAILY}, weekly: {_WEEKLY}, monthly: 0}}"
        (site.root / f"hosts/{HOST}.yaml").write_text(
            f"backup: {{repository: {repository}, keep: {keep}}}\ninstances: {{{INSTANCE}: {{app: shop}}}}\n"
        )
        yield Month(replace(site, repository=repository), disk, random.Random(SEED))  # noqa: S311  # which can be repeated


def test_after_every_night_whatever_happened_all_that_is_listed_as_good_restores(month: Month) -> None:
    newest = None
    for month.night in range(NIGHTS + 1):
        quiet = month.night == NIGHTS
        month.change()
        with month.faults(*(() if quiet else _OF_RUNS)) as struck:
            went_well = month.run("backup", "run", "--all", kill="gitops is killed" in struck)
        assert went_well or struck
        with month.faults(*(() if quiet else _OF_PRUNING)) as struck:
            pruned = month.run("backup", "prune", kill="gitops is killed" in struck)
        good = month.good()
        assert pruned or struck or not good
        assert not pruned or len(good) <= _DAILY + _WEEKLY
        if went_well:
            assert (good[0].time - _FIRST).days == month.night
        elif newest:
            assert good, "the newest good backup has gone"
            assert good[0].time >= newest
        newest = good[0].time if good else None
    told = [one.status for one in runs(month.site.places, kind="backup", instance=INSTANCE)]
    log.info("seed %d: %d nights, %d good; %s", SEED, NIGHTS, told.count(0), "; ".join(month.struck))
