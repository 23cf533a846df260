"""restic, really run: what is saved comes back, and what fails leaves nothing."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops.backup.restic import Restic, open_repository
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.run import run


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))


@pytest.fixture
def restic(tmp_path: Path, places: Places) -> Restic:
    opened = open_repository(str(tmp_path / "repository"), "web1", places)
    opened.init()
    return opened


def test_a_password_is_made_once_and_is_nobody_elses_business(tmp_path: Path, places: Places) -> None:
    opened = open_repository(str(tmp_path), "web1", places)
    password = opened.password_file.read_text()
    assert len(password) > 40
    assert stat.S_IMODE(opened.password_file.stat().st_mode) == 0o600
    assert open_repository(str(tmp_path), "web1", places).password_file.read_text() == password


def test_a_repository_is_there_or_not(tmp_path: Path, places: Places) -> None:
    opened = open_repository(str(tmp_path / "repository"), "web1", places)
    assert not opened.is_there()
    opened.init()
    assert opened.is_there()


def test_a_wrong_password_is_told_as_such(restic: Restic) -> None:
    restic.password_file.write_text("wrong\n")
    for attempt in (
        restic.is_there,
        lambda: restic.snapshots(["gitops"]),
        lambda: restic.save_stream([b""], "x", ["x"]),
    ):
        with pytest.raises(UserError, match="does not open with the password in") as caught:
            attempt()
        assert str(restic.password_file) in str(caught.value)


def test_a_stream_comes_back_byte_for_byte(restic: Restic) -> None:
    data = os.urandom(3_000_000)
    restic.save_stream((data[at : at + 65536] for at in range(0, len(data), 65536)), "dump", ["a", "b"])
    (snapshot,) = restic.snapshots(["a", "b"])
    assert b"".join(restic.read(snapshot.id, "dump")) == data


def test_a_stream_that_breaks_leaves_no_snapshot(restic: Restic) -> None:
    def breaking() -> Iterator[bytes]:
        yield os.urandom(2_000_000)
        raise UserError("the dump died")

    with pytest.raises(UserError, match="the dump died"):
        restic.save_stream(breaking(), "dump", ["a"])
    assert restic.snapshots(["a"]) == []
    restic.unlock()
    assert not list((Path(restic.repository) / "locks").iterdir())


def test_a_directory_comes_back_with_odd_names_modes_owners_and_links(restic: Restic, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in (b"plain", b"new\nline", b"\xff\xfe not text", "größe 🎈".encode(), b"-dash", b"*[glob]?"):
        path = os.fsencode(source) + b"/sub/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  # names that are not text
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(os.urandom(100))
    (source / "link").symlink_to("../outside")
    (source / "sub" / "plain").chmod(0o640)
    os.chown(source / "sub" / "plain", 33, 33)
    restic.save_directory(source, ["a"])
    restored = restic.restore(restic.snapshots(["a"])[0].id, target)
    assert restored == target / "source"
    run(["diff", "--recursive", "--no-dereference", source, restored])
    assert (restored / "link").readlink() == Path("../outside")
    plain = (restored / "sub" / "plain").stat()
    assert (stat.S_IMODE(plain.st_mode), plain.st_uid, plain.st_gid) == (0o640, 33, 33)


def test_an_empty_directory_comes_back_with_its_owner_and_mode(restic: Restic, tmp_path: Path) -> None:
    source = tmp_path / "-source"
    source.mkdir()
    source.chmod(0o2770)
    os.chown(source, 33, 33)
    restic.save_directory(source, ["a"])
    restored = restic.restore(restic.snapshots(["a"])[0].id, tmp_path / "target")
    assert list(restored.iterdir()) == []
    assert stat.S_IMODE(restored.stat().st_mode) == stat.S_IMODE(source.stat().st_mode)
    assert restored.stat().st_uid == 33


def test_only_this_hosts_snapshots_are_seen(restic: Restic) -> None:
    restic.save_stream([b"one"], "dump", ["a"])
    other = Restic(restic.repository, "web2", restic.password_file, restic.cache)
    assert other.snapshots(["a"]) == []


def test_forgetting_and_pruning_leaves_the_rest_whole(restic: Restic) -> None:
    restic.save_stream([b"one"], "dump", ["a"])
    restic.save_stream([b"two"], "dump", ["a"])
    old, new = restic.snapshots(["a"])
    restic.forget([old.id])
    restic.forget([])
    restic.prune()
    assert restic.snapshots(["a"]) == [new]
    assert b"".join(restic.read(new.id, "dump")) == b"two"
