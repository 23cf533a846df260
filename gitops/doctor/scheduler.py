"""Who runs jobs and backups: whether cron, or systemd, is running."""

from collections.abc import Iterator
from pathlib import Path

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine

_CRONS = {"cron", "crond"}


def check(machine: Machine) -> Iterator[Finding]:
    """Look for the one that the host's definition names, otherwise for either."""
    systemd, cron = Path("/run/systemd/system").is_dir(), _runs_cron()
    there = [name for name, runs in (("cron", cron), ("systemd", systemd)) if runs]
    if machine.fleet is None or machine.host is None:
        if there:
            yield ok(f"{' and '.join(there)} {'run' if len(there) > 1 else 'runs'}")
        else:
            yield warning("neither cron nor systemd runs", f"a host's jobs need one: {_to_start()}")
        return
    wanted = machine.fleet.hosts[machine.host].scheduler
    if wanted in there:
        yield ok(f"{wanted} runs, as hosts/{machine.host}.yaml wants it")
    elif wanted == "cron":
        yield problem("cron does not run: no job and no backup will", _to_start())
    else:
        advice = f"write scheduler: cron in hosts/{machine.host}.yaml"
        yield problem("systemd is not this machine's init: no job and no backup will run", advice)


def _to_start() -> str:
    """Say how cron is got to run."""
    there = any(Path("/usr/sbin", name).exists() for name in _CRONS)
    return "service cron start" if there else "apt install cron; service cron start"


def _runs_cron() -> bool:
    for process in Path("/proc").glob("[0-9]*/comm"):
        try:
            if process.read_text().strip() in _CRONS:
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False
