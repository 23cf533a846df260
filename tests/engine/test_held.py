"""Containers stand still for as long as somebody who lives wants them to, and no longer."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gitops.engine.connection import ask
from gitops.engine.docker import Docker
from gitops.engine.held import any_held, engine_lock, free, hold, living
from gitops.engine.observed import Observed
from gitops.engine.specification import HealthSpec, NetworkSpec
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places
from tests.database_fixtures import until
from tests.engine_fixtures import container

_HOLDER = """
    import sys, time
    from pathlib import Path
    from gitops.engine.docker import Docker
    from gitops.engine.held import hold
    from gitops.system.places import places
    engine = Docker()
    with hold(engine, engine.containers(sys.argv[1], "host"), sys.argv[2], places(), "backup"):
        print("held", flush=True)
        time.sleep(600)
"""


@dataclass(frozen=True)
class Host:
    engine: Docker
    fleet: str
    places: Places

    def containers(self) -> list[Observed]:
        return self.engine.containers(self.fleet, "host")

    def states(self) -> dict[str, str]:
        return {one.subject: one.state for one in self.containers()}

    def started(self) -> list[str]:
        """Tell when each container was last started."""
        return [
            ask("cannot inspect", f"/containers/{one.id}/json")["State"]["StartedAt"]
            for one in self.containers()
        ]

    def holder(self, how: str) -> subprocess.Popen[str]:
        """Start a process that holds all containers until it ends."""
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_HOLDER), self.fleet, how],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process


@pytest.fixture
def host(fleet_name: str, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A db that runs, a web that runs, and a job that has ended."""
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    made = Places(
        *(tmp_path / one for one in ("etc/gitops", "var/lib/gitops", "var/cache/gitops")),
        *(tmp_path / one for one in ("run/gitops", "etc/cron.d")),
    )
    with Docker() as engine:
        engine.ensure_network(
            NetworkSpec(f"{fleet_name}.alice.default", "alice", "default"), fleet_name, "host"
        )
        for service in ("db", "web", "once"):
            spec = container(fleet_name, f"alice/{service}", image, stop_grace_period=1.0)
            if service == "once":
                spec = replace(spec, command=("true",), restart="no")
            engine.create(spec, fleet_name, "host", "c0ffee")
            engine.start(spec.name)
        host = Host(engine, fleet_name, made)
        until(lambda: host.states()["alice/once"] == "exited")
        yield host


RUNNING = {"alice/db": "running", "alice/web": "running", "alice/once": "exited"}


@pytest.mark.parametrize(("how", "state"), [("pause", "paused"), ("stop", "exited")])
def test_what_runs_stands_still_for_the_block_and_the_time_is_told(host: Host, how: str, state: str) -> None:
    with hold(host.engine, host.containers(), how, host.places, "backup") as still:  # type: ignore[arg-type]
        assert host.states() == {**RUNNING, "alice/db": state, "alice/web": state}
        assert set(living(host.places).values()) == {"backup"}
        assert len(living(host.places)) == 2
        free(host.engine, host.places)
        assert host.states()["alice/db"] == state
    assert host.states() == RUNNING
    assert not any_held(host.places)
    assert still.seconds > 0


def test_an_error_inside_the_block_lets_containers_go_on(host: Host) -> None:
    with (
        pytest.raises(UserError, match="full"),
        hold(host.engine, host.containers(), "stop", host.places, "x"),
    ):
        raise UserError("full")
    assert host.states() == RUNNING
    assert not any_held(host.places)


@pytest.mark.parametrize("how", ["pause", "stop"])
def test_containers_whose_holder_was_killed_go_on_and_others_stay_as_they_are(host: Host, how: str) -> None:
    told: list[str] = []
    with host.holder(how) as process:
        free(host.engine, host.places, told.append)
        assert host.states()["alice/web"] != "running"
        process.send_signal(signal.SIGKILL)
    assert any_held(host.places)
    assert not living(host.places)
    free(host.engine, host.places, told.append)
    assert host.states() == RUNNING
    assert not any_held(host.places)
    assert told == [
        f"start alice/{one}: it stood still for a backup, which has died" for one in ("db", "web")
    ]


def test_whoever_holds_next_ends_what_the_dead_have_left(host: Host) -> None:
    with host.holder("pause") as process:
        process.kill()
    with hold(host.engine, host.containers(), "stop", host.places, "restore"):
        assert host.states()["alice/db"] == "exited"
    assert host.states() == RUNNING


def test_whoever_needs_the_same_stillness_takes_it_over_from_the_dead(host: Host) -> None:
    before = host.started()
    with host.holder("stop") as process:
        process.kill()
    with hold(host.engine, host.containers(), "stop", host.places, "restore"):
        assert host.states() == {**RUNNING, "alice/db": "exited", "alice/web": "exited"}
        assert host.started() == before
        assert set(living(host.places).values()) == {"restore"}
    assert host.states() == RUNNING
    assert not any_held(host.places)


def test_nobody_takes_a_container_that_somebody_else_holds(host: Host) -> None:
    with (
        hold(host.engine, host.containers(), "pause", host.places, "backup"),
        pytest.raises(UserError, match="alice/db stands still for a backup"),
        hold(host.engine, host.containers(), "stop", host.places, "restore"),
    ):
        pass
    assert host.states() == RUNNING


def test_a_holder_waits_for_a_roll_out_and_takes_the_containers_that_are_there_then(
    host: Host, image: str
) -> None:
    before = host.containers()
    with exclusive(engine_lock(host.places), "the host"):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_HOLDER), host.fleet, "pause"],
            stdout=subprocess.PIPE,
            text=True,
        )
        until(lambda: _waits_for(process.pid, engine_lock(host.places)))
        assert host.states() == RUNNING
        (web,) = (one for one in before if one.service == "web")
        host.engine.remove(web.id)
        host.engine.start(
            host.engine.create(container(host.fleet, "alice/web", image), host.fleet, "host", "c0ffee")
        )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        assert host.states() == {**RUNNING, "alice/db": "paused", "alice/web": "paused"}
        process.kill()


def _waits_for(process: int, lock: Path) -> bool:
    """Tell whether a process has a lock's file open."""
    opened = [link.resolve() for link in Path(f"/proc/{process}/fd").iterdir()]
    return lock.resolve() in opened


def test_a_hold_that_was_cut_short_while_it_was_written_does_no_harm(host: Host) -> None:
    (host.places.runtime / "held").mkdir(parents=True)
    (host.places.runtime / "held" / host.containers()[0].id).touch()
    (host.places.runtime / "held" / ("0" * 64)).write_text("{")
    free(host.engine, host.places)
    assert not any_held(host.places)
    assert host.states() == RUNNING


def test_a_container_is_not_called_unhealthy_because_it_was_paused(host: Host, image: str) -> None:
    check = HealthSpec(("CMD", "true"), 2 * 10**9, 10**9, 3, 0)
    spec = container(host.fleet, "alice/checked", image, healthcheck=check, has_health=True)
    host.engine.start(host.engine.create(spec, host.fleet, "host", "c0ffee"))
    until(lambda: host.engine.health(spec.name)[0] == "healthy")
    with hold(host.engine, host.engine.named([spec.name]), "pause", host.places, "backup"):
        pass
    assert host.engine.wait_healthy(spec.name, 60) == ("healthy", "")
    with hold(host.engine, host.engine.named([spec.name]), "pause", host.places, "backup"):
        pass
    assert host.engine.prove(spec.name, 0, 60).well
