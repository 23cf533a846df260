"""What a build sees of the fleet's files: owners by name, and no directory that is not the image's own."""

import tarfile
from pathlib import Path

from gitops.images.context import put_files
from tests.images.fleets import fleet

ARCHIVES = {"a": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}}


def members(root: Path, *copies: dict[str, str]) -> dict[str, tarfile.TarInfo]:
    image = {"from": "scratch", "archive": "a", "copy": list(copies)}
    put_files(fleet(root, ARCHIVES, {"web": image}), "web", 1_700_000_000, root / "files.tar")
    with tarfile.open(root / "files.tar") as archive:
        return {member.name: member for member in archive}


def test_directories_above_the_target_are_left_to_the_image(tmp_path: Path) -> None:
    (tmp_path / "images/web/site/css").mkdir(parents=True)
    (tmp_path / "images/web/site/css/all.css").touch()
    found = members(tmp_path, {"source": "site", "target": "/srv/www/site", "owner": "www-data"})
    assert list(found) == ["srv/www/site", "srv/www/site/css", "srv/www/site/css/all.css"]
    assert {(member.uname, member.gname, member.mtime) for member in found.values()} == {
        ("www-data", "www-data", 1_700_000_000)
    }


def test_a_file_brings_no_directory_at_all(tmp_path: Path) -> None:
    (tmp_path / "images/web").mkdir(parents=True)
    (tmp_path / "images/web/conf").write_text("x")
    found = members(tmp_path, {"source": "conf", "target": "/etc/app/conf", "mode": "0640", "owner": "0:adm"})
    (member,) = found.values()
    assert (member.name, member.mode, member.uid, member.uname, member.gname) == (
        "etc/app/conf",
        0o640,
        0,
        "",
        "adm",
    )


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "images/web").mkdir(parents=True)
    (tmp_path / "images/web/conf").write_text("x")
    copies = ({"source": "conf", "target": "/b"}, {"source": "conf", "target": "/a"})
    members(tmp_path, *copies)
    first = (tmp_path / "files.tar").read_bytes()
    (tmp_path / "images/web/conf").touch()
    members(tmp_path, *copies)
    assert (tmp_path / "files.tar").read_bytes() == first
