"""A repository that is cared for: checked bit by bit, pruned, mounted, and freed of the locks of the dead."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from gitops.backup import insisting
from gitops.backup.care import check, next_part, prune
from gitops.backup.insisting import insist
from gitops.backup.mounting import mount
from gitops.backup.refusals import LockedError
from gitops.backup.repository import make_sure_of, open_repository
from gitops.backup.sets import MANIFEST, BackupSet, Dataset, Part, manifest_text
from gitops.backup.vault import Vault
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.report.history import Run, record, runs
from gitops.system.errors import UserError
from gitops.system.places import Places
from tests.backup.repositories import debian_programs
from tests.database_fixtures import until

_NIGHT = datetime(2026, 3, 10, 3, 15, tzinfo=UTC)
_DATABASE = Dataset("mariadb", "db", "shop")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Two hosts that share a repository, and an app of which two sets stay."""
    files = {
        "fleet.yaml": "name: shops\narchives: {here: {mirror: 'http://example.org', suites: [stable]}}\n",
        "images/server.yaml": "from: scratch\narchive: here\n",
        "apps/shop.yaml": "services: {db: {image: server}}\n"
        "backup: {databases: [{service: db, kind: mariadb, name: shop}],"
        " keep: {last: 2, daily: 0, weekly: 0, monthly: 0}}\n",
    }
    for host, instance in (("web1", "alice"), ("web2", "bob")):
        files[f"hosts/{host}.yaml"] = (
            f"backup: {{repository: '{tmp_path}/repository'}}\ninstances: {{{instance}: {{app: shop}}}}\n"
        )
    for name, text in files.items():
        (tmp_path / "fleet" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fleet" / name).write_text(text)
    return load(tmp_path / "fleet")


@pytest.fixture
def vault(fleet: Fleet, tmp_path: Path) -> Vault:
    """The backups of web1; its repository is there."""
    return _vault(fleet, tmp_path, "web1")


def _vault(fleet: Fleet, root: Path, host: str) -> Vault:
    places = Places(*(root / host / name for name in ("config", "state", "cache", "runtime", "cron")))
    places.config.mkdir(parents=True)
    (places.config / "restic-password").write_text("shared\n")
    restic = open_repository(fleet, host, places)
    make_sure_of(restic, places)
    return Vault(restic, fleet.settings.name, host, places)


def _save(vault: Vault, instance: str, time: datetime, content: bytes = b"", **fields: object) -> BackupSet:
    """Save a set as a run does; `fields` are other ones of the set."""
    run = secrets.token_hex(8)
    tags = (*vault.tags, f"run={run}")
    data = content or secrets.token_bytes(100_000)
    saved = vault.restic.save_stream([data], "/dump", tags)
    part = Part(_DATABASE, saved.snapshot, "/dump", len(data), "")
    made = replace(BackupSet("", run, vault.fleet, vault.host, instance, time, (part,)), **fields)  # type: ignore[arg-type]  # a test names its own
    vault.restic.save_stream([manifest_text([made])], f"/{MANIFEST}", (*tags, "set"))
    return next(one for one in vault.sets(instance, safety=None) if one.run == run)


@contextmanager
def _working(vault: Vault) -> Iterator[subprocess.Popen[bytes]]:
    """Let another restic work on the repository, in the middle of a backup."""
    env = {**os.environ, **vault.restic.environment, "RESTIC_REPOSITORY": vault.restic.repository}
    words = ["restic", "backup", "--stdin", "--quiet", "--host", "elsewhere"]
    with subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: list((Path(vault.restic.repository) / "locks").iterdir()))
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("share", [1, 3, 5, 7, 50, 60, 100])
def test_in_time_all_of_the_data_are_read(share: int) -> None:
    seen, said = [], ""
    for _ in range(100 // share):
        number, parts = next_part(said, share) or (0, 0)
        seen.append(number)
        said = f"read part {number} of {parts} of the data"
    assert seen == list(range(1, parts + 1))
    assert parts <= 256, "restic knows no more parts"
    assert next_part(said, share) == (1, parts)


def test_another_share_goes_on_where_the_last_one_was() -> None:
    assert next_part("read part 10 of 20 of the data", 10) == (6, 10)
    assert next_part("read part 5 of 10 of the data", 5) == (11, 20)
    assert next_part("read no data", 25) == (1, 4)
    assert next_part("read part 3 of 4 of the data", 0) is None


def test_a_check_reads_another_part_each_time_and_says_so(vault: Vault) -> None:
    _save(vault, "alice", _NIGHT)
    said: list[str] = []
    for _ in range(3):
        check(vault, 50, vault.places, said.append)
    assert [line.partition(", reading ")[2] for line in said] == [
        "part 1 of 2 of the data",
        "part 2 of 2 of the data",
        "part 1 of 2 of the data",
    ]
    assert [one.status for one in runs(vault.places, kind="check")] == [0, 0, 0]


def test_damage_is_found_by_the_time_all_parts_were_read_and_told_until_it_is_mended(
    vault: Vault, each_restic: str
) -> None:
    assert each_restic
    _save(vault, "alice", _NIGHT, secrets.token_bytes(3_000_000))
    (pack,) = (path for path in Path(vault.restic.repository, "data").rglob("*") if _is_large(path))
    pack.chmod(0o600)
    with pack.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\0\0\0")
    found = []
    for _ in range(2):
        try:
            check(vault, 50, vault.places, lambda _: None)
        except UserError as error:
            found.append(str(error))
    assert "is damaged" in found[0]
    assert pack.name[:8] in found[0]
    newest = runs(vault.places, kind="check")[0]
    assert newest.status, "a part that was bad is read again"
    assert "is damaged" in newest.detail


def _is_large(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 500_000


def test_what_need_not_stay_is_forgotten_and_its_space_given_back(
    vault: Vault, fleet: Fleet, each_restic: str
) -> None:
    assert each_restic
    made = [_save(vault, "alice", _NIGHT + timedelta(days=day)) for day in range(4)]
    vault.restic.save_stream([b"cut short"], "/dump", (*vault.tags, "run=cut-short"))
    before = _size(vault)
    prune(vault, fleet, vault.places, lambda _: None)
    assert vault.sets() == made[:1:-1]
    assert len(vault.restic.snapshots(vault.tags)) == 4
    assert _size(vault) < before
    for one in made[2:]:
        assert sum(map(len, vault.read(one.parts[0]))) == 100_000
    assert [(one.status, one.detail) for one in runs(vault.places, kind="prune")] == [(0, "2 runs forgotten")]


def _size(vault: Vault) -> int:
    found = Path(vault.restic.repository, "data").rglob("*")
    return sum(path.stat().st_size for path in found if path.is_file())


def test_hosts_that_share_a_repository_never_see_or_prune_each_other(
    vault: Vault, fleet: Fleet, tmp_path: Path
) -> None:
    other = _vault(fleet, tmp_path, "web2")
    mine = [_save(vault, "alice", _NIGHT + timedelta(days=day)) for day in range(3)]
    theirs = [_save(other, "bob", _NIGHT + timedelta(days=day)) for day in range(3)]
    assert len({vault.restic.snapshots(["gitops"])[0].id, other.restic.snapshots(["gitops"])[0].id}) == 2
    prune(vault, fleet, vault.places, lambda _: None)
    assert vault.sets() == mine[:0:-1]
    assert other.sets() == theirs[::-1]
    for one in theirs:
        assert sum(map(len, other.read(one.parts[0]))) == 100_000


def test_the_lock_of_a_restic_that_died_goes_and_that_is_said(vault: Vault, each_restic: str) -> None:
    assert each_restic
    with _working(vault) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        said: list[str] = []
        insist(vault.restic.prune, vault.restic, said.append)
    (line,) = said
    assert line.startswith(f"PID {process.pid} on ")
    assert line.endswith(" has died or ended; its lock is gone")


def test_a_restic_that_lives_is_waited_for_and_then_named(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insisting, "PAUSES_LOCKED", (0.1, 0.1))
    said: list[str] = []
    with _working(vault) as process:
        with pytest.raises(LockedError, match=f"is locked by PID {process.pid} on"):
            insist(vault.restic.prune, vault.restic, said.append)
        assert process.poll() is None, "a living one is left alone"
    assert len(said) == 2
    assert all(f"PID {process.pid} on" in line for line in said)


@pytest.mark.parametrize("kind", ["check", "prune"])
def test_a_repository_that_is_away_is_told_and_remembered(
    vault: Vault, fleet: Fleet, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insisting, "PAUSES", (0.1,))
    Path(vault.restic.repository).rename(Path(vault.restic.repository).with_name("away"))
    said: list[str] = []
    verbs = {
        "check": partial(check, vault, 5, vault.places, said.append),
        "prune": partial(prune, vault, fleet, vault.places, said.append),
    }
    with pytest.raises(UserError, match="is gone, and it was there before"):
        verbs[kind]()
    assert said[-1].endswith("; trying again in 0.1 s")
    (bad,) = (one for one in runs(vault.places, kind=kind) if one.status)
    assert "is gone, and it was there before" in bad.detail


def test_backups_are_shown_as_files_until_ctrl_c(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each_restic: str
) -> None:
    monkeypatch.setenv("PATH", str(debian_programs("bookworm", "fuse3")), prepend=":")
    assert each_restic
    _save(vault, "alice", _NIGHT, b"dumped")
    place = tmp_path / "here"
    place.mkdir()
    words = ("backup", "mount", place, "--host", "web1", "--fleet", tmp_path / "fleet")
    with subprocess.Popen(
        [sys.executable, "-m", "gitops", *words],
        env=_environment(vault),
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


def _environment(vault: Vault) -> dict[str, str]:
    """Give the environment in which gitops finds the places of the vault."""
    kept = ("config", "state", "cache", "runtime", "cron")
    return {**os.environ, **{f"GITOPS_{name.upper()}": str(getattr(vault.places, name)) for name in kept}}


def test_a_list_says_of_each_set_what_is_in_it_or_what_failed_and_when_one_was_proved(
    vault: Vault, tmp_path: Path
) -> None:
    good = _save(vault, "alice", _NIGHT)
    bad = _save(vault, "alice", _NIGHT + timedelta(days=1), parts=(), failed=((_DATABASE, "it is away"),))
    kept = _save(vault, "alice", _NIGHT + timedelta(days=2), safety=True)
    other = _save(vault, "carol", _NIGHT)
    noon = _NIGHT + timedelta(hours=9)
    record(vault.places, Run("drill", "alice", "", noon, noon, 0, good.short))

    def told(*words: str) -> str:
        verb = [sys.executable, "-m", "gitops", "backup", "list", *words, "--host", "web1"]
        fleet = ("--fleet", str(tmp_path / "fleet"))
        return subprocess.run(
            [*verb, *fleet], env=_environment(vault), check=True, capture_output=True, text=True
        ).stdout

    assert told().splitlines() == [
        f"alice {good.short} 2026-03-10T03:15:00Z 100 kB  database db/shop",
        f"alice {bad.short} 2026-03-11T03:15:00Z 0 B  failed: database db/shop: it is away",
        f"alice {kept.short} 2026-03-12T03:15:00Z 100 kB  kept by a restore: database db/shop",
        "alice: last proved by a drill at 2026-03-10T12:15:00Z",
        f"carol {other.short} 2026-03-10T03:15:00Z 100 kB  database db/shop",
        "carol: no drill has proved any",
    ]
    found = json.loads(told("alice", "--json"))
    assert [(one["id"], one["complete"], one["safety"]) for one in found] == [
        (good.id, True, False),
        (bad.id, False, False),
        (kept.id, True, True),
    ]
    assert found[0]["datasets"] == [
        {"name": "database db/shop", "size": 100_000, "snapshot": good.parts[0].snapshot, "path": "/dump"}
    ]
    assert {one["proved"] for one in found} == {"2026-03-10T12:15:00Z"}


def test_what_a_mount_lacks_is_named(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="fusermount is missing") as caught:
        mount(vault, tmp_path)
    assert "apt install fuse3" in str(caught.value)
    (tmp_path / "fusermount").touch(mode=0o755)
    with pytest.raises(UserError, match="is not a directory"):
        mount(vault, tmp_path / "none")
