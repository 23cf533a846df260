import contextlib
import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from docker.api.client import APIClient
from docker.errors import APIError

from gitops.engine import labels
from gitops.engine.connection import address
from gitops.engine.docker import Docker
from gitops.engine.names import BEFORE
from gitops.engine.request import create_request
from gitops.engine.specification import (
    ContainerSpec,
    HealthSpec,
    NetworkSpec,
    PortSpec,
    VolumeSpec,
    digests,
)
from gitops.system.errors import UserError
from tests.engine_fixtures import container

Run = Callable[[ContainerSpec], str]


@pytest.fixture
def engine() -> Iterator[Docker]:
    with Docker() as engine:
        yield engine


@pytest.fixture
def run(engine: Docker, fleet_name: str) -> Run:
    def start(spec: ContainerSpec) -> str:
        for name, _ in spec.networks:
            engine.ensure_network(NetworkSpec(name, spec.instance, "default"), fleet_name, "host")
        engine.create(spec, fleet_name, "host", "c0ffee")
        engine.start(spec.name)
        return spec.name

    return start


def test_one_list_call_tells_what_a_container_was_made_from(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    spec = container(fleet_name, "alice/web", image)
    run(spec)
    (seen,) = engine.containers(fleet_name, "host")
    assert (seen.subject, seen.image, seen.generation, seen.state) == (
        "alice/web",
        image,
        "c0ffee",
        "running",
    )
    assert seen.digests == digests(spec)
    assert seen.networks == (f"{fleet_name}.alice.default",)
    assert engine.containers(fleet_name, "another") == []


def test_a_container_gains_no_privileges_and_keeps_seven_capabilities(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    capabilities = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID")
    name = run(container(fleet_name, "alice/web", image, capabilities=capabilities))
    with engine.exec(name, ["cat", "/proc/1/status"]) as stream:
        status = dict(line.split(":\t") for line in b"".join(stream).decode().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapBnd"], 16) == sum(1 << bit for bit in (0, 1, 3, 5, 6, 7, 10))


def test_what_an_engine_makes_late_for_somebody_who_was_killed_is_not_in_the_way(
    engine: Docker, fleet_name: str, image: str
) -> None:
    for number in range(5):
        spec = container(fleet_name, f"alice{number}/web", image, networks=())
        body = json.dumps(create_request(spec, fleet_name, "host", "c0ffee")).encode()
        head = f"POST /containers/create?name={spec.name} HTTP/1.1\r\nHost: engine\r\n"
        with socket.socket(socket.AF_UNIX) as killed:
            killed.connect(address().removeprefix("unix://"))
            killed.sendall(
                f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )
            killed.settimeout(0.01 * number)
            with contextlib.suppress(BlockingIOError, TimeoutError):
                killed.recv(1)
        made = engine.create(spec, fleet_name, "host", "c0ffee")
        assert [one.id for one in engine.named([spec.name])] == [made]


def test_a_container_that_runs_or_is_not_ours_keeps_its_name(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    spec = container(fleet_name, "alice/web", image)
    run(spec)
    with pytest.raises(UserError, match=r"cannot create alice/web: .* is already in use by container"):
        engine.create(spec, fleet_name, "host", "c0ffee")
    engine.create(spec := container(fleet_name, "bob/web", image, networks=()), fleet_name, "host", "c0ffee")
    with pytest.raises(UserError, match=r"cannot create bob/web: .* is already in use by container"):
        engine.create(spec, fleet_name, "another", "c0ffee")


def test_of_two_networks_with_one_name_the_one_that_is_used_stays(
    api: APIClient, engine: Docker, fleet_name: str, image: str
) -> None:
    """An engine from Docker 25 on refuses to make the second one, and nothing is to be mended."""
    names = [f"{fleet_name}.alice.{name}" for name in ("default", "back")]
    marks = {labels.FLEET: fleet_name, labels.HOST: "host", labels.INSTANCE: "alice"}

    def twice(name: str) -> None:
        for _ in range(2):
            with contextlib.suppress(APIError):
                api.create_network(name, check_duplicate=False, labels=marks)

    for name in names:
        twice(name)
    spec = container(fleet_name, "alice/web", image, networks=tuple((name, ()) for name in names))
    engine.create(spec, fleet_name, "host", "c0ffee")
    engine.start(spec.name)
    (used,) = (one["Id"] for one in api.networks(names=names[:1]))
    assert engine.networks(fleet_name, "host") == dict.fromkeys(names, "alice")
    twice(names[0])
    engine.ensure_network(NetworkSpec(names[0], "alice", "default"), fleet_name, "host")
    assert [one["Id"] for one in api.networks(names=names[:1])] == [used]
    engine.remove(spec.name)
    twice(names[0])
    for name in names:
        engine.remove_network(name)
    assert engine.networks(fleet_name, "host") == {}
    assert api.networks(filters={"label": f"{labels.FLEET}={fleet_name}"}) == []


def test_a_service_is_found_by_its_name_on_every_network_of_its_own(
    api: APIClient, fleet_name: str, image: str, run: Run
) -> None:
    networks = tuple((f"{fleet_name}.alice.{name}", ("web", "www")) for name in ("default", "back"))
    name = run(container(fleet_name, "alice/web", image, networks=networks))
    attached = api.inspect_container(name)["NetworkSettings"]["Networks"]
    assert {network: {"web", "www"} <= set(one["Aliases"]) for network, one in attached.items()} == {
        networks[0][0]: True,
        networks[1][0]: True,
    }


def test_a_command_gets_its_input_and_gives_output_errors_and_status(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    name = run(container(fleet_name, "alice/web", image))
    sent = [bytes([number]) * 65_536 for number in range(64)]
    with engine.exec(
        name, ["sh", "-c", "cat; echo $A >&2; exit 3"], environment={"A": "b"}, stdin=sent
    ) as stream:
        received = hashlib.sha256()
        for chunk in stream:
            received.update(chunk)
        assert stream.wait() == 3
    assert received.digest() == hashlib.sha256(b"".join(sent)).digest()
    assert stream.stderr == b"b\n"


def test_the_first_bytes_of_a_quick_command_are_never_lost(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    name = run(container(fleet_name, "alice/web", image))
    for number in range(20):
        with engine.exec(name, ["echo", str(number)]) as stream:
            assert b"".join(stream) == f"{number}\n".encode()


def test_a_command_that_takes_too_long_is_told(engine: Docker, fleet_name: str, image: str, run: Run) -> None:
    name = run(container(fleet_name, "alice/web", image))
    with engine.exec(name, ["sleep", "5"], timeout=0.3) as stream, pytest.raises(TimeoutError):
        stream.wait()


def test_input_that_breaks_off_is_told_and_not_taken_for_its_end(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("the other half is missing")

    name = run(container(fleet_name, "alice/web", image))
    with (
        engine.exec(name, ["cat"], stdin=broken()) as stream,
        pytest.raises(ValueError, match="the other half"),
    ):
        stream.wait()


def test_a_command_that_does_not_exist_has_a_status(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    name = run(container(fleet_name, "alice/web", image))
    with engine.exec(name, ["no-such-program"]) as stream:
        assert stream.wait() in {126, 127}


def test_a_command_in_a_stopped_container_is_refused_with_its_reason(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    name = run(container(fleet_name, "alice/web", image))
    engine.stop(name)
    with pytest.raises(UserError, match="is not running"):
        engine.exec(name, ["true"])


def test_an_unhealthy_container_says_what_its_check_said(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    check = HealthSpec(("CMD-SHELL", "echo the table is gone; exit 1"), 10**8, 10**9, 1, 0)
    name = run(container(fleet_name, "alice/web", image, healthcheck=check))
    assert engine.wait_healthy(name, 30) == ("unhealthy", "the table is gone")
    assert engine.containers(fleet_name, "host")[0].health == "unhealthy"


def test_a_container_that_died_says_its_last_words(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    spec = container(
        fleet_name, "alice/web", image, command=("sh", "-c", "echo no config; exit 4"), restart="no"
    )
    name = run(spec)
    engine.wait(name)
    assert engine.wait_healthy(name, 30) == ("exited (4)", "no config")


def test_a_volume_outlives_its_container_and_is_found_on_the_host(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    volume = VolumeSpec(f"{fleet_name}.alice.data", "alice", "data")
    for _ in range(2):
        engine.ensure_volume(volume, fleet_name, "host")
    spec = container(fleet_name, "alice/web", image)
    name = run(replace(spec, volumes=()))
    engine.remove(name)
    engine.remove(name)
    assert engine.volumes(fleet_name, "host") == {volume.name}
    assert engine.volume_path(volume.name).is_absolute()


def test_images_are_known_and_read_without_being_started(engine: Docker, image: str) -> None:
    assert engine.images([image, "gitops-test/none:1"]) == {image}
    assert engine.read_file(image, "/bin/busybox")[:4] == b"\x7fELF"
    with pytest.raises(UserError, match="no-such-file"):
        engine.read_file(image, "/no-such-file")


def test_a_paused_container_goes_on_when_it_is_started(
    api: APIClient, engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    name = run(container(fleet_name, "alice/web", image))
    api.pause(name)
    engine.start(name)
    assert engine.containers(fleet_name, "host")[0].state == "running"


def test_an_engine_that_is_away_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(UserError, match="systemctl start docker"):
        Docker().containers("fleet", "host")


def test_an_engine_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.example.org:2375")
    with pytest.raises(UserError, match="not on this machine"):
        Docker().containers("fleet", "host")


def test_a_container_without_a_healthcheck_proves_itself_by_living_on(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    lives = run(container(fleet_name, "alice/lives", image))
    assert engine.prove(lives, wait=0.5, patience=30).well
    dies = ("sh", "-c", "echo no config; sleep 0.3; exit 4")
    verdict = engine.prove(run(container(fleet_name, "alice/dies", image, command=dies)), wait=5, patience=30)
    assert (verdict.well, verdict.state) == (False, "dying again and again")
    assert verdict.said.splitlines()[-1] == "no config"


def test_a_container_that_ends_proves_itself_by_ending_well(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    well = container(fleet_name, "alice/well", image, command=("true",), restart="no")
    ill = container(fleet_name, "alice/ill", image, command=("false",), restart="no")
    assert engine.prove(run(well), wait=60, patience=60).well
    assert engine.prove(run(ill), wait=60, patience=60).state == "exited (1)"


def test_a_container_with_a_healthcheck_proves_itself_by_it(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    for number, (test, patience, state) in enumerate(
        [("true", 30, ""), ("echo sick; exit 1", 30, "unhealthy"), ("sleep 9", 0.5, "not healthy yet")]
    ):
        check = HealthSpec(("CMD-SHELL", test), 10**8, 10**10, 1, 0)
        name = run(container(fleet_name, f"alice/s{number}", image, healthcheck=check))
        verdict = engine.prove(name, wait=60, patience=patience)
        assert (verdict.state, verdict.well) == (state, state == "")


def test_a_list_tells_what_a_container_holds_and_when_it_starts_again(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    run(container(fleet_name, "alice/web", image, ports=(PortSpec(80, None, "127.0.0.1", "tcp"),)))
    run(container(fleet_name, "alice/other", image, restart="on-failure:3"))
    other, web = engine.containers(fleet_name, "host")
    ((address, _, protocol),) = web.ports
    assert (address, protocol, web.restart, other.restart) == (
        "127.0.0.1",
        "tcp",
        "unless-stopped",
        "on-failure:3",
    )


def test_of_two_that_run_the_one_in_its_place_is_meant(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    spec = container(fleet_name, "alice/web", image)
    engine.rename(run(spec), spec.name + BEFORE)
    found = engine.running(fleet_name, "host", "alice", "web")
    assert found
    assert found.aside
    run(spec)
    found = engine.running(fleet_name, "host", "alice", "web")
    assert found
    assert (found.name, found.aside) == (spec.name, False)


def test_a_limit_that_the_engine_refuses_is_told_in_its_words(
    engine: Docker, fleet_name: str, image: str, run: Run
) -> None:
    spec = container(fleet_name, "alice/web", image)
    name = run(spec)
    with pytest.raises(UserError, match="cannot change the limits of alice/web: Minimum memory"):
        engine.update_limits(name, replace(spec, mem_limit=1))
    assert engine.other_limits(name, replace(spec, mem_limit=64 << 20, pids_limit=-1)) == ["mem_limit"]
