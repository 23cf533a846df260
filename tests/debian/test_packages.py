"""The scanner finds what python-debian finds, without parsing what nobody asked for."""

from pathlib import Path

import pytest
from debian.deb822 import Packages

from gitops.debian.packages import PackageList, fields, package
from gitops.system.errors import UserError

STANZAS = """\
Package: base-files
Essential: yes
Version: 13
Architecture: amd64
Description: first
 Package: not-one
 .
 Essential: yes

Package: hello
Version: 1:1.0-1
Architecture: all
Provides: greeter (= 1.0), speaker
Filename: pool/hello_1.0-1_all.deb
Size: 12
SHA256: abc

Package: hello
Version: 1:2.0-1
Source: hello-source (2.0)
Architecture: amd64

Package: last
Essential: yes
Version: 1"""


@pytest.fixture(params=["", "\n", "\n\n"], ids=["bare end", "newline", "empty line"])
def listed(request: pytest.FixtureRequest, tmp_path: Path) -> PackageList:
    path = tmp_path / "Packages"
    path.write_text(STANZAS + request.param)
    return PackageList(path)


def test_names_are_found_once_each(listed: PackageList) -> None:
    assert list(listed.names()) == ["base-files", "hello", "last"]
    assert "hello" in listed
    assert "not-one" not in listed


def test_every_version_of_a_name_is_found(listed: PackageList) -> None:
    assert [fields(stanza)["Version"] for stanza in listed.stanzas("hello")] == ["1:1.0-1", "1:2.0-1"]
    assert listed.stanzas("nothing") == []


def test_a_stanza_is_the_text_as_it_stands(listed: PackageList) -> None:
    assert [listed.stanzas(name)[0] for name in ("base-files", "last")] == [
        STANZAS.partition("\n\n")[0],
        STANZAS.rpartition("\n\n")[-1],
    ]


def test_only_real_fields_make_a_package_essential(listed: PackageList) -> None:
    assert set(listed.essential) <= {"base-files", "last"}
    assert "base-files" in listed.essential


def test_provided_names_are_found_whole(listed: PackageList) -> None:
    assert [listed.provides(name) for name in ("greeter", "speaker", "greet")] == [True, True, False]


def test_a_stanza_makes_a_package(listed: PackageList) -> None:
    made = package(listed.stanzas("hello")[0], "trixie", "trixie-updates")
    assert (made.source, made.archive, made.suite) == ("hello", "trixie", "trixie-updates")
    assert (made.path, made.size, made.sha256) == ("pool/hello_1.0-1_all.deb", 12, "abc")


def test_an_archive_that_tells_too_little_is_named(listed: PackageList) -> None:
    with pytest.raises(UserError, match=r"own/trixie has a broken entry.*Filename"):
        package(listed.stanzas("hello")[1], "own", "trixie")


def test_python_debian_reads_the_same(listed: PackageList) -> None:
    found = [
        (each["Package"], each["Version"]) for each in Packages.iter_paragraphs(STANZAS, use_apt_pkg=False)
    ]
    assert found == [
        (name, fields(stanza)["Version"]) for name in listed.names() for stanza in listed.stanzas(name)
    ]


def test_an_empty_file_has_no_packages(tmp_path: Path) -> None:
    (tmp_path / "Packages").touch()
    listed = PackageList(tmp_path / "Packages")
    assert (list(listed.names()), list(listed.essential), listed.stanzas("a")) == ([], [], [])
