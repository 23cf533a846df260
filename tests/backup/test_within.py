"""A database's file put into a volume, in which whoever wrote it may have laid traps."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from gitops.backup.within import put
from gitops.system.errors import UserError


@pytest.fixture
def dump(tmp_path: Path) -> bytes:
    return _database(tmp_path / "dumped", 7)


def _database(path: Path, value: int) -> bytes:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (n INT)")
        database.execute("INSERT INTO t VALUES (?)", (value,))
    database.close()
    return path.read_bytes()


def _value(path: Path) -> int:
    database = sqlite3.connect(path)
    try:
        return int(database.execute("SELECT n FROM t").fetchone()[0])
    finally:
        database.close()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    made = tmp_path / "volume"
    (made / "data").mkdir(parents=True)
    return made


def test_a_file_comes_to_its_place_with_the_owner_and_mode_of_the_one_before(
    volume: Path, dump: bytes
) -> None:
    place = volume / "data" / "app.db"
    _database(place, 1)
    os.chown(place, 33, 34)
    place.chmod(0o664)
    (volume / "data" / "app.db-wal").write_bytes(b"of another database")
    said = put(volume, "data/app.db", [dump[:100], dump[100:]])
    assert said.startswith(f"{len(dump) // 4096} pages of 4096 bytes, sha256:")
    assert _value(place) == 7
    found = place.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (33, 34, 0o664)
    assert [path.name for path in (volume / "data").iterdir()] == ["app.db"]


def test_where_there_was_no_file_it_belongs_to_the_directorys_owner(volume: Path, dump: bytes) -> None:
    os.chown(volume / "data", 33, 34)
    put(volume, "data/app.db", [dump])
    found = (volume / "data" / "app.db").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (33, 34, 0o640)


def test_a_dump_that_was_cut_leaves_the_file_as_it_is(volume: Path, dump: bytes) -> None:
    place = volume / "data" / "app.db"
    _database(place, 1)
    with pytest.raises(UserError, match="bytes came"):
        put(volume, "data/app.db", [dump[:-1]])
    assert _value(place) == 1


def test_no_link_leads_out_of_the_volume(volume: Path, dump: bytes, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (volume / "away").symlink_to(outside)
    with pytest.raises(UserError, match="cannot be put into the volume"):
        put(volume, "away/app.db", [dump])
    with pytest.raises(UserError, match="does not lie in the volume"):
        put(volume, "../outside/app.db", [dump])
    (outside / "passwd").write_text("kept")
    (volume / "data" / "app.db").symlink_to(outside / "passwd")
    (volume / "data" / "app.db.gitops-restore").symlink_to(outside / "passwd")
    put(volume, "data/app.db", [dump])
    assert (outside / "passwd").read_text() == "kept"
    assert not (volume / "data" / "app.db").is_symlink()
    assert [path.name for path in outside.iterdir()] == ["passwd"]
