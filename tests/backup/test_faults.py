"""Whatever dies while backups are made, every set that is called complete reads back as what was saved.

`FAULTS=50` strikes at so many moments and bytes, with each restic.
"""

import random
import signal
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from gitops.backup.asked import asked
from gitops.backup.run import back_up
from gitops.backup.sets import BackupSet
from gitops.fleet.backups import Backup, Database, VolumeCopy
from tests.backup.proving import FAULTS, LONG, RESTICS, SHORT, Proving, one_of
from tests.database_fixtures import INSTANCE, Site, until

pytestmark = pytest.mark.usefixtures("hasty")


def _cut_dumps(site: Site, after: int) -> None:
    """Let dumping programs be killed after so many bytes, to the byte."""
    script = f'#!/bin/sh\n/usr/bin/mariadb-dump "$@" | head -c {after}\nkill -KILL $$\n'
    install = "cat >/usr/local/bin/mariadb-dump; chmod 755 /usr/local/bin/mariadb-dump"
    site.execute("db", "sh", "-c", install, stdin=script.encode())


@pytest.mark.parametrize("rows", [SHORT, LONG])
@pytest.mark.parametrize("each_restic", RESTICS, indirect=True)
def test_a_dump_killed_at_any_byte_makes_no_backup_and_harms_none(
    proving: Proving, rows: int, each_restic: str
) -> None:
    proving.fill(rows)
    good = proving.back_up()
    assert good.complete
    dump, volume = good.parts
    restic = proving.vault.restic
    before = len(restic.snapshots(proving.vault.tags))
    chance = random.Random(f"{each_restic} {rows}")  # noqa: S311
    for number in range(FAULTS):
        # Once within the end marker, and once after all of it.
        point = {1: dump.size - 5, 2: dump.size}.get(number, chance.randrange(dump.size))
        _cut_dumps(proving.site, point)
        made = proving.back_up()
        assert [dataset for dataset, _ in made.failed] == [dump.dataset]
        assert [part.dataset for part in made.parts] == [volume.dataset]
        assert proving.prove() == [good]
        assert made in proving.vault.sets(INSTANCE)
    # What failed has left the volume and the manifest, and no snapshot of a dump.
    assert len(restic.snapshots(proving.vault.tags)) == before + 2 * FAULTS
    proving.site.execute("db", "rm", "/usr/local/bin/mariadb-dump")
    proving.change()
    after = proving.back_up()
    assert proving.prove_again() == [after, good]


@pytest.mark.parametrize("each_restic", one_of("trixie"), indirect=True)
def test_a_gitops_killed_at_any_moment_leaves_no_backup_that_is_not_whole(
    proving: Proving, each_restic: str
) -> None:
    proving.fill(LONG)
    good = proving.back_up()
    began = time.monotonic()
    with proving.site.gitops("backup", "run", INSTANCE) as process:
        assert process.wait() == 0, process.communicate()
    whole = time.monotonic() - began
    chance, killed = random.Random(each_restic), 0  # noqa: S311
    for _ in range(FAULTS):
        proving.change()
        with proving.site.gitops("backup", "run", INSTANCE) as process:
            try:
                process.wait(chance.uniform(0, whole))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
        proving.wait_for_the_end()
        proving.prove()
    assert killed >= FAULTS // 2
    after = proving.back_up()
    assert after.complete
    found = proving.prove_again()
    assert found[0] == after
    assert good in found


@pytest.mark.parametrize("each_restic", one_of("bookworm"), indirect=True)
def test_a_restic_killed_at_any_moment_is_begun_again_and_leaves_no_backup_that_is_not_whole(
    proving: Proving, each_restic: str
) -> None:
    proving.fill(LONG)
    began = time.monotonic()
    good = proving.back_up()
    whole, chance = time.monotonic() - began, random.Random(each_restic)  # noqa: S311
    for _ in range(FAULTS):
        proving.change()
        killing = threading.Timer(chance.uniform(0, whole), proving.kill_restics)
        killing.start()
        made = proving.back_up()
        killing.cancel()
        killing.join()
        assert made.complete
        assert proving.prove()[0] == made
    assert proving.prove_again()[-1] == good


def test_a_server_that_ends_in_the_middle_makes_no_backup_and_harms_none(proving: Proving) -> None:
    site = proving.site
    proving.fill(LONG)
    good = [proving.back_up()]
    for _ in range(FAULTS):
        begun = threading.Event()

        def stop(begun: threading.Event = begun) -> None:
            begun.wait()
            site.engine.stop(site.container("db"), 1)

        stopping = threading.Thread(target=stop)
        stopping.start()
        made = proving.back_up(lambda line, begun=begun: begun.set() if "saving" in line else None)  # type: ignore[misc]
        stopping.join()
        site.engine.start(site.container("db"))
        until(lambda: _answers(site))
        good = [made, *good] if made.complete else good
        assert proving.prove() == good


def _answers(site: Site) -> bool:
    with site.engine.exec(site.container("db"), ["mariadb", "-e", "SELECT 1"], user="root") as stream:
        return stream.wait() == 0


def test_a_container_that_has_no_room_for_its_dump_makes_no_backup_and_harms_none(proving: Proving) -> None:
    site = proving.site
    fill = "sqlite3 /dev/shm/app.db 'CREATE TABLE t (d BLOB); INSERT INTO t VALUES (randomblob(20000000))'"
    site.execute("web", "sh", "-c", f"rm -f /dev/shm/*; {fill}")
    file = Database(service="web", kind="sqlite", name="/dev/shm/app.db")  # noqa: S108  # in the container
    wanted = Backup(databases=(file,), volumes=(VolumeCopy(name="uploads"),))
    definition = site.instance.definition.model_copy(update={"backup": wanted})
    instance = replace(site.instance, definition=definition)

    def save() -> BackupSet:
        (made,) = back_up(proving.vault, site.engine, [asked(instance)], site.places)
        return made

    good = save()
    assert good.complete
    site.execute("web", "sh", "-c", "head -c 35000000 /dev/zero >/dev/shm/filler")
    made = save()
    assert [(dataset.name, "full" in why) for dataset, why in made.failed] == [(file.name, True)]
    site.execute("web", "sh", "-c", 'rm /dev/shm/filler; test "$(ls /dev/shm)" = app.db')
    again = save()
    assert again.complete
    assert proving.vault.sets(INSTANCE) == [again, made, good]
    for one in (again, good):
        assert sum(map(len, proving.vault.read(one.parts[0]))) == good.parts[0].size > 20_000_000


def test_two_runs_at_once_take_turns_and_both_are_good(proving: Proving) -> None:
    proving.fill(LONG)
    processes = [proving.site.gitops("backup", "run", INSTANCE) for _ in range(2)]
    for process in processes:
        output, error = process.communicate()
        assert (process.returncode, error) == (0, b""), output
    found = proving.prove()
    assert len(found) == 2
    assert found == proving.vault.sets()
