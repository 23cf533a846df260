"""A repository that is cared for: checked bit by bit, pruned, and freed of the locks of the dead."""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from gitops.backup import insisting
from gitops.backup.care import check, next_part, prune
from gitops.backup.insisting import insist
from gitops.backup.refusals import LockedError
from gitops.backup.vault import Vault
from gitops.fleet.fleet import Fleet
from gitops.report.history import runs
from gitops.system.errors import UserError
from tests.backup.saved import NIGHT, save, two_hosts, vault_of
from tests.database_fixtures import until

_ID = 64
"""Characters of a lock's name; until then it has another."""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return two_hosts(tmp_path)


@pytest.fixture
def vault(fleet: Fleet, tmp_path: Path) -> Vault:
    return vault_of(fleet, tmp_path, "web1")


@contextmanager
def _working(vault: Vault) -> Iterator[subprocess.Popen[bytes]]:
    """Let another restic work on the repository, in the middle of a backup."""
    env = {**os.environ, **vault.restic.environment, "RESTIC_REPOSITORY": vault.restic.repository}
    words = ["restic", "backup", "--stdin", "--quiet", "--host", "elsewhere"]
    with subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            locks = Path(vault.restic.repository) / "locks"
            until(lambda: any(len(path.name) == _ID for path in locks.iterdir()))  # the lock, all of it
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
    save(vault, "alice", NIGHT)
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
    save(vault, "alice", NIGHT, secrets.token_bytes(3_000_000))
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
    made = [save(vault, "alice", NIGHT + timedelta(days=day)) for day in range(4)]
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
    other = vault_of(fleet, tmp_path, "web2")
    mine = [save(vault, "alice", NIGHT + timedelta(days=day)) for day in range(3)]
    theirs = [save(other, "bob", NIGHT + timedelta(days=day)) for day in range(3)]
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
