"""Backed up and restored for real; and whatever dies on the way, nothing that looks good is left of it."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from gitops.backup.databases import Login, mariadb
from gitops.backup.restic import Restic, open_repository
from gitops.backup.restore import backup_sets, choose, restore
from gitops.backup.run import back_up, lock_path
from gitops.backup.sets import BackupSet, common_tags
from gitops.fleet.backups import Backup, Database, Keep, VolumeCopy
from gitops.fleet.fleet import Instance
from gitops.report.history import Run, record, runs
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from tests.database_fixtures import DATABASE, HOST, INSTANCE, Site, until

_KEEP = Keep(last=2, daily=0, weekly=0, monthly=0)
_TROUBLE = r"""
CREATE TABLE `parent` (id INT PRIMARY KEY, text LONGTEXT) CHARACTER SET utf8mb4;
CREATE TABLE `odd ``name``'s "größe"` (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB, parent INT,
    CONSTRAINT `to parent` FOREIGN KEY (parent) REFERENCES `parent` (id));
INSERT INTO `parent` VALUES (1, 'naïve 🎈 \'quoted\' \\ line\r\nbreak \0 tab\t%'), (2, NULL);
INSERT INTO `odd ``name``'s "größe"` (data, parent) VALUES
    (x'00FF0D0A1A5C2722', 1), (RANDOM_BYTES(1024), 2), ('', NULL);
CREATE VIEW `a view` AS SELECT id FROM `parent` WHERE id > 1;
CREATE TABLE counted (n INT);
INSERT INTO counted VALUES (0);
CREATE TRIGGER `a trigger` AFTER INSERT ON `parent` FOR EACH ROW UPDATE counted SET n = n + 1;
DELIMITER ;;
CREATE PROCEDURE twice(IN x INT) BEGIN SELECT x * 2; END;;
CREATE FUNCTION thrice(x INT) RETURNS INT DETERMINISTIC RETURN x * 3;;
CREATE EVENT later ON SCHEDULE EVERY 1 YEAR STARTS '2030-01-01 00:00:00' DO DELETE FROM counted;;
DELIMITER ;
"""


@pytest.fixture
def restic(site: Site) -> Restic:
    return open_repository(str(site.repository), HOST, site.places)


def _back_up(site: Site, restic: Restic) -> BackupSet:
    return back_up(site.engine, restic, site.name, site.instance, _KEEP, site.places)


def _restore(site: Site, restic: Restic, wanted: str | None = None) -> None:
    chosen = choose(backup_sets(restic, site.name, INSTANCE), INSTANCE, wanted)
    restore(site.engine, restic, site.name, site.instance, chosen, site.places)


def _content(site: Site) -> str:
    """Everything that is in the database, as the database itself tells it."""
    lines = b"".join(mariadb.dump(site.engine, site.container("db"), DATABASE, Login())).decode("utf-8")
    return "\n".join(line for line in lines.splitlines() if not line.startswith("-- Dump completed"))


def _fill_uploads(site: Site) -> None:
    script = r"""cd /srv/uploads; mkdir -p 2025/01; head -c 300000 /dev/urandom >2025/01/photo.jpg
    printf x >"$(printf 'new\nline')"; printf y >"$(printf '\377\376 bytes')"; ln -s 2025/01/photo.jpg link
    chown -R www-data: 2025; chmod 0640 2025/01/photo.jpg; chown www-data:www-data .; chmod 2750 ."""
    site.execute("web", "sh", "-c", script)


def _files(site: Site) -> bytes:
    script = (
        "cd /srv/uploads && find . -printf '%p %m %u %g %y %l\\0' | sort -z"
        " && find . -type f -exec sha256sum {} + | sort"
    )
    return site.execute("web", "sh", "-c", script)


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


def test_rows_and_files_come_back_as_they_were(site: Site, restic: Restic) -> None:
    site.sql(f"ALTER DATABASE `{DATABASE}` CHARACTER SET latin1 COLLATE latin1_german1_ci;")
    site.sql(_TROUBLE)
    _fill_uploads(site)
    rows, files = _content(site), _files(site)
    made = _back_up(site, restic)
    assert [str(dataset) for dataset, _ in made.parts] == [f"database db/{DATABASE}", "volume uploads"]

    site.sql(f"DROP DATABASE `{DATABASE}`;", "mysql")
    site.execute("web", "sh", "-c", "cd /srv/uploads; rm -rf 2025; echo new >later; chmod 0777 .")
    _restore(site, restic)
    assert _content(site) == rows
    assert _files(site) == files
    assert site.sql("CALL twice(21); SELECT thrice(14); SELECT * FROM `a view`;").split() == ["42", "42", "2"]
    site.sql("INSERT INTO `parent` VALUES (3, 'the trigger works')")
    assert site.sql("SELECT n FROM counted") == "1\n"
    assert "gitops" not in site.sql("SHOW DATABASES")
    assert [path.name for path in site.uploads.parent.iterdir()] == ["_data"]
    assert [(one.kind, one.status) for one in runs(site.places, instance=INSTANCE)] == [
        ("restore", 0),
        ("backup", 0),
    ]


def _asking(site: Site, backup: Backup) -> Instance:
    """Give the instance as if its app asked for another backup."""
    instance = site.instance
    return replace(instance, definition=instance.definition.model_copy(update={"backup": backup}))


@pytest.mark.parametrize("method", ["pause", "stop"])
def test_services_stand_still_while_their_volume_is_copied_and_then_go_on(
    site: Site, restic: Restic, method: Literal["pause", "stop"]
) -> None:
    _fill_uploads(site)
    instance = _asking(site, Backup(volumes=(VolumeCopy(name="uploads", method=method),)))
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
    made = back_up(site.engine, restic, site.name, instance, _KEEP, site.places, tell=tell)
    looking.join(timeout=10)
    assert [str(dataset) for dataset, _ in made.parts] == ["volume uploads"]
    assert {"paused": "pause", "exited": "stop"}.keys() & set(states) == {
        {"pause": "paused", "stop": "exited"}[method]
    }
    assert said[-1].startswith("alice: services of volume uploads stood still for ")
    assert site.engine.running(site.name, HOST, INSTANCE, "web")


def test_all_databases_of_a_server_are_saved_with_its_users_whatever_they_are_called(
    site: Site, restic: Restic
) -> None:
    other = "odd, name/größe"
    site.sql(f"DROP DATABASE IF EXISTS `{other}`; CREATE DATABASE `{other}`;", "mysql")
    try:
        site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7);", other)
        instance = _asking(site, Backup(databases=(Database(service="db", kind="mariadb", all=True),)))
        made = back_up(site.engine, restic, site.name, instance, _KEEP, site.places)
        assert {dataset.name for dataset, _ in made.parts} == {"@roles", DATABASE, other}
        site.sql("DELETE FROM t", other)
        restore(site.engine, restic, site.name, instance, made, site.places)
        assert site.sql("SELECT n FROM t", other) == "7\n"
    finally:
        site.sql(f"DROP DATABASE IF EXISTS `{other}`;", "mysql")


def test_a_user_with_a_wrong_password_makes_no_backup(site: Site, restic: Restic) -> None:
    site.sql("CREATE OR REPLACE USER clerk@localhost IDENTIFIED BY 'right'", "mysql")
    try:
        wrong = Database(service="db", kind="mariadb", name=DATABASE, user="clerk")
        with pytest.raises(UserError, match="no backup of alice was made"):
            back_up(
                site.engine,
                restic,
                site.name,
                _asking(site, Backup(databases=(wrong,))),
                _KEEP,
                site.places,
            )
        assert backup_sets(restic, site.name, INSTANCE) == []
    finally:
        site.sql("DROP USER clerk@localhost", "mysql")


def test_one_command_each_backs_up_lists_and_restores(site: Site) -> None:
    def gitops(*words: str) -> str:
        with site.gitops(*words) as process:
            output, error = process.communicate()
        assert (process.returncode, error) == (0, b"")
        return output.decode()

    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7);")
    assert gitops("backup", "list") == "no backups yet\n"
    said = gitops("backup", "run", "--all")
    assert said.splitlines()[-1].startswith("alice: backup ")
    (line,) = gitops("backup", "list").splitlines()
    assert line.startswith("alice ")
    assert line.endswith(f"  database db/{DATABASE}, volume uploads")
    site.sql("DROP TABLE t;")
    assert "alice: restored to " in gitops("backup", "restore", "alice", "--snapshot", line.split()[1])
    assert site.sql("SELECT n FROM t") == "7\n"


def test_a_dump_that_dies_half_way_leaves_no_snapshot(site: Site, restic: Restic) -> None:
    with _stuck(site), site.gitops("backup", "run", INSTANCE) as process:
        _wait_until_stuck(site)
        site.execute("db", "kill", "-KILL", *site.processes("db", "mariadb-dump"))
        _, error = process.communicate()
    assert process.returncode == 1
    assert f"no backup of alice was made: database db/{DATABASE} failed".encode() in error
    assert restic.snapshots(["gitops"]) == []
    assert [one.status for one in runs(site.places, kind="backup")] == [1]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_gitops_that_dies_in_the_middle_leaves_nothing_to_restore_and_does_not_stop_the_next(
    site: Site, restic: Restic, end: signal.Signals
) -> None:
    with _stuck(site), site.gitops("backup", "run", INSTANCE) as process:
        _wait_until_stuck(site)
        process.send_signal(end)
        process.communicate()
    assert process.returncode != 0
    assert restic.snapshots(["gitops"]) == []
    with pytest.raises(UserError, match="there is no backup of alice"):
        _restore(site, restic)
    made = _back_up(site, restic)
    assert backup_sets(restic, site.name, INSTANCE) == [made]


def test_a_dump_without_its_end_is_refused_though_it_reports_no_error(site: Site, restic: Restic) -> None:
    fake = b"#!/bin/sh\n/usr/bin/mariadb-dump \"$@\" | sed '/Dump completed/d'\n"
    site.execute(
        "db",
        "sh",
        "-c",
        "cat >/usr/local/bin/mariadb-dump; chmod 755 /usr/local/bin/mariadb-dump",
        stdin=fake,
    )
    with pytest.raises(UserError, match="no backup of alice was made") as caught:
        _back_up(site, restic)
    assert "lacks its end" in str(caught.value)
    assert restic.snapshots(["gitops"]) == []


def test_a_database_that_is_not_there_or_does_not_run_makes_no_backup(site: Site, restic: Restic) -> None:
    site.sql(f"DROP DATABASE `{DATABASE}`;", "mysql")
    with pytest.raises(UserError, match="Unknown database"):
        _back_up(site, restic)
    site.engine.stop(site.container("db"))
    with pytest.raises(UserError, match="alice/db is not running"):
        _back_up(site, restic)
    assert restic.snapshots(["gitops"]) == []
    site.engine.start(site.container("db"))
    until(lambda: site.execute("db", "sh", "-c", "mariadb -e 'SELECT 1' || :"))


def test_old_sets_go_the_newest_good_one_never_and_parts_without_a_set_do(site: Site, restic: Restic) -> None:
    first = _back_up(site, restic)
    tags = common_tags(site.name, INSTANCE)
    restic.save_stream([b"cut short"], "dump", (*tags, f"dataset=mariadb/db/{DATABASE}"))
    second, third = _back_up(site, restic), _back_up(site, restic)
    assert backup_sets(restic, site.name, INSTANCE) == [second, third]
    assert len(restic.snapshots(tags)) == 6
    assert first not in (second, third)

    site.sql(f"DROP DATABASE `{DATABASE}`;", "mysql")
    for _ in range(3):
        with pytest.raises(UserError):
            _back_up(site, restic)
    assert backup_sets(restic, site.name, INSTANCE) == [second, third]
    _restore(site, restic)
    site.sql("SELECT 1")


def test_data_that_nothing_uses_is_pruned_once_a_day(site: Site, restic: Restic) -> None:
    restic.init()
    made = now() - timedelta(days=2)
    record(site.places, Run("repository", "", restic.repository, made, made, 0))
    for _ in range(2):
        _back_up(site, restic)
    assert len(runs(site.places, kind="prune")) == 1


def test_a_restore_that_cannot_read_its_backup_changes_nothing(site: Site, restic: Restic) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    _fill_uploads(site)
    made = _back_up(site, restic)
    site.sql("UPDATE t SET n = 2;")
    site.execute("web", "sh", "-c", "echo new >/srv/uploads/later")
    rows, files = _content(site), _files(site)
    for pack in (site.repository / "data").glob("*/*"):
        pack.chmod(0o600)
        pack.write_bytes(b"\0" * pack.stat().st_size)
    for cached in (site.places.cache / "restic").glob("*/data"):
        subprocess.run(["rm", "-rf", cached], check=True)
    with pytest.raises(UserError, match="alice was not restored and is as it was"):
        _restore(site, restic, made.short)
    assert (_content(site), _files(site)) == (rows, files)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_restore_cut_short_before_the_change_over_leaves_the_old(
    site: Site, restic: Restic, end: signal.Signals
) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    _fill_uploads(site)
    _back_up(site, restic)
    site.sql("UPDATE t SET n = 2;")
    rows, files = _content(site), _files(site)
    with site.gitops("backup", "restore", INSTANCE) as process:
        until(lambda: "gitops_restore" in site.sql("SHOW DATABASES"))
        process.send_signal(end)
        process.communicate()
    assert process.returncode != 0
    assert (_content(site), _files(site)) == (rows, files)
    _restore(site, restic)
    assert site.sql("SELECT n FROM t") == "1\n"


def test_a_repository_that_was_there_and_is_gone_is_not_silently_begun_anew(
    site: Site, restic: Restic
) -> None:
    time = now()
    record(site.places, Run("repository", "", restic.repository, time, time, 0))
    with pytest.raises(UserError, match="is its disk mounted"):
        _back_up(site, restic)
    assert not site.repository.exists()


def test_a_restore_waits_for_no_backup_and_says_so(site: Site, restic: Restic) -> None:
    _back_up(site, restic)
    with (
        exclusive(lock_path(site.places), "test"),
        pytest.raises(UserError, match="is in use by another gitops"),
    ):
        _restore(site, restic)


def test_a_wrong_password_is_told_with_the_file_to_mend(site: Site, restic: Restic) -> None:
    restic.init()
    restic.password_file.write_text("wrong\n")
    with site.gitops("backup", "run", INSTANCE) as process:
        _, error = process.communicate()
    assert process.returncode == 1
    assert b"does not open with the password in" in error
    assert str(restic.password_file).encode() in error


def test_a_backup_is_chosen_by_its_beginning(site: Site, restic: Restic) -> None:
    made = _back_up(site, restic)
    sets = backup_sets(restic, site.name, INSTANCE)
    assert choose(sets, INSTANCE, made.id[:4]) == choose(sets, INSTANCE, None) == made
    with pytest.raises(UserError, match="no backups of alice are called xyz"):
        choose(sets, INSTANCE, "xyz")
