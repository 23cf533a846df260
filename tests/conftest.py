"""What tests of every room share: a signed archive of their own."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.archive import SigningKey, TestArchive, served, signing_key

pytest_plugins = [
    "tests.long_first",
    "tests.engine_fixtures",
    "tests.database_fixtures",
    "tests.forge_fixtures",
    "tests.registry_fixtures",
]


@pytest.fixture(scope="session", autouse=True)
def _no_proxy_for_loopback() -> Iterator[None]:
    """Keep a proxy of this machine's environment away from the servers that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("no_proxy", "NO_PROXY"):
            patch.setenv(variable, ",".join(filter(None, [os.environ.get(variable), "127.0.0.1"])))
        yield


@pytest.fixture(scope="session")
def archive_key() -> Iterator[SigningKey]:
    """The key that signs the tests' archives."""
    with signing_key("archive") as key:
        yield key


@pytest.fixture(scope="session")
def stranger_key() -> Iterator[SigningKey]:
    """A key that signs nothing anyone should trust."""
    with signing_key("stranger") as key:
        yield key


@pytest.fixture(scope="session")
def new_archive(
    archive_key: SigningKey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], TestArchive]]:
    """Make archives that are served until the session ends; for fixtures that share one among tests."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(served(tmp_path_factory.mktemp("archive"), archive_key))


@pytest.fixture
def archive(tmp_path: Path, archive_key: SigningKey) -> Iterator[TestArchive]:
    """An empty archive of one test's own."""
    with served(tmp_path / "archive", archive_key) as own:
        yield own
