"""Hooks go where git looks for them, call what was there before, and leave as they came."""

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gitops.guard.install import COMMITTING, RECEIVING, install, uninstall
from gitops.guard.place import out_of_reach
from gitops.system.errors import UserError
from tests.guard.conftest import Bare, Work, gitops

OURS = ["/opt/the one/gitops"]


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def state(directory: Path) -> dict[str, tuple[str, int]]:
    return {
        file.name: (file.read_text(), stat.S_IMODE(file.lstat().st_mode))
        for file in directory.iterdir()
        if not file.name.endswith(".sample")
    }


def test_installing_twice_changes_nothing_and_uninstalling_leaves_nothing(tmp_path: Path) -> None:
    told = install(tmp_path, RECEIVING, OURS)
    assert all(line.endswith(": installed") for line in told)
    before = state(tmp_path)
    assert set(before) == set(RECEIVING)
    assert "gitops() { '/opt/the one/gitops' \"$@\"; }" in before["pre-receive"][0]
    assert all(line.endswith("is installed") for line in install(tmp_path, RECEIVING, OURS))
    assert state(tmp_path) == before
    assert len(uninstall(tmp_path)) == len(RECEIVING)
    assert state(tmp_path) == {}
    assert uninstall(tmp_path) == []


def test_an_older_hook_is_put_back_as_it_was(tmp_path: Path) -> None:
    script(tmp_path / "elsewhere", "exit 0")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/pre-commit").symlink_to("../elsewhere")
    script(tmp_path / "hooks/pre-merge-commit", "exit 1").chmod(0o700)
    before = state(tmp_path / "hooks")
    for _ in range(2):
        told = install(tmp_path / "hooks", COMMITTING, OURS)
        assert "after pre-commit.before-gitops, which was there before" in told[0]
    uninstall(tmp_path / "hooks")
    assert state(tmp_path / "hooks") == before
    assert (tmp_path / "hooks/pre-commit").is_symlink()


def test_a_hook_that_somebody_put_in_our_place_is_left_alone(tmp_path: Path) -> None:
    script(tmp_path / "pre-commit", "exit 0")
    install(tmp_path, COMMITTING, OURS)
    script(tmp_path / "pre-commit", "exit 7")
    with pytest.raises(UserError, match="is not gitops's hook any more"):
        uninstall(tmp_path)
    assert "exit 7" in (tmp_path / "pre-commit").read_text()


def test_an_older_hooks_status_and_input_count(work: Work, bare: Bare) -> None:
    hooks = bare.root / "hooks"
    seen = bare.root / "seen"
    gitops("hooks", "uninstall", cwd=bare.root)
    script(hooks / "pre-receive", f"cat >{seen}; grep -q refs/heads/no {seen} && exit 3; exit 0")
    script(hooks / "post-receive", f"cat >{seen}.after; echo heard")
    gitops("hooks", "install", "--server", cwd=bare.root)
    work.ok("push", "--quiet", "origin", "main")
    line = f"{'0' * 40} {work.ok('rev-parse', 'HEAD')} refs/heads/main\n"
    assert seen.read_text() == line
    assert (bare.root / "seen.after").read_text() == line
    work.refused("origin", "main:no")
    assert bare.branches().keys() == {"main"}
    (work.root / "fleet.yaml").write_text("name: [\n")
    work.commit()
    assert "fleet.yaml:" in work.refused("origin", "main")


def test_a_repositorys_own_hooks_path_counts_and_everybodys_does_not(
    work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    work.ok("config", "core.hooksPath", ".hooks")
    assert gitops("hooks", "install", cwd=work.root / "apps").returncode == 0
    assert (work.root / ".hooks/pre-commit").exists()
    assert not (work.root / ".git/hooks/pre-commit").exists()
    work.ok("config", "--unset", "core.hooksPath")
    (tmp_path / "config").write_text(f"[core]\nhooksPath = {tmp_path}/all\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    refused = gitops("hooks", "install", cwd=work.root)
    assert refused.returncode == 1
    assert f"core.hooksPath is {tmp_path}/all for every repository (global)" in refused.stderr
    assert not (tmp_path / "all").exists()


def test_a_second_work_tree_has_the_hooks_of_the_first(work: Work, tmp_path: Path) -> None:
    work.ok("worktree", "add", "--quiet", str(tmp_path / "second"))
    assert gitops("hooks", "install", cwd=tmp_path / "second").returncode == 0
    assert (work.root / ".git/hooks/pre-commit").exists()
    second = Work(tmp_path / "second")
    (second.root / "apps/bad.yaml").write_text("nonsense\n")
    second.ok("add", "--all")
    assert "apps/bad.yaml:1:1" in second.git("commit", "--message=Bad").stderr


def test_where_hooks_cannot_be_the_reason_is_told(work: Work, bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for directory, words in (
        (bare.root, "has no work tree to commit in"),
        (tmp_path / "plain", "cannot be read as a git repository"),
    ):
        refused = gitops("hooks", "install", cwd=directory)
        assert refused.returncode == 1
        assert words in refused.stderr
    work.ok("config", "core.hooksPath", "/dev/null")
    refused = gitops("hooks", "install", cwd=work.root)
    assert (refused.returncode, "/dev/null" in refused.stderr) == (1, True), refused.stderr
    script(tmp_path / "two/pre-commit", "exit 0")
    script(tmp_path / "two/pre-commit.before-gitops", "exit 1")
    with pytest.raises(UserError, match="is another's hook"):
        install(tmp_path / "two", COMMITTING, OURS)
    assert not (tmp_path / "two/pre-merge-commit").exists()


def test_what_an_account_cannot_run_is_not_put_into_its_repository() -> None:
    with TemporaryDirectory(prefix="gitops-test-") as directory:
        program = script(Path(directory) / "bin/gitops", "exit 0")
        nobody = os.stat_result((0o755, 0, 0, 1, 65534, 65534, 0, 0, 0, 0))
        assert out_of_reach(program, nobody) == (Path(directory) if os.geteuid() == 0 else None)
        Path(directory).chmod(0o755)
        assert out_of_reach(program, nobody) is None


def test_beside_a_forges_own_hooks_ours_is_one_more(tmp_path: Path) -> None:
    dispatcher = script(tmp_path / "pre-receive", 'for hook in "$0".d/*; do "$hook" || exit; done')
    script(tmp_path / "pre-receive.d/gitea", "exit 0")
    before = dispatcher.read_text()
    install(tmp_path, RECEIVING, OURS)
    assert dispatcher.read_text() == before
    assert (tmp_path / "pre-receive.d/gitops").exists()
    uninstall(tmp_path)
    assert not (tmp_path / "pre-receive.d/gitops").exists()


def test_hooks_can_be_written_elsewhere_for_a_forge_that_takes_them_packed(tmp_path: Path) -> None:
    done = gitops("hooks", "install", "--server", "--into", tmp_path / "custom_hooks", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(state(tmp_path / "custom_hooks")) == set(RECEIVING)


def test_a_setting_that_means_nothing_is_told_with_the_nearest_that_does(work: Work, bare: Bare) -> None:
    bare.git("config", "gitops.protekted", "release")
    told = work.refused("origin", "main")
    assert "gitops.protekted means nothing" in told
    assert "did you mean gitops.protected?" in told
