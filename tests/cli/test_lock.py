"""`gitops lock` says on a line an image what changed, and writes all or nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.archive import TestArchive

Run = subprocess.CompletedProcess[str]


@pytest.fixture
def fleet(tmp_path: Path, archive: TestArchive) -> Path:
    archive.add_package("apt", "3.0")
    archive.add_package("libssl", "3.5")
    archive.add_package("nginx", "1.26", depends="libssl")
    archive.publish()
    root = tmp_path / "fleet"
    (root / "images").mkdir(parents=True)
    (root / "fleet.yaml").write_text(
        f"name: f\narchives:\n  test: {{mirror: '{archive.mirror}', suites: [trixie], "
        f"keyring: '{archive.keyring}'}}\n"
    )
    (root / "images/base.yaml").write_text("from: scratch\narchive: test\n")
    (root / "images/web.yaml").write_text("from: base\npackages: [nginx]\n")
    return root


def lock(fleet: Path, *words: str) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "gitops", "lock", *words],
        cwd=fleet,
        env={**os.environ, "GITOPS_ROOT": str(fleet.parent / "root")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_line_an_image_says_what_is_different(fleet: Path, archive: TestArchive) -> None:
    assert lock(fleet).stdout == "base amd64: new, 1 packages\nweb amd64: new, 2 packages\n"
    assert lock(fleet).stdout == "base amd64: unchanged, 1 packages\nweb amd64: unchanged, 2 packages\n"
    archive.add_package("libssl", "3.6")
    archive.add_package("nginx", "1.27", depends="libssl, tini")
    archive.add_package("tini", "0.19")
    archive.publish()
    assert (
        lock(fleet, "web").stdout
        == "web amd64: 3 changes, 3 packages: libssl 3.5 → 3.6, nginx 1.26 → 1.27, tini new 0.19\n"
    )


def test_a_broken_lock_is_written_anew_and_one_without_image_goes(fleet: Path) -> None:
    lock(fleet)
    good = (fleet / "locks/web.amd64.lock").read_bytes()
    (fleet / "locks/web.amd64.lock").write_text("<<<<<<< HEAD\n")
    (fleet / "locks/gone.amd64.lock").touch()
    done = lock(fleet)
    assert done.returncode == 0, done.stderr
    assert (fleet / "locks/web.amd64.lock").read_bytes() == good
    assert not (fleet / "locks/gone.amd64.lock").exists()


def test_a_failure_writes_nothing(fleet: Path) -> None:
    (fleet / "images/web.yaml").write_text("from: base\npackages: [ngnix]\n")
    done = lock(fleet)
    assert done.returncode == 1
    assert "did you mean nginx?" in done.stderr
    assert not (fleet / "locks").exists()
