"""`gitops job run` as cron starts it: from the generation's definitions, and one of a job at a time."""

import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from gitops.jobs.running import notes
from gitops.report.history import Run, record, runs
from gitops.system.clock import now
from gitops.system.run import run
from tests.database_fixtures import until
from tests.jobs.conftest import COMMIT, HOST, INSTANCE, Service

RUN = ("job", "run", INSTANCE, "tick")


def test_it_is_told_by_the_generation_alone_and_says_how_it_went(service: Service) -> None:
    service.define(service.job("echo hello; exit 3"))
    with service.gitops(*RUN) as job:
        output, said = job.communicate()
    assert (job.returncode, output) == (3, b"")
    assert said.startswith(b"tick of alice failed with exit status 3 after ")
    assert service.output() == b"hello\n"
    assert service.past[0].generation == COMMIT


def test_cron_hears_nothing_of_a_job_that_went_well(service: Service) -> None:
    service.define(service.job("echo hello"))
    with service.gitops(*RUN, "--due") as job:
        assert job.communicate() == (b"", b"")
    assert job.returncode == 0
    assert service.output() == b"hello\n"


def test_who_follows_it_sees_its_output_and_may_go_away(service: Service) -> None:
    service.define(service.job("echo hello; sleep 0.5; echo world; sleep 0.5; echo end"))
    with service.gitops(*RUN, "--follow") as job:
        output, _ = job.communicate()
    assert output == b"hello\nworld\nend\n"
    with service.gitops(*RUN, "--follow") as job:
        assert job.stdout
        assert job.stdout.readline() == b"hello\n"
        job.stdout.close()
        job.stdout = None
        job.communicate()
    assert job.returncode == 0
    assert service.output() == b"hello\nworld\nend\n"


def test_nothing_heavy_is_loaded_for_it(service: Service) -> None:
    service.define(service.job("true"))
    program = (
        "import sys; from gitops.jobs.lean import lean; assert lean(sys.argv[1:]) == 0; print(*sys.modules)"
    )
    loaded = run([sys.executable, "-c", program, INSTANCE, "tick", "--due"]).stdout.split()
    heavy = {"typer", "pydantic", "docker", "dataclasses", "logging", "inspect", "subprocess", "asyncio"}
    assert not heavy & set(loaded)
    assert "gitops.report.notices" not in loaded


def test_a_job_that_is_not_there_is_told_with_those_that_are(service: Service) -> None:
    service.define(service.job("true"))
    for words, message in (
        (("job", "run", INSTANCE, "nightly"), b"alice has no job nightly\n  it has: tick\n"),
        (("job", "run", "bob", "tick"), b"no jobs of bob on this host\n  there are jobs of: alice\n"),
    ):
        with service.gitops(*words) as job:
            _, said = job.communicate()
        assert (job.returncode, said) == (1, message)


def test_a_second_one_is_skipped_while_the_first_runs(service: Service) -> None:
    service.define(service.job("until [ -e /data/go1 ]; do sleep 0.1; done"))
    with service.gitops(*RUN) as first:
        until(lambda: service.processes("go1"))
        with service.gitops(*RUN) as second:
            assert second.communicate() == (b"", b"tick of alice is still running; skipped\n")
        assert second.returncode == 0
        service.touch("/data/go1")
        first.communicate()
    assert [(run.outcome, run.log) for run in service.past] == [("ok", ""), ("skipped", "")]


def test_one_waits_where_jobs_queue_and_a_third_is_skipped(service: Service) -> None:
    service.define(service.job("echo begun; until [ -e /data/go2 ]; do sleep 0.1; done", overlap="queue"))
    with service.gitops(*RUN) as first:
        until(lambda: service.processes("go2"))
        with service.gitops(*RUN) as second:
            lock = service.places.runtime / "locks" / f"job.{INSTANCE}.tick"
            until(lambda: lock.exists() and run(["flock", "-n", lock, "true"], check=False).status)
            with service.gitops(*RUN) as third:
                assert b"skipped" in third.communicate()[1]
            service.touch("/data/go2")
            first.communicate()
            second.communicate()
    assert sorted(run.outcome for run in service.past) == ["ok", "ok", "skipped"]


def test_the_next_one_takes_the_place_of_one_that_still_runs_where_jobs_say_so(service: Service) -> None:
    service.define(
        service.job("echo $GITOPS_RUN; [ -e /data/go3 ] || { echo waits; sleep 7781; }", overlap="kill")
    )
    with service.gitops(*RUN) as first:
        until(lambda: service.has_said(b"waits"))
        service.touch("/data/go3")
        with service.gitops(*RUN) as second:
            second.communicate()
        first.communicate()
    assert (first.returncode, second.returncode) == (143, 0)
    assert [(run.outcome, run.detail) for run in service.past] == [
        ("ok", ""),
        ("killed", "was told to end (SIGTERM)"),
    ]
    assert service.processes("sleep 7781") == []


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_job_ends_when_the_gitops_that_watches_it_is_told_to(service: Service, end: signal.Signals) -> None:
    script = "trap 'echo ended; exit' TERM; echo begun; while :; do sleep 0.1; done; : 7773"
    service.define(service.job(script, grace=60.0))
    with service.gitops(*RUN) as watcher:
        until(lambda: service.has_said(b"begun"))
        watcher.send_signal(end)
        watcher.communicate()
    assert watcher.returncode == 128 + end
    assert service.processes(": 7773") == []
    (past,) = service.past
    assert (past.outcome, past.status) == ("killed", 128 + end)
    assert service.output().startswith(b"begun\n")
    assert b"ended\n" in service.output()
    assert notes(service.places) == []


@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Kiritimati"])
def test_cron_may_start_it_at_minutes_that_are_not_meant(service: Service, timezone: str) -> None:
    minute = time.gmtime().tm_min
    other = (minute + 30) % 60
    service.define(service.job("true", schedule=f"{other} * * * *", timezone=timezone))
    with service.gitops(*RUN, "--due") as job:
        assert job.communicate() == (b"", b"")
    assert service.past == []
    meant = ",".join(str((minute + ahead) % 60) for ahead in (0, 1, 2))
    service.define(service.job("true", schedule=f"{meant} * * * *", timezone=timezone))
    with service.gitops(*RUN, "--due") as job:
        job.communicate()
    assert [run.outcome for run in service.past] == ["ok"]


def test_many_that_are_due_at_once_all_run_and_all_are_recorded(service: Service) -> None:
    names = [f"tick{number}" for number in range(int(os.environ.get("JOBS_AT_ONCE", "20")))]
    service.define(*(service.job("echo hello", name=name) for name in names))
    started = [service.gitops("job", "run", INSTANCE, name, "--due") for name in names]
    for one in started:
        assert one.communicate() == (b"", b"")
    assert [one.returncode for one in started] == [0] * len(names)
    past = runs(service.places, kind="job", limit=-1)
    assert sorted(run.name for run in past) == sorted(names)
    assert {(run.outcome, service.output(run)) for run in past} == {("ok", b"hello\n")}


def test_a_run_that_was_missed_while_nothing_ran_jobs_is_made_up_for_once(service: Service) -> None:
    told = service.job("echo hello", catch_up="once", schedule="30 */4 * * *")
    service.define(told, service.job("echo never", name="other", schedule="30 */4 * * *"))

    def catch_up() -> str:
        with service.gitops("job", "catch-up") as done:
            return done.communicate()[0].decode()

    assert catch_up() == ""
    past = now() - timedelta(hours=9)
    for name in ("tick", "other"):
        record(service.places, Run("job", INSTANCE, name, past, past, 0))
    said = catch_up()
    assert said.startswith("alice/tick was due at ")
    assert said.endswith(": ok\n")
    assert len(said.splitlines()) == 1
    assert service.past[0].detail.startswith("makes up for ")
    assert service.output() == b"hello\n"
    assert catch_up() == ""
    assert len(service.past) == 3


def test_a_run_that_is_under_way_is_not_owed(service: Service) -> None:
    service.define(service.job("sleep 1", catch_up="once", overlap="kill"))
    past = now() - timedelta(hours=9)
    record(service.places, Run("job", INSTANCE, "tick", past, past, 0))
    with service.gitops(*RUN) as running:
        until(lambda: notes(service.places))
        with service.gitops("job", "catch-up") as done:
            assert done.communicate() == (b"", b"")
        running.communicate()
    assert running.returncode == 0
    assert [run.outcome for run in service.past] == ["ok", "ok"]


def test_without_a_generation_the_fleets_directory_is_read(service: Service) -> None:
    with service.gitops(*RUN) as job:
        _, said = job.communicate()
    assert (job.returncode, b"this host runs no fleet yet" in said) == (1, True)


def test_a_fleets_directory_may_be_named_instead_of_a_generation(service: Service, tmp_path: Path) -> None:
    files = {
        "fleet.yaml": f"name: {service.fleet}\n"
        "archives: {a: {mirror: 'http://example.org', suites: [stable]}}\n",
        "images/tiny.yaml": "from: scratch\narchive: a\n",
        "apps/shop.yaml": "services: {web: {image: tiny}}\n"
        "jobs: {tick: {service: web, every: 5m, command: 'echo \"$$0\" here', retries: 1}}\n",
        f"hosts/{HOST}.yaml": f"instances: {{{INSTANCE}: {{app: shop}}}}\n",
    }
    for name, text in files.items():
        (tmp_path / "fleet" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fleet" / name).write_text(text)
    with service.gitops(*RUN, "--follow", "--fleet", str(tmp_path / "fleet")) as job:
        output, said = job.communicate()
    assert (job.returncode, output.endswith(b" here\n"), b"went well" in said) == (0, True, True)


def test_past_runs_are_listed_and_their_logs_kept_apart(service: Service) -> None:
    for command in ("echo first", "echo second; exit 3", "true"):
        service.run(command)
    with service.gitops("job", "history", "--json") as listed:
        rows = json.loads(listed.communicate()[0])["runs"]
    assert [(row["job"], row["outcome"], row["status"]) for row in rows] == [
        ("tick", "ok", 0),
        ("tick", "failed", 3),
        ("tick", "ok", 0),
    ]
    assert rows[0]["container"] == service.id
    with service.gitops("job", "history", "--failed") as failed:
        head, line = failed.communicate()[0].decode().splitlines()
    assert head.split() == ["run", "when", "instance", "job", "took", "tries", "outcome"]
    assert line.split()[4:6] == ["alice", "tick"]
    assert line.endswith("failed, exit status 3")
    with service.gitops("job", "log", INSTANCE, "tick", "--run", str(rows[1]["number"])) as log:
        assert log.communicate()[0] == b"second\n"
    with service.gitops("job", "log", INSTANCE, "tick") as log:
        output, said = log.communicate()
    assert (output, b"no output" in said) == (b"", True)
