"""Units say what a crontab would, and systemd's own parser takes them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.fleet.fleet import Fleet
from gitops.render.on_calendar import on_calendar
from gitops.render.schedule import schedule_files
from tests.render.test_cron import one_job

_HOST = "scheduler: systemd\nbackup: {repository: /srv/restic}\nupdates: {schedule: '17 4 * * *'}\n"


def units(fleet: Fleet) -> dict[str, str]:
    files = schedule_files(fleet, "web1")
    assert not any(path.startswith("cron.d") for path in files)
    return {
        path.removeprefix("systemd/"): text for path, text in files.items() if path.startswith("systemd/")
    }


def on_systemd(fleet: Fleet) -> Fleet:
    host = fleet.hosts["web1"].model_copy(update={"scheduler": "systemd"})
    return Fleet(fleet.root, fleet.settings, fleet.images, fleet.apps, {"web1": host})


def values(unit: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{key}=")]


def verified(directory: Path, found: dict[str, str]) -> str:
    """Ask systemd about units whose program is found; give what it has to say, nothing when all is well."""
    (directory / "bin").mkdir()
    program = directory / "bin/gitops"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in found.items():
        path = f"[Service]\nExecSearchPath={program.parent}:/usr/bin\n"
        (directory / name).write_text(text.replace("[Service]\n", path))
    names = [directory / name for name in found if name.endswith(".timer")]
    told = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    # What else the machine has is not ours to mend.
    said = [line for line in told.stderr.splitlines() if "gitops-" in line]
    return "\n".join([*said, "failed"] if told.returncode else said)


def test_a_host_with_systemd_has_a_timer_and_a_service_for_each_job(
    make_fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    fleet = make_fleet(**{"hosts/web1.yaml": f"{_HOST}instances: {{a: {{app: shop}}, b: {{app: shop}}}}\n"})
    found = units(fleet)
    jobs = ["_host.backup.shop", "_host.check", "_host.prune", "_host.update", "a.tidy", "b.tidy"]
    assert list(found) == [f"gitops-{job}.{kind}" for job in jobs for kind in ("service", "timer")]
    assert values(found["gitops-a.tidy.service"], "ExecStart") == ["gitops job run a tidy"]
    assert values(found["gitops-a.tidy.timer"], "OnCalendar") == ["Mon..Fri *-*-* *:00..55/5:00"]
    backup = found["gitops-_host.backup.shop.service"]
    assert values(backup, "ExecStart") == ["gitops job run @host backup.shop"]
    (tmp_path / "units").mkdir()
    assert verified(tmp_path / "units", found) == ""


def test_systemds_verdict_is_worth_something(tmp_path: Path) -> None:
    found = units(on_systemd(one_job("@daily")))
    broken = {name: text.replace("*-*-*", "*-13-*") for name, text in found.items()}
    assert verified(tmp_path, broken) != ""


def test_names_at_the_edge_of_what_a_name_may_be_are_units(tmp_path: Path) -> None:
    longest = "x" + "-" * 61 + "x"
    fleet = on_systemd(one_job("@daily", timezone="America/Argentina/Buenos_Aires", spread="1h"))
    placement = fleet.hosts["web1"].instances["a"]
    job = fleet.apps["shop"].document["jobs"]["tidy"]
    fleet.apps["shop"].document["jobs"] = {"0": job, "a-b": job, longest: job}
    hosts = {
        "web1": fleet.hosts["web1"].model_copy(
            update={"instances": dict.fromkeys(("0", "a--b", longest), placement)}
        )
    }
    found = units(Fleet(fleet.root, fleet.settings, fleet.images, fleet.apps, hosts))
    assert len(found) == 18
    assert f"gitops-{longest}.{longest}.timer" in found
    assert verified(tmp_path, found) == ""


@pytest.mark.parametrize(
    ("schedule", "moved", "expressions"),
    [
        ("15 3 * * *", 0, ["*-*-* 03:15:00"]),
        ("*/5 * * * *", 17, ["*-*-* *:00..55/5:17"]),
        ("0 4 1,15 * 1", 0, ["*-*-01,15 04:00:00", "Mon *-*-* 04:00:00"]),
        ("0 4 */2 * 1", 0, ["Mon *-*-01..31/2 04:00:00"]),
        ("50 23 * * 5", 1200, ["Sat *-*-* 00:10:00"]),
        ("30,50 23 * * 5", 1200, ["Fri *-*-* 23:50:00", "Sat *-*-* 00:10:00"]),
    ],
)
def test_what_five_fields_say_is_said_exactly(schedule: str, moved: int, expressions: list[str]) -> None:
    found = on_calendar(schedule, None, moved)
    assert (list(found.expressions), found.exact) == (expressions, True)


def test_a_run_that_leaves_its_month_is_decided_by_the_runner() -> None:
    fleet = on_systemd(one_job("59 23 31 1 *", spread="8760h"))
    services = [text for name, text in units(fleet).items() if name.endswith(".service")]
    assert all(command.endswith(" --due") for text in services for command in values(text, "ExecStart"))


def test_what_may_begin_again_while_it_runs_is_let_go(tmp_path: Path) -> None:
    for overlap, command in (
        ("skip", "gitops job run a tidy"),
        ("queue", "setsid --fork gitops job run a tidy"),
        ("kill", "setsid --fork gitops job run a tidy"),
    ):
        found = units(on_systemd(one_job("@daily", overlap=overlap)))
        assert values(found["gitops-a.tidy.service"], "ExecStart") == [command]
    assert verified(tmp_path, found) == ""


def test_only_what_is_to_be_made_up_for_is_remembered_by_systemd() -> None:
    for catch_up, expected in (("none", []), ("once", ["yes"])):
        found = units(on_systemd(one_job("@daily", catch_up=catch_up)))
        assert values(found["gitops-a.tidy.timer"], "Persistent") == expected
