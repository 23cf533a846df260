"""Backed up for real; and whatever dies on the way, nothing that looks good is left of it."""

import contextlib
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from gitops.backup import insisting
from gitops.backup.asked import asked
from gitops.backup.run import back_up, lock_path
from gitops.backup.sets import BackupSet
from gitops.backup.vault import Vault, open_vault
from gitops.fleet.backups import Backup, Database, VolumeCopy
from gitops.fleet.fleet import Instance
from gitops.report.history import Run, record, runs
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from tests.database_fixtures import DATABASE, HOST, INSTANCE, Site, until

_FAILED = f"no backup of alice was made: database db/{DATABASE}:"


@pytest.fixture
def vault(site: Site) -> Iterator[Vault]:
    with open_vault(site.fleet, HOST, site.places) as opened:
        yield opened


def _back_up(site: Site, vault: Vault, instance: Instance | None = None) -> BackupSet:
    (made,) = back_up(vault, site.engine, [asked(instance or site.instance)], site.places)
    return made


def asking(site: Site, backup: Backup) -> Instance:
    """Give the instance as if its app asked for another backup."""
    instance = site.instance
    return replace(instance, definition=instance.definition.model_copy(update={"backup": backup}))


def _datasets(made: BackupSet) -> list[str]:
    return [str(part.dataset) for part in made.parts]


def _dump(vault: Vault, made: BackupSet) -> bytes:
    (part,) = (part for part in made.parts if part.dataset.name == DATABASE)
    return b"".join(vault.read(part))


@contextmanager
def _stuck(site: Site) -> Iterator[None]:
    """Let a dump come half way and no further: another session holds the last table."""
    site.sql("CREATE TABLE aaa SELECT REPEAT(SHA2(RAND(), 512), 9000) AS t FROM seq_1_to_8;")
    site.sql("CREATE TABLE zzz (n INT);")
    lock = ["mariadb", DATABASE, "-e", "LOCK TABLES zzz WRITE; SELECT SLEEP(300)"]
    with site.engine.exec(site.container("db"), lock, user="root"):
        until(lambda: "User sleep" in site.sql("SHOW PROCESSLIST"))
        try:
            yield
        finally:
            for line in site.sql("SHOW PROCESSLIST").splitlines():
                if "SLEEP(300)" in line:
                    site.sql(f"KILL {line.split()[0]}")


def _wait_until_stuck(site: Site) -> None:
    until(lambda: "Waiting for table metadata lock" in site.sql("SHOW PROCESSLIST"))


def _restics(site: Site) -> list[str]:
    """List the restics that read a stream into this site's repository."""
    own = f"RESTIC_REPOSITORY={site.repository}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if own in (process / "environ").read_bytes() and b"--stdin" in (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


def test_a_run_saves_databases_and_volumes_and_says_what_they_hold(site: Site, vault: Vault) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (4711);")
    site.execute(
        "web", "sh", "-c", "cd /srv/uploads; mkdir a; head -c 300000 /dev/urandom >a/b; chmod 2750 ."
    )
    before = now()
    made = _back_up(site, vault)
    assert made.complete
    assert _datasets(made) == [f"database db/{DATABASE}", "volume uploads"]
    database, volume = made.parts
    assert b"(4711)" in _dump(vault, made)
    assert (database.size, database.fingerprint) == (len(_dump(vault, made)), database.fingerprint)
    assert database.fingerprint.startswith("1 tables")
    assert (volume.size, volume.fingerprint) == (300000, "")
    vault.restore(volume, site.root / "restored")
    assert (site.root / "restored/a/b").read_bytes() == (site.uploads / "a/b").read_bytes()
    assert (site.root / "restored").stat().st_mode == site.uploads.stat().st_mode
    assert before <= made.time <= now()
    assert [one.name for one in site.uploads.parent.iterdir()] == ["_data"]
    assert vault.sets() == [made]
    assert [(one.kind, one.status, one.detail) for one in runs(site.places, instance=INSTANCE)] == [
        ("backup", 0, made.short)
    ]


def test_a_long_dump_is_streamed_past_the_disk(
    site: Site, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitops.backup.dumping.STAGED", 100_000)
    site.sql("CREATE TABLE t SELECT REPEAT(SHA2(RAND(), 512), 1000) AS t FROM seq_1_to_20;")
    made = _back_up(site, vault)
    database, volume = made.parts
    assert database.snapshot != volume.snapshot
    assert _dump(vault, made).count(b"\n") > 20
    assert database.size > 2_000_000
    assert not list((site.places.state / "backup/bundle").iterdir())
    site.sql("DROP TABLE t; CREATE TABLE short SELECT 4711;")
    for together in (False, True):  # what was long the last time streams from its beginning
        made = _back_up(site, vault)
        database, volume = made.parts
        assert (database.snapshot == volume.snapshot) == together
        assert b"(4711)" in _dump(vault, made)


@pytest.mark.parametrize("method", ["pause", "stop"])
def test_services_stand_still_while_their_volume_is_copied_and_then_go_on(
    site: Site, vault: Vault, method: Literal["pause", "stop"]
) -> None:
    site.execute("web", "touch", "/srv/uploads/file")
    instance = asking(site, Backup(volumes=(VolumeCopy(name="uploads", method=method),)))
    said: list[str] = []
    states: list[str] = []

    def tell(line: str) -> None:
        said.append(line)

    def look() -> None:
        while not said or "stood still" not in said[-1]:
            (web,) = site.engine.named([site.container("web")])
            states.append(web.state)
            time.sleep(0.05)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    (made,) = back_up(vault, site.engine, [asked(instance)], site.places, tell=tell)
    looking.join(timeout=10)
    assert _datasets(made) == ["volume uploads"]
    assert {"paused": "pause", "exited": "stop"}.keys() & set(states) == {
        {"pause": "paused", "stop": "exited"}[method]
    }
    assert said[-1].startswith("alice: services of uploads stood still for ")
    assert made.stood_still > 0.1
    assert site.engine.running(site.name, HOST, INSTANCE, "web")


def test_all_databases_of_a_server_are_saved_with_its_users_whatever_they_are_called(
    site: Site, vault: Vault
) -> None:
    other = "odd, name/größe" + "ß" * 49
    site.sql(f"DROP DATABASE IF EXISTS `{other}`; CREATE DATABASE `{other}`;", "mysql")
    try:
        site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7);", other)
        made = _back_up(
            site, vault, asking(site, Backup(databases=(Database(service="db", kind="mariadb", all=True),)))
        )
        assert {part.dataset.name for part in made.parts} == {"@roles", DATABASE, other}
        (odd,) = (part for part in made.parts if part.dataset.name == other)
        assert b"VALUES\n(7);" in b"".join(vault.read(odd))
    finally:
        site.sql(f"DROP DATABASE IF EXISTS `{other}`;", "mysql")


def test_what_fails_is_named_and_the_rest_is_saved_all_the_same_but_is_no_backup(
    site: Site, vault: Vault
) -> None:
    good = _back_up(site, vault)
    wrong = Database(service="db", kind="mariadb", name="missing", user=None)
    volumes = (VolumeCopy(name="uploads"), VolumeCopy(name="lost"))
    made = _back_up(site, vault, asking(site, Backup(databases=(wrong,), volumes=volumes)))
    assert not made.complete
    assert _datasets(made) == ["volume uploads"]
    assert [str(dataset) for dataset, _ in made.failed] == ["database db/missing", "volume lost"]
    assert "Unknown database" in made.failed[0][1]
    assert vault.sets() == [made, good]
    assert vault.choose(INSTANCE) == good
    failed, _ = runs(site.places, kind="backup")
    assert failed.status == 1
    assert "database db/missing: " in failed.detail


def test_a_server_that_does_not_tell_its_databases_fails_alone(site: Site, vault: Vault) -> None:
    wrong = Database(service="db", kind="mariadb", all=True, user="clerk")
    site.sql("CREATE OR REPLACE USER clerk@localhost IDENTIFIED BY 'right'", "mysql")
    try:
        made = _back_up(
            site, vault, asking(site, Backup(databases=(wrong,), volumes=(VolumeCopy(name="uploads"),)))
        )
    finally:
        site.sql("DROP USER clerk@localhost", "mysql")
    assert not made.complete
    assert [str(dataset) for dataset, _ in made.failed] == ["database db/*"]
    assert _datasets(made) == ["volume uploads"]


def test_one_command_each_backs_up_and_lists(site: Site) -> None:
    def gitops(*words: str) -> str:
        with site.gitops(*words) as process:
            output, error = process.communicate()
        assert (process.returncode, error) == (0, b"")
        return output.decode()

    assert gitops("backup", "list") == "no backups yet\n"
    said = gitops("backup", "run", "--all")
    assert said.splitlines()[-1].startswith("alice: backup ")
    assert "alice" in gitops("backup", "list")


def test_a_dump_that_dies_half_way_leaves_no_backup(site: Site, vault: Vault) -> None:
    with _stuck(site), site.gitops("backup", "run", INSTANCE) as process:
        _wait_until_stuck(site)
        site.execute("db", "kill", "-KILL", *site.processes("db", "mariadb-dump"))
        _, error = process.communicate()
    assert process.returncode == 1
    assert _FAILED.encode() in error
    (failed,) = vault.sets()
    assert _datasets(failed) == ["volume uploads"]
    with pytest.raises(UserError, match="there is no backup of alice"):
        vault.choose(INSTANCE)
    assert [one.status for one in runs(site.places, kind="backup")] == [1]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_gitops_that_dies_in_the_middle_leaves_nothing_to_restore_and_does_not_stop_the_next(
    site: Site, vault: Vault, end: signal.Signals
) -> None:
    with _stuck(site), site.gitops("backup", "run", INSTANCE) as process:
        _wait_until_stuck(site)
        process.send_signal(end)
        _, error = process.communicate()
    assert process.returncode != 0
    assert b"Traceback" not in error
    assert vault.sets() == []
    made = _back_up(site, vault)
    assert vault.sets() == [made]


def test_a_stream_whose_gitops_dies_leaves_no_snapshot(site: Site, vault: Vault) -> None:
    site.sql("CREATE TABLE big SELECT REPEAT(SHA2(RAND(), 512), 9000) AS t FROM seq_1_to_50;")
    with _stuck(site), site.gitops("backup", "run", INSTANCE) as process:
        _wait_until_stuck(site)
        children = _restics(site)
        process.kill()
        process.communicate()
    assert children, "no restic was reading the dump"
    until(lambda: not _restics(site))
    assert vault.restic.snapshots(["gitops"]) == []


def test_a_dump_without_its_end_is_refused_though_it_reports_no_error(site: Site, vault: Vault) -> None:
    fake = b"#!/bin/sh\n/usr/bin/mariadb-dump \"$@\" | sed '/Dump completed/d'\n"
    script = "cat >/usr/local/bin/mariadb-dump; chmod 755 /usr/local/bin/mariadb-dump"
    site.execute("db", "sh", "-c", script, stdin=fake)
    made = _back_up(site, vault)
    assert "lacks its end" in made.failed[0][1]
    assert not made.complete


def test_a_database_that_does_not_run_makes_no_backup(site: Site, vault: Vault) -> None:
    site.engine.stop(site.container("db"))
    made = _back_up(site, vault)
    assert "alice/db is not running" in made.failed[0][1]
    site.engine.start(site.container("db"))
    until(lambda: site.execute("db", "sh", "-c", "mariadb -e 'SELECT 1' || :"))


def test_a_repository_that_was_there_and_is_gone_is_not_silently_begun_anew(
    site: Site, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = now()
    record(site.places, Run("repository", "", vault.restic.repository, time, time, 0))
    shutil.rmtree(site.repository)
    monkeypatch.setattr(insisting, "PAUSES", (0.1,))
    with pytest.raises(UserError, match="is gone, and it was there before"):
        _back_up(site, vault)
    with pytest.raises(UserError, match="is gone, and it was there before"):
        vault.sets()
    assert not site.repository.exists()
    assert [one.status for one in runs(site.places, kind="backup")] == [1]


def test_a_repository_that_comes_back_is_tried_again(
    site: Site, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insisting, "PAUSES", (0.1, 0.2))
    _back_up(site, vault)
    away = site.repository.rename(site.root / "away")
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        if "trying again in 0.2 s" in line:
            away.rename(site.repository)

    (made,) = back_up(vault, site.engine, [asked(site.instance)], site.places, tell=tell)
    assert made.complete
    assert sum("trying again" in line for line in said) == 2


def test_two_backups_take_turns(site: Site, vault: Vault) -> None:
    before = sorted(site.repository.rglob("*"))
    with exclusive(lock_path(site.places), "test"):
        waiting = site.gitops("backup", "run", INSTANCE)
        time.sleep(1)
        assert waiting.poll() is None
        assert sorted(site.repository.rglob("*")) == before
    with waiting:
        waiting.communicate()
    assert waiting.returncode == 0
    assert vault.choose(INSTANCE).complete


def test_a_wrong_password_is_told_with_the_file_to_mend(site: Site) -> None:
    file = site.places.config / "restic-password"
    file.write_text("wrong\n")
    with site.gitops("backup", "run", INSTANCE) as process:
        _, error = process.communicate()
    assert process.returncode == 1
    assert b"does not open with the password in" in error
    assert str(file).encode() in error


def test_a_backup_is_chosen_by_its_beginning_or_its_time(site: Site, vault: Vault) -> None:
    first, second = _back_up(site, vault), _back_up(site, vault)
    assert vault.choose(INSTANCE) == vault.choose(INSTANCE, wanted=second.id[:5]) == second
    assert vault.choose(INSTANCE, at=first.time) == first
    with pytest.raises(UserError, match="no backups of alice are called xyz"):
        vault.choose(INSTANCE, wanted="xyz")
    with pytest.raises(UserError, match="no backup of alice as old as"):
        vault.choose(INSTANCE, at=first.time - timedelta(seconds=1))


def test_manifests_that_were_lost_from_the_cache_are_read_again(site: Site, vault: Vault) -> None:
    made = _back_up(site, vault)
    (kept,) = (site.places.cache / "backup").glob("*/*.json")
    kept.write_text("{")
    assert vault.sets() == [made]
    assert kept.read_text() != "{"


def test_what_a_restore_keeps_is_no_backup(site: Site, vault: Vault) -> None:
    backup = _back_up(site, vault)
    (kept,) = back_up(vault, site.engine, [asked(site.instance)], site.places, safety=True)
    assert vault.sets() == [backup]
    assert vault.sets(safety=True) == [kept]
    assert vault.choose(INSTANCE) == backup
    assert vault.choose(INSTANCE, wanted=kept.short) == kept
    assert len(runs(site.places, kind="backup")) == 1
