"""Repositories elsewhere, full, away and shared: what was given to them comes back, whatever happens."""

import random
import threading
import time
from pathlib import Path

import pytest

from gitops.backup import insisting
from gitops.backup.care import check, prune
from gitops.system.errors import UserError
from tests.backup.proving import FAULTS, LONG, SHORT, Proving, one_of
from tests.backup.repositories import SftpRepository
from tests.database_fixtures import HOST, INSTANCE
from tests.quick_repository import make_quick
from tests.small_disk import small_disk


def test_a_rest_server_keeps_backups_also_from_a_host_that_would_remove_them(
    proving: Proving, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insisting, "PAUSES", ())
    proving.fill(SHORT)
    with proving.elsewhere(rest) as there:
        made = [there.back_up()]
        proving.change()
        made.insert(0, there.back_up())
        check(there.vault, 100, there.site.places, print)
        none = there.site.root / "hosts" / f"{HOST}.yaml"
        none.write_text(none.read_text().replace("last: 2", "daily: 0, weekly: 0, monthly: 0"))
        with pytest.raises(UserError, match="forget"):
            prune(there.vault, there.site.fleet, there.site.places, print)
        assert there.prove_again() == made


def test_a_connection_cut_at_any_moment_harms_no_backup_and_the_next_one_is_good(
    proving: Proving, sftp: SftpRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insisting, "PAUSES", ())
    proving.fill(LONG)
    with proving.elsewhere(sftp.repository) as there:
        began = time.monotonic()
        good = there.back_up()
        whole, chance = time.monotonic() - began, random.Random(1)  # noqa: S311
        for _ in range(FAULTS):
            there.change()
            cutting = threading.Timer(chance.uniform(0, whole), sftp.server.cut)
            cutting.start()
            try:
                made = there.back_up()
            except UserError as error:
                assert "restic" in str(error)  # noqa: PT017  # whether the cut comes in time is left to chance
            else:
                assert made.complete
            cutting.cancel()
            cutting.join()
            sftp.server.away = False
            there.wait_for_the_end()
            there.prove()
        after = there.back_up()
        found = there.prove_again()
        assert (found[0], found[-1]) == (after, good)


def test_a_connection_that_comes_back_is_waited_for(
    proving: Proving, sftp: SftpRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insisting, "PAUSES", (1.0, 1.0))
    proving.fill(SHORT)
    with proving.elsewhere(sftp.repository) as there:
        good = there.back_up()
        said: list[str] = []

        def tell(line: str) -> None:
            said.append(line)
            if len(said) == 1:
                sftp.server.cut()
            elif "trying again" in line:
                sftp.server.away = False

        made = there.back_up(tell)
        assert any(line.endswith("trying again in 1 s") for line in said)
        assert there.prove() == [made, good]


@pytest.mark.parametrize("each_restic", one_of("bookworm"), indirect=True)
def test_a_repository_that_has_no_room_keeps_what_it_has_and_says_so(
    proving: Proving, tmp_path: Path, each_restic: str
) -> None:
    proving.fill(LONG)
    with (
        small_disk(tmp_path / "disk", 150) as disk,
        proving.elsewhere(str(disk.root / "repository")) as there,
    ):
        make_quick(disk.root / "repository")
        good = there.back_up()
        chance = random.Random(each_restic)  # noqa: S311
        for _ in range(FAULTS):
            there.change("TRUE")
            disk.fill()
            disk.leave(chance.randrange(8_000_000))
            with pytest.raises(UserError, match="no room left"):
                there.back_up()
            disk.free()
            assert there.prove_again() == [good]
        prune(there.vault, there.site.fleet, there.site.places, print)
        after = there.back_up()
        assert there.prove_again() == [after, good]


def test_hosts_that_save_into_and_prune_one_repository_at_once_get_along(
    proving: Proving, tmp_path: Path
) -> None:
    proving.fill(LONG)
    good, site, other = proving.back_up(), proving.site, "web2"
    definition = (site.root / "hosts" / f"{HOST}.yaml").read_text()
    (site.root / "hosts" / f"{other}.yaml").write_text(definition.replace("{alice: ", "{bob: "))
    config = tmp_path / "other/etc/gitops"
    config.mkdir(parents=True)
    (config / "restic-password").write_bytes((site.places.config / "restic-password").read_bytes())
    for _ in range(FAULTS):
        proving.change()
        saving = site.gitops("backup", "run", INSTANCE, "--host", HOST)
        pruning = site.gitops("backup", "prune", "--host", other, GITOPS_ROOT=str(tmp_path / "other"))
        for process in (saving, pruning):
            output, error = process.communicate()
            assert (process.returncode, error) == (0, b""), output
    found = proving.prove_again()
    assert len(found) == FAULTS + 1
    assert found[-1] == good
