"""Giving a host's scheduler what git says: cron its manifest, or systemd its units; the other one's go.

What is rendered does not know where this installation and its places are, so that is added here.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from pathlib import Path

from gitops.deploy.units import install_units, installed_units, unit_summary
from gitops.render.directories import CRON, SYSTEMD
from gitops.system.files import write
from gitops.system.places import VARIABLES, Places

_ASSIGNMENT = re.compile(r"\s*(#|$|[A-Za-z_][A-Za-z0-9_]*\s*=)")
"""What is no entry of crontab(5): a comment, an empty line, a variable."""

_SYSTEM_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def install_schedule(
    files: Mapping[str, str], fleet: str, places: Places, tell: Callable[[str], object] = lambda _: None
) -> bool:
    """Give the host's scheduler what it is to run, and take away what it is not to run any more.

    Args:
        files: what `schedule_files` gives.
        fleet: name of the fleet, part of the manifest's name, of which cron takes letters, digits, - and _.
        places: where manifests and units go.
        tell: is told when nothing will start the units.

    Returns:
        True when something changed.

    Raises:
        UserError: systemd does not take the units.
    """
    path, text = _cron_file(fleet, places), _installed(_manifest(files, fleet))
    if text:
        changed = write(path, text)
    else:
        changed = path.exists()
        path.unlink(missing_ok=True)
    return install_units(_units(files), fleet, places, installation(), tell) or changed


def schedule_changes(files: Mapping[str, str], fleet: str, places: Places) -> list[str]:
    """Say what `install_schedule` would change: each entry that comes (`+ …`) or goes (`- …`), in order."""
    path = _cron_file(fleet, places)
    before, after = path.read_text() if path.exists() else "", _installed(_manifest(files, fleet))
    there, wanted = installed_units(fleet, places), _units(files)
    old, new = [*_entries(before), *_timers(there)], [*_entries(after), *_timers(wanted)]
    changed = [
        f"{line[0]} {line[1:]}"
        for line in unified_diff(old, new, lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    ]
    environment = ["its environment changes"] if before != after and before and after else []
    return changed or environment


def schedule_summary(fleet: str, places: Places) -> str:
    """Give a text that is another when anything of the host's schedule is; only cron's file is read."""
    path = _cron_file(fleet, places)
    return (path.read_text() if path.exists() else "") + unit_summary(places)


def cron_environment() -> list[str]:
    """Give the lines that let cron's commands find this installation and its places."""
    return [f"{name}={value}\n" for name, value in installation().items()]


def installation() -> dict[str, str]:
    """Give the variables that let a program with no others find this installation and its places."""
    directory = Path(sys.argv[0]).absolute().parent if Path(sys.argv[0]).name == "gitops" else None
    paths = [str(directory or Path(sys.executable).parent), *_SYSTEM_PATHS]
    variables = {"PATH": ":".join(dict.fromkeys(paths))}
    return variables | {
        name: value
        for name, value in sorted(os.environ.items())
        if name in {*VARIABLES, "DOCKER_HOST"} and "\n" not in value
    }


def _cron_file(fleet: str, places: Places) -> Path:
    return places.cron / f"gitops-{fleet}"


def _manifest(files: Mapping[str, str], fleet: str) -> str:
    return files.get(f"{CRON}/gitops-{fleet}", "")


def _units(files: Mapping[str, str]) -> dict[str, str]:
    return {
        path.removeprefix(f"{SYSTEMD}/"): text
        for path, text in files.items()
        if path.startswith(f"{SYSTEMD}/")
    }


def _installed(manifest: str) -> str:
    """Give a manifest as cron gets it, nothing where nothing is scheduled.

    Cron starts its commands with nearly nothing in the environment (crontab(5)), so what they need goes
    before the first entry.
    """
    lines = manifest.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if not _ASSIGNMENT.match(line)), None)
    if first is None:
        return ""
    header = [line for line in lines[:first] if not line.startswith("PATH=")]
    return "".join([*header, *cron_environment(), *lines[first:]])


def _entries(manifest: str) -> list[str]:
    return [line for line in manifest.splitlines() if not _ASSIGNMENT.match(line)]


def _timers(units: Mapping[str, str]) -> Iterator[str]:
    for name, text in sorted(units.items()):
        if name.endswith(".timer"):
            when = [
                line.removeprefix("OnCalendar=") for line in text.splitlines() if line.startswith("OnCal")
            ]
            yield f"{name}: {'; '.join(when)}"
