"""Which fleets of a repository are judged."""

import shutil
from pathlib import Path

import pytest

from gitops.git.repository import Repository
from gitops.guard.fleets import fleets
from gitops.guard.settings import read_settings
from gitops.system.errors import UserError
from tests.guard.conftest import Work


@pytest.fixture
def larger(work: Work) -> Work:
    """A repository with fleets at its top, in a directory and deeper; and with a link where one begins."""
    for directory in ("infra", "deep/below"):
        shutil.copytree(work.root / "apps", work.root / directory / "apps")
        (work.root / directory / "fleet.yaml").write_text(f"name: {Path(directory).name}\n")
    (work.root / "linked").mkdir()
    (work.root / "linked/fleet.yaml").symlink_to("../infra/fleet.yaml")
    work.commit()
    return work


def test_one_at_the_top_hides_none_in_a_directory(larger: Work) -> None:
    found = fleets(Repository(larger.root), "HEAD", ())
    assert set(found) == {"", "infra", "linked"}
    assert found["infra"] == larger.ok("rev-parse", "HEAD:infra")


def test_those_that_are_named_count_and_no_others(larger: Work) -> None:
    larger.ok("config", "--add", "gitops.path", "deep/below/")
    larger.ok("config", "--add", "gitops.path", "nowhere")
    paths = read_settings(Repository(larger.root)).paths
    assert paths == ("deep/below", "nowhere")
    assert set(fleets(Repository(larger.root), "HEAD", paths)) == {"deep/below"}


@pytest.mark.parametrize("path", ["/etc", "../other", "a\nb"])
def test_a_name_that_leaves_the_repository_is_refused(work: Work, path: str) -> None:
    work.ok("config", "gitops.path", path)
    with pytest.raises(UserError, match="is no directory inside the repository"):
        read_settings(Repository(work.root))
