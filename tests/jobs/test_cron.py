"""The line in the manifest is really run by Debian's cron, and does what it says."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops.agent.generation import adopt
from gitops.agent.schedule import install_schedule
from gitops.jobs.output import logs
from gitops.render.schedule import schedule_files
from gitops.report.history import runs
from gitops.system.run import run
from tests.database_fixtures import HOST, INSTANCE, Site, until

# A cron that sees our manifest alone, and that neither another cron nor its lock can see.
_PRIVATE_CRON = """set -eu
mkdir -p "$1/run" "$1/crontabs"
touch "$1/run/docker.sock"
mount --bind /run/docker.sock "$1/run/docker.sock"
mount --rbind "$1/run" /run
mount --bind "$1/crontabs" /var/spool/cron/crontabs
mount --bind /dev/null /etc/crontab
mount --bind "$2" /etc/cron.d
exec cron -f
"""


@contextmanager
def _cron(manifests: Path, directory: Path) -> Iterator[None]:
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _PRIVATE_CRON, "cron"]
    with subprocess.Popen([*command, directory, manifests], cwd="/") as daemon:
        try:
            yield
        finally:
            daemon.terminate()


def _commit(root: Path) -> None:
    for words in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "Begin"],
    ):
        run(["git", "-C", root, *words])


def test_cron_runs_the_job_that_the_manifest_names(site: Site, tmp_path: Path) -> None:
    site.define_jobs(
        "  tick: {service: web, schedule: '* * * * *', user: www-data,"
        " command: [sh, -c, 'echo \"100 % by $$(id -un)\"; exit 3']}\n"
    )
    _commit(site.root)
    adopt(site.root, HOST, site.places)
    assert install_schedule(schedule_files(site.fleet, HOST), site.name, site.places)
    with _cron(site.places.cron, tmp_path / "cron"):
        until(lambda: runs(site.places, kind="job"), seconds=150)
    done = runs(site.places, kind="job")[-1]
    assert (done.instance, done.name, done.status, done.detail) == (INSTANCE, "tick", 3, "")
    assert logs(site.places, INSTANCE, "tick")[0].read_text() == "100 % by www-data\n"
