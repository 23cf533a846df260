"""A host's jobs as units of systemd: a timer and a service for each job of each instance.

Format: systemd.timer(5), systemd.service(5), systemd.syntax(7). Of a job there are only names in them, which
mean nothing to systemd; where gitops and its places are is added on the host.
"""

from collections.abc import Iterable

from gitops.jobs.definition import Definition
from gitops.render.mark import MARK
from gitops.render.on_calendar import on_calendar
from gitops.render.templates import template
from gitops.system.shipped import shipped


def units(definitions: Iterable[Definition]) -> dict[str, str]:
    """Write the units of what is scheduled.

    Returns:
        Name of the unit to its text.
    """
    # Those that ship: a fleet's own would run as root on its hosts.
    root = shipped("templates").parent
    service, timer = (template(root, f"gitops-job.{kind}.j2") for kind in ("service", "timer"))
    found = {}
    for job in definitions:
        calendar = on_calendar(job.schedule, job.timezone, job.spread)
        name = f"gitops-{job.instance.replace('@', '_')}.{job.name}"
        told = {"mark": MARK, "job": job, "calendar": calendar}
        found[f"{name}.service"] = service.render(told, command=_command(job, exact=calendar.exact))
        found[f"{name}.timer"] = timer.render(told)
    return found


def _command(job: Definition, *, exact: bool) -> str:
    # systemd does not start what still runs; the runner decides that where it is not simply skipped.
    alone = "" if job.overlap == "skip" else "setsid --fork "
    return f"{alone}gitops job run {job.instance} {job.name}{'' if exact else ' --due'}"
