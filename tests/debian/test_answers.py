"""apt is asked once; its answer counts only for the very same question about the very same archives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops.debian.packages import Package
from gitops.debian.resolve import resolve
from gitops.debian.sources import Pin
from gitops.system.errors import UserError
from gitops.system.run import CommandError
from tests.archive import TestArchive
from tests.debian.conftest import Refresh


@pytest.fixture(autouse=True)
def _published(archive: TestArchive) -> None:
    archive.add_package("web", "1.0", depends="lib", fields={"Recommends": "extra"})
    for name in ("lib", "extra", "other"):
        archive.add_package(name, "1.0")
    archive.publish()


@pytest.fixture
def no_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a way to do without apt, from the moment it asks for this."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def names(packages: list[Package]) -> list[str]:
    return [package.name for package in packages]


def test_the_same_question_is_answered_without_apt(
    refreshed: Refresh, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    once = resolve(refreshed(), ["web"], base=False, root=tmp_path)
    indexes = refreshed()
    request.getfixturevalue("no_apt")
    assert resolve(indexes, ["web"], base=False, root=tmp_path) == once
    assert names(once) == ["lib", "web"]


def test_every_other_question_is_asked(
    refreshed: Refresh, archive: TestArchive, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    indexes = refreshed()
    resolve(indexes, ["web"], base=False, root=tmp_path)
    archive.add_package("unrelated", "1.0")
    archive.publish()
    newer, installed = refreshed(), [indexes.stanza(*indexes.candidates("lib")) or ""]
    request.getfixturevalue("no_apt")
    for others in (
        {"requested": ["web", "other"]},
        {"recommends": True},
        {"installed": installed},
        {"pins": [Pin("lib", "version 2", 9)]},
        {"indexes": newer},
    ):
        asked: dict[str, Any] = {"indexes": indexes, "requested": ["web"], **others}
        with pytest.raises(CommandError, match="apt-get"):
            resolve(**asked, base=False, root=tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: text.rindex("web")],
        lambda text: text.replace("lib", "other"),
        lambda _: "",
        lambda _: "\udcff\n\n",
    ],
)
def test_an_answer_that_was_changed_is_no_answer(
    refreshed: Refresh, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    indexes = refreshed()
    once = resolve(indexes, ["web"], base=False, root=tmp_path)
    [answer] = (tmp_path / "answers").iterdir()
    whole = answer.read_text()
    answer.write_text(damage(whole), errors="surrogateescape")
    assert resolve(indexes, ["web"], base=False, root=tmp_path) == once
    assert answer.read_text() == whole


def test_a_refusal_is_asked_again(refreshed: Refresh, archive: TestArchive, tmp_path: Path) -> None:
    archive.add_package("broken", "1.0", depends="gone")
    archive.publish()
    with pytest.raises(UserError, match="no way to install"):
        resolve(refreshed(), ["broken"], base=False, root=tmp_path)
    assert not (tmp_path / "answers").exists()
