"""Restored for real: everything comes back as it was; and what cannot be restored stays as it is."""

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitops.backup.asked import asked
from gitops.backup.databases import Login, mariadb
from gitops.backup.restore import Wish, restore
from gitops.backup.run import back_up, lock_path
from gitops.backup.sets import BackupSet
from gitops.backup.vault import Vault, open_vault
from gitops.fleet.backups import Backup, Database
from gitops.report.history import runs
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from tests.database_fixtures import DATABASE, HOST, INSTANCE, Site, until

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
def vault(site: Site) -> Iterator[Vault]:
    with open_vault(site.fleet, HOST, site.places) as opened:
        yield opened


def _back_up(site: Site, vault: Vault) -> BackupSet:
    (made,) = back_up(vault, site.engine, [asked(site.instance)], site.places)
    assert made.complete, made.failed
    return made


def _restore(site: Site, vault: Vault, chosen: BackupSet, *only: str, safety: bool = False) -> list[str]:
    """Restore, and give what was told meanwhile."""
    said: list[str] = []
    wish = Wish(site.instance, chosen, only=only, safety=safety)
    restore(vault, site.engine, wish, site.places, tell=said.append)
    return said


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


def _nothing_left(site: Site) -> bool:
    """Tell whether a restore has left nothing beside, and no journal."""
    return (
        "gitops" not in site.sql("SHOW DATABASES", "mysql")
        and [path.name for path in site.uploads.parent.iterdir()] == ["_data"]
        and not list((site.places.state / "restore").glob("*"))
        and not list((site.places.runtime / "held").glob("*"))
    )


def test_rows_and_files_come_back_as_they_were_and_so_does_what_was_there_before(
    site: Site, vault: Vault
) -> None:
    site.sql(f"ALTER DATABASE `{DATABASE}` CHARACTER SET latin1 COLLATE latin1_german1_ci;")
    site.sql(_TROUBLE)
    _fill_uploads(site)
    rows, files = _content(site), _files(site)
    made = _back_up(site, vault)

    site.sql("DROP VIEW `a view`; DELETE FROM counted; CREATE TABLE later (n INT);")
    site.execute("web", "sh", "-c", "cd /srv/uploads; rm -rf 2025; echo new >later; chmod 0777 .")
    rows_before, files_before = _content(site), _files(site)
    said = _restore(site, vault, made, safety=True)
    assert (_content(site), _files(site)) == (rows, files)
    assert site.sql("CALL twice(21); SELECT thrice(14); SELECT * FROM `a view`;").split() == ["42", "42", "2"]
    site.sql("INSERT INTO `parent` VALUES (3, 'the trigger works')")
    assert site.sql("SELECT n FROM counted") == "1\n"
    assert _nothing_left(site)

    (kept,) = vault.sets(INSTANCE, safety=True)
    assert f"alice: what was there is kept as {kept.short}" in said
    assert vault.sets(INSTANCE) == [made]
    _restore(site, vault, vault.choose(INSTANCE, wanted=kept.short))
    assert (_content(site), _files(site)) == (rows_before, files_before)
    assert [(one.kind, one.status, one.detail) for one in runs(site.places, instance=INSTANCE)] == [
        ("restore", 0, kept.short),
        ("restore", 0, made.short),
        ("backup", 0, made.short),
    ]


def test_a_database_that_is_gone_and_an_empty_volume_come_back_and_there_was_nothing_to_keep(
    site: Site, vault: Vault
) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7);")
    _fill_uploads(site)
    rows, files = _content(site), _files(site)
    made = _back_up(site, vault)
    site.sql(f"DROP DATABASE `{DATABASE}`;", "mysql")
    site.execute("web", "sh", "-c", "rm -rf /srv/uploads/*")
    _restore(site, vault, made, safety=True)
    assert (_content(site), _files(site)) == (rows, files)
    assert vault.sets(INSTANCE, safety=True) == []


def test_of_what_is_there_only_what_changes_is_kept(site: Site, vault: Vault) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7);")
    _fill_uploads(site)
    made = _back_up(site, vault)
    site.sql("UPDATE t SET n = 8")
    _restore(site, vault, made, f"db/{DATABASE}", safety=True)
    (kept,) = vault.sets(INSTANCE, safety=True)
    assert [str(part.dataset) for part in kept.parts] == [f"database db/{DATABASE}"]
    assert site.sql("SELECT n FROM t") == "7\n"


def test_all_databases_of_a_server_come_back_with_its_users_and_are_kept_before(
    site: Site, vault: Vault
) -> None:
    other = "odd, name/größe"
    everything = Backup(databases=(Database(service="db", kind="mariadb", all=True),))
    instance = replace(
        site.instance, definition=site.instance.definition.model_copy(update={"backup": everything})
    )
    site.sql(f"CREATE OR REPLACE DATABASE `{other}`; CREATE OR REPLACE USER clerk@localhost;", "mysql")
    try:
        site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7);", other)
        site.sql(f"GRANT SELECT ON `{other}`.* TO clerk@localhost", "mysql")
        (made,) = back_up(vault, site.engine, [asked(instance)], site.places)
        site.sql("UPDATE t SET n = 8", other)
        site.sql("DROP USER clerk@localhost", "mysql")
        restore(vault, site.engine, Wish(instance, made), site.places)
        assert site.sql("SELECT n FROM t", other) == "7\n"
        assert "odd, name" in site.sql("SHOW GRANTS FOR clerk@localhost", "mysql")
        (kept,) = vault.sets(INSTANCE, safety=True)
        assert {part.dataset for part in kept.parts} == {part.dataset for part in made.parts}
        restore(vault, site.engine, Wish(instance, kept, safety=False), site.places)
        assert site.sql("SELECT n FROM t", other) == "8\n"
    finally:
        site.sql(f"DROP DATABASE IF EXISTS `{other}`; DROP USER IF EXISTS clerk@localhost;", "mysql")


def test_one_dataset_is_restored_alone(site: Site, vault: Vault) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    _fill_uploads(site)
    files, made = _files(site), _back_up(site, vault)
    site.sql("UPDATE t SET n = 2;")
    site.execute("web", "sh", "-c", "rm -rf /srv/uploads/2025")
    _restore(site, vault, made, "volume/uploads")
    assert (site.sql("SELECT n FROM t"), _files(site)) == ("2\n", files)


def test_an_unknown_dataset_is_answered_with_those_that_there_are(site: Site, vault: Vault) -> None:
    made = _back_up(site, vault)
    with pytest.raises(UserError, match="this backup has nothing called db/shop") as caught:
        _restore(site, vault, made, "db/shop", "volume/uploads")
    assert f"there are: db/{DATABASE}, volume/uploads" in str(caught.value)


def test_a_restore_that_cannot_read_its_backup_changes_nothing(site: Site, vault: Vault) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    _fill_uploads(site)
    made = _back_up(site, vault)
    site.sql("UPDATE t SET n = 2;")
    site.execute("web", "sh", "-c", "echo new >/srv/uploads/later")
    rows, files = _content(site), _files(site)
    for pack in (site.repository / "data").glob("*/*"):
        pack.chmod(0o600)
        pack.write_bytes(b"\0" * pack.stat().st_size)
    for cached in (site.places.cache / "restic").glob("*/data"):
        subprocess.run(["rm", "-rf", cached], check=True)
    with pytest.raises(UserError, match="alice was not restored and is as it was"):
        _restore(site, vault, made)
    assert (_content(site), _files(site)) == (rows, files)
    assert _nothing_left(site)
    assert [one.status for one in runs(site.places, kind="restore")] == [1]


def test_what_cannot_be_kept_is_not_replaced_unless_somebody_says_so(site: Site, vault: Vault) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    made = _back_up(site, vault)
    site.sql("CREATE TABLE gone (n INT); CREATE VIEW broken AS SELECT n FROM gone; DROP TABLE gone;")
    with pytest.raises(UserError, match="what alice has now cannot be kept") as caught:
        _restore(site, vault, made, safety=True)
    assert "alice was not restored and is as it was" in str(caught.value)
    assert "broken" in site.sql("SHOW TABLES")
    assert vault.choose(INSTANCE) == made
    _restore(site, vault, made)
    assert site.sql("SHOW TABLES") == "t\n"


def test_what_is_missing_is_told_all_at_once_with_the_way_to_have_it(site: Site, vault: Vault) -> None:
    made = _back_up(site, vault)
    site.engine.stop(site.container("db"))
    site.engine.rename(site.container("db"), "away")
    try:
        with pytest.raises(UserError, match=r"alice/db is not running\n.*gitops apply"):
            _restore(site, vault, made)
    finally:
        site.engine.rename("away", site.container("db"))
        site.engine.start(site.container("db"))
        until(lambda: site.execute("db", "sh", "-c", "mariadb -e 'SELECT 1' || :"))


def test_a_restore_waits_for_no_backup_and_says_so(site: Site, vault: Vault) -> None:
    made = _back_up(site, vault)
    with (
        exclusive(lock_path(site.places), "test"),
        pytest.raises(UserError, match="is in use by another gitops"),
    ):
        _restore(site, vault, made)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_restore_cut_short_before_the_change_over_leaves_the_old(
    site: Site, vault: Vault, end: signal.Signals
) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (1);")
    _fill_uploads(site)
    made = _back_up(site, vault)
    site.sql("UPDATE t SET n = 2;")
    rows, files = _content(site), _files(site)
    with site.gitops("backup", "restore", INSTANCE) as process:
        until(lambda: "gitops_restore" in site.sql("SHOW DATABASES"))
        process.send_signal(end)
        output, _ = process.communicate()
    assert process.returncode != 0
    assert (_content(site), _files(site)) == (rows, files)
    if end == signal.SIGINT:
        assert b"alice was not restored and is as it was" in output
        assert _nothing_left(site)
    said = _restore(site, vault, made)
    if end == signal.SIGKILL:
        assert "alice: a restore that was cut short is undone; it is as it was" in said
    assert site.sql("SELECT n FROM t") == "1\n"
    assert _nothing_left(site)


def test_one_command_restores_an_instance_or_all_to_a_time_or_a_backup(site: Site) -> None:
    def gitops(*words: str, status: int = 0) -> str:
        with site.gitops("backup", *words) as process:
            output, error = process.communicate()
        assert process.returncode == status, error
        return (output + error).decode()

    def numbered(number: int) -> str:
        site.sql(f"CREATE OR REPLACE TABLE t SELECT {number} AS n")
        return str(re.findall("backup ([0-9a-f]{8}) is complete", gitops("run", INSTANCE))[0])

    first, second = numbered(1), numbered(2)
    for words, number in (
        ((INSTANCE, "--snapshot", first), 1),
        (("--all", "--at", "2100-01-01", "--without-safety"), 2),
    ):
        site.sql("DROP TABLE t")
        said = gitops("restore", *words)
        assert f"(backup {first if number == 1 else second})" in said
        assert site.sql("SELECT n FROM t") == f"{number}\n"
    said = gitops("restore", INSTANCE, "--only", "volume/uploads", "--only", f"db/{DATABASE}")
    assert re.search(r"^alice: services stood still for \d+\.\d s$", said, re.MULTILINE)
    assert "web1 runs no instance bob" in gitops("restore", INSTANCE, "--to", "bob", status=1)
    too_old = gitops("restore", INSTANCE, "--at", "2000-01-01T00:00:00Z", status=1)
    assert "there is no backup of alice as old as 2000-01-01T00:00:00Z" in too_old
    assert "name an instance, or say --all" in gitops("restore", status=2)
