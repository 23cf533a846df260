"""When a job runs, wherever its clock and the host's are set to, is what independent judges say."""

import os
import random
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import islice
from operator import or_
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from gitops.fleet.crontab import crontab
from gitops.jobs.calendar import due, runs
from gitops.jobs.spread import line, offset
from gitops.render.on_calendar import Calendar, on_calendar
from tests.fleet.test_crontab import SCHEDULES, generated, taken_by_cron

BEGAN = datetime(2026, 11, 25, 6, 30, 11, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def moved(schedule: str, chance: random.Random) -> int:
    """Give an offset that a `spread` could lead to, in seconds."""
    return chance.choice([0, chance.randrange(crontab(schedule).closest() * 60)])


def elapses(expressions: Sequence[str], base: datetime, count: int = 50) -> dict[str, set[datetime]]:
    """Ask systemd when each expression elapses next."""
    command = ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={base:%F %T} UTC"]
    told = subprocess.run(
        [*command, *expressions], capture_output=True, text=True, check=True, env={"TZ": "UTC"}
    )
    answers = told.stdout.split("\n\n")
    assert len(answers) == len(expressions)
    return dict(zip(expressions, map(_times, answers), strict=True))


def _times(answer: str) -> set[datetime]:
    rows = [one.strip().split(": ", 1) for one in answer.splitlines()]
    times = [value for key, value in rows if key == "Next elapse" or key.startswith("Iter.")]
    return {
        datetime.strptime(one, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        for one in times
        if one != "never"
    }


def batches(calendars: Sequence[Calendar]) -> dict[str, set[datetime]]:
    wanted = list(dict.fromkeys(one for calendar in calendars for one in calendar.expressions))
    found: dict[str, set[datetime]] = {}
    for first in range(0, len(wanted), 200):
        found |= elapses(wanted[first : first + 200], BEGAN)
    return found


def test_the_next_fifty_runs_are_those_of_systemd_and_of_an_independent_library() -> None:
    chance = random.Random(6)  # noqa: S311 - no secret
    cases = [(schedule, moved(schedule, chance)) for schedule in generated(SCHEDULES)]
    calendars = [on_calendar(schedule, None, by) for schedule, by in cases]
    elapsing = batches(calendars)
    compared = 0
    for (schedule, by), calendar in zip(cases, calendars, strict=True):
        ours = list(islice(runs(schedule, None, by, BEGAN), 50))
        late = timedelta(seconds=by)
        library = [one + late for one in islice(CronSim(schedule, BEGAN - late), len(ours))]
        assert ours == library, (schedule, by)
        systemd = sorted(reduce(or_, (elapsing[one] for one in calendar.expressions)))[:50]
        if calendar.exact:
            compared += 1
            assert ours[: len(systemd)] == systemd, (schedule, by, calendar)
            assert len(systemd) == 50 or ours[-1].year > 2100, (schedule, by, calendar)
        else:
            assert {one for one in ours if one <= systemd[-1]} <= set(systemd), (schedule, by, calendar)
    assert compared > len(cases) * 0.7


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_means_the_same_to_systemd(zone: str) -> None:
    expressions = {
        schedule: on_calendar(schedule, zone, 0).expressions[0] for schedule in ("30 4 * * *", "*/7 * * * *")
    }
    elapsing = elapses(list(expressions.values()), BEGAN)
    for schedule, expression in expressions.items():
        assert set(islice(runs(schedule, zone, 0, BEGAN), 50)) == elapsing[expression]


def started_by_cron(
    schedule: str, zone: str | None, by: int, days: tuple[datetime, datetime]
) -> Iterator[datetime]:
    """Give the minutes at which cron starts the runner on a host whose clock is that of TZ."""
    first, last = days
    local = first.astimezone(ZoneInfo(os.environ["TZ"]))
    for moment in crontab(line(schedule, zone, by).text).after(local - timedelta(minutes=1)):
        if moment.astimezone(UTC) >= last:
            return
        yield moment.astimezone(UTC)


def meant(schedule: str, zone: str | None, by: int, days: tuple[datetime, datetime]) -> list[datetime]:
    first, last = days
    minute = timedelta(seconds=by % 60)
    found = []
    for moment in runs(schedule, zone, by, first - timedelta(seconds=1) + minute):
        if moment - minute >= last:
            break
        found.append(moment - minute)
    return found


SPRING = (datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
AUTUMN = (datetime(2026, 10, 22, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC))
WINTER = (datetime(2026, 12, 29, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC))


@pytest.mark.parametrize("days", [SPRING, AUTUMN, WINTER], ids=["spring", "autumn", "winter"])
@pytest.mark.parametrize("host", ["UTC", "Europe/Berlin", "America/St_Johns"])
def test_cron_starts_every_run_that_is_meant_and_the_runner_knows_which(
    host: str, days: tuple[datetime, datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", host)
    chance = random.Random(host)  # noqa: S311 - no secret
    for schedule in generated(SCHEDULES // 5):
        zone = chance.choice([*ZONES, None, None])
        by = moved(schedule, chance)
        case = (schedule, zone, by, line(schedule, zone, by))
        begun, right = set(started_by_cron(schedule, zone, by, days)), set(meant(schedule, zone, by, days))
        assert right <= begun, case
        for one in chance.sample(sorted(begun), min(len(begun), 20)):
            # Cron is within the minute when it starts something, and never early.
            started = one + timedelta(seconds=chance.randrange(60))
            assert due(schedule, zone, by, started) == (one in right), case


def test_cron_takes_every_line_whatever_zone_and_spread_make_of_it(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    lines = [
        line(schedule, chance.choice([*ZONES, None, None]), moved(schedule, chance)).text
        for schedule in generated(SCHEDULES)
    ]
    assert taken_by_cron(lines, tmp_path)
    assert not taken_by_cron([*lines, "60 * * * *"], tmp_path)


@pytest.mark.parametrize(
    ("schedule", "by", "text", "exact"),
    [
        ("*/5 * * * *", 0, "*/5 * * * *", True),
        ("*/5 * * * *", 59, "*/5 * * * *", True),
        ("*/5 * * * *", 187, "3-58/5 * * * *", True),
        ("15 3 * * *", 3600, "15 4 * * *", True),
        ("15 3 1 * *", 50 * 60, "5 4 1 * *", True),
        ("50 23 * * 1-5", 20 * 60, "10 0 * * 2-6", True),
        ("50 23 1 * *", 20 * 60, "10 0 * * *", False),
        ("48 * * * */2", 40 * 60, "28 * * * *", False),
        ("0,50 3 * * *", 20 * 60, "10,20 3,4 * * *", False),
    ],
)
def test_runs_are_moved_in_crons_fields_where_these_can_say_it(
    schedule: str,
    by: int,
    text: str,
    exact: bool,  # noqa: FBT001
) -> None:
    assert (line(schedule, None, by).text, line(schedule, None, by).exact) == (text, exact)


def test_a_hundred_instances_are_spread_evenly_and_each_keeps_its_place() -> None:
    offsets = [offset(600, "shop", "web1", f"i{number}", "tidy") for number in range(100)]
    assert offsets == [offset(600, "shop", "web1", f"i{number}", "tidy") for number in range(100)]
    assert all(0 <= one < 600 for one in offsets)
    by_minute = [sum(one // 60 == minute for one in offsets) for minute in range(10)]
    assert min(by_minute) >= 3
    assert max(by_minute) <= 20
    assert offset(0, "shop", "web1", "i1", "tidy") == 0
