"""Hooks remember what files say, by their bytes; it is what reading them would say, or it does not count."""

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.fleet.document import Document, read
from gitops.guard import memory
from gitops.guard.install import REMEMBERED
from gitops.guard.memory import Memory
from gitops.system.errors import Problem
from tests.guard.conftest import Bare, Work, gitops

TEXTS = {
    "plain": "a: [1, 1.0, true, null, 0x10, 2025-01-31, 'ü\\n', {}]\nb: {c: ~}\n",
    "a number for a key": "ports: {80: 8080}\n",
    "no number": "a: .nan\nb: .inf\nc: -0.0\n",
    "bytes and sets": "a: !!binary aGVsbG8=\nb: !!set {x, y}\n",
    "aliases": "a: &x [1]\nb: *x\n",
    "merged": "a: &x {k: v}\nb: {<<: *x}\n",
    "no mapping": "- a\n",
    "twice": "a: 1\na: 2\n",
    "empty": "",
    "no YAML": "a: [\n",
    "a tag": "a: !x y\n",
}


def remembering(directory: Path, *files: Path) -> list[object]:
    """Read files with what an earlier reading of them has left."""
    before = Memory(directory, "")
    for file in files:
        before.read(file, file.name)
    before.keep()
    after = Memory(directory, "")
    return [after.read(file, file.name) for file in files]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_what_is_remembered_is_what_the_file_says(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    assert repr(remembering(tmp_path, file)) == repr([read(file, file.name)])


def test_what_was_read_before_is_not_read_again_and_what_has_changed_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, other, missing = (tmp_path / name for name in ("same.yaml", "other.yaml", "missing.yaml"))
    same.write_text("a: 1\n")
    other.write_text("a: 2\n")
    remembering(tmp_path, same, other)
    asked = []

    def reading(path: Path, file: str) -> tuple[Document | None, list[Problem]]:
        asked.append(file)
        return read(path, file)

    monkeypatch.setattr(memory, "read", reading)
    other.write_text("a: 3\n")
    after = Memory(tmp_path, "")
    contents = [found.content for file in (same, other) if (found := after.read(file, file.name)[0])]
    assert contents == [{"a": 1}, {"a": 3}]
    assert after.read(missing, missing.name)[1]
    assert asked == ["other.yaml", "missing.yaml"]


def damaged(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-4] + b"9" + data[-3:])


def no_file(file: Path) -> None:
    file.unlink()
    file.mkdir()


def of_another_version(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"gitops-", b"gitops-9", 1))


DISTRUSTED: dict[str, Callable[[Path], object]] = {
    "damaged": damaged,
    "cut off": lambda file: os.truncate(file, file.stat().st_size - 1),
    "empty": lambda file: os.truncate(file, 0),
    "of another version": of_another_version,
    "another account's": lambda file: os.chown(file, 12345, -1),
    "writable by others": lambda file: file.chmod(0o620),
    "no file": no_file,
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
@pytest.mark.parametrize("harm", DISTRUSTED.values(), ids=DISTRUSTED.keys())
def test_a_memory_that_may_be_anybodys_or_is_not_whole_is_not_believed(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\n")
    remembering(tmp_path, file)
    (kept,) = (tmp_path / REMEMBERED).iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    lie(kept, file)
    found, _ = Memory(tmp_path, "").read(file, file.name)
    assert found
    assert found.content == {"a": 666}, "what this account has written itself is believed"
    harm(kept)
    found, _ = Memory(tmp_path, "").read(file, file.name)
    assert found
    assert found.content == {"a": 1}


def lie(kept: Path, about: Path) -> None:
    """Make a memory say what a file does not; nobody but the account itself can."""
    head = kept.read_bytes().split(b"\n")[0].split(b" ")[:-1]
    body = f"{hashlib.sha256(about.read_bytes()).hexdigest()} {json.dumps({'a': 666})}\n".encode()
    kept.write_bytes(b" ".join([*head, hashlib.sha256(body).hexdigest().encode()]) + b"\n" + body)


def test_a_repository_that_cannot_be_written_to_is_judged_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\n")
    (tmp_path / REMEMBERED).write_text("in the way\n")
    assert repr(remembering(tmp_path, file)) == repr([read(file, file.name)])


def test_a_push_is_judged_alike_with_and_without_what_is_remembered(work: Work, bare: Bare) -> None:
    work.ok("push", "--quiet", "origin", "main")
    (kept,) = (bare.root / REMEMBERED).iterdir()
    app = work.root / "apps/shop.yaml"
    good = app.read_text()
    app.write_text(good.replace("services:", "servces:", 1))
    work.commit()
    with_it = work.refused("origin", "main")
    kept.unlink()
    assert work.refused("origin", "main") == with_it
    app.write_text(f"# Good again.\n{good}")
    work.commit()
    work.ok("push", "--quiet", "origin", "main")
    assert kept.exists()
    done = gitops("hooks", "uninstall", cwd=bare.root)
    assert done.returncode == 0, done.stderr
    assert not (bare.root / REMEMBERED).exists()
