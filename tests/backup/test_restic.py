"""restic, really run: what is saved comes back, and what fails leaves nothing."""

import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.backup import watching
from gitops.backup.answers import has_vanished
from gitops.backup.asked import Limits
from gitops.backup.refusals import HopelessError, LockedError, MissingError, ParentError
from gitops.backup.restic import Restic
from gitops.system.errors import UserError
from gitops.system.run import run
from tests.backup.proving import FAULTS, RESTICS
from tests.database_fixtures import until


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Restic:
    """A repository that was just made; making one takes a second."""
    directory = tmp_path_factory.mktemp("new")
    made = Restic(
        str(directory / "repository"), "web1", directory / "cache", "the note", {"RESTIC_PASSWORD": "right"}
    )
    made.init()
    return made


@pytest.fixture
def restic(new: Restic, tmp_path: Path) -> Restic:
    """A repository of its own for each test."""
    place = shutil.copytree(new.repository, tmp_path / "repository")
    return replace(new, repository=str(place), cache=tmp_path / "cache")


def _locks(restic: Restic) -> int:
    return len(list((Path(restic.repository) / "locks").iterdir()))


def test_a_repository_is_there_or_not(restic: Restic, tmp_path: Path) -> None:
    assert restic.is_there()
    elsewhere = replace(restic, repository=str(tmp_path / "elsewhere"))
    assert not elsewhere.is_there()
    with pytest.raises(MissingError, match="there is no backup repository at"):
        elsewhere.snapshots(["a"])


def test_what_is_away_is_not_taken_for_missing(restic: Restic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = replace(restic, repository=f"sftp://nobody@127.0.0.1:{port}//repository")
    with pytest.raises(UserError) as caught:
        away.is_there()
    assert not isinstance(caught.value, MissingError)


def test_a_wrong_password_is_told_with_what_holds_it_and_the_password_itself_nowhere(restic: Restic) -> None:
    wrong = replace(restic, environment={"RESTIC_PASSWORD": "a secret"})
    for attempt in (
        wrong.is_there,
        lambda: wrong.snapshots(["gitops"]),
        lambda: wrong.save_stream([b""], "x", ["x"]),
    ):
        with pytest.raises(HopelessError, match="does not open with the password in the note") as caught:
            attempt()
        assert "a secret" not in str(caught.value)
    assert "a secret" not in repr(wrong)


def test_a_stream_comes_back_byte_for_byte(restic: Restic) -> None:
    data = os.urandom(3_000_000)
    chunks = (data[at : at + 65536] for at in range(0, len(data), 65536))
    saved = restic.save_stream(chunks, "dump", ["a", "b"])
    (snapshot,) = restic.snapshots(["a", "b"])
    assert snapshot.id.startswith(saved.snapshot)
    assert saved.size == len(data)
    assert b"".join(restic.read(snapshot.id, "/dump")) == data


def test_a_stream_that_breaks_leaves_no_snapshot_and_no_lock_of_the_living(restic: Restic) -> None:
    def breaking() -> Iterator[bytes]:
        yield os.urandom(2_000_000)
        raise UserError("the dump died")

    with pytest.raises(UserError, match="the dump died"):
        restic.save_stream(breaking(), "dump", ["a"])
    assert restic.snapshots(["a"]) == []
    restic.unlock()
    assert _locks(restic) == 0


def test_a_file_that_is_read_ahead_comes_whole_and_one_that_is_given_up_leaves_nothing(
    restic: Restic,
) -> None:
    data = os.urandom(3_000_000)
    snapshot = restic.save_stream([data], "dump", ["a"]).snapshot
    with restic.outgoing(snapshot, "/dump") as outgoing:
        until(lambda: _locks(restic) == 1)
        assert b"".join(outgoing) == data
    with restic.outgoing(snapshot, "/dump"):
        until(lambda: _locks(restic) == 1)  # it has begun, and nobody reads on
    assert _locks(restic) == 0
    with restic.outgoing(snapshot, "/other") as outgoing, pytest.raises(UserError, match="other"):
        b"".join(outgoing)


_DYING = """
import os, signal, sys
from pathlib import Path
from gitops.backup.restic import Restic
restic = Restic(sys.argv[1], "web1", Path(sys.argv[2]), "", {"RESTIC_PASSWORD": "right"})
with restic.incoming("dump", ["a"]) as incoming:
    incoming.write(b"x" * 3_000_000)
    {end}
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "raise SystemExit"])
def test_a_stream_whose_writer_dies_leaves_no_snapshot_and_no_restic(restic: Restic, end: str) -> None:
    subprocess.run(
        [sys.executable, "-c", _DYING.replace("{end}", end), restic.repository, restic.cache], check=False
    )
    until(lambda: not _reading(restic))
    assert restic.snapshots(["a"]) == []


_WRITING = """
import sys
from pathlib import Path
from gitops.backup.restic import Restic
restic = Restic(sys.argv[1], "web1", Path(sys.argv[2]), "", {"RESTIC_PASSWORD": "right"})
print("begun", flush=True)
with restic.incoming("dump", ["a"]) as incoming:
    while True:
        incoming.write(b"x" * 100_000)
"""


@pytest.mark.parametrize("each_restic", RESTICS, indirect=True)
def test_a_writer_killed_at_any_moment_leaves_no_snapshot_and_no_restic(
    restic: Restic, each_restic: str
) -> None:
    """Half of the moments are those in which restic is being started, and tied to its writer."""
    chance = random.Random(each_restic)  # noqa: S311
    for number in range(FAULTS):
        words = [sys.executable, "-c", _WRITING, restic.repository, str(restic.cache)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"begun\n"
            time.sleep(chance.uniform(0, 0.02 if number % 2 else 1.5))
            writer.kill()
        until(lambda: not _reading(restic))
    assert restic.snapshots(["a"]) == []


def _reading(restic: Restic) -> list[str]:
    own = f"RESTIC_REPOSITORY={restic.repository}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += [process.name] if own in (process / "environ").read_bytes().split(b"\0") else []
        except OSError:
            continue
    return found


def test_the_end_of_input_is_said_and_never_happens(restic: Restic) -> None:
    """Closing our end, as the kernel does when we die, is no end: restic itself holds it open."""
    incoming = restic.incoming("dump", ["a"])
    incoming.write(b"half of it")
    incoming._ours.close()  # noqa: SLF001  # what a death does
    with pytest.raises(subprocess.TimeoutExpired):
        incoming._process.wait(timeout=3)  # noqa: SLF001
    incoming.__exit__()
    assert restic.snapshots(["a"]) == []


def test_a_directory_comes_back_with_odd_names_modes_owners_and_links(restic: Restic, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in (b"plain", b"new\nline", b"\xff\xfe not text", "größe 🎈".encode(), b"-dash", b"*[glob]?"):
        path = os.fsencode(source) + b"/volume/sub/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  # names that are not text
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(os.urandom(100))
    (source / "volume/link").symlink_to("../outside")
    plain = source / "volume/sub/plain"
    plain.chmod(0o640)
    os.chown(plain, 33, 33)
    os.setxattr(plain, "user.note", b"kept")
    saved = restic.save_directory(source, ["a"])
    restic.restore(saved.snapshot, f"{source}/volume", target)
    target = target / source.relative_to("/")
    assert [path.name for path in target.iterdir()] == ["volume"]
    run(["diff", "--recursive", "--no-dereference", source, target])
    assert (target / "volume/link").readlink() == Path("../outside")
    restored = target / "volume/sub/plain"
    there = restored.stat()
    assert (stat.S_IMODE(there.st_mode), there.st_uid, there.st_gid) == (0o640, 33, 33)
    assert os.getxattr(restored, "user.note") == b"kept"


def test_an_empty_directory_comes_back_with_its_owner_and_mode(restic: Restic, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "volume").mkdir(parents=True)
    (source / "volume").chmod(0o2770)
    os.chown(source / "volume", 33, 33)
    saved = restic.save_directory(source, ["a"])
    restic.restore(saved.snapshot, f"{source}/volume", tmp_path / "target")
    volume = tmp_path / "target" / source.relative_to("/") / "volume"
    restored = volume.stat()
    assert list(volume.iterdir()) == []
    assert stat.S_IMODE(restored.st_mode) == 0o2770
    assert restored.st_uid == 33


def test_volumes_are_seen_in_the_snapshot_alone(restic: Restic, tmp_path: Path) -> None:
    directory, volume = tmp_path / "bundle", tmp_path / "odd \n volume"
    (directory / "alice").mkdir(parents=True)
    volume.mkdir()
    (volume / "file").write_text("in the volume")
    saved = restic.save_directory(directory, ["a"], volumes={volume: "alice"})
    assert b"".join(restic.read(saved.snapshot, f"{directory}/alice/file")) == b"in the volume"
    assert list((directory / "alice").iterdir()) == []


def test_who_watches_is_told_how_many_bytes_are_done_and_gets_the_same(
    restic: Restic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_OFTEN", {"RESTIC_PROGRESS_FPS": "60"})
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/big").write_bytes(os.urandom(30_000_000))
    told: list[tuple[int, int]] = []
    saved = restic.save_directory(tmp_path / "tree", ["a"], watch=lambda *far: told.append(far))
    assert saved.size == 30_000_000
    assert told == sorted(told)
    assert told[-1][1] == 30_000_000
    restic.restore(saved.snapshot, "/", tmp_path / "back", lambda *far: told.append(far))
    assert (tmp_path / "back" / (tmp_path / "tree/big").relative_to("/")).read_bytes() == (
        tmp_path / "tree/big"
    ).read_bytes()
    with pytest.raises(UserError, match="no matching ID"):
        restic.restore("0000beef", "/", tmp_path / "other", lambda *far: told.append(far))


def test_what_could_not_be_read_is_named_and_the_rest_is_saved(restic: Restic, tmp_path: Path) -> None:
    """The memory of the first process is a file that restic may not open."""
    directory = tmp_path / "bundle"
    directory.mkdir()
    (directory / "good").write_text("good")
    (directory / "bad").touch()
    saved = restic.save_directory(directory, ["a"], volumes={Path("/proc/1/mem"): "bad"})
    assert [path for path, _ in saved.unread] == [str(directory / "bad")]
    assert not any(has_vanished(why) for _, why in saved.unread)
    assert b"".join(restic.read(saved.snapshot, f"{directory}/good")) == b"good"


def test_a_snapshot_to_compare_with_that_is_gone_is_told(restic: Restic, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(ParentError):
        restic.save_directory(tmp_path / "bundle", ["a"], parent="0badc0de")


def test_only_this_hosts_snapshots_are_seen(restic: Restic) -> None:
    restic.save_stream([b"one"], "dump", ["a"])
    other = replace(restic, host="web2")
    assert other.snapshots(["a"]) == []


def test_forgetting_and_pruning_leaves_the_rest_whole(restic: Restic) -> None:
    restic.save_stream([b"one"], "dump", ["a"])
    restic.save_stream([b"two"], "dump", ["a"])
    old, new = restic.snapshots(["a"])
    restic.forget([old.id])
    restic.forget([])
    restic.prune()
    assert restic.snapshots(["a"]) == [new]
    assert b"".join(restic.read(new.id, "/dump")) == b"two"


def test_a_lock_is_told_with_who_holds_it(restic: Restic) -> None:
    restic.save_stream([b"one"], "dump", ["a"])
    with restic.incoming("dump", ["b"]) as holder:
        until(lambda: _locks(restic))
        with pytest.raises(LockedError) as caught:
            restic.prune()
        holder.write(b"two")
        holder.finish()
    assert caught.value.holder.startswith("PID ")
    restic.prune()


def test_restic_steps_back_as_its_limits_say(restic: Restic) -> None:
    limited = replace(restic, limits=Limits(upload=1 << 20, download=100, cpus=1, nice=7))
    with limited.incoming("dump", ["a"]) as incoming:
        until(lambda: any(_is_limited(process) for process in _reading(restic)))
        incoming.write(b"all of it")
        incoming.finish()


def _is_limited(process: str) -> bool:
    words = (Path("/proc") / process / "cmdline").read_bytes().split(b"\0")
    variables = (Path("/proc") / process / "environ").read_bytes().split(b"\0")
    return (
        words[:3] == [b"restic", b"--limit-upload=1024", b"--limit-download=1"]
        and b"GOMAXPROCS=1" in variables
        and os.getpriority(os.PRIO_PROCESS, int(process)) == 7
    )
