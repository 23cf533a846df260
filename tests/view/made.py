"""Views made of values: a thousand instances, or one with everything that can be the matter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitops.agent.ticked import Tick
from gitops.backup.standing import BackupStanding
from gitops.deploy.status import Row
from gitops.fleet.kinds import Kind
from gitops.jobs.standing import JobStanding
from gitops.report.history import Run, record
from gitops.report.turns import Outcome, Turn
from gitops.system.places import Places
from gitops.view.view import HostView, ImageView, InstanceView, Problem, View
from gitops.view.waiting import Waiting

AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ran(places: Places, instance: str, job: str, *, runs: int = 30, bad: str = "") -> Run:
    """Put runs of a job into the history; with `bad`, the newest fails and says so. Give the newest."""
    last = None
    for index in range(runs):
        failed = bool(bad) and index == runs - 1
        begun = AT - (runs - index) * HOUR
        took = timedelta(seconds=20 + (index * 7) % 25)
        run = Run("job", instance, job, begun, begun + took, int(failed), bad if failed else "")
        last = replace(run, number=record(places, run))
    assert last
    return last


def instance(
    name: str, *, problem: str = "", job: Run | None = None, parameter: str = "", image: str = "shop"
) -> InstanceView:
    """Make an instance with a container, a backup, and a job where it ran."""
    row = Row(
        name, "web", "running", "unhealthy" if problem else "healthy", f"{image} 0badc0de", current=True,
        created=AT - 48 * HOUR, generation="c0ffee" * 7, note=problem, id="f00",
    )  # fmt: skip
    notes = (f"{name}'s last drill failed at 2026-02-28T03:00:00Z: {problem}",) if problem else ()
    backup = BackupStanding(
        name, AT - HOUR, AT + 24 * HOUR, AT - 72 * HOUR, notes,
        (Kind.DRILL_FAILED,) if problem else (), AT - 25 * HOUR,
    )  # fmt: skip
    jobs = (JobStanding(name, job.name, "*/5 * * * *", None, AT + HOUR, job, AT - HOUR, None),) if job else ()
    return InstanceView(
        name, "shop", {"domain": parameter or f"{name}.example.org"}, (row,), backup, jobs, (image,)
    )


def update(
    changelog: str = "  * Mend CVE-2026-4242.", source: str = "openssl", *, security: bool = True
) -> Waiting:
    """Make an update for security that waits."""
    return Waiting(
        source, security, source, "libssl3t64", "3.5.1-1", "3.5.1-1+deb13u1",
        "debian/trixie-security", "high",
        ("CVE-2026-4242", "CVE-2026-4243"), ("base",), AT - 9 * 24 * HOUR, changelog,
    )  # fmt: skip


def view(
    root: Path, instances: list[InstanceView], *, waiting: tuple[Waiting, ...] = (), detail: str = ""
) -> View:
    """Make a view of instances on one host, beside one that is silent."""
    packages = {
        "base-files": "13.8",
        "ca-certificates": "20250419",
        "libssl3t64": "3.5.1-1",
        "tini": "0.19.0-3",
    }
    silent = Problem(Kind.AGENT_SILENT, "host web2", "web2 has said nothing since 2026-02-28T20:00:00Z", AT)
    return View(
        fleet="corner-shop",
        root=str(root),
        host="web1",
        at=AT,
        generation="c0ffee" * 7,
        notes=(),
        tick=Tick("c0ffee" * 7, (), "nothing to do", time="2026-03-01T04:05:00Z"),
        rows=tuple(row for one in instances for row in one.rows),
        backups=tuple(one.backup for one in instances if one.backup),
        jobs=tuple(job for one in instances for job in one.jobs),
        instances=tuple(sorted(instances, key=lambda one: (not one.problems, one.name))),
        images=(
            ImageView("base", "amd64", "ba5e" * 16, packages, waiting, ()),
            ImageView(
                "shop", "amd64", "0badc0de" * 8, {**packages, "nginx": "1.26.3-3"}, waiting,
                tuple(one.name for one in instances), "base",
            ),
        ),
        others=(
            HostView("web2", "report", "beef" * 10, AT - 8 * HOUR, 12, (silent,), silent=True),
            HostView("web3", ""),
        ),
        turns=(
            Turn("apply", "c0ffee" * 7, "beef" * 10, AT - 2 * HOUR, Outcome.DONE, AT - HOUR),
            Turn("apply", "beef" * 10, "", AT - 9 * HOUR, Outcome.FAILED, AT - 8 * HOUR, detail),
        ),
        looked=AT - HOUR,
    )  # fmt: skip
