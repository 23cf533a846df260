"""A host's jobs as a manifest for cron.

Format: Debian's /etc/cron.d, in cron(8), "Debian specific", and crontab(5).

A line only names a job; the command itself never meets crontab's `%`, its shell or its mail.
"""

from collections.abc import Sequence

from gitops.jobs.definition import Definition
from gitops.jobs.spread import line, offset
from gitops.render.mark import MARK

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def cron_manifest(definitions: Sequence[Definition], host: str) -> str:
    """Write what a host's cron is to run, a line for each job of each instance.

    Args:
        definitions: what is scheduled there, in the order in which it is written.
        host: the host's name.

    Returns:
        The manifest; empty when nothing is scheduled.
    """
    if not definitions:
        return ""
    head = [MARK, f"# From hosts/{host}.yaml.", "SHELL=/bin/sh", f"PATH={_PATH}", 'MAILTO=""']
    lines = []
    for one in definitions:
        fields = line(one.schedule, one.timezone, one.spread).text
        lines.append(f"{fields} root gitops job run {one.instance} {one.name} --due")
    if any(one.catch_up == "once" for one in definitions):
        # Cron forgets what was due while it did not run; the history remembers what ran.
        minute = offset(60, definitions[0].fleet, host)
        lines.append(f"{minute} * * * * root gitops job catch-up")
    return "\n".join([*head, *lines]) + "\n"
