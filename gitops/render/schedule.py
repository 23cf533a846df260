"""What a host's scheduler is given, and what it runs then: files that follow from the fleet."""

from gitops.fleet.fleet import Fleet
from gitops.jobs.scheduled import scheduled
from gitops.render.cron import cron_manifest
from gitops.render.directories import CRON, JOBS, SYSTEMD
from gitops.render.jobs import job_files
from gitops.render.systemd import units


def schedule_files(fleet: Fleet, host: str) -> dict[str, str]:
    """Render a host's schedule.

    Args:
        fleet: the fleet.
        host: the host's name.

    Returns:
        Path below `rendered/hosts/HOST` to text: `cron.d/gitops-FLEET` or `systemd/UNIT`, and
        `jobs/INSTANCE.json` for the runner; nothing where nothing is scheduled.
    """
    definitions = scheduled(fleet, host)
    files = {f"{JOBS}/{name}": text for name, text in job_files(definitions).items()}
    if fleet.hosts[host].scheduler == "systemd":
        files |= {f"{SYSTEMD}/{name}": text for name, text in units(definitions).items()}
    elif manifest := cron_manifest(definitions, host):
        files[f"{CRON}/gitops-{fleet.settings.name}"] = manifest
    return files
