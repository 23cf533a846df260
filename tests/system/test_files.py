"""A file is written whole or not at all."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitops.system.files import sha256, write


def test_a_file_that_already_says_this_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    assert write(path, "text\n")
    before = path.stat()
    assert not write(path, b"text\n")
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_mode_is_part_of_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert write(path, "secret", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    assert write(path, "secret", mode=0o640)


def test_a_link_in_the_way_is_replaced_and_its_target_is_not_written(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "link"
    target.write_text("precious")
    path.symlink_to(target)
    assert write(path, "precious")
    assert not path.is_symlink()
    assert target.read_text() == "precious"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write(path, "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["directory"]


def test_a_reader_never_sees_a_part_even_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    old = b"a" * 200_000
    path.write_bytes(old)
    program = (
        "from pathlib import Path; from gitops.system.files import write\n"
        f"while True: [write(Path({str(path)!r}), letter * 200_000) for letter in (b'b', b'c', b'a')]"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as writer:
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            assert len(set(path.read_bytes())) == 1
            assert path.stat().st_size == len(old)
        os.kill(writer.pid, signal.SIGKILL)
    assert len(set(path.read_bytes())) == 1


def test_sha256_is_the_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0\xff" * 100_000)
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
