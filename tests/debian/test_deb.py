"""A .deb tells what it is and when it was built."""

from pathlib import Path

import pytest

from gitops.debian.deb import control, timestamp
from gitops.debian.packages import fields
from gitops.system.errors import UserError
from tests.archive import BUILT, TestArchive


def test_a_deb_tells_its_control_stanza(archive: TestArchive) -> None:
    deb = archive.add_package("hello", "1:1.0", depends="libc", architecture="arm64")
    values = fields(control(deb))
    assert (values["Package"], values["Version"], values["Depends"]) == ("hello", "1:1.0", "libc")
    assert not control(deb).endswith("\n")


def test_a_deb_tells_when_it_was_built(archive: TestArchive) -> None:
    assert timestamp(archive.add_package("hello", "1")) == BUILT
    assert timestamp(archive.add_package("hello", "2", built=BUILT + 5)) == BUILT + 5


@pytest.mark.parametrize("content", [b"", b"!<arch>\n", b"not a package" * 10])
def test_what_is_no_deb_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fake.deb"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"fake\.deb"):
        timestamp(path)
    with pytest.raises(UserError, match=r"fake\.deb"):
        control(path)
