"""A host's manifest holds what it schedules, in lines that Debian's cron takes."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.fleet.apps import App
from gitops.fleet.fleet import AppDefinition, Fleet
from gitops.fleet.hosts import Host
from gitops.fleet.settings import Settings
from gitops.render.cron import cron_manifest
from tests.render.reader import hostile


def manifest(schedule: str, command: list[str] | None = None, **more: object) -> str:
    document = {
        "services": {"web": {"image": "web"}},
        "jobs": {"tidy": {"service": "web", "schedule": schedule, "command": command or ["true"], **more}},
    }
    App.model_validate(document)
    app = AppDefinition("shop", Path("apps/shop.yaml"), document, {})
    host = Host.model_validate({"instances": {"a": {"app": "shop"}}})
    archives = {"trixie": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}}
    fleet = Settings.model_validate({"name": "shop", "archives": archives})
    return cron_manifest(Fleet(Path("/nonexistent"), fleet, {}, {"shop": app}, {"web1": host}), "web1")


def entries(text: str) -> list[tuple[str, str, str]]:
    """Read a manifest as cron(8) does: (time, user, command) of each line that is no comment or variable."""
    assert text.endswith("\n")
    found = []
    for line in text.splitlines():
        if line.startswith("#") or re.match(r"[A-Z]+=", line):
            continue
        fields = 1 if line.startswith("@") else 5
        *time, user, command = line.split(maxsplit=fields + 1)
        assert "%" not in command
        found.append((" ".join(time), user, command))
    return found


def taken_by_cron(text: str, directory: Path) -> bool:
    """Ask Debian's crontab, in whose files no user stands."""
    file = directory / "crontab"
    file.write_text(text.replace(" root ", " "))
    return subprocess.run(["crontab", "-n", file], capture_output=True, check=False).returncode == 0


def test_a_job_that_is_for_some_instances_only_is_not_run_in_the_others() -> None:
    assert entries(manifest("@daily", only_on=["a"])) == [("0 0 * * *", "root", "gitops job run a tidy")]
    assert manifest("@daily", only_on=["b"]) == ""


def test_jobs_and_backups_of_every_instance_in_a_stable_order(
    make_fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    text = cron_manifest(make_fleet(), "web1")
    assert entries(text) == [
        ("15 3 * * *", "root", "gitops backup run a"),
        ("*/5 * * * MON-FRI", "root", "gitops job run a tidy"),
        ("15 3 * * *", "root", "gitops backup run b"),
        ("*/5 * * * MON-FRI", "root", "gitops job run b tidy"),
    ]
    assert 'MAILTO=""\n' in text
    assert taken_by_cron(text, tmp_path)


@pytest.mark.parametrize(
    ("schedule", "fields"),
    [
        ("@daily", "0 0 * * *"),
        ("0-30/5,45 1,2 1-7 JAN-mar sun", "0-30/5,45 1,2 1-7 JAN-mar sun"),
        ("  7   4 * * *  ", "7 4 * * *"),
    ],
)
def test_cron_takes_every_schedule_that_is_rendered(schedule: str, fields: str, tmp_path: Path) -> None:
    text = manifest(schedule)
    assert entries(text) == [(fields, "root", "gitops job run a tidy")]
    assert taken_by_cron(text, tmp_path)


@given(st.lists(hostile, min_size=1, max_size=3))
@settings(max_examples=50, deadline=None)
def test_no_command_ever_meets_the_crontab(command: list[str]) -> None:
    literal = [word.replace("$", "$$") for word in command]
    assert manifest("7 4 * * *", literal) == manifest("7 4 * * *")


def test_no_backup_is_scheduled_where_the_host_has_no_place_for_it(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**{"hosts/web1.yaml": "instances: {a: {app: shop}}\n"})
    assert [command for _, _, command in entries(cron_manifest(fleet, "web1"))] == ["gitops job run a tidy"]


def test_a_host_with_nothing_scheduled_has_no_manifest(make_fleet: Callable[..., Fleet]) -> None:
    assert cron_manifest(make_fleet(**{"hosts/web2.yaml": "instances: {}\n"}), "web2") == ""
