"""A push wakes the agents of hosts, and neither waits for them nor fails by them."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from gitops.agent.doorbell import Doorbell
from gitops.agent.settings import Webhook
from gitops.agent.wake import listen
from gitops.guard.install import RECEIVING, install
from gitops.guard.ring import ring
from gitops.guard.settings import Agent
from gitops.system.places import Places
from tests.guard.conftest import Bare, Work

SECRET = "a-secret-of-the-tests"  # noqa: S105  # it opens nothing but the doorbell below


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[str, Event, Places]]:
    """A host's doorbell: its URL, what it sets when it rings, and the host's places."""
    places = Places(*(tmp_path / "host" / name for name in ("config", "state", "cache", "runtime", "cron")))
    places.config.mkdir(parents=True)
    (places.config / "secret").write_text(f"{SECRET}\n")
    (places.config / "secret").chmod(0o600)
    rung = Event()
    bell = Doorbell(Webhook(listen=f"127.0.0.1:{_free()}", secret_file="secret"), places, rung.set)  # noqa: S106
    try:
        yield f"http://127.0.0.1:{bell.server_port}/", rung, places
    finally:
        bell.shutdown()
        bell.server_close()


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_push_rings_at_the_hosts_that_are_configured(
    work: Work, bare: Bare, host: tuple[str, Event, Places]
) -> None:
    url, rung, places = host
    bare.git("config", "gitops.web1.wake", url)
    bare.git("config", "gitops.web1.secret", str(places.config / "secret"))
    work.ok("push", "--quiet", "origin", "main")
    assert rung.wait(120)


@pytest.mark.usefixtures("bare")
def test_a_push_knocks_at_the_agent_of_the_same_machine(work: Work, host: tuple[str, Event, Places]) -> None:
    woken, places = Event(), host[2]
    with listen(places, woken.set):
        work.ok("push", "--quiet", "origin", "main", GITOPS_RUNTIME=str(places.runtime))
        assert woken.wait(120)


def test_a_push_ends_while_the_waking_is_still_at_it(work: Work, bare: Bare, tmp_path: Path) -> None:
    go, done, program = (tmp_path / name for name in ("go", "done", "program"))
    waiting = f"while ! [ -e {go} ]; do sleep 0.05; done; touch {done}"
    program.write_text(f"#!/bin/sh\nif [ $2 = post-receive ]; then {waiting}; exit 1; fi\n")
    program.chmod(0o755)
    install(bare.root / "hooks", RECEIVING, [str(program)])
    work.ok("push", "--quiet", "origin", "main")
    assert not done.exists()
    go.touch()
    while not done.exists():
        time.sleep(0.05)


def test_a_host_that_is_away_or_has_another_secret_is_named_with_the_reason(
    tmp_path: Path, host: tuple[str, Event, Places]
) -> None:
    url, rung, places = host
    for name, mode in (("other", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("another-secret-altogether")
        (tmp_path / name).chmod(mode)
    agents = [
        Agent("away", f"http://127.0.0.1:{_free()}/", places.config / "secret"),
        Agent("stranger", url, tmp_path / "other"),
        Agent("open", url, tmp_path / "open"),
        Agent("lost", url, tmp_path / "missing"),
    ]
    told = ring(agents)
    assert told.keys() == {"away", "stranger", "open", "lost"}
    assert "cannot be reached" in told["away"]
    assert told["stranger"].endswith("answers 403")
    assert "can be read by others" in told["open"]
    assert "missing cannot be read" in told["lost"]
    assert not rung.is_set()
    assert ring([Agent("web1", url, places.config / "secret")]) == {}
    assert rung.is_set()
