"""What tests of archives share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops.debian.indexes import Indexes
from gitops.debian.mirrors import host_archives
from gitops.debian.sources import Source
from gitops.debian.suites import refresh
from gitops.system.errors import UserError
from tests.archive import TestArchive

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

Refresh = Callable[..., Indexes]


def source_of(
    archive: TestArchive, suite: str = "trixie", *, name: str = "test", keyring: Path | None = None
) -> Source:
    """Name a suite's main component of a test archive as a source."""
    return Source(name, archive.mirror, suite, ("main",), keyring or archive.keyring)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of indexes of one test's own."""
    return tmp_path / "cache"


@pytest.fixture
def refreshed(archive: TestArchive, cache: Path) -> Refresh:
    """Refresh the test's archive, or the sources given, for amd64."""
    return lambda *sources: refresh(sources or (source_of(archive),), "amd64", cache)


@contextmanager
def refused(cache: Path, *words: str) -> Iterator[None]:
    """Expect an error that says all these words, and a cache that stays as it is, to the last byte."""
    before = contents(cache)
    with pytest.raises(UserError) as error:
        yield
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)
    assert contents(cache) == before


def contents(directory: Path) -> dict[Path, bytes]:
    """Read every file below a directory, but for locks."""
    paths = [path for path in directory.rglob("*") if path.is_file() and path.name != "lock"]
    return {path: path.read_bytes() for path in paths}


@pytest.fixture(scope="session")
def trixie() -> Source:
    """The real archive's trixie, on the mirror that this host uses."""
    mirror = host_archives().debian
    assert mirror, "the host's apt configuration names no Debian mirror"
    return Source("trixie", mirror, "trixie", ("main",), DEBIAN_KEYRING)


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the real archive's indexes, which every test of this process shares."""
    return tmp_path_factory.mktemp("real")
