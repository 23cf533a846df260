"""The hook of the pre-commit framework, run by the real one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guard.conftest import GITOPS, Work

ROOT = Path(__file__).parent.parent.parent
PRE_COMMIT = (sys.executable, "-m", "pre_commit")


def run(work: Work, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PRE_COMMIT, *words], cwd=work.root, capture_output=True, text=True, check=False)


@pytest.fixture
def framework(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A fleet whose commits the framework looks at, with our hook by the gitops of the tests.

    The hook that installs gitops by itself fetches from a package registry, so that it is not run here.
    """
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{GITOPS.parent}:/usr/bin:/bin")
    hooks = Work(tmp_path / "hooks")
    hooks.root.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks.root)
    hooks.ok("init", "--quiet")
    revision = hooks.commit()
    (work.root / ".pre-commit-config.yaml").write_text(
        f"repos: [{{repo: 'file://{hooks.root}', rev: {revision}, hooks: [{{id: gitops-system}}]}}]\n"
    )
    work.commit()
    return work


def test_the_framework_finds_nothing_wrong_with_the_hooks_that_we_offer() -> None:
    done = subprocess.run(
        [*PRE_COMMIT, "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_framework_judges_what_is_staged_or_all_there_is(framework: Work) -> None:
    assert run(framework, "run", "--all-files").returncode == 0
    (framework.root / "apps/shop.yaml").write_text("servces: {}\n")
    assert run(framework, "run").returncode == 0, "what is not staged counted"
    framework.ok("add", "--all")
    refused = run(framework, "run")
    assert refused.returncode == 1
    assert "apps/shop.yaml:1:1: unknown key `servces`" in refused.stdout
    framework.commit()
    assert "apps/shop.yaml:1:1" in run(framework, "run", "--all-files").stdout


def test_our_own_hook_and_the_frameworks_call_each_other_in_either_order(framework: Work) -> None:
    own = (GITOPS, "hooks", "install")
    subprocess.run(own, cwd=framework.root, check=True, capture_output=True)
    assert run(framework, "install").returncode == 0
    (framework.root / "apps/shop.yaml").write_text("servces: {}\n")
    framework.ok("add", "--all")
    refused = framework.git("commit", "--message=Bad", PATH=f"{GITOPS.parent}:/usr/bin:/bin")
    assert refused.returncode == 1
    assert refused.stderr.count("apps/shop.yaml:1:1: unknown key `servces`") == 2, refused.stderr
