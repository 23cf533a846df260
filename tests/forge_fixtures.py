"""A forge for tests of every room: see tests/forge/fake."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.forge.fake.server import FakeForge, served


@pytest.fixture
def forge_server(tmp_path: Path) -> Iterator[Callable[[str], FakeForge]]:
    """Make forges by kind, each with a bare repository of its own, served until the test ends."""
    with ExitStack() as stack:
        made: list[FakeForge] = []

        def make(kind: str) -> FakeForge:
            made.append(stack.enter_context(served(kind, tmp_path / f"forge-{len(made)}")))
            return made[-1]

        yield make
