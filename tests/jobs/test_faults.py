"""What goes wrong while a job runs, or is to run, is told truthfully, and nothing of it is left."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.engine.docker import Docker
from gitops.jobs.left import end_left
from gitops.jobs.output import log_directory
from gitops.jobs.run import run_job
from gitops.jobs.running import any_left, notes
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import places
from tests.database_fixtures import until
from tests.engine_fixtures import busybox
from tests.jobs.conftest import INSTANCE, Service
from tests.own_engine import own_engine

RUN = ("job", "run", INSTANCE, "tick")


@contextmanager
def _meanwhile(service: Service, *command: str, **fields: object) -> Iterator[list[object]]:
    """Run a job in a thread while the block runs; the list has how it went, afterwards."""
    went: list[object] = []
    job = service.job(*command, **fields)
    with pytest.MonkeyPatch.context() as patch:  # signals are for the main thread
        patch.setattr("gitops.jobs.run.signal.signal", lambda *_: None)
        thread = threading.Thread(target=lambda: went.append(run_job(job, service.places)))
        thread.start()
        yield went
        thread.join(60)
    assert went


def test_a_container_that_is_removed_amid_its_job_makes_it_fail(own: Service) -> None:
    with _meanwhile(own, "echo begun; sleep 7783"):
        until(lambda: own.has_said(b"begun"))
        own.engine.remove(own.name)
    (run,) = own.past
    assert (run.outcome, run.detail, own.output(run)) == ("failed", "its container went away", b"begun\n")
    assert run.status != 0


def test_a_container_that_is_stopped_amid_its_job_makes_it_fail(own: Service) -> None:
    with _meanwhile(own, "sleep 7784"):
        until(lambda: own.processes("sleep 7784"))
        own.engine.stop(own.name)
        own.engine.start(own.name)
    (run,) = own.past
    assert (run.outcome, run.detail, run.tries) == ("failed", "its container went away", 1)


def test_a_job_whose_container_is_replaced_is_done_in_the_new_one_where_it_may_be_tried_again(
    own: Service,
) -> None:
    with _meanwhile(own, "[ -e /data/go ] || { echo waits; sleep 7785; }", retries=1):
        until(lambda: own.has_said(b"waits"))
        own.touch("/data/go")
        old = own.id
        own.engine.remove(own.name)
        new = own.start()
    (run,) = own.past
    assert (run.outcome, run.tries, run.container) == ("ok", 2, new)
    assert new != old


def test_a_service_that_does_not_run_is_waited_for_and_then_missed(own: Service) -> None:
    own.engine.stop(own.name)
    done = own.run("true", wait=0.5)
    assert (done.outcome, done.status) == ("missed", 75)
    assert own.past[0].detail == "alice/web is not running"
    with _meanwhile(own, "true", wait=30.0):
        time.sleep(0.5)
        own.engine.start(own.name)
    assert own.past[0].outcome == "ok"


def test_a_job_that_is_due_amid_a_roll_out_waits_and_runs_in_what_stays(own: Service) -> None:
    old = own.id
    own.engine.rename(own.name, f"{own.name}.before")
    new = own.start(networks=())
    with _meanwhile(own, "true", wait=30.0) as went:
        time.sleep(0.5)
        assert not went
        own.engine.remove(old)
    assert own.past[0].container == new
    assert own.past[0].outcome == "ok"


def test_one_that_stands_still_for_a_backup_is_waited_for(own: Service) -> None:
    own.engine.pause(own.id)
    with _meanwhile(own, "true", wait=30.0) as went:
        time.sleep(0.5)
        assert not went
        own.engine.start(own.id)
    assert own.past[0].outcome == "ok"


def test_what_a_killed_runner_has_left_is_ended_and_recorded_by_the_next_sweep(service: Service) -> None:
    service.define(service.job("echo begun; busybox setsid sleep 7786 & sleep 7786"))
    with service.gitops(*RUN) as watcher:
        until(lambda: service.has_said(b"begun") and len(service.processes("sleep 7786")) > 1)
        assert not any_left(service.places)
        watcher.kill()
        watcher.communicate()
    assert any_left(service.places)
    assert service.past == []
    told: list[str] = []
    end_left(service.places, told.append)
    assert told == ["ended the job alice/tick, whose runner was killed"]
    assert service.processes("sleep 7786") == []
    (run,) = service.past
    assert (run.outcome, run.status, run.container) == ("killed", 137, service.id)
    assert service.output() == b"begun\n"
    assert not any_left(service.places)


def test_what_a_killed_runner_has_left_does_not_run_on_beside_the_next_one(service: Service) -> None:
    service.define(service.job("[ -e /data/go4 ] || { echo waits; busybox env -i sleep 7787; }"))
    with service.gitops(*RUN) as watcher:
        until(lambda: service.has_said(b"waits"))
        watcher.kill()
        watcher.communicate()
    service.touch("/data/go4")
    assert run_job(service.job("true"), service.places).outcome == "ok"
    assert service.processes("sleep 7787") == []
    assert [run.outcome for run in service.past] == ["ok", "killed"]


def test_a_job_that_ended_well_although_its_runner_was_killed_is_told_as_that(service: Service) -> None:
    service.define(service.job("until [ -e /data/go6 ]; do sleep 0.1; done"))
    with service.gitops(*RUN) as watcher:
        until(lambda: service.processes("go6"))
        watcher.kill()
        watcher.communicate()
    service.touch("/data/go6")
    until(lambda: not service.processes("go6"))
    end_left(service.places)
    (run,) = service.past
    said = "the gitops that watched over it was killed; the job had ended by itself with exit status 0"
    assert (run.outcome, run.detail) == ("killed", said)


def test_a_job_of_its_own_container_has_the_services_things_but_not_its_limits(
    service: Service, api: APIClient
) -> None:
    service.touch("/data/mine")
    service.define(
        service.job("ls /data; echo $GREETING; [ -e /data/go5 ] || exec sleep 7788", mode="run", timeout=60)
    )
    with service.gitops(*RUN) as watcher:
        until(lambda: watcher.poll() is not None or service.processes("sleep 7788", *_own(api, service)))
        assert watcher.poll() is None, (watcher.communicate(), service.past)
        (name,) = _own(api, service)
        made = api.inspect_container(name)
        assert made["HostConfig"]["Memory"] == 0 < api.inspect_container(service.name)["HostConfig"]["Memory"]
        assert made["HostConfig"]["CapDrop"] == ["ALL"]
        assert list(made["NetworkSettings"]["Networks"]) == [f"{service.fleet}.{INSTANCE}.default"]
        assert not [label for label in made["Config"]["Labels"] if label.startswith("gitops.fleet")]
        watcher.terminate()
        watcher.communicate()
    assert _own(api, service) == []
    service.touch("/data/go5")
    assert service.run("ls /data; exit 4", mode="run").status == 4
    assert b"mine\n" in service.output()
    assert _own(api, service) == []


def test_what_a_killed_runner_has_left_is_not_forgotten_while_the_engine_is_away(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.define(service.job("sleep 7796; :"))
    with service.gitops(*RUN) as watcher:
        until(lambda: service.processes("sleep 7796"))
        watcher.kill()
        watcher.communicate()
    with monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///nobody/listens/here")
        with pytest.raises(UserError, match="no container engine answers"):
            end_left(service.places)
        missed = run_job(service.job("true"), service.places)
        assert (missed.outcome, missed.status) == ("missed", 75)
        assert any_left(service.places)
    end_left(service.places)
    assert service.processes("sleep 7796") == []
    assert [run.outcome for run in service.past] == ["killed", "missed"]


def test_a_container_of_a_jobs_own_goes_also_when_its_runner_was_killed(
    service: Service, api: APIClient
) -> None:
    service.define(service.job("exec sleep 7789", mode="run"))
    with service.gitops(*RUN) as watcher:
        until(lambda: _own(api, service))
        watcher.kill()
        watcher.communicate()
    end_left(service.places)
    assert _own(api, service) == []
    assert service.past[0].outcome == "killed"


def test_a_job_of_its_own_container_that_takes_too_long_is_ended(service: Service, api: APIClient) -> None:
    done = service.run("echo begun; trap '' TERM; sleep 7790", mode="run", timeout=2, grace=0.2)
    assert (done.status, service.output()) == (124, b"begun\n")
    assert _own(api, service) == []


def test_a_clock_that_is_put_back_amid_a_job_changes_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = now()
    times = iter([began, began])
    monkeypatch.setattr("gitops.jobs.run.now", lambda: next(times, began - timedelta(hours=1)))
    done = service.run("sleep 1", timeout=30)
    assert done.outcome == "ok"
    assert service.past[0].ended < service.past[0].started
    monkeypatch.setattr("gitops.jobs.run.now", lambda: began - timedelta(days=400))
    assert service.run("echo again").outcome == "ok"
    assert service.output() == b"again\n"


def test_a_disk_that_is_full_under_the_log_does_not_stop_the_job(service: Service) -> None:
    disk = service.places.state
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=True)
    try:
        done = service.run("dd if=/dev/zero bs=65536 count=32 2>/dev/null; touch /data/done; exit 3")
        assert (done.outcome, done.status) == ("failed", 3)
        assert done.detail == "its output could not be kept: No space left on device"
        assert service.past[0].detail == done.detail
        assert 0 < len(service.output()) < 1 << 20
        subprocess.run(["dd", "if=/dev/zero", f"of={disk}/filler"], check=False, capture_output=True)
        assert service.run("echo hello; exit 5").status == 5
        assert notes(service.places) == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    assert service.processes("dd ") == []


def test_a_log_cannot_be_written_at_all_and_the_job_runs(service: Service) -> None:
    log_directory(service.places, INSTANCE, "tick").parent.mkdir(parents=True)
    log_directory(service.places, INSTANCE, "tick").write_text("a file where a directory is to be")
    done = service.run("echo hello")
    assert (done.outcome, done.log) == ("ok", "")
    assert done.detail.startswith("its output could not be kept: ")


def test_an_engine_that_is_killed_amid_a_job_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    with own_engine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.address)
        with engine.api() as api:
            api.import_image_from_data(busybox(tmp_path), repository="tiny", tag="1")
        with Docker() as docker:
            service = Service("one", "tiny:1", places(), docker)
            service.start(restart="always")
            with _meanwhile(service, "echo begun; sleep 7791", timeout=120):
                until(lambda: service.has_said(b"begun"))
                engine.kill()
                engine.start()
            (run,) = service.past
            assert (run.outcome, service.output(run)) == ("failed", b"begun\n")
            assert run.detail == "its container went away"
            until(lambda: docker.named([service.name])[0].state == "running")
            assert service.processes("sleep 7791") == []
            assert service.run("true", wait=30.0).outcome == "ok"


def _own(api: APIClient, service: Service) -> list[str]:
    found = api.containers(all=True, filters={"label": f"gitops.job={INSTANCE}/tick"})
    return [one["Names"][0][1:] for one in found if one["Names"][0].startswith(f"/{service.fleet}.")]
