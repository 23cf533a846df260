"""What a manifest says is read back as it was, and what the repository lost of it counts as failed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops.backup.sets import (
    VOLUME,
    BackupSet,
    Dataset,
    Part,
    is_run,
    manifest_text,
    newest_first,
    read_manifest,
    resolved,
)
from gitops.system.errors import UserError

_DATABASE = Dataset("mariadb", "db", "odd, name/größe")
_UPLOADS = Dataset(VOLUME, "", "uploads")
_TIME = datetime(2025, 1, 1, 3, 15, 0, 123456, tzinfo=UTC)
_PARTS = (
    Part(_DATABASE, "a" * 64, "/alice/db.odd.sql", 10, "1 tables"),
    Part(_UPLOADS, "b" * 64, "/alice/volumes/uploads", 20, ""),
)
_ALICE = BackupSet("f" * 64, "R-1", "demo", "web1", "alice", _TIME, _PARTS, stood_still=1.25)
_BOB = replace(_ALICE, instance="bob", parts=(), failed=((_DATABASE, "it “died”"),), stood_still=0.0)
_KEPT = replace(_ALICE, safety=True)


def test_sets_of_a_run_are_read_back_as_they_were() -> None:
    assert read_manifest(manifest_text([_ALICE, _BOB, _KEPT]), "f" * 64) == [_ALICE, _BOB, _KEPT]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"version": 1}', b"\xff", b'{"version": 1, "sets": [{}]}']
)
def test_what_is_no_manifest_is_told_as_such(text: bytes) -> None:
    with pytest.raises(UserError, match="ffffffff is no manifest"):
        read_manifest(text, "f" * 64)


def test_a_manifest_of_a_later_version_is_not_guessed_at() -> None:
    text = manifest_text([_ALICE]).replace(b'"version": 1', b'"version": 2')
    with pytest.raises(UserError, match="has version 2, which this gitops cannot read"):
        read_manifest(text, "f" * 64)


def test_the_documented_manifest_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs/backups.md").read_text().partition("```json\n")[2]
    (documented,) = read_manifest(text.partition("```")[0].encode(), "f" * 64)
    assert documented.complete
    (again,) = read_manifest(manifest_text([documented]), "f" * 64)
    assert again == documented
    bundle = "/var/lib/gitops/backup/bundle"
    assert documented.parts[0].path == f"{bundle}/alice/{documented.parts[0].dataset.file('sql')}"
    assert documented.parts[1].path == f"{bundle}/{documented.parts[1].dataset.directory('alice')}"


def test_a_set_is_complete_when_nothing_failed_and_its_manifest_is_saved() -> None:
    assert _ALICE.complete
    assert not _BOB.complete
    assert not replace(_ALICE, id="").complete
    assert not replace(_ALICE, parts=()).complete
    assert not replace(_ALICE, failed=((_UPLOADS, "why"),)).complete


def test_a_set_whose_snapshot_is_gone_is_not_complete() -> None:
    lost = resolved(_ALICE, ["a" * 64, "f" * 64])
    assert not lost.complete
    assert lost.parts == _PARTS[:1]
    assert [str(dataset) for dataset, _ in lost.failed] == ["volume uploads"]


def test_beginnings_of_ids_become_ids() -> None:
    short = replace(_ALICE, parts=tuple(replace(part, snapshot=part.snapshot[:8]) for part in _PARTS))
    assert resolved(short, ["a" * 64, "b" * 64]) == _ALICE
    assert not resolved(short, ["a" * 64, "b" * 64, "b" * 63 + "c"]).complete


def test_the_newest_set_comes_first() -> None:
    later = replace(_ALICE, time=_TIME + timedelta(seconds=1))
    assert newest_first([_BOB, later, _ALICE]) == [later, _ALICE, _BOB]


def test_a_dataset_says_what_people_call_it() -> None:
    assert [str(one) for one in (_DATABASE, _UPLOADS)] == ["database db/odd, name/größe", "volume uploads"]


def test_every_database_has_a_file_of_its_own_that_any_file_system_takes() -> None:
    names = ["", "a", "a/b", "a%2Fb", "..", "größe", "ß" * 64, "ß" * 63 + "s", "/srv/data/my.db", "@roles"]
    files = [Dataset("mariadb", "db", name).file("sql") for name in names]
    assert len(set(files)) == len(names)
    assert files[:2] == ["db.sql", "db.a.sql"]
    for file in files:
        assert len(file.encode()) <= 255
        assert file.isascii()
        assert "/" not in file


def test_the_id_of_a_run_can_name_a_file() -> None:
    assert is_run("2025-03-01T04:05:06Z-0badc0de")
    assert not any(is_run(name) for name in ("", "..", "../x", "a/b", ".hidden", "a\n", "a" * 100))
