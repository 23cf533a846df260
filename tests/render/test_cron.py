"""A host's manifest holds what it schedules, in lines that cron takes; its runner reads the definitions."""

import json
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
from gitops.jobs.definition import Definition, parse
from gitops.jobs.scheduled import scheduled
from gitops.render.schedule import schedule_files
from tests.render.reader import hostile


def one_job(schedule: str, command: list[str] | None = None, **more: object) -> Fleet:
    """Make a fleet of one job, on a host with two instances."""
    document = {
        "services": {"web": {"image": "web"}},
        "jobs": {"tidy": {"service": "web", "schedule": schedule, "command": command or ["true"], **more}},
    }
    App.model_validate(document)
    app = AppDefinition("shop", Path("apps/shop.yaml"), document, {})
    host = Host.model_validate({"instances": {"a": {"app": "shop"}, "b": {"app": "shop"}}})
    archives = {"trixie": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}}
    fleet = Settings.model_validate({"name": "shop", "archives": archives})
    return Fleet(Path("/nonexistent"), fleet, {}, {"shop": app}, {"web1": host})


def files(fleet: Fleet) -> dict[str, str]:
    return schedule_files(fleet, "web1")


def manifest(fleet: Fleet) -> str:
    return files(fleet).get("cron.d/gitops-shop", "")


def read(fleet: Fleet) -> list[Definition]:
    """Read as the runner does what was written for it, in the order of the files' names."""
    found = [json.loads(text) for path, text in sorted(files(fleet).items()) if path.startswith("jobs/")]
    return [parse(one, name) for one in found for name in one["jobs"]]


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
    assert entries(manifest(one_job("@daily", only_on=["a"]))) == [
        ("0 0 * * *", "root", "gitops job run a tidy --due")
    ]
    assert files(one_job("@daily", only_on=["c"])) == {}


def test_jobs_of_the_host_and_of_every_instance_in_a_stable_order(
    make_fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    text = manifest(make_fleet())
    *jobs, catch_up = entries(text)
    assert jobs == [
        ("15 3 * * *", "root", "gitops job run @host backup.shop --due"),
        ("30 5 * * 0", "root", "gitops job run @host check --due"),
        ("30 4 * * *", "root", "gitops job run @host prune --due"),
        ("*/5 * * * MON-FRI", "root", "gitops job run a tidy --due"),
        ("*/5 * * * MON-FRI", "root", "gitops job run b tidy --due"),
    ]
    assert re.fullmatch(r"[0-9]+ \* \* \* \* root gitops job catch-up", " ".join(catch_up))
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
    text = manifest(one_job(schedule))
    assert [time for time, _, _ in entries(text)] == [fields, fields]
    assert taken_by_cron(text, tmp_path)


@given(st.lists(hostile, min_size=1, max_size=3))
@settings(max_examples=50, deadline=None)
def test_no_command_ever_meets_the_crontab_and_each_reaches_the_runner(command: list[str]) -> None:
    fleet = one_job("7 4 * * *", [word.replace("$", "$$") for word in command])
    assert manifest(fleet) == manifest(one_job("7 4 * * *"))
    assert [job.command for job in read(fleet)] == [tuple(command)] * 2


def test_the_runner_reads_what_the_fleet_says(make_fleet: Callable[..., Fleet]) -> None:
    for fleet in (
        make_fleet(),
        one_job(
            "7 4 * * *", user="www-data", environment={"A": "é%"}, workdir="/srv", timeout="1.5s", grace="0s"
        ),
        one_job(
            "@weekly", timezone="Asia/Kathmandu", spread="2h", retries=3, overlap="kill", notify="always"
        ),
        one_job("@hourly", catch_up="once", mode="run"),
    ):
        assert read(fleet) == scheduled(fleet, "web1")


def test_nothing_is_backed_up_where_the_host_has_no_place_for_it(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**{"hosts/web1.yaml": "instances: {a: {app: shop}}\n"})
    assert [command for _, _, command in entries(manifest(fleet))] == ["gitops job run a tidy --due"]
    assert [job.subject for job in read(fleet)] == ["a/tidy"]


def test_a_host_looks_for_updates_when_and_in_the_way_that_its_file_says(
    make_fleet: Callable[..., Fleet],
) -> None:
    for text, words in (("", "pull-request"), (", propose: nothing", "nothing")):
        host = f"updates: {{schedule: '17 4 * * *'{text}}}\n"
        fleet = make_fleet(**{"hosts/web1.yaml": host})
        line, _ = entries(manifest(fleet))  # the other one makes up for what was missed
        assert line == ("17 4 * * *", "root", "gitops job run @host update --due")
        (job,) = read(fleet)
        assert job.argv == ("gitops", "agent", "update", "--propose", words)
        assert job.catch_up == "once"


def test_instances_of_an_app_are_backed_up_in_one_run_where_they_share_its_time(
    make_fleet: Callable[..., Fleet],
) -> None:
    app = """\
parameters: {hour: {type: integer, default: 3}}
services: {web: {image: web, volumes: ["data:/srv"]}}
backup: {schedule: "15 ${hour} * * *", volumes: [data], drill: "@weekly"}
"""
    host = (
        "backup: {repository: /srv/restic}\ninstances: {a: {app: shop}, b: {app: shop}, c: {app: shop%s}}\n"
    )
    for parameters, expected in (
        ("", {"backup.shop": ("run", "a", "b", "c"), "drill.shop": ("drill", "a", "b", "c")}),
        (
            ", parameters: {hour: 4}",
            {
                "backup.shop.a": ("run", "a", "b"),
                "backup.shop.c": ("run", "c"),
                "drill.shop": ("drill", "a", "b", "c"),
            },
        ),
    ):
        jobs = read(make_fleet(**{"apps/shop.yaml": app, "hosts/web1.yaml": host % parameters}))
        assert {one.name: one.argv[2:] for one in jobs if "." in one.name} == expected
        assert {one.argv[:2] for one in jobs} == {("gitops", "backup")}


def test_a_host_with_nothing_scheduled_has_no_files(make_fleet: Callable[..., Fleet]) -> None:
    assert schedule_files(make_fleet(**{"hosts/web2.yaml": "instances: {}\n"}), "web2") == {}


def test_a_change_elsewhere_leaves_an_instances_files_as_they_are(make_fleet: Callable[..., Fleet]) -> None:
    before = files(make_fleet())
    instances = (
        "backup: {repository: /srv/restic}\ninstances: {a: {app: shop}, aa: {app: shop}, b: {app: shop}}\n"
    )
    after = files(make_fleet(**{"hosts/web1.yaml": instances}))
    assert {path for path in after if before.get(path) != after[path]} == {
        "cron.d/gitops-shop",
        "jobs/@host.json",
        "jobs/aa.json",
    }
    assert set(before["cron.d/gitops-shop"].splitlines()) < set(after["cron.d/gitops-shop"].splitlines())
