"""A job runs where it belongs, no longer than it may, and what it said can be read."""

import json
import signal

import pytest

from gitops.jobs.run import JobRun, logs, run_job
from gitops.report.history import runs
from gitops.system.errors import UserError
from tests.database_fixtures import INSTANCE, Site, until


def _job(site: Site, command: str, more: str = "") -> None:
    site.define_jobs(f"  tick: {{service: web, schedule: '* * * * *', command: {command}{more}}}\n")


def _run(site: Site) -> JobRun:
    return run_job(site.engine, site.name, site.instance, "tick", site.places)


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_the_exit_status_is_the_commands_own(site: Site, status: int) -> None:
    _job(site, f"[sh, -c, 'exit {status}']")
    assert _run(site).status == status
    assert [one.status for one in runs(site.places, kind="job", instance=INSTANCE)] == [status]


def test_it_runs_as_its_user_in_its_directory_with_its_variables(site: Site) -> None:
    _job(
        site,
        "[sh, -c, 'id -un; pwd; echo \"$$GREETING\"']",
        ", user: www-data, workdir: /srv/uploads, environment: {GREETING: 'it''s 100 % $$HOME'}",
    )
    assert _run(site).log.read_text() == "www-data\n/srv/uploads\nit's 100 % $HOME\n"


def test_the_log_has_every_byte_in_order_both_outputs_and_no_input(site: Site) -> None:
    _job(site, r"""[sh, -c, 'printf "a\377\376\000b\r\n"; echo bad >&2; cat; echo end']""")
    seen: list[bytes] = []
    done = run_job(site.engine, site.name, site.instance, "tick", site.places, show=seen.append)
    assert done.log.read_bytes() == b"a\xff\xfe\x00b\r\nbad\nend\n" == b"".join(seen)
    assert logs(site.places, INSTANCE, "tick") == [done.log]


def test_a_job_that_takes_too_long_is_ended_with_its_children(site: Site) -> None:
    _job(site, "[sh, -c, 'echo begun; sleep 7771 & sleep 7771']", ", timeout: 1s")
    done = _run(site)
    assert done.status == 124
    assert done.log.read_text() == "begun\n"
    (ended,) = runs(site.places)
    assert (ended.detail, ended.outcome) == ("took longer than 1 s", "timeout")
    (web,) = site.engine.named([site.container("web")])
    assert (ended.container, ended.generation) == (web.id, "c0ffee")
    assert site.places.state / ended.log == done.log
    assert site.processes("web", "sleep 7771") == []


def test_a_job_that_will_not_listen_is_killed(site: Site) -> None:
    _job(site, """[sh, -c, 'trap "" TERM; while :; do sleep 0.1; done; : 7772']""", ", timeout: 1s")
    assert _run(site).status == 124
    assert site.processes("web", ": 7772") == []


@pytest.mark.parametrize(("grace", "tidied"), [("30s", True), ("0s", False)])
def test_a_job_has_as_long_to_tidy_up_as_it_asks_for(site: Site, grace: str, tidied: bool) -> None:  # noqa: FBT001
    script = "trap 'sleep 2; echo tidied; exit 3' TERM; while :; do sleep 0.1; done"
    _job(site, f'[sh, -c, "{script}"]', f", timeout: 1s, grace: {grace}")
    done = _run(site)
    assert (done.status, "tidied" in done.log.read_text()) == (124, tidied)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_job_does_not_outlive_the_gitops_that_watches_it(site: Site, end: signal.Signals) -> None:
    _job(site, "[sh, -c, 'sleep 7773; :']")
    with site.gitops("job", "run", INSTANCE, "tick") as watcher:
        until(lambda: site.processes("web", "sleep 7773"))
        watcher.send_signal(end)
        watcher.communicate()
    until(lambda: not site.processes("web", "sleep 7773"))


def test_a_second_one_is_not_begun_while_the_first_runs(site: Site) -> None:
    _job(site, "[sh, -c, 'until [ -e /srv/uploads/go ]; do sleep 0.1; done']")
    with site.gitops("job", "run", INSTANCE, "tick") as first:
        until(lambda: site.processes("web", "until"))
        second = site.gitops("job", "run", INSTANCE, "tick")
        _, error = second.communicate()
        assert (second.returncode, error) == (0, b"tick of alice is still running; skipped\n")
        (site.uploads / "go").touch()
        first.communicate()
    assert first.returncode == 0
    skipped, *_ = [one for one in runs(site.places) if one.detail]
    assert (skipped.outcome, skipped.log) == ("skipped", "")
    assert len(logs(site.places, INSTANCE, "tick")) == 1


def test_a_service_that_is_not_running_is_told_and_recorded(site: Site) -> None:
    site.engine.stop(site.container("web"))
    with pytest.raises(UserError, match="alice/web is not running, so the job nothing cannot run in it"):
        run_job(site.engine, site.name, site.instance, "nothing", site.places)
    (missed,) = runs(site.places)
    assert (missed.status, missed.outcome, "not running" in missed.detail) == (1, "missed", True)


def test_a_job_that_is_not_there_is_told_with_those_that_are(site: Site) -> None:
    with pytest.raises(UserError, match="alice has no job nightly") as caught:
        run_job(site.engine, site.name, site.instance, "nightly", site.places)
    assert "nothing" in str(caught.value)


def test_a_command_that_is_not_there_fails_as_in_a_shell(site: Site) -> None:
    _job(site, "[no-such-command]")
    done = _run(site)
    assert done.status == 127
    assert "no-such-command" in done.log.read_text()


def test_words_reach_the_command_as_they_were_written(site: Site) -> None:
    words = ["a b", "$HOME", "`id`", "100%", "x\ny", "'", '"', "*", ""]
    _job(site, json.dumps(["printf", "%s|", *words]).replace("$", "$$"))
    assert _run(site).log.read_text() == "".join(f"{word}|" for word in words)
