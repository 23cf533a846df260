"""The pre-commit hook lets through what holds together, judged by what is about to be committed."""

import shutil
from pathlib import Path

import pytest

from tests.guard.conftest import Work, gitops


@pytest.fixture
def guarded(work: Work) -> Work:
    done = gitops("hooks", "install", cwd=work.root)
    assert done.returncode == 0, done.stderr
    return work


def test_a_commit_whose_rendered_files_are_stale_is_refused_until_they_are_staged(guarded: Work) -> None:
    image = guarded.root / "images/web.yaml"
    image.write_text(f"{image.read_text()}expose: [80]\n")
    guarded.ok("add", "--all")
    refused = guarded.git("commit", "--message=Expose")
    assert refused.returncode == 1
    assert "rendered/images/web.amd64.Dockerfile: is not what its definition says" in refused.stderr
    guarded.render()
    assert guarded.git("commit", "--message=Expose").returncode == 1, "what is not staged counted"
    guarded.ok("add", "--all")
    guarded.ok("commit", "--message=Expose")


def test_a_broken_definition_in_the_work_tree_alone_does_not_count(guarded: Work) -> None:
    app = guarded.root / "apps/shop.yaml"
    text = app.read_text()
    app.write_text("servces: {}\n")
    (guarded.root / "apps/untracked.yaml").write_text("nonsense")
    guarded.ok("commit", "--allow-empty", "--message=Nothing")
    guarded.ok("add", "apps/shop.yaml")
    app.write_text(text)
    refused = guarded.git("commit", "--message=Break it")
    assert refused.returncode == 1
    assert "apps/shop.yaml:1:1: unknown key `servces`" in refused.stderr


def test_a_commit_of_one_path_is_judged_by_that_path(guarded: Work) -> None:
    (guarded.root / "README").write_text("About\n")
    (guarded.root / "apps/bad.yaml").write_text("nonsense\n")
    guarded.ok("add", "--all")
    guarded.ok("commit", "--message=Words", "--", "README")
    assert "apps/bad.yaml" in guarded.git("commit", "--message=All of it").stderr


def test_a_merge_of_two_good_branches_that_do_not_fit_is_refused(guarded: Work) -> None:
    guarded.ok("switch", "--quiet", "--create=side")
    (guarded.root / "images/more.yaml").write_text("from: base\n")
    guarded.render()
    guarded.commit()
    guarded.ok("switch", "--quiet", "main")
    base = guarded.root / "images/base.yaml"
    base.write_text(f"{base.read_text()}user: nobody\n")
    guarded.render()
    guarded.commit()
    refused = guarded.git("merge", "--no-edit", "side")
    assert "rendered/images/more.amd64.Dockerfile: is not what its definition says" in refused.stderr
    guarded.render()
    guarded.ok("add", "--all")
    guarded.ok("commit", "--no-edit")


def test_a_fleet_in_a_directory_counts_when_a_commit_touches_it(tmp_path: Path, work: Work) -> None:
    larger = Work(tmp_path / "larger")
    larger.root.mkdir()
    larger.ok("init", "--quiet")
    work.root.rename(larger.root / "infra")
    (larger.root / "infra/apps/shop.yaml").write_text("nonsense: true\n")
    shutil.rmtree(larger.root / "infra/.git")
    larger.commit()
    gitops("hooks", "install", cwd=larger.root / "infra")
    (larger.root / "program.c").write_text("int main;\n")
    larger.ok("add", "--all")
    larger.ok("commit", "--message=Elsewhere")
    (larger.root / "infra/README").write_text("About\n")
    larger.ok("add", "--all")
    refused = larger.git("commit", "--message=Here")
    assert "infra/apps/shop.yaml:1:1: unknown key `nonsense`" in refused.stderr
