"""Backups that are looked at: listed, and mounted as files."""

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gitops.backup.mounting import mount
from gitops.backup.vault import Vault
from gitops.report.history import Run, record
from gitops.system.errors import UserError
from tests.backup.repositories import debian_programs
from tests.backup.saved import DATABASE, NIGHT, environment, save, two_hosts, vault_of
from tests.database_fixtures import until


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_of(two_hosts(tmp_path), tmp_path, "web1")


def test_a_list_says_of_each_set_what_is_in_it_or_what_failed_and_when_one_was_proved(
    vault: Vault, tmp_path: Path
) -> None:
    good = save(vault, "alice", NIGHT)
    bad = save(vault, "alice", NIGHT + timedelta(days=1), parts=(), failed=((DATABASE, "it is away"),))
    kept = save(vault, "alice", NIGHT + timedelta(days=2), safety=True)
    other = save(vault, "carol", NIGHT)
    noon = NIGHT + timedelta(hours=9)
    record(vault.places, Run("drill", "alice", "", noon, noon, 0, good.short))

    def told(*words: str) -> str:
        verb = [sys.executable, "-m", "gitops", "backup", "list", *words, "--host", "web1"]
        fleet = ("--fleet", str(tmp_path / "fleet"))
        return subprocess.run(
            [*verb, *fleet],
            env={**environment(vault), "TZ": "UTC"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert told().splitlines() == [
        "instance  backup    when                     size    what",
        f"alice     {good.short}  2026-03-10 03:15:00 UTC  100 kB  database db/shop",
        f"alice     {bad.short}  2026-03-11 03:15:00 UTC  0 B     failed: database db/shop: it is away",
        f"alice     {kept.short}  2026-03-12 03:15:00 UTC  100 kB  kept by a restore: database db/shop",
        f"carol     {other.short}  2026-03-10 03:15:00 UTC  100 kB  database db/shop",
        "alice: last proved by a drill at 2026-03-10 12:15:00 UTC",
        "carol: no drill has proved any",
    ]
    found = json.loads(told("alice", "--json"))["backups"]
    assert [(one["id"], one["complete"], one["safety"]) for one in found] == [
        (good.id, True, False),
        (bad.id, False, False),
        (kept.id, True, True),
    ]
    assert found[0]["datasets"] == [
        {"name": "database db/shop", "size": 100_000, "snapshot": good.parts[0].snapshot, "path": "/dump"}
    ]
    assert {one["proved"] for one in found} == {"2026-03-10T12:15:00Z"}


def test_backups_are_shown_as_files_until_ctrl_c(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each_restic: str
) -> None:
    monkeypatch.setenv("PATH", str(debian_programs("bookworm", "fuse3")), prepend=":")
    assert each_restic
    save(vault, "alice", NIGHT, b"dumped")
    place = tmp_path / "here"
    place.mkdir()
    words = ("backup", "mount", place, "--host", "web1", "--fleet", tmp_path / "fleet")
    with subprocess.Popen(
        [sys.executable, "-m", "gitops", *words],
        env=environment(vault),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            until(lambda: process.poll() is not None or list(place.iterdir()))
            files = [path.read_bytes() for path in place.glob("ids/*/dump")]
        finally:
            process.send_signal(signal.SIGINT)
            _, error = process.communicate()
    assert (process.returncode, error) == (0, b"")
    assert files == [b"dumped"]
    assert not place.is_mount()


def test_what_a_mount_lacks_is_named(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="fusermount is missing") as caught:
        mount(vault, tmp_path)
    assert "apt install fuse3" in str(caught.value)
    (tmp_path / "fusermount").touch(mode=0o755)
    with pytest.raises(UserError, match="is not a directory"):
        mount(vault, tmp_path / "none")
