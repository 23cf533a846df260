"""What an image copies is exactly what lies in its directory, and nothing from outside the fleet."""

from pathlib import Path

import pytest

from gitops.fleet.files import copied_files
from gitops.fleet.images import Image
from gitops.system.errors import UserError


def image(source: str, target: str, **more: str) -> Image:
    return Image.model_validate({"from": "base", "copy": [{"source": source, "target": target, **more}]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = tmp_path / "images/site"
    (files / "conf/deep").mkdir(parents=True)
    (files / "run").write_text("#!/bin/sh\n")
    (files / "run").chmod(0o755)
    (files / "conf/b").write_text("b")
    (files / "conf/a").write_text("a")
    (files / "conf/deep/c").write_text("c")
    return tmp_path


def test_a_directory_is_copied_file_by_file_in_order(root: Path) -> None:
    files = copied_files(root, "site", image("conf", "/etc/x/", owner="www-data:www-data"))
    assert [(file.target, file.mode, file.owner) for file in files] == [
        ("/etc/x/a", 0o644, "www-data:www-data"),
        ("/etc/x/b", 0o644, "www-data:www-data"),
        ("/etc/x/deep/c", 0o644, "www-data:www-data"),
    ]


@pytest.mark.parametrize(("target", "named"), [("/bin/", "/bin/run"), ("/bin/other", "/bin/other")])
def test_a_file_keeps_its_name_in_a_directory_and_its_executable_bit(
    target: str, named: str, root: Path
) -> None:
    (file,) = copied_files(root, "site", image("run", target))
    assert (file.target, file.mode, file.source) == (named, 0o755, root / "images/site/run")


def test_the_mode_that_is_written_counts(root: Path) -> None:
    assert copied_files(root, "site", image("run", "/x", mode="0440"))[0].mode == 0o440


def test_a_symlink_inside_the_fleet_is_followed(root: Path) -> None:
    (root / "shared").write_text("shared")
    (root / "images/site/link").symlink_to("../../shared")
    assert copied_files(root, "site", image("link", "/x"))[0].source == root / "shared"


@pytest.mark.parametrize(
    ("name", "leads_to", "message"),
    [
        ("out", "/etc/passwd", "leaves the fleet"),
        ("up", "../../../..", "leaves the fleet"),
        ("round", ".", "a directory that it lies in"),
        ("nowhere", "lost", "does not exist"),
        ("self", "self", "leaves the fleet|does not exist"),
    ],
)
def test_a_symlink_that_leads_out_or_round_is_refused(
    name: str, leads_to: str, message: str, root: Path
) -> None:
    (root / "images/site/conf" / name).symlink_to(leads_to)
    with pytest.raises(UserError, match=message):
        copied_files(root, "site", image("conf", "/x"))


def test_a_file_whose_name_would_not_stay_on_one_line_is_refused(root: Path) -> None:
    (root / "images/site/conf/a\nRUN x").write_text("")
    with pytest.raises(UserError, match="readable text"):
        copied_files(root, "site", image("conf", "/x"))
