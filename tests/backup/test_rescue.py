"""On a rescue system restic alone brings everything back, by the commands that docs/backups.md gives."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitops.backup.asked import asked
from gitops.backup.run import back_up
from gitops.backup.vault import open_vault
from gitops.fleet.backups import Backup, Database, VolumeCopy
from tests.backup.test_run import asking
from tests.database_fixtures import DATABASE, HOST, Site

_DOCUMENT = Path(__file__).parents[2] / "docs" / "backups.md"


def _documented() -> list[str]:
    """Give the shell commands of the chapter, line by line."""
    chapter = _DOCUMENT.read_text().partition("\n## Without gitops\n")[2].partition("\n## ")[0]
    return [line for block in re.findall(r"```\n(.*?)```", chapter, re.DOTALL) for line in block.splitlines()]


def _command(beginning: str) -> str:
    (found,) = (line for line in _documented() if line.startswith(beginning))
    return found


def _shell(command: str, directory: Path, **variables: str) -> bytes:
    """Run a command as somebody would who has nothing but restic and a shell."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), **variables}
    done = subprocess.run(
        ["sh", "-c", command], cwd=directory, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_restic_alone_brings_back_everything_of_a_backup(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sql("CREATE TABLE t (n INT, data LONGBLOB); INSERT INTO t VALUES (4711, RANDOM_BYTES(1000));")
    site.sql("CREATE TABLE long_one SELECT REPEAT(SHA2(RAND(), 512), 9000) AS t FROM seq_1_to_8;")
    script = (
        "cd /srv/uploads; mkdir a; head -c 300000 /dev/urandom >a/photo; ln -s a/photo link; chmod 2750 ."
    )
    site.execute("web", "sh", "-c", script)
    databases = (Database(service="db", kind="mariadb", all=True),)
    instance = asking(site, Backup(databases=databases, volumes=(VolumeCopy(name="uploads"),)))
    monkeypatch.setattr("gitops.backup.dumping.STAGED", 1 << 20)
    with open_vault(site.fleet, HOST, site.places) as vault:
        (made,) = back_up(vault, site.engine, [asked(instance)], site.places)
    assert made.complete
    rows = site.sql("SELECT n, SHA2(data, 256) FROM t; SELECT SHA2(t, 256) FROM long_one;")

    rescue = tmp_path / "rescue"
    rescue.mkdir()
    password = (site.places.config / "restic-password").read_text()
    (rescue / "restic-password").write_text(password)
    opened = {
        "RESTIC_REPOSITORY": str(site.repository),
        "RESTIC_PASSWORD_FILE": str(rescue / "restic-password"),
        "HOST": HOST,
    }
    assert all(f"{name}=" in _command("export ") for name in opened)
    assert made.short.encode() in _shell(_command("restic snapshots"), rescue, **opened)
    told = json.loads(_shell(_command("restic dump --host"), rescue, **opened))
    (alice,) = told["sets"]
    assert (told["version"], alice["instance"], alice["failed"]) == (1, "alice", [])
    assert {part["name"] for part in alice["parts"]} == {"@roles", DATABASE, "uploads"}
    assert len({part["snapshot"] for part in alice["parts"]}) == 2  # the long dump has its own

    for part in alice["parts"]:
        wanted = {**opened, "SNAPSHOT": part["snapshot"], "WHERE": part["path"]}
        _bring_back(site, part, rescue, wanted)
    assert site.sql("SELECT n, SHA2(data, 256) FROM t; SELECT SHA2(t, 256) FROM long_one;", "rescued") == rows
    site.sql("DROP DATABASE rescued;", "mysql")


def _bring_back(site: Site, part: dict[str, Any], rescue: Path, wanted: dict[str, str]) -> None:
    if part["kind"] == "volume":
        _shell(_command("restic restore").replace("/mnt", str(rescue)), rescue, **wanted)
        restored = rescue / part["path"].lstrip("/")
        subprocess.run(["diff", "-r", "--no-dereference", site.uploads, restored], check=True)
        assert restored.stat().st_mode == site.uploads.stat().st_mode
        return
    _shell(_command('restic dump "$SNAPSHOT"'), rescue, **wanted)
    dump = (rescue / "dump").read_bytes()
    assert len(dump) == part["size"]
    if part["name"] == DATABASE:
        site.sql("DROP DATABASE IF EXISTS rescued; CREATE DATABASE rescued;", "mysql")
        site.execute("db", "mariadb", "rescued", stdin=dump)
