"""What changed is read from the .deb itself: of any shape, however long, and however wrong."""

import gzip
import io
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops.debian.changelog import documented_by, entries, read
from gitops.debian.sources import Source
from gitops.debian.store import Store
from gitops.debian.suites import refresh
from tests.archive import TestArchive

TEXT = """\
hello (1.2-1) trixie-security; urgency=HIGH

  * Fix CVE-2026-1234 and cve-2026-99999 (Closes: #1000001, Bug#1000002).
  * Again CVE-2026-1234; closes: 1000003

 -- Ann Author <ann@example.org>  Sat, 01 Nov 2025 12:00:00 +0100

hello (1.1-1) unstable; urgency=medium; binary-only=yes

  * Something.

 -- Bob <bob@example.org>  Fri, 31 Oct 2025 12:00:00 +0000

hello (1.0-1) unstable; urgency=low

  * Initial release.

 -- Bob <bob@example.org>  Thu, 30 Oct 2025 12:00:00 +0000
"""


def versions(text: str, after: str, until: str) -> list[str]:
    return [entry.version for entry in entries(text, after, until)]


def heading(version: str) -> str:
    return (
        f"hello ({version}) unstable; urgency=low\n\n  * x\n\n -- A <a@b>  Thu, 30 Oct 2025 12:00:00 +0000\n"
    )


def test_an_entry_says_who_when_how_urgent_and_what_it_mends() -> None:
    [entry] = entries(TEXT, "1.1-1", "1.2-1")
    assert (entry.version, entry.urgency, entry.author) == ("1.2-1", "high", "Ann Author <ann@example.org>")
    assert entry.date == datetime(2025, 11, 1, 11, tzinfo=UTC)
    assert entry.cves == ("CVE-2026-1234", "CVE-2026-99999")
    assert entry.bugs == (1000001, 1000002, 1000003)
    assert entry.text.startswith("  * Fix CVE-2026-1234")
    assert entry.text.endswith("closes: 1000003")


@pytest.mark.parametrize(
    ("after", "until", "found"),
    [
        ("1.0-1", "1.2-1", ["1.2-1", "1.1-1"]),
        ("1.0-1+b2", "1.2-1", ["1.2-1", "1.1-1"]),
        ("1.0-1", "1.1-1", ["1.1-1"]),
        ("1.0-1", "1.1-1+b1", ["1.1-1"]),
        ("0.9", "1.2-1", ["1.2-1", "1.1-1", "1.0-1"]),
        ("1.2-1", "1.2-1", []),
        ("1.2-1", "1.0-1", []),
        ("1:1.0-1", "1:1.2-1", []),
    ],
)
def test_the_entries_between_two_versions_are_given_newest_first(
    after: str, until: str, found: list[str]
) -> None:
    assert versions(TEXT, after, until) == found


def test_what_a_version_was_made_from_counts_too() -> None:
    text = "\n".join(map(heading, ["1.2-1~deb13u1", "1.2-1", "1.1-2", "1.0-1+deb13u1", "1.0-1"]))
    assert versions(text, "1.0-1+deb13u1", "1.2-1~deb13u1") == ["1.2-1~deb13u1", "1.2-1", "1.1-2"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\x1b[31m\n" * 9,
        " -- nobody <a@b>  never\n",
        "hello (not a version!) x; urgency=low\n\n  * x\n",
        "hello (1.5) unstable; urgency=low\n" + " -- A <" + ">" * 99_999,
        heading("1.5").replace("30 Oct 2025", "99 Foo 0000"),
        heading("1.5").replace(" -- ", "--"),
        heading("1.5") + "<<<<<<< conflict\n" + "x" * 999_999,
        "hello (1.5) u;" + " urgency=" * 99_999 + "\n  * closes: " + "1," * 999_999,
    ],
)
def test_a_malformed_changelog_gives_what_can_be_read_of_it(text: str) -> None:
    for entry in entries(f"{text}\n{heading('1.1')}", "1.0", "2.0"):
        assert entry.version in {"1.5", "1.1"}
        assert max(map(len, entry.text.splitlines()), default=0) <= 1000


@pytest.mark.parametrize("name", ["changelog.Debian", "changelog"])
def test_a_changelog_comes_out_of_its_deb(archive: TestArchive, name: str) -> None:
    deb = archive.add_package("hello", "1.2-1", files={f"/usr/share/doc/hello/{name}": TEXT, "/a": "a"})
    assert read(deb, "hello") == TEXT


def test_debians_changelog_goes_before_the_programs_own(archive: TestArchive) -> None:
    files = {"changelog": "Version 1.2: all is better now", "changelog.Debian": TEXT}
    deb = archive.add_package(
        "hello", "1.2-1", files={f"/usr/share/doc/hello/{name}": text for name, text in files.items()}
    )
    assert read(deb, "hello") == TEXT


def test_a_rebuild_on_one_architecture_is_told_first(archive: TestArchive) -> None:
    own = heading("1.2-1+b1")
    files = {"changelog.Debian.amd64": own, "changelog.Debian": TEXT}
    deb = archive.add_package(
        "hello",
        "1.2-1+b1",
        architecture="amd64",
        files={f"/usr/share/doc/hello/{name}": text for name, text in files.items()},
    )
    assert versions(read(deb, "hello") or "", "1.1-1", "1.2-1+b1") == ["1.2-1+b1", "1.2-1"]


@pytest.mark.parametrize(
    "files",
    [{}, {"/usr/share/doc/other/changelog.Debian": TEXT}, {"/usr/share/doc/hello/changelog": "not Debian's"}],
)
def test_a_deb_without_a_changelog_has_none(archive: TestArchive, files: dict[str, str]) -> None:
    assert read(archive.add_package("hello", "1.2-1", files=files), "hello") is None


def test_what_is_no_deb_has_none(tmp_path: Path) -> None:
    (tmp_path / "bad.deb").write_bytes(b"!<arch>\nno")
    assert read(tmp_path / "bad.deb", "hello") is None


def _directory_is_a_link(tar: tarfile.TarFile) -> None:
    link = tarfile.TarInfo("./usr/share/doc/hello")
    link.type, link.linkname = tarfile.SYMTYPE, "other"
    tar.addfile(link)


def test_a_deb_names_the_package_that_documents_it(tmp_path: Path) -> None:
    deb = _deb(tmp_path, _directory_is_a_link)
    assert documented_by(deb, "hello") == "other"
    assert documented_by(deb, "goodbye") is None


def _changelog_is_a_link(tar: tarfile.TarFile) -> None:
    link = tarfile.TarInfo("./usr/share/doc/hello/changelog.Debian.gz")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
    tar.addfile(link)


def _is_not_gzipped(tar: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("./usr/share/doc/hello/changelog.Debian.gz")
    member.size = 9
    tar.addfile(member, io.BytesIO(b"not gzip!"))


def _has_an_endless_name(tar: tarfile.TarFile) -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 300_000_000
    tar.addfile(name, _Zeros(name.size))


@pytest.mark.parametrize(
    "write", [_directory_is_a_link, _changelog_is_a_link, _is_not_gzipped, _has_an_endless_name]
)
def test_a_strange_deb_has_none(tmp_path: Path, write: Callable[[tarfile.TarFile], None]) -> None:
    assert read(_deb(tmp_path, write), "hello") is None


def test_a_changelog_without_end_is_cut_and_does_not_fill_memory(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(TEXT.encode())
        for _ in range(300):
            file.write(bytes(1_000_000))

    def write(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("./usr/share/doc/hello/changelog.Debian.gz")
        member.size = len(packed.getvalue())
        tar.addfile(member, io.BytesIO(packed.getvalue()))

    script = (
        "import sys; from pathlib import Path; from gitops.debian.changelog import entries, read;"
        "print([each.version for each in entries(read(Path(sys.argv[1]), 'hello'), '1.0-1', '1.2-1')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, _deb(tmp_path, write)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (150_000_000, 150_000_000)),
    )
    assert (done.stdout, done.stderr) == ("['1.2-1', '1.1-1']\n", "")


def test_a_real_debs_changelog_is_read_whole(trixie: Source, real_cache: Path, tmp_path: Path) -> None:
    [openssl] = refresh([trixie], "amd64", real_cache).candidates("openssl-provider-legacy")
    store = Store(tmp_path)
    store.fetch([openssl], {trixie.archive: [trixie.mirror]})
    found = entries(read(store.path(openssl.sha256), openssl.name) or "", "3.0.0-1", openssl.version)
    assert found[0].version == openssl.version
    assert len({cve for entry in found for cve in entry.cves}) > 50
    assert all(entry.date and entry.author and entry.text for entry in found)


class _Zeros(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        self._left -= size
        return bytes(size)


def _deb(directory: Path, write: Callable[[tarfile.TarFile], None]) -> Path:
    """Put a .deb together by hand, as dpkg-deb would not."""
    parts = {"debian-binary": b"2.0\n", "control.tar.gz": b"", "data.tar.gz": b""}
    for name in ("control.tar.gz", "data.tar.gz"):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1, format=tarfile.GNU_FORMAT) as tar:
            if name == "data.tar.gz":
                write(tar)
        parts[name] = packed.getvalue()
    deb = directory / "hello.deb"
    with deb.open("wb") as file:
        file.write(b"!<arch>\n")
        for name, data in parts.items():
            file.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode())
            file.write(data + b"\n" * (len(data) % 2))
    return deb
