"""What a terminal shows of a small fleet, as SVG, by the program's own code: `make pictures`."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from gitops.backup.standing import BackupStanding
from gitops.cli.overview import overview
from gitops.cli.plan import rows
from gitops.cli.table import Table, laid_out
from gitops.deploy.desired import Desired
from gitops.deploy.plan import Engine, plan
from gitops.deploy.status import Row
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec, digests
from gitops.fleet.kinds import Kind
from gitops.jobs.standing import JobStanding
from gitops.report.history import Run
from gitops.view.view import ImageView, InstanceView, View
from gitops.view.waiting import Waiting

DIRECTORY = Path(__file__).parent.parent / "docs"
_WIDTH = 112  # columns
_AT = datetime(2027, 3, 1, 7, 30, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_GENERATION = "5f6e7d8c9b0a" + 28 * "0"


def pictures() -> dict[str, str]:
    """Give each picture by the name of its file; the same on every machine."""
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    return {
        "status.svg": _picture("gitops status", overview(_view())),
        "plan.svg": _picture("gitops plan", [_plan()]),
    }


def main() -> None:
    """Write them into docs/."""
    for name, text in pictures().items():
        (DIRECTORY / name).write_text(text)


def _picture(command: str, tables: Sequence[Table]) -> str:
    with Path(os.devnull).open("w") as nowhere:
        console = Console(
            record=True, width=_WIDTH, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        console.print(Text.assemble(("$ ", "dim"), command))
        console.print(laid_out(tables, _WIDTH), "")
        svg = console.export_svg(title="gitops", theme=MONOKAI, unique_id="gitops")
    # The fonts are those of whoever looks; rich would have them come from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return "".join(f"{line.rstrip()}\n" for line in svg.replace("Fira Code", "ui-monospace").splitlines())


def _view() -> View:
    containers = (
        _row("bob", "web", "unhealthy", "bob is unhealthy since its newest start"),
        _row("alice", "db", "healthy"),
        _row("alice", "web", "healthy"),
        _row("bob", "db", "healthy"),
        _row("carol", "db", "healthy"),
        _row("carol", "web", "healthy"),
    )
    names = ("alice", "bob", "carol")
    backups = {name: _backup(name) for name in names}
    jobs = {name: _job(name) for name in names}
    instances = [
        InstanceView(
            name,
            "blog",
            {},
            tuple(row for row in containers if row.instance == name),
            backups[name],
            (jobs[name],),
            ("mariadb", "wordpress"),
        )
        for name in ("bob", "carol", "alice")
    ]
    waiting = (
        _update(
            "libssl3t64", "3.5.1-1+deb13u1", "3.5.1-1+deb13u2", "high", ("CVE-2026-31789", "CVE-2026-31790")
        ),
        _update("php8.4", "8.4.16-1~deb13u1", "8.4.17-1~deb13u1", "medium", ()),
    )
    return View(
        fleet="blogs",
        root="",
        host="web1",
        at=_AT,
        generation=_GENERATION,
        notes=(),
        tick=None,
        rows=containers,
        backups=tuple(sorted(backups.values(), key=lambda one: (not one.notes, one.instance))),
        jobs=tuple(jobs.values()),
        instances=tuple(instances),
        images=(ImageView("trixie", "amd64", 64 * "0", {}, waiting, names),),
        looked=_AT - 3 * _HOUR,
    )


def _row(instance: str, service: str, health: str, note: str = "") -> Row:
    image = "wordpress 9d1f04c2" if service == "web" else "mariadb 51ab7e90"
    status = "Up 4 minutes" if health != "healthy" else "Up 3 weeks"
    return Row(
        instance, service, "running", health, image, current=True, status=status, note=note,
        id="0" * 12,
    )  # fmt: skip


def _backup(instance: str) -> BackupStanding:
    newest = _AT - 4 * _HOUR
    if instance == "carol":
        note = "carol's newest backup is 28 h old; one was due by 2027-03-01T03:15:00Z"
        due = _AT - 4 * _HOUR
        return BackupStanding(instance, _AT - 28 * _HOUR, due, _AT - 50 * _HOUR, (note,), (Kind.BACKUP_LATE,))
    return BackupStanding(instance, newest, _AT + 20 * _HOUR, _AT - 50 * _HOUR)


def _job(instance: str) -> JobStanding:
    started = _AT - timedelta(minutes=3)
    last = Run("job", instance, "wp-cron", started, started + timedelta(seconds=2), 0)
    return JobStanding(
        instance, "wp-cron", "*/5 * * * *", None, _AT + timedelta(minutes=2), last, started, None
    )


def _update(package: str, old: str, new: str, urgency: str, cves: tuple[str, ...]) -> Waiting:
    suite = "debian/trixie-security" if cves else "debian/trixie"
    return Waiting(
        "", bool(cves), package, package, old, new, suite, urgency, cves, ("trixie",), _AT - 9 * _HOUR
    )


def _plan() -> Table:
    """Plan, as the program does: PHP has an update, and dora is new."""
    before = [_service(name, service) for name in ("alice", "bob") for service in ("db", "web")]
    wanted = [replace(one, image=one.image.replace("9d1f", "c07e")) for one in before]
    wanted += [_service("dora", "db"), _service("dora", "web", "c07e04c2")]
    networks = {one.networks[0][0]: one.instance for one in wanted}
    has = [
        Observed(
            one.name, one.name, one.instance, one.service, one.image, _GENERATION, digests(one), "running",
            networks=(one.networks[0][0],),
        )
        for one in before
    ]  # fmt: skip
    found = plan(
        Desired(tuple(wanted), tuple(NetworkSpec(name, one, "default") for name, one in networks.items())),
        Engine(
            tuple(has),
            frozenset((one.networks[0], one.instance) for one in has),
            images=frozenset({before[0].image}),
        ),
        lambda _old, _new: "php8.4 8.4.16-1~deb13u1 → 8.4.17-1~deb13u1 and 2 more",
    )
    return Table(("action", "what", "why"), rows(found, ["dora's jobs are added"], "web1"))


def _service(instance: str, service: str, tag: str = "9d1f04c2") -> ContainerSpec:
    image = (
        ("wordpress", f"blogs/wordpress:{tag}") if service == "web" else ("mariadb", "blogs/mariadb:51ab7e90")
    )
    name = f"blogs.{instance}"
    return ContainerSpec(
        f"{name}.{service}", instance, service, image[1], image[0], ((f"{name}.default", (service,)),)
    )


if __name__ == "__main__":
    main()
