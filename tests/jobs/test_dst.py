"""What is run twice, later or never when a clock is put: docs/jobs.md has a table; this asks who would know.

Debian's cron is the real one, for which time goes faster (faketime(1)); systemd says when its timers elapse.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gitops.fleet.crontab import crontab
from gitops.jobs.calendar import due, runs
from gitops.render.on_calendar import on_calendar
from tests.jobs.private_cron import private_cron

_RATE = int(os.environ.get("DST_RATE", "240"))
"""How many times faster the clock goes that cron sees."""

_ZONE = ZoneInfo("Europe/Berlin")
_FORWARD, _BACK = date(2026, 3, 29), date(2026, 10, 25)
_DOCUMENT = Path(__file__).parents[2] / "docs" / "jobs.md"
_LIBRARY = "/usr/$LIB/faketime/libfaketime.so.1"
_MINUTE = timedelta(minutes=1)


def _local(day: date, hour: int, minute: int, *, second_time: bool = False) -> datetime:
    shown = datetime(day.year, day.month, day.day, hour, minute, fold=int(second_time), tzinfo=_ZONE)
    return shown.astimezone(UTC)


def _times(cell: str, day: date) -> list[datetime]:
    """Read a cell: `03:00, 03:00`, `02:30*` for what is the second time that a clock shows it, or `—`."""
    found = re.findall(r"(\d\d):(\d\d)(\*?)", cell)
    assert found or cell == "—", cell
    return [_local(day, int(hour), int(minute), second_time=bool(star)) for hour, minute, star in found]


def _table() -> dict[str, dict[tuple[str, date], list[datetime]]]:
    """Read the table: by schedule and then by who runs it on which day, the times."""
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+) \| (.+) \| (.+) \| (.+) \|$", _DOCUMENT.read_text(), re.MULTILINE
    )
    who = [("cron", _FORWARD), ("systemd", _FORWARD), ("cron", _BACK), ("systemd", _BACK)]
    return {
        row[0]: {one: _times(cell, one[1]) for one, cell in zip(who, row[1:], strict=True)} for row in rows
    }


TABLE = _table()
DAYS = pytest.mark.parametrize("day", [_FORWARD, _BACK], ids=["forward", "back"])


def _window(day: date) -> tuple[datetime, datetime]:
    """Give what the table is about: from two o'clock to just after three."""
    return _local(day, 1, 59), _local(day, 3, 6)


@pytest.fixture(scope="module")
def crons(tmp_path_factory: pytest.TempPathFactory) -> dict[date, dict[str, list[datetime]]]:
    """What two crons ran, on the two days, by day and schedule."""
    with ThreadPoolExecutor() as pool:
        days = {
            day: pool.submit(_run_cron, day, tmp_path_factory.mktemp("cron")) for day in (_FORWARD, _BACK)
        }
        return {day: one.result() for day, one in days.items()}


def _run_cron(day: date, directory: Path) -> dict[str, list[datetime]]:
    log, manifests = directory / "log", directory / "cron.d"
    log.touch()
    manifests.mkdir()
    lines = [
        f"{schedule} root echo {number} $(date +\\%s.\\%N) >>{log}\n" for number, schedule in enumerate(TABLE)
    ]
    (manifests / "dst").write_text("".join(["SHELL=/bin/sh\nPATH=/usr/bin:/bin\n", 'MAILTO=""\n', *lines]))
    begin, end = _window(day)
    fake = f"FAKETIME=@{begin.astimezone(_ZONE):%F %T} x{_RATE}"
    # Cron alone sees the other time, and gives nothing of its environment on.
    before = ("nice", "-n", "-20", "env", f"LD_PRELOAD={_LIBRARY}", fake, "NO_FAKE_STAT=1")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "Europe/Berlin"}
    began = time.time()
    with private_cron(manifests, directory / "own", before=before, environment=environment):
        time.sleep((end - begin).total_seconds() / _RATE)
    found: dict[str, list[datetime]] = {schedule: [] for schedule in TABLE}
    for line in log.read_text().splitlines():
        number, at = line.split()
        found[list(TABLE)[int(number)]].append(begin + timedelta(seconds=(float(at) - began) * _RATE))
    return found


@DAYS
def test_debians_cron_does_as_the_table_says(day: date, crons: dict[date, dict[str, list[datetime]]]) -> None:
    for schedule, table in TABLE.items():
        ran, said = crons[day][schedule], table["cron", day]
        assert len(ran) == len(said), (schedule, ran, said)
        for one, meant in zip(ran, said, strict=True):
            assert -_MINUTE < one - meant < 10 * _MINUTE, (schedule, ran, said)


@DAYS
@pytest.mark.parametrize("zone", ["Europe/Berlin", None], ids=["zone", "here"])
def test_systemd_does_as_the_table_says(day: date, zone: str | None) -> None:
    begin, end = _window(day)
    for schedule, table in TABLE.items():
        elapsing: set[datetime] = set()
        for expression in on_calendar(schedule, zone, 0).expressions:
            command = ["systemd-analyze", "calendar", "--iterations=40", f"--base-time={begin:%F %T} UTC"]
            environment = {"TZ": "UTC" if zone else "Europe/Berlin"}
            told = subprocess.run(
                [*command, expression], capture_output=True, text=True, check=True, env=environment
            )
            shown = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", told.stdout)
            elapsing |= {datetime.fromisoformat(one).replace(tzinfo=UTC) for one in shown}
        assert sorted(one for one in elapsing if begin <= one <= end) == table["systemd", day], schedule


@DAYS
def test_what_is_listed_and_what_a_zone_of_its_own_does_under_cron_is_as_crons_own(
    day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, end = _window(day)
    monkeypatch.setenv("TZ", "UTC")
    for schedule, table in TABLE.items():
        said = sorted(set(table["cron", day]))
        assert [one for one in _first(schedule, begin) if one <= end] == said, schedule
        minutes = [begin + number * _MINUTE for number in range(int((end - begin) / _MINUTE))]
        assert [one for one in minutes if due(schedule, "Europe/Berlin", 0, one)] == said, schedule


def _first(schedule: str, after: datetime) -> Iterator[datetime]:
    found = runs(schedule, "Europe/Berlin", 0, after)
    return (next(found) for _ in range(20))


def test_the_table_has_every_kind_of_schedule() -> None:
    assert {crontab(schedule).wild for schedule in TABLE} == {True, False}
    assert len(TABLE) > 4
