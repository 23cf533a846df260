"""A job runs where it belongs, no longer than it may, and what it said can be read."""

import time

import pytest

from gitops.jobs.output import PART, logs
from gitops.jobs.run import run_job
from tests.jobs.conftest import COMMIT, INSTANCE, Service


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_the_exit_status_is_the_commands_own(service: Service, status: int) -> None:
    done = service.run(f"exit {status}")
    assert (done.status, done.outcome) == (status, "failed" if status else "ok")
    (run,) = service.past
    assert (run.instance, run.name, run.status, run.container) == (INSTANCE, "tick", status, service.id)
    assert (run.generation, run.tries, run.log) == (COMMIT, 1, "")


def test_it_runs_as_its_user_in_its_directory_with_its_variables(service: Service) -> None:
    service.run(
        'id -u; pwd; echo "$GREETING"',
        user="33",
        workdir="/data",
        environment={"GREETING": "it's 100 % $HOME"},
    )
    assert service.output() == b"33\n/data\nit's 100 % $HOME\n"


def test_the_log_has_every_byte_in_order_both_outputs_and_no_input(service: Service) -> None:
    seen: list[bytes] = []
    job = service.job(r'printf "a\377\376\000b\r\n"; sleep 0.2; echo bad >&2; sleep 0.2; cat; echo end')
    done = run_job(job, service.places, show=seen.append)
    assert service.output() == b"a\xff\xfe\x00b\r\nbad\nend\n" == b"".join(seen)
    assert logs(service.places, INSTANCE, "tick") == [service.places.state / done.log]


def test_words_reach_the_command_as_they_were_written(service: Service) -> None:
    words = ["a b", "$HOME", "`id`", "100%", "x\ny", "'", '"', "*", ""]
    service.run("/bin/busybox", "printf", "%s|", *words)
    assert service.output() == "".join(f"{word}|" for word in words).encode()


def test_a_command_that_is_not_there_fails_and_is_named(service: Service) -> None:
    done = service.run("/no/such/command", "at all")
    assert done.outcome == "failed"
    assert done.status in {126, 127}
    assert b"no such file" in service.output()


def test_megabytes_of_output_keep_their_beginning_and_their_end(service: Service) -> None:
    count = 4 * PART
    service.run(f"echo first; dd if=/dev/zero bs=65536 count={count // 65536} 2>/dev/null; echo last")
    kept = service.output()
    cut = f"\n-- {count + len('first last ') - 2 * PART} bytes are cut out here --\n".encode()
    assert len(kept) == 2 * PART + len(cut)
    assert kept.startswith(b"first\n\0")
    assert kept.endswith(b"\0last\n")
    assert kept[PART : PART + len(cut)] == cut


def test_a_job_that_takes_too_long_is_ended_with_its_children(service: Service) -> None:
    done = service.run("echo begun; sleep 7771 & busybox setsid sleep 7771 & sleep 7771", timeout=2)
    assert (done.status, done.outcome, done.detail) == (124, "timeout", "took longer than 2 s")
    assert service.output() == b"begun\n"
    assert service.processes("sleep 7771") == []
    assert service.past[0].outcome == "timeout"


def test_children_that_hide_their_environment_are_ended_too(service: Service) -> None:
    service.run(
        "busybox setsid busybox env -i sleep 7775 & busybox env -i sh -c 'sleep 7775; :'", timeout=0.5
    )
    assert service.processes("sleep 7775") == []


def test_a_job_that_will_not_listen_is_killed(service: Service) -> None:
    done = service.run("trap '' TERM; while :; do sleep 0.1; done; : 7772", timeout=0.5, grace=0.3)
    assert done.status == 124
    assert service.processes(": 7772") == []


def test_the_service_itself_is_left_alone_when_its_job_is_ended(service: Service) -> None:
    before = service.processes("")
    service.run("sleep 7774", timeout=0.5)
    assert set(before) & set(service.processes("sleep 99999"))
    (found,) = service.engine.named([service.name])
    assert found.state == "running"


@pytest.mark.parametrize(("grace", "takes", "tidied"), [(60.0, 0.5, True), (0.0, 60, False)])
def test_a_job_has_as_long_to_tidy_up_as_it_asks_for(
    service: Service,
    grace: float,
    takes: float,
    tidied: bool,  # noqa: FBT001
) -> None:
    done = service.run(
        f"trap 'sleep {takes}; echo tidied; exit 3' TERM; while :; do sleep 0.1; done",
        timeout=2,
        grace=grace,
    )
    assert (done.status, b"tidied" in service.output()) == (124, tidied)


def test_what_a_job_leaves_in_the_background_is_left_alone(service: Service) -> None:
    done = service.run("sleep 7776 >/dev/null 2>&1 & echo done")
    assert done.outcome == "ok"
    assert len(service.processes("sleep 7776")) == 1
    service.engine.stop(service.name)
    service.engine.start(service.name)


def test_a_job_that_fails_is_tried_again_as_often_as_it_says(service: Service) -> None:
    began = time.monotonic()
    done = service.run("echo try; [ -e /data/second ] || { touch /data/second; exit 3; }", retries=2)
    assert time.monotonic() - began > 2
    assert done.outcome == "ok"
    (run,) = service.past
    assert (run.tries, run.status) == (2, 0)
    assert service.output() == b"try\n-- exit status 3: again in 2 s --\ntry\n"


def test_a_job_of_the_host_runs_there_and_is_ended_with_its_children(service: Service) -> None:
    script = 'echo "on $(uname)"; setsid sleep 7779 & exec env -i sleep 7779'
    job = service.job(instance="@host", service="", argv=("sh", "-c", script), timeout=2)
    done = run_job(job, service.places)
    assert (done.status, done.outcome) == (124, "timeout")
    assert service.output() == b"on Linux\n"
    assert (
        run_job(service.job(instance="@host", service="", argv=("sh", "-c", "exit 3")), service.places).status
        == 3
    )
    missing = run_job(service.job(instance="@host", service="", argv=("no-such-program",)), service.places)
    assert (missing.status, missing.outcome) == (127, "failed")
    assert "no-such-program" in missing.detail


def test_only_so_many_logs_are_kept_and_the_newest_always(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitops.jobs.output._KEPT", 3)
    for _ in range(5):
        service.run("echo hello")
    assert [service.places.state / one.log for one in service.past[:3]] == logs(
        service.places, INSTANCE, "tick"
    )[::-1]
    monkeypatch.setattr("gitops.jobs.output._KEPT_BYTES", 1)
    newest = service.run("echo more than a byte").log
    assert logs(service.places, INSTANCE, "tick") == [service.places.state / newest]
