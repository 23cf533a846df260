"""A host's jobs and backups as a manifest for cron.

Format: Debian's /etc/cron.d, in cron(8), "Debian specific", and crontab(5).

A line only names a job; the command itself never meets crontab's `%`, its shell or its mail.
"""

import re

from gitops.fleet.fleet import Fleet
from gitops.render.mark import MARK
from gitops.system.errors import UserError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PART = r"(?:\*|(?:[0-9]{1,2}|[A-Za-z]{3})(?:-(?:[0-9]{1,2}|[A-Za-z]{3}))?)(?:/[0-9]{1,2})?"
_FIELD = re.compile(rf"{_PART}(?:,{_PART})*")
_NICKNAME = re.compile(r"@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)")


def cron_manifest(fleet: Fleet, host: str) -> str:
    """Write what a host's cron is to run, by instance and job, in the order of their names.

    Args:
        fleet: the fleet.
        host: the host's name.

    Returns:
        The manifest; empty when nothing is scheduled there.

    Raises:
        UserError: a schedule is one that Debian's cron does not know; it would ignore the whole file for it.
    """
    lines: list[str] = []
    for name, instance in fleet.instances(host).items():
        file = f"apps/{instance.app}.yaml"
        if instance.definition.backup and fleet.hosts[host].backup:
            time = _time(instance.definition.backup.schedule, file)
            lines.append(f"{time} root gitops backup run {name}")
        lines += [
            f"{_time(job.schedule or '', file)} root gitops job run {name} {each}"
            for each, job in sorted(instance.definition.jobs.items())
        ]
    if not lines:
        return ""
    head = [MARK, f"# From hosts/{host}.yaml.", "SHELL=/bin/sh", f"PATH={_PATH}", 'MAILTO=""']
    return "\n".join([*head, *lines]) + "\n"


def _time(schedule: str, file: str) -> str:
    fields = schedule.split()
    known = _NICKNAME.fullmatch(schedule.strip()) or (
        len(fields) == 5 and all(_FIELD.fullmatch(field) for field in fields)  # noqa: PLR2004 # crontab(5) has five
    )
    if not known:
        raise UserError(f"cron does not know the schedule {schedule!r}", file=file, hint="see crontab(5)")
    return " ".join(fields)
