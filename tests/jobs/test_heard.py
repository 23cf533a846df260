"""People hear of the first failure and of the recovery, and of nothing else unless they ask for it."""

from datetime import UTC, datetime

import pytest

from gitops.jobs import lean
from gitops.jobs.left import end_left
from gitops.jobs.run import run_job
from gitops.report.notices import outbox
from tests.database_fixtures import until
from tests.jobs.conftest import INSTANCE, Service


def _told(service: Service) -> list[tuple[str, bool]]:
    return [(one.title.partition(": ")[2], one.good) for one in outbox(service.places)]


def test_the_first_failure_and_the_recovery_are_told_with_the_end_of_the_log(service: Service) -> None:
    for command in ("true", "echo no space left; exit 3", "exit 3", "true", "true"):
        service.run(command)
    assert _told(service) == [("job alice/tick failed", False), ("job alice/tick works again", True)]
    text = outbox(service.places)[0].text
    assert "exit status 3" in text
    assert text.endswith("no space left")


def test_every_run_is_told_where_it_is_wanted_and_none_where_it_is_not(service: Service) -> None:
    service.run("exit 3", notify="never")
    assert _told(service) == []
    for command in ("true", "exit 3", "exit 3"):
        service.run(command, notify="always")
    assert [good for _, good in _told(service)] == [True, False, False]


def test_missed_and_timed_out_runs_are_told_and_skipped_ones_are_not(own: Service) -> None:
    own.run("sleep 7793", timeout=0.5)
    assert _told(own) == [("job alice/tick timeout", False)]
    own.run("true")
    own.engine.stop(own.name)
    own.run("true", wait=0.0)
    assert _told(own)[2:] == [("job alice/tick missed", False)]


def test_what_a_killed_runner_leaves_is_told(service: Service) -> None:
    service.define(service.job("echo begun; sleep 7794; :"))
    with service.gitops("job", "run", INSTANCE, "tick") as watcher:
        until(lambda: service.processes("sleep 7794"))
        with service.gitops("job", "run", INSTANCE, "tick") as second:
            second.communicate()
        watcher.kill()
        watcher.communicate()
    assert _told(service) == []
    end_left(service.places)
    assert _told(service) == [("job alice/tick killed", False)]
    assert run_job(service.job("true"), service.places).outcome == "ok"
    assert _told(service)[1:] == [("job alice/tick works again", True)]


def test_a_run_that_is_spread_begins_at_its_second_of_the_minute(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    for second, seconds in ((1, 16.0), (17, 0.0), (30, 0.0)):
        began = datetime(2026, 3, 1, 4, 7, second, tzinfo=UTC)
        monkeypatch.setattr(lean, "now", lambda began=began: began)
        job = service.job("true", schedule="*/5 * * * *", spread=137, timezone="UTC")
        assert lean.run(job, service.places, due=True, follow=False) == 0
        assert slept[0] == seconds
        slept.clear()
    assert len(service.past) == 3
