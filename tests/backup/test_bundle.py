"""Dumps and volumes of all instances of a run go into one snapshot; each of them can fail alone."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.backup.answers import Saved, has_vanished, saved, why_unread
from gitops.backup.asked import asked
from gitops.backup.bundle import Bundle
from gitops.backup.run import back_up
from gitops.backup.sets import BackupSet
from gitops.backup.vault import Vault, open_vault
from gitops.engine.specification import VolumeSpec
from gitops.fleet.backups import Backup, VolumeCopy
from gitops.fleet.fleet import Instance
from gitops.system.errors import UserError
from gitops.system.run import run
from tests.database_fixtures import HOST, INSTANCE, Site
from tests.small_disk import small_disk


@pytest.fixture
def vault(site: Site) -> Iterator[Vault]:
    with open_vault(site.fleet, HOST, site.places) as opened:
        yield opened


@pytest.fixture
def bob(site: Site) -> Instance:
    """An instance that has a volume and nothing else."""
    volume = f"{site.name}.bob.uploads"
    site.engine.ensure_volume(VolumeSpec(volume, "bob", "uploads"), site.name, HOST)
    run(["find", site.engine.volume_path(volume), "-mindepth", "1", "-delete"])
    backup = Backup(volumes=(VolumeCopy(name="uploads"),))
    instance = site.instance
    return replace(instance, name="bob", definition=instance.definition.model_copy(update={"backup": backup}))


def _directory(site: Site, instance: str) -> Path:
    return site.engine.volume_path(f"{site.name}.{instance}.uploads")


def _back_up(site: Site, vault: Vault, *instances: Instance) -> list[BackupSet]:
    return back_up(vault, site.engine, [asked(one) for one in instances], site.places)


def _parent(vault: Vault, made: BackupSet) -> str:
    """Give the snapshot that restic compared a set's volume with."""
    environment = {**os.environ, **vault.restic.environment, "RESTIC_REPOSITORY": vault.restic.repository}
    told = subprocess.run(
        ["restic", "cat", "snapshot", made.parts[-1].snapshot],
        env=environment,
        capture_output=True,
        check=True,
    )
    return str(json.loads(told.stdout).get("parent", ""))


def test_instances_of_a_run_share_snapshots_and_one_manifest(site: Site, vault: Vault, bob: Instance) -> None:
    (_directory(site, "bob") / "his").write_text("bob's")
    (_directory(site, INSTANCE) / "hers").write_text("alice's")
    alices, bobs = _back_up(site, vault, site.instance, bob)
    assert alices.complete
    assert bobs.complete
    assert alices.id == bobs.id
    assert len({part.snapshot for part in (*alices.parts, *bobs.parts)}) == 1
    assert len(vault.restic.snapshots(["gitops"])) == 2
    assert bobs.parts[0].size == len("bob's")
    for made, file in ((alices, "hers"), (bobs, "his")):
        vault.restore(made.parts[-1], site.root / made.instance)
        assert [path.name for path in (site.root / made.instance).iterdir()] == [file]
    assert vault.sets("bob") == [bobs]
    assert vault.sets() == [alices, bobs]


def test_a_volume_that_cannot_be_read_fails_alone_after_three_tries(
    site: Site, vault: Vault, bob: Instance
) -> None:
    deep = _directory(site, "bob")
    here = os.open(deep, os.O_RDONLY)
    try:
        for _ in range(20):  # a path longer than any that can be asked for
            os.mkdir("x" * 250, dir_fd=here)
            inner = os.open("x" * 250, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    alices, bobs = _back_up(site, vault, site.instance, bob)
    assert alices.complete
    ((dataset, why),) = bobs.failed
    assert str(dataset) == "volume uploads"
    assert why.lower().startswith("file name too long: xxx")
    assert len(vault.restic.snapshots(["gitops"])) == 3 + 1


def test_a_volume_whose_directory_is_gone_fails_alone(site: Site, vault: Vault, bob: Instance) -> None:
    place = _directory(site, "bob")
    aside = place.rename(place.with_name("aside"))
    try:
        alices, bobs = _back_up(site, vault, site.instance, bob)
    finally:
        aside.rename(place)
    assert alices.complete
    ((dataset, why),) = bobs.failed
    assert str(dataset) == "volume uploads"
    assert "cannot be mounted" in why
    assert str(place) in why


def test_a_volume_is_compared_with_its_own_newest_copy_whoever_was_saved_since(
    site: Site, vault: Vault, bob: Instance
) -> None:
    first, _ = _back_up(site, vault, site.instance)[0], _back_up(site, vault, bob)
    again = _back_up(site, vault, site.instance)[0]
    assert _parent(vault, again) == first.parts[-1].snapshot


def test_a_copy_to_compare_with_that_is_gone_is_done_without(site: Site, vault: Vault) -> None:
    first = _back_up(site, vault, site.instance)[0]
    vault.restic.forget([part.snapshot for part in first.parts])
    assert _back_up(site, vault, site.instance)[0].complete


def test_nothing_of_a_run_stays_on_the_host(site: Site, vault: Vault) -> None:
    _back_up(site, vault, site.instance)
    assert list((site.places.state / "backup/bundle").iterdir()) == []
    assert str(site.places.state) not in Path("/proc/self/mountinfo").read_text()


def test_what_a_killed_run_has_left_goes_and_volumes_are_never_emptied_through_it(site: Site) -> None:
    bundle = Bundle(site.places)
    left = bundle.directory / "alice/shop.sql"
    left.parent.mkdir()
    left.write_text("dump")
    bundle.volume("alice/volumes/uploads", site.uploads)
    Bundle(site.places)
    assert not left.parent.exists()

    bundle.volume("alice/volumes/uploads", site.uploads)
    precious = bundle.directory / "alice/volumes/uploads/precious"
    precious.touch()  # as if a volume were still mounted there
    with pytest.raises(UserError, match="cannot be used"):
        Bundle(site.places)
    assert precious.exists()


def test_a_file_that_is_removed_under_restics_eyes_is_told_from_one_that_cannot_be_read() -> None:
    old = [{"Op": "open", "Path": "a/b", "Err": 2}, {"Op": "open", "Path": "a/b", "Err": 13}]
    new = [
        {"message": f"/x/a: open a/b: {why}"} for why in ("no such file or directory", "permission denied")
    ]
    for told in (old, new):
        assert [has_vanished(why_unread(one)) for one in told] == [True, False]
    assert not has_vanished(why_unread({"Op": "read", "Path": "a/b", "Err": {}}))


def test_a_dump_that_finds_no_room_to_wait_fails_and_is_there_again_when_there_is_some(
    site: Site, vault: Vault
) -> None:
    site.sql("CREATE TABLE t SELECT REPEAT(SHA2(RAND(), 512), 1000) AS t FROM seq_1_to_20;")
    first = _back_up(site, vault, site.instance)[0]
    (site.places.state / "backup").rename(site.root / "aside")
    with small_disk(site.places.state / "backup", 4) as disk:
        disk.fill()
        disk.leave(100_000)
        full = _back_up(site, vault, site.instance)[0]
        ((dataset, why),) = full.failed
        assert dataset == first.parts[0].dataset
        assert "No space left on device" in why
        assert [part.dataset for part in full.parts] == [first.parts[1].dataset]
        disk.free()
        again = _back_up(site, vault, site.instance)[0]
    assert again.complete
    assert vault.sets() == [again, full, first]


def test_files_that_restic_could_not_read_and_does_not_name_spoil_the_snapshot() -> None:
    summary = '{"message_type":"summary","snapshot_id":"0badc0de","total_bytes_processed":5}'
    assert saved(summary, "", incomplete=False) == Saved("0badc0de", 5)
    with pytest.raises(UserError, match="does not say which"):
        saved(summary, "Warning: at least one source file could not be read", incomplete=True)
