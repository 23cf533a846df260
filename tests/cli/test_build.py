"""`gitops build` leaves out what need not be built before it asks an engine for anything."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.fleet.fleet import Fleet
from tests.render.conftest import make_fleet as make_fleet  # noqa: PLC0414  # a fixture is found where it is named

GITOPS = Path(sys.executable).with_name("gitops")
ADDRESS = "unix:///nowhere/docker.sock"


@dataclass(frozen=True)
class Clone:
    """A fleet in git on a machine without an engine."""

    root: Path

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false")
        subprocess.run(["git", *who, *words], cwd=self.root, check=True, capture_output=True)

    def build(self, *words: str) -> tuple[int, str, str]:
        """Build; give exit status, standard output and standard error."""
        env = {**os.environ, "DOCKER_HOST": ADDRESS, "GITOPS_ROOT": str(self.root.parent / "here")}
        command = [str(GITOPS), "build", "--arch", "amd64", *words]
        done = subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def clone(make_fleet: Callable[..., Fleet]) -> Clone:
    made = Clone(make_fleet().root)
    made.git("init", "--quiet")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "Begin")
    return made


def test_with_nothing_changed_there_is_nothing_to_build_and_nothing_is_asked(clone: Clone) -> None:
    assert clone.build("--changed-since", "HEAD") == (0, "nothing to build\n", "")


def test_an_app_a_host_or_a_note_changes_no_image(clone: Clone) -> None:
    for path in ("apps/shop.yaml", "hosts/web1.yaml"):
        (clone.root / path).write_text((clone.root / path).read_text() + "# more\n")
    (clone.root / "notes").write_text("more\n")
    assert clone.build("--changed-since", "HEAD") == (0, "nothing to build\n", "")


def test_words_that_decide_nothing_change_no_image(clone: Clone) -> None:
    web = clone.root / "images/web.yaml"
    web.write_text(f"# A remark.\n{web.read_text()}")
    assert clone.build("--changed-since", "HEAD") == (0, "nothing to build\n", "")


@pytest.mark.parametrize("change", ["definition", "copied file", "ignored file", "behind a link"])
def test_what_an_image_is_made_of_makes_it_one_to_build(clone: Clone, change: str) -> None:
    if change == "definition":
        (clone.root / "images/web.yaml").write_text("from: base\npackages: [nginx]\nenvironment: {A: b}\n")
    elif change == "copied file":
        (clone.root / "images/web/site").write_text("other\n")
    elif change == "ignored file":
        site = clone.root / "images/web/site"
        site.unlink()
        site.mkdir()
        (site / "one").write_text("hello\n")
        clone.git("add", "--all")
        clone.git("commit", "--quiet", "--message", "A directory")
        (clone.root / ".git/info/exclude").write_text("two\n")
        (site / "two").write_text("hello\n")
    else:
        (clone.root / "notes").write_text("hello\n")
        (clone.root / "images/web/site").unlink()
        (clone.root / "images/web/site").symlink_to("../../notes")
        clone.git("add", "--all")
        clone.git("commit", "--quiet", "--message", "A link")
        (clone.root / "notes").write_text("other\n")
    status, said, told = clone.build("--changed-since", "HEAD")
    assert (status, said) == (1, "")
    assert "no container engine answers" in told


def test_a_change_of_the_base_is_one_of_all_that_stands_on_it_and_layers_divide_them(clone: Clone) -> None:
    base, web = clone.root / "images/base.yaml", clone.root / "images/web.yaml"
    before = web.read_text()
    web.write_text("from: base\npackages: [nginx]\nenvironment: {A: b}\n")
    assert clone.build("--changed-since", "HEAD", "--layer", "1") == (0, "nothing to build\n", "")
    assert clone.build("--changed-since", "HEAD", "--layer", "2")[0] == 1
    assert "there is no layer 3" in clone.build("--layer", "3")[2]
    web.write_text(before)
    base.write_text(f"{base.read_text()}environment: {{A: b}}\n")
    for layer in ("1", "2"):
        status, _, told = clone.build("--changed-since", "HEAD", "--layer", layer)
        assert status == 1
        assert "no container engine answers" in told


def test_a_commit_that_is_not_in_order_counts_as_one_that_had_nothing(clone: Clone) -> None:
    (clone.root / "images/web.yaml").write_text("from: bsae\n")
    clone.git("commit", "--quiet", "--all", "--message", "Break it")
    clone.git("checkout", "--quiet", "HEAD~1", "--", "images/web.yaml")
    status, _, told = clone.build("--changed-since", "HEAD")
    assert status == 1
    assert "HEAD is not in order, so every image counts as changed" in told


def test_a_commit_that_is_not_there_is_said(clone: Clone) -> None:
    status, _, told = clone.build("--changed-since", "nowhere")
    assert status == 1
    assert "has no commit 'nowhere'" in told


def test_a_registry_that_does_not_answer_is_said_and_nothing_is_left_out(clone: Clone) -> None:
    settings = clone.root / "fleet.yaml"
    settings.write_text(f"{settings.read_text()}registry: 127.0.0.1:1/shop\n")
    status, _, told = clone.build("--unless-pushed")
    assert status == 1
    assert "what the registry has is not known: " in told
    assert "no container engine answers" in told
