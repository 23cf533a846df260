"""A host's jobs and backups as a manifest for cron.

Format: Debian's /etc/cron.d, in cron(8), "Debian specific", and crontab(5).

A line only names a job; the command itself never meets crontab's `%`, its shell or its mail.
"""

from gitops.fleet.crontab import crontab
from gitops.fleet.fleet import Fleet
from gitops.render.mark import MARK

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def cron_manifest(fleet: Fleet, host: str) -> str:
    """Write what a host's cron is to run, by instance and job, in the order of their names.

    Args:
        fleet: the fleet.
        host: the host's name.

    Returns:
        The manifest; empty when nothing is scheduled there.
    """
    lines: list[str] = []
    for name, instance in fleet.instances(host).items():
        if instance.definition.backup and fleet.hosts[host].backup:
            time = crontab(instance.definition.backup.schedule).text
            lines.append(f"{time} root gitops backup run {name}")
        lines += [
            f"{job.times.text} root gitops job run {name} {each}"
            for each, job in sorted(instance.definition.jobs.items())
            if not job.only_on or name in job.only_on
        ]
    if not lines:
        return ""
    head = [MARK, f"# From hosts/{host}.yaml.", "SHELL=/bin/sh", f"PATH={_PATH}", 'MAILTO=""']
    return "\n".join([*head, *lines]) + "\n"
