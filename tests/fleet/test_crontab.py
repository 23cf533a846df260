"""A schedule means what Debian's cron takes it to mean; its own parser and a library judge."""

import os
import random
import subprocess
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from pydantic import ValidationError

from gitops.fleet.crontab import crontab
from gitops.fleet.jobs import Job

SCHEDULES = int(os.environ.get("SCHEDULES", "200"))
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _part(chance: random.Random, low: int, high: int) -> str:
    first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
    step = chance.randint(1, high - low)
    # cronsim takes 5-5/2 for 5-59/2, cron for what it says; such a range is not asked about.
    stepped = [f"{first}-{last}/{step}"] if first < last else []
    return chance.choice([f"{first}", f"{first}-{last}", f"*/{step}", *stepped])


def generated(count: int) -> list[str]:
    """Make schedules that run, the same every time."""
    chance, found = random.Random(6), list[str]()  # noqa: S311 - no secret
    while len(found) < count:
        words = [
            "*"
            if chance.random() < 0.4
            else ",".join(_part(chance, *field) for _ in range(chance.choice([1, 1, 2, 3])))
            for field in _FIELDS
        ]
        try:
            found.append(crontab(" ".join(words)).text)
        except ValueError as error:
            assert "never runs" in str(error), words  # noqa: PT017 - nothing else may be refused
    return found


def taken_by_cron(schedules: list[str], directory: Path) -> bool:
    file = directory / "crontab"
    file.write_text("".join(f"{schedule} true\n" for schedule in schedules))
    return subprocess.run(["crontab", "-n", file], capture_output=True, check=False).returncode == 0


def test_the_next_fifty_runs_are_those_of_an_independent_library() -> None:
    began = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    for schedule in generated(SCHEDULES):
        ours = list(islice(crontab(schedule).after(began), 50))
        assert ours == list(islice(CronSim(schedule, began), len(ours))), schedule
        assert len(ours) == 50 or ours[-1].year > 2100, schedule


@pytest.mark.parametrize("began", [datetime(2026, 3, 28, 23), datetime(2026, 10, 24, 23)])  # noqa: DTZ001 - zone below
@pytest.mark.parametrize("schedule", ["30 2 * * *", "*/30 * * * *", "15 2,3 * * *", "0 */2 * * *"])
def test_a_clock_that_is_put_moves_runs_as_cron_does(schedule: str, began: datetime) -> None:
    local = began.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    ours = [one.astimezone(UTC) for one in islice(crontab(schedule).after(local), 12)]
    assert ours == [one.astimezone(UTC) for one in islice(CronSim(schedule, local), 12)]


def test_cron_takes_whatever_is_taken_here(tmp_path: Path) -> None:
    assert taken_by_cron(generated(SCHEDULES), tmp_path)


@pytest.mark.parametrize(
    "schedule",
    [
        "5/10 * * * *",
        "0 0 L * *",
        "0 0 ? * *",
        "0 0 * * 5L",
        "0 24 * * *",
        "0 0 0 * *",
        "1,,2 * * * *",
        "@Daily",
    ],
)
def test_what_cron_does_not_take_is_refused(schedule: str, tmp_path: Path) -> None:
    assert not taken_by_cron([schedule], tmp_path)
    with pytest.raises(ValueError, match=r"write|nicknames|is not a|takes"):
        crontab(schedule)


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ("0 0 30 2 *", "never runs"),
        ("0 0 31 4,6 *", "never runs"),
        ("0 0 * * sat-mon", "ends before it begins, and cron would never run it; write 6-7,0-1"),
        ("50-10 * * * *", "ends before it begins"),
        ("@reboot", "is no time"),
    ],
)
def test_what_cron_takes_and_never_runs_is_refused_with_the_reason(
    schedule: str, reason: str, tmp_path: Path
) -> None:
    assert taken_by_cron([schedule], tmp_path)
    with pytest.raises(ValueError, match=reason):
        crontab(schedule)


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [
        ("*/5 * * * *", 5),
        ("*/7 * * * *", 4),
        ("50 23 * * *", 1440),
        ("0 0,23 * * *", 60),
        ("7 3 1 * *", 40320),
    ],
)
def test_the_least_time_between_two_runs(schedule: str, minutes: int) -> None:
    assert crontab(schedule).closest() == minutes


def job(**rhythm: str) -> Job:
    return Job.model_validate({"service": "web", "command": ["true"], **rhythm})


@pytest.mark.parametrize(
    ("every", "fields"),
    [
        ("1m", "* * * * *"),
        ("15m", "*/15 * * * *"),
        ("1h", "0 */1 * * *"),
        ("6h", "0 */6 * * *"),
        ("24h", "0 0 * * *"),
    ],
)
def test_a_period_is_said_exactly_in_five_fields(every: str, fields: str) -> None:
    assert job(every=every).times.text == fields


@pytest.mark.parametrize("every", ["90m", "45m", "7m", "5h", "30s"])
def test_a_period_that_five_fields_cannot_say_is_refused(every: str) -> None:
    with pytest.raises(ValidationError, match="a period divides"):
        job(every=every)


def test_runs_are_not_moved_past_the_next_one() -> None:
    assert job(schedule="*/5 * * * *", spread="5m").spread == 300
    with pytest.raises(ValidationError, match="longer than the 5 minutes between two runs"):
        job(schedule="*/5 * * * *", spread="6m")
