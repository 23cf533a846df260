"""What `gitops check` warns of although nothing is wrong: data without a copy, jobs in their own way."""

from gitops.fleet.load import load
from gitops.fleet.warnings import warnings
from tests.fleet.conftest import FILES, Write

_BLOG, _HOST = "apps/blog.yaml", "hosts/one.yaml"
_BACKUP = FILES[_BLOG][FILES[_BLOG].index("backup:") : FILES[_BLOG].index("jobs:")]


def _told(fleet_with: Write, changes: dict[str, dict[str, str] | str | None]) -> list[str]:
    return [str(one).replace("\n  ", " | ") for one in warnings(load(fleet_with(changes)))]


def test_nobody_is_warned_of_data_that_have_a_backup(fleet_with: Write) -> None:
    assert _told(fleet_with, {}) == []


def test_an_app_that_has_a_volume_and_no_backup_is_warned_of_once(fleet_with: Write) -> None:
    assert _told(fleet_with, {_BLOG: {_BACKUP: ""}}) == [
        (
            "apps/blog.yaml:10:15: blog keeps data in the volume `uploads`, and has no backup"
            " | add backup: {databases: […], volumes: […]}, or backup: {} where nothing needs one"
        )
    ]


def test_an_empty_backup_says_that_nothing_needs_one(fleet_with: Write) -> None:
    assert _told(fleet_with, {_BLOG: {_BACKUP: "backup: {}\n"}}) == []


def test_an_app_without_volumes_needs_no_backup(fleet_with: Write) -> None:
    without = {
        _BACKUP: "",
        '    volumes: ["uploads:/srv/uploads"]\n': "",
        '    volumes: ["data:/var/lib/mysql"]\n': "",
    }
    assert _told(fleet_with, {_BLOG: without}) == []


def test_a_host_without_a_repository_is_warned_of(fleet_with: Write) -> None:
    assert _told(fleet_with, {_HOST: {"backup: {repository: /srv/restic}\n": ""}}) == [
        (
            "hosts/one.yaml:2:3: apps of one want backups, and it has nowhere to put them"
            " | add backup: {repository: …} to hosts/one.yaml"
        )
    ]


def test_a_job_that_may_still_run_when_it_is_due_again_is_warned_of(fleet_with: Write) -> None:
    jobs = """\
jobs:
  a: {service: web, every: 15m, command: a}
  b: {service: web, schedule: "0,50 3 * * *", command: a, timeout: 90m}
  c: {service: web, every: 15m, command: a, timeout: 15m}
"""
    assert _told(fleet_with, {_BLOG: {FILES[_BLOG][FILES[_BLOG].index("jobs:") :]: jobs}}) == [
        (
            "apps/blog.yaml:19:6: a may take 1h, and is due again after 15m"
            " | give it a `timeout` of 15m or less"
        ),
        (
            "apps/blog.yaml:20:68: b may take 90m, and is due again after 50m"
            " | give it a `timeout` of 50m or less"
        ),
    ]
