import socket
import stat
from pathlib import Path
from queue import SimpleQueue

import pytest

from gitops.agent.wake import listen, wake
from gitops.system.errors import UserError
from gitops.system.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Places whose names are longer than a socket's may be."""
    return Places(*[tmp_path / ("long" * 40)] * 5)


def abandoned(places: Places) -> None:
    """Leave a socket behind that nobody listens at, as a killed agent does."""
    places.runtime.mkdir(parents=True, exist_ok=True)
    (places.runtime / "agent.sock").unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        patch.chdir(places.runtime)
        server.bind("agent.sock")


def test_who_may_knock_is_heard_and_nobody_else_may(places: Places) -> None:
    heard: SimpleQueue[None] = SimpleQueue()
    with listen(places, lambda: heard.put(None)):
        wake(places)
        wake(places)
        for _ in range(2):
            heard.get(timeout=10)
        assert stat.S_IMODE((places.runtime / "agent.sock").stat().st_mode) == 0o600


def test_where_no_agent_runs_it_is_said_what_to_do(places: Places) -> None:
    for _ in range(2):
        with pytest.raises(UserError, match="gitops agent once"):
            wake(places)
        abandoned(places)  # what an agent that was killed leaves behind is not taken for one


def test_an_agent_that_was_killed_is_not_in_the_way_of_the_next(places: Places) -> None:
    abandoned(places)
    heard: SimpleQueue[None] = SimpleQueue()
    with listen(places, lambda: heard.put(None)):
        wake(places)
        heard.get(timeout=10)
